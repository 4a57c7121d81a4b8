#include "cli/policy_file.h"

#include "base/timefmt.h"
#include "domain/ccy.h"
#include "domain/money.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct policy_file *out;
    struct policy_fault *fault;
    char at[32]; /* whose members are read: "changes[2]"; "" for the file's */
};

static bool fail(const struct reading *r, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(const struct reading *r, const char *name, const char *format, ...)
{
    va_list list;

    (void)snprintf(r->fault->path, sizeof r->fault->path, "%s%s%s", r->at,
                   r->at[0] != '\0' && name[0] != '\0' ? "." : "", name);
    va_start(list, format);
    (void)vsnprintf(r->fault->text, sizeof r->fault->text, format, list);
    va_end(list);
    return false;
}

/* ---------------------------------------------------------------- members */

static bool no_others(const struct reading *r, json_t *object, const char *const *names)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        const char *const *known = names;

        while (*known != NULL && strcmp(*known, name) != 0)
            known++;
        if (*known == NULL)
            return fail(r, strlen(name) < 24 ? name : "", "there is no member '%.40s' here", name);
    }
    return true;
}

/* A text of 1 to `most` characters, in out. */
static bool text_of(const struct reading *r, json_t *object, const char *name, size_t most,
                    char *out, size_t out_size)
{
    json_t *value = json_object_get(object, name);
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    size_t points = 0;

    if (value == NULL)
        return fail(r, name, "it is missing");
    if (!json_is_string(value))
        return fail(r, name, "a text in quotes is wanted");
    if (slice_trim(text).len == 0)
        return fail(r, name, "it is empty");
    if (utf8_check(text, &points) != UTF8_OK)
        return fail(r, name, "there is a control character in it");
    if (points > most || err_failed(slice_copy(text, out, out_size)))
        return fail(r, name, "it has more than %zu characters", most);
    return true;
}

static bool whole_number(const struct reading *r, json_t *value, int64_t *out)
{
    if (!json_is_integer(value))
        return fail(r, "value", "a whole number is wanted, without quotes");
    *out = json_integer_value(value);
    return true;
}

static bool amount_of(const struct reading *r, json_t *value, uint16_t ccy, int64_t *out)
{
    money_t amount = {0};
    reason_t reason;

    if (!json_is_string(value))
        return fail(r, "value", "an amount is a text in quotes, such as \"25000.00\"");
    reason =
        money_parse(slice_of(json_string_value(value), json_string_length(value)), ccy, &amount);
    if (reason != REASON_NONE)
        return fail(r, "value", "it is no amount of %s (%s)", ccy_alpha(ccy), reason_name(reason));
    *out = amount.minor;
    return true;
}

/* ---------------------------------------------------------------- a change */

static const char *const members[][6] = {
    [POLICY_SCOPE_PLATFORM] = {"rule", "platform", "currency", "value", "remove", NULL},
    [POLICY_SCOPE_NONE] = {"rule", "currency", "value", "remove", NULL},
    [POLICY_SCOPE_REGISTRATION] = {"rule", "registration", "value", "remove", NULL},
    [POLICY_SCOPE_PURPOSE] = {"rule", "channel", "code", "remove", NULL},
};

static bool take_scope(const struct reading *r, json_t *object, enum policy_scope scope,
                       char out[POLICY_SCOPE_SIZE])
{
    char channel[24];
    char code[5];

    switch (scope) {
    case POLICY_SCOPE_PLATFORM:
        return text_of(r, object, "platform", POLICY_SCOPE_SIZE - 1, out, POLICY_SCOPE_SIZE);
    case POLICY_SCOPE_NONE:
        out[0] = '\0';
        return true;
    case POLICY_SCOPE_REGISTRATION:
        return text_of(r, object, "registration", POLICY_SCOPE_SIZE - 1, out, POLICY_SCOPE_SIZE);
    case POLICY_SCOPE_PURPOSE:
        if (!text_of(r, object, "channel", sizeof channel - 1, channel, sizeof channel) ||
            !text_of(r, object, "code", sizeof code - 1, code, sizeof code))
            return false;
        (void)snprintf(out, POLICY_SCOPE_SIZE, "%s/%s", channel, code);
        return true;
    }
    return false;
}

static bool take_currency(const struct reading *r, json_t *object, uint16_t *out)
{
    char code[4];
    const struct ccy *ccy;

    if (!text_of(r, object, "currency", sizeof code - 1, code, sizeof code))
        return false;
    ccy = ccy_by_alpha(slice_str(code));
    if (ccy == NULL)
        return fail(r, "currency", "'%s' is no active ISO 4217 code", code);
    *out = ccy->number;
    return true;
}

static bool take_value(const struct reading *r, json_t *object, const struct policy_kind_info *kind,
                       struct policy_change *c)
{
    json_t *value = json_object_get(object, "value");
    json_t *remove = json_object_get(object, "remove");

    if (remove != NULL && !json_is_true(remove))
        return fail(r, "remove", "it is true, or left out");
    c->remove = remove != NULL;
    if (c->remove && value != NULL)
        return fail(r, "value", "a rule that is removed has no value");
    if (kind->unit == POLICY_UNIT_IN_FORCE)
        c->rule.value = c->remove ? 0 : 1;
    if (c->remove || kind->unit == POLICY_UNIT_IN_FORCE)
        return true;
    if (value == NULL)
        return fail(r, "value", "it is missing");
    if (kind->unit == POLICY_UNIT_MINOR ? !amount_of(r, value, c->rule.ccy, &c->rule.value)
                                        : !whole_number(r, value, &c->rule.value))
        return false;
    if (c->rule.value >= kind->value_min && c->rule.value <= kind->value_max)
        return true;
    if (kind->unit == POLICY_UNIT_MINOR)
        return fail(r, "value", "%s is %s zero", kind->name,
                    kind->value_min == 0 ? "not below" : "above");
    return fail(r, "value", "%s is from %lld to %lld", kind->name, (long long)kind->value_min,
                (long long)kind->value_max);
}

