/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/schedule.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/jsontree.h"
#include "propagator/planner.h"
#include "propagator/schedule_write.h"

/* What it says of one cluster, or of "*": all that it does not name. */
struct wish {
	char *cluster;
	struct planner_preference preference;
};

struct schedule {
	const char *kind;
	int64_t total;
	bool rebalance, asks_selectors;
	struct wish *wishes; /* in the order of names */
	size_t count;
};

static const char *const kinds[] = {"FederatedDeployment", "FederatedReplicaSet"};
static const struct planner_preference even = {.weight = 1};

enum { SHOWN_MOST = 64 }; /* bytes of a stranger's text in an error */

/* --- reading --- */

/* A whole number, where it is there. */
static enum err read_number(struct json_object *object, const char *key, int64_t *out,
                            struct reason *why)
{
	struct json_object *value = jsontree_get(object, key, NULL);

	if (!value)
		return ERR_OK;
	if (!json_object_is_type(value, json_type_int))
		return reason_set(why, ERR_PARSE, "%s: is not a whole number", key);
	*out = json_object_get_int64(value);
	return ERR_OK;
}

static enum err read_flag(struct json_object *spec, const char *key, bool *out, struct reason *why)
{
	struct json_object *value = jsontree_get(spec, key, NULL);

	if (value && !json_object_is_type(value, json_type_boolean))
		return reason_set(why, ERR_PARSE, "spec.%s: is neither true nor false", key);
	*out = jsontree_is_true(value, NULL);
	return ERR_OK;
}

static enum err read_preference(struct json_object *value, struct planner_preference *out,
                                struct reason *why)
{
	enum err err;

	if (value && !json_object_is_type(value, json_type_object))
		return reason_set(why, ERR_PARSE, ": is not a mapping");
	out->has_max = jsontree_get(value, "maxReplicas", NULL) != NULL;
	err = read_number(value, "minReplicas", &out->min, why);
	if (!err)
		err = read_number(value, "maxReplicas", &out->max, why);
	if (!err)
		err = read_number(value, "weight", &out->weight, why);
	if (err)
		reason_prefix(why, ".");
	return err;
}

static int by_cluster(const void *a, const void *b)
{
	return strcmp(((const struct wish *)a)->cluster, ((const struct wish *)b)->cluster);
}

/* spec.clusters; nothing there: all alike. */
static enum err read_wishes(struct schedule *s, struct json_object *clusters, struct reason *why)
{
	if (clusters && !json_object_is_type(clusters, json_type_object))
		return reason_set(why, ERR_PARSE, "spec.clusters: is not a mapping");
	if (clusters && json_object_object_length(clusters) > SCHEDULE_CLUSTERS_MOST)
		return reason_set(why, ERR_RANGE, "spec.clusters: has over %d clusters",
		                  SCHEDULE_CLUSTERS_MOST);
	s->wishes = xcalloc(clusters ? (size_t)json_object_object_length(clusters) : 0,
	                    sizeof(*s->wishes));
	if (!clusters)
		return ERR_OK;
	json_object_object_foreach(clusters, name, value)
	{
		struct wish *w = &s->wishes[s->count++];
		char shown[SHOWN_MOST + 1];
		enum err err = read_preference(value, &w->preference, why);

		w->cluster = xstrdup(name);
		if (err) {
			reason_prefix(why, "spec.clusters[%s]",
			              text_shown(bytes_of(name), shown, sizeof(shown)));
			return err;
		}
	}
	if (s->count > 1)
		qsort(s->wishes, s->count, sizeof(*s->wishes), by_cluster);
	return ERR_OK;
}

static enum err read_kind(struct schedule *s, struct json_object *spec, struct reason *why)
{
	const char *kind = jsontree_word(spec, "targetKind", NULL);
	char shown[SHOWN_MOST + 1];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			s->kind = kinds[i];
	if (s->kind)
		return ERR_OK;
	return reason_set(why, ERR_UNSUPPORTED, "spec.targetKind: '%s' is neither %s nor %s",
	                  text_shown(bytes_of(kind), shown, sizeof(shown)), kinds[0], kinds[1]);
}

static enum err read_total(struct schedule *s, struct json_object *spec, struct reason *why)
{
	enum err err;

