"""Policy: what is in force at a moment, against a model; who may change what, and what is refused."""
import datetime
import random
import threading

import psycopg
import pytest

from harness import new_database, operator
from policy_rows import KINDS, TERMS, change_policy, decide, propose, put_policy

USD, EUR, JPY = 840, 978, 392
FIELD_INVALID, REUSED, CONFLICT, FORBIDDEN, PAST, TWICE = "UJ305", "UJ400", "UJ409", "UJ502", "UJ308", "UJ304"
OPEN = "SELECT open_terms(book_id, %s, %s, %s, %s, %s, %s, %s, 't') FROM book WHERE code = %s"
TABLES = ("policy_proposal", "policy_change", "policy_decision", "policy")


@pytest.fixture(scope="module")
def base(cluster):
    return new_database(cluster)


def login(database, role="ujrat_operator"):
    return psycopg.connect(database.uri(role), autocommit=True, options="-c search_path=ujrat")


@pytest.fixture
def two(base):
    """Two operators (a superuser is one too), and a platform of each test's own with terms in USD."""
    with login(base) as ann, login(base, "postgres") as bob:
        yield Two(base, ann, bob)


class Two:
    count = 0

    def __init__(self, database, ann, bob):
        Two.count += 1
        self.database, self.ann, self.bob, self.platform = database, ann, bob, "p%d" % Two.count
        ann.execute("SELECT open_book(%s, %s)", (self.platform, self.platform))
        self.open(USD)

    def open(self, ccy, *terms):
        code = {USD: "USD", EUR: "EUR", JPY: "JPY"}[ccy]
        return self.ann.execute(OPEN, (code, *(terms or (50, 100, 25, 100, 5000, 2_000_000)), self.platform)).fetchone()[0]

    def one(self, sql, *values):
        return self.bob.execute(sql, values).fetchone()[0]

    def now(self, **after):
        return self.one("SELECT clock_timestamp()") + datetime.timedelta(**after)

    def rules(self, at=None):
        return {(k, c): v for k, c, v in self.bob.execute(
            "SELECT kind, ccy, value FROM rules_in_force(coalesce(%s, clock_timestamp())) WHERE scope = %s", (at, self.platform))}

    def terms(self, **changes):
        return [(k, self.platform, USD, v) for k, v in changes.items()]

    def decide(self, who, proposal, approve=True):
        return decide(who, proposal, approve, "note")

    def refused(self, call):
        """The refusal's SQLSTATE and its sentence; and nothing has changed."""
        before = [self.one("SELECT count(*) FROM " + t) for t in TABLES]
        with pytest.raises(psycopg.Error) as raised:
            call()
        assert [self.one("SELECT count(*) FROM " + t) for t in TABLES] == before
        return raised.value.sqlstate, raised.value.diag.message_primary


# ---------------------------------------------------------------- what is in force
def test_rules_at_any_moment_are_the_fold_of_the_versions_before_it(cluster):
    """Random histories: versions of past instants in any order, some of one instant, some that remove."""
    rng = random.Random(8)
    for _ in range(6):
        with login(new_database(cluster), "postgres") as db:
            start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
            names = [(k, s, c) for k, s, c in ((1, "upwork", USD), (1, "fiverr", USD), (1, "upwork", EUR), (2, "upwork", USD), (7, "", 0), (8, "PSEB", 0),
                                               (8, "OTHER", 0), (10, "HOME_REMITTANCE/9471", 0), (10, "EXPORT_OF_SERVICES/9186", 0))]
            history = []
            for number in range(1, 25):
                at = start + datetime.timedelta(seconds=rng.randrange(20))
                changes = [(*name, rng.choice((None, 1, 2, 3, rng.randrange(10_000)))) for name in rng.sample(names, rng.randint(1, 5))]
                assert put_policy(db, changes, at) == number
                history.append((at, number, changes))
            for half in range(-1, 42):
                at = start + datetime.timedelta(milliseconds=500 * half)
                model, version = {}, None
                for since, number, changes in sorted(history, key=lambda h: h[:2]):
                    if since <= at:
                        version = number
                        model.update({(k, s, c): (v, number) for k, s, c, v in changes})
                rows = db.execute("SELECT kind, scope, ccy, value, policy_id FROM rules_in_force(%s)", (at,)).fetchall()
                assert {tuple(r[:3]): tuple(r[3:]) for r in rows} == {k: v for k, v in model.items() if v[0] is not None}
                assert [tuple(r[:3]) for r in rows] == sorted(tuple(r[:3]) for r in rows)
                assert db.execute("SELECT policy_at(%s)", (at,)).fetchone()[0] == version


