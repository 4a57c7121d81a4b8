-- read-only
-- The banks with terms, and what is in force for them. file_since: from when on, without a break, the bank has been told by
-- files; NULL: it is not.
SELECT k.bank_id, k.code, k.bic, k.name, t.mode, t.channel, t.file_format, t.ccy, p.principal_id,
       CASE WHEN t.channel = 'file' THEN
           (SELECT min(f.valid_from) FROM bank_terms f
             WHERE f.bank_id = k.bank_id AND f.valid_from > coalesce(
                   (SELECT max(g.valid_from) FROM bank_terms g
                     WHERE g.bank_id = k.bank_id AND g.channel <> 'file' AND g.valid_from <= clock_timestamp()), '-infinity')) END
  FROM bank k
  JOIN bank_terms_now t USING (bank_id)
  LEFT JOIN principal p ON p.bank_id = k.bank_id AND p.role = 'bank'
 WHERE k.connected
 ORDER BY k.bank_id
