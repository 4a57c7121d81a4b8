/* commands.h: what each command brings to the table in main.c. */
#ifndef UJRAT_AUDIT_COMMANDS_H
#define UJRAT_AUDIT_COMMANDS_H

#include "base/command.h"

extern const char trial_balance_help[];
extern const struct option_row trial_balance_options[];
enum exit_code trial_balance_run(const struct args *args);

extern const char statement_help[];
extern const struct option_row statement_options[];
enum exit_code statement_run(const struct args *args);

extern const char export_help[];
extern const struct option_row export_options[];
enum exit_code export_run(const struct args *args);

extern const char safeguard_help[];
extern const struct option_row safeguard_options[];
enum exit_code safeguard_run(const struct args *args);

extern const char trail_help[];
extern const struct option_row trail_options[];
enum exit_code trail_run(const struct args *args);

extern const char verify_help[];
extern const struct option_row verify_options[];
enum exit_code verify_run(const struct args *args);

extern const char witness_help[];
extern const struct option_row witness_options[];
enum exit_code witness_run(const struct args *args);
extern const char reconcile_help[];
extern const struct option_row reconcile_options[];
enum exit_code reconcile_run(const struct args *args);
extern const char receipt_verify_help[];
extern const struct option_row receipt_verify_options[];
enum exit_code receipt_verify_run(const struct args *args);

#endif
