/* bank_run.h: the sandbox bank while it runs, shared by the files cli/bank_*.c that are it. */
#ifndef UJRAT_CLI_BANK_RUN_H
#define UJRAT_CLI_BANK_RUN_H

#include "cli/bank_script.h"
#include "cli/bank_state.h"
#include "cli/bank_work.h"
#include "cli/call.h"

#include <event2/event.h>

#define BANK_SETTLEMENT "/ujrat.settlement.v1.SettlementService/"
#define BANK_BATCH_MAX  1000
#define BANK_RETRY_MS   500

struct bank {
    struct caller caller;
    struct event_base *base;
    struct bank_state *state;
    struct bank_work work;
    struct script script;
    long long delay_ms, batch, tax_bps, tax_bps_pseb;
    long long windows_ms; /* 0: windows are not reported */
    int64_t reported;     /* windows up to this one were, in this run */
    int64_t n_recalls;
    const char *code; /* for references: what --as said, or BANK */
    bool quiet;

    struct saying said[BANK_BATCH_MAX]; /* in the call under way, or about to be */
    size_t n_said;
    bool calling;   /* a call is under way, or its delay runs */
    bool sent;      /* a call is under way */
    bool stopping;  /* nothing new is begun */
    bool closing;   /* what is still called back says nothing any more */
    bool surprised; /* the gateway refused what it should not have, or the other way round */

    grpc_client_call_t *stream, *inquiries;
    struct event *timer, *due_timer, *stream_timer, *inquiries_timer, *windows_timer, *stops[3];
    enum exit_code code_at_end;
};

/* After every event: says the next thing unless one is under way. */
void bank_go_on(struct bank *b);

/* Says b->said; calls bank_go_on() once it is answered. */
void bank_say(struct bank *b);

/* Makes what an instruction (of which `what` has the id, currency and amount) becomes, and what is withheld. */
void bank_take(struct bank *b, struct bank_item *what, struct slice iban, bool export_of_services,
               bool pseb, const char *shown);

/* bank_ask.c */
void bank_open_inquiries(struct bank *b);
void bank_look_at_windows(struct bank *b);

/* We ask the bank to give a payment back. */
void bank_recalled(struct bank *b, struct bank_item *item, struct slice inquiry);

/* Dies, if that instruction's script says so here. */
void bank_crash_at(struct bank *b, const struct bank_item *item, enum crash_point point);

/* "12:00:01 MUCB SETTLED  UJ1-7  PKR 1,234.50  ..." */
void bank_tell(const struct bank *b, const char *word, const struct saying *said, const char *more);

void bank_wait_ms(struct event *timer, long long ms);

#endif
