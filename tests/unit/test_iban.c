#include "domain/iban.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

static void published_good_ibans_pass(void **state)
{
    (void)state;
    char bank[IBAN_BANK_SIZE];
    assert_int_equal(iban_check(SLICE("PK36SCBL0000001123456702")), REASON_NONE);
    assert_int_equal(iban_check(SLICE("PK24MUCB0646609971000177")), REASON_NONE);
    assert_string_equal(iban_bank_code(SLICE("PK24MUCB0646609971000177"), bank), "MUCB");
}

static void published_bad_ibans_fail_their_checksum(void **state)
{
    (void)state;
    assert_int_equal(iban_check(SLICE("PK27MPBL1181017140122674")), REASON_IBAN_CHECKSUM);
    assert_int_equal(iban_check(SLICE("PK76NBPA1234567890000999")), REASON_IBAN_CHECKSUM);
}

static void each_fault_has_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *iban;
        reason_t reason;
    } cases[] = {
        {"", REASON_FIELD_REQUIRED},
        {"PK36 SCBL 0000 0011 2345 6702", REASON_IBAN_SHAPE},
        {" PK36SCBL0000001123456702", REASON_IBAN_SHAPE},
        {"pk36scbl0000001123456702", REASON_IBAN_SHAPE},
        {"PK3", REASON_IBAN_SHAPE},
        {"PKA6SCBL0000001123456702", REASON_IBAN_SHAPE},
        {"3PK6SCBL0000001123456702", REASON_IBAN_SHAPE},
        {"PK36SC1L0000001123456702", REASON_IBAN_SHAPE},
        {"PK36SCBL000000112345670\xC3\xA9", REASON_IBAN_SHAPE},
        {"DE89370400440532013000", REASON_IBAN_COUNTRY},
        {"GB82WEST12345698765432", REASON_IBAN_COUNTRY},
        {"PK36SCBL000000112345670", REASON_IBAN_LENGTH},
        {"PK36SCBL00000011234567022", REASON_IBAN_LENGTH},
        {"PK36", REASON_IBAN_LENGTH},
        {"PK37SCBL0000001123456702", REASON_IBAN_CHECKSUM},
        {"PK36SCBL0000001123456720", REASON_IBAN_CHECKSUM},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(iban_check(slice_str(cases[i].iban)), cases[i].reason);
}

static void ibans_of_other_countries_have_their_check_digits_looked_at(void **state)
{
    (void)state;
    assert_int_equal(iban_check_international(SLICE("PK36SCBL0000001123456702")), REASON_NONE);
    assert_int_equal(iban_check_international(SLICE("PK36SCBL000000112345670")),
                     REASON_IBAN_LENGTH);
    assert_int_equal(iban_check_international(SLICE("GB82WEST12345698765432")), REASON_NONE);
    assert_int_equal(iban_check_international(SLICE("DE89370400440532013000")), REASON_NONE);
    assert_int_equal(iban_check_international(SLICE("GB82WEST12345698765433")),
                     REASON_IBAN_CHECKSUM);
    assert_int_equal(iban_check_international(SLICE("GB82")), REASON_IBAN_LENGTH);
    assert_int_equal(iban_check_international(SLICE("GB82WEST1234569876543200000000000000")),
                     REASON_IBAN_LENGTH);
    assert_int_equal(iban_check_international(SLICE("gb82west12345698765432")), REASON_IBAN_SHAPE);
    assert_int_equal(iban_check_international(SLICE("")), REASON_FIELD_REQUIRED);
}

static void any_account(struct prng *prng, char bank[5], char account[17])
{
    static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (int i = 0; i < 4; i++)
        bank[i] = chars[prng_next(prng) % 26];
    for (int i = 0; i < 16; i++)
        account[i] = chars[prng_next(prng) % 36];
    bank[4] = account[16] = '\0';
}

/* What mod 97 promises: every single wrong character, every swap of two neighbours. */
static void made_ibans_pass_and_every_slip_of_one_character_fails(void **state)
{
    (void)state;
    struct prng prng = {17};
    for (int round = 0; round < 2000; round++) {
        char bank[5];
        char account[17];
        char iban[IBAN_SIZE];
        any_account(&prng, bank, account);
        assert_int_equal(iban_make(slice_str(bank), slice_str(account), iban), REASON_NONE);
        assert_int_equal(iban_check(slice_str(iban)), REASON_NONE);
        for (int at = 2; at < IBAN_LEN; at++) {
            char was = iban[at];
            const int first = char_is_digit(was) ? '0' : 'A', span = char_is_digit(was) ? 10 : 26;
            const int step = 1 + (int)(prng_next(&prng) % (uint64_t)(span - 1));
            iban[at] = (char)(first + (was - first + step) % span);
            assert_int_equal(iban_check(slice_str(iban)), REASON_IBAN_CHECKSUM);
            iban[at] = was;
        }
        for (int at = 8; at + 1 < IBAN_LEN; at++) {
            bool both_digits = char_is_digit(iban[at]) && char_is_digit(iban[at + 1]);
            if (iban[at] == iban[at + 1] || !both_digits)
                continue;
            char was = iban[at];
            iban[at] = iban[at + 1];
            iban[at + 1] = was;
            assert_int_equal(iban_check(slice_str(iban)), REASON_IBAN_CHECKSUM);
            iban[at + 1] = iban[at];
            iban[at] = was;
        }
    }
}

/* 00, 01 and 99 leave remainder 1 where 97, 98 and 02 are right; they are never issued. */
static void check_digits_no_bank_computes_are_refused(void **state)
{
    (void)state;
    struct prng prng = {18};
    int seen = 0;
    for (int round = 0; round < 20000 && seen < 30; round++) {
        char bank[5];
        char account[17];
        char iban[IBAN_SIZE];
        any_account(&prng, bank, account);
        assert_int_equal(iban_make(slice_str(bank), slice_str(account), iban), REASON_NONE);
        int check = (iban[2] - '0') * 10 + iban[3] - '0';
        assert_in_range(check, 2, 98);
        if (check != 97 && check != 98 && check != 2)
            continue;
        seen++;
        iban[2] = check == 2 ? '9' : '0';
        iban[3] = check == 97 ? '0' : (check == 98 ? '1' : '9');
        assert_int_equal(iban_check(slice_str(iban)), REASON_IBAN_CHECKSUM);
    }
    assert_int_equal(seen, 30);
}

static void make_refuses_other_shapes(void **state)
{
    (void)state;
    char iban[IBAN_SIZE];
    assert_int_equal(iban_make(SLICE("SCB"), SLICE("0000001123456702"), iban), REASON_IBAN_SHAPE);
    assert_int_equal(iban_make(SLICE("SCB1"), SLICE("0000001123456702"), iban), REASON_IBAN_SHAPE);
    assert_int_equal(iban_make(SLICE("SCBL"), SLICE("000000112345670"), iban), REASON_IBAN_SHAPE);
    assert_int_equal(iban_make(SLICE("SCBL"), SLICE("000000112345670a"), iban), REASON_IBAN_SHAPE);
    assert_int_equal(iban_make(SLICE("SCBL"), SLICE("0000001123456702"), iban), REASON_NONE);
    assert_string_equal(iban, "PK36SCBL0000001123456702");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_good_ibans_pass),
        cmocka_unit_test(published_bad_ibans_fail_their_checksum),
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(ibans_of_other_countries_have_their_check_digits_looked_at),
        cmocka_unit_test(made_ibans_pass_and_every_slip_of_one_character_fails),
        cmocka_unit_test(check_digits_no_bank_computes_are_refused),
        cmocka_unit_test(make_refuses_other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
