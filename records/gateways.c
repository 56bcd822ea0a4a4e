/* SPDX-License-Identifier: Apache-2.0 */
#include "records/gateways.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/xalloc.h"

enum { TARGET_MOST = 256 };            /* longer ones are no host names */
enum { INGRESSES, SERVICES, UP };      /* that have an address */
enum { IS_COUNTED, IS_COUNTED_AS_UP }; /* of a Service */

struct touched {
	uint16_t cluster;
	struct bytes namespace, service;
};

struct gateways {
	struct hash_key key;
	const struct tally *endpoints;
	struct tally targets, services;
	bool has_services; /* only once there are Ingresses: most clusters have none */
	struct touched *touched;
	size_t touched_count, touched_room;
	/* Addresses whose Services are all down, or are not any more, in this build; in which clusters. */
	struct tally turned;
	uint16_t *clusters;
	size_t cluster_count, cluster_room;
};

struct gateways *gateways_new(const struct hash_key *key, const struct tally *endpoints)
{
	struct gateways *g = xcalloc(1, sizeof(*g));

	g->key = *key;
	g->endpoints = endpoints;
	return g;
}

void gateways_free(struct gateways *g)
{
	if (!g)
		return;
	tally_fini(&g->targets);
	tally_fini(&g->services);
	tally_fini(&g->turned);
	free(g->touched);
	free(g->clusters);
	free(g);
}

/* --- addresses --- */

