/*
 * keyring.h: the private keys in a folder, by their ids. Files end in .pem (BOOK.pem, BOOK-KEYID.pem: the name is for
 * people; which key signs what is for the ledger's log_key to say).
 */
#ifndef UJRAT_SEAL_KEYRING_H
#define UJRAT_SEAL_KEYRING_H

#include "base/log.h"
#include "seal/key.h"

enum { SEAL_KEYS_MAX = 4096 };

struct seal_keyring {
    struct {
        struct seal_key *key;
    } * entries;
    size_t n;
};

/* What is in the folder now, in the place of what was there before. A file that is no key of ours is passed over, with a
 * warning if there is a log. An error is one of the folder itself; then the ring stays as it was. */
MUST_CHECK err_t seal_keyring_load(struct seal_keyring *ring, const char *folder, struct log *log);
void seal_keyring_deinit(struct seal_keyring *ring);

/* NULL: there is none. It lives until the next load. */
const struct seal_key *seal_keyring_find(const struct seal_keyring *ring, const char *key_id);

#endif
