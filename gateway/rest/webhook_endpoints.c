/* /v1/notifications/webhooks: endpoints, created, listed, changed, removed; and which event types there are. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "gateway/rest/webhook_in.h"
#include "hook/sign.h"
#include "hook/url.h"

/* Columns of webhook_get.sql. */
enum { W_ID, W_URL, W_TYPES, W_STATE, W_REASON, W_CONCURRENCY, W_CREATED_AT, W_KEY };

enum verdict { DONE = 1, URL_TAKEN, TOO_MANY, NOT_THERE };

struct endpoint {
    char id[WEBHOOK_ID_LEN + 1];
    unsigned status; /* of the answer */
    bool types_only;
};

/* ---------------------------------------------------------------- answers */

static void write_types(struct json_out *json, struct slice types)
{
    struct slice one;
    bool more = true;
    json_out_key(json, "event_types");
    json_out_array(json);
    while (more) {
        more = slice_cut(types, ',', &one, &types);
        json_out_object(json);
        json_out_field(json, "name", one);
        json_out_field_str(json, "status", "ENABLED");
        json_out_object_end(json);
    }
    json_out_array_end(json);
}

/* "whpk_" and the key in base64, as Standard Webhooks writes it. */
static void write_key(struct json_out *json, struct slice key)
{
    char text[5 + 4 * ((HOOK_PUBLIC_KEY_SIZE + 2) / 3) + 1] = "whpk_";
    if (key.len != HOOK_PUBLIC_KEY_SIZE)
        return; /* no notifier has ever run */
    (void)EVP_EncodeBlock((unsigned char *)text + 5, (const unsigned char *)key.p,
                          HOOK_PUBLIC_KEY_SIZE);
    json_out_field_str(json, "public_key", text);
}

static void write_endpoint(struct rpc_call *call, struct json_out *json, const struct rows *rows,
                           int row)
{
    struct slice id = rows_text(rows, row, W_ID);
    struct slice href = rest_href(call, "/v1/notifications/webhooks/%.*s", SLICE_ARG(id));
    json_out_object(json);
    json_out_field(json, "id", id);
    json_out_field(json, "url", rows_text(rows, row, W_URL));
    write_types(json, rows_text(rows, row, W_TYPES));
    json_out_field(json, "state", rows_text(rows, row, W_STATE));
    json_out_field(json, "state_reason", rows_text(rows, row, W_REASON));
    json_out_field_int(json, "concurrency", rows_int(rows, row, W_CONCURRENCY));
    json_out_field_time(json, "create_time", rows_time_us(rows, row, W_CREATED_AT));
    write_key(json, rows_text(rows, row, W_KEY));
    json_out_key(json, "links");
    json_out_array(json);
    rest_link_write(json, &(struct rest_link){"self", "GET", href});
    rest_link_write(json, &(struct rest_link){"update", "PATCH", href});
    rest_link_write(json, &(struct rest_link){"delete", "DELETE", href});
    json_out_array_end(json);
    json_out_object_end(json);
}

static void on_endpoint(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                        const struct rows *rows)
{
    const struct endpoint *e = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    if (rows_count(rows) == 0) {
        webhook_refuse_id(call);
        return;
    }
    struct json_out json = rest_json(call);
    if (e->types_only) {
        json_out_object(&json);
        write_types(&json, rows_text(rows, 0, W_TYPES));
        json_out_object_end(&json);
    } else {
        write_endpoint(call, &json, rows, 0);
    }
    rest_reply(call, e->status, &json);
}

static void ask_endpoint(struct rpc_call *call)
{
    const struct endpoint *e = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text(&params, slice_str(e->id));
    rpc_query(call, "webhook_get", &params, on_endpoint);
    params_deinit(&params);
}

static void on_change(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    struct endpoint *e = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    switch ((enum verdict)rows_int(rows, 0, 0)) {
    case DONE:
        if (e->status == 204)
            rest_reply_bytes(call, 204, NULL, SLICE(""));
        else
            ask_endpoint(call);
        return;
    case URL_TAKEN:
        rest_refuse(call, &(struct rest_error){.status = 400,
                                               .name = "WEBHOOK_URL_ALREADY_EXISTS",
                                               .message = "Webhook URL already exists."});
        return;
    case TOO_MANY:
        rest_refuse(call, &(struct rest_error){
                              .status = 400,
                              .name = "WEBHOOK_NUMBER_LIMIT_EXCEEDED",
                              .message = "There are ten webhooks already, which is the most."});
        return;
    case NOT_THERE:
        break;
    }
    webhook_refuse_id(call);
}

