#include "audit/verify_report.h"

#include "audit/output.h"
#include "base/hex.h"
#include "base/timefmt.h"
#include "base/version.h"

#include <inttypes.h>
#include <string.h>

#define NUMBER_SIZE AMOUNT_TEXT_SIZE

static const char *count(int64_t n, char out[NUMBER_SIZE])
{
    return amount_shown(n, 0, out);
}

static void print_keys(const struct verify_report *report)
{
    if (report->keys->n == 0) {
        printf(
            "Keys:       NONE GIVEN. The first key of each book was taken on the log's own word: what\n"
            "            follows holds only if that key is the right one. See --key.\n");
        return;
    }
    for (size_t i = 0; i < report->keys->n; i++)
        printf("%s%s\n", i == 0 ? "Keys:       " : "            ",
               public_key_id(report->keys->keys[i]));
}

static void print_books(const struct verify *v)
{
    static const struct table_column columns[] = {
        {"book", TABLE_LEFT},   {"blocks", TABLE_RIGHT},  {"journals", TABLE_RIGHT},
        {"lines", TABLE_RIGHT}, {"payouts", TABLE_RIGHT}, {"from", TABLE_LEFT},
        {"to", TABLE_LEFT},     {"result", TABLE_LEFT},
    };
    struct table *table = NULL;
    size_t n;
    const struct book_result *books = verify_books(v, &n);

    if (err_failed(table_new(columns, sizeof columns / sizeof columns[0], &table)))
        return;
    for (size_t i = 0; i < n; i++) {
        const struct book_result *b = &books[i];
        char numbers[4][NUMBER_SIZE];
        char from[TIMEFMT_SIZE] = "";
        char to[TIMEFMT_SIZE] = "";

        if (b->blocks > 0) {
            (void)timefmt_rfc3339(b->first_at_us, from);
            (void)timefmt_rfc3339(b->last_at_us, to);
            from[19] = to[19] = '\0'; /* to the second */
        }
        (void)output_row(table, (const char *const[]){b->book, count(b->blocks, numbers[0]),
                                                      count(b->journals, numbers[1]),
                                                      count(b->lines, numbers[2]),
                                                      count(b->payouts, numbers[3]), from, to,
                                                      b->findings == 0 ? "good" : "WRONG"});
    }
    table_print(table, stdout);
    table_free(&table);
}

static void print_heads(const struct verify *v, const struct verify_report *report)
{
    size_t n;
    const struct book_result *books = verify_books(v, &n);

    for (size_t i = 0; i < n; i++) {
        const struct book_result *b = &books[i];
        char root[HEX_SIZE(HASH_BYTES)];
        char at[TIMEFMT_SIZE];

        if (b->findings > 0)
            continue;
        if (!b->has_head) {
            if (report->broken == NULL) /* else it was not read so far */
                printf("%s: nothing is sealed\n", b->book);
        } else {
            (void)hex_encode(b->head_root.b, HASH_BYTES, root);
            printf("%s: head of %" PRId64 " blocks, signed %s with key %s%s\n    root %s\n",
                   b->book, b->head_size, timefmt_rfc3339(b->head_at_us, at), b->key_id,
                   report->keys->n == 0 ? " (ON TRUST)" : "", root);
        }
        if (report->witness != NULL)
            printf("    %zu %s of it\n", b->witnessed,
                   b->witnessed == 1 ? "head of the witness is a prefix"
                                     : "heads of the witness are prefixes");
        if (b->unsealed > 0)
            printf("    note: the last %" PRId64
                   " blocks are not sealed yet; their journals were checked, "
                   "their seals will be\n",
                   b->unsealed);
    }
}

static void print_findings(const struct verify *v)
{
    size_t n;
    const struct finding *findings = verify_findings(v, &n);
    uint64_t all = verify_findings_count(v);

    for (size_t i = 0; i < n; i++) {
        const struct finding *f = &findings[i];
        char clean[FINDING_TEXT];

        printf("\nWRONG       %s%s", f->book[0] == '\0' ? "the log" : "book ", f->book);
        if (f->seq != 0)
            printf(", seq %" PRId64, f->seq);
        if (f->block_no != 0)
            printf(", block %" PRId64, f->block_no);
        printf(": %s\n", output_clean(f->field, clean, sizeof clean));
        printf("            %s\n", output_clean(f->text, clean, sizeof clean));
        if (f->expected[0] != '\0')
            printf("  expected  %s\n", output_clean(f->expected, clean, sizeof clean));
        if (f->found[0] != '\0')
            printf("  found     %s\n", output_clean(f->found, clean, sizeof clean));
    }
    if (all > n)
        printf("\n... and %" PRIu64 " more\n", all - n);
}

