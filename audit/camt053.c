#include "audit/camt053.h"

#include "base/clock.h"
#include "base/str.h"

#include <assert.h>
#include <libxml/xmlIO.h>
#include <libxml/xmlreader.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH_MAX_BYTES 256 /* of what we look for; a longer path is none of ours */
#define TEXT_SIZE      2048
#define DIGITS_MAX     18

struct charge {
    struct camt_amount amount, total;
    bool credit;
    int64_t sum;       /* of the records so far, debit positive */
    int64_t total_sum; /* of TtlChrgsAndTaxAmt */
    bool any_record;
};

struct reader {
    const struct camt_sink *sink;
    struct camt_error *error;
    bool failed;
    xmlTextReaderPtr xml;

    /* the source, watched byte by byte */
    camt_source *read;
    void *source;
    int64_t bytes, deadline_us;
    size_t token;   /* bytes since the last '<' */
    size_t doctype; /* how much of "<!DOCTYPE" was just seen */
    bool any, at_end;
    char prolog[256]; /* the file's first bytes: whatever encoding it claims stands there */
    size_t prolog_len;

    /* where we are: names from below BkToCstmrStmt, joined by '/' */
    char path[PATH_MAX_BYTES];
    size_t path_len[CAMT_DEPTH_MAX + 1]; /* before each level; SIZE_MAX: the path did not fit */
    int depth;
    bool path_fits;
    const struct row *row; /* of the element whose text is gathered */
    int row_depth;
    char text[TEXT_SIZE];
    size_t text_len;
    char ccy[4];

    bool in_document, in_message, began, statements_seen, sign_seen, status_seen;
    struct camt_statement statement;
    struct camt_balance balance;
    struct camt_amount balance_amount;
    bool credit;
    struct camt_entry entry;
    struct camt_transaction transaction;
    bool transaction_sign_seen, transaction_credit;
    struct charge charge;
    struct camt_amount instructed;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct reader *r, const char *format, ...)
{
    va_list args;

    if (r->failed) /* the first complaint is the cause of the others */
        return false;
    r->failed = true;
    r->error->line = r->xml == NULL ? 0 : xmlTextReaderGetParserLineNumber(r->xml);
    va_start(args, format);
    if (r->error->text[0] == '\0') /* or else the sink has said why */
        vsnprintf(r->error->text, sizeof r->error->text, format, args);
    va_end(args);
    /* What the file says is shown on a terminal. */
    for (char *c = r->error->text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 127)
            *c = '?';
    return false;
}

/* ---------------------------------------------------------------- bytes */

/* A DOCTYPE never reaches the parser, and neither does a token of a size that no statement has. */
static bool watch(struct reader *r, const char *p, int n)
{
    static const char doctype[] = "<!DOCTYPE";

    for (int i = 0; i < n && r->prolog_len < sizeof r->prolog - 1; i++)
        r->prolog[r->prolog_len++] = p[i];
    for (int i = 0; i < n; i++) {
        r->token = p[i] == '<' ? 0 : r->token + 1;
        if (r->token > CAMT_TOKEN_MAX)
            return fail(r, "more than %d bytes without a tag: no statement is like this",
                        CAMT_TOKEN_MAX);
        if (p[i] == doctype[r->doctype])
            r->doctype++;
        else
            r->doctype = p[i] == '<' ? 1 : 0;
        if (r->doctype == sizeof doctype - 1)
            return fail(r, "it has a DOCTYPE, which no statement needs and none may have");
    }
    return true;
}

static int on_read(void *user, char *out, int len)
{
    struct reader *r = user;
    int n;

    if (r->failed)
        return -1;
    if (clock_monotonic_us() > r->deadline_us) {
        fail(r, "reading took more than %d seconds", CAMT_SECONDS_MAX);
        return -1;
    }
    n = r->read(r->source, out, len);
    if (n < 0) {
        fail(r, "it cannot be read");
        return -1;
    }
    r->bytes += n;
    if (r->bytes > CAMT_BYTES_MAX) {
        fail(r, "it is larger than %lld bytes", CAMT_BYTES_MAX);
        return -1;
    }
    if (!r->any && n > 1 && ((unsigned char)out[0] >= 0xfe || out[0] == '\0' || out[1] == '\0')) {
        fail(r, "it is not UTF-8");
        return -1;
    }
    r->any = r->any || n > 0;
    r->at_end = n == 0;
    return watch(r, out, n) ? n : -1;
}

