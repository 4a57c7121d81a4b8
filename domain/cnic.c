#include "domain/cnic.h"

#include <string.h>

#define DIGITS      13
#define SHOWN_LEN   15
#define FIRST_DASH  5
#define SECOND_DASH 13

reason_t cnic_normalise(struct slice text, char out[CNIC_SIZE])
{
    if (text.len == 0)
        return REASON_FIELD_REQUIRED;
    size_t n_digits = 0;
    size_t n_dashes = 0;
    char digits[CNIC_SIZE];
    for (size_t i = 0; i < text.len; i++) {
        if (char_is_digit(text.p[i])) {
            if (n_digits < DIGITS)
                digits[n_digits] = text.p[i];
            n_digits++;
        } else if (text.p[i] == '-') {
            n_dashes++;
        } else {
            return REASON_CNIC_SHAPE;
        }
    }
    if (n_digits != DIGITS)
        return REASON_CNIC_LENGTH;
    bool shown = text.len == SHOWN_LEN && text.p[FIRST_DASH] == '-' && text.p[SECOND_DASH] == '-';
    if (n_dashes != 0 && !shown)
        return REASON_CNIC_SHAPE;
    memcpy(out, digits, DIGITS);
    out[DIGITS] = '\0';
    return REASON_NONE;
}
