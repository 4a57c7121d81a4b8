/*
 * bank_script.h: how a sandbox bank behaves: a text of rules, each a condition and what is then said and done, in order.
 *
 *     # one line a rule; what comes first counts
 *     seed 7
 *     every 4:                          reject AC04
 *     amount 100000.00..:               wait 2s, accept, again
 *     iban 77:                          accept, return 40% AC06 charge 50.00, return, reverse
 *     weight 90:                        accept
 *     weight 10:                        silent
 *
 * docs/bank-guide.md has the language; SCRIPT_HELP below is what `ujrat bank run --help` prints. Reading it is pure: no
 * files, no clock, no memory of its own. A plan (what is right of the colon) stands in the bank's books by its text, so a
 * bank that is started again with another script goes on as it had decided.
 */
#ifndef UJRAT_CLI_BANK_SCRIPT_H
#define UJRAT_CLI_BANK_SCRIPT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_BYTES_MAX   (64 * 1024)
#define SCRIPT_RULES_MAX   100
#define PLAN_STEPS_MAX     16
#define PLAN_TEXT_SIZE     256 /* with a NUL */
#define SCRIPT_CODE_SIZE   5   /* "AC04" and a NUL */
#define SCRIPT_WAIT_MS_MAX 3600000
#define SCRIPT_IBAN_SIZE   25

enum step_kind {
    STEP_ACCEPT,         /* SETTLED */
    STEP_REJECT,         /* REJECTED, with a code */
    STEP_AGAIN,          /* the answer once more, the same */
    STEP_CONTRADICT,     /* another answer than the first: to be refused */
    STEP_WRONG_AMOUNT,   /* SETTLED with a paisa more: to be refused */
    STEP_WRONG_CURRENCY, /* SETTLED in another currency: to be refused */
    STEP_UNKNOWN,        /* SETTLED of an instruction that nobody gave: to be refused */
    STEP_RETURN,         /* what is left of the payment, or a part */
    STEP_RETURN_AGAIN,   /* the last return once more, the same */
    STEP_RETURN_MORE,    /* a paisa more than the payment was: to be refused */
    STEP_REVERSE,        /* the last return is taken back */
    STEP_WAIT,           /* time, or further instructions */
    STEP_SILENT,         /* nothing, until asked so many times */
    STEP_PENDING,        /* nothing until asked, then a status that is not definite */
    STEP_CRASH,          /* dies without a word at a point of the step that follows */
    STEP_CANCEL,         /* of a recall: will be sent back, or rejected */
    STEP_REFUSE,         /* of a recall: will not, with a code */
    STEP_LOOKING,        /* of a recall: not decided yet */
};

/* Where a bank may be killed: see SCRIPT_HELP. In the order in which they come. */
enum crash_point {
    CRASH_NEVER,
    CRASH_RECEIVED,
    CRASH_DECIDED,
    CRASH_BOOKED,
    CRASH_SENT,
    CRASH_ANSWERED,
    CRASH_NOTED,
};

struct step {
    enum step_kind kind;
    enum crash_point crash;      /* STEP_CRASH */
    char code[SCRIPT_CODE_SIZE]; /* empty: the bank chooses */
    int32_t share_bps;           /* STEP_RETURN: of the payment; 0: not a share */
    int64_t minor;        /* STEP_RETURN: that much; with share_bps 0 as well: what is left */
    int64_t charge_minor; /* STEP_RETURN: kept by the bank */
    int64_t wait_ms;      /* STEP_WAIT */
    int32_t count;        /* STEP_WAIT: instructions; STEP_SILENT: times asked */
};

struct plan {
    size_t n;
    struct step steps[PLAN_STEPS_MAX];
};

struct script_error {
    unsigned line; /* 0: of no line */
    char text[160];
};

/* What is left of the colon. All that is said must hold. */
struct rule {
    bool recall;           /* of recalls, not of instructions */
    int64_t every, number; /* 0: not said */
    int64_t minor_min, minor_max;
    char iban[SCRIPT_IBAN_SIZE]; /* how it ends; empty: any */
    int32_t weight;              /* 0: not drawn */
    char plan[PLAN_TEXT_SIZE];   /* in one form: "accept, return 40% AC06" */
};

struct script {
    uint64_t seed;
    size_t n_rules;
    struct rule rules[SCRIPT_RULES_MAX];
};

/* What a rule looks at. */
struct script_facts {
    bool recall;
    int64_t number; /* of the bank's instructions (recalls), from 1 */
    int64_t minor;
    struct slice iban; /* empty: paid to a mobile alias */
    struct slice id;
};

/* An empty script: everything is accepted. */
void script_init(struct script *script);
/* Adds the rules of a text after those that are there. False: *error says what is wrong; nothing may be used then. */
MUST_CHECK bool script_read(struct slice text, struct script *script, struct script_error *error);
/* Adds one rule, as if its line stood at the end. */
MUST_CHECK bool script_add(const char *line, struct script *script, struct script_error *error);

/* The plan of the first rule that holds; of rules with a weight one is drawn by the seed and the id, so the same each
 * time; "accept", or of a recall "refuse CUST", if there is none. Its text lives as long as the script. */
const char *script_choose(const struct script *script, const struct script_facts *facts);

/* Steps from their text. What cannot be (a return of what was not accepted, a second answer) is refused: error->text.
 * recall: it goes on where another plan was left, so nothing is known of what came before. */
MUST_CHECK bool plan_read(struct slice text, bool recall, struct plan *plan,
                          struct script_error *error);
/* The text of steps, which plan_read() reads back. False: it does not fit. */
MUST_CHECK bool plan_write(const struct plan *plan, char out[PLAN_TEXT_SIZE]);

/* "wrong-amount": never NULL. */
const char *step_name(enum step_kind kind);
/* It is said to the gateway, and answered (not waiting, not a crash). */
bool step_is_said(enum step_kind kind);
/* The gateway is to refuse it. */
bool step_is_wrong(enum step_kind kind);
const char *crash_name(enum crash_point point);

#define SCRIPT_HELP                                                                                            \
    "A script is a file of rules, one a line, WHEN: STEP, STEP ... The first that holds counts; without\n"     \
    "one everything is accepted. # begins a comment.\n"                                                        \
    "WHEN, several together: every N; number N (the Nth); amount LOW..HIGH (rupees, either may be left\n"      \
    "out); iban DIGITS (how it ends); any; weight N (drawn among all with a weight that else hold, by seed\n"  \
    "and id: the same each time); recall (of recalls rather than instructions). seed N stands on its own.\n"   \
    "STEP: accept; reject [CODE]; again (the same answer once more); return [SHARE%|AMOUNT] [CODE]\n"          \
    "[charge AMOUNT]; reverse [CODE] (takes the last return back); return-again; wait 500ms|2s|3 (that many\n" \
    "further instructions); silent [N] (until asked N times; at the end: for ever); pending CODE (says so\n"   \
    "when asked). Of a recall: cancel; refuse CODE; looking.\n"                                                \
    "To be refused by the gateway: contradict (another answer); wrong-amount; wrong-currency; unknown (an\n"   \
    "instruction nobody gave); return-more (than was paid).\n"                                                 \
    "crash POINT dies once, as by kill -9: received (before anything is written), decided; and of the step\n"  \
    "that follows: booked (not said yet), sent, answered (not noted yet), noted."

#endif
