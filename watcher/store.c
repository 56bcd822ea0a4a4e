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

enum { ERRORS_MOST = 10000 }; /* places; more are logged, but not kept */

struct trouble {
	char *where;
	char *lines; /* texts one behind the other, each with its 0 */
	size_t len;
	int64_t since;
};

struct store {
	struct facts *facts;
	struct settle *settle;
	struct saved *saved;                 /* may be NULL */
	struct probe_secrets *probe_secrets; /* may be NULL */
	struct store_two_sources two;
	bool host_is_shared;
	struct buffer known_dirs;
	uint64_t error_changes;
	struct trouble *troubles; /* in order of where */
	size_t trouble_count, trouble_room;
};

struct store *store_new(struct facts *facts, struct settle *settle, struct saved *saved)
{
	struct store *s = xcalloc(1, sizeof(*s));
	struct bytes dirs;

	s->facts = facts;
	s->settle = settle;
	s->saved = saved;
	if (saved && saved_find_value(saved, SAVED_DIRS, (struct bytes){0}, &dirs))
		buffer_put(&s->known_dirs, dirs.data, dirs.len);
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->trouble_count; i++) {
		free(s->troubles[i].where);
		free(s->troubles[i].lines);
	}
	free(s->troubles);
	buffer_fini(&s->known_dirs);
	free(s);
}

uint16_t store_cluster(struct store *s, struct bytes name)
{
	return facts_cluster_id(s->facts, name);
}

const struct facts *store_facts(const struct store *s) { return s->facts; }

const char *store_shown_name(const struct store *s, uint16_t cluster)
{
	const char *name = facts_cluster_name(s->facts, cluster);

	return *name ? name : "(host)";
}

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

struct removing {
	store_is_gone_fn *is_gone;
	void *arg;
	const struct fact **gone;
	size_t count, room;
};

static void judge(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct removing *r = arg;

	if (!r->is_gone(cluster, fact, r->arg))
		return;
	if (r->count == r->room) {
		r->room = r->room * 2 + 64;
		r->gone = xreallocarray(r->gone, r->room, sizeof(const struct fact *));
	}
	r->gone[r->count++] = fact_ref(fact);
}

void store_remove_each(struct store *s, uint16_t cluster, int kind, store_is_gone_fn *is_gone,
                       void *arg)
{
	struct removing r = {.is_gone = is_gone, .arg = arg};

	facts_each(s->facts, cluster, kind, judge, &r);
	for (size_t i = 0; i < r.count; i++) {
		const struct fact *fact = r.gone[i];

		(void)store_remove(s, cluster, fact_get_kind(fact), fact_namespace(fact),
		                   fact_name(fact));
		fact_unref(fact);
	}
	free(r.gone);
}

/* --- clusters --- */

static const char *const knowledge_text[] = {
	[KNOWLEDGE_NEVER] = "never seen",
	[KNOWLEDGE_SYNCED] = "synced",
	[KNOWLEDGE_UNSEEN] = "unseen",
};

