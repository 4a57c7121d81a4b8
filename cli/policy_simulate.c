/* ujrat policy simulate: payouts that were made, priced as a proposal would have it. Reads only. */
#include "cli/commands.h"
#include "cli/policy_rules.h"
#include "cli/policy_simulation.h"
#include "cli/report.h"
#include "domain/ccy.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_ROWS "5000"
#define BAR_WIDTH 40

const char policy_simulate_help[] =
    "Prices the payouts that were accepted since (--since) once more, at the mid rates they had, by the\n"
    "terms that will be in force with the proposal, and shows who would get more or less than they did,\n"
    "by platform and currency, and what we would earn. Only those of the platforms and currencies whose\n"
    "terms the proposal changes. Refused are those that the new terms would not let pass. Nothing is\n"
    "written.";

const struct option_row policy_simulate_options[] = {
    {"since", "TIME", "30d, 12h, or a moment such as 2026-11-01T00:00:00+05:00 (30d)", false},
    {NULL, NULL, NULL, false},
};

struct simulating {
    struct db db;
    const struct args *args;
    const char *proposal;
    char since[64]; /* a time; as long as since_is_ago how long before now */
    bool since_is_ago;
    struct simulation simulation;
    struct simulated_group *groups;
    int *books;
    size_t n_groups;
    uint64_t n; /* payouts, so far */
};

/* ---------------------------------------------------------------- what is asked */

static bool take_since(struct simulating *s)
{
    const char *text = args_get(s->args, "since");
    struct slice number = slice_str(text == NULL ? "30d" : text);
    int64_t n;
    char unit = number.len == 0 ? '\0' : number.p[number.len - 1];

    if (unit == 'd' || unit == 'h') {
        number.len--;
        if (!err_failed(str_parse_int64(number, &n)) && n > 0 && n <= 100000) {
            (void)snprintf(s->since, sizeof s->since, "%lld %s", (long long)n,
                           unit == 'd' ? "days" : "hours");
            s->since_is_ago = true;
            return true;
        }
    }
    (void)snprintf(s->since, sizeof s->since, "%s", text == NULL ? "" : text);
    return policy_is_time("since", s->since);
}

static const char sql_groups[] =
    "SELECT DISTINCT b.book_id, c.scope, c.ccy FROM policy_change c JOIN book b ON b.code = c.scope"
    " WHERE c.proposal_id = $1 AND c.kind BETWEEN 1 AND 6 ORDER BY 2, 3";

/* Rules with the proposal in force. */
static const char sql_rules[] =
    "WITH ours AS (SELECT * FROM policy_change WHERE proposal_id = $1 AND kind BETWEEN 1 AND 6)"
    "SELECT kind, scope, ccy, value FROM ours WHERE value IS NOT NULL UNION ALL "
    "SELECT r.kind, r.scope, r.ccy, r.value FROM policy_proposal p LEFT JOIN policy v USING (proposal_id)"
    " CROSS JOIN LATERAL rules_in_force(coalesce(v.effective_at, p.effective_at, clock_timestamp())) r"
    " WHERE p.proposal_id = $1 AND r.kind BETWEEN 1 AND 6"
    "   AND (r.scope, r.ccy) IN (SELECT o.scope, o.ccy FROM ours o)"
    "   AND (r.kind, r.scope, r.ccy) NOT IN (SELECT o.kind, o.scope, o.ccy FROM ours o)";

static int by_rule(const void *a, const void *b)
{
    return policy_rule_compare(a, b);
}

/* The rules of the groups, sorted, to be freed. */
static struct policy_rule *read_rules(struct simulating *s, size_t *n)
{
    PGresult *r = db_query(&s->db, sql_rules, 1, (const char *const[]){s->proposal});
    struct policy_rule *rules = NULL;

    *n = 0;
    if (r != NULL)
        rules = calloc((size_t)PQntuples(r) + 1, sizeof *rules);
    if (rules != NULL) {
        *n = (size_t)PQntuples(r);
        for (int i = 0; i < PQntuples(r); i++) {
            rules[i] = (struct policy_rule){.kind = (uint16_t)db_int(r, i, 0),
                                            .ccy = (uint16_t)db_int(r, i, 2),
                                            .value = db_int(r, i, 3)};
            (void)snprintf(rules[i].scope, sizeof rules[i].scope, "%s", PQgetvalue(r, i, 1));
        }
        qsort(rules, *n, sizeof *rules, by_rule);
    }
    PQclear(r);
    return rules;
}

