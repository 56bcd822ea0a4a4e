/* fuzz_peers.c -- any bytes as what another replica says: frames one after the other, printed again as they were. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "watcher/peers_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(struct bytes frame)
{
	struct buffer again = {0};
	struct peers_message m;
	struct vote_key key;
	enum vote_view view;
	size_t count = 0;

	if (!peers_message_parse(frame, &m))
		return;
	CHECK(m.kind == PEERS_HELLO || m.name.len == 0);
	for (size_t at = 0; peers_entry_next(m.entries, &at, &key, &view); count++)
		CHECK(view <= VOTE_DOWN);
	CHECK(count * PEERS_ENTRY == m.entries.len);
	peers_message_print(&m, &again);
	CHECK(again.len == frame.len && memcmp(again.data, frame.data, frame.len) == 0);
	buffer_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;

	for (size_t at = 0; at < size; at += len) {
		struct bytes left = {data + at, size - at};

		if (!peers_frame_length(left, &len) || len == 0 || len > left.len)
			break;
		check_message((struct bytes){left.data, len});
	}
	return 0;
}
