/*
 * file_out.h: a file to a bank, from its row to the bank's folder. It knows neither messages nor the database:
 *
 *   file_out_stage()    the message's bytes go to a part of out/, and their SHA-256 and length are known
 *   (the row of file_out is committed: from here on the file exists, whether it can be seen or not)
 *   file_out_publish()  STEM.xml, STEM.sig, STEM.manifest.json in out/, in this order, each durable before the next; then
 *                       the manifest in archive/, which says that this has been done once
 *
 * Killed between any two of these, the file is either made again from its row, to the same bytes, or was never there.
 * So whoever publishes must be able to make the bytes again: they may depend on nothing that the row does not say.
 */
#ifndef UJRAT_SETTLE_FILE_OUT_H
#define UJRAT_SETTLE_FILE_OUT_H

#include <openssl/evp.h>

#include "settle/bank_folders.h"
#include "settle/manifest.h"
#include "settle/sign_key.h"

/* The bytes on their way: file_sink_write() is what the writer of the message is given. */
struct file_sink {
    struct folder_part part;
    EVP_MD_CTX *hash;
    int64_t bytes;
    err_t err; /* the first */
};

MUST_CHECK err_t file_sink_write(struct file_sink *sink, const void *p, size_t len);

/* Writes the message. Called once a stage. */
typedef err_t file_out_body(void *user, struct file_sink *sink);

struct file_staged {
    struct folder_part part;
    int64_t bytes;
    unsigned char sha256[MANIFEST_SHA256_SIZE];
};

MUST_CHECK err_t file_out_stage(struct bank_folders *f, file_out_body *body, void *user,
                                struct file_staged *out);
void file_staged_drop(const struct bank_folders *f, struct file_staged *staged);

/* STEM of a file: "MUCB-00000017-pacs.008.001.08". */
void file_out_stem(const char *bank, int64_t file_no, const char *message,
                   char out[MANIFEST_NAME_SIZE]);

enum file_out_state {
    FILE_OUT_MISSING, /* it has never been whole in out/, as far as is known */
    FILE_OUT_WHOLE,   /* it is there, and archive/ does not say so yet */
    FILE_OUT_DONE,    /* it has been there, and may have been taken away since */
};
enum file_out_state file_out_state(const struct bank_folders *f, const char *stem);

/* What archive/ is to say of a file that is whole in out/. */
MUST_CHECK err_t file_out_note_whole(struct bank_folders *f, const char *stem);

/* The manifest says of which bytes: ERR_INVALID if the staged ones are others, and then nothing is published. Its member
 * `file` must be STEM.xml. The part is gone when it succeeds. */
MUST_CHECK err_t file_out_publish(struct bank_folders *f, const struct sign_key *key,
                                  const struct manifest *manifest, struct file_staged *staged);

#endif
