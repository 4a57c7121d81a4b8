#include "gateway/net/timers.h"

#include <event2/event.h>
#include <string.h>
#include <time.h>

int64_t net_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void list_init(struct net_timer *head)
{
    head->prev = head;
    head->next = head;
}

static void list_remove(struct net_timer *timer)
{
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->prev = NULL;
    timer->next = NULL;
}

static void list_append(struct net_timer *head, struct net_timer *timer)
{
    timer->prev = head->prev;
    timer->next = head;
    head->prev->next = timer;
    head->prev = timer;
}

static void run_slot(struct timers *timers, struct net_timer *head, int64_t tick)
{
    /* A timer that fires may disarm any other, so the ones due wait in a list they can leave. */
    struct net_timer due;
    list_init(&due);
    for (struct net_timer *timer = head->next, *next; timer != head; timer = next) {
        next = timer->next;
        if (timer->due_ms / timers->tick_ms < tick) {
            list_remove(timer);
            list_append(&due, timer);
        }
    }
    while (due.next != &due) {
        struct net_timer *timer = due.next;
        list_remove(timer);
        timers->armed--;
        timer->fire(timer);
    }
}

static void start_ticking(struct timers *timers)
{
    struct timeval interval = {.tv_sec = timers->tick_ms / 1000,
                               .tv_usec = (suseconds_t)(timers->tick_ms % 1000) * 1000};
    event_add(&timers->tick_event, &interval);
    timers->ticking = true;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct timers *timers = arg;
    int64_t now_tick = net_now_ms() / timers->tick_ms;
    /* After a long sleep once round is enough: every slot is looked at. */
    if (now_tick - timers->last_tick > TIMERS_SLOTS)
        timers->last_tick = now_tick - TIMERS_SLOTS;
    while (timers->last_tick < now_tick) {
        timers->last_tick++;
        /* What is due in tick t fires when t is over: never early. */
        run_slot(timers, &timers->slots[(timers->last_tick - 1) % TIMERS_SLOTS], timers->last_tick);
    }
    if (timers->armed > 0)
        start_ticking(timers);
    else
        timers->ticking = false;
}

void timers_init(struct timers *timers, struct event_base *base, uint32_t tick_ms)
{
    memset(timers, 0, sizeof *timers);
    timers->base = base;
    timers->tick_ms = tick_ms;
    for (int i = 0; i < TIMERS_SLOTS; i++)
        list_init(&timers->slots[i]);
    event_assign(&timers->tick_event, base, -1, 0, on_tick, timers);
}

void timers_deinit(struct timers *timers)
{
    if (timers->base != NULL)
        event_del(&timers->tick_event);
    timers->base = NULL;
}

void timers_arm(struct timers *timers, struct net_timer *timer, int64_t due_ms)
{
    timers_disarm(timers, timer);
    if (!timers->ticking) {
        timers->last_tick = net_now_ms() / timers->tick_ms;
        start_ticking(timers);
    }
    /* What is overdue goes into the tick that ends next. */
    if (due_ms / timers->tick_ms < timers->last_tick)
        due_ms = timers->last_tick * timers->tick_ms;
    timer->due_ms = due_ms;
    list_append(&timers->slots[(due_ms / timers->tick_ms) % TIMERS_SLOTS], timer);
    timers->armed++;
}

void timers_disarm(struct timers *timers, struct net_timer *timer)
{
    if (timer->next == NULL)
        return;
    list_remove(timer);
    timers->armed--;
}
