#include "screen/index_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define UNITS_MAX      (2 * SCREEN_TOKENS_MAX) /* tokens, and neighbours written as one */
#define LIKE_BITS      10
#define STAMP_MAX      (UINT32_MAX >> LIKE_BITS)
#define LIKE_INIT      700 /* an initial, and a name that begins with it */
#define ONE_COMMON_MAX 690 /* a common name and initials: may be anybody */
#define BONUS_MAX      (SCREEN_PART_DOB_SAME + SCREEN_PART_COUNTRY_SAME)
#define PAIRS_MAX      96

/* A token of the query, or two neighbours as one. */
struct unit {
    struct screen_token token;
    uint32_t weight;
    uint8_t first, n;
};

/* What the query's tokens came to in one name, while they are gone through. */
struct tally {
    uint32_t stamp;
    uint32_t units; /* a bit each */
    uint16_t query,
        listed; /* weights that were met, on both sides: no score is higher than these allow */
};

struct candidate {
    uint32_t name;
    int score;
    struct screen_pair pairs[SCREEN_TOKENS_MAX];
    uint8_t n_pairs;
};

/* What a token was like, when it was asked for last: the same names come again and again. */
#define REMEMBERED    4096 /* a power of two */
#define REMEMBERED_OF 48
struct remembered {
    char text[SCREEN_TOKEN_SIZE];
    uint8_t flags, n;
    bool whole; /* there was room for all */
    uint16_t likes[REMEMBERED_OF];
    uint32_t tokens[REMEMBERED_OF];
};

struct screen_search {
    const struct screen_index *index;
    struct remembered *remembered;
    struct screen_fold *fold;
    uint32_t stamp;
    uint32_t *likes; /* UNITS_MAX rows of n_tokens: stamp and how like the unit is to the token */
    struct tally *tallies;
    uint32_t *touched; /* names with a tally */
    size_t n_touched;
    uint32_t *entry_stamp; /* by entry: the query that has it among its hits, and where */
    uint16_t *entry_hit;
    struct screen_name name;
    struct unit units[UNITS_MAX];
    size_t n_units;
    uint32_t query_weight, query_share; /* as of a name (index_parts.h) */
};

err_t screen_search_new(const struct screen_index *index, struct screen_search **out)
{
    struct screen_search *s = calloc(1, sizeof *s);
    err_t err;

    if (s == NULL)
        return err_make(ERR_NO_MEMORY, "prepare a search");
    s->index = index;
    s->likes = calloc(index->n_tokens + 1, UNITS_MAX * sizeof *s->likes);
    s->tallies = calloc(index->n_names + 1, sizeof *s->tallies);
    s->touched = calloc(index->n_names + 1, sizeof *s->touched);
    s->entry_stamp = calloc(index->n_entries + 1, sizeof *s->entry_stamp);
    s->entry_hit = calloc(index->n_entries + 1, sizeof *s->entry_hit);
    s->remembered = calloc(REMEMBERED, sizeof *s->remembered);
    err = screen_fold_new(&s->fold);
    if (!err_failed(err) && (s->remembered == NULL || s->likes == NULL || s->tallies == NULL ||
                             s->touched == NULL || s->entry_stamp == NULL || s->entry_hit == NULL))
        err = err_make(ERR_NO_MEMORY, "prepare a search");
    if (err_failed(err))
        screen_search_free(&s);
    *out = s;
    return err;
}

void screen_search_free(struct screen_search **search)
{
    struct screen_search *s = *search;

    if (s == NULL)
        return;
    screen_fold_free(&s->fold);
    free(s->remembered);
    free(s->likes);
    free(s->tallies);
    free(s->touched);
    free(s->entry_stamp);
    free(s->entry_hit);
    free(s);
    *search = NULL;
}

/* ---------------------------------------------------------------- the query's tokens */

static uint32_t weight_of(const struct screen_search *s, const struct screen_token *t)
{
    uint32_t number = index_find_token(s->index, t->text);

    return number == UINT32_MAX ? index_weight(t, s->index->n_names, 15)
                                : s->index->weights[number];
}

