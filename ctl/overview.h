/* overview.h -- /status as tables: clusters, zones, held guards, errors, conflicts. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_OVERVIEW_H
#define CTL_OVERVIEW_H

#include <stdbool.h>

#include "base/text.h"

struct json_object;

/* `wide` adds the columns that most people do not need. */
void overview_print(struct json_object *status, bool wide, struct text *out);

#endif
