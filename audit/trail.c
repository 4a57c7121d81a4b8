/* ujrat-audit trail: one payout from end to end. Each journal that says it is about the payout is found by reading them
 * all, so that one which no state answers for is seen too. */
#include "audit/commands.h"
#include "audit/lookup.h"
#include "audit/money.h"
#include "audit/output.h"
#include "audit/trail_proof.h"
#include "base/hex.h"

#include <stdlib.h>
#include <string.h>

const char trail_help[] =
    "A payout is named platforms/upwork/payouts/42, or by its book and its reference: upwork INV-17.\n"
    "The arithmetic of its price is done again. Each journal's record is made again from the rows and\n"
    "followed through its leaf, its block and the block's signature to a signed tree head\n"
    "(docs/log-format.md). --key says which key of the book is to be trusted. Exit status 1 when\n"
    "something does not hold; a block that is not sealed yet is no such thing.";

const struct option_row trail_options[] = {
    {"key", "FILE", "PEM of a public key of the book's that you trust; may be repeated", true},
    {NULL, NULL, NULL, false},
};

struct price {
    const char *src, *dst;
    unsigned src_digits, dst_digits;
    int64_t gross, fee, rate, mid_value, margin_bps, margin, net, shift;
};

struct trail {
    struct db *db;
    struct book book;
    int64_t payout_id;
    PGresult *payout;
    struct price price;
    struct trusted_keys trusted;
    json_t *json; /* NULL: text is printed */
    json_t *events;
    bool wrong;
};

/* ---------------------------------------------------------------- which payout */

static const char sql_payout[] =
    "SELECT p.payout_id, p.reference, p.info, bank.code, s.code, s.digits, d.code, d.digits, p.gross, p.fee,"
    "       p.mid_rate_e10, p.mid_value, p.margin_bps, p.margin, p.net, p.digit_shift, p.quote_id, r.source,"
    "       r.sheet_date, p.beneficiary_id, p.beneficiary_version, v.purpose_code"
    "  FROM payout p JOIN bank USING (bank_id) JOIN currency s ON s.ccy = p.src_ccy"
    "  JOIN currency d ON d.ccy = p.dst_ccy LEFT JOIN rate_sheet r USING (rate_id)"
    "  LEFT JOIN beneficiary_version v ON v.book_id = p.book_id AND v.beneficiary_id = p.beneficiary_id"
    "       AND v.version = p.beneficiary_version"
    " WHERE p.book_id = $1::int4 AND ($2 = '' OR p.payout_id = nullif($2, '')::int8) AND ($3 = '' OR p.reference = $3)";

/* "platforms/upwork/payouts/42" */
static bool split_name(const char *name, char book[BOOK_CODE_SIZE], int64_t *id)
{
    struct slice rest = slice_str(name);
    struct slice parts[4];
    bool more = true;
    size_t n = 0;

    while (more && n < 4)
        more = slice_cut(rest, '/', &parts[n++], &rest);
    return n == 4 && !more && slice_equal_str(parts[0], "platforms") &&
           slice_equal_str(parts[2], "payouts") &&
           !err_failed(slice_copy(parts[1], book, BOOK_CODE_SIZE)) &&
           !err_failed(str_parse_int64(parts[3], id)) && *id > 0;
}

static enum exit_code find_payout(struct trail *t, const struct args *args)
{
    char code[BOOK_CODE_SIZE];
    int64_t id = 0;
    bool named = args->n_operands == 1;
    const char *reference = named ? "" : args->operands[1];

