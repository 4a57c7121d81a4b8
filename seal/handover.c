#include "seal/handover.h"

#include <assert.h>
#include <string.h>

enum {
    FINGERPRINT_SIZE = 16,
    VARINT_SIZE = 10,
    HEAD_NUMBERS = 6,
    /* of a payout: flags, fingerprint, and more numbers than there are (two texts, terms, amounts, lines) */
    PAYOUT_FIXED_SIZE = 1 + FINGERPRINT_SIZE + VARINT_SIZE * (2 + 7 + 8 + 1 + 3 * SEAL_LINES_MAX),
};

static const unsigned char MAGIC[4] = {'U', 'J', 'H', 2};

void seal_handover_buf_init(struct buf *buf)
{
    buf_init(buf, SEAL_HANDOVER_BYTES_MAX);
}

/* ---------------------------------------------------------------- writing: there is room for it */

static inline unsigned char *put(unsigned char *at, int64_t value)
{
    uint64_t zigzag = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    for (; zigzag >= 0x80; zigzag >>= 7)
        *at++ = (unsigned char)(zigzag | 0x80);
    *at++ = (unsigned char)zigzag;
    return at;
}

static inline unsigned char *put_bytes(unsigned char *at, struct slice s)
{
    if (s.len > 0)
        memcpy(at, s.p, s.len);
    return at + s.len;
}

static inline bool same_terms(const struct payout_draft *a, const struct payout_draft *b)
{
    return a->rate_id == b->rate_id && a->policy_id == b->policy_id &&
           a->margin_bps == b->margin_bps && a->mid_rate_e10 == b->mid_rate_e10 &&
           a->src_ccy == b->src_ccy && a->dst_ccy == b->dst_ccy && a->digit_shift == b->digit_shift;
}

static inline bool same_lines(const struct journal *a, const struct journal *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->lines[i].account != b->lines[i].account || a->lines[i].ccy != b->lines[i].ccy)
            return false;
    return true;
}

static bool encode_payout(const struct payout_draft *d, const struct payout_draft *before,
                          int64_t bank_id, int64_t version, struct buf *out)
{
    unsigned char *start, *at;
    const struct journal *j = &d->journal;
    if (j->n > SEAL_LINES_MAX || d->fingerprint.len != FINGERPRINT_SIZE || d->carried != NULL ||
        d->quote_id != 0 || d->refusal != REASON_NONE ||
        d->reference.len > SEAL_HANDOVER_BYTES_MAX || d->info.len > SEAL_HANDOVER_BYTES_MAX ||
        err_failed(buf_reserve(out, PAYOUT_FIXED_SIZE + d->reference.len + d->info.len, &start)))
        return false;
    const bool terms = before == NULL || !same_terms(d, before);
    const bool lines = before == NULL || !same_lines(j, &before->journal);
    at = start;
    *at++ = (unsigned char)((terms ? 0 : SEAL_HANDOVER_SAME_TERMS) |
                            (lines ? 0 : SEAL_HANDOVER_SAME_LINES) |
                            (d->info.len > 0 ? SEAL_HANDOVER_INFO : 0));
    at = put_bytes(put(at, (int64_t)d->reference.len), d->reference);
    if (d->info.len > 0)
        at = put_bytes(put(at, (int64_t)d->info.len), d->info);
    at = put_bytes(at, d->fingerprint);
    if (terms) {
        at = put(put(put(put(at, d->rate_id), d->policy_id), d->margin_bps), d->mid_rate_e10);
        at = put(put(put(at, d->src_ccy), d->dst_ccy), d->digit_shift);
    }
    at = put(put(put(put(at, d->gross), d->fee), d->mid_value), d->margin);
    at = put(put(put(put(at, d->net), d->beneficiary_id), version), bank_id);
    if (lines) {
        at = put(at, (int64_t)j->n);
        for (size_t i = 0; i < j->n; i++)
            at = put(put(at, j->lines[i].account), j->lines[i].ccy);
    }
    for (size_t i = 0; i < j->n; i++)
        at = put(at, j->lines[i].minor);
    buf_commit(out, (size_t)(at - start));
    return true;
}

bool seal_handover_encode(const struct ledger_block *b, struct buf *out)
{
    unsigned char *start, *at;
    buf_reset(out);
    if (b->n == 0 || b->n > SEAL_HANDOVER_PAYOUTS_MAX ||
        err_failed(buf_reserve(out, sizeof MAGIC + HEAD_NUMBERS * VARINT_SIZE, &start)))
        return false;
    at = put_bytes(start, slice_of(MAGIC, sizeof MAGIC));
    at = put(put(put(at, b->book_id), b->principal_id), b->block_no);
    at = put(put(put(at, b->first_seq), b->committed_us), b->n);
    buf_commit(out, (size_t)(at - start));
    for (unsigned i = 0; i < b->n; i++)
        if (!encode_payout(b->drafts[i], i == 0 ? NULL : b->drafts[i - 1], b->bank_id[i],
                           b->beneficiary_version[i], out))
            return false;
    return true;
}

