/*
 * receipt_view.h: what a receipt's JSON (docs/receipt.md) says, as it is shown to people. It is only read here, not
 * checked: `ujrat-audit receipt-verify` does that, with no code in common.
 */
#ifndef UJRAT_CLI_RECEIPT_VIEW_H
#define UJRAT_CLI_RECEIPT_VIEW_H

#include "base/hex.h"
#include "base/str.h"
#include "domain/money.h"
#include "domain/payout_state.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define RECEIPT_BYTES_MAX (4u * 1024 * 1024)

enum { RECEIPT_EVENTS_MAX = 33 }; /* accepted, sent, paid, and 30 returns or what takes them back */

struct receipt_event {
    enum payout_state state;
    int64_t at_us;
    const char *reason_code, *bank_reference, *eprc_number; /* NULL: none */
};

/* Texts are the document's or the view's own, and go with it. NULL: the receipt says nothing of it. */
struct receipt_view {
    json_t *json;
    char platform[40]; /* "upwork" */
    int64_t payout_id;
    const char *reference, *info;
    const char *payee, *account; /* NULL when erased */
    const char *bank;            /* "MUCB" */
    char bank_name[160];         /* the code, if we do not know its name */
    enum payout_state state;
    bool converts; /* the two currencies differ */
    money_t gross, fee, converted, mid_value, margin, net;
    bool has_tax;
    money_t tax, after_tax;
    const char *mid_rate, *our_rate, *rate_source, *rate_date;
    char margin_percent[16]; /* "1.50%" */
    struct receipt_event events[RECEIPT_EVENTS_MAX];
    unsigned n_events;
    /* the proof: of the last journal, which made the state */
    int64_t seq, block_no, tree_size, signed_at_us;
    char leaf[HEX_SIZE(32)];
    const char *root, *key_id;
    char qr[288]; /* what the QR code says */
};

/* Complains, naming the field, and returns false; the view is then empty. */
bool receipt_view_read(const char *file, struct slice json, struct receipt_view *out);
void receipt_view_free(struct receipt_view *view);

#endif
