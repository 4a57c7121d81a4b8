"""ujrat-settle with a real gateway, a real ledger and a bank that takes files: payouts go out in files, the bank's answers
come back in files, windows close by schedule, several run at once and are killed."""
import datetime
import hashlib
import re
import shutil
import signal
import time
import types
import xml.etree.ElementTree as ET

import pytest

from camt_maker import SHARED
from harness import BIN, run, unique, wait_until
from settle_world import KARACHI, FileBank, Settle
from world import price

SECONDS = 20


@pytest.fixture(scope="module")
def settle_world(new_world):
    world = new_world()
    world.gateway.ujrat("principal", "add", "ujrat://system/settle", "--quiet")
    # Banks that take files call nobody: they need no certificate, and the gateway is to know them all before the first payout.
    world.file_banks = [code for code, in world.rows("SELECT code FROM bank WHERE NOT connected ORDER BY code LIMIT 30")]
    with world.database.connect("ujrat_operator", autocommit=True, options="-c search_path=ujrat") as db:
        for code in world.file_banks:
            db.execute("SELECT connect_bank(%s)", (code,))
    return world


@pytest.fixture
def settle(settle_world, work):
    """An ujrat-settle that does not run yet. One database has one lock: tests of a file run one after the other."""
    made = Settle(work / unique("settle"), settle_world.database)
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture
def bank(settle_world, settle):
    bank = types.SimpleNamespace(code=settle_world.file_banks.pop())
    bank.files = FileBank(settle, bank, settle_world.database)
    yield bank
    # so that the next test's settle leaves this one alone
    with settle_world.database.connect(autocommit=True) as db:
        db.execute("UPDATE ujrat.bank SET connected = false WHERE code = %s", (bank.code,))


@pytest.fixture(scope="module")
def platform(settle_world):
    return settle_world.platform(USD=300_000_000)


def pay(platform, bank, *grosses, **fields):
    return [platform.submit(platform.details(bank), gross, **fields) for gross in grosses]


def states(platform, payouts):
    State = platform.api.payout.Payout.State
    return [State.Name(platform.get(p.name).state) for p in payouts]


def cutoff_in(seconds):
    at = datetime.datetime.now(KARACHI) + datetime.timedelta(seconds=seconds)
    return at.strftime("%H:%M:%S.%f")


# ---------------------------------------------------------------- the whole way
def test_payouts_go_out_in_a_file_and_are_settled_by_the_banks_answer(settle, bank, platform):
    bank.files.terms(mode="instant")
    payouts = pay(platform, bank, 10_000, 20_000, 30_000, 40_000)
    platform.cancel(payouts[3].name)
    settle.once()
    assert states(platform, payouts) == ["INSTRUCTED"] * 3 + ["CANCELLED"]

    (file,) = bank.files.files()
    assert (file.number, file.message) == (1, "pacs.008.001.08")
    assert file.manifest["previous_sha256"] is None and file.manifest["count"] == 3
    nets = ["%d.%02d" % divmod(price(g).net, 100) for g in (10_000, 20_000, 30_000)]
    items = file.items()
    assert [i["IntrBkSttlmAmt"] for i in items] == nets
    assert file.manifest["sum"] == "%d.%02d" % divmod(sum(price(g).net for g in (10_000, 20_000, 30_000)), 100)
    assert all(i["Cdtr/Nm"] == "Ayesha Khan" for i in items)
    ids = [i["EndToEndId"] for i in items]

    sent = bank.files.send(*bank.files.status(bank.files.settled(ids[0], amount=nets[0]), bank.files.rejected(ids[1]),
                                              bank.files.noted(ids[2], "ACSP")))
    settle.once()
    assert states(platform, payouts) == ["SETTLED", "REJECTED", "INSTRUCTED", "CANCELLED"]
    assert bank.files.names("in") == [] and sent + ".xml" in bank.files.names("archive")
    # what a bank says for the first time again, in another file, is known
    bank.files.send(*bank.files.status(bank.files.settled(ids[0]), bank.files.settled(ids[2])))
    assert "duplicates=1" in settle.once()
    assert states(platform, payouts)[2] == "SETTLED"
    # a file that says nothing new is made for nobody
    settle.once()
    assert len(bank.files.files()) == 1


