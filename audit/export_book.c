#include "audit/export_book.h"

#include "audit/output.h"

#include <stdlib.h>
#include <string.h>

enum exit_code export_to_file(const struct args *args,
                              bool (*write)(const struct export_request *request))
{
    struct export_request request = {0};
    struct db db;
    struct output out;
    struct book *books = NULL;
    enum exit_code code;

    if (!period_read(args, &request.period))
        return EXIT_USAGE;
    code = db_open(args, &db);
    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    books = books_read(&db, args, &request.n_books);
    if (books != NULL && output_open(args_get(args, "out"), &out)) {
        request.db = &db;
        request.books = books;
        request.out = out.file;
        if (!write(&request))
            output_abandon(&out);
        else if (output_commit(&out))
            code = EXIT_DONE;
    }
    free(books);
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- names */

static const char *root_of(const char *type)
{
    static const char *const roots[][2] = {{"ASSET", "Assets"},
                                           {"LIABILITY", "Liabilities"},
                                           {"INCOME", "Income"},
                                           {"EXPENSE", "Expenses"},
                                           {"POSITION", "Equity"}};

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        if (strcmp(roots[i][0], type) == 0)
            return roots[i][1];
    return NULL;
}

/* Both programs want each part to begin with a capital letter or a digit. A book's code begins with a small letter, and
 * so does an account's: to make that one large loses nothing. */
static bool name_account(struct export_account *a)
{
    const char *root = root_of(a->account.type);
    char *at;

    if (root == NULL || !char_is_lower(a->account.book[0]) || !char_is_lower(a->account.code[0])) {
        complain("account %s/%s: a code that has no name in other programs", a->account.book,
                 a->account.code);
        return false;
    }
    snprintf(a->name, sizeof a->name, "%s:%c%s:%c%s", root, a->account.book[0] - 'a' + 'A',
             a->account.book + 1, a->account.code[0] - 'a' + 'A', a->account.code + 1);
    for (at = a->name; *at != '\0'; at++)
        if (*at == '.')
            *at = ':';
    return true;
}

/* ---------------------------------------------------------------- a book */

static bool read_balances(const struct export_request *request, struct export_book *book)
{
    struct number_text numbers[] = {number_text(book->book->book_id), number_text(book->after),
                                    number_text(book->upto)};
    const char *values[] = {numbers[0].text, numbers[1].text, numbers[2].text};
    PGresult *r = db_query(
        request->db,
        "SELECT a.account_id, coalesce(o.balance, 0), coalesce(c.balance, 0) FROM account a"
        "  LEFT JOIN LATERAL (SELECT balance FROM account_balance v WHERE v.book_id = a.book_id"
        "        AND v.account_id = a.account_id AND v.block_no <= $2::int8 ORDER BY v.block_no DESC LIMIT 1) o ON true"
        "  LEFT JOIN LATERAL (SELECT balance FROM account_balance v WHERE v.book_id = a.book_id"
        "        AND v.account_id = a.account_id AND v.block_no <= $3::int8 ORDER BY v.block_no DESC LIMIT 1) c ON true"
        " WHERE a.book_id = $1::int4 ORDER BY a.account_id",
        3, values);
    bool fine = r != NULL;

    if (fine && (size_t)PQntuples(r) != book->n_accounts) {
        complain("book %s: its accounts changed meanwhile", book->book->code);
        fine = false;
    }
    for (size_t i = 0; fine && i < book->n_accounts; i++) {
        book->accounts[i].opening = db_int(r, (int)i, 1);
        book->accounts[i].closing = db_int(r, (int)i, 2);
    }
    PQclear(r);
    return fine;
}

static int64_t moment_us(const moment_t *moment, int64_t otherwise)
{
    int64_t us = otherwise;

    if (moment->text[0] != '\0' && err_failed(timefmt_parse_rfc3339(slice_str(moment->text), &us)))
        return otherwise;
    return us;
}

static bool read_times(const struct export_request *request, struct export_book *book)
{
    struct number_text numbers[] = {number_text(book->book->book_id), number_text(book->after),
                                    number_text(book->upto)};
    const char *values[] = {numbers[0].text, numbers[1].text, numbers[2].text};
    PGresult *r = db_query(
        request->db,
        "SELECT (extract(epoch FROM least(b.created_at, min(k.committed_at))) * 1000000)::int8,"
        "       (extract(epoch FROM min(k.committed_at) FILTER (WHERE k.block_no > $2::int8 AND k.block_no <= $3::int8)) * 1000000)::int8,"
        "       (extract(epoch FROM max(k.committed_at) FILTER (WHERE k.block_no > $2::int8 AND k.block_no <= $3::int8)) * 1000000)::int8,"
        "       max(k.last_seq) FILTER (WHERE k.block_no <= $3::int8)"
        "  FROM book b LEFT JOIN block k USING (book_id) WHERE b.book_id = $1::int4 GROUP BY b.book_id",
        3, values);
    int64_t us;

    if (r == NULL)
        return false;
    book->opened_at = db_int(r, 0, 0);
    for (size_t i = 0; i < book->n_accounts; i++)
        if (book->accounts[i].account.created_at < book->opened_at)
            book->opened_at = book->accounts[i].account.created_at;
    us = PQgetisnull(r, 0, 1) ? book->opened_at : db_int(r, 0, 1);
    book->begins_at = moment_us(&request->period.from, us);
    if (book->begins_at < book->opened_at)
        book->begins_at = book->opened_at;
    us = PQgetisnull(r, 0, 2) ? book->begins_at : db_int(r, 0, 2);
    book->ends_at = us < book->begins_at ? book->begins_at : us;
    book->last_seq = db_int(r, 0, 3);
    PQclear(r);
    return true;
}

bool export_book_read(const struct export_request *request, size_t i, struct export_book *out)
{
    struct account *accounts;
    bool fine = true;

    *out = (struct export_book){.book = &request->books[i]};
    if ((request->period.from.text[0] != '\0' &&
         !block_before(request->db, out->book->book_id, &request->period.from, false,
                       &out->after)) ||
        !block_before(request->db, out->book->book_id, &request->period.until, false, &out->upto))
        return false;
    accounts = accounts_read(request->db, out->book->book_id, &out->n_accounts);
    if (accounts == NULL)
        return false;
    out->accounts = calloc(out->n_accounts + 1, sizeof *out->accounts);
    if (out->accounts == NULL) {
        complain("out of memory");
        fine = false;
    }
    for (size_t k = 0; fine && k < out->n_accounts; k++) {
        out->accounts[k].account = accounts[k];
        fine = name_account(&out->accounts[k]);
    }
    free(accounts);
    fine = fine && read_balances(request, out) && read_times(request, out);
    if (!fine)
        export_book_free(out);
    return fine;
}

void export_book_free(struct export_book *book)
{
    free(book->accounts);
    book->accounts = NULL;
    book->n_accounts = 0;
}

/* ---------------------------------------------------------------- its journals */

static const char sql_journals[] =
    "SELECT j.seq, j.block_no, k.committed_at, coalesce(kind.name, 'KIND_' || j.kind),"
    "       coalesce(pr.uri, 'principal ' || j.principal_id), j.detail, j.payout_id, j.reverses_seq,"
    "       coalesce(p.reference, d.reference, u.reference, CASE WHEN ue.outcome > 0 THEN j.detail END), j.line_account, j.line_ccy, j.line_minor,"
    "       p.info, bank.code, sc.code, sc.digits, dc.code, dc.digits, p.gross, p.fee, p.mid_rate_e10, p.mid_value,"
    "       p.margin_bps, p.margin, p.net, p.quote_id, rs.source, rs.sheet_date::text, p.beneficiary_id,"
    "       p.beneficiary_version, t.step, t.state, t.reason_code, t.bank_reference, t.tax_withheld, t.eprc_number,"
    "       hb.code, h.prev_payout_id, h.last_payout_id, d.reference, cd.code, d.amount,"
    "       ap.proposal_id, ap.reason, encode(ap.evidence_sha256, 'hex'), apr.uri, ap.proposed_at,"
    "       u.batch_id, u.item_no, u.expires_at, ue.outcome, ue.payout_id,"
    "       ho.hold_no, ho.reason, encode(ho.detail_sha256, 'hex'), encode(ho.evidence_sha256, 'hex'), ho.deadline,"
    "       he.hold_no, he.outcome, hp.uri, hq.uri, encode(hd.note_sha256, 'hex'), encode(hf.note_sha256, 'hex')"
    "  FROM journal j"
    "  LEFT JOIN block k ON k.book_id = j.book_id AND k.block_no = j.block_no"
    "  LEFT JOIN journal_kind kind ON kind.kind = j.kind"
    "  LEFT JOIN principal pr ON pr.principal_id = j.principal_id"
    "  LEFT JOIN payout p ON p.book_id = j.book_id AND p.payout_id = j.payout_id"
    "  LEFT JOIN bank ON bank.bank_id = p.bank_id"
    "  LEFT JOIN currency sc ON sc.ccy = p.src_ccy"
    "  LEFT JOIN currency dc ON dc.ccy = p.dst_ccy"
    "  LEFT JOIN rate_sheet rs ON rs.rate_id = p.rate_id"
    "  LEFT JOIN payout_transition t ON t.book_id = j.book_id AND t.seq = j.seq AND t.seq > 0"
    "  LEFT JOIN handout h ON h.book_id = j.book_id AND h.seq = j.seq"
    "  LEFT JOIN bank hb ON hb.bank_id = h.bank_id"
    "  LEFT JOIN float_deposit d ON d.book_id = j.book_id AND d.seq = j.seq"
    "  LEFT JOIN currency cd ON cd.ccy = d.ccy"
    "  LEFT JOIN adjustment_decision ad ON ad.book_id = j.book_id AND ad.seq = j.seq"
    "  LEFT JOIN adjustment_proposal ap ON ap.book_id = ad.book_id AND ap.proposal_id = ad.proposal_id"
    "  LEFT JOIN principal apr ON apr.principal_id = ap.proposed_by"
    "  LEFT JOIN unclaimed u ON u.book_id = j.book_id AND u.unclaimed_id = j.seq"
    "  LEFT JOIN unclaimed_end ue ON ue.book_id = j.book_id AND ue.seq = j.seq"
    "  LEFT JOIN payout_hold ho ON ho.book_id = j.book_id AND ho.seq = j.seq"
    "  LEFT JOIN payout_hold_end he ON he.book_id = j.book_id AND he.seq = j.seq"
    "  LEFT JOIN payout_hold_decision hd ON (hd.book_id, hd.payout_id, hd.hold_no, hd.decision_no) ="
    "            (he.book_id, he.payout_id, he.hold_no, he.first_decision)"
    "  LEFT JOIN payout_hold_decision hf ON (hf.book_id, hf.payout_id, hf.hold_no, hf.decision_no) ="
    "            (he.book_id, he.payout_id, he.hold_no, he.second_decision)"
    "  LEFT JOIN principal hp ON hp.principal_id = hd.principal_id"
    "  LEFT JOIN principal hq ON hq.principal_id = hf.principal_id"
    " WHERE j.book_id = $1::int4 AND j.block_no > $2::int8 AND j.block_no <= $3::int8"
    " ORDER BY j.seq";

static int by_id(const void *key, const void *element)
{
    int64_t id = *(const int64_t *)key;
    int64_t other = ((const struct export_account *)element)->account.account_id;

    return id < other ? -1 : id > other;
}

static bool take_lines(const struct export_book *book, const PGresult *r, struct export_journal *j)
{
    int64_t accounts[CELL_LIST_MAX];
    int64_t currencies[CELL_LIST_MAX];
    int64_t amounts[CELL_LIST_MAX];
    unsigned n[3];

    if (!cell_list(r, 9, accounts, &n[0]) || !cell_list(r, 10, currencies, &n[1]) ||
        !cell_list(r, 11, amounts, &n[2]) || n[0] != n[1] || n[0] != n[2]) {
        complain("book %s, journal %lld: its lines are no plain lists of one length",
                 book->book->code, (long long)j->seq);
        return false;
    }
    j->n_lines = n[0];
    for (unsigned i = 0; i < n[0]; i++) {
        const struct export_account *a =
            bsearch(&accounts[i], book->accounts, book->n_accounts, sizeof *book->accounts, by_id);
        if (a == NULL || a->account.ccy_number != currencies[i]) {
            complain(
                "book %s, journal %lld: line %u is on account %lld in currency %lld, and the book has no "
                "such account",
                book->book->code, (long long)j->seq, i + 1, (long long)accounts[i],
                (long long)currencies[i]);
            return false;
        }
        j->lines[i] = (struct export_line){a, amounts[i]};
    }
    return true;
}

static bool take_journal(const struct export_book *book, const PGresult *r,
                         struct export_journal *j)
{
    j->row = r;
    j->seq = cell_int(r, 0);
    j->block_no = cell_int(r, 1);
    j->kind = cell_text(r, 3);
    j->actor = cell_text(r, 4);
    j->detail = cell_text(r, 5);
    j->has_detail = !cell_null(r, 5);
    j->payout_id = cell_int(r, 6);
    j->reverses_seq = cell_int(r, 7);
    j->reference = cell_text(r, 8);
    if (cell_null(r, 2)) {
        complain("book %s, journal %lld: its block %lld is missing", book->book->code,
                 (long long)j->seq, (long long)j->block_no);
        return false;
    }
    timefmt_rfc3339(cell_time(r, 2), j->time);
    return take_lines(book, r, j);
}

bool export_journals(const struct export_request *request, const struct export_book *book,
                     bool (*each)(void *context, const struct export_journal *journal),
                     void *context)
{
    struct number_text numbers[] = {number_text(book->book->book_id), number_text(book->after),
                                    number_text(book->upto)};
    const char *values[] = {numbers[0].text, numbers[1].text, numbers[2].text};
    bool fine = db_stream(request->db, sql_journals, 3, values);
    int more = 1;

    while (fine && more == 1) {
        struct export_journal journal;
        PGresult *r;

        more = db_row(request->db, &r);
        if (more == 1) {
            fine = take_journal(book, r, &journal) && each(context, &journal);
            PQclear(r);
        }
    }
    return fine && more == 0 && !ferror(request->out);
}

PGresult *export_currencies(const struct export_request *request)
{
    return db_query(
        request->db,
        "SELECT DISTINCT c.code COLLATE \"C\", c.digits FROM account a JOIN currency c USING (ccy)"
        " ORDER BY 1",
        0, NULL);
}

bool export_books(const struct export_request *request, void (*before)(struct export_writer *w),
                  bool (*each)(void *writer, const struct export_journal *journal),
                  void (*after)(struct export_writer *w))
{
    bool fine = true;

    for (size_t i = 0; fine && i < request->n_books; i++) {
        struct export_book book;
        struct export_writer writer = {request->out, &book};

        if (!export_book_read(request, i, &book))
            return false;
        if (before != NULL)
            before(&writer);
        fine = export_journals(request, &book, each, &writer);
        if (fine && after != NULL)
            after(&writer);
        export_book_free(&book);
    }
    return fine;
}

/* ---------------------------------------------------------------- texts */

void export_escaped(FILE *out, const char *text, const char *reserved)
{
    struct slice rest = slice_str(text);
    bool blank = true; /* the one before was, or there was none */

    while (rest.len > 0) {
        struct slice one = rest;
        uint32_t point = utf8_next(&rest);
        bool plain;

        one.len -= rest.len;
        plain = utf8_check(one, NULL) == UTF8_OK && point != '%' &&
                !(point < 128 && strchr(reserved, (int)point) != NULL);
        /* all kinds of blanks but the usual one, which is kept where another character follows */
        if (point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200f) ||
            point == 0x202f || point == 0x205f || point == 0x3000 || point == 0xfeff)
            plain = false;
        if (point == ' ')
            plain = !blank && rest.len > 0;
        blank = point == ' ';
        for (size_t i = 0; i < one.len; i++)
            fprintf(out, plain ? "%c" : "%%%02X", (unsigned char)one.p[i]);
    }
}
