/*
 * The rules of a journal (docs/accounting.md): which lines it has, what it says it is about, and what may follow what in
 * the life of a payout.
 */
#include "audit/verify_book.h"

#include <stdio.h>
#include <string.h>

#define RATE_ONE_E10  10000000000LL
#define AMOUNT_SIZE   48
#define LINES_MAX     8
#define CURRENCIES_IN 2

__extension__ typedef __int128 wide_t;

static const char *const kind_names[JOURNAL_KINDS] = {
    [KIND_NONE] = "none",
    [KIND_ACCEPTED] = "PAYOUT_ACCEPTED",
    [KIND_INSTRUCTED] = "PAYOUTS_INSTRUCTED",
    [KIND_SETTLED] = "PAYOUT_SETTLED",
    [KIND_REJECTED] = "PAYOUT_REJECTED",
    [KIND_UNSETTLED] = "SETTLEMENT_REVERSED",
    [KIND_RETURNED] = "PAYOUT_RETURNED",
    [KIND_CANCELLED] = "PAYOUT_CANCELLED",
    [KIND_DEPOSITED] = "FLOAT_DEPOSITED",
    [KIND_ADJUSTMENT] = "ADJUSTMENT",
    [KIND_PARTLY_UNSETTLED] = "SETTLEMENT_PARTLY_REVERSED",
    [KIND_PARTLY_RETURNED] = "PAYOUT_PARTLY_RETURNED",
    [KIND_RETURN_REVERSED] = "RETURN_REVERSED",
    [KIND_RESETTLED] = "SETTLEMENT_RESTORED",
    [KIND_FUNDED] = "NOSTRO_FUNDED",
    [KIND_UNCLAIMED] = "PAYOUT_UNCLAIMED",
    [KIND_CLAIMED] = "UNCLAIMED_CLAIMED",
    [KIND_UNCLAIMED_RETURNED] = "UNCLAIMED_RETURNED",
    [KIND_HELD] = "PAYOUT_HELD",
    [KIND_RELEASED] = "HOLD_RELEASED",
    [KIND_HOLD_REFUSED] = "HOLD_REFUSED",
    [KIND_REFUSED] = "PAYOUT_REFUSED",
};

/* The journal at hand. */
struct look {
    struct verify *v;
    const struct record_journal *j;
    enum journal_kind kind;
    int account[RECORD_LINES_MAX];
    uint64_t lines_sum;
};

const char *journal_kind_name(enum journal_kind kind)
{
    return kind_names[kind];
}

/* "USD 1,234.50" */
static const char *amount_text(const struct verify *v, uint16_t ccy, int64_t minor,
                               char out[AMOUNT_SIZE])
{
    int digits = known_digits(v->known, ccy);
    uint64_t left = minor < 0 ? -(uint64_t)minor : (uint64_t)minor;
    char reversed[AMOUNT_SIZE];
    char code[4];
    size_t n = 0;
    size_t at;

    digits = digits < 0 ? 0 : digits;
    for (int i = 0; i < digits; i++, left /= 10)
        reversed[n++] = (char)('0' + left % 10);
    if (digits > 0)
        reversed[n++] = '.';
    for (int i = 0; i == 0 || left > 0; i++, left /= 10) {
        if (i > 0 && i % 3 == 0)
            reversed[n++] = ',';
        reversed[n++] = (char)('0' + left % 10);
    }
    at = (size_t)snprintf(out, AMOUNT_SIZE, "%s %s", ccy_unpack(ccy, code), minor < 0 ? "-" : "");
    while (n > 0 && at + 1 < AMOUNT_SIZE)
        out[at++] = reversed[--n];
    out[at] = '\0';
    return out;
}

static void wrong(const struct look *l, const char *field, const char *expected, const char *found,
                  const char *text)
{
    verify_wrong(l->v, l->j->seq, l->j->block_no, field, expected, found, "%s", text);
}

static void wrong_slice(const struct look *l, const char *field, const char *expected,
                        struct slice found, const char *text)
{
    char have[FINDING_TEXT];

    snprintf(have, sizeof have, "%.*s", SLICE_ARG(found));
    wrong(l, field, expected, have, text);
}

static void wrong_int(const struct look *l, const char *field, int64_t expected, int64_t found,
                      const char *text)
{
    verify_wrong_int(l->v, l->j->seq, l->j->block_no, field, expected, found, text);
}

static void wrong_amount(const struct look *l, const char *field, uint16_t ccy, int64_t expected,
                         int64_t found, const char *text)
{
    char want[AMOUNT_SIZE];
    char have[AMOUNT_SIZE];

    wrong(l, field, amount_text(l->v, ccy, expected, want), amount_text(l->v, ccy, found, have),
          text);
}

/* ---------------------------------------------------------------- memory */

struct memory *verify_memory(struct verify *v, int64_t seq, bool change)
{
    struct memory *m;

    if (err_failed(v->error))
        return NULL;
    m = pages_at(v->book.memory, (uint64_t)seq, change);
    if (m == NULL)
        v->error = pages_error(v->book.memory);
    return m;
}

/* A field of a memory holds a seq: it counts if that is before the journal at hand. */
static bool is_set(const struct look *l, int64_t seq)
{
    return seq > 0 && seq < l->j->seq;
}

/* The record of the payout that the journal names, to be changed; NULL: reported, or v->error. */
static struct memory *payout_of(const struct look *l)
{
    struct memory *m;

    if (!l->j->payout_id.has) {
        wrong(l, "payout_id", "a payout's number", "absent", "the journal must be about a payout");
        return NULL;
    }
    if (l->j->payout_id.value < 1 || l->j->payout_id.value >= l->j->seq) {
        wrong_int(l, "payout_id", l->j->seq - 1, l->j->payout_id.value,
                  "a payout that was accepted before");
        return NULL;
    }
    m = verify_memory(l->v, l->j->payout_id.value, true);
    if (m != NULL && m->kind != KIND_ACCEPTED) {
        wrong_int(l, "payout_id", 0, l->j->payout_id.value, "no payout has that number");
        return NULL;
    }
    return m;
}

static struct bank_upto *bank_of(struct verify *v, uint32_t bank)
{
    struct book *b = &v->book;

    for (size_t i = 0; i < b->n_banks; i++)
        if (b->banks[i].bank == bank)
            return &b->banks[i];
    if (b->n_banks == BOOK_BANKS_MAX) {
        v->error = err_make(ERR_LIMIT, "more banks than fit");
        return NULL;
    }
    b->banks[b->n_banks] = (struct bank_upto){bank, 0};
    return &b->banks[b->n_banks++];
}

/* what: "reference" …, a constant: its first letter keeps them apart */
static void remember_once(const struct look *l, const char *what, struct slice name)
{
    unsigned char text[257];
    hash_t hash;

    if (err_failed(l->v->error))
        return;
    text[0] = (unsigned char)*what;
    if (name.len < sizeof text) {
        memcpy(text + 1, name.p, name.len);
        hash = sha256_of(l->v->sha, slice_of(text, name.len + 1));
    } else {
        sha256_begin(l->v->sha);
        sha256_add(l->v->sha, text, 1);
        sha256_add(l->v->sha, name.p, name.len);
        sha256_end(l->v->sha, &hash);
    }
    l->v->error = once_add(l->v->book.once, &hash, once_value(*what, l->j->seq));
}

