/*
 * What gRPC puts into headers as text, and the little protobuf reader: nothing crashes, and what is
 * encoded decodes to itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/grpc_text.h"
#include "gateway/net/pb_lite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_protobuf(struct pb_bytes rest, int depth)
{
    struct pb_field field;
    size_t before = rest.length;
    while (pb_next(&rest, &field)) {
        assert(rest.length < before);
        before = rest.length;
        if (field.wire_type == 2 && depth < 4)
            read_protobuf(field.bytes, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    const char *text = (const char *)data;
    char *encoded = malloc(size * 4 + 8), *decoded = malloc(size * 4 + 8);
    assert(encoded != NULL && decoded != NULL);

    size_t n = grpc_percent_encode(text, size, encoded, size * 3);
    assert(grpc_percent_decode(encoded, n, decoded) == size && memcmp(decoded, text, size) == 0);
    assert(grpc_percent_decode(text, size, decoded) <= size);
    assert(grpc_percent_encode(text, size, encoded, 7) <= 7);

    n = grpc_base64_encode(data, size, encoded);
    size_t back;
    assert(n == GRPC_BASE64_BYTES(size));
    assert(grpc_base64_decode(encoded, n, (uint8_t *)decoded, &back) && back == size &&
           memcmp(decoded, data, size) == 0);
    (void)grpc_base64_decode(text, size, (uint8_t *)decoded, &back);

    int64_t timeout_ms = 0;
    if (grpc_timeout_parse(text, size, &timeout_ms))
        assert(timeout_ms >= 0);
    (void)grpc_metadata_name_is_legal(text, size);
    (void)grpc_metadata_value_is_legal(text, size);
    read_protobuf((struct pb_bytes){data, size}, 0);
    free(encoded);
    free(decoded);
    return 0;
}