def test_what_a_bank_says_wrongly_is_refused_item_by_item_with_a_report(settle, bank, settle_world, platform):
    bank.files.terms(mode="instant")
    (payout,) = pay(platform, bank, 10_000)
    settle.once()
    (item,) = bank.files.files()[0].items()
    id, net = item["EndToEndId"], item["IntrBkSttlmAmt"]
    book = id.split("-")[0]
    pay(platform, types.SimpleNamespace(code=settle_world.file_banks[0]), 10_000)
    others = "%s-%d" % (book, settle_world.value("SELECT max(payout_id) FROM payout WHERE book_id = %s", book[2:]))
    stem = bank.files.send(*bank.files.status(
        bank.files.settled(id, amount="1.00"), bank.files.settled(book + "-999999999"), bank.files.settled("UJ999999-1"),
        bank.files.settled("not-ours"), bank.files.rejected(id, "ac04"),
        bank.files.settled(id).replace("<TxSts>", "<OrgnlUETR>00000000-0000-4000-8000-000000000000</OrgnlUETR><TxSts>"),
        bank.files.settled(id), bank.files.rejected(id), bank.files.settled(others, amount=net)))
    settle.once()
    report = bank.files.report(stem, "archive")
    lines = report.splitlines()
    assert len(lines) == 8, report
    for n, word in ((1, "FIELD_INVALID"), (2, "INSTRUCTION_NOT_FOUND"), (3, "INSTRUCTION_NOT_FOUND"), (4, "INSTRUCTION_NOT_FOUND"),
                    (5, "REASON_CODE_UNKNOWN"), (6, "FIELD_CONFLICT"), (8, "ALREADY_CONFIRMED_DIFFERENTLY"), (9, "INSTRUCTION_NOT_FOUND")):
        assert re.search(r"^transaction %d, .*%s" % (n, word), report, re.M), report
    assert states(platform, [payout]) == ["SETTLED"]
    assert settle_world.value("SELECT refused FROM file_in WHERE name = %s ORDER BY received_at DESC LIMIT 1", stem + ".xml") == 8


def test_a_return_comes_in_a_file(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    (payout,) = pay(platform, bank, 10_000)
    settle.once()
    (item,) = bank.files.files()[0].items()
    id, net = item["EndToEndId"], item["IntrBkSttlmAmt"]
    bank.files.send(*bank.files.status(bank.files.settled(id)))
    settle.once()
    before = platform.balance()
    body = ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.004.001.09"><PmtRtr><GrpHdr><MsgId>RT-%s</MsgId>'
            "<CreDtTm>2026-01-01T10:00:00+05:00</CreDtTm><NbOfTxs>1</NbOfTxs><CtrlSum>%s</CtrlSum><SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf></GrpHdr>"
            "<TxInf><RtrId>RTR-%s</RtrId><OrgnlEndToEndId>%s</OrgnlEndToEndId><RtrdIntrBkSttlmAmt Ccy=\"PKR\">%s</RtrdIntrBkSttlmAmt>"
            "<IntrBkSttlmDt>2026-01-01</IntrBkSttlmDt><InstgAgt><FinInstnId><BICFI>%sPKKA</BICFI></FinInstnId></InstgAgt>"
            "<InstdAgt><FinInstnId><BICFI>UJRTPKKA</BICFI></FinInstnId></InstdAgt>"
            "<RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr></Document>" % (bank.code, net, bank.code, id, net, bank.code))
    bank.files.send("pacs.004.001.09", 1, body)
    settle.once()
    assert states(platform, [payout]) == ["RETURNED"], settle.log()[-3000:]
    assert platform.balance() == before + 10_000
    # the same in another file (another message id) is the same return
    bank.files.send("pacs.004.001.09", 1, body.replace("<MsgId>RT-", "<MsgId>RU-"))
    settle.once()
    assert platform.balance() == before + 10_000


# ---------------------------------------------------------------- windows
def test_a_window_closes_by_schedule_and_is_settled_when_all_is_answered(settle, bank, platform):
    bank.files.terms(cutoffs=[cutoff_in(4)], open=False)
    settle.start()
    settle.wait_log("window.opened bank=" + bank.code)
    payouts = pay(platform, bank, 10_000, 20_000)
    assert states(platform, payouts) == ["ACCEPTED"] * 2, "they wait for the cut-off"
    settle.wait_log("window.closed bank=%s window=1 instructions=2" % bank.code)
    assert states(platform, payouts) == ["INSTRUCTED"] * 2
    wait_until(bank.files.files, SECONDS, "the window's file")
    (file,) = bank.files.files()
    assert file.manifest["count"] == 2 and bank.files.windows()[1] == ("CLOSED", 2) and bank.files.windows()[2] == ("OPEN", 0)
    bank.files.send(*bank.files.status(*(bank.files.settled(i["EndToEndId"]) for i in file.items())))
    settle.wait_log("window.ended bank=%s window=1 state=SETTLED" % bank.code)
    assert bank.files.windows()[1] == ("SETTLED", 2)


def test_a_bank_that_takes_no_files_is_told_by_its_stream_when_its_window_closes(settle, settle_world, platform):
    bank = settle_world.bank()
    bank.files = FileBank(settle, bank, settle_world.database)
    bank.files.terms(channel="grpc", cutoffs=[cutoff_in(4)], open=False)
    settle.settings = {k: v for k, v in settle.settings.items() if k in ("db", "interval", "check_interval", "standby")}
    settle.start()
    settle.wait_log("window.opened bank=" + bank.code)
    stream = bank.watch()
    (payout,) = pay(platform, bank, 10_000)
    stream.silent(0.2)
    (told,) = stream.take(1)
    assert bank.files.windows()[1][1] == 1
    bank.confirm(bank.settled(told))
    settle.wait_log("window.ended bank=%s window=1 state=SETTLED" % bank.code)
    stream.close()
    assert states(platform, [payout]) == ["SETTLED"]


