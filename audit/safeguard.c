/* ujrat-audit safeguard: each day, what clients are owed beside the money at banks, in every currency. The rule, and why
 * it is that one, is in ujrat-audit(1), SAFEGUARDING. */
#include "audit/cell.h"
#include "audit/commands.h"
#include "audit/lookup.h"
#include "audit/money.h"
#include "audit/output.h"
#include "audit/stated.h"
#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char safeguard_help[] =
    "A day is a calendar day in Karachi (UTC+5), and its figures are those at its end. In a currency,\n"
    "over/short is at banks less owed to banks less owed to clients. What is short is either covered by\n"
    "an open exchange (sold in another currency, and not yet exchanged: \"exchange open\"), or it is a\n"
    "SHORTFALL. See SAFEGUARDING in ujrat-audit(1). Exit status 1 when there is a shortfall; with\n"
    "--strict an open exchange does not count as cover.\n"
    "\n"
    "--statement-balances: a CSV file of date,account,currency,balance, where an account is such as\n"
    "nostro.MUCB.PKR (of all books together) or upwork/nostro.MUCB.PKR, and a balance that is positive\n"
    "is money at the bank. The lower of the bank's and the books' figure counts.";

const struct option_row safeguard_options[] = {
    {"from", "DATE", "the first day (default: the first there is)", false},
    {"until", "DATE", "the last day, which is in it (default: the last there is)", false},
    {"book", "BOOK", "this book only; may be repeated (default: all)", true},
    {"statement-balances", "FILE", "what the banks say, to be held beside the books", false},
    {"strict", NULL, "each currency must cover itself", false},
    {"csv", "FILE", "write the days as CSV to a file rather than print them", false},
    {NULL, NULL, NULL, false},
};

#define KARACHI_US     (5 * 3600 * US_PER_SEC)
#define CURRENCIES_MAX 64
#define DAYS_ROWS_MAX  90000 /* fewer than a table holds */

/* The last balance of each account on each day that touched it. */
static const char sql_days[] =
    "SELECT DISTINCT ON (1, v.book_id, v.account_id)"
    "       ((k.committed_at AT TIME ZONE 'UTC') + interval '5 hours')::date - date '1970-01-01',"
    "       v.book_id, v.account_id, v.balance"
    "  FROM account_balance v JOIN block k ON k.book_id = v.book_id AND k.block_no = v.block_no"
    " WHERE v.book_id = ANY ($1::int4[])"
    " ORDER BY 1, v.book_id, v.account_id, v.block_no DESC";

/* The newest rates, to say which shortfall is the larger one. */
static const char sql_rates[] =
    "SELECT c.code, r.pkr_e10 FROM rate r JOIN currency c USING (ccy) WHERE r.rate_id ="
    " (SELECT rate_id FROM rate_sheet WHERE refused IS NULL ORDER BY sheet_date DESC, rate_id DESC LIMIT 1)";

enum state { SHORTFALL, EXCHANGE_OPEN, COVERED };

struct figures {
    amount_t owed, banks, to_banks, position;
    amount_t stated; /* what banks say they hold less what the books say, if that is less */
    bool any;
};

struct day {
    int32_t day, since;
    unsigned ccy;
    enum state state;
    struct figures f;
};

struct currency {
    char code[4];
    unsigned digits;
    int64_t pkr_e10;
    enum state state; /* of the day before */
    int32_t since;
    bool any;
};

struct stated {
    struct stated_row row;
    amount_t balance, books;
    unsigned ccy, digits;
    bool seen;
};

struct safeguard {
    const struct args *args;
    int32_t from, until;
    bool has_from, has_until, strict;
    struct account *accounts; /* by book_id, account_id */
    int64_t *balances;
    size_t n_accounts;
    const struct book *books;
    size_t n_books;
    struct currency currencies[CURRENCIES_MAX];
    unsigned n_currencies;
    struct day *days;
    size_t n_days, days_size;
    struct buf file;
    struct stated *stated;
    size_t n_stated;
    int32_t at; /* the day whose balances these are */
    bool any;
};

