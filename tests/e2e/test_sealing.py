"""The sealer: blocks are sealed as they come, whoever dies meanwhile, by one gateway of several, with the key in force."""
import base64
import concurrent.futures
import hashlib
import io
import json
import os
import re
import signal

import pytest

import log_verifier
from harness import BIN, run, wait_until

ACTIVE = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ujrat-sealer' AND datname = current_database()"


@pytest.fixture(scope="module")
def world(new_world):
    return new_world(seal=True)


def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def field(value):
    if value is None:
        return b"\xff\xff\xff\xff"
    data = value.to_bytes(8, "big", signed=True) if isinstance(value, int) else value.encode() if isinstance(value, str) else bytes(value)
    return len(data).to_bytes(4, "big") + data


def record(*fields):
    return b"".join(map(field, fields))


def merkle(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return H(b"\1", merkle(leaves[:k]), merkle(leaves[k:]))


def check_chain(world, code):
    """Blocks, links, signatures and heads of a book from what is stored (journals: log_verifier.py). How many blocks."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    blocks = world.rows(
        "SELECT b.block_no, b.first_seq, b.last_seq, (extract(epoch FROM b.committed_at) * 1000000)::bigint, s.journal_root,"
        " s.nodes, s.leaves, s.key_id, s.signature FROM block b JOIN book USING (book_id)"
        " LEFT JOIN block_seal s USING (book_id, block_no) WHERE code = %s ORDER BY 1", code)
    keys = world.rows("SELECT from_block, key_id, public_key FROM log_key JOIN book USING (book_id) WHERE code = %s ORDER BY 1", code)
    hashes, previous = [], bytes(32)
    for no, first, last, at, root, nodes, leaves, key_id, signature in blocks:
        assert no == len(hashes) + 1 and root is not None
        leaves = [leaves[i:i + 32] for i in range(0, len(leaves), 32)]
        assert len(leaves) == last - first + 1 and merkle(leaves) == root
        written = record("ujrat/block/1", code, no, first, last, at, root, previous)
        previous = H(b"\0", written)
        hashes.append(previous)
        ends = [1 << level for level in range(64) if no % (1 << level) == 0]
        assert nodes == b"".join(merkle(hashes[-n:]) for n in ends)
        _, in_force, public = [k for k in keys if k[0] <= no][-1]
        assert key_id == in_force
        Ed25519PublicKey.from_public_bytes(public).verify(signature, written)
    heads = world.rows("SELECT tree_size, root, (extract(epoch FROM signed_at) * 1000000)::bigint, key_id, h.signature, public_key"
                       " FROM tree_head h JOIN log_key USING (book_id, key_id) JOIN book USING (book_id) WHERE code = %s"
                       " ORDER BY 1", code)
    for size, root, at, _, signature, public in heads:
        assert root == merkle(hashes[:size])
        Ed25519PublicKey.from_public_bytes(public).verify(signature, record("ujrat/tree-head/1", code, size, root, at))
    assert not hashes or heads[-1][0] == len(hashes)
    return len(hashes)


def seals(world, code):
    """What is sealed, without the heads, whose time is when they were made."""
    return world.rows("SELECT s.* FROM block_seal s JOIN book USING (book_id) WHERE code = %s ORDER BY block_no", code)


def busy(platform, to, n):
    """Payouts from several callers at once, so that there are many blocks."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: platform.submit(to), range(n)))


# ---------------------------------------------------------------- what is sealed
def test_every_block_is_sealed_soon(world):
    platform, bank = world.platform(), world.bank()
    name = platform.register(bank).name
    platform.submit(name)
    platform.submit(name, quote=platform.quote().name)
    platform.submit(platform.details(bank), remittance_information="an invoice")
    instructions = bank.take(3)
    bank.confirm(bank.settled(instructions[0], tax=1), bank.rejected(instructions[1]), bank.settled(instructions[2]))
    bank.send_back(instructions[0])
    cancelled = platform.submit(name)
    platform.cancel(cancelled.name)
    platform.batch([platform.request(name) for _ in range(5000)])
    world.gateway.wait_sealed()
    assert check_chain(world, platform.code) >= 9
    kinds = world.value("SELECT array_agg(DISTINCT kind ORDER BY kind) FROM journal JOIN book USING (book_id) WHERE code = %s",
                        platform.code)
    assert kinds == [1, 2, 3, 4, 5, 6, 7, 8], "a journal of every kind that there is"


def test_the_command_shows_what_is_sealed_and_with_what(world, tmp_path):
    platform = world.platform()
    world.gateway.wait_sealed()
    status = {row["book"]: row for row in json.loads(world.gateway.ujrat("log", "status", "--json"))}[platform.code]
    (key_id, public), = world.rows("SELECT key_id, public_key FROM log_key JOIN book USING (book_id) WHERE code = %s", platform.code)
    assert (status["blocks"], status["sealed"], status["unsealed"], status["head"], status["key"]) == (1, 1, 0, 1, key_id)
    assert key_id in world.gateway.ujrat("log", "key", "list", platform.code)
    pem = world.gateway.ujrat("log", "key", "export", platform.code)
    (tmp_path / "key.pem").write_text(pem)
    assert public.hex() in run("openssl", "pkey", "-pubin", "-in", tmp_path / "key.pem", "-noout", "-text").replace(
        ":", "").replace("\n", "").replace(" ", "")
    assert "PRIVATE" not in pem


def test_a_key_file_is_its_owners_alone_and_is_never_overwritten(world, tmp_path):
    platform = world.platform()
    path = world.gateway.keys / (platform.code + ".pem")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    assert "has key" in world.gateway.ujrat("log", "key", "add", platform.code, "--keys", world.gateway.keys, "--if-none")
    with pytest.raises(AssertionError, match="has to sign the new one"):
        world.gateway.wait_sealed()
        world.gateway.ujrat("log", "key", "add", platform.code, "--keys", tmp_path)
    with pytest.raises(AssertionError, match="--keys is required"):
        world.gateway.ujrat("log", "key", "add", platform.code)
    with pytest.raises(AssertionError, match="no platform"):
        world.gateway.ujrat("log", "key", "add", "nobody", "--keys", world.gateway.keys)
    assert path.read_bytes() == before and not list(tmp_path.iterdir())


# ---------------------------------------------------------------- keys
def test_a_missing_key_stops_its_book_alone_until_it_comes(world):
    lonely, other = world.platform(), world.platform()
    world.gateway.wait_sealed()
    path = world.gateway.keys / (lonely.code + ".pem")
    hidden = path.rename(path.with_suffix(".away"))
    world.gateway.reload()
    bank = world.bank()
    to = lonely.register(bank).name, other.register(bank).name
    wait_until(lambda: world.gateway.log().count("master.reloading"), 10, "the reload")
    wait_until(lambda: (lonely.submit(to[0]), world.gateway.log().count("event=seal.key_missing book=%s" % lonely.code))[1], 20,
               "a warning")
    other.submit(to[1])
    wait_until(lambda: len(seals(world, other.code)) == 2, 10, "the other book to be sealed")
    assert len(seals(world, lonely.code)) < world.value("SELECT next_block - 1 FROM book_head JOIN book USING (book_id) WHERE code = %s",
                                                        lonely.code)
    hidden.rename(path)
    world.gateway.wait_sealed()
    check_chain(world, lonely.code)


def test_keys_rotate_under_load(world):
    platform = world.platform()
    to = platform.register(world.bank()).name
    world.gateway.wait_sealed()  # a key that has signed nothing yet is not followed by another
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        load = pool.submit(busy, platform, to, 150)
        while not load.done():
            world.gateway.add_key(platform.code)
            newest = world.value("SELECT max(from_block) FROM log_key JOIN book USING (book_id) WHERE code = %s", platform.code)
            wait_until(lambda: load.done() or len(seals(world, platform.code)) >= newest, 20, "the new key at work")
        load.result()
    platform.submit(to)  # signed with the newest key, also where that came as the load had just ended
    world.gateway.wait_sealed()
    check_chain(world, platform.code)
    used = world.value("SELECT count(DISTINCT key_id) FROM block_seal JOIN book USING (book_id) WHERE code = %s", platform.code)
    assert used >= 2, "the keys took turns"
    with pytest.raises(AssertionError, match="is sealed already|has not signed any"):
        world.gateway.add_key(platform.code, "--from-block", "2")


# ---------------------------------------------------------------- deaths
def test_a_killed_sealer_comes_back_and_makes_the_same(world):
    platform = world.platform()
    to = platform.register(world.bank()).name
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        load = pool.submit(busy, platform, to, 200)
        for _ in range(4):
            pid = wait_until(world.gateway.sealer, 10, "a sealer")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: world.gateway.sealer() not in (None, pid), 10, "another sealer")
        load.result()
    world.gateway.wait_sealed()
    check_chain(world, platform.code)
    assert world.gateway.process.poll() is None


