"""ujrat policy: rules proposed from a file, looked at, tried on payouts that were made, and made by two people."""
import datetime
import hashlib
import json

import pytest

from harness import ROOT, new_database
from test_cli_database import Ujrat
from world import TARIFFS, price

SAMPLE = ROOT / "deploy" / "policy" / "proposal.json"
PKT = datetime.timezone(datetime.timedelta(hours=5))


class WithCodes(Ujrat):
    """Whoever proposes or decides shows a code."""

    def __call__(self, *words, **options):
        return super().__call__(*words, code=words[:2] in (("policy", "propose"), ("policy", "approve"), ("policy", "refuse"))
                                or words[:2] == ("tax", "estimate") and len(words) > 3, **options)


@pytest.fixture
def ujrat(database):
    it = WithCodes(database)
    it.done("platform", "add", "upwork", "--currency", "USD", "--margin-bps", "50", "--gross-max", "25000", "--quiet")
    return it


@pytest.fixture(scope="module")
def shared(cluster):
    """For what is refused: nothing changes in it."""
    it = WithCodes(new_database(cluster))
    it.done("platform", "add", "upwork", "--currency", "USD", "--margin-bps", "50", "--gross-max", "25000", "--quiet")
    return it


@pytest.fixture
def propose(tmp_path):
    """propose(ujrat, changes, **members): the code, output and complaints."""
    def propose(ujrat, changes, *options, **members):
        file = tmp_path / "proposal.json"
        said = {"effective_at": "on approval", "reason": "because", "source": "a circular", "changes": changes, **members}
        file.write_text(json.dumps({k: v for k, v in said.items() if v is not None}))
        return ujrat("policy", "propose", file, *options)
    return propose


def margin(value=75, **more):
    return {"rule": "margin_bps", "platform": "upwork", "currency": "USD", "value": value, **more}


def tables(database):
    return [database.value("SELECT count(*) FROM ujrat." + t) for t in ("policy_proposal", "policy_change", "policy_decision", "policy")]


# ---------------------------------------------------------------- two people
def test_the_sample_goes_from_a_file_to_rules_in_force(ujrat, database):
    out = ujrat.done("policy", "propose", SAMPLE)
    assert "Proposal 2, in force from 2027-01-01T00:00:00+05:00: upwork's prices" in out and "ujrat policy approve 2" in out
    table = {tuple(line.split()[:3]): line for line in out.splitlines()}
    assert "0.50%" in table["margin_bps", "upwork", "USD"] and "0.75%" in table["margin_bps", "upwork", "USD"]
    assert "USD 25,000.00" in table["payout_max", "upwork", "USD"] and "USD 20,000.00" in table["payout_max", "upwork", "USD"]
    assert any(line.startswith("rate_age_max") and "none" in line and "36 h" in line for line in out.splitlines())
    assert "Was proposed already: proposal 2" in ujrat.done("policy", "propose", SAMPLE)
    waiting, = json.loads(ujrat.done("policy", "list", "--json"))
    assert (waiting["proposal"], waiting["state"], waiting["changes"], waiting["proposed_by"]) == (2, "PROPOSED", 7, "ujrat://operator/ujrat-operator")

    code, _, err = ujrat("policy", "approve", 2)
    assert code == 1 and "a second person must" in err and "ROLE_FORBIDDEN" in err
    out = ujrat.done("policy", "approve", 2, "--note", "read", role="postgres")
    assert out == "Proposal 2 is approved: policy 2, in force from 2027-01-01T00:00:00+05:00\n"
    assert ujrat.done("policy", "approve", 2, role="postgres").endswith("(as before)\n")
    assert ujrat.done("policy", "list", "--json") == "[]\n"

    now = {(r["rule"], r["of"], r["currency"]): r for r in json.loads(ujrat.done("policy", "show", "--json"))}
    then = {(r["rule"], r["of"], r["currency"]): r for r in json.loads(ujrat.done("policy", "show", "--json", "--at", "2027-01-01T00:00:00+05:00"))}
    assert len(now) == 6 and len(then) == 11
    assert now["margin_bps", "upwork", "USD"]["value"] == "50" and then["margin_bps", "upwork", "USD"]["value"] == "75"
    assert then["payout_max", "upwork", "USD"]["value"] == "20000.00" and then["payout_max", "upwork", "USD"]["policy"] == 2
    assert then["fee_max", "upwork", "USD"]["policy"] == 1 and then["purpose_code", "HOME_REMITTANCE/9471", None]["value"] == "1"
    shown = ujrat.done("policy", "show", "--at", "2027-01-01T00:00:00+05:00")
    assert "in force" in shown and "0.25%" in shown and "36 h" in shown
    assert len(json.loads(ujrat.done("policy", "show", "--json", "--at", "2027-01-01T00:00:00+05:00", "--platform", "upwork"))) == 6

    first, second = json.loads(ujrat.done("policy", "history", "--json"))
    assert (first["reason"], first["approved_by"]) == ("first terms of upwork in USD", first["proposed_by"])
    assert (second["policy"], second["approved_by"], second["note"]) == (2, "ujrat://operator/postgres", "read")
    changes = json.loads(ujrat.done("policy", "history", "--rule", "margin_bps", "--json"))
    assert [(c["policy"], c["of"], c["value"]) for c in changes] == [(1, "upwork", "50"), (2, "upwork", "75")]


