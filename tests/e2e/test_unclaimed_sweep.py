"""Items to addresses that nobody has: paid once the receiver is known, given back once their time is over; by workers that all look."""
import time

import pytest

from claim_world import created
from harness import wait_until
from rest_world import add_client, batch_of, item
from world import number, price

CLAIMED, EXPIRED, CANCELLED = 1, 2, 3


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(rest="true", workers=2, unclaimed_sweep="100ms")


@pytest.fixture(scope="module")
def bank(world):
    return world.bank()


def email():
    return "someone-%d@example.com" % number()


def ends(world, platform):
    """How each item that was set aside ended: {item_no: (outcome, payout_id)}; None while it has not."""
    return {no: (outcome, payout) if outcome else None for no, outcome, payout in world.database.rows(
        "SELECT u.item_no, e.outcome, e.payout_id FROM ujrat.unclaimed u JOIN ujrat.book b USING (book_id)"
        " LEFT JOIN ujrat.unclaimed_end e USING (book_id, unclaimed_id) WHERE b.code = %s ORDER BY 1", (platform.code,))}


def add_receivers(world, platform, beneficiary):
    """Whoever something waits for is this beneficiary, as an AddReceiver would say it. Answers how many addresses that were."""
    return world.database.value(
        "SELECT count(*) FROM (SELECT DISTINCT o.book_id, o.receiver_kind, o.receiver_lookup FROM ujrat.unclaimed_open o"
        " JOIN ujrat.book USING (book_id) WHERE code = %s) o, LATERAL (SELECT ujrat.add_receiver(o.book_id,"
        " (SELECT principal_id FROM ujrat.principal WHERE uri = %s), %s, o.receiver_kind, o.receiver_lookup, 1::smallint, '\\x01')) a",
        (platform.code, "ujrat://platform/" + platform.code, int(beneficiary.name.rsplit("/", 1)[1])))


def wait_ended(world, platform, n, seconds=30):
    return wait_until(lambda: (e := ends(world, platform)) and len(e) == n and all(e.values()) and e, seconds, "%d ends" % n)


def float_balance(world, platform, role="float"):
    """From the rows: a gateway that was started again has another port than our channels."""
    return world.value("SELECT balance FROM account_now WHERE book_code = %s AND code = %s", platform.code, role + ".USD")


def unclaimed_balance(world, platform, ccy="USD"):
    return world.auditor.balances(platform).get("unclaimed." + ccy, 0)


def test_what_waits_is_paid_once_the_receiver_is_known(world, bank):
    platform = world.platform()
    client = add_client(world, platform)
    before = platform.balance()
    batch_id = created(client, batch_of(item(email(), "100.00", note="for a logo"), item(email(), "25.50"), sender_batch_id="b1"))
    assert [i["transaction_status"] for i in client.items(batch_id)] == ["UNCLAIMED", "UNCLAIMED"]
    assert ends(world, platform) == {1: None, 2: None}
    beneficiary = platform.register(bank)
    assert add_receivers(world, platform, beneficiary) == 2
    ended = wait_ended(world, platform, 2)
    assert [outcome for outcome, _ in ended.values()] == [CLAIMED, CLAIMED]
    items = client.items(batch_id)
    assert [i["transaction_status"] for i in items] == ["PENDING", "PENDING"]
    for i, gross in zip(items, (10_000, 2_550)):
        payout = platform.get("platforms/%s/payouts/%s" % (platform.code, i["transaction_id"]))
        want = price(gross)
        assert (payout.pricing.net.minor_units, payout.pricing.fee.minor_units) == (want.net, want.fee)
        assert payout.beneficiary == beneficiary.name
        assert payout.reference.startswith("PP-") and payout.reference.endswith("-%d" % (1 if gross == 10_000 else 2))
    assert platform.get("platforms/%s/payouts/%s" % (platform.code, items[0]["transaction_id"])).remittance_information == "for a logo"
    assert platform.balance() == before - 12_550
    assert unclaimed_balance(world, platform) == 0
    assert platform.get_by_reference(payout.reference).name == payout.name
    # in whose name
    assert {uri for uri, in world.rows("SELECT p.uri FROM journal j JOIN principal p USING (principal_id) JOIN book b ON b.book_id = j.book_id"
                                       " WHERE b.code = %s AND j.kind = 16", platform.code)} == {"ujrat://system/unclaimed"}


