-- Registers who claims (ledger/schema/functions/claims.sql). Safe to ask again.
SELECT verdict, beneficiary_id FROM register_claimant($1::int4, $2::int8, $3::text, $4::beneficiary_draft[], $5, $6::int2, $7)
