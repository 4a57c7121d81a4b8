#include "audit/known.h"

#include "audit/pages.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHEETS_MAX        200000 /* one a day for five centuries */
#define RATES_MAX         (64U << 20)
#define SHEET_SLOTS       (1U << 19)
#define ACCOUNT_SLOTS     (1U << 15)
#define BENEFICIARY_CACHE (4U << 20)
#define STRIDE            64 /* every so many beneficiaries, the key is kept in memory */
#define MARKS_MAX         (16U << 20)

struct rate {
    uint16_t ccy;
    int64_t pkr_e10;
};

struct mark {
    int64_t id, version;
};

struct known {
    struct sha256 *sha;
    int8_t digits[CCY_PACKED_MAX]; /* -1: no such currency */
    uint16_t of_number[1000];

    struct sheet *sheets; /* by rate_id */
    uint32_t n_sheets, sheets_size;
    struct rate *rates;
    uint32_t n_rates, rates_size;
    uint32_t *sheet_slots; /* by hash: index plus 1 */
    struct policies *policies;

    struct account accounts[ACCOUNTS_MAX];
    int n_accounts;
    uint16_t account_slots[ACCOUNT_SLOTS]; /* by code: index plus 1 */

    struct pages *beneficiaries; /* by id and version */
    uint64_t n_beneficiaries;
    struct mark *marks;
    size_t n_marks, marks_size;
    struct mark last;
};

uint16_t ccy_pack(struct slice code)
{
    uint16_t packed = 0;

    if (code.len != 3)
        return CCY_NONE;
    for (size_t i = 0; i < 3; i++) {
        if (!char_is_upper(code.p[i]))
            return CCY_NONE;
        packed = (uint16_t)(packed * 26 + (code.p[i] - 'A'));
    }
    return (uint16_t)(packed + 1);
}

const char *ccy_unpack(uint16_t ccy, char out[4])
{
    unsigned v = ccy == CCY_NONE ? 0 : ccy - 1U;

    out[2] = (char)('A' + v % 26);
    out[1] = (char)('A' + v / 26 % 26);
    out[0] = (char)('A' + v / 676);
    out[3] = '\0';
    return out;
}

err_t known_new(struct sha256 *sha, struct known **out)
{
    struct known *r = calloc(1, sizeof *r);

    if (r == NULL)
        return err_make(ERR_NO_MEMORY, "known");
    r->sha = sha;
    memset(r->digits, -1, sizeof r->digits);
    r->sheet_slots = calloc(SHEET_SLOTS, sizeof *r->sheet_slots);
    if (r->sheet_slots == NULL || err_failed(policies_new(sha, &r->policies))) {
        known_free(&r);
        return err_make(ERR_NO_MEMORY, "known");
    }
    *out = r;
    return err_none();
}

void known_free(struct known **known)
{
    struct known *r = *known;

    if (r == NULL)
        return;
    free(r->sheets);
    free(r->rates);
    free(r->sheet_slots);
    policies_free(&r->policies);
    free(r->marks);
    pages_close(&r->beneficiaries);
    free(r);
    *known = NULL;
}

err_t known_book(struct known *r)
{
    r->n_accounts = 0;
    memset(r->account_slots, 0, sizeof r->account_slots);
    r->n_beneficiaries = 0;
    r->n_marks = 0;
    r->last = (struct mark){0, 0};
    pages_close(&r->beneficiaries);
    return pages_open(NULL, sizeof(struct beneficiary_entry), BENEFICIARY_CACHE, &r->beneficiaries);
}

/* ---------------------------------------------------------------- currencies */

err_t known_currency(struct known *r, const struct record_currency *c)
{
    uint16_t ccy = ccy_pack(c->code);

    if (ccy == CCY_NONE || c->digits < 0 || c->digits > 4 || c->number < 1 || c->number > 999)
        return err_make(ERR_INVALID, "a currency is not three letters, a number and 0 to 4 digits");
    if (r->digits[ccy] >= 0 || r->of_number[c->number] != CCY_NONE)
        return err_make(ERR_INVALID, "a currency is there twice");
    r->digits[ccy] = (int8_t)c->digits;
    r->of_number[c->number] = ccy;
    return err_none();
}

