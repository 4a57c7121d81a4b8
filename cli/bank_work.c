#include "cli/bank_work.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- the list of those with something to do */

static bool is_finished(const struct bank_item *item)
{
    return item->at >= item->plan->n && !item->say_again && !item->say_pending &&
           item->recall_plan == NULL;
}

void bank_work_add(struct bank_work *work, struct bank_item *item)
{
    if (item->listed || is_finished(item))
        return;
    item->listed = true;
    item->next = NULL;
    *work->end = item;
    work->end = &item->next;
    work->n++;
}

void bank_work_init(struct bank_work *work, struct bank_state *state)
{
    *work = (struct bank_work){.state = state};
    work->end = &work->first;
    for (size_t i = 0; i < bank_state_count(state); i++)
        bank_work_add(work, bank_state_item(state, i));
}

/* ---------------------------------------------------------------- being asked */

void bank_work_asked(struct bank_work *work, struct bank_item *item, struct slice inquiry)
{
    const struct step *step = item->at < item->plan->n ? &item->plan->steps[item->at] : NULL;

    if (slice_equal_str(inquiry, item->inquiry))
        return;
    snprintf(item->inquiry, sizeof item->inquiry, "%.*s", SLICE_ARG(inquiry));
    item->inquired = true;
    item->asked++;
    if (step == NULL || (step->kind != STEP_SILENT && step->kind != STEP_PENDING)) {
        if (work->in_files) {
            item->recall_plan = item->answer != 0 ? "again" : "pending PDNG";
            item->recall_next[0] = '\0';
        } else {
            item->say_again = item->answer != 0;
            item->say_pending = item->answer == 0 && step != NULL;
        }
    }
    bank_work_add(work, item);
}

void bank_work_recalled(struct bank_work *work, struct bank_item *item, struct slice inquiry,
                        const char *plan)
{
    if (slice_equal_str(inquiry, item->recall))
        return;
    snprintf(item->recall_next, sizeof item->recall_next, "%.*s", SLICE_ARG(inquiry));
    item->recall_plan = plan;
    bank_work_add(work, item);
}

static bool has_step(const struct plan *plan, enum step_kind kind)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan->steps[i].kind == kind)
            return true;
    return false;
}

static void add_step(struct plan *plan, enum step_kind kind, const char *code)
{
    struct step *step;

    if (plan->n == PLAN_STEPS_MAX)
        return;
    step = &plan->steps[plan->n++];
    *step = (struct step){.kind = kind};
    memcpy(step->code, code, SCRIPT_CODE_SIZE);
}

/* A recall that is granted ends in a return or a rejection; after one that is not, the plan goes on. */
static void replan(struct bank_work *work, struct bank_item *item)
{
    struct plan plan;
    struct script_error error;
    char text[PLAN_TEXT_SIZE];
    bool known = plan_read(slice_str(item->recall_plan), true, &plan, &error);

    assert(known); /* the script was read */
    if (!has_step(&plan, STEP_CANCEL)) {
        for (size_t i = item->at; i < item->plan->n && plan.n < PLAN_STEPS_MAX; i++)
            plan.steps[plan.n++] = item->plan->steps[i];
    } else if (!has_step(&plan, STEP_RETURN) && !has_step(&plan, STEP_REJECT)) {
        if (item->answer == 0)
            add_step(&plan, STEP_REJECT, "CUST");
        else if (item->returned_minor < item->minor)
            add_step(&plan, STEP_RETURN, "FOCR");
    }
    if (!plan_write(&plan, text))
        snprintf(text, sizeof text, "%s", item->recall_plan);
    item->recall_plan = NULL;
    item->due_us = 0;
    item->due_number = 0;
    bank_state_replan(work->state, item,
                      slice_str(item->recall_next[0] == '\0' ? item->recall : item->recall_next),
                      text);
}

/* ---------------------------------------------------------------- amounts */

static const struct bank_entry *answer_of(const struct bank_work *work,
                                          const struct bank_item *item)
{
    return item->answer == 0 ? NULL : bank_state_entry(work->state, item->answer - 1);
}

static bool is_paid(const struct bank_work *work, const struct bank_item *item)
{
    const struct bank_entry *answer = answer_of(work, item);

    return answer != NULL && answer->kind == BANK_PAID;
}

/* What a return is to undo: 0 if nothing is left. */
static int64_t return_minor(const struct bank_item *item, const struct step *step)
{
    int64_t left = item->minor - item->returned_minor;
    int64_t minor = left;

    if (step->minor > 0)
        minor = step->minor;
    else if (step->share_bps > 0)
        minor = (int64_t)((__int128)item->minor * step->share_bps / 10000);
    if (minor == 0 && left > 0)
        minor = 1;
    return minor < left ? minor : left;
}

