#include "ledger/pii.h"
#include "ledger/pii_box.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define KEY_F "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"

static char folder[] = "/tmp/ujrat-pii.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_keys(const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static struct pii *open_keys(const char *text)
{
    struct pii *p;
    struct pii_problem problem = {""};
    write_keys(text, 0600);
    err_t err = pii_new(path, &p, &problem);
    if (err_failed(err))
        fail_msg("%s", problem.text);
    return p;
}

static void person(struct slice value[PII_FIELDS])
{
    memset(value, 0, PII_FIELDS * sizeof *value);
    value[PII_NAME] = SLICE("عائشہ خان");
    value[PII_IBAN] = SLICE("PK36SCBL0000001123456702");
    value[PII_CNIC] = SLICE("3520212345671");
}

struct sealed {
    uint8_t commitment[PII_FIELDS][PII_COMMITMENT_SIZE];
    uint8_t bytes[PII_SEALED_BYTES_MAX];
    struct pii_row row;
};

static void seal(struct pii *p, const struct slice value[PII_FIELDS], struct sealed *out)
{
    memset(out, 0, sizeof *out);
    assert_ok(pii_seal(p, value, out->commitment, out->bytes, &out->row));
    assert_int_equal(out->row.sealed.len, pii_sealed_size(value));
}

static enum pii_result unseal(struct pii *p, const struct pii_row *row, struct pii_open *open)
{
    static uint8_t room[PII_SEALED_BYTES_MAX];
    return pii_unseal(p, row, room, open);
}

/* ---------------------------------------------------------------- keys */

static void keys_are_read_by_their_ids(void **state)
{
    (void)state;
    struct pii_keys keys;
    struct pii_problem problem;
    assert_ok(pii_keys_parse(
        SLICE("# a comment\n\nfingerprint " KEY_F "\n7 " KEY_B "\n 3   " KEY_A), &keys, &problem));
    assert_int_equal(keys.n, 2);
    assert_int_equal(pii_keys_newest(&keys)->id, 7);
    assert_int_equal(pii_keys_find(&keys, 3)->bytes[1], 0x11);
    assert_null(pii_keys_find(&keys, 1));
    assert_int_equal(keys.fingerprint[0], 0x0f);
    pii_keys_wipe(&keys);
    assert_int_equal(keys.n + keys.fingerprint[0], 0);
}

static void refused(const char *text, const char *word)
{
    struct pii_keys keys;
    struct pii_problem problem = {""};
    assert_code(pii_keys_parse(slice_str(text), &keys, &problem), ERR_PARSE);
    if (strstr(problem.text, word) == NULL)
        fail_msg("'%s' does not say '%s'", problem.text, word);
    if (strstr(problem.text, "0011") != NULL)
        fail_msg("it tells a key: %s", problem.text);
}

static void a_file_of_keys_that_is_not_whole_is_refused(void **state)
{
    (void)state;
    refused("", "no fingerprint key");
    refused("1 " KEY_A "\n", "no fingerprint key");
    refused("fingerprint " KEY_F "\n", "no key");
    refused("fingerprint " KEY_F "\n1 " KEY_A "\nfingerprint " KEY_F "\n", "line 3: a second");
    refused("fingerprint " KEY_F "\n1 " KEY_A "\n1 " KEY_B "\n", "line 3: this id");
    refused("fingerprint " KEY_F "\n0 " KEY_A "\n", "line 2: the id");
    refused("fingerprint " KEY_F "\n32768 " KEY_A "\n", "line 2: the id");
    refused("fingerprint " KEY_F "\n-1 " KEY_A "\n", "line 2: the id");
    refused("fingerprint " KEY_F "\n1 " KEY_A "00\n", "64 hexadecimal");
    refused("fingerprint " KEY_F "\n1 00112233\n", "64 hexadecimal");
    refused("fingerprint " KEY_F "\n1 x" KEY_A "\n", "64 hexadecimal");
    refused("fingerprint " KEY_F "\n" KEY_A "\n", "line 2: not");
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    struct pii *p;
    struct pii_problem problem;
    write_keys("fingerprint " KEY_F "\n1 " KEY_A "\n", 0640);
    assert_true(err_failed(pii_new(path, &p, &problem)));
    assert_non_null(strstr(problem.text, "0600"));
    assert_null(p);
}

