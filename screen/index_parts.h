/* index_parts.h: what making an index (index.c) and searching it (search.c) share. */
#ifndef UJRAT_SCREEN_INDEX_PARTS_H
#define UJRAT_SCREEN_INDEX_PARTS_H

#include "screen/index.h"

#define SHARES   (1000U << 16)
#define KEYS_MAX 48 /* of a token */

struct index_entry {
    const struct screen_entry *entry;
    uint8_t list;
};

struct index_name {
    uint32_t entry;
    uint32_t first;  /* of its tokens, in name_tokens */
    uint32_t weight; /* of them together */
    uint8_t n;
    bool weak;
    uint16_t at; /* which of the entry's names */
};

/* A table from keys to lists of numbers: places hold the end of a key's list, the lists are all in one row. */
struct postings {
    uint32_t *begin; /* n_slots + 1 */
    uint32_t *items;
    uint32_t mask;
};

struct document {
    uint64_t hash;
    uint32_t entry;
};

struct screen_index {
    struct screen_fold *fold;
    char lists[SCREEN_LISTS_MAX][SCREEN_LIST_NAME_SIZE];
    struct index_entry *entries;
    size_t n_entries;
    struct index_name *names;
    size_t n_names, names_size;
    uint32_t *
        shares; /* of names: SHARES / weight, a product instead of a division; a row of its own, since it is read of very many */
    uint32_t *name_tokens;
    size_t n_name_tokens, name_tokens_size;
    struct screen_token *tokens; /* each once */
    uint32_t *weights;
    size_t n_tokens, tokens_size;
    uint32_t *slots; /* of tokens by their text; 0: free, else the number + 1 */
    size_t n_slots;
    struct postings by_key; /* → tokens; several keys share a place, so what is found is compared */
    struct postings by_token;           /* → names, exactly */
    struct document *cnics, *passports; /* by hash */
    size_t n_cnics, n_passports;
};

uint32_t index_hash(const char *text, size_t len);
uint64_t index_hash_long(struct slice text);

/* The keys that a token is found by. Returns how many. */
size_t index_keys(const struct screen_token *t, uint32_t keys[KEYS_MAX]);

/* Of a token that is in no list, and how common names are kept down. */
uint32_t index_weight(const struct screen_token *t, size_t n_names, size_t n_with);

/* The number of the token with that text; UINT32_MAX: none. */
uint32_t index_find_token(const struct screen_index *index, const char *text);

#endif
