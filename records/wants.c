/* SPDX-License-Identifier: Apache-2.0 */
#include "records/wants.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/checks.h"
#include "records/idmap.h"

struct host {
	struct bytes name; /* {0}: the number is free */
	struct addr *addresses;
	size_t count;
	uint32_t ttl_s; /* of the addresses; 0: not known */
	uint32_t uses;
	bool changed;
};

struct numbers {
	uint32_t *list;
	size_t count, room;
};

struct wants {
	struct hash_key key;
	struct idmap probe_index, host_index; /* by hash: number + 1 */
	struct checks *checks;
	struct idmap users; /* by a host's number: sources, once a use */
	struct records_probe *probes;
	uint32_t *probe_uses; /* 0: free */
	size_t probe_count, probe_room;
	struct numbers free_probes;
	struct host *hosts;
	size_t host_count, host_room;
	struct numbers free_hosts, changed_hosts;
	struct numbers early_hosts; /* whose addresses were told before anybody wanted them */
	struct bytes *sorted;       /* the names of all hosts, made when asked for */
	size_t sorted_count;
	bool sorted_is_old;
	bool changed; /* since the last result */
};

struct wants *wants_new(const struct hash_key *key)
{
	struct wants *w = xcalloc(1, sizeof(*w));

	w->key = *key;
	w->checks = checks_new(key);
	return w;
}

struct checks *wants_checks(const struct wants *w) { return w->checks; }

void wants_free(struct wants *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->host_count; i++) {
		free((void *)(uintptr_t)w->hosts[i].name.data);
		free(w->hosts[i].addresses);
	}
	free(w->hosts);
	checks_free(w->checks);
	idmap_fini(&w->probe_index);
	idmap_fini(&w->host_index);
	idmap_fini(&w->users);
	free(w->probes);
	free(w->probe_uses);
	free(w->free_probes.list);
	free(w->free_hosts.list);
	free(w->changed_hosts.list);
	free(w->early_hosts.list);
	free(w->sorted);
	free(w);
}

static void add_number(struct numbers *n, uint32_t number)
{
	if (n->count == n->room) {
		n->room = n->room ? n->room * 2 : 16;
		n->list = xreallocarray(n->list, n->room, sizeof(*n->list));
	}
	n->list[n->count++] = number;
}

/* --- probes --- */

static uint32_t hash_probe(const struct wants *w, const struct records_probe *p)
{
	uint8_t flat[25];

	flat[0] = p->addr.family;
	memcpy(flat + 1, p->addr.bytes, 16);
	bytes_put16(flat + 17, p->port);
	bytes_put16(flat + 19, p->cluster);
	bytes_put32(flat + 21, p->check);
	return (uint32_t)hash_siphash(&w->key, flat, p->check ? sizeof(flat) : 21);
}

static uint32_t new_probe(struct wants *w)
{
	if (w->free_probes.count > 0)
		return w->free_probes.list[--w->free_probes.count];
	if (w->probe_count == w->probe_room) {
		w->probe_room = w->probe_room ? w->probe_room + w->probe_room / 2 : 16;
		CHECK(w->probe_room < UINT32_MAX);
		w->probes = xreallocarray(w->probes, w->probe_room, sizeof(*w->probes));
		w->probe_uses = xreallocarray(w->probe_uses, w->probe_room, sizeof(*w->probe_uses));
	}
	return (uint32_t)w->probe_count++;
}

uint32_t wants_probe(struct wants *w, const struct records_probe *probe)
{
	uint32_t hash = hash_probe(w, probe);
	struct idmap_walk walk = idmap_find(&w->probe_index, hash);
	const uint32_t *found;
	uint32_t index;

	while ((found = idmap_next(&w->probe_index, &walk)) != NULL) {
		const struct records_probe *have = &w->probes[*found - 1];

		if (have->port == probe->port && have->cluster == probe->cluster &&
		    have->check == probe->check && addr_equal(&have->addr, &probe->addr)) {
			w->probe_uses[*found - 1]++;
			return *found - 1;
		}
	}
	index = new_probe(w);
	checks_keep(w->checks, probe->check);
	w->probes[index] = *probe;
	w->probe_uses[index] = 1;
	idmap_put(&w->probe_index, hash, index + 1);
	w->changed = true;
	return index;
}

const struct records_probe *wants_find_probe(const struct wants *w, uint32_t index)
{
	CHECK(index < w->probe_count && w->probe_uses[index] > 0);
	return &w->probes[index];
}

void wants_keep_probe(struct wants *w, uint32_t index)
{
	CHECK(index < w->probe_count && w->probe_uses[index] > 0);
	w->probe_uses[index]++;
}

void wants_release_probe(struct wants *w, uint32_t index)
{
	CHECK(index < w->probe_count && w->probe_uses[index] > 0);
	if (--w->probe_uses[index] > 0)
		return;
	CHECK(idmap_remove(&w->probe_index, hash_probe(w, &w->probes[index]), index + 1));
	checks_release(w->checks, w->probes[index].check);
	w->probes[index] = (struct records_probe){.addr = {.family = ADDR_NONE}};
	add_number(&w->free_probes, index);
	w->changed = true;
}

/* --- hosts --- */

static uint32_t hash_host(const struct wants *w, struct bytes name)
{
	return (uint32_t)hash_siphash(&w->key, name.data, name.len);
}

static uint32_t hash_number(uint32_t id) { return (uint32_t)hash_mix(id, 0); }

static struct host *find_host(const struct wants *w, struct bytes name)
{
	struct idmap_walk walk = idmap_find(&w->host_index, hash_host(w, name));
	const uint32_t *found;

