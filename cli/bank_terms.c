/* ujrat bank terms, bank taxes: what was agreed with banks, and what they withhold beside what we expect. */
#include "base/buf.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/operator_code.h"
#include "cli/show.h"

#include <string.h>

const char bank_terms_help[] =
    "Shows the terms in force of a bank, or of all; with any option but --json, sets what is named\n"
    "from now on (or --from) and leaves the rest as it is. The first time --mode, --channel and\n"
    "--cutoffs are needed. Amounts are in PKR, or none. Times of day are of Asia/Karachi. How long\n"
    "things may take is counted in working time: 4h, 90min, 1 day.\n"
    "Once a bank has terms, ujrat-settle opens its first window; nothing is handed out before.";

const struct option_row bank_terms_options[] = {
    {"mode", "instant|windows", "instructions go out as they come, or when the window closes",
     false},
    {"channel", "grpc|file", "how it takes them", false},
    {"cutoffs", "HH:MM[,HH:MM...]", "when windows close", false},
    {"ramadan-cutoffs", "HH:MM[,HH:MM...]", "the same in Ramadan (first: as --cutoffs)", false},
    {"instruction-max", "AMOUNT|none", "largest payout", false},
    {"window-max", "AMOUNT|none", "most that one window takes", false},
    {"net-debit-cap", "AMOUNT|none", "most that may be pending and owed", false},
    {"nostro-low", "AMOUNT|none", "call it low when less is left", false},
    {"answer-within", "TIME", "ask about an instruction after it (first: 4h)", false},
    {"escalate-after", "TIME", "call a person after it (first: 1 day)", false},
    {"settle-within", "TIME", "of a window, after its closing (first: 1 day)", false},
    {"file-format", "NAME", "pacs.008.001.08 or pain.001.001.09", false},
    {"from", "TIME", "in force from then on: 2026-10-01T00:00+05:00 (now)", false},
    OPTION_AUTHOR,
    {NULL, NULL, NULL, false},
};

#define SQL_MONEY(column) "(" column " / 100.0)::numeric(30, 2)"
#define SQL_TIMES(column)                                                                          \
    "array_to_string(array(SELECT to_char(c, 'HH24:MI' || CASE WHEN extract(second FROM c) <> 0 "  \
    "THEN ':SS' ELSE '' END) FROM unnest(" column ") c), ',')"

static const char sql_show[] = "SELECT b.code, t.mode, t.channel, " SQL_TIMES("t.cutoffs") ", " SQL_TIMES(
    "t.ramadan_cutoffs") ","
                         " k.code, " SQL_MONEY("t.instruction_max") ", " SQL_MONEY("t.window_max") ", " SQL_MONEY(
                             "t.net_debit_cap") ", " SQL_MONEY("t.nostro_low") ","
                                                                               " t.answer_within, t.escalate_after, t.settle_within, t.file_format,"
                                                                               " to_char(t.valid_from AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), t.author, h.window_no"
                                                                               "  FROM bank_terms_now t JOIN bank b USING (bank_id) JOIN currency k USING (ccy)"
                                                                               "  LEFT JOIN bank_head h USING (bank_id)"
                                                                               " WHERE $1 = '' OR b.code = $1 ORDER BY b.code";

static enum exit_code show_terms(const struct args *args, const char *bank)
{
    static const struct report_column columns[] = {{"bank", REPORT_TEXT},
                                                   {"mode", REPORT_TEXT},
                                                   {"channel", REPORT_TEXT},
                                                   {"cut-offs", REPORT_TEXT},
                                                   {"in Ramadan", REPORT_TEXT},
                                                   {"currency", REPORT_TEXT},
                                                   {"instruction max", REPORT_AMOUNT},
                                                   {"window max", REPORT_AMOUNT},
                                                   {"net debit cap", REPORT_AMOUNT},
                                                   {"nostro low", REPORT_AMOUNT},
                                                   {"answer within", REPORT_TEXT},
                                                   {"escalate after", REPORT_TEXT},
                                                   {"settle within", REPORT_TEXT},
                                                   {"file format", REPORT_TEXT},
                                                   {"since", REPORT_TEXT},
                                                   {"author", REPORT_TEXT},
                                                   {"open window", REPORT_INT}};
    char id[16];
    struct db db;
    enum exit_code code = db_open(args, DB_AS_READER, &db);

    if (code != EXIT_DONE)
        return code;
    if ((bank != NULL && !find_bank(&db, bank, id)) ||
        !show_rows(args, &db, sql_show, 1, (const char *const[]){bank == NULL ? "" : bank}, columns,
                   sizeof columns / sizeof *columns))
        code = EXIT_REFUSED;
    db_close(&db);
    return code;
}

/* ---------------------------------------------------------------- setting */

struct terms {
    char cutoffs[256], ramadan[256];
    char amount[4][24]; /* minor units, or "none"; empty: as before */
};

