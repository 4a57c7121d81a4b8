/*
 * platform_profile.h: what is known of a platform before it pays for the first time (deploy/platforms/): its currencies and
 * their tariff, how it writes references, and which channel and purpose its payouts have where they do not say. JSON:
 *
 *   {
 *     "code": "upwork", "name": "Upwork",
 *     "reference": "UPW-####-##-*",            # is a digit, * one or more digits, anything else itself
 *     "channel": "export", "purpose": "9186",
 *     "currencies": {
 *       "USD": {"margin_bps": 40, "fee_fixed": "0.50", "fee_bps": 0, "fee_min": "0", "fee_max": "0", "gross_max": "25000"}
 *     }
 *   }
 */
#ifndef UJRAT_CLI_PLATFORM_PROFILE_H
#define UJRAT_CLI_PLATFORM_PROFILE_H

#include "cli/payout_file.h"

#include <jansson.h>

struct platform_profile {
    json_t *json; /* NULL: none was given */
    const char *path;
};

/* path NULL: an empty profile. False: it cannot be read, or has something in it that no profile has; why was told. */
bool platform_profile_read(const char *path, struct platform_profile *out);
void platform_profile_free(struct platform_profile *p);

/* "name", "reference", "channel", "purpose"; NULL: the profile does not say. */
const char *platform_profile_text(const struct platform_profile *p, const char *member);
/* A currency's "fee-fixed" and so on, as on the command line; NULL: it does not say. */
const char *platform_profile_tariff(const struct platform_profile *p, const char *ccy,
                                    const char *option, char out[32]);
/* The currencies one by one: *at is 0 first. NULL: no more. */
const char *platform_profile_currency(const struct platform_profile *p, size_t *at);

/* Fills what payouts leave out, and complains of those that are not as the profile has them. False: there was one. */
bool platform_profile_apply(const struct platform_profile *p, const char *file_path,
                            struct payout_file *file);

/* Does the reference have the pattern's form? */
bool reference_matches(const char *pattern, struct slice reference);

#endif
