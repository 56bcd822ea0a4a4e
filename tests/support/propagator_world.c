/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/propagator_world.h"

#include <ctype.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/support/propagator_kubeconfig.h"

static const char *const names[WORLD_MEMBERS_MOST] = {"gondor", "rohan",  "shire",
                                                      "mordor", "lorien", "moria"};

static const struct {
	const char *resource, *kind;
	bool namespaced;
} kinds[] = {
	{WORLD_TYPES, "FederatedTypeConfig", true},
	{WORLD_VERSIONS, "PropagatedVersion", true},
	{WORLD_CLUSTER_VERSIONS, "ClusterPropagatedVersion", false},
	{WORLD_FEDERATED_NAMESPACES, "FederatedNamespace", true},
	{WORLD_FEDERATED_DEPLOYMENTS, "FederatedDeployment", true},
	{WORLD_FEDERATED_CONFIG_MAPS, "FederatedConfigMap", true},
	{WORLD_EVENTS, "Event", true},
};

const char *propagator_world_name(unsigned member) { return names[member]; }

/* --- objects --- */

static char *base64(const char *text)
{
	size_t len = strlen(text);
	char *out = xmalloc(len * 4 / 3 + 8);

	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
	return out;
}

void propagator_world_join(struct propagator_world *w, unsigned member)
{
	struct fakeapi *f = w->members[member];
	char *token = base64(fakeapi_token(f));

	fakeapi_put(w->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'%s','namespace':'" WORLD_FEDERATION
	            "'},'data':{'token':'%s'}}",
	            names[member], token);
	fakeapi_put(w->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'%s','namespace':'" WORLD_FEDERATION
	            "','labels':{'name':'%s'}},'spec':{'apiEndpoint':'%s','caBundle':'%s',"
	            "'secretRef':{'name':'%s'}}}",
	            names[member], names[member], fakeapi_url(f), fakeapi_ca_base64(f),
	            names[member]);
	free(token);
}

