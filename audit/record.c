#include "audit/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [RECORD_NONE] = NULL,
    [RECORD_LOG] = "ujrat/log/1",
    [RECORD_CURRENCY] = "ujrat/currency/1",
    [RECORD_RATE_SHEET] = "ujrat/rate-sheet/1",
    [RECORD_POLICY_CHANGE] = "ujrat/policy-change/1",
    [RECORD_BOOK] = "ujrat/book/1",
    [RECORD_KEY] = "ujrat/key/1",
    [RECORD_ACCOUNT] = "ujrat/account/1",
    [RECORD_BENEFICIARY] = "ujrat/beneficiary/1",
    [RECORD_JOURNAL] = "ujrat/journal/1",
    [RECORD_BALANCE] = "ujrat/balance/1",
    [RECORD_BLOCK] = "ujrat/block/1",
    [RECORD_TREE_HEAD] = "ujrat/tree-head/1",
    [RECORD_END] = "ujrat/end/1",
    [RECORD_SIGNED] = "ujrat/signed/1",
    [RECORD_QUOTE] = "ujrat/quote/1",
    [RECORD_POLICY] = "ujrat/policy/1",
    [RECORD_PII] = "ujrat/pii/1",
    [RECORD_PII_OPEN] = "ujrat/pii-open/1",
};
#define KINDS (sizeof names / sizeof names[0])

/* Of payouts and quotes that say which version of the policy priced them. */
static const char *const second[KINDS] = {
    [RECORD_JOURNAL] = "ujrat/journal/2",
    [RECORD_QUOTE] = "ujrat/quote/2",
};

static const char *const subjects[] = {
    [SUBJECT_NONE] = "none",
    [SUBJECT_PAYOUT] = "payout",
    [SUBJECT_TRANSITION] = "transition",
    [SUBJECT_HANDOUT] = "handout",
    [SUBJECT_DEPOSIT] = "deposit",
    [SUBJECT_ADJUSTMENT] = "adjustment",
    [SUBJECT_UNCLAIMED] = "unclaimed",
    [SUBJECT_UNCLAIMED_END] = "unclaimed_end",
    [SUBJECT_HOLD] = "hold",
    [SUBJECT_HOLD_END] = "hold_end",
};
#define SUBJECTS (sizeof subjects / sizeof subjects[0])

#define ABSENT 0xffffffffU

const char *record_name(enum record_kind kind)
{
    return names[kind];
}

const char *record_subject_name(enum record_subject subject)
{
    return subjects[subject];
}

