#include "cli/operator.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

int operator_find_book(struct db *db, const char *code)
{
    PGresult *r =
        db_query(db, "SELECT book_id FROM book WHERE code = $1", 1, (const char *const[]){code});
    int id = 0;

    if (r != NULL && PQntuples(r) == 0)
        complain("there is no platform '%s'", code);
    else if (r != NULL)
        id = (int)db_int(r, 0, 0);
    PQclear(r);
    return id;
}

bool parse_money(const char *what, const char *amount, const char *code, money_t *out)
{
    const struct ccy *ccy = ccy_by_alpha(slice_str(code));
    reason_t reason =
        ccy == NULL ? REASON_CURRENCY_UNKNOWN : money_parse(slice_str(amount), ccy->number, out);

    if (reason == REASON_NONE)
        return true;
    complain("%s '%s %s': %s (%s)", what, amount, code, reason_text(reason), reason_name(reason));
    return false;
}

const char *author_of(const struct args *args, char *out, size_t out_size)
{
    const char *author = args_get(args, "author");
    struct passwd store;
    struct passwd *user = NULL;
    char text[4096];

    if (author != NULL && author[0] != '\0')
        snprintf(out, out_size, "%s", author);
    else if (getpwuid_r(getuid(), &store, text, sizeof text, &user) == 0 && user != NULL)
        snprintf(out, out_size, "%s", user->pw_name);
    else
        snprintf(out, out_size, "uid-%u", (unsigned)getuid());
    return out;
}
