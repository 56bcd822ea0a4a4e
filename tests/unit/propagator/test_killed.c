/* A leader killed with -9 between any two writes: what is in the members, and what is recorded of it.
 *
 * What is on the host alone is in test_killed_host.c; the Lease is kube's (test_lease.c).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/propagator_murder.h"

#define WEB         "shop/web"
#define VERSION     "shop/deployment-web"
#define PREFERENCES "/apis/scheduling.kubefed.io/v1alpha1/replicaschedulingpreferences"

#define IN_GONDOR 1, FAKEAPI_DEPLOYMENTS, WEB
#define IN_ROHAN  2, FAKEAPI_DEPLOYMENTS, WEB
#define FEDERATED 0, WORLD_FEDERATED_DEPLOYMENTS, WEB
#define RECORDED  0, WORLD_VERSIONS, VERSION

#define ABOUT_WEB                                                                                  \
	{                                                                                          \
		"/deployments/web", "/federateddeployments/web", "/propagatedversions"             \
	}

/* --- a life --- */

/* Created, changed and taken from a cluster, deleted. */
static void live(struct murder *m)
{
	struct propagator_world *w = m->w;

	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	MURDER_EXPECT(m, {IN_GONDOR, "\"replicas\":1"}, {IN_ROHAN, "\"replicas\":1"},
	              {RECORDED,
	               "[{\"clusterName\":\"gondor\",\"version\":\"gen:1\"},{\"clusterName\":"
	               "\"rohan\",\"version\":\"gen:1\"}]"},
	              {FEDERATED, "\"status\":\"True\""});
	propagator_world_deployment(w, "web", 2, "'placement':{'clusters':[{'name':'gondor'}]}");
	MURDER_EXPECT(m, {IN_GONDOR, "\"replicas\":2"}, {IN_GONDOR, "\"generation\":2"},
	              {IN_ROHAN, "!"},
	              {RECORDED, "[{\"clusterName\":\"gondor\",\"version\":\"gen:2\"}]"},
	              {FEDERATED, "\"clusters\":[{\"name\":\"gondor\"}]"},
	              {FEDERATED, "\"status\":\"True\""});
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	MURDER_EXPECT(m, {FEDERATED, "!"}, {IN_GONDOR, "!"}, {IN_ROHAN, "!"},
	              {1, FAKEAPI_NAMESPACES, "shop", "kubefed.io/managed"},
	              {2, FAKEAPI_NAMESPACES, "shop", "kubefed.io/managed"},
	              {0, WORLD_FEDERATED_NAMESPACES, "shop/shop", "\"status\":\"True\""});
}

/* --- an end that leaves all where it is --- */

static void orphan(struct murder *m)
{
	struct propagator_world *w = m->w;

	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	MURDER_EXPECT(m, {IN_GONDOR, "\"replicas\":1"}, {IN_ROHAN, "\"replicas\":1"},
	              {FEDERATED, "\"status\":\"True\""});
	fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB,
	             "{'metadata':{'annotations':{'kubefed.io/orphan':'true'}}}");
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	MURDER_EXPECT(m, {FEDERATED, "!"}, {IN_GONDOR, "!\"kubefed.io/managed\":\"true\""},
	              {IN_GONDOR, "\"replicas\":1"}, {IN_ROHAN, "!\"kubefed.io/managed\":\"true\""},
	              {IN_ROHAN, "\"replicas\":1"});
}

/* --- what KubeFed has left --- */

