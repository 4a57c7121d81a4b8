"""A freelancer's tax year: what it adds up to against the postings, computed here by another way; whose it may be; its pages."""
import csv
import datetime
import decimal
import functools
import io
import json
import random
import re
import subprocess
import zoneinfo

import psycopg
import pytest

from harness import BIN, ROOT, pii_keys_of, run
from policy_rows import put_policy
from world import D, DIGITS, cnic, number, sheet

KARACHI = zoneinfo.ZoneInfo("Asia/Karachi")
NAME = "عائشہ خان"
US = datetime.timedelta(microseconds=1)


def tax_year(day):
    return day.year + (day.month >= 7)


def this_year():
    return tax_year(datetime.datetime.now(KARACHI))


def midnight(year):
    """The first moment of a tax year, in Karachi."""
    return datetime.datetime(year - 1, 7, 1, tzinfo=KARACHI)


def statement(world, *arguments, year=2023, keys=True, role="ujrat_operator", check=True):
    argv = [BIN / "ujrat", "statement", *arguments, "--tax-year", year, "--db", world.database.uri(role)]
    if keys:
        argv += ["--keys", pii_keys_of(world.database, world.gateway.folder.parent)]
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


def as_json(world, *arguments, **options):
    return json.loads(statement(world, *arguments, "--json", **options).stdout)


def refused(world, *arguments, code=1, **options):
    done = statement(world, *arguments, check=False, **options)
    assert done.returncode == code and not done.stdout, (done.returncode, done.stderr, done.stdout)
    return done.stderr.decode()


