"""Holds a ledger against what its clients were told.

`violations(db, events)` reads the database with plain SQL over its tables, and trusts none of the ledger's functions.
Each finding is a line that begins with its kind, such as "acknowledged payout is missing"; an empty list is a sound
ledger. Every kind is seen to be found by a negative control (test_kill_controls.py).
"""

import collections
import json
import pathlib

# number of a journal's kind (ledger/schema)
ACCEPTED, INSTRUCTED, SETTLED, REJECTED, SETTLEMENT_REVERSED, RETURNED, CANCELLED, DEPOSITED = range(1, 9)

FINDINGS_MAX = 40

# A payout's state, from what it is made of: its last step, or whether its bank was told.
STATE = """
    state AS (
        SELECT p.*, coalesce(t.state, CASE WHEN p.payout_id <= h.upto THEN 3 ELSE 1 END) AS state      -- nobody holds anything here
          FROM payout p
          LEFT JOIN (SELECT DISTINCT ON (book_id, payout_id) book_id, payout_id, state FROM payout_transition
                      ORDER BY book_id, payout_id, step DESC) t USING (book_id, payout_id)
          LEFT JOIN (SELECT book_id, bank_id, max(last_payout_id) AS upto FROM handout GROUP BY 1, 2) h USING (book_id, bank_id))
"""

