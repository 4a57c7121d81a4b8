/*
 * bank_folders.h: the four folders in which files are exchanged with one bank:
 *
 *   ROOT/BANK/out         from us; the bank takes them away, or leaves them
 *   ROOT/BANK/in          from the bank
 *   ROOT/BANK/archive     what was processed, as it was processed, with its report; and the manifest of each file to the
 *                         bank that it has seen, or is about to (file_out.h)
 *   ROOT/BANK/quarantine  what was not, with the report that says why
 *
 * Names are those of plain files in a folder, never paths. Files appear whole or not at all: they are written beside, under
 * a name that begins with ".part-", made durable, and renamed.
 */
#ifndef UJRAT_SETTLE_BANK_FOLDERS_H
#define UJRAT_SETTLE_BANK_FOLDERS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum bank_folder { FOLDER_OUT, FOLDER_IN, FOLDER_ARCHIVE, FOLDER_QUARANTINE, FOLDER_COUNT };

enum { FOLDER_NAME_SIZE = NAME_MAX + 1, FOLDER_NAMES_MAX = 100000 };

struct bank_folders {
    int fd[FOLDER_COUNT];
    uint64_t parts; /* how many .part- names were made, for the next one */
};

/* Makes those that are missing (0750). ERR_SYS. */
MUST_CHECK err_t bank_folders_open(const char *root, const char *bank, struct bank_folders *out);
void bank_folders_close(struct bank_folders *f);

/* Removes what crashes left half-written: nobody else may be writing. */
MUST_CHECK err_t bank_folders_clean(struct bank_folders *f);

/* A plain file, or whatever else has that name; a symbolic link counts and is not followed. */
bool bank_folders_has(const struct bank_folders *f, enum bank_folder folder, const char *name);

/* Names that end so, in the order of their bytes. ERR_LIMIT: more than FOLDER_NAMES_MAX. */
struct folder_names {
    char **name;
    size_t n, size;
};
MUST_CHECK err_t bank_folders_list(const struct bank_folders *f, enum bank_folder folder,
                                   const char *ending, struct folder_names *out);
void folder_names_free(struct folder_names *names);

/* ---------------------------------------------------------------- writing */

/* A file on its way, under a name of its own. */
struct folder_part {
    int fd; /* -1: there is none */
    enum bank_folder folder;
    char name[64];
};

MUST_CHECK err_t bank_folders_part(struct bank_folders *f, enum bank_folder folder,
                                   struct folder_part *out);
MUST_CHECK err_t folder_part_write(const struct folder_part *part, const void *p, size_t len);
/* Makes it durable under that name, over another of that name. The part is gone then. */
MUST_CHECK err_t folder_part_publish(const struct bank_folders *f, struct folder_part *part,
                                     const char *name);
/* The same, never over another: ERR_SYS with EEXIST. The part is still there then. */
MUST_CHECK err_t folder_part_add(const struct bank_folders *f, struct folder_part *part,
                                 const char *name);
/* Nothing of it is left. Of a part that is gone: nothing. */
void folder_part_drop(const struct bank_folders *f, struct folder_part *part);

/* All at once: a small file. */
MUST_CHECK err_t bank_folders_write(struct bank_folders *f, enum bank_folder folder,
                                    const char *name, struct slice bytes);

/* ---------------------------------------------------------------- reading and moving */

/* The whole of a small plain file; not through a symbolic link, and without waiting for anybody. ERR_SYS, ERR_INVALID (it is
 * no plain file), ERR_LIMIT. */
MUST_CHECK err_t bank_folders_read(const struct bank_folders *f, enum bank_folder folder,
                                   const char *name, char *out, size_t out_size, size_t *len);

/* To another folder, under the same name or another, never over another file: ERR_SYS, EEXIST. A name that is not there is
 * no error: a crash came between. */
MUST_CHECK err_t bank_folders_move(const struct bank_folders *f, enum bank_folder from,
                                   const char *name, enum bank_folder to, const char *new_name);
/* To another name in the same folder, over another file; durable. ERR_SYS, also when it is not there. */
MUST_CHECK err_t bank_folders_rename(const struct bank_folders *f, enum bank_folder folder,
                                     const char *name, const char *new_name);
MUST_CHECK err_t bank_folders_remove(const struct bank_folders *f, enum bank_folder folder,
                                     const char *name);
/* What was done to its names lasts. */
MUST_CHECK err_t bank_folders_sync(const struct bank_folders *f, enum bank_folder folder);

#endif
