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
#include "kube/object.h"
#include "propagator/cache.h"
#include "propagator/field_manager.h"
#include "propagator/jsontree.h"
#include "propagator/pause.h"
#include "propagator/plain_json.h"
#include "propagator/policy_tally.h"

enum {
	EVERY_MS = 15000,
	SOON_MS = 1000, /* after a change, which nighd is to see before; doubled with each round */
	/* Others write to the host, too, 64 at once all together, and who hangs does so for DEADLINE_MS. */
	FRESH_AT_ONCE = 24,
	AGAIN_AT_ONCE = 8, /* of policies whose status could not be written last */
	DEADLINE_MS = 10000,
	PAUSE_FIRST_MS = 1000, /* after a failure, doubled with each */
	PAUSE_MOST_MS = 300000
};

static const struct kube_resource resource = {"nigh.dev", "v1alpha1", "trafficpolicies",
                                              "TrafficPolicy"};

/* What is kept of an object. */
struct policy {
	char *uid;
	int64_t generation;
	struct json_object *status; /* NULL: none */
	bool is_under_way;          /* its status is being written */
	unsigned failures;          /* to write it, in a row */
	uint64_t again_ms;          /* not before; 0: at once */
};

/* Policies that are written side by side, so many at once: each has its turn, and the next round goes on where the last one
 * ended.  Those that fail are a share of their own, and take no place of the others. */
struct share {
	bool is_again; /* of those that failed last */
	unsigned most, under_way;
	size_t at,
		left; /* of the policies: whose turn it is; how many there are still to be looked at in this round */
};
enum { SHARES = 2 };

struct write {
	struct policy_writer *writer;
	struct share *share;
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
	bool is_asking;
	struct policy_tally *tally; /* of the round that is under way, or was last; NULL: of none */
	struct share shares[SHARES];
	bool is_failing; /* a status that differs could not be written, in this round or the last */
	struct write *writes; /* under way */
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

/* How it ended is kept with the policy, if that is still there. */
static void note_end(const struct write *write, bool is_good)
{
	struct policy *p = cache_find(write->writer->policies, write->key);

	if (!p)
		return;
	p->is_under_way = false;
	p->failures = is_good ? 0 : p->failures + 1;
	p->again_ms = is_good ? 0
	                      : clock_monotonic_ms() + pause_doubled(PAUSE_FIRST_MS, PAUSE_MOST_MS,
	                                                             p->failures - 1);
}

static void note_trouble(const struct write *write, const struct kube_answer *answer)
{
	struct policy_writer *w = write->writer;
	struct text where = {0};

	text_printf(&where, "TrafficPolicy %s", write->key);
	if (!kube_answer_is_good(answer)) {
		w->is_failing = true;
		begin_trouble(&w->writing, where.data, answer->why);
	} else if (w->writing.where.len > 0 && strcmp(w->writing.where.data, where.data) == 0) {
		end_trouble(&w->writing);
	}
	text_fini(&where);
}

static void write_more(struct policy_writer *w);

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct write *write = arg;
	struct policy_writer *w = write->writer;

	write->share->under_way--;
	note_end(write, kube_answer_is_good(answer));
	if (answer->status != 404 && answer->status != 409) /* gone, or another by now */
		note_trouble(write, answer);
	end_write(write);
	write_more(w);
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

static void start_write(struct policy_writer *w, struct share *share, const char *key,
                        const struct kube_write *apply)
{
	struct write *write = xcalloc(1, sizeof(*write) + strlen(key) + 1);

	memcpy(write->key, key, strlen(key) + 1);
	write->writer = w;
	write->share = share;
	share->under_way++;
	write->next = w->writes;
	if (w->writes)
		w->writes->before = write;
	w->writes = write;
	write->job = dispatch_add(w->settings.dispatch, apply, on_written, write);
	w->counts.writes++;
}

/* Takes `status`. */
static void write_status(struct policy_writer *w, struct share *share, const char *key,
                         struct policy *p, struct json_object *status)
{
	struct bytes in, of;
	struct json_object *body;
	char *namespace, *name;
	struct kube_write apply = {.verb = KUBE_APPLY,
	                           .resource = resource,
	                           .subresource = "status",
	                           .field_manager = FIELD_MANAGER,
	                           .force = true,
	                           .deadline_ms = DEADLINE_MS};

