#include "audit/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

#define DRAW_EVERY_US 200000
#define BAR_COLUMNS   30

void progress_begin(struct progress *p, const char *unit, bool quiet)
{
    *p = (struct progress){.shown = !quiet && isatty(STDERR_FILENO) == 1,
                           .begun_us = clock_monotonic_us(),
                           .unit = unit};
}

void progress_at(struct progress *p, uint64_t done, uint64_t total, uint64_t counted)
{
    char bar[BAR_COLUMNS + 1];
    int64_t now;
    uint64_t seconds;
    uint64_t eta;
    unsigned percent;

    if (!p->shown)
        return;
    now = clock_monotonic_us();
    if (now - p->drawn_us < DRAW_EVERY_US)
        return;
    p->drawn_us = now;
    p->drawn = true;
    seconds = (uint64_t)(now - p->begun_us) / US_PER_SEC;
    percent = total == 0 || done > total ? 100U : (unsigned)(done * 100 / total);
    eta =
        done == 0 || total <= done
            ? 0
            : (uint64_t)((double)(now - p->begun_us) / 1e6 * (double)(total - done) / (double)done);
    for (unsigned i = 0; i < BAR_COLUMNS; i++)
        bar[i] = i < percent * BAR_COLUMNS / 100 ? '#' : '.';
    bar[BAR_COLUMNS] = '\0';
    fprintf(stderr, "\r[%s] %3u%%  %llu %s/s  %llu:%02llu left \033[K", bar, percent,
            (unsigned long long)(seconds == 0 ? counted : counted / seconds), p->unit,
            (unsigned long long)(eta / 60), (unsigned long long)(eta % 60));
    fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    p->drawn = false;
}
