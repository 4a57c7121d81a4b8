#include "screen/fold.h"

#include "screen/variants.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#define TEXT_MAX    1024 /* of a name, transliterated */
#define VARIANTS    2048 /* places in the table; a power of two, more than twice the spellings */
#define N_VARIANTS  (sizeof screen_variants / sizeof *screen_variants)
#define CHANGED_MAX 4

/* A word of variants.h. */
struct variant {
    char spelling[SCREEN_TOKEN_SIZE]; /* "": a free place */
    uint16_t group;                   /* 0: none */
    uint8_t flags;
};

struct screen_fold {
    UTransliterator *latin;
    struct variant variants[VARIANTS];
    const char
        *canons[N_VARIANTS + 1]; /* of a group: the first spelling of its line, without the '*' */
    size_t n_variants;
};

/* ---------------------------------------------------------------- the table of variants */

static uint32_t hash_text(const char *text, size_t len)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619U;
    return h ^ (h >> 15);
}

static struct variant *find_variant(struct screen_fold *fold, const char *text, size_t len)
{
    uint32_t at = hash_text(text, len) & (VARIANTS - 1);

    for (;; at = (at + 1) & (VARIANTS - 1)) {
        struct variant *v = &fold->variants[at];

        if (v->spelling[0] == '\0' ||
            (memcmp(v->spelling, text, len) == 0 && v->spelling[len] == '\0'))
            return v;
    }
}

static void learn_words(struct screen_fold *fold, const char *words, uint16_t group, uint8_t flags)
{
    struct slice rest = slice_trim(slice_str(words)), one;

    while (rest.len > 0) {
        (void)slice_cut(rest, ' ', &one, &rest);
        if (one.len == 0)
            continue;
        struct variant *v = find_variant(fold, one.p, one.len);

        assert(one.len < SCREEN_TOKEN_SIZE);
        if (v->spelling[0] == '\0')
            assert(++fold->n_variants < VARIANTS / 2);
        memcpy(v->spelling, one.p, one.len);
        v->flags |= flags;
        if (group != 0)
            v->group = group;
    }
}

static void learn_variants(struct screen_fold *fold)
{
    for (size_t i = 0; i < N_VARIANTS; i++) {
        bool common = screen_variants[i][0] == '*';

        learn_words(fold, screen_variants[i] + common, (uint16_t)(i + 1),
                    common ? SCREEN_COMMON : 0);
    }
    learn_words(fold, screen_titles, 0, SCREEN_TITLE);
    learn_words(fold, screen_light_words, 0, SCREEN_LIGHT);
    learn_words(fold, screen_org_words, 0, SCREEN_WORD);
}

err_t screen_fold_new(struct screen_fold **out)
{
    static const UChar id[] = u"Any-Latin; Latin-ASCII; NFD";
    UErrorCode status = U_ZERO_ERROR;
    struct screen_fold *fold = calloc(1, sizeof *fold);

    if (fold == NULL)
        return err_make(ERR_NO_MEMORY, "prepare to compare names");
    fold->latin = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
    if (U_FAILURE(status)) {
        free(fold);
        return err_make(ERR_UNSUPPORTED, "open ICU's transliterator");
    }
    learn_variants(fold);
    *out = fold;
    return err_none();
}

void screen_fold_free(struct screen_fold **fold)
{
    if (*fold == NULL)
        return;
    utrans_close((*fold)->latin);
    free(*fold);
    *fold = NULL;
}

/* ---------------------------------------------------------------- to ASCII */

/* What ICU does otherwise than passports do, or does not do: Urdu's letters, ain (heard as a vowel), and Cyrillic letters. */
static const struct {
    UChar from;
    UChar to[CHANGED_MAX];
} changes[] = {
    {0x0622, u"ا"},  {0x0623, u"ا"},  {0x0625, u"ا"},   {0x0629, u"ه"},  {0x0639, u"ا"},
    {0x0649, u"ا"},  {0x0670, u""},   {0x0679, u"ت"},   {0x0688, u"د"},  {0x0691, u"ر"},
    {0x06a9, u"ك"},  {0x06ba, u"ن"},  {0x06be, u"ه"},   {0x06c0, u"ه"},  {0x06c1, u"ه"},
    {0x06c2, u"ه"},  {0x06c3, u"ه"},  {0x06cc, u"ي"},   {0x06d2, u"ي"},  {0x06d3, u"ي"},
    {0x0626, u"ي"},  {0x0624, u"و"},  {0x0640, u""},    {0x0436, u"zh"}, {0x0439, u"y"},
    {0x0445, u"kh"}, {0x0446, u"ts"}, {0x0447, u"ch"},  {0x0448, u"sh"}, {0x0449, u"shc"},
    {0x044a, u""},   {0x044b, u"y"},  {0x044c, u""},    {0x044e, u"yu"}, {0x044f, u"ya"},
    {0x0451, u"yo"}, {0x0416, u"zh"}, {0x0419, u"y"},   {0x0425, u"kh"}, {0x0426, u"ts"},
    {0x0427, u"ch"}, {0x0428, u"sh"}, {0x0429, u"shc"}, {0x042b, u"y"},  {0x042e, u"yu"},
    {0x042f, u"ya"}, {0x0401, u"yo"}, {0x2018, u"'"},   {0x2019, u"'"},  {0x02bc, u"'"},
    {0x02bf, u"'"},  {0x02be, u"'"},  {0x00b4, u"'"},   {0x200c, u""},   {0x200d, u""},
};

