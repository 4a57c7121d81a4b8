#include "settle/content.h"

#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static void find_parties(struct file_content *c)
{
    const json_t *from = json_object_get(c->json, "from"), *to = json_object_get(c->json, "to");
    c->parties = (struct file_parties){
        .from_bic = text_of(from, "bic"),
        .from_name = text_of(from, "name"),
        .from_town = text_of(from, "town"),
        .from_country = text_of(from, "country"),
        .account = text_of(from, "account"),
        .service = text_of(from, "service"),
        .to_bic = text_of(to, "bic"),
        .to_name = text_of(to, "name"),
    };
}

static err_t parse(struct slice text, struct file_content *out)
{
    json_error_t error;
    *out = (struct file_content){.json = json_loadb(text.p == NULL ? "" : text.p, text.len,
                                                    JSON_REJECT_DUPLICATES, &error)};
    if (json_is_object(out->json))
        return err_none();
    file_content_deinit(out);
    return err_make(ERR_PARSE, "the contents of a file");
}

err_t file_content_new(struct slice chosen, const struct file_parties *p, struct file_content *out)
{
    err_t err = parse(chosen, out);
    if (err_failed(err))
        return err;
    json_t *from = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "bic", p->from_bic, "name",
                             p->from_name, "town", p->from_town, "country", p->from_country,
                             "account", p->account, "service", p->service);
    json_t *to = json_pack("{s:s, s:s}", "bic", p->to_bic, "name", p->to_name);
    int failed = json_object_set_new(out->json, "from", from);
    failed |= json_object_set_new(out->json, "to", to);
    if (failed != 0) {
        file_content_deinit(out);
        return err_make(ERR_NO_MEMORY, "the contents of a file");
    }
    find_parties(out);
    return err_none();
}

err_t file_content_read(struct slice text, struct file_content *out)
{
    err_t err = parse(text, out);
    if (err_failed(err))
        return err;
    find_parties(out);
    out->count = json_integer_value(json_object_get(out->json, "count"));
    out->sum = (money_t){json_integer_value(json_object_get(out->json, "sum")),
                         (uint16_t)json_integer_value(json_object_get(out->json, "ccy"))};
    return err_none();
}

void file_content_deinit(struct file_content *c)
{
    json_decref(c->json);
    *c = (struct file_content){0};
}

err_t file_content_set_totals(struct file_content *c, int64_t count, money_t sum)
{
    c->count = count;
    c->sum = sum;
    int failed = json_object_set_new(c->json, "count", json_integer(count));
    failed |= json_object_set_new(c->json, "sum", json_integer(sum.minor));
    failed |= json_object_set_new(c->json, "ccy", json_integer(sum.ccy));
    return failed == 0 ? err_none() : err_make(ERR_NO_MEMORY, "the contents of a file");
}

/* ---------------------------------------------------------------- what is left out */

err_t file_content_leave_out(struct file_content *c, const char *instruction_id, const char *why)
{
    json_t *all = json_object_get(c->json, "left_out");
    if (all == NULL) {
        all = json_object();
        if (json_object_set_new(c->json, "left_out", all) != 0)
            return err_make(ERR_NO_MEMORY, "the contents of a file");
    }
    return json_object_set_new(all, instruction_id, json_string(why)) == 0
               ? err_none()
               : err_make(ERR_NO_MEMORY, "the contents of a file");
}

bool file_content_is_left_out(const struct file_content *c, const char *instruction_id)
{
    const json_t *all = json_object_get(c->json, "left_out");
    return all != NULL && json_object_get(all, instruction_id) != NULL;
}

size_t file_content_left_out(const struct file_content *c)
{
    return json_object_size(json_object_get(c->json, "left_out"));
}

void file_content_left_out_at(const struct file_content *c, size_t i, const char **instruction_id,
                              const char **why)
{
    json_t *all = json_object_get(c->json, "left_out");
    void *at = json_object_iter(all);
    while (i-- > 0)
        at = json_object_iter_next(all, at);
    *instruction_id = json_object_iter_key(at);
    *why = json_string_value(json_object_iter_value(at));
}

/* ---------------------------------------------------------------- hand-outs */

bool file_content_handout(const struct file_content *c, size_t i, struct file_handout *out)
{
    const json_t *h = json_array_get(json_object_get(c->json, "handouts"), i);
    if (h == NULL)
        return false;
    out->book_id = (int32_t)json_integer_value(json_array_get(h, 0));
    out->after = json_integer_value(json_array_get(h, 1));
    out->upto = json_integer_value(json_array_get(h, 2));
    return true;
}

char *file_content_text(const struct file_content *c)
{
    return json_dumps(c->json, JSON_COMPACT | JSON_SORT_KEYS);
}
