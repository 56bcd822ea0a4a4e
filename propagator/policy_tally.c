/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/policy_tally.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/condition.h"
#include "propagator/jsontree.h"

enum {
	TYPES = 3,
	SAID_MOST = 8, /* different ones of a condition; others only count */
	REASON_SIZE = 128,
	MESSAGE_SIZE = 1024,
	KEY_SIZE = 512
};

enum { ACCEPTED, CONFLICTED, PROGRAMMED };

#define NOT_SEEN "NotSeen"

static const struct {
	const char *name;
	bool good;
} types[TYPES] = {
	[ACCEPTED] = {"Accepted", true},
	[CONFLICTED] = {"Conflicted", false},
	[PROGRAMMED] = {"Programmed", true},
};

/* A status and its reason, as the first one who told them did. */
struct said {
	bool is_true;
	char *reason, *message;
	unsigned by; /* replicas */
};

struct opinion {
	struct said *said;
	size_t count;
	unsigned replicas; /* that say anything */
};

struct entry {
	char *key;
	unsigned heard;     /* the number of the last replica that spoke of it */
	unsigned replicas;  /* so many did */
	int64_t generation; /* the oldest that one of them knows; 0: not known */
	struct opinion of[TYPES];
};

struct policy_tally {
	struct entry *entries; /* in the order of keys */
	size_t count;
	unsigned replicas;
};

/* --- life --- */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

struct policy_tally *policy_tally_new(const char *const *keys, size_t count)
{
	struct policy_tally *t = xcalloc(1, sizeof(*t));

	t->entries = xcalloc(count + 1, sizeof(*t->entries));
	t->count = count;
	for (size_t i = 0; i < count; i++)
		t->entries[i].key = xstrdup(keys[i]);
	qsort(t->entries, count, sizeof(*t->entries), by_key);
	return t;
}

static void free_opinion(struct opinion *o)
{
	for (size_t i = 0; i < o->count; i++) {
		free(o->said[i].reason);
		free(o->said[i].message);
	}
	free(o->said);
}

void policy_tally_free(struct policy_tally *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		for (size_t type = 0; type < TYPES; type++)
			free_opinion(&t->entries[i].of[type]);
		free(t->entries[i].key);
	}
	free(t->entries);
	free(t);
}

unsigned policy_tally_replicas(const struct policy_tally *t) { return t->replicas; }

static int by_entrys_key(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->key);
}

static struct entry *find(const struct policy_tally *t, const char *key)
{
	return bsearch(key, t->entries, t->count, sizeof(*t->entries), by_entrys_key);
}

/* --- what one replica says --- */

static void note(struct opinion *o, bool is_true, const char *reason, const char *message)
{
	char shown_reason[REASON_SIZE], shown_message[MESSAGE_SIZE];

	text_shown(bytes_of(reason), shown_reason, sizeof(shown_reason));
	text_shown(bytes_of(message), shown_message, sizeof(shown_message));
	o->replicas++;
	for (size_t i = 0; i < o->count; i++)
		if (o->said[i].is_true == is_true && strcmp(o->said[i].reason, shown_reason) == 0) {
			o->said[i].by++;
			return;
		}
	if (o->count == SAID_MOST)
		return;
	o->said = xreallocarray(o->said, o->count + 1, sizeof(*o->said));
	o->said[o->count++] =
		(struct said){is_true, xstrdup(shown_reason), xstrdup(shown_message), 1};
}

static void note_condition(struct entry *e, unsigned type, struct json_object *condition)
{
	const char *status = jsontree_word(condition, "status", NULL);
	const char *reason = jsontree_word(condition, "reason", NULL);

	if (strcmp(status, "True") == 0 || strcmp(status, "False") == 0)
		note(&e->of[type], strcmp(status, "True") == 0, *reason ? reason : types[type].name,
		     jsontree_word(condition, "message", NULL));
}

