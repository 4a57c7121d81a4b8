/* What the sandbox bank says to the gateway, one call at a time, and what it makes of the answers. */
#include "base/clock.h"
#include "cli/bank_run.h"
#include "gateway/wire/settlement_messages.h"
#include "gateway/wire/status_messages.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---------------------------------------------------------------- telling the user */

void bank_tell(const struct bank *b, const char *word, const struct saying *said, const char *more)
{
    struct wire_money money = {true, slice_str(said->ccy), said->minor};
    char amount[MONEY_TEXT_SIZE];
    char clock[16];
    time_t now = time(NULL);
    struct tm tm;

    if (b->quiet)
        return;
    gmtime_r(&now, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    printf("%s %s %-8s %s  %s%s%s%s%s%s%s\n", clock, b->code, word, said->id,
           wire_money_shown(&money, amount), said->code[0] == '\0' ? "" : "  ", said->code,
           more[0] == '\0' ? "" : "  ", more, said->item->shown[0] == '\0' ? "" : "  ",
           said->item->shown);
    fflush(stdout);
}

static const char *word_of(const struct saying *said)
{
    switch (said->kind) {
    case SAY_CONFIRMATION:
        return said->settled ? "SETTLED" : "REJECTED";
    case SAY_RETURN:
        return "RETURNED";
    case SAY_REVERSAL:
        return "REVERSED";
    case SAY_ANSWER:
        return "ANSWERED";
    }
    return "";
}

void bank_crash_at(struct bank *b, const struct bank_item *item, enum crash_point point)
{
    if (item->crash != point)
        return;
    bank_state_crash(b->state, slice_str(item->id), item->crash_step);
    bank_state_sync(b->state);
    complain("%s: crashes here (%s), as its script says", item->id, crash_name(point));
    raise(SIGKILL);
}

static void crash_any(struct bank *b, enum crash_point point)
{
    for (size_t i = 0; i < b->n_said; i++)
        bank_crash_at(b, b->said[i].item, point);
}

/* An answer may be quicker than the timer on which we die when something was sent. */
static void crash_on_answer(struct bank *b)
{
    crash_any(b, CRASH_SENT);
    crash_any(b, CRASH_ANSWERED);
}

/* ---------------------------------------------------------------- outcomes */

/* One saying was answered for good. */
static void take_outcome(struct bank *b, struct saying *said, struct slice outcome,
                         struct slice reason, struct slice message)
{
    bool refused = slice_equal_str(outcome, "REFUSED");
    char more[256];

    if (said->is_step && bank_is_surprise(said->step, outcome)) {
        b->surprised = true;
        if (refused)
            complain("%s: the gateway refuses what we say: %.*s: %.*s; a person must look",
                     said->id, SLICE_ARG(reason), SLICE_ARG(message));
        else
            complain("%s: %s: the gateway should have refused it; a person must look", said->id,
                     step_name(said->step));
    } else if (refused && said->is_step) {
        snprintf(more, sizeof more, "as expected of %s: %.*s: %.*s", step_name(said->step),
                 SLICE_ARG(reason), SLICE_ARG(message));
        bank_tell(b, "refused", said, more);
    } else if (refused) {
        complain("%s: the gateway refuses what we say: %.*s: %.*s; a person must look", said->id,
                 SLICE_ARG(reason), SLICE_ARG(message));
    } else if (slice_equal_str(outcome, "RECORDED")) {
        bank_tell(b, word_of(said), said, said->kind == SAY_ANSWER ? said->status : "");
    } else if (said->is_step && said->step != STEP_ACCEPT && said->step != STEP_REJECT) {
        bank_tell(b, "again", said, "answered as before");
    }
    bank_work_said(&b->work, said, outcome, reason);
}

/* The call did not come to an end that says anything: the same is said again, which is always right. */
static void say_again(struct bank *b, size_t i)
{
    bank_work_again(&b->work, &b->said[i], clock_monotonic_us() + BANK_RETRY_MS * US_PER_MS);
}

static void finish_call(struct bank *b)
{
    bank_state_sync(b->state);
    b->calling = false;
    b->sent = false;
    crash_any(b, CRASH_NOTED);
    for (size_t i = 0; i < b->n_said; i++)
        if (!b->said[i].item->booked) /* done with: else it is said again */
            b->said[i].item->crash = CRASH_NEVER;
    b->n_said = 0;
    bank_go_on(b);
}

/* ---------------------------------------------------------------- confirming */

static struct slice outcome_name(int32_t outcome)
{
    if (outcome == WIRE_RESULT_RECORDED)
        return SLICE("RECORDED");
    return outcome == WIRE_RESULT_DUPLICATE ? SLICE("DUPLICATE") : SLICE("REFUSED");
}

static bool is_definite(int32_t outcome)
{
    return outcome == WIRE_RESULT_RECORDED || outcome == WIRE_RESULT_DUPLICATE ||
           outcome == WIRE_RESULT_REFUSED;
}

/* The answer to a call about all that was said. False: there is none, and why has been told. */
static bool read_answer(struct bank *b, const char *method, const struct grpc_result *result,
                        const struct wire_message *type, void *response)
{
    crash_on_answer(b);
    arena_reset(&b->caller.arena);
    if (result->status == GRPC_OK)
        return wire_decode(type, slice_of(result->bytes, result->bytes_length), &b->caller.arena,
                           response)
                   .reason == REASON_NONE;
    complain_status(method, result->status, slice_of(result->message, result->message_length),
                    slice_of(result->details, result->details_length));
    return false;
}

static void take_result(struct bank *b, size_t i, int32_t outcome, struct slice reason,
                        struct slice message)
{
    if (is_definite(outcome))
        take_outcome(b, &b->said[i], outcome_name(outcome), reason, message);
    else
        say_again(b, i);
}

static void on_confirmed(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct wire_confirm_instructions_response response = {0};

    if (b->closing)
        return;
    bool good = read_answer(b, "ConfirmInstructions", result,
                            &wire_confirm_instructions_response_type, &response) &&
                response.results.n == b->n_said;
    for (size_t i = 0; i < b->n_said; i++) {
        const struct wire_confirmation_result *r = good ? &response.results.items[i] : NULL;

        if (r == NULL)
            say_again(b, i);
        else
            take_result(b, i, r->outcome, r->reason, r->message);
    }
    finish_call(b);
}

static void fill_confirmation(const struct saying *s, struct wire_confirmation *c)
{
    *c = (struct wire_confirmation){
        .present = true,
        .instruction_id = slice_str(s->id),
        .status = s->settled ? WIRE_STATUS_SETTLED : WIRE_STATUS_REJECTED,
        .amount = {true, slice_str(s->ccy), s->minor},
        .bank_reference = slice_str(s->reference),
        .tax_withheld = {s->tax_minor > 0, slice_str(s->ccy), s->tax_minor},
        .eprc_number = slice_str(s->eprc),
        .reason_code = slice_str(s->code),
    };
}

static void start_call(struct bank *b, const char *path, const struct wire_message *type,
                       const void *request, grpc_done_fn done)
{
    buf_reset(&b->caller.request);
    if (err_failed(wire_encode(type, request, &b->caller.request)))
        abort();
    grpc_client_unary(b->caller.client, path, buf_data(&b->caller.request),
                      buf_len(&b->caller.request), b->caller.timeout_ms, done, b);
}

static void confirm(struct bank *b)
{
    struct wire_confirm_instructions_request request = {.present = true};
    struct wire_confirmation *items = calloc(b->n_said, sizeof *items);

    if (items == NULL)
        abort();
    for (size_t i = 0; i < b->n_said; i++)
        fill_confirmation(&b->said[i], &items[i]);
    request.confirmations.items = items;
    request.confirmations.n = (uint32_t)b->n_said;
    start_call(b, BANK_SETTLEMENT "ConfirmInstructions", &wire_confirm_instructions_request_type,
               &request, on_confirmed);
    free(items);
}

/* ---------------------------------------------------------------- sending back */

/* One call about one saying: an outcome, or to be said again. */
static bool take_status(struct bank *b, const char *method, const struct grpc_result *result)
{
    struct slice message = slice_of(result->message, result->message_length);
    struct slice details = slice_of(result->details, result->details_length);
    struct wire_status status = {0};
    struct slice reason = slice_str(grpc_status_name(result->status));

    crash_on_answer(b);
    if (result->status == GRPC_OK)
        return true;
    if (details.len > 0 && wire_status_decode(details, &status) && status.reason.len > 0)
        reason = status.reason;
    if (status_may_pass(result->status) || slice_equal_str(reason, "INSUFFICIENT_FLOAT")) {
        complain_status(method, result->status, message, details);
        say_again(b, 0);
    } else {
        take_outcome(b, &b->said[0], SLICE("REFUSED"), reason, message);
    }
    return false;
}

/* After each return both sides have the same total of what came back. */
static void compare_returned(struct bank *b, const struct saying *said,
                             const struct wire_money *theirs)
{
    char ours_text[MONEY_TEXT_SIZE], theirs_text[MONEY_TEXT_SIZE];
    struct wire_money ours = {true, slice_str(said->item->ccy), said->item->returned_minor};

    if ((said->step != STEP_RETURN && said->step != STEP_REVERSE) ||
        theirs->minor_units == ours.minor_units)
        return;
    b->surprised = true;
    complain("%s: by our books %s came back, by the gateway's %s; a person must look", said->id,
             wire_money_shown(&ours, ours_text), wire_money_shown(theirs, theirs_text));
}

static void on_returned(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct wire_return_payment_response response;

    if (b->closing)
        return;
    arena_reset(&b->caller.arena);
    if (take_status(b, "ReturnPayment", result)) {
        if (wire_decode(&wire_return_payment_response_type,
                        slice_of(result->bytes, result->bytes_length), &b->caller.arena, &response)
                .reason == REASON_NONE)
            compare_returned(b, &b->said[0], &response.returned_amount);
        take_outcome(b, &b->said[0], SLICE("RECORDED"), SLICE(""), SLICE(""));
    }
    finish_call(b);
}

static void send_back(struct bank *b)
{
    const struct saying *s = &b->said[0];
    struct wire_return_payment_request request = {
        .present = true,
        .instruction_id = slice_str(s->id),
        .amount = {true, slice_str(s->ccy), s->minor},
        .reason_code = slice_str(s->code),
        .return_reference = slice_str(s->reference),
        .charge = {s->charge_minor > 0, slice_str(s->ccy), s->charge_minor},
    };

    start_call(b, BANK_SETTLEMENT "ReturnPayment", &wire_return_payment_request_type, &request,
               on_returned);
}

static void on_reversed(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct wire_reverse_return_response response;

    if (b->closing)
        return;
    arena_reset(&b->caller.arena);
    if (take_status(b, "ReverseReturn", result)) {
        if (wire_decode(&wire_reverse_return_response_type,
                        slice_of(result->bytes, result->bytes_length), &b->caller.arena, &response)
                .reason == REASON_NONE)
            compare_returned(b, &b->said[0], &response.returned_amount);
        take_outcome(b, &b->said[0], SLICE("RECORDED"), SLICE(""), SLICE(""));
    }
    finish_call(b);
}

static void take_back(struct bank *b)
{
    const struct saying *s = &b->said[0];
    struct wire_reverse_return_request request = {
        .present = true,
        .instruction_id = slice_str(s->id),
        .return_reference = slice_str(s->of_reference),
        .reversal_reference = slice_str(s->reference),
        .reason_code = slice_str(s->code),
    };

    start_call(b, BANK_SETTLEMENT "ReverseReturn", &wire_reverse_return_request_type, &request,
               on_reversed);
}

/* ---------------------------------------------------------------- answering what is asked */

static void on_answered(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct wire_answer_inquiries_response response = {0};

    if (b->closing)
        return;
    bool good = read_answer(b, "AnswerInquiries", result, &wire_answer_inquiries_response_type,
                            &response) &&
                response.results.n == b->n_said;
    for (size_t i = 0; i < b->n_said; i++) {
        const struct wire_inquiry_answer_result *r = good ? &response.results.items[i] : NULL;

        if (r == NULL)
            say_again(b, i);
        else
            take_result(b, i, r->outcome, r->reason, r->message);
    }
    finish_call(b);
}

static void answer(struct bank *b)
{
    struct wire_answer_inquiries_request request = {.present = true};
    struct wire_inquiry_answer *items = calloc(b->n_said, sizeof *items);

    if (items == NULL)
        abort();
    for (size_t i = 0; i < b->n_said; i++)
        items[i] = (struct wire_inquiry_answer){.present = true,
                                                .inquiry_id = slice_str(b->said[i].inquiry),
                                                .status_code = slice_str(b->said[i].status),
                                                .reason_code = slice_str(b->said[i].code)};
    request.answers.items = items;
    request.answers.n = (uint32_t)b->n_said;
    start_call(b, BANK_SETTLEMENT "AnswerInquiries", &wire_answer_inquiries_request_type, &request,
               on_answered);
    free(items);
}

/* ---------------------------------------------------------------- saying */

static void on_die(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    crash_any(b, CRASH_SENT);
}

void bank_say(struct bank *b)
{
    static const struct timeval soon = {0, 1000};

    bank_state_sync(b->state);
    crash_any(b, CRASH_BOOKED);
    b->sent = true;
    switch (b->said[0].kind) {
    case SAY_CONFIRMATION:
        confirm(b);
        break;
    case SAY_RETURN:
        send_back(b);
        break;
    case SAY_REVERSAL:
        take_back(b);
        break;
    case SAY_ANSWER:
        answer(b);
        break;
    }
    for (size_t i = 0; i < b->n_said; i++)
        if (b->said[i].item->crash == CRASH_SENT)
            event_base_once(b->base, -1, EV_TIMEOUT, on_die, b, &soon);
}
