/*
 * A platform that pays as fast as it may, over mTLS gRPC: throughput and latency as a client sees them.
 *
 *   bench_client unary   PAYOUTS STREAMS CONNECTIONS      calls kept open all the time
 *   bench_client batch   PAYOUTS ITEMS CALLS              SubmitPayouts of ITEMS, CALLS of them open
 *   bench_client latency SECONDS RATE                     SubmitPayout at RATE a second, open loop
 *   bench_client idle    CONNECTIONS SECONDS              connects, and stays
 *   bench_client settle  INSTRUCTIONS ITEMS CALLS         banks that watch their instructions until there were so many
 *                                                         in all, and confirm them: ITEMS a call, CALLS of them open a
 *                                                         bank; from UJRAT_TOKEN_i on, where the last run ended
 *
 * Environment: UJRAT_ADDR, UJRAT_CA, and UJRAT_CERT_i, UJRAT_KEY_i, UJRAT_PLATFORM_i for i = 1..UJRAT_BENCH_BOOKS:
 * the load is spread over that many platforms (with settle: banks). Prints one line of JSON. A refusal of any payout is an error.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "gateway/net/grpc_client.h"
#include "ujrat/payout/v1/payout.pb-c.h"
#include "ujrat/settlement/v1/settlement.pb-c.h"

enum { BENEFICIARIES = 1000, PLATFORMS_MAX = 4, CONNECTIONS_MAX = 20000, SAMPLES_MAX = 4000000 };

struct platform {
    char name[64];
    unsigned next_beneficiary;
};

struct bench {
    struct event_base *base;
    struct platform platforms[PLATFORMS_MAX];
    unsigned platform_count;
    grpc_client_t *clients[CONNECTIONS_MAX];
    unsigned client_count;
    unsigned batch_items; /* 0: unary */
    uint64_t total, begun, done, failed;
    uint64_t run_id;
    char first_failure[160];
    /* latency */
    double rate_per_s;
    int64_t from_us, until_us;
    uint32_t *sample_us;
    uint64_t samples, dropped;
    uint8_t *buffer;
    size_t buffer_size;
};

struct call {
    struct bench *bench;
    unsigned client;
    unsigned n;
    int64_t due_us; /* latency counts from when the call was due, not from when it could be sent */
};

static void fail(struct bench *b, const char *what, size_t len)
{
    if (b->failed++ == 0)
        snprintf(b->first_failure, sizeof b->first_failure, "%.*s", (int)len, what);
}

/* ---------------------------------------------------------------- requests */

static size_t pack_payout(struct bench *b, unsigned platform, uint8_t *out)
{
    char reference[40], beneficiary[96];
    struct platform *p = &b->platforms[platform];
    snprintf(reference, sizeof reference, "B%" PRIx64 "-%010" PRIu64, b->run_id,
             (uint64_t)(b->begun * 7919 % 10000000019ULL));
    snprintf(beneficiary, sizeof beneficiary, "platforms/%s/beneficiaries/%u", p->name,
             1 + p->next_beneficiary++ % BENEFICIARIES);
    char usd[] = "USD";
    Ujrat__Type__V1__Money gross;
    ujrat__type__v1__money__init(&gross);
    gross.currency_code = usd;
    gross.minor_units = 10000;
    Ujrat__Payout__V1__SubmitPayoutRequest request;
    ujrat__payout__v1__submit_payout_request__init(&request);
    request.reference = reference;
    request.gross = &gross;
    request.beneficiary = beneficiary;
    b->begun++;
    return ujrat__payout__v1__submit_payout_request__pack(&request, out);
}

