/* ujrat bank books: what a sandbox bank has paid, rejected, got back, by its own books; for whoever compares them with ours. */
#include "base/timefmt.h"
#include "cli/bank_state.h"
#include "cli/bank_statement.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char bank_books_help[] =
    "Reads the state of `ujrat bank run`, also while it runs. Without --json: the totals, and what stands\n"
    "in the books line by line. Amounts of returns are of the payment; what the bank kept is its charge.";

const struct option_row bank_books_options[] = {
    {"state", "FILE", "the books (required)", false},
    {"camt053", "FILE", "write a statement of our account with the bank instead (camt.053.001.08)",
     false},
    {"account", "NUMBER", "with --camt053: its IBAN or number", false},
    {"bic", "BIC", "with --camt053: the bank's", false},
    {"window", "N", "of one settlement window alone", false},
    {NULL, NULL, NULL, false},
};

static const char *const kind_names[] = {"PAID", "REJECTED", "RETURNED", "REVERSED"};

static void amount_text(int64_t minor, const char *ccy, char out[MONEY_TEXT_SIZE])
{
    struct wire_money money = {true, slice_str(ccy), minor};

    wire_money_text(&money, out);
}

static json_t *amount_json(int64_t minor, const char *ccy)
{
    char text[MONEY_TEXT_SIZE];

    amount_text(minor, ccy, text);
    return json_string(text);
}

/* ---------------------------------------------------------------- JSON */

static json_t *entry_json(const struct bank_state *state, const struct bank_entry *e)
{
    char reference[BANK_REF_SIZE], at[TIMEFMT_SIZE];

    bank_state_reference(state, e->item, e->kind, e->nth, reference);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:b}", "kind", kind_names[e->kind],
                     "instruction", e->item->id, "amount", amount_json(e->minor, e->item->ccy),
                     "charge", amount_json(e->charge_minor, e->item->ccy), "code", e->code,
                     "reference", reference, "time", timefmt_rfc3339(e->at_us, at), "refused",
                     e->refused);
}

static json_t *item_json(const struct bank_state *state, const struct bank_item *item)
{
    const char *answer = "";
    char text[PLAN_TEXT_SIZE];
    int step = bank_item_step(item);

    if (item->answer != 0)
        answer = kind_names[bank_state_entry(state, item->answer - 1)->kind];
    if (!plan_write(item->plan, text))
        text[0] = '\0';
    return json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:I, s:s, s:i, s:b}", "instruction", item->id,
                     "number", (json_int_t)item->number, "answer", answer, "amount",
                     amount_json(item->minor, item->ccy), "returned",
                     amount_json(item->returned_minor, item->ccy), "tax",
                     amount_json(item->tax_minor, item->ccy), "window", (json_int_t)item->window_no,
                     "plan", text, "next_step", step, "finished", item->at >= item->plan->n);
}

static const char *ccy_of(const struct bank_state *state)
{
    return bank_state_count(state) == 0 ? "PKR" : bank_state_item(state, 0)->ccy;
}

static json_t *totals_json(const struct bank_state *state, const struct bank_totals *t)
{
    const char *ccy = ccy_of(state);

    return json_pack(
        "{s:s, s:I, s:o, s:I, s:o, s:I, s:o, s:I, s:o, s:I, s:o, s:o, s:o, s:I, s:o, s:I}",
        "currency", ccy, "instructions", (json_int_t)t->instructed, "instructed",
        amount_json(t->instructed_minor, ccy), "payments", (json_int_t)t->paid, "paid",
        amount_json(t->paid_minor, ccy), "rejections", (json_int_t)t->rejected, "rejected",
        amount_json(t->rejected_minor, ccy), "returns", (json_int_t)t->returns, "returned",
        amount_json(t->returned_minor, ccy), "reversals", (json_int_t)t->reversals, "reversed",
        amount_json(t->reversed_minor, ccy), "charges", amount_json(t->charge_minor, ccy),
        "tax_withheld", amount_json(t->tax_minor, ccy), "open_instructions", (json_int_t)t->open,
        "open", amount_json(t->open_minor, ccy), "surprises", (json_int_t)t->surprises);
}

static void print_books_json(const struct bank_state *state, int64_t window_no)
{
    json_t *items = json_array(), *entries = json_array(), *all;
    struct bank_totals totals;

    bank_state_totals(state, window_no, &totals);
    for (size_t i = 0; i < bank_state_count(state); i++)
        if (window_no == 0 || bank_state_item(state, i)->window_no == window_no)
            json_array_append_new(items, item_json(state, bank_state_item(state, i)));
    for (size_t i = 0; i < bank_state_entry_count(state); i++)
        if (window_no == 0 || bank_state_entry(state, i)->item->window_no == window_no)
            json_array_append_new(entries, entry_json(state, bank_state_entry(state, i)));
    all = json_pack("{s:s, s:o, s:o, s:o}", "bank", bank_state_bank(state), "totals",
                    totals_json(state, &totals), "instructions", items, "entries", entries);
    if (all == NULL)
        abort();
    print_json(all);
    json_decref(all);
}

