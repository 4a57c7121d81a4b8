"""The deed is done and only its answer cannot be read: that is never told as "nothing was done"."""

import contextlib
import threading

import grpc
import pytest

import fault_world
from harness import new_database, reason, wait_until


@pytest.fixture(scope="module")
def desk(cluster, new_gateway):
    database = new_database(cluster)
    with database.connect(autocommit=True) as db:
        import psycopg

        cursor = psycopg.ClientCursor(db)
        cursor.execute(fault_world.SETUP, {"banks": list(fault_world.BANKS), "platforms": list(fault_world.PLATFORMS),
                                           "beneficiaries": 10, "scarce": 1000})
    gateway = new_gateway(database, call_deadline="3s", statement_timeout="500ms", registry_refresh="1h")
    yield gateway
    gateway.stop()


def request(gateway, reference):
    api = gateway.api
    return api.payout.SubmitPayoutRequest(reference=reference, gross=api.money.Money(currency_code="USD", minor_units=10000),
                                          beneficiary="platforms/upwork/beneficiaries/1")


@contextlib.contextmanager
def unreadable(database, table):
    """Nobody can read the table: questions to it are cancelled by the server."""
    with database.connect() as db:
        db.execute("LOCK TABLE ujrat.%s IN ACCESS EXCLUSIVE MODE" % table)
        yield
        db.rollback()


@pytest.mark.seconds_max(60)
def test_a_retry_that_finds_its_payout_and_cannot_read_it(desk):
    payouts = desk.stub("payout", "PayoutService", "upwork")
    first = payouts.SubmitPayout(request(desk, "twice"), timeout=10)
    with unreadable(desk.database, "payout_transition"):
        with pytest.raises(grpc.RpcError) as e:
            payouts.SubmitPayout(request(desk, "twice"), timeout=10)
    assert reason(e.value, desk.api) == "OUTCOME_UNKNOWN"
    assert e.value.code() == grpc.StatusCode.UNAVAILABLE
    assert payouts.SubmitPayout(request(desk, "twice"), timeout=10).name == first.name


@pytest.mark.seconds_max(60)
def test_a_cancelled_payout_that_cannot_be_read(desk):
    payouts = desk.stub("payout", "PayoutService", "upwork")
    name = payouts.SubmitPayout(request(desk, "cancelled"), timeout=10).name
    with unreadable(desk.database, "rate_sheet"):
        with pytest.raises(grpc.RpcError) as e:
            payouts.CancelPayout(desk.api.payout.CancelPayoutRequest(name=name), timeout=10)
    assert reason(e.value, desk.api) == "OUTCOME_UNKNOWN"
    assert payouts.CancelPayout(desk.api.payout.CancelPayoutRequest(name=name), timeout=10).state == 7


@pytest.mark.seconds_max(60)
def test_a_question_that_cannot_be_answered_did_nothing(desk):
    payouts = desk.stub("payout", "PayoutService", "upwork")
    name = payouts.SubmitPayout(request(desk, "read"), timeout=10).name
    with unreadable(desk.database, "payout_transition"):
        with pytest.raises(grpc.RpcError) as e:
            payouts.GetPayout(desk.api.payout.GetPayoutRequest(name=name), timeout=10)
    assert reason(e.value, desk.api) == "LEDGER_UNAVAILABLE"


@pytest.mark.seconds_max(60)
def test_a_book_that_is_busy_too_long_was_not_written_to(desk):
    """The server cancels what waits for the book: nothing was done, and it is said so."""
    payouts = desk.stub("payout", "PayoutService", "upwork")
    with desk.database.connect() as db:
        db.execute("SELECT 1 FROM ujrat.book_head FOR UPDATE")
        with pytest.raises(grpc.RpcError) as e:
            payouts.SubmitPayout(request(desk, "busy"), timeout=10)
        assert reason(e.value, desk.api) == "LEDGER_UNAVAILABLE"
        db.rollback()
    assert desk.database.value("SELECT count(*) FROM ujrat.payout WHERE reference = 'busy'") == 0
    payouts.SubmitPayout(request(desk, "busy"), timeout=10)


@pytest.mark.seconds_max(60)
def test_a_client_that_left_early_finds_its_payout(desk):
    """The client's deadline passes while the commit waits; the same reference answers with what was done."""
    payouts = desk.stub("payout", "PayoutService", "upwork")
    with desk.database.connect() as db:
        db.execute("SELECT 1 FROM ujrat.book_head FOR UPDATE")
        with pytest.raises(grpc.RpcError) as e:
            payouts.SubmitPayout(request(desk, "early"), timeout=0.1)
        assert e.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        db.rollback()
    wait_until(lambda: desk.database.value("SELECT count(*) FROM ujrat.payout WHERE reference = 'early'") == 1, 10)
    payouts.SubmitPayout(request(desk, "early"), timeout=10)
    assert desk.database.value("SELECT count(*) FROM ujrat.payout WHERE reference = 'early'") == 1


@pytest.mark.seconds_max(60)
def test_one_reference_from_many_connections_is_one_payout(desk):
    names, threads = [], []
    for _ in range(16):
        stub = desk.stub("payout", "PayoutService", "upwork")
        threads.append(threading.Thread(target=lambda s=stub: names.append(s.SubmitPayout(request(desk, "race"), timeout=20).name)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(names) == 16 and len(set(names)) == 1
    assert desk.database.value("SELECT count(*) FROM ujrat.payout WHERE reference = 'race'") == 1
