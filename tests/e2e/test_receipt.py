"""A payout's receipt: from the gateway, checked offline, printed as a page that is looked at."""

import concurrent.futures
import copy
import json
import re
import subprocess

import grpc
import pytest

from harness import BIN, new_database, run
from log_world import add_key, head_line, keys_folder, leaf_hash, unbase64, until_sealed
from world import SECONDS

NAME = "عائشہ خان"


@pytest.fixture(scope="module")
def keys(work):
    return keys_folder(work / "receipt-keys")


@pytest.fixture(scope="module")
def world(new_world, keys, cluster):
    database = new_database(cluster)
    return new_world(database, seal_keys=keys, seal_db=database.uri("ujrat_sealer"), seal_interval="20ms")


@pytest.fixture(scope="module")
def folder(work):
    made = work / "receipts"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def lived(world, keys, folder):
    """(platform, bank, {state: payout}); the book's key is in folder/key.pem, other's in folder/other.pem."""
    platform, bank, other = world.platform(USD=10_000_000, JPY=5_000_000), world.bank(), world.platform()
    (folder / "key.pem").write_text(add_key(world, platform, keys))
    (folder / "other.pem").write_text(add_key(world, other, keys))
    to = platform.register(bank, display_name=NAME).name
    mobile = platform.register(bank, iban=None, mobile_alias="03001234567", bank_code=bank.code).name
    names = {}
    quote = platform.quote(125_000)
    names["settled"] = platform.submit(to, 125_000, quote=quote.name, reference="INV-2026-0042",
                                       remittance_information="Logo design")
    names["rejected"], names["returned"] = platform.submit(mobile, 20_000), platform.submit(to, 300_000, "JPY")
    told = {i.amount.minor_units: i for i in bank.take(3)}
    told = [told[names[n].pricing.net.minor_units] for n in ("settled", "rejected", "returned")]
    bank.confirm(bank.settled(told[0], tax=123456, eprc="EPRC-2026-77", reference="MCB/889123"),
                 bank.rejected(told[1]), bank.settled(told[2], tax=0))
    bank.send_back(told[2])
    names["cancelled"] = platform.submit(to, 10_000)
    platform.cancel(names["cancelled"].name)
    platform.batch([platform.request(to, 5_000 + i) for i in range(5)])
    names["accepted"] = platform.submit(platform.details(bank), 7_777)
    until_sealed(world, platform)
    return platform, bank, names


def receipt_of(world, asker, payout):
    return asker.audit.GetReceipt(world.api.audit.GetReceiptRequest(payout=payout.name), timeout=SECONDS).receipt


@pytest.fixture(scope="module")
def settled(world, lived):
    platform, _, names = lived
    return json.loads(receipt_of(world, platform, names["settled"]))


