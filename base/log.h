/*
 * log.h: one event, one line, in logfmt:
 *
 *   ts=2026-07-17T09:00:00.123456Z level=info pid=812 event=payout.accepted conn=7 payout=po_1a2b reference="a b"
 *
 * There is no global log: a process makes one and hands it on. Lines are written by one write(2) each, so
 * workers may share a file. Values are quoted when they need it, and control characters, quotes and what is
 * not UTF-8 are escaped: input can never forge a line. Lines are cut at LOG_LINE_BYTES_MAX (then cut=true).
 *
 * Secrets are never logged. IBAN, CNIC and mobile numbers go in by log_iban(), log_cnic(), log_mobile() only,
 * which mask them.
 *
 *   log_info(log, "payout.accepted", log_conn(conn->id), log_payout(id), log_iban("iban", iban));
 */
#ifndef UJRAT_BASE_LOG_H
#define UJRAT_BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_BYTES_MAX 4096

enum log_level { LOG_LEVEL_ERROR = 0, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* "error", "warn", "info", "debug", NULL: as a config enum wants them. */
extern const char *const log_level_names[];

enum log_field_type {
    LOG_FIELD_STRING,
    LOG_FIELD_INT,
    LOG_FIELD_UINT,
    LOG_FIELD_BOOL,
    LOG_FIELD_ERR,
    LOG_FIELD_IBAN,
    LOG_FIELD_MASK_TAIL,
};

/* Made by the functions below; lives only as long as the call that logs it. */
struct log_field {
    const char *key; /* letters, digits, '_' and '.' */
    enum log_field_type type;
    union {
        struct slice string;
        int64_t i;
        uint64_t u;
        bool b;
        err_t err;
    } value;
};

struct log;

/* path NULL: standard error. The file is made (0640) and appended to. */
MUST_CHECK err_t log_new(const char *path, enum log_level level, struct log **out);
void log_free(struct log **log);

void log_set_level(struct log *log, enum log_level level);
enum log_level log_get_level(const struct log *log);

/* Opens the file anew under its path (after rotation). On error the old one stays in use. */
MUST_CHECK err_t log_reopen(struct log *log);

/* After fork(): lines carry the new process id, and role ("worker") if not NULL (must outlive the log). */
void log_after_fork(struct log *log, const char *role);

/* Lines that could not be written (disk full ...): logging never fails its caller. */
uint64_t log_lines_lost(const struct log *log);

/* NULL is an empty value everywhere below; a NULL log takes nothing and is allowed (unit tests). */
static inline bool log_enabled(const struct log *log, enum log_level level)
{
    return log != NULL && level <= log_get_level(log);
}

/* fields end with one whose key is NULL. Use the macros: they skip the fields' work when the level is off. */
void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields);

/* The same line without its newline into out (NUL-terminated), with the given time and process id. */
size_t log_format(char *out, size_t out_size, int64_t now_us, int pid, const char *role,
                  enum log_level level, const char *event, const struct log_field *fields);

#ifdef CPPCHECK /* which cannot read __VA_OPT__ */
#define LOG_WRITE(log, level, event, ...) log_write((log), (level), (event), NULL)
#else
#define LOG_WRITE(log, level, event, ...)                                                          \
    do {                                                                                           \
        if (log_enabled((log), (level)))                                                           \
            log_write((log), (level), (event),                                                     \
                      (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}});        \
    } while (0)
#endif

#define log_error(log, event, ...) LOG_WRITE(log, LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(log, event, ...)  LOG_WRITE(log, LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(log, event, ...)  LOG_WRITE(log, LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(log, event, ...) LOG_WRITE(log, LOG_LEVEL_DEBUG, event, __VA_ARGS__)

static inline struct log_field log_slice(const char *key, struct slice value)
{
    return (struct log_field){key, LOG_FIELD_STRING, {.string = value}};
}

static inline struct log_field log_str(const char *key, const char *value)
{
    return log_slice(key, slice_str(value));
}

static inline struct log_field log_int(const char *key, int64_t value)
{
    return (struct log_field){key, LOG_FIELD_INT, {.i = value}};
}

static inline struct log_field log_uint(const char *key, uint64_t value)
{
    return (struct log_field){key, LOG_FIELD_UINT, {.u = value}};
}

static inline struct log_field log_bool(const char *key, bool value)
{
    return (struct log_field){key, LOG_FIELD_BOOL, {.b = value}};
}

/* err="open config file: No such file or directory" */
static inline struct log_field log_err(err_t err)
{
    return (struct log_field){"err", LOG_FIELD_ERR, {.err = err}};
}

static inline struct log_field log_conn(uint64_t conn_id)
{
    return log_uint("conn", conn_id);
}

static inline struct log_field log_payout(struct slice payout_id)
{
    return log_slice("payout", payout_id);
}

/* First four and last four characters stay; shorter than 16: nothing stays. */
static inline struct log_field log_iban(const char *key, struct slice iban)
{
    return (struct log_field){key, LOG_FIELD_IBAN, {.string = iban}};
}

/* Last two characters stay; shorter than 8: nothing stays. */
static inline struct log_field log_cnic(const char *key, struct slice cnic)
{
    return (struct log_field){key, LOG_FIELD_MASK_TAIL, {.string = cnic}};
}

static inline struct log_field log_mobile(const char *key, struct slice mobile)
{
    return (struct log_field){key, LOG_FIELD_MASK_TAIL, {.string = mobile}};
}

/* The same masks for other places that show such numbers (tables of the CLI, statements). Room for len + 1
 * bytes at out; returns out. */
const char *mask_iban(struct slice iban, char *out, size_t out_size);
const char *mask_tail(struct slice number, char *out, size_t out_size);

#endif
