/* SPDX-License-Identifier: Apache-2.0 */
#include "records/apexes.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/xalloc.h"
#include "records/idmap.h"
#include "records/kept_zones.h"
#include "records/names.h"
#include "records/owner.h"

enum { LABELS_MOST = 128 };

struct domain {
	const struct fact *fact; /* only good while the list is made */
	struct bytes name;
	struct bytes apex;
};

struct apexes {
	struct hash_key key;
	struct arena *arena;
	struct records_zone *zones;
	size_t count, room;
	struct idmap index;           /* owner_hash() of the apex: number + 1 */
	bool has_labels[LABELS_MOST]; /* is there an apex of so many labels? */
	struct domain *domains;       /* by name, the best of each name first */
	size_t domain_count, domain_room;
	struct notes *notes;
};

static void add_zone(struct apexes *a, struct bytes apex, bool from_config)
{
	for (size_t i = 0; i < a->count; i++) {
		if (bytes_equal(a->zones[i].apex, apex)) {
			a->zones[i].from_config |= from_config;
			return;
		}
	}
	if (a->count == a->room) {
		a->room = a->room ? a->room * 2 : 8;
		a->zones = xreallocarray(a->zones, a->room, sizeof(*a->zones));
	}
	a->zones[a->count++] = (struct records_zone){apex, from_config};
}

/* In lower case; {0} when the text is no name, which is noted. */
static struct bytes read_apex(struct apexes *a, struct bytes text, const char *where)
{
	uint8_t wire[NAMES_WIRE_MAX], lower[NAMES_WIRE_MAX];
	size_t len;
	struct reason why;

	if (names_from_text(text, wire, &len, &why)) {
		notes_problem(a->notes, where, "domain '%.*s': %s", (int)text.len,
		              (const char *)text.data, why.text);
		return (struct bytes){NULL, 0};
	}
	owner_lower((struct bytes){wire, len}, lower);
	return (struct bytes){arena_memdup(a->arena, lower, len), len};
}

static void on_domain(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct apexes *a = arg;
	struct fact_value v;
	struct domain d;
	char *where;

	(void)cluster;
	if (!fact_decode(fact, a->arena, &v))
		return;
	where = arena_printf(a->arena, "Domain %.*s/%.*s", (int)v.namespace.len,
	                     (const char *)v.namespace.data, (int)v.name.len,
	                     (const char *)v.name.data);
	d.fact = fact;
	d.apex = read_apex(a, v.domain.domain, where);
	if (d.apex.len == 0)
		return;
	d.name = (struct bytes){arena_memdup(a->arena, v.name.data, v.name.len), v.name.len};
	if (a->domain_count == a->domain_room) {
		a->domain_room = a->domain_room ? a->domain_room * 2 : 8;
		a->domains = xreallocarray(a->domains, a->domain_room, sizeof(*a->domains));
	}
	a->domains[a->domain_count++] = d;
	add_zone(a, d.apex, false);
}

static int by_name_and_rank(const void *x, const void *y)
{
	const struct domain *a = x;
	const struct domain *b = y;
	int order = bytes_compare(a->name, b->name);
	bool a_first = bytes_equal_text(fact_namespace(a->fact), "kube-federation-system");
	bool b_first = bytes_equal_text(fact_namespace(b->fact), "kube-federation-system");
	int64_t a_at = fact_created(a->fact);
	int64_t b_at = fact_created(b->fact);

	if (order == 0)
		order = b_first - a_first;
	if (order == 0)
		order = (a_at > b_at) - (a_at < b_at);
	return order ? order : bytes_compare(fact_namespace(a->fact), fact_namespace(b->fact));
}

static int longest_first(const void *x, const void *y)
{
	const struct records_zone *a = x;
	const struct records_zone *b = y;

	return a->apex.len != b->apex.len
	               ? (a->apex.len < b->apex.len) - (a->apex.len > b->apex.len)
	               : bytes_compare(a->apex, b->apex);
}

static size_t count_labels(const uint8_t *wire)
{
	size_t count = 0;

	for (; *wire; wire += 1 + *wire)
		count++;
	return count;
}

struct apexes *apexes_new(const struct hash_key *key, const struct records_settings *settings,
                          const struct facts *facts, const struct kept_zones *kept,
                          struct notes *notes)
{
	struct apexes *a = xcalloc(1, sizeof(*a));

	a->key = *key;
	a->arena = arena_new();
	a->notes = notes;
	if (notes)
		notes_begin(notes, NOTES_OF_ZONES, 0);
	for (size_t i = 0; i < settings->zone_count; i++) {
		struct bytes apex = read_apex(a, settings->zones[i], "config");

		if (apex.len)
			add_zone(a, apex, true);
	}
	facts_each(facts, FACTS_HOST, FACT_DOMAIN, on_domain, a);
	for (size_t i = 0; i < kept->count; i++)
		on_domain(FACTS_HOST, kept->list[i].domain, a);
	if (a->domain_count > 0)
		qsort(a->domains, a->domain_count, sizeof(*a->domains), by_name_and_rank);
	if (a->count > 0)
		qsort(a->zones, a->count, sizeof(*a->zones), longest_first);
	for (size_t i = 0; i < a->count; i++) {
		idmap_put(&a->index, owner_hash(key, a->zones[i].apex), (uint32_t)i + 1);
		a->has_labels[count_labels(a->zones[i].apex.data)] = true;
	}
	return a;
}

void apexes_free(struct apexes *a)
{
	if (!a)
		return;
	free(a->zones);
	free(a->domains);
	idmap_fini(&a->index);
	arena_free(a->arena);
	free(a);
}

const struct records_zone *apexes_list(const struct apexes *a, size_t *count)
{
	*count = a->count;
	return a->zones;
}

bool apexes_equal(const struct apexes *a, const struct apexes *b)
{
	bool equal = a->count == b->count;

	for (size_t i = 0; i < a->count && equal; i++)
		equal = bytes_equal(a->zones[i].apex, b->zones[i].apex) &&
		        a->zones[i].from_config == b->zones[i].from_config;
	return equal;
}

int apexes_find(const struct apexes *a, struct bytes wire)
{
	size_t labels;

	if (a->count == 1)
		return names_wire_is_under(wire.data, a->zones[0].apex.data) ? 0 : -1;
	labels = count_labels(wire.data);
	for (;; labels--) {
		struct idmap_walk walk;
		const uint32_t *found;

		if (a->has_labels[labels]) {
			walk = idmap_find(&a->index, owner_hash(&a->key, wire));
			while ((found = idmap_next(&a->index, &walk)) != NULL)
				if (names_wire_equal(wire.data, a->zones[*found - 1].apex.data))
					return (int)*found - 1;
		}
		if (labels == 0)
			return -1;
		wire.len -= 1 + (size_t)wire.data[0];
		wire.data += 1 + wire.data[0];
	}
}

struct bytes apexes_domain(const struct apexes *a, struct bytes name)
{
	size_t from = 0, to = a->domain_count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (bytes_compare(a->domains[middle].name, name) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from < a->domain_count && bytes_equal(a->domains[from].name, name))
		return a->domains[from].apex;
	return (struct bytes){NULL, 0};
}
