/* Ids of instructions and inquiries, and the resume tokens of WatchInstructions: what is read is written the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "gateway/rpc/settlement_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char token[INSTRUCTION_TOKEN_SIZE(INSTRUCTION_CURSORS_MAX)];
    static struct instruction_cursor cursors[INSTRUCTION_CURSORS_MAX];
    char id[INSTRUCTION_ID_SIZE];
    struct slice text = slice_of(data, size);
    int32_t book_id;
    int64_t payout_id;
    size_t n;
    if (instruction_id_read(text, &book_id, &payout_id) &&
        !slice_equal(text, slice_of(id, instruction_id_write(book_id, payout_id, id))))
        abort();
    struct inquiry_id inquiry;
    char inquiry_text[INQUIRY_ID_SIZE];
    if (inquiry_id_read(text, &inquiry) &&
        !slice_equal(text, slice_of(inquiry_text, inquiry_id_write(&inquiry, inquiry_text))))
        abort();
    for (int16_t bank_id = 1; bank_id <= 2; bank_id++) {
        if (instruction_token_read(text, bank_id, cursors, &n) && size > 0 &&
            !slice_equal(text,
                         slice_of(token, instruction_token_write(bank_id, cursors, n, token))))
            abort();
    }
    return 0;
}
