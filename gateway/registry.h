/*
 * registry.h: what every call needs to know and that changes seldom: who may call, books and their accounts,
 * banks, the policy in force, the current rates. Read from the ledger when a worker starts, again every
 * registry_refresh, and when the next version of the policy begins; the new copy takes the old one's place between two events of the loop.
 *
 * So pointers given out here are good until the handler returns to the event loop and no longer: what a
 * call needs after it has waited for something, it copies.
 */
#ifndef UJRAT_GATEWAY_REGISTRY_H
#define UJRAT_GATEWAY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/str.h"
#include "domain/bank.h"
#include "domain/policy.h"
#include "domain/pricing.h"
#include "domain/purpose.h"
#include "domain/rate_sheet.h"

struct event_base;
struct ledger;
struct registry;

#define PRINCIPAL_URI_SIZE  64
#define PRINCIPAL_CODE_SIZE 33
#define RATE_SOURCE_SIZE    32

enum role {
    ROLE_NONE = 0,
    ROLE_PLATFORM = 1,
    ROLE_BANK = 2,
    ROLE_AUDITOR = 4,
    ROLE_OPERATOR = 8,
    ROLE_SYSTEM = 16,
};

struct principal {
    int32_t principal_id;
    enum role role;
    int32_t book_id; /* of a platform, else 0 */
    int16_t bank_id; /* of a bank, else 0 */
    bool enabled;
    char uri[PRINCIPAL_URI_SIZE];   /* "ujrat://platform/upwork" */
    char code[PRINCIPAL_CODE_SIZE]; /* its last part: "upwork", "MUCB" */
};

#define CLIENT_ID_SIZE 81

/* A client of the REST API. */
struct registry_credential {
    int32_t credential_id;
    bool enabled, sandbox;
    const struct principal *principal; /* a platform */
    char client_id[CLIENT_ID_SIZE];
    uint8_t secret_salt[16], secret_sha256[32]; /* SHA-256(salt, secret) */
    uint8_t token_key[32];                      /* signs its bearer tokens */
};

struct registry_bank {
    int16_t bank_id;
    bool connected;
    char code[5];
    char name[BANK_NAME_SIZE]; /* for people */
};

struct registry_book {
    int32_t book_id;
    char code[PRINCIPAL_CODE_SIZE];
};

enum account_role {
    ACCOUNT_FLOAT = 1,
    ACCOUNT_CORRESPONDENT,
    ACCOUNT_FEE,
    ACCOUNT_MARGIN,
    ACCOUNT_POSITION,
    ACCOUNT_PAYABLE,
    ACCOUNT_NOSTRO,
};

struct registry_rates {
    int32_t rate_id; /* 0: there is no good sheet */
    int64_t as_of_us;
    char source[RATE_SOURCE_SIZE];
    struct rate_sheet sheet;
};

struct registry_config {
    struct event_base *base;
    struct ledger *ledger;
    struct log *log;
    uint32_t refresh_ms;
    /* Called after the first load and whenever a load succeeds after one that failed, or the other way. */
    void (*on_state)(void *user, bool loaded);
    void (*on_load)(void *user); /* after every load that succeeded; may be NULL */
    void *user;
};

/* Begins to load at once; everything is unknown until it has. */
MUST_CHECK err_t registry_new(const struct registry_config *config, struct registry **out);
void registry_free(struct registry **r);
bool registry_is_loaded(const struct registry *r);

/* All: NULL (or 0) if there is none. */
const struct principal *registry_principal(const struct registry *r, struct slice uri);
const struct registry_credential *registry_credential(const struct registry *r,
                                                      struct slice client_id);
const struct registry_credential *registry_credential_by_id(const struct registry *r,
                                                            int32_t credential_id);
const struct registry_book *registry_book_by_code(const struct registry *r, struct slice code);
const struct registry_bank *registry_bank(const struct registry *r, int16_t bank_id);
const struct registry_bank *registry_bank_by_code(const struct registry *r, struct slice code);
/* The i-th by code; NULL past the end. */
const struct registry_bank *registry_bank_at(const struct registry *r, size_t i);
/* bank_id 0 for roles that have none. */
int32_t registry_account(const struct registry *r, int32_t book_id, enum account_role role,
                         uint16_t ccy, int16_t bank_id);
/* The version of the policy in force, 0 if there is none, and its rules: the two belong together. */
int32_t registry_policy_id(const struct registry *r);
const struct policy_rules *registry_rules(const struct registry *r);
/* What a book's platform pays; false: nothing is agreed for that currency. */
bool registry_terms(const struct registry *r, int32_t book_id, uint16_t ccy,
                    struct policy_terms *out);
/* Whether a purpose code may be used for a channel: any may, unless the policy has some for it. */
bool registry_purpose_in_force(const struct registry *r, enum channel channel, struct slice code);
const struct registry_rates *registry_rates(const struct registry *r);

#endif
