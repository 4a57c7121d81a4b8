"""The auditor's reports over real traffic in three books and five currencies: trial balance, statement, trail, exports
that hledger and beancount accept, safeguarding. What they say is compared with what the ledger and the platforms' own
double entry (world.Books) say; texts are as hostile as the gateway lets them in, and then more so."""

import csv
import datetime
import json
import subprocess
import types

import pytest

from harness import BIN
from world import D, DIGITS, price

TYPES = {"float": "LIABILITY", "correspondent": "ASSET", "fee": "INCOME", "margin": "INCOME", "position": "POSITION",
         "payable": "LIABILITY", "nostro": "ASSET"}
ROOTS = {"ASSET": "Assets", "LIABILITY": "Liabilities", "INCOME": "Income", "EXPENSE": "Expenses", "POSITION": "Equity"}

# references are visible ASCII, remittance information is a line of text, a deposit's reference is anything
HOSTILE_REFERENCES = ["=1+1", "+cmd|'/c'!A1", "@SUM(A1)", "-2+3", "a\"b\\c", ";x|y,z:%41", "r}~#^tag:v", "'quoted"]
HOSTILE_INFO = 'pay "now"; | , {x} \\ % اجرت 2026-01-01 open Assets:Theft'
HOSTILE_DEPOSIT = "wire\n2026-01-01 * \"x\"\n  Assets:Theft  1 USD\r\n;\t\"quote\" \\ | , =1 \u2028 \x1b[31m end"
HOSTILE_DETAIL = "counted twice;\n\n2026-01-01 close Assets:Upwork\n    Assets:Theft  1.00 USD ; \"|\\"


def audit(database, *arguments, code=0):
    """What ujrat-audit prints, as the role that can only read."""
    done = subprocess.run([str(BIN / "ujrat-audit"), *map(str, arguments), "--db", database.uri("ujrat_auditor")],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == code, "exit %d\n%s\n%s" % (done.returncode, done.stdout[-2000:], done.stderr)
    return done.stdout if code == 0 else types.SimpleNamespace(out=done.stdout, err=done.stderr)


def adjust(world, platform, detail, **lines):
    """A journal nobody's RPC makes: ADJUSTMENT with a reason somebody has typed. lines: account with _ for . = minor."""
    with world.database.connect(options="-c search_path=ujrat") as db:
        book = db.execute("SELECT book_id FROM book WHERE code = %s", (platform.code,)).fetchone()[0]
        who = db.execute("SELECT principal_id FROM principal WHERE uri = 'ujrat://operator/demo'").fetchone()[0]
        seq, block, at = db.execute("SELECT seq, block_no, at FROM begin_block(%s)", (book,)).fetchone()
        codes = [name.replace("_", ".") for name in lines]
        ids = [db.execute("SELECT account_id, ccy FROM account WHERE book_id = %s AND code = %s", (book, c)).fetchone()
               for c in codes]
        db.execute("INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor,"
                   " detail) VALUES (%s, %s, %s, %s, 9, %s, %s, %s, %s)",
                   (seq, block, book, who, [i for i, _ in ids], [c for _, c in ids], list(lines.values()), detail))
        db.execute("SELECT close_block(%s, %s, %s, %s, %s)", (book, block, seq, seq, at))
        db.commit()
    platform.books.post("ADJUSTMENT", dict(zip(codes, lines.values())))


def make_traffic(world):
    """Two platforms with everything that can happen, one with nothing; the payouts by what became of them."""
    mucb, scbl = world.bank(), world.bank()
    first = world.platform(USD=50_000_00, JPY=3_000_000, KWD=900_000)
    second = world.platform(EUR=20_000_00, USD=7_000_00)
    third = world.platform(GBP=0)
    world.gateway.ujrat("float", "deposit", first.code, "1.23", "USD", "--reference", HOSTILE_DEPOSIT, "--quiet")
    first.books.deposited(123, "USD")

    made = []
    for platform, ccy, gross in ((first, "USD", 1000_00), (first, "JPY", 123_457), (first, "KWD", 50_001),
                                 (second, "EUR", 333_33), (second, "USD", 77_01), (first, "USD", 99_99)):
        for bank in (mucb, scbl):
            reference = HOSTILE_REFERENCES[len(made) % 8] + "%d" % len(made)
            fields = {"remittance_information": HOSTILE_INFO} if ccy == "EUR" else {}
            name = platform.submit(platform.details(bank), gross, ccy, reference=reference, **fields).name
            p = price(gross, ccy)
            platform.books.accepted(p, bank.code)
            made.append(types.SimpleNamespace(name=name, platform=platform, bank=bank, price=p, reference=reference,
                                              state="ACCEPTED"))
    quote = first.quote(500_00)
    name = first.submit(first.details(mucb), 500_00, quote=quote.name, reference="quoted-1").name
    p = price(500_00)
    first.books.accepted(p, mucb.code)
    made.append(types.SimpleNamespace(name=name, platform=first, bank=mucb, price=p, reference="quoted-1",
                                      state="ACCEPTED"))
    gone = made[1]
    gone.platform.cancel(gone.name)
    gone.platform.books.cancelled(gone.price, gone.bank.code)
    gone.state = "CANCELLED"
    world.middle = world.value("SELECT max(committed_at) FROM block").astimezone(datetime.timezone.utc)
    for bank in (mucb, scbl):
        open_ = [m for m in made if m.bank is bank and m.state == "ACCEPTED"]
        for n, instruction in enumerate(bank.take(len(open_))):
            m = next(m for m in open_ if m.price.net == instruction.amount.minor_units)
            if n % 3 == 0:
                bank.confirm(bank.rejected(instruction))
                m.platform.books.rejected(m.price, bank.code)
                m.state = "REJECTED"
                continue
            bank.confirm(bank.settled(instruction, tax=101, eprc="EPRC-%d" % n))
            m.platform.books.settled(m.price, bank.code)
            m.state = "SETTLED"
            if n % 3 == 2:
                bank.send_back(instruction)
                m.platform.books.returned(m.price, bank.code)
                m.state = "RETURNED"
    adjust(world, first, HOSTILE_DETAIL, fee_USD=150, correspondent_USD=-150)
    return types.SimpleNamespace(first=first, second=second, third=third, banks=(mucb, scbl), made=made)


@pytest.fixture(scope="module")
def busy(world):
    world.traffic = make_traffic(world)
    return world
