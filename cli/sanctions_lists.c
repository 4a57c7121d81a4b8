#include "cli/sanctions_lists.h"

#include "base/buf.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

bool sanctions_format_from_name(const char *name, enum sanctions_format *out)
{
    static const char *const names[] = {NULL, "un", "ofac", "csv"};

    for (size_t i = 1; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum sanctions_format)i;
            return true;
        }
    return false;
}

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    bool good = file != NULL;

    while (good) {
        unsigned char *room;
        size_t n;

        if (err_failed(buf_reserve(out, 65536, &room))) {
            complain("%s: it is larger than %zu bytes", path, SCREEN_FILE_BYTES_MAX);
            (void)fclose(file);
            return false;
        }
        n = fread(room, 1, 65536, file);
        buf_commit(out, n);
        if (n == 0)
            break;
    }
    if (!good || ferror(file)) {
        complain("%s: %s", path, strerror(errno));
        good = false;
    }
    if (file != NULL)
        (void)fclose(file);
    return good;
}

static enum sanctions_format look(struct slice text)
{
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf")))
        text = slice_of(text.p + 3, text.len - 3);
    if (text.len > 0 && text.p[0] == '<')
        return SANCTIONS_UN;
    return text.len > 0 && char_is_digit(text.p[0]) ? SANCTIONS_OFAC : SANCTIONS_CSV;
}

static bool read_one(enum sanctions_format format, const char *path, struct screen_list *list,
                     EVP_MD_CTX *md)
{
    char why[SCREEN_FAULT_SIZE];
    struct screen_fault fault = {0};
    struct buf bytes;
    bool good;

    buf_init(&bytes, SCREEN_FILE_BYTES_MAX + 65536);
    good = read_file(path, &bytes);
    if (good &&
        EVP_DigestUpdate(md, bytes.len == 0 ? (const void *)"" : buf_data(&bytes), bytes.len) != 1)
        abort();
    if (good) {
        switch (format == SANCTIONS_BY_LOOK ? look(buf_slice(&bytes)) : format) {
        case SANCTIONS_UN:
            good = screen_list_read_un(list, buf_slice(&bytes), &fault);
            break;
        case SANCTIONS_OFAC:
            good = screen_list_read_ofac(list, buf_slice(&bytes), &fault);
            break;
        case SANCTIONS_CSV:
        case SANCTIONS_BY_LOOK:
            good = screen_list_read_csv(list, buf_slice(&bytes), &fault);
            break;
        }
        if (!good)
            complain("%s refused: %s", path, screen_fault_text(&fault, why));
    }
    buf_deinit(&bytes);
    return good;
}

bool sanctions_read_files(enum sanctions_format format, const char *const *paths, size_t n,
                          struct screen_list *list, unsigned char sha256[SANCTIONS_SHA256_SIZE])
{
    char why[SCREEN_FAULT_SIZE];
    unsigned char unwanted[SANCTIONS_SHA256_SIZE] = {0};
    struct screen_fault fault = {0};
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = true;

    screen_list_init(list);
    if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
        abort();
    for (size_t i = 0; good && i < n; i++)
        good = read_one(format, paths[i], list, md);
    if (EVP_DigestFinal_ex(md, sha256 == NULL ? unwanted : sha256, NULL) != 1)
        abort();
    EVP_MD_CTX_free(md);
    if (good && !screen_list_end(list, &fault)) {
        complain("%s refused: %s", paths[0], screen_fault_text(&fault, why));
        good = false;
    }
    if (!good)
        screen_list_deinit(list);
    return good;
}

/* ---------------------------------------------------------------- from the ledger */

/* Texts of a list are one cell, a unit separator between: the readers leave no control character in any. */
#define CELL(column) "array_to_string(" column ", chr(31))"
enum { COL_SOURCE, COL_ID, COL_KIND, COL_DOBS, COL_TEXTS };

static bool add_cell(struct screen_list *list, struct screen_draft *draft, enum screen_field field,
                     const char *cell, struct screen_fault *fault)
{
    struct slice rest = slice_str(cell), one;

    while (rest.len > 0) {
        (void)slice_cut(rest, '\x1f', &one, &rest);
        if (!screen_draft_add(list, draft, field, one, fault))
            return false;
    }
    return true;
}

static bool add_row(const PGresult *r, int row, struct screen_list *list,
                    struct screen_draft *draft, struct screen_fault *fault)
{
    struct slice rest = slice_str(PQgetvalue(r, row, COL_DOBS)), one;
    struct screen_dob dob;

    screen_draft_init(draft);
    draft->id = slice_str(PQgetvalue(r, row, COL_ID));
    if (!screen_kind_from_name(slice_str(PQgetvalue(r, row, COL_KIND)), &draft->kind))
        return screen_fail(fault, 0, "", "a kind is not known");
    while (rest.len > 0) {
        (void)slice_cut(rest, '\x1f', &one, &rest);
        if (err_failed(screen_dob_parse(one, &dob)))
            return screen_fail(fault, 0, "", "a date of birth is none");
        screen_draft_add_dob(draft, dob);
    }
    for (int field = SCREEN_NAME; field <= SCREEN_PROGRAM; field++)
        if (!add_cell(list, draft, (enum screen_field)field, PQgetvalue(r, row, COL_TEXTS + field),
                      fault))
            return false;
    return screen_list_add(list, draft, fault);
}

/* Rows come source by source. */
static bool add_rows(const PGresult *r, struct sanctions_lists *lists, struct screen_draft *draft)
{
    char why[SCREEN_FAULT_SIZE];
    struct screen_fault fault = {0};

    for (int i = 0; i < PQntuples(r); i++) {
        const char *source = PQgetvalue(r, i, COL_SOURCE);

        if (lists->n == 0 || strcmp(lists->names[lists->n - 1], source) != 0) {
            if (lists->n == SCREEN_LISTS_MAX) {
                complain("there are more than %d lists in the ledger", SCREEN_LISTS_MAX);
                return false;
            }
            snprintf(lists->names[lists->n], sizeof lists->names[0], "%s", source);
            screen_list_init(&lists->lists[lists->n++]);
        }
        if (!add_row(r, i, &lists->lists[lists->n - 1], draft, &fault)) {
            complain("%s in the ledger cannot be read: %s: %s", source, PQgetvalue(r, i, COL_ID),
                     screen_fault_text(&fault, why));
            return false;
        }
    }
    return true;
}

bool sanctions_read_ledger(struct db *db, struct sanctions_lists *lists)
{
    struct screen_draft *draft = malloc(sizeof *draft);
    PGresult *r = db_run(
        db,
        "SELECT source, entry_id, kind, " CELL("dobs") ", " CELL("names") ", " CELL("weak_names") ", " CELL(
            "countries") ", " CELL("cnics") ", " CELL("passports") ", " CELL("programs") " FROM sanctions_entry_now ORDER BY source, entry_id");
    bool good = r != NULL && draft != NULL;

    lists->n = 0;
    if (good && PQntuples(r) == 0) {
        complain("there are no sanctions lists in the ledger: ujrat sanctions import SOURCE FILE");
        good = false;
    }
    good = good && add_rows(r, lists, draft);
    PQclear(r);
    free(draft);
    if (!good)
        sanctions_lists_deinit(lists);
    return good;
}

void sanctions_lists_deinit(struct sanctions_lists *lists)
{
    for (size_t i = 0; i < lists->n; i++)
        screen_list_deinit(&lists->lists[i]);
    lists->n = 0;
}
