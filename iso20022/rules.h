/*
 * rules.h: what a message must be beyond its XSD, which lets an empty <Dbtr/>, rupees with five decimals and an IBAN
 * with wrong check digits pass. The writer asks before it writes, the reader before it tells; nobody else needs to.
 *
 * Sources: ISO 20022 message definition reports (their textual rules), ISO 4217, ISO 13616, ISO 9362, RFC 4122, and
 * the CBPR+ usage guidelines for texts, ids, addresses, the application header and charges.
 *
 * Characters. Ids are of the FIN X set: letters and digits of ASCII, / - ? : ( ) . , ' + and blank, with no slash at
 * either end, no two slashes in a row, no blank at either end. Names, addresses and remittance are of the CBPR+ set,
 * which is printable ASCII. A bank's free text (AddtlInf), the numbers it gives (AcctSvcrRef, e-PRC) and all texts of
 * an account's entries may be any clean UTF-8 line. A name in Urdu is REFUSED with its first foreign character named, never transliterated: the
 * receiving bank compares it with the title of the account, and a guess there is a payment to nobody or to somebody
 * else. What goes to a bank is the name as on the account, so check it when the beneficiary is registered:
 * iso_rules_name().
 *
 * Everything here is pure: no clock, no allocation, no I/O, no XML.
 */
#ifndef UJRAT_ISO20022_RULES_H
#define UJRAT_ISO20022_RULES_H

#include "iso20022/message.h"

#include <stdbool.h>
#include <stdint.h>

/* Names stand in reports to banks: never changed. X(name, one sentence) */
#define ISO_RULE_TABLE(X)                                                                          \
    /* a single element */                                                                         \
    X(REQUIRED, "It must be given.")                                                               \
    X(TOO_LONG, "It is longer than it may be.")                                                    \
    X(NOT_TEXT, "It is not one line of UTF-8 text.")                                               \
    X(CHARSET, "It has a character that banks' systems do not take there.")                        \
    X(BLANKS, "It begins or ends with a blank.")                                                   \
    X(SLASHES, "An id neither begins nor ends with a slash nor has two in a row.")                 \
    X(VALUE, "It is not one of the values it may have.")                                           \
    X(AMOUNT_SHAPE,                                                                                \
      "It is not a decimal number with at most as many decimals as its currency has.")             \
    X(AMOUNT_NOT_POSITIVE, "The amount is not more than zero.")                                    \
    X(CURRENCY_UNKNOWN, "The currency is not an active ISO 4217 code.")                            \
    X(IBAN, "It is not an IBAN with right check digits (ISO 13616).")                              \
    X(BIC, "It is not a BIC (ISO 9362).")                                                          \
    X(LEI, "It is not an LEI (ISO 17442).")                                                        \
    X(COUNTRY, "It is not a country's code of two letters.")                                       \
    X(UETR, "It is not a UUID of version 4 in lower case (RFC 4122).")                             \
    X(NUMBER, "It is not a number.")                                                               \
    X(DATE, "It is not a date from 2000 to 2099.")                                                 \
    X(REPEATED, "It occurs more often than we can take.")                                          \
    X(OUT_OF_PLACE, "It does not stand where it belongs.")                                         \
    /* between elements */                                                                         \
    X(BOTH_GIVEN, "Only one of the two may be given.")                                             \
    X(AGENT_UNNAMED, "An institution needs a BIC or its number in a clearing system.")             \
    X(PARTY_UNNAMED, "A party needs a name (or, an institution, its BIC).")                        \
    X(ADDRESS_UNSTRUCTURED,                                                                        \
      "An address of lines alone is not taken: town and country are needed.")                      \
    X(ADDRESS_INCOMPLETE, "An address needs a town and a country.")                                \
    X(ADDRESS_LINES, "Beside a town and a country an address has at most two lines.")              \
    X(ACCOUNT_UNNAMED, "An account needs an IBAN or another number.")                              \
    X(REMITTANCE_BOTH, "Remittance is structured or unstructured, not both.")                      \
    X(REMITTANCE_LINES, "Unstructured remittance is one line.")                                    \
    X(NARRATIVE_MISSING, "Reason NARR says that there is a text, and there is none.")              \
    X(REASON_MISSING, "A refusal, a return or a recall says why.")                                 \
    X(ORIGINAL_UNNAMED, "It does not say which payment it is about.")                              \
    X(CHARGES_MISSING, "Charges are borne by the creditor (CRED), so they must be given.")         \
    X(CHARGES_UNEXPECTED, "With charge bearer SLEV charges are not said per payment.")             \
    X(CURRENCY_MIXED, "All amounts of one message are in one currency.")                           \
    X(DATE_MISSING, "The settlement date stands neither in the header nor with the payment.")      \
    X(AGENT_MISSING, "The agent stands neither in the header nor with the payment.")               \
    X(AGENT_CONFLICT, "It is not the agent that the group header names.")                          \
    X(COUNT_MISMATCH, "The number of transactions is not what is inside.")                         \
    X(SUM_MISMATCH, "The sum is not what is inside.")                                              \
    X(HEADER_ID, "BizMsgIdr is not the message's own id.")                                         \
    X(HEADER_DEFINITION, "MsgDefIdr is not what the document is.")                                 \
    X(HEADER_BIC, "The header's BIC is not that of the message's agent.")                          \
    /* the file */                                                                                 \
    X(XML, "It is not well-formed XML.")                                                           \
    X(XML_ENCODING, "It is not XML in UTF-8.")                                                     \
    X(XML_DOCTYPE, "It has a DOCTYPE, which no message needs and none may have.")                  \
    X(XML_TRUNCATED, "It ends in the middle.")                                                     \
    X(XML_TOO_DEEP, "Elements are nested too deep.")                                               \
    X(XML_TOO_LARGE, "It is larger than it may be.")                                               \
    X(MESSAGE_UNKNOWN, "It is none of the messages, or versions of them, that are taken here.")    \
    X(SCHEMA, "It is not valid by its XSD.")                                                       \
    X(SCHEMA_MISSING, "The XSD it should be validated with is not there.")                         \
    X(REFUSED, "It is not taken here.")                                                            \
    X(OUTPUT, "It cannot be written.")                                                             \
    X(INPUT, "It cannot be read.")                                                                 \
    X(NO_MEMORY, "There is no memory.")

