/* POST /v1/notifications/verify-webhook-signature, and the certificates that PayPal's scheme is verified with. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "gateway/rest/webhook_event.h"
#include "gateway/rest/webhook_in.h"
#include "hook/event_id.h"
#include "hook/sign.h"

enum { FIELD_CHARS_MAX = 1024, CERTS_MAX = 64 };

/* What is to be verified. All of it is in the call's arena. */
struct verify {
    struct slice transmission_id, time, sig, webhook_id;
    struct slice
        event; /* as compact JSON, its members in the order they came: what we send is so */
    struct slice event_id;
    int64_t event_no;
    bool same; /* the event is ours, and says what ours says */
    struct slice rebuilt;
};

static void answer(struct rpc_call *call, bool good)
{
    struct json_out json = rest_json(call);
    json_out_object(&json);
    json_out_field_str(&json, "verification_status", good ? "SUCCESS" : "FAILURE");
    json_out_object_end(&json);
    rest_reply(call, 200, &json);
}

/* The signature may be of any certificate that we ever had. */
static void on_certs(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    const struct verify *v = call->state;
    char transmission[HOOK_TRANSMISSION_ID_SIZE];
    bool good = false;
    if (!webhook_done(call, outcome, reason))
        return;
    hook_transmission_id(v->event_id, v->webhook_id, transmission);
    if (!slice_equal_str(v->transmission_id, transmission)) {
        answer(call, false);
        return;
    }
    for (int row = 0; !good && row < rows_count(rows) && row < CERTS_MAX; row++)
        good = hook_verify_paypal(rows_text(rows, row, 1), v->transmission_id, v->time,
                                  v->webhook_id, v->event, v->sig) ||
               hook_verify_paypal(rows_text(rows, row, 1), v->transmission_id, v->time,
                                  v->webhook_id, v->rebuilt, v->sig);
    answer(call, good);
}

/* Whether two events say the same; where their links lead does not matter. */
static bool is_same(struct slice ours, struct slice theirs)
{
    json_t *a = json_loadb(ours.p, ours.len, 0, NULL),
           *b = json_loadb(theirs.p, theirs.len, 0, NULL);
    json_t *of_a = json_object_get(a, "resource"), *of_b = json_object_get(b, "resource");
    (void)json_object_del(a, "links");
    (void)json_object_del(b, "links");
    (void)json_object_del(of_a, "links");
    (void)json_object_del(of_b, "links");
    bool same = a != NULL && b != NULL && json_equal(a, b) == 1;
    json_decref(a);
    json_decref(b);
    return same;
}

static void on_event(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                     const struct rows *rows)
{
    struct verify *v = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    if (rows_count(rows) == 0) {
        answer(call, false);
        return;
    }
    struct json_out json = rest_json(call);
    err_t err = webhook_event_text(rows, 0, call->ctx->config->hooks_base_url, json.buf);
    if (err_failed(err) || !arena_slice_dup(&call->arena, buf_slice(json.buf), &v->rebuilt)) {
        rpc_refuse(call, REASON_INTERNAL, NULL);
    } else if (!is_same(v->rebuilt, v->event)) {
        answer(call, false);
    } else {
        struct params params;
        params_init(&params);
        params_add_null(&params);
        rpc_query(call, "webhook_certs", &params, on_certs);
        params_deinit(&params);
    }
}

/* The endpoint is to be one of the caller's. */
static void on_webhook(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                       const struct rows *rows)
{
    const struct verify *v = call->state;
    if (!webhook_done(call, outcome, reason))
        return;
    if (rows_count(rows) == 0) {
        answer(call, false);
        return;
    }
    struct params params;
    params_init(&params);
    params_add_int4(&params, call->principal.book_id);
    params_add_int8(&params, v->event_no);
    rpc_query(call, "webhook_event_get", &params, on_event);
    params_deinit(&params);
}

