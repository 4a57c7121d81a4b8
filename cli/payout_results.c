#include "cli/payout_results.h"

#include "base/command.h"
#include "base/hex.h"
#include "cli/call.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const int32_t definite[] = {WIRE_OUTCOME_ACCEPTED, WIRE_OUTCOME_DUPLICATE,
                                   WIRE_OUTCOME_REFUSED};
#define N_DEFINITE (sizeof definite / sizeof *definite)

bool payout_outcome_is_definite(int32_t outcome)
{
    for (size_t i = 0; i < N_DEFINITE; i++)
        if (outcome == definite[i])
            return true;
    return false;
}

static bool fail(const struct payout_results *r, const char *why)
{
    complain("%s: %s", r->path, why);
    return false;
}

/* ---------------------------------------------------------------- reading */

static bool take_header(const struct payout_results *r, json_t *line,
                        const struct payout_file *file)
{
    char sha256[HEX_SIZE(sizeof file->sha256)];
    const char *said = json_string_value(json_object_get(line, "file_sha256"));

    hex_encode(file->sha256, sizeof file->sha256, sha256);
    if (said == NULL)
        return fail(r, "it is not a file of results");
    if (strcmp(said, sha256) != 0)
        return fail(r, "it has the results of another file, or of this one before it was changed");
    return true;
}

static void take_text(json_t *line, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(line, name));

    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

static bool take_answer(const struct payout_results *r, json_t *line,
                        const struct payout_file *file, struct payout_answer *answers,
                        size_t *n_known)
{
    json_int_t n = json_integer_value(json_object_get(line, "n"));
    const char *outcome = json_string_value(json_object_get(line, "outcome"));
    int32_t number = 0;

    for (size_t i = 0; outcome != NULL && i < N_DEFINITE; i++)
        if (strcmp(outcome, outcome_shown(definite[i])) == 0)
            number = definite[i];
    if (n < 1 || (uint64_t)n > file->n || number == 0)
        return fail(r, "a line of it is not a payout's result");
    struct payout_answer *a = &answers[n - 1];
    if (number == WIRE_OUTCOME_REFUSED)
        return true; /* then: a float may have been filled since */
    *n_known += a->outcome == 0;
    a->outcome = number;
    take_text(line, "payout", a->payout, sizeof a->payout);
    take_text(line, "fee", a->fee, sizeof a->fee);
    take_text(line, "net", a->net, sizeof a->net);
    take_text(line, "net_currency", a->net_ccy, sizeof a->net_ccy);
    take_text(line, "why", a->why, sizeof a->why);
    return true;
}

/* Whole lines; one that a crash cut off is none, and *good is where it begins. */
static bool read_lines(const struct payout_results *r, const struct payout_file *file,
                       struct payout_answer *answers, size_t *n_known, off_t *good)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    bool ok = true;

    while (ok && (len = getline(&text, &room, r->out)) > 0 && text[len - 1] == '\n') {
        json_error_t error;
        json_t *line = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, &error);

        if (line == NULL)
            ok = fail(r, "it is not a file of results");
        else
            ok = *good == 0 ? take_header(r, line, file)
                            : take_answer(r, line, file, answers, n_known);
        json_decref(line);
        *good += len;
    }
    free(text);
    return ok && !ferror(r->out);
}

/* ---------------------------------------------------------------- writing */

static void write_line(struct payout_results *r, json_t *line)
{
    if (line != NULL)
        json_dumpf(line, r->out, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(line);
    fputc('\n', r->out);
}

static void write_header(struct payout_results *r, const struct payout_file *file)
{
    char sha256[HEX_SIZE(sizeof file->sha256)];

    hex_encode(file->sha256, sizeof file->sha256, sha256);
    write_line(r, json_pack("{s:s, s:I}", "file_sha256", sha256, "payouts", (json_int_t)file->n));
}

bool payout_results_open(struct payout_results *r, const char *path, const struct payout_file *file,
                         struct payout_answer *answers, size_t *n_known)
{
    off_t good = 0;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    *r = (struct payout_results){.path = path, .out = fd < 0 ? NULL : fdopen(fd, "r+")};
    *n_known = 0;
    if (r->out == NULL)
        return fail(r, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        fail(r, errno == EWOULDBLOCK ? "another run is writing to it" : strerror(errno));
    else if (read_lines(r, file, answers, n_known, &good)) {
        if (ftruncate(fd, good) != 0 || fseeko(r->out, good, SEEK_SET) != 0) {
            fail(r, strerror(errno));
        } else {
            if (good == 0)
                write_header(r, file);
            if (payout_results_sync(r))
                return true;
        }
    }
    payout_results_close(r);
    return false;
}

void payout_results_add(struct payout_results *r, const struct payout_file *file, size_t i,
                        const struct payout_answer *answer)
{
    char reference[72];

    if (r->out == NULL)
        return;
    slice_text(file->items[i].reference, reference, sizeof reference);
    write_line(r, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "n", (json_int_t)i + 1,
                            "reference", reference, "outcome", outcome_shown(answer->outcome),
                            "payout", answer->payout, "fee", answer->fee, "net", answer->net,
                            "net_currency", answer->net_ccy, "why", answer->why));
}

bool payout_results_sync(struct payout_results *r)
{
    if (r->out == NULL)
        return true;
    if (fflush(r->out) != 0 || ferror(r->out) || fdatasync(fileno(r->out)) != 0)
        return fail(r, strerror(errno));
    return true;
}

void payout_results_close(struct payout_results *r)
{
    if (r->out != NULL)
        fclose(r->out);
    r->out = NULL;
}
