/*
 * claim_view.h: what the claim page looks like: a form, what a claim came to, or a few sentences. Pure; the HTML, the style and
 * the words of each language are files (gateway/rest/claim/).
 */
#ifndef UJRAT_REST_CLAIM_VIEW_H
#define UJRAT_REST_CLAIM_VIEW_H

#include "domain/money.h"
#include "gateway/rest/claim_form.h"

enum claim_view_kind {
    CLAIM_VIEW_FORM,
    CLAIM_VIEW_DONE,
    /* a few sentences */
    CLAIM_VIEW_WRONG,   /* no link of ours */
    CLAIM_VIEW_BUSY,    /* too many attempts */
    CLAIM_VIEW_LATER,   /* the ledger is away, or it is not known what was done */
    CLAIM_VIEW_REFUSED, /* not a form */
    CLAIM_VIEW_WAY,     /* claimed; not paid yet */
    CLAIM_VIEW_PAID,
    CLAIM_VIEW_BACK, /* claimed, and rejected or sent back by the bank */
    CLAIM_VIEW_EXPIRED,
    CLAIM_VIEW_CANCELLED,
    CLAIM_VIEW_KNOWN, /* somebody has the receiver: nothing is left to say */
};

/* An item that was claimed. net.ccy 0: not paid yet. */
struct claim_view_row {
    const char *reference;
    money_t gross, net;
};

struct claim_view {
    enum claim_view_kind kind;
    bool urdu;
    struct slice platform;   /* its name; empty: not shown */
    struct slice reference;  /* of sentences; may be empty */
    money_t gross, fee, net; /* net.ccy 0: not known now */
    struct slice rate;       /* "278.12" */
    int64_t until_us;
    const struct claim_form *form;     /* NULL: an empty one */
    const struct registry *registry;   /* of FORM: which banks there are */
    const struct claim_view_row *rows; /* of DONE */
    unsigned n_rows;
};

/* Appends the page. False: there was no room. */
MUST_CHECK bool claim_view_write(const struct claim_view *view, struct buf *out);

/* The page's Content-Security-Policy: nothing is loaded, only our own style applies, and forms come back to us. */
enum { CLAIM_POLICY_SIZE = 256 };
const char *claim_view_policy(char out[CLAIM_POLICY_SIZE]);

#endif
