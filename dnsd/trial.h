/* trial.h -- --check: reads everything that a config names, once, and tells what is wrong.
 *
 * Wiring: the stages of the pipeline, one after the other, without a socket and
 * without state.  Blocks; for a process that does nothing else.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TRIAL_H
#define DNSD_TRIAL_H

#include <stdbool.h>

#include "base/text.h"
#include "dnsd/config.h"

/* What a start reads once root is given up is read by the config's `user`, which this process is from then on.
 * Without a config file, and with one file for a folder of manifests, that file is looked at by itself: what refers to
 * other objects, such as a name to its zone, is taken for good.
 * An error is what would not be served as it was written; a warning is what is, though perhaps not as it was
 * meant.  A line each, those of warnings with the word. False: there were errors. */
bool trial_run(const struct config *config, struct text *told);

#endif
