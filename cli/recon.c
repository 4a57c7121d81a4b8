/* ujrat recon: what a reconciliation found is put into the books by two people: one proposes a journal, another approves. */
#include "base/buf.h"
#include "base/hex.h"
#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/operator.h"
#include "cli/operator_code.h"
#include "cli/report.h"
#include "cli/whole_file.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX        8
#define CODE_SIZE        64
#define REASON_SIZE      512
#define REPORT_BYTES_MAX (64U << 20)

const char recon_adjust_help[] =
    "Proposes a journal: each --line an account of the book and an amount, debit positive, in units of\n"
    "the account's currency (--line nostro.MUCB.PKR=-25.00 --line charge.PKR=25.00). The lines sum to\n"
    "zero in each of at most two currencies. suspense.CCY and charge.CCY are opened when first used.\n"
    "Nothing is posted: a second person, with a database login of their own, approves it with\n"
    "ujrat recon approve. The same proposal again answers with the first; another one that happens to\n"
    "be the same needs its own --request-id.\n" HELP_OPERATOR_CODE;

const struct option_row recon_adjust_options[] = {
    {"line", "ACCOUNT=AMOUNT", "a line of the journal, debit positive (2 to 8 of them)", true},
    {"reason", "TEXT", "why; name the bank's reference, so that the break is known (required)",
     false},
    {"evidence", "FILE", "what it rests on, such as the statement; its SHA-256 is recorded", false},
    {"request-id", "TEXT", "names the proposal (default: made from what it says)", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

const char recon_accept_help[] =
    "Proposes the journal that a break of a reconciliation calls for: --report names the CSV that\n"
    "ujrat-audit reconcile --csv wrote, --break the number in it, or --payout the reference. The bank\n"
    "is taken to be right: its account is corrected against charge.CCY (charge deducted) or\n"
    "suspense.CCY (tax withheld, unidentified credit, amount, duplicate, missing ours). What time or the\n"
    "bank must mend (timing, missing theirs, return unposted) is refused. The report is the evidence.\n" HELP_OPERATOR_CODE;

const struct option_row recon_accept_options[] = {
    {"report", "FILE", "CSV of ujrat-audit reconcile (required)", false},
    {"break", "N", "the break's number in it", false},
    {"payout", "REFERENCE", "the break of that payout, instead", false},
    {"reason", "TEXT", "what is to be said besides", false},
    {"request-id", "TEXT", "names the proposal (default: made from what it says)", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

const char recon_approve_help[] =
    "Makes the proposal's journal. Whoever proposed it may not: it takes a second person. Approving again\n"
    "answers with the first time.\n" HELP_OPERATOR_CODE;

const char recon_refuse_help[] =
    "Ends the proposal without a journal, for good. Whoever proposed it may take it back so.\n" HELP_OPERATOR_CODE;

const struct option_row recon_decide_options[] = {
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

struct proposal {
    char code[LINES_MAX][CODE_SIZE];
    money_t amount[LINES_MAX];
    size_t n;
    char reason[REASON_SIZE];
    unsigned char evidence[WHOLE_FILE_SHA256_SIZE];
    bool has_evidence;
    const char *request_id; /* NULL: made from the rest */
};

static bool take_evidence(const char *path, struct proposal *p)
{
    size_t len;
    char *text = whole_file_read(path, REPORT_BYTES_MAX, &len);

    p->has_evidence = text != NULL && whole_file_sha256(text, len, p->evidence);
    free(text);
    return p->has_evidence;
}

/* ---------------------------------------------------------------- lines */

/* Letters that need no quotes in an array, which are all that codes have. */
static bool is_code(struct slice s)
{
    if (s.len == 0 || s.len >= CODE_SIZE)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!char_is_lower(s.p[i]) && !char_is_upper(s.p[i]) && !char_is_digit(s.p[i]) &&
            s.p[i] != '.' && s.p[i] != '-')
            return false;
    return true;
}

/* "PKR" of "nostro.MUCB.PKR". */
static const char *currency_of(const char *code)
{
    const char *dot = strrchr(code, '.');

    return dot == NULL ? "" : dot + 1;
}

static bool add_line(struct proposal *p, const char *text)
{
    struct slice code;
    struct slice amount;
    char amount_text[64];

    if (p->n == LINES_MAX) {
        complain("an adjustment has at most %d lines", LINES_MAX);
        return false;
    }
    if (!slice_cut(slice_str(text), '=', &code, &amount) || !is_code(code) ||
        err_failed(slice_copy(code, p->code[p->n], CODE_SIZE)) ||
        err_failed(slice_copy(amount, amount_text, sizeof amount_text))) {
        complain("--line: ACCOUNT=AMOUNT is wanted, such as nostro.MUCB.PKR=-25.00, not '%s'",
                 text);
        return false;
    }
    if (!parse_money("--line", amount_text, currency_of(p->code[p->n]), &p->amount[p->n]))
        return false;
    p->n++;
    return true;
}

/* The request id that says the same as the proposal: whoever proposes it again gets the first one. */
static bool make_request_id(const char *book, const struct proposal *p,
                            char out[HEX_SIZE(WHOLE_FILE_SHA256_SIZE)])
{
    struct buf buf;
    unsigned char hash[WHOLE_FILE_SHA256_SIZE];
    bool good;

    buf_init(&buf, 8192);
    good = !err_failed(buf_printf(&buf, "%s\n%s\n", book, p->reason)) &&
           !err_failed(buf_append(&buf, p->evidence, p->has_evidence ? WHOLE_FILE_SHA256_SIZE : 0));
    for (size_t i = 0; good && i < p->n; i++)
        good =
            !err_failed(buf_printf(&buf, "\n%s=%lld", p->code[i], (long long)p->amount[i].minor));
    good = good && whole_file_sha256(buf_data(&buf), buf_len(&buf), hash);
    buf_deinit(&buf);
    hex_encode(hash, WHOLE_FILE_SHA256_SIZE, out);
    out[32] = '\0';
    return good;
}

/* ---------------------------------------------------------------- proposing */

static const char sql_propose[] =
    "SELECT p.proposal_id, p.duplicate FROM propose_adjustment($1, $2, $3, $4::bytea, $5::text[], $6::bigint[], $7) p";

static PGresult *ask(struct db *db, const char *book, const struct proposal *p, const char *shown)
{
    char id[HEX_SIZE(WHOLE_FILE_SHA256_SIZE)];
    char evidence[2 + HEX_SIZE(WHOLE_FILE_SHA256_SIZE)] = "\\x";
    struct buf codes;
    struct buf amounts;
    PGresult *result = NULL;
    bool good = make_request_id(book, p, id);

    buf_init(&codes, 4096);
    buf_init(&amounts, 4096);
    for (size_t i = 0; good && i < p->n; i++)
        good = !err_failed(buf_printf(&codes, "%c%s", i == 0 ? '{' : ',', p->code[i])) &&
               !err_failed(buf_printf(&amounts, "%c%lld", i == 0 ? '{' : ',',
                                      (long long)p->amount[i].minor));
    good = good && !err_failed(buf_append(&codes, "}", 2)) &&
           !err_failed(buf_append(&amounts, "}", 2));
    hex_encode(p->evidence, WHOLE_FILE_SHA256_SIZE, evidence + 2);
    if (good)
        result = db_query(db, sql_propose, 7,
                          (const char *const[]){book, p->request_id == NULL ? id : p->request_id,
                                                p->reason, p->has_evidence ? evidence : NULL,
                                                (const char *)buf_data(&codes),
                                                (const char *)buf_data(&amounts), shown});
    buf_deinit(&codes);
    buf_deinit(&amounts);
    return result;
}

static enum exit_code propose(const struct args *args, struct proposal *p)
{
    char book[16];
    char text[MONEY_TEXT_SIZE];
    char shown[OPERATOR_CODE_SIZE];
    struct db db;
    PGresult *r = NULL;
    int id;
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    p->request_id = args_get(args, "request-id");
    id = operator_find_book(&db, args->operands[0]);
    if (id == 0)
        goto out;
    if (!operator_code_read(args, shown)) {
        code = EXIT_USAGE;
        goto out;
    }
    snprintf(book, sizeof book, "%d", id);
    r = ask(&db, book, p, shown);
    if (r == NULL) {
        code = db_failure(&db);
        goto out;
    }
    if (!args_quiet(args)) {
        printf("%s %s in %s: %s\n",
               PQgetvalue(r, 0, 1)[0] == 't' ? "Was proposed already: proposal" : "Proposal",
               PQgetvalue(r, 0, 0), args->operands[0], p->reason);
        for (size_t i = 0; i < p->n; i++)
            printf("  %-24s %20s\n", p->code[i], money_format(p->amount[i], MONEY_THOUSANDS, text));
        printf("Nothing is posted before a second person approves: ujrat recon approve %s %s\n",
               args->operands[0], PQgetvalue(r, 0, 0));
    }
    code = EXIT_DONE;
out:
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code recon_adjust_run(const struct args *args)
{
    struct proposal p = {0};
    const char *reason = args_get(args, "reason");
    const char *evidence = args_get(args, "evidence");
    const char *line;
    size_t at = 0;

    if (reason == NULL || reason[0] == '\0' || strlen(reason) >= sizeof p.reason) {
        complain("--reason is required, in at most %zu bytes: it is what the auditor reads",
                 sizeof p.reason - 1);
        return EXIT_USAGE;
    }
    snprintf(p.reason, sizeof p.reason, "%s", reason);
    while ((line = args_next(args, "line", &at)) != NULL)
        if (!add_line(&p, line))
            return EXIT_USAGE;
    if (p.n < 2) {
        complain("say at least two --line ACCOUNT=AMOUNT");
        return EXIT_USAGE;
    }
    if (evidence != NULL && !take_evidence(evidence, &p))
        return EXIT_REFUSED;
    return propose(args, &p);
}

/* ---------------------------------------------------------------- accepting a break */

enum column {
    COL_RECORD,
    COL_NUMBER,
    COL_CATEGORY,
    COL_BANK,
    COL_CCY,
    COL_DIFFERENCE,
    COL_BOOK,
    COL_REFERENCE,
    COL_END_TO_END_ID,
    COL_BANK_REFERENCE,
    COL_STATEMENT,
    COL_ENTRY,
    COL_COUNT
};

static const char *const columns[COL_COUNT] = {
    "record", "number",    "category",      "bank",           "currency",  "difference",
    "book",   "reference", "end_to_end_id", "bank_reference", "statement", "entry"};

/* The header's places of our columns. */
static bool find_columns(const char *path, struct csv *csv, int place[COL_COUNT])
{
    const char *why = NULL;

    if (csv_next(csv, &why) != CSV_RECORD) {
        complain("%s: it is no report of ujrat-audit reconcile", path);
        return false;
    }
    for (int i = 0; i < COL_COUNT; i++) {
        place[i] = csv_column(csv, columns[i]);
        if (place[i] < 0) {
            complain("%s: it is no report of ujrat-audit reconcile: no column '%s'", path,
                     columns[i]);
            return false;
        }
    }
    return true;
}

static const char *value(const struct csv *csv, const int place[COL_COUNT], enum column c)
{
    const char *text = (size_t)place[c] < csv->n ? csv->values[place[c]] : "";

    /* the apostrophe that keeps spreadsheets from computing it */
    return text[0] == '\'' && text[1] != '\0' && strchr("=+-@", text[1]) != NULL ? text + 1 : text;
}

/* Reads on to the break that was asked for. */
static bool find_break(const struct args *args, struct csv *csv, const int place[COL_COUNT])
{
    const char *path = args_get(args, "report");
    const char *number = args_get(args, "break");
    const char *payout = args_get(args, "payout");
    const char *why = NULL;
    enum csv_result got;

    while ((got = csv_next(csv, &why)) == CSV_RECORD)
        if (strcmp(value(csv, place, COL_RECORD), "break") == 0 &&
            (number != NULL ? strcmp(value(csv, place, COL_NUMBER), number) == 0
                            : strcmp(value(csv, place, COL_REFERENCE), payout) == 0))
            return true;
    if (got == CSV_BROKEN)
        complain("%s:%u: %s", path, csv->line, why);
    else
        complain("%s: there is no break %s%s in it", path, number != NULL ? "" : "of payout ",
                 number != NULL ? number : payout);
    return false;
}

/* What the bank's account is corrected against; NULL: a break that no journal of ours mends. */
static const char *counterpart(const char *category)
{
    static const char *const suspense[] = {"tax withheld", "unidentified credit", "amount",
                                           "duplicate", "missing ours"};

    if (strcmp(category, "charge deducted") == 0)
        return "charge";
    for (size_t i = 0; i < sizeof suspense / sizeof *suspense; i++)
        if (strcmp(category, suspense[i]) == 0)
            return "suspense";
    return NULL;
}

static bool take_break(const struct args *args, const struct csv *csv, const int place[COL_COUNT],
                       struct proposal *p)
{
    const char *category = value(csv, place, COL_CATEGORY);
    const char *against = counterpart(category);
    const char *ccy = value(csv, place, COL_CCY);
    const char *book = value(csv, place, COL_BOOK);
    const char *more = args_get(args, "reason");
    char text[2 * CODE_SIZE];
    int n;

    if (against == NULL) {
        complain("a break '%s' is not mended by a journal of ours: %s", category,
                 strcmp(category, "return unposted") == 0
                     ? "the bank reports the return (ReturnPayment), which re-credits the platform"
                     : "it is for the bank, or for time");
        return false;
    }
    if (book[0] != '\0' && strcmp(book, args->operands[0]) != 0) {
        complain("that break is in book %s, not %s", book, args->operands[0]);
        return false;
    }
    snprintf(text, sizeof text, "nostro.%s.%s=%s", value(csv, place, COL_BANK), ccy,
             value(csv, place, COL_DIFFERENCE));
    if (!add_line(p, text))
        return false;
    snprintf(text, sizeof text, "%s.%s=0", against, ccy);
    if (!add_line(p, text))
        return false;
    if (money_neg(p->amount[0], &p->amount[1]) != REASON_NONE)
        return false;
    n = snprintf(p->reason, sizeof p->reason,
                 "%s, bank reference %s, payment %s, statement %s entry %s%s%s", category,
                 value(csv, place, COL_BANK_REFERENCE), value(csv, place, COL_END_TO_END_ID),
                 value(csv, place, COL_STATEMENT), value(csv, place, COL_ENTRY),
                 more == NULL ? "" : ": ", more == NULL ? "" : more);
    if (n >= (int)sizeof p->reason)
        complain("the reason is too long");
    return n < (int)sizeof p->reason;
}

enum exit_code recon_accept_run(const struct args *args)
{
    const char *path = args_get(args, "report");
    struct proposal p = {0};
    struct csv csv;
    int place[COL_COUNT];
    size_t len = 0;
    char *text;
    bool good;

    if (path == NULL || (args_get(args, "break") == NULL) == (args_get(args, "payout") == NULL)) {
        complain("say --report FILE, and --break N or --payout REFERENCE");
        return EXIT_USAGE;
    }
    text = whole_file_read(path, REPORT_BYTES_MAX, &len);
    if (text == NULL)
        return EXIT_REFUSED;
    csv_init(&csv, slice_of(text, len));
    good = find_columns(path, &csv, place) && find_break(args, &csv, place) &&
           take_break(args, &csv, place, &p) && whole_file_sha256(text, len, p.evidence);
    p.has_evidence = good;
    free(text);
    return good ? propose(args, &p) : EXIT_REFUSED;
}

/* ---------------------------------------------------------------- deciding, listing */

static enum exit_code decide(const struct args *args, const char *approve)
{
    char book[16];
    char shown[OPERATOR_CODE_SIZE];
    int64_t number;
    struct db db;
    PGresult *r = NULL;
    int id;
    enum exit_code code;

    if (err_failed(str_parse_int64(slice_str(args->operands[1]), &number)) || number <= 0) {
        complain("'%s' is no proposal's number: ujrat recon list shows them", args->operands[1]);
        return EXIT_USAGE;
    }
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    id = operator_find_book(&db, args->operands[0]);
    if (id != 0 && !operator_code_read(args, shown)) {
        code = EXIT_USAGE;
    } else if (id != 0) {
        snprintf(book, sizeof book, "%d", id);
        r = db_query(&db, "SELECT d.seq, d.duplicate FROM decide_adjustment($1, $2, $3, $4) d", 4,
                     (const char *const[]){book, args->operands[1], approve, shown});
        code = r == NULL ? db_failure(&db) : EXIT_DONE;
    }
    if (r != NULL && !args_quiet(args)) {
        printf("Proposal %s in %s is %s", args->operands[1], args->operands[0],
               approve[0] == 't' ? "approved" : "refused");
        if (!PQgetisnull(r, 0, 0))
            printf(": journal %s", PQgetvalue(r, 0, 0));
        printf("%s\n", PQgetvalue(r, 0, 1)[0] == 't' ? " (as before)" : "");
    }
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code recon_approve_run(const struct args *args)
{
    return decide(args, "true");
}

enum exit_code recon_refuse_run(const struct args *args)
{
    return decide(args, "false");
}

const struct option_row recon_list_options[] = {
    {"book", "PLATFORM", "one book only (default: all)", false},
    {"all", NULL, "also those that were decided", false},
    {NULL, NULL, NULL, false},
};

/* A line a row; what is the same for all lines of a proposal is on its first. */
static const char sql_list[] =
    "SELECT b.code, p.proposal_id, CASE WHEN d.proposal_id IS NULL THEN 'PROPOSED'"
    "       WHEN d.seq IS NULL THEN 'REFUSED' ELSE 'APPROVED' END, a.code, l.ccy, l.minor,"
    "       w.uri, to_char(p.proposed_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), x.uri,"
    "       to_char(d.decided_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), d.seq, p.reason,"
    "       encode(p.evidence_sha256, 'hex'), p.request_id"
    "  FROM adjustment_proposal p JOIN book b USING (book_id) JOIN principal w ON w.principal_id = p.proposed_by"
    "  LEFT JOIN adjustment_decision d ON d.book_id = p.book_id AND d.proposal_id = p.proposal_id"
    "  LEFT JOIN principal x ON x.principal_id = d.decided_by"
    " CROSS JOIN LATERAL unnest(p.line_account, p.line_ccy, p.line_minor) WITH ORDINALITY"
    "       AS l (account_id, ccy, minor, ord)"
    "  JOIN account a ON a.book_id = p.book_id AND a.account_id = l.account_id"
    " WHERE ($1 = '' OR b.code = $1) AND ($2 = 'yes' OR d.proposal_id IS NULL)"
    " ORDER BY b.book_id, p.proposal_id, l.ord";

static void add_proposal_line(struct report *report, const PGresult *r, int i)
{
    char amount[MONEY_TEXT_SIZE];
    const char *cells[14];

    for (int c = 0; c < 14; c++)
        cells[c] = PQgetisnull(r, i, c) ? NULL : PQgetvalue(r, i, c);
    cells[4] = ccy_alpha((uint16_t)db_int(r, i, 4));
    cells[5] =
        money_format(money_of(db_int(r, i, 5), (uint16_t)db_int(r, i, 4)), MONEY_PLAIN, amount);
    report_add(report, cells);
}

enum exit_code recon_list_run(const struct args *args)
{
    static const struct report_column shown[] = {
        {"book", REPORT_TEXT},        {"proposal", REPORT_INT},     {"state", REPORT_TEXT},
        {"account", REPORT_TEXT},     {"currency", REPORT_TEXT},    {"amount", REPORT_AMOUNT},
        {"proposed by", REPORT_TEXT}, {"proposed at", REPORT_TEXT}, {"decided by", REPORT_TEXT},
        {"decided at", REPORT_TEXT},  {"journal", REPORT_INT},      {"reason", REPORT_TEXT},
        {"evidence", REPORT_TEXT},    {"request id", REPORT_TEXT}};
    const char *book = args_get(args, "book");
    struct report *report;
    struct db db;
    PGresult *r;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    if (book != NULL && operator_find_book(&db, book) == 0) {
        db_close(&db);
        return EXIT_REFUSED;
    }
    r = db_query(
        &db, sql_list, 2,
        (const char *const[]){book == NULL ? "" : book, args_has(args, "all") ? "yes" : "no"});
    if (r == NULL) {
        db_close(&db);
        return EXIT_REFUSED;
    }
    report_new(shown, sizeof shown / sizeof *shown, &report);
    for (int i = 0; i < PQntuples(r); i++)
        add_proposal_line(report, r, i);
    report_print(report, args_json(args));
    report_free(&report);
    PQclear(r);
    db_close(&db);
    return EXIT_DONE;
}
