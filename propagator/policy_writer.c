/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/policy_writer.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/cache.h"
#include "propagator/field_manager.h"
#include "propagator/jsontree.h"
#include "propagator/plain_json.h"
#include "propagator/policy_tally.h"

enum {
	EVERY_MS = 15000,
	SOON_MS = 1000, /* after a change, which nighd is to see before; doubled with each round */
	WRITES_AT_ONCE = 256 /* in a round: others write to the host, too */
};

static const struct kube_resource resource = {"nigh.dev", "v1alpha1", "trafficpolicies",
                                              "TrafficPolicy"};

/* What is kept of an object. */
struct policy {
	char *uid;
	int64_t generation;
	struct json_object *status; /* NULL: none */
};

struct write {
	struct policy_writer *writer;
	struct dispatch_job *job;
	struct write *next, *before;
	char key[];
};

/* What is wrong; "": nothing is. */
struct trouble {
	struct text where, why;
	int64_t since;
};

struct policy_writer {
	struct policy_writer_settings settings;
	struct cache *policies;
	struct nighds *nighds;
	struct policy_tally *tally; /* of the round that is under way; NULL: none is */
	struct write *writes;       /* under way */
	uv_timer_t *timer;
	uint64_t due_ms;  /* the next round; 0: none is planned */
	uint64_t soon_ms; /* how soon, while a status is of another generation */
	struct text first_why;
	struct trouble reading, writing;
	struct policy_writer_counts counts;
};

/* --- what is wrong --- */

static void end_trouble(struct trouble *t)
{
	text_reset(&t->where);
	text_reset(&t->why);
}

/* Told once, and again only when it was over meanwhile. */
static void begin_trouble(struct trouble *t, const char *where, const char *why)
{
	if (t->why.len == 0) {
		t->since = clock_unix_s();
		log_warn("propagator", "%s: %s", where, why);
	}
	end_trouble(t);
	text_add(&t->where, where);
	text_add(&t->why, why);
}

static void fini_trouble(struct trouble *t)
{
	text_fini(&t->where);
	text_fini(&t->why);
}

/* --- when to ask --- */

static void on_due(uv_timer_t *timer);

static void ask_within(struct policy_writer *w, uint64_t ms)
{
	uint64_t due_ms = clock_monotonic_ms() + ms;

	if (w->due_ms != 0 && w->due_ms <= due_ms)
		return;
	w->due_ms = due_ms;
	uv_timer_start(w->timer, on_due, ms, 0);
}

static bool is_stale(const struct policy *p)
{
	return jsontree_int(p->status, 0, "observedGeneration", NULL) != p->generation;
}

static bool any_is_stale(const struct policy_writer *w)
{
	const struct policy *p;
	const char *key;

	for (size_t i = 0; (p = cache_next(w->policies, &i, &key)) != NULL;)
		if (is_stale(p))
			return true;
	return false;
}

/* Without policies nothing is asked, and nothing is wrong. */
static bool is_idle(struct policy_writer *w)
{
	if (cache_count(w->policies) > 0)
		return false;
	end_trouble(&w->reading);
	end_trouble(&w->writing);
	return true;
}

static void plan_next(struct policy_writer *w)
{
	if (is_idle(w))
		return;
	ask_within(w, any_is_stale(w) ? w->soon_ms : w->settings.every_ms);
	w->soon_ms *= 2;
	if (w->soon_ms > w->settings.every_ms)
		w->soon_ms = w->settings.every_ms;
}

/* --- writing --- */

static void end_write(struct write *write)
{
	if (write->before)
		write->before->next = write->next;
	else
		write->writer->writes = write->next;
	if (write->next)
		write->next->before = write->before;
	free(write);
}

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct write *write = arg;
	struct policy_writer *w = write->writer;
	struct text where = {0};

	text_printf(&where, "TrafficPolicy %s", write->key);
	if (kube_answer_is_good(answer))
		end_trouble(&w->writing);
	else if (answer->status != 404 && answer->status != 409) /* gone, or another by now */
		begin_trouble(&w->writing, where.data, answer->why);
	text_fini(&where);
	end_write(write);
}

