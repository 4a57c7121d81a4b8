#include "cli/payout_file.h"

#include "base/command.h"
#include "cli/call.h"
#include "cli/csv.h"
#include "domain/purpose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ARENA_BYTES_MAX (1024u * 1024 * 1024)
#define COMPLAINTS_MAX  20

enum column {
    COL_REFERENCE,
    COL_AMOUNT,
    COL_CURRENCY,
    COL_BENEFICIARY,
    COL_NAME,
    COL_IBAN,
    COL_MOBILE,
    COL_BANK,
    COL_CNIC,
    COL_PSEB,
    COL_CHANNEL,
    COL_PURPOSE,
    COL_INFO,
    COL_QUOTE,
    COL_COUNT
};

static const char *const column_names[COL_COUNT] = {
    "reference", "amount", "currency", "beneficiary", "name",    "iban", "mobile",
    "bank",      "cnic",   "pseb",     "channel",     "purpose", "info", "quote"};

struct reader {
    const char *path;
    struct csv csv;
    int column[COL_COUNT]; /* -1: the file does not have it */
    struct payout_file *file;
    size_t room;
    unsigned complaints;
};

int32_t channel_parse(const char *text)
{
    if (strcasecmp(text, "export") == 0 || strcasecmp(text, "EXPORT_OF_SERVICES") == 0)
        return CHANNEL_EXPORT_OF_SERVICES;
    if (strcasecmp(text, "remittance") == 0 || strcasecmp(text, "HOME_REMITTANCE") == 0)
        return CHANNEL_HOME_REMITTANCE;
    return CHANNEL_UNSPECIFIED;
}

static void complain_line(struct reader *r, const char *what, const char *value)
{
    if (r->complaints++ < COMPLAINTS_MAX)
        complain("%s:%u: %s%s%s%s", r->path, r->csv.line, what, value[0] ? " '" : "", value,
                 value[0] ? "'" : "");
}

static const char *cell(const struct reader *r, enum column c)
{
    int i = r->column[c];

    return i < 0 || (size_t)i >= r->csv.n ? "" : r->csv.values[i];
}

/* A copy that lives as long as the file. */
static struct slice kept(struct reader *r, enum column c)
{
    struct slice s = slice_str(cell(r, c));
    struct slice copy = {0};

    if (s.len > 0 && !arena_slice_dup(&r->file->arena, s, &copy)) {
        complain("%s is too large", r->path);
        exit(EXIT_REFUSED);
    }
    return copy;
}

static bool take_header(struct reader *r)
{
    const char *why = NULL;

    if (csv_next(&r->csv, &why) != CSV_RECORD) {
        complain("%s: %s", r->path, why == NULL ? "it is empty" : why);
        return false;
    }
    for (int c = 0; c < COL_COUNT; c++)
        r->column[c] = csv_column(&r->csv, column_names[c]);
    for (int c = COL_REFERENCE; c <= COL_CURRENCY; c++)
        if (r->column[c] < 0) {
            complain("%s: the first line must name the columns, and there is no '%s'", r->path,
                     column_names[c]);
            return false;
        }
    for (size_t i = 0; i < r->csv.n; i++) {
        bool known = false;

        for (int c = 0; c < COL_COUNT; c++)
            known = known || r->column[c] == (int)i;
        if (!known) {
            complain("%s: column '%s' is not known or there twice", r->path, r->csv.values[i]);
            return false;
        }
    }
    return true;
}

