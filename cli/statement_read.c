/* A statement's payouts, from the ledger. */
#include "base/clock.h"
#include "cli/statement.h"

#include <stdlib.h>
#include <string.h>

#define MICROSECONDS(time) "(extract(epoch FROM " time ") * 1000000)::bigint"

static const char sql_book[] =
    "SELECT b.book_id, e.erased_at IS NOT NULL, last.block_no, " MICROSECONDS("last.committed_at") ", " MICROSECONDS(
        "first.committed_at") ", n.beneficiary_id,"
                              "       " MICROSECONDS(
                                  "transaction_timestamp()") "  FROM book b"
                                                             "  LEFT JOIN beneficiary n ON n.book_id = b.book_id AND n.beneficiary_id = $2::bigint"
                                                             "  LEFT JOIN pii_erasure e ON e.book_id = n.book_id AND e.beneficiary_id = n.beneficiary_id"
                                                             "  LEFT JOIN LATERAL (SELECT * FROM block WHERE book_id = b.book_id ORDER BY block_no DESC LIMIT 1) last ON true"
                                                             "  LEFT JOIN LATERAL (SELECT * FROM block WHERE book_id = b.book_id ORDER BY block_no LIMIT 1) first ON true"
                                                             " WHERE b.code = $1";

enum { B_BOOK_ID, B_ERASED, B_BLOCK_NO, B_AS_OF, B_BEGAN, B_FOUND, B_NOW };

/* What was settled in the year. The estimate is the one of view tax_difference, of every settled payment for export of services.
 * What came back: returns that were not taken back. */
static const char sql_payouts[] =
    "SELECT p.payout_id, p.reference, p.src_ccy, p.gross, p.fee, p.mid_rate_e10, p.mid_value, p.margin_bps, p.margin, p.net,"
    "       p.dst_ccy, s.source, s.sheet_date, usd.pkr_e10, bank.code, v.channel, v.purpose_code, t.tax_withheld, t.eprc_number,"
    "       t.bank_reference, " MICROSECONDS("k.committed_at") ", e.bps, e.expected, back.amount, " MICROSECONDS(
        "back_block.committed_at") ", last.state"
                                   "  FROM payout p"
                                   "  JOIN payout_transition t ON t.book_id = p.book_id AND t.payout_id = p.payout_id AND t.step = 1 AND t.state = 4"
                                   "  JOIN journal j ON j.book_id = t.book_id AND j.seq = t.seq"
                                   "  JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no"
                                   "  JOIN beneficiary_version v ON v.book_id = p.book_id AND v.beneficiary_id = p.beneficiary_id"
                                   "       AND v.version = p.beneficiary_version"
                                   "  JOIN bank ON bank.bank_id = p.bank_id"
                                   "  JOIN rate_sheet s ON s.rate_id = p.rate_id"
                                   "  LEFT JOIN rate usd ON usd.rate_id = p.rate_id AND usd.ccy = 840"
                                   "  LEFT JOIN LATERAL (SELECT c.value AS bps, div(p.net::numeric * c.value, 10000)::bigint AS expected"
                                   "                       FROM policy_change c JOIN policy y USING (proposal_id)"
                                   "                      WHERE v.channel = 1 AND c.kind = 8 AND y.effective_at <= k.committed_at"
                                   "                        AND c.scope = CASE WHEN v.pseb_commitment IS NOT NULL THEN 'PSEB' ELSE 'OTHER' END"
                                   "                      ORDER BY y.effective_at DESC, y.policy_id DESC LIMIT 1) e ON true"
                                   "  LEFT JOIN LATERAL (SELECT sum(r.amount)::bigint AS amount, max(r.step) AS step FROM payment_return r"
                                   "                      WHERE r.book_id = p.book_id AND r.payout_id = p.payout_id AND r.reverses_step IS NULL"
                                   "                        AND NOT EXISTS (SELECT FROM payment_return x WHERE x.book_id = r.book_id"
                                   "                                           AND x.payout_id = r.payout_id AND x.reverses_step = r.step)) back ON true"
                                   "  LEFT JOIN payout_transition back_step ON back_step.book_id = p.book_id AND back_step.payout_id = p.payout_id"
                                   "       AND back_step.step = back.step"
                                   "  LEFT JOIN journal back_journal ON back_journal.book_id = p.book_id AND back_journal.seq = back_step.seq"
                                   "  LEFT JOIN block back_block ON back_block.book_id = p.book_id AND back_block.block_no = back_journal.block_no"
                                   " CROSS JOIN LATERAL (SELECT state FROM payout_transition x WHERE x.book_id = p.book_id AND x.payout_id = p.payout_id"
                                   "                      ORDER BY x.step DESC LIMIT 1) last"
                                   " WHERE p.book_id = $1::int AND p.beneficiary_id = $2::bigint"
                                   "   AND k.committed_at >= to_timestamp($3::bigint / 1000000) AND k.committed_at < to_timestamp($4::bigint / 1000000)"
                                   " LIMIT $5::int";