static int32_t change_letters(const UChar *in, int32_t len, UChar *out, int32_t size)
{
    int32_t n = 0;

    for (int32_t i = 0; i < len && n + CHANGED_MAX < size; i++) {
        const UChar *to = NULL;

        for (size_t k = 0; in[i] > 0x7f && k < sizeof changes / sizeof *changes; k++)
            if (changes[k].from == in[i])
                to = changes[k].to;
        if (to == NULL)
            out[n++] = in[i];
        else
            while (*to != 0)
                out[n++] = *to++;
    }
    return n;
}

static bool is_abjad(UChar c)
{
    return (c >= 0x0590 && c <= 0x06ff) || (c >= 0x0750 && c <= 0x077f) ||
           (c >= 0xfb50 && c <= 0xfdff);
}

/* Lower case, ASCII; what is no letter, digit or apostrophe becomes a blank, but '.', which says something of initials. */
static err_t to_ascii(struct screen_fold *fold, struct slice text, char out[TEXT_MAX], size_t *len,
                      bool *script)
{
    UChar wide[TEXT_MAX], changed[TEXT_MAX];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = 0, limit;
    bool plain = text.len < TEXT_MAX;

    *script = false;
    *len = 0;
    for (size_t i = 0; i < text.len; i++)
        plain = plain && (unsigned char)text.p[i] < 0x80;
    if (plain) {
        for (size_t i = 0; i < text.len; i++)
            changed[i] = (unsigned char)text.p[i];
        n = (int32_t)text.len;
    } else {
        /* A name that is too long is cut, on a code point: the lists' readers take none, and a payout's has 140 characters. */
        struct slice cut = slice_of(text.p, text.len < TEXT_MAX - 8 ? text.len : TEXT_MAX - 8);

        while (cut.len < text.len && cut.len > 0 && ((unsigned char)text.p[cut.len] & 0xc0) == 0x80)
            cut.len--;
        u_strFromUTF8(wide, TEXT_MAX, &n, cut.p, (int32_t)cut.len, &status);
        if (U_FAILURE(status))
            return err_make(ERR_INVALID, "read a name as UTF-8");
        for (int32_t i = 0; i < n; i++)
            *script = *script || is_abjad(wide[i]);
        n = change_letters(wide, n, changed, TEXT_MAX);
        limit = n;
        utrans_transUChars(fold->latin, changed, &n, TEXT_MAX, 0, &limit, &status);
        if (U_FAILURE(status))
            n = limit; /* it did not fit: what was done counts */
        n = n > TEXT_MAX ? TEXT_MAX : n;
    }
    for (int32_t i = 0; i < n && *len + 1 < TEXT_MAX; i++) {
        UChar c = changed[i];

        if (c >= 'A' && c <= 'Z')
            c = (UChar)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '\'' || c == '`')
            out[(*len)++] = (char)c;
        else if (c < 0x80)
            out[(*len)++] = ' ';
        /* marks that stayed are dropped */
    }
    out[*len] = '\0';
    return err_none();
}

/* ---------------------------------------------------------------- words */

static bool is_word(char c)
{
    return char_is_lower(c) || char_is_digit(c);
}

/* Whether a list of words, each between blanks, has it. */
static bool listed(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = words; *p != '\0'; p++)
        if (*p == ' ' && p[1] == word[0] && strncmp(p + 1, word, n) == 0 && p[n + 1] == ' ')
            return true;
    return false;
}

