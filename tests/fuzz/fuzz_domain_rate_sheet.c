/* Rate sheets: whatever comes in, a sheet that is taken is sane, and one that is not leaves the last one alone. */
#include "domain/rate_sheet.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sheet(const struct rate_sheet *sheet)
{
    rate_t rate = {0};
    assert(sheet->n >= 1 && sheet->n <= CCY_COUNT_MAX);
    assert(rate_sheet_pkr(sheet, CCY_USD, &rate) == REASON_NONE);
    for (size_t i = 0; i < sheet->n; i++) {
        int64_t e10 = sheet->entries[i].pkr_per_unit.e10;
        assert(e10 > 0 && e10 <= RATE_SHEET_PKR_PER_UNIT_MAX * RATE_ONE);
        assert(ccy_by_number(sheet->entries[i].ccy) != NULL);
        assert(i == 0 || sheet->entries[i - 1].ccy < sheet->entries[i].ccy);
    }
}

static void check_problem(const struct rate_sheet_problem *problem, enum rate_sheet_fault fault)
{
    assert(problem->fault == fault);
    assert(memchr(problem->currency, '\0', sizeof problem->currency) != NULL);
    for (const char *c = problem->currency; *c != '\0'; c++)
        assert(*c > ' ' && *c < 0x7F);
    assert(strlen(rate_sheet_fault_text(fault)) > 0);
}

/* "CODE VALUE" a line, as a day file would have them. */
static void run_usd_rates(struct slice text)
{
    struct usd_rate rates[256];
    struct rate_sheet sheet;
    struct rate_sheet_problem problem;
    size_t n = 0;
    struct slice line;
    while (n < 256 && slice_next_line(&text, &line)) {
        (void)slice_cut(line, ' ', &rates[n].code, &rates[n].per_usd);
        n++;
    }
    enum rate_sheet_fault fault = rate_sheet_from_usd_rates(rates, n, 0, NULL, &sheet, &problem);
    check_problem(&problem, fault);
    if (fault == RATE_SHEET_OK)
        check_sheet(&sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rate_sheet sheet;
    struct rate_sheet again;
    struct rate_sheet_problem problem;
    struct slice text = slice_of(data, size);
    enum rate_sheet_fault fault = rate_sheet_parse_sbp(text, 20651, NULL, &sheet, &problem);
    check_problem(&problem, fault);
    if (fault == RATE_SHEET_OK) {
        check_sheet(&sheet);
        /* A good sheet is no jump from itself. */
        struct rate_sheet_guard guard = {&sheet, 1};
        assert(rate_sheet_parse_sbp(text, 20651, &guard, &again, &problem) == RATE_SHEET_OK);
        assert(again.n == sheet.n);
    }
    run_usd_rates(text);
    return 0;
}
