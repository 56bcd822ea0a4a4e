/* check.h -- invariants that stay on in production.
 *
 * CHECK is for what cannot happen: a broken invariant, an impossible value, no
 * memory.  It prints expression and place to stderr and aborts.  What comes
 * from a network, a file, an API server or a person is never CHECKed.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define CHECK(expr) ((expr) ? (void)0 : check_failed(#expr, __FILE__, __LINE__))

_Noreturn void check_failed(const char *expr, const char *file, int line);

#endif