def test_a_lost_connection_is_made_anew(world):
    platform = world.platform()
    to = platform.register(world.bank()).name
    world.gateway.wait_sealed()
    pid = world.gateway.sealer()
    assert world.database.rows("SELECT pg_terminate_backend(pid) FROM (%s) a" % ACTIVE)
    platform.submit(to)
    world.gateway.wait_sealed()
    assert world.gateway.sealer() == pid and "event=seal.lost" in world.gateway.log()


def test_a_killed_gateway_leaves_seals_that_go_on_and_an_ended_one_leaves_nothing_unsealed(new_world):
    world = new_world(seal=True)
    platform = world.platform()
    to = platform.register(world.bank()).name
    busy(platform, to, 40)
    world.gateway.kill()
    for name in ("payouts", "beneficiaries", "channel"):
        platform.__dict__.pop(name, None)
    before = seals(world, platform.code)
    wait_until(lambda: not world.database.rows(ACTIVE), 10, "the sealer's session to end")
    world.gateway.settings["seal_interval"] = "1h"      # one look at the start, and one at the end
    world.gateway.start()
    world.gateway.wait_sealed()
    assert seals(world, platform.code)[:len(before)] == before
    busy(platform, to, 20)
    assert world.gateway.unsealed() > 0
    world.gateway.stop()
    assert world.gateway.unsealed() == 0
    check_chain(world, platform.code)


