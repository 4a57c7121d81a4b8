"""SubmitPayouts: up to 15,000 items that stand alone, greedy in arrival order, and the same again is the same."""
import collections

import grpc
import pytest

from world import SECONDS, TARIFFS, price

S = grpc.StatusCode


def outcomes(results):
    return [(r.outcome, r.reason) for r in results]


@pytest.fixture
def R(api):
    return api.payout.SubmitPayoutResult


def test_fifteen_thousand_with_bad_ones_among_them(world, R):
    platform, bank = world.platform(USD=90_000_000_00), world.bank()
    to = platform.register(bank).name
    n = 15_000
    requests = [platform.request(to, 10_000 + i % 1000, reference="b-%d" % i) for i in range(n)]
    bad = {}
    for i in range(7, n, 97):
        kind = i % 5
        if kind == 0:
            requests[i].gross.minor_units = 0
            bad[i] = ("AMOUNT_ZERO", "gross.minor_units")
        elif kind == 1:
            requests[i].beneficiary = "platforms/%s/beneficiaries/4711" % platform.code
            bad[i] = ("BENEFICIARY_NOT_FOUND", "beneficiary")
        elif kind == 2:
            requests[i].gross.currency_code = "EUR"
            bad[i] = ("CURRENCY_NOT_SUPPORTED", "gross.currency_code")
        elif kind == 3:
            requests[i].reference = "with space %d" % i
            bad[i] = ("REFERENCE_SHAPE", "reference")
        else:
            requests[i].gross.minor_units = TARIFFS["USD"]["gross_max"] + 1
            bad[i] = ("AMOUNT_OVER_LIMIT", "gross.minor_units")
    results = platform.batch(requests)
    assert len(results) == n
    names = set()
    for i, (request, result) in enumerate(zip(requests, results)):
        assert result.reference == request.reference
        if i in bad:
            reason, field = bad[i]
            assert (result.outcome, result.reason, result.field) == (R.OUTCOME_REFUSED, reason, "payouts[%d].%s" % (i, field))
            assert not result.payout and result.message
        else:
            expected = price(10_000 + i % 1000)
            assert (result.outcome, result.reason, result.field) == (R.OUTCOME_ACCEPTED, "", "")
            assert (result.fee.minor_units, result.net.minor_units) == (expected.fee, expected.net)
            names.add(result.payout)
            platform.books.accepted(expected, bank.code)
    assert len(names) == n - len(bad)
    assert platform.balance() == 90_000_000_00 - sum(r.gross.minor_units for i, r in enumerate(requests) if i not in bad)
    assert world.auditor.balances(platform) == platform.books.nonzero()
    assert platform.get(results[0].payout).reference == "b-0"

    # the same batch again: every item is what it was, and nothing is done twice
    with world.nothing_changes():
        again = platform.batch(requests)
        for i, (first, second) in enumerate(zip(results, again)):
            if i not in bad:
                assert second.outcome == R.OUTCOME_DUPLICATE
                second.outcome = R.OUTCOME_ACCEPTED
            assert first == second
        # and in another order
        backwards = platform.batch(requests[::-1])
        assert [r.payout for r in backwards] == [r.payout for r in results[::-1]]


def test_one_too_many_and_none(world, api):
    platform = world.platform()
    one = platform.request("platforms/%s/beneficiaries/1" % platform.code)
    with world.nothing_changes():
        no = world.refused(platform.payouts.SubmitPayouts, api.payout.SubmitPayoutsRequest(payouts=[one] * 15_001))
        assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "BATCH_TOO_LARGE", ["payouts"])
        no = world.refused(platform.payouts.SubmitPayouts, api.payout.SubmitPayoutsRequest())
        assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "BATCH_EMPTY", ["payouts"])


def test_twice_in_one_batch(world, R):
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    one, other = platform.request(to, 5_000, reference="one"), platform.request(to, 5_001, reference="one")
    results = platform.batch([one, platform.request(to, reference="between"), one, other, one])
    assert outcomes(results) == [(R.OUTCOME_ACCEPTED, ""), (R.OUTCOME_ACCEPTED, ""), (R.OUTCOME_DUPLICATE, ""),
                                 (R.OUTCOME_REFUSED, "REFERENCE_REUSED"), (R.OUTCOME_DUPLICATE, "")]
    assert results[0].payout == results[2].payout == results[4].payout
    assert results[3].field == "payouts[3].reference"
    assert results[2].net == results[0].net
    assert platform.balance() == 10_000_000 - 5_000 - 10_000
    later = platform.batch([other, one])
    assert outcomes(later) == [(R.OUTCOME_REFUSED, "REFERENCE_REUSED"), (R.OUTCOME_DUPLICATE, "")]


