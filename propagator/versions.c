/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/versions.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/cache.h"

struct versions {
	struct cache *namespaced, *cluster;
	bool known;
	void (*on_known)(void *arg);
	void *arg;
};

static const struct kube_resource namespaced = {"core.kubefed.io", "v1alpha1", "propagatedversions",
                                                "PropagatedVersion"};
static const struct kube_resource cluster = {
	"core.kubefed.io", "v1alpha1", "clusterpropagatedversions", "ClusterPropagatedVersion"};

const struct kube_resource *versions_resource(const struct type *type)
{
	return type->federated.namespaced ? &namespaced : &cluster;
}

static void *keep(struct json_object *object, void *arg)
{
	struct version *v = xcalloc(1, sizeof(*v));

	(void)arg;
	version_read(object, v);
	return v;
}

static void let_go(void *value)
{
	version_fini(value);
	free(value);
}

/* Who wrote it knows it already. */
static void on_change(const char *key, void *arg)
{
	(void)key;
	(void)arg;
}

static void on_sight(void *arg)
{
	struct versions *v = arg;

	if (v->known || !v->cluster || !cache_is_settled(v->namespaced) ||
	    !cache_is_settled(v->cluster))
		return;
	v->known = true;
	v->on_known(v->arg);
}

struct versions *versions_start(uv_loop_t *loop, struct kube_client *host,
                                struct kube_backoff *backoff, const char *namespace,
                                void (*on_known)(void *arg), void *arg)
{
	struct versions *v = xcalloc(1, sizeof(*v));
	struct cache_settings settings = {
		.watch = {.namespace = namespace, .objects_most = 2000000},
		.keep = keep,
		.let_go = let_go,
		.on_change = on_change,
		.on_sight = on_sight,
		.arg = v,
	};

	v->on_known = on_known;
	v->arg = arg;
	settings.watch.resource = namespaced;
	v->namespaced = cache_start(loop, host, backoff, &settings);
	settings.watch.resource = cluster;
	settings.watch.namespace = NULL;
	v->cluster = cache_start(loop, host, backoff, &settings);
	return v;
}

void versions_stop(struct versions *v)
{
	cache_stop(v->namespaced);
	cache_stop(v->cluster);
	free(v);
}

bool versions_are_known(const struct versions *v) { return v->known; }

const struct version *versions_find(const struct versions *v, const struct type *type,
                                    struct bytes namespace, struct bytes name)
{
	char *short_name = text_copy(name);
	char *full = version_name(type, short_name);
	struct text key = {0};
	const struct version *found;

	cache_print_key(&key, namespace, bytes_of(full));
	found = cache_find(type->federated.namespaced ? v->namespaced : v->cluster, key.data);
	text_fini(&key);
	free(full);
	free(short_name);
	return found;
}
