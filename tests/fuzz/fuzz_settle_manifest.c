/* Manifests of files from banks: what is read is written again, and read to the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settle/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest m, again;
    struct manifest_problem problem;
    struct buf text;
    (void)manifest_stem_of(slice_of(data, size), MANIFEST_ENDING);
    if (err_failed(manifest_read(slice_of(data, size), &m, &problem)))
        return problem.text[0] == '\0' ? (abort(), 0) : 0;
    if (manifest_stem_of(slice_str(m.file), ".xml").len == 0 || strchr(m.file, '/') != NULL)
        abort();
    /* Texts of a bank may need escapes, which ours never do. */
    if (strpbrk(m.bank, "\"\\") != NULL || strpbrk(m.message, "\"\\") != NULL ||
        strpbrk(m.sum, "\"\\") != NULL || strpbrk(m.currency, "\"\\") != NULL ||
        (m.sum[0] != '\0') != (m.currency[0] != '\0'))
        return 0;
    buf_init(&text, MANIFEST_BYTES_MAX);
    if (err_failed(manifest_write(&m, &text)) ||
        err_failed(manifest_read(buf_slice(&text), &again, &problem)) ||
        strcmp(m.file, again.file) != 0 || m.bytes != again.bytes ||
        memcmp(m.sha256, again.sha256, sizeof m.sha256) != 0)
        abort();
    buf_deinit(&text);
    return 0;
}
