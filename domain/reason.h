/*
 * reason.h: every reason we have for saying no, once.
 *
 * The name is ErrorInfo.reason in gRPC and the error name in REST; the number is what SQL functions return
 * (smallint). Names and numbers are part of the contract: never changed, never used again for something else.
 * Numbers come in groups of a hundred; add at the end of a group.
 */
#ifndef UJRAT_DOMAIN_REASON_H
#define UJRAT_DOMAIN_REASON_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Status codes of gRPC (grpc/grpc, doc/statuscodes.md), as far as reasons use them. */
enum {
    REASON_GRPC_OK = 0,
    REASON_GRPC_INVALID_ARGUMENT = 3,
    REASON_GRPC_NOT_FOUND = 5,
    REASON_GRPC_ALREADY_EXISTS = 6,
    REASON_GRPC_PERMISSION_DENIED = 7,
    REASON_GRPC_RESOURCE_EXHAUSTED = 8,
    REASON_GRPC_FAILED_PRECONDITION = 9,
    REASON_GRPC_INTERNAL = 13,
    REASON_GRPC_UNAVAILABLE = 14,
    REASON_GRPC_UNAUTHENTICATED = 16,
};

/* X(number, name, gRPC status, one sentence for people) */
#define REASON_TABLE(X)                                                                                    \
    /* amounts and money */                                                                                \
    X(100, AMOUNT_ZERO, INVALID_ARGUMENT, "The amount is zero.")                                           \
    X(101, AMOUNT_NEGATIVE, INVALID_ARGUMENT, "The amount is negative.")                                   \
    X(102, AMOUNT_OVER_LIMIT, INVALID_ARGUMENT, "The amount is over the limit for one payout.")            \
    X(103, AMOUNT_BELOW_FEE, INVALID_ARGUMENT, "After the fee nothing would be left to pay.")              \
    X(104, AMOUNT_OVERFLOW, INVALID_ARGUMENT, "The amount is too large to be computed with.")              \
    X(105, AMOUNT_INVALID, INVALID_ARGUMENT,                                                               \
      "The amount is not a decimal number with at most as many digits as its currency has.")               \
    X(106, CURRENCY_UNKNOWN, INVALID_ARGUMENT, "The currency is not an active ISO 4217 code.")             \
    X(107, CURRENCY_NOT_SUPPORTED, FAILED_PRECONDITION,                                                    \
      "There is no float account in this currency.")                                                       \
    X(108, CURRENCY_MISMATCH, INVALID_ARGUMENT, "The two amounts are in different currencies.")            \
    X(109, INSUFFICIENT_FLOAT, FAILED_PRECONDITION,                                                        \
      "The prefunded float does not cover this payout.")                                                   \
    /* who is paid */                                                                                      \
    X(200, IBAN_SHAPE, INVALID_ARGUMENT,                                                                   \
      "The IBAN has a character that does not belong there; it is written without spaces, in upper case.") \
    X(201, IBAN_COUNTRY, INVALID_ARGUMENT, "The IBAN is not of Pakistan (PK).")                            \
    X(202, IBAN_LENGTH, INVALID_ARGUMENT, "The IBAN does not have 24 characters.")                         \
    X(203, IBAN_CHECKSUM, INVALID_ARGUMENT, "The check digits of the IBAN do not match (mod 97).")         \
    X(204, IBAN_BANK_UNKNOWN, INVALID_ARGUMENT, "The bank in the IBAN is not known.")                      \
    X(205, BANK_NOT_CONNECTED, FAILED_PRECONDITION,                                                        \
      "The bank is known, but takes no payouts from us.")                                                  \
    X(206, CNIC_LENGTH, INVALID_ARGUMENT, "The CNIC does not have 13 digits.")                             \
    X(207, CNIC_SHAPE, INVALID_ARGUMENT,                                                                   \
      "The CNIC is neither 13 digits nor 5-7-1 digits with dashes.")                                       \
    X(208, MOBILE_SHAPE, INVALID_ARGUMENT,                                                                 \
      "The mobile number is neither 03 and nine digits nor +923 and nine digits.")                         \
    X(209, NAME_EMPTY, INVALID_ARGUMENT, "The name is empty.")                                             \
    X(210, NAME_TOO_LONG, INVALID_ARGUMENT, "The name is longer than 140 characters.")                     \
    X(211, BENEFICIARY_NOT_FOUND, NOT_FOUND, "There is no such beneficiary.")                              \
    X(212, BENEFICIARY_DISABLED, FAILED_PRECONDITION, "The beneficiary is disabled.")                      \
    X(213, PURPOSE_CODE_UNKNOWN, INVALID_ARGUMENT, "The purpose code is not one in force.")                \
    X(214, CHANNEL_UNKNOWN, INVALID_ARGUMENT,                                                              \
      "The channel is neither export of services nor home remittance.")                                    \
    /* text and fields */                                                                                  \
    X(300, TEXT_TOO_LONG, INVALID_ARGUMENT, "The text is too long.")                                       \
    X(301, TEXT_NOT_UTF8, INVALID_ARGUMENT, "The text is not valid UTF-8.")                                \
    X(302, TEXT_HAS_NUL, INVALID_ARGUMENT,                                                                 \
      "The text has a NUL or another control character in it.")                                            \
    X(303, FIELD_REQUIRED, INVALID_ARGUMENT, "The field must be given.")                                   \
    X(304, FIELD_CONFLICT, INVALID_ARGUMENT, "The field contradicts another one.")                         \
    X(305, FIELD_INVALID, INVALID_ARGUMENT, "The field has a value that is not allowed.")                  \
    X(306, REFERENCE_EMPTY, INVALID_ARGUMENT, "The reference is empty.")                                   \
    X(307, REFERENCE_SHAPE, INVALID_ARGUMENT,                                                              \
      "The reference is not 1 to 63 visible ASCII characters.")                                            \
    X(308, TIME_RANGE_INVALID, INVALID_ARGUMENT,                                                           \
      "The time is out of range, or the range ends before it begins.")                                     \
    X(309, PAGE_SIZE_INVALID, INVALID_ARGUMENT, "The page size is negative or too large.")                 \
    X(310, PAGE_TOKEN_INVALID, INVALID_ARGUMENT,                                                           \
      "The page token is not one of ours, or of another request.")                                         \
    X(311, RESUME_TOKEN_INVALID, INVALID_ARGUMENT,                                                         \
      "The resume token is not one of ours, or of another stream.")                                        \
    X(312, BATCH_EMPTY, INVALID_ARGUMENT, "The batch is empty.")                                           \
    X(313, BATCH_TOO_LARGE, INVALID_ARGUMENT, "The batch has too many items.")                             \
    X(314, MESSAGE_TOO_LARGE, RESOURCE_EXHAUSTED, "The message is over the size limit.")                   \
    X(315, MALFORMED_MESSAGE, INVALID_ARGUMENT, "The message cannot be decoded.")                          \
    X(316, TOO_MANY_UNKNOWN_FIELDS, INVALID_ARGUMENT, "The message has too many unknown fields.")          \
    X(317, TREE_SIZE_INVALID, INVALID_ARGUMENT,                                                            \
      "The log was never of that size, or the proof asked for is not in a log of that size.")              \
    /* payouts, quotes, rates */                                                                           \
    X(400, REFERENCE_REUSED, ALREADY_EXISTS,                                                               \
      "The reference was used before with a different body.")                                              \
    X(401, QUOTE_NOT_FOUND, NOT_FOUND, "There is no such quote.")                                          \
    X(402, QUOTE_EXPIRED, FAILED_PRECONDITION, "The quote has expired.")                                   \
    X(403, QUOTE_USED, FAILED_PRECONDITION, "The quote was used by another payout.")                       \
    X(404, QUOTE_MISMATCH, INVALID_ARGUMENT, "The payout is not what the quote was for.")                  \
    X(405, RATE_MISSING, FAILED_PRECONDITION, "There is no rate for this pair of currencies.")             \
    X(406, RATE_STALE, FAILED_PRECONDITION, "The last good rate is too old.")                              \
    X(407, RATE_INVALID, INVALID_ARGUMENT, "The rate is not a positive decimal number in range.")          \
    X(408, PAYOUT_NOT_FOUND, NOT_FOUND, "There is no such payout.")                                        \
    X(409, STATE_CONFLICT, FAILED_PRECONDITION, "The state it is in does not allow this.")                 \
    X(410, ALREADY_CONFIRMED_DIFFERENTLY, FAILED_PRECONDITION,                                             \
      "It was confirmed before with another outcome.")                                                     \
    X(411, INSTRUCTION_NOT_FOUND, NOT_FOUND, "There is no such instruction.")                              \
    X(412, REASON_CODE_UNKNOWN, INVALID_ARGUMENT,                                                          \
      "The code is not an ISO 20022 reason code we know.")                                                 \
    X(413, ACCOUNT_NOT_FOUND, NOT_FOUND, "There is no such account.")                                      \
    X(414, JOURNAL_UNBALANCED, INTERNAL, "The journal does not sum to zero.")                              \
    X(415, BOOK_NOT_FOUND, NOT_FOUND, "There is no such book.")                                            \
    X(416, JOURNAL_NOT_FOUND, NOT_FOUND, "There is no such journal.")                                      \
    X(417, TREE_HEAD_NOT_FOUND, NOT_FOUND, "No head of the log was signed at this size.")                  \
    X(418, NOT_SEALED_YET, UNAVAILABLE,                                                                    \
      "It is committed and not yet in the signed log; ask again.")                                         \
    X(419, LOG_NOT_KEPT, FAILED_PRECONDITION, "The book has no key, and so no signed log.")                \
    X(420, WINDOW_NOT_FOUND, NOT_FOUND, "There is no such settlement window.")                             \
    X(421, INQUIRY_NOT_FOUND, NOT_FOUND, "There is no such inquiry.")                                      \
    /* who asks */                                                                                         \
    X(500, UNAUTHENTICATED_PRINCIPAL, UNAUTHENTICATED,                                                     \
      "No known client certificate was presented.")                                                        \
    X(501, PRINCIPAL_DISABLED, PERMISSION_DENIED, "The principal is disabled.")                            \
    X(502, ROLE_FORBIDDEN, PERMISSION_DENIED, "The principal's role may not do this.")                     \
    X(503, RESOURCE_FORBIDDEN, PERMISSION_DENIED, "The principal may not see or use this.")                \
    X(504, SECOND_FACTOR_REQUIRED, PERMISSION_DENIED,                                                      \
      "This takes a code of an operator's authenticator.")                                                 \
    X(505, SECOND_FACTOR_WRONG, PERMISSION_DENIED, "The code is not the one shown now.")                   \
    X(506, SECOND_FACTOR_LOCKED, PERMISSION_DENIED,                                                        \
      "After too many wrong codes none is looked at for a while.")                                         \
    X(507, SECOND_FACTOR_USED, PERMISSION_DENIED, "The code was used; each is good once.")                 \
    /* our side */                                                                                         \
    X(600, QUEUE_FULL, RESOURCE_EXHAUSTED, "Too much is waiting already; try again later.")                \
    X(601, LEDGER_UNAVAILABLE, UNAVAILABLE, "The ledger cannot be reached; nothing was done.")             \
    X(602, OUTCOME_UNKNOWN, UNAVAILABLE,                                                                   \
      "It may have been done; ask again under the same reference.")                                        \
    X(604, INTERNAL, INTERNAL, "Something is wrong on our side.")

/* REASON_NONE is not a refusal: the thing was done. */
enum reason {
    REASON_NONE = 0,
#define REASON_ENUM(number, name, status, text) REASON_##name = (number),
    REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
};
typedef enum reason reason_t;

/* What was refused and why. field: its path in the request as the client wrote it
 * ("payout.beneficiary.iban"), a string constant; NULL if no one field is to blame. */
struct refusal {
    reason_t reason;
    const char *field;
};

/* "IBAN_CHECKSUM"; "NONE" for REASON_NONE. Never NULL. */
const char *reason_name(reason_t reason);

/* One English sentence. Never NULL. */
const char *reason_text(reason_t reason);

/* Number of the gRPC status; 0 for REASON_NONE. */
int reason_grpc_status(reason_t reason);

/* For numbers that come from the database. 0 gives REASON_NONE. False if there is no such number. */
MUST_CHECK bool reason_from_number(int32_t number, reason_t *out);

/* The whole table, for documentation and tests: the i-th reason, false past the end. REASON_NONE is not in it. */
MUST_CHECK bool reason_at(unsigned i, reason_t *out);

#endif
