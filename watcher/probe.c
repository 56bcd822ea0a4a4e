/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "watcher/probe_inside.h"

/* --- times --- */

static void on_timer(uv_timer_t *timer)
{
	struct prober *p = timer->data;
	uint64_t at;
	size_t slot;

	while (due_first(p->due, &slot, &at) && at <= clock_monotonic_ms()) {
		due_remove(p->due, slot);
		probe_run_due(p, p->target[slot]);
	}
	probe_run_queue(p);
	prober_arm(p);
}

void prober_arm(struct prober *p)
{
	uint64_t at, now = clock_monotonic_ms();
	size_t slot;

	if (p->on_stopped)
		return;
	if (!due_first(p->due, &slot, &at)) {
		uv_timer_stop(&p->timer);
		return;
	}
	uv_update_time(p->loop);
	CHECK(uv_timer_start(&p->timer, on_timer, at > now ? at - now : 0, 0) == 0);
}

static uint64_t hash_key_of(const struct prober *p, const struct target_key *is)
{
	uint64_t addr = hash_siphash(&p->key, &is->addr, sizeof(is->addr));

	return hash_siphash_two(&p->key, addr ^ is->port ^ (uint64_t)is->cluster << 16,
	                        (uintptr_t)is->check);
}

/* At most a twentieth of the interval after the target's place in it, another one each time: what asks in step with others by
 * chance does not go on so. */
static void put_planned(struct prober *p, const struct target *t)
{
	uint64_t most = t->settings.interval_ms / 20 + 1;
	uint64_t jitter = hash_siphash_two(&p->key, t->planned_ms, t->slot) % most;

	due_put(p->due, t->slot, t->planned_ms + jitter);
}

/* Targets keep their place in the interval, whoever comes and goes. */
static void plan_first(struct prober *p, struct target *t)
{
	uint64_t every = t->settings.interval_ms;
	uint64_t now = clock_monotonic_ms();
	uint64_t at = now - now % every + hash_key_of(p, &t->is) % every;

	t->planned_ms = at >= now ? at : at + every;
	put_planned(p, t);
}

/* A probe that failed after all of its interval ends a moment later than that: the next one begins at once. */
void prober_plan_next(struct prober *p, struct target *t)
{
	uint64_t every = t->settings.interval_ms;
	uint64_t now = clock_monotonic_ms();

	t->planned_ms += every;
	if (t->planned_ms + every / 10 < now)
		t->planned_ms = now + every - (now - t->planned_ms) % every;
	put_planned(p, t);
}

void prober_tell(struct prober *p, struct target *t, const struct probe_verdict *verdict)
{
	for (uint32_t i = t->first; i > 0; i = p->place[i - 1].next)
		if (p->place[i - 1].wanted)
			p->on_verdict(i - 1, verdict, p->arg);
}

/* --- ways to probe --- */

static bool is_check(const void *item, const void *key)
{
	const struct probe_check *c = item;

	return bytes_equal(c->key, *(const struct bytes *)key);
}

static bool is_plain(const struct policy_check *is)
{
	return (is->kind == POLICY_CHECK_NONE || is->kind == POLICY_CHECK_TCP) &&
	       is->interval_ms == 0 && is->timeout_ms == 0 && is->down == 0 && is->up == 0;
}

/* With one user more; NULL: a connection, as the settings say. */
static struct probe_check *take_check(struct prober *p, const struct probe_way *way)
{
	uint64_t hash = hash_siphash(&p->key, way->key.data, way->key.len);
	struct probe_check *c;

	if (!way->is || is_plain(way->is))
		return NULL;
	c = table_find(p->checks, hash, is_check, &way->key);
	if (c) {
		c->users++;
		return c;
	}
	c = probe_check_new(way->is, way->key, way->namespace);
	table_put(p->checks, hash, c);
	return c;
}

static void leave_check(struct prober *p, struct probe_check *c)
{
	if (c && c->users == 1)
		(void)table_remove(p->checks, hash_siphash(&p->key, c->key.data, c->key.len),
		                   is_check, &c->key);
	probe_check_unref(c);
}

static struct probe_settings settings_of(const struct prober *p, const struct probe_check *c)
{
	struct probe_settings s = p->settings;

	if (probe_check_is_import(c))
		s.down = s.up = 1;
	if (c && c->is.interval_ms > 0)
		s.interval_ms = c->is.interval_ms;
	if (c && c->is.timeout_ms > 0)
		s.timeout_ms = c->is.timeout_ms;
	if (c && c->is.down > 0)
		s.down = c->is.down;
	if (c && c->is.up > 0)
		s.up = c->is.up;
	s.interval_ms = s.interval_ms > 0 ? s.interval_ms : 1;
	return s;
}

/* --- targets --- */

static bool is_target(const void *item, const void *key)
{
	const struct target_key *a = &((const struct target *)item)->is, *b = key;

	return a->port == b->port && a->check == b->check && a->cluster == b->cluster &&
	       addr_equal(&a->addr, &b->addr);
}

static size_t free_slot(struct prober *p, size_t from)
{
	while (from < p->slots && p->target[from])
		from++;
	if (from == p->slots) {
		p->slots = 2 * p->slots + 16;
		p->target = xreallocarray(p->target, p->slots, sizeof(struct target *));
		memset(p->target + from, 0, (p->slots - from) * sizeof(struct target *));
	}
	return from;
}

/* `*slot`: none before it is free. */
static struct target *add_target(struct prober *p, const struct target_key *is,
                                 struct probe_check *check, size_t *slot)
{
	struct target *t = xcalloc(1, sizeof(*t));

