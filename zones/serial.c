/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/serial.h"

uint32_t serial_next(uint32_t last, int64_t unix_s)
{
	uint32_t now = (uint32_t)unix_s, more = last + 1;
	/* RFC 1982 3.2: ahead when less than half the circle lies between. */
	uint32_t next = last == 0 || now - more < UINT32_C(0x80000000) ? now : more;

	return next ? next : 1;
}

bool serial_is_after(uint32_t a, uint32_t b)
{
	uint32_t apart = a - b;

	return apart != 0 && apart < 1U << 31;
}

uint32_t serial_at_least(uint32_t serial, uint32_t least)
{
	return least != 0 && least - serial < UINT32_C(0x80000000) ? least : serial;
}
