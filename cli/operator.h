/* operator.h: what the operator's commands have in common. */
#ifndef UJRAT_CLI_OPERATOR_H
#define UJRAT_CLI_OPERATOR_H

#include "base/str.h"
#include "cli/db.h"
#include "domain/money.h"

/* The book of a platform; 0: there is none, and the user was told. */
int operator_find_book(struct db *db, const char *code);

/* WITH of a statement about a payout that $1 names, "UJ7-42" or "platforms/upwork/payouts/42": known (book_id, payout_id). */
#define SQL_WITH_KNOWN_PAYOUT                                                                      \
    "WITH named AS (SELECT regexp_match($1, '^UJ([0-9]{1,9})-([0-9]{1,18})$') AS i,"               \
    "       regexp_match($1, '^platforms/([a-z0-9-]+)/payouts/([0-9]{1,18})$') AS n),"             \
    " known AS (SELECT i[1]::integer AS book_id, i[2]::bigint AS payout_id FROM named"             \
    "  WHERE i IS NOT NULL"                                                                        \
    "  UNION ALL SELECT b.book_id, n[2]::bigint FROM named JOIN book b ON b.code = n[1])"

/* "12.50" and "USD". Complains, naming what, and returns false. */
bool parse_money(const char *what, const char *amount, const char *code, money_t *out);

/* Whoever sits at the terminal, for the author columns: --author or the login name. */
const char *author_of(const struct args *args, char *out, size_t out_size);
#define OPTION_AUTHOR                                                                              \
    {                                                                                              \
        "author", "NAME", "who decided so (default: who runs this)", false                         \
    }

#endif
