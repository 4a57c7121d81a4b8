/*
 * reconcile_match.c: which entry is which posting, and what is wrong with the rest.
 *
 * In order: the EndToEndId (or another name the bank was given: the platform's reference), the bank's own reference, and
 * the amount with a date near by, if there is exactly one on either side. What is ambiguous is not guessed. The same
 * amount goes before another one under the same name. Adjustments then take up what they were made for.
 */
#include "audit/reconcile.h"
#include "base/str.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- postings by name */

enum name_kind { NAME_END_TO_END, NAME_REFERENCE, NAME_BANK_REFERENCE };

struct slot {
    const char *name; /* NULL: free */
    struct item *item;
    enum name_kind kind;
    bool ambiguous;
};

/* Open addressing; at most half full. */
struct names {
    struct slot *slots;
    size_t mask;
};

static uint64_t hash_of(enum name_kind kind, bool credit, const char *name)
{
    uint64_t h = 14695981039346656037ULL ^ ((uint64_t)kind * 2 + credit);

    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211ULL;
    return h ^ (h >> 29);
}

static struct slot *find_slot(const struct names *names, enum name_kind kind, bool credit,
                              const char *name)
{
    size_t at = (size_t)hash_of(kind, credit, name) & names->mask;

    for (;; at = (at + 1) & names->mask) {
        struct slot *s = &names->slots[at];
        if (s->name == NULL ||
            (s->kind == kind && (s->item->minor > 0) == credit && strcmp(s->name, name) == 0))
            return s;
    }
}

static void add_name(struct names *names, enum name_kind kind, struct item *item, const char *name)
{
    struct slot *s;

    if (name[0] == '\0')
        return;
    s = find_slot(names, kind, item->minor > 0, name);
    if (s->name != NULL)
        s->ambiguous = true;
    else
        *s = (struct slot){.name = name, .item = item, .kind = kind};
}

static bool names_init(struct names *names, struct recon *r)
{
    size_t size = 16;

    while (size < r->n_items * 6)
        size *= 2;
    names->slots = calloc(size, sizeof *names->slots);
    names->mask = size - 1;
    if (names->slots == NULL) {
        complain("out of memory");
        return false;
    }
    for (size_t i = 0; i < r->n_items; i++) {
        add_name(names, NAME_END_TO_END, &r->items[i], r->items[i].end_to_end_id);
        add_name(names, NAME_REFERENCE, &r->items[i], r->items[i].reference);
        add_name(names, NAME_BANK_REFERENCE, &r->items[i], r->items[i].bank_reference);
    }
    return true;
}

static struct item *find_item(const struct names *names, enum name_kind kind, bool credit,
                              const char *name)
{
    struct slot *s = name[0] == '\0' ? NULL : find_slot(names, kind, credit, name);

    return s == NULL || s->name == NULL || s->ambiguous ? NULL : s->item;
}

/* The posting that a line's names point to, whether it is taken or not. */
static struct item *named(const struct names *names, const struct line *line, bool credit,
                          enum match *how)
{
    const char *ours[] = {line->end_to_end_id, line->instruction_id, line->transaction_id};
    const char *theirs[] = {line->bank_reference, line->entry_bank_reference, line->transaction_id,
                            line->entry_reference};
    struct item *item = NULL;

    *how = MATCH_END_TO_END;
    for (size_t i = 0; item == NULL && i < 3; i++)
        item = find_item(names, NAME_END_TO_END, credit, ours[i]);
    for (size_t i = 0; item == NULL && i < 3; i++)
        item = find_item(names, NAME_REFERENCE, credit, ours[i]);
    if (item != NULL)
        return item;
    *how = MATCH_BANK_REFERENCE;
    for (size_t i = 0; item == NULL && i < 4; i++)
        item = find_item(names, NAME_BANK_REFERENCE, credit, theirs[i]);
    return item;
}

static bool is_credit(const struct line *line)
{
    /* Of a batch's transaction without an amount, the batch's own direction is known. */
    return line->minor > 0 ||
           (line->minor == 0 && line->remainder != NULL && line->remainder->minor > 0);
}

static void join(struct line *line, struct item *item, enum match how)
{
    if (line->remainder != NULL) {
        line->minor = item->minor;
        line->remainder->minor -= item->minor;
        line->remainder->delta = line->remainder->minor;
        line->remainder = NULL;
    }
    line->item = item;
    line->match = how;
    line->delta = line->minor - item->minor;
    item->line = line;
    item->used = true;
}

/* Charges that a bank books apart may carry the payment's name, and are not the payment. */
static bool may_be_payment(const struct line *line)
{
    return !line->pending && !line->is_remainder && !line->charge && line->item == NULL;
}

