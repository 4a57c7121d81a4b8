/*
 * Our client against our server, over real sockets and TLS of a throw-away PKI, in one event loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/net/grpc_client.h"
#include "gateway/net/grpc_client_internal.h"
#include "gateway/net/grpc_server.h"

/* ---------------------------------------------------------------- certificates */

static char folder[] = "/tmp/ujrat-net.XXXXXX";
static char ca_pem[64], server_pem[64], server_key[64], client_pem[64], client_key[64];

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *make_cert(const char *name, const char *san, EVP_PKEY *key, X509 *issuer,
                       EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    X509_set_pubkey(cert, key);
    if (issuer == NULL)
        add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    if (san != NULL)
        add_extension(cert, NID_subject_alt_name, san);
    assert_int_not_equal(X509_sign(cert, issuer_key, EVP_sha256()), 0);
    return cert;
}

static void write_pem(char path[64], const char *name, X509 *cert, EVP_PKEY *key)
{
    snprintf(path, 64, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    if (cert != NULL)
        assert_int_equal(PEM_write_X509(file, cert), 1);
    else
        assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
}

static int make_pki(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    EVP_PKEY *keys[3];
    for (int i = 0; i < 3; i++)
        keys[i] = EVP_EC_gen("P-256");
    X509 *ca = make_cert("ca", NULL, keys[0], NULL, keys[0]);
    X509 *server = make_cert("server", "DNS:gateway.test", keys[1], ca, keys[0]);
    X509 *client = make_cert("client", "URI:ujrat://platform/upwork,DNS:x,URI:ujrat://second",
                             keys[2], ca, keys[0]);
    write_pem(ca_pem, "ca.pem", ca, NULL);
    write_pem(server_pem, "server.pem", server, NULL);
    write_pem(server_key, "server.key", NULL, keys[1]);
    write_pem(client_pem, "client.pem", client, NULL);
    write_pem(client_key, "client.key", NULL, keys[2]);
    X509_free(ca);
    X509_free(server);
    X509_free(client);
    for (int i = 0; i < 3; i++)
        EVP_PKEY_free(keys[i]);
    return 0;
}

static int remove_pki(void **state)
{
    (void)state;
    const char *const files[] = {ca_pem, server_pem, server_key, client_pem, client_key};
    for (size_t i = 0; i < 5; i++)
        unlink(files[i]);
    return rmdir(folder);
}

/* ---------------------------------------------------------------- a server and a client */

struct world {
    struct event_base *base;
    grpc_server_t *server;
    grpc_client_t *client;
    struct grpc_peer peer; /* of the last call */
    int64_t deadline_left_ms;
    grpc_call_t *parked;
    unsigned cancelled, freed, authorized;
    bool refuse, drained;
};

static struct world *world_of(grpc_call_t *call)
{
    return grpc_call_method_user(call);
}

static void on_echo(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    world_of(call)->peer = *grpc_call_peer(call);
    world_of(call)->deadline_left_ms = grpc_call_deadline_left_ms(call);
    grpc_call_reply(call, bytes, length);
}

static void on_fail(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    grpc_call_finish(call, GRPC_FAILED_PRECONDITION, "100% \xe2\x98\xba\n", bytes, length);
}

static void on_park(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    world_of(call)->parked = call;
}

static void on_park_cancel(grpc_call_t *call)
{
    world_of(call)->parked = NULL;
    world_of(call)->cancelled++;
}

static void on_count(grpc_call_t *call)
{
    uintptr_t sent = (uintptr_t)grpc_call_user(call);
    while (sent < 100000) {
        char text[64];
        int n = snprintf(text, sizeof text, "%lu", (unsigned long)sent++);
        if (grpc_call_send(call, (const uint8_t *)text, (size_t)n) == GRPC_SEND_PAUSE) {
            grpc_call_set_user(call, (void *)sent);
            return;
        }
    }
    grpc_call_finish(call, GRPC_OK, NULL, NULL, 0);
}

static void on_count_message(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    on_count(call);
}

static void on_bidi(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    (void)grpc_call_send(call, bytes, length);
}

static void on_bidi_end(grpc_call_t *call)
{
    grpc_call_finish(call, GRPC_OK, NULL, NULL, 0);
}

static void count_free(void *value)
{
    ((struct world *)value)->freed++;
}

static bool authorize(void *user, grpc_call_t *call)
{
    struct world *world = user;
    if (grpc_call_connection_user(call) == NULL) {
        grpc_call_set_connection_user(call, world, count_free);
        world->authorized++;
    }
    if (world->refuse)
        grpc_call_finish(call, GRPC_PERMISSION_DENIED, "not you", NULL, 0);
    return !world->refuse;
}

static struct grpc_method methods[] = {
    {.path = "/t.T/Echo", .kind = GRPC_UNARY, .request_bytes_max = 1 << 20, .on_message = on_echo},
    {.path = "/t.T/Fail", .kind = GRPC_UNARY, .on_message = on_fail},
    {.path = "/t.T/Park", .kind = GRPC_UNARY, .on_message = on_park, .on_cancel = on_park_cancel},
    {.path = "/t.T/Count",
     .kind = GRPC_SERVER_STREAM,
     .on_message = on_count_message,
     .on_writable = on_count},
    {.path = "/t.T/Bidi", .kind = GRPC_BIDI, .on_message = on_bidi, .on_half_close = on_bidi_end},
};

static void open_server(struct world *world, uint16_t port)
{
    struct net_error error;
    struct grpc_server_config config = {
        .listen_port = port,
        .tls = {server_pem, server_key, ca_pem, NULL, true},
        .streams_per_connection_max = 100,
        .authorize = authorize,
        .authorize_user = world,
    };
    if (!grpc_server_new(&config, world->base, &error, &world->server))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        methods[i].user = world;
    grpc_server_add_methods(world->server, methods, sizeof methods / sizeof methods[0]);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct net_error error;
    char target[32];
    world->base = event_base_new();
    open_server(world, 0);
    snprintf(target, sizeof target, "127.0.0.1:%u", (unsigned)grpc_server_port(world->server));
    struct grpc_client_config config = {.target = target,
                                        .authority = "gateway.test",
                                        .ca_file = ca_pem,
                                        .cert_file = client_pem,
                                        .key_file = client_key};
    if (!grpc_client_new(&config, world->base, &error, &world->client))
        fail_msg("%s", error.text);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    grpc_client_free(&world->client);
    grpc_server_free(&world->server);
    event_base_free(world->base);
    assert_null(world->client);
    assert_int_equal(world->freed, world->authorized);
    free(world);
    return 0;
}

static grpc_reply_t call(struct world *world, const char *path, const void *bytes, size_t length)
{
    grpc_reply_t reply;
    (void)grpc_client_call_blocking(world->client, path, bytes, length, 10000, &reply);
    return reply;
}

/* ---------------------------------------------------------------- tests */

static void a_unary_call_returns_the_answer(void **state)
{
    struct world *world = *state;
    grpc_reply_t reply = call(world, "/t.T/Echo", "hello", 5);
    assert_int_equal(reply.status, GRPC_OK);
    assert_int_equal(reply.bytes_length, 5);
    assert_memory_equal(reply.bytes, "hello", 5);
    assert_true(world->deadline_left_ms > 5000 && world->deadline_left_ms <= 10000);
    grpc_reply_deinit(&reply);
}

static void an_empty_message_is_a_message(void **state)
{
    grpc_reply_t reply = call(*state, "/t.T/Echo", "", 0);
    assert_int_equal(reply.status, GRPC_OK);
    assert_non_null(reply.bytes);
    assert_int_equal(reply.bytes_length, 0);
    grpc_reply_deinit(&reply);
}

static void a_message_at_the_limit_passes_and_one_byte_more_is_refused(void **state)
{
    size_t length = 1 << 20;
    uint8_t *bytes = malloc(length + 1);
    for (size_t i = 0; i <= length; i++)
        bytes[i] = (uint8_t)(i * 7);
    grpc_reply_t reply = call(*state, "/t.T/Echo", bytes, length);
    assert_int_equal(reply.status, GRPC_OK);
    assert_int_equal(reply.bytes_length, length);
    assert_memory_equal(reply.bytes, bytes, length);
    grpc_reply_deinit(&reply);
    reply = call(*state, "/t.T/Echo", bytes, length + 1);
    assert_int_equal(reply.status, GRPC_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(reply.message, "1048576"));
    grpc_reply_deinit(&reply);
    free(bytes);
}

static void the_peer_is_who_its_certificate_says(void **state)
{
    struct world *world = *state;
    grpc_reply_t reply = call(world, "/t.T/Echo", "", 0);
    grpc_reply_deinit(&reply);
    assert_true(world->peer.has_certificate);
    assert_string_equal(world->peer.san_uri, "ujrat://platform/upwork");
    assert_int_equal(world->peer.san_uri_count, 2);
    assert_true(world->peer.connection_id > 0);
    assert_memory_equal(world->peer.address, "127.0.0.1:", 10);
}

static void a_refusal_carries_message_and_details(void **state)
{
    grpc_reply_t reply = call(*state, "/t.T/Fail", "\x00\x01\xff", 3);
    assert_int_equal(reply.status, GRPC_FAILED_PRECONDITION);
    assert_string_equal(reply.message, "100% \xe2\x98\xba\n");
    assert_int_equal(reply.details_length, 3);
    assert_memory_equal(reply.details, "\x00\x01\xff", 3);
    assert_null(reply.bytes);
    grpc_reply_deinit(&reply);
}

static void authorize_may_refuse_and_is_asked_about_a_connection_once(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++) {
        world->refuse = i == 1;
        grpc_reply_t reply = call(world, "/t.T/Echo", "x", 1);
        assert_int_equal(reply.status, i == 1 ? GRPC_PERMISSION_DENIED : GRPC_OK);
        grpc_reply_deinit(&reply);
    }
    assert_int_equal(world->authorized, 1);
}

