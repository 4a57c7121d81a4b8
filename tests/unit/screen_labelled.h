/*
 * screen_labelled.h: names of which we know whom they mean, made by a generator with a seed: the same in every run.
 *
 * A list is given, or made up. Positives are names of it, written as others may write them (spelling, typing, order, a part missing, initials,
 * titles, words put together); negatives are names made of what people in Pakistan are often called. Nobody in it is real but
 * who is in a list that was given.
 */
#ifndef UJRAT_TESTS_UNIT_SCREEN_LABELLED_H
#define UJRAT_TESTS_UNIT_SCREEN_LABELLED_H

#include "screen/index.h"
#include "tests/unit/prng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELLED_NAME 256

static const char *const labelled_given[] = {
    "Muhammad",    "Ahmed",       "Ali",    "Hassan", "Hussain", "Usman",        "Umar",
    "Bilal",       "Imran",       "Kamran", "Faisal", "Adnan",   "Asad",         "Shahid",
    "Tariq",       "Khalid",      "Rashid", "Zahid",  "Nasir",   "Nadeem",       "Naveed",
    "Waqas",       "Waseem",      "Yasir",  "Junaid", "Farhan",  "Saad",         "Hamza",
    "Talha",       "Zubair",      "Ayesha", "Fatima", "Sana",    "Hina",         "Sadia",
    "Rabia",       "Amna",        "Maryam", "Zainab", "Khadija", "Abdul Rehman", "Abdullah",
    "Abdul Basit", "Abdul Qadir", "Ghulam", "Javed",  "Iqbal",   "Akram",        "Aslam",
    "Arshad",      "Sajid",       "Majid",  "Irfan",  "Rizwan",  "Salman",       "Sohail",
    "Shoaib",      "Kashif",      "Atif",   "Asif",   "Saima",   "Nida",         "Mehwish",
    "Anum"};
static const char *const labelled_family[] = {
    "Khan",     "Ahmed",   "Malik",   "Butt",    "Chaudhry", "Qureshi",   "Siddiqui", "Sheikh",
    "Mirza",    "Bhatti",  "Rana",    "Rajput",  "Awan",     "Gondal",    "Cheema",   "Bajwa",
    "Warraich", "Gill",    "Sandhu",  "Dar",     "Lone",     "Mir",       "Shah",     "Bukhari",
    "Gilani",   "Zaidi",   "Naqvi",   "Rizvi",   "Hashmi",   "Ansari",    "Memon",    "Soomro",
    "Bhutto",   "Junejo",  "Baloch",  "Mengal",  "Marri",    "Yousafzai", "Afridi",   "Khattak",
    "Orakzai",  "Mehmood", "Hussain", "Ali",     "Iqbal",    "Javed",     "Akhtar",   "Nawaz",
    "Aziz",     "Rehman",  "Saleem",  "Anwar",   "Abbasi",   "Kayani",    "Satti",    "Durrani",
    "Niazi",    "Lodhi",   "Paracha", "Khokhar", "Mughal",   "Kiani",     "Raza",     "Haider"};
static const char *const labelled_rare_given[] = {
    "Qudratullah", "Sirajuddin",  "Abd al-Wahid", "Abdul Jabbar",   "Nuruddin",      "Zabihullah",
    "Ruhullah",    "Dhu al-Kifl", "Mutawakkil",   "Ziauddin",       "Ubaydallah",    "Khairullah",
    "Sharafat",    "Gul Agha",    "Jan Muhammad", "Muhammad Yaqub", "Abd al-Razzaq", "Shamsuddin",
    "Fazal Rahim", "Hekmat",      "Yunus",        "Tufail",         "Bakhtawar",     "Dmitry",
    "Vyacheslav",  "Yevgeny",     "Ruslan",       "Anatoly",        "Mikhail",       "Hayatullah",
    "Najibullah",  "Amanullah",   "Nasrullah",    "Burhanuddin",    "Abdul Ghafoor", "Abd al-Samad",
    "Ihsanullah",  "Khudadad"};
