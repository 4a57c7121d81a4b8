/*
 * ujrat bank run: a bank for trying things out, and an example of how a bank speaks to us. It watches its instructions,
 * decides by its script what becomes of each, writes that down, and says so; some it rejects, some it pays and sends back
 * later, some it answers wrongly or not at all.
 *
 * One thing at a time: what is delivered is decided at once and is on disk with the token it came with; one call (a batch
 * of confirmations, or one return) is under way at most. When too much waits the stream is ended, and begun again after
 * the last instruction that was decided.
 */
#include "cli/bank_run.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/bank_files.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "domain/purpose.h"
#include "gateway/wire/settlement_messages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORK_MAX    20000
#define MAX_WAIT_MS SCRIPT_WAIT_MS_MAX

const char bank_run_help[] =
    "Runs until interrupted. Connects with the bank's certificate (--as MUCB). --state is its books: what\n"
    "is paid stands there before it is confirmed, so a bank that is killed and started again pays nothing\n"
    "twice; `ujrat bank books` shows them. It is a sandbox: no money moves anywhere. Ends with status 1 if\n"
    "the gateway refused what is right, or took what is wrong.\n\n" SCRIPT_HELP;

const struct option_row bank_run_options[] = {
    {"state", "FILE", "its books (required)", false},
    {"script", "FILE", "how it behaves; without it everything is accepted", false},
    {"seed", "N", "of what is drawn, in place of the script's", false},
    {"reject-every", "N", "short for the rule every N: reject", false},
    {"return-every", "N", "short for every N: accept, wait (see --return-delay-ms), return", false},
    {"return-delay-ms", "N", "how long after it was paid that comes back (1000)", false},
    {"delay-ms", "N", "how long paying a batch takes (0)", false},
    {"batch", "N", "confirmations in one call, 1 to 1000 (500)", false},
    {"tax-bps", "N", "tax withheld from export of services, in basis points (100)", false},
    {"tax-bps-pseb", "N", "the same for those registered with PSEB (25)", false},
    {"files", "DIR", "by files rather than calls: the folder that ujrat-settle calls files", false},
    {"sign-key", "FILE", "with --files: the bank's private Ed25519 key, PEM", false},
    {"gateway-key", "FILE", "with --files: the gateway's public key; without it nothing is checked",
     false},
    {"poll-ms", "N", "with --files: how often it looks for new ones (200)", false},
    {"windows-ms", "N",
     "report windows that are closed and answered; look every N ms; 0: never (0)", false},
    {"seconds", "N", "end after N seconds", false},
    {NULL, NULL, NULL, false},
};

static void open_stream(struct bank *b);

void bank_wait_ms(struct event *timer, long long ms)
{
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    event_add(timer, &tv);
}

/* ---------------------------------------------------------------- what is delivered */

/* Crash points before a plan is begun, which are of no step. */
static void crash_early(struct bank *b, const struct bank_item *what, const char *plan_text,
                        enum crash_point point)
{
    struct bank_item dying = *what;
    struct plan plan;
    struct script_error error;

    if (strstr(plan_text, crash_name(point)) == NULL ||
        !plan_read(slice_str(plan_text), false, &plan, &error))
        return;
    for (size_t i = 0; i < plan.n; i++) {
        if (plan.steps[i].kind != STEP_CRASH || plan.steps[i].crash != point ||
            bank_state_has_crashed(b->state, slice_str(what->id), (int)i + 1))
            continue;
        dying.crash = point;
        dying.crash_step = (int)i + 1;
        bank_crash_at(b, &dying, point);
    }
}

void bank_take(struct bank *b, struct bank_item *what, struct slice iban, bool export_of_services,
               bool pseb, const char *shown)
{
    struct bank_item *item = bank_state_find(b->state, slice_str(what->id));
    struct script_facts facts = {.number = (int64_t)bank_state_count(b->state) + 1,
                                 .minor = what->minor,
                                 .iban = iban,
                                 .id = slice_str(what->id)};
    const char *plan;
    long long bps = !export_of_services ? 0 : pseb ? b->tax_bps_pseb : b->tax_bps;

    if (item == NULL) {
        plan = script_choose(&b->script, &facts);
        what->with_eprc = export_of_services;
        what->tax_minor = (int64_t)((__int128)what->minor * bps / 10000);
        crash_early(b, what, plan, CRASH_RECEIVED);
        item = bank_state_decide(b->state, what, plan);
        crash_early(b, what, plan, CRASH_DECIDED);
    }
    snprintf(item->shown, sizeof item->shown, "%s", shown);
    bank_work_add(&b->work, item);
}

void bank_recalled(struct bank *b, struct bank_item *item, struct slice inquiry)
{
    struct script_facts facts = {
        .recall = true, .number = ++b->n_recalls, .minor = item->minor, .id = slice_str(item->id)};

    bank_work_recalled(&b->work, item, inquiry, script_choose(&b->script, &facts));
}

