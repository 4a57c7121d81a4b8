"""The auditor's reports over real traffic in three books and five currencies: trial balance, statement, trail, exports
that hledger and beancount accept, safeguarding. What they say is compared with what the ledger and the platforms' own
double entry (world.Books) say; texts are as hostile as the gateway lets them in, and then more so."""

import contextlib
import csv
import datetime
import io
import json
import re
import subprocess
import types
import urllib.parse

import pytest

from harness import BIN, ROOT, new_database, run
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
    command, *rest = map(str, arguments)
    done = subprocess.run([str(BIN / "ujrat-audit"), command, "--db", database.uri("ujrat_auditor"), *rest],
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
        posted = [i for i, _ in ids], [c for _, c in ids], list(lines.values())
        db.execute("INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor,"
                   " detail) VALUES (%s, %s, %s, %s, 9, %s, %s, %s, %s)", (seq, block, book, who, *posted, detail))
        db.execute("INSERT INTO adjustment_proposal (book_id, proposal_id, request_id, reason, line_account, line_ccy, line_minor,"
                   " proposed_by, proposed_at) VALUES (%s, 1, 'a', %s, %s, %s, %s, %s, %s)", (book, detail, *posted, who, at))
        db.execute("INSERT INTO adjustment_decision VALUES (%s, 1, %s, %s, %s)", (book, who, at, seq))
        db.execute("SELECT close_block(%s, %s, %s, %s, %s)", (book, block, seq, seq, at))
        db.commit()
    platform.books.post("ADJUSTMENT", dict(zip(codes, lines.values())))


def make_traffic(world):
    """Two platforms with everything that can happen, one with nothing; the payouts by what became of them."""
    mucb, scbl = world.bank(), world.bank()
    first = world.platform(USD=50_000_00, JPY=3_000_000, KWD=900_000)
    keys, world.gateway.keys = world.gateway.keys, None     # this one's book gets no key
    second = world.platform(EUR=20_000_00, USD=7_000_00)
    world.gateway.keys = keys
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
def busy(new_world):
    """The first platform's book is sealed, the second's has no key."""
    world = new_world(seal=True)
    world.traffic = make_traffic(world)
    world.gateway.wait_sealed()
    return world


def expected(world):
    """book -> account -> balance, those of nil left out, as the platforms' own double entry has it."""
    t = world.traffic
    return {p.code: p.books.nonzero() for p in (t.first, t.second, t.third)}


def minor(text, ccy):
    return int(D(text or "0").scaleb(DIGITS[ccy]).to_integral_exact())


def trial(database, *arguments):
    """(book ->) account -> balance of a trial balance by book, and all of its JSON."""
    answer = json.loads(audit(database, "trial-balance", "--by-book", "--json", *arguments))
    found = {}
    for line in answer["lines"]:
        balance = minor(line["debit"], line["currency"]) - minor(line["credit"], line["currency"])
        found.setdefault(line["book"], {})[line["account"]] = balance
    return found, answer


def ledger_name(book, account):
    root = {"ASSET": "Assets", "LIABILITY": "Liabilities", "INCOME": "Income", "POSITION": "Equity"}
    role, rest = account.split(".", 1)
    return ":".join((root[TYPES[role]], book.capitalize(), role.capitalize(), *rest.split(".")))


@contextlib.contextmanager
def damaged(world, table, change, undo):
    """As the superuser, past the guards; taken back in the end."""
    def run(sql):
        with world.database.connect(options="-c search_path=ujrat") as db:
            db.execute("ALTER TABLE %s DISABLE TRIGGER append_only" % table)
            db.execute(sql)
            db.execute("ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only" % table)
            db.commit()

    run(change)
    try:
        yield
    finally:
        run(undo)


# ---------------------------------------------------------------- trial balance
def test_trial_balance_is_what_the_platforms_own_books_say(busy):
    want = {book: accounts for book, accounts in expected(busy).items() if accounts}
    for recompute in ([], ["--recompute"]):
        found, answer = trial(busy.database, *recompute)
        assert found == want
        assert answer["in_balance"] and not answer["wrong"]
        assert all(t["in_balance"] and t["debit"] == t["credit"] for t in answer["totals"])
        assert answer["recomputed"] == bool(recompute)


def test_trial_balance_is_what_ujrat_prints(busy):
    theirs = json.loads(busy.gateway.ujrat("trial-balance", "--json"))
    ours = json.loads(audit(busy.database, "trial-balance", "--json"))
    rows = [(r["currency"], r["account"], r["debit"] or "0", r["credit"] or "0") for r in theirs if r["account"] != "total"]
    assert [(r["currency"], r["account"], D(r["debit"]), D(r["credit"])) for r in ours["lines"]] == [
        (c, a, D(d), D(k)) for c, a, d, k in rows]
    table = audit(busy.database, "trial-balance", "--all")
    assert "NOT IN BALANCE" not in table and all(len(line) <= 100 for line in table.splitlines())
    assert "float.GBP" in table and "float.GBP" not in audit(busy.database, "trial-balance")


def test_trial_balance_of_a_moment_is_the_same_for_ever(busy):
    middle = busy.middle.isoformat()
    before, answer = trial(busy.database, "--as-of", middle)
    assert before == trial(busy.database, "--as-of", middle, "--recompute")[0]
    # nothing was settled by then, and what was cancelled was
    assert not any(a.startswith("nostro") for accounts in before.values() for a in accounts)
    assert before != trial(busy.database)[0]
    assert answer["as_of"] == busy.middle.isoformat(timespec="microseconds").replace("+00:00", "Z")
    from_gateway = json.loads(busy.gateway.ujrat("trial-balance", "--json", "--by-book", "--as-of", middle))
    assert before == {b: {r["account"]: minor(r["debit"], r["currency"]) - minor(r["credit"], r["currency"])
                          for r in from_gateway if r["book"] == b} for b in before}
    nothing, _ = trial(busy.database, "--as-of", "2001-01-01T00:00:00Z")
    assert nothing == {}
    assert "has not come yet" in subprocess.run(
        [str(BIN / "ujrat-audit"), "trial-balance", "--as-of", "2999-01-01T00:00:00Z", "--db",
         busy.database.uri("ujrat_auditor")], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True).stderr


def test_postings_that_do_not_make_the_balance_are_named(busy):
    where = "WHERE book_id = (SELECT book_id FROM book WHERE code = '%s') AND seq = 1" % busy.traffic.first.code
    with damaged(busy, "journal", "UPDATE journal SET line_minor = ARRAY[5000001, -5000001] " + where,
                 "UPDATE journal SET line_minor = ARRAY[5000000, -5000000] " + where):
        audit(busy.database, "trial-balance")     # the balances by themselves are well
        wrong = audit(busy.database, "trial-balance", "--recompute", code=1)
        assert "BALANCE AND POSTINGS DIFFER: %s/float.USD" % busy.traffic.first.code in wrong.err
        wrong = audit(busy.database, "statement", busy.traffic.first.code + "/float.USD", code=1)
        assert "after block 1: the balance says -50,000.00, its postings come to -50,000.01" in wrong.err
        assert "Each stored balance" not in wrong.out
        # and the accountants' own tools see it too
        file = audit(busy.database, "export", "--format", "hledger")
        assert hledger(file, "check", "-s").returncode != 0
    audit(busy.database, "trial-balance", "--recompute")


def test_a_book_that_does_not_balance_is_loud(busy):
    where = ("WHERE (book_id, account_id) = (SELECT book_id, account_id FROM account JOIN book b USING (book_id)"
             " WHERE b.code = '%s' AND account.code = 'fee.USD') AND block_no = (SELECT max(block_no) FROM account_balance v"
             " WHERE (v.book_id, v.account_id) = (account_balance.book_id, account_balance.account_id))" % busy.traffic.first.code)
    with damaged(busy, "account_balance", "UPDATE account_balance SET change = change + 7, balance = balance + 7 " + where,
                 "UPDATE account_balance SET change = change - 7, balance = balance - 7 " + where):
        wrong = audit(busy.database, "trial-balance", code=1)
        assert "THE BOOKS DO NOT BALANCE: book %s, USD" % busy.traffic.first.code in wrong.err
        assert "NOT IN BALANCE" in wrong.out
        assert json.loads(audit(busy.database, "trial-balance", "--json", code=1).out)["in_balance"] is False
        assert "BALANCE AND POSTINGS DIFFER" in audit(busy.database, "statement",
                                                      busy.traffic.first.code + "/fee.USD", code=1).err
    audit(busy.database, "trial-balance")


# ---------------------------------------------------------------- statements
def test_statements_go_from_opening_to_closing(busy):
    middle = busy.middle.isoformat()
    first = busy.traffic.first.code
    bank = busy.traffic.banks[0].code
    for book, account in ((first, "float.USD"), (first, "payable.%s.PKR" % bank), (first, "fee.JPY"),
                          (first, "nostro.%s.PKR" % bank), (busy.traffic.third.code, "float.GBP")):
        accounts = expected(busy)[book]
        ccy = account.rsplit(".", 1)[1]
        whole = json.loads(audit(busy.database, "statement", "%s/%s" % (book, account), "--json"))
        assert whole["agrees"] and minor(whole["opening"], ccy) == 0
        assert minor(whole["closing"], ccy) == accounts.get(account, 0)
        balance = 0
        for line in whole["lines"]:
            balance += minor(line["amount"], ccy)
            assert minor(line["balance"], ccy) == balance
        early = json.loads(audit(busy.database, "statement", "books/%s/accounts/%s" % (book, account), "--json",
                                 "--until", middle))
        rest = json.loads(audit(busy.database, "statement", "%s/%s" % (book, account), "--json", "--from", middle))
        assert early["closing"] == rest["opening"] and early["lines"] + rest["lines"] == whole["lines"]
    theirs = busy.auditor.statement(busy.traffic.first, "float.USD")
    ours = json.loads(audit(busy.database, "statement", busy.traffic.first.code + "/float.USD", "--json"))
    assert theirs[2] == minor(ours["closing"], "USD") and len(theirs[1]) == len(ours["lines"]) > 8
    assert HOSTILE_DEPOSIT in [line.get("reference") for line in ours["lines"]]


def test_a_statement_cannot_drive_the_terminal(busy):
    table = audit(busy.database, "statement", busy.traffic.first.code + "/float.USD")
    assert "\x1b" not in table and "\u2028" not in table and "\t" not in table and "\r" not in table
    assert "50,000.00 Cr" in table and "opening balance" in table and "closing balance" in table


# ---------------------------------------------------------------- exports
def export(database, form, folder, *arguments):
    path = folder / ("books." + form)
    audit(database, "export", "--format", form, "--out", path, *arguments)
    return path


def hledger(file, *arguments):
    return subprocess.run(["hledger", "-f", "-", *arguments], input=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"})


def hledger_balances(path):
    done = hledger(path.read_text(), "balance", "--flat", "--no-elide", "-N", "-O", "csv")
    assert done.returncode == 0, done.stderr
    found = {}
    for row in list(csv.reader(done.stdout.splitlines()))[1:]:
        amount, ccy = row[1].split()
        found[row[0]] = minor(amount, ccy)
    return found


def beancount_balances(path):
    from beancount import loader
    from beancount.core import realization

    entries, errors, _ = loader.load_file(str(path))
    assert not errors, errors
    return {a.account: minor(str(p.units.number), p.units.currency) for a in realization.iter_children(realization.realize(entries))
            for p in a.balance}, entries


def test_the_real_hledger_and_beancount_agree_to_the_last_unit(busy, tmp_path):
    want = {ledger_name(b, a): m for b, accounts in expected(busy).items() for a, m in accounts.items()}
    assert {m for a, m in want.items() if a.endswith(":JPY")} and {m for a, m in want.items() if a.endswith(":KWD")}
    for period in ([], ["--from", busy.middle.isoformat()]):
        path = export(busy.database, "hledger", tmp_path, *period)
        done = hledger(path.read_text(), "check", "-s")
        assert done.returncode == 0, done.stderr
        assert hledger_balances(path) == want
        path = export(busy.database, "beancount", tmp_path, *period)
        assert subprocess.run(["bean-check", str(path)], stderr=subprocess.PIPE).returncode == 0
        assert beancount_balances(path)[0] == want
    until = ["--until", busy.middle.isoformat()]
    before = {ledger_name(b, a): m for b, accounts in trial(busy.database, "--as-of", (
        busy.middle - datetime.timedelta(microseconds=1)).isoformat())[0].items() for a, m in accounts.items()}
    assert before and before != want
    assert hledger_balances(export(busy.database, "hledger", tmp_path, *until)) == before
    assert beancount_balances(export(busy.database, "beancount", tmp_path, *until))[0] == before
    one = export(busy.database, "hledger", tmp_path, "--book", busy.traffic.second.code)
    assert hledger_balances(one) == {a: m for a, m in want.items() if ":%s:" % busy.traffic.second.code.capitalize() in a}


def test_a_changed_amount_is_found_by_hledger_and_beancount(busy, tmp_path):
    """The control: their checks can fail. A journal is changed so that it still comes to nil."""
    for form, check in (("hledger", ["hledger", "check", "-s", "-f"]), ("beancount", ["bean-check"])):
        path = export(busy.database, form, tmp_path)
        text = path.read_text()
        assert subprocess.run([*check, str(path)], env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}).returncode == 0
        changed = text.replace(" 50000.00 USD", " 50000.01 USD", 1).replace("-50000.00 USD", "-50000.01 USD", 1)
        assert changed != text
        path.write_text(changed)
        assert subprocess.run([*check, str(path)], env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def unescaped(text):
    return urllib.parse.unquote(text, errors="strict")


def test_hostile_texts_are_texts_in_every_format(busy, tmp_path):
    references = {m.reference for m in busy.traffic.made}
    _, entries = beancount_balances(export(busy.database, "beancount", tmp_path))
    transactions = [e for e in entries if type(e).__name__ == "Transaction"]
    journals = busy.value("SELECT count(*) FROM journal")
    assert len(transactions) == journals
    found = {unescaped(e.meta["reference"]) for e in transactions if "reference" in e.meta}
    assert references < found and HOSTILE_DEPOSIT in found
    assert HOSTILE_DETAIL in {unescaped(e.meta["detail"]) for e in transactions if "detail" in e.meta}
    assert HOSTILE_INFO in {unescaped(e.meta["info"]) for e in transactions if "info" in e.meta}
    by_link = [e for e in transactions if "%s/payouts/%s" % (busy.traffic.first.code, busy.traffic.made[-1].name.rsplit("/")[-1]) in e.links]
    assert len(by_link) >= 2

    text = export(busy.database, "hledger", tmp_path).read_text()
    shown = hledger(text, "print", "-O", "json")
    assert shown.returncode == 0, shown.stderr
    tags = [dict(t["ttags"]) for t in json.loads(shown.stdout)]
    assert len([t for t in tags if "seq" in t]) == journals
    found = {unescaped(t["reference"]) for t in tags if "reference" in t}
    assert references < found and HOSTILE_DEPOSIT in found
    assert HOSTILE_DETAIL in {unescaped(t["detail"]) for t in tags if "detail" in t}
    assert not hledger(text, "accounts", "Theft").stdout


def test_csv_is_rfc_4180_and_no_spreadsheets_formula(busy, tmp_path):
    raw = export(busy.database, "csv", tmp_path).read_bytes()
    assert raw.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(raw.decode(), newline="")))
    sums = {}
    for row in rows:
        sums.setdefault(row["book"], {}).setdefault(row["account"], 0)
        sums[row["book"]][row["account"]] += minor(row["amount"], row["currency"])
        assert minor(row["debit"], row["currency"]) - minor(row["credit"], row["currency"]) == minor(row["amount"], row["currency"])
        for column, cell in row.items():
            assert column in ("amount",) or cell[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n"), (column, cell)
        assert None not in row
    assert {b: {a: m for a, m in accounts.items() if m} for b, accounts in sums.items()} == {
        b: accounts for b, accounts in expected(busy).items() if accounts}
    assert len(rows) == busy.value("SELECT count(*) FROM posting")

    def plain(cell):
        return cell[1:] if cell.startswith("'") else cell

    found = {plain(r["reference"]) for r in rows}
    assert {m.reference for m in busy.traffic.made} < found and HOSTILE_DEPOSIT in found
    assert HOSTILE_DETAIL in {plain(r["detail"]) for r in rows}
    assert HOSTILE_INFO in {plain(r["remittance_info"]) for r in rows}


def test_jsonl_holds_all_of_every_journal(busy, tmp_path):
    lines = export(busy.database, "jsonl", tmp_path).read_text(encoding="utf-8").split("\n")[:-1]
    journals = [json.loads(line) for line in lines]
    assert [(j["book"], j["seq"]) for j in journals] == busy.rows(
        "SELECT b.code, seq FROM journal JOIN book b USING (book_id) ORDER BY 1, 2")
    for book in expected(busy):
        kinds = [(j["kind"], {x["account"]: x["minor"] for x in j["lines"]}) for j in journals if j["book"] == book]
        theirs = next(p for p in (busy.traffic.first, busy.traffic.second, busy.traffic.third) if p.code == book).books
        key = lambda k: (k[0], sorted(k[1].items()))  # noqa: E731
        # the hand-outs are the banks' to decide how many
        assert sorted((k for k in kinds if k[0] != "PAYOUTS_INSTRUCTED"), key=key) == sorted(theirs.journals, key=key)
    accepted = [j for j in journals if "payout" in j]
    by_name = {"platforms/%s/payouts/%d" % (j["book"], j["seq"]): j["payout"] for j in accepted}
    for m in busy.traffic.made:
        p = by_name[m.name]
        assert (p["reference"], p["bank"], p["src_ccy"], p["gross"], p["fee"], p["mid_value"], p["margin"], p["net"]) == (
            m.reference, m.bank.code, m.price.ccy, m.price.gross, m.price.fee, m.price.mid_value, m.price.margin, m.price.net)
    assert HOSTILE_DETAIL in [j.get("detail") for j in journals]
    returned = [j for j in journals if j["kind"] == "PAYOUT_RETURNED"]
    assert returned and all(j["transition"]["state"] == 6 and j["reverses_seq"] for j in returned)


# ---------------------------------------------------------------- trails
def test_a_trail_tells_every_state_with_its_arithmetic(busy):
    states = set()
    # one of each state, and of each currency
    chosen = {m.state: m for m in busy.traffic.made} | {m.price.ccy: m for m in busy.traffic.made}
    for m in {m.name: m for m in chosen.values()}.values():
        trail = json.loads(audit(busy.database, "trail", m.name, "--json"))
        states.add(m.state)
        assert (trail["reference"], trail["state"], trail["bank"]) == (m.reference, m.state, m.bank.code)
        assert trail["all_holds"] and trail["price"]["computed_again"] and trail["price"]["net"] == m.price.net
        kinds = [e["kind"] for e in trail["events"]]
        assert kinds[0] == "PAYOUT_ACCEPTED" and {
            "CANCELLED": kinds[1:] == ["PAYOUT_CANCELLED"],
            "REJECTED": kinds[1:] == ["PAYOUTS_INSTRUCTED", "PAYOUT_REJECTED"],
            "SETTLED": kinds[1:] == ["PAYOUTS_INSTRUCTED", "PAYOUT_SETTLED"],
            "RETURNED": kinds[1:] == ["PAYOUTS_INSTRUCTED", "PAYOUT_SETTLED", "SETTLEMENT_REVERSED", "PAYOUT_RETURNED"],
        }[m.state]
        theirs = busy.auditor.trail(m.name)
        assert [e["seq"] for e in trail["events"]] == sorted(
            {int(e.journal.name.rsplit("/", 1)[1]) for e in theirs.events})
        for event in trail["events"]:
            sums = {}
            for line in event["lines"]:
                sums[line["currency"]] = sums.get(line["currency"], 0) + line["minor"]
            assert not any(sums.values())
    by_reference = json.loads(audit(busy.database, "trail", "--json", "--", m.platform.code, m.reference))
    assert by_reference == trail
    assert states == {"CANCELLED", "REJECTED", "SETTLED", "RETURNED"}


def test_a_trail_reads_well(busy):
    m = next(m for m in busy.traffic.made if m.price.ccy == "JPY" and m.state != "CANCELLED")
    text = audit(busy.database, "trail", m.name)
    product = (m.price.converted * m.price.mid).normalize()
    assert "%s x " % format(m.price.converted, ",") in text and "= %s, rounded half to even" % product in text
    assert "Computed again, and right." in text and "ACCEPTED: PAYOUT_ACCEPTED" in text
    assert all(len(line) <= 100 for line in text.splitlines())
    settled = next(m for m in busy.traffic.made if m.state == "SETTLED")
    text = audit(busy.database, "trail", settled.name)
    assert "tax withheld     1.01 PKR" in text and "EPRC-" in text and "BR-" in text


def test_a_price_that_does_not_follow_is_named(busy):
    m = busy.traffic.made[0]
    where = "WHERE book_id = (SELECT book_id FROM book WHERE code = '%s') AND reference = '%s'" % (m.platform.code, m.reference)
    # a row that its constraints allow: other basis points, which come to the same when rounded down no more
    with damaged(busy, "payout", "ALTER TABLE payout DROP CONSTRAINT margin_rounded_down; UPDATE payout SET margin_bps = margin_bps + 1 " + where,
                 "UPDATE payout SET margin_bps = margin_bps - 1 " + where):
        assert "THE PRICE IS WRONG: margin" in audit(busy.database, "trail", m.name, code=1).err
    audit(busy.database, "trail", m.name)


def proofs(database, payout, *arguments):
    trail = json.loads(audit(database, "trail", payout, "--json", *arguments))
    return [e["proof"] for e in trail["events"]]


def test_each_step_is_proved_from_the_rows_to_a_signed_head(busy, tmp_path):
    first = busy.traffic.first
    key = tmp_path / "key.pem"
    key.write_text(busy.gateway.ujrat("log", "key", "export", first.code))
    for m in (next(m for m in busy.traffic.made if m.platform is first and m.state == s) for s in ("RETURNED", "CANCELLED")):
        found = proofs(busy.database, m.name, "--key", key)
        assert len(found) == (5 if m.state == "RETURNED" else 2)
        size, root, key_id = busy.rows("SELECT tree_size, encode(root, 'hex'), key_id FROM tree_head JOIN book USING (book_id)"
                                       " WHERE code = %s ORDER BY tree_size DESC LIMIT 1", first.code)[0]
        for p in found:
            assert p["result"] == "holds" and p["key_trusted"]
            assert (p["tree_size"], p["root"], p["head_key"], p["block_key"]) == (size, root, key_id, key_id)
            assert busy.value("SELECT count(*) FROM block_seal WHERE encode(substring(nodes, 1, 32), 'hex') = %s"
                              " AND encode(journal_root, 'hex') = %s", p["block_hash"], p["journal_root"]) == 1
    quoted = busy.traffic.made[-1]
    assert {p["result"] for p in proofs(busy.database, quoted.name)} == {"holds"}
    text = audit(busy.database, "trail", quoted.name)
    assert text.count("computed again from the rows") == len(proofs(busy.database, quoted.name))
    assert all(len(line) <= 100 for line in text.splitlines())
    unsealed = next(m for m in busy.traffic.made if m.platform is busy.traffic.second)
    assert {p["result"] for p in proofs(busy.database, unsealed.name)} == {"not sealed yet"}
    assert "not sealed yet" in audit(busy.database, "trail", unsealed.name)


def test_a_row_that_is_not_what_was_sealed_is_named(busy, tmp_path):
    m = next(m for m in busy.traffic.made if m.platform is busy.traffic.first and m.state == "SETTLED")
    book = "(SELECT book_id FROM book WHERE code = '%s')" % m.platform.code
    other = tmp_path / "other.pem"
    subprocess.run("openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out %s" % other, shell=True, check=True)
    assert "first key is none of those" in audit(busy.database, "trail", m.name, "--key", other, code=1).err
    payout = m.name.rsplit("/", 1)[1]
    changes = (
        ("payout_transition", "bank_reference", "reverse(bank_reference)", "payout_id = %s" % payout, "another hash than its leaf"),
        ("payout", "info", "CASE WHEN info IS NULL THEN 'x' END", "payout_id = %s" % payout, "another hash than its leaf"),
        ("block", "committed_at", "committed_at + CASE WHEN extract(microsecond FROM committed_at)::int8 %% 2 = 0"
         " THEN interval '1 microsecond' ELSE interval '-1 microsecond' END",
         "block_no = (SELECT block_no FROM journal j WHERE j.book_id = block.book_id AND seq = %s)" % payout, "another hash than its leaf"),
        ("beneficiary_version", "purpose_code", "reverse(purpose_code)", "beneficiary_id = (SELECT beneficiary_id FROM payout p"
         " WHERE p.book_id = beneficiary_version.book_id AND payout_id = %s)" % payout, "another hash than its leaf"),
        ("block_seal", "signature", "set_byte(signature, 3, 255 - get_byte(signature, 3))", "block_no = (SELECT block_no FROM journal j"
         " WHERE j.book_id = block_seal.book_id AND seq = %s)" % payout, "the block's signature is not by its key"),
        ("tree_head", "root", "set_byte(root, 3, 255 - get_byte(root, 3))", "tree_size = (SELECT max(tree_size) FROM tree_head t"
         " WHERE t.book_id = tree_head.book_id)", "the tree head's signature is not by its key"),
        ("log_key", "signature", "set_byte(signature, 3, 255 - get_byte(signature, 3))", "true", "a key of the log is not signed"),
    )
    for table, column, value, where, said in changes:
        # each change undoes itself
        sql = "UPDATE %s SET %s = %s WHERE book_id = %s AND %s" % (table, column, value.replace("%%", "%"), book, where)
        with damaged(busy, table, sql, sql):
            wrong = audit(busy.database, "trail", m.name, code=1)
            assert "THE PROOF DOES NOT HOLD" in wrong.err and said in wrong.err, (table, wrong.err)
            assert "DOES NOT HOLD: " in wrong.out
    audit(busy.database, "trail", m.name)


# ---------------------------------------------------------------- safeguarding
def test_rupees_paid_ahead_are_an_open_exchange_and_no_shortfall(busy):
    answer = json.loads(audit(busy.database, "safeguard", "--json"))
    last = max(d["day"] for d in answer["days"])
    by_ccy = {d["currency"]: d for d in answer["days"] if d["day"] == last}
    want = {}
    for accounts in expected(busy).values():
        for account, balance in accounts.items():
            role, ccy = account.split(".")[0], account.rsplit(".", 1)[1]
            f = want.setdefault(ccy, dict(owed=0, banks=0, to_banks=0, position=0))
            if role in ("float", "payable"):
                f["owed"] -= balance
            elif role in ("correspondent", "nostro"):
                f["banks" if balance > 0 else "to_banks"] += abs(balance)
            elif role == "position":
                f["position"] += balance
    for ccy, f in want.items():
        d = by_ccy[ccy]
        assert (minor(d["owed_to_clients"], ccy), minor(d["at_banks"], ccy), minor(d["owed_to_banks"], ccy), minor(d["fx_position"], ccy)) == (
            f["owed"], f["banks"], f["to_banks"], f["position"])
        assert minor(d["over_or_short"], ccy) == f["banks"] - f["to_banks"] - f["owed"]
    assert by_ccy["PKR"]["state"] == "exchange open" and by_ccy["USD"]["state"] == "covered"
    assert answer["shortfall"] is False and answer["days"][0]["currency"] == "PKR"
    text = audit(busy.database, "safeguard")
    assert "is owed to banks, which paid ahead of being" in text
    strict = audit(busy.database, "safeguard", "--strict", code=1)
    assert "THERE IS A SHORTFALL" in strict.err and "SHORTFALL 4" in strict.out


@pytest.fixture(scope="module")
def days(cluster):
    """A book whose commits were on days that are given: money at a bank goes missing, and comes back."""
    database = new_database(cluster)
    run(BIN / "ujrat", "platform", "add", "north", "--currency", "USD", "--currency", "JPY", "--margin-bps", "100", "--quiet", "--db",
        database.uri("ujrat_operator"))
    with database.connect(options="-c search_path=ujrat") as db:
        book = db.execute("SELECT book_id FROM book").fetchone()[0]
        who = db.execute("SELECT min(principal_id) FROM principal").fetchone()[0]
        ids = dict((c, (i, k)) for c, i, k in db.execute("SELECT code, account_id, ccy FROM account").fetchall())
        for n, (at, debit, credit, amount) in enumerate((
                ("2026-07-01T18:59:59.999999Z", "correspondent.USD", "float.USD", 100_000),    # 1 July in Karachi
                ("2026-07-01T19:00:00Z", "fee.USD", "correspondent.USD", 30_000),              # 2 July: taken out
                ("2026-07-03T10:00:00Z", "fee.JPY", "correspondent.JPY", 0),
                ("2026-07-04T10:00:00Z", "correspondent.USD", "fee.USD", 10_000),              # some of it comes back
                ("2026-07-04T11:00:00Z", "correspondent.JPY", "float.JPY", 5_000),
                ("2026-07-05T10:00:00Z", "correspondent.USD", "fee.USD", 20_000),              # all of it
                ("2026-07-06T10:00:00Z", "fee.JPY", "correspondent.JPY", 7)), 1):
            lines = [(debit, amount), (credit, -amount)] if amount else []
            db.execute("INSERT INTO journal (seq, block_no, book_id, principal_id, kind, line_account, line_ccy, line_minor)"
                       " VALUES (%s, %s, %s, %s, 9, %s, %s, %s)",
                       (n, n, book, who, [ids[a][0] for a, _ in lines], [ids[a][1] for a, _ in lines], [m for _, m in lines]))
            db.execute("SELECT close_block(%s, %s, %s, %s, %s)", (book, n, n, n, at))
        db.commit()
    return database


def test_a_shortfall_is_first_and_says_since_when(days):
    answer = json.loads(audit(days, "safeguard", "--json", code=1).out)
    assert answer["shortfall"] is True
    assert [(d["day"], d["currency"], d["state"], d["shortfall"], d["since"]) for d in answer["days"]] == [
        ("2026-07-02", "USD", "SHORTFALL", "300.00", "2026-07-02"),
        ("2026-07-03", "USD", "SHORTFALL", "300.00", "2026-07-02"),
        ("2026-07-04", "USD", "SHORTFALL", "200.00", "2026-07-02"),
        ("2026-07-06", "JPY", "SHORTFALL", "7", "2026-07-06"),
        ("2026-07-01", "USD", "covered", "0.00", "2026-07-01"),
        ("2026-07-04", "JPY", "covered", "0", "2026-07-04"),
        ("2026-07-05", "JPY", "covered", "0", "2026-07-04"),
        ("2026-07-05", "USD", "covered", "0.00", "2026-07-05"),
        ("2026-07-06", "USD", "covered", "0.00", "2026-07-05"),
    ]
    some = json.loads(audit(days, "safeguard", "--json", "--from", "2026-07-03", "--until", "2026-07-03", code=1).out)
    assert [(d["day"], d["since"]) for d in some["days"]] == [("2026-07-03", "2026-07-02")]
    audit(days, "safeguard", "--from", "2026-07-05", "--until", "2026-07-05")
    later = json.loads(audit(days, "safeguard", "--json", "--from", "2026-07-09", "--until", "2026-07-09", code=1).out)
    assert {(d["currency"], d["state"], d["since"]) for d in later["days"]} == {
        ("USD", "covered", "2026-07-05"), ("JPY", "SHORTFALL", "2026-07-06")}


def test_what_banks_state_is_held_beside_the_books(days, tmp_path):
    file = tmp_path / "stated.csv"
    file.write_text('date,account,currency,balance\n2026-07-05,correspondent.USD,USD,"1,000.00"\n2026-07-05,north/correspondent.JPY,JPY,4990\n')
    period = ("--from", "2026-07-05", "--until", "2026-07-05")
    answer = json.loads(audit(days, "safeguard", "--json", *period, "--statement-balances", file, code=1).out)
    assert answer["statement_balances"] == [
        {"day": "2026-07-05", "account": "correspondent.USD", "currency": "USD", "bank": "1000.00", "books": "1000.00", "difference": "0.00"},
        {"day": "2026-07-05", "account": "north/correspondent.JPY", "currency": "JPY", "bank": "4990", "books": "5000", "difference": "-10"}]
    assert [(d["currency"], d["shortfall"]) for d in answer["days"] if d["state"] == "SHORTFALL"] == [("JPY", "10")]
    table = audit(days, "safeguard", *period, "--statement-balances", file, code=1)
    assert "agrees" in table.out and "4,990" in table.out
    # a bank that has more than the books say makes nothing good
    file.write_text("date,account,currency,balance\n2026-07-02,correspondent.USD,USD,5000.00\n")
    assert "SHORTFALL 300.00" in audit(days, "safeguard", "--until", "2026-07-02", "--statement-balances", file, code=1).out

    out = tmp_path / "days.csv"
    audit(days, "safeguard", "--csv", out, code=1)
    assert {r["since"] for r in csv.DictReader(out.open(newline="")) if r["state"] == "SHORTFALL"} == {"2026-07-02", "2026-07-06"}


@pytest.mark.parametrize("text, said", [
    ("", "line 1: it is empty"),
    ("date,account,currency\n", "there is no column 'balance'"),
    ("date,account,currency,balance\n2026-07-05,correspondent.USD,USD,1.234\n", "line 2: balance: '1.234' is no amount in USD"),
    ("date,account,currency,balance\n2026-07-05,correspondent.USD,EUR,1\n", "line 2: currency"),
    ("date,account,currency,balance\n2026-07-05,float.USD,USD,1\n", "'float.USD' is no account at a bank"),
    ("date,account,currency,balance\n2026-07-05,nostro.XXXX.PKR,PKR,1\n", "is no account of these books"),
    ("date,account,currency,balance\n2026-02-30,correspondent.USD,USD,1\n", "line 2: date"),
    ("date,account,currency,balance\n2020-02-03,correspondent.USD,USD,1\n", "is not among the days"),
    ("date,account,currency,balance\n" + "2026-07-05,correspondent.USD,USD,1\n" * 2, "line 3: said before, in line 2"),
    ('date,account,currency,balance\n2026-07-05,"correspondent.USD,USD,1\n', "a quote that does not end"),
])
def test_statement_balances_that_are_none_are_refused(days, tmp_path, text, said):
    file = tmp_path / "stated.csv"
    file.write_text(text)
    assert said in audit(days, "safeguard", "--statement-balances", file, code=1).err


# ---------------------------------------------------------------- what is refused
@pytest.mark.parametrize("arguments, code, said", [
    (["trial-balance", "--as-of", "yesterday"], 2, "--as-of: RFC 3339 is wanted"),
    (["trial-balance", "--book", "nobody"], 1, "there is no book 'nobody'"),
    (["statement", "north"], 1, "an account is named BOOK/ACCOUNT"),
    (["statement", "nobody/float.USD"], 1, "there is no book 'nobody'"),
    (["statement", "north/float.EUR"], 1, "book 'north' has no account 'float.EUR'"),
    (["statement", "north/float.USD", "--from", "2026-07-02T00:00:00Z", "--until", "2026-07-01T00:00:00Z"], 2, "is not before --until"),
    (["trail", "42"], 2, "a payout is named platforms/BOOK/payouts/NUMBER"),
    (["trail", "platforms/north/payouts/42"], 1, "book 'north' has no payout number 42"),
    (["trail", "platforms/north/payouts/x"], 2, "a payout is named"),
    (["trail", "north", "INV-17"], 1, "book 'north' has no payout with reference INV-17"),
    (["trail", "nobody", "INV-17"], 1, "there is no book 'nobody'"),
    (["export"], 2, "which --format?"),
    (["export", "--format", "xml"], 2, "there is no 'xml'"),
    (["export", "--format", "csv", "--book", "nobody"], 1, "there is no book 'nobody'"),
    (["export", "--format", "csv", "--from", "2026-07-02T00:00:00Z", "--until", "2026-07-02T00:00:00Z"], 2, "is not before --until"),
    (["export", "--format", "csv", "--out", "/nonexistent/x.csv"], 1, "/nonexistent/x.csv: cannot be written"),
    (["safeguard", "--from", "2026-07-32"], 2, "--from: a date is wanted"),
    (["safeguard", "--from", "2026-07-02", "--until", "2026-07-01"], 2, "is after --until"),
    (["safeguard", "--until", "2999-01-01"], 2, "has not come yet"),
    (["safeguard", "--statement-balances", "/nonexistent"], 1, "/nonexistent: No such file"),
    (["safeguard", "--csv", "/nonexistent/x"], 1, "/nonexistent/x: cannot be written"),
])
def test_bad_input_is_named(days, arguments, code, said):
    refused = audit(days, *arguments, code=code)
    assert said in refused.err and not refused.out


def test_a_book_of_nothing_has_reports_of_nothing(cluster, tmp_path):
    database = new_database(cluster)
    for arguments in (["trial-balance"], ["safeguard"], ["safeguard", "--json"], ["trial-balance", "--json", "--recompute"]):
        audit(database, *arguments)
    for form in ("csv", "jsonl", "hledger", "beancount"):
        path = export(database, form, tmp_path)
        assert form != "beancount" or subprocess.run(["bean-check", str(path)]).returncode == 0
        assert form != "hledger" or hledger(path.read_text(), "check", "-s").returncode == 0


def test_an_export_that_fails_leaves_what_was_there(days, tmp_path):
    path = tmp_path / "books.csv"
    path.write_text("last year's")
    audit(days, "export", "--format", "csv", "--book", "nobody", "--out", path, code=1)
    assert path.read_text() == "last year's" and list(tmp_path.iterdir()) == [path]
    audit(days, "export", "--format", "csv", "--out", path)
    assert path.read_text().startswith("book,seq") and list(tmp_path.iterdir()) == [path]


def test_the_manual_names_every_report():
    manual = (ROOT / "docs" / "man" / "ujrat-audit.1").read_text().replace("\\-", "-")
    for command in ("trial-balance", "statement", "trail", "export", "safeguard"):
        assert re.search(r"^\.BI? \"?%s\b" % command, manual, re.M), command
        text = subprocess.run([str(BIN / "ujrat-audit"), command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        assert all(len(line) <= 100 for line in text.splitlines())
