/* ujrat-audit receipt-verify: whether a receipt is true, with the book's public key and nothing else. */
#include "audit/receipt.h"

#include "audit/commands.h"
#include "audit/money.h"
#include "audit/witness.h"
#include "base/buf.h"
#include "base/hex.h"
#include "base/timefmt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char receipt_verify_help[] =
    "FILE is a receipt (docs/receipt.md), as `ujrat receipt --json` writes it; - is standard input. Asks nobody: what is\n"
    "wrong is named by its place in the file. A receipt says what the log said up to its tree head; what has come after,\n"
    "such as a return, it cannot know.";

const struct option_row receipt_verify_options[] = {
    {"key", "PEM", "a public key of the book that you were given; may be said again", true},
    {"witness", "FILE", "tree heads that somebody else keeps: the receipt's must agree with them",
     false},
    {NULL, NULL, NULL, false},
};

/* ---------------------------------------------------------------- the whole of it */

/* docs/receipt.md, "The QR code". */
static void say_qr(const struct receipt *r, char *out, size_t size)
{
    const struct receipt_journal *last = &r->journals[r->n_journals - 1];
    const char *key_id =
        json_string_value(json_object_get(json_object_get(r->json, "tree_head"), "key_id"));
    char leaf[HEX_SIZE(HASH_BYTES)], root[HEX_SIZE(HASH_BYTES)];

    hex_encode(last->leaf.b, HASH_BYTES, leaf);
    hex_encode(r->head.root.p, HASH_BYTES, root);
    (void)snprintf(out, size, "UJRAT1:%.*s:%lld:%lld:%lld:%s:%lld:%s:%s", SLICE_ARG(r->head.book),
                   (long long)r->journals[0].said.seq, (long long)last->said.seq,
                   (long long)last->said.block_no, leaf, (long long)r->head.tree_size, root,
                   key_id == NULL ? "" : key_id);
}

void receipt_verify(struct receipt *r, const struct trusted_keys *trusted, struct sha256 *sha,
                    struct receipt_verdict *out)
{
    json_t *said;

    receipt_check_proofs(r, trusted, sha, &out->findings);
    receipt_check_rules(r, sha, &out->findings);
    if (r->journals[0].said.subject != SUBJECT_PAYOUT)
        return;
    said = receipt_said(r);
    if (said == NULL)
        receipt_find(&out->findings, "", "there is no memory, or a number in it is out of range");
    else
        receipt_compare(said, r->json, &out->findings);
    json_decref(said);
    say_qr(r, out->qr, sizeof out->qr);
}

/* ---------------------------------------------------------------- the command */

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    unsigned char *room;
    size_t n = 1;
    bool ok = file != NULL;

    if (file == NULL)
        complain("%s: %s", path, strerror(errno));
    while (ok && n > 0) {
        if (err_failed(buf_reserve(out, 1, &room))) {
            complain("%s: too large for a receipt (over %u bytes)", path, RECEIPT_BYTES_MAX);
            ok = false;
            break;
        }
        n = fread(room, 1, out->size - out->len, file);
        buf_commit(out, n);
        if (n == 0 && ferror(file)) {
            complain("%s: %s", path, strerror(errno));
            ok = false;
        }
    }
    if (file != NULL && file != stdin)
        fclose(file);
    return ok;
}

enum witnessed { NOT_ASKED, AGREES, NOT_SEEN };

static enum witnessed check_witness(const struct receipt *r, const struct witness_heads *heads,
                                    struct receipt_findings *findings)
{
    char book[BOOK_SIZE];
    size_t first = 0, n;

    if (err_failed(slice_copy(r->head.book, book, sizeof book)))
        return NOT_SEEN;
    n = witness_of(heads, book, &first);
    for (size_t i = first; i < first + n; i++) {
        if (heads->heads[i].tree_size != r->head.tree_size)
            continue;
        if (memcmp(heads->heads[i].root.b, r->head.root.p, HASH_BYTES) == 0)
            return AGREES;
        receipt_find(findings, "tree_head.root",
                     "the witness saw another root of %lld blocks (line %u): history was rewritten",
                     (long long)r->head.tree_size, heads->heads[i].line);
    }
    return NOT_SEEN;
}

static const char *const witness_said[] = {NULL, "agrees", "has not seen this head"};

static void print_json(const struct receipt *r, const struct receipt_verdict *v,
                       enum witnessed witnessed)
{
    json_t *findings = json_array();
    json_t *all;

