"""Policy for tests: as two people make it, and as rows of another time."""
import itertools

from harness import operator

NAMES = ("margin_bps", "fee_fixed", "fee_bps", "fee_min", "fee_max", "payout_max", "rate_age_max", "withholding_bps", "year_exemption", "purpose_code")
KINDS = {name: i + 1 for i, name in enumerate(NAMES)}
TERMS = NAMES[:6]
PROPOSE = "SELECT * FROM propose_policy(%s, %s, %s, %s, %s, %s::int2[], %s::text[], %s::int2[], %s::int8[], %s)"
_numbers = itertools.count(1)


def code_of(db):
    """A code of whoever the session belongs to, enrolled now if they are not."""
    from psycopg.conninfo import make_conninfo

    login, = db.execute("SELECT session_user").fetchone()
    return operator(make_conninfo(db.info.dsn, user="postgres", options=""), login).code()


def decide(db, proposal, approve=True, note=""):
    """(version, whether it was decided so before)"""
    return db.execute("SELECT policy_id, duplicate FROM decide_policy(%s, %s, %s, %s)", (proposal, approve, note, code_of(db))).fetchone()


def propose(db, changes, at=None, request=None, reason="because", source="a circular", sha256=None):
    """changes: (kind or its name, scope, ccy, value or None). The proposal's number."""
    columns = [list(c) for c in zip(*[(KINDS.get(k, k), s, c, v) for k, s, c, v in changes])] or [[], [], [], []]
    return db.execute(PROPOSE, (request or "test-%d" % next(_numbers), at, reason, source, sha256, *columns, code_of(db))).fetchone()[0]


def change_policy(proposer, approver, changes, at=None, **said):
    """Both have a login of their own. The version that it makes."""
    proposal = propose(proposer, changes, at, **said)
    return decide(approver, proposal)[0]


def put_policy(db, changes, at):
    """A version that has been in force since a moment of the past, as a migration leaves them. db: a superuser's. Its number."""
    with db.transaction():
        proposal, = db.execute("SELECT coalesce(max(proposal_id), 0) + 1 FROM policy_proposal").fetchone()
        db.execute("INSERT INTO principal (uri, role, enabled) VALUES ('ujrat://system/migration', 'system', false) ON CONFLICT DO NOTHING")
        who, = db.execute("SELECT principal_id FROM principal WHERE uri = 'ujrat://system/migration'").fetchone()
        db.execute("INSERT INTO policy_proposal VALUES (%s, %s, %s, 'because', 'before', NULL, true, %s, clock_timestamp())",
                   (proposal, "put-%d" % proposal, at, who))
        for kind, scope, ccy, value in changes:
            db.execute("INSERT INTO policy_change VALUES (%s, %s, %s, %s, %s)", (proposal, KINDS.get(kind, kind), scope, ccy, value))
        db.execute("INSERT INTO policy_decision VALUES (%s, true, %s, clock_timestamp(), '')", (proposal, who))
        return db.execute("INSERT INTO policy SELECT coalesce(max(policy_id), 0) + 1, %s, %s FROM policy RETURNING policy_id", (proposal, at)).fetchone()[0]
