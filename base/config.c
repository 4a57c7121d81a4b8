#include "base/config.h"

#include "base/arena.h"
#include "base/buf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX  (1U << 20)
#define ARENA_BYTES     (4U << 20)
#define VALUE_SHOWN_MAX 80 /* of a wrong value in a message */
#define ROW_TEXT_SIZE   256

enum source { FROM_NOWHERE, FROM_DEFAULT, FROM_FILE, FROM_SET };

struct config {
    const struct config_row *rows;
    size_t n_rows;
    void *target;
    struct arena arena; /* strings, and the array below */
    struct row_state {
        enum source source;
        unsigned line; /* of the file, when it is from there */
    } * states;
};

/* ---- units ---- */

struct unit {
    const char *suffix;
    int64_t factor;
};

/* Largest first: what is printed takes the first that divides. */
static const struct unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                             {"s", 1000},     {"ms", 1},      {NULL, 0}};
static const struct unit size_units[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}, {NULL, 0}};

static const struct unit *units_of(enum config_type type)
{
    return type == CONFIG_TYPE_DURATION_MS ? duration_units : size_units;
}

static void format_quantity(enum config_type type, int64_t value, char out[ROW_TEXT_SIZE])
{
    const struct unit *unit = units_of(type);
    while (unit[1].suffix != NULL && (value == 0 || value % unit->factor != 0))
        unit++;
    (void)snprintf(out, ROW_TEXT_SIZE, "%" PRId64 "%s", value / unit->factor, unit->suffix);
}

static bool parse_quantity(enum config_type type, struct slice text, int64_t *out)
{
    struct slice number = text;
    while (number.len > 0 && !char_is_digit(number.p[number.len - 1]))
        number.len--;
    struct slice suffix = slice_of(number.p + number.len, text.len - number.len);
    int64_t value = 0;
    if (err_failed(str_parse_int64(number, &value)))
        return false;
    for (const struct unit *unit = units_of(type); unit->suffix != NULL; unit++)
        if (slice_equal_str(suffix, unit->suffix))
            return !__builtin_mul_overflow(value, unit->factor, out);
    return false;
}

/* ---- values ---- */

struct value {
    int64_t number;
    const char *text;
};

__attribute__((format(printf, 2, 3))) static void say(char reason[ROW_TEXT_SIZE],
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, ROW_TEXT_SIZE, format, args);
    va_end(args);
}

static void format_number(const struct config_row *row, int64_t value, char out[ROW_TEXT_SIZE])
{
    if (row->type == CONFIG_TYPE_DURATION_MS || row->type == CONFIG_TYPE_SIZE)
        format_quantity(row->type, value, out);
    else
        (void)snprintf(out, ROW_TEXT_SIZE, "%" PRId64, value);
}

static bool check_range(const struct config_row *row, int64_t value, const char *unit,
                        char reason[ROW_TEXT_SIZE])
{
    char limit[ROW_TEXT_SIZE];
    if (value < row->min) {
        format_number(row, row->min, limit);
        say(reason, "under the minimum of %.100s%s", limit, unit);
        return false;
    }
    if (value > row->max) {
        format_number(row, row->max, limit);
        say(reason, "over the maximum of %.100s%s", limit, unit);
        return false;
    }
    return true;
}

static bool parse_text(struct config *config, const struct config_row *row, struct slice text,
                       struct value *out, char reason[ROW_TEXT_SIZE])
{
    if (utf8_check(text, NULL) != UTF8_OK) {
        say(reason, "has a control character or is not UTF-8");
        return false;
    }
    if (!check_range(row, (int64_t)text.len, " bytes", reason))
        return false;
    out->text = arena_strndup(&config->arena, text.p, text.len);
    if (out->text == NULL)
        say(reason, "no memory");
    return out->text != NULL;
}

/* "error, warn, info or debug" */
static void choices_text(const char *const *choices, char out[ROW_TEXT_SIZE])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && len < ROW_TEXT_SIZE; i++) {
        const char *between = i == 0 ? "" : (choices[i + 1] == NULL ? " or " : ", ");
        len += (size_t)snprintf(out + len, ROW_TEXT_SIZE - len, "%s%s", between, choices[i]);
    }
}

