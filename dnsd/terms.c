/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/terms.h"

#include <stdlib.h>
#include <string.h>

#include "dnsd/config_place.h"

/* --- identity --- */

/* One TXT record of one string, which is not to be kept by anybody. */
static const struct rrset *make_txt(struct arena *a, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	struct rrset *set;

	if (text == NULL)
		return NULL;
	set = arena_calloc(a, 1, sizeof *set + 3 + len);
	set->type = RR_TXT;
	set->count = 1;
	set->bytes = (uint32_t)(3 + len);
	bytes_put16(set->data, (uint16_t)(1 + len));
	set->data[2] = (uint8_t)len;
	memcpy(set->data + 3, text, len);
	return set;
}

static struct bytes copy_text(struct arena *a, const char *text)
{
	return text != NULL ? bytes_of(arena_strdup(a, text)) : (struct bytes){0};
}

/* --- zones: who may ask, and who may have them --- */

/* What is no name is no zone either, and nobody finds the empty one. */
static struct bytes copy_name(struct arena *a, const char *text)
{
	struct name name;

	if (name_from_text(&name, bytes_of(text), NULL) != ERR_OK)
		return (struct bytes){0};
	return (struct bytes){arena_memdup(a, name.wire, name.len), name.len};
}

/* A rule whose key is no name, which the config has refused, is none at all. */
static size_t make_rules(struct arena *a, const struct config_transfer *from,
                         struct terms_rule *out)
{
	size_t count = 0;

	for (size_t i = 0; i < from->rule_count; i++) {
		const struct config_transfer_rule *rule = &from->rules[i];
		const uint8_t *key = rule->key != NULL ? copy_name(a, rule->key).data : NULL;

		if (rule->key == NULL || key != NULL)
			out[count++] = (struct terms_rule){rule->has_network, rule->network, key,
			                                   rule->transport};
	}
	return count;
}

static struct terms_zone make_zone(struct arena *a, const struct config_zone *from)
{
	const struct config_networks *query = &from->allow_query;
	struct terms_rule *rules = arena_calloc(a, from->transfer.rule_count + 1, sizeof *rules);

	return (struct terms_zone){copy_name(a, from->name),
	                           query->limited ? netset_of(query->item, query->count) : NULL,
	                           rules, make_rules(a, &from->transfer, rules),
	                           from->transfer.as != NULL ? arena_strdup(a, from->transfer.as)
	                                                     : NULL};
}

static int by_apex(const void *a, const void *b)
{
	const struct terms_zone *x = a, *y = b;

	return bytes_compare(x->apex, y->apex);
}

static void make_zones(struct terms *t, const struct config *c)
{
	t->zone = arena_calloc(t->arena, c->zone_count + 1, sizeof *t->zone);
	for (size_t i = 0; i < c->zone_count; i++) {
		const struct config_zone *from = &c->zones[i];

		t->any_closed |= from->allow_query.limited;
		if (from->allow_query.limited || from->transfer.rule_count > 0 ||
		    from->transfer.as != NULL)
			t->zone[t->zone_count++] = make_zone(t->arena, from);
	}
	qsort(t->zone, t->zone_count, sizeof *t->zone, by_apex);
}

static const struct terms_zone *find_zone(const struct terms *t, const uint8_t *apex)
{
	struct terms_zone asked = {.apex = {apex, name_wire_len(apex)}};

	return bsearch(&asked, t->zone, t->zone_count, sizeof *t->zone, by_apex);
}

bool terms_admit_to(const struct terms *t, const uint8_t *apex, const struct addr *client)
{
	const struct terms_zone *zone = find_zone(t, apex);

	return zone == NULL || zone->admitted == NULL || netset_has(zone->admitted, client);
}

static enum err refuse_key(const struct config *c, size_t zone,
                           const struct config_transfer_rule *rule, struct reason *why)
{
	(void)reason_set(why, ERR_NOTFOUND, "%s of zone %s is not in %s", rule->key,
	                 c->zones[zone].name,
	                 c->tsig != NULL ? c->tsig : "any file: there is no tsig");
	config_place_add(c, rule->key_line, "zones.transfer.allow.key", NULL, why);
	return ERR_NOTFOUND;
}