/* ---------------------------------------------------------------- accounts and currencies */

static int by_id(const void *pa, const void *pb)
{
    const struct account *a = pa;
    const struct account *b = pb;

    if (a->book_id != b->book_id)
        return a->book_id < b->book_id ? -1 : 1;
    return a->account_id < b->account_id ? -1 : a->account_id > b->account_id;
}

/* CURRENCIES_MAX: there is no such one, or no room. */
static unsigned find_currency(struct safeguard *s, const char *code)
{
    for (unsigned i = 0; i < s->n_currencies; i++)
        if (strcmp(s->currencies[i].code, code) == 0)
            return i;
    return CURRENCIES_MAX;
}

static bool in_scope(const struct safeguard *s, const struct account *a)
{
    for (size_t i = 0; i < s->n_books; i++)
        if (s->books[i].book_id == a->book_id)
            return true;
    return false;
}

static bool read_accounts(struct safeguard *s, struct db *db)
{
    s->accounts = accounts_read(db, 0, &s->n_accounts);
    if (s->accounts == NULL)
        return false;
    qsort(s->accounts, s->n_accounts, sizeof *s->accounts, by_id);
    for (size_t i = 0; i < s->n_accounts; i++) {
        const struct account *a = &s->accounts[i];
        struct currency *c = &s->currencies[s->n_currencies];

        if (!in_scope(s, a) || find_currency(s, a->ccy) != CURRENCIES_MAX)
            continue;
        if (s->n_currencies == CURRENCIES_MAX) {
            complain("more than %d currencies", CURRENCIES_MAX);
            return false;
        }
        *c = (struct currency){.digits = a->digits, .pkr_e10 = 10000000000};
        memcpy(c->code, a->ccy, sizeof c->code);
        s->n_currencies++;
    }
    s->balances = calloc(s->n_accounts + 1, sizeof *s->balances);
    if (s->balances == NULL)
        complain("out of memory");
    return s->balances != NULL;
}

static bool read_rates(struct safeguard *s, struct db *db)
{
    PGresult *r = db_query(db, sql_rates, 0, NULL);

    for (int i = 0; r != NULL && i < PQntuples(r); i++) {
        unsigned c = find_currency(s, PQgetvalue(r, i, 0));
        if (c != CURRENCIES_MAX)
            s->currencies[c].pkr_e10 = db_int(r, i, 1);
    }
    PQclear(r);
    return r != NULL;
}

/* ---------------------------------------------------------------- what banks say */

static bool account_matches(const struct safeguard *s, const struct account *a, struct slice name)
{
    struct slice book;
    struct slice code;

    if (!in_scope(s, a))
        return false;
    if (slice_cut(name, '/', &book, &code))
        return slice_equal_str(book, a->book) && slice_equal_str(code, a->code);
    return slice_equal_str(name, a->code);
}

static bool take_stated(void *context, const struct stated_row *row)
{
    struct safeguard *s = context;
    struct stated *new = &s->stated[s->n_stated];
    const char *path = args_get(s->args, "statement-balances");
    const struct account *a = NULL;

    for (size_t i = 0; i < s->n_accounts && a == NULL; i++)
        if (account_matches(s, &s->accounts[i], row->account))
            a = &s->accounts[i];
    if (a == NULL || (strcmp(a->role, "nostro") != 0 && strcmp(a->role, "correspondent") != 0)) {
        complain("%s, line %u: account: '%.*s' is no %s", path, row->line, SLICE_ARG(row->account),
                 a == NULL ? "account of these books" : "account at a bank");
        return false;
    }
    if (!slice_equal_str(row->currency, a->ccy)) {
        complain("%s, line %u: currency: %.*s is in %s, not in '%.*s'", path, row->line,
                 SLICE_ARG(row->account), a->ccy, SLICE_ARG(row->currency));
        return false;
    }
    *new = (struct stated){.row = *row, .ccy = find_currency(s, a->ccy), .digits = a->digits};
    if (err_failed(amount_parse(row->balance, a->digits, &new->balance))) {
        complain("%s, line %u: balance: '%.*s' is no amount in %s", path, row->line,
                 SLICE_ARG(row->balance), a->ccy);
        return false;
    }
    for (size_t i = 0; i < s->n_stated; i++)
        if (s->stated[i].row.day == row->day &&
            slice_equal(s->stated[i].row.account, row->account)) {
            complain("%s, line %u: said before, in line %u", path, row->line,
                     s->stated[i].row.line);
            return false;
        }
    s->n_stated++;
    return true;
}

