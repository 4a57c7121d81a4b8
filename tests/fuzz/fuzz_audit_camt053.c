/* A bank's statement may be anything: what the reader tells of it keeps to its bounds, however the bytes are cut. */
#include "audit/camt053.h"
#include "base/str.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *p;
    size_t left, step;
};

struct sums {
    uint64_t entries, transactions, statements;
    uint64_t hash;
};

static int take(void *source, char *out, int len)
{
    struct input *in = source;
    size_t n = (size_t)len < in->left ? (size_t)len : in->left;

    if (n > in->step)
        n = in->step;
    if (n > 0)
        memcpy(out, in->p, n);
    in->p += n;
    in->left -= n;
    return (int)n;
}

static int digits(void *user, const char *ccy)
{
    (void)user;
    assert(strlen(ccy) == 3);
    return ccy[0] == 'P' ? 2 : (ccy[0] == 'J' ? 0 : -1);
}

static void check_text(struct sums *sums, const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    assert(len < size && utf8_check(slice_of(text, len), NULL) == UTF8_OK);
    for (size_t i = 0; i < len; i++)
        sums->hash = sums->hash * 31 + (unsigned char)text[i];
}

static bool begin(void *user, const struct camt_statement *s)
{
    struct sums *sums = user;

    assert(s->n_balances >= 1 && s->n_balances <= CAMT_BALANCES_MAX && s->number >= 1);
    assert(s->id[0] != '\0' && s->account[0] != '\0');
    check_text(sums, s->id, sizeof s->id);
    check_text(sums, s->account, sizeof s->account);
    check_text(sums, s->bic, sizeof s->bic);
    sums->statements++;
    return true;
}

static bool transaction(void *user, const struct camt_statement *s, const struct camt_entry *e,
                        const struct camt_transaction *t)
{
    struct sums *sums = user;

    (void)s;
    assert(e->amount.present && t->amount.minor >= 0);
    assert(t->amount.present || t->signed_minor == 0);
    check_text(sums, t->end_to_end_id, sizeof t->end_to_end_id);
    check_text(sums, t->bank_reference, sizeof t->bank_reference);
    check_text(sums, t->return_reason, sizeof t->return_reason);
    sums->transactions++;
    return true;
}

static bool entry(void *user, const struct camt_statement *s, const struct camt_entry *e)
{
    struct sums *sums = user;

    assert(e->number == s->n_entries && e->amount.minor >= 0);
    assert(e->signed_minor == e->amount.minor || e->signed_minor == -e->amount.minor);
    check_text(sums, e->reference, sizeof e->reference);
    sums->entries++;
    sums->hash = sums->hash * 31 + (uint64_t)e->signed_minor;
    return true;
}

static bool end(void *user, const struct camt_statement *s)
{
    (void)user;
    (void)s;
    return true;
}

static bool read_by(const uint8_t *data, size_t size, size_t step, struct sums *sums)
{
    struct input in = {data, size, step};
    struct camt_sink sink = {sums, digits, begin, transaction, entry, end};
    struct camt_error error;
    bool good = camt053_read(take, &in, &sink, &error);

    assert(good || error.text[0] != '\0');
    for (const char *c = error.text; *c != '\0'; c++)
        assert((unsigned char)*c >= ' ' && (unsigned char)*c < 127);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sums whole = {0};
    struct sums parts = {0};
    bool good = read_by(data, size, SIZE_MAX, &whole);

    if (read_by(data, size, 7, &parts) && good)
        assert(memcmp(&whole, &parts, sizeof whole) == 0);
    return 0;
}
