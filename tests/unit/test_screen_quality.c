/*
 * How often screening is right, on names of which we know whom they mean (screen_labelled.h): the tables of docs/screening.md.
 * The page is compared with what comes out here; `test_screen_quality --print` prints what belongs there.
 */
#include "tests/unit/screen_labelled.h"
#include "tests/unit/unit.h"

#define POSITIVES 2000
#define NEGATIVES 10000
#define SEED      20260 /* not one that the rules were tuned with */
#define PAGE      "docs/screening.md"
#define FIRST     600
#define LAST      960
#define STEP      20

struct curve {
    int positives[SCREEN_SCORE_MAX + 1]; /* by the score of whom they mean */
    int negatives[SCREEN_SCORE_MAX + 1]; /* by the best score */
};

static void ask_all(const struct screen_list *list, struct curve *c)
{
    static struct screen_hit hits[SCREEN_HITS_MAX];
    const char *list_name = "L";
    struct screen_index *index;
    struct screen_search *search;
    struct prng prng = {SEED};
    char name[LABELLED_NAME];
    size_t n;

    memset(c, 0, sizeof *c);
    assert_ok(screen_index_new(&list, &list_name, 1, &index));
    assert_ok(screen_search_new(index, &search));
    for (int i = 0; i < POSITIVES + NEGATIVES; i++) {
        const struct screen_entry *whom =
            i < POSITIVES ? &list->entries[labelled_positive(&prng, list, name)] : NULL;
        struct screen_query q = {.threshold = FIRST};
        int best = 0;

        if (whom == NULL)
            labelled_negative(&prng, name);
        q.name = slice_str(name);
        assert_ok(screen_search_run(search, &q, hits, &n));
        for (size_t k = 0; k < n; k++)
            if ((whom == NULL && k == 0) || hits[k].entry == whom)
                best = hits[k].score;
        if (whom != NULL)
            c->positives[best]++;
        else
            c->negatives[best]++;
    }
    screen_search_free(&search);
    screen_index_free(&index);
}

static int from_on(const int *counts, int score)
{
    int n = 0;

    for (int i = score; i <= SCREEN_SCORE_MAX; i++)
        n += counts[i];
    return n;
}

/* In thousandths. */
static int recall(const struct curve *c, int score)
{
    return from_on(c->positives, score) * 1000 / POSITIVES;
}

static int precision(const struct curve *c, int score)
{
    int found = from_on(c->positives, score), wrong = from_on(c->negatives, score);

    return found == 0 ? 0 : found * 1000 / (found + wrong);
}

static size_t print_table(const struct curve *c, const char *name, char *out, size_t size)
{
    size_t len = (size_t)snprintf(
        out, size, "<!-- %s -->\n| from | recall | precision | false alarms |\n|--:|--:|--:|--:|\n",
        name);

    for (int score = FIRST; score <= LAST; score += STEP) {
        int wrong = from_on(c->negatives, score);

        len += (size_t)snprintf(
            out + len, size - len, "| %s%d%s | 0.%03d | 0.%03d | %d of %d |\n",
            score == SCREEN_THRESHOLD ? "**" : "", score, score == SCREEN_THRESHOLD ? "**" : "",
            recall(c, score) == 1000 ? 999 : recall(c, score),
            precision(c, score) == 1000 ? 999 : precision(c, score), wrong, NEGATIVES);
    }
    return len;
}

/* A line a threshold: o is recall, x is precision, from 0.5 on the left to 1 on the right. */
static void print_chart(const struct curve *c, char *out, size_t size)
{
    size_t len = (size_t)snprintf(
        out, size, "```\n     0.5       0.6       0.7       0.8       0.9       1.0\n");

    for (int score = FIRST; score <= LAST; score += STEP) {
        char line[53];
        int at_recall = recall(c, score) / 10 - 50, at_precision = precision(c, score) / 10 - 50;

        memset(line, ' ', 51);
        line[51] = '\0';
        if (at_precision >= 0)
            line[at_precision] = 'x';
        if (at_recall >= 0)
            line[at_recall] = at_recall == at_precision ? '*' : 'o';
        line[52] = '\0';
        for (size_t i = 51; i > 0 && line[i - 1] == ' '; i--)
            line[i - 1] = '\0';
        len += (size_t)snprintf(out + len, size - len, "%3d |%s\n", score, line);
    }
    snprintf(out + len, size - len, "```\n");
}

static char *slurp(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(((size_t)16 << 20) + 1);

    *len = file == NULL ? 0 : fread(text, 1, (size_t)16 << 20, file);
    text[*len] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

static void is_on_the_page(const char *text)
{
    size_t len;
    char *page = slurp(PAGE, &len);

    if (strstr(page, text) == NULL)
        fail_msg("%s does not have what comes out (test_screen_quality --print):\n%s", PAGE, text);
    free(page);
}

static void holds_what_was_promised(const struct curve *c)
{
    assert_true(recall(c, SCREEN_THRESHOLD) >= 980);
    assert_true(precision(c, SCREEN_THRESHOLD) >= 500);
}

static void made_up(struct curve *c)
{
    struct screen_list list;

    labelled_list(SEED, 1000, &list);
    ask_all(&list, c);
    screen_list_deinit(&list);
}

/* The UN's list of one day. False: it is not here. */
static bool published(struct curve *c)
{
    const char *folder = getenv("UJRAT_SHARED") == NULL ? "../shared" : getenv("UJRAT_SHARED");
    struct screen_list list;
    struct screen_fault fault = {0};
    char path[512], *text;
    size_t len;
    bool here;

    snprintf(path, sizeof path, "%s/data/sanctions/un_consolidated.xml", folder);
    text = slurp(path, &len);
    screen_list_init(&list);
    here = len > 0 && screen_list_read_un(&list, slice_of(text, len), &fault) &&
           strcmp(list.published, "2026-02-27") == 0;
    if (here)
        ask_all(&list, c);
    free(text);
    screen_list_deinit(&list);
    return here;
}

static void the_made_up_list_gives_the_pages_figures(void **state)
{
    static struct curve c;
    char text[8192];

    (void)state;
    made_up(&c);
    holds_what_was_promised(&c);
    print_table(&c, "made-up list", text, sizeof text);
    is_on_the_page(text);
}

static void the_published_list_gives_the_pages_figures(void **state)
{
    static struct curve c;
    char text[8192];

    (void)state;
    if (!published(&c)) {
        print_message(
            "no UN list of 2026-02-27 in data/sanctions of ../shared (or UJRAT_SHARED): its table on the page was not checked\n");
        skip();
    }
    holds_what_was_promised(&c);
    print_table(&c, "UN list of 2026-02-27", text, sizeof text);
    is_on_the_page(text);
    print_chart(&c, text, sizeof text);
    is_on_the_page(text);
}

static void print_all(void)
{
    static struct curve c;
    char text[8192];

    if (published(&c)) {
        print_table(&c, "UN list of 2026-02-27", text, sizeof text);
        puts(text);
        print_chart(&c, text, sizeof text);
        puts(text);
    }
    made_up(&c);
    print_table(&c, "made-up list", text, sizeof text);
    puts(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_made_up_list_gives_the_pages_figures),
        cmocka_unit_test(the_published_list_gives_the_pages_figures),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        print_all();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
