/* claim_limit.h: how often a claim link may be opened, and its form sent, in one worker: bounds of a fixed table. Pure. */
#ifndef UJRAT_REST_CLAIM_LIMIT_H
#define UJRAT_REST_CLAIM_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
    CLAIM_LIMIT_SLOTS = 4096, /* links that meet in one share their bounds */
    CLAIM_LIMIT_WINDOW_S = 600,
    CLAIM_LIMIT_OPENED_MAX = 120,
    CLAIM_LIMIT_SENT_MAX = 20,
};

struct claim_limits {
    struct {
        uint32_t window;
        uint16_t opened, sent;
    } slot[CLAIM_LIMIT_SLOTS];
};

/* One more, of the link whose MAC begins with these two bytes. False: it is too much. */
MUST_CHECK bool claim_limit_take(struct claim_limits *limits, const uint8_t mac[2], bool sent,
                                 int64_t now_s);

#endif
