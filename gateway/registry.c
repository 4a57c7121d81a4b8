#include "gateway/registry.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "ledger/ledger.h"

enum {
    DATA_BYTES_MAX = 64 * 1024 * 1024,
    DATA_CHUNK_BYTES = 256 * 1024,
    LOAD_TIMEOUT_MS = 5000,
    FIRST_LOAD_RETRY_MS = 100,
    CHANNELS = CHANNEL_HOME_REMITTANCE + 1,
};

struct account_key {
    int32_t book_id;
    enum account_role role;
    uint16_t ccy;
    int16_t bank_id;
    int32_t account_id;
};

/* One load: everything in one arena, so that it goes at once. */
struct data {
    struct arena arena;
    struct principal *principals;            /* by uri */
    struct registry_credential *credentials; /* by client_id */
    struct registry_book *books;             /* by id */
    struct registry_bank *banks;             /* by id */
    struct registry_bank **banks_by_code;
    struct account_key *accounts; /* by key */
    size_t n_principals, n_credentials, n_books, n_banks, n_accounts;
    int32_t policy_id; /* the version that the rules are of; 0: none */
    struct policy_rules rules;
    bool has_purposes[CHANNELS]; /* by channel: there are purpose codes for it among the rules */
    int64_t
        policy_over_us; /* when the next version begins, on the monotonic clock; 0: none is coming */
    struct registry_rates rates;
};

struct registry {
    struct registry_config config;
    struct event *timer;
    struct data *current;
    struct data *loading;
    unsigned step; /* index into steps[] of the statement under way */
    bool last_failed;
};

/* ---------------------------------------------------------------- from rows */

/* Copies text that must fit; what does not is left out with the row (the schema's checks keep it from happening). */
static bool take_text(const struct rows *rows, int row, int col, char *out, size_t out_size)
{
    return !err_failed(slice_copy(rows_text(rows, row, col), out, out_size));
}

static enum role role_of(struct slice name)
{
    static const struct {
        const char *name;
        enum role role;
    } names[] = {{"platform", ROLE_PLATFORM},
                 {"bank", ROLE_BANK},
                 {"auditor", ROLE_AUDITOR},
                 {"operator", ROLE_OPERATOR},
                 {"system", ROLE_SYSTEM}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal_str(name, names[i].name))
            return names[i].role;
    return ROLE_NONE;
}

static bool take_principals(struct data *d, const struct rows *rows)
{
    int n = rows_count(rows);
    d->principals = arena_array(&d->arena, (size_t)n, sizeof(*d->principals));
    if (d->principals == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        struct principal *p = &d->principals[d->n_principals];
        const char *slash;
        if (!take_text(rows, i, 1, p->uri, sizeof(p->uri)) ||
            (slash = strrchr(p->uri, '/')) == NULL ||
            err_failed(slice_copy(slice_str(slash + 1), p->code, sizeof(p->code))))
            continue;
        p->principal_id = (int32_t)rows_int(rows, i, 0);
        p->role = role_of(rows_text(rows, i, 2));
        p->book_id = (int32_t)rows_int(rows, i, 3);
        p->bank_id = (int16_t)rows_int(rows, i, 4);
        p->enabled = rows_bool(rows, i, 5);
        d->n_principals++;
    }
    return true;
}

static const struct principal *principal_by_id(const struct data *d, int32_t principal_id)
{
    for (size_t i = 0; i < d->n_principals; i++)
        if (d->principals[i].principal_id == principal_id)
            return &d->principals[i];
    return NULL;
}

static bool take_bytes(const struct rows *rows, int row, int col, uint8_t *out, size_t size)
{
    struct slice bytes = rows_text(rows, row, col);
    if (bytes.len != size)
        return false;
    memcpy(out, bytes.p, size);
    return true;
}

