/*
 * bank_state.h: what a sandbox bank must not forget: what it has paid, what it has told us, what it sends back.
 *
 * A file of JSON lines that is only appended to, and read whole at the start. A decision is on disk before anyone hears
 * of it, so a bank that is killed pays nothing twice and says the same again.
 */
#ifndef UJRAT_CLI_BANK_STATE_H
#define UJRAT_CLI_BANK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BANK_TEXT_SIZE 64

/* What the bank did with an instruction. */
struct bank_decision {
    char id[BANK_TEXT_SIZE];
    bool rejected;
    char reason[8];                 /* of the rejection */
    char reference[BANK_TEXT_SIZE]; /* of the payment */
    char eprc[BANK_TEXT_SIZE];
    char ccy[8];
    int64_t minor;
    int64_t tax_minor;
    char return_reason[8]; /* it will be sent back, with this reason; empty: it will not */
};

struct bank_state;

/* Opens, reads, locks: two banks on one file would pay twice. Complains. */
bool bank_state_open(const char *path, struct bank_state **out);
void bank_state_close(struct bank_state **state);

/* How many instructions were ever decided. */
int64_t bank_state_count(const struct bank_state *state);
/* The last token that was stored; "" if none. Good until the next bank_state_confirmed(). */
const char *bank_state_token(const struct bank_state *state);

/* False: nothing was decided about this instruction. */
bool bank_state_find(const struct bank_state *state, const char *id, struct bank_decision *out);

/* Each is on disk only after bank_state_sync(). Failing to write ends the program: it must not go on from memory. */
void bank_state_decide(struct bank_state *state, const struct bank_decision *decision);
/* Everything up to that token was confirmed. */
void bank_state_confirmed(struct bank_state *state, const char *token);
void bank_state_returned(struct bank_state *state, const char *id);
void bank_state_sync(struct bank_state *state);

/* The first instruction that is to be sent back and was not yet; false if there is none. */
bool bank_state_next_return(const struct bank_state *state, struct bank_decision *out);

#endif
