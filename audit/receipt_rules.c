/* What a receipt's journals must be for it to be true, by docs/accounting.md. */
#include "audit/receipt.h"

#include "audit/verify_book.h"

#include <stdio.h>
#include <string.h>

#define RATE_ONE_E10 10000000000LL

enum { LINES_OF_A_PAYOUT = 6, LINE_ACCOUNT_SIZE = 48 };

/* ISO 4217, list one: what has other than two digits. */
unsigned receipt_digits(struct slice currency)
{
    static const char none[][4] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                   "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
    static const char three[][4] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    static const char four[][4] = {"CLF", "UYW"};

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (slice_equal_str(currency, none[i]))
            return 0;
    for (size_t i = 0; i < sizeof three / sizeof three[0]; i++)
        if (slice_equal_str(currency, three[i]))
            return 3;
    for (size_t i = 0; i < sizeof four / sizeof four[0]; i++)
        if (slice_equal_str(currency, four[i]))
            return 4;
    return 2;
}

/* docs/accounting.md and docs/log-format.md number them. */
enum {
    STATE_ACCEPTED = 1,
    STATE_INSTRUCTED = 3,
    STATE_SETTLED,
    STATE_REJECTED,
    STATE_RETURNED,
    STATE_CANCELLED,
    STATE_REFUSED = 9,
    STATE_PARTLY_RETURNED = 10
};

const char *receipt_state_name(int64_t state)
{
    static const char *const names[] = {
        "?",        "ACCEPTED",  "?", "INSTRUCTED", "SETTLED",        "REJECTED",
        "RETURNED", "CANCELLED", "?", "REFUSED",    "PARTLY_RETURNED"};

    return state >= 0 && (size_t)state < sizeof names / sizeof names[0] ? names[state] : "?";
}

int64_t receipt_state_of(const struct record_journal *j)
{
    switch (j->subject) {
    case SUBJECT_PAYOUT:
        return STATE_ACCEPTED;
    case SUBJECT_HANDOUT:
        return STATE_INSTRUCTED;
    case SUBJECT_TRANSITION:
        return j->transition.state;
    case SUBJECT_NONE:
    case SUBJECT_DEPOSIT:
    case SUBJECT_ADJUSTMENT:
    case SUBJECT_UNCLAIMED:
    case SUBJECT_UNCLAIMED_END:
    case SUBJECT_HOLD:
    case SUBJECT_HOLD_END:
        break;
    }
    return 0;
}

/* ---------------------------------------------------------------- one journal after the other */

/* A return, and whether it was taken back. */
struct return_made {
    size_t at; /* the journal that says so; the bank's side of it is the one before */
    int64_t amount, charge;
    bool stands;
};

struct look {
    const struct receipt *r;
    const struct record_payout *payout;
    int64_t payout_id;
    struct receipt_findings *findings;
    size_t at;     /* which journal */
    int64_t steps; /* of the payout so far */
    struct return_made returns[RECEIPT_JOURNALS_MAX];
    size_t n_returns;
    char where[RECEIPT_WHERE_SIZE];
};

static void wrong(const struct look *l, const char *what)
{
    receipt_find(l->findings, l->where, "%s", what);
}

static const struct record_journal *journal(const struct look *l)
{
    return &l->r->journals[l->at].said;
}

/* The kinds that may follow one; docs/accounting.md has what each does. A transition to no one state is looked at by what has
 * come back. */
static const struct step {
    const char *kind, *after[5];
    enum record_subject subject;
    int64_t state; /* of a transition; 0: as it comes */
} steps[] = {
    {"PAYOUT_ACCEPTED", {NULL}, SUBJECT_PAYOUT, 0},
    {"PAYOUTS_INSTRUCTED", {"PAYOUT_ACCEPTED"}, SUBJECT_HANDOUT, 0},
    {"PAYOUT_SETTLED", {"PAYOUTS_INSTRUCTED"}, SUBJECT_TRANSITION, STATE_SETTLED},
    {"PAYOUT_REJECTED", {"PAYOUTS_INSTRUCTED"}, SUBJECT_TRANSITION, STATE_REJECTED},
    {"PAYOUT_CANCELLED", {"PAYOUT_ACCEPTED"}, SUBJECT_TRANSITION, STATE_CANCELLED},
    {"PAYOUT_REFUSED", {"PAYOUT_ACCEPTED"}, SUBJECT_TRANSITION, STATE_REFUSED},
    {"SETTLEMENT_REVERSED", {"PAYOUT_SETTLED"}, SUBJECT_NONE, 0},
    {"PAYOUT_RETURNED", {"SETTLEMENT_REVERSED"}, SUBJECT_TRANSITION, STATE_RETURNED},
    {"SETTLEMENT_PARTLY_REVERSED",
     {"PAYOUT_SETTLED", "PAYOUT_PARTLY_RETURNED", "SETTLEMENT_RESTORED"},
     SUBJECT_NONE,
     0},
    {"PAYOUT_PARTLY_RETURNED", {"SETTLEMENT_PARTLY_REVERSED"}, SUBJECT_TRANSITION, 0},
    {"RETURN_REVERSED",
     {"PAYOUT_RETURNED", "PAYOUT_PARTLY_RETURNED", "SETTLEMENT_RESTORED"},
     SUBJECT_NONE,
     0},
    {"SETTLEMENT_RESTORED", {"RETURN_REVERSED"}, SUBJECT_TRANSITION, 0},
};

