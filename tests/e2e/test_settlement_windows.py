"""What a bank sees of its windows and is asked, over gRPC: each call, and each way it is refused."""
import pytest

from harness import wait_until
from world import SECONDS, price

TERMS = ("SELECT set_bank_terms(bank_id, %s, 'grpc', '{11:00,15:00}', '{10:00}', 586::int2, NULL, %s, %s, NULL, '4 hours', '8 hours', "
         "'4 hours', 'pacs.008.001.08', 'test') FROM bank WHERE code = %s")


class Settle:
    """What ujrat-settle would do to a bank."""

    def __init__(self, world, bank):
        self.world, self.bank = world, bank
        self.one = lambda sql, *args: world.rows(sql, *args, role="postgres")[0][0]
        self.id = self.one("SELECT bank_id FROM bank WHERE code = %s", bank.code)
        self.who = self.one("SELECT add_principal('ujrat://system/settle', 'system')")

    def terms(self, mode="instant", window_max=None, cap=None):
        self.one(TERMS, mode, window_max, cap, self.bank.code)
        self.one("SELECT open_first_window(%s::int2, clock_timestamp() + interval '1 hour')", self.id)
        return self

    def hand_out(self):
        for book, in self.world.rows("SELECT book_id FROM book ORDER BY 1"):
            self.one("SELECT hand_out_window(%s, %s::int2, %s, 1000)", book, self.id, self.who)

    def close(self, window):
        self.one("SELECT close_window(%s::int2, %s, %s, clock_timestamp() + interval '4 hours', clock_timestamp() + interval '1 day')",
                 self.id, window, self.who)

    def end(self, window):
        return self.one("SELECT end_window(%s::int2, %s, %s)", self.id, window, self.who)

    def ask(self, *instructions):
        for instruction in instructions:
            book, payout = instruction.instruction_id[2:].split("-")
            self.one("SELECT ask(%s::int2, %s, %s::bigint[], '{false}', clock_timestamp())", self.id, int(book), [int(payout)])

    def recall(self, instruction, reason="CUST"):
        book, payout = instruction.instruction_id[2:].split("-")
        self.one("SELECT request_recall(%s, %s, %s, %s)", int(book), int(payout), reason, self.who)


def window(bank, number=0):
    return bank.settlement.GetWindow(bank.api.settlement.GetWindowRequest(window_no=number), timeout=SECONDS)


def report(bank, number, *totals, ccy="PKR"):
    fields = dict(zip(("settled_count", "settled_minor_units", "rejected_count", "rejected_minor_units"), totals))
    return bank.api.settlement.ReportWindowRequest(window_no=number, currency_code=ccy, **fields)


def inquiries(bank, token=""):
    from world import Stream
    return Stream(bank.settlement.WatchInquiries(bank.api.settlement.WatchInquiriesRequest(resume_token=token)), "inquiries")


def answer(bank, *answers):
    s = bank.api.settlement
    return bank.settlement.AnswerInquiries(s.AnswerInquiriesRequest(answers=[
        s.InquiryAnswer(inquiry_id=i, status_code=c, reason_code=r) for i, c, r in answers]), timeout=SECONDS).results


@pytest.fixture
def scene(world):
    bank = world.bank()
    return world.platform(USD=10_000_000), bank, Settle(world, bank)


def test_a_window_from_its_opening_to_its_settlement(world, scene):
    platform, bank, settle = scene
    State = bank.api.settlement.Window.State
    settle.terms()
    net = price(10_000).net
    for _ in range(3):
        platform.submit(platform.details(bank), 10_000)
    told = bank.take(3)
    opened = window(bank)
    assert (opened.window_no, opened.state, opened.instructed_count, opened.instructed_minor_units) == (1, State.OPEN, 3, 3 * net)
    assert (opened.pending_count, opened.net_minor_units, opened.currency_code) == (3, 3 * net, "PKR")
    assert opened.HasField("cutoff_time") and not opened.HasField("settle_by_time")
    assert world.value("SELECT detail FROM journal WHERE kind = 2 ORDER BY seq DESC LIMIT 1") == "window 1"
    settle.close(1)
    closed = window(bank, 1)
    assert (closed.state, closed.instructed_count) == (State.CLOSED, 3) and closed.HasField("settle_by_time") and window(bank).window_no == 2
    bank.confirm(*[bank.settled(i) for i in told[:2]], bank.rejected(told[2]))
    settled = bank.settlement.ReportWindow(report(bank, 1, 2, 2 * net, 1, net), timeout=SECONDS)
    assert (settled.state, settled.settled_count, settled.settled_minor_units, settled.rejected_count, settled.rejected_minor_units,
            settled.pending_count, settled.net_minor_units) == (State.SETTLED, 2, 2 * net, 1, net, 0, 2 * net)
    assert settled == window(bank, 1) == bank.settlement.ReportWindow(report(bank, 1, 2, 2 * net, 1, net), timeout=SECONDS)
    assert bank.position() == (2 * net, 0, 0)


