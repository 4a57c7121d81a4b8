/* CNIC, mobile numbers, bank codes, purpose codes, ISO 20022 reason codes: what is only syntax and small tables. */
#include "domain/bank.h"
#include "domain/cnic.h"
#include "domain/iso20022_reason.h"
#include "domain/mobile.h"
#include "domain/purpose.h"

#include "tests/unit/unit.h"

#include <stdio.h>

struct expectation {
    const char *text;
    reason_t reason;
};

static void cnic_takes_both_ways_of_writing(void **state)
{
    (void)state;
    char out[CNIC_SIZE];
    assert_int_equal(cnic_normalise(SLICE("3520212345671"), out), REASON_NONE);
    assert_string_equal(out, "3520212345671");
    assert_int_equal(cnic_normalise(SLICE("35202-1234567-1"), out), REASON_NONE);
    assert_string_equal(out, "3520212345671");
    static const struct expectation bad[] = {
        {"", REASON_FIELD_REQUIRED},
        {"352021234567", REASON_CNIC_LENGTH},
        {"35202123456711", REASON_CNIC_LENGTH},
        {"35202-1234567-", REASON_CNIC_LENGTH},
        {"35202-1234567-12", REASON_CNIC_LENGTH},
        {"3520212345671-", REASON_CNIC_SHAPE},
        {"3520-21234567-1", REASON_CNIC_SHAPE},
        {"35202-12345671", REASON_CNIC_SHAPE},
        {"35202-123456-71", REASON_CNIC_SHAPE},
        {"35202 1234567 1", REASON_CNIC_SHAPE},
        {"352021234567x", REASON_CNIC_SHAPE},
        {"-------------", REASON_CNIC_LENGTH},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(cnic_normalise(slice_str(bad[i].text), out), bad[i].reason);
}

static void mobile_numbers_become_e164(void **state)
{
    (void)state;
    char out[MOBILE_SIZE];
    assert_int_equal(mobile_normalise(SLICE("03001234567"), out), REASON_NONE);
    assert_string_equal(out, "+923001234567");
    assert_int_equal(mobile_normalise(SLICE("+923001234567"), out), REASON_NONE);
    assert_string_equal(out, "+923001234567");
    static const struct expectation bad[] = {
        {"", REASON_FIELD_REQUIRED},
        {"3001234567", REASON_MOBILE_SHAPE},
        {"0300123456", REASON_MOBILE_SHAPE},
        {"030012345678", REASON_MOBILE_SHAPE},
        {"04212345678", REASON_MOBILE_SHAPE},
        {"00923001234567", REASON_MOBILE_SHAPE},
        {"+913001234567", REASON_MOBILE_SHAPE},
        {"0300 123456", REASON_MOBILE_SHAPE},
        {"0300123456x", REASON_MOBILE_SHAPE},
        {"+92 300123456", REASON_MOBILE_SHAPE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mobile_normalise(slice_str(bad[i].text), out), bad[i].reason);
}

static void bank_codes_and_bics_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(bank_code_check(SLICE("NBPA")), REASON_NONE);
    assert_int_equal(bank_code_check(SLICE("")), REASON_FIELD_REQUIRED);
    assert_int_equal(bank_code_check(SLICE("NBP1")), REASON_FIELD_INVALID);
    assert_int_equal(bank_code_check(SLICE("nbpa")), REASON_FIELD_INVALID);
    assert_int_equal(bank_code_check(SLICE("NBPBPKKA")), REASON_FIELD_INVALID);
    assert_int_equal(bank_bic_check(SLICE("NBPBPKKA")), REASON_NONE);
    assert_int_equal(bank_bic_check(SLICE("NBPBPKKA02X")), REASON_NONE);
    assert_int_equal(bank_bic_check(SLICE("")), REASON_FIELD_REQUIRED);
    assert_int_equal(bank_bic_check(SLICE("NBPA")), REASON_FIELD_INVALID);
    assert_int_equal(bank_bic_check(SLICE("NBPB12KA")), REASON_FIELD_INVALID);
    assert_int_equal(bank_bic_check(SLICE("nbpbpkka")), REASON_FIELD_INVALID);
}

static void the_bank_list_we_ship_is_well_formed(void **state)
{
    (void)state;
    FILE *file = fopen("data/banks_pk.csv", "r");
    if (file == NULL) {
        fail_msg("run from the root of the repository");
        return;
    }
    char line[256];
    char before[BANK_CODE_SIZE] = "";
    int n = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || strncmp(line, "code,", 5) == 0)
            continue;
        struct slice code;
        struct slice bic;
        struct slice rest;
        assert_true(slice_cut(slice_str(line), ',', &code, &rest));
        assert_true(slice_cut(rest, ',', &bic, &rest));
        assert_int_equal(bank_code_check(code), REASON_NONE);
        assert_true(bic.len == 0 || bank_bic_check(bic) == REASON_NONE);
        assert_true(slice_compare(slice_str(before), code) < 0);
        assert_ok(slice_copy(code, before, sizeof before));
        n++;
    }
    assert_true(n > 40);
    (void)fclose(file);
}

