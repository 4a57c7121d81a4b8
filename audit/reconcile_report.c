/* reconcile_report.c: a reconciliation as a table, as JSON and as CSV. */
#include "audit/reconcile.h"
#include "base/str.h"
#include "base/table.h"
#include "base/version.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *recon_category(enum category c)
{
    switch (c) {
    case CAT_TIMING:
        return "timing";
    case CAT_MISSING_OURS:
        return "missing ours";
    case CAT_MISSING_THEIRS:
        return "missing theirs";
    case CAT_DUPLICATE:
        return "duplicate";
    case CAT_AMOUNT:
        return "amount";
    case CAT_CHARGE:
        return "charge deducted";
    case CAT_TAX:
        return "tax withheld";
    case CAT_RETURN:
        return "return unposted";
    case CAT_CREDIT:
        return "unidentified credit";
    case CAT_NONE:
    case CAT_END:
        break;
    }
    return "";
}

const char *recon_match_name(enum match m)
{
    switch (m) {
    case MATCH_END_TO_END:
        return "by EndToEndId";
    case MATCH_BANK_REFERENCE:
        return "by bank reference";
    case MATCH_AMOUNT:
        return "by amount and date";
    case MATCH_CONTRA:
        return "taken back by the bank itself";
    case MATCH_NONE:
    case MATCH_END:
        break;
    }
    return "";
}

const char *recon_band(int32_t days)
{
    return days <= 2    ? "0-2 timing"
           : days <= 5  ? "3-5 owner and query"
           : days <= 30 ? "6-30 escalate"
           : days <= 60 ? "31-60 management"
                        : "over 60 write-off candidate";
}

static const char *format_amount(int64_t minor, unsigned digits, bool thousands,
                                 char out[RECON_AMOUNT_SIZE])
{
    char plain[STR_INT64_SIZE];
    char padded[RECON_AMOUNT_SIZE];
    size_t len = str_format_uint64(minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor, plain);
    size_t n = 0;
    size_t o = 0;

    for (; n + len <= digits; n++)
        padded[n] = '0';
    memcpy(padded + n, plain, len + 1);
    n += len;
    if (minor < 0)
        out[o++] = '-';
    for (size_t i = 0; i < n; i++) {
        size_t left = n - i; /* digits from here on, this one included */

        if (digits > 0 && left == digits)
            out[o++] = '.';
        else if (thousands && i > 0 && left > digits && (left - digits) % 3 == 0)
            out[o++] = ',';
        out[o++] = padded[i];
    }
    out[o] = '\0';
    return out;
}

const char *recon_amount(const struct recon *r, int64_t minor, char out[RECON_AMOUNT_SIZE])
{
    return format_amount(minor, r->digits, false, out);
}

const char *recon_amount_shown(const struct recon *r, int64_t minor, char out[RECON_AMOUNT_SIZE])
{
    return format_amount(minor, r->digits, true, out);
}

bool recon_is_clean(const struct recon *r)
{
    return r->n_breaks == 0 && r->faults == 0 && r->unexplained == 0;
}

void *recon_grow(void *array, size_t n, size_t *size, size_t element)
{
    size_t more = *size == 0 ? 64 : *size * 2;
    void *grown = more > SIZE_MAX / element ? NULL : malloc(more * element);

    if (grown == NULL)
        return NULL;
    if (n > 0)
        memcpy(grown, array, n * element);
    free(array);
    *size = more;
    return grown;
}

const char *recon_dup(struct recon *r, const char *text)
{
    return text[0] == '\0' ? "" : arena_strndup(&r->arena, text, strlen(text));
}

const char *recon_printf(struct recon *r, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return recon_dup(r, text);
}

/* ---------------------------------------------------------------- on a terminal */

static void must(err_t err)
{
    if (err_failed(err)) {
        complain("out of memory");
        abort();
    }
}

static struct table *new_table(const struct table_column *columns, size_t n)
{
    struct table *table;

    must(table_new(columns, n, &table));
    return table;
}

