/* SPDX-License-Identifier: Apache-2.0 */
#include "records/annotation_record.h"

#include <stdlib.h>
#include <string.h>

#include "records/ingress_rules.h"
#include "records/names.h"
#include "records/owner.h"
#include "records/sites.h"

struct fact_annotations annotation_record_of(const struct fact_value *v)
{
	struct fact_annotations none = {.hostname = {NULL, 0}};

	if (v->kind == FACT_SERVICE && v->service.annotations.hostname.len > 0)
		return v->service.annotations;
	if (v->kind == FACT_INGRESS && v->ingress.annotations.hostname.len > 0)
		return v->ingress.annotations;
	return none;
}

bool annotation_record_next(struct bytes *list, struct bytes *item)
{
	while (list->len > 0) {
		const uint8_t *comma = memchr(list->data, ',', list->len);
		size_t len = comma ? (size_t)(comma - list->data) : list->len;

		*item = (struct bytes){list->data, len};
		list->data += len + (comma != NULL);
		list->len -= len + (comma != NULL);
		while (item->len > 0 && item->data[0] <= ' ') {
			item->data++;
			item->len--;
		}
		while (item->len > 0 && item->data[item->len - 1] <= ' ')
			item->len--;
		if (item->len > 0)
			return true;
	}
	return false;
}

/* --- who carries the name --- */

struct carrier {
	const struct fact *fact;
	uint16_t cluster;
	const char *cluster_name;
	struct fact_value value;
};

static bool carries(const struct fact_value *v, struct bytes host)
{
	struct bytes list = annotation_record_of(v).hostname;
	struct bytes item;

	while (annotation_record_next(&list, &item)) {
		uint8_t wire[NAMES_WIRE_MAX];
		size_t len;

		if (!names_from_text(item, wire, &len, NULL) && names_wire_equal(wire, host.data))
			return true;
	}
	return false;
}

bool annotation_record_is_carried(const struct world *w, struct bytes host)
{
	struct idmap_walk walk = links_find(w->annotated, owner_hash(&w->key, host));
	const struct link *link;
	struct fact_value v;

	while ((link = links_next(w->annotated, &walk)) != NULL)
		if (fact_decode(link->fact, w->arena, &v) && carries(&v, host))
			return true;
	return false;
}

/* A Service speaks once it has an address to give; an Ingress at once. */
static bool takes_part(const struct fact_value *v)
{
	return v->kind == FACT_INGRESS || v->service.target_count > 0 ||
	       v->service.annotations.target.len > 0;
}

static int by_cluster_and_age(const void *x, const void *y)
{
	const struct carrier *a = x;
	const struct carrier *b = y;
	int order = strcmp(a->cluster_name, b->cluster_name);

	return order ? order : world_compare(a->fact, b->fact);
}

static struct carrier *find_carriers(const struct world *w, struct bytes host, size_t *count)
{
	struct idmap_walk walk = links_find(w->annotated, owner_hash(&w->key, host));
	const struct link *link;
	struct carrier *list;
	size_t most = 0;

	while (links_next(w->annotated, &walk))
		most++;
	list = arena_alloc(w->arena, most * sizeof(*list));
	*count = 0;
	walk = links_find(w->annotated, owner_hash(&w->key, host));
	while ((link = links_next(w->annotated, &walk)) != NULL) {
		struct carrier *c = &list[*count];

		*c = (struct carrier){link->fact,
		                      (uint16_t)link->cluster,
		                      facts_cluster_name(w->facts, (uint16_t)link->cluster),
		                      {.kind = FACT_SERVICE}};
		if (clusters_has(w->clusters, c->cluster) &&
		    fact_decode(c->fact, w->arena, &c->value) && carries(&c->value, host) &&
		    takes_part(&c->value))
			(*count)++;
	}
	if (*count > 0)
		qsort(list, *count, sizeof(*list), by_cluster_and_age);
	return list;
}

