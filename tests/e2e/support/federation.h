/* federation.h -- a host cluster, members and nigh-propagator between them.
 *
 * The program is $PROPAGATOR.  A fault ends the test and shows the end of its log.  One thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_FEDERATION_H
#define TESTS_E2E_SUPPORT_FEDERATION_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "tests/e2e/support/cloud.h"
#include "tests/e2e/support/gate.h"
#include "tests/e2e/support/objects.h"

enum { FEDERATION_MEMBERS_MOST = 64 };

struct federation {
	struct cloud *cloud;
	struct cluster *host;
	struct cluster *members
		[FEDERATION_MEMBERS_MOST]; /* gondor, rohan, shire, mordor; or c00, c01 ... */
	struct gate *gates[FEDERATION_MEMBERS_MOST], *host_gate; /* NULL: none */
	unsigned count;
	pid_t propagator; /* 0: it does not run */
	unsigned runs;
	bool publish_sites;   /* at the next start */
	char kubeconfig[200]; /* of the host's administrator */
	char way[200];        /* the program's */
	struct buffer said;   /* by nighctl */
};

/* Servers that are ready, KubeFed's kinds on the host, and the members joined. */
struct federation *federation_new(unsigned members);
void federation_free(struct federation *f);

/* The same, and no member is joined. */
struct federation *federation_new_alone(unsigned members);
/* The same, and the host knows none of KubeFed's kinds. */
struct federation *federation_new_bare(unsigned members);
/* As federation_new(), with up to FEDERATION_MEMBERS_MOST members instead of 4, and no controllers in any cluster. */
struct federation *federation_new_many(unsigned members);

/* From now on the program reaches that member, or from its next start on the host, through a gate; it goes with `f`. */
struct gate *federation_gate(struct federation *f, unsigned member);
struct gate *federation_gate_host(struct federation *f);

/* Runs nighctl at the host, $NIGHCTL; it must end with that status.  What it said on both streams is good until the
 * next call; `words` end with NULL. */
const char *federation_run(struct federation *f, int status, const char *const *words);
/* The same, and it must say `text`. */
void federation_expect(struct federation *f, int status, const char *text,
                       const char *const *words);

/* The words of a call. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* A kubeconfig of whoever has that token in the cluster (ADMIN_TOKEN: its administrator); good until the next call. */
const char *federation_way_to(struct federation *f, struct cluster *c, const char *token);
/* nighctl join, as the member's administrator; `flag` (NULL: none) besides. */
void federation_join(struct federation *f, struct cluster *member, const char *flag);

/* The FederatedConfigMap shop/settings, placed everywhere; `data`: "a: one". */
void federation_put_settings(struct federation *f, const char *data);

/* The KubeFedConfig, of that scope, with health checked each second. */
void federation_put_config(struct federation *f, const char *scope);

/* nighctl federate enable NAME ("deployments.apps", "configmaps"). */
void federation_enable(struct federation *f, const char *name);
/* The definition of FederatedDeployments becomes one as KubeFed made it: of a condition it keeps no message. */
void federation_kind_of_kubefed(struct federation *f);
/* A namespace of the host that is federated to all members. */
void federation_namespace(struct federation *f, const char *name);

/* Another one, which may lead or wait; `propagator` is its process. */
void federation_start(struct federation *f);
/* Waits until the one that was started last has said that. */
void federation_expect_log(struct federation *f, const char *text, unsigned within_ms);
void federation_kill(struct federation *f); /* SIGKILL */
void federation_stop(struct federation *f); /* SIGTERM; it must end with status 0 */

/* From its next start on it has what deploy/kubernetes/propagator, which was applied, lets it: its service account's token, for an hour. */
void federation_be_packaged(struct federation *f);

/* A fixture's teardown, where *state is the federation alone. */
int federation_teardown(void **state);
/* A fixture's setup: two members that are not joined, with health looked at each second, types namespaces and cm, and the program. */
int federation_setup_config_maps(void **state);

#endif
