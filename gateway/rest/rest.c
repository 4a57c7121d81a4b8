#include "gateway/rest/rest.h"

#include <assert.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "gateway/rest/claim_limit.h"
#include "gateway/rest/claim_view.h"
#include "gateway/rest/error.h"
#include "gateway/rest/target.h"
#include "gateway/rest/token.h"
#include "gateway/rpc/error.h"

enum {
    BODY_FORM_BYTES = 16 * 1024,
    BODY_SMALL_BYTES = 64 * 1024,
    ANSWER_BYTES_MAX = 32 * 1024 * 1024,
    HOST_BYTES_MAX = 255
};

static const char json_type[] = "application/json";
static const char html_type[] = "text/html; charset=utf-8";

struct rest {
    struct rpc_ctx *ctx;
    struct http_handler handler;
    int64_t nameless_window_us; /* lines about requests of nobody known: a flood is counted */
    unsigned nameless_logged, nameless_unlogged;
    struct claim_limits claim_limits;
};

/* What an exchange has from its head to its end. */
struct exchange {
    struct rest_request request;
    struct rpc_call *call; /* NULL until the body is whole */
    int64_t started_us;
    char base_url[sizeof("https://") + HOST_BYTES_MAX];
};

/* ---------------------------------------------------------------- what is written of a request */

static bool may_log(struct rest *rest, const struct rest_request *r)
{
    enum { WINDOW_LINES_MAX = 200 };
    if (r->credential_id != 0)
        return true;
    const int64_t now_us = clock_monotonic_us();
    if (now_us - rest->nameless_window_us >= US_PER_SEC) {
        if (rest->nameless_unlogged > 0)
            log_info(rest->ctx->log, "rest.requests_not_logged",
                     log_uint("n", rest->nameless_unlogged));
        rest->nameless_window_us = now_us;
        rest->nameless_logged = 0;
        rest->nameless_unlogged = 0;
    }
    if (rest->nameless_logged < WINDOW_LINES_MAX) {
        rest->nameless_logged++;
        return true;
    }
    rest->nameless_unlogged++;
    return false;
}

static const char *method_name(enum http_method method)
{
    static const char *const names[] = {"GET",   "HEAD",   "POST",    "PUT",
                                        "PATCH", "DELETE", "OPTIONS", "OTHER"};
    return names[method];
}

/* No path (it may have an id of another's in it), no query, no body: the pattern says enough. */
static void log_request(const struct exchange *x, http_exchange_t *http, unsigned status,
                        const char *name)
{
    const struct rest_request *r = &x->request;
    if (!may_log(r->rest, r))
        return;
    log_info(r->rest->ctx->log, "rest.request", log_conn(http_exchange_connection_id(http)),
             log_str("method", method_name(http_exchange_target(http)->method)),
             log_str("route", r->route == NULL ? "-" : r->route->rpc.path),
             log_uint("status", status), log_str("name", name), log_str("client", r->client_id),
             log_str("debug_id", r->debug_id), log_int("us", clock_monotonic_us() - x->started_us));
}

/* ---------------------------------------------------------------- answers */

static struct exchange *exchange_of(http_exchange_t *http)
{
    return http_exchange_user(http);
}

static void add_header(http_exchange_t *http, const char *name, struct slice value)
{
    if (!http_reply_header(http, name, value))
        log_warn(exchange_of(http)->request.rest->ctx->log, "rest.header_left_out",
                 log_str("header", name));
}

/* A page loads nothing, runs nothing, is in nobody's frame, and tells nobody where it was. */
static void add_page_headers(http_exchange_t *http)
{
    char policy[CLAIM_POLICY_SIZE];
    add_header(http, "Content-Security-Policy", slice_str(claim_view_policy(policy)));
    add_header(http, "Referrer-Policy", SLICE("no-referrer"));
    add_header(http, "X-Content-Type-Options", SLICE("nosniff"));
    add_header(http, "X-Frame-Options", SLICE("DENY"));
}

static bool is_page(const struct exchange *x)
{
    return x->request.route != NULL && x->request.route->error_page != NULL;
}

