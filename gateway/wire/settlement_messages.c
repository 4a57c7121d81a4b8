#include "gateway/wire/settlement_messages.h"

static const struct wire_field instruction_fields[] = {
    WIRE_F_SLICE(1, struct wire_instruction, instruction_id),
    WIRE_F_MESSAGE(2, struct wire_instruction, amount, wire_money_type),
    WIRE_F_SLICE(3, struct wire_instruction, creditor_name),
    WIRE_F_SLICE(4, struct wire_instruction, creditor_iban),
    WIRE_F_SLICE(5, struct wire_instruction, creditor_mobile_alias),
    WIRE_F_SLICE(6, struct wire_instruction, creditor_cnic),
    WIRE_F_INT32(7, struct wire_instruction, channel),
    WIRE_F_SLICE(8, struct wire_instruction, purpose_code),
    WIRE_F_SLICE(9, struct wire_instruction, pseb_registration),
    WIRE_F_SLICE(10, struct wire_instruction, originator_name),
    WIRE_F_MESSAGE(11, struct wire_instruction, original_amount, wire_money_type),
    WIRE_F_SLICE(12, struct wire_instruction, remittance_information),
    WIRE_F_TIME(13, struct wire_instruction, create_time),
    WIRE_F_SLICE(14, struct wire_instruction, resume_token),
};
const struct wire_message wire_instruction_type =
    WIRE_TABLE("ujrat.settlement.v1.Instruction", struct wire_instruction, instruction_fields);

static const struct wire_field watch_instructions_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_watch_instructions_request, resume_token),
};
const struct wire_message wire_watch_instructions_request_type =
    WIRE_TABLE("ujrat.settlement.v1.WatchInstructionsRequest",
               struct wire_watch_instructions_request, watch_instructions_request_fields);

static const struct wire_field watch_instructions_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_watch_instructions_response, instructions, wire_instruction_type,
                    0),
};
const struct wire_message wire_watch_instructions_response_type =
    WIRE_TABLE("ujrat.settlement.v1.WatchInstructionsResponse",
               struct wire_watch_instructions_response, watch_instructions_response_fields);

static const struct wire_field confirmation_fields[] = {
    WIRE_F_SLICE(1, struct wire_confirmation, instruction_id),
    WIRE_F_INT32(2, struct wire_confirmation, status),
    WIRE_F_MESSAGE(3, struct wire_confirmation, amount, wire_money_type),
    WIRE_F_SLICE(4, struct wire_confirmation, bank_reference),
    WIRE_F_MESSAGE(5, struct wire_confirmation, tax_withheld, wire_money_type),
    WIRE_F_SLICE(6, struct wire_confirmation, eprc_number),
    WIRE_F_SLICE(7, struct wire_confirmation, reason_code),
};
const struct wire_message wire_confirmation_type =
    WIRE_TABLE("ujrat.settlement.v1.Confirmation", struct wire_confirmation, confirmation_fields);

static const struct wire_field confirm_instructions_request_fields[] = {
    WIRE_F_REPEATED(1, struct wire_confirm_instructions_request, confirmations,
                    wire_confirmation_type, WIRE_CONFIRMATIONS_MAX),
};
const struct wire_message wire_confirm_instructions_request_type =
    WIRE_TABLE("ujrat.settlement.v1.ConfirmInstructionsRequest",
               struct wire_confirm_instructions_request, confirm_instructions_request_fields);

static const struct wire_field confirmation_result_fields[] = {
    WIRE_F_SLICE(1, struct wire_confirmation_result, instruction_id),
    WIRE_F_INT32(2, struct wire_confirmation_result, outcome),
    WIRE_F_SLICE(3, struct wire_confirmation_result, reason),
    WIRE_F_SLICE(4, struct wire_confirmation_result, field),
    WIRE_F_SLICE(5, struct wire_confirmation_result, message),
};
const struct wire_message wire_confirmation_result_type =
    WIRE_TABLE("ujrat.settlement.v1.ConfirmationResult", struct wire_confirmation_result,
               confirmation_result_fields);

static const struct wire_field confirm_instructions_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_confirm_instructions_response, results,
                    wire_confirmation_result_type, 0),
};
const struct wire_message wire_confirm_instructions_response_type =
    WIRE_TABLE("ujrat.settlement.v1.ConfirmInstructionsResponse",
               struct wire_confirm_instructions_response, confirm_instructions_response_fields);

static const struct wire_field return_payment_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_return_payment_request, instruction_id),
    WIRE_F_MESSAGE(2, struct wire_return_payment_request, amount, wire_money_type),
    WIRE_F_SLICE(3, struct wire_return_payment_request, reason_code),
    WIRE_F_SLICE(4, struct wire_return_payment_request, return_reference),
    WIRE_F_MESSAGE(5, struct wire_return_payment_request, charge, wire_money_type),
};
const struct wire_message wire_return_payment_request_type =
    WIRE_TABLE("ujrat.settlement.v1.ReturnPaymentRequest", struct wire_return_payment_request,
               return_payment_request_fields);

