#include "gateway/master.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/notify_worker.h"
#include "gateway/seal_worker.h"
#include "gateway/worker.h"

enum {
    WORKERS_MAX = 64,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 10000,
    HEALTHY_AFTER_MS = 10000, /* a worker that lived so long starts again without delay */
    KILL_AFTER_DRAIN_MS = 5000,
    HANDOVER_BYTES = 4 << 20, /* asked for; the system gives what net.core.wmem_max allows */
};

static_assert((int)WORKERS_MAX <= (int)SEALER_HANDOVER_FDS_MAX, "each worker hands over");

/* The two ends of a socket pair. They are made once and kept, so that either side may end and come again. */
enum { WORKERS_END, SEALERS_END };

struct slot {
    pid_t pid;    /* 0: none is running */
    int ready_fd; /* -1: it has said so, or is gone */
    bool was_ready;
    int64_t started_us;
    int64_t start_at_us;
    int64_t backoff_ms;
};

struct master {
    const struct daemon_args *args;
    struct settings *settings;
    struct log *log;
    int reserved_fd; /* bound and not listening: keeps the port ours while workers come and go */
    uint16_t port;
    int signal_fd;
    sigset_t old_mask;
    struct slot slots[WORKERS_MAX];
    int handover[WORKERS_MAX][2]; /* of each place; -1: nobody seals */
    unsigned n;
    struct slot sealer;   /* is never ready and never missed: calls are answered without it */
    struct slot notifier; /* the same */
    bool announced;
    unsigned stops; /* SIGTERMs so far */
    int64_t kill_at_us;
    enum exit_code code;
};

/* ---------------------------------------------------------------- the port */

static socklen_t make_address(const char *host, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    int parsed = inet_pton(AF_INET6, host, &in6.sin6_addr);
    assert(parsed == 1); /* settings.c looked */
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

static int bind_socket(const struct sockaddr_storage *address, socklen_t len, bool reuse_port)
{
    int one = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0) ||
        bind(fd, (const struct sockaddr *)address, len) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static bool reserve_port(struct master *m)
{
    struct sockaddr_storage address;
    socklen_t len = make_address(m->settings->listen_host, m->settings->listen_port, &address);
    /* SO_REUSEPORT would let us share the port with another daemon of the same user without a word: a bind
     * without it first sees whether somebody listens. */
    int probe = bind_socket(&address, len, false);
    if (probe >= 0) {
        close(probe);
        m->reserved_fd = bind_socket(&address, len, true);
    }
    len = sizeof(address);
    if (probe < 0 || m->reserved_fd < 0 ||
        getsockname(m->reserved_fd, (struct sockaddr *)&address, &len) != 0) {
        log_error(m->log, "listen.failed", log_str("listen", m->settings->config.listen),
                  log_err(err_sys("bind")));
        return false;
    }
    m->port = address.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&address)->sin_port)
                                           : ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return true;
}

/* Whole or not at all: whoever waits for the file must not read half a number. */
static bool write_port_file(const struct master *m)
{
    char temporary[4200];
    const char *path = m->settings->config.port_file;
    if (path[0] == '\0')
        return true;
    (void)snprintf(temporary, sizeof(temporary), "%s.new.%d", path, (int)getpid());
    FILE *file = fopen(temporary, "we");
    bool written = file != NULL && fprintf(file, "%u\n", m->port) > 0;
    if (file != NULL && fclose(file) != 0)
        written = false;
    if (written && rename(temporary, path) == 0)
        return true;
    log_error(m->log, "port_file.failed", log_str("path", path), log_err(err_sys("write")));
    (void)unlink(temporary);
    return false;
}

/* ---------------------------------------------------------------- workers */

/* Messages stay apart, so none can be torn. Without it all is sealed as well, from rows. */
static void open_handover(struct master *m)
{
    const int size = HANDOVER_BYTES;
    for (unsigned i = 0; i < m->n; i++) {
        int *pair = m->handover[i];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0) {
            (void)setsockopt(pair[WORKERS_END], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
            continue;
        }
        pair[WORKERS_END] = pair[SEALERS_END] = -1;
        log_warn(m->log, "master.no_handover", log_err(err_sys("socketpair")));
    }
}

/* All ends but those of that side, at that place (-1: at all places). */
static void close_handover(struct master *m, int keep_side, int keep_place)
{
    for (unsigned i = 0; i < m->n; i++)
        for (int side = 0; side < 2; side++) {
            int *fd = &m->handover[i][side];
            if (*fd < 0 || (side == keep_side && (keep_place < 0 || (int)i == keep_place)))
                continue;
            close(*fd);
            *fd = -1;
        }
}

