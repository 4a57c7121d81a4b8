-- read-only
-- Those versions of beneficiaries, in the list's order.
SELECT v.beneficiary_id, v.version, v.bank_id, v.channel, v.purpose_code, v.name_commitment, v.iban_commitment,
       v.mobile_commitment, v.cnic_commitment, v.pseb_commitment, v.principal_id, v.created_at
  FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (id, version, ord)
 CROSS JOIN LATERAL (SELECT * FROM beneficiary_version
                      WHERE book_id = $1 AND beneficiary_id = w.id AND version = w.version::integer LIMIT 1) v
 ORDER BY w.ord
