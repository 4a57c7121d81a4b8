"""The daemon's life: start, workers, reload, drain, and what it refuses to start with."""
import os
import signal
import socket
import subprocess
import time

import grpc
import pytest

from harness import BIN, new_database, reason, unique, wait_until

HEALTH = "/grpc.health.v1.Health/Check"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


def prepare(database):
    from harness import run

    uri = database.uri("ujrat_operator")
    run(BIN / "ujrat", "platform", "add", "upwork", "--currency", "USD", "--margin-bps", "150", "--db", uri)
    return database


@pytest.fixture
def daemon(cluster, new_gateway):
    def make(**settings):
        settings.setdefault("registry_refresh", "100ms")
        return new_gateway(prepare(new_database(cluster)), **settings)

    return make


def health(channel):
    return channel.unary_unary(HEALTH)(b"", timeout=5)


def balance(gateway, channel=None):
    stub = gateway.api.payout_grpc.PayoutServiceStub(channel) if channel else gateway.stub("payout", "PayoutService")
    return stub.GetBalance(gateway.api.payout.GetBalanceRequest(), timeout=5)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0] != "Z"


# ---------------------------------------------------------------- workers
def test_workers_share_the_port(daemon):
    g = daemon(workers=3, log_level="debug")
    pids = g.workers()
    assert len(pids) == 3
    # the kernel spreads connections over them
    for _ in range(60):
        channel = g.channel()
        balance(g, channel)
        channel.close()
    served = {line.split("pid=")[1].split()[0] for line in g.log().splitlines() if "event=call.answered" in line}
    assert served == {str(p) for p in pids}


def test_a_killed_worker_is_replaced(daemon):
    g = daemon(workers=2)
    before = g.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(g.workers()) == 2 and before[0] not in g.workers(), 10, "another worker")
    wait_until(lambda: g.log().count("event=worker.serving") == 3, 10, "it to serve")
    for _ in range(10):
        balance(g, g.channel())
    assert "event=worker.ended" in g.log() and "signal=9" in g.log()


def test_workers_die_with_the_master(daemon):
    g = daemon(workers=2)
    pids = g.workers()
    g.kill()
    wait_until(lambda: not any(alive(p) for p in pids), 5, "the workers to be gone")


# ---------------------------------------------------------------- the end
def test_sigterm_ends_open_streams_and_lets_calls_finish(daemon):
    g = daemon()
    stream = g.stub("payout", "PayoutService").WatchPayouts(g.api.payout.WatchPayoutsRequest())
    stream.initial_metadata()
    balance(g)
    g.process.send_signal(signal.SIGTERM)
    with pytest.raises(grpc.RpcError) as e:
        next(stream)
    assert e.value.code() == grpc.StatusCode.UNAVAILABLE
    assert g.process.wait(15) == 0
    assert not g.port_file.exists()
    g.process = None


def test_nothing_acknowledged_is_lost_in_a_drain(daemon):
    g = daemon()
    with g.database.connect() as db:
        db.execute("SET search_path = ujrat")
        db.execute("SELECT import_rates('TEST', current_date, clock_timestamp(), 'f', sha256('x'), 't', NULL, '{840}', '{2779612000000}')")
        db.execute("SELECT connect_bank('SCBL')")
        db.commit()
    g.ujrat("float", "deposit", "upwork", "100000", "USD", "--reference", "first")
    p, stub = g.api.payout, g.stub("payout", "PayoutService")

    def pay(reference):
        return stub.SubmitPayout.future(p.SubmitPayoutRequest(
            reference=reference, gross=g.api.money.Money(currency_code="USD", minor_units=100),
            beneficiary_details=p.BeneficiaryDetails(display_name="A", iban="PK36SCBL0000001123456702", cnic="3520212345671", channel=1)), timeout=20)

    wait_until(lambda: pay(unique("try")).exception() is None, 10, "the first payout", every=0.1)
    calls = {"r-%d" % i: pay("r-%d" % i) for i in range(3000)}
    time.sleep(0.05)
    g.process.send_signal(signal.SIGTERM)
    acknowledged = {r for r, call in calls.items() if call.exception() is None}
    assert g.process.wait(20) == 0
    g.process = None
    stored = {r for (r,) in g.database.rows("SELECT reference FROM ujrat.payout")}
    assert acknowledged and acknowledged <= stored
    g.start()
    stub = g.stub("payout", "PayoutService")
    for reference in list(calls)[:200] + list(calls)[-200:]:
        pay(reference).result()
    assert g.database.value("SELECT count(*) = count(DISTINCT reference) FROM ujrat.payout")


def test_a_second_sigterm_hurries(daemon):
    g = daemon(drain_timeout="10m")
    g.process.send_signal(signal.SIGTERM)
    g.process.send_signal(signal.SIGTERM)
    assert g.process.wait(10) == 0
    g.process = None


