/* operator.h: what the operator's commands have in common. */
#ifndef UJRAT_CLI_OPERATOR_H
#define UJRAT_CLI_OPERATOR_H

#include "base/str.h"
#include "cli/db.h"
#include "domain/money.h"

/* The book of a platform; 0: there is none, and the user was told. */
int operator_find_book(struct db *db, const char *code);

/* "12.50" and "USD". Complains, naming what, and returns false. */
bool parse_money(const char *what, const char *amount, const char *code, money_t *out);

/* Whoever sits at the terminal, for the author columns: --author or the login name. */
const char *author_of(const struct args *args, char *out, size_t out_size);
#define OPTION_AUTHOR                                                                              \
    {                                                                                              \
        "author", "NAME", "who decided so (default: who runs this)", false                         \
    }

#endif
