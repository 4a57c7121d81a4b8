"""What the database holds of a person: commitments, and ciphertext under a key that is not in it (docs/personal-data.md). The
records and the encryption are read here with nothing of ours but that page and docs/log-format.md."""
import hashlib
import hmac
import os
import pathlib
import re
import signal
import struct
import subprocess
import threading

import grpc
import psycopg
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness import BIN, ROOT, Database, run, unique, wait_until
from world import SECONDS, cnic, iban, number

FIELDS = ("name", "iban", "mobile", "cnic", "pseb")
PG_DUMP = pathlib.Path("/usr/lib/postgresql/15/bin/pg_dump")


# ---------------------------------------------------------------- the two pages, in Python
def field(value):
    return b"\xff\xff\xff\xff" if value is None else struct.pack(">I", len(value)) + value


def fields_of(record):
    at, found = 0, []
    while at < len(record):
        length, = struct.unpack_from(">I", record, at)
        at += 4
        found.append(None if length == 0xFFFFFFFF else record[at:at + length])
        at += 0 if length == 0xFFFFFFFF else length
        assert at <= len(record)
    return found


def commitment(which, salt, value):
    return None if value is None else hashlib.sha256(
        field(b"ujrat/pii/1") + field(which.encode()) + field(salt) + field(value)).digest()


def read_keys(path):
    keys = {}
    for line in pathlib.Path(path).read_text().splitlines():
        if line and not line.startswith("#"):
            name, key = line.split()
            keys[name if name == "fingerprint" else int(name)] = bytes.fromhex(key)
    return keys


def people(database, path):
    """(book, beneficiary, version) -> {"name": ...} of all rows, decrypted, each held against its commitments."""
    keys, found = read_keys(path), {}
    for book, beneficiary, version, key_id, sealed, *commitments in database.rows(
            "SELECT r.book_id, r.beneficiary_id, r.version, r.key_id, r.sealed, v.name_commitment, v.iban_commitment, "
            "v.mobile_commitment, v.cnic_commitment, v.pseb_commitment FROM ujrat.beneficiary_pii r "
            "JOIN ujrat.beneficiary_version v USING (book_id, beneficiary_id, version)"):
        if key_id:
            aad = field(b"ujrat/pii-aad/1") + b"".join(map(field, commitments))
            sealed = AESGCM(keys[key_id]).decrypt(sealed[:12], sealed[12:], aad)
        record = fields_of(sealed)
        assert record.pop(0) == b"ujrat/pii-open/1" and len(record) == 10
        salts, values = record[::2], record[1::2]
        assert [commitment(*each) for each in zip(FIELDS, salts, values)] == commitments
        assert all(len(salt) == 16 for salt in salts if salt is not None)
        found[book, beneficiary, version] = {f: v.decode() for f, v in zip(FIELDS, values) if v is not None}
    return found


def dump(database):
    return subprocess.run([str(PG_DUMP), "--inserts", database.uri()], check=True, capture_output=True).stdout.decode().lower()


def spellings(text):
    """A text as a dump could show it."""
    return [text.lower(), text.encode().hex(), text.encode().hex(" ")]


# ---------------------------------------------------------------- the world
@pytest.fixture(scope="module")
def world(new_world):
    return new_world(seal=True)


@pytest.fixture(scope="module")
def shop(world):
    """A platform whose book is sealed, a bank, and where the keys are."""
    class Shop:
        platform, bank = world.platform(USD=100_000_000), world.bank()
        database, keys = world.database, world.gateway.settings["pii_keys"]
        book = world.database.value("SELECT book_id FROM ujrat.book WHERE code = %s", (platform.code,))
    return Shop


def get(platform, name):
    return platform.beneficiaries.GetBeneficiary(platform.api.payout.GetBeneficiaryRequest(name=name), timeout=SECONDS)


def update(platform, name, details):
    return platform.beneficiaries.UpdateBeneficiary(platform.api.payout.UpdateBeneficiaryRequest(
        name=name, details=details), timeout=SECONDS)


def number_of(name):
    return int(name.rsplit("/", 1)[1])


