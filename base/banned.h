/*
 * banned.h: what the C library offers and we do not take: writes without a bound, numbers read without a check,
 * state kept between calls, a shell. The Makefile puts this file in front of every source of ours (not of
 * generated ones), so a call of one of these does not compile; the message says what to take instead.
 *
 * It includes nothing on purpose: a source that forgot a header of its own must still fail to compile.
 */
#ifndef UJRAT_BASE_BANNED_H
#define UJRAT_BASE_BANNED_H

#define BANNED(instead) __attribute__((unavailable("banned: " instead)))

/* Do not know how much room there is, or do not end what they cut with a NUL. */
char *strcpy(char *to, const char *from) BANNED("take slice_copy() or snprintf()");
char *stpcpy(char *to, const char *from) BANNED("take slice_copy() or snprintf()");
char *strcat(char *to, const char *from) BANNED("take struct buf or snprintf()");
char *strncpy(char *to, const char *from, __SIZE_TYPE__ n) BANNED("take slice_copy()");
char *strncat(char *to, const char *from, __SIZE_TYPE__ n) BANNED("take struct buf or snprintf()");
char *gets(char *line) BANNED("take getline()");
int sprintf(char *to, const char *format, ...) BANNED("take snprintf() or buf_printf()");
int vsprintf(char *to, const char *format, __builtin_va_list args) BANNED("take vsnprintf()");

/* Take garbage for zero, and are undefined when the number does not fit. */
int atoi(const char *text) BANNED("take str_parse_int64()");
long atol(const char *text) BANNED("take str_parse_int64()");
long long atoll(const char *text) BANNED("take str_parse_int64()");
double atof(const char *text) BANNED("money has no floats; see domain/decimal.h");
int sscanf(const char *text, const char *format, ...)
    BANNED("take slice_cut() and str_parse_int64()");

/* Keep state between calls. */
char *strtok(char *text, const char *separators) BANNED("take slice_cut()");
int rand(void) BANNED("take RAND_bytes(); in tests, tests/unit/prng.h");
long random(void) BANNED("take RAND_bytes(); in tests, tests/unit/prng.h");

/* Race with others who write to the same folder. */
char *tmpnam(char *name) BANNED("take mkstemp()");
char *mktemp(char *name) BANNED("take mkstemp()");

int system(const char *command) BANNED("take posix_spawn(), without a shell");

#endif
