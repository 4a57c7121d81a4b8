/* Files carried inside the program: SQL, migrations, descriptors. Written by tools/embed.sh at build. */
#ifndef UJRAT_BASE_EMBEDDED_H
#define UJRAT_BASE_EMBEDDED_H

struct embedded {
    const char *path; /* as named at build: "ledger/sql/get_payout.sql"; NULL ends a table */
    const char *text; /* followed by a NUL that is not part of it */
    const unsigned char *end; /* one past the last byte */
};

#endif