static void finish(http_exchange_t *http, unsigned status, const char *content_type,
                   struct slice body, const char *name)
{
    struct exchange *x = exchange_of(http);
    add_header(http, "PayPal-Debug-Id", slice_str(x->request.debug_id));
    add_header(http, "Cache-Control", SLICE("no-store"));
    if (is_page(x))
        add_page_headers(http);
    log_request(x, http, status, name);
    struct rpc_ctx *ctx = x->request.rest->ctx;
    http_exchange_set_user(http, NULL);
    free(x);
    http_reply(http, status, content_type, body);
    rpc_scratch_trim(ctx);
}

static void finish_error(http_exchange_t *http, const struct rest_error *error)
{
    const struct exchange *x = exchange_of(http);
    struct json_out json = json_out_of(rpc_scratch(x->request.rest->ctx));
    char seconds[STR_INT64_SIZE];
    rest_error_write(&json, error, x->request.debug_id);
    if (error->retry_ms > 0) {
        (void)str_format_uint64((error->retry_ms + 999) / 1000, seconds);
        add_header(http, "Retry-After", slice_str(seconds));
    }
    if (error->status == 401)
        add_header(http, "WWW-Authenticate",
                   error->oauth != NULL && strcmp(error->oauth, "invalid_client") == 0
                       ? SLICE("Basic realm=\"ujrat\"")
                       : SLICE("Bearer realm=\"ujrat\", error=\"invalid_token\""));
    if (is_page(x)) {
        struct buf *page = rpc_scratch(x->request.rest->ctx);
        x->request.route->error_page(&x->request, error->status, page);
        finish(http, error->status, html_type, buf_slice(page), error->name);
        return;
    }
    finish(http, error->status, json_type, json.failed ? SLICE("{}") : buf_slice(json.buf),
           error->name);
}

/* more: a sentence besides the reason's own; may be NULL. */
static void finish_reason(http_exchange_t *http, reason_t reason, const char *field,
                          const char *more)
{
    const struct rest_reason said = rest_reason_of(reason);
    struct rpc_error told;
    rpc_error_make(reason, NULL, &told);
    if (more != NULL) {
        const size_t len = strlen(told.message);
        (void)snprintf(told.message + len, sizeof(told.message) - len, " %s", more);
    }
    const struct rest_detail detail = {.field = field, .issue = reason_text(reason)};
    finish_error(http, &(struct rest_error){.status = said.status,
                                            .name = said.name,
                                            .message = told.message,
                                            .details = &detail,
                                            .n_details = field != NULL,
                                            .retry_ms = told.retry_ms});
}

static void refuse(struct rpc_call *call, reason_t reason, const char *field, const char *more)
{
    finish_reason(call->handle, reason, field, more);
}

static void reply(struct rpc_call *call, const struct wire_message *type, const void *message)
{
    const struct rest_request *r = rest_request_of(call);
    if (r->on_message != NULL)
        r->on_message(call, type, message);
    else
        rpc_refuse(call, REASON_INTERNAL, NULL);
}

static const struct rpc_transport transport = {.reply = reply, .refuse = refuse};

struct claim_limits *rest_claim_limits(struct rest *rest)
{
    return &rest->claim_limits;
}

struct json_out rest_json(struct rpc_call *call)
{
    return json_out_of(rpc_scratch(call->ctx));
}

void rest_reply(struct rpc_call *call, unsigned status, struct json_out *json)
{
    assert(call->handle != NULL);
    if (json->failed || json->depth != 0 || buf_len(json->buf) > ANSWER_BYTES_MAX) {
        log_error(call->ctx->log, "rest.answer_not_written", log_str("route", call->method->path));
        rpc_refuse(call, REASON_INTERNAL, NULL);
        return;
    }
    finish(call->handle, status, json_type, buf_slice(json->buf), NULL);
    rpc_call_over(call);
}

void rest_reply_bytes(struct rpc_call *call, unsigned status, const char *content_type,
                      struct slice body)
{
    assert(call->handle != NULL);
    finish(call->handle, status, content_type, body, NULL);
    rpc_call_over(call);
}

void rest_refuse(struct rpc_call *call, const struct rest_error *error)
{
    assert(call->handle != NULL);
    finish_error(call->handle, error);
    rpc_call_over(call);
}

/* ---------------------------------------------------------------- who asks */

