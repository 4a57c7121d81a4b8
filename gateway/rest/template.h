/*
 * template.h: HTML from a template and values. Pure. Templates and words are files of ours, carried in the program
 * (gateway/rest/claim/); values are anybody's, and are escaped wherever they go.
 *
 *     {{name}}                the value, escaped: good in text and in quoted attributes
 *     {{:key}}                the words under the key in the page's language, values in it as {name}, each isolated (<bdi>),
 *                             so that digits and Latin letters keep their order in a line of Urdu
 *     {{?name}} ... {{/}}     only where the value is not empty; {{!name}} ... {{/}} only where it is
 *     {{@part}}               what the page's own function writes there (rows, options)
 *
 * A file of words has a line a key: "key words ...". Empty lines, and those that begin with '#', are notes.
 */
#ifndef UJRAT_REST_TEMPLATE_H
#define UJRAT_REST_TEMPLATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum { TEMPLATE_VALUES_MAX = 64 };

struct template_value {
    const char *name;
    struct slice text;
};

struct template_page {
    struct slice words; /* the file of the language */
    struct template_value value[TEMPLATE_VALUES_MAX];
    unsigned n;
    /* Writes a part by its name; NULL: there are none. */
    void (*part)(struct template_page *page, struct slice name, struct buf *out, bool *failed);
    void *user; /* part's own */
};

/* Sets a value, in the place of an earlier one of that name. name is a literal; text lives as long as the page. */
void template_set(struct template_page *page, const char *name, struct slice text);
struct slice template_get(const struct template_page *page, struct slice name);

/* The words under a key as they are in the file; empty: there are none. */
struct slice template_words(const struct template_page *page, struct slice key);

/* Appends the text, with & < > " ' as references. What is not UTF-8, or has controls in it, is left out as a whole. */
void template_escape(struct buf *out, struct slice text, bool *failed);

/* Appends the template filled in. *failed is set when there is no room, or the template is broken; else left alone. */
void template_fill(struct template_page *page, struct slice text, struct buf *out, bool *failed);

#endif
