#include "iso20022/rules.h"

#include "domain/bank.h"
#include "domain/iban.h"
#include "iso20022/shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DAY_FIRST  10957 /* 2000-01-01 */
#define DAY_LAST   47481 /* 2099-12-31 */
#define US_PER_DAY 86400000000LL

/* ---------------------------------------------------------------- saying no */

static const struct {
    const char *name, *text;
} rules[] = {{"NONE", "Nothing is wrong."},
#define ISO_RULE_ROW(name, text) {#name, text},
             ISO_RULE_TABLE(ISO_RULE_ROW)
#undef ISO_RULE_ROW
};

const char *iso_rule_name(enum iso_rule rule)
{
    return (size_t)rule < sizeof rules / sizeof rules[0] ? rules[rule].name : "?";
}

const char *iso_rule_text(enum iso_rule rule)
{
    return (size_t)rule < sizeof rules / sizeof rules[0] ? rules[rule].text : "?";
}

static void make_printable(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
}

bool iso_refuse(struct iso_refusal *out, enum iso_rule rule, const char *path, const char *detail,
                ...)
{
    va_list args;
    *out = (struct iso_refusal){.rule = rule};
    (void)snprintf(out->path, sizeof out->path, "%s", path);
    va_start(args, detail);
    (void)vsnprintf(out->detail, sizeof out->detail, detail, args);
    va_end(args);
    make_printable(out->path);
    make_printable(out->detail);
    return false;
}

const char *iso_refusal_text(const struct iso_refusal *r, char out[ISO_REFUSAL_TEXT_SIZE])
{
    char item[48] = "";
    char line[32] = "";
    if (r->item > 0)
        (void)snprintf(item, sizeof item, ", transaction %llu", (unsigned long long)r->item);
    if (r->line > 0)
        (void)snprintf(line, sizeof line, ", line %ld", r->line);
    (void)snprintf(out, ISO_REFUSAL_TEXT_SIZE, "%s%s%s%s%s: %s%s%s%s", iso_rule_name(r->rule),
                   r->path[0] == '\0' ? "" : " at ", r->path, item, line, iso_rule_text(r->rule),
                   r->detail[0] == '\0' ? "" : " (", r->detail, r->detail[0] == '\0' ? "" : ")");
    return out;
}

/* Where a walk is: names from below the message's own element, told only when something is wrong. */
struct where {
    const struct where *outer;
    const char *name;
    const struct iso_group *group;
    struct iso_refusal *out;
};

static size_t path_write(const struct where *at, char *out, size_t size)
{
    size_t len = 0;
    if (at == NULL || at->name == NULL)
        return 0;
    len = path_write(at->outer, out, size);
    int n = snprintf(out + len, size - len, "%s%s", len == 0 ? "" : "/", at->name);
    return n > 0 && (size_t)n < size - len ? len + (size_t)n : len;
}

/* below: of the element that is wrong, from where the walk is; NULL: that is it itself. */
static bool refuse_at(const struct where *at, const char *below, enum iso_rule rule,
                      const char *detail)
{
    char path[ISO_PATH_SIZE] = "";
    struct where it = {at, below, at->group, at->out};
    (void)path_write(below == NULL ? at : &it, path, sizeof path);
    return iso_refuse(at->out, rule, path, "%s", detail);
}

/* ---------------------------------------------------------------- texts */

