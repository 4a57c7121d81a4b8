#include "domain/rate_sheet.h"

#include <string.h>

#define SBP_HEADER      "currency,ready,w1,w2,m1,m2,m3,m4,m5,m6,m9,y1"
#define SBP_COLUMNS     12
#define SBP_READY       1
#define CUSTOMER_HEADER "currency,buying,selling"
#define BPS_ONE         10000

/* A sheet upside down (USD per rupee) or in paisa is none. */
#define USD_PKR_MIN 10
#define USD_PKR_MAX 100000

static enum rate_sheet_fault fail(struct rate_sheet_problem *problem, enum rate_sheet_fault fault,
                                  unsigned line, struct slice currency)
{
    *problem = (struct rate_sheet_problem){.fault = fault, .line = line};
    /* As printed, but this goes to people and logs: only what is plain. */
    for (size_t i = 0; i < currency.len && i < sizeof problem->currency - 1; i++)
        problem->currency[i] = currency.p[i] > ' ' && currency.p[i] < 0x7F ? currency.p[i] : '?';
    return fault;
}

const char *rate_sheet_fault_text(enum rate_sheet_fault fault)
{
    switch (fault) {
    case RATE_SHEET_OK:
        return "in order";
#define RATE_SHEET_CASE(name, text)                                                                \
    case RATE_SHEET_##name:                                                                        \
        return text;
        RATE_SHEET_FAULT_TABLE(RATE_SHEET_CASE)
#undef RATE_SHEET_CASE
    }
    return "in order";
}

const char *rate_sheet_fault_name(enum rate_sheet_fault fault)
{
    switch (fault) {
    case RATE_SHEET_OK:
        return "OK";
#define RATE_SHEET_CASE(name, text)                                                                \
    case RATE_SHEET_##name:                                                                        \
        return #name;
        RATE_SHEET_FAULT_TABLE(RATE_SHEET_CASE)
#undef RATE_SHEET_CASE
    }
    return "OK";
}

/* ---- looking up ---- */

/* Where ccy is in the sheet, or would be put. */
static size_t place_of(const struct rate_sheet *sheet, uint16_t ccy)
{
    size_t low = 0;
    size_t high = sheet->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sheet->entries[middle].ccy < ccy)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct rate_sheet_entry *find(const struct rate_sheet *sheet, uint16_t ccy)
{
    size_t at = place_of(sheet, ccy);
    return at < sheet->n && sheet->entries[at].ccy == ccy ? &sheet->entries[at] : NULL;
}

reason_t rate_sheet_pkr(const struct rate_sheet *sheet, uint16_t ccy, rate_t *out)
{
    if (ccy == CCY_PKR) {
        *out = (rate_t){RATE_ONE};
        return REASON_NONE;
    }
    const struct rate_sheet_entry *entry = find(sheet, ccy);
    if (entry == NULL)
        return REASON_RATE_MISSING;
    *out = entry->pkr_per_unit;
    return REASON_NONE;
}

reason_t rate_sheet_mid(const struct rate_sheet *sheet, uint16_t src, uint16_t dst, rate_t *out)
{
    rate_t src_pkr = {0};
    rate_t dst_pkr = {0};
    reason_t reason = rate_sheet_pkr(sheet, src, &src_pkr);
    if (reason == REASON_NONE)
        reason = rate_sheet_pkr(sheet, dst, &dst_pkr);
    return reason == REASON_NONE ? rate_cross(src_pkr, dst_pkr, out) : reason;
}

/* ---- putting together ---- */

/* Keeps the entries in order. The currency is not in the sheet yet, and there is room. */
static void insert(struct rate_sheet *sheet, uint16_t ccy, int64_t e10)
{
    size_t at = place_of(sheet, ccy);
    memmove(&sheet->entries[at + 1], &sheet->entries[at],
            (sheet->n - at) * sizeof sheet->entries[0]);
    sheet->entries[at] = (struct rate_sheet_entry){ccy, {e10}};
    sheet->n++;
}

