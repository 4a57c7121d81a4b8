#include "cli/window_close.h"

#include "base/clock.h"
#include "domain/calendar.h"
#include "domain/money.h"

#include <stdlib.h>
#include <string.h>

/* What the terms and the calendar say of the closing: microseconds since 1970. */
struct plan {
    struct cutoff_plan cutoffs;
    int64_t settle_within_us;
    int64_t now_us;
    bool by_windows;
};

static bool take_cutoffs(const PGresult *r, const char *which, struct cutoffs *out)
{
    for (int i = 0; i < PQntuples(r); i++)
        if (strcmp(PQgetvalue(r, i, 0), which) == 0 && !cutoffs_add(out, (int32_t)db_int(r, i, 1)))
            return false;
    return out->n > 0;
}

static bool read_terms(struct db *db, const char *bank, struct plan *plan)
{
    PGresult *t = db_query(db,
                           "SELECT mode, (extract(epoch FROM settle_within) * 1000000)::bigint,"
                           " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
                           "  FROM bank_terms_now WHERE bank_id = $1::int2",
                           1, (const char *const[]){bank});
    PGresult *c =
        db_query(db,
                 "SELECT which, extract(epoch FROM at)::bigint FROM bank_terms_now t"
                 " CROSS JOIN LATERAL (SELECT 'ordinary' AS which, unnest(t.cutoffs) AS at"
                 " UNION ALL SELECT 'ramadan', unnest(t.ramadan_cutoffs)) x"
                 " WHERE t.bank_id = $1::int2 ORDER BY which, at",
                 1, (const char *const[]){bank});
    bool good = false;

    if (t != NULL && c != NULL && PQntuples(t) == 0)
        complain("the bank has no terms, and so no windows");
    else if (t != NULL && c != NULL) {
        plan->by_windows = strcmp(PQgetvalue(t, 0, 0), "windows") == 0;
        plan->settle_within_us = db_int(t, 0, 1);
        plan->now_us = db_int(t, 0, 2);
        good = take_cutoffs(c, "ordinary", &plan->cutoffs.ordinary) &&
               take_cutoffs(c, "ramadan", &plan->cutoffs.ramadan);
    }
    PQclear(t);
    PQclear(c);
    return good;
}

/* NULL: it failed, and the user was told. */
static struct calendar_day *read_calendar(struct db *db, size_t *n)
{
    PGresult *r = db_run(db, "SELECT day - DATE '1970-01-01', CASE kind WHEN 'holiday' THEN 1"
                             " WHEN 'working' THEN 2 ELSE 3 END FROM calendar_now ORDER BY day");
    struct calendar_day *days = NULL;

    *n = 0;
    if (r != NULL)
        days = calloc((size_t)PQntuples(r) + 1, sizeof *days);
    if (r != NULL && days == NULL)
        complain("out of memory");
    for (int i = 0; days != NULL && i < PQntuples(r); i++)
        days[(*n)++] =
            (struct calendar_day){(int32_t)db_int(r, i, 0), (enum calendar_kind)db_int(r, i, 1)};
    PQclear(r);
    return days;
}

/* Book by book, each commit of its own: whoever is killed leaves the window open, and the next try goes on. */
static bool hand_out_waiting(struct db *db, const char *bank, const char *window)
{
    PGresult *books = db_query(db,
                               "SELECT a.book_id FROM account a JOIN bank_head h USING (bank_id)"
                               " WHERE a.bank_id = $1::int2 AND a.role = 'nostro'"
                               "   AND h.window_no = $2::int8 ORDER BY 1",
                               2, (const char *const[]){bank, window});
    bool good = books != NULL;

    for (int i = 0; good && i < PQntuples(books); i++) {
        bool moved = true;
        while (good && moved) {
            PGresult *r =
                db_query(db, "SELECT moved FROM hand_out_window($1::int4, $2::int2, NULL, 1000)", 2,
                         (const char *const[]){PQgetvalue(books, i, 0), bank});
            good = r != NULL;
            moved = good && PQgetvalue(r, 0, 0)[0] == 't';
            PQclear(r);
        }
    }
    PQclear(books);
    return good;
}

static bool plan_closing(struct db *db, const char *bank, struct plan *plan, int64_t *settle_by,
                         int64_t *next)
{
    size_t n;
    struct calendar_day *days = NULL;
    bool good = false;

    if (read_terms(db, bank, plan) && (days = read_calendar(db, &n)) != NULL) {
        struct calendar calendar = {days, n};
        good = calendar_next_cutoff(&calendar, &plan->cutoffs, plan->now_us, next) &&
               calendar_add_working(&calendar, plan->now_us, plan->settle_within_us, settle_by);
        if (!good)
            complain("the calendar has no working day to close or settle the next window on");
    }
    free(days);
    return good;
}

enum exit_code window_close(const struct args *args, struct db *db, const char *bank)
{
    const char *window = args->operands[1];
    struct plan plan = {0};
    int64_t settle_by, next;
    char by[24], cutoff[24], text[MONEY_TEXT_SIZE];
    PGresult *r;

    if (!plan_closing(db, bank, &plan, &settle_by, &next) ||
        (plan.by_windows && !hand_out_waiting(db, bank, window)))
        return db_failure(db);
    snprintf(by, sizeof by, "%lld", (long long)settle_by);
    snprintf(cutoff, sizeof cutoff, "%lld", (long long)next);
    r = db_query(
        db,
        "SELECT c.duplicate, c.instructions, c.amount FROM close_window($1::int2, $2::int8, NULL,"
        " to_timestamp($3::numeric / 1000000), to_timestamp($4::numeric / 1000000)) c",
        4, (const char *const[]){bank, window, by, cutoff});
    if (r == NULL)
        return db_failure(db);
    if (!args_quiet(args))
        printf("Window %s of %s %s with %s instructions, %s\n", window, args->operands[0],
               PQgetvalue(r, 0, 0)[0] == 't' ? "was closed before," : "is closed",
               PQgetvalue(r, 0, 1),
               money_format(money_of(db_int(r, 0, 2), CCY_PKR), MONEY_CODE_THOUSANDS, text));
    PQclear(r);
    return EXIT_DONE;
}