/* False: the replica has spoken of it already. */
static bool speak(const struct policy_tally *t, struct entry *e)
{
	if (e->heard == t->replicas)
		return false;
	e->heard = t->replicas;
	e->replicas++;
	return true;
}

static void note_policy(struct policy_tally *t, struct json_object *policy)
{
	const char *namespace = jsontree_word(policy, "namespace", NULL);
	const char *name = jsontree_word(policy, "name", NULL);
	int64_t generation = jsontree_int(policy, 0, "generation", NULL);
	struct text key = {0};
	struct entry *e;

	text_printf(&key, "%s/%s", namespace, name);
	e = find(t, key.data);
	text_fini(&key);
	if (!e || !speak(t, e))
		return;
	if (e->replicas == 1 || generation < e->generation)
		e->generation = generation > 0 ? generation : 0;
	for (unsigned type = 0; type < TYPES; type++)
		note_condition(e, type, condition_in(policy, types[type].name));
}

/* "host: TrafficPolicy shop/web", or a file's name before and more behind it. */
static struct entry *find_named(const struct policy_tally *t, const char *text)
{
	static const char kind[] = "TrafficPolicy ";
	const char *at = strstr(text, kind);
	char key[KEY_SIZE];
	size_t len;

	if (!at)
		return NULL;
	at += sizeof(kind) - 1;
	len = strcspn(at, " :,");
	if (len >= sizeof(key))
		return NULL;
	memcpy(key, at, len);
	key[len] = '\0';
	return find(t, key);
}

/* A replica that never had a good state of a policy has no conditions of it, only the error. */
static void note_error(struct policy_tally *t, struct json_object *error)
{
	const char *message = jsontree_word(error, "message", NULL);
	struct entry *e = find_named(t, jsontree_word(error, "where", NULL));

	if (!e)
		e = find_named(t, message);
	if (!e || !speak(t, e))
		return;
	e->generation = 0;
	note(&e->of[ACCEPTED], false, "Invalid", message);
	note(&e->of[PROGRAMMED], false, "Invalid", "there is no earlier state of it to go by");
}

enum err policy_tally_add(struct policy_tally *t, struct json_object *said, struct reason *why)
{
	struct json_object *policies = jsontree_get(said, "policies", NULL);
	struct json_object *errors = jsontree_get(said, "errors", NULL);

	if (!json_object_is_type(policies, json_type_array) ||
	    !json_object_is_type(jsontree_get(said, "ready", NULL), json_type_boolean))
		return reason_set(why, ERR_PARSE, "that is no /status of a nighd");
	if (!jsontree_is_true(said, "ready", NULL))
		return reason_set(why, ERR_UNREACHABLE, "it has not read everything yet");
	t->replicas++;
	for (size_t i = 0; i < jsontree_count(policies); i++)
		note_policy(t, jsontree_item(policies, i));
	for (size_t i = 0; i < jsontree_count(errors); i++)
		note_error(t, jsontree_item(errors, i));
	return ERR_OK;
}

/* --- what is to stand there --- */

struct wish {
	const char *type, *status, *reason;
	struct text message;
	int64_t generation; /* 0: not said */
};

static bool is_before(const struct said *a, const struct said *b, bool good)
{
	if (a->is_true != b->is_true)
		return a->is_true != good;
	if (a->by != b->by)
		return a->by > b->by;
	return strcmp(a->reason, b->reason) < 0;
}

/* NULL: nobody says anything of it. */
static const struct said *worst_of(const struct opinion *o, bool good)
{
	const struct said *is = o->said;

	for (size_t i = 1; i < o->count; i++)
		if (is_before(&o->said[i], is, good))
			is = &o->said[i];
	return is;
}

static struct wish wish_of(const struct said *is, unsigned replicas)
{
	struct wish w = {.status = is->is_true ? "True" : "False", .reason = is->reason};

	text_add(&w.message, is->message);
	if (is->by < replicas)
		text_printf(&w.message, "%s%u of %u replicas of nighd say so%s",
		            *is->message ? " (" : "", is->by, replicas, *is->message ? ")" : "");
	return w;
}

