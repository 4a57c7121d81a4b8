/*
 * ujrat bank run: a bank for trying things out. It watches its instructions, decides what became of each, writes that
 * down, and confirms in batches; some it rejects, some it pays and sends back later, as its options say.
 *
 * One thing at a time: instructions are queued as they come; one call (a batch of confirmations, or one return) is
 * under way at most. The queue is bounded: when it is full the stream is ended, and begun again after the last
 * confirmed instruction once the queue is empty.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cli/bank_state.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "domain/iso20022_reason.h"
#include "domain/purpose.h"
#include "gateway/wire/settlement_messages.h"

#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SETTLEMENT  "/ujrat.settlement.v1.SettlementService/"
#define QUEUE_MAX   20000
#define TOKEN_SIZE  512
#define RETRY_MS    500
#define MAX_WAIT_MS 3600000

const char bank_run_help[] =
    "Runs until interrupted. Connects with the bank's certificate (--as MUCB). --state is its memory: what\n"
    "is paid stands there before it is confirmed, so a bank that is killed and started again pays nothing\n"
    "twice. It is a sandbox: no money moves anywhere.";

const struct option_row bank_run_options[] = {
    {"state", "FILE", "what it must not forget (required)", false},
    {"reject-every", "N", "reject each Nth instruction; 0: none (0)", false},
    {"return-every", "N", "pay each Nth, and send it back afterwards; 0: none (0)", false},
    {"delay-ms", "N", "how long paying a batch takes (0)", false},
    {"return-delay-ms", "N", "how long after that a payment comes back (1000)", false},
    {"batch", "N", "confirmations in one call, 1 to 1000 (500)", false},
    {"tax-bps", "N", "tax withheld from export of services, in basis points (100)", false},
    {"tax-bps-pseb", "N", "the same for those registered with PSEB (25)", false},
    {"seconds", "N", "end after N seconds", false},
    {NULL, NULL, NULL, false},
};

struct queued {
    char id[BANK_TEXT_SIZE];
    char token[TOKEN_SIZE];
    char name[160];
    char account[48]; /* masked */
};

struct bank {
    struct caller caller;
    struct event_base *base;
    struct bank_state *state;
    long long reject_every, return_every, delay_ms, return_delay_ms, batch, tax_bps, tax_bps_pseb;
    const char *code; /* for references: what --as said, or BANK */
    bool quiet;

    struct queued *queue; /* a ring */
    size_t head, n;
    size_t n_sent; /* of the head: in the call under way */
    bool calling;  /* a call is under way, or its delay runs */
    bool stopping; /* nothing new is begun */
    bool closing;  /* what is still called back says nothing any more */
    char asking_return[BANK_TEXT_SIZE];
    int64_t return_not_before_us;

    grpc_client_call_t *stream;
    struct event *timer, *return_timer, *stream_timer, *stops[3];
    enum exit_code code_at_end;
};

static void go_on(struct bank *b);
static void open_stream(struct bank *b);

static void wait_ms(struct event *timer, long long ms)
{
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    event_add(timer, &tv);
}

