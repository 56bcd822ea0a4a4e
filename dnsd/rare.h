/* rare.h -- what the way of a query is compiled as (docs/decisions/0015-the-way-of-a-query-is-one-function.md).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_RARE_H
#define DNSD_RARE_H

/* Few queries come there, and the others are not to carry it. */
#define RARE __attribute__((noinline))
/* Nearly all do. */
#define ALWAYS __attribute__((always_inline))

#endif
