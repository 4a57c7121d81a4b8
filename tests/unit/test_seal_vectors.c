/* docs/log-format.md, "Test vectors": what stands there is what we write. The page is read, so that it cannot go stale. */
#include "seal/key.h"
#include "seal/merkle.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "tests/unit/unit.h"

enum { VECTORS_MAX = 32, BYTES_MAX = 8192, FIELDS_MAX = 96 };

static json_t *vectors[VECTORS_MAX];
static size_t n_vectors;
static struct seal_hasher *h;
static struct seal_record record;

/* ---------------------------------------------------------------- the page */

static int setup(void **state)
{
    static char page[1 << 17];
    (void)state;
    FILE *file = fopen("docs/log-format.md", "r");
    assert_non_null(file);
    size_t len = fread(page, 1, sizeof page - 1, file);
    assert_true(len < sizeof page - 1);
    fclose(file);
    const char *at = strstr(page, "\n## Test vectors");
    assert_non_null(at);
    while ((at = strstr(at, "```json\n")) != NULL) {
        const char *end = strstr(at + 8, "\n```");
        json_error_t error;
        assert_non_null(end);
        assert_true(n_vectors < VECTORS_MAX);
        vectors[n_vectors] = json_loadb(at + 8, (size_t)(end - at - 8), 0, &error);
        if (vectors[n_vectors++] == NULL)
            fail_msg("vector %zu: %s", n_vectors, error.text);
        at = end;
    }
    seal_record_init(&record);
    assert_ok(seal_hasher_new(&h));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    while (n_vectors > 0)
        json_decref(vectors[--n_vectors]);
    seal_record_deinit(&record);
    seal_hasher_free(&h);
    return 0;
}

static const json_t *vector(const char *name)
{
    for (size_t i = 0; i < n_vectors; i++)
        if (strcmp(json_string_value(json_object_get(vectors[i], "vector")), name) == 0)
            return vectors[i];
    fail_msg("no vector '%s' on the page", name);
    return NULL;
}

struct bytes {
    unsigned char b[BYTES_MAX];
    size_t len;
};

static void add_hex(struct bytes *out, const json_t *text)
{
    size_t n = 0;
    assert_ok(hex_decode(slice_str(json_string_value(text)), out->b + out->len,
                         BYTES_MAX - out->len, &n));
    out->len += n;
}

/* Hexadecimal, whole or cut into lines. */
static struct bytes hex_of(const json_t *v, const char *key)
{
    struct bytes out = {.len = 0};
    const json_t *value = json_object_get(v, key);
    assert_non_null(value);
    if (json_is_string(value))
        add_hex(&out, value);
    else
        for (size_t i = 0; i < json_array_size(value); i++)
            add_hex(&out, json_array_get(value, i));
    return out;
}

static void same_as(const json_t *v, const char *key, struct slice s)
{
    struct bytes expected = hex_of(v, key);
    assert_int_equal(s.len, expected.len);
    assert_memory_equal(s.p, expected.b, s.len);
}

/* The record against the page: its bytes, and its hashes where the page has them. */
static void check_record(const json_t *v)
{
    seal_hash_t hash;
    same_as(v, "record", seal_record_bytes(&record));
    seal_hash(h, seal_record_bytes(&record), &hash);
    if (json_object_get(v, "sha256") != NULL)
        same_as(v, "sha256", slice_of(hash.b, sizeof hash.b));
    seal_hash_leaf(h, &record, &hash);
    if (json_object_get(v, "leaf") != NULL)
        same_as(v, "leaf", slice_of(hash.b, sizeof hash.b));
    if (json_object_get(v, "hash") != NULL)
        same_as(v, "hash", slice_of(hash.b, sizeof hash.b));
}

/* ---------------------------------------------------------------- its fields, one after the other */

struct reader {
    const json_t *fields;
    size_t at;
    unsigned char store[BYTES_MAX];
    size_t used;
};

static struct reader reader_of(const json_t *v)
{
    return (struct reader){.fields = json_object_get(v, "fields"), .at = 1};
}

static const json_t *next(struct reader *r, const char *kind)
{
    const json_t *field = json_array_get(r->fields, r->at++);
    assert_non_null(field);
    assert_string_equal(json_string_value(json_array_get(field, 1)), kind);
    return json_array_get(field, 2);
}

