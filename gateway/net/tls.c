#include "gateway/net/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A platform's batch client may stay for days; a resumed session must not outlive a CRL by much. */
#define TICKET_LIFE_S 600

void tls_error_text(SSL *ssl, char *out, size_t size)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    long verify = ssl != NULL ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (verify != X509_V_OK)
        snprintf(out, size, "certificate: %s", X509_verify_cert_error_string(verify));
    else if (reason != NULL)
        snprintf(out, size, "%s", reason);
    else if (code != 0 && ERR_SYSTEM_ERROR(code))
        snprintf(out, size, "%s", strerror(ERR_GET_REASON(code)));
    else if (code != 0)
        snprintf(out, size, "OpenSSL error %lx", code);
    else
        snprintf(out, size, "connection lost");
    ERR_clear_error();
}

static void fail(struct net_error *error, const char *what, const char *file)
{
    char reason[160];
    tls_error_text(NULL, reason, sizeof reason);
    snprintf(error->text, sizeof error->text, "%s %s: %s", what, file, reason);
}

/* Without this OpenSSL would ask on the terminal. */
static int no_password(char *buffer, int size, int writing, void *user)
{
    if (size > 0)
        buffer[0] = 0;
    (void)writing;
    (void)user;
    return 0;
}

static bool load_identity(SSL_CTX *ctx, const char *cert_file, const char *key_file,
                          struct net_error *error)
{
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1) {
        fail(error, "certificate", cert_file);
        return false;
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1) {
        fail(error, "private key", key_file);
        return false;
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        fail(error, "private key does not belong to the certificate:", key_file);
        return false;
    }
    return true;
}

static SSL_CTX *context_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (ctx == NULL)
        return NULL;
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256") != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* RELEASE_BUFFERS: an idle connection should not hold 32 KB of them. */
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS |
                              SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_read_ahead(ctx, 1); /* a record's header and body in one read */
    return ctx;
}

/* The server's preference, h2, wins; http/1.1 is agreed to only to answer it properly. */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                       const unsigned char *in, unsigned in_length, void *arg)
{
    (void)ssl;
    (void)arg;
    static const unsigned char offered[] = "\x02h2\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_length, offered, sizeof offered - 1, in, in_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* ---------------------------------------------------------------- HTTP/1.1 beside h2 */

static const unsigned char session_h2[] = "ujrat-grpc", session_http1[] = "ujrat-http1";

/* Is the name in a list of ALPN (each with its length in front)? False, too, if the list is broken. */
static bool alpn_offers(const unsigned char *list, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    bool found = false;
    while (length > 0) {
        size_t n = list[0];
        if (n == 0 || n >= length)
            return false;
        if (n == name_length && memcmp(list + 1, name, n) == 0)
            found = true;
        list += n + 1;
        length -= n + 1;
    }
    return found;
}

/* The only case in which certificates are demanded, and that in which nothing is known. */
static bool wants_h2(const unsigned char *list, size_t length)
{
    return alpn_offers(list, length, "h2") && !alpn_offers(list, length, "http/1.1");
}

/*
 * Before a session is looked up, so that one made for the other protocol is not resumed: a context of its own for each.
 * The context's defaults are those of h2: what goes wrong here demands more, not less.
 */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    const unsigned char *list;
    size_t length;
    bool h2 = false;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &list,
                                  &length) == 1)
        h2 = length >= 2 && wants_h2(list + 2, length - 2);
    if (h2)
        return SSL_CLIENT_HELLO_SUCCESS;
    SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    if (SSL_set_session_id_context(ssl, session_http1, sizeof session_http1 - 1) != 1) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int select_http1_or_h2(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                              const unsigned char *in, unsigned in_length, void *arg)
{
    static const unsigned char h2[] = "h2", http1[] = "http/1.1";
    SSL_CTX *context = SSL_get_SSL_CTX(ssl);
    (void)arg;
    if (alpn_offers(in, in_length, "http/1.1")) {
        *out = http1;
        *out_length = sizeof http1 - 1;
        return SSL_TLSEXT_ERR_OK;
    }
    if (!wants_h2(in, in_length) || SSL_version(ssl) < TLS1_3_VERSION ||
        SSL_get_verify_mode(ssl) != SSL_CTX_get_verify_mode(context))
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = h2;
    *out_length = sizeof h2 - 1;
    return SSL_TLSEXT_ERR_OK;
}