/* "11:00,15:00" into "{11:00,15:00}"; which times there are, and in which order, the ledger judges. */
static bool take_times(const struct args *args, const char *name, char *out, size_t out_size)
{
    const char *text = args_get(args, name);
    size_t n = text == NULL ? 0 : strlen(text);

    out[0] = '\0';
    if (text == NULL)
        return true;
    if (n == 0 || n + 3 > out_size || strspn(text, "0123456789:,") != n) {
        complain("--%s '%s': times of day are written 11:00,15:00", name, text);
        return false;
    }
    snprintf(out, out_size, "{%s}", text);
    return true;
}

static bool take_amount(const struct args *args, const char *name, char out[24])
{
    const char *text = args_get(args, name);
    money_t amount;

    out[0] = '\0';
    if (text == NULL)
        return true;
    if (strcmp(text, "none") == 0) {
        snprintf(out, 24, "none");
        return true;
    }
    if (!parse_money(name, text, "PKR", &amount))
        return false;
    snprintf(out, 24, "%lld", (long long)amount.minor);
    return true;
}

static bool read_terms(const struct args *args, struct terms *t)
{
    return take_times(args, "cutoffs", t->cutoffs, sizeof t->cutoffs) &&
           take_times(args, "ramadan-cutoffs", t->ramadan, sizeof t->ramadan) &&
           take_amount(args, "instruction-max", t->amount[0]) &&
           take_amount(args, "window-max", t->amount[1]) &&
           take_amount(args, "net-debit-cap", t->amount[2]) &&
           take_amount(args, "nostro-low", t->amount[3]);
}

#define SQL_AMOUNT(param, column)                                                                  \
    "CASE WHEN " param " = 'none' THEN NULL ELSE coalesce(nullif(" param                           \
    ", '')::bigint, t." column ") END"

/* What is not said stays as it is in the terms that are in force when these begin. */
static const char sql_set[] =
    "SELECT set_bank_terms(b.bank_id, coalesce($2, t.mode), coalesce($3, t.channel),"
    " coalesce(nullif($4, '')::time[], t.cutoffs),"
    " coalesce(nullif($5, '')::time[], t.ramadan_cutoffs, nullif($4, '')::time[]), 586::int2, " SQL_AMOUNT("$6", "instruction_max") ", " SQL_AMOUNT(
        "$7",
        "window_max") ", " SQL_AMOUNT("$8",
                                      "net_debit_cap") ", " SQL_AMOUNT("$9",
                                                                       "nostro_low") ","
                                                                                     " coalesce($10::interval, t.answer_within, '4 hours'),"
                                                                                     " coalesce($11::interval, t.escalate_after, '1 day'),"
                                                                                     " coalesce($12::interval, t.settle_within, '1 day'),"
                                                                                     " coalesce($13, t.file_format, 'pacs.008.001.08'), $14, $15::timestamptz)"
                                                                                     "  FROM bank b LEFT JOIN LATERAL (SELECT * FROM bank_terms t WHERE t.bank_id = b.bank_id"
                                                                                     "       AND t.valid_from <= coalesce($15::timestamptz, clock_timestamp())"
                                                                                     "       ORDER BY t.valid_from DESC LIMIT 1) t ON true"
                                                                                     " WHERE b.code = $1";

static enum exit_code set_terms(const struct args *args, const char *bank)
{
    struct terms t;
    char author[64];
    char id[16];
    struct db db;
    PGresult *r = NULL;
    enum exit_code code;

    if (!read_terms(args, &t))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    if (find_bank(&db, bank, id))
        r = db_query(&db, sql_set, 15,
                     (const char *const[]){
                         bank, args_get(args, "mode"), args_get(args, "channel"), t.cutoffs,
                         t.ramadan, t.amount[0], t.amount[1], t.amount[2], t.amount[3],
                         args_get(args, "answer-within"), args_get(args, "escalate-after"),
                         args_get(args, "settle-within"), args_get(args, "file-format"),
                         author_of(args, author, sizeof author), args_get(args, "from")});
    if (r == NULL)
        code = db_failure(&db);
    else
        printf("The terms of %s are %s\n", bank,
               PQgetvalue(r, 0, 0)[0] == 't' ? "set" : "as they were");
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code bank_terms_run(const struct args *args)
{
    const char *bank = args->n_operands == 0 ? NULL : args->operands[0];
    bool sets = false;

    for (const struct option_row *o = bank_terms_options; o->name != NULL; o++)
        sets = sets || args_has(args, o->name);
    if (!sets)
        return show_terms(args, bank);
    if (bank == NULL) {
        complain("whose terms? Say the bank's CODE");
        return EXIT_USAGE;
    }
    return set_terms(args, bank);
}

/* ---------------------------------------------------------------- taxes */

const char bank_taxes_help[] =
    "Lists settled payouts for export of services of which the bank withheld another tax (s.154A) than\n"
    "we expect, or said nothing: our estimate is basis points of the net amount, rounded down, as in\n"
    "force at settlement (ujrat tax estimate).";

const struct option_row bank_taxes_options[] = {
    {"from", "DATE", "settled from this day on (the first)", false},
    {"to", "DATE", "settled up to this day (the last)", false},
    {NULL, NULL, NULL, false},
};

static const char sql_taxes[] =
    "SELECT k.code, b.code, instruction_id(d.book_id, d.payout_id), p.reference,"
    " to_char(d.settled_at AT TIME ZONE INTERVAL '5 hours', 'YYYY-MM-DD'), " SQL_MONEY(
        "d.net") ","
                 " CASE WHEN d.pseb THEN 'yes' ELSE 'no' END, d.bps, " SQL_MONEY("d.expected") ", " SQL_MONEY(
                     "d.tax_withheld") ", " SQL_MONEY("d.difference") ", nullif(d.eprc_number, '')"
                                                                      "  FROM tax_difference d JOIN bank k USING (bank_id) JOIN book b USING (book_id)"
                                                                      "  JOIN payout p USING (book_id, payout_id)"
                                                                      " WHERE ($1 = '' OR k.code = $1)"
                                                                      "   AND ($2::date IS NULL OR d.settled_at >= $2::date::timestamp AT TIME ZONE INTERVAL '5 hours')"
                                                                      "   AND ($3::date IS NULL OR d.settled_at < ($3::date + 1)::timestamp AT TIME ZONE INTERVAL '5 hours')"
                                                                      " ORDER BY k.code, d.settled_at, d.book_id, d.payout_id";

enum exit_code bank_taxes_run(const struct args *args)
{
    static const struct report_column columns[] = {
        {"bank", REPORT_TEXT},       {"book", REPORT_TEXT},         {"instruction", REPORT_TEXT},
        {"reference", REPORT_TEXT},  {"settled", REPORT_TEXT},      {"net", REPORT_AMOUNT},
        {"PSEB", REPORT_TEXT},       {"bps", REPORT_INT},           {"expected", REPORT_AMOUNT},
        {"withheld", REPORT_AMOUNT}, {"difference", REPORT_AMOUNT}, {"e-PRC", REPORT_TEXT}};

