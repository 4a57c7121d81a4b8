SELECT update_beneficiary($1::integer, $2::integer, $3::bigint, $4::integer, $5::beneficiary_draft[]);