	s->total = -1;
	err = read_number(spec, "totalReplicas", &s->total, why);
	if (!err && !jsontree_get(spec, "totalReplicas", NULL))
		err = reason_set(why, ERR_PARSE, "totalReplicas: is missing");
	if (!err && (s->total < 0 || s->total > INT32_MAX))
		err = reason_set(why, ERR_RANGE, "totalReplicas: is not from 0 to %d", INT32_MAX);
	if (err)
		reason_prefix(why, "spec.");
	return err;
}

enum err schedule_decode(struct json_object *preference, struct schedule **out, struct reason *why)
{
	struct json_object *spec = jsontree_get(preference, "spec", NULL);
	struct schedule *s = xcalloc(1, sizeof(*s));
	enum err err = read_kind(s, spec, why);

	if (!err)
		err = read_total(s, spec, why);
	if (!err)
		err = read_flag(spec, "rebalance", &s->rebalance, why);
	if (!err)
		err = read_flag(spec, "intersectWithClusterSelector", &s->asks_selectors, why);
	if (!err)
		err = read_wishes(s, jsontree_get(spec, "clusters", NULL), why);
	if (err) {
		schedule_free(s);
		s = NULL;
	}
	*out = s;
	return err;
}

void schedule_free(struct schedule *s)
{
	for (size_t i = 0; s && i < s->count; i++)
		free(s->wishes[i].cluster);
	if (s)
		free(s->wishes);
	free(s);
}

const char *schedule_target_kind(const struct schedule *s) { return s->kind; }

bool schedule_asks_selectors(const struct schedule *s) { return s->asks_selectors; }

/* --- planning --- */

static int is_wish_of(const void *name, const void *wish)
{
	return strcmp(name, ((const struct wish *)wish)->cluster);
}

static const struct planner_preference *wish_named(const struct schedule *s, const char *name)
{
	const struct wish *w = NULL;

	if (s->count > 0)
		w = bsearch(name, s->wishes, s->count, sizeof(*s->wishes), is_wish_of);
	return w ? &w->preference : NULL;
}

static const struct planner_preference *preference_of(const struct schedule *s, const char *name)
{
	const struct planner_preference *p = wish_named(s, name);

	if (s->count == 0)
		return &even;
	return p ? p : wish_named(s, "*");
}

/* May it be placed, when it is ready? */
static bool may_hold(const struct schedule *s, const struct schedule_cluster *c)
{
	return !s->asks_selectors || c->is_selected;
}

static bool is_candidate(const struct schedule *s, const struct schedule_cluster *c)
{
	return c->is_ready && may_hold(s, c);
}

/* Plans the candidates; how many they are. */
static size_t plan(const struct schedule *s, struct json_object *federated,
                   struct schedule_cluster *clusters, size_t count)
{
	struct planner_cluster *planned = xcalloc(count, sizeof(*planned));
	struct text key = {0};
	size_t with = 0, at = 0;

	for (size_t i = 0; i < count; i++) {
		const struct schedule_cluster *c = &clusters[i];

		if (is_candidate(s, c))
			planned[with++] = (struct planner_cluster){
				.name = c->name,
				.preference = preference_of(s, c->name),
				.current = c->current,
				.capacity = c->capacity,
				.has_current = c->has_current,
				.has_capacity = c->has_current && c->has_capacity,
			};
	}
	text_printf(&key, "%s/%s", jsontree_word(federated, "metadata", "namespace", NULL),
	            jsontree_word(federated, "metadata", "name", NULL));
	planner_plan(planned, with, s->total, s->rebalance, key.data);
	for (size_t i = 0; i < count; i++) {
		struct schedule_cluster *c = &clusters[i];

		c->is_held = !c->is_ready && c->is_placed && may_hold(s, c);
		c->replicas = -1;
		if (is_candidate(s, c)) {
			c->replicas = planned[at].planned + planned[at].overflow;
			at++;
		}
	}
	free(planned);
	text_fini(&key);
	return with;
}

