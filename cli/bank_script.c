#include "cli/bank_script.h"

#include "domain/decimal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define BPS_WHOLE 10000

static const struct {
    const char *name;
    bool said, wrong;
} step_rows[] = {
    [STEP_ACCEPT] = {"accept", true, false},
    [STEP_REJECT] = {"reject", true, false},
    [STEP_AGAIN] = {"again", true, false},
    [STEP_CONTRADICT] = {"contradict", true, true},
    [STEP_WRONG_AMOUNT] = {"wrong-amount", true, true},
    [STEP_WRONG_CURRENCY] = {"wrong-currency", true, true},
    [STEP_UNKNOWN] = {"unknown", true, true},
    [STEP_RETURN] = {"return", true, false},
    [STEP_RETURN_AGAIN] = {"return-again", true, false},
    [STEP_RETURN_MORE] = {"return-more", true, true},
    [STEP_REVERSE] = {"reverse", true, false},
    [STEP_WAIT] = {"wait", false, false},
    [STEP_SILENT] = {"silent", false, false},
    [STEP_PENDING] = {"pending", true, false},
    [STEP_CRASH] = {"crash", false, false},
    [STEP_CANCEL] = {"cancel", true, false},
    [STEP_REFUSE] = {"refuse", true, false},
    [STEP_LOOKING] = {"looking", true, false},
};
#define N_STEPS (sizeof step_rows / sizeof step_rows[0])

static const char *const crash_names[] = {"never", "received", "decided", "booked",
                                          "sent",  "answered", "noted"};

const char *step_name(enum step_kind kind)
{
    return step_rows[kind].name;
}

bool step_is_said(enum step_kind kind)
{
    return step_rows[kind].said;
}

bool step_is_wrong(enum step_kind kind)
{
    return step_rows[kind].wrong;
}

const char *crash_name(enum crash_point point)
{
    return crash_names[point];
}

static bool __attribute__((format(printf, 2, 3)))
wrong(struct script_error *error, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(error->text, sizeof error->text, format, ap);
    va_end(ap);
    return false;
}

/* ---------------------------------------------------------------- words */

/* How a word is shown in a complaint: bounded, and nothing that drives a terminal. */
static int shown(struct slice s)
{
    size_t n = 0;

    while (n < s.len && n < 40 && s.p[n] > ' ' && s.p[n] < 0x7f)
        n++;
    return (int)n;
}
#define SHOWN(s) shown(s), ((s).p == NULL ? "" : (s).p)

/* Takes the next word off *rest; empty at the end. */
static struct slice next_word(struct slice *rest)
{
    struct slice word;
    size_t n = 0;

