"""A sandbox bank (`ujrat bank run`) at a bank of a world, with a platform that pays to it, and its books held against ours."""

import json
import os
import re
import signal
import subprocess
import threading

from harness import BIN, PATIENCE, unique, wait_until
from world import D

SETTLED, REJECTED, RETURNED, INSTRUCTED = 4, 5, 6, 3


def minor(text):
    return int(D(text.replace(",", "")).scaleb(2))


class Running:
    """One process; what it says is read as it comes."""

    def __init__(self, argv, env):
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        self.out, self.err = [], []
        self.readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _read(pipe, lines):
        for line in pipe:
            lines.append(line)

    def end(self, sig=signal.SIGTERM):
        if sig is not None and self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(30 * PATIENCE)
        for reader in self.readers:
            reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return code, "".join(self.out), "".join(self.err)


class Sandbox:
    def __init__(self, world, folder, platform):
        self.world, self.bank, self.platform = world, world.bank(), platform
        self.folder = folder / unique("sandbox")
        self.folder.mkdir()
        self.state, self.script = self.folder / "books", self.folder / "script"
        self.running = []

    def environment(self):
        gateway = self.world.gateway
        env = {k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG"))}
        cert, key = gateway.pki.pair(self.bank.code)
        env.update(UJRAT_ADDR=gateway.address, UJRAT_CA=str(gateway.pki.ca), **{"UJRAT_CERT_" + self.bank.code: str(cert),
                                                                                 "UJRAT_KEY_" + self.bank.code: str(key)})
        return env

    def pay(self, *grosses, **fields):
        """Payouts to people at the bank; their names."""
        requests = [self.platform.request(self.platform.details(self.bank, **fields), gross) for gross in grosses]
        results = self.platform.batch(requests)
        assert all(r.payout for r in results), results
        return [r.payout for r in results]

    def start(self, script=None, *options):
        arguments = ["bank", "run", "--as", self.bank.code, "--state", self.state, *options]
        if script is not None:
            self.script.write_text(script)
            arguments += ["--script", self.script]
        running = Running([str(BIN / "ujrat"), *map(str, arguments)], self.environment())
        self.running.append(running)
        return running

    def run(self, script, *options):
        """For what ends by itself."""
        return self.start(script, *options).end(None)

    def end_all(self):
        for running in self.running:
            if running.process.poll() is None:
                running.end(signal.SIGKILL)

    # ------------------------------------------------------------ its books
    def books(self, *options):
        done = subprocess.run([str(BIN / "ujrat"), "bank", "books", "--state", str(self.state), "--json", *map(str, options)],
                              capture_output=True, text=True, timeout=30 * PATIENCE)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def finished(self, n):
        """n instructions are known, and nothing is left to be said of any."""
        def look():
            if not self.state.exists() or self.state.stat().st_size == 0:
                return None
            books = self.books()
            done = [i for i in books["instructions"] if i["finished"]]
            return books if len(done) == n == len(books["instructions"]) else None
        return look

    def wait(self, n, seconds=30):
        return wait_until(self.finished(n), seconds, "%d instructions to be done with" % n, every=0.05)

    def payouts(self):
        """Ours, by the name that the bank knows them by."""
        rows = self.world.rows("SELECT book_id, payout_id, state, net, bank_reference, tax_withheld, eprc_number, reason_code"
                               " FROM payout_now WHERE bank_code = %s", self.bank.code)
        return {"UJ%d-%d" % r[:2]: r[2:] for r in rows}

    def assert_agreed(self):
        """The bank's own books say what ours say, instruction by instruction, and each was paid once."""
        books, ours = self.books(), self.payouts()
        assert books["bank"] == self.bank.code
        answers = [e for e in books["entries"] if e["kind"] in ("PAID", "REJECTED")]
        assert len({e["instruction"] for e in answers}) == len(answers), "answered twice"
        of = {e["instruction"]: e for e in answers}
        owed = pending = 0
        for item in books["instructions"]:
            state, net, reference, tax, eprc, reason = ours[item["instruction"]]
            returned = minor(item["returned"])
            assert minor(item["amount"]) == net
            if item["answer"] == "":
                assert state == INSTRUCTED
                pending += net
            elif item["answer"] == "REJECTED":
                assert (state, reason) == (REJECTED, of[item["instruction"]]["code"]), item
            else:
                assert state == (RETURNED if returned == net else self.partly(returned)), item
                owed += net - returned
                if state == SETTLED and returned == 0:
                    assert (reference, tax or 0) == (of[item["instruction"]]["reference"], minor(item["tax"])), item
        charges = minor(books["totals"]["charges"])
        assert self.bank.position()[0:2] == (owed + charges, pending)
        assert set(ours) >= {i["instruction"] for i in books["instructions"]}
        return books

    @staticmethod
    def partly(returned):
        return 10 if returned else SETTLED


def said(out):
    """(word, rest) of each line that the bank printed."""
    return [re.match(r"\S+ \S+ (\S+) +(.*)", line).groups() for line in out.splitlines()]