/* ---------------------------------------------------------------- tables */

static void print_total(struct report *report, const char *what, int64_t count, int64_t minor,
                        const char *ccy)
{
    char n[STR_INT64_SIZE], amount[MONEY_TEXT_SIZE];

    str_format_int64(count, n);
    amount_text(minor, ccy, amount);
    report_add(report, (const char *const[]){what, n, amount});
}

static void print_totals(const struct bank_state *state, int64_t window_no)
{
    static const struct report_column columns[] = {
        {"books", REPORT_TEXT}, {"number", REPORT_INT}, {"amount", REPORT_AMOUNT}};
    const char *ccy = ccy_of(state);
    struct report *report = NULL;
    struct bank_totals t;

    bank_state_totals(state, window_no, &t);
    report_new(columns, 3, &report);
    print_total(report, "told to pay", t.instructed, t.instructed_minor, ccy);
    print_total(report, "paid", t.paid, t.paid_minor, ccy);
    print_total(report, "rejected", t.rejected, t.rejected_minor, ccy);
    print_total(report, "without an answer", t.open, t.open_minor, ccy);
    print_total(report, "returned", t.returns, t.returned_minor, ccy);
    print_total(report, "returns taken back", t.reversals, t.reversed_minor, ccy);
    report_add_rule(report);
    print_total(report, "charges kept", t.returns - t.reversals, t.charge_minor, ccy);
    print_total(report, "tax withheld", t.paid, t.tax_minor, ccy);
    report_print(report, false);
    report_free(&report);
    if (t.surprises > 0)
        printf("%lld answers of the gateway were not what they should have been.\n",
               (long long)t.surprises);
}

static void print_entries(const struct bank_state *state, int64_t window_no)
{
    static const struct report_column columns[] = {
        {"time", REPORT_TEXT},     {"what", REPORT_TEXT},      {"instruction", REPORT_TEXT},
        {"code", REPORT_TEXT},     {"reference", REPORT_TEXT}, {"amount", REPORT_AMOUNT},
        {"charge", REPORT_AMOUNT}, {"", REPORT_TEXT}};
    struct report *report = NULL;

    report_new(columns, 8, &report);
    for (size_t i = 0; i < bank_state_entry_count(state); i++) {
        const struct bank_entry *e = bank_state_entry(state, i);
        char reference[BANK_REF_SIZE], at[TIMEFMT_SIZE];
        char amount[MONEY_TEXT_SIZE], charge[MONEY_TEXT_SIZE];

        if (window_no != 0 && e->item->window_no != window_no)
            continue;
        bank_state_reference(state, e->item, e->kind, e->nth, reference);
        amount_text(e->minor, e->item->ccy, amount);
        amount_text(e->charge_minor, e->item->ccy, charge);
        report_add(report, (const char *const[]){timefmt_rfc3339(e->at_us, at), kind_names[e->kind],
                                                 e->item->id, e->code, reference, amount,
                                                 e->charge_minor > 0 ? charge : NULL,
                                                 e->refused ? "refused by the gateway" : ""});
    }
    report_print(report, false);
    report_free(&report);
}

/* ---------------------------------------------------------------- the command */

enum exit_code bank_books_run(const struct args *args)
{
    struct bank_state *state = NULL;
    long long window_no = 0;
    enum exit_code code = EXIT_DONE;

    if (args_get(args, "state") == NULL) {
        complain("whose books? Say --state FILE");
        return EXIT_USAGE;
    }
    if (!args_int(args, "window", 1, INT64_MAX, &window_no))
        return EXIT_USAGE;
    if (args_has(args, "camt053") && !args_has(args, "account")) {
        complain("--camt053: of which account? Say --account NUMBER");
        return EXIT_USAGE;
    }
    if (!bank_state_look(args_get(args, "state"), &state))
        return EXIT_REFUSED;
    if (args_has(args, "camt053")) {
        if (!bank_statement_write(state, args_get(args, "account"), args_get(args, "bic"),
                                  args_get(args, "camt053")))
            code = EXIT_REFUSED;
    } else if (args_json(args)) {
        print_books_json(state, window_no);
    } else {
        print_totals(state, window_no);
        putchar('\n');
        print_entries(state, window_no);
    }
    bank_state_close(&state);
    return code;
}
