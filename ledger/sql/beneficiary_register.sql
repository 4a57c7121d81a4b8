SELECT register_beneficiary($1::integer, $2::integer, $3::text, $4::beneficiary_draft[]);
