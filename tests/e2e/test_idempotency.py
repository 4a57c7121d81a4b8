"""A reference names a payout for ever: the same again is answered with the first result, whatever changed meanwhile."""
import concurrent.futures
import threading

import grpc
import pytest

from harness import wait_until
from world import SECONDS, SHEET, D, Platform, assert_priced, locked_book, price, refusal

S = grpc.StatusCode


def test_the_same_from_32_threads_at_once_is_done_once(world, api):
    platform, bank = world.platform(), world.bank()
    request = platform.request(platform.register(bank).name, 12_345, reference="only-once")
    parties = [Platform(world, platform.code) for _ in range(8)]  # a connection each
    barrier = threading.Barrier(32)

    def submit(i):
        barrier.wait()
        return parties[i % 8].batch([request])[0] if i % 2 else parties[i % 8].payouts.SubmitPayout(request, timeout=SECONDS)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(submit, range(32)))
    results = [a for a in answers if hasattr(a, "outcome")]
    payouts = [a for a in answers if not hasattr(a, "outcome")]
    R = api.payout.SubmitPayoutResult
    accepted = [r for r in results if r.outcome == R.OUTCOME_ACCEPTED]
    assert {r.outcome for r in results} <= {R.OUTCOME_ACCEPTED, R.OUTCOME_DUPLICATE} and len(accepted) <= 1
    assert {a.payout for a in results} | {p.name for p in payouts} == {payouts[0].name}
    assert all(p == payouts[0] for p in payouts)
    assert platform.balance() == 10_000_000 - 12_345
    assert world.value("SELECT count(*) FROM payout JOIN book USING (book_id) WHERE code = %s", platform.code) == 1


def test_exactly_one_of_many_batches_says_accepted(world, api):
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    requests = [platform.request(to, 1_000 + i, reference="ref-%d" % i) for i in range(20)]
    parties = [Platform(world, platform.code) for _ in range(32)]
    barrier = threading.Barrier(32)

    def submit(i):
        barrier.wait()
        return parties[i].batch(requests[i % 20:] + requests[:i % 20])

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = sum((list(a) for a in pool.map(submit, range(32))), [])
    R = api.payout.SubmitPayoutResult
    for i in range(20):
        mine = [a for a in answers if a.reference == "ref-%d" % i]
        assert sorted(a.outcome for a in mine) == [R.OUTCOME_ACCEPTED] + [R.OUTCOME_DUPLICATE] * 31
        assert len({(a.payout, a.net.minor_units) for a in mine}) == 1
    assert platform.balance() == 10_000_000 - sum(1_000 + i for i in range(20))


def test_of_two_bodies_at_once_one_wins(world, api):
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    for round_ in range(10):
        barrier = threading.Barrier(8)

        def submit(i):
            barrier.wait()
            return platform.batch([platform.request(to, 1_000 + i, reference="race-%d" % round_)])[0]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(submit, range(8)))
        assert sorted(a.outcome for a in answers) == [1] + [3] * 7, answers
        assert {a.reason for a in answers} == {"", "REFERENCE_REUSED"}


def test_a_retry_after_everything_changed_answers_the_first_result(new_world, new_gateway, api):
    """New rate, new terms, stale rate, empty float: the payout is what it was."""
    world = new_world()
    platform, bank = world.platform(USD=70_000), world.bank()
    who = platform.details(bank)
    request = platform.request(who, 60_000, reference="first")
    first = platform.payouts.SubmitPayout(request, timeout=SECONDS)
    assert_priced(first.pricing, price(60_000))

    later = world.gateway.folder / "sbp_m2m_2026-07-20.csv"
    later.write_text(SHEET.read_text().replace("USD,277.9612", "USD,283.0003"))
    world.gateway.ujrat("rates", "import", later, "--quiet")
    world.change_terms(platform.code, "USD", margin_bps=1_000, gross_max=50_000)
    wait_until(lambda: platform.quote(1_000).pricing.margin_basis_points == 1_000 and
               D(platform.quote(1_000).pricing.mid_rate) == D("283.0003"), 10, "the new price", every=0.2)
    assert platform.payouts.SubmitPayout(request, timeout=SECONDS) == first
    duplicate, = platform.batch([request])
    assert (duplicate.outcome, duplicate.payout, duplicate.net) == (2, first.name, first.pricing.net)

    stale = new_gateway(world.database, registry_refresh="100ms", rate_age_max="1s")
    payouts = stale.stub("payout", "PayoutService", platform.code)
    assert payouts.SubmitPayout(request, timeout=SECONDS) == first
    no = refusal(api, payouts.SubmitPayout, platform.request(who, 1_000))
    assert (no.code, no.reason) == (S.FAILED_PRECONDITION, "RATE_STALE")
    no = refusal(api, payouts.SubmitPayout, platform.request(who, 60_001, reference="first"))
    assert (no.code, no.reason) == (S.ALREADY_EXISTS, "REFERENCE_REUSED")
    stale.stop()


