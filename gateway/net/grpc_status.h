/*
 * gRPC status codes, as https://grpc.github.io/grpc/core/md_doc_statuscodes.html numbers them.
 * They equal google.rpc.Code.
 */
#ifndef UJRAT_NET_GRPC_STATUS_H
#define UJRAT_NET_GRPC_STATUS_H

enum grpc_status {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_ALREADY_EXISTS = 6,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_ABORTED = 10,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_DATA_LOSS = 15,
    GRPC_UNAUTHENTICATED = 16,
};

/* "INVALID_ARGUMENT" for 3; "CODE_99" is never made: a number out of range is "UNKNOWN". */
const char *grpc_status_name(unsigned status);

/* The longest grpc-message we send or keep, before percent-encoding; longer ones are cut. */
#define GRPC_STATUS_MESSAGE_BYTES_MAX 1024
/* The longest grpc-status-details-bin we send, before base64; longer ones are left out. */
#define GRPC_STATUS_DETAILS_BYTES_MAX 4096

#endif