enum iso_rule {
    ISO_RULE_NONE = 0,
#define ISO_RULE_ENUM(name, text) ISO_RULE_##name,
    ISO_RULE_TABLE(ISO_RULE_ENUM)
#undef ISO_RULE_ENUM
};

/* "IBAN", "SLASHES"; "NONE". Never NULL. */
const char *iso_rule_name(enum iso_rule rule);
/* One English sentence. Never NULL. */
const char *iso_rule_text(enum iso_rule rule);

#define ISO_PATH_SIZE   192
#define ISO_DETAIL_SIZE 256

/* Why a message was refused. Text is printable ASCII, safe for a log and a terminal. Personal data (names, accounts)
 * is never in it: the path, the line and the item say where to look. */
struct iso_refusal {
    enum iso_rule rule;
    char path[ISO_PATH_SIZE];     /* "CdtTrfTxInf/CdtrAcct/Id/IBAN"; empty: the file as a whole */
    char detail[ISO_DETAIL_SIZE]; /* more than the rule's sentence, or empty */
    uint64_t item;                /* the how-manieth, from 1; 0: none */
    long line;                    /* of the file read; 0: none */
};

/* "IBAN at CdtTrfTxInf/CdtrAcct/Id/IBAN, transaction 17, line 19: It is not ... (detail)". Returns out. */
#define ISO_REFUSAL_TEXT_SIZE 768
const char *iso_refusal_text(const struct iso_refusal *r, char out[ISO_REFUSAL_TEXT_SIZE]);

/* detail: printf. Returns false, so that it can end a function that found something wrong. */
bool iso_refuse(struct iso_refusal *out, enum iso_rule rule, const char *path, const char *detail,
                ...) __attribute__((format(printf, 4, 5)));

/* True: it may be written and is told. False: *out says why not; its line is 0. */
MUST_CHECK bool iso_rules_group(const struct iso_group *group, struct iso_refusal *out);
/* Of one item, seen with its group. item's number and line are the caller's to say. */
MUST_CHECK bool iso_rules_item(const struct iso_group *group, const union iso_item *item,
                               struct iso_refusal *out);

/* The header and the message it wraps. item: its first, or NULL: agents may stand with the payment. */
MUST_CHECK bool iso_rules_header(const struct iso_header *header, const struct iso_group *group,
                                 const union iso_item *item, struct iso_refusal *out);

/* What is inside, to be compared with what the group says: count, control sum, total. Zero to begin with. */
struct iso_totals {
    uint64_t count;
    money_t sum; /* ccy 0 while nothing was added */
};

/* CURRENCY_MIXED, AMOUNT_SHAPE (overflow). Of entries of an account only the count. */
MUST_CHECK bool iso_totals_add(const struct iso_group *group, const union iso_item *item,
                               struct iso_totals *totals, struct iso_refusal *out);
MUST_CHECK bool iso_rules_totals(const struct iso_group *group, const struct iso_totals *totals,
                                 struct iso_refusal *out);
/* A PmtInf of pain.001 against what was inside of it. */
MUST_CHECK bool iso_rules_block_totals(const struct iso_payment_block *block,
                                       const struct iso_totals *totals, struct iso_refusal *out);

/* A person's or firm's name as banks take it: REQUIRED, TOO_LONG, NOT_TEXT, CHARSET, BLANKS. */
enum iso_rule iso_rules_name(struct slice name);
/* An id of at most 35 characters: SLASHES, too. */
enum iso_rule iso_rules_id(struct slice id);

#endif