static bool parse_enum(const struct config_row *row, struct slice text, struct value *out,
                       char reason[ROW_TEXT_SIZE])
{
    for (int i = 0; row->choices[i] != NULL; i++) {
        if (slice_equal_str(text, row->choices[i])) {
            out->number = i;
            return true;
        }
    }
    char choices[ROW_TEXT_SIZE];
    choices_text(row->choices, choices);
    say(reason, "must be %.200s", choices);
    return false;
}

static bool parse_value(struct config *config, const struct config_row *row, struct slice text,
                        struct value *out, char reason[ROW_TEXT_SIZE])
{
    *out = (struct value){0, NULL};
    switch (row->type) {
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_PATH:
        return parse_text(config, row, text, out, reason);
    case CONFIG_TYPE_ENUM:
        return parse_enum(row, text, out, reason);
    case CONFIG_TYPE_BOOL:
        out->number = slice_equal_str(text, "true") ? 1 : 0;
        if (out->number == 1 || slice_equal_str(text, "false"))
            return true;
        say(reason, "must be true or false");
        return false;
    case CONFIG_TYPE_INT:
        if (!err_failed(str_parse_int64(text, &out->number)))
            return check_range(row, out->number, "", reason);
        say(reason, "must be a whole number");
        return false;
    case CONFIG_TYPE_DURATION_MS:
        if (parse_quantity(row->type, text, &out->number))
            return check_range(row, out->number, "", reason);
        say(reason, "must be a whole number with a unit: ms, s, m, h or d");
        return false;
    case CONFIG_TYPE_SIZE:
        if (parse_quantity(row->type, text, &out->number))
            return check_range(row, out->number, "", reason);
        say(reason, "must be a whole number of bytes, or of KiB, MiB or GiB");
        return false;
    }
    return false;
}

static void store(const struct config *config, const struct config_row *row, struct value value)
{
    void *at = (char *)config->target + row->offset;
    bool flag = value.number != 0;
    int choice = (int)value.number;
    switch (row->type) {
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_PATH:
        memcpy(at, &value.text, sizeof value.text);
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_DURATION_MS:
    case CONFIG_TYPE_SIZE:
        memcpy(at, &value.number, sizeof value.number);
        break;
    case CONFIG_TYPE_BOOL:
        memcpy(at, &flag, sizeof flag);
        break;
    case CONFIG_TYPE_ENUM:
        memcpy(at, &choice, sizeof choice);
        break;
    }
}

/* ---- making one ---- */

err_t config_new(const struct config_row *rows, size_t n_rows, void *target, struct config **out)
{
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return err_make(ERR_NO_MEMORY, "config");
    config->rows = rows;
    config->n_rows = n_rows;
    config->target = target;
    arena_init(&config->arena, 4096, ARENA_BYTES);
    config->states = arena_array(&config->arena, n_rows, sizeof *config->states);
    if (config->states == NULL) {
        config_free(&config);
        return err_make(ERR_NO_MEMORY, "config");
    }
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t k = 0; k < i; k++)
            assert(strcmp(rows[i].name, rows[k].name) != 0);
        if (rows[i].value_default == NULL)
            continue;
        struct value value;
        char reason[ROW_TEXT_SIZE];
        bool sound =
            parse_value(config, &rows[i], slice_str(rows[i].value_default), &value, reason);
        assert(sound); /* a default its own row refuses is a bug in the table */
        (void)sound;
        store(config, &rows[i], value);
        config->states[i].source = FROM_DEFAULT;
    }
    *out = config;
    return err_none();
}

void config_free(struct config **config)
{
    if (*config == NULL)
        return;
    arena_deinit(&(*config)->arena);
    free(*config);
    *config = NULL;
}

/* ---- reading ---- */

/* Where a setting is being read from, for messages. line 0: the command line. */
struct place {
    const char *file;
    unsigned line;
};

