/* wiring_report.c -- what /status lists: problems, conflicts, holds, files, policies and who waits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/wiring.h"

enum { MAX_PROBLEMS = 2000, MAX_TOLD = 20 };

struct wiring_since {
	uint64_t hash; /* of the words */
	int64_t since;
};

struct report {
	struct arena *arena;
	struct snapshot_problem *problems;
	struct snapshot_conflict *conflicts;
	size_t problem_count, conflict_count;
	struct wiring_memory *before;
	struct wiring_since *now;
	size_t now_count;
	int64_t time;
	unsigned told;
};

static int by_hash(const void *a, const void *b)
{
	const struct wiring_since *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

struct wiring_hold {
	uint64_t id;
	char *zone;
};

static void forget_holds(struct wiring_memory *m)
{
	for (size_t i = 0; i < m->hold_count; i++)
		free(m->holds[i].zone);
	free(m->holds);
	m->holds = NULL;
	m->hold_count = 0;
}

void wiring_memory_fini(struct wiring_memory *m)
{
	free(m->known);
	forget_holds(m);
	*m = (struct wiring_memory){0};
}

/* Since when these words stand there: remembered, or now, and then they are told as the room's. */
static int64_t since_when(struct report *r, const char *room, const char *first, const char *second)
{
	struct wiring_since key = {
		.hash = hash_mix(hash_fixed(bytes_of(first)), hash_fixed(bytes_of(second))),
		.since = r->time};
	const struct wiring_since *known =
		r->before->count > 0
			? bsearch(&key, r->before->known, r->before->count, sizeof key, by_hash)
			: NULL;

	if (r->before->quiet)
		return key.since;
	if (known != NULL)
		key.since = known->since;
	else if (r->told++ < MAX_TOLD)
		log_warn(room, "%s: %s", first, second);
	r->now[r->now_count++] = key;
	return key.since;
}

/* Names are shown without the last dot, as everywhere in HTTP. */
static const char *undotted(struct report *r, const char *name)
{
	size_t len = strlen(name);

	return arena_strndup(r->arena, name, len > 1 && name[len - 1] == '.' ? len - 1 : len);
}

/* Of a source: it keeps its own time, and has been logged. */
static void add_error(const char *where, const char *message, int64_t since, void *arg)
{
	struct report *r = arg;

	if (r->problem_count < MAX_PROBLEMS)
		r->problems[r->problem_count++] = (struct snapshot_problem){
			arena_strdup(r->arena, where), arena_strdup(r->arena, message), since};
}

static void add_problem(const char *where, const char *message, void *arg)
{
	struct report *r = arg;

	if (r->problem_count < MAX_PROBLEMS)
		add_error(where, message, since_when(r, "records", where, message), arg);
}

static void add_records_problem(const struct records_problem *problem, void *arg)
{
	add_problem(problem->where, problem->message, arg);
}

static void add_conflict(const struct records_conflict *conflict, void *arg)
{
	struct report *r = arg;
	struct snapshot_conflict *c = &r->conflicts[r->conflict_count];

	if (r->conflict_count == MAX_PROBLEMS)
		return;
	*c = (struct snapshot_conflict){undotted(r, conflict->name),
	                                arena_strdup(r->arena, conflict->winner),
	                                arena_strdup(r->arena, conflict->loser)};
	(void)since_when(
		r, "records", c->name,
		arena_printf(r->arena,
	                     "has two sources, %s is older or comes first and wins over %s",
	                     c->winner, c->loser));
	r->conflict_count++;
}

/* `since` 0: as long as each line has been known, which is logged when it is new. */
static void add_lines(struct report *r, const char *where, const char *says, const char *lines,
                      int64_t since)
{
	while (lines != NULL && *lines != '\0') {
		size_t len = strcspn(lines, "\n");
		const char *line = arena_strndup(r->arena, lines, len);

		if (r->problem_count < MAX_PROBLEMS)
			add_error(where, line, since ? since : since_when(r, where, says, line), r);
		lines += len + (lines[len] == '\n');
	}
}

static bool is_among(const struct snapshot_hold *list, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].id == id)
			return true;
	return false;
}

static bool was_told(const struct wiring_memory *m, uint64_t id)
{
	for (size_t i = 0; i < m->hold_count; i++)
		if (m->holds[i].id == id)
			return true;
	return false;
}