static void match_by_name(struct recon *r, const struct names *names, bool same_amount)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        struct line *line = &r->lines[i];
        enum match how = MATCH_NONE;
        struct item *item;

        if (!may_be_payment(line))
            continue;
        item = named(names, line, is_credit(line), &how);
        if (item == NULL)
            continue;
        if (!item->used && (!same_amount || item->minor == line->minor))
            join(line, item, how);
        else if (!same_amount && item->used)
            line->duplicate = true;
    }
}

/* What the bank has and has not booked yet. */
static void note_pending(struct recon *r, const struct names *names)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        struct line *line = &r->lines[i];
        enum match how = MATCH_NONE;
        struct item *item = line->pending ? named(names, line, is_credit(line), &how) : NULL;

        if (item != NULL)
            item->pending = true;
    }
}

/* A credit, or a second debit, of a payment that we know: why it is no posting of ours. */
static void note_known(struct recon *r, const struct names *names)
{
    for (size_t i = 0; i < r->n_lines; i++) {
        struct line *line = &r->lines[i];
        enum match how = MATCH_NONE;
        struct item *item;

        if (line->pending || line->item != NULL || line->is_remainder)
            continue;
        item = named(names, line, line->charge || line->duplicate ? is_credit(line) : false, &how);
        if (item == NULL || item->payout_id == 0)
            continue;
        line->note = recon_printf(r, "%s payout %lld of %s (%s)",
                                  line->charge      ? "on"
                                  : line->duplicate ? "once more"
                                                    : "sends back",
                                  (long long)item->payout_id, item->book, item->reference);
        if (!line->charge && !line->duplicate && is_credit(line))
            line->returned = true;
    }
}

/* ---------------------------------------------------------------- by amount and date */

static int by_amount_line(const void *a, const void *b)
{
    const struct line *x = *(struct line *const *)a;
    const struct line *y = *(struct line *const *)b;

    if (x->minor != y->minor)
        return x->minor < y->minor ? -1 : 1;
    return x->date < y->date ? -1 : (x->date > y->date ? 1 : 0);
}

static int by_amount_item(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a;
    const struct item *y = *(struct item *const *)b;

    if (x->minor != y->minor)
        return x->minor < y->minor ? -1 : 1;
    return x->date < y->date ? -1 : (x->date > y->date ? 1 : 0);
}

static bool near_by(int32_t a, int32_t b)
{
    int64_t apart = (int64_t)a - b;

    return apart >= -RECON_TIMING_DAYS && apart <= RECON_TIMING_DAYS;
}

/* A name of ours that is another payment's forbids a guess. */
static bool has_our_name(const struct line *line)
{
    return strncmp(line->end_to_end_id, "UJ", 2) == 0 && char_is_digit(line->end_to_end_id[2]);
}

/* Items[0..n) of one amount: those near the date; *found is the last of them. */
static size_t count_items(struct item **items, size_t n, int32_t date, struct item **found)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (near_by(items[i]->date, date) && !items[i]->used) {
            *found = items[i];
            count++;
        }
    return count;
}

/* Groups of equal amounts can be large (a salary day): beyond this nothing in them is unique anyway. */
#define GROUP_MAX 64

static void match_group(struct recon *r, struct line **lines, size_t n_lines, struct item **items,
                        size_t n_items)
{
    if (n_lines > GROUP_MAX || n_items > GROUP_MAX)
        return;
    for (size_t i = 0; i < n_lines; i++) {
        struct item *item = NULL;
        size_t ours = count_items(items, n_items, lines[i]->date, &item);
        size_t theirs = 0;

        for (size_t j = 0; item != NULL && j < n_lines; j++)
            theirs += lines[j]->item == NULL && near_by(lines[j]->date, item->date);
        if (ours == 1 && theirs == 1)
            join(lines[i], item, MATCH_AMOUNT);
        else if (ours > 0)
            lines[i]->note =
                recon_printf(r, "%zu of ours fit by amount and date; not guessed", ours);
    }
}

static void match_sorted(struct recon *r, struct line **lines, size_t n_lines, struct item **items,
                         size_t n_items)
{
    size_t l = 0;
    size_t i = 0;

    while (l < n_lines && i < n_items) {
        size_t l_end = l;
        size_t i_end = i;

        if (lines[l]->minor != items[i]->minor) {
            if (lines[l]->minor < items[i]->minor)
                l++;
            else
                i++;
            continue;
        }
        while (l_end < n_lines && lines[l_end]->minor == lines[l]->minor)
            l_end++;
        while (i_end < n_items && items[i_end]->minor == items[i]->minor)
            i_end++;
        match_group(r, lines + l, l_end - l, items + i, i_end - i);
        l = l_end;
        i = i_end;
    }
}

