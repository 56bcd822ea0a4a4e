/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/decode_link.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "kube/base64.h"
#include "watcher/decode.h"
#include "watcher/decode_kind.h"

static void read_endpoint(const struct field *spec, struct decode_link *out)
{
	struct field endpoint = field_get(spec, "apiEndpoint");
	struct bytes text = field_required(&endpoint);
	struct reason why = {0};
	char *copy;

	if (spec->reading->err)
		return;
	copy = text_copy(text);
	if (kube_endpoint_read(copy, &out->access.server, &why) != ERR_OK)
		field_fail(&endpoint, ERR_PARSE, "%s", why.text);
	free(copy);
}

static void read_ca(const struct field *spec, struct decode_link *out)
{
	struct field bundle = field_get(spec, "caBundle");
	struct bytes text = field_text(&bundle);
	struct buffer pem = {0};

	if (!base64_decode(text, &pem))
		field_fail(&bundle, ERR_PARSE, "is not base64");
	else if (pem.len > 0)
		out->access.ca = text_copy((struct bytes){pem.data, pem.len});
	buffer_fini(&pem);
}

static void read_proxy(const struct field *spec, struct decode_link *out)
{
	struct field proxy = field_get(spec, "proxyURL");
	struct bytes text = field_text(&proxy);
	struct reason why = {0};

	if (text.len == 0)
		return;
	out->access.proxy = text_copy(text);
	if (kube_proxy_check(out->access.proxy, &why) != ERR_OK)
		field_fail(&proxy, ERR_PARSE, "%s", why.text);
}

static void read_disabled(const struct field *spec, struct decode_link *out)
{
	struct field list = field_get(spec, "disabledTLSValidations");
	size_t count = field_count(&list);

	for (size_t i = 0; i < count; i++) {
		struct field item = field_item(&list, i);
		struct bytes text = field_text(&item);

		if (bytes_equal_text(text, "*") && count == 1)
			out->access.any_certificate = true;
		else if (bytes_equal_text(text, "*"))
			field_fail(&list, ERR_PARSE, "has \"*\" beside others");
		else if (bytes_equal_text(text, "SubjectName"))
			out->access.any_name = true;
		else if (bytes_equal_text(text, "ValidityPeriod"))
			out->access.any_time = true;
		else
			field_fail(&item, ERR_PARSE,
			           "is not \"*\", \"SubjectName\" or \"ValidityPeriod\"");
	}
}

static void read_secret(const struct field *object, const struct field *spec,
                        enum decode_link_purpose purpose, struct decode_link *out)
{
	struct field ref = field_get(spec, "secretRef");
	struct field name = field_get(&ref, "name");
	struct bytes reader = decode_annotation(object, "nigh.dev/reader-secret");

	out->is_reader = purpose == DECODE_LINK_READ && reader.len > 0;
	if (out->is_reader)
		out->secret = text_copy(reader);
	else
		out->secret = text_copy(field_required(&name));
}

static void read_namespace(const struct field *object, struct decode_link *out)
{
	struct field metadata = field_get(object, "metadata");
	struct bytes only = decode_annotation(object, "nigh.dev/reader-namespace");

	if (only.len == 0)
		return;
	if (decode_is_name(only))
		out->namespace = text_copy(only);
	else
		field_fail(&metadata, ERR_PARSE,
		           "has an annotation nigh.dev/reader-namespace that is not a name");
}

enum err decode_link(struct json_object *kubefed_cluster, enum decode_link_purpose purpose,
                     struct decode_link *out, struct reason *why)
{
	struct arena *arena = arena_new();
	struct field_reading reading = {.arena = arena, .why = why};
	struct field root = field_root(&reading, kubefed_cluster);
	struct field spec = field_get(&root, "spec");

	*out = (struct decode_link){0};
	read_endpoint(&spec, out);
	read_ca(&spec, out);
	read_proxy(&spec, out);
	read_disabled(&spec, out);
	read_secret(&root, &spec, purpose, out);
	read_namespace(&root, out);
	if (reading.err)
		decode_link_fini(out);
	arena_free(arena);
	return reading.err;
}

void decode_link_fini(struct decode_link *l)
{
	kube_access_fini(&l->access);
	free(l->secret);
	free(l->namespace);
	*l = (struct decode_link){0};
}

static void take_token(const struct field *token, struct bytes text, struct kube_secret *out)
{
	struct reason why = {0};

	text = kube_token_trim(text);
	if (kube_token_check(text, &why) != ERR_OK)
		field_fail(token, ERR_PARSE, "%s", why.text);
	else
		kube_secret_set(out, text);
}

enum err decode_token(struct json_object *secret, struct kube_secret *out, struct reason *why)
{
	struct arena *arena = arena_new();
	struct field_reading reading = {.arena = arena, .why = why};
	struct field root = field_root(&reading, secret);
	struct field data = field_get(&root, "data");
	struct field token = field_get(&data, "token");
	struct bytes text = field_text(&token);
	struct buffer plain = {0};

	if (!reading.err && text.len == 0)
		reading.err = reason_set(why, ERR_NOTFOUND, "has no data key 'token'");
	else if (!base64_decode(text, &plain))
		field_fail(&token, ERR_PARSE, "is not base64");
	else if (!reading.err)
		take_token(&token, (struct bytes){plain.data, plain.len}, out);
	if (plain.len > 0)
		explicit_bzero(plain.data, plain.len);
	buffer_fini(&plain);
	arena_free(arena);
	return reading.err;
}