static inline uint32_t load32(const unsigned char *p)
{
    uint32_t v = 0;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t v = 0;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

/* ---------------------------------------------------------------- decoding */

/* The first fault stays; after it everything reads as nothing, so that a record is read in a row and asked once. */
struct reader {
    const unsigned char *p, *end, *begin;
    struct record_fault *fault;
    bool is_second; /* the record is of its kind's second version */
};

static void fail(struct reader *r, const char *field, const char *what, const unsigned char *at)
{
    if (r->fault->what == NULL)
        *r->fault = (struct record_fault){field, what, (size_t)(at - r->begin)};
    r->p = r->end;
}

/* RFC 3629, without U+0000, which no text of the ledger can have. */
static bool is_text(const unsigned char *p, size_t len)
{
    const unsigned char *end = p + len;

    while (p < end) {
        unsigned char c = *p;
        size_t more;
        unsigned char low = 0x80;
        unsigned char high = 0xbf;

        if (c < 0x80) {
            if (c == 0)
                return false;
            p++;
            continue;
        }
        if (c >= 0xc2 && c <= 0xdf)
            more = 1;
        else if (c >= 0xe0 && c <= 0xef)
            more = 2;
        else if (c >= 0xf0 && c <= 0xf4)
            more = 3;
        else
            return false;
        low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
        high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
        if ((size_t)(end - p) <= more || p[1] < low || p[1] > high)
            return false;
        for (size_t i = 2; i <= more; i++)
            if (p[i] < 0x80 || p[i] > 0xbf)
                return false;
        p += more + 1;
    }
    return true;
}

/* What is right of the length; absent: p is NULL. */
static inline struct slice get(struct reader *r, const char *field, bool may_be_absent)
{
    const unsigned char *at = r->p;
    uint32_t len;

    if (r->end - at < 4) {
        fail(r, field, "is missing: the record ends before it", at);
        return slice_of(NULL, 0);
    }
    len = load32(at);
    if (len == ABSENT) {
        if (!may_be_absent)
            fail(r, field, "is absent", at);
        else
            r->p = at + 4;
        return slice_of(NULL, 0);
    }
    if (len > RECORD_FIELD_BYTES_MAX) {
        fail(r, field, "is longer than 1 MiB", at);
        return slice_of(NULL, 0);
    }
    if ((size_t)(r->end - at) - 4 < len) {
        fail(r, field, "is longer than what is left of the record", at);
        return slice_of(NULL, 0);
    }
    r->p = at + 4 + len;
    return slice_of(at + 4, len);
}

static inline struct slice get_text(struct reader *r, const char *field, bool may_be_absent)
{
    const unsigned char *at = r->p;
    struct slice s = get(r, field, may_be_absent);

    if (s.p != NULL && !is_text((const unsigned char *)s.p, s.len))
        fail(r, field, "is not UTF-8", at);
    return s;
}

static inline struct slice get_bytes(struct reader *r, const char *field, size_t len,
                                     bool may_be_absent)
{
    const unsigned char *at = r->p;
    struct slice s = get(r, field, may_be_absent);

    if (s.p != NULL && s.len != len)
        fail(r, field, "does not have the length it must have", at);
    return s;
}

static inline int64_t get_int(struct reader *r, const char *field)
{
    const unsigned char *at = r->p;

    /* the usual, in one look */
    if (r->end - at >= 12 && load32(at) == 8) {
        r->p = at + 12;
        return (int64_t)load64(at + 4);
    }
    if (get(r, field, false).p != NULL)
        fail(r, field, "is not 8 bytes long", at);
    return 0;
}

static inline struct opt_int get_opt_int(struct reader *r, const char *field)
{
    if (r->end - r->p >= 4 && load32(r->p) == ABSENT) {
        r->p += 4;
        return (struct opt_int){false, 0};
    }
    return (struct opt_int){true, get_int(r, field)};
}

static struct reader begin(struct slice bytes, enum record_kind kind, struct record_fault *fault)
{
    struct reader r = {(const unsigned char *)bytes.p, NULL, (const unsigned char *)bytes.p, fault,
                       false};
    struct slice name;

    *fault = (struct record_fault){NULL, NULL, 0};
    if (bytes.p == NULL)
        r.p = r.begin = (const unsigned char *)"";
    r.end = r.p + bytes.len;
    name = get(&r, "kind of record", false);
    r.is_second = second[kind] != NULL && slice_equal_str(name, second[kind]);
    if (fault->what == NULL && !r.is_second && !slice_equal_str(name, names[kind]))
        fail(&r, "kind of record", "is another than the one that belongs here", r.begin);
    return r;
}

static bool finish(struct reader *r)
{
    if (r->fault->what == NULL && r->p != r->end)
        fail(r, "end", "is not here: bytes follow the last field", r->p);
    return r->fault->what == NULL;
}

enum record_kind record_kind_of(struct slice bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    uint32_t len;

    if (bytes.len < 4)
        return RECORD_NONE;
    len = load32(p);
    if (len > bytes.len - 4)
        return RECORD_NONE;
    for (unsigned k = RECORD_NONE + 1; k < KINDS; k++)
        if (slice_equal_str(slice_of(p + 4, len), names[k]) ||
            (second[k] != NULL && slice_equal_str(slice_of(p + 4, len), second[k])))
            return (enum record_kind)k;
    return RECORD_NONE;
}

#define TEXT(f)      r->f = get_text(&in, #f, false)
#define OPT_TEXT(f)  r->f = get_text(&in, #f, true)
#define INT(f)       r->f = get_int(&in, #f)
#define INT_AS(f, n) r->f = get_int(&in, n)
#define HASH(f)      r->f = get_bytes(&in, #f, RECORD_HASH_BYTES, false)
#define OPT_HASH(f)  r->f = get_bytes(&in, #f, RECORD_HASH_BYTES, true)
#define BYTES(f, n)  r->f = get_bytes(&in, #f, n, false)

bool record_read_log(struct slice bytes, struct record_log *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_LOG, fault);

    INT_AS(exported_at_us, "exported_at");
    TEXT(program);
    return finish(&in);
}

