-- Instructions that a bank was told of before a moment, and has neither answered nor been asked about since.
SELECT book_id, payout_id, handed_out_at, inquiry_no FROM overdue_instructions($1::int2, $2::timestamptz, $3::int4) ORDER BY book_id, payout_id
