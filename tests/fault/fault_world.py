"""A cluster, a gateway, platforms and banks under load, and the faults that befall them."""

import collections
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import fault_checker
from harness import BIN, BUILD, PATIENCE, Cluster, Gateway, new_database, unique, wait_until

PLATFORMS = ("upwork", "fiverr")
BANKS = ("MUCB", "SCBL")
BENEFICIARIES = 200
SOURCE = pathlib.Path(__file__).resolve().parent

SETUP = """
SET search_path = ujrat;
SELECT connect_bank(c) FROM unnest(%(banks)s::text[]) c;
SELECT open_book(c, initcap(c)) FROM unnest(%(platforms)s::text[]) c;
SELECT open_currency(book_id, c) FROM book, unnest('{USD,EUR}'::text[]) c;
SELECT open_terms(book_id, c, 50, 100, 20, 0, 0, 10000000, 'test') FROM book, unnest('{USD,EUR}'::text[]) c;
SELECT import_rates('SBP-M2M', current_date, clock_timestamp(), 'test', sha256('test'), 'test', NULL,
                    ARRAY[840, 978]::smallint[], ARRAY[2779612000000, 3251234000000]);
SELECT deposit_float(book_id, 1, 'USD', 900000000000, 'test') FROM book;
SELECT deposit_float(book_id, 1, 'EUR', %(scarce)s, 'test-eur') FROM book;
INSERT INTO beneficiary (book_id, beneficiary_id, request_id, version, bank_id, created_at)
SELECT b.book_id, i, 'request:' || i, 1, k.bank_id, now()
  FROM book b, generate_series(1, %(beneficiaries)s) i, bank k WHERE k.code = (%(banks)s::text[])[1 + i %% 2];
"""


def iban(bank, number):
    bban = "%s%016d" % (bank, number)
    digits = "".join(str(int(c, 36)) for c in bban + "PK00")
    return "PK%02d%s" % (98 - int(digits) % 97, bban)