static void leave_master(struct master *m, pid_t parent, int ready_fd)
{
    /* Asked for first, then looked whether the parent had gone before we could ask. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EXIT_SYSTEM);
    for (unsigned i = 0; i < m->n; i++)
        if (m->slots[i].ready_fd >= 0 && m->slots[i].ready_fd != ready_fd)
            close(m->slots[i].ready_fd);
    close(m->signal_fd);
    close(m->reserved_fd);
    /* Ctrl-C reaches the whole group; the master tells us what to do about it. */
    (void)signal(SIGINT, SIG_IGN);
}

static _Noreturn void become_worker(struct master *m, int place, pid_t parent, int ready_fd)
{
    leave_master(m, parent, ready_fd);
    close_handover(m, WORKERS_END, place);
    (void)sigprocmask(SIG_SETMASK, &m->old_mask, NULL);
    log_after_fork(m->log, "worker");
    enum exit_code code = worker_run(m->args, m->settings, m->log, m->port, ready_fd,
                                     m->handover[place][WORKERS_END]);
    log_free(&m->log);
    settings_deinit(m->settings);
    exit((int)code);
}

static void start_worker(struct master *m, struct slot *slot)
{
    int pipe_fds[2] = {-1, -1};
    pid_t parent = getpid();
    slot->started_us = clock_monotonic_us();
    slot->was_ready = false;
    pid_t pid = pipe2(pipe_fds, O_CLOEXEC) == 0 ? fork() : -1;
    if (pid == 0) {
        close(pipe_fds[0]);
        become_worker(m, (int)(slot - m->slots), parent, pipe_fds[1]);
    }
    if (pid < 0) {
        log_error(m->log, "worker.not_started", log_err(err_sys("fork")));
        if (pipe_fds[0] >= 0)
            close(pipe_fds[0]);
        if (pipe_fds[1] >= 0)
            close(pipe_fds[1]);
        slot->start_at_us = slot->started_us + BACKOFF_LAST_MS * US_PER_MS;
        return;
    }
    close(pipe_fds[1]);
    slot->pid = pid;
    slot->ready_fd = pipe_fds[0];
}

/* It reads its keys only here, where no worker has ever been: what is forked later comes from a master without any. */
static void start_sealer(struct master *m)
{
    pid_t parent = getpid();
    m->sealer.started_us = clock_monotonic_us();
    pid_t pid = fork();
    if (pid == 0) {
        leave_master(m, parent, -1);
        close_handover(m, SEALERS_END, -1);
        log_after_fork(m->log, "sealer");
        int fds[WORKERS_MAX];
        for (unsigned i = 0; i < m->n; i++)
            fds[i] = m->handover[i][SEALERS_END];
        enum exit_code code = seal_worker_run(m->args, m->settings, m->log, fds, m->n);
        log_free(&m->log);
        settings_deinit(m->settings);
        exit((int)code);
    }
    if (pid < 0) {
        log_error(m->log, "sealer.not_started", log_err(err_sys("fork")));
        m->sealer.start_at_us = m->sealer.started_us + BACKOFF_LAST_MS * US_PER_MS;
        return;
    }
    m->sealer.pid = pid;
}

static void start_notifier(struct master *m)
{
    pid_t parent = getpid();
    m->notifier.started_us = clock_monotonic_us();
    pid_t pid = fork();
    if (pid == 0) {
        leave_master(m, parent, -1);
        close_handover(m, -1, -1);
        log_after_fork(m->log, "hooks");
        enum exit_code code = notify_worker_run(m->args, m->settings, m->log);
        log_free(&m->log);
        settings_deinit(m->settings);
        exit((int)code);
    }
    if (pid < 0) {
        log_error(m->log, "hooks.not_started", log_err(err_sys("fork")));
        m->notifier.start_at_us = m->notifier.started_us + BACKOFF_LAST_MS * US_PER_MS;
        return;
    }
    m->notifier.pid = pid;
}

static void drop_ready_fd(struct slot *slot)
{
    if (slot->ready_fd >= 0)
        close(slot->ready_fd);
    slot->ready_fd = -1;
}

static void signal_workers(const struct master *m, int sig)
{
    for (unsigned i = 0; i < m->n; i++)
        if (m->slots[i].pid != 0)
            (void)kill(m->slots[i].pid, sig);
}

