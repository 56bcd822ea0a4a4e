/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/check.h"

enum { DAY_S = 86400 };

static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	CHECK(e && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

/* `issuer` NULL: an authority, by itself. */
static X509 *certify(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, long to_s)
{
	static int serial;
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	char names[64];

	CHECK(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial));
	CHECK(X509_gmtime_adj(X509_getm_notBefore(x), -10L * DAY_S));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(x), to_s));
	CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
	                                 -1, -1, 0));
	CHECK(X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : subject));
	CHECK(X509_set_pubkey(x, key));
	snprintf(names, sizeof names, "DNS:%s", name);
	add_extension(x, NID_subject_alt_name, names);
	if (!issuer)
		add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	CHECK(X509_sign(x, issuer ? issuer_key : key, EVP_sha256()) > 0);
	return x;
}

static FILE *open_in(const char *dir, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "we");
	CHECK(f);
	return f;
}

static void write_certificate(const char *dir, const char *name, X509 *x)
{
	FILE *f = open_in(dir, name);

	CHECK(PEM_write_X509(f, x) == 1 && fclose(f) == 0);
}

static void write_client(const char *dir, X509 *ca, EVP_PKEY *ca_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certify("nighd.test", key, ca, ca_key, DAY_S);
	FILE *f = open_in(dir, "client.key");

	CHECK(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
	write_certificate(dir, "client.pem", x);
	X509_free(x);
	EVP_PKEY_free(key);
}

SSL_CTX *certificates_context(const char *dir, bool expired, bool asks_client)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = certify("authority.test", ca_key, NULL, NULL, DAY_S);
	X509 *x = certify("shop.test", key, ca, ca_key, expired ? -DAY_S : DAY_S);

	CHECK(c && SSL_CTX_use_certificate(c, x) == 1 && SSL_CTX_use_PrivateKey(c, key) == 1);
	if (asks_client) {
		CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(c), ca) == 1);
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	write_certificate(dir, "ca.pem", ca);
	write_client(dir, ca, ca_key);
	X509_free(x);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return c;
}
