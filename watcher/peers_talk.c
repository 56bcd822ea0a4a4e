/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "watcher/peers_inside.h"

enum {
	ASK_EVERY_MS = 1000,
	SECOND_MS = 1000,
	MOST_MESSAGES = 1000, /* in a second: changes are gathered for 5 ms */
	MOST_VIEWS = 5        /* of those whole ones, each of which costs a look at all keys */
};

static void say(struct peers *p, struct connection *c, const struct peers_message *m)
{
	p->counts.sent++;
	peers_link_send(c->link, m);
}

/* --- what is told --- */

static void add_own(const struct vote_key *key, enum vote_view view, void *arg)
{
	peers_entry_put(arg, key, view);
}

static void tell_all(struct peers *p, struct peer *peer)
{
	struct buffer entries = {0};
	struct peers_message m = {.kind = PEERS_VIEW, .to = p->sequence, .reaches = p->reaches};

	vote_each(p->vote, 0, add_own, &entries);
	m.entries = (struct bytes){entries.data, entries.len};
	peer->needs_view = false;
	say(p, peer->connection, &m);
	buffer_fini(&entries);
}

static void tell_each(struct peers *p, const struct peers_message *m)
{
	for (size_t i = 1; i < VOTE_MOST_REPLICAS; i++) {
		struct peer *peer = &p->peer[i];

		if (peer->connection == NULL || peer->needs_view)
			continue;
		/* Changes do not pile up for one that reads slowly. */
		if (peers_link_is_busy(peer->connection->link))
			peer->needs_view = true;
		else
			say(p, peer->connection, m);
	}
}

static void tell_views(struct peers *p)
{
	for (size_t i = 1; i < VOTE_MOST_REPLICAS; i++) {
		struct peer *peer = &p->peer[i];

		if (peer->connection != NULL && peer->needs_view &&
		    !peers_link_is_busy(peer->connection->link))
			tell_all(p, peer);
	}
}

void peers_tell_changes(struct peers *p)
{
	struct peers_message m = {
		.kind = PEERS_CHANGES,
		.from = p->sequence,
		.to = p->sequence + 1,
		.reaches = p->reaches,
		.entries = {p->changes.data, p->changes.len},
	};

	p->sequence++;
	if (p->changes.len / PEERS_ENTRY > (size_t)VOTE_MOST_KEYS) {
		for (size_t i = 1; i < VOTE_MOST_REPLICAS; i++)
			p->peer[i].needs_view = true;
		tell_views(p);
	} else {
		tell_each(p, &m);
	}
	buffer_reset(&p->changes);
}

void peers_beat(struct peers *p)
{
	struct peers_message m = {.kind = PEERS_BEAT, .to = p->sequence, .reaches = p->reaches};

	tell_views(p);
	tell_each(p, &m);
}

void peers_say_bye(struct peers *p)
{
	struct peers_message m = {.kind = PEERS_BYE};

	for (size_t i = 1; i < VOTE_MOST_REPLICAS; i++)
		if (p->peer[i].connection != NULL)
			say(p, p->peer[i].connection, &m);
}

void peers_greet(struct connection *c)
{
	struct peers *p = c->peers;
	struct peers_message m = {.kind = PEERS_HELLO, .name = bytes_of(p->name)};

	memcpy(m.id, p->id, PEERS_ID);
	say(p, c, &m);
}

/* --- who it is --- */

static bool is_named(const struct peer *peer, struct bytes name)
{
	return bytes_equal_text(name, peer->name);
}

/* A replica of that name that is not connected any more has started again, or was replaced. */
static void forget_former(struct peers *p, struct bytes name, const uint8_t *id)
{
	for (unsigned i = 1; i < VOTE_MOST_REPLICAS; i++) {
		const struct peer *peer = &p->peer[i];

		if (peer->is_used && peer->connection == NULL && is_named(peer, name) &&
		    memcmp(peer->id, id, PEERS_ID) != 0)
			peers_forget(p, i);
	}
}

/* Its number; a new one when it has none yet; 0 when all are taken by those that are there. */
static unsigned number_for(struct peers *p, const uint8_t *id)
{
	unsigned free_one = 0, oldest = 0;

	for (unsigned i = 1; i < VOTE_MOST_REPLICAS; i++) {
		const struct peer *peer = &p->peer[i];

		if (peer->is_used && memcmp(peer->id, id, PEERS_ID) == 0)
			return i;
		if (!peer->is_used && free_one == 0)
			free_one = i;
		if (peer->is_used && peer->connection == NULL &&
		    (oldest == 0 || peer->last_ms < p->peer[oldest].last_ms))
			oldest = i;
	}
	if (free_one == 0 && oldest != 0)
		peers_forget(p, oldest);
	return free_one != 0 ? free_one : oldest;
}

