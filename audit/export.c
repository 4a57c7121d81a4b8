/* ujrat-audit export: the books as files for other programs. */
#include "audit/export.h"

#include "audit/commands.h"
#include "audit/output.h"

#include <stdlib.h>
#include <string.h>

const char export_help[] =
    "Formats: csv (a line a posting), jsonl (a line a journal, with all that is known of it), hledger\n"
    "and beancount (what those programs read, with declared accounts and currencies, and the closing\n"
    "balances as assertions they check). See EXPORTED FILES in ujrat-audit(1). With --from, hledger\n"
    "and beancount begin with the opening balances. A file appears whole or not at all.";

const struct option_row export_options[] = {
    {"format", "FORMAT", "csv, jsonl, hledger or beancount", false},
    {"out", "FILE", "where to (default: -, standard output)", false},
    {"book", "BOOK", "this book only; may be repeated (default: all)", true},
    {"from", "TIME", "what was committed at this moment or later (default: all)", false},
    {"until", "TIME", "what was committed before this moment (default: all)", false},
    {NULL, NULL, NULL, false},
};

static const struct export_format formats[] = {
    {"csv", export_csv},
    {"jsonl", export_jsonl},
    {"hledger", export_hledger},
    {"beancount", export_beancount},
};

static const struct export_format *find_format(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    complain(name == NULL ? "which format? Say --format csv, jsonl, hledger or beancount%s"
                          : "--format: csv, jsonl, hledger or beancount is wanted, not '%s'",
             name == NULL ? "" : name);
    return NULL;
}

enum exit_code export_run(const struct args *args)
{
    const struct export_format *format = find_format(args_get(args, "format"));
    struct export_request request = {0};
    struct db db;
    struct output out;
    struct book *books = NULL;
    enum exit_code code;

    if (format == NULL || !period_read(args, &request.period))
        return EXIT_USAGE;
    code = db_open(args, &db);
    if (code != EXIT_DONE)
        return code;
    code = EXIT_REFUSED;
    books = books_read(&db, args, &request.n_books);
    if (books != NULL && output_open(args_get(args, "out"), &out)) {
        request.db = &db;
        request.books = books;
        request.out = out.file;
        if (!format->write(&request))
            output_abandon(&out);
        else if (output_commit(&out))
            code = EXIT_DONE;
    }
    free(books);
    db_close(&db);
    return code;
}
