/* fuzz_decode.c -- any bytes as what an API server sends: every decoder of its objects. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "kube/object.h"
#include "kube/splitter.h"
#include "watcher/decode.h"
#include "watcher/decode_link.h"
#include "watcher/decode_secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = SPLITTER_DEPTH + 2, VERSION_ROOM = 65 };

/* What is taken can be read again, and an error says something. */
static void decode_fact(struct json_object *object, enum decode_role role)
{
	struct arena *a = arena_new();
	const struct fact *fact = NULL;
	struct reason why = {0};
	enum err err = decode_object(object, role, a, &fact, &why);

	CHECK(err == ERR_OK || (fact == NULL && why.text[0] != '\0'));
	if (fact) {
		struct fact_value value;

		CHECK(fact_decode(fact, a, &value));
		CHECK(value.name.len > 0);
	}
	fact_unref(fact);
	arena_free(a);
}

/* What goes into a request has no line break in it. */
static void decode_credentials(struct json_object *object)
{
	struct decode_link link;
	struct kube_secret token = {0};
	struct reason why = {0};

	if (decode_link(object, DECODE_LINK_READ, &link, &why) == ERR_OK) {
		CHECK(!strpbrk(link.access.server, "\r\n ") && link.secret[0] != '\0');
		decode_link_fini(&link);
	} else {
		CHECK(why.text[0] != '\0');
	}
	if (decode_token(object, &token, &why) == ERR_OK)
		CHECK(token.len > 0 && !strpbrk(token.data, "\r\n "));
	kube_secret_fini(&token);
}

/* Each key is there, within its bounds, or somebody can be told why not. */
static void decode_keys(struct json_object *object)
{
	struct decode_secret *s = decode_secret(object);

	for (size_t i = 0; s && i < DECODE_SECRET_KEYS; i++)
		CHECK(s->of[i].wrong ? s->of[i].data.len == 0
		                     : s->of[i].data.len > 0 &&
		                               s->of[i].data.len <= DECODE_SECRET_KEY_MOST);
	decode_secret_unref(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *object;
	char version[VERSION_ROOM];

	object_read_version((struct bytes){data, size}, version, sizeof(version));
	CHECK(strlen(version) < sizeof(version));
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, (const char *)data, (int)size);
	if (json_object_is_type(object, json_type_object)) {
		decode_fact(object, DECODE_HOST);
		decode_fact(object, DECODE_MEMBER);
		decode_credentials(object);
		decode_keys(object);
	}
	json_object_put(object);
	json_tokener_free(tokener);
	return 0;
}