BOOKS = {
    "postings do not sum to zero": """
        SELECT 'book ' || book_id || ' currency ' || ccy || ': ' || sum(minor) FROM posting
         GROUP BY book_id, ccy HAVING sum(minor) <> 0""",
    "journal does not sum to zero": """
        SELECT 'book ' || book_id || ' journal ' || seq FROM posting GROUP BY book_id, seq, ccy HAVING sum(minor) <> 0""",
    "balances do not sum to zero": """
        SELECT 'book ' || book_id || ' currency ' || ccy || ': ' || sum(balance) FROM account_now
         GROUP BY book_id, ccy HAVING sum(balance) <> 0""",
    "balance is not the sum of postings": """
        WITH p AS (SELECT book_id, account_id, sum(minor) AS total, count(*) FILTER (WHERE minor > 0) AS debits,
                          count(*) FILTER (WHERE minor < 0) AS credits FROM posting GROUP BY book_id, account_id)
        SELECT 'book ' || a.book_id || ' ' || a.code || ': ' || a.balance || ' and ' || coalesce(p.total, 0)
          FROM account_now a LEFT JOIN p USING (book_id, account_id)
         WHERE a.balance <> coalesce(p.total, 0) OR a.debit_count <> coalesce(p.debits, 0)
            OR a.credit_count <> coalesce(p.credits, 0)""",
    "posting is on no account of its book": """
        SELECT 'book ' || p.book_id || ' journal ' || p.seq FROM posting p LEFT JOIN account a USING (book_id, account_id)
         WHERE a.ccy IS DISTINCT FROM p.ccy""",
    "block's change is not the sum of its postings": """
        WITH p AS (SELECT book_id, block_no, account_id, sum(minor) AS total FROM posting GROUP BY 1, 2, 3)
        SELECT 'book ' || coalesce(v.book_id, p.book_id) || ' block ' || coalesce(v.block_no, p.block_no)
          FROM (SELECT * FROM account_balance WHERE block_no > 0) v FULL JOIN p USING (book_id, block_no, account_id)
         WHERE v.change IS DISTINCT FROM p.total""",
    "float was below zero": """
        SELECT 'book ' || book_id || ' ' || a.code || ' after block ' || v.block_no || ': ' || -v.balance
          FROM account_balance v JOIN account a USING (book_id, account_id) WHERE a.role = 'float' AND v.balance > 0""",
    "sequence has a hole": """
        SELECT 'book ' || book_id || ': ' || count(j.seq) || ' journals, numbers ' || min(j.seq) || ' to ' || max(j.seq)
               || ', next ' || h.next_seq
          FROM book_head h LEFT JOIN journal j USING (book_id) GROUP BY book_id, h.next_seq
        HAVING count(j.seq) <> h.next_seq - 1 OR coalesce(max(j.seq), 0) <> h.next_seq - 1 OR coalesce(min(j.seq), 1) <> 1""",
    "blocks are not in a row": """
        SELECT 'book ' || book_id || ' block ' || block_no
          FROM (SELECT k.*, lag(last_seq, 1, 0::bigint) OVER w AS seq_before, lag(block_no, 1, 0::bigint) OVER w AS block_before,
                       lag(committed_at) OVER w AS time_before FROM block k WINDOW w AS (PARTITION BY book_id ORDER BY block_no)) k
         WHERE first_seq <> seq_before + 1 OR block_no <> block_before + 1 OR committed_at <= time_before
        UNION ALL
        SELECT 'book ' || book_id || ' ends at block ' || coalesce(max(k.block_no), 0)
          FROM book_head h LEFT JOIN block k USING (book_id) GROUP BY book_id, h.next_block
        HAVING coalesce(max(k.block_no), 0) <> h.next_block - 1""",
    "journal is not in its block": """
        SELECT 'book ' || j.book_id || ' journal ' || j.seq FROM journal j LEFT JOIN block k USING (book_id, block_no)
         WHERE j.seq BETWEEN k.first_seq AND k.last_seq IS NOT TRUE""",
    "reference has more than one payout": """
        SELECT 'book ' || book_id || ' ' || reference || ': ' || count(*) FROM payout GROUP BY book_id, reference
        HAVING count(*) > 1""",
    "quote has more than one payout": """
        SELECT 'book ' || book_id || ' quote ' || quote_id FROM payout WHERE quote_id IS NOT NULL GROUP BY book_id, quote_id
        HAVING count(*) > 1""",
    "payout is not what its quote was": """
        SELECT 'book ' || p.book_id || ' payout ' || p.payout_id FROM payout p LEFT JOIN quote q USING (book_id, quote_id)
         WHERE p.quote_id IS NOT NULL AND (p.gross, p.fee, p.net) IS DISTINCT FROM (q.gross, q.fee, q.net)""",
    # what is owed for a payout follows from what became of it, account by account
    "payout's money is not where its state says": """
        WITH """ + STATE + """, moved AS (
            SELECT p.book_id, p.payout_id, (sum(p.minor) FILTER (WHERE a.role = 'float'))::bigint AS float,
                   (sum(p.minor) FILTER (WHERE a.role = 'fee'))::bigint AS fee, (sum(p.minor) FILTER (WHERE a.role = 'margin'))::bigint AS margin,
                   (sum(p.minor) FILTER (WHERE a.role = 'payable'))::bigint AS payable, (sum(p.minor) FILTER (WHERE a.role = 'nostro'))::bigint AS nostro
              FROM posting p JOIN account a USING (book_id, account_id) WHERE p.payout_id IS NOT NULL GROUP BY 1, 2)
        SELECT 'book ' || p.book_id || ' payout ' || p.payout_id || ' (' || p.reference || '), state ' || p.state
          FROM state p LEFT JOIN moved m USING (book_id, payout_id)
          LEFT JOIN (SELECT r.book_id, r.payout_id, sum(CASE WHEN r.reverses_step IS NULL THEN r.amount ELSE -r.amount END)::bigint AS amount,
                            sum(CASE WHEN r.reverses_step IS NULL THEN r.charge ELSE -r.charge END)::bigint AS charge
                       FROM payment_return r GROUP BY 1, 2) b USING (book_id, payout_id)
         WHERE (coalesce(m.float, 0), coalesce(m.fee, 0), coalesce(m.margin, 0), coalesce(m.payable, 0), coalesce(m.nostro, 0))
               <> CASE WHEN p.state IN (1, 3) THEN (p.gross, -p.fee, -p.margin, -p.net, 0::bigint)
                       WHEN p.state = 4 THEN (p.gross, -p.fee, -p.margin, 0::bigint, -p.net)
                       -- a part came back: to each account its share, less than one off; the bank keeps a charge
                       WHEN p.state = 10 AND abs(m.float::numeric * p.net - p.gross::numeric * (p.net - b.amount)) <= p.net
                                         AND abs(m.fee::numeric * p.net + p.fee::numeric * (p.net - b.amount)) <= p.net
                       THEN (m.float, m.fee, m.margin, 0::bigint, b.amount - b.charge - p.net)
                       ELSE (0::bigint, 0::bigint, 0::bigint, 0::bigint, -coalesce(b.charge, 0)) END""",
    "payout has journals that exclude each other": """
        SELECT 'book ' || book_id || ' payout ' || payout_id || ': kinds ' || array_agg(kind ORDER BY seq)::text
          FROM journal WHERE payout_id IS NOT NULL GROUP BY book_id, payout_id
        HAVING array_agg(kind ORDER BY seq)::text !~ '^[{]1(,4|,7|,3(,5,6)?(,10,11|,12,13)*)?[}]$'
            OR min(seq) <> payout_id""",
    "payout and its journals do not match": """
        SELECT 'book ' || coalesce(p.book_id, j.book_id) || ' payout ' || coalesce(p.payout_id, j.payout_id)
          FROM payout p FULL JOIN (SELECT * FROM journal WHERE kind = 1) j ON j.book_id = p.book_id AND j.seq = p.payout_id
         WHERE p.payout_id IS NULL OR j.seq IS NULL""",
    "journal was reversed twice": """
        SELECT 'book ' || book_id || ' journal ' || reverses_seq FROM journal WHERE reverses_seq IS NOT NULL
         GROUP BY book_id, reverses_seq HAVING count(*) > 1""",
}

