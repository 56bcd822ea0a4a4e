/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/types.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "propagator/cache.h"
#include "propagator/field_manager.h"
#include "propagator/pause.h"
#include "propagator/plain_json.h"

enum { TICK_MS = 500, AGAIN_FIRST_MS = 1000, AGAIN_MOST_MS = 60000 };

#define NAMESPACES "namespaces"
#define FINALIZER  "core.kubefed.io/federated-type-config"

/* A FederatedTypeConfig as it was told. */
struct told {
	struct type type;
	bool is_good;
	struct reason why;
	int64_t generation;
	uint64_t definition; /* hash of its annotation TYPE_DEFINITION */
	bool is_deleting;
	struct json_object *status;     /* as stored; NULL: none */
	struct json_object *finalizers; /* NULL: none */
};

struct one {
	struct types *all;
	char *name;
	struct controller *controller; /* NULL: it does not run */
	bool is_passive;
	int64_t generation;  /* of the config that it runs by */
	uint64_t definition; /* of the federated kind then */
	struct reason why;
	struct dispatch_job *writing;
	unsigned failures; /* of writes, in a row */
	uint64_t again_ms; /* the next is tried then; 0: none is held back */
	struct one *next;
};

struct types {
	struct controller_around around;
	struct cache *configs;
	bool is_settled;  /* all of them have been told once */
	uv_timer_t *tick; /* runs while a write is to be tried again */
	struct one *list;
};

static const struct kube_resource configs = {"core.kubefed.io", "v1beta1", "federatedtypeconfigs",
                                             "FederatedTypeConfig"};

/* --- what is configured --- */

static struct json_object *finalizer_list(struct json_object *object)
{
	struct json_object *metadata, *list;

	if (!json_object_object_get_ex(object, "metadata", &metadata) ||
	    !json_object_object_get_ex(metadata, "finalizers", &list) ||
	    !json_object_is_type(list, json_type_array))
		return NULL;
	return json_object_get(list);
}

/* NULL: it is not in it. */
static struct json_object *finalizer_list_without(struct json_object *list, const char *name)
{
	struct json_object *out = json_object_new_array();
	size_t count = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *text = json_object_get_string(item);

		if (!text || strcmp(text, name) != 0)
			json_object_array_add(out, json_object_get(item));
	}
	if (json_object_array_length(out) < count)
		return out;
	json_object_put(out);
	return NULL;
}

static void *keep(struct json_object *object, void *arg)
{
	struct told *t = xcalloc(1, sizeof(*t));
	struct json_object *metadata, *status = NULL;

	(void)arg;
	t->is_good = type_read(object, &t->type, &t->why) == ERR_OK;
	if (json_object_object_get_ex(object, "metadata", &metadata))
		t->generation = object_number(metadata, "generation", 0);
	t->definition =
		hash_fixed(object_text(object, "metadata", "annotations", TYPE_DEFINITION, NULL));
	t->is_deleting = object_text(object, "metadata", "deletionTimestamp", NULL).len > 0;
	t->finalizers = finalizer_list(object);
	json_object_object_get_ex(object, "status", &status);
	t->status = json_object_get(status);
	return t;
}

static void let_go(void *value)
{
	struct told *t = value;

	type_fini(&t->type);
	json_object_put(t->status);
	json_object_put(t->finalizers);
	free(t);
}

static struct told *find_told(const struct types *t, const char *name)
{
	struct text key = {0};
	struct told *told;

	cache_print_key(&key, bytes_of(t->around.namespace), bytes_of(name));
	told = cache_find(t->configs, key.data);
	text_fini(&key);
	return told;
}

static struct one *find(const struct types *t, const char *name)
{
	struct one *o = t->list;

	while (o && strcmp(o->name, name) != 0)
		o = o->next;
	return o;
}

static void stop(struct one *o)
{
	if (o->controller)
		controller_stop(o->controller);
	o->controller = NULL;
}

/* It is configured no more. */
static void forget(struct one *o)
{
	struct one **at = &o->all->list;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	stop(o);
	dispatch_cancel(o->writing);
	free(o->name);
	free(o);
}

static struct one *need(struct types *t, const char *name)
{
	struct one *o = find(t, name);

	if (o)
		return o;
	o = xcalloc(1, sizeof(*o));
	o->all = t;
	o->name = xstrdup(name);
	o->next = t->list;
	t->list = o;
	return o;
}

/* --- its status --- */

static void on_tick(uv_timer_t *timer);

/* No event need come of it: nothing has changed. */
static void try_again(struct one *o)
{
	o->again_ms =
		clock_monotonic_ms() + pause_doubled(AGAIN_FIRST_MS, AGAIN_MOST_MS, o->failures++);
	uv_timer_start(o->all->tick, on_tick, TICK_MS, TICK_MS);
}

static void on_written(const struct kube_answer *answer, void *arg)
{
	struct one *o = arg;

	o->writing = NULL;
	o->again_ms = 0;
	if (kube_answer_is_good(answer)) {
		o->failures = 0;
		return;
	}
	log_warn("propagator", "FederatedTypeConfig %s: its status cannot be written: %s", o->name,
	         answer->why);
	try_again(o);
}

