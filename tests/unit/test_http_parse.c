/* HTTP/1.1 requests out of bytes: what is taken, and every refusal by its name. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/http_answer.h"
#include "gateway/net/http_parse.h"

/* What came of some bytes, as text: "HEAD;BODY hello;END;" or "REFUSED 400 why;". Pieces of a body are joined. */
struct told {
    struct buf text;
    bool in_body;
    unsigned requests;
};

static void tell(struct told *told, const char *event, struct slice body)
{
    bool is_body = body.len > 0;
    if (told->in_body && !is_body)
        assert_ok(buf_printf(&told->text, ";"));
    if (!is_body)
        assert_ok(buf_printf(&told->text, "%s;", event));
    else if (!told->in_body)
        assert_ok(buf_printf(&told->text, "BODY "));
    if (is_body)
        assert_ok(buf_append(&told->text, body.p, body.len));
    told->in_body = is_body;
}

/* All events of one piece of input, which lies in memory of its own size. */
static void feed(struct http_parser *parser, const char *bytes, size_t length, struct told *told)
{
    char *copy = malloc(length + 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    struct slice in = slice_of(copy, length);
    for (;;) {
        enum http_event event;
        struct slice body;
        size_t used = http_parser_take(parser, in, &event, &body);
        in = slice_of(in.p + used, in.len - used);
        if (event == HTTP_EVENT_MORE)
            break;
        if (event == HTTP_EVENT_HEAD) {
            struct http_target target = http_parser_target(parser);
            assert_ok(buf_printf(&told->text, "HEAD %d %.*s?%.*s;", (int)target.method,
                                 SLICE_ARG(target.path), SLICE_ARG(target.query)));
            told->requests++;
        } else if (event == HTTP_EVENT_BODY) {
            tell(told, "", body);
        } else if (event == HTTP_EVENT_END) {
            tell(told, "END", body);
            http_parser_next(parser);
        } else {
            char text[200];
            snprintf(text, sizeof text, "REFUSED %u %s", parser->status, parser->why);
            tell(told, text, body);
            break;
        }
    }
    free(copy);
}

static void told_init(struct told *told)
{
    memset(told, 0, sizeof *told);
    buf_init(&told->text, 1U << 20);
}

/* In two pieces cut at `at`; bytewise if `at` is SIZE_MAX. */
static void run_split(struct slice input, size_t at, struct told *told)
{
    struct http_parser parser;
    http_parser_init(&parser);
    told_init(told);
    if (at == SIZE_MAX) {
        for (size_t i = 0; i < input.len && parser.state != HTTP_PARSE_REFUSED; i++)
            feed(&parser, input.p + i, 1, told);
    } else {
        feed(&parser, input.p, at, told);
        if (parser.state != HTTP_PARSE_REFUSED)
            feed(&parser, input.p + at, input.len - at, told);
    }
    http_parser_deinit(&parser);
}

static void assert_told(struct slice input, const char *want)
{
    struct told told;
    for (size_t at = 0; at <= input.len; at++) {
        run_split(input, at, &told);
        assert_slice(buf_slice(&told.text), want);
        buf_deinit(&told.text);
    }
    run_split(input, SIZE_MAX, &told);
    assert_slice(buf_slice(&told.text), want);
    buf_deinit(&told.text);
}

#define H "Host: api.example\r\n"

/* ---------------------------------------------------------------- taken */

static void every_split_gives_the_same_events(void **state)
{
    (void)state;
    static const struct {
        struct slice input;
        const char *want;
    } good[] = {
        {SLICE("GET / HTTP/1.1\r\n" H "\r\n"), "HEAD 0 /?;END;"},
        {SLICE("\r\nGET /a?b=c?d HTTP/1.1\r\n" H "\r\n"), "HEAD 0 /a?b=c?d;END;"},
        {SLICE("GET /? HTTP/1.1\r\nhOsT:\t[::1]:8443 \t\r\nEmpty:\r\n\r\n"), "HEAD 0 /?;END;"},
        {SLICE("POST /x%2Fy HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello"),
         "HEAD 2 /x%2Fy?;BODY hello;END;"},
        {SLICE("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"), "HEAD 2 /?;END;"},
        {SLICE("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
               "3;a=b\r\nhel\r\n00002\r\nlo\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n"),
         "HEAD 2 /?;BODY hello;END;"},
        {SLICE("POST / HTTP/1.1\r\n" H
               "Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"),
         "HEAD 2 /?;BODY 0123456789;END;"},
        {SLICE("GET https://API.example/p?q HTTP/1.1\r\n" H "\r\n"), "HEAD 0 /p?q;END;"},
        {SLICE("GET / HTTP/1.0\r\n\r\n"), "HEAD 0 /?;END;"},
        {SLICE("BREW / HTTP/1.1\r\n" H "\r\n"), "HEAD 7 /?;END;"},
        {SLICE("GET /1 HTTP/1.1\r\n" H "\r\nPOST /2 HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nhi"
               "\r\nDELETE /3 HTTP/1.1\r\n" H "\r\nGET /4 HTTP/1.1\nHost: x\n\n"),
         "HEAD 0 /1?;END;HEAD 2 /2?;BODY hi;END;HEAD 5 /3?;END;REFUSED 400 LF without CR;"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_told(good[i].input, good[i].want);
}

static void parse_head(struct http_parser *parser, const char *text)
{
    enum http_event event;
    struct slice body;
    http_parser_init(parser);
    (void)http_parser_take(parser, slice_str(text), &event, &body);
    assert_int_equal(event, HTTP_EVENT_HEAD);
}

static void headers_are_found_whatever_their_case(void **state)
{
    (void)state;
    struct http_parser parser;
    struct slice value;
    unsigned count, at = 0;
    parse_head(&parser, "GET / HTTP/1.1\r\n" H "X-Some:  a b \t\r\nx-sOME: c\r\nX-Som: d\r\n"
                        "Caf\x65: \xc3\xa9\r\n\r\n");
    assert_true(http_parser_header(&parser, "x-some", &value, &count));
    assert_slice(value, "a b");
    assert_int_equal(count, 2);
    assert_true(http_parser_next_value(&parser, "x-some", &at, &value));
    assert_true(http_parser_next_value(&parser, "x-some", &at, &value));
    assert_slice(value, "c");
    assert_false(http_parser_next_value(&parser, "x-some", &at, &value));
    assert_true(http_parser_header(&parser, "cafe", &value, NULL));
    assert_slice(value, "\xc3\xa9");
    assert_false(http_parser_header(&parser, "x-none", &value, &count));
    assert_int_equal(count, 0);
    http_parser_deinit(&parser);
}

static void keep_alive_is_what_the_version_and_connection_say(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool keep;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" H "\r\n", true},
        {"GET / HTTP/1.1\r\n" H "Connection: keep-alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\n" H "Connection: keep-alive ,, CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" H "Connection: te\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_parser parser;
        parse_head(&parser, cases[i].head);
        assert_int_equal(parser.keep_alive, cases[i].keep);
        http_parser_deinit(&parser);
    }
}

/* ---------------------------------------------------------------- refused */

#define GET  "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" H
#define LONG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct refusal {
    struct slice input;
    const char *why;
} refusals[] = {
    /* the request line */
    {SLICE("GET /\r\n"), "400 request line is not METHOD TARGET VERSION"},
    {SLICE("\r\n\r\n"), "400 request line is not METHOD TARGET VERSION"},
    {SLICE("GET  / HTTP/1.1\r\n"), "400 request line does not end in an HTTP version"},
    {SLICE("GET / HTTP/1.1 \r\n"), "400 request line does not end in an HTTP version"},
    {SLICE(" GET / HTTP/1.1\r\n"), "400 illegal method"},
    {SLICE("GET\t/ HTTP/1.1\r\n"), "400 request line is not METHOD TARGET VERSION"},
    {SLICE("GET / http/1.1\r\n"), "400 request line does not end in an HTTP version"},
    {SLICE("GET / HTTP/1.10\r\n"), "400 request line does not end in an HTTP version"},
    {SLICE("GET / HTTP/1.2\r\n"), "505 HTTP version is not 1.1"},
    {SLICE("GET / HTTP/0.9\r\n"), "505 HTTP version is not 1.1"},
    {SLICE("PRI * HTTP/2.0\r\n"), "505 HTTP version is not 1.1"},
    {SLICE("G{T / HTTP/1.1\r\n"), "400 illegal method"},
    {SLICE("GET /\xc3\xa9 HTTP/1.1\r\n"), "400 illegal character in the request target"},
    {SLICE("GET /a#b HTTP/1.1\r\n"), "400 illegal character in the request target"},
    {SLICE("GET /%4 HTTP/1.1\r\n"), "400 illegal character in the request target"},
    {SLICE("GET /%zz HTTP/1.1\r\n"), "400 illegal character in the request target"},
    {SLICE("OPTIONS * HTTP/1.1\r\n"), "400 request target is not a path"},
    {SLICE("GET api.example:443 HTTP/1.1\r\n"), "400 request target is not a path"},
    {SLICE("CONNECT api.example:443 HTTP/1.1\r\n"), "501 CONNECT is not served"},
    {SLICE("GET http://api.example/ HTTP/1.1\r\n"),
     "421 request target with the scheme http on a TLS connection"},
    {SLICE("GET https://api.example HTTP/1.1\r\n"), "400 request target without a host or a path"},
    {SLICE("GET https:///x HTTP/1.1\r\n"), "400 request target without a host or a path"},
    {SLICE("GET https://other.example/ HTTP/1.1\r\n" H "\r\n"),
     "400 request target names another host than Host"},
    {SLICE("GET https://user@api.example/ HTTP/1.1\r\n" H "\r\n"),
     "400 illegal host in the request target"},
    /* Host */
    {SLICE(GET "\r\n"), "400 no Host"},
    {SLICE(GET H H "\r\n"), "400 more than one Host"},
    {SLICE("GET / HTTP/1.0\r\n" H "hOST: other\r\n\r\n"), "400 more than one Host"},
    {SLICE(GET "Host:\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: a b\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: a,b\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: a/b\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: u@a\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: a:\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: a:0\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: a:65536\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: a:1:2\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: [::1\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: [::1]x\r\n\r\n"), "400 illegal Host"},
    {SLICE(GET "Host: []:1\r\n\r\n"), "400 illegal Host"},
    /* header lines */
    {SLICE(GET H "X : y\r\n"), "400 blank before a header's colon"},
    {SLICE(GET H "Content-Length\t: 1\r\n"), "400 blank before a header's colon"},
    {SLICE(GET H "X: y\r\n z\r\n"), "400 folded header"},
    {SLICE(GET " Host: a\r\n"), "400 folded header"},
    {SLICE(GET H "\tX: y\r\n"), "400 folded header"},
    {SLICE(GET H "X\r\n"), "400 header without a colon"},
    {SLICE(GET H ": y\r\n"), "400 illegal header name"},
    {SLICE(GET H "X Y: z\r\n"), "400 illegal header name"},
    {SLICE(GET H "X\xff: z\r\n"), "400 illegal header name"},
    {SLICE(GET H ":path: /\r\n"), "400 illegal header name"},
    {SLICE("GET / HTTP/1.1\nHost: a\n\n"), "400 LF without CR"},
    {SLICE(GET "Host: a\n\r\n"), "400 LF without CR"},
    {SLICE(GET H "\n"), "400 LF without CR"},
    {SLICE(GET H "X: a\rb\r\n"), "400 CR without LF"},
    {SLICE(GET H "X: a\r\r\n"), "400 CR without LF"},
    {SLICE("GET /\r HTTP/1.1\r\n"), "400 CR without LF"},
    {SLICE(GET H "X: a\0b\r\n"), "400 NUL"},
    {SLICE("GET /\0 HTTP/1.1\r\n"), "400 NUL"},
    {SLICE(GET H "X: a\x01\r\n"), "400 control character"},
    {SLICE(GET H "X: a\x7f\r\n"), "400 control character"},
    {SLICE(GET H "X: \x0b\r\n"), "400 control character"},
    /* how long the body is */
    {SLICE(POST "Content-Length: +5\r\n\r\n"), "400 Content-Length is not a number"},
    {SLICE(POST "Content-Length: -5\r\n\r\n"), "400 Content-Length is not a number"},
    {SLICE(POST "Content-Length: 0x5\r\n\r\n"), "400 Content-Length is not a number"},
    {SLICE(POST "Content-Length: 5 \t5\r\n\r\n"), "400 Content-Length is not a number"},
    {SLICE(POST "Content-Length:\r\n\r\n"), "400 Content-Length is not a number"},
    {SLICE(POST "Content-Length: 5, 5\r\n\r\n"), "400 Content-Length is not a number"},
    {SLICE(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
     "400 more than one Content-Length"},
    {SLICE(POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n"),
     "400 more than one Content-Length"},
    {SLICE(POST "Content-Length: 18446744073709551621\r\n\r\n"), "413 Content-Length is too large"},
    {SLICE(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "400 Content-Length and Transfer-Encoding together"},
    {SLICE(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
     "501 Transfer-Encoding is not chunked alone"},
    {SLICE(POST "Transfer-Encoding: identity\r\n\r\n"),
     "501 Transfer-Encoding is not chunked alone"},
    {SLICE(POST "Transfer-Encoding: xchunked\r\n\r\n"),
     "501 Transfer-Encoding is not chunked alone"},
    {SLICE(POST "Transfer-Encoding: chunked;q=1\r\n\r\n"),
     "501 Transfer-Encoding is not chunked alone"},
    {SLICE(POST "Transfer-Encoding:\r\n\r\n"), "501 Transfer-Encoding is not chunked alone"},
    {SLICE(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
     "501 Transfer-Encoding is not chunked alone"},
    {SLICE("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
     "400 Transfer-Encoding in HTTP/1.0"},
    {SLICE(POST "Expect: 200-ok\r\n\r\n"), "417 Expect is not 100-continue"},
    {SLICE(POST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n"),
     "417 Expect is not 100-continue"},
};

#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
static const struct refusal chunk_refusals[] = {
    {SLICE(CHUNKED "\r\n"), "400 chunk without a size"},
    {SLICE(CHUNKED "g\r\n"), "400 chunk without a size"},
    {SLICE(CHUNKED "+5\r\n"), "400 chunk without a size"},
    {SLICE(CHUNKED " 5\r\n"), "400 chunk without a size"},
    {SLICE(CHUNKED "0x5\r\n"), "400 garbage behind a chunk's size"},
    {SLICE(CHUNKED "5 \r\n"), "400 garbage behind a chunk's size"},
    {SLICE(CHUNKED "5 ;a\r\n"), "400 garbage behind a chunk's size"},
    {SLICE(CHUNKED "5\n"), "400 LF without CR"},
    {SLICE(CHUNKED "5;a\rb\r\n"), "400 CR without LF"},
    {SLICE(CHUNKED "5;a\0b\r\n"), "400 NUL"},
    {SLICE(CHUNKED "1000000000000000\r\n"), "413 chunk size is too large"},
    {SLICE(CHUNKED "ffffffffffffffffffff\r\n"), "413 chunk size is too large"},
    {SLICE(CHUNKED "1;" LONG LONG LONG LONG "\r\n"), "400 chunk extension is too long"},
    {SLICE(CHUNKED "0\r\nX : y\r\n"), "400 blank before a header's colon"},
    {SLICE(CHUNKED "0\r\nX: y\r\n z\r\n"), "400 folded header"},
    {SLICE(CHUNKED "0\r\nX: y\n"), "400 LF without CR"},
};

static void each_refusal_has_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char want[200];
        snprintf(want, sizeof want, "REFUSED %s;", refusals[i].why);
        assert_told(refusals[i].input, want);
    }
    for (size_t i = 0; i < sizeof chunk_refusals / sizeof chunk_refusals[0]; i++) {
        char want[200];
        snprintf(want, sizeof want, "HEAD 2 /?;REFUSED %s;", chunk_refusals[i].why);
        assert_told(chunk_refusals[i].input, want);
    }
    assert_told(SLICE(CHUNKED "3\r\nhell\r\n"),
                "HEAD 2 /?;BODY hel;REFUSED 400 chunk is longer than its size;");
    assert_told(SLICE(CHUNKED "3\r\nhel\n0\r\n\r\n"),
                "HEAD 2 /?;BODY hel;REFUSED 400 LF without CR;");
}

/* Repeats `unit` between a beginning and an end, as one text, and says what came of it. */
static void assert_repeated(const char *begin, const char *unit, size_t times, const char *end,
                            const char *want)
{
    struct buf text;
    struct told told;
    buf_init(&text, 1U << 20);
    assert_ok(buf_append(&text, begin, strlen(begin)));
    for (size_t i = 0; i < times; i++)
        assert_ok(buf_append(&text, unit, strlen(unit)));
    assert_ok(buf_append(&text, end, strlen(end)));
    const size_t cuts[] = {0, 1, buf_len(&text) / 2, SIZE_MAX};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        run_split(buf_slice(&text), cuts[i], &told);
        const char *from =
            buf_len(&told.text) > strlen(want)
                ? (const char *)buf_data(&told.text) + buf_len(&told.text) - strlen(want)
                : (const char *)buf_data(&told.text);
        assert_memory_equal(from, want, strlen(want));
        buf_deinit(&told.text);
    }
    buf_deinit(&text);
}

static void bounds_hold_to_the_byte(void **state)
{
    (void)state;
    /* "GET /" + n + " HTTP/1.1\r\n" is 16 + n */
    assert_repeated("GET /", "a", 8192 - 16, " HTTP/1.1\r\n" H "\r\n", ";END;");
    assert_repeated("GET /", "a", 8192 - 15, " HTTP/1.1\r\n" H "\r\n",
                    "REFUSED 414 request line is too long;");
    /* GET is 16, H 19, "X: " and the ends 3 + 2 + 2: 42 */
    assert_repeated(GET H "X: ", "a", 16384 - 42, "\r\n\r\n", ";END;");
    assert_repeated(GET H "X: ", "a", 16384 - 41, "\r\n\r\n", "REFUSED 431 headers are too large;");
    assert_repeated(GET H, "X: y\r\n", 99, "\r\n", ";END;");
    assert_repeated(GET H, "X: y\r\n", 100, "\r\n", "REFUSED 431 too many headers;");
    assert_repeated(CHUNKED "0\r\n", "X: y\r\n", 682, "\r\n", ";END;"); /* 4094 */
    assert_repeated(CHUNKED "0\r\n", "X: y\r\n", 683, "\r\n",
                    "REFUSED 431 trailers are too large;");
    assert_repeated(GET H "X", "a", 20000, "", "REFUSED 431 headers are too large;");
    assert_repeated(CHUNKED, "1\r\na\r\n", 5000, "0\r\n\r\n", "a;END;");
}

/* ---------------------------------------------------------------- answers */

static void gzip_is_taken_only_when_it_is_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        bool taken;
    } cases[] = {
        {"", false},
        {"Accept-Encoding:\r\n", false},
        {"Accept-Encoding: gzip\r\n", true},
        {"Accept-Encoding: deflate, GZip ;q=0.5\r\n", true},
        {"Accept-Encoding: x-gzip\r\n", true},
        {"Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true},
        {"Accept-Encoding: *\r\n", true},
        {"Accept-Encoding: gzip;q=0\r\n", false},
        {"Accept-Encoding: gzip; Q=0.000, *\r\n", false},
        {"Accept-Encoding: *;q=0, gzip;q=0.001\r\n", true},
        {"Accept-Encoding: gzip;q=x\r\n", false},
        {"Accept-Encoding: identity, gzipped\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        struct http_parser parser;
        snprintf(text, sizeof text, GET H "%s\r\n", cases[i].headers);
        parse_head(&parser, text);
        assert_int_equal(http_takes_gzip(&parser), cases[i].taken);
        http_parser_deinit(&parser);
    }
}

static void gzip_gives_up_on_what_does_not_shrink(void **state)
{
    (void)state;
    struct http_gzip gzip = {0};
    struct buf out;
    static char zeros[5000];
    buf_init(&out, sizeof zeros);
    for (int i = 0; i < 3; i++) {
        assert_false(http_gzip_compress(&gzip, SLICE("q8#Lm!0z"), &out));
        assert_int_equal(buf_len(&out), 0);
        assert_true(http_gzip_compress(&gzip, slice_of(zeros, sizeof zeros), &out));
        assert_in_range(buf_len(&out), 20, 100);
        assert_memory_equal(buf_data(&out), "\x1f\x8b", 2);
    }
    buf_deinit(&out);
    http_gzip_deinit(&gzip);
}

static void dates_are_in_the_fixed_form(void **state)
{
    (void)state;
    char date[HTTP_DATE_SIZE];
    http_format_date(784111777, date);
    assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
    http_format_date(0, date);
    assert_string_equal(date, "Thu, 01 Jan 1970 00:00:00 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_gives_the_same_events),
        cmocka_unit_test(headers_are_found_whatever_their_case),
        cmocka_unit_test(keep_alive_is_what_the_version_and_connection_say),
        cmocka_unit_test(each_refusal_has_its_name),
        cmocka_unit_test(bounds_hold_to_the_byte),
        cmocka_unit_test(gzip_is_taken_only_when_it_is_wanted),
        cmocka_unit_test(gzip_gives_up_on_what_does_not_shrink),
        cmocka_unit_test(dates_are_in_the_fixed_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
