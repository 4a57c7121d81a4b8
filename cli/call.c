#include "cli/call.h"

#include "base/timefmt.h"
#include "cli/operator.h"
#include "domain/payout_state.h"
#include "domain/purpose.h"
#include "gateway/wire/status_messages.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES_MAX   (256u * 1024 * 1024)
#define REQUEST_BYTES_MAX (16u * 1024 * 1024)

/* ---------------------------------------------------------------- where and as whom */

static const char *option_or_env(const struct args *args, const char *option, const char *variable)
{
    const char *value = args_get(args, option);

    if (value == NULL)
        value = getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* UJRAT_CERT_UPWORK for --as upwork. */
static const char *of_principal(const char *variable, const char *as)
{
    char name[96];
    const char *value;
    size_t n = (size_t)snprintf(name, sizeof name, "%s_%s", variable, as);

    if (n >= sizeof name)
        return NULL;
    for (char *p = name; *p != '\0'; p++) {
        if (char_is_lower(*p))
            *p = (char)(*p - 'a' + 'A');
        else if (*p == '-')
            *p = '_';
    }
    value = getenv(name);
    if (value == NULL)
        complain("--as %s: %s is not set (after `make demo`: . var/demo/env)", as, name);
    return value;
}

static bool find_identity(const struct args *args, struct grpc_client_config *config)
{
    const char *as = args_get(args, "as");

    if (as != NULL && (args_has(args, "cert") || args_has(args, "key"))) {
        complain("--as, or --cert and --key, not both");
        return false;
    }
    if (as != NULL) {
        config->cert_file = of_principal("UJRAT_CERT", as);
        config->key_file = of_principal("UJRAT_KEY", as);
        return config->cert_file != NULL && config->key_file != NULL;
    }
    config->cert_file = option_or_env(args, "cert", "UJRAT_CERT");
    config->key_file = option_or_env(args, "key", "UJRAT_KEY");
    if (config->cert_file != NULL && config->key_file != NULL)
        return true;
    complain("as whom? Say --as NAME, or --cert FILE and --key FILE");
    return false;
}

enum exit_code caller_open(const struct args *args, struct caller *caller)
{
    struct grpc_client_config config = {0};
    struct net_error error = {{0}};
    long long timeout_s = 30;

    *caller = (struct caller){0};
    if (!args_int(args, "timeout", 1, 86400, &timeout_s))
        return EXIT_USAGE;
    config.target = option_or_env(args, "addr", "UJRAT_ADDR");
    config.ca_file = option_or_env(args, "ca", "UJRAT_CA");
    if (config.target == NULL || config.ca_file == NULL) {
        complain("which gateway? Say %s, or set %s",
                 config.target == NULL ? "--addr HOST:PORT" : "--ca FILE",
                 config.target == NULL ? "UJRAT_ADDR" : "UJRAT_CA");
        return EXIT_USAGE;
    }
    if (!find_identity(args, &config))
        return EXIT_USAGE;
    if (!grpc_client_new(&config, NULL, &error, &caller->client)) {
        complain("%s", error.text);
        return EXIT_REFUSED;
    }
    caller->timeout_ms = (uint32_t)timeout_s * 1000;
    arena_init(&caller->arena, 64 * 1024, ARENA_BYTES_MAX);
    buf_init(&caller->request, REQUEST_BYTES_MAX);
    return EXIT_DONE;
}

void caller_close(struct caller *caller)
{
    if (caller->client == NULL)
        return;
    grpc_reply_deinit(&caller->reply);
    grpc_client_free(&caller->client);
    arena_deinit(&caller->arena);
    buf_deinit(&caller->request);
}

/* ---------------------------------------------------------------- calling */

bool status_may_pass(enum grpc_status status)
{
    return status == GRPC_UNAVAILABLE || status == GRPC_DEADLINE_EXCEEDED ||
           status == GRPC_RESOURCE_EXHAUSTED || status == GRPC_ABORTED || status == GRPC_UNKNOWN ||
           status == GRPC_INTERNAL || status == GRPC_CANCELLED;
}

void complain_status(const char *what, enum grpc_status status, struct slice message,
                     struct slice details)
{
    struct wire_status said = {0};
    bool decoded = details.len > 0 && wire_status_decode(details, &said);

    /* The sentence begins with the field at fault, where there is one. */
    if (decoded && said.reason.len > 0)
        complain("%s: %.*s: %.*s", what, SLICE_ARG(said.reason), SLICE_ARG(message));
    else
        complain("%s: %s: %.*s", what, grpc_status_name(status), SLICE_ARG(message));
}

bool caller_try(struct caller *caller, const char *path, const struct wire_message *request_type,
                const void *request, const struct wire_message *answer_type, void *answer)
{
    struct refusal refusal;

    grpc_reply_deinit(&caller->reply);
    caller->reply = (grpc_reply_t){0};
    arena_reset(&caller->arena);
    buf_reset(&caller->request);
    if (err_failed(wire_encode(request_type, request, &caller->request))) {
        caller->reply.status = GRPC_RESOURCE_EXHAUSTED;
        caller->reply.message = strdup("the request is too long to be sent");
        return false;
    }
    if (!grpc_client_call_blocking(caller->client, path, buf_data(&caller->request),
                                   buf_len(&caller->request), caller->timeout_ms, &caller->reply))
        return false;
    refusal = wire_decode(answer_type, slice_of(caller->reply.bytes, caller->reply.bytes_length),
                          &caller->arena, answer);
    if (refusal.reason == REASON_NONE)
        return true;
    free(caller->reply.message);
    caller->reply.message = strdup("the answer cannot be read");
    caller->reply.status = GRPC_INTERNAL;
    caller->reply.may_have_been_processed = true;
    return false;
}

/* "SubmitPayouts" of "/ujrat.payout.v1.PayoutService/SubmitPayouts". */
static const char *method_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

enum exit_code caller_ask(struct caller *caller, const char *path,
                          const struct wire_message *request_type, const void *request,
                          const struct wire_message *answer_type, void *answer)
{
    if (caller_try(caller, path, request_type, request, answer_type, answer))
        return EXIT_DONE;
    complain_status(method_of(path), caller->reply.status, slice_str(caller->reply.message),
                    slice_of(caller->reply.details, caller->reply.details_length));
    return EXIT_REFUSED;
}

enum exit_code caller_change(struct caller *caller, const char *path,
                             const struct wire_message *request_type, const void *request,
                             const struct wire_message *answer_type, void *answer)
{
    enum exit_code code = caller_ask(caller, path, request_type, request, answer_type, answer);
    struct wire_status said = {0};
    struct slice details = slice_of(caller->reply.details, caller->reply.details_length);

    if (code == EXIT_DONE || !caller->reply.may_have_been_processed ||
        !status_may_pass(caller->reply.status))
        return code;
    /* These three say for certain that nothing was done. */
    if (details.len > 0 && wire_status_decode(details, &said) &&
        (slice_equal_str(said.reason, "LEDGER_UNAVAILABLE") ||
         slice_equal_str(said.reason, "QUEUE_FULL") ||
         slice_equal_str(said.reason, "MESSAGE_TOO_LARGE")))
        return code;
    complain("the outcome is unknown: the same command again finds out");
    return EXIT_UNKNOWN;
}

/* ---------------------------------------------------------------- showing */

const char *slice_text(struct slice s, char *out, size_t out_size)
{
    size_t len = s.len < out_size ? s.len : out_size - 1;

    if (len > 0)
        memcpy(out, s.p, len);
    out[len] = '\0';
    return out;
}

static const char *money_text(const struct wire_money *money, enum money_style style,
                              char out[MONEY_TEXT_SIZE])
{
    const struct ccy *ccy = ccy_by_alpha(money->currency_code);

    if (!money->present)
        out[0] = '\0';
    else
        money_format(money_of(money->minor_units, ccy == NULL ? 0 : ccy->number), style, out);
    return out;
}

const char *wire_money_text(const struct wire_money *money, char out[MONEY_TEXT_SIZE])
{
    return money_text(money, MONEY_PLAIN, out);
}

const char *wire_money_shown(const struct wire_money *money, char out[MONEY_TEXT_SIZE])
{
    return money_text(money, MONEY_CODE_THOUSANDS, out);
}

bool wire_money_parse(const char *what, const char *amount, const char *code,
                      struct wire_money *out)
{
    money_t money;

    if (!parse_money(what, amount, code, &money))
        return false;
    *out = (struct wire_money){true, slice_str(code), money.minor};
    return true;
}

const char *payout_state_shown(int32_t state)
{
    enum payout_state known;

    if (!payout_state_from_number(state, &known) || known == PAYOUT_STATE_NONE)
        return "UNSPECIFIED";
    return payout_state_name(known);
}

const char *outcome_shown(int32_t outcome)
{
    static const char *const names[] = {"UNSPECIFIED", "ACCEPTED", "DUPLICATE",
                                        "REFUSED",     "UNKNOWN",  "NOT_DONE"};

    return outcome >= 0 && (size_t)outcome < sizeof names / sizeof *names ? names[outcome]
                                                                          : names[0];
}

static const char *channel_shown(int32_t number)
{
    enum channel channel;

    return channel_from_number(number, &channel) == REASON_NONE ? channel_name(channel)
                                                                : "UNSPECIFIED";
}

/* ---------------------------------------------------------------- JSON */

static json_t *int32_json(const struct wire_field *field, int32_t value)
{
    if (strcmp(field->name, "state") == 0)
        return json_string(payout_state_shown(value));
    if (strcmp(field->name, "outcome") == 0)
        return json_string(outcome_shown(value));
    if (strcmp(field->name, "channel") == 0)
        return json_string(channel_shown(value));
    return json_integer(value);
}

/* at: a WIRE_LIST of whatever message; they all have the same shape. */
static json_t *list_json(const struct wire_message *type, const void *at)
{
    WIRE_LIST(const unsigned char) list;
    json_t *all = json_array();

    memcpy(&list, at, sizeof list);
    for (uint32_t i = 0; i < list.n; i++)
        json_array_append_new(all, wire_json(type, list.items + i * type->size));
    return all;
}

static json_t *field_json(const struct wire_field *field, const void *at)
{
    char time[TIMEFMT_SIZE];

    switch (field->type) {
    case WIRE_SLICE: {
        const struct slice *s = at;

        return json_stringn(s->len == 0 ? "" : s->p, s->len);
    }
    case WIRE_INT32:
        return int32_json(field, *(const int32_t *)at);
    case WIRE_INT64:
        return json_integer(*(const int64_t *)at);
    case WIRE_TIME: {
        const struct wire_time *t = at;

        return t->present ? json_string(timefmt_rfc3339(t->us, time)) : NULL;
    }
    case WIRE_MESSAGE:
        return *(const bool *)at ? wire_json(field->message, at) : NULL;
    case WIRE_REPEATED:
        return list_json(field->message, at);
    }
    return NULL;
}

json_t *wire_json(const struct wire_message *type, const void *message)
{
    const unsigned char *at = message;
    json_t *object = json_object();

    for (unsigned i = 0; i < type->n_fields; i++) {
        json_t *value = field_json(&type->fields[i], at + type->fields[i].offset);

        if (value != NULL)
            json_object_set_new(object, type->fields[i].name, value);
    }
    return object;
}

void print_json(const json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
}

void print_wire_json(const struct wire_message *type, const void *message)
{
    json_t *json = wire_json(type, message);

    print_json(json);
    json_decref(json);
}

void print_wire_json_line(const struct wire_message *type, const void *message)
{
    json_t *json = wire_json(type, message);

    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(json);
}