/* "muhammadali" is no name of the lists; "muhammad" and "ali" are. */
static void split_words(struct screen_search *s)
{
    struct screen_name *name = &s->name;

    for (size_t i = 0; i < name->n && name->n < SCREEN_TOKENS_MAX; i++) {
        struct screen_token whole = name->tokens[i], a, b;
        size_t len = strlen(whole.text);

        if (len < 7 || index_find_token(s->index, whole.text) != UINT32_MAX)
            continue;
        for (size_t at = len - 3; at >= 3; at--) {
            screen_token_part(s->fold, &whole, 0, at, &a);
            screen_token_part(s->fold, &whole, at, len - at, &b);
            if (index_find_token(s->index, a.text) == UINT32_MAX ||
                index_find_token(s->index, b.text) == UINT32_MAX || (a.flags & SCREEN_COMMON) == 0)
                continue;
            memmove(&name->tokens[i + 1], &name->tokens[i], (name->n - i) * sizeof *name->tokens);
            name->n++;
            name->tokens[i] = a;
            name->tokens[i + 1] = b;
            break;
        }
    }
}

static void make_units(struct screen_search *s)
{
    s->n_units = 0;
    s->query_weight = 0;
    for (size_t i = 0; i < s->name.n; i++) {
        struct unit *u = &s->units[s->n_units++];

        *u = (struct unit){s->name.tokens[i], weight_of(s, &s->name.tokens[i]), (uint8_t)i, 1};
        s->query_weight += u->weight;
    }
    s->query_share = s->query_weight == 0 ? 0 : SHARES / s->query_weight;
    for (size_t i = 0; i + 1 < s->name.n; i++) {
        struct unit *u = &s->units[s->n_units];

        if (strlen(s->name.tokens[i].text) + strlen(s->name.tokens[i + 1].text) >=
            SCREEN_TOKEN_SIZE - 1)
            continue;
        screen_token_join(s->fold, &s->name.tokens[i], &s->name.tokens[i + 1], &u->token);
        u->weight = s->units[i].weight + s->units[i + 1].weight;
        u->first = (uint8_t)i;
        u->n = 2;
        s->n_units++;
    }
}

/* ---------------------------------------------------------------- who may be meant */

static void tally_names(struct screen_search *s, size_t unit, uint32_t token)
{
    const struct screen_index *x = s->index;
    uint32_t listed = x->weights[token];

    for (uint32_t i = x->by_token.begin[token]; i < x->by_token.begin[token + 1]; i++) {
        struct tally *t = &s->tallies[x->by_token.items[i]];

        if (t->stamp != s->stamp) {
            *t = (struct tally){s->stamp, 0, 0, 0};
            s->touched[s->n_touched++] = x->by_token.items[i];
        }
        t->listed = (uint16_t)(t->listed + listed);
        if ((t->units & (1U << unit)) == 0) {
            t->units |= 1U << unit;
            t->query = (uint16_t)(t->query + s->units[unit].weight);
        }
    }
}

static void found(struct screen_search *s, size_t unit, uint32_t token, unsigned like)
{
    s->likes[unit * (s->index->n_tokens + 1) + token] = s->stamp << LIKE_BITS | like;
    if (like > 0)
        tally_names(s, unit, token);
}

/* Compares the unit with the tokens that its keys lead to. */
static void compare_tokens(struct screen_search *s, size_t unit, struct remembered *r)
{
    const struct screen_index *x = s->index;
    const struct screen_token *token = &s->units[unit].token;
    const uint32_t *likes = &s->likes[unit * (x->n_tokens + 1)];
    uint32_t keys[KEYS_MAX];
    size_t n = index_keys(token, keys);
    bool joined = s->units[unit].n == 2;

    /* Two words that are nearly one are not tried, it would be guessing on guessing: the first key is the bones as they are. */
    if (joined && n > 1)
        n = 1;
    for (size_t k = 0; k < n; k++) {
        uint32_t place = keys[k] & x->by_key.mask;

        for (uint32_t i = x->by_key.begin[place]; i < x->by_key.begin[place + 1]; i++) {
            uint32_t other = x->by_key.items[i];
            unsigned like;

            if (likes[other] >> LIKE_BITS == s->stamp)
                continue;
            like = screen_token_like(token, &x->tokens[other]);
            if (joined && like < 960)
                like = 0;
            found(s, unit, other, like);
            if (like == 0 || joined)
                continue;
            if (r->n < REMEMBERED_OF) {
                r->likes[r->n] = (uint16_t)like;
                r->tokens[r->n++] = other;
            } else
                r->whole = false;
        }
    }
}

