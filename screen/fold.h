/*
 * fold.h: a name as people write it, in any script, as the tokens that names are compared by.
 *
 * What is not Latin is transliterated (ICU), what is no letter or digit separates words, honorifics, particles and legal forms are
 * left out, and words that are written in one or in two are put together: "Abd al-Rahman", "Abdul Rehman" and "Abdurrahman" are one token. Each
 * token has three forms:
 *
 *   text    letters as they were, a-z and 0-9
 *   canon   spelling undone: ph and f, ee and i, oo and u, q and k, doubled letters, a final h ... are the same
 *   bones   what is left without vowels, y, v, and h inside: what two spellings of a name have in common; the index is kept by it
 */
#ifndef UJRAT_SCREEN_FOLD_H
#define UJRAT_SCREEN_FOLD_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_TOKENS_MAX 16 /* of a name; what is behind is not looked at */
#define SCREEN_TOKEN_SIZE 32 /* longer words are cut */

enum screen_token_flag {
    SCREEN_COMMON = 1, /* a name that very many people have: says little */
    SCREEN_SCRIPT = 2, /* transliterated from a script that writes no vowels */
    SCREEN_ABD = 4,    /* "abd" and a name: compares, as less, with the name alone */
    SCREEN_LIGHT =
        8, /* honorific, particle or legal form; a name keeps these only if it has nothing else */
    SCREEN_TITLE = 32, /* stands in front of a name; light there, a word behind it */
    SCREEN_WORD = 16,  /* a word that many organisations' names have */
};

struct screen_token {
    char text[SCREEN_TOKEN_SIZE];
    char canon[SCREEN_TOKEN_SIZE];
    char bones[SCREEN_TOKEN_SIZE];
    uint32_t text_letters,
        canon_letters; /* which are in it, a bit each: tokens that differ in many are not compared */
    uint16_t group;    /* of variants.h, from 1; 0: none */
    uint8_t flags;
};

struct screen_name {
    struct screen_token tokens[SCREEN_TOKENS_MAX];
    size_t n;
};

/* ICU's transliterator and the table of variants. One thread at a time. */
struct screen_fold;

MUST_CHECK err_t screen_fold_new(struct screen_fold **out);
void screen_fold_free(struct screen_fold **fold);

/* ERR_INVALID: not UTF-8. A name without a letter has no tokens. */
MUST_CHECK err_t screen_fold_name(struct screen_fold *fold, struct slice text,
                                  struct screen_name *out);

/* Two tokens of a name written as one: as if it had been folded so. */
void screen_token_join(struct screen_fold *fold, const struct screen_token *a,
                       const struct screen_token *b, struct screen_token *out);
/* A part of a token, from there on, so many letters. */
void screen_token_part(struct screen_fold *fold, const struct screen_token *t, size_t at,
                       size_t len, struct screen_token *out);

/* How like two tokens are, in thousandths; below SCREEN_LIKE_MIN it is 0. Symmetric. */
#define SCREEN_LIKE_MIN 780
unsigned screen_token_like(const struct screen_token *a, const struct screen_token *b);

#endif
