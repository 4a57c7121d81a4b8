/* ujrat payout get, list, watch, cancel; quote; balance. */
#include "base/clock.h"
#include "base/timefmt.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/report.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define PAYOUTS "/ujrat.payout.v1.PayoutService/"

static const struct report_column payout_columns[] = {
    {"platform", REPORT_TEXT}, {"reference", REPORT_TEXT},  {"gross", REPORT_AMOUNT},
    {"currency", REPORT_TEXT}, {"mid rate", REPORT_AMOUNT}, {"our rate", REPORT_AMOUNT},
    {"margin", REPORT_AMOUNT}, {"fee", REPORT_AMOUNT},      {"net", REPORT_AMOUNT},
    {"in", REPORT_TEXT},       {"bank", REPORT_TEXT},       {"state", REPORT_TEXT},
    {"why", REPORT_TEXT},      {"policy", REPORT_AMOUNT}};
#define PAYOUT_COLUMNS (sizeof payout_columns / sizeof *payout_columns)

/* "upwork" of "platforms/upwork/payouts/42". */
static const char *platform_of(struct slice name, char *out, size_t out_size)
{
    struct slice before;
    struct slice platform;
    struct slice rest;

    if (!slice_cut(name, '/', &before, &rest))
        rest = (struct slice){0};
    slice_cut(rest, '/', &platform, &rest);
    return slice_text(platform, out, out_size);
}

/* At most four decimals, cut down: a rate for the eye. The full one is in the JSON. */
static const char *rate_shown(struct slice rate, char *out, size_t out_size)
{
    char *dot;

    slice_text(rate, out, out_size);
    dot = strchr(out, '.');
    if (dot != NULL && strlen(dot) > 5)
        dot[5] = '\0';
    return out;
}

static void add_payout(struct report *report, const struct wire_payout *p)
{
    char text[8][72];
    char money[4][MONEY_TEXT_SIZE];
    char policy[24] = "";

    if (p->pricing.policy_version != 0)
        (void)snprintf(policy, sizeof policy, "%lld", (long long)p->pricing.policy_version);
    report_add(report,
               (const char *const[]){
                   platform_of(p->name, text[0], sizeof text[0]),
                   slice_text(p->reference, text[1], sizeof text[1]),
                   wire_money_text(&p->pricing.gross, money[0]),
                   slice_text(p->pricing.gross.currency_code, text[2], sizeof text[2]),
                   rate_shown(p->pricing.mid_rate, text[3], sizeof text[3]),
                   rate_shown(p->pricing.our_rate, text[4], sizeof text[4]),
                   wire_money_text(&p->pricing.margin, money[1]),
                   wire_money_text(&p->pricing.fee, money[2]),
                   wire_money_text(&p->pricing.net, money[3]),
                   slice_text(p->pricing.net.currency_code, text[5], sizeof text[5]),
                   slice_text(p->bank_code, text[6], sizeof text[6]), payout_state_shown(p->state),
                   slice_text(p->reason_code, text[7], sizeof text[7]), policy});
}

static void print_payout(const struct args *args, const struct wire_payout *p)
{
    struct report *report = NULL;

    if (args_json(args)) {
        print_wire_json(&wire_payout_type, p);
        return;
    }
    report_new(payout_columns, PAYOUT_COLUMNS, &report);
    add_payout(report, p);
    report_print(report, false);
    report_free(&report);
}

/* ---------------------------------------------------------------- get, cancel */

const char payout_get_help[] =
    "By its name (platforms/upwork/payouts/42) or by the platform's own reference.";

static enum exit_code ask_payout(struct caller *caller, const char *which,
                                 struct wire_payout *payout)
{
    struct wire_get_payout_request by_name = {true, slice_str(which)};
    struct wire_get_payout_by_reference_request by_reference = {true, slice_str(which)};

    if (strncmp(which, "platforms/", 10) == 0)
        return caller_ask(caller, PAYOUTS "GetPayout", &wire_get_payout_request_type, &by_name,
                          &wire_payout_type, payout);
    return caller_ask(caller, PAYOUTS "GetPayoutByReference",
                      &wire_get_payout_by_reference_request_type, &by_reference, &wire_payout_type,
                      payout);
}

enum exit_code payout_get_run(const struct args *args)
{
    struct caller caller;
    struct wire_payout payout;
    enum exit_code code = caller_open(args, &caller);

    if (code == EXIT_DONE)
        code = ask_payout(&caller, args->operands[0], &payout);
    if (code == EXIT_DONE)
        print_payout(args, &payout);
    caller_close(&caller);
    return code;
}

const char payout_cancel_help[] =
    "Cancels a payout, by name or reference, that no bank has been told of yet, and puts the money back\n"
    "into the float. Cancelling it again answers with it.";

enum exit_code payout_cancel_run(const struct args *args)
{
    struct caller caller;
    struct wire_payout payout;
    struct wire_cancel_payout_request request = {.present = true};
    char name[128];
    enum exit_code code = caller_open(args, &caller);

