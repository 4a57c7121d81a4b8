"""Webhooks through the real notifier to a receiver over HTTPS: what is told, how it is signed, in which order, and what becomes of it when
the receiver misbehaves or the notifier is killed. Batches are rows written by SQL around payouts of the gateway."""
import json
import os
import signal
import time

import psycopg
import pytest

from batch_rows import put_batch
from harness import run, BIN, PATIENCE, wait_until
from hook_receiver import Receiver, verify_paypal, verify_standard
from world import number

HOUR_MS = 3_600_000


class Hooks:
    """A world whose gateway delivers webhooks, one platform of it, and a bank."""

    def __init__(self, world, folder, pki):
        self.world, self.folder, self.pki = world, folder, pki
        self.bank = world.bank()
        self.receivers = []

    def platform(self):
        platform = self.world.platform()
        platform.book, = self.world.rows("SELECT book_id FROM book WHERE code = %s", platform.code)[0]
        return platform

    def receiver(self, answer=lambda path, event: 200, server="server"):
        made = Receiver(*self.pki.pair(server), answer)
        self.receivers.append(made)
        return made

    def admin(self, sql, *args):
        with self.world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
            return db.execute(sql, args).fetchone()[0]

    def create(self, platform, url, types=("*",), concurrency=4):
        public = "%017d" % number()
        assert self.admin("SELECT create_webhook(%s, %s, %s, %s, %s::int2, 'test')", platform.book, public, url, list(types), concurrency) == 1
        return public

    def batch(self, platform, n=1, settle=True, refused=0):
        """A batch of so many payouts, paid by the bank unless told otherwise: its number, and the instructions."""
        details = platform.details(self.bank)
        names = [platform.submit(details, 5000 + i).name for i in range(n)]
        ids = [int(name.rsplit("/", 1)[1]) for name in names]
        with self.world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
            batch = put_batch(db, platform.book, ids, refused=refused)
        if settle:
            self.settle(platform, ids)
        return batch

    def settle(self, platform, ids):
        wanted = {"%d-%d" % (platform.book, i) for i in ids}
        stream = self.bank.watch()
        told = {}
        while not wanted <= set(told):
            for i in stream.take(1):
                told[self.short(i.instruction_id)] = i
        stream.close()
        self.bank.confirm(*[self.bank.settled(told[w]) for w in sorted(wanted)])
        return told

    @staticmethod
    def short(instruction_id):
        book, payout = instruction_id.split("-")[:2]
        return "%d-%d" % (int("".join(c for c in book if c.isdigit()) or 0), int(payout))

    def deliveries(self, platform):
        return self.world.rows("SELECT event_no, state, attempts, last_status, last_error FROM webhook_delivery WHERE book_id = %s ORDER BY 1, webhook_id",
                               platform.book)

    def done(self, platform, n=None, seconds=30):
        def over():
            rows = self.deliveries(platform)
            return rows and all(r[1] != "PENDING" for r in rows) and (n is None or len(rows) == n)
        wait_until(over, seconds, "all deliveries to end")
        return self.deliveries(platform)

    @property
    def notifier(self):
        return wait_until(self.world.gateway.notifier, 10, "the notifier")


@pytest.fixture(scope="module")
def hooks(new_world, work, pki, cluster):
    from harness import new_database

    database = new_database(cluster)
    keys = work / ("hook-keys-%d" % number())
    keys.mkdir(mode=0o700)
    run(BIN / "ujrat", "webhook", "key", "new", keys, "--quiet")
    world = new_world(database, hooks=True, hooks_db=database.uri("ujrat_hooks"), hooks_keys=keys, hooks_base_url="https://pay.example.pk",
                      hooks_ca_file=pki.ca, hooks_private_targets=True, hooks_poll="20ms", hooks_retry_first="40ms")
    made = Hooks(world, work, pki)
    made.keys = keys
    pki.server("DNS:other.example", name="other-host")
    yield made
    for receiver in made.receivers:
        receiver.close()


def key_of(hooks, kind):
    return hooks.world.value("SELECT public_key FROM webhook_key WHERE kind = %s ORDER BY created_at DESC LIMIT 1", kind)


