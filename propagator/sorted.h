/* sorted.h -- where a name stands, or belongs, in a list that is in the order of its names.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SORTED_H
#define PROPAGATOR_SORTED_H

#include <stdbool.h>
#include <stddef.h>

/* The name of number i of the list. */
typedef const char *sorted_name_fn(const void *list, size_t i);

/* Names in byte order, each once. */
size_t sorted_place(const void *list, size_t count, sorted_name_fn *name_at, const char *name,
                    bool *found);

#endif