static void set_text(struct screen_token *t, const char *text, size_t len)
{
    memset(t, 0, sizeof *t);
    len = len < SCREEN_TOKEN_SIZE - 1 ? len : SCREEN_TOKEN_SIZE - 1;
    memcpy(t->text, text, len);
}

/* "l.l.c." at p, where it is a word to be left out: its length, and the word. Initials stay apart. */
static size_t take_dotted(const char *p, struct screen_token *t)
{
    char word[8];
    size_t n = 0, i = 0;

    while (n + 1 < sizeof word && char_is_lower(p[i]) && p[i + 1] == '.') {
        word[n++] = p[i];
        i += 2;
    }
    if (n > 0 && n + 1 < sizeof word && char_is_lower(p[i]) && !is_word(p[i + 1]))
        word[n++] = p[i++];
    word[n] = '\0';
    if (n < 2 || is_word(p[i]) || !listed(screen_light_words, word))
        return 0;
    set_text(t, word, n);
    return i;
}

static size_t split_words(const char *p, struct screen_token words[SCREEN_TOKENS_MAX * 2])
{
    size_t n = 0;

    while (*p != '\0' && n < (size_t)SCREEN_TOKENS_MAX * 2) {
        char word[SCREEN_TOKEN_SIZE];
        size_t len = 0, dotted;

        if (!is_word(*p)) {
            p++;
            continue;
        }
        dotted = take_dotted(p, &words[n]);
        if (dotted > 0) {
            p += dotted;
            n++;
            continue;
        }
        for (; is_word(*p) || *p == '\'' || *p == '`'; p++)
            if (is_word(*p) && len + 1 < sizeof word)
                word[len++] = *p;
        set_text(&words[n++], word, len);
    }
    return n;
}

static bool is_article(const char *word)
{
    return listed(" al el ul ur ud us as ad ar az at an ash ", word);
}

static size_t starts_with(const char *word, const char *prefix)
{
    size_t n = 0;

    for (; prefix[n] != '\0'; n++)
        if (word[n] != prefix[n])
            return 0;
    return n;
}

static size_t ends_with(const char *word, const char *suffix)
{
    size_t n = strlen(suffix), len = strlen(word);

    return len > n && strcmp(word + len - n, suffix) == 0 ? n : 0;
}

/* How much of the word is "abd" with its article, if a name of three letters is left behind it. */
static size_t abd_of(const char *word)
{
    static const char *const forms[] = {"abdul",  "abdel", "abdal", "abdol", "abdur", "abdus",
                                        "abdoul", "abdil", "abudl", "adbul", "abdlu", "abd"};
    size_t n = 0;

    for (size_t i = 0; i < sizeof forms / sizeof *forms && n == 0; i++)
        n = starts_with(word, forms[i]);
    if (n == 0 || starts_with(word, "abdullah") || starts_with(word, "abdulla") ||
        starts_with(word, "abdalla"))
        return 0;
    /* "abdurrahman": the article took on the letter behind it */
    return strlen(word) >= n + 3 || word[n] == '\0' ? n : 0;
}

static void set_joined(struct screen_token *t, const char *a, size_t a_len, const char *b)
{
    char joined[SCREEN_TOKEN_SIZE * 2];
    int n = snprintf(joined, sizeof joined, "%.*s%s", (int)a_len, a, b);

    set_text(t, joined, (size_t)n);
}

/* "abd", "abdul", with the article and the name that follow, is one name. Returns how many words it is; 0: it is none. */
static size_t join_abd(const struct screen_token *words, size_t n, struct screen_token *out)
{
    size_t abd = abd_of(words[0].text), used = 1;
    const char *name = words[0].text + abd;

    if (abd == 0)
        return 0;
    if (*name == '\0') {
        while (used < n && is_article(words[used].text))
            used++;
        if (used == n || strlen(words[used].text) < 3)
            return 0;
        name = words[used++].text;
    }
    if (strlen(name) >= 5 && (starts_with(name, "al") > 0 || starts_with(name, "ar") > 0))
        name += 2;
    if (strcmp(name, "lah") == 0 || strcmp(name, "llah") == 0 || strcmp(name, "allah") == 0 ||
        strcmp(name, "ullah") == 0)
        set_text(out, "abdullah", 8);
    else {
        set_joined(out, "abd", 3, name);
        out->flags = SCREEN_ABD;
    }
    return used;
}

/* "Siraj ud-Din", "Saif Ullah": the word before takes it on, whole or as an ending. */
static bool is_ending(const char *word, const char **canon)
{
    if (listed(" din deen dien uddin uddeen eddin eddine addin aldin eldin udin udeen ", word))
        *canon = "din";
    else if (listed(" ullah allah ulla alla llah lah ollah oullah ", word))
        *canon = "ula";
    else
        return false;
    return true;
}