def test_other_totals_dispute_a_window_and_a_new_report_settles_it(world, scene):
    platform, bank, settle = scene
    State = bank.api.settlement.Window.State
    settle.terms()
    platform.submit(platform.details(bank), 10_000)
    bank.confirm(bank.settled(*bank.take(1)))
    settle.close(1)
    net = price(10_000).net
    disputed = bank.settlement.ReportWindow(report(bank, 1, 2, 2 * net, 0, 0), timeout=SECONDS)
    assert disputed.state == State.DISPUTED and "others than ours" in disputed.reason
    assert bank.settlement.ReportWindow(report(bank, 1, 1, net, 0, 0), timeout=SECONDS).state == State.SETTLED
    no = world.refused(bank.settlement.ReportWindow, report(bank, 1, 2, 2 * net, 0, 0))
    assert (no.code.name, no.reason) == ("FAILED_PRECONDITION", "STATE_CONFLICT")


def test_windows_are_listed_newest_first_page_by_page(world, scene):
    _, bank, settle = scene
    settle.terms()
    for n in range(1, 8):
        settle.close(n)
    s = bank.api.settlement
    seen, token = [], ""
    while True:
        page = bank.settlement.ListWindows(s.ListWindowsRequest(page_size=3, page_token=token), timeout=SECONDS)
        seen.append([w.window_no for w in page.windows])
        token = page.next_page_token
        if not token:
            break
    assert seen == [[8, 7, 6], [5, 4, 3], [2, 1]]
    assert len(bank.settlement.ListWindows(s.ListWindowsRequest(), timeout=SECONDS).windows) == 8
    for request, reason in ((s.ListWindowsRequest(page_size=101), "PAGE_SIZE_INVALID"), (s.ListWindowsRequest(page_size=-1), "PAGE_SIZE_INVALID"),
                            (s.ListWindowsRequest(page_token="x"), "PAGE_TOKEN_INVALID")):
        assert world.refused(bank.settlement.ListWindows, request).reason == reason


def test_windows_are_refused_for_what_they_are_not(world, scene):
    platform, bank, settle = scene
    stranger = world.bank()
    s = bank.api.settlement
    assert world.refused(bank.settlement.GetWindow, s.GetWindowRequest()).reason == "WINDOW_NOT_FOUND"      # no terms, no window
    settle.terms()
    for call, request, reason, field in (
            (bank.settlement.GetWindow, s.GetWindowRequest(window_no=2), "WINDOW_NOT_FOUND", "window_no"),
            (bank.settlement.GetWindow, s.GetWindowRequest(window_no=-1), "WINDOW_NOT_FOUND", "window_no"),
            (stranger.settlement.GetWindow, s.GetWindowRequest(window_no=1), "WINDOW_NOT_FOUND", "window_no"),
            (bank.settlement.ReportWindow, report(bank, 1, 0, 0, 0, 0), "STATE_CONFLICT", None),
            (bank.settlement.ReportWindow, report(bank, 2, 0, 0, 0, 0), "WINDOW_NOT_FOUND", "window_no"),
            (stranger.settlement.ReportWindow, report(bank, 1, 0, 0, 0, 0), "WINDOW_NOT_FOUND", "window_no"),
            (bank.settlement.ReportWindow, report(bank, 0, 0, 0, 0, 0), "FIELD_REQUIRED", "window_no"),
            (bank.settlement.ReportWindow, report(bank, 1, 0, 0, 0, 0, ccy=""), "FIELD_REQUIRED", "currency_code"),
            (bank.settlement.ReportWindow, report(bank, 1, 0, 0, 0, 0, ccy="XXQ"), "CURRENCY_UNKNOWN", "currency_code"),
            (bank.settlement.ReportWindow, report(bank, 1, 0, -1, 0, 0), "AMOUNT_NEGATIVE", "settled_minor_units")):
        no = world.refused(call, request)
        assert (no.reason, no.fields) == (reason, [field] if field else []), request
    settle.close(1)
    no = world.refused(bank.settlement.ReportWindow, report(bank, 1, 0, 0, 0, 0, ccy="USD"))
    assert (no.reason, no.fields) == ("CURRENCY_MISMATCH", ["currency_code"])


