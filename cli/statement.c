/* ujrat statement: a freelancer's tax year, for the freelancer, a bank or a tax office (docs/statement.md). From the database, not
 * the gateway: all figures are of one moment, and of every platform the person works for. What the person is called takes
 * the keys of personal data, as the gateway's own do. */
#include "cli/statement.h"

#include "cli/commands.h"
#include "cli/pii_keys_file.h"
#include "cli/private_file.h"
#include "ledger/pii.h"

#include <stdlib.h>
#include <string.h>

const char year_statement_help[] =
    "BENEFICIARY is a name such as platforms/upwork/beneficiaries/5, or with --platform its number. Several are one\n"
    "person's, at different platforms: that they are is checked by their CNIC, so it takes --keys. Nothing in the ledger\n"
    "finds a person by the CNIC, so each is named. Tax year 2026 is 1 July 2025 to 30 June 2026; a payout belongs to the\n"
    "day in Pakistan on which the bank said that it had paid. What came back since is taken off. Without --pdf, --csv and\n"
    "--json a table is printed. FILE may be - for standard output. With --keys, which says what the person is called, the\n"
    "database login is an operator's; without, an auditor's will do. The files are readable by their owner alone.";

const struct option_row year_statement_options[] = {
    {"tax-year", "YEAR", "the year in which it ends (required)", false},
    {"platform", "CODE", "whose beneficiaries these are", false},
    {"pdf", "FILE", "write it as pages to print", false},
    {"lang", "LANG", "language of the pages: en, ur or both (both)", false},
    {"csv", "FILE", "write a row a payout", false},
    OPTION_KEYS,
    {NULL, NULL, NULL, false},
};

enum { PAGES_BYTES_MAX = 128 << 20 };

/* ---------------------------------------------------------------- what was asked for */

/* "platforms/upwork/beneficiaries/5", or "5" of the platform. */
static bool parse_beneficiary(const char *operand, const char *platform,
                              struct statement_beneficiary *out)
{
    struct slice rest = slice_str(operand), code = slice_str(platform), word;
    bool named = slice_starts_with(rest, SLICE("platforms/"));

    if (named) {
        rest = slice_of(rest.p + 10, rest.len - 10);
        named = slice_cut(rest, '/', &code, &rest) && slice_cut(rest, '/', &word, &rest) &&
                slice_equal_str(word, "beneficiaries");
    }
    if ((!named && (platform == NULL || slice_starts_with(rest, SLICE("platforms/")))) ||
        code.len == 0 || err_failed(slice_copy(code, out->platform, sizeof out->platform)) ||
        err_failed(str_parse_int64(rest, &out->id)) || out->id <= 0) {
        complain(
            "BENEFICIARY: '%s' is no beneficiary: platforms/CODE/beneficiaries/NUMBER, or NUMBER with "
            "--platform CODE",
            operand);
        return false;
    }
    if (platform == NULL || strcmp(platform, out->platform) == 0)
        return true;
    complain("--platform: '%s' is a beneficiary of %s, not of %s", operand, out->platform,
             platform);
    return false;
}

static bool parse_beneficiaries(const struct args *args, struct statement *s)
{
    for (unsigned i = 0; i < args->n_operands; i++) {
        struct statement_beneficiary *to = &s->to[i];

        if (!parse_beneficiary(args->operands[i], args_get(args, "platform"), to))
            return false;
        for (size_t k = 0; k < s->n_to; k++)
            if (s->to[k].id == to->id && strcmp(s->to[k].platform, to->platform) == 0) {
                complain("BENEFICIARY: '%s' is named twice", args->operands[i]);
                return false;
            }
        s->n_to++;
    }
    return true;
}

static bool parse_year(const struct args *args, struct statement *s)
{
    long long year = 0;

    if (args_get(args, "tax-year") == NULL) {
        complain("--tax-year: which? Say --tax-year YEAR, the year in which it ends");
        return false;
    }
    if (!args_int(args, "tax-year", TAX_YEAR_MIN, TAX_YEAR_MAX, &year))
        return false;
    s->year = (int32_t)year;
    return true;
}

static bool goes_out(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* ---------------------------------------------------------------- what is handed over */

static bool write_pages(const struct statement *s, enum receipt_lang lang, const char *path)
{
    struct buf out;
    bool ok;

    buf_init(&out, PAGES_BYTES_MAX);
    ok = statement_pdf(s, lang, &out) && private_file_write(path, buf_slice(&out));
    buf_deinit(&out);
    return ok;
}

static bool write_csv(const struct statement *s, const char *path)
{
    struct buf out;
    bool ok;

    buf_init(&out, PAGES_BYTES_MAX);
    ok = statement_csv(s, &out) && private_file_write(path, buf_slice(&out));
    buf_deinit(&out);
    return ok;
}

static bool print_statement_json(const struct statement *s)
{
    json_t *json = statement_json(s);
    bool ok = json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;

    json_decref(json);
    return ok;
}

static enum exit_code hand_over(const struct args *args, const struct statement *s,
                                enum receipt_lang lang)
{
    const char *pdf = args_get(args, "pdf"), *csv = args_get(args, "csv");
    bool ok = true;

    if (!s->over)
        complain("note: tax year %d is not over yet; this is what there is of it", s->year);
    if (pdf != NULL)
        ok = write_pages(s, lang, pdf);
    if (ok && csv != NULL)
        ok = write_csv(s, csv);
    if (ok && args_json(args))
        ok = print_statement_json(s);
    else if (ok && pdf == NULL && csv == NULL)
        statement_print(s);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_code make(const struct args *args, struct pii *keys, struct statement *s,
                           enum receipt_lang lang)
{
    struct db db;
    enum exit_code code = db_open(args, keys == NULL ? DB_AS_READER : DB_AS_OPERATOR, &db);

    if (code != EXIT_DONE)
        return code;
    if (!db_do(&db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") || !statement_read(&db, s) ||
        !statement_read_people(&db, keys, s))
        code = EXIT_REFUSED;
    db_close(&db);
    return code == EXIT_DONE ? hand_over(args, s, lang) : code;
}

enum exit_code year_statement_run(const struct args *args)
{
    const char *file = pii_keys_file(args);
    struct statement *s = calloc(1, sizeof *s);
    struct pii *keys = NULL;
    struct pii_problem problem;
    enum receipt_lang lang;
    enum exit_code code = EXIT_USAGE;

    if (s == NULL)
        abort();
    if (goes_out(args_get(args, "pdf")) + goes_out(args_get(args, "csv")) + args_json(args) > 1)
        complain("--pdf, --csv, --json: one of them only can go to standard output");
    else if (parse_year(args, s) && words_lang(args, &lang) && parse_beneficiaries(args, s)) {
        code = EXIT_REFUSED;
        if (file != NULL && err_failed(pii_new(file, &keys, &problem)))
            complain("--keys: %s", problem.text);
        else
            code = make(args, keys, s, lang);
    }
    pii_free(&keys);
    statement_free(s);
    free(s);
    return code;
}
