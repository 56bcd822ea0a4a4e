/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

enum { FIRST_VERSION = 1000, BATCH = 1000 };

/* --- kinds --- */

static const struct {
	const char *path, *name;
	bool namespaced, custom;
} known[] = {
	{FAKEAPI_SERVICES, "Service", true, false},
	{FAKEAPI_NODES, "Node", false, false},
	{FAKEAPI_NAMESPACES, "Namespace", false, false},
	{FAKEAPI_SECRETS, "Secret", true, false},
	{"/api/v1/endpoints", "Endpoints", true, false},
	{FAKEAPI_CONFIG_MAPS, "ConfigMap", true, false},
	{"/api/v1/pods", "Pod", true, false},
	{FAKEAPI_DEPLOYMENTS, "Deployment", true, false},
	{FAKEAPI_LEASES, "Lease", true, false},
	{FAKEAPI_SLICES, "EndpointSlice", true, false},
	{FAKEAPI_INGRESSES, "Ingress", true, false},
	{FAKEAPI_CLUSTERS, "KubeFedCluster", true, true},
	{"/apis/core.kubefed.io/v1beta1/kubefedconfigs", "KubeFedConfig", true, true},
	{FAKEAPI_DOMAINS, "Domain", true, true},
	{FAKEAPI_SERVICE_RECORDS, "ServiceDNSRecord", true, true},
	{FAKEAPI_INGRESS_RECORDS, "IngressDNSRecord", true, true},
	{FAKEAPI_ENDPOINTS_OF_KUBEFED, "DNSEndpoint", true, true},
	{FAKEAPI_ENDPOINTS, "DNSEndpoint", true, true},
	{FAKEAPI_POLICIES, "TrafficPolicy", true, true},
};

struct kind *store_find(struct fakeapi *f, const char *path, size_t len)
{
	for (size_t i = 0; i < f->kind_count; i++)
		if (strlen(f->kinds[i]->path) == len && memcmp(f->kinds[i]->path, path, len) == 0)
			return f->kinds[i];
	return NULL;
}

/* "/apis/GROUP/VERSION/PLURAL" or "/api/VERSION/PLURAL" */
static struct kind *add_kind(struct fakeapi *f, const char *path, const char *name, bool namespaced,
                             bool custom)
{
	struct kind *k = xcalloc(1, sizeof(*k));
	const char *begin = strncmp(path, "/apis/", 6) == 0 ? path + 6 : path + 5;
	const char *plural = strrchr(path, '/'), *slash = strchr(begin, '/');

	*k = (struct kind){.path = xstrdup(path),
	                   .name = xstrdup(name),
	                   .group_version = xstrndup(begin, (size_t)(plural - begin)),
	                   .group = begin == path + 5 ? xstrdup("")
	                                              : xstrndup(begin, (size_t)(slash - begin)),
	                   .namespaced = namespaced,
	                   .custom = custom,
	                   .registered = true};
	k->plural = k->path + (plural - path) + 1;
	f->kinds = xreallocarray(f->kinds, f->kind_count + 1, sizeof(struct kind *));
	f->kinds[f->kind_count++] = k;
	return k;
}

struct kind *store_kind(struct fakeapi *f, const char *path)
{
	struct kind *k = store_find(f, path, strlen(path));

	if (!k) {
		fake_unlock(f);
		fail_msg("fakeapi: no resource %s; fakeapi_register() it", path);
	}
	return k;
}

void store_init(struct fakeapi *f)
{
	f->version = FIRST_VERSION;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		add_kind(f, known[i].path, known[i].name, known[i].namespaced, known[i].custom)
			->registered = !(known[i].custom && f->options.no_custom);
}

static void forget_events(struct kind *k, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		object_drop(k->events[i].object);
		object_drop(k->events[i].before);
	}
}

void store_fini(struct fakeapi *f)
{
	for (size_t i = 0; i < f->kind_count; i++) {
		struct kind *k = f->kinds[i];

		for (size_t n = 0; n < k->count; n++)
			object_drop(k->objects[n]);
		forget_events(k, 0, k->event_count);
		free(k->objects);
		free(k->events);
		free(k->path);
		free(k->name);
		free(k->group);
		free(k->group_version);
		free(k);
	}
	free(f->kinds);
}

void fakeapi_register(struct fakeapi *f, const char *resource, const char *name, bool namespaced)
{
	struct kind *k;

	fake_lock(f);
	k = store_find(f, resource, strlen(resource));
	if (!k)
		k = add_kind(f, resource, name, namespaced, true);
	k->registered = true;
	fake_unlock(f);
}

void fakeapi_unregister(struct fakeapi *f, const char *resource)
{
	fake_lock(f);
	store_kind(f, resource)->registered = false;
	fake_unlock_and_wake(f);
}

static void set_forbidden(struct fakeapi *f, const char *resource, bool forbidden)
{
	fake_lock(f);
	store_kind(f, resource)->forbidden = forbidden;
	fake_unlock(f);
}

void fakeapi_forbid(struct fakeapi *f, const char *resource) { set_forbidden(f, resource, true); }
void fakeapi_allow(struct fakeapi *f, const char *resource) { set_forbidden(f, resource, false); }