static const char *const labelled_begin[] = {
    "Zar", "Kho", "Bel",  "Tur", "Gar", "Shin", "Mal", "Dur", "Pan",  "Wad", "Hol", "Nang",
    "Kar", "Bar", "Lash", "Qal", "Fir", "Mur",  "Sab", "Yar", "Tash", "Dil", "Jag", "Rod"};
static const char *const labelled_middle[] = {
    "a",  "ma", "ra", "kha", "gha", "ba", "lo", "de", "sha", "ni",  "wa",  "za", "qi",
    "ru", "fa", "to", "pa",  "sta", "hi", "ju", "me", "chi", "rga", "nda", "lo"};
static const char *const labelled_end[] = {"zai",   "ri",    "ni",   "khel",  "wal",   "tani",
                                           "shahi", "dadi",  "mani", "wardi", "bashi", "lani",
                                           "gari",  "abadi", "rov",  "enko",  "zada",  "yar"};
static const char *const labelled_firm[] = {
    "Trading",         "Exchange",   "Foundation",         "Shipping",  "Welfare Trust",
    "General Trading", "Industries", "Charitable Society", "Logistics", "Import Export"};

#define LABELLED_PICK(prng, list) list[prng_next(prng) % (sizeof list / sizeof *list)]

static inline void labelled_rare(struct prng *prng, char *out, size_t size)
{
    bool longer = prng_next(prng) % 4 != 0;

    snprintf(out, size, "%s%s%s%s", LABELLED_PICK(prng, labelled_begin),
             LABELLED_PICK(prng, labelled_middle),
             longer ? LABELLED_PICK(prng, labelled_middle) : "", LABELLED_PICK(prng, labelled_end));
}

static inline void labelled_listed_name(struct prng *prng, bool person, char out[LABELLED_NAME])
{
    char rare[64], rarer[64];
    uint64_t form = prng_next(prng) % 10;

    labelled_rare(prng, rare, sizeof rare);
    labelled_rare(prng, rarer, sizeof rarer);
    if (!person)
        snprintf(out, LABELLED_NAME, "%s %s %s",
                 form < 5 ? "Al" : LABELLED_PICK(prng, labelled_begin), rare,
                 LABELLED_PICK(prng, labelled_firm));
    else if (form < 3)
        snprintf(out, LABELLED_NAME, "%s %s", LABELLED_PICK(prng, labelled_rare_given), rare);
    else if (form < 6)
        snprintf(out, LABELLED_NAME, "%s %s %s", LABELLED_PICK(prng, labelled_given),
                 LABELLED_PICK(prng, labelled_rare_given), rare);
    else if (form < 8)
        snprintf(out, LABELLED_NAME, "%s %s al-%s", LABELLED_PICK(prng, labelled_given), rarer,
                 rare);
    else
        snprintf(out, LABELLED_NAME, "%s %s %s %s", LABELLED_PICK(prng, labelled_given),
                 LABELLED_PICK(prng, labelled_rare_given), LABELLED_PICK(prng, labelled_given),
                 rare);
}

/* Whole list of n entries, four in five of them people. */
static inline void labelled_list(uint64_t seed, size_t n, struct screen_list *list)
{
    struct prng prng = {seed};
    struct screen_draft *draft = malloc(sizeof *draft);
    struct screen_fault fault = {0};

    screen_list_init(list);
    for (size_t i = 0; i < n; i++) {
        char id[24], name[LABELLED_NAME];
        bool person = prng_next(&prng) % 5 != 0;
        int year = (int)prng_between(&prng, 1945, 1995);
        size_t aliases = prng_next(&prng) % 4;

        snprintf(id, sizeof id, "M%06zu", i + 1);
        screen_draft_init(draft);
        draft->id = slice_str(id);
        draft->kind = person ? SCREEN_PERSON : SCREEN_ORGANISATION;
        for (size_t k = 0; k <= aliases; k++) {
            labelled_listed_name(&prng, person, name);
            if (!screen_draft_add(list, draft, SCREEN_NAME, slice_str(name), &fault))
                abort();
        }
        if (person)
            screen_draft_add_dob(draft,
                                 (struct screen_dob){year * 10000 + 101, year * 10000 + 1231});
        if (!screen_list_add(list, draft, &fault))
            abort();
    }
    free(draft);
}

