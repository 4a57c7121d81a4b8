/*
 * Where a verification was, so that the next one goes on from there: JSON, put in place at once, with its own SHA-256.
 * What is remembered of journals and references is in files beside it, named by book; they may be ahead of it, never
 * behind. A checkpoint is bound to the log by the root of the blocks that were checked: the next run computes it again.
 */
#include "audit/verify_book.h"

#include "base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT    "ujrat-audit checkpoint"
#define VERSION   4 /* 2: returns in parts; 3: what is unclaimed; 4: holds */
#define BYTES_MAX (64U << 20)
#define BOOKS_MAX VERIFY_BOOKS_MAX
#define PATH_SIZE 4096

static struct checkpoint_book *note_of(struct verify *v)
{
    struct checkpoint_book *store;

    for (size_t i = 0; i < v->n_resume; i++)
        if (strcmp(v->resume[i].code, v->book.code) == 0)
            return &v->resume[i];
    store = realloc(v->resume, (v->n_resume + 1) * sizeof *store);
    if (store == NULL)
        return NULL;
    v->resume = store;
    store = &v->resume[v->n_resume++];
    memset(store, 0, sizeof *store);
    memcpy(store->code, v->book.code, sizeof store->code);
    return store;
}

void checkpoint_note(struct verify *v)
{
    const struct book *b = &v->book;
    struct checkpoint_book *c = note_of(v);
    size_t n = (size_t)known_accounts(v->known);

    if (c != NULL && c->n_accounts != n) {
        struct checkpoint_account *store = realloc(c->accounts, (n + 1) * sizeof *store);
        if (store == NULL) {
            c = NULL;
        } else {
            c->accounts = store;
            c->n_accounts = n;
            for (size_t i = 0; i < n; i++)
                memcpy(store[i].code, known_account_at(v->known, (int)i)->code,
                       sizeof store[i].code);
        }
    }
    if (c == NULL) {
        v->error = err_make(ERR_NO_MEMORY, "checkpoint");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        c->accounts[i].balance = b->accounts[i].balance;
        c->accounts[i].last_block = b->accounts[i].last_block;
        c->accounts[i].debits = b->accounts[i].debits;
        c->accounts[i].credits = b->accounts[i].credits;
    }
    c->result = *b->result;
    c->block_no = b->block_no;
    c->last_seq = b->last_seq;
    c->committed_at_us = b->committed_at_us;
    c->once_count = once_count(b->once);
    memcpy(c->banks, b->banks, b->n_banks * sizeof *b->banks);
    c->n_banks = b->n_banks;
    c->root = merkle_root(&b->tree, v->sha);
}

/* ---------------------------------------------------------------- writing */