static bool read_stated(struct safeguard *s)
{
    const char *path = args_get(s->args, "statement-balances");
    struct stated_fault fault;
    unsigned char *room;
    FILE *file;
    size_t n = 1;

    if (path == NULL)
        return true;
    s->stated = calloc(STATED_ROWS_MAX + 1, sizeof *s->stated);
    file = s->stated == NULL ? NULL : fopen(path, "re");
    if (file == NULL) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    while (n > 0 && !err_failed(buf_reserve(&s->file, 65536, &room))) {
        n = fread(room, 1, 65536, file);
        buf_commit(&s->file, n);
    }
    if (ferror(file) || n > 0) {
        complain("%s: %s", path, n > 0 ? "it is too large" : strerror(errno));
        fclose(file);
        return false;
    }
    fclose(file);
    if (stated_read(buf_slice(&s->file), take_stated, s, &fault))
        return true;
    if (fault.what != NULL)
        complain("%s, line %u: %s", path, fault.line, fault.what);
    return false;
}

/* ---------------------------------------------------------------- a day */

/* One client's debt does not pay another's due, nor does one bank's credit make good another's: debits and credits are
 * added up apart. */
static void add_account(struct figures *f, const struct account *a, int64_t balance)
{
    bool bank = strcmp(a->role, "correspondent") == 0 || strcmp(a->role, "nostro") == 0;
    bool client = strcmp(a->role, "float") == 0 || strcmp(a->role, "payable") == 0 ||
                  strcmp(a->role, "unclaimed") == 0 || strcmp(a->role, "held") == 0;

    if (bank && balance > 0)
        f->banks += balance;
    else if (bank)
        f->to_banks -= balance;
    else if (client && balance < 0)
        f->owed -= balance;
    else if (strcmp(a->role, "position") == 0)
        f->position += balance;
    f->any = f->any || balance != 0;
}

static void hold_stated(struct safeguard *s, int32_t day, struct figures figures[CURRENCIES_MAX])
{
    amount_t differences[CURRENCIES_MAX] = {0};

    for (size_t i = 0; i < s->n_stated; i++) {
        struct stated *st = &s->stated[i];

        if (st->row.day != day)
            continue;
        for (size_t k = 0; k < s->n_accounts; k++)
            if (account_matches(s, &s->accounts[k], st->row.account))
                st->books += s->balances[k];
        st->seen = true;
        differences[st->ccy] += st->balance - st->books;
        figures[st->ccy].any = true;
    }
    for (unsigned c = 0; c < s->n_currencies; c++)
        figures[c].stated = differences[c] < 0 ? differences[c] : 0;
}

static amount_t difference(const struct figures *f)
{
    return f->banks - f->to_banks - f->owed + f->stated;
}

/* How much is missing; nil or less: nothing. */
static amount_t missing(const struct safeguard *s, const struct figures *f)
{
    return -(difference(f) + (s->strict ? 0 : f->position));
}

static enum state state_of(const struct safeguard *s, const struct figures *f)
{
    if (missing(s, f) > 0)
        return SHORTFALL;
    return difference(f) < 0 ? EXCHANGE_OPEN : COVERED;
}

