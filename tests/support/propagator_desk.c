/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/propagator_desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/support/fakeapi_inside.h"

#define NAMESPACE "kube-federation-system"
#define CORE      "/apis/core.kubefed.io/v1"

static const char *const names[DESK_MEMBERS] = {"gondor", "rohan"};

static uint64_t epoch_of(void *arg)
{
	(void)arg;
	return 1;
}

static void register_kinds(struct fakeapi *f)
{
	fakeapi_register(f, DESK_TYPES, "FederatedTypeConfig", true);
	fakeapi_register(f, DESK_FEDERATED, "FederatedDeployment", true);
	fakeapi_register(f, DESK_PREFERENCES, "ReplicaSchedulingPreference", true);
	fakeapi_register(f, "/apis/types.kubefed.io/v1beta1/federatednamespaces",
	                 "FederatedNamespace", true);
	fakeapi_register(f, CORE "alpha1/propagatedversions", "PropagatedVersion", true);
	fakeapi_register(f, CORE "alpha1/clusterpropagatedversions", "ClusterPropagatedVersion",
	                 false);
	fakeapi_register(f, DESK_EVENTS, "Event", true);
}

static void join(struct desk *d, size_t i)
{
	struct fakeapi *f = d->members[i] = fakeapi_new(NULL);
	char *token = tls_base64(fakeapi_token(f), strlen(fakeapi_token(f)));

	fakeapi_register(f, DESK_EVENTS, "Event", true);
	fakeapi_put(f, FAKEAPI_NAMESPACES, "{'metadata':{'name':'shop'}}");
	fakeapi_put(d->host->f, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'%s','namespace':'" NAMESPACE "'},'data':{'token':'%s'}}",
	            names[i], token);
	fakeapi_put(d->host->f, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'%s','namespace':'" NAMESPACE
	            "'},'spec':{'apiEndpoint':'%s','caBundle':'%s','secretRef':{'name':'%s'}}}",
	            names[i], fakeapi_url(f), fakeapi_ca_base64(f), names[i]);
	free(token);
}

static void enable(struct fakeapi *f, const char *name, const char *target, const char *federated,
                   const char *scope)
{
	fakeapi_put(f, DESK_TYPES,
	            "{'metadata':{'name':'%s','namespace':'" NAMESPACE
	            "','generation':1},'spec':{'propagation':'Enabled','targetType':{%s,"
	            "'scope':'%s'},'federatedType':{%s,'group':'types.kubefed.io','version':"
	            "'v1beta1','scope':'Namespaced'}}}",
	            name, target, scope, federated);
}

void desk_begin(struct desk *d)
{
	static char namespace[] = NAMESPACE;
	static const struct options options = {.namespace = namespace};
	const struct work_settings settings = {
		.loop = &d->host->loop,
		.host = d->host->client,
		.backoff = &d->backoff,
		.options = &options,
		.term = &d->term,
		.settings = &d->settings,
		.allow_loopback = true,
	};

	d->work = work_start(&settings);
}

int desk_setup(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));
	void *host;

	kube_server_setup(&host);
	d->host = host;
	register_kinds(d->host->f);
	for (size_t i = 0; i < DESK_MEMBERS; i++)
		join(d, i);
	enable(d->host->f, "namespaces",
	       "'version':'v1','kind':'Namespace','pluralName':'namespaces'",
	       "'kind':'FederatedNamespace','pluralName':'federatednamespaces'", "Cluster");
	enable(d->host->f, "deployments.apps",
	       "'group':'apps','version':'v1','kind':'Deployment','pluralName':'deployments'",
	       "'kind':'FederatedDeployment','pluralName':'federateddeployments'", "Namespaced");
	fakeapi_put(d->host->f, FAKEAPI_NAMESPACES, "{'metadata':{'name':'shop'}}");
	fakeapi_put(d->host->f, "/apis/types.kubefed.io/v1beta1/federatednamespaces",
	            "{'metadata':{'name':'shop','namespace':'shop'},'spec':{'template':{},"
	            "'placement':{'clusterSelector':{}}}}");
	d->settings = settings_initial();
	d->term = (struct dispatch_term){epoch_of, NULL};
	d->backoff.cap_ms = 1000;
	desk_begin(d);
	*state = d;
	return 0;
}

static void on_stopped(void *arg) { ((struct desk *)arg)->is_stopped = true; }

void desk_end(struct desk *d)
{
	d->is_stopped = false;
	work_stop(d->work, on_stopped, d);
	kube_server_turn_until(&d->host->loop, &d->is_stopped, DESK_SOON_MS);
}

int desk_teardown(void **state)
{
	struct desk *d = *state;
	void *host = d->host;

	desk_end(d);
	kube_server_teardown(&host);
	for (size_t i = 0; i < DESK_MEMBERS; i++)
		fakeapi_free(d->members[i]);
	free(d);
	return 0;
}

void desk_change_leader(struct desk *d)
{
	desk_end(d);
	desk_begin(d);
}

void desk_deployment(struct desk *d, int replicas)
{
	fakeapi_put(d->host->f, DESK_FEDERATED,
	            "{'metadata':{'name':'web','namespace':'shop','generation':1},'spec':{"
	            "'placement':{'clusterSelector':{}},'template':{'spec':{'replicas':%d,"
	            "'selector':{'matchLabels':{'app':'web'}},'template':{'metadata':{'labels':{"
	            "'app':'web'}}}}}}}",
	            replicas);
	for (size_t i = 0; i < DESK_MEMBERS; i++)
		desk_expect(d, d->members[i], FAKEAPI_DEPLOYMENTS, "shop/web",
		            "kubefed.io/managed");
}

void desk_turn(struct desk *d, unsigned ms) { kube_server_turn_for(&d->host->loop, ms); }

void desk_expect(struct desk *d, struct fakeapi *f, const char *resource, const char *object,
                 const char *text)
{
	uint64_t end_ms = clock_monotonic_ms() + DESK_SOON_MS;
	bool absent = *text == '!';
	const char *json;

	while (!(json = fakeapi_get(f, resource, object)) ||
	       (strstr(json, text + absent) != NULL) == absent) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("%s %s has no '%s': %s", resource, object, text,
			         json ? json : "it is not there");
		desk_turn(d, 5);
	}
}

void desk_expect_requests(struct desk *d, struct fakeapi *f, const char *text, unsigned at_least)
{
	uint64_t end_ms = clock_monotonic_ms() + DESK_SOON_MS;

	while (fakeapi_requests(f, text) < at_least) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("no %u requests '%s'", at_least, text);
		desk_turn(d, 5);
	}
}
