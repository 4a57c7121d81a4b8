/*
 * manifest.h: what says that a file is whole, of whom it is, and which one it follows. Both sides of an exchange of files
 * write it, and sign it (sign_key.h):
 *
 *   STEM.xml             the message
 *   STEM.sig             64 bytes: Ed25519 (RFC 8032) over the bytes of STEM.manifest.json. Stock tools do:
 *                        openssl pkeyutl -verify -pubin -inkey KEY -rawin -in STEM.manifest.json -sigfile STEM.sig
 *   STEM.manifest.json   written last: whoever sees it sees the other two
 *
 * Our STEM is BANK-NNNNNNNN-MESSAGE ("MUCB-00000017-pacs.008.001.08"). A bank's is its own affair: letters, digits, '.',
 * '_' and '-', at most 200 of them, beginning with a letter or a digit.
 *
 * The manifest is one JSON object:
 *
 *   format           "ujrat-file/1"
 *   bank             the bank's four letters
 *   direction        "to_bank" or "from_bank"
 *   file             "STEM.xml"
 *   file_no          from 1, without gaps, of the sender; 0: the sender does not number
 *   message          "pacs.008.001.08"
 *   bytes            length of the file
 *   sha256           of the file, 64 hexadecimal digits
 *   previous_sha256  of the sender's file before this one, or null
 *   created_at       RFC 3339
 *   count            transactions in it
 *   sum, currency    what they come to, as a decimal ("1250.00"), or null for messages without amounts
 *
 * Read: format, bank, direction, file, message, bytes and sha256 must be there; what else is not is taken as 0 or null.
 * Other members are passed over.
 */
#ifndef UJRAT_SETTLE_MANIFEST_H
#define UJRAT_SETTLE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    MANIFEST_SHA256_SIZE = 32,
    MANIFEST_STEM_MAX = 200,
    MANIFEST_NAME_SIZE = MANIFEST_STEM_MAX + 16, /* "STEM.manifest.json" and a NUL */
    MANIFEST_MESSAGE_SIZE = 36,
    MANIFEST_BYTES_MAX = 16384,
    MANIFEST_PROBLEM_SIZE = 256,
};

#define MANIFEST_FORMAT "ujrat-file/1"
#define MANIFEST_ENDING ".manifest.json"

struct manifest {
    char bank[5];
    bool to_bank;
    char file[MANIFEST_NAME_SIZE];
    int64_t file_no;
    char message[MANIFEST_MESSAGE_SIZE];
    int64_t bytes;
    unsigned char sha256[MANIFEST_SHA256_SIZE];
    bool has_previous;
    unsigned char previous_sha256[MANIFEST_SHA256_SIZE];
    int64_t created_us;
    bool has_count;
    int64_t count;
    char sum[32], currency[4]; /* "": none */
};

struct manifest_problem {
    char text[MANIFEST_PROBLEM_SIZE];
};

/* The same bytes for the same manifest, always: they are what is signed. ERR_LIMIT, ERR_NO_MEMORY. */
MUST_CHECK err_t manifest_write(const struct manifest *manifest, struct buf *out);

/* ERR_PARSE or ERR_INVALID, and *problem says which member is wrong and how, for a bank's engineer. */
MUST_CHECK err_t manifest_read(struct slice text, struct manifest *out,
                               struct manifest_problem *problem);

/* May it be STEM? */
bool manifest_stem_is_good(struct slice stem);

/* STEM of "STEM.manifest.json" (ending ".manifest.json") and the like; empty: it has another ending or no good STEM. */
struct slice manifest_stem_of(struct slice name, const char *ending);

#endif