/* Which member a scope that makes no sense was made of. */
static const char *scope_member(enum policy_scope scope, reason_t reason)
{
    switch (scope) {
    case POLICY_SCOPE_PLATFORM:
    case POLICY_SCOPE_NONE:
        return "platform";
    case POLICY_SCOPE_REGISTRATION:
        return "registration";
    case POLICY_SCOPE_PURPOSE:
        return reason == REASON_CHANNEL_UNKNOWN ? "channel" : "code";
    }
    return "";
}

static bool take_change(const struct reading *r, json_t *object, struct policy_change *c)
{
    char name[32];
    const struct policy_kind_info *kind;
    struct policy_rule sound;
    reason_t reason;

    *c = (struct policy_change){.remove = false};
    if (!json_is_object(object))
        return fail(r, "", "a change is an object, {...}");
    if (!text_of(r, object, "rule", sizeof name - 1, name, sizeof name))
        return false;
    kind = policy_kind_by_name(slice_str(name));
    if (kind == NULL)
        return fail(r, "rule", "there is no rule '%s'", name);
    c->rule.kind = (uint16_t)kind->kind;
    if (!no_others(r, object, members[kind->scope]))
        return false;
    if (!kind->has_ccy && json_object_get(object, "currency") != NULL)
        return fail(r, "currency", "%s is in no currency", kind->name);
    if (!take_scope(r, object, kind->scope, c->rule.scope) ||
        (kind->has_ccy && !take_currency(r, object, &c->rule.ccy)) ||
        !take_value(r, object, kind, c))
        return false;
    sound = c->rule;
    if (c->remove)
        sound.value = kind->value_min;
    reason = policy_rule_check(&sound);
    if (reason != REASON_NONE)
        return fail(r, scope_member(kind->scope, reason), "%s (%s)", reason_text(reason),
                    reason_name(reason));
    return true;
}

/* ---------------------------------------------------------------- the whole */

static int by_rule(const void *a, const void *b)
{
    return policy_rule_compare(&((const struct policy_change *)a)->rule,
                               &((const struct policy_change *)b)->rule);
}

static bool take_changes(struct reading *r, json_t *array)
{
    struct policy_file *out = r->out;

    if (array == NULL)
        return fail(r, "changes", "it is missing");
    if (!json_is_array(array))
        return fail(r, "changes", "a list, [...], is wanted");
    if (json_array_size(array) == 0 || json_array_size(array) > POLICY_CHANGES_MAX)
        return fail(r, "changes", "there are 1 to %d changes", POLICY_CHANGES_MAX);
    for (size_t i = 0; i < json_array_size(array); i++) {
        (void)snprintf(r->at, sizeof r->at, "changes[%zu]", i);
        if (!take_change(r, json_array_get(array, i), &out->changes[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (by_rule(&out->changes[k], &out->changes[i]) == 0)
                return fail(r, "rule", "changes[%zu] changes the same rule", k);
    }
    out->n_changes = json_array_size(array);
    qsort(out->changes, out->n_changes, sizeof *out->changes, by_rule);
    return true;
}

static bool take_effective_at(const struct reading *r, json_t *object)
{
    char text[40];

    if (!text_of(r, object, "effective_at", sizeof text - 1, text, sizeof text))
        return false;
    r->out->on_approval = strcmp(text, "on approval") == 0;
    if (r->out->on_approval ||
        !err_failed(timefmt_parse_rfc3339(slice_str(text), &r->out->effective_at_us)))
        return true;
    return fail(r, "effective_at",
                "a time with its offset is wanted, such as 2026-12-01T00:00:00+05:00, or \"on "
                "approval\"");
}

static bool take_file(struct reading *r, json_t *root)
{
    static const char *const names[] = {"effective_at", "reason",  "source",
                                        "source_file",  "changes", NULL};
    struct policy_file *out = r->out;

    if (!json_is_object(root))
        return fail(r, "", "it is not an object, {...}");
    return no_others(r, root, names) && take_effective_at(r, root) &&
           text_of(r, root, "reason", POLICY_FILE_TEXT_MAX, out->reason, sizeof out->reason) &&
           text_of(r, root, "source", POLICY_FILE_TEXT_MAX, out->source, sizeof out->source) &&
           (json_object_get(root, "source_file") == NULL ||
            text_of(r, root, "source_file", sizeof out->source_file - 1, out->source_file,
                    sizeof out->source_file)) &&
           take_changes(r, json_object_get(root, "changes"));
}

bool policy_file_parse(struct slice text, struct policy_file *out, struct policy_fault *fault)
{
    struct reading r = {.out = out, .fault = fault};
    json_error_t error;
    json_t *root;
    bool good;

    memset(out, 0, sizeof *out);
    if (text.len > POLICY_FILE_BYTES_MAX)
        return fail(&r, "", "it is larger than %u KiB", POLICY_FILE_BYTES_MAX >> 10);
    root = json_loadb(text.len == 0 ? "" : text.p, text.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return fail(&r, "", "line %d: %s", error.line, error.text);
    good = take_file(&r, root);
    json_decref(root);
    return good;
}