/* Nothing is ever opened for the parser: not a file, not a connection. */
static xmlParserInputPtr no_entity(const char *url, const char *id, xmlParserCtxtPtr context)
{
    (void)url;
    (void)id;
    (void)context;
    return NULL;
}

static void on_error(void *user, xmlErrorPtr e)
{
    struct reader *r = user;
    char text[200];

    if (r->failed || e->level < XML_ERR_ERROR)
        return;
    snprintf(text, sizeof text, "%s", e->message == NULL ? "not well-formed" : e->message);
    text[strcspn(text, "\n")] = '\0';
    if (!r->any)
        fail(r, "it is empty");
    else if (e->code == XML_ERR_INVALID_ENCODING || strstr(text, "UTF-8") != NULL)
        fail(r, "it is not UTF-8");
    else if (r->at_end && r->depth > 0 && xmlTextReaderByteConsumed(r->xml) >= r->bytes - 1)
        fail(r, "it ends in the middle");
    else
        fail(r, "it is not well-formed XML: %s", text);
    if (r->error->line == 0)
        r->error->line = e->line;
}

/* ---------------------------------------------------------------- values */

static bool parse_decimal(struct reader *r, struct slice text, int digits, int64_t *out)
{
    int64_t v = 0;
    int after = -1;
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '.' && after < 0 && i > 0 && i + 1 < text.len) {
            after = 0;
            continue;
        }
        if (!char_is_digit(c) || (after >= 0 && ++after > digits))
            goto bad;
        if (++n > DIGITS_MAX)
            return fail(r, "the amount %.*s is too large", SLICE_ARG(text));
        v = v * 10 + (c - '0');
    }
    if (n == 0)
        goto bad;
    for (int i = after < 0 ? 0 : after; i < digits; i++)
        if (__builtin_mul_overflow(v, 10, &v))
            return fail(r, "the amount %.*s is too large", SLICE_ARG(text));
    *out = v;
    return true;
bad:
    return fail(r, "'%.*s' is no amount with at most %d decimals", SLICE_ARG(text), digits);
}

static bool take_amount(struct reader *r, struct slice text, struct camt_amount *out)
{
    int digits;

    if (r->ccy[0] == '\0')
        return fail(r, "an amount has no currency (Ccy)");
    digits = r->sink->digits(r->sink->user, r->ccy);
    if (digits < 0)
        return fail(r, "'%s' is no currency we know", r->ccy);
    memcpy(out->ccy, r->ccy, sizeof out->ccy);
    out->present = true;
    return parse_decimal(r, text, digits, &out->minor);
}

static bool take_number(struct reader *r, struct slice text, int64_t *out)
{
    if (err_failed(str_parse_int64(text, out)) || *out < 0)
        return fail(r, "'%.*s' is no number", SLICE_ARG(text));
    return true;
}

static bool take_bool(struct reader *r, struct slice text, bool *out)
{
    *out = slice_equal_str(text, "true") || slice_equal_str(text, "1");
    if (*out || slice_equal_str(text, "false") || slice_equal_str(text, "0"))
        return true;
    return fail(r, "'%.*s' is neither true nor false", SLICE_ARG(text));
}

static bool take_credit(struct reader *r, struct slice text, bool *credit)
{
    *credit = slice_equal_str(text, "CRDT");
    if (*credit || slice_equal_str(text, "DBIT"))
        return true;
    return fail(r, "CdtDbtInd '%.*s' is neither CRDT nor DBIT", SLICE_ARG(text));
}

/* The day as the bank writes it, whatever the offset or hour behind it. */
static bool take_date(struct reader *r, struct slice text, int32_t *out)
{
    if (text.len >= 10 && !err_failed(timefmt_parse_date(slice_of(text.p, 10), out)))
        return true;
    return fail(r, "'%.*s' is no date", SLICE_ARG(text));
}

static bool take_time(struct reader *r, struct slice text, int64_t *out)
{
    char with_offset[64];
    bool has_offset =
        text.len > 0 &&
        (text.p[text.len - 1] == 'Z' ||
         (text.len > 6 && (text.p[text.len - 6] == '+' || text.p[text.len - 6] == '-')));
    int n = snprintf(with_offset, sizeof with_offset, "%.*s%s", SLICE_ARG(text),
                     has_offset ? "" : "+05:00");

    if (n < (int)sizeof with_offset &&
        !err_failed(timefmt_parse_rfc3339(slice_str(with_offset), out)))
        return true;
    return fail(r, "'%.*s' is no date and time", SLICE_ARG(text));
}

