#include "base/log.h"

#include "base/clock.h"
#include "base/timefmt.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const log_level_names[] = {"error", "warn", "info", "debug", NULL};

struct log {
    int fd;
    int pid;
    enum log_level level;
    uint64_t lines_lost;
    const char *role;
    char *path; /* NULL: standard error */
};

/* ---- masks ---- */

#define IBAN_KEEP      4
#define IBAN_LEN_MIN   16
#define NUMBER_KEEP    2
#define NUMBER_LEN_MIN 8

static const char *mask(struct slice s, size_t head, size_t tail, char *out, size_t out_size)
{
    assert(out_size > 0);
    size_t n = s.len < out_size ? s.len : out_size - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = i < head || i >= s.len - tail ? s.p[i] : '*';
    out[n] = '\0';
    return out;
}

const char *mask_iban(struct slice iban, char *out, size_t out_size)
{
    size_t keep = iban.len < IBAN_LEN_MIN ? 0 : IBAN_KEEP;
    return mask(iban, keep, keep, out, out_size);
}

const char *mask_tail(struct slice number, char *out, size_t out_size)
{
    return mask(number, 0, number.len < NUMBER_LEN_MIN ? 0 : NUMBER_KEEP, out, out_size);
}

/* ---- one line ---- */

/* `limit` leaves room for what ends a line that is cut. */
#define CUT_MARK "\" cut=true"

struct line {
    char *p;
    size_t len;
    size_t limit;
    bool cut;
};

/* All of it or nothing, so that no escape is split. */
static void put(struct line *line, const char *p, size_t len)
{
    if (line->cut || len > line->limit - line->len) {
        line->cut = true;
        return;
    }
    memcpy(line->p + line->len, p, len);
    line->len += len;
}

static void put_str(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static bool needs_quotes(struct slice s)
{
    if (s.len == 0)
        return true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\' || c == '=')
            return true; /* c is signed: bytes from 0x80 are below ' ' */
    }
    return false;
}

