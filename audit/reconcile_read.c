/* reconcile_read.c: the bank's side: its statements, and whether they follow from each other. */
#include "audit/reconcile.h"
#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAKISTAN_US (5 * 3600 * US_PER_SEC) /* UTC+5, no daylight saving */

struct reading {
    struct recon *recon;
    const char *file;
    struct camt_error error;
    EVP_MD_CTX *digest;
    size_t entry_first; /* the first line of the entry under way */
    int64_t entry_sum;  /* of its transactions, as far as they say */
    bool entry_sum_is_known;
    bool after_opening; /* of several ITBD the first opens a page, the last closes it */
};

static int on_digits(void *user, const char *ccy)
{
    struct reading *in = user;
    PGresult *result;
    int digits = -1;

    if (strcmp(ccy, in->recon->ccy) == 0)
        return (int)in->recon->digits;
    result = db_query(&in->recon->db, "SELECT digits FROM currency WHERE code = $1", 1,
                      (const char *const[]){ccy});
    if (result != NULL && PQntuples(result) == 1)
        digits = (int)db_int(result, 0, 0);
    PQclear(result);
    return digits;
}

/* Always false: what is wrong, for the reader to tell. */
__attribute__((format(printf, 2, 3))) static bool refuse(struct reading *in, const char *format,
                                                         ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(in->error.text, sizeof in->error.text, format, args);
    va_end(args);
    return false;
}

static void digest_text(struct reading *in, const char *text)
{
    EVP_DigestUpdate(in->digest, text, strlen(text) + 1);
}

static void digest_int(struct reading *in, int64_t value)
{
    char text[STR_INT64_SIZE];

    str_format_int64(value, text);
    digest_text(in, text);
}

/* ---------------------------------------------------------------- a statement begins and ends */

static bool is_ours(struct reading *in, const struct camt_statement *s)
{
    const struct recon *r = in->recon;

    if (strcmp(s->account, r->account) != 0)
        return refuse(in, "statement %s is of account %s, and %s was asked for", s->id, s->account,
                      r->account);
    if (s->account_ccy[0] != '\0' && strcmp(s->account_ccy, r->ccy) != 0)
        return refuse(in, "statement %s is of an account in %s, and our account at %s is in %s",
                      s->id, s->account_ccy, r->bank, r->ccy);
    if (s->bic[0] != '\0' && r->bic[0] != '\0' && strncmp(s->bic, r->bic, 8) != 0)
        return refuse(in, "statement %s is of bank %s, and %s is %s", s->id, s->bic, r->bank,
                      r->bic);
    return true;
}

static const struct camt_balance *find_balance(const struct camt_statement *s, const char *code,
                                               bool last)
{
    const struct camt_balance *found = NULL;

    for (size_t i = 0; i < s->n_balances; i++)
        if (strcmp(s->balances[i].code, code) == 0 && (found == NULL || last))
            found = &s->balances[i];
    return found;
}

/* A page of a longer statement may have interim balances where the whole one has its opening and closing. */
static bool take_balances(struct reading *in, const struct camt_statement *s, struct statement *out)
{
    const struct camt_balance *previous = find_balance(s, "PRCD", false);
    const struct camt_balance *opening = find_balance(s, "OPBD", false);
    const struct camt_balance *closing = find_balance(s, "CLBD", true);

    for (size_t i = 0; i < s->n_balances; i++) {
        if (strcmp(s->balances[i].ccy, in->recon->ccy) != 0)
            return refuse(in, "statement %s has a balance in %s: our account at %s is in %s", s->id,
                          s->balances[i].ccy, in->recon->bank, in->recon->ccy);
        digest_text(in, s->balances[i].code);
        digest_int(in, s->balances[i].minor);
        digest_int(in, s->balances[i].date);
    }
    if (opening == NULL)
        opening = previous;
    if (opening == NULL)
        opening = find_balance(s, "ITBD", false);
    if (closing == NULL)
        closing = find_balance(s, "ITBD", true);
    if (opening == NULL || closing == NULL || opening == closing)
        return refuse(in, "statement %s has no %s balance", s->id,
                      opening == NULL ? "opening (OPBD or PRCD)" : "closing (CLBD)");
    if (previous != NULL && previous->minor != opening->minor)
        return refuse(in,
                      "statement %s opens with another balance (OPBD) than the one before closed "
                      "with (PRCD)",
                      s->id);
    if (opening->date == CAMT_NO_DATE || closing->date == CAMT_NO_DATE)
        return refuse(in, "a balance of statement %s has no date", s->id);
    out->opening = opening->minor;
    out->closing = closing->minor;
    out->from_day = opening->date;
    out->to_day = closing->date;
    return true;
}

