/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_votes.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum { FIRST_STEP = 100, PERIOD_MS = 2000, MOST_UNDER_WAY = 256 };

struct probing {
	struct vote_probed is;
	unsigned failed, succeeded; /* in a row */
	unsigned fails_at;          /* step; 0: no probe is under way */
};

struct replica {
	struct vote *vote;
	uint64_t clock_ms; /* at step 0 */
	unsigned began, life;
	uint64_t sequence, last_success_ms;
	struct probing probing[VOTES_MOST_SITES];
	enum vote_view view[VOTES_MOST_SITES];
	bool reaches;
	struct vote_opinion *opinion[VOTES_MOST_SITES];
	bool withdrawn[VOTES_MOST_SITES];
	unsigned heard_at[VOTES_MOST_REPLICAS]; /* step; 0: never */
	unsigned life_heard[VOTES_MOST_REPLICAS];
};

struct message {
	unsigned from, to, arrives, life;
	uint64_t sequence;
	bool reaches;
	enum vote_view view[VOTES_MOST_SITES];
};

struct votes {
	unsigned replicas, sites, step;
	bool fails_late;
	votes_fate_fn *fate;
	void *arg;
	struct replica replica[VOTES_MOST_REPLICAS];
	struct message under_way[MOST_UNDER_WAY];
	unsigned message_count;
};

static struct vote_key key_of(unsigned site) { return (struct vote_key){site + 1, 7}; }

static uint64_t now_of(const struct votes *v, const struct replica *r)
{
	return r->clock_ms + (uint64_t)v->step * VOTES_STEP_MS;
}

/* Oneself is number 0. */
static unsigned number_of(unsigned replica, unsigned other)
{
	return other == replica ? 0 : other < replica ? other + 1 : other;
}

/* --- probes --- */

static void take_verdict(struct replica *r, struct probing *p, bool succeeded, uint64_t now_ms)
{
	p->failed = succeeded ? 0 : p->failed + 1;
	p->succeeded = succeeded ? p->succeeded + 1 : 0;
	if (p->failed >= VOTES_DOWN)
		p->is.down = true;
	else if (p->succeeded >= VOTES_UP)
		p->is.down = false;
	if (succeeded)
		vote_note_success(&p->is, now_ms, &r->last_success_ms);
	else
		vote_note_failure(&p->is, now_ms, r->last_success_ms);
}

static void probe(struct votes *v, unsigned replica, unsigned site, bool sees)
{
	struct replica *r = &v->replica[replica];
	struct probing *p = &r->probing[site];
	uint64_t now_ms = now_of(v, r);

	if (p->fails_at == v->step) {
		p->fails_at = 0;
		take_verdict(r, p, false, now_ms);
	}
	if ((v->step + replica + site) % VOTES_SECOND != 0)
		return;
	if (sees || !v->fails_late)
		take_verdict(r, p, sees, now_ms);
	else
		p->fails_at = v->step + VOTES_SECOND;
}

/* --- messages --- */

static void put(struct votes *v, struct message m, unsigned after)
{
	m.arrives = v->step + after;
	if (v->message_count < MOST_UNDER_WAY)
		v->under_way[v->message_count++] = m;
}

static void tell(struct votes *v, unsigned from, const struct votes_links *links)
{
	const struct replica *r = &v->replica[from];
	struct message m = {
		.from = from, .life = r->life, .sequence = r->sequence, .reaches = r->reaches};

	for (unsigned s = 0; s < v->sites; s++)
		m.view[s] = r->view[s];
	for (m.to = 0; m.to < v->replicas; m.to++) {
		enum votes_fate fate;

		if (m.to == from || !links->hears[m.to][from])
			continue;
		fate = v->fate == NULL ? VOTES_ARRIVES : v->fate(v->arg, v->step);
		if (fate == VOTES_LOST)
			continue;
		put(v, m, fate == VOTES_LATE);
		if (fate == VOTES_TWICE)
			put(v, m, 2);
	}
}

static void receive(struct votes *v, const struct message *m)
{
	struct replica *r = &v->replica[m->to];
	unsigned number = number_of(m->to, m->from);

	if (m->life < r->life_heard[m->from])
		return;
	if (m->life > r->life_heard[m->from])
		vote_forget(r->vote, number);
	r->life_heard[m->from] = m->life;
	if (!vote_hear(r->vote, number, m->sequence, m->reaches, now_of(v, r)))
		return;
	r->heard_at[m->from] = v->step;
	for (unsigned s = 0; s < v->sites; s++) {
		struct vote_key key = key_of(s);

		(void)vote_see(r->vote, number, &key, m->view[s]);
	}
}

