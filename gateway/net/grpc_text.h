/* The text forms that gRPC puts into headers. None of these allocate. */
#ifndef UJRAT_NET_GRPC_TEXT_H
#define UJRAT_NET_GRPC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * grpc-message: percent-encodes all but 0x20..0x7E without '%'. Returns the length written; stops
 * before a character that does not fit whole.
 */
size_t grpc_percent_encode(const char *text, size_t length, char *out, size_t out_size);
/* Never fails: what is not a valid escape stays as it is. Returns the length, at most `length`. */
size_t grpc_percent_decode(const char *text, size_t length, char *out);

#define GRPC_BASE64_BYTES(n) (((n) + 2) / 3 * 4)
/* With padding, as every client takes it. `out` has GRPC_BASE64_BYTES(length). Returns length. */
size_t grpc_base64_encode(const uint8_t *bytes, size_t length, char *out);
/* Padding or none, as the gRPC spec demands. `out` has length / 4 * 3 + 3. False: not base64. */
bool grpc_base64_decode(const char *text, size_t length, uint8_t *out, size_t *out_length);

/*
 * grpc-timeout: 1 to 8 digits and one of H M S m u n. Rounded up to a millisecond and capped at
 * one year. False: malformed.
 */
bool grpc_timeout_parse(const char *text, size_t length, int64_t *timeout_ms);

/* A header name that may be sent: lower case, digits, - _ . and not reserved. */
bool grpc_metadata_name_is_legal(const char *name, size_t length);
/* A header value that may be sent: 0x20..0x7E, not empty at its ends. */
bool grpc_metadata_value_is_legal(const char *value, size_t length);

#endif
