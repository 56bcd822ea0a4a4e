/* SPDX-License-Identifier: Apache-2.0 */
#include "zones/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "zones/compile.h"
#include "zones/draft.h"
#include "zones/frozen.h"
#include "zones/problems.h"
#include "zones/served.h"
#include "zones/slab.h"
#include "zones/source.h"
#include "zones/tables.h"

struct remembered {
	struct name apex;
	uint32_t serial;
};

struct zones {
	struct name_key key;
	struct slab *slab;
	struct tree_writer tree;
	struct sources sources;
	struct problems *problems;
	struct handover *handover;
	struct arena *arena; /* scratch of one call */
	struct compile compile;
	struct text messages; /* of the endpoint at hand */
	struct buffer image;
	struct served **served; /* in canonical order of apexes */
	size_t count;
	struct zone_index *apexes;
	struct remembered *remembered; /* apexes that were served once */
	size_t remembered_count;
	struct snapshot_settings settings;
	struct clusters *clusters;
	struct probes *probes;
	struct report *report;
	struct votes *votes;
	struct ranked *ranked;
	struct policies *policies;
	struct waiting *waiting;
	struct carried *carried;
	bool differs; /* from the current snapshot, zones' data aside */
	struct snapshot *current;
};

/* --- snapshots --- */

static void zone_unref(struct zone *z)
{
	if (--z->users == 0)
		free(z);
}

static void unref_source(const struct node *n, void *slab) { source_unref(slab, node_source(n)); }

/* On the writer's thread, when no reader can hold it. */
static void snapshot_drop(const void *thing)
{
	struct snapshot *s = (struct snapshot *)(uintptr_t)thing;
	struct slab *slab = s->home->slab;

	tree_free_garbage(slab, &s->garbage, unref_source, slab);
	for (size_t i = 0; i < s->zone_count; i++)
		zone_unref(s->head.zone[i]);
	part_unref(s->head.apexes);
	part_unref(s->clusters);
	part_unref(s->probes);
	part_unref(s->report);
	part_unref(s->votes);
	part_unref(s->ranked);
	part_unref(s->policies);
	part_unref(s->waiting);
	part_unref(s->carried);
	free(s->head.zone);
	free(s);
}

static struct policy preset_of(const struct zones *z)
{
	static const char *const nearest[] = {"nearest", NULL}, *const all[] = {"all", NULL};

	return (struct policy){
		.name = "",
		.stages = z->settings.all ? all : nearest,
		.ranking = z->ranked->ranking,
		.all = z->settings.all,
		.bucket_ipv4 = POLICY_BUCKET_IPV4,
		.bucket_ipv6 = POLICY_BUCKET_IPV6,
		.max_addresses = z->settings.max_addresses,
		.degraded_ttl = z->settings.degraded_ttl,
	};
}

static struct snapshot *snapshot_new(struct zones *z)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));
	bool is_calm =
		!z->clusters->any_troubled && !z->probes->any_down && !z->policies->any_expired;

	s->head = (struct snapshot_head){
		.settings = z->settings,
		.ranking = z->ranked->ranking,
		.terms = z->carried->terms,
		.most_addresses = z->settings.max_addresses > 0 ? z->settings.max_addresses
	                                                        : RRSET_MOST_ADDRESSES,
		.is_calm = is_calm,
		.any_unseen = z->clusters->any_unseen || z->settings.frozen,
		.any_shifted = z->clusters->any_shifted,
		.any_waiting = z->waiting->any,
		.is_quiet = is_calm && !z->clusters->any_shifted && !z->waiting->any,
		.first_site_answers = !z->settings.all && is_calm && !z->clusters->any_shifted,
		.policies = z->policies->item,
		.policy_count = (uint32_t)z->policies->count,
		.preset = preset_of(z),
	};
	s->policies = part_ref(z->policies);
	s->waiting = part_ref(z->waiting);
	s->base = slab_base(z->slab);
	s->home = z;
	s->head.apexes = part_ref(z->apexes);
	s->clusters = part_ref(z->clusters);
	s->probes = part_ref(z->probes);
	s->report = part_ref(z->report);
	s->votes = part_ref(z->votes);
	s->ranked = part_ref(z->ranked);
	s->carried = part_ref(z->carried);
	s->head.zone = xcalloc(z->count, sizeof(struct zone *));
	s->zone_count = z->count;
	for (size_t i = 0; i < z->count; i++) {
		s->head.zone[i] = z->served[i]->frozen;
		s->head.zone[i]->users++;
	}
	s->head.only = z->count == 1 ? s->head.zone[0] : NULL;
	return s;
}