enum {
    PAYOUT_ID,
    REFERENCE,
    SRC_CCY,
    GROSS,
    FEE,
    MID_RATE,
    MID_VALUE,
    MARGIN_BPS,
    MARGIN,
    NET,
    DST_CCY,
    RATE_SOURCE,
    RATE_DATE,
    USD_RATE,
    BANK,
    CHANNEL,
    PURPOSE,
    TAX_WITHHELD,
    EPRC,
    BANK_REFERENCE,
    SETTLED_AT,
    ESTIMATE_BPS,
    ESTIMATE,
    RETURNED,
    RETURNED_AT,
    STATE
};

struct number {
    char text[STR_INT64_SIZE];
};

static struct number number(int64_t value)
{
    struct number n;

    str_format_int64(value, n.text);
    return n;
}

/* NULL: nothing is said. */
static const char *text_of(const PGresult *r, int row, int col)
{
    return PQgetisnull(r, row, col) || PQgetvalue(r, row, col)[0] == '\0' ? NULL
                                                                          : PQgetvalue(r, row, col);
}

/* ---------------------------------------------------------------- payouts */

static struct pricing price_of(const PGresult *r, int row)
{
    uint16_t src = (uint16_t)db_int(r, row, SRC_CCY), dst = (uint16_t)db_int(r, row, DST_CCY);
    struct pricing p = {.gross = money_of(db_int(r, row, GROSS), src),
                        .fee = money_of(db_int(r, row, FEE), src),
                        .mid_value = money_of(db_int(r, row, MID_VALUE), dst),
                        .margin = money_of(db_int(r, row, MARGIN), dst),
                        .net = money_of(db_int(r, row, NET), dst),
                        .mid = {db_int(r, row, MID_RATE)},
                        .margin_bps = (int32_t)db_int(r, row, MARGIN_BPS)};

    if (money_sub(p.gross, p.fee, &p.converted_source) != REASON_NONE ||
        !round_div_int64((int128_t)p.mid.e10 * (10000 - p.margin_bps), 10000, ROUND_HALF_EVEN,
                         &p.our_rate.e10))
        p.converted_source = money_of(0, src); /* not with the schema's constraints */
    return p;
}

static bool take_payout(const PGresult *r, int row, const struct statement_beneficiary *to,
                        struct statement_payout *p)
{
    reason_t reason;

    *p = (struct statement_payout){
        .to = to,
        .payout_id = db_int(r, row, PAYOUT_ID),
        .settled_us = db_int(r, row, SETTLED_AT),
        .reference = PQgetvalue(r, row, REFERENCE),
        .bank = PQgetvalue(r, row, BANK),
        .rate_source = PQgetvalue(r, row, RATE_SOURCE),
        .rate_date = PQgetvalue(r, row, RATE_DATE),
        .purpose = PQgetvalue(r, row, PURPOSE),
        .bank_reference = text_of(r, row, BANK_REFERENCE),
        .eprc_number = text_of(r, row, EPRC),
        .channel = (enum channel)db_int(r, row, CHANNEL),
        .state = (enum payout_state)db_int(r, row, STATE),
        .price = price_of(r, row),
        .returned_us = db_int(r, row, RETURNED_AT),
        .has_estimate = !PQgetisnull(r, row, ESTIMATE),
        .has_withheld = !PQgetisnull(r, row, TAX_WITHHELD),
        .estimate_bps = (int32_t)db_int(r, row, ESTIMATE_BPS),
    };
    p->returned = money_of(db_int(r, row, RETURNED), p->price.net.ccy);
    p->estimate = money_of(db_int(r, row, ESTIMATE), p->price.net.ccy);
    p->withheld = money_of(db_int(r, row, TAX_WITHHELD), p->price.net.ccy);
    reason = p->price.net.ccy != CCY_PKR ? REASON_CURRENCY_MISMATCH
                                         : statement_complete(p, db_int(r, row, USD_RATE));
    if (reason == REASON_INTERNAL)
        complain(
            "%s of %s: its numbers in the ledger do not follow from each other (ujrat-audit verify "
            "says more)",
            p->reference, to->platform);
    else if (reason != REASON_NONE)
        complain("%s of %s: %s (%s)", p->reference, to->platform, reason_text(reason),
                 reason_name(reason));
    return reason == REASON_NONE;
}