static void a_deadline_ends_the_call_on_both_sides(void **state)
{
    struct world *world = *state;
    grpc_reply_t reply;
    assert_false(grpc_client_call_blocking(world->client, "/t.T/Park", NULL, 0, 50, &reply));
    assert_int_equal(reply.status, GRPC_DEADLINE_EXCEEDED);
    assert_true(reply.may_have_been_processed);
    grpc_reply_deinit(&reply);
    for (int i = 0; i < 1000 && world->cancelled == 0; i++)
        event_base_loop(world->base, EVLOOP_ONCE);
    assert_int_equal(world->cancelled, 1);
}

struct tally {
    unsigned done, ok, messages;
    enum grpc_status status;
    bool may_have_been_processed;
};

static void on_done(void *user, const struct grpc_result *result)
{
    struct tally *tally = user;
    tally->done++;
    tally->ok += result->status == GRPC_OK;
    tally->status = result->status;
    tally->may_have_been_processed = result->may_have_been_processed;
}

static void on_stream_message(void *user, grpc_client_call_t *stream, const uint8_t *bytes,
                              size_t length)
{
    (void)stream;
    struct tally *tally = user;
    char want[32];
    int n = snprintf(want, sizeof want, "%u", tally->messages++);
    assert_int_equal(length, n);
    assert_memory_equal(bytes, want, length);
}

