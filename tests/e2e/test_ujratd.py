"""ujratd as a program: its settings, how it starts and ends, what it reads again, what it logs, where its bounds are."""
import concurrent.futures
import importlib
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import time

import grpc
import pytest
from google.protobuf import descriptor_pb2

from harness import BIN, ROOT, new_database, wait_until
from test_transport_interop import RawH2
from world import SECONDS, Party, Platform, locked_book, number, price

S = grpc.StatusCode
UJRATD = BIN / "ujratd"
CONFIG, SCHEMA, LEDGER, SYSTEM, USAGE = 78, 76, 69, 71, 64


def ujratd(*arguments, **options):
    return subprocess.run([str(UJRATD), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=SECONDS * 3, **options)


# ---------------------------------------------------------------- settings
@pytest.fixture(scope="module")
def settings(pki, world):
    """What a config must say."""
    cert, key = pki.pair("server")
    return {"listen": "127.0.0.1:0", "tls_cert": cert, "tls_key": key, "tls_client_ca": pki.ca, "tls_crl": pki.crl,
            "db": world.database.uri("ujrat_app"), "pii_keys": world.gateway.settings["pii_keys"]}


@pytest.fixture
def conf(tmp_path, settings):
    def write(text="", **changes):
        path = tmp_path / ("ujratd-%d.conf" % number())
        values = {**settings, **changes}
        path.write_text("".join('%s = "%s"\n' % (k, v) for k, v in values.items() if v is not None) + text)
        return path
    return write


def check(path, *more):
    return ujratd("--check-config", "--config", path, *more)


def test_a_good_config_is_good(conf):
    done = check(conf())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("text,words", [
    ("worker = 2\n", ["worker", "no such setting"]),
    ("workers = 0\n", ["workers: 0", "minimum of 1"]),
    ("workers = 65\n", ["workers: 65", "maximum of 64"]),
    ("workers = two\n", ["workers", "two"]),
    ("workers = 2\nworkers = 3\n", ["workers"]),
    ("workers\n", ["name = value"]),
    ("quote_ttl = 10\n", ["quote_ttl"]),
    ("quote_ttl = 10 weeks\n", ["quote_ttl"]),
    ("message_bytes_max = 1GiB\n", ["message_bytes_max"]),
    ("log_level = loud\n", ["log_level", "loud"]),
    ("tls_client_cert_required = maybe\n", ["tls_client_cert_required"]),
    ("queue_payouts_max = 99999999999999999999\n", ["queue_payouts_max"]),
    ("db_file = /etc/hostname\n", ["db", "db_file"]),
])
def test_a_bad_config_is_refused_with_its_line_and_reason(conf, text, words):
    path = conf(text)
    done = check(path)
    assert done.returncode == CONFIG
    assert all(word in done.stderr for word in words), done.stderr
    assert "postgresql://" not in done.stderr
    line = re.search(re.escape(str(path)) + r":(\d+)", done.stderr)
    if "db_file" not in text:
        assert line and int(line.group(1)) == len(path.read_text().splitlines()), done.stderr
    assert ujratd("--config", path).returncode == CONFIG, "it does not start with it either"


@pytest.mark.parametrize("name", ["tls_cert", "tls_key", "tls_client_ca", "pii_keys"])
def test_what_must_be_set_must_be_set(conf, name):
    done = check(conf(**{name: None}))
    assert done.returncode == CONFIG and name in done.stderr


@pytest.mark.parametrize("changes", [dict(tls_cert="/nowhere.pem"), dict(tls_crl="/nowhere.pem"), dict(listen="localhost:1"),
                                     dict(pii_keys="/nowhere.keys"), dict(listen="127.0.0.1"), dict(listen="127.0.0.1:65536"), dict(db="")])
def test_settings_that_cannot_work_are_refused(conf, changes):
    environment = {k: v for k, v in os.environ.items() if k != "UJRAT_APP_DB"}
    done = ujratd("--check-config", "--config", conf(**changes), env=environment)
    assert done.returncode == CONFIG and done.stderr.startswith("ujratd: "), done.stderr


def test_a_key_that_does_not_belong_to_the_certificate_is_refused(conf, pki):
    done = check(conf(tls_key=pki.pair("upwork")[1]))
    assert done.returncode == CONFIG and "key" in done.stderr


def test_the_command_line_goes_over_the_file(conf):
    assert check(conf("workers = 2\n"), "--set", "workers=3").returncode == 0
    done = check(conf(), "--set", "workers=99")
    assert done.returncode == CONFIG and "workers" in done.stderr
    done = check(conf(), "--set", "db=postgresql:///x?password=tell-nobody")
    assert done.returncode == CONFIG and "tell-nobody" not in done.stderr
    for wrong in (["--confg", "x"], ["--config"], ["extra"]):
        assert ujratd(*wrong).returncode == USAGE


def test_the_sample_config_can_be_read_back(conf, settings, tmp_path):
    """Every line of --print-config, taken out of its comment, is understood; nothing is missing in it."""
    sample = ujratd("--print-config").stdout
    rows = re.findall(r"^#?(\w+) = ?(.*)$", sample, re.M)
    text = "".join("%s = %s\n" % (name, value) for name, value in rows if value and name not in settings)
    assert len(rows) > 30
    done = check(conf(text))
    assert done.returncode == 0, done.stderr
    documented = re.findall(r"^\| `(\w+)` \|", ujratd("--print-config-docs").stdout, re.M)
    assert [name for name, _ in rows] == documented
    # and the sample as it is printed says nothing: only what must be set is missing
    (tmp_path / "sample.conf").write_text(sample)
    done = check(tmp_path / "sample.conf")
    assert done.returncode == CONFIG and "tls_cert" in done.stderr


@pytest.mark.parametrize("option,file", [("--print-config-docs", "config.md"), ("--print-errors", "errors.md")])
def test_the_docs_are_what_the_program_says(option, file):
    done = ujratd(option)
    assert done.returncode == 0
    assert (ROOT / "docs" / file).read_text() == done.stdout, "run: ujratd %s > docs/%s" % (option, file)


def test_every_reason_in_the_contract_is_documented():
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "errors.md").read_text()))
    for proto in (ROOT / "proto" / "ujrat").rglob("*.proto"):
        for line in proto.read_text().splitlines():
            if "Errors:" in line or "refused (" in line or "UNAVAILABLE)" in line:
                for word in re.findall(r"\b[A-Z]+_[A-Z_]+[A-Z]\b", line):
                    assert word in documented or word in ("ALREADY_EXISTS", "RESOURCE_EXHAUSTED", "PERMISSION_DENIED"), word