    if (named && !split_name(args->operands[0], code, &id)) {
        complain("'%s': a payout is named platforms/BOOK/payouts/NUMBER, or by BOOK REFERENCE",
                 args->operands[0]);
        return EXIT_USAGE;
    }
    if (!book_find(t->db, named ? code : args->operands[0], &t->book))
        return EXIT_REFUSED;
    struct number_text numbers[] = {number_text(t->book.book_id), number_text(id)};
    const char *values[] = {numbers[0].text, named ? numbers[1].text : "", reference};
    t->payout = db_query(t->db, sql_payout, 3, values);
    if (t->payout == NULL)
        return EXIT_REFUSED;
    if ((!named && reference[0] == '\0') || PQntuples(t->payout) == 0) {
        complain("book '%s' has no payout %s%s", t->book.code,
                 named ? "number " : "with reference ", named ? numbers[1].text : reference);
        return EXIT_REFUSED;
    }
    t->payout_id = db_int(t->payout, 0, 0);
    t->price = (struct price){.src = PQgetvalue(t->payout, 0, 4),
                              .src_digits = (unsigned)db_int(t->payout, 0, 5),
                              .dst = PQgetvalue(t->payout, 0, 6),
                              .dst_digits = (unsigned)db_int(t->payout, 0, 7),
                              .gross = db_int(t->payout, 0, 8),
                              .fee = db_int(t->payout, 0, 9),
                              .rate = db_int(t->payout, 0, 10),
                              .mid_value = db_int(t->payout, 0, 11),
                              .margin_bps = db_int(t->payout, 0, 12),
                              .margin = db_int(t->payout, 0, 13),
                              .net = db_int(t->payout, 0, 14),
                              .shift = db_int(t->payout, 0, 15)};
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- its price, again */

/* The quotient as decimals, exactly, without trailing zeros behind `digits`; scale: 10 to how many. */
static const char *decimals(amount_t value, unsigned scale, unsigned digits,
                            char out[AMOUNT_TEXT_SIZE])
{
    char text[AMOUNT_TEXT_SIZE];
    size_t n;
    size_t o = 0;

    amount_plain(value, 0, text);
    n = strlen(text);
    for (size_t i = n; i <= scale && o < AMOUNT_TEXT_SIZE - 1; i++) { /* "0.0…" in front */
        out[o++] = '0';
        if (i == n && scale > 0)
            out[o++] = '.';
    }
    for (size_t i = 0; i < n && o < AMOUNT_TEXT_SIZE - 2; i++) {
        if (n > scale && i == n - scale && scale > 0)
            out[o++] = '.';
        out[o++] = text[i];
    }
    for (; scale > digits && o > 0 && out[o - 1] == '0'; scale--)
        o--;
    if (o > 0 && out[o - 1] == '.')
        o--;
    out[o] = '\0';
    return out;
}

struct steps {
    amount_t converted, product, divisor, mid_value, margin_product, margin, net;
    unsigned
        scale; /* of the product in units of the target currency's minor unit: 10 to the scale */
    bool fits; /* in 128 bits: all amounts that the ledger takes do, but rows may hold anything */
};

static void compute(const struct price *p, struct steps *s)
{
    amount_t rest;

    *s = (struct steps){.converted = (amount_t)p->gross - p->fee, .divisor = 1};
    s->fits = p->shift >= -4 && p->shift <= 4 && p->src_digits <= AMOUNT_DIGITS_MAX &&
              p->dst_digits <= AMOUNT_DIGITS_MAX;
    if (!s->fits)
        return;
    s->product = s->converted * p->rate; /* two of 63 bits */
    s->scale = 10;
    for (int64_t i = 0; i < p->shift; i++)
        s->fits = s->fits && !__builtin_mul_overflow(s->product, (amount_t)10, &s->product);
    s->scale += p->shift < 0 ? (unsigned)-p->shift : 0;
    for (unsigned i = 0; i < s->scale; i++)
        s->divisor *= 10;
    s->mid_value = s->product / s->divisor;
    rest = s->product % s->divisor;
    if (rest * 2 > s->divisor || (rest * 2 == s->divisor && s->mid_value % 2 != 0))
        s->mid_value++;
    s->margin_product = (amount_t)p->mid_value * p->margin_bps;
    s->margin = s->margin_product / 10000;
    s->net = (amount_t)p->mid_value - p->margin;
}

/* One step's figure; false if the row says another. */
static bool figure(struct trail *t, const char *name, const char *how, amount_t ours,
                   int64_t theirs, const char *ccy, unsigned digits)
{
    char text[AMOUNT_TEXT_SIZE];
    bool same = ours == theirs;

    if (t->json == NULL)
        printf("  %-10s %20s %s%s%s\n", name, amount_shown(theirs, digits, text), ccy,
               how[0] ? "  " : "", how);
    if (!same)
        complain("THE PRICE IS WRONG: %s of payout %lld comes to %s", name, (long long)t->payout_id,
                 amount_shown(ours, digits, text));
    return same;
}

static void show_price(struct trail *t)
{
    const struct price *p = &t->price;
    struct steps s;
    char a[AMOUNT_TEXT_SIZE];
    char b[AMOUNT_TEXT_SIZE];
    char c[AMOUNT_TEXT_SIZE];
    char how[4 * AMOUNT_TEXT_SIZE];
    bool right;

    compute(p, &s);
    if (!s.fits) {
        complain("THE PRICE IS WRONG: payout %lld has numbers that no amounts have",
                 (long long)t->payout_id);
        t->wrong = true;
        return;
    }
    if (t->json == NULL)
        printf("\nPrice, fixed when it was accepted: %s of %s%s%s\n", PQgetvalue(t->payout, 0, 17),
               PQgetvalue(t->payout, 0, 18), PQgetisnull(t->payout, 0, 16) ? "" : ", by quote ",
               PQgetvalue(t->payout, 0, 16));
    right = figure(t, "gross", "", p->gross, p->gross, p->src, p->src_digits);
    right = figure(t, "fee", "", p->fee, p->fee, p->src, p->src_digits) && right;
    right = figure(t, "converted", "gross - fee", s.converted, p->gross - p->fee, p->src,
                   p->src_digits) &&
            right;
    snprintf(how, sizeof how, "%s x %s = %s, rounded half to even",
             amount_shown(s.converted, p->src_digits, a), decimals(p->rate, 10, 4, b),
             decimals(s.product, s.scale + p->dst_digits, p->dst_digits, c));
    right = figure(t, "mid value", how, s.mid_value, p->mid_value, p->dst, p->dst_digits) && right;
    snprintf(how, sizeof how, "%s x %lld / 10,000 = %s, rounded down",
             amount_shown(p->mid_value, p->dst_digits, a), (long long)p->margin_bps,
             decimals(s.margin_product, 4 + p->dst_digits, p->dst_digits, c));
    right = figure(t, "margin", how, s.margin, p->margin, p->dst, p->dst_digits) && right;
    right = figure(t, "net", "mid value - margin", s.net, p->net, p->dst, p->dst_digits) && right;
    if (t->json == NULL && right)
        printf("  Computed again, and right.\n");
    t->wrong = t->wrong || !right;
    if (t->json != NULL)
        json_object_set_new(
            t->json, "price",
            json_pack("{ss ss sI sI sI sI sI sI sI sI sb}", "src_ccy", p->src, "dst_ccy", p->dst,
                      "gross", (json_int_t)p->gross, "fee", (json_int_t)p->fee, "mid_rate_e10",
                      (json_int_t)p->rate, "digit_shift", (json_int_t)p->shift, "mid_value",
                      (json_int_t)p->mid_value, "margin_bps", (json_int_t)p->margin_bps, "margin",
                      (json_int_t)p->margin, "net", (json_int_t)p->net, "computed_again", right));
}

/* ---------------------------------------------------------------- its events */

#define SQL_TIME "to_char(k.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"

/* A hand-out names no payout: the first of the bank's that goes as far as this one, unless it was cancelled before. */
static const char sql_events[] =
    "SELECT j.seq, j.block_no, " SQL_TIME
    "       kind.name, coalesce(pr.uri, 'principal ' || j.principal_id), j.reverses_seq, j.detail,"
    "       t.step, t.state, t.reason_code, t.bank_reference, t.tax_withheld, t.eprc_number, hb.code"
    "  FROM journal j"
    "  LEFT JOIN block k USING (book_id, block_no)"
    "  LEFT JOIN journal_kind kind ON kind.kind = j.kind"
    "  LEFT JOIN principal pr ON pr.principal_id = j.principal_id"
    "  LEFT JOIN payout_transition t ON t.book_id = j.book_id AND t.seq = j.seq AND t.seq > 0"
    "  LEFT JOIN handout h ON h.book_id = j.book_id AND h.seq = j.seq"
    "  LEFT JOIN bank hb ON hb.bank_id = h.bank_id"
    " WHERE j.book_id = $1::int4 AND (j.payout_id = $2::int8 OR j.seq = $2::int8 OR j.seq = ("
    "       SELECT h.seq FROM payout p JOIN handout h ON h.book_id = p.book_id AND h.bank_id = p.bank_id"
    "        WHERE p.book_id = $1::int4 AND p.payout_id = $2::int8 AND h.last_payout_id >= order_number(p.book_id, p.payout_id)"
    "          AND NOT EXISTS (SELECT 1 FROM payout_transition x WHERE x.book_id = p.book_id"
    "                             AND x.payout_id = p.payout_id AND x.step = 1 AND x.state = 7)"
    "        ORDER BY h.last_payout_id LIMIT 1))"
    " ORDER BY j.seq";

enum {
    SEQ,
    BLOCK_NO,
    TIME,
    KIND,
    ACTOR,
    REVERSES,
    DETAIL,
    STEP,
    STATE,
    REASON,
    REFERENCE,
    TAX,
    EPRC,
    HANDOUT
};

static const char sql_lines[] =
    "SELECT coalesce(a.code, 'account ' || line.account_id), line.minor, coalesce(c.code, '?'), coalesce(c.digits, 0)"
    "  FROM journal j CROSS JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY"
    "       AS line (account_id, ccy, minor, ord)"
    "  LEFT JOIN account a ON a.book_id = j.book_id AND a.account_id = line.account_id"
    "  LEFT JOIN currency c ON c.ccy = line.ccy"
    " WHERE j.book_id = $1::int4 AND j.seq = $2::int8 ORDER BY line.ord";

/* docs/log-format.md: the state a transition led to. */
static const char *state_name(int64_t state)
{
    static const char *const names[] = {
        [4] = "SETTLED",   [5] = "REJECTED", [6] = "RETURNED",
        [7] = "CANCELLED", [9] = "REFUSED",  [10] = "PARTLY_RETURNED",
    };

    return state >= 4 && state <= 10 && names[state] != NULL ? names[state] : "?";
}

static const char *event_name(const PGresult *r, int i)
{
    if (!PQgetisnull(r, i, STATE))
        return state_name(db_int(r, i, STATE));
    if (strcmp(PQgetvalue(r, i, KIND), "PAYOUT_ACCEPTED") == 0)
        return "ACCEPTED";
    if (strcmp(PQgetvalue(r, i, KIND), "PAYOUT_HELD") == 0)
        return "HELD";
    if (strcmp(PQgetvalue(r, i, KIND), "HOLD_RELEASED") == 0)
        return "ACCEPTED";
    if (!PQgetisnull(r, i, HANDOUT))
        return "INSTRUCTED";
    return "";
}

static void show_text(const char *name, const char *text)
{
    char clean[1024];

    if (text[0] != '\0')
        printf("     %-16s %s\n", name, output_clean(text, clean, sizeof clean));
}

static void show_event(const struct trail *t, const PGresult *r, int i)
{
    const char *state = event_name(r, i);
    char tax[AMOUNT_TEXT_SIZE + 8] = "";
    char text[AMOUNT_TEXT_SIZE];

    printf("\n%2d. %s%s%s\n", i + 1, state, state[0] ? ": " : "", PQgetvalue(r, i, KIND));
    printf("     %-16s %s\n", "when", PQgetvalue(r, i, TIME));
    show_text("who", PQgetvalue(r, i, ACTOR));
    printf("     %-16s %s in block %s%s%s\n", "journal", PQgetvalue(r, i, SEQ),
           PQgetvalue(r, i, BLOCK_NO), PQgetisnull(r, i, REVERSES) ? "" : ", reverses journal ",
           PQgetvalue(r, i, REVERSES));
    if (!PQgetisnull(r, i, HANDOUT))
        show_text("told", PQgetvalue(r, i, HANDOUT));
    show_text("reason code", PQgetvalue(r, i, REASON));
    show_text("bank reference", PQgetvalue(r, i, REFERENCE));
    if (!PQgetisnull(r, i, TAX))
        snprintf(tax, sizeof tax, "%s %s",
                 amount_shown(db_int(r, i, TAX), t->price.dst_digits, text), t->price.dst);
    show_text("tax withheld", tax);
    show_text("e-PRC", PQgetvalue(r, i, EPRC));
    show_text("detail", PQgetvalue(r, i, DETAIL));
}

static void put(json_t *to, const char *name, const PGresult *r, int row, int col)
{
    if (!PQgetisnull(r, row, col))
        json_object_set_new(to, name, json_string(PQgetvalue(r, row, col)));
}

static json_t *event_json(const PGresult *r, int i)
{
    json_t *o = json_pack("{sI sI}", "seq", (json_int_t)db_int(r, i, SEQ), "block_no",
                          (json_int_t)db_int(r, i, BLOCK_NO));

    if (event_name(r, i)[0] != '\0')
        json_object_set_new(o, "state", json_string(event_name(r, i)));
    put(o, "committed_at", r, i, TIME);
    put(o, "kind", r, i, KIND);
    put(o, "actor", r, i, ACTOR);
    put(o, "detail", r, i, DETAIL);
    put(o, "told", r, i, HANDOUT);
    put(o, "reason_code", r, i, REASON);
    put(o, "bank_reference", r, i, REFERENCE);
    put(o, "eprc_number", r, i, EPRC);
    if (!PQgetisnull(r, i, REVERSES))
        json_object_set_new(o, "reverses_seq", json_integer(db_int(r, i, REVERSES)));
    if (!PQgetisnull(r, i, TAX))
        json_object_set_new(o, "tax_withheld", json_integer(db_int(r, i, TAX)));
    return o;
}

static bool show_lines(struct trail *t, int64_t seq, json_t *event)
{
    struct number_text numbers[] = {number_text(t->book.book_id), number_text(seq)};
    const char *values[] = {numbers[0].text, numbers[1].text};
    PGresult *r = db_query(t->db, sql_lines, 2, values);
    json_t *list = json_array();

    for (int i = 0; r != NULL && i < PQntuples(r); i++) {
        unsigned digits = (unsigned)db_int(r, i, 3);
        char text[SIDED_SIZE];

        if (digits > AMOUNT_DIGITS_MAX)
            digits = 0;
        if (event == NULL)
            printf("     %-16s %-20s %22s %s\n", i == 0 ? "lines" : "", PQgetvalue(r, i, 0),
                   output_sided(db_int(r, i, 1), digits, text), PQgetvalue(r, i, 2));
        else
            json_array_append_new(list, json_pack("{ss ss sI ss}", "account", PQgetvalue(r, i, 0),
                                                  "currency", PQgetvalue(r, i, 2), "minor",
                                                  (json_int_t)db_int(r, i, 1), "amount",
                                                  amount_plain(db_int(r, i, 1), digits, text)));
    }
    if (event == NULL && r != NULL && PQntuples(r) == 0)
        printf("     %-16s none: no money has moved\n", "lines");
    if (event != NULL)
        json_object_set(event, "lines", list);
    json_decref(list);
    PQclear(r);
    return r != NULL;
}

/* ---------------------------------------------------------------- its proofs */

static const char *hex(const hash_t *hash, char out[HEX_SIZE(HASH_BYTES)])
{
    hex_encode(hash->b, HASH_BYTES, out);
    return out;
}

static void show_proof(const struct trail *t, enum proof_result result, const struct proof *p)
{
    char text[HEX_SIZE(HASH_BYTES)];
    char place[48];

    if (result == PROOF_NOT_SEALED) {
        printf("     %-16s not sealed yet\n", "proof");
        return;
    }
    if (result == PROOF_BROKEN) {
        printf("     %-16s DOES NOT HOLD: %s\n", "proof", p->why);
        return;
    }
    snprintf(place, sizeof place, "leaf %lld of %lld", (long long)p->leaf_index + 1,
             (long long)p->leaves);
    printf("     %-16s %-13s %s\n", "proof", place, hex(&p->leaf, text));
    printf("     %-16s journal root  %s\n", "", hex(&p->journal_root, text));
    printf("     %-16s block %-7lld %s\n", "", (long long)p->block_no, hex(&p->block_hash, text));
    printf("     %-16s signed with key %s%s\n", "", p->block_key,
           p->trusted          ? ""
           : t->trusted.n == 0 ? " (say --key to have it trusted)"
                               : "");
    if (result == PROOF_NO_HEAD) {
        printf("     %-16s holds; no tree head covers the block yet\n", "");
        return;
    }
    printf("     %-16s tree of %-5lld %s\n", "", (long long)p->tree_size, hex(&p->root, text));
    printf("     %-16s its head signed %s with key %s\n", "", p->head_at, p->head_key);
    printf("     %-16s computed again from the rows, through %zu hashes: holds\n", "", p->path);
}

static json_t *proof_json(enum proof_result result, const struct proof *p)
{
    static const char *const names[] = {[PROOF_HOLDS] = "holds",
                                        [PROOF_NOT_SEALED] = "not sealed yet",
                                        [PROOF_NO_HEAD] = "no tree head yet",
                                        [PROOF_BROKEN] = "does not hold"};
    json_t *o = json_pack("{ss}", "result", names[result]);
    char text[HEX_SIZE(HASH_BYTES)];

    if (result == PROOF_BROKEN)
        json_object_set_new(o, "why", json_string(p->why));
    if (result == PROOF_NOT_SEALED || result == PROOF_BROKEN)
        return o;
    json_object_set_new(o, "leaf_index", json_integer(p->leaf_index));
    json_object_set_new(o, "leaves", json_integer(p->leaves));
    json_object_set_new(o, "leaf", json_string(hex(&p->leaf, text)));
    json_object_set_new(o, "journal_root", json_string(hex(&p->journal_root, text)));
    json_object_set_new(o, "block_hash", json_string(hex(&p->block_hash, text)));
    json_object_set_new(o, "block_key", json_string(p->block_key));
    json_object_set_new(o, "key_trusted", json_boolean(p->trusted));
    if (result == PROOF_NO_HEAD)
        return o;
    json_object_set_new(o, "tree_size", json_integer(p->tree_size));
    json_object_set_new(o, "root", json_string(hex(&p->root, text)));
    json_object_set_new(o, "head_signed_at", json_string(p->head_at));
    json_object_set_new(o, "head_key", json_string(p->head_key));
    return o;
}

/* ---------------------------------------------------------------- all of it */

static void show_head(struct trail *t, const char *state)
{
    const PGresult *r = t->payout;
    char name[BOOK_CODE_SIZE + 64];

    snprintf(name, sizeof name, "platforms/%s/payouts/%lld", t->book.code, (long long)t->payout_id);
    if (t->json != NULL) {
        json_object_set_new(t->json, "payout", json_string(name));
        put(t->json, "reference", r, 0, 1);
        put(t->json, "info", r, 0, 2);
        put(t->json, "bank", r, 0, 3);
        put(t->json, "quote", r, 0, 16);
        json_object_set_new(t->json, "state", json_string(state));
        return;
    }
    printf("Payout %s: %s\n", name, state);
    show_text("reference", PQgetvalue(r, 0, 1));
    show_text("info", PQgetvalue(r, 0, 2));
    printf("     %-16s number %s, version %s, at bank %s, purpose %s\n", "beneficiary",
           PQgetvalue(r, 0, 19), PQgetvalue(r, 0, 20), PQgetvalue(r, 0, 3), PQgetvalue(r, 0, 21));
}

static bool show_events(struct trail *t, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        json_t *event = t->json == NULL ? NULL : event_json(r, i);
        struct proof proof;
        enum proof_result result;
        bool fine;

        if (event == NULL)
            show_event(t, r, i);
        fine = show_lines(t, db_int(r, i, SEQ), event);
        result = proof_check(t->db, &t->book, db_int(r, i, SEQ), &t->trusted, &proof);
        if (result == PROOF_BROKEN) {
            complain("THE PROOF DOES NOT HOLD: book %s, journal %s: %s", t->book.code,
                     PQgetvalue(r, i, SEQ), proof.why);
            t->wrong = true;
        }
        fine = fine && result != PROOF_FAILED;
        if (fine && event == NULL)
            show_proof(t, result, &proof);
        if (fine && event != NULL)
            json_object_set_new(event, "proof", proof_json(result, &proof));
        if (event != NULL)
            json_array_append_new(t->events, event);
        if (!fine)
            return false;
    }
    return true;
}

