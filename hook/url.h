/*
 * url.h: where webhooks may be sent to, as far as the URL says it. What a name resolves to is looked at when it is connected to
 * (address.h).
 */
#ifndef UJRAT_HOOK_URL_H
#define UJRAT_HOOK_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { HOOK_URL_BYTES_MAX = 2048 };

/*
 * NULL: it may; else why not, a literal sentence. "https://host[:port][/path][?query]" in printable ASCII, without user, password
 * and fragment. The host is a DNS name, four decimal numbers, or an IPv6 address in brackets; other spellings of addresses
 * (0x7f.1, 2130706433, 010.0.0.1) are none. Unless private targets are allowed, the port is 443 or 8443, an address is a public one, and a
 * name is neither localhost nor of a domain that is not on the internet (.localhost, .local, .internal, one label alone).
 */
const char *hook_url_fault(struct slice url, bool private_targets);

#endif
