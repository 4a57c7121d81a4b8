#include "seal/keyring.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/ujrat-seal-key.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.pem",     "b.pem",       "open.pem", "rsa.pem",
                                        "empty.pem", ".hidden.pem", "note"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unlink(path_of(names[i]));
    return rmdir(folder);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void the_vectors_of_rfc_8032_hold(void **state)
{
    /* section 7.1, tests 1 to 3: seed, public key, message, signature */
    static const char *const vectors[][4] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        unsigned char seed[32], public_key[32], message[8], expected[64], signature[64];
        size_t n, len;
        struct seal_key *key;
        assert_ok(hex_decode(slice_str(vectors[i][0]), seed, sizeof seed, &n));
        assert_ok(hex_decode(slice_str(vectors[i][1]), public_key, sizeof public_key, &n));
        assert_ok(hex_decode(slice_str(vectors[i][2]), message, sizeof message, &len));
        assert_ok(hex_decode(slice_str(vectors[i][3]), expected, sizeof expected, &n));
        assert_ok(seal_key_from_seed(seed, &key));
        assert_memory_equal(seal_key_public(key), public_key, 32);
        assert_ok(seal_key_sign(key, slice_of(message, len), signature));
        assert_memory_equal(signature, expected, 64);
        struct slice pub = slice_of(public_key, 32), sig = slice_of(signature, 64);
        assert_true(seal_key_verify(pub, slice_of(message, len), sig));
        assert_false(seal_key_verify(pub, slice_str("another"), sig));
        assert_false(seal_key_verify(pub, slice_of(message, len), slice_of(signature, 63)));
        assert_false(seal_key_verify(slice_of(public_key, 31), slice_of(message, len), sig));
        signature[5] ^= 1;
        assert_false(seal_key_verify(pub, slice_of(message, len), sig));
        seal_key_free(&key);
        assert_null(key);
    }
}

static void a_key_is_written_for_its_owner_alone_and_read_back(void **state)
{
    struct seal_key *key, *again;
    struct stat st;
    char pem[SEAL_KEY_PEM_SIZE];
    (void)state;
    assert_ok(seal_key_generate(&key));
    assert_ok(seal_key_write(key, path_of("a.pem")));
    assert_int_equal(stat(path_of("a.pem"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_ok(seal_key_read(path_of("a.pem"), &again));
    assert_string_equal(seal_key_name(again), seal_key_name(key));
    assert_int_equal(strlen(seal_key_name(key)), 16);
    err_t err = seal_key_write(key, path_of("a.pem")); /* never over another */
    assert_code(err, ERR_SYS);
    assert_int_equal(err.sys_errno, EEXIST);
    assert_ok(seal_key_public_pem(slice_of(seal_key_public(key), 32), pem));
    assert_non_null(strstr(pem, "BEGIN PUBLIC KEY"));
    assert_code(seal_key_public_pem(slice_of("short", 5), pem), ERR_TLS);
    seal_key_free(&key);
    seal_key_free(&again);
}

static void files_that_others_read_or_that_are_no_keys_are_refused(void **state)
{
    static const char rsa_like[] =
        "-----BEGIN PRIVATE KEY-----\nMC4CAQA=\n-----END PRIVATE KEY-----\n";
    struct seal_key *key, *none;
    (void)state;
    assert_code(seal_key_read(path_of("missing.pem"), &none), ERR_SYS);
    assert_null(none);
    assert_ok(seal_key_generate(&key));
    assert_ok(seal_key_write(key, path_of("open.pem")));
    assert_int_equal(chmod(path_of("open.pem"), 0640), 0);
    assert_code(seal_key_read(path_of("open.pem"), &none), ERR_INVALID);
    write_text("empty.pem", "", 0600);
    assert_code(seal_key_read(path_of("empty.pem"), &none), ERR_PARSE);
    write_text("rsa.pem", rsa_like, 0600);
    assert_code(seal_key_read(path_of("rsa.pem"), &none), ERR_PARSE);
    assert_code(seal_key_read(folder, &none), ERR_INVALID);
    seal_key_free(&key);
}

static void a_ring_has_the_good_keys_of_its_folder(void **state)
{
    struct seal_keyring ring = {0};
    struct seal_key *key;
    char id[SEAL_KEY_ID_SIZE];
    (void)state; /* a.pem is there, and three that are no good */
    assert_ok(seal_key_generate(&key));
    assert_ok(seal_key_write(key, path_of("b.pem")));
    snprintf(id, sizeof id, "%s", seal_key_name(key));
    write_text(".hidden.pem", "x", 0600);
    write_text("note", "x", 0600);
    assert_ok(seal_keyring_load(&ring, folder, NULL));
    assert_int_equal(ring.n, 2);
    assert_non_null(seal_keyring_find(&ring, id));
    assert_null(seal_keyring_find(&ring, "0000000000000000"));
    assert_code(seal_keyring_load(&ring, "/nowhere/at/all", NULL), ERR_SYS);
    assert_int_equal(ring.n, 2);
    assert_int_equal(unlink(path_of("b.pem")), 0);
    assert_ok(seal_keyring_load(&ring, folder, NULL));
    assert_null(seal_keyring_find(&ring, id));
    seal_keyring_deinit(&ring);
    seal_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_8032_hold),
        cmocka_unit_test(a_key_is_written_for_its_owner_alone_and_read_back),
        cmocka_unit_test(files_that_others_read_or_that_are_no_keys_are_refused),
        cmocka_unit_test(a_ring_has_the_good_keys_of_its_folder),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