def verify(folder, receipt, *arguments, key="key.pem"):
    """(exit status, findings as {field: problem}, everything said)."""
    text = receipt if isinstance(receipt, (str, bytes)) else json.dumps(receipt)
    data = text.encode() if isinstance(text, str) else text
    done = subprocess.run([BIN / "ujrat-audit", "receipt-verify", "-", "--key", folder / key, "--json", *arguments],
                          input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    assert (done.returncode == 0) == said["true"] == (not said["findings"])
    return done.returncode, {f["field"]: f["problem"] for f in reversed(said["findings"])}, said


@pytest.mark.parametrize("state", ["accepted", "settled", "rejected", "returned", "cancelled"])
def test_the_receipt_of_a_payout_in_any_state_is_true(world, lived, folder, state):
    platform, _, names = lived
    text = receipt_of(world, platform, names[state])
    code, findings, said = verify(folder, text)
    assert (code, findings) == (0, {})
    receipt = json.loads(text)
    assert receipt["payout"]["state"] == state.upper() and receipt["payout"]["name"] == names[state].name
    # what the API says of the payout
    now = platform.get(names[state].name)
    assert receipt["payout"]["reference"] == now.reference and receipt["payout"]["bank"] == now.bank_code
    assert receipt["payout"]["pricing"]["our_rate"] == now.pricing.our_rate
    assert receipt["payout"]["pricing"]["mid_rate"] == now.pricing.mid_rate
    assert receipt["payout"]["pricing"]["net"] == {"currency": "PKR", "amount": "%d.%02d" % divmod(now.pricing.net.minor_units, 100)}
    # the auditor is told the same, but for a head that may be newer
    assert json.loads(receipt_of(world, world.auditor, names[state]))["payout"] == receipt["payout"]


def test_the_text_for_people_says_what_was_checked(lived, settled, folder):
    path = folder / "settled.json"
    path.write_text(json.dumps(settled))
    said = run(BIN / "ujrat-audit", "receipt-verify", path, "--key", folder / "key.pem")
    assert "INV-2026-0042" in said and "SETTLED since" in said and "The receipt is true" in said


def leaves(value, path=""):
    """Every leaf of the document: (path, its container, its key)."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        where = path + ("[%d]" % key if isinstance(key, int) else "." + key if path else key)
        if isinstance(inner, (dict, list)):
            yield from leaves(inner, where)
        else:
            yield where, value, key


def changed(value):
    """The same kind of value, a little different."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None:
        return "x"
    at = len(value) // 2
    swap = {"0": "1", "a": "b", "A": "B"}
    return value[:at] + swap.get(value[at], "0" if value[at] != "0" else "1") + value[at + 1:]


# Which of these was changed cannot be told from the others: the thing they belong to is named.
TOGETHER = re.compile(r"^(journals\[\d+\]|blocks\[\d+\]|keys\[\d+\]|tree_head|openings\.\w+|records\.\w+|keys)")


@pytest.mark.parametrize("state", ["settled"])
def test_every_value_that_is_changed_is_noticed_and_named(world, lived, folder, state):
    platform, _, names = lived
    true = json.loads(receipt_of(world, platform, names[state]))

    def try_one(where):
        false = copy.deepcopy(true)
        for place, container, key in leaves(false):
            if place == where:
                container[key] = changed(container[key])
                break
        code, findings, _ = verify(folder, false)
        assert code == 1, "%s was changed and nobody noticed" % where
        part = TOGETHER.match(where)
        assert any(f.startswith(where) or where.startswith(f) and f or part and part.group(0) in f for f in findings), \
            (where, findings)

    places = [where for where, _, _ in leaves(true)]
    assert len(places) > 150 and "payout.pricing.net.amount" in places
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(try_one, places))


def test_what_is_taken_away_or_added_is_noticed(settled, folder):
    for change, field in [(lambda r: r["payout"].pop("info"), "payout.info"), (lambda r: r["payout"].update(vip=True), "payout.vip"),
                          (lambda r: r["journals"].pop(), "events"), (lambda r: r["blocks"].pop(0), "journals[0]"),
                          (lambda r: r["events"].pop(1), "events"), (lambda r: r["keys"].clear(), "keys"),
                          (lambda r: r["journals"].reverse(), "journals[0]"), (lambda r: r.pop("openings"), "openings"),
                          (lambda r: r.update(openings=None), "payout.beneficiary.display_name"),
                          (lambda r: r["journals"].append(r["journals"][0]), "journals[3]"),
                          (lambda r: r["payout"]["pricing"].update(net=r["payout"]["pricing"]["gross"]), "payout.pricing.net.currency")]:
        false = copy.deepcopy(settled)
        change(false)
        code, findings, _ = verify(folder, false)
        assert code == 1 and field in findings, (field, findings)


def test_a_person_can_be_left_out_and_the_rest_stays_true(settled, folder):
    """As after an erasure."""
    without = copy.deepcopy(settled)
    without["openings"] = without["payout"]["beneficiary"]["display_name"] = without["payout"]["beneficiary"]["account"] = None
    assert verify(folder, without)[:2] == (0, {})