/* The same endings inside a word. */
static void cut_ending(struct screen_token *t)
{
    static const char *const forms[] = {"uddin", "uddeen", "ouddine", "eddine", "eddin", "udeen",
                                        "aldin", "eldin",  "addin",   "udin",   "aldyn", "oullah",
                                        "ollah", "ullah",  "allah",   "ulla",   "allh",  "ullh"};
    char text[SCREEN_TOKEN_SIZE];

    memcpy(text, t->text, sizeof text);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t cut = ends_with(text, forms[i]);

        if (cut > 0 && strlen(text) >= cut + 3) {
            uint8_t flags = t->flags;

            set_joined(t, text, strlen(text) - cut, i < 11 ? "din" : "ula");
            t->flags = flags;
            return;
        }
    }
}

static size_t join_words(const struct screen_token *words, size_t n,
                         struct screen_token out[SCREEN_TOKENS_MAX])
{
    size_t made = 0;

    for (size_t i = 0; i < n && made < SCREEN_TOKENS_MAX;) {
        const char *ending;
        size_t used = join_abd(&words[i], n - i, &out[made]), at = i;

        while (used == 0 && at < n && is_article(words[at].text))
            at++;
        if (used > 0) {
            i += used;
            made++;
        } else if (made > 0 && at < n && strlen(out[made - 1].text) >= 3 &&
                   out[made - 1].flags == 0 && is_ending(words[at].text, &ending)) {
            char stem[SCREEN_TOKEN_SIZE];
            size_t len;

            memcpy(stem, out[made - 1].text, sizeof stem);
            len = strlen(stem) - (ends_with(stem, "ud") > 0 && strlen(stem) > 4 ? 2 : 0);
            set_joined(&out[made - 1], stem, len, ending);
            i = at + 1;
        } else {
            out[made] = words[i++];
            cut_ending(&out[made]);
            made++;
        }
    }
    return made;
}

/* ---------------------------------------------------------------- spelling undone */

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/* Letters that are written in several ways; the longest first. */
static const char *const spellings[][2] = {
    {"tsch", "c"}, {"shch", "s"}, {"sch", "s"}, {"tch", "c"}, {"dzh", "j"}, {"kh", "k"},
    {"gh", "g"},   {"ph", "f"},   {"bh", "b"},  {"dh", "d"},  {"th", "t"},  {"jh", "j"},
    {"rh", "r"},   {"zh", "j"},   {"dj", "j"},  {"sh", "s"},  {"ch", "c"},  {"ck", "k"},
    {"ou", "u"},   {"oo", "u"},   {"au", "u"},  {"aw", "u"},  {"ow", "u"},  {"ee", "i"},
    {"ea", "i"},   {"ei", "i"},   {"ey", "i"},  {"ay", "i"},  {"ai", "i"},  {"ie", "i"},
    {"iy", "i"},   {"yi", "i"},   {"aa", "a"},  {"ks", "x"},  {"q", "k"},   {"w", "v"},
    {"e", "i"},    {"o", "u"},    {"y", "i"},
};

static size_t spell_once(const char *in, char *out)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        size_t n = starts_with(in, spellings[i][0]);

        if (n == 0)
            continue;
        *out = spellings[i][1][0];
        return n;
    }
    *out = *in == 'c' ? (in[1] == 'e' || in[1] == 'i' || in[1] == 'y' ? 's' : 'k') : *in;
    return 1;
}

static void make_canon(struct screen_token *t)
{
    const char *in = t->text;
    size_t n = 0;

    /* "Alzawahiri" and "Zawahiri"; the same is done to Alexander, wherever he is. */
    if (strlen(in) >= ((t->flags & SCREEN_SCRIPT) != 0 ? 5U : 7U) && starts_with(in, "al") > 0)
        in += 2;
    while (*in != '\0') {
        char c;

        /* y before a vowel is a consonant, at the beginning of a word */
        if (n == 0 && *in == 'y' && is_vowel(in[1])) {
            c = 'y';
            in++;
        } else
            in += spell_once(in, &c);
        if (n == 0 || t->canon[n - 1] != c)
            t->canon[n++] = c;
    }
    if (n > 2 && t->canon[n - 1] == 'h')
        n--;
    t->canon[n] = '\0';
}