def test_a_proposal_that_is_taken_back_changes_nothing(ujrat, propose, database):
    assert propose(ujrat, [margin()])[0] == 0
    assert ujrat.done("policy", "refuse", 2) == "Proposal 2 is refused\n"
    code, _, err = ujrat("policy", "approve", 2, role="postgres")
    assert code == 1 and "proposal 2 was refused" in err
    assert database.value("SELECT count(*) FROM ujrat.policy") == 1
    code, out, _ = propose(ujrat, [margin()])
    assert code == 0 and "It was refused." in out
    assert propose(ujrat, [margin()], "--request-id", "again")[0] == 0
    assert "REFUSED" in ujrat.done("policy", "list", "--all") and "PROPOSED" in ujrat.done("policy", "list", "--all")


def test_a_diff_stays_what_it_was_when_it_is_in_force(ujrat, propose):
    assert propose(ujrat, [margin(), {"rule": "rate_age_max", "value": 60}])[0] == 0
    before = json.loads(ujrat.done("policy", "diff", 2, "--json"))
    assert before == [{"rule": "margin_bps", "of": "upwork", "currency": "USD", "before": "50", "after": "75"},
                      {"rule": "rate_age_max", "of": None, "currency": None, "before": None, "after": "60"}]
    ujrat.done("policy", "approve", 2, role="postgres")
    assert propose(ujrat, [margin(80), {"rule": "rate_age_max", "remove": True}])[0] == 0
    ujrat.done("policy", "approve", 3, role="postgres")
    assert json.loads(ujrat.done("policy", "diff", 2, "--json")) == before
    after = json.loads(ujrat.done("policy", "diff", 3, "--json"))
    assert [(r["before"], r["after"]) for r in after] == [("75", "80"), ("60", None)]
    code, _, err = ujrat("policy", "diff", 4)
    assert code == 1 and "there is no proposal 4" in err


def test_a_copy_of_the_source_is_known_by_its_hash(ujrat, propose, tmp_path, database):
    (tmp_path / "circular.pdf").write_bytes(b"the circular")
    assert propose(ujrat, [margin()], source_file="circular.pdf")[0] == 0
    assert hashlib.sha256(b"the circular").hexdigest() in ujrat.done("policy", "diff", 2)
    before = tables(database)
    code, _, err = propose(ujrat, [margin(80)], source_file="missing.pdf")
    assert code == 1 and "missing.pdf" in err and tables(database) == before


