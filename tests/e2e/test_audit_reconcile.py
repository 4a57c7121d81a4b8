"""ujrat-audit reconcile: a bank's statement against books with settled and returned payouts in them; each kind of break is
provoked once, and each bad statement refused; and ujrat recon, by which two people put a break right."""
import csv
import datetime
import html.parser
import json
import os
import resource
import socket
import subprocess

import pytest

import camt_maker
from camt_maker import Entry, Statement, document, today
from harness import BIN, operator, unique
from world import iban

AHEAD = datetime.timedelta(days=10)


class Told:
    """What the program answered."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def breaks(self):
        return [(b["category"], b["difference"]) for b in self.json["breaks"]]


def audit(database, *arguments, role="ujrat_auditor", preexec=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("UJRAT_", "PG"))}
    return Told(subprocess.run([str(BIN / "ujrat-audit"), *map(str, arguments), "--db", database.uri(role)], env=environment,
                               capture_output=True, text=True, timeout=60, preexec_fn=preexec))


class Account:
    """Our account at a bank that has paid payouts of a platform, and what its statement should say."""

    def __init__(self, world, folder):
        self.world, self.folder = world, folder
        self.platform, self.bank = world.platform(USD=100_000_000), world.bank()
        self.number = iban(self.bank.code)
        to = [self.platform.register(self.bank).name for _ in range(2)]
        # those of s5 and s6 are the same
        grosses = (10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 60_000, 70_000, 80_000, 90_000)
        for n, gross in enumerate(grosses):
            self.platform.submit(to[n % 2], gross, reference="pay-%d-%s" % (n, self.bank.code))
        told = self.bank.take(len(grosses))
        settled = [self.bank.settled(t, tax=4321 if n == 4 else None, reference="BR%d%s" % (n, self.bank.code))
                   for n, t in enumerate(told[:8])]
        results = self.bank.confirm(*settled, self.bank.rejected(told[8]))
        assert [r.outcome for r in results] == [1] * 9
        self.bank.send_back(told[7], reference="RT7" + self.bank.code)
        self.told = told
        self.net = [t.amount.minor_units for t in told]
        self.id = [t.instruction_id for t in told]
        self.ref = ["BR%d%s" % (n, self.bank.code) for n in range(8)]

    def paid(self, n, extra=0, **changes):
        fields = dict(e2e=self.id[n], ref=self.ref[n])
        fields.update(changes)
        return Entry(-(self.net[n] + extra), **fields)

    def came_back(self, **changes):
        return Entry(self.net[7], **{**dict(e2e=self.id[7], ref="RT7" + self.bank.code, reason="AC04", reversal=True), **changes})

    def entries(self, without=()):
        return [self.paid(n) for n in range(8) if n not in without] + [self.came_back()]

    def file(self, *statements, name=None, **how):
        path = self.folder / (name or unique("statement") + ".xml")
        path.write_text(document(*statements, **how), encoding="utf-8")
        return path

    def statement(self, entries, **how):
        return Statement(self.number, entries, **how)

    def reconcile(self, *files, account=None, **options):
        more = [a for k, v in options.items() for a in ("--" + k.replace("_", "-"), v)]
        return audit(self.world.database, "reconcile", *files, "--account", account or self.number, "--json", *more)

    def with_entries(self, entries, version=8, style="default", **how):
        return self.reconcile(self.file(self.statement(entries, **how), version=version, style=style))


@pytest.fixture(scope="module")
def folder(work):
    path = work / unique("reconcile")
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def account(world, folder):
    return Account(world, folder)


def money(minor):
    return "%s%d.%02d" % ("-" if minor < 0 else "", abs(minor) // 100, abs(minor) % 100)


# ---------------------------------------------------------------- all is well
@pytest.mark.parametrize("version, style", ((2, "default"), (2, "prefix"), (8, "default"), (8, "none"), (12, "prefix")))
def test_a_statement_that_agrees_is_reconciled(account, version, style):
    path = account.file(account.statement(account.entries(), sequence=1), version=version, style=style)
    with account.world.nothing_changes():
        told = account.reconcile(path)
    assert told.code == 0, told.out + told.err
    answer = told.json
    assert answer["breaks"] == [] and answer["reconciled"] and answer["unexplained"] == "0.00"
    assert answer["balance_per_bank"] == answer["balance_per_books"] == money(-sum(account.net[:7]))
    assert answer["matched"] == {"end_to_end_id": 9, "bank_reference": 0, "amount_and_date": 0, "contra": 0, "postings": 9}


@pytest.mark.parametrize("version", (2, 8, 12))
def test_the_statements_of_these_tests_are_what_their_schema_says(account, version):
    if camt_maker.schema(version) is None:
        pytest.skip("there is no XSD of camt.053.001.%02d in %s: the statements are not checked against it" % (version, camt_maker.SHARED))
    entries = account.entries() + [Entry(-500, charges=25, code="CHRG", entry_ref="X", ntry_ref="N"),
                                   Entry(-300, transactions=[dict(minor=-100, e2e="a"), dict(minor=-200, e2e="b")])]
    for style in ("default", "prefix"):
        camt_maker.validate(account.file(account.statement(entries, sequence=1, bic="MUCBPKKA"), version=version, style=style), version)


def test_entries_are_matched_by_name_by_reference_and_by_amount_in_that_order(account):
    entries = [account.paid(0), account.paid(1, e2e=None), account.paid(2, e2e=None, ref=None),
               account.paid(3, e2e="pay-3-" + account.bank.code, ref=None),
               Entry(-account.net[4], entry_ref=account.ref[4]), account.paid(5), account.paid(6), account.paid(7),
               account.came_back(e2e=None)]
    told = account.with_entries(entries)
    assert told.code == 0, told.out
    assert told.json["matched"] == {"end_to_end_id": 5, "bank_reference": 3, "amount_and_date": 1, "contra": 0, "postings": 9}


def test_a_batch_is_matched_payment_by_payment(account):
    parts = [dict(minor=-account.net[n], e2e=account.id[n]) for n in range(5)]
    rest = [account.paid(n) for n in (5, 6, 7)] + [account.came_back()]
    whole = Entry(-sum(account.net[:5]), transactions=parts)
    assert account.with_entries([whole, *rest]).code == 0
    assert account.with_entries([whole, *rest], version=2).code == 0
    # without amounts of their own
    assert account.with_entries([Entry(whole.minor, transactions=[dict(p, minor=None) for p in parts]), *rest]).code == 0
    # and what the batch has besides is a break of its own
    told = account.with_entries([Entry(whole.minor - 700, transactions=parts), *rest])
    assert told.breaks() == [("amount", "-7.00")] and told.code == 1
    told = account.with_entries([Entry(whole.minor - 700, transactions=parts, charges=700), *rest])
    assert told.breaks() == [("charge deducted", "-7.00")]


def test_what_is_not_booked_does_not_count(account):
    more = [Entry(-100, status="INFO"), Entry(-200, status="PDNG", e2e="other")]
    told = account.with_entries(account.entries() + more)
    assert told.code == 0, told.out
    told = account.with_entries(account.entries(without=(0,)) + [account.paid(0, status="PDNG")], last=today() + AHEAD)
    assert told.breaks() == [("timing", money(account.net[0]))] and told.json["breaks"][0]["note"] == "pending at the bank"


def test_a_bank_that_takes_its_own_duplicate_back_leaves_nothing_to_do(account):
    told = account.with_entries(account.entries() + [account.paid(0), Entry(account.net[0], e2e=account.id[0], reversal=True)])
    assert told.code == 0 and told.json["matched"]["contra"] == 2, told.out


def test_several_statements_follow_each_other_in_whatever_order_they_are_given(account):
    day = datetime.timedelta(days=1)
    entries = account.entries()
    first = account.statement(entries[:4], first=today() - day, last=today() - day, sequence=7, number="A")
    second = account.statement(entries[4:], opening=first.closing, sequence=8, number="B")
    for files in ([account.file(first, second)], [account.file(second), account.file(first, version=2)]):
        told = account.reconcile(*files)
        assert told.code == 0, told.out
        assert [s["id"] for s in told.json["statements"]] == ["A", "B"]


def test_a_statement_without_a_period_and_with_other_balances(account):
    told = account.with_entries(account.entries(), period=False, codes=("PRCD", "CLBD"), more_balances=(("CLAV", 5), ("ITBD", 6)))
    assert told.code == 0, told.out


# ---------------------------------------------------------------- each break, once
def provoke(account, category):
    """Entries, options, and the one break that comes of them: category, difference, a part of the note."""
    a, ahead = account, dict(last=today() + AHEAD)
    return {
        "timing, ours": (a.entries(without=(0,)), {}, "timing", a.net[0], None),
        "timing, theirs": (a.entries() + [Entry(-a.net[9], e2e=a.id[9], ref="Z")], {}, "timing", -a.net[9], "INSTRUCTED"),
        "missing theirs": (a.entries(without=(0,)), ahead, "missing theirs", a.net[0], None),
        "missing ours": (a.entries() + [Entry(-777, e2e="unheard", ref="Z")], {}, "missing ours", -777, None),
        "missing ours, rejected": (a.entries() + [Entry(-a.net[8], e2e=a.id[8])], {}, "missing ours", -a.net[8], "REJECTED"),
        "missing ours, no such payout": (a.entries() + [Entry(-5, e2e="UJ1-999999")], {}, "missing ours", -5, "no payout"),
        "duplicate": (a.entries() + [a.paid(0, ref="ZZ")], {}, "duplicate", -a.net[0], "once more"),
        "amount": (a.entries(without=(0,)) + [a.paid(0, 7)], {}, "amount", -7, None),
        "charge deducted": (a.entries(without=(0,)) + [a.paid(0, 2500, charges=2500)], {}, "charge deducted", -2500, None),
        "charge deducted, apart": (a.entries() + [Entry(-2500, e2e=a.id[0], code="CHRG")], {}, "charge deducted", -2500, "on payout"),
        "tax withheld": (a.entries(without=(4,)) + [a.paid(4, -4321)], {}, "tax withheld", 4321, None),
        "return unposted": (a.entries() + [Entry(a.net[1], e2e=a.id[1], ref="RX", reason="AC04")], {}, "return unposted", a.net[1],
                            "sends back"),
        "return unposted, reversal": (a.entries() + [Entry(a.net[1], ref="RX", reversal=True)], {}, "return unposted", a.net[1], None),
        "return unposted, code": (a.entries() + [Entry(99, code="RRTN")], {}, "return unposted", 99, None),
        "unidentified credit": (a.entries() + [Entry(123_456, ref="C1")], {}, "unidentified credit", 123_456, None),
    }[category]


@pytest.mark.parametrize("case", ("timing, ours", "timing, theirs", "missing theirs", "missing ours", "missing ours, rejected",
                                  "missing ours, no such payout", "duplicate", "amount", "charge deducted", "charge deducted, apart",
                                  "tax withheld", "return unposted", "return unposted, reversal", "return unposted, code",
                                  "unidentified credit"))
def test_each_break_is_named(account, case):
    version = (2, 8)[len(case) % 2]     # charges and statuses are written otherwise in .02
    entries, how, category, difference, note = provoke(account, case)
    told = account.with_entries(entries, version=version, **how)
    assert told.code == 1 and told.breaks() == [(category, money(difference))], told.out + told.err
    found, = told.json["breaks"]
    assert note is None or note in found["note"]
    assert found["age_days"] == 0 and found["band"] == "0-2 timing"
    assert told.json["unexplained"] == "0.00" and not told.json["reconciled"]
    assert told.json["difference"] == money(difference)


def test_what_is_ambiguous_is_not_guessed(account):
    two = [account.paid(n, e2e=None, ref=None) for n in (5, 6)]
    told = account.with_entries(account.entries(without=(5, 6)) + two, last=today() + AHEAD)
    same = account.net[5]
    assert told.breaks() == [("missing ours", money(-same))] * 2 + [("missing theirs", money(same))] * 2
    assert all("not guessed" in b["note"] for b in told.json["breaks"][:2])
    assert told.json["difference"] == told.json["unexplained"] == "0.00" and told.code == 1


@pytest.mark.parametrize("days, band", ((0, "0-2 timing"), (3, "3-5 owner and query"), (6, "6-30 escalate"), (30, "6-30 escalate"),
                                        (31, "31-60 management"), (60, "31-60 management"), (61, "over 60 write-off candidate")))
def test_a_break_has_an_age_and_a_band(account, days, band):
    day = today() - datetime.timedelta(days=days)
    told = account.with_entries(account.entries() + [Entry(5000, date=day)], first=day)
    assert [(b["age_days"], b["band"]) for b in told.json["breaks"]] == [(days, band)], told.out


# ---------------------------------------------------------------- a statement that does not hold together
def test_opening_and_entries_must_make_the_closing(account):
    entries = account.entries()
    told = account.with_entries(entries, closing=sum(e.minor for e in entries) + 1)
    assert told.code == 1 and told.breaks() == [] and told.json["unexplained"] == "0.01"
    assert not told.json["statements"][0]["adds_up"]


def test_what_was_open_before_the_first_statement_is_unexplained(account):
    told = account.with_entries(account.entries(), opening=100_000)
    assert told.code == 1 and told.breaks() == []
    assert told.json["unexplained"] == told.json["brought_forward"] == "1000.00"


def test_openings_follow_closings_and_numbers_each_other(account):
    day = datetime.timedelta(days=1)
    entries = account.entries()

    def pair(**second):
        first = account.statement(entries[:4], first=today() - day, last=today() - day, sequence=7, number="A")
        return account.reconcile(account.file(first, account.statement(entries[4:], number="B", **{**dict(
            opening=first.closing, sequence=8), **second})))

    assert pair().code == 0
    gap = pair(opening=5)
    assert gap.code == 1 and gap.json["statements"][1]["gap"] != "0.00" and gap.json["unexplained"] == gap.json["statements"][1]["gap"]
    for sequence, words in ((9, "follows 7"), (7, "used twice"), (6, "follows 7")):
        told = pair(sequence=sequence)
        assert told.code == 1 and words in told.json["statements"][1]["sequence_fault"]
        assert told.breaks() == [] and told.json["unexplained"] == "0.00"


# ---------------------------------------------------------------- refused, and nothing written
def refused(account, path, words, /, **options):
    out = [account.folder / unique("out") for _ in range(2)]
    with account.world.nothing_changes():
        told = account.reconcile(*(path if isinstance(path, list) else [path]), html=out[0], csv=out[1], **options)
    assert told.code == 1 and told.out == "" and words in told.err, (told.out[:500], told.err)
    assert not any(o.exists() for o in out) and not [f for f in account.folder.iterdir() if f.name.startswith(out[0].name)]
    assert all(ord(c) < 127 and (c == "\n" or ord(c) >= 32) for c in told.err), "what the file says must not drive the terminal"


@pytest.mark.parametrize("edit, words", (
    (lambda t: t.replace("CdtDbtInd>DBIT", "CdtDbtInd>DEBIT"), "neither CRDT nor DBIT"),
    (lambda t: t.replace('<Amt Ccy="PKR">', '<Amt Ccy="PKR">0.00', 1), "no amount with at most 2 decimals"),
    (lambda t: t.replace('Ccy="PKR">', 'Ccy="PKR">-', 1), "no amount"),
    (lambda t: t.replace('Ccy="PKR">', 'Ccy="PKR">99999999999999999999', 1), "too large"),
    (lambda t: t.replace('<Amt Ccy="PKR">', "<Amt>", 1), "has no currency"),
    (lambda t: t.replace('<Amt Ccy="PKR">', '<Amt Ccy="XQX">', 1), "no currency we know"),
    (lambda t: t.replace("<Sts><Cd>BOOK", "<Sts><Cd>MAYBE", 1), "status 'MAYBE'"),
    (lambda t: t.replace("<Sts><Cd>BOOK</Cd></Sts>", "", 1), "has no Sts"),
    (lambda t: t.replace("camt.053.001.08", "camt.054.001.08"), "it is camt.054.001.08"),
    (lambda t: t.replace("camt.053.001.08", "camt.053.001.99"), "it is camt.053.001.99"),
    (lambda t: t.replace("Document", "Dokument"), "its root is <Dokument>"),
    (lambda t: t.replace("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn"), "it is no statement"),
    (lambda t: t[: len(t) // 2], "ends in the middle"),
    (lambda t: t[:-3], "line"),
    (lambda t: "", "it is empty"),
    (lambda t: "record,number\n1,2\n", "it is no"),
    (lambda t: t.replace("</Ntry>", "</Ntri>", 1), "not well-formed"),
    (lambda t: t.replace("<MsgId>", "<MsgId>" + "<x>" * 70 + "</x>" * 70, 1), "nested"),
    (lambda t: t.replace("<MsgId>M-1", "<MsgId>" + "x" * 100_000, 1), "without a tag"),
    (lambda t: t.replace("<MsgId>M-1", "<MsgId>" + "x" * 5000, 1), "longer"),
    (lambda t: t.replace("<MsgId>M-1", "<MsgId>M\u202e1\u009b31m", 1), "control character"),
    (lambda t: t.replace("<MsgId>M-1", "<MsgId>&unknown;", 1), "not well-formed"),
    (lambda t: t.replace(today().isoformat() + "</Dt>", "someday</Dt>", 1), "no date"),
    (lambda t: t.replace("OPBD", "XXXX"), "no opening"),
    (lambda t: t.replace("CLBD", "XXXX"), "no closing"),
    (lambda t: t[: t.index("<Stmt>")] + t[t.index("</BkToCstmrStmt>"):], "no statement in it"),
    (lambda t: t.replace("<Id>S-", "<Xx>S-").replace("</Id><CreDtTm", "</Xx><CreDtTm"), "has no Id"),
))
def test_a_statement_that_is_none_is_refused(account, edit, words):
    path = account.folder / (unique("bad") + ".xml")
    path.write_text(edit(document(account.statement(account.entries()))), encoding="utf-8")
    refused(account, path, words)


@pytest.mark.parametrize("encoding, name", (("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("latin-1", "ISO-8859-1"), ("utf-7", "UTF-7")))
def test_another_encoding_is_refused(account, encoding, name):
    text = document(account.statement(account.entries())).replace("UTF-8", name).replace("M-1", "Münze")
    path = account.folder / (unique("bad") + ".xml")
    path.write_bytes(text.encode(encoding))
    refused(account, path, "not UTF-8")


def test_the_wrong_account_bank_or_currency_is_refused(account):
    other = iban(account.bank.code)
    good = account.file(account.statement(account.entries()))
    refused(account, good, "and %s was asked for" % other, account=other)
    refused(account, account.file(Statement(account.number, ccy="USD")), "is in PKR")
    refused(account, account.file(account.statement([Entry(-5, ccy="USD")])), "is in USD")
    refused(account, good, "is not one of bank SCBL", bank="SCBL")
    refused(account, good, "there is no bank ZZZZ", bank="ZZZZ", account="12345")
    refused(account, good, "we have no nostro account", bank=account.world._free_banks[0], account="12345")
    refused(account, good, "no nostro account", book="nowhere")
    with account.world.database.connect(autocommit=True) as db:
        db.execute("UPDATE ujrat.bank SET bic = 'AAAAPKKA' WHERE code = %s", (account.bank.code,))
    try:
        refused(account, account.file(account.statement(account.entries(), bic="BBBBPKKAXXX")), "is of bank BBBBPKKAXXX")
        assert account.with_entries(account.entries(), bic="AAAAPKKAXXX").code == 0
    finally:
        with account.world.database.connect(autocommit=True) as db:
            db.execute("UPDATE ujrat.bank SET bic = NULL WHERE code = %s", (account.bank.code,))


def test_the_same_statement_twice_and_overlapping_ones_are_refused(account):
    day = datetime.timedelta(days=1)
    one = account.statement(account.entries(), number="A")
    copy = account.statement(account.entries(), number="B")
    wide = account.statement([], opening=one.closing, first=today() - day, number="C")
    refused(account, account.file(one, one), "is there twice")
    refused(account, [account.file(one), account.file(one, version=2)], "is there twice")
    refused(account, account.file(one, copy), "say the same")
    refused(account, account.file(one, wide), "overlap")


def test_how_it_is_called_wrongly(account):
    path = account.file(account.statement(account.entries()))
    for arguments, words in (([path], "which account"), ([path, "--account", "123"], "which bank"), ([], "usage"),
                             ([path, "--account", account.number, "--as-of", "noon"], "RFC 3339"),
                             ([path, "--account", account.number, "--bank", "TOOLONG"], "four letters")):
        told = audit(account.world.database, "reconcile", *arguments)
        assert told.code == 2 and words in told.err, told.err
    refused(account, account.folder / "nothing-here.xml", "No such file")
    refused(account, account.folder, "it is no file")
    refused(account, path, "before the first statement", as_of="2020-01-01T00:00:00Z")


def test_an_accounts_file_says_which_is_ours(account):
    path = account.file(account.statement(account.entries()))
    accounts = account.folder / "accounts"
    accounts.write_text("# ours\n%s, %s\n" % (account.bank.code, account.number))
    told = audit(account.world.database, "reconcile", path, "--accounts", accounts, "--bank", account.bank.code)
    assert told.code == 0 and "Reconciled, without a break." in told.out, told.err
    told = audit(account.world.database, "reconcile", path, "--accounts", accounts, "--bank", "SCBL")
    assert told.code == 1 and "no line for bank SCBL" in told.err


# ---------------------------------------------------------------- hostile files
def hostile(account, doctype, inside="M-1"):
    text = document(account.statement(account.entries())).replace("<Document", doctype + "<Document", 1).replace("M-1", inside, 1)
    path = account.folder / (unique("hostile") + ".xml")
    path.write_text(text, encoding="utf-8")
    return path


def test_an_entity_bomb_is_refused(account):
    bomb = "".join('<!ENTITY e%d "%s">' % (n, "&e%d;" % (n - 1) * 10 if n else "lol" * 10) for n in range(12))
    refused(account, hostile(account, "<!DOCTYPE Document [%s]>" % bomb, "&e11;"), "DOCTYPE")


def test_nothing_outside_the_statement_is_opened(account):
    secret = account.folder / "secret"
    secret.write_text("the secret")
    pipe = account.folder / unique("pipe")
    os.mkfifo(pipe)   # whoever opened it would wait for ever
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = "http://127.0.0.1:%d/x" % server.getsockname()[1]
        for target in (secret.as_uri(), pipe.as_uri(), url):
            for doctype in ('<!DOCTYPE Document SYSTEM "%s">', '<!DOCTYPE Document [<!ENTITY x SYSTEM "%s">]>',
                            '<!DOCTYPE Document [<!ENTITY %% p SYSTEM "%s"> %%p;]>'):
                refused(account, hostile(account, doctype % target, "&x;"), "DOCTYPE")
        # by a schema's place, and by a style sheet
        text = document(account.statement(account.entries())).replace(
            "<Document", '<?xml-stylesheet href="%s"?><Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xsi:schemaLocation="x %s" xmlns:xi="http://www.w3.org/2001/XInclude"' % (url, url), 1).replace(
            "<MsgId>M-1</MsgId>", '<MsgId>M-1</MsgId><xi:include href="%s"/>' % pipe.as_uri())
        path = account.folder / "included.xml"
        path.write_text(text)
        assert account.reconcile(path).code == 0
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_huge_element_costs_no_memory(account):
    path = account.folder / "huge.xml"
    with open(path, "w") as file:
        file.write(document(account.statement(account.entries())).split("M-1")[0])
        file.seek(200 << 20)    # NULs, of which the first is enough
        file.write("x")
    bounded(account, path, "line")
    with open(path, "w") as file:
        file.write(document(account.statement(account.entries())).split("M-1")[0])
        for _ in range(200):
            file.write("x" * (1 << 20))
    bounded(account, path, "without a tag")
    path.unlink()


def bounded(account, path, words):
    """Refused with less memory than the file has bytes."""
    limit = 160 << 20
    told = audit(account.world.database, "reconcile", path, "--account", account.number,
                 preexec=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
    assert told.code == 1 and words in told.err, told.err


# ---------------------------------------------------------------- reports
class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.links = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("href", "src") or k.startswith("on")]

    def handle_data(self, data):
        self.text += data


def test_the_reports_say_the_same_and_nothing_in_them_acts(account):
    evil = "<script>alert(1)</script>&\"'"
    entries = account.entries(without=(0,)) + [account.paid(0, 2500, charges=2500), Entry(4200, ref="=1+1,\"x\""), Entry(77, ref=evil)]
    path = account.file(account.statement(entries, number="S&<b>"))
    page, table = account.folder / "report.html", account.folder / "report.csv"
    told = account.reconcile(path, html=page, csv=table)
    assert told.code == 1 and len(told.json["breaks"]) == 3
    text = page.read_text()
    parsed = Page(text)
    assert not {"script", "img", "link", "iframe", "b1"} & set(parsed.tags) and parsed.links == []
    assert evil in parsed.text and "S&<b>" in parsed.text and "default-src 'none'" in text
    assert "charge deducted" in parsed.text and "unidentified credit" in parsed.text
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    breaks = [r for r in rows if r["record"] == "break"]
    assert [(b["category"], b["difference"]) for b in breaks] == told.breaks()
    assert {b["bank_reference"] for b in breaks} == {account.ref[0], "'=1+1,\"x\"", evil}
    totals = {r["category"]: r["difference"] for r in rows if r["record"] == "total"}
    assert totals["balance per bank"] == told.json["balance_per_bank"] and totals["unexplained"] == "0.00"
    assert not list(account.folder.glob("report.*.*"))
    # a report that cannot be written leaves the old ones as they were
    before = page.read_bytes()
    told = account.reconcile(path, html=page, csv=account.folder / "no" / "such" / "folder.csv")
    assert told.code == 1 and "No such file" in told.err and page.read_bytes() == before
    assert not list(account.folder.glob("report.html.*"))


def test_the_table_for_people(account):
    told = audit(account.world.database, "reconcile", account.file(account.statement(account.entries() + [Entry(4200, ref="C9")])),
                 "--account", account.number)
    assert told.code == 1 and told.out.rstrip().endswith("NOT RECONCILED.")
    assert "unidentified credit" in told.out and "C9" in told.out and "9 of the bank's entries and 9 of our postings" in told.out


def test_a_long_statement_takes_little_memory(account):
    entries = account.entries() + [Entry(100 + n, ref="L%d" % n) for n in range(15_000)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    path = account.file(account.statement(entries))
    told = audit(account.world.database, "reconcile", path, "--account", account.number, "--csv", account.folder / "long.csv",
                 preexec=lambda: resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20)))
    assert told.code == 1 and "NOT RECONCILED" in told.out, (told.err, before)
    assert (account.folder / "long.csv").read_text().count("unidentified credit") == 15_000


# ---------------------------------------------------------------- two people put it right
@pytest.fixture(scope="module")
def people(world):
    """Logins of two operators, and of somebody who is none."""
    names = [unique(n) for n in ("alice", "bob", "carol")]
    with world.database.connect(autocommit=True) as db:
        for name in names:
            db.execute("CREATE ROLE %s LOGIN%s" % (name, "" if name == names[2] else " IN ROLE ujrat_operator"))
    yield names
    with world.database.connect(autocommit=True) as db:
        for name in names:
            db.execute("DROP ROLE " + name)


class Recon:
    def __init__(self, account, login):
        self.account, self.login = account, login
        may = account.world.value("SELECT pg_has_role(%s, 'ujrat_operator', 'MEMBER')", login)
        self.operator = operator(account.world.database.uri(), login) if may else None

    def __call__(self, *arguments):
        database, code = self.account.world.database, ""
        if arguments[0] != "list":
            arguments, code = (*arguments, "--code-fd", "0"), self.operator.code() if self.operator else "000000"
        return Told(subprocess.run([str(BIN / "ujrat"), "recon", *map(str, arguments), "--db", database.uri(self.login)], input=code,
                                   capture_output=True, text=True, timeout=60))

    def done(self, *arguments):
        told = self(*arguments)
        assert told.code == 0, told.err
        return told.out

    def no(self, words, *arguments):
        with self.account.world.nothing_changes():
            told = self(*arguments)
        assert told.code == 1 and words in told.err, told.out + told.err


@pytest.fixture
def staff(account, people):
    return account, account.platform.code, Recon(account, people[0]), Recon(account, people[1])


@pytest.fixture
def mended(world, folder, people):
    """An account of its own, since what is adjusted stays so."""
    account = Account(world, folder)
    return account, account.platform.code, Recon(account, people[0]), Recon(account, people[1])


def test_breaks_are_accepted_by_two_people_and_are_gone(mended):
    account, book, alice, bob = mended
    nostro = "nostro.%s.PKR" % account.bank.code
    entries = account.entries(without=(0, 4)) + [account.paid(0, 2500, charges=2500), account.paid(4, -4321), Entry(123_456, ref="C1"),
                                                 Entry(123_456, ref="C2"), account.paid(1, ref="TWICE"),
                                                 Entry(account.net[2], e2e=account.id[2], ref="RX", reason="AC04")]
    path = account.file(account.statement(entries))
    table = account.folder / unique("table")
    told = account.reconcile(path, csv=table)
    categories = [b["category"] for b in told.json["breaks"]]
    assert categories == ["duplicate", "charge deducted", "tax withheld", "return unposted", "unidentified credit", "unidentified credit"]
    for n, category in enumerate(categories, 1):
        if category == "return unposted":
            alice.no("the bank reports the return", "accept", book, "--report", table, "--break", n)
            continue
        out = alice.done("accept", book, "--report", table, "--break", n, "--reason", "as agreed with the bank")
        assert "Proposal" in out and category in out
    # the same again is the same proposal, by payout too
    again = alice.done("accept", book, "--report", table, "--payout", "pay-0-" + account.bank.code, "--reason", "as agreed with the bank")
    assert "Was proposed already: proposal 2" in again
    assert account.reconcile(path).breaks() == told.breaks(), "a proposal posts nothing"
    listed = json.loads(Recon(account, "ujrat_auditor").done("list", "--book", book, "--json"))
    assert len(listed) == 10 and {r["state"] for r in listed} == {"PROPOSED"}
    assert all(len(r["evidence"]) == 64 for r in listed)
    alice.no("a second person must", "approve", book, 1)
    for n in range(1, 6):
        out = bob.done("approve", book, n)
        assert "approved: journal" in out
        assert bob.done("approve", book, n) == out.replace("\n", " (as before)\n")
    after = account.reconcile(path)
    assert after.breaks() == [("return unposted", money(account.net[2]))], after.out
    account.bank.send_back(account.told[2], reference="RX")
    after = account.reconcile(path)
    assert after.code == 0 and after.json["unexplained"] == "0.00", after.out
    balances = account.world.auditor.balances(account.platform)
    assert balances["charge.PKR"] == 2500
    assert balances["suspense.PKR"] == -4321 - 2 * 123_456 + account.net[1]
    assert balances[nostro] == sum(e.minor for e in entries)
    kinds = [j.kind for j in account.world.auditor.journals(account.platform)]
    assert kinds.count("ADJUSTMENT") == 5
    # money that was there before the first statement is taken into the books likewise
    path = account.file(account.statement(entries, opening=50_000_000))
    assert account.reconcile(path).json["brought_forward"] == "500000.00"
    alice.done("adjust", book, "--line", nostro + "=500000", "--line", "suspense.PKR=-500000.00", "--reason", "it was there before us")
    journal = int(bob.done("approve", book, 6).split()[-1])
    told = account.reconcile(path)
    assert told.code == 0, told.out
    at = account.world.value("SELECT committed_at - interval '1 microsecond' FROM block k JOIN book b USING (book_id) "
                             "WHERE code = %s AND last_seq = %s", book, journal)
    assert account.reconcile(path, as_of=at.isoformat()).json["unexplained"] == "500000.00"
    assert json.loads(alice.done("list", "--book", book, "--json")) == []
    assert {r["state"] for r in json.loads(alice.done("list", "--book", book, "--all", "--json"))} == {"APPROVED"}


def test_what_may_not_be_proposed(staff, people):
    account, book, alice, bob = staff
    nostro, suspense = "nostro.%s.PKR" % account.bank.code, "suspense.PKR"

    def adjust(*lines, reason="because", who=alice, more=()):
        return ("adjust", book, *[a for line in lines for a in ("--line", line)], "--reason", reason, *more)

    alice.no("do not sum to zero", *adjust(nostro + "=5", suspense + "=-4"))
    alice.no("do not sum to zero", *adjust(nostro + "=5", "suspense.USD=-5"))
    alice.no("has no account nostro.ZZZZ.PKR", *adjust("nostro.ZZZZ.PKR=5", suspense + "=-5"))
    alice.no("has no account other.PKR", *adjust("other.PKR=5", suspense + "=-5"))
    alice.no("named in two lines", *adjust(suspense + "=5", suspense + "=-5"))
    alice.no("no amount", *adjust(nostro + "=0", suspense + "=0"))
    alice.no("at most two currencies", *adjust(nostro + "=5", suspense + "=-5", "fee.USD=5", "suspense.USD=-5", "suspense.EUR=1", "charge.EUR=-1"))
    alice.no("no platform 'nowhere'", "adjust", "nowhere", "--line", "a.PKR=1", "--line", "b.PKR=-1", "--reason", "x")
    Recon(account, people[2]).no("the database says", *adjust(nostro + "=5", suspense + "=-5"))
    Recon(account, "ujrat_auditor").no("the database says", *adjust(nostro + "=5", suspense + "=-5"))
    for arguments, words in ((adjust(nostro + "=5"), "at least two"), (adjust(nostro + "=5.001", suspense + "=-5"), "AMOUNT_INVALID"),
                             (adjust("'=5", suspense + "=-5"), "ACCOUNT=AMOUNT"), (adjust(nostro + "=5", suspense + "=-5", reason=""), "required"),
                             (("accept", book, "--report", "x"), "--break N")):
        told = alice(*arguments)
        assert told.code == 2 and words in told.err, told.err
    alice.no("No such file", *adjust(nostro + "=5", suspense + "=-5", more=("--evidence", "/nowhere")))
    alice.done(*adjust(nostro + "=5", suspense + "=-5", more=("--request-id", "mine")))
    alice.no("used for another adjustment", *adjust(nostro + "=6", suspense + "=-6", more=("--request-id", "mine")))
    assert "Was proposed already" in bob.done(*adjust(nostro + "=5", suspense + "=-5", more=("--request-id", "mine")))
    alice.no("second person", "approve", book, 1)
    bob.no("no proposal 99", "approve", book, 99)
    alice.done("refuse", book, 1)


def test_a_decision_is_final_and_a_float_does_not_go_below_zero(staff, people):
    account, book, alice, bob = staff

    def proposed(who, account, minor, reason):
        ccy = account[-3:]
        return who.done("adjust", book, "--line", "%s=%s" % (account, minor), "--line", "suspense.%s=-%s" % (ccy, minor), "--reason", reason).split()[1]

    n = proposed(alice, "float.USD", 99999999, "more than there is")
    bob.no("float below zero", "approve", book, n)
    alice.done("refuse", book, n)    # the one who proposed may take it back
    assert "(as before)" in bob.done("refuse", book, n)
    bob.no("was refused", "approve", book, n)
    n = proposed(alice, "charge.PKR", 5, "y")
    bob.done("approve", book, n)
    alice.no("was approved", "refuse", book, n)
    # one login is one person, whoever it is: the shared one and a superuser's too
    for login in ("ujrat_operator", "postgres"):
        shared = Recon(account, login)
        n = proposed(shared, "charge.PKR", 7, "by " + login)
        shared.no("a second person must", "approve", book, n)
    with account.world.database.connect(autocommit=True, options="-c search_path=ujrat") as db:
        uri = "ujrat://operator/" + people[1].replace("_", "-")
        db.execute("SELECT set_principal_enabled(%s, false)", (uri,))
        try:
            bob.no("is disabled", "approve", book, n)
        finally:
            db.execute("SELECT set_principal_enabled(%s, true)", (uri,))
    assert account.world.rows("SELECT uri FROM adjustment_decision d JOIN principal ON decided_by = principal_id "
                              "JOIN book b ON b.book_id = d.book_id WHERE code = %s AND seq IS NOT NULL", book) == [(uri,)]


def test_the_command_has_help():
    assert "reconcile" in subprocess.run([str(BIN / "ujrat-audit"), "--help"], capture_output=True, text=True).stdout
    told = subprocess.run([str(BIN / "ujrat-audit"), "reconcile", "--help"], capture_output=True, text=True)
    assert told.returncode == 0 and "--account" in told.stdout
