/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/vote.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/table.h"
#include "base/xalloc.h"

enum { SELF = 0 };

/* What all say of one key, one bit a replica; there is one while anybody says anything, or watches it. */
struct vote_opinion {
	struct vote_key key;
	uint64_t down, up;
	uint32_t watched; /* uses */
};

struct replica {
	bool is_known; /* something was heard */
	bool reaches, is_mute;
	uint64_t sequence, heard_ms;
	struct vote_tally tally;
};

struct vote {
	struct hash_key hash;
	struct table *opinions;
	struct replica replica[VOTE_MOST_REPLICAS];
	uint64_t voters;
};

/* --- keys: the same on every replica, so hashed by fixed keys; nobody gains by two that are equal but who may vote anyway --- */

static struct vote_key key_of(const struct buffer *b)
{
	static const struct hash_key one = {0x6e696768206f6e65, 0}, two = {0x6e6967682074776f, 0};

	return (struct vote_key){hash_siphash(&one, b->data, b->len),
	                         hash_siphash(&two, b->data, b->len)};
}

struct vote_key vote_key_of_address(const struct addr *addr, uint16_t port, struct bytes check)
{
	uint8_t room[64];
	struct buffer b = {room, 0, sizeof room};
	struct buffer whole = {0};
	bool fits = check.len <= sizeof room - sizeof addr->bytes - 4;
	struct buffer *to = fits ? &b : &whole;
	struct vote_key key;

	buffer_u8(to, 'a');
	buffer_u8(to, addr->family);
	buffer_put(to, addr->bytes, sizeof addr->bytes);
	buffer_u16(to, port);
	buffer_put(to, check.data, check.len);
	key = key_of(to);
	buffer_fini(&whole);
	return key;
}

struct vote_key vote_key_of_cluster(struct bytes name)
{
	struct buffer b = {0};
	struct vote_key key;

	buffer_u8(&b, 'c');
	buffer_put(&b, name.data, name.len);
	key = key_of(&b);
	buffer_fini(&b);
	return key;
}

/* --- one's own view --- */

void vote_note_success(struct vote_probed *p, uint64_t now_ms, uint64_t *last_success_ms)
{
	*last_success_ms = now_ms;
	p->has_succeeded = true;
	p->failing_at_ms = 0;
	p->has_witness = false;
	p->is_believed &= p->down;
}

void vote_note_failure(struct vote_probed *p, uint64_t now_ms, uint64_t last_success_ms)
{
	if (p->failing_at_ms == 0)
		p->failing_at_ms = now_ms;
	/* This probe began after the one that ended after the other's success. */
	p->is_believed |= p->has_witness;
	p->has_witness = last_success_ms > p->failing_at_ms;
}

void vote_note_bad_answer(struct vote_probed *p, uint64_t now_ms, uint64_t *last_success_ms)
{
	*last_success_ms = now_ms;
	p->is_believed = true;
}

void vote_note_word(struct vote_probed *p, bool is_good)
{
	p->has_succeeded |= is_good;
	p->is_believed = true;
}

void vote_note_silence(struct vote_probed *p)
{
	p->is_believed = p->has_witness = false;
	p->failing_at_ms = 0;
}

enum vote_view vote_view_of(const struct vote_probed *p)
{
	if (p->down)
		return p->is_believed ? VOTE_DOWN : VOTE_UNKNOWN;
	return p->has_succeeded ? VOTE_UP : VOTE_UNKNOWN;
}

bool vote_reaches(uint64_t last_success_ms, uint64_t period_ms, uint64_t now_ms)
{
	return now_ms <= last_success_ms + period_ms + VOTE_REACH_SLACK_MS;
}

/* --- opinions --- */

static bool is_of_key(const void *item, const void *key)
{
	const struct vote_opinion *o = item;
	const struct vote_key *k = key;

	return o->key.a == k->a && o->key.b == k->b;
}

static uint64_t hash_of(const struct vote *v, const struct vote_key *key)
{
	return hash_siphash_two(&v->hash, key->a, key->b);
}

static struct vote_opinion *find(const struct vote *v, const struct vote_key *key)
{
	return table_find(v->opinions, hash_of(v, key), is_of_key, key);
}

static struct vote_opinion *make(struct vote *v, const struct vote_key *key)
{
	struct vote_opinion *o = xcalloc(1, sizeof *o);

	o->key = *key;
	table_put(v->opinions, hash_of(v, key), o);
	return o;
}

static void drop_when_empty(struct vote *v, struct vote_opinion *o)
{
	if (o->down != 0 || o->up != 0 || o->watched > 0)
		return;
	(void)table_remove(v->opinions, hash_of(v, &o->key), is_of_key, &o->key);
	free(o);
}

/* The replica's bits, and all that is counted by them. */
static void set_view(struct vote *v, struct vote_opinion *o, unsigned replica, enum vote_view view)
{
	uint64_t bit = UINT64_C(1) << replica;
	struct vote_tally *tally = &v->replica[replica].tally;

	tally->down -= (o->down & bit) != 0;
	tally->up -= (o->up & bit) != 0;
	o->down &= ~bit;
	o->up &= ~bit;
	if (view == VOTE_DOWN)
		o->down |= bit;
	else if (view == VOTE_UP)
		o->up |= bit;
	tally->down += view == VOTE_DOWN;
	tally->up += view == VOTE_UP;
}

