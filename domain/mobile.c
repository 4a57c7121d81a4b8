#include "domain/mobile.h"

#include <string.h>

#define NATIONAL_LEN 11 /* 03001234567 */
#define E164_LEN     13 /* +923001234567 */
#define TAIL_LEN     10 /* 3001234567 */

reason_t mobile_normalise(struct slice text, char out[MOBILE_SIZE])
{
    if (text.len == 0)
        return REASON_FIELD_REQUIRED;
    bool national = text.len == NATIONAL_LEN && slice_starts_with(text, SLICE("03"));
    bool e164 = text.len == E164_LEN && slice_starts_with(text, SLICE("+923"));
    if (!national && !e164)
        return REASON_MOBILE_SHAPE;
    const char *tail = text.p + text.len - TAIL_LEN;
    for (size_t i = 0; i < TAIL_LEN; i++)
        if (!char_is_digit(tail[i]))
            return REASON_MOBILE_SHAPE;
    memcpy(out, "+92", 3);
    memcpy(out + 3, tail, TAIL_LEN);
    out[E164_LEN] = '\0';
    return REASON_NONE;
}
