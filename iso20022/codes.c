#include "iso20022/codes.h"

#include "domain/iso20022_reason.h"

#include <string.h>

/* clang-format off */
static const struct iso_status_code statuses[] = {
    {"ACCC", ISO_OUTCOME_SETTLED,  "Settled on the creditor's account"},
    {"ACCP", ISO_OUTCOME_PENDING,  "Technical checks and customer profile were good"},
    {"ACFC", ISO_OUTCOME_PENDING,  "Technical checks, customer profile and funds were good"},
    {"ACFW", ISO_OUTCOME_PENDING,  "Checks and funds were good; the initiating party has yet to confirm"},
    {"ACIS", ISO_OUTCOME_UNKNOWN,  "A cheque has been issued and not yet been deposited or cleared"},
    {"ACPD", ISO_OUTCOME_PENDING,  "Released by the debtor agent and accepted by the clearing"},
    {"ACSC", ISO_OUTCOME_SETTLED,  "Settlement completed"},
    {"ACSP", ISO_OUTCOME_PENDING,  "Accepted for execution"},
    {"ACTC", ISO_OUTCOME_PENDING,  "Authentication, syntax and semantics were good"},
    {"ACWC", ISO_OUTCOME_PENDING,  "Accepted with a change, such as the date"},
    {"ACWP", ISO_OUTCOME_PENDING,  "Accepted without being posted to the creditor's account"},
    {"BLCK", ISO_OUTCOME_UNKNOWN,  "Blocked: neither posted to the creditor's account nor returned"},
    {"CANC", ISO_OUTCOME_UNKNOWN,  "Cancelled after a request for cancellation"},
    {"CPUC", ISO_OUTCOME_UNKNOWN,  "Cash has been picked up by the creditor"},
    {"PATC", ISO_OUTCOME_PENDING,  "Not yet authenticated by all who must"},
    {"PDNG", ISO_OUTCOME_PENDING,  "Pending; further checks will be made"},
    {"PRES", ISO_OUTCOME_UNKNOWN,  "A request to pay has been presented to the debtor"},
    {"RCVC", ISO_OUTCOME_UNKNOWN,  "Verification of payee: complete, all match"},
    {"RCVD", ISO_OUTCOME_PENDING,  "Received"},
    {"RJCT", ISO_OUTCOME_REJECTED, "Rejected"},
    {"RVCM", ISO_OUTCOME_UNKNOWN,  "Verification of payee: complete, some do not match"},
    {"RVMC", ISO_OUTCOME_UNKNOWN,  "Verification of payee: close match"},
    {"RVNA", ISO_OUTCOME_UNKNOWN,  "Verification of payee: not applicable"},
    {"RVNC", ISO_OUTCOME_UNKNOWN,  "Verification of party is not yet completed"},
    {"RVNM", ISO_OUTCOME_UNKNOWN,  "Verification of payee: no match"},
};
/* clang-format on */
#define STATUS_COUNT (sizeof statuses / sizeof statuses[0])

const struct iso_status_code *iso_status_at(unsigned i)
{
    return i < STATUS_COUNT ? &statuses[i] : NULL;
}

const struct iso_status_code *iso_status_find(struct slice code)
{
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (slice_equal_str(code, statuses[i].code))
            return &statuses[i];
    return NULL;
}

enum iso_outcome iso_status_outcome(struct slice code)
{
    const struct iso_status_code *status = iso_status_find(code);
    return status == NULL ? ISO_OUTCOME_UNKNOWN : status->outcome;
}

enum iso_recall_answer iso_recall_answer(struct slice code)
{
    if (slice_equal_str(code, "ACCR"))
        return ISO_RECALL_ACCEPTED;
    if (slice_equal_str(code, "RJCR"))
        return ISO_RECALL_REJECTED;
    return slice_equal_str(code, "PDCR") ? ISO_RECALL_PENDING : ISO_RECALL_UNKNOWN;
}

static bool in_set_of(enum iso_kind kind, const struct iso20022_reason *r)
{
    if (kind == ISO_PACS_004 || kind == ISO_CAMT_053 || kind == ISO_CAMT_054)
        return r->returns;
    if (kind == ISO_CAMT_056)
        return r->cancels;
    return kind == ISO_CAMT_029 ? r->refuses_cancel : r->rejects;
}

void iso_reason_explain(enum iso_kind kind, const struct iso_reasons *reasons, struct iso_code *out)
{
    *out = (struct iso_code){.meaning = ""};
    for (size_t i = 0; i < reasons->n && out->text[0] == '\0'; i++) {
        const struct iso_reason *r = &reasons->at[i];
        struct slice said = r->code.len > 0 ? r->code : r->proprietary;
        size_t len = said.len < sizeof out->text ? said.len : sizeof out->text - 1;
        if (said.len == 0)
            continue;
        while (len > 0 && len < said.len && ((unsigned char)said.p[len] & 0xC0U) == 0x80U)
            len--; /* not within a character */
        memcpy(out->text, said.p, len);
        out->proprietary = r->code.len == 0;
        const struct iso20022_reason *known =
            out->proprietary ? NULL : iso20022_reason_find(r->code);
        out->known = known != NULL && in_set_of(kind, known);
        if (out->known)
            out->meaning = known->text;
    }
}
