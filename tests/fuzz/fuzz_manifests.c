/* fuzz_manifests.c -- any bytes as a manifest file, of the host and of a member. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "watcher/manifests_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken can be read again, has a name and stands on a line. */
static void check_objects(const struct manifests_file *file)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < file->count; i++) {
		struct fact_value value;

		CHECK(fact_decode(file->objects[i].fact, a, &value));
		CHECK(value.name.len > 0 && !memchr(value.name.data, '\n', value.name.len));
		CHECK(file->objects[i].line > 0);
		CHECK(manifests_file_of(&file->objects[i]) == file);
		arena_reset(a);
	}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum decode_role roles[] = {DECODE_HOST, DECODE_MEMBER};

	for (size_t i = 0; i < 2; i++) {
		struct manifests_source source = {.path = "fuzz.yaml", .role = roles[i]};
		struct manifests_file *file =
			manifests_file_parse(&source, (struct bytes){data, size});

		CHECK(!file->error || file->count == 0);
		CHECK(file->was_good == !file->error);
		check_objects(file);
		manifests_file_unref(file);
	}
	return 0;
}
