/* SPDX-License-Identifier: Apache-2.0 */
#include "records/site_names.h"

#include "base/arena.h"

void site_names_fini(struct site_names *n) { tally_fini(&n->uses); }

static uint64_t id_of(const struct site_names *n, struct bytes cluster)
{
	return tally_id(&n->key, FACTS_HOST, cluster, (struct bytes){NULL, 0});
}

/* True: nobody named it before, or nobody does any more. */
static bool count(struct site_names *n, struct bytes cluster, bool is_there)
{
	struct tally_entry *e = tally_get(&n->uses, id_of(n, cluster));
	bool was = e->n[0] > 0, is;

	e->n[0] += is_there ? 1U : -1U;
	n->count += is_there ? 1U : (size_t)-1;
	is = e->n[0] > 0;
	tally_settle(&n->uses, e);
	return was != is;
}

static void give_id(struct facts *f, struct bytes cluster)
{
	if (facts_cluster_count(f) <= SITE_NAMES_MOST)
		(void)facts_cluster_id(f, cluster);
}

/* `f` NULL: they are not there any more. */
static bool change(struct site_names *n, struct facts *f, const struct fact *object)
{
	struct arena *a = arena_new();
	struct fact_value v;
	bool differs = false;

	if (!fact_decode(object, a, &v))
		v.dns_endpoint.endpoint_count = 0;
	for (size_t i = 0; i < v.dns_endpoint.endpoint_count; i++) {
		struct bytes cluster = v.dns_endpoint.endpoints[i].set_identifier;

		if (cluster.len == 0)
			continue;
		if (f)
			give_id(f, cluster);
		differs |= count(n, cluster, f != NULL);
	}
	arena_free(a);
	return differs;
}

bool site_names_put(struct site_names *n, struct facts *f, const struct fact *object)
{
	return change(n, f, object);
}

bool site_names_remove(struct site_names *n, const struct fact *object)
{
	return change(n, NULL, object);
}

bool site_names_has(const struct site_names *n, struct bytes cluster)
{
	return tally_find(&n->uses, id_of(n, cluster)) != NULL;
}

bool site_names_any(const struct site_names *n) { return n->count > 0; }
