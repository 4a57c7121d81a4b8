/*
 * payout_state.h: the states of a payout and what leads from one to another.
 *
 *     (new) ──accept──▶ ACCEPTED ──instruct──▶ INSTRUCTED ──settle──▶ SETTLED ──return──▶ RETURNED
 *       │                │  │  ▲                    └──reject──▶ REJECTED
 *       │              hold │  release
 *       │                ▼  │  │
 *       │               HELD├──┘ ──refuse──▶ REFUSED
 *       │                   └──cancel──▶ CANCELLED
 *       └──park──▶ UNCLAIMED ──claim──▶ ACCEPTED
 *                      └──expire──▶ RETURNED
 *
 * A part that comes back leads from SETTLED to PARTLY_RETURNED; the last of them to RETURNED. A bank may take its last
 * return back: the payout is then what it was before it, SETTLED or PARTLY_RETURNED.
 *
 * REJECTED, RETURNED, CANCELLED and REFUSED give the platform its money back by reversal journals.
 * Numbers are those of the database and the wire. The schema's functions move payouts from state to state;
 * tests/pg/test_ledger_domain.c tries every event of theirs in every state against this table. HELD is a row of its own beside the
 * payout (docs/holds.md). What is UNCLAIMED is no payout until it is claimed: it is a row of its own (the table unclaimed), and an
 * item of a batch alone is said to be in that state.
 */
#ifndef UJRAT_DOMAIN_PAYOUT_STATE_H
#define UJRAT_DOMAIN_PAYOUT_STATE_H

#include "domain/reason.h"

#include <stdbool.h>
#include <stdint.h>

enum payout_state {
    PAYOUT_STATE_NONE = 0, /* not there yet */
    PAYOUT_STATE_ACCEPTED = 1,
    PAYOUT_STATE_HELD = 2,
    PAYOUT_STATE_INSTRUCTED = 3,
    PAYOUT_STATE_SETTLED = 4,
    PAYOUT_STATE_REJECTED = 5,
    PAYOUT_STATE_RETURNED = 6,
    PAYOUT_STATE_CANCELLED = 7,
    PAYOUT_STATE_UNCLAIMED = 8,
    PAYOUT_STATE_REFUSED = 9,
    PAYOUT_STATE_PARTLY_RETURNED = 10,
};
#define PAYOUT_STATE_COUNT 11

enum payout_event {
    PAYOUT_EVENT_ACCEPT = 1, /* posted, beneficiary known */
    PAYOUT_EVENT_PARK = 2,   /* posted, no beneficiary known yet */
    PAYOUT_EVENT_HOLD = 3,   /* to be looked at by a person */
    PAYOUT_EVENT_RELEASE = 4,
    PAYOUT_EVENT_REFUSE = 5,   /* looked at, and refused */
    PAYOUT_EVENT_INSTRUCT = 6, /* the bank is being told */
    PAYOUT_EVENT_SETTLE = 7,   /* the bank has paid */
    PAYOUT_EVENT_REJECT = 8,   /* the bank has not paid, and will not */
    PAYOUT_EVENT_RETURN = 9,   /* paid, and come back: all that had not yet */
    PAYOUT_EVENT_CANCEL = 10,  /* taken back by the platform in time */
    PAYOUT_EVENT_CLAIM = 11,   /* the beneficiary is known now */
    PAYOUT_EVENT_EXPIRE = 12,  /* nobody claimed it */
    PAYOUT_EVENT_RETURN_PART = 13,
    PAYOUT_EVENT_REVERSE_RETURN = 14,      /* its only return that stands is taken back */
    PAYOUT_EVENT_REVERSE_LAST_RETURN = 15, /* the last is, and others stand */
};
#define PAYOUT_EVENT_COUNT 16

/* STATE_CONFLICT if the event is not possible in that state; *out is then untouched. */
MUST_CHECK reason_t payout_state_next(enum payout_state state, enum payout_event event,
                                      enum payout_state *out);

/* No event leads on from it. */
bool payout_state_is_final(enum payout_state state);

/* The platform's money was given back, all of it. */
bool payout_state_is_reversed(enum payout_state state);

/* "ACCEPTED": never NULL; "NONE" for PAYOUT_STATE_NONE. */
const char *payout_state_name(enum payout_state state);

/* For numbers from the database or the wire. False if there is no such state. NONE is one. */
MUST_CHECK bool payout_state_from_number(int32_t number, enum payout_state *out);

#endif