int known_digits(const struct known *r, uint16_t ccy)
{
    return ccy < CCY_PACKED_MAX ? r->digits[ccy] : -1;
}

uint16_t known_ccy_of_number(const struct known *r, int64_t number)
{
    return number >= 0 && number < 1000 ? r->of_number[number] : CCY_NONE;
}

/* ---------------------------------------------------------------- rate sheets */

/* Room for one more of `n` things of `each` bytes. */
static bool grow(void **store, uint32_t n, uint32_t more, uint32_t *size, size_t each, uint32_t max)
{
    uint32_t wanted = *size == 0 ? 256 : *size;
    void *p;

    if (n + more <= *size)
        return true;
    while (wanted < n + more)
        wanted *= 2;
    if (n + more > max)
        return false;
    p = realloc(*store, wanted * each);
    if (p == NULL)
        return false;
    *store = p;
    *size = wanted;
    return true;
}

static uint32_t slot_of(const hash_t *hash)
{
    uint32_t v = 0;

    memcpy(&v, hash->b, sizeof v);
    return v % SHEET_SLOTS;
}

err_t known_sheet(struct known *r, struct slice bytes, const struct record_rate_sheet *s)
{
    void *sheets = r->sheets;
    void *rates = r->rates;
    struct sheet *sheet;
    uint32_t slot;

    if (r->n_sheets > 0 && s->rate_id <= r->sheets[r->n_sheets - 1].rate_id)
        return err_make(ERR_INVALID, "rate sheets are not in the order of their numbers");
    if (!grow(&sheets, r->n_sheets, 1, &r->sheets_size, sizeof *r->sheets, SHEETS_MAX))
        return err_make(ERR_LIMIT, "more rate sheets than fit");
    r->sheets = sheets;
    if (!grow(&rates, r->n_rates, RECORD_RATES_MAX, &r->rates_size, sizeof *r->rates, RATES_MAX))
        return err_make(ERR_LIMIT, "more rates than fit");
    r->rates = rates;
    sheet = &r->sheets[r->n_sheets];
    *sheet = (struct sheet){sha256_of(r->sha, bytes), s->rate_id, r->n_rates, (uint32_t)s->n_rates};
    for (size_t i = 0; i < s->n_rates; i++) {
        struct rate *rate = &r->rates[r->n_rates++];
        *rate = (struct rate){ccy_pack(s->rates[i].currency), s->rates[i].pkr_e10};
        if (known_digits(r, rate->ccy) < 0 || rate->pkr_e10 <= 0)
            return err_make(ERR_INVALID, "a rate is of no known currency, or not above zero");
    }
    slot = slot_of(&sheet->hash);
    while (r->sheet_slots[slot] != 0)
        slot = (slot + 1) % SHEET_SLOTS;
    r->sheet_slots[slot] = ++r->n_sheets;
    return err_none();
}

const struct sheet *known_sheet_of(const struct known *r, struct slice hash)
{
    hash_t wanted;
    uint32_t slot;

    if (hash.len != HASH_BYTES)
        return NULL;
    memcpy(wanted.b, hash.p, HASH_BYTES);
    slot = slot_of(&wanted);
    while (r->sheet_slots[slot] != 0) {
        const struct sheet *s = &r->sheets[r->sheet_slots[slot] - 1];
        if (hash_equal(&s->hash, &wanted))
            return s;
        slot = (slot + 1) % SHEET_SLOTS;
    }
    return NULL;
}