    *rest = slice_trim(*rest);
    while (n < rest->len && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    word = slice_of(rest->p, n);
    *rest = slice_trim(slice_of(n == 0 ? rest->p : rest->p + n, rest->len - n));
    return word;
}

static struct slice peek_word(struct slice rest)
{
    return next_word(&rest);
}

static bool read_count(struct slice word, int64_t max, const char *what, int64_t *out,
                       struct script_error *error)
{
    if (err_failed(str_parse_int64(word, out)) || *out < 1 || *out > max)
        return wrong(error, "'%.*s' is no %s from 1 to %lld", SHOWN(word), what, (long long)max);
    return true;
}

/* Rupees: "1234.50" is 123450. */
static bool read_amount(struct slice word, int64_t *out, struct script_error *error)
{
    if (decimal_parse(word, 2, out) != REASON_NONE || *out < 0)
        return wrong(error, "'%.*s' is no amount in rupees", SHOWN(word));
    return true;
}

/* Four capital letters and digits with a digit or not: which codes there are is the gateway's business. */
static bool is_code(struct slice word)
{
    if (word.len != SCRIPT_CODE_SIZE - 1 || !char_is_upper(word.p[0]))
        return false;
    for (size_t i = 1; i < word.len; i++)
        if (!char_is_upper(word.p[i]) && !char_is_digit(word.p[i]))
            return false;
    return true;
}

static void take_code(struct slice *rest, struct step *step)
{
    if (!is_code(peek_word(*rest)))
        return;
    memcpy(step->code, next_word(rest).p, SCRIPT_CODE_SIZE - 1);
    step->code[SCRIPT_CODE_SIZE - 1] = '\0';
}

/* ---------------------------------------------------------------- steps */

static bool read_wait(struct slice *rest, struct step *step, struct script_error *error)
{
    struct slice word = next_word(rest);
    int64_t n;
    int64_t unit_ms = 0;

    if (word.len > 2 && word.p[word.len - 2] == 'm' && word.p[word.len - 1] == 's') {
        unit_ms = 1;
        word.len -= 2;
    } else if (word.len > 1 && word.p[word.len - 1] == 's') {
        unit_ms = 1000;
        word.len -= 1;
    }
    if (!read_count(word, unit_ms == 0 ? 1000000 : SCRIPT_WAIT_MS_MAX / unit_ms, "number", &n,
                    error))
        return false;
    if (unit_ms == 0)
        step->count = (int32_t)n;
    else
        step->wait_ms = n * unit_ms;
    return true;
}

static bool read_share(struct slice *rest, struct step *step, struct script_error *error)
{
    struct slice word = peek_word(*rest);
    int64_t bps;

    if (word.len == 0 || !char_is_digit(word.p[0]))
        return true; /* what is left */
    (void)next_word(rest);
    if (word.p[word.len - 1] != '%')
        return read_amount(word, &step->minor, error) &&
               (step->minor > 0 || wrong(error, "a return of nothing"));
    word.len--;
    if (decimal_parse(word, 2, &bps) != REASON_NONE || bps < 1 || bps > BPS_WHOLE)
        return wrong(error, "'%.*s%%' is no share from 0.01%% to 100%%", SHOWN(word));
    step->share_bps = (int32_t)bps;
    return true;
}

static bool read_return(struct slice *rest, struct step *step, struct script_error *error)
{
    if (!read_share(rest, step, error))
        return false;
    take_code(rest, step);
    if (!slice_equal_str(peek_word(*rest), "charge"))
        return true;
    (void)next_word(rest);
    return read_amount(next_word(rest), &step->charge_minor, error);
}

static bool read_crash(struct slice *rest, struct step *step, struct script_error *error)
{
    struct slice word = next_word(rest);

    for (int p = CRASH_RECEIVED; p <= CRASH_NOTED; p++)
        if (slice_equal_str(word, crash_names[p])) {
            step->crash = (enum crash_point)p;
            return true;
        }
    return wrong(error, "there is no point '%.*s' to crash at", SHOWN(word));
}

static bool need_code(const struct step *step, struct script_error *error)
{
    return step->code[0] != '\0' || wrong(error, "%s needs a code", step_name(step->kind));
}

static bool read_step_rest(struct slice *rest, struct step *step, struct script_error *error)
{
    int64_t n = 1;

    switch (step->kind) {
    case STEP_REJECT:
    case STEP_REVERSE:
    case STEP_CONTRADICT:
        take_code(rest, step);
        return true;
    case STEP_REFUSE:
    case STEP_PENDING:
        take_code(rest, step);
        return need_code(step, error);
    case STEP_RETURN:
        return read_return(rest, step, error);
    case STEP_WAIT:
        return read_wait(rest, step, error);
    case STEP_CRASH:
        return read_crash(rest, step, error);
    case STEP_SILENT:
        if (rest->len > 0 && !read_count(next_word(rest), 1000, "number", &n, error))
            return false;
        step->count = (int32_t)n;
        return true;
    case STEP_ACCEPT:
    case STEP_AGAIN:
    case STEP_WRONG_AMOUNT:
    case STEP_WRONG_CURRENCY:
    case STEP_UNKNOWN:
    case STEP_RETURN_AGAIN:
    case STEP_RETURN_MORE:
    case STEP_CANCEL:
    case STEP_LOOKING:
        return true;
    }
    return false;
}

static bool read_step(struct slice text, struct step *step, struct script_error *error)
{
    struct slice rest = text;
    struct slice name = next_word(&rest);

    *step = (struct step){.kind = STEP_ACCEPT};
    if (name.len == 0)
        return wrong(error, "a step is missing");
    for (size_t i = 0;; i++) {
        if (i == N_STEPS)
            return wrong(error, "there is no step '%.*s'", SHOWN(name));
        if (slice_equal_str(name, step_rows[i].name)) {
            step->kind = (enum step_kind)i;
            break;
        }
    }
    if (!read_step_rest(&rest, step, error))
        return false;
    return rest.len == 0 ||
           wrong(error, "'%.*s' does not belong after %s", SHOWN(rest), step_name(step->kind));
}

/* ---------------------------------------------------------------- plans */

/* How far a plan has come, to tell what cannot be. */
struct sense {
    bool begun; /* a step that is no crash was there */
    bool answered, accepted;
    int32_t returned_bps; /* as far as shares say */
    int returns;          /* that stand */
    bool returned;        /* ever, in this plan */
};

static bool check_return(const struct step *step, struct sense *s, struct script_error *error)
{
    if (!s->accepted)
        return wrong(error, "return: nothing was accepted before it");
    if (s->returned_bps >= BPS_WHOLE || s->returned_bps + step->share_bps > BPS_WHOLE)
        return wrong(error, "return: nothing is left of the payment");
    s->returned_bps += step->share_bps;
    if (step->share_bps == 0 && step->minor == 0)
        s->returned_bps = BPS_WHOLE;
    s->returns++;
    s->returned = true;
    return true;
}

static bool check_answer(const struct step *step, struct sense *s, struct script_error *error)
{
    if (s->answered)
        return wrong(error, "%s: it is answered already", step_name(step->kind));
    s->answered = true;
    s->accepted = step->kind == STEP_ACCEPT;
    return true;
}

static bool check_step(const struct step *step, struct sense *s, struct script_error *error)
{
    const char *name = step_name(step->kind);

    if (step->kind == STEP_CRASH && step->crash < CRASH_BOOKED && s->begun)
        return wrong(error, "crash %s: only before any other step", crash_name(step->crash));
    s->begun = s->begun || step->kind != STEP_CRASH;

    switch (step->kind) {
    case STEP_ACCEPT:
    case STEP_REJECT:
        return check_answer(step, s, error);
    case STEP_AGAIN:
    case STEP_CONTRADICT:
        return s->answered || wrong(error, "%s: nothing was answered before it", name);
    case STEP_RETURN:
        return check_return(step, s, error);
    case STEP_RETURN_AGAIN:
        return s->returned || wrong(error, "%s: nothing was returned before it", name);
    case STEP_RETURN_MORE:
        return s->accepted || wrong(error, "%s: nothing was accepted before it", name);
    case STEP_REVERSE:
        if (s->returns == 0)
            return wrong(error, "%s: no return is left to be taken back", name);
        s->returns--;
        s->returned_bps = 0; /* the sum is the gateway's to check from here on */
        return true;
    case STEP_CANCEL:
    case STEP_REFUSE:
    case STEP_LOOKING:
        return wrong(error, "%s: only of a recall", name);
    case STEP_WRONG_AMOUNT:
    case STEP_WRONG_CURRENCY:
    case STEP_UNKNOWN:
    case STEP_WAIT:
    case STEP_SILENT:
    case STEP_PENDING:
    case STEP_CRASH:
        return true;
    }
    return false;
}

bool plan_read(struct slice text, bool recall, struct plan *plan, struct script_error *error)
{
    struct sense sense = {0};
    struct slice rest = text;
    bool more = true;

    plan->n = 0;
    while (more) {
        struct slice one = rest, after = {NULL, 0};

        more = slice_cut(rest, ',', &one, &after);
        if (plan->n == PLAN_STEPS_MAX)
            return wrong(error, "a plan has at most %d steps", PLAN_STEPS_MAX);
        if (!read_step(more ? one : rest, &plan->steps[plan->n], error) ||
            (!recall && !check_step(&plan->steps[plan->n], &sense, error)))
            return false;
        plan->n++;
        rest = after;
    }
    return true;
}

static size_t write_amount(int64_t minor, char *out)
{
    return decimal_format(minor, 2, '\0', out);
}

static void step_words(const struct step *s, char *out, size_t size)
{
    char amount[DECIMAL_SIZE] = "", charge[DECIMAL_SIZE] = "";

    if (s->share_bps > 0) {
        size_t n = write_amount(s->share_bps, amount);

        snprintf(amount + n, sizeof amount - n, "%%");
    } else if (s->minor > 0) {
        write_amount(s->minor, amount);
    }
    if (s->charge_minor > 0)
        write_amount(s->charge_minor, charge);
    if (s->kind == STEP_CRASH)
        snprintf(out, size, "crash %s", crash_name(s->crash));
    else if (s->kind == STEP_WAIT && s->wait_ms > 0)
        snprintf(out, size, "wait %lldms", (long long)s->wait_ms);
    else if (s->kind == STEP_WAIT || s->kind == STEP_SILENT)
        snprintf(out, size, "%s %d", step_name(s->kind), s->count);
    else
        snprintf(out, size, "%s%s%s%s%s%s%s", step_name(s->kind), amount[0] == '\0' ? "" : " ",
                 amount, s->code[0] == '\0' ? "" : " ", s->code,
                 charge[0] == '\0' ? "" : " charge ", charge);
}

bool plan_write(const struct plan *plan, char out[PLAN_TEXT_SIZE])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < plan->n; i++) {
        char words[160];
        int n;

        step_words(&plan->steps[i], words, sizeof words);
        n = snprintf(out + len, PLAN_TEXT_SIZE - len, "%s%s", i == 0 ? "" : ", ", words);
        if (n < 0 || (size_t)n >= PLAN_TEXT_SIZE - len)
            return false;
        len += (size_t)n;
    }
    return true;
}