    for (size_t i = 0; i < v->findings.n; i++)
        json_array_append_new(findings, json_pack("{s:s, s:s}", "field", v->findings.list[i].where,
                                                  "problem", v->findings.list[i].what));
    all = json_pack("{s:b, s:o, s:s?, s:s?, s:O?}", "true", v->findings.n == 0, "findings",
                    findings, "witness", witness_said[witnessed], "qr",
                    v->qr[0] == '\0' ? NULL : v->qr, "payout", json_object_get(r->json, "payout"));
    if (all == NULL)
        abort();
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

static void print_true(const struct receipt *r, const struct receipt_verdict *v,
                       enum witnessed witnessed)
{
    const struct record_journal *first = &r->journals[0].said,
                                *last = &r->journals[r->n_journals - 1].said;
    const struct record_payout *p = &first->payout;
    char amount[2][AMOUNT_TEXT_SIZE], time[2][TIMEFMT_SIZE];

    printf("payout    platforms/%.*s/payouts/%lld, reference %.*s\n", SLICE_ARG(first->book),
           (long long)first->seq, SLICE_ARG(p->reference));
    printf("state     %s since %s\n", receipt_state_name(receipt_state_of(last)),
           timefmt_rfc3339(last->committed_at_us, time[0]));
    printf("amount    %.*s %s of %.*s %s, at %.*s\n", SLICE_ARG(p->dst_ccy),
           amount_shown(p->net, receipt_digits(p->dst_ccy), amount[0]), SLICE_ARG(p->src_ccy),
           amount_shown(p->gross, receipt_digits(p->src_ccy), amount[1]), SLICE_ARG(p->bank));
    printf("log       %lld blocks, signed %s\n", (long long)r->head.tree_size,
           timefmt_rfc3339(r->head.signed_at_us, time[1]));
    if (witnessed != NOT_ASKED)
        printf("witness   %s\n", witness_said[witnessed]);
    printf("QR code   %s\n", v->qr);
    puts(
        "The receipt is true: every entry is in the signed log, and everything it says follows from them.");
}

static void print_false(const struct receipt_verdict *v)
{
    for (size_t i = 0; i < v->findings.n; i++)
        printf("%s%s%s\n", v->findings.list[i].where,
               v->findings.list[i].where[0] == '\0' ? "" : ": ", v->findings.list[i].what);
    printf("The receipt is NOT true: %zu%s wrong.\n", v->findings.n,
           v->findings.n == RECEIPT_FINDINGS_MAX ? " or more things are"
           : v->findings.n == 1                  ? " thing is"
                                                 : " things are");
}

static enum exit_code verify_bytes(const struct args *args, struct slice text,
                                   const struct trusted_keys *trusted,
                                   const struct witness_heads *heads)
{
    struct receipt *r = malloc(sizeof *r);
    struct receipt_verdict *v = calloc(1, sizeof *v);
    struct sha256 *sha = sha256_new();
    enum witnessed witnessed = NOT_ASKED;
    bool ok;

    if (r == NULL || v == NULL || sha == NULL)
        abort();
    if (receipt_read(text, r, &v->findings)) {
        receipt_verify(r, trusted, sha, v);
        if (heads != NULL)
            witnessed = check_witness(r, heads, &v->findings);
    }
    ok = v->findings.n == 0;
    if (args_json(args))
        print_json(r, v, witnessed);
    else if (ok)
        print_true(r, v, witnessed);
    else
        print_false(v);
    receipt_free(r);
    free(r);
    free(v);
    sha256_free(&sha);
    return ok ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_code receipt_verify_run(const struct args *args)
{
    const char *witness = args_get(args, "witness");
    struct trusted_keys trusted = {.n = 0};
    struct witness_heads heads = {0};
    struct buf text;
    enum exit_code code = EXIT_REFUSED;

    if (!args_has(args, "key")) {
        complain(
            "--key PEM: a public key of the book, given to you by another way than the receipt");
        return EXIT_USAGE;
    }
    buf_init(&text, RECEIPT_BYTES_MAX);
    if (trusted_keys_read(args, "key", &trusted) &&
        (witness == NULL || witness_read(witness, false, &heads)) &&
        read_file(args->operands[0], &text))
        code = verify_bytes(args, buf_slice(&text), &trusted, witness == NULL ? NULL : &heads);
    buf_deinit(&text);
    witness_free(&heads);
    trusted_keys_free(&trusted);
    return code;
}