static void note_conflict(const struct world *w, const char *host, const struct carrier *winner,
                          const struct carrier *loser)
{
	notes_conflict(w->notes, &(struct records_conflict){host, world_title(w, winner->fact),
	                                                    world_title(w, loser->fact),
	                                                    winner->cluster, loser->cluster});
}

/* Of each cluster the oldest; of these, those in the namespace of the oldest of all. */
static const struct carrier *elect(const struct world *w, const char *host, struct carrier *list,
                                   size_t *count)
{
	const struct carrier *owner = NULL;
	struct carrier first = {.fact = NULL};
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		/* Two host names of one object may have one hash: then it is listed twice. */
		if (i > 0 && list[i].fact == list[i - 1].fact &&
		    list[i].cluster == list[i - 1].cluster)
			continue;
		if (kept > 0 && list[kept - 1].cluster == list[i].cluster)
			note_conflict(w, host, &list[kept - 1], &list[i]);
		else
			list[kept++] = list[i];
	}
	for (size_t i = 0; i < kept; i++)
		if (!first.fact || world_compare(list[i].fact, first.fact) < 0)
			first = list[i];
	*count = 0;
	for (size_t i = 0; i < kept; i++) {
		if (!bytes_equal(list[i].value.namespace, first.value.namespace)) {
			note_conflict(w, host, &first, &list[i]);
			continue;
		}
		list[*count] = list[i];
		if (list[*count].fact == first.fact)
			owner = &list[*count];
		(*count)++;
	}
	return owner;
}

/* --- its sites --- */

static uint32_t read_ttl(const struct world *w, const struct carrier *c)
{
	struct bytes text = annotation_record_of(&c->value).ttl;
	uint32_t ttl;

	if (text.len == 0)
		return w->settings->default_ttl;
	if (annotation_record_read_ttl(text, &ttl))
		return ttl;
	notes_problem_in(w->notes, c->cluster, world_title(w, c->fact),
	                 "annotation ttl '%.*s' of cluster %s is not a TTL", (int)text.len,
	                 (const char *)text.data, c->cluster_name);
	return w->settings->default_ttl;
}

/* What the annotation `target` says: addresses, or else one name. */
struct said {
	struct addr *addresses;
	size_t count;
	struct bytes name;
};

static void note_target(const struct world *w, const struct carrier *c, struct bytes target,
                        const char *what)
{
	notes_problem_in(w->notes, c->cluster, world_title(w, c->fact),
	                 "annotation target '%.*s' of cluster %s %s", (int)target.len,
	                 (const char *)target.data, c->cluster_name, what);
}

static struct said read_targets(const struct world *w, const struct carrier *c)
{
	struct bytes list = annotation_record_of(&c->value).target;
	struct said said = {
		.addresses = arena_alloc(w->arena, (list.len / 2 + 1) * sizeof(struct addr))};
	bool any_address = false;
	struct bytes item;

	while (annotation_record_next(&list, &item)) {
		uint8_t wire[NAMES_WIRE_MAX];
		struct addr a;
		size_t len;

		if (addr_parse(item, &a)) {
			any_address = true;
			a = addr_unmapped(&a);
			if (sites_may_publish(w, c->fact, c->cluster, &a))
				said.addresses[said.count++] = a;
		} else if (names_from_text(item, wire, &len, NULL)) {
			note_target(w, c, item, "is neither an address nor a name");
		} else if (said.name.len > 0) {
			note_target(w, c, item, "is one name too many: only the first counts");
		} else {
			said.name = item;
		}
	}
	if (any_address && said.name.len > 0) {
		note_target(w, c, said.name, "is left out beside addresses");
		said.name.len = 0;
	}
	said.count = sites_sort(said.addresses, said.count);
	return said;
}

static struct endpoint_site cname_site(const struct world *w, const struct sites_app *app,
                                       struct bytes name)
{
	struct endpoint_site site = sites_describe(w, app);
	struct endpoint_rrset *rrset = arena_alloc(w->arena, sizeof(*rrset));

