#include "gateway/rest/json_in.h"

#include <stdio.h>

/* Whether it is worth parsing: counts what takes memory, outside of strings. What is malformed the parser will say. */
static const char *over_bounds(struct slice body, const struct json_bounds *bounds)
{
    size_t values = 1;
    unsigned depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < body.len; i++) {
        const char c = body.p[i];
        if (in_text) {
            i += c == '\\';
            in_text = c != '"';
            continue;
        }
        in_text = c == '"';
        if ((c == '{' || c == '[') && ++depth > bounds->depth_max)
            return "is nested too deeply";
        if ((c == '}' || c == ']') && depth > 0)
            depth--;
        if ((c == '{' || c == '[' || c == ',') && ++values > bounds->values_max)
            return "has too many values";
    }
    return NULL;
}

static const char *word_of(enum json_error_code code)
{
    switch (code) {
    case json_error_invalid_utf8:
        return "not valid UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something stands behind its end";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a NUL in a text";
    case json_error_duplicate_key:
        return "a name twice in one object";
    case json_error_numeric_overflow:
        return "a number out of range";
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
        break;
    }
    return "not JSON";
}

json_t *json_in_load(struct slice body, const struct json_bounds *bounds,
                     char why[JSON_IN_WHY_SIZE])
{
    json_error_t error;
    const char *over = over_bounds(body, bounds);
    if (body.len == 0)
        over = "is empty";
    if (over != NULL) {
        (void)snprintf(why, JSON_IN_WHY_SIZE, "The body %s.", over);
        return NULL;
    }
    json_t *value = json_loadb(body.p, body.len, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        (void)snprintf(why, JSON_IN_WHY_SIZE, "The body cannot be read: line %d, column %d: %s.",
                       error.line, error.column, word_of(json_error_code(&error)));
    return value;
}

void rest_fault(struct rest_faults *faults, const char *at, const char *key, const char *issue)
{
    const size_t size = strlen(at) + strlen(key) + 1;
    if (faults->n == REST_FAULTS_MAX) {
        faults->more = true;
        return;
    }
    char *field = arena_alloc(faults->arena, size);
    if (field != NULL)
        (void)snprintf(field, size, "%s%s", at, key);
    faults->row[faults->n++] = (struct rest_fault){field, issue};
}

static const json_t *member(struct rest_faults *faults, const json_t *object, const char *at,
                            const char *key, bool required)
{
    const json_t *value = json_object_get(object, key);
    if (value != NULL && !json_is_null(value))
        return value;
    if (required)
        rest_fault(faults, at, key, "Required field is missing.");
    return NULL;
}

const json_t *json_in_object(struct rest_faults *faults, const json_t *object, const char *at,
                             const char *key, bool required)
{
    const json_t *value = member(faults, object, at, key, required);
    if (value == NULL || json_is_object(value))
        return value;
    rest_fault(faults, at, key, "Must be an object.");
    return NULL;
}

const json_t *json_in_array(struct rest_faults *faults, const json_t *object, const char *at,
                            const char *key, bool required)
{
    const json_t *value = member(faults, object, at, key, required);
    if (value == NULL || json_is_array(value))
        return value;
    rest_fault(faults, at, key, "Must be an array.");
    return NULL;
}

struct slice json_in_text(struct rest_faults *faults, const json_t *object, const char *at,
                          const char *key, bool required, size_t chars_max)
{
    const json_t *value = member(faults, object, at, key, required);
    size_t chars = 0;
    if (value == NULL)
        return SLICE("");
    if (!json_is_string(value)) {
        rest_fault(faults, at, key,
                   json_is_number(value) ? "Must be a string, not a number." : "Must be a string.");
        return SLICE("");
    }
    const struct slice text = slice_of(json_string_value(value), json_string_length(value));
    if (text.len == 0 && required)
        rest_fault(faults, at, key, "Required field is empty.");
    for (size_t i = 0; i < text.len; i++)
        chars += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    if (chars <= chars_max)
        return text;
    rest_fault(faults, at, key, "Is longer than allowed.");
    return SLICE("");
}
