/*
 * claim_form.h: the form of the claim page, as it was typed and as it is meant. Pure.
 *
 * Kind to how people write: blanks and dashes in an IBAN or number, small letters, digits of Urdu keyboards. Which details are
 * good is said by beneficiary_details_check(), as of every other door.
 */
#ifndef UJRAT_REST_CLAIM_FORM_H
#define UJRAT_REST_CLAIM_FORM_H

#include "gateway/rpc/beneficiary_details.h"

enum claim_field {
    CLAIM_NAME,
    CLAIM_IBAN,
    CLAIM_MOBILE,
    CLAIM_BANK,
    CLAIM_CNIC,
    CLAIM_CHANNEL,
    CLAIM_PSEB,
    CLAIM_FIELDS,
};

/* "name": in the form, in the templates and in the files of words. */
extern const char *const claim_field_names[CLAIM_FIELDS];

struct claim_form {
    struct slice typed[CLAIM_FIELDS]; /* as it came; empty: it did not */
    struct wire_beneficiary_details details;
    reason_t fault[CLAIM_FIELDS]; /* REASON_NONE: nothing is wrong with it */
};

/* The body of a form, application/x-www-form-urlencoded, into the arena. False: no room. */
MUST_CHECK bool claim_form_read(struct arena *arena, struct slice body, struct claim_form *out);

/* Every field's fault, and, where there is none, *text as of beneficiary_details_check(). True: there is none. */
MUST_CHECK bool claim_form_check(struct claim_form *form, struct beneficiary_text *text);

#endif
