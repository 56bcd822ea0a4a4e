/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/rrl.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "dnsd/netset.h"
#include "dnsd/rare.h"

enum {
	LEVEL_BITS = 15, /* networks' levels of one worker */
	MEMO_BITS = 10,  /* those over them that it remembers */
	SET_BITS = 14,   /* of the table ... */
	WAYS = 4,        /* ... and entries in each set */
	WHOLE = 1000,    /* one answer, in the thousandths that a millisecond adds */
	NETWORK_BITS_IPV4 = 24,
	NETWORK_BITS_IPV6 = 56,
	NOTICE_MS = 60000
};

/* How much a network has got lately of a class; several may share one. */
struct level {
	uint32_t height; /* thousandths of an answer; sinks with time */
	uint32_t at_ms;
};

/* What a network may still get of a class. */
struct entry {
	_Atomic uint64_t tag;     /* the keyed hash of both; 0: free */
	_Atomic uint64_t state;   /* thousandths left << 32 | ms when they were counted */
	_Atomic uint32_t refused; /* since it was made: which one slips */
};

/* What was worked out for the last one in this place, so that a flood does not have it worked out each time. */
struct memo {
	uint64_t network, subject;
	uint64_t tag;        /* their hash; never 0 */
	struct entry *entry; /* where it was last */
	struct addr exempt;  /* ADDR_NONE: none yet */
};

struct notice {
	_Atomic uint64_t network; /* to be told; 0: nothing */
	_Atomic uint64_t at_ms;   /* of the last one in this place; 0: never */
};

struct rrl_table {
	struct hash_key key;
	uint64_t spread[2]; /* odd: places of levels */
	struct entry set[1 << SET_BITS][WAYS];
	struct notice notice[RRL_NOTICES];
};

struct rrl_rules {
	enum rrl_mode mode;
	uint32_t per_second, slip;
	uint32_t calm; /* a level below this needs no look at the table */
	uint32_t sink; /* of a level in a millisecond */
	uint32_t brim; /* where a level ends */
	uint32_t most; /* that an entry holds, and a new one does */
	struct netset *exempt;
};

struct rrl {
	struct rrl_table *table;
	struct rrl_rules *taken; /* NULL: none yet */
	struct rrl_rules *rules; /* the same; NULL: nothing is limited */
	struct stats *stats;
	uint64_t now_ms;
	struct level level[1 << LEVEL_BITS];
	struct memo memo[1 << MEMO_BITS];
};

/* --- making --- */

struct rrl_table *rrl_table_new(void)
{
	struct rrl_table *t = xcalloc(1, sizeof *t);

	random_bytes(&t->key, sizeof t->key);
	t->spread[0] = random_u64() | 1;
	t->spread[1] = random_u64() | 1;
	return t;
}

void rrl_table_free(struct rrl_table *t) { free(t); }

/* Who asks for no more than the allowance in any second gets all of it.  A flood's first burst gets a second's
 * allowance, and at most the quarter more that passes by the levels of all workers; then as much each second. */
struct rrl_rules *rrl_rules_new(const struct rrl_settings *settings, unsigned workers)
{
	struct rrl_rules *r = xcalloc(1, sizeof *r);

	r->mode = settings->mode;
	r->per_second = settings->per_second;
	r->slip = settings->slip;
	r->calm = settings->per_second / 4 / workers * WHOLE;
	r->sink = settings->per_second / workers;
	r->brim = r->calm + r->sink * WHOLE;
	r->most = settings->per_second * WHOLE;
	r->exempt = netset_new(settings->exempt);
	return r;
}

void rrl_rules_free(struct rrl_rules *r)
{
	if (r == NULL)
		return;
	netset_free(r->exempt);
	free(r);
}

struct rrl *rrl_new(struct rrl_table *table, struct stats *stats)
{
	struct rrl *r = xcalloc(1, sizeof *r);

	r->table = table;
	r->stats = stats;
	return r;
}

void rrl_free(struct rrl *r)
{
	if (r == NULL)
		return;
	rrl_rules_free(r->taken);
	free(r);
}

void rrl_set_rules(struct rrl *r, struct rrl_rules *take_rules)
{
	memset(r->memo, 0, sizeof r->memo);
	rrl_rules_free(r->taken);
	r->taken = take_rules;
	r->rules = take_rules->mode == RRL_OFF ? NULL : take_rules;
}

void rrl_set_now(struct rrl *r, uint64_t now_ms) { r->now_ms = now_ms; }

/* --- who and what --- */