static err_t refuse(struct config_problem *problem, struct place place, struct slice name,
                    struct slice value, const char *reason)
{
    char shown[VALUE_SHOWN_MAX + 1];
    size_t n = value.len < VALUE_SHOWN_MAX ? value.len : VALUE_SHOWN_MAX;
    for (size_t i = 0; i < n; i++)
        shown[i] = value.p[i] >= ' ' && value.p[i] < 0x7F ? value.p[i] : '?';
    shown[n] = '\0';
    char where[160];
    if (place.line > 0)
        (void)snprintf(where, sizeof where, "%.140s:%u", place.file, place.line);
    else
        (void)snprintf(where, sizeof where, "%.140s", place.file);
    bool plain = utf8_check(name, NULL) == UTF8_OK;
    int name_len = name.len < 64 ? (int)name.len : 64;
    (void)snprintf(problem->text, sizeof problem->text, "%s: %.*s%s%s%s%s", where,
                   plain ? name_len : 1, plain && name.p != NULL ? name.p : "?",
                   name.len == 0 ? "" : ": ", value.p == NULL ? "" : shown,
                   value.p == NULL ? "" : ": ", reason);
    return err_make(ERR_INVALID, "config");
}

static err_t assign(struct config *config, struct place place, enum source source,
                    struct slice name, struct slice text, struct config_problem *problem)
{
    size_t i = 0;
    while (i < config->n_rows && !slice_equal_str(name, config->rows[i].name))
        i++;
    if (i == config->n_rows)
        return refuse(problem, place, name, slice_str(NULL), "there is no such setting");
    struct row_state *state = &config->states[i];
    char reason[ROW_TEXT_SIZE];
    if (source == FROM_FILE && state->line != 0) {
        say(reason, "set twice, first on line %u", state->line);
        return refuse(problem, place, name, slice_str(NULL), reason);
    }
    struct value value;
    if (!parse_value(config, &config->rows[i], text, &value, reason))
        return refuse(problem, place, name, text.p == NULL ? SLICE("") : text, reason);
    if (source == FROM_FILE)
        state->line = place.line;
    if (source == FROM_SET || state->source != FROM_SET) {
        store(config, &config->rows[i], value);
        state->source = source;
    }
    return err_none();
}

/* `"a \"b\" # c"  # comment` to its text, in scratch. */
static const char *unquote(struct slice rest, char *scratch, struct slice *out)
{
    size_t n = 0;
    size_t i = 1;
    for (; i < rest.len && rest.p[i] != '"'; i++) {
        if (rest.p[i] == '\\') {
            i++;
            if (i == rest.len || (rest.p[i] != '"' && rest.p[i] != '\\'))
                return "after a backslash only \" or \\ may stand";
        }
        scratch[n++] = rest.p[i];
    }
    if (i == rest.len)
        return "the closing quote is missing";
    struct slice tail = slice_trim(slice_of(rest.p + i + 1, rest.len - i - 1));
    if (tail.len > 0 && tail.p[0] != '#')
        return "there is something behind the closing quote";
    *out = slice_of(scratch, n);
    return NULL;
}

/* What stands right of '='. Returns what is wrong with it, or NULL. */
static const char *value_of(struct slice rest, char *scratch, struct slice *out)
{
    rest = slice_trim(rest);
    if (rest.len > 0 && rest.p[0] == '"')
        return unquote(rest, scratch, out);
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.p[i] == '#' && (i == 0 || rest.p[i - 1] == ' ' || rest.p[i - 1] == '\t')) {
            rest.len = i;
            break;
        }
    }
    *out = slice_trim(rest);
    return NULL;
}