def ujrat(*arguments, database=None, role="ujrat_operator"):
    where = ["--db", database.uri(role)] if database else []
    done = subprocess.run([str(BIN / "ujrat"), *map(str, arguments), *where], capture_output=True, text=True, timeout=SECONDS * 3)
    return done.returncode, done.stdout, done.stderr


def erase(shop, name, reason="asked for it"):
    return ujrat("pii", "erase", shop.platform.code, name, "--reason", reason, database=shop.database)


def settle(shop, payout):
    """Told and paid: the bank's instruction of the payout."""
    stream = shop.bank.watch()
    told = stream.take(1)[0]
    while told.amount.minor_units != payout.pricing.net.minor_units:
        told = stream.take(1)[0]
    stream.close()
    assert shop.bank.confirm(shop.bank.settled(told))[0].outcome == 1
    return told


# ---------------------------------------------------------------- what is there
def test_nothing_of_a_person_is_found_in_a_dump_of_the_database_or_in_the_log(world, shop):
    platform, bank = shop.platform, shop.bank
    name, pseb, mobile = "Zubaida Qalandar", "PSEB-7F31XY", "+923119876543"
    first = platform.details(bank, display_name=name, pseb_registration=pseb)
    second = platform.details(bank, display_name="Moved " + name)
    third = platform.details(bank, iban=None, mobile_alias=mobile, bank_code=bank.code, display_name=name)
    registered = platform.beneficiaries.RegisterBeneficiary(platform.api.payout.RegisterBeneficiaryRequest(
        request_id="dumped", details=first), timeout=SECONDS)
    platform.submit(registered.name, 20_001)
    update(platform, registered.name, second)
    platform.submit(third, 20_002)
    assert [r.outcome for r in platform.batch([platform.request(third, 20_003), platform.request(first, 20_004)])] == [1, 1]
    stream = bank.watch()
    told = stream.take(4)
    stream.close()
    assert {t.creditor_cnic for t in told} == {first.cnic, third.cnic}
    bank.confirm(*map(bank.settled, told))
    text, log = dump(shop.database), world.gateway.log().lower()
    assert platform.code in text and first.purpose_code in text and len(people(shop.database, shop.keys)) >= 4
    for what in (name, pseb, mobile, mobile[1:], "0" + mobile[3:], first.iban, second.iban, first.cnic, second.cnic, third.cnic):
        for spelling in spellings(what):
            assert spelling not in text, what
        assert what.lower() not in log, what


def test_commitments_open_with_what_is_decrypted_and_that_is_what_was_given(shop):
    platform, bank = shop.platform, shop.bank
    given = platform.details(bank, display_name="عائشہ خان")
    registered = platform.register(bank, display_name="عائشہ خان", iban=given.iban, cnic=given.cnic)
    changed = platform.details(bank, iban=None, mobile_alias="03001234567", bank_code=bank.code, pseb_registration=None)
    update(platform, registered.name, changed)
    found, at = people(shop.database, shop.keys), (shop.book, number_of(registered.name))
    assert found[at + (1,)] == {"name": "عائشہ خان", "iban": given.iban, "cnic": given.cnic, "pseb": "PSEB-1234"}
    assert found[at + (2,)] == {"name": changed.display_name, "mobile": "+923001234567", "cnic": changed.cnic}
    answer = get(platform, registered.name)
    assert (answer.version, answer.details.display_name, answer.details.cnic) == (2, changed.display_name, changed.cnic)
    assert (answer.details.mobile_alias, answer.details.iban, answer.details.pseb_registration) == ("+923001234567", "", "")