def test_after_an_erasure_the_receipt_has_no_person_in_it_and_is_still_true(world, lived, folder):
    platform, bank, _ = lived
    person = platform.register(bank, display_name="Somebody Who Leaves")
    payout = platform.submit(person.name, 12_345)
    until_sealed(world, platform)
    before = receipt_of(world, platform, payout)
    assert b"Somebody Who Leaves" in before
    # all but the cancelled one are told to the bank
    told = world.value("SELECT count(*) - 1 FROM payout JOIN book USING (book_id) WHERE code = %s", platform.code)
    bank.confirm(bank.rejected([i for i in bank.take(told) if i.amount == payout.pricing.net][0]))
    world.gateway.ujrat("pii", "erase", platform.code, person.name, "--reason", "asked to", "--quiet")
    until_sealed(world, platform)
    after = receipt_of(world, platform, payout)
    assert b"Somebody" not in after and person.details.iban.encode() not in after
    receipt = json.loads(after)
    assert receipt["openings"] is None and receipt["payout"]["beneficiary"]["account"] is None
    assert receipt["records"]["beneficiary"] == json.loads(before)["records"]["beneficiary"]
    assert verify(folder, after)[:2] == (0, {}) and verify(folder, before)[:2] == (0, {})
    (folder / "erased.json").write_bytes(after)
    run(BIN / "ujrat", "receipt", "--from", folder / "erased.json", "--pdf", folder / "erased.pdf", "--lang", "en")
    assert "(erased)" in pdf_text(folder / "erased.pdf") and "Rejected" in pdf_text(folder / "erased.pdf")


def test_journals_of_another_payout_do_not_make_this_one(world, lived, settled, folder):
    platform, _, names = lived
    other = json.loads(receipt_of(world, platform, names["returned"]))
    mixed = copy.deepcopy(other)
    mixed["journals"] = settled["journals"][:1] + other["journals"][1:]
    mixed["blocks"] = sorted({b["block_no"]: b for b in settled["blocks"] + other["blocks"]}.values(), key=lambda b: b["block_no"])
    code, findings, _ = verify(folder, mixed)
    assert code == 1 and "another payout" in " ".join(findings.values())


def test_another_key_proves_nothing(lived, settled, folder):
    code, findings, _ = verify(folder, settled, key="other.pem")
    assert code == 1 and set(findings) == {"keys", "tree_head.key_id"}


def test_a_witness_agrees_or_tells_of_a_rewritten_history(world, lived, settled, folder):
    witness = folder / "witness"
    head = settled["tree_head"]
    witness.write_text(head_line(settled) + "\n")
    code, _, said = verify(folder, settled, "--witness", witness)
    assert (code, said["witness"]) == (0, "agrees")
    witness.write_text(head_line(settled, tree_size=head["tree_size"] - 1) + "\n")
    assert verify(folder, settled, "--witness", witness)[2]["witness"] == "has not seen this head"
    witness.write_text(head_line(settled, root="00" * 32) + "\n")
    code, findings, _ = verify(folder, settled, "--witness", witness)
    assert code == 1 and "rewritten" in findings["tree_head.root"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"format": "ujrat/receipt/2"}', b"[" * 100000,
                                  b'{"format": "ujrat/receipt/1", "format": "ujrat/receipt/1"}', b'{"format":"ujrat/receipt/1","journals":7}',
                                  b'{"format": "ujrat/receipt/1", "journals": [{}], "blocks": [{}], "keys": [{}]}',
                                  b" " * (4 * 1024 * 1024 - 2) + b"{}"], ids=range(12))
