/*
 * grpc.health.v1.Health, as https://github.com/grpc/grpc/blob/master/doc/health-checking.md says:
 * Check answers at once (NOT_FOUND for a service nobody set); Watch streams every change.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/net/grpc_server_internal.h"
#include "gateway/net/pb_lite.h"

#define SERVICES_MAX   64
#define NAME_BYTES_MAX 200
#define WATCHERS_MAX   1024

/* HealthCheckResponse.ServingStatus */
enum { WIRE_UNKNOWN = 0, WIRE_SERVING = 1, WIRE_NOT_SERVING = 2, WIRE_SERVICE_UNKNOWN = 3 };

struct watcher {
    struct watcher *next;
    grpc_call_t *call;
    unsigned told; /* the last status sent */
    char service[NAME_BYTES_MAX + 1];
};

struct grpc_health_state {
    struct {
        char name[NAME_BYTES_MAX + 1];
        enum grpc_health health;
    } services[SERVICES_MAX];
    size_t services_count;
    struct watcher *watchers;
    size_t watchers_count;
    struct grpc_method methods[2];
};

static unsigned wire_status(enum grpc_health health)
{
    switch (health) {
    case GRPC_HEALTH_UNKNOWN:
        return WIRE_UNKNOWN;
    case GRPC_HEALTH_SERVING:
        return WIRE_SERVING;
    case GRPC_HEALTH_NOT_SERVING:
        return WIRE_NOT_SERVING;
    }
    return WIRE_UNKNOWN;
}

static unsigned status_of(const struct grpc_health_state *health, const char *service)
{
    for (size_t i = 0; i < health->services_count; i++) {
        if (strcmp(health->services[i].name, service) == 0)
            return wire_status(health->services[i].health);
    }
    return WIRE_SERVICE_UNKNOWN;
}

/* HealthCheckRequest{string service = 1}. False: not that. */
static bool read_request(const uint8_t *bytes, size_t length, char service[NAME_BYTES_MAX + 1])
{
    struct pb_bytes rest = {bytes, length};
    struct pb_field field;
    service[0] = 0;
    while (pb_next(&rest, &field)) {
        if (field.number != 1)
            continue;
        if (field.wire_type != 2 || field.bytes.length > NAME_BYTES_MAX ||
            memchr(field.bytes.data, 0, field.bytes.length) != NULL)
            return false;
        memcpy(service, field.bytes.data, field.bytes.length);
        service[field.bytes.length] = 0;
    }
    return rest.length == 0;
}

/* HealthCheckResponse{ServingStatus status = 1} */
static void write_response(struct pb_writer *writer, unsigned status)
{
    if (status != WIRE_UNKNOWN)
        pb_put_varint(writer, 1, status);
}

static void on_check(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    const struct grpc_server *server = grpc_call_method_user(call);
    char service[NAME_BYTES_MAX + 1];
    if (!read_request(bytes, length, service)) {
        grpc_call_finish(call, GRPC_INVALID_ARGUMENT, "not a HealthCheckRequest", NULL, 0);
        return;
    }
    unsigned status = status_of(server->health, service);
    if (status == WIRE_SERVICE_UNKNOWN) {
        grpc_call_finish(call, GRPC_NOT_FOUND, "unknown service", NULL, 0);
        return;
    }
    uint8_t out[8];
    struct pb_writer writer = {out, 0, sizeof out, false};
    write_response(&writer, status);
    grpc_call_reply(call, out, writer.length);
}

static void tell(struct watcher *watcher, unsigned status)
{
    uint8_t out[8];
    if (watcher->told == status)
        return;
    watcher->told = status;
    /* A watcher that reads nothing misses changes rather than hold our memory. */
    struct pb_writer writer = {out, 0, sizeof out, false};
    write_response(&writer, status);
    (void)grpc_call_send(watcher->call, out, writer.length);
}

static void on_watch(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    const struct grpc_server *server = grpc_call_method_user(call);
    struct grpc_health_state *health = server->health;
    if (health->watchers_count >= WATCHERS_MAX) {
        grpc_call_finish_busy(call, "too many health watchers", 1000);
        return;
    }
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL) {
        grpc_call_finish_busy(call, "out of memory", 1000);
        return;
    }
    if (!read_request(bytes, length, watcher->service)) {
        free(watcher);
        grpc_call_finish(call, GRPC_INVALID_ARGUMENT, "not a HealthCheckRequest", NULL, 0);
        return;
    }
    watcher->call = call;
    watcher->told = UINT32_MAX;
    watcher->next = health->watchers;
    health->watchers = watcher;
    health->watchers_count++;
    grpc_call_set_user(call, watcher);
    tell(watcher, status_of(health, watcher->service));
}

static void on_watch_cancel(grpc_call_t *call)
{
    const struct grpc_server *server = grpc_call_method_user(call);
    struct watcher *gone = grpc_call_user(call);
    if (gone == NULL)
        return;
    for (struct watcher **at = &server->health->watchers; *at != NULL; at = &(*at)->next) {
        if (*at != gone)
            continue;
        *at = gone->next;
        server->health->watchers_count--;
        free(gone);
        return;
    }
}

static void tell_all(struct grpc_health_state *health)
{
    for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next)
        tell(watcher, status_of(health, watcher->service));
}

void grpc_health_set(grpc_server_t *server, const char *service, enum grpc_health status)
{
    struct grpc_health_state *health = server->health;
    size_t i = 0;
    while (i < health->services_count && strcmp(health->services[i].name, service) != 0)
        i++;
    if (i == health->services_count) {
        size_t length = strlen(service);
        if (i == SERVICES_MAX || length > NAME_BYTES_MAX)
            return;
        memcpy(health->services[i].name, service, length + 1);
        health->services_count++;
    }
    health->services[i].health = status;
    tell_all(health);
}

void grpc_health_drain(grpc_server_t *server, bool finish)
{
    struct grpc_health_state *health = server->health;
    for (size_t i = 0; i < health->services_count; i++)
        health->services[i].health = GRPC_HEALTH_NOT_SERVING;
    tell_all(health);
    while (finish && health->watchers != NULL) {
        struct watcher *watcher = health->watchers;
        health->watchers = watcher->next;
        health->watchers_count--;
        grpc_call_finish(watcher->call, GRPC_UNAVAILABLE, "the server is shutting down", NULL, 0);
        free(watcher);
    }
}

bool grpc_health_new(grpc_server_t *server)
{
    struct grpc_health_state *health = calloc(1, sizeof *health);
    if (health == NULL)
        return false;
    server->health = health;
    health->methods[0] = (struct grpc_method){
        .path = "/grpc.health.v1.Health/Check",
        .kind = GRPC_UNARY,
        .request_bytes_max = 1024,
        .on_message = on_check,
        .user = server,
    };
    health->methods[1] = (struct grpc_method){
        .path = "/grpc.health.v1.Health/Watch",
        .kind = GRPC_SERVER_STREAM,
        .request_bytes_max = 1024,
        .on_message = on_watch,
        .on_cancel = on_watch_cancel,
        .user = server,
    };
    grpc_server_add_builtin(server, health->methods, 2);
    grpc_health_set(server, "", GRPC_HEALTH_SERVING);
    return true;
}

void grpc_health_free(grpc_server_t *server)
{
    if (server->health == NULL)
        return;
    while (server->health->watchers != NULL) {
        struct watcher *watcher = server->health->watchers;
        server->health->watchers = watcher->next;
        free(watcher);
    }
    free(server->health);
    server->health = NULL;
}
