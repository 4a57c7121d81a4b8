#include "screen/index_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t index_hash(const char *text, size_t len)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619U;
    h ^= h >> 16;
    h *= 0x7feb352dU;
    return h ^ (h >> 15);
}

uint64_t index_hash_long(struct slice text)
{
    uint64_t h = 14695981039346656037U;

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.p[i]) * 1099511628211U;
    return h;
}

/* ---------------------------------------------------------------- keys */

static size_t add_key(uint32_t *keys, size_t n, const char *text, size_t len)
{
    uint32_t key = index_hash(text, len);

    for (size_t i = 0; i < n; i++)
        if (keys[i] == key)
            return n;
    if (n < KEYS_MAX)
        keys[n++] = key;
    return n;
}

/* Each letter left out: a wrong, missing or added one is met half-way. */
static size_t add_less(uint32_t *keys, size_t n, const char *text)
{
    size_t len = strlen(text);

    n = add_key(keys, n, text, len);
    for (size_t i = 0; len >= 4 && i < len; i++) {
        char less[SCREEN_TOKEN_SIZE];

        memcpy(less, text, i);
        memcpy(less + i, text + i + 1, len - i - 1);
        n = add_key(keys, n, less, len - 1);
    }
    return n;
}

size_t index_keys(const struct screen_token *t, uint32_t keys[KEYS_MAX])
{
    char bones[SCREEN_TOKEN_SIZE];
    size_t n = add_less(keys, 0, t->bones);

    /* h is heard by some and not by others. */
    if (strchr(t->bones + (t->bones[0] != '\0'), 'h') != NULL) {
        size_t len = 0;

        for (size_t i = 0; t->bones[i] != '\0'; i++)
            if (i == 0 || t->bones[i] != 'h')
                bones[len++] = t->bones[i];
        bones[len] = '\0';
        if (len >= 2)
            n = add_key(keys, n, bones, len);
    }
    /* In a short name every letter counts, vowels too. */
    if (strlen(t->bones) <= 3)
        n = add_less(keys, n, t->canon);
    if (t->group != 0) {
        char group[8];

        n = add_key(keys, n, group, (size_t)snprintf(group, sizeof group, "#%u", t->group));
    }
    if ((t->flags & SCREEN_ABD) != 0 && strlen(t->bones) > 4)
        n = add_key(keys, n, t->bones + 3, strlen(t->bones) - 3);
    return n;
}

uint32_t index_weight(const struct screen_token *t, size_t n_names, size_t n_with)
{
    uint32_t weight = 6;

    for (size_t rarer = n_names / (n_with + 1); rarer > 1 && weight < 20; rarer /= 2)
        weight++;
    if ((t->flags & SCREEN_COMMON) != 0 && weight > 9)
        weight = 9;
    if (t->text[1] == '\0' || (t->flags & (SCREEN_LIGHT | SCREEN_WORD)) != 0)
        weight = 4;
    return weight;
}

/* ---------------------------------------------------------------- tokens and names */

static bool grow(void **p, size_t *size, size_t want, size_t each)
{
    size_t more = *size == 0 ? 4096 : *size;
    void *grown;

    if (want <= *size)
        return true;
    while (more < want)
        more *= 2;
    grown = reallocarray(*p, more, each);
    if (grown == NULL)
        return false;
    *p = grown;
    *size = more;
    return true;
}

static size_t slot_of(const struct screen_index *x, const char *text)
{
    size_t at = index_hash(text, strlen(text)) & (x->n_slots - 1);

    while (x->slots[at] != 0 && strcmp(x->tokens[x->slots[at] - 1].text, text) != 0)
        at = (at + 1) & (x->n_slots - 1);
    return at;
}

uint32_t index_find_token(const struct screen_index *x, const char *text)
{
    return x->slots[slot_of(x, text)] - 1;
}

static bool more_slots(struct screen_index *x)
{
    if (x->n_tokens * 2 < x->n_slots)
        return true;
    free(x->slots);
    x->n_slots = x->n_slots == 0 ? 16384 : x->n_slots * 2;
    x->slots = calloc(x->n_slots, sizeof *x->slots);
    if (x->slots == NULL)
        return false;
    for (size_t i = 0; i < x->n_tokens; i++)
        x->slots[slot_of(x, x->tokens[i].text)] = (uint32_t)i + 1;
    return true;
}

