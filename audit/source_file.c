/* A log export as a source: strict, of any size, in the memory of its largest record. */
#include "audit/source.h"

#include "base/command.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC       "UJRATLOG\n"
#define MAGIC_BYTES 9
#define WINDOW      (2 * RECORD_FIELD_BYTES_MAX + 64)

/* Where an item may be: the order of the page. */
enum place { PLACE_BEGIN, PLACE_COMMON, PLACE_BOOK, PLACE_CHAIN, PLACE_HEAD, PLACE_END };

struct source_file {
    struct source base;
    int fd; /* -1: all is in the window */
    unsigned char *window;
    const unsigned char *p, *end; /* what of it is not read */
    bool at_end;                  /* of the file */
    uint64_t at;                  /* of p in the file */
    int64_t items;
    struct sha256 *sha; /* of everything so far */
    enum place place;
    unsigned rank; /* of the last item within its place */
};

static enum source_result broken(struct source_file *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum source_result broken(struct source_file *f, const char *format, ...)
{
    va_list list;
    int n = snprintf(f->base.why, sizeof f->base.why, "at byte %llu: ", (unsigned long long)f->at);

    va_start(list, format);
    vsnprintf(f->base.why + n, sizeof f->base.why - (size_t)n, format, list);
    va_end(list);
    return SOURCE_BROKEN;
}

/* At least n bytes at p, if the file has them. False: it could not be read. */
static bool have(struct source_file *f, size_t n)
{
    size_t left = (size_t)(f->end - f->p);

    assert(n <= WINDOW);
    if (left >= n || f->fd < 0)
        return true;
    memmove(f->window, f->p, left);
    f->p = f->window;
    f->end = f->window + left;
    while (!f->at_end && (size_t)(f->end - f->p) < n) {
        ssize_t got = read(f->fd, f->window + left, WINDOW - left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            snprintf(f->base.why, sizeof f->base.why, "%s", strerror(errno));
            return false;
        }
        f->at_end = got == 0;
        left += (size_t)got;
        f->end += got;
    }
    return true;
}

static void advance(struct source_file *f, size_t n)
{
    f->p += n;
    f->at += n;
    f->base.done = f->at;
}

static enum source_result read_magic(struct source_file *f)
{
    if (!have(f, MAGIC_BYTES))
        return SOURCE_FAILED;
    if (f->end - f->p < MAGIC_BYTES || memcmp(f->p, MAGIC, MAGIC_BYTES) != 0)
        return broken(f, "this is no log export (it does not begin with UJRATLOG)");
    sha256_begin(f->sha);
    sha256_add(f->sha, f->p, MAGIC_BYTES);
    advance(f, MAGIC_BYTES);
    return SOURCE_ITEM;
}

/* The next item's bytes. It stays in the window until the next call. */
static enum source_result read_field(struct source_file *f, struct slice *out)
{
    uint32_t len;

    if (!have(f, 4))
        return SOURCE_FAILED;
    if (f->end == f->p)
        return broken(f, "the file was cut short: its end record is missing");
    if (f->end - f->p < 4)
        return broken(f, "the file was cut short, within the length of an item");
    len = (uint32_t)f->p[0] << 24 | (uint32_t)f->p[1] << 16 | (uint32_t)f->p[2] << 8 | f->p[3];
    if (len == 0 || len > RECORD_FIELD_BYTES_MAX)
        return broken(f, "an item that says it has %u bytes: the file is damaged here", len);
    if (!have(f, 4 + (size_t)len))
        return SOURCE_FAILED;
    if ((size_t)(f->end - f->p) < 4 + (size_t)len)
        return broken(f, "the file was cut short, within an item");
    *out = slice_of(f->p + 4, len);
    return SOURCE_ITEM;
}

static bool decode(enum record_kind kind, struct slice bytes, struct source_item *item,
                   struct record_fault *fault)
{
    switch (kind) {
    case RECORD_LOG:
        return record_read_log(bytes, &item->log, fault);
    case RECORD_CURRENCY:
        return record_read_currency(bytes, &item->currency, fault);
    case RECORD_RATE_SHEET:
        return record_read_rate_sheet(bytes, &item->rate_sheet, fault);
    case RECORD_POLICY_CHANGE:
        return record_read_policy_change(bytes, &item->policy_change, fault);
    case RECORD_BOOK:
        return record_read_book(bytes, &item->book, fault);
    case RECORD_KEY:
        return record_read_key(bytes, &item->key, fault);
    case RECORD_ACCOUNT:
        return record_read_account(bytes, &item->account, fault);
    case RECORD_BENEFICIARY:
        return record_read_beneficiary(bytes, &item->beneficiary, fault);
    case RECORD_JOURNAL:
        return record_read_journal(bytes, &item->journal, fault);
    case RECORD_BALANCE:
        return record_read_balance(bytes, &item->balance, fault);
    case RECORD_BLOCK:
        return record_read_block(bytes, &item->block, fault);
    case RECORD_TREE_HEAD:
        return record_read_tree_head(bytes, &item->tree_head, fault);
    case RECORD_END:
        return record_read_end(bytes, &item->end, fault);
    case RECORD_SIGNED:
    case RECORD_QUOTE:
    case RECORD_POLICY:
    case RECORD_PII:
    case RECORD_PII_OPEN:
    case RECORD_NONE:
        break;
    }
    *fault = (struct record_fault){"kind of record", "is none that a log export has as an item", 0};
    return false;
}

/* Item kinds have their order: within a place the rank never falls. */
static bool in_order(struct source_file *f, const struct source_item *item)
{
    static const struct {
        enum place from, to; /* may follow in these places */
        enum place place;
        unsigned rank;
    } order[] = {
        [RECORD_LOG] = {PLACE_BEGIN, PLACE_BEGIN, PLACE_COMMON, 0},
        [RECORD_CURRENCY] = {PLACE_COMMON, PLACE_COMMON, PLACE_COMMON, 1},
        [RECORD_RATE_SHEET] = {PLACE_COMMON, PLACE_COMMON, PLACE_COMMON, 2},
        [RECORD_POLICY_CHANGE] = {PLACE_COMMON, PLACE_COMMON, PLACE_COMMON, 3},
        [RECORD_BOOK] = {PLACE_COMMON, PLACE_HEAD, PLACE_BOOK, 0},
        [RECORD_KEY] = {PLACE_BOOK, PLACE_BOOK, PLACE_BOOK, 1},
        [RECORD_ACCOUNT] = {PLACE_BOOK, PLACE_BOOK, PLACE_BOOK, 2},
        [RECORD_BENEFICIARY] = {PLACE_BOOK, PLACE_BOOK, PLACE_BOOK, 3},
        [RECORD_JOURNAL] = {PLACE_BOOK, PLACE_CHAIN, PLACE_CHAIN, 0},
        [RECORD_BALANCE] = {PLACE_CHAIN, PLACE_CHAIN, PLACE_CHAIN, 1},
        [RECORD_BLOCK] = {PLACE_CHAIN, PLACE_CHAIN, PLACE_CHAIN, 2},
        [RECORD_TREE_HEAD] = {PLACE_BOOK, PLACE_CHAIN, PLACE_HEAD, 0},
        [RECORD_END] = {PLACE_COMMON, PLACE_HEAD, PLACE_END, 0},
    };
    unsigned rank;
    bool same;

    if (item->kind == RECORD_NONE || item->kind > RECORD_END || f->place < order[item->kind].from ||
        f->place > order[item->kind].to)
        return false;
    rank = order[item->kind].rank;
    same = f->place == order[item->kind].place;
    /* journals, balances, a block, and then journals again */
    if (same && rank < f->rank &&
        !(f->place == PLACE_CHAIN && f->rank == 2 && item->kind == RECORD_JOURNAL))
        return false;
    if (same && f->place == PLACE_CHAIN && f->rank == 2 && item->kind != RECORD_JOURNAL)
        return false;
    if ((item->kind == RECORD_END || item->kind == RECORD_BOOK || item->kind == RECORD_TREE_HEAD) &&
        f->place == PLACE_CHAIN && f->rank != 2)
        return false; /* within a block */
    f->place = order[item->kind].place;
    f->rank = rank;
    return true;
}

static enum source_result at_the_end(struct source_file *f, const struct source_item *item,
                                     size_t len)
{
    hash_t hash;

    sha256_end(f->sha, &hash);
    if (memcmp(hash.b, item->end.sha256.p, HASH_BYTES) != 0)
        return broken(f, "the file is not what was written: its SHA-256 is not the one at its end");
    if (item->end.items != f->items)
        return broken(f, "the file has %lld items and says that it has %lld", (long long)f->items,
                      (long long)item->end.items);
    advance(f, 4 + len);
    if (!have(f, 1))
        return SOURCE_FAILED;
    if (f->p != f->end)
        return broken(f, "something follows the end record");
    return SOURCE_ITEM;
}

static enum source_result file_next(struct source *source, struct source_item *item)
{
    struct source_file *f = (struct source_file *)source;
    struct record_fault fault = {NULL, NULL, 0};
    struct slice bytes = {NULL, 0};
    enum source_result result;

    if (f->place == PLACE_END)
        return SOURCE_END;
    result = f->at == 0 ? read_magic(f) : SOURCE_ITEM;
    if (result == SOURCE_ITEM)
        result = read_field(f, &bytes);
    if (result != SOURCE_ITEM)
        return result;
    item->at = f->at;
    item->key_id = item->signature = item->leaf = item->nodes = slice_of(NULL, 0);
    item->sealed = item->due = item->skipped = false;
    item->bytes = bytes;
    item->kind = record_kind_of(bytes);
    if (item->kind == RECORD_SIGNED) {
        struct record_signed wrapped;
        if (!record_read_signed(bytes, &wrapped, &fault))
            return broken(f, "a signed record: %s %s (byte %zu of it)", fault.field, fault.what,
                          fault.offset);
        item->bytes = wrapped.record;
        item->key_id = wrapped.key_id;
        item->signature = wrapped.signature;
        item->kind = record_kind_of(item->bytes);
    }
    if (!decode(item->kind, item->bytes, item, &fault))
        return broken(f, "%s: %s %s (byte %zu of it)",
                      item->kind == RECORD_NONE ? "an item" : record_name(item->kind), fault.field,
                      fault.what, fault.offset);
    item->sealed = item->signature.p != NULL;
    if (item->sealed !=
        (item->kind == RECORD_KEY || item->kind == RECORD_BLOCK || item->kind == RECORD_TREE_HEAD))
        return broken(f, "%s is %s", record_name(item->kind),
                      item->sealed ? "signed, and should not be" : "not signed");
    if (!in_order(f, item))
        return broken(f, "%s does not belong here", record_name(item->kind));
    if (item->kind == RECORD_END)
        return at_the_end(f, item, bytes.len);
    sha256_add(f->sha, f->p, 4 + bytes.len);
    advance(f, 4 + bytes.len);
    f->items++;
    return source_register(source, item) ? SOURCE_ITEM : SOURCE_FAILED;
}

static void file_free(struct source **source)
{
    struct source_file *f = (struct source_file *)*source;

    if (f->fd >= 0) {
        close(f->fd);
        free(f->window);
    }
    sha256_free(&f->sha);
    free(f);
    *source = NULL;
}

static struct source_file *make(struct known *known)
{
    struct source_file *f = calloc(1, sizeof *f);

    if (f == NULL)
        return NULL;
    f->base.next = file_next;
    f->base.free = file_free;
    f->base.known = known;
    f->fd = -1;
    f->sha = sha256_new();
    if (f->sha == NULL) {
        free(f);
        return NULL;
    }
    return f;
}

bool source_file_new(const char *path, struct known *known, struct source **out)
{
    struct source_file *f = make(known);
    struct stat st;

    if (f == NULL || (f->window = malloc(WINDOW)) == NULL) {
        complain("out of memory");
        if (f != NULL)
            file_free((struct source **)&f);
        return false;
    }
    f->p = f->end = f->window;
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        complain("%s: %s", path, f->fd >= 0 ? "it is a folder" : strerror(errno));
        if (f->fd < 0)
            free(f->window);
        file_free((struct source **)&f);
        return false;
    }
    (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    f->base.total = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    *out = &f->base;
    return true;
}

bool source_bytes_new(struct slice bytes, struct known *known, struct source **out)
{
    struct source_file *f = make(known);

    if (f == NULL)
        return false;
    f->p = (const unsigned char *)bytes.p;
    f->end = f->p + bytes.len;
    f->at_end = true;
    f->base.total = bytes.len;
    *out = &f->base;
    return true;
}