/* FIN X, of which ids are made (CBPR+: restricted FIN X text without line ends). */
static bool is_fin_x(char c)
{
    return char_is_digit(c) || char_is_upper(c) || char_is_lower(c) ||
           (c != '\0' && strchr("/-?:().,'+ ", c) != NULL);
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

static enum iso_rule check_text(struct slice s, size_t chars_max, uint32_t *foreign,
                                bool (*takes)(char c))
{
    size_t chars = 0;
    if (s.len == 0)
        return ISO_RULE_REQUIRED;
    if (utf8_check(s, &chars) != UTF8_OK)
        return ISO_RULE_NOT_TEXT;
    for (struct slice rest = s; takes != NULL && rest.len > 0;) {
        uint32_t code = utf8_next(&rest);
        if (code > '~' || !takes((char)code)) {
            *foreign = code;
            return ISO_RULE_CHARSET;
        }
    }
    if (chars > chars_max)
        return ISO_RULE_TOO_LONG;
    return s.p[0] == ' ' || s.p[s.len - 1] == ' ' ? ISO_RULE_BLANKS : ISO_RULE_NONE;
}

static enum iso_rule check_id(struct slice s, size_t chars_max, uint32_t *foreign)
{
    enum iso_rule rule = check_text(s, chars_max, foreign, is_fin_x);
    if (rule == ISO_RULE_NONE &&
        (s.p[0] == '/' || s.p[s.len - 1] == '/' || memmem(s.p, s.len, "//", 2) != NULL))
        return ISO_RULE_SLASHES;
    return rule;
}

enum iso_rule iso_rules_name(struct slice name)
{
    uint32_t foreign = 0;
    return check_text(name, 140, &foreign, is_printable);
}

enum iso_rule iso_rules_id(struct slice id)
{
    uint32_t foreign = 0;
    return check_id(id, 35, &foreign);
}

static bool all_of(struct slice s, size_t from, size_t to, const char *set)
{
    for (size_t i = from; i < to; i++)
        if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL)
            return false;
    return true;
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define HEX   DIGIT "abcdef"

static bool is_uetr(struct slice s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char *set = dash ? "-" : (i == 14 ? "4" : (i == 19 ? "89ab" : HEX));
        if (!all_of(s, i, i + 1, set))
            return false;
    }
    return true;
}

/* Digits, perhaps with a point among them, at most 18: what CtrlSum and XchgRate are. */
static bool is_decimal(struct slice s)
{
    struct slice whole;
    struct slice decimals;
    bool point = slice_cut(s, '.', &whole, &decimals);
    return whole.len > 0 && (!point || decimals.len > 0) && whole.len + decimals.len <= 18 &&
           all_of(whole, 0, whole.len, DIGIT) && all_of(decimals, 0, decimals.len, DIGIT);
}

static enum iso_rule check_special(enum iso_type type, struct slice s)
{
    switch ((int)type) { /* texts that have a form of their own */
    case ISO_BIC:
        return bank_bic_check(s) == REASON_NONE ? ISO_RULE_NONE : ISO_RULE_BIC;
    case ISO_LEI:
        return s.len == 20 && all_of(s, 0, 18, UPPER DIGIT) && all_of(s, 18, 20, DIGIT)
                   ? ISO_RULE_NONE
                   : ISO_RULE_LEI;
    case ISO_COUNTRY:
        return s.len == 2 && all_of(s, 0, 2, UPPER) ? ISO_RULE_NONE : ISO_RULE_COUNTRY;
    case ISO_CURRENCY:
        return ccy_by_alpha(s) != NULL ? ISO_RULE_NONE : ISO_RULE_CURRENCY_UNKNOWN;
    case ISO_UETR:
        return is_uetr(s) ? ISO_RULE_NONE : ISO_RULE_UETR;
    case ISO_DECIMAL:
        return is_decimal(s) ? ISO_RULE_NONE : ISO_RULE_NUMBER;
    }
    return ISO_RULE_NONE;
}

