/*
 * bank_work.h: what a sandbox bank says next. Its instructions go through their plans here; how it is said, in a gRPC
 * call or in a file, is its caller's business.
 *
 * The caller takes sayings, syncs the state (what is said then stands in the books), says them, and hands each back with
 * its outcome, or to be said again.
 */
#ifndef UJRAT_CLI_BANK_WORK_H
#define UJRAT_CLI_BANK_WORK_H

#include "cli/bank_state.h"

enum saying_kind { SAY_CONFIRMATION, SAY_RETURN, SAY_REVERSAL, SAY_ANSWER };

struct saying {
    enum saying_kind kind;
    struct bank_item *item;
    bool is_step;        /* false: said since it was asked, beside its plan */
    enum step_kind step; /* of a step */
    char id[BANK_ID_SIZE];
    bool settled; /* SAY_CONFIRMATION; else it is rejected */
    char ccy[4];
    int64_t minor, tax_minor, charge_minor;
    char reference[BANK_REF_SIZE];
    char of_reference[BANK_REF_SIZE]; /* SAY_REVERSAL: of the return */
    char eprc[BANK_REF_SIZE];
    char code[SCRIPT_CODE_SIZE];
    char status[SCRIPT_CODE_SIZE]; /* SAY_ANSWER: "PDNG", "CNCL" */
    char inquiry[BANK_ID_SIZE * 2];
};

struct bank_work {
    struct bank_state *state;
    struct bank_item *first, **end; /* those with something to do */
    size_t n;
    bool in_files; /* what is said is never said beside a plan: an answer in a file is a step */
};

/* With everything that an earlier run left undone. */
void bank_work_init(struct bank_work *work, struct bank_state *state);
/* An instruction that was just decided. */
void bank_work_add(struct bank_work *work, struct bank_item *item);

/* We are asked about an instruction. A recall comes with the plan for it. The same inquiry again changes nothing. */
void bank_work_asked(struct bank_work *work, struct bank_item *item, struct slice inquiry);
void bank_work_recalled(struct bank_work *work, struct bank_item *item, struct slice inquiry,
                        const char *plan);

/* What is ready, in order, all of one kind: at most max of them, of returns and reversals one (unless in_files). 0: nothing is;
 * *due_us says when something may be (0: nothing that only waits for time). Times are clock_monotonic_us(). */
size_t bank_work_next(struct bank_work *work, int64_t now_us, size_t max, struct saying *out,
                      int64_t *due_us);
/* What an item says next, which stands in the books already: of a file that is made again. */
void bank_work_repeat(struct bank_work *work, struct bank_item *item, struct saying *out);
/* A file is whole, and its steps are done. */
void bank_work_filed(struct bank_work *work, struct saying *said);

/* It was answered: "RECORDED", "DUPLICATE", "REFUSED" with a reason. */
void bank_work_said(struct bank_work *work, struct saying *said, struct slice outcome,
                    struct slice reason);
/* It is not known whether it was heard, or must wait: it will be said again, not before that time (0: at once). */
void bank_work_again(struct bank_work *work, struct saying *said, int64_t not_before_us);

#endif