err_t config_read_text(struct config *config, const char *file_name, struct slice text,
                       struct config_problem *problem)
{
    struct place place = {file_name, 0};
    if (text.len > FILE_BYTES_MAX)
        return refuse(problem, place, slice_str(NULL), slice_str(NULL),
                      "too large for a config file");
    char *scratch = arena_alloc(&config->arena, text.len); /* no line is longer than the text */
    if (scratch == NULL)
        return err_make(ERR_NO_MEMORY, "config");
    for (size_t i = 0; i < config->n_rows; i++)
        config->states[i].line = 0;
    struct slice line;
    while (slice_next_line(&text, &line)) {
        place.line++;
        line = slice_trim(line);
        if (line.len == 0 || line.p[0] == '#')
            continue;
        struct slice name;
        struct slice rest;
        if (!slice_cut(line, '=', &name, &rest))
            return refuse(problem, place, slice_str(NULL), slice_str(NULL),
                          "expected `name = value`");
        name = slice_trim(name);
        struct slice value = slice_str(NULL);
        const char *wrong = value_of(rest, scratch, &value);
        if (wrong != NULL)
            return refuse(problem, place, name, slice_str(NULL), wrong);
        err_t err = assign(config, place, FROM_FILE, name, value, problem);
        if (err_failed(err))
            return err;
    }
    return err_none();
}

err_t config_read_file(struct config *config, const char *path, struct config_problem *problem)
{
    struct buf text;
    buf_init(&text, FILE_BYTES_MAX + 4096);
    err_t err = err_none();
    FILE *file = fopen(path, "re");
    if (file == NULL)
        err = err_sys("open config file");
    while (!err_failed(err) && text.len <= FILE_BYTES_MAX) {
        unsigned char *room = NULL;
        err = buf_reserve(&text, 4096, &room);
        if (err_failed(err))
            break;
        size_t n = fread(room, 1, 4096, file);
        buf_commit(&text, n);
        if (n == 0) {
            if (ferror(file))
                err = err_sys("read config file");
            break;
        }
    }
    if (err_failed(err)) {
        char shown[ERR_TEXT_SIZE];
        (void)snprintf(problem->text, sizeof problem->text, "%.200s: %s", path,
                       err_text(err, shown, sizeof shown));
    } else {
        err = config_read_text(config, path, buf_slice(&text), problem);
    }
    if (file != NULL)
        (void)fclose(file);
    buf_deinit(&text);
    return err;
}

err_t config_set(struct config *config, struct slice assignment, struct config_problem *problem)
{
    struct place place = {"--set", 0};
    struct slice name;
    struct slice value;
    if (!slice_cut(assignment, '=', &name, &value))
        return refuse(problem, place, assignment, slice_str(NULL), "expected name=value");
    return assign(config, place, FROM_SET, slice_trim(name), value, problem);
}

err_t config_finish(struct config *config, struct config_problem *problem)
{
    for (size_t i = 0; i < config->n_rows; i++)
        if (config->states[i].source == FROM_NOWHERE)
            return refuse(problem, (struct place){"config", 0}, slice_str(config->rows[i].name),
                          slice_str(NULL), "must be set");
    return err_none();
}

/* ---- printing ---- */

static const char *type_text(enum config_type type)
{
    switch (type) {
    case CONFIG_TYPE_STRING:
        return "string";
    case CONFIG_TYPE_INT:
        return "int";
    case CONFIG_TYPE_BOOL:
        return "bool";
    case CONFIG_TYPE_DURATION_MS:
        return "duration";
    case CONFIG_TYPE_SIZE:
        return "size";
    case CONFIG_TYPE_ENUM:
        return "enum";
    case CONFIG_TYPE_PATH:
        return "path";
    }
    return "?";
}

static void range_text(const struct config_row *row, char out[ROW_TEXT_SIZE])
{
    char min[ROW_TEXT_SIZE];
    char max[ROW_TEXT_SIZE];
    if (row->type == CONFIG_TYPE_ENUM) {
        choices_text(row->choices, out);
    } else if (row->type == CONFIG_TYPE_BOOL) {
        say(out, "true or false");
    } else if (row->type == CONFIG_TYPE_PATH) {
        out[0] = '\0';
    } else {
        format_number(row, row->min, min);
        format_number(row, row->max, max);
        say(out, "%.60s to %.60s%s", min, max, row->type == CONFIG_TYPE_STRING ? " bytes" : "");
    }
}

