/*
 * message.h: the ISO 20022 messages we exchange with banks, as plain structs, the same for writing and for reading.
 *
 *   payments      pacs.008 (between institutions), pain.001 (customer to bank), pacs.009 (cover)  struct iso_transfer
 *   about them    pacs.028 and camt.056 (we ask), pacs.002, pacs.004 and camt.029 (the bank says)  struct iso_follow_up
 *   of an account camt.053 and camt.054 (the bank says)                                           struct iso_entry
 *
 * A message is one iso_group (what its group header says) and any number of iso_items, which stream one by one.
 *
 * Texts are slices of somebody else's bytes: the writer borrows them during the call; those that the reader hands out
 * live until the callback returns (an item's) or until the reader is done (a group's and a header's; what stands in a
 * block that may recur, until the next block). Anything not said is zero: an empty slice, a currency of 0, a date or
 * time of 0 (no payment is of 1970). Which field becomes which element stands in shape.c; what must hold, in rules.h.
 *
 * Dates are days since 1970, times microseconds since 1970 in UTC. They are written as Pakistan's time with its offset
 * (CBPR+ asks for an offset), cut to milliseconds; a time read without one is taken as Pakistan's.
 */
#ifndef UJRAT_ISO20022_MESSAGE_H
#define UJRAT_ISO20022_MESSAGE_H

#include "base/str.h"
#include "domain/money.h"

#include <stdbool.h>
#include <stdint.h>

enum iso_kind {
    ISO_NO_KIND = 0,
    ISO_PACS_008, /* FIToFICustomerCreditTransfer */
    ISO_PACS_009, /* FinancialInstitutionCreditTransfer: the cover of a pacs.008 */
    ISO_PAIN_001, /* CustomerCreditTransferInitiation */
    ISO_PACS_028, /* FIToFIPaymentStatusRequest */
    ISO_CAMT_056, /* FIToFIPaymentCancellationRequest: a recall */
    ISO_PACS_002, /* FIToFIPaymentStatusReport */
    ISO_PACS_004, /* PaymentReturn */
    ISO_CAMT_029, /* ResolutionOfInvestigation: the answer to a recall */
    ISO_CAMT_053, /* BankToCustomerStatement */
    ISO_CAMT_054, /* BankToCustomerDebitCreditNotification */
    ISO_KIND_END,
};

enum iso_sign { ISO_NO_SIGN = 0, ISO_CREDIT = 1, ISO_DEBIT = 2 }; /* of the account's owner */

/* ---------------------------------------------------------------- parts that many messages share */

/* Lists are a count and a few places. A file with more than that is refused, not cut. */
#define ISO_LINES_MAX    7
#define ISO_REASONS_MAX  4
#define ISO_CHARGES_MAX  4
#define ISO_BALANCES_MAX 16

struct iso_lines {
    size_t n;
    struct slice at[ISO_LINES_MAX];
};

/* An institution: FinInstnId. Named by its BIC, which comes from the bank's record and never from an IBAN, or by its
 * number in a clearing system. */
struct iso_agent {
    struct slice bic;             /* BICFI */
    struct slice clearing_system; /* ClrSysMmbId/ClrSysId/Cd */
    struct slice member_id;       /* ClrSysMmbId/MmbId */
    struct slice lei;
    struct slice name;
};

/* PstlAdr. Town and country always; lines (AdrLine) only beside them. */
struct iso_address {
    struct slice street, building_number, building_name, floor, post_box, room, postcode;
    struct slice town, location, district, subdivision, country;
    struct iso_lines lines;
};

/* A person or a firm: not both of the identifications. */
struct iso_party {
    struct slice name;
    struct iso_address address;
    struct slice organisation_bic; /* Id/OrgId/AnyBIC */
    struct slice organisation_lei;
    struct slice organisation_id, organisation_scheme; /* Id/OrgId/Othr, a code: TXID, COID */
    struct slice person_id, person_scheme; /* Id/PrvtId/Othr, a code: NIDN for a CNIC, CCPT */
    struct slice residence;                /* CtryOfRes */
};

/* One of IBAN and other_id. A mobile alias comes beside the account it stands for, never alone. */
struct iso_account {
    struct slice iban;
    struct slice other_id, other_scheme;
    struct slice ccy;
    struct slice proxy_type, proxy_id; /* Prxy: MBNO, +92-3001234567 */
};

/* Why: a code of an external code set (codes.h), or words of the bank's own; and free text. */
struct iso_reason {
    struct slice originator_bic; /* Orgtr/Id/OrgId/AnyBIC */
    struct slice code, proprietary;
    struct iso_lines info; /* AddtlInf */
};

