"""Every payout says which version of the policy priced it, and is priced by that one: while versions come and go, without a restart,
over retries and quotes; and an auditor finds one that is not."""
import io
import json
import subprocess
import threading

import grpc
import pytest

import log_verifier
from harness import BIN, Database, unique, wait_until
from world import Platform, assert_priced, price

S = grpc.StatusCode
USD = 840
RULES = {"margin_bps": "margin_bps", "fee_fixed": "fee_fixed", "fee_bps": "fee_bps", "fee_min": "fee_min", "fee_max": "fee_max",
         "payout_max": "gross_max"}


def terms_of(world, version, code):
    """What a platform pays in dollars by a version."""
    rows = world.rows("SELECT k.name, r.value FROM policy p CROSS JOIN LATERAL rules_in_force(p.effective_at) r JOIN policy_kind k USING (kind)"
                      " WHERE p.policy_id = %s AND r.scope = %s AND r.ccy = %s", version, code, USD)
    return {RULES[name]: value for name, value in rows}


def newest(world):
    return world.value("SELECT policy_at(clock_timestamp())")


def assert_each_is_its_versions(world, code):
    """Recomputes every payout of a platform from the rules of its version alone. Which versions there are."""
    rows = world.rows("SELECT p.policy_id, p.gross, p.fee, p.margin_bps, p.margin, p.net, k.committed_at >= v.effective_at FROM payout p"
                      " JOIN book b USING (book_id) JOIN journal j ON j.book_id = p.book_id AND j.seq = p.payout_id"
                      " JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no JOIN policy v ON v.policy_id = p.policy_id"
                      " WHERE b.code = %s ORDER BY p.payout_id", code)
    assert len(rows) == world.value("SELECT count(*) FROM payout JOIN book USING (book_id) WHERE code = %s", code)
    terms = {version: terms_of(world, version, code) for version in {row[0] for row in rows}}
    for version, gross, fee, bps, margin, net, begun in rows:
        due = price(gross, tariff=terms[version])
        assert (fee, bps, margin, net) == (due.fee, due.margin_bps, due.margin, due.net) and begun, (version, gross)
    return [row[0] for row in rows]