static bool read_groups(struct simulating *s)
{
    PGresult *r = db_query(&s->db, sql_groups, 1, (const char *const[]){s->proposal});
    struct policy_rules rules = {0};
    struct policy_rule *read = r == NULL ? NULL : read_rules(s, &rules.n);

    rules.rules = read;
    if (read != NULL) {
        s->groups = calloc((size_t)PQntuples(r) + 1, sizeof *s->groups);
        s->books = calloc((size_t)PQntuples(r) + 1, sizeof *s->books);
    }
    if (s->groups != NULL && s->books != NULL) {
        s->n_groups = (size_t)PQntuples(r);
        for (int i = 0; i < PQntuples(r); i++) {
            struct simulated_group *g = &s->groups[i];

            s->books[i] = (int)db_int(r, i, 0);
            (void)snprintf(g->platform, sizeof g->platform, "%s", PQgetvalue(r, i, 1));
            g->ccy = (uint16_t)db_int(r, i, 2);
            g->has_terms = policy_terms(&rules, slice_str(g->platform), g->ccy, &g->terms);
        }
    }
    free(read);
    PQclear(r);
    return s->groups != NULL && s->books != NULL;
}

/* ---------------------------------------------------------------- the payouts */

static const char sql_first[] =
    "SELECT coalesce((SELECT last_seq FROM block WHERE book_id = $1 AND block_no = block_upto($1, $2::timestamptz)), 0)";

static const char sql_page[] =
    "SELECT payout_id, dst_ccy, gross, fee, margin, net, mid_rate_e10 FROM payout"
    " WHERE book_id = $1 AND src_ccy = $2 AND payout_id > $3 ORDER BY payout_id LIMIT " PAGE_ROWS;

static void tell_progress(const struct simulating *s, bool last)
{
    if (args_quiet(s->args) || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%llu payouts%s", (unsigned long long)s->n, last ? "\n" : "");
}

static bool take_page(struct simulating *s, size_t at, const PGresult *r)
{
    struct simulated_group *g = &s->groups[at];

    for (int i = 0; i < PQntuples(r); i++) {
        uint16_t dst = (uint16_t)db_int(r, i, 1);
        const struct simulated_payout payout = {.book_id = s->books[at],
                                                .payout_id = db_int(r, i, 0),
                                                .gross = money_of(db_int(r, i, 2), g->ccy),
                                                .fee = money_of(db_int(r, i, 3), g->ccy),
                                                .margin = money_of(db_int(r, i, 4), dst),
                                                .net = money_of(db_int(r, i, 5), dst),
                                                .mid = {db_int(r, i, 6)}};
        reason_t reason = simulation_add(&s->simulation, g, &payout);

        if (reason != REASON_NONE) {
            complain("the sums of %s in %s cannot be computed (%s)", g->platform, ccy_alpha(g->ccy),
                     reason_name(reason));
            return false;
        }
    }
    s->n += (uint64_t)PQntuples(r);
    tell_progress(s, false);
    return true;
}

static bool read_payouts(struct simulating *s, size_t at)
{
    char book[16];
    char ccy[16];
    char last[24];
    PGresult *r;
    bool good = true;
    bool more = true;

    (void)snprintf(book, sizeof book, "%d", s->books[at]);
    (void)snprintf(ccy, sizeof ccy, "%d", s->groups[at].ccy);
    r = db_query(&s->db, sql_first, 2, (const char *const[]){book, s->since});
    if (r == NULL)
        return false;
    (void)snprintf(last, sizeof last, "%s", PQgetvalue(r, 0, 0));
    PQclear(r);
    while (good && more) {
        r = db_query(&s->db, sql_page, 3, (const char *const[]){book, ccy, last});
        more = r != NULL && PQntuples(r) > 0;
        good = r != NULL && take_page(s, at, r);
        if (more)
            (void)snprintf(last, sizeof last, "%s", PQgetvalue(r, PQntuples(r) - 1, 0));
        PQclear(r);
    }
    return good;
}

/* ---------------------------------------------------------------- shown to people */

static void print_groups(const struct simulating *s)
{
    static const struct report_column columns[] = {
        {"platform", REPORT_TEXT},      {"currency", REPORT_TEXT},
        {"payouts", REPORT_AMOUNT},     {"more", REPORT_AMOUNT},
        {"less", REPORT_AMOUNT},        {"same", REPORT_AMOUNT},
        {"refused", REPORT_AMOUNT},     {"net before", REPORT_AMOUNT},
        {"net after", REPORT_AMOUNT},   {"fee before", REPORT_AMOUNT},
        {"fee after", REPORT_AMOUNT},   {"margin before", REPORT_AMOUNT},
        {"margin after", REPORT_AMOUNT}};
    struct report *report;

    report_new(columns, sizeof columns / sizeof *columns, &report);
    for (size_t i = 0; i < s->n_groups; i++) {
        const struct simulated_group *g = &s->groups[i];
        const uint64_t counts[] = {g->n, g->more, g->less, g->same, g->refused};
        const money_t sums[] = {g->net[0], g->net[1],    g->fee[0],
                                g->fee[1], g->margin[0], g->margin[1]};
        char text[11][MONEY_TEXT_SIZE];
        const char *cells[13] = {g->platform, ccy_alpha(g->ccy)};

        for (size_t k = 0; k < 5; k++) {
            (void)str_format_uint64(counts[k], text[k]);
            cells[2 + k] = text[k];
        }
        for (size_t k = 0; k < 6; k++)
            cells[7 + k] =
                sums[k].ccy == 0 ? NULL : money_format(sums[k], MONEY_PLAIN, text[5 + k]);
        report_add(report, cells);
    }
    report_print(report, false);
    report_free(&report);
}

static uint64_t in_step(const struct simulating *s, int step)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s->n_groups; i++)
        n += s->groups[i].steps[step];
    return n;
}