static enum exit_code show(struct trail *t, bool json)
{
    struct number_text numbers[] = {number_text(t->book.book_id), number_text(t->payout_id)};
    const char *values[] = {numbers[0].text, numbers[1].text};
    PGresult *r = db_query(t->db, sql_events, 2, values);
    const char *state = "NO JOURNAL";
    bool fine = r != NULL;

    if (json) {
        t->json = json_object();
        t->events = json_array();
    }
    for (int i = 0; fine && i < PQntuples(r); i++)
        if (event_name(r, i)[0] != '\0')
            state = event_name(r, i);
    if (fine && PQntuples(r) == 0) {
        complain("NO JOURNAL: book %s has a payout %lld that no journal accepted", t->book.code,
                 (long long)t->payout_id);
        t->wrong = true;
    }
    if (fine) {
        show_head(t, state);
        show_price(t);
        fine = show_events(t, r);
    }
    PQclear(r);
    if (fine && json) {
        json_object_set(t->json, "events", t->events);
        json_object_set_new(t->json, "all_holds", json_boolean(!t->wrong));
        fine = output_json(stdout, json_incref(t->json), 2);
    }
    json_decref(t->json);
    json_decref(t->events);
    return fine && !t->wrong ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_code trail_run(const struct args *args)
{
    struct trail *t = calloc(1, sizeof *t);
    struct db db;
    enum exit_code code;

    if (t == NULL) {
        complain("out of memory");
        return EXIT_REFUSED;
    }
    code = trusted_keys_read(args, "key", &t->trusted) ? db_open(args, &db) : EXIT_REFUSED;
    if (code == EXIT_DONE) {
        t->db = &db;
        code = find_payout(t, args);
        if (code == EXIT_DONE)
            code = show(t, args_json(args));
        PQclear(t->payout);
        db_close(&db);
    }
    trusted_keys_free(&t->trusted);
    free(t);
    return code;
}
