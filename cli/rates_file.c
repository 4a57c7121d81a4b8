#include "cli/rates_file.h"

#include "base/clock.h"
#include "base/timefmt.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1024 * 1024)
#define USD_RATES_MAX  4096
#define KARACHI_US     (5 * 3600 * US_PER_SEC)

int64_t rates_end_of_day_us(int32_t date)
{
    return ((int64_t)date + 1) * US_PER_DAY - KARACHI_US;
}

/* Digits at *p, at most max of them; moves on. -1 if there are none. */
static int take_number(const char **p, int max)
{
    int value = 0;
    int n = 0;

    while (n < max && char_is_digit(**p)) {
        value = value * 10 + (**p - '0');
        (*p)++;
        n++;
    }
    return n == 0 || char_is_digit(**p) ? -1 : value;
}

/* "sbp_m2m_2026-07-17.csv", "usd-2026.6.30.json": the first date in a name, or RATES_DATE_NONE. */
static int32_t date_in_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        const char *p = at;
        char text[TIMEFMT_DATE_SIZE + 24];
        int32_t days;
        int year;
        int month;
        int day;
        char between;

        if (!char_is_digit(*at) || (at > name && char_is_digit(at[-1])))
            continue;
        year = take_number(&p, 4);
        between = *p;
        if (year < 1000 || (between != '-' && between != '.' && between != '_'))
            continue;
        p++;
        month = take_number(&p, 2);
        if (month < 0 || *p != between)
            continue;
        p++;
        day = take_number(&p, 2);
        snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
        if (day > 0 && !err_failed(timefmt_parse_date(slice_str(text), &days)))
            return days;
    }
    return RATES_DATE_NONE;
}

static bool read_whole(const char *path, char **text, size_t *len, char why[RATES_WHY_SIZE])
{
    FILE *f = fopen(path, "rbe");
    char *store = NULL;

    if (f == NULL) {
        snprintf(why, RATES_WHY_SIZE, "%s", strerror(errno));
        return false;
    }
    store = malloc(FILE_BYTES_MAX + 1);
    *len = store == NULL ? 0 : fread(store, 1, FILE_BYTES_MAX + 1, f);
    if (store == NULL || ferror(f)) {
        snprintf(why, RATES_WHY_SIZE, "%s", store == NULL ? "out of memory" : strerror(errno));
        free(store);
        fclose(f);
        return false;
    }
    fclose(f);
    *text = store;
    return true;
}

static enum rates_result refuse(char why[RATES_WHY_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum rates_result refuse(char why[RATES_WHY_SIZE], const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(why, RATES_WHY_SIZE, format, list);
    va_end(list);
    return RATES_REFUSED;
}

static enum rates_result refuse_problem(const struct rate_sheet_problem *problem,
                                        const char *line_word, char why[RATES_WHY_SIZE])
{
    char where[64] = "";

    if (problem->line > 0)
        snprintf(where, sizeof where, " (%s %u%s%s)", line_word, problem->line,
                 problem->currency[0] ? ", " : "", problem->currency);
    else if (problem->currency[0] != '\0')
        snprintf(where, sizeof where, " (%s)", problem->currency);
    return refuse(why, "%s: %s%s", rate_sheet_fault_name(problem->fault),
                  rate_sheet_fault_text(problem->fault), where);
}

/* ---------------------------------------------------------------- the day */

/* One date out of up to three; those that are there must agree. */
static enum rates_result settle_date(struct rates_file *file, int32_t given, int32_t inside,
                                     char why[RATES_WHY_SIZE])
{
    int32_t in_name = date_in_name(file->name);
    int32_t known = given != RATES_DATE_NONE ? given : inside != RATES_DATE_NONE ? inside : in_name;
    char a[TIMEFMT_DATE_SIZE];
    char b[TIMEFMT_DATE_SIZE];

    if (known == RATES_DATE_NONE)
        return refuse(why, "DATE_MISSING: neither the file nor its name says of which day it is; "
                           "say --date YYYY-MM-DD");
    file->date = known;
    if (inside != RATES_DATE_NONE && inside != known)
        return refuse(why, "DATE_CONFLICT: the file says it is of %s, not of %s",
                      timefmt_date(inside, a), timefmt_date(known, b));
    if (in_name != RATES_DATE_NONE && in_name != known)
        return refuse(why, "DATE_CONFLICT: the file's name says it is of %s, not of %s",
                      timefmt_date(in_name, a), timefmt_date(known, b));
    if ((int64_t)known * US_PER_DAY - KARACHI_US > clock_realtime_us())
        return refuse(why, "DATE_FUTURE: %s has not come yet", timefmt_date(known, a));
    return RATES_GOOD;
}

/* ---------------------------------------------------------------- JSON day files */

struct usd_rates {
    struct usd_rate rows[USD_RATES_MAX];
    char numbers[USD_RATES_MAX][32];
    size_t n;
};

/*
 * jansson reads a number with decimals into a double. With up to 15 significant digits (DBL_DIG) printing it with 15
 * gives back exactly what the file said, and the feeds have fewer for every currency that counts; no arithmetic is
 * done on it.
 */
static bool number_text(const json_t *value, char out[32])
{
    if (json_is_integer(value))
        snprintf(out, 32, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, 32, "%.15g", json_real_value(value));
    else
        return false;
    /* Coins that cost next to nothing; an exponent is not decimal text. */
    if (strpbrk(out, "eE") != NULL && json_is_real(value))
        snprintf(out, 32, "%.18f", json_real_value(value));
    return true;
}

static enum rates_result take_rates(const json_t *rates, struct usd_rates *out,
                                    char why[RATES_WHY_SIZE])
{
    const char *code;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)rates, code, value)
    {
        if (out->n == USD_RATES_MAX)
            return refuse(why, "TOO_MANY: more than %d rates", USD_RATES_MAX);
        if (!number_text(value, out->numbers[out->n]))
            return refuse(why, "NUMBER: the rate of %.16s is not a number", code);
        out->rows[out->n].code = slice_str(code);
        out->rows[out->n].per_usd = slice_str(out->numbers[out->n]);
        out->n++;
    }
    return RATES_GOOD;
}

