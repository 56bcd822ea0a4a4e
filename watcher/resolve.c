/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/resolve.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "watcher/due.h"
#include "watcher/resolve_ask.h"

enum { MOST_LOOKUPS = 100, MOST_SEEDS = 10000, MESSAGE_SIZE = 512 };
enum { FAMILY_4, FAMILY_6, FAMILIES };

static const struct resolver_limits usual_limits = {
	.ttl_least_ms = 5000,
	.ttl_most_ms = 3600000,
	.retry_first_ms = 5000,
	.retry_last_ms = 300000,
	.timeout_ms = 2000,
};

struct addresses {
	struct addr *addr; /* sorted, unique */
	size_t count;
};

struct host {
	char *name;
	size_t index; /* in the list, and of its time */
	struct addresses known[FAMILIES];
	uint64_t due_ms;
	uint64_t retry_ms; /* the last wait after a failure; 0: it succeeded */
	bool is_troubled;
	bool was_found;        /* by a look-up of this run */
	struct lookup *lookup; /* under way */
};

/* A and AAAA of one host. */
struct lookup {
	struct resolver *resolver;
	struct host *host; /* NULL: not asked for any more */
	struct question {
		struct lookup *lookup;
		struct resolve_answer answer;
	} question[FAMILIES];
	int unanswered;
};

