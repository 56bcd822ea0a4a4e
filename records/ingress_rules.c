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

typedef void on_service_fn(struct bytes service, void *arg);

/* Calls for the Services of the rules that fit just so, of all for FIT_NONE.  False: they name none. */
static bool each_of_rules(const struct fact_value *v, struct bytes host, enum fit fit,
                          on_service_fn *on_service, void *arg)
{
	bool any = false;

	for (size_t i = 0; i < v->ingress.rule_count; i++) {
		const struct fact_rule *rule = &v->ingress.rules[i];

		if (fit != FIT_NONE && fit_of(rule->host, host) != fit)
			continue;
		for (size_t k = 0; k < rule->service_count; k++)
			on_service(rule->services[k], arg);
		any |= rule->service_count > 0;
	}
	return any;
}

/* The Services behind a host: of the rules that fit best; without one, of any rule, and the default backend.
 * False: there are none. */
static bool each_service(const struct fact_value *v, struct bytes host, on_service_fn *on_service,
                         void *arg)
{
	bool any;

	host = without_dot(host);
	for (enum fit fit = FIT_EXACT; fit <= FIT_EVERY_HOST; fit++)
		if (each_of_rules(v, host, fit, on_service, arg))
			return true;
	any = each_of_rules(v, host, FIT_NONE, on_service, arg);
	if (v->ingress.default_service.len > 0)
		on_service(v->ingress.default_service, arg);
	return any || v->ingress.default_service.len > 0;
}

struct looking {
	const struct world *w;
	uint16_t cluster;
	struct bytes namespace;
	bool is_ready, any;
	struct world_count worst;
};

static void look_if_ready(struct bytes service, void *arg)
{
	struct looking *l = arg;

	l->is_ready = l->is_ready || world_is_ready(l->w, l->cluster, l->namespace, service);
}

bool ingress_rules_are_ready(const struct world *w, uint16_t cluster,
                             const struct fact_value *ingress, struct bytes host)
{
	struct looking l = {.w = w, .cluster = cluster, .namespace = ingress->namespace};

	return !each_service(ingress, host, look_if_ready, &l) || l.is_ready;
}

/* One without endpoints is the worst, then one of which fewer are ready. */
static bool is_worse(const struct world_count *a, const struct world_count *b)
{
	uint64_t x = (uint64_t)a->ready * b->total, y = (uint64_t)b->ready * a->total;

	if (a->total == 0 || b->total == 0)
		return a->total == 0 && b->total > 0;
	return x != y ? x < y : a->ready < b->ready;
}

static void look_for_worst(struct bytes service, void *arg)
{
	struct looking *l = arg;
	struct world_count n = world_count_endpoints(l->w, l->cluster, l->namespace, service);

	if (!l->any || is_worse(&n, &l->worst))
		l->worst = n;
	l->any = true;
}

bool ingress_rules_count(const struct world *w, uint16_t cluster, const struct fact_value *ingress,
                         struct bytes host, struct world_count *out)
{
	struct looking l = {.w = w, .cluster = cluster, .namespace = ingress->namespace};
	bool any = each_service(ingress, host, look_for_worst, &l);

	*out = l.worst;
	return any;
}

bool ingress_rules_have_no_gateway(const struct world *w, uint16_t cluster,
                                   const struct fact_value *ingress)
{
	for (size_t i = 0; i < ingress->ingress.target_count; i++)
		if (!gateways_is_down(w->gateways, cluster, ingress->ingress.targets[i]))
			return false;
	return ingress->ingress.target_count > 0;
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