static void signal_sealer(const struct master *m, int sig)
{
    if (m->sealer.pid != 0)
        (void)kill(m->sealer.pid, sig);
}

static void signal_notifier(const struct master *m, int sig)
{
    if (m->notifier.pid != 0)
        (void)kill(m->notifier.pid, sig);
}

static bool any_worker(const struct master *m)
{
    for (unsigned i = 0; i < m->n; i++)
        if (m->slots[i].pid != 0)
            return true;
    return false;
}

static void stop(struct master *m, enum exit_code code)
{
    int64_t patience_ms =
        m->stops > 0 ? 1000 : m->settings->config.drain_timeout_ms + KILL_AFTER_DRAIN_MS;
    m->stops++;
    if (m->code == EXIT_DONE)
        m->code = code;
    m->kill_at_us = clock_monotonic_us() + patience_ms * US_PER_MS;
    signal_workers(m, SIGTERM);
    signal_notifier(m, SIGTERM);
    /* What workers commit while they drain is to be sealed too: the sealer's turn comes when they have ended. */
    if (m->stops > 1 || !any_worker(m))
        signal_sealer(m, SIGTERM);
}

/* When to start it again. */
static void back_off(struct slot *slot)
{
    int64_t now_us = clock_monotonic_us();
    if (now_us - slot->started_us >= HEALTHY_AFTER_MS * US_PER_MS)
        slot->backoff_ms = 0;
    slot->start_at_us = now_us + slot->backoff_ms * US_PER_MS;
    slot->backoff_ms = slot->backoff_ms == 0 ? BACKOFF_FIRST_MS : slot->backoff_ms * 2;
    if (slot->backoff_ms > BACKOFF_LAST_MS)
        slot->backoff_ms = BACKOFF_LAST_MS;
}

static void log_ended(struct master *m, const char *event, const char *who, pid_t pid, int status)
{
    bool signalled = WIFSIGNALED(status);
    log_write(m->log, m->stops > 0 ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, event,
              (struct log_field[]){log_int(who, pid),
                                   signalled ? log_int("signal", WTERMSIG(status))
                                             : log_int("code", WEXITSTATUS(status)),
                                   {.key = NULL}});
}

static void worker_ended(struct master *m, struct slot *slot, int status)
{
    log_ended(m, "worker.ended", "worker", slot->pid, status);
    bool signalled = WIFSIGNALED(status);
    bool never_ready = !slot->was_ready;
    slot->pid = 0;
    drop_ready_fd(slot);
    if (m->stops > 0) {
        if (!any_worker(m))
            signal_sealer(m, SIGTERM);
        return;
    }
    /* At the very start a worker that cannot begin means that none can: say so rather than try for ever. */
    if (!m->announced && never_ready && !signalled && WEXITSTATUS(status) != EXIT_DONE) {
        stop(m, (enum exit_code)WEXITSTATUS(status));
        return;
    }
    back_off(slot);
}

static void sealer_ended(struct master *m, int status)
{
    log_ended(m, "sealer.ended", "sealer", m->sealer.pid, status);
    m->sealer.pid = 0;
    back_off(&m->sealer);
}

static void notifier_ended(struct master *m, int status)
{
    log_ended(m, "hooks.ended", "hooks", m->notifier.pid, status);
    m->notifier.pid = 0;
    back_off(&m->notifier);
}

static void reap(struct master *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == m->sealer.pid)
            sealer_ended(m, status);
        if (pid == m->notifier.pid)
            notifier_ended(m, status);
        for (unsigned i = 0; i < m->n; i++)
            if (m->slots[i].pid == pid)
                worker_ended(m, &m->slots[i], status);
    }
}

/* ---------------------------------------------------------------- the loop */

static void reload(struct master *m)
{
    daemon_reload(m->args, m->settings, m->log);
    log_info(m->log, "master.reloading");
    signal_workers(m, SIGHUP);
    signal_sealer(m, SIGHUP);
    signal_notifier(m, SIGHUP);
}

static void read_signals(struct master *m)
{
    struct signalfd_siginfo info;
    while (read(m->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            reap(m);
        } else if (info.ssi_signo == SIGHUP) {
            reload(m);
        } else {
            log_info(m->log, "master.stopping", log_int("signal", (int64_t)info.ssi_signo));
            stop(m, EXIT_DONE);
        }
    }
}