static void print_statements(const struct recon *r)
{
    static const struct table_column columns[] = {
        {"statement", TABLE_LEFT},  {"from", TABLE_LEFT},     {"to", TABLE_LEFT},
        {"number", TABLE_RIGHT},    {"entries", TABLE_RIGHT}, {"opening", TABLE_RIGHT},
        {"movements", TABLE_RIGHT}, {"closing", TABLE_RIGHT}, {"", TABLE_LEFT}};
    struct table *table = new_table(columns, sizeof columns / sizeof *columns);

    for (size_t i = 0; i < r->n_statements; i++) {
        const struct statement *s = &r->statements[i];
        char amount[3][RECON_AMOUNT_SIZE];
        char day[2][TIMEFMT_DATE_SIZE];
        char number[24] = "";
        char entries[24];

        if (s->sequence >= 0)
            snprintf(number, sizeof number, "%lld", (long long)s->sequence);
        snprintf(entries, sizeof entries, "%llu", (unsigned long long)s->n_entries);
        must(table_add(
            table, (const char *const[]){
                       s->id, timefmt_date(s->from_day, day[0]), timefmt_date(s->to_day, day[1]),
                       number, entries, recon_amount_shown(r, s->opening, amount[0]),
                       recon_amount_shown(r, s->sum, amount[1]),
                       recon_amount_shown(r, s->closing, amount[2]),
                       s->closing - s->opening == s->sum && s->gap == 0 && s->sequence_fault == NULL
                           ? "ok"
                           : "WRONG"}));
    }
    table_print(table, stdout);
    table_free(&table);
}

static void print_faults(const struct recon *r)
{
    char amount[3][RECON_AMOUNT_SIZE];

    for (size_t i = 0; i < r->n_statements; i++) {
        const struct statement *s = &r->statements[i];

        if (s->closing - s->opening != s->sum)
            printf("WRONG: statement %s: opening %s and entries of %s do not make its closing %s\n",
                   s->id, recon_amount_shown(r, s->opening, amount[0]),
                   recon_amount_shown(r, s->sum, amount[1]),
                   recon_amount_shown(r, s->closing, amount[2]));
        if (s->gap != 0)
            printf("WRONG: statement %s opens with %s, and %s closed with %s\n", s->id,
                   recon_amount_shown(r, s->opening, amount[0]), r->statements[i - 1].id,
                   recon_amount_shown(r, r->statements[i - 1].closing, amount[1]));
        if (s->sequence_fault != NULL)
            printf("WRONG: statement %s: %s\n", s->id, s->sequence_fault);
    }
}

/* What people call the payment: of the books if they know it, else of the bank. */
static const char *name_of(const struct brk *b)
{
    if (b->item != NULL && b->item->reference[0] != '\0')
        return b->item->reference;
    if (b->item != NULL)
        return b->item->kind;
    assert(b->line != NULL); /* a break is of the bank's line, or of ours, or of both */
    return b->line->end_to_end_id[0] != '\0' ? b->line->end_to_end_id : "";
}

static const char *bank_name_of(const struct brk *b)
{
    const struct line *l = b->line;

    assert(l != NULL || b->item != NULL);
    if (l == NULL)
        return b->item->bank_reference;
    return l->bank_reference[0] != '\0'         ? l->bank_reference
           : l->entry_bank_reference[0] != '\0' ? l->entry_bank_reference
                                                : l->entry_reference;
}

static void print_breaks(const struct recon *r)
{
    static const struct table_column columns[] = {
        {"no", TABLE_RIGHT},     {"break", TABLE_LEFT},
        {"date", TABLE_LEFT},    {"age", TABLE_RIGHT},
        {"band", TABLE_LEFT},    {"bank", TABLE_RIGHT},
        {"books", TABLE_RIGHT},  {"difference", TABLE_RIGHT},
        {"payment", TABLE_LEFT}, {"bank's reference", TABLE_LEFT},
        {"", TABLE_LEFT}};
    struct table *table = new_table(columns, sizeof columns / sizeof *columns);

    for (size_t i = 0; i < r->n_breaks && i < TABLE_ROWS_MAX; i++) {
        const struct brk *b = &r->breaks[i];
        char amount[3][RECON_AMOUNT_SIZE];
        char day[TIMEFMT_DATE_SIZE];
        char number[24];
        char age[24];

        snprintf(number, sizeof number, "%zu", i + 1);
        snprintf(age, sizeof age, "%d", b->age_days);
        must(table_add(table,
                       (const char *const[]){
                           number, recon_category(b->category), timefmt_date(b->date, day), age,
                           recon_band(b->age_days),
                           b->line == NULL ? "" : recon_amount_shown(r, b->line->minor, amount[0]),
                           b->item == NULL ? "" : recon_amount_shown(r, b->item->minor, amount[1]),
                           recon_amount_shown(r, b->effect, amount[2]), name_of(b), bank_name_of(b),
                           b->note == NULL ? "" : b->note}));
    }
    table_print(table, stdout);
    table_free(&table);
}