/* One character of the input, which may be several bytes or a broken one. */
static void put_escaped(struct line *line, struct slice one)
{
    static const char hex[] = "0123456789abcdef";
    char c = one.p[0];
    if (one.len == 1 && (c == '"' || c == '\\')) {
        put(line, (const char[]){'\\', c}, 2);
    } else if (one.len == 1 && (c == '\n' || c == '\r' || c == '\t')) {
        put(line, (const char[]){'\\', c == '\n' ? 'n' : (c == '\r' ? 'r' : 't')}, 2);
    } else if (utf8_check(one, NULL) == UTF8_OK) {
        put(line, one.p, one.len);
    } else {
        for (size_t i = 0; i < one.len; i++) {
            unsigned char byte = (unsigned char)one.p[i];
            put(line, (const char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
        }
    }
}

static void put_value(struct line *line, struct slice s)
{
    if (!needs_quotes(s)) {
        /* Put what fits: the first part of an over-long value says more than nothing. */
        size_t room = line->limit - line->len;
        bool fits = s.len <= room;
        put(line, s.p, fits ? s.len : room);
        line->cut = line->cut || !fits;
        return;
    }
    put(line, "\"", 1);
    bool opened = !line->cut;
    while (s.len > 0 && !line->cut) {
        struct slice one = s;
        (void)utf8_next(&s);
        one.len -= s.len;
        put_escaped(line, one);
    }
    put(line, "\"", 1);
    if (opened && line->cut)
        line->p[line->len++] = '"'; /* room kept by the limit */
}

static void put_field(struct line *line, const struct log_field *field)
{
    char text[ERR_TEXT_SIZE];
    size_t before = line->len;
    put(line, " ", 1);
    put_str(line, field->key);
    put(line, "=", 1);
    if (line->cut) { /* not half a key */
        line->len = before;
        return;
    }
    switch (field->type) {
    case LOG_FIELD_STRING:
        put_value(line, field->value.string);
        break;
    case LOG_FIELD_INT:
        (void)str_format_int64(field->value.i, text);
        put_str(line, text);
        break;
    case LOG_FIELD_UINT:
        (void)str_format_uint64(field->value.u, text);
        put_str(line, text);
        break;
    case LOG_FIELD_BOOL:
        put_str(line, field->value.b ? "true" : "false");
        break;
    case LOG_FIELD_ERR:
        put_value(line, slice_str(err_text(field->value.err, text, sizeof text)));
        break;
    case LOG_FIELD_IBAN:
        put_value(line, slice_str(mask_iban(field->value.string, text, sizeof text)));
        break;
    case LOG_FIELD_MASK_TAIL:
        put_value(line, slice_str(mask_tail(field->value.string, text, sizeof text)));
        break;
    }
    if (line->cut && line->p[line->len - 1] == '=') /* a key whose value did not fit at all */
        line->len = before;
}

size_t log_format(char *out, size_t out_size, int64_t now_us, int pid, const char *role,
                  enum log_level level, const char *event, const struct log_field *fields)
{
    assert(out_size > 128);
    struct line line = {.p = out, .limit = out_size - sizeof CUT_MARK};
    char text[TIMEFMT_SIZE];
    put_str(&line, "ts=");
    put_str(&line, timefmt_rfc3339(now_us, text));
    put_str(&line, " level=");
    put_str(&line, log_level_names[level]);
    put_str(&line, " pid=");
    (void)str_format_int64(pid, text);
    put_str(&line, text);
    if (role != NULL) {
        put_str(&line, " role=");
        put_value(&line, slice_str(role));
    }
    put_str(&line, " event=");
    put_value(&line, slice_str(event));
    for (; fields->key != NULL && !line.cut; fields++)
        put_field(&line, fields);
    if (line.cut) {
        memcpy(out + line.len, &CUT_MARK[1], sizeof CUT_MARK - 2);
        line.len += sizeof CUT_MARK - 2;
    }
    out[line.len] = '\0';
    return line.len;
}

/* ---- the log ---- */

static err_t open_file(const char *path, int *fd)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    return *fd < 0 ? err_sys("open log file") : err_none();
}

err_t log_new(const char *path, enum log_level level, struct log **out)
{
    struct log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return err_make(ERR_NO_MEMORY, "log");
    err_t err = err_none();
    log->fd = STDERR_FILENO;
    log->level = level;
    log->pid = (int)getpid();
    if (path != NULL) {
        log->path = strdup(path);
        err = log->path == NULL ? err_make(ERR_NO_MEMORY, "log") : open_file(path, &log->fd);
    }
    if (err_failed(err)) {
        free(log->path);
        free(log);
        return err;
    }
    *out = log;
    return err_none();
}

void log_free(struct log **log)
{
    if (*log == NULL)
        return;
    if ((*log)->path != NULL)
        (void)close((*log)->fd);
    free((*log)->path);
    free(*log);
    *log = NULL;
}

void log_set_level(struct log *log, enum log_level level)
{
    log->level = level;
}

enum log_level log_get_level(const struct log *log)
{
    return log->level;
}

err_t log_reopen(struct log *log)
{
    if (log->path == NULL)
        return err_none();
    int fd = -1;
    err_t err = open_file(log->path, &fd);
    if (err_failed(err))
        return err;
    (void)close(log->fd);
    log->fd = fd;
    return err_none();
}

void log_after_fork(struct log *log, const char *role)
{
    log->pid = (int)getpid();
    log->role = role;
    log->lines_lost = 0;
}

uint64_t log_lines_lost(const struct log *log)
{
    return log->lines_lost;
}

void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields)
{
    if (!log_enabled(log, level))
        return;
    int errno_kept = errno; /* a log line must not change what its caller is about to look at */
    char text[LOG_LINE_BYTES_MAX + 1];
    size_t len = log_format(text, sizeof text - 1, clock_realtime_us(), log->pid, log->role, level,
                            event, fields);
    text[len++] = '\n';
    ssize_t written = 0;
    do
        written = write(log->fd, text, len);
    while (written < 0 && errno == EINTR);
    if (written != (ssize_t)len)
        log->lines_lost++;
    errno = errno_kept;
}
