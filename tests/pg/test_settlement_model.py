"""Thousands of random histories of settlement against the reference model, and proof that the model notices what it should."""
import os
import sys
import time

import pytest

from harness import new_database
from settlement_reference import *
from settlement_walk import *

# About 40 s of one core (3 ms a step); `make model` asks for more.
HISTORIES = int(os.environ.get("UJRAT_MODEL_HISTORIES", 600))
FIRST_SEED = int(os.environ.get("UJRAT_MODEL_SEED", 1))
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


# ---------------------------------------------------------------- what the model must notice
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
}
NOTICED_WITHIN = 150    # histories


@pytest.mark.seconds_max(300)
def test_the_model_notices_each_mistake_that_is_put_into_the_ledger(pool):
    late, tried = {}, {}
    for mistake, (function, right, wrong) in MISTAKES.items():
        pool.prepare = None
        pool.take()
        original = pool.db.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s AND pronamespace = 'ujrat'::regnamespace",
                                   (function,)).fetchone()[0]
        assert original.count(right) == 1, f"{function} has no '{right}'"
        pool.prepare = lambda db: db.execute(original.replace(right, wrong))
        pool.prepare(pool.db)
        for n in range(1, NOTICED_WITHIN + 1):
            if failure_of(pool, history_of(n))[0]:
                tried[mistake] = n
                break
        else:
            late[mistake] = function
        pool.db.execute(original)
    print(tried)
    assert not late, f"the model does not notice: {late}"


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
    *(("fate", f) for f in FATES),
}
