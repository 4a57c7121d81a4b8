"""ujrat-audit verify, witness and export --format log over real traffic: live, from a dump restored elsewhere, from an
export. And the tamper drill: whatever a superuser changes is caught and named."""

import io
import json
import pathlib
import random
import shutil
import subprocess
import types

import psycopg
import pytest

import log_verifier
from harness import BIN, Database, new_database, run, unique
from world import set_aside

PG_BIN = pathlib.Path(run("pg_config", "--bindir").strip())


def audit(*arguments, code=0):
    done = subprocess.run([str(BIN / "ujrat-audit"), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == code, "exit %d\n%s\n%s" % (done.returncode, done.stdout[-3000:], done.stderr)
    return done


def verify(*arguments, code=0, key=None):
    """What `ujrat-audit verify --json` says."""
    return json.loads(audit("verify", "--json", *(["--key", key] if key else []), *arguments, code=code).stdout)


class Copy(Database):
    """A database whose URIs are made of another's: asking for one takes a process, and the drill asks for hundreds."""

    def __init__(self, of, name):
        super().__init__(of.cluster, name)
        self._of, self._uris = of, getattr(of, "_uris", {})

    def uri(self, role="postgres"):
        if role not in self._uris:
            self._uris[role] = (self._of.name, self._of.uri(role))
        name, uri = self._uris[role]
        return uri.replace("///%s?" % name, "///%s?" % self.name)

    def connect(self, role="postgres", **options):
        return psycopg.connect(self.uri(role), **options)


def postgres(database):
    return Copy(database, "postgres").connect(autocommit=True)


def db(database):
    return "--db", database.uri("ujrat_auditor")


def copy_of(database):
    """A database of its own with the same in it."""
    copy = Copy(database, unique("copy"))
    with postgres(database) as c:
        c.execute('CREATE DATABASE "%s" TEMPLATE "%s"' % (copy.name, database.name))
    return copy


def drop(database):
    with postgres(database) as c:
        c.execute('DROP DATABASE "%s" WITH (FORCE)' % database.name)


def make_traffic(world, platform, mucb, scbl):
    """Something of everything."""
    first, second = platform.register(mucb).name, platform.register(scbl).name
    for i in range(4):
        platform.submit(first, gross=10_000 + 317 * i, remittance_information="invoice %d, تنخواہ" % i)
        platform.submit(second, gross=7_001 + i)
    platform.submit(first, quote=platform.quote(gross=12_345).name, gross=12_345)
    platform.quote(gross=999)
    platform.submit(platform.details(mucb), gross=5_555)
    platform.batch([platform.request(first, gross=20_000 + i) for i in range(6)])
    taken = mucb.take(12)
    mucb.confirm(mucb.settled(taken[0], tax=17, eprc="EPRC-1"), mucb.rejected(taken[1]), mucb.settled(taken[2]),
                 mucb.settled(taken[3]), mucb.rejected(taken[4], "AM04"))
    mucb.send_back(taken[2])
    platform.cancel(platform.submit(second, gross=8_080).name) if not scbl.take(1) else None
    platform.submit(first, gross=6_060)


@pytest.fixture(scope="module")
def sealed(new_world, work):
    """Two platforms' books, sealed; the keys, an export, a witness file, and the database left alone."""
    world = new_world(seal=True)
    mucb, scbl, cancelling = world.bank(), world.bank(), world.bank()
    platforms = [world.platform(USD=50_000_00, JPY=3_000_000), world.platform(USD=20_000_00)]
    first = [platform.register(cancelling).name for platform in platforms]
    for platform, name in zip(platforms, first):
        platform.cancel(platform.submit(name, gross=4_321).name)
    make_traffic(world, platforms[0], mucb, scbl)
    set_aside(world, platforms[0])
    to = platforms[1].register(mucb).name
    for gross in (1_000, 2_000, 3_000):
        platforms[1].submit(to, gross=gross)
    world.gateway.wait_sealed()
    folder = work / unique("sealed")
    folder.mkdir()
    keys = folder / "keys.pem"
    keys.write_text("".join(world.gateway.ujrat("log", "key", "export", p.code) for p in platforms))
    live = verify(*db(world.database), key=keys)
    witness = folder / "witness.jsonl"
    audit("witness", "--file", witness, "--key", keys, *db(world.database))
    # more, so that the witness's heads are not the newest; each book ends with the number of the beneficiary that every
    # book begins with, and those are different people
    platforms[0].submit(platforms[0].register(mucb).name, gross=7_777)
    for platform, name in zip(platforms, first):
        platform.submit(name, gross=8_888)
    world.gateway.wait_sealed()
    world.close()
    world.gateway.stop()
    log = folder / "books.log"
    audit("export", "--format", "log", "--out", log, *db(world.database))
    opened = copy_of(Copy(world.database, world.database.name))
    with opened.connect(autocommit=True) as c:
        c.execute(OPEN_UP)
    yield types.SimpleNamespace(database=Copy(world.database, world.database.name), opened=opened, book=platforms[0].code, other=platforms[1].code, keys=keys,
                                witness=witness, log=log, live=live, folder=folder, private=world.gateway.keys)


# ---------------------------------------------------------------- what is right is found right
def test_good_books_are_good_wherever_they_are(sealed, own_cluster):
    now = verify("--witness", sealed.witness, *db(sealed.database), key=sealed.keys)
    from_file = verify("--witness", sealed.witness, sealed.log, key=sealed.keys)
    restored = new_database(own_cluster)
    elsewhere = Database(own_cluster, unique("restored"))
    own_cluster._tool("createdb", own_cluster.folder, elsewhere.name)
    dump = run(PG_BIN / "pg_dump", sealed.database.uri())
    subprocess.run([str(PG_BIN / "psql"), "-q", "-v", "ON_ERROR_STOP=1", elsewhere.uri()], input=dump, text=True, check=True,
                   stdout=subprocess.DEVNULL)
    from_dump = verify("--witness", sealed.witness, *db(elsewhere), key=sealed.keys)
    assert sealed.live["good"] and now["good"]
    assert now["books"] == from_file["books"] == from_dump["books"]
    for book in now["books"]:
        assert book["witnessed"] == 1 and book["head"]["key_given"] and book["unsealed_blocks"] == 0
        assert book["head"]["tree_size"] == book["blocks"]
        assert book["payouts"] == restored.value("SELECT 0") + sealed.database.value(
            "SELECT count(*) FROM ujrat.payout JOIN ujrat.book USING (book_id) WHERE code = %s", [book["book"]])
        assert book["lines"] == sealed.database.value(
            "SELECT count(*) FROM ujrat.posting JOIN ujrat.book USING (book_id) WHERE code = %s", [book["book"]])


def test_there_is_something_of_everything_in_them(sealed):
    kinds = {k for (k,) in sealed.database.rows(
        "SELECT DISTINCT k.name FROM ujrat.journal j JOIN ujrat.journal_kind k USING (kind) JOIN ujrat.book USING (book_id)"
        " WHERE code = %s", [sealed.book])}
    assert kinds == {"FLOAT_DEPOSITED", "PAYOUT_ACCEPTED", "PAYOUTS_INSTRUCTED", "PAYOUT_SETTLED", "PAYOUT_REJECTED",
                     "SETTLEMENT_REVERSED", "PAYOUT_RETURNED", "PAYOUT_CANCELLED", "PAYOUT_UNCLAIMED", "UNCLAIMED_CLAIMED",
                     "UNCLAIMED_RETURNED"}


def test_the_verifier_in_python_says_the_same_of_the_same_export(sealed):
    log_verifier.verify(io.BytesIO(sealed.log.read_bytes()))


def test_the_report_is_something_to_file(sealed):
    text = audit("verify", "--key", sealed.keys, "--witness", sealed.witness, sealed.log).stdout
    assert "RESULT      good: 2 books" in text and sealed.book in text and "NONE GIVEN" not in text
    assert "\x1b" not in text and "\r" not in text
    trusting = audit("verify", sealed.log)
    assert "NONE GIVEN" in trusting.stdout and "no --key was given" in trusting.stderr


def test_one_book_can_be_asked_for(sealed):
    for source in ([sealed.log], db(sealed.database)):
        assert [b["book"] for b in verify("--book", sealed.other, *source, key=sealed.keys)["books"]] == [sealed.other]
        assert "no-such-book" in audit("verify", "--book", "no-such-book", *source, code=1).stderr


def test_what_is_not_sealed_is_a_note_while_young(sealed):
    copy = copy_of(sealed.database)
    with copy.connect(autocommit=True) as c:
        c.execute("SELECT ujrat.deposit_float(book_id, 1, 'USD', 100, 'late') FROM ujrat.book WHERE code = %s", [sealed.book])
    young = verify(*db(copy), key=sealed.keys)
    assert [b["unsealed_blocks"] for b in young["books"] if b["book"] == sealed.book] == [1]
    found = verify("--seal-grace", 0, *db(copy), key=sealed.keys, code=1)["findings"]
    assert [f["field"] for f in found] == ["seal"]
    drop(copy)


def test_a_book_of_which_nothing_is_sealed_is_not_exported(sealed, cluster):
    database = new_database(cluster)
    with database.connect(autocommit=True) as c:
        c.execute("SELECT ujrat.open_book('young', 'Young')")
        c.execute("SELECT ujrat.open_currency(book_id, 'USD') FROM ujrat.book")
        c.execute("SELECT ujrat.deposit_float(book_id, 1, 'USD', 100, 'first') FROM ujrat.book")
    out = sealed.folder / "young.log"
    assert "nothing of it is sealed" in audit("export", "--format", "log", "--out", out, *db(database), code=1).stderr
    assert not out.exists()


# ---------------------------------------------------------------- wrong files and keys
def test_a_key_that_is_not_the_books_is_told(sealed):
    other = sealed.folder / "other.pem"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", sealed.folder / "other.key")
    run("openssl", "pkey", "-in", sealed.folder / "other.key", "-pubout", "-out", other)
    for source in ([sealed.log], db(sealed.database)):
        found = verify(*source, key=other, code=1)["findings"]
        assert {f["field"] for f in found} == {"key_id"} and {f["book"] for f in found} == {sealed.book, sealed.other}
    witness = sealed.folder / "by-other.jsonl"
    assert "no key given with --key vouches for" in audit("witness", "--file", witness, "--key", other, *db(sealed.database),
                                                          code=1).stderr
    assert witness.read_text() == ""


def test_bad_files_are_refused_with_the_place(sealed):
    data = sealed.log.read_bytes()
    for name, bad, says in (("cut", data[:len(data) // 2], "cut short"), ("endless", data + b"x", "follows the end record"),
                            ("empty", b"", "no log export"), ("foreign", b"PK\x03\x04" + data, "no log export"),
                            ("gigantic", data[:9] + b"\x7f\xff\xff\xff" + data[13:], "damaged here")):
        path = sealed.folder / name
        path.write_bytes(bad)
        said = verify(path, key=sealed.keys, code=1)
        assert says in said["broken"] and said["broken"].startswith("at byte "), said
    for path, says in ((sealed.folder / "not-there", "No such file"), (sealed.folder, "folder")):
        assert says in audit("verify", path, code=1).stderr
    audit("verify", sealed.log, "--db", "postgresql:///x", code=2)


def test_a_flipped_bit_in_any_kind_of_record_is_found(sealed):
    data = sealed.log.read_bytes()
    rng, at, places = random.Random(3), 9, {}
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        item = data[at + 4:at + 4 + size]
        kind = item[4:4 + int.from_bytes(item[:4], "big")]
        if kind == b"ujrat/signed/1":
            inner = item[4 + len(kind) + 4:]
            kind += b" of " + inner[4:4 + int.from_bytes(inner[:4], "big")]
        places.setdefault(kind, []).append((at, 4 + size))
        at += 4 + size
    assert len(places) == 14, places.keys()
    path = sealed.folder / "flipped.log"
    for kind, found in places.items():
        for _ in range(6):
            start, size = rng.choice(found)
            bit = rng.randrange(8 * size)
            bad = bytearray(data)
            bad[start + bit // 8] ^= 1 << bit % 8
            path.write_bytes(bad)
            said = verify(path, key=sealed.keys, code=1)
            assert said["findings"] or said["broken"], (kind, start, bit)


# ---------------------------------------------------------------- going on
def test_the_next_run_goes_on_from_the_checkpoint(sealed, new_gateway):
    checkpoint = sealed.folder / "checkpoint"
    copy = copy_of(sealed.opened)
    whole = verify(*db(copy), key=sealed.keys)
    assert verify("--checkpoint", checkpoint, *db(copy), key=sealed.keys)["books"] == whole["books"]
    before = json.loads(checkpoint.read_text())
    assert [b["blocks"] for b in before["books"]] == [b["blocks"] for b in whole["books"]]
    again = verify("--checkpoint", checkpoint, "--witness", sealed.witness, *db(copy), key=sealed.keys)
    assert [b["blocks"] for b in again["books"]] == [b["blocks"] for b in whole["books"]]
    assert all(b["witnessed"] == 1 and b["head"]["tree_size"] == b["blocks"] for b in again["books"])
    # the export has the same blocks: a checkpoint is bound to those, not to where they are kept
    assert verify("--checkpoint", checkpoint, sealed.log, key=sealed.keys)["good"]

    # what became of older payouts since is judged by what is remembered of them
    with copy.connect(autocommit=True, options="-c search_path=ujrat") as c:
        c.execute("SELECT hand_out(book_id, bank_id, 1, 100) FROM book, bank WHERE connected")
        payout, bank, net = c.execute(
            "SELECT payout_id, bank_id, net FROM payout p JOIN book USING (book_id) WHERE code = %s AND NOT EXISTS (SELECT FROM"
            " payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id) LIMIT 1", [sealed.book]).fetchone()
        c.execute("SELECT confirm_instructions(book_id, %s, 1, ARRAY[(%s, 4, 586, %s, 'BR-late', NULL, NULL, NULL)"
                  "::confirmation_draft]) FROM book WHERE code = %s", (bank, payout, net, sealed.book))
    gateway = new_gateway(copy, seal=sealed.private)
    gateway.wait_sealed()
    gateway.stop()
    after = verify("--checkpoint", checkpoint, *db(copy), key=sealed.keys)
    fresh = verify(*db(copy), key=sealed.keys)
    assert after["books"] == fresh["books"] and after["books"] != whole["books"]

    # blocks that were checked are held to what they were
    tamper(copy, "UPDATE block_seal SET nodes = sha256('x') || substring(nodes, 33) WHERE block_no = 2 AND book_id = {book}",
           sealed.book)
    kept = checkpoint.read_text()
    found = verify("--checkpoint", checkpoint, *db(copy), key=sealed.keys, code=1)["findings"]
    assert [(f["book"], f["field"]) for f in found] == [(sealed.book, "checkpoint")]
    assert checkpoint.read_text() == kept

    for bad, says in ((kept.replace('"balances": ', '"balances": 1'), "was changed"), ("{}", "no checkpoint"), ("x", "not JSON"),
                      (kept.replace('"version": 4', '"version": 5'), "another version")):
        checkpoint.write_text(bad)
        assert says in audit("verify", "--checkpoint", checkpoint, sealed.log, code=1).stderr
    drop(copy)


# ---------------------------------------------------------------- the witness
def test_the_witness_writes_what_extends_what_it_saw(sealed):
    path = sealed.folder / "mine.jsonl"
    shutil.copy(sealed.witness, path)
    assert len(path.read_text().splitlines()) == 2
    assert "witnessed" in audit("witness", "--file", path, "--key", sealed.keys, *db(sealed.database)).stdout
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 4 and set(lines[0]) == {"book", "tree_size", "root", "signed_at", "key_id", "signature"}
    assert "nothing new" in audit("witness", "--file", path, "--key", sealed.keys, *db(sealed.database)).stdout
    log_verifier.verify(io.BytesIO(sealed.log.read_bytes()), witness=path.read_text().splitlines())

    lines[0]["root"] = "00" * 32
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = path.read_text()
    done = audit("witness", "--file", path, "--key", sealed.keys, *db(sealed.database), code=1)
    assert "book %s, %d blocks" % (lines[0]["book"], lines[0]["tree_size"]) in done.stderr and "rewritten" in done.stderr
    assert path.read_text() == before
    path.write_text(before[:-20])
    assert "line 4" in audit("witness", "--file", path, *db(sealed.database), code=1).stderr


# ---------------------------------------------------------------- the tamper drill
OPEN_UP = """
DO $$ DECLARE t record; BEGIN
    FOR t IN SELECT c.oid::regclass AS name FROM pg_class c WHERE relnamespace = 'ujrat'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', t.name);
    END LOOP;
    FOR t IN SELECT conrelid::regclass AS name, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0
               AND connamespace = 'ujrat'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', t.name, t.conname);
    END LOOP;
END $$"""


def tamper(database, sql, book):
    """As superuser, in a copy of sealed.opened: every guard is out of the way."""
    with database.connect(options="-c search_path=ujrat") as c:
        number = c.execute("SELECT book_id FROM book WHERE code = %s", [book]).fetchone()[0]
        c.execute(sql.replace("{book}", str(number)))
        c.commit()


PAYOUT = "(SELECT min(payout_id) + 2 FROM payout WHERE book_id = {book})"
QUOTED = "(SELECT payout_id FROM payout WHERE book_id = {book} AND quote_id IS NOT NULL)"
SETTLED = "(SELECT min(seq) FROM journal WHERE book_id = {book} AND kind = 3)"
LAST = "(SELECT max(block_no) FROM block WHERE book_id = {book})"
LAST_SEQ = "(SELECT max(last_seq) FROM block WHERE book_id = {book})"
MIDDLE = "(SELECT max(block_no) / 2 FROM block WHERE book_id = {book})"

ASIDE = "(SELECT min(seq) FROM journal WHERE book_id = {book} AND kind = 15)"
CLAIM = "(SELECT min(seq) FROM journal WHERE book_id = {book} AND kind = 16)"

# name: what is done, where it is found (a seq or block), which field
DRILL = {
    "an amount": ("UPDATE journal SET line_minor[1] = line_minor[1] + 1 WHERE book_id = {book} AND seq = " + PAYOUT,
                  "seq", PAYOUT, "lines"),
    "two amounts, so that it balances": (
        "UPDATE journal SET line_minor[1] = line_minor[1] + 100, line_minor[3] = line_minor[3] - 100"
        " WHERE book_id = {book} AND seq = " + PAYOUT, "seq", PAYOUT, "line float.USD"),
    "a payout's net": ("UPDATE payout SET net = net + 1 WHERE book_id = {book} AND payout_id = " + PAYOUT, "seq", PAYOUT, "net"),
    "a payout's fee": ("UPDATE payout SET fee = fee + 10 WHERE book_id = {book} AND payout_id = " + PAYOUT,
                       "seq", PAYOUT, "mid_value"),
    "a digit of a reference": ("UPDATE payout SET reference = reference || '0' WHERE book_id = {book} AND payout_id = " + PAYOUT,
                               "seq", PAYOUT, "journal record"),
    "a digit of remittance information": (
        "UPDATE payout SET info = replace(info, '1', '2') WHERE book_id = {book} AND info LIKE 'invoice 1%'",
        "seq", "(SELECT payout_id FROM payout WHERE book_id = {book} AND info LIKE 'invoice 2%' ORDER BY 1 LIMIT 1)",
        "journal record"),
    "a digit of a bank's reference": (
        "UPDATE payout_transition SET bank_reference = bank_reference || '1' WHERE book_id = {book} AND seq = " + SETTLED,
        "seq", SETTLED, "journal record"),
    "a digit of a detail": ("UPDATE journal SET detail = detail || '1' WHERE book_id = {book} AND seq = 1",
                            "seq", "1", "journal record"),
    "who asked": ("UPDATE journal SET principal_id = 1 WHERE book_id = {book} AND seq = " + PAYOUT, "seq", PAYOUT, "journal record"),
    "a time": ("UPDATE block SET committed_at = committed_at + interval '1 us' WHERE book_id = {book} AND block_no = " + MIDDLE,
               "block", MIDDLE, "committed_at"),
    "a journal is deleted": ("DELETE FROM journal WHERE book_id = {book} AND seq = " + SETTLED, "seq",
                             "(SELECT seq FROM payout_transition WHERE book_id = {book} AND state = 4 ORDER BY 1 LIMIT 1)", "seq"),
    "a journal that moves nothing is deleted": (
        "DELETE FROM journal WHERE book_id = {book} AND seq = (SELECT max(seq) FROM journal WHERE book_id = {book} AND kind = 2)",
        "seq", "(SELECT max(seq) FROM handout WHERE book_id = {book})", "last_seq"),
    "two lines of a journal are swapped": (
        "UPDATE journal SET line_account[1] = line_account[2], line_account[2] = line_account[1], line_minor[1] = line_minor[2],"
        " line_minor[2] = line_minor[1] WHERE book_id = {book} AND seq = " + PAYOUT, "seq", PAYOUT, "journal record"),
    "lines of two journals are swapped": (
        "UPDATE journal j SET line_minor = o.line_minor FROM journal o WHERE j.book_id = {book} AND o.book_id = {book}"
        " AND (j.seq, o.seq) IN ((" + PAYOUT + ", " + PAYOUT + " + 2), (" + PAYOUT + " + 2, " + PAYOUT + "))",
        "seq", PAYOUT, "line float.USD"),
    "a forged journal in a sealed block": (
        "WITH f AS (INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor, detail)"
        " SELECT seq + 1, block_no, book_id, principal_id, 8, ARRAY[c.account_id, l.account_id], ARRAY[c.ccy, l.ccy],"
        " ARRAY[100, -100], 'forged' FROM journal JOIN account c USING (book_id) JOIN account l USING (book_id)"
        " WHERE book_id = {book} AND seq = " + LAST_SEQ + " AND c.code = 'correspondent.USD' AND l.code = 'float.USD'),"
        " d AS (INSERT INTO float_deposit VALUES ({book}, 'forged', 840, 100, " + LAST_SEQ + " + 1)),"
        " h AS (UPDATE book_head SET next_seq = next_seq + 1 WHERE book_id = {book})"
        " UPDATE block SET last_seq = last_seq + 1 WHERE book_id = {book} AND block_no = " + LAST, "block", LAST, "change"),
    "a forged journal in a block of its own": (
        "SELECT deposit_float({book}, 1, 'USD', 100, 'forged');"
        " UPDATE block SET committed_at = committed_at - interval '1 day' WHERE book_id = {book} AND block_no = " + LAST,
        "block", LAST, "committed_at"),
    "a balance": ("UPDATE account_balance SET balance = balance + 1 WHERE book_id = {book} AND block_no = " + MIDDLE
                  + " AND account_id = (SELECT max(account_id) FROM account_balance WHERE book_id = {book} AND block_no = "
                  + MIDDLE + ")", "block", MIDDLE, "balance"),
    "a balance is deleted": (
        "DELETE FROM account_balance WHERE book_id = {book} AND block_no = 2", "block", "2", "balance"),
    "a balance too many": (
        "INSERT INTO account_balance SELECT 2, NULL, 0, 0, 0, 0, 0, {book}, account_id, false FROM account"
        " WHERE book_id = {book} AND code = 'position.PKR'", "block", "2", "balance"),
    "a commitment to who is paid": (
        "UPDATE beneficiary_version SET name_commitment = sha256('somebody else') WHERE book_id = {book} AND beneficiary_id ="
        " (SELECT beneficiary_id FROM payout WHERE book_id = {book} AND payout_id = " + PAYOUT + ")", "seq",
        "(SELECT min(payout_id) FROM payout WHERE book_id = {book} AND beneficiary_id = (SELECT beneficiary_id FROM payout"
        " WHERE book_id = {book} AND payout_id = " + PAYOUT + "))", "journal record"),
    "a rate": ("UPDATE rate SET pkr_e10 = pkr_e10 + 100 WHERE ccy = 840", "seq",
               "(SELECT min(payout_id) FROM payout WHERE book_id = {book})", "mid_rate_e10"),
    "where rates come from": ("UPDATE rate_sheet SET source = 'elsewhere'", "seq",
                              "(SELECT min(payout_id) FROM payout WHERE book_id = {book})", "journal record"),
    "a quote that was used": ("UPDATE quote SET fee = fee + 1 WHERE book_id = {book} AND quote_id = (SELECT quote_id FROM payout"
                              " WHERE book_id = {book} AND payout_id = " + QUOTED + ")", "seq", QUOTED, "quote: fee"),
    "a quote that was used, its expiry": (
        "UPDATE quote SET expires_at = expires_at + interval '1 s' WHERE book_id = {book} AND quote_id = (SELECT quote_id"
        " FROM payout WHERE book_id = {book} AND payout_id = " + QUOTED + ")", "seq", QUOTED, "journal record"),
    "a quote that was not": ("UPDATE quote SET net = net + 1 WHERE book_id = {book} AND quote_id NOT IN (SELECT quote_id FROM"
                             " payout WHERE book_id = {book} AND quote_id IS NOT NULL)", None, None, "quote: net"),
    "a payout without a journal": (
        "INSERT INTO payout SELECT 900000, beneficiary_id, gross, fee, mid_rate_e10, mid_value, margin, net, NULL, book_id,"
        " rate_id, beneficiary_version, margin_bps, src_ccy, dst_ccy, bank_id, digit_shift, fingerprint, 'ghost', info"
        " FROM payout WHERE book_id = {book} AND payout_id = " + PAYOUT, "seq", "900000", "payout: rows"),
    "a payout's row is deleted": ("DELETE FROM payout WHERE book_id = {book} AND payout_id = " + QUOTED, "seq",
                                  "(SELECT min(j.seq) FROM journal j WHERE book_id = {book} AND kind = 1 AND NOT EXISTS"
                                  " (SELECT FROM payout p WHERE p.book_id = {book} AND p.payout_id = j.seq))", "subject"),
    "what a bank was told": (
        "UPDATE handout SET last_payout_id = last_payout_id - 1 WHERE book_id = {book} AND seq ="
        " (SELECT min(seq) FROM handout WHERE book_id = {book})", "seq",
        "(SELECT min(seq) FROM handout WHERE book_id = {book})", None),
    "the next number of the book": ("UPDATE book_head SET next_seq = next_seq + 1 WHERE book_id = {book}", "seq", LAST_SEQ,
                                    "book_head: next_seq"),
    "an account's side": ("UPDATE account SET normal_side = 'debit' WHERE book_id = {book} AND code = 'float.USD'",
                          None, None, "ujrat/account/1"),
    "the float's floor": ("UPDATE account SET floor_zero = false WHERE book_id = {book} AND code = 'float.USD'",
                          None, None, "ujrat/account/1"),
    "an opening": ("UPDATE account_balance SET balance = 5 WHERE book_id = {book} AND block_no = 0 AND account_id = 1",
                   None, None, "account_balance"),
    "a seal is deleted": ("DELETE FROM block_seal WHERE book_id = {book} AND block_no = " + MIDDLE, "block", MIDDLE, "seal"),
    "a seal's signature": ("UPDATE block_seal SET signature = set_byte(signature, 5, 255 - get_byte(signature, 5))"
                           " WHERE book_id = {book} AND block_no = " + MIDDLE, "block", MIDDLE, "block: signature"),
    "a hash of the tree": ("UPDATE block_seal SET nodes = nodes || sha256('x') WHERE book_id = {book} AND block_no = " + MIDDLE,
                           "block", MIDDLE, "nodes"),
    "a hash of a journal": ("UPDATE block_seal SET leaves = sha256('x') || substring(leaves, 33) WHERE book_id = {book}"
                            " AND block_no = " + MIDDLE, "block", MIDDLE, "leaves"),
    "a tree head's root": ("UPDATE tree_head SET root = sha256('x') WHERE book_id = {book} AND tree_size ="
                           " (SELECT max(tree_size) FROM tree_head WHERE book_id = {book})", "block", LAST, "tree head: root"),
    "a tree head is deleted": ("DELETE FROM tree_head WHERE book_id = {book} AND tree_size = "
                               "(SELECT max(tree_size) FROM tree_head WHERE book_id = {book})", "block", LAST, "tree_size"),
    "when something unclaimed expires": (
        "UPDATE unclaimed SET expires_at = expires_at + interval '1 us' WHERE book_id = {book} AND unclaimed_id = " + ASIDE,
        "seq", ASIDE, "journal record"),
    "what is unclaimed": ("UPDATE unclaimed SET gross = gross + 1 WHERE book_id = {book} AND unclaimed_id = " + ASIDE, "seq", ASIDE, "line float.USD"),
    "a row of something unclaimed is deleted": ("DELETE FROM unclaimed WHERE book_id = {book} AND unclaimed_id = " + ASIDE, "seq", ASIDE, "subject"),
    "something unclaimed without a journal": (
        "INSERT INTO unclaimed SELECT book_id, 900000, batch_id, 99, 'PP-ghost', ccy, gross, info, expires_at FROM unclaimed"
        " WHERE book_id = {book} AND unclaimed_id = " + ASIDE + "; INSERT INTO payout_batch_item (book_id, batch_id, item_no, unclaimed_id, item_id_reused, gross,"
        " recipient_type) SELECT book_id, batch_id, 99, 900000, false, gross, 1 FROM unclaimed WHERE book_id = {book} AND unclaimed_id = 900000;"
        " INSERT INTO unclaimed_open SELECT book_id, 900000, expires_at, 1, sha256('x') FROM unclaimed WHERE book_id = {book} AND unclaimed_id = 900000",
        "seq", "900000", "unclaimed: rows"),
    "who claimed": ("UPDATE unclaimed_end SET payout_id = payout_id + 100 WHERE book_id = {book} AND outcome = 1 AND seq = " + CLAIM, "seq", CLAIM + " + 2",
                    "payout_id"),
    "how something unclaimed ended": ("UPDATE unclaimed_end SET outcome = 2, payout_id = NULL WHERE book_id = {book} AND seq = " + CLAIM, "seq", CLAIM, "outcome"),
    "an end without a journal": ("INSERT INTO unclaimed_end SELECT book_id, unclaimed_id, 3, 900000, NULL FROM unclaimed_open WHERE book_id = {book};"
                                 " DELETE FROM unclaimed_open WHERE book_id = {book}", "seq", "900000", "unclaimed_end: rows"),
    "what is unclaimed and open": ("DELETE FROM unclaimed_open WHERE book_id = {book}", "seq",
                                   "(SELECT max(unclaimed_id) FROM unclaimed WHERE book_id = {book})", "unclaimed_open"),
    "what is open until when": ("UPDATE unclaimed_open SET expires_at = expires_at + interval '1 day' WHERE book_id = {book}", "seq",
                                "(SELECT max(unclaimed_id) FROM unclaimed WHERE book_id = {book})", "unclaimed_open"),
    "an item that is unclaimed": ("UPDATE payout_batch_item SET unclaimed_id = NULL, reason = 102 WHERE book_id = {book} AND unclaimed_id = " + ASIDE,
                                  "seq", ASIDE, "payout_batch_item"),
    "the floor of what is unclaimed": ("UPDATE account SET floor_zero = false WHERE book_id = {book} AND code = 'unclaimed.USD'",
                                       None, None, "ujrat/account/1"),
    "a key": ("UPDATE log_key SET public_key = sha256('x') WHERE book_id = {book}", "block", "1", None),
}


@pytest.mark.parametrize("name", DRILL)
def test_whatever_is_tampered_with_is_caught_and_named(sealed, name):
    sql, unit, number, field = DRILL[name]
    copy = copy_of(sealed.opened)
    try:
        tamper(copy, sql, sealed.book)
        found = verify(*db(copy), key=sealed.keys, code=1)["findings"]
        first = [f for f in found if f["book"] == sealed.book]
        assert len(first) == 1, found
        assert field is None or first[0]["field"] == field, first
        if unit:
            book_id = copy.value("SELECT book_id FROM ujrat.book WHERE code = %s", [sealed.book])
            with copy.connect(options="-c search_path=ujrat") as c:
                at = c.execute("SELECT " + number.replace("{book}", str(book_id))).fetchone()[0]
            assert first[0][unit] == at, (at, first)
        # the other book is judged by itself; rates are everybody's
        assert len(found) == 1 or "rate" in name, found
    finally:
        drop(copy)


# ---------------------------------------------------------------- rows beside journals
@pytest.fixture(scope="module")
def returned(new_world, work):
    """Returns of every kind and a funding, sealed: a whole one, two parts (one with a charge), one taken back, one that was whole and is."""
    world = new_world(seal=True)
    platform, bank = world.platform(USD=50_000_00), world.bank()
    to = platform.register(bank).name
    for gross in (10_000, 20_000, 30_000):
        platform.submit(to, gross=gross)
    whole, parts, back = bank.take(3)
    bank.confirm(bank.settled(whole), bank.settled(parts), bank.settled(back))
    bank.send_back(whole)
    bank.send_back(parts, amount=1_000, charge=100, reference="part-1")
    bank.send_back(parts, amount=2_000, reference="part-2")
    bank.take_back(parts, "part-2")
    bank.send_back(back, reference="all")
    bank.take_back(back, "all")
    world.gateway.ujrat("bank", "fund", bank.code, "--amount", "100", "--cost", "USD:0.36", "--reference", "f1", "--quiet")
    world.gateway.wait_sealed()
    keys = work / (unique("returned") + ".pem")
    keys.write_text(world.gateway.ujrat("log", "key", "export", platform.code))
    world.close()
    world.gateway.stop()
    opened = copy_of(Copy(world.database, world.database.name))
    with opened.connect(autocommit=True) as c:
        c.execute(OPEN_UP)
    return types.SimpleNamespace(opened=opened, book=platform.code, keys=keys)


STEP = "(SELECT seq FROM payout_transition JOIN payment_return r USING (book_id, payout_id, step) WHERE book_id = {book} AND r.%s)"
PART, BACK = "bank_reference = 'part-1'", "reverses_step IS NOT NULL ORDER BY seq LIMIT 1"
FUNDED = "(SELECT seq FROM journal WHERE book_id = {book} AND kind = 14)"
BESIDE = {      # what is done, at which journal, in which field, in which words
    "a return's amount": ("UPDATE payment_return SET amount = amount + 1 WHERE book_id = {book} AND " + PART, STEP % PART, "payment_return: amount", "step 2"),
    "a whole return's amount": ("UPDATE payment_return SET amount = amount - 1 WHERE book_id = {book} AND payout_id = (SELECT min(payout_id) FROM payment_return)",
                                "(SELECT seq FROM journal WHERE book_id = {book} AND kind = 6 ORDER BY 1 LIMIT 1)", "payment_return: amount", "is not what its journal says"),
    "a return's charge": ("UPDATE payment_return SET charge = 0 WHERE book_id = {book} AND " + PART, STEP % PART, "payment_return: charge", "step 2"),
    "a return's reference": ("UPDATE payment_return SET bank_reference = 'other' WHERE book_id = {book} AND " + PART,
                             STEP % "bank_reference = 'other'", "payment_return: bank_reference", "step 2"),
    "a return's bank": ("UPDATE payment_return SET bank_id = 99 WHERE book_id = {book} AND " + PART, STEP % PART, "payment_return: bank_id", "step 2"),
    "which way a return went": ("UPDATE payment_return SET reverses_step = NULL WHERE book_id = {book} AND step = 4",
                                STEP % "step = 4", "payment_return: reverses_step", "step 4"),
    "that a return takes one back": ("UPDATE payment_return SET reverses_step = 1 WHERE book_id = {book} AND " + PART,
                                     STEP % PART, "payment_return: reverses_step", "step 2"),
    "what a reversal takes back": ("UPDATE payment_return SET amount = amount + 1, charge = 1 WHERE book_id = {book} AND step = 4",
                                   STEP % "step = 4", "payment_return: amount", "step 4"),
    "a return's row is deleted": ("DELETE FROM payment_return WHERE book_id = {book} AND step = 3 AND bank_reference = 'part-2'",
                                  "(SELECT seq FROM payout_transition WHERE book_id = {book} AND step = 3 AND bank_reference = 'part-2')",
                                  "payment_return: rows", "have no row"),
    "a return too many": ("INSERT INTO payment_return SELECT book_id, payout_id, 9, amount, charge, NULL, NULL, bank_id, 'ghost' FROM payment_return"
                          " WHERE book_id = {book} AND " + PART, None, "payment_return: rows", "no journal"),
    "a return in place of another": ("UPDATE payment_return SET step = 9 WHERE book_id = {book} AND " + PART, None, "payment_return: rows",
                                     "no journal of the book stands for it"),
    "a funding's amount": ("UPDATE nostro_funding SET amount = amount + 1 WHERE book_id = {book}", FUNDED, "nostro_funding: amount", "funding f1"),
    "a funding's cost": ("UPDATE nostro_funding SET src_amount = 1 WHERE book_id = {book}", FUNDED, "nostro_funding: src_amount", "funding f1"),
    "a funding's currency": ("UPDATE nostro_funding SET ccy = 840 WHERE book_id = {book}", FUNDED, "nostro_funding: ccy", "funding f1"),
    "a funding's other currency": ("UPDATE nostro_funding SET src_ccy = 586 WHERE book_id = {book}", FUNDED, "nostro_funding: src_ccy", "funding f1"),
    "a funding's bank": ("UPDATE nostro_funding SET bank_id = 99 WHERE book_id = {book}", FUNDED, "nostro_funding: bank_id", "funding f1"),
    "a funding's reference": ("UPDATE nostro_funding SET reference = 'f9' WHERE book_id = {book}", FUNDED, "nostro_funding: reference", "funding f9"),
    "a funding's row is deleted": ("DELETE FROM nostro_funding WHERE book_id = {book}", FUNDED, "nostro_funding: rows", "have no row"),
    "a funding too many": ("INSERT INTO nostro_funding SELECT book_id, 'ghost', bank_id, ccy, amount, src_ccy, src_amount, 1 FROM nostro_funding"
                           " WHERE book_id = {book}", "1", "nostro_funding: rows", "no journal"),
}


def test_rows_beside_journals_that_are_right_are_found_right(returned):
    said = verify(*db(returned.opened), key=returned.keys)
    assert said["good"] and said["findings"] == []


@pytest.mark.parametrize("name", BESIDE)
def test_a_row_beside_its_journal_that_was_tampered_with_is_caught_and_named(returned, name):
    sql, seq, field, words = BESIDE[name]
    copy = copy_of(returned.opened)
    try:
        tamper(copy, sql, returned.book)
        first, = verify(*db(copy), key=returned.keys, code=1)["findings"]
        assert first["field"] == field and words in first["what"], first
        if seq:
            book = copy.value("SELECT book_id FROM ujrat.book WHERE code = %s", [returned.book])
            with copy.connect(options="-c search_path=ujrat") as c:
                assert first["seq"] == c.execute("SELECT " + seq.replace("{book}", str(book))).fetchone()[0], first
    finally:
        drop(copy)


DROP_LAST_BLOCK = """
CREATE TEMP TABLE gone AS SELECT * FROM block WHERE book_id = {book} AND block_no = (SELECT max(block_no) FROM block WHERE book_id = {book});
DELETE FROM tree_head WHERE book_id = {book} AND tree_size >= (SELECT block_no FROM gone);
DELETE FROM block_seal WHERE book_id = {book} AND block_no = (SELECT block_no FROM gone);
DELETE FROM account_balance WHERE book_id = {book} AND block_no = (SELECT block_no FROM gone);
DELETE FROM payout WHERE book_id = {book} AND payout_id >= (SELECT first_seq FROM gone);
DELETE FROM payout_transition WHERE book_id = {book} AND seq >= (SELECT first_seq FROM gone);
DELETE FROM handout WHERE book_id = {book} AND seq >= (SELECT first_seq FROM gone);
DELETE FROM journal WHERE book_id = {book} AND seq >= (SELECT first_seq FROM gone);
DELETE FROM block WHERE book_id = {book} AND block_no = (SELECT block_no FROM gone);
UPDATE book_head SET next_seq = (SELECT first_seq FROM gone), next_block = (SELECT block_no FROM gone),
    last_commit_at = (SELECT max(committed_at) FROM block WHERE book_id = {book}) WHERE book_id = {book};
"""


def resign(copy, sealed, new_gateway):
    """Every seal and every head anew, with the key that was stolen."""
    tamper(copy, "DELETE FROM block_seal WHERE book_id = {book}; DELETE FROM tree_head WHERE book_id = {book}", sealed.book)
    gateway = new_gateway(copy, seal=sealed.private)
    gateway.wait_sealed()
    gateway.stop()


def test_a_last_block_that_is_gone_without_a_trace_is_missed_by_the_witness_alone(sealed, new_gateway):
    copy = copy_of(sealed.opened)
    seen = sealed.folder / "seen-to-the-end.jsonl"
    audit("witness", "--file", seen, *db(copy))
    last = copy.value("SELECT max(block_no) FROM ujrat.block JOIN ujrat.book USING (book_id) WHERE code = %s", [sealed.book])
    # the sealer may have signed several blocks with one head: those have no head then, unless there is a key to make one
    tamper(copy, DROP_LAST_BLOCK, sealed.book)
    resign(copy, sealed, new_gateway)
    assert verify(*db(copy), key=sealed.keys)["good"]
    found = verify("--witness", seen, *db(copy), key=sealed.keys, code=1)["findings"]
    assert [(f["book"], f["block"], f["field"]) for f in found] == [(sealed.book, last, "witness")]
    assert "%d blocks" % last in audit("witness", "--file", seen, *db(copy), code=1).stderr
    drop(copy)


def test_a_last_block_that_is_gone_leaves_a_head_that_misses_it(sealed):
    copy = copy_of(sealed.opened)
    last = copy.value("SELECT max(block_no) FROM ujrat.block JOIN ujrat.book USING (book_id) WHERE code = %s", [sealed.book])
    tamper(copy, DROP_LAST_BLOCK.replace("DELETE FROM tree_head", "SELECT FROM tree_head", 1), sealed.book)
    found = verify(*db(copy), key=sealed.keys, code=1)["findings"]
    assert [(f["book"], f["block"], f["field"]) for f in found] == [(sealed.book, last, "tree_size")]
    drop(copy)


def test_a_book_that_was_rewritten_and_signed_with_a_stolen_key_is_caught_by_the_witness_alone(sealed, new_gateway):
    copy = copy_of(sealed.opened)
    tamper(copy, "UPDATE payout SET reference = 'another' WHERE book_id = {book} AND payout_id = " + PAYOUT, sealed.book)
    resign(copy, sealed, new_gateway)
    assert verify(*db(copy), key=sealed.keys)["good"], "nothing inside of the database can tell"
    found = verify("--witness", sealed.witness, *db(copy), key=sealed.keys, code=1)["findings"]
    seen = [json.loads(line) for line in sealed.witness.read_text().splitlines()]
    at = [line["tree_size"] for line in seen if line["book"] == sealed.book]
    assert [(f["book"], f["block"], f["field"]) for f in found] == [(sealed.book, at[0], "witness")]
    mine = sealed.folder / "not-written.jsonl"
    shutil.copy(sealed.witness, mine)
    assert sealed.book in audit("witness", "--file", mine, "--key", sealed.keys, *db(copy), code=1).stderr
    assert mine.read_text() == sealed.witness.read_text()
    log = sealed.folder / "rewritten.log"
    audit("export", "--format", "log", "--out", log, *db(copy))
    assert verify(log, key=sealed.keys)["good"]
    assert verify("--witness", sealed.witness, log, key=sealed.keys, code=1)["findings"][0]["field"] == "witness"
    drop(copy)


def test_all_goes_on_after_the_first(sealed):
    copy = copy_of(sealed.opened)
    tamper(copy, "UPDATE payout SET net = net + 1 WHERE book_id = {book} AND payout_id = " + PAYOUT + ";"
                 "UPDATE payout_transition SET bank_reference = 'x' WHERE book_id = {book} AND seq = " + SETTLED, sealed.book)
    assert [f["field"] for f in verify(*db(copy), key=sealed.keys, code=1)["findings"]] == ["net"]
    fields = [f["field"] for f in verify("--all", *db(copy), key=sealed.keys, code=1)["findings"]]
    assert fields[0] == "net" and fields.count("journal record") == 2, fields
    drop(copy)
