/* Files to and from banks, without messages or a ledger: what a crash between any two steps leaves, and what is wrong. */
#include "settle/file_in.h"
#include "settle/file_out.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

struct here {
    char root[64];
    struct bank_folders f;
    struct sign_key *key, *public_key, *other;
    struct file_in_rules rules;
};

static const char BODY[] = "<Document>payments</Document>";

/* ---------------------------------------------------------------- a place of its own */

static void write_pem(const char *root, const char *name, EVP_PKEY *pkey, bool public_half)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_int_equal(public_half ? PEM_write_PUBKEY(file, pkey)
                                 : PEM_write_PKCS8PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL),
                     1);
    assert_int_equal(fclose(file), 0);
}

static void make_key(struct here *h, const char *name, struct sign_key **key,
                     struct sign_key **public_key)
{
    char private_name[32], public_name[32], path[128];
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    snprintf(private_name, sizeof private_name, "%s.key", name);
    snprintf(public_name, sizeof public_name, "%s.pem", name);
    write_pem(h->root, private_name, pkey, false);
    write_pem(h->root, public_name, pkey, true);
    EVP_PKEY_free(pkey);
    snprintf(path, sizeof path, "%s/%s", h->root, private_name);
    assert_ok(sign_key_read(path, key));
    snprintf(path, sizeof path, "%s/%s", h->root, public_name);
    assert_ok(sign_key_read_public(path, public_key));
}

static int set_up(void **state)
{
    struct here *h = calloc(1, sizeof *h);
    struct sign_key *unused;
    snprintf(h->root, sizeof h->root, "/tmp/ujrat-files-XXXXXX");
    assert_non_null(mkdtemp(h->root));
    assert_ok(bank_folders_open(h->root, "MUCB", &h->f));
    make_key(h, "ours", &h->key, &h->public_key);
    make_key(h, "other", &h->other, &unused);
    sign_key_free(&unused);
    h->rules = (struct file_in_rules){.bank = "MUCB",
                                      .key = {h->public_key},
                                      .bytes_max = 1 << 20,
                                      .wait_us = 60 * US_PER_SEC,
                                      .now_us = clock_realtime_us()};
    *state = h;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st, (void)kind, (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    struct here *h = *state;
    sign_key_free(&h->key);
    sign_key_free(&h->public_key);
    sign_key_free(&h->other);
    bank_folders_close(&h->f);
    (void)nftw(h->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(h);
    return 0;
}

static bool has(const struct here *h, enum bank_folder folder, const char *name)
{
    return bank_folders_has(&h->f, folder, name);
}

static void put(struct here *h, const char *name, const void *bytes, size_t len)
{
    assert_ok(bank_folders_write(&h->f, FOLDER_IN, name, slice_of(bytes, len)));
}

/* ---------------------------------------------------------------- to a bank */

static err_t write_body(void *user, struct file_sink *sink)
{
    const char *text = user;
    err_t err = file_sink_write(sink, text, strlen(text) / 2);
    return err_failed(err)
               ? err
               : file_sink_write(sink, text + strlen(text) / 2, strlen(text) - strlen(text) / 2);
}

static err_t fail_body(void *user, struct file_sink *sink)
{
    (void)user;
    err_t err = file_sink_write(sink, "half", 4);
    return err_failed(err) ? err : err_make(ERR_INVALID, "no more");
}

#define STEM "MUCB-00000001-pacs.008.001.08"

static struct manifest manifest_of(const struct file_staged *s, bool to_bank, const char *stem)
{
    struct manifest m = {.bank = "MUCB",
                         .to_bank = to_bank,
                         .file_no = 1,
                         .bytes = s->bytes,
                         .message = "pacs.008.001.08",
                         .has_count = true,
                         .count = 1};
    snprintf(m.file, sizeof m.file, "%.200s.xml", stem);
    memcpy(m.sha256, s->sha256, sizeof m.sha256);
    return m;
}

static struct file_staged stage(struct here *h, const char *body)
{
    struct file_staged s;
    char text[256];
    snprintf(text, sizeof text, "%s", body);
    assert_ok(file_out_stage(&h->f, write_body, text, &s));
    return s;
}

static void publish(struct here *h)
{
    struct file_staged s = stage(h, BODY);
    struct manifest m = manifest_of(&s, true, STEM);
    assert_ok(file_out_publish(&h->f, h->key, &m, &s));
}

static void count_names(struct here *h, enum bank_folder folder, const char *ending, size_t n)
{
    struct folder_names names;
    assert_ok(bank_folders_list(&h->f, folder, ending, &names));
    assert_int_equal(names.n, n);
    folder_names_free(&names);
}

static void a_published_file_is_whole_and_signed(void **state)
{
    struct here *h = *state;
    char text[4096], signature[80];
    struct manifest m;
    struct manifest_problem problem;
    size_t len, signature_len;
    assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_MISSING);
    publish(h);
    assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_DONE);
    assert_ok(bank_folders_read(&h->f, FOLDER_OUT, STEM MANIFEST_ENDING, text, sizeof text, &len));
    assert_ok(bank_folders_read(&h->f, FOLDER_OUT, STEM ".sig", signature, sizeof signature,
                                &signature_len));
    assert_true(
        sign_key_verify(h->public_key, slice_of(text, len), slice_of(signature, signature_len)));
    assert_false(
        sign_key_verify(h->other, slice_of(text, len), slice_of(signature, signature_len)));
    assert_ok(manifest_read(slice_of(text, len), &m, &problem));
    assert_ok(bank_folders_read(&h->f, FOLDER_OUT, STEM ".xml", text, sizeof text, &len));
    assert_slice(slice_of(text, len), BODY);
    assert_int_equal(m.bytes, len);
    count_names(h, FOLDER_OUT, "", 3);
}

