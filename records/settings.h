/* settings.h -- a copy of the room's settings that owns its strings.
 *
 * Private to records.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_SETTINGS_H
#define RECORDS_SETTINGS_H

#include "base/arena.h"
#include "records/build.h"

struct records_settings settings_copy(struct arena *a, const struct records_settings *s);

#endif
