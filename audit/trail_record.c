#include "audit/trail_record.h"

#include "audit/policies.h"
#include "audit/policy_rows.h"
#include "base/hex.h"

#include <stdlib.h>
#include <string.h>

bool trail_bytes(const PGresult *r, int row, int col, unsigned char *out, size_t out_size,
                 struct slice *bytes)
{
    const char *text = PQgetvalue(r, row, col);
    size_t len = 0;

    *bytes = slice_of(NULL, 0);
    if (PQgetisnull(r, row, col))
        return true;
    if (strncmp(text, "\\x", 2) != 0 ||
        err_failed(hex_decode(slice_str(text + 2), out, out_size, &len)))
        return false;
    *bytes = slice_of(out, len);
    return true;
}

/* What there is; absent if it is NULL. */
static struct slice text_or_none(const PGresult *r, int row, int col)
{
    return PQgetisnull(r, row, col) ? slice_of(NULL, 0) : slice_str(PQgetvalue(r, row, col));
}

static struct opt_int int_or_none(const PGresult *r, int row, int col)
{
    return (struct opt_int){!PQgetisnull(r, row, col), db_int(r, row, col)};
}

/* What the record under way points into, until it is written. */
struct making {
    struct db *db;
    const struct book *book;
    struct sha256 *sha;
    struct number_text book_id;
    PGresult *rows[8];
    size_t n_rows;
    struct record_out part, quote;
    unsigned char fingerprint[16];
    hash_t beneficiary, rate_sheet, quote_sheet, policy, quote_policy;
    unsigned char told[2][HASH_BYTES]; /* of a hold, or of its end */
};

/* Rows that stay until the record is made. NULL: it failed, and the user was told. */
static PGresult *ask(struct making *m, const char *sql, int64_t a, int64_t b)
{
    struct number_text numbers[] = {number_text(a), number_text(b)};
    const char *values[] = {m->book_id.text, numbers[0].text, numbers[1].text};
    PGresult *r = db_query(m->db, sql, 3, values);

    if (r != NULL)
        m->rows[m->n_rows++] = r;
    return r;
}

/* ---------------------------------------------------------------- what a payout points to */

static const char *hash_beneficiary(struct making *m, int64_t id, int64_t version)
{
    unsigned char room[5][HASH_BYTES];
    struct record_beneficiary b = {.book = slice_str(m->book->code)};
    PGresult *r = ask(
        m,
        "SELECT bank.code, v.channel, v.purpose_code, v.name_commitment, v.iban_commitment,"
        "       v.mobile_commitment, v.cnic_commitment, v.pseb_commitment, pr.uri, " SQL_US(
            "v.created_at") "  FROM beneficiary_version v JOIN bank USING (bank_id) JOIN principal pr USING (principal_id)"
                            " WHERE v.book_id = $1::int4 AND v.beneficiary_id = $2::int8 AND v.version = $3::int4",
        id, version);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "its beneficiary is missing";
    b.beneficiary_id = id;
    b.version = version;
    b.bank = slice_str(PQgetvalue(r, 0, 0));
    b.channel = db_int(r, 0, 1);
    b.purpose_code = slice_str(PQgetvalue(r, 0, 2));
    for (int i = 0; i < 5; i++)
        if (!trail_bytes(r, 0, 3 + i, room[i], HASH_BYTES, &b.commitments[i]))
            return "a commitment of its beneficiary is no hash";
    b.actor = slice_str(PQgetvalue(r, 0, 8));
    b.created_at_us = db_int(r, 0, 9);
    if (!record_write_beneficiary(&m->part, &b))
        return "its beneficiary makes no record";
    m->beneficiary = sha256_of(m->sha, record_out_slice(&m->part));
    return NULL;
}