static void take_period(const struct camt_statement *s, struct statement *out)
{
    if (s->from_us != INT64_MIN)
        out->from_day = timefmt_day_of(s->from_us + PAKISTAN_US);
    /* A period that ends at midnight ends with the day before. */
    if (s->to_us != INT64_MIN)
        out->to_day = timefmt_day_of(s->to_us + PAKISTAN_US - 1);
    out->from_us = s->from_us != INT64_MIN ? s->from_us : out->from_day * US_PER_DAY - PAKISTAN_US;
    out->to_us = s->to_us != INT64_MIN ? s->to_us : out->to_day * US_PER_DAY - PAKISTAN_US;
}

static bool on_begin(void *user, const struct camt_statement *s)
{
    struct reading *in = user;
    struct recon *r = in->recon;
    struct statement *out;

    if (!is_ours(in, s))
        return false;
    if (r->n_statements == RECON_STATEMENTS_MAX)
        return refuse(in, "there are more than %d statements", RECON_STATEMENTS_MAX);
    if (r->n_statements == r->statements_size) {
        void *more =
            recon_grow(r->statements, r->n_statements, &r->statements_size, sizeof *r->statements);
        if (more == NULL)
            return refuse(in, "out of memory");
        r->statements = more;
    }
    out = &r->statements[r->n_statements];
    *out = (struct statement){.file = in->file,
                              .id = recon_dup(r, s->id),
                              .copy = recon_dup(r, s->copy),
                              .account = r->account,
                              .version = s->version,
                              .sequence = s->sequence,
                              .page = s->page};
    EVP_DigestInit_ex(in->digest, EVP_sha256(), NULL);
    if (!take_balances(in, s, out))
        return false;
    take_period(s, out);
    if (out->to_us < out->from_us || out->to_day < out->from_day)
        return refuse(in, "statement %s ends before it begins", s->id);
    r->n_statements++;
    in->entry_first = r->n_lines;
    in->entry_sum = 0;
    in->entry_sum_is_known = true;
    return true;
}

static bool on_end(void *user, const struct camt_statement *s)
{
    struct reading *in = user;
    struct statement *out = &in->recon->statements[in->recon->n_statements - 1];
    unsigned len = 0;

    out->n_entries = s->n_entries;
    EVP_DigestFinal_ex(in->digest, out->digest, &len);
    return true;
}

/* ---------------------------------------------------------------- entries */

/* Sub-families of bank transaction codes (ISO 20022 external code set) that say what an entry is. */
static bool is_charge(const char *code)
{
    return strcmp(code, "CHRG") == 0 || strcmp(code, "FEES") == 0 || strcmp(code, "COMM") == 0;
}

static bool is_return(const char *code)
{
    return strcmp(code, "RRTN") == 0 || strcmp(code, "RPCR") == 0 || strcmp(code, "UPCT") == 0;
}

static struct line *add_line(struct reading *in, const struct camt_entry *e)
{
    struct recon *r = in->recon;
    struct line *line;

    if (r->n_lines == r->lines_size) {
        void *more = recon_grow(r->lines, r->n_lines, &r->lines_size, sizeof *r->lines);
        if (more == NULL) {
            refuse(in, "out of memory");
            return NULL;
        }
        r->lines = more;
    }
    line = &r->lines[r->n_lines++];
    *line = (struct line){.minor = e->signed_minor,
                          .charges = e->charges,
                          .entry = e->number,
                          .statement_index = (uint32_t)(r->n_statements - 1),
                          .end_to_end_id = "",
                          .instruction_id = "",
                          .transaction_id = "",
                          .bank_reference = "",
                          .return_reason = "",
                          .entry_bank_reference = recon_dup(r, e->bank_reference),
                          .entry_reference = recon_dup(r, e->reference),
                          .pending = e->status == CAMT_PENDING,
                          .returned = e->reversal || is_return(e->sub_family),
                          .charge = is_charge(e->sub_family)};
    line->date = e->booking_date != CAMT_NO_DATE ? e->booking_date
                 : e->value_date != CAMT_NO_DATE ? e->value_date
                                                 : r->statements[r->n_statements - 1].to_day;
    if (line->entry_bank_reference == NULL || line->entry_reference == NULL) {
        refuse(in, "the statements are larger than we have memory for; give fewer at a time");
        return NULL;
    }
    return line;
}

