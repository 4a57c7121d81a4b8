/*
 * source.h: a log as one stream of records, in the order of a log export (docs/log-format.md), wherever it comes from:
 * the database, whose rows are encoded here by our own code, or an export file.
 *
 * A source also fills struct known with what it passes, since records of journals are made of that (database) or checked
 * against it (both).
 */
#ifndef UJRAT_AUDIT_SOURCE_H
#define UJRAT_AUDIT_SOURCE_H

#include "audit/db.h"
#include "audit/known.h"
#include "audit/record.h"

#include <stdbool.h>
#include <stdint.h>

struct source_item {
    enum record_kind kind;          /* of the record; what was signed is unwrapped */
    struct slice bytes;             /* the record; nothing for a block that is not sealed */
    struct slice key_id, signature; /* of a key, a block, a tree head */
    uint64_t at;                    /* of a file: its first byte */
    bool sealed;                    /* a block: it has a seal */
    bool due;                       /* a block without one: blocks behind it are sealed */
    bool skipped;                   /* a block passed by: bytes is its hash */
    struct slice leaf;              /* a journal: its hash as stored with the seal; or nothing */
    struct slice nodes;             /* a block: hashes of complete subtrees as stored; or nothing */
    struct slice broken; /* (known) what is wrong with the record; nothing if it is well */
    union {
        struct record_log log;
        struct record_currency currency;
        struct record_rate_sheet rate_sheet;
        struct record_policy_change policy_change;
        struct record_book book;
        struct record_key key;
        struct record_account account;
        struct record_beneficiary beneficiary;
        struct record_journal journal;
        struct record_balance balance;
        struct record_block block;
        struct record_tree_head tree_head;
        struct record_end end;
    };
};

enum source_result {
    SOURCE_ITEM,
    SOURCE_END,
    SOURCE_BROKEN, /* no log, or not one any more: why says it */
    SOURCE_FAILED, /* could not be read: why says it, or the user was told if it is empty */
};

#define SOURCE_WHY_SIZE 512

struct source {
    enum source_result (*next)(struct source *source, struct source_item *item);
    void (*free)(struct source **source);
    struct known *known;
    uint64_t done, total; /* bytes of a file, journals of a database: for a progress bar */
    bool pass_book;       /* set by the reader: no more of this book, if it can be helped */
    char why[SOURCE_WHY_SIZE];
};

/* path: a log export. False: it has told the user. */
bool source_file_new(const char *path, struct known *known, struct source **out);
/* The same over bytes in memory, which must outlive it. */
bool source_bytes_new(struct slice bytes, struct known *known, struct source **out);

struct source_db_options {
    const char *const *books; /* only these; n_books 0: all */
    size_t n_books;
    bool sealed_only; /* no more than what is sealed */
    /* How far a book has been read before: blocks up to that are passed by. NULL: none. */
    int64_t (*skip_blocks)(void *context, struct slice book);
    void *context;
};
/* Over db's one snapshot. Nothing else may be asked of db between two items, except right after an item of a book's end or
 * begin: RECORD_BOOK, RECORD_END. */
bool source_db_new(struct db *db, const struct source_db_options *options, struct known *known,
                   struct source **out);

static inline void source_free(struct source **source)
{
    if (*source != NULL)
        (*source)->free(source);
}

/* Gives struct known what it wants of the item. True; item->broken set if it finds it wrong; false: it cannot hold it. */
bool source_register(struct source *source, struct source_item *item);

#endif