bool record_read_currency(struct slice bytes, struct record_currency *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_CURRENCY, fault);

    TEXT(code);
    INT(number);
    INT(digits);
    return finish(&in);
}

bool record_read_rate_sheet(struct slice bytes, struct record_rate_sheet *r,
                            struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_RATE_SHEET, fault);
    const unsigned char *at;
    int64_t n;

    INT(rate_id);
    TEXT(source);
    INT_AS(sheet_date_days, "sheet_date");
    INT_AS(as_of_us, "as_of");
    INT_AS(imported_at_us, "imported_at");
    TEXT(file_name);
    HASH(file_sha256);
    TEXT(author);
    at = in.p;
    n = get_int(&in, "rates");
    if (n < 0 || n > RECORD_RATES_MAX) {
        fail(&in, "rates", "are more than there can be", at);
        n = 0;
    }
    r->n_rates = (size_t)n;
    for (size_t i = 0; i < r->n_rates; i++) {
        r->rates[i].currency = get_text(&in, "rates: currency", false);
        r->rates[i].pkr_e10 = get_int(&in, "rates: pkr_e10");
    }
    return finish(&in);
}

bool record_read_policy_change(struct slice bytes, struct record_policy_change *r,
                               struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_POLICY_CHANGE, fault);
    const unsigned char *at;
    int64_t n;

    INT(policy_id);
    INT_AS(effective_at_us, "effective_at");
    TEXT(reason);
    TEXT(source);
    OPT_HASH(source_sha256);
    INT(opening);
    TEXT(proposed_by);
    INT_AS(proposed_at_us, "proposed_at");
    TEXT(approved_by);
    INT_AS(approved_at_us, "approved_at");
    at = in.p;
    n = get_int(&in, "changes");
    if (n < 0 || n > RECORD_CHANGES_MAX) {
        fail(&in, "changes", "are more than a version can have", at);
        n = 0;
    }
    r->n_changes = (size_t)n;
    for (size_t i = 0; i < r->n_changes; i++) {
        r->changes[i].rule = get_text(&in, "change: rule", false);
        r->changes[i].scope = get_text(&in, "change: scope", false);
        r->changes[i].currency = get_text(&in, "change: currency", true);
        r->changes[i].value = get_opt_int(&in, "change: value");
    }
    return finish(&in);
}

bool record_read_book(struct slice bytes, struct record_book *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_BOOK, fault);

    TEXT(code);
    TEXT(name);
    INT_AS(created_at_us, "created_at");
    return finish(&in);
}

bool record_read_key(struct slice bytes, struct record_key *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_KEY, fault);

    TEXT(book);
    TEXT(key_id);
    BYTES(public_key, RECORD_KEY_BYTES);
    INT(from_block);
    INT_AS(created_at_us, "created_at");
    return finish(&in);
}

bool record_read_account(struct slice bytes, struct record_account *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_ACCOUNT, fault);

    TEXT(book);
    INT(account_id);
    TEXT(code);
    TEXT(role);
    TEXT(type);
    TEXT(normal_side);
    TEXT(currency);
    OPT_TEXT(bank);
    INT(floor_zero);
    INT_AS(created_at_us, "created_at");
    return finish(&in);
}

bool record_read_beneficiary(struct slice bytes, struct record_beneficiary *r,
                             struct record_fault *fault)
{
    static const char *const which[] = {"name commitment", "iban commitment", "mobile commitment",
                                        "cnic commitment", "pseb commitment"};
    struct reader in = begin(bytes, RECORD_BENEFICIARY, fault);

    TEXT(book);
    INT(beneficiary_id);
    INT(version);
    TEXT(bank);
    INT(channel);
    TEXT(purpose_code);
    for (size_t i = 0; i < 5; i++)
        r->commitments[i] = get_bytes(&in, which[i], RECORD_HASH_BYTES, true);
    TEXT(actor);
    INT_AS(created_at_us, "created_at");
    return finish(&in);
}

bool record_read_quote(struct slice bytes, struct record_quote *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_QUOTE, fault);

    TEXT(book);
    INT(quote_id);
    TEXT(request_id);
    BYTES(fingerprint, 16);
    TEXT(src_ccy);
    TEXT(dst_ccy);
    INT(digit_shift);
    HASH(rate_sheet);
    INT(gross);
    INT(fee);
    INT(mid_rate_e10);
    INT(mid_value);
    INT(margin_bps);
    INT(margin);
    INT(net);
    TEXT(actor);
    INT_AS(created_at_us, "created_at");
    INT_AS(expires_at_us, "expires_at");
    r->policy = slice_of(NULL, 0);
    if (in.is_second)
        HASH(policy);
    return finish(&in);
}

