#include "settle/windows.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
    ASK_MAX = 1000,      /* instructions in one look */
    ASK_LOOKS_MAX = 100, /* in a round: the rest is for the next */
    CLOSINGS_MAX = 48,   /* in a round, of one bank: after having been away for long */
};

/* ---------------------------------------------------------------- what is agreed */

static bool add_cutoffs(const struct rows *rows, int col, struct cutoffs *out)
{
    int64_t at[CALENDAR_CUTOFFS_MAX];
    int n = rows_int_array(rows, 0, col, at, CALENDAR_CUTOFFS_MAX);
    for (int i = 0; i < n; i++)
        if (!cutoffs_add(out, (int32_t)at[i]))
            return false;
    return n > 0;
}

static enum settle_result read_terms(struct settle_ctx *ctx, const struct settle_bank *bank,
                                     struct bank_plan *out)
{
    struct rows *rows;
    params_add_int2(settle_db_params(&ctx->db), bank->bank_id);
    enum settle_result result = settle_db_ask(&ctx->db, "settle_terms", &rows);
    if (result != SETTLE_OK)
        return result;
    bool good = rows_count(rows) == 1 && add_cutoffs(rows, 0, &out->cutoffs.ordinary) &&
                add_cutoffs(rows, 1, &out->cutoffs.ramadan);
    if (good) {
        out->answer_within_us = rows_int(rows, 0, 2);
        out->escalate_after_us = rows_int(rows, 0, 3);
        out->settle_within_us = rows_int(rows, 0, 4);
    }
    rows_free(&rows);
    return good ? SETTLE_OK : SETTLE_FAILED;
}

enum settle_result windows_plan(struct settle_ctx *ctx, const struct settle_bank *bank,
                                struct bank_plan *out)
{
    struct rows *rows;
    memset(out, 0, sizeof *out);
    out->now_us = clock_realtime_us();
    enum settle_result result = read_terms(ctx, bank, out);
    if (result != SETTLE_OK)
        return result;
    struct params *p = settle_db_params(&ctx->db);
    params_add_time_us(p, out->now_us - CALENDAR_DAYS_MAX * US_PER_DAY);
    params_add_time_us(p, out->now_us + CALENDAR_DAYS_MAX * US_PER_DAY);
    result = settle_db_ask(&ctx->db, "settle_calendar", &rows);
    if (result != SETTLE_OK)
        return result;
    for (int i = 0; i < rows_count(rows) && i < CALENDAR_ROWS_MAX; i++)
        out->day[out->calendar.n++] = (struct calendar_day){
            .day = (int32_t)rows_int(rows, i, 0), .kind = (enum calendar_kind)rows_int(rows, i, 1)};
    out->calendar.days = out->day;
    rows_free(&rows);
    return SETTLE_OK;
}

/* ---------------------------------------------------------------- handing out */

/* What waited when we looked (up to that number): where payouts keep coming, there would be no end to it. */
static enum settle_result hand_out_book(struct settle_ctx *ctx, const struct settle_bank *bank,
                                        int32_t book_id, int64_t upto)
{
    bool moved = true;
    while (moved) {
        struct rows *rows;
        struct params *p = settle_db_params(&ctx->db);
        params_add_int4(p, book_id);
        params_add_int2(p, bank->bank_id);
        params_add_int4(p, ctx->principal_id);
        params_add_int4(p, (int32_t)ctx->settings->config.hand_out_payouts_max);
        enum settle_result result = settle_db_stop(&ctx->db)
                                        ? SETTLE_STOPPED
                                        : settle_db_ask(&ctx->db, "settle_hand_out", &rows);
        if (result != SETTLE_OK)
            return result;
        moved = rows_bool(rows, 0, 0);
        if (moved)
            log_info(ctx->log, "window.handed_out", log_str("bank", bank->code),
                     log_int("book", book_id), log_int("instructions", rows_int(rows, 0, 2)),
                     log_int("amount", rows_int(rows, 0, 3)));
        /* What a limit keeps back stays for later. */
        moved = moved && !rows_bool(rows, 0, 1) && rows_int(rows, 0, 4) < upto;
        rows_free(&rows);
    }
    return SETTLE_OK;
}

static enum settle_result hand_out_all(struct settle_ctx *ctx, const struct settle_bank *bank)
{
    struct rows *rows;
    params_add_int2(settle_db_params(&ctx->db), bank->bank_id);
    enum settle_result result = settle_db_ask(&ctx->db, "settle_books", &rows);
    for (int i = 0; result == SETTLE_OK && i < rows_count(rows); i++)
        result = hand_out_book(ctx, bank, (int32_t)rows_int(rows, i, 0), rows_int(rows, i, 1));
    rows_free(&rows);
    return result;
}

/* ---------------------------------------------------------------- windows */

