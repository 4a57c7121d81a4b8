-- read-only
SELECT bank_id, code, connected FROM bank ORDER BY bank_id;
