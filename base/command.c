#include "base/command.h"

#include "base/err.h"
#include "base/str.h"
#include "base/version.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static const struct option_row options_help[] = {
    {"help", NULL, "this text", false},
    {NULL, NULL, NULL, false},
};
static const struct option_row options_db[] = {
    {"db", "URI", "libpq URI without a password (that would show in the list of processes)", false},
    {"db-file", "FILE", "a file of mode 0600 that holds the URI, password and all", false},
    {NULL, NULL, NULL, false},
};
static const struct option_row options_call[] = {
    {"addr", "HOST:PORT", "the gateway (UJRAT_ADDR)", false},
    {"ca", "FILE", "PEM of who signed its certificate (UJRAT_CA)", false},
    {"as", "NAME", "use the certificate and key of UJRAT_CERT_NAME and UJRAT_KEY_NAME", false},
    {"cert", "FILE", "PEM of our certificate (UJRAT_CERT)", false},
    {"key", "FILE", "PEM of its key (UJRAT_KEY)", false},
    {"timeout", "SECONDS", "how long a call may take (30)", false},
    {NULL, NULL, NULL, false},
};
static const struct option_row options_json[] = {
    {"json", NULL, "print JSON rather than a table", false},
    {NULL, NULL, NULL, false},
};
static const struct option_row options_quiet[] = {
    {"quiet", NULL, "say nothing but what went wrong", false},
    {NULL, NULL, NULL, false},
};

#define OPTION_LISTS 6

/* The command's own options first, then those it shares. */
static void lists_of(const struct command *command, const struct option_row *lists[OPTION_LISTS])
{
    lists[0] = command->options;
    lists[1] = command->with & WITH_DB ? options_db : NULL;
    lists[2] = command->with & WITH_CALL ? options_call : NULL;
    lists[3] = command->with & WITH_JSON ? options_json : NULL;
    lists[4] = command->with & WITH_QUIET ? options_quiet : NULL;
    lists[5] = options_help;
}

static const struct option_row *find_option(const struct command *command, struct slice name)
{
    const struct option_row *lists[OPTION_LISTS];

    lists_of(command, lists);
    for (size_t i = 0; i < OPTION_LISTS; i++)
        for (const struct option_row *o = lists[i]; o != NULL && o->name != NULL; o++)
            if (slice_equal_str(name, o->name))
                return o;
    return NULL;
}