static bool keep_day(struct safeguard *s, int32_t day, unsigned ccy, const struct figures *f)
{
    const struct currency *c = &s->currencies[ccy];

    if (s->n_days == s->days_size) {
        size_t size = s->days_size == 0 ? 256 : s->days_size * 2;
        struct day *days;

        if (s->n_days >= DAYS_ROWS_MAX) {
            complain("more than %d days and currencies: say --from and --until", DAYS_ROWS_MAX);
            return false;
        }
        days = realloc(s->days, size * sizeof *days);
        if (days == NULL) {
            complain("out of memory");
            return false;
        }
        s->days = days;
        s->days_size = size;
    }
    s->days[s->n_days++] = (struct day){day, c->since, ccy, c->state, *f};
    return true;
}

/* A day's end. */
static bool close_day(struct safeguard *s, int32_t day)
{
    struct figures figures[CURRENCIES_MAX] = {0};

    for (size_t i = 0; i < s->n_accounts; i++) {
        unsigned c = find_currency(s, s->accounts[i].ccy);
        if (c != CURRENCIES_MAX)
            add_account(&figures[c], &s->accounts[i], s->balances[i]);
    }
    hold_stated(s, day, figures);
    for (unsigned i = 0; i < s->n_currencies; i++) {
        struct currency *c = &s->currencies[i];
        enum state state = state_of(s, &figures[i]);

        if (!figures[i].any)
            continue;
        if (!c->any || state != c->state)
            c->since = day;
        c->any = true;
        c->state = state;
        if ((!s->has_from || day >= s->from) && (!s->has_until || day <= s->until) &&
            !keep_day(s, day, i, &figures[i]))
            return false;
    }
    return true;
}

/* Every day up to the one before `next`. */
static bool close_days(struct safeguard *s, int32_t next)
{
    bool fine = true;

    for (; fine && s->any && s->at < next && (!s->has_until || s->at <= s->until); s->at++)
        fine = close_day(s, s->at);
    return fine;
}

static bool take_balance(struct safeguard *s, const PGresult *r)
{
    int32_t day = (int32_t)cell_int(r, 0);
    struct account key = {.book_id = cell_int(r, 1), .account_id = cell_int(r, 2)};
    const struct account *a = bsearch(&key, s->accounts, s->n_accounts, sizeof *s->accounts, by_id);

    if (a == NULL) {
        complain("a balance of account %lld, which book %lld does not have",
                 (long long)key.account_id, (long long)key.book_id);
        return false;
    }
    if (!close_days(s, day))
        return false;
    s->any = true;
    s->at = day;
    s->balances[a - s->accounts] = cell_int(r, 3);
    return true;
}

static bool read_days(struct safeguard *s, struct db *db)
{
    char ids[BOOKS_MAX * 12 + 3] = "{";
    const char *values[] = {ids};
    size_t n = 1;
    int more = 1;
    bool fine = true;
    PGresult *r;

    for (size_t i = 0; i < s->n_books; i++)
        n += (size_t)snprintf(ids + n, sizeof ids - n, "%s%lld", i == 0 ? "" : ",",
                              (long long)s->books[i].book_id);
    snprintf(ids + n, sizeof ids - n, "}");
    if (!db_stream(db, sql_days, 1, values))
        return false;
    while (fine && more == 1 && (more = db_row(db, &r)) == 1) {
        fine = take_balance(s, r);
        PQclear(r);
    }
    if (!fine || more < 0)
        return false;
    /* nothing has changed since the last day: it is the last one, unless another was asked for */
    return close_days(s, s->has_until ? s->until + 1 : s->at + 1);
}

static bool all_seen(const struct safeguard *s)
{
    char date[TIMEFMT_DATE_SIZE];

    for (size_t i = 0; i < s->n_stated; i++)
        if (!s->stated[i].seen) {
            complain("%s, line %u: date: %s is not among the days of the books",
                     args_get(s->args, "statement-balances"), s->stated[i].row.line,
                     timefmt_date(s->stated[i].row.day, date));
            return false;
        }
    return true;
}

