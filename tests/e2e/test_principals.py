"""Who may do what: each method by each role, each party against another's things, and certificates of every wrong kind."""
import copy
import socket
import ssl
import subprocess
import time
import types

import grpc
import pytest

from harness import ROOT, Pki, reason, unique, wait_until
from world import SECONDS, Party, number, price, refusal

S = grpc.StatusCode


@pytest.fixture(scope="module")
def parties(world):
    """Two of each kind, and things that belong to each."""
    p = types.SimpleNamespace(world=world, a=world.platform(), b=world.platform(), bank=world.bank(), other=world.bank(),
                              auditor=world.auditor, operator=Party(world, "operator"))
    p.b_who = p.b.register(p.bank).name
    p.b_quote = p.b.quote(5_000).name
    p.b_payout = p.b.submit(p.b_who, 5_000, reference="of-b").name
    p.b_kept = p.b.submit(p.b_who, 6_000, reference="kept-by-b").name
    p.told, _ = p.bank.take(2)
    # the other bank was told of a later one of the same book: how far it was told must not decide alone
    p.b.submit(p.b.details(p.other), 7_000)
    p.other.take(1)
    return p


# ---------------------------------------------------------------- the matrix
ROLES = ("platform", "bank", "auditor", "operator")
SERVICES = {"ujrat/payout/v1/payout.proto": {"PayoutService": {"platform"}, "BeneficiaryService": {"platform"}},
            "ujrat/settlement/v1/settlement.proto": {"SettlementService": {"bank"}},
            "ujrat/audit/v1/audit.proto": {"AuditService": {"auditor"}}}
# a platform may ask for proofs of its own book
ALSO = {"GetTreeHead": {"platform"}, "GetInclusionProof": {"platform"}, "GetConsistencyProof": {"platform"}, "GetReceipt": {"platform"}}


def methods():
    """(area, service, method, who may) of every method in the contract, by its text: none can be forgotten."""
    for proto, services in SERVICES.items():
        service = None
        for line in (ROOT / "proto" / proto).read_text().splitlines():
            words = line.split()
            if words[:1] == ["service"]:
                service = words[1]
            elif words[:1] == ["rpc"]:
                method = words[1].split("(")[0]
                yield proto.split("/")[1], service, method, services[service] | ALSO.get(method, set())


MATRIX = [(area, service, method, role, role in may) for area, service, method, may in methods() for role in ROLES]


def test_the_matrix_is_whole():
    assert len(MATRIX) == 4 * (9 + 7 + 10 + 8)


@pytest.mark.parametrize("area,service,method,role,may", MATRIX, ids=["%s-%s" % (m[2], m[3]) for m in MATRIX])
def test_each_role_may_call_its_own_methods_only(parties, area, service, method, role, may):
    party = {"platform": parties.a, "bank": parties.other, "auditor": parties.auditor, "operator": parties.operator}[role]
    path = "/ujrat.%s.v1.%s/%s" % (area, service, method)
    streams = method.startswith("Watch")
    kind = party.channel.unary_stream if streams else party.channel.unary_unary

    def call(message):
        """The reason of its refusal; None if it was answered."""
        try:
            answer = kind(path)(message, timeout=SECONDS)
            if streams:
                answer.initial_metadata()  # it has begun, or it is refused
                time.sleep(0.05)
                if answer.is_active():
                    answer.cancel()
                    return None
                next(answer)
            return None
        except grpc.RpcError as error:
            assert (error.code() == S.PERMISSION_DENIED) == (not may), (error.code(), error.details())
            return reason(error, parties.world.api)

    with parties.world.nothing_changes():
        if may:
            assert call(b"") != "ROLE_FORBIDDEN"
        else:
            # before the message is looked at: what is in it makes no difference
            assert call(b"") == call(b"\xff\xff not protobuf") == "ROLE_FORBIDDEN"


# ---------------------------------------------------------------- another's things
def same(answers):
    """One answer, to the last byte: nothing is told about what exists."""
    assert len({(no.code, no.reason, no.message, tuple(no.fields),
                 tuple(sorted((k, v.SerializeToString()) for k, v in no.details.items()))) for no in answers}) == 1
    return answers[0]


