/*
 * A hashed timing wheel: arming and disarming cost a few pointer writes, which is what a deadline
 * on every call needs. Late by up to one tick, never early. It wakes the loop only while armed.
 */
#ifndef UJRAT_NET_TIMERS_H
#define UJRAT_NET_TIMERS_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

struct event_base;

#define TIMERS_SLOTS 512

struct net_timer {
    struct net_timer *prev, *next; /* NULL when not armed */
    int64_t due_ms;
    void (*fire)(struct net_timer *timer); /* disarmed before it is called; may arm it again */
};

struct timers {
    struct event tick_event;
    struct event_base *base;
    uint32_t tick_ms;
    bool ticking;
    int64_t last_tick;
    uint64_t armed;
    struct net_timer slots[TIMERS_SLOTS]; /* list heads */
};

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t net_now_ms(void);

void timers_init(struct timers *timers, struct event_base *base, uint32_t tick_ms);
void timers_deinit(struct timers *timers);

/* Arms or re-arms. `fire` must be set. */
void timers_arm(struct timers *timers, struct net_timer *timer, int64_t due_ms);
/* Harmless when not armed. */
void timers_disarm(struct timers *timers, struct net_timer *timer);

static inline bool net_timer_is_armed(const struct net_timer *timer)
{
    return timer->next != NULL;
}

#endif