bool vote_see(struct vote *v, unsigned replica, const struct vote_key *key, enum vote_view view)
{
	const struct vote_tally *tally = &v->replica[replica].tally;
	struct vote_opinion *o = find(v, key);
	bool is_new = o == NULL || ((o->down | o->up) >> replica & 1) == 0;

	if (view != VOTE_UNKNOWN && is_new && tally->up + tally->down >= VOTE_MOST_KEYS)
		return false;
	if (o == NULL && view == VOTE_UNKNOWN)
		return true;
	if (o == NULL)
		o = make(v, key);
	set_view(v, o, replica, view);
	drop_when_empty(v, o);
	return true;
}

struct vote_opinion *vote_watch(struct vote *v, const struct vote_key *key)
{
	struct vote_opinion *o = find(v, key);

	if (o == NULL)
		o = make(v, key);
	o->watched++;
	return o;
}

void vote_unwatch(struct vote *v, struct vote_opinion *o)
{
	if (o == NULL)
		return;
	o->watched--;
	drop_when_empty(v, o);
}

void vote_clear(struct vote *v, unsigned replica)
{
	const struct vote_tally *tally = &v->replica[replica].tally;
	size_t count = 0, all = tally->up + tally->down;
	struct vote_opinion **mine, *o;

	if (all == 0)
		return;
	mine = xcalloc(all, sizeof(*mine));
	for (size_t i = 0; (o = table_next(v->opinions, &i)) != NULL;)
		if ((o->down | o->up) >> replica & 1)
			mine[count++] = o;
	CHECK(count == all);
	for (size_t i = 0; i < count; i++) {
		set_view(v, mine[i], replica, VOTE_UNKNOWN);
		drop_when_empty(v, mine[i]);
	}
	free(mine);
}

/* --- replicas --- */

bool vote_hear(struct vote *v, unsigned replica, uint64_t sequence, bool reaches, uint64_t now_ms)
{
	struct replica *r = &v->replica[replica];

	if (r->is_known && sequence < r->sequence)
		return false;
	r->is_known = true;
	r->sequence = sequence;
	r->reaches = reaches;
	r->heard_ms = now_ms;
	return true;
}

void vote_mute(struct vote *v, unsigned replica, bool is_mute)
{
	v->replica[replica].is_mute = is_mute;
}

void vote_forget(struct vote *v, unsigned replica)
{
	vote_clear(v, replica);
	v->replica[replica] = (struct replica){0};
	v->voters &= ~(UINT64_C(1) << replica);
}

static bool votes(const struct vote *v, unsigned replica, uint64_t now_ms)
{
	const struct replica *r = &v->replica[replica];

	if (!r->is_known || !r->reaches || r->is_mute)
		return false;
	return replica == SELF || now_ms <= r->heard_ms + VOTE_HEARD_MS;
}

bool vote_turn(struct vote *v, uint64_t now_ms)
{
	uint64_t before = v->voters;

	v->voters = 0;
	for (unsigned i = 0; i < VOTE_MOST_REPLICAS; i++)
		v->voters |= (uint64_t)votes(v, i, now_ms) << i;
	return v->voters != before;
}

uint64_t vote_voters(const struct vote *v) { return v->voters; }

bool vote_is_frozen(const struct vote *v) { return v->voters == 0; }

uint64_t vote_heard_ms(const struct vote *v, unsigned replica)
{
	return v->replica[replica].is_known ? v->replica[replica].heard_ms : 0;
}

/* --- decisions --- */

uint64_t vote_see_cluster(const struct vote_opinion *cluster) { return cluster->up; }

enum vote_view vote_said(const struct vote_opinion *o, unsigned replica)
{
	if (o->down >> replica & 1)
		return VOTE_DOWN;
	return o->up >> replica & 1 ? VOTE_UP : VOTE_UNKNOWN;
}

struct vote_ballot vote_count(const struct vote *v, const struct vote_opinion *address,
                              uint64_t see_cluster)
{
	uint64_t down = address->down;

	return (struct vote_ballot){down & v->voters,
	                            (address->up | (see_cluster & ~down)) & v->voters};
}

static int count_of(uint64_t bits) { return __builtin_popcountll(bits); }

bool vote_decide(const struct vote *v, struct vote_ballot ballot, bool was_withdrawn, bool asks)
{
	int down = count_of(ballot.down), up = count_of(ballot.up);

	if (v->voters == 0)
		return was_withdrawn;
	if (2 * down > count_of(v->voters))
		return true;
	/* Nobody has judged it yet that could: a restart is no reason to send clients there again. */
	if (down == 0 && up == 0)
		return was_withdrawn && asks;
	return was_withdrawn && down >= up && 2 * up < count_of(v->voters);
}

void vote_each(const struct vote *v, unsigned replica, vote_on_view_fn *fn, void *arg)
{
	const struct vote_opinion *o;

	for (size_t i = 0; (o = table_next(v->opinions, &i)) != NULL;)
		if (vote_said(o, replica) != VOTE_UNKNOWN)
			fn(&o->key, vote_said(o, replica), arg);
}

struct vote_tally vote_tally(const struct vote *v, unsigned replica)
{
	return v->replica[replica].tally;
}

/* --- life --- */

struct vote *vote_new(const struct hash_key *key)
{
	struct vote *v = xcalloc(1, sizeof *v);

	v->hash = *key;
	v->opinions = table_new();
	return v;
}

void vote_free(struct vote *v)
{
	struct vote_opinion *o;

	if (v == NULL)
		return;
	for (size_t i = 0; (o = table_next(v->opinions, &i)) != NULL;)
		free(o);
	table_free(v->opinions);
	free(v);
}
