/*
 * schema_check.h: waits for the ledger to be there, and sees that it is of the schema that this program knows. What is wrong
 * is told in the log, with what to do about it. It blocks: for programs that are about to start.
 */
#ifndef UJRAT_LEDGER_SCHEMA_CHECK_H
#define UJRAT_LEDGER_SCHEMA_CHECK_H

#include <stdint.h>

#include "base/log.h"

enum schema_check {
    SCHEMA_CHECK_GOOD,
    SCHEMA_CHECK_OTHER,       /* another version, or none */
    SCHEMA_CHECK_UNREACHABLE, /* for as long as it was waited for */
    SCHEMA_CHECK_STOPPED,     /* stop_fd became readable */
};

/* stop_fd: or -1. */
enum schema_check schema_check(const char *uri, int64_t timeout_ms, int stop_fd, struct log *log);

#endif
