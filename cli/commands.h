/* commands.h: what each command brings to the table in main.c. */
#ifndef UJRAT_CLI_COMMANDS_H
#define UJRAT_CLI_COMMANDS_H

#include "base/command.h"

extern const char db_migrate_help[], db_status_help[], platform_add_help[], bank_connect_help[],
    principal_add_help[], float_deposit_help[], rates_import_help[], rates_show_help[],
    trial_balance_help[], payout_submit_help[], payout_get_help[], payout_cancel_help[],
    payout_watch_help[], quote_help[], beneficiary_add_help[], receiver_help[], bank_run_help[],
    bank_books_help[], payout_report_help[], compare_help[], receipt_help[], pii_key_new_help[],
    pii_rotate_help[], pii_status_help[], pii_erase_help[], log_key_add_help[], log_key_list_help[],
    log_key_export_help[], log_status_help[], bank_fund_help[];

extern const struct option_row db_migrate_options[], platform_add_options[],
    float_deposit_options[], rates_import_options[], rates_show_options[], trial_balance_options[],
    payout_submit_options[], payout_list_options[], payout_watch_options[], quote_options[],
    beneficiary_add_options[], bank_run_options[], bank_books_options[], payout_report_options[],
    receipt_options[], pii_rotate_options[], pii_status_options[], pii_erase_options[],
    log_key_add_options[], bank_fund_options[];
enum exit_code db_migrate_run(const struct args *args);
enum exit_code db_status_run(const struct args *args);
enum exit_code platform_add_run(const struct args *args);
enum exit_code bank_connect_run(const struct args *args);
enum exit_code bank_list_run(const struct args *args);
enum exit_code bank_fund_run(const struct args *args);
enum exit_code principal_add_run(const struct args *args);
enum exit_code principal_enable_run(const struct args *args);
enum exit_code principal_disable_run(const struct args *args);
enum exit_code principal_list_run(const struct args *args);

/* rest_client.c */
extern const char rest_client_add_help[], rest_client_rotate_help[], rest_client_disable_help[];
extern const struct option_row rest_client_add_options[], rest_client_rotate_options[];
enum exit_code rest_client_add_run(const struct args *args);
enum exit_code rest_client_rotate_run(const struct args *args);
enum exit_code rest_client_enable_run(const struct args *args);
enum exit_code rest_client_disable_run(const struct args *args);
enum exit_code rest_client_list_run(const struct args *args);
enum exit_code float_deposit_run(const struct args *args);
enum exit_code rates_import_run(const struct args *args);
enum exit_code rates_show_run(const struct args *args);
enum exit_code pii_key_new_run(const struct args *args);
enum exit_code pii_rotate_run(const struct args *args);
enum exit_code pii_status_run(const struct args *args);
enum exit_code pii_erase_run(const struct args *args);
enum exit_code payout_report_run(const struct args *args);
enum exit_code compare_run(const struct args *args);
enum exit_code trial_balance_run(const struct args *args);
enum exit_code payout_submit_run(const struct args *args);
enum exit_code payout_get_run(const struct args *args);
enum exit_code payout_list_run(const struct args *args);
enum exit_code payout_watch_run(const struct args *args);
enum exit_code payout_cancel_run(const struct args *args);
enum exit_code quote_run(const struct args *args);
enum exit_code balance_run(const struct args *args);
enum exit_code beneficiary_add_run(const struct args *args);
enum exit_code beneficiary_list_run(const struct args *args);
enum exit_code receiver_add_run(const struct args *args);
enum exit_code receiver_list_run(const struct args *args);
enum exit_code receiver_remove_run(const struct args *args);
enum exit_code bank_run_run(const struct args *args);
enum exit_code bank_books_run(const struct args *args);
enum exit_code bank_position_run(const struct args *args);
enum exit_code receipt_run(const struct args *args);
enum exit_code log_key_add_run(const struct args *args);
enum exit_code log_key_list_run(const struct args *args);
enum exit_code log_key_export_run(const struct args *args);
enum exit_code log_status_run(const struct args *args);

/* statement.c */
extern const char year_statement_help[];
extern const struct option_row year_statement_options[];
enum exit_code year_statement_run(const struct args *args);

extern const char recon_adjust_help[], recon_accept_help[], recon_approve_help[],
    recon_refuse_help[];
extern const struct option_row recon_adjust_options[], recon_accept_options[], recon_list_options[],
    recon_decide_options[];
enum exit_code recon_adjust_run(const struct args *args);
enum exit_code recon_accept_run(const struct args *args);
enum exit_code recon_approve_run(const struct args *args);
enum exit_code recon_refuse_run(const struct args *args);
enum exit_code recon_list_run(const struct args *args);