	*slot = free_slot(p, *slot);
	*t = (struct target){.prober = p, .is = *is, .check = check, .slot = *slot};
	t->settings = settings_of(p, check);
	if (check)
		check->users++;
	p->target[t->slot] = t;
	table_put(p->targets, hash_key_of(p, is), t);
	return t;
}

static void deactivate(struct prober *p, struct target *t)
{
	t->active = t->judged = false;
	probe_run_end(p, t);
}

static void free_target(struct prober *p, struct target *t)
{
	deactivate(p, t);
	(void)table_remove(p->targets, hash_key_of(p, &t->is), is_target, &t->is);
	p->target[t->slot] = NULL;
	leave_check(p, t->check);
	free(t);
}

static bool is_wanted(const struct prober *p, const struct target *t)
{
	for (uint32_t i = t->first; i > 0; i = p->place[i - 1].next)
		if (p->place[i - 1].wanted)
			return true;
	return false;
}

/* Indexes stand in the order in which they are told, the smallest first. */
static void place_indexes(struct prober *p, struct probe_check *const *checks, size_t check_count,
                          const struct probe_target *targets)
{
	size_t slot = 0;

	for (size_t i = p->count; i-- > 0;) {
		const struct probe_target *is = &targets[i];
		struct probe_check *check = is->way < check_count ? checks[is->way] : NULL;
		struct target_key key = {is->addr, is->port, check,
		                         probe_check_is_import(check) ? is->cluster : 0};
		struct target *t;

		if (is->addr.family == ADDR_NONE)
			continue;
		t = table_find(p->targets, hash_key_of(p, &key), is_target, &key);
		if (!t)
			t = add_target(p, &key, check, &slot);
		p->place[i] = (struct place){t, t->first, is->wanted};
		t->first = (uint32_t)i + 1;
	}
}

static void settle_targets(struct prober *p)
{
	for (size_t i = 0; i < p->slots; i++) {
		struct target *t = p->target[i];
		bool wanted = t && is_wanted(p, t);

		if (t && t->first == 0) {
			free_target(p, t);
		} else if (wanted && !t->active) {
			t->active = true;
			plan_first(p, t);
		} else if (t && !wanted && t->active) {
			deactivate(p, t);
		}
	}
}

void prober_set_targets(struct prober *p, const struct probe_way *ways, size_t way_count,
                        const struct probe_target *targets, size_t count)
{
	struct probe_check **checks = xcalloc(way_count + 1, sizeof(*checks));

	for (size_t i = 0; i < way_count; i++)
		checks[i] = take_check(p, &ways[i]);
	for (size_t i = 0; i < p->slots; i++)
		if (p->target[i])
			p->target[i]->first = 0;
	free(p->place);
	p->place = xcalloc(count + 1, sizeof(*p->place));
	p->count = count;
	place_indexes(p, checks, way_count, targets);
	settle_targets(p);
	for (size_t i = 0; i < way_count; i++)
		leave_check(p, checks[i]);
	free(checks);
	probe_run_queue(p);
	prober_arm(p);
}

/* --- the outside --- */

struct prober *prober_new(uv_loop_t *loop, const struct probe_settings *settings,
                          probe_on_verdict_fn *on_verdict, void *arg)
{
	struct prober *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->settings = *settings;
	p->key = (struct hash_key){random_u64(), random_u64()};
	p->on_verdict = on_verdict;
	p->arg = arg;
	p->due = due_new();
	p->queue = due_new();
	p->targets = table_new();
	p->checks = table_new();
	p->handles = 2;
	p->http = probe_http_new(loop);
	CHECK(uv_timer_init(loop, &p->timer) == 0);
	p->timer.data = p;
	return p;
}

/* A probe that runs ends as it began; its target then has its place in the new interval. */
void prober_configure(struct prober *p, const struct probe_settings *settings)
{
	p->settings = *settings;
	for (size_t i = 0; i < p->slots; i++) {
		struct target *t = p->target[i];
		uint64_t before_ms = t ? t->settings.interval_ms : 0;

		if (!t)
			continue;
		t->settings = settings_of(p, t->check);
		if (t->active && !t->running && t->settings.interval_ms != before_ms)
			plan_first(p, t);
	}
	prober_arm(p);
}

void prober_set_imports(struct prober *p, probe_import_fn *import) { p->import = import; }

void prober_set_state(struct prober *p, size_t index, bool down)
{
	struct target *t;

	CHECK(index < p->count);
	t = p->place[index].target;
	if (!t || t->judged)
		return;
	t->down = down;
	t->failed = t->succeeded = 0;
}

bool prober_is_down(const struct prober *p, size_t index)
{
	const struct target *t = index < p->count ? p->place[index].target : NULL;

	return t && t->down;
}

struct prober_counts prober_counts(const struct prober *p) { return p->counts; }

void prober_handle_closed(struct prober *p)
{
	if (--p->handles > 0)
		return;
	probe_run_free_spare(p);
	due_free(p->due);
	due_free(p->queue);
	table_free(p->targets);
	table_free(p->checks);
	free(p->target);
	free(p->place);
	p->on_stopped(p->stopped_arg);
	free(p);
}

static void on_http_stopped(void *arg) { prober_handle_closed(arg); }

static void on_timer_closed(uv_handle_t *handle) { prober_handle_closed(handle->data); }

void prober_stop(struct prober *p, void (*on_stopped)(void *arg), void *arg)
{
	p->on_stopped = on_stopped;
	p->stopped_arg = arg;
	for (size_t i = 0; i < p->slots; i++)
		if (p->target[i])
			free_target(p, p->target[i]);
	probe_http_stop(p->http, on_http_stopped, p);
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}
