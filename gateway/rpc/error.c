#include "gateway/rpc/error.h"

#include "gateway/net/grpc_status.h"

/* Long enough for a queue to empty or a failed-over database to answer, short enough to be worth waiting for. */
enum { RETRY_BUSY_MS = 200, RETRY_LEDGER_MS = 1000, RETRY_SEAL_MS = 500 };

static uint32_t retry_of(reason_t reason)
{
    if (reason == REASON_QUEUE_FULL || reason == REASON_OUTCOME_UNKNOWN)
        return RETRY_BUSY_MS;
    if (reason == REASON_NOT_SEALED_YET)
        return RETRY_SEAL_MS;
    return reason == REASON_LEDGER_UNAVAILABLE ? RETRY_LEDGER_MS : 0;
}

void rpc_error_make(reason_t reason, const char *field, struct rpc_error *out)
{
    if (field != NULL)
        (void)snprintf(out->message, sizeof(out->message), "%.240s: %s", field,
                       reason_text(reason));
    else
        (void)snprintf(out->message, sizeof(out->message), "%s", reason_text(reason));
    out->retry_ms = retry_of(reason);
}

void rpc_error_print_reference(FILE *out)
{
    fputs(
        "# Why a call is refused\n\n"
        "Made by `ujratd --print-errors` from `domain/reason.h`; a test holds the two together.\n\n"
        "A refusal is a gRPC status whose details (`grpc-status-details-bin`) are a `google.rpc.Status`\n"
        "with an `ErrorInfo` {`reason`: the name below, `domain`: `ujrat`}, a `BadRequest` naming the field\n"
        "at fault where there is one, and a `RetryInfo` where asking again helps. Items of a batch carry\n"
        "the same names in `reason` and `field`. Names and numbers never change their meaning.\n\n"
        "Only three say nothing about the request itself: `OUTCOME_UNKNOWN` (it may have been done: send\n"
        "the same again under the same reference until it answers), `LEDGER_UNAVAILABLE` and `QUEUE_FULL`\n"
        "(nothing was done: send it again).\n\n"
        "| reason | number | gRPC status | meaning |\n| --- | --- | --- | --- |\n",
        out);
    reason_t reason;
    for (unsigned i = 0; reason_at(i, &reason); i++)
        fprintf(out, "| `%s` | %d | %s | %s%s |\n", reason_name(reason), (int)reason,
                grpc_status_name((unsigned)reason_grpc_status(reason)), reason_text(reason),
                retry_of(reason) != 0 ? " With `RetryInfo`." : "");
}