static bool allow_http1(SSL_CTX *ctx)
{
    SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, select_http1_or_h2, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(
               ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") == 1;
}

/* ---------------------------------------------------------------- contexts */

static bool load_client_trust(SSL_CTX *ctx, const struct grpc_tls_files *files,
                              struct net_error *error)
{
    if (SSL_CTX_load_verify_file(ctx, files->client_ca_file) != 1) {
        fail(error, "client CA", files->client_ca_file);
        return false;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(files->client_ca_file);
    if (names == NULL) {
        fail(error, "client CA", files->client_ca_file);
        return false;
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    if (files->crl_file != NULL) {
        X509_STORE *store = SSL_CTX_get_cert_store(ctx);
        X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
        if (lookup == NULL || X509_load_crl_file(lookup, files->crl_file, X509_FILETYPE_PEM) < 1) {
            fail(error, "CRL", files->crl_file);
            return false;
        }
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    }
    int mode = SSL_VERIFY_PEER;
    if (files->client_cert_required)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    return true;
}

bool tls_server_context_new(const struct grpc_tls_files *files, bool with_http1,
                            struct net_error *error, SSL_CTX **out)
{
    bool ok = false;
    *out = NULL;
    ERR_clear_error();
    SSL_CTX *ctx = context_new(TLS_server_method());
    if (ctx == NULL) {
        fail(error, "TLS", "context");
        return false;
    }
    if (!load_identity(ctx, files->cert_file, files->key_file, error))
        goto out;
    if (files->client_ca_file != NULL) {
        if (!load_client_trust(ctx, files, error))
            goto out;
    } else if (files->client_cert_required) {
        snprintf(error->text, sizeof error->text,
                 "client certificates are required, but no client CA is named");
        goto out;
    }
    if (SSL_CTX_set_session_id_context(ctx, session_h2, sizeof session_h2 - 1) != 1)
        goto out;
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets carry the state */
    SSL_CTX_set_timeout(ctx, TICKET_LIFE_S);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
    if (with_http1 && !allow_http1(ctx)) {
        fail(error, "TLS", "1.2");
        goto out;
    }
    ok = true;
out:
    if (ok)
        *out = ctx;
    else
        SSL_CTX_free(ctx);
    return ok;
}

bool tls_client_context_new(const char *ca_file, const char *cert_file, const char *key_file,
                            struct net_error *error, SSL_CTX **out)
{
    static const unsigned char alpn[] = "\x02h2";
    *out = NULL;
    ERR_clear_error();
    SSL_CTX *ctx = context_new(TLS_client_method());
    if (ctx == NULL) {
        fail(error, "TLS", "context");
        return false;
    }
    if (SSL_CTX_load_verify_file(ctx, ca_file) != 1) {
        fail(error, "CA", ca_file);
        goto failed;
    }
    if (cert_file != NULL && !load_identity(ctx, cert_file, key_file, error))
        goto failed;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn - 1) != 0) {
        fail(error, "TLS", "ALPN");
        goto failed;
    }
    *out = ctx;
    return true;
failed:
    SSL_CTX_free(ctx);
    return false;
}

enum tls_alpn tls_alpn_selected(const SSL *ssl)
{
    const unsigned char *name;
    unsigned length;
    SSL_get0_alpn_selected(ssl, &name, &length);
    if (length == 2 && memcmp(name, "h2", 2) == 0)
        return TLS_ALPN_H2;
    return length > 0 ? TLS_ALPN_HTTP1 : TLS_ALPN_NONE;
}

static void describe_uris(X509 *cert, struct grpc_peer *peer)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        if (peer->san_uri_count++ > 0)
            continue;
        const unsigned char *text = ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
        size_t length = (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier);
        if (length < sizeof peer->san_uri && memchr(text, 0, length) == NULL) {
            memcpy(peer->san_uri, text, length);
            peer->san_uri[length] = 0;
        }
    }
    GENERAL_NAMES_free(names);
}

void tls_describe_peer(SSL *ssl, struct grpc_peer *peer)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK)
        return;
    unsigned length = 0;
    struct tm not_after;
    if (X509_digest(cert, EVP_sha256(), peer->cert_sha256, &length) != 1 ||
        length != sizeof peer->cert_sha256 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(cert), &not_after) != 1)
        return;
    peer->cert_not_after_s = (int64_t)timegm(&not_after);
    describe_uris(cert, peer);
    peer->has_certificate = true;
}

bool tls_peer_still_valid(SSL *ssl, SSL_CTX *context, const char **why)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    *why = "";
    if (cert == NULL)
        return true;
    bool valid = false;
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    if (check != NULL &&
        X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context), cert,
                            SSL_get_peer_cert_chain(ssl)) == 1 &&
        X509_STORE_CTX_set_default(check, "ssl_client") == 1) {
        valid = X509_verify_cert(check) == 1;
        if (!valid)
            *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(check));
    } else {
        *why = "out of memory";
    }
    X509_STORE_CTX_free(check);
    ERR_clear_error();
    return valid;
}
