/*
 * shape.h: what elements a message has, in which order, of what type, and which field of message.h each is.
 *
 * One table a part (an agent, a party, an account, a group header) and one a message. The writer, the reader and the
 * rules all walk these tables; none of them knows a message. To add an element is to add a row, to add a message is to
 * add a table and a line among the definitions of shape.c. The order is that of the XSDs, which the tests hold against them.
 */
#ifndef UJRAT_ISO20022_SHAPE_H
#define UJRAT_ISO20022_SHAPE_H

#include "iso20022/message.h"

#define ISO_NS_PREFIX "urn:iso:std:iso:20022:tech:xsd:"

enum iso_type {
    ISO_GROUP, /* has elements inside */
    /* texts: see iso_type_is_text() */
    ISO_ID, /* slice: an identifier in the FIN X set, without slashes at its ends or two in a row */
    ISO_NAME,     /* slice: printable ASCII: names, addresses, remittance */
    ISO_TEXT,     /* slice: one line of any text */
    ISO_CODE,     /* slice: of an external code set: 1 to 4 characters, kept as they are */
    ISO_WORD,     /* slice: one of `words` */
    ISO_BIC,      /* slice */
    ISO_IBAN,     /* slice */
    ISO_LEI,      /* slice */
    ISO_COUNTRY,  /* slice: two letters */
    ISO_CURRENCY, /* slice: ISO 4217 */
    ISO_UETR,     /* slice */
    ISO_DECIMAL,  /* slice: a number without a currency */
    /* and what is no text */
    ISO_AMOUNT,   /* money_t: positive, with the currency's decimals */
    ISO_BALANCE,  /* money_t: may be zero */
    ISO_DATE,     /* int32_t */
    ISO_DAY_OF,   /* int32_t: the day of a date with a time */
    ISO_TIME,     /* int64_t */
    ISO_COUNT,    /* uint64_t */
    ISO_SIGN,     /* enum iso_sign: CRDT, DBIT */
    ISO_BOOL,     /* bool */
    ISO_CONSTANT, /* no field: always `words`, or it is refused */
    ISO_NEVER,    /* no field: not written; true is refused */
};

/* What must hold between the elements of a group (rules.c). */
enum iso_check {
    ISO_NO_CHECK = 0,
    ISO_CHECK_CHOICE, /* not two of its elements */
    ISO_CHECK_AGENT,
    ISO_CHECK_PARTY,
    ISO_CHECK_ADDRESS,
    ISO_CHECK_ACCOUNT,
    ISO_CHECK_REMITTANCE,
    ISO_CHECK_REASON,
};

enum iso_flag {
    ISO_MUST = 1,  /* must be there when the group it stands in is */
    ISO_READ = 2,  /* another form of the row before it: taken when read, never written */
    ISO_PATH = 4,  /* a group of the message around its items */
    ISO_ITEM = 8,  /* an item begins: from here on fields are those of the iso_item */
    ISO_PART = 16, /* within an item, what it has several of: told one by one (iso_entry.details) */
    ISO_AGAIN = 32, /* may recur: what it says of the group holds until the next one */
    ISO_MANY = 64,  /* may recur: each of its elements may be in one of them */
    ISO_KEEP = 128, /* written even with nothing in it: the XSD wants it */
};

struct iso_element {
    const char *name; /* NULL: the end of the table */
    enum iso_type type;
    enum iso_check check;
    unsigned flags;
    uint16_t chars_max; /* code points of a slice */
    uint16_t offset;    /* of the field, or of the struct that the elements inside are about */
    uint16_t
        list_max; /* 0: once. Else the field is a list: a size_t, and this many at list_at, list_stride apart */
    uint16_t list_at, list_stride;
    const struct iso_element *inner; /* ISO_GROUP */
    const char *words;               /* ISO_WORD, ISO_CONSTANT: separated by blanks */
    const char *ns;                  /* NULL: the namespace of what it stands in */
};

enum iso_item_type { ISO_ITEM_TRANSFER, ISO_ITEM_FOLLOW_UP, ISO_ITEM_ENTRY };

struct iso_definition {
    enum iso_kind kind;
    const char *family;   /* "pacs.008.001." */
    const char *versions; /* that are read: "08 10 12" */
    unsigned version;     /* that is written */
    enum iso_item_type item;
    const char *root; /* "FIToFICstmrCdtTrf" */
    const struct iso_element *inner;
};

/* Room for "pacs.008.001.08". */
#define ISO_NAME_SIZE 24

/* kind must be one. */
const struct iso_definition *iso_definition(enum iso_kind kind);

/* NULL past the end. */
const struct iso_definition *iso_definition_at(unsigned i);

/* "pacs.008.001.08"; version 0: the one that is written. Returns out. */
const char *iso_message_name(enum iso_kind kind, unsigned version, char out[ISO_NAME_SIZE]);

/* The family and version that a name is of. False if it is none that is read: then *kind is the family's, if that is
 * one of ours, or ISO_NO_KIND. */
MUST_CHECK bool iso_message_find(struct slice name, enum iso_kind *kind, unsigned *version);

/* head.001.001.02, a struct iso_header. */
extern const struct iso_element iso_header_elements[];
#define ISO_HEADER_NAME "head.001.001.02"

/* How far a row's i-th value is from base, which is what the rows around it are about. */
static inline size_t iso_value_at(const struct iso_element *e, size_t i)
{
    return e->offset + (e->list_max > 0 ? e->list_at + i * e->list_stride : 0);
}

static inline const void *iso_value(const struct iso_element *e, const void *base, size_t i)
{
    return (const char *)base + iso_value_at(e, i);
}

/* How many there are: of a list its count, else 1. */
static inline size_t iso_value_count(const struct iso_element *e, const void *base)
{
    return e->list_max > 0 ? *(const size_t *)(const void *)((const char *)base + e->offset) : 1;
}

/* Is anything said in it? A group's is what its elements say; items do not count. */
bool iso_is_present(const struct iso_element *e, const void *base);

static inline bool iso_type_is_text(enum iso_type type)
{
    return type >= ISO_ID && type <= ISO_DECIMAL;
}

/* Of a value: its size in bytes; 0 of what has no field. */
size_t iso_value_size(enum iso_type type);

/* Is it one of words, which are separated by blanks? */
bool iso_word_in(struct slice word, const char *words);

/* Unsays it: all but what is within items. */
void iso_clear(const struct iso_element *e, void *base);

#endif
