/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <string.h>

#include "base/check.h"
#include "base/program.h"
#include "base/text.h"
#include "kube/exec.h"

enum { DEPTH_MOST = 32 };

void kube_credential_fini(struct kube_credential *c)
{
	kube_secret_fini(&c->token);
	kube_secret_fini(&c->certificate);
	kube_secret_fini(&c->key);
	*c = (struct kube_credential){0};
}

/* One JSON value and nothing but white space behind it; NULL: it is not. */
static struct json_object *parse(struct bytes text)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MOST);
	struct json_object *root = NULL;
	bool is_whole = false;

	CHECK(tokener != NULL);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (text.len > 0 && text.len <= PROGRAM_MOST) {
		root = json_tokener_parse_ex(tokener, (const char *)text.data, (int)text.len);
		is_whole = json_tokener_get_error(tokener) == json_tokener_success;
	}
	for (size_t i = json_tokener_get_parse_end(tokener); is_whole && i < text.len; i++)
		is_whole = memchr(" \t\r\n", text.data[i], 4) != NULL;
	json_tokener_free(tokener);
	if (is_whole)
		return root;
	json_object_put(root);
	return NULL;
}

/* A text of a mapping, empty when it is absent; *sound: it is not anything else. */
static struct bytes text_of(struct json_object *map, const char *key, bool *sound)
{
	struct json_object *value = NULL;
	struct bytes text = {0};

	(void)json_object_object_get_ex(map, key, &value);
	if (!value)
		return text;
	if (!json_object_is_type(value, json_type_string)) {
		*sound = false;
		return text;
	}
	text.data = (const uint8_t *)json_object_get_string(value);
	text.len = (size_t)json_object_get_string_len(value);
	return text;
}

static enum err decode_pair(struct bytes certificate, struct bytes key, struct kube_credential *out,
                            struct reason *why)
{
	enum err err;

	if (certificate.len == 0 && key.len == 0)
		return ERR_OK;
	err = kube_pem_check(certificate, why);
	if (err) {
		reason_prefix(why, "status.clientCertificateData: ");
		return err;
	}
	err = kube_pem_check(key, why);
	if (err) {
		reason_prefix(why, "status.clientKeyData: ");
		return err;
	}
	kube_secret_set(&out->certificate, certificate);
	kube_secret_set(&out->key, key);
	return ERR_OK;
}

static enum err decode_status(struct json_object *status, struct kube_credential *out,
                              struct reason *why)
{
	bool sound = true;
	struct bytes token = kube_token_trim(text_of(status, "token", &sound));
	struct bytes certificate = text_of(status, "clientCertificateData", &sound);
	struct bytes key = text_of(status, "clientKeyData", &sound);
	struct bytes expires = text_of(status, "expirationTimestamp", &sound);
	enum err err;

	if (!sound)
		return reason_set(why, ERR_PARSE, "a field of status is no text");
	if (token.len == 0 && certificate.len == 0)
		return reason_set(why, ERR_PARSE, "neither a token nor a certificate");
	if (expires.len > 0 && !text_to_time(expires, &out->expires_at))
		return reason_set(why, ERR_PARSE, "status.expirationTimestamp is no time");
	if (token.len > 0 && (err = kube_token_check(token, why)) != ERR_OK) {
		reason_prefix(why, "status.token: ");
		return err;
	}
	kube_secret_set(&out->token, token);
	return decode_pair(certificate, key, out, why);
}

static enum err decode_root(struct json_object *root, const char *api_version,
                            struct kube_credential *out, struct reason *why)
{
	struct json_object *status = NULL;
	bool sound = true;

	if (!json_object_is_type(root, json_type_object))
		return reason_set(why, ERR_PARSE, "no JSON object");
	if (!bytes_equal_text(text_of(root, "kind", &sound), "ExecCredential"))
		return reason_set(why, ERR_PARSE, "not of kind ExecCredential");
	if (!bytes_equal_text(text_of(root, "apiVersion", &sound), api_version))
		return reason_set(why, ERR_PARSE, "of another apiVersion than %s", api_version);
	(void)json_object_object_get_ex(root, "status", &status);
	if (!json_object_is_type(status, json_type_object))
		return reason_set(why, ERR_PARSE, "without a status");
	return decode_status(status, out, why);
}

enum err kube_exec_decode(struct bytes text, const char *api_version, struct kube_credential *out,
                          struct reason *why)
{
	struct json_object *root = parse(text);
	enum err err = decode_root(root, api_version, out, why);

	json_object_put(root);
	if (err)
		kube_credential_fini(out);
	return err;
}
