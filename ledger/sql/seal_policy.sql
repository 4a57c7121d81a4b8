-- read-only
-- Every version of the policy up to $1, in the order that they came into force, a row a change of a rule.
SELECT v.policy_id, v.effective_at, p.reason, p.source, p.source_sha256, p.opening, pp.uri, p.proposed_at, dp.uri, d.decided_at,
       k.name, c.scope, y.code, c.value
  FROM policy w
  JOIN policy v ON (v.effective_at, v.policy_id) <= (w.effective_at, w.policy_id)
  JOIN policy_proposal p USING (proposal_id)
  JOIN policy_decision d USING (proposal_id)
  JOIN policy_change c USING (proposal_id)
  JOIN policy_kind k USING (kind)
  JOIN principal pp ON pp.principal_id = p.proposed_by
  JOIN principal dp ON dp.principal_id = d.decided_by
  LEFT JOIN currency y ON y.ccy = c.ccy
 WHERE w.policy_id = $1
 ORDER BY v.effective_at, v.policy_id, c.kind, c.scope COLLATE "C", c.ccy
