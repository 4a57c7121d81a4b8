/*
 * err.h: how a function says that the world did not do what it asked.
 *
 * err_t is for what can go wrong outside our control (system calls, input files, limits). A bug is an
 * assert. A refused payment is not an err_t but a reason_t (domain/reason.h).
 *
 * An err_t is passed by value and owns nothing: `what` is a string constant (or lives as long as the
 * program), so an error can be kept, copied and compared without care.
 */
#ifndef UJRAT_BASE_ERR_H
#define UJRAT_BASE_ERR_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* Put before a function whose result says whether it worked: the compiler then refuses to let it fall. */
#define MUST_CHECK __attribute__((warn_unused_result))

enum err_code {
    ERR_OK = 0,
    ERR_SYS,       /* a system call failed: see sys_errno */
    ERR_NO_MEMORY, /* malloc said no */
    ERR_LIMIT,     /* one of our own bounds was reached */
    ERR_PARSE,     /* input that is not in the expected form */
    ERR_INVALID,   /* input in the right form with a value that is not allowed */
    ERR_TLS,
    ERR_UNSUPPORTED,
};

typedef struct {
    enum err_code code;
    int sys_errno;    /* 0 if no system call is to blame */
    const char *what; /* what was being done, for a log line: "open config file" */
} err_t;

static inline MUST_CHECK err_t err_none(void)
{
    return (err_t){ERR_OK, 0, ""};
}

static inline MUST_CHECK err_t err_make(enum err_code code, const char *what)
{
    return (err_t){code, 0, what};
}

/* Takes errno as it is now. */
static inline MUST_CHECK err_t err_sys(const char *what)
{
    return (err_t){ERR_SYS, errno, what};
}

static inline MUST_CHECK bool err_failed(err_t err)
{
    return err.code != ERR_OK;
}

/* Room for any err_text(). */
#define ERR_TEXT_SIZE 256

/* "open config file: No such file or directory". Cut if it does not fit. Returns out. */
const char *err_text(err_t err, char *out, size_t out_size);

#endif
