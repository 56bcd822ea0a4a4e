/* fuzz_saved.c -- any bytes as a base and as a journal of saved state. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "records/facts.h"
#include "watcher/saved_file.h"
#include "watcher/saved_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const struct saved_file_record *record, void *arg)
{
	saved_state_apply(arg, record);
}

/* What was kept is looked into as records would. */
static void decode(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct fact_value v;

	(void)cluster;
	(void)fact_decode(fact, arg, &v);
}

/* Also what no check sum covers, so that the records themselves are tried. */
static void apply_all(struct bytes file)
{
	struct facts *facts = facts_new();
	struct arena *a = arena_new();
	struct saved_state *state = saved_state_new(facts);

	saved_file_each(file, apply, state);
	for (uint16_t id = 0; id < facts_cluster_count(facts); id++)
		facts_each(facts, id, 0, decode, a);
	arena_free(a);
	saved_state_free(state);
	facts_free(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes file = {data, size};
	struct saved_file_header header;
	enum saved_file_tail tail;
	struct reason why;
	size_t len;

	if (saved_file_check_base(file, &header, &why) != ERR_OK)
		CHECK(why.text[0] != '\0');
	if (saved_file_check_journal(file, &header, &len, &tail, &why) == ERR_OK) {
		CHECK(len <= size && (len == size) == (tail == SAVED_FILE_WHOLE));
		file.len = len;
		CHECK(saved_file_check_journal(file, &header, &len, &tail, &why) == ERR_OK);
		CHECK(len == file.len && tail == SAVED_FILE_WHOLE);
		file.len = size;
	}
	apply_all(file);
	return 0;
}
