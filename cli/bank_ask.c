/* What the sandbox bank is asked (inquiries, recalls), and the windows that it reports its own totals of. */
#include "cli/bank_run.h"
#include "gateway/wire/settlement_messages.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- inquiries */

static void take_inquiry(struct bank *b, const struct wire_inquiry *in)
{
    struct bank_item *item = bank_state_find(b->state, in->instruction_id);

    if (item == NULL)
        complain("%.*s: asked about %.*s, which has not been delivered", SLICE_ARG(in->inquiry_id),
                 SLICE_ARG(in->instruction_id));
    else if (in->inquiry_id.len >= sizeof item->inquiry)
        complain("an inquiry has an id that is too long; it is left alone");
    else if (in->kind == WIRE_INQUIRY_RECALL)
        bank_recalled(b, item, in->inquiry_id);
    else
        bank_work_asked(&b->work, item, in->inquiry_id);
}

static void on_inquiries(void *user, grpc_client_call_t *call, const uint8_t *bytes, size_t length)
{
    struct bank *b = user;
    struct wire_watch_inquiries_response response;

    if (b->stopping || call != b->inquiries)
        return;
    arena_reset(&b->caller.arena);
    if (wire_decode(&wire_watch_inquiries_response_type, slice_of(bytes, length), &b->caller.arena,
                    &response)
            .reason != REASON_NONE) {
        complain("an inquiry cannot be read");
        return;
    }
    for (uint32_t i = 0; i < response.inquiries.n; i++)
        take_inquiry(b, &response.inquiries.items[i]);
    bank_go_on(b);
}

static void on_inquiries_done(void *user, const struct grpc_result *result)
{
    struct bank *b = user;

    (void)result; /* the stream of instructions says what is wrong */
    if (b->stopping || b->closing)
        return;
    b->inquiries = NULL;
    bank_wait_ms(b->inquiries_timer, BANK_RETRY_MS);
}

/* Always all that are still open: what was answered is not among them, and what is known changes nothing. */
void bank_open_inquiries(struct bank *b)
{
    struct wire_watch_inquiries_request request = {.present = true};
    struct grpc_stream_handler handler = {on_inquiries, on_inquiries_done, b};

    buf_reset(&b->caller.request);
    if (err_failed(wire_encode(&wire_watch_inquiries_request_type, &request, &b->caller.request)))
        abort();
    b->inquiries = grpc_client_server_stream(b->caller.client, BANK_SETTLEMENT "WatchInquiries",
                                             buf_data(&b->caller.request),
                                             buf_len(&b->caller.request), 0, &handler);
}

/* ---------------------------------------------------------------- windows */

/* Every instruction of the window has been answered, and the gateway has heard it. */
static bool all_said(const struct bank *b, int64_t window_no)
{
    for (size_t i = 0; i < bank_state_count(b->state); i++) {
        const struct bank_item *item = bank_state_item(b->state, i);

        if (item->window_no != window_no)
            continue;
        if (item->answer == 0)
            return false;
        if (item->booked && (item->plan->steps[item->at].kind == STEP_ACCEPT ||
                             item->plan->steps[item->at].kind == STEP_REJECT))
            return false; /* it is about to be said */
    }
    return true;
}

/* Its own totals of a window whose instructions it all has, and has all answered. */
static bool fill_report(const struct bank *b, const struct wire_window *w,
                        struct wire_report_window_request *request)
{
    struct bank_totals t;

    if (w->state != WIRE_WINDOW_CLOSED && w->state != WIRE_WINDOW_DISPUTED)
        return false;
    bank_state_totals(b->state, w->window_no, &t);
    *request = (struct wire_report_window_request){.present = true,
                                                   .window_no = w->window_no,
                                                   .currency_code = w->currency_code,
                                                   .settled_count = t.paid,
                                                   .settled_minor_units = t.paid_minor,
                                                   .rejected_count = t.rejected,
                                                   .rejected_minor_units = t.rejected_minor};
    return t.instructed == w->instructed_count && all_said(b, w->window_no);
}

static const char *window_state(int32_t state)
{
    static const char *const names[] = {"?", "OPEN", "CLOSED", "SETTLED", "DISPUTED"};

    return state >= 0 && state <= WIRE_WINDOW_DISPUTED ? names[state] : names[0];
}

static void look_again(struct bank *b)
{
    bank_wait_ms(b->windows_timer, b->windows_ms);
}

static void on_reported(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct wire_window w;

    if (b->closing)
        return;
    arena_reset(&b->caller.arena);
    if (result->status != GRPC_OK)
        complain_status("ReportWindow", result->status,
                        slice_of(result->message, result->message_length),
                        slice_of(result->details, result->details_length));
    else if (wire_decode(&wire_window_type, slice_of(result->bytes, result->bytes_length),
                         &b->caller.arena, &w)
                 .reason == REASON_NONE) {
        b->reported = w.window_no;
        if (!b->quiet)
            printf("%s window %lld reported: %s\n", b->code, (long long)w.window_no,
                   window_state(w.state));
        fflush(stdout);
    }
    look_again(b);
}

/* The oldest that is to be reported: one at a time. */
static void report_one(struct bank *b, const struct wire_list_windows_response *list)
{
    struct wire_report_window_request request;

    for (uint32_t i = list->windows.n; i > 0; i--) {
        const struct wire_window *w = &list->windows.items[i - 1];

        if (w->window_no <= b->reported || !fill_report(b, w, &request))
            continue;
        buf_reset(&b->caller.request);
        if (err_failed(wire_encode(&wire_report_window_request_type, &request, &b->caller.request)))
            abort();
        grpc_client_unary(b->caller.client, BANK_SETTLEMENT "ReportWindow",
                          buf_data(&b->caller.request), buf_len(&b->caller.request),
                          b->caller.timeout_ms, on_reported, b);
        return;
    }
    look_again(b);
}

static void on_windows(void *user, const struct grpc_result *result)
{
    struct bank *b = user;
    struct wire_list_windows_response list;

    if (b->closing)
        return;
    arena_reset(&b->caller.arena);
    if (result->status == GRPC_OK &&
        wire_decode(&wire_list_windows_response_type, slice_of(result->bytes, result->bytes_length),
                    &b->caller.arena, &list)
                .reason == REASON_NONE)
        report_one(b, &list);
    else
        look_again(b);
}

void bank_look_at_windows(struct bank *b)
{
    struct wire_list_windows_request request = {.present = true};

    buf_reset(&b->caller.request);
    if (err_failed(wire_encode(&wire_list_windows_request_type, &request, &b->caller.request)))
        abort();
    grpc_client_unary(b->caller.client, BANK_SETTLEMENT "ListWindows", buf_data(&b->caller.request),
                      buf_len(&b->caller.request), b->caller.timeout_ms, on_windows, b);
}
