#include "ledger/batcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include <sys/queue.h>

/* One ledger_post call. */
struct post_job {
    TAILQ_ENTRY(post_job) entry;
    int32_t principal_id;
    const struct payout_draft *drafts;
    struct payout_posted *posted;
    unsigned n;
    unsigned taken;    /* drafts that are in a batch or have been */
    unsigned finished; /* drafts with an outcome */
    int64_t deadline_us;
    ledger_posted_cb *cb;
    void *user;
};
TAILQ_HEAD(post_jobs, post_job);

/* Consecutive drafts of one job. */
struct span {
    struct post_job *job;
    unsigned from;
    unsigned n;
};

enum { BATCH_SPANS_MAX = 4096, ASK_AGAIN_MS = 50 };

/* What one post_payouts call carries, or carried: it is asked again until the answer is definite. */
struct batch {
    struct book_queue *book;
    int32_t principal_id;
    unsigned n;
    unsigned span_count;
    bool lost;            /* a try was sent and never answered: perhaps it is in the database */
    int64_t ask_at_us;    /* not to be asked again before */
    bool singly;          /* an ERROR came back for the whole: now one payout a call */
    unsigned single_span; /* which one, when singly */
    unsigned single_at;
    struct params params;
    struct span spans[BATCH_SPANS_MAX];
};

struct book_queue {
    TAILQ_ENTRY(book_queue) entry;
    int32_t book_id;
    struct post_jobs waiting; /* jobs with drafts not yet taken */
    struct batch *batch;      /* NULL: none under way */
    bool in_flight;           /* the batch is with a connection */
};
TAILQ_HEAD(book_queues, book_queue);

struct batcher {
    struct book_queues books; /* the first is the next to be served */
    unsigned batch_payouts_max;
    unsigned queue_payouts_max;
    unsigned queued; /* payouts without an outcome */
    struct log *log;
    ledger_block_cb *on_block; /* NULL: nobody wants to know */
    void *on_block_user;
    struct ledger_stats stats;
};

err_t batcher_new(const struct ledger_config *config, struct batcher **out)
{
    struct batcher *b = calloc(1, sizeof *b);
    if (b == NULL)
        return err_make(ERR_NO_MEMORY, "batcher");
    TAILQ_INIT(&b->books);
    b->batch_payouts_max = config->batch_payouts_max;
    b->queue_payouts_max = config->queue_payouts_max;
    b->log = config->log;
    b->on_block = config->on_block;
    b->on_block_user = config->on_block_user;
    *out = b;
    return err_none();
}

/* ---------------------------------------------------------------- jobs */

static void job_finish_if_whole(struct post_job *job)
{
    if (job->finished < job->n)
        return;
    ledger_posted_cb *cb = job->cb;
    void *user = job->user;
    free(job);
    cb(user);
}

static void give_outcome(struct batcher *b, struct post_job *job, unsigned i,
                         enum ledger_outcome outcome, reason_t reason)
{
    struct payout_posted *p = &job->posted[i];
    p->outcome = outcome;
    p->reason = reason;
    job->finished++;
    b->queued--;
}

/* Every draft of the job that is in no batch gets the outcome, and the job leaves the book's queue. */
static void give_up_waiting(struct batcher *b, struct book_queue *q, struct post_job *job,
                            reason_t reason)
{
    TAILQ_REMOVE(&q->waiting, job, entry);
    for (unsigned i = job->taken; i < job->n; i++)
        give_outcome(b, job, i, LEDGER_NOT_SENT, reason);
    job->taken = job->n;
    job_finish_if_whole(job);
}

static struct book_queue *book_queue_find(struct batcher *b, int32_t book_id)
{
    struct book_queue *q;
    TAILQ_FOREACH(q, &b->books, entry)
    if (q->book_id == book_id)
        return q;
    q = calloc(1, sizeof *q);
    if (q == NULL)
        return NULL;
    q->book_id = book_id;
    TAILQ_INIT(&q->waiting);
    TAILQ_INSERT_TAIL(&b->books, q, entry);
    return q;
}