def test_fingerprints_are_of_use_to_who_has_the_key_only(shop):
    """Told twice, a person is the same; but no hash of what was told is stored, whatever a reader tries."""
    platform, bank = shop.platform, shop.bank
    details = platform.details(bank)
    one, two = platform.submit(details, 20_101), platform.submit(details, 20_102)
    assert one.beneficiary == two.beneficiary
    bank_id = shop.database.value("SELECT bank_id FROM ujrat.bank WHERE code = %s", (bank.code,))
    asked = b"".join(struct.pack(">H", len(f)) + f for f in (
        b"ujrat.beneficiary.v1", details.display_name.encode(), details.iban.encode(), b"", struct.pack(">H", bank_id),
        details.cnic.encode(), details.pseb_registration.encode(), b"\x01", b"9186"))
    hash_ = hashlib.sha256(asked).digest()[:16]
    keyed = hmac.new(read_keys(shop.keys)["fingerprint"], hash_, hashlib.sha256).digest()[:16]
    assert shop.database.rows("SELECT beneficiary_id FROM ujrat.beneficiary WHERE request_id = %s",
                              ("carried:" + keyed.hex(),)) == [(number_of(one.beneficiary),)]
    assert hash_.hex() not in dump(shop.database)


def test_rows_that_change_places_are_noticed(world, shop):
    platform, bank = shop.platform, shop.bank
    mine, other = platform.register(bank), platform.register(bank)
    ids = sorted(number_of(b.name) for b in (mine, other))
    swap = ("ALTER TABLE ujrat.beneficiary_pii DISABLE TRIGGER guard_pii; "
            "UPDATE ujrat.beneficiary_pii r SET sealed = o.sealed FROM ujrat.beneficiary_pii o WHERE r.book_id = {0} AND "
            "o.book_id = {0} AND r.beneficiary_id IN ({1}, {2}) AND o.beneficiary_id = {1} + {2} - r.beneficiary_id; "
            "ALTER TABLE ujrat.beneficiary_pii ENABLE ALWAYS TRIGGER guard_pii").format(shop.book, *ids)
    with shop.database.connect(autocommit=True) as c:
        c.execute(swap)
        try:
            assert world.refused(platform.beneficiaries.GetBeneficiary,
                                 world.gateway.api.payout.GetBeneficiaryRequest(name=mine.name)).reason == "INTERNAL"
            assert "event=pii.row_broken" in world.gateway.log()
            with pytest.raises(InvalidTag):
                people(shop.database, shop.keys)
        finally:
            c.execute(swap)
    assert get(platform, mine.name).details == mine.details


@pytest.mark.parametrize("role", [None, "ujrat_owner"], ids=["superuser", "as the owner"])
@pytest.mark.parametrize("statement", ["UPDATE beneficiary_pii SET key_id = key_id", "DELETE FROM beneficiary_pii",
                                       "TRUNCATE beneficiary_pii CASCADE", "DELETE FROM pii_erasure",
                                       "DO $$ BEGIN DELETE FROM beneficiary_pii; END $$"])
@pytest.mark.parametrize("replica", [False, True], ids=["", "as a replica would"])
def test_rows_are_erased_and_changed_by_the_two_functions_alone(shop, statement, role, replica):
    with shop.database.connect(autocommit=True, options="-c search_path=ujrat") as c:
        if replica:
            c.execute("SET session_replication_role = replica")
        if role:
            c.execute("SET ROLE " + role)
        with pytest.raises(psycopg.Error) as refused:
            c.execute(statement)
        assert refused.value.sqlstate == "UJ409", refused.value


# ---------------------------------------------------------------- rotation
def test_a_new_key_takes_over_while_payouts_come_in(world, shop):
    platform, bank, stop, failures, sent = shop.platform, shop.bank, threading.Event(), [], []

    def load():
        while not stop.is_set():
            results = platform.batch([platform.request(platform.details(bank), 10_000 + i) for i in range(20)])
            failures.extend(r.reason for r in results if r.outcome != 1)
            name = platform.register(bank).name
            if get(platform, name).details.display_name != "Ayesha Khan":
                failures.append(name)
            sent.append(name)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        wait_until(lambda: len(sent) >= 3, what="payouts")
        code, out, err = ujrat("pii", "key", "new", shop.keys)
        assert (code, err) == (0, "") and re.search(r"has key \d+$", out.strip())
        newest = max(k for k in read_keys(shop.keys) if k != "fingerprint")
        assert ujrat("pii", "rotate", "--keys", shop.keys, database=shop.database)[0] == 0
        before = len(sent)
        wait_until(lambda: len(sent) >= before + 3, what="payouts after it")
    finally:
        stop.set()
        thread.join(SECONDS)
    assert not failures and not thread.is_alive()
    wait_until(lambda: "event=pii.keys_read newest=%d" % newest in world.gateway.log(), what="the gateway to see the key")
    assert platform.register(bank).name and ujrat("pii", "rotate", "--keys", shop.keys, database=shop.database)[0] == 0
    assert shop.database.rows("SELECT DISTINCT key_id FROM ujrat.beneficiary_pii") == [(newest,)]
    assert len(people(shop.database, shop.keys)) == shop.database.value("SELECT count(*) FROM ujrat.beneficiary_version")
    # the old key is of no use any more
    lines = pathlib.Path(shop.keys).read_text().splitlines()
    pathlib.Path(shop.keys).write_text("\n".join(l for l in lines if not re.match(r"[0-9]", l) or l.startswith("%d " % newest)) + "\n")
    code, out, err = ujrat("pii", "status", "--keys", shop.keys, database=shop.database)
    assert code == 0 and re.search(r"%d .*yes" % newest, out), out + err
    assert get(platform, sent[0]).details.display_name == "Ayesha Khan"


