/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_fleet.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/support/world_inside.h"

#define ZONE ".shop.fed.svc.example.com"

/* --- life --- */

int world_fleet_setup(void **state)
{
	struct world_fleet *f = xcalloc(1, sizeof(*f));

	f->world = world_new();
	f->host = world_fleet_api(f, NULL);
	fakeapi_put(f->host, FAKEAPI_DOMAINS,
	            "{'metadata':{'name':'fed','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'domain':'example.com'}");
	fakeapi_kubeconfig(f->host, f->world, "host.kubeconfig");
	world_fleet_config(f, NULL, "");
	*state = f;
	return 0;
}

/* The world first: its end may fail the test, which must not leave threads behind. */
int world_fleet_teardown(void **state)
{
	struct world_fleet *f = *state;
	struct world *w = f->world;

	for (size_t i = 0; i < f->count; i++)
		fakeapi_free(f->api[i]);
	free(f);
	world_free(w);
	return 0;
}

struct fakeapi *world_fleet_api(struct world_fleet *f, const struct fakeapi_options *options)
{
	assert_true(f->count < sizeof(f->api) / sizeof(f->api[0]));
	return f->api[f->count++] = fakeapi_new(options);
}

void world_fleet_config(struct world_fleet *f, const char *sources, const char *more)
{
	struct text yaml = {0};

	text_printf(&yaml,
	            "sources: {%s}\n"
	            "watch: {silence: 1s, reply: 2s, backoff: 500ms}\n"
	            "%s\n",
	            sources ? sources : WORLD_FLEET_HOST, more);
	world_config(f->world, yaml.data);
	text_fini(&yaml);
}

/* --- objects --- */

void world_fleet_service(struct fakeapi *api, const char *name, const char *address)
{
	fakeapi_put(api, FAKEAPI_SLICES,
	            "{'metadata':{'name':'%s-1','namespace':'shop','labels':"
	            "{'kubernetes.io/service-name':'%s'}},'addressType':'IPv4',"
	            "'endpoints':[{'addresses':['10.1.0.4'],'conditions':{'ready':true}}]}",
	            name, name);
	fakeapi_put(api, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'%s','namespace':'shop'},'spec':{'type':'LoadBalancer',"
	            "'ports':[{'port':80}]},'status':{'loadBalancer':{'ingress':[{'ip':'%s'}]}}}",
	            name, address);
}

void world_fleet_publish(struct world_fleet *f, struct fakeapi *api, const char *name,
                         const char *address)
{
	fakeapi_put(f->host, FAKEAPI_SERVICE_RECORDS,
	            "{'metadata':{'name':'%s','namespace':'shop'},'spec':{'domainRef':'fed'}}",
	            name);
	world_fleet_service(api, name, address);
}

void world_fleet_secret(struct world_fleet *f, const char *name, const char *token)
{
	char encoded[4096];

	assert_true(strlen(token) < 3000);
	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)token, (int)strlen(token));
	fakeapi_put(f->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'%s','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'type':'Opaque','data':{'token':'%s'}}",
	            name, encoded);
}

void world_fleet_join_with(struct world_fleet *f, const char *name, struct fakeapi *api,
                           const char *secret, const char *spec)
{
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'%s','namespace':'" WORLD_FLEET_NAMESPACE
	            "','annotations':{'nigh.dev/reader-secret':'%s'}},'spec':{'apiEndpoint':'%s',"
	            "'caBundle':'%s','secretRef':{'name':'writer'}%s}}",
	            name, secret, fakeapi_url(api), fakeapi_ca_base64(api), spec);
}

void world_fleet_join(struct world_fleet *f, const char *name, struct fakeapi *api,
                      const char *spec)
{
	world_fleet_secret(f, name, fakeapi_token(api));
	world_fleet_join_with(f, name, api, name, spec);
}

void world_fleet_kubeconfig(struct world_fleet *f, const char *file, const char *server,
                            const char *cluster, const char *user)
{
	world_write(f->world, file,
	            "apiVersion: v1\n"
	            "kind: Config\n"
	            "current-context: c\n"
	            "clusters: [{name: c, cluster: {server: \"%s\"%s}}]\n"
	            "users: [{name: u, user: {%s}}]\n"
	            "contexts: [{name: c, context: {cluster: c, user: u}}]\n",
	            server, cluster, user);
}

/* --- expecting --- */

static const char *name_of(const char *name, char out[256])
{
	snprintf(out, 256, "%s" ZONE, name);
	return out;
}

void world_fleet_expect(struct world_fleet *f, const char *name, const char *answer)
{
	char whole[256];

	world_expect(f->world, name_of(name, whole), "A", NULL, answer, WORLD_FLEET_PATIENCE_MS);
}

void world_fleet_expect_stays(struct world_fleet *f, const char *name, const char *answer,
                              unsigned for_ms)
{
	char whole[256];

	world_expect_stays(f->world, name_of(name, whole), "A", NULL, answer, for_ms);
}

void world_fleet_expect_status(struct world_fleet *f, const char *text)
{
	world_expect_http(f->world, "/status", text, WORLD_FLEET_PATIENCE_MS);
}

void world_fleet_expect_metric(struct world_fleet *f, const char *sample, double at_least)
{
	struct deadline deadline = inside_deadline(WORLD_FLEET_PATIENCE_MS);

	while (world_metric(f->world, sample) < at_least) {
		if (!inside_has_time(deadline))
			world_fail(f->world, "%s is %g, not %g", sample,
			           world_metric(f->world, sample), at_least);
		inside_rest();
	}
}

void world_fleet_expect_log(struct world_fleet *f, const char *text)
{
	world_expect_log(f->world, text, WORLD_FLEET_PATIENCE_MS);
}

void world_fleet_until(struct world_fleet *f, bool (*is_so)(struct world_fleet *f, void *arg),
                       void *arg, const char *what)
{
	struct deadline deadline = inside_deadline(WORLD_FLEET_PATIENCE_MS);

	while (!is_so(f, arg)) {
		inside_demand_alive(f->world);
		if (!inside_has_time(deadline))
			world_fail(f->world, "%s, not within %d ms", what, WORLD_FLEET_PATIENCE_MS);
		inside_rest();
	}
}

long world_fleet_memory_kb(const struct world_fleet *f)
{
	char path[64], line[256];
	long kb = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", world_pid(f->world));
	file = fopen(path, "r");
	while (file && kb < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmRSS:", 6))
			kb = strtol(line + 6, NULL, 10);
	if (file)
		fclose(file);
	assert_true(kb > 0);
	return kb;
}
