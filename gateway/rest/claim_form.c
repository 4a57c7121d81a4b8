#include "gateway/rest/claim_form.h"

#include <string.h>

#include "domain/purpose.h"
#include "gateway/rest/target.h"

const char *const claim_field_names[CLAIM_FIELDS] = {"name", "iban",    "mobile", "bank",
                                                     "cnic", "channel", "pseb"};

enum { CODE_BYTES_MAX = 64 }; /* of an IBAN or a number; what is longer is none */

/* ASCII digits and capitals without the ornaments that people put between them. What is longer than any such code
 * stays as it is, and is refused as that. */
static bool take_code(struct arena *arena, struct slice text, struct slice *out)
{
    char *bare = arena_alloc(arena, CODE_BYTES_MAX);
    size_t n = 0;
    if (bare == NULL)
        return false;
    *out = text;
    if (text.len > CODE_BYTES_MAX || utf8_check(text, NULL) != UTF8_OK)
        return true;
    for (struct slice left = text; left.len > 0;) {
        const struct slice at = left;
        const uint32_t c = utf8_next(&left);
        if (c == ' ' || c == '-' || c == 0xA0 || c == 0x200E || c == 0x200F || c == 0x2011)
            continue;
        if (c >= 0x6F0 && c <= 0x6F9) { /* extended Arabic-Indic digits */
            bare[n++] = (char)('0' + (c - 0x6F0));
        } else if (c >= 0x660 && c <= 0x669) { /* Arabic-Indic digits */
            bare[n++] = (char)('0' + (c - 0x660));
        } else if (c >= 'a' && c <= 'z') {
            bare[n++] = (char)(c - 'a' + 'A');
        } else {
            memcpy(bare + n, at.p, at.len - left.len);
            n += at.len - left.len;
        }
    }
    *out = slice_of(bare, n);
    return true;
}

bool claim_form_read(struct arena *arena, struct slice body, struct claim_form *out)
{
    *out = (struct claim_form){.details = {.present = true}};
    struct slice *typed = out->typed;
    for (unsigned i = 0; i < CLAIM_FIELDS; i++)
        if (target_param(arena, body, claim_field_names[i], &typed[i]))
            typed[i] = slice_trim(typed[i]);
        else
            typed[i] = SLICE("");
    struct wire_beneficiary_details *d = &out->details;
    d->display_name = typed[CLAIM_NAME];
    d->pseb_registration = typed[CLAIM_PSEB];
    d->channel = slice_equal_str(typed[CLAIM_CHANNEL], "export")       ? CHANNEL_EXPORT_OF_SERVICES
                 : slice_equal_str(typed[CLAIM_CHANNEL], "remittance") ? CHANNEL_HOME_REMITTANCE
                                                                       : CHANNEL_UNSPECIFIED;
    if (!take_code(arena, typed[CLAIM_IBAN], &d->iban) ||
        !take_code(arena, typed[CLAIM_MOBILE], &d->mobile_alias) ||
        !take_code(arena, typed[CLAIM_CNIC], &d->cnic))
        return false;
    if (d->mobile_alias.len > 0) /* a bank is chosen for a mobile number: an IBAN names its own */
        d->bank_code = typed[CLAIM_BANK];
    return true;
}

/* Notes the fault of a field, and puts something good in its place, so that the next check finds the next. False: of no field of
 * the form's. */
static bool note_fault(struct claim_form *form, struct wire_beneficiary_details *d,
                       struct refusal no)
{
    static const struct slice good_iban = SLICE("PK36SCBL0000001123456702");
    const struct {
        const char *field;
        enum claim_field at;
        struct slice *value;
        struct slice good;
    } fields[] = {
        {"display_name", CLAIM_NAME, &d->display_name, SLICE("A")},
        {"iban", CLAIM_IBAN, &d->iban, good_iban},
        {"mobile_alias", CLAIM_MOBILE, &d->mobile_alias,
         d->iban.len > 0 ? SLICE("") : SLICE("03000000000")},
        {"bank_code", CLAIM_BANK, &d->bank_code, d->iban.len > 0 ? SLICE("") : SLICE("SCBL")},
        {"cnic", CLAIM_CNIC, &d->cnic, SLICE("0000000000000")},
        {"pseb_registration", CLAIM_PSEB, &d->pseb_registration, SLICE("")},
    };
    if (no.field != NULL && strcmp(no.field, "channel") == 0) {
        form->fault[CLAIM_CHANNEL] = no.reason;
        d->channel = CHANNEL_EXPORT_OF_SERVICES;
        return true;
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (no.field == NULL || strcmp(no.field, fields[i].field) != 0)
            continue;
        form->fault[fields[i].at] = no.reason;
        if (fields[i].at == CLAIM_MOBILE && d->iban.len > 0)
            d->bank_code = SLICE(""); /* it came with the number */
        *fields[i].value = fields[i].good;
        return true;
    }
    return false;
}

bool claim_form_check(struct claim_form *form, struct beneficiary_text *text)
{
    struct wire_beneficiary_details d = form->details;
    bool good = true;
    memset(form->fault, 0, sizeof(form->fault));
    for (unsigned i = 0; i <= 2 * CLAIM_FIELDS; i++) {
        const struct refusal no = beneficiary_details_check(&d, text);
        if (no.reason == REASON_NONE)
            return good;
        good = false;
        if (!note_fault(form, &d, no))
            break;
    }
    form->fault[CLAIM_NAME] = REASON_INTERNAL; /* it must not be taken, whatever it is */
    return false;
}
