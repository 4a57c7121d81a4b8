/*
 * list.h: lists of sanctioned people and organisations, as their publishers give them, read into one shape.
 *
 * A list is read whole or refused: with the line, the element or column, and the reason. Everything in a list lives in its arena.
 *
 *   UN          the Security Council's consolidated list, XML
 *   OFAC        SDN.CSV with ALT.CSV and ADD.CSV, told apart by their columns (12, 5 and 6; "-0-" is nothing)
 *   CSV         national lists in a form of our own (docs/screening.md)
 */
#ifndef UJRAT_SCREEN_LIST_H
#define UJRAT_SCREEN_LIST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_ENTRIES_MAX    200000
#define SCREEN_FILE_BYTES_MAX ((size_t)128 << 20)
#define SCREEN_LIST_BYTES_MAX ((size_t)512 << 20) /* of an arena */
#define SCREEN_FIELD_MAX      1024                /* bytes of a name, an id, a number */
#define SCREEN_ID_MAX         64
#define SCREEN_VALUES_MAX     256 /* names of an entry, or countries, ... */

enum screen_kind {
    SCREEN_UNKNOWN,
    SCREEN_PERSON,
    SCREEN_ORGANISATION,
    SCREEN_VESSEL,
    SCREEN_AIRCRAFT
};

/* "person", "organisation", ... */
const char *screen_kind_name(enum screen_kind kind);
bool screen_kind_from_name(struct slice name, enum screen_kind *out);

/* First and last day that it may be, both as YYYYMMDD: 19710000 + 101 to 19711231 for a year. */
struct screen_dob {
    int32_t first, last;
};

/* "1971-04-28", "1971-04", "1971", or two of these with ".." between. ERR_PARSE. */
MUST_CHECK err_t screen_dob_parse(struct slice text, struct screen_dob *out);
#define SCREEN_DOB_SIZE 28
/* The same in its shortest form. Returns out. */
const char *screen_dob_format(struct screen_dob dob, char out[SCREEN_DOB_SIZE]);

struct screen_texts {
    struct slice *p;
    size_t n;
};

struct screen_entry {
    struct slice id; /* as the publisher has it; the same in every version */
    enum screen_kind kind;
    struct screen_texts names; /* the first is the one it is listed under; others count as much */
    struct screen_texts
        weak_names; /* aliases that the publisher calls weak, or parts of names in brackets */
    struct screen_dob *dobs;
    size_t n_dobs;
    struct screen_texts countries; /* of nationality; where there is none, of addresses */
    struct screen_texts cnics;     /* 13 digits */
    struct screen_texts passports; /* letters and digits, upper case */
    struct screen_texts programs;
};

struct screen_list {
    struct arena arena;
    struct screen_entry *entries; /* as in the file */
    size_t n, size;
    char published[16]; /* YYYY-MM-DD, if the file says so; else empty */
    size_t n_orphans;   /* rows of OFAC's ALT and ADD that belong to nobody in SDN: left out */
};

/* Why a list was not read. */
struct screen_fault {
    unsigned line;    /* 0: none */
    char where[160];  /* an element, a column */
    char reason[160]; /* a sentence without a full stop */
};
#define SCREEN_FAULT_SIZE 400
/* "line 12, NAME: the reason". Returns out. */
const char *screen_fault_text(const struct screen_fault *fault, char out[SCREEN_FAULT_SIZE]);

void screen_list_init(struct screen_list *list);
void screen_list_deinit(struct screen_list *list);

/* Each adds a file to a list; false: see the fault, and the list is good for nothing but deinit. */
MUST_CHECK bool screen_list_read_un(struct screen_list *list, struct slice xml,
                                    struct screen_fault *fault);
MUST_CHECK bool screen_list_read_csv(struct screen_list *list, struct slice csv,
                                     struct screen_fault *fault);
/* One of OFAC's three. SDN comes first. */
MUST_CHECK bool screen_list_read_ofac(struct screen_list *list, struct slice csv,
                                      struct screen_fault *fault);

/* To be called once all files were read: an empty list, or two entries of one id, are faults. */
MUST_CHECK bool screen_list_end(struct screen_list *list, struct screen_fault *fault);

/* ---------------------------------------------------------------- for readers */

/* An entry that is being put together. Its texts need not outlive screen_list_add(). */
struct screen_draft {
    struct slice id;
    enum screen_kind kind;
    struct screen_texts lists[6]; /* by enum screen_field; each with room for SCREEN_VALUES_MAX */
    struct screen_dob dobs[32];
    size_t n_dobs;
    struct slice room[6][SCREEN_VALUES_MAX];
};
enum screen_field {
    SCREEN_NAME,
    SCREEN_WEAK_NAME,
    SCREEN_COUNTRY,
    SCREEN_CNIC,
    SCREEN_PASSPORT,
    SCREEN_PROGRAM
};

void screen_draft_init(struct screen_draft *draft);
/* Blanks at both ends are cut, control characters become blanks, nothing is added for an empty text, nothing twice. A passport loses all but letters and digits. The
 * text is copied into the arena. */
MUST_CHECK bool screen_draft_add(struct screen_list *list, struct screen_draft *draft,
                                 enum screen_field field, struct slice text,
                                 struct screen_fault *fault);
/* A name as lists write them: "A; B (C)" is A and B, and C as a weak one. */
MUST_CHECK bool screen_draft_add_names(struct screen_list *list, struct screen_draft *draft,
                                       bool weak, struct slice text, struct screen_fault *fault);
/* Letters and digits alone, upper case: numbers are written with blanks and dashes by some. Cut to what fits. */
struct slice screen_bare_number(struct slice text, char out[SCREEN_FIELD_MAX]);
/* Over the room that there is: left out (more dates than that say nothing). */
void screen_draft_add_dob(struct screen_draft *draft, struct screen_dob dob);
/* Wants an id and a name. */
MUST_CHECK bool screen_list_add(struct screen_list *list, const struct screen_draft *draft,
                                struct screen_fault *fault);
/* Puts a draft in the place of an entry that is there. */
MUST_CHECK bool screen_list_put(struct screen_list *list, const struct screen_draft *draft,
                                struct screen_entry *e, struct screen_fault *fault);
/* The draft of an entry, to be added to. */
void screen_draft_of(const struct screen_entry *e, struct screen_draft *draft);

/* Sets the fault; false. */
bool screen_fail(struct screen_fault *fault, unsigned line, const char *where, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
/* The text is UTF-8 without a NUL; else a fault with its line. */
MUST_CHECK bool screen_check_text(struct slice text, struct screen_fault *fault);

#endif
