"""Negative controls: what protects the money is taken away, and the checker must find what comes of it.

A checker that finds nothing says little unless it is known to see. Each test breaks one thing, lets the same load and
the same faults go over it, and asserts that the checker complains, and of what.
"""

import copy

import pytest

import fault_checker
import fault_world
from harness import wait_until

LOAD = {"quote_share": 0, "cancel_share": 0.02}


def rewrite(world, function, *changes):
    """Replaces parts of a function's text: each must be there once."""
    source = world.sql("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s AND pronamespace = 'ujrat'::regnamespace",
                       (function,))[0][0]
    for good, bad in changes:
        assert source.count(good) == 1, "%s no longer has: %s" % (function, good)
        source = source.replace(good, bad)
    world.sql(source)


def outcome(world, name):
    found, events, _, said = world.check()
    fault_world.report("negative control, " + name, "%s; found: %s" % (said, ", ".join(sorted(found.kinds())) or "nothing"))
    assert events["ack"]
    return found.kinds()


# ---------------------------------------------------------------- durability
def commit_asynchronously(world):
    """Every commit of a block as under synchronous_commit = off, whatever the session says."""
    world.sql("""
        CREATE FUNCTION ujrat.asynchronous() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM set_config('synchronous_commit', 'off', true); RETURN NULL; END $$;
        GRANT EXECUTE ON FUNCTION ujrat.asynchronous TO PUBLIC;
        CREATE CONSTRAINT TRIGGER asynchronous AFTER INSERT ON ujrat.block DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION ujrat.asynchronous();""")


@pytest.mark.seconds_max(90)
def test_commits_that_are_not_durable_are_missed(work, pki, api):
    with fault_world.World(work, pki, api, seed="async", sabotage=commit_asynchronously) as world:
        with world.load(banks=False, **LOAD):
            for _ in range(4):  # anybody's commit that is durable, autovacuum's too, saves those before it
                world.under_load(0.3)
                world.kill_wal_writer(acks_kilobytes=20)
                world.wait_for_acks()
        assert "acknowledged payout is missing" in outcome(world, "synchronous_commit off")


# ---------------------------------------------------------------- idempotency
def forget_references(world):
    """The unique index is gone, and the posting function sees no duplicates."""
    world.sql("ALTER TABLE ujrat.payout DROP CONSTRAINT payout_book_id_reference_key")
    rewrite(world, "post_payouts", ("p.reference IN (", "p.reference || '?' IN ("))
    rewrite(world, "judge_payouts", ("p.reference = d.reference", "p.reference || '?' = d.reference"))


@pytest.mark.seconds_max(90)
def test_retries_without_the_idempotency_index_pay_twice(work, pki, api):
    with fault_world.World(work, pki, api, seed="twice", sabotage=forget_references) as world:
        with world.load(banks=False, **LOAD):
            for fault in (world.kill_worker, world.terminate_backend) * 3:
                world.under_load(0.2)
                fault()
            world.wait_for_acks()
        kinds = outcome(world, "no idempotency index")
        assert {"reference has more than one payout", "paid more than once"} <= kinds


@pytest.mark.seconds_max(90)
def test_clients_that_take_unknown_for_failed_pay_twice(work, pki, api):
    with fault_world.World(work, pki, api, seed="impatient") as world:
        with world.load(banks=False, impatient=True, **LOAD):
            for _ in range(4):
                world.under_load(0.3)
                world.kill_worker()
            world.wait_for_acks()
        kinds = outcome(world, "UNKNOWN taken for failed")
        assert "paid more than once" in kinds
        assert "reference has more than one payout" not in kinds  # the ledger did as it was told


# ---------------------------------------------------------------- the float
def forget_the_float(world):
    """The posting functions believe in a float without end."""
    believe = ("-current_balance(p_book, a.account_id)", "(1000000000000 - current_balance(p_book, a.account_id))")
    rewrite(world, "post_payouts", believe)
    rewrite(world, "judge_payouts", believe)


def forget_the_floor_too(world):
    forget_the_float(world)
    world.sql("ALTER TABLE ujrat.account_balance DROP CONSTRAINT float_not_below_zero")


