"""make bench: how fast Ujrat is on this machine, against the limit of the same machine in the same run.

  run.py [--quick] [--no-history | --history-only | --sealing-only | --settlement-only | --rest-only |
          --audit-only MILLIONS]

--quick: short runs, for a look; --no-history: not with 1 and 5 million payouts in the book; --history-only,
--sealing-only, --settlement-only, --rest-only, --audit-only: nothing else. MILLIONS of payouts are posted and sealed before they are audited (1 by default).

Prints a table and writes the same figures to build/bench.json. The client, the gateway and PostgreSQL share the machine's
cores; fsync and synchronous_commit are on. Ratios are to the COPY limit measured just before and just after.
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import BIN, ROOT, Cluster, Gateway, Pki, compile_stubs, new_database, run, wait_until  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
BOOKS = 2
BANKS = ("MUCB", "SCBL")      # of setup.sql


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- CPU time of processes, from outside
def cpu_seconds(pids):
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += sum(int(x) for x in fields[11:15])  # user, system, and of children that ended
    return total / TICK


def children(pid):
    found = [pid]
    for task in pathlib.Path("/proc/%d/task" % pid).iterdir():
        for child in (task / "children").read_text().split():
            found += children(int(child))
    return found


class Bench:
    """A database with books to pay from, in a cluster that several may share."""

    def __init__(self, folder, cluster, name, books=BOOKS):
        self.folder, self.cluster, self.name, self.gateway = folder, cluster, name, None
        self.database = new_database(cluster, name)
        run("psql", self.database.uri(), "-q", "-v", "books=%d" % books, "-f", ROOT / "tests/bench/setup.sql")
        self.float_account = self.database.value(
            "SELECT account_id FROM ujrat.account WHERE book_id = 1 AND code = 'float.USD'")

    def fresh(self, name, books):
        return Bench(self.folder, self.cluster, name, books)

    def checkpoint(self):
        with self.database.connect(autocommit=True) as c:
            c.execute("CHECKPOINT")

    # ------------------------------------------------------------ the limit
    def copy_limit(self, payouts):
        """The same rows, with their indexes and checks, by binary COPY through one connection: payouts per second."""
        with self.database.connect(autocommit=True) as c:
            c.execute("SET search_path = ujrat")
            n = c.execute("SELECT count(*) FROM payout WHERE book_id = 1").fetchone()[0]
            assert n >= payouts, "post some payouts first"
            c.execute("DROP TABLE IF EXISTS copy_payout, copy_journal")
            c.execute("CREATE TABLE copy_payout (LIKE payout INCLUDING ALL, FOREIGN KEY (book_id, quote_id) REFERENCES quote)")
            c.execute("CREATE TABLE copy_journal (LIKE journal INCLUDING ALL)")
            rows = {}
            for table, source in (("copy_payout", "SELECT * FROM payout WHERE book_id = 1 ORDER BY payout_id LIMIT %d"),
                                  ("copy_journal", "SELECT * FROM journal WHERE book_id = 1 AND kind = 1 ORDER BY seq LIMIT %d")):
                with c.cursor().copy("COPY (%s) TO STDOUT (FORMAT binary)" % (source % payouts)) as out:
                    rows[table] = b"".join(out)
            c.execute("CHECKPOINT")
            begun = time.monotonic()
            with c.transaction():
                for table in rows:
                    with c.cursor().copy("COPY %s FROM STDIN (FORMAT binary)" % table) as into:
                        for at in range(0, len(rows[table]), 1 << 16):
                            into.write(rows[table][at:at + (1 << 16)])
            seconds = time.monotonic() - begun
            c.execute("DROP TABLE copy_payout, copy_journal")
        return payouts / seconds

    # ------------------------------------------------------------ posting alone
    def post_only(self, payouts, books=1, job=100):
        answer = run(BIN / "bench" / "bench_post", payouts, books, job,
                     env={**os.environ, "UJRAT_BENCH_DB": self.database.uri("ujrat_app"),
                          "UJRAT_BENCH_FLOAT_ACCOUNT": str(self.float_account)})
        return json.loads(answer)

    def post_sealed(self, payouts, books=1):
        """The same with a sealer beside it that is handed what is posted; figures as sealing() wants them."""
        env = {**os.environ, "UJRAT_BENCH_DB": self.database.uri("ujrat_app"), "UJRAT_BENCH_FLOAT_ACCOUNT": str(self.float_account),
               "UJRAT_BENCH_SEAL_DB": self.database.uri("ujrat_sealer"), "UJRAT_BENCH_SEAL_KEYS": str(self.gateway.keys)}
        with subprocess.Popen([str(BIN / "bench" / "bench_post"), str(payouts), str(books), "100"], env=env, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            json.loads(process.stdout.readline())   # warm: what a sealer does once in its life is done
            self.gateway.wait_sealed(300)
            self.checkpoint()
            sealer, backend = children(process.pid)[1:], [self.sealers_backend()]
            used = lambda: [cpu_seconds(sealer), cpu_seconds(backend), cpu_seconds(children(self.cluster.pid()) + sealer)]  # noqa: E731
            before = used()
            process.stdin.write("\n")
            process.stdin.flush()
            figures = json.loads(process.stdout.readline())
            behind, begun = self.gateway.unsealed(), time.monotonic()
            wait_until(lambda: self.gateway.unsealed() == 0, 300, "all to be sealed", every=0.05)
            late, after = time.monotonic() - begun, used()
            process.stdin.close()
        assert process.returncode == 0 and figures["failed"] == 0
        return (figures, behind, late, *(x - y for x, y in zip(after, before)))

    def sealers_backend(self):
        return self.database.value(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'ujrat-sealer' AND datname = current_database()")

    # ------------------------------------------------------------ over the wire
    def start_gateway(self, seal=False, start=True, api=None, **settings):
        pki = Pki(self.folder / ("pki-" + self.name))
        self.env = {**os.environ, "UJRAT_CA": str(pki.ca), "UJRAT_BENCH_BOOKS": str(BOOKS)}
        for i in range(1, BOOKS + 1):
            cert, key = pki.pair(pki.issue("ujrat://platform/bench-%d" % i, name="bench-%d" % i))
            self.env.update({"UJRAT_CERT_%d" % i: str(cert), "UJRAT_KEY_%d" % i: str(key), "UJRAT_PLATFORM_%d" % i: "bench-%d" % i})
        self.gateway = Gateway(self.folder / ("gw-" + self.name), self.database, pki, api, seal=seal, log_level="warn",
                               rate_age_max="365d", connections_max=6000, streams_per_connection_max=4096,
                               **({"seal_interval": "200ms"} if seal else {}), **settings)
        for i in range(1, BOOKS + 1 if seal else 1):
            self.gateway.add_key("bench-%d" % i)
        if start:
            self.listen()

    def listen(self):
        self.gateway.start()
        self.env["UJRAT_ADDR"] = "127.0.0.1:%d" % self.gateway.port

    def banks_env(self):
        """For `bench_client settle`: banks where platforms are."""
        env = {**self.env, "UJRAT_BENCH_BOOKS": str(len(BANKS))}
        for i, bank in enumerate(BANKS, 1):
            cert, key = self.gateway.pki.pair(self.gateway.pki.issue("ujrat://bank/" + bank, name="bench-" + bank.lower()))
            env.update({"UJRAT_CERT_%d" % i: str(cert), "UJRAT_KEY_%d" % i: str(key), "UJRAT_PLATFORM_%d" % i: bank})
        return env

    def client(self, *arguments, env=None, program="bench_client"):
        """Runs the client; its figures, and the CPU time that gateway and PostgreSQL took meanwhile."""
        gateway, postgres = (lambda: children(self.gateway.process.pid)), (lambda: children(self.cluster.pid()))
        before = cpu_seconds(gateway()), cpu_seconds(postgres())
        done = subprocess.run([str(BIN / "bench" / program), *map(str, arguments)], env=env or self.env, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit("%s %s failed: %s%s\n%s" % (program, arguments, done.stdout, done.stderr, self.gateway.log()[-2000:]))
        figures = json.loads(done.stdout)
        figures["gateway_cpu_s"] = cpu_seconds(gateway()) - before[0]
        figures["postgres_cpu_s"] = cpu_seconds(postgres()) - before[1]
        return figures

    def idle_connection_kb(self, connections=2000):
        def rss():
            return sum(int(line.split()[1]) for pid in children(self.gateway.process.pid)
                       for line in pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text().splitlines() if line.startswith("Private"))
        before = rss()
        client = subprocess.Popen([str(BIN / "bench" / "bench_client"), "idle", str(connections), "3"], env=self.env,
                                  stdout=subprocess.PIPE, text=True)
        time.sleep(2)
        deadline = time.monotonic() + 60
        after = rss()
        while time.monotonic() < deadline and client.poll() is None:
            after = max(after, rss())
            time.sleep(0.2)
        client.wait()
        return (after - before) / connections

    def stop(self):
        if self.gateway:
            self.gateway.stop()


def median_of(times, what):
    values = [what() for _ in range(times)]
    return statistics.median(values), values


def measure(b, args):
    f = {}
    scale = 0.2 if args.quick else 1.0
    n = int(200000 * scale)
    times = 1 if args.quick else 3

    say("posting alone: warming up with %d payouts" % n)
    b.post_only(n)
    # The limit and what is held against it take turns, so that a change in the machine's speed hits both.
    limits, posts, posts2 = [], [], []
    for i in range(times):
        say("the limit by COPY, posting alone: round %d of %d" % (i + 1, times))
        limits.append(b.copy_limit(n))
        posts.append(b.post_only(n)["payouts_per_s"])
        posts2.append(b.post_only(n, books=2)["payouts_per_s"])
    b.start_gateway()
    unary, batch = [], []
    for i in range(times):
        say("end to end over mTLS: round %d of %d" % (i + 1, times))
        unary.append(b.client("unary", n, 1024, 4))
        batch.append(b.client("batch", 2 * n, 1000, 12))
        limits.append(b.copy_limit(n))
    f["limit_copy_payouts_per_s"] = statistics.median(limits)
    f["post_only_one_book_payouts_per_s"] = statistics.median(posts)
    f["post_only_payouts_per_s"] = statistics.median(posts2)
    f["e2e_unary_payouts_per_s"] = statistics.median(u["payouts_per_s"] for u in unary)
    f["e2e_batch_payouts_per_s"] = statistics.median(x["payouts_per_s"] for x in batch)
    for name, runs in (("", unary), ("batch_", batch)):
        for who in ("gateway", "postgres"):
            f["%s%s_cpu_us_per_payout" % (name, who)] = statistics.median(r[who + "_cpu_s"] * 1e6 / r["payouts"] for r in runs)
        f[name + "client_cpu_us_per_payout"] = statistics.median(r["client_cpu_us_per_payout"] for r in runs)

    rate = f["e2e_unary_payouts_per_s"] / 2
    say("latency at %d unary payouts/s, half of that" % rate)
    latency = b.client("latency", 4 if args.quick else 15, rate)
    for p in ("p50", "p99", "p999"):
        f["latency_ms_" + p] = latency[p + "_ms"]
    f["latency_rate_per_s"] = rate
    say("memory of idle connections")
    f["idle_connection_kb"] = b.idle_connection_kb(500 if args.quick else 2000)
    return f


def history(b, f, args):
    """Throughput of a book that has 1 and 5 million payouts, against one that is empty: in turns."""
    n = 200000
    f["throughput_ratio_1m"] = f["throughput_ratio_5m"] = None
    if args.no_history or args.quick:
        return
    if b.gateway:
        b.gateway.stop()
        b.gateway = None
    old = b.fresh("history", books=1)
    for millions in (1, 5):
        have = old.database.value("SELECT count(*) FROM ujrat.payout")
        say("filling a book to %d million payouts (it has %d)" % (millions, have))
        old.post_only(millions * 1000000 - have, job=1000)
        ratios = []
        for _ in range(3):
            empty = b.fresh("empty", books=1)
            b.checkpoint()
            empty.post_only(20000)
            speed = empty.post_only(n)["payouts_per_s"]
            full = old.post_only(n)["payouts_per_s"]
            say("  empty %d/s, with %d million %d/s: %.2f" % (speed, millions, full, full / speed))
            ratios.append(full / speed)
        f["throughput_ratio_%dm" % millions] = statistics.median(ratios)


def sealing(b, f, args):
    """What it costs to have every block sealed as it comes: two databases in one cluster, one with a sealer, in turns.
    A round with the sealer is over when all is sealed, and how long that took after the last answer is told too. The share
    of CPU time says the same as the throughput where all cores are busy, and does not hang on who else uses the machine."""
    n = 40000 if args.quick else 200000
    off, on = b.fresh("plain", BOOKS), b.fresh("sealed", BOOKS)
    try:
        off.start_gateway()
        on.start_gateway(seal=True, start=False)
        off.post_only(n)
        on.post_sealed(n)

        def over_the_wire(*arguments):
            """A round of the client with a gateway that seals."""
            pids = [on.gateway.sealer(), on.sealers_backend()]
            before = [cpu_seconds([pid]) for pid in pids] + [cpu_seconds(everyone())]
            figures = on.client(*arguments)
            behind, begun = on.gateway.unsealed(), time.monotonic()
            wait_until(lambda: on.gateway.unsealed() == 0, 300, "all to be sealed", every=0.05)
            late = time.monotonic() - begun
            after = [cpu_seconds([pid]) for pid in pids] + [cpu_seconds(everyone())]
            return (figures, behind, late, *(x - y for x, y in zip(after, before)))

        everyone = lambda: children(b.cluster.pid()) + children(on.gateway.process.pid)  # noqa: E731
        batch, unary = ("batch", n, 1000, 12), ("unary", n // 2, 1024, 4)
        # Posting only goes past a gateway, and has a sealer of its own meanwhile.
        kinds = (("post_one_book", lambda: off.post_only(n), lambda: on.post_sealed(n)),
                 ("post", lambda: off.post_only(n, books=2), lambda: on.post_sealed(n, books=2)),
                 ("e2e_batch", lambda: off.client(*batch), lambda: over_the_wire(*batch)),
                 ("e2e_unary", lambda: off.client(*unary), lambda: over_the_wire(*unary)))
        for name, plain, sealed in kinds:
            r = {k: [] for k in ("off", "on", "behind", "late", "sealer", "backend", "share")}
            if name == "e2e_batch":
                on.listen()
                on.client(*batch)
                on.gateway.wait_sealed(300)
            for i in range(2 if args.quick else 4):
                say("sealing, %s: round %d" % (name, i + 1))
                # on first every other time: what drifts hits both
                for which in (("off", "on"), ("on", "off"))[i % 2]:
                    if which == "off":
                        off.checkpoint()
                        r["off"].append(plain()["payouts_per_s"])
                        continue
                    on.checkpoint()
                    figures, *measured = sealed()
                    behind, late, sealer, backend, all_ = measured
                    sealer, backend, all_ = (x * 1e6 / figures["payouts"] for x in (sealer, backend, all_))
                    for key, value in (("on", figures["payouts_per_s"]), ("behind", behind), ("late", late), ("sealer", sealer),
                                       ("backend", backend),
                                       ("share", 100 * (sealer + backend) /
                                        (all_ - sealer - backend + figures["client_cpu_us_per_payout"]))):
                        r[key].append(value)
            mid = {k: statistics.median(v) for k, v in r.items()}
            f.update({"sealing_cost_%s_%s" % (name, key): value for key, value in (
                ("off_payouts_per_s", mid["off"]), ("on_payouts_per_s", mid["on"]),
                ("percent", 100 * (1 - mid["on"] / mid["off"])), ("cpu_percent", mid["share"]),
                ("blocks_behind", mid["behind"]), ("catch_up_s", mid["late"]),
                ("sealer_cpu_us", mid["sealer"]), ("backend_cpu_us", mid["backend"]))})
            say("  %s; rounds without and with: %s" % ({k: round(v, 2) for k, v in mid.items()},
                                                       [[round(v) for v in r[k]] for k in ("off", "on")]))
    finally:
        for x in (off, on):
            x.stop()


def audit(b, f, millions):
    """ujrat-audit verify over books of so many million payouts, from the database and from an export: lines a second and
    how much memory it took at most. One process, one core; PostgreSQL's work is beside it."""
    x = b.fresh("audited", BOOKS)
    x.start_gateway(seal=True)
    try:
        for done in range(0, int(millions * 1e6), 500000):
            say("posting and sealing: %.1f of %g million payouts" % (done / 1e6, millions))
            x.post_only(min(500000, int(millions * 1e6) - done), books=BOOKS, job=1000)
            x.gateway.wait_sealed(600)
    finally:
        x.stop()
    lines = x.database.value("SELECT sum(debit_count + credit_count)::bigint FROM ujrat.account_now")
    export, uri = b.folder / "audited.log", x.database.uri("ujrat_auditor")
    for name, arguments in (("db", ("verify", "--quiet", "--db", uri)),
                            ("export", ("export", "--format", "log", "--db", uri, "--out", export)),
                            ("file", ("verify", "--quiet", export))):
        say("ujrat-audit %s" % arguments[0])
        begun = time.monotonic()
        process = subprocess.Popen([str(a) for a in (BIN / "ujrat-audit", *arguments)])
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit("ujrat-audit %s: exit %d" % (arguments[0], os.waitstatus_to_exitcode(status)))
        f.update({"audit_%s_lines_per_s" % name: lines / seconds, "audit_%s_rss_mb" % name: usage.ru_maxrss / 1024,
                  "audit_%s_lines_per_cpu_s" % name: lines / (usage.ru_utime + usage.ru_stime)})
        say("  %d lines in %.1f s; %s" % (lines, seconds, {k: round(v) for k, v in f.items() if k.startswith("audit_" + name)}))


