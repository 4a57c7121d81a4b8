/* sanctions_lists.h: sanctions lists out of files and out of the ledger, as screen/ has them. Whoever fails has told the user why. */
#ifndef UJRAT_CLI_SANCTIONS_LISTS_H
#define UJRAT_CLI_SANCTIONS_LISTS_H

#include "cli/db.h"
#include "screen/index.h"

#define SANCTIONS_SHA256_SIZE 32

enum sanctions_format { SANCTIONS_BY_LOOK, SANCTIONS_UN, SANCTIONS_OFAC, SANCTIONS_CSV };

/* "un", "ofac", "csv". False: it is none. */
bool sanctions_format_from_name(const char *name, enum sanctions_format *out);

/* Reads files into one list; of OFAC's, SDN first. sha256: of their bytes, one behind the other; or NULL. */
bool sanctions_read_files(enum sanctions_format format, const char *const *paths, size_t n,
                          struct screen_list *list, unsigned char sha256[SANCTIONS_SHA256_SIZE]);

/* All lists of the ledger as they are now. */
struct sanctions_lists {
    struct screen_list lists[SCREEN_LISTS_MAX];
    char names[SCREEN_LISTS_MAX][SCREEN_LIST_NAME_SIZE];
    size_t n;
};
bool sanctions_read_ledger(struct db *db, struct sanctions_lists *lists);
void sanctions_lists_deinit(struct sanctions_lists *lists);

#endif
