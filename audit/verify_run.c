/* ujrat-audit verify: from the command line to the report. */
#include "audit/commands.h"
#include "audit/progress.h"
#include "audit/verify_book.h"
#include "audit/verify_report.h"
#include "audit/witness.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_EVERY_US (5 * US_PER_SEC)
#define LOOK_EVERY          1024 /* items between looks at the clock */

const char verify_help[] =
    "Computes again everything that the log says: journals, lines, prices, what became of each payout,\n"
    "balances, hashes, blocks, links, signatures, tree heads. FILE is a log export (export --format log);\n"
    "without one, the database is read, in one snapshot. Says the first thing that is wrong in each book.\n"
    "\n"
    "Without --key the first key of each book is believed, which whoever can rewrite the log can change.\n"
    "Without --witness a log that was rewritten and signed again, with the right key, cannot be told.";

const struct option_row verify_options[] = {
    {"book", "BOOK", "only this book; may be said again", true},
    {"key", "PEM", "a public key that you were given; may be said again", true},
    {"witness", "FILE", "what a witness has seen: every head in it must be a prefix of this log",
     false},
    {"checkpoint", "FILE", "keep here how far it came, and go on from there the next time", false},
    {"all", NULL, "go on after the first thing that is wrong, where that can be done", false},
    {"seal-grace", "SECONDS", "how old a block may be that is not sealed yet (60)", false},
    {NULL, NULL, NULL, false},
};

struct run {
    const struct args *args;
    const char *books[COMMAND_VALUES_MAX];
    size_t n_books;
    const char *checkpoint;
    struct trusted_keys keys;
    struct witness_heads witness;
    struct sha256 *sha;
    struct known *known;
    struct verify *verify;
    struct source *source;
    struct db db;
    bool db_failed;
    struct verify_report report;
};

static bool wanted(const struct run *r, struct slice book)
{
    for (size_t i = 0; i < r->n_books; i++)
        if (slice_equal_str(book, r->books[i]))
            return true;
    return r->n_books == 0;
}

static void book_ended(void *context, const struct book_result *result)
{
    struct run *r = context;

    if (r->db.conn != NULL && !verify_rows(r->verify, &r->db, result))
        r->db_failed = true;
}

/* The witness, or an earlier run, knows a book that is not there any more. */
static void look_for_lost_books(struct run *r)
{
    size_t n;
    const struct book_result *books = verify_books(r->verify, &n);
    const char *last = "";

    for (size_t i = 0; i < r->witness.n + r->verify->n_resume; i++) {
        bool of_witness = i < r->witness.n;
        const char *book =
            of_witness ? r->witness.heads[i].book : r->verify->resume[i - r->witness.n].code;
        bool there = !wanted(r, slice_str(book)) || slice_equal_str(slice_str(book), last);
        struct finding f = {.block_no = 1};

        for (size_t k = 0; k < n; k++)
            there = there || strcmp(books[k].book, book) == 0;
        last = book;
        if (there)
            continue;
        r->verify->book.result = NULL;
        snprintf(f.book, sizeof f.book, "%s", book);
        snprintf(f.field, sizeof f.field, "book");
        snprintf(f.text, sizeof f.text, "%s knows this book, and it is not in the log",
                 of_witness ? "the witness" : "the checkpoint");
        verify_add(r->verify, &f);
    }
}

static bool keep(struct run *r)
{
    char text[ERR_TEXT_SIZE];
    err_t err;

    if (r->checkpoint == NULL || verify_findings_count(r->verify) > 0)
        return true;
    err = checkpoint_write(r->verify, r->checkpoint);
    if (!err_failed(err))
        return true;
    complain("%s: %s", r->checkpoint, err_text(err, text, sizeof text));
    return false;
}

/* A file holds other books too, which pass by. */
static bool passes(const struct run *r, const struct source_item *item, bool *other)
{
    if (item->kind == RECORD_BOOK)
        *other = !wanted(r, item->book.code);
    return *other && item->kind != RECORD_END;
}

