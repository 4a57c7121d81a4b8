/*
 * bank_state.h: a sandbox bank's own books: what it was told to pay, what it decided, what it paid, rejected, got back,
 * and how far it has told us so.
 *
 * A file of JSON lines that is only appended to, and read whole at the start. What changes the books is on disk before
 * anyone hears of it, so a bank that is killed at any moment pays nothing twice and says the same again. An instruction
 * is known by its id, however often it is delivered. Nothing of the person who is paid is kept.
 *
 * An instruction has a plan (bank_script.h), whose steps it goes through one by one. A step that moves money is booked,
 * then said, then done with what the gateway answered. Steps are numbered over the life of the instruction, from 1.
 */
#ifndef UJRAT_CLI_BANK_STATE_H
#define UJRAT_CLI_BANK_STATE_H

#include "cli/bank_script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BANK_ID_SIZE        36 /* Max35Text and a NUL */
#define BANK_REF_SIZE       36
#define BANK_CODE_CHARS_MAX 8    /* so that references fit */
#define BANK_TOKEN_SIZE     8192 /* of 256 books: INSTRUCTION_TOKEN_SIZE */

enum bank_entry_kind {
    BANK_PAID,     /* to the beneficiary: our account with the bank is debited */
    BANK_REJECTED, /* will never be paid */
    BANK_RETURNED, /* came back: our account is credited with it, less the charge */
    BANK_REVERSED, /* a return that is taken back: debited with what it was credited with */
};

struct bank_item;

/* What stands in the books. */
struct bank_entry {
    const struct bank_item *item;
    enum bank_entry_kind kind;
    int step;             /* in which it was booked */
    int nth;              /* RETURNED, REVERSED: of the item's returns, from 1 */
    int64_t minor;        /* of the payment that is paid, rejected, undone */
    int64_t charge_minor; /* kept of it by the bank */
    int64_t at_us;
    char code[SCRIPT_CODE_SIZE];
    bool refused;  /* the gateway refused it. A return or a reversal is then void */
    bool reversed; /* RETURNED: taken back since */
};

/* An instruction. Fields in the second part are the driver's own: they are not in the file. */
struct bank_item {
    char id[BANK_ID_SIZE];
    char ccy[4];
    int64_t minor;
    int64_t tax_minor; /* withheld if it is paid */
    bool with_eprc;
    int64_t number;    /* of the bank's instructions, from 1 */
    int64_t window_no; /* 0: not said */
    const struct plan *plan;
    size_t at;          /* index of the step that comes next in the plan */
    int done_before;    /* steps of plans before this one (a recall puts another in its place) */
    bool booked;        /* the step that comes next stands in the books, and may have been said */
    size_t answer;      /* index of the entry that answered it, plus 1; 0: none yet */
    size_t last_return; /* index of the last return that stands, plus 1; 0: none */
    int n_returns;      /* ever */
    int64_t returned_minor;        /* that stands */
    char recall[BANK_ID_SIZE * 2]; /* id of the recall that its plan is about; empty: none */

    struct bank_item *next; /* in the list of those with something to do */
    bool listed, busy;
    int64_t due_us;                     /* waits until then; 0: not waiting for a time */
    int64_t due_number;                 /* waits for that instruction; 0: not */
    int32_t asked;                      /* how often its status was asked */
    bool say_again;                     /* was asked although it is answered */
    bool say_pending;                   /* was asked while it is not */
    bool inquired;                      /* and that was not answered yet */
    char inquiry[BANK_ID_SIZE * 2];     /* the last one about its status */
    char recall_next[BANK_ID_SIZE * 2]; /* of a recall that is not taken up yet */
    const char *recall_plan;            /* is to be put in place of its plan; NULL: none */
    enum crash_point crash;             /* of the step that comes next */
    int crash_step;                     /* which told so */
    char shown[200];                    /* name and masked account, while the bank runs */
};

struct bank_totals {
    int64_t instructed, paid, rejected, returns, reversals; /* counts */
    int64_t instructed_minor, paid_minor, rejected_minor, returned_minor, reversed_minor;
    int64_t charge_minor;     /* kept of what was returned, less what was taken back */
    int64_t tax_minor;        /* withheld from what was paid */
    int64_t open, open_minor; /* without an answer */
    int64_t surprises; /* the gateway refused what it should not have, or the other way round */
};

/* A file to us that is being written, or was when the bank died: it is made again, to the same bytes. */
struct bank_filing {
    int64_t file_no;  /* 0: none */
    char message[24]; /* "pacs.002.001.10" */
    int64_t at_us;
    char from[12], to[12]; /* BICs: the bank's, ours */
    size_t n;
};