static bool take_status(struct reader *r, struct slice text)
{
    r->status_seen = true;
    if (slice_equal_str(text, "BOOK"))
        r->entry.status = CAMT_BOOKED;
    else if (slice_equal_str(text, "PDNG") || slice_equal_str(text, "FUTR"))
        r->entry.status = CAMT_PENDING;
    else if (slice_equal_str(text, "INFO"))
        r->entry.status = CAMT_INFO;
    else
        return fail(r, "the status '%.*s' is none of BOOK, PDNG, INFO and FUTR", SLICE_ARG(text));
    return true;
}

/* A currency's code as an attribute or as a text; it is kept in four bytes. */
static bool take_ccy(struct reader *r, struct slice text, char out[4])
{
    bool good = text.len == 3;

    for (size_t i = 0; good && i < 3; i++)
        good = char_is_upper(text.p[i]);
    if (!good)
        return fail(r, "'%.*s' is no currency",
                    SLICE_ARG(slice_of(text.p, text.len > 20 ? 20 : text.len)));
    memcpy(out, text.p, 3);
    out[3] = '\0';
    return true;
}

/* ---------------------------------------------------------------- what is looked for */

enum what {
    W_TEXT, /* into the struct at offset, at most size - 1 bytes */
    W_MESSAGE_PAGE,
    W_SEQUENCE,
    W_PAGE,
    W_FROM,
    W_TO,
    W_ACCOUNT,
    W_ACCOUNT_CCY,
    W_BALANCE_AMOUNT,
    W_BALANCE_SIGN,
    W_BALANCE_DATE,
    W_ENTRY_AMOUNT,
    W_ENTRY_SIGN,
    W_REVERSAL,
    W_STATUS,
    W_BOOKING_DATE,
    W_VALUE_DATE,
    W_TX_AMOUNT,
    W_TX_DETAIL_AMOUNT,
    W_TX_SIGN,
    W_END_TO_END_ID,
    W_RETURN,
    W_CHARGE_AMOUNT,
    W_CHARGE_TOTAL,
    W_CHARGE_SIGN,
};

struct row {
    const char *path;
    enum what what;
    size_t offset, size; /* W_TEXT: within struct reader */
};

#define INTO(path, field)                                                                          \
    {                                                                                              \
        path, W_TEXT, offsetof(struct reader, field), sizeof(((struct reader *)0)->field)          \
    }
#define TX "Stmt/Ntry/NtryDtls/TxDtls/"