@pytest.mark.seconds_max(90)
def test_a_float_without_its_floor_goes_below_zero(work, pki, api):
    with fault_world.World(work, pki, api, seed="floor", sabotage=forget_the_floor_too) as world:
        with world.load(banks=False, scarce_share=0.3, **LOAD):
            world.under_load(0.5)
        assert "float was below zero" in outcome(world, "no floor under the float")


@pytest.mark.seconds_max(90)
def test_the_floor_alone_holds_when_the_functions_forget(work, pki, api):
    """No control: the constraint stands by itself. What it refuses is nobody's fault but ours, and is told so."""
    with fault_world.World(work, pki, api, seed="floor", sabotage=forget_the_float) as world:
        with world.load(banks=False, scarce_share=0.1, **LOAD):
            world.under_load(0.5)
            world.terminate_backend()
            world.wait_for_acks()
        assert outcome(world, "the float forgotten, its floor kept") == {"refused for an unexpected reason"}


# ---------------------------------------------------------------- damage, one by one
# What the statements below need to find: quotes used one after the other for different amounts, and every end a payout has.
EVERYTHING_THERE = """
    SELECT EXISTS (SELECT 1 FROM ujrat.payout p JOIN ujrat.quote q ON q.book_id = 1 AND q.quote_id = p.quote_id + 1
                    WHERE p.book_id = 1 AND q.gross <> p.gross)
       AND (SELECT count(*) FROM ujrat.payout WHERE book_id = 1 AND quote_id IS NOT NULL) >= 5
       AND (SELECT count(DISTINCT state) FROM ujrat.payout_transition) = 4"""

@pytest.fixture(scope="module")
def sound_world(work, pki, api):
    """A little of everything, and nothing wrong with it; no gateway runs any more."""
    with fault_world.World(work, pki, api, seed="sound") as world:
        with world.load(cancel_share=0.1, quote_share=0.2):
            world.under_load(0.5)
            wait_until(lambda: world.database.value(EVERYTHING_THERE), 60, "a little of everything", every=0.2)
        world.gateway.stop()
        yield world


A_SETTLED = "SELECT book_id, payout_id, seq FROM payout_transition WHERE step = 1 AND state = 4 ORDER BY 1, 2 LIMIT 1"

