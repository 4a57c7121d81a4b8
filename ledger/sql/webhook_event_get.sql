-- read-only
-- An event of a book. The columns of every statement that gives events begin with these.
SELECT f.book_id, f.event_no, f.name, f.description, f.status, f.batch_id, f.item_no, f.payout_id, f.reason, f.reason_code, f.fees, f.at,
       f.simulated, f.sender_batch_id, f.items, f.ccy, f.amount, f.batch_created_at, f.sender_item_id, f.gross, f.recipient_type
  FROM webhook_event_facts f WHERE f.book_id = $1::int4 AND f.event_no = $2::int8
