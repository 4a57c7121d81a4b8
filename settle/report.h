/*
 * report.h: what a bank's engineer is told of a file, line by line, bounded: STEM.report.txt. No personal data: ids,
 * places and reasons.
 */
#ifndef UJRAT_SETTLE_REPORT_H
#define UJRAT_SETTLE_REPORT_H

#include <stdint.h>

#include "base/buf.h"

enum { REPORT_BYTES_MAX = 65536 };

struct report {
    struct buf text;
    int64_t lines_left_out; /* it was full */
};

void report_init(struct report *r);
void report_deinit(struct report *r);
void report_reset(struct report *r);

/* One line; the newline is put behind. */
void report_line(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All of it, with how many lines were left out. Lives as long as the report. */
struct slice report_text(struct report *r);

#endif
