/* Every method the gateway answers. A new one: its row here, its file beside this one. */
#include "gateway/rpc/methods.h"

#include <stddef.h>

#include "gateway/rpc/rpc.h"

const struct rpc_method *const rpc_methods[] = {
    &rpc_submit_payout,
    &rpc_submit_payouts,
    &rpc_create_quote,
    &rpc_get_balance,
    &rpc_register_beneficiary,
    &rpc_update_beneficiary,
    &rpc_get_beneficiary,
    &rpc_list_beneficiaries,
    &rpc_add_receiver,
    &rpc_list_receivers,
    &rpc_remove_receiver,
    &rpc_get_payout,
    &rpc_get_payout_by_reference,
    &rpc_list_payouts,
    &rpc_cancel_payout,
    &rpc_watch_payouts,
    &rpc_watch_instructions,
    &rpc_confirm_instructions,
    &rpc_return_payment,
    &rpc_reverse_return,
    &rpc_get_position,
    &rpc_list_windows,
    &rpc_get_window,
    &rpc_report_window,
    &rpc_watch_inquiries,
    &rpc_answer_inquiries,
    &rpc_get_trial_balance,
    &rpc_list_journals,
    &rpc_get_account_statement,
    &rpc_get_payout_trail,
    &rpc_get_tree_head,
    &rpc_get_inclusion_proof,
    &rpc_get_consistency_proof,
    &rpc_get_receipt,
    NULL,
};