def test_a_change_is_in_force_from_its_instant_on_and_not_before(two):
    at = two.now(hours=1)
    before = two.rules()
    version = change_policy(two.ann, two.bob, two.terms(margin_bps=75, payout_max=2_500_000), at)
    assert two.rules() == before == two.rules(at - datetime.timedelta(microseconds=1))
    assert two.rules(at) == {**before, (1, USD): 75, (6, USD): 2_500_000}
    assert two.one("SELECT policy_at(%s)", at) == version != two.one("SELECT policy_at(clock_timestamp())")
    proposer, approver, reason, source, note = two.bob.execute(
        "SELECT proposed_by, approved_by, reason, source, note FROM policy_version WHERE policy_id = %s", (version,)).fetchone()
    assert (proposer, approver) == ("ujrat://operator/ujrat-operator", "ujrat://operator/postgres") and (reason, source) == ("because", "a circular")


def test_on_approval_is_the_moment_after_it_and_versions_have_no_gaps(two):
    proposal = propose(two.ann, two.terms(margin_bps=51))
    assert two.rules()[1, USD] == 50
    version, duplicate = two.decide(two.bob, proposal)
    assert not duplicate and two.rules()[1, USD] == 51
    assert two.one("SELECT effective_at > approved_at AND effective_at < approved_at + interval '1 ms' FROM policy_version WHERE policy_id = %s", version)
    assert two.one("SELECT min(policy_id) = 1 AND max(policy_id) = count(*) FROM policy")


# ---------------------------------------------------------------- two people
def test_whoever_proposes_does_not_approve_but_may_take_it_back(two):
    proposal = propose(two.ann, two.terms(margin_bps=51))
    assert two.refused(lambda: two.decide(two.ann, proposal)) == (FORBIDDEN, "whoever proposes a policy does not approve it: a second person must")
    assert two.decide(two.ann, proposal, False) == (None, False)
    assert two.decide(two.bob, proposal, False) == (None, True)
    code, said = two.refused(lambda: two.decide(two.bob, proposal))
    assert code == CONFLICT and said == "proposal %d was refused" % proposal
    assert two.rules()[1, USD] == 50


def test_approving_twice_answers_the_first_time(two):
    proposal = propose(two.ann, two.terms(margin_bps=51))
    version, _ = two.decide(two.bob, proposal)
    assert two.decide(two.bob, proposal) == (version, True)
    assert two.refused(lambda: two.decide(two.bob, proposal, False))[0] == CONFLICT


def test_the_same_request_is_one_proposal_and_another_under_it_is_refused(two):
    first = propose(two.ann, two.terms(margin_bps=51, fee_bps=1), request="r-" + two.platform)
    assert propose(two.ann, two.terms(fee_bps=1, margin_bps=51), request="r-" + two.platform) == first      # whatever the order
    for changes in (two.terms(margin_bps=52, fee_bps=1), two.terms(margin_bps=51), two.terms(margin_bps=51, fee_bps=1, fee_min=0)):
        assert two.refused(lambda: propose(two.ann, changes, request="r-" + two.platform))[0] == REUSED
    assert two.refused(lambda: propose(two.ann, two.terms(margin_bps=51, fee_bps=1), request="r-" + two.platform, reason="other"))[0] == REUSED


def test_who_is_no_operator_changes_nothing(two):
    for role in ("ujrat_app", "ujrat_auditor", "ujrat_settle"):
        with login(two.database, role) as db:
            assert two.refused(lambda: propose(db, two.terms(margin_bps=51)))[0] in ("42501", "25006")