static const struct wire_field return_payment_response_fields[] = {
    WIRE_F_SLICE(1, struct wire_return_payment_response, instruction_id),
    WIRE_F_INT32(2, struct wire_return_payment_response, state),
    WIRE_F_TIME(3, struct wire_return_payment_response, return_time),
    WIRE_F_MESSAGE(4, struct wire_return_payment_response, returned_amount, wire_money_type),
};
const struct wire_message wire_return_payment_response_type =
    WIRE_TABLE("ujrat.settlement.v1.ReturnPaymentResponse", struct wire_return_payment_response,
               return_payment_response_fields);

static const struct wire_field reverse_return_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_reverse_return_request, instruction_id),
    WIRE_F_SLICE(2, struct wire_reverse_return_request, return_reference),
    WIRE_F_SLICE(3, struct wire_reverse_return_request, reversal_reference),
    WIRE_F_SLICE(4, struct wire_reverse_return_request, reason_code),
};
const struct wire_message wire_reverse_return_request_type =
    WIRE_TABLE("ujrat.settlement.v1.ReverseReturnRequest", struct wire_reverse_return_request,
               reverse_return_request_fields);

static const struct wire_field reverse_return_response_fields[] = {
    WIRE_F_SLICE(1, struct wire_reverse_return_response, instruction_id),
    WIRE_F_INT32(2, struct wire_reverse_return_response, state),
    WIRE_F_TIME(3, struct wire_reverse_return_response, reversal_time),
    WIRE_F_MESSAGE(4, struct wire_reverse_return_response, returned_amount, wire_money_type),
};
const struct wire_message wire_reverse_return_response_type =
    WIRE_TABLE("ujrat.settlement.v1.ReverseReturnResponse", struct wire_reverse_return_response,
               reverse_return_response_fields);

const struct wire_message wire_get_position_request_type = {
    "ujrat.settlement.v1.GetPositionRequest", sizeof(struct wire_get_position_request), NULL, 0};

static const struct wire_field position_fields[] = {
    WIRE_F_SLICE(1, struct wire_position, currency_code),
    WIRE_F_INT64(2, struct wire_position, owed_minor_units),
    WIRE_F_INT64(3, struct wire_position, pending_minor_units),
    WIRE_F_INT64(4, struct wire_position, pending_count),
};
const struct wire_message wire_position_type = WIRE_TABLE(
    "ujrat.settlement.v1.GetPositionResponse.Position", struct wire_position, position_fields);

static const struct wire_field get_position_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_get_position_response, positions, wire_position_type, 0),
};
const struct wire_message wire_get_position_response_type =
    WIRE_TABLE("ujrat.settlement.v1.GetPositionResponse", struct wire_get_position_response,
               get_position_response_fields);

/* ---------------------------------------------------------------- windows and inquiries */

static const struct wire_field window_fields[] = {
    WIRE_F_INT64(1, struct wire_window, window_no),
    WIRE_F_INT32(2, struct wire_window, state),
    WIRE_F_TIME(3, struct wire_window, open_time),
    WIRE_F_TIME(4, struct wire_window, cutoff_time),
    WIRE_F_TIME(5, struct wire_window, settle_by_time),
    WIRE_F_SLICE(6, struct wire_window, currency_code),
    WIRE_F_INT64(7, struct wire_window, instructed_count),
    WIRE_F_INT64(8, struct wire_window, instructed_minor_units),
    WIRE_F_INT64(9, struct wire_window, settled_count),
    WIRE_F_INT64(10, struct wire_window, settled_minor_units),
    WIRE_F_INT64(11, struct wire_window, rejected_count),
    WIRE_F_INT64(12, struct wire_window, rejected_minor_units),
    WIRE_F_INT64(13, struct wire_window, pending_count),
    WIRE_F_INT64(14, struct wire_window, pending_minor_units),
    WIRE_F_INT64(15, struct wire_window, returned_minor_units),
    WIRE_F_INT64(16, struct wire_window, net_minor_units),
    WIRE_F_SLICE(17, struct wire_window, reason),
};
const struct wire_message wire_window_type =
    WIRE_TABLE("ujrat.settlement.v1.Window", struct wire_window, window_fields);

static const struct wire_field list_windows_request_fields[] = {
    WIRE_F_INT32(1, struct wire_list_windows_request, page_size),
    WIRE_F_SLICE(2, struct wire_list_windows_request, page_token),
};
const struct wire_message wire_list_windows_request_type =
    WIRE_TABLE("ujrat.settlement.v1.ListWindowsRequest", struct wire_list_windows_request,
               list_windows_request_fields);