static bool check_slice(const struct where *at, const struct iso_element *e, struct slice s)
{
    enum iso_rule rule = ISO_RULE_NONE;
    uint32_t foreign = 0;
    char detail[96] = "";

    if (e->type == ISO_ID)
        rule = check_id(s, e->chars_max, &foreign);
    else if (e->type == ISO_NAME)
        rule = check_text(s, e->chars_max, &foreign, is_printable);
    else if (e->type == ISO_TEXT || e->type == ISO_CODE)
        rule = check_text(s, e->chars_max, &foreign, NULL);
    else if (e->type == ISO_WORD && !iso_word_in(s, e->words)) {
        (void)snprintf(detail, sizeof detail, "one of %s", e->words);
        rule = ISO_RULE_VALUE;
    } else if (e->type == ISO_IBAN) {
        reason_t reason = iban_check_international(s);
        (void)snprintf(detail, sizeof detail, "%s", reason_text(reason));
        rule = reason == REASON_NONE ? ISO_RULE_NONE : ISO_RULE_IBAN;
    } else {
        rule = check_special(e->type, s);
    }
    if (rule == ISO_RULE_CHARSET)
        (void)snprintf(detail, sizeof detail, "U+%04X", (unsigned)foreign);
    if (rule == ISO_RULE_TOO_LONG)
        (void)snprintf(detail, sizeof detail, "at most %u characters", (unsigned)e->chars_max);
    return rule == ISO_RULE_NONE || refuse_at(at, NULL, rule, detail);
}

/* ---------------------------------------------------------------- values */

static bool check_amount(const struct where *at, const struct iso_element *e, money_t a)
{
    if (ccy_by_number(a.ccy) == NULL)
        return refuse_at(at, NULL, ISO_RULE_CURRENCY_UNKNOWN, "");
    if (a.minor < 0 || (a.minor == 0 && e->type == ISO_AMOUNT))
        return refuse_at(at, NULL, ISO_RULE_AMOUNT_NOT_POSITIVE, "");
    return true;
}

static bool check_day(const struct where *at, int64_t day)
{
    return (day >= DAY_FIRST && day <= DAY_LAST) || refuse_at(at, NULL, ISO_RULE_DATE, "");
}

static bool check_value(const struct where *at, const struct iso_element *e, const void *value)
{
    if (iso_type_is_text(e->type))
        return check_slice(at, e, *(const struct slice *)value);
    switch ((int)e->type) { /* those that are no text; the others cannot be wrong */
    case ISO_AMOUNT:
    case ISO_BALANCE:
        return check_amount(at, e, *(const money_t *)value);
    case ISO_DATE:
    case ISO_DAY_OF:
        return check_day(at, *(const int32_t *)value);
    case ISO_TIME:
        return check_day(at, *(const int64_t *)value / US_PER_DAY);
    }
    return true;
}

/* ---------------------------------------------------------------- groups */

static bool check_choice(const struct where *at, const struct iso_element *inner, const void *base)
{
    const struct iso_element *first = NULL;
    for (const struct iso_element *e = inner; e->name != NULL; e++) {
        if ((e->flags & ISO_READ) || !iso_is_present(e, base))
            continue;
        if (first != NULL)
            return refuse_at(at, e->name, ISO_RULE_BOTH_GIVEN, first->name);
        first = e;
    }
    return true;
}

static bool check_agent(const struct where *at, const struct iso_agent *a)
{
    return a->bic.len > 0 || a->member_id.len > 0 ||
           refuse_at(at, "FinInstnId/BICFI", ISO_RULE_AGENT_UNNAMED, "");
}

static bool check_party(const struct where *at, const struct iso_party *p)
{
    return p->name.len > 0 || p->organisation_bic.len > 0 ||
           refuse_at(at, "Nm", ISO_RULE_PARTY_UNNAMED, "");
}

static bool check_address(const struct where *at, const struct iso_address *a)
{
    bool named = a->town.len > 0 && a->country.len > 0;
    if (!named && a->lines.n > 0)
        return refuse_at(at, "AdrLine", ISO_RULE_ADDRESS_UNSTRUCTURED, "");
    if (!named)
        return refuse_at(at, a->town.len == 0 ? "TwnNm" : "Ctry", ISO_RULE_ADDRESS_INCOMPLETE, "");
    return a->lines.n <= 2 || refuse_at(at, "AdrLine", ISO_RULE_ADDRESS_LINES, "");
}