static bool read_payouts(struct db *db, struct statement *s, size_t which)
{
    const struct statement_beneficiary *to = &s->to[which];
    struct number n[] = {number(to->book_id), number(to->id), number(s->begins_us),
                         number(s->ends_us),
                         number((int64_t)STATEMENT_PAYOUTS_MAX - (int64_t)s->n_payouts + 1)};
    PGresult *r =
        db_query(db, sql_payouts, 5,
                 (const char *const[]){n[0].text, n[1].text, n[2].text, n[3].text, n[4].text});
    struct statement_payout *more;
    size_t rows;

    s->rows[which] = r;
    if (r == NULL)
        return false;
    rows = (size_t)PQntuples(r);
    if (s->n_payouts + rows > STATEMENT_PAYOUTS_MAX) {
        complain("platforms/%s/beneficiaries/%lld: more than %d payouts in a year are too many for "
                 "a statement",
                 to->platform, (long long)to->id, STATEMENT_PAYOUTS_MAX);
        return false;
    }
    if (rows == 0)
        return true;
    more = realloc(s->payouts, (s->n_payouts + rows) * sizeof *more);
    if (more == NULL)
        abort();
    s->payouts = more;
    for (size_t i = 0; i < rows; i++)
        if (!take_payout(r, (int)i, to, &s->payouts[s->n_payouts++]))
            return false;
    return true;
}

/* ---------------------------------------------------------------- who, and when */

/* The book's own facts. *began is lowered to its first block's time. */
static bool read_book(struct db *db, struct statement_beneficiary *to, int64_t *began, int64_t *now)
{
    struct number id = number(to->id);
    PGresult *r = db_query(db, sql_book, 2, (const char *const[]){to->platform, id.text});
    bool ok = false;

    if (r == NULL)
        return false;
    if (PQntuples(r) == 0)
        complain("BENEFICIARY: there is no platform '%s'", to->platform);
    else if (PQgetisnull(r, 0, B_FOUND))
        complain("BENEFICIARY: %s has no beneficiary %lld", to->platform, (long long)to->id);
    else {
        ok = true;
        to->book_id = (int32_t)db_int(r, 0, B_BOOK_ID);
        to->erased = strcmp(PQgetvalue(r, 0, B_ERASED), "t") == 0;
        to->block_no = db_int(r, 0, B_BLOCK_NO);
        to->as_of_us = db_int(r, 0, B_AS_OF);
        if (to->block_no > 0 && db_int(r, 0, B_BEGAN) < *began)
            *began = db_int(r, 0, B_BEGAN);
        *now = db_int(r, 0, B_NOW);
    }
    PQclear(r);
    return ok;
}

/* A year that has not begun, or was over before there was a book, is no statement's. */
static bool check_year(const struct statement *s, int64_t began, int64_t now)
{
    int32_t first = tax_year_of(began < now ? began : now);

    if (s->begins_us > now)
        complain("--tax-year: %d has not begun; it is %d", s->year, tax_year_of(now));
    else if (s->year < first)
        complain("--tax-year: %d was over before the ledger began, in %d", s->year, first);
    else
        return true;
    return false;
}

/* The rule year_exemption in dollars, at the last moment of the year or, before that, now; without one what is usually said. */
static bool read_exemption(struct db *db, struct statement *s)
{
    struct number end = number(s->ends_us - 1);
    PGresult *r = db_query(
        db,
        "SELECT r.value FROM rules_in_force(least(to_timestamp($1::bigint / 1000000), clock_timestamp())) r"
        " WHERE r.kind = 9 AND r.ccy = 840",
        1, (const char *const[]){end.text});

    if (r != NULL)
        s->exemption =
            PQntuples(r) == 1 ? money_of(db_int(r, 0, 0), CCY_USD) : tax_year_exemption();
    PQclear(r);
    return r != NULL;
}

bool statement_read(struct db *db, struct statement *s)
{
    int64_t began = INT64_MAX, now = 0;

    s->begins_us = tax_year_begins_us(s->year);
    s->ends_us = tax_year_ends_us(s->year);
    for (size_t i = 0; i < s->n_to; i++)
        if (!read_book(db, &s->to[i], &began, &now))
            return false;
    if (!check_year(s, began, now) || !read_exemption(db, s))
        return false;
    s->over = now >= s->ends_us;
    for (size_t i = 0; i < s->n_to; i++)
        if (!read_payouts(db, s, i))
            return false;
    return statement_add_up(s);
}

void statement_free(struct statement *s)
{
    for (size_t i = 0; i < s->n_to; i++)
        PQclear(s->rows[i]);
    free(s->payouts);
    explicit_bzero(s, sizeof *s);
}