# ---------------------------------------------------------------- what is refused
def test_nothing_begins_in_the_past(two):
    code, said = two.refused(lambda: propose(two.ann, two.terms(margin_bps=51), two.now(seconds=-1)))
    assert code == PAST and "is not after now" in said
    assert two.refused(lambda: propose(two.ann, two.terms(margin_bps=51), "infinity"))[0] == PAST
    at = two.now(seconds=2)
    proposal = propose(two.ann, two.terms(margin_bps=51), at)
    two.bob.execute("SELECT pg_sleep(extract(epoch FROM %s - clock_timestamp()) + 0.01)", (at,))
    code, said = two.refused(lambda: two.decide(two.bob, proposal))
    assert code == CONFLICT and "which is over: propose it anew" in said
    assert two.rules()[1, USD] == 50


@pytest.mark.parametrize("changes, code, says", [
    ([(99, "", 0, 1)], FIELD_INVALID, "kind 99: there is no such kind of rule"),
    ([("margin_bps", "nobody", USD, 1)], "UJ415", "margin_bps of nobody in USD: there is no platform 'nobody'"),
    ([("margin_bps", "P", 999, 1)], "UJ106", "there is no such currency"),
    ([("margin_bps", "P", 0, 1)], "UJ106", "there is no such currency"),
    ([("rate_age_max", "", USD, 1)], FIELD_INVALID, "rate_age_max in USD: the rule is in no currency"),
    ([("rate_age_max", "P", 0, 1)], FIELD_INVALID, "the rule is of nobody's"),
    ([("rate_age_max", "", 0, 0)], FIELD_INVALID, "rate_age_max: 0 is not from 1 to 31536000"),
    ([("withholding_bps", "NONE", 0, 1)], FIELD_INVALID, "the registration is PSEB or OTHER, not 'NONE'"),
    ([("withholding_bps", "PSEB", 0, 10_001)], FIELD_INVALID, "withholding_bps of PSEB: 10001 is not from 0 to 10000"),
    ([("margin_bps", "P", USD, 10_000)], FIELD_INVALID, "10000 is not from 0 to 9999"),
    ([("fee_bps", "P", USD, -1)], FIELD_INVALID, "-1 is not from 0 to 9999"),
    ([("payout_max", "P", USD, 0)], FIELD_INVALID, "0 is not from 1"),
    ([("purpose_code", "HAWALA/9471", 0, 1)], "UJ214", "the channel is"),
    ([("purpose_code", "HOME_REMITTANCE/94711", 0, 1)], "UJ213", "a purpose code has four digits"),
    ([("purpose_code", "HOME_REMITTANCE/9471\n", 0, 1)], "UJ213", "a purpose code has four digits"),
    ([("margin_bps", "P", USD, 1), ("margin_bps", "P", USD, 2)], TWICE, "margin_bps of P in USD is changed twice"),
    ([("margin_bps", "P", USD, 50)], FIELD_INVALID, "margin_bps of P in USD changes nothing: it is 50 already"),
    ([("withholding_bps", "PSEB", 0, None)], FIELD_INVALID, "withholding_bps of PSEB changes nothing: there is no such rule to remove"),
    ([("fee_max", "P", USD, 99)], FIELD_INVALID, "fee_max of P in USD (99) is below fee_min (100)"),
    ([("fee_min", "P", USD, 5001)], FIELD_INVALID, "fee_max of P in USD (5000) is below fee_min (5001)"),
    ([("margin_bps", "P", EUR, 5)], FIELD_INVALID, "the terms of P in EUR lack fee_fixed, fee_bps, fee_min, fee_max, payout_max"),
    ([("payout_max", "P", USD, None)], FIELD_INVALID, "the terms of P in USD lack payout_max"),
    ([], FIELD_INVALID, "the proposal changes no rule"),
])
def test_a_proposal_that_makes_no_sense_is_refused_with_the_rule_and_the_reason(two, changes, code, says):
    named = [(k, two.platform if s == "P" else s, c, v) for k, s, c, v in changes]
    got, said = two.refused(lambda: propose(two.ann, named))
    assert (got, says.replace(" P ", " %s " % two.platform) in said) == (code, True), (got, said)


