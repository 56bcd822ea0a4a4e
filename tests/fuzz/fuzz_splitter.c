/* fuzz_splitter.c -- any bytes as a list and as a watch: the calls do not depend on where the pieces end. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "kube/splitter.h"

enum { MEMORY_BESIDE = 12288 }; /* the splitter itself, and what its first allocation takes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct text calls;
	size_t most;
	size_t left; /* objects until it is enough */
};

static bool on_object(struct bytes json, void *arg)
{
	struct run *run = arg;

	CHECK(json.len >= 2 && json.len <= run->most);
	CHECK(json.data[0] == '{' && json.data[json.len - 1] == '}');
	text_add(&run->calls, "object ");
	text_add_json(&run->calls, json);
	text_add(&run->calls, "\n");
	return --run->left > 0;
}

static void on_skipped(struct bytes type, struct bytes namespace, struct bytes name, uint64_t len,
                       void *arg)
{
	struct run *run = arg;

	CHECK(type.len <= SPLITTER_NAME_MOST);
	CHECK(namespace.len <= SPLITTER_NAME_MOST);
	CHECK(name.len <= SPLITTER_NAME_MOST);
	text_printf(&run->calls, "skipped %llu ", (unsigned long long)len);
	text_add_json(&run->calls, type);
	text_add_json(&run->calls, namespace);
	text_add_json(&run->calls, name);
	text_add(&run->calls, "\n");
}

static void on_envelope(struct bytes json, void *arg)
{
	struct run *run = arg;

	text_add(&run->calls, "envelope ");
	text_add_json(&run->calls, json);
	text_add(&run->calls, "\n");
}

/* Pieces of 1 to `longest` bytes, exact copies, so that a byte too far or a piece that is gone is seen. */
static void split(struct run *run, enum splitter_mode mode, struct bytes text, uint32_t longest)
{
	struct splitter_events events = {on_object, on_skipped, on_envelope, run};
	struct splitter *s = splitter_new(mode, run->most, &events);
	struct buffer piece = {0};
	struct reason why = {""};
	enum err err = ERR_OK;
	uint32_t seed = (uint32_t)text.len;

	for (size_t at = 0; at < text.len; at += piece.len) {
		size_t len = text.len - at;

		seed = seed * 1664525 + 1013904223;
		if (longest > 0 && (seed >> 8) % longest + 1 < len)
			len = (seed >> 8) % longest + 1;
		buffer_fini(&piece);
		buffer_put(&piece, text.data + at, len);
		err = splitter_feed(s, (struct bytes){piece.data, len}, &why);
		if (longest > 0)
			CHECK(splitter_memory(s) <= run->most + text.len + MEMORY_BESIDE);
	}
	text_printf(&run->calls, "%s %d %s", err_text(err), splitter_is_between(s), why.text);
	buffer_fini(&piece);
	splitter_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t most[] = {4096, 200, 64, 20};
	static const uint32_t longest[] = {0, 1, 7, 64};
	struct run runs[4];

	if (size < 2)
		return 0;
	for (size_t i = 0; i < 4; i++) {
		/* The first byte tells mode, limit and how many objects are enough. */
		enum splitter_mode mode = data[0] & 1 ? SPLITTER_WATCH : SPLITTER_LIST;

		runs[i] = (struct run){.most = most[data[0] >> 1 & 3],
		                       .left = data[0] >> 3 & 7 ? SIZE_MAX : 2};
		split(&runs[i], mode, (struct bytes){data + 1, size - 1}, longest[i]);
		CHECK(strcmp(runs[0].calls.data, runs[i].calls.data) == 0);
	}
	for (size_t i = 0; i < 4; i++)
		text_fini(&runs[i].calls);
	return 0;
}
