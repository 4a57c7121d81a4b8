/* export.h: the formats of `ujrat-audit export`, one function each; the table is in export.c. */
#ifndef UJRAT_AUDIT_EXPORT_H
#define UJRAT_AUDIT_EXPORT_H

#include "base/command.h"

extern const struct option_row export_options[];
enum exit_code export_run(const struct args *args);

enum exit_code export_csv_run(const struct args *args);
enum exit_code export_jsonl_run(const struct args *args);
enum exit_code export_hledger_run(const struct args *args);
enum exit_code export_beancount_run(const struct args *args);
enum exit_code export_log_run(const struct args *args);

#endif
