/* ujrat payout submit: a file of payouts, in chunks, until every one of them has a definite answer. */
#include "base/clock.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/payout_file.h"
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_SUBMIT "/ujrat.payout.v1.PayoutService/SubmitPayouts"

const char payout_submit_help[] =
    "FILE is CSV whose first line names the columns: reference,amount,currency, then beneficiary (a\n"
    "registered one's name) or name,cnic,channel and iban, or mobile and bank; pseb, purpose, info and\n"
    "quote if there is something to say. The channel is export or remittance. A file with a line that\n"
    "cannot be read is not sent at all. Sending a file again is safe: a payout that was accepted before\n"
    "is answered as DUPLICATE and not paid twice. What the gateway could not answer is asked again under\n"
    "the same reference. Exit status 1 when a payout was refused, 3 when one's outcome is still unknown.";

const struct option_row payout_submit_options[] = {
    {"chunk", "N", "payouts in one call, 1 to 15000 (1000)", false},
    {"tries", "N", "how often to ask again for what has no definite answer (8)", false},
    {"summary", NULL, "show only what was not accepted, and the sums", false},
    {NULL, NULL, NULL, false},
};

/* One payout's answer, with text of its own. */
struct answer {
    int32_t outcome; /* 0: not asked yet */
    char payout[64];
    char fee[MONEY_TEXT_SIZE], net[MONEY_TEXT_SIZE];
    char net_ccy[8];
    char why[256];
};

struct submit {
    const struct args *args;
    struct caller caller;
    struct payout_file file;
    struct answer *answers;
    long long chunk, tries;
    size_t n_definite;
    bool progress;
};

static bool is_definite(int32_t outcome)
{
    return outcome == WIRE_OUTCOME_ACCEPTED || outcome == WIRE_OUTCOME_DUPLICATE ||
           outcome == WIRE_OUTCOME_REFUSED;
}

static void show_progress(const struct submit *s)
{
    if (s->progress)
        fprintf(stderr, "\r%zu of %zu payouts answered", s->n_definite, s->file.n);
}

static void take_answer(struct submit *s, size_t i, const struct wire_submit_payout_result *result)
{
    struct answer *a = &s->answers[i];

    a->outcome = result->outcome;
    slice_text(result->payout, a->payout, sizeof a->payout);
    wire_money_text(&result->fee, a->fee);
    wire_money_text(&result->net, a->net);
    slice_text(result->net.currency_code, a->net_ccy, sizeof a->net_ccy);
    a->why[0] = '\0';
    if (result->reason.len > 0 || result->message.len > 0)
        snprintf(a->why, sizeof a->why, "%.*s%s%.*s%s %.*s", SLICE_ARG(result->reason),
                 result->field.len > 0 ? " (" : "", SLICE_ARG(result->field),
                 result->field.len > 0 ? "):" : ":", SLICE_ARG(result->message));
    if (is_definite(a->outcome))
        s->n_definite++;
}

/* The call as a whole had no answer: what may have been done is UNKNOWN, not failed. */
static void take_no_answer(struct submit *s, const size_t *which, size_t n)
{
    const grpc_reply_t *reply = &s->caller.reply;

    for (size_t k = 0; k < n; k++) {
        struct answer *a = &s->answers[which[k]];

        /* An UNKNOWN stays one: this call not having left says nothing about those before it. */
        if (a->outcome != WIRE_OUTCOME_UNKNOWN)
            a->outcome =
                reply->may_have_been_processed ? WIRE_OUTCOME_UNKNOWN : WIRE_OUTCOME_NOT_DONE;
        snprintf(a->why, sizeof a->why, "%s: %s", grpc_status_name(reply->status), reply->message);
    }
}

/* One call for the payouts at those places. False: there is no point in going on. */
static bool send_chunk(struct submit *s, struct wire_submit_payout_request *items,
                       const size_t *which, size_t n)
{
    struct wire_submit_payouts_request request = {.present = true};
    struct wire_submit_payouts_response response;

    for (size_t k = 0; k < n; k++)
        items[k] = s->file.items[which[k]];
    request.payouts.items = items;
    request.payouts.n = (uint32_t)n;
    if (caller_try(&s->caller, PATH_SUBMIT, &wire_submit_payouts_request_type, &request,
                   &wire_submit_payouts_response_type, &response)) {
        if (response.results.n != n) {
            complain("the gateway answered %u of %zu payouts", response.results.n, n);
            return false;
        }
        for (size_t k = 0; k < n; k++)
            take_answer(s, which[k], &response.results.items[k]);
        return true;
    }
    take_no_answer(s, which, n);
    if (status_may_pass(s->caller.reply.status))
        return true;
    complain_status("SubmitPayouts", s->caller.reply.status, slice_str(s->caller.reply.message),
                    slice_of(s->caller.reply.details, s->caller.reply.details_length));
    return false;
}

/* Everything without a definite answer, once. */
static bool send_round(struct submit *s, struct wire_submit_payout_request *items, size_t *which)
{
    size_t n = 0;

    for (size_t i = 0; i < s->file.n; i++) {
        if (!is_definite(s->answers[i].outcome))
            which[n++] = i;
        if (n == (size_t)s->chunk || (i + 1 == s->file.n && n > 0)) {
            if (!send_chunk(s, items, which, n))
                return false;
            n = 0;
            show_progress(s);
        }
    }
    return true;
}