static char *lower(const char *text)
{
	char *out = xstrdup(text);

	for (char *at = out; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return out;
}

void propagator_world_type(struct propagator_world *w, const char *name, const char *group,
                           const char *version, const char *kind, const char *propagation)
{
	bool namespaced = strcmp(kind, "Namespace") != 0 && strncmp(kind, "Cluster", 7) != 0;
	char *small = lower(kind);

	fakeapi_put(w->host, WORLD_TYPES,
	            "{'metadata':{'name':'%s','namespace':'" WORLD_FEDERATION
	            "','generation':1},'spec':{'propagation':'%s','targetType':{'group':'%s',"
	            "'version':'%s','kind':'%s','pluralName':'%ss','scope':'%s'},"
	            "'federatedType':{'group':'types.kubefed.io','version':'v1beta1','kind':"
	            "'Federated%s','pluralName':'federated%ss','scope':'%s'}}}",
	            name, propagation, group, version, kind, small,
	            namespaced ? "Namespaced" : "Cluster", kind, small,
	            strncmp(kind, "Cluster", 7) == 0 ? "Cluster" : "Namespaced");
	free(small);
}

void propagator_world_namespace(struct propagator_world *w, const char *name)
{
	fakeapi_put(w->host, FAKEAPI_NAMESPACES, "{'metadata':{'name':'%s'}}", name);
	fakeapi_put(w->host, WORLD_FEDERATED_NAMESPACES,
	            "{'metadata':{'name':'%s','namespace':'%s','generation':1},'spec':{"
	            "'template':{}," WORLD_EVERYWHERE "}}",
	            name, name);
}

void propagator_world_deployment(struct propagator_world *w, const char *name, int replicas,
                                 const char *more)
{
	char object[100];

	snprintf(object, sizeof(object), "shop/%s", name);
	if (fakeapi_get(w->host, WORLD_FEDERATED_DEPLOYMENTS, object)) {
		fakeapi_edit(w->host, WORLD_FEDERATED_DEPLOYMENTS, object,
		             "{'spec':{'template':{'spec':{'replicas':%d}}%s%s}}", replicas,
		             more[0] ? "," : "", more);
		return;
	}
	fakeapi_put(w->host, WORLD_FEDERATED_DEPLOYMENTS,
	            "{'metadata':{'name':'%s','namespace':'shop','generation':1},'spec':{"
	            "'template':{'metadata':{'labels':{'app':'%s'}},'spec':{'replicas':%d,"
	            "'template':{'spec':{'containers':[{'name':'web','image':'nginx'}]}}}}%s%s}}",
	            name, name, replicas, more[0] ? "," : "", more);
}

void propagator_world_kubeconfig(struct propagator_world *w)
{
	propagator_kubeconfig(w->host, w->kubeconfig, sizeof(w->kubeconfig));
}

/* --- life --- */

static uint64_t epoch_of(void *arg) { return ((struct propagator_world *)arg)->held ? 1 : 0; }

static struct kube_client *client_of(struct propagator_world *w, struct fakeapi *f)
{
	struct kube_access access = {.server = xstrdup(fakeapi_url(f)),
	                             .ca = xstrdup(fakeapi_ca_pem(f))};
	struct kube_client *client;

	kube_secret_set(&access.token, bytes_of(fakeapi_token(f)));
	client = kube_client_new(&w->loop, &access);
	kube_access_fini(&access);
	return client;
}

static void init_settings(struct propagator_world *w)
{
	w->settings = settings_initial();
	w->settings.health_period_ms = 500;
	w->term = (struct dispatch_term){epoch_of, w};
	w->backoff.cap_ms = 1000;
}

struct propagator_world *propagator_world_new(unsigned members)
{
	struct propagator_world *w = xcalloc(1, sizeof(*w));

	kube_transport_setup();
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->count = members;
	init_settings(w);
	w->host = fakeapi_new(NULL);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		fakeapi_register(w->host, kinds[i].resource, kinds[i].kind, kinds[i].namespaced);
	w->client = client_of(w, w->host);
	propagator_world_type(w, "namespaces", "", "v1", "Namespace", "Enabled");
	propagator_world_type(w, "deployments.apps", "apps", "v1", "Deployment", "Enabled");
	propagator_world_type(w, "configmaps", "", "v1", "ConfigMap", "Enabled");
	propagator_world_namespace(w, "shop");
	for (unsigned i = 0; i < members; i++) {
		w->members[i] = fakeapi_new(&(struct fakeapi_options){.managed_fields = true});
		fakeapi_register(w->members[i], WORLD_EVENTS, "Event", true);
		propagator_world_join(w, i);
	}
	return w;
}

void propagator_world_free(struct propagator_world *w)
{
	propagator_world_end(w);
	kube_client_stop(w->client, NULL, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	fakeapi_free(w->host);
	for (unsigned i = 0; i < w->count; i++)
		fakeapi_free(w->members[i]);
	if (w->kubeconfig[0] != '\0')
		unlink(w->kubeconfig);
	free(w);
}

void propagator_world_begin(struct propagator_world *w)
{
	static char namespace[] = WORLD_FEDERATION, nighds[] = WORLD_NIGHDS;
	const struct work_settings settings = {
		.loop = &w->loop,
		.host = w->client,
		.backoff = &w->backoff,
		.options = &w->options,
		.term = &w->term,
		.settings = &w->settings,
		.dns_patience_ms = WORLD_PATIENCE_MS,
		.allow_loopback = true,
	};

	w->options.namespace = namespace;
	w->options.nighd_namespace = nighds;
	w->options.kubeconfig = w->kubeconfig[0] != '\0' ? w->kubeconfig : NULL;
	w->options.publish_sites = w->options.kubeconfig != NULL;
	w->held = true;
	w->work = work_start(&settings);
}

static void on_stopped(void *arg) { ((struct propagator_world *)arg)->work = NULL; }

static void turn(struct propagator_world *w)
{
	struct timespec rest = {.tv_nsec = 1000000};

	uv_run(&w->loop, UV_RUN_NOWAIT);
	nanosleep(&rest, NULL);
}

void propagator_world_end(struct propagator_world *w)
{
	w->held = false;
	if (w->work)
		work_stop(w->work, on_stopped, w);
	while (w->work)
		turn(w);
}

/* What other threads of this process hold at a fork is held for ever in the child: it begins anew. */
pid_t propagator_world_spawn(struct propagator_world *w)
{
	char *argv[] = {xstrdup("leader"),
	                xstrdup(fakeapi_url(w->host)),
	                xstrdup(fakeapi_token(w->host)),
	                xstrdup(fakeapi_ca_pem(w->host)),
	                xstrdup(w->kubeconfig),
	                NULL};
	pid_t child = fork();

	if (child == 0) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	assert_true(child > 0);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return child;
}

int propagator_world_lead(char **argv)
{
	struct propagator_world *w = xcalloc(1, sizeof(*w));
	struct kube_access access = {.server = argv[1], .ca = argv[3]};

	/* Who spawned it may fail. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return 1;
	kube_transport_setup();
	if (uv_loop_init(&w->loop) != 0)
		return 1;
	init_settings(w);
	w->settings.raw_status_collection = true;
	(void)snprintf(w->kubeconfig, sizeof(w->kubeconfig), "%s", argv[4]);
	kube_secret_set(&access.token, bytes_of(argv[2]));
	w->client = kube_client_new(&w->loop, &access);
	propagator_world_begin(w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	return 0;
}

/* --- waiting --- */

void propagator_world_turn(struct propagator_world *w, unsigned ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		turn(w);
}

static bool is_so(const char *object, const char *text)
{
	if (text[0] == '!')
		return text[1] ? object && !strstr(object, text + 1) : !object;
	return object && strstr(object, text);
}

bool propagator_world_is(struct fakeapi *f, const char *resource, const char *object,
                         const char *text)
{
	return is_so(fakeapi_get(f, resource, object), text);
}

void propagator_world_expect(struct propagator_world *w, struct fakeapi *f, const char *resource,
                             const char *object, const char *text)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;

	while (!is_so(fakeapi_get(f, resource, object), text)) {
		if (clock_monotonic_ms() >= end_ms) {
			const char *is = fakeapi_get(f, resource, object);

			fail_msg("%s %s of %s: not '%s' but %s", resource, object, fakeapi_url(f),
			         text, is ? is : "nothing");
		}
		turn(w);
	}
}

void propagator_world_expect_requests(struct propagator_world *w, struct fakeapi *f,
                                      const char *text, unsigned count)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;

	while (fakeapi_requests(f, text) < count) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("%u of %u '%s'", fakeapi_requests(f, text), count, text);
		turn(w);
	}
}