bool batcher_add(struct batcher *b, int32_t book_id, int32_t principal_id,
                 const struct payout_draft *drafts, struct payout_posted *posted, unsigned n,
                 int64_t deadline_us, ledger_posted_cb *cb, void *user)
{
    assert(n > 0);
    /* An empty queue takes a call of any size: it would never fit otherwise. */
    if (b->queued > 0 && (uint64_t)b->queued + n > b->queue_payouts_max)
        return false;
    struct book_queue *q = book_queue_find(b, book_id);
    struct post_job *job = q == NULL ? NULL : malloc(sizeof *job);
    if (job == NULL)
        return false;
    *job = (struct post_job){
        .principal_id = principal_id,
        .drafts = drafts,
        .posted = posted,
        .n = n,
        .deadline_us = deadline_us,
        .cb = cb,
        .user = user,
    };
    TAILQ_INSERT_TAIL(&q->waiting, job, entry);
    b->queued += n;
    return true;
}

/* ---------------------------------------------------------------- encoding */

void beneficiary_draft_columns(struct params *p, const struct beneficiary_draft *d)
{
    params_row_bytea(p, d->fingerprint);
    params_row_int2(p, d->bank_id);
    params_row_int2(p, d->channel);
    params_row_text(p, d->purpose_code);
    for (unsigned i = 0; i < PII_FIELDS; i++)
        params_row_bytea_or_null(p, d->pii.commitment[i]);
    params_row_int2(p, d->pii.key_id);
    params_row_bytea(p, d->pii.sealed);
}

static void encode_carried(struct params *p, const struct beneficiary_draft *c, uint32_t oid)
{
    if (c == NULL) {
        params_row_null(p, oid);
        return;
    }
    const size_t start = params_row_nested_begin(p, oid, BENEFICIARY_DRAFT_COLUMNS);
    beneficiary_draft_columns(p, c);
    params_row_nested_end(p, start);
}

static void encode_lines(struct params *p, const struct journal *j)
{
    int32_t account[JOURNAL_LINES_MAX];
    int16_t ccy[JOURNAL_LINES_MAX];
    int64_t minor[JOURNAL_LINES_MAX];
    for (size_t i = 0; i < j->n; i++) {
        account[i] = j->lines[i].account;
        ccy[i] = (int16_t)j->lines[i].ccy;
        minor[i] = j->lines[i].minor;
    }
    params_row_int4_array(p, account, (int32_t)j->n);
    params_row_int2_array(p, ccy, (int32_t)j->n);
    params_row_int8_array(p, minor, (int32_t)j->n);
}

void payout_draft_row(struct params *p, const struct payout_draft *d, const uint32_t *oids)
{
    const bool for_nobody = d->beneficiary_id == 0 && d->carried == NULL; /* in a batch: no lines */
    assert(d->refusal != REASON_NONE || for_nobody ||
           journal_is_balanced(d->journal.lines, d->journal.n));
    params_row_begin(p, 22);
    params_row_text(p, d->reference);
    params_row_bytea(p, d->fingerprint);
    params_row_text_or_null(p, d->info);
    params_row_int8_or_null(p, d->beneficiary_id);
    encode_carried(p, d->carried, oids[LEDGER_TYPE_BENEFICIARY_DRAFT]);
    params_row_int8_or_null(p, d->quote_id);
    params_row_int8(p, d->gross);
    params_row_int8(p, d->fee);
    params_row_int8(p, d->mid_rate_e10);
    params_row_int8(p, d->mid_value);
    params_row_int8(p, d->margin);
    params_row_int8(p, d->net);
    params_row_int4(p, d->rate_id);
    params_row_int4(p, d->margin_bps);
    params_row_int2(p, d->src_ccy);
    params_row_int2(p, d->dst_ccy);
    params_row_int2(p, d->digit_shift);
    params_row_int2(p, (int16_t)d->refusal);
    encode_lines(p, &d->journal);
    params_row_int4_or_null(p, d->policy_id);
    params_row_end(p);
}

