/* POST /v1/oauth2/token: a bearer token for a client's id and secret (RFC 6749: client_credentials, refresh_token). */
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/timefmt.h"
#include "gateway/rest/routes.h"
#include "gateway/rest/target.h"
#include "gateway/rest/token.h"

enum { REFRESH_TTL_S = 30 * 86400, BASIC_BYTES_MAX = 512, NONCE_BYTES = 24 };

static void refuse(struct rpc_call *call, unsigned status, const char *oauth, const char *name,
                   const char *why)
{
    rest_refuse(
        call, &(struct rest_error){.status = status, .oauth = oauth, .name = name, .message = why});
}

/* RFC 4648 section 4, with or without padding. False: it is none, or too long. */
static bool base64_decode(struct slice text, char *out, size_t out_size, size_t *len)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    *len = 0;
    while (text.len > 0 && text.p[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.p[i];
        unsigned digit;
        if (char_is_upper(c))
            digit = (unsigned)(c - 'A');
        else if (char_is_lower(c))
            digit = (unsigned)(c - 'a') + 26;
        else if (char_is_digit(c))
            digit = (unsigned)(c - '0') + 52;
        else if (c == '+' || c == '/')
            digit = c == '+' ? 62 : 63;
        else
            return false;
        bits = bits << 6 | digit;
        n_bits += 6;
        if (n_bits < 8)
            continue;
        n_bits -= 8;
        if (*len == out_size)
            return false;
        out[(*len)++] = (char)(bits >> n_bits & 0xff);
    }
    return true;
}

/* The client that "Basic base64(id:secret)" is of, or NULL. As much work for ids that there are as for those there are not. */
static const struct registry_credential *check_basic(struct rpc_call *call)
{
    static const struct registry_credential nobody = {.enabled = false};
    const struct slice header = rest_header(call, "authorization");
    struct slice scheme, text, id, secret;
    char plain[BASIC_BYTES_MAX];
    uint8_t hash[REST_SECRET_HASH_SIZE];
    size_t len;
    if (!slice_cut(header, ' ', &scheme, &text) || scheme.len != 5 ||
        strncasecmp(scheme.p, "Basic", 5) != 0 ||
        !base64_decode(slice_trim(text), plain, sizeof(plain), &len) ||
        !slice_cut(slice_of(plain, len), ':', &id, &secret))
        return NULL;
    const struct registry_credential *c = registry_credential(call->ctx->registry, id);
    const struct registry_credential *compared = c == NULL ? &nobody : c;
    rest_secret_hash(compared->secret_salt, secret, hash);
    const bool same = CRYPTO_memcmp(hash, compared->secret_sha256, sizeof(hash)) == 0;
    OPENSSL_cleanse(plain, sizeof(plain));
    return c != NULL && same && c->enabled && c->principal->enabled &&
                   c->principal->role == ROLE_PLATFORM
               ? c
               : NULL;
}

static size_t make_token(const struct registry_credential *c, enum rest_token_kind kind,
                         int64_t now_s, int64_t ttl_s, char out[REST_TOKEN_SIZE])
{
    struct rest_token token = {.kind = kind,
                               .credential_id = c->credential_id,
                               .issued_s = now_s,
                               .expires_s = now_s + ttl_s};
    if (RAND_bytes(token.random, sizeof(token.random)) != 1)
        return 0;
    return rest_token_make(&token, c->token_key, out);
}

/* PayPal's shape; the nonce is the time and something random. */
static void answer(struct rpc_call *call, const struct registry_credential *c)
{
    static const struct slice scope =
        SLICE("https://uri.paypal.com/services/payments/payouts "
              "https://uri.paypal.com/payments/payouts "
              "https://uri.paypal.com/services/applications/webhooks");
    const int64_t now_us = clock_realtime_us(), now_s = now_us / US_PER_SEC;
    const int64_t ttl_s = call->ctx->config->rest_token_ttl_ms / 1000;
    char access[REST_TOKEN_SIZE], refresh[REST_TOKEN_SIZE], time[TIMEFMT_SIZE];
    char nonce[BASE64URL_SIZE(NONCE_BYTES)];
    uint8_t random[NONCE_BYTES];
    const size_t access_len = make_token(c, REST_TOKEN_ACCESS, now_s, ttl_s, access);
    const size_t refresh_len = make_token(c, REST_TOKEN_REFRESH, now_s, REFRESH_TTL_S, refresh);
    if (access_len == 0 || refresh_len == 0 || RAND_bytes(random, sizeof(random)) != 1) {
        rpc_refuse(call, REASON_INTERNAL, NULL);
        return;
    }
    (void)base64url_encode(random, sizeof(random), nonce);
    (void)timefmt_rfc3339(now_s * US_PER_SEC, time);
    struct json_out json = rest_json(call);
    json_out_object(&json);
    json_out_field(&json, "scope", scope);
    json_out_field(&json, "access_token", slice_of(access, access_len));
    json_out_field_str(&json, "token_type", "Bearer");
    json_out_field(&json, "app_id", rpc_text(call, "APP-%s", c->client_id));
    json_out_field_int(&json, "expires_in", ttl_s);
    json_out_field(&json, "nonce", rpc_text(call, "%.19sZ%s", time, nonce));
    json_out_field(&json, "refresh_token", slice_of(refresh, refresh_len));
    json_out_object_end(&json);
    rest_reply(call, 200, &json);
}

static bool refresh_is_good(const struct registry_credential *c, struct slice text)
{
    return rest_token_check(text, REST_TOKEN_REFRESH, clock_realtime_us() / US_PER_SEC,
                            c->token_key) == REST_TOKEN_GOOD;
}

static void handle(struct rpc_call *call, struct rest_request *request)
{
    struct slice grant, text;
    const struct registry_credential *c = check_basic(call);
    if (c == NULL) {
        refuse(call, 401, "invalid_client", "INVALID_CLIENT", "Client Authentication failed");
        return;
    }
    request->credential_id = c->credential_id;
    memcpy(request->client_id, c->client_id, sizeof(request->client_id));
    if (!target_param(&call->arena, request->body, "grant_type", &grant)) {
        refuse(call, 400, "invalid_request", "INVALID_REQUEST", "Grant Type is missing");
        return;
    }
    if (slice_equal_str(grant, "client_credentials")) {
        answer(call, c);
    } else if (slice_equal_str(grant, "refresh_token")) {
        if (target_param(&call->arena, request->body, "refresh_token", &text) &&
            refresh_is_good(c, text))
            answer(call, c);
        else
            refuse(call, 400, "invalid_grant", "INVALID_GRANT",
                   "The refresh token is expired, or not one of this client's");
    } else {
        refuse(call, 400, "unsupported_grant_type", "UNSUPPORTED_GRANT_TYPE",
               "Grant Type is neither client_credentials nor refresh_token");
    }
}

const struct rest_route rest_oauth_token = {
    .method = HTTP_POST,
    .who = REST_ANYONE,
    .body = REST_BODY_SMALL,
    .rpc = {.path = "/v1/oauth2/token"},
    .handle = handle,
};
