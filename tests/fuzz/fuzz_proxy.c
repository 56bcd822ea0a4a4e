/* fuzz_proxy.c -- any bytes as a PROXY header: the same verdict in pieces as at once. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "dnsd/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_whole(const struct proxy *p, size_t size)
{
	struct addr unmapped = addr_unmapped(&p->client);

	CHECK(p->len >= PROXY_FIXED_LEN && p->len <= PROXY_MAX_LEN && p->len <= size);
	CHECK(addr_equal(&p->client, &unmapped));
	CHECK(p->client.family != ADDR_NONE || p->port == 0);
}

/* A stream that comes byte by byte: MORE until it is decided, and then it stays so. */
static void check_pieces(const uint8_t *data, size_t size, enum proxy_result last, size_t whole_len)
{
	enum proxy_result before = PROXY_MORE;
	size_t most = size < PROXY_MAX_LEN ? size : PROXY_MAX_LEN;

	for (size_t len = 0; len <= most; len++) {
		struct proxy p;
		enum proxy_result now = proxy_parse(data, len, &p);

		CHECK(before == PROXY_MORE || now == before);
		CHECK(now != PROXY_WHOLE || (len >= whole_len && p.len == whole_len));
		before = now;
	}
	CHECK(before == last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy p = {0};
	enum proxy_result result = proxy_parse(data, size, &p);

	CHECK(size < PROXY_MAX_LEN || result != PROXY_MORE);
	if (result == PROXY_WHOLE)
		check_whole(&p, size);
	check_pieces(data, size, result, p.len);
	return 0;
}
