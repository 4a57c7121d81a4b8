/* bank.h: a bank with terms, as the settler knows it from one round to the next. */
#ifndef UJRAT_SETTLE_BANK_H
#define UJRAT_SETTLE_BANK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "ledger/pii.h"
#include "settle/bank_folders.h"
#include "settle/db.h"
#include "settle/settings.h"
#include "settle/sign_key.h"

struct iso_schemas;

enum { BANK_NAME_SIZE = 320, BANK_BIC_SIZE = 12, BANK_MESSAGE_SIZE = 24 };

struct settle_bank {
    int16_t bank_id;
    char code[5];
    char bic[BANK_BIC_SIZE]; /* "": not known */
    char name[BANK_NAME_SIZE];
    bool by_windows; /* mode */
    bool by_files;   /* channel */
    char format[BANK_MESSAGE_SIZE]; /* "pacs.008.001.08": of instructions */
    int32_t principal_id;           /* the bank's own: files from it speak for it; 0: none */
    int64_t file_since_us;
    bool seen; /* in the round under way */

    struct bank_folders folders;
    bool folders_open;
    int64_t files_done_upto;   /* files up to this one have been whole in out/ */
    int64_t files_again_at_us; /* monotonic; before it those that cannot be made again are not tried again */
    int64_t receive_again_at_us; /* monotonic; something of ours kept a file from being taken */
    int64_t hand_out_at_us;    /* monotonic: when the next hand-out is due, in mode instant */
};

/* What every step of a round is given. */
struct settle_ctx {
    const struct settings *settings;
    struct log *log;
    struct settle_db db;
    int32_t principal_id;
    struct pii *pii;              /* NULL: no files */
    struct sign_key *signing_key; /* NULL: no files */
    struct iso_schemas *schemas;  /* NULL: none */
    bool trouble;                 /* in the round under way something could not be done, and was logged */
};

/* Raises an alert, or finds it raised. What the ledger refuses is logged and no failure of the step. */
MUST_CHECK enum settle_result settle_alert(struct settle_ctx *ctx, const char *kind,
                                           const char *subject, const char *detail);

#endif
