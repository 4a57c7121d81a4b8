/* rates_file.h: a file of rates as it came from outside: which kind it is, which day it speaks of, what is in it. */
#ifndef UJRAT_CLI_RATES_FILE_H
#define UJRAT_CLI_RATES_FILE_H

#include "domain/rate_sheet.h"

#define RATES_SHA256_SIZE 32
#define RATES_WHY_SIZE    256
#define RATES_DATE_NONE   INT32_MIN

struct rates_file {
    const char
        *source;    /* "SBP-M2M", "fawazahmed0", "openexchangerates": where such files come from */
    char name[128]; /* the file's own, without its folders */
    unsigned char sha256[RATES_SHA256_SIZE];
    int32_t date;     /* days since 1970, or RATES_DATE_NONE */
    int64_t as_of_us; /* a moment the file itself names; 0: none */
    struct rate_sheet sheet;
};

enum rates_result {
    RATES_GOOD,
    RATES_REFUSED,   /* the file was read, and it is not to be used; why says what is wrong */
    RATES_UNREADABLE /* there is no such file, and so on */
};

/* previous: the last good sheet or NULL; date_given: RATES_DATE_NONE, or what the user said. `why` is filled unless
 * GOOD. On REFUSED everything but the sheet is filled as far as it is known. */
enum rates_result rates_file_read(const char *path, int32_t date_given,
                                  const struct rate_sheet_guard *guard, struct rates_file *out,
                                  char why[RATES_WHY_SIZE]);

/* End of a day in Asia/Karachi (UTC+5, no daylight saving time), in µs since 1970. */
int64_t rates_end_of_day_us(int32_t date);

#endif
