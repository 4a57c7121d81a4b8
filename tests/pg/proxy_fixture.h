/*
 * proxy_fixture.h: a proxy between the ledger and PostgreSQL makes happen on purpose what a crash does by chance: an answer
 * that is never seen although the commit was made, a request that never arrives, a server that says nothing any more.
 */
#ifndef UJRAT_TESTS_PG_PROXY_FIXTURE_H
#define UJRAT_TESTS_PG_PROXY_FIXTURE_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/pg/ledger_fixture.h"

/* ---------------------------------------------------------------- the proxy */

enum proxy_mode {
    PROXY_PASS,
    PROXY_SWALLOW_ANSWERS,
    PROXY_SWALLOW_REQUESTS,
};

enum { LINKS_MAX = 64 };

struct proxy_link {
    struct bufferevent *client, *server;
    enum proxy_mode mode;
};

struct proxy {
    struct event_base *base;
    struct evconnlistener *listener;
    struct sockaddr_un upstream;
    char folder[64];
    char path[96];
    enum proxy_mode mode; /* of connections to come */
    struct proxy_link links[LINKS_MAX];
};

static inline void link_close(struct proxy_link *k)
{
    if (k->client != NULL)
        bufferevent_free(k->client);
    if (k->server != NULL)
        bufferevent_free(k->server);
    *k = (struct proxy_link){0};
}

static inline void on_readable(struct bufferevent *from, void *user)
{
    struct proxy_link *k = user;
    const bool request = from == k->client;
    struct evbuffer *in = bufferevent_get_input(from);
    if (k->mode == (request ? PROXY_SWALLOW_REQUESTS : PROXY_SWALLOW_ANSWERS))
        evbuffer_drain(in, evbuffer_get_length(in));
    else
        bufferevent_write_buffer(request ? k->server : k->client, in);
}

static inline void on_link_event(struct bufferevent *side, short what, void *user)
{
    (void)side;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        link_close(user);
}

static inline void on_client(struct evconnlistener *listener, evutil_socket_t fd,
                             struct sockaddr *addr, int len, void *user)
{
    struct proxy *p = user;
    struct proxy_link *k = p->links;
    (void)listener;
    (void)addr;
    (void)len;
    while (k->client != NULL)
        assert_true(++k < p->links + LINKS_MAX);
    k->mode = p->mode;
    k->client = bufferevent_socket_new(p->base, fd, BEV_OPT_CLOSE_ON_FREE);
    k->server = bufferevent_socket_new(p->base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct bufferevent *both[] = {k->client, k->server};
    for (int i = 0; i < 2; i++) {
        bufferevent_setcb(both[i], on_readable, NULL, on_link_event, k);
        bufferevent_enable(both[i], EV_READ | EV_WRITE);
    }
    struct sockaddr_un upstream = p->upstream;
    assert_int_equal(
        bufferevent_socket_connect(k->server, (struct sockaddr *)&upstream, sizeof upstream), 0);
}

static inline void proxy_init(struct proxy *p, struct fixture *f)
{
    *p = (struct proxy){.base = f->base, .folder = "/tmp/ujrat-proxy.XXXXXX"};
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/.s.PGSQL.5432", p->folder);
    p->upstream.sun_family = AF_UNIX;
    const int n = snprintf(p->upstream.sun_path, sizeof p->upstream.sun_path, "%s/.s.PGSQL.%s",
                           PQhost(f->admin), PQport(f->admin));
    assert_true(n > 0 && (size_t)n < sizeof p->upstream.sun_path);
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    memcpy(own.sun_path, p->path, sizeof p->path);
    p->listener = evconnlistener_new_bind(f->base, on_client, p, LEV_OPT_CLOSE_ON_FREE, 16,
                                          (struct sockaddr *)&own, sizeof own);
    assert_non_null(p->listener);
}

static inline void proxy_deinit(struct proxy *p)
{
    for (int i = 0; i < LINKS_MAX; i++)
        link_close(&p->links[i]);
    evconnlistener_free(p->listener);
    unlink(p->path);
    rmdir(p->folder);
}

/* Connections there are, and those to come. */
static inline void proxy_mode_set(struct proxy *p, enum proxy_mode now, enum proxy_mode later)
{
    for (int i = 0; i < LINKS_MAX; i++)
        p->links[i].mode = now;
    p->mode = later;
}

static inline void proxy_cut(struct proxy *p)
{
    for (int i = 0; i < LINKS_MAX; i++)
        link_close(&p->links[i]);
}

/* ---------------------------------------------------------------- a ledger behind the proxy */

struct setting {
    struct fixture f;
    struct proxy proxy;
    char uri[1200];
    struct ledger_config config;
    struct test_book book;
    struct post *p;
};

/* One connection, so that it is known which one a payout goes through. */
static inline void behind_proxy(struct setting *s, unsigned statement_timeout_ms)
{
    fixture_init(&s->f);
    proxy_init(&s->proxy, &s->f);
    snprintf(s->uri, sizeof s->uri, "%s&host=%s&port=5432", s->f.uri, s->proxy.folder);
    s->config = fixture_config(&s->f);
    s->config.uri = s->uri;
    s->config.connections = 1;
    s->config.statement_timeout_ms = statement_timeout_ms;
    fixture_up(&s->f, &s->config);
    s->book = book_new(&s->f, 10000000);
    s->p = post_new();
}

static inline void behind_proxy_end(struct setting *s)
{
    assert_book_sound(&s->f, &s->book);
    ledger_free(&s->f.ledger);
    proxy_deinit(&s->proxy);
    fixture_deinit(&s->f);
    free(s->p);
}

static inline void lock_book(struct setting *s)
{
    sql_run(&s->f, "BEGIN");
    sql_run(&s->f, "SELECT 1 FROM book_head WHERE book_id = %d FOR UPDATE", s->book.id);
}

static inline int64_t terminate_backends(struct setting *s)
{
    return sql_int(&s->f, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                          " WHERE application_name = 'ujratd' AND datname = current_database()");
}

#endif