static void print_bars(const struct simulating *s)
{
    uint64_t most = 0;

    for (int i = 0; i < SIMULATION_STEPS; i++)
        most = in_step(s, i) > most ? in_step(s, i) : most;
    if (most == 0)
        return;
    printf("\nWhat people would get:\n");
    for (int i = 0; i < SIMULATION_STEPS; i++) {
        uint64_t n = in_step(s, i);
        /* something is never shown as nothing */
        uint64_t width = n == 0 ? 0 : 1 + (BAR_WIDTH - 1) * n / most;

        if (n == 0)
            continue;
        printf("  %-22s ", simulation_step_text((enum simulation_step)i));
        for (uint64_t k = 0; k < width; k++)
            putchar('#');
        printf(" %llu\n", (unsigned long long)n);
    }
}

static void print_largest(const struct simulating *s)
{
    static const struct report_column columns[] = {{"payout", REPORT_TEXT},
                                                   {"gross", REPORT_TEXT},
                                                   {"net before", REPORT_TEXT},
                                                   {"net after", REPORT_TEXT},
                                                   {"change", REPORT_TEXT}};
    struct report *report;

    if (s->simulation.n_largest == 0)
        return;
    printf("\nThe largest changes:\n");
    report_new(columns, sizeof columns / sizeof *columns, &report);
    for (size_t i = 0; i < s->simulation.n_largest; i++) {
        const struct simulated_change *c = &s->simulation.largest[i];
        char id[48];
        char text[4][MONEY_TEXT_SIZE];

        (void)snprintf(id, sizeof id, "UJ%d-%lld", c->payout.book_id,
                       (long long)c->payout.payout_id);
        report_add(report, (const char *const[]){
                               id, money_format(c->payout.gross, MONEY_CODE_THOUSANDS, text[0]),
                               money_format(c->payout.net, MONEY_CODE_THOUSANDS, text[1]),
                               money_format(c->net_after, MONEY_CODE_THOUSANDS, text[2]),
                               money_format(c->change, MONEY_CODE_THOUSANDS, text[3])});
    }
    report_print(report, false);
    report_free(&report);
}

/* ---------------------------------------------------------------- for programs */

static json_t *amount_json(money_t a)
{
    char text[MONEY_TEXT_SIZE];

    return a.ccy == 0 ? json_null() : json_string(money_format(a, MONEY_PLAIN, text));
}

static json_t *pair_json(const money_t sums[2])
{
    return json_pack("{s:s?, s:o, s:o}", "currency",
                     sums[0].ccy == 0 ? NULL : ccy_alpha(sums[0].ccy), "before",
                     amount_json(sums[0]), "after", amount_json(sums[1]));
}