    if (code != EXIT_DONE)
        goto out;
    if (strncmp(args->operands[0], "platforms/", 10) == 0) {
        request.name = slice_str(args->operands[0]);
    } else {
        code = ask_payout(&caller, args->operands[0], &payout);
        if (code != EXIT_DONE)
            goto out;
        request.name = slice_str(slice_text(payout.name, name, sizeof name));
    }
    code = caller_change(&caller, PAYOUTS "CancelPayout", &wire_cancel_payout_request_type,
                         &request, &wire_payout_type, &payout);
    if (code == EXIT_DONE)
        print_payout(args, &payout);
out:
    caller_close(&caller);
    return code;
}

/* ---------------------------------------------------------------- list */

const struct option_row payout_list_options[] = {
    {"limit", "N", "the first N only (1000)", false},
    {NULL, NULL, NULL, false},
};

enum exit_code payout_list_run(const struct args *args)
{
    struct caller caller;
    struct wire_list_payouts_request request = {.present = true, .page_size = 1000};
    struct wire_list_payouts_response response;
    struct report *report = NULL;
    json_t *list = json_array();
    char token[512] = "";
    long long limit = 1000;
    enum exit_code code;

    if (!args_int(args, "limit", 1, 100000, &limit)) {
        json_decref(list);
        return EXIT_USAGE;
    }
    code = caller_open(args, &caller);
    if (code != EXIT_DONE)
        goto out;
    report_new(payout_columns, PAYOUT_COLUMNS, &report);
    do {
        request.page_token = slice_str(token);
        code = caller_ask(&caller, PAYOUTS "ListPayouts", &wire_list_payouts_request_type, &request,
                          &wire_list_payouts_response_type, &response);
        if (code != EXIT_DONE)
            goto out;
        for (uint32_t i = 0; i < response.payouts.n && limit > 0; i++, limit--) {
            if (args_json(args))
                json_array_append_new(list,
                                      wire_json(&wire_payout_type, &response.payouts.items[i]));
            else
                add_payout(report, &response.payouts.items[i]);
        }
        slice_text(response.next_page_token, token, sizeof token);
    } while (token[0] != '\0' && limit > 0);
    if (args_json(args))
        print_json(list);
    else
        report_print(report, false);
out:
    json_decref(list);
    report_free(&report);
    caller_close(&caller);
    return code;
}

/* ---------------------------------------------------------------- watch */

const char payout_watch_help[] =
    "Every change of every payout of the platform, a line each, as it happens, until interrupted. A line\n"
    "ends with the resume token to give to --resume to go on after it.";

const struct option_row payout_watch_options[] = {
    {"resume", "TOKEN", "go on after the event that had this token (default: from the first)",
     false},
    {"seconds", "N", "end after N seconds", false},
    {NULL, NULL, NULL, false},
};

struct watch {
    struct event_base *base;
    struct caller *caller;
    bool json;
    bool stopped;
    enum exit_code code;
};

static void on_watch_message(void *user, grpc_client_call_t *call, const uint8_t *bytes,
                             size_t length)
{
    struct watch *w = user;
    struct wire_watch_payouts_response response;

    (void)call;
    arena_reset(&w->caller->arena);
    if (wire_decode(&wire_watch_payouts_response_type, slice_of(bytes, length), &w->caller->arena,
                    &response)
            .reason != REASON_NONE)
        return;
    for (uint32_t i = 0; i < response.events.n; i++) {
        const struct wire_payout_event *e = &response.events.items[i];
        char time[TIMEFMT_SIZE];

        if (w->json) {
            print_wire_json_line(&wire_payout_event_type, e);
            continue;
        }
        printf("%s  %-11s  %.*s%s%.*s%s%.*s  %.*s\n",
               timefmt_rfc3339(e->event_time.present ? e->event_time.us : 0, time),
               payout_state_shown(e->state), SLICE_ARG(e->reference),
               e->reason_code.len > 0 ? "  " : "", SLICE_ARG(e->reason_code),
               e->bank_reference.len > 0 ? "  " : "", SLICE_ARG(e->bank_reference),
               SLICE_ARG(e->resume_token));
        fflush(stdout);
    }
}

static void on_watch_done(void *user, const struct grpc_result *result)
{
    struct watch *w = user;

    if (!w->stopped) {
        complain_status("WatchPayouts", result->status,
                        slice_of(result->message, result->message_length),
                        slice_of(result->details, result->details_length));
        w->code = EXIT_REFUSED;
    }
    event_base_loopbreak(w->base);
}

static void on_watch_stop(evutil_socket_t fd, short what, void *user)
{
    struct watch *w = user;

    (void)fd;
    (void)what;
    w->stopped = true;
    event_base_loopbreak(w->base);
}

enum exit_code payout_watch_run(const struct args *args)
{
    struct caller caller;
    struct watch w = {.caller = &caller, .json = args_json(args), .code = EXIT_DONE};
    const char *resume = args_get(args, "resume");
    struct wire_watch_payouts_request request = {true, slice_str(resume)};
    struct grpc_stream_handler handler = {on_watch_message, on_watch_done, &w};
    struct event *stops[3] = {NULL};
    long long seconds = 0;
    enum exit_code code;