def test_a_bank_that_settles_by_windows_is_told_when_its_window_closes(world, scene):
    platform, bank, settle = scene
    settle.terms("windows")
    made = platform.submit(platform.details(bank), 10_000)
    stream = bank.watch()
    try:
        assert stream.silent()
        assert platform.get(made.name).state == bank.api.payout.Payout.State.ACCEPTED
        assert bank.position() == (0, price(10_000).net, 1)
        settle.hand_out()
        settle.close(1)
        instruction, = stream.take(1)
        assert platform.get(made.name).state == bank.api.payout.Payout.State.INSTRUCTED and window(bank, 1).instructed_count == 1
        bank.confirm(bank.settled(instruction))
        assert settle.end(1) == "SETTLED"
    finally:
        stream.close()


def test_what_a_cap_keeps_back_comes_when_there_is_room(world, scene):
    platform, bank, settle = scene
    net = price(10_000).net
    settle.terms(cap=net)
    other = world.platform(USD=10_000_000)
    stream = bank.watch()
    try:
        platform.submit(platform.details(bank), 10_000)
        first, = stream.take(1)
        other.submit(other.details(bank), 10_000)
        assert stream.silent()
        bank.confirm(bank.rejected(first))          # in the first book, and the second has room
        second, = stream.take(1)
        assert second.instruction_id != first.instruction_id
        platform.submit(platform.details(bank), 10_000)
        assert stream.silent()
        bank.confirm(bank.settled(second))          # owed: no room
        assert stream.silent()
    finally:
        stream.close()


def test_a_window_that_is_full_goes_on_with_the_next_without_anything_else_happening(world, scene):
    platform, bank, settle = scene
    settle.terms(window_max=price(10_000).net)
    stream = bank.watch()
    try:
        for _ in range(2):
            platform.submit(platform.details(bank), 10_000)
        stream.take(1)
        assert stream.silent()
        settle.close(1)
        stream.take(1)
        assert window(bank, 1).instructed_count == window(bank, 2).instructed_count == 1
    finally:
        stream.close()


def test_a_payout_above_the_instruction_maximum_names_field_and_reason(world, scene):
    platform, bank, _ = scene
    settle = Settle(world, bank)
    settle.one("SELECT set_bank_terms(bank_id, 'instant', 'grpc', '{11:00}', '{10:00}', 586::int2, %s, NULL, NULL, NULL, '4 hours', '8 hours', "
               "'4 hours', 'pacs.008.001.08', 'test') FROM bank WHERE code = %s", price(10_000).net, bank.code)
    platform.submit(platform.details(bank), 10_000)
    for to in (platform.details(bank), platform.register(bank).name):
        no = world.refused(platform.payouts.SubmitPayout, platform.request(to, 10_100))
        assert (no.code.name, no.reason, no.fields) == ("INVALID_ARGUMENT", "AMOUNT_OVER_LIMIT", ["gross.minor_units"])


