/* Resource names, page sizes, opaque tokens. */
#include <string.h>

#include "base/be.h"
#include "base/hex.h"
#include "gateway/rpc/rpc.h"

static const struct slice platforms = SLICE("platforms/");

reason_t rpc_resource_id(const struct rpc_call *call, struct slice name, const char *collection,
                         int64_t *id)
{
    struct slice code, rest, kind, number;
    if (name.len == 0)
        return REASON_FIELD_REQUIRED;
    if (!slice_starts_with(name, platforms))
        return REASON_FIELD_INVALID;
    struct slice tail = slice_of(name.p + platforms.len, name.len - platforms.len);
    if (!slice_cut(tail, '/', &code, &rest) || !slice_cut(rest, '/', &kind, &number) ||
        code.len == 0)
        return REASON_FIELD_INVALID;
    if (!slice_equal_str(code, call->principal.code))
        return REASON_RESOURCE_FORBIDDEN;
    /* One name a resource: no sign, no zero in front. */
    if (!slice_equal_str(kind, collection) || number.len == 0 || number.p[0] < '1' ||
        number.p[0] > '9' || err_failed(str_parse_int64(number, id)))
        return REASON_FIELD_INVALID;
    return REASON_NONE;
}

static char *put(char *p, const char *text, size_t len)
{
    memcpy(p, text, len);
    return p + len;
}

struct slice rpc_resource_name(struct rpc_call *call, const char *collection, int64_t id)
{
    size_t code_len = strlen(call->principal.code);
    size_t collection_len = strlen(collection);
    char *name =
        arena_alloc(&call->arena, platforms.len + code_len + collection_len + 2 + STR_INT64_SIZE);
    if (name == NULL)
        return SLICE("");
    char *p = put(name, platforms.p, platforms.len);
    p = put(p, call->principal.code, code_len);
    *p++ = '/';
    p = put(p, collection, collection_len);
    *p++ = '/';
    p += str_format_int64(id, p);
    return slice_of(name, (size_t)(p - name));
}

reason_t rpc_page_size(int32_t asked, int32_t *rows)
{
    enum { ROWS_DEFAULT = 100, ROWS_MAX = 1000 };
    if (asked < 0 || asked > ROWS_MAX)
        return REASON_PAGE_SIZE_INVALID;
    *rows = asked == 0 ? ROWS_DEFAULT : asked;
    return REASON_NONE;
}

/* ---------------------------------------------------------------- tokens */

enum { TOKEN_VERSION = 1, TOKEN_SUM_AT = 26, TOKEN_BYTES = 30 };

/* FNV-1a: against slips of those who store tokens, not against malice: a token grants nothing. */
static uint32_t token_sum(const uint8_t *p)
{
    uint32_t sum = 2166136261U;
    for (unsigned i = 0; i < TOKEN_SUM_AT; i++)
        sum = (sum ^ p[i]) * 16777619U;
    return sum;
}

size_t rpc_token_write(const struct rpc_token *token, char out[RPC_TOKEN_SIZE])
{
    _Static_assert(RPC_TOKEN_SIZE == BASE64URL_SIZE(TOKEN_BYTES), "a token's text fits exactly");
    uint8_t bytes[TOKEN_BYTES] = {TOKEN_VERSION, (uint8_t)token->kind};
    be_put(bytes + 2, (uint64_t)token->scope, 8);
    be_put(bytes + 10, (uint64_t)token->a, 8);
    be_put(bytes + 18, (uint64_t)token->b, 8);
    be_put(bytes + TOKEN_SUM_AT, token_sum(bytes), 4);
    return base64url_encode(bytes, sizeof(bytes), out);
}

struct slice rpc_token_encode(struct rpc_call *call, const struct rpc_token *token)
{
    char *text = arena_alloc(&call->arena, RPC_TOKEN_SIZE);
    if (text == NULL)
        return SLICE("");
    return slice_of(text, rpc_token_write(token, text));
}

bool rpc_token_decode(struct slice text, struct rpc_token *token)
{
    token->a = 0;
    token->b = 0;
    if (text.len == 0)
        return true;
    uint8_t bytes[TOKEN_BYTES];
    size_t len;
    if (err_failed(base64url_decode(text, bytes, sizeof(bytes), &len)) || len != sizeof(bytes) ||
        bytes[0] != TOKEN_VERSION || bytes[1] != (uint8_t)token->kind ||
        be_get(bytes + 2, 8) != (uint64_t)token->scope ||
        be_get(bytes + TOKEN_SUM_AT, 4) != token_sum(bytes))
        return false;
    token->a = (int64_t)be_get(bytes + 10, 8);
    token->b = (int64_t)be_get(bytes + 18, 8);
    return true;
}
