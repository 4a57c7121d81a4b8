#include "cli/payout_file.h"

#include "base/command.h"
#include "cli/call.h"
#include "cli/payout_file_reader.h"
#include "domain/purpose.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARENA_BYTES_MAX (1024u * 1024 * 1024)
#define COMPLAINTS_MAX  20

const char *const payout_column_names[COL_COUNT] = {
    "reference", "amount", "currency", "beneficiary", "name",    "iban", "mobile",
    "bank",      "cnic",   "pseb",     "channel",     "purpose", "info", "quote"};

int32_t channel_parse(const char *text)
{
    if (strcasecmp(text, "export") == 0 || strcasecmp(text, "EXPORT_OF_SERVICES") == 0)
        return CHANNEL_EXPORT_OF_SERVICES;
    if (strcasecmp(text, "remittance") == 0 || strcasecmp(text, "HOME_REMITTANCE") == 0)
        return CHANNEL_HOME_REMITTANCE;
    return CHANNEL_UNSPECIFIED;
}

/* ---------------------------------------------------------------- one payout */

void payout_reader_complain(struct payout_reader *r, unsigned line, const char *what,
                            const char *value)
{
    if (r->complaints++ < COMPLAINTS_MAX)
        complain("%s:%u: %s%s%s%s", r->path, line, what, value[0] ? " '" : "", value,
                 value[0] ? "'" : "");
}

static void *have(struct payout_reader *r, void *p)
{
    if (p == NULL) {
        complain("%s is too large", r->path);
        exit(EXIT_REFUSED);
    }
    return p;
}

/* A copy that lives as long as the file. */
static struct slice kept(struct payout_reader *r, struct slice s)
{
    if (s.len == 0)
        return (struct slice){0};
    char *copy = have(r, arena_alloc(&r->file->arena, s.len));
    memcpy(copy, s.p, s.len);
    return slice_of(copy, s.len);
}

static const char *as_text(struct slice s, char out[64])
{
    return slice_text(s, out, 64);
}

static struct slice beneficiary_name(struct payout_reader *r, struct slice said)
{
    if (!slice_starts_with(said, SLICE("beneficiaries/")))
        return kept(r, said);
    size_t size = sizeof("platforms//") + strlen(r->platform) + said.len;
    char *name = have(r, arena_alloc(&r->file->arena, size));
    int n = snprintf(name, size, "platforms/%s/%.*s", r->platform, SLICE_ARG(said));
    return slice_of(name, (size_t)n);
}

static struct wire_submit_payout_request *next_item(struct payout_reader *r)
{
    struct payout_file *f = r->file;

    if (f->n == PAYOUT_FILE_ROWS_MAX) {
        complain("%s: more than %d payouts; split it", r->path, PAYOUT_FILE_ROWS_MAX);
        exit(EXIT_REFUSED);
    }
    if (f->n == r->room) {
        r->room = r->room == 0 ? 1024 : r->room * 2;
        f->items = have(r, realloc(f->items, r->room * sizeof *f->items));
    }
    return &f->items[f->n++];
}

static struct wire_money take_gross(struct payout_reader *r, const struct payout_line *line)
{
    struct slice code = kept(r, line->at[COL_CURRENCY]);
    const struct ccy *ccy = ccy_by_alpha(code);
    money_t gross = {0};
    char text[64];
    reason_t reason = ccy == NULL ? REASON_CURRENCY_UNKNOWN
                                  : money_parse(line->at[COL_AMOUNT], ccy->number, &gross);

    if (reason == REASON_CURRENCY_UNKNOWN)
        payout_reader_complain(r, line->number, "no such currency:", as_text(code, text));
    else if (reason != REASON_NONE)
        payout_reader_complain(r, line->number, reason_text(reason),
                               as_text(line->at[COL_AMOUNT], text));
    return (struct wire_money){true, code, gross.minor};
}

/* What can be wrong here is only what cannot be put into a message; the gateway judges the rest, item by item. */
void payout_reader_add(struct payout_reader *r, const struct payout_line *line)
{
    const struct slice *at = line->at;
    char text[64];
    struct wire_submit_payout_request *item = next_item(r);

    *item = (struct wire_submit_payout_request){
        .present = true,
        .reference = kept(r, at[COL_REFERENCE]),
        .beneficiary = beneficiary_name(r, at[COL_BENEFICIARY]),
        .quote = kept(r, at[COL_QUOTE]),
        .remittance_information = kept(r, at[COL_INFO]),
    };
    if (item->reference.len == 0)
        payout_reader_complain(r, line->number, "there is no reference", "");
    item->gross = take_gross(r, line);
    if (item->beneficiary.len > 0)
        return;
    item->beneficiary_details = (struct wire_beneficiary_details){
        .present = true,
        .display_name = kept(r, at[COL_NAME]),
        .iban = kept(r, at[COL_IBAN]),
        .mobile_alias = kept(r, at[COL_MOBILE]),
        .bank_code = kept(r, at[COL_BANK]),
        .cnic = kept(r, at[COL_CNIC]),
        .pseb_registration = kept(r, at[COL_PSEB]),
        .channel = channel_parse(as_text(at[COL_CHANNEL], text)),
        .purpose_code = kept(r, at[COL_PURPOSE]),
    };
    if (item->beneficiary_details.channel == CHANNEL_UNSPECIFIED &&
        !(r->channel_later && at[COL_CHANNEL].len == 0))
        payout_reader_complain(r, line->number, "the channel is export or remittance, not",
                               as_text(at[COL_CHANNEL], text));
}

/* ---------------------------------------------------------------- the file */

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

static bool read_form(struct payout_reader *r, struct slice text)
{
    struct slice rest = text;

    if (slice_starts_with(rest, SLICE("\xef\xbb\xbf")))
        rest = slice_of(rest.p + 3, rest.len - 3);
    while (rest.len > 0 && strchr(" \t\r\n", rest.p[0]) != NULL && rest.p[0] != '\0')
        rest = slice_of(rest.p + 1, rest.len - 1);
    char first = '\0';
    if (rest.len > 0)
        first = rest.p[0];
    if (first == '<') {
        r->file->form = "pain.001";
        return payout_file_read_pain(r, text);
    }
    if (first == '{') {
        r->file->form = "JSON Lines";
        return payout_file_read_json(r, text);
    }
    r->file->form = "CSV";
    return payout_file_read_csv(r, text);
}

static bool is_good(const struct payout_reader *r)
{
    if (r->complaints > COMPLAINTS_MAX)
        complain("%s: and %u more", r->path, r->complaints - COMPLAINTS_MAX);
    if (r->complaints > 0)
        complain("%s: nothing was sent", r->path);
    else if (r->file->n == 0)
        complain("%s: there are no payouts in it", r->path);
    return r->complaints == 0 && r->file->n > 0;
}

bool payout_file_read(const char *path, const char *platform, bool channel_later,
                      struct payout_file *file)
{
    struct payout_reader r = {
        .path = path, .platform = platform, .channel_later = channel_later, .file = file};
    size_t len;
    char *text = read_file(path, &len);
    bool ok = false;

    *file = (struct payout_file){0};
    arena_init(&file->arena, 256 * 1024, ARENA_BYTES_MAX);
    if (text != NULL) {
        ok = EVP_Digest(text, len, file->sha256, NULL, EVP_sha256(), NULL) == 1;
        ok = ok && read_form(&r, slice_of(text, len)) && is_good(&r);
    }
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
