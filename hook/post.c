#include "hook/post.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/version.h"
#include "hook/address.h"

struct transfer {
    struct hook_poster *poster;
    struct transfer *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    void *user;
    size_t answered; /* bytes of the answer's body so far */
    bool refused;    /* the address was not one to connect to */
    char error[CURL_ERROR_SIZE];
};

struct hook_poster {
    struct hook_post_config config;
    CURLM *multi;
    struct transfer *open;
};

/* ---------------------------------------------------------------- what curl asks */

/* Which socket, if any, is made for an address that a name was resolved to. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = user;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!t->poster->config.private_targets && !hook_address_is_public(&address->addr)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The answer's body is of no interest; one that goes on and on is cut off, and the status stands. */
/* NOLINTNEXTLINE(readability-non-const-parameter): its type is curl's */
static size_t take_body(char *bytes, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    (void)bytes;
    t->answered += size * n;
    return t->answered > HOOK_ANSWER_BYTES_MAX ? 0 : size * n;
}

/* ---------------------------------------------------------------- life */

err_t hook_poster_new(const struct hook_post_config *config, struct hook_poster **out)
{
    struct hook_poster *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return err_make(ERR_NO_MEMORY, "webhooks");
    p->config = *config;
    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK || (p->multi = curl_multi_init()) == NULL ||
        curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)config->connections_max) !=
            CURLM_OK ||
        curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK) {
        hook_poster_free(&p);
        return err_make(ERR_UNSUPPORTED, "begin with libcurl");
    }
    *out = p;
    return err_none();
}

static void end(struct transfer *t)
{
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        t->poster->open = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    (void)curl_multi_remove_handle(t->poster->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    free(t);
}

void hook_poster_drop(struct hook_poster *p)
{
    for (struct transfer *t = p->open; t != NULL; t = p->open) {
        assert(t->poster == p && t->prev == NULL);
        end(t);
    }
}

void hook_poster_free(struct hook_poster **poster)
{
    struct hook_poster *p = *poster;
    if (p == NULL)
        return;
    hook_poster_drop(p);
    curl_multi_cleanup(p->multi);
    curl_global_cleanup();
    free(p);
    *poster = NULL;
}

/* ---------------------------------------------------------------- one POST */

static bool set_headers(struct transfer *t, const struct hook_post *post)
{
    /* Nothing that we did not say: no wait for 100-continue. */
    static const char *const ours[] = {"Content-Type: application/json", "Accept: */*",
                                       "Expect:", NULL};
    const char *const *lists[] = {ours, post->headers};
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < HOOK_HEADERS_MAX && lists[l][i] != NULL; i++) {
            struct curl_slist *more = curl_slist_append(t->headers, lists[l][i]);
            if (more == NULL)
                return false;
            t->headers = more;
        }
    return true;
}

#define SET(option, value) (curl_easy_setopt(t->easy, CURLOPT_##option, value) == CURLE_OK)

static bool set_up(struct transfer *t, const struct hook_post *post)
{
    const struct hook_post_config *c = &t->poster->config;
    return SET(URL, post->url) && SET(PROTOCOLS_STR, "https") && SET(FOLLOWLOCATION, 0L) &&
           SET(PROXY, "") && SET(NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len) &&
           SET(COPYPOSTFIELDS, post->body.len == 0 ? "" : post->body.p) &&
           SET(HTTPHEADER, t->headers) && SET(USERAGENT, "Ujrat/" UJRAT_VERSION) &&
           SET(CONNECTTIMEOUT_MS, (long)HOOK_CONNECT_TIMEOUT_MS) &&
           SET(TIMEOUT_MS, (long)HOOK_TOTAL_TIMEOUT_MS) && SET(NOSIGNAL, 1L) &&
           SET(SSL_VERIFYPEER, 1L) && SET(SSL_VERIFYHOST, 2L) &&
           SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (c->ca_file == NULL || (SET(CAINFO, c->ca_file) && SET(CAPATH, NULL))) &&
           SET(OPENSOCKETFUNCTION, open_socket) && SET(OPENSOCKETDATA, t) &&
           SET(WRITEFUNCTION, take_body) && SET(WRITEDATA, t) && SET(ERRORBUFFER, t->error) &&
           SET(PRIVATE, t) && SET(DNS_CACHE_TIMEOUT, 60L) && SET(MAXFILESIZE_LARGE, (curl_off_t)0);
}

err_t hook_poster_add(struct hook_poster *p, const struct hook_post *post)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return err_make(ERR_NO_MEMORY, "a webhook");
    *t = (struct transfer){.poster = p, .user = post->user, .easy = curl_easy_init()};
    if (t->easy == NULL || !set_headers(t, post) || !set_up(t, post) ||
        curl_multi_add_handle(p->multi, t->easy) != CURLM_OK) {
        curl_easy_cleanup(t->easy);
        curl_slist_free_all(t->headers);
        free(t);
        return err_make(ERR_UNSUPPORTED, "set up a webhook's request");
    }
    t->next = p->open;
    if (p->open != NULL)
        p->open->prev = t;
    p->open = t;
    return err_none();
}

bool hook_poster_wait(struct hook_poster *p, int fd, int64_t wait_ms)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int running;
    (void)curl_multi_perform(p->multi, &running);
    (void)curl_multi_poll(p->multi, &extra, 1, (int)(wait_ms > 60000 ? 60000 : wait_ms), NULL);
    (void)curl_multi_perform(p->multi, &running);
    return extra.revents != 0;
}

static void say(struct transfer *t, CURLcode code, struct hook_posted *out)
{
    curl_off_t retry_after_s = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &out->status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    out->retry_after_s = retry_after_s > 0 ? (int64_t)retry_after_s : 0;
    /* What we have cut off ourselves had been answered. */
    if (code == CURLE_OK ||
        (code == CURLE_WRITE_ERROR && out->status != 0 && t->answered > HOOK_ANSWER_BYTES_MAX))
        return;
    out->status = 0;
    (void)snprintf(out->error, sizeof out->error, "%s",
                   t->refused            ? "the name leads to an address that is not a public one"
                   : t->error[0] != '\0' ? t->error
                                         : curl_easy_strerror(code));
}

bool hook_poster_next(struct hook_poster *p, struct hook_posted *out)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(p->multi, &left)) != NULL) {
        char *private;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK)
            continue;
        struct transfer *t = (struct transfer *)(void *)private;
        *out = (struct hook_posted){.user = t->user};
        say(t, code, out);
        end(t);
        return true;
    }
    return false;
}