/* What can be wrong here is only what cannot be put into a message; the gateway judges the rest, item by item. */
static void take_row(struct reader *r, struct wire_submit_payout_request *item)
{
    struct slice code = kept(r, COL_CURRENCY);
    const struct ccy *ccy = ccy_by_alpha(code);
    money_t gross = {0};
    reason_t reason;

    *item = (struct wire_submit_payout_request){
        .present = true,
        .reference = kept(r, COL_REFERENCE),
        .beneficiary = kept(r, COL_BENEFICIARY),
        .quote = kept(r, COL_QUOTE),
        .remittance_information = kept(r, COL_INFO),
    };
    if (r->csv.n > COL_COUNT || (size_t)r->column[COL_CURRENCY] >= r->csv.n)
        complain_line(r, "the line does not have the columns of the first one", "");
    if (item->reference.len == 0)
        complain_line(r, "there is no reference", "");
    reason = ccy == NULL ? REASON_CURRENCY_UNKNOWN
                         : money_parse(slice_str(cell(r, COL_AMOUNT)), ccy->number, &gross);
    if (reason == REASON_CURRENCY_UNKNOWN)
        complain_line(r, "no such currency:", cell(r, COL_CURRENCY));
    else if (reason != REASON_NONE)
        complain_line(r, reason_text(reason), cell(r, COL_AMOUNT));
    item->gross = (struct wire_money){true, code, gross.minor};
    if (item->beneficiary.len > 0)
        return;
    item->beneficiary_details = (struct wire_beneficiary_details){
        .present = true,
        .display_name = kept(r, COL_NAME),
        .iban = kept(r, COL_IBAN),
        .mobile_alias = kept(r, COL_MOBILE),
        .bank_code = kept(r, COL_BANK),
        .cnic = kept(r, COL_CNIC),
        .pseb_registration = kept(r, COL_PSEB),
        .channel = channel_parse(cell(r, COL_CHANNEL)),
        .purpose_code = kept(r, COL_PURPOSE),
    };
    if (item->beneficiary_details.channel == CHANNEL_UNSPECIFIED)
        complain_line(r, "the channel is export or remittance, not", cell(r, COL_CHANNEL));
}

static struct wire_submit_payout_request *next_item(struct reader *r)
{
    struct payout_file *f = r->file;

    if (f->n == PAYOUT_FILE_ROWS_MAX) {
        complain("%s: more than %d payouts; split it", r->path, PAYOUT_FILE_ROWS_MAX);
        exit(EXIT_REFUSED);
    }
    if (f->n == r->room) {
        r->room = r->room == 0 ? 1024 : r->room * 2;
        f->items = realloc(f->items, r->room * sizeof *f->items);
        if (f->items == NULL) {
            complain("out of memory");
            exit(EXIT_REFUSED);
        }
    }
    return &f->items[f->n++];
}

static bool take_rows(struct reader *r)
{
    const char *why = NULL;
    enum csv_result result;

    while ((result = csv_next(&r->csv, &why)) != CSV_END) {
        if (result == CSV_BROKEN)
            complain_line(r, why, "");
        else
            take_row(r, next_item(r));
    }
    if (r->complaints > COMPLAINTS_MAX)
        complain("%s: and %u more", r->path, r->complaints - COMPLAINTS_MAX);
    if (r->complaints > 0)
        complain("%s: nothing was sent", r->path);
    else if (r->file->n == 0)
        complain("%s: there are no payouts in it", r->path);
    return r->complaints == 0 && r->file->n > 0;
}

/* The text belongs to the caller. NULL: told. */
static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rbe");
    char *text = NULL;
    size_t room = 0;

    *len = 0;
    for (; f != NULL && !feof(f) && !ferror(f) && *len < ARENA_BYTES_MAX / 2;) {
        if (*len == room) {
            room = room == 0 ? 65536 : room * 2;
            text = realloc(text, room);
            if (text == NULL)
                abort();
        }
        *len += fread(text + *len, 1, room - *len, f);
    }
    if (f == NULL || ferror(f) || !feof(f)) {
        complain("%s: %s", path, f != NULL && !ferror(f) ? "it is too large" : strerror(errno));
        free(text);
        text = NULL;
    }
    if (f != NULL)
        fclose(f);
    return text;
}

bool payout_file_read(const char *path, struct payout_file *file)
{
    struct reader *r = calloc(1, sizeof *r);
    size_t len;
    char *text = read_file(path, &len);
    bool ok = false;

    *file = (struct payout_file){0};
    arena_init(&file->arena, 256 * 1024, ARENA_BYTES_MAX);
    if (r != NULL && text != NULL) {
        r->path = path;
        r->file = file;
        csv_init(&r->csv, slice_of(text, len));
        ok = take_header(r) && take_rows(r);
    }
    free(r);
    free(text);
    if (!ok)
        payout_file_free(file);
    return ok;
}

void payout_file_free(struct payout_file *file)
{
    arena_deinit(&file->arena);
    free(file->items);
    *file = (struct payout_file){0};
}
