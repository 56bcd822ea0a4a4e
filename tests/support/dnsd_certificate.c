/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/dnsd_certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/check.h"

/* Clients look for the name here (RFC 9525 2). */
static void add_name(X509 *x, const char *name)
{
	char text[256];
	X509_EXTENSION *extension;

	snprintf(text, sizeof text, "DNS:%s", name);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
	CHECK(extension != NULL && X509_add_ext(x, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static X509 *certify(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);

	CHECK(X509_set_version(x, 2) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
	CHECK(X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL);
	CHECK(X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL);
	CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
	                                 -1, -1, 0) == 1);
	CHECK(X509_set_issuer_name(x, subject) == 1);
	CHECK(X509_set_pubkey(x, key) == 1);
	add_name(x, name);
	CHECK(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static FILE *open_beside(const char *file, char beside[512])
{
	FILE *f;

	snprintf(beside, 512, "%s.new", file);
	f = fopen(beside, "we");
	CHECK(f != NULL);
	return f;
}

void certificate_write(const char *certificate_file, const char *key_file, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x;
	char beside[512];
	FILE *f;

	CHECK(key != NULL);
	x = certify(key, name);
	f = open_beside(key_file, beside);
	CHECK(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
	CHECK(fclose(f) == 0 && rename(beside, key_file) == 0);
	f = open_beside(certificate_file, beside);
	CHECK(PEM_write_X509(f, x) == 1);
	CHECK(fclose(f) == 0 && rename(beside, certificate_file) == 0);
	X509_free(x);
	EVP_PKEY_free(key);
}