/* The value behind a scheme ("Bearer x"), whose letters may be of any case. */
static bool credentials_of(http_exchange_t *http, const char *scheme, struct slice *out)
{
    struct slice value, name;
    unsigned count;
    if (!http_exchange_header(http, "authorization", &value, &count) || count != 1 ||
        !slice_cut(value, ' ', &name, out) || name.len != strlen(scheme) ||
        strncasecmp(name.p, scheme, name.len) != 0)
        return false;
    *out = slice_trim(*out);
    return true;
}

/* The credential that a bearer token is good for. */
static const struct registry_credential *check_bearer(const struct rest *rest,
                                                      http_exchange_t *http)
{
    struct slice text;
    struct rest_token token;
    if (!credentials_of(http, "Bearer", &text) || !rest_token_read(text, &token))
        return NULL;
    const struct registry_credential *c =
        registry_credential_by_id(rest->ctx->registry, token.credential_id);
    if (c == NULL || rest_token_check(text, REST_TOKEN_ACCESS, clock_realtime_us() / US_PER_SEC,
                                      c->token_key) != REST_TOKEN_GOOD)
        return NULL;
    return c->enabled && c->principal->enabled ? c : NULL;
}

static bool authorize(struct rest *rest, http_exchange_t *http)
{
    struct rest_request *r = &exchange_of(http)->request;
    const struct registry_credential *c = check_bearer(rest, http);
    if (c == NULL) {
        finish_error(http, &(struct rest_error){
                               .status = 401,
                               .oauth = "invalid_token",
                               .name = "AUTHENTICATION_FAILURE",
                               .message = "The bearer token is missing, expired, or not one of "
                                          "ours: get a new one from /v1/oauth2/token."});
        return false;
    }
    r->credential_id = c->credential_id;
    r->sandbox = c->sandbox;
    memcpy(r->client_id, c->client_id, sizeof(r->client_id));
    return true;
}

/* ---------------------------------------------------------------- where to */

static bool takes_method(const struct rest_route *route, enum http_method method)
{
    return route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
}

/* The route, or NULL; *other: there is one, with another method. */
static const struct rest_route *find_route(const struct http_target *target,
                                           struct slice params[REST_PARAMS_MAX], bool *other)
{
    *other = false;
    for (size_t i = 0; rest_routes[i] != NULL; i++) {
        memset(params, 0, REST_PARAMS_MAX * sizeof(*params)); /* of a route that matched in part */
        if (!target_match(target->path, rest_routes[i]->rpc.path, params, REST_PARAMS_MAX))
            continue;
        if (takes_method(rest_routes[i], target->method))
            return rest_routes[i];
        *other = true;
    }
    return NULL;
}

/* "https://" and the host the client asked for, for links back to us; only what a host can consist of. */
static void keep_base_url(struct exchange *x, http_exchange_t *http)
{
    struct slice host;
    if (!http_exchange_header(http, "host", &host, NULL) || host.len > HOST_BYTES_MAX)
        host = SLICE("");
    for (size_t i = 0; i < host.len; i++)
        if (!char_is_digit(host.p[i]) && !char_is_lower(host.p[i]) && !char_is_upper(host.p[i]) &&
            strchr(".-_:[]", host.p[i]) == NULL)
            host = SLICE("");
    (void)snprintf(x->base_url, sizeof(x->base_url), "https://%.*s", SLICE_ARG(host));
    x->request.base_url = slice_str(x->base_url);
}

static struct exchange *exchange_new(struct rest *rest, http_exchange_t *http)
{
    unsigned char random[REST_DEBUG_ID_SIZE / 2];
    char hex[HEX_SIZE(sizeof(random))];
    struct exchange *x = calloc(1, sizeof(*x));
    if (x == NULL)
        return NULL;
    if (RAND_bytes(random, sizeof(random)) != 1)
        memset(random, 0, sizeof(random));
    (void)hex_encode(random, sizeof(random), hex);
    memcpy(x->request.debug_id, hex, REST_DEBUG_ID_SIZE - 1);
    x->request.rest = rest;
    x->started_us = clock_monotonic_us();
    keep_base_url(x, http);
    http_exchange_set_user(http, x);
    return x;
}

