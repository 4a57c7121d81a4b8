/* What is handed over to the sealer, as it is written and read, and what is kept of it. */
#include "seal/handed.h"
#include "seal/handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/ccy.h"
#include "tests/unit/unit.h"

enum { PAYOUTS = 5, BOOK = 3, PRINCIPAL = 9, BLOCK = 7, FIRST_SEQ = 100 };
#define AT INT64_C(1784278800000001)

/* A block with as many payouts as are asked for, and room to spoil them. */
struct made {
    struct payout_draft drafts[PAYOUTS];
    const struct payout_draft *pointers[PAYOUTS];
    int64_t bank_id[PAYOUTS], version[PAYOUTS];
    struct ledger_block block;
    struct buf message;
};

static const unsigned char FINGERPRINT[16] = "sixteen bytes ..";

static void draft_init(struct payout_draft *d)
{
    *d = (struct payout_draft){
        .reference = SLICE("R-1"),
        .fingerprint = slice_of(FINGERPRINT, sizeof FINGERPRINT),
        .beneficiary_id = 11,
        .gross = 10000,
        .fee = 100,
        .mid_rate_e10 = 2779612000000,
        .mid_value = 2751815,
        .margin = 13759,
        .net = 2738056,
        .rate_id = 2,
        .policy_id = 3,
        .margin_bps = 50,
        .src_ccy = CCY_USD,
        .dst_ccy = CCY_PKR,
        .journal = {.n = 3,
                    .lines = {{5, CCY_USD, 10000},
                              {6, CCY_USD, -10000},
                              {LEDGER_ACCOUNT_PAYABLE, CCY_PKR, INT64_MIN}}},
    };
}

static int setup(void **state)
{
    struct made *m = calloc(1, sizeof *m);
    assert_non_null(m);
    for (unsigned i = 0; i < PAYOUTS; i++) {
        draft_init(&m->drafts[i]);
        m->pointers[i] = &m->drafts[i];
        m->bank_id[i] = (int64_t)i + 1;
        m->version[i] = 1;
    }
    m->block = (struct ledger_block){
        .book_id = BOOK,
        .principal_id = PRINCIPAL,
        .block_no = BLOCK,
        .first_seq = FIRST_SEQ,
        .committed_us = AT,
        .n = PAYOUTS,
        .drafts = m->pointers,
        .bank_id = m->bank_id,
        .beneficiary_version = m->version,
    };
    seal_handover_buf_init(&m->message);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct made *m = *state;
    buf_deinit(&m->message);
    free(m);
    return 0;
}

static struct slice encoded(struct made *m)
{
    assert_true(seal_handover_encode(&m->block, &m->message));
    return buf_slice(&m->message);
}

/* How many payouts can be read; all of them and nothing behind: *whole. */
static unsigned payouts_in(struct slice message, bool *whole)
{
    struct seal_handover h;
    struct seal_handed_payout p;
    unsigned n = 0;
    *whole = false;
    if (!seal_handover_open(message, &h))
        return 0;
    while (h.left > 0) {
        if (!seal_handover_next(&h, &p))
            return n;
        n++;
    }
    *whole = seal_handover_is_whole(&h);
    return n;
}

static bool is_whole(struct slice message)
{
    bool whole;
    (void)payouts_in(message, &whole);
    return whole;
}

/* ---------------------------------------------------------------- messages */

static void same_slice(struct slice a, struct slice b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.p, b.p, b.len);
}

static void same_payout(const struct seal_handed_payout *p, const struct payout_draft *d)
{
    same_slice(p->reference, d->reference);
    same_slice(p->fingerprint, d->fingerprint);
    assert_int_equal(p->info.p == NULL, d->info.len == 0);
    if (d->info.len > 0)
        same_slice(p->info, d->info);
    assert_int_equal(p->gross, d->gross);
    assert_int_equal(p->fee, d->fee);
    assert_int_equal(p->mid_rate_e10, d->mid_rate_e10);
    assert_int_equal(p->mid_value, d->mid_value);
    assert_int_equal(p->margin, d->margin);
    assert_int_equal(p->net, d->net);
    assert_int_equal(p->beneficiary_id, d->beneficiary_id);
    assert_int_equal(p->rate_id, d->rate_id);
    assert_int_equal(p->policy_id, d->policy_id);
    assert_int_equal(p->margin_bps, d->margin_bps);
    assert_int_equal(p->src_ccy, d->src_ccy);
    assert_int_equal(p->dst_ccy, d->dst_ccy);
    assert_int_equal(p->digit_shift, d->digit_shift);
    assert_int_equal(p->n_lines, d->journal.n);
    for (unsigned i = 0; i < p->n_lines; i++) {
        assert_int_equal(p->lines[i].account, d->journal.lines[i].account);
        assert_int_equal(p->lines[i].ccy, d->journal.lines[i].ccy);
        assert_int_equal(p->lines[i].minor, d->journal.lines[i].minor);
    }
}