static void publish(struct zones *z)
{
	uint32_t *root = xcalloc(z->count, sizeof(*root));
	struct snapshot *before = z->current;
	struct tree_garbage garbage;

	for (size_t i = 0; i < z->count; i++)
		root[i] = z->served[i]->edit.root;
	garbage = tree_publish(&z->tree, root, z->count);
	free(root);
	z->current = snapshot_new(z);
	z->differs = false;
	if (before)
		before->garbage = garbage;
	handover_publish(z->handover, z->current);
}

void zones_settle(struct zones *z, int64_t unix_s)
{
	for (size_t i = 0; i < z->count; i++)
		served_settle(z->served[i], unix_s);
}

const struct snapshot *zones_build(struct zones *z, int64_t unix_s)
{
	bool differs = z->differs;

	for (size_t i = 0; i < z->count; i++) {
		struct zone *before = z->served[i]->frozen;

		differs |= served_freeze(z->served[i], unix_s) != before;
	}
	if (differs)
		publish(z);
	return z->current;
}

/* --- life --- */

static void on_problem(const char *message, void *arg)
{
	struct text *messages = arg;
	size_t at = messages->len;

	text_printf(messages, "%s\n", message);
	/* One line each, whatever the text of strangers in it. */
	for (; at + 1 < messages->len; at++)
		if ((unsigned char)messages->data[at] < ' ')
			messages->data[at] = '?';
}

struct zones *zones_new(void)
{
	struct zones *z = xcalloc(1, sizeof(*z));

	random_bytes(&z->key, sizeof(z->key));
	z->slab = slab_new();
	z->tree = (struct tree_writer){.slab = z->slab, .key = &z->key, .generation = 1};
	z->sources.slab = z->slab;
	z->problems = problems_new(&z->key);
	z->handover = handover_new(snapshot_drop);
	z->arena = arena_new();
	z->compile =
		(struct compile){.arena = z->arena, .on_problem = on_problem, .arg = &z->messages};
	z->apexes = zone_index_build(NULL, 0, &z->key);
	z->clusters = tables_clusters(NULL, 0);
	z->probes = tables_probes(NULL, 0);
	z->report = tables_report(&(struct snapshot_report){0});
	z->ranked = tables_ranked(NULL);
	z->policies = tables_policies(NULL, 0);
	z->waiting = tables_waiting(NULL, 0);
	z->votes = tables_votes(&(struct snapshot_votes){0});
	z->carried = tables_carried(NULL, NULL);
	publish(z);
	return z;
}

static void free_zones(struct served **served, size_t count)
{
	for (size_t i = 0; i < count; i++)
		served_free(served[i]);
	free(served);
}

void zones_free(struct zones *z)
{
	if (!z)
		return;
	handover_free(z->handover);
	free_zones(z->served, z->count);
	free(z->tree.garbage.link);
	part_unref(z->apexes);
	part_unref(z->clusters);
	part_unref(z->probes);
	part_unref(z->report);
	part_unref(z->ranked);
	part_unref(z->policies);
	part_unref(z->waiting);
	part_unref(z->votes);
	part_unref(z->carried);
	problems_free(z->problems);
	buffer_fini(&z->compile.scratch);
	buffer_fini(&z->image);
	text_fini(&z->messages);
	free(z->remembered);
	arena_free(z->arena);
	slab_free(z->slab);
	free(z);
}

struct handover *zones_handover(struct zones *z) { return z->handover; }

size_t zones_memory(const struct zones *z) { return slab_held(z->slab); }

void zones_each_problem(const struct zones *z, zones_on_problem_fn *fn, void *arg)
{
	problems_each(z->problems, fn, arg);
}

/* --- zones --- */

static int by_apex(const void *a, const void *b)
{
	const struct zones_zone *x = a, *y = b;

	return name_wire_compare(x->apex.data, y->apex.data);
}

/* The zones in canonical order, each apex once; the caller frees. */
static struct zones_zone *in_order(const struct zones_zone *zone, size_t *count)
{
	struct zones_zone *sorted = xmemdup(zone, *count * sizeof(*zone));
	size_t kept = 0;

