#include "ledger/statements.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/embedded.h"

extern const struct embedded ledger_sql[];

static const char FOLDER[] = "ledger/sql/";
static const char ENDING[] = ".sql";
static const char READ_ONLY[] = "-- read-only";

static bool is_statement(const struct embedded *e)
{
    return strncmp(e->path, FOLDER, sizeof FOLDER - 1) == 0;
}

/* The table is small and made at build: looking through it costs less than keeping an index of it. */
static const struct embedded *nth(int i)
{
    for (const struct embedded *e = ledger_sql; e->path != NULL; e++)
        if (is_statement(e) && i-- == 0)
            return e;
    assert(!"a statement of that number");
    return NULL;
}

int statements_count(void)
{
    int n = 0;
    for (const struct embedded *e = ledger_sql; e->path != NULL; e++)
        n += is_statement(e);
    return n;
}

int statements_find(const char *name)
{
    const size_t len = strlen(name);
    int i = 0;
    for (const struct embedded *e = ledger_sql; e->path != NULL; e++) {
        if (!is_statement(e))
            continue;
        const char *file = e->path + sizeof FOLDER - 1;
        if (strncmp(file, name, len) == 0 && strcmp(file + len, ENDING) == 0)
            return i;
        i++;
    }
    return -1;
}

const char *statements_name(int i)
{
    return nth(i)->path + sizeof FOLDER - 1;
}

const char *statements_text(int i)
{
    return nth(i)->text;
}

bool statements_is_read_only(int i)
{
    return strncmp(nth(i)->text, READ_ONLY, sizeof READ_ONLY - 1) == 0;
}

int statements_schema_version(void)
{
    static const char schema[] = "ledger/schema/0"; /* NNNN_name.sql */
    int n = 0;
    for (const struct embedded *e = ledger_sql; e->path != NULL; e++)
        n += strncmp(e->path, schema, sizeof schema - 1) == 0;
    return n;
}