static void what_was_begun_and_not_finished_is_seen_by_nobody_and_cleaned(void **state)
{
    struct here *h = *state;
    struct file_staged s;
    assert_code(file_out_stage(&h->f, fail_body, NULL, &s), ERR_INVALID);
    count_names(h, FOLDER_OUT, "", 0);
    s = stage(h, BODY);
    count_names(h, FOLDER_OUT, "", 0);
    assert_true(has(h, FOLDER_OUT, s.part.name));
    assert_ok(bank_folders_clean(&h->f));
    assert_false(has(h, FOLDER_OUT, s.part.name));
    close(s.part.fd);
}

static void other_bytes_than_the_row_tells_of_are_not_published(void **state)
{
    struct here *h = *state;
    struct file_staged s = stage(h, BODY);
    struct manifest m = manifest_of(&s, true, STEM);
    m.sha256[5] ^= 1;
    assert_code(file_out_publish(&h->f, h->key, &m, &s), ERR_INVALID);
    count_names(h, FOLDER_OUT, "", 0);
    file_staged_drop(&h->f, &s);
}

#define HIDDEN "." STEM ".next"

static void take_away(struct here *h)
{
    assert_ok(bank_folders_remove(&h->f, FOLDER_OUT, STEM ".xml"));
    assert_ok(bank_folders_remove(&h->f, FOLDER_OUT, STEM ".sig"));
    assert_ok(bank_folders_remove(&h->f, FOLDER_OUT, STEM MANIFEST_ENDING));
}

/* Brings about what a crash after so many steps of file_out_publish() leaves. */
static void crash_after(struct here *h, int steps)
{
    publish(h);
    if (steps < 5)
        assert_ok(bank_folders_rename(&h->f, FOLDER_OUT, STEM MANIFEST_ENDING, HIDDEN));
    if (steps < 4)
        assert_ok(bank_folders_remove(&h->f, FOLDER_ARCHIVE, STEM MANIFEST_ENDING));
    if (steps < 3)
        assert_ok(bank_folders_remove(&h->f, FOLDER_OUT, HIDDEN));
    if (steps < 2)
        assert_ok(bank_folders_remove(&h->f, FOLDER_OUT, STEM ".sig"));
    if (steps < 1)
        assert_ok(bank_folders_remove(&h->f, FOLDER_OUT, STEM ".xml"));
}

static void a_crash_between_any_two_steps_is_made_good(void **state)
{
    struct here *h = *state;
    static const enum file_out_state left[] = {FILE_OUT_MISSING, FILE_OUT_MISSING, FILE_OUT_MISSING,
                                               FILE_OUT_BEGUN,   FILE_OUT_BEGUN,   FILE_OUT_DONE};
    for (int steps = 0; steps <= 5; steps++) {
        crash_after(h, steps);
        assert_int_equal(has(h, FOLDER_OUT, STEM MANIFEST_ENDING), steps == 5);
        assert_int_equal(file_out_state(&h->f, STEM), left[steps]);
        if (left[steps] == FILE_OUT_MISSING)
            publish(h); /* over what is there */
        else if (left[steps] == FILE_OUT_BEGUN)
            assert_ok(file_out_finish(&h->f, STEM));
        assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_DONE);
        assert_true(has(h, FOLDER_OUT, STEM MANIFEST_ENDING));
        assert_false(has(h, FOLDER_OUT, HIDDEN));
        count_names(h, FOLDER_OUT, "", 3);
        take_away(h);
        assert_ok(bank_folders_remove(&h->f, FOLDER_ARCHIVE, STEM MANIFEST_ENDING));
    }
}