static void find_tokens(struct screen_search *s, size_t unit)
{
    const struct screen_token *token = &s->units[unit].token;
    struct remembered *r =
        &s->remembered[index_hash(token->text, strlen(token->text)) & (REMEMBERED - 1)];
    struct remembered unwanted = {.n = 0};

    if (s->units[unit].n == 2) {
        compare_tokens(s, unit, &unwanted);
        return;
    }
    if (r->whole && r->flags == token->flags && strcmp(r->text, token->text) == 0) {
        for (size_t i = 0; i < r->n; i++)
            found(s, unit, r->tokens[i], r->likes[i]);
        return;
    }
    memcpy(r->text, token->text, sizeof r->text);
    r->flags = token->flags;
    r->n = 0;
    r->whole = true;
    compare_tokens(s, unit, r);
}

static unsigned like_of(const struct screen_search *s, size_t unit, uint32_t token)
{
    uint32_t like = s->likes[unit * (s->index->n_tokens + 1) + token];
    const char *a = s->units[unit].token.text, *b = s->index->tokens[token].text;

    if (like >> LIKE_BITS == s->stamp && (like & ((1U << LIKE_BITS) - 1)) > 0)
        return like & ((1U << LIKE_BITS) - 1);
    return s->units[unit].n == 1 && (a[1] == '\0' || b[1] == '\0') && a[0] == b[0] &&
                   char_is_lower(a[0])
               ? LIKE_INIT
               : 0;
}

/* ---------------------------------------------------------------- one name */

/* Both: how much of the names' weight was met, in thousandths. */
static int combine(int query, int listed, size_t met, bool single)
{
    int high = query > listed ? query : listed;
    int low = query > listed ? listed : query;

    /* One token that is the whole of a name on one side alone says little of a longer one. */
    if (met < 2 && !single)
        return (300 * high + 700 * low) / 1000;
    return (620 * high + 380 * low) / 1000;
}

static size_t list_pairs(const struct screen_search *s, const struct index_name *name,
                         struct screen_pair pairs[PAIRS_MAX])
{
    size_t n = 0;

    for (size_t u = 0; u < s->n_units; u++)
        for (size_t k = 0; k < name->n; k++) {
            unsigned like = like_of(s, u, s->index->name_tokens[name->first + k]);

            if (like == 0 || n == PAIRS_MAX)
                continue;
            pairs[n++] = (struct screen_pair){s->units[u].first, (uint8_t)k, s->units[u].n, 1,
                                              (uint16_t)like};
        }
    return n;
}

static uint32_t query_weight(const struct screen_search *s, const struct screen_pair *p)
{
    uint32_t weight = s->units[p->query].weight;

    return p->query_n == 2 ? weight + s->units[p->query + 1].weight : weight;
}

/* The likest pair first, each token once. */
static void score_name(const struct screen_search *s, struct candidate *c)
{
    const struct index_name *name = &s->index->names[c->name];
    struct screen_pair pairs[PAIRS_MAX];
    size_t n = list_pairs(s, name, pairs), met = 0;
    uint32_t taken_query = 0, taken_listed = 0, query = 0, listed = 0;
    bool common = true;

    c->n_pairs = 0;
    for (;;) {
        struct screen_pair *best = NULL;
        uint32_t mine;

        for (size_t i = 0; i < n; i++) {
            mine = ((1U << pairs[i].query_n) - 1) << pairs[i].query;
            if ((taken_query & mine) == 0 && (taken_listed & (1U << pairs[i].listed)) == 0 &&
                (best == NULL || pairs[i].like > best->like))
                best = &pairs[i];
        }
        if (best == NULL || c->n_pairs == SCREEN_TOKENS_MAX)
            break;
        taken_query |= ((1U << best->query_n) - 1) << best->query;
        taken_listed |= 1U << best->listed;
        query += query_weight(s, best) * best->like;
        listed += s->index->weights[s->index->name_tokens[name->first + best->listed]] * best->like;
        met += best->like > LIKE_INIT ? best->query_n : 0;
        common = common && (best->like <= LIKE_INIT ||
                            (s->units[best->query].token.flags & SCREEN_COMMON) != 0);
        c->pairs[c->n_pairs++] = *best;
    }
    c->score = met == 0 ? 0
                        : combine((int)(query / s->query_weight), (int)(listed / name->weight), met,
                                  s->name.n == 1 && name->n == 1);
    if (met == 1 && common && s->name.n + name->n > 2 && c->score > ONE_COMMON_MAX)
        c->score = ONE_COMMON_MAX;
    if (name->weak)
        c->score += SCREEN_PART_WEAK_NAME;
}

