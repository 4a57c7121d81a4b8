#include "gateway/wire/status_messages.h"

struct status_any {
    bool present;
    struct slice type_url;
    struct slice value;
};

struct status {
    bool present;
    int32_t code;
    struct slice message;
    WIRE_LIST(struct status_any) details;
};

struct error_info {
    bool present;
    struct slice reason;
    struct slice domain;
};

struct field_violation {
    bool present;
    struct slice field;
    struct slice description;
};

struct bad_request {
    bool present;
    WIRE_LIST(struct field_violation) field_violations;
};

struct duration {
    bool present;
    int64_t seconds;
    int32_t nanos;
};

struct retry_info {
    bool present;
    struct duration retry_delay;
};

/* clang-format off: a table a message, a row a field */
static const struct wire_field any_fields[] = {
    WIRE_F_SLICE(1, struct status_any, type_url),
    WIRE_F_SLICE(2, struct status_any, value),
};
static const struct wire_message any_type =
    WIRE_TABLE("google.protobuf.Any", struct status_any, any_fields);

static const struct wire_field status_fields[] = {
    WIRE_F_INT32(1, struct status, code),
    WIRE_F_SLICE(2, struct status, message),
    WIRE_F_REPEATED(3, struct status, details, any_type, 16),
};
static const struct wire_message status_type =
    WIRE_TABLE("google.rpc.Status", struct status, status_fields);

static const struct wire_field error_info_fields[] = {
    WIRE_F_SLICE(1, struct error_info, reason),
    WIRE_F_SLICE(2, struct error_info, domain),
};
static const struct wire_message error_info_type =
    WIRE_TABLE("google.rpc.ErrorInfo", struct error_info, error_info_fields);

static const struct wire_field field_violation_fields[] = {
    WIRE_F_SLICE(1, struct field_violation, field),
    WIRE_F_SLICE(2, struct field_violation, description),
};
static const struct wire_message field_violation_type = WIRE_TABLE(
    "google.rpc.BadRequest.FieldViolation", struct field_violation, field_violation_fields);

static const struct wire_field bad_request_fields[] = {
    WIRE_F_REPEATED(1, struct bad_request, field_violations, field_violation_type, 64),
};
static const struct wire_message bad_request_type =
    WIRE_TABLE("google.rpc.BadRequest", struct bad_request, bad_request_fields);

static const struct wire_field duration_fields[] = {
    WIRE_F_INT64(1, struct duration, seconds),
    WIRE_F_INT32(2, struct duration, nanos),
};
static const struct wire_message duration_type =
    WIRE_TABLE("google.protobuf.Duration", struct duration, duration_fields);

static const struct wire_field retry_info_fields[] = {
    WIRE_F_MESSAGE(1, struct retry_info, retry_delay, duration_type),
};
static const struct wire_message retry_info_type =
    WIRE_TABLE("google.rpc.RetryInfo", struct retry_info, retry_info_fields);
/* clang-format on */

enum { DETAILS_MAX = 3, DETAIL_BYTES_MAX = 2048 };

static struct status_any any_of(const char *type_url, const struct buf *value)
{
    return (struct status_any){true, slice_str(type_url), buf_slice(value)};
}

err_t wire_status_encode(reason_t reason, const char *field, const char *message, uint32_t retry_ms,
                         struct buf *out)
{
    struct buf info, bad, retry;
    buf_init(&info, DETAIL_BYTES_MAX);
    buf_init(&bad, DETAIL_BYTES_MAX);
    buf_init(&retry, DETAIL_BYTES_MAX);
    struct status_any details[DETAILS_MAX];
    uint32_t n = 0;

    err_t err = wire_encode(
        &error_info_type,
        &(struct error_info){true, slice_str(reason_name(reason)), SLICE("ujrat")}, &info);
    if (err_failed(err))
        goto out;
    details[n++] = any_of("type.googleapis.com/google.rpc.ErrorInfo", &info);
    if (field != NULL) {
        struct field_violation at = {true, slice_str(field), slice_str(reason_text(reason))};
        err = wire_encode(&bad_request_type, &(struct bad_request){true, {&at, 1, 0}}, &bad);
        if (err_failed(err))
            goto out;
        details[n++] = any_of("type.googleapis.com/google.rpc.BadRequest", &bad);
    }
    if (retry_ms != 0) {
        struct duration delay = {true, retry_ms / 1000, (int32_t)(retry_ms % 1000) * 1000000};
        err = wire_encode(&retry_info_type, &(struct retry_info){true, delay}, &retry);
        if (err_failed(err))
            goto out;
        details[n++] = any_of("type.googleapis.com/google.rpc.RetryInfo", &retry);
    }
    struct status status = {true, reason_grpc_status(reason), slice_str(message), {details, n, 0}};
    err = wire_encode(&status_type, &status, out);
out:
    buf_deinit(&info);
    buf_deinit(&bad);
    buf_deinit(&retry);
    return err;
}

static bool read_detail(const struct status_any *any, struct arena *arena, struct wire_status *out)
{
    if (slice_equal(any->type_url, SLICE("type.googleapis.com/google.rpc.ErrorInfo"))) {
        struct error_info info;
        if (wire_decode(&error_info_type, any->value, arena, &info).reason != REASON_NONE)
            return false;
        out->reason = info.reason;
    } else if (slice_equal(any->type_url, SLICE("type.googleapis.com/google.rpc.BadRequest"))) {
        struct bad_request bad;
        if (wire_decode(&bad_request_type, any->value, arena, &bad).reason != REASON_NONE)
            return false;
        if (bad.field_violations.n > 0)
            out->field = bad.field_violations.items[0].field;
    } else if (slice_equal(any->type_url, SLICE("type.googleapis.com/google.rpc.RetryInfo"))) {
        struct retry_info retry;
        if (wire_decode(&retry_info_type, any->value, arena, &retry).reason != REASON_NONE)
            return false;
        const struct duration *delay = &retry.retry_delay;
        if (delay->seconds >= 0 && delay->seconds < 86400 && delay->nanos >= 0 &&
            delay->nanos < 1000000000)
            out->retry_ms = delay->seconds * 1000 + delay->nanos / 1000000;
    }
    return true;
}

bool wire_status_decode(struct slice details, struct wire_status *out)
{
    *out = (struct wire_status){.retry_ms = -1};
    struct arena arena;
    arena_init(&arena, 1024, 65536);
    struct status status;
    bool ok = wire_decode(&status_type, details, &arena, &status).reason == REASON_NONE;
    if (ok) {
        out->code = status.code;
        out->message = status.message;
    }
    for (uint32_t i = 0; ok && i < status.details.n; i++)
        ok = read_detail(&status.details.items[i], &arena, out);
    arena_deinit(&arena);
    return ok;
}
