/* payout_messages.h: the messages of ujrat.type.v1 and ujrat.payout.v1 (proto/ujrat/payout/v1/payout.proto). */
#ifndef UJRAT_WIRE_PAYOUT_MESSAGES_H
#define UJRAT_WIRE_PAYOUT_MESSAGES_H

#include "domain/money.h"
#include "domain/rate.h"
#include "gateway/wire/wire.h"

#define WIRE_PAYOUTS_MAX 15000 /* SubmitPayoutsRequest.payouts */

struct wire_money {
    bool present;
    struct slice currency_code;
    int64_t minor_units;
};

struct wire_pricing {
    bool present;
    struct wire_money gross;
    struct wire_money fee;
    struct slice mid_rate;
    struct slice rate_source;
    struct wire_time rate_time;
    int32_t margin_basis_points;
    struct wire_money margin;
    struct slice our_rate;
    struct wire_money net;
    int64_t policy_version;
};

struct wire_quote {
    bool present;
    struct slice name;
    struct wire_pricing pricing;
    struct wire_time create_time;
    struct wire_time expire_time;
};

struct wire_create_quote_request {
    bool present;
    struct wire_money gross;
    struct slice target_currency_code;
    struct slice request_id;
};

struct wire_beneficiary_details {
    bool present;
    struct slice display_name;
    struct slice iban;
    struct slice mobile_alias;
    struct slice bank_code;
    struct slice cnic;
    struct slice pseb_registration;
    int32_t channel;
    struct slice purpose_code;
};

struct wire_submit_payout_request {
    bool present;
    struct slice reference;
    struct wire_money gross;
    struct slice beneficiary;
    struct wire_beneficiary_details beneficiary_details;
    struct slice quote;
    struct slice remittance_information;
};

struct wire_submit_payouts_request {
    bool present;
    WIRE_LIST(struct wire_submit_payout_request) payouts;
};

enum {
    WIRE_OUTCOME_ACCEPTED = 1,
    WIRE_OUTCOME_DUPLICATE = 2,
    WIRE_OUTCOME_REFUSED = 3,
    WIRE_OUTCOME_UNKNOWN = 4,
    WIRE_OUTCOME_NOT_DONE = 5,
};

struct wire_submit_payout_result {
    bool present;
    int32_t outcome;
    struct slice reference;
    struct slice payout;
    struct wire_money fee;
    struct wire_money net;
    struct slice reason;
    struct slice field;
    struct slice message;
};

struct wire_submit_payouts_response {
    bool present;
    WIRE_LIST(struct wire_submit_payout_result) results;
};

struct wire_payout {
    bool present;
    struct slice name;
    struct slice reference;
    int32_t state; /* domain/payout_state.h: the same numbers */
    struct wire_pricing pricing;
    struct slice beneficiary;
    struct slice bank_code;
    struct slice quote;
    struct slice remittance_information;
    struct wire_time create_time;
    struct wire_time update_time;
    struct slice reason_code;
    struct slice bank_reference;
    struct wire_money tax_withheld;
    struct slice eprc_number;
};

struct wire_get_payout_request {
    bool present;
    struct slice name;
};

struct wire_get_payout_by_reference_request {
    bool present;
    struct slice reference;
};

struct wire_list_payouts_request {
    bool present;
    int32_t page_size;
    struct slice page_token;
};

struct wire_list_payouts_response {
    bool present;
    WIRE_LIST(struct wire_payout) payouts;
    struct slice next_page_token;
};

struct wire_cancel_payout_request {
    bool present;
    struct slice name;
};

struct wire_watch_payouts_request {
    bool present;
    struct slice resume_token;
};

struct wire_payout_event {
    bool present;
    struct slice payout;
    struct slice reference;
    int32_t state;
    struct wire_time event_time;
    struct slice reason_code;
    struct slice bank_reference;
    struct slice resume_token;
};

struct wire_watch_payouts_response {
    bool present;
    WIRE_LIST(struct wire_payout_event) events;
};

struct wire_get_balance_request {
    bool present;
};

struct wire_get_balance_response {
    bool present;
    WIRE_LIST(struct wire_money) available;
};

struct wire_beneficiary {
    bool present;
    struct slice name;
    struct wire_beneficiary_details details;
    struct wire_time create_time;
    struct wire_time update_time;
    int32_t version;
};

struct wire_register_beneficiary_request {
    bool present;
    struct slice request_id;
    struct wire_beneficiary_details details;
};

struct wire_update_beneficiary_request {
    bool present;
    struct slice name;
    struct wire_beneficiary_details details;
    int32_t version;
};

struct wire_get_beneficiary_request {
    bool present;
    struct slice name;
};

struct wire_list_beneficiaries_request {
    bool present;
    int32_t page_size;
    struct slice page_token;
};

struct wire_list_beneficiaries_response {
    bool present;
    WIRE_LIST(struct wire_beneficiary) beneficiaries;
    struct slice next_page_token;
};

struct wire_receiver {
    bool present;
    struct slice beneficiary;
    struct slice email;
    struct slice phone;
    struct wire_time create_time;
};

/* AddReceiverRequest and RemoveReceiverRequest, which say the same. */
struct wire_receiver_request {
    bool present;
    struct slice beneficiary;
    struct slice email;
    struct slice phone;
};

struct wire_list_receivers_request {
    bool present;
    struct slice beneficiary;
};

struct wire_list_receivers_response {
    bool present;
    WIRE_LIST(struct wire_receiver) receivers;
};

struct wire_remove_receiver_response {
    bool present;
};

extern const struct wire_message wire_money_type, wire_pricing_type, wire_quote_type,
    wire_create_quote_request_type, wire_beneficiary_details_type, wire_submit_payout_request_type,
    wire_submit_payouts_request_type, wire_submit_payout_result_type,
    wire_submit_payouts_response_type, wire_payout_type, wire_get_payout_request_type,
    wire_get_payout_by_reference_request_type, wire_list_payouts_request_type,
    wire_list_payouts_response_type, wire_cancel_payout_request_type,
    wire_watch_payouts_request_type, wire_payout_event_type, wire_watch_payouts_response_type,
    wire_get_balance_request_type, wire_get_balance_response_type, wire_beneficiary_type,
    wire_register_beneficiary_request_type, wire_update_beneficiary_request_type,
    wire_get_beneficiary_request_type, wire_list_beneficiaries_request_type,
    wire_list_beneficiaries_response_type, wire_receiver_type, wire_add_receiver_request_type,
    wire_list_receivers_request_type, wire_list_receivers_response_type,
    wire_remove_receiver_request_type, wire_remove_receiver_response_type;

/* Amounts as messages; the code is a string constant. */
struct wire_money wire_money_of(int64_t minor, uint16_t ccy);

/* What a Pricing is made of, as stored. The text members are written into `text`, which must live as long. */
struct pricing_row {
    uint16_t src_ccy, dst_ccy;
    int64_t gross, fee, mid_rate_e10, margin, net;
    int32_t margin_bps;
    struct slice rate_source;
    int64_t rate_as_of_us;
    int32_t policy_id; /* 0: none */
};
struct pricing_text {
    char mid_rate[RATE_TEXT_SIZE];
    char our_rate[RATE_TEXT_SIZE];
};
void wire_pricing_fill(const struct pricing_row *row, struct pricing_text *text,
                       struct wire_pricing *out);

#endif
