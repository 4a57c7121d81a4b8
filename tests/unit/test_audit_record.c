#include "audit/record.h"

#include "tests/unit/prng.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct slice filled(struct prng *prng, char store[64], bool may_be_absent)
{
    size_t len = (size_t)prng_between(prng, 0, 40);

    if (may_be_absent && prng_next(prng) % 3 == 0)
        return slice_of(NULL, 0);
    for (size_t i = 0; i < len; i++)
        store[i] = (char)prng_between(prng, 'a', 'z');
    return slice_of(store, len);
}

static const char hash[32] = "0123456789abcdef0123456789abcde";

/* A journal of any subject, with whatever may be absent being so now and then. */
static void make_journal(struct prng *prng, struct record_journal *j, char texts[20][64])
{
    memset(j, 0, sizeof *j);
    j->book = filled(prng, texts[0], false);
    j->seq = (int64_t)prng_next(prng);
    j->block_no = (int64_t)prng_next(prng);
    j->committed_at_us = (int64_t)prng_next(prng);
    j->kind = filled(prng, texts[1], false);
    j->actor = filled(prng, texts[2], false);
    j->payout_id = (struct opt_int){prng_next(prng) % 2 == 0, 0};
    j->reverses_seq = (struct opt_int){prng_next(prng) % 2 == 0, 0};
    j->detail = filled(prng, texts[3], true);
    j->n_lines = (size_t)prng_between(prng, 0, 8);
    for (size_t i = 0; i < j->n_lines; i++)
        j->lines[i] = (struct record_line){filled(prng, texts[4], false),
                                           filled(prng, texts[5], false), (int64_t)prng_next(prng)};
    j->subject = (enum record_subject)prng_between(prng, SUBJECT_NONE, SUBJECT_UNCLAIMED_END);
    if (j->subject == SUBJECT_PAYOUT) {
        j->payout.reference = filled(prng, texts[6], false);
        j->payout.info = filled(prng, texts[7], true);
        j->payout.bank = j->payout.src_ccy = j->payout.dst_ccy = filled(prng, texts[8], false);
        j->payout.fingerprint = slice_of(hash, 16);
        j->payout.beneficiary = j->payout.rate_sheet = slice_of(hash, 32);
        j->payout.quote = filled(prng, texts[9], true);
        j->payout.policy = prng_next(prng) % 2 ? slice_of(hash, 32) : slice_of(NULL, 0);
    } else if (j->subject == SUBJECT_TRANSITION) {
        j->transition.reason_code = filled(prng, texts[6], true);
        j->transition.bank_reference = filled(prng, texts[7], true);
        j->transition.tax_withheld = (struct opt_int){prng_next(prng) % 2 == 0, 0};
        j->transition.eprc_number = filled(prng, texts[8], true);
    } else if (j->subject == SUBJECT_HANDOUT) {
        j->handout.bank = filled(prng, texts[6], false);
    } else if (j->subject == SUBJECT_DEPOSIT) {
        j->deposit.reference = j->deposit.currency = filled(prng, texts[6], false);
    } else if (j->subject == SUBJECT_ADJUSTMENT) {
        j->adjustment.reason = j->adjustment.proposed_by = filled(prng, texts[6], false);
        j->adjustment.evidence = prng_next(prng) % 2 ? slice_of(hash, 32) : slice_of(NULL, 0);
    } else if (j->subject == SUBJECT_UNCLAIMED) {
        j->unclaimed.reference = j->unclaimed.currency = filled(prng, texts[6], false);
        j->unclaimed.info = filled(prng, texts[7], true);
        j->unclaimed.expires_at_us = (int64_t)prng_next(prng);
    } else if (j->subject == SUBJECT_UNCLAIMED_END) {
        j->unclaimed_end.outcome = (int64_t)prng_next(prng);
        j->unclaimed_end.payout_id = (struct opt_int){prng_next(prng) % 2 == 0, 0};
    }
}

static void a_journal_reads_back_as_it_was_written(void **state)
{
    (void)state;
    struct prng prng = {11};
    char texts[20][64];
    struct record_out out = {0};
    struct record_out again = {0};
    struct record_journal *j = calloc(1, sizeof *j);
    struct record_journal *back = calloc(1, sizeof *back);
    struct record_fault fault;

    for (int round = 0; round < 3000; round++) {
        make_journal(&prng, j, texts);
        assert_true(record_write_journal(&out, j));
        assert_int_equal(record_kind_of(record_out_slice(&out)), RECORD_JOURNAL);
        assert_true(record_read_journal(record_out_slice(&out), back, &fault));
        assert_int_equal(back->seq, j->seq);
        assert_int_equal(back->subject, j->subject);
        assert_int_equal(back->detail.p == NULL, j->detail.p == NULL);
        assert_true(record_write_journal(&again, back));
        assert_int_equal(again.len, out.len);
        assert_memory_equal(again.store, out.store, out.len);
    }
    record_out_free(&out);
    record_out_free(&again);
    free(j);
    free(back);
}