/* ---------------------------------------------------------------- what else is known */

/* Years between two spans; 0 if they meet. */
static int years_apart(struct screen_dob a, struct screen_dob b)
{
    if (a.last < b.first)
        return b.first / 10000 - a.last / 10000;
    if (b.last < a.first)
        return a.first / 10000 - b.last / 10000;
    return 0;
}

static int dob_part(const struct screen_entry *e, struct screen_dob dob)
{
    int part = SCREEN_PART_DOB_OTHER;

    if (e->n_dobs == 0 || dob.first == 0)
        return 0;
    for (size_t i = 0; i < e->n_dobs; i++) {
        struct screen_dob theirs = e->dobs[i];
        bool meets = theirs.first <= dob.last && dob.first <= theirs.last;
        int mine = years_apart(theirs, dob) <= 2 ? 0 : SCREEN_PART_DOB_OTHER;

        if (meets)
            mine = theirs.first == dob.first && theirs.last == dob.last && dob.first == dob.last
                       ? SCREEN_PART_DOB_SAME
                       : SCREEN_PART_YEAR_SAME;
        part = mine > part ? mine : part;
    }
    return part;
}

static bool same_letters(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if ((char_is_upper(a.p[i]) ? a.p[i] - 'A' + 'a' : a.p[i]) !=
            (char_is_upper(b.p[i]) ? b.p[i] - 'A' + 'a' : b.p[i]))
            return false;
    return true;
}

static int country_part(const struct screen_entry *e, struct slice country)
{
    for (size_t i = 0; country.len > 0 && i < e->countries.n; i++)
        if (same_letters(e->countries.p[i], country))
            return SCREEN_PART_COUNTRY_SAME;
    return 0;
}

static int kind_part(enum screen_kind a, enum screen_kind b)
{
    return a == SCREEN_UNKNOWN || b == SCREEN_UNKNOWN || a == b ? 0 : SCREEN_PART_KIND_OTHER;
}

static void judge(const struct screen_query *q, const struct screen_entry *e, struct screen_hit *h)
{
    h->dob = dob_part(e, q->dob);
    h->country = country_part(e, q->country);
    h->kind = kind_part(q->kind, e->kind);
    h->document = q->cnic.len > 0 && e->cnics.n > 0 && !h->cnic_same ? SCREEN_PART_CNIC_OTHER : 0;
    h->score = h->name_score + h->dob + h->country + h->kind + h->document;
    if (h->cnic_same || h->passport_same)
        h->score = SCREEN_SCORE_MAX;
    h->score = h->score < 0 ? 0 : h->score > SCREEN_SCORE_MAX ? SCREEN_SCORE_MAX : h->score;
}

/* ---------------------------------------------------------------- the best ones */

struct collecting {
    struct screen_search *s;
    const struct screen_query *q;
    struct screen_hit *hits;
    size_t n;
};

static struct slice name_text(const struct screen_entry *e, const struct index_name *name)
{
    return name->weak ? e->weak_names.p[name->at] : e->names.p[name->at];
}

/* A place for the entry's hit: its own, a free one, or the worst one's if this is better; NULL: there is none. */
static struct screen_hit *place_for(struct collecting *c, uint32_t entry, int score)
{
    size_t worst = 0;

