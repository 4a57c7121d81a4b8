/* ujrat webhook: endpoints of platforms and what was told to them (docs/webhooks.md). */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/report.h"
#include "hook/event_id.h"
#include "hook/sign.h"

const char webhook_key_new_help[] =
    "Makes what webhooks are signed with, in a folder that has none yet: ed25519.pem and rsa.pem of mode\n"
    "0600, and rsa.crt, the certificate of the second, signed by itself. The setting hooks_keys of ujratd\n"
    "names the folder. To change keys, name another folder and start ujratd again: what the old ones have\n"
    "signed stays verifiable.";
const struct option_row webhook_key_new_options[] = {
    {"name", "NAME", "common name in the certificate (default: Ujrat webhooks)", false},
    {NULL, NULL, NULL, false},
};
const char webhook_list_help[] =
    "Endpoints of one platform, or of all, with how much waits for each, and how much was given up.";
const char webhook_deliveries_help[] =
    "Deliveries of a platform, newest event first: what waits, what was delivered, what was given up and why.";
const struct option_row webhook_deliveries_options[] = {
    {"webhook", "ID", "of this endpoint only", false},
    {"state", "STATE", "PENDING, DELIVERED, FAILED or DROPPED only", false},
    {"limit", "N", "at most so many (default: 100)", false},
    {NULL, NULL, NULL, false},
};
const char webhook_replay_help[] =
    "Sends events again, FIRST to LAST (ids such as WH-00000001-000000000000A), to all enabled endpoints of\n"
    "the platform that want them, or to one. Each keeps its id: a receiver that remembers ids drops those\n"
    "it has.";
const struct option_row webhook_replay_options[] = {
    {"webhook", "ID", "to this endpoint only, also what it did not ask for", false},
    {NULL, NULL, NULL, false},
};
const char webhook_enable_help[] =
    "Delivers again to an endpoint that was disabled, because it answered 410 Gone or by webhook disable.\n"
    "What waited for it goes out; what happened meanwhile is sent by webhook replay.";
const char webhook_disable_help[] = "Delivers nothing to the endpoint until it is enabled again.";

enum exit_code webhook_key_new_run(const struct args *args)
{
    const char *name = args_get(args, "name"), *file = "", *folder = args->operands[0];
    struct hook_keys *keys;
    char text[ERR_TEXT_SIZE], id[HOOK_KEY_ID_SIZE];
    err_t err = hook_keys_make(folder, name == NULL ? "Ujrat webhooks" : name, &file);
    if (!err_failed(err))
        err = hook_keys_load(folder, &keys, &file);
    if (err_failed(err)) {
        complain("%s/%s: %s", folder, file, err_text(err, text, sizeof text));
        return EXIT_REFUSED;
    }
    hook_key_id(slice_of(hook_keys_public(keys), HOOK_PUBLIC_KEY_SIZE), id);
    if (!args_quiet(args))
        printf("Keys of webhooks are in %s; the Ed25519 key is %s\n", folder, id);
    hook_keys_free(&keys);
    return EXIT_DONE;
}

/* The number of the platform's book as text; false: there is none, or the database failed. */
static bool find_book(struct db *db, const char *code, char out[16])
{
    int book = operator_find_book(db, code);
    (void)snprintf(out, 16, "%d", book);
    return book != 0;
}

static void print_endpoints(const PGresult *r, bool json)
{
    static const struct report_column columns[] = {
        {"platform", REPORT_TEXT}, {"id", REPORT_TEXT},     {"state", REPORT_TEXT},
        {"url", REPORT_TEXT},      {"at once", REPORT_INT}, {"waiting", REPORT_INT},
        {"given up", REPORT_INT},  {"reason", REPORT_TEXT}, {"since", REPORT_TEXT}};
    struct report *report;
    report_new(columns, sizeof columns / sizeof *columns, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        const char *cells[9];
        for (int c = 0; c < 9; c++)
            cells[c] = PQgetvalue(r, i, c);
        report_add(report, cells);
    }
    report_print(report, json);
    report_free(&report);
}

enum exit_code webhook_list_run(const struct args *args)
{
    char book[16];
    bool all = args->n_operands == 0;
    struct db db;
    enum exit_code code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    if (!all && !find_book(&db, args->operands[0], book)) {
        db_close(&db);
        return EXIT_REFUSED;
    }
    PGresult *r = db_query(
        &db,
        "SELECT b.code, w.public_id, w.state, w.url, w.concurrency, n.waiting, n.failed, w.reason, w.changed_at"
        "  FROM webhook_now w JOIN book b USING (book_id)"
        " CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE d.state = 'PENDING') AS waiting,"
        "                            count(*) FILTER (WHERE d.state = 'FAILED') AS failed"
        "                       FROM webhook_delivery d WHERE d.book_id = w.book_id AND d.webhook_id = w.webhook_id) n"
        " WHERE $1::int4 IS NULL OR w.book_id = $1::int4 ORDER BY b.code, w.webhook_id",
        1, (const char *const[]){all ? NULL : book});
    if (r == NULL)
        code = db_failure(&db);
    else
        print_endpoints(r, args_json(args));
    PQclear(r);
    db_close(&db);
    return code;
}

