/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/proxy.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

/* "The PROXY protocol", version 2, section 2.2. */
static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

enum { LOCAL = 0x20, PROXY = 0x21 };                                        /* byte 12 */
enum { UNSPEC = 0x00, TCP4 = 0x11, UDP4 = 0x12, TCP6 = 0x21, UDP6 = 0x22 }; /* byte 13 */

/* How long the addresses of a family are, 0 for none; false: a family with which we can do nothing. */
static bool find_block(uint8_t family, size_t *len)
{
	switch (family) {
	case UNSPEC:
		*len = 0;
		return true;
	case TCP4:
	case UDP4:
		*len = 4 + 4 + 2 + 2;
		return true;
	case TCP6:
	case UDP6:
		*len = 16 + 16 + 2 + 2;
		return true;
	default:
		return false;
	}
}

/* Source and destination address, then their ports. */
static void read_client(const uint8_t *block, bool is_v6, struct proxy *out)
{
	size_t len = is_v6 ? 16 : 4;
	struct addr source = {.family = is_v6 ? ADDR_IPV6 : ADDR_IPV4};

	memcpy(source.bytes, block, len);
	out->client = addr_unmapped(&source);
	out->port = bytes_get16(block + 2 * len);
}

enum proxy_result proxy_parse(const uint8_t *data, size_t len, struct proxy *out)
{
	size_t begun = len < sizeof signature ? len : sizeof signature;
	size_t rest, block = 0;

	if (begun > 0 && memcmp(data, signature, begun) != 0)
		return PROXY_BROKEN;
	if (len > 12 && data[12] != LOCAL && data[12] != PROXY)
		return PROXY_BROKEN;
	/* With LOCAL, the family is to be ignored. */
	if (len > 13 && data[12] == PROXY && !find_block(data[13], &block))
		return PROXY_BROKEN;
	if (len < PROXY_FIXED_LEN)
		return PROXY_MORE;
	rest = bytes_get16(data + 14);
	if (rest < block || rest > PROXY_MAX_LEN - PROXY_FIXED_LEN)
		return PROXY_BROKEN;
	if (len - PROXY_FIXED_LEN < rest)
		return PROXY_MORE;
	*out = (struct proxy){.len = PROXY_FIXED_LEN + rest};
	if (block > 0)
		read_client(data + PROXY_FIXED_LEN, block > 12, out);
	return PROXY_WHOLE;
}
