/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/picture.h"

#include <json-c/json_object.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/world_inside.h"

#define TYPES   "types.kubefed.io/v1beta1"
#define MANAGED "?labelSelector=kubefed.io%2Fmanaged%3Dtrue"

static const char *const of_members[] = {"/api/v1/namespaces" MANAGED,
                                         "/api/v1/services" MANAGED,
                                         "/api/v1/configmaps" MANAGED,
                                         "/api/v1/secrets" MANAGED,
                                         "/api/v1/serviceaccounts" MANAGED,
                                         "/apis/apps/v1/deployments" MANAGED,
                                         "/apis/apps/v1/replicasets" MANAGED,
                                         "/apis/batch/v1/jobs" MANAGED,
                                         "/apis/networking.k8s.io/v1/ingresses" MANAGED,
                                         "/apis/rbac.authorization.k8s.io/v1/clusterroles" MANAGED,
                                         NULL};
static const char *const of_host[] = {"/apis/" TYPES "/federatednamespaces",
                                      "/apis/" TYPES "/federateddeployments",
                                      "/apis/" TYPES "/federatedservices",
                                      "/apis/" TYPES "/federatedconfigmaps",
                                      "/apis/" TYPES "/federatedsecrets",
                                      "/apis/" TYPES "/federatedserviceaccounts",
                                      "/apis/" TYPES "/federatedjobs",
                                      "/apis/" TYPES "/federatedreplicasets",
                                      "/apis/" TYPES "/federatedingresses",
                                      "/apis/" TYPES "/federatedclusterroles",
                                      "/apis/core.kubefed.io/v1beta1/federatedtypeconfigs",
                                      "/apis/core.kubefed.io/v1beta1/kubefedconfigs",
                                      "/apis/scheduling.kubefed.io/v1alpha1/"
                                      "replicaschedulingpreferences",
                                      NULL};

static const char *const of_versions[] = {
	"/apis/core.kubefed.io/v1alpha1/propagatedversions",
	"/apis/core.kubefed.io/v1alpha1/clusterpropagatedversions",
	"/apis/core.kubefed.io/v1alpha1/federatedservicestatuses", NULL};

void picture_forget(struct picture *p)
{
	json_object_put(p->host);
	json_object_put(p->versions);
	for (unsigned i = 0; i < FEDERATION_MEMBERS_MOST; i++)
		json_object_put(p->member[i]);
	*p = (struct picture){0};
}

void picture_take(struct picture *p, struct federation *f)
{
	picture_forget(p);
	p->host = snapshot_take(f->host, of_host);
	p->versions = snapshot_take(f->host, of_versions);
	for (unsigned i = 0; i < f->count; i++)
		p->member[i] = snapshot_take(f->members[i], of_members);
}

bool picture_same(const struct picture *before, const struct picture *now,
                  const struct snapshot_rule *host, const struct snapshot_rule *versions,
                  const struct snapshot_rule *members, struct text *out)
{
	bool same = snapshot_same(before->host, now->host, host, out);

	same &= snapshot_same(before->versions, now->versions, versions, out);
	for (unsigned i = 0; i < FEDERATION_MEMBERS_MOST; i++)
		same &= snapshot_same(before->member[i], now->member[i], members, out);
	return same;
}

void picture_await_calm(struct picture *p, struct federation *f, unsigned calm_s,
                        unsigned within_ms)
{
	static const char *const nothing[] = {NULL};
	static const struct snapshot_rule exactly = {nothing, false, false};
	struct deadline deadline = inside_deadline(within_ms);
	struct text differences = {0};
	struct picture now = {0};

	do {
		if (!inside_has_time(deadline))
			fail_msg("there is no calm within %u ms: %s", within_ms, differences.data);
		text_reset(&differences);
		picture_take(p, f);
		sleep(calm_s);
		picture_take(&now, f);
	} while (!picture_same(p, &now, &exactly, &exactly, &exactly, &differences));
	picture_forget(&now);
	text_fini(&differences);
}
