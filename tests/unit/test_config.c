#include "base/config.h"

#include "base/log.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

struct settings {
    const char *listen;
    const char *cert;
    int64_t workers;
    int64_t idle_ms;
    int64_t message_bytes;
    bool reflect;
    int log_level;
};

static const struct config_row rows[] = {
    CONFIG_STRING(struct settings, listen, "listen", 1, 40, "127.0.0.1:8443", CONFIG_AT_START,
                  "Where to listen."),
    CONFIG_PATH(struct settings, cert, "tls.certificate", NULL, CONFIG_AT_RELOAD,
                "Our certificate."),
    CONFIG_INT(struct settings, workers, "workers", 1, 64, "2", CONFIG_AT_START,
               "Worker processes | forks."),
    CONFIG_DURATION(struct settings, idle_ms, "idle_timeout", 1000, 86400000, "5m", CONFIG_AT_START,
                    "Idle."),
    CONFIG_SIZE(struct settings, message_bytes, "message_max", 1024, 1 << 30, "4MiB",
                CONFIG_AT_START, "Size."),
    CONFIG_BOOL(struct settings, reflect, "reflection", "true", CONFIG_AT_START,
                "Server reflection."),
    CONFIG_ENUM(struct settings, log_level, "log.level", log_level_names, "info", CONFIG_AT_RELOAD,
                "Level."),
};
#define N_ROWS (sizeof rows / sizeof rows[0])

struct fixture {
    struct settings settings;
    struct config *config;
    struct config_problem problem;
};

static int setup(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    *state = &fixture;
    return err_failed(config_new(rows, N_ROWS, &fixture.settings, &fixture.config)) ? -1 : 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    config_free(&f->config);
    return f->config == NULL ? 0 : -1;
}

static void defaults_are_in_force_at_once(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(f->settings.listen, "127.0.0.1:8443");
    assert_int_equal(f->settings.workers, 2);
    assert_int_equal(f->settings.idle_ms, 300000);
    assert_int_equal(f->settings.message_bytes, 4 << 20);
    assert_true(f->settings.reflect);
    assert_int_equal(f->settings.log_level, LOG_LEVEL_INFO);
}

static void a_setting_without_default_must_be_set(void **state)
{
    struct fixture *f = *state;
    assert_code(config_finish(f->config, &f->problem), ERR_INVALID);
    assert_string_equal(f->problem.text, "config: tls.certificate: must be set");
    assert_ok(config_set(f->config, SLICE("tls.certificate=/etc/x.pem"), &f->problem));
    assert_ok(config_finish(f->config, &f->problem));
}

static void a_file_with_comments_and_quotes_is_read(void **state)
{
    struct fixture *f = *state;
    assert_ok(config_read_text(f->config, "a.conf",
                               SLICE("# comment\r\n"
                                     "\n"
                                     "  workers=8   # eight\n"
                                     "listen = \"a # \\\"b\\\" \\\\\" # quoted\n"
                                     "tls.certificate = /etc/a#b.pem\n"
                                     "idle_timeout = 1500ms\n"
                                     "message_max = 64KiB\n"
                                     "reflection = false\n"
                                     "log.level = debug"),
                               &f->problem));
    assert_int_equal(f->settings.workers, 8);
    assert_string_equal(f->settings.listen, "a # \"b\" \\");
    assert_string_equal(f->settings.cert, "/etc/a#b.pem");
    assert_int_equal(f->settings.idle_ms, 1500);
    assert_int_equal(f->settings.message_bytes, 65536);
    assert_false(f->settings.reflect);
    assert_int_equal(f->settings.log_level, LOG_LEVEL_DEBUG);
}

static void problems_name_file_line_setting_and_reason(void **state)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"\nworkers = 99\n", "a.conf:2: workers: 99: over the maximum of 64"},
        {"workers = 0", "a.conf:1: workers: 0: under the minimum of 1"},
        {"workers = two", "a.conf:1: workers: two: must be a whole number"},
        {"workers =", "a.conf:1: workers: : must be a whole number"},
        {"worker = 2", "a.conf:1: worker: there is no such setting"},
        {"workers", "a.conf:1: expected `name = value`"},
        {"workers = 2\n\nworkers = 3", "a.conf:3: workers: set twice, first on line 1"},
        {"idle_timeout = 30",
         "a.conf:1: idle_timeout: 30: must be a whole number with a unit: ms, s, m, h or d"},
        {"idle_timeout = 2d", "a.conf:1: idle_timeout: 2d: over the maximum of 1d"},
        {"idle_timeout = 999999999999999999d",
         "a.conf:1: idle_timeout: 999999999999999999d: must be a whole number with a unit: ms, s, m, h or d"},
        {"message_max = 1MB",
         "a.conf:1: message_max: 1MB: must be a whole number of bytes, or of KiB, MiB or GiB"},
        {"message_max = 1", "a.conf:1: message_max: 1: under the minimum of 1KiB"},
        {"reflection = yes", "a.conf:1: reflection: yes: must be true or false"},
        {"log.level = loud", "a.conf:1: log.level: loud: must be error, warn, info or debug"},
        {"listen = ", "a.conf:1: listen: : under the minimum of 1 bytes"},
        {"listen = \"abc", "a.conf:1: listen: the closing quote is missing"},
        {"listen = \"abc\" x", "a.conf:1: listen: there is something behind the closing quote"},
        {"listen = \"a\\n\"", "a.conf:1: listen: after a backslash only \" or \\ may stand"},
        {"listen = a\tb", "a.conf:1: listen: a?b: has a control character or is not UTF-8"},
        {"\xff = 1", "a.conf:1: ?: there is no such setting"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
        struct fixture *f = *state;
        assert_code(config_read_text(f->config, "a.conf", slice_str(cases[i].text), &f->problem),
                    ERR_INVALID);
        assert_string_equal(f->problem.text, cases[i].problem);
    }
}