@pytest.fixture
def crowd(database, work):
    """2,500 people as a migration leaves them, and a file of keys."""
    keys = work / unique("keys")
    assert ujrat("pii", "key", "new", keys)[0] == 0
    with database.connect(autocommit=True, options="-c search_path=ujrat") as c:
        c.execute("SELECT connect_bank('MUCB'), open_book('crowd', 'Crowd')")
        c.execute("SELECT add_principal('ujrat://system/test', 'system')")
        c.execute("INSERT INTO beneficiary SELECT book_id, i, 'request:' || i, 1, bank_id, now() FROM book, bank, "
                  "generate_series(1, 2500) i WHERE bank.code = 'MUCB'")
        c.execute((ROOT / "tests" / "people.sql").read_text())
    return database, keys


def test_a_rotation_that_was_ended_goes_on_where_it_was(crowd):
    database, keys = crowd
    by_key = lambda: dict(database.rows("SELECT key_id, count(*) FROM ujrat.beneficiary_pii GROUP BY 1"))
    with database.connect() as other:
        other.execute("SELECT 1 FROM ujrat.beneficiary_pii WHERE beneficiary_id = 1500 FOR UPDATE")
        process = subprocess.Popen([str(BIN / "ujrat"), "pii", "rotate", "--keys", str(keys), "--db", database.uri("ujrat_operator")],
                                   stdout=subprocess.DEVNULL)
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                                          "datname = %s", (database.name,)), what="the second batch to wait")
        process.send_signal(signal.SIGKILL)
        process.wait()
        other.rollback()
    wait_until(lambda: not database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND usename = 'ujrat_operator'",
                                          (database.name,)), what="its connection to end")
    assert by_key().get(1, 0) >= 1000  # what was sent may have been done, what was not is not
    code, out, err = ujrat("pii", "rotate", "--keys", keys, database=database)
    assert code == 0 and re.search(r"rows encrypted with key 1, \d+ a second", out), err
    assert by_key() == {1: 2500} and len(people(database, keys)) == 2500
    code, out, err = ujrat("pii", "rotate", "--keys", keys, database=database)
    assert (code, err) == (0, "") and by_key() == {1: 2500}


def test_two_rotations_at_once_do_the_work_once(crowd):
    database, keys = crowd
    both = [subprocess.Popen([str(BIN / "ujrat"), "pii", "rotate", "--quiet", "--keys", str(keys), "--db",
                              database.uri("ujrat_operator")], stderr=subprocess.PIPE) for _ in range(2)]
    for p in both:
        assert p.communicate(timeout=SECONDS * 3)[1] == b"" and p.returncode == 0
    assert len(people(database, keys)) == 2500


