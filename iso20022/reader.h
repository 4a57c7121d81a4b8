/*
 * reader.h: reads one message as a stream, in memory that does not grow with the file: its header if it has one, what
 * its group says, its items one by one. A file comes from outside and may be anything.
 *
 * What is taken: UTF-8 alone, with or without a byte order mark, whatever the XML declaration says, and one that says
 * another encoding is refused (in another encoding a '<' may be written otherwise). No DOCTYPE, so there are no entities
 * but XML's own five and nothing to fetch; the parser is kept from the network besides. Bounds: bytes of the file,
 * ISO_TOKEN_MAX bytes between two '<', ISO_DEPTH_MAX levels, ISO_POOL_SIZE bytes of text an item. The document stands
 * alone or with its header in wrappers of any name (writer.h), at most ISO_WRAPPERS_MAX deep.
 *
 * Which message it is, is what the namespace of <Document> says: those in shape.c, in the versions whose XSDs the tests
 * have: pacs.008.001.08, .10 and .12, camt.053.001.08 and .12, one of each other; head.001.001.02 and .04. Others are
 * refused by name. Elements we have no use for are passed over; those we know must stand in the XSD's order and not more
 * often than we can take; nothing is cut or guessed. Then rules.h decides, and the XSD if there is one.
 *
 * Nothing is known to be right before iso_read() has returned true: count and sums are compared at the end. Whoever acts
 * on items earlier must be able to take it back (one transaction in the database).
 */
#ifndef UJRAT_ISO20022_READER_H
#define UJRAT_ISO20022_READER_H

#include "base/err.h"
#include "iso20022/message.h"
#include "iso20022/rules.h"
#include "iso20022/schema.h"

#define ISO_BYTES_MAX_DEFAULT (1ULL << 30)
#define ISO_DEPTH_MAX         40
#define ISO_WRAPPERS_MAX      3
#define ISO_TOKEN_MAX         65536
#define ISO_POOL_SIZE         65536

/* Where bytes come from: at most len into out; 0 at the end, -1 on failure. */
typedef int iso_read_fn(void *user, char *out, int len);

struct iso_sink {
    void *user;
    /* Before the first item, or at the end if there is none; and again for each further block of items (PmtInf,
     * Undrlyg, CxlDtls, Stmt, Ntfctn), whose parts of the group are then other ones. header: NULL if there is none.
     * May be NULL. False refuses the file; *why is then ISO_RULE_REFUSED unless something was put there. */
    bool (*group)(void *user, const struct iso_header *header, const struct iso_group *group,
                  struct iso_refusal *why);
    /* Each item; its texts are gone when this returns. May be NULL. */
    bool (*item)(void *user, const struct iso_group *group, const union iso_item *item,
                 struct iso_refusal *why);
};

struct iso_reader_options {
    struct iso_schemas *schemas; /* NULL: not validated by XSDs */
    uint64_t bytes_max;          /* 0: ISO_BYTES_MAX_DEFAULT */
    unsigned kinds;              /* 0: any; else bits 1U << enum iso_kind of those that are taken */
    bool header_required;
};

/* False: *out says why, and where. options may be NULL. */
MUST_CHECK bool iso_read(const struct iso_reader_options *options, iso_read_fn *read, void *source,
                         const struct iso_sink *sink, struct iso_refusal *out);

/* Sources: of an open file (user: its int), of bytes in memory (user: a struct slice, which is used up). */
int iso_read_fd(void *user, char *out, int len);
int iso_read_slice(void *user, char *out, int len);

#endif
