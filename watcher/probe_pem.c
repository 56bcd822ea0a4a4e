/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe_pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/check.h"

static BIO *bio_over(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.len > 0 ? (const void *)pem.data : "", (int)pem.len);

	CHECK(bio != NULL);
	return bio;
}

/* Given as a password, so that OpenSSL asks nobody for one. */
static X509 *next_certificate(BIO *bio) { return PEM_read_bio_X509(bio, NULL, NULL, (char[]){""}); }

enum err probe_pem_check_certificates(struct bytes pem, const char *name, struct reason *why)
{
	BIO *bio = bio_over(pem);
	size_t count = 0;
	X509 *certificate;
	bool at_end;

	ERR_clear_error();
	while ((certificate = next_certificate(bio)) != NULL) {
		X509_free(certificate);
		count++;
	}
	at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	BIO_free(bio);
	if (count == 0)
		return reason_set(why, ERR_PARSE, "%s is no certificate in PEM", name);
	if (!at_end)
		return reason_set(why, ERR_PARSE, "%s has a certificate that cannot be read", name);
	return ERR_OK;
}

enum err probe_pem_check_key(struct bytes pem, const char *name, struct bytes certificates,
                             const char *certificates_name, struct reason *why)
{
	BIO *bio = bio_over(pem), *certificate_bio = bio_over(certificates);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (char[]){""});
	X509 *certificate = next_certificate(certificate_bio);
	enum err err = ERR_OK;

	if (key == NULL)
		err = reason_set(why, ERR_PARSE, "%s is no private key in PEM, or is encrypted",
		                 name);
	else if (certificate == NULL || X509_check_private_key(certificate, key) != 1)
		err = reason_set(why, ERR_CONFLICT, "%s is not the key of %s", name,
		                 certificates_name);
	ERR_clear_error();
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(certificate_bio);
	BIO_free(bio);
	return err;
}
