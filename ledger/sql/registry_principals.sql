-- read-only
SELECT principal_id, uri, role, coalesce(book_id, 0), coalesce(bank_id, 0::smallint), enabled
  FROM principal ORDER BY uri COLLATE "C";