/* Letters that scripts and speakers confuse are the same here. */
static char bone_of(char c)
{
    switch (c) {
    case 'z':
        return 's';
    case 'p':
        return 'b';
    case 'g':
        return 'j';
    default:
        return c;
    }
}

static void make_bones(struct screen_token *t)
{
    size_t n = 0;

    for (const char *c = t->canon; *c != '\0'; c++) {
        char bone = bone_of(*c);

        if (n == 0)
            bone = is_vowel(*c) ? 'a' : bone;
        else if (is_vowel(*c) || *c == 'v')
            continue;
        t->bones[n++] = bone;
    }
    t->bones[n] = '\0';
}

static uint32_t letters_of(const char *text)
{
    uint32_t letters = 0;

    for (; *text != '\0'; text++)
        letters |= char_is_lower(*text) ? 1U << (*text - 'a') : 1U << 26;
    return letters;
}

static void finish_token(struct screen_fold *fold, struct screen_token *t, bool script)
{
    struct variant *v = find_variant(fold, t->text, strlen(t->text));

    if (script)
        t->flags |= SCREEN_SCRIPT;
    t->group = v->group;
    t->flags |= v->flags;
    make_canon(t);
    make_bones(t);
    t->text_letters = letters_of(t->text);
    t->canon_letters = letters_of(t->canon);
}

err_t screen_fold_name(struct screen_fold *fold, struct slice text, struct screen_name *out)
{
    struct screen_token words[SCREEN_TOKENS_MAX * 2];
    char ascii[TEXT_MAX];
    size_t len, n, kept = 0;
    bool script;
    err_t err = to_ascii(fold, text, ascii, &len, &script);

    out->n = 0;
    if (err_failed(err))
        return err;
    n = split_words(ascii, words);
    out->n = join_words(words, n, out->tokens);
    for (size_t i = 0; i < out->n; i++) {
        struct screen_token *t = &out->tokens[i];

        finish_token(fold, t, script);
        /* "Haji" in front is a title, behind it is a name that many have. */
        if ((t->flags & SCREEN_TITLE) != 0)
            t->flags |= i > 0 && i + 1 == out->n ? SCREEN_WORD : SCREEN_LIGHT;
        kept += (t->flags & SCREEN_LIGHT) == 0;
    }
    if (kept == 0)
        return err_none();
    kept = 0;
    for (size_t i = 0; i < out->n; i++)
        if ((out->tokens[i].flags & SCREEN_LIGHT) == 0)
            out->tokens[kept++] = out->tokens[i];
    out->n = kept;
    return err_none();
}

void screen_token_join(struct screen_fold *fold, const struct screen_token *a,
                       const struct screen_token *b, struct screen_token *out)
{
    set_joined(out, a->text, strlen(a->text), b->text);
    cut_ending(out);
    finish_token(fold, out, (a->flags & SCREEN_SCRIPT) != 0);
}

void screen_token_part(struct screen_fold *fold, const struct screen_token *t, size_t at,
                       size_t len, struct screen_token *out)
{
    set_text(out, t->text + at, len);
    finish_token(fold, out, (t->flags & SCREEN_SCRIPT) != 0);
}

/* ---------------------------------------------------------------- likeness */

/* What it costs, of 100, that one letter stands for another. */
static unsigned swap_cost(char a, char b)
{
    if (a == b)
        return 0;
    if (is_vowel(a) && is_vowel(b))
        return 50;
    return bone_of(a) == bone_of(b) ? 40 : 100;
}

/* Or for none. */
static unsigned gap_cost(char c)
{
    return is_vowel(c) ? 60 : c == 'h' ? 70 : 100;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Damerau and Levenshtein's distance (neighbours that changed places count once) with these costs; more than limit is any number that is. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len, unsigned limit)
{
    unsigned rows[3][SCREEN_TOKEN_SIZE + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];

    last[0] = 0;
    for (size_t k = 1; k <= b_len; k++)
        last[k] = last[k - 1] + gap_cost(b[k - 1]);
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *spare = before, nearest = UINT_MAX;

        now[0] = last[0] + gap_cost(a[i - 1]);
        for (size_t k = 1; k <= b_len; k++) {
            now[k] = least(last[k - 1] + swap_cost(a[i - 1], b[k - 1]),
                           least(last[k] + gap_cost(a[i - 1]), now[k - 1] + gap_cost(b[k - 1])));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = least(now[k], before[k - 2] + 80);
            nearest = least(nearest, now[k]);
        }
        /* A pair that changed places may still come from the row before, and costs 80. */
        if (nearest > limit + 100)
            return UINT_MAX;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_len];
}

