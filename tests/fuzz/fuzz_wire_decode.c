/*
 * Messages of ujrat.payout.v1: the first byte chooses which. What our decoder takes, our encoder writes in a form that
 * both our decoder and protobuf-c read back as the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/wire/audit_messages.h"
#include "gateway/wire/payout_messages.h"
#include "gateway/wire/settlement_messages.h"
#include "ujrat/audit/v1/audit.pb-c.h"
#include "ujrat/payout/v1/payout.pb-c.h"
#include "ujrat/settlement/v1/settlement.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const struct wire_message *ours;
    const ProtobufCMessageDescriptor *theirs;
} pairs[] = {
    {&wire_submit_payouts_request_type, &ujrat__payout__v1__submit_payouts_request__descriptor},
    {&wire_submit_payout_request_type, &ujrat__payout__v1__submit_payout_request__descriptor},
    {&wire_create_quote_request_type, &ujrat__payout__v1__create_quote_request__descriptor},
    {&wire_register_beneficiary_request_type,
     &ujrat__payout__v1__register_beneficiary_request__descriptor},
    {&wire_update_beneficiary_request_type,
     &ujrat__payout__v1__update_beneficiary_request__descriptor},
    {&wire_list_payouts_response_type, &ujrat__payout__v1__list_payouts_response__descriptor},
    {&wire_submit_payouts_response_type, &ujrat__payout__v1__submit_payouts_response__descriptor},
    {&wire_confirm_instructions_request_type,
     &ujrat__settlement__v1__confirm_instructions_request__descriptor},
    {&wire_return_payment_request_type, &ujrat__settlement__v1__return_payment_request__descriptor},
    {&wire_watch_instructions_response_type,
     &ujrat__settlement__v1__watch_instructions_response__descriptor},
    {&wire_get_trial_balance_request_type,
     &ujrat__audit__v1__get_trial_balance_request__descriptor},
    {&wire_list_journals_request_type, &ujrat__audit__v1__list_journals_request__descriptor},
    {&wire_get_payout_trail_response_type,
     &ujrat__audit__v1__get_payout_trail_response__descriptor},
};

enum { BYTES_MAX = 1 << 22 };

static void reencode(const struct wire_message *type, struct slice bytes, struct arena *arena,
                     struct buf *out)
{
    void *message = malloc(type->size);
    assert(message != NULL);
    struct refusal no = wire_decode(type, bytes, arena, message);
    assert(no.reason == REASON_NONE);
    err_t err = wire_encode(type, message, out);
    assert(!err_failed(err));
    free(message);
}

static void check_against_protobuf_c(const ProtobufCMessageDescriptor *type, struct slice bytes)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(
        type, NULL, bytes.len, (const uint8_t *)(bytes.p == NULL ? "" : bytes.p));
    assert(message != NULL);
    /* protobuf-c cuts text at a NUL, so only what has none comes back whole. */
    if (bytes.p != NULL && bytes.len > 0 && memchr(bytes.p, '\0', bytes.len) == NULL) {
        uint8_t *back = malloc(bytes.len);
        assert(back != NULL && protobuf_c_message_get_packed_size(message) == bytes.len);
        protobuf_c_message_pack(message, back);
        assert(memcmp(back, bytes.p, bytes.len) == 0);
        free(back);
    }
    protobuf_c_message_free_unpacked(message, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned i = data[0] % (sizeof(pairs) / sizeof(pairs[0]));
    struct arena arena;
    struct buf once, twice;
    arena_init(&arena, 4096, BYTES_MAX);
    buf_init(&once, BYTES_MAX);
    buf_init(&twice, BYTES_MAX);
    void *message = malloc(pairs[i].ours->size);
    assert(message != NULL);
    struct refusal no = wire_decode(pairs[i].ours, slice_of(data + 1, size - 1), &arena, message);
    if (no.reason == REASON_NONE && !err_failed(wire_encode(pairs[i].ours, message, &once))) {
        reencode(pairs[i].ours, buf_slice(&once), &arena, &twice);
        assert(slice_compare(buf_slice(&once), buf_slice(&twice)) == 0);
        check_against_protobuf_c(pairs[i].theirs, buf_slice(&once));
    }
    free(message);
    buf_deinit(&once);
    buf_deinit(&twice);
    arena_deinit(&arena);
    return 0;
}