static bool take_credentials(struct data *d, const struct rows *rows)
{
    int n = rows_count(rows);
    d->credentials = arena_array(&d->arena, (size_t)n, sizeof(*d->credentials));
    if (d->credentials == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        struct registry_credential *c = &d->credentials[d->n_credentials];
        c->credential_id = (int32_t)rows_int(rows, i, 0);
        c->principal = principal_by_id(d, (int32_t)rows_int(rows, i, 2));
        c->sandbox = rows_bool(rows, i, 6);
        c->enabled = rows_bool(rows, i, 7);
        d->n_credentials += c->principal != NULL &&
                            take_text(rows, i, 1, c->client_id, sizeof(c->client_id)) &&
                            take_bytes(rows, i, 3, c->secret_salt, sizeof(c->secret_salt)) &&
                            take_bytes(rows, i, 4, c->secret_sha256, sizeof(c->secret_sha256)) &&
                            take_bytes(rows, i, 5, c->token_key, sizeof(c->token_key));
    }
    return true;
}

static bool take_books(struct data *d, const struct rows *rows)
{
    int n = rows_count(rows);
    d->books = arena_array(&d->arena, (size_t)n, sizeof(*d->books));
    if (d->books == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        struct registry_book *b = &d->books[d->n_books];
        b->book_id = (int32_t)rows_int(rows, i, 0);
        d->n_books += take_text(rows, i, 1, b->code, sizeof(b->code));
    }
    return true;
}

static int compare_codes(const void *a, const void *b)
{
    const struct registry_bank *const *x = a;
    const struct registry_bank *const *y = b;
    return strcmp((*x)->code, (*y)->code);
}

static bool take_banks(struct data *d, const struct rows *rows)
{
    int n = rows_count(rows);
    d->banks = arena_array(&d->arena, (size_t)n, sizeof(*d->banks));
    d->banks_by_code = arena_array(&d->arena, (size_t)n, sizeof(struct registry_bank *));
    if (d->banks == NULL || d->banks_by_code == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        struct registry_bank *b = &d->banks[d->n_banks];
        b->bank_id = (int16_t)rows_int(rows, i, 0);
        b->connected = rows_bool(rows, i, 2);
        if (!take_text(rows, i, 3, b->name, sizeof(b->name)))
            b->name[0] = '\0';
        if (take_text(rows, i, 1, b->code, sizeof(b->code)))
            d->banks_by_code[d->n_banks++] = b;
    }
    qsort(d->banks_by_code, d->n_banks, sizeof(struct registry_bank *), compare_codes);
    return true;
}

static enum account_role account_role_of(struct slice name)
{
    static const char *const names[] = {NULL,     "float",    "correspondent", "fee",
                                        "margin", "position", "payable",       "nostro"};
    for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal_str(name, names[i]))
            return (enum account_role)i;
    return 0;
}

static int compare_accounts(const void *a, const void *b)
{
    const struct account_key *x = a, *y = b;
    if (x->book_id != y->book_id)
        return x->book_id < y->book_id ? -1 : 1;
    if (x->role != y->role)
        return x->role < y->role ? -1 : 1;
    if (x->ccy != y->ccy)
        return x->ccy < y->ccy ? -1 : 1;
    return (x->bank_id > y->bank_id) - (x->bank_id < y->bank_id);
}

static bool take_accounts(struct data *d, const struct rows *rows)
{
    int n = rows_count(rows);
    d->accounts = arena_array(&d->arena, (size_t)n, sizeof(*d->accounts));
    if (d->accounts == NULL)
        return false;
    for (int i = 0; i < n; i++)
        d->accounts[i] = (struct account_key){
            .book_id = (int32_t)rows_int(rows, i, 0),
            .account_id = (int32_t)rows_int(rows, i, 1),
            .role = account_role_of(rows_text(rows, i, 2)),
            .ccy = (uint16_t)rows_int(rows, i, 3),
            .bank_id = (int16_t)rows_int(rows, i, 4),
        };
    d->n_accounts = (size_t)n;
    qsort(d->accounts, d->n_accounts, sizeof(*d->accounts), compare_accounts);
    return true;
}

