/* ujrat beneficiary receiver: by what e-mail address or phone number a freelancer is paid. */
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/report.h"

#include <string.h>

#define BENEFICIARIES "/ujrat.payout.v1.BeneficiaryService/"

const char receiver_help[] =
    "BENEFICIARY is a name such as platforms/upwork/beneficiaries/5, RECEIVER an e-mail address or a phone\n"
    "number: what a platform writes as receiver when it pays by the REST API. One that another\n"
    "beneficiary of the platform had goes over to this one. Saying it again changes nothing.";

static struct wire_receiver_request request_of(const struct args *args)
{
    const struct slice receiver = slice_str(args->operands[1]);
    const bool is_email = memchr(receiver.p, '@', receiver.len) != NULL;

    return (struct wire_receiver_request){
        .present = true,
        .beneficiary = slice_str(args->operands[0]),
        .email = is_email ? receiver : (struct slice){0},
        .phone = is_email ? (struct slice){0} : receiver,
    };
}

static void add_row(struct report *report, const struct wire_receiver *r)
{
    char beneficiary[96];
    char receiver[160];

    report_add(report,
               (const char *const[]){
                   slice_text(r->beneficiary, beneficiary, sizeof beneficiary),
                   r->email.len > 0 ? "e-mail" : "phone",
                   slice_text(r->email.len > 0 ? r->email : r->phone, receiver, sizeof receiver)});
}

static void print_receivers(const struct args *args, const struct wire_receiver *items, uint32_t n)
{
    static const struct report_column columns[] = {
        {"beneficiary", REPORT_TEXT}, {"by", REPORT_TEXT}, {"receiver", REPORT_TEXT}};
    struct report *report = NULL;

    report_new(columns, 3, &report);
    for (uint32_t i = 0; i < n; i++)
        add_row(report, &items[i]);
    report_print(report, args_json(args));
    report_free(&report);
}

enum exit_code receiver_add_run(const struct args *args)
{
    const struct wire_receiver_request request = request_of(args);
    struct wire_receiver answer;
    struct caller caller;
    enum exit_code code = caller_open(args, &caller);

    if (code == EXIT_DONE)
        code = caller_change(&caller, BENEFICIARIES "AddReceiver", &wire_add_receiver_request_type,
                             &request, &wire_receiver_type, &answer);
    if (code == EXIT_DONE && args_json(args))
        print_wire_json(&wire_receiver_type, &answer);
    else if (code == EXIT_DONE)
        print_receivers(args, &answer, 1);
    caller_close(&caller);
    return code;
}

enum exit_code receiver_remove_run(const struct args *args)
{
    const struct wire_receiver_request request = request_of(args);
    struct wire_remove_receiver_response answer;
    struct caller caller;
    enum exit_code code = caller_open(args, &caller);

    if (code == EXIT_DONE)
        code = caller_change(&caller, BENEFICIARIES "RemoveReceiver",
                             &wire_remove_receiver_request_type, &request,
                             &wire_remove_receiver_response_type, &answer);
    if (code == EXIT_DONE && !args_json(args))
        printf("%s is not paid by %s\n", args->operands[0], args->operands[1]);
    caller_close(&caller);
    return code;
}

enum exit_code receiver_list_run(const struct args *args)
{
    const struct wire_list_receivers_request request = {
        .present = true, .beneficiary = slice_str(args->operands[0])};
    struct wire_list_receivers_response answer;
    struct caller caller;
    enum exit_code code = caller_open(args, &caller);

    if (code == EXIT_DONE)
        code = caller_ask(&caller, BENEFICIARIES "ListReceivers", &wire_list_receivers_request_type,
                          &request, &wire_list_receivers_response_type, &answer);
    if (code == EXIT_DONE && args_json(args))
        print_wire_json(&wire_list_receivers_response_type, &answer);
    else if (code == EXIT_DONE)
        print_receivers(args, answer.receivers.items, answer.receivers.n);
    caller_close(&caller);
    return code;
}