/* ---------------------------------------------------------------- how others write a name */

static const char *const labelled_swaps[][2] = {{"ee", "i"},
                                                {"i", "ee"},
                                                {"oo", "u"},
                                                {"u", "oo"},
                                                {"u", "o"},
                                                {"o", "u"},
                                                {"a", "e"},
                                                {"e", "a"},
                                                {"q", "k"},
                                                {"k", "q"},
                                                {"kh", "k"},
                                                {"gh", "g"},
                                                {"ph", "f"},
                                                {"f", "ph"},
                                                {"w", "v"},
                                                {"v", "w"},
                                                {"aw", "au"},
                                                {"ai", "ay"},
                                                {"sh", "s"},
                                                {"z", "s"},
                                                {"dh", "d"},
                                                {"y", "i"},
                                                {"ll", "l"},
                                                {"l", "ll"},
                                                {"mm", "m"},
                                                {"ss", "s"},
                                                {"s", "ss"},
                                                {"d", "dd"},
                                                {"j", "dj"},
                                                {"yu", "iu"},
                                                {"zai", "zay"},
                                                {"ullah", "allah"},
                                                {"uddin", "eddine"},
                                                {"Muhammad", "Mohammed"},
                                                {"Muhammad", "Mohd"},
                                                {"Hussain", "Hossein"},
                                                {"Hassan", "Hasan"},
                                                {"Ahmed", "Ahmad"},
                                                {"Abdul ", "Abd al-"},
                                                {"Abd al-", "Abdul "},
                                                {"al-", "Al "},
                                                {"Usman", "Othman"}};

/* One spelling instead of another, at the first place of so many random tries where it fits. */
static inline void labelled_respell(struct prng *prng, char *name)
{
    for (int tries = 0; tries < 40; tries++) {
        const char *const *swap = LABELLED_PICK(prng, labelled_swaps);
        char *at = strstr(
            name + (tries < 20 && strlen(name) > 4 ? prng_next(prng) % (strlen(name) - 3) : 0),
            swap[0]);
        char rest[LABELLED_NAME];

        if (at == NULL || strlen(name) + 8 >= LABELLED_NAME)
            continue;
        snprintf(rest, sizeof rest, "%s", at + strlen(swap[0]));
        snprintf(at, LABELLED_NAME - (size_t)(at - name), "%s%s", swap[1], rest);
        return;
    }
}

static inline bool labelled_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A slip of the fingers, inside a word of five letters or more. */
static inline void labelled_mistype(struct prng *prng, char *name)
{
    size_t len = strlen(name);

    for (int tries = 0; tries < 40 && len > 5; tries++) {
        size_t at = 2 + prng_next(prng) % (len - 4), begin = at, end = at;
        char c;

        while (begin > 0 && labelled_is_letter(name[begin - 1]))
            begin--;
        while (labelled_is_letter(name[end]))
            end++;
        if (end - begin < 5 || at == begin || at + 1 >= end)
            continue;
        switch (prng_next(prng) % 3) {
        case 0:
            memmove(name + at, name + at + 1, len - at);
            return;
        case 1:
            c = name[at];
            name[at] = name[at + 1];
            name[at + 1] = c;
            return;
        default:
            name[at] = (char)('a' + prng_next(prng) % 26);
            return;
        }
    }
}

static inline size_t labelled_words(char *name, char *words[32])
{
    size_t n = 0;

    for (char *p = name; *p != '\0' && n < 32;) {
        while (*p == ' ')
            *p++ = '\0';
        if (*p != '\0')
            words[n++] = p;
        while (*p != '\0' && *p != ' ')
            p++;
    }
    return n;
}

static inline void labelled_join(char *const *words, size_t n, const char *between,
                                 char out[LABELLED_NAME])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(out + len, LABELLED_NAME - len, "%s%s", i == 0 ? "" : between,
                                words[i]);
}

enum labelled_change { RESPELL, MISTYPE, REORDER, DROP, INITIAL, TITLE, HYPHEN, LABELLED_CHANGES };

