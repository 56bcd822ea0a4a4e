/* options.h -- the settings of nigh-propagator: nigh-propagator.yaml(5), in which flags replace keys. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_OPTIONS_H
#define PROPAGATOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/text.h"

struct options_at {
	struct addr addr; /* of ADDR_NONE: none */
	uint16_t port;    /* 0: the kernel chooses */
};

/* All pointers are owned; NULL: not set. */
struct options {
	char *kubeconfig, *context;     /* of the host cluster; no context: the current one */
	bool in_cluster;                /* it is where this process runs as a pod */
	char *namespace;                /* KubeFed's */
	bool publish_sites;             /* DNSEndpoints for edges */
	uint64_t member_mebibytes;      /* that are kept of the objects of one member */
	char *nighd_namespace;          /* where nighd's pods are */
	struct conf_strings nighd_urls; /* of nighds that are asked instead */
	struct options_at http;
	struct options_at webhook;
	char *certificate, *key; /* of the webhook: files */
	int log_level, log_format;
};

/* The defaults, over them what is in `file` (NULL: none).  Every error is a line "FILE:LINE: text"; ERR_OK only without
 * errors.  What is missing altogether is not said: options_check(). */
enum err options_read(const char *file, struct options *out, struct text *errors) MUST_CHECK;
/* What else must be so, in words of flags and keys. */
enum err options_check(const struct options *c, struct reason *why) MUST_CHECK;
/* As YAML that reads back to the same. */
void options_print(const struct options *c, struct text *out);
/* The keys as nigh-propagator.yaml(5) has them. */
void options_manual(struct text *out);
void options_fini(struct options *c);

#endif