/* Of two connections the one stays that the smaller id dialled; of two of these the newer. */
static bool is_better(const struct peers *p, const struct peer *peer, const struct connection *c)
{
	bool we_dial = memcmp(p->id, peer->id, PEERS_ID) < 0;

	return peers_link_dialled(c->link) == we_dial ||
	       peers_link_dialled(peer->connection->link) != we_dial;
}

/* From now on the connection is that replica's, in place of the one before. */
static void give_number(struct connection *c, unsigned number, const struct peers_message *m)
{
	struct peers *p = c->peers;
	struct peer *peer = &p->peer[number];

	if (peer->connection != NULL) {
		peer->connection->number = 0;
		peers_link_close(peer->connection->link);
	}
	if (!peer->is_used) {
		log_info("watcher", "replica found name=%.*s", (int)m->name.len,
		         (const char *)m->name.data);
		peer->since_ms = clock_monotonic_ms();
	}
	peer->is_used = true;
	peers_link_print(c->link, peer->print);
	memcpy(peer->id, m->id, PEERS_ID);
	memcpy(peer->name, m->name.data, m->name.len);
	peer->name[m->name.len] = '\0';
	peer->addr = *peers_link_addr(c->link);
	peer->connection = c;
	peer->has_view = false;
	c->number = number;
	tell_all(p, peer);
}

static void take_hello(struct connection *c, const struct peers_message *m)
{
	struct peers *p = c->peers;
	unsigned number;

	if (peers_link_dialled(c->link))
		peers_note_target(p, c->link, m->id);
	if (memcmp(m->id, p->id, PEERS_ID) == 0) {
		peers_link_close(c->link);
		return;
	}
	forget_former(p, m->name, m->id);
	number = number_for(p, m->id);
	p->counts.untaken += number == 0;
	if (number == 0 || peers_is_claim(p, &p->peer[number], c, m) ||
	    (p->peer[number].connection != NULL && !is_better(p, &p->peer[number], c)))
		peers_link_close(c->link);
	else
		give_number(c, number, m);
	peers_judge_doubles(p, clock_monotonic_ms());
}

/* --- what it sees --- */

static void ask(struct connection *c, struct peer *peer)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct peers_message m = {.kind = PEERS_ASK};

	if (peer->asked_ms != 0 && now_ms - peer->asked_ms < ASK_EVERY_MS)
		return;
	peer->asked_ms = now_ms;
	say(c->peers, c, &m);
}

static void take_entries(struct peers *p, unsigned number, struct bytes entries)
{
	struct vote_key key;
	enum vote_view view;

	for (size_t at = 0; peers_entry_next(entries, &at, &key, &view);)
		p->counts.untaken += !vote_see(p->vote, number, &key, view);
}

static void take_view(struct connection *c, const struct peers_message *m)
{
	struct peers *p = c->peers;
	struct peer *peer = &p->peer[c->number];
	bool is_whole = m->kind == PEERS_VIEW;

	/* What came by another connection may be newer. */
	if (m->to < peer->sequence && peer->has_view)
		return;
	if (!is_whole &&
	    (!peer->has_view || (m->kind == PEERS_CHANGES ? m->from : m->to) != peer->sequence)) {
		ask(c, peer);
		return;
	}
	if (!vote_hear(p->vote, c->number, m->to, m->reaches, clock_monotonic_ms()))
		return;
	if (is_whole) {
		vote_clear(p->vote, c->number);
		peer->asked_ms = 0;
	}
	take_entries(p, c->number, m->entries);
	peer->has_view = true;
	peer->sequence = m->to;
	peers_turned(p, m->kind != PEERS_BEAT);
}

static void take_bye(struct connection *c)
{
	struct peers *p = c->peers;

	log_info("watcher", "replica ends name=%s", p->peer[c->number].name);
	peers_forget(p, c->number);
	c->number = 0;
	peers_link_close(c->link);
	peers_judge_doubles(p, clock_monotonic_ms());
	peers_turned(p, true);
}

static bool says_too_much(struct connection *c, const struct peers_message *m)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms - c->second_ms >= SECOND_MS) {
		c->second_ms = now_ms;
		c->messages = c->views = 0;
	}
	c->messages++;
	c->views += m->kind == PEERS_VIEW;
	return c->messages > MOST_MESSAGES || c->views > MOST_VIEWS;
}

void peers_take_message(struct connection *c, const struct peers_message *m)
{
	struct peers *p = c->peers;

	p->counts.received++;
	if ((c->number == 0) != (m->kind == PEERS_HELLO) || says_too_much(c, m)) {
		p->counts.dropped++;
		peers_link_close(c->link);
		return;
	}
	switch (m->kind) {
	case PEERS_HELLO:
		take_hello(c, m);
		break;
	case PEERS_VIEW:
	case PEERS_CHANGES:
	case PEERS_BEAT:
		take_view(c, m);
		break;
	case PEERS_ASK: /* with the next beat: a view is much for a few bytes */
		p->peer[c->number].needs_view = true;
		break;
	case PEERS_BYE:
		take_bye(c);
		break;
	}
}