static bool send_all(struct submit *s)
{
    struct wire_submit_payout_request *items = calloc((size_t)s->chunk, sizeof *items);
    size_t *which = calloc((size_t)s->chunk, sizeof *which);
    bool ok = items != NULL && which != NULL;

    for (long long round = 0; ok && s->n_definite < s->file.n && round <= s->tries; round++) {
        /* 0.1 s, 0.2 s ... at most 5 s */
        long wait_ms = round == 0 ? 0 : round < 7 ? 50L << round : 5000;

        nanosleep(&(struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000}, NULL);
        ok = send_round(s, items, which);
    }
    if (s->progress)
        fputs("\r\033[K", stderr);
    free(items);
    free(which);
    return ok;
}

/* ---------------------------------------------------------------- what came of it */

static void add_row(struct report *report, const struct wire_submit_payout_request *item,
                    const struct answer *a)
{
    char reference[72];
    char gross[MONEY_TEXT_SIZE];
    char ccy[8];

    report_add(report, (const char *const[]){
                           slice_text(item->reference, reference, sizeof reference),
                           wire_money_text(&item->gross, gross),
                           slice_text(item->gross.currency_code, ccy, sizeof ccy), a->fee, a->net,
                           a->net_ccy, outcome_shown(a->outcome), a->payout, a->why});
}

static void print_answers(const struct submit *s)
{
    static const struct report_column columns[] = {
        {"reference", REPORT_TEXT}, {"gross", REPORT_AMOUNT}, {"currency", REPORT_TEXT},
        {"fee", REPORT_AMOUNT},     {"net", REPORT_AMOUNT},   {"net currency", REPORT_TEXT},
        {"outcome", REPORT_TEXT},   {"payout", REPORT_TEXT},  {"why", REPORT_TEXT}};
    bool all = !args_has(s->args, "summary") && s->file.n <= 1000;
    struct report *report = NULL;

    report_new(columns, 9, &report);
    for (size_t i = 0; i < s->file.n && report_rows(report) < 50000; i++)
        if (all || (s->answers[i].outcome != WIRE_OUTCOME_ACCEPTED &&
                    s->answers[i].outcome != WIRE_OUTCOME_DUPLICATE))
            add_row(report, &s->file.items[i], &s->answers[i]);
    if (report_rows(report) > 0 || args_json(s->args))
        report_print(report, args_json(s->args));
    report_free(&report);
}

static enum exit_code print_all(const struct submit *s, int64_t took_us)
{
    size_t count[6] = {0};

    print_answers(s);
    for (size_t i = 0; i < s->file.n; i++)
        if (s->answers[i].outcome >= 0 && s->answers[i].outcome < 6)
            count[s->answers[i].outcome]++;
    fflush(stdout);
    if (!args_quiet(s->args))
        fprintf(args_json(s->args) ? stderr : stdout,
                "%zu payouts in %lld.%03lld s: %zu accepted, %zu had been before, %zu refused, "
                "%zu not done, %zu unknown\n",
                s->file.n, (long long)(took_us / US_PER_SEC),
                (long long)(took_us % US_PER_SEC / 1000), count[WIRE_OUTCOME_ACCEPTED],
                count[WIRE_OUTCOME_DUPLICATE], count[WIRE_OUTCOME_REFUSED],
                count[WIRE_OUTCOME_NOT_DONE] + count[0], count[WIRE_OUTCOME_UNKNOWN]);
    if (count[WIRE_OUTCOME_UNKNOWN] > 0) {
        complain("UNKNOWN is not failed: send the same file again to find out");
        return EXIT_UNKNOWN;
    }
    return count[WIRE_OUTCOME_ACCEPTED] + count[WIRE_OUTCOME_DUPLICATE] == s->file.n ? EXIT_DONE
                                                                                     : EXIT_REFUSED;
}

enum exit_code payout_submit_run(const struct args *args)
{
    struct submit s = {.args = args, .chunk = 1000, .tries = 8};
    int64_t began = clock_monotonic_us();
    enum exit_code code;

    if (!args_int(args, "chunk", 1, WIRE_PAYOUTS_MAX, &s.chunk) ||
        !args_int(args, "tries", 0, 1000, &s.tries))
        return EXIT_USAGE;
    code = caller_open(args, &s.caller);
    if (code != EXIT_DONE)
        return code;
    if (!payout_file_read(args->operands[0], &s.file)) {
        code = EXIT_USAGE;
        goto out;
    }
    s.answers = calloc(s.file.n, sizeof *s.answers);
    if (s.answers == NULL) {
        code = EXIT_REFUSED;
        goto out;
    }
    s.progress = isatty(STDERR_FILENO) && !args_quiet(args) && s.file.n > (size_t)s.chunk;
    if (!send_all(&s) && s.n_definite == 0 && s.answers[0].outcome != WIRE_OUTCOME_UNKNOWN)
        code = EXIT_REFUSED; /* told already */
    else
        code = print_all(&s, clock_monotonic_us() - began);
out:
    free(s.answers);
    payout_file_free(&s.file);
    caller_close(&s.caller);
    return code;
}
