#include "gateway/rest/claim_limit.h"

bool claim_limit_take(struct claim_limits *limits, const uint8_t mac[2], bool sent, int64_t now_s)
{
    const unsigned at = ((unsigned)mac[0] << 8 | mac[1]) % CLAIM_LIMIT_SLOTS;
    const uint32_t window = (uint32_t)(now_s / CLAIM_LIMIT_WINDOW_S);
    if (limits->slot[at].window != window) {
        limits->slot[at].window = window;
        limits->slot[at].opened = limits->slot[at].sent = 0;
    }
    uint16_t *count = sent ? &limits->slot[at].sent : &limits->slot[at].opened;
    if (*count >= (sent ? CLAIM_LIMIT_SENT_MAX : CLAIM_LIMIT_OPENED_MAX))
        return false;
    (*count)++;
    return true;
}
