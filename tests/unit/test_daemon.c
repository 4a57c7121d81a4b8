#include "base/daemon.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A program of no use, whose settings are these. */
struct plain_config {
    const char *db, *password, *log_file;
    int log_level;
    int64_t pace_ms, workers;
};

struct plain {
    struct plain_config config;
    struct config *owner;
};

static const struct config_row rows[] = {
    CONFIG_STRING(struct plain_config, db, "db", 0, 100, "", CONFIG_AT_START, "The ledger."),
    CONFIG_STRING(struct plain_config, password, "password", 0, 100, "", CONFIG_AT_START, "It."),
    CONFIG_PATH(struct plain_config, log_file, "log_file", "", CONFIG_AT_START, "The log."),
    CONFIG_ENUM(struct plain_config, log_level, "log_level", log_level_names, "info",
                CONFIG_AT_RELOAD, "How much."),
    CONFIG_DURATION(struct plain_config, pace_ms, "pace", 1, 100000, "1s", CONFIG_AT_RELOAD,
                    "How fast."),
    CONFIG_INT(struct plain_config, workers, "workers", 1, 64, "2", CONFIG_AT_START, "How many."),
};
static const size_t n_rows = sizeof rows / sizeof *rows;
static const char *const secret[] = {"db", "password", NULL};
static void print_nothing(FILE *out)
{
    (void)out;
}
static const struct daemon_flag flags[] = {
    {"--check", DAEMON_CHECK, NULL}, {"--print-it", DAEMON_PRINT, print_nothing}, {0}};

static const struct daemon plain = {
    .name = "plain",
    .rows = rows,
    .n_rows = &n_rows,
    .secret = secret,
    .flags = flags,
    .settings_size = sizeof(struct plain),
};

static bool parse(struct daemon_args *args, size_t n, const char *const *words)
{
    char *argv[2 * DAEMON_SETS_MAX + 3];
    assert_true(n <= sizeof argv / sizeof *argv);
    memcpy(argv, words, n * sizeof *argv);
    return daemon_parse(&plain, (int)n, argv, args);
}

#define PARSE(args, ...)                                                                           \
    parse(args, sizeof((const char *const[]){"plain", __VA_ARGS__}) / sizeof(char *),              \
          (const char *const[]){"plain", __VA_ARGS__})