def audit(database):
    done = subprocess.run([str(BIN / "ujrat-audit"), "verify", "--json", "--db", database.uri("ujrat_auditor")], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    return done.returncode, json.loads(done.stdout)


def test_versions_change_while_payouts_flow(new_world, work):
    world = new_world(seal=True, workers=2, registry_refresh="200ms")
    platform, bank = world.platform(USD=900_000_00), world.bank()
    to = platform.register(bank).name
    stop, seen, broken = threading.Event(), [], []

    def flow():
        n = 0
        try:
            while not stop.is_set():
                n += 1
                if n % 7 == 0:
                    platform.batch([platform.request(to, gross=2_000 + i) for i in range(30)])
                seen.append(platform.submit(to, gross=1_000 + n % 977).pricing.policy_version)
        except Exception as e:      # noqa: BLE001: whatever it is, the test says so
            broken.append(e)

    threads = [threading.Thread(target=flow) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for margin, fee in ((10, 1), (9_000, 700), (0, 0), (333, 60)):
            version = world.change_terms(platform.code, "USD", margin_bps=margin, fee_fixed=fee)
            wait_until(lambda: broken or seen.count(version) > 20, 20, "payouts by version %d" % version)
        soon = world.value("SELECT clock_timestamp() + interval '2 seconds'")
        version = world.change_policy([("margin_bps", platform.code, USD, 77)], at=soon)
        wait_until(lambda: broken or seen.count(version) > 20, 20, "payouts by the version that was to come")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not broken, broken
    versions = assert_each_is_its_versions(world, platform.code)
    assert set(versions) >= set(seen) and len(set(versions)) >= 6 and version == newest(world)
    world.gateway.wait_sealed()
    code, said = audit(world.database)
    assert code == 0 and said["findings"] == [], said
    out = work / "policy_used.log"
    subprocess.run([str(BIN / "ujrat-audit"), "export", "--format", "log", "--out", str(out), "--db", world.database.uri("ujrat_auditor")], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    assert [b.code for b in log_verifier.verify(io.BytesIO(out.read_bytes()))]


def test_the_next_version_is_read_when_it_begins(new_world):
    """By a gateway that would read again in an hour only."""
    world = new_world()
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    before = newest(world)
    version = world.change_policy([("margin_bps", platform.code, USD, 1)], at=world.value("SELECT clock_timestamp() + interval '8 seconds'"))
    world.gateway.stop()
    world.gateway.write_config(registry_refresh="1h")
    world.gateway.start()
    platform = Platform(world, platform.code)       # with a channel of its own, to the new one
    first = platform.submit(to).pricing.policy_version
    assert first == before or newest(world) == version      # a slow machine may be late
    wait_until(lambda: platform.submit(to).pricing.policy_version == version, 30, "the version that begins")
    assert_each_is_its_versions(world, platform.code)


def test_a_quote_keeps_its_version_and_a_retry_its_first_answer(new_world, api):
    world = new_world()
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    old = newest(world)
    quote = platform.quote(70_001)
    request = platform.request(to, gross=70_001, reference="first-1")
    first = platform.payouts.SubmitPayout(request, timeout=20)
    assert first.pricing.policy_version == quote.pricing.policy_version == old
    new = world.change_terms(platform.code, "USD", margin_bps=300, gross_max=80_000)
    wait_until(lambda: platform.submit(to, 70_001).pricing.policy_version == new, 10, "the new version")
    assert platform.payouts.SubmitPayout(request, timeout=20) == first
    payout = platform.submit(to, 70_001, quote=quote.name)
    assert payout.pricing == quote.pricing and platform.get(payout.name).pricing.policy_version == old
    assert_priced(payout.pricing, price(70_001))
    again = platform.payouts.CreateQuote(api.payout.CreateQuoteRequest(gross=platform.money(70_002), request_id="q-2"), timeout=20)
    assert again.pricing.policy_version == new
    assert world.rows("SELECT policy_id, policy_id FROM payout WHERE quote_id IS NOT NULL") == [(old, old)]
    assert world.rows("SELECT policy_id FROM quote ORDER BY quote_id") == [(old,), (new,)]
    assert world.refused(platform.payouts.SubmitPayout, platform.request(to, gross=80_001)).reason == "AMOUNT_OVER_LIMIT"


def test_purpose_codes_are_the_policys(new_world, api):
    world = new_world()
    platform, bank = world.platform(), world.bank()
    details = platform.details(bank)                # by 9186, the channel's usual one
    carried = platform.request(details, reference="carried-1")
    registered = api.payout.RegisterBeneficiaryRequest(request_id="b-1", details=details)
    first = platform.payouts.SubmitPayout(carried, timeout=20), platform.beneficiaries.RegisterBeneficiary(registered, timeout=20)
    world.change_policy([("purpose_code", "HOME_REMITTANCE/9471", 0, 1)])
    unlike = lambda **changes: platform.request(platform.details(bank, **changes))
    wait_until(lambda: refused(world, platform, unlike(channel=2, purpose_code="9472")), 10, "purpose codes for home remittances")
    assert platform.payouts.SubmitPayout(unlike(channel=2, purpose_code="9471"), timeout=20)
    assert platform.payouts.SubmitPayout(unlike(channel=1, purpose_code="9999"), timeout=20)       # that channel has none: any will do
    world.change_policy([("purpose_code", "EXPORT_OF_SERVICES/9183", 0, 1)])
    wait_until(lambda: refused(world, platform, unlike(channel=1)), 10, "purpose codes for exports")
    no = world.refused(platform.payouts.SubmitPayout, unlike(channel=1))
    assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "PURPOSE_CODE_UNKNOWN", ["beneficiary_details.purpose_code"])
    no = world.refused(platform.beneficiaries.RegisterBeneficiary, api.payout.RegisterBeneficiaryRequest(request_id="b-2", details=platform.details(bank)))
    assert (no.code, no.reason, no.fields) == (S.INVALID_ARGUMENT, "PURPOSE_CODE_UNKNOWN", ["details.purpose_code"])
    assert (platform.payouts.SubmitPayout(carried, timeout=20), platform.beneficiaries.RegisterBeneficiary(registered, timeout=20)) == first
    assert platform.beneficiaries.RegisterBeneficiary(api.payout.RegisterBeneficiaryRequest(
        request_id="b-3", details=platform.details(bank, purpose_code="9183")), timeout=20)
    assert platform.submit(first[1].name)               # who is registered goes on to be paid


def refused(world, platform, request):
    """Or it is paid: the policy is not known yet."""
    try:
        platform.payouts.SubmitPayout(request, timeout=20)
    except grpc.RpcError:
        return True
    return False


def test_the_age_of_rates_is_the_policys_too(new_world):
    world = new_world()
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    request = platform.request(to, reference="before-1")
    first = platform.payouts.SubmitPayout(request, timeout=20)
    world.change_policy([("rate_age_max", "", 0, 1)])
    wait_until(lambda: refused(world, platform, platform.request(to)), 10, "the age of rates")
    no = world.refused(platform.payouts.SubmitPayout, platform.request(to))
    assert (no.code, no.reason) == (S.FAILED_PRECONDITION, "RATE_STALE")
    assert platform.payouts.SubmitPayout(request, timeout=20) == first
    world.change_policy([("rate_age_max", "", 0, None)])
    wait_until(lambda: not refused(world, platform, platform.request(to)), 10, "rates of any age")


# ---------------------------------------------------------------- what was changed behind everybody's back
@pytest.fixture(scope="module")
def sealed(new_world):
    """The name of a database at rest."""
    world = new_world(seal=True)
    platform, bank = world.platform(), world.bank()
    to = platform.register(bank).name
    platform.submit(to, quote=platform.quote(10_000).name)
    version = world.change_terms(platform.code, "USD", margin_bps=1, fee_fixed=2)
    wait_until(lambda: platform.submit(to).pricing.policy_version == version, 10, "the new version")
    world.gateway.wait_sealed()
    code, said = audit(world.database)
    assert code == 0 and said["findings"] == []
    world.gateway.stop()
    world.close()
    return world.database


@pytest.mark.parametrize("change, fields", [
    ("UPDATE policy_decision SET decided_by = p.proposed_by FROM policy_proposal p WHERE p.proposal_id = policy_decision.proposal_id", {"approved_by"}),
    ("UPDATE policy_decision SET decided_at = decided_at + interval '1 hour'", {"effective_at"}),
    ("UPDATE policy_change SET value = value + 1 WHERE kind = 1", {"margin_bps"}),
    ("UPDATE policy_change SET value = 1 WHERE kind = 6", {"gross"}),
    ("INSERT INTO policy_change SELECT max(proposal_id), 7, '', 0, 5 FROM policy_proposal", {"journal record"}),
    ("UPDATE policy_proposal SET reason = 'another'", {"journal record"}),
    ("UPDATE policy SET effective_at = effective_at + interval '1 day' WHERE policy_id = (SELECT max(policy_id) FROM policy)", {"policy"}),
    ("UPDATE payout SET policy_id = 1 WHERE policy_id <> 1", {"fee", "margin_bps"}),
    ("UPDATE payout SET policy_id = 999 WHERE quote_id IS NULL", {"policy"}),
    ("UPDATE payout SET policy_id = NULL WHERE quote_id IS NULL", {"journal record"}),      # it may be from before
    ("UPDATE quote SET policy_id = NULL", {"quote: policy"}),
])
def test_what_was_changed_is_found(sealed, cluster, change, fields):
    copy = Database(cluster, unique("policy_copy"))
    table = change.split()[2 if change.startswith("INSERT") else 1]
    with Database(cluster, "postgres").connect(autocommit=True) as server:
        server.execute('CREATE DATABASE "%s" TEMPLATE "%s"' % (copy.name, sealed.name))
    with copy.connect(options="-c search_path=ujrat") as db:
        db.execute("ALTER TABLE %s DISABLE TRIGGER ALL" % table)
        assert db.execute(change).rowcount > 0
        db.execute("ALTER TABLE %s ENABLE TRIGGER ALL" % table)
        db.commit()
    code, said = audit(copy)
    assert code == 1 and said["findings"][0]["field"] in fields, said["findings"]