static bool on_transaction(void *user, const struct camt_statement *s, const struct camt_entry *e,
                           const struct camt_transaction *t)
{
    struct reading *in = user;
    struct recon *r = in->recon;
    bool known = t->amount.present && strcmp(t->amount.ccy, r->ccy) == 0;
    struct line *line;

    (void)s;
    digest_text(in, t->end_to_end_id);
    digest_text(in, t->bank_reference);
    digest_int(in, t->signed_minor);
    if (e->status == CAMT_INFO)
        return true;
    line = add_line(in, e);
    if (line == NULL)
        return false;
    line->minor = known ? t->signed_minor : 0;
    line->end_to_end_id = recon_dup(r, t->end_to_end_id);
    line->instruction_id = recon_dup(r, t->instruction_id);
    line->transaction_id = recon_dup(r, t->transaction_id);
    line->bank_reference = recon_dup(r, t->bank_reference);
    line->return_reason = recon_dup(r, t->return_reason);
    line->returned = line->returned || t->returned || is_return(t->sub_family);
    line->charge = line->charge || is_charge(t->sub_family);
    line->charges = t->charges;
    in->entry_sum_is_known = in->entry_sum_is_known && known;
    if (__builtin_add_overflow(in->entry_sum, line->minor, &in->entry_sum))
        return refuse(in, "the amounts of entry %llu are too large", (unsigned long long)e->number);
    if (line->end_to_end_id == NULL || line->instruction_id == NULL ||
        line->transaction_id == NULL || line->bank_reference == NULL || line->return_reason == NULL)
        return refuse(in,
                      "the statements are larger than we have memory for; give fewer at a time");
    return true;
}

/* Of a batch, what its transactions do not add up to is a line of its own. */
static bool add_remainder(struct reading *in, const struct camt_entry *e)
{
    struct line *line;

    if (in->entry_sum_is_known && in->entry_sum == e->signed_minor)
        return true;
    line = add_line(in, e);
    if (line == NULL)
        return false;
    line->is_remainder = true;
    if (__builtin_sub_overflow(e->signed_minor, in->entry_sum, &line->minor))
        return refuse(in, "the amounts of entry %llu are too large", (unsigned long long)e->number);
    return true;
}

static bool count_entry(struct reading *in, const struct camt_entry *e)
{
    struct statement *out = &in->recon->statements[in->recon->n_statements - 1];

    switch (e->status) {
    case CAMT_BOOKED:
        out->n_booked++;
        if (__builtin_add_overflow(out->sum, e->signed_minor, &out->sum))
            return refuse(in, "the entries of statement %s are too large", out->id);
        break;
    case CAMT_PENDING:
        out->n_pending++;
        break;
    case CAMT_INFO:
        out->n_info++;
        break;
    }
    return true;
}

static bool on_entry(void *user, const struct camt_statement *s, const struct camt_entry *e)
{
    struct reading *in = user;
    struct recon *r = in->recon;
    bool good = true;

    if (strcmp(e->amount.ccy, r->ccy) != 0)
        return refuse(in, "entry %llu of statement %s is in %s: our account at %s is in %s",
                      (unsigned long long)e->number, s->id, e->amount.ccy, r->bank, r->ccy);
    digest_int(in, e->signed_minor);
    digest_int(in, e->booking_date);
    digest_int(in, e->status);
    digest_text(in, e->bank_reference);
    if (e->status != CAMT_INFO) {
        if (e->n_transactions == 0) {
            good = add_line(in, e) != NULL;
        } else if (e->n_transactions == 1) {
            struct line *only = &r->lines[in->entry_first];
            only->minor = e->signed_minor; /* what was booked, whatever the details say */
            if (only->charges == 0)
                only->charges = e->charges;
        } else {
            good = add_remainder(in, e);
        }
    }
    in->entry_first = r->n_lines;
    in->entry_sum = 0;
    in->entry_sum_is_known = true;
    return good && count_entry(in, e);
}

/* ---------------------------------------------------------------- files */

static int read_file(void *source, char *out, int len)
{
    ssize_t n;

    do
        n = read(*(int *)source, out, (size_t)len);
    while (n < 0 && errno == EINTR);
    return (int)n;
}