static void loop_until_done(struct world *world, const struct tally *tally, unsigned done)
{
    while (tally->done < done)
        event_base_loop(world->base, EVLOOP_ONCE);
}

static void a_thousand_calls_share_a_connection_that_allows_a_hundred(void **state)
{
    struct world *world = *state;
    struct tally tally = {0};
    for (int i = 0; i < 1000; i++)
        grpc_client_unary(world->client, "/t.T/Echo", (const uint8_t *)"x", 1, 10000, on_done,
                          &tally);
    assert_int_equal(tally.done, 0); /* never from inside the function that starts it */
    loop_until_done(world, &tally, 1000);
    assert_int_equal(tally.ok, 1000);
    struct grpc_server_stats stats;
    grpc_server_stats(world->server, &stats);
    assert_int_equal(stats.connections_total, 1);
    assert_int_equal(stats.calls_total, 1000);
}

static void a_stream_pulls_all_its_answers_in_order(void **state)
{
    struct world *world = *state;
    struct tally tally = {0};
    struct grpc_stream_handler handler = {on_stream_message, on_done, &tally};
    (void)grpc_client_server_stream(world->client, "/t.T/Count", NULL, 0, 0, &handler);
    loop_until_done(world, &tally, 1);
    assert_int_equal(tally.messages, 100000);
    assert_int_equal(tally.ok, 1);
}