static struct slice take(struct rpc_call *call, struct rest_faults *faults, const json_t *root,
                         const char *key)
{
    struct slice kept = SLICE(""),
                 text = json_in_text(faults, root, "", key, true, FIELD_CHARS_MAX);
    return arena_slice_dup(&call->arena, text, &kept) ? kept : SLICE("");
}

static bool take_event(struct rpc_call *call, struct verify *v, const json_t *event)
{
    const json_t *id = json_object_get(event, "id");
    int32_t book_id = 0;
    char *text = event == NULL ? NULL : json_dumps(event, JSON_COMPACT);
    bool good = text != NULL && arena_slice_dup(&call->arena, slice_str(text), &v->event) &&
                json_is_string(id) &&
                arena_slice_dup(&call->arena, slice_str(json_string_value(id)), &v->event_id) &&
                hook_event_id_read(v->event_id, &book_id, &v->event_no) &&
                book_id == call->principal.book_id;
    free(text);
    return good;
}

static void verify(struct rpc_call *call, struct rest_request *request)
{
    struct rest_faults faults = {.arena = &call->arena};
    struct verify *v = rpc_alloc(call, 1, sizeof *v);
    call->state = v;
    json_t *root = v == NULL ? NULL : webhook_body(call, request);
    if (root == NULL)
        return;
    v->transmission_id = take(call, &faults, root, "transmission_id");
    v->time = take(call, &faults, root, "transmission_time");
    v->sig = take(call, &faults, root, "transmission_sig");
    v->webhook_id = take(call, &faults, root, "webhook_id");
    (void)take(call, &faults, root, "cert_url");
    struct slice algorithm = take(call, &faults, root, "auth_algo");
    const json_t *event = json_in_object(&faults, root, "", "webhook_event", true);
    bool ours = take_event(call, v, event) && slice_equal_str(algorithm, "SHA256withRSA");
    json_decref(root);
    if (faults.n > 0) {
        webhook_refuse_faults(call, &faults);
    } else if (!ours) {
        answer(call, false);
    } else {
        struct params params;
        params_init(&params);
        params_add_int4(&params, call->principal.book_id);
        params_add_text(&params, v->webhook_id);
        rpc_query(call, "webhook_get", &params, on_webhook);
        params_deinit(&params);
    }
}

/* ---------------------------------------------------------------- certificates */

static void on_cert(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    if (!webhook_done(call, outcome, reason))
        return;
    if (rows_count(rows) == 0) {
        webhook_refuse_id(call);
        return;
    }
    struct slice der = rows_text(rows, 0, 1);
    const unsigned char *at = (const unsigned char *)der.p;
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    BIO *bio = BIO_new(BIO_s_mem());
    BUF_MEM *pem = NULL;
    if (cert != NULL && bio != NULL && PEM_write_bio_X509(bio, cert) == 1 &&
        BIO_get_mem_ptr(bio, &pem) == 1)
        rest_reply_bytes(call, 200, "application/x-pem-file", slice_of(pem->data, pem->length));
    else
        rpc_refuse(call, REASON_INTERNAL, NULL);
    BIO_free(bio);
    X509_free(cert);
}

static void get_cert(struct rpc_call *call, struct rest_request *request)
{
    struct params params;
    params_init(&params);
    params_add_text(&params, request->param[0]);
    rpc_query(call, "webhook_certs", &params, on_cert);
    params_deinit(&params);
}

const struct rest_route rest_verify_webhook = {
    .method = HTTP_POST,
    .body = REST_BODY_SMALL,
    .rpc = {.path = "/v1/notifications/verify-webhook-signature", .roles = ROLE_PLATFORM},
    .handle = verify,
};
const struct rest_route rest_get_webhook_cert = {
    .method = HTTP_GET,
    .who = REST_ANYONE,
    .rpc = {.path = "/v1/notifications/certs/{id}"},
    .handle = get_cert,
};
