-- One outcome an item, in order: 0 returned, 1 it was before, else the reason why not. Safe to ask again.
SELECT outcome FROM return_unclaimed($1::int4, $2::int4, $3::int8[])
