/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/minted.h"

#include <json-c/json.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"

/* base64url without padding (RFC 7515 2). */
static void add_base64(struct text *out, const void *data, size_t len)
{
	unsigned char *encoded = xcalloc(len / 3 * 4 + 5, 1);
	int count = EVP_EncodeBlock(encoded, data, (int)len);

	for (int i = 0; i < count && encoded[i] != '='; i++)
		text_printf(out, "%c",
		            encoded[i] == '+'   ? '-'
		            : encoded[i] == '/' ? '_'
		                                : encoded[i]);
	free(encoded);
}

static void read_uid(struct cluster *c, const char *namespace, const char *account, char out[64])
{
	struct json_object *object, *metadata = NULL, *uid = NULL;
	char path[256];

	snprintf(path, sizeof(path), "/api/v1/namespaces/%s/serviceaccounts/%s", namespace,
	         account);
	if (cluster_send(c, "GET", path, NULL, NULL) != 200)
		cluster_fail(c, "has no service account %s", account);
	object = json_tokener_parse(cluster_body(c));
	json_object_object_get_ex(object, "metadata", &metadata);
	json_object_object_get_ex(metadata, "uid", &uid);
	snprintf(out, 64, "%s", json_object_get_string(uid));
	json_object_put(object);
}

static EVP_PKEY *read_key(struct cluster *c)
{
	char path[256];
	FILE *file;
	EVP_PKEY *key;

	snprintf(path, sizeof(path), "%s/accounts.key", c->cloud->dir);
	file = fopen(path, "re");
	key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
	if (file)
		fclose(file);
	if (!key)
		cluster_fail(c, "%s cannot be read", path);
	return key;
}

/* ES256 (RFC 7518 3.4): r and s, 32 bytes each. */
static void add_signature(struct cluster *c, struct text *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY *key = read_key(c);
	unsigned char der[128], both[64];
	const unsigned char *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *signature;

	if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(context, der, &len, (const unsigned char *)out->data, out->len) != 1 ||
	    !(signature = d2i_ECDSA_SIG(NULL, &at, (long)len)))
		cluster_fail(c, "its key signs nothing");
	BN_bn2binpad(ECDSA_SIG_get0_r(signature), both, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(signature), both + 32, 32);
	text_add(out, ".");
	add_base64(out, both, sizeof(both));
	ECDSA_SIG_free(signature);
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(context);
}

char *minted_token(struct cluster *c, const char *namespace, const char *account, long ago_s,
                   long ends_in_s)
{
	static const char head[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\"}";
	long now = (long)time(NULL);
	struct text claims = {0}, token = {0};
	char uid[64];

	read_uid(c, namespace, account, uid);
	text_printf(&claims,
	            "{\"iss\":\"https://kubernetes.default.svc\",\"aud\":[\"https://"
	            "kubernetes.default.svc\"],\"sub\":\"system:serviceaccount:%s:%s\",\"iat\":%ld,"
	            "\"nbf\":%ld,\"exp\":%ld,\"kubernetes.io\":{\"namespace\":\"%s\","
	            "\"serviceaccount\":{\"name\":\"%s\",\"uid\":\"%s\"}}}",
	            namespace, account, now - ago_s, now - ago_s, now + ends_in_s, namespace,
	            account, uid);
	add_base64(&token, head, sizeof(head) - 1);
	text_add(&token, ".");
	add_base64(&token, claims.data, claims.len);
	add_signature(c, &token);
	text_fini(&claims);
	return text_take(&token);
}