static void what_is_read_is_what_was_written(void **state)
{
    struct made *m = *state;
    struct seal_handover h;
    struct seal_handed_payout p;
    m->drafts[1].info = SLICE("an invoice");
    m->drafts[1].rate_id = INT32_MAX;
    m->drafts[3].policy_id = 4; /* all else is as before it */
    m->drafts[2].journal.lines[1].account = 7;
    m->drafts[2].mid_rate_e10 = INT64_MAX;
    m->drafts[2].digit_shift = -4;
    m->drafts[3].journal.n = SEAL_LINES_MAX;
    m->drafts[3].gross = INT64_MIN;
    m->drafts[4].reference = SLICE("");
    m->version[4] = INT32_MAX;
    m->bank_id[4] = INT16_MAX;
    assert_true(seal_handover_open(encoded(m), &h));
    assert_int_equal(h.book_id, BOOK);
    assert_int_equal(h.principal_id, PRINCIPAL);
    assert_int_equal(h.block_no, BLOCK);
    assert_int_equal(h.first_seq, FIRST_SEQ);
    assert_int_equal(h.committed_at, AT);
    assert_int_equal(h.n, PAYOUTS);
    for (unsigned i = 0; i < PAYOUTS; i++) {
        assert_false(seal_handover_is_whole(&h));
        assert_true(seal_handover_next(&h, &p));
        same_payout(&p, &m->drafts[i]);
        assert_int_equal(p.bank_id, m->bank_id[i]);
        assert_int_equal(p.beneficiary_version, m->version[i]);
    }
    assert_true(seal_handover_is_whole(&h));
}

static void what_says_the_same_again_takes_no_room(void **state)
{
    struct made *m = *state;
    size_t same = encoded(m).len;
    for (unsigned i = 1; i < PAYOUTS; i += 2)
        m->drafts[i].margin_bps = 60;
    assert_true(encoded(m).len > same + 10);
}

static void what_the_sealer_has_to_read_itself_is_not_handed_over(void **state)
{
    struct made *m = *state;
    const struct beneficiary_draft carried = {.bank_id = 1};
    struct payout_draft *d = &m->drafts[2], good = *d;
    const struct payout_draft *many[SEAL_HANDOVER_PAYOUTS_MAX + 1];
    int64_t numbers[SEAL_HANDOVER_PAYOUTS_MAX + 1] = {0};
    d->carried = &carried;
    assert_false(seal_handover_encode(&m->block, &m->message));
    *d = good;
    d->quote_id = 1;
    assert_false(seal_handover_encode(&m->block, &m->message));
    *d = good;
    d->refusal = REASON_RATE_STALE;
    assert_false(seal_handover_encode(&m->block, &m->message));
    *d = good;
    d->journal.n = SEAL_LINES_MAX + 1;
    assert_false(seal_handover_encode(&m->block, &m->message));
    *d = good;
    d->fingerprint.len = 15;
    assert_false(seal_handover_encode(&m->block, &m->message));
    *d = good;
    for (size_t i = 0; i < sizeof many / sizeof(const struct payout_draft *); i++)
        many[i] = &good;
    m->block.drafts = many;
    m->block.bank_id = m->block.beneficiary_version = numbers;
    m->block.n = 0;
    assert_false(seal_handover_encode(&m->block, &m->message));
    m->block.n = SEAL_HANDOVER_PAYOUTS_MAX + 1;
    assert_false(seal_handover_encode(&m->block, &m->message));
    m->block.n = SEAL_HANDOVER_PAYOUTS_MAX;
    assert_true(seal_handover_encode(&m->block, &m->message));
    char info[140];
    memset(info, 'i', sizeof info);
    good.info = slice_of(info, sizeof info);
    assert_false(
        seal_handover_encode(&m->block, &m->message)); /* more than a message has room for */
    assert_true(buf_len(&m->message) <= SEAL_HANDOVER_BYTES_MAX);
}