def test_a_platform_cannot_touch_anothers_things_nor_learn_that_they_exist(parties):
    p, api = parties, parties.world.api
    a, message = p.a, api.payout
    nowhere = "platforms/%s/%s/987654" % (p.b.code, "%s")

    def of(collection, name):
        return (name, nowhere % collection, "platforms/no-such-platform/%s/1" % collection)

    calls = [
        [(a.payouts.GetPayout, message.GetPayoutRequest(name=n)) for n in of("payouts", p.b_payout)],
        [(a.payouts.CancelPayout, message.CancelPayoutRequest(name=n)) for n in of("payouts", p.b_kept)],
        [(a.beneficiaries.GetBeneficiary, message.GetBeneficiaryRequest(name=n)) for n in of("beneficiaries", p.b_who)],
        [(a.beneficiaries.UpdateBeneficiary, message.UpdateBeneficiaryRequest(name=n, details=a.details(p.bank)))
         for n in of("beneficiaries", p.b_who)],
        [(a.payouts.SubmitPayout, a.request(n, 5_000)) for n in of("beneficiaries", p.b_who)],
        [(a.payouts.SubmitPayout, a.request(a.details(p.bank), 5_000, quote=n)) for n in of("quotes", p.b_quote)],
    ]
    with p.world.nothing_changes():
        for each in calls:
            no = same([p.world.refused(call, request) for call, request in each])
            assert (no.code, no.reason) == (S.PERMISSION_DENIED, "RESOURCE_FORBIDDEN")
    assert p.b.get(p.b_payout).reference == "of-b"


def test_a_platform_finds_its_own_things_only(parties):
    p, api = parties, parties.world.api
    fresh = p.world.platform(USD=777)
    with p.world.nothing_changes():
        no = p.world.refused(fresh.payouts.GetPayoutByReference, api.payout.GetPayoutByReferenceRequest(reference="of-b"))
        assert (no.code, no.reason) == (S.NOT_FOUND, "PAYOUT_NOT_FOUND")
        assert fresh.balance() == 777
        assert not fresh.payouts.ListPayouts(api.payout.ListPayoutsRequest(), timeout=SECONDS).payouts
        assert not fresh.beneficiaries.ListBeneficiaries(api.payout.ListBeneficiariesRequest(), timeout=SECONDS).beneficiaries
        stream = fresh.watch()
        assert stream.silent()
        stream.close()
    # references of two platforms are two references
    assert fresh.submit(fresh.details(p.bank), 500, reference="of-b").name.startswith("platforms/%s/" % fresh.code)


def test_a_bank_cannot_touch_anothers_instructions_nor_learn_that_they_exist(parties):
    p, api = parties, parties.world.api
    nothing = copy.deepcopy(p.told)
    nothing.instruction_id = p.told.instruction_id[:-1] + chr(ord(p.told.instruction_id[-1]) ^ 1)
    with p.world.nothing_changes():
        for make in (p.other.settled, p.other.rejected):
            results = p.other.confirm(make(p.told), make(nothing))
            assert [(r.outcome, r.reason, r.message) for r in results[:1]] * 2 == [
                (r.outcome, r.reason, r.message) for r in results]
            assert results[0].reason == "INSTRUCTION_NOT_FOUND"
        no = same([p.world.refused(lambda **_: p.other.send_back(i, reference="R")) for i in (p.told, nothing)])
        assert (no.code, no.reason) == (S.NOT_FOUND, "INSTRUCTION_NOT_FOUND")
    assert p.other.position() == (0, price(7_000).net, 1)
    assert p.bank.position()[1] >= price(5_000).net


# ---------------------------------------------------------------- principals that may not
def test_an_unknown_principal(parties):
    for uri in ("ujrat://platform/unheard-of", "ujrat://bank/ZZZZ", "ujrat://auditor/stranger",
                "ujrat://platform/%s/" % parties.a.code, "ujrat://Platform/%s" % parties.a.code, "https://ujrat.example/platform",
                "ujrat://platform/%s" % parties.a.code.upper()):
        stranger = Party(parties.world, parties.world.pki.issue(uri))
        with parties.world.nothing_changes():
            no = parties.world.refused(stranger.payouts.GetBalance, parties.world.api.payout.GetBalanceRequest())
            assert (no.code, no.reason) == (S.UNAUTHENTICATED, "UNAUTHENTICATED_PRINCIPAL"), uri


def test_a_principal_of_our_own_programs_may_call_nothing(parties):
    """ujrat://system/cli stands in the table and has no certificate; with one it still may nothing."""
    assert parties.world.rows("SELECT 1 FROM principal WHERE uri = 'ujrat://system/cli'")
    system = Party(parties.world, parties.world.pki.issue("ujrat://system/cli"))
    no = parties.world.refused(system.audit.GetTrialBalance, parties.world.api.audit.GetTrialBalanceRequest())
    assert no.code in (S.UNAUTHENTICATED, S.PERMISSION_DENIED)


