#include "seal/handed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

enum { BUCKETS = 1 << 12 };

struct entry {
    TAILQ_ENTRY(entry) by_age;
    LIST_ENTRY(entry) in_bucket;
    int32_t book_id;
    int64_t block_no;
    size_t len;
    unsigned char *message;
};
TAILQ_HEAD(entries, entry);
LIST_HEAD(bucket, entry);

struct seal_handed {
    size_t bytes, bytes_max, n;
    uint64_t seed, random; /* nobody outside knows them */
    bool distrusted;
    struct entries by_age; /* oldest first */
    struct bucket buckets[BUCKETS];
};

err_t seal_handed_new(size_t bytes_max, struct seal_handed **out)
{
    uint64_t secret[2];
    struct seal_handed *h = calloc(1, sizeof *h);
    *out = NULL;
    if (h == NULL)
        return err_make(ERR_NO_MEMORY, "handed over");
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret) {
        err_t err = err_sys("getrandom");
        free(h);
        return err;
    }
    h->seed = secret[0] | 1;
    h->random = secret[1];
    h->bytes_max = bytes_max;
    TAILQ_INIT(&h->by_age);
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_INIT(&h->buckets[i]);
    *out = h;
    return err_none();
}

static size_t cost(const struct entry *e)
{
    return sizeof *e + e->len;
}

static void drop(struct seal_handed *h, struct entry *e)
{
    TAILQ_REMOVE(&h->by_age, e, by_age);
    LIST_REMOVE(e, in_bucket);
    h->bytes -= cost(e);
    h->n--;
    free(e->message);
    free(e);
}

static void drop_all(struct seal_handed *h)
{
    for (struct entry *e = TAILQ_FIRST(&h->by_age), *next; e != NULL; e = next) {
        next = TAILQ_NEXT(e, by_age);
        drop(h, e);
    }
}

void seal_handed_free(struct seal_handed **handed)
{
    if (*handed == NULL)
        return;
    drop_all(*handed);
    free(*handed);
    *handed = NULL;
}

static struct bucket *bucket_of(struct seal_handed *h, int32_t book_id, int64_t block_no)
{
    uint64_t x = ((uint64_t)block_no << 24 ^ (uint64_t)(uint32_t)book_id) * h->seed;
    x ^= x >> 29;
    x *= 0x9e3779b97f4a7c15ULL; /* Fibonacci hashing: Knuth, volume 3, 6.4 */
    return &h->buckets[x >> 52];
}

static struct entry *find(struct seal_handed *h, int32_t book_id, int64_t block_no)
{
    struct entry *e;
    LIST_FOREACH(e, bucket_of(h, book_id, block_no), in_bucket)
    if (e->book_id == book_id && e->block_no == block_no)
        return e;
    return NULL;
}

bool seal_handed_has(struct seal_handed *h, int32_t book_id, int64_t block_no)
{
    return find(h, book_id, block_no) != NULL;
}

void seal_handed_put(struct seal_handed *h, struct slice message)
{
    struct seal_handover head;
    if (h->distrusted || !seal_handover_open(message, &head) ||
        find(h, head.book_id, head.block_no) != NULL)
        return;
    struct entry *e = calloc(1, sizeof *e);
    unsigned char *copy = malloc(message.len);
    if (e == NULL || copy == NULL) {
        free(e);
        free(copy);
        return;
    }
    memcpy(copy, message.p, message.len);
    *e = (struct entry){
        .book_id = head.book_id, .block_no = head.block_no, .len = message.len, .message = copy};
    TAILQ_INSERT_TAIL(&h->by_age, e, by_age);
    LIST_INSERT_HEAD(bucket_of(h, e->book_id, e->block_no), e, in_bucket);
    h->bytes += cost(e);
    h->n++;
    while (h->bytes > h->bytes_max || h->n > SEAL_HANDED_BLOCKS_MAX)
        drop(h, TAILQ_FIRST(&h->by_age));
}

struct slice seal_handed_take(struct seal_handed *h, int32_t book_id,
                              const struct seal_block_row *block)
{
    struct seal_handover head;
    struct slice message = slice_of(NULL, 0);
    struct entry *e = find(h, book_id, block->block_no);
    if (e == NULL)
        return message;
    /* Of another try of the same number, which was not to be, or of a ledger that lost it: no use any more either. */
    if (seal_handover_open(slice_of(e->message, e->len), &head) &&
        head.first_seq == block->first_seq &&
        head.n == (uint64_t)(block->last_seq - block->first_seq) + 1 &&
        head.committed_at == block->committed_at) {
        message = slice_of(e->message, e->len);
        e->message = NULL;
    }
    drop(h, e);
    return message;
}

void seal_handed_sweep(struct seal_handed *h, seal_handed_useless *useless, void *user)
{
    struct entry *e = TAILQ_FIRST(&h->by_age);
    while (e != NULL) {
        struct entry *next = TAILQ_NEXT(e, by_age);
        if (useless(user, e->book_id, e->block_no))
            drop(h, e);
        e = next;
    }
}

void seal_handed_distrust(struct seal_handed *h)
{
    h->distrusted = true;
    drop_all(h);
}

bool seal_handed_is_trusted(const struct seal_handed *h)
{
    return !h->distrusted;
}

unsigned seal_handed_next_check(struct seal_handed *h)
{
    /* splitmix64 (Steele, Lea, Flood 2014), from a secret start */
    uint64_t x = h->random += 0x9e3779b97f4a7c15ULL;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    x ^= x >> 31;
    return (unsigned)(x % (2 * SEAL_HANDED_CHECK_EVERY - 1));
}

size_t seal_handed_blocks(const struct seal_handed *h)
{
    return h->n;
}

size_t seal_handed_bytes(const struct seal_handed *h)
{
    return h->bytes;
}
