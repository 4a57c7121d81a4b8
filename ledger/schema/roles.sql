-- Who may do what. Roles are made without a password: an operator sets one (or uses certificates, peer ...).
-- Applied with every migration, and says the same each time.
--
--   ujrat_owner     owns everything; nobody logs in as it
--   ujrat_app       the gateway: reads, and changes through functions only
--   ujrat_settle    settlement: reads, and the settlement functions only
--   ujrat_sealer    seals blocks: reads, and seal_blocks
--   ujrat_hooks     delivers webhooks: reads what they are made of, and moves them on
--   ujrat_auditor   reads
--   ujrat_operator  opens books, banks and floats, imports rates, proposes and approves adjustments, erases people and
--                   changes the keys of their data; agrees banks' terms, proposes and approves policy, keeps the calendar, closes and settles windows, recalls;
--                   imports sanctions lists

REVOKE ALL ON SCHEMA ujrat FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ujrat FROM PUBLIC, ujrat_app, ujrat_settle, ujrat_sealer, ujrat_hooks, ujrat_auditor, ujrat_operator;
REVOKE ALL ON ALL TABLES IN SCHEMA ujrat FROM PUBLIC, ujrat_app, ujrat_settle, ujrat_sealer, ujrat_hooks, ujrat_auditor, ujrat_operator;
-- What the owner makes by hand between migrations is nobody's either.
ALTER DEFAULT PRIVILEGES FOR ROLE ujrat_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT USAGE ON SCHEMA ujrat TO ujrat_app, ujrat_settle, ujrat_sealer, ujrat_hooks, ujrat_auditor, ujrat_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA ujrat TO ujrat_app, ujrat_settle, ujrat_sealer, ujrat_auditor, ujrat_operator;
-- Encrypted personal data: for who decrypts it, and who encrypts it anew.
REVOKE SELECT ON beneficiary_pii FROM ujrat_sealer, ujrat_auditor;
-- What operators say of holds, and why: nobody else's, and least of all a platform's. The log has hashes of it.
REVOKE SELECT ON payout_hold, payout_hold_decision FROM ujrat_app, ujrat_settle, ujrat_sealer, ujrat_auditor;
GRANT SELECT (book_id, payout_id, hold_no, reason, seq, detail_sha256, evidence_sha256, queue, deadline, principal_id, held_at)
    ON payout_hold TO ujrat_app, ujrat_settle, ujrat_sealer, ujrat_auditor;
GRANT SELECT (book_id, payout_id, hold_no, decision_no, decision, note_sha256, principal_id, decided_at)
    ON payout_hold_decision TO ujrat_app, ujrat_settle, ujrat_sealer, ujrat_auditor;
-- By whom and what a person is found, and the boxes of items: for nobody else either. Of the rest of those rows everyone may read.
REVOKE SELECT ON receiver, payout_batch_item, batch_item_now, unclaimed_open FROM ujrat_settle, ujrat_sealer, ujrat_auditor;
GRANT SELECT (book_id, batch_id, item_no, payout_id, unclaimed_id, reason, sender_item_id, item_id_reused, gross, recipient_type)
    ON payout_batch_item TO ujrat_settle, ujrat_sealer, ujrat_auditor;
GRANT SELECT (book_id, unclaimed_id, expires_at) ON unclaimed_open TO ujrat_settle, ujrat_sealer, ujrat_auditor;
-- Secrets of clients: for the gateway, which checks them.
REVOKE SELECT ON rest_credential FROM ujrat_settle, ujrat_sealer, ujrat_auditor, ujrat_operator;
GRANT SELECT (credential_id, client_id, principal_id, sandbox, enabled, created_at, created_by) ON rest_credential
    TO ujrat_settle, ujrat_sealer, ujrat_auditor, ujrat_operator;