/* Names of two words: neither stands alone. */
static inline bool labelled_is_joined(const char *name)
{
    return strcasestr(name, "abd") != NULL || strcasestr(name, "din") != NULL ||
           strcasestr(name, "ibn") != NULL;
}

static inline void labelled_change(struct prng *prng, enum labelled_change change, bool person,
                                   char name[LABELLED_NAME])
{
    static const char *const titles[] = {"Mr", "Dr.", "Haji", "Mullah", "Sheikh", "Maulana", "Mr."};
    char copy[LABELLED_NAME], copy2[LABELLED_NAME], *words[32], *first;
    size_t n;

    snprintf(copy, sizeof copy, "%s", name);
    n = labelled_words(copy, words);
    switch (change) {
    case RESPELL:
        labelled_respell(prng, name);
        break;
    case MISTYPE:
        labelled_mistype(prng, name);
        break;
    case REORDER:
        if (n < 2 || labelled_is_joined(name))
            break;
        first = words[0];
        memmove(words, words + 1, (n - 1) * sizeof *words);
        words[n - 1] = first;
        labelled_join(words, n, " ", name);
        break;
    case DROP: /* of a firm what it does, of a person a name in the middle */
        if (n < 3 || labelled_is_joined(name))
            break;
        if (person)
            memmove(words + 1, words + 2, (n - 2) * sizeof *words);
        labelled_join(words, n - 1, " ", name);
        break;
    case INITIAL:
        if (n < 3 || !person || labelled_is_joined(name))
            break;
        words[0][1] = '\0';
        labelled_join(words, n, " ", name);
        break;
    case TITLE:
        labelled_join(words, n, " ", copy2);
        snprintf(name, LABELLED_NAME, "%s %s", LABELLED_PICK(prng, titles), copy2);
        break;
    case HYPHEN:
        labelled_join(words, n, "-", name);
        break;
    case LABELLED_CHANGES:
        break;
    }
}

/* One or two changes. Not two that both take something away: "N Yarfari" is anybody. */
static inline void labelled_changes(struct prng *prng, bool person, char name[LABELLED_NAME])
{
    enum labelled_change first = (enum labelled_change)(prng_next(prng) % LABELLED_CHANGES), second;

    labelled_change(prng, first, person, name);
    if (prng_next(prng) % 2 == 0)
        return;
    do
        second = (enum labelled_change)(prng_next(prng) % LABELLED_CHANGES);
    while ((first == DROP || first == INITIAL) && (second == DROP || second == INITIAL));
    labelled_change(prng, second, person, name);
}

/* A positive: a name of an entry, changed once or twice. Returns the entry's number. */
static inline size_t labelled_positive(struct prng *prng, const struct screen_list *list,
                                       char name[LABELLED_NAME])
{
    for (;;) {
        size_t i = prng_next(prng) % list->n;
        const struct screen_entry *e = &list->entries[i];
        struct slice listed = e->names.p[prng_next(prng) % e->names.n];

        /* Names of one word, and other scripts, are another matter: no change leaves them a name. */
        if (listed.len >= 200 || memchr(listed.p, ' ', listed.len) == NULL ||
            (unsigned char)listed.p[0] >= 0x80)
            continue;
        snprintf(name, LABELLED_NAME, "%.*s", SLICE_ARG(listed));
        if (e->kind != SCREEN_PERSON && e->kind != SCREEN_ORGANISATION)
            continue;
        labelled_changes(prng, e->kind == SCREEN_PERSON, name);
        return i;
    }
}

/* A name as very many people in Pakistan have, of two or three parts. */
static inline void labelled_negative(struct prng *prng, char name[LABELLED_NAME])
{
    if (prng_next(prng) % 3 == 0)
        snprintf(name, LABELLED_NAME, "%s %s %s", LABELLED_PICK(prng, labelled_given),
                 LABELLED_PICK(prng, labelled_given), LABELLED_PICK(prng, labelled_family));
    else
        snprintf(name, LABELLED_NAME, "%s %s", LABELLED_PICK(prng, labelled_given),
                 LABELLED_PICK(prng, labelled_family));
}

#endif
