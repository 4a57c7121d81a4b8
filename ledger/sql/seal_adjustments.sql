-- read-only
SELECT d.seq, d.proposal_id, p.reason, p.evidence_sha256, p.proposed_by, p.proposed_at
  FROM adjustment_decision d JOIN adjustment_proposal p USING (book_id, proposal_id)
 WHERE d.book_id = $1 AND d.seq BETWEEN $2 AND $3 ORDER BY d.seq
