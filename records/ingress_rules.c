/* SPDX-License-Identifier: Apache-2.0 */
#include "records/ingress_rules.h"

#include <string.h>
#include <strings.h>

static struct bytes without_dot(struct bytes s)
{
	if (s.len > 0 && s.data[s.len - 1] == '.')
		s.len--;
	return s;
}

static bool same(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	       strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0;
}

/* Does "*.example.com" stand for the host, which has one label in the place of the star? */
static bool is_wildcard_for(struct bytes pattern, struct bytes host)
{
	const uint8_t *dot = host.len ? memchr(host.data, '.', host.len) : NULL;

	if (!dot || dot == host.data || pattern.len < 3 || pattern.data[0] != '*' ||
	    pattern.data[1] != '.')
		return false;
	return same((struct bytes){pattern.data + 1, pattern.len - 1},
	            (struct bytes){dot, (size_t)(host.data + host.len - dot)});
}

enum fit { FIT_EXACT, FIT_WILDCARD, FIT_EVERY_HOST, FIT_NONE };

static enum fit fit_of(struct bytes pattern, struct bytes host)
{
	if (pattern.len == 0)
		return FIT_EVERY_HOST;
	if (same(without_dot(pattern), host))
		return FIT_EXACT;
	return is_wildcard_for(without_dot(pattern), host) ? FIT_WILDCARD : FIT_NONE;
}

enum readiness { NONE_NAMED, NOT_READY, READY };

static enum readiness rules_readiness(const struct world *w, uint16_t cluster,
                                      const struct fact_value *v, struct bytes host, enum fit fit)
{
	enum readiness found = NONE_NAMED;

	for (size_t i = 0; i < v->ingress.rule_count; i++) {
		const struct fact_rule *rule = &v->ingress.rules[i];

		if (fit != FIT_NONE && fit_of(rule->host, host) != fit)
			continue;
		for (size_t k = 0; k < rule->service_count; k++) {
			if (world_is_ready(w, cluster, v->namespace, rule->services[k]))
				return READY;
			found = NOT_READY;
		}
	}
	return found;
}

bool ingress_rules_are_ready(const struct world *w, uint16_t cluster,
                             const struct fact_value *ingress, struct bytes host)
{
	struct bytes fallback = ingress->ingress.default_service;
	enum readiness found;

	host = without_dot(host);
	for (enum fit fit = FIT_EXACT; fit <= FIT_EVERY_HOST; fit++) {
		found = rules_readiness(w, cluster, ingress, host, fit);
		if (found != NONE_NAMED)
			return found == READY;
	}
	/* Without a rule for it: any rule, or the default backend. */
	found = rules_readiness(w, cluster, ingress, host, FIT_NONE);
	if (found == READY || (found == NONE_NAMED && fallback.len == 0))
		return true;
	return fallback.len > 0 && world_is_ready(w, cluster, ingress->namespace, fallback);
}

uint16_t ingress_rules_port(const struct fact_value *ingress, struct bytes host)
{
	host = without_dot(host);
	for (size_t i = 0; i < ingress->ingress.tls_host_count; i++) {
		enum fit fit = fit_of(ingress->ingress.tls_hosts[i], host);

		if (fit == FIT_EXACT || fit == FIT_WILDCARD)
			return 443;
	}
	return 80;
}
