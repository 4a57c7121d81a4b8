/*
 * json_in.h: JSON bodies, strictly: one value of RFC 8259 and nothing behind it, UTF-8 throughout, no name twice in an object,
 * no NUL in texts, nesting and the number of values bounded before any memory is taken for them. And what is wrong with a
 * body, gathered, each fault with its field as a path.
 */
#ifndef UJRAT_REST_JSON_IN_H
#define UJRAT_REST_JSON_IN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct json_bounds {
    unsigned depth_max;
    size_t values_max; /* counted roughly: opening brackets and commas */
};

/* NULL, and why ("line 3: ..."), which never quotes the body. Free the value with json_decref. */
#define JSON_IN_WHY_SIZE 160
json_t *json_in_load(struct slice body, const struct json_bounds *bounds,
                     char why[JSON_IN_WHY_SIZE]);

enum { REST_FAULTS_MAX = 100 };

struct rest_fault {
    const char *field; /* in the arena: "items[2].receiver" */
    const char *issue;
};

struct rest_faults {
    struct arena *arena;
    unsigned n;
    bool more; /* there were more than are kept */
    struct rest_fault row[REST_FAULTS_MAX];
};

/* issue: a literal. The field is at and key, one behind the other; at may be "". */
void rest_fault(struct rest_faults *faults, const char *at, const char *key, const char *issue);

/*
 * Members of an object; at is the object's own path with a '.' behind ("sender_batch_header."), or "". NULL stands for a
 * member that is missing, null, or not of the type; the last is a fault, and so are the first two of one that is required.
 */
const json_t *json_in_object(struct rest_faults *faults, const json_t *object, const char *at,
                             const char *key, bool required);
const json_t *json_in_array(struct rest_faults *faults, const json_t *object, const char *at,
                            const char *key, bool required);
/* A text of at most chars_max code points; empty: it is missing or empty (a fault when required). Lives as long as the object. */
struct slice json_in_text(struct rest_faults *faults, const json_t *object, const char *at,
                          const char *key, bool required, size_t chars_max);

#endif