static void tell(const struct bank *b, const char *word, const struct bank_decision *d,
                 const struct queued *q)
{
    struct wire_money money = {true, slice_str(d->ccy), d->minor};
    char amount[MONEY_TEXT_SIZE];
    char clock[16];
    time_t now = time(NULL);
    struct tm tm;

    if (b->quiet)
        return;
    gmtime_r(&now, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    printf("%s %s %-8s %s  %s%s%s%s%s%s%s\n", clock, b->code, word, d->id,
           wire_money_shown(&money, amount), d->rejected ? "  " : "", d->rejected ? d->reason : "",
           q == NULL ? "" : "  ", q == NULL ? "" : q->name, q == NULL ? "" : "  ",
           q == NULL ? "" : q->account);
    fflush(stdout);
}

/* ---------------------------------------------------------------- deciding */

static const char *const reject_reasons[] = {"AC04", "AC01", "AC06", "BE01"};
static const char *const return_reasons[] = {"AC04", "AC06", "FOCR", "MD07"};

static bool each(long long every, int64_t number)
{
    return every > 0 && number % every == 0;
}

static void decide(struct bank *b, const struct wire_instruction *in, struct bank_decision *d)
{
    int64_t number = bank_state_count(b->state) + 1;
    long long bps = in->channel != CHANNEL_EXPORT_OF_SERVICES ? 0
                    : in->pseb_registration.len > 0           ? b->tax_bps_pseb
                                                              : b->tax_bps;

    *d = (struct bank_decision){.minor = in->amount.minor_units};
    slice_text(in->instruction_id, d->id, sizeof d->id);
    slice_text(in->amount.currency_code, d->ccy, sizeof d->ccy);
    d->rejected = each(b->reject_every, number);
    if (d->rejected) {
        snprintf(d->reason, sizeof d->reason, "%s", reject_reasons[number / b->reject_every % 4]);
        return;
    }
    snprintf(d->reference, sizeof d->reference, "%s-%lld", b->code, (long long)number);
    d->tax_minor = (int64_t)((int128_t)d->minor * bps / 10000);
    if (in->channel == CHANNEL_EXPORT_OF_SERVICES)
        snprintf(d->eprc, sizeof d->eprc, "PRC-%s-%06lld", b->code, (long long)number);
    if (each(b->return_every, number))
        snprintf(d->return_reason, sizeof d->return_reason, "%s",
                 return_reasons[number / b->return_every % 4]);
}

static void enqueue(struct bank *b, const struct wire_instruction *in)
{
    struct queued *q = &b->queue[(b->head + b->n) % QUEUE_MAX];
    struct bank_decision d;

    b->n++;
    slice_text(in->instruction_id, q->id, sizeof q->id);
    slice_text(in->resume_token, q->token, sizeof q->token);
    slice_text(in->creditor_name, q->name, sizeof q->name);
    if (in->creditor_iban.len > 0)
        mask_iban(in->creditor_iban, q->account, sizeof q->account);
    else
        mask_tail(in->creditor_mobile_alias, q->account, sizeof q->account);
    if (bank_state_find(b->state, q->id, &d))
        return; /* delivered before: the same will be said again */
    decide(b, in, &d);
    bank_state_decide(b->state, &d);
}

static void on_instructions(void *user, grpc_client_call_t *call, const uint8_t *bytes,
                            size_t length)
{
    struct bank *b = user;
    struct wire_watch_instructions_response response;
    struct refusal refusal;

    if (b->stopping || call != b->stream)
        return;
    arena_reset(&b->caller.arena);
    refusal = wire_decode(&wire_watch_instructions_response_type, slice_of(bytes, length),
                          &b->caller.arena, &response);
    if (refusal.reason != REASON_NONE) {
        complain("an instruction cannot be read: %s", reason_text(refusal.reason));
        return;
    }
    for (uint32_t i = 0; i < response.instructions.n; i++) {
        const struct wire_instruction *in = &response.instructions.items[i];

        if (in->instruction_id.len >= BANK_TEXT_SIZE || in->resume_token.len >= TOKEN_SIZE) {
            complain("an instruction has an id or a token that is too long; it is left alone");
            continue;
        }
        if (b->n == QUEUE_MAX) { /* the rest will come again */
            b->stream = NULL;
            grpc_client_call_cancel(call);
            break;
        }
        enqueue(b, in);
    }
    bank_state_sync(b->state);
    go_on(b);
}

/* ---------------------------------------------------------------- confirming */

static void fill_confirmation(const struct bank_decision *d, struct wire_confirmation *c)
{
    *c = (struct wire_confirmation){
        .present = true,
        .instruction_id = slice_str(d->id),
        .status = d->rejected ? WIRE_STATUS_REJECTED : WIRE_STATUS_SETTLED,
        .amount = {true, slice_str(d->ccy), d->minor},
        .bank_reference = slice_str(d->reference),
        .tax_withheld = {d->tax_minor > 0, slice_str(d->ccy), d->tax_minor},
        .eprc_number = slice_str(d->eprc),
        .reason_code = slice_str(d->reason),
    };
}

/* What the gateway said about each; false: one of them is to be said again. */
static bool take_results(struct bank *b, const struct wire_confirm_instructions_response *response)
{
    struct bank_decision d;

    for (uint32_t i = 0; i < response->results.n; i++)
        if (response->results.items[i].outcome == WIRE_RESULT_UNKNOWN ||
            response->results.items[i].outcome == 0)
            return false;
    for (uint32_t i = 0; i < response->results.n; i++) {
        const struct wire_confirmation_result *result = &response->results.items[i];
        const struct queued *q = &b->queue[(b->head + i) % QUEUE_MAX];

        if (!bank_state_find(b->state, q->id, &d))
            continue;
        if (result->outcome == WIRE_RESULT_RECORDED)
            tell(b, d.rejected ? "REJECTED" : "SETTLED", &d, q);
        else if (result->outcome == WIRE_RESULT_REFUSED)
            complain("%s: the gateway refuses what we say: %.*s: %.*s; a person must look", q->id,
                     SLICE_ARG(result->reason), SLICE_ARG(result->message));
    }
    return true;
}

static void on_confirmed(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct wire_confirm_instructions_response response;
    size_t sent = b->n_sent;

    if (b->closing)
        return;
    b->n_sent = 0;
    b->calling = false;
    arena_reset(&b->caller.arena);
    if (result->status != GRPC_OK) {
        complain_status("ConfirmInstructions", result->status,
                        slice_of(result->message, result->message_length),
                        slice_of(result->details, result->details_length));
    } else if (wire_decode(&wire_confirm_instructions_response_type,
                           slice_of(result->bytes, result->bytes_length), &b->caller.arena,
                           &response)
                       .reason == REASON_NONE &&
               response.results.n == sent && take_results(b, &response)) {
        bank_state_confirmed(b->state, b->queue[(b->head + sent - 1) % QUEUE_MAX].token);
        bank_state_sync(b->state);
        b->head = (b->head + sent) % QUEUE_MAX;
        b->n -= sent;
        b->return_not_before_us = clock_monotonic_us() + b->return_delay_ms * US_PER_MS;
        go_on(b);
        return;
    }
    /* It may have been recorded, or not: the same is said again, which is always right. */
    b->calling = true;
    wait_ms(b->timer, RETRY_MS);
}

static void confirm(struct bank *b)
{
    static const char path[] = SETTLEMENT "ConfirmInstructions";
    size_t n = b->n < (size_t)b->batch ? b->n : (size_t)b->batch;
    struct wire_confirm_instructions_request request = {.present = true};
    struct wire_confirmation *items = calloc(n, sizeof *items);
    struct bank_decision *decisions = calloc(n, sizeof *decisions);

    if (items == NULL || decisions == NULL)
        abort();
    for (size_t i = 0; i < n; i++) {
        bool known =
            bank_state_find(b->state, b->queue[(b->head + i) % QUEUE_MAX].id, &decisions[i]);

        assert(known);
        fill_confirmation(&decisions[i], &items[i]);
    }
    request.confirmations.items = items;
    request.confirmations.n = (uint32_t)n;
    buf_reset(&b->caller.request);
    if (err_failed(
            wire_encode(&wire_confirm_instructions_request_type, &request, &b->caller.request)))
        abort();
    b->calling = true;
    b->n_sent = n;
    grpc_client_unary(b->caller.client, path, buf_data(&b->caller.request),
                      buf_len(&b->caller.request), b->caller.timeout_ms, on_confirmed, b);
    free(items);
    free(decisions);
}

/* ---------------------------------------------------------------- sending back */

static void on_returned(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct bank_decision d;

    if (b->closing)
        return;
    b->calling = false;
    if (result->status != GRPC_OK) {
        complain_status("ReturnPayment", result->status,
                        slice_of(result->message, result->message_length),
                        slice_of(result->details, result->details_length));
        if (status_may_pass(result->status)) {
            b->calling = true;
            wait_ms(b->timer, RETRY_MS);
            return;
        }
        complain("%s is not sent back; a person must look", b->asking_return);
    } else if (bank_state_find(b->state, b->asking_return, &d)) {
        d.rejected = true; /* so that the reason is shown */
        memcpy(d.reason, d.return_reason, sizeof d.reason);
        tell(b, "RETURNED", &d, NULL);
    }
    bank_state_returned(b->state, b->asking_return);
    bank_state_sync(b->state);
    go_on(b);
}

static void send_back(struct bank *b, const struct bank_decision *d)
{
    static const char path[] = SETTLEMENT "ReturnPayment";
    char reference[BANK_TEXT_SIZE + 2];
    struct wire_return_payment_request request = {
        .present = true,
        .instruction_id = slice_str(d->id),
        .amount = {true, slice_str(d->ccy), d->minor},
        .reason_code = slice_str(d->return_reason),
    };

    snprintf(reference, sizeof reference, "R-%s", d->reference);
    request.return_reference = slice_str(reference);
    memcpy(b->asking_return, d->id, sizeof b->asking_return);
    buf_reset(&b->caller.request);
    if (err_failed(wire_encode(&wire_return_payment_request_type, &request, &b->caller.request)))
        abort();
    b->calling = true;
    grpc_client_unary(b->caller.client, path, buf_data(&b->caller.request),
                      buf_len(&b->caller.request), b->caller.timeout_ms, on_returned, b);
}

/* ---------------------------------------------------------------- what comes next */

/* Whether an instruction still waits in the queue: it is not settled yet as far as the gateway knows. */
static bool is_queued(const struct bank *b, const char *id)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->queue[(b->head + i) % QUEUE_MAX].id, id) == 0)
            return true;
    return false;
}

