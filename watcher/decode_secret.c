/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/decode_secret.h"

#include <json-c/json_object.h>
#include <stdlib.h>

#include "base/smallfile.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/base64.h"
#include "kube/object.h"
#include "watcher/decode.h"

/* As Kubernetes names them: those of kubernetes.io/tls, and the authority beside them. */
static const struct words {
	const char *key, *absent, *garbled, *long_one;
} words_of[DECODE_SECRET_KEYS] = {
	{"ca.crt", "has no ca.crt", "ca.crt is not base64", "ca.crt is longer than 256 KiB"},
	{"tls.crt", "has no tls.crt", "tls.crt is not base64", "tls.crt is longer than 256 KiB"},
	{"tls.key", "has no tls.key", "tls.key is not base64", "tls.key is longer than 256 KiB"},
};

static void read_value(struct json_object *object, const struct words *words,
                       struct decode_secret_value *out)
{
	struct bytes plain = object_text(object, "stringData", words->key, NULL);
	struct bytes coded = object_text(object, "data", words->key, NULL);
	bool is_good = true;

	if (plain.len > 0)
		buffer_put(&out->data, plain.data, plain.len);
	else
		is_good = base64_decode(coded, &out->data);
	if (!is_good)
		out->wrong = words->garbled;
	else if (out->data.len == 0)
		out->wrong = words->absent;
	else if (out->data.len > DECODE_SECRET_KEY_MOST)
		out->wrong = words->long_one;
	if (out->wrong)
		smallfile_wipe(&out->data);
}

struct decode_secret *decode_secret(struct json_object *object)
{
	struct bytes namespace, name;
	struct decode_secret *s;

	if (!json_object_is_type(object, json_type_object) ||
	    !bytes_equal_text(object_text(object, "kind", NULL), "Secret") ||
	    !bytes_equal_text(object_text(object, "apiVersion", NULL), "v1"))
		return NULL;
	namespace = object_text(object, "metadata", "namespace", NULL);
	namespace = namespace.len > 0 ? namespace : bytes_of("default");
	name = object_text(object, "metadata", "name", NULL);
	if (!decode_is_name(namespace) || !decode_is_name(name))
		return NULL;
	s = xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	s->namespace = text_copy(namespace);
	s->name = text_copy(name);
	for (size_t i = 0; i < DECODE_SECRET_KEYS; i++)
		read_value(object, &words_of[i], &s->of[i]);
	return s;
}

struct decode_secret *decode_secret_ref(struct decode_secret *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void decode_secret_unref(struct decode_secret *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < DECODE_SECRET_KEYS; i++)
		smallfile_wipe(&s->of[i].data);
	free(s->namespace);
	free(s->name);
	free(s);
}