def test_of_two_gateways_one_seals_and_the_other_takes_over(world, new_gateway):
    second = new_gateway(world.database, seal=world.gateway.keys, registry_refresh="100ms")
    try:
        wait_until(lambda: "event=seal.standing_by" in second.log(), 10, "the second to stand by")
        platform = world.platform()
        to = platform.register(world.bank()).name
        platform.submit(to)
        world.gateway.wait_sealed()
        assert "event=seal.leading" not in second.log()
        os.kill(world.gateway.sealer(), signal.SIGSTOP)     # it hangs, and so it holds the lock; its session ends
        world.database.rows("SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                            " WHERE locktype = 'advisory' AND application_name = 'ujrat-sealer' AND pg_locks.database ="
                            " (SELECT oid FROM pg_database WHERE datname = current_database())")
        platform.submit(to)
        world.gateway.wait_sealed()
        assert "event=seal.leading" in second.log()
        os.kill(world.gateway.sealer(), signal.SIGCONT)
        platform.submit(to)
        world.gateway.wait_sealed()
        check_chain(world, platform.code)
    finally:
        os.kill(world.gateway.sealer(), signal.SIGCONT)
        second.stop()


# ---------------------------------------------------------------- what workers hand over
def handed_over(world):
    """How many blocks were sealed from what workers handed over, and how many of these were computed from rows too."""
    return [sum(map(int, re.findall(r"event=seal\.sealed .* %s=(\d+)" % key, world.gateway.log()))) for key in ("handed_over", "checked")]


def seal_again_from_rows(world):
    """As a sealer does that nothing was handed over to."""
    with world.database.connect(options="-c search_path=ujrat") as c:
        for table in ("tree_head", "block_seal"):
            c.execute("ALTER TABLE %s DISABLE TRIGGER append_only" % table)
            c.execute("DELETE FROM %s" % table)
            c.execute("ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only" % table)
    pid = world.gateway.sealer()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: world.gateway.sealer() not in (None, pid), 10, "another sealer")
    world.gateway.wait_sealed()