static void a_new_file_has_one_key_and_gets_one_more_each_time(void **state)
{
    (void)state;
    struct pii_problem problem;
    struct pii_keys one, two;
    struct stat st;
    int16_t id = 0;
    unlink(path);
    assert_ok(pii_keys_add(path, &id, &problem));
    assert_int_equal(id, 1);
    assert_ok(pii_keys_read(path, &one, &st, &problem));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ok(pii_keys_add(path, &id, &problem));
    assert_int_equal(id, 2);
    assert_ok(pii_keys_read(path, &two, &st, &problem));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(two.n, 2);
    assert_memory_equal(one.fingerprint, two.fingerprint, PII_KEY_SIZE);
    assert_memory_equal(one.key[0].bytes, two.key[0].bytes, PII_KEY_SIZE);
    assert_memory_not_equal(two.key[0].bytes, two.key[1].bytes, PII_KEY_SIZE);
    /* What cannot be read is not written over. */
    write_keys("rubbish\n", 0600);
    assert_true(err_failed(pii_keys_add(path, &id, &problem)));
    char text[16] = "";
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 8);
    close(fd);
}

static void keys_that_are_added_are_found_and_another_fingerprint_key_is_not_taken(void **state)
{
    (void)state;
    struct pii *p = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    struct pii_problem problem;
    bool changed = true;
    assert_ok(pii_refresh(p, &changed, &problem));
    assert_false(changed);
    write_keys("fingerprint " KEY_F "\n1 " KEY_A "\n2 " KEY_B "\n", 0600);
    assert_ok(pii_refresh(p, &changed, &problem));
    assert_true(changed && pii_newest(p) == 2 && pii_has(p, 1) && !pii_has(p, 3));
    write_keys("fingerprint " KEY_A "\n9 " KEY_A "\n", 0600);
    assert_true(err_failed(pii_refresh(p, &changed, &problem)));
    assert_true(!changed && pii_newest(p) == 2);
    unlink(path);
    assert_true(err_failed(pii_refresh(p, &changed, &problem)));
    assert_true(pii_has(p, 1));
    pii_free(&p);
}

/* ---------------------------------------------------------------- rows */

static void what_was_sealed_opens_to_the_same_values(void **state)
{
    (void)state;
    struct pii *p = open_keys("fingerprint " KEY_F "\n4 " KEY_A "\n");
    struct slice value[PII_FIELDS];
    struct sealed s;
    struct pii_open open;
    person(value);
    seal(p, value, &s);
    assert_int_equal(s.row.key_id, 4);
    assert_int_equal(s.row.commitment[PII_MOBILE].len + s.row.commitment[PII_PSEB].len, 0);
    assert_int_equal(unseal(p, &s.row, &open), PII_OK);
    for (unsigned i = 0; i < PII_FIELDS; i++)
        assert_true(slice_equal(open.value[i], value[i]));
    assert_null(memmem(s.row.sealed.p, s.row.sealed.len, "3520212345671", 13));
    pii_free(&p);
}

static void two_seals_of_one_person_have_nothing_in_common(void **state)
{
    (void)state;
    struct pii *p = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    struct slice value[PII_FIELDS];
    struct sealed a, b;
    person(value);
    seal(p, value, &a);
    seal(p, value, &b);
    assert_memory_not_equal(a.bytes, b.bytes, PII_NONCE_SIZE);
    for (unsigned i = 0; i < PII_FIELDS; i++)
        if (value[i].len > 0)
            assert_memory_not_equal(a.commitment[i], b.commitment[i], PII_COMMITMENT_SIZE);
    pii_free(&p);
}

/* Made from docs/log-format.md with printf and sha256sum:
 * printf '\0\0\0\x0bujrat/pii/1\0\0\0\x04name\0\0\0\x10tttttttttttttttt\0\0\0\x01A' | sha256sum */