static const struct step *step_of(struct slice kind)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (slice_equal_str(kind, steps[i].kind))
            return &steps[i];
    return NULL;
}

static bool follows(const struct step *s, struct slice kind_before)
{
    for (size_t i = 0; s->after[i] != NULL; i++)
        if (slice_equal_str(kind_before, s->after[i]))
            return true;
    return false;
}

static void check_step(struct look *l)
{
    const struct record_journal *j = journal(l);
    const struct step *s = step_of(j->kind);

    if (s == NULL) {
        wrong(l, "its kind is not one of a payout's journals");
        return;
    }
    if (l->at > 0 && !follows(s, l->r->journals[l->at - 1].said.kind))
        wrong(l, "its kind does not follow that of the journal before");
    l->steps += s->subject == SUBJECT_TRANSITION;
    if (j->subject != s->subject)
        wrong(l, "its kind and what its record is about do not go together");
    else if (j->subject == SUBJECT_TRANSITION &&
             (j->transition.step != l->steps || (s->state != 0 && j->transition.state != s->state)))
        wrong(l, "its kind and the state it leads to do not go together");
    if (l->at > 0 && j->seq <= l->r->journals[l->at - 1].said.seq)
        wrong(l, "it is out of order");
}

static void check_about(const struct look *l)
{
    const struct record_journal *j = journal(l);

    if (j->subject == SUBJECT_HANDOUT) {
        /* One that was held and released has a later number in its bank's order, which a receipt does not say. */
        if (!slice_equal(j->handout.bank, l->payout->bank) ||
            l->payout_id > j->handout.last_payout_id)
            wrong(l, "it told a bank of other payouts");
        if (j->payout_id.has)
            wrong(l, "a hand-out is about no payout in particular");
    } else if (!j->payout_id.has || j->payout_id.value != l->payout_id) {
        wrong(l, "it is about another payout");
    }
}

/* ---------------------------------------------------------------- lines */

struct lines {
    size_t n;
    struct {
        char account[LINE_ACCOUNT_SIZE];
        int64_t amount;
    } line[LINES_OF_A_PAYOUT];
};

static void add(struct lines *lines, int64_t amount, const char *role, struct slice a,
                struct slice b)
{
    if (amount == 0)
        return;
    (void)snprintf(lines->line[lines->n].account, LINE_ACCOUNT_SIZE, "%s.%.*s%s%.*s", role,
                   SLICE_ARG(a), b.len > 0 ? "." : "", SLICE_ARG(b));
    lines->line[lines->n++].amount = amount;
}

static struct lines lines_accepted(const struct record_payout *p)
{
    const struct slice none = {NULL, 0};
    struct lines lines = {.n = 0};

    add(&lines, p->gross, "float", p->src_ccy, none);
    add(&lines, -p->fee, "fee", p->src_ccy, none);
    if (!slice_equal(p->src_ccy, p->dst_ccy)) {
        add(&lines, p->fee - p->gross, "position", p->src_ccy, none);
        add(&lines, p->mid_value, "position", p->dst_ccy, none);
        add(&lines, -p->margin, "margin", p->dst_ccy, none);
    }
    add(&lines, -p->net, "payable", p->bank, p->dst_ccy);
    return lines;
}

static struct lines lines_settled(const struct record_payout *p)
{
    struct lines lines = {.n = 0};

    add(&lines, p->net, "payable", p->bank, p->dst_ccy);
    add(&lines, -p->net, "nostro", p->bank, p->dst_ccy);
    return lines;
}