    if (c->s->entry_stamp[entry] == c->s->stamp) {
        struct screen_hit *own = &c->hits[c->s->entry_hit[entry]];

        if (own->entry == c->s->index->entries[entry].entry)
            return own;
    }
    if (c->n < SCREEN_HITS_MAX)
        worst = c->n++;
    else {
        for (size_t i = 1; i < c->n; i++)
            if (c->hits[i].score < c->hits[worst].score)
                worst = i;
        if (c->hits[worst].score >= score)
            return NULL;
    }
    c->s->entry_stamp[entry] = c->s->stamp;
    c->s->entry_hit[entry] = (uint16_t)worst;
    c->hits[worst] = (struct screen_hit){.score = -1};
    return &c->hits[worst];
}

static void offer(struct collecting *c, uint32_t entry, const struct candidate *found, bool cnic,
                  bool passport)
{
    const struct index_entry *e = &c->s->index->entries[entry];
    struct screen_hit h = {.entry = e->entry,
                           .list = c->s->index->lists[e->list],
                           .cnic_same = cnic,
                           .passport_same = passport};
    struct screen_hit *place;

    if (found != NULL) {
        const struct index_name *name = &c->s->index->names[found->name];

        h.name = name_text(e->entry, name);
        h.weak = name->weak;
        h.name_score = found->score;
        h.n_pairs = found->n_pairs;
        memcpy(h.pairs, found->pairs, sizeof h.pairs);
    } else
        h.name = e->entry->names.p[0];
    judge(c->q, e->entry, &h);
    if (h.score < (int)c->q->threshold)
        return;
    place = place_for(c, entry, h.score);
    if (place == NULL || place->score > h.score ||
        (place->score == h.score && place->name_score >= h.name_score))
        return;
    h.cnic_same |= place->cnic_same;
    h.passport_same |= place->passport_same;
    judge(c->q, e->entry, &h);
    *place = h;
}

static void offer_documents(struct collecting *c, const struct document *documents, size_t n,
                            struct slice number, bool cnic)
{
    uint64_t hash = index_hash_long(number);
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (documents[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && documents[low].hash == hash; low++) {
        const struct screen_entry *e = c->s->index->entries[documents[low].entry].entry;
        const struct screen_texts *texts = cnic ? &e->cnics : &e->passports;

        for (size_t k = 0; k < texts->n; k++)
            if (slice_equal(texts->p[k], number))
                offer(c, documents[low].entry, NULL, cnic, !cnic);
    }
}

/* More than the name's tokens come to: what else is known, and initials, which weigh little and are met later. */
#define SLACK (BONUS_MAX + 60)

/* Whether the name can come to the threshold at all. Most share one common token with the query, and are left without being looked at. */
static bool is_worth_it(const struct collecting *c, uint32_t number)
{
    const struct screen_search *s = c->s;
    const struct tally *t = &s->tallies[number];
    int threshold = (int)c->q->threshold - SLACK,
        query = (int)((uint64_t)t->query * s->query_share >> 16), listed;
    bool several = (t->units & (t->units - 1)) != 0 || t->units >> s->name.n != 0;

    query = query > 1000 ? 1000 : query;
    if (combine(query, 1000, several ? 2 : 1, s->name.n == 1) < threshold)
        return false;
    listed = (int)((uint64_t)t->listed * s->index->shares[number] >> 16);
    listed = listed > 1000 ? 1000 : listed;
    return combine(query, listed, several ? 2 : 1, s->name.n == 1) >= threshold;
}

static int best_first(const void *a, const void *b)
{
    const struct screen_hit *x = a, *y = b;

    if (x->score != y->score)
        return y->score - x->score;
    if (x->name_score != y->name_score)
        return y->name_score - x->name_score;
    return slice_compare(x->entry->id, y->entry->id);
}

static void next_stamp(struct screen_search *s)
{
    if (s->stamp == STAMP_MAX) {
        memset(s->likes, 0, (s->index->n_tokens + 1) * UNITS_MAX * sizeof *s->likes);
        memset(s->tallies, 0, (s->index->n_names + 1) * sizeof *s->tallies);
        memset(s->entry_stamp, 0, (s->index->n_entries + 1) * sizeof *s->entry_stamp);
        s->stamp = 0;
    }
    s->stamp++;
    s->n_touched = 0;
}

err_t screen_search_run(struct screen_search *s, const struct screen_query *q,
                        struct screen_hit hits[SCREEN_HITS_MAX], size_t *n)
{
    struct collecting c = {s, q, hits, 0};
    char number[SCREEN_FIELD_MAX];
    err_t err = screen_fold_name(s->fold, q->name, &s->name);

