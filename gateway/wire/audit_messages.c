#include "gateway/wire/audit_messages.h"

static const struct wire_field get_trial_balance_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_trial_balance_request, book),
    WIRE_F_TIME(2, struct wire_get_trial_balance_request, as_of),
};
const struct wire_message wire_get_trial_balance_request_type =
    WIRE_TABLE("ujrat.audit.v1.GetTrialBalanceRequest", struct wire_get_trial_balance_request,
               get_trial_balance_request_fields);

static const struct wire_field trial_balance_line_fields[] = {
    WIRE_F_SLICE(1, struct wire_trial_balance_line, book),
    WIRE_F_SLICE(2, struct wire_trial_balance_line, account),
    WIRE_F_SLICE(3, struct wire_trial_balance_line, type),
    WIRE_F_SLICE(4, struct wire_trial_balance_line, currency_code),
    WIRE_F_INT64(5, struct wire_trial_balance_line, debit_minor_units),
    WIRE_F_INT64(6, struct wire_trial_balance_line, credit_minor_units),
};
const struct wire_message wire_trial_balance_line_type =
    WIRE_TABLE("ujrat.audit.v1.GetTrialBalanceResponse.Line", struct wire_trial_balance_line,
               trial_balance_line_fields);

static const struct wire_field trial_balance_total_fields[] = {
    WIRE_F_SLICE(1, struct wire_trial_balance_total, currency_code),
    WIRE_F_INT64(2, struct wire_trial_balance_total, debit_minor_units),
    WIRE_F_INT64(3, struct wire_trial_balance_total, credit_minor_units),
};
const struct wire_message wire_trial_balance_total_type =
    WIRE_TABLE("ujrat.audit.v1.GetTrialBalanceResponse.Total", struct wire_trial_balance_total,
               trial_balance_total_fields);

static const struct wire_field get_trial_balance_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_get_trial_balance_response, lines, wire_trial_balance_line_type,
                    0),
    WIRE_F_REPEATED(2, struct wire_get_trial_balance_response, totals,
                    wire_trial_balance_total_type, 0),
    WIRE_F_TIME(3, struct wire_get_trial_balance_response, as_of),
};
const struct wire_message wire_get_trial_balance_response_type =
    WIRE_TABLE("ujrat.audit.v1.GetTrialBalanceResponse", struct wire_get_trial_balance_response,
               get_trial_balance_response_fields);

static const struct wire_field posting_fields[] = {
    WIRE_F_SLICE(1, struct wire_posting, account),
    WIRE_F_SLICE(2, struct wire_posting, currency_code),
    WIRE_F_INT64(3, struct wire_posting, minor_units),
};
const struct wire_message wire_posting_type =
    WIRE_TABLE("ujrat.audit.v1.Posting", struct wire_posting, posting_fields);

static const struct wire_field journal_fields[] = {
    WIRE_F_SLICE(1, struct wire_journal, name),
    WIRE_F_SLICE(2, struct wire_journal, kind),
    WIRE_F_INT64(3, struct wire_journal, block_number),
    WIRE_F_TIME(4, struct wire_journal, commit_time),
    WIRE_F_SLICE(5, struct wire_journal, actor),
    WIRE_F_SLICE(6, struct wire_journal, payout),
    WIRE_F_SLICE(7, struct wire_journal, reverses),
    WIRE_F_SLICE(8, struct wire_journal, description),
    WIRE_F_REPEATED(9, struct wire_journal, postings, wire_posting_type, 0),
};
const struct wire_message wire_journal_type =
    WIRE_TABLE("ujrat.audit.v1.Journal", struct wire_journal, journal_fields);

static const struct wire_field list_journals_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_list_journals_request, book),
    WIRE_F_INT32(2, struct wire_list_journals_request, page_size),
    WIRE_F_SLICE(3, struct wire_list_journals_request, page_token),
    WIRE_F_TIME(4, struct wire_list_journals_request, from_time),
    WIRE_F_TIME(5, struct wire_list_journals_request, until_time),
};
const struct wire_message wire_list_journals_request_type =
    WIRE_TABLE("ujrat.audit.v1.ListJournalsRequest", struct wire_list_journals_request,
               list_journals_request_fields);

static const struct wire_field list_journals_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_list_journals_response, journals, wire_journal_type, 0),
    WIRE_F_SLICE(2, struct wire_list_journals_response, next_page_token),
};
const struct wire_message wire_list_journals_response_type =
    WIRE_TABLE("ujrat.audit.v1.ListJournalsResponse", struct wire_list_journals_response,
               list_journals_response_fields);

