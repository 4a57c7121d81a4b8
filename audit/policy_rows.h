/* policy_rows.h: the versions of the policy out of a database's rows, as records. */
#ifndef UJRAT_AUDIT_POLICY_ROWS_H
#define UJRAT_AUDIT_POLICY_ROWS_H

#include "audit/db.h"
#include "audit/record.h"

struct policy_rows {
    PGresult *rows;
    int at;
    unsigned char source_sha256[RECORD_HASH_BYTES]; /* of the last that was given */
};

/* All of them. False: it has told the user. */
bool policy_rows_load(struct db *db, struct policy_rows *out);
void policy_rows_free(struct policy_rows *rows);

/* The next version's change; its texts are good until the next call. 1, 0 there is none, -1 it is longer than a version can be. */
int policy_rows_next(struct policy_rows *rows, struct record_policy_change *out);

#endif
