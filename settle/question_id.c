#include "settle/question_id.h"

#include <stdio.h>

void question_id_write(const char *bank, int64_t question_no, char out[QUESTION_ID_SIZE])
{
    (void)snprintf(out, QUESTION_ID_SIZE, "UJQ-%.11s-%lld", bank, (long long)question_no);
}

bool question_id_read(struct slice id, const char *bank, int64_t *question_no)
{
    char written[QUESTION_ID_SIZE];
    struct slice ours, rest, code, number;
    if (!slice_cut(id, '-', &ours, &rest) || !slice_equal(ours, SLICE("UJQ")) ||
        !slice_cut(rest, '-', &code, &number) || !slice_equal_str(code, bank) ||
        err_failed(str_parse_int64(number, question_no)) || *question_no <= 0)
        return false;
    /* One way to write it: no "+1", no "01". */
    question_id_write(bank, *question_no, written);
    return slice_equal_str(id, written);
}