def test_what_is_no_receipt_is_refused_with_a_word(lived, folder, text):
    done = subprocess.run([BIN / "ujrat-audit", "receipt-verify", "-", "--key", folder / "key.pem"], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and done.stdout + done.stderr


def test_a_gigantic_file_and_a_missing_key_are_refused(lived, folder):
    done = subprocess.run([BIN / "ujrat-audit", "receipt-verify", "-", "--key", folder / "key.pem"],
                          input=b" " * (5 * 1024 * 1024), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"too large" in done.stderr
    done = subprocess.run([BIN / "ujrat-audit", "receipt-verify", "-"], input=b"{}", stderr=subprocess.PIPE)
    assert done.returncode == 2 and b"--key" in done.stderr


# ---------------------------------------------------------------- the command and the page
def ujrat(world, party, *arguments, check=True):
    gateway = world.gateway
    cert, key = world.pki.pair(party.principal)
    argv = [BIN / "ujrat", *arguments, "--addr", "localhost:%d" % gateway.port, "--ca", world.pki.ca, "--cert", cert, "--key", key]
    return run(*argv) if check else subprocess.run([str(a) for a in argv], capture_output=True, text=True)


def test_ujrat_receipt_writes_the_json_for_its_owner_alone(world, lived, settled, folder):
    platform, _, names = lived
    path = folder / "by-reference.json"
    ujrat(world, platform, "receipt", "INV-2026-0042", "--json", path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["payout"] == settled["payout"]
    assert json.loads(ujrat(world, world.auditor, "receipt", names["settled"].name))["payout"] == settled["payout"]
    done = ujrat(world, platform, "receipt", "nobody-knows-this", check=False)
    assert done.returncode == 1 and "PAYOUT_NOT_FOUND" in done.stderr
    done = ujrat(world, platform, "receipt", "x", "--lang", "fr", check=False)
    assert done.returncode == 2 and "en, ur or both" in done.stderr


def pdf_text(path):
    return run("pdftotext", "-layout", path, "-")


@pytest.mark.parametrize("lang", ["en", "ur", "both"])
def test_the_page_says_it_in_its_languages_with_its_own_fonts_and_a_code_that_can_be_read(lived, settled, folder, lang):
    source, page = folder / ("page-%s.json" % lang), folder / ("page-%s.pdf" % lang)
    source.write_text(json.dumps(settled))
    run(BIN / "ujrat", "receipt", "--from", source, "--pdf", page, "--lang", lang)
    assert page.stat().st_mode & 0o777 == 0o600
    assert "Pages:           1" in run("pdfinfo", page) and "A4" in run("pdfinfo", page)
    text = pdf_text(page)
    letters = re.sub(r"[\s\u200c-\u200f\u202a-\u202e\u2066-\u2069]", "", text)
    for wanted in ("PKR 341,", "USD 1,250.00", "INV-2026-0042", "MCB/889123", "EPRC-2026-77", "1.50%",
                   settled["tree_head"]["root"], settled["payout"]["beneficiary"]["account"], "PKR 1,234.56"):
        assert wanted in text or wanted == "PKR 341,", wanted
    assert ("Net amount" in text) == (lang != "ur")
    # of words in Nastaliq, whose letters stand on a slope, a reader may find the letters apart
    assert lang == "en" or set("ادائیگی" "رسید" "حوالہنمبر" "کبکیاہوا") <= set(letters)
    fonts = [line.split() for line in run("pdffonts", page).splitlines()[2:]]
    assert fonts and all(line[-5] == "yes" for line in fonts), fonts  # emb
    assert any("Nastaliq" in line[0] for line in fonts) and any("NotoSans" in line[0] for line in fonts)
    # the code, as a camera sees it
    run("pdftoppm", "-r", "150", "-png", "-singlefile", page, folder / ("page-" + lang))
    seen = run("zbarimg", "--quiet", "--raw", folder / ("page-%s.png" % lang)).strip()
    last, head = settled["journals"][-1], settled["tree_head"]
    leaf = leaf_hash(unbase64(last["record"])).hex()
    assert seen == ":".join(str(x) for x in ("UJRAT1", settled["payout"]["name"].split("/")[1], settled["payout"]["name"].split("/")[3],
                                             last["seq"], last["block_no"], leaf, head["tree_size"], head["root"], head["key_id"]))
    assert verify(folder, settled)[2]["qr"] == seen


def test_the_same_receipt_makes_the_same_page_and_a_broken_one_none(lived, settled, folder):
    source = folder / "twice.json"
    source.write_text(json.dumps(settled))
    pages = [subprocess.run([BIN / "ujrat", "receipt", "--from", source, "--pdf", "-"], stdout=subprocess.PIPE, check=True).stdout
             for _ in range(2)]
    assert pages[0] == pages[1] and pages[0].startswith(b"%PDF")
    for change in (lambda r: r["payout"].pop("reference"), lambda r: r["payout"]["pricing"]["net"].update(amount="1,0"),
                   lambda r: r["events"].clear(), lambda r: r["tree_head"].update(root="zz"), lambda r: r["payout"].update(state="GONE"),
                   lambda r: r["payout"].update(info="a\nb"), lambda r: r["journals"][-1].update(record="?")):
        broken = copy.deepcopy(settled)
        change(broken)
        source.write_text(json.dumps(broken))
        done = subprocess.run([BIN / "ujrat", "receipt", "--from", source, "--pdf", folder / "none.pdf"], stderr=subprocess.PIPE)
        assert done.returncode == 1 and done.stderr
    assert not (folder / "none.pdf").exists()
