#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Never NULL. */
static const char *err_code_name(enum err_code code)
{
    switch (code) {
    case ERR_OK:
        return "ok";
    case ERR_SYS:
        return "sys";
    case ERR_NO_MEMORY:
        return "no_memory";
    case ERR_LIMIT:
        return "limit";
    case ERR_PARSE:
        return "parse";
    case ERR_INVALID:
        return "invalid";
    case ERR_TLS:
        return "tls";
    case ERR_UNSUPPORTED:
        return "unsupported";
    }
    return "unknown";
}

const char *err_text(err_t err, char *out, size_t out_size)
{
    assert(out_size > 0);
    const char *what = err.what == NULL ? "" : err.what;
    if (err.sys_errno != 0) {
        char sys[128];
        (void)snprintf(out, out_size, "%s: %s", what, strerror_r(err.sys_errno, sys, sizeof sys));
    } else if (what[0] != '\0') {
        (void)snprintf(out, out_size, "%s", what);
    } else {
        (void)snprintf(out, out_size, "%s", err_code_name(err.code));
    }
    return out;
}