-- Secrets of operators are the owner's alone. An operator enrols his own, and revokes others'.
REVOKE SELECT ON operator_totp FROM ujrat_app, ujrat_settle, ujrat_sealer, ujrat_auditor, ujrat_operator;
GRANT EXECUTE ON FUNCTION enroll_operator, confirm_operator, revoke_operator TO ujrat_operator;
GRANT EXECUTE ON FUNCTION operators_now TO ujrat_operator, ujrat_auditor;
GRANT EXECUTE ON FUNCTION current_balance, payout_state, order_number, returned_amount, handed_out_upto, bank_payouts_after, digit_factor, block_upto,
    working_day, bank_exposure, hand_out_room, bank_waiting, bank_position, bank_forecast, window_parts, window_totals, windows_of_bank,
    windows_to_end, alerts_due, shown_amount, open_questions, recall_is_over, instruction_id, handed_out_at, handed_out_by,
    rules_in_force, policy_at, policy_time_text
    TO ujrat_app, ujrat_settle, ujrat_sealer, ujrat_auditor, ujrat_operator;
GRANT EXECUTE ON FUNCTION post_payouts, cancel_payout, create_quote, register_beneficiary, update_beneficiary,
    hand_out, confirm_instructions, return_payment, reverse_return, moment_past, report_window, answer_questions, submit_batch,
    claim_unclaimed, return_unclaimed, cancel_unclaimed, add_receiver, remove_receiver, register_claimant TO ujrat_app;
GRANT EXECUTE ON FUNCTION hand_out, confirm_instructions, return_payment, reverse_return, hand_out_window, open_first_window, close_window, end_window,
    report_window, overdue_instructions, ask, note_status, request_recall, answer_recall, answer_questions, raise_alert, end_alert,
    refresh_alerts, check_taxes, add_file_out, add_file_in TO ujrat_settle;
GRANT EXECUTE ON FUNCTION seal_blocks TO ujrat_sealer;
GRANT EXECUTE ON FUNCTION add_log_key TO ujrat_operator;
-- Webhooks: the notifier speaks to the world, and sees no more than it tells.
GRANT SELECT ON webhook, webhook_version, webhook_now, webhook_key, webhook_cursor, webhook_event_kind, webhook_event, webhook_event_facts, webhook_delivery,
    schema_migration TO ujrat_hooks;
GRANT EXECUTE ON FUNCTION make_webhook_events, webhook_books, record_webhook_delivery, disable_webhook, add_webhook_key TO ujrat_hooks;
GRANT EXECUTE ON FUNCTION create_webhook, change_webhook, simulate_webhook_event, resend_webhook_events TO ujrat_app;
GRANT EXECUTE ON FUNCTION change_webhook, resend_webhook_events TO ujrat_operator;
GRANT EXECUTE ON FUNCTION open_book, open_currency, connect_bank, add_principal, set_principal_enabled, deposit_float, import_rates,
    open_terms, propose_adjustment, decide_adjustment, erase_beneficiary, rotate_pii, rotate_receivers, rotate_batch_items, fund_nostro, plan_funding,
    add_rest_credential, set_rest_credential, add_receiver, remove_receiver TO ujrat_operator;
GRANT EXECUTE ON FUNCTION set_bank_terms, record_calendar_day, set_float_low, hand_out_window, close_window,
    end_window, dispute_window, propose_window_settled, approve_window_settled, request_recall, propose_return_reversal, decide_return_reversal, dismiss_alert,
    place_hold, decide_hold, withdraw_hold_decision TO ujrat_operator;
GRANT EXECUTE ON FUNCTION propose_policy, decide_policy TO ujrat_operator;
GRANT EXECUTE ON FUNCTION import_sanctions TO ujrat_operator;
ALTER ROLE ujrat_auditor SET default_transaction_read_only = on;

-- PostgreSQL lets everyone make temporary tables and large objects. Nobody here needs either, and the auditor writes nothing
-- at all. (An administrator who may not say so is warned: it is then for the database's owner to do.)
DO $$
BEGIN
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege OR undefined_object OR invalid_schema_name THEN
    RAISE WARNING 'not taken from everyone: temporary tables and large objects (%)', SQLERRM;
END $$;