/* ---------------------------------------------------------------- lines, whatever the kind */

static uint64_t mix(uint64_t z)
{
    z = (z + 0x9E3779B97F4A7C15U) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return (z ^ (z >> 31)) | 1;
}

static bool move_account(const struct look *l, int index, int64_t amount)
{
    struct book *b = &l->v->book;
    struct running *a = &b->accounts[index];

    if (!a->touched) {
        a->touched = true;
        b->touched[b->n_touched++] = index;
    }
    if (amount > 0)
        a->new_debits++;
    else
        a->new_credits++;
    return !__builtin_add_overflow(a->change, amount, &a->change);
}

/* The account of each line exists and is in the line's currency; every currency sums to zero. */
static bool check_lines(struct look *l)
{
    uint16_t ccys[CURRENCIES_IN];
    wide_t sums[CURRENCIES_IN];
    size_t n = 0;

    if (l->j->n_lines > LINES_MAX) {
        wrong_int(l, "lines", LINES_MAX, (int64_t)l->j->n_lines, "more lines than a journal has");
        return false;
    }
    for (size_t i = 0; i < l->j->n_lines; i++) {
        const struct record_line *line = &l->j->lines[i];
        const struct account *a;
        size_t k = 0;

        l->account[i] = known_account_of(l->v->known, line->account);
        if (l->account[i] < 0) {
            wrong_slice(l, "line: account", "an account of the book", line->account,
                        "a line is on an account that the book does not have");
            return false;
        }
        a = known_account_at(l->v->known, l->account[i]);
        if (ccy_pack(line->currency) != a->ccy) {
            char code[4];
            wrong_slice(l, "line: currency", ccy_unpack(a->ccy, code), line->currency,
                        "a line is in another currency than its account");
            return false;
        }
        if (line->amount == 0) {
            wrong_slice(l, "line: amount", "not zero", line->account, "a line of zero");
            return false;
        }
        while (k < n && ccys[k] != a->ccy)
            k++;
        if (k == CURRENCIES_IN) {
            wrong(l, "lines", "two currencies", "more", "too many currencies in a journal");
            return false;
        }
        if (k == n) {
            ccys[n] = a->ccy;
            sums[n++] = 0;
        }
        sums[k] += line->amount;
        l->lines_sum += mix((uint64_t)l->account[i]) * (uint64_t)line->amount;
        if (!move_account(l, l->account[i], line->amount)) {
            wrong_slice(l, "line: amount", "what a balance can hold", line->account, "overflow");
            return false;
        }
    }
    for (size_t k = 0; k < n; k++)
        if (sums[k] != 0) {
            int64_t sum = sums[k] > INT64_MAX   ? INT64_MAX
                          : sums[k] < INT64_MIN ? INT64_MIN
                                                : (int64_t)sums[k];
            wrong_amount(l, "lines", ccys[k], 0, sum,
                         "the lines of a journal do not sum to zero in this currency");
            return false;
        }
    return true;
}

/* ---------------------------------------------------------------- lines by kind */

/* One line that a journal must have: who it is on and how much. Nothing to look for if the amount is zero. */
struct wanted {
    enum account_role role;
    uint16_t ccy;
    uint32_t bank;
    int64_t amount;
};

static void name_wanted(const struct wanted *w, char out[AMOUNT_SIZE])
{
    static const char *const names[ROLES] = {
        [ROLE_FLOAT] = "float",       [ROLE_CORRESPONDENT] = "correspondent",
        [ROLE_FEE] = "fee",           [ROLE_MARGIN] = "margin",
        [ROLE_POSITION] = "position", [ROLE_PAYABLE] = "payable",
        [ROLE_NOSTRO] = "nostro",     [ROLE_SUSPENSE] = "suspense",
        [ROLE_CHARGE] = "charge",     [ROLE_UNCLAIMED] = "unclaimed",
        [ROLE_HELD] = "held",
    };
    char ccy[4];
    char bank[6] = ".";

    memcpy(bank + 1, &w->bank, sizeof w->bank);
    bank[5] = '\0';
    snprintf(out, AMOUNT_SIZE, "%s%s.%s", names[w->role], w->bank == 0 ? "" : bank,
             ccy_unpack(w->ccy, ccy));
}

/* The journal has these lines, sign times, and no others; in any order. */
static bool lines_are(const struct look *l, const struct wanted *wanted, size_t n, int sign)
{
    unsigned met = 0;
    char code[AMOUNT_SIZE + 8] = "line ";

    for (size_t i = 0; i < l->j->n_lines; i++) {
        const struct account *a = known_account_at(l->v->known, l->account[i]);
        size_t k = 0;

        while (k < n && !(wanted[k].role == a->role && wanted[k].ccy == a->ccy &&
                          wanted[k].bank == a->bank && !(met & (1U << k))))
            k++;
        if (k == n) {
            wrong_slice(l, "lines", "none on this account", l->j->lines[i].account,
                        "a line that a journal of this kind does not have");
            return false;
        }
        met |= 1U << k;
        if (l->j->lines[i].amount != sign * wanted[k].amount) {
            name_wanted(&wanted[k], code + 5);
            wrong_amount(l, code, a->ccy, sign * wanted[k].amount, l->j->lines[i].amount,
                         "the line's amount is not the payout's");
            return false;
        }
    }
    for (size_t k = 0; k < n; k++)
        if (wanted[k].amount != 0 && !(met & (1U << k))) {
            name_wanted(&wanted[k], code + 5);
            wrong_amount(l, code, wanted[k].ccy, sign * wanted[k].amount, 0, "the line is missing");
            return false;
        }
    return true;
}

static bool accepted_lines(const struct look *l, const struct memory *m, int sign)
{
    bool exchanged = m->src_ccy != m->dst_ccy;
    const struct wanted wanted[] = {
        {ROLE_FLOAT, m->src_ccy, 0, m->gross},
        {ROLE_FEE, m->src_ccy, 0, -m->fee},
        {ROLE_POSITION, m->src_ccy, 0, exchanged ? m->fee - m->gross : 0},
        {ROLE_POSITION, m->dst_ccy, 0, exchanged ? m->margin + m->net : 0},
        {ROLE_MARGIN, m->dst_ccy, 0, -m->margin},
        {ROLE_PAYABLE, m->dst_ccy, m->bank, -m->net},
    };

    return lines_are(l, wanted, 6, sign);
}

static bool settled_lines(const struct look *l, const struct memory *m, int sign)
{
    const struct wanted wanted[] = {{ROLE_PAYABLE, m->dst_ccy, m->bank, m->net},
                                    {ROLE_NOSTRO, m->dst_ccy, m->bank, -m->net}};

    return lines_are(l, wanted, 2, sign);
}

/* The share of a line for what is returned of the net, rounded towards zero. */
static int64_t share_of(int64_t line, int64_t returned, int64_t net)
{
    return (int64_t)((wide_t)line * returned / net);
}

/* What of each line of a payout has come back with so much of its net (docs/accounting.md): rounded, but for the rest of each
 * currency. Amounts of both signs positive. */
struct returned_shares {
    int64_t gross, fee, position_src, position_dst, margin;
};

static struct returned_shares shares_of(const struct memory *p, int64_t returned)
{
    struct returned_shares s = {0};

