/*
 * payout_file_reader.h: what the readers of the three forms share. Each fills a payout_line and hands it to
 * payout_reader_add(), which makes the item of it. Nobody else includes this.
 */
#ifndef UJRAT_CLI_PAYOUT_FILE_READER_H
#define UJRAT_CLI_PAYOUT_FILE_READER_H

#include "cli/payout_file.h"

enum payout_column {
    COL_REFERENCE,
    COL_AMOUNT,
    COL_CURRENCY,
    COL_BENEFICIARY,
    COL_NAME,
    COL_IBAN,
    COL_MOBILE,
    COL_BANK,
    COL_CNIC,
    COL_PSEB,
    COL_CHANNEL,
    COL_PURPOSE,
    COL_INFO,
    COL_QUOTE,
    COL_COUNT
};

/* "reference", ... in the order of the columns. */
extern const char *const payout_column_names[COL_COUNT];

/* One payout as the file says it; the texts need to live only until it was added. Empty: not said. */
struct payout_line {
    unsigned number; /* of the line, or of the transaction, from 1 */
    struct slice at[COL_COUNT];
};

struct payout_reader {
    const char *path;
    const char *platform;
    bool channel_later;
    struct payout_file *file;
    size_t room;
    unsigned complaints;
};

/* What is wrong with a line; value may be "". The first ones are told, the others counted. */
void payout_reader_complain(struct payout_reader *r, unsigned line, const char *what,
                            const char *value);
void payout_reader_add(struct payout_reader *r, const struct payout_line *line);

/* False: the file as a whole cannot be read, and why was told. Of what is wrong with a line payout_reader_complain knows. */
bool payout_file_read_csv(struct payout_reader *r, struct slice text);
bool payout_file_read_json(struct payout_reader *r, struct slice text);
bool payout_file_read_pain(struct payout_reader *r, struct slice text);

#endif