static bool is_absurd(uint16_t ccy, int64_t e10)
{
    if (e10 > RATE_SHEET_PKR_PER_UNIT_MAX * RATE_ONE)
        return true;
    return ccy == CCY_USD && (e10 < USD_PKR_MIN * RATE_ONE || e10 > USD_PKR_MAX * RATE_ONE);
}

static bool is_jump(rate_t now, rate_t before, int32_t jump_bps_max)
{
    int128_t distance = now.e10 > before.e10 ? now.e10 - before.e10 : before.e10 - now.e10;
    return distance * BPS_ONE > (int128_t)before.e10 * jump_bps_max;
}

/* What can only be said of the whole sheet. */
static enum rate_sheet_fault check_whole(const struct rate_sheet *sheet,
                                         const struct rate_sheet_guard *guard,
                                         struct rate_sheet_problem *problem)
{
    if (find(sheet, CCY_USD) == NULL)
        return fail(problem, RATE_SHEET_NO_USD, 0, SLICE("USD"));
    const struct rate_sheet *previous = guard == NULL ? NULL : guard->previous;
    size_t kept = 0;
    for (size_t i = 0; previous != NULL && i < previous->n; i++) {
        const struct rate_sheet_entry *before = &previous->entries[i];
        const struct rate_sheet_entry *now = find(sheet, before->ccy);
        kept += now != NULL ? 1 : 0;
        if (now != NULL && guard->jump_bps_max > 0 &&
            is_jump(now->pkr_per_unit, before->pkr_per_unit, guard->jump_bps_max))
            return fail(problem, RATE_SHEET_JUMP, 0, slice_str(ccy_alpha(before->ccy)));
    }
    if (previous != NULL && kept < previous->n - previous->n / 2)
        return fail(problem, RATE_SHEET_SHRUNK, 0, slice_str(NULL));
    return fail(problem, RATE_SHEET_OK, 0, slice_str(NULL));
}

/* ---- the sheet of the State Bank ---- */

struct sbp_reader {
    struct rate_sheet sheet;
    size_t n_seen;
    char seen[RATE_SHEET_ENTRIES_MAX][3]; /* codes of all lines, ISO 4217 or not */
};

static bool starts_as_html(struct slice text)
{
    while (text.len > 0 &&
           (text.p[0] == ' ' || text.p[0] == '\t' || text.p[0] == '\r' || text.p[0] == '\n')) {
        text.p++;
        text.len--;
    }
    return text.len > 0 && text.p[0] == '<';
}

static bool is_plain_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.p[i] < ' ' && text.p[i] != '\n' && text.p[i] != '\r') || text.p[i] >= 0x7F)
            return false;
    return true;
}

static enum rate_sheet_fault check_form(struct slice csv)
{
    bool blank = true;
    for (size_t i = 0; i < csv.len && blank; i++)
        blank = csv.p[i] == ' ' || csv.p[i] == '\n' || csv.p[i] == '\r';
    if (blank)
        return RATE_SHEET_EMPTY;
    if (starts_as_html(csv))
        return RATE_SHEET_HTML;
    if (csv.len > RATE_SHEET_BYTES_MAX)
        return RATE_SHEET_TOO_LARGE;
    return is_plain_text(csv) ? RATE_SHEET_OK : RATE_SHEET_NOT_TEXT;
}

static enum rate_sheet_fault check_header(struct slice header)
{
    if (slice_equal(header, SLICE(SBP_HEADER)))
        return RATE_SHEET_OK;
    return slice_equal(header, SLICE(CUSTOMER_HEADER)) ? RATE_SHEET_CUSTOMER_SHEET
                                                       : RATE_SHEET_HEADER;
}

static enum rate_sheet_fault check_code(struct sbp_reader *reader, struct slice code)
{
    if (code.len != 3 || !char_is_upper(code.p[0]) || !char_is_upper(code.p[1]) ||
        !char_is_upper(code.p[2]))
        return RATE_SHEET_CURRENCY;
    if (slice_equal(code, SLICE("PKR")))
        return RATE_SHEET_PKR_IN_SHEET;
    for (size_t i = 0; i < reader->n_seen; i++)
        if (memcmp(reader->seen[i], code.p, 3) == 0)
            return RATE_SHEET_DUPLICATE;
    if (reader->n_seen == RATE_SHEET_ENTRIES_MAX)
        return RATE_SHEET_TOO_MANY;
    memcpy(reader->seen[reader->n_seen++], code.p, 3);
    return RATE_SHEET_OK;
}