static void start_work(struct bank *b)
{
    struct bank_decision d;

    if (b->stopping) {
        event_base_loopbreak(b->base);
    } else if (b->n > 0) {
        confirm(b);
    } else if (bank_state_next_return(b->state, &d) && !is_queued(b, d.id)) {
        int64_t left_us = b->return_not_before_us - clock_monotonic_us();

        if (left_us <= 0)
            send_back(b, &d);
        else
            wait_ms(b->return_timer, left_us / US_PER_MS + 1);
    } else if (b->stream == NULL) {
        open_stream(b);
    }
}

/* After every event: begins the next piece of work unless one is under way. Paying takes a moment. */
static void go_on(struct bank *b)
{
    if (b->calling)
        return;
    if (b->n > 0 && b->delay_ms > 0 && !b->stopping) {
        b->calling = true;
        wait_ms(b->timer, b->delay_ms);
        return;
    }
    start_work(b);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    b->calling = false;
    start_work(b);
}

static void on_return_timer(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    go_on(user);
}

static void on_stream_done(void *user, const struct grpc_result *result)
{
    struct bank *b = user;

    if (b->stopping || b->stream == NULL) /* ended by us, since the queue was full */
        return;
    b->stream = NULL;
    complain_status("WatchInstructions", result->status,
                    slice_of(result->message, result->message_length),
                    slice_of(result->details, result->details_length));
    if (!status_may_pass(result->status) && result->status != GRPC_OK) {
        b->code_at_end = EXIT_REFUSED;
        b->stopping = true;
        event_base_loopbreak(b->base);
        return;
    }
    wait_ms(b->stream_timer, RETRY_MS);
}

