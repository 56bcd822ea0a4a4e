/* SPDX-License-Identifier: Apache-2.0 */
#include "records/kept_zones.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "records/names.h"
#include "records/owner.h"

/* False: the Domain names no zone.  *release_guard: the hold that it lets go, or 0. */
static bool read_domain(const struct fact *domain, uint8_t out[NAMES_WIRE_MAX], size_t *len,
                        uint64_t *release_guard)
{
	struct arena *a = arena_new();
	uint8_t wire[NAMES_WIRE_MAX];
	struct fact_value v;
	bool good = fact_get_kind(domain) == FACT_DOMAIN && fact_decode(domain, a, &v) &&
	            names_from_text(v.domain.domain, wire, len, NULL) == ERR_OK;

	if (good) {
		owner_lower((struct bytes){wire, *len}, out);
		*release_guard = v.domain.release_guard;
	}
	arena_free(a);
	return good;
}

static bool read_apex(const struct fact *domain, uint8_t out[NAMES_WIRE_MAX], size_t *len)
{
	uint64_t release_guard;

	return read_domain(domain, out, len, &release_guard);
}

static void add(struct kept_zones *k, const struct fact *domain, const struct records_hold *hold,
                bool is_told)
{
	uint8_t apex[NAMES_WIRE_MAX];
	size_t len;

	if (!read_apex(domain, apex, &len))
		return;
	k->list = xreallocarray(k->list, k->count + 1, sizeof(*k->list));
	k->list[k->count++] =
		(struct kept_zone){fact_ref(domain), {xmemdup(apex, len), len}, *hold, is_told};
}

static void drop(struct kept_zones *k, size_t i)
{
	struct kept_zone *z = &k->list[i];

	if (z->is_told)
		buffer_str16(&k->forgotten, z->apex);
	fact_unref(z->domain);
	free((void *)(uintptr_t)z->apex.data);
	*z = k->list[--k->count];
}

static void forget_gone(struct kept_zones *k)
{
	while (k->gone_count > 0)
		fact_unref(k->gone[--k->gone_count]);
}

void kept_zones_fini(struct kept_zones *k)
{
	while (k->count > 0)
		drop(k, k->count - 1);
	forget_gone(k);
	free(k->list);
	free(k->gone);
	buffer_fini(&k->forgotten);
}

void kept_zones_lose(struct kept_zones *k, const struct fact *domain)
{
	k->gone = xreallocarray(k->gone, k->gone_count + 1, sizeof(const struct fact *));
	k->gone[k->gone_count++] = fact_ref(domain);
}

/* --- the end --- */

struct search {
	struct bytes apex;
	bool found;
};

static void on_domain(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct search *s = arg;
	uint8_t apex[NAMES_WIRE_MAX];
	size_t len;

	(void)cluster;
	s->found |= read_apex(fact, apex, &len) && bytes_equal((struct bytes){apex, len}, s->apex);
}

static bool has_domain(const struct facts *f, struct bytes apex)
{
	struct search s = {apex, false};

	facts_each(f, FACTS_HOST, FACT_DOMAIN, on_domain, &s);
	return s.found;
}

static void release(uint16_t cluster, const struct fact *fact, void *arg)
{
	uint8_t apex[NAMES_WIRE_MAX];
	uint64_t id;
	size_t len;

	(void)cluster;
	if (read_domain(fact, apex, &len, &id) && id != 0)
		guard_release_hold((struct guard *)arg, (struct bytes){apex, len}, id);
}

void kept_zones_release(struct guard *g, const struct facts *f)
{
	facts_each(f, FACTS_HOST, FACT_DOMAIN, release, g);
}

bool kept_zones_end(struct kept_zones *k, const struct guard *g, const struct facts *f,
                    uint64_t now_ms)
{
	size_t before = k->count;

	for (size_t i = k->count; i-- > 0;) {
		const struct kept_zone *z = &k->list[i];

		if ((z->hold.until_ms && z->hold.until_ms <= now_ms) ||
		    guard_is_released(g, z->apex) || has_domain(f, z->apex))
			drop(k, i);
	}
	return k->count < before;
}

/* --- the beginning --- */

static bool has_zone(const struct apexes *a, struct bytes apex)
{
	size_t count;
	const struct records_zone *list = apexes_list(a, &count);

	for (size_t i = 0; i < count; i++)
		if (bytes_equal(list[i].apex, apex))
			return true;
	return false;
}

static bool is_kept(const struct kept_zones *k, struct bytes apex)
{
	for (size_t i = 0; i < k->count; i++)
		if (bytes_equal(k->list[i].apex, apex))
			return true;
	return false;
}

bool kept_zones_begin(struct kept_zones *k, const struct guard *g,
                      const struct records_settings *settings, const struct apexes *was,
                      const struct apexes *now, uint64_t now_ms)
{
	static const struct records_hold none;
	size_t before = k->count;

	for (size_t i = 0; was && i < k->gone_count; i++) {
		uint8_t wire[NAMES_WIRE_MAX];
		struct bytes apex = {wire, 0};

		/* Names of a zone that lies in another one are not lost with it. */
		if (read_apex(k->gone[i], wire, &apex.len) && has_zone(was, apex) &&
		    apexes_find(now, apex) < 0 && !is_kept(k, apex) &&
		    guard_keeps_zone(g, settings, apex, now_ms))
			add(k, k->gone[i], &none, false);
	}
	forget_gone(k);
	return k->count > before;
}

void kept_zones_hold(struct kept_zones *k, struct guard *g, const struct records_settings *settings,
                     uint64_t now_ms)
{
	for (size_t i = 0; i < k->count; i++)
		guard_hold_zone(g, settings, k->list[i].apex, &k->list[i].hold, now_ms);
}

/* --- over a restart --- */

void kept_zones_take_changes(struct kept_zones *k, kept_zones_on_change_fn *fn, void *arg)
{
	struct cursor c = cursor_over(k->forgotten.data, k->forgotten.len);

	while (cursor_left(&c) > 0)
		fn(cursor_str16(&c), NULL, arg);
	buffer_reset(&k->forgotten);
	for (size_t i = 0; i < k->count; i++) {
		if (!k->list[i].is_told)
			fn(k->list[i].apex, &k->list[i], arg);
		k->list[i].is_told = true;
	}
}

bool kept_zones_restore(struct kept_zones *k, const struct fact *domain,
                        const struct records_hold *hold)
{
	size_t before = k->count;

	add(k, domain, hold, true);
	return k->count > before;
}