/* Whoever published it before the archive came first left it so. */
static void what_is_seen_and_not_in_the_archive_is_noted_there(void **state)
{
    struct here *h = *state;
    publish(h);
    assert_ok(bank_folders_remove(&h->f, FOLDER_ARCHIVE, STEM MANIFEST_ENDING));
    assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_BEGUN);
    assert_ok(file_out_finish(&h->f, STEM));
    assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_DONE);
    count_names(h, FOLDER_OUT, "", 3);
}

/* A bank that takes whatever lies there, without waiting for the manifest, gets the whole file yet. */
static void a_file_whose_parts_were_taken_before_it_was_whole_is_made_again(void **state)
{
    struct here *h = *state;
    for (int steps = 3; steps <= 4; steps++) {
        crash_after(h, steps);
        assert_ok(bank_folders_remove(&h->f, FOLDER_OUT, steps == 3 ? STEM ".xml" : STEM ".sig"));
        assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_MISSING);
        publish(h);
        assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_DONE);
        count_names(h, FOLDER_OUT, "", 3);
        take_away(h);
        assert_ok(bank_folders_remove(&h->f, FOLDER_ARCHIVE, STEM MANIFEST_ENDING));
    }
}

static void a_file_that_was_taken_away_is_not_missing(void **state)
{
    struct here *h = *state;
    publish(h);
    take_away(h);
    assert_int_equal(file_out_state(&h->f, STEM), FILE_OUT_DONE);
    publish(h); /* by somebody who did not know */
    count_names(h, FOLDER_OUT, "", 0);
}

/* ---------------------------------------------------------------- from a bank */

/* STEM.xml, .sig and .manifest.json in in/, as a bank should put them. */
static void receive(struct here *h, const char *stem, const char *body, const struct sign_key *key)
{
    char name[256];
    struct file_staged s = stage(h, body);
    struct manifest m = manifest_of(&s, false, stem);
    unsigned char signature[SIGN_SIZE];
    struct buf text;
    file_staged_drop(&h->f, &s);
    buf_init(&text, MANIFEST_BYTES_MAX);
    assert_ok(manifest_write(&m, &text));
    put(h, m.file, body, strlen(body));
    snprintf(name, sizeof name, "%s.sig", stem);
    assert_ok(sign_key_sign(key, buf_slice(&text), signature));
    put(h, name, signature, sizeof signature);
    snprintf(name, sizeof name, "%s" MANIFEST_ENDING, stem);
    put(h, name, buf_data(&text), buf_len(&text));
    buf_deinit(&text);
}

static void is_wrong(struct here *h, const char *stem, const char *word)
{
    struct file_in file;
    struct file_in_problem problem;
    assert_int_equal(file_in_open(&h->f, &h->rules, stem, &file, &problem), FILE_IN_WRONG);
    if (strstr(problem.text, word) == NULL)
        fail_msg("%s", problem.text);
    file_in_close(&h->f, &file);
    count_names(h, FOLDER_ARCHIVE, "", 0);
}