def test_a_file_without_the_key_is_told_by_the_keys_number(crowd, work):
    database, keys = crowd
    assert ujrat("pii", "key", "new", keys)[0] == 0
    assert ujrat("pii", "rotate", "--keys", keys, database=database)[0] == 0
    before = database.rows("SELECT * FROM ujrat.beneficiary_pii ORDER BY beneficiary_id")
    lines = keys.read_text().splitlines(keepends=True)
    old, other = work / unique("keys"), work / unique("keys")
    for path, text in ((old, [l for l in lines if not l.startswith("2 ")]), (other, [l.replace("2 ", "3 ", 1) for l in lines])):
        path.touch(0o600)
        path.write_text("".join(text))
    code, _, err = ujrat("pii", "rotate", "--keys", old, database=database)
    assert code == 1 and "key 2" in err and "newer file" in err
    code, _, err = ujrat("pii", "rotate", "--keys", other, database=database)
    assert code == 1 and "key 2 is not in the file" in err
    code, out, _ = ujrat("pii", "status", "--keys", old, database=database)
    assert code == 1 and re.search(r"2 .*2,?500.*no", out)
    assert database.rows("SELECT * FROM ujrat.beneficiary_pii ORDER BY beneficiary_id") == before
    old.chmod(0o644)
    code, _, err = ujrat("pii", "rotate", "--keys", old, database=database)
    assert code == 1 and "0600" in err
    assert ujrat("pii", "rotate", database=database)[0] == 2


def test_a_gateway_without_the_key_says_so_and_goes_on(new_world, work):
    world = new_world()
    keys, platform, bank = pathlib.Path(world.gateway.settings["pii_keys"]), world.platform(), world.bank()
    mine = platform.register(bank)
    payout = platform.submit(mine.name)
    whole = keys.read_text()
    keys.write_text(re.sub("^1 ", "2 ", whole, flags=re.M))
    wait_until(lambda: "event=pii.keys_read newest=2" in world.gateway.log(), what="the gateway to read its keys")
    request = world.gateway.api.payout.GetBeneficiaryRequest(name=mine.name)
    assert world.refused(platform.beneficiaries.GetBeneficiary, request).reason == "INTERNAL"
    assert "event=pii.key_missing key_id=1" in world.gateway.log()
    stream = bank.watch()
    assert stream.ended().code() == grpc.StatusCode.INTERNAL
    assert get(platform, platform.register(bank).name).details.display_name == "Ayesha Khan"
    keys.write_text(whole)  # the fingerprint key is the same; key 1 is back, and 2 gone
    assert wait_until(lambda: "event=pii.keys_read newest=1" in world.gateway.log(), what="the gateway to read its keys")
    assert get(platform, mine.name).details == mine.details
    assert bank.take(1)[0].amount.minor_units == payout.pricing.net.minor_units


def test_a_daemon_whose_keys_others_may_read_does_not_start(world, new_gateway, work):
    bad = work / unique("keys")
    bad.write_text(pathlib.Path(world.gateway.settings["pii_keys"]).read_text())
    bad.chmod(0o640)
    gateway = new_gateway(world.database, start=False, pii_keys=bad)
    gateway.start(wait=False)
    assert gateway.process.wait(SECONDS) == 78
    assert "start.pii_keys" in gateway.log() and "0600" in gateway.log()
    gateway.process = None


# ---------------------------------------------------------------- erasure
def history(database):
    """Everything that blocks are sealed over, and what it points to."""
    return [database.rows("SELECT * FROM ujrat.%s ORDER BY 1, 2, 3" % t)
            for t in ("journal", "block", "account_balance", "payout", "payout_transition", "handout", "beneficiary_version")]


def check_log(world, shop, witness):
    """With the auditor's own program: the book is what it was, whole, and still begins with what the witness saw."""
    def audit(*arguments):
        run(BIN / "ujrat-audit", *arguments, "--db", shop.database.uri("ujrat_auditor"))

    world.gateway.wait_sealed()
    if witness.exists():
        audit("verify", "--book", shop.platform.code, "--witness", witness)
    audit("witness", "--file", witness)