/* ---------------------------------------------------------------- rules */

static bool read_range(struct slice word, struct rule *rule, struct script_error *error)
{
    size_t dots = 0;
    struct slice low, high;

    while (dots + 1 < word.len && (word.p[dots] != '.' || word.p[dots + 1] != '.'))
        dots++;
    if (dots + 1 >= word.len)
        return wrong(error, "amount: LOW..HIGH is meant, not '%.*s'", SHOWN(word));
    low = slice_of(word.p, dots);
    high = slice_of(word.p + dots + 2, word.len - dots - 2);
    if ((low.len > 0 && !read_amount(low, &rule->minor_min, error)) ||
        (high.len > 0 && !read_amount(high, &rule->minor_max, error)))
        return false;
    return rule->minor_min <= rule->minor_max || wrong(error, "amount: it ends before it begins");
}

static bool read_iban(struct slice word, struct rule *rule, struct script_error *error)
{
    bool ok = word.len > 0 && word.len < sizeof rule->iban;

    for (size_t i = 0; ok && i < word.len; i++)
        ok = char_is_digit(word.p[i]) || char_is_upper(word.p[i]);
    if (!ok)
        return wrong(error, "iban: '%.*s' is no end of an IBAN", SHOWN(word));
    memcpy(rule->iban, word.p, word.len);
    rule->iban[word.len] = '\0';
    return true;
}