def test_version_and_help():
    assert re.fullmatch(r"ujratd \d+\.\d+\.\d+ \(schema \d+\)\n", ujratd("--version").stdout)
    said = ujratd("--help").stdout
    assert "--config FILE" in said and "SIGHUP" in said and " 76 " in said


# ---------------------------------------------------------------- starting
def start_fails(gateway):
    gateway.start(wait=False)
    try:
        return gateway.process.wait(SECONDS)
    finally:
        gateway.process = None


# ---------------------------------------------------------------- workers
def test_each_worker_serves_and_a_lost_one_is_replaced(new_world):
    world = new_world(workers=3, log_level="debug")
    platform = world.platform()
    first = world.gateway.workers()
    assert len(first) == 3
    served = set()
    while served != set(first):  # connections are spread by the kernel
        one = Platform(world, platform.code)
        assert one.balance() == 10_000_000
        one.channel.close()
        served = {int(m) for m in re.findall(r"pid=(\d+) .*event=call.answered .*GetBalance", world.gateway.log())}
    os.kill(first[0], signal.SIGKILL)
    wait_until(lambda: len(world.gateway.workers()) == 3 and first[0] not in world.gateway.workers(), 10, "a new worker")
    assert set(first[1:]) <= set(world.gateway.workers())
    for _ in range(12):
        one = Platform(world, platform.code)
        wait_until(lambda: _balance(one) == 10_000_000, 10, "an answer")
        one.channel.close()


