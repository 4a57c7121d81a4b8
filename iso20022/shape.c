#include "iso20022/shape.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* ---------------------------------------------------------------- how rows are written down */

#define AT(s, f) (uint16_t) offsetof(struct s, f)

/* A value: name, type, longest length, field, flags. */
#define VALUE(n, t, chars, s, f, fl)                                                               \
    {                                                                                              \
        .name = (n), .type = (t), .chars_max = (chars), .offset = AT(s, f), .flags = (fl)          \
    }
#define ID(n, s, f, fl)     VALUE(n, ISO_ID, 35, s, f, fl)
#define CODE(n, s, f, fl)   VALUE(n, ISO_CODE, 4, s, f, fl)
#define BIC(n, s, f, fl)    VALUE(n, ISO_BIC, 11, s, f, fl)
#define AMOUNT(n, s, f, fl) VALUE(n, ISO_AMOUNT, 0, s, f, fl)
#define DATE(n, s, f, fl)   VALUE(n, ISO_DATE, 0, s, f, fl)
#define TIME(n, s, f, fl)   VALUE(n, ISO_TIME, 0, s, f, fl)
#define COUNT(n, s, f, fl)  VALUE(n, ISO_COUNT, 0, s, f, fl)
#define WORD(n, w, s, f, fl)                                                                       \
    {                                                                                              \
        .name = (n), .type = ISO_WORD, .words = (w), .chars_max = 4, .offset = AT(s, f),           \
        .flags = (fl)                                                                              \
    }
#define CONSTANT(n, w)                                                                             \
    {                                                                                              \
        .name = (n), .type = ISO_CONSTANT, .words = (w)                                            \
    }
#define NEVER(n)                                                                                   \
    {                                                                                              \
        .name = (n), .type = ISO_NEVER                                                             \
    }

/* A list of values: its field is a struct with n and at[]. */
#define VALUES(n, t, chars, s, f, list, most)                                                      \
    {                                                                                              \
        .name = (n), .type = (t), .chars_max = (chars), .offset = AT(s, f), .list_max = (most),    \
        .list_at = AT(list, at), .list_stride = sizeof(((struct list *)0)->at[0])                  \
    }

/* Elements inside, about a struct that is a field of what the group stands in, or about that itself. */
#define GROUP(n, in, ck, s, f, fl)                                                                 \
    {                                                                                              \
        .name = (n), .type = ISO_GROUP, .inner = (in), .check = (ck), .offset = AT(s, f),          \
        .flags = (fl)                                                                              \
    }
#define WITHIN(n, in, fl)                                                                          \
    {                                                                                              \
        .name = (n), .type = ISO_GROUP, .inner = (in), .flags = (fl)                               \
    }
#define ITEM(n, in, fl) WITHIN(n, in, ISO_ITEM | (fl))
#define CHOICE(n, in, fl)                                                                          \
    {                                                                                              \
        .name = (n), .type = ISO_GROUP, .inner = (in), .check = ISO_CHECK_CHOICE, .flags = (fl)    \
    }