extern const char bank_terms_help[], bank_taxes_help[], tax_estimate_help[], calendar_add_help[],
    calendar_list_help[], window_list_help[], window_show_help[], window_close_help[],
    window_dispute_help[], window_settle_help[], recall_help[], settle_alerts_help[],
    settle_alerts_end_help[], float_low_help[], bank_reverse_return_help[], hold_list_help[],
    hold_show_help[], hold_place_help[], hold_approve_help[], hold_refuse_help[],
    hold_withdraw_help[];
extern const struct option_row bank_terms_options[], bank_taxes_options[], tax_estimate_options[],
    calendar_add_options[], calendar_list_options[], window_list_options[],
    window_dispute_options[], window_settle_options[], recall_options[], settle_alerts_options[],
    settle_alerts_end_options[], float_low_options[], bank_reverse_return_options[],
    hold_list_options[], hold_place_options[], hold_decide_options[];
enum exit_code bank_terms_run(const struct args *args);
enum exit_code bank_taxes_run(const struct args *args);
enum exit_code tax_estimate_run(const struct args *args);
enum exit_code calendar_add_run(const struct args *args);
enum exit_code calendar_list_run(const struct args *args);
enum exit_code window_list_run(const struct args *args);
enum exit_code window_show_run(const struct args *args);
enum exit_code window_close_run(const struct args *args);
enum exit_code window_dispute_run(const struct args *args);
enum exit_code window_settle_run(const struct args *args);
enum exit_code recall_run(const struct args *args);
enum exit_code settle_alerts_run(const struct args *args);
enum exit_code hold_list_run(const struct args *args);
enum exit_code hold_show_run(const struct args *args);
enum exit_code hold_place_run(const struct args *args);
enum exit_code hold_approve_run(const struct args *args);
enum exit_code hold_refuse_run(const struct args *args);
enum exit_code hold_withdraw_run(const struct args *args);
enum exit_code settle_alerts_end_run(const struct args *args);
enum exit_code float_low_run(const struct args *args);
enum exit_code bank_reverse_return_run(const struct args *args);

extern const char policy_propose_help[], policy_diff_help[], policy_simulate_help[],
    policy_approve_help[], policy_refuse_help[], policy_show_help[], policy_history_help[];
extern const struct option_row policy_propose_options[], policy_list_options[],
    policy_simulate_options[], policy_decide_options[], policy_show_options[],
    policy_history_options[];
enum exit_code policy_propose_run(const struct args *args);
enum exit_code policy_list_run(const struct args *args);
enum exit_code policy_diff_run(const struct args *args);
enum exit_code policy_simulate_run(const struct args *args);
enum exit_code policy_approve_run(const struct args *args);
enum exit_code policy_refuse_run(const struct args *args);
enum exit_code policy_show_run(const struct args *args);
enum exit_code policy_history_run(const struct args *args);

extern const char operator_enroll_help[], operator_confirm_help[], operator_list_help[],
    operator_revoke_help[];
extern const struct option_row operator_enroll_options[], operator_confirm_options[],
    operator_list_options[], operator_revoke_options[];
enum exit_code operator_enroll_run(const struct args *args);
enum exit_code operator_confirm_run(const struct args *args);
enum exit_code operator_list_run(const struct args *args);
enum exit_code operator_revoke_run(const struct args *args);

extern const char webhook_key_new_help[], webhook_list_help[], webhook_deliveries_help[],
    webhook_replay_help[], webhook_enable_help[], webhook_disable_help[];
extern const struct option_row webhook_key_new_options[], webhook_deliveries_options[],
    webhook_replay_options[];
enum exit_code webhook_key_new_run(const struct args *args);
enum exit_code webhook_list_run(const struct args *args);
enum exit_code webhook_deliveries_run(const struct args *args);
enum exit_code webhook_replay_run(const struct args *args);
enum exit_code webhook_enable_run(const struct args *args);
enum exit_code webhook_disable_run(const struct args *args);

extern const char sanctions_import_help[], sanctions_list_help[], sanctions_show_help[],
    sanctions_diff_help[], screen_help[];
extern const struct option_row sanctions_import_options[], sanctions_show_options[],
    screen_options[];
enum exit_code sanctions_import_run(const struct args *args);
enum exit_code sanctions_list_run(const struct args *args);
enum exit_code sanctions_show_run(const struct args *args);
enum exit_code sanctions_diff_run(const struct args *args);
enum exit_code screen_run(const struct args *args);

#endif
