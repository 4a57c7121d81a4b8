"""The float cannot go below zero, whatever the concurrency, and nothing of it is lost."""
import concurrent.futures
import random
import threading

import grpc
import pytest

from world import SECONDS, Platform, price

S = grpc.StatusCode
CONNECTIONS, EACH, FLOAT = 16, 25, 1_000_000


def together(world, platform, work):
    """work(platform, i) from 16 connections at once."""
    parties = [Platform(world, platform.code) for _ in range(CONNECTIONS)]
    barrier = threading.Barrier(CONNECTIONS)

    def go(i):
        barrier.wait()
        return work(parties[i], i)

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        return sum(pool.map(go, range(CONNECTIONS)), [])


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(workers=2)


def below_zero_ever(world, platform):
    return world.value("SELECT count(*) FROM account_balance JOIN account USING (book_id, account_id) JOIN book USING (book_id) "
                       "WHERE role = 'float' AND balance > 0 AND book.code = %s", platform.code)


def check(world, platform, accepted, refused, returned=0):
    """accepted, refused: amounts. The books, the balance and the sums agree, and nobody was refused who still fitted."""
    left = FLOAT - sum(accepted) + returned
    assert platform.balance() == left >= 0
    assert below_zero_ever(world, platform) == 0
    if not returned:
        assert all(amount > left for amount in refused), "one that would fit now was refused"
    assert world.auditor.balances(platform)["float.USD"] == -left if left else True
    # every account is the sum of its postings
    assert world.rows("SELECT code FROM account_now n WHERE book_code = %s AND balance <> coalesce((SELECT sum(minor) FROM "
                      "posting p WHERE p.book_id = n.book_id AND p.account_id = n.account_id), 0)", platform.code) == []


def test_single_payouts_from_16_connections(world):
    platform, bank = world.platform(USD=FLOAT), world.bank()
    to = platform.register(bank).name
    amounts = random.Random(7)
    plan = [[amounts.randrange(200, 9_000) for _ in range(EACH)] for _ in range(CONNECTIONS)]
    assert sum(map(sum, plan)) > FLOAT * 3 // 2, "the float covers only part"

    def work(mine, i):
        futures = [(a, mine.payouts.SubmitPayout.future(mine.request(to, a), timeout=SECONDS)) for a in plan[i]]
        return [(a, f.exception()) for a, f in futures]

    results = together(world, platform, work)
    refused = [a for a, error in results if error is not None]
    accepted = [a for a, error in results if error is None]
    for _, error in results:
        if error is not None:
            assert error.code() == S.FAILED_PRECONDITION and "float" in error.details()
    assert accepted and refused
    check(world, platform, accepted, refused)
    for amount in accepted:
        platform.books.accepted(price(amount), bank.code)
    assert world.auditor.balances(platform) == platform.books.nonzero()


def test_batches_from_16_connections(world, api):
    platform, bank = world.platform(USD=FLOAT), world.bank()
    to = platform.register(bank).name
    amounts = random.Random(8)
    plan = [[amounts.randrange(200, 3_000) for _ in range(100)] for _ in range(CONNECTIONS)]

    def work(mine, i):
        return list(zip(plan[i], mine.batch([mine.request(to, a) for a in plan[i]])))

    results = together(world, platform, work)
    R = api.payout.SubmitPayoutResult
    assert {r.outcome for _, r in results} == {R.OUTCOME_ACCEPTED, R.OUTCOME_REFUSED}
    assert {r.reason for _, r in results} == {"", "INSUFFICIENT_FLOAT"}
    check(world, platform, [a for a, r in results if r.outcome == R.OUTCOME_ACCEPTED],
          [a for a, r in results if r.outcome == R.OUTCOME_REFUSED])


def test_payouts_cancellations_and_deposits_at_once(world):
    """Money goes out and comes back while it is being spent."""
    platform, bank = world.platform(USD=FLOAT), world.bank()
    to = platform.register(bank).name

    def work(mine, i):
        done = []
        for n in range(EACH):
            try:
                payout = mine.submit(to, 7_000 + i)
            except grpc.RpcError as error:
                assert error.code() == S.FAILED_PRECONDITION, error
                continue
            back = (n + i) % 3 == 0
            if back:
                mine.cancel(payout.name)
            done.append((7_000 + i, back))
        return done

    depositor = threading.Thread(target=lambda: [platform.deposit(1_000) for _ in range(10)])
    depositor.start()
    done = together(world, platform, work)
    depositor.join()
    returned = sum(a for a, back in done if back) + 10 * 1_000
    check(world, platform, [a for a, _ in done], [], returned)


def test_the_last_of_the_float_is_paid_once(world):
    """16 who all want exactly what is left: one gets it."""
    platform, bank = world.platform(USD=FLOAT), world.bank()
    to = platform.register(bank).name

    def work(mine, i):
        return [mine.payouts.SubmitPayout.future(mine.request(to, FLOAT), timeout=SECONDS).exception()]

    errors = together(world, platform, work)
    assert sum(e is None for e in errors) == 1
    assert {e.code() for e in errors if e} == {S.FAILED_PRECONDITION}
    assert platform.balance() == 0 and below_zero_ever(world, platform) == 0
