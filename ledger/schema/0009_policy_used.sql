-- Every payout and quote says by which version of the policy it was priced.

-- NULL: from before there were versions. The columns are only added: nothing that stands is rewritten, and what it was sealed as stays true.
ALTER TABLE payout ADD COLUMN policy_id integer;
ALTER TABLE quote ADD COLUMN policy_id integer REFERENCES policy;

ALTER TYPE payout_draft ADD ATTRIBUTE policy_id integer;

-- They are given more than they were, and the views show a column more, which CREATE OR REPLACE cannot say.
DROP FUNCTION IF EXISTS create_quote(integer, integer, text, bytea, smallint, smallint, smallint, integer, bigint[], integer, integer);
DROP FUNCTION IF EXISTS check_payout_drafts(payout_draft[]);
DROP VIEW IF EXISTS batch_item_now;
DROP VIEW IF EXISTS payout_now;