static void a_message_that_is_cut_or_goes_on_is_not_whole(void **state)
{
    struct made *m = *state;
    struct slice message = encoded(m);
    bool whole;
    assert_int_equal(payouts_in(message, &whole), PAYOUTS);
    assert_true(whole);
    for (size_t len = 0; len < message.len; len++) {
        unsigned char *exact =
            malloc(len + 1); /* of its own, so that a sanitizer sees a step too far */
        assert_non_null(exact);
        memcpy(exact, message.p, len);
        unsigned char *tight = realloc(exact, len == 0 ? 1 : len);
        assert_non_null(tight);
        assert_false(is_whole(slice_of(tight, len)));
        free(tight);
    }
    assert_ok(buf_append_char(&m->message, '\0'));
    assert_int_equal(payouts_in(buf_slice(&m->message), &whole), PAYOUTS);
    assert_false(whole);
}

/* A head that is right (book 1, principal 1, block 1, seq 1, time 0, n payouts), and then what is given. */
static bool reads(unsigned char n, struct slice rest)
{
    unsigned char bytes[256] = {'U', 'J', 'H', 2, 2, 2, 2, 2, 0, (unsigned char)(2 * n)};
    assert_true(rest.len <= sizeof bytes - 10);
    memcpy(bytes + 10, rest.p, rest.len);
    return is_whole(slice_of(bytes, 10 + rest.len));
}

#define PRINT_16 "0123456789abcdef"
#define TERMS    "\2\2\2\2\2\2\2"
#define REST     "\2\2\2\2\2\2\2\2"

static void hostile_messages_are_refused(void **state)
{
    (void)state;
    assert_true(reads(1, SLICE("\0\2r" PRINT_16 TERMS REST "\2\2\2\2")));
    assert_true(reads(1, SLICE("\4\2r\2i" PRINT_16 TERMS REST "\0")));
    assert_true(reads(2, SLICE("\0\0" PRINT_16 TERMS REST "\0\3\0" PRINT_16 REST)));
    /* a length beyond the end, or below zero */
    assert_false(
        reads(1, SLICE("\0\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1r" PRINT_16 TERMS REST "\0")));
    assert_false(reads(1, SLICE("\0\3r" PRINT_16 TERMS REST "\0")));
    assert_false(reads(1, SLICE("\0\xfer" PRINT_16 TERMS REST "\0")));
    /* a number of eleven bytes, of more than 64 bits, of more than its field takes */
    assert_false(reads(1, SLICE("\0\0" PRINT_16 TERMS "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0"
                                "\2\2\2\2\2\2\2\0")));
    assert_false(reads(1, SLICE("\0\0" PRINT_16 TERMS "\xff\xff\xff\xff\xff\xff\xff\xff\xff\2"
                                "\2\2\2\2\2\2\2\0")));
    assert_false(reads(1, SLICE("\0\0" PRINT_16 TERMS "\2\2\2\2\2\2\2\x80\x80\4\0")));
    assert_true(reads(1, SLICE("\0\0" PRINT_16 TERMS "\2\2\2\2\2\2\2\xfe\xff\3\0")));
    /* "as before" where there is nothing before; a flag nobody knows; an info that is empty; nine lines, and less than none */
    assert_false(reads(1, SLICE("\1\0" PRINT_16 REST "\0")));
    assert_false(reads(1, SLICE("\2\0" PRINT_16 TERMS REST)));
    assert_false(reads(1, SLICE("\10\0" PRINT_16 TERMS REST "\0")));
    assert_false(reads(1, SLICE("\4\0\0" PRINT_16 TERMS REST "\0")));
    assert_false(reads(1, SLICE("\0\0" PRINT_16 TERMS REST "\22"
                                "\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2")));
    assert_false(reads(1, SLICE("\0\0" PRINT_16 TERMS REST "\1")));
    /* fewer payouts than were said */
    assert_false(reads(2, SLICE("\0\0" PRINT_16 TERMS REST "\0")));
}