static bool check_account(const struct where *at, const struct iso_account *a)
{
    return a->iban.len > 0 || a->other_id.len > 0 ||
           refuse_at(at, "Id/IBAN", ISO_RULE_ACCOUNT_UNNAMED, "");
}

static bool check_remittance(const struct where *at, const struct iso_remittance *r)
{
    if (r->lines.n > 0 && r->references.n > 0)
        return refuse_at(at, "Strd", ISO_RULE_REMITTANCE_BOTH, "");
    return r->lines.n <= 1 || refuse_at(at, "Ustrd", ISO_RULE_REMITTANCE_LINES, "");
}

static bool check_reason(const struct where *at, const struct iso_reason *r)
{
    return !slice_equal_str(r->code, "NARR") || r->info.n > 0 ||
           refuse_at(at, "AddtlInf", ISO_RULE_NARRATIVE_MISSING, "");
}

static bool check_group(const struct where *at, const struct iso_element *e, const void *base)
{
    switch (e->check) {
    case ISO_NO_CHECK:
        return true;
    case ISO_CHECK_CHOICE:
        return check_choice(at, e->inner, base);
    case ISO_CHECK_AGENT:
        return check_agent(at, base);
    case ISO_CHECK_PARTY:
        return check_party(at, base);
    case ISO_CHECK_ADDRESS:
        return check_address(at, base);
    case ISO_CHECK_ACCOUNT:
        return check_account(at, base);
    case ISO_CHECK_REMITTANCE:
        return check_remittance(at, base);
    case ISO_CHECK_REASON:
        return check_reason(at, base);
    }
    return true;
}

/* A Dbtr that must be there and is empty lacks its name, an account its number: the innermost thing one can do about. */
static bool refuse_missing(const struct where *at, const struct iso_element *e)
{
    static const struct iso_party nothing; /* larger than an agent and an account */
    if (e->type != ISO_GROUP || e->inner == NULL)
        return refuse_at(at, NULL, ISO_RULE_REQUIRED, "");
    if (e->check == ISO_CHECK_AGENT || e->check == ISO_CHECK_PARTY || e->check == ISO_CHECK_ACCOUNT)
        return check_group(at, e, &nothing);
    for (const struct iso_element *in = e->inner; in->name != NULL; in++)
        if (in->flags & ISO_MUST) {
            struct where inner = {at, in->name, at->group, at->out};
            return refuse_missing(&inner, in);
        }
    return refuse_at(at, NULL, ISO_RULE_REQUIRED, "");
}

/* Everything at a row and inside it; items are not part of what is around them. */
static bool check_element(const struct where *outer, const struct iso_element *e, const void *base)
{
    struct where at = {outer, e->name, outer->group, outer->out};
    if (e->flags & (ISO_READ | ISO_ITEM))
        return true;
    if (!iso_is_present(e, base)) {
        bool never = e->type == ISO_BOOL || e->type == ISO_CONSTANT || e->type == ISO_NEVER;
        return (e->flags & ISO_MUST) == 0 || never || refuse_missing(&at, e);
    }
    for (size_t i = 0; i < iso_value_count(e, base); i++) {
        const void *value = iso_value(e, base, i);
        if (i >= e->list_max && e->list_max > 0)
            return refuse_at(&at, NULL, ISO_RULE_REPEATED, "");
        if (e->type != ISO_GROUP) {
            if (!check_value(&at, e, value))
                return false;
            continue;
        }
        if (!check_group(&at, e, value))
            return false;
        for (const struct iso_element *in = e->inner; in->name != NULL; in++)
            if (!check_element(&at, in, value))
                return false;
    }
    return true;
}

static bool check_inside(const struct where *at, const struct iso_element *inner, const void *base)
{
    for (const struct iso_element *e = inner; e->name != NULL; e++)
        if (!check_element(at, e, base))
            return false;
    return true;
}

/* ---------------------------------------------------------------- what a kind of message asks */

static bool is_payment(enum iso_kind kind)
{
    return kind == ISO_PACS_008 || kind == ISO_PACS_009 || kind == ISO_PAIN_001;
}

