-- read-only
-- A bank over all books, by currency. Its nostro is in credit by what it paid and was not made good for; its payable is
-- in credit by what it has yet to pay, one line a payment: credits that no debit has answered are still open.
SELECT a.ccy,
       coalesce(-sum(a.balance) FILTER (WHERE a.role = 'nostro'), 0)::int8 AS owed,
       coalesce(-sum(a.balance) FILTER (WHERE a.role = 'payable'), 0)::int8 AS pending,
       coalesce(sum(a.credit_count - a.debit_count) FILTER (WHERE a.role = 'payable'), 0)::int8 AS pending_count
  FROM account_now a
 WHERE a.bank_id = $1::int2 AND a.role IN ('nostro', 'payable')
 GROUP BY a.ccy
 ORDER BY a.ccy