static void hostile_heads_are_refused(void **state)
{
    struct made *m = *state;
    struct seal_handover h;
    struct slice message = encoded(m);
    unsigned char *huge = calloc(1, SEAL_HANDOVER_BYTES_MAX + 1);
    assert_non_null(huge);
    memcpy(huge, message.p, message.len);
    assert_true(seal_handover_open(slice_of(huge, SEAL_HANDOVER_BYTES_MAX), &h));
    assert_false(seal_handover_open(slice_of(huge, SEAL_HANDOVER_BYTES_MAX + 1), &h));
    huge[3] = 1; /* another version */
    assert_false(seal_handover_open(slice_of(huge, message.len), &h));
    free(huge);
    assert_false(seal_handover_open(slice_of(NULL, 0), &h));
    assert_false(seal_handover_open(SLICE("UJH\2\2\2\2\2\0\0"), &h));       /* no payouts */
    assert_false(seal_handover_open(SLICE("UJH\2\2\2\2\2\0\1"), &h));       /* less than none */
    assert_false(seal_handover_open(SLICE("UJH\2\2\2\2\2\0\x82\x40"), &h)); /* 4097 */
    assert_true(seal_handover_open(SLICE("UJH\2\2\2\2\2\0\x80\x40"), &h));  /* 4096 */
    assert_false(seal_handover_open(SLICE("UJH\2\2\2\0\2\0\2"), &h));       /* block 0 */
    assert_false(seal_handover_open(SLICE("UJH\2\2\2\2\0\0\2"), &h));       /* seq 0 */
    assert_false(
        seal_handover_open(SLICE("UJH\2\x80\x80\x80\x80\x10\2\2\2\0\2"), &h)); /* book 2^31 */
}

/* ---------------------------------------------------------------- what is kept */

static const struct seal_block_row ROW = {BLOCK, FIRST_SEQ, FIRST_SEQ + PAYOUTS - 1, AT};

static struct seal_handed *handed_new(size_t bytes_max)
{
    struct seal_handed *h;
    assert_ok(seal_handed_new(bytes_max, &h));
    return h;
}

static bool takes(struct seal_handed *h, int32_t book_id, struct seal_block_row row)
{
    struct slice message = seal_handed_take(h, book_id, &row);
    bool there = message.p != NULL;
    free((void *)(uintptr_t)message.p);
    return there;
}

static void only_the_very_block_is_given_and_only_once(void **state)
{
    struct made *m = *state;
    struct seal_handed *h = handed_new(SEAL_HANDED_BYTES_MAX);
    struct slice message = encoded(m);
    const struct seal_block_row others[] = {{BLOCK, FIRST_SEQ, ROW.last_seq, AT + 1},
                                            {BLOCK, FIRST_SEQ + 1, ROW.last_seq + 1, AT},
                                            {BLOCK, FIRST_SEQ, ROW.last_seq + 1, AT},
                                            {BLOCK, FIRST_SEQ, ROW.last_seq - 1, AT}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        seal_handed_put(h, message);
        assert_int_equal(seal_handed_blocks(h), 1);
        assert_false(takes(h, BOOK, others[i]));
        assert_int_equal(seal_handed_blocks(h), 0);
    }
    seal_handed_put(h, message);
    assert_false(takes(h, BOOK + 1, ROW));
    assert_false(takes(h, BOOK, (struct seal_block_row){BLOCK + 1, FIRST_SEQ, ROW.last_seq, AT}));
    struct slice taken = seal_handed_take(h, BOOK, &ROW);
    same_slice(taken, message);
    free((void *)(uintptr_t)taken.p);
    assert_false(takes(h, BOOK, ROW));
    assert_int_equal(seal_handed_bytes(h), 0);
    seal_handed_free(&h);
}

static void the_first_word_about_a_block_stands(void **state)
{
    struct made *m = *state;
    struct seal_handed *h = handed_new(SEAL_HANDED_BYTES_MAX);
    seal_handed_put(h, encoded(m));
    m->drafts[0].gross++;
    seal_handed_put(h, encoded(m));
    seal_handed_put(h, SLICE("no message at all"));
    assert_int_equal(seal_handed_blocks(h), 1);
    m->drafts[0].gross--;
    struct slice taken = seal_handed_take(h, BOOK, &ROW);
    same_slice(taken, encoded(m));
    free((void *)(uintptr_t)taken.p);
    seal_handed_free(&h);
}

static void put_block(struct made *m, struct seal_handed *h, int64_t block_no)
{
    m->block.block_no = block_no;
    seal_handed_put(h, encoded(m));
}

