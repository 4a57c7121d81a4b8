-- read-only
-- Every version of the policy up to $1, in the order that they came into force, a row a change of a rule.
SELECT v.policy_id, v.effective_at, v.reason, v.source, v.source_sha256, v.opening, v.proposed_by, v.proposed_at, v.approved_by, v.approved_at,
       k.name, c.scope, y.code, c.value
  FROM policy_version v
  JOIN policy_change c USING (proposal_id)
  JOIN policy_kind k USING (kind)
  LEFT JOIN currency y ON y.ccy = c.ccy
 WHERE (v.effective_at, v.policy_id) <= (SELECT w.effective_at, w.policy_id FROM policy w WHERE w.policy_id = $1::integer)
 ORDER BY v.effective_at, v.policy_id, c.kind, c.scope COLLATE "C", c.ccy