static void print_totals(const struct recon *r)
{
    static const struct table_column columns[] = {
        {"", TABLE_LEFT}, {"items", TABLE_RIGHT}, {"amount", TABLE_RIGHT}};
    struct table *table = new_table(columns, 3);
    char amount[RECON_AMOUNT_SIZE];
    char count[24];

    must(table_add(table, (const char *const[]){"balance per bank", "",
                                                recon_amount_shown(r, r->bank_balance, amount)}));
    must(table_add(table, (const char *const[]){"balance per books", "",
                                                recon_amount_shown(r, r->books_balance, amount)}));
    must(table_add_rule(table));
    must(table_add(table, (const char *const[]){
                              "difference", "",
                              recon_amount_shown(r, r->bank_balance - r->books_balance, amount)}));
    for (enum category c = CAT_NONE + 1; c < CAT_END; c++) {
        if (r->count[c] == 0)
            continue;
        snprintf(count, sizeof count, "%llu", (unsigned long long)r->count[c]);
        must(table_add(table, (const char *const[]){recon_category(c), count,
                                                    recon_amount_shown(r, r->sum[c], amount)}));
    }
    must(table_add_rule(table));
    must(
        table_add(table, (const char *const[]){r->unexplained == 0 ? "unexplained" : "UNEXPLAINED",
                                               "", recon_amount_shown(r, r->unexplained, amount)}));
    table_print(table, stdout);
    table_free(&table);
    if (r->brought_forward != 0)
        printf("%s is from before the first statement: give the earlier ones too, or adjust the "
               "books.\n",
               recon_amount_shown(r, r->brought_forward, amount));
}

void recon_print(const struct recon *r)
{
    uint64_t entries = 0;

    printf("Account %s at %s (%s), %s; books as of %s%s%s\n\n", r->account, r->bank, r->bank_name,
           r->ccy, r->as_of, r->book == NULL ? "" : ", book ", r->book == NULL ? "" : r->book);
    print_statements(r);
    print_faults(r);
    printf("\n");
    for (enum match m = MATCH_NONE + 1; m < MATCH_END; m++) {
        entries += r->matched[m];
        if (r->matched[m] > 0)
            printf("%llu matched %s\n", (unsigned long long)r->matched[m], recon_match_name(m));
    }
    printf("%llu of the bank's entries and %llu of our postings are matched; %zu breaks\n\n",
           (unsigned long long)entries, (unsigned long long)r->matched_ours, r->n_breaks);
    if (r->n_breaks > 0) {
        print_breaks(r);
        printf("\n");
    }
    print_totals(r);
    printf("\n%s\n", recon_is_clean(r) ? "Reconciled, without a break." : "NOT RECONCILED.");
}

/* ---------------------------------------------------------------- JSON */

static json_t *json_amount(const struct recon *r, int64_t minor)
{
    char text[RECON_AMOUNT_SIZE];

    return json_string(recon_amount(r, minor, text));
}

static json_t *json_statement(const struct recon *r, const struct statement *s)
{
    char day[2][TIMEFMT_DATE_SIZE];
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:b, s:o, s:s?}", "id",
                          s->id, "file", s->file, "from", timefmt_date(s->from_day, day[0]), "to",
                          timefmt_date(s->to_day, day[1]), "sequence",
                          s->sequence < 0 ? json_null() : json_integer(s->sequence), "entries",
                          (json_int_t)s->n_entries, "opening", json_amount(r, s->opening), "sum",
                          json_amount(r, s->sum), "closing", json_amount(r, s->closing), "adds_up",
                          s->closing - s->opening == s->sum, "gap", json_amount(r, s->gap),
                          "sequence_fault", s->sequence_fault);
    return o;
}

