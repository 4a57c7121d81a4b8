"""A hand on the settlement functions, and what must hold of windows after every commit."""
import datetime

from ledger_model import *

WINDOW_NOT_FOUND, INQUIRY_NOT_FOUND = 420, 421
ANY = object()


class Bank:
    """One bank as ujrat-settle and the gateway see it, over several books."""

    def __init__(self, db, code, books):
        self.db, self.code, self.books = db, code, books
        self.id = books[0].bank[code]
        self.principal = books[0].bank_principal[code]
        self.settle = books[0].one("SELECT add_principal('ujrat://system/settle', 'system')")

    def one(self, sql, *args):
        return self.db.execute(sql, args).fetchone()[0]

    def row(self, sql, *args):
        cursor = self.db.execute(sql, args)
        return dict(zip([c.name for c in cursor.description], cursor.fetchone()))

    def rows(self, sql, *args):
        return self.db.execute(sql, args).fetchall()

    def refused(self, call, *args, **named):
        return self.books[0].reason_of(lambda: call(*args, **named))

    def terms(self, mode="instant", channel="grpc", cutoffs=("11:00", "15:00"), ramadan=("10:00",), instruction_max=None,
              window_max=None, cap=None, low=None, within="4 hours", escalate="8 hours", settle="4 hours", ccy=PKR, start=None):
        return self.one("SELECT set_bank_terms(%s::int2, %s, %s, %s::time[], %s::time[], %s::int2, %s, %s, %s, %s, %s, %s, %s, "
                        "'pacs.008.001.08', 'test', %s)", self.id, mode, channel, list(cutoffs), list(ramadan), ccy, instruction_max,
                        window_max, cap, low, within, escalate, settle, start)

    def open(self):
        return self.row("SELECT * FROM open_first_window(%s::int2, clock_timestamp() + interval '1 hour')", self.id)

    def close(self, window, settle_by="4 hours"):
        return self.row("SELECT * FROM close_window(%s::int2, %s, %s, clock_timestamp() + %s::interval, clock_timestamp() + interval '1 day')",
                        self.id, window, self.settle, settle_by)

    def hand_out(self, ledger, limit=1000, principal=ANY):
        return self.row("SELECT * FROM hand_out_window(%s, %s::int2, %s, %s)", ledger.book, self.id,
                        self.settle if principal is ANY else principal, limit)

    def stream(self, ledger, limit=1000):
        return self.row("SELECT * FROM hand_out(%s, %s::int2, %s, %s)", ledger.book, self.id, self.principal, limit)

    def totals(self, window):
        return self.row("SELECT * FROM window_totals(%s::int2, %s)", self.id, window)

    def window(self, window):
        return self.row("SELECT * FROM windows_of_bank(%s::int2, %s, 1)", self.id, window)

    def end(self, window, late=None):
        return self.one("SELECT end_window(%s::int2, %s, %s, clock_timestamp() + %s::interval)", self.id, window, self.settle, late)

    def report(self, window, *totals, ccy=PKR):
        return self.one("SELECT report_window(%s::int2, %s, %s, %s::int2, %s, %s, %s, %s)", self.id, window, self.principal, ccy, *totals)

    def position(self):
        return self.row("SELECT * FROM bank_position(%s::int2)", self.id)

    def pending(self, ledger):
        """Payouts that it was told of and has not answered."""
        return self.rows("""SELECT payout_id, net FROM payout p WHERE book_id = %s AND bank_id = %s
                               AND order_number(book_id, payout_id) <= handed_out_upto(book_id, bank_id) AND NOT EXISTS (SELECT FROM payout_transition t
                                   WHERE (t.book_id, t.payout_id) = (p.book_id, p.payout_id)) ORDER BY 1""", ledger.book, self.id)

    def answer(self, ledger, payout, net, state=SETTLED, **more):
        item = {"payout_id": payout, "state": state, "ccy": PKR, "amount": net, "bank_reference": f"B{payout}" if state == SETTLED else None,
                "tax_withheld": None, "eprc_number": None, "reason_code": None if state == SETTLED else "AC04", **more}
        return ledger.confirm(self.code, [item])[0]

    def answer_all(self, ledger, state=SETTLED):
        for payout, net in self.pending(ledger):
            assert self.answer(ledger, payout, net, state) == OK

    def overdue(self, before="clock_timestamp()", limit=1000):
        return self.rows(f"SELECT book_id, payout_id, net, inquiry_no FROM overdue_instructions(%s::int2, {before}, %s)", self.id, limit)

    def ask(self, ledger, payouts, escalated=False, before="clock_timestamp()"):
        return self.one(f"SELECT ask(%s::int2, %s, %s::bigint[], %s, {before})", self.id, ledger.book, list(payouts), [escalated] * len(payouts))

    def questions(self, after=0, limit=100):
        return self.rows("SELECT question_no, kind, book_id, payout_id, number, reason_code FROM open_questions(%s::int2, %s, %s)",
                         self.id, after, limit)

    def say(self, *items):
        """Each (kind, book, payout, number, status, reason)."""
        return self.one("SELECT answer_questions(%s::int2, %s, ARRAY(SELECT ROW(v.*)::question_answer FROM json_to_recordset(%s) "
                        "v (k int2, b int4, p int8, n int2, s text, r text)))", self.id, self.principal,
                        json.dumps([dict(zip("kbpnsr", i)) for i in items]))


