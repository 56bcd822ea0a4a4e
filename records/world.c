/* SPDX-License-Identifier: Apache-2.0 */
#include "records/world.h"

#include <string.h>

enum { KUBEFED_TTL = 180 };

uint32_t world_hash_object(const struct world *w, uint16_t cluster, struct bytes namespace,
                           struct bytes name)
{
	return (uint32_t)world_id(w, cluster, namespace, name);
}

uint64_t world_id(const struct world *w, uint16_t cluster, struct bytes namespace,
                  struct bytes name)
{
	return tally_id(&w->key, cluster, namespace, name);
}

struct world_count world_count_endpoints(const struct world *w, uint16_t cluster,
                                         struct bytes namespace, struct bytes service)
{
	const struct tally_entry *e =
		tally_find(w->endpoints, world_id(w, cluster, namespace, service));

	return e ? (struct world_count){e->n[TALLY_SLICES], e->n[TALLY_READY],
	                                e->n[TALLY_ENDPOINTS]}
	         : (struct world_count){0, 0, 0};
}

bool world_is_ready(const struct world *w, uint16_t cluster, struct bytes namespace,
                    struct bytes service)
{
	return world_count_endpoints(w, cluster, namespace, service).ready > 0;
}

const char *world_title(const struct world *w, const struct fact *fact)
{
	bool from_config = fact_created(fact) == FACT_CONFIG_TIME;
	struct bytes kind =
		bytes_of(from_config ? "config zone" : fact_kind_text(fact_get_kind(fact)));
	struct bytes namespace = from_config ? (struct bytes){NULL, 0} : fact_namespace(fact);
	struct bytes name = fact_name(fact);
	char *text = arena_alloc(w->arena, kind.len + namespace.len + name.len + 3);
	char *at = text;

	/* By hand: every source of a million needs one. */
	memcpy(at, kind.data, kind.len);
	at += kind.len;
	*at++ = ' ';
	if (namespace.len > 0) {
		memcpy(at, namespace.data, namespace.len);
		at += namespace.len;
		*at++ = '/';
	}
	memcpy(at, name.data, name.len);
	at[name.len] = '\0';
	return text;
}

int world_compare(const struct fact *a, const struct fact *b)
{
	int64_t x = fact_created(a);
	int64_t y = fact_created(b);
	int order = (x > y) - (x < y);

	if (order == 0)
		order = strcmp(fact_kind_text(fact_get_kind(a)), fact_kind_text(fact_get_kind(b)));
	if (order == 0)
		order = bytes_compare(fact_namespace(a), fact_namespace(b));
	if (order == 0)
		order = bytes_compare(fact_name(a), fact_name(b));
	/* Two groups have a kind DNSEndpoint. */
	return order ? order : (int)fact_get_kind(a) - (int)fact_get_kind(b);
}

uint32_t world_record_ttl(const struct world *w, const char *title, int64_t ttl)
{
	if (ttl > INT32_MAX) {
		notes_problem(w->notes, title, "recordTTL %lld is over 2147483647", (long long)ttl);
		return INT32_MAX;
	}
	return ttl > 0 ? (uint32_t)ttl : KUBEFED_TTL;
}
