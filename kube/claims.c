/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/claims.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/smallfile.h"
#include "kube/base64.h"

enum { DEPTH_MOST = 16, JWT_MOST = 64 * 1024 };

/* A number, with a fraction or not; RFC 3339 ends with the year 9999. */
static int64_t time_of(struct json_object *claims, const char *key)
{
	struct json_object *found = NULL;
	double value;

	(void)json_object_object_get_ex(claims, key, &found);
	value = json_object_is_type(found, json_type_int) ||
	                        json_object_is_type(found, json_type_double)
	                ? json_object_get_double(found)
	                : -1;
	return isfinite(value) && value >= 0 && value <= 253402300799.0 ? (int64_t)value : -1;
}

static void read_account(struct json_object *claims, struct kube_claims *out)
{
	static const char prefix[] = "system:serviceaccount:";
	struct json_object *found = NULL;
	const char *sub, *colon;

	(void)json_object_object_get_ex(claims, "sub", &found);
	if (!json_object_is_type(found, json_type_string))
		return;
	sub = json_object_get_string(found);
	if (strncmp(sub, prefix, sizeof(prefix) - 1) != 0)
		return;
	sub += sizeof(prefix) - 1;
	colon = strchr(sub, ':');
	if (!colon || (size_t)(colon - sub) >= sizeof(out->namespace) ||
	    strlen(colon + 1) >= sizeof(out->account) || strchr(colon + 1, ':'))
		return;
	(void)snprintf(out->namespace, sizeof(out->namespace), "%.*s", (int)(colon - sub), sub);
	(void)snprintf(out->account, sizeof(out->account), "%s", colon + 1);
}

static bool read_json(struct bytes json, struct kube_claims *out)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MOST);
	struct json_object *claims;
	bool is_object;

	CHECK(tokener != NULL);
	claims = json_tokener_parse_ex(tokener, (const char *)json.data, (int)json.len);
	json_tokener_free(tokener);
	is_object = json_object_is_type(claims, json_type_object);
	if (is_object) {
		out->issued_s = time_of(claims, "iat");
		out->ends_s = time_of(claims, "exp");
		read_account(claims, out);
	}
	json_object_put(claims);
	return is_object;
}

bool kube_claims_read(struct bytes token, struct kube_claims *out)
{
	const uint8_t *first, *second = NULL;
	const uint8_t *end = token.data + token.len;
	struct buffer claims = {0};
	bool is_read = false;

	*out = (struct kube_claims){.issued_s = -1, .ends_s = -1};
	if (token.len == 0 || token.len > JWT_MOST)
		return false;
	/* header.payload.signature, each in base64url */
	first = memchr(token.data, '.', token.len);
	if (first)
		second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second && second > first + 1 &&
	    base64_decode((struct bytes){first + 1, (size_t)(second - first - 1)}, &claims))
		is_read = read_json((struct bytes){claims.data, claims.len}, out);
	smallfile_wipe(&claims);
	return is_read;
}