static const char *const reject_codes[] = {"AC04", "AC01", "AC06", "BE01"};
static const char *const return_codes[] = {"AC04", "AC06", "FOCR", "MD07"};

/* The script's code, or one of several, by the number of the instruction. */
static const char *code_of(const struct step *step, const struct bank_item *item,
                           const char *const codes[4])
{
    return step->code[0] != '\0' ? step->code : codes[item->number % 4];
}

/* ---------------------------------------------------------------- booking */

/* False: the step cannot be taken as things are (nothing left to return); it is passed over. */
static bool book(struct bank_work *work, struct bank_item *item, const struct step *step)
{
    int64_t minor, charge;

    if (item->booked)
        return true;
    switch (step->kind) {
    case STEP_ACCEPT:
    case STEP_REJECT:
        if (item->answer != 0)
            return false;
        bank_state_book(work->state, item, step->kind == STEP_ACCEPT ? BANK_PAID : BANK_REJECTED,
                        item->minor, 0,
                        step->kind == STEP_ACCEPT ? "" : code_of(step, item, reject_codes));
        return true;
    case STEP_RETURN:
        minor = return_minor(item, step);
        if (minor == 0 || !is_paid(work, item))
            return false;
        charge = step->charge_minor < minor ? step->charge_minor : minor;
        bank_state_book(work->state, item, BANK_RETURNED, minor, charge,
                        code_of(step, item, return_codes));
        return true;
    case STEP_REVERSE:
        if (item->last_return == 0)
            return false;
        minor = bank_state_entry(work->state, item->last_return - 1)->minor;
        charge = bank_state_entry(work->state, item->last_return - 1)->charge_minor;
        bank_state_book(work->state, item, BANK_REVERSED, minor, charge,
                        code_of(step, item, return_codes));
        return true;
    case STEP_AGAIN:
    case STEP_CONTRADICT:
        return item->answer != 0;
    case STEP_RETURN_AGAIN:
        return item->n_returns > 0;
    case STEP_RETURN_MORE:
        return is_paid(work, item);
    case STEP_PENDING:
    case STEP_CANCEL:
    case STEP_REFUSE:
    case STEP_LOOKING:
    case STEP_WRONG_AMOUNT:
    case STEP_WRONG_CURRENCY:
    case STEP_UNKNOWN:
    case STEP_WAIT:
    case STEP_SILENT:
    case STEP_CRASH:
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- what is said */

static void fill_settled(const struct bank_work *work, struct saying *s)
{
    const struct bank_item *item = s->item;

    s->settled = true;
    s->minor = item->minor;
    s->tax_minor = item->tax_minor;
    bank_state_reference(work->state, item, BANK_PAID, 0, s->reference);
    if (item->with_eprc)
        snprintf(s->eprc, sizeof s->eprc, "PRC-%s-%06lld", bank_state_bank(work->state),
                 (long long)item->number);
}

static void fill_rejected(struct saying *s, const char *code)
{
    s->settled = false;
    s->minor = s->item->minor;
    snprintf(s->code, sizeof s->code, "%s", code);
}

/* As it was answered, or the other way round. */
static void fill_answer(const struct bank_work *work, struct saying *s, const struct step *step)
{
    const struct bank_entry *answer = answer_of(work, s->item);
    bool other = step != NULL && step->kind == STEP_CONTRADICT;

    assert(answer != NULL);
    if ((answer->kind == BANK_PAID) != other)
        fill_settled(work, s);
    else
        fill_rejected(s, other ? code_of(step, s->item, reject_codes) : answer->code);
}

static void fill_wrong(const struct bank_work *work, struct saying *s)
{
    fill_settled(work, s);
    if (s->step == STEP_WRONG_AMOUNT) {
        s->minor++;
    } else if (s->step == STEP_WRONG_CURRENCY) {
        memcpy(s->ccy, strcmp(s->ccy, "USD") == 0 ? "PKR" : "USD", 4);
    } else {
        snprintf(s->id, sizeof s->id, "NOSUCH-%lld", (long long)s->item->number);
    }
}

/* Of the step that comes next, or, RETURN_AGAIN, the last one before it. */
static const struct bank_entry *last_entry(const struct bank_work *work,
                                           const struct bank_item *item, enum bank_entry_kind kind)
{
    for (size_t i = bank_state_entry_count(work->state); i > 0; i--) {
        const struct bank_entry *e = bank_state_entry(work->state, i - 1);

        if (e->item == item && e->kind == kind)
            return e;
    }
    return NULL;
}

static void fill_return(const struct bank_work *work, struct saying *s, const struct step *step)
{
    const struct bank_entry *e = last_entry(work, s->item, BANK_RETURNED);

    s->kind = SAY_RETURN;
    if (s->step == STEP_RETURN_MORE) {
        s->minor = s->item->minor + 1;
        snprintf(s->code, sizeof s->code, "%s", code_of(step, s->item, return_codes));
        snprintf(s->reference, sizeof s->reference, "M-%s-%lld", bank_state_bank(work->state),
                 (long long)s->item->number);
        return;
    }
    assert(e != NULL);
    s->minor = e->minor;
    s->charge_minor = e->charge_minor;
    memcpy(s->code, e->code, sizeof s->code);
    bank_state_reference(work->state, s->item, BANK_RETURNED, e->nth, s->reference);
}

static void fill_reversal(const struct bank_work *work, struct saying *s)
{
    const struct bank_entry *e = last_entry(work, s->item, BANK_REVERSED);

    assert(e != NULL);
    s->kind = SAY_REVERSAL;
    s->minor = e->minor;
    memcpy(s->code, e->code, sizeof s->code);
    bank_state_reference(work->state, s->item, BANK_REVERSED, e->nth, s->reference);
    bank_state_reference(work->state, s->item, BANK_RETURNED, e->nth, s->of_reference);
}

static void fill_inquiry_answer(struct saying *s, const char *status, const char *code)
{
    s->kind = SAY_ANSWER;
    snprintf(s->status, sizeof s->status, "%s", status);
    snprintf(s->code, sizeof s->code, "%s", code);
    memcpy(s->inquiry, s->is_step && s->step != STEP_PENDING ? s->item->recall : s->item->inquiry,
           sizeof s->inquiry);
}

static void fill_step(const struct bank_work *work, struct saying *s, const struct step *step)
{
    switch (step->kind) {
    case STEP_ACCEPT:
    case STEP_REJECT:
    case STEP_AGAIN:
    case STEP_CONTRADICT:
        fill_answer(work, s, step);
        break;
    case STEP_WRONG_AMOUNT:
    case STEP_WRONG_CURRENCY:
    case STEP_UNKNOWN:
        fill_wrong(work, s);
        break;
    case STEP_RETURN:
    case STEP_RETURN_AGAIN:
    case STEP_RETURN_MORE:
        fill_return(work, s, step);
        break;
    case STEP_REVERSE:
        fill_reversal(work, s);
        break;
    case STEP_PENDING:
        fill_inquiry_answer(s, step->code, "");
        break;
    case STEP_CANCEL:
        fill_inquiry_answer(s, "CNCL", "");
        break;
    case STEP_REFUSE:
        fill_inquiry_answer(s, "RJCR", step->code);
        break;
    case STEP_LOOKING:
        fill_inquiry_answer(s, "PDCR", "");
        break;
    case STEP_WAIT:
    case STEP_SILENT:
    case STEP_CRASH:
        assert(!"said");
    }
}

static enum saying_kind kind_of(enum step_kind kind)
{
    if (kind == STEP_RETURN || kind == STEP_RETURN_AGAIN || kind == STEP_RETURN_MORE)
        return SAY_RETURN;
    if (kind == STEP_REVERSE)
        return SAY_REVERSAL;
    if (kind == STEP_PENDING || kind == STEP_CANCEL || kind == STEP_REFUSE || kind == STEP_LOOKING)
        return SAY_ANSWER;
    return SAY_CONFIRMATION;
}

/* ---------------------------------------------------------------- going through a plan */

enum readiness { READY, WAITING, NOTHING };

static bool waited(const struct bank_work *work, struct bank_item *item, const struct step *step,
                   int64_t now_us)
{
    int64_t count = (int64_t)bank_state_count(work->state);

    if (step->count > 0) {
        if (item->due_number == 0)
            item->due_number = count + step->count;
        if (count < item->due_number)
            return false;
        item->due_number = 0;
        return true;
    }
    if (item->due_us == 0)
        item->due_us = now_us + step->wait_ms * US_PER_MS;
    if (now_us < item->due_us)
        return false;
    item->due_us = 0;
    return true;
}

/* A step that nobody hears of. True: it is passed. */
static bool pass(const struct bank_work *work, struct bank_item *item, const struct step *step,
                 int64_t now_us, enum readiness *so)
{
    if (step->kind == STEP_WAIT) {
        *so = WAITING;
        return waited(work, item, step, now_us);
    }
    if (step->kind == STEP_CRASH) {
        if (!bank_state_has_crashed(work->state, slice_str(item->id), bank_item_step(item)))
            item->crash = step->crash;
        item->crash_step = bank_item_step(item);
        return true;
    }
    assert(step->kind == STEP_SILENT);
    *so = NOTHING; /* until somebody asks */
    if (item->at + 1 == item->plan->n || item->asked < step->count)
        return false;
    item->asked = 0;
    return true;
}

/* As far as it goes without saying anything. READY: the step it stands at can be said. */
static enum readiness go_through(struct bank_work *work, struct bank_item *item, int64_t now_us)
{
    enum readiness so = NOTHING;

    if (item->recall_plan != NULL)
        replan(work, item);
    if (item->say_again || item->say_pending)
        return READY;
    while (item->at < item->plan->n) {
        const struct step *step = &item->plan->steps[item->at];

        if (!step_is_said(step->kind)) {
            if (!pass(work, item, step, now_us, &so))
                return so;
            item->at++;
            continue;
        }
        if (step->kind == STEP_PENDING && !item->inquired)
            return NOTHING;
        if (item->due_us > now_us)
            return WAITING;
        item->due_us = 0;
        return READY;
    }
    return NOTHING;
}

/* False: its step could not be taken, and is passed over. */
static bool say(struct bank_work *work, struct bank_item *item, struct saying *s)
{
    const struct step *step = &item->plan->steps[item->at];

    *s = (struct saying){.kind = SAY_CONFIRMATION, .item = item};
    memcpy(s->id, item->id, sizeof s->id);
    memcpy(s->ccy, item->ccy, sizeof s->ccy);
    if (item->say_again) {
        fill_answer(work, s, NULL);
    } else if (item->say_pending) {
        fill_inquiry_answer(s, "PDNG", "");
    } else if (!book(work, item, step)) {
        bank_state_done(work->state, item, SLICE("NOTHING"), SLICE(""));
        return false;
    } else {
        s->is_step = true;
        s->step = step->kind;
        fill_step(work, s, step);
    }
    item->busy = true;
    return true;
}

static enum saying_kind kind_of_next(const struct bank_item *item)
{
    if (item->say_again)
        return SAY_CONFIRMATION;
    return item->say_pending ? SAY_ANSWER : kind_of(item->plan->steps[item->at].kind);
}

static void unlist(struct bank_work *work, struct bank_item **at)
{
    struct bank_item *item = *at;

    *at = item->next;
    if (item->next == NULL)
        work->end = at;
    item->next = NULL;
    item->listed = false;
    work->n--;
}

size_t bank_work_next(struct bank_work *work, int64_t now_us, size_t max, struct saying *out,
                      int64_t *due_us)
{
    enum saying_kind kind = SAY_CONFIRMATION;
    size_t n = 0;
    struct bank_item **at = &work->first;

    *due_us = 0;
    while (*at != NULL && n < max) {
        struct bank_item *item = *at;
        enum readiness so = item->busy ? WAITING : go_through(work, item, now_us);

        if (so == NOTHING) {
            unlist(work, at);
            continue;
        }
        if (so == READY && (n == 0 || kind_of_next(item) == kind)) {
            kind = kind_of_next(item);
            if (!say(work, item, &out[n]))
                continue; /* the same again, a step further */
            n++;
            if (!work->in_files && (kind == SAY_RETURN || kind == SAY_REVERSAL))
                break;
        } else if (so == WAITING && item->due_us > 0 && (*due_us == 0 || item->due_us < *due_us)) {
            *due_us = item->due_us;
        }
        at = &item->next;
    }
    return n;
}

void bank_work_repeat(struct bank_work *work, struct bank_item *item, struct saying *out)
{
    bool said;

    while (!step_is_said(item->plan->steps[item->at].kind))
        item->at++;
    said = say(work, item, out);
    assert(said); /* it was, or it would not have been put into a file */
}

/* ---------------------------------------------------------------- afterwards */

void bank_work_filed(struct bank_work *work, struct saying *said)
{
    (void)work;
    said->item->busy = false;
    said->item->inquired = false;
}

void bank_work_said(struct bank_work *work, struct saying *said, struct slice outcome,
                    struct slice reason)
{
    struct bank_item *item = said->item;

    item->busy = false;
    if (said->is_step) {
        bank_state_done(work->state, item, outcome, reason);
        item->inquired = false;
        return;
    }
    item->inquired = false;
    item->say_again = false;
    item->say_pending = false;
}

void bank_work_again(struct bank_work *work, struct saying *said, int64_t not_before_us)
{
    (void)work;
    said->item->busy = false;
    said->item->due_us = not_before_us;
}
