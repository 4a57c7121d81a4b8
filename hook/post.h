/*
 * post.h: many POSTs at a time over HTTPS, by libcurl's multi interface. Each says once how it ended.
 *
 * No redirect is followed, no proxy used, nothing kept of what comes back but status and Retry-After. The connection is to a
 * public address, whatever the name says (address.h), unless private targets are allowed; the certificate is verified.
 */
#ifndef UJRAT_HOOK_POST_H
#define UJRAT_HOOK_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    HOOK_CONNECT_TIMEOUT_MS = 5000, /* name, TCP and TLS */
    HOOK_TOTAL_TIMEOUT_MS = 15000,
    HOOK_ANSWER_BYTES_MAX = 4096, /* of a body: what is more is not read */
    HOOK_HEADERS_MAX = 16,
    HOOK_ERROR_SIZE = 256,
};

struct hook_poster;

struct hook_post_config {
    const char *ca_file; /* NULL: the system's */
    bool private_targets;
    unsigned connections_max; /* kept open when nothing is sent */
};

struct hook_post {
    const char *url;
    struct slice body;                     /* copied */
    const char *headers[HOOK_HEADERS_MAX]; /* "Name: value", copied; ended by NULL */
    void *user;
};

struct hook_posted {
    void *user;
    long status;                 /* of HTTP; 0: there was no answer, see error */
    int64_t retry_after_s;       /* 0: nothing was said */
    char error[HOOK_ERROR_SIZE]; /* a sentence for people; empty if there was an answer */
};

MUST_CHECK err_t hook_poster_new(const struct hook_post_config *config, struct hook_poster **out);
/* What is under way ends without a word. */
void hook_poster_free(struct hook_poster **poster);

MUST_CHECK err_t hook_poster_add(struct hook_poster *poster, const struct hook_post *post);
/* Goes on, and waits until something happens, or `fd` can be read (true), or so long. */
bool hook_poster_wait(struct hook_poster *poster, int fd, int64_t wait_ms);
/* One that has ended. False: none has. */
bool hook_poster_next(struct hook_poster *poster, struct hook_posted *out);
/* Ends all that is under way; nothing is said of it. */
void hook_poster_drop(struct hook_poster *poster);

#endif
