/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/notify_target.h"

#include <stddef.h>

static struct addr find_source(const struct config *c, const struct addr *to)
{
	struct addr from = {.family = ADDR_NONE};

	for (size_t i = 0; i < c->dns_count; i++) {
		const struct addr *at = &c->dns[i].addr;

		if (at->family != to->family)
			continue;
		if (addr_is_any(at))
			return (struct addr){.family = ADDR_NONE};
		if (from.family == ADDR_NONE && addr_is_loopback(at) == addr_is_loopback(to))
			from = *at;
	}
	return from;
}

static const struct tsig_key *find_key(const struct config_transfer *t, const struct addr *to,
                                       const struct tsig_keys *keys)
{
	for (size_t i = 0; i < t->rule_count; i++) {
		const struct config_transfer_rule *rule = &t->rules[i];
		struct name name;

		if (rule->has_network && !addr_network_has(&rule->network, to))
			continue;
		if (rule->key == NULL || name_from_text(&name, bytes_of(rule->key), NULL) != ERR_OK)
			return NULL;
		return tsig_keys_find(keys, name.wire);
	}
	return NULL;
}

void notify_target_fill(const struct config *c, const struct config_zone *zone,
                        const struct tsig_keys *keys, struct notify_target *out)
{
	for (size_t i = 0; i < zone->transfer.notify_count; i++) {
		const struct config_listen *to = &zone->transfer.notify[i];

		out[i] = (struct notify_target){to->addr, to->port, find_source(c, &to->addr),
		                                find_key(&zone->transfer, &to->addr, keys)};
	}
}
