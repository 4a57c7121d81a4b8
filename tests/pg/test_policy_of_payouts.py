"""The version of the policy that priced a payout: which the ledger takes, and what it keeps of it."""
import psycopg
import pytest

from harness import new_database
from ledger_model import *
from policy_rows import change_policy

WRONG = 604         # whoever posts is broken


@pytest.fixture
def ledger(cluster):
    database = new_database(cluster)
    connect = lambda role: psycopg.connect(database.uri(role), autocommit=True, options="-c search_path=ujrat")
    with connect("postgres") as db, connect("ujrat_operator") as ann:
        l = Ledger(db, "used")
        assert l.deposit(USD, 1_000_000_00, "dep") == OK
        l.to, l.ann, l.database = l.beneficiary("b", "MUCB"), ann, database
        l.credential()
        yield l
        check_books_are_sound(db, l.book)


def small(gross=10_00):
    return price(gross, USD, 10, 150)


def post(l, reference, policy, **changes):
    """Its outcome, or the reason of the fault."""
    draft = {**l.draft(reference, l.to, small(), quote_id=changes.pop("quote_id", None)), "policy_id": policy, **changes}
    answer = []
    verdict = l.reason_of(lambda: answer.extend(l.post([draft])[0]))
    return verdict or answer[0]


def open_terms(l):
    return l.one("SELECT open_terms(%s, 'USD', 150, 10, 0, 0, 0, 100000000, 't')", l.book)


def versions(l):
    return dict(l.db.execute("SELECT reference, policy_id FROM payout ORDER BY payout_id"))


def test_a_version_that_prices_is_there_and_has_begun(ledger):
    l = ledger
    assert post(l, "before", None) == OK and post(l, "nowhere", 1) == WRONG        # no version is there, and none is named
    first = open_terms(l)
    assert post(l, "of-none", None) == WRONG and post(l, "of-another", first + 1) == WRONG
    assert post(l, "stale", None, refusal=302) == 302                              # what is refused has no price
    assert post(l, "before", None) == WRONG
    second = change_policy(l.ann, l.db, [("margin_bps", l.code, USD, 7)])
    to_come = change_policy(l.ann, l.db, [("margin_bps", l.code, USD, 8)], at=l.one("SELECT clock_timestamp() + interval '1 hour'"))
    assert post(l, "too-early", to_come) == WRONG
    assert post(l, "second", second) == OK and post(l, "first", first) == OK       # whoever prices may not know yet
    assert versions(l) == {"before": None, "second": second, "first": first}


def test_a_quote_and_its_payout_are_of_one_version(ledger):
    l = ledger
    before = l.quote("q-before", small(), 3_600_000)
    l.policy = first = open_terms(l)
    made = l.quote("q-first", small(), 3_600_000)
    second = change_policy(l.ann, l.db, [("margin_bps", l.code, USD, 7)])
    assert post(l, "mixed", second, quote_id=made) == 404 and post(l, "mixed-2", first, quote_id=before) == 404     # QUOTE_MISMATCH
    assert post(l, "none", None, quote_id=made) == 404
    assert post(l, "quoted", first, quote_id=made) == OK
    assert post(l, "old", None, quote_id=before) == OK                                      # from before there were versions
    assert versions(l) == {"quoted": first, "old": None}
    for policy in (None, second + 1):
        l.policy = policy
        assert l.reason_of(lambda: l.quote("q-wrong", small(), 3_600_000)) == WRONG


def test_batches_and_claims_are_priced_by_a_version_too(ledger):
    l = ledger
    first = open_terms(l)
    drafts = lambda name, policy: [{**l.draft(name + "-1", l.to, small()), "policy_id": policy}, l.nobody(name + "-2", 10_00, USD)]
    assert l.reason_of(lambda: l.submit_batch(drafts("none", None), [l.item(), l.item("x@example.com")], "none")) == WRONG
    assert l.submit_batch(drafts("good", first), [l.item(), l.item("x@example.com")], "good")[0] == 1
    assert versions(l) == {"good-1": first}


def test_who_must_know_the_versions_reads_them(ledger):
    """As the gateway, the sealer and the auditor ask, and nobody can write."""
    l = ledger
    version = open_terms(l)
    for role, name in (("ujrat_app", "registry_policy"), ("ujrat_sealer", "seal_policy"), ("ujrat_app", "seal_policy")):
        with psycopg.connect(l.database.uri(role), autocommit=True, options="-c search_path=ujrat") as db:
            text = statement(name).replace("$1", str(version))
            assert [row[0] for row in db.execute(text)] == [version] * 6
            with pytest.raises(psycopg.Error):
                db.execute("UPDATE payout SET policy_id = 1")
