/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_authority.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

enum { HOUR_S = 3600, YEAR_S = 365 * 24 * HOUR_S };

struct authority {
	char folder[128];
	EVP_PKEY *key;
	X509 *certificate;
	char *pem;
};

static void demand(bool is_well, const char *what)
{
	if (!is_well)
		fail_msg("certificates: %s", what);
}

/* --- files --- */

struct file {
	char path[512], fresh[512];
	FILE *out;
};

static struct file begin(const struct authority *a, const char *name, const char *ending)
{
	struct file f;

	snprintf(f.path, sizeof(f.path), "%s/%s.%s", a->folder, name, ending);
	snprintf(f.fresh, sizeof(f.fresh), "%s/.%s.%s.new", a->folder, name, ending);
	f.out = fopen(f.fresh, "we");
	demand(f.out != NULL, f.fresh);
	return f;
}

static void finish(struct file *f)
{
	demand(fclose(f->out) == 0 && rename(f->fresh, f->path) == 0, f->path);
}

/* In the form that says its kind: Kubernetes finds the public key in no other. */
static void write_key(const struct authority *a, const char *name, EVP_PKEY *key)
{
	struct file f = begin(a, name, "key");
	BIO *out = BIO_new_fp(f.out, BIO_NOCLOSE);

	demand(PEM_write_bio_PrivateKey_traditional(out, key, NULL, NULL, 0, NULL, NULL) == 1,
	       f.path);
	BIO_free(out);
	finish(&f);
}

static void write_certificate(const struct authority *a, const char *name, X509 *certificate)
{
	struct file f = begin(a, name, "crt");

	demand(PEM_write_X509(f.out, certificate) == 1, f.path);
	finish(&f);
}

/* --- certificates --- */

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *e;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	demand(e && X509_add_ext(certificate, e, -1) == 1, value);
	X509_EXTENSION_free(e);
}

/* With a subject, a serial number, a key and times, but for extensions and the signature. */
static X509 *draft(const char *subject, EVP_PKEY *key, long for_s)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	uint64_t serial;

	demand(RAND_bytes((uint8_t *)&serial, sizeof(serial)) == 1, "no random bytes");
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -HOUR_S + (for_s < 0 ? for_s : 0));
	X509_gmtime_adj(X509_getm_notAfter(x), for_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)subject, -1, -1, 0);
	X509_set_pubkey(x, key);
	return x;
}

static void sign(X509 *x, X509 *issuer, EVP_PKEY *key)
{
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	demand(X509_sign(x, key, EVP_sha256()) > 0, "cannot sign");
}

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	demand(key != NULL, "cannot make a key");
	return key;
}

static char *to_pem(X509 *certificate)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data, *pem;
	long len;

	demand(PEM_write_bio_X509(out, certificate) == 1, "cannot print a certificate");
	len = BIO_get_mem_data(out, &data);
	pem = xcalloc((size_t)len + 1, 1);
	memcpy(pem, data, (size_t)len);
	BIO_free(out);
	return pem;
}

struct authority *authority_new(const char *folder)
{
	struct authority *a = xcalloc(1, sizeof(*a));

	snprintf(a->folder, sizeof(a->folder), "%s", folder);
	a->key = new_key();
	a->certificate = draft("nigh tests", a->key, YEAR_S);
	add_extension(a->certificate, a->certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(a->certificate, a->certificate, NID_key_usage, "critical,keyCertSign");
	add_extension(a->certificate, a->certificate, NID_subject_key_identifier, "hash");
	sign(a->certificate, a->certificate, a->key);
	a->pem = to_pem(a->certificate);
	write_certificate(a, "ca", a->certificate);
	return a;
}

void authority_free(struct authority *a)
{
	if (!a)
		return;
	X509_free(a->certificate);
	EVP_PKEY_free(a->key);
	free(a->pem);
	free(a);
}

const char *authority_pem(const struct authority *a) { return a->pem; }

static void issue(struct authority *a, const char *name, const char *names, const char *usage,
                  long for_s)
{
	EVP_PKEY *key = new_key();
	X509 *x = draft(name, key, for_s);

	add_extension(x, a->certificate, NID_subject_alt_name, names);
	add_extension(x, a->certificate, NID_ext_key_usage, usage);
	add_extension(x, a->certificate, NID_authority_key_identifier, "keyid");
	sign(x, a->certificate, a->key);
	write_key(a, name, key);
	write_certificate(a, name, x);
	X509_free(x);
	EVP_PKEY_free(key);
}

void authority_issue(struct authority *a, const char *name, const char *address, long for_s)
{
	char names[128];

	snprintf(names, sizeof(names), "IP:%s", address);
	issue(a, name, names, "serverAuth", for_s);
}

void authority_issue_named(struct authority *a, const char *name, const char *dns_name, long for_s)
{
	char names[128];

	snprintf(names, sizeof(names), "DNS:%s", dns_name);
	issue(a, name, names, "serverAuth,clientAuth", for_s);
}

void authority_key(struct authority *a, const char *name)
{
	EVP_PKEY *key = new_key();

	write_key(a, name, key);
	EVP_PKEY_free(key);
}