static const struct {
    const char *name;
    size_t at;
} numbers[] = {
    {"blocks", offsetof(struct checkpoint_book, result.blocks)},
    {"journals", offsetof(struct checkpoint_book, result.journals)},
    {"lines", offsetof(struct checkpoint_book, result.lines)},
    {"payouts", offsetof(struct checkpoint_book, result.payouts)},
    {"first_at", offsetof(struct checkpoint_book, result.first_at_us)},
    {"last_at", offsetof(struct checkpoint_book, result.last_at_us)},
    {"transitions", offsetof(struct checkpoint_book, result.transitions)},
    {"handouts", offsetof(struct checkpoint_book, result.handouts)},
    {"deposits", offsetof(struct checkpoint_book, result.deposits)},
    {"adjustments", offsetof(struct checkpoint_book, result.adjustments)},
    {"returns", offsetof(struct checkpoint_book, result.returns)},
    {"fundings", offsetof(struct checkpoint_book, result.fundings)},
    {"unclaimed", offsetof(struct checkpoint_book, result.unclaimed)},
    {"unclaimed_ends", offsetof(struct checkpoint_book, result.unclaimed_ends)},
    {"holds", offsetof(struct checkpoint_book, result.holds)},
    {"hold_ends", offsetof(struct checkpoint_book, result.hold_ends)},
    {"balances", offsetof(struct checkpoint_book, result.balances)},
    {"seals", offsetof(struct checkpoint_book, result.seals)},
    {"heads", offsetof(struct checkpoint_book, result.heads)},
    {"block_no", offsetof(struct checkpoint_book, block_no)},
    {"last_seq", offsetof(struct checkpoint_book, last_seq)},
    {"committed_at", offsetof(struct checkpoint_book, committed_at_us)},
    {"references", offsetof(struct checkpoint_book, once_count)},
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static json_t *book_json(const struct checkpoint_book *c)
{
    char root[HEX_SIZE(HASH_BYTES)];
    json_t *accounts = json_array();
    json_t *banks = json_array();
    json_t *all;

    (void)hex_encode(c->root.b, HASH_BYTES, root);
    for (size_t i = 0; i < c->n_accounts; i++)
        json_array_append_new(accounts, json_pack("[s,I,I,I,I]", c->accounts[i].code,
                                                  (json_int_t)c->accounts[i].balance,
                                                  (json_int_t)c->accounts[i].last_block,
                                                  (json_int_t)c->accounts[i].debits,
                                                  (json_int_t)c->accounts[i].credits));
    for (size_t i = 0; i < c->n_banks; i++)
        json_array_append_new(banks, json_pack("[s%,I]", (const char *)&c->banks[i].bank,
                                               sizeof c->banks[i].bank,
                                               (json_int_t)c->banks[i].last_payout_id));
    all = json_pack("{s:s,s:s,s:o,s:o}", "book", c->code, "root", root, "accounts", accounts,
                    "banks", banks);
    for (size_t i = 0; i < NUMBERS; i++) {
        int64_t value = 0;
        memcpy(&value, (const char *)c + numbers[i].at, sizeof value);
        json_object_set_new(all, numbers[i].name, json_integer(value));
    }
    return all;
}

static void digest_of(struct verify *v, const json_t *books, char out[HEX_SIZE(HASH_BYTES)])
{
    char *text = json_dumps(books, JSON_SORT_KEYS | JSON_COMPACT);
    hash_t hash = sha256_of(v->sha, slice_str(text));

    free(text);
    (void)hex_encode(hash.b, HASH_BYTES, out);
}

static err_t put_in_place(const char *path, const char *text)
{
    char beside[PATH_SIZE];
    size_t len = strlen(text);
    size_t done = 0;
    int fd;
    err_t err = err_none();

    if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
        return err_make(ERR_LIMIT, "the checkpoint's path is too long");
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys("open the checkpoint");
    while (done < len) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done < len || fsync(fd) != 0)
        err = err_sys("write the checkpoint");
    close(fd);
    if (!err_failed(err) && rename(beside, path) != 0)
        err = err_sys("put the checkpoint in its place");
    return err;
}

err_t checkpoint_write(struct verify *v, const char *path)
{
    char digest[HEX_SIZE(HASH_BYTES)];
    json_t *books = json_array();
    json_t *all;
    char *text;
    err_t err = err_none();

    if (v->book.open) {
        err = pages_sync(v->book.memory);
        if (!err_failed(err))
            err = once_sync(v->book.once);
    }
    for (size_t i = 0; i < v->n_resume; i++)
        json_array_append_new(books, book_json(&v->resume[i]));
    digest_of(v, books, digest);
    all = json_pack("{s:s,s:i,s:s,s:o}", "format", FORMAT, "version", VERSION, "sha256", digest,
                    "books", books);
    text = json_dumps(all, JSON_INDENT(1));
    json_decref(all);
    if (text == NULL)
        return err_make(ERR_NO_MEMORY, "checkpoint");
    if (!err_failed(err))
        err = put_in_place(path, text);
    free(text);
    return err;
}

/* ---------------------------------------------------------------- reading */