static json_t *json_break(const struct recon *r, size_t i)
{
    const struct brk *b = &r->breaks[i];
    const struct line *l = b->line;
    const struct item *m = b->item;
    char day[TIMEFMT_DATE_SIZE];
    json_t *o = json_pack(
        "{s:I, s:s, s:s, s:i, s:s, s:o, s:s?}", "number", (json_int_t)i + 1, "category",
        recon_category(b->category), "date", timefmt_date(b->date, day), "age_days", b->age_days,
        "band", recon_band(b->age_days), "difference", json_amount(r, b->effect), "note", b->note);

    json_object_set_new(o, "bank_amount", l == NULL ? json_null() : json_amount(r, l->minor));
    json_object_set_new(o, "books_amount", m == NULL ? json_null() : json_amount(r, m->minor));
    json_object_set_new(o, "bank_reference", json_string(bank_name_of(b)));
    json_object_set_new(o, "end_to_end_id",
                        json_string(l != NULL && l->end_to_end_id[0] != '\0' ? l->end_to_end_id
                                    : m != NULL                              ? m->end_to_end_id
                                                                             : ""));
    if (l != NULL) {
        json_object_set_new(o, "statement", json_string(l->statement->id));
        json_object_set_new(o, "entry", json_integer((json_int_t)l->entry));
    }
    if (m != NULL) {
        json_object_set_new(o, "book", json_string(m->book));
        json_object_set_new(o, "journal", json_integer(m->seq));
        json_object_set_new(o, "kind", json_string(m->kind));
        json_object_set_new(o, "reference", json_string(m->reference));
        if (m->payout_id > 0)
            json_object_set_new(o, "payout", json_integer(m->payout_id));
    }
    return o;
}

bool recon_print_json(const struct recon *r)
{
    json_t *statements = json_array();
    json_t *breaks = json_array();
    json_t *matched = json_object();
    json_t *root;
    bool good;

    for (size_t i = 0; i < r->n_statements; i++)
        json_array_append_new(statements, json_statement(r, &r->statements[i]));
    for (size_t i = 0; i < r->n_breaks; i++)
        json_array_append_new(breaks, json_break(r, i));
    json_object_set_new(matched, "end_to_end_id",
                        json_integer((json_int_t)r->matched[MATCH_END_TO_END]));
    json_object_set_new(matched, "bank_reference",
                        json_integer((json_int_t)r->matched[MATCH_BANK_REFERENCE]));
    json_object_set_new(matched, "amount_and_date",
                        json_integer((json_int_t)r->matched[MATCH_AMOUNT]));
    json_object_set_new(matched, "contra", json_integer((json_int_t)r->matched[MATCH_CONTRA]));
    json_object_set_new(matched, "postings", json_integer((json_int_t)r->matched_ours));
    root = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}",
                     "account", r->account, "bank", r->bank, "currency", r->ccy, "as_of", r->as_of,
                     "book", r->book, "balance_per_bank", json_amount(r, r->bank_balance),
                     "balance_per_books", json_amount(r, r->books_balance), "difference",
                     json_amount(r, r->bank_balance - r->books_balance), "unexplained",
                     json_amount(r, r->unexplained), "brought_forward",
                     json_amount(r, r->brought_forward), "reconciled", recon_is_clean(r), "matched",
                     matched, "statements", statements, "breaks", breaks);
    good = root != NULL && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    if (good)
        printf("\n");
    else
        complain("out of memory, or a text that is not UTF-8");
    json_decref(root);
    return good;
}

/* ---------------------------------------------------------------- CSV */

/* In quotes where it must be. Text that a spreadsheet would take for a formula gets an apostrophe in front. */
static void csv_text(FILE *out, const char *text)
{
    bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;

    if (!formula && strpbrk(text, ",\"\r\n ") == NULL) {
        fprintf(out, ",%s", text);
        return;
    }
    fprintf(out, ",\"%s", formula ? "'" : "");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
    fputc('"', out);
}