static const struct wire_field get_account_statement_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_account_statement_request, account),
    WIRE_F_INT32(2, struct wire_get_account_statement_request, page_size),
    WIRE_F_SLICE(3, struct wire_get_account_statement_request, page_token),
    WIRE_F_TIME(4, struct wire_get_account_statement_request, from_time),
    WIRE_F_TIME(5, struct wire_get_account_statement_request, until_time),
};
const struct wire_message wire_get_account_statement_request_type =
    WIRE_TABLE("ujrat.audit.v1.GetAccountStatementRequest",
               struct wire_get_account_statement_request, get_account_statement_request_fields);

static const struct wire_field statement_line_fields[] = {
    WIRE_F_SLICE(1, struct wire_statement_line, journal),
    WIRE_F_SLICE(2, struct wire_statement_line, kind),
    WIRE_F_TIME(3, struct wire_statement_line, commit_time),
    WIRE_F_INT64(4, struct wire_statement_line, minor_units),
    WIRE_F_INT64(5, struct wire_statement_line, balance_minor_units),
    WIRE_F_SLICE(6, struct wire_statement_line, payout),
};
const struct wire_message wire_statement_line_type =
    WIRE_TABLE("ujrat.audit.v1.GetAccountStatementResponse.Line", struct wire_statement_line,
               statement_line_fields);

static const struct wire_field get_account_statement_response_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_account_statement_response, currency_code),
    WIRE_F_INT64(2, struct wire_get_account_statement_response, opening_minor_units),
    WIRE_F_REPEATED(3, struct wire_get_account_statement_response, lines, wire_statement_line_type,
                    0),
    WIRE_F_INT64(4, struct wire_get_account_statement_response, closing_minor_units),
    WIRE_F_SLICE(5, struct wire_get_account_statement_response, next_page_token),
};
const struct wire_message wire_get_account_statement_response_type =
    WIRE_TABLE("ujrat.audit.v1.GetAccountStatementResponse",
               struct wire_get_account_statement_response, get_account_statement_response_fields);

static const struct wire_field get_payout_trail_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_payout_trail_request, payout),
};
const struct wire_message wire_get_payout_trail_request_type =
    WIRE_TABLE("ujrat.audit.v1.GetPayoutTrailRequest", struct wire_get_payout_trail_request,
               get_payout_trail_request_fields);

static const struct wire_field trail_event_fields[] = {
    WIRE_F_INT32(1, struct wire_trail_event, state),
    WIRE_F_TIME(2, struct wire_trail_event, event_time),
    WIRE_F_SLICE(3, struct wire_trail_event, actor),
    WIRE_F_SLICE(4, struct wire_trail_event, detail),
    WIRE_F_MESSAGE(5, struct wire_trail_event, journal, wire_journal_type),
};
const struct wire_message wire_trail_event_type = WIRE_TABLE(
    "ujrat.audit.v1.GetPayoutTrailResponse.Event", struct wire_trail_event, trail_event_fields);

static const struct wire_field get_payout_trail_response_fields[] = {
    WIRE_F_MESSAGE(1, struct wire_get_payout_trail_response, payout, wire_payout_type),
    WIRE_F_REPEATED(2, struct wire_get_payout_trail_response, events, wire_trail_event_type, 0),
};
const struct wire_message wire_get_payout_trail_response_type =
    WIRE_TABLE("ujrat.audit.v1.GetPayoutTrailResponse", struct wire_get_payout_trail_response,
               get_payout_trail_response_fields);

static const struct wire_field signed_record_fields[] = {
    WIRE_F_SLICE(1, struct wire_signed_record, record),
    WIRE_F_SLICE(2, struct wire_signed_record, key_id),
    WIRE_F_SLICE(3, struct wire_signed_record, signature),
};
const struct wire_message wire_signed_record_type =
    WIRE_TABLE("ujrat.audit.v1.SignedRecord", struct wire_signed_record, signed_record_fields);

static const struct wire_field tree_head_fields[] = {
    WIRE_F_SLICE(1, struct wire_tree_head, book),
    WIRE_F_INT64(2, struct wire_tree_head, tree_size),
    WIRE_F_SLICE(3, struct wire_tree_head, root),
    WIRE_F_TIME(4, struct wire_tree_head, sign_time),
    WIRE_F_MESSAGE(5, struct wire_tree_head, signed_record, wire_signed_record_type),
};
const struct wire_message wire_tree_head_type =
    WIRE_TABLE("ujrat.audit.v1.TreeHead", struct wire_tree_head, tree_head_fields);

static const struct wire_field get_tree_head_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_tree_head_request, book),
    WIRE_F_INT64(2, struct wire_get_tree_head_request, tree_size),
};
const struct wire_message wire_get_tree_head_request_type =
    WIRE_TABLE("ujrat.audit.v1.GetTreeHeadRequest", struct wire_get_tree_head_request,
               get_tree_head_request_fields);