static void sum_up(struct json_object *federated, struct schedule_cluster *clusters, size_t count,
                   struct schedule_result *out)
{
	for (size_t i = 0; i < count; i++) {
		struct schedule_cluster *c = &clusters[i];

		if (c->is_held) {
			c->replicas = schedule_write_override(federated, c->name,
			                                      schedule_write_template(federated));
			if (c->replicas < 0 || c->replicas > INT32_MAX)
				c->replicas = 0;
			out->held += c->replicas;
		} else if (c->replicas >= 0) {
			out->planned += c->replicas;
		}
	}
}

/* Why there are not as many as asked for. */
static void explain(struct schedule_result *r)
{
	struct text note = {0};

	if (r->planned > r->total)
		text_printf(&note,
		            "%lld replicas over totalReplicas, in the place of those that find no "
		            "node",
		            (long long)(r->planned - r->total));
	else if (r->planned < r->total)
		text_printf(&note,
		            "%lld of %lld replicas have no cluster: weight, maxReplicas and room "
		            "leave none",
		            (long long)(r->total - r->planned), (long long)r->total);
	if (r->held > 0)
		text_printf(&note,
		            "%s%lld replicas stay beside them in clusters that are not ready",
		            note.len > 0 ? "; " : "", (long long)r->held);
	if (note.len > 0)
		(void)reason_set(&r->note, ERR_OK, "%s", note.data);
	text_fini(&note);
}

struct schedule_excess schedule_excess(int64_t total, int64_t planned, int64_t held)
{
	struct schedule_excess excess = {0};
	struct text words = {0};

	if (planned + held <= total)
		return excess;
	excess.reason = planned > total ? "PodsFindNoNode" : "ClustersNotReady";
	text_printf(&words,
	            "%lld replicas where totalReplicas is %lld:", (long long)(planned + held),
	            (long long)total);
	if (planned > total)
		text_printf(&words, " %lld in the place of those that find no node%s",
		            (long long)(planned - total), held > 0 ? "," : "");
	if (held > 0)
		text_printf(&words, " %lld in clusters that are not ready", (long long)held);
	(void)reason_set(&excess.message, ERR_OK, "%s", words.data);
	text_fini(&words);
	return excess;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct schedule_cluster *)a)->name,
	              ((const struct schedule_cluster *)b)->name);
}

static enum err write_plan(struct json_object *federated, const struct schedule_cluster *clusters,
                           size_t count, struct schedule_result *out, struct reason *why)
{
	struct schedule_cluster *sorted;
	struct json_object *copy = NULL;
	bool changed = false;
	enum err err;

	if (json_object_deep_copy(federated, &copy, NULL) != 0)
		return reason_set(why, ERR_UNSUPPORTED, "cannot be copied");
	sorted = xmemdup(clusters, count * sizeof(*clusters));
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), by_name);
	err = schedule_write(copy, sorted, count, &changed, why);
	if (!err && changed) {
		out->outcome = SCHEDULE_CHANGED;
		out->federated = copy;
	} else {
		json_object_put(copy);
	}
	free(sorted);
	return err;
}

enum err schedule_apply(const struct schedule *s, struct json_object *federated,
                        struct schedule_cluster *clusters, size_t count, bool has_namespace,
                        struct schedule_result *out, struct reason *why)
{
	enum err err;

	*out = (struct schedule_result){.total = s->total};
	if (!json_object_is_type(federated, json_type_object))
		return reason_set(why, ERR_PARSE, "is not a mapping");
	if (count > SCHEDULE_CLUSTERS_MOST)
		return reason_set(why, ERR_RANGE, "there are over %d clusters",
		                  SCHEDULE_CLUSTERS_MOST);
	if (s->asks_selectors && !has_namespace)
		return reason_set(why, ERR_NOTFOUND,
		                  "there is no FederatedNamespace to ask for its clusterSelector");
	if (plan(s, federated, clusters, count) == 0) {
		out->outcome = SCHEDULE_NO_CLUSTER;
		(void)reason_set(&out->note, ERR_OK, "no cluster is ready%s",
		                 s->asks_selectors ? " and selected" : "");
		return ERR_OK;
	}
	sum_up(federated, clusters, count, out);
	explain(out);
	err = write_plan(federated, clusters, count, out, why);
	if (err)
		*out = (struct schedule_result){.total = s->total};
	return err;
}