static void read_ready(struct master *m, struct slot *slot)
{
    char byte;
    slot->was_ready = read(slot->ready_fd, &byte, 1) == 1;
    drop_ready_fd(slot);
    if (!slot->was_ready || m->announced)
        return;
    for (unsigned i = 0; i < m->n; i++)
        if (!m->slots[i].was_ready)
            return;
    m->announced = true;
    log_info(m->log, "master.ready", log_str("address", m->settings->listen_host),
             log_uint("port", m->port), log_uint("workers", m->n));
    if (!write_port_file(m))
        stop(m, EXIT_SYSTEM);
}

/* Starts who is due; returns how long the loop may sleep (ms, -1: until something happens). */
static int start_due(struct master *m)
{
    int64_t now_us = clock_monotonic_us();
    int64_t wait_us = INT64_MAX;
    for (unsigned i = 0; i < m->n && m->stops == 0; i++) {
        struct slot *slot = &m->slots[i];
        if (slot->pid != 0)
            continue;
        if (slot->start_at_us <= now_us)
            start_worker(m, slot);
        else if (slot->start_at_us - now_us < wait_us)
            wait_us = slot->start_at_us - now_us;
    }
    if (m->stops == 0 && settings_seal(m->settings) && m->sealer.pid == 0) {
        if (m->sealer.start_at_us <= now_us)
            start_sealer(m);
        else if (m->sealer.start_at_us - now_us < wait_us)
            wait_us = m->sealer.start_at_us - now_us;
    }
    if (m->stops == 0 && m->settings->config.hooks && m->notifier.pid == 0) {
        if (m->notifier.start_at_us <= now_us)
            start_notifier(m);
        else if (m->notifier.start_at_us - now_us < wait_us)
            wait_us = m->notifier.start_at_us - now_us;
    }
    if (m->stops > 0) {
        if (now_us >= m->kill_at_us) {
            signal_workers(m, SIGKILL);
            signal_sealer(m, SIGKILL);
            signal_notifier(m, SIGKILL);
        }
        wait_us = m->kill_at_us > now_us ? m->kill_at_us - now_us : 100 * US_PER_MS;
    }
    return wait_us == INT64_MAX ? -1 : (int)(wait_us / US_PER_MS) + 1;
}

static void run_loop(struct master *m)
{
    for (;;) {
        int wait_ms = start_due(m);
        if (m->stops > 0 && !any_worker(m) && m->sealer.pid == 0 && m->notifier.pid == 0)
            return;
        struct pollfd fds[WORKERS_MAX + 1] = {{.fd = m->signal_fd, .events = POLLIN}};
        for (unsigned i = 0; i < m->n; i++)
            fds[i + 1] = (struct pollfd){.fd = m->slots[i].ready_fd, .events = POLLIN};
        if (poll(fds, m->n + 1, wait_ms) < 0 && errno != EINTR)
            log_error(m->log, "master.poll", log_err(err_sys("poll")));
        for (unsigned i = 0; i < m->n; i++)
            if (m->slots[i].ready_fd >= 0 && fds[i + 1].fd == m->slots[i].ready_fd &&
                fds[i + 1].revents != 0)
                read_ready(m, &m->slots[i]);
        if (fds[0].revents != 0)
            read_signals(m);
    }
}

enum exit_code master_run(const struct daemon_args *args, struct settings *settings,
                          struct log *log)
{
    struct master m = {
        .args = args,
        .settings = settings,
        .log = log,
        .reserved_fd = -1,
        .signal_fd = -1,
        .n = (unsigned)settings->config.workers,
    };
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        m.slots[i].ready_fd = -1;
        m.handover[i][WORKERS_END] = m.handover[i][SEALERS_END] = -1;
    }
    if (settings_seal(settings))
        open_handover(&m);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &mask, &m.old_mask) != 0 ||
        (m.signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        log_error(log, "master.signals", log_err(err_sys("signalfd")));
        return EXIT_SYSTEM;
    }
    m.code = EXIT_SYSTEM;
    if (reserve_port(&m)) {
        m.code = EXIT_DONE;
        run_loop(&m);
        if (m.announced && settings->config.port_file[0] != '\0')
            (void)unlink(settings->config.port_file);
        log_info(log, "master.stopped", log_int("code", m.code));
    }
    if (m.reserved_fd >= 0)
        close(m.reserved_fd);
    close(m.signal_fd);
    close_handover(&m, -1, -1);
    return m.code;
}
