/* flags.h -- the command line of nigh-propagator. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_FLAGS_H
#define PROPAGATOR_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define KUBEFED_CONFIG "kubefed" /* the name of the KubeFedConfig that is read */

/* The texts are those of the command line. */
struct flags {
	const char *kubeconfig, *context; /* of the host cluster; NULL context: the current one */
	bool in_cluster;                  /* it is where this process runs as a pod */
	const char *namespace;            /* KubeFed's */
	bool publish_sites;               /* DNSEndpoints for edges */
	struct addr http;
	uint16_t http_port;
};

/* Returns -1 to go on, else the exit status; what is wrong is on stderr. */
int flags_read(int argc, char **argv, struct flags *out);

#endif
