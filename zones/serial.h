/* serial.h -- zones' serial numbers: they only go forward (RFC 1982).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_SERIAL_H
#define ZONES_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/* The serial after `last` (0: there was none): Unix time when that is ahead, else one more.  Never 0. */
uint32_t serial_next(uint32_t last, int64_t unix_s);
/* The same for a zone whose file has the serial `of_file` (0: none): that one when it is ahead. */
uint32_t serial_next_of_file(uint32_t last, uint32_t of_file, int64_t unix_s);

/* Does `a` come after `b`?  False where RFC 1982 3.2 does not say, half the circle apart. */
bool serial_is_after(uint32_t a, uint32_t b);

#endif
