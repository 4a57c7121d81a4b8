/*
 * call.h: calls to the gateway, over mutual TLS, for commands. Every function that fails has told the user why.
 */
#ifndef UJRAT_CLI_CALL_H
#define UJRAT_CLI_CALL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/command.h"
#include "gateway/net/grpc_client.h"
#include "gateway/wire/payout_messages.h"
#include "gateway/wire/wire.h"

#include <jansson.h>
#include <stdint.h>

struct caller {
    grpc_client_t *client;
    uint32_t timeout_ms;
    struct arena arena; /* what the last answer was decoded into */
    struct buf request;
    grpc_reply_t reply; /* the last answer: slices of it point in here */
};

/* Where and as whom: --addr, --ca, --as, --cert, --key or the environment. EXIT_DONE, EXIT_USAGE, EXIT_REFUSED.
 * Nothing is connected yet. */
enum exit_code caller_open(const struct args *args, struct caller *caller);
void caller_close(struct caller *caller);

/* One call that only asks: EXIT_DONE and *answer (good until the next call), or EXIT_REFUSED. */
enum exit_code caller_ask(struct caller *caller, const char *path,
                          const struct wire_message *request_type, const void *request,
                          const struct wire_message *answer_type, void *answer);

/* One call that changes something: EXIT_UNKNOWN, too, when it may have been done. */
enum exit_code caller_change(struct caller *caller, const char *path,
                             const struct wire_message *request_type, const void *request,
                             const struct wire_message *answer_type, void *answer);

/* The same without a word, for who tries again: caller->reply says how it ended. */
bool caller_try(struct caller *caller, const char *path, const struct wire_message *request_type,
                const void *request, const struct wire_message *answer_type, void *answer);

/* "SubmitPayout: INSUFFICIENT_FLOAT: gross: The prefunded float does not cover this payout." */
void complain_status(const char *what, enum grpc_status status, struct slice message,
                     struct slice details);

/* Whether a call that ended so may be simply made again later: nothing is wrong with it. */
bool status_may_pass(enum grpc_status status);

/* "1234.50"; empty if absent. Returns out. */
const char *wire_money_text(const struct wire_money *money, char out[MONEY_TEXT_SIZE]);

/* "USD 1,234.50". */
const char *wire_money_shown(const struct wire_money *money, char out[MONEY_TEXT_SIZE]);

/* "12.50" and "USD" into a message; the code's text must live as long as it. Complains. */
bool wire_money_parse(const char *what, const char *amount, const char *code,
                      struct wire_money *out);

/* "SETTLED": never NULL. */
const char *payout_state_shown(int32_t state);
const char *outcome_shown(int32_t outcome);

/* Slices as C strings for tables; at most size - 1 bytes. Returns out. */
const char *slice_text(struct slice s, char *out, size_t out_size);

/* A message as JSON by its table. */
json_t *wire_json(const struct wire_message *type, const void *message);
/* To standard output. */
void print_json(const json_t *json);
void print_wire_json(const struct wire_message *type, const void *message);
/* On one line. */
void print_wire_json_line(const struct wire_message *type, const void *message);

#endif