# ------------------------------------------------------------------ what is told
def test_a_batch_is_told_signed_twice_and_verified_by_the_text_of_the_page(hooks):
    platform, receiver = hooks.platform(), hooks.receiver()
    public = hooks.create(platform, receiver.url())
    batch = hooks.batch(platform, 2)
    assert [r[1:] for r in hooks.done(platform, 4)] == [("DELIVERED", 1, 200, None)] * 4
    kinds = sorted(e[1] for e in receiver.events())
    assert kinds == ["PAYOUTS-ITEM.SUCCEEDED"] * 2 + ["PAYOUTSBATCH.PROCESSING", "PAYOUTSBATCH.SUCCESS"]
    cert = (hooks.keys / "rsa.crt").read_bytes()
    for _, headers, body, _ in receiver.got:
        event = json.loads(body)
        assert headers["webhook-id"] == event["id"] and headers["content-type"] == "application/json"
        assert verify_standard(key_of(hooks, "ed25519"), headers, body) and verify_paypal(cert, public, headers, body)
        assert not verify_standard(key_of(hooks, "ed25519"), headers, body + b" ") and not verify_paypal(cert, "x", headers, body)
        assert headers["paypal-cert-url"].startswith("https://pay.example.pk/v1/notifications/certs/")
        if event["resource_type"] == "payouts_item":
            assert event["resource"]["transaction_status"] == "SUCCESS"
            assert event["resource"]["payout_item"]["amount"]["currency"] == "USD"
            assert not set(event["resource"]["payout_item"]) & {"receiver", "note"}
        else:
            assert event["resource"]["batch_header"]["sender_batch_header"]["sender_batch_id"] == "batch %d" % batch


def test_a_body_can_be_forged_under_paypals_scheme_and_not_under_ours(hooks):
    """docs/webhooks.md: four bytes that nobody looks at make any body have any CRC32."""
    from forge_crc32 import forge

    platform, receiver = hooks.platform(), hooks.receiver()
    public = hooks.create(platform, receiver.url())
    hooks.batch(platform, 1, settle=False)
    hooks.done(platform, 1)
    _, headers, body, _ = receiver.got[0]
    lie = forge(body.replace(b"PROCESSING", b"SUCCESS"), body)
    assert json.loads(lie)["resource"]["batch_header"]["batch_status"] == "SUCCESS"
    assert verify_paypal((hooks.keys / "rsa.crt").read_bytes(), public, headers, lie)
    assert not verify_standard(key_of(hooks, "ed25519"), headers, lie)


def test_the_certificate_and_key_files_are_made_once_and_for_their_owner(hooks, tmp_path):
    assert {f.name: oct(f.stat().st_mode & 0o777) for f in hooks.keys.iterdir()} == {"ed25519.pem": "0o600", "rsa.pem": "0o600", "rsa.crt": "0o644"}
    with pytest.raises(AssertionError, match="File exists"):
        run(BIN / "ujrat", "webhook", "key", "new", hooks.keys)


# ------------------------------------------------------------------ endpoints that misbehave
def test_failures_are_tried_again_and_the_events_of_an_item_keep_their_order(hooks):
    platform = hooks.platform()
    tries = {}

    def answer(path, event):
        n = tries[event["id"]] = tries.get(event["id"], 0) + 1
        return 200 if n > 3 else (500, 429, 302)[n - 1]

    receiver = hooks.receiver(answer)
    hooks.create(platform, receiver.url())
    hooks.batch(platform, 1)
    assert [r[1:4] for r in hooks.done(platform, 3)] == [("DELIVERED", 4, 200)] * 3
    of_batch = [e[1] for e in receiver.events() if e[1].startswith("PAYOUTSBATCH")]
    assert of_batch == ["PAYOUTSBATCH.PROCESSING"] * 4 + ["PAYOUTSBATCH.SUCCESS"] * 4


def test_a_redirect_is_not_followed(hooks):
    platform, other = hooks.platform(), hooks.receiver()

    def away(handler):
        handler.send_response(307)
        handler.send_header("Location", other.url("/other"))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    state = {"away": True}
    receiver = hooks.receiver(lambda path, event: away if state["away"] else 200)
    hooks.create(platform, receiver.url())
    hooks.batch(platform, 1, settle=False)
    wait_until(lambda: len(receiver.got) >= 2, 20, "a second try")
    state["away"] = False
    hooks.done(platform, 1)
    assert other.got == []