static size_t put_varint(uint8_t *out, size_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

/* SubmitPayoutsRequest.payouts is field 1: each item behind its tag and length. */
static size_t pack_payouts(struct bench *b, unsigned platform, unsigned n)
{
    size_t at = 0;
    for (unsigned i = 0; i < n; i++) {
        uint8_t item[256];
        const size_t len = pack_payout(b, platform, item);
        b->buffer[at++] = 0x0a;
        at += put_varint(b->buffer + at, len);
        memcpy(b->buffer + at, item, len);
        at += len;
    }
    return at;
}

/* ---------------------------------------------------------------- calls */

static void call_next(struct call *call);

static void count_results(struct bench *b, const struct grpc_result *result, unsigned n)
{
    Ujrat__Payout__V1__SubmitPayoutsResponse *r =
        ujrat__payout__v1__submit_payouts_response__unpack(NULL, result->bytes_length,
                                                           result->bytes);
    if (r == NULL || r->n_results != n) {
        fail(b, "unreadable answer", 17);
    } else {
        for (size_t i = 0; i < r->n_results; i++)
            if (r->results[i]->outcome !=
                UJRAT__PAYOUT__V1__SUBMIT_PAYOUT_RESULT__OUTCOME__OUTCOME_ACCEPTED)
                fail(b, r->results[i]->reason, strlen(r->results[i]->reason));
    }
    if (r != NULL)
        ujrat__payout__v1__submit_payouts_response__free_unpacked(r, NULL);
}

static void on_done(void *user, const struct grpc_result *result)
{
    struct call *call = user;
    struct bench *b = call->bench;
    if (result->status != GRPC_OK)
        fail(b, result->message, result->message_length);
    else if (b->batch_items > 0)
        count_results(b, result, call->n);
    b->done += call->n;
    if (b->rate_per_s > 0) {
        if (b->samples < SAMPLES_MAX)
            b->sample_us[b->samples++] = (uint32_t)(clock_monotonic_us() - call->due_us);
        free(call);
        return;
    }
    if (b->begun < b->total && b->failed == 0)
        call_next(call);
    else if (b->done >= b->begun)
        event_base_loopbreak(b->base);
}

static void call_next(struct call *call)
{
    struct bench *b = call->bench;
    const unsigned platform = call->client % b->platform_count;
    if (b->batch_items == 0) {
        call->n = 1;
        const size_t len = pack_payout(b, platform, b->buffer);
        grpc_client_unary(b->clients[call->client], "/ujrat.payout.v1.PayoutService/SubmitPayout",
                          b->buffer, len, 60000, on_done, call);
    } else {
        const uint64_t left = b->total - b->begun;
        call->n = left < b->batch_items ? (unsigned)left : b->batch_items;
        const size_t len = pack_payouts(b, platform, call->n);
        grpc_client_unary(b->clients[call->client], "/ujrat.payout.v1.PayoutService/SubmitPayouts",
                          b->buffer, len, 60000, on_done, call);
    }
}

static struct call *call_new(struct bench *b, unsigned client)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        abort();
    call->bench = b;
    call->client = client;
    return call;
}

/* ---------------------------------------------------------------- connections */

static uint64_t number(const char *text)
{
    char *end;
    const uint64_t value = strtoull(text, &end, 10);
    if (end == text || *end != '\0') {
        fprintf(stderr, "bench_client: '%s' is not a number\n", text);
        exit(2);
    }
    return value;
}

static double real(const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0') {
        fprintf(stderr, "bench_client: '%s' is not a number\n", text);
        exit(2);
    }
    return value;
}

static const char *env(const char *name, unsigned i)
{
    char full[64];
    if (i > 0)
        snprintf(full, sizeof full, "%s_%u", name, i);
    else
        snprintf(full, sizeof full, "%s", name);
    const char *value = getenv(full);
    if (value == NULL) {
        fprintf(stderr, "bench_client: %s is not set\n", full);
        exit(2);
    }
    return value;
}

static void connect_all(struct bench *b, unsigned n)
{
    for (; b->client_count < n; b->client_count++) {
        const unsigned platform = 1 + b->client_count % b->platform_count;
        const struct grpc_client_config config = {
            .target = env("UJRAT_ADDR", 0),
            .authority = "localhost",
            .ca_file = env("UJRAT_CA", 0),
            .cert_file = env("UJRAT_CERT", platform),
            .key_file = env("UJRAT_KEY", platform),
        };
        struct net_error error;
        if (!grpc_client_new(&config, b->base, &error, &b->clients[b->client_count])) {
            fprintf(stderr, "bench_client: cannot make a client\n");
            exit(1);
        }
        grpc_client_connect(b->clients[b->client_count]);
        const int64_t until_us = clock_monotonic_us() + 10 * US_PER_SEC;
        while (!grpc_client_is_connected(b->clients[b->client_count])) {
            event_base_loop(b->base, EVLOOP_ONCE);
            if (clock_monotonic_us() > until_us) {
                fprintf(stderr, "bench_client: no connection: %s\n",
                        grpc_client_last_error(b->clients[b->client_count]));
                exit(1);
            }
        }
    }
}