static bool take_request_id(struct rest_request *r, http_exchange_t *http)
{
    unsigned count = 0;
    struct slice value;
    if (!http_exchange_header(http, "paypal-request-id", &value, &count))
        return true;
    bool good = count == 1 && value.len >= 1 && value.len <= REST_REQUEST_ID_BYTES_MAX;
    for (size_t i = 0; good && i < value.len; i++)
        good = value.p[i] >= 0x20 && value.p[i] <= 0x7e;
    r->request_id = value;
    return good;
}

static size_t body_bytes_max(const struct rest *rest, enum rest_body body)
{
    switch (body) {
    case REST_BODY_NONE:
    case REST_BODY_SMALL:
        break;
    case REST_BODY_FORM:
        return BODY_FORM_BYTES;
    case REST_BODY_BATCH:
        return (size_t)rest->ctx->config->rest_body_bytes_max;
    }
    return BODY_SMALL_BYTES;
}

static bool on_head(void *user, http_exchange_t *http, size_t *bytes_max)
{
    struct rest *rest = user;
    const struct http_target *target = http_exchange_target(http);
    struct exchange *x = exchange_new(rest, http);
    bool other_method;
    if (x == NULL) {
        http_reply(http, 503, NULL, SLICE(""));
        return false;
    }
    struct rest_request *r = &x->request;
    r->route = find_route(target, r->param, &other_method);
    r->query = target->query;
    if (!registry_is_loaded(rest->ctx->registry)) {
        finish_reason(http, REASON_LEDGER_UNAVAILABLE, NULL, NULL);
        return false;
    }
    if ((r->route == NULL || r->route->who == REST_PLATFORM) && !authorize(rest, http))
        return false;
    if (r->route == NULL) {
        finish_error(http,
                     other_method
                         ? &(struct rest_error){.status = 405,
                                                .name = "METHOD_NOT_SUPPORTED",
                                                .message = "This method is not for this resource."}
                         : &(struct rest_error){.status = 404,
                                                .name = "RESOURCE_NOT_FOUND",
                                                .message = "There is nothing at this path."});
        return false;
    }
    if (!take_request_id(r, http)) {
        const struct rest_detail detail = {"PayPal-Request-Id",
                                           "Must be given once, with 1 to 256 visible ASCII "
                                           "characters.",
                                           "header"};
        finish_error(http, &(struct rest_error){.status = 400,
                                                .name = "VALIDATION_ERROR",
                                                .message = "The request is not in order.",
                                                .details = &detail,
                                                .n_details = 1});
        return false;
    }
    *bytes_max = body_bytes_max(rest, r->route->body);
    return true;
}

/* ---------------------------------------------------------------- the request, whole */

/* Asked again: between head and body the client may have been disabled. NULL: it was. */
static const struct principal *principal_of(const struct rest *rest, const struct rest_request *r)
{
    static const struct principal nobody = {.role = ROLE_NONE};
    if (r->route->who == REST_ANYONE)
        return &nobody;
    const struct registry_credential *c =
        registry_credential_by_id(rest->ctx->registry, r->credential_id);
    return c != NULL && c->enabled && c->principal->enabled ? c->principal : NULL;
}

/* What has to outlive the head, into the call's arena. False: the call is over. */
static bool settle_request(struct rpc_call *call, struct rest_request *r)
{
    for (unsigned i = 0; i < REST_PARAMS_MAX; i++) {
        if (r->param[i].len > 0 && !target_decode(&call->arena, r->param[i], false, &r->param[i])) {
            rest_refuse(call, &(struct rest_error){.status = 400,
                                                   .name = "MALFORMED_REQUEST",
                                                   .message = "The path cannot be decoded."});
            return false;
        }
    }
    return true;
}