static bool has_block(struct seal_handed *h, int64_t block_no)
{
    struct seal_block_row row = ROW;
    row.block_no = block_no;
    return takes(h, BOOK, row);
}

static void blocks_may_come_in_any_order(void **state)
{
    struct made *m = *state;
    struct seal_handed *h = handed_new(SEAL_HANDED_BYTES_MAX);
    for (int64_t i = 0; i < 1000; i++)
        put_block(m, h, 1 + i * 373 % 1000);
    for (int64_t i = 1; i <= 1000; i++)
        assert_true(has_block(h, i));
    assert_int_equal(seal_handed_bytes(h), 0);
    seal_handed_free(&h);
}

static void what_is_kept_is_bounded_and_the_oldest_goes(void **state)
{
    struct made *m = *state;
    struct seal_handed *h = handed_new(20000);
    for (int64_t i = 1; i <= 1000; i++) {
        put_block(m, h, i);
        assert_true(seal_handed_bytes(h) <= 20000);
    }
    assert_true(seal_handed_blocks(h) > 20 && seal_handed_blocks(h) < 200);
    assert_false(has_block(h, 1));
    assert_true(has_block(h, 1000) && has_block(h, 990));
    seal_handed_free(&h);

    h = handed_new(SEAL_HANDED_BYTES_MAX); /* small ones are bounded in number */
    m->block.n = 1;
    for (int64_t i = 1; i <= SEAL_HANDED_BLOCKS_MAX + 10; i++)
        put_block(m, h, i);
    assert_int_equal(seal_handed_blocks(h), SEAL_HANDED_BLOCKS_MAX);
    seal_handed_free(&h);
}

static bool is_even(void *user, int32_t book_id, int64_t block_no)
{
    (void)user;
    return book_id == BOOK && block_no % 2 == 0;
}

static void what_is_useless_is_swept_out(void **state)
{
    struct made *m = *state;
    struct seal_handed *h = handed_new(SEAL_HANDED_BYTES_MAX);
    for (int64_t i = 1; i <= 10; i++)
        put_block(m, h, i);
    seal_handed_sweep(h, is_even, NULL);
    assert_int_equal(seal_handed_blocks(h), 5);
    assert_true(has_block(h, 3) && !has_block(h, 4));
    seal_handed_free(&h);
}

static void nothing_is_kept_any_more_of_whom_is_not_trusted(void **state)
{
    struct made *m = *state;
    struct seal_handed *h = handed_new(SEAL_HANDED_BYTES_MAX);
    put_block(m, h, 1);
    assert_true(seal_handed_is_trusted(h));
    seal_handed_distrust(h);
    put_block(m, h, 2);
    assert_int_equal(seal_handed_blocks(h), 0);
    assert_false(seal_handed_is_trusted(h));
    seal_handed_free(&h);
}

static void about_one_block_in_so_many_is_looked_at(void **state)
{
    (void)state;
    struct seal_handed *h = handed_new(1);
    uint64_t passed = 0;
    bool seen[2 * SEAL_HANDED_CHECK_EVERY - 1] = {false};
    enum { LOOKS = 20000 };
    for (unsigned i = 0; i < LOOKS; i++) {
        unsigned n = seal_handed_next_check(h);
        assert_true(n < sizeof seen);
        seen[n] = true;
        passed += n + 1;
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_true(seen[i]);
    /* the mean of 20,000 is within 2 of it but for one chance in 10^14 */
    assert_true(passed / LOOKS >= SEAL_HANDED_CHECK_EVERY - 2 &&
                passed / LOOKS <= SEAL_HANDED_CHECK_EVERY + 2);
    seal_handed_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_read_is_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(what_says_the_same_again_takes_no_room, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_sealer_has_to_read_itself_is_not_handed_over,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_that_is_cut_or_goes_on_is_not_whole, setup,
                                        teardown),
        cmocka_unit_test(hostile_messages_are_refused),
        cmocka_unit_test_setup_teardown(hostile_heads_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_very_block_is_given_and_only_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_first_word_about_a_block_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_may_come_in_any_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_is_bounded_and_the_oldest_goes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_useless_is_swept_out, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_kept_any_more_of_whom_is_not_trusted, setup,
                                        teardown),
        cmocka_unit_test(about_one_block_in_so_many_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