def test_410_disables_the_endpoint_and_an_operator_enables_it(hooks):
    platform, state = hooks.platform(), {"gone": True}
    receiver = hooks.receiver(lambda path, event: 410 if state["gone"] else 200)
    public = hooks.create(platform, receiver.url())
    hooks.batch(platform, 1, settle=False)
    wait_until(lambda: hooks.admin("SELECT state FROM webhook_now WHERE public_id = %s", public) == "DISABLED", 20, "the endpoint to be disabled")
    assert len(receiver.got) == 1 and hooks.admin("SELECT reason FROM webhook_now WHERE public_id = %s", public) == "it answered 410 Gone"
    hooks.batch(platform, 1)
    time.sleep(0.5)
    assert len(receiver.got) == 1
    assert json.loads(run(BIN / "ujrat", "webhook", "list", platform.code, "--json", "--db", hooks.world.database.uri("ujrat_auditor")))[0]["state"] == "DISABLED"
    state["gone"] = False
    hooks.world.gateway.ujrat("webhook", "enable", platform.code, public, "--quiet")
    hooks.done(platform, 1)
    events = hooks.admin("SELECT max(event_no) FROM webhook_event WHERE book_id = %s", platform.book)
    name = lambda n: "WH-%08X-%013X" % (platform.book, n)
    assert "%d deliveries" % events in hooks.world.gateway.ujrat("webhook", "replay", platform.code, name(1), name(events))
    hooks.done(platform, events)
    assert len({e[0] for e in receiver.events()}) == events == 4


def test_a_large_answer_a_wrong_certificate_and_nobody_there(hooks):
    platform = hooks.platform()

    def large(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 30))
        handler.end_headers()
        try:
            for _ in range(1 << 10):
                handler.wfile.write(b"x" * (1 << 20))
        except OSError:
            handler.close_connection = True

    receiver, wrong = hooks.receiver(lambda path, event: large), hooks.receiver(server="other-host")
    hooks.create(platform, receiver.url("/large"))
    hooks.create(platform, wrong.url("/wrong"))
    hooks.create(platform, "https://localhost:1/nobody")
    hooks.batch(platform, 1, settle=False)
    wait_until(lambda: sorted(r[1] for r in hooks.deliveries(platform)) == ["DELIVERED", "PENDING", "PENDING"] and
               all(r[1] == "DELIVERED" or r[2] > 1 for r in hooks.deliveries(platform)), 30, "one to be delivered, two to fail twice")
    errors = {r[4] for r in hooks.deliveries(platform)}
    assert wrong.got == [] and len(errors) == 3 and any("certificate" in (e or "") for e in errors), errors


def test_what_never_works_is_given_up_after_25_tries_and_can_be_seen_and_replayed(hooks):
    platform, state = hooks.platform(), {"bad": True}
    receiver = hooks.receiver(lambda path, event: 503 if state["bad"] else 200)
    hooks.create(platform, receiver.url())
    hooks.batch(platform, 1, settle=False)
    due_now = "UPDATE webhook_delivery SET next_at = clock_timestamp() WHERE book_id = %s AND state = 'PENDING' AND attempts = %s"
    with hooks.world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
        for attempt in range(1, 25):      # the pauses themselves are a unit test's
            wait_until(lambda: db.execute("SELECT attempts >= %s FROM webhook_delivery WHERE book_id = %s", (attempt, platform.book)).fetchone()[0], 20, "a try")
            db.execute(due_now, (platform.book, attempt))
    assert [r[1:] for r in hooks.done(platform, 1, 60)] == [("FAILED", 25, 503, "answered 503")]
    assert len(receiver.got) == 25
    shown, = json.loads(run(BIN / "ujrat", "webhook", "deliveries", platform.code, "--state", "FAILED", "--json",
                            "--db", hooks.world.database.uri("ujrat_auditor")))
    assert (shown["attempts"], shown["status"], shown["problem"]) == (25, 503, "answered 503")
    state["bad"] = False
    hooks.world.gateway.ujrat("webhook", "replay", platform.code, shown["event"], "--quiet")
    assert hooks.done(platform, 1)[0][1:3] == ("DELIVERED", 1)


@pytest.mark.seconds_max(90)
def test_one_that_hangs_is_given_up_after_15_seconds_and_holds_nobody_up(hooks):
    platform = hooks.platform()
    release = {"at": time.monotonic() + 40}
    hanging = hooks.receiver(lambda path, event: time.sleep(max(0, release["at"] - time.monotonic())) or 200)
    quick = hooks.receiver()
    hooks.create(platform, hanging.url())
    hooks.create(platform, quick.url())
    begun = time.monotonic()
    hooks.batch(platform, 1)
    wait_until(lambda: len(quick.got) == 3, 12, "the quick one to be told all")
    wait_until(lambda: any(r[2] > 0 and r[1] == "PENDING" for r in hooks.deliveries(platform)), 30, "a try to be over")
    assert 10 < time.monotonic() - begun
    release["at"] = 0
    hooks.create(platform, quick.url("/x"))


