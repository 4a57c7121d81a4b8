"""Operators' commands of settlement: terms, calendar, windows, recalls, alerts, taxes."""
import json
import os
import subprocess

import pytest

from harness import BIN, operator
from test_settlement_windows import Settle
from world import price


@pytest.fixture
def scene(world):
    bank = world.bank()
    return world.platform(USD=10_000_000), bank


@pytest.fixture
def ujrat(world):
    """ujrat("window", "list", ...): its output; as another operator with login=."""
    def run(*words, fails=None, login=None, **options):
        uri = world.database.uri("postgres" if login else "ujrat_operator")
        code = None
        if words[:2] == ("window", "settle"):
            words, code = (*words, "--code-fd", "0"), operator(world.database.uri(), login or "ujrat_operator").code()
        environment = {"PATH": "/usr/bin:/bin", "UJRAT_OPERATOR_DB": uri, "UJRAT_DB": uri, "PGOPTIONS": "", "HOME": "/tmp"}
        environment.update({k: v for k, v in os.environ.items() if k.startswith("PGPASS")})
        done = subprocess.run([str(BIN / "ujrat"), *map(str, words)], env=environment, input=code or "", capture_output=True, text=True)
        assert (done.returncode == 0) == (fails is None), (words, done)
        if fails is not None:
            assert fails in done.stderr, done.stderr
            return done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout
    return run


def test_terms_are_set_in_parts_and_shown(world, scene, ujrat):
    _, bank = scene
    ujrat("bank", "terms", bank.code, "--mode", "windows", fails="cut-offs")          # the first time says more
    assert "set" in ujrat("bank", "terms", bank.code, "--mode", "windows", "--channel", "grpc", "--cutoffs", "11:00,15:30")
    assert "as they were" in ujrat("bank", "terms", bank.code, "--mode", "windows")
    ujrat("bank", "terms", bank.code, "--net-debit-cap", "50000000", "--window-max", "10000000.50", "--answer-within", "90min")
    row, = ujrat("bank", "terms", bank.code, "--json")
    assert (row["mode"], row["cut-offs"], row["in_Ramadan"], row["net_debit_cap"], row["window_max"], row["instruction_max"], row["answer_within"]) == (
        "windows", "11:00,15:30", "11:00,15:30", "50000000.00", "10000000.50", None, "01:30:00")
    assert "50,000,000.00" in ujrat("bank", "terms", bank.code)
    ujrat("bank", "terms", bank.code, "--net-debit-cap", "none")
    assert ujrat("bank", "terms", bank.code, "--json")[0]["net_debit_cap"] is None
    assert bank.code in ujrat("bank", "terms")
    for words, why in ((("--cutoffs", "15:00,11:00"), "each later"), (("--cutoffs", "noon"), "11:00,15:00"), (("--window-max", "1.005"), "AMOUNT_INVALID"),
                       (("--mode", "never"), "no sense"), (("--from", "2020-01-01"), "past")):
        ujrat("bank", "terms", bank.code, *words, fails=why)
    ujrat("bank", "terms", "XXXX", "--mode", "instant", fails="there is no bank")
    ujrat("bank", "terms", "--mode", "instant", fails="whose terms")


def test_the_calendar_is_recorded_and_listed(world, ujrat):
    assert "30 of 30" in ujrat("calendar", "add", "2035-11-01..2035-11-30", "ramadan", "Ramadan 1457")
    assert "0 of 30" in ujrat("calendar", "add", "2035-11-01..2035-11-30", "ramadan", "Ramadan 1457")
    ujrat("calendar", "add", "2035-12-03", "holiday", "Eid-ul-Fitr")
    ujrat("calendar", "add", "2035-12-03", "working", "the moon was seen a day later")
    days = {d["day"]: d for d in ujrat("calendar", "list", "--json")}
    assert days["2035-11-07"]["kind"] == "ramadan" and (days["2035-12-03"]["kind"], days["2035-12-03"]["weekday"]) == ("working", "Monday")
    assert len([d for d in ujrat("calendar", "list", "--all", "--json") if d["day"] == "2035-12-03"]) == 2
    ujrat("calendar", "add", "2035-12-03", "feast", "x", fails="holiday")
    ujrat("calendar", "add", "soon", "holiday", "x", fails="date")
    ujrat("calendar", "add", "2035-12-03..2035-12-01", "holiday", "x", fails="ends before")


