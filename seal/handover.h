/*
 * handover.h: blocks as whoever posted them knows them, told to the sealer so that it need not read them back.
 *
 * One message a block, of payouts only (struct ledger_block): a hint, never waited for and never needed. Rows are what
 * counts: the sealer looks whether the message is of the very block that its row says, and computes some blocks from
 * both (seal/chain.h). No personal data is in it: what a payout and its journal have in the log, and nothing else.
 *
 *   "UJH", version (2)
 *   book, principal, block_no, first_seq, committed_at, n
 *   n times: flags; reference; info if SEAL_HANDOVER_INFO; fingerprint, 16 bytes;
 *            unless SEAL_HANDOVER_SAME_TERMS: rate_id, policy_id, margin_bps, mid_rate_e10, src_ccy, dst_ccy, digit_shift;
 *            gross, fee, mid_value, margin, net, beneficiary_id, its version, bank_id;
 *            unless SEAL_HANDOVER_SAME_LINES: how many lines, and account and currency of each;
 *            the amount of each line
 *
 * Flags are a byte. "Same" means as in the payout before, and the first has none. Numbers are zigzag varints (as protobuf's
 * sint64), texts have their length in front. It never leaves the machine, nor a version of the program.
 */
#ifndef UJRAT_SEAL_HANDOVER_H
#define UJRAT_SEAL_HANDOVER_H

#include "base/buf.h"
#include "ledger/ledger.h"
#include "seal/record.h"

enum {
    SEAL_HANDOVER_PAYOUTS_MAX = 4096,
    SEAL_HANDOVER_BYTES_MAX = 400 << 10, /* what a socket takes at once where nobody has tuned it */

    SEAL_HANDOVER_SAME_TERMS = 1,
    SEAL_HANDOVER_SAME_LINES = 2,
    SEAL_HANDOVER_INFO = 4,
};

/* A buffer for messages. */
void seal_handover_buf_init(struct buf *buf);

/* In the place of what is in the buffer. False: it does not fit, or is none that can be handed over. */
MUST_CHECK bool seal_handover_encode(const struct ledger_block *block, struct buf *out);

/* A message that is being read. The bytes stay the caller's; any bytes are fine. */
struct seal_handover {
    int32_t book_id, principal_id;
    int64_t block_no, first_seq, committed_at;
    unsigned n;

    unsigned left;
    const unsigned char *at, *end;
};

struct seal_handed_line {
    int32_t account; /* or LEDGER_ACCOUNT_PAYABLE */
    int16_t ccy;
    int64_t minor;
};

struct seal_handed_payout {
    struct slice reference, info /* p NULL: absent */, fingerprint;
    int64_t gross, fee, mid_rate_e10, mid_value, margin, net, beneficiary_id;
    int32_t beneficiary_version, rate_id, policy_id /* 0: none */, margin_bps;
    int16_t src_ccy, dst_ccy, digit_shift, bank_id;
    unsigned n_lines; /* at most SEAL_LINES_MAX */
    struct seal_handed_line lines[SEAL_LINES_MAX];
};

/* False: not even its head is one. */
MUST_CHECK bool seal_handover_open(struct slice message, struct seal_handover *out);
/* The next payout into the same struct as the one before. False: the message is broken. Not after the last. */
MUST_CHECK bool seal_handover_next(struct seal_handover *h, struct seal_handed_payout *payout);
/* All payouts were read, and nothing follows them. */
MUST_CHECK bool seal_handover_is_whole(const struct seal_handover *h);

#endif
