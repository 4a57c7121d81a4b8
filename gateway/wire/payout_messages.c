#include "gateway/wire/payout_messages.h"

#include "domain/ccy.h"
#include "domain/rounding.h"

/* clang-format off: a table a message, a row a field */
static const struct wire_field money_fields[] = {
    WIRE_F_SLICE(1, struct wire_money, currency_code),
    WIRE_F_INT64(2, struct wire_money, minor_units),
};
const struct wire_message wire_money_type =
    WIRE_TABLE("ujrat.type.v1.Money", struct wire_money, money_fields);

static const struct wire_field pricing_fields[] = {
    WIRE_F_MESSAGE(1, struct wire_pricing, gross, wire_money_type),
    WIRE_F_MESSAGE(2, struct wire_pricing, fee, wire_money_type),
    WIRE_F_SLICE(3, struct wire_pricing, mid_rate),
    WIRE_F_SLICE(4, struct wire_pricing, rate_source),
    WIRE_F_TIME(5, struct wire_pricing, rate_time),
    WIRE_F_INT32(6, struct wire_pricing, margin_basis_points),
    WIRE_F_MESSAGE(7, struct wire_pricing, margin, wire_money_type),
    WIRE_F_SLICE(8, struct wire_pricing, our_rate),
    WIRE_F_MESSAGE(9, struct wire_pricing, net, wire_money_type),
    WIRE_F_INT64(10, struct wire_pricing, policy_version),
};
const struct wire_message wire_pricing_type =
    WIRE_TABLE("ujrat.payout.v1.Pricing", struct wire_pricing, pricing_fields);

static const struct wire_field quote_fields[] = {
    WIRE_F_SLICE(1, struct wire_quote, name),
    WIRE_F_MESSAGE(2, struct wire_quote, pricing, wire_pricing_type),
    WIRE_F_TIME(3, struct wire_quote, create_time),
    WIRE_F_TIME(4, struct wire_quote, expire_time),
};
const struct wire_message wire_quote_type =
    WIRE_TABLE("ujrat.payout.v1.Quote", struct wire_quote, quote_fields);

static const struct wire_field create_quote_request_fields[] = {
    WIRE_F_MESSAGE(1, struct wire_create_quote_request, gross, wire_money_type),
    WIRE_F_SLICE(2, struct wire_create_quote_request, target_currency_code),
    WIRE_F_SLICE(3, struct wire_create_quote_request, request_id),
};
const struct wire_message wire_create_quote_request_type =
    WIRE_TABLE("ujrat.payout.v1.CreateQuoteRequest", struct wire_create_quote_request,
               create_quote_request_fields);

static const struct wire_field beneficiary_details_fields[] = {
    WIRE_F_SLICE(1, struct wire_beneficiary_details, display_name),
    WIRE_F_SLICE(2, struct wire_beneficiary_details, iban),
    WIRE_F_SLICE(3, struct wire_beneficiary_details, mobile_alias),
    WIRE_F_SLICE(4, struct wire_beneficiary_details, bank_code),
    WIRE_F_SLICE(5, struct wire_beneficiary_details, cnic),
    WIRE_F_SLICE(6, struct wire_beneficiary_details, pseb_registration),
    WIRE_F_INT32(7, struct wire_beneficiary_details, channel),
    WIRE_F_SLICE(8, struct wire_beneficiary_details, purpose_code),
};
const struct wire_message wire_beneficiary_details_type =
    WIRE_TABLE("ujrat.payout.v1.BeneficiaryDetails", struct wire_beneficiary_details,
               beneficiary_details_fields);

static const struct wire_field submit_payout_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_submit_payout_request, reference),
    WIRE_F_MESSAGE(2, struct wire_submit_payout_request, gross, wire_money_type),
    WIRE_F_SLICE(3, struct wire_submit_payout_request, beneficiary),
    WIRE_F_MESSAGE(4, struct wire_submit_payout_request, beneficiary_details,
                   wire_beneficiary_details_type),
    WIRE_F_SLICE(5, struct wire_submit_payout_request, quote),
    WIRE_F_SLICE(6, struct wire_submit_payout_request, remittance_information),
};
const struct wire_message wire_submit_payout_request_type =
    WIRE_TABLE("ujrat.payout.v1.SubmitPayoutRequest", struct wire_submit_payout_request,
               submit_payout_request_fields);

