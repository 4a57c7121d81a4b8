/* schema.h: the migrations this program carries. */
#ifndef UJRAT_CLI_SCHEMA_H
#define UJRAT_CLI_SCHEMA_H

#include "base/embedded.h"

#include <stdbool.h>
#include <stddef.h>

#define SCHEMA_SHA256_SIZE    32
#define SCHEMA_MIGRATIONS_MAX 512

struct migration {
    int version;                 /* the number its file name begins with, from 1 without a gap */
    char name[64];               /* "ledger" */
    const struct embedded *file; /* NUL-terminated text */
    unsigned char sha256[SCHEMA_SHA256_SIZE];
};

/* By version. Returns how many; asserts that what was built in is sound. */
size_t schema_migrations(struct migration out[SCHEMA_MIGRATIONS_MAX]);

/* What is applied anew each time: functions/, views.sql and then roles.sql. NULL past the end. The last one is for
 * whoever may grant, not for the owner. */
const struct embedded *schema_code_at(size_t i, bool *is_roles);

/* Over all of that code: whether a database has just this. */
void schema_code_sha256(unsigned char out[SCHEMA_SHA256_SIZE]);

#endif