/* Paths of the three versions together: what one of them has, no other one means otherwise. */
static const struct row rows[] = {
    INTO("GrpHdr/MsgId", statement.message_id),
    {"GrpHdr/MsgPgntn/PgNb", W_MESSAGE_PAGE, 0, 0},
    INTO("Stmt/Id", statement.id),
    {"Stmt/StmtPgntn/PgNb", W_PAGE, 0, 0},
    {"Stmt/ElctrncSeqNb", W_SEQUENCE, 0, 0},
    {"Stmt/FrToDt/FrDtTm", W_FROM, 0, 0},
    {"Stmt/FrToDt/ToDtTm", W_TO, 0, 0},
    INTO("Stmt/CpyDplctInd", statement.copy),
    {"Stmt/Acct/Id/IBAN", W_ACCOUNT, 0, 0},
    {"Stmt/Acct/Id/Othr/Id", W_ACCOUNT, 0, 0},
    {"Stmt/Acct/Ccy", W_ACCOUNT_CCY, 0, 0},
    INTO("Stmt/Acct/Svcr/FinInstnId/BIC", statement.bic),
    INTO("Stmt/Acct/Svcr/FinInstnId/BICFI", statement.bic),
    INTO("Stmt/Bal/Tp/CdOrPrtry/Cd", balance.code),
    {"Stmt/Bal/Amt", W_BALANCE_AMOUNT, 0, 0},
    {"Stmt/Bal/CdtDbtInd", W_BALANCE_SIGN, 0, 0},
    {"Stmt/Bal/Dt/Dt", W_BALANCE_DATE, 0, 0},
    {"Stmt/Bal/Dt/DtTm", W_BALANCE_DATE, 0, 0},
    INTO("Stmt/Ntry/NtryRef", entry.reference),
    {"Stmt/Ntry/Amt", W_ENTRY_AMOUNT, 0, 0},
    {"Stmt/Ntry/CdtDbtInd", W_ENTRY_SIGN, 0, 0},
    {"Stmt/Ntry/RvslInd", W_REVERSAL, 0, 0},
    {"Stmt/Ntry/Sts", W_STATUS, 0, 0},
    {"Stmt/Ntry/Sts/Cd", W_STATUS, 0, 0},
    {"Stmt/Ntry/BookgDt/Dt", W_BOOKING_DATE, 0, 0},
    {"Stmt/Ntry/BookgDt/DtTm", W_BOOKING_DATE, 0, 0},
    {"Stmt/Ntry/ValDt/Dt", W_VALUE_DATE, 0, 0},
    {"Stmt/Ntry/ValDt/DtTm", W_VALUE_DATE, 0, 0},
    INTO("Stmt/Ntry/AcctSvcrRef", entry.bank_reference),
    INTO("Stmt/Ntry/BkTxCd/Domn/Fmly/SubFmlyCd", entry.sub_family),
    {"Stmt/Ntry/Chrgs/TtlChrgsAndTaxAmt", W_CHARGE_TOTAL, 0, 0},
    {"Stmt/Ntry/Chrgs/Amt", W_CHARGE_AMOUNT, 0, 0},
    {"Stmt/Ntry/Chrgs/CdtDbtInd", W_CHARGE_SIGN, 0, 0},
    {"Stmt/Ntry/Chrgs/Rcrd/Amt", W_CHARGE_AMOUNT, 0, 0},
    {"Stmt/Ntry/Chrgs/Rcrd/CdtDbtInd", W_CHARGE_SIGN, 0, 0},
    INTO(TX "Refs/AcctSvcrRef", transaction.bank_reference),
    INTO(TX "Refs/InstrId", transaction.instruction_id),
    {TX "Refs/EndToEndId", W_END_TO_END_ID, 0, 0},
    INTO(TX "Refs/TxId", transaction.transaction_id),
    {TX "Amt", W_TX_AMOUNT, 0, 0},
    {TX "AmtDtls/TxAmt/Amt", W_TX_DETAIL_AMOUNT, 0, 0},
    {TX "CdtDbtInd", W_TX_SIGN, 0, 0},
    INTO(TX "BkTxCd/Domn/Fmly/SubFmlyCd", transaction.sub_family),
    {TX "Chrgs/TtlChrgsAndTaxAmt", W_CHARGE_TOTAL, 0, 0},
    {TX "Chrgs/Amt", W_CHARGE_AMOUNT, 0, 0},
    {TX "Chrgs/CdtDbtInd", W_CHARGE_SIGN, 0, 0},
    {TX "Chrgs/Rcrd/Amt", W_CHARGE_AMOUNT, 0, 0},
    {TX "Chrgs/Rcrd/CdtDbtInd", W_CHARGE_SIGN, 0, 0},
    {TX "RtrInf/Rsn/Cd", W_RETURN, 0, 0},
    {TX "RtrInf/Rsn/Prtry", W_RETURN, 0, 0},
};

static const struct row *find_row(const struct reader *r)
{
    if (!r->path_fits)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].path, r->path) == 0)
            return &rows[i];
    return NULL;
}

static bool take_text(struct reader *r, const struct row *row, struct slice text)
{
    if (!err_failed(slice_copy(text, (char *)r + row->offset, row->size)))
        return true;
    return fail(r, "%s is longer than %zu bytes", row->path, row->size - 1);
}

static bool take_account(struct reader *r, struct slice text)
{
    if (!err_failed(slice_copy(text, r->statement.account, sizeof r->statement.account)))
        return true;
    return fail(r, "the account's number is too long");
}

static bool take_end_to_end_id(struct reader *r, struct slice text)
{
    if (slice_equal_str(text, "NOTPROVIDED"))
        return true;
    if (!err_failed(
            slice_copy(text, r->transaction.end_to_end_id, sizeof r->transaction.end_to_end_id)))
        return true;
    return fail(r, "the EndToEndId is too long");
}