enum err terms_check_keys(const struct config *c, const struct tsig_keys *keys, struct reason *why)
{
	struct arena *a = arena_new();
	enum err err = ERR_OK;

	for (size_t i = 0; i < c->zone_count; i++)
		for (size_t k = 0; k < c->zones[i].transfer.rule_count && err == ERR_OK; k++) {
			const char *key = c->zones[i].transfer.rules[k].key;
			const uint8_t *wire = key != NULL ? copy_name(a, key).data : NULL;

			if (key != NULL && (wire == NULL || tsig_keys_find(keys, wire) == NULL))
				err = refuse_key(c, i, &c->zones[i].transfer.rules[k], why);
		}
	arena_free(a);
	return err;
}

/* Address and transport and key (CVE-2026-12490: one that is bypassed by another transport is none). */
static bool holds(const struct terms_rule *rule, const struct addr *client,
                  const struct tsig_key *key, bool over_tls)
{
	struct addr from = addr_unmapped(client);

	if (rule->has_network && !addr_network_has(&rule->network, &from))
		return false;
	if (rule->transport != CONFIG_TRANSFER_ANY &&
	    over_tls != (rule->transport == CONFIG_TRANSFER_TLS))
		return false;
	return rule->key == NULL ||
	       (key != NULL && names_wire_equal(rule->key, tsig_key_name(key)));
}

bool terms_may_transfer(const struct terms *t, const uint8_t *apex, const struct addr *client,
                        const struct tsig_key *key, bool over_tls)
{
	const struct terms_zone *zone = t != NULL ? find_zone(t, apex) : NULL;

	for (size_t i = 0; zone != NULL && i < zone->rule_count; i++)
		if (holds(&zone->rules[i], client, key, over_tls))
			return true;
	return false;
}

const char *terms_transferred_as(const struct terms *t, const uint8_t *apex)
{
	const struct terms_zone *zone = t != NULL ? find_zone(t, apex) : NULL;

	return zone != NULL ? zone->as : NULL;
}

/* --- life --- */

const struct terms *terms_build(const struct config *c, const struct cookie_secrets *secrets,
                                const struct tsig_keys *keys)
{
	struct arena *a = arena_new();
	struct terms *t = arena_calloc(a, 1, sizeof *t);

	t->arena = a;
	t->nsid = copy_text(a, c->identity.nsid);
	t->hostname = make_txt(a, c->identity.hostname);
	t->version = make_txt(a, c->identity.version);
	t->cookies = (enum config_cookies)c->cookies.mode;
	t->secrets = *secrets;
	t->keys = tsig_keys_ref(keys);
	if (c->ecs_from.limited)
		t->ecs_from = netset_of(c->ecs_from.item, c->ecs_from.count);
	make_zones(t, c);
	return t;
}

void terms_free(const struct terms *t)
{
	if (t == NULL)
		return;
	tsig_keys_unref(t->keys);
	netset_free(t->ecs_from);
	for (size_t i = 0; i < t->zone_count; i++)
		netset_free(t->zone[i].admitted);
	explicit_bzero((void *)(uintptr_t)&t->secrets, sizeof t->secrets);
	arena_free(t->arena);
}

static bool is_one_of(const struct name *name, const char *a, size_t a_len, const char *b,
                      size_t b_len)
{
	return (name->len == a_len && memcmp(name->wire, a, a_len) == 0) ||
	       (name->len == b_len && memcmp(name->wire, b, b_len) == 0);
}

const struct rrset *terms_identity(const struct terms *t, const struct name *name)
{
	static const char version_bind[] = "\7version\4bind",
			  version_server[] = "\7version\6server",
			  hostname_bind[] = "\10hostname\4bind", id_server[] = "\2id\6server";

	/* The strings' ends are the roots. */
	if (is_one_of(name, version_bind, sizeof version_bind, version_server,
	              sizeof version_server))
		return t->version;
	return is_one_of(name, hostname_bind, sizeof hostname_bind, id_server, sizeof id_server)
	               ? t->hostname
	               : NULL;
}
