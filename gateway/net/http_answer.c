#include "gateway/net/http_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

/* 15 bits of window, and 16 for the gzip wrapping: what deflateInit2 wants to hear. */
#define GZIP_WINDOW_BITS (15 + 16)
#define GZIP_LEVEL       5
#define GZIP_MEMORY      8

void http_format_date(int64_t unix_s, char out[HTTP_DATE_SIZE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)unix_s;
    struct tm tm;
    char text[96];
    out[0] = 0;
    if (gmtime_r(&when, &tm) == NULL)
        return;
    snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
             months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    memcpy(out, text, HTTP_DATE_SIZE - 1);
    out[HTTP_DATE_SIZE - 1] = 0;
}

const char *http_status_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return "";
}

/* ---------------------------------------------------------------- gzip */

/* The parameters behind a coding: is its q more than 0? Without one it is; one that is garbage is not. */
static bool weight_is_positive(struct slice parameters)
{
    struct slice one, rest = parameters;
    while (rest.len > 0) {
        struct slice after;
        (void)slice_cut(rest, ';', &one, &after);
        rest = after;
        one = slice_trim(one);
        if (one.len < 2 || (one.p[0] != 'q' && one.p[0] != 'Q') || one.p[1] != '=')
            continue;
        bool positive = false;
        for (size_t i = 2; i < one.len; i++) {
            if (!char_is_digit(one.p[i]) && one.p[i] != '.')
                return false;
            positive = positive || (one.p[i] >= '1' && one.p[i] <= '9');
        }
        return positive;
    }
    return true;
}

bool http_takes_gzip(const struct http_parser *request)
{
    unsigned at = 0;
    struct slice list, element, coding, parameters;
    bool any = false, any_said = false, gzip = false, gzip_said = false;
    while (http_parser_next_value(request, "accept-encoding", &at, &list)) {
        while (http_list_next(&list, &element)) {
            (void)slice_cut(element, ';', &coding, &parameters);
            coding = slice_trim(coding);
            bool taken = weight_is_positive(parameters);
            if (http_equal_ignoring_case(coding, SLICE("gzip")) ||
                http_equal_ignoring_case(coding, SLICE("x-gzip"))) {
                gzip = gzip_said ? gzip && taken : taken;
                gzip_said = true;
            } else if (slice_equal_str(coding, "*")) {
                any = any_said ? any && taken : taken;
                any_said = true;
            }
        }
    }
    return gzip_said ? gzip : any;
}

static z_stream *stream_of(struct http_gzip *gzip)
{
    if (gzip->stream != NULL)
        return deflateReset(gzip->stream) == Z_OK ? gzip->stream : NULL;
    z_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    if (deflateInit2(stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(stream);
        return NULL;
    }
    gzip->stream = stream;
    return stream;
}

bool http_gzip_compress(struct http_gzip *gzip, struct slice body, struct buf *out)
{
    unsigned char *room;
    buf_reset(out);
    if (body.len < 2 || body.len > UINT32_MAX)
        return false;
    z_stream *stream = stream_of(gzip);
    /* Room for less than the body: what does not fit is not worth sending. */
    if (stream == NULL || err_failed(buf_reserve(out, body.len - 1, &room)))
        return false;
    union {
        const char *read;
        Bytef *next;
    } in = {body.p}; /* zlib reads it only */
    stream->next_in = in.next;
    stream->avail_in = (uInt)body.len;
    stream->next_out = room;
    stream->avail_out = (uInt)(body.len - 1);
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return false;
    buf_commit(out, body.len - 1 - stream->avail_out);
    return true;
}

void http_gzip_deinit(struct http_gzip *gzip)
{
    if (gzip->stream != NULL)
        deflateEnd(gzip->stream);
    free(gzip->stream);
    gzip->stream = NULL;
}
