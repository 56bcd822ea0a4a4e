/* SPDX-License-Identifier: Apache-2.0 */
#include "records/beside.h"

static bool has_type(const struct endpoint_rrset *rrsets, size_t count, struct bytes type)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal(rrsets[i].type, type))
			return true;
	return false;
}

/* May it stand beside the config's?  RFC 1034 3.6.2. */
static bool is_free(const struct endpoint *config, const struct endpoint_rrset *rrset)
{
	return !bytes_equal_text(rrset->type, "CNAME") &&
	       !has_type(config->fixed, config->fixed_count, bytes_of("CNAME")) &&
	       !has_type(config->fixed, config->fixed_count, rrset->type);
}

/* Those of `from` that may stand there, behind what is in `to`; how many there are then. */
static size_t add_free(const struct endpoint *config, const struct endpoint_rrset *from,
                       size_t from_count, struct endpoint_rrset *to, size_t count, bool *lost)
{
	for (size_t i = 0; i < from_count; i++)
		if (is_free(config, &from[i]))
			to[count++] = from[i];
		else
			*lost = true;
	return count;
}

/* How many RRsets its sites have left. */
static size_t join_sites(struct arena *a, const struct endpoint *config,
                         const struct endpoint *other, struct endpoint *out, bool *lost)
{
	struct endpoint_site *sites =
		arena_memdup(a, other->sites, other->site_count * sizeof(*sites));
	size_t left = 0;

	for (size_t i = 0; i < other->site_count; i++) {
		const struct endpoint_site *from = &other->sites[i];
		struct endpoint_rrset *rrsets =
			arena_alloc(a, (from->rrset_count + 1) * sizeof(*rrsets));

		sites[i].rrset_count =
			add_free(config, from->rrsets, from->rrset_count, rrsets, 0, lost);
		sites[i].rrsets = rrsets;
		left += sites[i].rrset_count;
	}
	out->has_sites = true;
	out->policy = other->policy;
	out->passed_over = other->passed_over;
	out->sites = sites;
	out->site_count = other->site_count;
	/* A CNAME to the next level cannot stand there: then all sites count, as for a global name. */
	out->fail_open = other->fail_open || other->fallback.len > 0;
	return left;
}

const struct endpoint *beside_join(struct arena *a, const struct endpoint *config,
                                   const struct endpoint *other, bool *lost)
{
	struct endpoint *e = arena_memdup(a, config, sizeof(*config));
	size_t most = config->fixed_count + other->fixed_count, left = 0;
	struct endpoint_rrset *fixed = arena_alloc(a, (most + 1) * sizeof(*fixed));

	*lost = false;
	for (e->fixed_count = 0; e->fixed_count < config->fixed_count; e->fixed_count++)
		fixed[e->fixed_count] = config->fixed[e->fixed_count];
	e->fixed_count =
		add_free(config, other->fixed, other->fixed_count, fixed, e->fixed_count, lost);
	e->fixed = fixed;
	if (other->has_sites)
		left = join_sites(a, config, other, e, lost);
	/* Sites without any address are no loss; what was dropped is. */
	if (*lost && left == 0 && e->fixed_count == config->fixed_count)
		return config;
	e->source = arena_printf(a, "%s and %s", config->source, other->source);
	return e;
}