static const struct iso_agent *agent_of(const struct iso_agent *item, const struct iso_agent *group)
{
    return item->bic.len > 0 || item->member_id.len > 0 ? item : group;
}

static bool same_agent(const struct iso_agent *a, const struct iso_agent *b)
{
    return slice_equal(a->bic, b->bic) && slice_equal(a->member_id, b->member_id);
}

/* Said with the payment, it must be who the header says; said nowhere, nobody knows. */
static bool check_agents(const struct where *at, const struct iso_agent *instructing,
                         const struct iso_agent *instructed, bool must)
{
    const struct iso_group *g = at->group;
    const struct {
        const char *name;
        const struct iso_agent *item, *group;
    } pairs[] = {{"InstgAgt", instructing, &g->instructing},
                 {"InstdAgt", instructed, &g->instructed}};

    for (size_t i = 0; i < 2; i++) {
        bool in_item = pairs[i].item->bic.len > 0 || pairs[i].item->member_id.len > 0;
        bool in_group = pairs[i].group->bic.len > 0 || pairs[i].group->member_id.len > 0;
        if (in_item && in_group && !same_agent(pairs[i].item, pairs[i].group))
            return refuse_at(at, pairs[i].name, ISO_RULE_AGENT_CONFLICT, "");
        if (must && !in_item && !in_group)
            return refuse_at(at, pairs[i].name, ISO_RULE_AGENT_MISSING, "");
    }
    return true;
}

/* CBPR+: CRED brings what was taken, zero too. Our own: by the scheme's rules (SLEV) none is said per payment. */
static bool check_charges(const struct where *at, struct slice bearer,
                          const struct iso_charges *charges)
{
    if (slice_equal_str(bearer, "CRED") && charges->n == 0)
        return refuse_at(at, "ChrgsInf", ISO_RULE_CHARGES_MISSING, "");
    if (slice_equal_str(bearer, "SLEV") && charges->n > 0)
        return refuse_at(at, "ChrgsInf", ISO_RULE_CHARGES_UNEXPECTED, "");
    return true;
}

static bool check_transfer(const struct where *at, const struct iso_transfer *t)
{
    const struct iso_group *g = at->group;
    bool between_banks = g->kind != ISO_PAIN_001;

    if (g->kind == ISO_PACS_008 && !check_charges(at, t->charge_bearer, &t->charges))
        return false;
    if (between_banks && t->settlement_date == 0 && g->settlement_date == 0)
        return refuse_at(at, "IntrBkSttlmDt", ISO_RULE_DATE_MISSING, "");
    return check_agents(at, &t->instructing, &t->instructed, between_banks);
}

static bool check_status_reason(const struct where *at, const struct iso_follow_up *f)
{
    const char *name = NULL;
    if (at->group->kind == ISO_PACS_002 && slice_equal_str(f->status, "RJCT"))
        name = "StsRsnInf";
    else if (at->group->kind == ISO_CAMT_029 && slice_equal_str(f->status, "RJCR"))
        name = "CxlStsRsnInf";
    else if (at->group->kind == ISO_PACS_004)
        name = "RtrRsnInf";
    else if (at->group->kind == ISO_CAMT_056)
        name = "CxlRsnInf";
    if (name == NULL)
        return true;
    for (size_t i = 0; i < f->reasons.n; i++)
        if (f->reasons.at[i].code.len > 0 || f->reasons.at[i].proprietary.len > 0)
            return true;
    return refuse_at(at, name, ISO_RULE_REASON_MISSING, "");
}

