/* Files of payouts and banks come from anyone: every value stays inside its record, and reading comes to an end. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): the commands are a program, not a library */
#include "cli/csv.c"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv csv;
    const char *why = NULL;
    enum csv_result result;
    unsigned last_line = 0;

    csv_init(&csv, slice_of(data, size));
    while ((result = csv_next(&csv, &why)) != CSV_END) {
        assert(csv.line > last_line);
        last_line = csv.line;
        if (result == CSV_BROKEN) {
            assert(why != NULL);
            continue;
        }
        assert(csv.n >= 1 && csv.n <= CSV_COLUMNS_MAX);
        for (size_t i = 0; i < csv.n; i++) {
            const char *value = csv.values[i];

            assert(value >= csv.store && value + strlen(value) < csv.store + sizeof csv.store);
        }
        assert(csv_column(&csv, "no such column") < 0 || csv.n > 0);
    }
    return 0;
}
