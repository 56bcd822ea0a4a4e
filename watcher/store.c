/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "watcher/saved.h"
#include "watcher/settle.h"

enum { ERRORS_MOST = 10000 }; /* more are logged, but not kept */

struct trouble {
	char *where;
	char *message;
	int64_t since;
};

struct store {
	struct facts *facts;
	struct settle *settle;
	struct saved *saved; /* may be NULL */
	uint64_t error_changes;
	struct trouble *troubles; /* in order of where */
	size_t trouble_count, trouble_room;
};

struct store *store_new(struct facts *facts, struct settle *settle, struct saved *saved)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->facts = facts;
	s->settle = settle;
	s->saved = saved;
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->trouble_count; i++) {
		free(s->troubles[i].where);
		free(s->troubles[i].message);
	}
	free(s->troubles);
	free(s);
}

uint16_t store_cluster(struct store *s, struct bytes name)
{
	return facts_cluster_id(s->facts, name);
}

const struct facts *store_facts(const struct store *s) { return s->facts; }

/* --- facts --- */

bool store_put(struct store *s, uint16_t cluster, const struct fact *fact)
{
	bool changed;

	fact_ref(fact); /* facts_put() may let go of it */
	changed = facts_put(s->facts, cluster, fact);
	if (changed) {
		if (s->saved)
			saved_put_fact(s->saved, cluster, fact);
		settle_poke(s->settle);
	}
	fact_unref(fact);
	return changed;
}

bool store_remove(struct store *s, uint16_t cluster, enum fact_kind kind, struct bytes namespace,
                  struct bytes name)
{
	if (!facts_find(s->facts, cluster, kind, namespace, name))
		return false;
	/* First, because the key may be borrowed from the fact that goes. */
	if (s->saved)
		saved_remove_fact(s->saved, cluster, kind, namespace, name);
	(void)facts_remove(s->facts, cluster, kind, namespace, name);
	settle_poke(s->settle);
	return true;
}

/* --- clusters --- */

static const char *const knowledge_text[] = {
	[KNOWLEDGE_NEVER] = "never seen",
	[KNOWLEDGE_SYNCED] = "synced",
	[KNOWLEDGE_UNSEEN] = "unseen",
};

static void log_knowledge(const char *cluster, const struct cluster_state *state)
{
	struct log_context context = {.key = "cluster", .value = *cluster ? cluster : "(host)"};
	enum log_level level = state->knowledge == KNOWLEDGE_SYNCED ? LOG_INFO : LOG_WARN;

	log_write(level, "watcher", &context, "cluster is %s%s%s", knowledge_text[state->knowledge],
	          state->error[0] ? ": " : "", state->error);
}

void store_set_knowledge(struct store *s, uint16_t cluster, enum cluster_source source,
                         enum knowledge knowledge, const char *why)
{
	const struct cluster_state *before = facts_cluster(s->facts, cluster);
	struct cluster_state state = {.registered = true, .source = source, .knowledge = knowledge};
	bool registered = before->registered && before->source == source;
	bool same = registered && before->knowledge == knowledge;

	(void)snprintf(state.error, sizeof(state.error), "%s",
	               knowledge != KNOWLEDGE_SYNCED && why ? why : "");
	if (same && !strcmp(state.error, before->error))
		return;
	state.since_ms = same ? before->since_ms : clock_monotonic_ms();
	facts_set_cluster(s->facts, cluster, &state);
	if (same)
		return;
	/* Not while it was never seen: what is saved comes back as known. */
	if (s->saved && knowledge != KNOWLEDGE_NEVER) {
		saved_put_cluster(s->saved, cluster, source);
		saved_put_knowledge(s->saved, cluster, knowledge);
	}
	if (knowledge != KNOWLEDGE_NEVER || why)
		log_knowledge(facts_cluster_name(s->facts, cluster), &state);
	settle_poke(s->settle);
}

void store_drop_cluster(struct store *s, uint16_t cluster)
{
	struct log_context context = {.key = "cluster",
	                              .value = facts_cluster_name(s->facts, cluster)};
	struct cluster_state gone = {.since_ms = clock_monotonic_ms()};

	if (!facts_cluster(s->facts, cluster)->registered)
		return;
	facts_set_cluster(s->facts, cluster, &gone);
	if (s->saved)
		saved_drop_cluster(s->saved, cluster);
	log_write(LOG_INFO, "watcher", &context, "cluster is gone from the registry");
	settle_poke(s->settle);
}

/* --- errors --- */

/* Where it is, or would be. */
static size_t find_trouble(const struct store *s, const char *where, bool *found)
{
	size_t low = 0, high = s->trouble_count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(where, s->troubles[middle].where);

		if (order > 0)
			low = middle + 1;
		else
			high = middle;
		if (order == 0) {
			*found = true;
			low = middle;
		}
	}
	return low;
}

static void add_trouble(struct store *s, size_t at, const char *where, const char *message)
{
	if (s->trouble_count == ERRORS_MOST)
		return;
	if (s->trouble_count == s->trouble_room) {
		s->trouble_room = s->trouble_room ? s->trouble_room * 2 : 16;
		s->troubles = xreallocarray(s->troubles, s->trouble_room, sizeof(*s->troubles));
	}
	memmove(&s->troubles[at + 1], &s->troubles[at],
	        (s->trouble_count - at) * sizeof(*s->troubles));
	s->troubles[at] = (struct trouble){xstrdup(where), xstrdup(message), clock_unix_s()};
	s->trouble_count++;
}

static void drop_trouble(struct store *s, size_t at)
{
	free(s->troubles[at].where);
	free(s->troubles[at].message);
	s->trouble_count--;
	memmove(&s->troubles[at], &s->troubles[at + 1],
	        (s->trouble_count - at) * sizeof(*s->troubles));
}

void store_set_error(struct store *s, const char *where, const char *message)
{
	bool found;
	size_t at = find_trouble(s, where, &found);
	struct trouble *t = found ? &s->troubles[at] : NULL;

	if (!message) {
		if (found) {
			s->error_changes++;
			settle_poke(s->settle);
			log_info("watcher", "%s: no error any more", where);
			drop_trouble(s, at);
		}
		return;
	}
	if (found && !strcmp(t->message, message))
		return;
	s->error_changes++;
	settle_poke(s->settle);
	log_warn("watcher", "%s", message);
	if (!found) {
		add_trouble(s, at, where, message);
		return;
	}
	free(t->message);
	t->message = xstrdup(message);
	t->since = clock_unix_s();
}

void store_each_error(const struct store *s, store_on_error_fn *fn, void *arg)
{
	for (size_t i = 0; i < s->trouble_count; i++)
		fn(s->troubles[i].where, s->troubles[i].message, s->troubles[i].since, arg);
}

uint64_t store_error_changes(const struct store *s) { return s->error_changes; }