static bool read_accounts(const json_t *from, struct checkpoint_book *c)
{
    size_t n = json_array_size(from);

    if (n > ACCOUNTS_MAX || (c->accounts = calloc(n + 1, sizeof *c->accounts)) == NULL)
        return false;
    for (; c->n_accounts < n; c->n_accounts++) {
        struct checkpoint_account *a = &c->accounts[c->n_accounts];
        const json_t *row = json_array_get(from, c->n_accounts);
        const char *code = json_string_value(json_array_get(row, 0));

        if (code == NULL || err_failed(slice_copy(slice_str(code), a->code, sizeof a->code)))
            return false;
        a->balance = json_integer_value(json_array_get(row, 1));
        a->last_block = json_integer_value(json_array_get(row, 2));
        a->debits = json_integer_value(json_array_get(row, 3));
        a->credits = json_integer_value(json_array_get(row, 4));
    }
    return true;
}

static bool read_book(const json_t *from, struct checkpoint_book *c)
{
    const char *code = json_string_value(json_object_get(from, "book"));
    const char *root = json_string_value(json_object_get(from, "root"));
    const json_t *banks = json_object_get(from, "banks");
    size_t len = 0;

    if (code == NULL || root == NULL || code[0] == '\0' ||
        err_failed(slice_copy(slice_str(code), c->code, sizeof c->code)) ||
        err_failed(hex_decode(slice_str(root), c->root.b, HASH_BYTES, &len)) || len != HASH_BYTES ||
        json_array_size(banks) > BOOK_BANKS_MAX)
        return false;
    for (size_t i = 0; i < NUMBERS; i++) {
        const json_t *number = json_object_get(from, numbers[i].name);
        int64_t value = json_integer_value(number);
        if (!json_is_integer(number) || (value < 0 && numbers[i].at < sizeof *c && i > 5))
            return false;
        memcpy((char *)c + numbers[i].at, &value, sizeof value);
    }
    for (; c->n_banks < json_array_size(banks); c->n_banks++) {
        const json_t *row = json_array_get(banks, c->n_banks);
        c->banks[c->n_banks].bank = bank_pack(slice_str(json_string_value(json_array_get(row, 0))));
        c->banks[c->n_banks].last_payout_id = json_integer_value(json_array_get(row, 1));
    }
    return c->block_no > 0 && c->last_seq >= c->block_no &&
           read_accounts(json_object_get(from, "accounts"), c);
}

static const char *read_all(struct verify *v, const json_t *all)
{
    const json_t *books = json_object_get(all, "books");
    const char *format = json_string_value(json_object_get(all, "format"));
    const char *sha = json_string_value(json_object_get(all, "sha256"));
    char digest[HEX_SIZE(HASH_BYTES)];
    size_t n = json_array_size(books);

    if (format == NULL || strcmp(format, FORMAT) != 0)
        return "is no checkpoint of ujrat-audit";
    if (json_integer_value(json_object_get(all, "version")) != VERSION)
        return "is a checkpoint of another version of ujrat-audit";
    digest_of(v, books, digest);
    if (sha == NULL || strcmp(sha, digest) != 0)
        return "was changed since it was written (its SHA-256 is another)";
    if (n > BOOKS_MAX || (v->resume = calloc(n + 1, sizeof *v->resume)) == NULL)
        return "has more books than fit";
    for (; v->n_resume < n; v->n_resume++)
        if (!read_book(json_array_get(books, v->n_resume), &v->resume[v->n_resume])) {
            v->n_resume++;
            return "has a book in it that cannot be read";
        }
    return NULL;
}

bool checkpoint_read(struct verify *v, const char *path, bool *found)
{
    json_error_t error;
    json_t *all;
    const char *why;
    FILE *in = fopen(path, "re");

    *found = in != NULL;
    if (in == NULL && errno == ENOENT)
        return true;
    if (in == NULL) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    all = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
    fclose(in);
    why = all == NULL ? "is no checkpoint: it is not JSON" : read_all(v, all);
    json_decref(all);
    if (why != NULL)
        complain("%s %s; take it away to begin anew", path, why);
    return why == NULL;
}
