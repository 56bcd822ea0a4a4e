/* fuzz_takeover.c -- any bytes as a message of another nighd: what is read is written the same. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "dnsd/takeover_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int fd[TAKEOVER_ITEMS];
	static struct takeover_message m, again;
	uint8_t out[TAKEOVER_MESSAGE];
	size_t count = size > 10 ? data[10] : 0, len;

	if (takeover_decode((struct bytes){data, size}, fd, count, &m) != ERR_OK)
		return 0;
	CHECK(m.count == count && m.count <= TAKEOVER_ITEMS);
	len = takeover_encode(&m, out);
	CHECK(len == size);
	CHECK(takeover_decode((struct bytes){out, len}, fd, count, &again) == ERR_OK);
	CHECK(again.word == m.word && again.more == m.more && again.instance == m.instance);
	for (size_t i = 0; i < m.count; i++)
		CHECK(memcmp(&m.item[i].addr, &again.item[i].addr, sizeof m.item[i].addr) == 0);
	return 0;
}
