/*
 * A log export comes from anyone: reading and checking it comes to an end, without a crash and in bounded memory. Records
 * that decode encode to the same bytes: there is one form of each.
 */
#include "audit/verify.h"
#include "base/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* base/command.h wants to know who complains */
const struct program program = {"fuzz_audit_log", "", ""};
const struct command commands[] = {{NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct record_out *out, const struct source_item *item)
{
    assert(!out->bad && out->len == item->bytes.len);
    assert(memcmp(out->store, item->bytes.p, out->len) == 0);
}

static void encode_again(const struct source_item *item, struct record_out *out)
{
    if (item->kind == RECORD_JOURNAL && record_write_journal(out, &item->journal))
        same(out, item);
    if (item->kind == RECORD_BLOCK && record_write_block(out, &item->block))
        same(out, item);
    if (item->kind == RECORD_BALANCE && record_write_balance(out, &item->balance))
        same(out, item);
    if (item->kind == RECORD_KEY && record_write_key(out, &item->key))
        same(out, item);
    if (item->kind == RECORD_RATE_SHEET && record_write_rate_sheet(out, &item->rate_sheet))
        same(out, item);
    if (item->kind == RECORD_POLICY_CHANGE && record_write_policy_change(out, &item->policy_change))
        same(out, item);
    if (item->kind == RECORD_BENEFICIARY && record_write_beneficiary(out, &item->beneficiary))
        same(out, item);
    if (item->kind == RECORD_ACCOUNT && record_write_account(out, &item->account))
        same(out, item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct trusted_keys keys = {.n = 0};
    const struct verify_options options = {.keys = &keys, .all = size % 2 == 0};
    struct source_item *item = calloc(1, sizeof *item);
    struct sha256 *sha = sha256_new();
    struct known *known = NULL;
    struct verify *verify = NULL;
    struct source *source = NULL;
    struct record_out out = {0};
    err_t err = err_none();

    assert(item != NULL && sha != NULL && !err_failed(known_new(sha, &known)));
    assert(!err_failed(verify_new(&options, known, sha, &verify)));
    assert(source_bytes_new(slice_of(data, size), known, &source));
    while (!err_failed(err) && source->next(source, item) == SOURCE_ITEM) {
        encode_again(item, &out);
        err = verify_take(verify, item);
    }
    record_out_free(&out);
    source_free(&source);
    verify_free(&verify);
    known_free(&known);
    sha256_free(&sha);
    free(item);
    return 0;
}