/* The network's bits, and the family in the last byte, where neither has any. */
static uint64_t network_of(const struct addr *client)
{
	if (client->family == ADDR_IPV4) {
		uint32_t v4;

		memcpy(&v4, client->bytes, sizeof v4);
		return (be32toh(v4) & 0xffffff00) | ADDR_IPV4;
	} else {
		uint64_t v6;

		memcpy(&v6, client->bytes, sizeof v6);
		return (be64toh(v6) & ~(uint64_t)0xff) | ADDR_IPV6;
	}
}

static struct addr_network print_network(uint64_t network)
{
	bool is_v4 = (network & 0xff) == ADDR_IPV4;
	struct addr_network out = {.addr.family = is_v4 ? ADDR_IPV4 : ADDR_IPV6,
	                           .len = is_v4 ? NETWORK_BITS_IPV4 : NETWORK_BITS_IPV6};
	uint64_t bits = htobe64((network & ~(uint64_t)0xff) << (is_v4 ? 32 : 0));

	memcpy(out.addr.bytes, &bits, sizeof bits);
	return out;
}

/* Those not named are STATS_CLASS_POSITIVE. */
static const uint8_t classes[STATS_REASONS] = {
	[STATS_NXDOMAIN] = STATS_CLASS_NXDOMAIN, [STATS_NODATA] = STATS_CLASS_NODATA,
	[STATS_REFERRAL] = STATS_CLASS_REFERRAL, [STATS_OUTSIDE] = STATS_CLASS_ERROR,
	[STATS_NOT_READY] = STATS_CLASS_ERROR,   [STATS_ERROR] = STATS_CLASS_ERROR,
	[STATS_PROHIBITED] = STATS_CLASS_ERROR,
};

/* What answers of the class are counted together: made-up names that do not exist are their zone's, made-up names
 * that a wildcard answers are the wildcard's, other names are themselves.  The place in memory stands for it: when data
 * change it may get another, and with it a new allowance. */
static uint64_t subject_of(const struct answer *a)
{
	unsigned class;

	if (a->stands_alone)
		return (uint64_t)(uintptr_t)a->origin << 3 | STATS_CLASS_POSITIVE;
	class = classes[a->reason];
	if (class == STATS_CLASS_ERROR)
		return class;
	if (class == STATS_CLASS_NXDOMAIN)
		return zone_key(a->zone) << 3 | class;
	return (uint64_t)(uintptr_t)a->origin << 3 | class;
}

static enum stats_class class_in(uint64_t subject) { return (enum stats_class)(subject & 7); }

/* --- the first look --- */

/* Puts one answer on the level; true: it is so low that nobody who shares it can be over the limit. */
static bool is_calm(struct rrl *r, uint64_t place)
{
	const struct rrl_rules *rules = r->rules;
	struct level *level = &r->level[place];
	uint32_t now_ms = (uint32_t)r->now_ms;
	uint64_t sunk = (uint64_t)(now_ms - level->at_ms) * rules->sink;
	uint64_t height = level->height > sunk ? level->height - sunk : 0;

	height += WHOLE;
	level->height = height < rules->brim ? (uint32_t)height : rules->brim;
	level->at_ms = now_ms;
	return height <= rules->calm;
}

/* --- the second look --- */

/* Another worker's batch may have begun later than ours. */
static uint32_t passed_since(const struct rrl *r, uint64_t state)
{
	uint32_t passed = (uint32_t)r->now_ms - (uint32_t)state;

	return passed <= UINT32_MAX / 2 ? passed : 0;
}

static uint64_t pack(uint64_t left, uint64_t now_ms) { return left << 32 | (uint32_t)now_ms; }

/* The entry of the set that has been idle for longest, made new. */
static struct entry *make_entry(struct rrl *r, struct entry *set, uint64_t tag)
{
	struct entry *oldest = set;
	uint32_t most = 0;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t state = atomic_load_explicit(&set[i].state, memory_order_relaxed);
		bool is_free = atomic_load_explicit(&set[i].tag, memory_order_relaxed) == 0;
		uint32_t idle = is_free ? UINT32_MAX : passed_since(r, state);

		if (idle > most) {
			most = idle;
			oldest = &set[i];
		}
	}
	atomic_store_explicit(&oldest->tag, tag, memory_order_relaxed);
	atomic_store_explicit(&oldest->state, pack(r->rules->most, r->now_ms),
	                      memory_order_relaxed);
	atomic_store_explicit(&oldest->refused, 0, memory_order_relaxed);
	return oldest;
}

static bool is_its(struct entry *e, uint64_t tag)
{
	return atomic_load_explicit(&e->tag, memory_order_relaxed) == tag;
}