def _balance(platform):
    try:
        return platform.balance()
    except grpc.RpcError:
        return None



# ---------------------------------------------------------------- SIGTERM
def waits_for_lock(world):
    return world.database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                                "datname = current_database()")


def refuses_connections(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_drain_lets_calls_finish_and_lets_no_new_ones_in(new_world):
    world = new_world()
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    stream = platform.watch()
    with locked_book(world.database, platform.code):
        call = platform.payouts.SubmitPayout.future(platform.request(to, 5_000), timeout=SECONDS)
        wait_until(lambda: waits_for_lock(world), 10, "the ledger to wait")
        world.gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(world.gateway.port), 10, "the port to be closed")
        assert stream.ended().code() == S.UNAVAILABLE
        no = world.refused(Party(world, platform.code).payouts.GetBalance, world.api.payout.GetBalanceRequest(), timeout=2)
        assert no.code in (S.UNAVAILABLE, S.DEADLINE_EXCEEDED)
        assert world.gateway.process.poll() is None and not call.done()
    assert call.result().pricing.net.minor_units == price(5_000).net
    assert world.gateway.process.wait(SECONDS) == 0
    assert world.value("SELECT count(*) FROM payout") == 1


def test_a_drain_does_not_wait_for_ever(new_world):
    world = new_world(drain_timeout="500ms")
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    request = platform.request(to, 5_000, reference="caught")
    with locked_book(world.database, platform.code):
        call = platform.payouts.SubmitPayout.future(request, timeout=SECONDS)
        wait_until(lambda: waits_for_lock(world), 10, "the ledger to wait")
        began = time.monotonic()
        world.gateway.process.send_signal(signal.SIGTERM)
        assert world.gateway.process.wait(SECONDS) == 0
        assert 0.4 < time.monotonic() - began < 6
        assert call.exception().code() == S.UNAVAILABLE
    # what became of it is told under the same reference
    world.gateway.start()
    again = Platform(world, platform.code)
    payout = again.payouts.SubmitPayout(request, timeout=SECONDS)
    assert again.balance() == 10_000_000 - 5_000
    assert payout.reference == "caught"


# ---------------------------------------------------------------- SIGHUP
def served_certificate(world, principal):
    context = ssl.create_default_context(cafile=world.pki.ca)
    context.load_cert_chain(*world.pki.pair(principal))
    with context.wrap_socket(socket.create_connection(("localhost", world.gateway.port), SECONDS),
                             server_hostname="localhost") as tls:
        return tls.getpeercert(binary_form=True)


def test_certificates_and_log_level_are_read_again(new_world, work, pki):
    cert, key = work / "swap.pem", work / "swap.key"

    def put(name):
        for source, target in zip(pki.pair(name), (cert, key)):
            target.write_bytes(source.read_bytes())
            target.chmod(0o600)

    put("server")
    world = new_world(tls_cert=cert, tls_key=key)
    platform = world.platform()
    before = served_certificate(world, platform.code)
    assert "call.answered" not in world.gateway.log()
    put(pki.server("--rsa", "DNS:localhost"))
    world.gateway.write_config(log_level="debug", workers=7)
    world.gateway.reload()
    wait_until(lambda: served_certificate(world, platform.code) != before, 10, "the new certificate")
    assert platform.balance() == 10_000_000, "who was connected stays so"
    wait_until(lambda: platform.balance() and "call.answered" in world.gateway.log(), 10, "lines of debug")
    assert len(world.gateway.workers()) == 1
    # a file that is broken changes nothing
    now = served_certificate(world, platform.code)
    cert.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    world.gateway.write_config(log_level="info", surprise="yes")
    world.gateway.reload()
    wait_until(lambda: "reload.tls" in world.gateway.log() and "reload.config" in world.gateway.log(), 10, "complaints")
    assert served_certificate(world, platform.code) == now
    assert "surprise" in world.gateway.log()