static bool read_condition(struct slice name, struct slice *rest, struct rule *rule,
                           struct script_error *error)
{
    int64_t weight = 0;

    if (slice_equal_str(name, "any"))
        return true;
    if (slice_equal_str(name, "recall")) {
        rule->recall = true;
        return true;
    }
    if (slice_equal_str(name, "every"))
        return read_count(next_word(rest), INT32_MAX, "number", &rule->every, error);
    if (slice_equal_str(name, "number"))
        return read_count(next_word(rest), INT64_MAX, "number", &rule->number, error);
    if (slice_equal_str(name, "amount"))
        return read_range(next_word(rest), rule, error);
    if (slice_equal_str(name, "iban"))
        return read_iban(next_word(rest), rule, error);
    if (!slice_equal_str(name, "weight"))
        return wrong(error, "there is no condition '%.*s'", SHOWN(name));
    if (!read_count(next_word(rest), 1000000, "weight", &weight, error))
        return false;
    rule->weight = (int32_t)weight;
    return true;
}

static bool read_rule(struct slice line, struct rule *rule, struct script_error *error)
{
    struct slice when, then, name;
    struct plan plan;

    *rule = (struct rule){.minor_max = INT64_MAX};
    if (!slice_cut(line, ':', &when, &then))
        return wrong(error, "WHEN: STEP, STEP ... is meant; there is no colon");
    when = slice_trim(when);
    if (when.len == 0)
        return wrong(error, "a condition is missing before the colon");
    while ((name = next_word(&when)).len > 0)
        if (!read_condition(name, &when, rule, error))
            return false;
    if (!plan_read(then, rule->recall, &plan, error))
        return false;
    return plan_write(&plan, rule->plan) || wrong(error, "the plan is too long");
}

