/*
 * rest.h: the REST API that PayPal's Payouts SDKs speak (docs/paypal.md): what one route is, and how a file of this
 * folder handles a request.
 *
 * One file a resource. It defines, per method and path, one row
 *
 *     static void handle(struct rpc_call *call, struct rest_request *request) { ... }
 *
 *     const struct rest_route rest_get_payout = {
 *         .method = HTTP_GET,
 *         .rpc = {.path = "/v1/payments/payouts/{id}", .roles = ROLE_PLATFORM},
 *         .handle = handle,
 *     };
 *
 * and routes.c lists the row in rest_routes[]. A request is a call like any other (gateway/rpc/rpc.h): it has a
 * principal, an arena, a deadline; it asks the ledger by rpc_query, and the same functions price and draft. Only the
 * end is other: rest_reply (JSON), or a refusal: rpc_refuse with a reason (error.c knows its name and status here), or
 * rest_refuse with a whole error. Exactly one of them ends it, and `call` must not be touched after.
 *
 * Before `handle` runs, the bearer token was checked and the principal is known, enabled, and a platform; all that
 * before a byte of the body is taken. A route with .who = REST_ANYONE is not: its call has no principal (role NONE).
 *
 * Paths match by segment; {name} stands for one segment, which is request->param[], in order, percent-decoded. A trailing
 * '/', '?' or '&' makes no difference. request and its slices live until the call is over, but for body: until handle
 * returns.
 */
#ifndef UJRAT_REST_REST_H
#define UJRAT_REST_REST_H

#include "gateway/net/http.h"
#include "gateway/rest/json_out.h"
#include "gateway/rpc/rpc_transport.h"

enum rest_who {
    REST_PLATFORM = 0, /* who has a bearer token of a platform */
    REST_ANYONE,       /* nobody was asked who they are: the route does */
};

enum rest_body {
    REST_BODY_NONE = 0, /* what comes is bounded and not looked at */
    REST_BODY_FORM,     /* 16 KiB: of a page */
    REST_BODY_SMALL,    /* 64 KiB */
    REST_BODY_BATCH,    /* rest_body_max */
};

enum {
    REST_PARAMS_MAX = 2,
    REST_DEBUG_ID_SIZE = 14, /* 13 hexadecimal digits, as PayPal's */
    REST_CLIENT_ID_SIZE = 81,
    REST_REQUEST_ID_BYTES_MAX = 256,
};

struct rest_request;

struct rest_route {
    enum http_method method; /* HEAD goes where GET goes */
    enum rest_who who;
    enum rest_body body;
    struct rpc_method rpc; /* .path is the pattern, .roles who may; .is_batch: memory for one */
    void (*handle)(struct rpc_call *call, struct rest_request *request);
    /* Of a page for people; NULL: of the API. What is refused before or besides handle is then said by it in HTML, and every
     * answer has a page's headers. */
    void (*error_page)(const struct rest_request *request, unsigned status, struct buf *out);
};

struct rest_request {
    const struct rest_route *route;
    struct rest *rest;
    struct slice param[REST_PARAMS_MAX];
    struct slice query;      /* as it came */
    struct slice body;       /* until handle returns */
    struct slice base_url;   /* "https://pay.example:8443": before the paths of links */
    struct slice request_id; /* PayPal-Request-Id; empty: none */
    int32_t credential_id;   /* 0: of REST_ANYONE */
    bool sandbox;            /* PayPal's magic values are looked for */
    char client_id[REST_CLIENT_ID_SIZE];
    char debug_id[REST_DEBUG_ID_SIZE];
    /* Where the message goes that a handler of gateway/rpc/ answers with (rpc_reply); NULL: nowhere. */
    void (*on_message)(struct rpc_call *call, const struct wire_message *type, const void *message);
};

/* All routes, ended by NULL (routes.c). */
extern const struct rest_route *const rest_routes[];

/* ---------------------------------------------------------------- for the worker */

/* One a worker; ctx must outlive it. */
struct rest;
MUST_CHECK err_t rest_new(struct rpc_ctx *ctx, struct rest **out);
/* After the server was freed. */
void rest_free(struct rest **rest);
/* What the HTTP server calls; lives as long as rest. */
const struct http_handler *rest_handler(struct rest *rest);

/* ---------------------------------------------------------------- for handlers */

/* Of a call that is not over: good also in callbacks. */
struct rest_request *rest_request_of(struct rpc_call *call);

/* How often each claim link was used, in this worker. */
struct claim_limits;
struct claim_limits *rest_claim_limits(struct rest *rest);

/* The value of a query parameter, percent-decoded, in the call's arena; the first of several. False: it did not come,
 * or cannot be decoded (which is as if it had not come: unknown and broken ones are ignored). */
MUST_CHECK bool rest_query(struct rpc_call *call, const char *name, struct slice *value);

/* A value of a header, without blanks around; empty: it did not come. Until handle returns. */
struct slice rest_header(struct rpc_call *call, const char *name);

/* Adds a header to the answer. A value that cannot stand in one is left out. */
void rest_answer_header(struct rpc_call *call, const char *name, struct slice value);

/* A JSON text begun in the worker's scratch buffer: write it and hand it to rest_reply in the same event. */
struct json_out rest_json(struct rpc_call *call);
/* Ends the call with it. One that did not fit ends it with INTERNAL. */
void rest_reply(struct rpc_call *call, unsigned status, struct json_out *json);
/* Ends the call with a body of another type (a page), or none (content_type NULL). */
void rest_reply_bytes(struct rpc_call *call, unsigned status, const char *content_type,
                      struct slice body);

struct rest_detail {
    const char *field;    /* "items[2].receiver"; NULL: none */
    const char *issue;    /* a sentence */
    const char *location; /* NULL: "body" */
};

struct rest_link {
    const char *rel;    /* "self" */
    const char *method; /* "GET" */
    struct slice href;  /* absolute: rest_href */
};

/* An error as PayPal words it. name and message are literals, or live as long as the call. */
struct rest_error {
    unsigned status;
    const char *oauth; /* NULL, or the error as OAuth 2.0 names it: "invalid_client" */
    const char *name, *message;
    const struct rest_detail *details;
    unsigned n_details;
    const struct rest_link *links;
    unsigned n_links;
    uint32_t retry_ms; /* 0, or what Retry-After says */
};
void rest_refuse(struct rpc_call *call, const struct rest_error *error);

/* request->base_url with a path, in the arena. */
struct slice rest_href(struct rpc_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* {"href":…,"rel":…,"method":…,"encType":"application/json"}, into an array that is open. */
void rest_link_write(struct json_out *json, const struct rest_link *link);

#endif