static bool has_digit(const char *text)
{
    return text[strcspn(text, "0123456789")] != '\0';
}

/* The next consonant that is always written; NUL at the end. */
static char next_consonant(const char **p)
{
    while (is_vowel(**p) || **p == 'v')
        (*p)++;
    return **p == '\0' ? '\0' : *(*p)++;
}

/* Whether what a script without vowels writes is the same: three letters at least, else it says nothing. */
static bool same_consonants(const struct screen_token *a, const struct screen_token *b)
{
    const char *p = a->canon, *q = b->canon;
    char c;

    if (strlen(a->bones) < 3 || is_vowel(*p) != is_vowel(*q))
        return false;
    do
        if ((c = next_consonant(&p)) != next_consonant(&q))
            return false;
    while (c != '\0');
    return true;
}

/* What letters that one side alone has come to at the least: each stands for another, or for none, at 100. */
static unsigned letters_cost(uint32_t a, uint32_t b)
{
    static const uint32_t hard =
        ~(1U << ('a' - 'a') | 1U << ('e' - 'a') | 1U << ('i' - 'a') | 1U << ('o' - 'a') |
          1U << ('u' - 'a') | 1U << ('y' - 'a') | 1U << ('h' - 'a') | 1U << ('z' - 'a') |
          1U << ('s' - 'a') | 1U << ('p' - 'a') | 1U << ('b' - 'a') | 1U << ('g' - 'a') |
          1U << ('j' - 'a'));
    int ours = __builtin_popcount(a & ~b & hard), theirs = __builtin_popcount(b & ~a & hard);

    return 100U * (unsigned)(ours > theirs ? ours : theirs);
}

static unsigned like_letters(const char *a, uint32_t a_letters, const char *b, uint32_t b_letters)
{
    size_t a_len = strlen(a), b_len = strlen(b), longest = a_len > b_len ? a_len : b_len;
    unsigned cost, limit = (990 - SCREEN_LIKE_MIN) * (unsigned)longest / 10 + 1;

    if (longest < 3 || (a_len > b_len ? a_len - b_len : b_len - a_len) > 3)
        return 0;
    if ((a_len > b_len ? a_len - b_len : b_len - a_len) * 60 > limit ||
        letters_cost(a_letters, b_letters) > limit)
        return 0;
    cost = distance(a, a_len, b, b_len, limit);
    if (cost > limit)
        return 0;
    cost = cost * 10 / (unsigned)longest;
    if (cost > 990 - SCREEN_LIKE_MIN || (longest <= 4 && cost > 130))
        return 0;
    return 990 - cost;
}

/* As they sound, or as they stand: letters that changed places may make other sounds. What differs in too many letters is not
 * measured: each letter that stands for another makes two. */
static unsigned like_spelled(const struct screen_token *a, const struct screen_token *b)
{
    size_t len = strlen(a->canon), other = strlen(b->canon);
    int apart = __builtin_popcount(a->canon_letters ^ b->canon_letters);
    unsigned like = 0;

    len = len > other ? len : other; /* the same from either side */
    if (apart <= (len <= 5 ? 2 : len <= 9 ? 3 : 5))
        like = like_letters(a->canon, a->canon_letters, b->canon, b->canon_letters);
    if (like == 0 && __builtin_popcount(a->text_letters ^ b->text_letters) <= 2)
        like = like_letters(a->text, a->text_letters, b->text, b->text_letters);
    return like;
}

unsigned screen_token_like(const struct screen_token *a, const struct screen_token *b)
{
    bool grouped = a->group != 0 || b->group != 0;

    if (strcmp(a->text, b->text) == 0)
        return 1000;
    if ((a->group != 0 && b->group != 0) || has_digit(a->text) || has_digit(b->text))
        return a->group != 0 && a->group == b->group ? 980 : 0;
    if (strcmp(a->canon, b->canon) == 0)
        return 970;
    if ((a->flags & SCREEN_ABD) != (b->flags & SCREEN_ABD))
        return strcmp((a->flags & SCREEN_ABD) != 0 ? a->canon + 3 : b->canon + 3,
                      (a->flags & SCREEN_ABD) != 0 ? b->canon : a->canon) == 0
                   ? 850
                   : 0;
    /* Without vowels on one side there is nothing more to compare. */
    if (((a->flags | b->flags) & SCREEN_SCRIPT) != 0 && same_consonants(a, b))
        return grouped ? 850 : 930;
    return like_spelled(a, b);
}
