#include "gateway/net/http_parse.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

/* A head that is larger is not kept as memory for the next one. */
#define HEAD_KEEP_BYTES ((size_t)2048)
/* More digits than any body has, and far from the end of 64 bits. */
#define LENGTH_DIGITS_MAX 15U

static bool refuse(struct http_parser *parser, unsigned status, const char *why)
{
    parser->state = HTTP_PARSE_REFUSED;
    parser->status = status;
    parser->why = why;
    return false;
}

/* ---------------------------------------------------------------- text */

static char lower(char c)
{
    return char_is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

bool http_equal_ignoring_case(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

bool http_list_next(struct slice *rest, struct slice *element)
{
    while (rest->len > 0) {
        struct slice after;
        (void)slice_cut(*rest, ',', element, &after);
        *rest = after;
        *element = slice_trim(*element);
        if (element->len > 0)
            return true;
    }
    return false;
}

static int hex_value(char c)
{
    if (char_is_digit(c))
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const uint8_t *octets(struct slice s)
{
    return (const uint8_t *)s.p;
}

static struct slice text_of(const struct http_parser *parser, struct http_span span)
{
    return slice_of(buf_data(&parser->head) + span.start, span.length);
}

/* Where `part`, which lies in the head, is in it. */
static struct http_span span_of(const struct http_parser *parser, struct slice part)
{
    size_t start = (size_t)((const unsigned char *)part.p - buf_data(&parser->head));
    return (struct http_span){(uint16_t)start, (uint16_t)part.len};
}

struct http_target http_parser_target(const struct http_parser *parser)
{
    return (struct http_target){.method = parser->method,
                                .path = text_of(parser, parser->path),
                                .query = text_of(parser, parser->query)};
}

bool http_parser_next_value(const struct http_parser *parser, const char *name, unsigned *at,
                            struct slice *value)
{
    for (; *at < parser->headers_count; (*at)++) {
        if (slice_equal_str(text_of(parser, parser->headers[*at].name), name)) {
            *value = text_of(parser, parser->headers[(*at)++].value);
            return true;
        }
    }
    return false;
}

bool http_parser_header(const struct http_parser *parser, const char *name, struct slice *value,
                        unsigned *count)
{
    unsigned at = 0, found = 0;
    struct slice one;
    *value = slice_of(NULL, 0);
    while (http_parser_next_value(parser, name, &at, &one)) {
        if (found++ == 0)
            *value = one;
    }
    if (count != NULL)
        *count = found;
    return found > 0;
}

/* ---------------------------------------------------------------- lines */

/* What no line may hold, wherever in it. */
static bool line_is_clean(struct http_parser *parser, struct slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.p[i];
        if (c == 0)
            return refuse(parser, 400, "NUL");
        if (c == '\r')
            return refuse(parser, 400, "CR without LF");
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return refuse(parser, 400, "control character");
    }
    return true;
}

/*
 * Moves bytes into `buf` up to the end of a line that began at `start`; *line is it without its CRLF. False: there is
 * no whole line yet, or it was refused (status_long if `buf` would hold more than bytes_max).
 */
static bool take_line(struct http_parser *parser, struct buf *buf, size_t start, size_t bytes_max,
                      unsigned status_long, const char *why_long, struct slice *in,
                      struct slice *line)
{
    if (in->len == 0)
        return false;
    const char *lf = memchr(in->p, '\n', in->len);
    size_t n = lf != NULL ? (size_t)(lf - in->p) + 1 : in->len;
    size_t room = bytes_max - buf_len(buf);
    bool too_long = n > room;
    if (too_long)
        n = room;
    if (err_failed(buf_append(buf, in->p, n)))
        return refuse(parser, 503, "out of memory");
    *in = slice_of(in->p + n, in->len - n);
    if (too_long)
        return refuse(parser, status_long, why_long);
    if (lf == NULL)
        return false;
    *line = slice_of(buf_data(buf) + start, buf_len(buf) - start - 1);
    if (line->len == 0 || line->p[line->len - 1] != '\r')
        return refuse(parser, 400, "LF without CR");
    line->len--;
    return line_is_clean(parser, *line);
}

/* ---------------------------------------------------------------- the request line */

static enum http_method method_of(struct slice name)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {{"GET", HTTP_GET},        {"HEAD", HTTP_HEAD},   {"POST", HTTP_POST},
                   {"PUT", HTTP_PUT},        {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE},
                   {"OPTIONS", HTTP_OPTIONS}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (slice_equal_str(name, methods[i].name))
            return methods[i].method;
    }
    return HTTP_OTHER;
}

/* Printable ASCII, no fragment, and every % followed by two hex digits. */
static bool path_is_legal(struct slice path)
{
    if (path.len == 0 || nghttp2_check_path(octets(path), path.len) == 0)
        return false;
    for (size_t i = 0; i < path.len; i++) {
        if ((unsigned char)path.p[i] >= 0x80 || path.p[i] == '#')
            return false;
        if (path.p[i] == '%' &&
            (path.len - i < 3 || hex_value(path.p[i + 1]) < 0 || hex_value(path.p[i + 2]) < 0))
            return false;
    }
    return true;
}

static bool take_path(struct http_parser *parser, struct slice path)
{
    struct slice before, after;
    if (!path_is_legal(path))
        return refuse(parser, 400, "illegal character in the request target");
    if (!slice_cut(path, '?', &before, &after))
        after = slice_of(path.p + path.len, 0);
    parser->path = span_of(parser, before);
    parser->query = span_of(parser, after);
    return true;
}

/* "https://host:port/path": the host is compared with Host when that is known. */
static bool take_absolute(struct http_parser *parser, struct slice target)
{
    static const struct slice https = {"https://", 8}, http = {"http://", 7};
    if (target.len >= http.len && http_equal_ignoring_case(slice_of(target.p, http.len), http))
        return refuse(parser, 421, "request target with the scheme http on a TLS connection");
    if (target.len < https.len || !http_equal_ignoring_case(slice_of(target.p, https.len), https))
        return refuse(parser, 400, "request target is not a path");
    struct slice rest = slice_of(target.p + https.len, target.len - https.len);
    const char *slash = rest.len > 0 ? memchr(rest.p, '/', rest.len) : NULL;
    if (slash == NULL || slash == rest.p)
        return refuse(parser, 400, "request target without a host or a path");
    parser->authority = span_of(parser, slice_of(rest.p, (size_t)(slash - rest.p)));
    return take_path(parser, slice_of(slash, rest.len - (size_t)(slash - rest.p)));
}

static bool take_version(struct http_parser *parser, struct slice version)
{
    if (version.len != 8 || memcmp(version.p, "HTTP/", 5) != 0 || !char_is_digit(version.p[5]) ||
        version.p[6] != '.' || !char_is_digit(version.p[7]))
        return refuse(parser, 400, "request line does not end in an HTTP version");
    if (version.p[5] != '1' || version.p[7] > '1')
        return refuse(parser, 505, "HTTP version is not 1.1");
    parser->version_1_0 = version.p[7] == '0';
    return true;
}

static bool take_request_line(struct http_parser *parser, struct slice line)
{
    struct slice method, target, version, rest;
    if (!slice_cut(line, ' ', &method, &rest) || !slice_cut(rest, ' ', &target, &version))
        return refuse(parser, 400, "request line is not METHOD TARGET VERSION");
    if (method.len == 0 || nghttp2_check_method(octets(method), method.len) == 0)
        return refuse(parser, 400, "illegal method");
    if (!take_version(parser, version))
        return false;
    if (slice_equal_str(method, "CONNECT"))
        return refuse(parser, 501, "CONNECT is not served");
    if (target.len == 0)
        return refuse(parser, 400, "request line without a target");
    parser->method = method_of(method);
    return target.p[0] == '/' ? take_path(parser, target) : take_absolute(parser, target);
}

/* ---------------------------------------------------------------- headers */

/* Splits and checks; the name is put into lower case where it stands. */
static bool split_header(struct http_parser *parser, char *start, size_t length, struct slice *name,
                         struct slice *value)
{
    if (start[0] == ' ' || start[0] == '\t')
        return refuse(parser, 400, "folded header");
    if (!slice_cut(slice_of(start, length), ':', name, value))
        return refuse(parser, 400, "header without a colon");
    if (name->len > 0 && (name->p[name->len - 1] == ' ' || name->p[name->len - 1] == '\t'))
        return refuse(parser, 400, "blank before a header's colon");
    for (size_t i = 0; i < name->len; i++)
        start[i] = lower(start[i]);
    *value = slice_trim(*value);
    if (name->len == 0 || nghttp2_check_header_name(octets(*name), name->len) == 0)
        return refuse(parser, 400, "illegal header name");
    if (nghttp2_check_header_value(octets(*value), value->len) == 0)
        return refuse(parser, 400, "illegal header value");
    return true;
}

static bool take_header(struct http_parser *parser, struct slice line)
{
    struct slice name, value;
    char *start = (char *)parser->head.store + parser->line_start;
    if (!split_header(parser, start, line.len, &name, &value))
        return false;
    if (parser->headers_count == HTTP_HEADERS_MAX)
        return refuse(parser, 431, "too many headers");
    parser->headers[parser->headers_count++] =
        (struct http_header_span){span_of(parser, name), span_of(parser, value)};
    return true;
}

/* host [":" port]: a name, an IPv4 address, or an IPv6 address in brackets. */
static bool authority_is_legal(struct slice s)
{
    size_t i = 0;
    if (s.len > 0 && s.p[0] == '[') {
        for (i = 1; i < s.len && (hex_value(s.p[i]) >= 0 || s.p[i] == ':' || s.p[i] == '.'); i++)
            continue;
        if (i < 3 || i == s.len || s.p[i++] != ']')
            return false;
    } else {
        for (; i < s.len && s.p[i] != ':'; i++) {
            char c = lower(s.p[i]);
            if (!char_is_lower(c) && !char_is_digit(c) && c != '-' && c != '.' && c != '_')
                return false;
        }
        if (i == 0 || i > 253)
            return false;
    }
    if (i == s.len)
        return true;
    uint64_t port;
    struct slice digits = slice_of(s.p + i + 1, s.len - i - 1);
    return s.p[i] == ':' && digits.len > 0 && digits.len <= 5 &&
           !err_failed(str_parse_uint64(digits, &port)) && port > 0 && port <= 65535;
}

static bool check_host(struct http_parser *parser)
{
    unsigned count;
    struct slice host, authority = text_of(parser, parser->authority);
    bool given = http_parser_header(parser, "host", &host, &count);
    if (!given && !parser->version_1_0)
        return refuse(parser, 400, "no Host");
    if (count > 1)
        return refuse(parser, 400, "more than one Host");
    if (given && !authority_is_legal(host))
        return refuse(parser, 400, "illegal Host");
    if (authority.len == 0)
        return true;
    if (!authority_is_legal(authority))
        return refuse(parser, 400, "illegal host in the request target");
    if (given && !http_equal_ignoring_case(host, authority))
        return refuse(parser, 400, "request target names another host than Host");
    return true;
}

/* How long the body is, said in one way only. */
static bool check_length(struct http_parser *parser)
{
    unsigned lengths, codings;
    struct slice length, coding;
    bool has_length = http_parser_header(parser, "content-length", &length, &lengths);
    bool has_coding = http_parser_header(parser, "transfer-encoding", &coding, &codings);
    if (has_length && has_coding)
        return refuse(parser, 400, "Content-Length and Transfer-Encoding together");
    if (has_coding) {
        if (parser->version_1_0)
            return refuse(parser, 400, "Transfer-Encoding in HTTP/1.0");
        if (codings > 1 || !http_equal_ignoring_case(coding, SLICE("chunked")))
            return refuse(parser, 501, "Transfer-Encoding is not chunked alone");
        parser->is_chunked = true;
        return true;
    }
    if (!has_length)
        return true;
    if (lengths > 1)
        return refuse(parser, 400, "more than one Content-Length");
    for (size_t i = 0; i < length.len; i++) {
        if (!char_is_digit(length.p[i]))
            return refuse(parser, 400, "Content-Length is not a number");
    }
    if (length.len == 0)
        return refuse(parser, 400, "Content-Length is not a number");
    if (length.len > LENGTH_DIGITS_MAX)
        return refuse(parser, 413, "Content-Length is too large");
    if (err_failed(str_parse_uint64(length, &parser->content_length)))
        return refuse(parser, 400, "Content-Length is not a number");
    return true;
}

static bool check_connection(struct http_parser *parser)
{
    unsigned at = 0;
    struct slice value, token;
    parser->keep_alive = !parser->version_1_0;
    while (http_parser_next_value(parser, "connection", &at, &value)) {
        while (http_list_next(&value, &token)) {
            if (http_equal_ignoring_case(token, SLICE("close")))
                parser->keep_alive = false;
        }
    }
    unsigned count;
    if (!http_parser_header(parser, "expect", &value, &count) || parser->version_1_0)
        return true;
    if (count > 1 || !http_equal_ignoring_case(value, SLICE("100-continue")))
        return refuse(parser, 417, "Expect is not 100-continue");
    parser->expects_continue = true;
    return true;
}

static bool finish_head(struct http_parser *parser)
{
    if (!check_host(parser) || !check_length(parser) || !check_connection(parser))
        return false;
    parser->left = parser->content_length;
    if (parser->is_chunked)
        parser->state = HTTP_PARSE_CHUNK_SIZE;
    else
        parser->state = parser->left > 0 ? HTTP_PARSE_BODY : HTTP_PARSE_ENDING;
    return true;
}

/* ---------------------------------------------------------------- chunks */

static bool take_chunk_size(struct http_parser *parser, struct slice line)
{
    size_t digits = 0;
    parser->left = 0;
    while (digits < line.len && hex_value(line.p[digits]) >= 0) {
        if (digits == LENGTH_DIGITS_MAX)
            return refuse(parser, 413, "chunk size is too large");
        parser->left = parser->left * 16 + (uint64_t)hex_value(line.p[digits++]);
    }
    if (digits == 0)
        return refuse(parser, 400, "chunk without a size");
    if (digits < line.len && line.p[digits] != ';')
        return refuse(parser, 400, "garbage behind a chunk's size");
    parser->state = parser->left > 0 ? HTTP_PARSE_CHUNK : HTTP_PARSE_TRAILER;
    return true;
}

/* Legal or refused; what it says is dropped. */
static bool take_trailer(struct http_parser *parser, struct slice line)
{
    struct slice name, value;
    if (line.len == 0) {
        parser->state = HTTP_PARSE_ENDING;
        return true;
    }
    return split_header(parser, (char *)parser->line.store, line.len, &name, &value);
}

static void take_chunk_line(struct http_parser *parser, struct slice *in)
{
    struct slice line;
    bool trailer = parser->state == HTTP_PARSE_TRAILER;
    size_t bytes_max =
        trailer ? HTTP_TRAILER_BYTES_MAX - parser->trailer_bytes : HTTP_CHUNK_LINE_BYTES_MAX;
    if (!take_line(parser, &parser->line, 0, bytes_max, trailer ? 431 : 400,
                   trailer ? "trailers are too large" : "chunk extension is too long", in, &line))
        return;
    if (trailer) {
        parser->trailer_bytes += buf_len(&parser->line);
        (void)take_trailer(parser, line);
    } else if (parser->state == HTTP_PARSE_CHUNK_END) {
        if (line.len > 0)
            (void)refuse(parser, 400, "chunk is longer than its size");
        else
            parser->state = HTTP_PARSE_CHUNK_SIZE;
    } else {
        (void)take_chunk_size(parser, line);
    }
    buf_reset(&parser->line);
}

/* ---------------------------------------------------------------- one step */

static void take_head_line(struct http_parser *parser, struct slice *in, enum http_event *event)
{
    struct slice line;
    bool first = parser->state != HTTP_PARSE_HEADER;
    if (!take_line(parser, &parser->head, parser->line_start,
                   first ? HTTP_LINE_BYTES_MAX : HTTP_HEAD_BYTES_MAX, first ? 414 : 431,
                   first ? "request line is too long" : "headers are too large", in, &line))
        return;
    if (first && line.len == 0 && !parser->crlf_skipped) {
        /* One blank line may be left over from a body before (RFC 9112, 2.2). */
        parser->crlf_skipped = true;
        buf_reset(&parser->head);
        return;
    }
    if (first) {
        if (take_request_line(parser, line))
            parser->state = HTTP_PARSE_HEADER;
    } else if (line.len > 0) {
        (void)take_header(parser, line);
    } else if (finish_head(parser)) {
        *event = HTTP_EVENT_HEAD;
    }
    parser->line_start = buf_len(&parser->head);
}

static void take_body(struct http_parser *parser, struct slice *in, enum http_event *event,
                      struct slice *body)
{
    size_t n = in->len < parser->left ? in->len : (size_t)parser->left;
    if (n == 0)
        return;
    *body = slice_of(in->p, n);
    *in = slice_of(in->p + n, in->len - n);
    parser->left -= n;
    *event = HTTP_EVENT_BODY;
    if (parser->left == 0)
        parser->state =
            parser->state == HTTP_PARSE_CHUNK ? HTTP_PARSE_CHUNK_END : HTTP_PARSE_ENDING;
}

size_t http_parser_take(struct http_parser *parser, struct slice in, enum http_event *event,
                        struct slice *body)
{
    struct slice rest = in;
    enum http_parse_state before;
    *event = HTTP_EVENT_MORE;
    *body = slice_of(NULL, 0);
    do {
        before = parser->state;
        switch (parser->state) {
        case HTTP_PARSE_START:
        case HTTP_PARSE_HEADER:
            take_head_line(parser, &rest, event);
            break;
        case HTTP_PARSE_BODY:
        case HTTP_PARSE_CHUNK:
            take_body(parser, &rest, event, body);
            break;
        case HTTP_PARSE_CHUNK_SIZE:
        case HTTP_PARSE_CHUNK_END:
        case HTTP_PARSE_TRAILER:
            take_chunk_line(parser, &rest);
            break;
        case HTTP_PARSE_ENDING:
            parser->state = HTTP_PARSE_OVER;
            *event = HTTP_EVENT_END;
            break;
        case HTTP_PARSE_OVER:
            return in.len - rest.len;
        case HTTP_PARSE_REFUSED:
            *event = HTTP_EVENT_REFUSED;
            break;
        }
    } while (*event == HTTP_EVENT_MORE && (rest.len > 0 || parser->state != before));
    return in.len - rest.len;
}

/* ---------------------------------------------------------------- life */

void http_parser_init(struct http_parser *parser)
{
    memset(parser, 0, sizeof *parser);
    buf_init(&parser->head, HTTP_HEAD_BYTES_MAX);
    buf_init(&parser->line, HTTP_TRAILER_BYTES_MAX);
}

void http_parser_deinit(struct http_parser *parser)
{
    buf_deinit(&parser->head);
    buf_deinit(&parser->line);
}

void http_parser_next(struct http_parser *parser)
{
    struct buf head = parser->head;
    buf_release(&parser->line);
    if (head.size > HEAD_KEEP_BYTES)
        buf_release(&head);
    else
        buf_reset(&head);
    struct buf line = parser->line;
    memset(parser, 0, sizeof *parser);
    parser->head = head;
    parser->line = line;
}

bool http_parser_has_begun(const struct http_parser *parser)
{
    return parser->state != HTTP_PARSE_START || buf_len(&parser->head) > 0;
}