/* ---------------------------------------------------------------- order */

/* In rupees of the newest rates, for the order alone. */
static amount_t weight(const struct safeguard *s, const struct day *d)
{
    const struct currency *c = &s->currencies[d->ccy];
    amount_t value = d->state == SHORTFALL ? missing(s, &d->f) : -difference(&d->f);

    for (unsigned i = c->digits; i < AMOUNT_DIGITS_MAX; i++)
        value *= 10;
    return d->state == COVERED ? 0 : value * c->pkr_e10;
}

static int by_weight(const void *pa, const void *pb, void *context)
{
    const struct day *a = pa;
    const struct day *b = pb;

    if (a->state != b->state)
        return a->state < b->state ? -1 : 1;
    amount_t wa = weight(context, a);
    amount_t wb = weight(context, b);
    if (wa != wb)
        return wa > wb ? -1 : 1;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    const struct safeguard *s = context;
    return strcmp(s->currencies[a->ccy].code, s->currencies[b->ccy].code);
}

/* ---------------------------------------------------------------- what is shown */

static const char *const state_names[] = {"SHORTFALL", "exchange open", "covered"};

struct texts {
    char day[TIMEFMT_DATE_SIZE], since[TIMEFMT_DATE_SIZE];
    char owed[AMOUNT_TEXT_SIZE], banks[AMOUNT_TEXT_SIZE], to_banks[AMOUNT_TEXT_SIZE];
    char stated[AMOUNT_TEXT_SIZE], difference[AMOUNT_TEXT_SIZE], position[AMOUNT_TEXT_SIZE];
    char missing[AMOUNT_TEXT_SIZE];
};

static void fill(const struct safeguard *s, const struct day *d, bool plain, struct texts *t)
{
    unsigned digits = s->currencies[d->ccy].digits;
    const char *(*text)(amount_t, unsigned, char *) = plain ? amount_plain : amount_shown;
    amount_t lack = missing(s, &d->f);

    timefmt_date(d->day, t->day);
    timefmt_date(d->since, t->since);
    text(d->f.owed, digits, t->owed);
    text(d->f.banks, digits, t->banks);
    text(d->f.to_banks, digits, t->to_banks);
    text(d->f.stated, digits, t->stated);
    text(difference(&d->f), digits, t->difference);
    text(d->f.position, digits, t->position);
    text(lack > 0 ? lack : 0, digits, t->missing);
}

static bool print_csv(const struct safeguard *s, const char *path)
{
    struct output out;

    if (!output_open(path, &out))
        return false;
    (void)fputs("day,currency,owed_to_clients,at_banks,owed_to_banks,stated_less_than_books,"
                "over_or_short,fx_position,shortfall,state,since\r\n",
                out.file);
    for (size_t i = 0; i < s->n_days; i++) {
        const struct day *d = &s->days[i];
        struct texts t;

        fill(s, d, true, &t);
        fprintf(out.file, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\r\n", t.day, s->currencies[d->ccy].code,
                t.owed, t.banks, t.to_banks, t.stated, t.difference, t.position, t.missing,
                state_names[d->state], t.since);
    }
    return output_commit(&out);
}

static json_t *stated_json(const struct safeguard *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_stated; i++) {
        const struct stated *st = &s->stated[i];
        char date[TIMEFMT_DATE_SIZE];
        char bank[AMOUNT_TEXT_SIZE];
        char books[AMOUNT_TEXT_SIZE];
        char off[AMOUNT_TEXT_SIZE];

        json_array_append_new(
            list, json_pack("{ss ss% ss ss ss ss}", "day", timefmt_date(st->row.day, date),
                            "account", st->row.account.p, st->row.account.len, "currency",
                            s->currencies[st->ccy].code, "bank",
                            amount_plain(st->balance, st->digits, bank), "books",
                            amount_plain(st->books, st->digits, books), "difference",
                            amount_plain(st->balance - st->books, st->digits, off)));
    }
    return list;
}

