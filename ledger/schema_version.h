/*
 * schema_version.h: which version a database's schema has, asked before anything else is. It blocks: for programs that
 * are about to start, since a connection of the event loop needs the schema to be there already.
 */
#ifndef UJRAT_LEDGER_SCHEMA_VERSION_H
#define UJRAT_LEDGER_SCHEMA_VERSION_H

#include <stddef.h>

enum schema_answer {
    SCHEMA_VERSION, /* *version is what `ujrat db migrate` made of it */
    SCHEMA_MISSING, /* the database answers and has no schema of ours, or the role may not read it */
    SCHEMA_UNREACHABLE, /* nobody answers, or refuses us */
};

/* Tries once. problem: what libpq said, one line, without the URI. */
enum schema_answer schema_version_ask(const char *uri, int *version, char *problem,
                                      size_t problem_size);

#endif
