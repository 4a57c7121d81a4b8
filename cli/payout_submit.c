/* ujrat payout submit: a file of payouts, in chunks, until every one of them has a definite answer. */
#include "base/clock.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/payout_file.h"
#include "cli/payout_results.h"
#include "cli/platform_profile.h"
#include "cli/report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_SUBMIT "/ujrat.payout.v1.PayoutService/SubmitPayouts"

const char payout_submit_help[] =
    "FILE is one of three, which shows in its first character:\n"
    "  CSV whose first line names the columns: reference,amount,currency, then beneficiary (a registered\n"
    "    one's name, or `beneficiaries/5`) or name,cnic,channel and iban, or mobile and bank; pseb,\n"
    "    purpose, info and quote if there is something to say. The channel is export or remittance\n"
    "  JSON Lines: an object a line, its members named like those columns, all of them strings\n"
    "  ISO 20022 pain.001.001.09: EndToEndId is the reference, InstdAmt what you pay, the purpose code\n"
    "    (RgltryRptg) 9186 or 9471, the CNIC an identification of the scheme NIDN\n"
    "A file with a line that cannot be read is not sent at all. Sending a file again is safe: a payout that\n"
    "was accepted before is answered as DUPLICATE and not paid twice. What the gateway could not answer is\n"
    "asked again under the same reference. With --results what became of each is kept as it comes, and\n"
    "the same command goes on where it was cut off: it asks only for what was not accepted yet.\n"
    "--profile takes a file like those of deploy/platforms/.\n"
    "Exit status 1 when a payout was refused, 3 when one's outcome is still unknown.";

const struct option_row payout_submit_options[] = {
    {"chunk", "N", "payouts in one call, 1 to 15000 (1000)", false},
    {"tries", "N", "how often to ask again for what has no definite answer (8)", false},
    {"results", "FILE", "keep what became of each payout there, and go on from it", false},
    {"platform", "CODE", "whose `beneficiaries/5` are (what --as says, in small letters)", false},
    {"profile", "FILE", "the platform's: fills what the file leaves out, checks the rest", false},
    {"summary", NULL, "show only what was not accepted, and the sums", false},
    {NULL, NULL, NULL, false},
};

struct submit {
    const struct args *args;
    struct caller caller;
    struct platform_profile profile;
    struct payout_file file;
    struct payout_answer *answers;
    long long chunk, tries;
    struct payout_results results;
    size_t n_definite, n_known; /* n_known: from the file of results */
    int64_t began_us;
    bool progress;
};

/* "\r 12000 of 15000 payouts answered (80%), 9300/s, 0:02 left" */
static void show_progress(const struct submit *s)
{
    int64_t took_us = clock_monotonic_us() - s->began_us;
    size_t done = s->n_definite - s->n_known;

    if (!s->progress)
        return;
    fprintf(stderr, "\r\033[K%zu of %zu payouts answered (%zu%%)", s->n_definite, s->file.n,
            s->n_definite * 100 / s->file.n);
    if (done == 0 || took_us < US_PER_SEC / 2)
        return;
    int64_t left_s = took_us / US_PER_SEC * (int64_t)(s->file.n - s->n_definite) / (int64_t)done;
    fprintf(stderr, ", %lld/s, %lld:%02lld left", (long long)((int64_t)done * US_PER_SEC / took_us),
            (long long)(left_s / 60), (long long)(left_s % 60));
}

static void take_answer(struct submit *s, size_t i, const struct wire_submit_payout_result *result)
{
    struct payout_answer *a = &s->answers[i];

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
    if (!payout_outcome_is_definite(a->outcome))
        return;
    s->n_definite++;
    payout_results_add(&s->results, &s->file, i, a);
}

/* The call as a whole had no answer: what may have been done is UNKNOWN, not failed. */
static void take_no_answer(struct submit *s, const size_t *which, size_t n)
{
    const grpc_reply_t *reply = &s->caller.reply;

    for (size_t k = 0; k < n; k++) {
        struct payout_answer *a = &s->answers[which[k]];

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
        if (!payout_outcome_is_definite(s->answers[i].outcome))
            which[n++] = i;
        if (n == (size_t)s->chunk || (i + 1 == s->file.n && n > 0)) {
            if (!send_chunk(s, items, which, n) || !payout_results_sync(&s->results))
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
                    const struct payout_answer *a)
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
        fprintf(
            args_json(s->args) ? stderr : stdout,
            "%zu payouts (%s) in %lld.%03lld s: %zu accepted, %zu had been before, %zu refused, "
            "%zu not done, %zu unknown\n",
            s->file.n, s->file.form, (long long)(took_us / US_PER_SEC),
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

/* Whose beneficiaries a short name is of: --platform, or what --as says. */
static const char *platform_of(const struct args *args, char out[64])
{
    const char *said = args_get(args, "platform");

    if (said != NULL)
        return said;
    said = args_get(args, "as");
    (void)snprintf(out, 64, "%s", said == NULL ? "" : said);
    for (char *p = out; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

static bool read_all(struct submit *s)
{
    const char *path = s->args->operands[0];
    const char *results = args_get(s->args, "results");
    char platform[64];

    if (!platform_profile_read(args_get(s->args, "profile"), &s->profile) ||
        !payout_file_read(path, platform_of(s->args, platform),
                          platform_profile_text(&s->profile, "channel") != NULL, &s->file) ||
        !platform_profile_apply(&s->profile, path, &s->file))
        return false;
    s->answers = calloc(s->file.n, sizeof *s->answers);
    if (s->answers == NULL) {
        complain("out of memory");
        return false;
    }
    if (results == NULL)
        return true;
    if (!payout_results_open(&s->results, results, &s->file, s->answers, &s->n_known))
        return false;
    s->n_definite = s->n_known;
    if (s->n_known > 0 && !args_quiet(s->args))
        fprintf(stderr, "%zu of %zu payouts were accepted before, as %s says\n", s->n_known,
                s->file.n, results);
    return true;
}

enum exit_code payout_submit_run(const struct args *args)
{
    struct submit s = {.args = args, .chunk = 1000, .tries = 8, .began_us = clock_monotonic_us()};
    enum exit_code code;

    if (!args_int(args, "chunk", 1, WIRE_PAYOUTS_MAX, &s.chunk) ||
        !args_int(args, "tries", 0, 1000, &s.tries))
        return EXIT_USAGE;
    code = caller_open(args, &s.caller);
    if (code != EXIT_DONE)
        return code;
    if (!read_all(&s)) {
        code = EXIT_USAGE;
        goto out;
    }
    s.progress = isatty(STDERR_FILENO) && !args_quiet(args) && s.file.n > (size_t)s.chunk;
    if (!send_all(&s) && s.n_definite == 0 && s.answers[0].outcome != WIRE_OUTCOME_UNKNOWN)
        code = EXIT_REFUSED; /* told already */
    else
        code = print_all(&s, clock_monotonic_us() - s.began_us);
out:
    payout_results_close(&s.results);
    platform_profile_free(&s.profile);
    free(s.answers);
    payout_file_free(&s.file);
    caller_close(&s.caller);
    return code;
}