static void the_commitment_is_the_one_of_the_page(void **state)
{
    (void)state;
    static const uint8_t of_name[PII_COMMITMENT_SIZE] = {
        0x2e, 0x46, 0x32, 0x88, 0x0b, 0x3d, 0x02, 0xf1, 0xe5, 0x26, 0x5f,
        0xae, 0x58, 0x76, 0x92, 0x19, 0x21, 0x97, 0xfb, 0xe4, 0xc8, 0x25,
        0x6e, 0x3f, 0xba, 0x29, 0x07, 0x56, 0x11, 0x31, 0x38, 0x40};
    static const uint8_t of_cnic[PII_COMMITMENT_SIZE] = {
        0xf2, 0x57, 0x1c, 0x6b, 0x2b, 0xe2, 0x1b, 0x40, 0x78, 0x50, 0x7d,
        0x84, 0x61, 0x7b, 0xc1, 0x08, 0x54, 0xd8, 0xcb, 0x3e, 0x45, 0x64,
        0x71, 0xd2, 0x94, 0xa3, 0x9a, 0x14, 0x46, 0xe4, 0x18, 0x29};
    struct pii *p = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    const struct pii_open open = {
        .salt = {[PII_NAME] = SLICE("tttttttttttttttt"), [PII_CNIC] = SLICE("ssssssssssssssss")},
        .value = {[PII_NAME] = SLICE("A"), [PII_CNIC] = SLICE("3520212345671")}};
    struct pii_open again;
    uint8_t plain[PII_PLAIN_BYTES_MAX];
    struct pii_row row = {.key_id = PII_KEY_NONE,
                          .sealed = slice_of(plain, pii_encode(&open, plain)),
                          .commitment = {[PII_NAME] = slice_of(of_name, PII_COMMITMENT_SIZE),
                                         [PII_CNIC] = slice_of(of_cnic, PII_COMMITMENT_SIZE)}};
    assert_int_equal(unseal(p, &row, &again), PII_OK); /* also what a migration left in clear */
    assert_slice(again.value[PII_CNIC], "3520212345671");
    plain[row.sealed.len - 9] ^= 1; /* the last digit */
    assert_int_equal(unseal(p, &row, &again), PII_BROKEN);
    pii_free(&p);
}

static void a_row_in_anothers_place_does_not_open(void **state)
{
    (void)state;
    struct pii *p = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    struct slice value[PII_FIELDS];
    struct sealed a, b;
    struct pii_open open;
    person(value);
    seal(p, value, &a);
    seal(p, value, &b);
    struct pii_row mixed = a.row;
    mixed.sealed = b.row.sealed;
    assert_int_equal(unseal(p, &mixed, &open), PII_BROKEN);
    mixed = a.row;
    mixed.commitment[PII_IBAN] = b.row.commitment[PII_IBAN];
    assert_int_equal(unseal(p, &mixed, &open), PII_BROKEN);
    mixed = a.row;
    mixed.commitment[PII_PSEB] = b.row.commitment[PII_IBAN];
    assert_int_equal(unseal(p, &mixed, &open), PII_BROKEN);
    mixed.commitment[PII_PSEB] = SLICE("short");
    assert_int_equal(unseal(p, &mixed, &open), PII_BROKEN);
    pii_free(&p);
}

static void no_changed_or_cut_row_opens(void **state)
{
    (void)state;
    struct pii *p = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    struct slice value[PII_FIELDS];
    struct sealed s;
    struct pii_open open;
    person(value);
    seal(p, value, &s);
    for (size_t i = 0; i < s.row.sealed.len; i++) {
        s.bytes[i] ^= 0x40;
        assert_int_equal(unseal(p, &s.row, &open), PII_BROKEN);
        s.bytes[i] ^= 0x40;
        struct pii_row cut = s.row;
        cut.sealed.len = i;
        assert_int_equal(unseal(p, &cut, &open), PII_BROKEN);
    }
    assert_int_equal(unseal(p, &s.row, &open), PII_OK);
    s.row.key_id = PII_KEY_NONE;
    assert_int_equal(unseal(p, &s.row, &open), PII_BROKEN);
    pii_free(&p);
}

static void a_new_key_takes_over_and_the_old_one_may_go(void **state)
{
    (void)state;
    struct pii *old = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    struct pii *both = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n2 " KEY_B "\n");
    struct pii *new = open_keys("fingerprint " KEY_F "\n2 " KEY_B "\n");
    struct pii *other = open_keys("fingerprint " KEY_F "\n1 " KEY_B "\n");
    struct slice value[PII_FIELDS];
    struct sealed s;
    struct pii_open open;
    uint8_t again[PII_SEALED_BYTES_MAX];
    size_t len = 0;
    person(value);
    seal(old, value, &s);
    assert_int_equal(unseal(new, &s.row, &open), PII_KEY_MISSING);
    assert_int_equal(unseal(other, &s.row, &open), PII_BROKEN);
    assert_int_equal(pii_reseal(new, &s.row, again, &len), PII_KEY_MISSING);
    assert_int_equal(pii_reseal(both, &s.row, again, &len), PII_OK);
    struct pii_row row = s.row;
    row.key_id = 2;
    row.sealed = slice_of(again, len);
    assert_int_equal(len, s.row.sealed.len);
    assert_int_equal(unseal(new, &row, &open), PII_OK);
    assert_true(slice_equal(open.value[PII_IBAN], value[PII_IBAN]));
    assert_int_equal(unseal(old, &row, &open), PII_KEY_MISSING);
    pii_free(&old);
    pii_free(&both);
    pii_free(&new);
    pii_free(&other);
}