static bool read_one(struct recon *r, const char *file)
{
    struct reading in = {.recon = r, .file = file, .digest = EVP_MD_CTX_new()};
    struct camt_sink sink = {.user = &in,
                             .digits = on_digits,
                             .begin = on_begin,
                             .transaction = on_transaction,
                             .entry = on_entry,
                             .end = on_end};
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = false;

    if (fd < 0 || fstat(fd, &st) != 0) {
        complain("%s: %s", file, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        complain("%s: it is no file", file);
    } else if (in.digest == NULL) {
        complain("out of memory");
    } else {
        good = camt053_read(read_file, &fd, &sink, &in.error);
        if (!good && in.error.line > 0)
            complain("%s: line %ld: %s", file, in.error.line, in.error.text);
        else if (!good)
            complain("%s: %s", file, in.error.text);
    }
    if (fd >= 0)
        close(fd);
    EVP_MD_CTX_free(in.digest);
    return good;
}

/* ---------------------------------------------------------------- statements among each other */

static int by_period(const void *a, const void *b)
{
    const struct statement *x = *(const struct statement *const *)a;
    const struct statement *y = *(const struct statement *const *)b;

    if (x->from_us != y->from_us)
        return x->from_us < y->from_us ? -1 : 1;
    if (x->to_us != y->to_us)
        return x->to_us < y->to_us ? -1 : 1;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? -1 : 1;
    return x->page < y->page ? -1 : (x->page > y->page ? 1 : 0);
}

static bool same_pages(const struct statement *a, const struct statement *b)
{
    return strcmp(a->id, b->id) == 0 && a->page != b->page;
}

static bool check_pair(const struct statement *a, const struct statement *b)
{
    if (strcmp(a->id, b->id) == 0 && a->page == b->page)
        complain("statement %s is there twice: in %s and in %s", a->id, a->file, b->file);
    else if (memcmp(a->digest, b->digest, sizeof a->digest) == 0)
        complain("statements %s (%s) and %s (%s) say the same: one is a copy of the other", a->id,
                 a->file, b->id, b->file);
    else if (!same_pages(a, b) && a->from_us < b->to_us && b->from_us < a->to_us)
        complain("statements %s (%s) and %s (%s) overlap", a->id, a->file, b->id, b->file);
    else
        return true;
    return false;
}

static const char *sequence_fault(struct recon *r, const struct statement *before,
                                  const struct statement *s)
{
    if (before->sequence < 0 || s->sequence < 0 || same_pages(before, s) ||
        s->sequence == before->sequence + 1)
        return NULL;
    if (s->sequence == before->sequence)
        return recon_printf(r, "electronic sequence number %lld is used twice",
                            (long long)s->sequence);
    /* A new year, or a new system, may begin again. */
    return recon_printf(r, "electronic sequence number %lld follows %lld", (long long)s->sequence,
                        (long long)before->sequence);
}

static bool put_in_order(struct recon *r)
{
    const struct statement **order = calloc(r->n_statements, sizeof(const struct statement *));
    struct statement *sorted = calloc(r->n_statements, sizeof *sorted);
    uint32_t *place = calloc(r->n_statements, sizeof *place);
    bool good = order != NULL && sorted != NULL && place != NULL;

    if (!good)
        complain("out of memory");
    for (size_t i = 0; good && i < r->n_statements; i++)
        order[i] = &r->statements[i];
    if (good)
        qsort(order, r->n_statements, sizeof(const struct statement *), by_period);
    for (size_t i = 0; good && i < r->n_statements; i++) {
        sorted[i] = *order[i];
        place[order[i] - r->statements] = (uint32_t)i;
    }
    for (size_t i = 0; good && i < r->n_lines; i++) {
        r->lines[i].statement_index = place[r->lines[i].statement_index];
        r->lines[i].statement = &sorted[r->lines[i].statement_index];
    }
    free(order);
    free(place);
    if (!good) {
        free(sorted);
        return false;
    }
    free(r->statements);
    r->statements = sorted;
    return true;
}

static bool check_statements(struct recon *r)
{
    if (!put_in_order(r))
        return false;
    for (size_t i = 0; i < r->n_statements; i++)
        for (size_t j = i + 1; j < r->n_statements; j++)
            if (!check_pair(&r->statements[i], &r->statements[j]))
                return false;
    for (size_t i = 0; i < r->n_statements; i++) {
        struct statement *s = &r->statements[i];

        if (s->closing - s->opening != s->sum)
            r->faults++;
        if (i == 0)
            continue;
        s->gap = s->opening - r->statements[i - 1].closing;
        s->sequence_fault = sequence_fault(r, &r->statements[i - 1], s);
        r->faults += (s->gap != 0) + (s->sequence_fault != NULL);
    }
    r->bank_balance = r->statements[r->n_statements - 1].closing;
    return true;
}

/* A transaction of a batch that does not say its amount takes it from ours, out of what is left of the batch. */
static void link_remainders(struct recon *r)
{
    struct line *remainder = NULL;

    for (size_t i = r->n_lines; i > 0; i--) {
        struct line *line = &r->lines[i - 1];

        if (line->is_remainder)
            remainder = line;
        else if (remainder != NULL && (remainder->statement_index != line->statement_index ||
                                       remainder->entry != line->entry))
            remainder = NULL;
        if (!line->is_remainder && line->minor == 0)
            line->remainder = remainder;
    }
}

bool recon_read(struct recon *r, const struct args *args)
{
    for (unsigned i = 0; i < args->n_operands; i++)
        if (!read_one(r, args->operands[i]))
            return false;
    if (!check_statements(r))
        return false;
    link_remainders(r);
    return true;
}
