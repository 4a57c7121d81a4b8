/*
 * writer.h: writes one message as a stream: what the group says, its items one by one, the end. Never more in memory
 * than one element and a buffer.
 *
 *   iso_writer_new(&options, &w);
 *   iso_writer_begin(w, &group, &refusal);    count, total and control sum are known before (they stand in front)
 *   iso_writer_add(w, &item, &refusal);       ...
 *   iso_writer_end(w, &refusal);              compares them with what was added
 *   iso_writer_free(&w);
 *
 * Each asks rules.h first. After any refusal the bytes written are worth nothing: throw the file away. (Who wants to
 * leave out one bad instruction and send the others asks iso_rules_item() before adding up.)
 *
 * Header and document in one file. ISO 20022 leaves open how a head.001 and its Document travel together; banks wrap
 * both in an element of their own. Wrapped is ours by default:
 *
 *   <BizMsg><AppHdr xmlns="...head.001.001.02">...</AppHdr><Document xmlns="...pacs.008.001.08">...</Document></BizMsg>
 *
 * with the wrapper's name as the bank wants it, without a namespace. Bare is the Document alone, without a header.
 *
 * The same input gives the same bytes. UTF-8, one item a line (so that a line number leads to it), no other blanks.
 */
#ifndef UJRAT_ISO20022_WRITER_H
#define UJRAT_ISO20022_WRITER_H

#include "base/err.h"
#include "iso20022/message.h"
#include "iso20022/rules.h"

/* Takes all len bytes or returns false. */
typedef bool iso_write_fn(void *user, const char *p, size_t len);

struct iso_writer_options {
    iso_write_fn *write;
    void *user;
    uint64_t bytes_max; /* 0: 1 GiB */
    bool bare;
    const char *wrapper;     /* NULL: "BizMsg" */
    struct slice service;    /* BizSvc; may be empty */
    bool possible_duplicate; /* PssblDplct: this was sent before, perhaps */
};

struct iso_writer;

/* What options points to must outlive the writer. ERR_NO_MEMORY. */
MUST_CHECK err_t iso_writer_new(const struct iso_writer_options *options, struct iso_writer **out);
void iso_writer_free(struct iso_writer **writer);

/* group is kept by address until the end. Its instructing and instructed agents need a BIC when wrapped. */
MUST_CHECK bool iso_writer_begin(struct iso_writer *w, const struct iso_group *group,
                                 struct iso_refusal *out);
MUST_CHECK bool iso_writer_add(struct iso_writer *w, const union iso_item *item,
                               struct iso_refusal *out);
MUST_CHECK bool iso_writer_end(struct iso_writer *w, struct iso_refusal *out);

/* Bytes given to write() so far. */
uint64_t iso_writer_bytes(const struct iso_writer *w);

#endif