static void a_good_file_is_copied_and_put_away(void **state)
{
    struct here *h = *state;
    struct file_in file;
    struct file_in_problem problem;
    struct folder_names stems;
    char text[256], stem[MANIFEST_NAME_SIZE];
    for (int again = 0; again < 2; again++) {
        receive(h, "a", BODY, h->key);
        assert_ok(file_in_stems(&h->f, &h->rules, &stems));
        assert_int_equal(stems.n, 1);
        assert_string_equal(stems.name[0], "a");
        folder_names_free(&stems);
        assert_int_equal(file_in_open(&h->f, &h->rules, "a", &file, &problem), FILE_IN_READY);
        assert_true(file.is_signed);
        /* Whatever happens to the bank's file now is not seen. */
        put(h, "a.xml", "changed", 7);
        assert_int_equal(read(file.copy.fd, text, sizeof text), strlen(BODY));
        assert_memory_equal(text, BODY, strlen(BODY));
        assert_ok(file_in_accept(&h->f, &file, slice_str(again ? "again" : ""), stem));
        assert_string_equal(stem, again ? "a.2" : "a");
        file_in_close(&h->f, &file);
        count_names(h, FOLDER_IN, "", 0);
    }
    size_t len;
    assert_ok(bank_folders_read(&h->f, FOLDER_ARCHIVE, "a.xml", text, sizeof text, &len));
    assert_slice(slice_of(text, len), BODY);
    assert_false(has(h, FOLDER_ARCHIVE, "a.report.txt"));
    assert_true(has(h, FOLDER_ARCHIVE, "a.2.report.txt"));
    count_names(h, FOLDER_ARCHIVE, "", 7);
}

static void what_is_not_the_banks_is_wrong(void **state)
{
    struct here *h = *state;
    receive(h, "a", BODY, h->other);
    is_wrong(h, "a", "not an Ed25519 signature by the bank's key");
    receive(h, "a", BODY, h->key);
    put(h, "a.sig", "short", 5);
    is_wrong(h, "a", "here are 5");
    assert_ok(bank_folders_remove(&h->f, FOLDER_IN, "a.sig"));
    is_wrong(h, "a", "no signature");
    /* A change of the manifest that changes nothing of what it says. */
    receive(h, "a", BODY, h->key);
    char text[4096];
    size_t len;
    assert_ok(bank_folders_read(&h->f, FOLDER_IN, "a" MANIFEST_ENDING, text, sizeof text, &len));
    text[len++] = '\n';
    put(h, "a" MANIFEST_ENDING, text, len);
    is_wrong(h, "a", "not an Ed25519 signature");
}

static void sandboxes_may_leave_the_signature_out_and_not_forge_it(void **state)
{
    struct here *h = *state;
    struct file_in file;
    struct file_in_problem problem;
    h->rules.unsigned_allowed = true;
    receive(h, "a", BODY, h->other);
    is_wrong(h, "a", "not an Ed25519 signature");
    assert_ok(bank_folders_remove(&h->f, FOLDER_IN, "a.sig"));
    assert_int_equal(file_in_open(&h->f, &h->rules, "a", &file, &problem), FILE_IN_READY);
    assert_false(file.is_signed);
    file_in_close(&h->f, &file);
}

static void without_a_key_of_the_bank_a_file_waits(void **state)
{
    struct here *h = *state;
    struct file_in file;
    struct file_in_problem problem;
    receive(h, "a", BODY, h->key);
    h->rules.key[0] = NULL;
    assert_int_equal(file_in_open(&h->f, &h->rules, "a", &file, &problem), FILE_IN_WAIT);
    h->rules.key[1] = h->public_key; /* the next one is as good */
    assert_int_equal(file_in_open(&h->f, &h->rules, "a", &file, &problem), FILE_IN_READY);
    file_in_close(&h->f, &file);
}

static void other_bytes_links_pipes_and_folders_are_wrong(void **state)
{
    struct here *h = *state;
    receive(h, "a", BODY, h->key);
    put(h, "a.xml", "<Document>payment", 17);
    is_wrong(h, "a", "is it cut off?");
    put(h, "a.xml", "<Document>paymentz</Document>", strlen(BODY));
    is_wrong(h, "a", "SHA-256");
    h->rules.bytes_max = 10;
    is_wrong(h, "a", "at most 10");
    h->rules.bytes_max = 1 << 20;
    assert_ok(bank_folders_remove(&h->f, FOLDER_IN, "a.xml"));
    assert_int_equal(symlinkat("a.sig", h->f.fd[FOLDER_IN], "a.xml"), 0);
    is_wrong(h, "a", "symbolic link");
    assert_ok(bank_folders_remove(&h->f, FOLDER_IN, "a.xml"));
    assert_int_equal(mkfifoat(h->f.fd[FOLDER_IN], "a.xml", 0600), 0);
    is_wrong(h, "a", "no plain file"); /* and nobody waits for whoever writes to it */
    assert_ok(bank_folders_remove(&h->f, FOLDER_IN, "a.xml"));
    assert_int_equal(mkdirat(h->f.fd[FOLDER_IN], "a.xml", 0700), 0);
    is_wrong(h, "a", "no plain file");
    assert_ok(file_in_quarantine(&h->f, "a", slice_str("why\n"), NULL));
    assert_true(has(h, FOLDER_QUARANTINE, "a.xml") && has(h, FOLDER_QUARANTINE, "a.report.txt"));
    count_names(h, FOLDER_IN, "", 0);
    /* The manifest may be a link, too. */
    assert_int_equal(symlinkat("/etc/passwd", h->f.fd[FOLDER_IN], "b" MANIFEST_ENDING), 0);
    is_wrong(h, "b", "symbolic link");
}

