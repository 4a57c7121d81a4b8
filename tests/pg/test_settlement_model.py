"""Thousands of random histories of settlement against the reference model, crowds that do the same at once, and proof that both notice
what they should."""
import os
import sys
import time

import pytest

from harness import new_database
from settlement_crowd import crowd_fails
from settlement_reference import *
from settlement_walk import *

# About 40 s of one core (3 ms a step), and 10 s for the crowds; `make model` asks for more.
HISTORIES = int(os.environ.get("UJRAT_MODEL_HISTORIES", 600))
FIRST_SEED = int(os.environ.get("UJRAT_MODEL_SEED", 1))
CROWDS = max(12, HISTORIES // 50)
PROGRESS = os.environ.get("UJRAT_MODEL_PROGRESS")


@pytest.fixture(scope="module")
def template(cluster):
    database = new_database(cluster)
    with database.connect(autocommit=True, options="-c search_path=ujrat") as db:
        make_worlds(db)
        db.execute("ANALYZE")
    return database.name


@pytest.fixture
def pool(cluster, template):
    pool = Pool(cluster, template)
    yield pool
    pool.close()


@pytest.mark.seconds_max(120 + HISTORIES)
def test_histories_of_settlement_go_as_the_model_says(pool):
    seen, steps, began = set(), 0, time.monotonic()
    for n, seed in enumerate(range(FIRST_SEED, FIRST_SEED + HISTORIES), 1):
        history = history_of(seed)
        steps += len(history)
        failure, walk = failure_of(pool, history)
        if failure:
            pytest.fail(told(seed, *shrunk(pool, history)), pytrace=False)
        seen |= walk.seen
        if pool.next == WORLDS or n == HISTORIES:
            sound(pool.db)
        if PROGRESS and n % 100 == 0:
            print(f"  {n} histories, {steps} steps, {time.monotonic() - began:.0f} s", file=sys.__stderr__, flush=True)
    if HISTORIES >= 2000:
        assert MUST_BE_SEEN <= seen, f"never tried: {MUST_BE_SEEN - seen}"


@pytest.mark.seconds_max(120 + 10 * CROWDS)
def test_crowds_leave_behind_what_holds_in_any_order(pool):
    seen = set()
    for seed in range(FIRST_SEED, FIRST_SEED + CROWDS):
        failure, crowd = crowd_fails(pool, seed)
        if failure:
            pytest.fail(f"crowd {seed}: {failure!r}", pytrace=False)
        seen |= set(crowd.seen)
    done = {"submit", "hand_out", "cancel", "confirm", "give_back", "take_back", "ask", "overdue", "close", "end", "report", "plan", "fund", "refresh",
            "dispute", "propose"}
    assert {(name, "done") for name in done} <= seen, f"never done: {done - {name for name, how in seen if how == 'done'}}"


# ---------------------------------------------------------------- what the model must notice
MONEY, PEOPLE, TIME = 0, 1, 2      # what its histories are about
# A mistake in one function: what is replaced by what.
MISTAKES = {
    "the cap does not see what is pending or owed": ("hand_out_room", "t.net_debit_cap - bank_exposure(p_bank)", "t.net_debit_cap"),
    "a window's maximum holds for each hand-out alone": ("hand_out_room", "t.window_max - h.window_amount", "t.window_max"),
    "a cancelled payout takes room": ("hand_out_to_bank", "CASE WHEN t.state IS NULL THEN p.net ELSE 0 END", "p.net"),
    "what is answered stays pending": ("confirm_instructions", "pending_amount - written.amount", "pending_amount"),
    "an amount is not looked at": ("confirm_instructions", "WHEN i.amount <> p.net THEN 305", "WHEN false THEN 305"),
    "a bank answers for another": ("confirm_instructions", "OR p.bank_id <> p_bank OR", "OR"),
    "shares are rounded to the nearest": ("returned_share", "div(p_minor::numeric * p_returned, p_net)", "round(p_minor::numeric * p_returned / p_net)"),
    "what the bank kept is put on its nostro": ("write_part_return", "(2, nostro, p_amount - p_charge), (3, kept, p_charge)",
                                               "(2, nostro, p_amount), (3, kept, 0::bigint)"),
    "a return counts to the window before": ("window_of_return", "SELECT window_no", "SELECT nullif(window_no - 1, 0)"),
    "a return said twice re-credits twice": ("return_payment", "r.bank_reference = p_reference;", "r.bank_reference = p_reference AND false;"),
    "more comes back than was paid": ("return_payment", "p_amount > (its.p).net - before", "false"),
    "a return is reversed though the float is spent": ("reverse_return", "RAISE EXCEPTION 'the float does not cover what return % gave back', "
                                                       "p_return_reference USING ERRCODE = 'UJ109';", "NULL;"),
    "what was taken back is added to a window's returns": ("window_parts", "ELSE o.charge - o.amount END", "ELSE o.amount - o.charge END"),
    "closing misses a book": ("close_window", "GROUP BY h.book_id HAVING sum(h.instructions) > 0", "GROUP BY h.book_id HAVING h.book_id % 3 = 0"),
    "a window with other totals is settled": ("judge_window", "verdict := 'DISPUTED';\n        why := format", "verdict := 'SETTLED';\n        why := format"),
    "a settlement deadline is passed over": ("judge_window", "ours.pending_count > 0 AND clock_timestamp() >= p_settle_by", "false", TIME),
    "a window is disputed before its deadline": ("judge_window", "AND clock_timestamp() >= p_settle_by", "", TIME),
    "a holiday does not move a deadline": ("end_window", "coalesce(p_settle_by, c.settle_by)", "c.settle_by", TIME),
    "what a person disputed settles itself": ("judge_window", "AND p.role = 'operator'", "AND false", PEOPLE),
    "one person settles a window": ("approve_window_settled", "p.proposed_by = who", "false", PEOPLE),
    "a proposal outlives what else became of its window": ("approve_window_settled", "last.step <> p.after_step", "false", PEOPLE),
    "two people settle a window that lacks answers": ("approve_window_settled", "ours.pending_count > 0", "false", PEOPLE),
    "a funding's parts need not come to the whole": ("plan_funding", "IS DISTINCT FROM (p_amount::numeric, p_src_amount::numeric)", "IS NULL", TIME),
    "a funding said again is split anew": ("plan_funding", "RETURN true;", "p_reference := left(p_reference || '+', 35);", TIME),
    "what was asked about is asked about again too early": ("overdue_instructions", "AND q.asked_at < p_before ORDER BY", "ORDER BY", TIME),
    "what was just told of is overdue": ("handed_out_by", "WHERE h.seq <= b.last_seq", "WHERE true", TIME),
    "a person once called for is called for no more": ("ask", "escalated = excluded.escalated", "escalated = o.escalated", TIME),
    "the first record of a day counts": ("working_day", "ORDER BY recorded_at DESC", "ORDER BY recorded_at", TIME),
    "a nostro is not low of what is pending": ("bank_position", "0) - e.exposure, hand", "0) - e.exposure + b.amount, hand", TIME),
    "an alert does not end": ("refresh_alerts", "THEN NOT EXISTS (SELECT 1 FROM due d", "THEN false AND NOT EXISTS (SELECT 1 FROM due d", TIME),
    "what is held is told of": ("bank_payouts_after", "AND NOT EXISTS (SELECT 1 FROM payout_hold h WHERE h.book_id = p_book AND h.payout_id = p.payout_id)", ""),
    "what is released has no place": ("bank_payouts_after", "IF k.last_seq >= released THEN", "IF false THEN"),
    "what is held again keeps its place": ("bank_payouts_after", "AND h.hold_no > e.hold_no", "AND false"),
    "what is held is cancelled": ("cancel_payout", "ELSIF state = 2 THEN", "ELSIF false THEN", "ELSIF state <> 1 THEN", "ELSIF state > 2 THEN"),
    "what was refused keeps the float's money": ("end_hold", "negated(j.line_minor)\n          FROM journal j WHERE j.book_id = h.book_id AND j.seq = h.payout_id",
                                                "ARRAY[]::bigint[]\n          FROM journal j WHERE j.book_id = h.book_id AND j.seq = h.payout_id"),
    "one person ends a hold": ("decide_hold", "ELSIF last.principal_id = who THEN", "ELSIF false THEN"),
    "whoever placed a hold releases it": ("decide_hold", "AND h.principal_id = who", "AND false"),
    "a decision that was withdrawn counts": ("decide_hold", "OR last.decision = 'withdraw'", ""),
    "a hold that is past its deadline is no alert": ("alerts_due", "WHERE o.deadline <= clock_timestamp()", "WHERE false", TIME),
    "what waits for its window counts as kept back": ("alerts_due", "accepted.committed_at < o.opened_at", "true", TIME),
}
# A lock that is not taken; where it would be, one lingers.
LINGER = "PERFORM pg_sleep(0.002);"
RACES = {
    "two books hand out at once": ("hand_out_to_bank", "WHERE h.bank_id = p_bank FOR UPDATE;", f"WHERE h.bank_id = p_bank; {LINGER}"),
    "a window closes while it is handed out": ("close_window", "WHERE h.bank_id = p_bank FOR UPDATE;", "WHERE h.bank_id = p_bank;"),
    "what is handed out is cancelled": ("cancel_payout", "PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;", LINGER),
    "two returns of a payment at once": ("instruction_to_return", "PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;", LINGER),
    "what is being answered is asked about": ("ask", "PERFORM 1 FROM book_head WHERE book_id = p_book FOR UPDATE;", "",
                                              "RETURN coalesce(asked", f"{LINGER} RETURN coalesce(asked"),
    "two judge a window at once": ("lock_closed_window", "AND w.window_no = p_window FOR UPDATE;", f"AND w.window_no = p_window; {LINGER}"),
    "two plan a funding at once": ("plan_funding", "LOCK TABLE funding_plan IN EXCLUSIVE MODE;", LINGER),
    "two look after alerts at once": ("lock_alerts", "SELECT pg_advisory_xact_lock(8530151, 1);", "SELECT pg_sleep(0);"),
}
NOTICED_WITHIN, CROWDS_NOTICE_WITHIN = 200, 60


def put_in(pool, function, *changes):
    """From now on the pool's databases have the mistake: what is right, and what is wrong, by turns."""
    pool.prepare = None
    pool.close()
    pool.next = WORLDS
    pool.take()
    original = pool.db.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s AND pronamespace = 'ujrat'::regnamespace",
                               (function,)).fetchone()[0]
    changed = original
    for right, wrong in zip(changes[::2], changes[1::2]):
        assert original.count(right) == 1, f"{function} has no '{right}'"
        changed = changed.replace(right, wrong)
    pool.prepare = lambda db: db.execute(changed)
    pool.prepare(pool.db)


