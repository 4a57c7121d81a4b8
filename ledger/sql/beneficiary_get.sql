-- read-only
SELECT b.beneficiary_id, b.version, b.created_at, v.created_at, v.display_name, v.iban, v.mobile_alias, bank.code,
       v.cnic, v.pseb, v.channel, v.purpose_code
  FROM beneficiary b
  JOIN beneficiary_version v USING (book_id, beneficiary_id, version)
  JOIN bank ON bank.bank_id = v.bank_id
 WHERE b.book_id = $1::integer AND b.beneficiary_id = $2::bigint;
