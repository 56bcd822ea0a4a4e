/* SPDX-License-Identifier: Apache-2.0 */
#include "records/gateways.h"

#include <string.h>

#include "base/addr.h"
#include "base/arena.h"

enum { TARGET_MOST = 256 }; /* longer ones are no host names */

void gateways_fini(struct gateways *g)
{
	links_fini(&g->ingresses);
	links_fini(&g->services);
}

/* An address, or a host name in lower case without a last dot; none: neither. */
static struct bytes target_key(struct bytes text, uint8_t out[TARGET_MOST])
{
	struct addr a;

	if (addr_parse(text, &a)) {
		a = addr_unmapped(&a);
		out[0] = a.family;
		memcpy(out + 1, a.bytes, sizeof(a.bytes));
		return (struct bytes){out, 1 + sizeof(a.bytes)};
	}
	if (text.len > 0 && text.data[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len > TARGET_MOST)
		return (struct bytes){NULL, 0};
	for (size_t i = 0; i < text.len; i++)
		out[i] = bytes_lower(text.data[i]);
	return (struct bytes){out, text.len};
}

static uint32_t hash_target(const struct gateways *g, uint16_t cluster, struct bytes key)
{
	return (uint32_t)hash_mix(hash_siphash(&g->key, key.data, key.len), cluster);
}

static const struct bytes *targets_of(const struct fact_value *v, size_t *count)
{
	*count = v->kind == FACT_SERVICE ? v->service.target_count : v->ingress.target_count;
	return v->kind == FACT_SERVICE ? v->service.targets : v->ingress.targets;
}

static void change(struct gateways *g, uint16_t cluster, const struct fact *fact,
                   const struct fact_value *v,
                   void how(struct links *, uint32_t, uint16_t, const struct fact *))
{
	struct links *links = v->kind == FACT_SERVICE ? &g->services : &g->ingresses;
	size_t count;
	const struct bytes *targets = targets_of(v, &count);

	for (size_t i = 0; i < count; i++) {
		uint8_t text[TARGET_MOST];
		struct bytes key = target_key(targets[i], text);

		if (key.len > 0)
			how(links, hash_target(g, cluster, key), cluster, fact);
	}
}

void gateways_put(struct gateways *g, uint16_t cluster, const struct fact *fact,
                  const struct fact_value *v)
{
	if (v->kind == FACT_INGRESS || g->has_services)
		change(g, cluster, fact, v, links_put);
}

void gateways_remove(struct gateways *g, uint16_t cluster, const struct fact *fact,
                     const struct fact_value *v)
{
	if (v->kind == FACT_INGRESS || g->has_services)
		change(g, cluster, fact, v, links_remove);
}

struct taking {
	struct gateways *gateways;
	struct arena *arena;
};

static void take(uint16_t cluster, const struct fact *fact, void *arg)
{
	const struct taking *t = arg;
	struct fact_value v;

	arena_reset(t->arena);
	if (fact_decode(fact, t->arena, &v))
		change(t->gateways, cluster, fact, &v, links_put);
}

void gateways_update(struct gateways *g, const struct facts *facts)
{
	struct taking t = {g, NULL};

	if (g->has_services || g->ingresses.index.count == 0)
		return;
	t.arena = arena_new();
	for (uint16_t id = FACTS_HOST + 1; id < facts_cluster_count(facts); id++)
		facts_each(facts, id, FACT_SERVICE, take, &t);
	arena_free(t.arena);
	g->has_services = true;
}

static void each(const struct gateways *g, const struct links *links, uint16_t cluster,
                 struct bytes target, gateways_on_fact_fn *fn, void *arg)
{
	uint8_t text[TARGET_MOST];
	struct bytes key = target_key(target, text);
	struct idmap_walk walk;
	const struct link *link;

	if (key.len == 0)
		return;
	walk = links_find(links, hash_target(g, cluster, key));
	while ((link = links_next(links, &walk)) != NULL)
		if (link->cluster == cluster)
			fn(link->fact, arg);
}

void gateways_each_service(const struct gateways *g, uint16_t cluster, struct bytes target,
                           gateways_on_fact_fn *fn, void *arg)
{
	each(g, &g->services, cluster, target, fn, arg);
}

void gateways_each_ingress(const struct gateways *g, uint16_t cluster,
                           const struct fact_value *service, gateways_on_fact_fn *fn, void *arg)
{
	for (size_t i = 0; i < service->service.target_count; i++)
		each(g, &g->ingresses, cluster, service->service.targets[i], fn, arg);
}
