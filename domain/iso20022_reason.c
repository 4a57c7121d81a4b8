#include "domain/iso20022_reason.h"

/* clang-format off */
static const struct iso20022_reason table[] = {
    {"AB05", true, false, "TimeoutCreditorAgent"},
    {"AB06", true, false, "TimeoutInstructedAgent"},
    {"AB08", true, false, "OfflineCreditorAgent"},
    {"AC01", true, true, "IncorrectAccountNumber"},
    {"AC02", true, true, "InvalidDebtorAccountNumber"},
    {"AC03", true, true, "InvalidCreditorAccountNumber"},
    {"AC04", true, true, "ClosedAccountNumber"},
    {"AC06", true, true, "BlockedAccount"},
    {"AC07", true, true, "ClosedCreditorAccountNumber"},
    {"AC14", true, true, "InvalidCreditorAccountType"},
    {"AG01", true, true, "TransactionForbidden"},
    {"AG02", true, true, "InvalidBankOperationCode"},
    {"AM02", true, true, "NotAllowedAmount"},
    {"AM03", true, true, "NotAllowedCurrency"},
    {"AM04", true, true, "InsufficientFunds"},
    {"AM05", true, true, "Duplication"},
    {"AM06", true, true, "TooLowAmount"},
    {"AM07", true, true, "BlockedAmount"},
    {"AM09", true, true, "WrongAmount"},
    {"BE01", true, true, "InconsistentWithEndCustomer"},
    {"BE04", true, true, "MissingCreditorAddress"},
    {"BE05", true, true, "UnrecognisedInitiatingParty"},
    {"BE06", true, true, "UnknownEndCustomer"},
    {"BE17", true, true, "InvalidCreditorIdentificationCode"},
    {"BE23", true, false, "AccountProxyInvalid"},
    {"CURR", true, true, "IncorrectCurrency"},
    {"CUST", true, true, "RequestedByCustomer"},
    {"DT01", true, true, "InvalidDate"},
    {"DUPL", true, true, "DuplicatePayment"},
    {"ED05", true, true, "SettlementFailed"},
    {"FF01", true, false, "InvalidFileFormat"},
    {"FOCR", true, true, "FollowingCancellationRequest"},
    {"FR01", true, true, "Fraud"},
    {"MD07", true, true, "EndCustomerDeceased"},
    {"MS02", true, true, "NotSpecifiedReasonCustomerGenerated"},
    {"MS03", true, true, "NotSpecifiedReasonAgentGenerated"},
    {"NARR", true, true, "Narrative"},
    {"NOAS", true, true, "NoAnswerFromCustomer"},
    {"RC01", true, true, "BankIdentifierIncorrect"},
    {"RC04", true, true, "InvalidCreditorBankIdentifier"},
    {"RR01", true, true, "MissingDebtorAccountOrIdentification"},
    {"RR02", true, true, "MissingDebtorNameOrAddress"},
    {"RR03", true, true, "MissingCreditorNameOrAddress"},
    {"RR04", true, true, "RegulatoryReason"},
    {"RR05", true, true, "RegulatoryInformationInvalid"},
    {"RR06", true, true, "TaxInformationInvalid"},
    {"RUTA", true, true, "ReturnUponUnableToApply"},
    {"TM01", true, true, "InvalidCutOffTime"},
    {"UPAY", true, true, "UnduePayment"},
};
/* clang-format on */
#define TABLE_COUNT (sizeof table / sizeof table[0])

reason_t iso20022_reason_check_syntax(struct slice code)
{
    if (code.len == 0)
        return REASON_FIELD_REQUIRED;
    if (code.len != ISO20022_REASON_SIZE - 1)
        return REASON_REASON_CODE_UNKNOWN;
    for (size_t i = 0; i < code.len; i++)
        if (!char_is_upper(code.p[i]) && !char_is_digit(code.p[i]))
            return REASON_REASON_CODE_UNKNOWN;
    return REASON_NONE;
}

const struct iso20022_reason *iso20022_reason_find(struct slice code)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (slice_equal_str(code, table[i].code))
            return &table[i];
    return NULL;
}

const struct iso20022_reason *iso20022_reason_at(unsigned i)
{
    return i < TABLE_COUNT ? &table[i] : NULL;
}

reason_t iso20022_reason_check_reject(struct slice code)
{
    reason_t reason = iso20022_reason_check_syntax(code);
    const struct iso20022_reason *known = iso20022_reason_find(code);
    if (reason == REASON_NONE && (known == NULL || !known->rejects))
        return REASON_REASON_CODE_UNKNOWN;
    return reason;
}

reason_t iso20022_reason_check_return(struct slice code)
{
    reason_t reason = iso20022_reason_check_syntax(code);
    const struct iso20022_reason *known = iso20022_reason_find(code);
    if (reason == REASON_NONE && (known == NULL || !known->returns))
        return REASON_REASON_CODE_UNKNOWN;
    return reason;
}
