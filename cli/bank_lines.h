/*
 * bank_lines.h: a sandbox bank's books in memory, and what a line of their file does to them. Lines are taken one by one,
 * those that are read at the start and each that is written later: so what a bank does and what it remembers are the same.
 * For bank_state.c alone, which has the file; others ask bank_state.h.
 */
#ifndef UJRAT_CLI_BANK_LINES_H
#define UJRAT_CLI_BANK_LINES_H

#include "cli/bank_state.h"

#include <jansson.h>
#include <stdio.h>

/* A plan by its text: there are as many as rules, however many instructions. */
struct known_plan {
    struct known_plan *next;
    char text[PLAN_TEXT_SIZE];
    struct plan plan;
};

struct bank_state {
    const char *path;
    FILE *file;
    struct known_plan *plans;
    struct bank_item **items;
    size_t n_items, items_size;
    size_t *slots; /* index + 1 by id; a power of two of them */
    size_t n_slots;
    struct bank_entry *entries;
    size_t n_entries, entries_size;
    int64_t surprises;
    json_t *crashes;    /* "ID/STEP" */
    json_t *files_read; /* by SHA-256 */
    int64_t last_read;
    struct bank_filing filing; /* file_no 0: none is being written */
    struct bank_item **filing_items;
    int64_t last_file_no;
    char last_sha256[65];
    char our_bic[12], bank_bic[12];
    char token[BANK_TOKEN_SIZE];
    char bank[BANK_CODE_CHARS_MAX + 1];
};

/* Kinds of entries as lines say them. */
extern const char *const bank_lines_kinds[BANK_REVERSED + 1];

/* False: it makes no sense after the lines before it. */
bool bank_lines_take(struct bank_state *s, const json_t *line);

#endif
