/*
 * ujrat-audit reconcile: a bank's statements against the books. It reads, and posts nothing: what it finds is adjusted,
 * if it must be, by two people with `ujrat recon`.
 */
#include "audit/reconcile.h"
#include "audit/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char reconcile_help[] =
    "Reads camt.053.001.02, .08 and .12 statements of one account of ours at a bank, in any order, and\n"
    "matches their entries with the postings on our nostro accounts there: by EndToEndId, by the bank's\n"
    "reference, then by amount and date where only one fits. What is left is named, aged, and added up:\n"
    "balance per bank less balance per books is explained to the last minor unit, or said not to be.\n"
    "Statements that are of another account, bank or currency, or that overlap, are refused. Nothing is\n"
    "posted, and no file is written unless all of it could be. --accounts names a file with lines such\n"
    "as MUCB,PK24MUCB0646609971000177. Exit status 0: reconciled without a break.";

const struct option_row reconcile_options[] = {
    {"account", "NUMBER", "our account at the bank, as its statements name it", false},
    {"accounts", "FILE", "a file of BANK,NUMBER lines, instead", false},
    {"bank", "CODE", "the bank (default: that of the IBAN)", false},
    {"book", "PLATFORM", "one book only (default: all)", false},
    {"as-of", "TIME", "our books as of then, RFC 3339 (default: now)", false},
    {"html", "FILE", "write a report to print and file", false},
    {"csv", "FILE", "write it for programs, and for ujrat recon accept", false},
    {NULL, NULL, NULL, false},
};

/* ---------------------------------------------------------------- files, whole or not at all */

struct report_file {
    const char *path; /* NULL: not asked for */
    char temporary[4096];
    bool written;
};

static bool write_report(const struct recon *r, struct report_file *f,
                         void (*write)(const struct recon *, FILE *))
{
    int fd;
    FILE *out;
    bool good;
    mode_t mask = umask(0);

    umask(mask);
    if (snprintf(f->temporary, sizeof f->temporary, "%s.XXXXXX", f->path) >=
        (int)sizeof f->temporary) {
        complain("%s: the name is too long", f->path);
        return false;
    }
    fd = mkstemp(f->temporary);
    if (fd < 0) {
        complain("%s: %s", f->path, strerror(errno));
        return false;
    }
    f->written = true;
    out = fdopen(fd, "w");
    if (out == NULL) {
        complain("%s: %s", f->path, strerror(errno));
        close(fd);
        return false;
    }
    write(r, out);
    good = fflush(out) == 0 && !ferror(out) && fchmod(fd, 0666 & ~mask) == 0 && fsync(fd) == 0;
    if (!good)
        complain("%s: %s", f->path, strerror(errno));
    return fclose(out) == 0 && good;
}

static bool keep_report(struct report_file *f)
{
    if (f->path == NULL || !f->written)
        return true;
    if (rename(f->temporary, f->path) != 0) {
        complain("%s: %s", f->path, strerror(errno));
        return false;
    }
    f->written = false;
    return true;
}

static bool write_reports(const struct recon *r, const struct args *args)
{
    struct report_file html = {.path = args_get(args, "html")};
    struct report_file csv = {.path = args_get(args, "csv")};
    bool good = (html.path == NULL || write_report(r, &html, recon_write_html)) &&
                (csv.path == NULL || write_report(r, &csv, recon_write_csv)) &&
                keep_report(&html) && keep_report(&csv);

    if (html.written)
        unlink(html.temporary);
    if (csv.written)
        unlink(csv.temporary);
    return good;
}

/* ---------------------------------------------------------------- the command */

static bool reconcile(struct recon *r, const struct args *args)
{
    bool good;

    if (!recon_read(r, args) || !recon_load(r))
        return false;
    good = recon_match(r) && recon_look_up(r) && recon_classify(r) && write_reports(r, args);
    if (!good)
        return false;
    if (args_json(args))
        return recon_print_json(r) && recon_is_clean(r);
    recon_print(r);
    return recon_is_clean(r);
}

enum exit_code reconcile_run(const struct args *args)
{
    struct recon *r = calloc(1, sizeof *r);
    enum exit_code code;

    if (r == NULL) {
        complain("out of memory");
        return EXIT_REFUSED;
    }
    arena_init(&r->arena, 1U << 20, RECON_MEMORY_MAX);
    code = recon_find_account(r, args);
    if (code == EXIT_DONE && !reconcile(r, args))
        code = EXIT_REFUSED;
    db_close(&r->db);
    arena_deinit(&r->arena);
    free(r->statements);
    free(r->lines);
    free(r->items);
    free(r->breaks);
    free(r);
    return code;
}