static const char *hash_rate_sheet(struct making *m, int64_t id, hash_t *out)
{
    struct record_rate_sheet *s = calloc(1, sizeof *s);
    unsigned char file_hash[HASH_BYTES];
    const char *wrong = NULL;
    PGresult *r = ask(
        m,
        "SELECT s.source, s.sheet_date - date '1970-01-01', " SQL_US("s.as_of") ", " SQL_US(
            "s.imported_at") ", s.file_name, s.file_sha256, s.author, c.code, x.pkr_e10"
                             "  FROM rate_sheet s LEFT JOIN rate x USING (rate_id) LEFT JOIN currency c USING (ccy)"
                             " WHERE s.rate_id = $2::int4 AND $1 = $1 AND $3 = $3 ORDER BY c.ccy",
        id, 0);

    if (s == NULL || r == NULL) {
        free(s);
        return r == NULL ? "" : "out of memory";
    }
    if (PQntuples(r) == 0 || PQntuples(r) > RECORD_RATES_MAX)
        wrong = "its rate sheet is missing, or too long";
    s->rate_id = id;
    for (int i = 0; wrong == NULL && i < PQntuples(r); i++)
        if (!PQgetisnull(r, i, 7))
            s->rates[s->n_rates++] =
                (struct record_rate){slice_str(PQgetvalue(r, i, 7)), db_int(r, i, 8)};
    if (wrong == NULL && !trail_bytes(r, 0, 5, file_hash, sizeof file_hash, &s->file_sha256))
        wrong = "its rate sheet's file has no hash";
    if (wrong == NULL) {
        s->source = slice_str(PQgetvalue(r, 0, 0));
        s->sheet_date_days = db_int(r, 0, 1);
        s->as_of_us = db_int(r, 0, 2);
        s->imported_at_us = db_int(r, 0, 3);
        s->file_name = slice_str(PQgetvalue(r, 0, 4));
        s->author = slice_str(PQgetvalue(r, 0, 6));
        if (!record_write_rate_sheet(&m->part, s))
            wrong = "its rate sheet makes no record";
        else
            *out = sha256_of(m->sha, record_out_slice(&m->part));
    }
    free(s);
    return wrong;
}

/* The hash of a version's record: every change up to it is in that. */
static const char *hash_policy(struct making *m, int64_t id, hash_t *out)
{
    struct record_policy_change *c = calloc(1, sizeof *c);
    struct policies *policies = NULL;
    struct policy_rows rows = {0};
    const struct policy_version *version = NULL;
    const char *wrong = NULL;

    if (c == NULL || err_failed(policies_new(m->sha, &policies)))
        wrong = "out of memory";
    else if (!policy_rows_load(m->db, &rows))
        wrong = "";
    while (wrong == NULL && version == NULL && policy_rows_next(&rows, c) == 1) {
        if (!record_write_policy_change(&m->part, c) ||
            err_failed(policies_add(policies, record_out_slice(&m->part), c)))
            wrong = "its version of the policy makes no record";
        version = policies_of_id(policies, id);
    }
    if (wrong == NULL && version == NULL)
        wrong = "its version of the policy is missing";
    if (wrong == NULL)
        *out = version->hash;
    policy_rows_free(&rows);
    policies_free(&policies);
    free(c);
    return wrong;
}

