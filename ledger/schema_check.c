#include "ledger/schema_check.h"

#include <poll.h>

#include "base/clock.h"
#include "ledger/schema_version.h"
#include "ledger/statements.h"

enum { RETRY_MS = 200, PROBLEM_SIZE = 512 };

enum schema_check schema_check(const char *uri, int64_t timeout_ms, int stop_fd, struct log *log)
{
    int64_t deadline_us = clock_monotonic_us() + timeout_ms * US_PER_MS;
    int known = statements_schema_version(), found = 0;
    char problem[PROBLEM_SIZE];
    enum schema_answer answer;
    while ((answer = schema_version_ask(uri, &found, problem, sizeof(problem))) ==
               SCHEMA_UNREACHABLE &&
           clock_monotonic_us() < deadline_us) {
        struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
        if (poll(&stop, 1, RETRY_MS) > 0)
            return SCHEMA_CHECK_STOPPED;
    }
    switch (answer) {
    case SCHEMA_VERSION:
        if (found == known)
            return SCHEMA_CHECK_GOOD;
        log_error(log, "schema.other_version", log_int("in_ledger", found), log_int("known", known),
                  log_str("hint", found < known ? "run: ujrat db migrate"
                                                : "this program is older than the ledger"));
        return SCHEMA_CHECK_OTHER;
    case SCHEMA_MISSING:
        log_error(log, "schema.missing", log_str("problem", problem),
                  log_str("hint", "run: ujrat db migrate"));
        return SCHEMA_CHECK_OTHER;
    case SCHEMA_UNREACHABLE:
        break;
    }
    log_error(log, "ledger.unreachable", log_str("problem", problem),
              log_str("hint", "is PostgreSQL running, and db right?"));
    return SCHEMA_CHECK_UNREACHABLE;
}
