/* methods.h: the rows of rpc_methods[], each defined in the file named beside it. */
#ifndef UJRAT_RPC_METHODS_H
#define UJRAT_RPC_METHODS_H

#include "gateway/rpc/rpc.h"

extern const struct rpc_method rpc_submit_payout, rpc_submit_payouts; /* payout_submit.c */
extern const struct rpc_method rpc_create_quote;                      /* quote_create.c */
extern const struct rpc_method rpc_get_balance;                       /* balance_get.c */
extern const struct rpc_method rpc_register_beneficiary,
    rpc_update_beneficiary; /* beneficiary_register.c */
extern const struct rpc_method rpc_get_beneficiary, rpc_list_beneficiaries; /* beneficiary_get.c */
extern const struct rpc_method rpc_add_receiver, rpc_list_receivers,
    rpc_remove_receiver; /* beneficiary_receiver.c */
/* payout_get.c, payout_list.c, payout_cancel.c, payout_watch.c */
extern const struct rpc_method rpc_get_payout, rpc_get_payout_by_reference, rpc_list_payouts,
    rpc_cancel_payout, rpc_watch_payouts;
/* settlement_watch.c, settlement_confirm.c, settlement_return.c, settlement_reverse_return.c, settlement_position.c */
extern const struct rpc_method rpc_watch_instructions, rpc_confirm_instructions, rpc_return_payment,
    rpc_reverse_return, rpc_get_position;
/* settlement_window.c, settlement_inquiry.c */
extern const struct rpc_method rpc_list_windows, rpc_get_window, rpc_report_window,
    rpc_watch_inquiries, rpc_answer_inquiries;
/* audit_trial_balance.c, audit_journals.c, audit_account_statement.c, audit_payout_trail.c */
extern const struct rpc_method rpc_get_trial_balance, rpc_list_journals, rpc_get_account_statement,
    rpc_get_payout_trail;
/* log_head.c, log_inclusion.c, log_consistency.c, log_receipt.c */
extern const struct rpc_method rpc_get_tree_head, rpc_get_inclusion_proof,
    rpc_get_consistency_proof, rpc_get_receipt;

#endif