static void both_ways_at_once(void **state)
{
    struct world *world = *state;
    struct tally tally = {0};
    struct grpc_stream_handler handler = {on_stream_message, on_done, &tally};
    grpc_client_call_t *stream = grpc_client_stream(world->client, "/t.T/Bidi", 0, &handler);
    for (unsigned i = 0; i < 50; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "%u", i);
        assert_true(grpc_client_call_send(stream, (const uint8_t *)text, (size_t)n));
        while (i % 10 == 9 && tally.messages <= i)
            event_base_loop(world->base, EVLOOP_ONCE);
    }
    grpc_client_call_half_close(stream);
    loop_until_done(world, &tally, 1);
    assert_int_equal(tally.messages, 50);
    assert_int_equal(tally.ok, 1);
}

static void a_cancelled_call_reaches_the_handler(void **state)
{
    struct world *world = *state;
    struct tally tally = {0};
    struct grpc_stream_handler handler = {on_stream_message, on_done, &tally};
    grpc_client_call_t *stream =
        grpc_client_server_stream(world->client, "/t.T/Park", NULL, 0, 0, &handler);
    while (world->parked == NULL)
        event_base_loop(world->base, EVLOOP_ONCE);
    grpc_client_call_cancel(stream);
    assert_int_equal(tally.done, 0);
    loop_until_done(world, &tally, 1);
    assert_int_equal(tally.status, GRPC_CANCELLED);
    while (world->cancelled == 0)
        event_base_loop(world->base, EVLOOP_ONCE);
    assert_null(world->parked);
}

static void a_server_that_vanishes_leaves_the_outcome_open(void **state)
{
    struct world *world = *state;
    struct tally tally = {0};
    grpc_client_unary(world->client, "/t.T/Park", NULL, 0, 0, on_done, &tally);
    while (world->parked == NULL)
        event_base_loop(world->base, EVLOOP_ONCE);
    uint16_t port = grpc_server_port(world->server);
    grpc_server_free(&world->server);
    assert_int_equal(world->cancelled, 1);
    loop_until_done(world, &tally, 1);
    assert_int_equal(tally.status, GRPC_UNAVAILABLE);
    assert_true(tally.may_have_been_processed);

    /* with nobody there, it is certain that nothing was done */
    grpc_reply_t reply = call(world, "/t.T/Echo", "x", 1);
    assert_int_equal(reply.status, GRPC_UNAVAILABLE);
    assert_false(reply.may_have_been_processed);
    grpc_reply_deinit(&reply);

    open_server(world, port); /* and the client finds it again by itself */
    reply = call(world, "/t.T/Echo", "x", 1);
    assert_int_equal(reply.status, GRPC_OK);
    grpc_reply_deinit(&reply);
}