/* Somebody must decide whether so much was meant to go. */
static void tell_holds(struct wiring_memory *m, const struct snapshot_hold *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!was_told(m, list[i].id))
			log_warn("records",
			         "the guard holds a mass change, 'nighctl guard release %s' lets "
			         "it go "
			         "zone=%s names=%" PRIu64,
			         list[i].zone, list[i].zone, list[i].names);
	for (size_t i = 0; i < m->hold_count; i++)
		if (!is_among(list, count, m->holds[i].id))
			log_info("records", "the guard holds nothing any more zone=%s",
			         m->holds[i].zone);
	forget_holds(m);
	m->holds = xcalloc(count + 1, sizeof *m->holds);
	for (size_t i = 0; i < count; i++)
		m->holds[m->hold_count++] = (struct wiring_hold){list[i].id, xstrdup(list[i].zone)};
}

static const struct snapshot_hold *holds_of(struct report *r, const struct records *records,
                                            int64_t unix_ms_at_0, size_t *count)
{
	const struct records_hold *from;
	struct snapshot_hold *list;

	*count = records_holds(records, &from);
	list = arena_calloc(r->arena, *count + 1, sizeof *list);
	for (size_t i = 0; i < *count; i++)
		list[i] = (struct snapshot_hold){
			.zone = undotted(r, from[i].zone),
			.names = from[i].names,
			.id = from[i].id,
			.since = (unix_ms_at_0 + (int64_t)from[i].since_ms) / 1000,
			.until = from[i].until_ms != 0
		                         ? (unix_ms_at_0 + (int64_t)from[i].until_ms) / 1000
		                         : 0,
		};
	return list;
}

static const struct snapshot_zone_file *files_of(struct report *r, const struct zone_loader *from,
                                                 size_t *count)
{
	struct snapshot_zone_file *list, one;
	size_t all = 0;

	while (from != NULL && zone_loader_file(from, all, &one))
		all++;
	list = arena_calloc(r->arena, all + 1, sizeof *list);
	for (*count = 0; *count < all; ++*count)
		(void)zone_loader_file(from, *count, &list[*count]);
	return list;
}

void wiring_set_report(struct zones *z, const struct records *records, const struct store *store,
                       const struct wiring_errors *errors, const struct wiring_policies *policies,
                       int64_t unix_ms_at_0, struct wiring_memory *memory)
{
	struct report r = {.arena = arena_new(), .before = memory, .time = clock_unix_s()};
	struct snapshot_report report = {.fact_count = facts_count(store_facts(store))};

	r.problems = arena_calloc(r.arena, MAX_PROBLEMS, sizeof *r.problems);
	r.conflicts = arena_calloc(r.arena, MAX_PROBLEMS, sizeof *r.conflicts);
	r.now = xcalloc(2 * (size_t)MAX_PROBLEMS, sizeof *r.now);
	store_each_error(store, add_error, &r);
	add_lines(&r, "config", "", errors->config, errors->config_since);
	add_lines(&r, "tls", "", errors->tls, errors->tls_since);
	add_lines(&r, "geo", "file not taken up", errors->geo, 0);
	add_lines(&r, "zones", "in a zone file", errors->zone_files, 0);
	records_each_problem(records, add_records_problem, &r);
	zones_settle(z, r.time);
	zones_each_problem(z, add_problem, &r);
	records_each_conflict(records, add_conflict, &r);
	report.problems = r.problems;
	report.problem_count = r.problem_count;
	report.conflicts = r.conflicts;
	report.conflict_count = r.conflict_count;
	report.holds = holds_of(&r, records, unix_ms_at_0, &report.hold_count);
	report.files = files_of(&r, errors->files, &report.file_count);
	report.policy_count = rulebook_report(policies->book, policies->result, records, store,
	                                      policies->secrets, r.arena, &report.policies);
	if (errors->waiting != NULL)
		report.waiting = failback_list(errors->waiting, r.arena, &report.waiting_count);
	tell_holds(memory, report.holds, report.hold_count);
	zones_set_report(z, &report);
	if (r.told > MAX_TOLD)
		log_warn("records", "%u more problems and conflicts: see /status",
		         r.told - MAX_TOLD);
	arena_free(r.arena);
	free(memory->known);
	qsort(r.now, r.now_count, sizeof *r.now, by_hash);
	memory->known = r.now;
	memory->count = r.now_count;
}
