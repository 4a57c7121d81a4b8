/* ujrat-audit export: the books in the formats that others read. One function a format, in files of their own. */
#include "audit/export.h"

#include "audit/commands.h"

#include <string.h>

static const struct {
    const char *name;
    enum exit_code (*run)(const struct args *args);
    bool period; /* --from and --until mean something */
} formats[] = {
    {"csv", export_csv_run, true},         {"jsonl", export_jsonl_run, true},
    {"hledger", export_hledger_run, true}, {"beancount", export_beancount_run, true},
    {"log", export_log_run, false},
};
#define FORMATS (sizeof formats / sizeof formats[0])

const char export_help[] =
    "Formats: log (the signed log, all that is needed to check it: docs/log-format.md), csv (a line a\n"
    "posting), jsonl (a line a journal, with all that is known of it), hledger and beancount (what those\n"
    "programs read, with declared accounts and currencies, and the closing balances as assertions they\n"
    "check). See EXPORTED FILES in ujrat-audit(1). With --from, hledger and beancount begin with the\n"
    "opening balances. A file appears whole or not at all.";

const struct option_row export_options[] = {
    {"format", "NAME", "csv, jsonl, hledger, beancount or log", false},
    {"book", "BOOK", "only this book; may be said again", true},
    {"from", "TIME", "what was committed at this moment or later (default: all)", false},
    {"until", "TIME", "what was committed before this moment (default: all)", false},
    {"out", "FILE", "where to: written beside it and put there when it is whole (default: -)",
     false},
    {NULL, NULL, NULL, false},
};

enum exit_code export_run(const struct args *args)
{
    const char *format = args_get(args, "format");

    for (size_t i = 0; format != NULL && i < FORMATS; i++)
        if (strcmp(format, formats[i].name) == 0) {
            if (formats[i].period || (!args_has(args, "from") && !args_has(args, "until")))
                return formats[i].run(args);
            complain("--format %s is of all there is: it takes no --from and --until", format);
            return EXIT_USAGE;
        }
    if (format == NULL)
        complain("which --format?");
    else
        complain("--format: there is no '%s'", format);
    return EXIT_USAGE;
}
