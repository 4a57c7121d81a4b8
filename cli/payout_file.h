/*
 * payout_file.h: a file of payouts, in one of three forms. Which it is shows in its first character.
 *
 *   CSV            the first line names the columns (RFC 4180)
 *   JSON Lines     '{': one object a line, its members named like the columns, all of them strings
 *   pain.001       '<': ISO 20022 pain.001.001.09, see payout_file_pain.c
 *
 * The columns:
 *
 *   reference, amount, currency                              always
 *   beneficiary                                              of a registered one, or these:
 *   name, cnic, channel, and iban or mobile with bank        the channel is `export` or `remittance`
 *   pseb, purpose, info, quote                               if there is something to say
 *
 * A beneficiary's name may be short: `beneficiaries/5` is the platform's own.
 */
#ifndef UJRAT_CLI_PAYOUT_FILE_H
#define UJRAT_CLI_PAYOUT_FILE_H

#include "base/arena.h"
#include "gateway/wire/payout_messages.h"

#define PAYOUT_FILE_ROWS_MAX 1000000

struct payout_file {
    struct arena arena; /* all the text */
    struct wire_submit_payout_request *items;
    size_t n;
    const char *form;   /* "CSV", "JSON Lines", "pain.001" */
    uint8_t sha256[32]; /* of the file's bytes */
};

/* Reads all of it. `platform` is whose the beneficiaries are; with `channel_later` a payout need not say its channel. Complains about each line that cannot be read (the first 20), and is false if there was
 * one: then nothing is to be sent. */
bool payout_file_read(const char *path, const char *platform, bool channel_later,
                      struct payout_file *file);
void payout_file_free(struct payout_file *file);

/* `export` or EXPORT_OF_SERVICES, `remittance` or HOME_REMITTANCE; 0 if neither. */
int32_t channel_parse(const char *text);

#endif