#define GROUPS(n, in, ck, s, f, list, most, fl)                                                    \
    {                                                                                              \
        .name = (n), .type = ISO_GROUP, .inner = (in), .check = (ck), .offset = AT(s, f),          \
        .list_max = (most), .list_at = AT(list, at),                                               \
        .list_stride = sizeof(((struct list *)0)->at[0]), .flags = (fl)                            \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define TABLE static const struct iso_element

#define AGENT(n, s, f, fl)       GROUP(n, agent, ISO_CHECK_AGENT, s, f, fl)
#define PARTY(n, s, f, fl)       GROUP(n, party, ISO_CHECK_PARTY, s, f, fl)
#define ACCOUNT(n, s, f, fl)     GROUP(n, account, ISO_CHECK_ACCOUNT, s, f, fl)
#define REMITTANCE(s, f)         GROUP("RmtInf", remittance, ISO_CHECK_REMITTANCE, s, f, 0)
#define CHARGES(n, s, f)         GROUPS(n, charge, ISO_NO_CHECK, s, f, iso_charges, ISO_CHARGES_MAX, 0)
#define REASONS(n, s, f)         GROUPS(n, reason, ISO_CHECK_REASON, s, f, iso_reasons, ISO_REASONS_MAX, 0)
#define LINES(n, t, chars, s, f) VALUES(n, t, chars, s, f, iso_lines, ISO_LINES_MAX)

/* DateAndDateTime2Choice: the day is what counts. */
#define DAY(name, s, f)                                                                            \
    TABLE name[] = {DATE("Dt", s, f, ISO_MUST), VALUE("DtTm", ISO_DAY_OF, 0, s, f, ISO_READ), END}

/* ---------------------------------------------------------------- institutions, people, accounts */

/* Table and macro lines read better than clang-format's idea of them. */
/* clang-format off */
TABLE clearing_system_id[] = {VALUE("Cd", ISO_CODE, 5, iso_agent, clearing_system, 0), END};
TABLE clearing_member[] = {
    WITHIN("ClrSysId", clearing_system_id, 0),
    ID("MmbId", iso_agent, member_id, ISO_MUST),
    END};
TABLE institution[] = {
    BIC("BICFI", iso_agent, bic, 0),
    WITHIN("ClrSysMmbId", clearing_member, 0),
    VALUE("LEI", ISO_LEI, 20, iso_agent, lei, 0),
    VALUE("Nm", ISO_NAME, 140, iso_agent, name, 0),
    END};
TABLE agent[] = {WITHIN("FinInstnId", institution, ISO_MUST), END};

TABLE address[] = {
    VALUE("StrtNm", ISO_NAME, 70, iso_address, street, 0),
    VALUE("BldgNb", ISO_NAME, 16, iso_address, building_number, 0),
    VALUE("BldgNm", ISO_NAME, 35, iso_address, building_name, 0),
    VALUE("Flr", ISO_NAME, 70, iso_address, floor, 0),
    VALUE("PstBx", ISO_NAME, 16, iso_address, post_box, 0),
    VALUE("Room", ISO_NAME, 70, iso_address, room, 0),
    VALUE("PstCd", ISO_NAME, 16, iso_address, postcode, 0),
    VALUE("TwnNm", ISO_NAME, 35, iso_address, town, 0),
    VALUE("TwnLctnNm", ISO_NAME, 35, iso_address, location, 0),
    VALUE("DstrctNm", ISO_NAME, 35, iso_address, district, 0),
    VALUE("CtrySubDvsn", ISO_NAME, 35, iso_address, subdivision, 0),
    VALUE("Ctry", ISO_COUNTRY, 2, iso_address, country, 0),
    LINES("AdrLine", ISO_NAME, 70, iso_address, lines),
    END};

TABLE organisation_scheme[] = {CODE("Cd", iso_party, organisation_scheme, 0), END};
TABLE organisation_other[] = {
    ID("Id", iso_party, organisation_id, ISO_MUST),
    WITHIN("SchmeNm", organisation_scheme, 0),
    END};
TABLE organisation[] = {
    BIC("AnyBIC", iso_party, organisation_bic, 0),
    VALUE("LEI", ISO_LEI, 20, iso_party, organisation_lei, 0),
    WITHIN("Othr", organisation_other, 0),
    END};
TABLE person_scheme[] = {CODE("Cd", iso_party, person_scheme, 0), END};
TABLE person_other[] = {
    ID("Id", iso_party, person_id, ISO_MUST),
    WITHIN("SchmeNm", person_scheme, 0),
    END};
TABLE person[] = {WITHIN("Othr", person_other, 0), END};
TABLE party_id[] = {WITHIN("OrgId", organisation, 0), WITHIN("PrvtId", person, 0), END};
TABLE party[] = {
    VALUE("Nm", ISO_NAME, 140, iso_party, name, 0),
    GROUP("PstlAdr", address, ISO_CHECK_ADDRESS, iso_party, address, 0),
    CHOICE("Id", party_id, 0),
    VALUE("CtryOfRes", ISO_COUNTRY, 2, iso_party, residence, 0),
    END};

TABLE account_scheme[] = {CODE("Cd", iso_account, other_scheme, 0), END};
TABLE account_other[] = {
    VALUE("Id", ISO_ID, 34, iso_account, other_id, ISO_MUST),
    WITHIN("SchmeNm", account_scheme, 0),
    END};
TABLE account_id[] = {
    VALUE("IBAN", ISO_IBAN, 34, iso_account, iban, 0),
    WITHIN("Othr", account_other, 0),
    END};
TABLE proxy_type[] = {CODE("Cd", iso_account, proxy_type, 0), END};
TABLE proxy[] = {
    CHOICE("Tp", proxy_type, 0),
    VALUE("Id", ISO_NAME, 320, iso_account, proxy_id, ISO_MUST),
    END};
TABLE account[] = {
    CHOICE("Id", account_id, ISO_MUST),
    VALUE("Ccy", ISO_CURRENCY, 3, iso_account, ccy, 0),
    WITHIN("Prxy", proxy, 0),
    END};

TABLE only_any_bic[] = {BIC("AnyBIC", iso_agent, bic, ISO_MUST), END};
TABLE only_organisation[] = {WITHIN("OrgId", only_any_bic, ISO_MUST), END};
/* A party that is told by a BIC alone, as an iso_agent. */
TABLE party_by_bic[] = {WITHIN("Id", only_organisation, ISO_MUST), END};

/* ---------------------------------------------------------------- amounts, reasons, remittance */

TABLE charge[] = {
    VALUE("Amt", ISO_BALANCE, 0, iso_charge, amount, ISO_MUST), /* CBPR+: zero is said, too */
    AGENT("Agt", iso_charge, agent, ISO_MUST),
    END};

TABLE originator_organisation[] = {BIC("AnyBIC", iso_reason, originator_bic, 0), END};
TABLE originator_id[] = {WITHIN("OrgId", originator_organisation, 0), END};
TABLE originator[] = {WITHIN("Id", originator_id, 0), END};
TABLE reason_code[] = {
    CODE("Cd", iso_reason, code, 0),
    VALUE("Prtry", ISO_TEXT, 35, iso_reason, proprietary, 0),
    END};
TABLE reason[] = {
    WITHIN("Orgtr", originator, 0),
    CHOICE("Rsn", reason_code, 0),
    LINES("AddtlInf", ISO_TEXT, 105, iso_reason, info),
    END};

TABLE creditor_reference[] = {{.name = "Ref", .type = ISO_NAME, .chars_max = 35}, END};
TABLE structured[] = {WITHIN("CdtrRefInf", creditor_reference, 0), END};
TABLE remittance[] = {
    LINES("Ustrd", ISO_NAME, 140, iso_remittance, lines),
    GROUPS("Strd", structured, ISO_NO_CHECK, iso_remittance, references, iso_lines, ISO_LINES_MAX, 0),
    END};

/* ---------------------------------------------------------------- group headers */

TABLE clearing_system[] = {
    VALUE("Prtry", ISO_NAME, 35, iso_group, clearing_system, 0),
    VALUE("Cd", ISO_CODE, 3, iso_group, clearing_system, ISO_READ),
    END};
TABLE settlement[] = {
    WORD("SttlmMtd", "INDA INGA COVE CLRG", iso_group, settlement_method, ISO_MUST),
    ACCOUNT("SttlmAcct", iso_group, settlement_account, 0),
    WITHIN("ClrSys", clearing_system, 0),
    END};

#define MESSAGE_ID ID("MsgId", iso_group, message_id, ISO_MUST), TIME("CreDtTm", iso_group, creation_us, ISO_MUST)
#define TOTALS                                                                                     \
    COUNT("NbOfTxs", iso_group, count, ISO_MUST), VALUE("CtrlSum", ISO_DECIMAL, 0, iso_group, control_sum, 0)
#define AGENTS AGENT("InstgAgt", iso_group, instructing, 0), AGENT("InstdAgt", iso_group, instructed, 0)

TABLE payment_header[] = { /* pacs.008, pacs.009 */
    MESSAGE_ID, TOTALS,
    AMOUNT("TtlIntrBkSttlmAmt", iso_group, total, 0),
    DATE("IntrBkSttlmDt", iso_group, settlement_date, 0),
    WITHIN("SttlmInf", settlement, ISO_MUST),
    AGENTS, END};
TABLE return_header[] = {
    MESSAGE_ID, TOTALS, NEVER("GrpRtr"),
    AMOUNT("TtlRtrdIntrBkSttlmAmt", iso_group, total, 0),
    DATE("IntrBkSttlmDt", iso_group, settlement_date, 0),
    WITHIN("SttlmInf", settlement, ISO_MUST),
    AGENTS, END};
TABLE status_header[] = {MESSAGE_ID, AGENTS, END}; /* pacs.002, pacs.028 */

TABLE assigner[] = {AGENT("Agt", iso_group, instructing, ISO_MUST), END};
TABLE assignee[] = {AGENT("Agt", iso_group, instructed, ISO_MUST), END};
TABLE assignment[] = { /* camt.029, camt.056 */
    ID("Id", iso_group, message_id, ISO_MUST),
    WITHIN("Assgnr", assigner, ISO_MUST),
    WITHIN("Assgne", assignee, ISO_MUST),
    TIME("CreDtTm", iso_group, creation_us, ISO_MUST),
    END};

/* ---------------------------------------------------------------- payments */

#define IDS                                                                                        \
    ID("InstrId", iso_ids, instruction_id, ISO_MUST), ID("EndToEndId", iso_ids, end_to_end_id, ISO_MUST)
#define UETR(n, s, f, fl) VALUE(n, ISO_UETR, 36, s, f, fl)

TABLE ids[] = {
    IDS, ID("TxId", iso_ids, tx_id, 0), UETR("UETR", iso_ids, uetr, ISO_MUST),
    ID("ClrSysRef", iso_ids, clearing_reference, 0), END};
/* A customer need not give InstrId and UETR; what we write has both. */
TABLE customer_ids[] = {ID("InstrId", iso_ids, instruction_id, 0), ID("EndToEndId", iso_ids, end_to_end_id, ISO_MUST),
                        UETR("UETR", iso_ids, uetr, 0), END};

TABLE service_level[] = {CODE("Cd", iso_transfer, service_level, 0), END};
TABLE local_instrument[] = {
    VALUE("Prtry", ISO_NAME, 35, iso_transfer, local_instrument, 0),
    VALUE("Cd", ISO_NAME, 35, iso_transfer, local_instrument, ISO_READ),
    END};
TABLE category_purpose[] = {CODE("Cd", iso_transfer, category_purpose, 0), END};
TABLE payment_type[] = {
    WORD("InstrPrty", "HIGH NORM", iso_transfer, priority, 0),
    WITHIN("SvcLvl", service_level, 0),
    WITHIN("LclInstrm", local_instrument, 0),
    WITHIN("CtgyPurp", category_purpose, 0),
    END};
TABLE purpose[] = {
    CODE("Cd", iso_transfer, purpose, 0),
    VALUE("Prtry", ISO_NAME, 35, iso_transfer, purpose_proprietary, 0),
    END};
TABLE reporting_details[] = {
    VALUE("Cd", ISO_NAME, 10, iso_transfer, reporting_code, 0),
    LINES("Inf", ISO_NAME, 35, iso_transfer, reporting_info),
    END};
TABLE reporting[] = {WITHIN("Dtls", reporting_details, 0), END};

#define CHARGE_BEARERS "DEBT CRED SHAR SLEV"
/* How a payment ends, the same for all that pay customers. */
#define ABOUT_PAYMENT                                                                              \
    CHOICE("Purp", purpose, 0), WITHIN("RgltryRptg", reporting, 0), REMITTANCE(iso_transfer, remittance)
#define TRANSFER_AGENTS                                                                            \
    AGENT("InstgAgt", iso_transfer, instructing, 0), AGENT("InstdAgt", iso_transfer, instructed, 0)
#define DEBTOR                                                                                     \
    PARTY("UltmtDbtr", iso_transfer, ultimate_debtor, 0), PARTY("Dbtr", iso_transfer, debtor, ISO_MUST),             \
    ACCOUNT("DbtrAcct", iso_transfer, debtor_account, 0), AGENT("DbtrAgt", iso_transfer, debtor_agent, ISO_MUST)
#define CREDITOR                                                                                   \
    AGENT("CdtrAgt", iso_transfer, creditor_agent, ISO_MUST), PARTY("Cdtr", iso_transfer, creditor, ISO_MUST),       \
    ACCOUNT("CdtrAcct", iso_transfer, creditor_account, ISO_MUST),                                 \
    PARTY("UltmtCdtr", iso_transfer, ultimate_creditor, 0)

TABLE pacs_008_transfer[] = {
    GROUP("PmtId", ids, ISO_NO_CHECK, iso_transfer, ids, ISO_MUST),
    WITHIN("PmtTpInf", payment_type, 0),
    AMOUNT("IntrBkSttlmAmt", iso_transfer, amount, ISO_MUST),
    DATE("IntrBkSttlmDt", iso_transfer, settlement_date, 0),
    AMOUNT("InstdAmt", iso_transfer, instructed_amount, 0),
    VALUE("XchgRate", ISO_DECIMAL, 0, iso_transfer, exchange_rate, 0),
    WORD("ChrgBr", CHARGE_BEARERS, iso_transfer, charge_bearer, ISO_MUST),
    CHARGES("ChrgsInf", iso_transfer, charges),
    TRANSFER_AGENTS, DEBTOR, CREDITOR, ABOUT_PAYMENT, END};
TABLE pacs_008[] = {
    WITHIN("GrpHdr", payment_header, ISO_MUST),
    ITEM("CdtTrfTxInf", pacs_008_transfer, 0),
    END};

TABLE covered[] = {DEBTOR, CREDITOR, REMITTANCE(iso_transfer, remittance),
    AMOUNT("InstdAmt", iso_transfer, instructed_amount, 0), END};
TABLE pacs_009_transfer[] = {
    GROUP("PmtId", ids, ISO_NO_CHECK, iso_transfer, ids, ISO_MUST),
    WITHIN("PmtTpInf", payment_type, 0),
    AMOUNT("IntrBkSttlmAmt", iso_transfer, amount, ISO_MUST),
    DATE("IntrBkSttlmDt", iso_transfer, settlement_date, 0),
    TRANSFER_AGENTS,
    AGENT("Dbtr", iso_transfer, paying, ISO_MUST),
    ACCOUNT("DbtrAcct", iso_transfer, paying_account, 0),
    AGENT("Cdtr", iso_transfer, paid, ISO_MUST),
    ACCOUNT("CdtrAcct", iso_transfer, paid_account, 0),
    WITHIN("UndrlygCstmrCdtTrf", covered, 0),
    END};
TABLE pacs_009[] = {
    WITHIN("GrpHdr", payment_header, ISO_MUST),
    ITEM("CdtTrfTxInf", pacs_009_transfer, 0),
    END};

TABLE customer_header[] = {
    MESSAGE_ID, TOTALS, PARTY("InitgPty", iso_group, initiator, ISO_MUST), END};
DAY(execution_date, iso_payment_block, execution_date);
TABLE instructed_amount[] = {AMOUNT("InstdAmt", iso_transfer, amount, ISO_MUST), END};
TABLE pain_001_transfer[] = {
    GROUP("PmtId", customer_ids, ISO_NO_CHECK, iso_transfer, ids, ISO_MUST),
    WITHIN("PmtTpInf", payment_type, 0),
    WITHIN("Amt", instructed_amount, ISO_MUST),
    PARTY("UltmtDbtr", iso_transfer, ultimate_debtor, 0),
    CREDITOR, ABOUT_PAYMENT, END};
TABLE payment_block[] = {
    ID("PmtInfId", iso_payment_block, id, ISO_MUST),
    CONSTANT("PmtMtd", "TRF"),
    COUNT("NbOfTxs", iso_payment_block, count, 0),
    VALUE("CtrlSum", ISO_DECIMAL, 0, iso_payment_block, control_sum, 0),
    WITHIN("ReqdExctnDt", execution_date, ISO_MUST),
    PARTY("Dbtr", iso_payment_block, debtor, ISO_MUST),
    ACCOUNT("DbtrAcct", iso_payment_block, debtor_account, ISO_MUST),
    AGENT("DbtrAgt", iso_payment_block, debtor_agent, ISO_MUST),
    WORD("ChrgBr", CHARGE_BEARERS, iso_payment_block, charge_bearer, 0),
    ITEM("CdtTrfTxInf", pain_001_transfer, 0),
    END};
TABLE pain_001[] = {
    WITHIN("GrpHdr", customer_header, ISO_MUST),
    GROUP("PmtInf", payment_block, ISO_NO_CHECK, iso_group, payment, ISO_MUST | ISO_PATH | ISO_AGAIN),
    END};

/* ---------------------------------------------------------------- about payments */

#define ORIGINAL_NAMES(s)                                                                          \
    ID("OrgnlMsgId", s, original.message_id, ISO_MUST),                                            \
    VALUE("OrgnlMsgNmId", ISO_NAME, 35, s, original.message_name, ISO_MUST),                       \
    TIME("OrgnlCreDtTm", s, original.creation_us, 0)
TABLE original[] = {ORIGINAL_NAMES(iso_follow_up), END};
TABLE group_original[] = {ORIGINAL_NAMES(iso_group), END};
#define ORIGINAL WITHIN("OrgnlGrpInf", original, 0)

/* The ids of an earlier payment stand among other elements. */
#define ORIGINAL_IDS                                                                               \
    ID("OrgnlInstrId", iso_follow_up, ids.instruction_id, 0),                                      \
    ID("OrgnlEndToEndId", iso_follow_up, ids.end_to_end_id, 0), ID("OrgnlTxId", iso_follow_up, ids.tx_id, 0)
#define ORIGINAL_UETR UETR("OrgnlUETR", iso_follow_up, ids.uetr, 0)
#define CLEARING_REFERENCE(n) ID(n, iso_follow_up, ids.clearing_reference, 0)
#define ORIGINAL_AMOUNT                                                                            \
    AMOUNT("OrgnlIntrBkSttlmAmt", iso_follow_up, original_amount, 0),                              \
    DATE("OrgnlIntrBkSttlmDt", iso_follow_up, original_date, 0)
#define FOLLOW_UP_AGENTS                                                                           \
    AGENT("InstgAgt", iso_follow_up, instructing, 0), AGENT("InstdAgt", iso_follow_up, instructed, 0)

TABLE original_transaction[] = {
    AMOUNT("IntrBkSttlmAmt", iso_follow_up, original_amount, 0),
    DATE("IntrBkSttlmDt", iso_follow_up, original_date, 0),
    END};

TABLE pacs_028_request[] = {
    ID("StsReqId", iso_follow_up, id, 0), ORIGINAL, ORIGINAL_IDS, ORIGINAL_UETR,
    TIME("AccptncDtTm", iso_follow_up, acceptance_us, 0),
    CLEARING_REFERENCE("ClrSysRef"), FOLLOW_UP_AGENTS,
    WITHIN("OrgnlTxRef", original_transaction, 0), END};
TABLE pacs_028[] = {
    WITHIN("GrpHdr", status_header, ISO_MUST),
    WITHIN("OrgnlGrpInf", group_original, 0),
    ITEM("TxInf", pacs_028_request, 0),
    END};

/* What the bank withheld and certified when the money was realised: pacs.002 has no element for it, and supplementary
 * data is what ISO 20022 has for that. camt.054 has elements of its own (Tax). */
#define REALISATION_NS "urn:ujrat:settlement:realisation:1"
TABLE realisation[] = {
    AMOUNT("TaxWthld", iso_follow_up, tax_withheld, 0),
    VALUE("EPrcNb", ISO_TEXT, 35, iso_follow_up, eprc_number, 0),
    END};
TABLE envelope[] = {{.name = "Rlstn", .type = ISO_GROUP, .inner = realisation, .ns = REALISATION_NS}, END};
TABLE supplementary[] = {WITHIN("Envlp", envelope, 0), END};

DAY(effective_date, iso_follow_up, date);
TABLE pacs_002_status[] = {
    ID("StsId", iso_follow_up, id, 0), ORIGINAL, ORIGINAL_IDS, ORIGINAL_UETR,
    CODE("TxSts", iso_follow_up, status, ISO_MUST),
    REASONS("StsRsnInf", iso_follow_up, reasons),
    CHARGES("ChrgsInf", iso_follow_up, charges),
    TIME("AccptncDtTm", iso_follow_up, acceptance_us, 0),
    WITHIN("FctvIntrBkSttlmDt", effective_date, 0),
    VALUE("AcctSvcrRef", ISO_TEXT, 35, iso_follow_up, bank_reference, 0),
    CLEARING_REFERENCE("ClrSysRef"), FOLLOW_UP_AGENTS,
    WITHIN("OrgnlTxRef", original_transaction, 0),
    WITHIN("SplmtryData", supplementary, ISO_MANY),
    END};
TABLE group_status[] = {
    ORIGINAL_NAMES(iso_group),
    COUNT("OrgnlNbOfTxs", iso_group, original.count, 0),
    CODE("GrpSts", iso_group, status, 0),
    REASONS("StsRsnInf", iso_group, reasons),
    END};
TABLE pacs_002[] = {
    WITHIN("GrpHdr", status_header, ISO_MUST),
    WITHIN("OrgnlGrpInfAndSts", group_status, 0),
    ITEM("TxInfAndSts", pacs_002_status, 0),
    END};

TABLE return_original[] = {
    ORIGINAL_NAMES(iso_group),
    REASONS("RtrRsnInf", iso_group, reasons),
    END};
TABLE pacs_004_return[] = {
    ID("RtrId", iso_follow_up, id, ISO_MUST), ORIGINAL, ORIGINAL_IDS, ORIGINAL_UETR,
    CLEARING_REFERENCE("OrgnlClrSysRef"), ORIGINAL_AMOUNT,
    AMOUNT("RtrdIntrBkSttlmAmt", iso_follow_up, amount, ISO_MUST),
    DATE("IntrBkSttlmDt", iso_follow_up, date, 0),
    AMOUNT("RtrdInstdAmt", iso_follow_up, returned_instructed_amount, 0),
    AMOUNT("CompstnAmt", iso_follow_up, compensation, 0),
    WORD("ChrgBr", CHARGE_BEARERS, iso_follow_up, charge_bearer, 0),
    CHARGES("ChrgsInf", iso_follow_up, charges),
    FOLLOW_UP_AGENTS,
    REASONS("RtrRsnInf", iso_follow_up, reasons),
    END};
TABLE pacs_004[] = {
    WITHIN("GrpHdr", return_header, ISO_MUST),
    WITHIN("OrgnlGrpInf", return_original, 0),
    ITEM("TxInf", pacs_004_return, 0),
    END};

TABLE case_creator[] = {AGENT("Agt", iso_follow_up, case_creator, ISO_MUST), END};
TABLE a_case[] = {
    ID("Id", iso_follow_up, case_id, ISO_MUST),
    WITHIN("Cretr", case_creator, ISO_MUST),
    END};

TABLE recall_count[] = {TOTALS, END};
TABLE recall_original[] = {ORIGINAL_NAMES(iso_group), NEVER("GrpCxl"), END};
TABLE camt_056_recall[] = {
    ID("CxlId", iso_follow_up, id, 0), WITHIN("Case", a_case, 0),
    ORIGINAL, ORIGINAL_IDS, ORIGINAL_UETR,
    CLEARING_REFERENCE("OrgnlClrSysRef"), ORIGINAL_AMOUNT,
    REASONS("CxlRsnInf", iso_follow_up, reasons),
    END};
TABLE recalls[] = {
    WITHIN("OrgnlGrpInfAndCxl", recall_original, 0),
    ITEM("TxInf", camt_056_recall, 0),
    END};
TABLE camt_056[] = {
    WITHIN("Assgnmt", assignment, ISO_MUST),
    WITHIN("CtrlData", recall_count, ISO_MUST),
    WITHIN("Undrlyg", recalls, ISO_PATH | ISO_AGAIN),
    END};

TABLE investigation_status[] = {CODE("Conf", iso_group, status, ISO_MUST), END};
TABLE camt_029_answer[] = {
    ID("CxlStsId", iso_follow_up, id, 0), WITHIN("RslvdCase", a_case, 0),
    ORIGINAL, ORIGINAL_IDS, CLEARING_REFERENCE("OrgnlClrSysRef"), ORIGINAL_UETR,
    WORD("TxCxlSts", "ACCR RJCR PDCR", iso_follow_up, status, ISO_MUST),
    REASONS("CxlStsRsnInf", iso_follow_up, reasons),
    ORIGINAL_AMOUNT, END};
/* Whose cases they are is not asked: it is the number that counts. */
TABLE message_case[] = {ID("Id", iso_group, case_id, ISO_MUST), END};
TABLE block_case[] = {ID("Id", iso_group, block_case_id, ISO_MUST), END};
TABLE answers_original[] = {
    VALUE("OrgnlGrpCxlId", ISO_TEXT, 35, iso_group, block_cancel_id, ISO_READ),
    WITHIN("RslvdCase", block_case, ISO_READ),
    ORIGINAL_NAMES(iso_group), END};
TABLE answers[] = {
    WITHIN("OrgnlGrpInfAndSts", answers_original, 0),
    ITEM("TxInfAndSts", camt_029_answer, 0),
    END};
TABLE camt_029[] = {
    WITHIN("Assgnmt", assignment, ISO_MUST),
    WITHIN("RslvdCase", message_case, ISO_READ),
    WITHIN("Sts", investigation_status, ISO_MUST),
    WITHIN("CxlDtls", answers, ISO_PATH | ISO_AGAIN),
    END};

/* ---------------------------------------------------------------- entries of an account */

TABLE entry_status[] = {CODE("Cd", iso_entry, status, ISO_MUST), END};
DAY(booking_date, iso_entry, booking_date);
DAY(value_date, iso_entry, value_date);
TABLE family[] = {
    CODE("Cd", iso_entry, family, ISO_MUST),
    CODE("SubFmlyCd", iso_entry, sub_family, ISO_MUST),
    END};
TABLE domain[] = {CODE("Cd", iso_entry, domain, ISO_MUST), WITHIN("Fmly", family, ISO_MUST), END};
TABLE proprietary_code[] = {VALUE("Cd", ISO_TEXT, 35, iso_entry, proprietary_code, ISO_MUST), END};
TABLE transaction_code[] = {
    WITHIN("Domn", domain, 0),
    WITHIN("Prtry", proprietary_code, 0),
    END};

TABLE references[] = {
    VALUE("MsgId", ISO_TEXT, 35, iso_entry_details, message_id, 0),
    VALUE("AcctSvcrRef", ISO_TEXT, 35, iso_entry_details, bank_reference, 0),
    VALUE("PmtInfId", ISO_TEXT, 35, iso_entry_details, payment_block_id, 0),
    VALUE("InstrId", ISO_TEXT, 35, iso_entry_details, ids.instruction_id, 0),
    VALUE("EndToEndId", ISO_TEXT, 35, iso_entry_details, ids.end_to_end_id, 0),
    UETR("UETR", iso_entry_details, ids.uetr, 0),
    VALUE("TxId", ISO_TEXT, 35, iso_entry_details, ids.tx_id, 0),
    VALUE("ClrSysRef", ISO_TEXT, 35, iso_entry_details, ids.clearing_reference, 0),
    END};
TABLE details_family[] = {CODE("SubFmlyCd", iso_entry_details, sub_family, ISO_READ), END};
TABLE details_domain[] = {WITHIN("Fmly", details_family, ISO_READ), END};
TABLE details_code[] = {WITHIN("Domn", details_domain, ISO_READ), END};
TABLE entry_charge[] = {
    VALUE("Amt", ISO_BALANCE, 0, iso_entry_charge, amount, ISO_MUST),
    VALUE("CdtDbtInd", ISO_SIGN, 4, iso_entry_charge, sign, 0),
    END};
TABLE entry_charges[] = {
    VALUE("TtlChrgsAndTaxAmt", ISO_BALANCE, 0, iso_entry_details, charges_total, 0),
    GROUPS("Rcrd", entry_charge, ISO_NO_CHECK, iso_entry_details, charges, iso_entry_charges, ISO_CHARGES_MAX, 0),
    END};
TABLE tax_record[] = {VALUE("CertId", ISO_TEXT, 35, iso_entry_details, eprc_number, 0), END};
TABLE tax[] = {
    VALUE("TtlTaxAmt", ISO_BALANCE, 0, iso_entry_details, tax_withheld, 0),
    WITHIN("Rcrd", tax_record, ISO_MANY),
    END};
TABLE entry_return_code[] = {
    CODE("Cd", iso_entry_details, return_reason, 0),
    VALUE("Prtry", ISO_TEXT, 35, iso_entry_details, return_proprietary, 0),
    END};
TABLE entry_return[] = {
    CHOICE("Rsn", entry_return_code, 0),
    LINES("AddtlInf", ISO_TEXT, 105, iso_entry_details, return_info),
    END};
/* Of payments that came in from anywhere: any text, and as it came. */
TABLE entry_reference[] = {{.name = "Ref", .type = ISO_TEXT, .chars_max = 35}, END};
TABLE entry_structured[] = {WITHIN("CdtrRefInf", entry_reference, 0), END};
TABLE entry_remittance[] = {
    LINES("Ustrd", ISO_TEXT, 140, iso_remittance, lines),
    GROUPS("Strd", entry_structured, ISO_NO_CHECK, iso_remittance, references, iso_lines, ISO_LINES_MAX, 0),
    END};
TABLE details[] = {
    WITHIN("Refs", references, 0),
    AMOUNT("Amt", iso_entry_details, amount, 0),
    VALUE("CdtDbtInd", ISO_SIGN, 4, iso_entry_details, sign, 0),
    WITHIN("BkTxCd", details_code, ISO_READ),
    WITHIN("Chrgs", entry_charges, 0),
    GROUP("RmtInf", entry_remittance, ISO_NO_CHECK, iso_entry_details, remittance, 0),
    WITHIN("Tax", tax, 0),
    WITHIN("RtrInf", entry_return, 0),
    END};
TABLE all_details[] = {
    GROUP("TxDtls", details, ISO_NO_CHECK, iso_entry, details, ISO_PART),
    END};
TABLE entry[] = {
    VALUE("NtryRef", ISO_TEXT, 35, iso_entry, reference, 0),
    VALUE("Amt", ISO_BALANCE, 0, iso_entry, amount, ISO_MUST),
    VALUE("CdtDbtInd", ISO_SIGN, 4, iso_entry, sign, ISO_MUST),
    VALUE("RvslInd", ISO_BOOL, 5, iso_entry, reversal, 0),
    WITHIN("Sts", entry_status, ISO_MUST),
    WITHIN("BookgDt", booking_date, 0),
    WITHIN("ValDt", value_date, 0),
    VALUE("AcctSvcrRef", ISO_TEXT, 35, iso_entry, bank_reference, 0),
    WITHIN("BkTxCd", transaction_code, ISO_KEEP),
    WITHIN("NtryDtls", all_details, ISO_MANY),
    END};

TABLE recipient_header[] = {
    MESSAGE_ID, GROUP("MsgRcpt", party_by_bic, ISO_NO_CHECK, iso_group, instructed, 0), END};
TABLE pagination[] = {
    COUNT("PgNb", iso_group, statement.page, ISO_MUST),
    VALUE("LastPgInd", ISO_BOOL, 5, iso_group, statement.last_page, ISO_MUST),
    END};
TABLE period[] = {
    TIME("FrDtTm", iso_group, statement.from_us, ISO_MUST),
    TIME("ToDtTm", iso_group, statement.to_us, ISO_MUST),
    END};
TABLE statement_account[] = {
    GROUP("Id", account_id, ISO_CHECK_CHOICE, iso_group, statement.account, ISO_MUST),
    VALUE("Ccy", ISO_CURRENCY, 3, iso_group, statement.account.ccy, 0),
    AGENT("Svcr", iso_group, instructing, 0),
    END};
TABLE balance_code[] = {
    CODE("Cd", iso_balance, code, 0),
    VALUE("Prtry", ISO_TEXT, 35, iso_balance, proprietary, 0),
    END};
TABLE balance_type[] = {CHOICE("CdOrPrtry", balance_code, ISO_MUST), END};
DAY(balance_date, iso_balance, date);
TABLE balance[] = {
    WITHIN("Tp", balance_type, ISO_MUST),
    VALUE("Amt", ISO_BALANCE, 0, iso_balance, amount, ISO_MUST),
    VALUE("CdtDbtInd", ISO_SIGN, 4, iso_balance, sign, ISO_MUST),
    WITHIN("Dt", balance_date, ISO_MUST),
    END};

#define STATEMENT_ID(pages)                                                                        \
    ID("Id", iso_group, statement.id, ISO_MUST), WITHIN(pages, pagination, 0),                     \
    COUNT("ElctrncSeqNb", iso_group, statement.sequence, 0),                                       \
    TIME("CreDtTm", iso_group, statement.creation_us, 0), WITHIN("FrToDt", period, 0),             \
    WITHIN("Acct", statement_account, ISO_MUST)

TABLE statement[] = {
    STATEMENT_ID("StmtPgntn"),
    GROUPS("Bal", balance, ISO_NO_CHECK, iso_group, statement.balances, iso_balances, ISO_BALANCES_MAX, ISO_MUST),
    ITEM("Ntry", entry, 0),
    END};
TABLE notification[] = {STATEMENT_ID("NtfctnPgntn"), ITEM("Ntry", entry, 0), END};
TABLE camt_053[] = {
    WITHIN("GrpHdr", recipient_header, ISO_MUST),
    WITHIN("Stmt", statement, ISO_MUST | ISO_PATH | ISO_AGAIN),
    END};
TABLE camt_054[] = {
    WITHIN("GrpHdr", recipient_header, ISO_MUST),
    WITHIN("Ntfctn", notification, ISO_MUST | ISO_PATH | ISO_AGAIN),
    END};

/* ---------------------------------------------------------------- the application header */

TABLE from_institution[] = {BIC("BICFI", iso_header, from_bic, ISO_MUST), END};
TABLE from_id[] = {WITHIN("FinInstnId", from_institution, ISO_MUST), END};
TABLE from_any_bic[] = {BIC("AnyBIC", iso_header, from_bic, 0), END};
TABLE from_organisation_id[] = {WITHIN("OrgId", from_any_bic, 0), END};
TABLE from_organisation[] = {WITHIN("Id", from_organisation_id, 0), END};
TABLE from[] = {WITHIN("OrgId", from_organisation, ISO_READ), WITHIN("FIId", from_id, 0), END};
TABLE to_institution[] = {BIC("BICFI", iso_header, to_bic, ISO_MUST), END};
TABLE to_id[] = {WITHIN("FinInstnId", to_institution, ISO_MUST), END};
TABLE to_any_bic[] = {BIC("AnyBIC", iso_header, to_bic, 0), END};
TABLE to_organisation_id[] = {WITHIN("OrgId", to_any_bic, 0), END};
TABLE to_organisation[] = {WITHIN("Id", to_organisation_id, 0), END};
TABLE to[] = {WITHIN("OrgId", to_organisation, ISO_READ), WITHIN("FIId", to_id, 0), END};

const struct iso_element iso_header_elements[] = {
    WITHIN("Fr", from, ISO_MUST), WITHIN("To", to, ISO_MUST),
    ID("BizMsgIdr", iso_header, message_id, ISO_MUST),
    VALUE("MsgDefIdr", ISO_NAME, 35, iso_header, definition, ISO_MUST),
    VALUE("BizSvc", ISO_NAME, 35, iso_header, service, 0),
    TIME("CreDt", iso_header, creation_us, ISO_MUST),
    VALUE("PssblDplct", ISO_BOOL, 5, iso_header, possible_duplicate, 0),
    END};

/* ---------------------------------------------------------------- the messages */

static const struct iso_definition definitions[] = {
    {ISO_PACS_008, "pacs.008.001.", "08 10 12", 8, ISO_ITEM_TRANSFER, "FIToFICstmrCdtTrf", pacs_008},
    {ISO_PACS_009, "pacs.009.001.", "08", 8, ISO_ITEM_TRANSFER, "FICdtTrf", pacs_009},
    {ISO_PAIN_001, "pain.001.001.", "09", 9, ISO_ITEM_TRANSFER, "CstmrCdtTrfInitn", pain_001},
    {ISO_PACS_028, "pacs.028.001.", "03", 3, ISO_ITEM_FOLLOW_UP, "FIToFIPmtStsReq", pacs_028},
    {ISO_CAMT_056, "camt.056.001.", "08", 8, ISO_ITEM_FOLLOW_UP, "FIToFIPmtCxlReq", camt_056},
    {ISO_PACS_002, "pacs.002.001.", "10", 10, ISO_ITEM_FOLLOW_UP, "FIToFIPmtStsRpt", pacs_002},
    {ISO_PACS_004, "pacs.004.001.", "09", 9, ISO_ITEM_FOLLOW_UP, "PmtRtr", pacs_004},
    {ISO_CAMT_029, "camt.029.001.", "09", 9, ISO_ITEM_FOLLOW_UP, "RsltnOfInvstgtn", camt_029},
    {ISO_CAMT_053, "camt.053.001.", "08 12", 8, ISO_ITEM_ENTRY, "BkToCstmrStmt", camt_053},
    {ISO_CAMT_054, "camt.054.001.", "08", 8, ISO_ITEM_ENTRY, "BkToCstmrDbtCdtNtfctn", camt_054},
};
/* clang-format on */
#define DEFINITION_COUNT (sizeof definitions / sizeof definitions[0])

const struct iso_definition *iso_definition_at(unsigned i)
{
    return i < DEFINITION_COUNT ? &definitions[i] : NULL;
}

const struct iso_definition *iso_definition(enum iso_kind kind)
{
    for (size_t i = 0; i < DEFINITION_COUNT; i++)
        if (definitions[i].kind == kind)
            return &definitions[i];
    assert(!"one of enum iso_kind");
    return NULL;
}

const char *iso_message_name(enum iso_kind kind, unsigned version, char out[ISO_NAME_SIZE])
{
    const struct iso_definition *d = iso_definition(kind);
    size_t len = strlen(d->family);
    unsigned v = version == 0 ? d->version : version;
    assert(v < 100 && len + 3 <= ISO_NAME_SIZE);
    memcpy(out, d->family, len);
    out[len] = (char)('0' + (int)(v / 10));
    out[len + 1] = (char)('0' + (int)(v % 10));
    out[len + 2] = '\0';
    return out;
}

bool iso_word_in(struct slice word, const char *words)
{
    struct slice rest = slice_str(words);
    struct slice one;
    bool more = true;
    while (more) {
        struct slice all = rest;
        more = slice_cut(all, ' ', &one, &rest);
        if (slice_equal(word, one))
            return true;
    }
    return false;
}

bool iso_message_find(struct slice name, enum iso_kind *kind, unsigned *version)
{
    *kind = ISO_NO_KIND;
    *version = 0;
    for (size_t i = 0; i < DEFINITION_COUNT; i++) {
        struct slice head = slice_str(definitions[i].family);
        if (!slice_starts_with(name, head))
            continue;
        struct slice v = slice_of(name.p + head.len, name.len - head.len);
        *kind = definitions[i].kind;
        if (!iso_word_in(v, definitions[i].versions))
            return false;
        *version = (unsigned)(v.p[0] - '0') * 10 + (unsigned)(v.p[1] - '0');
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- what is said */

size_t iso_value_size(enum iso_type type)
{
    if (iso_type_is_text(type))
        return sizeof(struct slice);
    switch ((int)type) { /* those that are no text */
    case ISO_AMOUNT:
    case ISO_BALANCE:
        return sizeof(money_t);
    case ISO_DATE:
    case ISO_DAY_OF:
        return sizeof(int32_t);
    case ISO_TIME:
        return sizeof(int64_t);
    case ISO_COUNT:
        return sizeof(uint64_t);
    case ISO_SIGN:
        return sizeof(enum iso_sign);
    case ISO_BOOL:
        return sizeof(bool);
    }
    return 0;
}

static bool value_is_present(enum iso_type type, const void *value)
{
    if (iso_type_is_text(type))
        return ((const struct slice *)value)->len > 0;
    if (type == ISO_AMOUNT || type == ISO_BALANCE)
        return ((const money_t *)value)->ccy != 0;
    for (size_t i = 0; i < iso_value_size(type); i++)
        if (((const char *)value)[i] != 0)
            return true;
    return false;
}

bool iso_is_present(const struct iso_element *e, const void *base)
{
    if (e->list_max > 0)
        return iso_value_count(e, base) > 0;
    if (e->type != ISO_GROUP)
        return value_is_present(e->type, iso_value(e, base, 0));
    if (e->flags & ISO_ITEM)
        return false;
    for (const struct iso_element *in = e->inner; in->name != NULL; in++)
        if (iso_is_present(in, iso_value(e, base, 0)))
            return true;
    return false;
}

void iso_clear(const struct iso_element *e, void *base)
{
    char *at = (char *)base + e->offset;
    if (e->flags & ISO_ITEM)
        return;
    if (e->list_max > 0)
        memset(at, 0, sizeof(size_t));
    else if (e->type != ISO_GROUP)
        memset(at, 0, iso_value_size(e->type));
    else
        for (const struct iso_element *in = e->inner; in->name != NULL; in++)
            iso_clear(in, at);
}