/* Just these, in whatever order; negated: with the other sign. An account ends with its currency. */
static bool lines_are(const struct record_journal *j, const struct lines *want, bool negated)
{
    size_t found = 0;

    for (size_t w = 0; w < want->n; w++)
        for (size_t i = 0; i < j->n_lines; i++) {
            const struct record_line *line = &j->lines[i];
            const char *account = want->line[w].account;
            size_t len = strlen(account);

            if (slice_equal_str(line->account, account) && len > 3 &&
                slice_equal_str(line->currency, account + len - 3) &&
                line->amount == (negated ? -want->line[w].amount : want->line[w].amount)) {
                found++;
                break;
            }
        }
    return found == want->n && j->n_lines == want->n;
}

static bool is(const struct record_journal *j, const char *kind)
{
    return slice_equal_str(j->kind, kind);
}

static void expect(const struct look *l, const struct lines *want, bool negated, int64_t reversed)
{
    const struct record_journal *j = journal(l);

    if (!lines_are(j, want, negated))
        wrong(l, "its lines are not what the payout's numbers make them");
    if (j->reverses_seq.has != (reversed != 0) ||
        (j->reverses_seq.has && j->reverses_seq.value != reversed))
        wrong(l, "it reverses another journal than it should");
}

/* ---------------------------------------------------------------- what came back */

__extension__ typedef __int128 wide_t;

/* docs/accounting.md: the share of a line for what is returned of the net, rounded towards zero. */
static int64_t share_of(int64_t line, int64_t returned, int64_t net)
{
    return (int64_t)((wide_t)line * returned / net);
}

/* A return's lines of the payout, for what came back between the two; none if its numbers are no payout's (check_price). */
static struct lines lines_returned(const struct record_payout *p, int64_t before, int64_t after)
{
    const struct slice none = {NULL, 0};
    struct lines lines = {.n = 0};

    if (p->net <= 0 || p->fee < 0 || p->fee >= p->gross || p->mid_value < p->net)
        return lines;
    int64_t gross = share_of(p->gross, after, p->net) - share_of(p->gross, before, p->net);
    int64_t fee = share_of(p->fee, after, p->net) - share_of(p->fee, before, p->net);
    int64_t value = share_of(p->mid_value, after, p->net) - share_of(p->mid_value, before, p->net);
    int64_t amount = after - before;

    add(&lines, -gross, "float", p->src_ccy, none);
    if (slice_equal(p->src_ccy, p->dst_ccy)) {
        add(&lines, gross - amount, "fee", p->src_ccy, none); /* the rest */
    } else {
        add(&lines, fee, "fee", p->src_ccy, none);
        add(&lines, gross - fee, "position", p->src_ccy, none);
        add(&lines, -value, "position", p->dst_ccy, none);
        add(&lines, value - amount, "margin", p->dst_ccy, none);
    }
    add(&lines, amount, "payable", p->bank, p->dst_ccy);
    return lines;
}

static struct lines lines_unsettled(const struct record_payout *p, int64_t amount, int64_t charge)
{
    struct lines lines = {.n = 0};

    add(&lines, -amount, "payable", p->bank, p->dst_ccy);
    add(&lines, amount - charge, "nostro", p->bank, p->dst_ccy);
    add(&lines, charge, "charge", p->dst_ccy, (struct slice){NULL, 0});
    return lines;
}

static int64_t amount_on(const struct record_journal *j, struct slice role)
{
    for (size_t i = 0; i < j->n_lines; i++)
        if (slice_starts_with(j->lines[i].account, role))
            return j->lines[i].amount;
    return 0;
}

static int64_t returned_so_far(const struct look *l)
{
    int64_t sum = 0;

    for (size_t i = 0; i < l->n_returns; i++)
        sum += l->returns[i].stands ? l->returns[i].amount : 0;
    return sum;
}

static struct return_made *last_standing(struct look *l)
{
    for (size_t i = l->n_returns; i > 0; i--)
        if (l->returns[i - 1].stands)
            return &l->returns[i - 1];
    return NULL;
}

static void check_state(const struct look *l, int64_t returned, int64_t none)
{
    const int64_t state = returned == 0                ? none
                          : returned == l->payout->net ? STATE_RETURNED
                                                       : STATE_PARTLY_RETURNED;

    if (journal(l)->subject == SUBJECT_TRANSITION && journal(l)->transition.state != state)
        wrong(l, "the state it leads to is not that of what has come back");
}

/* SETTLEMENT_PARTLY_REVERSED: what it says came back is looked at with what was settled. */
static void check_bank_side(struct look *l)
{
    const int64_t before = returned_so_far(l);
    int64_t amount = amount_on(journal(l), SLICE("payable.")),
            charge = amount_on(journal(l), SLICE("charge."));
    struct lines want;

    amount = amount == INT64_MIN ? 0 : -amount;
    if (amount < 1 || amount > l->payout->net - before || charge < 0 || charge > amount) {
        wrong(l, "it returns more than is left of the payment, or nothing");
        return;
    }
    want = lines_unsettled(l->payout, amount, charge);
    expect(l, &want, false, 0);
    if (l->n_returns < RECEIPT_JOURNALS_MAX)
        l->returns[l->n_returns++] =
            (struct return_made){.at = l->at + 1, .amount = amount, .charge = charge};
}