static void what_is_not_whole_yet_is_waited_for(void **state)
{
    struct here *h = *state;
    struct folder_names stems;
    struct file_in file;
    struct file_in_problem problem;
    put(h, "alone.xml", BODY, strlen(BODY));
    assert_ok(file_in_stems(&h->f, &h->rules, &stems));
    assert_int_equal(stems.n, 0);
    folder_names_free(&stems);
    h->rules.now_us += 2 * h->rules.wait_us;
    assert_ok(file_in_stems(&h->f, &h->rules, &stems));
    assert_int_equal(stems.n, 1);
    assert_string_equal(stems.name[0], "alone");
    folder_names_free(&stems);
    is_wrong(h, "alone", "alone.manifest.json is missing");
    receive(h, "a", BODY, h->key);
    assert_ok(bank_folders_remove(&h->f, FOLDER_IN, "a.xml"));
    assert_int_equal(file_in_open(&h->f, &h->rules, "a", &file, &problem), FILE_IN_LEFTOVER);
    assert_ok(file_in_tidy(&h->f, "a"));
    assert_false(has(h, FOLDER_IN, "a" MANIFEST_ENDING));
    assert_true(has(h, FOLDER_ARCHIVE, "a" MANIFEST_ENDING));
}

/* A crash while it is put away leaves the copy in archive/ and some of the rest in in/. */
static void putting_away_can_be_done_again_wherever_it_stopped(void **state)
{
    struct here *h = *state;
    struct file_in file;
    struct file_in_problem problem;
    char stem[MANIFEST_NAME_SIZE];
    receive(h, "a", BODY, h->key);
    assert_int_equal(file_in_open(&h->f, &h->rules, "a", &file, &problem), FILE_IN_READY);
    assert_ok(folder_part_add(&h->f, &file.copy, "a.xml")); /* and here it is killed */
    assert_int_equal(file_in_open(&h->f, &h->rules, "a", &file, &problem), FILE_IN_READY);
    assert_ok(file_in_accept(&h->f, &file, slice_str(""), stem));
    assert_string_equal(stem, "a.2");
    count_names(h, FOLDER_IN, "", 0);
}

static void keys_that_others_may_read_or_that_are_none_are_refused(void **state)
{
    struct here *h = *state;
    struct sign_key *key;
    char path[128];
    snprintf(path, sizeof path, "%s/ours.key", h->root);
    assert_int_equal(chmod(path, 0640), 0);
    assert_code(sign_key_read(path, &key), ERR_INVALID);
    assert_null(key);
    snprintf(path, sizeof path, "%s/ours.pem", h->root);
    assert_code(sign_key_read(path, &key), ERR_PARSE);
    snprintf(path, sizeof path, "%s/nothing.pem", h->root);
    assert_code(sign_key_read_public(path, &key), ERR_SYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_published_file_is_whole_and_signed),
        TEST(what_was_begun_and_not_finished_is_seen_by_nobody_and_cleaned),
        TEST(other_bytes_than_the_row_tells_of_are_not_published),
        TEST(a_crash_between_any_two_steps_is_made_good),
        TEST(what_is_seen_and_not_in_the_archive_is_noted_there),
        TEST(a_file_whose_parts_were_taken_before_it_was_whole_is_made_again),
        TEST(a_file_that_was_taken_away_is_not_missing),
        TEST(a_good_file_is_copied_and_put_away),
        TEST(what_is_not_the_banks_is_wrong),
        TEST(sandboxes_may_leave_the_signature_out_and_not_forge_it),
        TEST(without_a_key_of_the_bank_a_file_waits),
        TEST(other_bytes_links_pipes_and_folders_are_wrong),
        TEST(what_is_not_whole_yet_is_waited_for),
        TEST(putting_away_can_be_done_again_wherever_it_stopped),
        TEST(keys_that_others_may_read_or_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
