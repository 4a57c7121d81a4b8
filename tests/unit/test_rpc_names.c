/* Resource names, page sizes and tokens: what rpc.h promises of them. */
#include <string.h>

#include "gateway/rpc/rpc.h"
#include "tests/unit/unit.h"

static struct rpc_call call;

static int set_up(void **state)
{
    (void)state;
    call = (struct rpc_call){.principal = {.code = "upwork"}};
    arena_init(&call.arena, 1024, 65536);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&call.arena);
    return 0;
}

static reason_t id_of(const char *name, int64_t *id)
{
    return rpc_resource_id(&call, slice_str(name), "payouts", id);
}

static void a_name_reads_back(void **state)
{
    static const int64_t ids[] = {1, 42, INT64_MAX};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        int64_t id = 0;
        struct slice name = rpc_resource_name(&call, "payouts", ids[i]);
        assert_int_equal(rpc_resource_id(&call, name, "payouts", &id), REASON_NONE);
        assert_true(id == ids[i]);
    }
    assert_slice(rpc_resource_name(&call, "payouts", 42), "platforms/upwork/payouts/42");
}

static void another_platforms_name_is_forbidden_before_anything_else(void **state)
{
    int64_t id;
    (void)state;
    assert_int_equal(id_of("platforms/fiverr/payouts/1", &id), REASON_RESOURCE_FORBIDDEN);
    assert_int_equal(id_of("platforms/fiverr/nonsense/x", &id), REASON_RESOURCE_FORBIDDEN);
    assert_int_equal(id_of("platforms/Upwork/payouts/1", &id), REASON_RESOURCE_FORBIDDEN);
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const bad[] = {"x",
                                      "platforms",
                                      "platforms/",
                                      "platforms/upwork",
                                      "platforms/upwork/payouts",
                                      "platforms/upwork/payouts/",
                                      "platforms/upwork/payouts/0",
                                      "platforms/upwork/payouts/01",
                                      "platforms/upwork/payouts/-1",
                                      "platforms/upwork/payouts/+1",
                                      "platforms/upwork/payouts/1 ",
                                      "platforms/upwork/payouts/1/2",
                                      "platforms/upwork/quotes/1",
                                      "/platforms/upwork/payouts/1",
                                      "platforms//payouts/1",
                                      "platforms/upwork/payouts/9223372036854775808"};
    int64_t id;
    (void)state;
    assert_int_equal(id_of("", &id), REASON_FIELD_REQUIRED);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(id_of(bad[i], &id), REASON_FIELD_INVALID);
    assert_int_equal(rpc_resource_id(&call, SLICE("platforms/upwork/payouts/1\0"), "payouts", &id),
                     REASON_FIELD_INVALID);
}

static void page_sizes_are_bounded(void **state)
{
    int32_t rows = 0;
    (void)state;
    assert_int_equal(rpc_page_size(0, &rows), REASON_NONE);
    assert_int_equal(rows, 100);
    assert_int_equal(rpc_page_size(1000, &rows), REASON_NONE);
    assert_int_equal(rows, 1000);
    assert_int_equal(rpc_page_size(1001, &rows), REASON_PAGE_SIZE_INVALID);
    assert_int_equal(rpc_page_size(-1, &rows), REASON_PAGE_SIZE_INVALID);
}

static void a_token_reads_back_in_its_own_place_only(void **state)
{
    (void)state;
    struct rpc_token made = {.kind = 'b', .scope = 7, .a = -1, .b = INT64_MAX};
    struct slice text = rpc_token_encode(&call, &made);
    struct rpc_token read = {.kind = 'b', .scope = 7};
    assert_true(rpc_token_decode(text, &read));
    assert_true(read.a == -1 && read.b == INT64_MAX);
    assert_false(rpc_token_decode(text, &(struct rpc_token){.kind = 'c', .scope = 7}));
    assert_false(rpc_token_decode(text, &(struct rpc_token){.kind = 'b', .scope = 8}));
}

static void an_empty_token_is_the_beginning(void **state)
{
    (void)state;
    struct rpc_token read = {.kind = 'b', .scope = 7, .a = 1, .b = 1};
    assert_true(rpc_token_decode(SLICE(""), &read));
    assert_true(read.a == 0 && read.b == 0);
}

static void a_token_with_any_character_changed_is_refused(void **state)
{
    char text[64];
    (void)state;
    struct rpc_token made = {.kind = 'b', .scope = 7, .a = 5, .b = 6};
    struct slice good = rpc_token_encode(&call, &made);
    for (size_t i = 0; i < good.len; i++) {
        struct rpc_token read = {.kind = 'b', .scope = 7};
        memcpy(text, good.p, good.len);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_false(rpc_token_decode(slice_of(text, good.len), &read));
        assert_false(rpc_token_decode(slice_of(good.p, i == 0 ? 1 : i), &read));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_platforms_name_is_forbidden_before_anything_else,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_name_is_refused, set_up, tear_down),
        cmocka_unit_test(page_sizes_are_bounded),
        cmocka_unit_test_setup_teardown(a_token_reads_back_in_its_own_place_only, set_up,
                                        tear_down),
        cmocka_unit_test(an_empty_token_is_the_beginning),
        cmocka_unit_test_setup_teardown(a_token_with_any_character_changed_is_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