static bool take_of_statement(struct reader *r, enum what what, struct slice text)
{
    struct camt_statement *s = &r->statement;

    /* NOLINTNEXTLINE: the others are the entry's; Wswitch-enum wants none left out */
    if (what == W_MESSAGE_PAGE || what == W_PAGE)
        return take_number(r, text, &s->page);
    if (what == W_SEQUENCE)
        return take_number(r, text, &s->sequence);
    if (what == W_FROM)
        return take_time(r, text, &s->from_us);
    if (what == W_TO)
        return take_time(r, text, &s->to_us);
    if (what == W_ACCOUNT)
        return take_account(r, text);
    if (what == W_ACCOUNT_CCY)
        return take_ccy(r, text, s->account_ccy);
    if (what == W_BALANCE_AMOUNT)
        return take_amount(r, text, &r->balance_amount);
    if (what == W_BALANCE_DATE)
        return take_date(r, text, &r->balance.date);
    assert(what == W_BALANCE_SIGN);
    r->sign_seen = true;
    return take_credit(r, text, &r->credit);
}

static bool take(struct reader *r, const struct row *row, struct slice text)
{
    if (utf8_check(text, NULL) != UTF8_OK)
        return fail(r, "%s has a control character in it", row->path);
    switch (row->what) {
    case W_TEXT:
        return take_text(r, row, text);
    case W_ENTRY_AMOUNT:
        return take_amount(r, text, &r->entry.amount);
    case W_ENTRY_SIGN:
        r->sign_seen = true;
        return take_credit(r, text, &r->credit);
    case W_REVERSAL:
        return take_bool(r, text, &r->entry.reversal);
    case W_STATUS:
        return take_status(r, text);
    case W_BOOKING_DATE:
        return take_date(r, text, &r->entry.booking_date);
    case W_VALUE_DATE:
        return take_date(r, text, &r->entry.value_date);
    case W_TX_AMOUNT:
        return take_amount(r, text, &r->transaction.amount);
    case W_TX_DETAIL_AMOUNT:
        return take_amount(r, text, &r->instructed);
    case W_TX_SIGN:
        r->transaction_sign_seen = true;
        return take_credit(r, text, &r->transaction_credit);
    case W_END_TO_END_ID:
        return take_end_to_end_id(r, text);
    case W_RETURN:
        return !err_failed(slice_copy(text, r->transaction.return_reason,
                                      sizeof r->transaction.return_reason)) ||
               fail(r, "the reason of a return is too long");
    case W_CHARGE_AMOUNT:
        return take_amount(r, text, &r->charge.amount);
    case W_CHARGE_TOTAL:
        return take_amount(r, text, &r->charge.total);
    case W_CHARGE_SIGN:
        return take_credit(r, text, &r->charge.credit);
    case W_MESSAGE_PAGE:
    case W_SEQUENCE:
    case W_PAGE:
    case W_FROM:
    case W_TO:
    case W_ACCOUNT:
    case W_ACCOUNT_CCY:
    case W_BALANCE_AMOUNT:
    case W_BALANCE_SIGN:
    case W_BALANCE_DATE:
        return take_of_statement(r, row->what, text);
    }
    return true;
}

/* ---------------------------------------------------------------- parts that begin and end */

static bool is_at(const struct reader *r, const char *path)
{
    return r->path_fits && strcmp(r->path, path) == 0;
}

static void begin_statement(struct reader *r)
{
    struct camt_statement *s = &r->statement;
    char message_id[sizeof s->message_id];
    int number = s->number + 1;
    int64_t page = s->page;
    int version = s->version;

    memcpy(message_id, s->message_id, sizeof message_id);
    /* The page of the message holds for each of its statements, one's own for itself alone. */
    *s = (struct camt_statement){.version = version,
                                 .number = number,
                                 .page = number == 1 ? page : 0,
                                 .sequence = -1,
                                 .from_us = INT64_MIN,
                                 .to_us = INT64_MIN};
    memcpy(s->message_id, message_id, sizeof message_id);
    r->began = false;
    r->statements_seen = true;
}

