-- read-only
-- A bank over all books: what it paid and was not made good for (below zero: it was prefunded), and what it was told to pay, or is
-- about to be, and has not answered.
SELECT ccy, owed, pending_amount + waiting_amount, pending_count + waiting_count FROM bank_position($1::int2)
