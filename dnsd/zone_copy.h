/* zone_copy.h -- where the state keeps what zones' files were when they had no error: STATE/zones/NAME.
 *
 * Writing and reading is the thread pool's; names and removal are the control thread's.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ZONE_COPY_H
#define DNSD_ZONE_COPY_H

#include <stdint.h>

#include "base/err.h"
#include "zones/zonefile.h"

/* The file for a zone (in presentation form) in the state directory, to be freed; NULL: there is none to be, as for a NULL `state`
 * and for a name too long for a file's. */
char *zone_copy_path(const char *state, const char *zone);
/* zonefile_copy() to there (with records); makes the folder. */
enum err zone_copy_write(const struct zonefile *z, const char *path, struct reason *why) MUST_CHECK;
/* When it was written, Unix seconds; 0: it is not there. */
int64_t zone_copy_time(const char *path);

#endif