static void deliver(struct votes *v, const struct votes_links *links)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < v->message_count; i++) {
		struct message m = v->under_way[i];

		if (m.arrives > v->step)
			v->under_way[kept++] = m;
		else if (links->hears[m.to][m.from])
			receive(v, &m);
	}
	v->message_count = kept;
}

/* --- a replica's own --- */

static void look(struct votes *v, unsigned replica, const struct votes_links *links)
{
	struct replica *r = &v->replica[replica];
	uint64_t now_ms = now_of(v, r);
	bool reached = r->reaches, differs = false;

	for (unsigned s = 0; s < v->sites; s++)
		probe(v, replica, s, links->sees[replica][s]);
	r->reaches = vote_reaches(r->last_success_ms, PERIOD_MS, now_ms);
	for (unsigned s = 0; s < v->sites; s++) {
		struct vote_key key = key_of(s);
		enum vote_view view;

		if (!r->reaches)
			vote_note_silence(&r->probing[s].is);
		view = vote_view_of(&r->probing[s].is);
		differs |= view != r->view[s];
		r->view[s] = view;
		(void)vote_see(r->vote, 0, &key, view);
	}
	differs |= reached != r->reaches;
	r->sequence += differs;
	(void)vote_hear(r->vote, 0, r->sequence, r->reaches, now_ms);
	if (differs || (v->step + replica) % VOTES_SECOND == 0)
		tell(v, replica, links);
}

static void decide(struct votes *v, struct replica *r)
{
	(void)vote_turn(r->vote, now_of(v, r));
	for (unsigned s = 0; s < v->sites; s++)
		r->withdrawn[s] = vote_decide(r->vote, vote_count(r->vote, r->opinion[s], 0),
		                              r->withdrawn[s], true);
}

void votes_step(struct votes *v, const struct votes_links *links)
{
	v->step++;
	for (unsigned i = 0; i < v->replicas; i++)
		look(v, i, links);
	deliver(v, links);
	for (unsigned i = 0; i < v->replicas; i++)
		decide(v, &v->replica[i]);
}

/* --- life --- */

static void clear(struct votes *v, struct replica *r)
{
	struct replica before = *r;

	for (unsigned i = 0; i < v->replicas; i++)
		vote_forget(r->vote, i);
	*r = (struct replica){.vote = before.vote, .clock_ms = before.clock_ms, .began = v->step};
	for (unsigned s = 0; s < v->sites; s++)
		r->opinion[s] = before.opinion[s];
	r->life = before.life + 1;
	r->last_success_ms = now_of(v, r);
	r->reaches = true;
}

void votes_restart(struct votes *v, unsigned replica) { clear(v, &v->replica[replica]); }

void votes_begin(struct votes *v, bool fails_late, votes_fate_fn *fate, void *arg)
{
	v->step = FIRST_STEP;
	v->message_count = 0;
	v->fails_late = fails_late;
	v->fate = fate;
	v->arg = arg;
	for (unsigned i = 0; i < v->replicas; i++)
		clear(v, &v->replica[i]);
}

struct votes *votes_new(unsigned replicas, unsigned sites)
{
	static const struct hash_key hash = {3, 4};
	struct votes *v = xcalloc(1, sizeof *v);

	v->replicas = replicas;
	v->sites = sites;
	for (unsigned i = 0; i < replicas; i++) {
		struct replica *r = &v->replica[i];

		r->vote = vote_new(&hash);
		r->clock_ms = 7919ULL * 86400 * 1000 * i + 123 * i;
		for (unsigned s = 0; s < sites; s++) {
			struct vote_key key = key_of(s);

			r->opinion[s] = vote_watch(r->vote, &key);
		}
	}
	return v;
}

void votes_free(struct votes *v)
{
	for (unsigned i = 0; i < v->replicas; i++)
		vote_free(v->replica[i].vote);
	free(v);
}

bool votes_withdrawn(const struct votes *v, unsigned replica, unsigned site)
{
	return v->replica[replica].withdrawn[site];
}

bool votes_frozen(const struct votes *v, unsigned replica)
{
	return vote_is_frozen(v->replica[replica].vote);
}

unsigned votes_unheard(const struct votes *v, unsigned replica, unsigned other)
{
	const struct replica *r = &v->replica[replica];

	if (other == replica)
		return 0;
	return r->heard_at[other] == 0 ? UINT32_MAX : v->step - r->heard_at[other];
}

unsigned votes_age(const struct votes *v, unsigned replica)
{
	return v->step - v->replica[replica].began;
}
