#include "cli/schema.h"

#include "base/str.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded ledger_sql[];

static const char folder[] = "ledger/schema/";

static size_t text_len(const struct embedded *file)
{
    return (size_t)((const char *)file->end - file->text);
}

/* "0001_ledger.sql" right under the folder. */
static bool is_migration(const struct embedded *file, struct slice *number, struct slice *name)
{
    struct slice path = slice_str(file->path);
    struct slice base;

    if (!slice_starts_with(path, slice_str(folder)))
        return false;
    base = slice_of(path.p + sizeof folder - 1, path.len - (sizeof folder - 1));
    if (!slice_cut(base, '_', number, name) || number->len != 4 || name->len <= 4 ||
        name->len >= sizeof((struct migration *)0)->name)
        return false;
    for (size_t i = 0; i < number->len; i++)
        if (!char_is_digit(number->p[i]))
            return false;
    name->len -= 4; /* ".sql" */
    return true;
}

size_t schema_migrations(struct migration out[SCHEMA_MIGRATIONS_MAX])
{
    struct slice number;
    struct slice name;
    int64_t version;
    size_t n = 0;

    for (const struct embedded *f = ledger_sql; f->path != NULL; f++) {
        if (!is_migration(f, &number, &name))
            continue;
        assert(n < SCHEMA_MIGRATIONS_MAX);
        if (err_failed(str_parse_int64(number, &version)))
            continue;
        out[n].version = (int)version;
        memcpy(out[n].name, name.p, name.len);
        out[n].name[name.len] = '\0';
        out[n].file = f;
        if (EVP_Digest(f->text, text_len(f), out[n].sha256, NULL, EVP_sha256(), NULL) != 1)
            abort();
        n++;
        /* The table is sorted by path when it is built. */
        assert(out[n - 1].version == (int)n);
    }
    return n;
}

const struct embedded *schema_code_at(size_t i, bool *is_roles)
{
    *is_roles = false;
    for (const struct embedded *f = ledger_sql; f->path != NULL; f++)
        if (strncmp(f->path, "ledger/schema/functions/", 24) == 0 && i-- == 0)
            return f;
    for (const struct embedded *f = ledger_sql; f->path != NULL; f++)
        if (strcmp(f->path, "ledger/schema/views.sql") == 0 && i-- == 0)
            return f;
    for (const struct embedded *f = ledger_sql; f->path != NULL; f++)
        if (strcmp(f->path, "ledger/schema/roles.sql") == 0 && i-- == 0) {
            *is_roles = true;
            return f;
        }
    return NULL;
}

void schema_code_sha256(unsigned char out[SCHEMA_SHA256_SIZE])
{
    const struct embedded *f;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool is_roles;

    if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
        abort();
    for (size_t i = 0; (f = schema_code_at(i, &is_roles)) != NULL; i++)
        if (EVP_DigestUpdate(md, f->path, strlen(f->path) + 1) != 1 ||
            EVP_DigestUpdate(md, f->text, text_len(f) + 1) != 1)
            abort();
    if (EVP_DigestFinal_ex(md, out, NULL) != 1)
        abort();
    EVP_MD_CTX_free(md);
}
