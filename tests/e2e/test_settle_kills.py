"""ujrat-settle dies in front of each step that puts a file into a bank's folder, and the bank takes what it sees at once, or later:
every file is seen whole, once, and is not written again."""
import itertools
import os
import signal
import subprocess

import pytest

from harness import BIN, ROOT, run
from settle_world import File
from test_settle import bank, pay, platform, settle, settle_world  # noqa: F401 (fixtures)

STEPS = 14  # of a file: four names, each made durable, renamed, and its folder made durable; then the last is renamed, and durable


@pytest.fixture(scope="module")
def die_at(work):
    library = work / "die_at.so"
    run("cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, ROOT / "tests" / "e2e" / "die_at.c", "-ldl")
    return library


def once_until(settle, library, step):
    """What became of a round of settle's that dies in front of that step: its exit code."""
    settle.write_config()
    env = dict(os.environ, LD_PRELOAD=str(library), DIE_AT=str(step))
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    with open(settle.log_file, "a") as log:
        return subprocess.run([str(BIN / "ujrat-settle"), "--config", str(settle.config), "--once"], env=env, stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, timeout=60).returncode


class Taker:
    """The bank's program that fetches files: what has a manifest, whole, and away with it."""

    def __init__(self, files):
        self.files, self.taken = files, []

    def take(self):
        folder = self.files.part("out")
        for path in sorted(folder.glob("*.manifest.json")):
            file = File(folder, path, self.files.settle.key.public_key())
            self.taken.append(file)
            for ending in (".xml", ".sig", ".manifest.json"):
                (folder / (file.stem + ending)).unlink()


@pytest.mark.seconds_max(300)
@pytest.mark.parametrize("at_once", [True, False], ids=["taken at once", "not taken"])
def test_a_file_is_shown_once_whichever_step_it_died_at(settle, bank, platform, die_at, at_once):
    bank.files.terms(mode="instant")
    taker, payouts, seen = Taker(bank.files), [], []
    for step in itertools.count(1):
        payouts += pay(platform, bank, 10_000 + step)
        code = once_until(settle, die_at, step)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if at_once:
            taker.take()
        shown = {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in bank.files.part("out").glob("*.manifest.json")}
        settle.once()
        assert shown.items() <= {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in bank.files.part("out").glob("*.manifest.json")}.items()
        if at_once:
            taker.take()
        seen.append(len(taker.taken) if at_once else len(bank.files.files()))
        assert seen[-1] == step, "each death is of one file, which is shown once: %r" % seen
    assert step == STEPS + 1, "%d steps: what is the new one?" % (step - 1)
    taker.take()
    assert [f.number for f in taker.taken] == list(range(1, step + 1))
    for before, file in zip(taker.taken, taker.taken[1:]):
        assert file.manifest["previous_sha256"] == before.manifest["sha256"]
    told = [i["EndToEndId"] for f in taker.taken for i in f.items()]
    assert len(told) == len(set(told)) == len(payouts)
    settle.once()
    assert bank.files.names("out") == [], "nothing is left behind, and nothing comes back"
