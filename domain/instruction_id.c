#include "domain/instruction_id.h"

#include <assert.h>

size_t instruction_id_write(int32_t book_id, int64_t payout_id, char out[INSTRUCTION_ID_SIZE])
{
    assert(book_id > 0 && payout_id > 0); /* so that 2 + 10 + 1 + 19 characters are the most */
    size_t n = 0;
    out[n++] = 'U';
    out[n++] = 'J';
    n += str_format_int64(book_id, out + n);
    out[n++] = '-';
    return n + str_format_int64(payout_id, out + n);
}

bool instruction_id_read(struct slice text, int32_t *book_id, int64_t *payout_id)
{
    struct slice book, payout;
    int64_t b, p;
    if (text.len < 2 || text.len >= INSTRUCTION_ID_SIZE || text.p[0] != 'U' || text.p[1] != 'J')
        return false;
    if (!slice_cut(slice_of(text.p + 2, text.len - 2), '-', &book, &payout) ||
        err_failed(str_parse_int64(book, &b)) || err_failed(str_parse_int64(payout, &p)) ||
        b <= 0 || b > INT32_MAX || p <= 0)
        return false;
    /* Zeros in front would make two names of one instruction. */
    char again[INSTRUCTION_ID_SIZE];
    if (!slice_equal(text, slice_of(again, instruction_id_write((int32_t)b, p, again))))
        return false;
    *book_id = (int32_t)b;
    *payout_id = p;
    return true;
}
