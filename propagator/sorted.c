/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/sorted.h"

#include <string.h>

size_t sorted_place(const void *list, size_t count, sorted_name_fn *name_at, const char *name,
                    bool *found)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(name_at(list, middle), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < count && strcmp(name_at(list, low), name) == 0;
	return low;
}
