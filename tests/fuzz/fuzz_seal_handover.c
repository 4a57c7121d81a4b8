/* What workers hand over to the sealer: whatever is taken for a message says the same when it is written again. */
#include "seal/handover.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAYOUTS = 64 };

struct again {
    struct seal_handed_payout read[PAYOUTS];
    struct payout_draft drafts[PAYOUTS];
    const struct payout_draft *pointers[PAYOUTS];
    int64_t bank_id[PAYOUTS], version[PAYOUTS];
};

static void to_draft(const struct seal_handed_payout *p, struct payout_draft *d)
{
    *d = (struct payout_draft){
        .reference = p->reference,
        .fingerprint = p->fingerprint,
        .info = p->info,
        .beneficiary_id = p->beneficiary_id,
        .gross = p->gross,
        .fee = p->fee,
        .mid_rate_e10 = p->mid_rate_e10,
        .mid_value = p->mid_value,
        .margin = p->margin,
        .net = p->net,
        .rate_id = p->rate_id,
        .policy_id = p->policy_id,
        .margin_bps = p->margin_bps,
        .src_ccy = p->src_ccy,
        .dst_ccy = p->dst_ccy,
        .digit_shift = p->digit_shift,
        .journal = {.n = p->n_lines},
    };
    for (unsigned i = 0; i < p->n_lines; i++)
        d->journal.lines[i] = (struct journal_line){p->lines[i].account, (uint16_t)p->lines[i].ccy,
                                                    p->lines[i].minor};
}

static bool same(struct slice a, struct slice b)
{
    return (a.p == NULL) == (b.p == NULL) && slice_equal(a, b);
}

static void same_payout(const struct seal_handed_payout *a, const struct seal_handed_payout *b)
{
    assert(same(a->reference, b->reference) && same(a->info, b->info) &&
           same(a->fingerprint, b->fingerprint));
    assert(a->gross == b->gross && a->fee == b->fee && a->mid_rate_e10 == b->mid_rate_e10 &&
           a->mid_value == b->mid_value && a->margin == b->margin && a->net == b->net);
    assert(a->beneficiary_id == b->beneficiary_id &&
           a->beneficiary_version == b->beneficiary_version && a->bank_id == b->bank_id);
    assert(a->rate_id == b->rate_id && a->policy_id == b->policy_id &&
           a->margin_bps == b->margin_bps && a->src_ccy == b->src_ccy && a->dst_ccy == b->dst_ccy &&
           a->digit_shift == b->digit_shift && a->n_lines == b->n_lines);
    for (unsigned i = 0; i < a->n_lines; i++)
        assert(a->lines[i].account == b->lines[i].account && a->lines[i].ccy == b->lines[i].ccy &&
               a->lines[i].minor == b->lines[i].minor);
}

static void write_again(const struct seal_handover *head, struct again *a)
{
    struct buf message;
    struct seal_handover h;
    struct seal_handed_payout p;
    const struct ledger_block block = {.book_id = head->book_id,
                                       .principal_id = head->principal_id,
                                       .block_no = head->block_no,
                                       .first_seq = head->first_seq,
                                       .committed_us = head->committed_at,
                                       .n = head->n,
                                       .drafts = a->pointers,
                                       .bank_id = a->bank_id,
                                       .beneficiary_version = a->version};
    seal_handover_buf_init(&message);
    bool written = seal_handover_encode(&block, &message);
    assert(written); /* 64 payouts of a message that was short enough itself */
    bool read = seal_handover_open(buf_slice(&message), &h);
    assert(read && h.book_id == head->book_id && h.principal_id == head->principal_id &&
           h.block_no == head->block_no && h.first_seq == head->first_seq &&
           h.committed_at == head->committed_at && h.n == head->n);
    for (unsigned i = 0; i < h.n; i++) {
        read = seal_handover_next(&h, &p);
        assert(read);
        same_payout(&a->read[i], &p);
    }
    assert(seal_handover_is_whole(&h));
    buf_deinit(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct again a;
    struct seal_handover h;
    struct seal_handed_payout p = {.n_lines = 0};
    if (size > SEAL_HANDOVER_BYTES_MAX / 2 || !seal_handover_open(slice_of(data, size), &h))
        return 0;
    const struct seal_handover head = h;
    assert(h.n >= 1 && h.n <= SEAL_HANDOVER_PAYOUTS_MAX && h.block_no > 0 && h.first_seq > 0);
    for (unsigned i = 0; h.left > 0; i++) {
        if (!seal_handover_next(&h, &p))
            return 0;
        assert(p.n_lines <= SEAL_LINES_MAX && p.fingerprint.len == 16);
        if (i >= PAYOUTS)
            continue;
        a.read[i] = p;
        to_draft(&p, &a.drafts[i]);
        a.pointers[i] = &a.drafts[i];
        a.bank_id[i] = p.bank_id;
        a.version[i] = p.beneficiary_version;
    }
    if (seal_handover_is_whole(&h) && head.n <= PAYOUTS)
        write_again(&head, &a);
    return 0;
}
