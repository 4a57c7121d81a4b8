/*
 * Blocks that are handed over to the sealer: sealed as the rows say, whoever hands over what, and whenever. Messages are
 * caught here as the batcher makes them, spoiled or not, and sent to a sealer when the test says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/handover.h"
#include "seal/key.h"
#include "seal/sealer.h"
#include "tests/pg/ledger_fixture.h"

enum { MESSAGES_MAX = 256, STEPS_MAX = 200, LOG_BYTES = 1 << 20 };

enum forgery { HONEST, OTHER_AMOUNT, OTHER_BENEFICIARY, OTHER_ACCOUNT, CUT_SHORT };

struct world {
    struct fixture f;
    char folder[64], log_path[96];
    struct log *log;
    /* Every block that was told of, encoded. */
    enum forgery forgery;
    struct buf message[MESSAGES_MAX];
    unsigned n;
    int pair[2][2]; /* workers' and sealer's ends of two workers */
    struct sealer *sealer;
};

static void catch_block(void *user, const struct ledger_block *block)
{
    struct world *w = user;
    struct ledger_block told = *block;
    struct payout_draft draft = *block->drafts[0];
    const struct payout_draft **drafts = calloc(block->n, sizeof(const struct payout_draft *));
    assert_non_null(drafts);
    assert_true(w->n < MESSAGES_MAX);
    memcpy(drafts, block->drafts, block->n * sizeof(const struct payout_draft *));
    drafts[0] = &draft;
    told.drafts = drafts;
    if (w->forgery == OTHER_AMOUNT)
        draft.journal.lines[0].minor++;
    if (w->forgery == OTHER_BENEFICIARY)
        draft.beneficiary_id = 999999;
    if (w->forgery == OTHER_ACCOUNT)
        draft.journal.lines[0].account = 999999;
    struct buf *message = &w->message[w->n++];
    assert_true(seal_handover_encode(&told, message));
    if (w->forgery == CUT_SHORT)
        message->len--;
    free(drafts);
}

static void open_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    fixture_init(&w->f);
    struct ledger_config config = fixture_config(&w->f);
    config.on_block = catch_block;
    config.on_block_user = w;
    fixture_up(&w->f, &config);
    snprintf(w->folder, sizeof w->folder, "/tmp/ujrat-seal-handover.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->log_path, sizeof w->log_path, "%s/log", w->folder);
    assert_ok(log_new(w->log_path, LOG_LEVEL_DEBUG, &w->log));
    for (unsigned i = 0; i < MESSAGES_MAX; i++)
        seal_handover_buf_init(&w->message[i]);
    open_pair(w->pair[0]);
    open_pair(w->pair[1]);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];
    sealer_free(&w->sealer);
    fixture_deinit(&w->f);
    for (unsigned i = 0; i < MESSAGES_MAX; i++)
        buf_deinit(&w->message[i]);
    for (unsigned i = 0; i < 2; i++) {
        close(w->pair[i][0]);
        close(w->pair[i][1]);
    }
    log_free(&w->log);
    for (int32_t book = 1; book < 64; book++) {
        snprintf(command, sizeof command, "%s/%d.pem", w->folder, book);
        (void)unlink(command);
    }
    (void)unlink(w->log_path);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