# ------------------------------------------------------------------ where it may not go
def test_no_private_target_is_reached_however_it_is_written(new_world, work, pki, cluster, hooks):
    from harness import new_database

    database = new_database(cluster)
    world = new_world(database, hooks=True, hooks_db=database.uri("ujrat_hooks"), hooks_keys=hooks.keys, hooks_base_url="https://pay.example.pk",
                      hooks_ca_file=pki.ca, hooks_poll="20ms", hooks_retry_first="40ms")
    strict = Hooks(world, work, pki)
    platform, receiver = strict.platform(), hooks.receiver()
    hosts = ["localhost", "127.0.0.1", "[::1]", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "0.0.0.0", "169.254.169.254"]
    for host in hosts:
        strict.create(platform, receiver.url("/" + str(hosts.index(host)), host))
    strict.batch(platform, 1, settle=False)
    wait_until(lambda: len(strict.deliveries(platform)) == len(hosts) and all(r[2] >= 1 for r in strict.deliveries(platform)), 40, "each to fail")
    said = {r[4] for r in strict.deliveries(platform)}
    assert receiver.got == [] and said == {"the name leads to an address that is not a public one"}, said


# ------------------------------------------------------------------ many, and kills
@pytest.mark.seconds_max(300)
def test_a_batch_of_15000_does_not_flood_an_endpoint(hooks):
    """Its events are there at once (all items were refused); the endpoint never sees more than its four at a time."""
    platform = hooks.platform()
    receiver = hooks.receiver(lambda path, event: time.sleep(0.001) or 200)
    hooks.create(platform, receiver.url("/many"))
    with hooks.world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
        put_batch(db, platform.book, refused=15_000)
    wait_until(lambda: len(receiver.got) >= 3000, 200, "some thousands to come")
    assert 1 < receiver.busiest["/many"] <= 4
    assert hooks.admin("SELECT count(*) FROM webhook_event WHERE book_id = %s", platform.book) == 15_002
    with hooks.world.database.connect("postgres", autocommit=True, options="-c search_path=ujrat") as db:
        db.execute("SELECT change_webhook(%s, public_id, NULL, NULL, NULL, 'DELETED', 't', 't') FROM webhook_now WHERE book_id = %s",
                   (platform.book, platform.book))


@pytest.mark.seconds_max(240)
def test_a_notifier_killed_again_and_again_tells_everything_in_order(hooks):
    platform = hooks.platform()
    receiver = hooks.receiver(lambda path, event: time.sleep(0.01) or 200)
    hooks.create(platform, receiver.url())
    batches = []
    for i in range(4):
        batches.append(hooks.batch(platform, 6))
        pid = hooks.notifier
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: hooks.world.gateway.notifier() not in (None, pid), 20, "another notifier")
    rows = hooks.done(platform, 4 * 8, 60)
    assert {r[1] for r in rows} == {"DELIVERED"}
    first = {}
    for n, (event, kind, what) in enumerate(receiver.events()):
        first.setdefault(event, (n, kind, what))
    assert len(first) == 32, "each event came, at least once"
    for what in {w for _, _, w in first.values()}:
        order = [kind for _, kind, w in sorted(first.values()) if w == what]
        assert order in (["PAYOUTS-ITEM.SUCCEEDED"], ["PAYOUTSBATCH.PROCESSING", "PAYOUTSBATCH.SUCCESS"])


def test_of_two_gateways_one_delivers_and_the_other_takes_over(new_world, hooks):
    second = new_world(hooks.world.database, **{k: v for k, v in hooks.world.gateway.settings.items() if k.startswith("hooks")},
                       pii_keys=hooks.world.gateway.settings["pii_keys"])
    wait_until(lambda: "hooks.standing_by" in second.gateway.log(), 20, "the second to stand by")
    platform, receiver = hooks.platform(), hooks.receiver()
    hooks.create(platform, receiver.url())
    hooks.batch(platform, 3)
    hooks.done(platform, 5)
    assert len(receiver.got) == 5, "none came twice"
    second.gateway.stop()