static bool match_by_amount(struct recon *r)
{
    struct line **lines = calloc(r->n_lines + 1, sizeof(struct line *));
    struct item **items = calloc(r->n_items + 1, sizeof(struct item *));
    size_t n_lines = 0;
    size_t n_items = 0;
    bool good = lines != NULL && items != NULL;

    for (size_t i = 0; good && i < r->n_lines; i++)
        if (may_be_payment(&r->lines[i]) && !r->lines[i].duplicate && r->lines[i].minor != 0 &&
            !has_our_name(&r->lines[i]))
            lines[n_lines++] = &r->lines[i];
    for (size_t i = 0; good && i < r->n_items; i++)
        if (!r->items[i].used && !r->items[i].adjustment)
            items[n_items++] = &r->items[i];
    if (good) {
        qsort(lines, n_lines, sizeof(struct line *), by_amount_line);
        qsort(items, n_items, sizeof(struct item *), by_amount_item);
        match_sorted(r, lines, n_lines, items, n_items);
    } else {
        complain("out of memory");
    }
    free(lines);
    free(items);
    return good;
}

/* ---------------------------------------------------------------- what corrects what */

#define CONTRA_MAX                                                                                 \
    1000 /* duplicates that are looked at: a file that is made of them must not take for ever */

/* The bank debits twice and takes one back itself: the two are each other's. */
static void match_contra(struct recon *r)
{
    size_t looked_at = 0;

    for (size_t i = 0; i < r->n_lines && looked_at < CONTRA_MAX; i++) {
        struct line *twice = &r->lines[i];

        if (!twice->duplicate || twice->match != MATCH_NONE)
            continue;
        looked_at++;
        for (size_t j = 0; j < r->n_lines; j++) {
            struct line *back = &r->lines[j];

            if (back->item == NULL && back->match == MATCH_NONE && !back->pending &&
                back->end_to_end_id[0] != '\0' && back->minor == -twice->minor &&
                strcmp(back->end_to_end_id, twice->end_to_end_id) == 0) {
                back->match = twice->match = MATCH_CONTRA;
                back->delta = twice->delta = 0;
                back->duplicate = twice->duplicate = false;
                break;
            }
        }
    }
}

/* Whether `word` stands in `text` by itself. */
static bool cites(const char *text, const char *word)
{
    size_t len = strlen(word);

    if (len == 0)
        return false;
    for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word)) {
        char before = p == text ? ' ' : p[-1];
        char behind = p[len];
        bool alone = strchr(" ,;:()[].'\"", before) != NULL &&
                     (behind == '\0' || strchr(" ,;:()[].'\"", behind) != NULL);
        if (alone)
            return true;
    }
    return false;
}

static bool cites_line(const char *reason, const struct line *line)
{
    return cites(reason, line->bank_reference) || cites(reason, line->entry_bank_reference) ||
           cites(reason, line->end_to_end_id) || cites(reason, line->entry_reference) ||
           cites(reason, line->transaction_id);
}

static bool is_open(const struct line *line)
{
    return !line->pending && line->delta != 0 && line->adjusted_by == NULL;
}

static void adjust(struct line *line, struct item *item)
{
    line->adjusted_by = item;
    line->delta = 0;
    item->line = line;
    item->used = true;
}

/* An adjustment takes up the one difference of its amount: the one whose reference its reason cites, or else the only
 * one, if it is also the only such adjustment. */
static void match_adjustment(struct recon *r, struct item *item, bool by_reference)
{
    struct line *found = NULL;
    size_t n = 0;
    size_t rivals = 0;

    for (size_t i = 0; i < r->n_lines; i++)
        if (is_open(&r->lines[i]) && r->lines[i].delta == item->minor &&
            (!by_reference || cites_line(item->reason, &r->lines[i]))) {
            found = &r->lines[i];
            n++;
        }
    for (size_t i = 0; !by_reference && n == 1 && i < r->n_items; i++)
        rivals += r->items[i].adjustment && !r->items[i].used && r->items[i].minor == item->minor;
    if (n == 1 && (by_reference || rivals == 1))
        adjust(found, item);
}

static void match_adjustments(struct recon *r)
{
    for (int by_reference = 1; by_reference >= 0; by_reference--)
        for (size_t i = 0; i < r->n_items; i++)
            if (r->items[i].adjustment && !r->items[i].used)
                match_adjustment(r, &r->items[i], by_reference == 1);
}

/* What the bank's account opened with and our books did not know, less what has become clear since; and the one
 * adjustment that took it into the books. */
static void match_opening(struct recon *r)
{
    struct item *found = NULL;
    size_t n = 0;

    r->brought_forward = r->statements[0].opening - r->books_opening;
    for (size_t i = 0; i < r->n_items; i++)
        if (r->items[i].prior && r->items[i].used)
            r->brought_forward += r->items[i].minor;
    if (r->brought_forward == 0)
        return;
    for (size_t i = 0; i < r->n_items; i++)
        if (r->items[i].adjustment && !r->items[i].used && !r->items[i].prior &&
            r->items[i].minor == r->brought_forward) {
            found = &r->items[i];
            n++;
        }
    if (n == 1) {
        found->used = true;
        r->opening_item = found;
        r->brought_forward = 0;
    }
}