/* As much of the object as server-side apply needs; its uid, so that it is no other.  Takes `status`. */
static struct json_object *body_of(const char *namespace, const char *name, const char *uid,
                                   struct json_object *status)
{
	struct json_object *body = json_object_new_object();

	jsontree_set(body, json_object_new_string("nigh.dev/v1alpha1"), "apiVersion", NULL);
	jsontree_set(body, json_object_new_string(resource.kind), "kind", NULL);
	jsontree_set(body, json_object_new_string(name), "metadata", "name", NULL);
	jsontree_set(body, json_object_new_string(namespace), "metadata", "namespace", NULL);
	if (*uid)
		jsontree_set(body, json_object_new_string(uid), "metadata", "uid", NULL);
	jsontree_set(body, status, "status", NULL);
	return body;
}

static void start_write(struct policy_writer *w, const char *key, const struct kube_write *apply)
{
	struct write *write = xcalloc(1, sizeof(*write) + strlen(key) + 1);

	memcpy(write->key, key, strlen(key) + 1);
	write->writer = w;
	write->next = w->writes;
	if (w->writes)
		w->writes->before = write;
	w->writes = write;
	write->job = dispatch_add(w->settings.dispatch, apply, on_written, write);
	w->counts.writes++;
}

/* Takes `status`. */
static void write_status(struct policy_writer *w, const char *key, const struct policy *p,
                         struct json_object *status)
{
	struct bytes in, of;
	struct json_object *body;
	char *namespace, *name;
	struct kube_write apply = {.verb = KUBE_APPLY,
	                           .resource = resource,
	                           .subresource = "status",
	                           .field_manager = FIELD_MANAGER,
	                           .force = true};

	cache_split_key(key, &in, &of);
	apply.namespace = namespace = text_copy(in);
	apply.name = name = text_copy(of);
	body = body_of(namespace, name, p->uid, status);
	apply.body = bytes_of(json_object_to_json_string_ext(body, PLAIN_JSON));
	start_write(w, key, &apply);
	json_object_put(body);
	free(namespace);
	free(name);
}

/* False: there are more than a round may have. */
static bool write_all(struct policy_writer *w)
{
	const struct policy *p;
	const char *key;
	unsigned count = 0;

	for (size_t i = 0; (p = cache_next(w->policies, &i, &key)) != NULL;) {
		struct json_object *status =
			policy_tally_status(w->tally, key, p->status, clock_unix_s());

		if (!status)
			continue;
		write_status(w, key, p, status);
		if (++count == WRITES_AT_ONCE)
			return false;
	}
	/* What could not be written may be gone, or right by now. */
	if (count == 0)
		end_trouble(&w->writing);
	return true;
}

/* --- a round --- */

static void on_silent(const char *name, const char *why, void *arg)
{
	struct policy_writer *w = arg;

	if (w->first_why.len == 0)
		text_printf(&w->first_why, "%s%s%s", name, *name ? ": " : "", why);
}

static void on_said(const char *name, struct json_object *status, void *arg)
{
	struct policy_writer *w = arg;
	struct reason why = {0};

	if (policy_tally_add(w->tally, status, &why) != ERR_OK)
		on_silent(name, why.text, w);
}

static void on_done(void *arg)
{
	struct policy_writer *w = arg;
	bool all = true;

	w->counts.rounds++;
	w->counts.replicas = policy_tally_replicas(w->tally);
	if (w->counts.replicas > 0) {
		end_trouble(&w->reading);
		all = write_all(w);
	} else {
		begin_trouble(&w->reading, "conditions of TrafficPolicies, from nighd",
		              w->first_why.len > 0 ? w->first_why.data : "nobody was asked");
	}
	text_reset(&w->first_why);
	policy_tally_free(w->tally);
	w->tally = NULL;
	if (!all)
		ask_within(w, SOON_MS);
	plan_next(w);
}

static void begin_round(struct policy_writer *w)
{
	size_t count = 0;
	const char **keys = xcalloc(cache_count(w->policies), sizeof(*keys)), *key;

	for (size_t i = 0; cache_next(w->policies, &i, &key) != NULL;)
		keys[count++] = key;
	w->tally = policy_tally_new(keys, count);
	free(keys);
	nighds_ask(w->nighds);
}