def noticed(pool, mistakes, within, fails):
    """By which seed each is; those that are not."""
    late, tried = {}, {}
    for mistake, (function, *changes) in mistakes.items():
        about = changes.pop() if len(changes) % 2 else MONEY
        put_in(pool, function, *changes)
        tried[mistake] = next((n for n in range(1, within + 1) if fails(n, about)), None)
        if tried[mistake] is None:
            late[mistake] = function
    print(tried)
    assert not late, f"nobody notices: {late}"


@pytest.mark.seconds_max(600)
def test_the_model_notices_each_mistake_that_is_put_into_the_ledger(pool):
    noticed(pool, MISTAKES, NOTICED_WITHIN, lambda n, about: failure_of(pool, history_of(n, about))[0])


@pytest.mark.seconds_max(600)
def test_a_crowd_notices_each_lock_that_is_not_taken(pool):
    noticed(pool, RACES, CROWDS_NOTICE_WITHIN, lambda n, _: crowd_fails(pool, n)[0])


# What two thousand histories must have met, or they prove less than they seem to.
MUST_BE_SEEN = {
    *(("submit", r) for r in (RECORDED, SAID_BEFORE, AMOUNT_OVER_LIMIT, INSUFFICIENT_FLOAT, REFERENCE_REUSED)),
    *(("cancel", r) for r in (PAYOUT_NOT_FOUND, STATE_CONFLICT)),
    *(("confirm", r) for r in (RECORDED, SAID_BEFORE, AMOUNT_OVER_LIMIT, CURRENCY_MISMATCH, FIELD_INVALID, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND)),
    *(("give_back", r) for r in ("part", "whole", "only_left", CURRENCY_MISMATCH, FIELD_INVALID, STATE_CONFLICT, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND)),
    *(("take_back", r) for r in ("settled", "part", INSUFFICIENT_FLOAT, STATE_CONFLICT, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND)),
    *(("hand_out", r) for r in ("all", "some", "none")),
    *(("report", r) for r in ("CLOSED", "SETTLED", "DISPUTED", CURRENCY_MISMATCH, STATE_CONFLICT, WINDOW_NOT_FOUND)),
    *(("end", r) for r in ("CLOSED", "SETTLED", "DISPUTED", STATE_CONFLICT, WINDOW_NOT_FOUND)),
    *(("fund", r) for r in (True, False, AMOUNT_ZERO, FIELD_INVALID, REFERENCE_REUSED)),
    *(("recall", r) for r in ("new", "open", PAYOUT_NOT_FOUND, STATE_CONFLICT)),
    *(("answer", r) for r in (RECORDED, SAID_BEFORE, FIELD_INVALID, FIELD_REQUIRED, CONFIRMED_DIFFERENTLY, INQUIRY_NOT_FOUND)),
    *(("plan", r) for r in (True, False, FIELD_INVALID, REFERENCE_REUSED)),
    *(("dispute", r) for r in (True, False, FIELD_INVALID, STATE_CONFLICT)),
    *(("propose", r) for r in ("new", "open", FIELD_INVALID, STATE_CONFLICT)),
    *(("approve", r) for r in (True, False, FIELD_INVALID, STATE_CONFLICT, NOT_PERMITTED)),
    *(("ask", r) for r in ("first", "again", "not")),
    *(("hold", r) for r in ("new", "open", FIELD_INVALID, PAYOUT_NOT_FOUND, STATE_CONFLICT)),
    *(("decide", r) for r in ("first", "done", "again", FIELD_INVALID, PAYOUT_NOT_FOUND, STATE_CONFLICT, NOT_PERMITTED)),
    *(("withdraw", r) for r in (True, False, STATE_CONFLICT)),
    *(("deadline", r) for r in (-1, 0, 1)),
    *(("refresh", (kind, now)) for kind in ("NOSTRO_LOW", "FLOAT_LOW", "KEPT_BACK", "ESCALATED", "WINDOW_DISPUTED", "WINDOW_LATE", "HOLD_OVERDUE") for now in (True, False)),
    *(("fate", f) for f in FATES),
}