def test_the_log_file_is_opened_anew(new_world, work):
    log = work / ("moved-%d.log" % os.getpid())
    world = new_world(log_file=log)
    assert "master.ready" in log.read_text()
    log.rename(log.with_suffix(".1"))
    world.gateway.reload()
    wait_until(lambda: log.exists() and "worker.reloaded" in log.read_text(), 10, "a new log")


# ---------------------------------------------------------------- logs
def test_the_log_has_no_iban_cnic_or_number_in_it(new_world):
    """At the level that says most, with good and bad ones; and it can see: their masks are there."""
    world = new_world(log_level="debug")
    platform, bank = world.platform(), world.bank()
    api, secrets = world.api, set()

    def details(**changes):
        d = platform.details(bank, **changes)
        secrets.update(filter(None, (d.iban, d.cnic, d.cnic.replace("-", ""), d.iban[4:], d.iban[-16:])))
        return d

    payout = platform.submit(details(), 5_000)
    platform.batch([platform.request(details(), 5_000) for _ in range(5)])
    registered = platform.beneficiaries.RegisterBeneficiary(api.payout.RegisterBeneficiaryRequest(
        request_id="x", details=details()), timeout=SECONDS)
    platform.beneficiaries.UpdateBeneficiary(api.payout.UpdateBeneficiaryRequest(name=registered.name, details=details()),
                                             timeout=SECONDS)
    dashed = details(cnic="42101-7654321-9")
    platform.submit(dashed)
    alias = platform.details(bank, iban=None, mobile_alias="03217654321", bank_code=bank.code)
    platform.submit(alias)
    secrets |= {"03217654321", "+923217654321", "3217654321"}
    for bad in (details(cnic="4210112345678901"), details(iban="PK00%s0000001112223334" % bank.code), details(display_name="")):
        world.refused(platform.payouts.SubmitPayout, platform.request(bad))
        world.refused(platform.beneficiaries.RegisterBeneficiary, api.payout.RegisterBeneficiaryRequest(
            request_id="y-%d" % number(), details=bad))
    told = bank.take(8)
    bank.confirm(*(bank.settled(i) for i in told))
    platform.get(payout.name)
    world.auditor.trail(payout.name)
    platform.watch().take(8)
    world.gateway.stop()
    log = world.gateway.log()
    assert "payout.accepted" in log and "call.refused" in log
    found = [s for s in secrets if s and s in log]
    assert not found, [line for line in log.splitlines() if any(s in line for s in found)][:3]
    masked = re.search(r"iban=\"?(\S+)", log)
    assert masked and "*" in masked.group(1)
    assert re.search(r"cnic=\"?\*", log)


def test_the_log_names_connection_payout_and_principal(new_world):
    world = new_world(log_level="debug")
    platform, bank = world.platform(), world.bank()
    payout = platform.submit(platform.details(bank), 5_000)
    no = world.refused(platform.payouts.SubmitPayout, platform.request("platforms/%s/beneficiaries/77" % platform.code))
    assert no.reason == "BENEFICIARY_NOT_FOUND"
    lines = world.gateway.log().splitlines()
    accepted = [line for line in lines if "payout.accepted" in line]
    assert len(accepted) == 1 and payout.name in accepted[0] and re.search(r"\bconn=\d+", accepted[0])
    refused = [line for line in lines if "call.refused" in line and "BENEFICIARY_NOT_FOUND" in line]
    assert len(refused) == 1 and "ujrat://platform/%s" % platform.code in refused[0]
    assert re.search(r"\bconn=\d+", refused[0]) and "field=beneficiary" in refused[0]
    # one line, one event: nothing a client sends can make a line of its own
    assert all(re.match(r"\S+", line) for line in lines)