# ------------------------------------------------------------------ inquiries
def test_a_bank_is_asked_and_answers(world, scene):
    platform, bank, settle = scene
    Kind, net = bank.api.settlement.Inquiry.Kind, price(10_000).net
    stream = inquiries(bank)
    try:
        for _ in range(2):
            platform.submit(platform.details(bank), 10_000)
        a, b = bank.take(2)
        settle.ask(a, b)
        one, two = stream.take(2)
        assert [(i.kind, i.instruction_id, i.amount.minor_units, i.number) for i in (one, two)] == [
            (Kind.STATUS, a.instruction_id, net, 1), (Kind.STATUS, b.instruction_id, net, 1)]
        settle.recall(b)
        recall, = stream.take(1)
        assert (recall.kind, recall.instruction_id, recall.reason_code) == (Kind.RECALL, b.instruction_id, "CUST")
    finally:
        stream.close()
    again = inquiries(bank, one.resume_token)
    assert [i.inquiry_id for i in again.take(2)] == [two.inquiry_id, recall.inquiry_id]
    again.close()
    R = bank.api.settlement.ConfirmationResult
    results = answer(bank, (one.inquiry_id, "PDNG", ""), (one.inquiry_id, "PDNG", ""), (recall.inquiry_id, "PDCR", ""),
                     (recall.inquiry_id, "RJCR", "NOOR"), (recall.inquiry_id, "CNCL", ""))
    assert [(r.outcome, r.reason) for r in results] == [
        (R.OUTCOME_RECORDED, ""), (R.OUTCOME_DUPLICATE, ""), (R.OUTCOME_RECORDED, ""), (R.OUTCOME_RECORDED, ""),
        (R.OUTCOME_REFUSED, "ALREADY_CONFIRMED_DIFFERENTLY")]
    bank.confirm(bank.settled(a))
    everything = inquiries(bank)
    assert [i.inquiry_id for i in everything.take(1)] == [two.inquiry_id] and everything.silent()
    everything.close()


def test_answers_are_refused_each_by_itself_and_change_nothing(world, scene):
    platform, bank, settle = scene
    stranger = world.bank()
    platform.submit(platform.details(bank), 10_000)
    told, = bank.take(1)
    settle.ask(told)
    settle.recall(told)
    stream = inquiries(bank)
    status, recall = (i.inquiry_id for i in stream.take(2))
    stream.close()
    R = bank.api.settlement.ConfirmationResult
    wrong = (("", "PDNG", "", "FIELD_REQUIRED", "inquiry_id"), ("UJ1-1", "PDNG", "", "INQUIRY_NOT_FOUND", "inquiry_id"),
             (status[:-1] + "9", "PDNG", "", "INQUIRY_NOT_FOUND", "inquiry_id"), (status, "", "", "FIELD_REQUIRED", "status_code"),
             (status, "ACSC", "", "FIELD_INVALID", "status_code"), (status, "RJCT", "AC04", "FIELD_INVALID", "status_code"),
             (status, "P" * 36, "", "TEXT_TOO_LONG", "status_code"), (status, "PDNG", "P" * 36, "TEXT_TOO_LONG", "reason_code"),
             (recall, "ACSP", "", "FIELD_INVALID", "status_code"), (recall, "RJCR", "", "FIELD_REQUIRED", "reason_code"),
             (recall, "RJCR", "no!", "REASON_CODE_UNKNOWN", "reason_code"))
    with world.nothing_changes():
        results = answer(bank, *[w[:3] for w in wrong])
        assert [(r.outcome, r.reason, r.field) for r in results] == [
            (R.OUTCOME_REFUSED, reason, "answers[%d].%s" % (i, field)) for i, (*_, reason, field) in enumerate(wrong)]
        assert [r.reason for r in answer(stranger, (status, "PDNG", ""), (recall, "CNCL", ""))] == ["INQUIRY_NOT_FOUND"] * 2
        s = bank.api.settlement
        assert world.refused(bank.settlement.AnswerInquiries, s.AnswerInquiriesRequest()).reason == "BATCH_EMPTY"
        too_many = s.AnswerInquiriesRequest(answers=[s.InquiryAnswer(inquiry_id=status, status_code="PDNG")] * 1001)
        assert world.refused(bank.settlement.AnswerInquiries, too_many).reason == "BATCH_TOO_LARGE"
    bank.confirm(bank.settled(told))
    assert answer(bank, (status, "PDNG", ""))[0].reason == "ALREADY_CONFIRMED_DIFFERENTLY"


def test_a_token_of_another_bank_or_kind_is_refused(world, scene):
    platform, bank, settle = scene
    stranger = world.bank()
    platform.submit(platform.details(bank), 10_000)
    told, = bank.take(1)
    settle.ask(told)
    stream = inquiries(bank)
    token = stream.take(1)[0].resume_token
    stream.close()
    s = bank.api.settlement
    for who, text in ((stranger, token), (bank, told.resume_token), (bank, "x")):
        ended = inquiries(who, text).ended()
        assert ended.code().name == "INVALID_ARGUMENT" and "RESUME_TOKEN_INVALID" in str(ended.trailing_metadata())
    assert world.refused(platform.settlement.GetWindow, s.GetWindowRequest()).reason == "ROLE_FORBIDDEN" if hasattr(platform, "settlement") else True
