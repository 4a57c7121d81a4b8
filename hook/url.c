#include "hook/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>
#include <sys/socket.h>

#include "hook/address.h"

enum { HOST_BYTES_MAX = 253, LABEL_BYTES_MAX = 63 };

static bool is_printable(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"<>\\^`{|}", s.p[i]) != NULL)
            return false;
    return true;
}

static bool is_label(struct slice s)
{
    if (s.len == 0 || s.len > LABEL_BYTES_MAX || s.p[0] == '-' || s.p[s.len - 1] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return true;
}

/* The last label of a name begins with a letter; what does not is some spelling of an address. */
static bool is_name(struct slice host, struct slice *last, unsigned *labels)
{
    struct slice rest = host;
    if (host.len > HOST_BYTES_MAX)
        return false;
    for (*labels = 0;; ++*labels) {
        bool more = slice_cut(rest, '.', last, &rest);
        if (!is_label(*last))
            return false;
        if (!more)
            break;
    }
    ++*labels;
    return isalpha((unsigned char)last->p[0]);
}

static bool is_inner_name(struct slice last, unsigned labels)
{
    static const char *const inner[] = {"localhost", "local", "internal", "localdomain",
                                        "home",      "lan",   "corp",     "intranet"};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (last.len == strlen(inner[i]) && strncasecmp(last.p, inner[i], last.len) == 0)
            return true;
    return labels < 2;
}

static const char *address_fault(int family, const char *text, bool private_targets)
{
    struct sockaddr_storage storage = {.ss_family = (sa_family_t)family};
    void *to = family == AF_INET ? (void *)&((struct sockaddr_in *)&storage)->sin_addr
                                 : (void *)&((struct sockaddr_in6 *)&storage)->sin6_addr;
    if (inet_pton(family, text, to) != 1)
        return "the host is neither a name nor an address";
    if (!private_targets && !hook_address_is_public((struct sockaddr *)&storage))
        return "the address is not a public one";
    return NULL;
}

static const char *host_fault(struct slice host, bool private_targets)
{
    char text[INET6_ADDRSTRLEN];
    struct slice last;
    unsigned labels;
    if (host.len == 0)
        return "there is no host";
    if (host.p[0] == '[')
        return host.p[host.len - 1] != ']' ||
                       err_failed(slice_copy(slice_of(host.p + 1, host.len - 2), text, sizeof text))
                   ? "the host is neither a name nor an address"
                   : address_fault(AF_INET6, text, private_targets);
    if (is_name(host, &last, &labels))
        return !private_targets && is_inner_name(last, labels)
                   ? "the name is not one of the internet"
                   : NULL;
    return err_failed(slice_copy(host, text, sizeof text))
               ? "the host is neither a name nor an address"
               : address_fault(AF_INET, text, private_targets);
}

static const char *port_fault(struct slice port, bool private_targets)
{
    int64_t number;
    if (port.len == 0 || port.p[0] == '-' || port.p[0] == '0' || port.len > 5 ||
        err_failed(str_parse_int64(port, &number)) || number > UINT16_MAX)
        return "the port is not a number";
    return private_targets || number == 443 || number == 8443 ? NULL
                                                              : "the port is neither 443 nor 8443";
}

const char *hook_url_fault(struct slice url, bool private_targets)
{
    static const struct slice scheme = SLICE("https://");
    if (url.len > HOOK_URL_BYTES_MAX)
        return "the URL is longer than 2048 characters";
    if (url.len < scheme.len || strncasecmp(url.p, scheme.p, scheme.len) != 0)
        return "the URL does not begin with https://";
    if (!is_printable(url))
        return "the URL has characters that must be percent-encoded";
    struct slice rest = slice_of(url.p + scheme.len, url.len - scheme.len);
    if (memchr(rest.p, '#', rest.len) != NULL)
        return "the URL has a fragment";
    size_t len = 0;
    while (len < rest.len && rest.p[len] != '/' && rest.p[len] != '?')
        len++;
    struct slice host = slice_of(rest.p, len), port = {NULL, 0};
    if (memchr(host.p, '@', host.len) != NULL)
        return "the URL has a user in it";
    const char *end = host.len > 0 && host.p[0] == '[' ? memchr(host.p, ']', host.len) : host.p;
    if (end == NULL)
        return "the host is neither a name nor an address";
    const char *colon = memchr(end, ':', host.len - (size_t)(end - host.p));
    if (colon != NULL) {
        port = slice_of(colon + 1, host.len - (size_t)(colon + 1 - host.p));
        host.len = (size_t)(colon - host.p);
    }
    const char *fault = host_fault(host, private_targets);
    return fault != NULL || colon == NULL ? fault : port_fault(port, private_targets);
}
