/*
 * content.h: what a file to a bank says, short of the people in it: the column `content` of its row. Together with the
 * row's number and time it decides every byte, so whatever may change later (a setting, a bank's name) is in it.
 */
#ifndef UJRAT_SETTLE_CONTENT_H
#define UJRAT_SETTLE_CONTENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "domain/money.h"

/* Who says it to whom, as a file has it. Texts are the settings' and the bank's, or the content's. */
struct file_parties {
    const char *from_bic, *from_name, *from_town, *from_country;
    const char *to_bic, *to_name;
    const char *service;
    const char *account; /* ours at the bank: an IBAN, or "" */
};

struct file_content {
    json_t *json;
    struct file_parties parties; /* in json */
    int64_t count;               /* of what is in it; 0 while it is not known */
    money_t sum;                 /* ccy 0: messages without amounts */
};

/* From what a statement settle_file_* chose ({"handouts": ...}), and from whom to whom. ERR_PARSE, ERR_NO_MEMORY. */
MUST_CHECK err_t file_content_new(struct slice chosen, const struct file_parties *parties,
                                  struct file_content *out);
/* From a row. */
MUST_CHECK err_t file_content_read(struct slice text, struct file_content *out);
void file_content_deinit(struct file_content *c);

/* When all that goes into it is known. */
MUST_CHECK err_t file_content_set_totals(struct file_content *c, int64_t count, money_t sum);

/* An instruction that cannot be said in a message (its name has letters that banks' systems do not take ...), and why. */
MUST_CHECK err_t file_content_leave_out(struct file_content *c, const char *instruction_id,
                                        const char *why);
bool file_content_is_left_out(const struct file_content *c, const char *instruction_id);
size_t file_content_left_out(const struct file_content *c);
/* The i-th of them. */
void file_content_left_out_at(const struct file_content *c, size_t i, const char **instruction_id,
                              const char **why);

/* Hand-outs: payouts of the book after one up to one. False past the end. */
struct file_handout {
    int32_t book_id;
    int64_t after, upto;
};
bool file_content_handout(const struct file_content *c, size_t i, struct file_handout *out);

/* As one line, the same for the same content. To be freed by the caller; NULL: no memory. */
char *file_content_text(const struct file_content *c);

#endif
