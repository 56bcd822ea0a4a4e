/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "watcher/peers_inside.h"

enum { DIAL_EVERY_MS = 1000, DIAL_JITTER_MS = 250 };

/* --- targets: the addresses of all places, each once; what is known of one stays while it is there --- */

static struct target *find_target(struct target *list, size_t count, const struct addr *addr,
                                  uint16_t port)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].port == port && addr_equal(&list[i].addr, addr))
			return &list[i];
	return NULL;
}

static void add_target(struct peers *p, struct target *list, size_t *count, const struct addr *addr,
                       uint16_t port)
{
	const struct target *before = find_target(p->targets, p->target_count, addr, port);

	if (*count == PEERS_MOST_TARGETS || find_target(list, *count, addr, port) != NULL)
		return;
	list[*count] = before != NULL ? *before : (struct target){.addr = *addr, .port = port};
	(*count)++;
}

static void make_targets(struct peers *p)
{
	struct target *list = xcalloc(PEERS_MOST_TARGETS, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < p->place_count; i++)
		for (size_t j = 0; j < p->places[i].count; j++)
			add_target(p, list, &count, &p->places[i].addresses[j], p->places[i].port);
	free(p->targets);
	p->targets = list;
	p->target_count = count;
}

/* --- host names --- */

static void on_addresses(struct bytes host, const struct addr *addresses, size_t count,
                         uint32_t ttl_s, void *arg)
{
	struct peers *p = arg;

	(void)ttl_s;
	for (size_t i = 0; i < p->place_count; i++) {
		struct place *place = &p->places[i];

		if (place->host == NULL || !bytes_equal_text(host, place->host))
			continue;
		free(place->addresses);
		place->addresses = xmemdup(addresses, count * sizeof *addresses);
		place->count = count;
	}
	make_targets(p);
}

static void on_trouble(struct bytes host, const char *message, void *arg)
{
	(void)host;
	(void)arg;
	if (message != NULL)
		log_warn("watcher", "replicas are not found: %s", message);
}

/* From the first name on there is one.  Pods come and go within seconds. */
static enum err make_resolver(struct peers *p, const struct peers_settings *s, struct reason *why)
{
	static const struct resolver_limits limits = {1000, 5000, 1000, 5000, 2000};
	bool has_name = false;
	enum err err;

	for (size_t i = 0; i < s->place_count; i++)
		has_name |= s->places[i].host != NULL;
	if (!has_name || p->resolver != NULL)
		return ERR_OK;
	err = resolver_new(p->loop, NULL, on_addresses, on_trouble, p, &p->resolver, why);
	if (err == ERR_OK)
		resolver_set_limits(p->resolver, &limits);
	return err;
}

static void look_up_names(struct peers *p)
{
	struct bytes *hosts = xcalloc(p->place_count + 1, sizeof *hosts);
	size_t count = 0;

	for (size_t i = 0; i < p->place_count; i++)
		if (p->places[i].host != NULL)
			hosts[count++] = bytes_of(p->places[i].host);
	if (p->resolver != NULL)
		resolver_set_hosts(p->resolver, hosts, bytes_unique(hosts, count));
	free(hosts);
}

static void free_places(struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(places[i].host);
		free(places[i].addresses);
	}
	free(places);
}

/* A name that stays keeps its addresses until it was looked up again. */
static void keep_addresses(const struct peers *p, struct place *place)
{
	for (size_t i = 0; i < p->place_count; i++) {
		const struct place *before = &p->places[i];

		if (before->host == NULL || strcmp(before->host, place->host) != 0 ||
		    before->count == 0)
			continue;
		place->addresses =
			xmemdup(before->addresses, before->count * sizeof *before->addresses);
		place->count = before->count;
		return;
	}
}

enum err peers_set_places(struct peers *p, const struct peers_settings *s, struct reason *why)
{
	struct place *places;
	enum err err = make_resolver(p, s, why);

	if (err != ERR_OK)
		return err;
	places = xcalloc(s->place_count + 1, sizeof *places);
	for (size_t i = 0; i < s->place_count; i++) {
		places[i].port = s->places[i].port;
		if (s->places[i].host != NULL) {
			places[i].host = xstrdup(s->places[i].host);
			keep_addresses(p, &places[i]);
		} else {
			places[i].addresses = xmemdup(&s->places[i].addr, sizeof(struct addr));
			places[i].count = 1;
		}
	}
	free_places(p->places, p->place_count);
	p->places = places;
	p->place_count = s->place_count;
	make_targets(p);
	look_up_names(p);
	return ERR_OK;
}

void peers_places_fini(struct peers *p)
{
	free_places(p->places, p->place_count);
	free(p->targets);
}

/* --- dialling --- */

void peers_note_target(struct peers *p, const struct peers_link *link, const uint8_t id[PEERS_ID])
{
	struct target *t = find_target(p->targets, p->target_count, peers_link_addr(link),
	                               peers_link_port(link));

	if (t == NULL)
		return;
	memcpy(t->id, id, PEERS_ID);
	t->has_id = true;
	t->is_self = memcmp(id, p->id, PEERS_ID) == 0;
	t->refusal[0] = '\0';
}

void peers_note_refusal(struct peers *p, const struct peers_link *link, const char *why)
{
	struct target *t = find_target(p->targets, p->target_count, peers_link_addr(link),
	                               peers_link_port(link));
	char text[ADDR_PORT_TEXT_SIZE], refusal[sizeof t->refusal];

	snprintf(refusal, sizeof refusal, "%s", why);
	if (t == NULL || strcmp(t->refusal, refusal) == 0)
		return;
	memcpy(t->refusal, refusal, sizeof refusal);
	log_warn("watcher", "who is there is no replica address=%s reason=\"%s\"",
	         addr_port_print(&t->addr, t->port, text), why);
}

static bool is_being_dialled(const struct peers *p, const struct target *t)
{
	for (const struct connection *c = p->connections; c != NULL; c = c->next)
		if (c->link != NULL && peers_link_dialled(c->link) &&
		    peers_link_port(c->link) == t->port &&
		    addr_equal(peers_link_addr(c->link), &t->addr))
			return true;
	return false;
}

static bool is_connected(const struct peers *p, const struct target *t)
{
	for (size_t i = 1; t->has_id && i < VOTE_MOST_REPLICAS; i++)
		if (p->peer[i].connection != NULL && memcmp(p->peer[i].id, t->id, PEERS_ID) == 0)
			return true;
	return false;
}

void peers_dial_all(struct peers *p, uint64_t now_ms)
{
	for (size_t i = 0; i < p->target_count; i++) {
		struct target *t = &p->targets[i];
		struct peers_link_events events;
		struct connection *c;

		if (t->is_self || now_ms < t->next_ms || is_connected(p, t) ||
		    is_being_dialled(p, t))
			continue;
		t->next_ms = now_ms + DIAL_EVERY_MS + random_below(DIAL_JITTER_MS);
		c = peers_connection_new(p, &events);
		c->link = peers_link_dial(p->loop, p->tls, &t->addr, t->port, &events);
	}
}
