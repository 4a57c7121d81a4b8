/* GetPayoutTrail: the payout as it stands, and every event that led there with its journal. */
#include "gateway/rpc/audit_journals.h"
#include "gateway/rpc/audit_name.h"
#include "gateway/rpc/methods.h"
#include "gateway/rpc/payout_get.h"

/* A payout is accepted, handed out, settled, and returned or that taken back at most 30 times, by two journals each. */
enum { EVENTS_MAX = 63 };

struct trail {
    int32_t book_id;
    int64_t payout_id;
    struct slice book; /* code */
    uint32_t n;
    struct wire_trail_event events[EVENTS_MAX];
};

/* Columns of ledger/sql/audit_payout_trail.sql; from COL_JOURNAL on those of a journal. */
enum { COL_STATE, COL_DETAIL, COL_JOURNAL };

static void on_payout(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows);

static void ask(struct rpc_call *call, const char *statement, rpc_rows_fn *on_rows)
{
    const struct trail *trail = call->state;
    struct params params;
    params_init(&params);
    params_add_int4(&params, trail->book_id);
    params_add_int8(&params, trail->payout_id);
    rpc_query(call, statement, &params, on_rows);
}

/* Rows go when their callback returns: what the answer needs later is copied. */
static bool keep(struct rpc_call *call, struct slice *s)
{
    return arena_slice_dup(&call->arena, *s, s);
}

static bool keep_texts(struct rpc_call *call, struct wire_trail_event *event)
{
    return keep(call, &event->detail) && keep(call, &event->journal.kind) &&
           keep(call, &event->journal.actor) && keep(call, &event->journal.description);
}

static void on_events(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    struct trail *trail = call->state;
    for (int row = 0; row < rows_count(rows) && trail->n < EVENTS_MAX;) {
        struct wire_trail_event *event = &trail->events[trail->n++];
        event->present = true;
        event->state = (int32_t)rows_int(rows, row, COL_STATE);
        event->detail = rows_text(rows, row, COL_DETAIL);
        row = audit_journal_from_rows(call, trail->book, rows, row, COL_JOURNAL, &event->journal);
        if (row < 0)
            return;
        if (!keep_texts(call, event)) {
            rpc_refuse(call, REASON_QUEUE_FULL, NULL);
            return;
        }
        event->event_time = event->journal.commit_time;
        event->actor = event->journal.actor;
    }
    ask(call, "payout_get", on_payout);
}

static void on_payout(struct rpc_call *call, enum ledger_outcome outcome, reason_t reason,
                      const struct rows *rows)
{
    if (outcome != LEDGER_DONE) {
        rpc_refuse_outcome(call, outcome, reason, NULL);
        return;
    }
    if (rows_count(rows) == 0) {
        rpc_refuse(call, REASON_PAYOUT_NOT_FOUND, "payout");
        return;
    }
    struct trail *trail = call->state;
    struct wire_get_payout_trail_response answer = {.present = true};
    if (!payout_from_row(call, rows, 0, &answer.payout))
        return;
    answer.events.items = trail->events;
    answer.events.n = trail->n;
    rpc_reply(call, &wire_get_payout_trail_response_type, &answer);
}

static void handle(struct rpc_call *call, const void *request)
{
    const struct wire_get_payout_trail_request *r = request;
    struct trail *trail = rpc_alloc(call, 1, sizeof(*trail));
    if (trail == NULL)
        return;
    call->state = trail;
    reason_t reason = audit_payout_id(call, r->payout, &trail->book_id, &trail->payout_id);
    if (reason != REASON_NONE) {
        rpc_refuse(call, reason, "payout");
        return;
    }
    struct slice rest;
    (void)slice_cut(
        slice_of(r->payout.p + sizeof("platforms/") - 1, r->payout.len - sizeof("platforms/") + 1),
        '/', &trail->book, &rest);
    ask(call, "audit_payout_trail", on_events);
}

const struct rpc_method rpc_get_payout_trail = {
    .path = "/ujrat.audit.v1.AuditService/GetPayoutTrail",
    .roles = ROLE_AUDITOR,
    .request = &wire_get_payout_trail_request_type,
    .handle = handle,
};