static json_t *group_json(const struct simulated_group *g)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "platform", g->platform,
                     "currency", ccy_alpha(g->ccy), "payouts", (json_int_t)g->n, "more",
                     (json_int_t)g->more, "less", (json_int_t)g->less, "same", (json_int_t)g->same,
                     "refused", (json_int_t)g->refused, "net", pair_json(g->net), "fee",
                     pair_json(g->fee), "margin", pair_json(g->margin));
}

static json_t *change_json(const struct simulated_change *c)
{
    char id[48];

    (void)snprintf(id, sizeof id, "UJ%d-%lld", c->payout.book_id, (long long)c->payout.payout_id);
    return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "payout", id, "currency",
                     ccy_alpha(c->payout.gross.ccy), "gross", amount_json(c->payout.gross),
                     "net_currency", ccy_alpha(c->net_after.ccy), "net_before",
                     amount_json(c->payout.net), "net_after", amount_json(c->net_after), "change",
                     amount_json(c->change));
}

static void print_json(const struct simulating *s)
{
    json_t *groups = json_array();
    json_t *steps = json_array();
    json_t *largest = json_array();
    json_t *all;

    for (size_t i = 0; i < s->n_groups; i++)
        json_array_append_new(groups, group_json(&s->groups[i]));
    for (int i = 0; i < SIMULATION_STEPS; i++)
        json_array_append_new(steps, json_pack("{s:s, s:I}", "change",
                                               simulation_step_text((enum simulation_step)i),
                                               "payouts", (json_int_t)in_step(s, i)));
    for (size_t i = 0; i < s->simulation.n_largest; i++)
        json_array_append_new(largest, change_json(&s->simulation.largest[i]));
    all = json_pack("{s:I, s:s, s:I, s:o, s:o, s:o}", "proposal",
                    (json_int_t)strtoll(s->proposal, NULL, 10), "since", s->since, "payouts",
                    (json_int_t)s->n, "groups", groups, "steps", steps, "largest", largest);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

/* ---------------------------------------------------------------- the command */

/* One state of the ledger for all pages; and nothing can be written. */
static const char sql_begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/* There is such a proposal; and since when payouts are looked at, as people read it. */
static bool look_up(struct simulating *s)
{
    PGresult *r =
        db_query(&s->db,
                 "SELECT policy_time_text(CASE WHEN $3 = 'ago' THEN now() - $2::text::interval"
                 "                        ELSE $2::text::timestamptz END)"
                 "  FROM policy_proposal WHERE proposal_id = $1",
                 3, (const char *const[]){s->proposal, s->since, s->since_is_ago ? "ago" : "at"});
    bool found = r != NULL && PQntuples(r) == 1;

    if (r != NULL && !found)
        complain("there is no proposal %s: ujrat policy list --all shows them", s->proposal);
    if (found) {
        (void)snprintf(s->since, sizeof s->since, "%s", PQgetvalue(r, 0, 0));
        s->since_is_ago = false;
    }
    PQclear(r);
    return found;
}

static void print_all(const struct simulating *s)
{
    if (args_json(s->args)) {
        print_json(s);
        return;
    }
    if (s->n_groups == 0) {
        printf("Proposal %s changes no terms of a platform: there is nothing to simulate\n",
               s->proposal);
        return;
    }
    printf("Payouts accepted since %s, as they were and by proposal %s:\n", s->since, s->proposal);
    print_groups(s);
    print_bars(s);
    print_largest(s);
}

enum exit_code policy_simulate_run(const struct args *args)
{
    struct simulating s = {.args = args, .proposal = args->operands[0]};
    enum exit_code code;
    bool good;

    if (!policy_is_proposal(s.proposal) || !take_since(&s))
        return EXIT_USAGE;
    code = db_open(args, DB_AS_READER, &s.db);
    if (code != EXIT_DONE)
        return code;
    good = db_do(&s.db, sql_begin) && look_up(&s) && read_groups(&s);
    for (size_t i = 0; good && i < s.n_groups; i++)
        good = read_payouts(&s, i);
    if (good) {
        tell_progress(&s, true);
        print_all(&s);
    }
    free(s.groups);
    free(s.books);
    db_close(&s.db);
    return good ? EXIT_DONE : EXIT_REFUSED;
}
