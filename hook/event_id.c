#include "hook/event_id.h"

#include <assert.h>
#include <stdio.h>

enum { BOOK_DIGITS = 8, EVENT_DIGITS = 13 };

const char *hook_event_id_write(int32_t book_id, int64_t event_no, char out[HOOK_EVENT_ID_SIZE])
{
    assert(book_id > 0 && event_no > 0 && event_no >> (4 * EVENT_DIGITS) == 0);
    (void)snprintf(out, HOOK_EVENT_ID_SIZE, "WH-%08X-%013llX", (unsigned)book_id,
                   (unsigned long long)event_no);
    return out;
}

static bool read_hex(const char *p, unsigned digits, uint64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (!char_is_digit(p[i]) && (p[i] < 'A' || p[i] > 'F'))
            return false;
        *out = *out << 4 | (uint64_t)(char_is_digit(p[i]) ? p[i] - '0' : p[i] - 'A' + 10);
    }
    return true;
}

bool hook_event_id_read(struct slice text, int32_t *book_id, int64_t *event_no)
{
    uint64_t book, event;
    if (text.len != HOOK_EVENT_ID_SIZE - 1 || memcmp(text.p, "WH-", 3) != 0 ||
        text.p[3 + BOOK_DIGITS] != '-' || !read_hex(text.p + 3, BOOK_DIGITS, &book) ||
        !read_hex(text.p + 4 + BOOK_DIGITS, EVENT_DIGITS, &event) || book == 0 ||
        book > INT32_MAX || event == 0)
        return false;
    *book_id = (int32_t)book;
    *event_no = (int64_t)event;
    return true;
}
