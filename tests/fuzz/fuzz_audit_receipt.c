/* A receipt is handed in by whoever wants to be believed: whatever the bytes, it is refused or checked. */
#include "audit/receipt.h"
#include "base/command.h"

#include <assert.h>
#include <stdlib.h>

/* What base/command.h asks of a program. */
const struct program program = {"fuzz", "", ""};
const struct command commands[] = {{NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct receipt *r = malloc(sizeof *r);
    struct receipt_verdict *v = calloc(1, sizeof *v);
    struct sha256 *sha = sha256_new();
    const struct trusted_keys none = {.n = 0};

    assert(r != NULL && v != NULL && sha != NULL);
    if (receipt_read(slice_of(data, size), r, &v->findings))
        receipt_verify(r, &none, sha, v);
    assert(v->findings.n > 0); /* nobody gave a key: nothing is true */
    receipt_free(r);
    free(r);
    free(v);
    sha256_free(&sha);
    return 0;
}