bool recon_match(struct recon *r)
{
    struct names names;
    bool good;

    for (size_t i = 0; i < r->n_lines; i++)
        r->lines[i].delta = r->lines[i].pending ? 0 : r->lines[i].minor;
    if (!names_init(&names, r))
        return false;
    match_by_name(r, &names, true);
    match_by_name(r, &names, false);
    good = match_by_amount(r);
    if (good) {
        note_pending(r, &names);
        match_contra(r);
        note_known(r, &names);
        match_adjustments(r);
        match_opening(r);
    }
    free(names.slots);
    return good;
}

/* ---------------------------------------------------------------- what is wrong */

static enum category category_of_difference(const struct line *line)
{
    if (line->charges != 0 && line->delta == -line->charges)
        return CAT_CHARGE;
    if (line->item->tax != 0 && (line->delta == line->item->tax || line->delta == -line->item->tax))
        return CAT_TAX;
    return CAT_AMOUNT;
}

static enum category category_of_line(const struct recon *r, const struct line *line)
{
    if (line->item != NULL)
        return category_of_difference(line);
    if (line->duplicate)
        return CAT_DUPLICATE;
    if (line->charge || (line->charges != 0 && line->delta == -line->charges))
        return CAT_CHARGE;
    if (line->is_remainder)
        return CAT_AMOUNT;
    if (line->minor > 0)
        return line->returned ? CAT_RETURN : CAT_CREDIT;
    /* The bank paid and its confirmation is on its way. */
    if (line->instructed && r->as_of_day - line->date <= RECON_TIMING_DAYS)
        return CAT_TIMING;
    return CAT_MISSING_OURS;
}

static enum category category_of_item(const struct recon *r, const struct item *item)
{
    int32_t end = r->statements[r->n_statements - 1].to_day;

    return item->pending || end - item->date <= RECON_TIMING_DAYS ? CAT_TIMING : CAT_MISSING_THEIRS;
}

static const char *note_of_item(const struct recon *r, const struct item *item)
{
    if (item->pending)
        return "pending at the bank";
    if (item->date > r->statements[r->n_statements - 1].to_day)
        return "later than the last statement";
    if (item->adjustment)
        return "an adjustment that no entry and no difference calls for";
    return NULL;
}

static void add_break(struct recon *r, struct brk b)
{
    b.age_days = r->as_of_day > b.date ? r->as_of_day - b.date : 0;
    r->breaks[r->n_breaks++] = b;
    r->explained += b.effect;
    r->count[b.category]++;
    r->sum[b.category] += b.effect;
}

static int by_category(const void *a, const void *b)
{
    const struct brk *x = a;
    const struct brk *y = b;

    if (x->category != y->category)
        return x->category < y->category ? -1 : 1;
    if (x->date != y->date)
        return x->date < y->date ? -1 : 1;
    if (x->effect != y->effect)
        return x->effect < y->effect ? -1 : 1;
    return 0;
}

static void count_matches(struct recon *r)
{
    for (size_t i = 0; i < r->n_lines; i++)
        if (r->lines[i].match != MATCH_NONE)
            r->matched[r->lines[i].match]++;
    for (size_t i = 0; i < r->n_items; i++)
        r->matched_ours += r->items[i].used;
}

bool recon_classify(struct recon *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_lines; i++)
        n += is_open(&r->lines[i]);
    for (size_t i = 0; i < r->n_items; i++)
        n += !r->items[i].used && !r->items[i].prior;
    r->breaks = calloc(n + 1, sizeof *r->breaks);
    if (r->breaks == NULL) {
        complain("out of memory");
        return false;
    }
    for (size_t i = 0; i < r->n_lines; i++) {
        struct line *line = &r->lines[i];

        if (!is_open(line))
            continue;
        line->category = category_of_line(r, line);
        add_break(r, (struct brk){.category = line->category,
                                  .effect = line->delta,
                                  .date = line->date,
                                  .line = line,
                                  .item = line->item,
                                  .note = line->note});
    }
    for (size_t i = 0; i < r->n_items; i++) {
        const struct item *item = &r->items[i];

        if (!item->used && !item->prior)
            add_break(r, (struct brk){.category = category_of_item(r, item),
                                      .effect = -item->minor,
                                      .date = item->date,
                                      .item = item,
                                      .note = note_of_item(r, item)});
    }
    assert(r->n_breaks == n);
    qsort(r->breaks, r->n_breaks, sizeof *r->breaks, by_category);
    r->unexplained = r->bank_balance - r->books_balance - r->explained;
    count_matches(r);
    return true;
}
