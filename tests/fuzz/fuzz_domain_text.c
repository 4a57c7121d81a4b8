/* UTF-8, masks and log lines: what is checked as good is good by a second, simpler reading. */
#include "base/log.h"
#include "base/str.h"
#include "domain/text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Counts by lead bytes alone, which is right only for valid text. */
static size_t count_leads(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.p[i] & 0xC0U) != 0x80U;
    return n;
}

static void run_log(struct slice s)
{
    char line[1024];
    const struct log_field fields[] = {log_slice("v", s),
                                       log_iban("iban", s),
                                       log_cnic("cnic", s),
                                       log_int("last", 1),
                                       {.key = NULL}};
    size_t n = log_format(line, sizeof line, 0, 1, NULL, LOG_LEVEL_INFO, "fuzz", fields);
    assert(n < sizeof line && strlen(line) == n);
    assert(utf8_check(slice_of(line, n), NULL) != UTF8_CONTROL && memchr(line, '\n', n) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice s = slice_of(data, size);
    size_t chars = 0;
    enum utf8_fault fault = utf8_check(s, &chars);
    if (fault != UTF8_BROKEN)
        assert(chars == count_leads(s));
    if (fault == UTF8_OK)
        for (size_t i = 0; i < s.len; i++)
            assert((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7F);
    reason_t reason = text_check(s, 1000);
    assert((reason == REASON_NONE) <= (fault == UTF8_OK && chars <= 1000));
    if (text_check_name(s) == REASON_NONE)
        assert(chars >= 1 && chars <= TEXT_NAME_CHARS_MAX);
    (void)utf8_width(s);
    struct slice rest = s;
    while (rest.len > 0)
        (void)utf8_next(&rest);
    run_log(s);
    return 0;
}