/* Before the first entry, or at the end of a statement without one. */
static bool tell_begin(struct reader *r)
{
    const struct camt_statement *s = &r->statement;

    if (r->began)
        return true;
    r->began = true;
    if (s->id[0] == '\0')
        return fail(r, "statement %d has no Id", s->number);
    if (s->account[0] == '\0')
        return fail(r, "statement %s does not say of which account it is", s->id);
    if (s->n_balances == 0)
        return fail(r, "statement %s has no balance", s->id);
    return r->sink->begin(r->sink->user, s) || fail(r, "refused");
}

static bool end_balance(struct reader *r)
{
    struct camt_statement *s = &r->statement;

    if (!r->balance_amount.present || !r->sign_seen)
        return fail(r, "a balance of statement %s has no Amt or no CdtDbtInd", s->id);
    if (r->began)
        return fail(r, "statement %s has a balance behind its entries", s->id);
    if (s->n_balances == CAMT_BALANCES_MAX)
        return fail(r, "statement %s has more than %d balances", s->id, CAMT_BALANCES_MAX);
    r->balance.minor = r->credit ? r->balance_amount.minor : -r->balance_amount.minor;
    memcpy(r->balance.ccy, r->balance_amount.ccy, sizeof r->balance.ccy);
    s->balances[s->n_balances++] = r->balance;
    return true;
}

static void begin_entry(struct reader *r)
{
    r->entry = (struct camt_entry){.number = ++r->statement.n_entries,
                                   .booking_date = CAMT_NO_DATE,
                                   .value_date = CAMT_NO_DATE};
    r->sign_seen = r->status_seen = false;
    r->charge = (struct charge){0};
}

/* What must be there before any of its transactions is told. */
static bool entry_is_whole(struct reader *r)
{
    struct camt_entry *e = &r->entry;

    if (!e->amount.present || !r->sign_seen || !r->status_seen)
        return fail(r, "entry %llu of statement %s has no %s", (unsigned long long)e->number,
                    r->statement.id,
                    !e->amount.present ? "Amt" : (!r->sign_seen ? "CdtDbtInd" : "Sts"));
    e->signed_minor = r->credit ? e->amount.minor : -e->amount.minor;
    return true;
}

static void take_charges(struct charge *c, int64_t *out)
{
    *out = c->any_record ? c->sum : c->total_sum;
    *c = (struct charge){0};
}

/* Of a record of charges (.08), or of one Chrgs (.02): its sign may come behind its amount. */
static bool end_charge(struct reader *r)
{
    struct charge *c = &r->charge;
    int64_t signed_minor = c->credit ? -c->amount.minor : c->amount.minor;

    /* What was taken in another currency is not part of this one's difference. */
    if (strcmp(c->amount.ccy, r->entry.amount.ccy) != 0)
        c->amount.present = false;
    if (strcmp(c->total.ccy, r->entry.amount.ccy) != 0)
        c->total.present = false;
    if (c->total.present && __builtin_add_overflow(c->total_sum, c->total.minor, &c->total_sum))
        return fail(r, "the charges are too large");
    if (c->amount.present) {
        c->any_record = true;
        if (__builtin_add_overflow(c->sum, signed_minor, &c->sum))
            return fail(r, "the charges are too large");
    }
    c->amount.present = c->total.present = c->credit = false;
    return true;
}

static bool begin_transaction(struct reader *r)
{
    if (!entry_is_whole(r))
        return false;
    if (r->entry.n_transactions == 0)
        take_charges(&r->charge, &r->entry.charges);
    r->entry.n_transactions++;
    r->transaction = (struct camt_transaction){0};
    r->transaction_sign_seen = false;
    r->instructed = (struct camt_amount){0};
    return true;
}

static bool end_transaction(struct reader *r)
{
    struct camt_transaction *t = &r->transaction;

    take_charges(&r->charge, &t->charges);
    if (!t->amount.present && r->instructed.present)
        t->amount = r->instructed;
    if (!r->transaction_sign_seen)
        r->transaction_credit = r->credit;
    t->signed_minor = r->transaction_credit ? t->amount.minor : -t->amount.minor;
    return r->sink->transaction(r->sink->user, &r->statement, &r->entry, t) || fail(r, "refused");
}

static bool end_entry(struct reader *r)
{
    if (!entry_is_whole(r))
        return false;
    if (r->entry.n_transactions == 0)
        take_charges(&r->charge, &r->entry.charges);
    return r->sink->entry(r->sink->user, &r->statement, &r->entry) || fail(r, "refused");
}