static bool check_follow_up(const struct where *at, const struct iso_follow_up *f)
{
    enum iso_kind kind = at->group->kind;
    bool agents_in_header = kind == ISO_PACS_002 || kind == ISO_PACS_004 || kind == ISO_PACS_028;

    if (f->ids.instruction_id.len == 0 && f->ids.end_to_end_id.len == 0 && f->ids.tx_id.len == 0 &&
        f->ids.uetr.len == 0)
        return refuse_at(at, "OrgnlEndToEndId", ISO_RULE_ORIGINAL_UNNAMED, "");
    if (kind == ISO_PACS_004 && f->date == 0 && at->group->settlement_date == 0)
        return refuse_at(at, "IntrBkSttlmDt", ISO_RULE_DATE_MISSING, "");
    if (kind == ISO_PACS_004 && !check_charges(at, f->charge_bearer, &f->charges))
        return false;
    return check_status_reason(at, f) &&
           check_agents(at, &f->instructing, &f->instructed, agents_in_header);
}

bool iso_rules_group(const struct iso_group *group, struct iso_refusal *out)
{
    const struct where root = {NULL, NULL, group, out};
    bool needs_items = is_payment(group->kind) || group->kind == ISO_PACS_004;

    if (!check_inside(&root, iso_definition(group->kind)->inner, group))
        return false;
    if (needs_items && group->total.ccy == 0 && group->control_sum.len == 0)
        return refuse_at(&root, "GrpHdr/CtrlSum", ISO_RULE_REQUIRED, "");
    return true;
}

/* The row that an item is, with the groups of the message around it, and a check in there. */
static bool check_item_row(const struct where *outer, const struct iso_element *inner,
                           const union iso_item *item)
{
    enum iso_item_type type = iso_definition(outer->group->kind)->item;
    for (const struct iso_element *e = inner; e->name != NULL; e++) {
        struct where at = {outer, e->name, outer->group, outer->out};
        if (e->flags & ISO_PATH)
            return check_item_row(&at, e->inner, item);
        if ((e->flags & ISO_ITEM) == 0)
            continue;
        if (!check_inside(&at, e->inner, item))
            return false;
        if (type == ISO_ITEM_TRANSFER)
            return check_transfer(&at, &item->transfer);
        return type == ISO_ITEM_ENTRY || check_follow_up(&at, &item->follow_up);
    }
    return true;
}

bool iso_rules_item(const struct iso_group *group, const union iso_item *item,
                    struct iso_refusal *out)
{
    const struct where root = {NULL, NULL, group, out};
    return check_item_row(&root, iso_definition(group->kind)->inner, item);
}

/* ---------------------------------------------------------------- the header */

static bool check_header_bic(const struct where *at, const char *name, struct slice in_header,
                             struct slice in_message)
{
    if (in_message.len == 0 || slice_equal(in_header, in_message))
        return true;
    return refuse_at(at, name, ISO_RULE_HEADER_BIC, "");
}

bool iso_rules_header(const struct iso_header *header, const struct iso_group *group,
                      const union iso_item *item, struct iso_refusal *out)
{
    const struct where root = {NULL, "AppHdr", group, out};
    const struct iso_definition *d = iso_definition(group->kind);
    const struct iso_agent *from = &group->instructing;
    const struct iso_agent *to = &group->instructed;
    struct slice from_bic;
    char name[ISO_NAME_SIZE];

    if (!check_inside(&root, iso_header_elements, header))
        return false;
    if (!slice_equal(header->message_id, group->message_id))
        return refuse_at(&root, "BizMsgIdr", ISO_RULE_HEADER_ID, "");
    if (!slice_equal_str(header->definition, iso_message_name(group->kind, group->version, name)))
        return refuse_at(&root, "MsgDefIdr", ISO_RULE_HEADER_DEFINITION, name);
    if (item != NULL && d->item == ISO_ITEM_TRANSFER) {
        from = agent_of(&item->transfer.instructing, from);
        to = agent_of(&item->transfer.instructed, to);
    } else if (item != NULL && d->item == ISO_ITEM_FOLLOW_UP) {
        from = agent_of(&item->follow_up.instructing, from);
        to = agent_of(&item->follow_up.instructed, to);
    }
    from_bic = from->bic;
    if (group->kind == ISO_PAIN_001) {
        from_bic = group->initiator.organisation_bic;
        to = &group->payment.debtor_agent;
    }
    return check_header_bic(&root, "Fr/FIId/FinInstnId/BICFI", header->from_bic, from_bic) &&
           check_header_bic(&root, "To/FIId/FinInstnId/BICFI", header->to_bic, to->bic);
}

