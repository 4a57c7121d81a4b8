"""A small world for tests through the real gateway: platforms with floats, banks that are told to pay, an auditor, a
day's rates, and what it all should come to, computed here with Decimal from the text of the contract alone.

Each test makes its own platforms and banks, so that nothing another test does shows in its numbers.
"""

import contextlib
import csv
import decimal
import functools
import itertools
import queue
import threading
import time
import types

import grpc

from harness import PATIENCE, ROOT, details, wait_until
from policy_rows import change_policy

D = decimal.Decimal
decimal.getcontext().prec = 60
DIGITS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3, "PLN": 2, "PKR": 2}
SHEET = ROOT / "data" / "rates" / "sbp_m2m_2026-07-17.csv"
SECONDS = 20 * PATIENCE


@functools.lru_cache
def sheet():
    with open(SHEET, encoding="ascii") as file:
        return {row["currency"]: D(row["ready"]) for row in csv.DictReader(file)}


# ---------------------------------------------------------------- what a payout comes to
# margin in basis points; the rest in minor units of the source currency
TARIFFS = {
    "USD": dict(margin_bps=150, fee_fixed=50, fee_bps=25, fee_min=100, fee_max=5000, gross_max=2_000_000),
    "EUR": dict(margin_bps=95, fee_fixed=0, fee_bps=0, fee_min=0, fee_max=0, gross_max=2_000_000),
    "GBP": dict(margin_bps=0, fee_fixed=25, fee_bps=1, fee_min=0, fee_max=0, gross_max=2_000_000),
    "JPY": dict(margin_bps=149, fee_fixed=55, fee_bps=30, fee_min=60, fee_max=9000, gross_max=30_000_000),
    "KWD": dict(margin_bps=205, fee_fixed=125, fee_bps=12, fee_min=0, fee_max=0, gross_max=9_000_000),
    "PLN": dict(margin_bps=100, fee_fixed=0, fee_bps=0, fee_min=0, fee_max=0, gross_max=2_000_000),
}


def whole(value, rounding):
    return int(value.quantize(D(1), rounding=rounding))


def price(gross, ccy="USD", tariff=None, mid=None):
    """The comment at Pricing in payout.proto, in schoolbook arithmetic. All amounts in minor units."""
    t = tariff or TARIFFS[ccy]
    mid = mid or sheet()[ccy]
    fee = t["fee_fixed"] + whole(D(gross) * t["fee_bps"] / 10000, decimal.ROUND_FLOOR)
    fee = max(fee, t["fee_min"])
    if t["fee_max"]:
        fee = min(fee, t["fee_max"])
    converted = gross - fee
    mid_value = whole(D(converted) * mid * D(10) ** (DIGITS["PKR"] - DIGITS[ccy]), decimal.ROUND_HALF_EVEN)
    margin = whole(D(mid_value) * t["margin_bps"] / 10000, decimal.ROUND_FLOOR)
    our_rate = (mid * (10000 - t["margin_bps"]) / 10000).quantize(D("1e-10"), decimal.ROUND_HALF_EVEN)
    return types.SimpleNamespace(ccy=ccy, gross=gross, fee=fee, converted=converted, mid=mid, mid_value=mid_value,
                                 margin_bps=t["margin_bps"], margin=margin, net=mid_value - margin, our_rate=our_rate)


def assert_priced(pricing, expected):
    """A Pricing message, field by field."""
    assert (pricing.gross.currency_code, pricing.gross.minor_units) == (expected.ccy, expected.gross)
    assert (pricing.fee.currency_code, pricing.fee.minor_units) == (expected.ccy, expected.fee)
    assert (pricing.margin.currency_code, pricing.margin.minor_units) == ("PKR", expected.margin)
    assert (pricing.net.currency_code, pricing.net.minor_units) == ("PKR", expected.net)
    assert pricing.margin_basis_points == expected.margin_bps
    assert D(pricing.mid_rate) == expected.mid
    assert D(pricing.our_rate) == expected.our_rate
    assert pricing.rate_source == "SBP-M2M"
    assert pricing.rate_time.seconds > 0