const struct sheet *known_sheet_of_id(const struct known *r, int64_t rate_id)
{
    uint32_t low = 0;
    uint32_t high = r->n_sheets;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (r->sheets[mid].rate_id == rate_id)
            return &r->sheets[mid];
        if (r->sheets[mid].rate_id < rate_id)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

int64_t known_rate(const struct known *r, const struct sheet *sheet, uint16_t ccy)
{
    for (uint32_t i = 0; i < sheet->n; i++)
        if (r->rates[sheet->first + i].ccy == ccy)
            return r->rates[sheet->first + i].pkr_e10;
    return 0;
}

/* ---------------------------------------------------------------- the policy */

err_t known_policy_change(struct known *r, struct slice bytes, const struct record_policy_change *c)
{
    for (size_t i = 0; i < c->n_changes; i++)
        if (c->changes[i].currency.p != NULL &&
            known_digits(r, ccy_pack(c->changes[i].currency)) < 0)
            return err_make(ERR_INVALID, "a rule of the policy is in no known currency");
    return policies_add(r->policies, bytes, c);
}

const struct policies *known_policies(const struct known *r)
{
    return r->policies;
}

/* ---------------------------------------------------------------- accounts */

/* The chart of accounts (docs/accounting.md): what a role's accounts are. */
static const struct role {
    const char *name, *type, *side;
    bool bank, floor_zero;
} roles[ROLES] = {
    [ROLE_FLOAT] = {"float", "LIABILITY", "credit", false, true},
    [ROLE_CORRESPONDENT] = {"correspondent", "ASSET", "debit", false, false},
    [ROLE_FEE] = {"fee", "INCOME", "credit", false, false},
    [ROLE_MARGIN] = {"margin", "INCOME", "credit", false, false},
    [ROLE_POSITION] = {"position", "POSITION", NULL, false, false},
    [ROLE_PAYABLE] = {"payable", "LIABILITY", "credit", true, false},
    [ROLE_NOSTRO] = {"nostro", "ASSET", "debit", true, false},
    [ROLE_SUSPENSE] = {"suspense", "LIABILITY", "credit", false, false},
    [ROLE_CHARGE] = {"charge", "EXPENSE", "debit", false, false},
    [ROLE_UNCLAIMED] = {"unclaimed", "LIABILITY", "credit", false, true},
    [ROLE_HELD] = {"held", "LIABILITY", "credit", false, true},
};

static uint32_t account_slot(struct slice code)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < code.len; i++)
        h = (h ^ (unsigned char)code.p[i]) * 16777619U;
    return (h ^ (h >> 15)) % ACCOUNT_SLOTS;
}

static err_t check_account(const struct known *r, const struct record_account *a, int role)
{
    char code[ACCOUNT_SIZE];
    int len;

    if (role == ROLES)
        return err_make(ERR_INVALID, "an account has a role that there is not");
    len = a->bank.p == NULL
              ? snprintf(code, sizeof code, "%s.%.*s", roles[role].name, SLICE_ARG(a->currency))
              : snprintf(code, sizeof code, "%s.%.*s.%.*s", roles[role].name, SLICE_ARG(a->bank),
                         SLICE_ARG(a->currency));
    if (len <= 0 || len >= (int)sizeof code || !slice_equal_str(a->code, code))
        return err_make(ERR_INVALID,
                        "an account's code is not that of its role, bank and currency");
    if ((a->bank.p != NULL) != roles[role].bank || (a->bank.p != NULL && bank_pack(a->bank) == 0))
        return err_make(ERR_INVALID, "an account has a bank where it may not, or none");
    if (!slice_equal_str(a->type, roles[role].type) ||
        (roles[role].side != NULL && !slice_equal_str(a->normal_side, roles[role].side)))
        return err_make(ERR_INVALID, "an account's type or normal side is not that of its role");
    if (a->floor_zero != roles[role].floor_zero)
        return err_make(ERR_INVALID, "an account's floor is not that of its role");
    if (known_digits(r, ccy_pack(a->currency)) < 0)
        return err_make(ERR_INVALID, "an account is in no known currency");
    if (a->account_id <= 0 || a->account_id > INT32_MAX ||
        (r->n_accounts > 0 && a->account_id <= r->accounts[r->n_accounts - 1].account_id))
        return err_make(ERR_INVALID, "accounts are not in the order of their numbers");
    if (known_account_of(r, a->code) >= 0)
        return err_make(ERR_INVALID, "an account is there twice");
    return err_none();
}

err_t known_account(struct known *r, const struct record_account *a)
{
    struct account *account;
    uint32_t slot;
    int role = 0;
    err_t err;

    while (role < ROLES && !slice_equal_str(a->role, roles[role].name))
        role++;
    err = check_account(r, a, role);
    if (err_failed(err))
        return err;
    if (r->n_accounts == ACCOUNTS_MAX)
        return err_make(ERR_LIMIT, "more accounts than fit");
    account = &r->accounts[r->n_accounts];
    *account = (struct account){.code_len = (uint32_t)a->code.len,
                                .account_id = (int32_t)a->account_id,
                                .role = (enum account_role)role,
                                .ccy = ccy_pack(a->currency),
                                .bank = bank_pack(a->bank),
                                .floor_zero = a->floor_zero != 0};
    memcpy(account->code, a->code.p, a->code.len);
    slot = account_slot(a->code);
    while (r->account_slots[slot] != 0)
        slot = (slot + 1) % ACCOUNT_SLOTS;
    r->account_slots[slot] = (uint16_t)++r->n_accounts;
    return err_none();
}

