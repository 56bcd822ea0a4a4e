/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/expiry.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "kube/claims.h"

/* Of an encrypted PEM: there is none.  Without this OpenSSL would ask the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static bool certificate_expiry(struct bytes pem, int64_t *unix_s)
{
	BIO *bio;
	X509 *certificate;
	struct tm at;
	bool known;

	if (pem.len == 0 || pem.len > KUBE_SECRET_MOST)
		return false;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	CHECK(bio != NULL);
	/* The first is the client's own; what issued it comes after. */
	certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	known = certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &at) == 1;
	if (known)
		*unix_s = timegm(&at);
	X509_free(certificate);
	BIO_free(bio);
	ERR_clear_error();
	return known;
}

static bool token_expiry(struct bytes token, int64_t *unix_s)
{
	struct kube_claims claims;

	if (!kube_claims_read(token, &claims) || claims.ends_s < 0)
		return false;
	*unix_s = claims.ends_s;
	return true;
}

bool kube_expiry(const struct kube_access *a, int64_t *unix_s)
{
	int64_t certificate = 0, token = 0;
	bool has_certificate = certificate_expiry(kube_secret_bytes(&a->certificate), &certificate);
	bool has_token = token_expiry(kube_secret_bytes(&a->token), &token);

	if (!has_certificate && !has_token)
		return false;
	if (has_certificate && has_token)
		*unix_s = certificate < token ? certificate : token;
	else
		*unix_s = has_token ? token : certificate;
	return true;
}
