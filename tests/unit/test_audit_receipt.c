/* What a receipt is held against, and what is no receipt. (tests/e2e/test_receipt.py has real ones, and changes each value.) */
#include "audit/receipt.h"
#include "base/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* What base/command.h asks of a program. */
const struct program program = {"test", "", ""};
const struct command commands[] = {{NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL}};

static const char *first_where(const struct receipt_findings *f)
{
    assert_true(f->n > 0);
    return f->list[0].where;
}

static struct receipt_findings read_text(const char *text)
{
    struct receipt *r = malloc(sizeof *r);
    struct receipt_findings findings = {.n = 0};

    assert_non_null(r);
    assert_false(receipt_read(slice_str(text), r, &findings));
    receipt_free(r);
    free(r);
    return findings;
}

static void what_is_no_receipt_is_named_by_its_place(void **state)
{
    static const struct {
        const char *text, *where;
    } tries[] = {
        {"", ""},
        {"nonsense", ""},
        {"{\"a\": 1, \"a\": 1}", ""},
        {"{\"format\": \"ujrat/receipt/2\"}", "format"},
        {"{\"format\": \"ujrat/receipt/1\"}", "journals"},
        {"{\"format\": \"ujrat/receipt/1\", \"journals\": [], \"blocks\": [{}], \"keys\": [{}]}",
         "journals"},
        {"{\"format\": \"ujrat/receipt/1\", \"journals\": [1], \"blocks\": [{}], \"keys\": [{}]}",
         "journals[0]"},
        {"{\"format\": \"ujrat/receipt/1\", \"journals\": [{\"record\": \"AAAA=\", \"path\": []}], "
         "\"blocks\": [{}], \"keys\": [{}]}",
         "journals[0].record"},
        {"{\"format\": \"ujrat/receipt/1\", \"journals\": [{\"record\": \"AAAA\", \"path\": [\"0\"]}], "
         "\"blocks\": [{}], \"keys\": [{}]}",
         "journals[0].path"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        struct receipt_findings findings = read_text(tries[i].text);
        assert_string_equal(first_where(&findings), tries[i].where);
        assert_true(strlen(findings.list[0].what) > 0);
    }
}

static void a_deep_or_gigantic_document_is_refused(void **state)
{
    size_t size = RECEIPT_BYTES_MAX + 1;
    char *text = malloc(size + 1);
    struct receipt_findings findings;

    (void)state;
    assert_non_null(text);
    memset(text, '[', 100000);
    text[100000] = '\0';
    findings = read_text(text);
    assert_int_equal(findings.n, 1);
    memset(text, ' ', size);
    text[size] = '\0';
    findings = read_text(text);
    assert_non_null(strstr(findings.list[0].what, "too large"));
    free(text);
}

static struct receipt_findings compare_texts(const char *want, const char *have)
{
    struct receipt_findings findings = {.n = 0};
    json_t *a = json_loads(want, 0, NULL), *b = json_loads(have, 0, NULL);

    assert_non_null(a);
    assert_non_null(b);
    receipt_compare(a, b, &findings);
    json_decref(a);
    json_decref(b);
    return findings;
}

static void every_difference_is_named(void **state)
{
    struct receipt_findings f;

    (void)state;
    f = compare_texts("{\"a\": {\"b\": [1, null, \"x\"]}}", "{\"a\": {\"b\": [1, null, \"x\"]}}");
    assert_int_equal(f.n, 0);
    f = compare_texts("{\"a\": {\"b\": [1, null, \"x\"]}}", "{\"a\": {\"b\": [1, null, \"y\"]}}");
    assert_int_equal(f.n, 1);
    assert_string_equal(f.list[0].where, "a.b[2]");
    assert_string_equal(f.list[0].what, "it says \"y\", and its record \"x\"");
    f = compare_texts("{\"a\": 1}", "{\"a\": 1.0}");
    assert_string_equal(first_where(&f), "a");
    f = compare_texts("{\"a\": {}}", "{\"a\": {\"b\": 1}}");
    assert_string_equal(first_where(&f), "a.b");
    f = compare_texts("{\"a\": null}", "{}");
    assert_string_equal(first_where(&f), "a");
    f = compare_texts("{\"a\": [1]}", "{\"a\": [1, 2]}");
    assert_string_equal(first_where(&f), "a");
    f = compare_texts("{\"a\": [1]}", "{\"a\": \"1\"}");
    assert_string_equal(first_where(&f), "a");
}

static void more_findings_than_fit_are_dropped(void **state)
{
    struct receipt_findings f = {.n = 0};

    (void)state;
    for (int i = 0; i < 2 * RECEIPT_FINDINGS_MAX; i++)
        receipt_find(&f, "x", "%d", i);
    assert_int_equal(f.n, RECEIPT_FINDINGS_MAX);
}

/* The ledger's list, which this one shares nothing with. */
static void currencies_have_the_digits_of_iso_4217(void **state)
{
    FILE *file = fopen("data/currencies.csv", "r");
    char line[256];
    unsigned n = 0;

    (void)state;
    if (file == NULL) {
        fail_msg("run from the root of the repository");
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        struct slice number, code, digits, rest;
        int64_t value;

        if (line[0] == '#' || !slice_cut(slice_str(line), ',', &number, &rest) ||
            !slice_cut(rest, ',', &code, &rest) || !slice_cut(rest, ',', &digits, &rest) ||
            err_failed(str_parse_int64(digits, &value)))
            continue;
        assert_int_equal(receipt_digits(code), value);
        n++;
    }
    fclose(file);
    assert_true(n > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_receipt_is_named_by_its_place),
        cmocka_unit_test(a_deep_or_gigantic_document_is_refused),
        cmocka_unit_test(every_difference_is_named),
        cmocka_unit_test(more_findings_than_fit_are_dropped),
        cmocka_unit_test(currencies_have_the_digits_of_iso_4217),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