class Books:
    """What the auditor should find: account -> balance, debit positive. Journals as payout.proto's Pricing and
    double entry have them; zero lines are not written."""

    def __init__(self):
        self.balances = {}
        self.journals = []

    def post(self, kind, lines):
        lines = {account: minor for account, minor in lines.items() if minor}
        self.journals.append((kind, lines))
        for account, minor in lines.items():
            self.balances[account] = self.balances.get(account, 0) + minor

    @staticmethod
    def payout_lines(p, bank):
        return {"float." + p.ccy: p.gross, "fee." + p.ccy: -p.fee, "position." + p.ccy: -p.converted,
                "position.PKR": p.mid_value, "margin.PKR": -p.margin, "payable.%s.PKR" % bank: -p.net}

    @staticmethod
    def settle_lines(p, bank):
        return {"payable.%s.PKR" % bank: p.net, "nostro.%s.PKR" % bank: -p.net}

    @staticmethod
    def negated(lines):
        return {account: -minor for account, minor in lines.items()}

    def deposited(self, minor, ccy):
        self.post("FLOAT_DEPOSITED", {"correspondent." + ccy: minor, "float." + ccy: -minor})

    def accepted(self, p, bank):
        self.post("PAYOUT_ACCEPTED", self.payout_lines(p, bank))

    def instructed(self):
        self.post("PAYOUTS_INSTRUCTED", {})

    def settled(self, p, bank):
        self.post("PAYOUT_SETTLED", self.settle_lines(p, bank))

    def rejected(self, p, bank):
        self.post("PAYOUT_REJECTED", self.negated(self.payout_lines(p, bank)))

    def cancelled(self, p, bank):
        self.post("PAYOUT_CANCELLED", self.negated(self.payout_lines(p, bank)))

    def returned(self, p, bank):
        self.post("SETTLEMENT_REVERSED", self.negated(self.settle_lines(p, bank)))
        self.post("PAYOUT_RETURNED", self.negated(self.payout_lines(p, bank)))

    def nonzero(self):
        return {account: minor for account, minor in self.balances.items() if minor}


# ---------------------------------------------------------------- refusals
def refusal(api, call, *arguments, **options):
    """Makes a call that must be refused: its status code, ErrorInfo's reason, BadRequest's fields, and all the details."""
    options.setdefault("timeout", SECONDS)
    try:
        answer = call(*arguments, **options)
        if not hasattr(answer, "DESCRIPTOR"):
            answer = list(answer)
    except grpc.RpcError as error:
        found = details(error, api)
        info = found.get("ErrorInfo")
        if info is not None:
            assert info.domain == "ujrat", info
        fields = [v.field for v in found["BadRequest"].field_violations] if "BadRequest" in found else []
        return types.SimpleNamespace(code=error.code(), reason=info.reason if info else None, fields=fields,
                                     details=found, message=error.details(), error=error)
    raise AssertionError("was not refused: %s" % answer)