/* What a controller is said to do. */
static const char *word(bool runs) { return runs ? "Running" : "NotRunning"; }

static bool says(struct json_object *status, const char *controller, bool runs)
{
	return bytes_equal_text(object_text(status, controller, NULL), word(runs));
}

/* What only tells where namespaces are placed does not run. */
static bool runs(const struct one *o) { return o->controller && !o->is_passive; }

static bool keeps_statuses(const struct one *o)
{
	return o->controller &&
	       controller_keeps_statuses(controller_type(o->controller), o->all->around.settings);
}

static void tell(struct one *o, const struct told *told)
{
	struct json_object *patch, *status;
	struct kube_write write = {
		.verb = KUBE_MERGE_PATCH,
		.resource = configs,
		.namespace = o->all->around.namespace,
		.name = o->name,
		.subresource = "status",
		.field_manager = FIELD_MANAGER,
	};

	if (o->writing ||
	    (says(told->status, "propagationController", runs(o)) &&
	     says(told->status, "statusController", keeps_statuses(o)) &&
	     object_number(told->status, "observedGeneration", -1) == told->generation))
		return;
	patch = json_object_new_object();
	status = json_object_new_object();
	json_object_object_add(status, "observedGeneration",
	                       json_object_new_int64(told->generation));
	json_object_object_add(status, "propagationController",
	                       json_object_new_string(word(runs(o))));
	json_object_object_add(status, "statusController",
	                       json_object_new_string(word(keeps_statuses(o))));
	json_object_object_add(patch, "status", status);
	write.body = bytes_of(json_object_to_json_string_ext(patch, PLAIN_JSON));
	o->writing = dispatch_add(o->all->around.dispatch, &write, on_written, o);
	json_object_put(patch);
}

/* --- the finalizer --- */

/* KubeFed's, of a config that is being deleted: nobody else would take it away. */
static void release(struct one *o, const struct told *told)
{
	struct json_object *patch, *metadata,
		*kept = finalizer_list_without(told->finalizers, FINALIZER);
	struct kube_write write = {
		.verb = KUBE_MERGE_PATCH,
		.resource = configs,
		.namespace = o->all->around.namespace,
		.name = o->name,
		.field_manager = FIELD_MANAGER,
	};

	if (!kept || o->writing) {
		json_object_put(kept);
		return;
	}
	patch = json_object_new_object();
	metadata = json_object_new_object();
	json_object_object_add(metadata, "finalizers", kept);
	json_object_object_add(patch, "metadata", metadata);
	write.body = bytes_of(json_object_to_json_string_ext(patch, PLAIN_JSON));
	o->writing = dispatch_add(o->all->around.dispatch, &write, on_written, o);
	json_object_put(patch);
}

/* --- which run --- */

static bool is_configured(const struct types *t, const char *name)
{
	const struct told *told = find_told(t, name);

	return told && !told->is_deleting;
}

/* "" when it may run. */
static const char *hindrance(const struct types *t, const struct told *told)
{
	if (!told->type.propagation)
		return "propagation is Disabled";
	if (!t->around.settings->push_reconciler)
		return "the gate PushReconciler is Disabled";
	if (!t->around.settings->cluster_scope &&
	    (!told->type.target.namespaced || type_is_namespaces(&told->type)))
		return "the control plane has the scope Namespaced";
	if (told->type.target.namespaced && !is_configured(t, NAMESPACES))
		return "there is no FederatedTypeConfig namespaces";
	return "";
}

/* Where namespaces are not propagated it still matters where they are placed; and what the copies of Services say is told also
 * where they are not. */
static bool matters(const struct types *t, const struct told *told)
{
	return type_is_namespaces(&told->type) ||
	       (t->around.settings->push_reconciler &&
	        controller_keeps_statuses(&told->type, t->around.settings));
}

static void run(struct one *o, const struct told *told, bool may_run)
{
	struct types *t = o->all;
	bool is_passive = !may_run && matters(t, told);

	if ((!may_run && !is_passive) || o->is_passive != is_passive ||
	    o->generation != told->generation || o->definition != told->definition)
		stop(o);
	if ((may_run || is_passive) && !o->controller)
		o->controller = controller_start(&t->around, &told->type, is_passive);
	o->is_passive = is_passive;
	o->generation = told->generation;
	o->definition = told->definition;
}

static void settle(struct one *o)
{
	struct types *t = o->all;
	struct told *told = find_told(t, o->name);
	const char *why;

	if (!told)
		return;
	if (told->is_deleting) {
		stop(o);
		release(o, told);
		return;
	}
	if (!told->is_good) {
		if (strcmp(o->why.text, told->why.text) != 0)
			log_warn("propagator", "FederatedTypeConfig %s: %s", o->name,
			         told->why.text);
		o->why = told->why;
		tell(o, told);
		return;
	}
	why = hindrance(t, told);
	run(o, told, why[0] == '\0');
	reason_set(&o->why, ERR_OK, "%s", why);
	tell(o, told);
}

