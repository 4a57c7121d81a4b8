/* ujrat receipt: what proves a payout, as a file to keep and as a page to hand on. */
#include "base/buf.h"
#include "cli/call.h"
#include "cli/commands.h"
#include "cli/private_file.h"
#include "cli/receipt_pdf.h"
#include "cli/receipt_view.h"
#include "gateway/wire/audit_messages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BY_REFERENCE "/ujrat.payout.v1.PayoutService/GetPayoutByReference"
#define GET_RECEIPT  "/ujrat.audit.v1.AuditService/GetReceipt"

const char receipt_help[] =
    "PAYOUT is a name (platforms/upwork/payouts/42) or, for a platform, its own reference. The JSON proves the payout\n"
    "to anybody who has the book's public key: `ujrat-audit receipt-verify FILE --key KEY`. The PDF is a page for people,\n"
    "printed from the JSON. Both hold personal data and are readable by their owner alone. FILE may be - for standard\n"
    "output; without --pdf and --json the JSON goes there. A payout that changed a moment ago may not be sealed yet.";

const struct option_row receipt_options[] = {
    {"json", "FILE", "write the receipt itself", false},
    {"pdf", "FILE", "write it as a page to print", false},
    {"lang", "LANG", "language of the page: en, ur or both (both)", false},
    {"from", "FILE", "print this receipt instead of asking for one; asks nobody, checks nothing",
     false},
    {NULL, NULL, NULL, false},
};

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    unsigned char *room;
    err_t err = err_none();
    size_t n = 1;

    if (file == NULL) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    while (n > 0 && !err_failed(err)) {
        err = buf_reserve(out, 1, &room);
        if (err_failed(err))
            break;
        n = fread(room, 1, out->size - out->len, file);
        buf_commit(out, n);
    }
    if (err_failed(err))
        complain("%s: too large for a receipt", path);
    else if (ferror(file)) {
        complain("%s: %s", path, strerror(errno));
        err = err_make(ERR_SYS, "read");
    }
    if (file != stdin)
        fclose(file);
    return !err_failed(err);
}

static enum exit_code ask_receipt(const struct args *args, struct buf *out)
{
    struct caller caller;
    struct wire_payout payout;
    struct wire_get_receipt_request request = {true, slice_str(args->operands[0])};
    struct wire_get_receipt_response answer;
    struct wire_get_payout_by_reference_request by_reference = {true, request.payout};
    char name[128];
    enum exit_code code = caller_open(args, &caller);

    if (code == EXIT_DONE && strncmp(args->operands[0], "platforms/", 10) != 0) {
        code = caller_ask(&caller, BY_REFERENCE, &wire_get_payout_by_reference_request_type,
                          &by_reference, &wire_payout_type, &payout);
        if (code == EXIT_DONE)
            request.payout = slice_str(slice_text(payout.name, name, sizeof name));
    }
    if (code == EXIT_DONE)
        code = caller_ask(&caller, GET_RECEIPT, &wire_get_receipt_request_type, &request,
                          &wire_get_receipt_response_type, &answer);
    if (code == EXIT_DONE && err_failed(buf_append(out, answer.receipt.p, answer.receipt.len))) {
        complain("the receipt is too large");
        code = EXIT_REFUSED;
    }
    caller_close(&caller);
    return code;
}

static bool write_pdf(const char *source, struct slice json, enum receipt_lang lang,
                      const char *path)
{
    struct receipt_view *view = calloc(1, sizeof *view);
    struct buf page;
    bool ok;

    if (view == NULL)
        abort();
    buf_init(&page, 8u * 1024 * 1024);
    ok = receipt_view_read(source, json, view) && receipt_pdf_make(view, lang, &page) &&
         private_file_write(path, buf_slice(&page));
    buf_deinit(&page);
    receipt_view_free(view);
    free(view);
    return ok;
}

enum exit_code receipt_run(const struct args *args)
{
    const char *from = args_get(args, "from");
    const char *pdf = args_get(args, "pdf");
    const char *json = args_get(args, "json");
    enum receipt_lang lang;
    struct buf receipt;
    enum exit_code code = EXIT_DONE;

    if (!words_lang(args, &lang))
        return EXIT_USAGE;
    if ((from == NULL) == (args->n_operands == 0)) {
        complain("a payout, or --from FILE, and not both");
        return EXIT_USAGE;
    }
    buf_init(&receipt, RECEIPT_BYTES_MAX);
    if (from == NULL)
        code = ask_receipt(args, &receipt);
    else if (!read_file(from, &receipt))
        code = EXIT_REFUSED;
    if (code == EXIT_DONE && (json != NULL || pdf == NULL) &&
        !private_file_write(json == NULL ? "-" : json, buf_slice(&receipt)))
        code = EXIT_REFUSED;
    if (code == EXIT_DONE && pdf != NULL &&
        !write_pdf(from == NULL ? "receipt" : from, buf_slice(&receipt), lang, pdf))
        code = EXIT_REFUSED;
    buf_deinit(&receipt);
    return code;
}