def test_a_person_is_erased_and_the_log_stays_as_it_was(world, shop, tmp_path):
    platform, bank = shop.platform, shop.bank
    details = platform.details(bank)
    register = platform.api.payout.RegisterBeneficiaryRequest(request_id="to-be-erased", details=details)
    mine = platform.beneficiaries.RegisterBeneficiary(register, timeout=SECONDS)
    payout = platform.submit(mine.name, 31_001)
    update(platform, mine.name, platform.details(bank, cnic=details.cnic))
    code, _, err = erase(shop, mine.name)
    assert code == 1 and "not finished" in err
    told = settle(shop, payout)
    before, others = history(shop.database), people(shop.database, shop.keys)
    check_log(world, shop, tmp_path / "witness")
    code, out, err = erase(shop, mine.name)
    assert code == 0 and "versions: 2" in out, err
    assert history(shop.database) == before
    check_log(world, shop, tmp_path / "witness")
    assert ujrat("pii", "rotate", "--keys", shop.keys, database=shop.database)[0] == 0
    check_log(world, shop, tmp_path / "witness")
    left = people(shop.database, shop.keys)
    gone = set(others) - set(left)
    assert gone == {(shop.book, number_of(mine.name), v) for v in (1, 2)} and all(left[k] == others[k] for k in left)
    assert shop.database.rows("SELECT reason, versions, erased_by <> '', erased_at <= now() FROM ujrat.pii_erasure WHERE book_id = %s "
                              "AND beneficiary_id = %s", (shop.book, number_of(mine.name))) == [("asked for it", 2, True, True)]
    assert "erased before" in erase(shop, str(number_of(mine.name)), "again")[1]

    answer = get(platform, mine.name)
    assert (answer.details.display_name, answer.details.iban, answer.details.cnic) == ("(erased)", "", "")
    listed = platform.beneficiaries.ListBeneficiaries(platform.api.payout.ListBeneficiariesRequest(page_size=1000), timeout=SECONDS)
    assert [b.details.display_name for b in listed.beneficiaries if b.name == mine.name] == ["(erased)"]
    assert platform.beneficiaries.RegisterBeneficiary(register, timeout=SECONDS) == answer, "a late retry does not bring back"
    for call, request in ((platform.payouts.SubmitPayout, platform.request(mine.name)),
                          (platform.beneficiaries.UpdateBeneficiary,
                           platform.api.payout.UpdateBeneficiaryRequest(name=mine.name, details=details))):
        assert world.refused(call, request).reason == "BENEFICIARY_NOT_FOUND"
    assert [(r.outcome, r.reason) for r in platform.batch([platform.request(mine.name), platform.request(details)])] == [
        (3, "BENEFICIARY_NOT_FOUND"), (1, "")]

    # the bank has it no more, and can still send the money back
    stream = bank.watch()
    last = stream.take(1)[0]
    stream.close()
    assert told.instruction_id not in {i.instruction_id for i in [last]}
    bank.send_back(told)
    assert platform.get(payout.name).state == 6


def test_the_bank_is_not_shown_what_was_erased(shop, world):
    platform, bank = world.platform(), world.bank()
    first, second = platform.register(bank), platform.register(bank)
    one, two = platform.submit(first.name, 40_001), platform.submit(second.name, 40_002)
    told = bank.take(2)
    bank.confirm(*map(bank.settled, told))
    assert ujrat("pii", "erase", platform.code, first.name, "--reason", "asked", database=world.database)[0] == 0
    stream = bank.watch()
    again = stream.take(1)
    assert again[0].instruction_id == told[1].instruction_id and again[0].creditor_iban == second.details.iban
    assert stream.silent()
    stream.close()


def test_whoever_was_carried_and_erased_can_be_carried_again_as_somebody_new(shop):
    platform, details = shop.platform, shop.platform.details(shop.bank)
    request = platform.request(details, 32_001, reference="carried-once")
    payout = platform.payouts.SubmitPayout(request, timeout=SECONDS)
    settle(shop, payout)
    assert erase(shop, payout.beneficiary)[0] == 0
    assert platform.payouts.SubmitPayout(request, timeout=SECONDS).name == payout.name, "a retry is known all the same"
    again = platform.submit(details, 32_002)
    assert again.beneficiary != payout.beneficiary
    found = people(shop.database, shop.keys)
    assert found[shop.book, number_of(again.beneficiary), 1]["cnic"] == details.cnic
    assert (shop.book, number_of(payout.beneficiary), 1) not in found


