/*
 * codes.h: what the status and reason codes of ISO 20022 messages say, for those who read them.
 *
 * Reasons (status, return, cancellation, cancellation rejection) are domain/iso20022_reason.h; here is what a status
 * means for a payment, and a way to show any code. A code that is in none of the sets is kept and shown as it came,
 * with known = false: it is never taken for another one.
 */
#ifndef UJRAT_ISO20022_CODES_H
#define UJRAT_ISO20022_CODES_H

#include "iso20022/message.h"

#include <stdbool.h>

/* What became of a payment, as TxSts of pacs.002 says. Only SETTLED and REJECTED move money on our side. */
enum iso_outcome {
    ISO_OUTCOME_UNKNOWN =
        0, /* not a code we know, or one that does not say: ask, or let a person look */
    ISO_OUTCOME_PENDING,  /* the bank has it and has not finished */
    ISO_OUTCOME_SETTLED,  /* ACSC, ACCC */
    ISO_OUTCOME_REJECTED, /* RJCT: will never be paid */
};

struct iso_status_code {
    char code[5];
    enum iso_outcome outcome;
    const char *text;
};

/* ExternalPaymentTransactionStatus1Code; NULL: not in it. BLCK ("previously ACWP, funds neither posted to the
 * creditor's account nor returned") is UNKNOWN: the money stands still and only the bank can say where it will go.
 * CANC (cancelled at the initiator's request, who also got a camt.029) and those that are about other things
 * (cheques, cash, requests to pay, names) are UNKNOWN too. */
const struct iso_status_code *iso_status_find(struct slice code);
const struct iso_status_code *iso_status_at(unsigned i); /* NULL past the end */

enum iso_outcome iso_status_outcome(struct slice code);

/* TxCxlSts of camt.029, the answer to a recall. */
enum iso_recall_answer {
    ISO_RECALL_UNKNOWN = 0,
    ISO_RECALL_PENDING,  /* PDCR */
    ISO_RECALL_ACCEPTED, /* ACCR: the money comes back by a pacs.004; it is not here yet */
    ISO_RECALL_REJECTED, /* RJCR: the payment stands */
};
enum iso_recall_answer iso_recall_answer(struct slice code);

/* Which external code set a reason is of follows from the message it came in. */
struct iso_code {
    char text[36];       /* as it came: a code, or the bank's own words */
    bool proprietary;    /* the bank's own (Prtry): in no set at all */
    bool known;          /* in the set that goes with this message */
    const char *meaning; /* a sentence; empty if not known */
};

/* The first of several counts; all of them stay in the message. *out is empty (text "") if there is none. */
void iso_reason_explain(enum iso_kind kind, const struct iso_reasons *reasons,
                        struct iso_code *out);

#endif
