/* overview_federation.h -- the /status of nigh-propagator as tables: who leads, members, types, preferences.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_OVERVIEW_FEDERATION_H
#define CTL_OVERVIEW_FEDERATION_H

#include <stdbool.h>

#include "base/text.h"

struct json_object;

/* Is it nigh-propagator's, not nighd's? */
bool overview_federation_is(struct json_object *status);
/* All but its errors. */
void overview_federation_print(struct json_object *status, struct text *out);

#endif
