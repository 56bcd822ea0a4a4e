/* svcb.h -- the parameters of SVCB and HTTPS records (RFC 9460), as wire form must have them.
 *
 * ldns turns the text into bytes but neither orders nor checks them.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_SVCB_H
#define ZONES_SVCB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Puts the parameters of the RDATA into the order of their keys (RFC 9460 2.2) and checks
 * them: no key twice, values of the known keys well formed, mandatory keys present, none
 * beside priority 0. */
enum err svcb_normalize(uint8_t *rdata, size_t len, struct reason *why) MUST_CHECK;

#endif
