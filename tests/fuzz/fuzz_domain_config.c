/* The config parser: what is taken is in range and, printed, reads back the same. */
#include "base/config.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
    const char *text;
    const char *path;
    int64_t number;
    int64_t ms;
    int64_t bytes;
    bool flag;
    int level;
};

static const struct config_row rows[] = {
    CONFIG_STRING(struct settings, text, "text", 0, 40, "", CONFIG_AT_START, "Text."),
    CONFIG_PATH(struct settings, path, "path", "/", CONFIG_AT_START, "Path."),
    CONFIG_INT(struct settings, number, "n", -5, 64, "2", CONFIG_AT_START, "Number."),
    CONFIG_DURATION(struct settings, ms, "ms", 0, INT64_MAX, "5m", CONFIG_AT_START, "Duration."),
    CONFIG_SIZE(struct settings, bytes, "b", 0, INT64_MAX, "4MiB", CONFIG_AT_START, "Size."),
    CONFIG_BOOL(struct settings, flag, "f", "true", CONFIG_AT_START, "Flag."),
    CONFIG_ENUM(struct settings, level, "l", log_level_names, "info", CONFIG_AT_START, "Level."),
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static void check_reads_back(const struct config *config, const struct settings *s)
{
    char *text = NULL;
    size_t len = 0;
    struct settings t = {0};
    struct config *again = NULL;
    struct config_problem problem;
    FILE *out = open_memstream(&text, &len);
    assert(out != NULL);
    config_print_effective(config, out);
    (void)fclose(out);
    assert(!err_failed(config_new(rows, N_ROWS, &t, &again)));
    assert(!err_failed(config_read_text(again, "printed", slice_of(text, len), &problem)));
    assert(strcmp(s->text, t.text) == 0 && strcmp(s->path, t.path) == 0 && s->number == t.number &&
           s->ms == t.ms && s->bytes == t.bytes && s->flag == t.flag && s->level == t.level);
    config_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings s = {0};
    struct config *config = NULL;
    struct config_problem problem;
    struct slice text = slice_of(data, size);
    if (err_failed(config_new(rows, N_ROWS, &s, &config)))
        return 0;
    if (err_failed(config_set(config, text, &problem)))
        assert(utf8_check(slice_str(problem.text), NULL) != UTF8_CONTROL);
    if (err_failed(config_read_text(config, "fuzz", text, &problem)))
        assert(strlen(problem.text) > 0 &&
               utf8_check(slice_str(problem.text), NULL) != UTF8_CONTROL);
    assert(s.number >= -5 && s.number <= 64 && s.ms >= 0 && s.bytes >= 0 && s.level >= 0 &&
           s.level <= 3);
    check_reads_back(config, &s);
    config_free(&config);
    return 0;
}
