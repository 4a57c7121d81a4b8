/* policy_rules.h: what the commands of policy have in common: rules read from the ledger, and shown. */
#ifndef UJRAT_CLI_POLICY_RULES_H
#define UJRAT_CLI_POLICY_RULES_H

#include "cli/db.h"
#include "domain/policy.h"

/* Column value of kind, ccy and value, as text: for people ("0.75%"), or for programs as a proposal's file has it ("25000.00", "75").
 * NULL where the value is NULL. */
const char *policy_cell(const PGresult *r, int row, int kind_col, int ccy_col, int value_col,
                        bool json, char out[POLICY_TEXT_SIZE]);

/* "USD", or NULL for none. */
const char *policy_ccy_cell(const PGresult *r, int row, int col);

/* --at and the like: a time with its offset. False, and the user was told, if it is none. */
bool policy_is_time(const char *option, const char *text);

/* The operand that names a proposal, in out. False, and the user was told. */
bool policy_is_proposal(const char *text);

/* A table of what a proposal changes: before and after. False: the user was told. */
bool policy_print_changes(struct db *db, const char *proposal, bool json);

#endif
