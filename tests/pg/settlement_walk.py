"""Random histories of settlement, made in the ledger and in the reference model (settlement_reference.py) side by side.

A history is a list of steps; a step is an operation, a number from which everything else about it is drawn when its turn comes,
and its fate. So that what is left of a history when some steps are taken out is a history too: a failure is shrunk by taking out
steps as long as it still fails.

Each history has banks and books of its own. A database holds so many of them (WORLDS), made once as a template. Its functions take the
time from a clock of ours, which a history moves: each has days of its own, so that holidays and deadlines are its own too. They are
before those of the worlds that were used already: of them no terms are in force then, and no alert need look at them.
"""
import contextlib
import dataclasses
import datetime
import json
import random
import re

import psycopg

import settlement_reference as reference
from ledger_model import ARRAY_OF, CODE, JPY, PKR, PAYABLE, USD, Ledger, check_books_are_sound, price, statement
from settle_model import check_settlement_is_sound
from settlement_reference import HELD, INSTRUCTED, PARTLY_RETURNED, RECORDED, REFUSED, REJECTED, RETURNED, SETTLED, Refused, Settlement

WORLDS = 40
FIRST_DAY, DAYS = (datetime.date(2027, 1, 4) - datetime.date(1970, 1, 1)).days, 100     # before all worlds; and of each
OPERATORS = ("model_anna", "model_bilal", "model_chand")
SETTLER = "ujrat://system/settle"
NUMBER = {"PKR": PKR, "USD": USD, "JPY": JPY}
BOOKS = (("USD",), ("PKR", "JPY"), ("USD", "PKR"))      # the currencies of a world's books
STEPS = (12, 28)
FULL_CHECK_EVERY = 12
TOTALS = ("settled_count", "settled_amount", "rejected_count", "rejected_amount")
WINDOW = ("bank_id", "window_no", "state", "instructed_count", "instructed_amount", *TOTALS, "pending_count", "pending_amount", "returned_amount", "net_amount")
POSITION = ("owed", "pending_count", "pending_amount", "waiting_count", "waiting_amount")


class Differs(AssertionError):
    """The ledger and the model do not say the same."""


@dataclasses.dataclass(frozen=True)
class Step:
    operation: str
    roll: int
    fate: str = ""      # undone: its transaction is rolled back; killed: its backend ends; lost: nobody hears the answer, and it is said again


# ---------------------------------------------------------------- worlds
HELPERS = """
-- The clock of a session: the real one, moved. All functions and views of ours are made to take it.
CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.clock_timestamp() + coalesce(current_setting('model.shift', true), '0')::interval $$;
DO $$
DECLARE
    f text;
    v text;
BEGIN
    FOR f IN SELECT oid::regprocedure FROM pg_proc
              WHERE pronamespace = 'ujrat'::regnamespace AND 'search_path=ujrat, pg_temp' = ANY (proconfig) AND prosrc LIKE '%clock_timestamp()%' LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = ujrat, pg_catalog, pg_temp', f);
    END LOOP;
    FOR v IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'ujrat'::regnamespace AND relkind = 'v'
                AND pg_get_viewdef(oid) LIKE '%clock_timestamp()%' LOOP
        EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', v, replace(pg_get_viewdef(v::regclass), 'clock_timestamp()', 'ujrat.clock_timestamp()'));
    END LOOP;
    FOR f IN SELECT format('%I', r) FROM unnest(ARRAY['model_anna', 'model_bilal', 'model_chand']) r WHERE r NOT IN (SELECT rolname FROM pg_roles) LOOP
        EXECUTE 'CREATE ROLE ' || f || ' LOGIN IN ROLE ujrat_operator';
    END LOOP;
END $$;

-- Who is logged in is believed: the model says nothing of codes (test_operator_codes.py does), and its clock jumps.
CREATE OR REPLACE FUNCTION prove_operator(p_code text, p_what text DEFAULT NULL) RETURNS integer LANGUAGE sql SET search_path = ujrat, pg_temp AS
$$ SELECT operator_principal() $$;

CREATE FUNCTION model_wait(p_minutes integer) RETURNS void LANGUAGE sql AS
$$ SELECT set_config('model.shift', (current_setting('model.shift')::interval + make_interval(mins => p_minutes))::text, false) $$;

-- Alerts that are about these: kind, subject, how often raised, and whether it is.
CREATE FUNCTION model_alerts(p_books integer[], p_banks smallint[]) RETURNS jsonb LANGUAGE sql SET search_path = ujrat, pg_temp AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_array(kind, subject, raised, now)), '[]')
      FROM (SELECT a.kind, a.subject, count(*) AS raised, bool_or(e.alert_id IS NULL) AS now
              FROM settlement_alert a LEFT JOIN settlement_alert_end e USING (alert_id)
             WHERE a.subject ~ ('^(' || (SELECT string_agg(code || '( |$)', '|') FROM bank WHERE bank_id = ANY (p_banks)) || '|'
                                || (SELECT string_agg(code || ' |UJ' || book_id || '-', '|') FROM book WHERE book_id = ANY (p_books)) || ')')
             GROUP BY a.kind, a.subject) x
$$;

CREATE FUNCTION model_refresh(p_books integer[], p_banks smallint[]) RETURNS jsonb LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    PERFORM refresh_alerts();
    RETURN model_alerts(p_books, p_banks);
END $$;

CREATE FUNCTION model_now(p_books integer[], p_banks smallint[]) RETURNS jsonb LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    RETURN jsonb_build_object(
        'accounts', (SELECT jsonb_object_agg(a.book_id || ' ' || a.code, b.balance) FROM account a
                      CROSS JOIN LATERAL (SELECT balance FROM account_balance v WHERE v.book_id = a.book_id AND v.account_id = a.account_id
                                           ORDER BY block_no DESC LIMIT 1) b WHERE a.book_id = ANY (p_books) AND b.balance <> 0),
        'pending', (SELECT jsonb_agg(jsonb_build_array(book_id, bank_id, pending_count, pending_amount) ORDER BY book_id, bank_id)
                      FROM bank_book WHERE book_id = ANY (p_books) AND (pending_count, pending_amount) <> (0, 0)),
        'heads', (SELECT jsonb_agg(jsonb_build_array(bank_id, window_no, window_instructions, window_amount) ORDER BY bank_id)
                    FROM bank_head WHERE bank_id = ANY (p_banks)),
        'exposure', (SELECT jsonb_agg(coalesce((SELECT sum(pending_amount) FROM bank_book p WHERE p.bank_id = b), 0)
                                    - coalesce((SELECT sum(v.balance) FROM account a CROSS JOIN LATERAL (
                                          SELECT balance FROM account_balance v WHERE v.book_id = a.book_id AND v.account_id = a.account_id
                                           ORDER BY block_no DESC LIMIT 1) v WHERE a.book_id = ANY (p_books) AND a.bank_id = b AND a.role = 'nostro'), 0) ORDER BY b)
                       FROM unnest(p_banks) b));
END $$;

-- Calls one after the other, each a commit of its own (or none: undone), some by another login (as NAME); after each what there is now,
-- and more where it says look.
CREATE PROCEDURE model_run(p_calls text[], p_books integer[], p_banks smallint[], INOUT results jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    c text;
    answer jsonb;
    refused integer;
    login text;
BEGIN
    results := '[]';
    FOREACH c IN ARRAY p_calls LOOP
        IF c = 'look' THEN
            results := results || jsonb_build_array(model_look(p_books, p_banks));
            CONTINUE;
        END IF;
        answer := NULL;
        refused := NULL;
        login := substring(c FROM '^(?:undone )?as ([a-z_]+) ');
        IF login IS NOT NULL THEN
            PERFORM set_config('session_authorization', login, false);
        END IF;
        BEGIN
            EXECUTE 'SELECT coalesce(jsonb_agg(to_jsonb(x)), ''[]'') FROM (' || regexp_replace(c, '^(undone )?(as [a-z_]+ )?', '') || ') x' INTO answer;
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE NOT LIKE 'UJ%' THEN
                results := results || jsonb_build_array(SQLERRM);
                RETURN;
            END IF;
            refused := substr(SQLSTATE, 3)::integer;
        END;
        IF login IS NOT NULL THEN
            RESET SESSION AUTHORIZATION;
        END IF;
        IF c LIKE 'undone %' THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
        results := results || jsonb_build_array(jsonb_build_object('answer', answer, 'refused', refused, 'now', model_now(p_books, p_banks)));
    END LOOP;
END $$;

CREATE FUNCTION model_look(p_books integer[], p_banks smallint[]) RETURNS jsonb LANGUAGE plpgsql SET search_path = ujrat, pg_temp AS $$
BEGIN
    RETURN jsonb_build_object(
        'payouts', (SELECT jsonb_agg(jsonb_build_array(p.book_id, p.payout_id, payout_state(p.book_id, p.payout_id, p.bank_id),
                                                       returned_amount(p.book_id, p.payout_id)) ORDER BY p.book_id, p.payout_id)
                      FROM payout p WHERE p.book_id = ANY (p_books)),
        'money', (SELECT jsonb_agg(jsonb_build_array(m.book_id, m.payout_id, m.payable, m.nostro, m.float, m.charge) ORDER BY m.book_id, m.payout_id)
                    FROM (SELECT j.book_id, j.payout_id, coalesce(sum(l.minor) FILTER (WHERE a.role = 'payable'), 0) AS payable,
                                 coalesce(sum(l.minor) FILTER (WHERE a.role = 'nostro'), 0) AS nostro,
                                 coalesce(sum(l.minor) FILTER (WHERE a.role = 'float'), 0) AS float,
                                 coalesce(sum(l.minor) FILTER (WHERE a.code = 'charge.PKR'), 0) AS charge
                            FROM journal j CROSS JOIN LATERAL unnest(j.line_account, j.line_minor) l (account, minor)
                            JOIN account a ON a.book_id = j.book_id AND a.account_id = l.account
                           WHERE j.book_id = ANY (p_books) AND j.payout_id IS NOT NULL GROUP BY 1, 2) m),
        'windows', (SELECT jsonb_agg(to_jsonb(w) || jsonb_build_object('bank_id', b) ORDER BY b, w.window_no)
                      FROM unnest(p_banks) b CROSS JOIN LATERAL windows_of_bank(b, 9223372036854775807, 1000) w),
        'parts', (SELECT jsonb_agg(jsonb_build_array(w.bank_id, w.window_no, w.book_id, w.instructions, w.amount) ORDER BY w.bank_id, w.window_no, w.book_id)
                    FROM window_book w WHERE w.bank_id = ANY (p_banks)),
        'closings', (SELECT jsonb_agg(jsonb_build_array(w.bank_id, w.window_no, w.instructions, w.amount) ORDER BY w.bank_id, w.window_no)
                       FROM window_closing w WHERE w.bank_id = ANY (p_banks)),
        'positions', (SELECT jsonb_agg(to_jsonb(p) ORDER BY b) FROM unnest(p_banks) b CROSS JOIN LATERAL bank_position(b) p),
        'questions', (SELECT jsonb_agg(jsonb_build_array(b, q.kind, q.book_id, q.payout_id, q.number) ORDER BY b, q.question_no)
                        FROM unnest(p_banks) b CROSS JOIN LATERAL open_questions(b, 0, 1000) q),
        'open', (SELECT jsonb_agg(jsonb_build_array(a.book_id, a.bank_id, v.credit_count - v.debit_count) ORDER BY a.book_id, a.bank_id)
                   FROM account_now v JOIN account a USING (book_id, account_id) WHERE a.book_id = ANY (p_books) AND a.role = 'payable' AND a.bank_id = ANY (p_banks)),
        'ends', (SELECT jsonb_agg(jsonb_build_array(e.bank_id, e.window_no, e.step, e.state, p.uri, CASE p.role WHEN 'operator' THEN e.reason END)
                                  ORDER BY e.bank_id, e.window_no, e.step)
                   FROM window_end e JOIN principal p USING (principal_id) WHERE e.bank_id = ANY (p_banks)),
        'asked', (SELECT jsonb_agg(jsonb_build_array(q.book_id, q.payout_id, q.inquiry_no, q.escalated) ORDER BY q.book_id, q.payout_id)
                    FROM inquiry_open q WHERE q.book_id = ANY (p_books)),
        'alerts', model_alerts(p_books, p_banks),
        'journals', (SELECT jsonb_agg(next_seq - 1 ORDER BY book_id) FROM book_head WHERE book_id = ANY (p_books)));
END $$;
"""