	if (*count)
		qsort(sorted, *count, sizeof(*sorted), by_apex);
	for (size_t i = 0; i < *count; i++)
		if (kept == 0 || by_apex(&sorted[kept - 1], &sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	*count = kept;
	return sorted;
}

static bool same_apexes(const struct zones *z, const struct zones_zone *zone, size_t count)
{
	for (size_t i = 0; i < count && i < z->count; i++)
		if (name_wire_compare(zone[i].apex.data, z->served[i]->edit.apex.wire) != 0)
			return false;
	return count == z->count;
}

static struct remembered *recall(struct zones *z, const struct name *apex)
{
	for (size_t i = 0; i < z->remembered_count; i++)
		if (name_wire_compare(z->remembered[i].apex.wire, apex->wire) == 0)
			return &z->remembered[i];
	return NULL;
}

static void remember_serials(struct zones *z)
{
	for (size_t i = 0; i < z->count; i++) {
		struct remembered *r = recall(z, &z->served[i]->edit.apex);

		if (!r) {
			z->remembered = xreallocarray(z->remembered, z->remembered_count + 1,
			                              sizeof(*z->remembered));
			r = &z->remembered[z->remembered_count++];
			r->apex = z->served[i]->edit.apex;
		}
		r->serial = z->served[i]->serial;
	}
}

/* The zones from before, which the caller frees. */
static struct served **forget_zones(struct zones *z)
{
	remember_serials(z);
	problems_clear(z->problems);
	part_unref(z->apexes);
	return z->served;
}

static struct served *find_served(struct served *const *served, size_t count,
                                  const struct name *apex)
{
	for (size_t i = 0; i < count; i++)
		if (name_wire_compare(served[i]->edit.apex.wire, apex->wire) == 0)
			return served[i];
	return NULL;
}

struct name_key zones_key(const struct zones *z) { return z->key; }

/* New zones, empty but for their files; every endpoint must be put again. */
static void make_zones(struct zones *z, const struct zones_zone *zone, size_t count)
{
	struct served_tools tools = {&z->tree, &z->sources, z->problems, z->arena};
	const struct name **apex = xcalloc(count, sizeof(*apex));

	z->served = xcalloc(count, sizeof(struct served *));
	z->count = count;
	for (size_t i = 0; i < count; i++) {
		struct name name;
		const struct remembered *r;

		CHECK(name_parse(&name, zone[i].apex.data, zone[i].apex.len));
		r = recall(z, &name);
		z->served[i] = served_new(&tools, &name, r ? r->serial : zone[i].serial);
		apex[i] = &z->served[i]->edit.apex;
	}
	z->apexes = zone_index_build(apex, count, &z->key);
	z->differs = true;
	free(apex);
}

static bool owns(const struct served *s, const struct name *name, void *arg)
{
	const struct zones *z = arg;
	uint32_t i = zone_index_find(z->apexes, name);

	return i != ZONE_INDEX_NONE && z->served[i] == s;
}

void zones_set_zones(struct zones *z, const struct zones_zone *zone, size_t count)
{
	struct zones_zone *sorted = in_order(zone, &count);
	size_t before_count = z->count;
	struct served **before = NULL;
	const struct served *from;

	if (!same_apexes(z, sorted, count)) {
		before = forget_zones(z);
		make_zones(z, sorted, count);
	}
	for (size_t i = 0; i < count; i++) {
		served_configure(z->served[i], &sorted[i], owns, z);
		from = before ? find_served(before, before_count, &z->served[i]->edit.apex) : NULL;
		if (from)
			served_carry_file(z->served[i], from);
	}
	if (before)
		free_zones(before, before_count);
	free(sorted);
}

bool zones_set_file(struct zones *z, struct bytes apex, const struct zonefile *file)
{
	struct served *s;
	struct name name;

	CHECK(name_parse(&name, apex.data, apex.len) == apex.len);
	s = find_served(z->served, z->count, &name);
	if (s)
		served_set_file(s, file);
	return s != NULL;
}

void zones_raise_serial(struct zones *z, struct bytes apex, uint32_t serial)
{
	struct served *s;
	struct name name;

	if (name_parse(&name, apex.data, apex.len) != apex.len)
		return;
	s = find_served(z->served, z->count, &name);
	if (s)
		served_raise_serial(s, serial);
}

/* --- names --- */

/* NULL when the name lies outside every zone. */
static struct served *find_zone(const struct zones *z, struct bytes owner, struct name *name)
{
	uint32_t i;

	if (owner.len == 0 || name_parse(name, owner.data, owner.len) != owner.len)
		return NULL;
	i = zone_index_find(z->apexes, name);
	return i == ZONE_INDEX_NONE ? NULL : z->served[i];
}

/* One use of the endpoint's source; the old node's when it is the same. */
static uint32_t take_source(struct zones *z, const struct served *s, const struct name *name,
                            const char *source)
{
	uint32_t before = served_source(s, name);

	if (before && strcmp(source_text(slab_base(z->slab), before), source) == 0)
		return source_ref(z->slab, before);
	return source_take(&z->sources, source);
}

/* Into z->image, with one use of its source; false: nothing is left of the endpoint. */
static bool make_image(struct zones *z, const struct endpoint *e, const struct served *s,
                       const struct name *name, const char *source)
{
	bool at_apex = name->labels == s->edit.apex.labels;
	struct draft draft;

	if (!at_apex && compile_is_plain(e)) {
		problems_set(z->problems, PROBLEMS_ENDPOINT, name, NULL, NULL);
		draft_write_addresses(e->owner.data, take_source(z, s, name, source), e->fixed->ttl,
		                      e->fixed->addresses, e->fixed->count, &z->image);
		return true;
	}
	arena_reset(z->arena);
	text_reset(&z->messages);
	draft = compile_endpoint(&z->compile, e, at_apex);
	problems_set(z->problems, PROBLEMS_ENDPOINT, name, source, &z->messages);
	if (!(draft.flags & NODE_SITES) && draft.fixed.count == 0)
		return false;
	draft.source = take_source(z, s, name, source);
	draft_write(&draft, &z->image);
	return true;
}

void zones_put(struct zones *z, const struct endpoint *e)
{
	struct name name;
	struct served *s = find_zone(z, e->owner, &name);

	if (!s)
		return;
	if (make_image(z, e, s, &name, e->source ? e->source : ""))
		served_put(s, &name, &z->image);
	else
		served_remove(s, &name);
}

void zones_remove(struct zones *z, struct bytes owner)
{
	struct name name;
	struct served *s = find_zone(z, owner, &name);

	if (!s)
		return;
	problems_set(z->problems, PROBLEMS_ENDPOINT, &name, NULL, NULL);
	served_remove(s, &name);
}

void zones_amend(struct zones *z, struct bytes owner, uint16_t cluster,
                 const struct zones_amendment *change)
{
	struct name name;
	struct served *s = find_zone(z, owner, &name);

	if (s)
		served_amend(s, &name, cluster, change);
}

/* --- tables --- */

void zones_set_clusters(struct zones *z, const struct snapshot_cluster *clusters, size_t count)
{
	struct clusters *made = tables_clusters(clusters, count);

	z->differs |= !tables_same_clusters(made, z->clusters);
	part_unref(z->clusters);
	z->clusters = made;
}

void zones_set_probes(struct zones *z, const struct zones_probe *probes, size_t count)
{
	struct probes *made = tables_probes(probes, count);

	z->differs |= !tables_same_probes(made, z->probes);
	part_unref(z->probes);
	z->probes = made;
}

void zones_set_settings(struct zones *z, const struct snapshot_settings *settings)
{
	const struct snapshot_settings *a = settings, *b = &z->settings;

	z->differs |= a->all != b->all || a->degraded_ttl != b->degraded_ttl ||
	              a->max_addresses != b->max_addresses || a->ready != b->ready ||
	              a->incomplete != b->incomplete || a->dark != b->dark ||
	              a->frozen != b->frozen;
	z->settings = *settings;
}

void zones_set_votes(struct zones *z, const struct snapshot_votes *votes)
{
	struct votes *made = tables_votes(votes);

	z->differs |= !tables_same_votes(made, z->votes);
	part_unref(z->votes);
	z->votes = made;
}

void zones_set_ranking(struct zones *z, const struct ranking *take_ranking)
{
	part_unref(z->ranked);
	z->ranked = tables_ranked(take_ranking);
	z->differs = true;
}

void zones_set_policies(struct zones *z, const struct policy *policies, size_t count)
{
	struct policies *made = tables_policies(policies, count);

	z->differs |= !tables_same_policies(made, z->policies);
	part_unref(z->policies);
	z->policies = made;
}

void zones_set_waiting(struct zones *z, const bool *waits, size_t count)
{
	struct waiting *made = tables_waiting(waits, count);

	z->differs |= !tables_same_waiting(made, z->waiting);
	part_unref(z->waiting);
	z->waiting = made;
}

void zones_set_terms(struct zones *z, const struct terms *take_terms,
                     void (*on_free)(const struct terms *terms))
{
	part_unref(z->carried);
	z->carried = tables_carried(take_terms, on_free);
	z->differs = true;
}

void zones_set_report(struct zones *z, const struct snapshot_report *report)
{
	struct report *made = tables_report(report);

	z->differs |= !tables_same_report(made, z->report);
	part_unref(z->report);
	z->report = made;
}
