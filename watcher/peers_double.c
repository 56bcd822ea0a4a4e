/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "watcher/peers_inside.h"

/* --- names --- */

static bool is_heard(const struct peers *p, unsigned number, uint64_t now_ms)
{
	uint64_t heard_ms = vote_heard_ms(p->vote, number);

	return heard_ms != 0 && now_ms <= heard_ms + VOTE_HEARD_MS;
}

static bool was_before(const struct peers *p, unsigned a, unsigned b)
{
	const struct peer *x = &p->peer[a], *y = &p->peer[b];

	return x->since_ms < y->since_ms || (x->since_ms == y->since_ms && a < b);
}

/* The one of its name that counts in its place; itself: there is none; 0: oneself. */
static unsigned find_first(const struct peers *p, unsigned number, uint64_t now_ms)
{
	const char *name = p->peer[number].name;
	unsigned first = number;

	if (strcmp(name, p->name) == 0)
		return 0;
	for (unsigned i = 1; i < VOTE_MOST_REPLICAS; i++)
		if (p->peer[i].is_used && was_before(p, i, first) && is_heard(p, i, now_ms) &&
		    strcmp(name, p->peer[i].name) == 0)
			first = i;
	return first;
}

static void tell_double(struct peers *p, struct peer *peer, unsigned first)
{
	char here[ADDR_TEXT_SIZE], there[ADDR_TEXT_SIZE];

	peer->double_told = true;
	log_warn("watcher",
	         "two replicas have one name, and only one of them has a vote: give each its own "
	         "replicas.name name=%s address=%s other=%s",
	         peer->name, addr_print(&peer->addr, here),
	         first == 0 ? "this one" : addr_print(&p->peer[first].addr, there));
}

void peers_judge_doubles(struct peers *p, uint64_t now_ms)
{
	for (unsigned i = 1; i < VOTE_MOST_REPLICAS; i++) {
		struct peer *peer = &p->peer[i];
		unsigned first = peer->is_used ? find_first(p, i, now_ms) : i;

		vote_mute(p->vote, i, first != i);
		if (first == i)
			peer->double_ms = 0;
		else if (peer->double_ms == 0)
			peer->double_ms = now_ms;
		else if (!peer->double_told && is_heard(p, i, now_ms) &&
		         now_ms - peer->double_ms >= PEERS_DOUBLE_MS)
			tell_double(p, peer, first);
	}
}

/* --- ids --- */

/* Both ends of a pair dial, so a second connection of the same one is usual, with the same name and certificate. */
bool peers_is_claim(struct peers *p, struct peer *peer, const struct connection *c,
                    const struct peers_message *m)
{
	uint8_t print[PEERS_TLS_PRINT];
	char here[ADDR_TEXT_SIZE], there[ADDR_TEXT_SIZE];

	if (peer->connection == NULL)
		return false;
	peers_link_print(c->link, print);
	if (memcmp(print, peer->print, sizeof print) == 0 && bytes_equal_text(m->name, peer->name))
		return false;
	p->counts.claims++;
	if (!peer->claim_told)
		log_warn("watcher",
		         "somebody claims to be a replica that is connected, and is dropped "
		         "name=%s address=%s other=%s",
		         peer->name, addr_print(&peer->addr, there),
		         addr_print(peers_link_addr(c->link), here));
	peer->claim_told = true;
	return true;
}