static void csv_amount(const struct recon *r, FILE *out, int64_t minor)
{
    char text[RECON_AMOUNT_SIZE];

    fprintf(out, ",%s", recon_amount(r, minor, text));
}

static void csv_break(const struct recon *r, size_t i, FILE *out)
{
    const struct brk *b = &r->breaks[i];
    const struct line *l = b->line;
    const struct item *m = b->item;
    char day[TIMEFMT_DATE_SIZE];

    fprintf(out, "break,%zu,%s,%s", i + 1, recon_category(b->category), r->bank);
    csv_text(out, r->account);
    fprintf(out, ",%s", r->ccy);
    csv_amount(r, out, b->effect);
    if (l != NULL)
        csv_amount(r, out, l->minor);
    else
        fputc(',', out);
    if (m != NULL)
        csv_amount(r, out, m->minor);
    else
        fputc(',', out);
    fprintf(out, ",%s,%d,%s", timefmt_date(b->date, day), b->age_days, recon_band(b->age_days));
    csv_text(out, m == NULL ? "" : m->book);
    if (m != NULL && m->payout_id > 0)
        fprintf(out, ",%lld", (long long)m->payout_id);
    else
        fputc(',', out);
    csv_text(out, m == NULL ? "" : m->reference);
    if (m != NULL)
        fprintf(out, ",%lld", (long long)m->seq);
    else
        fputc(',', out);
    csv_text(out, l != NULL && l->end_to_end_id[0] != '\0' ? l->end_to_end_id
                  : m != NULL                              ? m->end_to_end_id
                                                           : "");
    csv_text(out, bank_name_of(b));
    csv_text(out, l == NULL ? "" : l->statement->id);
    if (l != NULL)
        fprintf(out, ",%llu", (unsigned long long)l->entry);
    else
        fputc(',', out);
    csv_text(out, b->note == NULL ? "" : b->note);
    fputs("\r\n", out);
}

/* A record that is not a break: its name and one amount. */
static void csv_total(const struct recon *r, FILE *out, const char *record, size_t number,
                      const char *name, int64_t minor, const char *statement, const char *note)
{
    fprintf(out, "%s,%zu", record, number);
    csv_text(out, name);
    fprintf(out, ",%s", r->bank);
    csv_text(out, r->account);
    fprintf(out, ",%s", r->ccy);
    csv_amount(r, out, minor);
    fputs(",,,,,,,,,,,", out);
    csv_text(out, statement);
    fputc(',', out);
    csv_text(out, note);
    fputs("\r\n", out);
}

void recon_write_csv(const struct recon *r, FILE *out)
{
    fputs(
        "record,number,category,bank,account,currency,difference,bank_amount,books_amount,date,age_days,band,"
        "book,payout,reference,journal,end_to_end_id,bank_reference,statement,entry,note\r\n",
        out);
    for (size_t i = 0; i < r->n_statements; i++) {
        const struct statement *s = &r->statements[i];

        csv_total(r, out, "statement", i + 1, "opening", s->opening, s->id, s->file);
        csv_total(r, out, "statement", i + 1, "entries", s->sum, s->id,
                  s->closing - s->opening == s->sum ? "adds up" : "DOES NOT ADD UP");
        csv_total(r, out, "statement", i + 1, "closing", s->closing, s->id,
                  s->sequence_fault == NULL ? "" : s->sequence_fault);
        if (s->gap != 0)
            csv_total(r, out, "statement", i + 1, "gap", s->gap, s->id,
                      "OPENS OTHERWISE THAN THE ONE BEFORE CLOSED");
    }
    for (size_t i = 0; i < r->n_breaks; i++)
        csv_break(r, i, out);
    csv_total(r, out, "total", 1, "balance per bank", r->bank_balance, "", "");
    csv_total(r, out, "total", 2, "balance per books", r->books_balance, "", r->as_of);
    csv_total(r, out, "total", 3, "explained by the breaks", r->explained, "", "");
    csv_total(r, out, "total", 4, r->unexplained == 0 ? "unexplained" : "UNEXPLAINED",
              r->unexplained, "", recon_is_clean(r) ? "reconciled" : "NOT RECONCILED");
}
