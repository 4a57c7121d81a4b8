#include "gateway/rpc/settlement_id.h"

#include <assert.h>
#include <string.h>

#include "base/hex.h"

/* ---------------------------------------------------------------- inquiries */

static const char inquiry_letters[] = {0, 'S', 'R'}; /* by kind */

size_t inquiry_id_write(const struct inquiry_id *id, char out[INQUIRY_ID_SIZE])
{
    assert((id->kind == 1 || id->kind == 2) && id->number > 0);
    size_t n = instruction_id_write(id->book_id, id->payout_id, out);
    out[n++] = '-';
    out[n++] = inquiry_letters[id->kind];
    return n + str_format_int64(id->number, out + n);
}

bool inquiry_id_read(struct slice text, struct inquiry_id *id)
{
    size_t dash = text.len;
    int64_t number;
    if (text.len >= INQUIRY_ID_SIZE)
        return false;
    while (dash > 0 && text.p[dash - 1] != '-')
        dash--;
    if (dash == 0 || dash == text.len)
        return false;
    char letter = text.p[dash];
    struct inquiry_id read = {.kind = letter == 'S' ? 1 : letter == 'R' ? 2 : 0};
    if (read.kind == 0 ||
        err_failed(str_parse_int64(slice_of(text.p + dash + 1, text.len - dash - 1), &number)) ||
        number <= 0 || number > INT16_MAX ||
        !instruction_id_read(slice_of(text.p, dash - 1), &read.book_id, &read.payout_id))
        return false;
    read.number = (int16_t)number;
    /* Zeros in front would make two names of one inquiry. */
    char again[INQUIRY_ID_SIZE];
    if (!slice_equal(text, slice_of(again, inquiry_id_write(&read, again))))
        return false;
    *id = read;
    return true;
}

/* ---------------------------------------------------------------- resume tokens */

/*
 * version, 'i', bank (2 bytes), then for each book its number less the one before's and the payout, as
 * varints of 7 bits, low ones first; a sum of 4 bytes at the end.
 */
enum {
    TOKEN_VERSION = 1,
    TOKEN_HEAD_BYTES = 4,
    TOKEN_SUM_BYTES = 4,
    TOKEN_BYTES_MAX = TOKEN_HEAD_BYTES + 14 * INSTRUCTION_CURSORS_MAX + TOKEN_SUM_BYTES,
};

/* FNV-1a: against slips of those who store tokens, not against malice: a token grants nothing. */
static uint32_t sum_of(const uint8_t *p, size_t len)
{
    uint32_t sum = 2166136261U;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ p[i]) * 16777619U;
    return sum;
}

static uint8_t *put_varint(uint8_t *p, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *p++ = (uint8_t)(value | 0x80);
    *p++ = (uint8_t)value;
    return p;
}

/* The shortest form only. NULL: it is not one, or does not fit 63 bits. */
static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (p == end)
            return NULL;
        v |= (uint64_t)(*p & 0x7f) << shift;
        if ((*p++ & 0x80) == 0) {
            *value = v;
            return p[-1] == 0 && shift > 0 ? NULL : p;
        }
    }
    return NULL;
}

size_t instruction_token_write(int16_t bank_id, const struct instruction_cursor *cursors, size_t n,
                               char *out)
{
    assert(n <= INSTRUCTION_CURSORS_MAX);
    uint8_t bytes[TOKEN_BYTES_MAX] = {TOKEN_VERSION, 'i', (uint8_t)((uint16_t)bank_id >> 8),
                                      (uint8_t)bank_id};
    uint8_t *p = bytes + TOKEN_HEAD_BYTES;
    int32_t before = 0;
    for (size_t i = 0; i < n; i++) {
        if (cursors[i].order_no == 0)
            continue;
        assert(cursors[i].book_id > before);
        p = put_varint(p, (uint64_t)(cursors[i].book_id - before));
        p = put_varint(p, (uint64_t)cursors[i].order_no);
        before = cursors[i].book_id;
    }
    uint32_t sum = sum_of(bytes, (size_t)(p - bytes));
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (uint8_t)(sum >> shift);
    return base64url_encode(bytes, (size_t)(p - bytes), out);
}

bool instruction_token_read(struct slice text, int16_t bank_id, struct instruction_cursor *cursors,
                            size_t *n)
{
    uint8_t bytes[TOKEN_BYTES_MAX];
    size_t len;
    *n = 0;
    if (text.len == 0)
        return true;
    if (err_failed(base64url_decode(text, bytes, sizeof(bytes), &len)) ||
        len < TOKEN_HEAD_BYTES + TOKEN_SUM_BYTES || bytes[0] != TOKEN_VERSION || bytes[1] != 'i' ||
        (bytes[2] << 8 | bytes[3]) != (uint16_t)bank_id)
        return false;
    const uint8_t *p = bytes + TOKEN_HEAD_BYTES;
    const uint8_t *end = bytes + len - TOKEN_SUM_BYTES;
    uint32_t sum = (uint32_t)end[0] << 24 | (uint32_t)end[1] << 16 | (uint32_t)end[2] << 8 | end[3];
    if (sum_of(bytes, len - TOKEN_SUM_BYTES) != sum)
        return false;
    int64_t book = 0;
    while (p != end) {
        uint64_t step, payout;
        p = get_varint(p, end, &step);
        p = p == NULL ? NULL : get_varint(p, end, &payout);
        if (p == NULL || step == 0 || payout == 0 || step > (uint64_t)(INT32_MAX - book) ||
            *n == INSTRUCTION_CURSORS_MAX)
            return false;
        book += (int64_t)step;
        cursors[(*n)++] = (struct instruction_cursor){(int32_t)book, (int64_t)payout};
    }
    return true;
}