    *n = 0;
    if (err_failed(err))
        return err;
    next_stamp(s);
    if (q->cnic.len > 0)
        offer_documents(&c, s->index->cnics, s->index->n_cnics, screen_bare_number(q->cnic, number),
                        true);
    if (q->passport.len > 0)
        offer_documents(&c, s->index->passports, s->index->n_passports,
                        screen_bare_number(q->passport, number), false);
    split_words(s);
    make_units(s);
    for (size_t i = 0; i < s->n_units; i++)
        find_tokens(s, i);
    for (size_t i = 0; i < s->n_touched; i++) {
        struct candidate one = {.name = s->touched[i]};

        if (!is_worth_it(&c, one.name))
            continue;
        score_name(s, &one);
        if (one.score + BONUS_MAX >= (int)q->threshold)
            offer(&c, s->index->names[one.name].entry, &one, false, false);
    }
    qsort(hits, c.n, sizeof *hits, best_first);
    *n = c.n;
    return err_none();
}

/* ---------------------------------------------------------------- in words */

static void say(char out[SCREEN_EXPLAIN_SIZE], size_t *len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(char out[SCREEN_EXPLAIN_SIZE], size_t *len, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(out + *len, SCREEN_EXPLAIN_SIZE - *len, format, args);
    va_end(args);
    if (n > 0)
        *len = *len + (size_t)n < SCREEN_EXPLAIN_SIZE ? *len + (size_t)n : SCREEN_EXPLAIN_SIZE - 1;
}

static void say_part(char out[SCREEN_EXPLAIN_SIZE], size_t *len, const char *what, int part)
{
    if (part != 0)
        say(out, len, "; %s %+d", what, part);
}

const char *screen_explain(struct screen_search *s, const struct screen_hit *h,
                           char out[SCREEN_EXPLAIN_SIZE])
{
    struct screen_name listed;
    uint32_t met_query = 0, met_listed = 0;
    size_t len = 0;

    out[0] = '\0';
    if (h->cnic_same || h->passport_same)
        say(out, &len, "the same %s; ", h->cnic_same ? "CNIC" : "passport");
    if (err_failed(screen_fold_name(s->fold, h->name, &listed)))
        return out;
    for (size_t i = 0; i < h->n_pairs; i++) {
        const struct screen_pair *p = &h->pairs[i];

        say(out, &len, "%s%s%s%s %s %s", i == 0 ? "" : ", ", s->name.tokens[p->query].text,
            p->query_n == 2 ? "+" : "", p->query_n == 2 ? s->name.tokens[p->query + 1].text : "",
            p->like == 1000 ? "=" : "~",
            p->listed < listed.n ? listed.tokens[p->listed].text : "?");
        if (p->like < 1000)
            say(out, &len, " %u", p->like);
        met_query |= ((1U << p->query_n) - 1) << p->query;
        met_listed |= 1U << p->listed;
    }
    for (size_t i = 0, k = 0; i < s->name.n; i++)
        if ((met_query & (1U << i)) == 0)
            say(out, &len, "%s%s", k++ == 0 ? "; not in the list: " : " ", s->name.tokens[i].text);
    for (size_t i = 0, k = 0; i < listed.n; i++)
        if ((met_listed & (1U << i)) == 0)
            say(out, &len, "%s%s", k++ == 0 ? "; not in the name: " : " ", listed.tokens[i].text);
    if (h->weak)
        say(out, &len, "; weak alias %+d (counted)", SCREEN_PART_WEAK_NAME);
    say_part(out, &len, h->dob > 0 ? "birth agrees" : "born otherwise", h->dob);
    say_part(out, &len, "country agrees", h->country);
    say_part(out, &len, "another kind", h->kind);
    say_part(out, &len, "another CNIC", h->document);
    return out;
}