def pay(ledger, bank, amounts, stem="p"):
    """Payouts of these gross amounts (USD minor units) to a bank's beneficiary: their ids."""
    ledger.counter = getattr(ledger, "counter", 0)
    beneficiary = ledger.beneficiary(f"ben-{bank}", bank)
    drafts = []
    for amount in amounts:
        ledger.counter += 1
        drafts.append(ledger.draft(f"{stem}-{ledger.counter}", beneficiary, price(amount, USD, 0, 0)))
    outcome, ids = ledger.post(drafts)
    assert set(outcome) == {OK}, outcome
    return ids


def net_of(amount):
    return price(amount, USD, 0, 0)["net"]


def check_settlement_is_sound(db, upto=0):
    """What must hold of what banks were told, after every commit. Everything is counted anew from the rows. Of hand-outs up to
    the journal upto, made by an older version, it was not kept what they come to."""
    def nothing(sql, what):
        bad = db.execute(sql).fetchall()
        assert not bad, f"{what}: {bad[:5]}"

    told = """SELECT h.book_id, h.bank_id, h.window_no, h.seq, h.instructions, h.amount, count(p.payout_id) AS n, coalesce(sum(p.net), 0) AS due,
                     count(p.payout_id) FILTER (WHERE t.state IS NULL) AS pending_n, coalesce(sum(p.net) FILTER (WHERE t.state IS NULL), 0) AS pending
                FROM handout h LEFT JOIN ((SELECT p.*, CASE WHEN NOT EXISTS (SELECT FROM payout_hold d WHERE (d.book_id, d.payout_id) = (p.book_id, p.payout_id))
                                                            THEN p.payout_id ELSE (SELECT max(e.seq) FROM payout_hold_end e
                                                                  WHERE (e.book_id, e.payout_id, e.outcome) = (p.book_id, p.payout_id, 1)) END AS place
                                             FROM payout p WHERE NOT EXISTS (SELECT FROM payout_hold_open o WHERE (o.book_id, o.payout_id) = (p.book_id, p.payout_id))) p
                                          LEFT JOIN payout_transition t ON (t.book_id, t.payout_id, t.step) = (p.book_id, p.payout_id, 1))
                  ON p.book_id = h.book_id AND p.bank_id = h.bank_id AND p.place > h.prev_payout_id AND p.place <= h.last_payout_id
                 AND t.state IS DISTINCT FROM 7 AND t.state IS DISTINCT FROM 9
               GROUP BY h.book_id, h.bank_id, h.window_no, h.seq, h.instructions, h.amount"""
    nothing(f"SELECT * FROM ({told}) t WHERE (instructions, amount) IS DISTINCT FROM (n, due)"
            f" AND NOT (seq <= {int(upto)} AND (instructions, amount) IS NULL)", "a hand-out is not what it says")
    nothing(f"""SELECT * FROM (SELECT book_id, bank_id, sum(pending_n) AS n, sum(pending) AS due FROM ({told}) t GROUP BY 1, 2) t
                  FULL JOIN bank_book USING (book_id, bank_id)
                 WHERE (pending_count, pending_amount) IS DISTINCT FROM (n, due)""", "pending is not what is pending")
    nothing(f"""SELECT * FROM window_closing c LEFT JOIN (SELECT bank_id, window_no, sum(n) AS n, sum(due) AS due FROM ({told}) t GROUP BY 1, 2) t
                 USING (bank_id, window_no) WHERE (instructions, amount) IS DISTINCT FROM (coalesce(n, 0), coalesce(due, 0))""",
            "a closed window is not its hand-outs")
    nothing("""SELECT * FROM window_closing c LEFT JOIN (SELECT bank_id, window_no, sum(instructions) AS n, sum(amount) AS due FROM window_book
                GROUP BY 1, 2) b USING (bank_id, window_no) WHERE (instructions, amount) IS DISTINCT FROM (coalesce(n, 0), coalesce(due, 0))""",
            "a closed window is not its books")
    nothing(f"""SELECT * FROM bank_head h LEFT JOIN (SELECT bank_id, window_no, sum(n) AS n, sum(due) AS due FROM ({told}) t GROUP BY 1, 2) t
                 USING (bank_id, window_no) WHERE (window_instructions, window_amount) IS DISTINCT FROM (coalesce(n, 0), coalesce(due, 0))""",
            "an open window is not its hand-outs")
    nothing("""SELECT * FROM settlement_window w LEFT JOIN bank_head h USING (bank_id)
                WHERE (w.window_no < h.window_no) IS DISTINCT FROM EXISTS (SELECT FROM window_closing c WHERE (c.bank_id, c.window_no) = (w.bank_id, w.window_no))
                   OR w.window_no > h.window_no""", "other windows are open than the last")
    nothing("""SELECT h.* FROM handout h JOIN journal j ON (j.book_id, j.seq) = (h.book_id, h.seq)
                WHERE j.detail IS DISTINCT FROM 'window ' || h.window_no""", "a hand-out's journal does not say its window")
    nothing("""SELECT o.* FROM inquiry_open o WHERE EXISTS (SELECT FROM payout_transition t WHERE (t.book_id, t.payout_id) = (o.book_id, o.payout_id))""",
            "what has its answer is still asked about")
    nothing("""SELECT b.* FROM bank_book b JOIN payout p ON (p.book_id, p.bank_id) = (b.book_id, b.bank_id) AND order_number(p.book_id, p.payout_id) <= b.answered_upto
                WHERE NOT EXISTS (SELECT FROM payout_transition t WHERE (t.book_id, t.payout_id) = (p.book_id, p.payout_id))
                  AND NOT EXISTS (SELECT FROM inquiry_open o WHERE (o.book_id, o.payout_id) = (p.book_id, p.payout_id))""",
            "something without an answer would never be asked about")
    nothing("""SELECT i.book_id, i.payout_id FROM (SELECT book_id, payout_id, max(inquiry_no) AS n FROM inquiry GROUP BY 1, 2) i
                WHERE NOT EXISTS (SELECT FROM payout_transition t WHERE (t.book_id, t.payout_id) = (i.book_id, i.payout_id))
                  AND NOT EXISTS (SELECT FROM inquiry_open o WHERE (o.book_id, o.payout_id, o.inquiry_no) = (i.book_id, i.payout_id, i.n))""",
            "what was asked about and has no answer is asked about no more")
    nothing(f"""SELECT * FROM window_end e LEFT JOIN (SELECT bank_id, window_no, sum(pending_n) AS pending, sum(n) AS n, sum(due) AS due FROM ({told}) t
                 GROUP BY 1, 2) t USING (bank_id, window_no)
                 WHERE state = 'SETTLED' AND (coalesce(pending, 0), settled_count + rejected_count, settled_amount + rejected_amount)
                                             IS DISTINCT FROM (0, coalesce(n, 0), coalesce(due, 0))""", "a settled window is not its answers")
    nothing("""SELECT bank_id, window_no FROM window_end GROUP BY 1, 2 HAVING count(*) <> max(step) OR count(*) FILTER (WHERE state = 'SETTLED') > 1
                   OR (array_agg(state ORDER BY step DESC))[1] = 'DISPUTED' AND bool_or(state = 'SETTLED')""", "something became of a settled window")
    nothing("SELECT kind, subject FROM settlement_alert_now GROUP BY 1, 2 HAVING count(*) > 1", "an alert is raised twice at once")
    nothing("""SELECT reference, amount, src_amount FROM funding_plan f LEFT JOIN LATERAL (SELECT sum(amount) AS a, sum(src_amount) AS s
                 FROM funding_plan_part p WHERE p.reference = f.reference) p ON true WHERE (amount, src_amount) IS DISTINCT FROM (a, s)""",
            "a funding is not its parts")
    nothing("""SELECT p.* FROM (SELECT p.book_id, p.payout_id, p.net, t.state, returned_amount(p.book_id, p.payout_id) AS back, m.* FROM payout p
                 LEFT JOIN LATERAL (SELECT state FROM payout_transition t WHERE t.book_id = p.book_id AND t.payout_id = p.payout_id
                                     ORDER BY step DESC LIMIT 1) t ON true
                CROSS JOIN LATERAL (
                    SELECT coalesce(sum(l.minor) FILTER (WHERE a.role = 'payable'), 0) AS payable,
                           coalesce(sum(l.minor) FILTER (WHERE a.role = 'float'), 0) AS float,
                           coalesce(sum(l.minor) FILTER (WHERE a.role = 'held'), 0) AS held,
                           coalesce(sum(l.minor) FILTER (WHERE a.role = 'nostro' OR a.code LIKE 'charge.%'), 0) AS paid
                      FROM journal j CROSS JOIN LATERAL unnest(j.line_account, j.line_minor) l (account, minor)
                      JOIN account a ON a.book_id = j.book_id AND a.account_id = l.account
                     WHERE j.book_id = p.book_id AND j.payout_id = p.payout_id) m) p
                WHERE CASE WHEN EXISTS (SELECT FROM payout_hold_open o WHERE (o.book_id, o.payout_id) = (p.book_id, p.payout_id))
                           THEN state IS NOT NULL OR (payable, paid, held) <> (0, 0, -net)
                           WHEN state IS NULL THEN (payable, paid, held) <> (-net, 0, 0)
                           WHEN state IN (5, 7, 9) THEN (payable, paid, float, held) <> (0, 0, 0, 0)
                           WHEN held <> 0 THEN true
                           ELSE (payable, paid) <> (0, back - net) OR (back = net AND float <> 0) OR (back = 0) IS DISTINCT FROM (state = 4) END""",
            "a payout's money is not where its state says: paid and re-credited, or neither")
    nothing("""SELECT h.book_id, h.payout_id FROM payout_hold h LEFT JOIN payout_hold_end e USING (book_id, payout_id, hold_no)
                 FULL JOIN payout_hold_open o USING (book_id, payout_id, hold_no)
                 WHERE (e.seq IS NULL) IS DISTINCT FROM (o.queue IS NOT NULL AND (o.queue, o.deadline) IS NOT DISTINCT FROM (h.queue, h.deadline))""",
            "what has not ended is not what is open")
    nothing("""SELECT h.book_id, h.payout_id, count(*), max(h.hold_no), count(e.seq) FROM payout_hold h LEFT JOIN payout_hold_end e USING (book_id, payout_id, hold_no)
                 GROUP BY 1, 2 HAVING count(*) <> max(h.hold_no) OR count(*) - count(e.seq) > 1 OR count(*) FILTER (WHERE e.outcome = 2) > 1
                    OR (count(*) FILTER (WHERE e.outcome = 2) = 1) IS DISTINCT FROM
                       EXISTS (SELECT FROM payout_transition t WHERE (t.book_id, t.payout_id, t.step, t.state) = (h.book_id, h.payout_id, 1, 9))""",
            "a payout's holds do not follow one another to one end")
    nothing("""SELECT e.* FROM payout_hold_end e JOIN payout_hold_decision a ON (a.book_id, a.payout_id, a.hold_no, a.decision_no) = (e.book_id, e.payout_id, e.hold_no, e.first_decision)
                 JOIN payout_hold_decision b ON (b.book_id, b.payout_id, b.hold_no, b.decision_no) = (e.book_id, e.payout_id, e.hold_no, e.second_decision)
                 JOIN payout_hold h ON (h.book_id, h.payout_id, h.hold_no) = (e.book_id, e.payout_id, e.hold_no)
                WHERE a.principal_id = b.principal_id OR a.decision <> b.decision OR (e.outcome = 2) <> (a.decision = 'refuse')
                   OR (e.outcome = 1 AND h.reason = 'OPERATOR' AND h.principal_id IN (a.principal_id, b.principal_id))""", "one person ended a hold")
    nothing("""SELECT j.book_id, j.seq, j.kind FROM journal j
                  LEFT JOIN payout_hold h ON (h.book_id, h.seq) = (j.book_id, j.seq) AND j.kind = 18
                  LEFT JOIN payout_hold_end e ON (e.book_id, e.seq) = (j.book_id, j.seq) AND j.kind = 18 + e.outcome
                  LEFT JOIN payout_transition t ON (t.book_id, t.seq, t.state) = (j.book_id, j.seq, 9) AND j.kind = 21
                 WHERE j.kind BETWEEN 18 AND 21 AND num_nonnulls(h.seq, e.seq, t.seq) <> 1""", "a journal of a hold that has no row")
