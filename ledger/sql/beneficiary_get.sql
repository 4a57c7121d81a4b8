-- read-only
-- Without a row of beneficiary_pii: erased.
SELECT b.beneficiary_id, b.version, b.created_at, v.created_at, bank.code, v.channel, v.purpose_code, b.erased_at IS NOT NULL,
       r.key_id, r.sealed, v.name_commitment, v.iban_commitment, v.mobile_commitment, v.cnic_commitment, v.pseb_commitment
  FROM beneficiary b
  JOIN beneficiary_version v USING (book_id, beneficiary_id, version)
  JOIN bank ON bank.bank_id = v.bank_id
  LEFT JOIN beneficiary_pii r USING (book_id, beneficiary_id, version)
 WHERE b.book_id = $1::integer AND b.beneficiary_id = $2::bigint;
