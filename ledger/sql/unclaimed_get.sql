-- read-only
-- What was set aside under the number $2 of the book $1, and how it ended (outcome NULL: it has not).
SELECT u.batch_id, u.item_no, u.reference, u.info, u.ccy, u.gross, u.expires_at, e.outcome, e.payout_id, o.receiver_kind, o.receiver_lookup
  FROM unclaimed u
  LEFT JOIN unclaimed_end e ON e.book_id = u.book_id AND e.unclaimed_id = u.unclaimed_id
  LEFT JOIN unclaimed_open o ON o.book_id = u.book_id AND o.unclaimed_id = u.unclaimed_id
 WHERE u.book_id = $1::int4 AND u.unclaimed_id = $2::int8