struct iso_reasons {
    size_t n;
    struct iso_reason at[ISO_REASONS_MAX];
};

/* ChrgsInf: what an agent took. */
struct iso_charge {
    money_t amount;
    struct iso_agent agent;
};

struct iso_charges {
    size_t n;
    struct iso_charge at[ISO_CHARGES_MAX];
};

/* RmtInf: lines of text, or creditor references (Strd/CdtrRefInf/Ref), not both. */
struct iso_remittance {
    struct iso_lines lines;
    struct iso_lines references;
};

/* The message that a payment came in. */
struct iso_original {
    struct slice message_id;
    struct slice message_name; /* "pacs.008.001.08" */
    int64_t creation_us;
    uint64_t count;
};

/* ---------------------------------------------------------------- what a message says once */

/* head.001, the business application header. The writer makes it of the group; the reader hands it out. */
struct iso_header {
    struct slice from_bic, to_bic;
    struct slice message_id; /* BizMsgIdr: the group's message_id */
    struct slice definition; /* MsgDefIdr: "pacs.008.001.08" */
    struct slice service;    /* BizSvc: agreed with the bank */
    int64_t creation_us;
    bool possible_duplicate;
};

/* PmtInf of pain.001, which says the debtor once for its transactions. */
struct iso_payment_block {
    struct slice id;
    uint64_t count;           /* 0: not said */
    struct slice control_sum; /* empty: not said */
    int32_t execution_date;
    struct iso_party debtor;
    struct iso_account debtor_account;
    struct iso_agent debtor_agent;
    struct slice charge_bearer;
};

struct iso_balance {
    struct slice code; /* OPBD, CLBD, ITBD, CLAV */
    struct slice proprietary;
    money_t amount;
    enum iso_sign sign;
    int32_t date;
};

struct iso_balances {
    size_t n;
    struct iso_balance at[ISO_BALANCES_MAX];
};

/* Stmt of camt.053, Ntfctn of camt.054. */
struct iso_statement {
    struct slice id;
    uint64_t page; /* from 1; 0: not said */
    bool last_page;
    uint64_t sequence; /* ElctrncSeqNb; 0: not said */
    int64_t creation_us, from_us, to_us;
    struct iso_account account;
    struct iso_balances balances; /* camt.053 alone */
};

struct iso_group {
    enum iso_kind kind;
    unsigned version; /* 8 of pacs.008.001.08. Writing: 0 or the one that shape.c names */
    struct slice message_id;
    int64_t creation_us;
    uint64_t count;           /* NbOfTxs */
    struct slice control_sum; /* CtrlSum. Writing: empty, then it is made of total */
    money_t total;            /* of all items: TtlIntrBkSttlmAmt, TtlRtrdIntrBkSttlmAmt */
    int32_t settlement_date;
    struct slice settlement_method; /* INDA, INGA, COVE, CLRG */
    struct iso_account settlement_account;
    struct slice clearing_system;
    /* Who says it to whom: agents of the group header, assigner and assignee of a case. Of a pain.001 the
     * initiating party's AnyBIC and the debtor's agent stand for them, of a camt.05x these are the account's servicer
     * (Acct/Svcr) and the recipient (MsgRcpt/Id/OrgId/AnyBIC). The header's Fr and To are theirs. */
    struct iso_agent instructing, instructed;
    struct iso_party initiator; /* pain.001 */
    struct iso_payment_block payment;
    struct iso_original original; /* what all of it is about, if it is about one message */
    struct slice status;          /* pacs.002: of the whole message (GrpSts); camt.029: Sts/Conf */
    /* camt.029, read alone: the case of the whole message; of a block of it (OrgnlGrpInfAndSts/RslvdCase), and the
     * block's OrgnlGrpCxlId */
    struct slice case_id, block_case_id, block_cancel_id;
    struct iso_reasons reasons; /* pacs.002, pacs.004: for the whole message */
    struct iso_statement statement;
};

/* ---------------------------------------------------------------- what streams */

/* What names a payment for its life. Ours: all from the instruction's id (ids.h). */
struct iso_ids {
    struct slice instruction_id;     /* InstrId */
    struct slice end_to_end_id;      /* EndToEndId */
    struct slice tx_id;              /* TxId */
    struct slice uetr;               /* UUID version 4, lower case */
    struct slice clearing_reference; /* ClrSysRef */
};

