#include "domain/payout_state.h"

struct transition {
    enum payout_state from;
    enum payout_event event;
    enum payout_state to;
};

static const struct transition transitions[] = {
    {PAYOUT_STATE_NONE, PAYOUT_EVENT_ACCEPT, PAYOUT_STATE_ACCEPTED},
    {PAYOUT_STATE_NONE, PAYOUT_EVENT_PARK, PAYOUT_STATE_UNCLAIMED},
    {PAYOUT_STATE_ACCEPTED, PAYOUT_EVENT_HOLD, PAYOUT_STATE_HELD},
    {PAYOUT_STATE_ACCEPTED, PAYOUT_EVENT_INSTRUCT, PAYOUT_STATE_INSTRUCTED},
    {PAYOUT_STATE_ACCEPTED, PAYOUT_EVENT_CANCEL, PAYOUT_STATE_CANCELLED},
    {PAYOUT_STATE_HELD, PAYOUT_EVENT_RELEASE, PAYOUT_STATE_ACCEPTED},
    {PAYOUT_STATE_HELD, PAYOUT_EVENT_REFUSE, PAYOUT_STATE_REFUSED},
    {PAYOUT_STATE_INSTRUCTED, PAYOUT_EVENT_SETTLE, PAYOUT_STATE_SETTLED},
    {PAYOUT_STATE_INSTRUCTED, PAYOUT_EVENT_REJECT, PAYOUT_STATE_REJECTED},
    {PAYOUT_STATE_SETTLED, PAYOUT_EVENT_RETURN, PAYOUT_STATE_RETURNED},
    {PAYOUT_STATE_SETTLED, PAYOUT_EVENT_RETURN_PART, PAYOUT_STATE_PARTLY_RETURNED},
    {PAYOUT_STATE_RETURNED, PAYOUT_EVENT_REVERSE_RETURN, PAYOUT_STATE_SETTLED},
    {PAYOUT_STATE_RETURNED, PAYOUT_EVENT_REVERSE_LAST_RETURN, PAYOUT_STATE_PARTLY_RETURNED},
    {PAYOUT_STATE_PARTLY_RETURNED, PAYOUT_EVENT_RETURN, PAYOUT_STATE_RETURNED},
    {PAYOUT_STATE_PARTLY_RETURNED, PAYOUT_EVENT_RETURN_PART, PAYOUT_STATE_PARTLY_RETURNED},
    {PAYOUT_STATE_PARTLY_RETURNED, PAYOUT_EVENT_REVERSE_RETURN, PAYOUT_STATE_SETTLED},
    {PAYOUT_STATE_PARTLY_RETURNED, PAYOUT_EVENT_REVERSE_LAST_RETURN, PAYOUT_STATE_PARTLY_RETURNED},
    {PAYOUT_STATE_UNCLAIMED, PAYOUT_EVENT_CLAIM, PAYOUT_STATE_ACCEPTED},
    {PAYOUT_STATE_UNCLAIMED, PAYOUT_EVENT_EXPIRE, PAYOUT_STATE_RETURNED},
};
#define TRANSITION_COUNT (sizeof transitions / sizeof transitions[0])

reason_t payout_state_next(enum payout_state state, enum payout_event event, enum payout_state *out)
{
    for (size_t i = 0; i < TRANSITION_COUNT; i++) {
        if (transitions[i].from == state && transitions[i].event == event) {
            *out = transitions[i].to;
            return REASON_NONE;
        }
    }
    return REASON_STATE_CONFLICT;
}

bool payout_state_is_final(enum payout_state state)
{
    for (size_t i = 0; i < TRANSITION_COUNT; i++)
        if (transitions[i].from == state)
            return false;
    return true;
}

bool payout_state_is_reversed(enum payout_state state)
{
    switch (state) {
    case PAYOUT_STATE_REJECTED:
    case PAYOUT_STATE_RETURNED:
    case PAYOUT_STATE_CANCELLED:
    case PAYOUT_STATE_REFUSED:
        return true;
    case PAYOUT_STATE_NONE:
    case PAYOUT_STATE_ACCEPTED:
    case PAYOUT_STATE_HELD:
    case PAYOUT_STATE_INSTRUCTED:
    case PAYOUT_STATE_SETTLED:
    case PAYOUT_STATE_UNCLAIMED:
    case PAYOUT_STATE_PARTLY_RETURNED:
        return false;
    }
    return false;
}

const char *payout_state_name(enum payout_state state)
{
    static const char *const names[PAYOUT_STATE_COUNT] = {
        "NONE",     "ACCEPTED",  "HELD",      "INSTRUCTED", "SETTLED",         "REJECTED",
        "RETURNED", "CANCELLED", "UNCLAIMED", "REFUSED",    "PARTLY_RETURNED",
    };
    return (unsigned)state < PAYOUT_STATE_COUNT ? names[state] : "NONE";
}

bool payout_state_from_number(int32_t number, enum payout_state *out)
{
    if (number < 0 || number >= PAYOUT_STATE_COUNT)
        return false;
    *out = (enum payout_state)number;
    return true;
}
