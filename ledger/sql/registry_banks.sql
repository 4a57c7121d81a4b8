-- read-only
SELECT bank_id, code, connected, name FROM bank ORDER BY bank_id;
