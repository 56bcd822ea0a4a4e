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

uint32_t serial_next_of_file(uint32_t last, uint32_t of_file, int64_t unix_s)
{
	uint32_t next = serial_next(last, unix_s);

	return of_file != 0 && serial_is_after(of_file, last != 0 ? last : next) ? of_file : next;
}