static enum settle_result open_first(struct settle_ctx *ctx, const struct settle_bank *bank,
                                     int64_t cutoff_us)
{
    struct params *p = settle_db_params(&ctx->db);
    params_add_int2(p, bank->bank_id);
    params_add_time_us(p, cutoff_us);
    enum settle_result result = settle_db_do(&ctx->db, "settle_window_open");
    if (result == SETTLE_OK)
        log_info(ctx->log, "window.opened", log_str("bank", bank->code), log_int("window", 1));
    return result;
}

static enum settle_result close_window(struct settle_ctx *ctx, const struct settle_bank *bank,
                                       int64_t window_no, int64_t settle_by_us, int64_t next_us)
{
    struct rows *rows;
    struct params *p = settle_db_params(&ctx->db);
    params_add_int2(p, bank->bank_id);
    params_add_int8(p, window_no);
    params_add_int4(p, ctx->principal_id);
    params_add_time_us(p, settle_by_us);
    params_add_time_us(p, next_us);
    enum settle_result result = settle_db_ask(&ctx->db, "settle_window_close", &rows);
    if (result == SETTLE_OK && !rows_bool(rows, 0, 2))
        log_info(ctx->log, "window.closed", log_str("bank", bank->code),
                 log_int("window", window_no), log_int("instructions", rows_int(rows, 0, 0)),
                 log_int("amount", rows_int(rows, 0, 1)));
    rows_free(&rows);
    return result;
}

struct open_window {
    int64_t no, cutoff_us; /* no 0: there is none */
};

static enum settle_result ask_open(struct settle_ctx *ctx, const struct settle_bank *bank,
                                   struct open_window *out)
{
    struct rows *rows;
    params_add_int2(settle_db_params(&ctx->db), bank->bank_id);
    enum settle_result result = settle_db_ask(&ctx->db, "settle_window_now", &rows);
    *out = (struct open_window){0};
    if (result == SETTLE_OK && rows_count(rows) == 1)
        *out = (struct open_window){rows_int(rows, 0, 0), rows_time_us(rows, 0, 2)};
    rows_free(&rows);
    return result;
}

/*
 * The cut-off that holds for the open window: the one it was opened with, unless a holiday that was announced since has put it
 * off. (Terms that changed meanwhile count from the next window on.)
 */
static int64_t cutoff_of(const struct bank_plan *plan, const struct open_window *open)
{
    int64_t later;
    if (calendar_is_working(&plan->calendar, calendar_day_of(open->cutoff_us)) ||
        !calendar_next_cutoff(&plan->calendar, &plan->cutoffs, open->cutoff_us, &later))
        return open->cutoff_us;
    return later;
}

/* Closes the open window if its cut-off has come. *closed: it was. */
static enum settle_result close_due(struct settle_ctx *ctx, const struct settle_bank *bank,
                                    const struct bank_plan *plan, const struct open_window *open,
                                    bool *closed)
{
    int64_t now_us = clock_realtime_us(), next_us, settle_by_us;
    *closed = false;
    if (cutoff_of(plan, open) > now_us)
        return SETTLE_OK;
    if (!calendar_next_cutoff(&plan->calendar, &plan->cutoffs, now_us, &next_us) ||
        !calendar_add_working(&plan->calendar, now_us, plan->settle_within_us, &settle_by_us)) {
        log_error(ctx->log, "window.no_cutoff", log_str("bank", bank->code),
                  log_str("hint", "the calendar has no working day ahead"));
        ctx->trouble = true;
        return SETTLE_OK;
    }
    enum settle_result result = bank->by_windows ? hand_out_all(ctx, bank) : SETTLE_OK;
    if (result == SETTLE_OK)
        result = close_window(ctx, bank, open->no, settle_by_us, next_us);
    *closed = result == SETTLE_OK;
    return result;
}

enum settle_result windows_turn(struct settle_ctx *ctx, struct settle_bank *bank,
                                const struct bank_plan *plan)
{
    struct open_window open;
    int64_t cutoff_us;
    bool closed = true;
    enum settle_result result = ask_open(ctx, bank, &open);
    if (result == SETTLE_OK && open.no == 0 &&
        calendar_next_cutoff(&plan->calendar, &plan->cutoffs, plan->now_us, &cutoff_us)) {
        result = open_first(ctx, bank, cutoff_us);
        if (result == SETTLE_OK)
            result = ask_open(ctx, bank, &open);
    }
    if (result != SETTLE_OK || open.no == 0)
        return result;
    /* In mode instant what goes out by files goes out in rounds; the gRPC stream hands out for itself. */
    if (!bank->by_windows && bank->by_files && clock_monotonic_us() >= bank->hand_out_at_us) {
        result = hand_out_all(ctx, bank);
        bank->hand_out_at_us =
            clock_monotonic_us() + ctx->settings->config.hand_out_interval_ms * US_PER_MS;
    }
    for (int i = 0; result == SETTLE_OK && closed && i < CLOSINGS_MAX; i++) {
        result = close_due(ctx, bank, plan, &open, &closed);
        if (result == SETTLE_OK && closed)
            result = ask_open(ctx, bank, &open);
    }
    return result;
}

