#include "gateway/rpc/claim_draft.h"

#include "domain/ccy.h"

static void put_be(char out[8], int64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (char)((uint64_t)value >> (56 - 8 * i));
}

bool claim_draft(struct rpc_ctx *ctx, struct payout_pricer *pricer, struct arena *arena,
                 const struct rows *rows, int row, struct claim *out)
{
    const struct ccy *ccy = ccy_by_number((uint16_t)rows_int(rows, row, CLAIM_CCY));
    uint8_t *fingerprint = arena_alloc(arena, FINGERPRINT_SIZE);
    char gross[8], beneficiary[8];
    *out = (struct claim){.unclaimed_id = rows_int(rows, row, CLAIM_UNCLAIMED_ID)};
    struct payout_draft *draft = &out->payout;
    if (fingerprint == NULL ||
        !arena_slice_dup(arena, rows_text(rows, row, CLAIM_REFERENCE), &draft->reference) ||
        !arena_slice_dup(arena, rows_text(rows, row, CLAIM_INFO), &draft->info))
        return false;
    draft->gross = rows_int(rows, row, CLAIM_GROSS);
    draft->src_ccy = (int16_t)rows_int(rows, row, CLAIM_CCY);
    draft->beneficiary_id = rows_int(rows, row, CLAIM_BENEFICIARY_ID);
    put_be(gross, draft->gross);
    put_be(beneficiary, draft->beneficiary_id);
    const struct slice code = slice_str(ccy == NULL ? "" : ccy->alpha);
    const struct slice fields[] = {draft->reference, code, slice_of(gross, sizeof(gross)),
                                   slice_of(beneficiary, sizeof(beneficiary)), draft->info};
    fingerprint_of(ctx->fingerprinter, "ujrat.claim/1", fields, sizeof(fields) / sizeof(fields[0]),
                   fingerprint);
    draft->fingerprint = slice_of(fingerprint, FINGERPRINT_SIZE);
    payout_draft_price(pricer, code, draft);
    return true;
}
