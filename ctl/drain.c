/* drain.c -- nighctl drain and undrain: what to write where no API server keeps the cluster. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <ctype.h>
#include <string.h>

#include "ctl/command.h"

enum { NAME_MOST = 253 };

/* The name of a Kubernetes object (RFC 1123 subdomain). */
static bool is_cluster_name(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > NAME_MOST || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[len - 1]))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static int tell(const struct command *c, const char *state, const char *value)
{
	const char *cluster = c->args[0];

	if (!is_cluster_name(cluster)) {
		command_fail(c, "'%s' is not the name of a cluster", cluster);
		return COMMAND_USAGE;
	}
	fflush(stdout);
	fprintf(stderr,
	        "%s: clusters of manifest folders are %s in their file: below metadata.annotations "
	        "of\n"
	        "KubeFedCluster %s, in the folder host/, write\n",
	        c->program, state, cluster);
	printf("nigh.dev/drain: \"%s\"\n", value);
	return COMMAND_FAILED;
}

int drain_run(const struct command *c)
{
	const char *cluster = c->args[0];
	int status = tell(c, "drained", "true");

	fflush(stdout);
	if (status == COMMAND_FAILED)
		fprintf(stderr,
		        "(no KubeFedCluster %s yet? a file with: "
		        "apiVersion: core.kubefed.io/v1beta1, kind: KubeFedCluster, "
		        "metadata: {name: %s, annotations: {nigh.dev/drain: \"true\"}})\n",
		        cluster, cluster);
	return status;
}

int drain_undo_run(const struct command *c) { return tell(c, "put to work again", "false"); }
