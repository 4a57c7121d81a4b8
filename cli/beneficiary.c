/* ujrat beneficiary: freelancers who can be paid. */
#include "base/log.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/payout_file.h"
#include "cli/report.h"

#include <string.h>

#define BENEFICIARIES "/ujrat.payout.v1.BeneficiaryService/"

const char beneficiary_add_help[] =
    "REQUEST-ID is the platform's own name for the request: the same one with the same details answers\n"
    "with the beneficiary that was made the first time.";

const struct option_row beneficiary_add_options[] = {
    {"name", "NAME", "title of the account (required)", false},
    {"iban", "IBAN", "this, or --mobile and --bank", false},
    {"mobile", "NUMBER", "Raast alias: 03001234567", false},
    {"bank", "CODE", "four letters: the bank that holds the alias", false},
    {"cnic", "NUMBER", "13 digits, with or without dashes (required)", false},
    {"pseb", "TEXT", "registration with the Pakistan Software Export Board", false},
    {"channel", "WHICH", "export or remittance (required)", false},
    {"purpose", "CODE", "four digits (default: the channel's usual one)", false},
    {NULL, NULL, NULL, false},
};

static const struct report_column columns[] = {{"name", REPORT_TEXT},
                                               {"title of account", REPORT_TEXT},
                                               {"IBAN or alias", REPORT_TEXT},
                                               {"CNIC", REPORT_TEXT},
                                               {"version", REPORT_INT}};

/* Numbers of accounts and people are masked: what is on a screen is seen by more than one. */
static void add_beneficiary(struct report *report, const struct wire_beneficiary *b)
{
    char name[96];
    char title[160];
    char account[48];
    char cnic[24];
    char version[12];
    struct slice alias = b->details.mobile_alias;

    snprintf(version, sizeof version, "%d", b->version);
    report_add(report, (const char *const[]){
                           slice_text(b->name, name, sizeof name),
                           slice_text(b->details.display_name, title, sizeof title),
                           alias.len > 0 ? mask_tail(alias, account, sizeof account)
                                         : mask_iban(b->details.iban, account, sizeof account),
                           mask_tail(b->details.cnic, cnic, sizeof cnic), version});
}

static void print_beneficiary(const struct args *args, const struct wire_beneficiary *b)
{
    struct report *report = NULL;

    if (args_json(args)) {
        print_wire_json(&wire_beneficiary_type, b);
        return;
    }
    report_new(columns, 5, &report);
    add_beneficiary(report, b);
    report_print(report, false);
    report_free(&report);
}

enum exit_code beneficiary_add_run(const struct args *args)
{
    const char *channel = args_get(args, "channel");
    struct caller caller;
    struct wire_beneficiary beneficiary;
    struct wire_register_beneficiary_request request = {
        .present = true,
        .request_id = slice_str(args->operands[0]),
        .details = {.present = true,
                    .display_name = slice_str(args_get(args, "name")),
                    .iban = slice_str(args_get(args, "iban")),
                    .mobile_alias = slice_str(args_get(args, "mobile")),
                    .bank_code = slice_str(args_get(args, "bank")),
                    .cnic = slice_str(args_get(args, "cnic")),
                    .pseb_registration = slice_str(args_get(args, "pseb")),
                    .purpose_code = slice_str(args_get(args, "purpose")),
                    .channel = channel == NULL ? 0 : channel_parse(channel)}};
    enum exit_code code;

    if (request.details.channel == 0) {
        complain("--channel is export or remittance");
        return EXIT_USAGE;
    }
    code = caller_open(args, &caller);
    if (code == EXIT_DONE)
        code = caller_change(&caller, BENEFICIARIES "RegisterBeneficiary",
                             &wire_register_beneficiary_request_type, &request,
                             &wire_beneficiary_type, &beneficiary);
    if (code == EXIT_DONE)
        print_beneficiary(args, &beneficiary);
    caller_close(&caller);
    return code;
}

enum exit_code beneficiary_list_run(const struct args *args)
{
    struct caller caller;
    struct wire_list_beneficiaries_request request = {.present = true, .page_size = 1000};
    struct wire_list_beneficiaries_response response;
    struct report *report = NULL;
    json_t *list = json_array();
    char token[512] = "";
    enum exit_code code = caller_open(args, &caller);

    if (code != EXIT_DONE)
        goto out;
    report_new(columns, 5, &report);
    do {
        request.page_token = slice_str(token);
        code = caller_ask(&caller, BENEFICIARIES "ListBeneficiaries",
                          &wire_list_beneficiaries_request_type, &request,
                          &wire_list_beneficiaries_response_type, &response);
        if (code != EXIT_DONE)
            goto out;
        for (uint32_t i = 0; i < response.beneficiaries.n; i++) {
            if (args_json(args))
                json_array_append_new(
                    list, wire_json(&wire_beneficiary_type, &response.beneficiaries.items[i]));
            else
                add_beneficiary(report, &response.beneficiaries.items[i]);
        }
        slice_text(response.next_page_token, token, sizeof token);
    } while (token[0] != '\0' && report_rows(report) < 90000);
    if (args_json(args))
        print_json(list);
    else
        report_print(report, false);
out:
    json_decref(list);
    report_free(&report);
    caller_close(&caller);
    return code;
}