static const struct wire_field submit_payouts_request_fields[] = {
    WIRE_F_REPEATED(1, struct wire_submit_payouts_request, payouts, wire_submit_payout_request_type,
                    WIRE_PAYOUTS_MAX),
};
const struct wire_message wire_submit_payouts_request_type =
    WIRE_TABLE("ujrat.payout.v1.SubmitPayoutsRequest", struct wire_submit_payouts_request,
               submit_payouts_request_fields);

static const struct wire_field submit_payout_result_fields[] = {
    WIRE_F_INT32(1, struct wire_submit_payout_result, outcome),
    WIRE_F_SLICE(2, struct wire_submit_payout_result, reference),
    WIRE_F_SLICE(3, struct wire_submit_payout_result, payout),
    WIRE_F_MESSAGE(4, struct wire_submit_payout_result, fee, wire_money_type),
    WIRE_F_MESSAGE(5, struct wire_submit_payout_result, net, wire_money_type),
    WIRE_F_SLICE(6, struct wire_submit_payout_result, reason),
    WIRE_F_SLICE(7, struct wire_submit_payout_result, field),
    WIRE_F_SLICE(8, struct wire_submit_payout_result, message),
};
const struct wire_message wire_submit_payout_result_type =
    WIRE_TABLE("ujrat.payout.v1.SubmitPayoutResult", struct wire_submit_payout_result,
               submit_payout_result_fields);

static const struct wire_field submit_payouts_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_submit_payouts_response, results, wire_submit_payout_result_type,
                    0),
};
const struct wire_message wire_submit_payouts_response_type =
    WIRE_TABLE("ujrat.payout.v1.SubmitPayoutsResponse", struct wire_submit_payouts_response,
               submit_payouts_response_fields);

static const struct wire_field payout_fields[] = {
    WIRE_F_SLICE(1, struct wire_payout, name),
    WIRE_F_SLICE(2, struct wire_payout, reference),
    WIRE_F_INT32(3, struct wire_payout, state),
    WIRE_F_MESSAGE(4, struct wire_payout, pricing, wire_pricing_type),
    WIRE_F_SLICE(5, struct wire_payout, beneficiary),
    WIRE_F_SLICE(6, struct wire_payout, bank_code),
    WIRE_F_SLICE(7, struct wire_payout, quote),
    WIRE_F_SLICE(8, struct wire_payout, remittance_information),
    WIRE_F_TIME(9, struct wire_payout, create_time),
    WIRE_F_TIME(10, struct wire_payout, update_time),
    WIRE_F_SLICE(11, struct wire_payout, reason_code),
    WIRE_F_SLICE(12, struct wire_payout, bank_reference),
    WIRE_F_MESSAGE(13, struct wire_payout, tax_withheld, wire_money_type),
    WIRE_F_SLICE(14, struct wire_payout, eprc_number),
};
const struct wire_message wire_payout_type =
    WIRE_TABLE("ujrat.payout.v1.Payout", struct wire_payout, payout_fields);

static const struct wire_field get_payout_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_payout_request, name),
};
const struct wire_message wire_get_payout_request_type = WIRE_TABLE(
    "ujrat.payout.v1.GetPayoutRequest", struct wire_get_payout_request, get_payout_request_fields);

static const struct wire_field get_payout_by_reference_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_payout_by_reference_request, reference),
};
const struct wire_message wire_get_payout_by_reference_request_type =
    WIRE_TABLE("ujrat.payout.v1.GetPayoutByReferenceRequest",
               struct wire_get_payout_by_reference_request, get_payout_by_reference_request_fields);

static const struct wire_field list_payouts_request_fields[] = {
    WIRE_F_INT32(1, struct wire_list_payouts_request, page_size),
    WIRE_F_SLICE(2, struct wire_list_payouts_request, page_token),
};
const struct wire_message wire_list_payouts_request_type =
    WIRE_TABLE("ujrat.payout.v1.ListPayoutsRequest", struct wire_list_payouts_request,
               list_payouts_request_fields);

