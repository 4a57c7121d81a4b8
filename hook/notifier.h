/*
 * notifier.h: makes the events of books that have endpoints, and delivers them. One process at a time does it, the one whose session
 * holds the lock; others stand by. It can be killed at any moment: what was not recorded as delivered is delivered again, and the
 * next event of an item is sent when the one before it was delivered or given up.
 */
#ifndef UJRAT_HOOK_NOTIFIER_H
#define UJRAT_HOOK_NOTIFIER_H

#include "base/buf.h"
#include "base/log.h"
#include "hook/sign.h"
#include "ledger/rows.h"

enum { HOOK_BODY_BYTES_MAX = 16384 };

struct notifier_config {
    const char *uri;
    const char *keys_folder;
    const char *base_url; /* "https://pay.example:8443": before the paths of links */
    const char *ca_file;  /* NULL: the system's */
    bool private_targets;
    int64_t interval_ms;    /* how often it looks for news */
    int64_t timeout_ms;     /* of one answer of the database */
    int64_t retry_first_ms; /* backoff.h */
    int64_t concurrency;    /* deliveries at a time, of all endpoints */
    struct log *log;
    int stop_fd; /* becomes readable when it is to end */
    /* Writes the text of an event: a row of hook_due.sql. */
    err_t (*write_event)(const struct rows *rows, int row, const char *base_url, struct buf *out);
};

struct notifier;

/* The strings of config, and its log, must live as long. Reads the keys; connects with the first step. */
MUST_CHECK err_t notifier_new(const struct notifier_config *config, struct notifier **out);
void notifier_free(struct notifier **notifier);

/* Does what there is to do now. Returns how long to wait (ms). */
int64_t notifier_step(struct notifier *notifier);
/* Goes on with what is under way, until something has ended, stop_fd can be read (true), or so long. */
bool notifier_wait(struct notifier *notifier, int64_t wait_ms);
/* Lets what is under way end, for so long, and records it. */
void notifier_finish(struct notifier *notifier, int64_t patience_ms);

#endif
