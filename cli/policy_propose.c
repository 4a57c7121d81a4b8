/* ujrat policy propose, approve, refuse: rules change when one operator has said how, and another one agrees. */
#include "base/buf.h"
#include "base/hex.h"
#include "base/timefmt.h"
#include "cli/commands.h"
#include "cli/operator_code.h"
#include "cli/policy_file.h"
#include "cli/policy_rules.h"
#include "cli/whole_file.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_BYTES_MAX (64U << 20)

const char policy_propose_help[] =
    "Proposes changes to rules, as FILE has them (JSON; deploy/policy/ has one, docs/policy.md says what\n"
    "may be in it). Nothing is in force before a second person, with a database login of their own,\n"
    "approves it with ujrat policy approve. What does not fit the rules that will be in force by then is\n"
    "refused at once. The same file again answers with the first proposal, until other rules are in force;\n"
    "one that happens to be the same needs its own --request-id.\n" HELP_OPERATOR_CODE;

const struct option_row policy_propose_options[] = {
    {"request-id", "TEXT", "names the proposal (default: made from what it says)", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

const char policy_approve_help[] =
    "Makes a version of policy of the proposal, in force from when it says. Whoever proposed it may not: it\n"
    "takes a second person. Look at it first: ujrat policy diff, ujrat policy simulate. Approving again\n"
    "answers with the first time.\n" HELP_OPERATOR_CODE;

const char policy_refuse_help[] =
    "Ends the proposal, for good. Whoever proposed it may take it back so.\n" HELP_OPERATOR_CODE;

const struct option_row policy_decide_options[] = {
    {"note", "TEXT", "what is to be kept with the decision", false},
    OPTIONS_OPERATOR_CODE,
    {NULL, NULL, NULL, false},
};

/* ---------------------------------------------------------------- the file */

struct proposing {
    struct policy_file file;
    unsigned char source_sha256[WHOLE_FILE_SHA256_SIZE];
    struct buf kinds, scopes, ccys, values; /* as PostgreSQL's arrays */
    char effective_at[TIMEFMT_SIZE];
    char content[HEX_SIZE(WHOLE_FILE_SHA256_SIZE)]; /* a hash of all it says */
};

static bool read_proposal(const char *path, struct policy_file *out)
{
    struct policy_fault fault = {.path = ""};
    size_t len;
    char *text = whole_file_read(path, POLICY_FILE_BYTES_MAX, &len);
    bool good = text != NULL && policy_file_parse(slice_of(text, len), out, &fault);

    if (text != NULL && !good)
        complain("%s: %s%s%s", path, fault.path, fault.path[0] == '\0' ? "" : ": ", fault.text);
    free(text);
    return good;
}

/* The copy of the source, which is looked for beside the proposal. */
static bool hash_source(const char *proposal, struct proposing *p)
{
    const char *name = p->file.source_file;
    const char *slash = strrchr(proposal, '/');
    char path[4096];
    size_t len;
    char *text;
    bool good;

    if (name[0] == '\0')
        return true;
    if (name[0] == '/' || slash == NULL)
        (void)snprintf(path, sizeof path, "%s", name);
    else
        (void)snprintf(path, sizeof path, "%.*s/%s", (int)(slash - proposal), proposal, name);
    text = whole_file_read(path, SOURCE_BYTES_MAX, &len);
    good = text != NULL && whole_file_sha256(text, len, p->source_sha256);
    free(text);
    return good;
}

/* Scopes have no letter that would be special within quotes: policy_rule_check saw to it. */
static bool make_arrays(struct proposing *p)
{
    bool good = true;

    for (size_t i = 0; good && i < p->file.n_changes; i++) {
        const struct policy_change *c = &p->file.changes[i];
        char sign = i == 0 ? '{' : ',';

        good = !err_failed(buf_printf(&p->kinds, "%c%d", sign, c->rule.kind)) &&
               !err_failed(buf_printf(&p->scopes, "%c\"%s\"", sign, c->rule.scope)) &&
               !err_failed(buf_printf(&p->ccys, "%c%d", sign, c->rule.ccy)) &&
               !err_failed(c->remove
                               ? buf_printf(&p->values, "%cNULL", sign)
                               : buf_printf(&p->values, "%c%lld", sign, (long long)c->rule.value));
    }
    return good && !err_failed(buf_append(&p->kinds, "}", 2)) &&
           !err_failed(buf_append(&p->scopes, "}", 2)) &&
           !err_failed(buf_append(&p->ccys, "}", 2)) && !err_failed(buf_append(&p->values, "}", 2));
}

static const char *text_of(const struct buf *buf)
{
    return (const char *)buf_data(buf);
}

static bool hash_content(struct proposing *p)
{
    struct buf all;
    unsigned char hash[WHOLE_FILE_SHA256_SIZE];
    bool good;

    buf_init(&all, 1U << 20);
    good = !err_failed(buf_printf(&all, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n", p->effective_at,
                                  p->file.reason, p->file.source, text_of(&p->kinds),
                                  text_of(&p->scopes), text_of(&p->ccys), text_of(&p->values))) &&
           !err_failed(buf_append(&all, p->source_sha256, sizeof p->source_sha256)) &&
           whole_file_sha256(buf_data(&all), buf_len(&all), hash);
    buf_deinit(&all);
    hex_encode(hash, sizeof hash, p->content);
    return good;
}

/* ---------------------------------------------------------------- propose */

static const char sql_propose[] =
    "SELECT p.proposal_id, p.duplicate FROM propose_policy("
    " coalesce($1, encode(sha256(convert_to($2 || ' ' || coalesce(policy_at(clock_timestamp()), 0), 'UTF8')), 'hex')),"
    " $3, $4, $5, $6::bytea, $7::smallint[], $8::text[], $9::smallint[], $10::bigint[], $11) p";

static PGresult *ask(struct db *db, const struct args *args, const struct proposing *p,
                     const char *shown)
{
    char source[2 + HEX_SIZE(WHOLE_FILE_SHA256_SIZE)] = "\\x";

    hex_encode(p->source_sha256, sizeof p->source_sha256, source + 2);
    return db_query(db, sql_propose, 11,
                    (const char *const[]){args_get(args, "request-id"), p->content,
                                          p->file.on_approval ? NULL : p->effective_at,
                                          p->file.reason, p->file.source,
                                          p->file.source_file[0] == '\0' ? NULL : source,
                                          text_of(&p->kinds), text_of(&p->scopes),
                                          text_of(&p->ccys), text_of(&p->values), shown});
}

static const char sql_told[] =
    "SELECT coalesce(policy_time_text(p.effective_at), 'when it is approved'), p.reason,"
    "       CASE WHEN d.approved THEN 'approved' WHEN NOT d.approved THEN 'refused' END"
    "  FROM policy_proposal p LEFT JOIN policy_decision d USING (proposal_id) WHERE proposal_id = $1";

static bool tell(struct db *db, const char *proposal, bool duplicate)
{
    PGresult *r = db_query(db, sql_told, 1, (const char *const[]){proposal});
    bool good;

    if (r == NULL)
        return false;
    printf("%s %s, in force from %s: %s\n",
           duplicate ? "Was proposed already: proposal" : "Proposal", proposal, PQgetvalue(r, 0, 0),
           PQgetvalue(r, 0, 1));
    good = policy_print_changes(db, proposal, false);
    if (PQgetisnull(r, 0, 2))
        printf("Nothing changes before a second person approves: ujrat policy approve %s\n",
               proposal);
    else
        printf("It was %s.\n", PQgetvalue(r, 0, 2));
    PQclear(r);
    return good;
}

static enum exit_code propose(const struct args *args, const struct proposing *p)
{
    char shown[OPERATOR_CODE_SIZE];
    struct db db;
    PGresult *r;
    enum exit_code code;

    if (!operator_code_read(args, shown))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = ask(&db, args, p, shown);
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        (void)tell(&db, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1)[0] == 't');
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code policy_propose_run(const struct args *args)
{
    const char *path = args->operands[0];
    struct proposing *p = calloc(1, sizeof *p);
    enum exit_code code = EXIT_REFUSED;

    if (p == NULL)
        return EXIT_REFUSED;
    buf_init(&p->kinds, 1U << 16);
    buf_init(&p->scopes, 1U << 16);
    buf_init(&p->ccys, 1U << 16);
    buf_init(&p->values, 1U << 16);
    if (read_proposal(path, &p->file) && hash_source(path, p)) {
        if (!p->file.on_approval)
            (void)timefmt_rfc3339(p->file.effective_at_us, p->effective_at);
        if (make_arrays(p) && hash_content(p))
            code = propose(args, p);
    }
    buf_deinit(&p->kinds);
    buf_deinit(&p->scopes);
    buf_deinit(&p->ccys);
    buf_deinit(&p->values);
    free(p);
    return code;
}

/* ---------------------------------------------------------------- approve, refuse */

static const char sql_decide[] =
    "SELECT d.policy_id, d.duplicate FROM decide_policy($1, $2, $3, $4) d";

static void tell_decision(struct db *db, const char *proposal, const PGresult *r)
{
    const char *as_before = PQgetvalue(r, 0, 1)[0] == 't' ? " (as before)" : "";
    PGresult *v;

    if (PQgetisnull(r, 0, 0)) {
        printf("Proposal %s is refused%s\n", proposal, as_before);
        return;
    }
    v = db_query(db, "SELECT policy_time_text(effective_at) FROM policy WHERE policy_id = $1", 1,
                 (const char *const[]){PQgetvalue(r, 0, 0)});
    if (v != NULL)
        printf("Proposal %s is approved: policy %s, in force from %s%s\n", proposal,
               PQgetvalue(r, 0, 0), PQgetvalue(v, 0, 0), as_before);
    PQclear(v);
}

static enum exit_code decide(const struct args *args, const char *approve)
{
    const char *proposal = args->operands[0];
    char shown[OPERATOR_CODE_SIZE];
    struct db db;
    PGresult *r;
    enum exit_code code;

    if (!policy_is_proposal(proposal) || !operator_code_read(args, shown))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_OPERATOR, &db);
    if (code != EXIT_DONE)
        return code;
    r = db_query(&db, sql_decide, 4,
                 (const char *const[]){proposal, approve, args_get(args, "note"), shown});
    if (r == NULL)
        code = db_failure(&db);
    else if (!args_quiet(args))
        tell_decision(&db, proposal, r);
    PQclear(r);
    db_close(&db);
    return code;
}

enum exit_code policy_approve_run(const struct args *args)
{
    return decide(args, "true");
}

enum exit_code policy_refuse_run(const struct args *args)
{
    return decide(args, "false");
}