@pytest.mark.parametrize("beneficiary,code,word", [("99999", 1, "BENEFICIARY_NOT_FOUND"), ("0", 2, "no beneficiary"), ("x", 2, "no beneficiary"),
                                                   ("platforms/other/beneficiaries/1", 2, "no beneficiary")])
def test_nobody_else_is_erased(shop, beneficiary, code, word):
    before = shop.database.value("SELECT count(*) FROM ujrat.beneficiary_pii")
    status, out, err = erase(shop, beneficiary)
    assert status == code and word in err, err
    assert ujrat("pii", "erase", shop.platform.code, "1", database=shop.database)[0] == 2
    assert ujrat("pii", "erase", "nobody", "1", "--reason", "x", database=shop.database)[0] == 1
    assert shop.database.value("SELECT count(*) FROM ujrat.beneficiary_pii") == before


# ---------------------------------------------------------------- a database from before
OLD_BENEFICIARIES = """
INSERT INTO currency VALUES (586, 'PKR', 2), (840, 'USD', 2);
INSERT INTO bank VALUES (1, 'MUCB', NULL, 'MCB', true);
INSERT INTO book VALUES (1, 'upwork', 'Upwork');
INSERT INTO principal (uri, role, book_id) VALUES ('ujrat://platform/upwork', 'platform', 1);
INSERT INTO beneficiary VALUES (1, 1, 'request:r1', 2, 1, now()), (1, 2, 'carried:' || encode(%(carried)s, 'hex'), 1, 1, now());
INSERT INTO beneficiary_version (book_id, beneficiary_id, version, fingerprint, display_name, iban, mobile_alias, bank_id, cnic, pseb,
                                 channel, purpose_code, principal_id, created_at)
VALUES (1, 1, 1, %(first)s, %(name)s, %(iban)s, NULL, 1, %(cnic)s, 'PSEB-1234', 1, '9186', 1, now()),
       (1, 1, 2, %(second)s, 'Moved', NULL, '+923001234567', 1, %(cnic)s, '', 2, '9471', 1, now()),
       (1, 2, 1, %(carried)s, 'Carried', %(iban)s, NULL, 1, %(cnic)s, '', 1, '9186', 1, now());
"""


