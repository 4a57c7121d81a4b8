/*
 * config_table.h: every setting of ujratd, in one table: the sample file, docs/config.md, ranges and defaults all
 * come from it (base/config.h).
 */
#ifndef UJRAT_GATEWAY_CONFIG_TABLE_H
#define UJRAT_GATEWAY_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

/* Times in milliseconds, sizes in bytes, as base/config.h gives them. */
struct gateway_config {
    const char *listen; /* "address:port" */
    const char *port_file;
    int64_t workers;
    const char *tls_cert_file, *tls_key_file, *tls_client_ca_file, *tls_crl_file;
    bool tls_client_cert_required;

    int64_t connections_max, streams_per_connection_max, calls_max, batches_max;
    int64_t message_bytes_max, batch_bytes_max, header_bytes_max, connection_bytes_max;
    int64_t handshake_timeout_ms, idle_timeout_ms, keepalive_ms;

    const char *db; /* read from db_file or the environment, never from the table */
    const char *db_file;
    const char *pii_keys_file;
    int64_t db_connections;
    int64_t batch_payouts_max, queue_payouts_max, queue_statements_max;
    int64_t statement_timeout_ms;
    int64_t call_deadline_ms;
    int64_t registry_refresh_ms;
    int64_t watch_poll_ms;

    const char *seal_db, *seal_db_file; /* the sealer alone reads the file */
    const char *seal_keys;              /* empty: this gateway does not seal */
    int64_t seal_interval_ms;

    bool rest;
    int64_t rest_token_ttl_ms, unclaimed_ttl_ms, unclaimed_sweep_ms;
    int64_t rest_body_bytes_max;
    const char *claim_base_url; /* empty: the address the platform has called */

    bool hooks;                           /* webhooks are delivered by this gateway */
    const char *hooks_db, *hooks_db_file; /* the notifier alone reads the file */
    const char *hooks_keys, *hooks_base_url, *hooks_ca_file;
    bool hooks_private_targets;
    int64_t hooks_poll_ms, hooks_retry_first_ms, hooks_concurrency;

    int64_t rate_age_max_ms;
    int64_t quote_ttl_ms;

    const char *log_file;
    int log_level;
    int64_t drain_timeout_ms, db_start_timeout_ms;
};

extern const struct config_row gateway_config_rows[];
extern const size_t gateway_config_rows_count;

#endif