unsigned propagator_world_writes(struct propagator_world *w, struct fakeapi *f)
{
	static const char *const methods[] = {"POST ", "PUT ", "PATCH ", "DELETE "};
	static const char *const not_counted[] = {"/events", "/kubefedclusters/", "/leases"};
	unsigned count = 0;

	(void)w;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		count += fakeapi_requests(f, methods[i]);
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		for (size_t k = 0; k < sizeof(not_counted) / sizeof(*not_counted); k++)
			count -= fakeapi_requests_with(f, methods[i], not_counted[k]);
	return count;
}

static unsigned all_writes(struct propagator_world *w)
{
	unsigned count = propagator_world_writes(w, w->host);

	for (unsigned i = 0; i < w->count; i++)
		count += propagator_world_writes(w, w->members[i]);
	return count;
}

void propagator_world_calm(struct propagator_world *w)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;
	uint64_t since_ms = clock_monotonic_ms();
	unsigned count = all_writes(w);

	while (clock_monotonic_ms() - since_ms < WORLD_CALM_MS) {
		unsigned now = all_writes(w);

		if (now != count)
			since_ms = clock_monotonic_ms();
		count = now;
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("it does not come to rest: %u writes", count);
		turn(w);
	}
	fakeapi_forget_requests(w->host);
	for (unsigned i = 0; i < w->count; i++)
		fakeapi_forget_requests(w->members[i]);
}
