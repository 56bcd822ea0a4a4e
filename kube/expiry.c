/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/expiry.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <math.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "kube/base64.h"
#include "base/smallfile.h"

enum { DEPTH_MOST = 16, JWT_MOST = 64 * 1024 };

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

static bool claims_expiry(struct bytes json, int64_t *unix_s)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MOST);
	struct json_object *claims, *exp = NULL;
	double value;

	CHECK(tokener != NULL);
	claims = json_tokener_parse_ex(tokener, (const char *)json.data, (int)json.len);
	json_tokener_free(tokener);
	if (json_object_is_type(claims, json_type_object))
		(void)json_object_object_get_ex(claims, "exp", &exp);
	/* A number, with a fraction or not; RFC 3339 ends with the year 9999. */
	value = json_object_is_type(exp, json_type_int) ||
	                        json_object_is_type(exp, json_type_double)
	                ? json_object_get_double(exp)
	                : -1;
	json_object_put(claims);
	if (!isfinite(value) || value < 0 || value > 253402300799.0)
		return false;
	*unix_s = (int64_t)value;
	return true;
}

/* header.payload.signature, each in base64url */
static bool token_expiry(struct bytes token, int64_t *unix_s)
{
	const uint8_t *first, *second = NULL;
	const uint8_t *end = token.data + token.len;
	struct buffer claims = {0};
	bool known = false;

	if (token.len == 0 || token.len > JWT_MOST)
		return false;
	first = memchr(token.data, '.', token.len);
	if (first)
		second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second && second > first + 1 &&
	    base64_decode((struct bytes){first + 1, (size_t)(second - first - 1)}, &claims))
		known = claims_expiry((struct bytes){claims.data, claims.len}, unix_s);
	smallfile_wipe(&claims);
	return known;
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