static bool take_all(struct run *r)
{
    struct source_item *item = calloc(1, sizeof *item);
    struct progress progress;
    int64_t kept_us = clock_monotonic_us();
    enum source_result result = SOURCE_FAILED;
    err_t err = err_none();
    bool other = false;
    bool ok = item != NULL;
    unsigned n = 0;

    progress_begin(&progress, "lines", args_quiet(r->args));
    while (ok && (result = r->source->next(r->source, item)) == SOURCE_ITEM) {
        if (passes(r, item, &other))
            continue;
        err = verify_take(r->verify, item);
        ok = !err_failed(err) && !r->db_failed;
        r->source->pass_book = verify_gave_up(r->verify);
        if (++n % LOOK_EVERY != 0 && item->kind != RECORD_BLOCK)
            continue;
        progress_at(&progress, r->source->done, r->source->total, verify_lines(r->verify));
        if (r->checkpoint != NULL && verify_between_blocks(r->verify) &&
            clock_monotonic_us() - kept_us > CHECKPOINT_EVERY_US) {
            ok = ok && keep(r);
            kept_us = clock_monotonic_us();
        }
    }
    progress_end(&progress);
    free(item);
    if (err_failed(err)) {
        char text[ERR_TEXT_SIZE];
        complain("%s", err_text(err, text, sizeof text));
    }
    if (ok && result == SOURCE_BROKEN)
        r->report.broken = r->source->why;
    else if (ok && result == SOURCE_FAILED) {
        if (r->source->why[0] != '\0')
            complain("%s", r->source->why);
        ok = false;
    }
    return ok;
}

static enum exit_code open_source(struct run *r, const struct verify_options *options)
{
    struct source_db_options from = {
        .books = r->books, .n_books = r->n_books, .skip_blocks = verify_skip_blocks};
    enum exit_code code;

    if (err_failed(known_new(r->sha, &r->known)) ||
        err_failed(verify_new(options, r->known, r->sha, &r->verify))) {
        complain("out of memory");
        return EXIT_REFUSED;
    }
    if (r->checkpoint != NULL && !checkpoint_read(r->verify, r->checkpoint, &r->report.resumed))
        return EXIT_REFUSED;
    if (r->args->n_operands > 0) {
        r->report.source = r->args->operands[0];
        return source_file_new(r->report.source, r->known, &r->source) ? EXIT_DONE : EXIT_REFUSED;
    }
    r->report.source = "database";
    code = db_open(r->args, &r->db);
    if (code != EXIT_DONE)
        return code;
    from.context = r->verify;
    return source_db_new(&r->db, &from, r->known, &r->source) ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_code check(struct run *r)
{
    bool good;

    if (!take_all(r))
        return EXIT_REFUSED;
    for (size_t i = 0; i < r->n_books && r->report.broken == NULL; i++) {
        size_t n;
        const struct book_result *books = verify_books(r->verify, &n);
        bool there = false;
        for (size_t k = 0; k < n; k++)
            there = there || strcmp(books[k].book, r->books[i]) == 0;
        if (!there) {
            complain("there is no book '%s' in the log", r->books[i]);
            return EXIT_REFUSED;
        }
    }
    if (r->report.broken == NULL)
        look_for_lost_books(r);
    good = verify_findings_count(r->verify) == 0 && r->report.broken == NULL;
    if (good && !keep(r))
        return EXIT_REFUSED;
    if (args_json(r->args))
        (void)verify_report_json(r->verify, &r->report);
    else if (!args_quiet(r->args) || !good)
        verify_report_text(r->verify, &r->report);
    if (r->keys.n == 0)
        complain("no --key was given: the first key of each book was taken on the log's own word");
    return good ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_code verify_run(const struct args *args)
{
    struct run r = {.args = args, .checkpoint = args_get(args, "checkpoint")};
    long long grace = 60;
    const char *witness = args_get(args, "witness");
    struct verify_options options = {.keys = &r.keys,
                                     .witness = witness == NULL ? NULL : &r.witness,
                                     .all = args_has(args, "all"),
                                     .now_us = clock_realtime_us(),
                                     .state_path = r.checkpoint,
                                     .book_ended = book_ended,
                                     .context = &r};
    enum exit_code code;
    size_t at = 0;

    while ((r.books[r.n_books] = args_next(args, "book", &at)) != NULL)
        r.n_books++;
    if (!args_int(args, "seal-grace", 0, 1000000000, &grace))
        return EXIT_USAGE;
    if (args->n_operands > 0 && (args_has(args, "db") || args_has(args, "db-file"))) {
        complain("a FILE or a database, not both");
        return EXIT_USAGE;
    }
    options.seal_grace_us = grace * US_PER_SEC;
    r.report = (struct verify_report){.witness = witness, .keys = &r.keys, .at_us = options.now_us};
    r.sha = sha256_new();
    code = r.sha != NULL && trusted_keys_read(args, "key", &r.keys) &&
                   (witness == NULL || witness_read(witness, false, &r.witness))
               ? open_source(&r, &options)
               : EXIT_REFUSED;
    if (code == EXIT_DONE)
        code = check(&r);
    source_free(&r.source);
    verify_free(&r.verify);
    known_free(&r.known);
    db_close(&r.db);
    witness_free(&r.witness);
    trusted_keys_free(&r.keys);
    sha256_free(&r.sha);
    return code;
}