enum settle_result windows_end(struct settle_ctx *ctx, const struct settle_bank *bank,
                               const struct bank_plan *plan)
{
    struct rows *rows, *ended;
    params_add_int2(settle_db_params(&ctx->db), bank->bank_id);
    enum settle_result result = settle_db_ask(&ctx->db, "settle_windows_to_end", &rows);
    for (int i = 0; result == SETTLE_OK && i < rows_count(rows); i++) {
        /* A holiday that was announced since it was closed puts the deadline off. */
        int64_t window_no = rows_int(rows, i, 0), settle_by_us = rows_time_us(rows, i, 2), by_us;
        if (calendar_add_working(&plan->calendar, rows_time_us(rows, i, 1), plan->settle_within_us,
                                 &by_us) &&
            by_us > settle_by_us)
            settle_by_us = by_us;
        struct params *p = settle_db_params(&ctx->db);
        params_add_int2(p, bank->bank_id);
        params_add_int8(p, window_no);
        params_add_int4(p, ctx->principal_id);
        params_add_time_us(p, settle_by_us);
        result = settle_db_ask(&ctx->db, "settle_window_end", &ended);
        if (result == SETTLE_OK && !slice_equal(rows_text(ended, 0, 0), rows_text(rows, i, 3)))
            log_info(ctx->log, "window.ended", log_str("bank", bank->code),
                     log_int("window", window_no), log_slice("state", rows_text(ended, 0, 0)));
        rows_free(&ended);
    }
    rows_free(&rows);
    return result;
}

/* ---------------------------------------------------------------- instructions without an answer */

static enum settle_result ask_book(struct settle_ctx *ctx, const struct settle_bank *bank,
                                   int32_t book_id, const int64_t *payouts, int n,
                                   const int64_t *escalated, int n_escalated, int64_t before_us)
{
    const int64_t none = 0;
    struct rows *rows;
    struct params *p = settle_db_params(&ctx->db);
    params_add_int2(p, bank->bank_id);
    params_add_int4(p, book_id);
    params_add_int8_array(p, payouts, n);
    /* An array has something in it: 0 is no payout. */
    params_add_int8_array(p, n_escalated > 0 ? escalated : &none,
                          n_escalated > 0 ? n_escalated : 1);
    params_add_time_us(p, before_us);
    enum settle_result result = settle_db_ask(&ctx->db, "settle_ask", &rows);
    if (result == SETTLE_OK)
        log_warn(ctx->log, "window.asked", log_str("bank", bank->code), log_int("book", book_id),
                 log_int("instructions", rows_int(rows, 0, 0)), log_int("escalated", n_escalated));
    rows_free(&rows);
    return result;
}

/* Those of one look, book by book; they come in that order. */
static enum settle_result ask_rows(struct settle_ctx *ctx, const struct settle_bank *bank,
                                   const struct rows *rows, int64_t before_us, int64_t escalate_us)
{
    int64_t payouts[ASK_MAX], escalated[ASK_MAX];
    enum settle_result result = SETTLE_OK;
    for (int from = 0, to; from < rows_count(rows) && result == SETTLE_OK; from = to) {
        int64_t book_id = rows_int(rows, from, 0);
        int n = 0, n_escalated = 0;
        for (to = from; to < rows_count(rows) && rows_int(rows, to, 0) == book_id && n < ASK_MAX;
             to++) {
            payouts[n++] = rows_int(rows, to, 1);
            if (rows_time_us(rows, to, 2) <= escalate_us)
                escalated[n_escalated++] = rows_int(rows, to, 1);
        }
        result =
            ask_book(ctx, bank, (int32_t)book_id, payouts, n, escalated, n_escalated, before_us);
    }
    return result;
}

enum settle_result windows_ask(struct settle_ctx *ctx, const struct settle_bank *bank,
                               const struct bank_plan *plan)
{
    int64_t before_us, escalate_us;
    enum settle_result result = SETTLE_OK;
    if (!calendar_subtract_working(&plan->calendar, plan->now_us, plan->answer_within_us,
                                   &before_us))
        return SETTLE_OK;
    if (!calendar_subtract_working(&plan->calendar, plan->now_us, plan->escalate_after_us,
                                   &escalate_us))
        escalate_us = INT64_MIN;
    for (int i = 0, n = ASK_MAX; result == SETTLE_OK && n == ASK_MAX && i < ASK_LOOKS_MAX; i++) {
        struct rows *rows;
        struct params *p = settle_db_params(&ctx->db);
        params_add_int2(p, bank->bank_id);
        params_add_time_us(p, before_us);
        params_add_int4(p, ASK_MAX);
        result = settle_db_stop(&ctx->db) ? SETTLE_STOPPED
                                          : settle_db_ask(&ctx->db, "settle_overdue", &rows);
        if (result != SETTLE_OK)
            return result;
        n = rows_count(rows);
        result = ask_rows(ctx, bank, rows, before_us, escalate_us);
        rows_free(&rows);
    }
    return result;
}
