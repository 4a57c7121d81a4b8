/* One journal a line, with all that is known of it: the fields of docs/log-format.md by their names there. */
#include "audit/export.h"

#include "audit/export_book.h"

#include "audit/output.h"

#include <string.h>

static void put(json_t *to, const char *name, const PGresult *r, enum export_column column)
{
    if (!cell_null(r, column))
        json_object_set_new(to, name, json_string(cell_text(r, column)));
}

static void put_int(json_t *to, const char *name, const PGresult *r, enum export_column column)
{
    if (!cell_null(r, column))
        json_object_set_new(to, name, json_integer(cell_int(r, column)));
}

static json_t *payout(const struct export_journal *j)
{
    static const struct {
        const char *name;
        enum export_column column;
    } numbers[] = {{"gross", EX_GROSS},
                   {"fee", EX_FEE},
                   {"mid_rate_e10", EX_RATE},
                   {"mid_value", EX_MID_VALUE},
                   {"margin_bps", EX_MARGIN_BPS},
                   {"margin", EX_MARGIN},
                   {"net", EX_NET},
                   {"beneficiary_id", EX_BENEFICIARY},
                   {"beneficiary_version", EX_BENEFICIARY_VERSION},
                   {"quote", EX_QUOTE}};
    json_t *o = json_pack("{ss}", "reference", j->reference);

    put(o, "info", j->row, EX_INFO);
    put(o, "bank", j->row, EX_BANK);
    put(o, "src_ccy", j->row, EX_SRC_CCY);
    put(o, "dst_ccy", j->row, EX_DST_CCY);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put_int(o, numbers[i].name, j->row, numbers[i].column);
    put(o, "rate_source", j->row, EX_SHEET);
    put(o, "rate_date", j->row, EX_SHEET_DATE);
    return o;
}

static json_t *transition(const struct export_journal *j)
{
    json_t *o = json_object();

    put_int(o, "step", j->row, EX_STEP);
    put_int(o, "state", j->row, EX_STATE);
    put(o, "reason_code", j->row, EX_REASON_CODE);
    put(o, "bank_reference", j->row, EX_BANK_REFERENCE);
    put_int(o, "tax_withheld", j->row, EX_TAX);
    put(o, "eprc_number", j->row, EX_EPRC);
    return o;
}

static json_t *adjustment(const struct export_journal *j)
{
    json_t *o = json_object();
    char time[TIMEFMT_SIZE];

    put_int(o, "proposal", j->row, EX_PROPOSAL);
    put(o, "reason", j->row, EX_PROPOSAL_REASON);
    put(o, "evidence", j->row, EX_PROPOSAL_EVIDENCE);
    put(o, "proposed_by", j->row, EX_PROPOSED_BY);
    timefmt_rfc3339(cell_time(j->row, EX_PROPOSED_AT), time);
    json_object_set_new(o, "proposed_at", json_string(time));
    return o;
}

static json_t *unclaimed(const struct export_journal *j)
{
    json_t *o = json_object();
    char time[TIMEFMT_SIZE];

    put_int(o, "batch_id", j->row, EX_BATCH);
    put_int(o, "item_no", j->row, EX_ITEM);
    timefmt_rfc3339(cell_time(j->row, EX_EXPIRES_AT), time);
    json_object_set_new(o, "expires_at", json_string(time));
    return o;
}

static json_t *unclaimed_end(const struct export_journal *j)
{
    static const char *const names[] = {"?", "claimed", "expired", "cancelled"};
    const int64_t outcome = cell_int(j->row, EX_OUTCOME);
    json_t *o = json_pack("{ss}", "outcome", names[outcome > 0 && outcome < 4 ? outcome : 0]);

    if (!cell_null(j->row, EX_CLAIMED_PAYOUT))
        put_int(o, "payout_id", j->row, EX_CLAIMED_PAYOUT);
    return o;
}

static json_t *hold(const struct export_journal *j)
{
    json_t *o = json_object();
    char time[TIMEFMT_SIZE];

    put_int(o, "hold_no", j->row, EX_HOLD);
    put(o, "reason", j->row, EX_HOLD_REASON);
    put(o, "detail", j->row, EX_HOLD_DETAIL);
    put(o, "evidence", j->row, EX_HOLD_EVIDENCE);
    timefmt_rfc3339(cell_time(j->row, EX_HOLD_DEADLINE), time);
    json_object_set_new(o, "deadline", json_string(time));
    return o;
}

