/* random.h -- randomness from the kernel (getrandom(2)); aborts when there is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);
uint64_t random_u64(void);
/* Uniform in 0 .. bound-1; bound 0 gives 0. */
uint32_t random_below(uint32_t bound);

#endif
