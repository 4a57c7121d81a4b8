#include "gateway/config_table.h"

#include "base/log.h"

typedef struct gateway_config cfg;

/* clang-format off: a row a setting */
const struct config_row gateway_config_rows[] = {
    CONFIG_STRING(
        cfg, listen, "listen", 3, 80, "127.0.0.1:8443", CONFIG_AT_START,
        "Address and port to listen on; an IPv6 address in brackets. Port 0: a free one (see port_file)."),
    CONFIG_PATH(cfg, port_file, "port_file", "", CONFIG_AT_START,
                "The port is written there, whole or not at all, once every worker answers calls."),
    CONFIG_INT(
        cfg, workers, "workers", 1, 64, "2", CONFIG_AT_START,
        "Worker processes. Each has one event loop, its own connections to the ledger, and shares nothing."),

    CONFIG_PATH(
        cfg, tls_cert_file, "tls_cert", NULL, CONFIG_AT_START,
        "PEM: the server's certificate and those between it and its root. Read again on SIGHUP."),
    CONFIG_PATH(cfg, tls_key_file, "tls_key", NULL, CONFIG_AT_START,
                "PEM: its key, RSA or ECDSA. Read again on SIGHUP."),
    CONFIG_PATH(cfg, tls_client_ca_file, "tls_client_ca", NULL, CONFIG_AT_START,
                "PEM: who may sign clients' certificates. Read again on SIGHUP."),
    CONFIG_PATH(
        cfg, tls_crl_file, "tls_crl", "", CONFIG_AT_START,
        "PEM: clients' certificates that are revoked. Empty: none is checked. Read again on SIGHUP, which also "
        "ends the connections of those it names."),
    CONFIG_BOOL(
        cfg, tls_client_cert_required, "tls_client_cert_required", "true", CONFIG_AT_START,
        "false: a client without a certificate may connect, and all its calls but health and reflection are "
        "UNAUTHENTICATED."),

    CONFIG_INT(cfg, connections_max, "connections_max", 1, 100000, "1024", CONFIG_AT_START,
               "Connections of one worker; over it calls are refused with RESOURCE_EXHAUSTED."),
    CONFIG_INT(cfg, streams_per_connection_max, "streams_per_connection_max", 1, 65536, "1024",
               CONFIG_AT_START, "Calls that may be open on one connection."),
    CONFIG_INT(cfg, calls_max, "calls_max", 1, 1000000, "65536", CONFIG_AT_START,
               "Calls that may be open in one worker."),
    CONFIG_INT(
        cfg, batches_max, "batches_max", 1, 10000, "32", CONFIG_AT_START,
        "Calls with a batch that may be under way in one worker; over it: QUEUE_FULL. One of 15,000 payouts takes "
        "some 40 MB until it is answered."),
    CONFIG_SIZE(cfg, message_bytes_max, "message_bytes_max", 1024, 16 << 20, "256KiB",
                CONFIG_AT_START, "The longest request."),
    CONFIG_SIZE(cfg, batch_bytes_max, "batch_bytes_max", 65536, 64 << 20, "16MiB", CONFIG_AT_START,
                "The longest request of the calls that take batches."),
    CONFIG_SIZE(cfg, header_bytes_max, "header_bytes_max", 1024, 1 << 20, "16KiB", CONFIG_AT_START,
                "All headers of one call."),
    CONFIG_SIZE(cfg, connection_bytes_max, "connection_bytes_max", 65536, 1 << 30, "32MiB",
                CONFIG_AT_START, "Half-received requests of one connection."),
    CONFIG_DURATION(cfg, handshake_timeout_ms, "handshake_timeout", 100, 60000, "5s",
                    CONFIG_AT_START,
                    "From the connection to the end of the TLS and HTTP/2 greetings."),
    CONFIG_DURATION(cfg, idle_timeout_ms, "idle_timeout", 1000, 86400000, "15m", CONFIG_AT_START,
                    "A connection without calls is closed after it."),
    CONFIG_DURATION(cfg, keepalive_ms, "keepalive", 1000, 3600000, "1m", CONFIG_AT_START,
                    "A silent connection is asked whether it lives after it."),

    CONFIG_STRING(
        cfg, db, "db", 0, 2000, "", CONFIG_AT_START,
        "The ledger, as a libpq URI with a socket folder or hostaddr (a name would have to be looked up). Not "
        "taken from --set, since everyone can read a command line. A URI with a password in it belongs in db_file."),
    CONFIG_PATH(
        cfg, db_file, "db_file", "", CONFIG_AT_START,
        "A file of mode 0600 whose first line is that URI. With neither, UJRAT_APP_DB of the environment is used."),
    CONFIG_PATH(
        cfg, pii_keys_file, "pii_keys", NULL, CONFIG_AT_START,
        "A file of mode 0600 with the keys that personal data is encrypted with: `ujrat pii key new` makes it "
        "(docs/personal-data.md). Read again when it changes."),
    CONFIG_INT(cfg, db_connections, "db_connections", 1, 16, "2", CONFIG_AT_START,
               "Connections to the ledger of one worker."),
    CONFIG_INT(cfg, batch_payouts_max, "batch_payouts_max", 1, 15000, "4096", CONFIG_AT_START,
               "Payouts in one commit. What arrives while one is under way makes the next."),
    CONFIG_INT(cfg, queue_payouts_max, "queue_payouts_max", 1, 10000000, "120000", CONFIG_AT_START,
               "Payouts of one worker that may wait for the ledger; over it: QUEUE_FULL."),
    CONFIG_INT(cfg, queue_statements_max, "queue_statements_max", 1, 1000000, "10000",
               CONFIG_AT_START, "The same for all other questions to the ledger."),
    CONFIG_DURATION(cfg, statement_timeout_ms, "statement_timeout", 100, 600000, "10s",
                    CONFIG_AT_START,
                    "One round trip to the ledger; the connection is given up after it."),
    CONFIG_DURATION(cfg, call_deadline_ms, "call_deadline", 100, 600000, "30s", CONFIG_AT_START,
                    "The longest a call waits for the ledger, whatever deadline the client gave."),
    CONFIG_DURATION(cfg, registry_refresh_ms, "registry_refresh", 50, 3600000, "1s",
                    CONFIG_AT_START,
                    "How often principals, books, banks, policy and rates are read again."),
    CONFIG_DURATION(cfg, watch_poll_ms, "watch_poll", 5, 60000, "200ms", CONFIG_AT_START,
                    "How often an open Watch stream with nothing to say looks for news."),
    CONFIG_DURATION(cfg, db_start_timeout_ms, "db_start_timeout", 100, 3600000, "30s",
                    CONFIG_AT_START,
                    "How long a start waits for the ledger before it gives up (exit code 69)."),

    CONFIG_PATH(
        cfg, seal_keys, "seal_keys", "", CONFIG_AT_START,
        "A folder with the private keys of books, files of mode 0600 (`ujrat log key add` makes them). With it and a "
        "seal_db a process beside the workers seals every block that is committed. Of several gateways on a ledger one "
        "seals, and the others stand by. Empty: this gateway does not seal. Read again on SIGHUP, and when a key is "
        "missing."),
    CONFIG_STRING(
        cfg, seal_db, "seal_db", 0, 2000, "", CONFIG_AT_START,
        "The ledger as the role ujrat_sealer, which can add seals and nothing else. Like db: not from --set, and not "
        "with a password in it."),
    CONFIG_PATH(cfg, seal_db_file, "seal_db_file", "", CONFIG_AT_START,
                "A file of mode 0600 whose first line is that URI; only the sealer reads it."),
    CONFIG_DURATION(
        cfg, seal_interval_ms, "seal_interval", 10, 3600000, "200ms", CONFIG_AT_START,
        "How often the sealer looks for new blocks. Each look that finds some makes a signed tree head."),

    CONFIG_BOOL(
        cfg, hooks, "hooks", "false", CONFIG_AT_START,
        "true: a process beside the workers delivers webhooks (docs/webhooks.md); it needs hooks_db, hooks_keys and "
        "hooks_base_url. Of several gateways on a ledger one delivers, and the others stand by."),
    CONFIG_STRING(
        cfg, hooks_db, "hooks_db", 0, 2000, "", CONFIG_AT_START,
        "The ledger as the role ujrat_hooks, which sees what webhooks are made of and moves them on. Like db: not from --set, "
        "and not with a password in it."),
    CONFIG_PATH(cfg, hooks_db_file, "hooks_db_file", "", CONFIG_AT_START,
                "A file of mode 0600 whose first line is that URI; only that process reads it."),
    CONFIG_PATH(
        cfg, hooks_keys, "hooks_keys", "", CONFIG_AT_START,
        "A folder with the keys that webhooks are signed with, as `ujrat webhook key new` makes them."),
    CONFIG_STRING(
        cfg, hooks_base_url, "hooks_base_url", 0, 256, "", CONFIG_AT_START,
        "Where platforms reach the REST API, such as https://pay.example.pk: what links in webhooks begin with. Events sent "
        "under another one are verified all the same."),
    CONFIG_PATH(
        cfg, hooks_ca_file, "hooks_ca_file", "", CONFIG_AT_START,
        "PEM: who signs the certificates of endpoints, in the place of the system's authorities."),
    CONFIG_BOOL(
        cfg, hooks_private_targets, "hooks_private_targets", "false", CONFIG_AT_START,
        "true: endpoints may have any port and any address, this machine's and the inner network's too. For tests and demos."),
    CONFIG_DURATION(cfg, hooks_poll_ms, "hooks_poll", 5, 60000, "200ms", CONFIG_AT_START,
                    "How often it is looked what has happened and what is due."),
    CONFIG_DURATION(
        cfg, hooks_retry_first_ms, "hooks_retry_first", 1, 600000, "10s", CONFIG_AT_START,
        "The longest pause after a first failure; it doubles up to 3840 times that. With 10s the 25 tries take about three days."),
    CONFIG_INT(
        cfg, hooks_concurrency, "hooks_concurrency", 1, 1024, "128", CONFIG_AT_START,
        "Deliveries at a time, of all endpoints together. Each endpoint has a number of its own beside, 4 if nothing is said."),

    CONFIG_DURATION(
        cfg, rate_age_max_ms, "rate_age_max", 1000, 315360000000, "4d", CONFIG_AT_START,
        "Rates older than this price nothing: RATE_STALE. Long enough for a weekend with a holiday."),
    CONFIG_DURATION(cfg, quote_ttl_ms, "quote_ttl", 100, 86400000, "15m", CONFIG_AT_START,
                    "How long a quote holds."),

    CONFIG_BOOL(
        cfg, rest, "rest", "false", CONFIG_AT_START,
        "true: clients that speak HTTP/1.1 on the same port get the REST API, with TLS 1.2 or 1.3 and a bearer token in "
        "place of a certificate (docs/paypal.md)."),
    CONFIG_DURATION(cfg, rest_token_ttl_ms, "rest_token_ttl", 1000, 2592000000, "9h",
                    CONFIG_AT_START, "How long a bearer token of the REST API is good."),
    CONFIG_SIZE(cfg, rest_body_bytes_max, "rest_body_bytes_max", 65536, 64 << 20, "16MiB",
                CONFIG_AT_START,
                "The longest body of a request with a batch; all others have 64 KiB."),
    CONFIG_DURATION(
        cfg, unclaimed_ttl_ms, "unclaimed_ttl", 1000, 31536000000, "30d", CONFIG_AT_START,
        "How long an item to an address that nobody has waits to be claimed before its money goes back to the float."),
    CONFIG_DURATION(
        cfg, unclaimed_sweep_ms, "unclaimed_sweep", 100, 3600000, "10s", CONFIG_AT_START,
        "How often each worker looks for such items whose receiver is known by now, and pays them, and for those whose time is "
        "over, and gives them back."),
    CONFIG_STRING(
        cfg, claim_base_url, "claim_base_url", 0, 200, "", CONFIG_AT_START,
        "Where freelancers reach the claim page, such as https://pay.example; empty: where the platform has reached us."),

    CONFIG_PATH(cfg, log_file, "log_file", "", CONFIG_AT_START,
                "Appended to; opened anew on SIGHUP. Empty: standard error."),
    CONFIG_ENUM(cfg, log_level, "log_level", log_level_names, "info", CONFIG_AT_RELOAD,
                "What is written. debug has a line for every call."),
    CONFIG_DURATION(cfg, drain_timeout_ms, "drain_timeout", 0, 600000, "20s", CONFIG_AT_START,
                    "How long SIGTERM lets calls under way finish."),
};
/* clang-format on */

const size_t gateway_config_rows_count =
    sizeof(gateway_config_rows) / sizeof(gateway_config_rows[0]);