static bool intern(struct screen_index *x, const struct screen_token *t, uint32_t *number)
{
    size_t at;

    if (!more_slots(x) ||
        !grow((void **)&x->tokens, &x->tokens_size, x->n_tokens + 1, sizeof *x->tokens))
        return false;
    at = slot_of(x, t->text);
    if (x->slots[at] == 0) {
        x->tokens[x->n_tokens++] = *t;
        x->slots[at] = (uint32_t)x->n_tokens;
    }
    /* Found without vowels in one list and with them in another: a token is what its first list has. */
    *number = x->slots[at] - 1;
    return true;
}

static err_t add_name(struct screen_index *x, size_t entry, struct slice text, bool weak, size_t at)
{
    struct screen_name name;
    struct index_name *n;
    err_t err = screen_fold_name(x->fold, text, &name);

    if (err_failed(err) || name.n == 0)
        return err;
    if (x->n_names == SCREEN_NAMES_MAX)
        return err_make(ERR_LIMIT, "index more names");
    if (!grow((void **)&x->names, &x->names_size, x->n_names + 1, sizeof *x->names) ||
        !grow((void **)&x->name_tokens, &x->name_tokens_size, x->n_name_tokens + name.n,
              sizeof *x->name_tokens))
        return err_make(ERR_NO_MEMORY, "index a name");
    n = &x->names[x->n_names++];
    *n = (struct index_name){(uint32_t)entry, (uint32_t)x->n_name_tokens, 0, (uint8_t)name.n, weak,
                             (uint16_t)at};
    for (size_t i = 0; i < name.n; i++)
        if (!intern(x, &name.tokens[i], &x->name_tokens[x->n_name_tokens++]))
            return err_make(ERR_NO_MEMORY, "index a name");
    return err_none();
}

static err_t add_list(struct screen_index *x, const struct screen_list *list, size_t number)
{
    err_t err = err_none();

    for (size_t i = 0; i < list->n; i++) {
        const struct screen_entry *e = &list->entries[i];

        x->entries[x->n_entries] = (struct index_entry){e, (uint8_t)number};
        for (size_t k = 0; k < e->names.n && !err_failed(err); k++)
            err = add_name(x, x->n_entries, e->names.p[k], false, k);
        for (size_t k = 0; k < e->weak_names.n && !err_failed(err); k++)
            err = add_name(x, x->n_entries, e->weak_names.p[k], true, k);
        if (err_failed(err))
            return err;
        x->n_entries++;
    }
    return err;
}

/* ---------------------------------------------------------------- postings */

/* Two passes over the same pairs: how many each place has, then what. */
typedef void pairs_fn(struct screen_index *x, struct postings *p, bool counting);

static void put(struct postings *p, uint32_t place, uint32_t item, bool counting)
{
    if (counting)
        p->begin[place + 1]++;
    else
        p->items[--p->begin[place + 1]] = item;
}

static void pairs_by_key(struct screen_index *x, struct postings *p, bool counting)
{
    uint32_t keys[KEYS_MAX];

    for (size_t i = 0; i < x->n_tokens; i++)
        for (size_t n = index_keys(&x->tokens[i], keys), k = 0; k < n; k++)
            put(p, keys[k] & p->mask, (uint32_t)i, counting);
}

static void pairs_by_token(struct screen_index *x, struct postings *p, bool counting)
{
    for (size_t i = 0; i < x->n_names; i++)
        for (size_t k = 0; k < x->names[i].n; k++)
            put(p, x->name_tokens[x->names[i].first + k], (uint32_t)i, counting);
}

static bool fill(struct screen_index *x, struct postings *p, size_t places, pairs_fn *pairs)
{
    p->begin = calloc(places + 2, sizeof *p->begin);
    p->mask = (uint32_t)places - 1;
    if (p->begin == NULL)
        return false;
    pairs(x, p, true);
    for (size_t i = 1; i <= places; i++)
        p->begin[i] += p->begin[i - 1];
    p->items = calloc((size_t)p->begin[places] + 1, sizeof *p->items);
    if (p->items == NULL)
        return false;
    /* begin[i + 1] is where place i ends; each item moves it down, to where the place begins, which is where the next looks. */
    p->begin[places + 1] = p->begin[places];
    pairs(x, p, false);
    memmove(p->begin, p->begin + 1, (places + 1) * sizeof *p->begin);
    return true;
}

