/* The tables of gateway/wire say what proto/ says: held against the descriptors that protoc-c makes of it. */
#include <string.h>

#include "gateway/wire/audit_messages.h"
#include "gateway/wire/payout_messages.h"
#include "gateway/wire/settlement_messages.h"
#include "tests/unit/unit.h"
#include "ujrat/audit/v1/audit.pb-c.h"
#include "ujrat/payout/v1/payout.pb-c.h"
#include "ujrat/settlement/v1/settlement.pb-c.h"
#include "ujrat/type/v1/money.pb-c.h"

/* Every request and answer of every method; what they hold is reached from them. */
static const struct {
    const struct wire_message *ours;
    const ProtobufCMessageDescriptor *theirs;
} pairs[] = {
#define PAYOUT(ours, theirs)                                                                       \
    {                                                                                              \
        &wire_##ours##_type, &ujrat__payout__v1__##theirs##__descriptor                            \
    }
#define SETTLEMENT(ours, theirs)                                                                   \
    {                                                                                              \
        &wire_##ours##_type, &ujrat__settlement__v1__##theirs##__descriptor                        \
    }
#define AUDIT(ours, theirs)                                                                        \
    {                                                                                              \
        &wire_##ours##_type, &ujrat__audit__v1__##theirs##__descriptor                             \
    }
    PAYOUT(create_quote_request, create_quote_request),
    PAYOUT(quote, quote),
    PAYOUT(submit_payout_request, submit_payout_request),
    PAYOUT(submit_payouts_request, submit_payouts_request),
    PAYOUT(submit_payouts_response, submit_payouts_response),
    PAYOUT(payout, payout),
    PAYOUT(get_payout_request, get_payout_request),
    PAYOUT(get_payout_by_reference_request, get_payout_by_reference_request),
    PAYOUT(list_payouts_request, list_payouts_request),
    PAYOUT(list_payouts_response, list_payouts_response),
    PAYOUT(cancel_payout_request, cancel_payout_request),
    PAYOUT(watch_payouts_request, watch_payouts_request),
    PAYOUT(watch_payouts_response, watch_payouts_response),
    PAYOUT(get_balance_request, get_balance_request),
    PAYOUT(get_balance_response, get_balance_response),
    PAYOUT(beneficiary, beneficiary),
    PAYOUT(register_beneficiary_request, register_beneficiary_request),
    PAYOUT(update_beneficiary_request, update_beneficiary_request),
    PAYOUT(get_beneficiary_request, get_beneficiary_request),
    PAYOUT(list_beneficiaries_request, list_beneficiaries_request),
    PAYOUT(list_beneficiaries_response, list_beneficiaries_response),
    PAYOUT(receiver, receiver),
    PAYOUT(add_receiver_request, add_receiver_request),
    PAYOUT(list_receivers_request, list_receivers_request),
    PAYOUT(list_receivers_response, list_receivers_response),
    PAYOUT(remove_receiver_request, remove_receiver_request),
    PAYOUT(remove_receiver_response, remove_receiver_response),
    SETTLEMENT(watch_instructions_request, watch_instructions_request),
    SETTLEMENT(watch_instructions_response, watch_instructions_response),
    SETTLEMENT(confirm_instructions_request, confirm_instructions_request),
    SETTLEMENT(confirm_instructions_response, confirm_instructions_response),
    SETTLEMENT(return_payment_request, return_payment_request),
    SETTLEMENT(return_payment_response, return_payment_response),
    SETTLEMENT(reverse_return_request, reverse_return_request),
    SETTLEMENT(reverse_return_response, reverse_return_response),
    SETTLEMENT(get_position_request, get_position_request),
    SETTLEMENT(get_position_response, get_position_response),
    SETTLEMENT(list_windows_request, list_windows_request),
    SETTLEMENT(list_windows_response, list_windows_response),
    SETTLEMENT(get_window_request, get_window_request),
    SETTLEMENT(window, window),
    SETTLEMENT(report_window_request, report_window_request),
    SETTLEMENT(watch_inquiries_request, watch_inquiries_request),
    SETTLEMENT(watch_inquiries_response, watch_inquiries_response),
    SETTLEMENT(answer_inquiries_request, answer_inquiries_request),
    SETTLEMENT(answer_inquiries_response, answer_inquiries_response),
    AUDIT(get_trial_balance_request, get_trial_balance_request),
    AUDIT(get_trial_balance_response, get_trial_balance_response),
    AUDIT(list_journals_request, list_journals_request),
    AUDIT(list_journals_response, list_journals_response),
    AUDIT(get_account_statement_request, get_account_statement_request),
    AUDIT(get_account_statement_response, get_account_statement_response),
    AUDIT(get_payout_trail_request, get_payout_trail_request),
    AUDIT(get_payout_trail_response, get_payout_trail_response),
    AUDIT(get_tree_head_request, get_tree_head_request),
    AUDIT(get_tree_head_response, get_tree_head_response),
    AUDIT(get_inclusion_proof_request, get_inclusion_proof_request),
    AUDIT(get_inclusion_proof_response, get_inclusion_proof_response),
    AUDIT(get_consistency_proof_request, get_consistency_proof_request),
    AUDIT(get_consistency_proof_response, get_consistency_proof_response),
    AUDIT(get_receipt_request, get_receipt_request),
    AUDIT(get_receipt_response, get_receipt_response),
};
enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