static void purposes_and_channels(void **state)
{
    (void)state;
    enum channel channel = CHANNEL_UNSPECIFIED;
    assert_int_equal(purpose_code_check(SLICE("9186")), REASON_NONE);
    assert_int_equal(purpose_code_check(SLICE("")), REASON_FIELD_REQUIRED);
    assert_int_equal(purpose_code_check(SLICE("918")), REASON_PURPOSE_CODE_UNKNOWN);
    assert_int_equal(purpose_code_check(SLICE("91866")), REASON_PURPOSE_CODE_UNKNOWN);
    assert_int_equal(purpose_code_check(SLICE("918a")), REASON_PURPOSE_CODE_UNKNOWN);
    assert_int_equal(channel_from_number(1, &channel), REASON_NONE);
    assert_string_equal(channel_name(channel), "EXPORT_OF_SERVICES");
    assert_int_equal(channel_from_number(2, &channel), REASON_NONE);
    assert_string_equal(channel_name(channel), "HOME_REMITTANCE");
    assert_int_equal(channel_from_number(0, &channel), REASON_CHANNEL_UNKNOWN);
    assert_int_equal(channel_from_number(3, &channel), REASON_CHANNEL_UNKNOWN);
    assert_int_equal(channel_from_number(-1, &channel), REASON_CHANNEL_UNKNOWN);
}

static void reason_codes_of_banks_are_known_by_set(void **state)
{
    (void)state;
    assert_int_equal(iso20022_reason_check_reject(SLICE("AC04")), REASON_NONE);
    assert_int_equal(iso20022_reason_check_return(SLICE("AC04")), REASON_NONE);
    assert_int_equal(iso20022_reason_check_reject(SLICE("AB05")), REASON_NONE);
    assert_int_equal(iso20022_reason_check_return(SLICE("AB05")), REASON_REASON_CODE_UNKNOWN);
    assert_int_equal(iso20022_reason_check_return(SLICE("UPAY")), REASON_NONE);
    assert_int_equal(iso20022_reason_check_reject(SLICE("")), REASON_FIELD_REQUIRED);
    assert_int_equal(iso20022_reason_check_reject(SLICE("ac04")), REASON_REASON_CODE_UNKNOWN);
    assert_int_equal(iso20022_reason_check_reject(SLICE("AC0")), REASON_REASON_CODE_UNKNOWN);
    assert_int_equal(iso20022_reason_check_reject(SLICE("ZZ99")), REASON_REASON_CODE_UNKNOWN);
    assert_int_equal(iso20022_reason_check_syntax(SLICE("ZZ99")), REASON_NONE);
    assert_string_equal(iso20022_reason_find(SLICE("AC04"))->name, "ClosedAccountNumber");
    assert_true(iso20022_reason_find(SLICE("NOOR"))->refuses_cancel);
    assert_true(iso20022_reason_find(SLICE("DUPL"))->cancels);
    const struct iso20022_reason *row = NULL;
    for (unsigned i = 0; (row = iso20022_reason_at(i)) != NULL; i++) {
        assert_int_equal(iso20022_reason_check_syntax(slice_str(row->code)), REASON_NONE);
        assert_true(row->rejects || row->returns || row->cancels || row->refuses_cancel);
        assert_true(row->text[0] != '\0');
        assert_true(i == 0 || strcmp(iso20022_reason_at(i - 1)->code, row->code) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cnic_takes_both_ways_of_writing),
        cmocka_unit_test(mobile_numbers_become_e164),
        cmocka_unit_test(bank_codes_and_bics_are_told_apart),
        cmocka_unit_test(the_bank_list_we_ship_is_well_formed),
        cmocka_unit_test(purposes_and_channels),
        cmocka_unit_test(reason_codes_of_banks_are_known_by_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