static void take_instruction(struct bank *b, const struct wire_instruction *in)
{
    struct bank_item what = {.minor = in->amount.minor_units, .window_no = in->window_no};
    char name[120];
    char account[48];
    char shown[sizeof what.shown];

    slice_text(in->instruction_id, what.id, sizeof what.id);
    slice_text(in->amount.currency_code, what.ccy, sizeof what.ccy);
    slice_text(in->creditor_name, name, sizeof name);
    if (in->creditor_iban.len > 0)
        mask_iban(in->creditor_iban, account, sizeof account);
    else
        mask_tail(in->creditor_mobile_alias, account, sizeof account);
    snprintf(shown, sizeof shown, "%s  %s", name, account);
    bank_take(b, &what, in->creditor_iban, in->channel == CHANNEL_EXPORT_OF_SERVICES,
              in->pseb_registration.len > 0, shown);
}

static void on_instructions(void *user, grpc_client_call_t *call, const uint8_t *bytes,
                            size_t length)
{
    struct bank *b = user;
    struct wire_watch_instructions_response response;
    struct slice token = {NULL, 0};
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

        if (in->instruction_id.len >= BANK_ID_SIZE || in->resume_token.len >= BANK_TOKEN_SIZE) {
            complain("an instruction has an id or a token that is too long; it is left alone");
            continue;
        }
        if (b->work.n >= WORK_MAX) { /* the rest will come again */
            b->stream = NULL;
            grpc_client_call_cancel(call);
            break;
        }
        take_instruction(b, in);
        token = in->resume_token;
    }
    if (token.len > 0)
        bank_state_take_token(b->state, token);
    bank_state_sync(b->state);
    bank_go_on(b);
}

/* ---------------------------------------------------------------- what comes next */

void bank_go_on(struct bank *b)
{
    int64_t due_us;

    if (b->calling)
        return;
    if (b->stopping) {
        event_base_loopbreak(b->base);
        return;
    }
    b->n_said = bank_work_next(&b->work, clock_monotonic_us(), (size_t)b->batch, b->said, &due_us);
    if (b->n_said > 0) {
        b->calling = true;
        if (b->delay_ms > 0 && b->said[0].kind == SAY_CONFIRMATION)
            bank_wait_ms(b->timer, b->delay_ms); /* paying takes a moment */
        else
            bank_say(b);
        return;
    }
    if (due_us > 0) {
        int64_t left_us = due_us - clock_monotonic_us();

        bank_wait_ms(b->due_timer, left_us < 0 ? 0 : left_us / US_PER_MS + 1);
    }
    if (b->stream == NULL && b->work.n < WORK_MAX / 2 &&
        !event_pending(b->stream_timer, EV_TIMEOUT, NULL))
        open_stream(b);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    bank_say(user);
}

static void on_due(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    bank_go_on(user);
}

static void on_stream_done(void *user, const struct grpc_result *result)
{
    struct bank *b = user;

    if (b->stopping || b->stream == NULL) /* ended by us, since too much waited */
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
    bank_wait_ms(b->stream_timer, BANK_RETRY_MS);
}

