/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { DAY_S = 86400 };

struct tls {
	EVP_PKEY *ca_key, *key;
	X509 *ca;
	SSL_CTX *server; /* with the present certificate */
	bool http1;
};

/* --- certificates --- */

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX about;
	X509_EXTENSION *e;

	X509V3_set_ctx_nodb(&about);
	X509V3_set_ctx(&about, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &about, nid, value);
	CHECK(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

struct certificate_of {
	const char *name, *alternatives; /* subjectAltName; NULL: an authority */
	long from_days, to_days;
};

/* `issuer` NULL: by itself. */
static X509 *certify(const struct certificate_of *of, EVP_PKEY *key, X509 *issuer,
                     EVP_PKEY *issuer_key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	uint32_t serial = 0;

	CHECK(RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1);
	CHECK(X509_set_version(x, 2));
	CHECK(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial));
	CHECK(X509_gmtime_adj(X509_getm_notBefore(x), of->from_days * DAY_S));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(x), of->to_days * DAY_S));
	CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)of->name,
	                                 -1, -1, 0));
	CHECK(X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name));
	CHECK(X509_set_pubkey(x, key));
	if (of->alternatives) {
		add_extension(x, issuer, NID_basic_constraints, "critical,CA:FALSE");
		add_extension(x, issuer, NID_key_usage, "critical,digitalSignature");
		add_extension(x, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
		add_extension(x, issuer, NID_subject_alt_name, of->alternatives);
	} else {
		add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(x, x, NID_key_usage, "critical,keyCertSign,digitalSignature");
		add_extension(x, x, NID_subject_key_identifier, "hash");
	}
	CHECK(X509_sign(x, issuer_key, EVP_sha256()));
	return x;
}

static X509 *authority(EVP_PKEY *key, const char *name)
{
	return certify(&(struct certificate_of){name, NULL, -1000, 1000}, key, NULL, key);
}

struct tls *tls_new(void)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	t->ca_key = EVP_EC_gen("P-256");
	t->key = EVP_EC_gen("P-256");
	CHECK(t->ca_key && t->key);
	t->ca = authority(t->ca_key, "fakeapi-ca");
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->server);
	X509_free(t->ca);
	EVP_PKEY_free(t->ca_key);
	EVP_PKEY_free(t->key);
	free(t);
}

/* What was written into it; it is freed. */
static char *text_of(BIO *b)
{
	char *data, *copy;
	long len = BIO_get_mem_data(b, &data);

	copy = xstrndup(data, (size_t)len);
	BIO_free(b);
	return copy;
}

static char *pem_of(X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());

	CHECK(b && PEM_write_bio_X509(b, x));
	return text_of(b);
}

char *tls_ca_pem(const struct tls *t) { return pem_of(t->ca); }

void tls_client(const struct tls *t, bool expired, char **certificate, char **key)
{
	const struct certificate_of of = {"reader", "DNS:reader", -365, expired ? -1 : 365};
	X509 *x = certify(&of, t->key, t->ca, t->ca_key);
	BIO *b = BIO_new(BIO_s_mem());

	*certificate = pem_of(x);
	X509_free(x);
	CHECK(b && PEM_write_bio_PKCS8PrivateKey(b, t->key, NULL, NULL, 0, NULL, NULL));
	*key = text_of(b);
}

bool tls_knows(const SSL *ssl)
{
	return ssl && SSL_get0_peer_certificate(ssl) && SSL_get_verify_result(ssl) == X509_V_OK;
}

char *tls_base64(const void *data, size_t len)
{
	char *out = xmalloc(len / 3 * 4 + 8);

	EVP_EncodeBlock((unsigned char *)out, data, (int)len);
	return out;
}

/* --- the server's side --- */

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	const struct tls *t = arg;
	const unsigned char *ours = t->http1 ? both + 3 : both;
	unsigned len = (unsigned)sizeof(both) - 1 - (t->http1 ? 3 : 0);
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, ours, len, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Clients are judged by their requests, which may be 401, as kube-apiserver does. */
static int take_any(int is_good, X509_STORE_CTX *about)
{
	(void)is_good;
	(void)about;
	return 1;
}

void tls_certify(struct tls *t, enum fakeapi_certificate certificate, bool http1)
{
	static const struct certificate_of all[] = {
		[FAKEAPI_CERTIFICATE_GOOD] = {"kube-apiserver", "IP:127.0.0.1,DNS:localhost", -1,
	                                      365},
		[FAKEAPI_CERTIFICATE_EXPIRED] = {"kube-apiserver", "IP:127.0.0.1,DNS:localhost",
	                                         -365, -1},
		[FAKEAPI_CERTIFICATE_NOT_YET] = {"kube-apiserver", "IP:127.0.0.1,DNS:localhost", 1,
	                                         365},
		[FAKEAPI_CERTIFICATE_WRONG_NAME] = {"kube-apiserver",
	                                            "IP:192.0.2.1,DNS:elsewhere.invalid", -1, 365},
		[FAKEAPI_CERTIFICATE_STRANGE] = {"kube-apiserver", "IP:127.0.0.1,DNS:localhost", -1,
	                                         365},
	};
	bool strange = certificate == FAKEAPI_CERTIFICATE_STRANGE;
	EVP_PKEY *ca_key = strange ? EVP_EC_gen("P-256") : t->ca_key;
	X509 *ca = strange ? authority(ca_key, "strange-ca") : t->ca;
	X509 *x = certify(&all[certificate], t->key, ca, ca_key);
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());

	CHECK(server && SSL_CTX_use_certificate(server, x) == 1);
	CHECK(SSL_CTX_use_PrivateKey(server, t->key) == 1);
	SSL_CTX_set_mode(server,
	                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(server, 0);
	SSL_CTX_set_verify(server, SSL_VERIFY_PEER, take_any);
	CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), t->ca) == 1);
	t->http1 = http1;
	SSL_CTX_set_alpn_select_cb(server, choose_protocol, t);
	SSL_CTX_free(t->server);
	t->server = server;
	X509_free(x);
	if (strange) {
		X509_free(ca);
		EVP_PKEY_free(ca_key);
	}
}

SSL *tls_accept(struct tls *t, int fd)
{
	SSL *ssl = SSL_new(t->server);

	CHECK(ssl && SSL_set_fd(ssl, fd) == 1);
	SSL_set_accept_state(ssl);
	return ssl;
}
