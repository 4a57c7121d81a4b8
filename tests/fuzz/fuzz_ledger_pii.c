/* A record of personal data, and a file of keys: what is taken is what would have been written. */
#include "ledger/pii.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_record(struct slice plain)
{
    static uint8_t again[PII_PLAIN_BYTES_MAX];
    struct pii_open open;
    if (!pii_decode(plain, &open))
        return;
    for (unsigned i = 0; i < PII_FIELDS; i++)
        assert(open.value[i].len == 0
                   ? open.salt[i].len == 0
                   : open.salt[i].len == PII_SALT_SIZE && open.value[i].len <= PII_VALUE_BYTES_MAX);
    assert(plain.len <= sizeof(again));
    size_t len = pii_encode(&open, again);
    assert(len == plain.len && memcmp(again, plain.p, len) == 0);
}

static void run_keys(struct slice text)
{
    struct pii_keys keys;
    struct pii_problem problem;
    if (err_failed(pii_keys_parse(text, &keys, &problem))) {
        assert(keys.n == 0 && strlen(problem.text) > 0);
        return;
    }
    assert(keys.n >= 1 && keys.n <= PII_KEYS_MAX);
    for (unsigned i = 0; i < keys.n; i++) {
        assert(keys.key[i].id > (i == 0 ? 0 : keys.key[i - 1].id));
        assert(pii_keys_find(&keys, keys.key[i].id) == &keys.key[i]);
    }
    pii_keys_wipe(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_record(slice_of(data, size));
    run_keys(slice_of(data, size));
    return 0;
}