# ---------------------------------------------------------------- a life, and when it was
def live(world, dice, platforms, banks, people, n):
    """n payouts to those people, paid, rejected, returned in whole and in parts, and returns taken back, each in a block of its own."""
    made = {}
    for _ in range(n):
        platform = dice.choice(platforms)
        ccy = dice.choice(["USD", "USD", "EUR", "JPY"])
        gross = dice.randrange(600, 900_000 if ccy == "JPY" else 400_000)
        payout = platform.submit(dice.choice(people[platform.code]), gross, ccy, reference="INV-%d" % number())
        assert payout.pricing.net.minor_units not in made
        made[payout.pricing.net.minor_units] = payout
    lived = []
    for bank in banks:
        told = bank.take(world.value("SELECT count(*) FROM payout JOIN bank USING (bank_id) WHERE bank.code = %s", bank.code))
        for instruction in sorted(told, key=lambda i: made[i.amount.minor_units].name):  # one book, then the other
            if dice.random() < 0.1:
                bank.confirm(bank.rejected(instruction))
                continue
            tax = dice.choice([None, 0, instruction.amount.minor_units // 400])
            bank.confirm(bank.settled(instruction, tax=tax, eprc="EPRC-%d" % number() if dice.random() < 0.7 else ""))
            lived.append((bank, instruction))
    for bank, instruction in dice.sample(lived, len(lived) // 2):
        send_back(dice, bank, instruction)


def send_back(dice, bank, instruction):
    left, returns = instruction.amount.minor_units, []
    for _ in range(dice.choice([1, 1, 2, 3])):
        whole = dice.random() < 0.4
        amount = left if whole else dice.randrange(1, left)
        reference = "RT-%d" % number()
        bank.send_back(instruction, amount=amount, charge=dice.choice([None, 0, min(amount, 137)]), reference=reference)
        returns.append((reference, amount))
        left -= amount
        if returns and dice.random() < 0.3:
            reference, amount = returns.pop()
            bank.take_back(instruction, reference)
            left += amount
        if left < 2:
            break


def as_superuser(world):
    return psycopg.connect(world.database.uri(), autocommit=True, options="-c search_path=ujrat")


def set_clock(world, dice, platform, boundaries):
    """Gives the book's blocks other times, in their order, from a year before the first boundary to a year after the last: at each
    boundary one settlement is in its very first microsecond, and the one before it in the last before."""
    blocks = [b for b, in world.rows("SELECT block_no FROM block JOIN book USING (book_id) WHERE code = %s ORDER BY 1", platform.code)]
    paid = {b for b, in world.rows("SELECT j.block_no FROM journal j JOIN journal_kind USING (kind) JOIN book USING (book_id)"
                                   " WHERE code = %s AND journal_kind.name = 'PAYOUT_SETTLED'", platform.code)}
    pairs = [i for i in range(1, len(blocks)) if blocks[i] in paid and blocks[i - 1] in paid]
    at = [pairs[len(pairs) * (k + 1) // (len(boundaries) + 1)] for k in range(len(boundaries))]
    assert sorted(set(at)) == at and all(b - a > 2 for a, b in zip(at, at[1:]))
    times, ends = {}, [*at, len(blocks)]
    begin, first = boundaries[0] - datetime.timedelta(days=200), 0
    for k, end in enumerate(ends):
        until = boundaries[k] - US if k < len(boundaries) else begin + datetime.timedelta(days=200)
        inner = list(range(first, end - 1 if k < len(boundaries) else end))
        span = (until - begin) // US
        for i, offset in zip(inner, sorted(dice.sample(range(1, span - 1), len(inner)))):
            times[i] = begin + offset * US
        if k < len(boundaries):
            times[end - 1], times[end] = until, boundaries[k]
            begin, first = boundaries[k], end + 1
    assert sorted(times.values()) == [times[i] for i in range(len(blocks))] and len(set(times.values())) == len(blocks)
    with as_superuser(world) as c:
        c.execute("ALTER TABLE block DISABLE TRIGGER append_only")
        for i, block in enumerate(blocks):
            c.execute("UPDATE block SET committed_at = %s WHERE block_no = %s AND book_id = (SELECT book_id FROM book WHERE code = %s)",
                      (times[i], block, platform.code))
        c.execute("ALTER TABLE block ENABLE ALWAYS TRIGGER append_only")


@pytest.fixture(scope="module")
def estimates(world):
    """What is withheld, as we expect it: changed in the middle of a tax year."""
    rows = [(True, 25, datetime.datetime(2020, 1, 1, tzinfo=KARACHI)), (False, 100, datetime.datetime(2020, 1, 1, tzinfo=KARACHI)),
            (True, 50, datetime.datetime(2022, 12, 31, 12, tzinfo=KARACHI))]
    with as_superuser(world) as c:
        for pseb, bps, since in rows:
            put_policy(c, [("withholding_bps", "PSEB" if pseb else "OTHER", 0, bps)], since)
    return rows


class Life:
    def __init__(self, world, seed):
        dice = random.Random(seed)
        self.platforms = [world.platform(USD=50_000_000, EUR=50_000_000, JPY=50_000_000) for _ in range(2)]
        self.banks = [world.bank() for _ in range(2)]
        self.person = dict(display_name=NAME, cnic=cnic())
        self.names, people = [], {}
        for platform, bank in zip(self.platforms, self.banks):
            mine = platform.register(bank, **self.person).name
            other = platform.register(bank, display_name="Someone Else", pseb_registration="", channel="HOME_REMITTANCE" if dice.random() < .5
                                      else "EXPORT_OF_SERVICES", purpose_code="9471").name
            people[platform.code] = [mine, mine, other]
            self.names.append(mine)
        self.others = [people[p.code][2] for p in self.platforms]
        live(world, dice, self.platforms, self.banks, people, 44)
        for platform in self.platforms:
            set_clock(world, dice, platform, [midnight(2023), midnight(2024)])


@pytest.fixture(scope="module")
def lives(world, estimates):
    """A function: the life of a seed, lived once."""
    return functools.lru_cache(lambda seed: Life(world, seed))


@pytest.fixture(scope="module", params=[1, 20, 300])
def each_life(request, lives):
    return lives(request.param)


@pytest.fixture(scope="module")
def life(lives):
    return lives(1)


# ---------------------------------------------------------------- the same sums from the journals' lines
def even(value, digits=0):
    return value.quantize(D(1).scaleb(-digits), rounding=decimal.ROUND_HALF_EVEN)


def from_postings(world, estimates, beneficiary, year):
    """A dict a payout, of what its postings leave of it and in which month it was realised."""
    _, code, _, number_ = beneficiary.split("/")
    lines = world.rows(
        "SELECT o.payout_id, k.name, o.committed_at, a.role, c.code, o.minor FROM posting o JOIN account a USING (book_id, account_id)"
        " JOIN currency c ON c.ccy = o.ccy JOIN journal_kind k ON k.kind = o.kind JOIN book b USING (book_id)"
        " JOIN payout p USING (book_id, payout_id) WHERE b.code = %s AND p.beneficiary_id = %s ORDER BY o.seq", code, int(number_))
    bank_said = {p: (v, pseb, channel, net) for p, v, pseb, channel, net in world.rows(
        "SELECT t.payout_id, t.tax_withheld, v.pseb_commitment IS NOT NULL, v.channel, p.net FROM payout_transition t"
        " JOIN payout p USING (book_id, payout_id) JOIN beneficiary_version v ON v.book_id = p.book_id"
        " AND v.beneficiary_id = p.beneficiary_id AND v.version = p.beneficiary_version JOIN book b ON b.book_id = p.book_id"
        " WHERE b.code = %s AND t.step = 1 AND t.state = 4", code)}
    found = {}
    for payout, kind, at, role, ccy, minor in lines:
        p = found.setdefault(payout, dict(settled=None, ccy=None, platform=code, sums={}))
        if kind == "PAYOUT_SETTLED":
            p["settled"] = at
        if role == "float":
            p["ccy"] = ccy
        p["sums"][role, ccy] = p["sums"].get((role, ccy), 0) + minor
    out = []
    for payout, p in found.items():
        if p["settled"] is None or tax_year(p["settled"].astimezone(KARACHI)) != year:
            continue
        take = lambda role, ccy: p["sums"].get((role, ccy), 0)
        withheld, pseb, channel, net = bank_said[payout]
        ccy = p["ccy"]
        bps = [b for s, b, since in sorted(estimates, key=lambda e: e[2]) if s == pseb and since <= p["settled"]][-1]
        p.update(payout=payout, month=p["settled"].astimezone(KARACHI).strftime("%Y-%m"), gross=take("float", ccy), fee=-take("fee", ccy),
                 converted=-take("position", ccy), mid_value=take("position", "PKR"), margin=-take("margin", "PKR"),
                 # what the bank has or had, and what it kept: its journals among themselves come to nil
                 net=-(take("payable", "PKR") + take("nostro", "PKR") + take("charge", "PKR")), withheld=withheld or 0,
                 estimate=net * bps // 10000 if channel == 1 else 0, full_net=net)
        cross = even(sheet()[ccy] / sheet()["USD"], 10)
        p["usd"] = even(D(p["gross"]).scaleb(-DIGITS[ccy]) * cross, 2)
        out.append(p)
    return out


def money(minor, ccy="PKR"):
    return "%.*f" % (DIGITS[ccy], D(minor).scaleb(-DIGITS[ccy]))


def expected_sum(payouts, ccy=None):
    total = lambda field: sum(p[field] for p in payouts)
    said = {"payouts": len(payouts), "came_back": sum(p["net"] < p["full_net"] for p in payouts),
            **{field: money(total(field)) for field in ("mid_value", "margin", "net")},
            "returned": money(sum(p["full_net"] - p["net"] for p in payouts)),
            "usd_equivalent": str(sum((p["usd"] for p in payouts), D("0.00"))),
            "tax_estimated": money(total("estimate")), "tax_withheld": money(total("withheld")),
            "tax_withheld_of_what_came_back": money(sum(p["withheld"] for p in payouts if p["net"] < p["full_net"]))}
    if ccy:
        said.update({field: money(total(field), ccy) for field in ("gross", "fee", "converted")})
    return said


@pytest.mark.parametrize("year", [2022, 2023, 2024])
def test_every_total_is_what_the_postings_come_to(world, each_life, estimates, year):
    for names in (each_life.names, each_life.names[:1], [each_life.others[1]]):
        payouts = [p for n in names for p in from_postings(world, estimates, n, year)]
        said = as_json(world, *names, year=year)
        assert (said["tax_year"], said["from"], said["until"], said["over"]) == (year, "%d-07-01" % (year - 1), "%d-06-30" % year, True)
        assert said["total"] == expected_sum(payouts)
        codes = {n.split("/")[1] for n in names}
        assert {p.pop("platform"): p for p in said["by_platform"]} == \
            {c: expected_sum([p for p in payouts if p["platform"] == c]) for c in codes}
        assert {c.pop("currency"): c for c in said["by_currency"]} == \
            {c: expected_sum([p for p in payouts if p["ccy"] == c], c) for c in {p["ccy"] for p in payouts}}
        months = ["%d-%02d" % (year - (m >= 7), m) for m in (7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6)]
        assert [m.pop("month") for m in said["by_month"]] == months
        assert said["by_month"] == [expected_sum([p for p in payouts if p["month"] == m]) for m in months]
        worth = sum((p["usd"] for p in payouts), D(0))
        assert said["exemption"]["outcome"] == ("REACHED" if worth >= 12_000 else "NOT_REACHED")
        for told in said["payouts"]:
            ours = next(p for p in payouts if "platforms/%s/payouts/%d" % (p["platform"], p["payout"]) == told["name"])
            assert told["stands"] == {**{f: money(ours[f], ours["ccy"]) for f in ("gross", "fee", "converted")},
                                      **{f: money(ours[f]) for f in ("mid_value", "margin", "net")}}
            assert told["settled_on"] == ours["settled"].astimezone(KARACHI).date().isoformat()
        assert len(said["payouts"]) == len(payouts)


def test_the_years_share_no_payout_and_leave_none_out(world, each_life):
    told = [p["name"] for year in (2022, 2023, 2024) for n in each_life.names + each_life.others for p in as_json(world, n, year=year)["payouts"]]
    settled = world.value("SELECT count(*) FROM payout_transition JOIN book USING (book_id) WHERE step = 1 AND state = 4 AND code = ANY (%s)",
                          [p.code for p in each_life.platforms])
    assert len(set(told)) == len(told) == settled


def test_midnight_in_karachi_divides_the_years(world, each_life):
    """Both ends: set_clock() has put a settlement in the last microsecond of a year and one in the first."""
    for platform in each_life.platforms:
        names = [n for n in each_life.names + each_life.others if n.split("/")[1] == platform.code]
        days = sorted(p["settled_on"] for n in names for year in (2022, 2023, 2024) for p in as_json(world, n, year=year)["payouts"])
        for first, last in (("2022-07-01", "2022-06-30"), ("2023-07-01", "2023-06-30")):
            assert first in days and last in days
        assert [p["settled_on"] for n in names for p in as_json(world, n, year=2023)["payouts"] if p["settled_on"] < "2022-07-01"] == []


def test_the_csv_has_a_row_a_payout_and_the_same_numbers(world, life):
    said = as_json(world, *life.names)
    done = statement(world, *life.names, "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    assert len(rows) == len(said["payouts"]) > 5
    for row, told in zip(rows, said["payouts"]):
        assert None not in row and None not in row.values()
        assert "platforms/%s/payouts/%s" % (row["platform"], row["payout"]) == told["name"]
        for column, field in (("gross", "gross"), ("fee", "fee"), ("converted", "converted"), ("mid_rate", "mid_rate"),
                              ("mid_value_pkr", "mid_value"), ("margin_pkr", "margin"), ("net_pkr", "net"), ("returned_pkr", "returned"),
                              ("usd_equivalent", "usd_equivalent"), ("state", "state"), ("settled_on", "settled_on"),
                              ("purpose_code", "purpose_code"), ("rate_date", "rate_date"), ("currency", "currency")):
            assert row[column] == told[field], column
        for column, field in (("tax_estimated_pkr", "tax_estimated"), ("tax_withheld_pkr", "tax_withheld"), ("eprc_number", "eprc_number"),
                              ("returned_on", "returned_on"), ("bank_reference", "bank_reference")):
            assert row[column] == (told[field] or ""), column
        for field in ("gross", "fee", "converted"):
            assert row[field + "_stands"] == told["stands"][field]
        for field in ("mid_value", "margin", "net"):
            assert row[field + "_stands_pkr"] == told["stands"][field]
    with open(ROOT / "docs" / "statement.md", encoding="utf-8") as page:
        documented = re.findall(r"^\| `(\w+)` \|", page.read().split("## The CSV file")[1].split("\n## ")[0], re.M)
    assert documented == list(rows[0])


def test_what_a_spreadsheet_would_run_is_text(world, estimates):
    platform, bank = world.platform(), world.bank()
    name = platform.register(bank).name
    platform.submit(name, 20_000)
    told, = bank.take(1)
    bank.confirm(bank.settled(told, reference="=HYPERLINK(1)", eprc='+1,"x"'))
    done = statement(world, name, "--csv", "-", year=this_year())
    text = done.stdout.decode()
    assert text.endswith(',"\'+1,""x""","\'=HYPERLINK(1)"\r\n') and b"not over yet" in done.stderr


# ---------------------------------------------------------------- whose, and which year
@pytest.fixture(scope="module")
def quiet(world):
    """A platform with a beneficiary to whom nothing was ever paid."""
    platform, bank = world.platform(), world.bank()
    return platform, bank, platform.register(bank, display_name=NAME).name


def test_a_year_without_a_payout_is_an_honest_empty_statement(world, quiet, work):
    platform, _, name = quiet
    said = as_json(world, name, year=this_year())
    assert said["payouts"] == [] and said["total"]["net"] == "0.00" and said["exemption"]["outcome"] == "NOT_REACHED"
    assert said["over"] is False and len(said["by_month"]) == 12 and said["beneficiaries"][0]["display_name"] == NAME
    done = statement(world, name, "--pdf", work / "empty.pdf", "--lang", "en", year=this_year())
    assert b"not over yet" in done.stderr
    text = run("pdftotext", "-layout", work / "empty.pdf", "-")
    assert "Nothing was paid in this year" in text and "Page 1 of 1" in text and "The year is not over yet" in text
    assert "Nothing was paid" in statement(world, name.split("/")[3], "--platform", platform.code, year=this_year()).stdout.decode()


def test_years_that_have_no_statement_are_refused_by_name(world, quiet):
    _, _, name = quiet
    now = this_year()
    assert "--tax-year: %d has not begun; it is %d" % (now + 1, now) in refused(world, name, year=now + 1)
    assert "--tax-year: 2019 was over before the ledger began" in refused(world, name, year=2019)
    for year in ("1999", "20x6", "2201", "-1", ""):
        assert "--tax-year" in refused(world, name, year=year, code=2)
    done = subprocess.run([BIN / "ujrat", "statement", name], stderr=subprocess.PIPE)
    assert done.returncode == 2 and b"--tax-year: which?" in done.stderr


def test_another_platforms_beneficiary_or_nobody_is_refused_by_name(world, quiet, life):
    platform, _, name = quiet
    theirs = life.names[0]
    assert "--platform: '%s' is a beneficiary of %s, not of %s" % (theirs, theirs.split("/")[1], platform.code) in \
        refused(world, theirs, "--platform", platform.code, code=2)
    assert "has no beneficiary 999" in refused(world, "platforms/%s/beneficiaries/999" % platform.code)
    assert "there is no platform 'nowhere'" in refused(world, "platforms/nowhere/beneficiaries/1")
    for broken in ("5", "platforms/x/payouts/5", "platforms//beneficiaries/5", name + "x", name + "/1", "platforms/%s/beneficiaries/0" % platform.code,
                   "", "platforms/" + "x" * 60 + "/beneficiaries/1", "platforms/x'; --/beneficiaries/-1"):
        assert "BENEFICIARY: '%s'" % broken in refused(world, broken, code=2)
    assert "named twice" in refused(world, name, name, code=2)


def test_several_are_one_person_or_refused(world, life):
    assert "another person" in refused(world, life.names[0], life.others[1])
    assert "--keys" in refused(world, *life.names, keys=False)
    people = as_json(world, *life.names)["beneficiaries"]
    assert [p["display_name"] for p in people] == [NAME] * 2
    assert life.person["cnic"] not in json.dumps(people) and people[0]["cnic"] == people[1]["cnic"] and people[0]["cnic"].endswith(
        life.person["cnic"][-2:])


def test_without_the_keys_the_auditor_sees_figures_and_no_name(world, life):
    with_name = as_json(world, life.names[0])
    without = as_json(world, life.names[0], keys=False, role="ujrat_auditor")
    assert without["beneficiaries"][0]["display_name"] is None and without["beneficiaries"][0]["cnic"] is None
    assert {**with_name, "beneficiaries": None} == {**without, "beneficiaries": None}
    assert "permission denied" in refused(world, life.names[0], role="ujrat_auditor")


def test_keys_that_do_not_open_the_person_are_refused(world, life, work):
    other = work / "other-pii.keys"
    run(BIN / "ujrat", "pii", "key", "new", other, "--quiet")
    assert "is not what was encrypted" in refused(world, life.names[0], "--keys", other, keys=False)
    assert "--keys" in refused(world, life.names[0], "--keys", work / "not-there.keys", keys=False)


def test_an_erased_person_has_figures_and_no_name(world, estimates, work):
    platform, bank = world.platform(), world.bank()
    name = platform.register(bank, display_name="Somebody Who Leaves").name
    platform.submit(name, 30_000)
    bank.confirm(bank.settled(bank.take(1)[0]))
    assert as_json(world, name, year=this_year())["beneficiaries"][0]["display_name"] == "Somebody Who Leaves"
    world.gateway.ujrat("pii", "erase", platform.code, name, "--reason", "asked to", "--quiet")
    said = as_json(world, name, year=this_year())
    assert said["beneficiaries"][0] == {**said["beneficiaries"][0], "display_name": None, "cnic": None, "erased": True}
    assert said["total"]["payouts"] == 1
    for lang, erased in (("en", "(erased)"), ("both", "(erased)")):
        statement(world, name, "--pdf", work / "erased.pdf", "--lang", lang, year=this_year())
        text = run("pdftotext", "-layout", work / "erased.pdf", "-")
        assert erased in text and "Somebody" not in text and "USD 300.00" in text
    assert "(erased)" in statement(world, name, year=this_year()).stdout.decode()
    other = platform.register(bank).name
    assert "was erased, and nobody can tell" in refused(world, other, name, year=this_year())


# ---------------------------------------------------------------- its pages
@pytest.mark.parametrize("lang", ["en", "ur", "both"])
def test_the_pages_say_it_in_their_languages_numbered_and_with_their_own_fonts(world, life, work, lang):
    page = work / ("year-%s.pdf" % lang)
    said = as_json(world, *life.names)
    statement(world, *life.names, "--pdf", page, "--lang", lang)
    assert page.stat().st_mode & 0o777 == 0o600
    info = run("pdfinfo", page)
    pages = int(re.search(r"Pages: +(\d+)", info).group(1))
    assert "A4" in info and pages >= 3
    text = run("pdftotext", "-layout", page, "-")
    sheets = text.split("\f")[:pages]
    for n, sheet_text in enumerate(sheets, 1):
        assert ("Page %d of %d" % (n, pages) in sheet_text) == (lang != "ur")
    assert ("Statement of foreign earnings" in text) == (lang != "ur") and ("not a tax certificate" in text.lower()) == (lang != "ur")
    for told in said["payouts"]:
        assert told["reference"] in text and told["settled_on"] in text and "{:,}".format(D(told["net"])) in text
        assert told["eprc_number"] is None or told["eprc_number"] in text
        assert told["returned"] == "0.00" or "− {:,}".format(D(told["returned"])) in text or lang == "ur"
    assert "PKR {:,}".format(D(said["total"]["net"])) in text and "USD {:,}".format(D(said["total"]["usd_equivalent"])) in text
    for row in said["by_currency"] + said["by_platform"] + said["by_month"]:
        assert "{:,}".format(D(row["mid_value"])) in text
    letters = re.sub(r"[\s\u200c-\u200f\u202a-\u202e\u2066-\u2069]", "", text)
    assert lang == "en" or set("گوشوارہ" "ٹیکسسال" "صفحہ" if lang == "ur" else "گوشوارہ" "ٹیکسسال") <= set(letters)
    fonts = [line.split() for line in run("pdffonts", page).splitlines()[2:]]
    assert fonts and all(line[-5] == "yes" for line in fonts), fonts  # emb
    assert any("NotoSans" in line[0] for line in fonts)


@pytest.mark.parametrize("lang", ["en", "ur", "both"])
def test_long_references_and_numbers_are_never_cut_and_pages_turn(world, long_names, work, lang):
    name, payouts = long_names
    page = work / ("long-%s.pdf" % lang)
    statement(world, name, "--pdf", page, "--lang", lang, year=this_year())
    pages = int(re.search(r"Pages: +(\d+)", run("pdfinfo", page)).group(1))
    assert pages >= 4
    together = re.sub(r"\s", "", run("pdftotext", "-raw", page, "-"))
    for reference, eprc in payouts:
        assert reference in together and eprc in together


@pytest.fixture(scope="module")
def long_names(world, estimates):
    platform, bank = world.platform(), world.bank()
    name = platform.register(bank).name
    references = ["%02d-INVOICE-OF-THE-MONTH-OF-SEPTEMBER-FOR-A-LARGE-PROJECT-%s" % (i, "W" * 5) for i in range(45)]
    platform.batch([platform.request(name, 2_000 + i, reference=r) for i, r in enumerate(references)])
    told = bank.take(45)
    eprcs = ["EPRC-2026-MUCB-0000000-WWWWWWWWW-%02d" % i for i in range(45)]
    by_net = {n: r for r, n in world.rows("SELECT reference, net FROM payout JOIN book USING (book_id) WHERE code = %s", platform.code)}
    assert max(len(t) for t in references) <= 63 and {len(t) for t in eprcs} == {35} and len(by_net) == 45
    bank.confirm(*[bank.settled(i, eprc=e) for i, e in zip(told, eprcs)])
    return name, [(by_net[i.amount.minor_units], e) for i, e in zip(told, eprcs)]


def test_the_same_ledger_makes_the_same_bytes(world, life):
    for arguments in (("--pdf", "-"), ("--pdf", "-", "--lang", "ur"), ("--csv", "-"), ("--json",), ()):
        first, second = (statement(world, *life.names, *arguments).stdout for _ in range(2))
        assert first == second and first
        # in whichever order they are named, but for what is said of each
        if arguments == ("--csv", "-"):
            assert statement(world, *reversed(life.names), *arguments).stdout == first


def test_only_one_thing_goes_to_standard_output_and_a_file_that_cannot_be_written_is_told(world, life, work):
    for both in (("--json", "--csv", "-"), ("--pdf", "-", "--csv", "-")):
        assert "--pdf, --csv, --json" in refused(world, life.names[0], *both, code=2)
    assert "--lang: en, ur or both" in refused(world, life.names[0], "--lang", "fr", code=2)
    assert "no-such-folder" in refused(world, life.names[0], "--pdf", work / "no-such-folder" / "x.pdf")