static void encode(struct batch *batch, const uint32_t *oids)
{
    struct params *p = &batch->params;
    params_reset(p);
    params_add_int4(p, batch->book->book_id);
    params_add_int4(p, batch->principal_id);
    params_array_begin(p, LEDGER_TYPE_PAYOUT_DRAFT);
    if (batch->singly) {
        const struct span *s = &batch->spans[batch->single_span];
        payout_draft_row(p, &s->job->drafts[s->from + batch->single_at], oids);
    } else {
        for (unsigned i = 0; i < batch->span_count; i++) {
            const struct span *s = &batch->spans[i];
            for (unsigned k = 0; k < s->n; k++)
                payout_draft_row(p, &s->job->drafts[s->from + k], oids);
        }
    }
    params_array_end(p);
}

/* ---------------------------------------------------------------- taking */

static struct batch *gather(struct batcher *b, struct book_queue *q)
{
    struct post_job *job = TAILQ_FIRST(&q->waiting);
    if (job == NULL)
        return NULL;
    struct batch *batch = malloc(sizeof *batch);
    if (batch == NULL)
        return NULL;
    memset(batch, 0, offsetof(struct batch, spans));
    batch->book = q;
    batch->principal_id = job->principal_id;
    while (job != NULL && job->principal_id == batch->principal_id &&
           batch->n < b->batch_payouts_max && batch->span_count < BATCH_SPANS_MAX) {
        const unsigned room = b->batch_payouts_max - batch->n;
        const unsigned left = job->n - job->taken;
        const unsigned n = left < room ? left : room;
        batch->spans[batch->span_count++] = (struct span){job, job->taken, n};
        batch->n += n;
        job->taken += n;
        if (job->taken == job->n)
            TAILQ_REMOVE(&q->waiting, job, entry);
        job = TAILQ_FIRST(&q->waiting);
    }
    return batch;
}

struct batch *batcher_take(struct batcher *b, const uint32_t *type_oids)
{
    struct book_queue *q;
    const int64_t now_us = clock_monotonic_us();
    TAILQ_FOREACH(q, &b->books, entry)
    {
        if (q->in_flight || (q->batch != NULL && q->batch->ask_at_us > now_us))
            continue;
        if (q->batch == NULL)
            q->batch = gather(b, q);
        if (q->batch != NULL)
            break;
    }
    if (q == NULL)
        return NULL;
    encode(q->batch, type_oids);
    q->in_flight = true;
    b->stats.batches++;
    /* The others come first next time. */
    TAILQ_REMOVE(&b->books, q, entry);
    TAILQ_INSERT_TAIL(&b->books, q, entry);
    return q->batch;
}

struct params *batch_params(struct batch *batch)
{
    return &batch->params;
}

/* ---------------------------------------------------------------- answers */

/* The columns of post_payouts (ledger/schema/functions/post_payouts.sql). */
enum {
    COL_OUTCOME,
    COL_PAYOUT_ID,
    COL_BANK_ID,
    COL_COMMITTED_AT,
    COL_FEE,
    COL_NET,
    COL_CCY,
    COL_BENEFICIARY,
    COL_BLOCK_NO,
    COL_VERSION,
};

struct answer {
    int64_t *numbers; /* all of the below */
    int64_t *outcome, *payout_id, *bank_id, *fee, *net, *ccy, *beneficiary, *version;
    int64_t committed_us, block_no;
    bool stored;      /* fee, net, ccy and beneficiary are given */
    bool as_was_sent; /* block_no and version are */
};