static const char *make_quote(struct making *m, int64_t id)
{
    unsigned char fingerprint[16];
    struct record_quote q = {.book = slice_str(m->book->code), .quote_id = id};
    const char *wrong;
    PGresult *r = ask(
        m,
        "SELECT q.request_id, q.fingerprint, s.code, d.code, q.digit_shift, q.rate_id, q.gross, q.fee,"
        "       q.mid_rate_e10, q.mid_value, q.margin_bps, q.margin, q.net, pr.uri, " SQL_US("q.created_at") ", " SQL_US(
            "q.expires_at") ", q.policy_id  FROM quote q JOIN currency s ON s.ccy = q.src_ccy JOIN currency d ON d.ccy = q.dst_ccy"
                            "  JOIN principal pr USING (principal_id)"
                            " WHERE q.book_id = $1::int4 AND q.quote_id = $2::int8 AND $3 = $3",
        id, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "its quote is missing";
    wrong = hash_rate_sheet(m, db_int(r, 0, 5), &m->quote_sheet);
    if (wrong != NULL)
        return wrong;
    if (!trail_bytes(r, 0, 1, fingerprint, sizeof fingerprint, &q.fingerprint))
        return "its quote's fingerprint is none";
    q.request_id = slice_str(PQgetvalue(r, 0, 0));
    q.src_ccy = slice_str(PQgetvalue(r, 0, 2));
    q.dst_ccy = slice_str(PQgetvalue(r, 0, 3));
    q.digit_shift = db_int(r, 0, 4);
    q.rate_sheet = slice_of(m->quote_sheet.b, HASH_BYTES);
    q.gross = db_int(r, 0, 6);
    q.fee = db_int(r, 0, 7);
    q.mid_rate_e10 = db_int(r, 0, 8);
    q.mid_value = db_int(r, 0, 9);
    q.margin_bps = db_int(r, 0, 10);
    q.margin = db_int(r, 0, 11);
    q.net = db_int(r, 0, 12);
    q.actor = slice_str(PQgetvalue(r, 0, 13));
    q.created_at_us = db_int(r, 0, 14);
    q.expires_at_us = db_int(r, 0, 15);
    if (!PQgetisnull(r, 0, 16)) {
        wrong = hash_policy(m, db_int(r, 0, 16), &m->quote_policy);
        if (wrong != NULL)
            return wrong;
        q.policy = slice_of(m->quote_policy.b, HASH_BYTES);
    }
    return record_write_quote(&m->quote, &q) ? NULL : "its quote makes no record";
}

/* ---------------------------------------------------------------- subjects */

static const char *fill_payout(struct making *m, struct record_journal *j)
{
    struct record_payout *p = &j->payout;
    const char *wrong;
    PGresult *r = ask(
        m,
        "SELECT p.reference, p.info, bank.code, s.code, d.code, p.gross, p.fee, p.mid_rate_e10, p.mid_value,"
        "       p.margin_bps, p.margin, p.net, p.digit_shift, p.fingerprint, p.beneficiary_id,"
        "       p.beneficiary_version, p.rate_id, p.quote_id, p.policy_id"
        "  FROM payout p JOIN bank USING (bank_id) JOIN currency s ON s.ccy = p.src_ccy"
        "  JOIN currency d ON d.ccy = p.dst_ccy"
        " WHERE p.book_id = $1::int4 AND p.payout_id = $2::int8 AND $3 = $3",
        j->seq, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "its payout is missing";
    j->subject = SUBJECT_PAYOUT;
    *p = (struct record_payout){.reference = slice_str(PQgetvalue(r, 0, 0)),
                                .info = text_or_none(r, 0, 1),
                                .bank = slice_str(PQgetvalue(r, 0, 2)),
                                .src_ccy = slice_str(PQgetvalue(r, 0, 3)),
                                .dst_ccy = slice_str(PQgetvalue(r, 0, 4)),
                                .gross = db_int(r, 0, 5),
                                .fee = db_int(r, 0, 6),
                                .mid_rate_e10 = db_int(r, 0, 7),
                                .mid_value = db_int(r, 0, 8),
                                .margin_bps = db_int(r, 0, 9),
                                .margin = db_int(r, 0, 10),
                                .net = db_int(r, 0, 11),
                                .digit_shift = db_int(r, 0, 12),
                                .beneficiary_id = db_int(r, 0, 14),
                                .beneficiary_version = db_int(r, 0, 15),
                                .beneficiary = slice_of(m->beneficiary.b, HASH_BYTES),
                                .rate_sheet = slice_of(m->rate_sheet.b, HASH_BYTES)};
    if (!trail_bytes(r, 0, 13, m->fingerprint, sizeof m->fingerprint, &p->fingerprint))
        return "its fingerprint is none";
    wrong = hash_beneficiary(m, p->beneficiary_id, p->beneficiary_version);
    if (wrong == NULL)
        wrong = hash_rate_sheet(m, db_int(r, 0, 16), &m->rate_sheet);
    if (wrong == NULL && !PQgetisnull(r, 0, 17)) {
        wrong = make_quote(m, db_int(r, 0, 17));
        p->quote = record_out_slice(&m->quote);
    }
    if (wrong == NULL && !PQgetisnull(r, 0, 18)) {
        wrong = hash_policy(m, db_int(r, 0, 18), &m->policy);
        p->policy = slice_of(m->policy.b, HASH_BYTES);
    }
    return wrong;
}

static const char *fill_transition(struct making *m, struct record_journal *j)
{
    PGresult *r = ask(
        m,
        "SELECT step, state, reason_code, bank_reference, tax_withheld, eprc_number FROM payout_transition"
        " WHERE book_id = $1::int4 AND seq = $2::int8 AND $3 = $3",
        j->seq, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "its transition is missing";
    j->subject = SUBJECT_TRANSITION;
    j->transition = (struct record_transition){.step = db_int(r, 0, 0),
                                               .state = db_int(r, 0, 1),
                                               .reason_code = text_or_none(r, 0, 2),
                                               .bank_reference = text_or_none(r, 0, 3),
                                               .tax_withheld = int_or_none(r, 0, 4),
                                               .eprc_number = text_or_none(r, 0, 5)};
    return NULL;
}

static const char *fill_handout(struct making *m, struct record_journal *j)
{
    PGresult *r = ask(
        m,
        "SELECT bank.code, prev_payout_id, last_payout_id FROM handout JOIN bank USING (bank_id)"
        " WHERE book_id = $1::int4 AND seq = $2::int8 AND $3 = $3",
        j->seq, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "its hand-out is missing";
    j->subject = SUBJECT_HANDOUT;
    j->handout =
        (struct record_handout){slice_str(PQgetvalue(r, 0, 0)), db_int(r, 0, 1), db_int(r, 0, 2)};
    return NULL;
}

static const char *fill_hold(struct making *m, struct record_journal *j)
{
    PGresult *r = ask(
        m,
        "SELECT hold_no, reason, detail_sha256, evidence_sha256, " SQL_US(
            "deadline") " FROM payout_hold WHERE book_id = $1::int4 AND seq = $2::int8 AND $3 = $3",
        j->seq, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "its hold is missing";
    j->subject = SUBJECT_HOLD;
    j->hold = (struct record_hold){.hold_no = db_int(r, 0, 0),
                                   .reason = slice_str(PQgetvalue(r, 0, 1)),
                                   .deadline_us = db_int(r, 0, 4)};
    if (!trail_bytes(r, 0, 2, m->told[0], HASH_BYTES, &j->hold.detail) ||
        !trail_bytes(r, 0, 3, m->told[1], HASH_BYTES, &j->hold.evidence))
        return "what its hold says has no hash";
    return NULL;
}

static const char *fill_hold_end(struct making *m, struct record_journal *j)
{
    PGresult *r =
        ask(m,
            "SELECT e.hold_no, e.outcome, ap.uri, bp.uri, a.note_sha256, b.note_sha256"
            "  FROM payout_hold_end e"
            "  JOIN payout_hold_decision a ON (a.book_id, a.payout_id, a.hold_no, a.decision_no) ="
            "       (e.book_id, e.payout_id, e.hold_no, e.first_decision)"
            "  JOIN payout_hold_decision b ON (b.book_id, b.payout_id, b.hold_no, b.decision_no) ="
            "       (e.book_id, e.payout_id, e.hold_no, e.second_decision)"
            "  JOIN principal ap ON ap.principal_id = a.principal_id"
            "  JOIN principal bp ON bp.principal_id = b.principal_id"
            " WHERE e.book_id = $1::int4 AND e.seq = $2::int8 AND $3 = $3",
            j->seq, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "the end of its hold is missing";
    j->subject = SUBJECT_HOLD_END;
    j->hold_end = (struct record_hold_end){.hold_no = db_int(r, 0, 0),
                                           .outcome = db_int(r, 0, 1),
                                           .first_by = slice_str(PQgetvalue(r, 0, 2)),
                                           .second_by = slice_str(PQgetvalue(r, 0, 3))};
    if (!trail_bytes(r, 0, 4, m->told[0], HASH_BYTES, &j->hold_end.first_note) ||
        !trail_bytes(r, 0, 5, m->told[1], HASH_BYTES, &j->hold_end.second_note))
        return "a note of its hold's end has no hash";
    return NULL;
}

static const char *fill_subject(struct making *m, struct record_journal *j)
{
    static const struct {
        const char *kind;
        const char *(*fill)(struct making *m, struct record_journal *j);
    } subjects[] = {
        {"PAYOUT_ACCEPTED", fill_payout},
        {"PAYOUTS_INSTRUCTED", fill_handout},
        {"PAYOUT_SETTLED", fill_transition},
        {"PAYOUT_REJECTED", fill_transition},
        {"PAYOUT_RETURNED", fill_transition},
        {"PAYOUT_CANCELLED", fill_transition},
        {"PAYOUT_HELD", fill_hold},
        {"HOLD_RELEASED", fill_hold_end},
        {"HOLD_REFUSED", fill_hold_end},
        {"PAYOUT_REFUSED", fill_transition},
        {"SETTLEMENT_REVERSED", NULL},
        {"SETTLEMENT_PARTLY_REVERSED", NULL},
        {"PAYOUT_PARTLY_RETURNED", fill_transition},
        {"RETURN_REVERSED", NULL},
        {"SETTLEMENT_RESTORED", fill_transition},
    };

    j->subject = SUBJECT_NONE;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if (slice_equal_str(j->kind, subjects[i].kind))
            return subjects[i].fill == NULL ? NULL : subjects[i].fill(m, j);
    return "its kind is none that a payout has";
}

/* ---------------------------------------------------------------- the journal */

static const char *fill_lines(struct making *m, struct record_journal *j)
{
    PGresult *r =
        ask(m,
            "SELECT a.code, c.code, line.minor FROM journal j"
            " CROSS JOIN LATERAL unnest(j.line_account, j.line_ccy, j.line_minor) WITH ORDINALITY"
            "      AS line (account_id, ccy, minor, ord)"
            "  LEFT JOIN account a ON a.book_id = j.book_id AND a.account_id = line.account_id"
            "  LEFT JOIN currency c ON c.ccy = line.ccy"
            " WHERE j.book_id = $1::int4 AND j.seq = $2::int8 AND $3 = $3 ORDER BY line.ord",
            j->seq, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) > RECORD_LINES_MAX)
        return "it has more lines than a journal may have";
    for (int i = 0; i < PQntuples(r); i++) {
        if (PQgetisnull(r, i, 0) || PQgetisnull(r, i, 1) || PQgetisnull(r, i, 2))
            return "a line is on no account, in no currency, or of no amount";
        j->lines[i] = (struct record_line){slice_str(PQgetvalue(r, i, 0)),
                                           slice_str(PQgetvalue(r, i, 1)), db_int(r, i, 2)};
    }
    j->n_lines = (size_t)PQntuples(r);
    return NULL;
}

static const char *fill_journal(struct making *m, struct record_journal *j, int64_t seq)
{
    const char *wrong;
    PGresult *r = ask(
        m,
        "SELECT j.block_no, " SQL_US(
            "k.committed_at") ", kind.name, pr.uri, j.payout_id, j.reverses_seq, j.detail"
                              "  FROM journal j JOIN block k USING (book_id, block_no) JOIN journal_kind kind USING (kind)"
                              "  JOIN principal pr USING (principal_id)"
                              " WHERE j.book_id = $1::int4 AND j.seq = $2::int8 AND $3 = $3",
        seq, 0);

    if (r == NULL)
        return "";
    if (PQntuples(r) != 1)
        return "the journal, its block, its kind or its actor is missing";
    j->book = slice_str(m->book->code);
    j->seq = seq;
    j->block_no = db_int(r, 0, 0);
    j->committed_at_us = db_int(r, 0, 1);
    j->kind = slice_str(PQgetvalue(r, 0, 2));
    j->actor = slice_str(PQgetvalue(r, 0, 3));
    j->payout_id = int_or_none(r, 0, 4);
    j->reverses_seq = int_or_none(r, 0, 5);
    j->detail = text_or_none(r, 0, 6);
    wrong = fill_lines(m, j);
    return wrong != NULL ? wrong : fill_subject(m, j);
}

const char *trail_record(struct db *db, const struct book *book, int64_t seq, struct sha256 *sha,
                         struct record_out *out)
{
    struct making m = {.db = db, .book = book, .sha = sha, .book_id = number_text(book->book_id)};
    struct record_journal *j = calloc(1, sizeof *j);
    const char *wrong = j == NULL ? "out of memory" : fill_journal(&m, j, seq);

    if (wrong == NULL && !record_write_journal(out, j))
        wrong = "it makes no record";
    for (size_t i = 0; i < m.n_rows; i++)
        PQclear(m.rows[i]);
    record_out_free(&m.part);
    record_out_free(&m.quote);
    free(j);
    return wrong;
}