/* It has written minReadySeconds, which the template does not say any more. */
static void leave_by_kubefed(struct propagator_world *w)
{
	for (unsigned i = 0; i < MURDER_MEMBERS; i++)
		fakeapi_put(
			w->members[i], FAKEAPI_DEPLOYMENTS,
			"{'metadata':{'name':'web','namespace':'shop','generation':1,'labels':{"
			"'kubefed.io/managed':'true'},'managedFields':[{'manager':"
			"'controller-manager','operation':'Update','apiVersion':'apps/v1','time':"
			"'2026-01-01T00:00:00Z','fieldsType':'FieldsV1','fieldsV1':{'f:metadata':{"
			"'f:labels':{'f:kubefed.io/managed':{}}},'f:spec':{'f:replicas':{},"
			"'f:minReadySeconds':{}}}}]},'spec':{'replicas':1,'minReadySeconds':5}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
}

static void take_over(struct murder *m)
{
	MURDER_EXPECT(m, {IN_GONDOR, "!minReadySeconds"}, {IN_GONDOR, "!controller-manager"},
	              {IN_ROHAN, "!minReadySeconds"}, {IN_ROHAN, "!controller-manager"},
	              {RECORDED, "[{\"clusterName\":\"gondor\",\"version\":\"gen:3\"},"
	                         "{\"clusterName\":\"rohan\",\"version\":\"gen:3\"}]"},
	              {FEDERATED, "\"status\":\"True\""});
}

/* --- a preference --- */

static void prefer(struct propagator_world *w, int total)
{
	fakeapi_put(w->host, PREFERENCES,
	            "{'metadata':{'name':'web','namespace':'shop'},'spec':{'targetKind':"
	            "'FederatedDeployment','totalReplicas':%d,'clusters':{'gondor':{'weight':2},"
	            "'rohan':{'weight':1}}}}",
	            total);
}

static void begin_to_prefer(struct propagator_world *w)
{
	fakeapi_register(w->host, PREFERENCES, "ReplicaSchedulingPreference", true);
	prefer(w, 9);
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
}

/* Planned, ready, and planned anew; no copy ever has another number than the plans say. */
static void spread(struct murder *m)
{
	struct propagator_world *w = m->w;

	MURDER_EXPECT(m, {IN_GONDOR, "\"replicas\":6"}, {IN_ROHAN, "\"replicas\":3"},
	              {FEDERATED, "\"generation\":2"}, {FEDERATED, "\"status\":\"True\""});
	fakeapi_edit(w->members[0], FAKEAPI_DEPLOYMENTS, WEB, "{'status':{'readyReplicas':6}}");
	fakeapi_edit(w->members[1], FAKEAPI_DEPLOYMENTS, WEB, "{'status':{'readyReplicas':3}}");
	prefer(w, 12);
	MURDER_EXPECT(m, {IN_GONDOR, "\"replicas\":8"}, {IN_ROHAN, "\"replicas\":4"},
	              {IN_GONDOR, "\"generation\":2"}, {IN_ROHAN, "\"generation\":2"},
	              {FEDERATED, "\"generation\":3"},
	              {RECORDED, "[{\"clusterName\":\"gondor\",\"version\":\"gen:2\"},"
	                         "{\"clusterName\":\"rohan\",\"version\":\"gen:2\"}]"},
	              {FEDERATED, "\"status\":\"True\""});
}

/* --- statuses of the copies --- */

static void collect(struct propagator_world *w)
{
	fakeapi_edit(w->host, WORLD_TYPES, WORLD_FEDERATION "/deployments.apps",
	             "{'spec':{'statusCollection':'Enabled'}}");
	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
}

static void report(struct murder *m)
{
	MURDER_EXPECT(m, {IN_GONDOR, "\"replicas\":1"}, {IN_ROHAN, "\"replicas\":1"});
	for (unsigned i = 0; i < MURDER_MEMBERS; i++)
		fakeapi_edit(m->w->members[i], FAKEAPI_DEPLOYMENTS, WEB,
		             "{'status':{'readyReplicas':%u}}", 7 + i);
	MURDER_EXPECT(m, {FEDERATED, "\"readyReplicas\":7"}, {FEDERATED, "\"readyReplicas\":8"},
	              {FEDERATED, "\"status\":\"True\""});
}

int main(int argc, char **argv)
{
	static const struct murder_story stories[] = {
		{.name = "an object that lives is the same wherever its leader died",
	         .live = live,
	         .least = 30,
	         .changes = {{IN_GONDOR, 3},
	                     {IN_ROHAN, 2},
	                     {1, FAKEAPI_NAMESPACES, "shop", 1},
	                     {2, FAKEAPI_NAMESPACES, "shop", 1}}},
		{.name = "an orphaned object loses its label once wherever its leader died",
	         .live = orphan,
	         .about = ABOUT_WEB,
	         .least = 7,
	         .changes = {{IN_GONDOR, 2}, {IN_ROHAN, 2}}},
		{.name = "fields of KubeFed are taken over once wherever the leader died",
	         .prepare = leave_by_kubefed,
	         .live = take_over,
	         .about = ABOUT_WEB,
	         .least = 9,
	         .changes = {{IN_GONDOR, 4}, {IN_ROHAN, 4}}},
		{.name = "a preference moves no replica twice wherever its leader died",
	         .prepare = begin_to_prefer,
	         .live = spread,
	         .about = ABOUT_WEB,
	         .least = 8,
	         .changes = {{IN_GONDOR, 3}, {IN_ROHAN, 3}}},
		{.name = "statuses of copies are collected wherever the leader died",
	         .prepare = collect,
	         .live = report,
	         .about = ABOUT_WEB,
	         .least = 6,
	         .changes = {{IN_GONDOR, 2}, {IN_ROHAN, 2}}},
	};

	return murder_main(argc, argv, "propagator/killed", stories,
	                   sizeof(stories) / sizeof(*stories));
}