static void read_payout(struct reader *reader, struct record_payout *r)
{
    struct reader in = *reader;

    TEXT(reference);
    OPT_TEXT(info);
    TEXT(bank);
    TEXT(src_ccy);
    TEXT(dst_ccy);
    INT(gross);
    INT(fee);
    INT(mid_rate_e10);
    INT(mid_value);
    INT(margin_bps);
    INT(margin);
    INT(net);
    INT(digit_shift);
    BYTES(fingerprint, 16);
    INT(beneficiary_id);
    INT(beneficiary_version);
    HASH(beneficiary);
    HASH(rate_sheet);
    r->quote = get(&in, "quote", true);
    r->policy = slice_of(NULL, 0);
    if (in.is_second)
        HASH(policy);
    *reader = in;
}

static void read_transition(struct reader *reader, struct record_transition *r)
{
    struct reader in = *reader;

    INT(step);
    INT(state);
    OPT_TEXT(reason_code);
    OPT_TEXT(bank_reference);
    r->tax_withheld = get_opt_int(&in, "tax_withheld");
    OPT_TEXT(eprc_number);
    *reader = in;
}

static void read_handout(struct reader *reader, struct record_handout *r)
{
    struct reader in = *reader;

    TEXT(bank);
    INT(prev_payout_id);
    INT(last_payout_id);
    *reader = in;
}

static void read_deposit(struct reader *reader, struct record_deposit *r)
{
    struct reader in = *reader;

    TEXT(reference);
    TEXT(currency);
    INT(amount);
    *reader = in;
}

static void read_adjustment(struct reader *reader, struct record_adjustment *r)
{
    struct reader in = *reader;

    INT(proposal);
    TEXT(reason);
    OPT_HASH(evidence);
    TEXT(proposed_by);
    INT_AS(proposed_at_us, "proposed_at");
    *reader = in;
}

static void read_unclaimed(struct reader *reader, struct record_unclaimed *r)
{
    struct reader in = *reader;

    TEXT(reference);
    OPT_TEXT(info);
    TEXT(currency);
    INT(gross);
    INT(batch_id);
    INT(item_no);
    INT_AS(expires_at_us, "expires_at");
    *reader = in;
}

static void read_unclaimed_end(struct reader *reader, struct record_unclaimed_end *r)
{
    struct reader in = *reader;

    INT(outcome);
    r->payout_id = get_opt_int(&in, "payout_id");
    *reader = in;
}

static void read_hold(struct reader *reader, struct record_hold *r)
{
    struct reader in = *reader;

    INT(hold_no);
    TEXT(reason);
    OPT_HASH(detail);
    OPT_HASH(evidence);
    INT_AS(deadline_us, "deadline");
    *reader = in;
}

static void read_hold_end(struct reader *reader, struct record_hold_end *r)
{
    struct reader in = *reader;

    INT(hold_no);
    INT(outcome);
    TEXT(first_by);
    TEXT(second_by);
    HASH(first_note);
    HASH(second_note);
    *reader = in;
}

static void read_subject(struct reader *in, struct record_journal *r)
{
    const unsigned char *at = in->p;
    struct slice name = get(in, "subject", false);
    unsigned s = 0;

    while (s < SUBJECTS && !slice_equal_str(name, subjects[s]))
        s++;
    if (s == SUBJECTS) {
        fail(in, "subject", "is none that there is", at);
        s = SUBJECT_NONE;
    }
    r->subject = (enum record_subject)s;
    if (in->is_second && r->subject != SUBJECT_PAYOUT)
        fail(in, "subject", "is not that of a journal with a policy, a payout", at);
    switch (r->subject) {
    case SUBJECT_NONE:
        break;
    case SUBJECT_PAYOUT:
        read_payout(in, &r->payout);
        break;
    case SUBJECT_TRANSITION:
        read_transition(in, &r->transition);
        break;
    case SUBJECT_HANDOUT:
        read_handout(in, &r->handout);
        break;
    case SUBJECT_DEPOSIT:
        read_deposit(in, &r->deposit);
        break;
    case SUBJECT_ADJUSTMENT:
        read_adjustment(in, &r->adjustment);
        break;
    case SUBJECT_UNCLAIMED:
        read_unclaimed(in, &r->unclaimed);
        break;
    case SUBJECT_UNCLAIMED_END:
        read_unclaimed_end(in, &r->unclaimed_end);
        break;
    case SUBJECT_HOLD:
        read_hold(in, &r->hold);
        break;
    case SUBJECT_HOLD_END:
        read_hold_end(in, &r->hold_end);
        break;
    }
}