DAMAGE = {
    "acknowledged payout is missing":
        "UPDATE payout SET reference = reference || '?' WHERE payout_id = (SELECT min(payout_id) FROM payout)",
    "payout that nobody asked for":
        "UPDATE payout SET reference = reference || '?' WHERE payout_id = (SELECT min(payout_id) FROM payout)",
    "acknowledged payout has other numbers":
        """WITH two AS (SELECT book_id, array_agg(payout_id ORDER BY payout_id) AS id, array_agg(reference ORDER BY payout_id) AS r
                          FROM (SELECT * FROM payout WHERE book_id = 1 ORDER BY payout_id LIMIT 2) p GROUP BY book_id),
                gone AS (UPDATE payout p SET reference = r[2] FROM two WHERE p.book_id = two.book_id AND payout_id = id[1])
           UPDATE payout p SET reference = r[1] FROM two WHERE p.book_id = two.book_id AND payout_id = id[2]""",
    "reference has more than one payout":
        """UPDATE payout SET reference = (SELECT min(reference) FROM payout WHERE book_id = 1)
            WHERE book_id = 1 AND payout_id = (SELECT max(payout_id) FROM payout WHERE book_id = 1)""",
    "quote has more than one payout":
        """UPDATE payout SET quote_id = (SELECT min(quote_id) FROM payout WHERE book_id = 1)
            WHERE book_id = 1 AND payout_id = (SELECT max(payout_id) FROM payout WHERE book_id = 1 AND quote_id IS NULL)""",
    "payout is not what its quote was":
        """UPDATE payout SET quote_id = 1 + quote_id WHERE book_id = 1
              AND quote_id = (SELECT min(p.quote_id) FROM payout p JOIN quote q ON q.book_id = 1 AND q.quote_id = p.quote_id + 1
                               WHERE p.book_id = 1 AND q.gross <> p.gross)""",
    "postings do not sum to zero":
        "UPDATE journal SET line_minor[1] = line_minor[1] + 1 WHERE book_id = 1 AND seq = (SELECT min(payout_id) FROM payout)",
    "journal does not sum to zero":
        """WITH two AS (SELECT array_agg(payout_id) AS id FROM (SELECT payout_id FROM payout WHERE book_id = 1 LIMIT 2) p)
           UPDATE journal SET line_minor[1] = line_minor[1] + CASE seq WHEN id[1] THEN 1 ELSE -1 END
             FROM two WHERE book_id = 1 AND seq = ANY (id)""",
    "balances do not sum to zero":
        """UPDATE account_balance SET balance = balance - 1, change = change - 1
            WHERE book_id = 1 AND account_id = 1 AND block_no = (SELECT max(block_no) FROM account_balance
                                                                  WHERE book_id = 1 AND account_id = 1)""",
    "balance is not the sum of postings":
        """UPDATE account_balance SET debit_count = debit_count + 1
            WHERE book_id = 1 AND account_id = 1 AND block_no = (SELECT max(block_no) FROM account_balance
                                                                  WHERE book_id = 1 AND account_id = 1)""",
    "block's change is not the sum of its postings":
        "UPDATE account_balance SET change = change + 1 WHERE book_id = 1 AND account_id = 2 AND block_no = 5",
    "posting is on no account of its book":
        "UPDATE journal SET line_account[1] = 999 WHERE book_id = 1 AND seq = (SELECT min(payout_id) FROM payout)",
    "sequence has a hole":
        "DELETE FROM journal WHERE book_id = 1 AND seq = (SELECT min(seq) FROM journal WHERE book_id = 1 AND kind = 2)",
    "blocks are not in a row": "DELETE FROM block WHERE book_id = 1 AND block_no = 3",
    "journal is not in its block":
        "UPDATE journal SET block_no = block_no + 1 WHERE book_id = 1 AND seq = (SELECT min(payout_id) FROM payout)",
    "payout and its journals do not match":
        "DELETE FROM payout WHERE book_id = 1 AND payout_id = (SELECT min(payout_id) FROM payout WHERE book_id = 1)",
    # settled, and given back to the platform all the same
    "payout has journals that exclude each other":
        "WITH s AS (" + A_SETTLED + """)
           INSERT INTO journal (seq, block_no, payout_id, book_id, principal_id, kind, line_account, line_ccy, line_minor)
           SELECT h.next_seq, h.next_block, s.payout_id, s.book_id, 1, 4, j.line_account, j.line_ccy, negated(j.line_minor)
             FROM s JOIN journal j ON j.book_id = s.book_id AND j.seq = s.payout_id JOIN book_head h ON h.book_id = s.book_id""",
    "payout's money is not where its state says":
        "UPDATE payout_transition SET state = 5 WHERE (book_id, payout_id, seq) = (" + A_SETTLED + ")",
    "confirmation is not recorded":
        "DELETE FROM payout_transition WHERE (book_id, payout_id, seq) = (" + A_SETTLED + ")",
    "bank did not say what is recorded":
        "UPDATE payout_transition SET bank_reference = 'X' WHERE (book_id, payout_id, seq) = (" + A_SETTLED + ")",
    "journal was reversed twice":
        """UPDATE journal SET reverses_seq = (SELECT min(reverses_seq) FROM journal WHERE book_id = 1)
            WHERE book_id = 1 AND seq = (SELECT max(seq) FROM journal WHERE book_id = 1 AND reverses_seq IS NOT NULL)""",
    "cancelled payout is not": "DELETE FROM payout_transition WHERE state = 7",
    "returned payment is not": "DELETE FROM payout_transition WHERE state = 6",
}

# what stands in the way of damage, even for a superuser
UNGUARDED = """
    SET search_path = ujrat;
    SET LOCAL session_replication_role = replica;
    ALTER TABLE journal DROP CONSTRAINT lines_sum_to_zero, DROP CONSTRAINT lines_two_currencies;
    ALTER TABLE account_balance DROP CONSTRAINT account_balance_check;
    ALTER TABLE payout DROP CONSTRAINT payout_book_id_reference_key;
    DROP INDEX payout_quote_used_once, journal_reversed_once;
    ALTER TABLE journal DISABLE TRIGGER USER; ALTER TABLE account_balance DISABLE TRIGGER USER;
    ALTER TABLE payout DISABLE TRIGGER USER; ALTER TABLE block DISABLE TRIGGER USER;
    ALTER TABLE payout_transition DISABLE TRIGGER USER;"""