def bank_code(n):
    return "M" + "".join(chr(65 + n // 26 ** i % 26) for i in (2, 1, 0))


class WorldBook(Ledger):
    """One that is there already, in the ledger's own hand."""

    def __init__(self, db, code, banks):        # without Ledger's: it makes one
        self.db, self.code = db, code
        self.policy, = db.execute("SELECT policy_at(clock_timestamp())").fetchone()
        self.book, self.principal, self.account, self.rate_id, self.bank, self.beneficiaries = db.execute(
            """SELECT b.book_id, p.principal_id, (SELECT jsonb_object_agg(code, account_id) FROM account a WHERE a.book_id = b.book_id),
                      (SELECT max(rate_id) FROM rate_sheet), (SELECT jsonb_object_agg(code, bank_id) FROM bank WHERE code = ANY (%s)),
                      coalesce((SELECT jsonb_object_agg(k.code, f.beneficiary_id) FROM beneficiary f JOIN bank k USING (bank_id)
                                 WHERE f.book_id = b.book_id), '{}')
                 FROM book b JOIN principal p ON p.book_id = b.book_id AND p.role = 'platform' WHERE b.code = %s""",
            (list(banks), code)).fetchone()

    def lines(self, pricing):
        if pricing["src_ccy"] != PKR:
            return super().lines(pricing)
        lines = [(self.account["float.PKR"], pricing["gross"]), (self.account["fee.PKR"], -pricing["fee"]), (PAYABLE, -pricing["net"])]
        lines = [line for line in lines if line[1]]
        return {"line_account": [a for a, _ in lines], "line_ccy": [PKR] * len(lines), "line_minor": [m for _, m in lines]}


def world_of(n, books=3, banks=3):
    """Books and their currencies, and banks: so many of them."""
    codes = [bank_code(3 * n + i) for i in range(banks)]
    return {f"w{n}-{i}": (BOOKS[i], codes) for i in range(books)}, codes


def make_worlds(db):
    """In a database without any: a few SQL helpers of ours, and so many worlds."""
    db.execute(HELPERS)
    Ledger(db, "first", banks=(), currencies=(USD, JPY, PKR))
    for n in range(WORLDS):
        books, banks = world_of(n)
        # A book has an account at every bank that is connected when it is opened: those of its own world alone.
        db.execute("UPDATE bank SET connected = false")
        for code in banks:
            number = db.execute("INSERT INTO bank (bank_id, code, name, connected) SELECT coalesce(max(bank_id), 0) + 1, %s, %s, true FROM bank "
                                "RETURNING bank_id", (code, code)).fetchone()[0]
            db.execute("INSERT INTO principal (uri, role, bank_id) VALUES (%s, 'bank', %s)", ("ujrat://bank/" + code, number))
        for book, (currencies, _) in books.items():
            db.execute("SELECT open_book(%s, %s)", (book, book))
            for ccy in currencies:
                db.execute("SELECT open_currency((SELECT book_id FROM book WHERE code = %s), %s)", (book, ccy))
            ledger = WorldBook(db, book, banks)
            for bank in banks:
                ledger.beneficiary("of-" + bank, bank)
    db.execute("UPDATE bank SET connected = true")
    db.execute("SELECT add_principal('ujrat://system/settle', 'system')")


class Pool:
    """Worlds nobody has used: of databases that are copies of a template, one after the other."""

    def __init__(self, cluster, template, prepare=None):
        self.cluster, self.template, self.prepare = cluster, template, prepare
        self.made, self.next, self.db, self.name = 0, WORLDS, None, None

    def take(self):
        """A connection, and the number of a world."""
        if self.next == WORLDS:
            self.close()
            self.made += 1
            self.next = 0
            self.name = f"{self.template}_{id(self) % 100000}_{self.made}"
            with self.cluster.connect("postgres", autocommit=True) as db:
                db.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
            self.connect()
            if self.prepare:
                self.prepare(self.db)
        self.next += 1
        return self.db, self.next - 1

    def connect(self):
        self.db = self.another()
        return self.db

    def another(self):
        return self.cluster.connect(self.name, autocommit=True, options="-c search_path=ujrat -c synchronous_commit=off -c jit=off "
                                                                        "-c plan_cache_mode=force_generic_plan")

    def close(self):
        if self.db:
            self.db.close()
            with self.cluster.connect("postgres", autocommit=True) as db:
                db.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
            self.db = None


# ---------------------------------------------------------------- the real one
def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "ARRAY[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def moment(minutes):
    return "NULL" if minutes is None else f"to_timestamp({minutes * 60})"


def minutes(n):
    return f"'{n} minutes'"


class Real:
    """The same calls as Settlement's, as SQL; what they answer is brought into the model's form."""

    def __init__(self, pool, db, books, banks, now):
        self.pool, self.db = pool, db
        self.shift = db.execute("SELECT set_config('model.shift', (to_timestamp(%s) - pg_catalog.clock_timestamp())::text, false)",
                                (now * 60,)).fetchone()[0]
        self.books = {code: WorldBook(db, code, banks) for code in books}
        self.bank = next(iter(self.books.values())).bank
        self.who = dict(db.execute("SELECT uri, principal_id FROM principal WHERE uri = ANY (%s)",
                                   ([f"ujrat://bank/{b}" for b in banks] + [SETTLER],)))
        self.settle = self.who[SETTLER]
        self.book_ids = [b.book for b in self.books.values()]
        self.bank_ids = [self.bank[b] for b in banks]

    def run(self, calls):
        """What each of these came to: calls, calls with 'undone ' before them, and looks."""
        return self.db.execute("CALL model_run(%s, %s, %s, NULL)", (calls, self.book_ids, self.bank_ids)).fetchone()[0]

    def killed(self, call):
        """The call's backend is killed before the call is committed; and there is another connection."""
        shift = self.db.execute("SELECT current_setting('model.shift')").fetchone()[0]
        login = re.match("as ([a-z_]+) ", call)
        self.db.execute("BEGIN")
        with contextlib.suppress(psycopg.Error):       # refused as it may be
            if login:
                self.db.execute("SET SESSION AUTHORIZATION " + login[1])
            self.db.execute(call[login.end():] if login else call)
        with self.pool.cluster.connect("postgres", autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (self.db.info.backend_pid,))
        with contextlib.suppress(psycopg.OperationalError):
            self.db.execute("COMMIT")
            raise AssertionError("its backend lives")
        self.db = self.pool.connect()
        self.db.execute("SELECT set_config('model.shift', %s, false)", (shift,))
        for book in self.books.values():
            book.db = self.db

    def call(self, function, *arguments):
        return f"SELECT * FROM {function}({', '.join(arguments)})"

    def sql_of(self, name, a):
        """The statement of a call of the model."""
        v = [literal(x) for x in a]
        book = str(self.books[a[0]].book) if a and a[0] in self.books else None
        bank = lambda code: f"{self.bank[code]}::int2"
        who = lambda code: str(self.who["ujrat://bank/" + code])
        if name == "deposit":
            return self.call("deposit_float", book, str(self.books[a[0]].principal), *v[1:])
        if name == "submit":
            ledger = self.books[a[0]]
            drafts = [ledger.draft(r, ledger.beneficiaries[k], {**price(gross, NUMBER[ccy], fee, bps(ccy, mid_value, margin)), "fee": fee})
                      for r, k, ccy, gross, fee, mid_value, margin, net in a[1]]
            return self.call("post_payouts", book, str(ledger.principal), array_of("payout_draft", drafts))
        if name == "cancel":
            return self.call("cancel_payout", book, str(self.books[a[0]].principal), v[1])
        if name == "set_terms":
            t = a[1]
            return self.call("set_bank_terms", bank(a[0]), literal(t["mode"]), literal(t["channel"]), "'{11:00,15:00}'", "'{10:00}'", "586::int2",
                             *(literal(t[of]) for of in ("instruction_max", "window_max", "cap", "low")),
                             *(minutes(t[of]) for of in ("within", "escalate", "settle")), "'pacs.008.001.08'", "'test'")
        if name == "hand_out":
            return self.call("hand_out" if a[3] else "hand_out_window", book, bank(a[1]), who(a[1]) if a[3] else str(self.settle), v[2])
        if name == "confirm":
            keys = ("payout_id", "state", "ccy", "amount", "bank_reference", "tax_withheld", "eprc_number", "reason_code")
            return self.call("confirm_instructions", book, bank(a[1]), who(a[1]), array_of("confirmation_draft", [dict(zip(keys, i)) for i in a[2]]))
        if name == "give_back":
            return self.call("return_payment", book, bank(a[1]), who(a[1]), v[2], v[3] + "::int2", *v[4:])
        if name == "take_back":
            return self.call("reverse_return", book, bank(a[1]), who(a[1]), *v[2:])
        if name == "fund":
            return self.call("fund_nostro", book, str(self.settle), bank(a[1]), "'PKR'", *v[2:])
        if name == "plan":
            books, amounts, costs = ([self.books[b].book for b in a[5]], *([x[i] for x in a[5].values()] for i in (0, 1)))
            return self.call("plan_funding", v[0], bank(a[1]), "'PKR'", v[2], v[3], v[4], "'test'", literal(books) + "::int4[]",
                             literal(amounts) + "::int8[]", literal(costs) + "::int8[]")
        if name == "planned":
            return f"SELECT book_id, amount, src_amount FROM funding_plan_part WHERE reference = {v[0]} ORDER BY book_id"
        if name == "wait":
            return self.call("model_wait", v[0])
        if name == "record_day":
            return self.call("record_calendar_day", date(a[0]), v[1], v[2], "'test'")
        if name == "works":
            return self.call("working_day", date(a[0]))
        if name == "low_float":
            return self.call("set_float_low", book, v[1], v[2], "'test'")
        if name == "refresh":
            return self.call("model_refresh", literal(self.book_ids), literal(self.bank_ids) + "::int2[]")
        if name == "hold":
            return f"as {a[0]} " + self.call("place_hold", str(self.books[a[1]].book), v[2], v[3], "'seen'", "NULL::jsonb", v[4], moment(a[5]))
        if name in ("decide", "withdraw"):
            return f"as {a[0]} " + self.call("decide_hold" if name == "decide" else "withdraw_hold_decision", str(self.books[a[1]].book), v[2],
                                             v[3] + "::int2", *v[4:], "NULL")
        if name in ("dispute", "propose", "approve"):
            function = {"dispute": "dispute_window", "propose": "propose_window_settled", "approve": "approve_window_settled"}[name]
            return f"as {a[0]} " + self.call(function, bank(a[1]), *v[2:], *([] if name == "dispute" else ["NULL"]))
        if name == "open_first":
            return self.call("open_first_window", bank(a[0]), moment(self.m.next_cutoff()))
        if name == "close":
            settle_by = self.m.calendar.add(self.m.now, self.m.banks[a[0]].terms["settle"]) if self.m.banks[a[0]].terms else self.m.now
            return self.call("close_window", bank(a[0]), v[1], str(self.settle), moment(settle_by), moment(self.m.next_cutoff()))
        if name == "end":
            return self.call("end_window", bank(a[0]), v[1], str(self.settle), moment(a[2]))
        if name == "report":
            return self.call("report_window", bank(a[0]), v[1], who(a[0]), v[2] + "::int2", *v[3:])
        if name == "overdue":
            return self.call("overdue_instructions", bank(a[0]), moment(a[1]), "1000")
        if name == "ask":
            return self.call("ask", bank(a[1]), book, v[2] + "::bigint[]", v[3] + "::boolean[]", moment(a[4]))
        if name == "recall":
            return self.call("request_recall", book, v[1], v[2], str(self.settle))
        assert name == "answer", name
        items = [dict(zip("kbpnsr", (kind, self.books[b].book, *rest))) for kind, b, *rest in a[1]]
        return self.call("answer_questions", bank(a[0]), who(a[0]), "ARRAY(SELECT ROW(v.*)::question_answer FROM json_to_recordset("
                         f"{literal(json.dumps(items))}) v (k int2, b int4, p int8, n int2, s text, r text))")

    def in_the_models_form(self, name, rows):
        r = rows[0] if rows else {}
        book_code = {b.book: code for code, b in self.books.items()}
        if name in ("deposit", "fund"):
            return r["duplicate"]
        if name == "submit":
            return r["outcome"], r["payout_id"]
        if name == "hand_out":
            return r["last_payout_id"], r["moved"], r["kept_back"]
        if name in ("confirm", "answer"):
            return next(iter(r.values()))
        if name == "give_back" and r["only_left"] is not None:
            return {"only_left": r["only_left"]}
        if name in ("give_back", "take_back"):
            return {"state": r["state"], "returned": r["returned"]}
        if name == "open_first":
            return r["window_no"], r["duplicate"]
        if name == "close":
            return r["instructions"], r["amount"], r["duplicate"]
        if name == "propose":
            return r["proposal_no"], r["duplicate"]
        if name == "hold":
            return r["hold_no"], r["duplicate"]
        if name == "decide":
            return r["done"], r["seq"], r["duplicate"]
        if name == "planned":
            return [(book_code[x["book_id"]], x["amount"], x["src_amount"]) for x in rows]
        if name == "refresh":
            return self.alerts(r["model_refresh"])
        if name == "overdue":
            return [(book_code[x["book_id"]], x["payout_id"]) for x in rows]
        if name == "recall":
            return r["recall_no"], r["duplicate"]
        if name in ("cancel", "wait"):
            return None
        return next(iter(r.values()))       # end, report, ask, set_terms and others: one value

    def alerts(self, rows):
        """With subjects as the model has them."""
        of = {b.book: code for code, b in self.books.items()}
        return sorted((kind, re.sub(r"^UJ(\d+)-", lambda m: of[int(m[1])] + " ", subject), *rest) for kind, subject, *rest in rows)


def date(day):
    return f"DATE '{datetime.date(1970, 1, 1) + datetime.timedelta(days=day)}'"


def bps(ccy, mid_value, margin):
    """The margin that a draft was priced with (draw_price)."""
    return next(b for b in MARGINS if mid_value * b // 10000 == margin)


def array_of(kind, items):
    return ARRAY_OF[kind] % literal(json.dumps(items))


# ---------------------------------------------------------------- the bank's own books
class BanksBooks:
    """What one bank writes down for itself: what it was told and did, with the answers it got. It knows of no journal."""

    def __init__(self):
        self.answered = {}                      # (book, payout): (state, amount)
        self.came_back, self.charges, self.funded = {}, {}, {}     # by instruction and reference

    def owed_to_us(self):
        """What the other side should owe this bank: paid, less what was undone and not kept, less funding."""
        paid = sum(amount for state, amount in self.answered.values() if state == SETTLED)
        return paid - sum(self.came_back.values()) + sum(self.charges.values()) - sum(self.funded.values())

    def heard(self, name, a, answer):
        """A call of the bank's and what it was answered: refusals are not written down."""
        if name == "confirm":
            for item, outcome in zip(a[2], answer):
                if outcome in (RECORDED, reference.SAID_BEFORE):
                    self.answered[a[0], item[0]] = item[1], item[3]
        elif name == "give_back" and "only_left" not in answer:
            key = a[0], a[2], a[7]
            self.came_back[key], self.charges[key] = a[4], a[5]
        elif name == "take_back":
            # The reversal of a return that it wrote down: said again, it stays as it is.
            self.came_back[a[0], a[2], a[5]] = -self.came_back[a[0], a[2], a[3]]
            self.charges[a[0], a[2], a[5]] = -self.charges[a[0], a[2], a[3]]
        elif name == "fund":
            self.funded[a[0], a[5]] = a[2]


# ---------------------------------------------------------------- histories
# How often what is done: a history is about money (every other is), or about windows and people, or about time.
OPERATIONS = (
    {"submit": 5, "hand_out": 5, "confirm": 6, "give_back": 6, "take_back": 4, "cancel": 1.5, "set_terms": 1.2, "open_first": 0.8, "close": 1.6,
     "hold": 2.5, "decide": 4.5, "withdraw": 1, "end": 0.6, "report": 1, "fund": 1, "fund_all": 0.8, "deposit": 0.6, "ask": 0.6, "recall": 1, "answer": 1, "settler": 0.6, "wait": 0.4},
    {"submit": 2.5, "hand_out": 2.5, "confirm": 4, "give_back": 0.7, "take_back": 0.5, "set_terms": 0.5, "open_first": 0.3, "close": 2.5, "end": 1.5,
     "report": 2, "hold": 0.6, "decide": 1.2, "dispute": 1.5, "propose": 2.5, "approve": 3.5, "settler": 1, "wait": 0.7, "fund_all": 0.5, "refresh": 0.2},
    {"submit": 2.5, "hand_out": 3.5, "confirm": 2.2, "give_back": 0.4, "cancel": 0.3, "set_terms": 1, "open_first": 0.3, "close": 0.7, "end": 1,
     "fund": 0.3, "fund_all": 2, "deposit": 0.3, "ask": 1.2, "overdue": 0.4, "recall": 0.4, "answer": 1.5, "settler": 5, "wait": 4.5, "record_day": 2,
     "works": 0.8, "low_float": 0.8, "refresh": 3, "hold": 0.3, "decide": 0.3},
)
# Steps of several calls.
OF_MANY = ("settler", "fund_all")
# What is done when there is nothing that an operation could be about: what would lead to it.
INSTEAD = {"take_back": "give_back", "give_back": "confirm", "confirm": "hand_out", "hand_out": "submit", "answer": "recall", "recall": "hand_out",
           "cancel": "submit", "withdraw": "decide", "decide": "hold", "hold": "submit", "approve": "propose", "propose": "dispute", "dispute": "close"}
FATES = {"": 88, "undone": 5, "lost": 6.9, "killed": 0.1}
MARGINS = (0, 75, 150, 9999)


def history_of(seed, about=None):
    """The steps of a seed. The first ones see to it that there is something to settle. about: which of OPERATIONS."""
    rnd = random.Random(seed)
    roll = lambda: rnd.getrandbits(48)
    begin = [Step("deposit", roll()), Step("submit", roll()), Step("set_terms", roll()), Step("open_first", roll()), Step("hand_out", roll())]
    draw = lambda weights: rnd.choices(list(weights), list(weights.values()))[0]
    operations = rnd.choice(OPERATIONS + OPERATIONS[:1]) if about is None else OPERATIONS[about]
    if operations is OPERATIONS[-1]:        # about time: what others have in between takes several steps of waiting and looking
        begin += [Step("hand_out", roll()), Step("wait", roll()), Step("settler", roll())]
        begin += [Step(draw(operations), roll(), draw(FATES)) for _ in range(8)]
    return begin + [Step(draw(operations), roll(), draw(FATES)) for _ in range(rnd.randint(*STEPS) - 5)]


class Drawn:
    """What a step is about, drawn from its number and the model as it is: the arguments of the call."""

    def __init__(self, model, roll):
        self.m, self.rnd = model, random.Random(roll)
        self.book = self.rnd.choice(list(model.books))
        self.bank = self.rnd.choice(list(model.banks))

    def chance(self, p):
        return self.rnd.random() < p

    def payout(self, *states, odd=0.06):
        """A payout of these states wherever it is, with its book and bank; now and then any one, or none that there is. None: there is none."""
        if self.chance(odd):
            self.bank = self.rnd.choice(list(self.m.banks))
            return self.rnd.choice([0, 999, self.m.books[self.book].journals, *self.m.books[self.book].payouts]), None
        there = [(b, p) for b in self.m.books.values() for p in b.payouts.values() if p.state in states]
        if not there:
            return None, None
        b, p = self.rnd.choice(there[-8:])
        self.book, self.bank = b.code, p.bank
        if self.chance(0.1):
            # another bank speaks of it: one that was told further, if there is one
            self.bank = self.rnd.choice([k for k, upto in b.told_upto.items() if upto > (p.place or p.id) and k != p.bank] or list(self.m.banks))
        return p.id, p

    def limit(self, *others):
        return self.rnd.choice([None, None, *others])

    def deposit(self):
        ccy = self.rnd.choice(self.m.books[self.book].currencies)
        return self.book, ccy, self.rnd.choice([20, 100, 300]) * (1 if ccy == "JPY" else 100) * (270 if ccy == "PKR" else 1) * \
            (150 if ccy == "JPY" else 1), f"d{self.rnd.randint(1, 12)}"

    def draw_price(self, ccy, gross=0):
        gross = gross or self.rnd.choice([self.rnd.randint(2, 40), self.rnd.randint(2, 4000), self.rnd.randint(2000, 20000)]) * (200 if ccy == "PKR" else 1)
        fee = self.rnd.choice([0, 1, gross // 50, gross // 3])
        p = price(gross, NUMBER[ccy], min(fee, gross - 1), 0 if ccy == "PKR" else self.rnd.choice(MARGINS if self.chance(0.2) else MARGINS[:3]))
        return p["gross"], p["fee"], p["mid_value"], p["margin"], p["net"]

    def submit(self):
        b, drafts = self.m.books[self.book], []
        # who has never paid in has nothing to submit
        if not any(b.float_of(c) for c in b.currencies):
            self.book = next((x.code for x in self.m.books.values() if any(x.float_of(c) for c in x.currencies)), self.book)
            b = self.m.books[self.book]
        for n in range(self.rnd.randint(1, 4)):
            if b.by_reference and self.chance(0.1):
                r = self.rnd.choice(list(b.by_reference))
                p = b.by_reference[r][0]
                drafts.append((r, p.bank, p.ccy, *((p.gross, p.fee, p.mid_value, p.margin, p.net) if self.chance(0.7) else self.draw_price(p.ccy))))
                continue
            ccy = self.rnd.choice([c for c in b.currencies if b.float_of(c)] or b.currencies)
            amounts = self.draw_price(ccy, b.float_of(ccy) if self.chance(0.12) else 0)
            if amounts[-1] > 0:
                drafts.append((f"r{b.journals}-{n}", self.rnd.choice(list(self.m.banks)), ccy, *amounts))
        return (self.book, drafts) if drafts else None

    def cancel(self):
        payout, _ = self.payout(reference.ACCEPTED, odd=0.2)
        return payout and (self.book, payout)

    def hold(self):
        payout, p = self.payout(*(reference.ACCEPTED,) if self.chance(0.9) else
                                (HELD, REFUSED, INSTRUCTED, SETTLED, reference.CANCELLED), odd=0.05)
        if payout is None:
            return None
        again = [(b.code, x) for b in self.m.books.values() for x in b.payouts.values() if x.holds and x.state == reference.ACCEPTED]
        if again and self.chance(0.9):      # one that was released and not told of yet
            self.book, p = self.rnd.choice(again)
            payout = p.id
        who = self.rnd.choice(OPERATORS)
        if p and p.state == HELD and self.chance(0.6):       # said again
            return p.holds[-1].by, self.book, payout, p.holds[-1].reason, p.holds[-1].queue, p.holds[-1].deadline
        return (who, self.book, payout, self.rnd.choice(["OPERATOR", "SCREENING", "SCREENING", "WHIM" if self.chance(0.1) else "OPERATOR"]), "looks",
                self.m.now + self.rnd.choice([30, 60, 240, 1440, 5000, -60 if self.chance(0.3) else 600]))

    def held(self):
        """Mostly one that is held; of it mostly its last hold."""
        there = [(b.code, p) for b in self.m.books.values() for p in b.payouts.values() if p.holds and (p.state == HELD or self.chance(0.1))]
        if not there:
            return None
        self.book, p = self.rnd.choice(there)
        return p, len(p.holds) + (self.rnd.choice([-1, 1]) if self.chance(0.07) else 0)

    def decide(self):
        p, number = self.held() or (None, 0)
        if not p:
            return None
        said = [d for d, _ in p.holds[-1].said if d != "withdraw"]
        others = [o for o in OPERATORS if not p.holds[-1].said or o != p.holds[-1].said[-1][1]]
        return (self.rnd.choice(others if self.chance(0.8) else OPERATORS), self.book, p.id if not self.chance(0.03) else 0, number,
                said[-1] if said and self.chance(0.85) else self.rnd.choice(["release", "release", "refuse"]), "seen" if not self.chance(0.03) else " ")

    def withdraw(self):
        p, number = self.held() or (None, 0)
        if not p or not p.holds[-1].said and self.chance(0.8):
            return None
        return p.holds[-1].said[-1][1] if p.holds[-1].said and self.chance(0.8) else self.rnd.choice(OPERATORS), self.book, p.id, number, "not so"

    def set_terms(self):
        # such as bind: of a bank that has something, around what waits and what there is already
        busy = [k for k in self.m.banks if self.m.waiting(k) or self.m.exposure(k) > 0]
        self.bank = self.rnd.choice(busy) if busy and self.chance(0.8) else self.bank
        waiting = sum(p.net for p in self.m.waiting(self.bank)) or self.rnd.choice([1_000_000, 5_000_000])
        there = max(0, self.m.exposure(self.bank))
        some = [waiting, waiting * 2 // 3 + 1, waiting * 2 // 3 + 1 + there, 2 * waiting + there // 2, 3_000_000, self.rnd.randint(1, 100_000)]
        within = self.rnd.choice([60, 240, 240, 600])
        return self.bank, {"low": self.rnd.choice([None, 1, *some]), "within": within, "escalate": within * self.rnd.choice([1, 2, 3]),
                           "settle": self.rnd.choice([0, 60, 240, 240, 1440]),
                           "mode": self.rnd.choice(["instant", "instant", "instant", "windows"]), "channel": self.rnd.choice(["grpc", "grpc", "grpc", "file"]),
                           "instruction_max": self.limit(None, None, self.rnd.choice(some)), "window_max": self.rnd.choice([None, None, *some]),
                           "cap": self.rnd.choice([None, None, *some])}

    def hand_out(self):
        waiting = [(b.code, k) for b in self.m.books.values() for k, upto in b.told_upto.items()
                   if any(p.place > upto for p in b.in_order(k))]
        if waiting and not self.chance(0.1):
            self.book, self.bank = self.rnd.choice(waiting)
        elif self.chance(0.7):
            return None
        return self.book, self.bank, self.rnd.choice([1, 2, 1000, 1000]), self.chance(0.6)

    def definite(self, payout, p):
        net = p.net if p else 100
        settled = self.chance(0.8)
        ccy = PKR if not self.chance(0.03) else USD
        amount = net if not self.chance(0.05) else max(1, net + self.rnd.choice([-1, 1]))
        tax = self.rnd.choice([None, None, 0, net // 100, net + 1]) if settled and self.chance(0.3) else None
        return (payout, SETTLED, ccy, amount, f"B{payout}", tax, self.rnd.choice([None, "PRC-1"]), None) if settled else \
            (payout, REJECTED, ccy, amount, None, None, None, self.rnd.choice(["AC04", "AM09"]))

    def confirm(self):
        again = self.chance(0.15)
        payout, p = self.payout(*(SETTLED, REJECTED, RETURNED, PARTLY_RETURNED) if again else (INSTRUCTED,))
        if payout is None:
            return None
        items = [self.definite(payout, p)]
        if p and p.said and self.chance(0.6):
            items = [(payout, p.said[0], PKR, p.net, *p.said[1:])]
        for b, other in self.m.pending(self.bank, self.book):
            if other.id != payout and self.chance(0.4):
                items.append(self.definite(other.id, other))
        if self.chance(0.15):
            items.append(self.rnd.choice(items) if self.chance(0.5) else self.definite(payout, p))
        return self.book, self.bank, items

    def give_back(self):
        payout, p = self.payout(*(SETTLED, PARTLY_RETURNED) if self.chance(0.85) else (SETTLED, RETURNED, PARTLY_RETURNED, INSTRUCTED, REJECTED))
        if payout is None:
            return None
        left = p.net - p.returned if p else 100
        if p and p.references and self.chance(0.2):      # said again, the same or not
            old = self.rnd.choice(list(p.references))
            said = p.references[old][0]
            if said[0] == "return":
                amount = said[1] if self.chance(0.8) else said[1] + 1
                return self.book, self.bank, payout, PKR, amount, said[2], said[3], old
        amount = self.rnd.choice([left, left, max(1, left // 2), max(1, left // 3), self.rnd.randint(1, max(1, left)), left + 1, 0 if self.chance(0.1) else left])
        charge = self.rnd.choice([0, 0, 0, min(amount, 50), amount // 10, amount + 1 if self.chance(0.2) else amount])
        return (self.book, self.bank, payout, PKR if not self.chance(0.02) else USD, amount, charge, self.rnd.choice(["AC04", "FOCR"]),
                f"R{len(p.references) if p else 0}{self.rnd.choice('ab')}")

    def take_back(self):
        payout, p = self.payout(RETURNED, PARTLY_RETURNED)
        if payout is None:
            return None
        if p and p.references and self.chance(0.15):
            old = self.rnd.choice(list(p.references))
            said = p.references[old][0]
            if said[0] == "reversal":
                return self.book, self.bank, payout, said[1], said[2] if self.chance(0.8) else "NARR", old
        of = self.rnd.choice(p.parts) if p and p.parts and self.chance(0.2) else p.parts[-1] if p and p.parts else None
        return self.book, self.bank, payout, of.reference if of else "R0a", "FOCR", f"V{len(p.references) if p else 0}"

    def open_first(self):
        ready = [k.code for k in self.m.banks.values() if k.terms and not k.windows]
        return (self.rnd.choice(ready) if ready and self.chance(0.9) else self.bank,)

    def window(self, last):
        """The number of a window: mostly the last one, or one that is not settled."""
        k = self.rnd.choice([k for k in self.m.banks.values() if k.windows] or list(self.m.banks.values()))
        self.bank = k.code
        if self.chance(0.08):
            return self.rnd.randint(0, len(k.windows) + 1)
        unsettled = [n for n, w in enumerate(k.windows, 1) if w.state in ("CLOSED", "DISPUTED")]
        return len(k.windows) if last or not unsettled else self.rnd.choice(unsettled)

    def close(self):
        number = self.window(True)
        return self.bank, number

    def end(self):
        number = self.window(False)
        windows = self.m.banks[self.bank].windows
        closed = 0 < number < len(windows)
        return self.bank, number, self.rnd.choice([None, self.m.now, self.m.deadline(self.bank, windows[number - 1])]) if closed else None

    # what ujrat-settle does when it looks at a bank: windows, hand-outs, deadlines, then what lacks an answer
    def settler(self):
        banks = [k for k in self.m.banks.values() if k.terms]
        busy = [k for k in banks if self.m.pending(k.code)] or [k for k in banks if any(w.state in ("CLOSED", "DISPUTED") for w in k.windows)]
        if not banks:
            return None
        return self.settlers_look(self.rnd.choice(busy or banks).code)

    def settlers_look(self, bank):
        k = self.m.banks[bank]
        closes = k.windows and k.windows[-1].cutoff <= self.m.now
        if not k.windows:
            yield "open_first", (bank,)
        if closes or k.terms["mode"] == "instant" and k.terms["channel"] == "file":
            for book, b in self.m.books.items():
                if any(p.place > b.told_upto[bank] for p in b.in_order(bank)):
                    yield "hand_out", (book, bank, 1000, False)
        if closes:
            yield "close", (bank, len(k.windows))
        for n, w in enumerate(k.windows, 1):
            if w.state in ("CLOSED", "DISPUTED"):
                yield "end", (bank, n, self.m.deadline(bank, w))
        before, urgent = self.m.overdue_before(bank), self.m.escalated_before(bank)
        due = self.m.overdue(bank, before)
        yield "overdue", (bank, before)
        for book in self.m.books:
            if payouts := sorted(p for b, p in due if b == book):
                yield "ask", (book, bank, payouts, [self.m.books[book].payouts[p].told_at[0] < urgent for p in payouts], before)

    def wait(self):
        # until the deadline of a window that lacks answers, the one it was closed with or the one it has now
        due = [d - self.m.now for k in self.m.banks.values() for w in k.windows if w.settle_by and w.of(None)
               for d in (w.settle_by, self.m.deadline(k.code, w)) if d > self.m.now]
        if due and self.chance(0.4):
            return (min(due),)
        return (self.rnd.choice([30, 60, 120, 240, 240, 480, 720, 1440, 2880]),)

    def record_day(self):
        # such as matter: between the closing of a window that lacks answers and its deadline, or about now
        due = [(w.closed_at, w.settle_by) for k in self.m.banks.values() for w in k.windows if w.settle_by and w.of(None)]
        first, last = self.rnd.choice(due) if due and self.chance(0.9) else (self.m.now - 2880, self.m.now + 4320)
        day = self.rnd.randint(self.m.calendar.day_of(first), self.m.calendar.day_of(last))
        said = self.m.calendar.said
        if said and self.chance(0.4):       # the moon was not seen
            day = self.rnd.choice(list(said))
            if self.chance(0.7):
                return day, "working" if said[day][0] == "holiday" else "holiday", "Eid"
        return day, self.rnd.choice(["holiday", "holiday", "working", "ramadan"]), self.rnd.choice(["Eid", "Eid", "Ashura"])

    def works(self):
        return (self.rnd.choice([*self.m.calendar.said, *self.m.calendar.said, self.m.calendar.day_of(self.m.now) + self.rnd.randint(-5, 5)]),)

    def low_float(self):
        b = self.m.books[self.book]
        ccy = self.rnd.choice(b.currencies)
        if self.m.float_low and self.chance(0.7):
            self.book, ccy = self.rnd.choice(list(self.m.float_low))
            b = self.m.books[self.book]
        low = self.m.alerts.get(("FLOAT_LOW", f"{self.book} {ccy}"), (0, False))[1]
        return self.book, ccy, max(0, b.float_of(ccy) + self.rnd.choice([-1, 0] if low else [-1, 0, 1, 1000, 100_000]))

    def refresh(self):
        return ()

    # what people say of windows: mostly of one that there is something to be said of
    def closed(self, *states):
        there = [(k.code, n) for k in self.m.banks.values() for n, w in enumerate(k.windows, 1) if w.state in states]
        if not there or self.chance(0.06):
            return self.window(False) if self.chance(0.1) else None
        self.bank, number = self.rnd.choice(there)
        return number

    def dispute(self):
        number = self.closed("CLOSED", "DISPUTED")
        return number and (self.rnd.choice(OPERATORS), self.bank, number, self.rnd.choice(["odd", "odd", "odd", "torn", " "]))

    def propose(self):
        number = self.closed("DISPUTED")
        return number and (self.rnd.choice(OPERATORS), self.bank, number, self.rnd.choice(["seen", "seen", "heard", "heard", " "]))

    def approve(self):
        there = [(k.code, n) for k in self.m.banks.values() for n, w in enumerate(k.windows, 1) if w.proposals]
        if not there:
            return None
        self.bank, number = self.rnd.choice(there)
        proposals = self.m.banks[self.bank].windows[number - 1].proposals
        return self.rnd.choice(OPERATORS), self.bank, number, len(proposals) + (self.rnd.choice([-1, 1]) if self.chance(0.1) else 0)

    def report(self):
        number = self.window(False)
        windows = self.m.banks[self.bank].windows
        totals = list(windows[number - 1].totals()) if 0 < number <= len(windows) else [0, 0, 0, 0]
        if self.chance(0.3):
            totals[self.rnd.randrange(4)] += 1
        return self.bank, number, PKR if not self.chance(0.05) else USD, *totals

    def fund(self):
        ccy = self.rnd.choice(self.m.books[self.book].currencies)
        amount = max(0 if self.chance(0.05) else 1, self.rnd.choice([self.m.owed(self.bank), 100, 100_000]))
        cost = amount if ccy == "PKR" and not self.chance(0.1) else max(1, amount // 277)
        b = self.m.books[self.book]
        if b.fundings and self.chance(0.2):
            old = self.rnd.choice(list(b.fundings))
            return self.book, *b.fundings[old], old
        return self.book, self.bank, amount, ccy, cost, f"f{self.rnd.randint(1, 20)}"

    # A bank is made good over its books: planned, then a commit a book, and now and then cut off on the way. Said again it goes on.
    def fund_all(self):
        of = next(iter(self.m.books)).split("-")[0]
        begun = [r for r, (_, parts) in self.m.plans.items() if not all(r in self.m.books[b].fundings for b in parts)]
        reference = self.rnd.choice(begun or list(self.m.plans)) if self.m.plans and self.chance(0.8 if begun else 0.5) else \
            f"{of}p{len(self.m.plans)}"
        said = self.m.plans[reference][0] if reference in self.m.plans and self.chance(0.9) else None
        if not said:
            ccy = self.rnd.choice(self.m.books[self.book].currencies)
            owed = [k for k in self.m.banks if self.m.owed(k) > 0]
            self.bank = self.rnd.choice(owed) if owed and self.chance(0.7) else self.bank
            amount = max(1, self.rnd.choice([self.m.owed(self.bank), self.m.exposure(self.bank), 1, 2, 100_000]))
            said = self.bank, amount, ccy, amount if ccy == "PKR" else max(1, self.rnd.choice([amount // 277, amount // 277, 1, 2]))
        parts = self.m.split(*said)
        if self.chance(0.1):
            parts[self.book] = tuple(x + self.rnd.choice([0, 1]) for x in parts.get(self.book, (1, 1)))
        return self.funded(reference, said, parts, self.rnd.choice([0, 1, 1, 9, 9]))

    def funded(self, reference, said, parts, cut_off):
        yield "plan", (reference, *said, parts)
        if self.m.plans.get(reference, (None,))[0] == said:
            yield "planned", (reference,)
            for book, amount, cost in self.m.planned(reference)[:cut_off]:
                yield "fund", (book, said[0], amount, said[2], cost, reference)

    def ask(self):
        asked = [(b, p) for k in self.m.banks for b, p in self.m.pending(k) if p.inquiries]
        if asked and self.chance(0.6):
            self.bank = self.rnd.choice(asked)[1].bank
        pending = [(b, p) for b, p in asked if p.bank == self.bank] or self.m.pending(self.bank)
        if pending:
            self.book = self.rnd.choice(pending)[0].code
        payouts = [p.id for _, p in self.m.pending(self.bank, self.book) if self.chance(0.8)] + ([self.payout(SETTLED)[0] or 999] if self.chance(0.1) else [])
        payouts += [self.rnd.choice(payouts)] if payouts and self.chance(0.1) else []
        return self.book, self.bank, payouts, [self.chance(0.3) for _ in payouts], self.m.now + self.rnd.choice([29, 29, -60, -240])

    def overdue(self):
        return self.bank, self.m.now + self.rnd.choice([29, 29, 0, -60, -240])

    def recall(self):
        payout, _ = self.payout(*(INSTRUCTED, SETTLED, PARTLY_RETURNED) if self.chance(0.9) else (REJECTED, RETURNED, reference.ACCEPTED))
        return payout and (self.book, payout, self.rnd.choice(["DUPL", "DUPL", "CUST"]))

    def answer(self):
        asked = [k for k in self.m.banks.values() if k.questions]
        if not asked:
            return None
        k = self.rnd.choice(asked)
        items = []
        for _ in range(self.rnd.randint(1, 2)):
            kind, book, payout, number = self.rnd.choice(k.questions)
            code = self.rnd.choice(["ACSP", "PDNG", "BLCK", "XXXX", "ACSC" if self.chance(0.2) else "ACSP"]) if kind == 1 else \
                self.rnd.choice(["CNCL", "PDCR", "PDCR", "RJCR", "WHAT" if self.chance(0.2) else "PDCR"])
            items.append((kind, book, payout, number + self.chance(0.05), code, self.rnd.choice([None, "CUST"])))
        return self.rnd.choice(list(self.m.banks)) if self.chance(0.05) else k.code, items


@dataclasses.dataclass
class Expected:
    """A call (or a look) and what the model makes of it."""
    call: str
    said: str
    name: str = ""
    arguments: tuple = ()
    answer: object = None      # or the Refused
    now: dict = None
    cap: tuple = None          # of a hand-out that told of something: (which exposure, the cap)
    payouts: list = None       # of a look: their nets


class Walk:
    """One history in one world. The model goes ahead; then the ledger is made to do the same, and compared step by step."""

    def __init__(self, pool, history, trace=None):
        db, n = pool.take()
        books, banks = world_of(n, 2 + history[0].roll % 2, 2 + history[0].roll // 2 % 2)
        # of a day of the week and an hour; seven minutes past, when no cut-off is and none is late
        begins = (FIRST_DAY + (WORLDS - n) * DAYS + history[0].roll // 4 % 7) * reference.DAY + (3 + history[0].roll // 28 % 8) * 60 + 7
        self.m = Settlement(books, banks, begins)
        self.r = Real(pool, db, books, banks, begins)
        self.r.m = self.m
        self.own = {bank: BanksBooks() for bank in banks}
        self.trace, self.said = trace, None
        self.seen = set()

    def run(self, history):
        todo = []
        for n, step in enumerate(history, 1):
            todo += self.step(step)
            if n % FULL_CHECK_EVERY == 0 or n == len(history):
                todo.append(self.look())
        while todo:
            at = next((n for n, e in enumerate(todo) if e.name == "killed"), len(todo))
            for e, result in zip(todo, self.r.run([e.call for e in todo[:at]])):
                self.compare(e, result)
            if at < len(todo):
                self.r.killed(todo[at].call)
            todo = todo[at + 1:]
        reconcile(self.r, self.own)

    def step(self, step):
        """What is to be called for it, and expected."""
        name = step.operation
        while (a := getattr(Drawn(self.m, step.roll), name)()) in (None, 0):
            if name not in INSTEAD:
                return []
            name = INSTEAD[name]
        self.seen.add(("fate", step.fate))
        todo = []
        for call, arguments in a if name in OF_MANY else [(name, a)]:
            todo += self.of_call(call, arguments, step.fate)
            if step.fate in ("undone", "killed"):
                break
        return todo

    def of_call(self, name, a, fate):
        said = f"{name}{a}"
        if self.trace is not None:
            self.trace.append(f"{fate + ': ' if fate else ''}{said}")
        call = self.r.sql_of(name, a)
        if fate == "killed":
            return [Expected(call, said, "killed")]
        if fate == "undone":
            return [Expected("undone " + call, said + ", undone,", now=self.now())]
        return [self.expected(name, a, said, call) for _ in range(2 if fate == "lost" else 1)]

    def expected(self, name, a, said, call):
        if name == "end" and a[2]:
            self.seen.add(("deadline", self.deadline_moves(*a)))
        try:
            answer = getattr(self.m, name)(a[0], **a[1]) if name == "set_terms" else getattr(self.m, name)(*a)
            self.seen |= {(name, outcome) for outcome in outcomes_of(name, answer)}
        except Refused as e:
            answer = e
            self.seen.add((name, e.reason))
        cap = None
        if name == "hand_out" and isinstance(answer, tuple) and answer[1]:
            terms = self.m.banks[a[1]].terms
            # a hand-out of cancelled ones alone is no more exposure
            if terms and terms["cap"] is not None and any(p.place == answer[0] and p.told() for p in self.m.books[a[0]].in_order(a[1])):
                cap = list(self.m.banks).index(a[1]), terms["cap"]
        return Expected(call, said, name, a, answer, self.now(), cap)

    def deadline_moves(self, bank, number, settle_by):
        """Whether the window is DISPUTED by now only because of where its deadline was moved to, or only because it was not."""
        w = self.m.banks[bank].windows[number - 1]
        return (w.settle_by <= self.m.now) - (settle_by <= self.m.now) if w.of(None) else 0

    def now(self):
        """After every step: balances, what is pending, open windows, exposures."""
        m, r = self.m, self.r
        return {"accounts": {f"{r.books[b.code].book} {account}": minor for b in m.books.values() for account, minor in b.balance.items() if minor} or None,
                "pending": [[r.books[b.code].book, r.bank[k], len(due), sum(due)] for b in m.books.values() for k in m.banks
                            if (due := [p.net for _, p in m.pending(k, b.code)])] or None,
                "heads": [[r.bank[k.code], len(k.windows), len(k.windows[-1].told), k.windows[-1].amount()] for k in m.banks.values() if k.windows] or None,
                "exposure": [m.exposure(k) for k in m.banks]}

    def look(self):
        """Now and then, and at the end: everything else, and each payout's money."""
        m, r = self.m, self.r
        payouts = [(r.books[b.code].book, p) for b in m.books.values() for p in b.payouts.values()]
        windows, closings, parts, positions = [], [], [], []
        for k in m.banks.values():
            for n, w in enumerate(k.windows, 1):
                left, totals = w.of(None), w.totals()
                windows.append({"bank_id": r.bank[k.code], "window_no": n, "state": w.state, "instructed_count": len(w.told), "instructed_amount": w.amount(),
                                **dict(zip(TOTALS, totals)), "pending_count": len(left), "pending_amount": sum(p.net for p in left),
                                "returned_amount": w.returned, "net_amount": w.amount() - totals[3] - w.returned})
                if n < len(k.windows):
                    closings.append([r.bank[k.code], n, len(w.told), w.amount()])
                    parts += [[r.bank[k.code], n, r.books[b].book, len(due), sum(due)] for b in m.books if (due := [p.net for of, p in w.told if of == b])]
            waiting, pending = [w.net for w in m.waiting(k.code)], [w.net for _, w in m.pending(k.code)]
            positions.append([m.owed(k.code), len(pending), sum(pending), len(waiting), sum(waiting)])
        return Expected("look", self.trace[-1] if self.trace else "", now={
            "payouts": [[b, p.id, p.state, p.returned] for b, p in payouts] or None,
            "money": [[b, p.id, *self.money(p)] for b, p in payouts] or None,
            "windows": windows or None, "closings": closings or None, "parts": parts or None, "positions": positions,
            "ends": [[r.bank[k.code], n, step, e.state, self.uri(e.by), e.reason if m.is_operator(e.by) else None] for k in m.banks.values()
                     for n, w in enumerate(k.windows, 1) for step, e in enumerate(w.ends, 1)] or None,
            "asked": [[r.books[b.code].book, p.id, p.inquiries, p.escalated] for b in m.books.values() for p in b.payouts.values()
                      if p.inquiries and p.state == INSTRUCTED] or None,
            "alerts": m.all_alerts(),
            "questions": [[r.bank[k], q[0], r.books[q[1]].book, *q[2:]] for k in m.banks for q in m.open_questions(k)] or None,
            "open": [[r.books[b.code].book, r.bank[k], b.open_payables(k)] for b in m.books.values() for k in m.banks],
            "journals": [b.journals for b in m.books.values()]}, payouts=[p.net for _, p in payouts])

    @staticmethod
    def uri(who):
        return SETTLER if who == "settle" else "ujrat://operator/" + who.replace("_", "-") if who in OPERATORS else "ujrat://bank/" + who

    def compare(self, e, result):
        self.said = e.said
        if isinstance(result, str):
            raise Differs(f"{e.said}: the ledger fails: {result}")
        if e.call == "look":
            result["alerts"] = self.r.alerts(result["alerts"])
            self.look_sound(e, result)
            for key, want in e.now.items():
                self.same(result[key], want, "leaves " + key)
            return
        if e.name:
            self.answered(e, result)
        self.now_sound(e, result["now"])
        for key, want in e.now.items():
            self.same(result["now"][key], want, "leaves " + key)

    def answered(self, e, result):
        if isinstance(e.answer, Refused):
            return self.same(result["refused"], e.answer.reason, "is refused")
        if result["refused"] is not None:
            raise Differs(f"{e.said}: the ledger refuses it ({result['refused']}), the model answers {e.answer}")
        got = self.r.in_the_models_form(e.name, result["answer"])
        if e.name in ("confirm", "give_back", "take_back", "fund"):
            self.own[e.arguments[1]].heard(e.name, e.arguments, got)
        self.same(plain(got), plain(e.answer), "is answered")

    def same(self, got, want, what):
        if got != want:
            raise Differs(f"{self.said} {what}: the ledger says {got}, the model {want}")

    @staticmethod
    def now_sound(e, now):
        """Said of the ledger alone, whatever the model says."""
        sums = {}
        for account, minor in (now["accounts"] or {}).items():
            sums[account.split()[0], account[-3:]] = sums.get((account.split()[0], account[-3:]), 0) + minor
            if " float." in account and minor > 0:
                raise Differs(f"{e.said} leaves a float below zero: {account} {minor}")
        if any(sums.values()):
            raise Differs(f"{e.said} leaves a book that does not sum to zero: {sums}")
        if e.cap and now["exposure"][e.cap[0]] > e.cap[1]:
            raise Differs(f"{e.said} leaves an exposure above the cap: {now['exposure'][e.cap[0]]} > {e.cap[1]}")

    @staticmethod
    def look_sound(e, look):
        """Likewise: no payout is paid and re-credited, and what came back is what is missing; windows are their books."""
        look["windows"] = look["windows"] and [{key: w[key] for key in WINDOW} for w in look["windows"]]
        look["positions"] = [[p[key] for key in POSITION] for p in look["positions"]]
        for net, (*_, state, back), (*_, payable, nostro, float_, charge) in zip(e.payouts, look["payouts"] or [], look["money"] or []):
            gone = state in (REJECTED, reference.CANCELLED, HELD, REFUSED)
            if (nostro + charge and not float_) or payable + nostro + charge != (0 if gone else back - net) or (payable and nostro):
                raise Differs(f"{e.said} leaves a payout paid and re-credited: of {net} {back} came back, nostro {nostro}, float {float_}")
        for bank, number, instructions, amount in look["closings"] or []:
            of = [p for p in look["parts"] or [] if p[:2] == [bank, number]]
            if [sum(p[i] for p in of) for i in (3, 4)] != [instructions, amount]:
                raise Differs(f"{e.said} leaves window {number} of bank {bank} other than its books: {instructions}, {amount} and {of}")

    @staticmethod
    def money(p):
        """What its journals come to on the bank's payable, its nostro, the float, the charges: nothing is made or lost."""
        if p.state in (reference.REJECTED, reference.CANCELLED, REFUSED):
            return 0, 0, 0, 0
        if p.state == HELD:
            return 0, 0, p.gross, 0
        if p.state in (reference.ACCEPTED, INSTRUCTED):
            return -p.net, 0, p.gross, 0
        return 0, p.returned - p.kept - p.net, p.gross - p.share(p.returned)["float." + p.ccy], p.kept


def reconcile(real, own):
    """The banks' own books and ours, to the paisa: what each was told, has answered, and is owed."""
    one = lambda sql, bank: real.db.execute(sql, (bank,)).fetchone()[0]
    for code, books in own.items():
        bank = real.bank[code]
        owed = -one("SELECT coalesce(sum(balance), 0)::bigint FROM account_now WHERE bank_id = %s AND role = 'nostro'", bank)
        if owed != books.owed_to_us():
            raise Differs(f"by {code}'s own books it is owed {books.owed_to_us()}, by the ledger {owed}")
        told = {}
        for book, ledger in real.books.items():
            for payout, net in real.db.execute(
                    """SELECT p.payout_id, p.net FROM bank_payouts_after(%s, %s::int2, 0, 1000, handed_out_upto(%s, %s::int2)) p
                        WHERE payout_state(p.book_id, p.payout_id, %s::int2) <> 7""", (ledger.book, bank, ledger.book, bank, bank)):
                told[book, payout] = net
        if not books.answered.keys() <= told.keys() or any(told[i] != amount for i, (_, amount) in books.answered.items()):
            raise Differs(f"{code} paid what it was not told: {books.answered} of {told}")
        pending = sum(net for i, net in told.items() if i not in books.answered)
        ours = one("SELECT coalesce(sum(pending_amount), 0)::bigint FROM bank_book WHERE bank_id = %s", bank)
        if ours != pending:
            raise Differs(f"by {code}'s own books it has yet to answer {pending}, by the ledger {ours}")


def outcomes_of(name, answer):
    """What kinds of answers these are: for counting what was tried."""
    if name in ("confirm", "answer"):
        return answer
    if name == "submit":
        return answer[0]
    if name in ("give_back", "take_back"):
        return ["only_left" if "only_left" in answer else {SETTLED: "settled", RETURNED: "whole", PARTLY_RETURNED: "part"}[answer["state"]]]
    if name == "hand_out":
        return ["none" if not answer[1] else "some" if answer[2] else "all"]
    if name == "decide":
        return ["again" if answer[2] else "done" if answer[0] else "first"]
    if name in ("recall", "propose", "hold"):
        return ["open" if answer[1] else "new"]
    if name == "refresh":
        return [(kind, now) for kind, _, _, now in answer]
    if name == "ask":
        return ["again" if no and no > 1 else "first" if no else "not" for no in answer]
    return [answer] if isinstance(answer, (str, bool)) else []


def plain(value):
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


# ---------------------------------------------------------------- many of them
def failure_of(pool, history, trace=None):
    """What is wrong with a history: None, or an exception."""
    try:
        walk = Walk(pool, history, trace)
        walk.run(history)
        return None, walk
    except (Differs, psycopg.Error, AssertionError, KeyError, TypeError, IndexError) as e:
        if pool.db.closed:
            pool.connect()
        pool.db.rollback()
        return e, None


def shrunk(pool, history):
    """The history without what is not needed for it to fail; how it fails; and what its calls were."""
    size = max(1, len(history) // 2)
    while size:
        at = 0
        while at < len(history):
            less = history[:at] + history[at + size:]
            if less and failure_of(pool, less)[0]:
                history = less
            else:
                at += size
        size //= 2
    trace = []
    return history, failure_of(pool, history, trace)[0], trace


def told(seed, history, failure, trace):
    return "\n".join([f"seed {seed}: {failure}", f"the history, shrunk to {len(history)} steps:", *("  " + t for t in trace), *("  " + repr(s) for s in history)])


def sound(db):
    """Everything counted anew from the rows, over all worlds of a database."""
    check_books_are_sound(db)
    check_settlement_is_sound(db)