bool record_read_journal(struct slice bytes, struct record_journal *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_JOURNAL, fault);
    const unsigned char *at;
    int64_t n;

    TEXT(book);
    INT(seq);
    INT(block_no);
    INT_AS(committed_at_us, "committed_at");
    TEXT(kind);
    TEXT(actor);
    r->payout_id = get_opt_int(&in, "payout_id");
    r->reverses_seq = get_opt_int(&in, "reverses_seq");
    OPT_TEXT(detail);
    at = in.p;
    n = get_int(&in, "lines");
    if (n < 0 || n > RECORD_LINES_MAX) {
        fail(&in, "lines", "are more than a journal can have", at);
        n = 0;
    }
    r->n_lines = (size_t)n;
    for (size_t i = 0; i < r->n_lines; i++) {
        r->lines[i].account = get_text(&in, "line: account", false);
        r->lines[i].currency = get_text(&in, "line: currency", false);
        r->lines[i].amount = get_int(&in, "line: amount");
    }
    read_subject(&in, r);
    return finish(&in);
}

bool record_read_balance(struct slice bytes, struct record_balance *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_BALANCE, fault);

    TEXT(book);
    TEXT(account);
    INT(block_no);
    INT(prev_block_no);
    INT(balance_before);
    INT(change);
    INT(balance);
    INT(debit_count);
    INT(credit_count);
    return finish(&in);
}

bool record_read_block(struct slice bytes, struct record_block *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_BLOCK, fault);

    TEXT(book);
    INT(block_no);
    INT(first_seq);
    INT(last_seq);
    INT_AS(committed_at_us, "committed_at");
    HASH(journal_root);
    HASH(prev);
    return finish(&in);
}

bool record_read_tree_head(struct slice bytes, struct record_tree_head *r,
                           struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_TREE_HEAD, fault);

    TEXT(book);
    INT(tree_size);
    HASH(root);
    INT_AS(signed_at_us, "signed_at");
    return finish(&in);
}

bool record_read_end(struct slice bytes, struct record_end *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_END, fault);

    INT(items);
    HASH(sha256);
    return finish(&in);
}

bool record_read_signed(struct slice bytes, struct record_signed *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_SIGNED, fault);

    r->record = get(&in, "record", false);
    TEXT(key_id);
    BYTES(signature, RECORD_SIGNATURE_BYTES);
    return finish(&in);
}

bool record_read_pii(struct slice bytes, struct record_pii *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_PII, fault);

    TEXT(which);
    BYTES(salt, 16);
    TEXT(value);
    return finish(&in);
}

bool record_read_pii_open(struct slice bytes, struct record_pii_open *r, struct record_fault *fault)
{
    struct reader in = begin(bytes, RECORD_PII_OPEN, fault);

    for (size_t i = 0; i < 5; i++) {
        const unsigned char *at = in.p;

        r->salts[i] = get_bytes(&in, "salt", 16, true);
        r->values[i] = get_text(&in, "value", true);
        if ((r->salts[i].p == NULL) != (r->values[i].p == NULL))
            fail(&in, "value", "is there without its salt, or the other way round", at);
    }
    return finish(&in);
}

#undef TEXT
#undef OPT_TEXT
#undef INT
#undef INT_AS
#undef HASH
#undef OPT_HASH
#undef BYTES

/* ---------------------------------------------------------------- encoding */

#define OUT_BYTES_MAX (64U << 20)

void record_out_free(struct record_out *out)
{
    free(out->store);
    *out = (struct record_out){0};
}

static bool grow(struct record_out *out, size_t more)
{
    size_t size = out->size == 0 ? 4096 : out->size;
    unsigned char *store;

    while (size - out->len < more && size < OUT_BYTES_MAX)
        size *= 2;
    store = size - out->len < more ? NULL : realloc(out->store, size);
    if (store == NULL) {
        out->bad = true;
        return false;
    }
    out->store = store;
    out->size = size;
    return true;
}