def test_what_a_client_sends_makes_no_line_of_its_own(new_world):
    world = new_world(log_level="debug")
    platform = world.platform()
    call = platform.channel.unary_unary("/ujrat.payout.v1.PayoutService/" + "A" * 300)
    world.refused(call, b"")
    raw = RawH2(world.gateway.port, world.pki.folder, platform.code)
    raw.headers(1, end=True, path="/ujrat.payout.v1.PayoutService/Get\tx=1 level=error")
    raw.wait_for(lambda f: f.stream == 1 or f.type == RawH2.GOAWAY)
    raw.close()
    for line in world.gateway.log().splitlines():
        assert line.startswith("ts=") and line.count(" level=") <= 1 or '"' in line, line


def password_of(cluster, role):
    for line in (cluster.folder / "pgpass").read_text().splitlines():
        if line.split(":")[3] == role:
            return line.split(":", 4)[4]
    raise AssertionError("no password for " + role)


def command_lines():
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            pass


def test_no_password_is_in_the_log_nor_in_any_command_line(cluster, new_world, tmp_path):
    database = new_database(cluster)
    uri = database.uri("ujrat_app")
    password = password_of(cluster, "ujrat_app")
    secret = tmp_path / "uri"
    secret.write_text(re.sub(r"&passfile=.*", "&password=" + password, uri) + "\n")
    secret.chmod(0o600)
    world = new_world(database, db=None, db_file=secret, log_level="debug")
    platform = world.platform()
    platform.submit(platform.details(world.bank()))
    assert not [c for c in command_lines() if password.encode() in c]
    # connections that are lost and made again are logged, without it
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ujrat_app' AND datname = current_database()")
    wait_until(lambda: _balance(platform) is not None, 10, "the ledger to be reached again")
    world.gateway.stop()
    assert password not in world.gateway.log()
    assert "password=" not in world.gateway.log()


def test_a_wrong_password_is_not_told_either(cluster, world, new_gateway, tmp_path):
    secret = tmp_path / "uri"
    secret.write_text(re.sub(r"&passfile=.*", "&password=very-wrong-one", world.database.uri("ujrat_app")))
    secret.chmod(0o600)
    gateway = new_gateway(world.database, start=False, db=None, db_file=secret, db_start_timeout="500ms", log_level="debug")
    assert start_fails(gateway) == LEDGER
    assert "very-wrong-one" not in gateway.log()
    secret.chmod(0o644)
    gateway = new_gateway(world.database, start=False, db=None, db_file=secret)
    assert start_fails(gateway) == CONFIG
    assert "0600" in gateway.log() and "very-wrong-one" not in gateway.log()


# ---------------------------------------------------------------- bounds
def busy(no, world, reason=None):
    """RESOURCE_EXHAUSTED with RetryInfo; of the ledger's queue, with its reason."""
    assert no.code == S.RESOURCE_EXHAUSTED, no
    assert no.details["RetryInfo"].retry_delay.ToMilliseconds() > 0
    assert reason is None or no.reason == reason


def test_connections_over_the_bound(new_world):
    world = new_world(connections_max=10)
    platform = world.platform()
    platform.channel.close()
    time.sleep(0.2)
    mine = [Platform(world, platform.code) for _ in range(11)]
    for one in mine[:10]:
        assert one.balance() == 10_000_000
    began = time.monotonic()
    busy(world.refused(mine[10].payouts.GetBalance, world.api.payout.GetBalanceRequest()), world)
    assert time.monotonic() - began < 2, "at once"
    assert mine[0].balance() == 10_000_000
    mine[0].channel.close()
    last = Platform(world, platform.code)
    wait_until(lambda: _balance(last) == 10_000_000, 10, "room again")