static void on_request(void *user, http_exchange_t *http, struct slice body)
{
    struct rest *rest = user;
    struct exchange *x = exchange_of(http);
    struct rest_request *r = &x->request;
    const struct principal *p = principal_of(rest, r);
    if (p == NULL) {
        if (authorize(rest, http)) /* which says no, for the same reason */
            finish_reason(http, REASON_UNAUTHENTICATED_PRINCIPAL, NULL, NULL);
        return;
    }
    if (r->route->who != REST_ANYONE && (r->route->rpc.roles & (unsigned)p->role) == 0) {
        finish_reason(http, REASON_ROLE_FORBIDDEN, NULL, NULL);
        return;
    }
    struct rpc_call *call = rpc_call_begin(rest->ctx, &r->route->rpc, &transport, http, p,
                                           http_exchange_connection_id(http), INT64_MAX);
    if (call == NULL) {
        finish_reason(http, REASON_QUEUE_FULL, NULL, NULL);
        return;
    }
    x->call = call;
    r->body = body;
    if (settle_request(call, r))
        r->route->handle(call, r);
}

static void on_gone(void *user, http_exchange_t *http)
{
    struct exchange *x = exchange_of(http);
    (void)user;
    if (x == NULL)
        return;
    if (x->call != NULL)
        (void)rpc_call_gone(x->call);
    http_exchange_set_user(http, NULL);
    free(x);
}

static void transport_error(void *user, unsigned status, const char *why, struct buf *body,
                            const char **content_type)
{
    static const struct {
        unsigned status;
        const char *name;
    } names[] = {{408, "REQUEST_TIMEOUT"},
                 {413, "MESSAGE_TOO_LARGE"},
                 {414, "URI_TOO_LONG"},
                 {417, "EXPECTATION_FAILED"},
                 {421, "MISDIRECTED_REQUEST"},
                 {431, "HEADERS_TOO_LARGE"},
                 {501, "NOT_IMPLEMENTED"},
                 {503, "SERVICE_UNAVAILABLE"},
                 {505, "HTTP_VERSION_NOT_SUPPORTED"}};
    struct rest *rest = user;
    struct json_out json = json_out_of(body);
    unsigned char random[REST_DEBUG_ID_SIZE / 2];
    char debug_id[HEX_SIZE(sizeof(random))] = "";
    const char *name = "MALFORMED_REQUEST";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].status == status)
            name = names[i].name;
    if (RAND_bytes(random, sizeof(random)) == 1)
        (void)hex_encode(random, sizeof(random), debug_id);
    debug_id[REST_DEBUG_ID_SIZE - 1] = '\0';
    rest_error_write(&json, &(struct rest_error){.status = status, .name = name, .message = why},
                     debug_id);
    *content_type = json_type;
    const struct rest_request nobody = {0};
    if (may_log(rest, &nobody))
        log_info(rest->ctx->log, "rest.refused", log_uint("status", status), log_str("why", why),
                 log_str("debug_id", debug_id));
}

/* ---------------------------------------------------------------- for handlers */

struct rest_request *rest_request_of(struct rpc_call *call)
{
    assert(call->handle != NULL);
    return &exchange_of(call->handle)->request;
}

bool rest_query(struct rpc_call *call, const char *name, struct slice *value)
{
    return target_param(&call->arena, rest_request_of(call)->query, name, value);
}

struct slice rest_header(struct rpc_call *call, const char *name)
{
    struct slice value;
    unsigned count;
    return http_exchange_header(call->handle, name, &value, &count) ? value : SLICE("");
}

void rest_answer_header(struct rpc_call *call, const char *name, struct slice value)
{
    add_header(call->handle, name, value);
}

struct slice rest_href(struct rpc_call *call, const char *format, ...)
{
    char path[256];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(path))
        return SLICE("");
    return rpc_text(call, "%.*s%s", SLICE_ARG(rest_request_of(call)->base_url), path);
}

/* ---------------------------------------------------------------- life */

err_t rest_new(struct rpc_ctx *ctx, struct rest **out)
{
    struct rest *rest = calloc(1, sizeof(*rest));
    *out = rest;
    if (rest == NULL)
        return err_make(ERR_NO_MEMORY, "rest");
    rest->ctx = ctx;
    rest->handler = (struct http_handler){.on_head = on_head,
                                          .on_request = on_request,
                                          .on_gone = on_gone,
                                          .transport_error = transport_error,
                                          .user = rest};
    return err_none();
}

void rest_free(struct rest **rest)
{
    free(*rest);
    *rest = NULL;
}

const struct http_handler *rest_handler(struct rest *rest)
{
    return &rest->handler;
}
