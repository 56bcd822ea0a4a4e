/* flags.h -- the command line of nigh-propagator: a file of options, and flags that replace its keys. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_FLAGS_H
#define PROPAGATOR_FLAGS_H

#include <stdbool.h>

#include "propagator/options.h"

#define KUBEFED_CONFIG "kubefed" /* the name of the KubeFedConfig that is read */

struct flags {
	struct options options;
	bool check, print; /* --check, --print-config: nothing is to be started */
};

/* Returns -1 to go on, else the exit status; what is wrong is on stderr. */
int flags_read(int argc, char **argv, struct flags *out);
void flags_fini(struct flags *f);

#endif