static enum rate_sheet_fault read_number(struct slice text, int64_t *e10)
{
    reason_t reason = decimal_parse_round(text, RATE_DIGITS, ROUND_HALF_EVEN, e10);
    if (reason == REASON_AMOUNT_OVERFLOW)
        return text.p[0] == '-' ? RATE_SHEET_NEGATIVE : RATE_SHEET_ABSURD;
    if (reason != REASON_NONE)
        return RATE_SHEET_NUMBER;
    return text.p[0] == '-' ? RATE_SHEET_NEGATIVE : RATE_SHEET_OK;
}

/* One line to its code and its `ready`; every other tenor must be a number too. */
static enum rate_sheet_fault read_columns(struct slice line, struct slice *code, int64_t *ready)
{
    size_t columns = 0;
    bool more = true;
    enum rate_sheet_fault fault = RATE_SHEET_OK;
    *code = slice_of(NULL, 0);
    for (; more; columns++) {
        struct slice cell;
        int64_t e10 = 0;
        more = slice_cut(line, ',', &cell, &line);
        if (columns == 0)
            *code = cell;
        else if (fault == RATE_SHEET_OK)
            fault = read_number(cell, &e10);
        if (columns == SBP_READY)
            *ready = e10;
    }
    return columns == SBP_COLUMNS ? fault : RATE_SHEET_COLUMNS;
}

static enum rate_sheet_fault read_line(struct sbp_reader *reader, struct slice line,
                                       struct slice *code)
{
    int64_t ready = 0;
    enum rate_sheet_fault fault = read_columns(line, code, &ready);
    if (fault == RATE_SHEET_OK)
        fault = check_code(reader, *code);
    if (fault != RATE_SHEET_OK)
        return fault;
    const struct ccy *ccy = ccy_by_alpha(*code);
    if (ccy == NULL) {
        reader->sheet.n_ignored++;
    } else if (ready == 0) {
        reader->sheet.n_unavailable++;
    } else if (is_absurd(ccy->number, ready)) {
        return RATE_SHEET_ABSURD;
    } else {
        insert(&reader->sheet, ccy->number, ready);
    }
    return RATE_SHEET_OK;
}

enum rate_sheet_fault rate_sheet_parse_sbp(struct slice csv, int32_t date,
                                           const struct rate_sheet_guard *guard,
                                           struct rate_sheet *out,
                                           struct rate_sheet_problem *problem)
{
    struct sbp_reader reader = {.sheet = {.date = date}};
    enum rate_sheet_fault fault = check_form(csv);
    if (fault != RATE_SHEET_OK)
        return fail(problem, fault, 0, slice_of(NULL, 0));
    /* Without an end of the last line nobody knows what its last number was going to be. */
    bool whole = csv.p[csv.len - 1] == '\n';
    struct slice rest = csv;
    struct slice line = {NULL, 0};
    (void)slice_next_line(&rest, &line);
    fault = check_header(line);
    if (fault != RATE_SHEET_OK)
        return fail(problem, fault, 1, slice_of(NULL, 0));
    for (unsigned number = 2; slice_next_line(&rest, &line); number++) {
        struct slice code;
        if (rest.len == 0 && !whole)
            return fail(problem, RATE_SHEET_TRUNCATED, number, slice_of(NULL, 0));
        fault = read_line(&reader, line, &code);
        if (fault != RATE_SHEET_OK)
            return fail(problem, fault, number, code);
    }
    if (reader.n_seen == 0)
        return fail(problem, RATE_SHEET_TRUNCATED, 1, slice_of(NULL, 0));
    fault = check_whole(&reader.sheet, guard, problem);
    if (fault == RATE_SHEET_OK)
        *out = reader.sheet;
    return fault;
}

/* ---- units per USD ---- */

