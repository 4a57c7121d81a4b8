/*
 * index.h: sanctioned names, kept so that the ones like a given name are found quickly, each with a score and what it is made of.
 *
 * Names are made of tokens (fold.h). From a token's bones, and from these with one letter left out where there are four or more, lead keys to the
 * tokens of the lists; from a token to the names that have it. Only those are compared, token by token. A score is in thousandths,
 * and is no probability: docs/screening.md says how often a score is right.
 *
 * An index is made once and then only read, by as many searches as are wanted.
 */
#ifndef UJRAT_SCREEN_INDEX_H
#define UJRAT_SCREEN_INDEX_H

#include "screen/fold.h"
#include "screen/list.h"

#define SCREEN_LISTS_MAX      64
#define SCREEN_NAMES_MAX      1000000
#define SCREEN_HITS_MAX       64
#define SCREEN_SCORE_MAX      1000
#define SCREEN_THRESHOLD      700 /* chosen from the curve in docs/screening.md */
#define SCREEN_EXPLAIN_SIZE   1024
#define SCREEN_LIST_NAME_SIZE 32

struct screen_index;

/* What adds to a score, or takes from it. */
enum screen_part {
    SCREEN_PART_DOB_SAME = 40,
    SCREEN_PART_YEAR_SAME = 20,
    SCREEN_PART_DOB_OTHER = -150, /* more than two years apart */
    SCREEN_PART_COUNTRY_SAME = 20,
    SCREEN_PART_KIND_OTHER =
        -200, /* a person where an organisation was asked for, or the other way round */
    SCREEN_PART_CNIC_OTHER = -100,
    SCREEN_PART_WEAK_NAME = -50,
};

/* The lists must outlive the index. name: how the list is called in answers; at most 31 bytes. */
MUST_CHECK err_t screen_index_new(const struct screen_list *const *lists, const char *const *names,
                                  size_t n_lists, struct screen_index **out);
void screen_index_free(struct screen_index **index);

/* Entries, names, bytes taken beside the lists themselves. */
struct screen_index_size {
    size_t entries, names, tokens, bytes;
};
struct screen_index_size screen_index_size(const struct screen_index *index);

/* Whoever is asked about. Texts must outlive the hits. */
struct screen_query {
    struct slice name;
    enum screen_kind kind; /* SCREEN_UNKNOWN: anything */
    struct screen_dob dob; /* first 0: not known */
    struct slice cnic;     /* 13 digits, or empty */
    struct slice passport; /* or empty; compared by its letters and digits */
    struct slice country;  /* as lists write them: a name in English; or empty */
    unsigned threshold;    /* hits below it are left out */
};

/* How two tokens met. */
struct screen_pair {
    uint8_t query, listed; /* numbers of tokens */
    uint8_t query_n,
        listed_n; /* how many tokens, from those on: 2 where two words were written as one */
    uint16_t like;
};

struct screen_hit {
    const struct screen_entry *entry;
    const char *list;
    struct slice name; /* of the entry: the one that is most like */
    bool weak;
    int score;                        /* 0..1000 */
    int name_score;                   /* before what follows */
    int dob, country, kind, document; /* enum screen_part, or 0 */
    bool cnic_same, passport_same;    /* then the score is 1000, whatever the name */
    struct screen_pair pairs[SCREEN_TOKENS_MAX];
    size_t n_pairs;
};

/* What one who asks needs beside the index: one thread at a time. */
struct screen_search;

MUST_CHECK err_t screen_search_new(const struct screen_index *index, struct screen_search **out);
void screen_search_free(struct screen_search **search);

/* The best hits first, one an entry, at most SCREEN_HITS_MAX. ERR_INVALID: the name is not UTF-8. */
MUST_CHECK err_t screen_search_run(struct screen_search *search, const struct screen_query *query,
                                   struct screen_hit hits[SCREEN_HITS_MAX], size_t *n);

/* "khan = KHAN, muhamad ~ MUHAMMAD 980; not met: afridi; born 1971: -150". Of the search's last query. Returns out. */
const char *screen_explain(struct screen_search *search, const struct screen_hit *hit,
                           char out[SCREEN_EXPLAIN_SIZE]);

#endif
