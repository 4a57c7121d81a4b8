/* verify_report.h: what `ujrat-audit verify` says in the end: a page to file, or JSON. */
#ifndef UJRAT_AUDIT_VERIFY_REPORT_H
#define UJRAT_AUDIT_VERIFY_REPORT_H

#include "audit/verify.h"

struct verify_report {
    const char *source;  /* "database", or the file's path */
    const char *witness; /* its file, or NULL */
    const struct trusted_keys *keys;
    const char *broken; /* the log could not be read to its end: why; or NULL */
    int64_t at_us, seconds;
    bool resumed;
};

void verify_report_text(const struct verify *v, const struct verify_report *report);
bool verify_report_json(const struct verify *v, const struct verify_report *report);

#endif