/* Columns of registry_policy.sql. */
enum {
    POLICY_COL_VERSION,
    POLICY_COL_NEXT_US,
    POLICY_COL_KIND,
    POLICY_COL_SCOPE,
    POLICY_COL_CCY,
    POLICY_COL_VALUE,
    POLICY_COL_SET_BY,
};

/* A purpose code in force for a channel: "HOME_REMITTANCE/9471". */
static void note_purpose(struct data *d, const struct policy_rule *rule)
{
    for (size_t c = 0; c < CHANNELS && rule->kind == POLICY_PURPOSE_CODE; c++) {
        struct slice name = slice_str(channel_name((enum channel)c));
        if (slice_starts_with(slice_str(rule->scope), name) && rule->scope[name.len] == '/')
            d->has_purposes[c] = true;
    }
}

static bool take_policy(struct data *d, const struct rows *rows)
{
    int n = rows_count(rows);
    struct policy_rule *rules = arena_array(&d->arena, (size_t)n, sizeof(*rules));
    if (rules == NULL || n == 0)
        return false;
    d->policy_id = (int32_t)rows_int(rows, 0, POLICY_COL_VERSION);
    if (!rows_is_null(rows, 0, POLICY_COL_NEXT_US))
        d->policy_over_us = clock_monotonic_us() + rows_int(rows, 0, POLICY_COL_NEXT_US);
    d->rules.rules = rules;
    for (int i = 0; i < n && !rows_is_null(rows, i, POLICY_COL_KIND); i++) {
        struct policy_rule *rule = &rules[d->rules.n++];
        *rule = (struct policy_rule){
            .kind = (uint16_t)rows_int(rows, i, POLICY_COL_KIND),
            .ccy = (uint16_t)rows_int(rows, i, POLICY_COL_CCY),
            .value = rows_int(rows, i, POLICY_COL_VALUE),
            .policy_id = (int32_t)rows_int(rows, i, POLICY_COL_SET_BY),
        };
        if (!take_text(rows, i, POLICY_COL_SCOPE, rule->scope, sizeof(rule->scope)))
            return false;
        note_purpose(d, rule);
    }
    return policy_rules_are_sorted(&d->rules);
}

static bool take_rates(struct data *d, const struct rows *rows)
{
    int n = rows_count(rows);
    struct registry_rates *rates = &d->rates;
    if (n == 0)
        return true;
    if (n > RATE_SHEET_ENTRIES_MAX || !take_text(rows, 0, 1, rates->source, sizeof(rates->source)))
        return false;
    rates->rate_id = (int32_t)rows_int(rows, 0, 0);
    rates->as_of_us = rows_time_us(rows, 0, 2);
    for (int i = 0; i < n; i++)
        rates->sheet.entries[i] =
            (struct rate_sheet_entry){(uint16_t)rows_int(rows, i, 3), {rows_int(rows, i, 4)}};
    rates->sheet.n = (size_t)n;
    return true;
}

/* ---------------------------------------------------------------- loading */

static const struct {
    const char *statement;
    bool (*take)(struct data *d, const struct rows *rows);
} steps[] = {
    {"registry_principals", take_principals}, {"registry_credentials", take_credentials},
    {"registry_books", take_books},           {"registry_banks", take_banks},
    {"registry_accounts", take_accounts},     {"registry_policy", take_policy},
    {"registry_rates", take_rates},
};
enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

static void data_free(struct data **d)
{
    if (*d == NULL)
        return;
    if ((*d)->credentials != NULL)
        explicit_bzero((*d)->credentials, (*d)->n_credentials * sizeof(*(*d)->credentials));
    arena_deinit(&(*d)->arena);
    free(*d);
    *d = NULL;
}