static bool begin_part(struct reader *r)
{
    if (is_at(r, "Stmt")) {
        begin_statement(r);
    } else if (is_at(r, "Stmt/Bal")) {
        r->balance = (struct camt_balance){.date = CAMT_NO_DATE};
        r->balance_amount = (struct camt_amount){0};
        r->sign_seen = false;
    } else if (is_at(r, "Stmt/Ntry")) {
        if (!tell_begin(r))
            return false;
        begin_entry(r);
    } else if (is_at(r, "Stmt/Ntry/NtryDtls/TxDtls")) {
        return begin_transaction(r);
    } else if (is_at(r, TX "RtrInf")) {
        r->transaction.returned = true;
    }
    return true;
}

static bool end_part(struct reader *r)
{
    if (is_at(r, "Stmt"))
        return tell_begin(r) && (r->sink->end(r->sink->user, &r->statement) || fail(r, "refused"));
    if (is_at(r, "Stmt/Bal"))
        return end_balance(r);
    if (is_at(r, "Stmt/Ntry"))
        return end_entry(r);
    if (is_at(r, "Stmt/Ntry/NtryDtls/TxDtls"))
        return end_transaction(r);
    if (is_at(r, "Stmt/Ntry/Chrgs") || is_at(r, "Stmt/Ntry/Chrgs/Rcrd") || is_at(r, TX "Chrgs") ||
        is_at(r, TX "Chrgs/Rcrd"))
        return end_charge(r);
    return true;
}

/* ---------------------------------------------------------------- elements */

/* The version that a namespace names; none is as good as any of ours. */
static bool take_namespace(struct reader *r, const char *uri)
{
    static const char ours[] = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";
    static const char any[] = "urn:iso:std:iso:20022:tech:xsd:";
    int64_t version = 0;
    struct slice s = slice_str(uri);

    if (s.len == 0)
        return true;
    if (s.len == sizeof ours + 1 && slice_starts_with(s, slice_str(ours)) &&
        char_is_digit(s.p[s.len - 2]) && char_is_digit(s.p[s.len - 1]))
        version = (s.p[s.len - 2] - '0') * 10 + (s.p[s.len - 1] - '0');
    if (version == 2 || version == 8 || version == 12) {
        r->statement.version = (int)version;
        return true;
    }
    if (slice_starts_with(s, slice_str(any)))
        s = slice_of(s.p + sizeof any - 1, s.len - sizeof any + 1);
    if (s.len > 60)
        s.len = 60;
    return fail(r, "it is %.*s: wanted is camt.053.001.02, .08 or .12", SLICE_ARG(s));
}

/* An encoding other than UTF-8 that the file claims to be in; it is read as UTF-8 whatever it says. */
static bool check_encoding(struct reader *r)
{
    const char *end = strstr(r->prolog, "?>");
    const char *at = strstr(r->prolog, "encoding");
    char quote;

    if (end == NULL || at == NULL || at > end)
        return true;
    at += strcspn(at, "\"'");
    quote = *at++;
    if (quote != '\0' && (strncasecmp(at, "UTF-8", 5) == 0 || strncasecmp(at, "UTF8", 4) == 0 ||
                          strncasecmp(at, "US-ASCII", 8) == 0))
        return true;
    return fail(r, "it says that it is not UTF-8");
}

/* The two elements around everything. */
static bool open_envelope(struct reader *r, const char *name)
{
    if (r->depth == 1) {
        r->in_document = strcmp(name, "Document") == 0;
        return check_encoding(r) &&
               (r->in_document || fail(r, "its root is <%.40s>, not <Document>", name)) &&
               take_namespace(r, (const char *)xmlTextReaderConstNamespaceUri(r->xml));
    }
    r->in_message = strcmp(name, "BkToCstmrStmt") == 0;
    return r->in_message ||
           fail(r, "there is <%.40s> in it, not <BkToCstmrStmt>: it is no statement", name);
}

