"""docs/accounting.md is true: its example is posted to a real ledger, journal by journal."""
import re

import psycopg
import pytest

from ledger_model import *
from policy_rows import code_of

PAGE = (ROOT / "docs" / "accounting.md").read_text()


def minor(text):
    return int(text.replace(",", "").replace(".", "")) if text.strip() else 0


def lines_of(text):
    rows = re.findall(r"^\| `([a-zA-Z.]+)` \| ([\d,.]*) ?\| ([\d,.]*) ?\|$", text, re.M)
    return [(account, minor(debit) - minor(credit)) for account, debit, credit in rows]


@pytest.fixture(scope="module")
def told(database):
    """The page's own steps, made by the calls that the gateway makes."""
    with psycopg.connect(database, autocommit=True, options="-c search_path=ujrat") as db:
        l = Ledger(db, "upwork", banks=("MUCB", "SCBL"), currencies=(USD,))
        assert l.deposit(USD, 10_000_00, "first") == OK
        to = {bank: l.beneficiary("b-" + bank, bank) for bank in l.bank}
        for n, (bank, gross, fee) in enumerate((("MUCB", 1000_00, 5_00), ("SCBL", 200_00, 1_00), ("MUCB", 300_00, 1_50),
                                                ("SCBL", 50_00, 50))):
            assert l.post([l.draft(f"p{n + 1}", to[bank], price(gross, USD, fee, 150))])[0] == [OK]
        ids = dict(db.execute("SELECT reference, payout_id FROM payout"))
        net = dict(db.execute("SELECT reference, net FROM payout"))
        assert l.cancel(ids["p4"]) == OK
        assert l.hand_out("MUCB", 1000)[1] and l.hand_out("SCBL", 1000)[1]

        def said(reference, state, **other):
            return {"payout_id": ids[reference], "state": state, "ccy": PKR, "amount": net[reference], "bank_reference": "B",
                    "tax_withheld": None, "eprc_number": None, "reason_code": None, **other}

        assert l.confirm("MUCB", [said("p1", SETTLED)]) == [OK]
        assert l.confirm("MUCB", [said("p3", SETTLED)]) == [OK]
        assert l.confirm("SCBL", [said("p2", REJECTED, bank_reference=None, reason_code="AC04")]) == [OK]
        assert l.give_back("MUCB", ids["p3"], PKR, net["p3"], 0, "AC04", "R") == (OK, RETURNED, net["p3"])
        assert l.give_back("MUCB", ids["p1"], PKR, 100_000_00, 150_00, "AC04", "R1") == (OK, PARTLY_RETURNED, 100_000_00)
        assert l.give_back("MUCB", ids["p1"], PKR, 50_000_00, 0, "AC04", "R2") == (OK, PARTLY_RETURNED, 150_000_00)
        assert l.take_back("MUCB", ids["p1"], "R2", "AM09", "T2") == (OK, PARTLY_RETURNED, 100_000_00)
        assert l.fund("MUCB", net["p1"] - 100_000_00 + 150_00, USD, 621_30, "F") == OK
        taken = l.submit_batch([l.nobody("p5", 80_00, USD), l.nobody("p6", 20_00, USD)], [l.item("a@example.com"), l.item("b@example.com")], "B")
        assert taken[0] == 1
        aside = {item: row[2] for item, row in l.items_of(taken[1]).items()}
        assert l.add_receiver(to["SCBL"], "a@example.com")
        assert l.claim([aside[1]], [l.draft("p5", to["SCBL"], price(80_00, USD, 50, 150))])[0] == [OK]
        assert l.cancel_unclaimed(aside[2]) == OK
        assert l.post([l.draft("p7", to["MUCB"], price(80_00, USD, 50, 150))])[0] == [OK]
        held = l.one("SELECT payout_id FROM payout WHERE reference = 'p7'")
        for name in ("page_first", "page_second"):
            db.execute(f"CREATE ROLE {name} LOGIN IN ROLE ujrat_operator")
        for hold, decision in ((1, "release"), (2, "refuse")):
            db.execute("SELECT hold_payout(%s, %s, %s, 'LIMIT', NULL, NULL, 'q', clock_timestamp() + interval '1 day')", (l.book, held, l.principal))
            for name in ("page_first", "page_second"):
                db.execute(f"SET SESSION AUTHORIZATION {name}")
                db.execute("SELECT decide_hold(%s, %s, %s::int2, %s, 'seen', %s)", (l.book, held, hold, decision, code_of(db)))
                db.execute("RESET SESSION AUTHORIZATION")
        yield l


def test_every_journal_of_the_example_is_as_the_page_says(told):
    example = PAGE[PAGE.index("## An example"):PAGE.index("**In the end**")]
    steps = re.split(r"^\*\*\d+\. ", example, flags=re.M)[1:]
    page = [(re.search(r"\*\*: `([A-Z_]+)`", s).group(1), lines_of(s)) for s in steps]
    ledger = {}
    for row in told.named("audit_journals", told.book, 0, 1000, "-infinity", "infinity"):
        ledger.setdefault(row[0], (row[1], []))[1].extend([(row[8], row[10])] if row[8] else [])
    assert page == [ledger[n] for n in sorted(ledger)]
    assert len(page) == 31


def test_the_trial_balance_at_the_end_is_as_the_page_says(told):
    page = dict(lines_of(PAGE[PAGE.index("**In the end**"):]))
    stored = dict(told.db.execute("SELECT code, balance FROM account_now WHERE book_id = %s AND balance <> 0", (told.book,)).fetchall())
    assert page == stored and len(page) == 8


def test_every_kind_of_journal_is_on_the_page(told):
    for (kind,) in told.db.execute("SELECT name FROM journal_kind"):
        assert re.search(r"^###.*`%s`" % kind, PAGE, re.M), kind


def test_every_account_is_in_the_chart(told):
    chart = PAGE[PAGE.index("## The chart"):PAGE.index("## Price")]
    for code, type_, side in told.db.execute("SELECT code, type::text, normal_side FROM account WHERE book_id = %s", (told.book,)):
        name = re.sub(r"\.(MUCB|SCBL)\.", ".BANK.", re.sub(r"\.USD$|(?<=charge)\.PKR$", ".CCY", code))
        row = next(r for r in chart.splitlines() if f"`{name}`" in r)
        assert type_ in row and (side in row or type_ == "POSITION")