static const struct wire_field list_payouts_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_list_payouts_response, payouts, wire_payout_type, 0),
    WIRE_F_SLICE(2, struct wire_list_payouts_response, next_page_token),
};
const struct wire_message wire_list_payouts_response_type =
    WIRE_TABLE("ujrat.payout.v1.ListPayoutsResponse", struct wire_list_payouts_response,
               list_payouts_response_fields);

static const struct wire_field cancel_payout_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_cancel_payout_request, name),
};
const struct wire_message wire_cancel_payout_request_type =
    WIRE_TABLE("ujrat.payout.v1.CancelPayoutRequest", struct wire_cancel_payout_request,
               cancel_payout_request_fields);

static const struct wire_field watch_payouts_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_watch_payouts_request, resume_token),
};
const struct wire_message wire_watch_payouts_request_type =
    WIRE_TABLE("ujrat.payout.v1.WatchPayoutsRequest", struct wire_watch_payouts_request,
               watch_payouts_request_fields);

static const struct wire_field payout_event_fields[] = {
    WIRE_F_SLICE(1, struct wire_payout_event, payout),
    WIRE_F_SLICE(2, struct wire_payout_event, reference),
    WIRE_F_INT32(3, struct wire_payout_event, state),
    WIRE_F_TIME(4, struct wire_payout_event, event_time),
    WIRE_F_SLICE(5, struct wire_payout_event, reason_code),
    WIRE_F_SLICE(6, struct wire_payout_event, bank_reference),
    WIRE_F_SLICE(7, struct wire_payout_event, resume_token),
};
const struct wire_message wire_payout_event_type =
    WIRE_TABLE("ujrat.payout.v1.PayoutEvent", struct wire_payout_event, payout_event_fields);

static const struct wire_field watch_payouts_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_watch_payouts_response, events, wire_payout_event_type, 0),
};
const struct wire_message wire_watch_payouts_response_type =
    WIRE_TABLE("ujrat.payout.v1.WatchPayoutsResponse", struct wire_watch_payouts_response,
               watch_payouts_response_fields);

const struct wire_message wire_get_balance_request_type = {
    "ujrat.payout.v1.GetBalanceRequest", sizeof(struct wire_get_balance_request), NULL, 0};

static const struct wire_field get_balance_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_get_balance_response, available, wire_money_type, 0),
};
const struct wire_message wire_get_balance_response_type =
    WIRE_TABLE("ujrat.payout.v1.GetBalanceResponse", struct wire_get_balance_response,
               get_balance_response_fields);

static const struct wire_field beneficiary_fields[] = {
    WIRE_F_SLICE(1, struct wire_beneficiary, name),
    WIRE_F_MESSAGE(2, struct wire_beneficiary, details, wire_beneficiary_details_type),
    WIRE_F_TIME(3, struct wire_beneficiary, create_time),
    WIRE_F_TIME(4, struct wire_beneficiary, update_time),
    WIRE_F_INT32(5, struct wire_beneficiary, version),
};
const struct wire_message wire_beneficiary_type =
    WIRE_TABLE("ujrat.payout.v1.Beneficiary", struct wire_beneficiary, beneficiary_fields);

static const struct wire_field register_beneficiary_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_register_beneficiary_request, request_id),
    WIRE_F_MESSAGE(2, struct wire_register_beneficiary_request, details,
                   wire_beneficiary_details_type),
};
const struct wire_message wire_register_beneficiary_request_type =
    WIRE_TABLE("ujrat.payout.v1.RegisterBeneficiaryRequest",
               struct wire_register_beneficiary_request, register_beneficiary_request_fields);

static const struct wire_field update_beneficiary_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_update_beneficiary_request, name),
    WIRE_F_MESSAGE(2, struct wire_update_beneficiary_request, details,
                   wire_beneficiary_details_type),
    WIRE_F_INT32(3, struct wire_update_beneficiary_request, version),
};
const struct wire_message wire_update_beneficiary_request_type =
    WIRE_TABLE("ujrat.payout.v1.UpdateBeneficiaryRequest", struct wire_update_beneficiary_request,
               update_beneficiary_request_fields);

static const struct wire_field get_beneficiary_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_beneficiary_request, name),
};
const struct wire_message wire_get_beneficiary_request_type =
    WIRE_TABLE("ujrat.payout.v1.GetBeneficiaryRequest", struct wire_get_beneficiary_request,
               get_beneficiary_request_fields);