static void make_file(char path[64], const char *text, mode_t mode)
{
    (void)snprintf(path, 64, "%s", "/tmp/ujrat-daemon-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* ---------------------------------------------------------------- the command line */

static void files_and_sets_are_kept_in_order(void **state)
{
    struct daemon_args args;
    (void)state;
    assert_true(PARSE(&args, "--set", "a=1", "--config", "one", "--set", "b=2", "--config", "two"));
    assert_ptr_equal(args.daemon, &plain);
    assert_string_equal(args.file, "two");
    assert_int_equal(args.n_sets, 2);
    assert_string_equal(args.sets[0], "a=1");
    assert_string_equal(args.sets[1], "b=2");
    assert_int_equal(args.mode, DAEMON_RUN);
}

static void the_last_flag_counts(void **state)
{
    struct daemon_args args;
    (void)state;
    assert_true(PARSE(&args, "--print-it"));
    assert_int_equal(args.mode, DAEMON_PRINT);
    assert_ptr_equal(args.print, print_nothing);
    assert_true(PARSE(&args, "--print-it", "--help"));
    assert_int_equal(args.mode, DAEMON_PRINT_HELP);
    assert_true(PARSE(&args, "--version", "--check"));
    assert_int_equal(args.mode, DAEMON_CHECK);
}

static void a_value_may_look_like_a_flag(void **state)
{
    struct daemon_args args;
    (void)state;
    assert_true(PARSE(&args, "--config", "--help"));
    assert_string_equal(args.file, "--help");
    assert_int_equal(args.mode, DAEMON_RUN);
}

static void what_is_not_understood_is_refused_wherever_it_stands(void **state)
{
    struct daemon_args args;
    (void)state;
    assert_false(PARSE(&args, "--help", "--nonsense"));
    assert_false(PARSE(&args, "operand"));
    assert_false(PARSE(&args, "--once")); /* another program's */
    assert_false(PARSE(&args, "--set"));
    assert_false(PARSE(&args, "--check", "--config"));
}

static void sets_are_bounded(void **state)
{
    struct daemon_args args;
    const char *words[2 * DAEMON_SETS_MAX + 3] = {"plain"};
    (void)state;
    for (int i = 0; i <= DAEMON_SETS_MAX; i++) {
        words[1 + 2 * i] = "--set";
        words[2 + 2 * i] = "workers=3";
    }
    assert_true(parse(&args, 1 + 2 * DAEMON_SETS_MAX, words));
    assert_int_equal(args.n_sets, DAEMON_SETS_MAX);
    assert_false(parse(&args, 3 + 2 * DAEMON_SETS_MAX, words));
}

/* ---------------------------------------------------------------- settings */

static void a_set_goes_over_the_file(void **state)
{
    struct daemon_args args;
    struct plain s = {0};
    struct config_problem problem;
    char path[64];
    (void)state;
    make_file(path, "workers = 3\npace = 5s\n", 0644);
    assert_true(PARSE(&args, "--set", "workers=4", "--config", path));
    assert_ok(daemon_config(&args, &s, &s.owner, &problem));
    assert_int_equal(s.config.workers, 4);
    assert_int_equal(s.config.pace_ms, 5000);
    config_free(&s.owner);
    unlink(path);
}

static void a_secret_is_not_taken_from_the_command_line(void **state)
{
    static const char *const tries[] = {"db=postgres://x", " db = x", "password=x", "db"};
    struct daemon_args args;
    (void)state;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct plain s = {0};
        struct config_problem problem;
        args = (struct daemon_args){.daemon = &plain, .sets = {tries[i]}, .n_sets = 1};
        assert_code(daemon_config(&args, &s, &s.owner, &problem), ERR_INVALID);
        assert_null(s.owner);
        assert_non_null(strstr(problem.text, ": not from the command line"));
        assert_null(strstr(problem.text, "postgres"));
    }
}

static void a_reload_takes_what_may_change_and_nothing_else(void **state)
{
    struct daemon_args args;
    struct plain s = {0};
    struct config_problem problem;
    struct log *log;
    char path[64], log_path[64];
    (void)state;
    make_file(path, "workers = 3\n", 0644);
    make_file(log_path, "", 0644);
    assert_true(PARSE(&args, "--config", path));
    assert_ok(daemon_config(&args, &s, &s.owner, &problem));
    assert_ok(log_new(log_path, LOG_LEVEL_INFO, &log));
    write_file(path, "workers = 5\npace = 7s\nlog_level = error\n");
    daemon_reload(&args, &s, log);
    assert_int_equal(s.config.workers, 3);
    assert_int_equal(s.config.pace_ms, 7000);
    assert_int_equal(log_get_level(log), LOG_LEVEL_ERROR);

    write_file(path, "pace = 9s\nlog_level = loud\n"); /* not usable: all stays as it was */
    daemon_reload(&args, &s, log);
    assert_int_equal(s.config.pace_ms, 7000);
    assert_int_equal(log_get_level(log), LOG_LEVEL_ERROR);
    log_free(&log);
    config_free(&s.owner);
    unlink(path);
    unlink(log_path);
}

/* ---------------------------------------------------------------- where the ledger is */

static void the_ledger_is_where_one_place_says(void **state)
{
    char uri[DAEMON_URI_SIZE], path[64];
    struct config_problem problem;
    (void)state;
    make_file(path, "in the file\r\nand more\n", 0600);
    assert_int_equal(setenv("UJRAT_TEST_URI", "in the environment", 1), 0);
    assert_ok(daemon_find_uri("a setting", "", "UJRAT_TEST_URI", uri, &problem));
    assert_string_equal(uri, "a setting");
    assert_ok(daemon_find_uri("", path, "UJRAT_TEST_URI", uri, &problem));
    assert_string_equal(uri, "in the file");
    assert_ok(daemon_find_uri("", "", "UJRAT_TEST_URI", uri, &problem));
    assert_string_equal(uri, "in the environment");
    assert_code(daemon_find_uri("a setting", path, "UJRAT_TEST_URI", uri, &problem), ERR_INVALID);
    unlink(path);
}

static void a_ledger_that_is_nowhere_or_for_all_to_read_is_refused(void **state)
{
    char uri[DAEMON_URI_SIZE], path[64];
    struct config_problem problem;
    (void)state;
    assert_int_equal(unsetenv("UJRAT_TEST_URI"), 0);
    assert_code(daemon_find_uri("", "", "UJRAT_TEST_URI", uri, &problem), ERR_INVALID);
    assert_non_null(strstr(problem.text, "UJRAT_TEST_URI"));
    make_file(path, "secret words", 0644);
    assert_code(daemon_find_uri("", path, "UJRAT_TEST_URI", uri, &problem), ERR_INVALID);
    assert_null(strstr(problem.text, "secret"));
    unlink(path);
    make_file(path, "\nsecret words", 0600); /* an empty first line */
    assert_code(daemon_find_uri("", path, "UJRAT_TEST_URI", uri, &problem), ERR_INVALID);
    assert_null(strstr(problem.text, "secret"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_sets_are_kept_in_order),
        cmocka_unit_test(the_last_flag_counts),
        cmocka_unit_test(a_value_may_look_like_a_flag),
        cmocka_unit_test(what_is_not_understood_is_refused_wherever_it_stands),
        cmocka_unit_test(sets_are_bounded),
        cmocka_unit_test(a_set_goes_over_the_file),
        cmocka_unit_test(a_secret_is_not_taken_from_the_command_line),
        cmocka_unit_test(a_reload_takes_what_may_change_and_nothing_else),
        cmocka_unit_test(the_ledger_is_where_one_place_says),
        cmocka_unit_test(a_ledger_that_is_nowhere_or_for_all_to_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