/* In pain.001 what the block says is not said again: leave debtor, debtor_account, debtor_agent, charge_bearer and
 * settlement_date empty; the reader fills them in. */
struct iso_transfer {
    struct iso_ids ids;
    struct slice priority; /* HIGH, NORM */
    struct slice service_level, local_instrument, category_purpose;
    money_t amount;            /* IntrBkSttlmAmt; InstdAmt of pain.001 */
    int32_t settlement_date;   /* IntrBkSttlmDt, where the group header does not say it */
    money_t instructed_amount; /* InstdAmt */
    struct slice exchange_rate;
    struct slice charge_bearer; /* DEBT, CRED, SHAR, SLEV */
    struct iso_charges charges;
    struct iso_agent instructing, instructed;
    struct iso_party ultimate_debtor, debtor;
    struct iso_account debtor_account;
    struct iso_agent debtor_agent;
    struct iso_agent creditor_agent;
    struct iso_party creditor;
    struct iso_account creditor_account;
    struct iso_party ultimate_creditor;
    struct slice purpose, purpose_proprietary; /* Purp/Cd or Purp/Prtry */
    struct slice reporting_code;               /* RgltryRptg/Dtls/Cd: the purpose code 9186, 9471 */
    struct iso_lines reporting_info;           /* RgltryRptg/Dtls/Inf */
    struct iso_remittance remittance;
    /* pacs.009: the institutions that pay and are paid. Then debtor, creditor, their accounts and agents and the
     * remittance are those of the payment that is covered (UndrlygCstmrCdtTrf). */
    struct iso_agent paying, paid;
    struct iso_account paying_account, paid_account;
};

/* About an earlier payment: a question, a status, a return, a recall, the answer to one. */
struct iso_follow_up {
    struct slice id; /* StsReqId, StsId, RtrId, CxlId, CxlStsId: the sender's own */
    struct slice case_id;
    struct iso_agent case_creator; /* given with the case_id */
    struct iso_original original;
    struct iso_ids ids;  /* of the original payment */
    struct slice status; /* TxSts (codes.h); TxCxlSts of camt.029: ACCR, RJCR, PDCR */
    struct iso_reasons reasons;
    money_t original_amount;
    int32_t original_date;
    money_t amount; /* pacs.004: what comes back */
    int32_t date;   /* pacs.004: settled on; pacs.002: effective on */
    money_t returned_instructed_amount, compensation;
    struct slice charge_bearer;
    struct iso_charges charges;
    int64_t acceptance_us;
    struct slice bank_reference; /* AcctSvcrRef */
    struct iso_agent instructing, instructed;
    /* pacs.002, in SplmtryData, since the message has no place for it: see shape.c */
    money_t tax_withheld;
    struct slice eprc_number;
};

/* Chrgs/Rcrd: taken, or (ISO_CREDIT) given back. */
struct iso_entry_charge {
    money_t amount;
    enum iso_sign sign;
};

struct iso_entry_charges {
    size_t n;
    struct iso_entry_charge at[ISO_CHARGES_MAX];
};

/* One TxDtls: what it does not say is the entry's. */
struct iso_entry_details {
    struct slice message_id;
    struct slice bank_reference;
    struct slice payment_block_id;
    struct iso_ids ids;
    money_t amount;
    enum iso_sign sign;
    struct slice sub_family;
    money_t charges_total;
    struct iso_entry_charges charges;
    struct iso_remittance remittance;
    money_t tax_withheld;            /* Tax/TtlTaxAmt */
    struct slice eprc_number;        /* Tax/Rcrd/CertId */
    struct slice return_reason;      /* RtrInf/Rsn/Cd */
    struct slice return_proprietary; /* RtrInf/Rsn/Prtry */
    struct iso_lines return_info;
};

/* One Ntry with one of its TxDtls: an entry of several is told several times, one without any once. */
struct iso_entry {
    struct slice reference; /* NtryRef */
    money_t amount;         /* of the whole entry */
    enum iso_sign sign;
    bool reversal;
    struct slice status; /* BOOK, PDNG, INFO, FUTR */
    int32_t booking_date, value_date;
    struct slice bank_reference;
    struct slice domain, family, sub_family, proprietary_code; /* BkTxCd */
    uint64_t details_number; /* set by the reader: from 1; 0: the entry has none */
    struct iso_entry_details details;
};

/* Which member it is follows from the message's kind. */
union iso_item {
    struct iso_transfer transfer;
    struct iso_follow_up follow_up;
    struct iso_entry entry;
};

#endif