static void weigh(struct screen_index *x)
{
    for (size_t i = 0; i < x->n_tokens; i++)
        x->weights[i] = index_weight(&x->tokens[i], x->n_names,
                                     x->by_token.begin[i + 1] - x->by_token.begin[i]);
    for (size_t i = 0; i < x->n_names; i++)
        for (size_t k = 0; k < x->names[i].n; k++)
            x->names[i].weight += x->weights[x->name_tokens[x->names[i].first + k]];
    for (size_t i = 0; i < x->n_names; i++)
        x->shares[i] = SHARES / x->names[i].weight;
}

/* ---------------------------------------------------------------- documents */

static int by_hash(const void *a, const void *b)
{
    const struct document *x = a, *y = b;

    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static bool gather(const struct screen_index *x, bool cnics, struct document **out, size_t *n)
{
    size_t total = 0;

    for (size_t i = 0; i < x->n_entries; i++)
        total += cnics ? x->entries[i].entry->cnics.n : x->entries[i].entry->passports.n;
    *out = calloc(total + 1, sizeof **out);
    if (*out == NULL)
        return false;
    for (size_t i = 0; i < x->n_entries; i++) {
        const struct screen_texts *texts =
            cnics ? &x->entries[i].entry->cnics : &x->entries[i].entry->passports;

        for (size_t k = 0; k < texts->n; k++)
            (*out)[(*n)++] = (struct document){index_hash_long(texts->p[k]), (uint32_t)i};
    }
    qsort(*out, *n, sizeof **out, by_hash);
    return true;
}

/* ---------------------------------------------------------------- the whole */

static err_t make(struct screen_index *x, const struct screen_list *const *lists, size_t n_lists)
{
    size_t n_entries = 0, keys = 16384;
    err_t err = screen_fold_new(&x->fold);

    for (size_t i = 0; i < n_lists; i++)
        n_entries += lists[i]->n;
    x->entries = calloc(n_entries + 1, sizeof *x->entries);
    if (!err_failed(err) && (x->entries == NULL || !more_slots(x)))
        err = err_make(ERR_NO_MEMORY, "index lists");
    for (size_t i = 0; i < n_lists && !err_failed(err); i++)
        err = add_list(x, lists[i], i);
    if (err_failed(err))
        return err;
    while (keys < x->n_tokens * 8)
        keys *= 2;
    x->weights = calloc(x->n_tokens + 1, sizeof *x->weights);
    x->shares = calloc(x->n_names + 1, sizeof *x->shares);
    if (x->weights == NULL || x->shares == NULL || !fill(x, &x->by_key, keys, pairs_by_key) ||
        !fill(x, &x->by_token, x->n_tokens, pairs_by_token) ||
        !gather(x, true, &x->cnics, &x->n_cnics) ||
        !gather(x, false, &x->passports, &x->n_passports))
        return err_make(ERR_NO_MEMORY, "index lists");
    weigh(x);
    return err_none();
}

err_t screen_index_new(const struct screen_list *const *lists, const char *const *names,
                       size_t n_lists, struct screen_index **out)
{
    struct screen_index *x = calloc(1, sizeof *x);
    err_t err;

    assert(n_lists <= SCREEN_LISTS_MAX);
    if (x == NULL)
        return err_make(ERR_NO_MEMORY, "index lists");
    for (size_t i = 0; i < n_lists; i++)
        (void)snprintf(x->lists[i], sizeof x->lists[i], "%s", names[i]);
    err = make(x, lists, n_lists);
    if (err_failed(err))
        screen_index_free(&x);
    *out = x;
    return err;
}

void screen_index_free(struct screen_index **index)
{
    struct screen_index *x = *index;

    if (x == NULL)
        return;
    screen_fold_free(&x->fold);
    free(x->entries);
    free(x->names);
    free(x->shares);
    free(x->name_tokens);
    free(x->tokens);
    free(x->weights);
    free(x->slots);
    free(x->by_key.begin);
    free(x->by_key.items);
    free(x->by_token.begin);
    free(x->by_token.items);
    free(x->cnics);
    free(x->passports);
    free(x);
    *index = NULL;
}

struct screen_index_size screen_index_size(const struct screen_index *x)
{
    size_t keys = (size_t)x->by_key.mask + 1;

    return (struct screen_index_size){
        x->n_entries, x->n_names, x->n_tokens,
        x->n_entries * sizeof *x->entries + x->names_size * sizeof *x->names +
            x->tokens_size * sizeof *x->tokens +
            (x->name_tokens_size + x->n_slots + x->n_tokens * 2 + x->n_names + keys +
             x->by_key.begin[keys] + x->n_name_tokens) *
                sizeof(uint32_t)};
}
