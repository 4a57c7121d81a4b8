/* ujrat bank run --files: looks every so often for files to it, and answers. */
#include "cli/bank_files.h"

#include "base/clock.h"

#include <signal.h>
#include <stdlib.h>

static void look(struct bank_files *f)
{
    struct bank *b = f->bank;
    int64_t due_us = 0;
    long long wait_ms = f->poll_ms;

    if (!bank_files_read(f) || !bank_files_write(f, &due_us)) {
        b->code_at_end = EXIT_REFUSED;
        event_base_loopbreak(b->base);
        return;
    }
    if (due_us > 0 && (due_us - clock_monotonic_us()) / US_PER_MS < wait_ms)
        wait_ms = (due_us - clock_monotonic_us()) / US_PER_MS + 1;
    bank_wait_ms(f->timer, wait_ms < 0 ? 0 : wait_ms);
}

static void on_look(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    look(user);
}

static void on_stop(evutil_socket_t fd, short what, void *user)
{
    struct bank *b = user;

    (void)fd;
    (void)what;
    event_base_loopbreak(b->base);
}

static bool open_files(const struct args *args, struct bank_files *f)
{
    const char *key = args_get(args, "sign-key"), *our_key = args_get(args, "gateway-key");
    char text[ERR_TEXT_SIZE];
    err_t err;

    f->poll_ms = 200;
    if (key == NULL) {
        complain("--files: what the bank writes is signed: say --sign-key FILE");
        return false;
    }
    if (!args_int(args, "poll-ms", 1, SCRIPT_WAIT_MS_MAX, &f->poll_ms))
        return false;
    err = sign_key_read(key, &f->key);
    if (err_failed(err)) {
        complain("%s: %s", key, err_text(err, text, sizeof text));
        return false;
    }
    err = our_key == NULL ? err_none() : sign_key_read_public(our_key, &f->our_key);
    if (err_failed(err)) {
        complain("%s: %s", our_key, err_text(err, text, sizeof text));
        return false;
    }
    err = bank_folders_open(args_get(args, "files"), f->bank->code, &f->folders);
    if (err_failed(err))
        complain("%s: %s", args_get(args, "files"), err_text(err, text, sizeof text));
    return !err_failed(err);
}

enum exit_code bank_files_run(const struct args *args, struct bank *b, long long seconds)
{
    struct bank_files f = {.bank = b};
    struct event *stops[3];

    for (int i = 0; i < FOLDER_COUNT; i++)
        f.folders.fd[i] = -1;
    if (!open_files(args, &f)) {
        sign_key_free(&f.key);
        sign_key_free(&f.our_key);
        return EXIT_USAGE;
    }
    b->base = event_base_new();
    if (b->base == NULL)
        abort();
    f.timer = evtimer_new(b->base, on_look, &f);
    stops[0] = evsignal_new(b->base, SIGINT, on_stop, b);
    stops[1] = evsignal_new(b->base, SIGTERM, on_stop, b);
    stops[2] = evtimer_new(b->base, on_stop, b);
    if (f.timer == NULL || stops[0] == NULL || stops[1] == NULL || stops[2] == NULL)
        abort();
    event_add(stops[0], NULL);
    event_add(stops[1], NULL);
    if (seconds > 0)
        bank_wait_ms(stops[2], seconds * 1000);
    bank_wait_ms(f.timer, 0);
    event_base_dispatch(b->base);
    event_free(f.timer);
    for (size_t i = 0; i < 3; i++)
        event_free(stops[i]);
    event_base_free(b->base);
    bank_folders_close(&f.folders);
    sign_key_free(&f.key);
    sign_key_free(&f.our_key);
    return b->code_at_end;
}