def test_a_disabled_principal_and_one_enabled_again(parties):
    world, api = parties.world, parties.world.api
    platform = world.platform()
    uri = "ujrat://platform/" + platform.code
    ask = lambda: platform.payouts.GetBalance(api.payout.GetBalanceRequest(), timeout=SECONDS)  # noqa: E731
    ask()
    world.gateway.ujrat("principal", "disable", uri, "--quiet")

    def refused():
        try:
            ask()
        except grpc.RpcError as error:
            return error
        return None

    wait_until(refused, 10, "the principal to be refused")
    with world.nothing_changes():
        for call, request in ((platform.payouts.GetBalance, api.payout.GetBalanceRequest()),
                              (platform.payouts.SubmitPayout, platform.request(platform.details(parties.bank)))):
            no = world.refused(call, request)
            assert (no.code, no.reason) == (S.PERMISSION_DENIED, "PRINCIPAL_DISABLED")
    world.gateway.ujrat("principal", "enable", uri, "--quiet")
    wait_until(lambda: not refused(), 10, "the principal to be let in again")


def test_a_stream_ends_when_its_principal_is_disabled(parties):
    world = parties.world
    platform, bank = world.platform(), world.bank()
    for party in (platform, bank):
        stream = party.watch()
        assert stream.silent(0.2)
        kind = "platform" if party is platform else "bank"
        world.gateway.ujrat("principal", "disable", "ujrat://%s/%s" % (kind, party.code), "--quiet")
        error = stream.ended()
        assert error.code() == S.PERMISSION_DENIED, error


# ---------------------------------------------------------------- certificates
def handshake(world, cert=None):
    """What the server says to a client certificate: None when it is taken, else the alert."""
    context = ssl.create_default_context(cafile=world.pki.ca)
    context.set_alpn_protocols(["h2"])
    if cert:
        context.load_cert_chain(*cert)
    try:
        with context.wrap_socket(socket.create_connection(("localhost", world.gateway.port), SECONDS),
                                 server_hostname="localhost") as tls:
            tls.settimeout(SECONDS)
            tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            # TLS 1.3: the client is done before the server has looked at its certificate
            return None if tls.recv(9) else "closed"
    except ssl.SSLError as error:
        return (error.reason or str(error)).upper().replace(" ", "_")
    except ConnectionResetError:
        return "reset"


def no_call(world, cert):
    """A stock client with this certificate gets nothing done."""
    party = Party(world, cert)
    with world.nothing_changes():
        no = world.refused(party.payouts.GetBalance, world.api.payout.GetBalanceRequest())
        assert no.code == S.UNAVAILABLE, no.code


def test_a_good_certificate_is_taken(parties):
    assert handshake(parties.world, parties.world.pki.pair(parties.a.code)) is None


def test_no_certificate(parties):
    assert "CERTIFICATE_REQUIRED" in handshake(parties.world)
    no_call(parties.world, None)


def test_an_expired_certificate(parties):
    world = parties.world
    name = world.pki.issue("ujrat://platform/" + parties.a.code, days=-3)
    assert "CERTIFICATE_EXPIRED" in handshake(world, world.pki.pair(name))
    no_call(world, name)


def test_a_certificate_of_another_root(parties, other_pki):
    world = parties.world
    name = other_pki.issue("ujrat://platform/" + parties.a.code)
    said = handshake(world, other_pki.pair(name))
    assert "UNKNOWN_CA" in said or "DECRYPT_ERROR" in said or "BAD_CERTIFICATE" in said, said
    party = Party(world, name, other_pki)
    # it trusts our root, and shows another's certificate
    channel = grpc.secure_channel(world.gateway.address, grpc.ssl_channel_credentials(
        world.pki.ca.read_bytes(), *(f.read_bytes() for f in reversed(other_pki.pair(name)))))
    with channel:
        no = refusal(world.api, party.api.payout_grpc.PayoutServiceStub(channel).GetBalance,
                     world.api.payout.GetBalanceRequest())
        assert no.code == S.UNAVAILABLE


def test_a_servers_certificate_is_no_clients(parties):
    world = parties.world
    name = world.pki.server("URI:ujrat://platform/" + parties.a.code)
    assert handshake(world, world.pki.pair(name)) is not None
    no_call(world, name)