/* ---------------------------------------------------------------- banks */

enum { CONFIRMATION_BYTES_MAX = 256, BATCHES_MAX = 4096 };

/* Confirmations of one call, as they are in the request. */
struct batch {
    unsigned n;
    size_t len;
    uint8_t bytes[];
};

struct bank {
    struct bench *bench;
    char token[256]; /* of the last instruction */
    grpc_client_t *saying;
    struct batch *filling;
    struct batch *full[BATCHES_MAX]; /* that wait for a call to end; a ring */
    unsigned first_full, full_count, calls_open, calls_max;
};

static void say_next(struct bank *k);

static void on_confirmed(void *user, const struct grpc_result *result)
{
    struct bank *k = user;
    struct bench *b = k->bench;
    k->calls_open--;
    if (result->status != GRPC_OK) {
        fail(b, result->message, result->message_length);
        event_base_loopbreak(b->base);
        return;
    }
    Ujrat__Settlement__V1__ConfirmInstructionsResponse *r =
        ujrat__settlement__v1__confirm_instructions_response__unpack(NULL, result->bytes_length,
                                                                     result->bytes);
    if (r == NULL) {
        fail(b, "unreadable answer", 17);
    } else {
        for (size_t i = 0; i < r->n_results; i++)
            if (r->results[i]->outcome !=
                UJRAT__SETTLEMENT__V1__CONFIRMATION_RESULT__OUTCOME__OUTCOME_RECORDED)
                fail(b, r->results[i]->reason, strlen(r->results[i]->reason));
        b->done += r->n_results;
        ujrat__settlement__v1__confirm_instructions_response__free_unpacked(r, NULL);
    }
    if (b->done >= b->total || b->failed > 0)
        event_base_loopbreak(b->base);
    else
        say_next(k);
}

static void say_next(struct bank *k)
{
    while (k->full_count > 0 && k->calls_open < k->calls_max) {
        struct batch *batch = k->full[k->first_full++ % BATCHES_MAX];
        k->full_count--;
        k->calls_open++;
        grpc_client_unary(k->saying, "/ujrat.settlement.v1.SettlementService/ConfirmInstructions",
                          batch->bytes, batch->len, 60000, on_confirmed, k);
        free(batch);
    }
}

static void batch_is_full(struct bank *k)
{
    if (k->full_count == BATCHES_MAX)
        abort();
    k->full[(k->first_full + k->full_count++) % BATCHES_MAX] = k->filling;
    k->filling = NULL;
    say_next(k);
}

static void confirm(struct bank *k, Ujrat__Settlement__V1__Instruction *i)
{
    const size_t bytes = k->bench->batch_items * (size_t)CONFIRMATION_BYTES_MAX;
    if (k->filling == NULL && (k->filling = calloc(1, sizeof *k->filling + bytes)) == NULL)
        abort();
    Ujrat__Settlement__V1__Confirmation c;
    ujrat__settlement__v1__confirmation__init(&c);
    c.instruction_id = i->instruction_id;
    c.status = UJRAT__SETTLEMENT__V1__CONFIRMATION__STATUS__SETTLED;
    c.amount = i->amount;
    c.bank_reference = i->instruction_id;
    const size_t len = ujrat__settlement__v1__confirmation__get_packed_size(&c);
    if (len + 8 > CONFIRMATION_BYTES_MAX)
        abort();
    uint8_t *out = k->filling->bytes + k->filling->len;
    *out = 0x0a; /* ConfirmInstructionsRequest.confirmations */
    const size_t head = 1 + put_varint(out + 1, len);
    ujrat__settlement__v1__confirmation__pack(&c, out + head);
    k->filling->len += head + len;
    k->bench->begun++;
    if (++k->filling->n == k->bench->batch_items)
        batch_is_full(k);
}