# ---------------------------------------------------------------- the file
@pytest.mark.parametrize("changes, members, says", [
    ([margin("75")], {}, "changes[0].value: a whole number"),
    ([margin(75.0)], {}, "changes[0].value: a whole number"),
    ([margin(10_000)], {}, "changes[0].value: margin_bps is from 0 to 9999"),
    ([margin(-1)], {}, "changes[0].value: margin_bps is from 0 to 9999"),
    ([margin(unit="bps")], {}, "changes[0].unit: there is no member"),
    ([margin(), {"rule": "payout_max", "platform": "upwork", "currency": "USD", "value": 25000}], {}, "changes[1].value: an amount is a text"),
    ([{"rule": "payout_max", "platform": "upwork", "currency": "USD", "value": "25000.001"}], {}, "changes[0].value: it is no amount of USD"),
    ([{"rule": "payout_max", "platform": "upwork", "currency": "USD", "value": "0"}], {}, "changes[0].value: payout_max is above zero"),
    ([{"rule": "margin", "value": 1}], {}, "changes[0].rule: there is no rule 'margin'"),
    ([{"value": 1}], {}, "changes[0].rule: it is missing"),
    ([margin(currency="XXQ")], {}, "changes[0].currency: 'XXQ' is no"),
    ([margin(platform="Up\"work")], {}, "changes[0].platform: "),
    ([margin(), margin(80)], {}, "changes[1].rule: changes[0] changes the same rule"),
    ([margin(remove=True)], {}, "changes[0].value: a rule that is removed has no value"),
    ([{"rule": "rate_age_max", "remove": False}], {}, "changes[0].remove: it is true, or left out"),
    ([{"rule": "rate_age_max", "currency": "USD", "value": 60}], {}, "changes[0].currency: rate_age_max is in no currency"),
    ([{"rule": "withholding_bps", "registration": "psb", "value": 1}], {}, "changes[0].registration: "),
    ([{"rule": "purpose_code", "channel": "HAWALA", "code": "9471"}], {}, "changes[0].channel: "),
    ([{"rule": "purpose_code", "channel": "HOME_REMITTANCE", "code": "947"}], {}, "changes[0].code: "),
    ([{"rule": "purpose_code", "channel": "HOME_REMITTANCE", "code": 9471}], {}, "changes[0].code: a text in quotes"),
    (["margin_bps"], {}, "changes[0]: a change is an object"),
    ([], {}, "changes: there are 1 to 1000"),
    ({}, {}, "changes: a list"),
    ([margin()], {"effective_at": "2027-01-01"}, "effective_at: a time with its offset"),
    ([margin()], {"effective_at": None}, "effective_at: it is missing"),
    ([margin()], {"reason": ""}, "reason: it is empty"),
    ([margin()], {"reason": "a\nb"}, "reason: there is a control character"),
    ([margin()], {"source": "x" * 501}, "source: it has more than 500"),
    ([margin()], {"author": "me"}, "author: there is no member 'author'"),
])
def test_a_file_that_is_not_right_is_refused_with_where_and_why(shared, propose, changes, members, says):
    before = tables(shared.database)
    code, _, err = propose(shared, changes, **members)
    assert code == 1 and says in err, err
    assert tables(shared.database) == before


@pytest.mark.parametrize("text, says", [("", "line 1"), ("[]", "not an object"), ('{"reason": "a", "reason": "b"}', "duplicate object key"),
                                        ('{"changes": [' + " " * (256 << 10) + "]}", "no file of at most 256 KiB"), ("{} x", "end of file expected")],
                         ids=("empty", "list", "twice", "large", "more"))
def test_a_file_that_is_no_json_of_ours_is_refused(shared, tmp_path, text, says):
    (tmp_path / "p.json").write_text(text)
    before = tables(shared.database)
    code, _, err = shared("policy", "propose", tmp_path / "p.json")
    assert code == 1 and says in err and tables(shared.database) == before


@pytest.mark.parametrize("changes, at, says", [
    ([margin(50)], None, "margin_bps of upwork in USD changes nothing: it is 50 already"),
    ([margin(platform="nobody")], None, "there is no platform 'nobody'"),
    ([margin()], "2020-01-01T00:00:00Z", "is not after now: no rule changes in the past"),
    ([margin(currency="EUR")], None, "the terms of upwork in EUR lack fee_fixed"),
    ([{"rule": "fee_max", "platform": "upwork", "currency": "USD", "value": "0.10"},
      {"rule": "fee_min", "platform": "upwork", "currency": "USD", "value": "0.20"}], None, "fee_max of upwork in USD (10) is below fee_min (20)"),
])
def test_what_does_not_fit_is_refused_by_the_ledger(shared, propose, changes, at, says):
    before = tables(shared.database)
    code, _, err = propose(shared, changes, effective_at=at or "on approval")
    assert code == 1 and says in err and tables(shared.database) == before, err


