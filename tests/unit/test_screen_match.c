#include "screen/index.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct screen_fold *fold;

static int open_fold(void **state)
{
    (void)state;
    return err_failed(screen_fold_new(&fold)) ? -1 : 0;
}

static int close_fold(void **state)
{
    (void)state;
    screen_fold_free(&fold);
    return 0;
}

/* The name's tokens, a blank between. */
static const char *tokens_of(const char *name, char out[256])
{
    struct screen_name folded;
    size_t len = 0;

    assert_ok(screen_fold_name(fold, slice_str(name), &folded));
    out[0] = '\0';
    for (size_t i = 0; i < folded.n; i++)
        len += (size_t)snprintf(out + len, 256 - len, "%s%s", i == 0 ? "" : " ",
                                folded.tokens[i].text);
    return out;
}

static void names_become_tokens(void **state)
{
    static const char *const cases[][2] = {
        {"Mr. Haji Jamil O'Neil-Smith", "jamil oneil smith"},
        {"Abdul Rahman", "abdrahman"},
        {"Abd al-Rahman", "abdrahman"},
        {"ABDURRAHMAN", "abdrahman"},
        {"Abdullah", "abdula"},
        {"Siraj ud-Din", "sirajdin"},
        {"Sirajuddin", "sirajdin"},
        {"Saif Ullah", "saifula"},
        {"Saifullah", "saifula"},
        {"Zaid bin al Walid", "zaid walid"},
        {"Zar Trading L.L.C.", "zar trading"},
        {"M.A. Jamil", "m a jamil"},
        {"The Co. Ltd", "the co ltd"}, /* nothing else is there */
        {"...", ""},
        {"Łódź Müller", "lodz muller"},
        {"Дмитрий Хорошев", "dmitriy khoroshev"},
    };
    char out[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(tokens_of(cases[i][0], out), cases[i][1]);
}

static unsigned like(const char *a, const char *b)
{
    struct screen_name x, y;

    assert_ok(screen_fold_name(fold, slice_str(a), &x));
    assert_ok(screen_fold_name(fold, slice_str(b), &y));
    assert_int_equal(x.n, 1);
    assert_int_equal(y.n, 1);
    assert_int_equal(screen_token_like(&x.tokens[0], &y.tokens[0]),
                     screen_token_like(&y.tokens[0], &x.tokens[0]));
    return screen_token_like(&x.tokens[0], &y.tokens[0]);
}

static void spellings_of_a_name_are_alike(void **state)
{
    static const char *const same[][2] = {
        {"Mohammad", "Mohd"},
        {"Muhammed", "Mohamed"},
        {"Hussain", "Husayn"},
        {"Qasim", "Kassem"},
        {"Yusuf", "Joseph"},
        {"Zaheer", "Zahir"},
        {"Mahsood", "Mahsud"},
        {"Ashraf", "Ashraph"},
        {"Qamar", "Kamar"},
        {"Siddiqui", "Sadiq"},
        {"Sirajuddin", "Siraj ud Din"},
        {"Zarmazai", "Zarmazay"},
        {"محمد", "Mohammad"},
        {"حسین", "Hussain"},
        {"Сергей", "Sergei"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_in_range(like(same[i][0], same[i][1]), 930, 1000);
    assert_in_range(like("Zawahiri", "Zawahri"), 880, 999);
    assert_in_range(like("Rahimi", "Rajimi"), SCREEN_LIKE_MIN, 899);
    assert_int_equal(like("Abdul Rahman", "Rahman"), 850);
}

static void different_names_are_not(void **state)
{
    (void)state;
    assert_int_equal(like("Hassan", "Hussain"), 0);
    assert_int_equal(like("Hamid", "Ahmad"), 0);
    assert_int_equal(like("Khan", "Jan"), 0);
    assert_int_equal(like("Kayani", "Khan"), 0);
    assert_int_equal(like("12", "13"), 0);
}

/* ---------------------------------------------------------------- a small list */

#define LIST                                                                                       \
    "id,type,name,aliases,dob,country,cnic,passport,program\n"                                     \
    "1,person,Qudratullah Muhammad Zarmazai,,1971-04-28,Pakistan,0000012345671,AB123,A\n"          \
    "2,person,Abd al-Rahman Turkhani,عبد الرحمن ترخاني,1960..1963,,,,A\n"           \
    "3,organisation,Kholoni Trading LLC,,,,,,A\n"                                                  \
    "4,person,Muhammad Ali Shinmadadi,,,,,,A\n"                                                    \
    "5,person,Ahmed Zarkhel,,,,,,A\n"

struct world {
    struct screen_list list;
    struct screen_index *index;
    struct screen_search *search;
    struct screen_hit hits[SCREEN_HITS_MAX];
    size_t n;
};

static int open_world(void **state)
{
    static struct world w;
    const struct screen_list *list = &w.list;
    const char *name = "L";
    struct screen_fault fault = {0};

    screen_list_init(&w.list);
    if (!screen_list_read_csv(&w.list, slice_str(LIST), &fault) ||
        err_failed(screen_index_new(&list, &name, 1, &w.index)) ||
        err_failed(screen_search_new(w.index, &w.search)))
        return -1;
    *state = &w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;

    screen_search_free(&w->search);
    screen_index_free(&w->index);
    screen_list_deinit(&w->list);
    return 0;
}

/* The score of that entry; 0 if it is no hit. */
static int score(struct world *w, struct screen_query q, const char *id)
{
    if (q.threshold == 0)
        q.threshold = 1;
    assert_ok(screen_search_run(w->search, &q, w->hits, &w->n));
    for (size_t i = 0; i < w->n; i++)
        if (slice_equal_str(w->hits[i].entry->id, id))
            return w->hits[i].score;
    return 0;
}

static int named(struct world *w, const char *name, const char *id)
{
    return score(w, (struct screen_query){.name = slice_str(name)}, id);
}

static void a_name_is_found_however_it_is_written(void **state)
{
    static const char *const cases[][2] = {
        {"Qudratullah Muhammad Zarmazai", "1"},
        {"Zarmazai, Qudratullah Mohd", "1"},
        {"Kudratullah Zarmazay", "1"},
        {"Haji Qudrat Ullah Muhammed Zarmazai", "1"},
        {"Q. Muhammad Zarmazai", "1"},
        {"Qudratullah Muhammad Zarmzai", "1"},
        {"Abdul Rehman Turkhani", "2"},
        {"Abdurrahman Turkhani", "2"},
        {"عبدالرحمن ترخانی", "2"},
        {"TURKHANI Abd-ur-Rehman", "2"},
        {"KHOLONI TRADING", "3"},
        {"Kholoni Trading Co. Ltd.", "3"},
        {"Muhammadali Shinmadadi", "4"},
        {"Mohammed Aly Shinmadadi", "4"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (named(w, cases[i][0], cases[i][1]) < SCREEN_THRESHOLD)
            fail_msg("%s: %d", cases[i][0], named(w, cases[i][0], cases[i][1]));
    assert_int_equal(named(w, "Qudratullah Muhammad Zarmazai", "1"), 1000);
}

static void common_names_alone_are_nobody(void **state)
{
    struct world *w = *state;

    assert_true(named(w, "Muhammad Ali Khan", "4") < SCREEN_THRESHOLD);
    assert_true(named(w, "Muhammad", "1") < SCREEN_THRESHOLD);
    assert_true(named(w, "Abdul Rehman", "2") < SCREEN_THRESHOLD);
    assert_in_range(named(w, "Ahmed Z.", "5"), 1, SCREEN_THRESHOLD - 1);
    assert_int_equal(named(w, "Saima Bibi", "1"), 0);
}

static struct screen_query known(const char *name, const char *dob)
{
    struct screen_query q = {.name = slice_str(name)};

    assert_ok(screen_dob_parse(slice_str(dob), &q.dob));
    return q;
}

static void births_add_and_take(void **state)
{
    static const struct {
        const char *dob;
        int part;
    } cases[] = {{"1971-04-28", SCREEN_PART_DOB_SAME},
                 {"1971", SCREEN_PART_YEAR_SAME},
                 {"1969..1972", SCREEN_PART_YEAR_SAME},
                 {"1972-01-01", 0},
                 {"1973", 0},
                 {"1974", SCREEN_PART_DOB_OTHER},
                 {"1968", SCREEN_PART_DOB_OTHER},
                 {"1969-12-31", 0}};
    struct world *w = *state;
    int alone = named(w, "Qudratullah Zarmazay", "1");

    assert_in_range(alone, 800, 950);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(score(w, known("Qudratullah Zarmazay", cases[i].dob), "1"),
                         alone + cases[i].part);
        assert_int_equal(w->hits[0].dob, cases[i].part);
    }
    assert_int_equal(score(w, known("Abdul Rehman Turkhani", "1962"), "2") -
                         named(w, "Abdul Rehman Turkhani", "2"),
                     20);
}

static void documents_decide_and_contradict(void **state)
{
    struct world *w = *state;
    struct screen_query q = {.name = SLICE("Somebody Else"),
                             .cnic = SLICE("0000012345671"),
                             .threshold = SCREEN_THRESHOLD};
    char why[SCREEN_EXPLAIN_SIZE];

    assert_int_equal(score(w, q, "1"), 1000);
    assert_non_null(strstr(screen_explain(w->search, &w->hits[0], why), "the same CNIC"));
    q.cnic = (struct slice){0};
    q.passport = SLICE("ab-123");
    assert_int_equal(score(w, q, "1"), 1000);
    q = (struct screen_query){.name = SLICE("Qudratullah Muhammad Zarmazai"),
                              .cnic = SLICE("0000012345672")};
    assert_int_equal(score(w, q, "1"), 1000 + SCREEN_PART_CNIC_OTHER);
}

static void kind_and_country_count(void **state)
{
    struct world *w = *state;
    struct screen_query q = {.name = SLICE("Kholoni Trading"), .kind = SCREEN_PERSON};

    assert_int_equal(score(w, q, "3"), 1000 + SCREEN_PART_KIND_OTHER);
    q.kind = SCREEN_ORGANISATION;
    assert_int_equal(score(w, q, "3"), 1000);
    q = (struct screen_query){.name = SLICE("Qudratullah Zarmazay"), .country = SLICE("PAKISTAN")};
    assert_int_equal(score(w, q, "1"),
                     named(w, "Qudratullah Zarmazay", "1") + SCREEN_PART_COUNTRY_SAME);
}

static void a_score_explains_itself(void **state)
{
    struct world *w = *state;
    char why[SCREEN_EXPLAIN_SIZE];

    assert_true(score(w, known("Kudratullah Zarmazai Wardak", "1950"), "1") > 0);
    (void)screen_explain(w->search, &w->hits[0], why);
    assert_non_null(strstr(why, "zarmazai = zarmazai"));
    assert_non_null(strstr(why, "~ qudratula"));
    assert_non_null(strstr(why, "not in the list: wardak"));
    assert_non_null(strstr(why, "not in the name: muhammad"));
    assert_non_null(strstr(why, "born otherwise -150"));
}

static void odd_names_are_answered(void **state)
{
    struct world *w = *state;
    struct screen_query q = {.name = SLICE("\xc3\x28"), .threshold = 1};
    char text[SCREEN_FIELD_MAX * 4];

    assert_code(screen_search_run(w->search, &q, w->hits, &w->n), ERR_INVALID);
    assert_int_equal(named(w, "", "1"), 0);
    assert_int_equal(named(w, "-- .. '", "1"), 0);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(named(w, text, "1"), 0);
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xd9\x85", 2);
    assert_int_equal(named(w, text, "1"), 0);
}

int main(void)
{
    const struct CMUnitTest folding[] = {
        cmocka_unit_test(names_become_tokens),
        cmocka_unit_test(spellings_of_a_name_are_alike),
        cmocka_unit_test(different_names_are_not),
    };
    const struct CMUnitTest searching[] = {
        cmocka_unit_test(a_name_is_found_however_it_is_written),
        cmocka_unit_test(common_names_alone_are_nobody),
        cmocka_unit_test(births_add_and_take),
        cmocka_unit_test(documents_decide_and_contradict),
        cmocka_unit_test(kind_and_country_count),
        cmocka_unit_test(a_score_explains_itself),
        cmocka_unit_test(odd_names_are_answered),
    };

    return cmocka_run_group_tests(folding, open_fold, close_fold) +
           cmocka_run_group_tests(searching, open_world, close_world);
}