static bool print_json(const struct safeguard *s, bool short_of)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_days; i++) {
        const struct day *d = &s->days[i];
        struct texts t;

        fill(s, d, true, &t);
        json_array_append_new(list, json_pack("{ss ss ss ss ss ss ss ss ss ss ss}", "day", t.day,
                                              "currency", s->currencies[d->ccy].code, "state",
                                              state_names[d->state], "since", t.since,
                                              "owed_to_clients", t.owed, "at_banks", t.banks,
                                              "owed_to_banks", t.to_banks, "stated_less_than_books",
                                              t.stated, "over_or_short", t.difference,
                                              "fx_position", t.position, "shortfall", t.missing));
    }
    return output_json(stdout,
                       json_pack("{sb so so}", "shortfall", short_of, "days", list,
                                 "statement_balances", stated_json(s)),
                       2);
}

static bool print_stated(const struct safeguard *s)
{
    static const struct table_column columns[] = {
        {"day", TABLE_LEFT},        {"account", TABLE_LEFT},    {"ccy", TABLE_LEFT},
        {"bank says", TABLE_RIGHT}, {"books say", TABLE_RIGHT}, {"difference", TABLE_RIGHT}};
    struct table *table = NULL;
    bool fine = s->n_stated == 0 || !err_failed(table_new(columns, 6, &table));

    for (size_t i = 0; fine && i < s->n_stated; i++) {
        const struct stated *st = &s->stated[i];
        char date[TIMEFMT_DATE_SIZE];
        char name[ACCOUNT_CODE_SIZE + BOOK_CODE_SIZE];
        char bank[AMOUNT_TEXT_SIZE];
        char books[AMOUNT_TEXT_SIZE];
        char off[AMOUNT_TEXT_SIZE];

        snprintf(name, sizeof name, "%.*s", SLICE_ARG(st->row.account));
        fine = output_row(table,
                          (const char *const[]){
                              timefmt_date(st->row.day, date), name, s->currencies[st->ccy].code,
                              amount_shown(st->balance, st->digits, bank),
                              amount_shown(st->books, st->digits, books),
                              st->balance == st->books
                                  ? "agrees"
                                  : amount_shown(st->balance - st->books, st->digits, off)});
    }
    if (fine && table != NULL) {
        printf("\nWhat the banks state (positive is money there)\n");
        table_print(table, stdout);
    }
    table_free(&table);
    return fine;
}

/* What an open exchange is, in words, where there is one on the last day. */
static void print_notes(const struct safeguard *s)
{
    int32_t last = INT32_MIN;
    char text[3][AMOUNT_TEXT_SIZE];

    for (size_t i = 0; i < s->n_days; i++)
        last = s->days[i].day > last ? s->days[i].day : last;
    for (size_t i = 0; i < s->n_days; i++) {
        const struct day *d = &s->days[i];
        const struct currency *c = &s->currencies[d->ccy];

        if (d->day != last || difference(&d->f) >= 0)
            continue;
        printf(
            "\n%s is short of %s in its own currency: clients' money for it is held in other currencies, sold but\n"
            "not yet exchanged (position %s).",
            c->code, amount_shown(-difference(&d->f), c->digits, text[0]),
            amount_shown(d->f.position, c->digits, text[1]));
        if (d->f.to_banks > 0)
            printf(
                " Of it, %s is owed to banks, which paid ahead of being\nfunded: their credit, not clients'.",
                amount_shown(d->f.to_banks, c->digits, text[2]));
        putchar('\n');
    }
}