STATES = {1: "ACCEPTED", 3: "INSTRUCTED", 4: "SETTLED", 5: "REJECTED", 6: "RETURNED", 7: "CANCELLED", 10: "PARTLY_RETURNED"}

# why a client of ours may be told no
REASONS_EXPECTED = {"INSUFFICIENT_FLOAT"}


class Findings(list):
    def add(self, kind, what):
        if len(self) < FINDINGS_MAX:
            self.append("%s: %s" % (kind, what))

    def kinds(self):
        return {f.split(":")[0] for f in self}


def read_events(folder):
    """What all clients wrote, by kind of event; a platform's or a bank's file is named for it."""
    events = collections.defaultdict(list)
    for path in sorted(pathlib.Path(folder).glob("*.journal")):
        who = path.name.split(".")[0]
        for line in path.read_text().splitlines():
            event = json.loads(line)
            event["who"] = who
            events[event["e"]].append(event)
    return events


def violations(db, events):
    """db: a psycopg connection of somebody who may read."""
    found = Findings()
    db.execute("SET search_path = ujrat")
    db.execute("ANALYZE")
    for kind, query in BOOKS.items():
        for row in db.execute(query + " LIMIT 5").fetchall():
            found.add(kind, row[0])
    payouts = db.execute("WITH " + STATE + """
        SELECT b.code, p.reference, p.payout_id, p.gross, p.fee, p.net, c.code, p.state, k.code, p.book_id
          FROM state p JOIN book b USING (book_id) JOIN bank k USING (bank_id) JOIN currency c ON c.ccy = p.src_ccy""").fetchall()
    check_platforms(found, events, payouts)
    check_cancels(found, events, payouts)
    check_banks(found, events, payouts, db)
    check_banks_books(found, events, db)
    for e in events["wrong"] + events["broken"] + events["stuck"]:
        found.add({"wrong": "client was told something wrong", "broken": "client broke",
                   "stuck": "client never got a definite answer"}[e["e"]], e)
    return found


def check_platforms(found, events, payouts):
    stored = collections.defaultdict(list)
    for p in payouts:
        stored[p[0], p[1]].append(p)
    intents = {}
    for e in events["sent"]:
        intents[e["who"], e["ref"]] = e["intent"]
    for e in events["ack"]:
        wanted = ("platforms/%s/payouts/" % e["who"], e["gross"], e["fee"], e["net"], e["ccy"])
        rows = stored.get((e["who"], e["ref"]), [])
        if not rows:
            found.add("acknowledged payout is missing", "%s %s" % (e["who"], e["ref"]))
        elif not any(wanted == ("platforms/%s/payouts/" % p[0], *p[3:7]) and e["name"] == wanted[0] + str(p[2]) for p in rows):
            found.add("acknowledged payout has other numbers", "%s: %s" % (e, rows))
    for kind in ("refused", "abandoned"):
        for e in events[kind]:
            if (e["who"], e["ref"]) in stored:
                found.add("payout exists that was told as %s" % kind, "%s" % e)
    for e in events["refused"]:
        if e["reason"] not in REASONS_EXPECTED:
            found.add("refused for an unexpected reason", "%s" % e)
    paid = collections.Counter()
    for key, rows in stored.items():
        if key not in intents:
            found.add("payout that nobody asked for", "%s %s" % key)
        else:
            paid[key[0], intents[key]] += len(rows)
    for (who, intent), n in paid.items():
        if n > 1:
            found.add("paid more than once", "%s %s: %d times" % (who, intent, n))