    if (!args_int(args, "seconds", 1, 86400, &seconds))
        return EXIT_USAGE;
    code = caller_open(args, &caller);
    if (code != EXIT_DONE)
        return code;
    w.base = grpc_client_base(caller.client);
    stops[0] = evsignal_new(w.base, SIGINT, on_watch_stop, &w);
    stops[1] = evsignal_new(w.base, SIGTERM, on_watch_stop, &w);
    stops[2] = evtimer_new(w.base, on_watch_stop, &w);
    if (stops[0] == NULL || stops[1] == NULL || stops[2] == NULL ||
        err_failed(wire_encode(&wire_watch_payouts_request_type, &request, &caller.request)))
        abort();
    event_add(stops[0], NULL);
    event_add(stops[1], NULL);
    if (seconds > 0)
        event_add(stops[2], &(struct timeval){.tv_sec = (time_t)seconds});
    grpc_client_server_stream(caller.client, PAYOUTS "WatchPayouts", buf_data(&caller.request),
                              buf_len(&caller.request), 0, &handler);
    event_base_dispatch(w.base);
    w.stopped = true;
    for (size_t i = 0; i < 3; i++)
        event_free(stops[i]);
    caller_close(&caller);
    return w.code;
}

/* ---------------------------------------------------------------- quote, balance */

const char quote_help[] =
    "Prices AMOUNT of CCY and locks the price. The quote's name goes into a payout (column `quote`).";

const struct option_row quote_options[] = {
    {"request-id", "TEXT", "makes a repeat answer with the same quote (default: made up)", false},
    {"target", "CCY", "what the freelancer receives (PKR)", false},
    {NULL, NULL, NULL, false},
};

static void print_quote(const struct wire_quote *q)
{
    char text[3][72];
    char money[4][MONEY_TEXT_SIZE];
    char time[2][TIMEFMT_SIZE];

    printf("  gross       %s\n", wire_money_shown(&q->pricing.gross, money[0]));
    printf("  fee         %s\n", wire_money_shown(&q->pricing.fee, money[1]));
    printf("  mid rate    %s  (%s, %s)\n", slice_text(q->pricing.mid_rate, text[0], sizeof text[0]),
           slice_text(q->pricing.rate_source, text[1], sizeof text[1]),
           q->pricing.rate_time.present ? timefmt_rfc3339(q->pricing.rate_time.us, time[0]) : "");
    printf("  our rate    %s\n", slice_text(q->pricing.our_rate, text[2], sizeof text[2]));
    printf("  margin      %s  (%d.%02d%%)\n", wire_money_shown(&q->pricing.margin, money[2]),
           q->pricing.margin_basis_points / 100, q->pricing.margin_basis_points % 100);
    printf("  net         %s\n", wire_money_shown(&q->pricing.net, money[3]));
    printf("  policy      version %lld\n", (long long)q->pricing.policy_version);
    printf("  holds until %s\n  name        %.*s\n", timefmt_rfc3339(q->expire_time.us, time[1]),
           SLICE_ARG(q->name));
}

enum exit_code quote_run(const struct args *args)
{
    struct caller caller;
    struct wire_create_quote_request request = {.present = true};
    struct wire_quote quote;
    const char *request_id = args_get(args, "request-id");
    char made_up[48];
    enum exit_code code;

    if (!wire_money_parse("the amount", args->operands[0], args->operands[1], &request.gross))
        return EXIT_USAGE;
    snprintf(made_up, sizeof made_up, "cli-%lld", (long long)clock_realtime_us());
    request.request_id = slice_str(request_id == NULL ? made_up : request_id);
    request.target_currency_code = slice_str(args_get(args, "target"));
    code = caller_open(args, &caller);
    if (code == EXIT_DONE)
        code = caller_change(&caller, PAYOUTS "CreateQuote", &wire_create_quote_request_type,
                             &request, &wire_quote_type, &quote);
    if (code == EXIT_DONE && args_json(args))
        print_wire_json(&wire_quote_type, &quote);
    else if (code == EXIT_DONE)
        print_quote(&quote);
    caller_close(&caller);
    return code;
}

enum exit_code balance_run(const struct args *args)
{
    static const struct report_column columns[] = {{"currency", REPORT_TEXT},
                                                   {"available", REPORT_AMOUNT}};
    struct caller caller;
    struct wire_get_balance_request request = {true};
    struct wire_get_balance_response response;
    struct report *report = NULL;
    enum exit_code code = caller_open(args, &caller);

    if (code == EXIT_DONE)
        code = caller_ask(&caller, PAYOUTS "GetBalance", &wire_get_balance_request_type, &request,
                          &wire_get_balance_response_type, &response);
    if (code == EXIT_DONE) {
        report_new(columns, 2, &report);
        for (uint32_t i = 0; i < response.available.n; i++) {
            char ccy[8];
            char amount[MONEY_TEXT_SIZE];

            report_add(report,
                       (const char *const[]){
                           slice_text(response.available.items[i].currency_code, ccy, sizeof ccy),
                           wire_money_text(&response.available.items[i], amount)});
        }
        report_print(report, args_json(args));
        report_free(&report);
    }
    caller_close(&caller);
    return code;
}
