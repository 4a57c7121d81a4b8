#include "gateway/ledger_check.h"

#include <time.h>

#include "base/clock.h"
#include "ledger/schema_version.h"
#include "ledger/statements.h"

enum { RETRY_MS = 200, PROBLEM_SIZE = 512 };

enum exit_code ledger_check(const struct gateway_config *config, struct log *log)
{
    const struct timespec pause = {0, RETRY_MS * 1000000};
    int64_t deadline_us = clock_monotonic_us() + config->db_start_timeout_ms * US_PER_MS;
    int known = statements_schema_version(), found = 0;
    char problem[PROBLEM_SIZE];
    enum schema_answer answer;
    while ((answer = schema_version_ask(config->db, &found, problem, sizeof(problem))) ==
               SCHEMA_UNREACHABLE &&
           clock_monotonic_us() < deadline_us)
        (void)nanosleep(&pause, NULL);
    switch (answer) {
    case SCHEMA_VERSION:
        if (found == known)
            return EXIT_DONE;
        log_error(log, "schema.other_version", log_int("in_ledger", found), log_int("known", known),
                  log_str("hint", found < known ? "run: ujrat db migrate"
                                                : "this program is older than the ledger"));
        return EXIT_SCHEMA;
    case SCHEMA_MISSING:
        log_error(log, "schema.missing", log_str("problem", problem),
                  log_str("hint", "run: ujrat db migrate"));
        return EXIT_SCHEMA;
    case SCHEMA_UNREACHABLE:
        break;
    }
    log_error(log, "ledger.unreachable", log_str("problem", problem),
              log_str("hint", "is PostgreSQL running, and db right?"));
    return EXIT_LEDGER;
}
