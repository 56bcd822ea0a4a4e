/* cloud.h -- what the clusters of an end-to-end test share: a folder, a certificate authority and one real etcd.
 *
 * Programs come from $KUBEBUILDER_ASSETS, ports from the kernel.  Everything dies with the thread that made the cloud, also
 * when that is killed.  The servers run with a lower priority than nighd, who has processors of its own where it
 * works.  A fault ends the test and shows the words of whom it concerns.  One thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_CLOUD_H
#define TESTS_E2E_SUPPORT_CLOUD_H

#include "tests/e2e/support/cluster.h"

struct cloud *cloud_new(void);
/* The same, with its API servers at NETWORK.1, NETWORK.2 ..., which must be there; as long as the cloud. */
struct cloud *cloud_new_at(const char *network);
/* Kills its clusters and etcd, and removes the folder. */
void cloud_free(struct cloud *c);
/* In the folder; good until the next call. */
const char *cloud_path(struct cloud *c, const char *name);
/* A certificate and key of the cloud's authority for a replica of nighd: NAME.crt and NAME.key in the folder, beside ca.crt. */
void cloud_issue_replica(struct cloud *c, const char *name, const char *dns_name);
/* Forgets all old revisions: who has not seen them yet must list again. */
void cloud_compact(struct cloud *c);
pid_t cloud_etcd(const struct cloud *c); /* its process */
/* SIGKILL; and from its files again, until it is healthy. */
void cloud_restart_etcd(struct cloud *c);

#endif