/* ---------------------------------------------------------------- requests */

static struct endpoint *begin(struct rpc_call *call, unsigned status)
{
    struct endpoint *e = rpc_alloc(call, 1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->status = status;
    call->state = e;
    return e;
}

/* 17 characters of 32, as random as they look. */
static bool make_id(char out[WEBHOOK_ID_LEN + 1])
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char random[WEBHOOK_ID_LEN];
    if (RAND_bytes(random, sizeof random) != 1)
        return false;
    for (unsigned i = 0; i < WEBHOOK_ID_LEN; i++)
        out[i] = letters[random[i] & 31];
    out[WEBHOOK_ID_LEN] = '\0';
    return true;
}

static bool take_id(struct rpc_call *call, const struct rest_request *request, struct endpoint *e)
{
    if (!err_failed(slice_copy(request->param[0], e->id, sizeof e->id)))
        return true;
    webhook_refuse_id(call);
    return false;
}

static void check_url(struct rpc_call *call, struct rest_faults *faults, struct slice url,
                      const char *field)
{
    const char *fault = hook_url_fault(url, call->ctx->config->hooks_private_targets);
    if (fault != NULL)
        rest_fault(faults, "", field, fault);
}

static void create(struct rpc_call *call, struct rest_request *request)
{
    struct rest_faults faults = {.arena = &call->arena};
    struct slice url = SLICE(""), types = SLICE("");
    struct endpoint *e = begin(call, 201);
    json_t *root = e == NULL ? NULL : webhook_body(call, request);
    if (root == NULL)
        return;
    struct slice given = json_in_text(&faults, root, "", "url", true, HOOK_URL_BYTES_MAX);
    const json_t *array = json_in_array(&faults, root, "", "event_types", true);
    if (given.len > 0)
        check_url(call, &faults, given, "url");
    if (array != NULL)
        types = webhook_types(call, &faults, array, "event_types");
    bool room = arena_slice_dup(&call->arena, given, &url) && make_id(e->id);
    json_decref(root);
    if (faults.n > 0) {
        webhook_refuse_faults(call, &faults);
    } else if (!room) {
        rpc_refuse(call, REASON_INTERNAL, NULL);
    } else {
        struct params params;
        params_init(&params);
        params_add_int4(&params, call->principal.book_id);
        params_add_text(&params, slice_str(e->id));
        params_add_text(&params, url);
        params_add_text(&params, types);
        params_add_text(&params, slice_str(request->client_id));
        rpc_query(call, "webhook_create", &params, on_change);
        params_deinit(&params);
    }
}

static void ask_change(struct rpc_call *call, const struct rest_request *request, struct slice url,
                       struct slice types, const char *state, const char *why)
{
    const struct endpoint *e = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_text(&params, slice_str(e->id));
    params_add_text_or_null(&params, url);
    params_add_text_or_null(&params, types);
    params_add_text_or_null(&params, slice_str(state));
    params_add_text(&params, slice_str(why));
    params_add_text(&params, slice_str(request->client_id));
    rpc_query(call, "webhook_change", &params, on_change);
    params_deinit(&params);
}

/* One operation of a JSON patch: only a replacement of what can be replaced. */
static void take_patch(struct rpc_call *call, struct rest_faults *faults, const json_t *one,
                       struct slice *url, struct slice *types)
{
    const char *op = json_string_value(json_object_get(one, "op")),
               *path = json_string_value(json_object_get(one, "path"));
    const json_t *value = json_object_get(one, "value");
    if (op == NULL || strcmp(op, "replace") != 0) {
        rest_fault(faults, "", "op", "The only operation is replace.");
    } else if (path != NULL && strcmp(path, "/url") == 0 && json_is_string(value)) {
        struct slice given = slice_of(json_string_value(value), json_string_length(value));
        check_url(call, faults, given, "url");
        if (!arena_slice_dup(&call->arena, given, url))
            rest_fault(faults, "", "url", "It is too long.");
    } else if (path != NULL && strcmp(path, "/event_types") == 0 && json_is_array(value)) {
        *types = webhook_types(call, faults, value, "event_types");
    } else {
        rest_fault(faults, "", "path",
                   "What can be replaced is /url, by a text, and /event_types, by a list.");
    }
}

