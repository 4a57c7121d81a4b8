#include "gateway/rest/template.h"

#include <assert.h>

static void put(struct buf *out, struct slice text, bool *failed)
{
    if (text.len > 0 && err_failed(buf_append(out, text.p, text.len)))
        *failed = true;
}

void template_escape(struct buf *out, struct slice text, bool *failed)
{
    static const struct {
        char c;
        struct slice reference;
    } escapes[] = {{'&', SLICE("&amp;")},
                   {'<', SLICE("&lt;")},
                   {'>', SLICE("&gt;")},
                   {'"', SLICE("&quot;")},
                   {'\'', SLICE("&#39;")}};
    size_t from = 0;
    if (utf8_check(text, NULL) != UTF8_OK)
        return;
    for (size_t i = 0; i < text.len; i++) {
        for (size_t e = 0; e < sizeof(escapes) / sizeof(escapes[0]); e++) {
            if (text.p[i] != escapes[e].c)
                continue;
            put(out, slice_of(text.p + from, i - from), failed);
            put(out, escapes[e].reference, failed);
            from = i + 1;
        }
    }
    put(out, slice_of(text.p + from, text.len - from), failed);
}

/* ---------------------------------------------------------------- values and words */

void template_set(struct template_page *page, const char *name, struct slice text)
{
    unsigned i = 0;
    while (i < page->n && strcmp(page->value[i].name, name) != 0)
        i++;
    assert(i < TEMPLATE_VALUES_MAX);
    page->value[i] = (struct template_value){name, text};
    page->n += i == page->n;
}

struct slice template_get(const struct template_page *page, struct slice name)
{
    for (unsigned i = 0; i < page->n; i++)
        if (slice_equal_str(name, page->value[i].name))
            return page->value[i].text;
    return SLICE("");
}

struct slice template_words(const struct template_page *page, struct slice key)
{
    struct slice rest = page->words, line, name, words;
    while (slice_next_line(&rest, &line))
        if (slice_cut(line, ' ', &name, &words) && slice_equal(name, key))
            return slice_trim(words);
    return SLICE("");
}

/* Words with the values in them. */
static void put_words(struct template_page *page, struct slice key, struct buf *out, bool *failed)
{
    struct slice left = template_words(page, key);
    struct slice before, after, name;
    if (left.len == 0)
        *failed = true; /* a key that the language lacks: never half a page */
    while (slice_cut(left, '{', &before, &after) && slice_cut(after, '}', &name, &left)) {
        template_escape(out, before, failed);
        put(out, SLICE("<bdi>"), failed);
        template_escape(out, template_get(page, name), failed);
        put(out, SLICE("</bdi>"), failed);
    }
    template_escape(out, left, failed);
}

/* ---------------------------------------------------------------- templates */

/* The next {{...}} of text: what is before, what is inside, what comes after. */
static bool next_tag(struct slice text, struct slice *before, struct slice *tag,
                     struct slice *after)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.p[i] != '{' || text.p[i + 1] != '{')
            continue;
        for (size_t k = i + 2; k + 1 < text.len; k++) {
            if (text.p[k] != '}' || text.p[k + 1] != '}')
                continue;
            *before = slice_of(text.p, i);
            *tag = slice_of(text.p + i + 2, k - i - 2);
            *after = slice_of(text.p + k + 2, text.len - k - 2);
            return tag->len > 0;
        }
    }
    return false;
}

/* What stands behind the {{/}} that ends a section whose inside text begins with. False: there is none. */
static bool skip_section(struct slice text, struct slice *after)
{
    struct slice before, tag;
    unsigned depth = 1;
    while (next_tag(text, &before, &tag, &text)) {
        depth += tag.p[0] == '?' || tag.p[0] == '!';
        depth -= tag.p[0] == '/';
        if (depth == 0) {
            *after = text;
            return true;
        }
    }
    return false;
}

static void fill_tag(struct template_page *page, struct slice tag, struct buf *out, bool *failed)
{
    const struct slice name = slice_of(tag.p + 1, tag.len - 1);
    if (tag.p[0] == ':')
        put_words(page, name, out, failed);
    else if (tag.p[0] == '@' && page->part != NULL)
        page->part(page, name, out, failed);
    else
        template_escape(out, template_get(page, tag), failed);
}

void template_fill(struct template_page *page, struct slice text, struct buf *out, bool *failed)
{
    struct slice before, tag;
    while (!*failed && next_tag(text, &before, &tag, &text)) {
        put(out, before, failed);
        if (tag.p[0] == '?' || tag.p[0] == '!') {
            const bool given = template_get(page, slice_of(tag.p + 1, tag.len - 1)).len > 0;
            if (given != (tag.p[0] == '?') && !skip_section(text, &text))
                *failed = true;
        } else if (tag.p[0] != '/') {
            fill_tag(page, tag, out, failed);
        }
    }
    put(out, text, failed);
}
