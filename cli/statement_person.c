/* What a statement's person is called: opened with the keys of personal data, as they are for a receipt by the gateway. */
#include "base/hex.h"
#include "base/log.h"
#include "cli/statement.h"
#include "ledger/pii.h"

#include <openssl/crypto.h>
#include <string.h>

static const char sql_person[] =
    "SELECT r.key_id, encode(r.sealed, 'hex'), encode(v.name_commitment, 'hex'), encode(v.iban_commitment, 'hex'),"
    "       encode(v.mobile_commitment, 'hex'), encode(v.cnic_commitment, 'hex'), encode(v.pseb_commitment, 'hex')"
    "  FROM beneficiary b"
    "  JOIN beneficiary_version v ON v.book_id = b.book_id AND v.beneficiary_id = b.beneficiary_id AND v.version = b.version"
    "  JOIN beneficiary_pii r ON r.book_id = v.book_id AND r.beneficiary_id = v.beneficiary_id AND r.version = v.version"
    " WHERE b.book_id = $1::int AND b.beneficiary_id = $2::bigint";

struct person {
    uint8_t sealed[PII_SEALED_BYTES_MAX], room[PII_SEALED_BYTES_MAX];
    uint8_t commitment[PII_FIELDS][PII_COMMITMENT_SIZE];
    struct pii_row row;
    struct pii_open open;
};

static bool bytes_of(const PGresult *r, int col, void *room, size_t size, struct slice *out)
{
    size_t len = 0;

    *out = slice_of(NULL, 0);
    if (PQgetisnull(r, 0, col))
        return true;
    if (err_failed(hex_decode(slice_str(PQgetvalue(r, 0, col)), room, size, &len)))
        return false;
    *out = slice_of(room, len);
    return true;
}

static enum pii_result open_row(struct pii *keys, const PGresult *r, struct person *p)
{
    p->row.key_id = (int16_t)db_int(r, 0, 0);
    if (!bytes_of(r, 1, p->sealed, sizeof p->sealed, &p->row.sealed))
        return PII_BROKEN;
    for (int i = 0; i < PII_FIELDS; i++)
        if (!bytes_of(r, 2 + i, p->commitment[i], PII_COMMITMENT_SIZE, &p->row.commitment[i]))
            return PII_BROKEN;
    return pii_unseal(keys, &p->row, p->room, &p->open);
}

/* False: it does not open, and the user was told. */
static bool opened(struct pii *keys, const PGresult *r, const struct statement_beneficiary *to,
                   struct person *p)
{
    switch (open_row(keys, r, p)) {
    case PII_OK:
        return true;
    case PII_KEY_MISSING:
        complain(
            "--keys: key %d, which encrypted platforms/%s/beneficiaries/%lld, is not in the file",
            p->row.key_id, to->platform, (long long)to->id);
        break;
    case PII_BROKEN:
        complain("platforms/%s/beneficiaries/%lld: what is stored of the person is not what was "
                 "encrypted",
                 to->platform, (long long)to->id);
        break;
    }
    return false;
}

/* cnic: the first one's, and in the end this one's. */
static bool take_person(const struct person *p, struct statement_beneficiary *to, bool first,
                        char cnic[24])
{
    const struct slice number = p->open.value[PII_CNIC];

    if (err_failed(slice_copy(p->open.value[PII_NAME], to->name, sizeof to->name)))
        to->name[0] = '\0';
    if (number.len > 0)
        mask_tail(number, to->cnic_masked, sizeof to->cnic_masked);
    if (first) {
        if (err_failed(slice_copy(number, cnic, 24)))
            cnic[0] = '\0';
        return true;
    }
    if (number.len > 0 && slice_equal_str(number, cnic))
        return true;
    complain(
        "BENEFICIARY: platforms/%s/beneficiaries/%lld is another person than the first one, by the "
        "CNIC",
        to->platform, (long long)to->id);
    return false;
}

static bool read_person(struct db *db, struct pii *keys, struct statement_beneficiary *to,
                        bool first, char cnic[24])
{
    char book[STR_INT64_SIZE], id[STR_INT64_SIZE];
    struct person p = {.row = {.key_id = 0}};
    PGresult *r;
    bool ok;

    str_format_int64(to->book_id, book);
    str_format_int64(to->id, id);
    r = db_query(db, sql_person, 2, (const char *const[]){book, id});
    if (r != NULL && PQntuples(r) == 0)
        to->erased = true; /* the row is gone */
    ok = r != NULL && (to->erased || (opened(keys, r, to, &p) && take_person(&p, to, first, cnic)));
    OPENSSL_cleanse(&p, sizeof p);
    PQclear(r);
    return ok;
}

bool statement_read_people(struct db *db, struct pii *keys, struct statement *s)
{
    char cnic[24] = "";
    bool ok = true;

    if (s->n_to > 1 && keys == NULL) {
        complain(
            "--keys: of several beneficiaries only their CNIC says that they are one person, and it "
            "takes the keys to read it");
        return false;
    }
    for (size_t i = 0; ok && keys != NULL && i < s->n_to; i++) {
        ok = s->to[i].erased || read_person(db, keys, &s->to[i], i == 0, cnic);
        if (ok && s->to[i].erased && s->n_to > 1) {
            complain(
                "BENEFICIARY: platforms/%s/beneficiaries/%lld was erased, and nobody can tell any more "
                "whether it is the same person as the others",
                s->to[i].platform, (long long)s->to[i].id);
            ok = false;
        }
    }
    OPENSSL_cleanse(cnic, sizeof cnic);
    return ok;
}