/* ---------------------------------------------------------------- sums */

/* Of which amount the sums of this message are; NULL: it has none. */
static const money_t *summed(enum iso_kind kind, const union iso_item *item)
{
    if (is_payment(kind))
        return &item->transfer.amount;
    if (kind == ISO_PACS_004)
        return &item->follow_up.amount;
    if (kind == ISO_CAMT_056)
        return &item->follow_up.original_amount;
    return NULL;
}

bool iso_totals_add(const struct iso_group *group, const union iso_item *item,
                    struct iso_totals *totals, struct iso_refusal *out)
{
    const money_t *amount = summed(group->kind, item);
    totals->count++;
    if (amount == NULL || amount->ccy == 0)
        return true;
    if (totals->sum.ccy == 0)
        totals->sum = money_of(0, amount->ccy);
    reason_t reason = money_add(totals->sum, *amount, &totals->sum);
    if (reason == REASON_NONE)
        return true;
    return iso_refuse(
        out, reason == REASON_CURRENCY_MISMATCH ? ISO_RULE_CURRENCY_MIXED : ISO_RULE_AMOUNT_SHAPE,
        "", "the amount of a transaction: %s", reason_text(reason));
}

/* Trailing zeros say nothing: 12.50000 of a control sum is 12.5. */
static bool sum_is(struct slice text, money_t sum)
{
    money_t said = {0, 0};
    while (text.len > 0 && memchr(text.p, '.', text.len) != NULL &&
           (text.p[text.len - 1] == '0' || text.p[text.len - 1] == '.'))
        text.len--;
    return sum.ccy != 0 && money_parse(text, sum.ccy, &said) == REASON_NONE &&
           said.minor == sum.minor;
}

static bool check_totals(const char *where, uint64_t count, struct slice control_sum,
                         const struct iso_totals *totals, struct iso_refusal *out)
{
    char path[ISO_PATH_SIZE];
    if (count != 0 && count != totals->count) {
        (void)snprintf(path, sizeof path, "%s/NbOfTxs", where);
        return iso_refuse(out, ISO_RULE_COUNT_MISMATCH, path, "it says %llu, there are %llu",
                          (unsigned long long)count, (unsigned long long)totals->count);
    }
    if (control_sum.len > 0 && !sum_is(control_sum, totals->sum)) {
        char sum[MONEY_TEXT_SIZE];
        (void)snprintf(path, sizeof path, "%s/CtrlSum", where);
        return iso_refuse(out, ISO_RULE_SUM_MISMATCH, path, "inside it is %s",
                          money_format(totals->sum, MONEY_CODE, sum));
    }
    return true;
}

bool iso_rules_totals(const struct iso_group *group, const struct iso_totals *totals,
                      struct iso_refusal *out)
{
    const char *where = group->kind == ISO_CAMT_056 ? "CtrlData" : "GrpHdr";
    if (!check_totals(where, group->count, group->control_sum, totals, out))
        return false;
    if (group->total.ccy != 0 && !money_equal(group->total, totals->sum))
        return iso_refuse(out, ISO_RULE_SUM_MISMATCH,
                          group->kind == ISO_PACS_004 ? "GrpHdr/TtlRtrdIntrBkSttlmAmt"
                                                      : "GrpHdr/TtlIntrBkSttlmAmt",
                          "it is not the sum of the transactions, in their currency");
    return true;
}

bool iso_rules_block_totals(const struct iso_payment_block *block, const struct iso_totals *totals,
                            struct iso_refusal *out)
{
    return check_totals("PmtInf", block->count, block->control_sum, totals, out);
}
