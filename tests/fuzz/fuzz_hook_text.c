/* URLs and event ids of webhooks: what is taken keeps the promises of url.h and event_id.h by a second, simpler reading. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hook/address.h"
#include "hook/event_id.h"
#include "hook/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(struct slice url)
{
    const char *strict = hook_url_fault(url, false), *loose = hook_url_fault(url, true);
    assert(strict != NULL || loose == NULL);
    if (loose != NULL)
        return;
    assert(url.len > 8 && url.len <= HOOK_URL_BYTES_MAX && strncasecmp(url.p, "https://", 8) == 0);
    for (size_t i = 0; i < url.len; i++)
        assert(url.p[i] > ' ' && url.p[i] <= '~' && strchr("#\\<>\"^`{|}", url.p[i]) == NULL);
    /* The authority as curl and everybody reads it: up to the first of "/?#". */
    char text[HOOK_URL_BYTES_MAX + 1], *end;
    assert(!err_failed(slice_copy(slice_of(url.p + 8, url.len - 8), text, sizeof text)));
    text[strcspn(text, "/?#")] = '\0';
    assert(text[0] != '\0' && strchr(text, '@') == NULL && strchr(text, '%') == NULL);
    char *colon = strrchr(text, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        long port = strtol(colon + 1, &end, 10);
        assert(*end == '\0' && port > 0 && port < 65536);
        assert(strict != NULL || port == 443 || port == 8443);
        *colon = '\0';
    }
    /* An address in any spelling that the C library knows is a public one, of the plain spelling. */
    struct sockaddr_in in = {.sin_family = AF_INET};
    if (inet_aton(text, &in.sin_addr) != 0)
        assert(inet_pton(AF_INET, text, &in.sin_addr) == 1 &&
               (strict != NULL || hook_address_is_public((struct sockaddr *)&in)));
    else
        assert(text[0] == '[' || strict != NULL || strchr(text, '.') != NULL);
}

static void check_id(struct slice text)
{
    char again[HOOK_EVENT_ID_SIZE];
    int32_t book_id;
    int64_t event_no;
    if (!hook_event_id_read(text, &book_id, &event_no))
        return;
    assert(book_id > 0 && event_no > 0);
    assert(slice_equal_str(text, hook_event_id_write(book_id, event_no, again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    check_url(text);
    check_id(text);
    return 0;
}
