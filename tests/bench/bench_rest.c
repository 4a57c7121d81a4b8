/*
 * A platform that pays as fast as it may by the REST API: HTTP/1.1 over TLS 1.3, connections that are kept, one request at a
 * time on each, a thread a connection.
 *
 *   bench_rest pay ITEMS BATCH CONNECTIONS             ITEMS items in all, in batches of BATCH (a multiple)
 *   bench_rest get REQUESTS CONNECTIONS BATCHES ITEMS  single items, any of ITEMS in each of the book's first BATCHES batches
 *
 * Environment: UJRAT_ADDR (127.0.0.1:PORT), UJRAT_CA, and UJRAT_TOKEN_i, a bearer token, for i = 1..UJRAT_BENCH_BOOKS: the
 * connections are spread over that many platforms, whose beneficiaries 1..1000 are paid as b1@example.com, ... Prints one line of
 * JSON. Any other answer than 201 or 200 is an error.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "gateway/rest/ids.h"

enum { BENEFICIARIES = 1000, THREADS_MAX = 256, ITEM_BYTES_MAX = 160, ANSWER_MAX = 1 << 20 };

struct bench {
    SSL_CTX *tls;
    int port;
    unsigned books;
    bool is_get;
    unsigned batch_items, batches; /* of a request to pay; what there is to read */
    uint64_t requests;
    uint64_t run_id;
    atomic_uint_fast64_t begun, done;
};

struct connection {
    struct bench *bench;
    pthread_t thread;
    unsigned number;
    SSL *ssl;
    const char *token;
    char *request, *answer;
    size_t request_size;
    uint64_t random;
};

static _Noreturn void die(const char *what, const char *more)
{
    fprintf(stderr, "bench_rest: %s: %s\n", what, more);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static const char *env(const char *name, unsigned i)
{
    char full[64];
    snprintf(full, sizeof full, i > 0 ? "%s_%u" : "%s", name, i);
    const char *value = getenv(full);
    if (value == NULL)
        die(full, "is not set");
    return value;
}

static uint64_t number(const char *text)
{
    int64_t value;
    if (err_failed(str_parse_int64(slice_str(text), &value)) || value < 1)
        die(text, "is no number above nil");
    return (uint64_t)value;
}

/* ---------------------------------------------------------------- a connection */

static void open_connection(struct connection *c)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)c->bench->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
        die("no connection", env("UJRAT_ADDR", 0));
    c->ssl = SSL_new(c->bench->tls);
    if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1 || SSL_set1_host(c->ssl, "localhost") != 1 ||
        SSL_set_tlsext_host_name(c->ssl, "localhost") != 1 || SSL_connect(c->ssl) != 1)
        die("no TLS connection", env("UJRAT_ADDR", 0));
}

static void send_all(struct connection *c, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t n;
        if (SSL_write_ex(c->ssl, c->request + at, len - at, &n) != 1)
            die("sending", "the connection broke");
        at += n;
    }
}

static void close_connection(struct connection *c)
{
    close(SSL_get_fd(c->ssl));
    SSL_free(c->ssl);
    c->ssl = NULL;
}

/*
 * The answer to the one request that is open: its status must be the one given. The gateway ends a connection that has served
 * as many requests as one may; then the next is made on another.
 */
static void read_answer(struct connection *c, const char *status)
{
    static const char length_is[] = "\r\ncontent-length: ";
    size_t have = 0, want = 0;
    bool is_last = false;
    do {
        size_t n;
        if (have == ANSWER_MAX)
            die("an answer", "is too long");
        if (SSL_read_ex(c->ssl, c->answer + have, ANSWER_MAX - have, &n) != 1)
            die("reading", "the connection broke");
        have += n;
        c->answer[have] = '\0';
        const char *end = want == 0 ? strstr(c->answer, "\r\n\r\n") : NULL;
        if (end != NULL) {
            const char *length = strcasestr(c->answer, length_is);
            if (length == NULL || length > end)
                die("an answer without Content-Length", c->answer);
            want = (size_t)(end - c->answer) + 4 + strtoul(length + sizeof length_is - 1, NULL, 10);
            const char *closing = strcasestr(c->answer, "\r\nconnection: close\r\n");
            is_last = closing != NULL && closing <= end;
        }
    } while (want == 0 || have < want);
    if (have != want || strncmp(c->answer, "HTTP/1.1 ", 9) != 0 ||
        strncmp(c->answer + 9, status, 3) != 0)
        die("refused", c->answer);
    if (is_last) {
        close_connection(c);
        open_connection(c);
    }
}

/* ---------------------------------------------------------------- requests */