/* As localhost is on an ordinary machine: [::1], where our server does not listen, and then 127.0.0.1. */
static void a_name_of_two_addresses_is_tried_at_both(void **state)
{
    struct world *world = *state;
    struct grpc_client *client = world->client;
    struct sockaddr_in6 nobody = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    nobody.sin6_port = ((struct sockaddr_in *)(void *)&client->addresses[0].address)->sin_port;
    client->addresses[1] = client->addresses[0];
    memcpy(&client->addresses[0].address, &nobody, sizeof nobody);
    client->addresses[0].size = sizeof nobody;
    client->n_addresses = 2;
    client->untried = 1;
    grpc_reply_t reply = call(world, "/t.T/Echo", "x", 1);
    assert_int_equal(reply.status, GRPC_OK);
    grpc_reply_deinit(&reply);

    /* nobody at either: each is tried once, and then the call is told (the first, perhaps, that its connection ended) */
    grpc_server_free(&world->server);
    for (int i = 0; i < 3; i++) {
        reply = call(world, "/t.T/Echo", "x", 1);
        assert_int_equal(reply.status, GRPC_UNAVAILABLE);
        assert_true(i == 0 || strstr(reply.message, "127.0.0.1") != NULL);
        grpc_reply_deinit(&reply);
    }
}

static void on_drained(void *user)
{
    ((struct world *)user)->drained = true;
}

static void a_drain_waits_for_the_calls_under_way(void **state)
{
    struct world *world = *state;
    struct tally tally = {0};
    grpc_client_unary(world->client, "/t.T/Park", NULL, 0, 0, on_done, &tally);
    while (world->parked == NULL)
        event_base_loop(world->base, EVLOOP_ONCE);
    grpc_server_drain(world->server, on_drained, world);
    struct timeval half_a_second = {.tv_usec = 500000};
    event_base_loopexit(world->base, &half_a_second);
    event_base_dispatch(world->base);
    assert_false(world->drained);
    assert_int_equal(tally.done, 0);
    grpc_call_reply(world->parked, (const uint8_t *)"late", 4);
    while (!world->drained)
        event_base_loop(world->base, EVLOOP_ONCE);
    loop_until_done(world, &tally, 1);
    assert_int_equal(tally.ok, 1);
}

static void a_server_of_another_name_is_not_trusted(void **state)
{
    struct world *world = *state;
    struct net_error error;
    grpc_client_t *client;
    grpc_reply_t reply;
    char target[32];
    snprintf(target, sizeof target, "127.0.0.1:%u", (unsigned)grpc_server_port(world->server));
    struct grpc_client_config config = {.target = target, .ca_file = ca_pem};
    assert_true(grpc_client_new(&config, world->base, &error, &client));
    assert_false(grpc_client_call_blocking(client, "/t.T/Echo", NULL, 0, 5000, &reply));
    assert_int_equal(reply.status, GRPC_UNAVAILABLE);
    assert_non_null(strstr(reply.message, "certificate"));
    assert_false(reply.may_have_been_processed);
    grpc_reply_deinit(&reply);
    grpc_client_free(&client);
}

static void bad_files_are_named(void **state)
{
    struct world *world = *state;
    struct net_error error;
    grpc_server_t *server;
    struct grpc_server_config config = {.tls = {"/nonexistent.pem", server_key, NULL, NULL, false}};
    assert_false(grpc_server_new(&config, world->base, &error, &server));
    assert_null(server);
    assert_non_null(strstr(error.text, "/nonexistent.pem"));
    config.tls.cert_file = client_pem; /* not the key's */
    assert_false(grpc_server_new(&config, world->base, &error, &server));
    assert_non_null(strstr(error.text, server_key));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_unary_call_returns_the_answer),
        TEST(an_empty_message_is_a_message),
        TEST(a_message_at_the_limit_passes_and_one_byte_more_is_refused),
        TEST(the_peer_is_who_its_certificate_says),
        TEST(a_refusal_carries_message_and_details),
        TEST(authorize_may_refuse_and_is_asked_about_a_connection_once),
        TEST(a_deadline_ends_the_call_on_both_sides),
        TEST(a_thousand_calls_share_a_connection_that_allows_a_hundred),
        TEST(a_stream_pulls_all_its_answers_in_order),
        TEST(both_ways_at_once),
        TEST(a_cancelled_call_reaches_the_handler),
        TEST(a_server_that_vanishes_leaves_the_outcome_open),
        TEST(a_name_of_two_addresses_is_tried_at_both),
        TEST(a_drain_waits_for_the_calls_under_way),
        TEST(a_server_of_another_name_is_not_trusted),
        TEST(bad_files_are_named),
    };
    return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