	while ((found = idmap_next(&w->host_index, &walk)) != NULL)
		if (bytes_equal(w->hosts[*found - 1].name, name))
			return &w->hosts[*found - 1];
	return NULL;
}

static struct host *add_host(struct wants *w, struct bytes name)
{
	size_t id;

	if (w->free_hosts.count > 0) {
		id = w->free_hosts.list[--w->free_hosts.count];
	} else {
		if (w->host_count == w->host_room) {
			w->host_room = w->host_room ? w->host_room * 2 : 16;
			w->hosts = xreallocarray(w->hosts, w->host_room, sizeof(*w->hosts));
		}
		id = w->host_count++;
	}
	w->hosts[id] = (struct host){.name = {xmemdup(name.data, name.len), name.len}};
	idmap_put(&w->host_index, hash_host(w, name), (uint32_t)id + 1);
	return &w->hosts[id];
}

uint32_t wants_host(struct wants *w, struct bytes host, uint32_t source)
{
	struct host *h = find_host(w, host);
	uint32_t id;

	if (!h)
		h = add_host(w, host);
	id = (uint32_t)(h - w->hosts);
	if (h->uses++ == 0)
		w->changed = w->sorted_is_old = true;
	idmap_put(&w->users, hash_number(id), source);
	return id;
}

static void drop_host(struct wants *w, uint32_t id)
{
	struct host *h = &w->hosts[id];

	CHECK(idmap_remove(&w->host_index, hash_host(w, h->name), id + 1));
	free((void *)(uintptr_t)h->name.data);
	free(h->addresses);
	*h = (struct host){.name = {NULL, 0}};
	add_number(&w->free_hosts, id);
}

void wants_release_host(struct wants *w, uint32_t id, uint32_t source)
{
	struct host *h = &w->hosts[id];

	CHECK(id < w->host_count && h->uses > 0);
	CHECK(idmap_remove(&w->users, hash_number(id), source));
	if (--h->uses > 0)
		return;
	drop_host(w, id);
	w->changed = w->sorted_is_old = true;
}

/* Nobody asked for them in the build that followed. */
static void drop_early_hosts(struct wants *w)
{
	for (size_t i = 0; i < w->early_hosts.count; i++) {
		uint32_t id = w->early_hosts.list[i];

		if (w->hosts[id].name.data && w->hosts[id].uses == 0)
			drop_host(w, id);
	}
	w->early_hosts.count = 0;
}

const struct addr *wants_addresses(const struct wants *w, struct bytes host, size_t *count,
                                   uint32_t *ttl_s)
{
	const struct host *h = find_host(w, host);

	*ttl_s = h ? h->ttl_s : 0;
	*count = h ? h->count : 0;
	return h ? h->addresses : NULL;
}

static int by_address(const void *a, const void *b) { return addr_compare(a, b); }

/* Is it another, as far as that counts? */
static bool take_ttl(struct host *h, uint32_t ttl_s)
{
	uint32_t before = h->ttl_s;

	if (ttl_s != 0 && (before == 0 || ttl_s < before || ttl_s / 2 >= before))
		h->ttl_s = ttl_s;
	return h->ttl_s != before;
}

void wants_set_addresses(struct wants *w, struct bytes host, const struct addr *addresses,
                         size_t count, uint32_t ttl_s)
{
	struct host *h = find_host(w, host);
	struct addr *sorted;
	bool is_other;

	if (!h) {
		h = add_host(w, host);
		add_number(&w->early_hosts, (uint32_t)(h - w->hosts));
	}
	sorted = xmalloc(count * sizeof(*sorted));
	if (count > 0) {
		memcpy(sorted, addresses, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), by_address);
	}
	is_other = take_ttl(h, ttl_s);
	is_other |= count != h->count ||
	            (count > 0 && memcmp(sorted, h->addresses, count * sizeof(*sorted)) != 0);
	if (!h->changed && is_other) {
		h->changed = true;
		add_number(&w->changed_hosts, (uint32_t)(h - w->hosts));
	}
	free(h->addresses);
	h->addresses = sorted;
	h->count = count;
}

void wants_take_changed(struct wants *w, wants_on_source_fn *on_source, void *arg)
{
	for (size_t i = 0; i < w->changed_hosts.count; i++) {
		uint32_t id = w->changed_hosts.list[i];
		struct idmap_walk walk = idmap_find(&w->users, hash_number(id));
		const uint32_t *source;

		w->hosts[id].changed = false;
		while ((source = idmap_next(&w->users, &walk)) != NULL)
			on_source(*source, arg);
	}
	w->changed_hosts.count = 0;
}

static void sort_hosts(struct wants *w)
{
	w->sorted = xreallocarray(w->sorted, w->host_count, sizeof(*w->sorted));
	w->sorted_count = 0;
	for (size_t i = 0; i < w->host_count; i++)
		if (w->hosts[i].name.data)
			w->sorted[w->sorted_count++] = w->hosts[i].name;
	if (w->sorted_count > 0)
		qsort(w->sorted, w->sorted_count, sizeof(*w->sorted), bytes_by_order);
	w->sorted_is_old = false;
}

void wants_result(struct wants *w, struct records_result *out)
{
	drop_early_hosts(w);
	if (w->sorted_is_old)
		sort_hosts(w);
	out->hosts = w->sorted;
	out->host_count = w->sorted_count;
	out->probes = w->probes;
	out->probe_count = w->probe_count;
	out->wants_changed = checks_result(w->checks, out) || w->changed;
	w->changed = false;
}