static void sleep_until_next(struct registry *r, bool worked)
{
    /* A worker that has nothing yet serves nobody: it asks more often. */
    uint32_t ms = r->current == NULL && r->config.refresh_ms > FIRST_LOAD_RETRY_MS
                      ? FIRST_LOAD_RETRY_MS
                      : r->config.refresh_ms;
    int64_t us = ms * US_PER_MS;
    if (worked && r->current != NULL && r->current->policy_over_us != 0) {
        /* Not before: it would find the same version. A millisecond is for a clock that runs behind. */
        int64_t left = r->current->policy_over_us - clock_monotonic_us() + US_PER_MS;
        us = left < US_PER_MS ? US_PER_MS : left < us ? left : us;
    }
    struct timeval pause = {us / US_PER_SEC, (suseconds_t)(us % US_PER_SEC)};
    (void)event_add(r->timer, &pause);
}

static void load_ended(struct registry *r, bool worked)
{
    if (worked) {
        data_free(&r->current);
        r->current = r->loading;
        r->loading = NULL;
    }
    data_free(&r->loading);
    sleep_until_next(r, worked);
    if (worked && r->config.on_load != NULL)
        r->config.on_load(r->config.user);
    if (worked == !r->last_failed)
        return;
    r->last_failed = !worked;
    if (worked)
        log_info(r->config.log, "registry.loaded", log_uint("principals", r->current->n_principals),
                 log_uint("books", r->current->n_books), log_uint("banks", r->current->n_banks),
                 log_int("rate_sheet", r->current->rates.rate_id));
    else
        log_warn(r->config.log, "registry.not_loaded",
                 log_bool("old_one_kept", r->current != NULL));
    if (r->config.on_state != NULL)
        r->config.on_state(r->config.user, r->current != NULL);
}

static void ask(struct registry *r);

static void on_rows(void *user, enum ledger_outcome outcome, reason_t reason,
                    const struct rows *rows)
{
    struct registry *r = user;
    (void)reason;
    if (outcome != LEDGER_DONE || !steps[r->step].take(r->loading, rows)) {
        load_ended(r, false);
        return;
    }
    if (++r->step == STEPS)
        load_ended(r, true);
    else
        ask(r);
}

static void ask(struct registry *r)
{
    struct params params;
    params_init(&params);
    ledger_query(r->config.ledger, steps[r->step].statement, &params,
                 clock_monotonic_us() + LOAD_TIMEOUT_MS * US_PER_MS, on_rows, r);
    params_deinit(&params);
}

static void begin_load(struct registry *r)
{
    assert(r->loading == NULL);
    r->loading = calloc(1, sizeof(*r->loading));
    if (r->loading == NULL) {
        sleep_until_next(r, false);
        return;
    }
    arena_init(&r->loading->arena, DATA_CHUNK_BYTES, DATA_BYTES_MAX);
    r->step = 0;
    ask(r);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    begin_load(user);
}

err_t registry_new(const struct registry_config *config, struct registry **out)
{
    *out = NULL;
    struct registry *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return err_make(ERR_NO_MEMORY, "registry");
    r->config = *config;
    r->last_failed = true;
    r->timer = evtimer_new(config->base, on_timer, r);
    if (r->timer == NULL) {
        free(r);
        return err_make(ERR_NO_MEMORY, "registry's timer");
    }
    *out = r;
    begin_load(r);
    return err_none();
}

void registry_free(struct registry **r)
{
    if (*r == NULL)
        return;
    event_free((*r)->timer);
    data_free(&(*r)->loading);
    data_free(&(*r)->current);
    free(*r);
    *r = NULL;
}

bool registry_is_loaded(const struct registry *r)
{
    return r->current != NULL;
}

/* ---------------------------------------------------------------- looking up */

static int compare_uri(const void *key, const void *element)
{
    const struct slice *uri = key;
    const struct principal *p = element;
    return slice_compare(*uri, slice_str(p->uri));
}

const struct principal *registry_principal(const struct registry *r, struct slice uri)
{
    const struct data *d = r->current;
    return d == NULL || d->n_principals == 0
               ? NULL
               : bsearch(&uri, d->principals, d->n_principals, sizeof(*d->principals), compare_uri);
}

static int compare_client_id(const void *key, const void *element)
{
    const struct slice *client_id = key;
    const struct registry_credential *c = element;
    return slice_compare(*client_id, slice_str(c->client_id));
}