/* {"date": "2026-06-30", "usd": {"pkr": 278.3, ...}} or {"timestamp": 1784298000, "base": "USD", "rates": {...}} */
static enum rates_result take_json(const json_t *root, struct rates_file *file, int32_t *inside,
                                   const json_t **rates, char why[RATES_WHY_SIZE])
{
    const json_t *day = json_object_get(root, "date");
    const json_t *base = json_object_get(root, "base");
    const json_t *stamp = json_object_get(root, "timestamp");

    *rates = json_object_get(root, "usd");
    if (json_is_object(*rates)) {
        file->source = "fawazahmed0";
        if (!json_is_string(day) ||
            err_failed(timefmt_parse_date(slice_str(json_string_value(day)), inside)))
            return refuse(why, "DATE_MISSING: \"date\" is not a date such as 2026-06-30");
        return RATES_GOOD;
    }
    *rates = json_object_get(root, "rates");
    if (!json_is_object(*rates))
        return refuse(why, "HEADER: JSON, but with neither \"usd\" nor \"rates\" in it");
    file->source = "openexchangerates";
    if (!json_is_string(base) || strcmp(json_string_value(base), "USD") != 0)
        return refuse(why, "HEADER: \"base\" is not USD");
    if (!json_is_integer(stamp) || json_integer_value(stamp) <= 0 ||
        json_integer_value(stamp) > TIMEFMT_US_MAX / US_PER_SEC)
        return refuse(why, "DATE_MISSING: \"timestamp\" is not a time");
    file->as_of_us = json_integer_value(stamp) * US_PER_SEC;
    *inside = timefmt_day_of(file->as_of_us); /* the feed counts its days in UTC */
    return RATES_GOOD;
}

static enum rates_result read_json(struct slice text, int32_t date_given,
                                   const struct rate_sheet_guard *guard, struct rates_file *file,
                                   char why[RATES_WHY_SIZE])
{
    json_error_t error;
    json_t *root = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &error);
    struct usd_rates *usd = calloc(1, sizeof *usd);
    const json_t *rates = NULL;
    struct rate_sheet_problem problem;
    int32_t inside = RATES_DATE_NONE;
    enum rates_result result;

    if (root == NULL || usd == NULL) {
        result = refuse(why, "NOT_JSON: %s (line %d)", root == NULL ? error.text : "out of memory",
                        root == NULL ? error.line : 0);
        goto out;
    }
    result = take_json(root, file, &inside, &rates, why);
    if (result == RATES_GOOD)
        result = settle_date(file, date_given, inside, why);
    if (result == RATES_GOOD)
        result = take_rates(rates, usd, why);
    if (result == RATES_GOOD && rate_sheet_from_usd_rates(usd->rows, usd->n, file->date, guard,
                                                          &file->sheet, &problem) != RATE_SHEET_OK)
        result = refuse_problem(&problem, "entry", why);
out:
    json_decref(root);
    free(usd);
    return result;
}

/* ---------------------------------------------------------------- any file */

static enum rates_result read_sbp(struct slice text, int32_t date_given,
                                  const struct rate_sheet_guard *guard, struct rates_file *file,
                                  char why[RATES_WHY_SIZE])
{
    struct rate_sheet_problem problem;
    enum rates_result day = settle_date(file, date_given, RATES_DATE_NONE, why);

    file->source = "SBP-M2M";
    /* A day that is not known says less than what is wrong with the sheet, one that is wrong says more. */
    if (day != RATES_GOOD && file->date != RATES_DATE_NONE)
        return day;
    if (rate_sheet_parse_sbp(text, file->date == RATES_DATE_NONE ? 0 : file->date, guard,
                             &file->sheet, &problem) != RATE_SHEET_OK)
        return refuse_problem(&problem, "line", why);
    return day;
}

static bool begins_as_json(struct slice text)
{
    size_t i = 0;

    while (i < text.len &&
           (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\r' || text.p[i] == '\n'))
        i++;
    return i < text.len && text.p[i] == '{';
}

enum rates_result rates_file_read(const char *path, int32_t date_given,
                                  const struct rate_sheet_guard *guard, struct rates_file *out,
                                  char why[RATES_WHY_SIZE])
{
    const char *slash = strrchr(path, '/');
    char *bytes = NULL;
    size_t len = 0;
    enum rates_result result;

    *out = (struct rates_file){.source = "unknown", .date = RATES_DATE_NONE};
    snprintf(out->name, sizeof out->name, "%s", slash == NULL ? path : slash + 1);
    if (!read_whole(path, &bytes, &len, why))
        return RATES_UNREADABLE;
    if (EVP_Digest(bytes, len, out->sha256, NULL, EVP_sha256(), NULL) != 1)
        abort();
    if (len > FILE_BYTES_MAX)
        result = refuse(why, "TOO_LARGE: more than 1 MiB");
    else if (begins_as_json(slice_of(bytes, len)))
        result = read_json(slice_of(bytes, len), date_given, guard, out, why);
    else
        result = read_sbp(slice_of(bytes, len), date_given, guard, out, why);
    free(bytes);
    return result;
}