struct resolver {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct resolve_ask *ask;
	bool is_doubtful; /* a look-up failed: have the system's settings changed? */
	struct resolver_limits limits;
	resolve_on_addresses_fn *on_addresses;
	resolve_on_trouble_fn *on_trouble;
	void *arg;
	struct host **hosts; /* sorted by name */
	size_t host_count;
	struct host **seeds; /* not wanted yet, what they had before; sorted by name */
	size_t seed_count;
	struct due *due; /* of hosts whose look-up is not under way */
	size_t under_way;
	int running; /* timer, ask */
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

static void on_timer(uv_timer_t *timer);

static void arm(struct resolver *r)
{
	uint64_t now = clock_monotonic_ms(), at;
	size_t index;

	if (r->on_stopped)
		return;
	if (r->under_way >= MOST_LOOKUPS || !due_first(r->due, &index, &at)) {
		uv_timer_stop(&r->timer);
		return;
	}
	uv_update_time(r->loop);
	CHECK(uv_timer_start(&r->timer, on_timer, at > now ? at - now : 0, 0) == 0);
}

/* --- answers --- */

static void replace(struct addresses *known, struct resolve_answer *answer)
{
	free(known->addr);
	known->addr = answer->addr;
	known->count =
		answer->count < RESOLVE_MOST_ADDRESSES ? answer->count : RESOLVE_MOST_ADDRESSES;
	answer->addr = NULL;
}

/* Takes over what was found; false when that would leave no address at all: then all stays. */
static bool merge(struct host *h, struct question *question)
{
	size_t count = 0;

	for (int f = 0; f < FAMILIES; f++)
		count += question[f].answer.outcome == RESOLVE_FAILED ? h->known[f].count
		                                                      : question[f].answer.count;
	if (count == 0)
		return false;
	for (int f = 0; f < FAMILIES; f++)
		if (question[f].answer.outcome != RESOLVE_FAILED)
			replace(&h->known[f], &question[f].answer);
	h->was_found = true;
	return true;
}

/* What to say: the first failure, or why there is no address; else NULL. */
static const char *trouble_of(const struct question *question, bool merged)
{
	for (int f = 0; f < FAMILIES; f++)
		if (question[f].answer.outcome == RESOLVE_FAILED)
			return question[f].answer.message;
	return merged ? NULL : question[FAMILY_4].answer.message;
}

static uint64_t clamp(uint64_t v, uint64_t least, uint64_t most)
{
	if (v < least)
		return least;
	return v < most ? v : most;
}

static uint64_t ttl_of(const struct resolver *r, const struct question *question)
{
	uint64_t least = UINT64_MAX;

	for (int f = 0; f < FAMILIES; f++)
		if (question[f].answer.outcome == RESOLVE_FOUND &&
		    question[f].answer.ttl_ms < least)
			least = question[f].answer.ttl_ms;
	return clamp(least, r->limits.ttl_least_ms, r->limits.ttl_most_ms);
}

static void plan(struct resolver *r, struct host *h, const struct question *question, bool failed)
{
	uint64_t wait;

	if (failed) {
		h->retry_ms =
			clamp(h->retry_ms * 2, r->limits.retry_first_ms, r->limits.retry_last_ms);
		wait = h->retry_ms;
	} else {
		h->retry_ms = 0;
		wait = ttl_of(r, question);
	}
	h->due_ms = clock_monotonic_ms() + wait;
	due_put(r->due, h->index, h->due_ms);
}

static void tell_addresses(struct resolver *r, const struct host *h, uint64_t ttl_ms)
{
	struct addr all[FAMILIES * RESOLVE_MOST_ADDRESSES];
	size_t count = 0;

	for (int f = 0; f < FAMILIES; f++)
		for (size_t i = 0; i < h->known[f].count; i++)
			all[count++] = h->known[f].addr[i];
	r->on_addresses(bytes_of(h->name), all, count, (uint32_t)((ttl_ms + 999) / 1000), r->arg);
}

static void tell_trouble(struct resolver *r, struct host *h, const char *trouble)
{
	char message[MESSAGE_SIZE];
	bool was = h->is_troubled;

	h->is_troubled = trouble != NULL;
	if (trouble) {
		snprintf(message, sizeof(message), "%s: %s", h->name, trouble);
		r->on_trouble(bytes_of(h->name), message, r->arg);
	} else if (was) {
		r->on_trouble(bytes_of(h->name), NULL, r->arg);
	}
}

static void take_answers(struct resolver *r, struct host *h, struct question *question)
{
	bool merged = merge(h, question);
	const char *trouble = trouble_of(question, merged);

	h->lookup = NULL;
	if (trouble)
		r->is_doubtful = true;
	plan(r, h, question, trouble != NULL);
	if (merged)
		tell_addresses(r, h, ttl_of(r, question));
	tell_trouble(r, h, trouble);
}

static void end_lookup(struct lookup *l)
{
	struct resolver *r = l->resolver;

	r->under_way--;
	if (l->host)
		take_answers(r, l->host, l->question);
	for (int f = 0; f < FAMILIES; f++)
		free(l->question[f].answer.addr);
	free(l);
	arm(r);
}

static void on_answer(struct resolve_answer *answer, void *arg)
{
	struct question *q = arg;

	q->answer = *answer;
	if (--q->lookup->unanswered == 0)
		end_lookup(q->lookup);
}

/* --- questions --- */

static void start_lookup(struct resolver *r, struct host *h)
{
	static const enum addr_family family[FAMILIES] = {
		[FAMILY_4] = ADDR_IPV4, [FAMILY_6] = ADDR_IPV6};
	struct lookup *l = xcalloc(1, sizeof(*l));

	l->resolver = r;
	l->host = h;
	l->unanswered = FAMILIES;
	h->lookup = l;
	r->under_way++;
	/* The last answer frees the look-up, and may come at once. */
	for (int f = 0; f < FAMILIES; f++) {
		l->question[f].lookup = l;
		resolve_ask(r->ask, h->name, family[f], on_answer, &l->question[f]);
	}
}

/* The system's settings are read once, so they are read again when something is wrong, as soon as
 * nothing is under way. */
static void on_timer(uv_timer_t *timer)
{
	struct resolver *r = timer->data;
	uint64_t at;
	size_t index;

	if (r->under_way == 0 && r->is_doubtful) {
		r->is_doubtful = false;
		resolve_ask_renew(r->ask, r->limits.timeout_ms);
	}
	while (r->under_way < MOST_LOOKUPS && due_first(r->due, &index, &at) &&
	       at <= clock_monotonic_ms()) {
		due_remove(r->due, index);
		start_lookup(r, r->hosts[index]);
	}
	arm(r);
}

/* --- the outside --- */

enum err resolver_new(uv_loop_t *loop, const char *servers, resolve_on_addresses_fn *on_addresses,
                      resolve_on_trouble_fn *on_trouble, void *arg, struct resolver **out,
                      struct reason *why)
{
	struct resolver *r = xcalloc(1, sizeof(*r));
	enum err err = resolve_ask_new(loop, servers, usual_limits.timeout_ms, &r->ask, why);

	if (err) {
		free(r);
		return err;
	}
	r->loop = loop;
	r->limits = usual_limits;
	r->on_addresses = on_addresses;
	r->on_trouble = on_trouble;
	r->arg = arg;
	r->due = due_new();
	r->running = 2;
	CHECK(uv_timer_init(loop, &r->timer) == 0);
	r->timer.data = r;
	*out = r;
	return ERR_OK;
}

void resolver_set_limits(struct resolver *r, const struct resolver_limits *limits)
{
	r->limits = *limits;
	r->is_doubtful = true;
	arm(r);
}

static struct host *host_new(struct bytes name)
{
	struct host *h = xcalloc(1, sizeof(*h));

