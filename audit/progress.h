/* progress.h: a line on a terminal that says how far a long run is. Nothing of the kind goes into a pipe or a file. */
#ifndef UJRAT_AUDIT_PROGRESS_H
#define UJRAT_AUDIT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown; /* standard error is a terminal, and --quiet was not given */
    bool drawn;
    int64_t begun_us, drawn_us;
    const char *unit; /* what is counted per second: "lines" */
};

void progress_begin(struct progress *progress, const char *unit, bool quiet);

/* done of total says how far it is (total 0: not known), counted how fast. Draws now and then. */
void progress_at(struct progress *progress, uint64_t done, uint64_t total, uint64_t counted);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
