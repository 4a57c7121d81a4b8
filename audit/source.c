#include "audit/source.h"

#include <stdio.h>

bool source_register(struct source *source, struct source_item *item)
{
    struct known *r = source->known;
    char text[ERR_TEXT_SIZE];
    err_t err = err_none();

    /* the others pass */
    if (item->kind == RECORD_BOOK)
        err = known_book(r);
    else if (item->kind == RECORD_CURRENCY)
        err = known_currency(r, &item->currency);
    else if (item->kind == RECORD_RATE_SHEET)
        err = known_sheet(r, item->bytes, &item->rate_sheet);
    else if (item->kind == RECORD_POLICY_CHANGE)
        err = known_policy_change(r, item->bytes, &item->policy_change);
    else if (item->kind == RECORD_ACCOUNT)
        err = known_account(r, &item->account);
    else if (item->kind == RECORD_BENEFICIARY)
        err = known_beneficiary(r, item->bytes, &item->beneficiary);
    item->broken = slice_of(NULL, 0);
    if (err.code == ERR_INVALID)
        item->broken = slice_str(err.what);
    else if (err_failed(err)) {
        snprintf(source->why, sizeof source->why, "%s", err_text(err, text, sizeof text));
        return false;
    }
    return true;
}
