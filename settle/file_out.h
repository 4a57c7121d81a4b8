/*
 * file_out.h: a file to a bank, from its row to the bank's folder. It knows neither messages nor the database:
 *
 *   file_out_stage()    the message's bytes go to a part of out/, and their SHA-256 and length are known
 *   (the row of file_out is committed: from here on the file exists, whether it can be seen or not)
 *   file_out_publish()  in this order, each durable before the next:
 *                       1. STEM.xml and STEM.sig in out/: nobody looks at them without a manifest
 *                       2. the manifest in out/ under a hidden name, .STEM.next: it is about to be seen
 *                       3. the manifest in archive/: from here on the file is never made again
 *                       4. .STEM.next becomes STEM.manifest.json: the bank may take it
 *
 * Killed before 3, the bank has seen nothing, and the file is made again from its row, to the same bytes. Killed after it,
 * .STEM.next tells whether 4 was done: where it still is, 4 is done now; where it is not, the bank had the file, whether it
 * took it away or not. So a file is neither lost nor shown twice. What is left is a power failure in the instant of 4: if the
 * bank took the file before that name was durable, the name may be back, and the same bytes are shown again under the same
 * number, which the bank knows.
 *
 * Whoever publishes must be able to make the bytes again: they may depend on nothing that the row does not say.
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
    FILE_OUT_MISSING, /* the bank has never seen it, and not all of it is here */
    FILE_OUT_BEGUN,   /* all of it is here: file_out_finish() */
    FILE_OUT_DONE,    /* the bank has seen it, and may have taken it away since */
};
enum file_out_state file_out_state(const struct bank_folders *f, const char *stem);

/* Of FILE_OUT_BEGUN: what was left to do. */
MUST_CHECK err_t file_out_finish(struct bank_folders *f, const char *stem);

/* The manifest says of which bytes: ERR_INVALID if the staged ones are others, and then nothing is published. Its member
 * `file` must be STEM.xml. The part is gone when it succeeds. Nothing is done if it is
 * FILE_OUT_DONE by now: somebody else was first. */
MUST_CHECK err_t file_out_publish(struct bank_folders *f, const struct sign_key *key,
                                  const struct manifest *manifest, struct file_staged *staged);

#endif
