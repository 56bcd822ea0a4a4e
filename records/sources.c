/* SPDX-License-Identifier: Apache-2.0 */
#include "records/sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

void sources_fini(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].kept);
	free(s->list);
	idmap_fini(&s->index);
}

struct source *sources_get(const struct sources *s, uint32_t number)
{
	CHECK(number > 0 && number <= s->count);
	return &s->list[number - 1];
}

static uint32_t hash_fact_key(const struct sources *s, unsigned kind, struct bytes namespace,
                              struct bytes name)
{
	return (uint32_t)hash_mix(hash_siphash_pair(&s->key, namespace, name), kind);
}

static uint32_t hash_host(const struct sources *s, struct bytes host)
{
	return (uint32_t)hash_siphash(&s->key, host.data, host.len);
}

static uint32_t take_number(struct sources *s)
{
	uint32_t number = s->unused;

	if (number) {
		s->unused = s->list[number - 1].work;
		return number;
	}
	if (s->count == s->room) {
		s->room = s->room ? s->room + s->room / 2 : 16;
		CHECK(s->room < UINT32_MAX);
		s->list = xreallocarray(s->list, s->room, sizeof(*s->list));
	}
	return (uint32_t)++s->count;
}

uint32_t sources_find(const struct sources *s, enum fact_kind kind, struct bytes namespace,
                      struct bytes name)
{
	struct idmap_walk walk = idmap_find(&s->index, hash_fact_key(s, kind, namespace, name));
	const uint32_t *number;

	while ((number = idmap_next(&s->index, &walk)) != NULL) {
		const struct source *have = sources_get(s, *number);

		if (have->kind == kind && bytes_equal(fact_name(have->fact), name) &&
		    bytes_equal(fact_namespace(have->fact), namespace))
			return *number;
	}
	return 0;
}

uint32_t sources_add(struct sources *s, const struct fact *fact)
{
	uint32_t number = take_number(s);
	enum fact_kind kind = fact_get_kind(fact);

	*sources_get(s, number) = (struct source){.fact = fact, .kind = (uint8_t)kind};
	idmap_put(&s->index, hash_fact_key(s, kind, fact_namespace(fact), fact_name(fact)), number);
	return number;
}

uint32_t sources_find_host(const struct sources *s, struct bytes host)
{
	struct idmap_walk walk = idmap_find(&s->index, hash_host(s, host));
	const uint32_t *number;

	while ((number = idmap_next(&s->index, &walk)) != NULL) {
		const struct source *have = sources_get(s, *number);

		if (have->kind == SOURCE_HOST && bytes_equal(source_host(have), host))
			return *number;
	}
	return 0;
}

uint32_t sources_add_host(struct sources *s, struct bytes host)
{
	uint32_t number = take_number(s);

	*sources_get(s, number) = (struct source){
		.kept = source_keep(host, (struct bytes){NULL, 0}), .kind = SOURCE_HOST};
	idmap_put(&s->index, hash_host(s, host), number);
	return number;
}

void sources_remove(struct sources *s, uint32_t number)
{
	struct source *old = sources_get(s, number);
	uint32_t hash = old->kind == SOURCE_HOST
	                        ? hash_host(s, source_host(old))
	                        : hash_fact_key(s, old->kind, fact_namespace(old->fact),
	                                        fact_name(old->fact));

	CHECK(idmap_remove(&s->index, hash, number));
	free(old->kept);
	*old = (struct source){.work = s->unused};
	s->unused = number;
}

struct bytes source_host(const struct source *s)
{
	return (struct bytes){s->kept->bytes, s->kept->host_len};
}

struct bytes source_draft(const struct source_kept *kept)
{
	if (!kept)
		return (struct bytes){NULL, 0};
	return (struct bytes){kept->bytes + kept->host_len, kept->len};
}

struct source_kept *source_keep(struct bytes host, struct bytes draft)
{
	struct source_kept *kept = xmalloc(sizeof(*kept) + host.len + draft.len);

	CHECK(host.len <= UINT8_MAX && draft.len <= UINT32_MAX);
	kept->len = (uint32_t)draft.len;
	kept->host_len = (uint8_t)host.len;
	if (host.len > 0)
		memcpy(kept->bytes, host.data, host.len);
	if (draft.len > 0)
		memcpy(kept->bytes + host.len, draft.data, draft.len);
	return kept;
}
