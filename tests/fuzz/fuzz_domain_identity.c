/* IBAN, CNIC, mobile numbers, references, reason codes: what is accepted has the promised form. */
#include "domain/bank.h"
#include "domain/cnic.h"
#include "domain/iban.h"
#include "domain/iso20022_reason.h"
#include "domain/mobile.h"
#include "domain/purpose.h"
#include "domain/text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_iban(struct slice s)
{
    char bank[IBAN_BANK_SIZE];
    char made[IBAN_SIZE];
    if (iban_check(s) != REASON_NONE)
        return;
    assert(s.len == IBAN_LEN && memcmp(s.p, "PK", 2) == 0);
    assert(bank_code_check(slice_str(iban_bank_code(s, bank))) == REASON_NONE);
    /* The check digits are those we would have computed. */
    assert(iban_make(slice_str(bank), slice_of(s.p + 8, 16), made) == REASON_NONE);
    assert(slice_equal_str(s, made));
}

static void run_numbers(struct slice s)
{
    char out[CNIC_SIZE];
    char again[CNIC_SIZE];
    if (cnic_normalise(s, out) == REASON_NONE) {
        assert(strlen(out) == 13 && strspn(out, "0123456789") == 13);
        assert(cnic_normalise(slice_str(out), again) == REASON_NONE);
        assert(strcmp(out, again) == 0);
    }
    if (mobile_normalise(s, out) == REASON_NONE) {
        assert(strlen(out) == 13 && memcmp(out, "+923", 4) == 0);
        assert(mobile_normalise(slice_str(out), again) == REASON_NONE && strcmp(out, again) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice s = slice_of(data, size);
    run_iban(s);
    run_numbers(s);
    if (text_check_reference(s) == REASON_NONE)
        assert(s.len <= TEXT_REFERENCE_BYTES_MAX && text_check_ascii(s, s.len) == REASON_NONE);
    if (iso20022_reason_find(s) != NULL)
        assert(iso20022_reason_check_syntax(s) == REASON_NONE);
    assert((bank_bic_check(s) == REASON_NONE) <= (s.len == 8 || s.len == 11));
    assert((purpose_code_check(s) == REASON_NONE) <= (s.len == 4));
    return 0;
}