	p->is_under_way = true;
	cache_split_key(key, &in, &of);
	apply.namespace = namespace = text_copy(in);
	apply.name = name = text_copy(of);
	body = body_of(namespace, name, p->uid, status);
	apply.body = bytes_of(json_object_to_json_string_ext(body, PLAIN_JSON));
	start_write(w, share, key, &apply);
	json_object_put(body);
	free(namespace);
	free(name);
}

static struct policy *next_of(const struct policy_writer *w, struct share *share, const char **key)
{
	struct policy *p = NULL;

	if (share->left > 0)
		p = cache_next(w->policies, &share->at, key);
	if (share->left > 0 && !p) {
		share->at = 0;
		p = cache_next(w->policies, &share->at, key);
	}
	share->left = p ? share->left - 1 : 0;
	return p;
}

static void look_at(struct policy_writer *w, struct share *share, const char *key, struct policy *p)
{
	struct json_object *status;

	if ((p->failures > 0) != share->is_again || p->is_under_way)
		return;
	status = policy_tally_status(w->tally, key, p->status, clock_unix_s());
	w->is_failing |= status && share->is_again;
	if (!status)
		p->failures = 0;
	else if (clock_monotonic_ms() >= p->again_ms)
		write_status(w, share, key, p, status);
	else
		json_object_put(status);
}

static void write_more_of(struct policy_writer *w, struct share *share)
{
	struct policy *p;
	const char *key;

	while (share->under_way < share->most && (p = next_of(w, share, &key)) != NULL)
		look_at(w, share, key, p);
}

/* As the round has found it; nothing while another is asking. */
static void write_more(struct policy_writer *w)
{
	if (!w->tally || w->is_asking)
		return;
	for (size_t i = 0; i < SHARES; i++)
		write_more_of(w, &w->shares[i]);
	/* What could not be written may be gone, or right by now. */
	if (!w->is_failing && w->shares[1].left == 0 && w->shares[1].under_way == 0)
		end_trouble(&w->writing);
}

static void write_all(struct policy_writer *w)
{
	w->is_failing = false;
	for (size_t i = 0; i < SHARES; i++)
		w->shares[i].left = cache_count(w->policies);
	write_more(w);
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

	w->is_asking = false;
	w->counts.rounds++;
	w->counts.replicas = policy_tally_replicas(w->tally);
	if (w->counts.replicas > 0) {
		end_trouble(&w->reading);
		write_all(w);
	} else {
		begin_trouble(&w->reading, "conditions of TrafficPolicies, from nighd",
		              w->first_why.len > 0 ? w->first_why.data : "nobody was asked");
	}
	text_reset(&w->first_why);
	plan_next(w);
}

static void begin_round(struct policy_writer *w)
{
	size_t count = 0;
	const char **keys = xcalloc(cache_count(w->policies), sizeof(*keys)), *key;

	for (size_t i = 0; cache_next(w->policies, &i, &key) != NULL;)
		keys[count++] = key;
	policy_tally_free(w->tally);
	w->tally = policy_tally_new(keys, count);
	free(keys);
	for (size_t i = 0; i < SHARES; i++)
		w->shares[i].left = 0;
	w->is_asking = true;
	nighds_ask(w->nighds);
}

static void on_due(uv_timer_t *timer)
{
	struct policy_writer *w = timer->data;

	w->due_ms = 0;
	if (is_idle(w))
		return;
	if (w->is_asking)
		ask_within(w, SOON_MS);
	else
		begin_round(w);
}

/* --- what the cache tells --- */

/* What is known of its writes, of the same generation of it: who has changed it may have made it right. */
static void remember(const struct policy_writer *w, struct json_object *object, struct policy *p)
{
	const struct policy *was;
	struct text key = {0};

	cache_print_key(&key, object_text(object, "metadata", "namespace", NULL),
	                object_text(object, "metadata", "name", NULL));
	was = w->policies ? cache_find(w->policies, key.data) : NULL;
	text_fini(&key);
	if (!was)
		return;
	p->is_under_way = was->is_under_way;
	if (was->generation != p->generation)
		return;
	p->failures = was->failures;
	p->again_ms = was->again_ms;
}

static void *keep(struct json_object *object, void *arg)
{
	struct policy *p = xcalloc(1, sizeof(*p));

	p->uid = xstrdup(jsontree_word(object, "metadata", "uid", NULL));
	p->generation = jsontree_int(object, 0, "metadata", "generation", NULL);
	p->status = json_object_get(jsontree_get(object, "status", NULL));
	remember(arg, object, p);
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
	w->shares[0] = (struct share){.most = FRESH_AT_ONCE};
	w->shares[1] = (struct share){.is_again = true, .most = AGAIN_AT_ONCE};
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