def by_hand(pki, san):
    """A client certificate with any names, signed by the root."""
    stem = pki.folder / ("hand-%d" % number())
    run = lambda *words: subprocess.run(list(map(str, words)), check=True, capture_output=True)  # noqa: E731
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "%s.key" % stem,
        "-subj", "/CN=by hand", "-out", "%s.csr" % stem)
    extensions = pki.folder / (stem.name + ".ext")
    extensions.write_text("extendedKeyUsage = clientAuth\n" + ("subjectAltName = %s\n" % san if san else ""))
    run("openssl", "x509", "-req", "-in", "%s.csr" % stem, "-CA", pki.ca, "-CAkey", pki.folder / "ca.key", "-set_serial",
        1_000_000 + number(), "-days", "2", "-extfile", extensions, "-out", "%s.pem" % stem)
    return stem.name


@pytest.mark.parametrize("san", ["", "DNS:localhost", "email:a@b.example", "two", "dns and uri of another"])
def test_names_that_are_not_one_uri(parties, san):
    mine = "URI:ujrat://platform/" + parties.a.code
    san = {"two": mine + ",URI:ujrat://platform/" + parties.b.code,
           "dns and uri of another": "DNS:%s,URI:ujrat://platform/unheard-of" % parties.a.code}.get(san, san)
    party = Party(parties.world, by_hand(parties.world.pki, san))
    no = parties.world.refused(party.payouts.GetBalance, parties.world.api.payout.GetBalanceRequest())
    assert (no.code, no.reason) == (S.UNAUTHENTICATED, "UNAUTHENTICATED_PRINCIPAL")


def test_one_uri_among_other_names_is_good(parties):
    party = Party(parties.world, by_hand(parties.world.pki, "DNS:somewhere,URI:ujrat://platform/" + parties.a.code))
    party.payouts.GetBalance(parties.world.api.payout.GetBalanceRequest(), timeout=SECONDS)


def test_a_revoked_certificate_is_refused_from_the_reload_on(new_world, work):
    """With a PKI of its own: what is revoked stays revoked."""
    pki = Pki(work / unique("crl-pki"))
    cert, key = pki.pair("server")
    world = new_world(tls_cert=cert, tls_key=key, tls_client_ca=pki.ca, tls_crl=pki.crl)
    world.pki = world.gateway.pki = pki
    platform, bank = world.platform(), world.bank()
    spare = Party(world, pki.issue("ujrat://platform/" + platform.code))  # the same principal, another certificate
    ask = world.api.payout.GetBalanceRequest()
    spare.payouts.GetBalance(ask, timeout=SECONDS)
    stream = platform.watch()
    platform.submit(platform.details(bank))
    stream.take(1)
    pki.revoke(platform.principal)
    assert platform.balance() == 10_000_000 - 10_000, "nothing has been reloaded yet"
    world.gateway.reload()
    error = stream.ended()
    assert error is not None and error.code() == S.UNAVAILABLE, "open connections of a revoked certificate are ended"
    wait_until(lambda: "REVOKED" in (handshake(world, pki.pair(platform.principal)) or ""), 10, "the CRL to be in force")
    no_call(world, platform.principal)
    spare.payouts.GetBalance(ask, timeout=SECONDS)


def test_a_broken_crl_is_not_taken(new_world, work, pki):
    crl = work / "broken-crl.pem"
    crl.write_bytes(pki.crl.read_bytes())
    world = new_world(tls_crl=crl)
    platform = world.platform()
    crl.write_text("nothing of the kind\n")
    world.gateway.reload()
    wait_until(lambda: "reload.tls" in world.gateway.log(), 10, "the reload to be refused")
    assert platform.balance() == 10_000_000
    assert handshake(world, pki.pair(platform.principal)) is None


def test_where_certificates_are_optional_calls_without_one_are_unauthenticated(new_world, pki):
    world = new_world(tls_client_cert_required=False)
    platform, nobody = world.platform(), Party(world, None)
    assert platform.balance() == 10_000_000
    with world.nothing_changes():
        for call, request in ((nobody.payouts.GetBalance, world.api.payout.GetBalanceRequest()),
                              (nobody.audit.GetTrialBalance, world.api.audit.GetTrialBalanceRequest()),
                              (nobody.settlement.GetPosition, world.api.settlement.GetPositionRequest()),
                              (nobody.payouts.WatchPayouts, world.api.payout.WatchPayoutsRequest())):
            no = world.refused(call, request)
            assert (no.code, no.reason) == (S.UNAUTHENTICATED, "UNAUTHENTICATED_PRINCIPAL")
    health = world.api.health_grpc.HealthStub(nobody.channel)
    assert health.Check(world.api.health.HealthCheckRequest(), timeout=SECONDS).status == 1
