/* receipt_words.h: the words of a receipt in its two languages. */
#ifndef UJRAT_CLI_RECEIPT_WORDS_H
#define UJRAT_CLI_RECEIPT_WORDS_H

#include "domain/payout_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum receipt_lang { RECEIPT_EN = 1, RECEIPT_UR = 2, RECEIPT_BOTH = 3 };

struct args;
/* --lang: both if it was not given. Complains. */
bool words_lang(const struct args *args, enum receipt_lang *lang);

struct words {
    const char *en, *ur;
};

extern const struct words words_title, words_upto, words_platform, words_payment, words_reference,
    words_payee, words_bank, words_account, words_info, words_bank_reference, words_eprc,
    words_reason, words_price, words_gross, words_fee, words_converted, words_mid_rate,
    words_mid_value, words_margin, words_net, words_our_rate, words_tax, words_after_tax,
    words_history, words_proof, words_proof_text, words_erased;

/* "Paid into the account" */
struct words words_of_state(enum payout_state state);

/* "July"; 1 to 12 */
struct words words_month(int month);

enum { WORDS_TIME_SIZE = 64 };
/* "17 July 2026, 14:05:09 PKT" (Asia/Karachi: UTC+5 all the year) */
const char *words_time_en(int64_t us, char out[WORDS_TIME_SIZE]);
const char *words_time_ur(int64_t us, char out[WORDS_TIME_SIZE]);

#endif
