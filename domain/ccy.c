#include "domain/ccy.h"

#include "domain/ccy_table.h"

#include <string.h>

/* Places in the table, so that the index below is made by the compiler. */
enum place {
#define CCY_PLACE(number, alpha, digits, name) PLACE_##alpha,
    CCY_TABLE(CCY_PLACE)
#undef CCY_PLACE
        PLACE_COUNT
};

_Static_assert(PLACE_COUNT <= CCY_COUNT_MAX, "more currencies than the headers say");

static const struct ccy table[PLACE_COUNT] = {
#define CCY_ROW(number, alpha, digits, name) {number, #alpha, digits, name},
    CCY_TABLE(CCY_ROW)
#undef CCY_ROW
};

/* By numeric code: place + 1, 0 for none. */
static const uint8_t place_of[1000] = {
#define CCY_INDEX(number, alpha, digits, name) [number] = PLACE_##alpha + 1,
    CCY_TABLE(CCY_INDEX)
#undef CCY_INDEX
};

const struct ccy *ccy_by_number(uint16_t number)
{
    if (number >= sizeof place_of / sizeof place_of[0] || place_of[number] == 0)
        return NULL;
    return &table[place_of[number] - 1];
}

const struct ccy *ccy_by_alpha(struct slice alpha)
{
    if (alpha.len != 3)
        return NULL;
    size_t low = 0;
    size_t high = PLACE_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = memcmp(alpha.p, table[middle].alpha, 3);
        if (order == 0)
            return &table[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct ccy *ccy_at(unsigned i)
{
    return i < PLACE_COUNT ? &table[i] : NULL;
}

const char *ccy_alpha(uint16_t number)
{
    const struct ccy *ccy = ccy_by_number(number);
    return ccy == NULL ? "???" : ccy->alpha;
}
