#include "cli/bank_statement.h"

#include "base/clock.h"
#include "base/command.h"
#include "base/timefmt.h"
#include "domain/ccy.h"
#include "domain/iban.h"
#include "iso20022/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KARACHI_US (5LL * 3600 * US_PER_SEC)

static int32_t day_of(int64_t us)
{
    return timefmt_day_of(us + KARACHI_US);
}

/* What the entry does to our balance with the bank; 0: nothing. */
static int64_t effect(const struct bank_entry *e)
{
    if (e->kind == BANK_PAID)
        return -e->minor;
    if (e->refused || e->kind == BANK_REJECTED)
        return 0;
    return e->kind == BANK_RETURNED ? e->minor - e->charge_minor : e->charge_minor - e->minor;
}

static money_t money_in(const struct bank_entry *e, int64_t minor)
{
    const struct ccy *c = ccy_by_alpha(slice_str(e->item->ccy));

    return money_of(minor < 0 ? -minor : minor, c == NULL ? 0 : c->number);
}

static enum iso_sign sign_of(int64_t minor)
{
    return minor < 0 ? ISO_DEBIT : ISO_CREDIT;
}

static void fill_entry(const struct bank_state *state, const struct bank_entry *e,
                       char reference[BANK_REF_SIZE], union iso_item *item)
{
    struct iso_entry *entry = &item->entry;
    bool back = e->kind == BANK_RETURNED;

    bank_state_reference(state, e->item, e->kind, e->nth, reference);
    memset(item, 0, sizeof *item);
    entry->amount = money_in(e, effect(e));
    entry->sign = sign_of(effect(e));
    entry->status = SLICE("BOOK");
    entry->booking_date = day_of(e->at_us);
    entry->value_date = entry->booking_date;
    entry->bank_reference = slice_str(reference);
    entry->domain = SLICE("PMNT");
    entry->family = back ? SLICE("RCDT") : SLICE("ICDT");
    entry->sub_family = back ? SLICE("RRTN") : SLICE("DMCT");
    entry->details.ids.end_to_end_id = slice_str(e->item->id);
    entry->details.bank_reference = slice_str(reference);
    entry->details.amount = entry->amount;
    entry->details.sign = entry->sign;
    if (back)
        entry->details.return_reason = slice_str(e->code);
}

static void fill_balance(struct iso_statement *s, const char *code, money_t amount, int64_t minor,
                         int32_t date)
{
    s->balances.at[s->balances.n++] =
        (struct iso_balance){.code = slice_str(code),
                             .amount = money_of(minor < 0 ? -minor : minor, amount.ccy),
                             .sign = sign_of(minor),
                             .date = date};
}

/* Entries that do something to the balance, their sum, and the first of them. */
static uint64_t add_up(const struct bank_state *state, int64_t *sum,
                       const struct bank_entry **first)
{
    uint64_t n = 0;

    *sum = 0;
    *first = NULL;
    for (size_t i = 0; i < bank_state_entry_count(state); i++) {
        const struct bank_entry *e = bank_state_entry(state, i);

        if (effect(e) == 0)
            continue;
        n++;
        *sum += effect(e);
        *first = *first == NULL ? e : *first;
    }
    return n;
}

static void fill_group(const struct bank_state *state, const char *account, const char *bic,
                       const char *id, struct iso_group *g)
{
    struct iso_statement *s = &g->statement;
    const struct bank_entry *first;
    int64_t now_us = clock_realtime_us() / US_PER_MS * US_PER_MS, sum;
    int32_t today = day_of(now_us), from;
    money_t unit = {0, CCY_PKR};
    size_t iban_len = strlen(account);

    memset(g, 0, sizeof *g);
    g->kind = ISO_CAMT_053;
    g->message_id = slice_str(id);
    g->creation_us = now_us;
    g->count = add_up(state, &sum, &first);
    if (first != NULL)
        unit = money_in(first, 0);
    from = first == NULL ? today : day_of(first->at_us);
    s->id = slice_str(id);
    s->creation_us = now_us;
    s->from_us = (int64_t)from * US_PER_DAY - KARACHI_US;
    s->to_us = ((int64_t)today + 1) * US_PER_DAY - KARACHI_US;
    if (iban_len == 24 && strncmp(account, "PK", 2) == 0)
        s->account.iban = slice_str(account);
    else
        s->account.other_id = slice_str(account);
    s->account.ccy = slice_str(ccy_alpha(unit.ccy));
    if (bic != NULL)
        g->instructing.bic = slice_str(bic);
    fill_balance(s, "OPBD", unit, 0, from);
    fill_balance(s, "CLBD", unit, sum, today);
}

static bool to_file(void *user, const char *p, size_t len)
{
    return fwrite(p, 1, len, user) == len;
}

static bool write_all(const struct bank_state *state, const char *account, const char *bic,
                      FILE *file, struct iso_refusal *why)
{
    const struct iso_writer_options options = {.write = to_file, .user = file, .bare = true};
    struct iso_writer *w = NULL;
    struct iso_group g;
    char id[BANK_REF_SIZE], day[TIMEFMT_DATE_SIZE];
    bool ok;

    if (err_failed(iso_writer_new(&options, &w)))
        abort();
    snprintf(id, sizeof id, "%s-S-%s", bank_state_bank(state),
             timefmt_date(day_of(clock_realtime_us()), day));
    fill_group(state, account, bic, id, &g);
    ok = iso_writer_begin(w, &g, why);
    for (size_t i = 0; ok && i < bank_state_entry_count(state); i++) {
        const struct bank_entry *e = bank_state_entry(state, i);
        char reference[BANK_REF_SIZE];
        union iso_item item;

        if (effect(e) == 0)
            continue;
        fill_entry(state, e, reference, &item);
        ok = iso_writer_add(w, &item, why);
    }
    ok = ok && iso_writer_end(w, why);
    iso_writer_free(&w);
    return ok;
}

bool bank_statement_write(const struct bank_state *state, const char *account, const char *bic,
                          const char *path)
{
    struct iso_refusal why = {0};
    char text[ISO_REFUSAL_TEXT_SIZE];
    FILE *file = fopen(path, "we");
    bool ok;

    if (file == NULL) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    ok = write_all(state, account, bic, file, &why);
    if (!ok)
        complain("%s: %s", path, iso_refusal_text(&why, text));
    if (fclose(file) != 0 && ok) {
        complain("%s: %s", path, strerror(errno));
        ok = false;
    }
    return ok;
}