    if (p->net <= 0 || p->gross < 0 || p->fee < 0 || p->margin < 0)
        return s; /* no payout's numbers: that was found when it was accepted */
    s = (struct returned_shares){.gross = share_of(p->gross, returned, p->net),
                                 .fee = share_of(p->fee, returned, p->net),
                                 .position_dst = share_of(p->margin + p->net, returned, p->net)};

    if (p->src_ccy == p->dst_ccy) {
        s.fee = s.gross - returned;
        s.position_dst = 0;
        return s;
    }
    s.position_src = s.gross - s.fee;
    s.margin = s.position_dst - returned;
    return s;
}

/* The payout's lines for what came back between the two, as a return writes them; sign -1: as what takes it back does. */
static bool part_lines(const struct look *l, const struct memory *p, int64_t before, int64_t after,
                       int sign)
{
    const struct returned_shares a = shares_of(p, before), b = shares_of(p, after);
    const struct wanted wanted[] = {
        {ROLE_FLOAT, p->src_ccy, 0, a.gross - b.gross},
        {ROLE_FEE, p->src_ccy, 0, b.fee - a.fee},
        {ROLE_POSITION, p->src_ccy, 0, b.position_src - a.position_src},
        {ROLE_POSITION, p->dst_ccy, 0, a.position_dst - b.position_dst},
        {ROLE_MARGIN, p->dst_ccy, 0, b.margin - a.margin},
        {ROLE_PAYABLE, p->dst_ccy, p->bank, after - before},
    };

    return lines_are(l, wanted, 6, sign);
}

/* The bank's side of a return. */
static bool unsettled_lines(const struct look *l, const struct memory *p, int64_t amount,
                            int64_t charge, int sign)
{
    const struct wanted wanted[] = {{ROLE_PAYABLE, p->dst_ccy, p->bank, -amount},
                                    {ROLE_NOSTRO, p->dst_ccy, p->bank, amount - charge},
                                    {ROLE_CHARGE, p->dst_ccy, 0, charge}};

    return lines_are(l, wanted, 3, sign);
}

/* The amount of the journal's line on the one account of that role; 0: there is none, or several. */
static int64_t amount_on(const struct look *l, enum account_role role)
{
    int64_t amount = 0;
    int n = 0;

    for (size_t i = 0; i < l->j->n_lines; i++)
        if (known_account_at(l->v->known, l->account[i])->role == role) {
            amount = l->j->lines[i].amount;
            n++;
        }
    return n == 1 ? amount : 0;
}

/* ---------------------------------------------------------------- kinds */

static bool subject_is(const struct look *l, enum record_subject subject)
{
    if (l->j->subject == subject)
        return true;
    wrong(l, "subject", record_subject_name(subject), record_subject_name(l->j->subject),
          "the journal does not say what one of its kind must");
    return false;
}

static bool no_reference(const struct look *l, bool payout_too)
{
    if (l->j->reverses_seq.has) {
        wrong(l, "reverses_seq", "absent", "a seq", "a journal of this kind reverses nothing");
        return false;
    }
    if (payout_too && l->j->payout_id.has) {
        wrong(l, "payout_id", "absent", "a seq", "a journal of this kind is of no payout");
        return false;
    }
    return true;
}

static bool reverses(const struct look *l, int64_t seq)
{
    if (l->j->reverses_seq.has && l->j->reverses_seq.value == seq)
        return true;
    wrong_int(l, "reverses_seq", seq, l->j->reverses_seq.has ? l->j->reverses_seq.value : 0,
              "the journal must reverse that one");
    return false;
}

static void check_rate(const struct look *l, const struct record_payout *p)
{
    const struct sheet *sheet = known_sheet_of(l->v->known, p->rate_sheet);
    uint16_t src = ccy_pack(p->src_ccy);

    if (sheet == NULL) {
        wrong(l, "rate_sheet", "a rate sheet of the log", "another",
              "no accepted rate sheet has that hash");
        return;
    }
    if (slice_equal(p->src_ccy, p->dst_ccy)) {
        if (p->mid_rate_e10 != RATE_ONE_E10 || p->margin_bps != 0)
            wrong_int(l, "mid_rate_e10", RATE_ONE_E10, p->mid_rate_e10,
                      "nothing is exchanged within one currency");
    } else if (slice_equal_str(p->dst_ccy, "PKR")) {
        int64_t rate = known_rate(l->v->known, sheet, src);
        if (rate != p->mid_rate_e10)
            wrong_int(l, "mid_rate_e10", rate, p->mid_rate_e10,
                      "the rate is not that of the rate sheet");
    }
}

static void check_beneficiary(const struct look *l, const struct record_payout *p)
{
    struct beneficiary_entry e;
    err_t err = known_beneficiary_of(l->v->known, p->beneficiary_id, p->beneficiary_version, &e);

    if (err.code == ERR_INVALID)
        wrong_int(l, "beneficiary_id", 0, p->beneficiary_id,
                  "that version of that beneficiary is not in the log");
    else if (err_failed(err))
        l->v->error = err;
    else if (!slice_equal(p->beneficiary, slice_of(e.hash.b, HASH_BYTES)))
        wrong(l, "beneficiary", "the hash of the beneficiary's record", "another",
              "the beneficiary is not what it was when the payout was accepted");
    else if (e.bank != bank_pack(p->bank))
        wrong_slice(l, "bank", "the beneficiary's", p->bank, "the payout went to another bank");
}