static void on_instructions(void *user, grpc_client_call_t *call, const uint8_t *bytes,
                            size_t length)
{
    struct bank *k = user;
    (void)call;
    Ujrat__Settlement__V1__WatchInstructionsResponse *r =
        ujrat__settlement__v1__watch_instructions_response__unpack(NULL, length, bytes);
    if (r == NULL) {
        fail(k->bench, "unreadable instructions", 23);
        return;
    }
    for (size_t i = 0; i < r->n_instructions; i++)
        confirm(k, r->instructions[i]);
    if (r->n_instructions > 0)
        snprintf(k->token, sizeof k->token, "%s",
                 r->instructions[r->n_instructions - 1]->resume_token);
    ujrat__settlement__v1__watch_instructions_response__free_unpacked(r, NULL);
}

static void on_stream_over(void *user, const struct grpc_result *result)
{
    struct bank *k = user;
    if (k->bench->done < k->bench->total)
        fail(k->bench, result->message, result->message_length);
    event_base_loopbreak(k->bench->base);
}

/* What is left when nothing more comes: all have been told. */
static void on_all_told(evutil_socket_t fd, short what, void *arg)
{
    struct bank *k = arg;
    (void)fd;
    (void)what;
    if (k->bench->begun >= k->bench->total && k->filling != NULL)
        batch_is_full(k);
}

static void watch(struct bank *k, unsigned i)
{
    const struct grpc_stream_handler handler = {on_instructions, on_stream_over, k};
    Ujrat__Settlement__V1__WatchInstructionsRequest request;
    ujrat__settlement__v1__watch_instructions_request__init(&request);
    char name[32];
    snprintf(name, sizeof name, "UJRAT_TOKEN_%u", i + 1);
    const char *begin = getenv(name);
    snprintf(k->token, sizeof k->token, "%s", begin == NULL ? "" : begin);
    request.resume_token = k->token;
    const size_t len =
        ujrat__settlement__v1__watch_instructions_request__pack(&request, k->bench->buffer);
    grpc_client_server_stream(k->bench->clients[i],
                              "/ujrat.settlement.v1.SettlementService/WatchInstructions",
                              k->bench->buffer, len, 0, &handler);
}

static void run_settle(struct bench *b, unsigned calls)
{
    static struct bank banks[PLATFORMS_MAX];
    struct event *ticks[PLATFORMS_MAX];
    const struct timeval every = {0, 1000};
    connect_all(b, 2 * b->platform_count);
    b->from_us = clock_monotonic_us();
    const clock_t cpu_from = clock();
    for (unsigned i = 0; i < b->platform_count; i++) {
        struct bank *k = &banks[i];
        k->bench = b;
        k->saying = b->clients[b->platform_count + i];
        k->calls_max = calls;
        watch(k, i);
        ticks[i] = event_new(b->base, -1, EV_PERSIST, on_all_told, k);
        event_add(ticks[i], &every);
    }
    event_base_dispatch(b->base);
    const double seconds = (double)(clock_monotonic_us() - b->from_us) / 1e6;
    const double cpu_us = (double)(clock() - cpu_from) * 1e6 / CLOCKS_PER_SEC;
    for (unsigned i = 0; i < b->platform_count; i++)
        event_free(ticks[i]);
    printf("{\"instructions\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"seconds\": %.3f, \"instructions_per_s\": %.0f, \"client_cpu_us\": %.2f",
           b->done, b->failed, seconds, (double)b->done / seconds, cpu_us / (double)b->done);
    for (unsigned i = 0; i < b->platform_count; i++)
        printf(", \"token_%u\": \"%s\"", i + 1, banks[i].token);
}

/* ---------------------------------------------------------------- open loop */

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct bench *b = arg;
    (void)fd;
    (void)what;
    const int64_t now_us = clock_monotonic_us();
    if (now_us >= b->until_us) {
        if (b->done >= b->begun || now_us > b->until_us + 10 * US_PER_SEC)
            event_base_loopbreak(b->base);
        return;
    }
    const uint64_t due = (uint64_t)((double)(now_us - b->from_us) * b->rate_per_s / 1e6);
    while (b->begun < due) {
        struct call *call = call_new(b, (unsigned)(b->begun % b->client_count));
        call->due_us = b->from_us + (int64_t)((double)b->begun * 1e6 / b->rate_per_s);
        call_next(call);
    }
}