static struct slice text(struct reader *r)
{
    const json_t *value = next(r, "text");
    return json_is_null(value) ? slice_of(NULL, 0) : slice_str(json_string_value(value));
}

static struct slice bytes(struct reader *r)
{
    const json_t *value = next(r, "bytes");
    size_t n = 0;
    if (json_is_null(value))
        return slice_of(NULL, 0);
    assert_ok(hex_decode(slice_str(json_string_value(value)), r->store + r->used,
                         BYTES_MAX - r->used, &n));
    r->used += n;
    return slice_of(r->store + r->used - n, n);
}

static seal_hash_t hash(struct reader *r)
{
    seal_hash_t out;
    struct slice s = bytes(r);
    assert(s.p != NULL);
    assert_int_equal(s.len, sizeof out.b);
    memcpy(out.b, s.p, sizeof out.b);
    return out;
}

static int64_t number(struct reader *r, const char *kind)
{
    return json_integer_value(next(r, kind));
}

#define INT(r)  number((r), "int")
#define TIME(r) number((r), "time")

static struct seal_opt_int optional(struct reader *r)
{
    const json_t *value = next(r, "int");
    return (struct seal_opt_int){!json_is_null(value), json_integer_value(value)};
}

static void at_end(const struct reader *r)
{
    assert_int_equal(r->at, json_array_size(r->fields));
}

/* ---------------------------------------------------------------- records */

static void what_journals_point_to(void **state)
{
    const json_t *v = vector("beneficiary");
    struct reader r = reader_of(v);
    (void)state;
    struct seal_beneficiary b = {.book = text(&r), .beneficiary_id = INT(&r)};
    b.version = INT(&r);
    b.bank = text(&r);
    b.channel = INT(&r);
    b.purpose_code = text(&r);
    for (int i = 0; i < SEAL_COMMITMENTS; i++)
        b.commitments[i] = bytes(&r);
    b.actor = text(&r);
    b.created_at = TIME(&r);
    at_end(&r);
    seal_record_beneficiary(&record, &b);
    check_record(v);

    v = vector("rate sheet");
    r = reader_of(v);
    struct seal_rate_sheet s = {.rate_id = INT(&r)};
    s.source = text(&r);
    s.sheet_date = number(&r, "date");
    s.as_of = TIME(&r);
    s.imported_at = TIME(&r);
    s.file_name = text(&r);
    s.file_sha256 = bytes(&r);
    s.author = text(&r);
    s.n_rates = number(&r, "list");
    seal_record_rate_sheet(&record, &s);
    for (int64_t i = 0; i < s.n_rates; i++) {
        struct slice currency = text(&r);
        seal_record_rate(&record, currency, INT(&r));
    }
    at_end(&r);
    check_record(v);
}

static void a_version_of_the_policy(void **state)
{
    const json_t *v = vector("policy change");
    struct reader r = reader_of(v);
    (void)state;
    struct seal_policy_change c = {.policy_id = INT(&r)};
    c.effective_at = TIME(&r);
    c.reason = text(&r);
    c.source = text(&r);
    c.source_sha256 = bytes(&r);
    c.opening = INT(&r);
    c.proposed_by = text(&r);
    c.proposed_at = TIME(&r);
    c.approved_by = text(&r);
    c.approved_at = TIME(&r);
    c.n_changes = number(&r, "list");
    seal_record_policy_change(&record, &c);
    for (int64_t i = 0; i < c.n_changes; i++) {
        struct seal_rule rule = {.rule = text(&r)};
        rule.scope = text(&r);
        rule.currency = text(&r);
        rule.value = optional(&r);
        seal_record_rule(&record, &rule);
    }
    at_end(&r);
    check_record(v);

    v = vector("policy");
    r = reader_of(v);
    struct seal_policy p = {.policy_id = INT(&r)};
    p.effective_at = TIME(&r);
    p.n_changes = number(&r, "list");
    seal_record_policy(&record, &p);
    for (int64_t i = 0; i < p.n_changes; i++) {
        seal_hash_t change = hash(&r);
        seal_record_policy_hash(&record, &change);
    }
    at_end(&r);
    check_record(v);
}

