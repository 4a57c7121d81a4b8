/*
 * address.h: which addresses are somebody's on the internet, and not of this machine or of a network behind it. Looked at for the
 * address that is connected to, so that no name, however it resolves from one moment to the next, leads inside.
 */
#ifndef UJRAT_HOOK_ADDRESS_H
#define UJRAT_HOOK_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * IPv4: not in the registry of special-purpose addresses (RFC 6890 and what it was updated with), not multicast (RFC 5771), not reserved.
 * IPv6: in 2000::/3, and not in its special-purpose parts (Teredo, ORCHID, documentation, 6to4 ...); so neither mapped, compatible nor translated
 * (64:ff9b::/96, 64:ff9b:1::/48) IPv4 addresses, nor unique local, link-local, multicast. No other family is.
 */
bool hook_address_is_public(const struct sockaddr *address);

#endif
