-- read-only
SELECT * FROM webhook_books()