@pytest.mark.parametrize("said, says", [(dict(reason=" "), "reason"), (dict(source=""), "source"), (dict(reason="x" * 501), "reason"),
                                        (dict(sha256=b"x"), "SHA-256"), (dict(request="x" * 65), "request id"), (dict(request="opening-1-USD"), "first terms")])
def test_a_proposal_says_why_and_on_what_it_rests(two, said, says):
    code, told = two.refused(lambda: propose(two.ann, two.terms(margin_bps=51), **said))
    assert code == FIELD_INVALID and says in told


def test_versions_do_not_overlap(two):
    """A later one that changes the same rule was made for what was there before."""
    at = two.now(hours=2)
    version = change_policy(two.ann, two.bob, two.terms(margin_bps=60), at)
    for when in (two.now(hours=1), at, None):
        code, said = two.refused(lambda: propose(two.ann, two.terms(margin_bps=70, fee_bps=1), when))
        assert code == CONFLICT and "margin_bps of %s in USD overlaps: version %d changes it" % (two.platform, version) in said
    other = propose(two.ann, two.terms(fee_bps=1), two.now(hours=1))            # another rule may
    after = propose(two.ann, two.terms(margin_bps=70), at + datetime.timedelta(hours=1))
    assert two.decide(two.bob, after)[0] and two.decide(two.bob, other)[0]
    assert two.rules(at + datetime.timedelta(hours=1))[1, USD] == 70


def test_what_was_approved_between_counts(two):
    at = two.now(hours=1)
    first, second = (propose(two.ann, two.terms(margin_bps=v), at) for v in (60, 70))
    two.decide(two.bob, first)
    assert two.refused(lambda: two.decide(two.bob, second))[0] == CONFLICT
    same = propose(two.ann, two.terms(fee_fixed=1)), propose(two.ann, two.terms(fee_fixed=1))
    two.decide(two.bob, same[0])
    code, said = two.refused(lambda: two.decide(two.bob, same[1]))
    assert code == FIELD_INVALID and "changes nothing: it is 1 already" in said


def test_what_is_to_come_is_looked_at_too(two):
    """Alone each of the two is in order; together fee_max would be below fee_min from the later one on."""
    change_policy(two.ann, two.bob, two.terms(fee_max=200), two.now(hours=2))
    code, said = two.refused(lambda: propose(two.ann, two.terms(fee_min=300), two.now(hours=1)))
    assert code == FIELD_INVALID and "fee_max of %s in USD (200) is below fee_min (300)" % two.platform in said
    code, said = two.refused(lambda: propose(two.ann, [(k, two.platform, USD, None) for k in TERMS if k != "fee_max"], two.now(hours=1)))
    assert code == FIELD_INVALID and "lack" in said


def test_terms_end_together(two):
    change_policy(two.ann, two.bob, [(k, two.platform, USD, None) for k in TERMS])
    assert two.rules() == {}
    code, said = two.refused(lambda: two.open(USD))
    assert code == CONFLICT and "has had terms in USD before" in said
    change_policy(two.ann, two.bob, [(k, two.platform, USD, v) for k, v in zip(TERMS, (1, 2, 3, 4, 5, 6))])
    assert two.rules() == {(i, USD): i for i in range(1, 7)}


def test_first_terms_are_one_persons_and_others_are_not(two):
    assert two.open(USD) is None                                    # as they are
    code, said = two.refused(lambda: two.open(USD, 51, 100, 25, 100, 5000, 2_000_000))
    assert code == CONFLICT and "ujrat policy propose" in said
    version = two.open(EUR)
    assert two.one("SELECT opening AND proposed_by = approved_by FROM policy_version WHERE policy_id = %s", version)
    assert two.refused(lambda: two.open(JPY, 50, 100, 25, 100, 99, 5))[0] == FIELD_INVALID
    change_policy(two.ann, two.bob, [(k, two.platform, JPY, v) for k, v in zip(TERMS, (1, 0, 0, 0, 0, 9))], two.now(hours=1))
    assert two.refused(lambda: two.open(JPY))[0] == CONFLICT        # those to come count