static void open_stream(struct bank *b)
{
    struct wire_watch_instructions_request request = {true, slice_str(bank_state_token(b->state))};
    struct grpc_stream_handler handler = {on_instructions, on_stream_done, b};

    buf_reset(&b->caller.request);
    if (err_failed(
            wire_encode(&wire_watch_instructions_request_type, &request, &b->caller.request)))
        abort();
    b->stream = grpc_client_server_stream(b->caller.client, BANK_SETTLEMENT "WatchInstructions",
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

static void on_inquiries_timer(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    if (b->inquiries == NULL && !b->stopping)
        bank_open_inquiries(b);
}

static void on_windows_timer(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    if (!b->stopping)
        bank_look_at_windows(b);
}

static void on_stop(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    /* A call under way is let to end; asked twice, it is left alone: what it says is on disk. */
    if (b->stopping || !b->sent)
        event_base_loopbreak(b->base);
    b->stopping = true;
}

/* ---------------------------------------------------------------- setting up */

static bool read_script(const char *path, struct script *script)
{
    char text[SCRIPT_BYTES_MAX + 1];
    struct script_error error;
    ssize_t n;
    int fd;

    if (path == NULL)
        return true;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0)
        complain("%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return false;
    if (script_read(slice_of(text, (size_t)n), script, &error))
        return true;
    if (error.line > 0)
        complain("%s: line %u: %s", path, error.line, error.text);
    else
        complain("%s: %s", path, error.text);
    return false;
}

static bool add_rule(struct script *script, const char *line)
{
    struct script_error error;

    if (script_add(line, script, &error))
        return true;
    complain("%s: %s", line, error.text);
    return false;
}

/* The options that are short for rules, after those of the script. */
static bool read_shorthands(const struct args *args, struct bank *b)
{
    long long reject_every = 0, return_every = 0, return_delay_ms = 1000, seed = 0;
    char line[120];

    if (!args_int(args, "reject-every", 0, 1000000, &reject_every) ||
        !args_int(args, "return-every", 0, 1000000, &return_every) ||
        !args_int(args, "return-delay-ms", 0, MAX_WAIT_MS, &return_delay_ms) ||
        !args_int(args, "seed", 0, INT64_MAX, &seed))
        return false;
    if (args_has(args, "seed"))
        b->script.seed = (uint64_t)seed;
    snprintf(line, sizeof line, "every %lld: reject", reject_every);
    if (reject_every > 0 && !add_rule(&b->script, line))
        return false;
    if (return_delay_ms == 0)
        snprintf(line, sizeof line, "every %lld: accept, return", return_every);
    else
        snprintf(line, sizeof line, "every %lld: accept, wait %lldms, return", return_every,
                 return_delay_ms);
    return return_every == 0 || add_rule(&b->script, line);
}

/* There is no message for it that ujrat-settle takes. */
static bool fits_files(const struct script *script)
{
    struct plan plan;
    struct script_error error;

    for (size_t i = 0; i < script->n_rules; i++) {
        if (!plan_read(slice_str(script->rules[i].plan), true, &plan, &error))
            abort();
        for (size_t k = 0; k < plan.n; k++)
            if (plan.steps[k].kind == STEP_REVERSE) {
                complain("--files: a return cannot be taken back in a file: reverse");
                return false;
            }
    }
    return true;
}

static bool read_options(const struct args *args, struct bank *b)
{
    const char *as = args_get(args, "as");

    b->batch = 500;
    b->tax_bps = 100;
    b->tax_bps_pseb = 25;
    b->code = as == NULL ? "BANK" : as;
    b->quiet = args_quiet(args);
    script_init(&b->script);
    if (args_get(args, "state") == NULL) {
        complain("--state FILE is required: a bank must not forget what it has paid");
        return false;
    }
    if (strlen(b->code) > BANK_CODE_CHARS_MAX) {
        complain("--as: '%s' is too long for a bank", b->code);
        return false;
    }
    return args_int(args, "delay-ms", 0, MAX_WAIT_MS, &b->delay_ms) &&
           args_int(args, "batch", 1, BANK_BATCH_MAX, &b->batch) &&
           args_int(args, "windows-ms", 0, MAX_WAIT_MS, &b->windows_ms) &&
           args_int(args, "tax-bps", 0, 10000, &b->tax_bps) &&
           args_int(args, "tax-bps-pseb", 0, 10000, &b->tax_bps_pseb) &&
           read_script(args_get(args, "script"), &b->script) && read_shorthands(args, b) &&
           (!args_has(args, "files") || fits_files(&b->script));
}

static void make_events(struct bank *b, long long seconds)
{
    b->base = grpc_client_base(b->caller.client);
    b->timer = evtimer_new(b->base, on_timer, b);
    b->due_timer = evtimer_new(b->base, on_due, b);
    b->stream_timer = evtimer_new(b->base, on_stream_timer, b);
    b->inquiries_timer = evtimer_new(b->base, on_inquiries_timer, b);
    b->windows_timer = evtimer_new(b->base, on_windows_timer, b);
    b->stops[0] = evsignal_new(b->base, SIGINT, on_stop, b);
    b->stops[1] = evsignal_new(b->base, SIGTERM, on_stop, b);
    b->stops[2] = evtimer_new(b->base, on_stop, b);
    if (b->timer == NULL || b->due_timer == NULL || b->stream_timer == NULL ||
        b->inquiries_timer == NULL || b->windows_timer == NULL || b->stops[0] == NULL ||
        b->stops[1] == NULL || b->stops[2] == NULL)
        abort();
    event_add(b->stops[0], NULL);
    event_add(b->stops[1], NULL);
    if (seconds > 0)
        bank_wait_ms(b->stops[2], seconds * 1000);
}

static void free_events(struct bank *b)
{
    event_free(b->timer);
    event_free(b->due_timer);
    event_free(b->stream_timer);
    event_free(b->inquiries_timer);
    event_free(b->windows_timer);
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
    code = args_has(args, "files") ? EXIT_DONE : caller_open(args, &b->caller);
    if (code != EXIT_DONE)
        goto out;
    code = EXIT_REFUSED;
    if (!bank_state_open(args_get(args, "state"), b->code, &b->state))
        goto out;
    bank_work_init(&b->work, b->state);
    b->code_at_end = EXIT_DONE;
    if (args_has(args, "files")) {
        b->work.in_files = true;
        code = bank_files_run(args, b, seconds);
        goto out;
    }
    make_events(b, seconds);
    open_stream(b);
    bank_open_inquiries(b);
    if (b->windows_ms > 0)
        bank_wait_ms(b->windows_timer, b->windows_ms);
    bank_go_on(b);
    event_base_dispatch(b->base);
    code = b->surprised && b->code_at_end == EXIT_DONE ? EXIT_REFUSED : b->code_at_end;
    free_events(b);
out:
    b->stopping = true;
    b->closing = true;
    caller_close(&b->caller);
    bank_state_close(&b->state);
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
        code = caller_ask(&caller, BANK_SETTLEMENT "GetPosition", &wire_get_position_request_type,
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