int known_account_of(const struct known *r, struct slice code)
{
    uint32_t slot = account_slot(code);

    while (r->account_slots[slot] != 0) {
        const struct account *a = &r->accounts[r->account_slots[slot] - 1];
        if (a->code_len == code.len && memcmp(a->code, code.p, code.len) == 0)
            return r->account_slots[slot] - 1;
        slot = (slot + 1) % ACCOUNT_SLOTS;
    }
    return -1;
}

int known_account_of_id(const struct known *r, int64_t account_id)
{
    int low = 0;
    int high = r->n_accounts;

    /* mostly 1, 2, 3 … */
    if (account_id >= 1 && account_id <= high &&
        r->accounts[account_id - 1].account_id == account_id)
        return (int)account_id - 1;
    while (low < high) {
        int mid = low + (high - low) / 2;
        if (r->accounts[mid].account_id == account_id)
            return mid;
        if (r->accounts[mid].account_id < account_id)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

const struct account *known_account_at(const struct known *r, int index)
{
    assert(index >= 0 && index < r->n_accounts);
    return &r->accounts[index];
}

int known_accounts(const struct known *r)
{
    return r->n_accounts;
}

/* ---------------------------------------------------------------- beneficiaries */

static int mark_compare(const struct mark *a, int64_t id, int64_t version)
{
    if (a->id != id)
        return a->id < id ? -1 : 1;
    return a->version < version ? -1 : a->version > version;
}

err_t known_beneficiary(struct known *r, struct slice bytes, const struct record_beneficiary *b)
{
    struct beneficiary_entry *e;

    if (r->n_beneficiaries > 0 && mark_compare(&r->last, b->beneficiary_id, b->version) >= 0)
        return err_make(ERR_INVALID, "beneficiaries are not in the order of their numbers");
    if (bank_pack(b->bank) == 0)
        return err_make(ERR_INVALID, "a beneficiary's bank is not four letters");
    if (r->n_beneficiaries % STRIDE == 0) {
        if (r->n_marks == r->marks_size) {
            size_t size = r->marks_size == 0 ? 1024 : r->marks_size * 2;
            struct mark *marks =
                size > MARKS_MAX ? NULL : realloc(r->marks, size * sizeof *r->marks);
            if (marks == NULL)
                return err_make(ERR_NO_MEMORY, "beneficiaries");
            r->marks = marks;
            r->marks_size = size;
        }
        r->marks[r->n_marks++] = (struct mark){b->beneficiary_id, b->version};
    }
    e = pages_at(r->beneficiaries, r->n_beneficiaries, true);
    if (e == NULL)
        return pages_error(r->beneficiaries);
    *e = (struct beneficiary_entry){b->beneficiary_id, b->version, bank_pack(b->bank),
                                    sha256_of(r->sha, bytes)};
    r->last = (struct mark){b->beneficiary_id, b->version};
    r->n_beneficiaries++;
    return err_none();
}

err_t known_beneficiary_of(struct known *r, int64_t id, int64_t version,
                           struct beneficiary_entry *out)
{
    uint64_t low = 0;
    uint64_t high = r->n_marks;
    uint64_t at;

    /* the last mark that is not behind it */
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (mark_compare(&r->marks[mid], id, version) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return err_make(ERR_INVALID, "no such beneficiary");
    at = (low - 1) * STRIDE;
    high = at + STRIDE < r->n_beneficiaries ? at + STRIDE : r->n_beneficiaries;
    low = at;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        const struct beneficiary_entry *e = pages_at(r->beneficiaries, mid, false);
        struct mark key;
        int c;

        if (e == NULL)
            return pages_error(r->beneficiaries);
        key = (struct mark){e->id, e->version};
        c = mark_compare(&key, id, version);
        if (c == 0) {
            *out = *e;
            return err_none();
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return err_make(ERR_INVALID, "no such beneficiary");
}