void verify_report_text(const struct verify *v, const struct verify_report *report)
{
    char at[TIMEFMT_SIZE];
    uint64_t wrong = verify_findings_count(v);
    size_t n;

    (void)verify_books(v, &n);
    printf("VERIFICATION OF THE SIGNED LOG\n\n"
           "Log:        %s\n"
           "Checked:    %s, by ujrat-audit %s%s\n",
           report->source, timefmt_rfc3339(report->at_us, at), UJRAT_VERSION,
           report->resumed ? ", going on from a checkpoint" : "");
    print_keys(report);
    printf("Witness:    %s\n\n", report->witness == NULL ? "none" : report->witness);
    print_books(v);
    putchar('\n');
    print_heads(v, report);
    print_findings(v);
    if (report->broken != NULL)
        printf("\nWRONG       %s\n", report->broken);
    if (wrong == 0 && report->broken == NULL)
        printf(
            "\nRESULT      good: %zu %s, every journal, balance, block, link and signature as it must be\n",
            n, n == 1 ? "book" : "books");
    else
        printf("\nRESULT      WRONG: these books are not to be relied on\n");
}

/* ---------------------------------------------------------------- JSON */

static json_t *time_json(int64_t us)
{
    char at[TIMEFMT_SIZE];

    return us == 0 ? json_null() : json_string(timefmt_rfc3339(us, at));
}

static json_t *book_json(const struct book_result *b)
{
    char root[HEX_SIZE(HASH_BYTES)];
    json_t *head = json_null();

    (void)hex_encode(b->head_root.b, HASH_BYTES, root);
    if (b->has_head)
        head = json_pack("{s:I,s:s,s:s,s:o,s:b}", "tree_size", (json_int_t)b->head_size, "root",
                         root, "key_id", b->key_id, "signed_at", time_json(b->head_at_us),
                         "key_given", b->key_given);
    return json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:I,s:I}", "book", b->book, "good",
                     b->findings == 0, "blocks", (json_int_t)b->blocks, "unsealed_blocks",
                     (json_int_t)b->unsealed, "journals", (json_int_t)b->journals, "lines",
                     (json_int_t)b->lines, "payouts", (json_int_t)b->payouts, "from",
                     time_json(b->first_at_us), "to", time_json(b->last_at_us), "head", head,
                     "witnessed", (json_int_t)b->witnessed, "findings", (json_int_t)b->findings);
}

static json_t *finding_json(const struct finding *f)
{
    return json_pack("{s:s,s:o,s:o,s:s,s:s,s:s,s:s}", "book", f->book, "seq",
                     f->seq == 0 ? json_null() : json_integer(f->seq), "block",
                     f->block_no == 0 ? json_null() : json_integer(f->block_no), "field", f->field,
                     "expected", f->expected, "found", f->found, "what", f->text);
}

bool verify_report_json(const struct verify *v, const struct verify_report *report)
{
    json_t *books = json_array();
    json_t *findings = json_array();
    json_t *keys = json_array();
    size_t n;
    const struct book_result *b = verify_books(v, &n);
    const struct finding *f;

    for (size_t i = 0; i < n; i++)
        json_array_append_new(books, book_json(&b[i]));
    f = verify_findings(v, &n);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(findings, finding_json(&f[i]));
    for (size_t i = 0; i < report->keys->n; i++)
        json_array_append_new(keys, json_string(public_key_id(report->keys->keys[i])));
    return output_json(stdout,
                       json_pack("{s:b,s:s,s:o,s:s,s:o,s:b,s:o,s:o,s:I,s:s?}", "good",
                                 verify_findings_count(v) == 0 && report->broken == NULL, "log",
                                 report->source, "checked_at", time_json(report->at_us), "program",
                                 "ujrat-audit " UJRAT_VERSION, "keys_given", keys, "witnessed",
                                 report->witness != NULL, "books", books, "findings", findings,
                                 "all_findings", (json_int_t)verify_findings_count(v), "broken",
                                 report->broken),
                       1);
}