def test_what_workers_hand_over_is_sealed_as_the_rows_say_whoever_dies_meanwhile(new_world, tmp_path):
    world = new_world(seal=True, log_level="debug")
    platform, bank = world.platform(USD=10**9, JPY=10**9, KWD=10**9), world.bank()
    to = [platform.register(bank).name, platform.register(world.bank()).name]
    for ccy in ("USD", "JPY", "KWD"):
        platform.submit(to[0], 100_000, ccy, remittance_information="für %s" % ccy)
    platform.batch([platform.request(to[i % 2], 100_000, ("USD", "JPY", "KWD")[i % 3]) for i in range(3000)])
    platform.submit(to[0], quote=platform.quote().name)
    platform.batch([platform.request(to[0]), platform.request(platform.details(bank)), platform.request(to[1])])
    world.gateway.wait_sealed()
    from_handed, checked = handed_over(world)
    assert from_handed >= 3 and checked >= 1
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        load = pool.submit(busy, platform, to[0], 150)
        pid = world.gateway.sealer()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: world.gateway.sealer() not in (None, pid), 10, "another sealer")
        os.kill(world.gateway.sealer(), signal.SIGSTOP)     # nobody takes what is handed over
        platform.batch([platform.request(to[1]) for _ in range(5000)])
        os.kill(world.gateway.sealer(), signal.SIGCONT)
        load.result()
    world.gateway.wait_sealed()
    assert handed_over(world)[0] > from_handed
    assert "handed_over_differs" not in world.gateway.log()
    check_chain(world, platform.code)
    log = tmp_path / "log"
    run(BIN / "ujrat-audit", "export", "--format", "log", "--out", log, "--db", world.database.uri("ujrat_auditor"))
    log_verifier.verify(io.BytesIO(log.read_bytes()))
    before = seals(world, platform.code)
    seal_again_from_rows(world)
    assert seals(world, platform.code) == before


# ---------------------------------------------------------------- settings
def test_half_a_sealer_is_refused(world, tmp_path):
    from test_ujratd import check
    (tmp_path / "uri").write_text(world.database.uri("ujrat_sealer"))
    (tmp_path / "uri").chmod(0o644)
    lines = world.gateway.config.read_text().splitlines()
    for changes, words in (({"seal_db": None}, "seal_db"), ({"seal_keys": None}, "seal_keys"),
                           ({"seal_keys": "/nowhere"}, "not a folder"), ({"seal_db_file": tmp_path / "uri"}, "both set"),
                           ({"seal_db": None, "seal_db_file": tmp_path / "uri"}, "0600")):
        kept = [line for line in lines if line.split(" ")[0] not in changes]
        path = tmp_path / "conf"
        path.write_text("\n".join(kept + ['%s = "%s"' % (k, v) for k, v in changes.items() if v]) + "\n")
        done = check(path)
        assert done.returncode == 78 and words in done.stderr and "postgresql://" not in done.stderr, done.stderr
    done = check(world.gateway.config, "--set", "seal_db=postgresql:///x?password=tell-nobody")
    assert done.returncode == 78 and "tell-nobody" not in done.stderr


def test_workers_have_neither_the_keys_nor_the_sealers_uri(world):
    """As far as one can look from outside: what the sealer has open and in memory, a worker has not."""
    world.platform()
    world.gateway.wait_sealed()
    needle = [line for line in next(world.gateway.keys.glob("*.pem")).read_text().splitlines() if "-" not in line][0].encode()
    raw = base64.b64decode(needle)[-32:]

    def holds(pid, what):
        with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if "rw" in rights and "[v" not in line:
                    begin, end = (int(x, 16) for x in span.split("-"))
                    try:
                        memory.seek(begin)
                        if what in memory.read(end - begin):
                            return True
                    except OSError:
                        pass
        return False

    try:
        assert holds(world.gateway.sealer(), raw), "the search finds a key where there is one"
    except PermissionError:
        pytest.skip("another process's memory may not be read here")
    assert not any(holds(pid, raw) for pid in (*world.gateway.workers(), world.gateway.process.pid))


# ---------------------------------------------------------------- tampering
def test_a_book_whose_last_block_was_changed_is_not_sealed_on(world):
    """The last test of this world: the bad book stays unsealed."""
    bad, good = world.platform(), world.platform()
    bank = world.bank()
    to = bad.register(bank).name, good.register(bank).name
    bad.submit(to[0])
    world.gateway.wait_sealed()
    with world.database.connect(options="-c search_path=ujrat") as c:
        c.execute("ALTER TABLE payout DISABLE TRIGGER append_only")
        c.execute("UPDATE payout SET info = 'forged' WHERE book_id = (SELECT book_id FROM book WHERE code = %s)", (bad.code,))
        c.execute("ALTER TABLE payout ENABLE ALWAYS TRIGGER append_only")
    os.kill(world.gateway.sealer(), signal.SIGKILL)
    bad.submit(to[0])
    good.submit(to[1])
    wait_until(lambda: "event=seal.broken book=%s" % bad.code in world.gateway.log(), 10, "the sealer to object")
    wait_until(lambda: len(seals(world, good.code)) == 2, 10, "the good book to be sealed")
    assert len(seals(world, bad.code)) == 2
