/*
 * Posting alone: the batcher against PostgreSQL, no network in between. Prints payouts per second.
 *
 *   UJRAT_BENCH_DB=URI bench_post PAYOUTS [BOOKS [JOB]]
 *
 * With UJRAT_BENCH_SEAL_DB (the URI of ujrat_sealer) and UJRAT_BENCH_SEAL_KEYS (a folder) a sealer runs beside it, in a
 * process of its own, and is handed what is posted, as a gateway's is. Then there is a round of PAYOUTS / 4 first, to
 * warm up, and after each round, when its figures are printed, it goes on sealing until there is a line on standard input.
 *
 * Books 1..BOOKS must exist with a float in USD, a bank, beneficiaries 1..1000 and rate sheet 1
 * (tests/bench/run.py sees to it). JOB payouts are posted by one call (1: as unary calls do).
 */
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "domain/ccy.h"
#include "domain/pricing.h"
#include "gateway/handover.h"
#include "ledger/ledger.h"
#include "seal/sealer.h"

enum { JOBS_IN_FLIGHT = 4096, JOB_MAX = 1000, BENEFICIARIES = 1000 };

struct bench;

struct job {
    struct bench *bench;
    int32_t book;
    unsigned n;
    struct payout_draft *drafts;
    struct payout_posted *posted;
    char (*reference)[32];
    unsigned char (*fingerprint)[16];
};

struct bench {
    struct event_base *base;
    struct ledger *ledger;
    int32_t books;
    unsigned job_payouts;
    uint64_t total, begun, done, failed;
    uint64_t run_id;
    struct pricing pricing;
    struct payout_accounts accounts;
};

static void post_next(struct job *job);

static void on_posted(void *user)
{
    struct job *job = user;
    struct bench *b = job->bench;
    for (unsigned i = 0; i < job->n; i++)
        b->failed += job->posted[i].outcome != LEDGER_DONE;
    b->done += job->n;
    if (b->begun < b->total)
        post_next(job);
    else if (b->done >= b->total)
        event_base_loopbreak(b->base);
}

static void post_next(struct job *job)
{
    struct bench *b = job->bench;
    const uint64_t left = b->total - b->begun;
    job->n = left < b->job_payouts ? (unsigned)left : b->job_payouts;
    for (unsigned i = 0; i < job->n; i++) {
        const uint64_t id = b->begun++;
        struct payout_draft *d = &job->drafts[i];
        const int len =
            snprintf(job->reference[i], sizeof job->reference[i], "B%" PRIx64 "-%010" PRIu64,
                     b->run_id, (uint64_t)(id * 7919 % 10000000019ULL));
        memcpy(job->fingerprint[i], &id, sizeof id);
        *d = (struct payout_draft){
            .reference = slice_of(job->reference[i], (size_t)len),
            .fingerprint = slice_of(job->fingerprint[i], 16),
            .beneficiary_id = 1 + (int64_t)(id % BENEFICIARIES),
            .gross = b->pricing.gross.minor,
            .fee = b->pricing.fee.minor,
            .mid_rate_e10 = b->pricing.mid.e10,
            .mid_value = b->pricing.mid_value.minor,
            .margin = b->pricing.margin.minor,
            .net = b->pricing.net.minor,
            .rate_id = 1,
            .policy_id =
                b->books, /* setup.sql: a version a book, each with the terms of those before it */
            .margin_bps = b->pricing.margin_bps,
            .src_ccy = CCY_USD,
            .dst_ccy = CCY_PKR,
        };
        journal_payout(&b->pricing, &b->accounts, &d->journal);
    }
    ledger_post(b->ledger, job->book, 1, job->drafts, job->posted, job->n,
                clock_monotonic_us() + 60 * US_PER_SEC, on_posted, job);
}

static void *must_alloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (p == NULL)
        abort();
    return p;
}

static void begin_jobs(struct bench *b)
{
    const unsigned jobs = JOBS_IN_FLIGHT / b->job_payouts < 2
                              ? 2 * (unsigned)b->books
                              : JOBS_IN_FLIGHT / b->job_payouts * (unsigned)b->books;
    for (unsigned i = 0; i < jobs && b->begun < b->total; i++) {
        struct job *job = must_alloc(1, sizeof *job);
        job->bench = b;
        job->book = 1 + (int32_t)(i % (unsigned)b->books);
        job->drafts = must_alloc(b->job_payouts, sizeof *job->drafts);
        job->posted = must_alloc(b->job_payouts, sizeof *job->posted);
        job->reference = must_alloc(b->job_payouts, sizeof *job->reference);
        job->fingerprint = must_alloc(b->job_payouts, sizeof *job->fingerprint);
        post_next(job);
    }
}