class World:
    """`with World(...) as world`: everything runs; afterwards everything is gone."""

    def __init__(self, work, pki, api, seed, workers=2, sabotage=None, scarce=400_000, seal=False):
        """seal: the gateway seals its books meanwhile, and verified() holds them against themselves."""
        self.folder = pathlib.Path(work) / unique("world")
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.pki, self.api, self.rng, self.seed = pki, api, random.Random(seed), seed
        self.sabotage, self.scarce, self.workers, self.seal = sabotage, scarce, workers, seal
        self.told = collections.Counter()
        self.kills, self.loads, self.cluster, self.gateway = 0, 0, None, None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.cluster = Cluster(self.folder / "pg")
            stack.callback(self.cluster.destroy)
            self.cluster.start()
            self.database = new_database(self.cluster, "world")
            self.sql(SETUP, {"banks": list(BANKS), "platforms": list(PLATFORMS), "beneficiaries": BENEFICIARIES,
                             "scarce": self.scarce})
            self.sql((SOURCE.parent / "people.sql").read_text())
            if self.sabotage:
                self.sabotage(self)
            self.gateway = Gateway(self.folder / "gateway", self.database, self.pki, self.api, workers=self.workers,
                                   watch_poll="50ms", statement_timeout="4s", call_deadline="800ms", seal=self.seal)
            if self.seal:
                for platform in PLATFORMS:
                    self.gateway.add_key(platform)
            self.gateway.start()
            self.gateway.settings["listen"] = "127.0.0.1:%d" % self.gateway.port
            stack.callback(self.end_gateway)
            self.cleanup = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.cleanup.close()

    def end_gateway(self):
        if self.gateway.process is not None:
            self.gateway.stop(signal.SIGKILL)

    # ---------------------------------------------------------------- the database, in between faults
    def connect(self):
        """A superuser's connection, as soon as there is a server to give one."""
        import psycopg

        def attempt():
            with contextlib.suppress(psycopg.OperationalError):
                return self.database.connect(autocommit=True, connect_timeout=5)

        return wait_until(attempt, 20, "PostgreSQL to take connections", every=0.05)

    def sql(self, text, parameters=None):
        """Statements by hand, several in a string; the rows of the last."""
        import psycopg

        with psycopg.ClientCursor(self.connect()) as cursor, cursor.connection:
            cursor.execute(text, parameters)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def backends(self):
        """Process ids of the gateway's connections."""
        return sorted(r[0] for r in self.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'ujratd'"))

    # ---------------------------------------------------------------- load
    def config(self, who, **more):
        cert, key = map(str, self.pki.pair(who))
        return {"cert": cert, "key": key, **more}

    @contextlib.contextmanager
    def load(self, connections=8, lanes=3, batch_items=40, impatient=False, banks=True, parts_share=0, **more):
        """Two platforms with so many connections each, and two banks. What they were told is in self.folder."""
        self.loads += 1
        common = {"stubs": str(self.api.folder), "address": self.gateway.address, "ca": str(self.pki.ca),
                  "seed": "%s/%d" % (self.seed, self.loads)}
        programs = {p: dict(common, **self.config(
            p, platform=p, run="L%d" % self.loads, connections=connections, lanes=lanes, batch_items=batch_items,
            impatient=impatient, beneficiaries=BENEFICIARIES, ibans=[iban(b, n) for b in BANKS for n in range(20)],
            **{"cancel_share": 0.05, "quote_share": 0.05, "scarce_share": 0.03, **more})) for p in PLATFORMS}
        if banks:
            programs["banks"] = dict(common, run="L%d" % self.loads, parts_share=parts_share, banks=[
                self.config(b, code=b, token_file=str(self.folder / (b + ".token"))) for b in BANKS])
        running = {}
        try:
            for name, config in programs.items():
                config["journal"] = str(self.folder / ("%s.%d.journal" % (name, self.loads)))
                path = self.folder / ("%s.%d.json" % (name, self.loads))
                path.write_text(json.dumps(config))
                with open(self.folder / ("%s.%d.log" % (name, self.loads)), "wb") as log:
                    running[name] = subprocess.Popen(["/usr/bin/python3", str(SOURCE / "fault_client.py"), str(path)],
                                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.wait_for_acks()
            yield
            for platform in PLATFORMS:  # the banks last: they have to see what the platforms leave
                running[platform].send_signal(signal.SIGTERM)
            for platform in PLATFORMS:
                self.ended(platform, running[platform])
            if banks:
                running["banks"].send_signal(signal.SIGTERM)
                self.ended("banks", running["banks"])
        finally:
            for program in running.values():
                if program.poll() is None:
                    program.kill()
                program.wait()

    def ended(self, name, program):
        code = program.wait(60 * PATIENCE)
        assert code == 0, "%s ended with %d: %s" % (
            name, code, (self.folder / ("%s.%d.log" % (name, self.loads))).read_text()[-3000:])

    def acks(self):
        """How many acknowledgements there are so far, by size of what was written: cheap, to be asked often."""
        return sum(p.stat().st_size for p in self.folder.glob("*.%d.journal" % self.loads)
                   if not p.name.startswith("banks"))

    def wait_for_acks(self, kilobytes=60):
        """Until the load runs (again)."""
        enough = self.acks() + kilobytes * 1024
        wait_until(lambda: self.acks() > enough, 30, "payouts to be accepted")

    def under_load(self, seconds):
        time.sleep(seconds * self.rng.uniform(0.5, 1.5))

    # ---------------------------------------------------------------- faults
    def kill_worker(self):
        victim = self.rng.choice(self.gateway.workers())
        os.kill(victim, signal.SIGKILL)
        self.kills += 1
        return victim

    def kill_daemon(self):
        """The master; its workers die with it. Then a new one on the same port."""
        workers = self.gateway.workers()
        self.gateway.stop(signal.SIGKILL)
        self.kills += 1
        wait_until(lambda: not any(os.path.exists("/proc/%d" % p) for p in workers), 5, "workers to die with their master")
        self.gateway.start()

    def kill_sealer(self):
        victim = wait_until(self.gateway.sealer, 20, "a sealer to kill")
        os.kill(victim, signal.SIGKILL)
        self.kills += 1

    def terminate_backend(self):
        pids = self.backends()
        if pids:
            self.sql("SELECT pg_terminate_backend(%s)" % self.rng.choice(pids))
            self.kills += 1

    def kill_backend(self):
        """The postmaster then ends all other backends, and recovers."""
        pids = self.backends()
        if pids:
            self.cluster.kill(self.rng.choice(pids))
            self.kills += 1

    def kill_wal_writer(self, acks_kilobytes=0):
        """What was only promised to be written some time is lost with it: it is stopped for a while, in which at least so much is
        acknowledged, then killed."""
        pid = self.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")[0][0]
        self.cluster.kill(pid, "STOP")
        if acks_kilobytes:
            self.wait_for_acks(acks_kilobytes)
        else:
            self.under_load(0.5)
        self.cluster.kill(pid)
        self.kills += 1

    def stop_cluster(self, down=0.0):
        """For at least so many seconds there is no server."""
        self.cluster.stop("immediate")
        self.kills += 1
        time.sleep(down + self.rng.uniform(0, 0.3))
        self.cluster.start()

    # ---------------------------------------------------------------- what came of it
    def verified(self):
        """What the auditor's program, which shares no code with what posted and sealed, says of all the books; nothing when they
        are sound."""
        self.gateway.wait_sealed(60)
        done = subprocess.run([str(BIN / "ujrat-audit"), "verify", "--db", self.database.uri("ujrat_auditor")],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60 * PATIENCE)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def check(self):
        """(findings, events, what to print)"""
        events = fault_checker.read_events(self.folder)
        with self.connect() as db:
            found = fault_checker.violations(db, events)
            left = fault_checker.unfinished(db)
        now = collections.Counter({kind: len(e) for kind, e in events.items()})
        now.update(kills=self.kills, resolved=sum(1 for e in events["ack"] if e["unknowns"]))
        new = {key: now[key] - self.told[key] for key in now}  # since the last check of this world
        self.told = now
        said = ", ".join("%d %s" % (new.get(key, 0), words) for key, words in (
            ("kills", "kills"), ("ack", "payouts acknowledged"), ("unknown", "answers unknown"),
            ("resolved", "payouts of them resolved by asking again"), ("abandoned", "believed not done"), ("refused", "refused"),
            ("cancelled", "cancelled"), ("confirmed", "confirmed by banks"), ("returned", "returned"), ("part_returned", "parts returned"),
            ("return_reversed", "returns reversed")) if key in new or not key.startswith(("part", "return_")))
        return found, events, left, said


def report(name, said):
    """Where tools/run_tests.sh finds it when the run is over."""
    print("%s: %s" % (name, said))
    folder = BUILD / "test-logs"
    if folder.is_dir():
        with open(folder / "fault.report", "a") as f:
            f.write("%s: %s\n" % (name, said))