static void the_command_line_goes_over_the_file(void **state)
{
    struct fixture *f = *state;
    assert_ok(config_set(f->config, SLICE("workers=3"), &f->problem));
    assert_ok(config_read_text(f->config, "a.conf", SLICE("workers = 5\n"), &f->problem));
    assert_int_equal(f->settings.workers, 3);
    assert_ok(config_set(f->config, SLICE("workers=4"), &f->problem));
    assert_int_equal(f->settings.workers, 4);
    assert_code(config_set(f->config, SLICE("workers=x"), &f->problem), ERR_INVALID);
    assert_string_equal(f->problem.text, "--set: workers: x: must be a whole number");
    assert_code(config_set(f->config, SLICE("workers"), &f->problem), ERR_INVALID);
    assert_string_equal(f->problem.text, "--set: workers: expected name=value");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    assert_code(config_read_file(f->config, "/nonexistent.conf", &f->problem), ERR_SYS);
    assert_string_equal(f->problem.text,
                        "/nonexistent.conf: open config file: No such file or directory");
    assert_int_not_equal(config_read_file(f->config, "/", &f->problem).code, ERR_OK);
    assert_int_not_equal(config_read_file(f->config, "/dev/zero", &f->problem).code, ERR_OK);
    assert_string_equal(f->problem.text, "/dev/zero: too large for a config file");
}

typedef void print_fn(const struct fixture *f, FILE *out);

static char *text_of(print_fn *print, const struct fixture *f)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    print(f, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void print_effective(const struct fixture *f, FILE *out)
{
    config_print_effective(f->config, out);
}

static void print_sample(const struct fixture *f, FILE *out)
{
    (void)f;
    config_print_sample(rows, N_ROWS, out);
}

static void print_reference(const struct fixture *f, FILE *out)
{
    (void)f;
    config_print_reference(rows, N_ROWS, out);
}

static void what_is_in_force_reads_back_the_same(void **state)
{
    struct fixture *f = *state;
    assert_ok(config_set(f->config, SLICE("listen= \"a\\#  "), &f->problem));
    assert_ok(config_set(f->config, SLICE("tls.certificate="), &f->problem));
    assert_ok(config_set(f->config, SLICE("idle_timeout=90s"), &f->problem));
    char *text = text_of(print_effective, f);
    assert_non_null(strstr(text, "idle_timeout = 90s\n"));
    struct settings again = {0};
    struct config *config = NULL;
    assert_ok(config_new(rows, N_ROWS, &again, &config));
    assert_ok(config_read_text(config, "printed", slice_str(text), &f->problem));
    assert_string_equal(again.listen, f->settings.listen);
    assert_string_equal(again.cert, "");
    assert_int_equal(again.idle_ms, 90000);
    config_free(&config);
    free(text);
}

static void the_sample_reads_as_all_defaults(void **state)
{
    struct fixture *f = *state;
    char *text = text_of(print_sample, f);
    assert_ok(config_read_text(f->config, "sample", slice_str(text), &f->problem));
    assert_non_null(
        strstr(text, "# Where to listen.\n# string: 1 to 40 bytes.\n#listen = 127.0.0.1:8443\n"));
    assert_non_null(strstr(text, "# duration: 1s to 1d.\n#idle_timeout = 5m\n"));
    assert_non_null(
        strstr(text, "# path; must be set. Taken anew on reload.\n#tls.certificate =\n"));
    /* With the comment signs taken off every default is accepted as written. */
    for (char *c = text; *c != '\0'; c++)
        if (c[0] == '#' && c[1] != ' ')
            *c = ' ';
    assert_ok(config_read_text(f->config, "sample", slice_str(text), &f->problem));
    free(text);
}

static void the_reference_is_a_markdown_table(void **state)
{
    struct fixture *f = *state;
    char *text = text_of(print_reference, f);
    assert_non_null(strstr(
        text, "| `workers` | int | 1 to 64 | `2` | restart | Worker processes \\| forks. |\n"));
    assert_non_null(strstr(
        text, "| `log.level` | enum | error, warn, info or debug | `info` | yes | Level. |\n"));
    assert_non_null(
        strstr(text, "| `tls.certificate` | path |  | must be set | yes | Our certificate. |\n"));
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_in_force_at_once),
        TEST(a_setting_without_default_must_be_set),
        TEST(a_file_with_comments_and_quotes_is_read),
        TEST(problems_name_file_line_setting_and_reason),
        TEST(the_command_line_goes_over_the_file),
        TEST(a_file_that_is_not_there_is_named),
        TEST(what_is_in_force_reads_back_the_same),
        TEST(the_sample_reads_as_all_defaults),
        TEST(the_reference_is_a_markdown_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