static bool print_table(const struct safeguard *s)
{
    static const struct table_column columns[] = {
        {"day", TABLE_LEFT},          {"ccy", TABLE_LEFT},         {"owed clients", TABLE_RIGHT},
        {"at banks", TABLE_RIGHT},    {"owed banks", TABLE_RIGHT}, {"over/short", TABLE_RIGHT},
        {"fx position", TABLE_RIGHT}, {"state", TABLE_LEFT},       {"since", TABLE_LEFT}};
    struct table *table = NULL;
    bool fine = !err_failed(table_new(columns, 9, &table));
    char text[AMOUNT_TEXT_SIZE];

    for (size_t i = 0; fine && i < s->n_days; i++) {
        const struct day *d = &s->days[i];
        const struct currency *c = &s->currencies[d->ccy];
        char state[AMOUNT_TEXT_SIZE + 16];
        struct texts t;

        fill(s, d, false, &t);
        snprintf(state, sizeof state, "%s%s%s", state_names[d->state],
                 d->state == SHORTFALL ? " " : "",
                 d->state == SHORTFALL ? amount_shown(missing(s, &d->f), c->digits, text) : "");
        if (i > 0 && d->state != d[-1].state)
            fine = output_row(table, NULL);
        fine = fine &&
               output_row(table, (const char *const[]){t.day, c->code, t.owed, t.banks, t.to_banks,
                                                       t.difference, t.position, state, t.since});
    }
    printf("Clients' money by day (Karachi, UTC+5), shortfalls first\n\n");
    if (fine)
        table_print(table, stdout);
    table_free(&table);
    if (fine)
        print_notes(s);
    return fine && print_stated(s);
}

static bool print(struct safeguard *s, bool *short_of)
{
    qsort_r(s->days, s->n_days, sizeof *s->days, by_weight, s);
    *short_of = s->n_days > 0 && s->days[0].state == SHORTFALL;
    if (args_json(s->args))
        return print_json(s, *short_of);
    if (args_has(s->args, "csv"))
        return print_csv(s, args_get(s->args, "csv"));
    return print_table(s);
}

/* ---------------------------------------------------------------- the command */

static bool read_options(struct safeguard *s)
{
    const char *from = args_get(s->args, "from");
    const char *until = args_get(s->args, "until");

    s->has_from = from != NULL;
    s->has_until = until != NULL;
    s->strict = args_has(s->args, "strict");
    if (from != NULL && err_failed(timefmt_parse_date(slice_str(from), &s->from)))
        complain("--from: a date is wanted, such as 2026-07-17, not '%s'", from);
    else if (until != NULL && err_failed(timefmt_parse_date(slice_str(until), &s->until)))
        complain("--until: a date is wanted, such as 2026-07-17, not '%s'", until);
    else if (from != NULL && until != NULL && s->until < s->from)
        complain("--from %s is after --until %s", from, until);
    else if (until != NULL && s->until > timefmt_day_of(clock_realtime_us() + KARACHI_US))
        complain("--until: %s has not come yet", until);
    else if (args_json(s->args) && args_has(s->args, "csv"))
        complain("--json or --csv, not both");
    else
        return true;
    return false;
}

enum exit_code safeguard_run(const struct args *args)
{
    struct safeguard s = {.args = args};
    struct db db;
    struct book *books = NULL;
    enum exit_code code;
    bool short_of = false;

    if (!read_options(&s))
        return EXIT_USAGE;
    code = db_open(args, &db);
    if (code != EXIT_DONE)
        return code;
    buf_init(&s.file, STATED_BYTES_MAX + 65536);
    books = books_read(&db, args, &s.n_books);
    s.books = books;
    code = EXIT_REFUSED;
    if (books != NULL && read_accounts(&s, &db) && read_rates(&s, &db) && read_stated(&s) &&
        read_days(&s, &db) && all_seen(&s) && print(&s, &short_of))
        code = EXIT_DONE;
    if (short_of)
        complain("THERE IS A SHORTFALL: clients are owed more than there is to pay them with");
    buf_deinit(&s.file);
    free(s.accounts);
    free(s.balances);
    free(s.days);
    free(s.stated);
    free(books);
    db_close(&db);
    return short_of ? EXIT_REFUSED : code;
}