/* The currency of a code in any case; NULL if it is none of ISO 4217 (crypto coins, metals, old money). */
static const struct ccy *ccy_of_any_case(struct slice code)
{
    char upper[3];
    if (code.len != sizeof upper)
        return NULL;
    for (size_t i = 0; i < sizeof upper; i++)
        upper[i] = char_is_lower(code.p[i]) ? (char)(code.p[i] - 'a' + 'A') : code.p[i];
    return ccy_by_alpha(slice_of(upper, sizeof upper));
}

/* PKR per USD, and that a USD entry, if there, says 1. */
static enum rate_sheet_fault find_base(const struct usd_rate *rates, size_t n, int64_t *pkr_e10,
                                       struct rate_sheet_problem *problem)
{
    *pkr_e10 = 0;
    for (size_t i = 0; i < n; i++) {
        const struct ccy *ccy = ccy_of_any_case(rates[i].code);
        if (ccy == NULL || (ccy->number != CCY_PKR && ccy->number != CCY_USD))
            continue;
        int64_t e10 = 0;
        enum rate_sheet_fault fault = read_number(rates[i].per_usd, &e10);
        if (fault == RATE_SHEET_OK && ccy->number == CCY_USD && e10 != RATE_ONE)
            fault = RATE_SHEET_ABSURD;
        if (fault == RATE_SHEET_OK && ccy->number == CCY_PKR && *pkr_e10 != 0)
            fault = RATE_SHEET_DUPLICATE;
        if (fault == RATE_SHEET_OK && ccy->number == CCY_PKR && e10 != 0 && is_absurd(CCY_USD, e10))
            fault = RATE_SHEET_ABSURD;
        if (fault != RATE_SHEET_OK)
            return fail(problem, fault, (unsigned)(i + 1), rates[i].code);
        if (ccy->number == CCY_PKR)
            *pkr_e10 = e10;
    }
    return fail(problem, *pkr_e10 > 0 ? RATE_SHEET_OK : RATE_SHEET_NO_PKR, 0, SLICE(""));
}

static enum rate_sheet_fault cross_one(const struct usd_rate *rate, const struct ccy *ccy,
                                       int64_t pkr_e10, struct rate_sheet *sheet)
{
    int64_t e10 = 0;
    rate_t pkr_per_unit = {0};
    enum rate_sheet_fault fault = read_number(rate->per_usd, &e10);
    if (fault != RATE_SHEET_OK)
        return fault;
    if (find(sheet, ccy->number) != NULL)
        return RATE_SHEET_DUPLICATE;
    if (e10 == 0) {
        sheet->n_unavailable++;
        return RATE_SHEET_OK;
    }
    if (rate_cross((rate_t){pkr_e10}, (rate_t){e10}, &pkr_per_unit) != REASON_NONE ||
        is_absurd(ccy->number, pkr_per_unit.e10))
        return RATE_SHEET_ABSURD;
    insert(sheet, ccy->number, pkr_per_unit.e10);
    return RATE_SHEET_OK;
}

enum rate_sheet_fault rate_sheet_from_usd_rates(const struct usd_rate *rates, size_t n,
                                                int32_t date, const struct rate_sheet_guard *guard,
                                                struct rate_sheet *out,
                                                struct rate_sheet_problem *problem)
{
    struct rate_sheet sheet = {.date = date};
    int64_t pkr_e10 = 0;
    if (n == 0)
        return fail(problem, RATE_SHEET_EMPTY, 0, slice_of(NULL, 0));
    enum rate_sheet_fault fault = find_base(rates, n, &pkr_e10, problem);
    if (fault != RATE_SHEET_OK)
        return fault;
    for (size_t i = 0; i < n; i++) {
        const struct ccy *ccy = ccy_of_any_case(rates[i].code);
        if (ccy == NULL)
            sheet.n_ignored++;
        else if (ccy->number != CCY_PKR)
            fault = cross_one(&rates[i], ccy, pkr_e10, &sheet);
        if (fault != RATE_SHEET_OK)
            return fail(problem, fault, (unsigned)(i + 1), rates[i].code);
    }
    if (find(&sheet, CCY_USD) == NULL)
        insert(&sheet, CCY_USD, pkr_e10);
    fault = check_whole(&sheet, guard, problem);
    if (fault == RATE_SHEET_OK)
        *out = sheet;
    return fault;
}