static void pay(struct connection *c, uint64_t n)
{
    char *body = c->request + c->request_size / 2, *p = body;
    p += snprintf(p, 128,
                  "{\"sender_batch_header\":{\"sender_batch_id\":\"B%" PRIx64 "-%" PRIu64
                  "\"},\"items\":[",
                  c->bench->run_id, n);
    for (unsigned i = 0; i < c->bench->batch_items; i++) {
        const uint64_t item = n * c->bench->batch_items + i;
        p += snprintf(p, ITEM_BYTES_MAX,
                      "%s{\"receiver\":\"b%" PRIu64
                      "@example.com\",\"amount\":{\"currency\":\"USD\",\"value\":\"100.00\"},"
                      "\"sender_item_id\":\"%" PRIx64 "-%" PRIu64 "\"}",
                      i > 0 ? "," : "", 1 + item % BENEFICIARIES, c->bench->run_id, item);
    }
    p += snprintf(p, 3, "]}");
    const size_t body_len = (size_t)(p - body);
    const int head = snprintf(
        c->request, c->request_size / 2,
        "POST /v1/payments/payouts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        c->token, body_len);
    memmove(c->request + head, body, body_len);
    send_all(c, (size_t)head + body_len);
    read_answer(c, "201");
}

static void get(struct connection *c)
{
    char id[REST_ID_SIZE];
    c->random = c->random * 6364136223846793005ULL + 1442695040888963407ULL;
    const uint64_t any = c->random >> 33;
    rest_id_write(1 + (int64_t)(any % c->bench->batches),
                  1 + (int32_t)(any / c->bench->batches % c->bench->batch_items), id);
    const int len = snprintf(
        c->request, c->request_size,
        "GET /v1/payments/payouts-item/%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
        id, c->token);
    send_all(c, (size_t)len);
    read_answer(c, "200");
}

static void *run(void *arg)
{
    struct connection *c = arg;
    for (;;) {
        const uint64_t n = atomic_fetch_add(&c->bench->begun, 1);
        if (n >= c->bench->requests)
            return NULL;
        if (c->bench->is_get)
            get(c);
        else
            pay(c, n);
        atomic_fetch_add(&c->bench->done, 1);
    }
}

/* ---------------------------------------------------------------- main */

static void prepare(struct bench *b)
{
    const char *port = strrchr(env("UJRAT_ADDR", 0), ':');
    b->port = port == NULL ? 0 : (int)number(port + 1);
    b->books = (unsigned)number(env("UJRAT_BENCH_BOOKS", 0));
    b->run_id = (uint64_t)clock_realtime_us();
    b->tls = SSL_CTX_new(TLS_client_method());
    if (b->tls == NULL || SSL_CTX_set_min_proto_version(b->tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_load_verify_locations(b->tls, env("UJRAT_CA", 0), NULL) != 1)
        die("TLS", "cannot be set up");
    SSL_CTX_set_verify(b->tls, SSL_VERIFY_PEER, NULL);
}

static void measure(struct bench *b, unsigned connections)
{
    static struct connection all[THREADS_MAX];
    if (connections > THREADS_MAX)
        die("CONNECTIONS", "are too many");
    for (unsigned i = 0; i < connections; i++) {
        struct connection *c = &all[i];
        c->bench = b;
        c->random = c->number = i + 1;
        c->token = env("UJRAT_TOKEN", 1 + i % b->books);
        c->request_size = 2 * (8192 + (size_t)b->batch_items * ITEM_BYTES_MAX);
        c->request = malloc(c->request_size);
        c->answer = malloc(ANSWER_MAX + 1);
        if (c->request == NULL || c->answer == NULL)
            die("memory", "there is none");
        open_connection(c);
    }
    const int64_t from_us = clock_monotonic_us();
    const clock_t cpu_from = clock();
    for (unsigned i = 0; i < connections; i++)
        if (pthread_create(&all[i].thread, NULL, run, &all[i]) != 0)
            die("a thread", "cannot be made");
    for (unsigned i = 0; i < connections; i++)
        pthread_join(all[i].thread, NULL);
    const double seconds = (double)(clock_monotonic_us() - from_us) / 1e6;
    const double cpu_us = (double)(clock() - cpu_from) * 1e6 / CLOCKS_PER_SEC;
    const double done = (double)b->done * (b->is_get ? 1 : b->batch_items);
    printf("{\"%s\": %.0f, \"seconds\": %.3f, \"per_s\": %.0f, \"client_cpu_us\": %.2f}\n",
           b->is_get ? "requests" : "items", done, seconds, done / seconds, cpu_us / done);
    for (unsigned i = 0; i < connections; i++) {
        close_connection(&all[i]);
        free(all[i].request);
        free(all[i].answer);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (argc == 5 && strcmp(argv[1], "pay") == 0) {
        b.batch_items = (unsigned)number(argv[3]);
        b.requests = number(argv[2]) / b.batch_items;
        prepare(&b);
        measure(&b, (unsigned)number(argv[4]));
    } else if (argc == 6 && strcmp(argv[1], "get") == 0) {
        b.is_get = true;
        b.requests = number(argv[2]);
        b.batches = (unsigned)number(argv[4]);
        b.batch_items = (unsigned)number(argv[5]);
        prepare(&b);
        measure(&b, (unsigned)number(argv[3]));
    } else {
        fprintf(stderr, "usage: bench_rest pay|get ... (see the head of the source)\n");
        return 2;
    }
    SSL_CTX_free(b.tls);
    return 0;
}
