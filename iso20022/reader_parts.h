/*
 * reader_parts.h: what the parts of the reader share. It is one machine, a struct reader, in four files:
 *
 *   reader.c         walks: what the parser says of elements, along the tables of shape.h; tells groups and items
 *   reader_bytes.c   what the parser is fed with: bounds and encoding of the file, and what the parser finds wrong
 *   reader_values.c  the text of an element becomes a field of message.h
 *   reader_valid.c   the XSD, where there is one, is fed with the same events
 */
#ifndef UJRAT_ISO20022_READER_PARTS_H
#define UJRAT_ISO20022_READER_PARTS_H

#include "iso20022/reader.h"
#include "iso20022/shape.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#define FRAMES_MAX  16   /* groups inside each other in shape.c, and some */
#define TEXT_SIZE   2048 /* of one element that we know: 320 characters of 4 bytes, and room */
#define PROLOG_SIZE 256  /* an XML declaration stands in the file's first bytes */
#define NS_SIZE     96

/* Text of the message, given back all at once. */
struct pool {
    size_t used;
    char bytes[ISO_POOL_SIZE];
};

/* A group that has begun and not ended. */
struct frame {
    const struct iso_element *row;   /* NULL: the message's own element, or AppHdr */
    const struct iso_element *inner; /* what may stand in it */
    const struct iso_element *last;  /* the row that stood in it last */
    const char *ns;
    char *base;
};

enum place { IN_WRAPPER, IN_HEADER, IN_DOCUMENT };

struct reader {
    struct iso_reader_options options;
    const struct iso_sink *sink;
    struct iso_refusal *out;
    bool failed, may_stop; /* may_stop: within a call that the parser may be stopped from */
    xmlParserCtxtPtr xml;

    /* bytes */
    iso_read_fn *read;
    void *source;
    uint64_t bytes;
    size_t token; /* since the last '<' */
    bool at_end;
    char prolog[PROLOG_SIZE];
    size_t prolog_len;

    /* where we are */
    int depth;
    int skip_depth; /* of an element that is passed over; 0: none */
    enum place place;
    int place_depth;
    char ns[NS_SIZE];
    struct frame frames[FRAMES_MAX];
    size_t n_frames;
    const struct iso_element *value; /* the element whose text is gathered; NULL: none */
    char text[TEXT_SIZE];
    size_t text_len;
    bool text_cut;
    uint16_t ccy; /* of its Ccy */

    /* what was read */
    const struct iso_definition *definition;
    bool header_seen, document_seen, message_seen, group_told;
    struct iso_header header;
    struct iso_group group;
    union iso_item item;
    bool in_item;
    uint64_t items;   /* that have begun */
    uint64_t details; /* of this entry that were told */
    struct pool group_pool, item_pool;
    size_t again_mark,
        part_mark; /* of the pools, where a block or a part began; SIZE_MAX: none has */
    bool header_checked;
    struct iso_totals totals, block_totals;

    /* validation */
    xmlSchemaValidCtxtPtr valid;
    xmlSchemaSAXPlugPtr plug;
    xmlSAXHandlerPtr valid_sax;
    void *valid_user;
};

/* ---------------------------------------------------------------- saying no (reader.c) */

/* *r->out has been filled by somebody who knows neither line nor item. False, as all of these. */
bool iso_reader_fail_as_told(struct reader *r);

/* Here, in the element that is called so (or NULL). The first complaint counts. */
bool iso_reader_fail_at(struct reader *r, enum iso_rule rule, const char *below, const char *format,
                        ...) __attribute__((format(printf, 4, 5)));

#define fail(r, rule, ...) iso_reader_fail_at(r, rule, NULL, __VA_ARGS__)

/* ---------------------------------------------------------------- bytes (reader_bytes.c) */

/* xmlInputReadCallback. */
int iso_reader_on_read(void *user, char *out, int len);

/* Once the root has been seen: the declaration names no other encoding than the one it is read in. */
bool iso_reader_check_encoding(struct reader *r);

/* xmlStructuredErrorFunc: the file is no XML, or ends too early. */
void iso_reader_on_xml_error(void *user, xmlErrorPtr e);

/* ---------------------------------------------------------------- values (reader_values.c) */

/* What was gathered in r->text is the value of e, and goes to out. */
bool iso_reader_take_value(struct reader *r, const struct iso_element *e, void *out);

/* ---------------------------------------------------------------- validation (reader_valid.c) */

/* From here on events go to the schema of that name, too; without schemas: nothing is done. */
bool iso_reader_valid_begin(struct reader *r, const char *name);
void iso_reader_valid_end(struct reader *r);

#endif