static void what_is_cut_or_longer_is_refused_at_every_byte(void **state)
{
    (void)state;
    struct prng prng = {5};
    char texts[20][64];
    struct record_out out = {0};
    struct record_journal *j = calloc(1, sizeof *j);
    struct record_fault fault;

    for (int round = 0; round < 30; round++) {
        make_journal(&prng, j, texts);
        assert_true(record_write_journal(&out, j));
        for (size_t len = 0; len < out.len; len++) {
            unsigned char *exact =
                malloc(len == 0 ? 1 : len); /* so that a sanitizer sees one byte too far */
            memcpy(exact, out.store, len);
            assert_false(record_read_journal(slice_of(exact, len), j, &fault));
            assert_non_null(fault.field);
            assert_non_null(fault.what);
            assert_true(fault.offset <= len);
            free(exact);
        }
    }
    assert_true(record_write_book(&out, &(struct record_book){SLICE("b"), SLICE("name"), 1}));
    unsigned char longer[64] = {0};
    memcpy(longer, out.store, out.len);
    struct record_book book;
    assert_true(record_read_book(slice_of(longer, out.len), &book, &fault));
    assert_false(record_read_book(slice_of(longer, out.len + 1), &book, &fault));
    assert_string_equal(fault.field, "end");
    record_out_free(&out);
    free(j);
}

static bool book_with(const char *name, size_t len, struct record_fault *fault)
{
    struct record_out out = {0};
    struct record_book book = {SLICE("b"), slice_of(name, len), 1};
    bool ok;

    assert_true(record_write_book(&out, &book));
    ok = record_read_book(record_out_slice(&out), &book, fault);
    record_out_free(&out);
    return ok;
}

static void texts_are_utf8(void **state)
{
    (void)state;
    struct record_fault fault;
    static const char *const good[] = {"",
                                       "a",
                                       "\x7f",
                                       "é",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "\n\t"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "a\xff"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(book_with(good[i], strlen(good[i]), &fault));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(book_with(bad[i], strlen(bad[i]), &fault));
        assert_string_equal(fault.field, "name");
    }
    assert_false(book_with("a\0b", 3, &fault));
}

static void no_record_is_taken_for_another(void **state)
{
    (void)state;
    struct record_out out = {0};
    struct record_fault fault;
    struct record_log log;
    struct record_end end;

    assert_true(record_write_log(&out, &(struct record_log){5, SLICE("p")}));
    assert_true(record_read_log(record_out_slice(&out), &log, &fault));
    assert_false(record_read_end(record_out_slice(&out), &end, &fault));
    assert_string_equal(fault.field, "kind of record");
    assert_int_equal(record_kind_of(SLICE("\0\0\0\x0fujrat/journal/2")), RECORD_JOURNAL);
    assert_int_equal(record_kind_of(SLICE("\0\0\0\x0fujrat/journal/3")), RECORD_NONE);
    assert_int_equal(record_kind_of(SLICE("\0\0\0\xffujrat/journal/1")), RECORD_NONE);
    assert_int_equal(record_kind_of(SLICE("")), RECORD_NONE);
    record_out_free(&out);
}

static void a_field_over_a_mebibyte_is_neither_written_nor_read(void **state)
{
    (void)state;
    char *text = malloc(RECORD_FIELD_BYTES_MAX + 1);
    struct record_out out = {0};

    memset(text, 'x', RECORD_FIELD_BYTES_MAX + 1);
    struct record_book book = {SLICE("b"), slice_of(text, RECORD_FIELD_BYTES_MAX), 1};
    assert_true(record_write_book(&out, &book));
    book.name.len++;
    assert_false(record_write_book(&out, &book));
    record_out_free(&out);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_reads_back_as_it_was_written),
        cmocka_unit_test(what_is_cut_or_longer_is_refused_at_every_byte),
        cmocka_unit_test(texts_are_utf8),
        cmocka_unit_test(no_record_is_taken_for_another),
        cmocka_unit_test(a_field_over_a_mebibyte_is_neither_written_nor_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