static void run_latency(struct bench *b, double seconds, double rate)
{
    b->rate_per_s = rate;
    b->sample_us = calloc(SAMPLES_MAX, sizeof *b->sample_us);
    connect_all(b, 2 * b->platform_count);
    b->from_us = clock_monotonic_us();
    b->until_us = b->from_us + (int64_t)(seconds * 1e6);
    struct event *tick = event_new(b->base, -1, EV_PERSIST, on_tick, b);
    const struct timeval every = {0, 1000};
    event_add(tick, &every);
    event_base_dispatch(b->base);
    event_free(tick);
    qsort(b->sample_us, b->samples, sizeof *b->sample_us, by_value);
    const double at[] = {0.5, 0.99, 0.999};
    double ms[3] = {0};
    for (int i = 0; i < 3 && b->samples > 0; i++)
        ms[i] = b->sample_us[(uint64_t)((double)(b->samples - 1) * at[i])] / 1000.0;
    printf("{\"rate\": %.0f, \"calls\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"p999_ms\": %.2f",
           rate, b->samples, b->failed, ms[0], ms[1], ms[2]);
    free(b->sample_us);
}

static void run_closed(struct bench *b, unsigned calls, unsigned connections)
{
    connect_all(b, connections);
    b->from_us = clock_monotonic_us();
    const clock_t cpu_from = clock();
    for (unsigned i = 0; i < calls && b->begun < b->total; i++)
        call_next(call_new(b, i % b->client_count));
    event_base_dispatch(b->base);
    const double seconds = (double)(clock_monotonic_us() - b->from_us) / 1e6;
    const double cpu_us = (double)(clock() - cpu_from) * 1e6 / CLOCKS_PER_SEC;
    printf("{\"payouts\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"seconds\": %.3f, \"payouts_per_s\": %.0f, \"client_cpu_us_per_payout\": %.2f",
           b->done, b->failed, seconds, (double)b->done / seconds, cpu_us / (double)b->done);
}

static void run_idle(struct bench *b, unsigned connections, double seconds)
{
    connect_all(b, connections);
    printf("{\"connections\": %u", b->client_count);
    fflush(stdout);
    const int64_t until_us = clock_monotonic_us() + (int64_t)(seconds * 1e6);
    const struct timeval step = {0, 100000};
    while (clock_monotonic_us() < until_us) {
        event_base_loopexit(b->base, &step);
        event_base_dispatch(b->base);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (argc < 4) {
        fprintf(
            stderr,
            "usage: bench_client unary|batch|latency|idle|settle ... (see the head of the source)\n");
        return 2;
    }
    b.base = event_base_new();
    b.buffer_size = 16U << 20;
    b.buffer = malloc(b.buffer_size);
    if (b.base == NULL || b.buffer == NULL)
        return 1;
    b.run_id = (uint64_t)clock_realtime_us();
    b.platform_count = (unsigned)number(env("UJRAT_BENCH_BOOKS", 0));
    if (b.platform_count < 1 || b.platform_count > PLATFORMS_MAX)
        return 2;
    for (unsigned i = 0; i < b.platform_count; i++)
        snprintf(b.platforms[i].name, sizeof b.platforms[i].name, "%s",
                 env("UJRAT_PLATFORM", i + 1));
    if (strcmp(argv[1], "unary") == 0 && argc == 5) {
        b.total = number(argv[2]);
        run_closed(&b, (unsigned)number(argv[3]), (unsigned)number(argv[4]));
    } else if (strcmp(argv[1], "batch") == 0 && argc == 5) {
        b.total = number(argv[2]);
        b.batch_items = (unsigned)number(argv[3]);
        run_closed(&b, (unsigned)number(argv[4]), 2 * b.platform_count);
    } else if (strcmp(argv[1], "settle") == 0 && argc == 5) {
        b.total = number(argv[2]);
        b.batch_items = (unsigned)number(argv[3]);
        run_settle(&b, (unsigned)number(argv[4]));
    } else if (strcmp(argv[1], "latency") == 0) {
        run_latency(&b, real(argv[2]), real(argv[3]));
    } else if (strcmp(argv[1], "idle") == 0) {
        run_idle(&b, (unsigned)number(argv[2]), real(argv[3]));
    } else {
        return 2;
    }
    printf(", \"first_failure\": \"%s\"}\n", b.first_failure);
    return b.failed == 0 ? 0 : 1;
}
