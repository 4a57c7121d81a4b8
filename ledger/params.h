/*
 * What a statement is given: values in PostgreSQL's binary format, gathered in one bounded buffer.
 *
 * The scalar values come first to last as $1, $2, ...; an array of rows of a composite type
 * (ledger/schema: payout_draft, confirmation_draft ...) is one value, written row by row.
 * The buffer owns copies of everything put into it.
 */
#ifndef UJRAT_LEDGER_PARAMS_H
#define UJRAT_LEDGER_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { PARAMS_MAX = 16 };

/* Composite types of the schema that arrays are made of; their OIDs are asked for at connect. */
enum ledger_type {
    LEDGER_TYPE_PAYOUT_DRAFT,
    LEDGER_TYPE_BENEFICIARY_DRAFT,
    LEDGER_TYPE_CONFIRMATION_DRAFT,
    LEDGER_TYPE_BLOCK_SEAL_DRAFT,
    LEDGER_TYPE_QUESTION_ANSWER,
    LEDGER_TYPE_BATCH_ITEM_DRAFT,
    LEDGER_TYPE_COUNT,
};

struct params {
    uint8_t *bytes;
    size_t len;
    size_t cap;
    int n;
    bool failed;                /* out of memory: ledger_query then answers NOT_SENT */
    size_t offset[PARAMS_MAX];  /* where the value begins in bytes */
    int32_t length[PARAMS_MAX]; /* -1: NULL */
    size_t type_at[PARAMS_MAX]; /* where an array's element OID goes, 0: no array */
    enum ledger_type type[PARAMS_MAX];
    size_t array_count_at; /* inside an array: where its row count goes */
    size_t row_length_at;  /* inside a row: where its length goes */
    int32_t array_rows;
};

void params_init(struct params *p);
void params_deinit(struct params *p);
/* Empties it, keeping the memory. */
void params_reset(struct params *p);

void params_add_int2(struct params *p, int16_t v);
void params_add_int4(struct params *p, int32_t v);
void params_add_int8(struct params *p, int64_t v);
void params_add_bool(struct params *p, bool v);
void params_add_text(struct params *p, struct slice v);         /* also for bytea */
void params_add_text_or_null(struct params *p, struct slice v); /* empty: NULL */
void params_add_time_us(struct params *p, int64_t unix_us); /* timestamptz; INT64_MAX: infinity */
void params_add_null(struct params *p);
void params_add_int8_array(struct params *p, const int64_t *v, int32_t n);

void params_array_begin(struct params *p, enum ledger_type type);
void params_row_begin(struct params *p, int32_t columns);
void params_row_int2(struct params *p, int16_t v);
void params_row_int4(struct params *p, int32_t v);
void params_row_int8(struct params *p, int64_t v);
void params_row_int2_or_null(struct params *p, int16_t v); /* 0: NULL */
void params_row_int4_or_null(struct params *p, int32_t v); /* 0: NULL */
void params_row_int8_or_null(struct params *p, int64_t v); /* 0: NULL */
void params_row_text(struct params *p, struct slice v);
void params_row_text_or_null(struct params *p, struct slice v);
void params_row_bytea(struct params *p, struct slice v);
void params_row_bytea_or_null(struct params *p, struct slice v);
void params_row_int2_array(struct params *p, const int16_t *v, int32_t n);
void params_row_int4_array(struct params *p, const int32_t *v, int32_t n);
void params_row_int8_array(struct params *p, const int64_t *v, int32_t n);
/* A column that is itself a row: what is written between begin and end. */
size_t params_row_nested_begin(struct params *p, uint32_t type_oid, int32_t columns);
void params_row_nested_end(struct params *p, size_t start);
void params_row_null(struct params *p, uint32_t type_oid);
void params_row_end(struct params *p);
void params_array_end(struct params *p);

/* Fills in the element types of the arrays, which only a connection knows. For ledger/ itself. */
void params_set_types(struct params *p, const uint32_t oid[LEDGER_TYPE_COUNT]);

#endif