def test_tax_estimate_proposes_a_rule(ujrat, database):
    out = ujrat.done("tax", "estimate", "pseb", 25, "--source", "ITO 2001 s.154A")
    assert "ujrat policy approve 2" in out
    assert "Was proposed already: proposal 2" in ujrat.done("tax", "estimate", "pseb", 25, "--source", "ITO 2001 s.154A")
    assert json.loads(ujrat.done("tax", "estimate", "--json")) == []
    ujrat.done("policy", "approve", 2, role="postgres")
    row, = json.loads(ujrat.done("tax", "estimate", "--json"))
    assert (row["who"], row["bps"], row["source"], row["policy"]) == ("pseb", 25, "ITO 2001 s.154A", 2)
    code, _, err = ujrat("tax", "estimate", "others", 10_001, "--source", "x")
    assert code == 1 and "10001 is not from 0 to 10000" in err


# ---------------------------------------------------------------- simulate
def test_a_simulation_prices_the_payouts_that_were_made_as_the_rules_would(world, propose):
    """Beside the schoolbook arithmetic of world.py, payout by payout; two currencies, a platform that is not meant, and nothing is written."""
    ujrat = WithCodes(world.database)
    platform, other, bank = world.platform(USD=10_000_000, EUR=10_000_000), world.platform(), world.bank()
    to = platform.register(bank).name
    amounts = {"USD": [5_000, 70_001, 123_456, 1_500_000, 90_000], "EUR": [8_000, 250_000]}
    made = [(ccy, gross, platform.submit(to, gross, ccy=ccy)) for ccy in amounts for gross in amounts[ccy]]
    other.submit(other.register(bank).name, 5_000)
    new = {"USD": dict(TARIFFS["USD"], margin_bps=75, fee_max=3000, gross_max=1_000_000), "EUR": dict(TARIFFS["EUR"], margin_bps=300)}
    change = lambda rule, ccy, value: {"rule": rule, "platform": platform.code, "currency": ccy, "value": value}
    code, _, err = propose(ujrat, [change("margin_bps", "USD", 75), change("fee_max", "USD", "30.00"), change("payout_max", "USD", "10000.00"),
                                   change("margin_bps", "EUR", 300)], "--quiet")
    assert code == 0, err
    proposal = world.value("SELECT max(proposal_id) FROM policy_proposal")
    with world.nothing_changes():
        said = json.loads(ujrat.done("policy", "simulate", proposal, "--json", role="ujrat_auditor"))
        table = ujrat.done("policy", "simulate", proposal, role="ujrat_auditor")
    assert said["payouts"] == len(made) and [g["currency"] for g in said["groups"]] == ["USD", "EUR"]
    differences = []
    for group in said["groups"]:
        ccy = group["currency"]
        pairs = [(price(g, ccy), price(g, ccy, tariff=new[ccy]), p) for c, g, p in made if c == ccy]
        assert all(p.pricing.net.minor_units == was.net for was, _, p in pairs)
        paid = [(was, then, p) for was, then, p in pairs if was.gross <= new[ccy]["gross_max"]]
        assert group["refused"] == len(pairs) - len(paid) == (1 if ccy == "USD" else 0) and group["payouts"] == len(pairs)
        for what, decimals in (("net", 2), ("fee", 2), ("margin", 2)):
            for k, which in ((0, "before"), (1, "after")):
                assert group[what][which] == "%.2f" % (sum(getattr(x[k], what) for x in paid) / 100), (what, which)
        gained = [then.net - was.net for was, then, _ in paid]
        assert (group["more"], group["less"], group["same"]) == (sum(d > 0 for d in gained), sum(d < 0 for d in gained), 0)
        differences += gained
    assert sum(s["payouts"] for s in said["steps"]) == len(differences)
    largest = sorted(differences, key=abs, reverse=True)[:5]
    assert [c["change"] for c in said["largest"]] == ["%.2f" % (d / 100) for d in largest]
    assert "###" in table and "The largest changes" in table and "PKR" in table
    assert json.loads(ujrat.done("policy", "simulate", proposal, "--json", "--since", "2999-01-01T00:00:00Z"))["payouts"] == 0


def test_a_simulation_of_what_is_no_price_has_nothing_to_show(ujrat, propose):
    assert propose(ujrat, [{"rule": "rate_age_max", "value": 60}])[0] == 0
    assert "nothing to simulate" in ujrat.done("policy", "simulate", 2)
    assert ujrat("policy", "simulate", 2, "--since", "yesterday")[0] == 2
    code, _, err = ujrat("policy", "simulate", 9)
    assert code == 1 and "there is no proposal 9" in err