static void check_quote(const char *name, bool has_policy)
{
    const json_t *v = vector(name);
    struct reader r = reader_of(v);
    struct seal_quote q = {.book = text(&r)};
    q.quote_id = INT(&r);
    q.request_id = text(&r);
    q.fingerprint = bytes(&r);
    q.src_ccy = text(&r);
    q.dst_ccy = text(&r);
    q.digit_shift = INT(&r);
    q.rate_sheet = bytes(&r);
    q.gross = INT(&r);
    q.fee = INT(&r);
    q.mid_rate_e10 = INT(&r);
    q.mid_value = INT(&r);
    q.margin_bps = INT(&r);
    q.margin = INT(&r);
    q.net = INT(&r);
    q.actor = text(&r);
    q.created_at = TIME(&r);
    q.expires_at = TIME(&r);
    if (has_policy)
        q.policy = bytes(&r);
    at_end(&r);
    seal_record_quote(&record, &q);
    check_record(v);
}

static void quotes(void **state)
{
    (void)state;
    check_quote("quote", false);
    check_quote("quote with a policy", true);
}

static void read_payout(struct reader *r, struct seal_payout *p)
{
    *p = (struct seal_payout){.reference = text(r)};
    p->info = text(r);
    p->bank = text(r);
    p->src_ccy = text(r);
    p->dst_ccy = text(r);
    p->gross = INT(r);
    p->fee = INT(r);
    p->mid_rate_e10 = INT(r);
    p->mid_value = INT(r);
    p->margin_bps = INT(r);
    p->margin = INT(r);
    p->net = INT(r);
    p->digit_shift = INT(r);
    p->fingerprint = bytes(r);
    p->beneficiary_id = INT(r);
    p->beneficiary_version = INT(r);
    p->beneficiary = bytes(r);
    p->rate_sheet = bytes(r);
    p->quote = bytes(r);
    p->policy = slice_of(NULL, 0);
    if (r->at < json_array_size(r->fields)) /* of a journal's second version alone */
        p->policy = bytes(r);
}

static void read_transition(struct reader *r, struct seal_transition *t)
{
    t->step = INT(r);
    t->state = INT(r);
    t->reason_code = text(r);
    t->bank_reference = text(r);
    t->tax_withheld = optional(r);
    t->eprc_number = text(r);
}

static void read_adjustment(struct reader *r, struct seal_adjustment *a)
{
    a->proposal = INT(r);
    a->reason = text(r);
    a->evidence = bytes(r);
    a->proposed_by = text(r);
    a->proposed_at = TIME(r);
}

static void read_subject(struct reader *r, struct seal_journal *j)
{
    struct slice subject = text(r);
    if (slice_equal_str(subject, "payout")) {
        j->subject = SEAL_SUBJECT_PAYOUT;
        read_payout(r, &j->of.payout);
    } else if (slice_equal_str(subject, "transition")) {
        j->subject = SEAL_SUBJECT_TRANSITION;
        read_transition(r, &j->of.transition);
    } else if (slice_equal_str(subject, "handout")) {
        j->subject = SEAL_SUBJECT_HANDOUT;
        j->of.handout.bank = text(r);
        j->of.handout.prev_payout_id = INT(r);
        j->of.handout.last_payout_id = INT(r);
    } else if (slice_equal_str(subject, "deposit")) {
        j->subject = SEAL_SUBJECT_DEPOSIT;
        j->of.deposit.reference = text(r);
        j->of.deposit.currency = text(r);
        j->of.deposit.amount = INT(r);
    } else if (slice_equal_str(subject, "adjustment")) {
        j->subject = SEAL_SUBJECT_ADJUSTMENT;
        read_adjustment(r, &j->of.adjustment);
    } else if (slice_equal_str(subject, "unclaimed")) {
        struct seal_unclaimed *u = &j->of.unclaimed;
        j->subject = SEAL_SUBJECT_UNCLAIMED;
        u->reference = text(r);
        u->info = text(r);
        u->currency = text(r);
        u->gross = INT(r);
        u->batch_id = INT(r);
        u->item_no = INT(r);
        u->expires_at = TIME(r);
    } else if (slice_equal_str(subject, "unclaimed_end")) {
        j->subject = SEAL_SUBJECT_UNCLAIMED_END;
        j->of.unclaimed_end.outcome = INT(r);
        j->of.unclaimed_end.payout_id = optional(r);
    } else if (slice_equal_str(subject, "hold")) {
        struct seal_hold *hold = &j->of.hold;
        j->subject = SEAL_SUBJECT_HOLD;
        hold->hold_no = INT(r);
        hold->reason = text(r);
        hold->detail = bytes(r);
        hold->evidence = bytes(r);
        hold->deadline = TIME(r);
    } else if (slice_equal_str(subject, "hold_end")) {
        struct seal_hold_end *e = &j->of.hold_end;
        j->subject = SEAL_SUBJECT_HOLD_END;
        e->hold_no = INT(r);
        e->outcome = INT(r);
        e->first_by = text(r);
        e->second_by = text(r);
        e->first_note = bytes(r);
        e->second_note = bytes(r);
    } else {
        assert_slice(subject, "none");
        j->subject = SEAL_SUBJECT_NONE;
    }
}