def closed(world, scene, ujrat):
    """The first window of two instructions, closed by hand; one has its answer. The other, and what they come to, for people."""
    platform, bank = scene
    settle = Settle(world, bank)
    ujrat("bank", "terms", bank.code, "--mode", "windows", "--channel", "grpc", "--cutoffs", "11:00")
    ujrat("window", "close", bank.code, 1, fails="has no window")
    settle.one("SELECT open_first_window(%s::int2, clock_timestamp() + interval '1 hour')", settle.id)
    for _ in range(2):
        platform.submit(platform.details(bank), 10_000)
    net = price(10_000).net
    shown = "%s.%02d" % (f"{2 * net // 100:,}", 2 * net % 100)
    assert f"is closed with 2 instructions, PKR {shown}" in ujrat("window", "close", bank.code, 1)
    assert "was closed before" in ujrat("window", "close", bank.code, 1)
    first, second = bank.take(2)
    bank.confirm(bank.settled(first))
    return second, shown


def test_a_window_is_closed_by_hand_with_all_that_waits_and_shown(world, scene, ujrat):
    _, shown = closed(world, scene, ujrat)
    platform, bank = scene
    newest, window = ujrat("window", "list", bank.code, "--json")
    assert (newest["window"], newest["state"], window["state"], window["instructions"], window["unanswered"]) == (2, "OPEN", "CLOSED", 2, 1)
    assert shown in ujrat("window", "show", bank.code, 1)
    part, total = ujrat("window", "show", bank.code, 1, "--json")
    assert part["book"] == platform.code and total["book"] == "all" and part["net"] == total["net"] == shown.replace(",", "")
    ujrat("window", "show", bank.code, 9, fails="has no window 9")
    ujrat("window", "show", bank.code, "x", fails="whole number")
    ujrat("window", "close", bank.code, 7, fails="no window")
    ujrat("window", "list", "XXXX", fails="there is no bank")


def test_a_disputed_window_is_settled_by_two(world, scene, ujrat):
    told, _ = closed(world, scene, ujrat)
    _, bank = scene
    ujrat("window", "settle", bank.code, 1, "--reason", "x", fails="not disputed")
    assert "DISPUTED" in ujrat("window", "dispute", bank.code, 1, "--reason", "the file is odd")
    assert "already" in ujrat("window", "dispute", bank.code, 1, "--reason", "the file is odd")
    assert "proposal 1" in ujrat("window", "settle", bank.code, 1, "--reason", "it was not")
    ujrat("window", "settle", bank.code, 1, "--approve", 1, fails="a second person")
    ujrat("window", "settle", bank.code, 1, "--approve", 1, login="postgres", fails="without an answer")
    bank.confirm(bank.rejected(told))
    assert "SETTLED" in ujrat("window", "settle", bank.code, 1, "--approve", 1, login="postgres")
    assert ujrat("window", "list", bank.code, "--json")[1]["reason"] == "it was not"
    ujrat("window", "settle", bank.code, 1, fails="either --reason")
    ujrat("window", "dispute", bank.code, 1, fails="--reason is required")


def test_a_recall_is_asked_by_name_or_instruction_and_listed(world, scene, ujrat):
    platform, bank = scene
    made = platform.submit(platform.details(bank), 10_000)
    ujrat("recall", made.name, "--reason", "CUST", fails="not with its bank")
    told, = bank.take(1)
    assert "recall 1" in ujrat("recall", made.name, "--reason", "CUST")
    assert "already" in ujrat("recall", told.instruction_id, "--reason", "CUST")
    ujrat("recall", told.instruction_id, "--reason", "DUPL", fails="another reason")
    mine, = [r for r in ujrat("recall", "--json") if r["instruction"] == told.instruction_id]
    assert (mine["bank"], mine["reason"], mine["answer"]) == (bank.code, "CUST", None)
    ujrat("recall", "UJ9-9", "--reason", "CUST", fails="no payout")
    ujrat("recall", "nobody", "--reason", "CUST", fails="there is no payout")
    ujrat("recall", told.instruction_id, fails="--reason is required")