	*rrset = (struct endpoint_rrset){.type = bytes_of("CNAME"),
	                                 .ttl = app->ttl,
	                                 .count = 1,
	                                 .texts = arena_memdup(w->arena, &name, sizeof(name))};
	site.rrset_count = 1;
	site.rrsets = rrset;
	site.layers |= SITE_LOAD_BALANCER;
	return site;
}

/* What its Services or its gateway have to say. */
static void look_behind(const struct world *w, const struct carrier *c, struct bytes host,
                        struct sites_app *app)
{
	const struct fact_value *v = &c->value;

	if (v->kind == FACT_SERVICE) {
		app->port = v->service.port;
		app->endpoints = world_count_endpoints(w, c->cluster, v->namespace, v->name);
		app->is_ready = app->endpoints.ready > 0;
		app->has_count = true;
		return;
	}
	app->port = ingress_rules_port(v, host);
	app->is_ready = ingress_rules_are_ready(w, c->cluster, v, host);
	if (sites_count_endpoints(w, app->policy))
		app->has_count = ingress_rules_count(w, c->cluster, v, host, &app->endpoints);
	/* Another target has another gateway. */
	app->has_no_gateway = annotation_record_of(v).target.len == 0 &&
	                      ingress_rules_have_no_gateway(w, c->cluster, v);
}

static struct endpoint_site make_site(const struct world *w, uint32_t source,
                                      const struct carrier *c, struct bytes host,
                                      const struct draft_name *name, struct draft *d)
{
	const struct fact_value *v = &c->value;
	struct sites_app app = {.cluster = c->cluster,
	                        .ttl = read_ttl(w, c),
	                        .policy = name->policy,
	                        .owner = name->owner};
	struct said said = {NULL, 0, {NULL, 0}};

	look_behind(w, c, host, &app);
	if (annotation_record_of(v).target.len > 0) {
		said = read_targets(w, c);
	} else {
		bool is_service = v->kind == FACT_SERVICE;
		struct sites_targets t = {
			c->fact, c->cluster, is_service ? v->service.targets : v->ingress.targets,
			is_service ? v->service.target_count : v->ingress.target_count, app.ttl};

		said.addresses = sites_addresses(w, source, d, &t, &said.count);
		app.ttl = t.ttl;
	}
	if (said.name.len > 0)
		return cname_site(w, &app, said.name);
	app.addresses = said.addresses;
	app.count = said.count;
	return sites_make(w, &app);
}

/* Those of the object that the name belongs to. */
static void set_policy(const struct world *w, const struct carrier *owner, struct draft_name *name)
{
	const struct policy_subject subject = {
		.app = owner->value.kind == FACT_SERVICE ? POLICY_SERVICE : POLICY_INGRESS,
		.namespace = owner->value.namespace,
		.name = owner->value.name};

	name->policy =
		policy_index_find(w->policy_index, &subject, name->owner, &name->passed_over);
}

const struct fact *annotation_record_make(const struct world *w, uint32_t source, struct bytes host,
                                          struct draft *d)
{
	size_t count;
	struct carrier *carriers = find_carriers(w, host, &count);
	const struct carrier *owner;
	struct draft_name *name;
	char text[NAMES_TEXT_SIZE];
	struct bytes rules_host;

	names_to_text(host.data, text);
	owner = elect(w, text, carriers, &count);
	if (!owner)
		return NULL;
	if (apexes_find(w->apexes, host) < 0) {
		notes_problem_in(w->notes, owner->cluster, world_title(w, owner->fact),
		                 "host %.*s is outside every zone", (int)strlen(text) - 1, text);
		return owner->fact;
	}
	rules_host = bytes_of(text);
	d->ttl = w->settings->default_ttl;
	name = draft_add_name(d, host);
	name->fail_open = true;
	set_policy(w, owner, name);
	name->site_count = count;
	name->sites = arena_alloc(w->arena, count * sizeof(*name->sites));
	for (size_t i = 0; i < count; i++) {
		struct endpoint_site site = make_site(w, source, &carriers[i], rules_host, name, d);

		name->sites[i] = draft_add_site(d, &site);
	}
	sites_hold(w, d, name);
	return owner->fact;
}