static void update(struct rpc_call *call, struct rest_request *request)
{
    struct rest_faults faults = {.arena = &call->arena};
    struct slice url = SLICE(""), types = SLICE("");
    struct endpoint *e = begin(call, 200);
    if (e == NULL || !take_id(call, request, e))
        return;
    json_t *root = webhook_body(call, request);
    if (root == NULL)
        return;
    if (!json_is_array(root) || json_array_size(root) == 0)
        rest_fault(&faults, "", "", "A JSON patch is a list of operations.");
    for (size_t i = 0; i < json_array_size(root); i++)
        take_patch(call, &faults, json_array_get(root, i), &url, &types);
    json_decref(root);
    if (faults.n > 0)
        webhook_refuse_faults(call, &faults);
    else
        ask_change(call, request, url, types, "", "changed by the platform");
}

static void delete_one(struct rpc_call *call, struct rest_request *request)
{
    struct endpoint *e = begin(call, 204);
    if (e != NULL && take_id(call, request, e))
        ask_change(call, request, SLICE(""), SLICE(""), "DELETED", "deleted by the platform");
}

static void get_one(struct rpc_call *call, struct rest_request *request)
{
    struct endpoint *e = begin(call, 200);
    if (e != NULL && take_id(call, request, e))
        ask_endpoint(call);
}

static void get_types(struct rpc_call *call, struct rest_request *request)
{
    struct endpoint *e = begin(call, 200);
    if (e == NULL || !take_id(call, request, e))
        return;
    e->types_only = true;
    ask_endpoint(call);
}

static void on_list(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    if (!webhook_done(call, outcome, reason))
        return;
    struct json_out json = rest_json(call);
    json_out_object(&json);
    json_out_key(&json, "webhooks");
    json_out_array(&json);
    for (int row = 0; row < rows_count(rows); row++)
        write_endpoint(call, &json, rows, row);
    json_out_array_end(&json);
    json_out_object_end(&json);
    rest_reply(call, 200, &json);
}

static void list(struct rpc_call *call, struct rest_request *request)
{
    struct params params;
    (void)request;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_null(&params);
    rpc_query(call, "webhook_get", &params, on_list);
    params_deinit(&params);
}

static void on_kinds(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    if (!webhook_done(call, outcome, reason))
        return;
    struct json_out json = rest_json(call);
    json_out_object(&json);
    json_out_key(&json, "event_types");
    json_out_array(&json);
    for (int row = 0; row < rows_count(rows); row++) {
        json_out_object(&json);
        json_out_field(&json, "name", rows_text(rows, row, 0));
        json_out_field(&json, "description", rows_text(rows, row, 1));
        json_out_field_str(&json, "status", "ENABLED");
        json_out_object_end(&json);
    }
    json_out_array_end(&json);
    json_out_object_end(&json);
    rest_reply(call, 200, &json);
}

static void list_kinds(struct rpc_call *call, struct rest_request *request)
{
    struct params params;
    (void)request;
    params_init(&params);
    rpc_query(call, "webhook_kinds", &params, on_kinds);
    params_deinit(&params);
}

#define ROUTE(verb, pattern, what, takes)                                                          \
    {                                                                                              \
        .method = (verb), .body = (takes), .rpc = {.path = (pattern), .roles = ROLE_PLATFORM},     \
        .handle = (what)                                                                           \
    }

const struct rest_route rest_create_webhook =
    ROUTE(HTTP_POST, "/v1/notifications/webhooks", create, REST_BODY_SMALL);
const struct rest_route rest_list_webhooks =
    ROUTE(HTTP_GET, "/v1/notifications/webhooks", list, REST_BODY_NONE);
const struct rest_route rest_get_webhook =
    ROUTE(HTTP_GET, "/v1/notifications/webhooks/{id}", get_one, REST_BODY_NONE);
const struct rest_route rest_update_webhook =
    ROUTE(HTTP_PATCH, "/v1/notifications/webhooks/{id}", update, REST_BODY_SMALL);
const struct rest_route rest_delete_webhook =
    ROUTE(HTTP_DELETE, "/v1/notifications/webhooks/{id}", delete_one, REST_BODY_NONE);
const struct rest_route rest_get_webhook_types =
    ROUTE(HTTP_GET, "/v1/notifications/webhooks/{id}/event-types", get_types, REST_BODY_NONE);
const struct rest_route rest_list_webhook_kinds =
    ROUTE(HTTP_GET, "/v1/notifications/webhooks-event-types", list_kinds, REST_BODY_NONE);
