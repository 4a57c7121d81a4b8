/*
 * config_table.h: every setting of ujrat-settle, in one table: the sample file, docs/config-settle.md, ranges and defaults
 * all come from it (base/config.h).
 */
#ifndef UJRAT_SETTLE_CONFIG_TABLE_H
#define UJRAT_SETTLE_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

/* Times in milliseconds, sizes in bytes, as base/config.h gives them. */
struct settle_config {
    const char *db; /* read from db_file or the environment, never from the command line */
    const char *db_file;
    const char *principal;
    int64_t db_start_timeout_ms, statement_timeout_ms;
    int64_t interval_ms, standby_ms, hand_out_interval_ms;
    int64_t hand_out_payouts_max;

    const char *bank_folders; /* empty: no bank is served by files */
    const char *signing_key, *bank_keys;
    bool unsigned_files;
    const char *pii_keys_file;
    const char *xsd_folder;
    int64_t file_bytes_max, file_instructions_max, manifest_wait_ms;

    const char *our_bic, *our_name, *our_town, *our_country, *business_service;
    const char *nostro_accounts;

    const char *log_file;
    int log_level;
};

extern const struct config_row settle_config_rows[];
extern const size_t settle_config_rows_count;

#endif