static void check_part_returned(struct look *l)
{
    struct return_made *made = l->n_returns == 0 ? NULL : &l->returns[l->n_returns - 1];
    const int64_t before = returned_so_far(l);
    struct lines want;

    if (made == NULL || made->at != l->at)
        return; /* its first half was refused */
    want = lines_returned(l->payout, before, before + made->amount);
    expect(l, &want, false, 0);
    made->stands = true;
    check_state(l, before + made->amount, 0);
}

static void check_return_reversed(struct look *l)
{
    const struct return_made *back = last_standing(l);
    const int64_t returned = returned_so_far(l);
    struct lines want;

    if (back == NULL) {
        wrong(l, "it takes back a return that there is not");
        return;
    }
    want = lines_returned(l->payout, returned - back->amount, returned);
    expect(l, &want, true, l->r->journals[back->at].said.seq);
}

static void check_resettled(struct look *l)
{
    struct return_made *back = last_standing(l);
    struct lines want;

    if (back == NULL)
        return;
    want = lines_unsettled(l->payout, back->amount, back->charge);
    expect(l, &want, true, l->r->journals[back->at - 1].said.seq);
    back->stands = false;
    check_state(l, returned_so_far(l), STATE_SETTLED);
}

static void check_returned_whole(struct look *l, const struct lines *accepted)
{
    expect(l, accepted, true, l->payout_id);
    if (l->n_returns < RECEIPT_JOURNALS_MAX && returned_so_far(l) == 0)
        l->returns[l->n_returns++] =
            (struct return_made){.at = l->at, .amount = l->payout->net, .stands = true};
}

static void check_lines(struct look *l)
{
    const struct record_journal *j = journal(l);
    const struct lines accepted = lines_accepted(l->payout), settled = lines_settled(l->payout),
                       none = {.n = 0};

    if (is(j, "PAYOUT_ACCEPTED"))
        expect(l, &accepted, false, 0);
    else if (is(j, "PAYOUT_SETTLED"))
        expect(l, &settled, false, 0);
    else if (is(j, "PAYOUT_REJECTED") || is(j, "PAYOUT_CANCELLED") || is(j, "PAYOUT_REFUSED"))
        expect(l, &accepted, true, l->payout_id);
    else if (is(j, "SETTLEMENT_REVERSED"))
        expect(l, &settled, true, l->at > 0 ? l->r->journals[l->at - 1].said.seq : 0);
    else if (is(j, "PAYOUT_RETURNED"))
        check_returned_whole(l, &accepted);
    else if (is(j, "SETTLEMENT_PARTLY_REVERSED"))
        check_bank_side(l);
    else if (is(j, "PAYOUT_PARTLY_RETURNED"))
        check_part_returned(l);
    else if (is(j, "RETURN_REVERSED"))
        check_return_reversed(l);
    else if (is(j, "SETTLEMENT_RESTORED"))
        check_resettled(l);
    else
        expect(l, &none, false, 0);
}

/* ---------------------------------------------------------------- the price */

static void check_price(const struct receipt *r, const struct record_payout *p,
                        struct receipt_findings *findings)
{
    const struct price price = {p->gross,      p->fee,    p->mid_rate_e10, p->mid_value,
                                p->margin_bps, p->margin, p->net,          p->digit_shift};
    const char *field = "";
    int64_t expected = 0, found = 0;
    bool same = slice_equal(p->src_ccy, p->dst_ccy), in_sheet = false;

    if (!price_holds(&price, &field, &expected, &found))
        receipt_find(findings, "payout.pricing",
                     "%s does not follow from the other numbers: it is %lld, and must be %lld",
                     field, (long long)found, (long long)expected);
    if (p->digit_shift != (int64_t)receipt_digits(p->dst_ccy) - (int64_t)receipt_digits(p->src_ccy))
        receipt_find(findings, "payout.pricing", "the digits of its currencies are not ISO 4217's");
    if (same && (p->mid_rate_e10 != RATE_ONE_E10 || p->margin != 0))
        receipt_find(findings, "payout.pricing", "nothing was exchanged, and yet there is a price");
    if (same || !slice_equal_str(p->dst_ccy, "PKR"))
        return; /* sheets are of rupees */
    for (size_t i = 0; i < r->sheet.n_rates; i++)
        in_sheet = in_sheet || (slice_equal(r->sheet.rates[i].currency, p->src_ccy) &&
                                r->sheet.rates[i].pkr_e10 == p->mid_rate_e10);
    if (!in_sheet)
        receipt_find(findings, "payout.pricing.mid_rate", "it is not the rate of its rate sheet");
}