static void on_tick(uv_timer_t *timer)
{
	struct types *t = timer->data;
	uint64_t now_ms = clock_monotonic_ms();
	bool any = false;

	for (struct one *o = t->list; o; o = o->next) {
		any |= o->again_ms > now_ms;
		if (o->again_ms == 0 || o->again_ms > now_ms)
			continue;
		o->again_ms = 0;
		settle(o);
	}
	if (!any)
		uv_timer_stop(t->tick);
}

static void on_config(const char *key, void *arg)
{
	struct types *t = arg;
	struct bytes namespace, name;

	cache_split_key(key, &namespace, &name);
	if (!t->is_settled)
		return;
	if (cache_find(t->configs, key))
		settle(need(t, (const char *)name.data));
	else if (find(t, (const char *)name.data))
		forget(find(t, (const char *)name.data));
	if (bytes_equal_text(name, NAMESPACES))
		for (struct one *o = t->list; o; o = o->next)
			if (strcmp(o->name, NAMESPACES) != 0)
				settle(o);
}

/* Which of them may run depends on others. */
static void settle_all(struct types *t)
{
	struct bytes namespace, name;
	const char *key;

	t->is_settled = true;
	for (size_t i = 0; cache_next(t->configs, &i, &key);) {
		cache_split_key(key, &namespace, &name);
		need(t, (const char *)name.data);
	}
	for (struct one *o = t->list; o; o = o->next)
		settle(o);
}

static void on_sight(void *arg)
{
	struct types *t = arg;
	enum kube_sight sight;
	const char *why;

	if (!cache_is_seen(t->configs, &sight, &why))
		log_warn("propagator", "FederatedTypeConfigs cannot be seen: %s", why);
	else if (!t->is_settled)
		settle_all(t);
}

/* --- namespaces --- */

static bool namespace_placement(struct bytes namespace, struct placement *out, bool *federated,
                                void *arg)
{
	struct types *t = arg;
	struct one *o = find(t, NAMESPACES);

	*out = (struct placement){0};
	*federated = false;
	/* Its config is wrong, or on its way out: nothing is said of any namespace. */
	if (!o || !o->controller)
		return false;
	return controller_namespace_placement(o->controller, namespace, out, federated);
}

static void on_namespace(struct bytes namespace, void *arg)
{
	struct types *t = arg;

	for (struct one *o = t->list; o; o = o->next)
		if (o->controller && !type_is_namespaces(controller_type(o->controller)))
			controller_on_namespace(o->controller, namespace);
}

/* --- life --- */

struct types *types_start(const struct controller_around *around)
{
	struct types *t = xcalloc(1, sizeof(*t));
	const struct cache_settings settings = {
		.watch = {.resource = configs,
	                  .namespace = around->namespace,
	                  .objects_most = 10000},
		.keep = keep,
		.let_go = let_go,
		.on_change = on_config,
		.on_sight = on_sight,
		.arg = t,
	};

	t->around = *around;
	t->tick = xcalloc(1, sizeof(*t->tick));
	CHECK(uv_timer_init(around->loop, t->tick) == 0);
	t->tick->data = t;
	t->around.namespace_placement = namespace_placement;
	t->around.on_namespace = on_namespace;
	t->around.namespaces_arg = t;
	t->configs = cache_start(around->loop, around->host, around->backoff, &settings);
	return t;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void types_stop(struct types *t)
{
	uv_close((uv_handle_t *)t->tick, on_closed);
	while (t->list)
		forget(t->list);
	cache_stop(t->configs);
	free(t);
}

/* --- for all of them --- */

void types_on_client(struct types *t, struct member *m)
{
	for (struct one *o = t->list; o; o = o->next)
		if (o->controller)
			controller_on_client(o->controller, m);
}

void types_on_no_client(struct types *t, struct member *m)
{
	for (struct one *o = t->list; o; o = o->next)
		if (o->controller)
			controller_on_no_client(o->controller, m);
}

void types_on_settings(struct types *t)
{
	for (struct one *o = t->list; o; o = o->next) {
		if (t->is_settled)
			settle(o);
		if (o->controller)
			controller_on_settings(o->controller);
	}
}

void types_on_all(struct types *t)
{
	for (struct one *o = t->list; o; o = o->next)
		if (o->controller)
			controller_on_all(o->controller);
}

bool types_are_listed(const struct types *t) { return cache_is_synced(t->configs); }

struct controller *types_find(const struct types *t, const char *name)
{
	const struct one *o = find(t, name);

	return o ? o->controller : NULL;
}

void types_each(const struct types *t, types_on_note_fn *on_note, void *arg)
{
	for (const struct one *o = t->list; o; o = o->next) {
		struct types_note note = {o->name, runs(o), o->why.text, {0}};

		if (o->controller)
			note.counts = controller_counts(o->controller);
		on_note(&note, arg);
	}
}
