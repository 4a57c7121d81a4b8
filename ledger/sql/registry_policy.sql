-- read-only
-- The version of the policy that is in force and its rules, in the order of domain/policy.h, and in how many microseconds the next one
-- begins (NULL: none is coming): all of one moment, since it is one statement. One row at least.
SELECT coalesce(policy_at(n.at), 0), (SELECT (extract(epoch FROM min(p.effective_at) - n.at) * 1000000)::bigint FROM policy p WHERE p.effective_at > n.at),
       r.kind, r.scope, r.ccy, r.value, r.policy_id
  FROM (SELECT clock_timestamp() AS at OFFSET 0) n
  LEFT JOIN LATERAL rules_in_force(n.at) r ON true
 ORDER BY r.kind, r.scope COLLATE "C", r.ccy;