/* The accounts as open_book and open_currency number them: see ledger/schema/functions/operations.sql. */
static void price(struct bench *b, int32_t account_base)
{
    const struct pricing_terms terms = {
        .ccy_dst = CCY_PKR, .mid = {2779612000000}, .margin_bps = 50, .fee = {.fixed_minor = 100}};
    if (pricing_compute((money_t){10000, CCY_USD}, &terms, &b->pricing) != REASON_NONE)
        abort();
    b->accounts = (struct payout_accounts){
        .float_src = account_base,
        .fee_income_src = account_base + 2,
        .position_src = account_base + 3,
        .position_dst = 1,
        .margin_income_dst = 2,
        .payable_bank_dst = LEDGER_ACCOUNT_PAYABLE,
    };
}

/* Until whoever made it has ended. */
static _Noreturn void seal(int fd, const char *uri, const char *keys)
{
    struct sealer *sealer;
    const struct sealer_config config = {.uri = uri,
                                         .keys_folder = keys,
                                         .interval_ms = 200,
                                         .timeout_ms = 30000,
                                         .handover_fds = {fd},
                                         .n_handover_fds = 1};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "bench-sealer");
    if (err_failed(sealer_new(&config, &sealer)))
        abort();
    for (;;)
        (void)sealer_wait(sealer, -1, sealer_step(sealer));
}

/* The worker's end of a socket to a sealer; -1: none is asked for. */
static int start_sealer(void)
{
    int pair[2];
    const char *uri = getenv("UJRAT_BENCH_SEAL_DB"), *keys = getenv("UJRAT_BENCH_SEAL_KEYS");
    if (uri == NULL || keys == NULL)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        abort();
    const int size = 4 << 20; /* as the master asks for */
    (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        close(pair[0]);
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        seal(pair[1], uri, keys);
    }
    close(pair[1]);
    return pair[0];
}

static uint64_t number(const char *text)
{
    char *end;
    const uint64_t value = strtoull(text, &end, 10);
    if (end == text || *end != '\0') {
        fprintf(stderr, "bench_post: '%s' is not a number\n", text);
        exit(2);
    }
    return value;
}

/* A line, or the end. */
static void wait_for_input(void)
{
    char byte = 0;
    while (byte != '\n' && read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

/* Posts so many, and prints how fast. */
static void run_round(struct bench *b, uint64_t payouts)
{
    const uint64_t before = b->done;
    const int64_t from_us = clock_monotonic_us();
    const clock_t cpu_from = clock();
    b->total = b->begun + payouts;
    begin_jobs(b);
    event_base_dispatch(b->base);
    const double seconds = (double)(clock_monotonic_us() - from_us) / 1e6;
    const double cpu_us = (double)(clock() - cpu_from) * 1e6 / CLOCKS_PER_SEC;
    const uint64_t done = b->done - before;
    printf("{\"payouts\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"seconds\": %.3f, \"payouts_per_s\": %.0f, \"client_cpu_us_per_payout\": %.2f}\n",
           done, b->failed, seconds, (double)done / seconds, cpu_us / (double)done);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *uri = getenv("UJRAT_BENCH_DB");
    const char *float_account = getenv("UJRAT_BENCH_FLOAT_ACCOUNT");
    if (argc < 2 || uri == NULL || float_account == NULL) {
        fprintf(stderr,
                "usage: UJRAT_BENCH_DB=URI UJRAT_BENCH_FLOAT_ACCOUNT=N %s PAYOUTS [BOOKS [JOB]]\n",
                argv[0]);
        return 2;
    }
    struct bench b = {.base = event_base_new(), .books = 1, .job_payouts = 100};
    const uint64_t payouts = number(argv[1]);
    if (argc > 2)
        b.books = (int32_t)number(argv[2]);
    if (argc > 3)
        b.job_payouts = (unsigned)number(argv[3]);
    if (b.base == NULL || payouts == 0 || b.books < 1 || b.job_payouts < 1 ||
        b.job_payouts > JOB_MAX)
        return 2;
    b.run_id = (uint64_t)clock_realtime_us();
    price(&b, (int32_t)number(float_account));
    const char *batch = getenv("UJRAT_BENCH_BATCH");
    struct handover handover;
    handover_init(&handover, start_sealer(), NULL);
    const struct ledger_config config = {
        .uri = uri,
        .connections = (unsigned)b.books,
        .batch_payouts_max = batch == NULL ? 2000 : (unsigned)number(batch),
        .queue_payouts_max = 1000000,
        .queue_statements_max = 100,
        .statement_timeout_ms = 30000,
        .on_block = handover.fd < 0 ? NULL : handover_block,
        .on_block_user = &handover,
    };
    if (err_failed(ledger_new(b.base, &config, &b.ledger)))
        return 1;
    while (ledger_connections_up(b.ledger) < config.connections)
        event_base_loop(b.base, EVLOOP_ONCE);
    if (handover.fd >= 0) {
        run_round(&b, payouts / 4);
        wait_for_input();
    }
    run_round(&b, payouts);
    if (handover.fd >= 0)
        wait_for_input();
    ledger_free(&b.ledger);
    handover_deinit(&handover);
    event_base_free(b.base);
    return b.failed == 0 ? 0 : 1;
}