/* Where it is not known it is not in force. */
static struct wish wish_to_be_seen(unsigned missing, unsigned replicas)
{
	struct wish w = {.status = "False", .reason = NOT_SEEN};

	text_printf(&w.message, "%u of %u replicas of nighd do not know it", missing, replicas);
	return w;
}

/* False: nobody says anything of it. */
static bool find_wish(const struct policy_tally *t, const struct entry *e, unsigned type,
                      struct wish *out)
{
	const struct opinion *o = &e->of[type];
	const struct said *is = worst_of(o, types[type].good);
	const struct said not_seen = {.reason = (char[]){NOT_SEEN},
	                              .by = t->replicas - e->replicas};

	if (type == PROGRAMMED && not_seen.by > 0 && (!is || is_before(&not_seen, is, true))) {
		*out = wish_to_be_seen(not_seen.by, t->replicas);
	} else if (is) {
		*out = wish_of(is, type == PROGRAMMED ? o->replicas + not_seen.by : o->replicas);
		/* That it is not accepted is said of a newer state than the one which is in force. */
		out->generation = type == ACCEPTED && !is->is_true ? 0 : e->generation;
	}
	out->type = types[type].name;
	return is || (type == PROGRAMMED && not_seen.by > 0);
}

static bool is_met(const struct wish *w, struct json_object *have)
{
	return strcmp(jsontree_word(have, "status", NULL), w->status) == 0 &&
	       strcmp(jsontree_word(have, "reason", NULL), w->reason) == 0 &&
	       strcmp(jsontree_word(have, "message", NULL), w->message.data) == 0 &&
	       jsontree_int(have, 0, "observedGeneration", NULL) == w->generation &&
	       *jsontree_word(have, "lastTransitionTime", NULL);
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *print(const struct wish *w, struct json_object *have, int64_t now_s)
{
	struct json_object *condition = json_object_new_object();
	const char *since = jsontree_word(have, "lastTransitionTime", NULL);
	char now[CLOCK_TEXT_SIZE];

	if (!*since || strcmp(jsontree_word(have, "status", NULL), w->status) != 0)
		since = clock_print(now_s, now);
	add_text(condition, "type", w->type);
	add_text(condition, "status", w->status);
	add_text(condition, "reason", w->reason);
	add_text(condition, "message", w->message.data);
	add_text(condition, "lastTransitionTime", since);
	if (w->generation > 0)
		json_object_object_add(condition, "observedGeneration",
		                       json_object_new_int64(w->generation));
	return condition;
}

/* Is it so already? */
static bool add_wish(const struct wish *w, struct json_object *have, int64_t now_s,
                     struct json_object *list)
{
	json_object_array_add(list, print(w, have, now_s));
	return is_met(w, have);
}

struct json_object *policy_tally_status(const struct policy_tally *t, const char *key,
                                        struct json_object *have, int64_t now_s)
{
	const struct entry *e = find(t, key);
	int64_t before = jsontree_int(have, 0, "observedGeneration", NULL);
	int64_t generation = e && e->replicas > 0 ? e->generation : before;
	struct json_object *status, *list;
	bool met = generation == before;

	if (!e || t->replicas == 0)
		return NULL;
	status = json_object_new_object();
	list = json_object_new_array();
	if (generation > 0)
		json_object_object_add(status, "observedGeneration",
		                       json_object_new_int64(generation));
	json_object_object_add(status, "conditions", list);
	for (unsigned type = 0; type < TYPES; type++) {
		struct json_object *is = condition_in(have, types[type].name);
		struct wish wish = {0};

		if (find_wish(t, e, type, &wish))
			met &= add_wish(&wish, is, now_s, list);
		else if (is) /* nobody says anything of it: it stays */
			json_object_array_add(list, json_object_get(is));
		text_fini(&wish.message);
	}
	if (!met)
		return status;
	json_object_put(status);
	return NULL;
}
