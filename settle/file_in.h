/*
 * file_in.h: a file from a bank, from the bank's folder to where it stays. It knows neither messages nor the database.
 *
 * What is looked at is never what the bank may still be writing to: the file is copied into archive/ first, under a name
 * of its own, and hashed on the way; the copy is what is read, and what stays in archive/.
 *
 * Whoever processes it does so between file_in_open() and file_in_accept(), so that a crash in the middle finds the file in
 * in/ again, and what was done with it must be safe to do again.
 */
#ifndef UJRAT_SETTLE_FILE_IN_H
#define UJRAT_SETTLE_FILE_IN_H

#include "settle/bank_folders.h"
#include "settle/manifest.h"
#include "settle/sign_key.h"

enum { FILE_IN_KEYS_MAX = 2 };

struct file_in_rules {
    const char *bank;
    const struct sign_key *key[FILE_IN_KEYS_MAX]; /* the bank's: one of them signs. NULL: none */
    bool
        unsigned_allowed; /* a file without STEM.sig is taken; one with it is still held against the keys */
    int64_t bytes_max;
    int64_t
        wait_us; /* what is not whole yet may become so for that long after it was last written to */
    int64_t now_us; /* realtime */
};

enum file_in_state {
    FILE_IN_READY, /* the copy can be read; the manifest and its signature are good */
    FILE_IN_WAIT,  /* not whole yet, or for want of a key of ours: look again later */
    FILE_IN_LEFTOVER, /* a manifest whose file is gone: perhaps a crash came between; the caller knows the hash or not */
    FILE_IN_WRONG,  /* *problem says why: into quarantine with it */
    FILE_IN_FAILED, /* something on our side, *problem says what: the disk, memory */
};

struct file_in {
    char stem[MANIFEST_NAME_SIZE];
    struct manifest manifest;
    bool is_signed;
    struct folder_part copy; /* its fd stands at the beginning */
};

struct file_in_problem {
    char text[512];
};

/* Every stem in in/ that has a manifest, and those of files that wait for theirs since longer than wait_us. In order. */
MUST_CHECK err_t file_in_stems(const struct bank_folders *f, const struct file_in_rules *rules,
                               struct folder_names *out);

/* file_in_close() it in any case. */
enum file_in_state file_in_open(struct bank_folders *f, const struct file_in_rules *rules,
                                const char *stem, struct file_in *out,
                                struct file_in_problem *problem);

/* Into archive/, under its own stem or, if that is taken, STEM.2, STEM.3 ...; with STEM.report.txt unless the report is
 * empty. `stem_out` (or NULL): what it became. Then it is gone from in/. */
MUST_CHECK err_t file_in_accept(struct bank_folders *f, struct file_in *file, struct slice report,
                                char stem_out[MANIFEST_NAME_SIZE]);

/* The same into quarantine/, as the bank left it. Whatever of STEM.xml, STEM.sig, STEM.manifest.json is there goes. */
MUST_CHECK err_t file_in_quarantine(struct bank_folders *f, const char *stem, struct slice report,
                                    char stem_out[MANIFEST_NAME_SIZE]);

/* Names in in/ that nothing above looks at, and that were not written to for longer than wait_us: not made as docs/bank-guide.md
 * says, or a signature that is alone. In order. */
MUST_CHECK err_t file_in_strangers(const struct bank_folders *f, const struct file_in_rules *rules,
                                   struct folder_names *out);
/* One of them into quarantine/, as STEM.stranger, with STEM.report.txt. The stem is its name, with _ for what does not belong into one. */
MUST_CHECK err_t file_in_quarantine_stranger(struct bank_folders *f, const char *name,
                                             struct slice report,
                                             char stem_out[MANIFEST_NAME_SIZE]);

/* That name in in/ was written to less than wait_us ago. */
bool file_in_is_young(const struct bank_folders *f, const struct file_in_rules *rules,
                      const char *name);

/* A leftover, whose file is in archive/ already: the rest goes there too. */
MUST_CHECK err_t file_in_tidy(struct bank_folders *f, const char *stem);

void file_in_close(const struct bank_folders *f, struct file_in *file);

#endif
