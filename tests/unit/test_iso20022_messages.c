/* What is written is read again unchanged, is valid by the published XSDs, and is the text a bank expects. */
#include "tests/unit/iso20022_maker.h"
#include "tests/unit/unit.h"

static struct maker made;

/* ---------------------------------------------------------------- the same again */

static bool same(const struct iso_element *e, const void *a, const void *b);

static bool same_inside(const struct iso_element *inner, const void *a, const void *b)
{
    for (const struct iso_element *e = inner; e->name != NULL; e++)
        if (!same(e, a, b))
            return false;
    return true;
}

static bool same_value(const struct iso_element *e, const void *a, const void *b)
{
    if (e->type == ISO_GROUP)
        return same_inside(e->inner, a, b);
    if (iso_type_is_text(e->type))
        return slice_equal(*(const struct slice *)a, *(const struct slice *)b);
    if (e->type == ISO_AMOUNT || e->type == ISO_BALANCE)
        return money_equal(*(const money_t *)a, *(const money_t *)b);
    return memcmp(a, b, iso_value_size(e->type)) == 0;
}

static bool same(const struct iso_element *e, const void *a, const void *b)
{
    if (e->flags & (ISO_ITEM | ISO_READ))
        return true;
    if (iso_value_count(e, a) != iso_value_count(e, b)) {
        print_message("%s: another number of them\n", e->name);
        return false;
    }
    for (size_t i = 0; i < iso_value_count(e, a); i++)
        if (!same_value(e, iso_value(e, a, i), iso_value(e, b, i))) {
            print_message("%s differs\n", e->name);
            return false;
        }
    return true;
}

struct seen {
    size_t groups, items;
};

static bool see_group(void *user, const struct iso_header *header, const struct iso_group *group,
                      struct iso_refusal *why)
{
    struct seen *seen = user;
    (void)why;
    assert_int_equal(group->kind, made.group.kind);
    if (made.group.total.ccy == 0)
        assert_int_equal(group->control_sum.len, 0);
    made.group.control_sum = group->control_sum; /* the writer made it */
    assert_true(same_inside(iso_definition(group->kind)->inner, group, &made.group));
    if (header != NULL) {
        assert_true(slice_equal(header->message_id, group->message_id));
        assert_slice(header->to_bic, "DEMOPKKA");
        assert_true(header->creation_us == group->creation_us);
    }
    seen->groups++;
    return true;
}

static bool see_item(void *user, const struct iso_group *group, const union iso_item *item,
                     struct iso_refusal *why)
{
    struct seen *seen = user;
    const struct iso_definition *d = iso_definition(group->kind);
    union iso_item *mine = &made.items[seen->items];

    (void)why;
    assert_true(seen->items < made.n);
    if (d->item == ISO_ITEM_FOLLOW_UP && mine->follow_up.original.message_id.len == 0)
        mine->follow_up.original = made.group.original; /* the reader fills it in */
    assert_true(same_inside(item_row(d->inner)->inner, item, mine));
    if (group->kind == ISO_PAIN_001)
        assert_true(slice_equal(item->transfer.debtor.name, made.group.payment.debtor.name));
    seen->items++;
    return true;
}

static struct iso_schemas *schemas;

static void round_trip(enum iso_kind kind, uint64_t seed, bool bare, struct buf *out)
{
    struct seen seen = {0, 0};
    struct iso_sink sink = {&seen, see_group, see_item};
    struct iso_reader_options options = {.schemas = schemas, .header_required = !bare};
    struct iso_refusal refusal;
    char text[ISO_REFUSAL_TEXT_SIZE];

    make_message(&made, kind, seed);
    if (!write_message(&made, bare, out, &refusal))
        fail_msg("kind %d seed %llu: %s", (int)kind, (unsigned long long)seed,
                 iso_refusal_text(&refusal, text));
    if (!read_bytes(buf_slice(out), &options, &sink, &refusal))
        fail_msg("kind %d seed %llu: %s\n%.*s", (int)kind, (unsigned long long)seed,
                 iso_refusal_text(&refusal, text), SLICE_ARG(buf_slice(out)));
    assert_int_equal(seen.groups, 1);
    assert_int_equal(seen.items, made.n);
}

static void random_messages_of_every_kind_survive_write_and_read(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1 << 22);
    for (unsigned i = 0; iso_definition_at(i) != NULL; i++)
        for (uint64_t seed = 1; seed <= 60; seed++)
            round_trip(iso_definition_at(i)->kind, seed * 7919 + i, seed % 2 == 0, &out);
    buf_deinit(&out);
}

static void every_message_is_valid_by_its_published_xsd(void **state)
{
    const char *folder = xsd_folder();
    struct buf out;
    (void)state;
    if (folder == NULL)
        skip();
    assert_ok(iso_schemas_new(folder, &schemas));
    buf_init(&out, 1 << 22);
    for (unsigned i = 0; iso_definition_at(i) != NULL; i++)
        for (uint64_t seed = 1; seed <= 60; seed++)
            round_trip(iso_definition_at(i)->kind, seed * 104729 + i, seed % 2 == 0, &out);
    buf_deinit(&out);
    iso_schemas_free(&schemas);
    assert_null(schemas);
}

static void the_same_message_gives_the_same_bytes(void **state)
{
    struct buf first;
    struct buf second;
    struct iso_refusal refusal;
    (void)state;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    make_message(&made, ISO_PACS_008, 5);
    assert_true(write_message(&made, false, &first, &refusal));
    make_message(&made, ISO_PACS_008, 5);
    assert_true(write_message(&made, false, &second, &refusal));
    assert_int_equal(buf_len(&first), buf_len(&second));
    assert_memory_equal(buf_data(&first), buf_data(&second), buf_len(&first));
    buf_deinit(&first);
    buf_deinit(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_messages_of_every_kind_survive_write_and_read),
        cmocka_unit_test(every_message_is_valid_by_its_published_xsd),
        cmocka_unit_test(the_same_message_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