def check_cancels(found, events, payouts):
    state = {"platforms/%s/payouts/%d" % (p[0], p[2]): STATES[p[7]] for p in payouts}
    for e in events["cancelled"]:
        if state.get(e["name"]) != "CANCELLED":
            found.add("cancelled payout is not", "%s is %s" % (e["name"], state.get(e["name"])))
    for e in events["not_cancelled"]:
        if e["reason"] != "STATE_CONFLICT":
            found.add("not cancelled for an unexpected reason", "%s" % e)
        elif state.get(e["name"]) == "CANCELLED":
            found.add("payout was cancelled that was told as too late", "%s" % e)


def check_banks(found, events, payouts, db):
    by_id = {"UJ%d-%d" % (p[9], p[2]): p for p in payouts}
    step = {("UJ%d-%d" % (book, payout)): (STATES[state], reference or "") for book, payout, state, reference in db.execute(
        "SELECT book_id, payout_id, state, bank_reference FROM payout_transition WHERE step = 1").fetchall()}
    decided = {}
    for e in events["decided"]:
        p = by_id.get(e["id"])
        decided[e["id"]] = (e["status"], e["reference"])
        if p is None:
            found.add("instruction without a payout", e["id"])
        elif (p[8], p[5]) != (e["bank"], e["amount"]):
            found.add("instruction is not its payout", "%s: %s" % (e, p))
        if p is not None and STATES[p[7]] == "CANCELLED":
            found.add("bank was told of a payout that is cancelled", e["id"])
    for e in events["confirmed"]:
        wanted = ("SETTLED" if e["settled"] else "REJECTED", e["reference"])
        if step.get(e["id"]) != wanted:
            found.add("confirmation is not recorded", "%s: %s" % (e, step.get(e["id"])))
    for i, (state, reference) in step.items():
        if state != "CANCELLED" and decided.get(i) != (state, reference):
            found.add("bank did not say what is recorded", "%s: %s, %s" % (i, state, reference))
    returning = {e["id"] for e in events["returning"] + events["part_returned"]}
    for e in events["returned"]:
        if e["id"] not in by_id or STATES[by_id[e["id"]][7]] != "RETURNED":
            found.add("returned payment is not", e["id"])
    for i, p in by_id.items():
        if STATES[p[7]] == "RETURNED" and i not in returning:
            found.add("returned by nobody", i)


def check_banks_books(found, events, db):
    """What the banks wrote down for themselves, against what is recorded: what came back of each payment, and what each bank is owed."""
    amount = {e["id"]: (e["bank"], e["amount"]) for e in events["decided"]}
    back, kept, owed = collections.Counter(), collections.Counter(), collections.Counter()
    for i in {e["id"] for e in events["confirmed"] if e["settled"]}:
        owed[amount[i][0]] += amount[i][1]
    for i in {e["id"] for e in events["returned"]}:
        back[i] += amount[i][1]
    for e in {(e["id"], e["reference"]): e for e in events["part_returned"]}.values():
        back[e["id"]] += e["amount"]
        kept[e["id"]] += e["charge"]
    for e in {(e["id"], e["reference"]): e for e in events["return_reversed"]}.values():
        back[e["id"]] -= e["amount"]
        kept[e["id"]] -= e["charge"]
    recorded = {i: (a, c) for i, a, c in db.execute("""
        SELECT 'UJ' || book_id || '-' || payout_id, sum(CASE WHEN reverses_step IS NULL THEN amount ELSE -amount END)::bigint,
               sum(CASE WHEN reverses_step IS NULL THEN charge ELSE -charge END)::bigint FROM payment_return GROUP BY 1""").fetchall()}
    for i in back.keys() | recorded.keys():
        if recorded.get(i, (0, 0)) != (back[i], kept[i]):
            found.add("what came back is not what is recorded", "%s: %s, %s and %s" % (i, back[i], kept[i], recorded.get(i)))
        if i in amount:
            owed[amount[i][0]] -= back[i] - kept[i]
    for code, ours in db.execute("""SELECT k.code, -sum(a.balance)::bigint FROM account_now a JOIN bank k USING (bank_id)
                                     WHERE a.role = 'nostro' GROUP BY k.code""").fetchall():
        if ours != owed[code]:
            found.add("bank's own books are not ours", "%s: it is owed %s, we say %s" % (code, owed[code], ours))


def unfinished(db):
    """Payouts whose bank was not told, or has not answered."""
    return db.execute("WITH " + STATE + "SELECT count(*) FROM state WHERE state NOT IN (4, 5, 6, 7, 10)").fetchone()[0]
