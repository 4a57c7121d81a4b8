/* statement_words.h: the words of a year's statement in its two languages, beside those of a receipt. */
#ifndef UJRAT_CLI_STATEMENT_WORDS_H
#define UJRAT_CLI_STATEMENT_WORDS_H

#include "cli/receipt_words.h"
#include "domain/purpose.h"

extern const struct words year_title, year_tax_year, year_not_over, year_freelancer, year_name,
    year_cnic, year_record, year_not_shown, year_paid, year_payouts, year_came_back, year_worth,
    year_reached, year_not_reached, year_not_reached_yet, year_unknown, year_by_month, year_months,
    year_by_currency, year_by_platform, year_currency, year_platform, year_month, year_total,
    year_earned, year_fee, year_mid_value, year_margin, year_net, year_withheld, year_tax,
    year_tax_estimate, year_tax_withheld, year_tax_came_back, year_what, year_what_text, year_list,
    year_nothing, year_paid_on, year_state, year_reference, year_platform_bank, year_eprc,
    year_channel, year_mid_rate, year_rate_source, year_rate_date, year_back, year_estimate,
    year_no_certificate;

struct words year_channel_name(enum channel channel);

enum { YEAR_TEXT_SIZE = 160 };
/* "1 July 2025" */
const char *year_day_en(int64_t us, char out[YEAR_TEXT_SIZE]);
const char *year_day_ur(int64_t us, char out[YEAR_TEXT_SIZE]);

#endif