static bool read_seed(struct slice rest, struct script *script, struct script_error *error)
{
    struct slice word = next_word(&rest);

    if (rest.len > 0 || err_failed(str_parse_uint64(word, &script->seed)))
        return wrong(error, "seed: one whole number is meant");
    return true;
}

static bool read_line(struct slice line, struct script *script, struct script_error *error)
{
    struct slice before, after;

    if (slice_cut(line, '#', &before, &after))
        line = before;
    line = slice_trim(line);
    if (line.len == 0)
        return true;
    if (slice_equal_str(peek_word(line), "seed")) {
        (void)next_word(&line);
        return read_seed(line, script, error);
    }
    if (script->n_rules == SCRIPT_RULES_MAX)
        return wrong(error, "a script has at most %d rules", SCRIPT_RULES_MAX);
    if (!read_rule(line, &script->rules[script->n_rules], error))
        return false;
    script->n_rules++;
    return true;
}

void script_init(struct script *script)
{
    script->seed = 1;
    script->n_rules = 0;
}

bool script_read(struct slice text, struct script *script, struct script_error *error)
{
    struct slice line;

    *error = (struct script_error){0, ""};
    if (text.len > SCRIPT_BYTES_MAX)
        return wrong(error, "it is longer than %d bytes", SCRIPT_BYTES_MAX);
    while (slice_next_line(&text, &line)) {
        error->line++;
        if (!read_line(line, script, error))
            return false;
    }
    return true;
}

bool script_add(const char *line, struct script *script, struct script_error *error)
{
    *error = (struct script_error){0, ""};
    return read_line(slice_str(line), script, error);
}

/* ---------------------------------------------------------------- choosing */

static bool ends_with(struct slice s, const char *end)
{
    size_t n = strlen(end);

    return s.len >= n && memcmp(s.p + s.len - n, end, n) == 0;
}

static bool holds(const struct rule *rule, const struct script_facts *facts)
{
    return rule->recall == facts->recall &&
           (rule->every == 0 || facts->number % rule->every == 0) &&
           (rule->number == 0 || facts->number == rule->number) &&
           facts->minor >= rule->minor_min && facts->minor <= rule->minor_max &&
           (rule->iban[0] == '\0' || ends_with(facts->iban, rule->iban));
}

/* FNV-1a of the id, stirred with the seed (the finaliser of splitmix64): a draw that depends on nothing else, so an
 * instruction that comes again, or in another order, draws the same. */
static uint64_t draw(uint64_t seed, struct slice id)
{
    uint64_t x = 14695981039346656037ULL;

    for (size_t i = 0; i < id.len; i++)
        x = (x ^ (unsigned char)id.p[i]) * 1099511628211ULL;
    x += seed * 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

const char *script_choose(const struct script *script, const struct script_facts *facts)
{
    uint64_t total = 0, drawn;

    for (size_t i = 0; i < script->n_rules; i++) {
        const struct rule *rule = &script->rules[i];

        if (!holds(rule, facts))
            continue;
        if (rule->weight == 0)
            return rule->plan;
        total += (uint64_t)rule->weight;
    }
    if (total == 0)
        return facts->recall ? "refuse CUST" : "accept";
    drawn = draw(script->seed, facts->id) % total;
    for (size_t i = 0;; i++) {
        const struct rule *rule = &script->rules[i];

        assert(i < script->n_rules);
        if (rule->weight == 0 || !holds(rule, facts))
            continue;
        if (drawn < (uint64_t)rule->weight)
            return rule->plan;
        drawn -= (uint64_t)rule->weight;
    }
}
