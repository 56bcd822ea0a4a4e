/* cluster_inside.h -- what the parts of the cloud and its clusters share.
 *
 * For tests/e2e/support/cloud.c and cluster*.c alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_CLUSTER_INSIDE_H
#define TESTS_E2E_SUPPORT_CLUSTER_INSIDE_H

#include <curl/curl.h>
#include <sys/types.h>

#include "base/text.h"
#include "tests/support/watcher_authority.h"
#include "tests/e2e/support/cluster.h"

enum { CLUSTERS_MOST = 80, ARGS_MOST = 40 };

struct cluster {
	struct cloud *cloud;
	char name[32], address[32], url[64];
	unsigned port;
	bool has_controllers, is_paused;
	pid_t server, controllers, workloads; /* 0: not running */
	CURL *curl;
	struct text body;
};

struct cloud {
	char dir[128];
	const char *network; /* the first three numbers of its addresses */
	struct authority *authority;
	unsigned etcd_port, peer_port;
	pid_t etcd;
	struct cluster *cluster[CLUSTERS_MOST];
	size_t count;
	struct text path;
};

/* A program of $KUBEBUILDER_ASSETS, argv[0] its name; its words go behind those of FOLDER/NAME.log. */
pid_t cloud_run(struct cloud *c, const char *const *argv, const char *name);
/* False: it has ended by itself, and *pid is 0 now. */
bool cloud_lives(pid_t *pid);
/* SIGKILL, and gone. */
void cloud_end(pid_t *pid);
/* One that nobody has, on that address. */
unsigned cloud_free_port(const char *address);
/* To the standard error, the end of FOLDER/NAME.log. */
void cloud_show_log(struct cloud *c, const char *name);
void cluster_free(struct cluster *c);

#endif