static void print_deliveries(const PGresult *r, bool json)
{
    static const struct report_column columns[] = {
        {"event", REPORT_TEXT}, {"type", REPORT_TEXT},    {"webhook", REPORT_TEXT},
        {"state", REPORT_TEXT}, {"attempts", REPORT_INT}, {"last", REPORT_TEXT},
        {"status", REPORT_INT}, {"problem", REPORT_TEXT}, {"next", REPORT_TEXT}};
    struct report *report;
    report_new(columns, sizeof columns / sizeof *columns, &report);
    for (int i = 0; i < PQntuples(r); i++) {
        char id[HOOK_EVENT_ID_SIZE];
        const char *cells[9] = {hook_event_id_write((int32_t)db_int(r, i, 0), db_int(r, i, 1), id)};
        for (int c = 1; c < 9; c++)
            cells[c] = PQgetisnull(r, i, c + 1) ? NULL : PQgetvalue(r, i, c + 1);
        report_add(report, cells);
    }
    report_print(report, json);
    report_free(&report);
}

enum exit_code webhook_deliveries_run(const struct args *args)
{
    struct db db;
    char book[16], limit_text[24];
    long long limit = 100;
    if (args_has(args, "limit") && !args_int(args, "limit", 1, 100000, &limit))
        return EXIT_USAGE;
    (void)snprintf(limit_text, sizeof limit_text, "%lld", limit);
    enum exit_code code = db_open(args, DB_AS_READER, &db);
    if (code != EXIT_DONE)
        return code;
    PGresult *r = NULL;
    if (find_book(&db, args->operands[0], book))
        r = db_query(
            &db,
            "SELECT d.book_id, d.event_no, k.name, w.public_id, d.state, d.attempts, d.last_at, d.last_status, d.last_error,"
            "       CASE WHEN d.state = 'PENDING' THEN nullif(d.next_at, 'infinity') END"
            "  FROM webhook_delivery d JOIN webhook w USING (book_id, webhook_id) JOIN webhook_event e USING (book_id, event_no)"
            "  JOIN webhook_event_kind k USING (kind)"
            " WHERE d.book_id = $1::int4 AND ($2::text IS NULL OR w.public_id = $2) AND ($3::text IS NULL OR d.state = $3)"
            " ORDER BY d.event_no DESC, d.webhook_id LIMIT $4::int4",
            4,
            (const char *const[]){book, args_get(args, "webhook"), args_get(args, "state"),
                                  limit_text});
    if (r == NULL)
        code = EXIT_REFUSED;
    else
        print_deliveries(r, args_json(args));
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code webhook_replay_run(const struct args *args)
{
    struct db db;
    char book[16], first_text[STR_INT64_SIZE], last_text[STR_INT64_SIZE], one[64];
    const char *last_id = args->operands[args->n_operands - 1],
               *webhook = args_get(args, "webhook");
    int32_t first_book, last_book;
    int64_t first, last;
    if (!hook_event_id_read(slice_str(args->operands[1]), &first_book, &first) ||
        !hook_event_id_read(slice_str(last_id), &last_book, &last) || first_book != last_book ||
        last < first) {
        complain(
            "FIRST and LAST are ids of events such as WH-00000001-000000000000A, in this order");
        return EXIT_USAGE;
    }
    (void)str_format_int64(first, first_text);
    (void)str_format_int64(last, last_text);
    (void)snprintf(one, sizeof one, "{%.40s}", webhook == NULL ? "" : webhook);
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    PGresult *r = NULL;
    if (!find_book(&db, args->operands[0], book))
        code = EXIT_REFUSED;
    else if (strtol(book, NULL, 10) != first_book) {
        complain("these are not events of %s", args->operands[0]);
        code = EXIT_REFUSED;
    } else if ((r = db_query(
                    &db, "SELECT resend_webhook_events($1::int4, $2::text[], $3::int8, $4::int8)",
                    4,
                    (const char *const[]){book, webhook == NULL ? NULL : one, first_text,
                                          last_text})) == NULL) {
        code = db_failure(&db);
    } else if (!args_quiet(args)) {
        printf("%s deliveries are due\n", PQgetvalue(r, 0, 0));
    }
    PQclear(r);
    db_close(&db);
    return code;
}

static enum exit_code set_state(const struct args *args, const char *state, const char *reason)
{
    struct db db;
    char book[16];
    enum exit_code code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    PGresult *r = NULL;
    if (!find_book(&db, args->operands[0], book))
        code = EXIT_REFUSED;
    else if (
        (r = db_query(
             &db,
             "SELECT change_webhook($1::int4, $2, NULL, NULL, NULL, $3, $4, session_user::text)", 4,
             (const char *const[]){book, args->operands[1], state, reason})) == NULL)
        code = db_failure(&db);
    else if (db_int(r, 0, 0) != 1) {
        complain("%s has no webhook %s", args->operands[0], args->operands[1]);
        code = EXIT_REFUSED;
    } else if (!args_quiet(args)) {
        printf("Webhook %s is %s\n", args->operands[1], state);
    }
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code webhook_enable_run(const struct args *args)
{
    return set_state(args, "ENABLED", "enabled by an operator");
}

enum exit_code webhook_disable_run(const struct args *args)
{
    return set_state(args, "DISABLED", "disabled by an operator");
}
