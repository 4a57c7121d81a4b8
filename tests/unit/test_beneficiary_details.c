#include "gateway/rpc/beneficiary_details.h"

#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t key[PII_KEY_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};

static struct wire_beneficiary_details whole(void)
{
    return (struct wire_beneficiary_details){
        .present = true,
        .display_name = SLICE("Ayesha Khan"),
        .iban = SLICE("PK36SCBL0000001123456702"),
        .cnic = SLICE("35202-1234567-1"),
        .channel = 1,
    };
}

static void refused(struct wire_beneficiary_details d, reason_t reason, const char *field)
{
    struct beneficiary_text text;
    struct refusal no = beneficiary_details_check(&d, &text);
    assert_int_equal(no.reason, reason);
    assert_string_equal(no.field, field);
}

static void good_details_are_normalised(void **state)
{
    (void)state;
    struct wire_beneficiary_details d = whole();
    struct beneficiary_text text;
    assert_int_equal(beneficiary_details_check(&d, &text).reason, REASON_NONE);
    assert_slice(text.value[PII_CNIC], "3520212345671");
    assert_slice(text.draft.purpose_code, "9186");
    assert_int_equal(text.value[PII_MOBILE].len, 0);
    d.iban = SLICE("");
    d.mobile_alias = SLICE("03001234567");
    d.bank_code = SLICE("MUCB");
    d.channel = 2;
    assert_int_equal(beneficiary_details_check(&d, &text).reason, REASON_NONE);
    assert_slice(text.value[PII_MOBILE], "+923001234567");
    assert_slice(text.draft.purpose_code, "9471");
}

static void the_first_fault_is_named(void **state)
{
    (void)state;
    struct wire_beneficiary_details d = whole();
    d.display_name = SLICE("");
    refused(d, REASON_NAME_EMPTY, "display_name");
    d = whole();
    d.iban = SLICE("");
    refused(d, REASON_FIELD_REQUIRED, "iban");
    d.mobile_alias = SLICE("03001234567");
    refused(d, REASON_FIELD_REQUIRED, "bank_code");
    d = whole();
    d.bank_code = SLICE("MUCB");
    refused(d, REASON_FIELD_CONFLICT, "bank_code");
    d = whole();
    d.cnic = SLICE("1");
    refused(d, REASON_CNIC_LENGTH, "cnic");
    d = whole();
    d.channel = 3;
    refused(d, REASON_CHANNEL_UNKNOWN, "channel");
    d = whole();
    d.iban = SLICE("PK36SCBL000000112345670\0");
    refused(d, REASON_IBAN_SHAPE, "iban");
}

static void take(struct fingerprinter *f, struct wire_beneficiary_details d, int16_t bank_id,
                 uint8_t out[FINGERPRINT_SIZE])
{
    struct beneficiary_text text;
    assert_int_equal(beneficiary_details_check(&d, &text).reason, REASON_NONE);
    text.draft.bank_id = bank_id;
    beneficiary_fingerprint(f, &text);
    memcpy(out, text.fingerprint, FINGERPRINT_SIZE);
}

static void the_same_person_has_the_same_fingerprint_and_no_other(void **state)
{
    (void)state;
    struct fingerprinter *f;
    uint8_t a[FINGERPRINT_SIZE], b[FINGERPRINT_SIZE];
    struct wire_beneficiary_details d = whole();
    assert_ok(fingerprinter_new(key, &f));
    take(f, d, 1, a);
    d.cnic = SLICE("3520212345671"); /* written otherwise */
    d.purpose_code = SLICE("9186");
    take(f, d, 1, b);
    assert_memory_equal(a, b, FINGERPRINT_SIZE);
    take(f, d, 2, b);
    assert_memory_not_equal(a, b, FINGERPRINT_SIZE);
    /* What one field loses and the next gains makes another person. */
    d.display_name = SLICE("Ayesha Kha");
    d.pseb_registration = SLICE("n");
    take(f, d, 1, b);
    assert_memory_not_equal(a, b, FINGERPRINT_SIZE);
    fingerprinter_free(&f);
}

static void fields_do_not_run_into_each_other(void **state)
{
    (void)state;
    struct fingerprinter *f;
    uint8_t a[FINGERPRINT_SIZE], b[FINGERPRINT_SIZE];
    const struct slice one[] = {SLICE("ab"), SLICE("c")}, other[] = {SLICE("a"), SLICE("bc")};
    assert_ok(fingerprinter_new(key, &f));
    fingerprint_of(f, "x", one, 2, a);
    fingerprint_of(f, "x", other, 2, b);
    assert_memory_not_equal(a, b, FINGERPRINT_SIZE);
    fingerprint_of(f, "y", one, 2, b);
    assert_memory_not_equal(a, b, FINGERPRINT_SIZE);
    struct fingerprinter *with_another_key;
    assert_ok(fingerprinter_new((const uint8_t[PII_KEY_SIZE]){9}, &with_another_key));
    fingerprint_of(with_another_key, "x", one, 2, b);
    assert_memory_not_equal(a, b, FINGERPRINT_SIZE);
    fingerprinter_free(&with_another_key);
    /* printf '\000\001x\000\002ab\000\001c' | sha256sum begins with b4474fb4ee1ca301976fc58590535bc2; and
     * printf 'b447…' | xxd -r -p | openssl dgst -sha256 -mac HMAC -macopt hexkey:0102030405060708 */
    static const uint8_t known[FINGERPRINT_SIZE] = {0x60, 0x4d, 0xf1, 0xf4, 0x5c, 0xa0, 0x5a, 0x2e,
                                                    0xf4, 0x31, 0x89, 0xa2, 0x48, 0x69, 0x1e, 0x82};
    assert_memory_equal(a, known, FINGERPRINT_SIZE);
    fingerprinter_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_details_are_normalised),
        cmocka_unit_test(the_first_fault_is_named),
        cmocka_unit_test(the_same_person_has_the_same_fingerprint_and_no_other),
        cmocka_unit_test(fields_do_not_run_into_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