static inline unsigned char *room(struct record_out *out, size_t len)
{
    unsigned char *p;

    if (out->size - out->len < len && !grow(out, len))
        return NULL;
    p = out->store + out->len;
    out->len += len;
    return p;
}

static inline void store32(unsigned char *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

/* A slice without a p is an absent field. */
static inline void put(struct record_out *out, struct slice s)
{
    unsigned char *p;

    if (s.p == NULL) {
        p = room(out, 4);
        if (p != NULL)
            store32(p, ABSENT);
        return;
    }
    if (s.len > RECORD_FIELD_BYTES_MAX) {
        out->bad = true;
        return;
    }
    p = room(out, 4 + s.len);
    if (p == NULL)
        return;
    store32(p, (uint32_t)s.len);
    memcpy(p + 4, s.p, s.len);
}

static inline void put_int(struct record_out *out, int64_t value)
{
    unsigned char *p = room(out, 12);
    uint64_t v = __builtin_bswap64((uint64_t)value);

    if (p == NULL)
        return;
    store32(p, 8);
    memcpy(p + 4, &v, sizeof v);
}

static inline void put_opt_int(struct record_out *out, struct opt_int value)
{
    if (value.has)
        put_int(out, value.value);
    else
        put(out, slice_of(NULL, 0));
}

static void open_named(struct record_out *out, const char *name)
{
    out->len = 0;
    out->bad = false;
    put(out, slice_str(name));
}

static void open_record(struct record_out *out, enum record_kind kind)
{
    open_named(out, names[kind]);
}

bool record_write_log(struct record_out *out, const struct record_log *r)
{
    open_record(out, RECORD_LOG);
    put_int(out, r->exported_at_us);
    put(out, r->program);
    return !out->bad;
}

bool record_write_currency(struct record_out *out, const struct record_currency *r)
{
    open_record(out, RECORD_CURRENCY);
    put(out, r->code);
    put_int(out, r->number);
    put_int(out, r->digits);
    return !out->bad;
}

bool record_write_rate_sheet(struct record_out *out, const struct record_rate_sheet *r)
{
    assert(r->n_rates <= RECORD_RATES_MAX);
    open_record(out, RECORD_RATE_SHEET);
    put_int(out, r->rate_id);
    put(out, r->source);
    put_int(out, r->sheet_date_days);
    put_int(out, r->as_of_us);
    put_int(out, r->imported_at_us);
    put(out, r->file_name);
    put(out, r->file_sha256);
    put(out, r->author);
    put_int(out, (int64_t)r->n_rates);
    for (size_t i = 0; i < r->n_rates; i++) {
        put(out, r->rates[i].currency);
        put_int(out, r->rates[i].pkr_e10);
    }
    return !out->bad;
}

bool record_write_policy_change(struct record_out *out, const struct record_policy_change *r)
{
    assert(r->n_changes <= RECORD_CHANGES_MAX);
    open_record(out, RECORD_POLICY_CHANGE);
    put_int(out, r->policy_id);
    put_int(out, r->effective_at_us);
    put(out, r->reason);
    put(out, r->source);
    put(out, r->source_sha256);
    put_int(out, r->opening);
    put(out, r->proposed_by);
    put_int(out, r->proposed_at_us);
    put(out, r->approved_by);
    put_int(out, r->approved_at_us);
    put_int(out, (int64_t)r->n_changes);
    for (size_t i = 0; i < r->n_changes; i++) {
        put(out, r->changes[i].rule);
        put(out, r->changes[i].scope);
        put(out, r->changes[i].currency);
        put_opt_int(out, r->changes[i].value);
    }
    return !out->bad;
}

bool record_write_policy(struct record_out *out, const struct record_policy *r)
{
    open_record(out, RECORD_POLICY);
    put_int(out, r->policy_id);
    put_int(out, r->effective_at_us);
    put_int(out, (int64_t)r->n_changes);
    for (size_t i = 0; i < r->n_changes; i++)
        put(out, slice_of(r->changes + i * RECORD_HASH_BYTES, RECORD_HASH_BYTES));
    return !out->bad;
}

bool record_write_book(struct record_out *out, const struct record_book *r)
{
    open_record(out, RECORD_BOOK);
    put(out, r->code);
    put(out, r->name);
    put_int(out, r->created_at_us);
    return !out->bad;
}

bool record_write_key(struct record_out *out, const struct record_key *r)
{
    open_record(out, RECORD_KEY);
    put(out, r->book);
    put(out, r->key_id);
    put(out, r->public_key);
    put_int(out, r->from_block);
    put_int(out, r->created_at_us);
    return !out->bad;
}

bool record_write_account(struct record_out *out, const struct record_account *r)
{
    open_record(out, RECORD_ACCOUNT);
    put(out, r->book);
    put_int(out, r->account_id);
    put(out, r->code);
    put(out, r->role);
    put(out, r->type);
    put(out, r->normal_side);
    put(out, r->currency);
    put(out, r->bank);
    put_int(out, r->floor_zero);
    put_int(out, r->created_at_us);
    return !out->bad;
}

bool record_write_beneficiary(struct record_out *out, const struct record_beneficiary *r)
{
    open_record(out, RECORD_BENEFICIARY);
    put(out, r->book);
    put_int(out, r->beneficiary_id);
    put_int(out, r->version);
    put(out, r->bank);
    put_int(out, r->channel);
    put(out, r->purpose_code);
    for (size_t i = 0; i < 5; i++)
        put(out, r->commitments[i]);
    put(out, r->actor);
    put_int(out, r->created_at_us);
    return !out->bad;
}

bool record_write_quote(struct record_out *out, const struct record_quote *r)
{
    open_named(out, r->policy.p == NULL ? names[RECORD_QUOTE] : second[RECORD_QUOTE]);
    put(out, r->book);
    put_int(out, r->quote_id);
    put(out, r->request_id);
    put(out, r->fingerprint);
    put(out, r->src_ccy);
    put(out, r->dst_ccy);
    put_int(out, r->digit_shift);
    put(out, r->rate_sheet);
    put_int(out, r->gross);
    put_int(out, r->fee);
    put_int(out, r->mid_rate_e10);
    put_int(out, r->mid_value);
    put_int(out, r->margin_bps);
    put_int(out, r->margin);
    put_int(out, r->net);
    put(out, r->actor);
    put_int(out, r->created_at_us);
    put_int(out, r->expires_at_us);
    if (r->policy.p != NULL)
        put(out, r->policy);
    return !out->bad;
}

static void put_payout(struct record_out *out, const struct record_payout *r)
{
    put(out, r->reference);
    put(out, r->info);
    put(out, r->bank);
    put(out, r->src_ccy);
    put(out, r->dst_ccy);
    put_int(out, r->gross);
    put_int(out, r->fee);
    put_int(out, r->mid_rate_e10);
    put_int(out, r->mid_value);
    put_int(out, r->margin_bps);
    put_int(out, r->margin);
    put_int(out, r->net);
    put_int(out, r->digit_shift);
    put(out, r->fingerprint);
    put_int(out, r->beneficiary_id);
    put_int(out, r->beneficiary_version);
    put(out, r->beneficiary);
    put(out, r->rate_sheet);
    put(out, r->quote);
    if (r->policy.p != NULL)
        put(out, r->policy);
}

static void put_subject(struct record_out *out, const struct record_journal *r)
{
    put(out, slice_str(subjects[r->subject]));
    switch (r->subject) {
    case SUBJECT_NONE:
        break;
    case SUBJECT_PAYOUT:
        put_payout(out, &r->payout);
        break;
    case SUBJECT_TRANSITION:
        put_int(out, r->transition.step);
        put_int(out, r->transition.state);
        put(out, r->transition.reason_code);
        put(out, r->transition.bank_reference);
        put_opt_int(out, r->transition.tax_withheld);
        put(out, r->transition.eprc_number);
        break;
    case SUBJECT_HANDOUT:
        put(out, r->handout.bank);
        put_int(out, r->handout.prev_payout_id);
        put_int(out, r->handout.last_payout_id);
        break;
    case SUBJECT_DEPOSIT:
        put(out, r->deposit.reference);
        put(out, r->deposit.currency);
        put_int(out, r->deposit.amount);
        break;
    case SUBJECT_ADJUSTMENT:
        put_int(out, r->adjustment.proposal);
        put(out, r->adjustment.reason);
        put(out, r->adjustment.evidence);
        put(out, r->adjustment.proposed_by);
        put_int(out, r->adjustment.proposed_at_us);
        break;
    case SUBJECT_UNCLAIMED:
        put(out, r->unclaimed.reference);
        put(out, r->unclaimed.info);
        put(out, r->unclaimed.currency);
        put_int(out, r->unclaimed.gross);
        put_int(out, r->unclaimed.batch_id);
        put_int(out, r->unclaimed.item_no);
        put_int(out, r->unclaimed.expires_at_us);
        break;
    case SUBJECT_UNCLAIMED_END:
        put_int(out, r->unclaimed_end.outcome);
        put_opt_int(out, r->unclaimed_end.payout_id);
        break;
    case SUBJECT_HOLD:
        put_int(out, r->hold.hold_no);
        put(out, r->hold.reason);
        put(out, r->hold.detail);
        put(out, r->hold.evidence);
        put_int(out, r->hold.deadline_us);
        break;
    case SUBJECT_HOLD_END:
        put_int(out, r->hold_end.hold_no);
        put_int(out, r->hold_end.outcome);
        put(out, r->hold_end.first_by);
        put(out, r->hold_end.second_by);
        put(out, r->hold_end.first_note);
        put(out, r->hold_end.second_note);
        break;
    }
}

bool record_write_journal(struct record_out *out, const struct record_journal *r)
{
    assert(r->n_lines <= RECORD_LINES_MAX);
    open_named(out, r->subject == SUBJECT_PAYOUT && r->payout.policy.p != NULL
                        ? second[RECORD_JOURNAL]
                        : names[RECORD_JOURNAL]);
    put(out, r->book);
    put_int(out, r->seq);
    put_int(out, r->block_no);
    put_int(out, r->committed_at_us);
    put(out, r->kind);
    put(out, r->actor);
    put_opt_int(out, r->payout_id);
    put_opt_int(out, r->reverses_seq);
    put(out, r->detail);
    put_int(out, (int64_t)r->n_lines);
    for (size_t i = 0; i < r->n_lines; i++) {
        put(out, r->lines[i].account);
        put(out, r->lines[i].currency);
        put_int(out, r->lines[i].amount);
    }
    put_subject(out, r);
    return !out->bad;
}

bool record_write_balance(struct record_out *out, const struct record_balance *r)
{
    open_record(out, RECORD_BALANCE);
    put(out, r->book);
    put(out, r->account);
    put_int(out, r->block_no);
    put_int(out, r->prev_block_no);
    put_int(out, r->balance_before);
    put_int(out, r->change);
    put_int(out, r->balance);
    put_int(out, r->debit_count);
    put_int(out, r->credit_count);
    return !out->bad;
}

bool record_write_block(struct record_out *out, const struct record_block *r)
{
    open_record(out, RECORD_BLOCK);
    put(out, r->book);
    put_int(out, r->block_no);
    put_int(out, r->first_seq);
    put_int(out, r->last_seq);
    put_int(out, r->committed_at_us);
    put(out, r->journal_root);
    put(out, r->prev);
    return !out->bad;
}

bool record_write_tree_head(struct record_out *out, const struct record_tree_head *r)
{
    open_record(out, RECORD_TREE_HEAD);
    put(out, r->book);
    put_int(out, r->tree_size);
    put(out, r->root);
    put_int(out, r->signed_at_us);
    return !out->bad;
}

bool record_write_end(struct record_out *out, const struct record_end *r)
{
    open_record(out, RECORD_END);
    put_int(out, r->items);
    put(out, r->sha256);
    return !out->bad;
}

bool record_write_signed(struct record_out *out, const struct record_signed *r)
{
    open_record(out, RECORD_SIGNED);
    put(out, r->record);
    put(out, r->key_id);
    put(out, r->signature);
    return !out->bad;
}

bool record_write_pii(struct record_out *out, const struct record_pii *r)
{
    open_record(out, RECORD_PII);
    put(out, r->which);
    put(out, r->salt);
    put(out, r->value);
    return !out->bad;
}

bool record_write_pii_open(struct record_out *out, const struct record_pii_open *r)
{
    open_record(out, RECORD_PII_OPEN);
    for (size_t i = 0; i < 5; i++) {
        put(out, r->salts[i]);
        put(out, r->values[i]);
    }
    return !out->bad;
}
