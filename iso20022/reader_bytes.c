/* The bytes of a file from outside, on their way into the parser. */
#include "iso20022/reader_parts.h"

#include <assert.h>
#include <errno.h>
#include <libxml/parserInternals.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int iso_read_fd(void *user, char *out, int len)
{
    ssize_t n = 0;
    do
        n = read(*(const int *)user, out, (size_t)len);
    while (n < 0 && errno == EINTR);
    return (int)n;
}

int iso_read_slice(void *user, char *out, int len)
{
    struct slice *rest = user;
    size_t n = rest->len < (size_t)len ? rest->len : (size_t)len;
    if (n > 0)
        memcpy(out, rest->p, n);
    rest->p += n;
    rest->len -= n;
    return (int)n;
}

/* In UTF-8 a file begins with '<', perhaps with blanks before it. */
static bool begins_well(const struct reader *r)
{
    size_t at = 0;
    while (at < r->prolog_len && r->prolog[at] != '\0' && strchr(" \t\r\n", r->prolog[at]) != NULL)
        at++;
    return at == r->prolog_len || r->prolog[at] == '<';
}

static bool watch(struct reader *r, const char *p, size_t n)
{
    for (size_t i = 0; i < n && r->prolog_len < PROLOG_SIZE - 1; i++)
        r->prolog[r->prolog_len++] = p[i];
    if (memchr(p, '\0', n) != NULL)
        return fail(r, ISO_RULE_XML_ENCODING, "it has a NUL byte: is it UTF-16?");
    if (!begins_well(r))
        return fail(r, ISO_RULE_XML_ENCODING, "it does not begin with '<'");
    while (n > 0) {
        const char *tag = memchr(p, '<', n);
        size_t len = tag == NULL ? n : (size_t)(tag - p);
        if (r->token + len > ISO_TOKEN_MAX)
            return fail(r, ISO_RULE_XML_TOO_LARGE, "more than %d bytes without a tag",
                        ISO_TOKEN_MAX);
        r->token = tag == NULL ? r->token + len : 0;
        len += tag == NULL ? 0 : 1;
        p += len;
        n -= len;
    }
    return true;
}

/* As many as are wanted, or all that are left: the parser looks ahead by what it has been given, and takes a file that
 * comes in small pieces for a broken one. */
static int read_full(struct reader *r, char *out, int len)
{
    int n = 0;
    int more = 0;
    do {
        more = r->read(r->source, out + n, len - n);
        assert(more <= len - n);
        n += more > 0 ? more : 0;
    } while (more > 0 && n < len);
    return more < 0 ? -1 : n;
}

/* Of a file's first bytes: without a byte order mark. */
static int drop_mark(char *out, int n)
{
    if (n < 3 || memcmp(out, "\xEF\xBB\xBF", 3) != 0)
        return n;
    memmove(out, out + 3, (size_t)n - 3);
    return n - 3;
}

int iso_reader_on_read(void *user, char *out, int len)
{
    struct reader *r = user;
    int n = 0;

    if (r->failed)
        return -1;
    n = read_full(r, out, len);
    if (r->bytes == 0)
        n = drop_mark(out, n);
    if (n < 0) {
        (void)fail(r, ISO_RULE_INPUT, "%s", "");
        return -1;
    }
    r->bytes += (uint64_t)n;
    if (r->bytes > r->options.bytes_max) {
        (void)fail(r, ISO_RULE_XML_TOO_LARGE, "at most %llu bytes",
                   (unsigned long long)r->options.bytes_max);
        return -1;
    }
    r->at_end = n == 0;
    return watch(r, out, (size_t)n) ? n : -1;
}

/* It is read as UTF-8 whatever it says, so it may not say otherwise. US-ASCII is UTF-8. */
bool iso_reader_check_encoding(struct reader *r)
{
    const char *end = NULL;
    const char *at = NULL;

    r->prolog[r->prolog_len] = '\0';
    end = strstr(r->prolog, "?>");
    at = strstr(r->prolog, "encoding");
    if (end == NULL || at == NULL || at > end)
        return true;
    at += strcspn(at, "\"'");
    if (*at != '\0')
        at++;
    if (strncasecmp(at, "UTF-8", 5) == 0 || strncasecmp(at, "UTF8", 4) == 0 ||
        strncasecmp(at, "US-ASCII", 8) == 0)
        return true;
    return fail(r, ISO_RULE_XML_ENCODING, "its XML declaration says another encoding");
}

void iso_reader_on_xml_error(void *user, xmlErrorPtr e)
{
    struct reader *r = user;
    char text[160];
    long consumed = r->xml == NULL ? -1 : xmlByteConsumed(r->xml);
    /* A character of up to 4 bytes that the file ends in is broken UTF-8, too. */
    uint64_t left = e->code == XML_ERR_INVALID_CHAR || e->code == XML_ERR_INVALID_ENCODING ? 3 : 0;
    bool last_bytes = r->at_end && consumed >= 0 && (uint64_t)consumed + left >= r->bytes;

    if (r->failed || e->level < XML_ERR_ERROR)
        return;
    /* Its first line names elements and entities, never text. */
    (void)snprintf(text, sizeof text, "%s", e->message == NULL ? "" : e->message);
    text[strcspn(text, "\n")] = '\0';
    if (e->code == XML_ERR_NAME_TOO_LONG || e->code == XML_ERR_INTERNAL_ERROR)
        (void)fail(r, ISO_RULE_XML_TOO_LARGE, "%s", text);
    else if (r->bytes == 0 || (last_bytes && (r->depth > 0 || !r->document_seen)))
        (void)fail(r, ISO_RULE_XML_TRUNCATED, "%s", r->bytes == 0 ? "it is empty" : "");
    else if (e->code == XML_ERR_INVALID_ENCODING || strstr(text, "UTF-8") != NULL)
        (void)fail(r, ISO_RULE_XML_ENCODING, "%s", "");
    else
        (void)fail(r, ISO_RULE_XML, "%s", text);
}
