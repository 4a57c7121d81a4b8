/*
 * iso20022_reason.h: why a bank rejects or returns a payment, why one is recalled, and why a recall is refused: the
 * ISO 20022 external code sets ExternalStatusReason1Code, ExternalReturnReason1Code, ExternalCancellationReason1Code
 * and ExternalPaymentCancellationRejection1Code, one table for all four. data/SOURCES.md.
 */
#ifndef UJRAT_DOMAIN_ISO20022_REASON_H
#define UJRAT_DOMAIN_ISO20022_REASON_H

#include "base/str.h"
#include "domain/reason.h"

#include <stdbool.h>

#define ISO20022_REASON_SIZE 5

struct iso20022_reason {
    char code[ISO20022_REASON_SIZE];
    bool rejects;        /* in the status reason set: may come with a rejection (pacs.002) */
    bool returns;        /* in the return reason set: may come with a return (pacs.004) */
    bool cancels;        /* in the cancellation reason set: may come with a recall (camt.056) */
    bool refuses_cancel; /* in the cancellation rejection set: may come with its refusal (camt.029) */
    const char *name;    /* "ClosedAccountNumber"; empty where we do not know it */
    const char *text;    /* a short English sentence without its full stop */
};

/* Four upper-case letters and digits: FIELD_REQUIRED (empty), REASON_CODE_UNKNOWN. */
MUST_CHECK reason_t iso20022_reason_check_syntax(struct slice code);

/* NULL if it is not one we know. */
const struct iso20022_reason *iso20022_reason_find(struct slice code);

/* Syntax, known, and in the right set: FIELD_REQUIRED, REASON_CODE_UNKNOWN. */
MUST_CHECK reason_t iso20022_reason_check_reject(struct slice code);
MUST_CHECK reason_t iso20022_reason_check_return(struct slice code);

/* The i-th, by code; NULL past the end. */
const struct iso20022_reason *iso20022_reason_at(unsigned i);

#endif