static const struct wire_field list_beneficiaries_request_fields[] = {
    WIRE_F_INT32(1, struct wire_list_beneficiaries_request, page_size),
    WIRE_F_SLICE(2, struct wire_list_beneficiaries_request, page_token),
};
const struct wire_message wire_list_beneficiaries_request_type =
    WIRE_TABLE("ujrat.payout.v1.ListBeneficiariesRequest", struct wire_list_beneficiaries_request,
               list_beneficiaries_request_fields);

static const struct wire_field list_beneficiaries_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_list_beneficiaries_response, beneficiaries,
                    wire_beneficiary_type, 0),
    WIRE_F_SLICE(2, struct wire_list_beneficiaries_response, next_page_token),
};
const struct wire_message wire_list_beneficiaries_response_type =
    WIRE_TABLE("ujrat.payout.v1.ListBeneficiariesResponse", struct wire_list_beneficiaries_response,
               list_beneficiaries_response_fields);

static const struct wire_field receiver_fields[] = {
    WIRE_F_SLICE(1, struct wire_receiver, beneficiary),
    WIRE_F_SLICE(2, struct wire_receiver, email),
    WIRE_F_SLICE(3, struct wire_receiver, phone),
    WIRE_F_TIME(4, struct wire_receiver, create_time),
};
const struct wire_message wire_receiver_type =
    WIRE_TABLE("ujrat.payout.v1.Receiver", struct wire_receiver, receiver_fields);

static const struct wire_field receiver_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_receiver_request, beneficiary),
    WIRE_F_SLICE(2, struct wire_receiver_request, email),
    WIRE_F_SLICE(3, struct wire_receiver_request, phone),
};
const struct wire_message wire_add_receiver_request_type = WIRE_TABLE(
    "ujrat.payout.v1.AddReceiverRequest", struct wire_receiver_request, receiver_request_fields);
const struct wire_message wire_remove_receiver_request_type = WIRE_TABLE(
    "ujrat.payout.v1.RemoveReceiverRequest", struct wire_receiver_request, receiver_request_fields);

static const struct wire_field list_receivers_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_list_receivers_request, beneficiary),
};
const struct wire_message wire_list_receivers_request_type =
    WIRE_TABLE("ujrat.payout.v1.ListReceiversRequest", struct wire_list_receivers_request,
               list_receivers_request_fields);

static const struct wire_field list_receivers_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_list_receivers_response, receivers, wire_receiver_type, 0),
};
const struct wire_message wire_list_receivers_response_type =
    WIRE_TABLE("ujrat.payout.v1.ListReceiversResponse", struct wire_list_receivers_response,
               list_receivers_response_fields);

const struct wire_message wire_remove_receiver_response_type = {
    "ujrat.payout.v1.RemoveReceiverResponse", sizeof(struct wire_remove_receiver_response), NULL,
    0};
/* clang-format on */

struct wire_money wire_money_of(int64_t minor, uint16_t ccy)
{
    return (struct wire_money){true, slice_str(ccy_alpha(ccy)), minor};
}

void wire_pricing_fill(const struct pricing_row *row, struct pricing_text *text,
                       struct wire_pricing *out)
{
    rate_t ours = {0};
    /* The formula of domain/pricing.h; a stored rate is positive, so it cannot overflow. */
    int128_t scaled = (int128_t)row->mid_rate_e10 * (10000 - row->margin_bps);
    if (!round_div_int64(scaled, 10000, ROUND_HALF_EVEN, &ours.e10))
        ours.e10 = 0;
    *out = (struct wire_pricing){
        .present = true,
        .gross = wire_money_of(row->gross, row->src_ccy),
        .fee = wire_money_of(row->fee, row->src_ccy),
        .mid_rate = slice_str(rate_format((rate_t){row->mid_rate_e10}, text->mid_rate)),
        .rate_source = row->rate_source,
        .rate_time = wire_time_of(row->rate_as_of_us),
        .margin_basis_points = row->margin_bps,
        .margin = wire_money_of(row->margin, row->dst_ccy),
        .our_rate = slice_str(rate_format(ours, text->our_rate)),
        .net = wire_money_of(row->net, row->dst_ccy),
        .policy_version = row->policy_id,
    };
}