static void a_record_is_read_to_the_byte(void **state)
{
    (void)state;
    const struct pii_open open = {.salt = {[PII_PSEB] = SLICE("0123456789abcdef")},
                                  .value = {[PII_PSEB] = SLICE("PSEB-1")}};
    struct pii_open again;
    uint8_t plain[PII_PLAIN_BYTES_MAX];
    size_t len = pii_encode(&open, plain);
    assert_true(pii_decode(slice_of(plain, len), &again));
    assert_slice(again.value[PII_PSEB], "PSEB-1");
    for (size_t n = 0; n < len; n++)
        assert_false(pii_decode(slice_of(plain, n), &again));
    plain[len] = 0;
    assert_false(pii_decode(slice_of(plain, len + 1), &again));
    plain[15 + 4] = '2'; /* of another version */
    assert_false(pii_decode(slice_of(plain, len), &again));
}

static void a_box_opens_in_its_own_place_alone(void **state)
{
    static const struct pii_place places[] = {
        {"payout_batch_item", 1, 2, {"key", 3}}, {"receiver", 1, 2, {"key", 3}},
        {"payout_batch_item", 2, 2, {"key", 3}}, {"payout_batch_item", 1, 3, {"key", 3}},
        {"payout_batch_item", 1, 2, {"kez", 3}}, {"payout_batch_item", 1, 2, {"", 0}},
    };
    const struct slice text = SLICE("ayesha@example.com\nfor you");
    struct pii *p = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    uint8_t box[64], room[64];
    struct slice out;
    int16_t key_id;
    (void)state;
    assert_ok(pii_box_seal(p, &places[0], text, box, &key_id));
    assert_int_equal(key_id, 1);
    const struct slice sealed = slice_of(box, text.len + PII_BOX_OVERHEAD);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(pii_box_open(p, &places[i], key_id, sealed, room, &out),
                         i == 0 ? PII_OK : PII_BROKEN);
    assert_int_equal(pii_box_open(p, &places[0], key_id, sealed, room, &out), PII_OK);
    assert_true(slice_equal(out, text));
    assert_int_equal(pii_box_open(p, &places[0], 2, sealed, room, &out), PII_KEY_MISSING);
    assert_int_equal(
        pii_box_open(p, &places[0], key_id, slice_of(box, PII_BOX_OVERHEAD), room, &out),
        PII_BROKEN);
    for (unsigned bit = 0; bit < 8 * sealed.len; bit++) {
        box[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(pii_box_open(p, &places[0], key_id, sealed, room, &out), PII_BROKEN);
        box[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    pii_free(&p);
}

static void a_receiver_is_looked_up_by_kind_and_form_under_the_fingerprint_key(void **state)
{
    struct pii *p = open_keys("fingerprint " KEY_F "\n1 " KEY_A "\n");
    uint8_t a[PII_LOOKUP_SIZE], b[PII_LOOKUP_SIZE];
    (void)state;
    assert_ok(pii_receiver_lookup(p, 1, SLICE("a@b"), a));
    assert_ok(pii_receiver_lookup(p, 1, SLICE("a@b"), b));
    assert_memory_equal(a, b, sizeof a);
    assert_ok(pii_receiver_lookup(p, 2, SLICE("a@b"), b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_ok(pii_receiver_lookup(p, 1, SLICE("a@c"), b));
    assert_memory_not_equal(a, b, sizeof a);
    pii_free(&p);
    p = open_keys("fingerprint " KEY_B "\n1 " KEY_A "\n");
    assert_ok(pii_receiver_lookup(p, 1, SLICE("a@b"), b));
    assert_memory_not_equal(a, b, sizeof a);
    pii_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_read_by_their_ids),
        cmocka_unit_test(a_file_of_keys_that_is_not_whole_is_refused),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(a_new_file_has_one_key_and_gets_one_more_each_time),
        cmocka_unit_test(keys_that_are_added_are_found_and_another_fingerprint_key_is_not_taken),
        cmocka_unit_test(what_was_sealed_opens_to_the_same_values),
        cmocka_unit_test(two_seals_of_one_person_have_nothing_in_common),
        cmocka_unit_test(the_commitment_is_the_one_of_the_page),
        cmocka_unit_test(a_row_in_anothers_place_does_not_open),
        cmocka_unit_test(no_changed_or_cut_row_opens),
        cmocka_unit_test(a_new_key_takes_over_and_the_old_one_may_go),
        cmocka_unit_test(a_record_is_read_to_the_byte),
        cmocka_unit_test(a_box_opens_in_its_own_place_alone),
        cmocka_unit_test(a_receiver_is_looked_up_by_kind_and_form_under_the_fingerprint_key),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
