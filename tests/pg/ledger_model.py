"""The ledger in a hundred lines of Python, and a hand on the real one, to be driven side by side.

The model knows nothing of SQL: it says what every call should answer and what every account should then hold, from
docs/accounting.md.
"""
import hashlib
import json
import pathlib
from fractions import Fraction

import psycopg

ROOT = pathlib.Path(__file__).resolve().parents[2]
PKR, USD, JPY, KWD = 586, 840, 392, 414
DIGITS = {PKR: 2, USD: 2, JPY: 0, KWD: 3}
CODE = {PKR: "PKR", USD: "USD", JPY: "JPY", KWD: "KWD"}
RATE = {USD: 2779612000000, JPY: 18845000000, KWD: 9081234000000, PKR: 10000000000}  # PKR for 1, times 10^10
PAYABLE = 2147483647
ACCEPTED, INSTRUCTED, SETTLED, REJECTED, RETURNED, CANCELLED, PARTLY_RETURNED = 1, 3, 4, 5, 6, 7, 10
STEPS_MAX = 31   # of a payout
# reasons: domain/reason.h
(OK, DUPLICATE, AMOUNT_ZERO, CURRENCY_NOT_SUPPORTED, CURRENCY_MISMATCH, INSUFFICIENT_FLOAT, AMOUNT_OVER_LIMIT, BANK_NOT_CONNECTED,
 BENEFICIARY_NOT_FOUND, FIELD_INVALID, REFERENCE_REUSED, QUOTE_NOT_FOUND, QUOTE_EXPIRED, QUOTE_USED, QUOTE_MISMATCH,
 PAYOUT_NOT_FOUND, STATE_CONFLICT, CONFIRMED_DIFFERENTLY, INSTRUCTION_NOT_FOUND) = (
    0, 1, 100, 107, 108, 109, 102, 205, 211, 305, 400, 401, 402, 403, 404, 408, 409, 410, 411)


def price(gross, src, fee, margin_bps):
    """domain/pricing.h, in exact fractions."""
    mid = RATE[src]
    value = Fraction((gross - fee) * mid, 10**10) * Fraction(10) ** (DIGITS[PKR] - DIGITS[src])
    mid_value = round(value)  # to the nearest, a tie to the even one
    margin = mid_value * margin_bps // 10000
    return {"gross": gross, "fee": fee, "mid_rate_e10": mid, "mid_value": mid_value, "margin_bps": margin_bps,
            "margin": margin, "net": mid_value - margin, "src_ccy": src, "dst_ccy": PKR,
            "digit_shift": DIGITS[PKR] - DIGITS[src]}


def returned_shares(lines, payable, net, returned):
    """domain/journal.h: what each of the lines (account, minor) of a payout is worth with so much of its net back; lines of one account's
    currency, which its code ends with, sum to zero."""
    shares = [-returned if account == payable else int(Fraction(minor * returned, net)) for account, minor in lines]
    for ccy in {account[-3:] for account, _ in lines}:
        of = [i for i, (account, minor) in enumerate(lines) if account[-3:] == ccy]
        rest = [i for i in of if lines[i][0] != payable and lines[i][1] != 0][-1]
        shares[rest] = -sum(shares[i] for i in of if i != rest)
    return shares


def statement(name):
    return (ROOT / "ledger" / "sql" / (name + ".sql")).read_text()


