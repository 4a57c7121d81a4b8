#include "domain/ccy.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static void minor_units_are_those_of_iso_4217(void **state)
{
    (void)state;
    assert_int_equal(ccy_by_alpha(SLICE("JPY"))->digits, 0);
    assert_int_equal(ccy_by_alpha(SLICE("PKR"))->digits, 2);
    assert_int_equal(ccy_by_alpha(SLICE("KWD"))->digits, 3);
    assert_int_equal(ccy_by_alpha(SLICE("CLF"))->digits, 4);
    assert_int_equal(ccy_by_alpha(SLICE("PKR"))->number, CCY_PKR);
    assert_int_equal(ccy_by_alpha(SLICE("USD"))->number, CCY_USD);
    assert_int_equal(ccy_by_alpha(SLICE("EUR"))->number, CCY_EUR);
    assert_int_equal(ccy_by_alpha(SLICE("GBP"))->number, CCY_GBP);
}

static void what_is_not_a_currency_is_not_found(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "PK",  "pkr", "PKRR", "XAU",
                                      "BTC", "CNH", "XXX", "DEM",  "\xff\xff\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(ccy_by_alpha(slice_str(bad[i])));
    assert_null(ccy_by_number(0));
    assert_null(ccy_by_number(999));
    assert_null(ccy_by_number(1000));
    assert_null(ccy_by_number(UINT16_MAX));
    assert_string_equal(ccy_alpha(1), "???");
    assert_string_equal(ccy_alpha(CCY_PKR), "PKR");
}

static void both_keys_find_every_currency(void **state)
{
    (void)state;
    unsigned n = 0;
    for (const struct ccy *ccy = ccy_at(n); ccy != NULL; ccy = ccy_at(++n)) {
        assert_ptr_equal(ccy_by_number(ccy->number), ccy);
        assert_ptr_equal(ccy_by_alpha(slice_str(ccy->alpha)), ccy);
        assert_true(ccy->digits <= CCY_DIGITS_MAX);
        assert_true(n == 0 || strcmp(ccy_at(n - 1)->alpha, ccy->alpha) < 0);
    }
    assert_in_range(n, 150, CCY_COUNT_MAX);
}

static void the_table_is_the_data_file(void **state)
{
    (void)state;
    FILE *file = fopen("data/currencies.csv", "r");
    if (file == NULL) {
        fail_msg("run from the root of the repository");
        return;
    }
    char line[256];
    unsigned n = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || strncmp(line, "number,", 7) == 0)
            continue;
        const struct ccy *ccy = ccy_at(n++);
        assert_non_null(ccy);
        char ours[256];
        (void)snprintf(ours, sizeof ours, "%03u,%s,%u,%s\n", ccy->number, ccy->alpha, ccy->digits,
                       ccy->name);
        assert_string_equal(ours, line);
    }
    assert_null(ccy_at(n));
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minor_units_are_those_of_iso_4217),
        cmocka_unit_test(what_is_not_a_currency_is_not_found),
        cmocka_unit_test(both_keys_find_every_currency),
        cmocka_unit_test(the_table_is_the_data_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