const struct registry_credential *registry_credential(const struct registry *r,
                                                      struct slice client_id)
{
    const struct data *d = r->current;
    return d == NULL || d->n_credentials == 0
               ? NULL
               : bsearch(&client_id, d->credentials, d->n_credentials, sizeof(*d->credentials),
                         compare_client_id);
}

const struct registry_credential *registry_credential_by_id(const struct registry *r,
                                                            int32_t credential_id)
{
    const struct data *d = r->current;
    for (size_t i = 0; d != NULL && i < d->n_credentials; i++)
        if (d->credentials[i].credential_id == credential_id)
            return &d->credentials[i];
    return NULL;
}

const struct registry_book *registry_book_by_code(const struct registry *r, struct slice code)
{
    const struct data *d = r->current;
    for (size_t i = 0; d != NULL && i < d->n_books; i++)
        if (slice_equal_str(code, d->books[i].code))
            return &d->books[i];
    return NULL;
}

const struct registry_bank *registry_bank(const struct registry *r, int16_t bank_id)
{
    const struct data *d = r->current;
    for (size_t i = 0; d != NULL && i < d->n_banks; i++)
        if (d->banks[i].bank_id == bank_id)
            return &d->banks[i];
    return NULL;
}

static int compare_code(const void *key, const void *element)
{
    const struct slice *code = key;
    const struct registry_bank *const *bank = element;
    return slice_compare(*code, slice_str((*bank)->code));
}

const struct registry_bank *registry_bank_by_code(const struct registry *r, struct slice code)
{
    const struct data *d = r->current;
    if (d == NULL || d->n_banks == 0)
        return NULL;
    struct registry_bank *const *found =
        bsearch(&code, d->banks_by_code, d->n_banks, sizeof(struct registry_bank *), compare_code);
    return found == NULL ? NULL : *found;
}

const struct registry_bank *registry_bank_at(const struct registry *r, size_t i)
{
    const struct data *d = r->current;
    return d != NULL && i < d->n_banks ? d->banks_by_code[i] : NULL;
}

int32_t registry_account(const struct registry *r, int32_t book_id, enum account_role role,
                         uint16_t ccy, int16_t bank_id)
{
    const struct data *d = r->current;
    struct account_key key = {book_id, role, ccy, bank_id, 0};
    if (d == NULL || d->n_accounts == 0)
        return 0;
    const struct account_key *found =
        bsearch(&key, d->accounts, d->n_accounts, sizeof(key), compare_accounts);
    return found == NULL ? 0 : found->account_id;
}

int32_t registry_policy_id(const struct registry *r)
{
    return r->current == NULL ? 0 : r->current->policy_id;
}

const struct policy_rules *registry_rules(const struct registry *r)
{
    static const struct policy_rules none = {NULL, 0};
    return r->current == NULL ? &none : &r->current->rules;
}

bool registry_terms(const struct registry *r, int32_t book_id, uint16_t ccy,
                    struct policy_terms *out)
{
    const struct data *d = r->current;
    for (size_t i = 0; d != NULL && i < d->n_books; i++)
        if (d->books[i].book_id == book_id)
            return policy_terms(&d->rules, slice_str(d->books[i].code), ccy, out);
    return false;
}

bool registry_purpose_in_force(const struct registry *r, enum channel channel, struct slice code)
{
    char scope[POLICY_SCOPE_SIZE];
    const struct data *d = r->current;
    if (d == NULL || !d->has_purposes[channel])
        return true;
    int len = snprintf(scope, sizeof(scope), "%s/%.*s", channel_name(channel), SLICE_ARG(code));
    return len > 0 && len < (int)sizeof(scope) &&
           policy_find(&d->rules, POLICY_PURPOSE_CODE, slice_str(scope), 0) != NULL;
}

const struct registry_rates *registry_rates(const struct registry *r)
{
    return r->current == NULL || r->current->rates.rate_id == 0 ? NULL : &r->current->rates;
}