static bool answer_read(const struct rows *rows, int n, struct answer *a)
{
    int64_t *all = calloc((size_t)n * 8, sizeof *all);
    if (all == NULL || rows_count(rows) != 1) {
        free(all);
        return false;
    }
    *a = (struct answer){
        .numbers = all,
        .outcome = all,
        .payout_id = all + n,
        .bank_id = all + 2 * n,
        .fee = all + 3 * n,
        .net = all + 4 * n,
        .ccy = all + 5 * n,
        .beneficiary = all + 6 * n,
        .version = all + 7 * n,
        .block_no = rows_int(rows, 0, COL_BLOCK_NO),
        .committed_us = rows_time_us(rows, 0, COL_COMMITTED_AT),
    };
    if (rows_int_array(rows, 0, COL_OUTCOME, a->outcome, n) != n ||
        rows_int_array(rows, 0, COL_PAYOUT_ID, a->payout_id, n) != n ||
        rows_int_array(rows, 0, COL_BANK_ID, a->bank_id, n) != n) {
        free(all);
        return false;
    }
    a->stored = rows_int_array(rows, 0, COL_FEE, a->fee, n) == n &&
                rows_int_array(rows, 0, COL_NET, a->net, n) == n &&
                rows_int_array(rows, 0, COL_CCY, a->ccy, n) == n &&
                rows_int_array(rows, 0, COL_BENEFICIARY, a->beneficiary, n) == n;
    a->as_was_sent = a->block_no > 0 && rows_int_array(rows, 0, COL_VERSION, a->version, n) == n;
    return true;
}

static void take_answer(struct batcher *b, struct post_job *job, unsigned i, const struct answer *a,
                        int at)
{
    struct payout_posted *p = &job->posted[i];
    const struct payout_draft *d = &job->drafts[i];
    reason_t reason = REASON_INTERNAL;
    if (a->outcome[at] > 1) {
        if (!reason_from_number((int32_t)a->outcome[at], &reason))
            reason = REASON_INTERNAL;
        give_outcome(b, job, i, LEDGER_REFUSED, reason);
        return;
    }
    give_outcome(b, job, i, a->outcome[at] == 0 ? LEDGER_DONE : LEDGER_DUPLICATE, REASON_NONE);
    p->payout_id = a->payout_id[at];
    p->committed_us = a->committed_us;
    p->bank_id = (int16_t)a->bank_id[at];
    p->fee = a->stored ? a->fee[at] : d->fee;
    p->net = a->stored ? a->net[at] : d->net;
    p->dst_ccy = a->stored ? (int16_t)a->ccy[at] : d->dst_ccy;
    p->beneficiary_id = a->stored ? a->beneficiary[at] : d->beneficiary_id;
    b->stats.payouts++;
}

static void batch_free(struct batch *batch)
{
    params_deinit(&batch->params);
    free(batch);
}

/* The batch is over: the book is free for the next, and whoever is whole is called. A callback may post again, so
 * the book is free before the first one is called. */
static void batch_over(struct batch *batch)
{
    batch->book->batch = NULL;
    batch->book->in_flight = false;
    for (unsigned i = 0; i < batch->span_count; i++)
        if (batch->spans[i].n > 0)
            job_finish_if_whole(batch->spans[i].job);
    batch_free(batch);
}

static void give_all(struct batcher *b, struct batch *batch, enum ledger_outcome outcome,
                     reason_t reason)
{
    for (unsigned i = 0; i < batch->span_count; i++)
        for (unsigned k = 0; k < batch->spans[i].n; k++)
            give_outcome(b, batch->spans[i].job, batch->spans[i].from + k, outcome, reason);
}

/* One payout of a batch that goes singly has its outcome: on to the next. */
static void single_next(struct batch *batch)
{
    batch->book->in_flight = false;
    if (++batch->single_at == batch->spans[batch->single_span].n) {
        batch->single_at = 0;
        batch->single_span++;
    }
    if (batch->single_span == batch->span_count)
        batch_over(batch);
}