    return show_query(args, sql_taxes, 3,
                      (const char *const[]){args->n_operands == 0 ? "" : args->operands[0],
                                            args_get(args, "from"), args_get(args, "to")},
                      columns, sizeof columns / sizeof *columns);
}

const char tax_estimate_help[] =
    "What we expect banks to withhold (ITO 2001 s.154A): basis points of the net amount of a payout for\n"
    "export of services, to freelancers who are registered with PSEB (WHO: pseb) or to others (WHO:\n"
    "others). Proposes the rule withholding_bps, in force from when a second person approves it (ujrat\n"
    "policy approve). Without operands: shows what is in force.\n" HELP_OPERATOR_CODE;

const struct option_row tax_estimate_options[] = {
    {"source", "TEXT", "the law or circular that says so (required to set)", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

static enum exit_code show_estimates(const struct args *args)
{
    static const struct report_column columns[] = {{"who", REPORT_TEXT},
                                                   {"bps", REPORT_INT},
                                                   {"since", REPORT_TEXT},
                                                   {"source", REPORT_TEXT},
                                                   {"policy", REPORT_INT}};

    return show_query(
        args,
        "SELECT CASE r.scope WHEN 'PSEB' THEN 'pseb' ELSE 'others' END, r.value,"
        " to_char(v.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), v.source, v.policy_id"
        "  FROM rules_in_force(clock_timestamp()) r JOIN policy_version v USING (policy_id)"
        " WHERE r.kind = 8 ORDER BY r.scope",
        0, NULL, columns, sizeof columns / sizeof *columns);
}

/* The same again is the same proposal, until other rules are in force. */
static const char sql_estimate[] =
    "SELECT p.proposal_id, p.duplicate FROM propose_policy("
    " encode(sha256(convert_to(format('%s %s %s %s', $1::text, $2::text, $3::text, policy_at(clock_timestamp())), 'UTF8')), 'hex'), NULL,"
    " 'what banks are expected to withhold', $3, NULL, '{8}', ARRAY[$1::text], '{0}', ARRAY[$2::bigint], $4) p";

enum exit_code tax_estimate_run(const struct args *args)
{
    const char *who = args->operands[0];
    const char *source = args_get(args, "source");
    char shown[OPERATOR_CODE_SIZE];
    struct db db;
    PGresult *r;
    enum exit_code code;

    if (args->n_operands == 0)
        return show_estimates(args);
    if (args->n_operands != 2 || source == NULL ||
        (strcmp(who, "pseb") != 0 && strcmp(who, "others") != 0)) {
        complain("say: ujrat tax estimate pseb|others BPS --source TEXT");
        return EXIT_USAGE;
    }
    if ((strcmp(args->operands[1], "0") != 0 && !is_number("BPS", args->operands[1])) ||
        !operator_code_read(args, shown))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, sql_estimate, 4,
                 (const char *const[]){strcmp(who, "pseb") == 0 ? "PSEB" : "OTHER",
                                       args->operands[1], source, shown});
    if (r == NULL)
        code = db_failure(&db);
    else
        printf("%s %s. Nothing changes before a second person approves: ujrat policy approve %s\n",
               PQgetvalue(r, 0, 1)[0] == 't' ? "Was proposed already: proposal" : "Proposal",
               PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 0));
    PQclear(r);
    db_close(&db);
    return code;
}
