#include "cli/platform_profile.h"

#include "base/command.h"
#include "cli/call.h"
#include "domain/purpose.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COMPLAINTS_MAX 20

static const char *const texts[] = {"code", "name", "reference", "channel", "purpose", "note"};
static const char *const tariff_members[] = {"margin_bps", "fee_fixed", "fee_bps",
                                             "fee_min",    "fee_max",   "gross_max"};
#define N_TEXTS   (sizeof texts / sizeof *texts)
#define N_MEMBERS (sizeof tariff_members / sizeof *tariff_members)

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* ---------------------------------------------------------------- reading */

static bool fail(const struct platform_profile *p, const char *what, const char *name)
{
    complain("%s: %s%s%s%s", p->path, what, name[0] ? " '" : "", name, name[0] ? "'" : "");
    return false;
}

static bool check_currency(const struct platform_profile *p, const char *code, json_t *tariff)
{
    const char *name;
    json_t *value;

    if (ccy_by_alpha(slice_str(code)) == NULL)
        return fail(p, "no such currency:", code);
    if (!json_is_object(tariff))
        return fail(p, "a currency's tariff is an object:", code);
    json_object_foreach(tariff, name, value)
    {
        bool bps = strstr(name, "_bps") != NULL;

        if (!is_one_of(name, tariff_members, N_MEMBERS))
            return fail(p, "no such member of a tariff:", name);
        if (bps ? !json_is_integer(value) : !json_is_string(value))
            return fail(
                p, bps ? "basis points are a whole number:" : "an amount is a string in quotes:",
                name);
    }
    return true;
}

static bool check(const struct platform_profile *p)
{
    const char *name;
    json_t *value;

    if (!json_is_object(p->json))
        return fail(p, "it is not an object, {...}", "");
    json_object_foreach(p->json, name, value)
    {
        const char *code;
        json_t *tariff;

        if (strcmp(name, "currencies") != 0) {
            if (!is_one_of(name, texts, N_TEXTS))
                return fail(p, "no such member:", name);
            if (!json_is_string(value))
                return fail(p, "it must be a string in quotes:", name);
            continue;
        }
        if (!json_is_object(value))
            return fail(p, "currencies are an object", "");
        json_object_foreach(value, code, tariff)
        {
            if (!check_currency(p, code, tariff))
                return false;
        }
    }
    const char *channel = platform_profile_text(p, "channel");
    if (channel != NULL && channel_parse(channel) == CHANNEL_UNSPECIFIED)
        return fail(p, "the channel is export or remittance, not", channel);
    return true;
}

bool platform_profile_read(const char *path, struct platform_profile *out)
{
    json_error_t error;

    *out = (struct platform_profile){.path = path};
    if (path == NULL)
        return true;
    out->json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (out->json == NULL) {
        if (error.line > 0)
            complain("%s:%d: %s", path, error.line, error.text);
        else
            complain("%s", error.text);
        return false;
    }
    if (check(out))
        return true;
    platform_profile_free(out);
    return false;
}

void platform_profile_free(struct platform_profile *p)
{
    json_decref(p->json);
    p->json = NULL;
}

const char *platform_profile_text(const struct platform_profile *p, const char *member)
{
    return json_string_value(json_object_get(p->json, member));
}

const char *platform_profile_tariff(const struct platform_profile *p, const char *ccy,
                                    const char *option, char out[32])
{
    char member[32];

    (void)snprintf(member, sizeof member, "%s", option);
    for (char *c = member; *c != '\0'; c++)
        if (*c == '-')
            *c = '_';
    json_t *value =
        json_object_get(json_object_get(json_object_get(p->json, "currencies"), ccy), member);
    if (json_is_integer(value)) {
        (void)snprintf(out, 32, "%lld", (long long)json_integer_value(value));
        return out;
    }
    return json_string_value(value);
}

const char *platform_profile_currency(const struct platform_profile *p, size_t *at)
{
    json_t *all = json_object_get(p->json, "currencies");
    void *i = json_object_iter(all);

    for (size_t k = 0; i != NULL && k < *at; k++)
        i = json_object_iter_next(all, i);
    (*at)++;
    return i == NULL ? NULL : json_object_iter_key(i);
}

/* ---------------------------------------------------------------- payouts under it */

bool reference_matches(const char *pattern, struct slice reference)
{
    size_t i = 0;

    for (const char *p = pattern; *p != '\0'; p++) {
        bool digit = i < reference.len && isdigit((unsigned char)reference.p[i]);

        if (*p == '#' || *p == '*') {
            if (!digit)
                return false;
            i++;
            while (*p == '*' && i < reference.len && isdigit((unsigned char)reference.p[i]))
                i++;
        } else if (i >= reference.len || reference.p[i++] != *p) {
            return false;
        }
    }
    return i == reference.len;
}

static const char *fault(const struct platform_profile *p,
                         const struct wire_submit_payout_request *item)
{
    const char *pattern = platform_profile_text(p, "reference");
    char code[8], room[32];
    money_t max = {0};

    slice_text(item->gross.currency_code, code, sizeof code);
    if (pattern != NULL && !reference_matches(pattern, item->reference))
        return "the reference is not written as the profile has it";
    if (json_object_get(json_object_get(p->json, "currencies"), code) == NULL)
        return "the profile does not have this currency";
    const char *text = platform_profile_tariff(p, code, "gross-max", room);
    if (text != NULL &&
        money_parse(slice_str(text), ccy_by_alpha(slice_str(code))->number, &max) == REASON_NONE &&
        item->gross.minor_units > max.minor)
        return "the amount is above the profile's gross_max";
    return NULL;
}

bool platform_profile_apply(const struct platform_profile *p, const char *file_path,
                            struct payout_file *file)
{
    const char *channel = platform_profile_text(p, "channel");
    const char *purpose = platform_profile_text(p, "purpose");
    unsigned complaints = 0;

    if (p->json == NULL)
        return true;
    for (size_t i = 0; i < file->n; i++) {
        struct wire_submit_payout_request *item = &file->items[i];
        struct wire_beneficiary_details *details = &item->beneficiary_details;
        char reference[72];
        const char *why = fault(p, item);

        if (details->present && details->channel == CHANNEL_UNSPECIFIED && channel != NULL) {
            details->channel = channel_parse(channel);
            if (details->purpose_code.len == 0 && purpose != NULL)
                details->purpose_code = slice_str(purpose);
        }
        if (why != NULL && complaints++ < COMPLAINTS_MAX)
            complain("%s: payout %zu (%s): %s", file_path, i + 1,
                     slice_text(item->reference, reference, sizeof reference), why);
    }
    if (complaints > COMPLAINTS_MAX)
        complain("%s: and %u more", file_path, complaints - COMPLAINTS_MAX);
    if (complaints > 0)
        complain("%s: nothing was sent", file_path);
    return complaints == 0;
}