void fakeapi_prune(struct fakeapi *f, const char *resource, const char *field)
{
	fake_lock(f);
	store_kind(f, resource)->pruned = field;
	fake_unlock(f);
}

/* --- sorted objects --- */

/* Where the key is, or would be. */
static size_t place_of(struct object *const *objects, size_t count, const char *key, bool *found)
{
	size_t low = 0, high = count;

	if (count > 0 && strcmp(objects[count - 1]->key, key) < 0)
		low = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(objects[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < count && strcmp(objects[low]->key, key) == 0;
	return low;
}

static void insert(struct object ***objects, size_t *count, size_t *room, size_t at,
                   struct object *o)
{
	if (*count == *room) {
		*room = *room ? *room * 2 : 64;
		*objects = xreallocarray(*objects, *room, sizeof(struct object *));
	}
	memmove(*objects + at + 1, *objects + at, (*count - at) * sizeof(struct object *));
	(*objects)[at] = o;
	++*count;
}

static void take_out(struct object **objects, size_t *count, size_t at)
{
	object_drop(objects[at]);
	memmove(objects + at, objects + at + 1, (*count - at - 1) * sizeof(struct object *));
	--*count;
}

static void note_event(struct kind *k, enum change change, struct object *object,
                       struct object *before)
{
	if (k->event_count == k->event_room) {
		k->event_room = k->event_room ? k->event_room * 2 : 64;
		k->events = xreallocarray(k->events, k->event_room, sizeof(struct event));
	}
	k->events[k->event_count++] =
		(struct event){change, object->version, object_use(object), before};
}

/* --- changes --- */

void store_put_shape(struct fakeapi *f, struct kind *k, const struct shape *s)
{
	uint64_t version = ++f->version;
	struct object *o;
	char key[600];
	size_t at;
	bool found;

	snprintf(key, sizeof(key), "%.*s%s%.*s", k->namespaced ? (int)s->namespace.len : 0,
	         k->namespaced ? (const char *)s->namespace.data : "", k->namespaced ? "/" : "",
	         (int)s->name.len, (const char *)s->name.data);
	at = place_of(k->objects, k->count, key, &found);
	o = object_make(s, k, version, found ? k->objects[at]->uid : ++f->uid,
	                f->options.managed_fields);
	if (found) {
		note_event(k, CHANGE_MODIFIED, o, k->objects[at]);
		k->objects[at] = o;
	} else {
		note_event(k, CHANGE_ADDED, o, NULL);
		insert(&k->objects, &k->count, &k->room, at, o);
	}
}

static void delete_at(struct fakeapi *f, struct kind *k, size_t at)
{
	struct object *gone = object_copy(k->objects[at], ++f->version);

	note_event(k, CHANGE_DELETED, gone, object_use(k->objects[at]));
	object_drop(gone);
	take_out(k->objects, &k->count, at);
}

struct object *store_get(const struct kind *k, const char *key)
{
	bool found;
	size_t at = place_of(k->objects, k->count, key, &found);

	return found ? k->objects[at] : NULL;
}

void store_delete(struct fakeapi *f, struct kind *k, const char *key)
{
	bool found;
	size_t at = place_of(k->objects, k->count, key, &found);

	if (found)
		delete_at(f, k, at);
}

uint64_t fakeapi_put(struct fakeapi *f, const char *resource, const char *fmt, ...)
{
	struct shape s = {0};
	struct kind *k;
	uint64_t version;
	char *json = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&json, fmt, ap) < 0)
		fail_msg("no memory");
	va_end(ap);
	text_add(&s.json, json);
	free(json);
	fake_lock(f);
	k = store_kind(f, resource);
	fake_unlock(f);
	shape_read(&s, k);
	fake_lock(f);
	store_put_shape(f, k, &s);
	version = f->version;
	fake_unlock_and_wake(f);
	shape_fini(&s);
	return version;
}

void fakeapi_put_many(struct fakeapi *f, const char *resource, size_t count,
                      fakeapi_generate_fn *generate, void *arg)
{
	struct shape s = {0};
	struct kind *k;

	fake_lock(f);
	k = store_kind(f, resource);
	fake_unlock(f);
	for (size_t i = 0; i < count; i++) {
		text_reset(&s.json);
		generate(&s.json, i, arg);
		shape_read(&s, k);
		fake_lock(f);
		store_put_shape(f, k, &s);
		if (i % BATCH == BATCH - 1 || i + 1 == count)
			fake_wake(f);
		fake_unlock(f);
	}
	shape_fini(&s);
}

uint64_t fakeapi_delete(struct fakeapi *f, const char *resource, const char *object)
{
	uint64_t version;
	struct kind *k;
	bool found;
	size_t at;

	fake_lock(f);
	k = store_kind(f, resource);
	at = place_of(k->objects, k->count, object, &found);
	if (found)
		delete_at(f, k, at);
	version = f->version;
	fake_unlock_and_wake(f);
	if (!found)
		fail_msg("fakeapi: there is no %s %s to delete", k->name, object);
	return version;
}