def test_calls_over_the_bound(new_world):
    world = new_world(calls_max=3)
    platform = world.platform()
    streams = [platform.watch() for _ in range(3)]
    for stream in streams:
        assert stream.silent(0.1)
    began = time.monotonic()
    busy(world.refused(platform.payouts.GetBalance, world.api.payout.GetBalanceRequest()), world)
    assert time.monotonic() - began < 2
    streams[0].close()
    wait_until(lambda: _balance(platform) == 10_000_000, 10, "room again")


def test_streams_of_a_connection_over_the_bound_wait_their_turn(new_world):
    """Stock clients hold back what the server would not take."""
    world = new_world(streams_per_connection_max=4)
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    calls = [platform.payouts.SubmitPayout.future(platform.request(to, 1_000), timeout=SECONDS) for _ in range(40)]
    assert len({c.result().name for c in calls}) == 40


def test_a_full_queue_of_payouts_says_so_at_once(new_world):
    world = new_world(queue_payouts_max=10, batch_payouts_max=4, db_connections=1)
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    with locked_book(world.database, platform.code):
        calls = [platform.payouts.SubmitPayout.future(platform.request(to, 1_000), timeout=SECONDS) for _ in range(60)]
        wait_until(lambda: sum(c.done() for c in calls) >= 50, 5, "refusals, while the ledger still waits")
        busy(world.refused(lambda **_: platform.batch([platform.request(to, 1_000) for _ in range(11)])), world, "QUEUE_FULL")
    taken = [c for c in calls if c.exception() is None]
    for call in calls:
        if call not in taken:
            busy(world.refused(lambda **_: call.result()), world, "QUEUE_FULL")
    assert len(taken) == 10
    assert platform.balance() == 10_000_000 - 1_000 * len(taken)
    # what was refused was not done, and may come again
    platform.submit(to, 1_000)


def test_a_full_queue_of_questions_says_so_at_once(new_world):
    world = new_world(queue_statements_max=20, db_connections=1)
    platform, bank = world.platform(), world.bank()
    requests = [world.api.payout.RegisterBeneficiaryRequest(request_id="r-%d" % number(), details=platform.details(bank))
                for _ in range(80)]
    with locked_book(world.database, platform.code):
        calls = [platform.beneficiaries.RegisterBeneficiary.future(r, timeout=SECONDS) for r in requests]
        wait_until(lambda: sum(c.done() for c in calls) >= 50, 5, "refusals, while the ledger still waits")
        for call in calls:
            if call.done():
                busy(world.refused(lambda **_: call.result()), world, "QUEUE_FULL")
    for call in calls:  # those that got in are answered, unless there was no room to read what had been done
        if call.exception() is not None:
            no = world.refused(lambda **_: call.result())
            assert no.reason in ("QUEUE_FULL", "OUTCOME_UNKNOWN") and "RetryInfo" in no.details
    # asked again, each is there once
    assert len({platform.beneficiaries.RegisterBeneficiary(r, timeout=SECONDS).name for r in requests}) == 80
    assert world.value("SELECT count(*) FROM beneficiary") == 80


def test_the_longest_message_is_a_setting(new_world):
    world = new_world(message_bytes_max="1KiB", batch_bytes_max="64KiB")
    platform, bank = world.platform(), world.bank()
    call = platform.channel.unary_unary("/ujrat.payout.v1.PayoutService/SubmitPayout")
    no = world.refused(call, b"\x0a\xff\x0f" + b"x" * 2047)
    assert no.code == S.RESOURCE_EXHAUSTED and "1024" in no.message
    to = platform.register(bank).name
    assert len(platform.batch([platform.request(to, 1_000) for _ in range(500)])) == 500