class Ledger:
    """One book of a real database."""

    def __init__(self, db, code, banks=("MUCB", "HABB", "SCBL"), currencies=(USD, JPY, KWD)):
        self.db = db
        one = self.one
        for ccy, digits in DIGITS.items():
            db.execute("INSERT INTO currency VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (ccy, CODE[ccy], digits))
        for bank in banks:
            db.execute("""INSERT INTO bank (bank_id, code, name) SELECT coalesce(max(bank_id), 0) + 1, %s, %s FROM bank
                          ON CONFLICT DO NOTHING""", (bank, bank))
        self.bank = {b: one("SELECT connect_bank(%s)", b) for b in banks}
        self.book = one("SELECT open_book(%s, %s)", code, code)
        self.code = code
        for ccy in currencies:
            db.execute("SELECT open_currency(%s, %s)", (self.book, CODE[ccy]))
        self.principal = one("SELECT principal_id FROM principal WHERE uri = %s", f"ujrat://platform/{code}")
        self.bank_principal = {b: one("SELECT principal_id FROM principal WHERE uri = %s", f"ujrat://bank/{b}") for b in banks}
        self.policy = None      # the version that prices; no version is there
        self.rate_id = one("SELECT import_rates('TEST', '2026-07-17', '2026-07-17 11:00Z', 'f', sha256('x'), 't', NULL, %s, %s)",
                           list(RATE), list(RATE.values()))
        self.account = {c: i for i, c in db.execute("SELECT account_id, code FROM account WHERE book_id = %s", (self.book,))}
        self.prepared = set()
        self.answers = {}

    def one(self, sql, *args):
        return self.db.execute(sql, args).fetchone()[0]

    def named(self, name, *args):
        """Runs ledger/sql/<name>.sql as the gateway does: prepared, $1 ..."""
        if name not in self.prepared:
            self.db.execute(f"DEALLOCATE PREPARE {name}" if self.db.execute(
                "SELECT 1 FROM pg_prepared_statements WHERE name = %s", (name,)).fetchone() else "SELECT 1")
            self.db.execute(f"PREPARE {name} AS {statement(name)}")
            self.prepared.add(name)
        values = ", ".join(psycopg.sql.Literal(a).as_string(self.db) for a in args)
        return self.db.execute(f"EXECUTE {name}" + (f"({values})" if args else ""), prepare=False).fetchall()

    def reason_of(self, call):
        """0, or the reason it was refused with."""
        try:
            call()
            return OK
        except psycopg.Error as e:
            if not (e.sqlstate or "").startswith("UJ"):
                raise
            return int(e.sqlstate[2:])

    # ------------------------------------------------------------------ what the gateway calls
    def deposit(self, ccy, amount, reference):
        return self.reason_of(lambda: self.db.execute("SELECT deposit_float(%s, %s, %s, %s, %s)",
                                                      (self.book, self.principal, CODE[ccy], amount, reference)))

    def beneficiary(self, request, bank):
        return self.one("SELECT register_beneficiary(%s, %s, %s, " + ARRAY_OF["beneficiary_draft"] + ")",
                        self.book, self.principal, request, json.dumps([self.details(request, bank)]))

    def move_beneficiary(self, beneficiary, name, bank):
        self.db.execute("SELECT update_beneficiary(%s, %s, %s, 0, " + ARRAY_OF["beneficiary_draft"] + ")",
                        (self.book, self.principal, beneficiary, json.dumps([self.details(name, bank)])))

    def details(self, name, bank):
        print_ = hashlib.md5(f"{name}/{bank}".encode()).hexdigest()
        commitment = lambda what: "\\x" + hashlib.sha256(f"{what} of {name}".encode()).hexdigest()
        return {"fingerprint": "\\x" + print_, "bank_id": self.bank[bank], "channel": 1, "purpose_code": "9186",
                "name_commitment": commitment("name"), "mobile_commitment": commitment("mobile"),
                "cnic_commitment": commitment("cnic"), "pii_key": 1, "pii": "\\x" + name.encode().hex()}

    def lines(self, pricing):
        src = CODE[pricing["src_ccy"]]
        lines = [(self.account.get("float." + src, 1), pricing["src_ccy"], pricing["gross"]),
                 (self.account.get("fee." + src, 1), pricing["src_ccy"], -pricing["fee"]),
                 (self.account.get("position." + src, 1), pricing["src_ccy"], pricing["fee"] - pricing["gross"]),
                 (self.account["position.PKR"], PKR, pricing["mid_value"]),
                 (self.account["margin.PKR"], PKR, -pricing["margin"]),
                 (PAYABLE, PKR, -pricing["net"])]
        lines = [l for l in lines if l[2] != 0]
        return {"line_account": [l[0] for l in lines], "line_ccy": [l[1] for l in lines], "line_minor": [l[2] for l in lines]}

    def draft(self, reference, beneficiary_id, pricing, carried=None, quote_id=None, refusal=0):
        body = json.dumps([beneficiary_id, carried, pricing["gross"], pricing["src_ccy"], quote_id])
        return {"reference": reference, "fingerprint": "\\x" + hashlib.md5(body.encode()).hexdigest(),
                "beneficiary_id": beneficiary_id, "carried": carried, "quote_id": quote_id, "rate_id": self.rate_id, "policy_id": self.policy,
                "refusal": refusal, **pricing, **self.lines(pricing)}

    def post(self, drafts):
        return self.db.execute("SELECT outcome, payout_id FROM post_payouts(%s, %s, " + ARRAY_OF["payout_draft"] + ")",
                               (self.book, self.principal, json.dumps(drafts))).fetchone()

    def quote(self, request, pricing, ttl_ms):
        p = pricing
        return self.one("SELECT create_quote(%s, %s, %s, sha256('q')::bytea, %s::int2, %s::int2, %s::int2, %s, %s::int8[], %s, %s, %s)"
                        .replace("sha256('q')::bytea", "substr(sha256('q'), 1, 16)"),
                        self.book, self.principal, request, p["src_ccy"], p["dst_ccy"], p["digit_shift"], self.rate_id,
                        [p["gross"], p["fee"], p["mid_rate_e10"], p["mid_value"], p["margin"], p["net"]], p["margin_bps"], ttl_ms, self.policy)

    def hand_out(self, bank, limit):
        return self.named("settlement_hand_out", self.book, self.bank[bank], self.bank_principal[bank], limit)[0][:2]

    def confirm(self, bank, items):
        return self.db.execute("SELECT outcome FROM confirm_instructions(%s, %s::int2, %s, " + ARRAY_OF["confirmation_draft"] + ")",
                               (self.book, self.bank[bank], self.bank_principal[bank], json.dumps(items))).fetchone()[0]

    def give_back(self, bank, payout, ccy, amount, charge, code, reference):
        """(verdict, state, returned so far); of one that is more than is left (102, what is left)."""
        return self.said_once((payout, reference), "settlement_return", self.book, self.bank[bank], self.bank_principal[bank], payout, ccy,
                              amount, charge, code, reference)

    def take_back(self, bank, payout, returned, code, reference):
        return self.said_once((payout, reference), "settlement_reverse_return", self.book, self.bank[bank], self.bank_principal[bank], payout,
                              returned, code, reference)

    def said_once(self, key, name, *args):
        rows = []
        verdict = self.reason_of(lambda: rows.extend(self.named(name, *args)))
        if verdict != OK:
            return (verdict,)
        if name == "settlement_return" and rows[0][3] is not None:
            return (AMOUNT_OVER_LIMIT, rows[0][3])
        assert self.answers.setdefault(key, rows[0]) == rows[0]      # a repeat is answered as the first time, its time too
        return (OK, *rows[0][1:3])

    def fund(self, bank, amount, src, cost, reference):
        return self.reason_of(lambda: self.db.execute("SELECT fund_nostro(%s, %s, %s::int2, 'PKR', %s, %s, %s, %s)",
                                                      (self.book, self.principal, self.bank[bank], amount, CODE[src], cost, reference)))

    def cancel(self, payout):
        return self.reason_of(lambda: self.named("payout_cancel", self.book, self.principal, payout))


    # ------------------------------------------------------------------ batches, and what is unclaimed
    def credential(self):
        return self.one("SELECT coalesce((SELECT credential_id FROM rest_credential WHERE client_id = %s), add_rest_credential("
                        "%s, %s, substr(sha256('s'), 1, 16), sha256('h'), sha256('k'), false))", "client-of-" + self.code.ljust(20, "-"),
                        f"ujrat://platform/{self.code}", "client-of-" + self.code.ljust(20, "-"))

    def nobody(self, reference, gross, ccy, info=None):
        """The draft of an item for a receiver that nobody has."""
        return {"reference": reference, "fingerprint": "\\x" + hashlib.md5(reference.encode()).hexdigest(), "info": info, "gross": gross,
                "src_ccy": ccy, "refusal": 0}

    @staticmethod
    def lookup(receiver):
        return hashlib.sha256(b"lookup of " + receiver.encode()).digest()

    def item(self, receiver=None, sender_item_id=None):
        return {"sender_item_id": sender_item_id, "recipient_type": 1 if receiver else 3, "receiver_kind": 1 if receiver else None,
                "receiver_lookup": "\\x" + self.lookup(receiver).hex() if receiver else None, "key_id": 1, "sealed": "\\x" + b"sealed".hex()}

    def submit_batch(self, drafts, items, sender=None, request=None, body=b"", ttl_s=30 * 86400, ccy=USD, db=None):
        """(verdict, batch_id, committed_at, same_body, same_names)"""
        return (db or self.db).execute(
            "SELECT * FROM submit_batch(%s, %s, %s, %s, %s, %s, NULL, NULL, %s::int2, %s::int8, %s, " + ARRAY_OF["payout_draft"] + ", "
            + ARRAY_OF["batch_item_draft"] + ")",
            (self.book, self.principal, self.credential(), sender, request, hashlib.md5(body).digest(), ccy,
             sum(d["gross"] for d in drafts), ttl_s, json.dumps(drafts), json.dumps(items))).fetchone()

    def items_of(self, batch):
        """item_no -> (state, payout_id, unclaimed_id, reason)"""
        return {r[0]: r[1:5] for r in self.named("batch_items", self.book, batch, 0, 15000)}

    def add_receiver(self, beneficiary, receiver):
        return self.named("receiver_add", self.book, self.principal, beneficiary, 1, self.lookup(receiver), 1, b"sealed")[0][0]

    def claim(self, ids, drafts, db=None):
        return (db or self.db).execute("SELECT outcome, payout_id FROM claim_unclaimed(%s, 0, %s, " + ARRAY_OF["payout_draft"] + ")",
                                       (self.book, ids, json.dumps(drafts))).fetchone()

    def return_unclaimed(self, ids, db=None):
        return (db or self.db).execute("SELECT outcome FROM return_unclaimed(%s, 0, %s)", (self.book, ids)).fetchone()[0]

    def cancel_unclaimed(self, id, db=None):
        return self.reason_of(lambda: (db or self.db).execute("SELECT cancel_unclaimed(%s, %s, %s)", (self.book, self.principal, id)))


ARRAY_OF = {t: f"ARRAY(SELECT json_populate_record(NULL::{t}, x) FROM json_array_elements(%s::json) WITH ORDINALITY a(x, i) ORDER BY i)"
            for t in ("payout_draft", "beneficiary_draft", "confirmation_draft", "batch_item_draft")}


def check_books_are_sound(db, book=None):
    """What must hold of every book after every commit. Knows no model."""
    only = "" if book is None else f" AND book_id = {int(book)}"

    def nothing(sql, what):
        bad = db.execute(sql).fetchall()
        assert not bad, f"{what}: {bad[:5]}"

    nothing(f"SELECT book_id, ccy, sum(balance) FROM account_now WHERE true{only} GROUP BY 1, 2 HAVING sum(balance) <> 0",
            "a currency does not sum to zero")
    nothing(f"""SELECT n.code, n.balance, p.* FROM account_now n
                  LEFT JOIN (SELECT book_id, account_id, sum(minor) AS sum, count(*) FILTER (WHERE minor > 0) AS debits,
                                    count(*) FILTER (WHERE minor < 0) AS credits FROM posting WHERE true{only} GROUP BY 1, 2) p
                 USING (book_id, account_id)
                 WHERE (n.balance, n.debit_count, n.credit_count)
                       IS DISTINCT FROM (coalesce(p.sum, 0), coalesce(p.debits, 0), coalesce(p.credits, 0)){only}""",
            "a balance is not the sum of its postings")
    nothing(f"SELECT book_id, code, balance FROM account_now WHERE role = 'float' AND balance > 0{only}", "a float is below zero")
    nothing(f"""SELECT * FROM (SELECT b.*, lag(last_seq, 1, 0::bigint) OVER w AS before, lag(block_no, 1, 0::bigint) OVER w AS no_before,
                                      lag(committed_at) OVER w AS at_before
                                 FROM block b WHERE true{only} WINDOW w AS (PARTITION BY book_id ORDER BY block_no)) t
                 WHERE first_seq <> before + 1 OR block_no <> no_before + 1 OR committed_at <= at_before""",
            "blocks do not follow one another")
    nothing(f"""SELECT h.book_id FROM book_head h LEFT JOIN LATERAL (SELECT * FROM block b WHERE b.book_id = h.book_id
                  ORDER BY block_no DESC LIMIT 1) k ON true
                 WHERE (next_seq, next_block) IS DISTINCT FROM (coalesce(k.last_seq, 0) + 1, coalesce(k.block_no, 0) + 1)
                 {only.replace('book_id', 'h.book_id')}""", "the head is not at the end")
    nothing(f"""SELECT a.book_id, a.code, -a.balance, coalesce(u.gross, 0) FROM account_now a
                  LEFT JOIN (SELECT u.book_id, u.ccy, sum(u.gross) AS gross FROM unclaimed u
                              WHERE NOT EXISTS (SELECT FROM unclaimed_end e WHERE e.book_id = u.book_id AND e.unclaimed_id = u.unclaimed_id)
                              GROUP BY 1, 2) u USING (book_id, ccy)
                 WHERE a.role = 'unclaimed' AND -a.balance <> coalesce(u.gross, 0){only.replace('book_id', 'a.book_id')}""",
            "what is unclaimed is not what its account says")
    nothing(f"""SELECT book_id, unclaimed_id, expires_at FROM unclaimed u WHERE NOT EXISTS (SELECT FROM unclaimed_end e
                   WHERE e.book_id = u.book_id AND e.unclaimed_id = u.unclaimed_id){only}
                EXCEPT SELECT book_id, unclaimed_id, expires_at FROM unclaimed_open""", "unclaimed, and not open")
    nothing(f"""SELECT book_id, unclaimed_id FROM unclaimed_open o WHERE EXISTS (SELECT FROM unclaimed_end e
                   WHERE e.book_id = o.book_id AND e.unclaimed_id = o.unclaimed_id){only}""", "open, and ended")
    nothing(f"""SELECT j.book_id, j.seq, j.kind FROM journal j
                  LEFT JOIN unclaimed u ON u.book_id = j.book_id AND u.unclaimed_id = j.seq AND j.kind = 15
                  LEFT JOIN unclaimed_end e ON e.book_id = j.book_id AND e.seq = j.seq AND e.unclaimed_id = j.reverses_seq
                        AND j.kind = CASE e.outcome WHEN 1 THEN 16 ELSE 17 END
                 WHERE j.kind IN (15, 16, 17) AND u.unclaimed_id IS NULL AND e.unclaimed_id IS NULL{only.replace('book_id', 'j.book_id')}""",
            "a journal of something unclaimed that has no row")
    nothing(f"""SELECT u.book_id, u.unclaimed_id FROM unclaimed u JOIN unclaimed_end e USING (book_id, unclaimed_id)
                  LEFT JOIN payout p ON p.book_id = e.book_id AND p.payout_id = e.payout_id AND p.reference = u.reference
                        AND p.gross = u.gross AND p.src_ccy = u.ccy AND p.info IS NOT DISTINCT FROM u.info
                 WHERE e.outcome = 1 AND p.payout_id IS NULL{only.replace('book_id', 'u.book_id')}""", "claimed by another payout")
    nothing(f"""SELECT b.book_id, b.batch_id, b.items, b.amount, count(i.item_no), sum(i.gross) FROM payout_batch b
                  LEFT JOIN payout_batch_item i USING (book_id, batch_id) WHERE true{only}
                 GROUP BY 1, 2, 3, 4 HAVING (b.items, b.amount) IS DISTINCT FROM (count(i.item_no), sum(i.gross)) OR max(i.item_no) <> b.items""",
            "a batch is not the sum of its items")
    nothing(f"""SELECT i.book_id, i.batch_id, i.item_no FROM payout_batch_item i
                  LEFT JOIN payout p ON p.book_id = i.book_id AND p.payout_id = i.payout_id AND p.gross = i.gross
                  LEFT JOIN unclaimed u ON u.book_id = i.book_id AND u.unclaimed_id = i.unclaimed_id AND u.gross = i.gross
                        AND (u.batch_id, u.item_no) = (i.batch_id, i.item_no)
                 WHERE i.reason IS NULL AND p.payout_id IS NULL AND u.unclaimed_id IS NULL{only.replace('book_id', 'i.book_id')}""",
            "an item stands for nothing")
    nothing(f"""SELECT b.book_id, b.block_no FROM block b LEFT JOIN journal j ON j.book_id = b.book_id
                   AND j.seq BETWEEN b.first_seq AND b.last_seq AND j.block_no = b.block_no
                 WHERE true{only.replace('book_id', 'b.book_id')}
                 GROUP BY 1, 2, b.first_seq, b.last_seq HAVING count(j.seq) <> b.last_seq - b.first_seq + 1""",
            "a block lacks a journal")