static const struct wire_field list_windows_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_list_windows_response, windows, wire_window_type, 0),
    WIRE_F_SLICE(2, struct wire_list_windows_response, next_page_token),
};
const struct wire_message wire_list_windows_response_type =
    WIRE_TABLE("ujrat.settlement.v1.ListWindowsResponse", struct wire_list_windows_response,
               list_windows_response_fields);

static const struct wire_field get_window_request_fields[] = {
    WIRE_F_INT64(1, struct wire_get_window_request, window_no),
};
const struct wire_message wire_get_window_request_type =
    WIRE_TABLE("ujrat.settlement.v1.GetWindowRequest", struct wire_get_window_request,
               get_window_request_fields);

static const struct wire_field report_window_request_fields[] = {
    WIRE_F_INT64(1, struct wire_report_window_request, window_no),
    WIRE_F_SLICE(2, struct wire_report_window_request, currency_code),
    WIRE_F_INT64(3, struct wire_report_window_request, settled_count),
    WIRE_F_INT64(4, struct wire_report_window_request, settled_minor_units),
    WIRE_F_INT64(5, struct wire_report_window_request, rejected_count),
    WIRE_F_INT64(6, struct wire_report_window_request, rejected_minor_units),
};
const struct wire_message wire_report_window_request_type =
    WIRE_TABLE("ujrat.settlement.v1.ReportWindowRequest", struct wire_report_window_request,
               report_window_request_fields);

static const struct wire_field inquiry_fields[] = {
    WIRE_F_SLICE(1, struct wire_inquiry, inquiry_id),
    WIRE_F_INT32(2, struct wire_inquiry, kind),
    WIRE_F_SLICE(3, struct wire_inquiry, instruction_id),
    WIRE_F_MESSAGE(4, struct wire_inquiry, amount, wire_money_type),
    WIRE_F_SLICE(5, struct wire_inquiry, reason_code),
    WIRE_F_INT32(6, struct wire_inquiry, number),
    WIRE_F_TIME(7, struct wire_inquiry, ask_time),
    WIRE_F_SLICE(8, struct wire_inquiry, resume_token),
};
const struct wire_message wire_inquiry_type =
    WIRE_TABLE("ujrat.settlement.v1.Inquiry", struct wire_inquiry, inquiry_fields);

static const struct wire_field watch_inquiries_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_watch_inquiries_request, resume_token),
};
const struct wire_message wire_watch_inquiries_request_type =
    WIRE_TABLE("ujrat.settlement.v1.WatchInquiriesRequest", struct wire_watch_inquiries_request,
               watch_inquiries_request_fields);

static const struct wire_field watch_inquiries_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_watch_inquiries_response, inquiries, wire_inquiry_type, 0),
};
const struct wire_message wire_watch_inquiries_response_type =
    WIRE_TABLE("ujrat.settlement.v1.WatchInquiriesResponse", struct wire_watch_inquiries_response,
               watch_inquiries_response_fields);

static const struct wire_field inquiry_answer_fields[] = {
    WIRE_F_SLICE(1, struct wire_inquiry_answer, inquiry_id),
    WIRE_F_SLICE(2, struct wire_inquiry_answer, status_code),
    WIRE_F_SLICE(3, struct wire_inquiry_answer, reason_code),
};
const struct wire_message wire_inquiry_answer_type = WIRE_TABLE(
    "ujrat.settlement.v1.InquiryAnswer", struct wire_inquiry_answer, inquiry_answer_fields);

static const struct wire_field answer_inquiries_request_fields[] = {
    WIRE_F_REPEATED(1, struct wire_answer_inquiries_request, answers, wire_inquiry_answer_type,
                    WIRE_INQUIRY_ANSWERS_MAX),
};
const struct wire_message wire_answer_inquiries_request_type =
    WIRE_TABLE("ujrat.settlement.v1.AnswerInquiriesRequest", struct wire_answer_inquiries_request,
               answer_inquiries_request_fields);

static const struct wire_field inquiry_answer_result_fields[] = {
    WIRE_F_SLICE(1, struct wire_inquiry_answer_result, inquiry_id),
    WIRE_F_INT32(2, struct wire_inquiry_answer_result, outcome),
    WIRE_F_SLICE(3, struct wire_inquiry_answer_result, reason),
    WIRE_F_SLICE(4, struct wire_inquiry_answer_result, field),
    WIRE_F_SLICE(5, struct wire_inquiry_answer_result, message),
};
const struct wire_message wire_inquiry_answer_result_type =
    WIRE_TABLE("ujrat.settlement.v1.InquiryAnswerResult", struct wire_inquiry_answer_result,
               inquiry_answer_result_fields);

static const struct wire_field answer_inquiries_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_answer_inquiries_response, results,
                    wire_inquiry_answer_result_type, 0),
};
const struct wire_message wire_answer_inquiries_response_type =
    WIRE_TABLE("ujrat.settlement.v1.AnswerInquiriesResponse", struct wire_answer_inquiries_response,
               answer_inquiries_response_fields);