/* An error without a code says nothing about the item either. */
static bool is_the_servers_fault(const PGresult *result)
{
    return PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL || pgconn_error_is_passing(result);
}

/* The last try did nothing we can go by, and an earlier one may have been committed: ask again, not at once. */
static void ask_later(struct batch *batch)
{
    batch->book->in_flight = false;
    batch->ask_at_us = clock_monotonic_us() + ASK_AGAIN_MS * US_PER_MS;
}

static void on_rolled_back(struct batcher *b, struct batch *batch, const PGresult *result)
{
    const bool theirs = is_the_servers_fault(result);
    if (batch->lost && theirs) {
        ask_later(batch);
    } else if (batch->singly && batch->lost) {
        /* This try did nothing, and says nothing of the one before, which may have been committed. */
        const struct span *s = &batch->spans[batch->single_span];
        give_outcome(b, s->job, s->from + batch->single_at, LEDGER_UNKNOWN, REASON_OUTCOME_UNKNOWN);
        single_next(batch);
    } else if (batch->singly) {
        const struct span *s = &batch->spans[batch->single_span];
        give_outcome(b, s->job, s->from + batch->single_at,
                     theirs ? LEDGER_NOT_SENT : LEDGER_REFUSED,
                     theirs ? REASON_LEDGER_UNAVAILABLE : REASON_INTERNAL);
        single_next(batch);
    } else if (theirs) {
        give_all(b, batch, LEDGER_NOT_SENT, REASON_LEDGER_UNAVAILABLE);
        batch_over(batch);
    } else {
        /* One bad row must not fail its neighbours. */
        log_error(b->log, "ledger.batch_error",
                  log_str("sqlstate", PQresultErrorField(result, PG_DIAG_SQLSTATE)),
                  log_uint("payouts", batch->n));
        batch->singly = true;
        batch->book->in_flight = false;
        b->stats.resent_singly += batch->n;
    }
}

/* Told before the call-backs, since what was posted is theirs. */
static void tell_block(struct batcher *b, const struct batch *batch, const struct answer *a)
{
    if (b->on_block == NULL || batch->singly || !a->as_was_sent)
        return;
    const struct payout_draft **drafts = calloc(batch->n, sizeof(const struct payout_draft *));
    if (drafts == NULL)
        return;
    unsigned n = 0;
    for (unsigned i = 0; i < batch->span_count; i++)
        for (unsigned k = 0; k < batch->spans[i].n; k++)
            drafts[n++] = &batch->spans[i].job->drafts[batch->spans[i].from + k];
    const struct ledger_block block = {
        .book_id = batch->book->book_id,
        .principal_id = batch->principal_id,
        .block_no = a->block_no,
        .first_seq = a->payout_id[0],
        .committed_us = a->committed_us,
        .n = n,
        .drafts = drafts,
        .bank_id = a->bank_id,
        .beneficiary_version = a->version,
    };
    b->on_block(b->on_block_user, &block);
    free(drafts);
}

static void on_done(struct batcher *b, struct batch *batch, const PGresult *result)
{
    const int n = batch->singly ? 1 : (int)batch->n;
    struct answer a;
    if (!answer_read((const struct rows *)(const void *)result, n, &a)) {
        /* It is committed, but we cannot read how: ask again, the references tell. */
        log_error(b->log, "ledger.answer_unreadable", log_int("payouts", n));
        batch->lost = true;
        ask_later(batch);
        return;
    }
    b->stats.unknown_resolved += batch->lost ? (unsigned)n : 0;
    if (batch->singly) {
        const struct span *s = &batch->spans[batch->single_span];
        take_answer(b, s->job, s->from + batch->single_at, &a, 0);
        single_next(batch);
    } else {
        int at = 0;
        tell_block(b, batch, &a);
        for (unsigned i = 0; i < batch->span_count; i++)
            for (unsigned k = 0; k < batch->spans[i].n; k++)
                take_answer(b, batch->spans[i].job, batch->spans[i].from + k, &a, at++);
        batch_over(batch);
    }
    free(a.numbers);
}