def test_taxes_of_yesterday_are_compared_once_there_is_an_estimate(settle, settle_world):
    compared = lambda: settle_world.rows("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Karachi')::date - day FROM tax_day")
    settle.once()
    assert compared() == []
    settle_world.change_policy([("withholding_bps", "PSEB", 0, 25)])
    settle.once()
    settle.once()
    assert compared() in ([(1,)], [(2,)])       # the second in the first hour of a day


def test_a_file_that_cannot_be_made_again_is_an_alert_and_its_end(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    pay(platform, bank, 10_000)
    settle.once()
    (file,) = bank.files.files()
    for part in ("out", "archive"):
        shutil.rmtree(bank.files.part(part))
    other = Settle(settle.folder / "other", settle_world.database, like=settle)
    keys = other.folder / "pii.keys"
    run(BIN / "ujrat", "pii", "key", "new", keys, "--quiet")
    other.settings["pii_keys"] = keys  # which do not open what is stored
    other.once(code=75)
    raised = lambda: settle_world.value("SELECT count(*) FROM settlement_alert_now WHERE subject = %s", bank.code + " file 1")
    assert raised() == 1 and bank.files.files() == []
    settle.once()
    assert raised() == 0 and bank.files.files()[0].bytes == file.bytes


def test_instructions_without_an_answer_are_asked_about_and_a_person_is_called(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant", answer_within="300 milliseconds", escalate_after="1 second")
    (payout,) = pay(platform, bank, 10_000)
    settle.start()
    files = wait_until(lambda: (lambda f: f if len(f) >= 2 else None)(bank.files.files()), SECONDS, "a question")
    assert files[1].message == "pacs.028.001.03"
    (asked,) = files[1].items()
    (told,) = files[0].items()
    assert asked["OrgnlEndToEndId"] == told["EndToEndId"] and asked["OrgnlUETR"] == told["UETR"]
    assert asked["OrgnlMsgId"] == "%s-00000001" % bank.code
    settle.wait_log("alert.raised.*kind=ESCALATED subject=" + told["EndToEndId"])
    assert states(platform, [payout]) == ["INSTRUCTED"], "an UNKNOWN is never told as failed"
    bank.files.send(*bank.files.status(bank.files.settled(told["EndToEndId"])))
    wait_until(lambda: states(platform, [payout]) == ["SETTLED"], SECONDS, "the answer")


# ---------------------------------------------------------------- killed, and many at once
def test_two_at_once_and_the_leader_is_killed(settle, bank, platform, settle_world, work):
    bank.files.terms(mode="instant")
    second = Settle(work / unique("settle"), settle_world.database, like=settle)
    try:
        settle.start()
        settle.wait_log("settle.leading")
        second.start()
        second.wait_log("settle.standing_by")
        first = pay(platform, bank, 10_000)
        wait_until(lambda: len(bank.files.files()) == 1, SECONDS, "the first file")
        assert "file.made" not in second.log()
        settle.stop(signal.SIGKILL)
        rest = pay(platform, bank, 20_000)
        second.wait_log("settle.leading")
        wait_until(lambda: len(bank.files.files()) == 2, SECONDS, "the second one's file")
        files = bank.files.files()
        assert [f.number for f in files] == [1, 2]
        assert files[1].manifest["previous_sha256"] == files[0].manifest["sha256"]
        told = [i["EndToEndId"] for f in files for i in f.items()]
        assert len(told) == len(set(told)) == 2
        assert states(platform, first + rest) == ["INSTRUCTED"] * 2
        began = time.monotonic()
        second.stop()
        assert time.monotonic() - began < 5, "it ends soon when it is asked to"
    finally:
        second.stop(signal.SIGKILL)


def test_killed_again_and_again_every_payout_is_told_once_and_no_number_is_missing(settle, bank, platform):
    bank.files.terms(mode="instant")
    payouts = []
    for kill in range(6):
        payouts += pay(platform, bank, *[10_000 + kill] * 3)
        settle.start()
        time.sleep(0.05 * kill)
        settle.stop(signal.SIGKILL)
    settle.once()
    files = bank.files.files()
    assert [f.number for f in files] == list(range(1, len(files) + 1))
    for before, file in zip(files, files[1:]):
        assert file.manifest["previous_sha256"] == before.manifest["sha256"]
    told = [i["EndToEndId"] for f in files for i in f.items()]
    assert len(told) == len(set(told)) == len(payouts)
    assert states(platform, payouts) == ["INSTRUCTED"] * len(payouts)
    assert not list(bank.files.part("out").glob(".part-*"))


def test_a_window_whose_closer_is_killed_is_closed_once_and_whole(settle, bank, platform):
    bank.files.terms(cutoffs=[cutoff_in(2)], open=False)
    settle.once()
    payouts = pay(platform, bank, *range(10_000, 10_006))
    closed = lambda: bank.files.windows()[1][0] != "OPEN"
    for kill in range(40):
        settle.start()
        time.sleep(0.1 * 1.15 ** kill)  # until it gets that far, however slow the machine is
        settle.stop(signal.SIGKILL)
        assert bank.files.windows()[1] in (("OPEN", 0), ("OPEN", 6), ("CLOSED", 6))
        if closed():
            break
    assert closed()
    settle.once()
    assert bank.files.windows() == {1: ("CLOSED", 6), 2: ("OPEN", 0)}
    told = [i["EndToEndId"] for f in bank.files.files() for i in f.items()]
    assert len(told) == len(set(told)) == 6 and states(platform, payouts) == ["INSTRUCTED"] * 6


def test_what_a_bank_says_of_a_whole_message_moves_nothing_and_a_person_is_called(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    (payout,) = pay(platform, bank, 10_000)
    settle.once()
    name, _, body = bank.files.status()
    bank.files.send(name, 0, body.replace("</GrpHdr>", "</GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>%s-00000001</OrgnlMsgId><OrgnlMsgNmId>"
                    "pacs.008.001.08</OrgnlMsgNmId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>"
                    "</OrgnlGrpInfAndSts>" % bank.code))
    settle.once()
    assert states(platform, [payout]) == ["INSTRUCTED"], settle.log()[-2000:]
    assert settle_world.value("SELECT count(*) FROM settlement_alert_now WHERE subject = %s", bank.code + " %s-00000001" % bank.code) == 1
    assert bank.files.names("quarantine") == []


def test_a_file_whose_row_is_there_is_made_again_to_the_byte(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    pay(platform, bank, 10_000, 20_000)
    settle.once()
    (file,) = bank.files.files()
    for part in ("out", "archive"):  # as a crash right after the row leaves it
        shutil.rmtree(bank.files.part(part))
    # what may have changed since does not change what was said
    settle.once("--set", "our_name=Another Name", "--set", "our_town=Lahore")
    (again,) = bank.files.files()
    assert (again.bytes, again.manifest) == (file.bytes, file.manifest)
    assert settle_world.value("SELECT count(*) FROM file_out WHERE bank_id = %s", bank.files.bank_id) == 1
    # taken away by the bank is not missing
    for p in bank.files.part("out").iterdir():
        p.unlink()
    settle.once()
    assert bank.files.files() == []


def test_only_what_was_whole_before_the_manifest_counts(settle, bank, platform):
    """Crashes between the steps of publishing leave less than all; the next round completes it."""
    bank.files.terms(mode="instant")
    pay(platform, bank, 10_000)
    settle.once()
    (file,) = bank.files.files()
    out, archive = bank.files.part("out"), bank.files.part("archive")
    (archive / (file.stem + ".manifest.json")).unlink()
    for name in (".manifest.json", ".sig", ".xml"):
        (out / (file.stem + name)).unlink()
        settle.once()
        (again,) = bank.files.files()
        assert again.bytes == file.bytes and again.manifest == file.manifest
        assert (archive / (file.stem + ".manifest.json")).exists()
        (archive / (file.stem + ".manifest.json")).unlink()
        if name == ".manifest.json":
            (out / (file.stem + ".manifest.json")).unlink()
        elif name == ".sig":
            (out / (file.stem + ".manifest.json")).unlink()
            (out / (file.stem + ".sig")).unlink()


# ---------------------------------------------------------------- files that are wrong
def test_wrong_files_are_quarantined_with_a_reason_and_nothing_is_done(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    (payout,) = pay(platform, bank, 10_000)
    settle.once()
    (item,) = bank.files.files()[0].items()
    good = bank.files.status(bank.files.settled(item["EndToEndId"]))
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    cut = good[2][: len(good[2]) // 2]
    wrong = {
        "unsigned": (dict(sign=False), "no signature"),
        "other-key": (dict(key=Ed25519PrivateKey.generate()), "not an Ed25519 signature by the bank's key"),
        "other-hash": (dict(sha256="00" * 32), "SHA-256"),
        "other-length": (dict(bytes=3), "is it cut off?"),
        "other-bank": (dict(bank="XXXX"), "the folder of " + bank.code),
        "to-the-bank": (dict(direction="to_bank"), "from_bank"),
        "other-file": (dict(file="ans-1.xml"), "its own name wants"),
        "path": (dict(file="../../x.xml"), "plain name"),
        "other-message": (dict(message="pacs.004.001.09"), "the file is pacs.002.001.10"),
        "other-count": (dict(count=2), "1 are in the file"),
        "huge": (dict(bytes=1 << 40), "at most"),
    }
    for stem, (changes, _) in wrong.items():
        bank.files.send(*good, stem=stem, **changes)
    bank.files.send(good[0], 1, cut, stem="truncated")
    bank.files.send(good[0], 1, good[2].replace("FIToFIPmtStsRpt><GrpHdr", "FIToFIPmtStsRpt><Grp"), stem="no-message")
    bank.files.send(good[0], 1, '<!DOCTYPE x [<!ENTITY a "b">]>' + good[2], stem="bomb")
    bank.files.send(good[0], 1, good[2].encode().replace(b"ACSC", b"AC\xffC"), stem="not-utf8")
    bank.files.send(good[0], 1, good[2].replace(bank.code + "PKKA", "SCBLPKKA"), stem="other-bic")
    bank.files.send(good[0], 1, re.sub(' xmlns="[^"]*"', "", good[2]), stem="no-namespace")
    said = {**{k: v for k, (_, v) in wrong.items()}, "no-namespace": "of no namespace", "truncated": "ends in the middle", "no-message": "line 1",
            "bomb": "DOCTYPE", "not-utf8": "UTF-8", "other-bic": "not from this bank"}
    settle.once()
    for stem, word in said.items():
        assert word in bank.files.report(stem), (stem, bank.files.report(stem))
        assert stem + ".xml" in bank.files.names("quarantine")
        assert "Nothing of this file was done" in bank.files.report(stem)
    assert "it says SCBLPKKA: not from this bank, whose BIC is %sPKKA" % bank.code in bank.files.report("other-bic")
    assert "  taken is pacs.002.001.10\n" in bank.files.report("no-namespace") and "pacs.008" not in bank.files.report("no-namespace")
    assert bank.files.names("in") == []
    assert states(platform, [payout]) == ["INSTRUCTED"]
    assert settle_world.value("SELECT count(*) FROM settlement_alert WHERE kind = 'FILE_QUARANTINED' AND subject LIKE %s",
                              bank.code + " %") == len(said)
    # what was wrong with the envelope alone may be sent again
    bank.files.send(*good, stem="unsigned")
    settle.once()
    assert states(platform, [payout]) == ["SETTLED"]


def test_a_link_is_not_followed(settle, bank, platform, work):
    bank.files.terms(mode="instant")
    secret = work / unique("secret")
    secret.write_text("<Document/>")
    bank.files.send("pacs.002.001.10", 0, b"<Document/>", stem="link")
    (bank.files.part("in") / "link.xml").unlink()
    (bank.files.part("in") / "link.xml").symlink_to(secret)
    settle.once()
    assert "symbolic link" in bank.files.report("link") and (bank.files.part("quarantine") / "link.xml").is_symlink()
    assert secret.read_text() == "<Document/>"


def test_the_same_file_under_a_new_name_is_answered_and_nothing_is_done_twice(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    (payout,) = pay(platform, bank, 10_000)
    settle.once()
    (item,) = bank.files.files()[0].items()
    answer = bank.files.status(bank.files.settled(item["EndToEndId"]))
    bank.files.send(*answer, stem="first")
    settle.once()
    with settle_world.nothing_changes():
        bank.files.send(*answer, stem="second")
        assert "event=file.known" in settle.once()
    assert "was processed at" in bank.files.report("second", "archive") and "first.xml" in bank.files.report("second", "archive")
    # the same under the same name: a crash came before it was put away
    bank.files.send(*answer, stem="first")
    settle.once()
    assert "first.2.xml" in bank.files.names("archive") and "first.2.report.txt" not in bank.files.names("archive")
    assert settle_world.value("SELECT count(*) FROM file_in WHERE bank_id = %s", bank.files.bank_id) == 1
    # and before the manifest was, which is all that is left
    bank.files.send(*answer, stem="first")
    (bank.files.part("in") / "first.xml").unlink()
    settle.once()
    assert bank.files.names("in") == [] and bank.files.names("quarantine") == []


def test_a_file_waits_for_the_one_it_follows_and_not_for_ever(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    payouts = pay(platform, bank, 10_000, 20_000)
    settle.once()
    ids = [i["EndToEndId"] for i in bank.files.files()[0].items()]
    one, two = (bank.files.status(bank.files.settled(id)) for id in ids)
    bank.files.send(*two, stem="two", previous_sha256=hashlib.sha256(one[2].encode()).hexdigest())
    settle.once()
    assert states(platform, payouts) == ["INSTRUCTED"] * 2 and "two.xml" in bank.files.names("in")
    bank.files.send(*one, stem="one")
    settle.once()
    settle.once()
    assert states(platform, payouts) == ["SETTLED"] * 2
    stem = bank.files.send(*bank.files.status(bank.files.settled(ids[0])), stem="three", previous_sha256="ab" * 32)
    settle.once("--set", "manifest_wait=0s")
    assert "gap" in bank.files.report(stem, "archive")
    assert settle_world.value("SELECT count(*) FROM settlement_alert_now WHERE subject = %s", bank.code + " three") == 1


def test_a_file_without_a_manifest_waits_and_is_quarantined(settle, bank):
    bank.files.terms(mode="instant")
    (bank.files.part("in") / "alone.xml").write_text("<Document/>")
    settle.once()
    assert bank.files.names("in") == ["alone.xml"]
    settle.once("--set", "manifest_wait=0s")
    assert bank.files.names("in") == [] and "alone.manifest.json is missing" in bank.files.report("alone")


def test_a_file_of_another_name_is_not_left_lying(settle, bank, settle_world):
    bank.files.terms(mode="instant")
    folder = bank.files.part("in")
    for name in ("answer.XML", "what is this.xml", "alone.sig", "notes"):
        (folder / name).write_text("<Document/>")
    (folder / ".being-written").write_text("<Doc")
    settle.once()
    assert len(bank.files.names("in")) == 5
    settle.once("--set", "manifest_wait=0s")
    assert bank.files.names("in") == [".being-written"]  # with a dot it is no file yet
    for stem in ("answer.XML", "what_is_this.xml", "alone.sig", "notes"):
        assert "Its name is none that is looked at" in bank.files.report(stem)
        assert (bank.files.part("quarantine") / (stem + ".stranger")).read_text() == "<Document/>"
        assert settle_world.value("SELECT count(*) FROM settlement_alert_now WHERE subject = %s", bank.code + " " + stem) == 1


# ---------------------------------------------------------------- large files
def test_15000_instructions_in_a_file_take_little_memory(settle, bank, platform):
    n = 15_000
    bank.files.terms(mode="instant")
    details = platform.details(bank)
    assert len(platform.batch([platform.request(details, 10_000) for _ in range(n)])) == n
    settle.start()
    wait_until(lambda: bank.files.files(), 60, "the file")
    (file,) = bank.files.files()
    assert file.manifest["count"] == n
    ids = [i["EndToEndId"] for i in file.items()]
    assert len(set(ids)) == n
    out_ms = int(settle.wait_log(r"file.made bank=%s .* ms=(\d+)" % bank.code).group(1))
    bank.files.send(*bank.files.status(*(bank.files.settled(id) for id in ids)))
    began = time.monotonic()
    settle.wait_log("file.processed bank=%s .*recorded=%d" % (bank.code, n), 60)
    seconds = time.monotonic() - began
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/%d/status" % settle.process.pid).read()).group(1))
    print("15,000 instructions: written in %d ms, answered in %.1f s, %d MB at most, files of %d MB" % (
        out_ms, seconds, peak // 1024, len(file.bytes) >> 20))
    assert peak < 64 * 1024


# ---------------------------------------------------------------- what else is said in files
def recall(settle_world, id, reason):
    with settle_world.database.connect("ujrat_settle", autocommit=True, options="-c search_path=ujrat") as db:
        db.execute("SELECT request_recall(%s::integer, %s::bigint, %s, (SELECT principal_id FROM principal"
                   " WHERE uri = 'ujrat://system/settle'))", (*id[2:].split("-"), reason))


def recall_answers(settle_world, id):
    return settle_world.rows("SELECT recall_no, status, reason_code FROM recall_answer WHERE book_id = %s AND payout_id = %s"
                             " ORDER BY recall_no, answer_no", *id[2:].split("-"))


def resolution(bank, id, status, case=None, own_id=None, reason=None, message_case=None, block=""):
    """camt.029 about one payment; a case is what it answers."""
    def case_of(number):
        return "" if number is None else ("<RslvdCase><Id>%s</Id><Cretr><Agt><FinInstnId><BICFI>UJRTPKKA</BICFI></FinInstnId></Agt>"
                                          "</Cretr></RslvdCase>" % number)
    return "camt.029.001.09", 1, (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.029.001.09"><RsltnOfInvstgtn><Assgnmt><Id>%s</Id><Assgnr><Agt>'
        "<FinInstnId><BICFI>%sPKKA</BICFI></FinInstnId></Agt></Assgnr><Assgne><Agt><FinInstnId><BICFI>UJRTPKKA</BICFI></FinInstnId>"
        "</Agt></Assgne><CreDtTm>2026-01-01T10:00:00+05:00</CreDtTm></Assgnmt>%s<Sts><Conf>CNCL</Conf></Sts><CxlDtls>%s<TxInfAndSts>"
        "%s%s<OrgnlEndToEndId>%s</OrgnlEndToEndId><TxCxlSts>%s</TxCxlSts>%s</TxInfAndSts></CxlDtls></RsltnOfInvstgtn></Document>" % (
            unique("a").replace("_", "-"), bank.code, case_of(message_case), block,
            "" if own_id is None else "<CxlStsId>%s</CxlStsId>" % own_id, case_of(case), id, status,
            "" if reason is None else "<CxlStsRsnInf><Rsn><Cd>%s</Cd></Rsn></CxlStsRsnInf>" % reason))


def test_a_recall_goes_out_and_its_answer_comes_back(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    pay(platform, bank, 10_000)
    settle.once()
    (told,) = bank.files.files()[0].items()
    id = told["EndToEndId"]
    recall(settle_world, id, "DUPL")
    settle.once()
    file = bank.files.files()[1]
    assert file.message == "camt.056.001.08" and file.manifest["sum"] is None
    (asked,) = file.items()
    assert (asked["OrgnlEndToEndId"], asked["Rsn/Cd"]) == (id, "DUPL")
    assert asked["CxlId"] == asked["Case/Id"] and asked["CxlId"].startswith("UJQ-%s-" % bank.code)
    # there was one: it need not be named
    bank.files.send(*resolution(bank, id, "ACCR"))
    assert "recorded=1" in settle.once(), settle.log()[-2000:]
    assert recall_answers(settle_world, id) == [(1, "CNCL", None)]


def test_an_answer_is_to_the_recall_that_it_names(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    pay(platform, bank, 10_000, 20_000)
    settle.once()
    id, other = (i["EndToEndId"] for i in bank.files.files()[0].items())

    def asked_again(id, reason):
        recall(settle_world, id, reason)
        settle.once()
        (asked,) = bank.files.files()[-1].items()
        return asked["CxlId"]

    def answered(*said, **more):
        """The report of a file in which nothing was recorded, or None: something was."""
        stem = bank.files.send(*resolution(bank, id, *said, **more))
        before = recall_answers(settle_world, id)
        settle.once()
        if recall_answers(settle_world, id) != before:
            return None
        report = "%s.report.txt" % stem
        return bank.files.report(stem, "archive") if report in bank.files.names("archive") else ""

    first, others = asked_again(id, "DUPL"), asked_again(other, "DUPL")
    block = "<OrgnlGrpInfAndSts>%s<OrgnlMsgId>X</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInfAndSts>"
    never = "UJQ-%s-99999" % bank.code
    for more in (dict(case=others), dict(case=never), dict(case="CASE-77"), dict(case="UJQ-XXXX-1"), dict(message_case=others),
                 dict(own_id=others), dict(block=block % ("<OrgnlGrpCxlId>%s</OrgnlGrpCxlId>" % others))):
        assert re.fullmatch(r"transaction 1, %s: RslvdCase/Id: INQUIRY_NOT_FOUND.*\n" % id, answered("RJCR", reason="LEGL", **more)), more
    assert re.match("transaction 1, %s: CxlStsId: FIELD_CONFLICT" % id, answered("RJCR", reason="LEGL", case=first, own_id=others))
    assert recall_answers(settle_world, id) == []
    # the nearest case counts, and the bank's own numbers are its own
    assert answered("RJCR", reason="LEGL", case=first, own_id="OWN-1", message_case=others) is None
    assert recall_answers(settle_world, id) == [(1, "RJCR", "LEGL")]

    second = asked_again(id, "FRAD")
    assert second != first
    # what is said of the first again is known, what else is said of it is refused, and one that names none may be of either
    assert answered("RJCR", reason="LEGL", case=first) == ""
    assert "ALREADY_CONFIRMED_DIFFERENTLY" in answered("ACCR", case=first)
    assert re.match("transaction 1, %s: RslvdCase/Id: FIELD_REQUIRED.*more than once" % id, answered("RJCR", reason="LEGL"))
    assert recall_answers(settle_world, id) == [(1, "RJCR", "LEGL")]
    assert answered("ACCR", message_case=second) is None
    assert recall_answers(settle_world, id) == [(1, "RJCR", "LEGL"), (2, "CNCL", None)]
    # one that was never recalled
    pay(platform, bank, 30_000)
    settle.once()
    (third,) = bank.files.files()[-1].items()
    id = third["EndToEndId"]
    assert "INQUIRY_NOT_FOUND" in answered("ACCR") and "INQUIRY_NOT_FOUND" in answered("ACCR", case=first)


def test_a_funding_is_told_as_a_cover_payment(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    book = settle_world.value("SELECT book_id FROM book WHERE code = %s", platform.code)
    who = settle_world.value("SELECT principal_id FROM principal WHERE uri = 'ujrat://operator/demo'")
    with settle_world.database.connect("ujrat_operator", autocommit=True, options="-c search_path=ujrat") as db:
        db.execute("SELECT fund_nostro(%s, %s, %s::smallint, 'PKR', 2780000, 'USD', 10000, 'fund-1')", (book, who, bank.files.bank_id))
    settle.once("--set", "nostro_accounts=XXXX=PK00 %s=PK36SCBL0000001123456702" % bank.code)
    (file,) = bank.files.files()
    assert (file.message, file.manifest["sum"], file.manifest["count"]) == ("pacs.009.001.08", "27800.00", 1)
    assert b"PK36SCBL0000001123456702" in file.bytes
    settle.once()
    assert len(bank.files.files()) == 1


def test_banks_that_take_customer_files_get_pain_001(settle, bank, platform):
    bank.files.terms(mode="instant", file_format="pain.001.001.09")
    payouts = pay(platform, bank, 10_000, 20_000)
    settle.once("--set", "nostro_accounts=%s=PK36SCBL0000001123456702" % bank.code)
    (file,) = bank.files.files()
    assert file.message == "pain.001.001.09" and len(file.items()) == 2
    bank.files.send(*bank.files.status(*(bank.files.settled(i["EndToEndId"]) for i in file.items())))
    settle.once()
    assert states(platform, payouts) == ["SETTLED"] * 2


def test_a_name_that_no_message_can_say_is_left_out_and_a_person_is_called(settle, bank, platform, settle_world):
    bank.files.terms(mode="instant")
    good, = pay(platform, bank, 10_000)
    bad = platform.submit(platform.details(bank, display_name="عائشہ خان"), 10_000)
    settle.once()
    (file,) = bank.files.files()
    assert file.manifest["count"] == 1 and len(file.items()) == 1
    assert states(platform, [good, bad]) == ["INSTRUCTED"] * 2
    id, detail = settle_world.rows("SELECT subject, detail FROM settlement_alert_now WHERE kind = 'FILE_QUARANTINED'"
                                   " AND starts_with(detail, 'it was handed out') ORDER BY alert_id DESC LIMIT 1")[0]
    assert id not in [i["EndToEndId"] for i in file.items()] and "Cdtr/Nm" in detail


def test_a_banks_totals_of_a_window_come_with_its_report_of_the_account(settle, bank, platform, settle_world):
    bank.files.terms(mode="windows", settle_within="0 seconds")
    payouts = pay(platform, bank, 10_000, 20_000)
    with settle_world.database.connect(autocommit=True, options="-c search_path=ujrat") as db:  # its cut-off is now
        db.execute("ALTER TABLE settlement_window DISABLE TRIGGER append_only; UPDATE settlement_window SET cutoff_at = now()"
                   " WHERE bank_id = %d; ALTER TABLE settlement_window ENABLE ALWAYS TRIGGER append_only" % bank.files.bank_id)
    settle.once()
    (file,) = bank.files.files()
    told = file.items()
    settle.once()
    assert bank.files.windows()[1] == ("DISPUTED", 2), "nothing was answered by the deadline"
    bank.files.send(*bank.files.status(*(bank.files.settled(i["EndToEndId"]) for i in told)))

    def report(entries):
        return ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N1</MsgId>'
                "<CreDtTm>2026-01-01T10:00:00+05:00</CreDtTm></GrpHdr><Ntfctn><Id>%s-W1</Id><CreDtTm>2026-01-01T10:00:00+05:00</CreDtTm>"
                "<Acct><Id><IBAN>PK36SCBL0000001123456702</IBAN></Id></Acct>%s</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>" % (
                    bank.code, "".join('<Ntry><Amt Ccy="PKR">%s</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BkTxCd><Domn>'
                                       "<Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd></Ntry>" % amount
                                       for amount in entries)))

    amounts = [i["IntrBkSttlmAmt"] for i in told]
    bank.files.send("camt.054.001.08", 1, report(amounts[:1]))
    settle.once()
    settle.once()
    assert bank.files.windows()[1][0] == "DISPUTED", settle.log()[-3000:]
    bank.files.send("camt.054.001.08", 2, report(amounts))
    settle.once()
    assert bank.files.windows()[1] == ("SETTLED", 2), settle.log()[-3000:]
    assert states(platform, payouts) == ["SETTLED"] * 2


def test_files_are_valid_by_the_published_schemas(settle, bank, platform, settle_world):
    xsd = SHARED / "data" / "iso20022-xsd"
    if not xsd.is_dir():
        pytest.skip("SKIPPED: no %s to hold files against" % xsd)
    bank.files.terms(mode="instant")
    pay(platform, bank, 10_000)
    settle.once("--set", "xsd_folder=%s" % xsd)
    (file,) = bank.files.files()
    root = ET.fromstring(file.bytes)
    document = [e for e in root.iter() if e.tag.endswith("}Document")][0]
    header = [e for e in root.iter() if e.tag.endswith("}AppHdr")][0]
    for element, name in ((document, file.message), (header, "head.001.001.02")):
        part = bank.files.folder / (name + ".xml")
        part.write_bytes(ET.tostring(element))
        run("xmllint", "--noout", "--schema", xsd / (name + ".xsd"), part)
    (item,) = file.items()
    # by the XSD the reference is an element of 1 to 35 characters
    broken = bank.files.status(bank.files.settled(item["EndToEndId"]).replace("<AcctSvcrRef>", "<Nonsense/><AcctSvcrRef>"))
    bank.files.send(*broken, stem="broken")
    settle.once("--set", "xsd_folder=%s" % xsd)
    assert "Nonsense" in bank.files.report("broken") or "SCHEMA" in bank.files.report("broken")