def test_what_nobody_claims_goes_back_to_the_float_once(new_world):
    world = new_world(rest="true", workers=2, unclaimed_sweep="100ms", unclaimed_ttl="1s")
    world.bank()  # without one nobody has accounts in rupees
    platform = world.platform()
    client = add_client(world, platform)
    before = platform.balance()
    n = 30
    batch_id = created(client, batch_of(*(item(email(), "10.00") for _ in range(n)), sender_batch_id="b2"))
    ended = wait_ended(world, platform, n)
    assert {outcome for outcome, _ in ended.values()} == {EXPIRED}
    assert platform.balance() == before, "all of it is back, and once"
    assert unclaimed_balance(world, platform) == 0
    assert {i["transaction_status"] for i in client.items(batch_id)} == {"RETURNED"}
    assert world.value("SELECT count(*) FROM journal j JOIN book b USING (book_id) WHERE b.code = %s AND j.kind = 17", platform.code) == n
    # who comes too late claims nothing
    assert "unclaimed.swept" in world.gateway.log()


def test_what_cannot_be_paid_now_waits_and_is_said_once(new_world):
    world = new_world(rest="true", unclaimed_sweep="100ms", rate_age_max="3650d")
    platform, bank = world.platform(), world.bank()
    client = add_client(world, platform)
    created(client, batch_of(item(email(), "10.00"), sender_batch_id="b4"))
    beneficiary = platform.register(bank)
    world.gateway.stop()
    world.gateway.write_config(rate_age_max="1s")  # every rate is stale now
    world.gateway.start()
    add_receivers(world, platform, beneficiary)

    def told():
        return [line for line in world.gateway.log().splitlines() if "unclaimed.left_open" in line]

    wait_until(told, 20, "the log to say why")
    looks = world.value("SELECT count(*) FROM journal")
    time.sleep(1.5)  # a dozen looks
    assert len(told()) == 1 and "reason=RATE_STALE" in told()[0]
    assert ends(world, platform) == {1: None} and world.value("SELECT count(*) FROM journal") == looks
    world.gateway.stop()
    world.gateway.write_config(rate_age_max="3650d")
    world.gateway.start()
    assert wait_ended(world, platform, 1)[1][0] == CLAIMED


def test_the_sweeper_backs_off_while_the_ledger_is_away_and_comes_back(world, bank):
    platform = world.platform()
    client = add_client(world, platform)
    created(client, batch_of(item(email(), "10.00"), sender_batch_id="b5"))
    beneficiary = platform.register(bank)
    with world.database.connect(autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'ujrat_app'")
    add_receivers(world, platform, beneficiary)
    assert wait_ended(world, platform, 1)[1][0] == CLAIMED


def test_workers_killed_in_the_middle_pay_each_item_once(world, bank):
    platform = world.platform(USD=100_000_000)
    client = add_client(world, platform)
    before = float_balance(world, platform)
    n = 1500
    created(client, batch_of(*(item(email(), "10.00") for _ in range(n)), sender_batch_id="b3"))
    beneficiary = platform.register(bank)
    assert add_receivers(world, platform, beneficiary) == n
    killed = 0
    while killed < 3:
        wait_until(lambda: any(ends(world, platform).values()) or killed, 20, "the first claims", every=0.005)
        world.gateway.kill()
        killed += 1
        world.gateway.start()
    ended = wait_ended(world, platform, n, 60)
    assert {outcome for outcome, _ in ended.values()} == {CLAIMED}
    assert len({payout for _, payout in ended.values()}) == n
    want = price(1000)
    count, net = world.rows("SELECT count(*), sum(net) FROM payout p JOIN book b USING (book_id) WHERE b.code = %s", platform.code)[0]
    assert (count, net) == (n, n * want.net)
    assert float_balance(world, platform) == before + n * 1000  # a credit balance
    assert float_balance(world, platform, "unclaimed") == 0
