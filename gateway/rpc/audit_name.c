#include "gateway/rpc/audit_name.h"

static const struct slice books = SLICE("books/");
static const struct slice platforms = SLICE("platforms/");

static struct slice without(struct slice s, struct slice prefix)
{
    return slice_of(s.p + prefix.len, s.len - prefix.len);
}

reason_t audit_book_id(const struct rpc_call *call, struct slice name, int32_t *book_id)
{
    if (name.len == 0)
        return REASON_FIELD_REQUIRED;
    if (!slice_starts_with(name, books))
        return REASON_FIELD_INVALID;
    const struct registry_book *book =
        registry_book_by_code(call->ctx->registry, without(name, books));
    if (book == NULL)
        return REASON_BOOK_NOT_FOUND;
    *book_id = book->book_id;
    return REASON_NONE;
}

/* "<code>/<collection>/<rest>" */
static bool take_apart(struct slice name, const char *collection, struct slice *code,
                       struct slice *rest)
{
    struct slice tail, kind;
    return slice_cut(name, '/', code, &tail) && slice_cut(tail, '/', &kind, rest) &&
           slice_equal_str(kind, collection) && code->len > 0 && rest->len > 0;
}

reason_t audit_account_codes(struct slice name, struct slice *book, struct slice *account)
{
    if (name.len == 0)
        return REASON_FIELD_REQUIRED;
    if (!slice_starts_with(name, books) ||
        !take_apart(without(name, books), "accounts", book, account))
        return REASON_FIELD_INVALID;
    /* They go to the database as text, which must be. */
    size_t n;
    return utf8_check(name, &n) == UTF8_OK ? REASON_NONE : REASON_FIELD_INVALID;
}

reason_t audit_payout_id(const struct rpc_call *call, struct slice name, int32_t *book_id,
                         int64_t *payout_id)
{
    struct slice code, number;
    if (name.len == 0)
        return REASON_FIELD_REQUIRED;
    if (!slice_starts_with(name, platforms) ||
        !take_apart(without(name, platforms), "payouts", &code, &number) || number.p[0] < '1' ||
        number.p[0] > '9' || err_failed(str_parse_int64(number, payout_id)))
        return REASON_FIELD_INVALID;
    const struct registry_book *book = registry_book_by_code(call->ctx->registry, code);
    if (book == NULL)
        return REASON_PAYOUT_NOT_FOUND;
    *book_id = book->book_id;
    return REASON_NONE;
}

struct slice audit_book_name(struct rpc_call *call, struct slice book)
{
    return rpc_text(call, "books/%.*s", SLICE_ARG(book));
}

struct slice audit_account_name(struct rpc_call *call, struct slice book, struct slice account)
{
    return rpc_text(call, "books/%.*s/accounts/%.*s", SLICE_ARG(book), SLICE_ARG(account));
}

struct slice audit_journal_name(struct rpc_call *call, struct slice book, int64_t seq)
{
    return rpc_text(call, "books/%.*s/journals/%lld", SLICE_ARG(book), (long long)seq);
}

struct slice audit_payout_name(struct rpc_call *call, struct slice book, int64_t payout_id)
{
    return rpc_text(call, "platforms/%.*s/payouts/%lld", SLICE_ARG(book), (long long)payout_id);
}

reason_t audit_span(struct wire_time from, struct wire_time until, int64_t *after_us,
                    int64_t *upto_us, const char **field)
{
    *after_us = INT64_MIN;
    *upto_us = INT64_MAX;
    *field = "from_time";
    if (from.present) {
        if (from.us == INT64_MIN)
            return REASON_TIME_RANGE_INVALID;
        *after_us = from.us - 1; /* times are whole microseconds */
    }
    *field = "until_time";
    if (until.present) {
        if (until.us == INT64_MIN || (from.present && until.us < from.us))
            return REASON_TIME_RANGE_INVALID;
        *upto_us = until.us - 1;
    }
    return REASON_NONE;
}