# ---------------------------------------------------------------- at once, and cut short
def test_two_operators_at_once_make_one_version(two):
    """They approve two proposals that overlap, over and over: one of them wins, and numbers stay without gaps."""
    for i in range(8):
        at = two.now(hours=3 + i)
        mine, yours = propose(two.ann, two.terms(margin_bps=100 + i), at), propose(two.bob, two.terms(margin_bps=200 + i), at)
        answers, barrier = [], threading.Barrier(2)

        def approve(role, proposal):
            with login(two.database, role) as db:
                barrier.wait()
                try:
                    answers.append(decide(db, proposal)[0])
                except psycopg.Error as refused:
                    answers.append(refused.sqlstate)

        threads = [threading.Thread(target=approve, args=a) for a in (("postgres", mine), ("ujrat_operator", yours))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(isinstance(a, int) for a in answers) == [False, True] and CONFLICT in answers, answers
    assert two.one("SELECT max(policy_id) = count(*) FROM policy")


def test_an_approval_and_its_retry_at_once_are_one_version(two):
    proposal, answers = propose(two.ann, two.terms(margin_bps=51)), []

    def approve(who):
        with who.session() as db:
            answers.append(decide(db, proposal))

    people = [operator(two.database.uri(), "retry_%d" % i) for i in range(4)]
    threads = [threading.Thread(target=approve, args=(who,)) for who in people]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len({v for v, _ in answers}) == 1 and sorted(d for _, d in answers) == [False, True, True, True]


def test_a_version_that_would_come_after_the_one_that_follows_it_is_refused(two):
    """An approval whose transaction stays open while a later version begins would change the past."""
    proposal, ahead = propose(two.ann, two.terms(fee_fixed=1)), 1
    with pytest.raises(psycopg.Error) as raised:
        while two.rules()[2, USD] == 100:           # on a busy machine the later one may have begun before the approval
            at = two.now(seconds=ahead)
            change_policy(two.ann, two.bob, two.terms(margin_bps=60 + ahead), at)
            with two.bob.transaction():
                two.decide(two.bob, proposal)
                late = two.one("SELECT decided_at > %s FROM policy_decision WHERE proposal_id = %s", at, proposal)
                two.bob.execute("SELECT pg_sleep(extract(epoch FROM %s - clock_timestamp()) + 0.01)", (at,))
                if late:
                    ahead *= 3
                    raise psycopg.Rollback
    assert raised.value.sqlstate == CONFLICT and "comes too late" in raised.value.diag.message_primary
    assert two.rules()[2, USD] == 100


def test_a_proposal_survives_a_crash(own_cluster):
    """Killed between the two people: the proposal is there, and is approved once."""
    database = new_database(own_cluster)
    with login(database) as ann, login(database, "postgres") as bob:
        two = Two(database, ann, bob)
        proposal = propose(ann, two.terms(margin_bps=51), request="once")
    own_cluster.kill()
    own_cluster.start()
    with login(database) as ann, login(database, "postgres") as bob:
        assert propose(ann, two.terms(margin_bps=51), request="once") == proposal
        two.ann, two.bob = ann, bob
        version, duplicate = two.decide(bob, proposal)
        assert not duplicate and two.rules()[1, USD] == 51
    own_cluster.kill()
    own_cluster.start()
    with login(database, "postgres") as bob:
        two.bob = bob
        assert two.decide(bob, proposal) == (version, True) and two.rules()[1, USD] == 51


def test_the_kinds_are_those_of_the_program(two):
    """domain/policy.h has the same rows."""
    import re

    from harness import ROOT

    largest = str(2**63 - 1)
    rows = re.findall(r"X\((\d+), \w+, \"(\w+)\", (\w+), (true|false), \w+,\s+(\w+),\s+(\w+)\)", (ROOT / "domain" / "policy.h").read_text())
    here = [(int(n), name, scope.lower(), ccy == "true", int(low), int(high.replace("INT64_MAX", largest))) for n, name, scope, ccy, low, high in rows]
    assert here == two.bob.execute("SELECT * FROM policy_kind ORDER BY kind").fetchall() and {name: n for n, name, *_ in here} == KINDS