@pytest.fixture
def old(cluster):
    """A database of before personal data was encrypted, with three versions of two people."""
    name = unique("old")
    cluster._tool("createdb", cluster.folder, name)
    database = Database(cluster, name)
    given = dict(name="عائشہ خان", iban=iban("MUCB"), cnic=cnic())
    asked = lambda *fields: hashlib.sha256(b"".join(struct.pack(">H", len(f)) + f for f in (b"ujrat.beneficiary.v1",) + fields)).digest()[:16]
    as_bytes = [given[k].encode() for k in ("name", "iban", "cnic")]
    given["first"] = asked(as_bytes[0], as_bytes[1], b"", b"\0\1", as_bytes[2], b"PSEB-1234", b"\1", b"9186")
    given["second"] = asked(b"Moved", b"", b"+923001234567", b"\0\1", as_bytes[2], b"", b"\2", b"9471")
    given["carried"] = asked(b"Carried", as_bytes[1], b"", b"\0\1", as_bytes[2], b"", b"\1", b"9186")
    with database.connect(autocommit=True) as c:
        c.execute("DO $$ BEGIN CREATE ROLE ujrat_owner; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        c.execute("CREATE SCHEMA ujrat AUTHORIZATION ujrat_owner; SET ROLE ujrat_owner; SET search_path = ujrat")
        c.execute("CREATE TABLE schema_migration (version integer PRIMARY KEY, name text NOT NULL, sha256 bytea NOT NULL, "
                  "applied_at timestamptz NOT NULL DEFAULT clock_timestamp())")
        for version, stem in ((1, "ledger"), (2, "log")):
            text = (ROOT / "ledger" / "schema" / ("%04d_%s.sql" % (version, stem))).read_bytes()
            c.execute(text.decode())
            c.execute("INSERT INTO schema_migration VALUES (%s, %s, %s)", (version, stem, hashlib.sha256(text).digest()))
        psycopg.ClientCursor(c).execute(OLD_BENEFICIARIES, given)
    return database, given


def in_the_files(database, *tables):
    """Whether the bytes are in what PostgreSQL has on its disk of the tables."""
    with database.connect(autocommit=True) as c:
        c.execute("CHECKPOINT")
        return b"".join(c.execute("SELECT pg_read_binary_file(pg_relation_filepath(%s))", ("ujrat." + t,)).fetchone()[0] for t in tables)


def test_a_database_from_before_is_taken_over(old, new_gateway, work):
    database, given = old
    secrets = [given["name"].encode(), given["iban"].encode(), given["cnic"].encode(), given["first"]]
    assert all(s in in_the_files(database, "beneficiary_version") for s in secrets)
    code, _, err = ujrat("db", "migrate", "--quiet", database=database, role="postgres")
    assert code == 1 and "--pii-keys" in err and database.value("SELECT max(version) FROM ujrat.schema_migration") == 2
    keys = work / unique("keys")
    assert ujrat("pii", "key", "new", keys)[0] == 0
    code, _, err = ujrat("db", "migrate", "--quiet", "--pii-keys", keys, database=database, role="postgres")
    assert code == 0, err

    expected = {(1, 1, 1): {"name": given["name"], "iban": given["iban"], "cnic": given["cnic"], "pseb": "PSEB-1234"},
                (1, 1, 2): {"name": "Moved", "mobile": "+923001234567", "cnic": given["cnic"]},
                (1, 2, 1): {"name": "Carried", "iban": given["iban"], "cnic": given["cnic"]}}
    assert people(database, keys) == expected
    before = database.rows("SELECT * FROM ujrat.beneficiary_version ORDER BY 1, 2, 3")
    assert database.rows("SELECT DISTINCT key_id FROM ujrat.beneficiary_pii") == [(0,)]
    assert not any(s in in_the_files(database, "beneficiary_version") for s in secrets[:3])
    with database.connect(autocommit=True) as c:
        c.execute("VACUUM FULL ujrat.beneficiary_version")
    assert not any(s in in_the_files(database, "beneficiary_version") for s in secrets)
    key = read_keys(keys)["fingerprint"]
    keyed = {k: hmac.new(key, given[k], hashlib.sha256).digest()[:16] for k in ("first", "second", "carried")}
    assert [v for v, in database.rows("SELECT fingerprint FROM ujrat.beneficiary_version ORDER BY beneficiary_id, version")] == [
        keyed["first"], keyed["second"], keyed["carried"]]
    assert database.value("SELECT request_id FROM ujrat.beneficiary WHERE beneficiary_id = 2") == "carried:" + keyed["carried"].hex()

    assert ujrat("pii", "rotate", "--keys", keys, database=database)[0] == 0
    assert database.rows("SELECT DISTINCT key_id FROM ujrat.beneficiary_pii") == [(1,)]
    assert people(database, keys) == expected
    assert database.rows("SELECT * FROM ujrat.beneficiary_version ORDER BY 1, 2, 3") == before
    text = dump(database)
    assert "upwork" in text
    for what in (given["name"], given["iban"], given["cnic"], "923001234567"):
        assert not any(s in text for s in spellings(what))
    assert given["first"].hex() not in text
    with pytest.raises(psycopg.Error):
        with database.connect() as c:
            c.execute("DELETE FROM ujrat.beneficiary_version")

    # a retry of what was asked before is still known
    gateway = new_gateway(database, pii_keys=keys, registry_refresh="100ms")
    stub = gateway.stub("payout", "BeneficiaryService", "upwork")
    pb = gateway.api.payout
    details = pb.BeneficiaryDetails(display_name=given["name"], iban=given["iban"], cnic=given["cnic"], pseb_registration="PSEB-1234",
                                    channel="EXPORT_OF_SERVICES", purpose_code="9186")
    answer = stub.RegisterBeneficiary(pb.RegisterBeneficiaryRequest(request_id="r1", details=details), timeout=SECONDS)
    assert (number_of(answer.name), answer.version, answer.details.display_name) == (1, 2, "Moved")
    gateway.stop()


def test_an_empty_database_needs_no_keys_to_be_migrated(database):
    assert database.value("SELECT max(version) FROM ujrat.schema_migration") >= 3