/* A book with a key; whether the key's own signature is right is for auditors to say. */
static struct test_book sealed_book(struct world *w)
{
    char path[128], hex[2 * SEAL_PUBLIC_KEY_SIZE + 1];
    struct seal_key *key;
    const struct test_book book = book_new(&w->f, 1000000000);
    assert_ok(seal_key_generate(&key));
    snprintf(path, sizeof path, "%s/%d.pem", w->folder, book.id);
    assert_ok(seal_key_write(key, path));
    for (unsigned i = 0; i < SEAL_PUBLIC_KEY_SIZE; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", seal_key_public(key)[i]);
    sql_run(&w->f, "SELECT add_log_key(%d, 1, '\\x%s', clock_timestamp(), '%s', sha512('x'))",
            book.id, hex, seal_key_name(key));
    seal_key_free(&key);
    return book;
}

static void post_block(struct world *w, const struct test_book *book, unsigned payouts)
{
    static unsigned reference;
    char text[32];
    struct post *p = post_new();
    for (unsigned i = 0; i < payouts; i++) {
        snprintf(text, sizeof text, "p%u", reference++);
        struct payout_draft *d = post_add(&w->f, book, p, text, 10000 + (int64_t)i);
        if (i % 3 == 1)
            d->info = SLICE("an invoice");
    }
    post_run(&w->f, book, p);
    for (unsigned i = 0; i < payouts; i++)
        assert_outcome(p, i, LEDGER_DONE, REASON_NONE);
    free(p);
}

static void send_message(struct world *w, unsigned i, unsigned worker)
{
    struct slice m = buf_slice(&w->message[i]);
    assert_int_equal(send(w->pair[worker][0], m.p, m.len, MSG_DONTWAIT | MSG_NOSIGNAL), m.len);
}

static void send_all(struct world *w)
{
    for (unsigned i = 0; i < w->n; i++)
        send_message(w, i, 0);
    w->n = 0;
}

/* ---------------------------------------------------------------- sealing */

static void start_sealer(struct world *w, bool handed)
{
    struct sealer_config config = {.uri = getenv("UJRAT_TEST_DB"),
                                   .keys_folder = w->folder,
                                   .interval_ms = 10,
                                   .timeout_ms = PATIENCE_MS,
                                   .log = w->log};
    for (unsigned i = 0; handed && i < 2; i++)
        config.handover_fds[config.n_handover_fds++] = dup(w->pair[i][1]);
    assert_ok(sealer_new(&config, &w->sealer));
}

static int64_t unsealed(struct world *w, const struct test_book *book)
{
    return sql_int(
        &w->f,
        "SELECT next_block - 1 - (SELECT count(*) FROM block_seal s WHERE s.book_id = h.book_id)"
        " FROM book_head h WHERE book_id = %d",
        book->id);
}

static void seal_all(struct world *w, const struct test_book *book)
{
    int64_t wait_ms = 0;
    for (int i = 0; i < STEPS_MAX && unsealed(w, book) > 0; i++) {
        assert_false(sealer_wait(w->sealer, -1, wait_ms < 20 ? wait_ms : 20));
        wait_ms = sealer_step(w->sealer);
    }
    assert_int_equal(unsealed(w, book), 0);
}

/* All that is sealed of a book, signatures too, as one number. */
static int64_t fingerprint_of(struct world *w, const struct test_book *book)
{
    return sql_int(
        &w->f,
        "SELECT ('x' || left(md5(string_agg(s::text, ';' ORDER BY block_no)), 15))::bit(60)::bigint"
        " FROM block_seal s WHERE book_id = %d",
        book->id);
}

/* Sealed again by one that nothing is handed over to, it comes out the same to the byte. */
static void assert_sealed_as_rows_say(struct world *w, const struct test_book *book)
{
    const int64_t before = fingerprint_of(w, book);
    sealer_free(&w->sealer);
    for (const char **t = (const char *[]){"tree_head", "block_seal", NULL}; *t != NULL; t++) {
        sql_run(&w->f, "ALTER TABLE %s DISABLE TRIGGER append_only", *t);
        sql_run(&w->f, "DELETE FROM %s WHERE book_id = %d", *t, book->id);
        sql_run(&w->f, "ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only", *t);
    }
    start_sealer(w, false);
    seal_all(w, book);
    assert_int_equal(fingerprint_of(w, book), before);
    sealer_free(&w->sealer);
}

/* The sum of what stands behind `key=` in events of that name so far. */
static unsigned logged(struct world *w, const char *event, const char *key)
{
    static char text[LOG_BYTES];
    unsigned sum = 0;
    FILE *file = fopen(w->log_path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *at = strstr(line, event) == NULL ? NULL : strstr(line, key);
        sum += at == NULL ? 0 : (unsigned)strtoul(at + strlen(key), NULL, 10);
    }
    return sum;
}

static unsigned handed(struct world *w)
{
    return logged(w, "event=seal.sealed", " handed_over=");
}

static bool differs(struct world *w)
{
    return logged(w, "event=seal.handed_over_differs", " block=") > 0;
}

/* ---------------------------------------------------------------- tests */

static void what_is_handed_over_is_sealed_as_the_rows_say(void **state)
{
    struct world *w = *state;
    const struct test_book book = sealed_book(w);
    start_sealer(w, true);
    seal_all(w, &book); /* beneficiaries and float: rows */
    assert_int_equal(handed(w), 0);
    post_block(w, &book, 3);
    post_block(w, &book, 500);
    post_block(w, &book, 1);
    assert_int_equal(w->n, 3);
    send_all(w);
    seal_all(w, &book);
    assert_int_equal(handed(w), 3);
    assert_true(logged(w, "event=seal.sealed", " checked=") >= 1); /* the first */
    assert_false(differs(w));
    assert_sealed_as_rows_say(w, &book);
}

static void blocks_that_are_not_handed_over_are_read_between_those_that_are(void **state)
{
    struct world *w = *state;
    const struct test_book book = sealed_book(w);
    for (unsigned i = 0; i < 9; i++)
        post_block(w, &book, 1 + i);
    start_sealer(w, true);
    (void)sealer_step(w->sealer); /* connects; perhaps it seals the first already */
    for (unsigned i = 0; i < 9; i += i % 2 + 1)
        send_message(w, i, 0); /* 0, 1, 3, 5, 7 */
    for (unsigned i = 0; i < 3; i++)
        post_block(w, &book, 2);
    send_message(w, 11, 1);
    send_message(w, 9, 0);
    seal_all(w, &book);
    assert_true(handed(w) >= 2);
    assert_false(differs(w));
    assert_sealed_as_rows_say(w, &book);
}

static void blocks_of_two_workers_may_come_in_any_order(void **state)
{
    struct world *w = *state;
    const struct test_book book = sealed_book(w);
    start_sealer(w, true);
    seal_all(w, &book);
    for (unsigned i = 0; i < 6; i++)
        post_block(w, &book, 2);
    for (unsigned i = 6; i-- > 0;)
        send_message(w, i, i % 2);
    seal_all(w, &book);
    assert_int_equal(handed(w), 6);
    assert_sealed_as_rows_say(w, &book);
}

static void what_was_sent_before_the_sealer_came_or_while_it_was_gone_is_of_use(void **state)
{
    struct world *w = *state;
    const struct test_book book = sealed_book(w);
    start_sealer(w, true);
    seal_all(w, &book);
    sealer_free(&w->sealer);
    post_block(w, &book, 4);
    post_block(w, &book, 4);
    send_all(w);
    start_sealer(w, true);
    seal_all(w, &book);
    assert_int_equal(handed(w), 2);
    assert_false(differs(w));
    assert_sealed_as_rows_say(w, &book);
}

static void a_full_socket_holds_nobody_up(void **state)
{
    struct world *w = *state;
    const struct test_book book = sealed_book(w);
    struct handover h;
    start_sealer(w, true);
    seal_all(w, &book);
    /* Nobody takes anything from here on until the socket is full. */
    handover_init(&h, w->pair[0][0], w->log);
    const unsigned char fill[4096] = {0};
    while (send(w->pair[0][0], fill, sizeof fill, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    post_block(w, &book, 10);
    const struct payout_draft draft = {.reference = SLICE("r"),
                                       .fingerprint = SLICE("0123456789abcdef")};
    const struct payout_draft *drafts[] = {&draft};
    handover_block(&h, &(struct ledger_block){.book_id = book.id,
                                              .block_no = 1,
                                              .first_seq = 1,
                                              .n = 1,
                                              .drafts = drafts,
                                              .bank_id = (int64_t[]){1},
                                              .beneficiary_version = (int64_t[]){1}});
    assert_int_equal(logged(w, "event=worker.not_handed_over", " payouts="), 1);
    seal_all(w, &book);
    post_block(w, &book, 10);
    send_message(w, w->n - 1, 0); /* there is room again */
    seal_all(w, &book);
    assert_int_equal(handed(w), 1);
    handover_deinit(&h);
    assert_sealed_as_rows_say(w, &book);
}

static void assert_found_out(struct world *w, const struct test_book *book)
{
    seal_all(w, book);
    assert_true(differs(w));
    const unsigned before = handed(w);
    assert_int_equal(logged(w, "event=seal.broken", "book"), 0);
    /* for good: the honest are not believed any more either */
    w->forgery = HONEST;
    post_block(w, book, 2);
    send_message(w, w->n - 1, 0);
    seal_all(w, book);
    assert_int_equal(handed(w), before);
    assert_sealed_as_rows_say(w, book);
}

static void a_forged_first_block_is_found_out_and_not_sealed(void **state)
{
    for (enum forgery forgery = OTHER_AMOUNT; forgery <= CUT_SHORT; forgery++) {
        struct world *w;
        assert_int_equal(setup(state), 0);
        w = *state;
        const struct test_book book = sealed_book(w);
        start_sealer(w, true);
        seal_all(w, &book);
        w->forgery = forgery;
        post_block(w, &book, 5);
        send_all(w);
        assert_found_out(w, &book);
        assert_int_equal(teardown(state), 0);
    }
}

static void of_forged_blocks_in_a_row_none_is_sealed_up_to_the_one_that_is_looked_at(void **state)
{
    struct world *w = *state;
    const struct test_book book = sealed_book(w);
    start_sealer(w, true);
    seal_all(w, &book);
    post_block(w, &book, 1);
    send_all(w);
    seal_all(w, &book);
    assert_int_equal(handed(w), 1);
    w->forgery = OTHER_AMOUNT;
    for (unsigned i = 0; i < 2 * SEAL_HANDED_CHECK_EVERY; i++) /* so many are never passed over */
        post_block(w, &book, 1);
    send_all(w);
    assert_found_out(w, &book);
}

static void a_block_of_anything_else_is_not_told_of(void **state)
{
    struct world *w = *state;
    const struct test_book book = sealed_book(w);
    struct post *p = post_new();
    post_add(&w->f, &book, p, "once", 10000);
    post_add(&w->f, &book, p, "once", 10000);
    post_run(&w->f, &book, p);
    assert_outcome(p, 1, LEDGER_DUPLICATE, REASON_NONE);
    assert_int_equal(w->n, 0);
    p->n = 0;
    post_add(&w->f, &book, p, "good", 10000);
    post_add_refusal(p, "bad", 10000, REASON_RATE_STALE);
    post_run(&w->f, &book, p);
    assert_outcome(p, 1, LEDGER_REFUSED, REASON_RATE_STALE);
    assert_int_equal(w->n, 0);
    p->n = 0;
    post_add(&w->f, &book, p, "nobody", 10000)->beneficiary_id = 999;
    post_run(&w->f, &book, p);
    assert_int_equal(w->n, 0);
    p->n = 0;
    post_add(&w->f, &book, p, "plain", 10000);
    post_run(&w->f, &book, p);
    assert_int_equal(w->n, 1);
    free(p);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_handed_over_is_sealed_as_the_rows_say),
        TEST(blocks_that_are_not_handed_over_are_read_between_those_that_are),
        TEST(blocks_of_two_workers_may_come_in_any_order),
        TEST(what_was_sent_before_the_sealer_came_or_while_it_was_gone_is_of_use),
        TEST(a_full_socket_holds_nobody_up),
        cmocka_unit_test(a_forged_first_block_is_found_out_and_not_sealed),
        TEST(of_forged_blocks_in_a_row_none_is_sealed_up_to_the_one_that_is_looked_at),
        TEST(a_block_of_anything_else_is_not_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
