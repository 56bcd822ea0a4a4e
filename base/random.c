/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/check.h"

void random_bytes(void *out, size_t len)
{
	unsigned char *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		CHECK(got > 0 || (got < 0 && errno == EINTR));
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		}
	}
}

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

/* The upper half of 32 random bits times bound; draws from the uneven rest are
 * thrown away (Lemire 2019). */
uint32_t random_below(uint32_t bound)
{
	uint32_t uneven, draw;
	uint64_t product;

	if (bound == 0)
		return 0;
	uneven = -bound % bound;
	do {
		random_bytes(&draw, sizeof(draw));
		product = (uint64_t)draw * bound;
	} while ((uint32_t)product < uneven);
	return (uint32_t)(product >> 32);
}