def settlement(b, f, args):
    """Instructions from the hand-out to the bank's confirmation: two banks watch while what was accepted before waits for them."""
    n, times = (20000, 2) if args.quick else (100000, 4)
    s = b.fresh("settlement", BOOKS)
    try:
        s.start_gateway()
        env, rounds = s.banks_env(), []
        for i in range(times + 1):
            s.post_only(n, books=2, job=1000)
            with s.database.connect(autocommit=True) as c:
                c.execute("ANALYZE")     # as autovacuum would have by now: no plan is of empty tables
            s.checkpoint()
            r = s.client("settle", n, 1000, 2, env=env)
            env.update({"UJRAT_TOKEN_%d" % (i + 1): r["token_%d" % (i + 1)] for i in range(len(BANKS))})
            say("settlement, round %d%s: %d instructions/s; CPU us an instruction: gateway %.1f, PostgreSQL %.1f, client %.1f" % (
                i, "" if i else " (warming up)", r["instructions_per_s"], r["gateway_cpu_s"] * 1e6 / n, r["postgres_cpu_s"] * 1e6 / n, r["client_cpu_us"]))
            rounds.append(r)
        left = s.database.value("SELECT sum(pending_count)::bigint FROM ujrat.bank_book")
        assert left == 0, "%s instructions were not confirmed" % left
    finally:
        s.stop()
    del rounds[0]
    f["settlement_instructions_per_s"] = statistics.median(r["instructions_per_s"] for r in rounds)
    for who in ("gateway", "postgres"):
        f["settlement_%s_cpu_us" % who] = statistics.median(r[who + "_cpu_s"] * 1e6 / r["instructions"] for r in rounds)
    f["settlement_client_cpu_us"] = statistics.median(r["client_cpu_us"] for r in rounds)


