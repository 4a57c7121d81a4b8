#include "gateway/rpc/beneficiary_details.h"

#include "domain/bank.h"
#include "domain/iban.h"
#include "domain/purpose.h"
#include "domain/text.h"

enum { PSEB_CHARS_MAX = 35 };

static struct refusal at(reason_t reason, const char *field)
{
    return (struct refusal){reason, reason == REASON_NONE ? NULL : field};
}

/* Either an IBAN, or a mobile alias with the bank that holds it. */
static struct refusal check_account(const struct wire_beneficiary_details *in,
                                    struct beneficiary_text *out)
{
    if (in->iban.len == 0 && in->mobile_alias.len == 0)
        return at(REASON_FIELD_REQUIRED, "iban");
    if (in->iban.len != 0 && in->mobile_alias.len != 0)
        return at(REASON_FIELD_CONFLICT, "mobile_alias");
    if (in->iban.len != 0) {
        reason_t reason = iban_check(in->iban);
        if (reason != REASON_NONE)
            return at(reason, "iban");
        char bank[IBAN_BANK_SIZE];
        if (in->bank_code.len != 0 &&
            !slice_equal_str(in->bank_code, iban_bank_code(in->iban, bank)))
            return at(REASON_FIELD_CONFLICT, "bank_code");
        out->value[PII_IBAN] = in->iban;
        return at(REASON_NONE, NULL);
    }
    reason_t reason = mobile_normalise(in->mobile_alias, out->mobile);
    if (reason != REASON_NONE)
        return at(reason, "mobile_alias");
    out->value[PII_MOBILE] = slice_str(out->mobile);
    return at(bank_code_check(in->bank_code), "bank_code");
}

struct refusal beneficiary_details_check(const struct wire_beneficiary_details *in,
                                         struct beneficiary_text *out)
{
    *out = (struct beneficiary_text){0};
    struct beneficiary_draft *draft = &out->draft;
    enum channel channel;
    reason_t reason = text_check_name(in->display_name);
    if (reason != REASON_NONE)
        return at(reason, "display_name");
    struct refusal no = check_account(in, out);
    if (no.reason != REASON_NONE)
        return no;
    if ((reason = cnic_normalise(in->cnic, out->cnic)) != REASON_NONE)
        return at(reason, "cnic");
    if ((reason = text_check(in->pseb_registration, PSEB_CHARS_MAX)) != REASON_NONE)
        return at(reason, "pseb_registration");
    if ((reason = channel_from_number(in->channel, &channel)) != REASON_NONE)
        return at(reason, "channel");
    draft->purpose_code = in->purpose_code;
    /* The channel's usual one: docs in payout.proto. */
    if (in->purpose_code.len == 0)
        draft->purpose_code = channel == CHANNEL_EXPORT_OF_SERVICES ? SLICE("9186") : SLICE("9471");
    if ((reason = purpose_code_check(draft->purpose_code)) != REASON_NONE)
        return at(reason, "purpose_code");
    out->value[PII_NAME] = in->display_name;
    out->value[PII_CNIC] = slice_str(out->cnic);
    out->value[PII_PSEB] = in->pseb_registration;
    draft->channel = (int16_t)channel;
    draft->fingerprint = slice_of(out->fingerprint, FINGERPRINT_SIZE);
    return at(REASON_NONE, NULL);
}

reason_t beneficiary_bank(const struct registry *registry,
                          const struct wire_beneficiary_details *in, struct beneficiary_text *out)
{
    char code[IBAN_BANK_SIZE];
    struct slice bank_code =
        in->iban.len == 0 ? in->bank_code : slice_str(iban_bank_code(in->iban, code));
    const struct registry_bank *bank = registry_bank_by_code(registry, bank_code);
    if (bank == NULL)
        return REASON_IBAN_BANK_UNKNOWN;
    out->draft.bank_id = bank->bank_id;
    return bank->connected ? REASON_NONE : REASON_BANK_NOT_CONNECTED;
}

reason_t beneficiary_purpose(const struct registry *registry, const struct beneficiary_text *text)
{
    const struct beneficiary_draft *d = &text->draft;
    return registry_purpose_in_force(registry, (enum channel)d->channel, d->purpose_code)
               ? REASON_NONE
               : REASON_PURPOSE_CODE_UNKNOWN;
}

void beneficiary_fingerprint(struct fingerprinter *f, struct beneficiary_text *out)
{
    const struct beneficiary_draft *d = &out->draft;
    const char bank[2] = {(char)(d->bank_id >> 8), (char)(d->bank_id & 0xff)};
    const char channel = (char)d->channel;
    const struct slice *v = out->value;
    const struct slice fields[] = {v[PII_NAME],           v[PII_IBAN],    v[PII_MOBILE],
                                   slice_of(bank, 2),     v[PII_CNIC],    v[PII_PSEB],
                                   slice_of(&channel, 1), d->purpose_code};
    fingerprint_of(f, "ujrat.beneficiary.v1", fields, sizeof(fields) / sizeof(fields[0]),
                   out->fingerprint);
}

reason_t beneficiary_seal(struct pii *pii, struct arena *arena, struct beneficiary_text *out)
{
    uint8_t *sealed = arena_alloc(arena, pii_sealed_size(out->value));
    if (sealed == NULL)
        return REASON_MESSAGE_TOO_LARGE;
    err_t err = pii_seal(pii, out->value, out->commitment, sealed, &out->draft.pii);
    return err_failed(err) ? REASON_INTERNAL : REASON_NONE;
}