static json_t *hold_end(const struct export_journal *j)
{
    json_t *o = json_pack("{ss}", "outcome",
                          cell_int(j->row, EX_HOLD_OUTCOME) == 1 ? "released" : "refused");

    put_int(o, "hold_no", j->row, EX_ENDED_HOLD);
    put(o, "first_by", j->row, EX_FIRST_BY);
    put(o, "second_by", j->row, EX_SECOND_BY);
    put(o, "first_note", j->row, EX_FIRST_NOTE);
    put(o, "second_note", j->row, EX_SECOND_NOTE);
    return o;
}

static void put_subject(json_t *o, const struct export_journal *j)
{
    const PGresult *r = j->row;

    if (j->payout_id == j->seq && !cell_null(r, EX_GROSS))
        json_object_set_new(o, "payout", payout(j));
    if (!cell_null(r, EX_STEP))
        json_object_set_new(o, "transition", transition(j));
    if (!cell_null(r, EX_HANDOUT_LAST))
        json_object_set_new(o, "handout",
                            json_pack("{ss sI sI}", "bank", cell_text(r, EX_HANDOUT_BANK),
                                      "prev_payout_id", (json_int_t)cell_int(r, EX_HANDOUT_AFTER),
                                      "last_payout_id", (json_int_t)cell_int(r, EX_HANDOUT_LAST)));
    if (!cell_null(r, EX_DEPOSIT_AMOUNT))
        json_object_set_new(o, "deposit",
                            json_pack("{ss ss sI}", "reference", cell_text(r, EX_DEPOSIT_REFERENCE),
                                      "currency", cell_text(r, EX_DEPOSIT_CCY), "amount",
                                      (json_int_t)cell_int(r, EX_DEPOSIT_AMOUNT)));
    if (!cell_null(r, EX_PROPOSAL))
        json_object_set_new(o, "adjustment", adjustment(j));
    if (!cell_null(r, EX_BATCH))
        json_object_set_new(o, "unclaimed", unclaimed(j));
    if (!cell_null(r, EX_OUTCOME))
        json_object_set_new(o, "unclaimed_end", unclaimed_end(j));
    if (!cell_null(r, EX_HOLD))
        json_object_set_new(o, "hold", hold(j));
    if (!cell_null(r, EX_ENDED_HOLD))
        json_object_set_new(o, "hold_end", hold_end(j));
}

static bool put_journal(void *writer, const struct export_journal *j)
{
    const struct export_writer *c = writer;
    json_t *lines = json_array();
    json_t *o = json_pack("{ss sI sI ss ss ss}", "book", c->book->book->code, "seq",
                          (json_int_t)j->seq, "block_no", (json_int_t)j->block_no, "committed_at",
                          j->time, "kind", j->kind, "actor", j->actor);
    int failed;

    if (j->payout_id != 0)
        json_object_set_new(o, "payout_id", json_integer(j->payout_id));
    if (j->reference[0] != '\0')
        json_object_set_new(o, "reference", json_string(j->reference));
    if (j->reverses_seq != 0)
        json_object_set_new(o, "reverses_seq", json_integer(j->reverses_seq));
    if (j->has_detail)
        json_object_set_new(o, "detail", json_string(j->detail));
    for (unsigned i = 0; i < j->n_lines; i++) {
        const struct account *a = &j->lines[i].account->account;
        char text[AMOUNT_TEXT_SIZE];

        json_array_append_new(lines, json_pack("{ss ss ss sI ss}", "account", a->code, "type",
                                               a->type, "currency", a->ccy, "minor",
                                               (json_int_t)j->lines[i].minor, "amount",
                                               amount_plain(j->lines[i].minor, a->digits, text)));
    }
    json_object_set_new(o, "lines", lines);
    put_subject(o, j);
    failed = o == NULL || json_dumpf(o, c->out, JSON_COMPACT) != 0;
    (void)fputc('\n', c->out);
    json_decref(o);
    if (failed)
        complain("book %s, journal %lld cannot be written as JSON", c->book->book->code,
                 (long long)j->seq);
    return !failed;
}

static bool write_jsonl(const struct export_request *request)
{
    return export_books(request, NULL, put_journal, NULL);
}

enum exit_code export_jsonl_run(const struct args *args)
{
    return export_to_file(args, write_jsonl);
}