# ---------------------------------------------------------------- the REST API
REST_RECEIVERS, REST_BATCH = 1000, 1000
REST_PAYING, REST_READING = 12, 16      # connections


def bearer_token(x, book):
    """Of a new client of the book's platform."""
    made = json.loads(x.gateway.ujrat("rest", "client", "add", "bench-%d" % book, "--json"))[0]
    basic = base64.b64encode(("%s:%s" % (made["client_id"], made["client_secret"])).encode()).decode()
    context = ssl.create_default_context(cafile=str(x.gateway.pki.ca))

    def ask():
        connection = http.client.HTTPSConnection("localhost", x.gateway.port, context=context)
        connection.request("POST", "/v1/oauth2/token", "grant_type=client_credentials",
                           {"Authorization": "Basic " + basic, "Content-Type": "application/x-www-form-urlencoded"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer.get("access_token")

    return wait_until(ask, 30, "a new client to be known", every=0.2)


def register_receivers(x, book):
    """Beneficiary i of the book is paid as bi@example.com."""
    api = x.gateway.api
    stub = x.gateway.stub("payout", "BeneficiaryService", "bench-%d" % book)
    calls = [stub.AddReceiver.future(api.payout.AddReceiverRequest(
        beneficiary="platforms/bench-%d/beneficiaries/%d" % (book, i), email="b%d@example.com" % i), timeout=300)
        for i in range(1, REST_RECEIVERS + 1)]
    for call in calls:
        call.result()


def rest(b, f, args):
    """Batches of 1,000 items for receivers by e-mail, and single items read: HTTP/1.1 over TLS 1.3, connections that are kept."""
    items, reads, times = (20000, 20000, 1) if args.quick else (200000, 200000, 3)
    x = b.fresh("rest", BOOKS)
    try:
        x.start_gateway(api=compile_stubs(b.folder / "stubs"), rest=True, rest_token_ttl="9h")
        for book in range(1, BOOKS + 1):
            register_receivers(x, book)
            x.env["UJRAT_TOKEN_%d" % book] = bearer_token(x, book)
        paid, read = [], []
        for i in range(times + 1):
            x.checkpoint()
            paid.append(x.client("pay", items, REST_BATCH, REST_PAYING, program="bench_rest"))
            with x.database.connect(autocommit=True) as c:
                c.execute("ANALYZE")
                batches = c.execute("SELECT min(n) FROM (SELECT max(batch_id) AS n FROM ujrat.payout_batch GROUP BY book_id) q").fetchone()[0]
            read.append(x.client("get", reads, REST_READING, batches, REST_BATCH, program="bench_rest"))
            say("REST, round %d%s: %d items/s in batches, %d single reads/s" % (
                i, "" if i else " (warming up)", paid[-1]["per_s"], read[-1]["per_s"]))
        posted, left = x.database.rows("SELECT count(*), count(*) FILTER (WHERE payout_id IS NULL) FROM ujrat.payout_batch_item")[0]
        assert (posted, left) == (items * (times + 1), 0), "%d of %d items are no payouts" % (left, posted)
    finally:
        x.stop()
    for name, unit, rounds, count in (("batch", "item", paid[1:], "items"), ("get", "request", read[1:], "requests")):
        f["rest_%s_%ss_per_s" % (name, unit)] = statistics.median(r["per_s"] for r in rounds)
        for who in ("gateway", "postgres"):
            f["rest_%s_%s_cpu_us" % (name, who)] = statistics.median(r[who + "_cpu_s"] * 1e6 / r[count] for r in rounds)
        f["rest_%s_client_cpu_us" % name] = statistics.median(r["client_cpu_us"] for r in rounds)


def screening(f, args):
    """Names against a made-up sanctions list of 20,000 entries, on one core, by CPU time."""
    rounds = [json.loads(run(BIN / "bench" / "bench_screen", 20000 if args.quick else 100000)) for _ in range(1 if args.quick else 3)]
    f["screen_names_per_cpu_s"] = statistics.median(r["names_per_cpu_s"] for r in rounds)
    f["screen_rss_mb"] = statistics.median(r["rss_kb"] for r in rounds) / 1024
    say("screening: %d names a second of CPU" % f["screen_names_per_cpu_s"])


ROWS = (
    ("limit_copy_payouts_per_s", "limit: COPY of the same rows", "payouts/s", None),
    ("post_only_payouts_per_s", "posting only, two books on two connections", "payouts/s", 0.60),
    ("post_only_one_book_payouts_per_s", "posting only, one book on one connection", "payouts/s", 0.60),
    ("e2e_batch_payouts_per_s", "SubmitPayouts over mTLS gRPC", "payouts/s", 0.50),
    ("e2e_unary_payouts_per_s", "SubmitPayout over mTLS gRPC", "payouts/s", 0.25),
    ("latency_ms_p50", "latency at half the unary load, p50", "ms", None),
    ("latency_ms_p99", "p99", "ms", None),
    ("latency_ms_p999", "p99.9", "ms", None),
    ("gateway_cpu_us_per_payout", "gateway, unary", "CPU us a payout", None),
    ("batch_gateway_cpu_us_per_payout", "gateway, batches", "CPU us a payout", None),
    ("postgres_cpu_us_per_payout", "PostgreSQL, unary", "CPU us a payout", None),
    ("batch_postgres_cpu_us_per_payout", "PostgreSQL, batches", "CPU us a payout", None),
    ("client_cpu_us_per_payout", "client, unary", "CPU us a payout", None),
    ("batch_client_cpu_us_per_payout", "client, batches", "CPU us a payout", None),
    ("idle_connection_kb", "an idle mTLS connection", "KB in the gateway", None),
    ("sealing_cost_post_one_book_percent", "sealing, of posting only, one book", "% less payouts/s", None),
    ("sealing_cost_post_percent", "sealing, of posting only, two books", "% less payouts/s", None),
    ("sealing_cost_e2e_batch_percent", "sealing, of SubmitPayouts over mTLS gRPC", "% less payouts/s", None),
    ("sealing_cost_e2e_unary_percent", "sealing, of SubmitPayout over mTLS gRPC", "% less payouts/s", None),
    ("sealing_cost_e2e_batch_cpu_percent", "its CPU time, beside all other of batches", "%", None),
    ("sealing_cost_e2e_unary_cpu_percent", "its CPU time, beside all other of unary calls", "%", None),
    ("sealing_cost_e2e_batch_sealer_cpu_us", "the sealer, of batches", "CPU us a payout", None),
    ("sealing_cost_e2e_batch_backend_cpu_us", "its PostgreSQL process, of batches", "CPU us a payout", None),
    ("sealing_cost_e2e_batch_catch_up_s", "all sealed after the last answer", "s", None),
    ("audit_db_lines_per_s", "ujrat-audit verify, of a database", "posting lines/s", None),
    ("audit_file_lines_per_s", "ujrat-audit verify, of an export", "posting lines/s", None),
    ("audit_db_rss_mb", "its memory at most, of a database", "MB", None),
    ("audit_file_rss_mb", "its memory at most, of an export", "MB", None),
    ("settlement_instructions_per_s", "WatchInstructions to ConfirmInstructions over mTLS", "instructions/s", None),
    ("settlement_gateway_cpu_us", "gateway, settlement", "CPU us an instruction", None),
    ("settlement_postgres_cpu_us", "PostgreSQL, settlement", "CPU us an instruction", None),
    ("settlement_client_cpu_us", "the banks, settlement", "CPU us an instruction", None),
    ("rest_batch_items_per_s", "REST: batches of 1,000 items by e-mail", "items/s", None),
    ("rest_batch_gateway_cpu_us", "gateway, REST batches", "CPU us an item", None),
    ("rest_batch_postgres_cpu_us", "PostgreSQL, REST batches", "CPU us an item", None),
    ("rest_batch_client_cpu_us", "client, REST batches", "CPU us an item", None),
    ("rest_get_requests_per_s", "REST: single items read", "requests/s", None),
    ("rest_get_gateway_cpu_us", "gateway, REST reads", "CPU us a request", None),
    ("rest_get_postgres_cpu_us", "PostgreSQL, REST reads", "CPU us a request", None),
    ("rest_get_client_cpu_us", "client, REST reads", "CPU us a request", None),
    ("screen_names_per_cpu_s", "screening: names against 20,000 sanctioned entries", "names/s of CPU", None),
    ("screen_rss_mb", "screening: resident memory, list and all", "MB", None),
    ("throughput_ratio_1m", "throughput with 1 million payouts in the book", "of an empty book's", None),
    ("throughput_ratio_5m", "throughput with 5 million", "of an empty book's", None),
)


def show(f):
    limit = f["limit_copy_payouts_per_s"]
    print("\n%-48s %12s  %-18s %s" % ("", "figure", "unit", "of the limit"))
    for key, what, unit, aim in ROWS:
        value = f.get(key)
        text = "not measured" if value is None else "{:,.0f}".format(value) if value >= 1000 else "%.2f" % value
        share = "" if aim is None or value is None else "%3.0f%%  (aim %.0f%%)" % (100 * value / limit, 100 * aim)
        print("%-48s %12s  %-18s %s" % (what, text, unit, share))
    print("\n%d cores, shared by client, gateway and PostgreSQL; fsync and synchronous_commit on." % os.cpu_count())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--no-history", action="store_true")
    p.add_argument("--history-only", action="store_true")
    p.add_argument("--sealing-only", action="store_true")
    p.add_argument("--audit-only", type=float, metavar="MILLIONS", nargs="?", const=1.0)
    p.add_argument("--settlement-only", action="store_true")
    p.add_argument("--rest-only", action="store_true")
    p.add_argument("--screening-only", action="store_true")
    args = p.parse_args()
    if args.screening_only:
        screening({}, args)
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ujrat-bench."))
    folder.chmod(0o755)
    cluster, b = Cluster(folder / "pg", tune="bench"), None
    try:
        cluster.start()
        b = Bench(folder, cluster, "bench")
        if args.sealing_only:
            sealing(b, {}, args)
            return
        if args.settlement_only:
            settlement(b, {}, args)
            return
        if args.rest_only:
            f = {}
            rest(b, f, args)
            print(json.dumps(f, indent=2))
            return
        if args.audit_only:
            audit(b, {}, args.audit_only)
            return
        f = {} if args.history_only else measure(b, args)
        if not args.history_only:
            sealing(b, f, args)
            audit(b, f, 0.2 if args.quick else 1.0)
            settlement(b, f, args)
            rest(b, f, args)
            screening(f, args)
        history(b, f, args)
        if args.history_only:
            return
        show(f)
        out = ROOT / "build" / "bench.json"
        out.parent.mkdir(exist_ok=True)
        out.write_text(json.dumps({k: None if v is None else round(v, 3) for k, v in f.items()}, indent=2) + "\n")
        print("The figures are in build/bench.json.")
    finally:
        if b:
            b.stop()
        cluster.destroy()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