	h->name = text_copy(name);
	h->due_ms = clock_monotonic_ms();
	return h;
}

static void forget_known(struct host *h)
{
	for (int f = 0; f < FAMILIES; f++) {
		free(h->known[f].addr);
		h->known[f] = (struct addresses){0};
	}
}

static void host_free(struct host *h)
{
	if (h->lookup)
		h->lookup->host = NULL;
	forget_known(h);
	free(h->name);
	free(h);
}

/* --- what was known before --- */

/* Where it is in a list, or would be. */
static size_t place_of(struct host *const *list, size_t count, struct bytes name)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (bytes_compare(bytes_of(list[middle]->name), name) < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

static bool is_at(struct host *const *list, size_t count, size_t place, struct bytes name)
{
	return place < count && bytes_equal(bytes_of(list[place]->name), name);
}

/* The host to seed; NULL: it needs none, or there are too many. */
static struct host *host_to_seed(struct resolver *r, struct bytes name)
{
	size_t place = place_of(r->hosts, r->host_count, name);

	if (is_at(r->hosts, r->host_count, place, name))
		return r->hosts[place]->was_found ? NULL : r->hosts[place];
	place = place_of(r->seeds, r->seed_count, name);
	if (is_at(r->seeds, r->seed_count, place, name))
		return r->seeds[place];
	if (r->seed_count == MOST_SEEDS)
		return NULL;
	r->seeds = xreallocarray(r->seeds, r->seed_count + 1, sizeof(struct host *));
	memmove(r->seeds + place + 1, r->seeds + place,
	        (r->seed_count - place) * sizeof(struct host *));
	r->seed_count++;
	return r->seeds[place] = host_new(name);
}

static void know(struct addresses *known, const struct addr *addr)
{
	if (known->count == RESOLVE_MOST_ADDRESSES)
		return;
	known->addr = xreallocarray(known->addr, known->count + 1, sizeof(*known->addr));
	known->addr[known->count++] = *addr;
}

void resolver_seed(struct resolver *r, struct bytes host, const struct addr *addresses,
                   size_t count)
{
	struct host *h = host_to_seed(r, host);

	if (!h)
		return;
	forget_known(h);
	for (size_t i = 0; i < count; i++) {
		if (addresses[i].family == ADDR_IPV4)
			know(&h->known[FAMILY_4], &addresses[i]);
		else if (addresses[i].family == ADDR_IPV6)
			know(&h->known[FAMILY_6], &addresses[i]);
	}
}

/* A host that is wanted now: what is known of it from before, if anything. */
static struct host *new_host(struct resolver *r, struct bytes name)
{
	size_t place = place_of(r->seeds, r->seed_count, name);
	struct host *h;

	if (!is_at(r->seeds, r->seed_count, place, name))
		return host_new(name);
	h = r->seeds[place];
	h->due_ms = clock_monotonic_ms();
	r->seed_count--;
	memmove(r->seeds + place, r->seeds + place + 1,
	        (r->seed_count - place) * sizeof(struct host *));
	return h;
}

/* --- the hosts --- */

static void drop_host(struct resolver *r, struct host *h)
{
	tell_trouble(r, h, NULL);
	host_free(h);
}

void resolver_set_hosts(struct resolver *r, const struct bytes *hosts, size_t count)
{
	struct host **was = r->hosts;
	size_t was_count = r->host_count, w = 0;

	r->hosts = xreallocarray(NULL, count, sizeof(struct host *));
	r->host_count = count;
	due_free(r->due);
	r->due = due_new();
	for (size_t i = 0; i < count; i++) {
		struct host *h;

		while (w < was_count && bytes_compare(bytes_of(was[w]->name), hosts[i]) < 0)
			drop_host(r, was[w++]);
		h = w < was_count && bytes_equal(bytes_of(was[w]->name), hosts[i])
		            ? was[w++]
		            : new_host(r, hosts[i]);
		h->index = i;
		r->hosts[i] = h;
		if (!h->lookup)
			due_put(r->due, i, h->due_ms);
	}
	while (w < was_count)
		drop_host(r, was[w++]);
	free(was);
	arm(r);
}

static void on_part_stopped(void *arg)
{
	struct resolver *r = arg;

	if (--r->running > 0)
		return;
	due_free(r->due);
	r->on_stopped(r->stopped_arg);
	free(r);
}

static void on_timer_closed(uv_handle_t *handle) { on_part_stopped(handle->data); }

void resolver_stop(struct resolver *r, void (*on_stopped)(void *arg), void *arg)
{
	r->on_stopped = on_stopped;
	r->stopped_arg = arg;
	for (size_t i = 0; i < r->host_count; i++)
		host_free(r->hosts[i]);
	free(r->hosts);
	for (size_t i = 0; i < r->seed_count; i++)
		host_free(r->seeds[i]);
	free(r->seeds);
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
	resolve_ask_stop(r->ask, on_part_stopped, r);
}