static void open_stream(struct bank *b)
{
    struct wire_watch_instructions_request request = {true, slice_str(bank_state_token(b->state))};
    struct grpc_stream_handler handler = {on_instructions, on_stream_done, b};

    /* What waits would come again: it is later than the token. */
    if (b->n > 0) {
        wait_ms(b->stream_timer, RETRY_MS);
        return;
    }
    buf_reset(&b->caller.request);
    if (err_failed(
            wire_encode(&wire_watch_instructions_request_type, &request, &b->caller.request)))
        abort();
    b->stream = grpc_client_server_stream(b->caller.client, SETTLEMENT "WatchInstructions",
                                          buf_data(&b->caller.request), buf_len(&b->caller.request),
                                          0, &handler);
}

static void on_stream_timer(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    if (b->stream == NULL && !b->stopping)
        open_stream(b);
}

static void on_stop(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    /* A confirmation under way is let to end; asked twice, it is left alone: it is on disk. */
    if (b->stopping || b->n_sent == 0)
        event_base_loopbreak(b->base);
    b->stopping = true;
}

/* ---------------------------------------------------------------- setting up */

static bool read_options(const struct args *args, struct bank *b)
{
    const char *as = args_get(args, "as");

    b->return_delay_ms = 1000;
    b->batch = 500;
    b->tax_bps = 100;
    b->tax_bps_pseb = 25;
    b->code = as == NULL ? "BANK" : as;
    b->quiet = args_quiet(args);
    if (args_get(args, "state") == NULL) {
        complain("--state FILE is required: a bank must not forget what it has paid");
        return false;
    }
    if (strlen(b->code) > 12) {
        complain("--as: '%s' is too long for a bank", b->code);
        return false;
    }
    return args_int(args, "reject-every", 0, 1000000, &b->reject_every) &&
           args_int(args, "return-every", 0, 1000000, &b->return_every) &&
           args_int(args, "delay-ms", 0, MAX_WAIT_MS, &b->delay_ms) &&
           args_int(args, "return-delay-ms", 0, MAX_WAIT_MS, &b->return_delay_ms) &&
           args_int(args, "batch", 1, WIRE_CONFIRMATIONS_MAX, &b->batch) &&
           args_int(args, "tax-bps", 0, 10000, &b->tax_bps) &&
           args_int(args, "tax-bps-pseb", 0, 10000, &b->tax_bps_pseb);
}