/* ---------------------------------------------------------------- reading: nothing is believed */

static inline bool get(struct seal_handover *h, int64_t *out)
{
    uint64_t zigzag = 0;
    for (unsigned shift = 0; h->at < h->end; shift += 7) {
        const unsigned char byte = *h->at++;
        if (shift == 63 && byte > 1)
            return false;
        zigzag |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *out = (int64_t)(zigzag >> 1 ^ (0 - (zigzag & 1)));
            return true;
        }
    }
    return false;
}

static inline bool get32(struct seal_handover *h, int32_t *out)
{
    int64_t value;
    if (!get(h, &value) || value < INT32_MIN || value > INT32_MAX)
        return false;
    *out = (int32_t)value;
    return true;
}

static inline bool get16(struct seal_handover *h, int16_t *out)
{
    int64_t value;
    if (!get(h, &value) || value < INT16_MIN || value > INT16_MAX)
        return false;
    *out = (int16_t)value;
    return true;
}

static inline bool get_bytes(struct seal_handover *h, int64_t len, struct slice *out)
{
    if (len < 0 || len > h->end - h->at)
        return false;
    *out = slice_of(h->at, (size_t)len);
    h->at += len;
    return true;
}

static inline bool get_text(struct seal_handover *h, struct slice *out)
{
    int64_t len;
    return get(h, &len) && get_bytes(h, len, out);
}

bool seal_handover_open(struct slice message, struct seal_handover *h)
{
    int64_t n;
    struct slice magic;
    *h = (struct seal_handover){0};
    if (message.len == 0 || message.len > SEAL_HANDOVER_BYTES_MAX)
        return false;
    h->at = (const unsigned char *)message.p;
    h->end = h->at + message.len;
    if (!get_bytes(h, sizeof MAGIC, &magic) || memcmp(magic.p, MAGIC, sizeof MAGIC) != 0 ||
        !get32(h, &h->book_id) || !get32(h, &h->principal_id) || !get(h, &h->block_no) ||
        !get(h, &h->first_seq) || !get(h, &h->committed_at) || !get(h, &n) || n < 1 ||
        n > SEAL_HANDOVER_PAYOUTS_MAX || h->block_no < 1 || h->first_seq < 1)
        return false;
    h->n = (unsigned)n;
    h->left = h->n;
    return true;
}

static bool get_lines(struct seal_handover *h, struct seal_handed_payout *p)
{
    int64_t n;
    if (!get(h, &n) || n < 0 || n > SEAL_LINES_MAX)
        return false;
    p->n_lines = (unsigned)n;
    for (unsigned i = 0; i < p->n_lines; i++)
        if (!get32(h, &p->lines[i].account) || !get16(h, &p->lines[i].ccy) || p->lines[i].ccy < 0)
            return false;
    return true;
}

bool seal_handover_next(struct seal_handover *h, struct seal_handed_payout *p)
{
    assert(h->left > 0);
    if (h->at == h->end)
        return false;
    const bool first = h->left == h->n;
    const unsigned flags = *h->at++;
    const unsigned same = SEAL_HANDOVER_SAME_TERMS | SEAL_HANDOVER_SAME_LINES;
    if ((flags & ~(same | SEAL_HANDOVER_INFO)) != 0 || (first && (flags & same) != 0))
        return false;
    h->left--;
    p->info = slice_of(NULL, 0);
    if (!get_text(h, &p->reference) ||
        ((flags & SEAL_HANDOVER_INFO) != 0 && (!get_text(h, &p->info) || p->info.len == 0)) ||
        !get_bytes(h, FINGERPRINT_SIZE, &p->fingerprint))
        return false;
    if ((flags & SEAL_HANDOVER_SAME_TERMS) == 0 &&
        !(get32(h, &p->rate_id) && get32(h, &p->policy_id) && get32(h, &p->margin_bps) &&
          get(h, &p->mid_rate_e10) && get16(h, &p->src_ccy) && get16(h, &p->dst_ccy) &&
          get16(h, &p->digit_shift)))
        return false;
    if (!(get(h, &p->gross) && get(h, &p->fee) && get(h, &p->mid_value) && get(h, &p->margin) &&
          get(h, &p->net) && get(h, &p->beneficiary_id) && get32(h, &p->beneficiary_version) &&
          get16(h, &p->bank_id)) ||
        ((flags & SEAL_HANDOVER_SAME_LINES) == 0 && !get_lines(h, p)))
        return false;
    for (unsigned i = 0; i < p->n_lines; i++)
        if (!get(h, &p->lines[i].minor))
            return false;
    return true;
}

bool seal_handover_is_whole(const struct seal_handover *h)
{
    return h->left == 0 && h->at == h->end;
}