/* An address, or a host name in lower case without a last dot.  False: neither. */
static bool target_id(const struct gateways *g, uint16_t cluster, struct bytes text, uint64_t *out)
{
	uint8_t key[TARGET_MOST];
	struct addr a;

	if (addr_parse(text, &a)) {
		a = addr_unmapped(&a);
		*out = tally_id(&g->key, cluster, (struct bytes){&a.family, 1},
		                (struct bytes){a.bytes, sizeof(a.bytes)});
		return true;
	}
	if (text.len > 0 && text.data[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len > TARGET_MOST)
		return false;
	for (size_t i = 0; i < text.len; i++)
		key[i] = bytes_lower(text.data[i]);
	*out = tally_id(&g->key, cluster, (struct bytes){NULL, 0}, (struct bytes){key, text.len});
	return true;
}

static bool is_down(const struct tally_entry *e)
{
	return e && e->n[SERVICES] > 0 && e->n[UP] == 0;
}

static void note_turn(struct gateways *g, uint16_t cluster, uint64_t id)
{
	tally_get(&g->turned, id)->n[0] = 1;
	for (size_t i = 0; i < g->cluster_count; i++)
		if (g->clusters[i] == cluster)
			return;
	if (g->cluster_count == g->cluster_room) {
		g->cluster_room = g->cluster_room ? g->cluster_room * 2 : 8;
		g->clusters = xreallocarray(g->clusters, g->cluster_room, sizeof(*g->clusters));
	}
	g->clusters[g->cluster_count++] = cluster;
}

/* How many more, or fewer, have the address. */
struct step {
	int ingresses, services, up;
};

static void add(uint32_t *n, int more) { *n += (uint32_t)more; }

static void step(struct gateways *g, uint16_t cluster, const struct bytes *targets, size_t count,
                 struct step by)
{
	for (size_t i = 0; i < count; i++) {
		struct tally_entry *e;
		bool was_down;
		uint64_t id;

		if (!target_id(g, cluster, targets[i], &id))
			continue;
		e = tally_get(&g->targets, id);
		was_down = is_down(e);
		add(&e->n[INGRESSES], by.ingresses);
		add(&e->n[SERVICES], by.services);
		add(&e->n[UP], by.up);
		if (e->n[INGRESSES] > 0 && is_down(e) != was_down)
			note_turn(g, cluster, id);
		tally_settle(&g->targets, e);
	}
}

/* --- Services --- */

static bool is_up(const struct gateways *g, uint64_t service)
{
	const struct tally_entry *e = tally_find(g->endpoints, service);

	return !e || e->n[TALLY_SLICES] == 0 || e->n[TALLY_READY] > 0;
}

static void put_service(struct gateways *g, uint16_t cluster, const struct fact_value *v)
{
	uint64_t id = tally_id(&g->key, cluster, v->namespace, v->name);
	struct tally_entry *e;

	if (v->service.target_count == 0)
		return;
	e = tally_get(&g->services, id);
	e->n[IS_COUNTED] = 1;
	e->n[IS_COUNTED_AS_UP] = is_up(g, id);
	step(g, cluster, v->service.targets, v->service.target_count,
	     (struct step){0, 1, (int)e->n[IS_COUNTED_AS_UP]});
}

static void remove_service(struct gateways *g, uint16_t cluster, const struct fact_value *v)
{
	struct tally_entry *e =
		tally_find(&g->services, tally_id(&g->key, cluster, v->namespace, v->name));

	if (!e)
		return;
	step(g, cluster, v->service.targets, v->service.target_count,
	     (struct step){0, -1, -(int)e->n[IS_COUNTED_AS_UP]});
	e->n[IS_COUNTED] = e->n[IS_COUNTED_AS_UP] = 0;
	tally_settle(&g->services, e);
}

void gateways_put(struct gateways *g, uint16_t cluster, const struct fact_value *v)
{
	if (v->kind == FACT_INGRESS)
		step(g, cluster, v->ingress.targets, v->ingress.target_count,
		     (struct step){1, 0, 0});
	else if (g->has_services)
		put_service(g, cluster, v);
}

void gateways_remove(struct gateways *g, uint16_t cluster, const struct fact_value *v)
{
	if (v->kind == FACT_INGRESS)
		step(g, cluster, v->ingress.targets, v->ingress.target_count,
		     (struct step){-1, 0, 0});
	else if (g->has_services)
		remove_service(g, cluster, v);
}

void gateways_touch(struct gateways *g, uint16_t cluster, struct bytes namespace,
                    struct bytes service)
{
	if (!g->has_services ||
	    !tally_find(&g->services, tally_id(&g->key, cluster, namespace, service)))
		return;
	if (g->touched_count == g->touched_room) {
		g->touched_room = g->touched_room ? g->touched_room * 2 : 16;
		g->touched = xreallocarray(g->touched, g->touched_room, sizeof(*g->touched));
	}
	g->touched[g->touched_count++] = (struct touched){cluster, namespace, service};
}

/* --- the update --- */

struct taking {
	struct gateways *gateways;
	struct arena *arena;
	gateways_on_ingress_fn *fn;
	void *arg;
};

static void take_service(uint16_t cluster, const struct fact *fact, void *arg)
{
	const struct taking *t = arg;
	struct fact_value v;

	arena_reset(t->arena);
	if (fact_decode(fact, t->arena, &v))
		put_service(t->gateways, cluster, &v);
}

/* Facts and what is counted are the same by now. */
static void look_again(const struct taking *t, const struct facts *facts, const struct touched *at)
{
	struct gateways *g = t->gateways;
	uint64_t id = tally_id(&g->key, at->cluster, at->namespace, at->service);
	struct tally_entry *e = tally_find(&g->services, id);
	const struct fact *fact =
		facts_find(facts, at->cluster, FACT_SERVICE, at->namespace, at->service);
	bool now = is_up(g, id);
	struct fact_value v;

	arena_reset(t->arena);
	if (!e || e->n[IS_COUNTED_AS_UP] == now || !fact || !fact_decode(fact, t->arena, &v))
		return;
	e->n[IS_COUNTED_AS_UP] = now;
	step(g, at->cluster, v.service.targets, v.service.target_count,
	     (struct step){0, 0, now ? 1 : -1});
}

static void tell_ingress(uint16_t cluster, const struct fact *fact, void *arg)
{
	const struct taking *t = arg;
	struct gateways *g = t->gateways;
	struct fact_value v;

	arena_reset(t->arena);
	if (!fact_decode(fact, t->arena, &v))
		return;
	for (size_t i = 0; i < v.ingress.target_count; i++) {
		uint64_t id;

		if (target_id(g, cluster, v.ingress.targets[i], &id) &&
		    tally_find(&g->turned, id)) {
			t->fn(fact, t->arg);
			return;
		}
	}
}

void gateways_update(struct gateways *g, const struct facts *facts, gateways_on_ingress_fn *fn,
                     void *arg)
{
	struct taking t = {g, NULL, fn, arg};

	if (g->touched_count == 0 && g->cluster_count == 0 &&
	    (g->has_services || g->targets.index.count == 0))
		return;
	t.arena = arena_new();
	for (uint16_t id = FACTS_HOST + 1; !g->has_services && id < facts_cluster_count(facts);
	     id++)
		facts_each(facts, id, FACT_SERVICE, take_service, &t);
	g->has_services = true;
	for (size_t i = 0; i < g->touched_count; i++)
		look_again(&t, facts, &g->touched[i]);
	for (size_t i = 0; i < g->cluster_count; i++)
		facts_each(facts, g->clusters[i], FACT_INGRESS, tell_ingress, &t);
	arena_free(t.arena);
	tally_fini(&g->turned);
	g->turned = (struct tally){.count = 0};
	g->touched_count = g->cluster_count = 0;
}

bool gateways_is_down(const struct gateways *g, uint16_t cluster, struct bytes target)
{
	uint64_t id;

	return target_id(g, cluster, target, &id) && is_down(tally_find(&g->targets, id));
}