static void log_knowledge(const struct store *s, uint16_t cluster,
                          const struct cluster_state *state)
{
	struct log_context context = {.key = "cluster", .value = store_shown_name(s, cluster)};
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
	if (same) {
		/* Why it cannot be seen is another reason now. */
		if (state.error[0] != '\0')
			log_knowledge(s, cluster, &state);
		return;
	}
	/* Not while it was never seen: what is saved comes back as known. */
	if (s->saved && knowledge != KNOWLEDGE_NEVER) {
		saved_put_cluster(s->saved, cluster, source);
		saved_put_knowledge(s->saved, cluster, knowledge);
	}
	if (knowledge != KNOWLEDGE_NEVER || why)
		log_knowledge(s, cluster, &state);
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

/* --- two sources --- */

void store_set_two_sources(struct store *s, const struct store_two_sources *two) { s->two = *two; }

void store_share_host(struct store *s, bool is_shared) { s->host_is_shared = is_shared; }

bool store_host_is_shared(const struct store *s) { return s->host_is_shared; }

bool store_is_elsewhere(const struct store *s, uint16_t cluster, const struct fact *fact)
{
	return fact_created(fact) == FACT_CONFIG_TIME ||
	       (s->two.files_have && s->two.files_have(cluster, fact, s->two.arg));
}

bool store_leaves_to_host(const struct store *s, uint16_t cluster, enum fact_kind kind)
{
	return cluster == FACTS_HOST && s->host_is_shared && s->two.relist &&
	       s->two.relist(kind, s->two.arg);
}

/* --- Secrets of probes --- */

void store_set_probe_secrets(struct store *s, struct probe_secrets *secrets)
{
	s->probe_secrets = secrets;
}

struct probe_secrets *store_probe_secrets(const struct store *s) { return s->probe_secrets; }

/* --- directories --- */

void store_set_known_dirs(struct store *s, struct bytes dirs)
{
	buffer_reset(&s->known_dirs);
	buffer_put(&s->known_dirs, dirs.data, dirs.len);
	if (s->saved)
		saved_put_value(s->saved, SAVED_DIRS, (struct bytes){0}, dirs);
}

struct bytes store_known_dirs(const struct store *s)
{
	return (struct bytes){s->known_dirs.data, s->known_dirs.len};
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

static void add_trouble(struct store *s, size_t at, const char *where)
{
	if (s->trouble_count == s->trouble_room) {
		s->trouble_room = s->trouble_room ? s->trouble_room * 2 : 16;
		s->troubles = xreallocarray(s->troubles, s->trouble_room, sizeof(*s->troubles));
	}
	memmove(&s->troubles[at + 1], &s->troubles[at],
	        (s->trouble_count - at) * sizeof(*s->troubles));
	s->troubles[at] = (struct trouble){.where = xstrdup(where)};
	s->trouble_count++;
}

static void drop_trouble(struct store *s, size_t at)
{
	free(s->troubles[at].where);
	free(s->troubles[at].lines);
	s->trouble_count--;
	memmove(&s->troubles[at], &s->troubles[at + 1],
	        (s->trouble_count - at) * sizeof(*s->troubles));
}

/* Its lines as a trouble keeps them. */
static char *lines_of(const char *message, size_t *len)
{
	char *lines = xstrdup(message);

	*len = strlen(message) + 1;
	for (char *end = strchr(lines, '\n'); end; end = strchr(end + 1, '\n'))
		*end = '\0';
	return lines;
}

static bool has_line(const struct trouble *t, const char *line)
{
	for (size_t at = 0; at < t->len; at += strlen(t->lines + at) + 1)
		if (!strcmp(t->lines + at, line))
			return true;
	return false;
}

/* Takes the lines; says those that are new. */
static void replace_lines(struct trouble *t, const char *where, char *lines, size_t len)
{
	for (size_t at = 0; at < len; at += strlen(lines + at) + 1) {
		/* Lines of a file name it, and the line. */
		bool named = !strncmp(lines + at, where, strlen(where));

		if (!has_line(t, lines + at))
			log_warn("watcher", "%s%s%s", named ? "" : where, named ? "" : ": ",
			         lines + at);
	}
	free(t->lines);
	t->lines = lines;
	t->len = len;
	t->since = clock_unix_s();
}

static void clear_error(struct store *s, size_t at)
{
	s->error_changes++;
	settle_poke(s->settle);
	log_info("watcher", "%s: no error any more", s->troubles[at].where);
	drop_trouble(s, at);
}

void store_set_error(struct store *s, const char *where, const char *message)
{
	struct trouble unkept = {0};
	bool found;
	size_t at = find_trouble(s, where, &found), len;
	char *lines;

	if (!message) {
		if (found)
			clear_error(s, at);
		return;
	}
	lines = lines_of(message, &len);
	if (found && s->troubles[at].len == len && !memcmp(s->troubles[at].lines, lines, len)) {
		free(lines);
		return;
	}
	s->error_changes++;
	settle_poke(s->settle);
	if (!found && s->trouble_count == ERRORS_MOST) {
		replace_lines(&unkept, where, lines, len);
		free(unkept.lines);
		return;
	}
	if (!found)
		add_trouble(s, at, where);
	replace_lines(&s->troubles[at], where, lines, len);
}

void store_each_error(const struct store *s, store_on_error_fn *fn, void *arg)
{
	for (size_t i = 0; i < s->trouble_count; i++) {
		const struct trouble *t = &s->troubles[i];

		for (size_t at = 0; at < t->len; at += strlen(t->lines + at) + 1)
			fn(t->where, t->lines + at, t->since, arg);
	}
}

uint64_t store_error_changes(const struct store *s) { return s->error_changes; }