class Stream:
    """A server stream read by a thread: take(n) gives the next n items of its messages."""

    def __init__(self, call, items):
        self.call, self.error, self._items, self._queue = call, None, items, queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            for message in self.call:
                for item in getattr(message, self._items):
                    self._queue.put(item)
        except grpc.RpcError as error:
            self.error = error
        self._queue.put(None)

    def take(self, n, seconds=SECONDS):
        got = []
        end = time.monotonic() + seconds
        while len(got) < n:
            try:
                item = self._queue.get(timeout=max(0.001, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError("%d of %d came in %d s: %s" % (len(got), n, seconds, got)) from None
            assert item is not None, "the stream ended after %d of %d: %r" % (len(got), n, self.error)
            got.append(item)
        return got

    def silent(self, seconds=0.5):
        """Whether nothing more comes for a while."""
        try:
            item = self._queue.get(timeout=seconds)
        except queue.Empty:
            return True
        raise AssertionError("came, and should not: %s (%r)" % (item, self.error))

    def ended(self, seconds=SECONDS):
        """Waits for the end; the error it ended with, or None."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the stream goes on"
        return self.error

    def close(self):
        self.call.cancel()
        self._thread.join(SECONDS)


# ---------------------------------------------------------------- who is in it
_numbers = itertools.count(1)
_lock = threading.Lock()


def number():
    with _lock:
        return next(_numbers)


def iban(bank, account=None):
    """A valid Pakistani IBAN (ISO 13616, mod 97), another one each time."""
    account = account or "%016d" % (7_000_000_000_000_000 + number())
    digits = "".join(str(int(c, 36)) for c in bank + account + "PK00")
    return "PK%02d%s%s" % (98 - int(digits) % 97, bank, account)


def cnic():
    return "%013d" % (4_210_100_000_000 + number())


class Party:
    """A principal of the gateway and its stubs, each over one connection of its own."""

    def __init__(self, world, principal, pki=None):
        self.world, self.api, self.principal, self.pki = world, world.gateway.api, principal, pki

    @functools.cached_property
    def channel(self):
        return self.world.gateway.channel(self.principal, self.pki, options=[
            ("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)])

    def stub(self, area, service):
        return getattr(getattr(self.api, area + "_grpc"), service + "Stub")(self.channel)

    @functools.cached_property
    def payouts(self):
        return self.stub("payout", "PayoutService")

    @functools.cached_property
    def beneficiaries(self):
        return self.stub("payout", "BeneficiaryService")

    @functools.cached_property
    def settlement(self):
        return self.stub("settlement", "SettlementService")

    @functools.cached_property
    def audit(self):
        return self.stub("audit", "AuditService")


class Platform(Party):
    def __init__(self, world, code):
        super().__init__(world, code)
        self.code, self.books = code, Books()

    def money(self, minor, ccy="USD"):
        return self.api.money.Money(currency_code=ccy, minor_units=minor)

    def details(self, bank, **changes):
        """BeneficiaryDetails of somebody new with an account at the bank."""
        given = dict(display_name="Ayesha Khan", iban=iban(bank.code), cnic=cnic(), pseb_registration="PSEB-1234",
                     channel="EXPORT_OF_SERVICES", purpose_code="9186")
        given.update(changes)
        return self.api.payout.BeneficiaryDetails(**{k: v for k, v in given.items() if v is not None})

    def register(self, bank, **changes):
        return self.beneficiaries.RegisterBeneficiary(self.api.payout.RegisterBeneficiaryRequest(
            request_id="b-%d" % number(), details=self.details(bank, **changes)), timeout=SECONDS)

    def request(self, to, gross=10_000, ccy="USD", reference=None, **fields):
        """A SubmitPayoutRequest to a registered beneficiary (its name) or to BeneficiaryDetails."""
        if isinstance(to, str):
            fields["beneficiary"] = to
        elif to is not None:
            fields["beneficiary_details"] = to
        return self.api.payout.SubmitPayoutRequest(reference=reference or "r-%d" % number(),
                                                   gross=self.money(gross, ccy), **fields)

    def submit(self, to, gross=10_000, ccy="USD", **fields):
        return self.payouts.SubmitPayout(self.request(to, gross, ccy, **fields), timeout=SECONDS)

    def batch(self, requests):
        return self.payouts.SubmitPayouts(self.api.payout.SubmitPayoutsRequest(payouts=requests),
                                          timeout=60 * PATIENCE).results

    def quote(self, gross=10_000, ccy="USD", request_id=None, target=""):
        return self.payouts.CreateQuote(self.api.payout.CreateQuoteRequest(
            gross=self.money(gross, ccy), request_id=request_id or "q-%d" % number(), target_currency_code=target),
            timeout=SECONDS)

    def get(self, name):
        return self.payouts.GetPayout(self.api.payout.GetPayoutRequest(name=name), timeout=SECONDS)

    def get_by_reference(self, reference):
        return self.payouts.GetPayoutByReference(self.api.payout.GetPayoutByReferenceRequest(reference=reference),
                                                 timeout=SECONDS)

    def cancel(self, name):
        return self.payouts.CancelPayout(self.api.payout.CancelPayoutRequest(name=name), timeout=SECONDS)

    def balance(self, ccy="USD"):
        answer = self.payouts.GetBalance(self.api.payout.GetBalanceRequest(), timeout=SECONDS)
        return {m.currency_code: m.minor_units for m in answer.available}.get(ccy)

    def watch(self, token=""):
        return Stream(self.payouts.WatchPayouts(self.api.payout.WatchPayoutsRequest(resume_token=token)), "events")

    def deposit(self, minor, ccy="USD"):
        self.world.gateway.ujrat("float", "deposit", self.code, D(minor).scaleb(-DIGITS[ccy]), ccy, "--reference",
                                 "d-%d" % number(), "--quiet")
        self.books.deposited(minor, ccy)


class Bank(Party):
    def __init__(self, world, code):
        super().__init__(world, code)
        self.code = code

    def watch(self, token=""):
        return Stream(self.settlement.WatchInstructions(
            self.api.settlement.WatchInstructionsRequest(resume_token=token)), "instructions")

    def take(self, n):
        """The first n instructions ever; the bank stops listening then."""
        stream = self.watch()
        try:
            return stream.take(n)
        finally:
            stream.close()

    def settled(self, instruction, tax=None, eprc="", reference=None):
        fields = dict(instruction_id=instruction.instruction_id, status="SETTLED", amount=instruction.amount,
                      bank_reference=reference or "BR-%d" % number(), eprc_number=eprc)
        if tax is not None:
            fields["tax_withheld"] = self.api.money.Money(currency_code=instruction.amount.currency_code, minor_units=tax)
        return self.api.settlement.Confirmation(**fields)

    def rejected(self, instruction, code="AC04"):
        return self.api.settlement.Confirmation(instruction_id=instruction.instruction_id, status="REJECTED",
                                                amount=instruction.amount, reason_code=code)

    def confirm(self, *confirmations):
        return self.settlement.ConfirmInstructions(self.api.settlement.ConfirmInstructionsRequest(
            confirmations=confirmations), timeout=SECONDS).results

    def send_back(self, instruction, code="AC04", reference=None, amount=None, charge=None):
        """amount and charge: Money, or minor units of the instruction's currency."""
        ccy = instruction.amount.currency_code
        money = lambda m: self.api.money.Money(currency_code=ccy, minor_units=m) if isinstance(m, int) else m
        return self.settlement.ReturnPayment(self.api.settlement.ReturnPaymentRequest(
            instruction_id=instruction.instruction_id, amount=money(amount or instruction.amount), reason_code=code,
            return_reference=reference or "RT-%d" % number(), charge=money(charge)), timeout=SECONDS)

    def take_back(self, instruction, returned, code="AM09", reference=None):
        return self.settlement.ReverseReturn(self.api.settlement.ReverseReturnRequest(
            instruction_id=instruction.instruction_id, return_reference=returned, reason_code=code,
            reversal_reference=reference or "RR-%d" % number()), timeout=SECONDS)

    def position(self):
        """(owed, pending, how many are pending) in PKR."""
        answer = self.settlement.GetPosition(self.api.settlement.GetPositionRequest(), timeout=SECONDS)
        for p in answer.positions:
            if p.currency_code == "PKR":
                return p.owed_minor_units, p.pending_minor_units, p.pending_count
        return 0, 0, 0


class Auditor(Party):
    def trial_balance(self, book="", as_of=None):
        request = self.api.audit.GetTrialBalanceRequest(book=book)
        if as_of is not None:
            request.as_of.CopyFrom(as_of)
        return self.audit.GetTrialBalance(request, timeout=SECONDS)

    def balances(self, platform, as_of=None):
        """account -> balance of the platform's book, those of nil left out; every currency sums to nil."""
        answer = self.trial_balance("books/" + platform.code, as_of)
        prefix, found, sums = "books/%s/accounts/" % platform.code, {}, {}
        for line in answer.lines:
            assert line.book == "books/" + platform.code and line.account.startswith(prefix)
            assert line.debit_minor_units >= 0 and line.credit_minor_units >= 0
            assert line.debit_minor_units == 0 or line.credit_minor_units == 0
            minor = line.debit_minor_units - line.credit_minor_units
            sums[line.currency_code] = sums.get(line.currency_code, 0) + minor
            if minor:
                found[line.account[len(prefix):]] = minor
        assert not any(sums.values()), sums
        for total in answer.totals:
            assert total.debit_minor_units == total.credit_minor_units
        return found

    def journals(self, platform, page_size=0):
        found, token = [], ""
        while True:
            page = self.audit.ListJournals(self.api.audit.ListJournalsRequest(
                book="books/" + platform.code, page_size=page_size, page_token=token), timeout=SECONDS)
            assert not page_size or len(page.journals) <= page_size
            found.extend(page.journals)
            token = page.next_page_token
            if not token:
                return found

    def statement(self, platform, account, page_size=0):
        """All pages: (opening of the first, lines, closing of the last)."""
        lines, token, opening, closing = [], "", None, None
        while True:
            page = self.audit.GetAccountStatement(self.api.audit.GetAccountStatementRequest(
                account="books/%s/accounts/%s" % (platform.code, account), page_size=page_size, page_token=token),
                timeout=SECONDS)
            if opening is None:
                opening = page.opening_minor_units
            else:
                assert page.opening_minor_units == closing, "a page begins with what the one before ended with"
            lines.extend(page.lines)
            closing, token = page.closing_minor_units, page.next_page_token
            if not token:
                return opening, lines, closing

    def trail(self, payout):
        return self.audit.GetPayoutTrail(self.api.audit.GetPayoutTrailRequest(payout=payout), timeout=SECONDS)


class World:
    """A gateway, its database, and whoever is in it."""

    def __init__(self, gateway):
        self.gateway, self.api, self.database = gateway, gateway.api, gateway.database
        self.pki = gateway.pki
        self._readers = {}
        gateway.ujrat("rates", "import", SHEET, "--quiet")
        gateway.ujrat("principal", "add", "ujrat://auditor/demo", "--quiet")
        gateway.ujrat("principal", "add", "ujrat://operator/demo", "--quiet")
        self._free_banks = [code for code, in self.rows("SELECT code FROM bank WHERE NOT connected ORDER BY code")]

    def rows(self, query, *parameters, role="ujrat_auditor"):
        """A question to the database itself, as the auditor."""
        import psycopg

        if role not in self._readers:
            self._readers[role] = psycopg.connect(self.database.uri(role), autocommit=True,
                                                  options="-c search_path=ujrat")
        return self._readers[role].execute(query, parameters).fetchall()

    def value(self, query, *parameters):
        return self.rows(query, *parameters)[0][0]

    def close(self):
        for connection in self._readers.values():
            connection.close()

    def refused(self, call, *arguments, **options):
        return refusal(self.api, call, *arguments, **options)

    def add_tariff(self, code, ccy, **changes):
        t = dict(TARIFFS[ccy], **changes)
        units = {k: D(t[k]).scaleb(-DIGITS[ccy]) for k in ("fee_fixed", "fee_min", "fee_max", "gross_max")}
        self.gateway.ujrat("platform", "add", code, "--currency", ccy, "--margin-bps", t["margin_bps"], "--fee-bps",
                           t["fee_bps"], "--fee-fixed", units["fee_fixed"], "--fee-min", units["fee_min"],
                           "--fee-max", units["fee_max"], "--gross-max", units["gross_max"], "--quiet")

    def change_policy(self, changes, **said):
        """As two people do it: [(kind, scope, ccy, value)]."""
        with contextlib.ExitStack() as stack:
            proposer, approver = (stack.enter_context(self.database.connect(role, autocommit=True, options="-c search_path=ujrat"))
                                  for role in ("ujrat_operator", "postgres"))
            return change_policy(proposer, approver, changes, **said)

    def change_terms(self, code, ccy, **changes):
        """From now on."""
        number = self.value("SELECT ccy FROM currency WHERE code = %s", ccy)
        return self.change_policy([({"gross_max": "payout_max"}.get(kind, kind), code, number, value) for kind, value in changes.items()])

    def platform(self, wait=True, **floats):
        """A new platform: platform(USD=100_000, JPY=5_000) in minor units; USD 100,000.00 if nothing is said."""
        code = "p%d" % number()
        platform = Platform(self, code)
        self.pki.issue("ujrat://platform/" + code, name=code)
        for ccy, minor in (floats or {"USD": 10_000_000}).items():
            self.add_tariff(code, ccy)
            if minor:
                platform.deposit(minor, ccy)
        if self.gateway.keys:
            self.gateway.add_key(code)
        if wait:
            self.until_known(platform.payouts.GetBalance, self.api.payout.GetBalanceRequest())
        return platform

    def bank(self, wait=True):
        """A bank that no other test uses."""
        code = self._free_banks.pop()
        self.gateway.ujrat("bank", "connect", code, "--quiet")
        self.pki.issue("ujrat://bank/" + code, name=code)
        bank = Bank(self, code)
        if wait:
            self.until_known(bank.settlement.GetPosition, self.api.settlement.GetPositionRequest())
        return bank

    @functools.cached_property
    def auditor(self):
        auditor = Auditor(self, "auditor")
        self.until_known(auditor.audit.GetTrialBalance, self.api.audit.GetTrialBalanceRequest())
        return auditor

    @staticmethod
    def until_known(call, request):
        """The gateway reads who may call again every registry_refresh."""
        def known():
            try:
                call(request, timeout=SECONDS)
                return True
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE):
                    raise
                return False

        wait_until(known, 15, "a new principal to be known")

    # What a refused request must leave alone. hand-outs are left out of nothing: tests close their streams first.
    TABLES = ("payout", "payout_transition", "journal", "block", "beneficiary", "beneficiary_version", "quote",
              "handout", "float_deposit", "account_balance", "policy_proposal", "policy", "rate_sheet")

    def snapshot(self):
        counts = self.rows("SELECT " + ", ".join("(SELECT count(*) FROM %s)" % t for t in self.TABLES))[0]
        balances = self.rows("SELECT book_code, code, balance FROM account_now ORDER BY 1, 2")
        heads = self.rows("SELECT book_id, next_seq, next_block FROM book_head ORDER BY 1")
        return dict(zip(self.TABLES, counts)), balances, heads

    @contextlib.contextmanager
    def nothing_changes(self):
        before = self.snapshot()
        yield
        assert self.snapshot() == before


@contextlib.contextmanager
def locked_book(database, code):
    """Holds the book's lock, so that whatever posts to it waits."""
    with database.connect(options="-c search_path=ujrat") as connection:
        assert connection.execute("SELECT 1 FROM book_head JOIN book USING (book_id) WHERE code = %s FOR UPDATE OF book_head",
                                  (code,)).fetchall()
        yield connection
        connection.rollback()


SET_ASIDE = """
WITH p AS (SELECT p.*, array_replace(j.line_account, a.account_id, 2147483647) AS line_account, j.line_ccy, j.line_minor
             FROM payout p JOIN journal j ON j.book_id = p.book_id AND j.seq = p.payout_id
             JOIN account a ON a.book_id = p.book_id AND a.role = 'payable' AND a.bank_id = p.bank_id
            WHERE p.book_id = {book} AND p.quote_id IS NULL ORDER BY p.payout_id LIMIT 1),
     c AS (SELECT add_rest_credential('ujrat://platform/{code}', 'client-of-{code}-for-tests', substr(sha256('s'), 1, 16), sha256('h'), sha256('k'), false) AS id)
SELECT submit_batch({book}, (SELECT principal_id FROM principal WHERE uri = 'ujrat://platform/{code}'), c.id, 'batch', NULL, substr(sha256('f'), 1, 16),
                    NULL, NULL, p.src_ccy, 4 * p.gross, 86400,
                    array(SELECT json_populate_record(NULL::payout_draft, json_build_object('reference', 'PP-' || i, 'info', 'کام ' || i, 'gross', p.gross,
                                 'src_ccy', p.src_ccy, 'refusal', 0, 'fingerprint', '')) FROM generate_series(1, 4) i),
                    array(SELECT ROW('item-' || i, 1, 1, sha256(i::text::bytea), 1, 'sealed')::batch_item_draft FROM generate_series(1, 4) i)),
       add_receiver({book}, 1, p.beneficiary_id, 1::int2, sha256('1'), 1::int2, 'x'), add_receiver({book}, 1, p.beneficiary_id, 1::int2, sha256('2'), 1::int2, 'x')
  FROM p, c;
WITH p AS (SELECT p.*, array_replace(j.line_account, a.account_id, 2147483647) AS line_account, j.line_ccy, j.line_minor
             FROM payout p JOIN journal j ON j.book_id = p.book_id AND j.seq = p.payout_id
             JOIN account a ON a.book_id = p.book_id AND a.role = 'payable' AND a.bank_id = p.bank_id
            WHERE p.book_id = {book} AND p.quote_id IS NULL ORDER BY p.payout_id LIMIT 1)
SELECT claim_unclaimed({book}, 0, array(SELECT unclaimed_id FROM unclaimed WHERE book_id = {book} ORDER BY 1 LIMIT 2),
                       array(SELECT json_populate_record(NULL::payout_draft, (to_jsonb(p) || jsonb_build_object('reference', 'PP-' || i, 'info', 'کام ' || i,
                                    'refusal', 0))::json) FROM generate_series(1, 2) i)) FROM p;
SELECT cancel_unclaimed({book}, 1, (SELECT min(unclaimed_id) FROM unclaimed_open WHERE book_id = {book}));
"""


def set_aside(world, platform):
    """A batch of four whom nobody knows, by the ledger's own functions: two are claimed in one commit, one is cancelled, and one stays. There is
    a payout of the platform's already."""
    import psycopg

    with psycopg.connect(world.database.uri(), options="-c search_path=ujrat") as c:
        book = c.execute("SELECT book_id FROM book WHERE code = %s", [platform.code]).fetchone()[0]
        for sql in SET_ASIDE.replace("{book}", str(book)).replace("{code}", platform.code).split(";\n"):
            if sql.strip():
                c.execute(sql)
                c.commit()
