/* settlement_messages.h: the messages of ujrat.settlement.v1 (proto/ujrat/settlement/v1/settlement.proto). */
#ifndef UJRAT_WIRE_SETTLEMENT_MESSAGES_H
#define UJRAT_WIRE_SETTLEMENT_MESSAGES_H

#include "gateway/wire/payout_messages.h"
#include "gateway/wire/wire.h"

#define WIRE_CONFIRMATIONS_MAX   1000 /* ConfirmInstructionsRequest.confirmations */
#define WIRE_INQUIRY_ANSWERS_MAX 1000 /* AnswerInquiriesRequest.answers */

enum {
    WIRE_STATUS_SETTLED = 1,
    WIRE_STATUS_REJECTED = 2,
};

enum {
    WIRE_RESULT_RECORDED = 1,
    WIRE_RESULT_DUPLICATE = 2,
    WIRE_RESULT_REFUSED = 3,
    WIRE_RESULT_UNKNOWN = 4,
};

struct wire_instruction {
    bool present;
    struct slice instruction_id;
    struct wire_money amount;
    struct slice creditor_name;
    struct slice creditor_iban;
    struct slice creditor_mobile_alias;
    struct slice creditor_cnic;
    int32_t channel;
    struct slice purpose_code;
    struct slice pseb_registration;
    struct slice originator_name;
    struct wire_money original_amount;
    struct slice remittance_information;
    struct wire_time create_time;
    struct slice resume_token;
};

struct wire_watch_instructions_request {
    bool present;
    struct slice resume_token;
};

struct wire_watch_instructions_response {
    bool present;
    WIRE_LIST(struct wire_instruction) instructions;
};

struct wire_confirmation {
    bool present;
    struct slice instruction_id;
    int32_t status;
    struct wire_money amount;
    struct slice bank_reference;
    struct wire_money tax_withheld;
    struct slice eprc_number;
    struct slice reason_code;
};

struct wire_confirm_instructions_request {
    bool present;
    WIRE_LIST(struct wire_confirmation) confirmations;
};

struct wire_confirmation_result {
    bool present;
    struct slice instruction_id;
    int32_t outcome;
    struct slice reason;
    struct slice field;
    struct slice message;
};

struct wire_confirm_instructions_response {
    bool present;
    WIRE_LIST(struct wire_confirmation_result) results;
};

struct wire_return_payment_request {
    bool present;
    struct slice instruction_id;
    struct wire_money amount;
    struct slice reason_code;
    struct slice return_reference;
    struct wire_money charge;
};

struct wire_return_payment_response {
    bool present;
    struct slice instruction_id;
    int32_t state;
    struct wire_time return_time;
    struct wire_money returned_amount;
};

struct wire_reverse_return_request {
    bool present;
    struct slice instruction_id;
    struct slice return_reference;
    struct slice reversal_reference;
    struct slice reason_code;
};

struct wire_reverse_return_response {
    bool present;
    struct slice instruction_id;
    int32_t state;
    struct wire_time reversal_time;
    struct wire_money returned_amount;
};

struct wire_get_position_request {
    bool present;
};

struct wire_position {
    bool present;
    struct slice currency_code;
    int64_t owed_minor_units;
    int64_t pending_minor_units;
    int64_t pending_count;
};

struct wire_get_position_response {
    bool present;
    WIRE_LIST(struct wire_position) positions;
};

extern const struct wire_message wire_instruction_type, wire_watch_instructions_request_type,
    wire_watch_instructions_response_type, wire_confirmation_type,
    wire_confirm_instructions_request_type, wire_confirmation_result_type,
    wire_confirm_instructions_response_type, wire_return_payment_request_type,
    wire_return_payment_response_type, wire_reverse_return_request_type,
    wire_reverse_return_response_type, wire_get_position_request_type, wire_position_type,
    wire_get_position_response_type;

/* ---------------------------------------------------------------- windows and inquiries */

enum {
    WIRE_WINDOW_OPEN = 1,
    WIRE_WINDOW_CLOSED = 2,
    WIRE_WINDOW_SETTLED = 3,
    WIRE_WINDOW_DISPUTED = 4,
};

enum {
    WIRE_INQUIRY_STATUS = 1,
    WIRE_INQUIRY_RECALL = 2,
};

struct wire_window {
    bool present;
    int64_t window_no;
    int32_t state;
    struct wire_time open_time;
    struct wire_time cutoff_time;
    struct wire_time settle_by_time;
    struct slice currency_code;
    int64_t instructed_count;
    int64_t instructed_minor_units;
    int64_t settled_count;
    int64_t settled_minor_units;
    int64_t rejected_count;
    int64_t rejected_minor_units;
    int64_t pending_count;
    int64_t pending_minor_units;
    int64_t returned_minor_units;
    int64_t net_minor_units;
    struct slice reason;
};

struct wire_list_windows_request {
    bool present;
    int32_t page_size;
    struct slice page_token;
};

struct wire_list_windows_response {
    bool present;
    WIRE_LIST(struct wire_window) windows;
    struct slice next_page_token;
};

struct wire_get_window_request {
    bool present;
    int64_t window_no;
};

struct wire_report_window_request {
    bool present;
    int64_t window_no;
    struct slice currency_code;
    int64_t settled_count;
    int64_t settled_minor_units;
    int64_t rejected_count;
    int64_t rejected_minor_units;
};

struct wire_inquiry {
    bool present;
    struct slice inquiry_id;
    int32_t kind;
    struct slice instruction_id;
    struct wire_money amount;
    struct slice reason_code;
    int32_t number;
    struct wire_time ask_time;
    struct slice resume_token;
};

struct wire_watch_inquiries_request {
    bool present;
    struct slice resume_token;
};

struct wire_watch_inquiries_response {
    bool present;
    WIRE_LIST(struct wire_inquiry) inquiries;
};

struct wire_inquiry_answer {
    bool present;
    struct slice inquiry_id;
    struct slice status_code;
    struct slice reason_code;
};

struct wire_answer_inquiries_request {
    bool present;
    WIRE_LIST(struct wire_inquiry_answer) answers;
};

struct wire_inquiry_answer_result {
    bool present;
    struct slice inquiry_id;
    int32_t outcome;
    struct slice reason;
    struct slice field;
    struct slice message;
};

struct wire_answer_inquiries_response {
    bool present;
    WIRE_LIST(struct wire_inquiry_answer_result) results;
};

extern const struct wire_message wire_window_type, wire_list_windows_request_type,
    wire_list_windows_response_type, wire_get_window_request_type, wire_report_window_request_type,
    wire_inquiry_type, wire_watch_inquiries_request_type, wire_watch_inquiries_response_type,
    wire_inquiry_answer_type, wire_answer_inquiries_request_type, wire_inquiry_answer_result_type,
    wire_answer_inquiries_response_type;

#endif