struct bank_state;

/* Opens, reads, locks: two banks on one file would pay twice. bank: its code, which stands in its references and must be
 * the same each time. Complains. */
bool bank_state_open(const char *path, const char *bank, struct bank_state **out);
/* Reads only, also while a bank runs on it: what is there now. */
bool bank_state_look(const char *path, struct bank_state **out);
void bank_state_close(struct bank_state **state);

size_t bank_state_count(const struct bank_state *state);
/* In the order in which they were decided. Good until the state is closed. */
struct bank_item *bank_state_item(const struct bank_state *state, size_t i);
/* NULL: nothing was decided about this instruction. */
struct bank_item *bank_state_find(const struct bank_state *state, struct slice id);
size_t bank_state_entry_count(const struct bank_state *state);
const struct bank_entry *bank_state_entry(const struct bank_state *state, size_t i);
/* window_no 0: all. */
void bank_state_totals(const struct bank_state *state, int64_t window_no, struct bank_totals *out);

/* The bank's code. */
const char *bank_state_bank(const struct bank_state *state);
/* The bank's own reference: "MUCB-12" of a payment, "R1-MUCB-12" of its first return, "V1-MUCB-12" of what took that
 * back. nth is of returns alone. */
void bank_state_reference(const struct bank_state *state, const struct bank_item *item,
                          enum bank_entry_kind kind, int nth, char out[BANK_REF_SIZE]);

/* The last token that was stored; "" if none. Good until the next one is. */
const char *bank_state_token(const struct bank_state *state);
bool bank_state_has_crashed(const struct bank_state *state, struct slice id, int step);

/* Of the step that comes next. */
static inline int bank_item_step(const struct bank_item *item)
{
    return item->done_before + (int)item->at + 1;
}

/* What the gateway said of a step is not what it should have said: it refused what is right, or took what is wrong. */
bool bank_is_surprise(enum step_kind kind, struct slice outcome);

/* ---------------------------------------------------------------- writing
 * Each is on disk only after bank_state_sync(). Failing to write ends the program: it must not go on from memory. */

/* id, ccy, minor, tax_minor, with_eprc and window_no of it; plan is the text of one. */
struct bank_item *bank_state_decide(struct bank_state *state, const struct bank_item *what,
                                    const char *plan);
/* A recall: the steps that were still to come are replaced. */
void bank_state_replan(struct bank_state *state, struct bank_item *item, struct slice recall,
                       const char *plan);
/* The step that comes next is in the books from now on. */
void bank_state_book(struct bank_state *state, struct bank_item *item, enum bank_entry_kind kind,
                     int64_t minor, int64_t charge_minor, const char *code);
/* The step that comes next is done. outcome is what the gateway said of it (RECORDED, DUPLICATE, REFUSED), SENT (in a file:
 * nothing is known), or NOTHING (there was nothing to say). */
void bank_state_done(struct bank_state *state, struct bank_item *item, struct slice outcome,
                     struct slice reason);
/* All that was delivered up to that token is decided. */
void bank_state_take_token(struct bank_state *state, struct slice token);
/* ---------------------------------------------------------------- files
 * A file to us is written down, with what goes into it, before it is written; once it is whole a second line says so, and
 * is what makes its steps done. */

/* items: of the steps that come next, n of them. filing->file_no is set: the next. */
void bank_state_file(struct bank_state *state, struct bank_filing *filing,
                     struct bank_item *const *items);
/* The one that is not whole yet, as far as is known, and its items (good until it is filed). False: none. */
bool bank_state_filing(const struct bank_state *state, struct bank_filing *out,
                       struct bank_item *const **items);
void bank_state_filed(struct bank_state *state, const char *sha256);
/* Of the last file that was filed: 64 digits, "" if there is none. */
const char *bank_state_last_sha256(const struct bank_state *state);

/* A file from us was dealt with. Its number, and who wrote to whom. */
void bank_state_read_file(struct bank_state *state, const char *sha256, int64_t file_no,
                          const char *our_bic, const char *bank_bic);
bool bank_state_has_read(const struct bank_state *state, const char *sha256);
int64_t bank_state_last_read(const struct bank_state *state);
/* "" while no file was read. */
const char *bank_state_our_bic(const struct bank_state *state);
const char *bank_state_bank_bic(const struct bank_state *state);

void bank_state_crash(struct bank_state *state, struct slice id, int step);
void bank_state_sync(struct bank_state *state);

#endif