void fakeapi_delete_all(struct fakeapi *f, const char *resource)
{
	struct kind *k;

	fake_lock(f);
	k = store_kind(f, resource);
	while (k->count > 0)
		delete_at(f, k, k->count - 1);
	fake_unlock_and_wake(f);
}

size_t fakeapi_count(struct fakeapi *f, const char *resource)
{
	size_t count;

	fake_lock(f);
	count = store_kind(f, resource)->count;
	fake_unlock(f);
	return count;
}

uint64_t fakeapi_version(struct fakeapi *f)
{
	uint64_t version;

	fake_lock(f);
	version = f->version;
	fake_unlock(f);
	return version;
}

void fakeapi_skip_versions(struct fakeapi *f, uint64_t count)
{
	fake_lock(f);
	f->version += count;
	fake_unlock_and_wake(f);
}

/* --- time --- */

void fakeapi_compact(struct fakeapi *f)
{
	fake_lock(f);
	f->compacted = f->version;
	for (size_t i = 0; i < f->kind_count; i++) {
		struct kind *k = f->kinds[i];

		forget_events(k, 0, k->event_count);
		k->first_event += k->event_count;
		k->event_count = 0;
	}
	fake_unlock_and_wake(f);
}

/* Undoes one event in a sorted vector. */
static void undo(struct object ***objects, size_t *count, size_t *room, const struct event *e)
{
	bool found;
	size_t at = place_of(*objects, *count, e->object->key, &found);

	if (found)
		take_out(*objects, count, at);
	if (e->before)
		insert(objects, count, room, at, object_use(e->before));
}

void fakeapi_go_back(struct fakeapi *f, uint64_t version)
{
	fake_lock(f);
	if (version < f->compacted || version > f->version) {
		fake_unlock(f);
		fail_msg("fakeapi: nobody knows what was at resourceVersion %llu",
		         (unsigned long long)version);
	}
	for (size_t i = 0; i < f->kind_count; i++) {
		struct kind *k = f->kinds[i];
		size_t kept = k->event_count;

		for (; kept > 0 && k->events[kept - 1].version > version; kept--)
			undo(&k->objects, &k->count, &k->room, &k->events[kept - 1]);
		forget_events(k, kept, k->event_count);
		k->event_count = kept;
	}
	f->version = version;
	watches_go_back(f);
	fake_unlock_and_wake(f);
}

uint64_t kind_events_after(const struct kind *k, uint64_t version)
{
	size_t low = 0, high = k->event_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->events[middle].version <= version)
			low = middle + 1;
		else
			high = middle;
	}
	return k->first_event + low;
}

/* --- choosing --- */

bool choice_takes(const struct choice *c, const struct object *o)
{
	if (c->namespace && (strncmp(o->key, c->namespace, o->namespace_len) != 0 ||
	                     c->namespace[o->namespace_len] != '\0'))
		return false;
	return (!c->name || strcmp(object_name(o), c->name) == 0) && labels_take(c, o) &&
	       fields_take(c, o);
}

/* All as of an earlier `version`, used once more. */
static void copy_all(const struct kind *k, uint64_t version, struct object ***objects,
                     size_t *count)
{
	size_t room = k->count + 64;

	*objects = xreallocarray(NULL, room, sizeof(struct object *));
	*count = k->count;
	for (size_t i = 0; i < k->count; i++)
		(*objects)[i] = object_use(k->objects[i]);
	for (size_t i = k->event_count; i > 0 && k->events[i - 1].version > version; i--)
		undo(objects, count, &room, &k->events[i - 1]);
}

static void choose(struct object *const *objects, size_t count, const struct choice *c,
                   const char *after, size_t limit, struct list *out)
{
	bool found = false, all = !c->name && !c->namespace && !c->labels && !c->fields;
	size_t from = after ? place_of(objects, count, after, &found) + found : 0, most;

	most = limit && limit < count - from ? limit : count - from;
	out->objects = xreallocarray(NULL, most + 1, sizeof(struct object *));
	for (; from < count && !(all && out->count == most); from++) {
		if (!all && !choice_takes(c, objects[from]))
			continue;
		if (out->count == most) {
			out->remaining++;
			continue;
		}
		out->bytes += objects[from]->len;
		out->objects[out->count++] = object_use(objects[from]);
	}
	if (all)
		out->remaining = count - from;
}

void store_list(struct fakeapi *f, const struct kind *k, const struct choice *c, uint64_t version,
                const char *after, size_t limit, struct list *out)
{
	bool is_past = version && kind_events_after(k, version) < kind_end(k);
	struct object **past = NULL;
	size_t count = 0;

	*out = (struct list){.version = version ? version : f->version};
	if (!is_past) {
		choose(k->objects, k->count, c, after, limit, out);
		return;
	}
	copy_all(k, version, &past, &count);
	choose(past, count, c, after, limit, out);
	for (size_t i = 0; i < count; i++)
		object_drop(past[i]);
	free(past);
}

void list_fini(struct list *l)
{
	for (size_t i = l->at; i < l->count; i++)
		object_drop(l->objects[i]);
	free(l->objects);
	*l = (struct list){0};
}