def test_what_was_refused_may_come_again(world, R):
    """A refusal leaves nothing behind: the reference is free, with any body."""
    platform, bank = world.platform(USD=1_000), world.bank()
    to = platform.register(bank).name
    poor, bad = platform.request(to, 5_000, reference="again"), platform.request(to, 0, reference="bad")
    assert [r.outcome for r in platform.batch([poor, bad])] == [R.OUTCOME_REFUSED] * 2
    platform.deposit(10_000)
    assert [r.outcome for r in platform.batch([poor, platform.request(to, 200, reference="bad")])] == [R.OUTCOME_ACCEPTED] * 2


def test_the_float_goes_to_who_came_first_and_still_fits(world, R):
    platform, bank = world.platform(USD=10_000), world.bank()
    to = platform.register(bank).name
    amounts = [6_000, 5_000, 3_000, 1_001, 700, 301, 300, 299, 150]
    left, expected = 10_000, []
    for amount in amounts:
        fits = amount <= left
        left -= amount if fits else 0
        expected.append((R.OUTCOME_ACCEPTED, "") if fits else (R.OUTCOME_REFUSED, "INSUFFICIENT_FLOAT"))
    results = platform.batch([platform.request(to, a) for a in amounts])
    assert outcomes(results) == expected
    assert results[1].field == "payouts[1].gross.minor_units"
    assert platform.balance() == left
    ids = [int(r.payout.rsplit("/", 1)[1]) for r in results if r.payout]
    assert ids == sorted(ids), "numbers are given in order of arrival"


def test_floats_of_two_currencies_are_two_floats(world, R):
    platform, bank = world.platform(USD=1_000, JPY=1_000), world.bank()
    to = platform.register(bank).name
    results = platform.batch([platform.request(to, 1_000, "USD"), platform.request(to, 1_000, "JPY"),
                              platform.request(to, 200, "USD"), platform.request(to, 200, "JPY")])
    assert outcomes(results) == [(R.OUTCOME_ACCEPTED, "")] * 2 + [(R.OUTCOME_REFUSED, "INSUFFICIENT_FLOAT")] * 2
    assert platform.balance("USD") == platform.balance("JPY") == 0


def test_quotes_in_a_batch(world, R):
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    quote, other = platform.quote(5_000).name, platform.quote(6_000).name
    none = "platforms/%s/quotes/99" % platform.code
    results = platform.batch([platform.request(to, 5_000, quote=quote), platform.request(to, 5_000, quote=quote),
                              platform.request(to, 6_001, quote=other), platform.request(to, 5_000, quote=none),
                              platform.request(to, 6_000, quote=other), platform.request(to, 5_000)])
    assert outcomes(results) == [(R.OUTCOME_ACCEPTED, ""), (R.OUTCOME_REFUSED, "QUOTE_USED"), (R.OUTCOME_REFUSED, "QUOTE_MISMATCH"),
                                 (R.OUTCOME_REFUSED, "QUOTE_NOT_FOUND"), (R.OUTCOME_ACCEPTED, ""), (R.OUTCOME_ACCEPTED, "")]
    assert {r.field for r in results if r.field} == {"payouts[%d].quote" % i for i in (1, 2, 3)}
    assert platform.get(results[0].payout).quote == quote


def test_carried_beneficiaries_of_a_batch(world, R):
    platform, bank, other = world.platform(), world.bank(), world.bank()
    people = [platform.details(b) for b in (bank, other, bank)]
    results = platform.batch([platform.request(people[i % 3]) for i in range(300)])
    assert outcomes(results) == [(R.OUTCOME_ACCEPTED, "")] * 300
    told = collections.Counter(i.creditor_iban for i in bank.take(200) + other.take(100))
    assert told == {p.iban: 100 for p in people}


def test_many_batches_at_once(world, R):
    """Several connections; each item is there once, and the sum is right."""
    import concurrent.futures
    platform, bank = world.platform(USD=1_000_000_000), world.bank()
    to = platform.register(bank).name
    from world import Platform

    def send(part):
        mine = Platform(world, platform.code)
        return [r.outcome for r in mine.batch([mine.request(to, 1_000, reference="%d-%d" % (part, i)) for i in range(500)])]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(sum(pool.map(send, range(8)), [])) == {R.OUTCOME_ACCEPTED}
    assert platform.balance() == 1_000_000_000 - 8 * 500 * 1_000
    assert world.value("SELECT count(*) FROM payout JOIN book USING (book_id) WHERE code = %s", platform.code) == 4_000