def test_a_retry_after_the_payout_has_moved_on_shows_where_it_is(world, api):
    platform, bank = world.platform(), world.bank()
    request = platform.request(platform.details(bank), 5_000, reference="moved")
    platform.payouts.SubmitPayout(request, timeout=SECONDS)
    instruction, = bank.take(1)
    bank.confirm(bank.settled(instruction))
    again = platform.payouts.SubmitPayout(request, timeout=SECONDS)
    assert again.state == api.payout.Payout.State.SETTLED
    assert again == platform.get_by_reference("moved")
    assert platform.balance() == 10_000_000 - 5_000


def test_a_cancelled_payouts_reference_stays_taken(world, api):
    platform, bank = world.platform(), world.bank()
    request = platform.request(platform.details(bank), 5_000, reference="gone")
    payout = platform.payouts.SubmitPayout(request, timeout=SECONDS)
    platform.cancel(payout.name)
    with world.nothing_changes():
        assert platform.payouts.SubmitPayout(request, timeout=SECONDS).state == api.payout.Payout.State.CANCELLED
    assert platform.balance() == 10_000_000


def test_a_deadline_that_passed_is_no_failure(world, api):
    """The client gives up while the ledger is busy; asking again under the same reference tells what became of it."""
    platform, bank = world.platform(), world.bank()
    request = platform.request(platform.register(bank).name, 5_000, reference="slow")
    with locked_book(world.database, platform.code):
        no = world.refused(platform.payouts.SubmitPayout, request, timeout=0.5)
        assert no.code == S.DEADLINE_EXCEEDED
    payout = platform.payouts.SubmitPayout(request, timeout=SECONDS)
    assert platform.balance() == 10_000_000 - 5_000
    assert platform.get_by_reference("slow") == payout


def test_a_cancelled_call_is_no_failure(world):
    platform, bank = world.platform(), world.bank()
    request = platform.request(platform.register(bank).name, 5_000, reference="left")
    with locked_book(world.database, platform.code):
        call = platform.payouts.SubmitPayout.future(request, timeout=SECONDS)
        wait_until(lambda: world.database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                                                "datname = current_database()"), 10, "the ledger to wait")
        call.cancel()
        assert call.code() == S.CANCELLED
    platform.payouts.SubmitPayout(request, timeout=SECONDS)
    assert platform.balance() == 10_000_000 - 5_000


@pytest.mark.parametrize("n", [2, 9])
def test_confirming_at_once_from_many_connections_records_once(world, api, n):
    platform, bank = world.platform(), world.bank()
    for _ in range(5):
        platform.submit(platform.details(bank), 5_000)
    said = [bank.settled(i, tax=3) for i in bank.take(5)]
    from world import Bank
    parties = [Bank(world, bank.code) for _ in range(n)]
    barrier = threading.Barrier(n)

    def confirm(i):
        barrier.wait()
        return [r.outcome for r in parties[i].confirm(*(said if i % 2 else said[::-1]))]

    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        answers = sum(pool.map(confirm, range(n)), [])
    assert sorted(answers) == [1] * 5 + [2] * 5 * (n - 1)
    assert bank.position() == (5 * price(5_000).net, 0, 0)
