/* geo_trial.h -- reads the files of `geo` to see what is wrong with them: all of it, for nighd --check. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_GEO_TRIAL_H
#define DNSD_GEO_TRIAL_H

#include "dnsd/config.h"

/* Lines that say where they are by themselves (`file` NULL), or but for the file they are of. */
typedef void geo_trial_tell_fn(void *arg, const char *file, const char *lines);
void geo_trial(const struct config *c, geo_trial_tell_fn *tell, void *arg);

#endif