# ---------------------------------------------------------------- deadlines, health, reflection
def test_the_server_keeps_the_deadline_too(new_world):
    world = new_world()
    platform, bank = world.platform(), world.bank()
    message = platform.request(platform.register(bank).name, 5_000).SerializeToString()
    with locked_book(world.database, platform.code):
        raw = RawH2(world.gateway.port, world.pki.folder, platform.code)
        raw.headers(1, path="/ujrat.payout.v1.PayoutService/SubmitPayout", extra=[(b"grpc-timeout", b"300m")])
        raw.frame(RawH2.DATA, 1, 1, b"\0" + struct.pack("!I", len(message)) + message)
        began = time.monotonic()
        assert raw.wait_for(lambda f: f.stream == 1 and f.type in (RawH2.HEADERS, RawH2.RST_STREAM))
        assert 0.25 < time.monotonic() - began < 5
        raw.close()


def test_a_ledger_that_hangs_is_given_up(new_world):
    """A client that named no deadline is answered all the same; what was asked under one reference lands once."""
    world = new_world(statement_timeout="1s")
    platform, bank = world.platform(), world.bank()
    request = platform.request(platform.register(bank).name, 5_000, reference="hanging")
    with locked_book(world.database, platform.code):
        began = time.monotonic()
        no = world.refused(platform.payouts.SubmitPayout, request, timeout=None)
        assert 0.5 < time.monotonic() - began < 5
        assert no.reason in ("LEDGER_UNAVAILABLE", "OUTCOME_UNKNOWN"), no
        assert no.details["RetryInfo"].retry_delay.ToMilliseconds() > 0
    wait_until(lambda: _balance(platform) is not None, 10, "the ledger")
    platform.payouts.SubmitPayout(request, timeout=SECONDS)
    assert platform.balance() == 10_000_000 - 5_000


SERVICES = ["ujrat.payout.v1.PayoutService", "ujrat.payout.v1.BeneficiaryService", "ujrat.settlement.v1.SettlementService",
            "ujrat.audit.v1.AuditService"]


def test_health(world):
    health = world.api.health_grpc.HealthStub(Party(world, "upwork").channel)
    ask = lambda service: health.Check(world.api.health.HealthCheckRequest(service=service), timeout=SECONDS).status  # noqa: E731
    assert {ask(service) for service in ["", *SERVICES]} == {1}
    assert world.refused(lambda **_: ask("ujrat.Nothing")).code == S.NOT_FOUND


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection(world, version):
    """A client that knows nothing learns the whole contract from the gateway."""
    pb2 = importlib.import_module("grpc.reflection.%s.reflection_pb2" % version)
    stub = importlib.import_module("grpc.reflection.%s.reflection_pb2_grpc" % version).ServerReflectionStub(
        Party(world, "upwork").channel)

    def ask(**request):
        answer, = stub.ServerReflectionInfo(iter([pb2.ServerReflectionRequest(**request)]), timeout=SECONDS)
        return answer

    services = [s.name for s in ask(list_services="*").list_services_response.service]
    assert set(SERVICES) <= set(services)
    assert not [s for s in services if s.startswith("grpc.testing")]
    methods = {}
    for service in SERVICES:
        files = {}
        for blob in ask(file_containing_symbol=service).file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(blob)
            files[file.name] = file
        for file in files.values():
            assert set(file.dependency) <= set(files)
            methods.update({file.package + "." + s.name: [m.name for m in s.method] for s in file.service})
    assert "SubmitPayouts" in methods["ujrat.payout.v1.PayoutService"]
    assert methods["ujrat.audit.v1.AuditService"] == ["GetTrialBalance", "ListJournals", "GetAccountStatement", "GetPayoutTrail", "GetTreeHead",
                                                       "GetInclusionProof", "GetConsistencyProof", "GetReceipt"]


def test_many_clients_come_and_go(world):
    platform = world.platform()

    def visit(_):
        one = Platform(world, platform.code)
        try:
            return one.balance()
        finally:
            one.channel.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(visit, range(64))) == {10_000_000}
