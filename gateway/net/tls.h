/*
 * TLS contexts and what a certificate says about its owner.
 */
#ifndef UJRAT_NET_TLS_H
#define UJRAT_NET_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "gateway/net/grpc_server.h"

/* The largest plaintext of one TLS record. */
#define TLS_RECORD_BYTES ((size_t)16384)

/* The application protocol agreed on by ALPN. */
enum tls_alpn { TLS_ALPN_NONE, TLS_ALPN_H2, TLS_ALPN_HTTP1 };

/*
 * h2 is always TLS 1.3 with the client certificate that `files` demands.
 *
 * with_http1: clients that offer http/1.1, or no ALPN, are taken under TLS 1.2 or 1.3 and asked for no certificate; whoever
 * offers both http/1.1 and h2 gets http/1.1. A session made on one of the two is never resumed on the other.
 * Else h2 is preferred, and the protocol changes nothing about what is demanded.
 */
MUST_CHECK bool tls_server_context_new(const struct grpc_tls_files *files, bool with_http1,
                                       struct net_error *error, SSL_CTX **out);

/* ca_file must be given; cert_file and key_file are both given or both NULL. */
MUST_CHECK bool tls_client_context_new(const char *ca_file, const char *cert_file,
                                       const char *key_file, struct net_error *error,
                                       SSL_CTX **out);

enum tls_alpn tls_alpn_selected(const SSL *ssl);

/* Fills the certificate's part of *peer from the verified certificate of the other side, if any. */
void tls_describe_peer(SSL *ssl, struct grpc_peer *peer);

/* Does the peer's certificate still verify under another context's CA and CRL? True if it gave
 * none. On false *why is a literal. */
bool tls_peer_still_valid(SSL *ssl, SSL_CTX *context, const char **why);

/* The first error in OpenSSL's queue as text, with the reason of a refused certificate in front if
 * there is one; empties the queue. `ssl` may be NULL. */
void tls_error_text(SSL *ssl, char *out, size_t size);

#endif