static void compare(const struct wire_message *ours, const ProtobufCMessageDescriptor *theirs);

static void compare_field(const struct wire_field *ours, const ProtobufCFieldDescriptor *theirs)
{
    assert_string_equal(ours->name, theirs->name);
    assert_int_equal(ours->number, theirs->id);
    assert_int_equal(ours->type == WIRE_REPEATED, theirs->label == PROTOBUF_C_LABEL_REPEATED);
    switch (ours->type) {
    case WIRE_SLICE:
        assert_true(theirs->type == PROTOBUF_C_TYPE_STRING ||
                    theirs->type == PROTOBUF_C_TYPE_BYTES);
        break;
    case WIRE_INT32:
        assert_true(theirs->type == PROTOBUF_C_TYPE_INT32 || theirs->type == PROTOBUF_C_TYPE_ENUM);
        break;
    case WIRE_INT64:
        assert_int_equal(theirs->type, PROTOBUF_C_TYPE_INT64);
        break;
    case WIRE_TIME:
        assert_int_equal(theirs->type, PROTOBUF_C_TYPE_MESSAGE);
        assert_string_equal(((const ProtobufCMessageDescriptor *)theirs->descriptor)->name,
                            "google.protobuf.Timestamp");
        break;
    case WIRE_MESSAGE:
    case WIRE_REPEATED:
        assert_int_equal(theirs->type, PROTOBUF_C_TYPE_MESSAGE);
        compare(ours->message, theirs->descriptor);
        break;
    }
}

static void compare(const struct wire_message *ours, const ProtobufCMessageDescriptor *theirs)
{
    assert_string_equal(ours->name, theirs->name);
    assert_int_equal(ours->n_fields, theirs->n_fields);
    /* protobuf-c sorts by number, too. */
    for (unsigned i = 0; i < ours->n_fields; i++)
        compare_field(&ours->fields[i], &theirs->fields[i]);
}

static void every_table_says_what_the_proto_files_say(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PAIRS; i++)
        compare(pairs[i].ours, pairs[i].theirs);
}

/* A struct's members are where the table says, do not overlap and do not reach beyond it. */
static void every_offset_is_inside_its_struct(void **state)
{
    static const size_t sizes[] = {[WIRE_SLICE] = sizeof(struct slice),
                                   [WIRE_INT32] = sizeof(int32_t),
                                   [WIRE_INT64] = sizeof(int64_t),
                                   [WIRE_TIME] = sizeof(struct wire_time),
                                   [WIRE_REPEATED] = sizeof(WIRE_LIST(char))};
    (void)state;
    for (unsigned i = 0; i < PAIRS; i++) {
        const struct wire_message *m = pairs[i].ours;
        size_t end = sizeof(bool);
        for (unsigned f = 0; f < m->n_fields; f++) {
            const struct wire_field *field = &m->fields[f];
            size_t size = field->type == WIRE_MESSAGE ? field->message->size : sizes[field->type];
            assert_true(field->offset >= end);
            end = field->offset + size;
            assert_true(end <= m->size);
        }
    }
}

/* What services offer and what the pairs above hold is the same: a method added to proto/ must come here. */
static void every_method_of_every_service_is_among_them(void **state)
{
    static const ProtobufCServiceDescriptor *const services[] = {
        &ujrat__payout__v1__payout_service__descriptor,
        &ujrat__payout__v1__beneficiary_service__descriptor,
        &ujrat__settlement__v1__settlement_service__descriptor,
        &ujrat__audit__v1__audit_service__descriptor,
    };
    (void)state;
    for (unsigned s = 0; s < sizeof(services) / sizeof(services[0]); s++)
        for (unsigned m = 0; m < services[s]->n_methods; m++) {
            bool in = false, out = false;
            for (unsigned i = 0; i < PAIRS; i++) {
                in = in || pairs[i].theirs == services[s]->methods[m].input;
                out = out || pairs[i].theirs == services[s]->methods[m].output;
            }
            if (!in || !out)
                fail_msg("%s.%s has a message without a table", services[s]->name,
                         services[s]->methods[m].name);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_says_what_the_proto_files_say),
        cmocka_unit_test(every_offset_is_inside_its_struct),
        cmocka_unit_test(every_method_of_every_service_is_among_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