static bool open_element(struct reader *r)
{
    const char *name = (const char *)xmlTextReaderConstLocalName(r->xml);
    xmlChar *ccy;
    size_t len;
    bool good = true;

    if (++r->depth > CAMT_DEPTH_MAX)
        return fail(r, "elements are nested more than %d deep", CAMT_DEPTH_MAX);
    if (r->depth <= 2)
        return open_envelope(r, name);
    len = strlen(r->path);
    r->path_len[r->depth] = r->path_fits ? len : SIZE_MAX;
    r->path_fits = r->path_fits && len + strlen(name) + 2 <= sizeof r->path;
    if (r->path_fits)
        snprintf(r->path + len, sizeof r->path - len, "%s%s", len == 0 ? "" : "/", name);
    if (!begin_part(r))
        return false;
    r->row = find_row(r);
    r->row_depth = r->depth;
    r->text_len = 0;
    r->ccy[0] = '\0';
    if (r->row == NULL)
        return true;
    ccy = xmlTextReaderGetAttribute(r->xml, (const xmlChar *)"Ccy");
    if (ccy != NULL)
        good = take_ccy(r, slice_str((const char *)ccy), r->ccy);
    xmlFree(ccy);
    return good;
}

static bool add_text(struct reader *r)
{
    const char *text = (const char *)xmlTextReaderConstValue(r->xml);
    size_t len = text == NULL ? 0 : strlen(text);

    if (r->row == NULL || r->row_depth != r->depth)
        return true;
    if (len >= sizeof r->text - r->text_len)
        return fail(r, "%s is longer than it may be", r->row->path);
    memcpy(r->text + r->text_len, text == NULL ? "" : text, len);
    r->text_len += len;
    return true;
}

/* Without blanks and line ends: pretty printers put them around text. */
static struct slice trimmed(const char *p, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", p[0]) != NULL) {
        p++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", p[len - 1]) != NULL)
        len--;
    return slice_of(p, len);
}

static bool close_element(struct reader *r)
{
    if (r->depth > 2) {
        struct slice text = trimmed(r->text, r->text_len);

        /* <Sts> is a text in .02 and holds <Cd> since: with nothing in it, it is the latter. */
        if (r->row != NULL && r->row_depth == r->depth &&
            !(r->row->what == W_STATUS && text.len == 0) && !take(r, r->row, text))
            return false;
        r->row = NULL;
        if (!end_part(r))
            return false;
        r->path_fits = r->path_len[r->depth] != SIZE_MAX;
        if (r->path_fits)
            r->path[r->path_len[r->depth]] = '\0';
    }
    r->depth--;
    return true;
}

static bool take_node(struct reader *r)
{
    switch (xmlTextReaderNodeType(r->xml)) {
    case XML_READER_TYPE_ELEMENT: {
        bool empty = xmlTextReaderIsEmptyElement(r->xml) == 1;

        return open_element(r) && (!empty || close_element(r));
    }
    case XML_READER_TYPE_END_ELEMENT:
        return close_element(r);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
        return add_text(r);
    case XML_READER_TYPE_DOCUMENT_TYPE:
        return fail(r, "it has a DOCTYPE, which no statement needs and none may have");
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return fail(r, "it refers to an entity");
    default:
        return true;
    }
}

static bool read_all(struct reader *r)
{
    int more;

    xmlTextReaderSetStructuredErrorHandler(r->xml, on_error, r);
    while ((more = xmlTextReaderRead(r->xml)) == 1)
        if (!take_node(r))
            return false;
    if (r->failed)
        return false;
    if (more < 0)
        return fail(r, "it is not well-formed XML");
    if (!r->statements_seen)
        return fail(r, "there is no statement in it");
    return true;
}

bool camt053_read(camt_source *read, void *source, const struct camt_sink *sink,
                  struct camt_error *error)
{
    struct reader *r = calloc(1, sizeof *r);
    xmlExternalEntityLoader loader = xmlGetExternalEntityLoader();
    bool good;

    *error = (struct camt_error){0};
    if (r == NULL) {
        snprintf(error->text, sizeof error->text, "out of memory");
        return false;
    }
    r->sink = sink;
    r->error = error;
    r->read = read;
    r->source = source;
    r->path_fits = true;
    r->deadline_us = clock_monotonic_us() + CAMT_SECONDS_MAX * US_PER_SEC;
    xmlSetExternalEntityLoader(no_entity);
    /* The file does not choose its encoding: in another one a '<' may be written otherwise. */
    r->xml = xmlReaderForIO(on_read, NULL, r, NULL, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_IGNORE_ENC);
    good = r->xml != NULL ? read_all(r) : fail(r, "it is no XML");
    xmlFreeTextReader(r->xml);
    xmlSetExternalEntityLoader(loader);
    free(r);
    return good;
}
