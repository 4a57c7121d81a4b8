/*
 * payout_results.h: what became of a file's payouts, kept in a file beside it, so that who was cut off goes on where it
 * was. JSON Lines: the first says which file it is of, each other what one payout came to, once that is definite.
 *
 *   {"file_sha256": "…", "payouts": 15000}
 *   {"n": 1, "reference": "UPW-1", "outcome": "ACCEPTED", "payout": "platforms/upwork/payouts/42", ...}
 *
 * Nothing rests on it: a payout that is sent again is answered with its first result.
 */
#ifndef UJRAT_CLI_PAYOUT_RESULTS_H
#define UJRAT_CLI_PAYOUT_RESULTS_H

#include <stdio.h>

#include "cli/payout_file.h"
#include "domain/money.h"

/* One payout's answer, with text of its own. */
struct payout_answer {
    int32_t outcome; /* of SubmitPayoutResult; 0: not asked yet */
    char payout[64];
    char fee[MONEY_TEXT_SIZE], net[MONEY_TEXT_SIZE];
    char net_ccy[8];
    char why[256];
};

/* ACCEPTED, DUPLICATE, REFUSED: asking again would change nothing. */
bool payout_outcome_is_definite(int32_t outcome);

struct payout_results {
    FILE *out; /* NULL: none is kept */
    const char *path;
};

/*
 * Opens the file, or makes it, and fills the answers of those that were accepted; *n_known is their number. What was
 * refused is asked again. Only one may have it open at a time. False: it is of another file, or cannot be read or written; why was told.
 */
bool payout_results_open(struct payout_results *r, const char *path, const struct payout_file *file,
                         struct payout_answer *answers, size_t *n_known);
/* Appends one that is definite. */
void payout_results_add(struct payout_results *r, const struct payout_file *file, size_t i,
                        const struct payout_answer *answer);
/* What was added is on the disk. False: it is not, and why was told. */
bool payout_results_sync(struct payout_results *r);
void payout_results_close(struct payout_results *r);

#endif