def damaged(world, statement):
    """What the checker says of it; undone again."""
    with world.database.connect() as db:
        db.execute(UNGUARDED)
        assert db.execute(statement).rowcount > 0, "the statement damaged nothing"
        found = fault_checker.violations(db, fault_checker.read_events(world.folder))
        db.rollback()
    return found


def test_the_undamaged_world_is_sound(sound_world):
    found, events, left, _ = sound_world.check()
    assert not found, found
    assert left == 0 and all(events[k] for k in ("ack", "cancelled", "confirmed", "returned"))


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found(sound_world, kind):
    assert kind in damaged(sound_world, DAMAGE[kind]).kinds()


def lie(events, kind):
    """Events as they would be had a client been told something else."""
    first = events["ack"][0]
    if kind in ("refused", "abandoned"):
        events[kind].append(dict(first, e=kind, reason="INSUFFICIENT_FLOAT"))
    elif kind == "reason":
        events["refused"].append({"who": "upwork", "ref": "never-sent", "reason": "INTERNAL"})
    elif kind == "numbers":
        first["net"] += 1
    elif kind == "cancelled":
        e = events["cancelled"].pop()
        events["not_cancelled"].append({"name": e["name"], "reason": "STATE_CONFLICT"})
    elif kind == "told":
        book, payout = {"upwork": 1, "fiverr": 2}[events["cancelled"][0]["who"]], events["cancelled"][0]["name"].split("/")[-1]
        events["decided"].append(dict(events["decided"][0], id="UJ%d-%s" % (book, payout)))
    elif kind == "instruction":
        events["decided"].append(dict(events["decided"][0], id="UJ1-999999999"))
    elif kind == "amount":
        events["decided"][0]["amount"] += 1
    elif kind == "returned":
        events["returning"].clear()
    elif kind == "part":
        settled = next(e for e in events["confirmed"] if e["settled"] and e["id"] not in {r["id"] for r in events["returned"]})
        events["part_returned"].append({"e": "part_returned", "id": settled["id"], "reference": "P", "amount": 100, "charge": 0})
    elif kind == "forgotten":
        paid = next(e for e in events["confirmed"] if e["settled"] and e["id"] not in {r["id"] for r in events["returned"]})
        events["confirmed"] = [e for e in events["confirmed"] if e["id"] != paid["id"]]
    elif kind == "stuck":
        events["stuck"].append({"e": "stuck", "ref": first["ref"]})


LIES = {
    "refused": "payout exists that was told as refused",
    "abandoned": "payout exists that was told as abandoned",
    "reason": "refused for an unexpected reason",
    "numbers": "acknowledged payout has other numbers",
    "cancelled": "payout was cancelled that was told as too late",
    "told": "bank was told of a payout that is cancelled",
    "instruction": "instruction without a payout",
    "amount": "instruction is not its payout",
    "returned": "returned by nobody",
    "part": "what came back is not what is recorded",
    "forgotten": "bank's own books are not ours",
    "stuck": "client never got a definite answer",
}


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_is_found(sound_world, kind):
    events = copy.deepcopy(fault_checker.read_events(sound_world.folder))
    lie(events, kind)
    with sound_world.connect() as db:
        assert LIES[kind] in fault_checker.violations(db, events).kinds()


def test_every_kind_of_finding_has_a_control():
    """The list of what the checker looks for, against the list of what it was seen to find."""
    import re

    source = open(fault_checker.__file__).read()
    looked_for = set(fault_checker.BOOKS) | set(re.findall(r'found\.add\("([^"%]+)"', source))
    seen = set(DAMAGE) | set(LIES.values()) | {"float was below zero", "paid more than once"}
    assert looked_for - seen <= {"not cancelled for an unexpected reason"}
