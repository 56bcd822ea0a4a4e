/* rare.h -- what the way of a query is compiled as (docs/decisions/0015-the-way-of-a-query-is-one-function.md).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_RARE_H
#define DNSD_RARE_H

#include <stdbool.h>

/* Few queries come there, and the others are not to carry it. */
#define RARE __attribute__((noinline))
/* Nearly all do. */
#define ALWAYS __attribute__((always_inline))

/* if (rarely(...)): few queries leave there.  Where many leave, the compiler thinks that few stay, and makes what follows small
 * and slow. */
ALWAYS static inline bool rarely(bool it_is) { return __builtin_expect(it_is, false) != 0; }

#endif