# ---------------------------------------------------------------- reload
def test_sighup_reads_crl_and_log_level_again(daemon, pki):
    # a root of its own: what is revoked here stays revoked
    name = pki.issue("ujrat://platform/upwork")
    g = daemon(registry_refresh="100ms")
    channel = g.channel(name)
    balance(g, channel)
    pki.revoke(name)
    g.write_config(log_level="debug")
    g.reload()
    wait_until(lambda: "event=worker.reloaded" in g.log(), 5, "the reload")
    with pytest.raises(grpc.RpcError) as e:
        balance(g, g.channel(name))
    assert e.value.code() == grpc.StatusCode.UNAVAILABLE
    balance(g)
    wait_until(lambda: "level=debug" in g.log(), 5, "debug lines")


def test_a_broken_reload_changes_nothing(daemon, tmp_path):
    g = daemon()
    crl = g.settings["tls_crl"]
    g.config.write_text(g.config.read_text() + "nonsense = 1\n")
    g.reload()
    wait_until(lambda: "event=reload.config" in g.log(), 5, "the complaint")
    assert crl.exists() and balance(g) is not None


# ---------------------------------------------------------------- health
def test_health_says_when_the_ledger_is_gone(own_cluster, new_gateway):
    g = new_gateway(prepare(new_database(own_cluster)), registry_refresh="100ms", call_deadline="2s")
    channel = g.channel()
    assert health(channel) == SERVING
    own_cluster.stop("immediate")
    wait_until(lambda: health(channel) == NOT_SERVING, 10, "NOT_SERVING")
    with pytest.raises(grpc.RpcError) as e:
        balance(g, channel)
    assert reason(e.value, g.api) == "LEDGER_UNAVAILABLE"
    own_cluster.start()
    wait_until(lambda: health(channel) == SERVING, 20, "SERVING")
    balance(g, channel)
    g.stop()


# ---------------------------------------------------------------- what it does not start with
def start_fails(gateway, code, word):
    gateway.start(wait=False)
    ended = gateway.process.wait(30)
    gateway.process = None
    assert ended == code, gateway.log()
    assert word in gateway.log(), gateway.log()
    assert not gateway.port_file.exists()


def test_another_schema_is_refused(cluster, new_gateway):
    database = new_database(cluster)
    with database.connect() as db:
        db.execute("INSERT INTO ujrat.schema_migration (version, name, sha256) VALUES (9999, 'later', sha256('x'))")
        db.commit()
    start_fails(new_gateway(database, start=False), 76, "schema.other_version")


def test_a_database_without_schema_is_refused(cluster, new_gateway):
    from harness import Database

    name = unique("bare")
    cluster._tool("createdb", cluster.folder, name)
    new_database(cluster)   # so that the roles are there
    start_fails(new_gateway(Database(cluster, name), start=False, db_start_timeout="3s"), 76, "schema.missing")


def test_a_ledger_that_is_not_there_ends_it_after_a_while(cluster, new_gateway, tmp_path):
    g = new_gateway(new_database(cluster), start=False, db="postgresql:///x?host=%s" % tmp_path, db_start_timeout="500ms")
    start_fails(g, 69, "ledger.unreachable")


def test_a_port_in_use_is_refused(cluster, new_gateway):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        start_fails(new_gateway(new_database(cluster), start=False, listen="127.0.0.1:%d" % s.getsockname()[1]), 71, "listen.failed")


def test_the_port_of_another_daemon_is_refused(daemon, cluster, new_gateway):
    g = daemon()
    start_fails(new_gateway(new_database(cluster), start=False, listen="127.0.0.1:%d" % g.port), 71, "listen.failed")


def test_unusable_certificates_are_refused(cluster, new_gateway, tmp_path):
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    start_fails(new_gateway(new_database(cluster), start=False, tls_cert=broken), 78, "start.tls")
    start_fails(new_gateway(new_database(cluster), start=False, tls_client_ca=broken), 78, "start.tls")


# ---------------------------------------------------------------- what others may see of it
def test_command_line_and_log_hold_no_uri(daemon):
    g = daemon()
    uri = g.settings["db"]
    for pid in [g.process.pid] + g.workers():
        assert uri.encode() not in open("/proc/%d/cmdline" % pid, "rb").read()
    assert uri not in g.log() and "passfile" not in g.log()


def test_core_dumps_are_off(daemon):
    g = daemon()
    for pid in [g.process.pid] + g.workers():
        limits = open("/proc/%d/limits" % pid).read()
        assert [line for line in limits.splitlines() if line.startswith("Max core file size")][0].split()[4] == "0"


def test_only_what_is_needed_is_inherited(daemon):
    g = daemon()
    fds = os.listdir("/proc/%d/fd" % g.workers()[0])
    assert len(fds) < 30
    out = subprocess.run([str(BIN / "ujratd"), "--version"], capture_output=True, text=True, check=True)
    assert out.stdout.startswith("ujratd ")