/* Quotes where a file needs them. */
static void print_value_text(const char *text, FILE *out)
{
    bool quote = text[0] == '"' || strpbrk(text, "#\\") != NULL || text[0] == ' ' ||
                 (text[0] != '\0' && text[strlen(text) - 1] == ' ');
    if (quote)
        (void)fputc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (quote && (*c == '"' || *c == '\\'))
            (void)fputc('\\', out);
        (void)fputc(*c, out);
    }
    if (quote)
        (void)fputc('"', out);
}

void config_print_effective(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < config->n_rows; i++) {
        const struct config_row *row = &config->rows[i];
        if (config->states[i].source == FROM_NOWHERE)
            continue;
        const void *at = (const char *)config->target + row->offset;
        struct value value = {0, NULL};
        int choice = 0;
        char text[ROW_TEXT_SIZE] = "";
        (void)fprintf(out, "%s = ", row->name);
        switch (row->type) {
        case CONFIG_TYPE_STRING:
        case CONFIG_TYPE_PATH:
            memcpy(&value.text, at, sizeof value.text);
            print_value_text(value.text, out);
            break;
        case CONFIG_TYPE_INT:
        case CONFIG_TYPE_DURATION_MS:
        case CONFIG_TYPE_SIZE:
            memcpy(&value.number, at, sizeof value.number);
            format_number(row, value.number, text);
            break;
        case CONFIG_TYPE_BOOL:
            say(text, "%s", *(const bool *)at ? "true" : "false");
            break;
        case CONFIG_TYPE_ENUM:
            memcpy(&choice, at, sizeof choice);
            say(text, "%s", row->choices[choice]);
            break;
        }
        (void)fprintf(out, "%s\n", text);
    }
}

/* Words of `text` in comment lines of at most 100 columns. */
static void print_wrapped(const char *text, FILE *out)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > 0 && column + 1 + len > 100) {
            (void)fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, column == 0 ? "# %.*s" : " %.*s", (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
    (void)fputc('\n', out);
}

void config_print_sample(const struct config_row *rows, size_t n_rows, FILE *out)
{
    for (size_t i = 0; i < n_rows; i++) {
        char range[ROW_TEXT_SIZE];
        range_text(&rows[i], range);
        print_wrapped(rows[i].help, out);
        (void)fprintf(out, "# %s%s%s%s.%s\n", type_text(rows[i].type), range[0] == '\0' ? "" : ": ",
                      range, rows[i].value_default == NULL ? "; must be set" : "",
                      rows[i].when == CONFIG_AT_RELOAD ? " Taken anew on reload." : "");
        bool empty = rows[i].value_default == NULL || rows[i].value_default[0] == '\0';
        (void)fprintf(out, "#%s =%s", rows[i].name, empty ? "" : " ");
        if (!empty)
            print_value_text(rows[i].value_default, out);
        (void)fprintf(out, "\n%s", i + 1 < n_rows ? "\n" : "");
    }
}

static void print_md(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            (void)fputc('\\', out);
        (void)fputc(*text, out);
    }
}

void config_print_reference(const struct config_row *rows, size_t n_rows, FILE *out)
{
    (void)fputs("| name | type | range | default | reload | meaning |\n|---|---|---|---|---|---|\n",
                out);
    for (size_t i = 0; i < n_rows; i++) {
        const struct config_row *row = &rows[i];
        char range[ROW_TEXT_SIZE];
        range_text(row, range);
        (void)fprintf(out, "| `%s` | %s | %s | ", row->name, type_text(row->type), range);
        if (row->value_default == NULL)
            (void)fputs("must be set", out);
        else if (row->value_default[0] == '\0')
            (void)fputs("empty", out);
        else
            (void)fprintf(out, "`%s`", row->value_default);
        (void)fprintf(out, " | %s | ", row->when == CONFIG_AT_RELOAD ? "yes" : "restart");
        print_md(row->help, out);
        (void)fputs(" |\n", out);
    }
}
