-- What became of instructions: book, bank, principal, items. One number an item: 0 recorded, 1 said before, else the
-- reason it is refused for.
SELECT outcome FROM confirm_instructions($1::int4, $2::int2, $3::int4, $4::confirmation_draft[])