static void check_quote(const struct receipt *r, const struct record_payout *p,
                        struct receipt_findings *findings)
{
    const struct record_quote *q = &r->quote;

    if (p->quote.p == NULL)
        return;
    if (!slice_equal(q->book, r->head.book) || !slice_equal(q->src_ccy, p->src_ccy) ||
        !slice_equal(q->dst_ccy, p->dst_ccy) || q->gross != p->gross || q->fee != p->fee ||
        q->mid_rate_e10 != p->mid_rate_e10 || q->mid_value != p->mid_value ||
        q->margin_bps != p->margin_bps || q->margin != p->margin || q->net != p->net ||
        !slice_equal(q->rate_sheet, p->rate_sheet))
        receipt_find(findings, "payout.quote", "the quote was for other numbers");
    if (q->created_at_us > r->journals[0].said.committed_at_us)
        receipt_find(findings, "payout.quote", "the quote was made after the payout");
}

/* ---------------------------------------------------------------- what records point to */

static void check_pointer(struct sha256 *sha, const struct receipt_bytes *record,
                          struct slice pointer, const char *where,
                          struct receipt_findings *findings)
{
    hash_t hash = sha256_of(sha, slice_of(record->p, record->len));

    if (!slice_equal(slice_of(hash.b, HASH_BYTES), pointer))
        receipt_find(findings, where, "it is not the record that the payout points to");
}

static void check_beneficiary(const struct receipt *r, const struct record_payout *p,
                              struct receipt_findings *findings)
{
    const struct record_beneficiary *b = &r->beneficiary;

    if (!slice_equal(b->book, r->head.book) || b->beneficiary_id != p->beneficiary_id ||
        b->version != p->beneficiary_version || !slice_equal(b->bank, p->bank))
        receipt_find(findings, "records.beneficiary",
                     "it is of somebody else than the payout is to");
}

static void check_openings(const struct receipt *r, struct sha256 *sha,
                           struct receipt_findings *findings)
{
    static const char *const names[RECEIPT_OPENINGS] = {"name", "iban", "mobile"};
    struct record_out record = {0};

    for (int i = 0; i < RECEIPT_OPENINGS; i++) {
        struct record_pii pii = {slice_str(names[i]),
                                 slice_of(r->openings[i].salt, sizeof r->openings[i].salt),
                                 r->openings[i].value};
        char where[32];
        hash_t hash;

        if (pii.value.p == NULL)
            continue;
        (void)snprintf(where, sizeof where, "openings.%s", names[i]);
        if (!record_write_pii(&record, &pii)) {
            receipt_find(findings, where, "it is too long");
            continue;
        }
        hash = sha256_of(sha, record_out_slice(&record));
        if (!slice_equal(slice_of(hash.b, HASH_BYTES), r->beneficiary.commitments[i]))
            receipt_find(findings, where,
                         "salt and value do not open what was committed to for the beneficiary");
    }
    record_out_free(&record);
}

void receipt_check_rules(const struct receipt *r, struct sha256 *sha,
                         struct receipt_findings *findings)
{
    const struct record_journal *first = &r->journals[0].said;
    struct look l = {.r = r, .findings = findings};

    if (first->subject != SUBJECT_PAYOUT) {
        receipt_find(findings, "journals[0]", "it does not accept a payout");
        return;
    }
    l.payout = &first->payout;
    l.payout_id = first->seq;
    for (l.at = 0; l.at < r->n_journals; l.at++) {
        (void)snprintf(l.where, sizeof l.where, "journals[%zu]", l.at);
        check_step(&l);
        check_about(&l);
        check_lines(&l);
    }
    if (r->journals[r->n_journals - 1].said.subject == SUBJECT_NONE)
        receipt_find(
            findings, "journals",
            "the first journal of a return, or of what takes one back, and not its second");
    check_price(r, l.payout, findings);
    check_quote(r, l.payout, findings);
    check_pointer(sha, &r->beneficiary_record, l.payout->beneficiary, "records.beneficiary",
                  findings);
    check_pointer(sha, &r->sheet_record, l.payout->rate_sheet, "records.rate_sheet", findings);
    check_beneficiary(r, l.payout, findings);
    check_openings(r, sha, findings);
}