def test_alerts_and_taxes_are_listed(world, scene, ujrat):
    platform, bank = scene
    settle = Settle(world, bank)
    ujrat("float", "low", platform.code, "1000000", "USD")
    settle.one("SELECT raised FROM refresh_alerts()")
    mine, = [a for a in ujrat("settle", "alerts", "--json") if a["subject"] == f"{platform.code} USD"]
    assert mine["kind"] == "FLOAT_LOW" and "USD 1,000,000.00" in mine["detail"] and mine["ended_at"] is None
    ujrat("float", "low", platform.code, "0", "USD")
    settle.one("SELECT ended FROM refresh_alerts()")
    assert not [a for a in ujrat("settle", "alerts", "--json") if a["subject"] == f"{platform.code} USD"]
    assert [a for a in ujrat("settle", "alerts", "--all", "--json") if a["subject"] == f"{platform.code} USD"][0]["ended_because"]
    world.change_policy([("withholding_bps", "PSEB", 0, 25)])
    assert [(e["who"], e["bps"]) for e in ujrat("tax", "estimate", "--json")] == [("pseb", 25)]
    platform.submit(platform.details(bank), 10_000)
    bank.confirm(bank.settled(*bank.take(1), tax=7))
    row, = ujrat("bank", "taxes", bank.code, "--json")
    assert (row["bps"], row["withheld"], row["PSEB"]) == (25, "0.07", "yes")
    assert ujrat("bank", "taxes", bank.code, "--to", "2020-01-01", "--json") == []
    ujrat("tax", "estimate", "everybody", 25, "--source", "x", fails="pseb|others")


def test_a_person_ends_an_alert_that_does_not_end_by_itself(world, scene, ujrat):
    _, bank = scene
    settle = Settle(world, bank)
    subject = bank.code + " file 1"
    listed = lambda *more: [a for a in ujrat("settle", "alerts", *more, "--json") if a["subject"] == subject]
    raised = lambda: settle.one("SELECT raised FROM raise_alert('FILE_QUARANTINED', %s, 'its signature is another one''s')", subject)
    end = ("settle", "alerts", "end", "FILE_QUARANTINED", subject)
    ujrat(*end, "--reason", "x", fails="no alert FILE_QUARANTINED of")
    assert raised() and not raised()
    ujrat(*end, fails="--reason is required")
    ujrat(*end, "--reason", " ", fails="1 to 500")
    ujrat(*end[:4], subject + "0", "--reason", "x", fails="is raised")
    ujrat(*end[:3], "NOSTRO_LOW", bank.code, "--reason", "x", fails="ends by itself")
    ujrat(*end[:3], "BLOCKED", bank.code, "--reason", "x", fails="ends by itself")
    ujrat(*end[:3], "NONSENSE", bank.code, "--reason", "x", fails="no kind of alert NONSENSE")
    assert "has ended" in ujrat(*end, "--reason", "the bank sent it again")
    assert "already" in ujrat(*end, "--reason", "the bank sent it again")
    ujrat(*end, "--reason", "another", fails="is raised")
    assert listed() == []
    row, = listed("--all")
    assert (row["ended_because"], row["ended_by"]) == ("the bank sent it again", "ujrat://operator/ujrat-operator")
    assert raised() and len(listed()) == 1           # the next one is another
    assert len(listed("--all")) == 2
    settle.one("SELECT end_alert('FILE_QUARANTINED', %s, 'well again')", subject)
    assert [a["ended_by"] for a in listed("--all")][1] is None