static void make_events(struct bank *b, long long seconds)
{
    b->base = grpc_client_base(b->caller.client);
    b->timer = evtimer_new(b->base, on_timer, b);
    b->return_timer = evtimer_new(b->base, on_return_timer, b);
    b->stream_timer = evtimer_new(b->base, on_stream_timer, b);
    b->stops[0] = evsignal_new(b->base, SIGINT, on_stop, b);
    b->stops[1] = evsignal_new(b->base, SIGTERM, on_stop, b);
    b->stops[2] = evtimer_new(b->base, on_stop, b);
    if (b->timer == NULL || b->return_timer == NULL || b->stream_timer == NULL ||
        b->stops[0] == NULL || b->stops[1] == NULL || b->stops[2] == NULL)
        abort();
    event_add(b->stops[0], NULL);
    event_add(b->stops[1], NULL);
    if (seconds > 0)
        wait_ms(b->stops[2], seconds * 1000);
}

static void free_events(struct bank *b)
{
    event_free(b->timer);
    event_free(b->return_timer);
    event_free(b->stream_timer);
    for (size_t i = 0; i < 3; i++)
        event_free(b->stops[i]);
}

enum exit_code bank_run_run(const struct args *args)
{
    struct bank *b = calloc(1, sizeof *b);
    long long seconds = 0;
    enum exit_code code = EXIT_USAGE;

    if (b == NULL)
        abort();
    if (!read_options(args, b) || !args_int(args, "seconds", 1, 86400, &seconds))
        goto out;
    code = caller_open(args, &b->caller);
    if (code != EXIT_DONE)
        goto out;
    code = EXIT_REFUSED;
    b->queue = calloc(QUEUE_MAX, sizeof *b->queue);
    if (b->queue == NULL || !bank_state_open(args_get(args, "state"), &b->state))
        goto out;
    make_events(b, seconds);
    b->code_at_end = EXIT_DONE;
    open_stream(b);
    go_on(b);
    event_base_dispatch(b->base);
    code = b->code_at_end;
    free_events(b);
out:
    b->stopping = true;
    b->closing = true;
    caller_close(&b->caller);
    bank_state_close(&b->state);
    free(b->queue);
    free(b);
    return code;
}

/* ---------------------------------------------------------------- bank position */

enum exit_code bank_position_run(const struct args *args)
{
    static const struct report_column columns[] = {{"currency", REPORT_TEXT},
                                                   {"owed to the bank", REPORT_AMOUNT},
                                                   {"told to pay", REPORT_AMOUNT},
                                                   {"instructions", REPORT_INT}};
    struct caller caller;
    struct wire_get_position_request request = {true};
    struct wire_get_position_response response;
    struct report *report = NULL;
    enum exit_code code = caller_open(args, &caller);

    if (code == EXIT_DONE)
        code = caller_ask(&caller, SETTLEMENT "GetPosition", &wire_get_position_request_type,
                          &request, &wire_get_position_response_type, &response);
    if (code == EXIT_DONE) {
        report_new(columns, 4, &report);
        for (uint32_t i = 0; i < response.positions.n; i++) {
            const struct wire_position *p = &response.positions.items[i];
            struct wire_money owed = {true, p->currency_code, p->owed_minor_units};
            struct wire_money pending = {true, p->currency_code, p->pending_minor_units};
            char text[3][MONEY_TEXT_SIZE];
            char ccy[8];

            snprintf(text[2], sizeof text[2], "%lld", (long long)p->pending_count);
            report_add(report, (const char *const[]){slice_text(p->currency_code, ccy, sizeof ccy),
                                                     wire_money_text(&owed, text[0]),
                                                     wire_money_text(&pending, text[1]), text[2]});
        }
        report_print(report, args_json(args));
        report_free(&report);
    }
    caller_close(&caller);
    return code;
}