static void on_due(uv_timer_t *timer)
{
	struct policy_writer *w = timer->data;

	w->due_ms = 0;
	if (is_idle(w))
		return;
	if (w->tally || w->writes)
		ask_within(w, SOON_MS);
	else
		begin_round(w);
}

/* --- what the cache tells --- */

static void *keep(struct json_object *object, void *arg)
{
	struct policy *p = xcalloc(1, sizeof(*p));

	(void)arg;
	p->uid = xstrdup(jsontree_word(object, "metadata", "uid", NULL));
	p->generation = jsontree_int(object, 0, "metadata", "generation", NULL);
	p->status = json_object_get(jsontree_get(object, "status", NULL));
	return p;
}

static void let_go(void *value)
{
	struct policy *p = value;

	free(p->uid);
	json_object_put(p->status);
	free(p);
}

static void on_policy(const char *key, void *arg)
{
	struct policy_writer *w = arg;
	const struct policy *p = cache_find(w->policies, key);

	if (p && is_stale(p)) {
		w->soon_ms = SOON_MS;
		ask_within(w, SOON_MS);
	} else if (p) {
		ask_within(w, w->counts.rounds == 0 ? SOON_MS : w->settings.every_ms);
	}
}

static void on_sight(void *arg)
{
	const struct policy_writer *w = arg;
	enum kube_sight sight;
	const char *why;

	if (w->policies && !cache_is_seen(w->policies, &sight, &why) && sight != KUBE_ABSENT)
		log_warn("propagator", "TrafficPolicies cannot be seen: %s", why);
}

/* --- life --- */

static struct cache *start_cache(struct policy_writer *w)
{
	const struct cache_settings settings = {
		.watch = {.resource = resource,
	                  .namespace = w->settings.namespace,
	                  .silence_ms = 90000,
	                  .reply_ms = 30000,
	                  .object_most = 4 << 20,
	                  .objects_most = 100000},
		.keep = keep,
		.let_go = let_go,
		.on_change = on_policy,
		.on_sight = on_sight,
		.arg = w,
	};

	return cache_start(w->settings.loop, w->settings.host, w->settings.backoff, &settings);
}

struct policy_writer *policy_writer_start(const struct policy_writer_settings *settings)
{
	struct policy_writer *w = xcalloc(1, sizeof(*w));
	const struct nighds_settings asked = {settings->loop, settings->host,
	                                      settings->pods_namespace, settings->urls};
	const struct nighds_events events = {on_said, on_silent, on_done, w};

	w->settings = *settings;
	if (w->settings.every_ms == 0)
		w->settings.every_ms = EVERY_MS;
	w->soon_ms = SOON_MS;
	w->timer = xcalloc(1, sizeof(*w->timer));
	CHECK(uv_timer_init(settings->loop, w->timer) == 0);
	w->timer->data = w;
	w->nighds = nighds_start(&asked, &events);
	w->policies = start_cache(w);
	return w;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void policy_writer_stop(struct policy_writer *w)
{
	while (w->writes) {
		dispatch_cancel(w->writes->job);
		end_write(w->writes);
	}
	nighds_stop(w->nighds);
	cache_stop(w->policies);
	policy_tally_free(w->tally);
	text_fini(&w->first_why);
	fini_trouble(&w->reading);
	fini_trouble(&w->writing);
	uv_close((uv_handle_t *)w->timer, on_closed);
	free(w);
}

/* --- to look at --- */

struct policy_writer_counts policy_writer_counts(const struct policy_writer *w)
{
	struct policy_writer_counts counts = w->counts;

	counts.policies = cache_count(w->policies);
	return counts;
}

void policy_writer_each_error(const struct policy_writer *w, policy_writer_on_error_fn *fn,
                              void *arg)
{
	if (w->reading.why.len > 0)
		fn(w->reading.where.data, w->reading.why.data, w->reading.since, arg);
	if (w->writing.why.len > 0)
		fn(w->writing.where.data, w->writing.why.data, w->writing.since, arg);
}