static void check_quote(const struct look *l, const struct record_payout *p)
{
    struct record_quote q;
    struct record_fault fault;
    char id[STR_INT64_SIZE];

    if (!record_read_quote(p->quote, &q, &fault)) {
        verify_wrong(l->v, l->j->seq, l->j->block_no, "quote", "a quote's record", fault.field,
                     "%s %s", fault.field, fault.what);
        return;
    }
    const struct {
        const char *name;
        int64_t quoted, paid;
    } same[] = {
        {"quote: gross", q.gross, p->gross},
        {"quote: fee", q.fee, p->fee},
        {"quote: mid_rate_e10", q.mid_rate_e10, p->mid_rate_e10},
        {"quote: mid_value", q.mid_value, p->mid_value},
        {"quote: margin_bps", q.margin_bps, p->margin_bps},
        {"quote: margin", q.margin, p->margin},
        {"quote: net", q.net, p->net},
        {"quote: digit_shift", q.digit_shift, p->digit_shift},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (same[i].quoted != same[i].paid) {
            wrong_int(l, same[i].name, same[i].paid, same[i].quoted,
                      "the payout is not what was quoted");
            return;
        }
    if (!slice_equal(q.book, l->j->book) || !slice_equal(q.src_ccy, p->src_ccy) ||
        !slice_equal(q.dst_ccy, p->dst_ccy) || !slice_equal(q.rate_sheet, p->rate_sheet))
        wrong(l, "quote", "of the payout's book, currencies and rate sheet", "of others",
              "the payout is not what was quoted");
    else if (q.expires_at_us <= l->j->committed_at_us)
        wrong(l, "quote: expires_at", "after the payout was accepted", "before",
              "the quote had expired");
    remember_once(l, "quote", slice_of(id, str_format_int64(q.quote_id, id)));
    verify_policy(l->v, l->j, &q);
}

static void check_payout(struct look *l, const struct record_payout *p)
{
    const struct price price = {p->gross,      p->fee,    p->mid_rate_e10, p->mid_value,
                                p->margin_bps, p->margin, p->net,          p->digit_shift};
    int src = known_digits(l->v->known, ccy_pack(p->src_ccy));
    int dst = known_digits(l->v->known, ccy_pack(p->dst_ccy));
    const char *field = NULL;
    int64_t expected = 0;
    int64_t found = 0;

    if (src < 0 || dst < 0)
        wrong_slice(l, src < 0 ? "src_ccy" : "dst_ccy", "a known currency",
                    src < 0 ? p->src_ccy : p->dst_ccy, "the payout is in an unknown currency");
    else if (p->digit_shift != dst - src)
        wrong_int(l, "digit_shift", dst - src, p->digit_shift,
                  "minor digits of the target less those of the source");
    else if (!price_holds(&price, &field, &expected, &found))
        wrong_int(l, field, expected, found, "the payout's numbers do not follow from each other");
    else if (bank_pack(p->bank) == 0)
        wrong_slice(l, "bank", "four letters", p->bank, "no bank");
}

/* The first bytes of a text's hash: enough to tell what a claim's payout must say. */
static int64_t text_mark(const struct look *l, struct slice text)
{
    const hash_t hash = sha256_of(l->v->sha, text);
    int64_t mark;

    memcpy(&mark, hash.b, sizeof mark);
    return mark;
}

/* If claims wait for their payouts: this is that of the next of them. */
static void claimed_payout(const struct look *l, const struct memory *payout,
                           const struct record_payout *p)
{
    struct claims *c = &l->v->book.claims;
    const int64_t gross = payout->gross, seq = c->first + c->done;
    const uint16_t ccy = payout->src_ccy;
    const struct memory *m;

    if (c->n == 0)
        return;
    m = verify_memory(l->v, seq, false);
    if (m == NULL)
        return;
    if (++c->done == c->n)
        *c = (struct claims){0};
    if (m->charge != l->j->seq)
        wrong_int(l, "payout_id", l->j->seq, m->charge,
                  "the claim before it says that another journal is its payout");
    else if (m->net != text_mark(l, p->reference))
        wrong_slice(l, "reference", "that of what was claimed", p->reference,
                    "the payout of a claim has the reference that was set aside");
    else if (m->fee != (p->info.p == NULL ? 0 : text_mark(l, p->info)))
        wrong_slice(l, "info", "that of what was claimed", p->info,
                    "the payout of a claim says what was to be said");
    else if (m->gross != gross || m->src_ccy != ccy)
        wrong_amount(l, "gross", m->src_ccy, m->gross, gross,
                     "the payout of a claim is what was set aside");
}

static void accepted(struct look *l, struct memory *m)
{
    const struct record_payout *p = &l->j->payout;

    if (!subject_is(l, SUBJECT_PAYOUT) || !no_reference(l, false))
        return;
    if (!l->j->payout_id.has || l->j->payout_id.value != l->j->seq) {
        wrong_int(l, "payout_id", l->j->seq, l->j->payout_id.has ? l->j->payout_id.value : 0,
                  "a payout's number is the seq of the journal that accepts it");
        return;
    }
    check_payout(l, p);
    if (l->v->book.given_up)
        return;
    *m = (struct memory){.kind = KIND_ACCEPTED,
                         .src_ccy = ccy_pack(p->src_ccy),
                         .dst_ccy = ccy_pack(p->dst_ccy),
                         .bank = bank_pack(p->bank),
                         .gross = p->gross,
                         .fee = p->fee,
                         .margin = p->margin,
                         .net = p->net,
                         .lines_sum = l->lines_sum};
    (void)accepted_lines(l, m, 1);
    check_rate(l, p);
    check_beneficiary(l, p);
    if (p->quote.p != NULL)
        check_quote(l, p);
    else
        verify_policy(l->v, l->j, NULL);
    remember_once(l, "reference", p->reference);
    l->v->book.result->payouts++;
    claimed_payout(l, m, p);
}

/* The holds of a payout, and its number in its bank's order with them. */
struct holds {
    int64_t n;
    int64_t last_seq; /* the last one's journal; the payout's number if there was none */
    int64_t end_seq;  /* the journal that ended it; 0: it has not ended */
    int64_t order_no; /* what no hand-out reaches: it is held, or was refused */
};

/* False: v->error. As with returns, fields that a run which was cut off left behind are passed over. */
static bool holds_of(const struct look *l, int64_t payout_id, struct holds *out)
{
    const struct memory *m = verify_memory(l->v, payout_id, false);
    int64_t next = m == NULL ? 0 : m->charge;

    *out = (struct holds){.last_seq = payout_id, .order_no = payout_id};
    while (m != NULL && is_set(l, next) && next > out->last_seq) {
        out->last_seq = next;
        out->n++;
        out->order_no = INT64_MAX;
        m = verify_memory(l->v, next, false);
        if (m == NULL)
            return false;
        next = m->next_seq;
        out->end_seq = is_set(l, m->ended_seq) ? m->ended_seq : 0;
        if (out->end_seq == 0)
            continue;
        m = verify_memory(l->v, out->end_seq, false);
        if (m != NULL && m->kind == KIND_RELEASED)
            out->order_no = out->end_seq;
    }
    return m != NULL;
}

/* A bank was told up to a number of its order: a payout's own, or of one that was released that of its last release. */
static bool is_order_number(const struct look *l, int64_t number, uint32_t bank)
{
    const struct memory *m = verify_memory(l->v, number, false);
    struct holds holds;

    if (m == NULL || m->bank != bank || (m->kind != KIND_ACCEPTED && m->kind != KIND_RELEASED))
        return false;
    return holds_of(l, m->kind == KIND_RELEASED ? m->gross : number, &holds) &&
           holds.order_no == number;
}

/* "window 17", or absent: the bank has none. */
static bool is_window(struct slice detail)
{
    struct slice word = SLICE("window ");
    int64_t number = 0;

    if (detail.p == NULL)
        return true;
    return slice_starts_with(detail, word) && detail.p[word.len] != '0' &&
           !err_failed(
               str_parse_int64(slice_of(detail.p + word.len, detail.len - word.len), &number)) &&
           number > 0;
}

static void instructed(struct look *l)
{
    const struct record_handout *h = &l->j->handout;
    struct bank_upto *bank;

    if (!subject_is(l, SUBJECT_HANDOUT) || !no_reference(l, true))
        return;
    if (l->j->n_lines != 0) {
        wrong_int(l, "lines", 0, (int64_t)l->j->n_lines, "no money moves when a bank is told");
        return;
    }
    if (!is_window(l->j->detail)) {
        wrong_slice(l, "detail", "absent, or a window of the bank, such as window 17", l->j->detail,
                    "a hand-out's detail is its window");
        return;
    }
    bank = bank_of(l->v, bank_pack(h->bank));
    if (bank == NULL)
        return;
    if (h->prev_payout_id != bank->last_payout_id) {
        wrong_int(l, "prev_payout_id", bank->last_payout_id, h->prev_payout_id,
                  "the bank was told up to another payout before");
        return;
    }
    if (h->last_payout_id <= h->prev_payout_id || h->last_payout_id >= l->j->seq) {
        wrong_int(l, "last_payout_id", l->j->seq - 1, h->last_payout_id,
                  "must be a payout after the last and before this journal");
        return;
    }
    if (!is_order_number(l, h->last_payout_id, bank->bank)) {
        wrong_int(l, "last_payout_id", 0, h->last_payout_id,
                  "is no payout of that bank, or one that is held");
        return;
    }
    bank->last_payout_id = h->last_payout_id;
}

/* How far what was settled has come back: by the steps after the first. */
struct returns {
    int64_t steps;    /* all of the payout's, the settlement too */
    int64_t last_seq; /* of the last step, the payout's number if it is the settlement */
    int64_t returned; /* what stands of it */
    int64_t top_seq;  /* the last return that stands; 0: none */
};

/* False: v->error. Fields of memories that a run which was cut off left behind are passed over (is_set). */
static bool returns_of(const struct look *l, struct returns *out)
{
    const struct memory *m = verify_memory(l->v, l->j->payout_id.value, false);

    *out = (struct returns){.steps = 1, .last_seq = l->j->payout_id.value};
    while (m != NULL && is_set(l, m->next_seq) && m->next_seq > out->last_seq) {
        out->last_seq = m->next_seq;
        out->steps++;
        m = verify_memory(l->v, out->last_seq, false);
        if (m != NULL && (m->kind == KIND_RETURNED || m->kind == KIND_PARTLY_RETURNED) &&
            !is_set(l, m->reversed_by)) {
            out->returned += m->net;
            out->top_seq = out->last_seq;
        }
    }
    return m != NULL;
}

/* m is a copy: what it was copied from is not looked at any more. */
static const char *stand_of(const struct look *l, const struct memory *m)
{
    const struct bank_upto *bank = bank_of(l->v, m->bank);
    struct holds holds;

    if (!holds_of(l, l->j->payout_id.value, &holds))
        return "unknown";
    return is_set(l, m->ended_seq)                                  ? "ended"
           : is_set(l, m->settled_seq)                              ? "SETTLED"
           : holds.n > 0 && holds.end_seq == 0                      ? "HELD"
           : holds.order_no == INT64_MAX                            ? "HOLD_REFUSED"
           : bank != NULL && holds.order_no <= bank->last_payout_id ? "INSTRUCTED"
                                                                    : "ACCEPTED";
}

static bool stands_at(const struct look *l, const struct memory *m, const char *must)
{
    const char *stands = stand_of(l, m);

    if (strcmp(stands, must) == 0)
        return true;
    verify_wrong(l->v, l->j->seq, l->j->block_no, "state", must, stands,
                 "%s cannot follow for payout %lld", kind_names[l->kind],
                 (long long)l->j->payout_id.value);
    return false;
}

/* The state and step that the journal must say. */
static bool leads_to(const struct look *l, const struct memory *m, int64_t state, int64_t step)
{
    const struct record_transition *t = &l->j->transition;

    if (t->state != state || t->step != step) {
        wrong_int(l, t->state != state ? "state" : "step", t->state != state ? state : step,
                  t->state != state ? t->state : t->step, "is not that of the journal's kind");
        return false;
    }
    if (t->tax_withheld.has && (t->tax_withheld.value < 0 || t->tax_withheld.value > m->net)) {
        wrong_amount(l, "tax_withheld", m->dst_ccy, m->net, t->tax_withheld.value,
                     "more tax than there was to pay, or less than none");
        return false;
    }
    return true;
}

/* A copy of the payout that the journal names; false: reported, or v->error. */
static bool copy_payout(const struct look *l, struct memory *out)
{
    const struct memory *m = payout_of(l);

    if (m != NULL)
        *out = *m;
    return m != NULL;
}

static void settled(struct look *l)
{
    struct memory p;
    struct memory *m;

    if (!copy_payout(l, &p) || !no_reference(l, false) || !subject_is(l, SUBJECT_TRANSITION) ||
        !stands_at(l, &p, "INSTRUCTED") || !leads_to(l, &p, 4, 1) || !settled_lines(l, &p, 1))
        return;
    m = verify_memory(l->v, l->j->payout_id.value, true);
    if (m == NULL)
        return;
    m->settled_seq = l->j->seq;
    m->next_seq = m->ended_seq = 0; /* if set at all, by a run that was cut off */
}

/* Rejected, cancelled, refused: the journal that accepted the payout is reversed. */
static void ended(struct look *l, int state, const char *must)
{
    struct memory p;
    struct memory *m;

    if (!copy_payout(l, &p) || !subject_is(l, SUBJECT_TRANSITION) || !stands_at(l, &p, must) ||
        !leads_to(l, &p, state, 1) || !reverses(l, l->j->payout_id.value) ||
        !accepted_lines(l, &p, -1))
        return;
    m = verify_memory(l->v, l->j->payout_id.value, true);
    if (m == NULL)
        return;
    m->ended_seq = l->j->seq;
    m->state = (uint8_t)state;
}

/* ---------------------------------------------------------------- what comes back, by two journals each */

/* A copy of the settled payout that the first of the two is about, and how far it has come back. */
static bool begin_half(const struct look *l, struct memory *payout, struct returns *returns)
{
    const struct memory *m = payout_of(l);

    if (m == NULL || !subject_is(l, SUBJECT_NONE))
        return false;
    *payout = *m;
    return stands_at(l, payout, "SETTLED") && returns_of(l, returns);
}

static void unsettled(struct look *l)
{
    struct memory p;
    struct returns r;

    if (!begin_half(l, &p, &r))
        return;
    if (r.steps != 1) {
        verify_wrong(l->v, l->j->seq, l->j->block_no, "state", "SETTLED", "returned before",
                     "the settlement of payout %lld cannot be reversed",
                     (long long)l->j->payout_id.value);
        return;
    }
    if (!reverses(l, p.settled_seq) || !settled_lines(l, &p, -1))
        return;
    l->v->book.half = (struct half){
        .seq = l->j->seq, .after = KIND_RETURNED, .payout = l->j->payout_id.value, .amount = p.net};
}

static void partly_unsettled(struct look *l)
{
    struct memory p;
    struct returns r;
    int64_t amount = amount_on(l, ROLE_PAYABLE);
    int64_t charge = amount_on(l, ROLE_CHARGE);

    if (!begin_half(l, &p, &r) || !no_reference(l, false))
        return;
    amount = amount == INT64_MIN ? 0 : -amount;
    if (amount < 1 || amount > p.net - r.returned) {
        wrong_amount(l, "line payable", p.dst_ccy, p.net - r.returned, amount,
                     "more comes back than is left of the payment, or nothing");
        return;
    }
    if (charge < 0 || charge > amount) {
        wrong_amount(l, "line charge", p.dst_ccy, amount, charge,
                     "the bank keeps more than came back, or less than nothing");
        return;
    }
    if (r.steps == 1 && amount == p.net && charge == 0) {
        wrong(l, "kind", kind_names[KIND_UNSETTLED], kind_names[l->kind],
              "a first return that is whole and without a charge reverses what it undoes");
        return;
    }
    if (!unsettled_lines(l, &p, amount, charge, 1))
        return;
    l->v->book.half = (struct half){.seq = l->j->seq,
                                    .after = KIND_PARTLY_RETURNED,
                                    .payout = l->j->payout_id.value,
                                    .amount = amount,
                                    .charge = charge};
}

static void return_reversed(struct look *l)
{
    struct memory p, back;
    struct memory *m;
    struct returns r;

    if (!begin_half(l, &p, &r))
        return;
    if (r.top_seq == 0) {
        verify_wrong(l->v, l->j->seq, l->j->block_no, "state", "a return that stands", "none",
                     "no return of payout %lld can be taken back",
                     (long long)l->j->payout_id.value);
        return;
    }
    if (!reverses(l, r.top_seq))
        return;
    m = verify_memory(l->v, r.top_seq, true);
    if (m == NULL)
        return;
    back = *m;
    m->reversed_by = l->j->seq;
    if (!part_lines(l, &p, r.returned - back.net, r.returned, -1))
        return;
    l->v->book.half = (struct half){.seq = l->j->seq,
                                    .after = KIND_RESETTLED,
                                    .payout = l->j->payout_id.value,
                                    .amount = back.net,
                                    .charge = back.charge,
                                    .reverses = r.top_seq};
}

/* The second of the two, which says what became of the payout: right behind the first, of the same payout. */
static bool end_half(const struct look *l, struct half *half, struct memory *payout,
                     struct returns *returns)
{
    struct book *b = &l->v->book;
    const struct memory *m;

    *half = b->half;
    if (half->seq == 0 || half->after != l->kind || half->seq != l->j->seq - 1 ||
        !l->j->payout_id.has || half->payout != l->j->payout_id.value) {
        wrong(l, "kind", "the first journal of the return before it", "none",
              "a payout is returned, or settled again, right after its bank's side of it");
        return false;
    }
    b->half = (struct half){0};
    m = payout_of(l);
    if (m == NULL || !subject_is(l, SUBJECT_TRANSITION))
        return false;
    *payout = *m;
    return returns_of(l, returns);
}

/* The journal is the payout's next step, and what came back with it. */
static void link_step(const struct look *l, const struct returns *r, const struct half *half)
{
    struct memory *m = verify_memory(l->v, r->last_seq, true);

    if (m != NULL)
        m->next_seq = l->j->seq;
    m = m == NULL ? NULL : verify_memory(l->v, l->j->seq, true);
    if (m == NULL)
        return;
    m->net = half->amount;
    m->charge = half->charge;
}

static void returned(struct look *l)
{
    struct memory p;
    struct returns r;
    struct half half;

    if (!end_half(l, &half, &p, &r) || !leads_to(l, &p, 6, 2) ||
        !reverses(l, l->j->payout_id.value) || !accepted_lines(l, &p, -1))
        return;
    link_step(l, &r, &half);
}

static void partly_returned(struct look *l)
{
    struct memory p;
    struct returns r;
    struct half half;

    if (!end_half(l, &half, &p, &r) || !no_reference(l, false) ||
        !leads_to(l, &p, r.returned + half.amount == p.net ? 6 : 10, r.steps + 1) ||
        !part_lines(l, &p, r.returned, r.returned + half.amount, 1))
        return;
    link_step(l, &r, &half);
}

static void resettled(struct look *l)
{
    struct memory p;
    struct returns r;
    struct half half;

    /* the return is reversed by now: r is without it */
    if (!end_half(l, &half, &p, &r) || !leads_to(l, &p, r.returned == 0 ? 4 : 10, r.steps + 1) ||
        !reverses(l, half.reverses - 1) || !unsettled_lines(l, &p, half.amount, half.charge, -1))
        return;
    link_step(l, &r, &half);
}

static void funded(struct look *l)
{
    const int64_t amount = amount_on(l, ROLE_NOSTRO);
    const int64_t paid = amount_on(l, ROLE_CORRESPONDENT);
    struct wanted wanted[4] = {{ROLE_NOSTRO, 0, 0, amount},
                               {ROLE_CORRESPONDENT, 0, 0, paid},
                               {ROLE_POSITION, 0, 0, 0},
                               {ROLE_POSITION, 0, 0, 0}};

    if (!subject_is(l, SUBJECT_NONE) || !no_reference(l, true))
        return;
    if (l->j->detail.p == NULL || l->j->detail.len == 0) {
        wrong(l, "detail", "a reference", "none", "a funding has its reference as its detail");
        return;
    }
    if (amount <= 0 || paid >= 0 || paid == INT64_MIN) {
        wrong_int(l, "lines", 1, amount, "a nostro is debited, and a correspondent credited");
        return;
    }
    for (size_t i = 0; i < l->j->n_lines; i++) {
        const struct account *a = known_account_at(l->v->known, l->account[i]);
        if (a->role == ROLE_NOSTRO || a->role == ROLE_CORRESPONDENT) {
            struct wanted *w = &wanted[a->role == ROLE_NOSTRO ? 0 : 1];
            w->ccy = a->ccy;
            w->bank = a->bank;
        }
    }
    if (wanted[0].ccy != wanted[1].ccy) {
        wanted[2] = (struct wanted){ROLE_POSITION, wanted[0].ccy, 0, -amount};
        wanted[3] = (struct wanted){ROLE_POSITION, wanted[1].ccy, 0, -paid};
    }
    (void)lines_are(l, wanted, 4, 1);
    remember_once(l, "funding", l->j->detail);
}

/* ---------------------------------------------------------------- what is unclaimed */

static void unclaimed(struct look *l, struct memory *m)
{
    const struct record_unclaimed *u = &l->j->unclaimed;
    const uint16_t ccy = ccy_pack(u->currency);
    const struct wanted wanted[] = {{ROLE_FLOAT, ccy, 0, u->gross},
                                    {ROLE_UNCLAIMED, ccy, 0, -u->gross}};

    m->kind = KIND_NONE; /* until it is found to be one */
    if (!subject_is(l, SUBJECT_UNCLAIMED) || !no_reference(l, true))
        return;
    if (u->gross <= 0) {
        wrong_int(l, "gross", 1, u->gross, "what is set aside is above zero");
        return;
    }
    if (u->expires_at_us <= l->j->committed_at_us) {
        wrong_int(l, "expires_at", l->j->committed_at_us + 1, u->expires_at_us,
                  "its time is over before it begins");
        return;
    }
    if (!slice_equal(l->j->detail, u->reference)) {
        wrong_slice(l, "detail", "its reference", l->j->detail, "the detail is another reference");
        return;
    }
    if (!lines_are(l, wanted, 2, 1))
        return;
    *m = (struct memory){.kind = KIND_UNCLAIMED,
                         .src_ccy = ccy,
                         .gross = u->gross,
                         .net = text_mark(l, u->reference),
                         .fee = u->info.p == NULL ? 0 : text_mark(l, u->info),
                         .charge = u->expires_at_us,
                         .lines_sum = l->lines_sum};
    remember_once(l, "unclaimed", u->reference);
}

/* What the journal ends, which has not ended yet; a copy. */
static bool end_unclaimed(const struct look *l, struct memory *out)
{
    struct memory *m;

    if (!subject_is(l, SUBJECT_UNCLAIMED_END))
        return false;
    if (l->j->payout_id.has) {
        wrong(l, "payout_id", "absent", "a seq", "a journal of this kind is of no payout");
        return false;
    }
    if (!l->j->reverses_seq.has || l->j->reverses_seq.value < 1 ||
        l->j->reverses_seq.value >= l->j->seq) {
        wrong_int(l, "reverses_seq", l->j->seq - 1,
                  l->j->reverses_seq.has ? l->j->reverses_seq.value : 0,
                  "something unclaimed that was set aside before");
        return false;
    }
    m = verify_memory(l->v, l->j->reverses_seq.value, true);
    if (m == NULL)
        return false;
    if (m->kind != KIND_UNCLAIMED || is_set(l, m->ended_seq)) {
        wrong_int(l, "reverses_seq", 0, l->j->reverses_seq.value,
                  "is nothing that was set aside, or has ended before");
        return false;
    }
    m->ended_seq = l->j->seq;
    *out = *m;
    if (l->j->detail.p == NULL || text_mark(l, l->j->detail) != out->net) {
        wrong_slice(l, "detail", "the reference of what was set aside", l->j->detail,
                    "the detail is another reference");
        return false;
    }
    const struct wanted wanted[] = {{ROLE_FLOAT, out->src_ccy, 0, out->gross},
                                    {ROLE_UNCLAIMED, out->src_ccy, 0, -out->gross}};
    return lines_are(l, wanted, 2, -1);
}

/* The claims of a block come first, and then as many payouts, in the same order. */
static void claimed(struct look *l)
{
    const struct record_unclaimed_end *e = &l->j->unclaimed_end;
    struct claims *c = &l->v->book.claims;
    struct memory u;
    struct memory *m;

    if (!end_unclaimed(l, &u))
        return;
    if (e->outcome != 1 || !e->payout_id.has || e->payout_id.value <= l->j->seq) {
        wrong_int(l, e->outcome != 1 ? "outcome" : "payout_id", e->outcome != 1 ? 1 : l->j->seq + 1,
                  e->outcome != 1 ? e->outcome : (e->payout_id.has ? e->payout_id.value : 0),
                  "a claim has a payout, after it");
        return;
    }
    if (l->j->committed_at_us >= u.charge) {
        wrong_int(l, "committed_at", u.charge - 1, l->j->committed_at_us,
                  "it was claimed when its time was over");
        return;
    }
    if (c->n == 0)
        c->first = l->j->seq;
    c->n++;
    m = verify_memory(l->v, l->j->seq, true);
    if (m == NULL)
        return;
    m->gross = u.gross;
    m->src_ccy = u.src_ccy;
    m->net = u.net;
    m->fee = u.fee;
    m->charge = e->payout_id.value;
}

static void unclaimed_returned(struct look *l)
{
    const struct record_unclaimed_end *e = &l->j->unclaimed_end;
    struct memory u;

    if (!end_unclaimed(l, &u))
        return;
    if ((e->outcome != 2 && e->outcome != 3) || e->payout_id.has)
        wrong_int(l, e->payout_id.has ? "payout_id" : "outcome", e->payout_id.has ? 0 : 2,
                  e->payout_id.has ? e->payout_id.value : e->outcome,
                  "what comes back has expired or was cancelled, and has no payout");
    else if (e->outcome == 2 && l->j->committed_at_us < u.charge)
        wrong_int(l, "committed_at", u.charge, l->j->committed_at_us,
                  "it expired before its time was over");
}

/* ---------------------------------------------------------------- holds */

static bool held_lines(const struct look *l, const struct memory *p, int sign)
{
    const struct wanted wanted[] = {{ROLE_PAYABLE, p->dst_ccy, p->bank, p->net},
                                    {ROLE_HELD, p->dst_ccy, 0, -p->net}};

    return lines_are(l, wanted, 2, sign);
}

static bool is_hold_reason(struct slice reason)
{
    static const char *const reasons[] = {"OPERATOR", "SCREENING",     "LIMIT",
                                          "VELOCITY", "NAME_MISMATCH", "TRAVEL_RULE"};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (slice_equal_str(reason, reasons[i]))
            return true;
    return false;
}

static void held(struct look *l)
{
    const struct record_hold *h = &l->j->hold;
    struct holds holds;
    struct memory p;
    struct memory *m;

    if (!copy_payout(l, &p) || !no_reference(l, false) || !subject_is(l, SUBJECT_HOLD) ||
        !stands_at(l, &p, "ACCEPTED") || !holds_of(l, l->j->payout_id.value, &holds))
        return;
    if (h->hold_no != holds.n + 1) {
        wrong_int(l, "hold_no", holds.n + 1, h->hold_no, "a payout's holds are counted from 1");
        return;
    }
    if (!is_hold_reason(h->reason)) {
        wrong_slice(l, "reason", "one of docs/log-format.md", h->reason, "no reason for a hold");
        return;
    }
    if (h->deadline_us <= l->j->committed_at_us) {
        wrong_int(l, "deadline", l->j->committed_at_us + 1, h->deadline_us,
                  "its time is over before it begins");
        return;
    }
    if (!held_lines(l, &p, 1))
        return;
    m = verify_memory(l->v, holds.last_seq, true);
    if (m == NULL)
        return;
    if (holds.n == 0)
        m->charge = l->j->seq;
    else
        m->next_seq = l->j->seq;
    m = verify_memory(l->v, l->j->seq, true);
    if (m == NULL)
        return;
    m->state = slice_equal_str(h->reason, "OPERATOR");
    m->net = text_mark(l, l->j->actor);
}

/* Two people, the second of whom acts; of those who release neither is who placed the hold by hand. */
static bool two_people(const struct look *l, const struct memory *hold)
{
    const struct record_hold_end *e = &l->j->hold_end;

    if (!slice_equal(e->second_by, l->j->actor)) {
        wrong_slice(l, "second_by", "the actor", e->second_by, "the second to decide acts");
        return false;
    }
    if (slice_equal(e->first_by, e->second_by)) {
        wrong_slice(l, "first_by", "another than the second", e->first_by,
                    "a hold ends by two people");
        return false;
    }
    if (l->kind == KIND_RELEASED && hold->state != 0 &&
        (hold->net == text_mark(l, e->first_by) || hold->net == text_mark(l, e->second_by))) {
        wrong_slice(l, hold->net == text_mark(l, e->first_by) ? "first_by" : "second_by",
                    "another than who placed it", l->j->actor,
                    "whoever placed a hold by hand does not release it");
        return false;
    }
    return true;
}

static void hold_ended(struct look *l, int64_t outcome)
{
    const struct record_hold_end *e = &l->j->hold_end;
    const struct memory *at;
    struct holds holds;
    struct memory p, hold;
    struct memory *m;

    if (!copy_payout(l, &p) || !subject_is(l, SUBJECT_HOLD_END) || !stands_at(l, &p, "HELD") ||
        !holds_of(l, l->j->payout_id.value, &holds) || !reverses(l, holds.last_seq))
        return;
    if (e->hold_no != holds.n || e->outcome != outcome) {
        wrong_int(l, e->hold_no != holds.n ? "hold_no" : "outcome",
                  e->hold_no != holds.n ? holds.n : outcome,
                  e->hold_no != holds.n ? e->hold_no : e->outcome,
                  "is not that of the hold, or of the journal's kind");
        return;
    }
    at = verify_memory(l->v, holds.last_seq, false);
    if (at == NULL)
        return;
    hold = *at;
    if (!two_people(l, &hold) || !held_lines(l, &p, -1))
        return;
    m = verify_memory(l->v, holds.last_seq, true);
    if (m == NULL)
        return;
    m->ended_seq = l->j->seq;
    m = verify_memory(l->v, l->j->seq, true);
    if (m == NULL)
        return;
    m->bank = p.bank;
    m->gross = l->j->payout_id.value;
    if (outcome == 2)
        l->v->book.half =
            (struct half){.seq = l->j->seq, .after = KIND_REFUSED, .payout = l->j->payout_id.value};
}

static void refused(struct look *l)
{
    struct half *half = &l->v->book.half;

    if (half->seq == 0 || half->after != KIND_REFUSED || half->seq != l->j->seq - 1 ||
        !l->j->payout_id.has || half->payout != l->j->payout_id.value) {
        wrong(l, "kind", "HOLD_REFUSED before it", "none",
              "a payout is refused right after its hold ends so");
        return;
    }
    *half = (struct half){0};
    ended(l, 9, "HOLD_REFUSED");
}

static void deposited(struct look *l)
{
    const struct record_deposit *d = &l->j->deposit;
    uint16_t ccy;

    if (!subject_is(l, SUBJECT_DEPOSIT) || !no_reference(l, true))
        return;
    ccy = ccy_pack(d->currency);
    if (d->amount <= 0) {
        wrong_int(l, "amount", 1, d->amount, "a deposit is above zero");
        return;
    }
    const struct wanted wanted[] = {{ROLE_CORRESPONDENT, ccy, 0, d->amount},
                                    {ROLE_FLOAT, ccy, 0, -d->amount}};
    (void)lines_are(l, wanted, 2, 1);
    remember_once(l, "deposit", d->reference);
}

static void adjustment(struct look *l)
{
    const struct record_adjustment *a = &l->j->adjustment;
    char id[STR_INT64_SIZE];
    struct memory *m;

    if (!subject_is(l, SUBJECT_ADJUSTMENT))
        return;
    if (slice_equal(a->proposed_by, l->j->actor))
        wrong_slice(l, "actor", "another than who proposed it", l->j->actor,
                    "an adjustment takes two people");
    if (l->j->n_lines < 2)
        wrong_int(l, "lines", 2, (int64_t)l->j->n_lines, "an adjustment has lines");
    remember_once(l, "proposal", slice_of(id, str_format_int64(a->proposal, id)));
    if (!l->j->reverses_seq.has)
        return;
    if (l->j->reverses_seq.value < 1 || l->j->reverses_seq.value >= l->j->seq) {
        wrong_int(l, "reverses_seq", l->j->seq - 1, l->j->reverses_seq.value, "no journal before");
        return;
    }
    m = verify_memory(l->v, l->j->reverses_seq.value, true);
    if (m == NULL)
        return;
    if (is_set(l, m->reversed_by) || m->kind != KIND_ADJUSTMENT)
        wrong_int(l, "reverses_seq", 0, l->j->reverses_seq.value,
                  "is no adjustment, or was reversed before");
    else if (m->lines_sum + l->lines_sum != 0)
        wrong(l, "lines", "the negative of those it reverses", "others",
              "a reversal negates what it reverses");
    m->reversed_by = l->j->seq;
}

static enum journal_kind kind_of(struct slice name)
{
    for (int k = KIND_ACCEPTED; k < JOURNAL_KINDS; k++)
        if (slice_equal_str(name, kind_names[k]))
            return (enum journal_kind)k;
    return KIND_NONE;
}

static void by_kind(struct look *l, struct memory *m)
{
    switch (l->kind) {
    case KIND_NONE:
        wrong_slice(l, "kind", "a kind of docs/accounting.md", l->j->kind, "no such kind");
        break;
    case KIND_ACCEPTED:
        accepted(l, m);
        break;
    case KIND_INSTRUCTED:
        instructed(l);
        break;
    case KIND_SETTLED:
        settled(l);
        break;
    case KIND_REJECTED:
        ended(l, 5, "INSTRUCTED");
        break;
    case KIND_UNSETTLED:
        unsettled(l);
        break;
    case KIND_RETURNED:
        returned(l);
        break;
    case KIND_CANCELLED:
        ended(l, 7, "ACCEPTED");
        break;
    case KIND_DEPOSITED:
        deposited(l);
        break;
    case KIND_ADJUSTMENT:
        adjustment(l);
        break;
    case KIND_PARTLY_UNSETTLED:
        partly_unsettled(l);
        break;
    case KIND_PARTLY_RETURNED:
        partly_returned(l);
        break;
    case KIND_RETURN_REVERSED:
        return_reversed(l);
        break;
    case KIND_RESETTLED:
        resettled(l);
        break;
    case KIND_FUNDED:
        funded(l);
        break;
    case KIND_UNCLAIMED:
        unclaimed(l, m);
        break;
    case KIND_CLAIMED:
        claimed(l);
        break;
    case KIND_UNCLAIMED_RETURNED:
        unclaimed_returned(l);
        break;
    case KIND_HELD:
        held(l);
        break;
    case KIND_RELEASED:
        hold_ended(l, 1);
        break;
    case KIND_HOLD_REFUSED:
        hold_ended(l, 2);
        break;
    case KIND_REFUSED:
        refused(l);
        break;
    }
}

static void count_subject(struct verify *v, enum record_subject subject)
{
    struct book_result *r = v->book.result;

    r->transitions += subject == SUBJECT_TRANSITION;
    r->handouts += subject == SUBJECT_HANDOUT;
    r->deposits += subject == SUBJECT_DEPOSIT;
    r->adjustments += subject == SUBJECT_ADJUSTMENT;
    r->unclaimed += subject == SUBJECT_UNCLAIMED;
    r->unclaimed_ends += subject == SUBJECT_UNCLAIMED_END;
    r->holds += subject == SUBJECT_HOLD;
    r->hold_ends += subject == SUBJECT_HOLD_END;
}

void verify_journal_rules(struct verify *v, const struct record_journal *j)
{
    struct look l = {.v = v, .j = j, .kind = kind_of(j->kind), .lines_sum = 0};
    struct book *b = &v->book;
    struct memory *m;

    count_subject(v, j->subject);
    b->result->returns +=
        l.kind == KIND_RETURNED || l.kind == KIND_PARTLY_RETURNED || l.kind == KIND_RESETTLED;
    b->result->fundings += l.kind == KIND_FUNDED;
    if (b->half.seq != 0 && l.kind != b->half.after) {
        verify_wrong(v, j->seq, j->block_no, "kind", kind_names[b->half.after], kind_names[l.kind],
                     "the first journal of a return, of what takes one back, or of a refusal is "
                     "followed by its second");
        b->half = (struct half){0};
    }
    if (b->claims.n != 0 && l.kind != KIND_ACCEPTED &&
        (l.kind != KIND_CLAIMED || b->claims.done > 0)) {
        verify_wrong(v, j->seq, j->block_no, "kind", "PAYOUT_ACCEPTED", kind_names[l.kind],
                     "claims are followed by their payouts, and by nothing else");
        b->claims = (struct claims){0};
    }
    if (b->given_up || !check_lines(&l))
        return;
    v->lines += j->n_lines;
    b->result->lines += (int64_t)j->n_lines;
    m = verify_memory(v, j->seq, true);
    if (m == NULL)
        return;
    *m = (struct memory){.kind = (uint8_t)l.kind, .lines_sum = l.lines_sum};
    if (l.kind == KIND_ACCEPTED)
        m->kind = KIND_NONE; /* until it is found to be one */
    by_kind(&l, m);
}