static void journals_of_every_subject(void **state)
{
    static const char *const names[] = {
        "journal deposit",    "journal payout",        "journal handout",
        "journal transition", "journal none",          "journal adjustment",
        "journal unclaimed",  "journal unclaimed_end", "journal payout with a policy",
        "journal hold",       "journal hold_end"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *v = vector(names[i]);
        struct reader r = reader_of(v);
        struct seal_journal j = {.book = text(&r)};
        j.seq = INT(&r);
        j.block_no = INT(&r);
        j.committed_at = TIME(&r);
        j.kind = text(&r);
        j.actor = text(&r);
        j.payout_id = optional(&r);
        j.reverses_seq = optional(&r);
        j.detail = text(&r);
        j.n_lines = (unsigned)number(&r, "list");
        for (unsigned k = 0; k < j.n_lines; k++) {
            j.lines[k].account = text(&r);
            j.lines[k].currency = text(&r);
            j.lines[k].amount = INT(&r);
        }
        read_subject(&r, &j);
        at_end(&r);
        seal_record_journal(&record, &j);
        check_record(v);
    }
}

/* ---------------------------------------------------------------- blocks, keys, trees */

/* The seed of RFC 8032, section 7.1, test 1. */
static struct seal_key *rfc_key(void)
{
    unsigned char seed[SEAL_KEY_SEED_SIZE];
    size_t n;
    struct seal_key *key;
    assert_ok(hex_decode(SLICE("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
                         seed, sizeof seed, &n));
    assert_ok(seal_key_from_seed(seed, &key));
    return key;
}

static void check_signature(const json_t *v)
{
    unsigned char signature[SEAL_SIGNATURE_SIZE];
    struct seal_key *key = rfc_key();
    assert_ok(seal_key_sign(key, seal_record_bytes(&record), signature));
    same_as(v, "signature", slice_of(signature, sizeof signature));
    seal_key_free(&key);
}

static void a_key_that_signs_itself(void **state)
{
    const json_t *v = vector("key");
    struct reader r = reader_of(v);
    struct seal_key *key = rfc_key();
    (void)state;
    struct seal_key_record k = {.book = text(&r)};
    k.key_id = text(&r);
    assert_slice(k.key_id, seal_key_name(key));
    k.public_key = bytes(&r);
    assert_memory_equal(k.public_key.p, seal_key_public(key), SEAL_PUBLIC_KEY_SIZE);
    k.from_block = INT(&r);
    k.created_at = TIME(&r);
    at_end(&r);
    seal_record_key(&record, &k);
    check_record(v);
    check_signature(v);
    seal_key_free(&key);
}

static void a_block_of_three_journals_and_the_head_of_its_tree(void **state)
{
    static const char *const names[] = {"journal deposit", "journal payout", "journal handout"};
    const json_t *v = vector("block");
    struct reader r = reader_of(v);
    struct seal_tree journals = {0};
    seal_hash_t root;
    (void)state;
    for (int i = 0; i < 3; i++) {
        seal_hash_t leaf;
        memcpy(leaf.b, hex_of(vector(names[i]), "leaf").b, sizeof leaf.b);
        (void)seal_tree_append(&journals, h, &leaf, NULL);
    }
    seal_tree_root(&journals, h, &root);
    struct seal_block b = {.book = text(&r)};
    b.block_no = INT(&r);
    b.first_seq = INT(&r);
    b.last_seq = INT(&r);
    b.committed_at = TIME(&r);
    b.journal_root = hash(&r);
    b.prev = hash(&r);
    at_end(&r);
    assert_memory_equal(&b.journal_root, &root, sizeof root);
    seal_record_block(&record, &b);
    check_record(v);
    check_signature(v);

    v = vector("tree head");
    r = reader_of(v);
    struct seal_tree_head head = {.book = text(&r)};
    head.tree_size = INT(&r);
    head.root = hash(&r);
    head.signed_at = TIME(&r);
    at_end(&r);
    seal_record_tree_head(&record, &head);
    check_record(v);
    check_signature(v);
}

static bool node_of(void *user, unsigned level, uint64_t index, seal_hash_t *out)
{
    *out = ((const seal_hash_t(*)[4])user)[((index + 1) << level) - 1][level];
    return true;
}

static void check_proof(const json_t *v, const char *key, const struct seal_proof *proof)
{
    struct bytes expected = hex_of(v, key);
    assert_int_equal(proof->n * SEAL_HASH_SIZE, expected.len);
    assert_memory_equal(proof->hash, expected.b, expected.len);
}

static void a_tree_of_seven_blocks_and_proofs_in_it(void **state)
{
    const json_t *v = vector("tree");
    struct bytes leaves = hex_of(v, "leaves");
    static seal_hash_t nodes[7][4];
    struct seal_tree tree = {0};
    struct seal_proof proof;
    seal_hash_t root, old;
    (void)state;
    assert_int_equal(leaves.len, 7 * SEAL_HASH_SIZE);
    for (int i = 0; i < 7; i++) {
        seal_hash_t leaf;
        memcpy(leaf.b, leaves.b + i * SEAL_HASH_SIZE, sizeof leaf.b);
        (void)seal_tree_append(&tree, h, &leaf, nodes[i]);
        seal_tree_root(&tree, h, &root);
        if (i == 2)
            old = root;
    }
    same_as(v, "root_3", slice_of(old.b, sizeof old.b));
    same_as(v, "root_7", slice_of(root.b, sizeof root.b));
    assert_true(seal_prove_inclusion(h, 3, 7, node_of, nodes, &proof));
    check_proof(v, "inclusion_4_in_7", &proof);
    assert_true(seal_check_inclusion(h, &nodes[3][0], 3, 7, &proof, &root));
    assert_true(seal_prove_consistency(h, 3, 7, node_of, nodes, &proof));
    check_proof(v, "consistency_3_to_7", &proof);
    assert_true(seal_check_consistency(h, 3, 7, &proof, &old, &root));
}

static void a_field_that_is_too_long_voids_the_record(void **state)
{
    static char long_text[SEAL_FIELD_BYTES_MAX + 1];
    struct seal_deposit d = {slice_of(long_text, sizeof long_text), SLICE("USD"), 1};
    struct seal_journal j = {.book = SLICE("b"), .kind = SLICE("k"), .actor = SLICE("a")};
    (void)state;
    j.subject = SEAL_SUBJECT_DEPOSIT;
    j.of.deposit = d;
    seal_record_journal(&record, &j);
    assert_true(record.failed);
    assert_int_equal(seal_record_bytes(&record).len, 0);
    j.of.deposit.reference.len--;
    seal_record_journal(&record, &j);
    assert_false(record.failed);
    assert_true(seal_record_bytes(&record).len > SEAL_FIELD_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_journals_point_to),
        cmocka_unit_test(a_version_of_the_policy),
        cmocka_unit_test(quotes),
        cmocka_unit_test(journals_of_every_subject),
        cmocka_unit_test(a_key_that_signs_itself),
        cmocka_unit_test(a_block_of_three_journals_and_the_head_of_its_tree),
        cmocka_unit_test(a_tree_of_seven_blocks_and_proofs_in_it),
        cmocka_unit_test(a_field_that_is_too_long_voids_the_record),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