void complain(const char *format, ...)
{
    va_list list;

    fflush(stdout);
    fprintf(stderr, "%s: ", program.name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

/* ---------------------------------------------------------------- what was given */

const char *args_next(const struct args *args, const char *name, size_t *at)
{
    assert(find_option(args->command, slice_str(name)) != NULL);
    for (; *at < args->n_values; (*at)++)
        if (strcmp(args->values[*at].option->name, name) == 0)
            return args->values[(*at)++].value;
    return NULL;
}

const char *args_get(const struct args *args, const char *name)
{
    const char *last = NULL;
    const char *value;
    size_t at = 0;

    while ((value = args_next(args, name, &at)) != NULL)
        last = value;
    return last;
}

bool args_has(const struct args *args, const char *name)
{
    return args_get(args, name) != NULL;
}

bool args_int(const struct args *args, const char *name, long long min, long long max,
              long long *out)
{
    const char *text = args_get(args, name);
    int64_t value = 0;

    if (text == NULL)
        return true;
    if (err_failed(str_parse_int64(slice_str(text), &value)) || value < min || value > max) {
        complain("--%s: a whole number from %lld to %lld is wanted, not '%s'", name, min, max,
                 text);
        return false;
    }
    *out = value;
    return true;
}

bool args_json(const struct args *args)
{
    return args_has(args, "json");
}

bool args_quiet(const struct args *args)
{
    return args_has(args, "quiet");
}

/* ---------------------------------------------------------------- help */

static void print_overview(FILE *out)
{
    fprintf(out, "%s: %s.\n\nUsage: %s COMMAND [OPTION...] [OPERAND...]\n\n", program.name,
            program.summary, program.name);
    for (const struct command *c = commands; c->name != NULL; c++)
        fprintf(out, "  %-20s %s\n", c->name, c->summary);
    fprintf(out, "\n%s COMMAND --help says more; %s --version says which this is.\n%s\n",
            program.name, program.name, program.exit_statuses);
}

static void print_command(const struct command *c, FILE *out)
{
    const struct option_row *lists[OPTION_LISTS];
    char left[64];

    fprintf(out, "Usage: %s %s%s%s [OPTION...]\n\n%s.\n", program.name, c->name,
            c->operands[0] ? " " : "", c->operands, c->summary);
    if (c->help != NULL)
        fprintf(out, "\n%s\n", c->help);
    fputc('\n', out);
    lists_of(c, lists);
    for (size_t i = 0; i < OPTION_LISTS; i++)
        for (const struct option_row *o = lists[i]; o != NULL && o->name != NULL; o++) {
            snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                     o->value ? o->value : "");
            if (strlen(left) > 26)
                fprintf(out, "  %s\n  %-26s %s\n", left, "", o->help);
            else
                fprintf(out, "  %-26s %s\n", left, o->help);
        }
}

/* ---------------------------------------------------------------- reading a command line */

/* The row that argv begins with, the longest if there are several; *words is how many words its name took. */
static const struct command *find_command(int argc, char **argv, int *words)
{
    const struct command *found = NULL;

    *words = 0;
    for (const struct command *c = commands; c->name != NULL; c++) {
        struct slice rest = slice_str(c->name);
        struct slice word;
        int n = 0;
        bool same = true;
        bool more = true;

        while (more && same) {
            more = slice_cut(rest, ' ', &word, &rest);
            same = n < argc && slice_equal_str(word, argv[n]);
            n++;
        }
        if (same && n > *words) {
            *words = n;
            found = c;
        }
    }
    return found;
}

/* text: the option as written; a value apart from it is the next of argv. */
static bool read_option(struct args *args, const char *text, int argc, char **argv, int *i)
{
    struct slice name;
    struct slice value;
    bool joined = slice_cut(slice_str(text + 2), '=', &name, &value);
    const struct option_row *o = find_option(args->command, name);

    if (o == NULL) {
        complain("there is no option --%.*s; try: %s %s --help", SLICE_ARG(name), program.name,
                 args->command->name);
        return false;
    }
    if (o->value == NULL && joined) {
        complain("--%s takes no value", o->name);
        return false;
    }
    if (o->value != NULL && !joined && *i + 1 >= argc) {
        complain("--%s wants %s", o->name, o->value);
        return false;
    }
    if (!o->repeats && args_has(args, o->name)) {
        complain("--%s was given twice", o->name);
        return false;
    }
    if (args->n_values == COMMAND_VALUES_MAX) {
        complain("too many options");
        return false;
    }
    args->values[args->n_values].option = o;
    args->values[args->n_values].value = o->value == NULL ? "" : joined ? value.p : argv[++*i];
    args->n_values++;
    return true;
}

static bool read_args(struct args *args, int argc, char **argv)
{
    bool only_operands = false;

    for (int i = 0; i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && strcmp(argv[i], "-h") == 0) {
            if (!read_option(args, "--help", argc, argv, &i))
                return false;
        } else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
            if (!read_option(args, argv[i], argc, argv, &i))
                return false;
        } else if (args->n_operands == COMMAND_OPERANDS_MAX) {
            complain("too many operands");
            return false;
        } else {
            args->operands[args->n_operands++] = argv[i];
        }
    }
    return true;
}

/* A first word that begins several commands: show those. */
static enum exit_code no_such_command(int argc, char **argv)
{
    bool any = false;

    for (const struct command *c = commands; c->name != NULL; c++) {
        struct slice first;
        struct slice rest;

        if (slice_cut(slice_str(c->name), ' ', &first, &rest) && slice_equal_str(first, argv[0])) {
            fprintf(stderr, "  %s %-20s %s\n", program.name, c->name, c->summary);
            any = true;
        }
    }
    if (any && (argc == 1 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return argc == 1 ? EXIT_USAGE : EXIT_DONE;
    complain("there is no command '%s%s%s'; try: %s --help", argv[0], any ? " " : "",
             any ? argv[1] : "", program.name);
    return EXIT_USAGE;
}

enum exit_code command_main(int argc, char **argv)
{
    struct args args = {0};
    int words = 0;

    argc--;
    argv++;
    if (argc == 0) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
        strcmp(argv[0], "help") == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[0], "--version") == 0) {
        printf("%s " UJRAT_VERSION "\n", program.name);
        return EXIT_DONE;
    }
    args.command = find_command(argc, argv, &words);
    if (args.command == NULL)
        return no_such_command(argc, argv);
    if (!read_args(&args, argc - words, argv + words))
        return EXIT_USAGE;
    if (args_has(&args, "help")) {
        print_command(args.command, stdout);
        return EXIT_DONE;
    }
    if (args.n_operands < args.command->operands_min ||
        args.n_operands > args.command->operands_max) {
        complain("usage: %s %s%s%s [OPTION...]", program.name, args.command->name,
                 args.command->operands[0] ? " " : "", args.command->operands);
        return EXIT_USAGE;
    }
    return args.command->run(&args);
}