RARE static struct entry *look_up_entry(struct rrl *r, uint64_t tag)
{
	struct entry *set = r->table->set[tag & ((1 << SET_BITS) - 1)];

	for (unsigned i = 0; i < WAYS; i++)
		if (is_its(&set[i], tag))
			return &set[i];
	return make_entry(r, set, tag);
}

RARE static void make_memo(struct rrl *r, struct memo *m, uint64_t network, uint64_t subject)
{
	uint64_t tag = hash_siphash_two(&r->table->key, network, subject);

	tag |= tag == 0;
	*m = (struct memo){network, subject, tag, look_up_entry(r, tag), {0}};
}

static struct memo *find_memo(struct rrl *r, uint64_t place, uint64_t network, uint64_t subject)
{
	struct memo *m = &r->memo[place & ((1 << MEMO_BITS) - 1)];

	if (m->network != network || m->subject != subject)
		make_memo(r, m, network, subject);
	else if (!is_its(m->entry, m->tag)) /* somebody else has it now */
		m->entry = look_up_entry(r, m->tag);
	return m;
}

/* Takes one answer off, if there is one. */
static bool take(struct rrl *r, struct entry *e)
{
	uint64_t state = atomic_load_explicit(&e->state, memory_order_relaxed);
	uint64_t left = (state >> 32) + (uint64_t)passed_since(r, state) * r->rules->per_second;

	if (left > r->rules->most)
		left = r->rules->most;
	atomic_store_explicit(&e->state, pack(left < WHOLE ? left : left - WHOLE, r->now_ms),
	                      memory_order_relaxed);
	return left >= WHOLE;
}

/* --- those over the limit --- */

/* One line for a network and minute, and one place for several networks. */
static void notice(struct rrl *r, uint64_t network)
{
	struct notice *n = &r->table->notice[(network * r->table->spread[0] >> 32) % RRL_NOTICES];
	uint64_t at_ms = atomic_load_explicit(&n->at_ms, memory_order_relaxed);

	if (at_ms != 0 && r->now_ms < at_ms + NOTICE_MS)
		return;
	if (atomic_compare_exchange_strong(&n->at_ms, &at_ms, r->now_ms))
		atomic_store_explicit(&n->network, network, memory_order_relaxed);
}

bool rrl_table_notice(struct rrl_table *t, struct addr_network *out)
{
	for (unsigned i = 0; i < RRL_NOTICES; i++) {
		uint64_t network = atomic_exchange(&t->notice[i].network, 0);

		if (network != 0) {
			*out = print_network(network);
			return true;
		}
	}
	return false;
}

static bool is_exempt(const struct rrl *r, struct memo *m, const struct addr *client)
{
	if (memcmp(&m->exempt, client, sizeof *client) == 0)
		return true;
	if (!netset_has(r->rules->exempt, client))
		return false;
	m->exempt = *client;
	return true;
}

static enum rrl_verdict refuse(struct rrl *r, const struct addr *client, struct memo *m)
{
	struct entry *e = m->entry;
	enum stats_class class = class_in(m->subject);
	struct stats *s = r->stats;
	uint32_t refused;

	if (is_exempt(r, m, client)) {
		stats_add(&s->limits[STATS_LIMIT_EXEMPT][class], 1);
		return RRL_ANSWER;
	}
	stats_add(&s->limits[STATS_LIMIT_LIMITED][class], 1);
	notice(r, m->network);
	if (r->rules->mode == RRL_LOG_ONLY)
		return RRL_ANSWER;
	refused = atomic_load_explicit(&e->refused, memory_order_relaxed) + 1;
	atomic_store_explicit(&e->refused, refused, memory_order_relaxed);
	if (r->rules->slip > 0 && refused % r->rules->slip == 0) {
		stats_add(&s->limits[STATS_LIMIT_SLIPPED][class], 1);
		return RRL_SLIP;
	}
	stats_add(&s->limits[STATS_LIMIT_DROPPED][class], 1);
	return RRL_DROP;
}

bool rrl_exempts(const struct rrl *r, const struct addr *client)
{
	return r != NULL && r->taken != NULL && netset_has(r->taken->exempt, client);
}

enum rrl_verdict rrl_judge(struct rrl *r, const struct addr *client, const struct answer *a,
                           bool proven)
{
	const uint64_t *spread = r->table->spread;
	uint64_t network, subject, place;
	struct memo *m;

	if (r->rules == NULL || proven)
		return RRL_ANSWER;
	network = network_of(client);
	subject = subject_of(a);
	place = (network * spread[0] + subject * spread[1]) >> (64 - LEVEL_BITS);
	if (is_calm(r, place))
		return RRL_ANSWER;
	m = find_memo(r, place, network, subject);
	return take(r, m->entry) ? RRL_ANSWER : refuse(r, client, m);
}
