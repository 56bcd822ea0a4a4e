/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"

static void keep_document(struct json_object *root, unsigned line, void *arg)
{
	(void)line;
	json_object_put(*(struct json_object **)arg);
	*(struct json_object **)arg = root;
}

struct json_object *watcher_read_yaml(const char *text)
{
	struct json_object *object = NULL;
	struct reason why;

	if (yaml_read(bytes_of(text), keep_document, &object, &why) != ERR_OK)
		fail_msg("%s: %s", text, why.text);
	return object;
}

void watcher_expect_text(struct bytes have, const char *want)
{
	assert_int_equal(have.len, strlen(want));
	assert_memory_equal(have.data, want, have.len);
}

void watcher_expect_texts(const struct bytes *have, size_t count, const char *want)
{
	struct text joined = {0};

	for (size_t i = 0; i < count; i++) {
		text_add(&joined, i ? " " : "");
		text_add_bytes(&joined, have[i]);
	}
	assert_string_equal(joined.data ? joined.data : "", want);
	text_fini(&joined);
}