void batcher_ended(struct batcher *b, struct batch *batch, enum pgconn_end end,
                   const PGresult *result)
{
    switch (end) {
    case PGCONN_DONE:
        on_done(b, batch, result);
        return;
    case PGCONN_ERROR:
        on_rolled_back(b, batch, result);
        return;
    case PGCONN_UNSENT:
    case PGCONN_LOST:
        /* Asked again under the same references by the next connection that is free. A payout that had been
         * committed answers DUPLICATE then, which is as good as DONE. */
        batch->book->in_flight = false;
        batch->lost = batch->lost || end == PGCONN_LOST;
        return;
    }
}

/* ---------------------------------------------------------------- deadlines */

/* The outcome of what waited too long: unknown if some try of it was sent and never answered. */
static void give_up_span(struct batcher *b, struct batch *batch, const struct span *s,
                         unsigned from)
{
    for (unsigned k = from; k < s->n; k++)
        give_outcome(b, s->job, s->from + k, batch->lost ? LEDGER_UNKNOWN : LEDGER_NOT_SENT,
                     batch->lost ? REASON_OUTCOME_UNKNOWN : REASON_LEDGER_UNAVAILABLE);
}

/* Takes what is past its deadline out of a batch that waits to be asked again. */
static void batch_expire(struct batcher *b, struct batch *batch, int64_t now_us)
{
    if (batch->single_span < batch->span_count && batch->single_at > 0) {
        /* Going singly, this span is half done: it ends here, and the call-back comes with the batch's end. */
        struct span *s = &batch->spans[batch->single_span];
        if (s->job->deadline_us <= now_us) {
            give_up_span(b, batch, s, batch->single_at);
            batch->single_at = 0;
            batch->single_span++;
        }
    }
    unsigned keep = batch->single_span + (batch->single_at > 0);
    for (unsigned i = keep; i < batch->span_count; i++) {
        struct span s = batch->spans[i];
        if (s.job->deadline_us > now_us) {
            batch->spans[keep++] = s;
            continue;
        }
        give_up_span(b, batch, &s, 0);
        batch->n -= s.n;
        job_finish_if_whole(s.job);
    }
    batch->span_count = keep;
    if (batch->single_span == batch->span_count)
        batch_over(batch);
}

static void expire_waiting(struct batcher *b, struct book_queue *q, int64_t now_us)
{
    struct post_job *job = TAILQ_FIRST(&q->waiting);
    while (job != NULL) {
        struct post_job *next = TAILQ_NEXT(job, entry);
        if (job->deadline_us <= now_us)
            give_up_waiting(b, q, job, REASON_LEDGER_UNAVAILABLE);
        job = next;
    }
}

void batcher_expire(struct batcher *b, int64_t now_us)
{
    struct book_queue *q;
    TAILQ_FOREACH(q, &b->books, entry)
    {
        if (q->batch != NULL && !q->in_flight)
            batch_expire(b, q->batch, now_us);
        expire_waiting(b, q, now_us);
    }
}

void batcher_free(struct batcher **bp)
{
    struct batcher *b = *bp;
    if (b == NULL)
        return;
    *bp = NULL;
    struct book_queue *q = TAILQ_FIRST(&b->books);
    while (q != NULL) {
        struct book_queue *next = TAILQ_NEXT(q, entry);
        assert(!q->in_flight);
        if (q->batch != NULL)
            batch_expire(b, q->batch, INT64_MAX);
        expire_waiting(b, q, INT64_MAX);
        free(q);
        q = next;
    }
    free(b);
}

void batcher_stats(const struct batcher *b, struct ledger_stats *out)
{
    *out = b->stats;
    out->payouts_queued = b->queued;
}