static const struct wire_field get_tree_head_response_fields[] = {
    WIRE_F_MESSAGE(1, struct wire_get_tree_head_response, tree_head, wire_tree_head_type),
    WIRE_F_REPEATED(2, struct wire_get_tree_head_response, keys, wire_signed_record_type, 0),
};
const struct wire_message wire_get_tree_head_response_type =
    WIRE_TABLE("ujrat.audit.v1.GetTreeHeadResponse", struct wire_get_tree_head_response,
               get_tree_head_response_fields);

static const struct wire_field get_inclusion_proof_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_inclusion_proof_request, payout),
    WIRE_F_SLICE(2, struct wire_get_inclusion_proof_request, journal),
    WIRE_F_INT64(3, struct wire_get_inclusion_proof_request, tree_size),
};
const struct wire_message wire_get_inclusion_proof_request_type =
    WIRE_TABLE("ujrat.audit.v1.GetInclusionProofRequest", struct wire_get_inclusion_proof_request,
               get_inclusion_proof_request_fields);

static const struct wire_field journal_proof_fields[] = {
    WIRE_F_SLICE(1, struct wire_journal_proof, journal),
    WIRE_F_SLICE(2, struct wire_journal_proof, record),
    WIRE_F_INT64(3, struct wire_journal_proof, leaf_index),
    WIRE_F_SLICE(4, struct wire_journal_proof, leaf_path),
    WIRE_F_INT64(5, struct wire_journal_proof, block_number),
    WIRE_F_MESSAGE(6, struct wire_journal_proof, block, wire_signed_record_type),
    WIRE_F_SLICE(7, struct wire_journal_proof, block_path),
};
const struct wire_message wire_journal_proof_type =
    WIRE_TABLE("ujrat.audit.v1.JournalProof", struct wire_journal_proof, journal_proof_fields);

static const struct wire_field get_inclusion_proof_response_fields[] = {
    WIRE_F_REPEATED(1, struct wire_get_inclusion_proof_response, journals, wire_journal_proof_type,
                    0),
    WIRE_F_MESSAGE(2, struct wire_get_inclusion_proof_response, tree_head, wire_tree_head_type),
    WIRE_F_REPEATED(3, struct wire_get_inclusion_proof_response, keys, wire_signed_record_type, 0),
};
const struct wire_message wire_get_inclusion_proof_response_type =
    WIRE_TABLE("ujrat.audit.v1.GetInclusionProofResponse", struct wire_get_inclusion_proof_response,
               get_inclusion_proof_response_fields);

static const struct wire_field get_consistency_proof_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_consistency_proof_request, book),
    WIRE_F_INT64(2, struct wire_get_consistency_proof_request, old_size),
    WIRE_F_INT64(3, struct wire_get_consistency_proof_request, new_size),
};
const struct wire_message wire_get_consistency_proof_request_type =
    WIRE_TABLE("ujrat.audit.v1.GetConsistencyProofRequest",
               struct wire_get_consistency_proof_request, get_consistency_proof_request_fields);

static const struct wire_field get_consistency_proof_response_fields[] = {
    WIRE_F_INT64(1, struct wire_get_consistency_proof_response, old_size),
    WIRE_F_INT64(2, struct wire_get_consistency_proof_response, new_size),
    WIRE_F_SLICE(3, struct wire_get_consistency_proof_response, old_root),
    WIRE_F_SLICE(4, struct wire_get_consistency_proof_response, new_root),
    WIRE_F_SLICE(5, struct wire_get_consistency_proof_response, path),
    WIRE_F_MESSAGE(6, struct wire_get_consistency_proof_response, tree_head, wire_tree_head_type),
};
const struct wire_message wire_get_consistency_proof_response_type =
    WIRE_TABLE("ujrat.audit.v1.GetConsistencyProofResponse",
               struct wire_get_consistency_proof_response, get_consistency_proof_response_fields);

static const struct wire_field get_receipt_request_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_receipt_request, payout),
};
const struct wire_message wire_get_receipt_request_type =
    WIRE_TABLE("ujrat.audit.v1.GetReceiptRequest", struct wire_get_receipt_request,
               get_receipt_request_fields);

static const struct wire_field get_receipt_response_fields[] = {
    WIRE_F_SLICE(1, struct wire_get_receipt_response, receipt),
};
const struct wire_message wire_get_receipt_response_type =
    WIRE_TABLE("ujrat.audit.v1.GetReceiptResponse", struct wire_get_receipt_response,
               get_receipt_response_fields);
