/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <json-c/json_util.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

/* One change of one object. */
struct change_of {
	struct fakeapi *f;
	struct kind *k;
	struct object *old;         /* NULL: there is none */
	struct json_object *before; /* `old`, read; NULL: none */
	struct json_object *after;  /* as it is asked for, then as it will be */
	bool of_status;
	bool dry;
	/* What refuses it; 0: nothing. */
	int status;
	struct text message;
	struct json_object *causes;
};

/* --- trees --- */

static struct json_object *parsed(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *tree = json_tokener_parse_ex(tokener, text, (int)len);

	json_tokener_free(tokener);
	return tree;
}

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *found = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, name, &found);
	return found;
}

static const char *words(struct json_object *o, const char *name)
{
	const char *text = json_object_get_string(member(o, name));

	return text ? text : "";
}

/* A copy of the other's member, or none. */
static void take_member(struct json_object *to, struct json_object *from, const char *name)
{
	struct json_object *value = member(from, name), *copy = NULL;

	json_object_object_del(to, name);
	if (value && json_object_deep_copy(value, &copy, NULL) == 0)
		json_object_object_add(to, name, copy);
}

static bool same_but_for(struct json_object *a, struct json_object *b, const char *const *names)
{
	struct json_object *left = NULL, *right = NULL;
	bool same;

	json_object_deep_copy(a, &left, NULL);
	json_object_deep_copy(b, &right, NULL);
	for (; *names; names++) {
		json_object_object_del(left, *names);
		json_object_object_del(right, *names);
	}
	same = json_object_equal(left, right);
	json_object_put(left);
	json_object_put(right);
	return same;
}

/* --- what refuses a change --- */

__attribute__((format(printf, 3, 4))) static bool refuse(struct change_of *c, int status,
                                                         const char *fmt, ...)
{
	char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = xstrdup("");
	va_end(ap);
	c->status = status;
	text_add(&c->message, message);
	free(message);
	return false;
}

static bool refuse_version(struct change_of *c)
{
	return refuse(c, 409,
	              "Operation cannot be fulfilled on %s \"%s\": the object has been modified; "
	              "please apply your changes to the latest version and try again",
	              c->k->plural, object_name(c->old));
}

static void say_refusal(struct stream *s, struct change_of *c, const char *reason)
{
	struct json_object *status, *details = json_object_new_object();
	struct text t = {0};

	status_add(&t, c->status, c->message.data ? c->message.data : "", NULL);
	status = parsed(t.data, t.len);
	if (reason)
		json_object_object_add(status, "reason", json_object_new_string(reason));
	json_object_object_add(details, "kind", json_object_new_string(c->k->plural));
	if (json_object_array_length(c->causes) > 0)
		json_object_object_add(details, "causes", json_object_get(c->causes));
	json_object_object_add(status, "details", details);
	serve_text(s, c->status, "application/json",
	           bytes_of(json_object_to_json_string_ext(
			   status, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(status);
	text_fini(&t);
}

/* --- settling: what a server makes of what it is asked for --- */

static bool check_identity(struct change_of *c)
{
	struct json_object *now = member(c->before, "metadata"),
			   *asked = member(c->after, "metadata");
	const char *version = words(asked, "resourceVersion"), *uid = words(asked, "uid");

	if (!json_object_is_type(asked, json_type_object))
		return refuse(c, 400, "the object has no metadata");
	if (c->before && *version && strcmp(version, words(now, "resourceVersion")) != 0)
		return refuse_version(c);
	if (c->before && *uid && strcmp(uid, words(now, "uid")) != 0)
		return refuse(c, 409,
		              "Precondition failed: UID in precondition: %s, UID in object "
		              "meta: %s",
		              uid, words(now, "uid"));
	return true;
}

static int64_t generation_of(struct json_object *object)
{
	return json_object_get_int64(member(member(object, "metadata"), "generation"));
}

/* Kinds of the core group have none, as the most of the real ones. */
static void settle_generation(struct change_of *c, struct json_object *metadata)
{
	static const char *const not_counted[] = {"metadata", "status", "kind", "apiVersion", NULL};
	int64_t generation = c->before ? generation_of(c->before) : 0;

	json_object_object_del(metadata, "generation");
	if (!*c->k->group)
		return;
	if (!c->before || !same_but_for(c->before, c->after, not_counted))
		generation++;
	if (generation > 0)
		json_object_object_add(metadata, "generation", json_object_new_int64(generation));
}

static void settle_metadata(struct change_of *c)
{
	static const char *const kept[] = {"name",
	                                   "namespace",
	                                   "uid",
	                                   "creationTimestamp",
	                                   "deletionTimestamp",
	                                   "deletionGracePeriodSeconds"};
	struct json_object *now = member(c->before, "metadata"),
			   *metadata = member(c->after, "metadata");

	for (size_t i = c->before ? 0 : 2; i < sizeof(kept) / sizeof(kept[0]); i++)
		take_member(metadata, now, kept[i]);
	if (!member(metadata, "managedFields"))
		take_member(metadata, now, "managedFields");
	take_member(metadata, now, "resourceVersion");
	settle_generation(c, metadata);
}

/* Of a write of the status nothing else counts, and the other way round. */
static void settle_parts(struct change_of *c)
{
	struct json_object *asked = c->after;

	if (!c->of_status) {
		take_member(c->after, c->before, "status");
		return;
	}
	c->after = NULL;
	json_object_deep_copy(c->before, &c->after, NULL);
	take_member(c->after, asked, "status");
	json_object_put(asked);
}

static void prune(struct json_object *value, const char *field)
{
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			prune(json_object_array_get_idx(value, i), field);
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_del(value, field);
	json_object_object_foreach(value, key, inner)
	{
		(void)key;
		prune(inner, field);
	}
}

static bool has_finalizers(struct json_object *object)
{
	struct json_object *list = member(member(object, "metadata"), "finalizers");

	return json_object_is_type(list, json_type_array) && json_object_array_length(list) > 0;
}

/* Into the store, unless it changes nothing. */
static void store(struct change_of *c)
{
	struct json_object *metadata = member(c->after, "metadata");
	struct shape s = {0};

	if (c->dry || (c->before && json_object_equal(c->before, c->after)))
		return;
	json_object_object_del(metadata, "resourceVersion");
	text_add(&s.json,
	         json_object_to_json_string_ext(c->after, JSON_C_TO_STRING_PLAIN |
	                                                          JSON_C_TO_STRING_NOSLASHESCAPE));
	shape_read(&s, c->k);
	store_put_shape(c->f, c->k, &s);
	shape_fini(&s);
}

static void release(struct change_of *c, const char *key)
{
	if (!c->dry && member(member(c->after, "metadata"), "deletionTimestamp") &&
	    !has_finalizers(c->after))
		store_delete(c->f, c->k, key);
}

/* --- the verbs --- */

static bool read_body(struct change_of *c, struct stream *s, json_type type)
{
	c->after = parsed(s->request.body.data ? s->request.body.data : "", s->request.body.len);
	if (json_object_is_type(c->after, type))
		return true;
	return refuse(c, 400, "the body is not what this request needs");
}

static bool read_object(struct change_of *c, struct stream *s, const char *name)
{
	const char *kind;

	if (!read_body(c, s, json_type_object))
		return false;
	kind = words(c->after, "kind");
	if (*kind && strcmp(kind, c->k->name) != 0)
		return refuse(c, 400, "%s is not a %s", kind, c->k->name);
	if (!*words(member(c->after, "metadata"), "name"))
		return refuse(c, 422, "name or generateName is required");
	if (name && strcmp(words(member(c->after, "metadata"), "name"), name) != 0)
		return refuse(c, 400, "the name of the object does not match the name on the URL");
	return true;
}

static bool copy_before(struct change_of *c)
{
	json_object_put(c->after);
	c->after = NULL;
	return json_object_deep_copy(c->before, &c->after, NULL) == 0;
}

static bool patch_by_merge(struct change_of *c, struct stream *s)
{
	struct json_object *patch;

	if (!read_body(c, s, json_type_object))
		return false;
	patch = json_object_get(c->after);
	copy_before(c);
	patch_merge(c->after, patch);
	json_object_put(patch);
	return true;
}

static bool patch_by_steps(struct change_of *c, struct stream *s)
{
	struct json_object *patch;
	bool is_good;

	if (!read_body(c, s, json_type_array))
		return false;
	patch = json_object_get(c->after);
	copy_before(c);
	is_good = patch_json(&c->after, patch);
	json_object_put(patch);
	return is_good ? true
	               : refuse(c, 422,
	                        "the server rejected our request due to an error in our "
	                        "request");
}

static bool patch_by_apply(struct change_of *c, struct stream *s, const char *name)
{
	char *manager = query_get(s->request.raw, "fieldManager");
	struct json_object *body;
	bool is_good = false;

	if (!manager) {
		refuse(c, 422,
		       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value");
	} else if (read_object(c, s, name)) {
		body = json_object_get(c->after);
		if (member(member(body, "metadata"), "managedFields"))
			refuse(c, 400, "metadata.managedFields must be nil");
		json_object_put(c->after);
		c->after = c->before ? NULL : json_object_new_object();
		if (c->before)
			copy_before(c);
		else
			json_object_object_add(c->after, "metadata", json_object_new_object());
		is_good = c->status == 0 &&
		          apply_fields(c->after, body, manager,
		                       query_is_true(s->request.raw, "force"), c->causes);
		if (c->status == 0 && !is_good)
			refuse(c, 409, "Apply failed with %zu conflicts",
			       json_object_array_length(c->causes));
		json_object_put(body);
	}
	free(manager);
	return is_good;
}

static bool not_found(struct change_of *c, const char *name)
{
	return refuse(c, 404, "%s%s%s \"%s\" not found", c->k->plural, *c->k->group ? "." : "",
	              c->k->group, name);
}

static bool patch(struct change_of *c, struct stream *s, const char *name)
{
	const char *type = s->request.content_type ? s->request.content_type : "";

	if (strcmp(type, "application/apply-patch+yaml") == 0 && (c->old || !c->of_status))
		return patch_by_apply(c, s, name);
	if (!c->old)
		return not_found(c, name);
	if (strcmp(type, "application/json-patch+json") == 0)
		return patch_by_steps(c, s);
	if (strcmp(type, "application/merge-patch+json") == 0)
		return patch_by_merge(c, s);
	return refuse(c, 415, "the body of the request was in an unknown format");
}

/* What the object is to be, by the verb. */
static bool read_change(struct change_of *c, struct stream *s, const char *name)
{
	if (strcmp(s->request.method, "PATCH") == 0)
		return patch(c, s, name);
	if (strcmp(s->request.method, "PUT") != 0)
		return read_object(c, s, NULL);
	return c->old ? read_object(c, s, name) : not_found(c, name);
}

static void say_object(struct stream *s, int status, struct json_object *object)
{
	serve_text(s, status, "application/json",
	           bytes_of(json_object_to_json_string_ext(
			   object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
}

static void read_old(struct change_of *c, const char *key)
{
	c->old = store_get(c->k, key);
	if (!c->old)
		return;
	object_use(c->old);
	c->before = parsed(c->old->text, c->old->len);
}

static void add_key(struct text *key, const struct kind *k, const char *namespace, const char *name)
{
	if (k->namespaced)
		text_printf(key, "%s/", namespace ? namespace : "");
	text_add(key, name);
}

static void put_change(struct change_of *c, struct stream *s, const char *key)
{
	const struct object *stored;

	if (c->k->pruned)
		prune(c->after, c->k->pruned);
	settle_parts(c);
	settle_metadata(c);
	if (strcmp(c->k->path, FAKEAPI_SECRETS) == 0)
		patch_secret(c->after);
	store(c);
	release(c, key);
	stored = c->dry ? NULL : store_get(c->k, key);
	if (stored)
		serve_text(s, c->before ? 200 : 201, "application/json", bytes_of(stored->text));
	else
		say_object(s, 200, c->after);
}

static void write_object(struct change_of *c, struct stream *s, const struct choice *choice)
{
	bool creates = strcmp(s->request.method, "POST") == 0;
	const char *name = choice->name;
	struct text key = {0};

	if (!creates) {
		add_key(&key, c->k, choice->namespace, name);
		read_old(c, key.data);
	}
	if (read_change(c, s, name) && creates) {
		name = words(member(c->after, "metadata"), "name");
		add_key(&key, c->k, choice->namespace, name);
		read_old(c, key.data);
		if (c->old)
			refuse(c, 409, "%s \"%s\" already exists", c->k->plural, name);
	}
	if (c->status == 0 && check_identity(c)) {
		if (choice->namespace)
			json_object_object_add(member(c->after, "metadata"), "namespace",
			                       json_object_new_string(choice->namespace));
		put_change(c, s, key.data);
	} else {
		say_refusal(s, c, creates && c->old ? "AlreadyExists" : NULL);
	}
	text_fini(&key);
}

/* --- DELETE --- */

static bool check_preconditions(struct change_of *c, struct stream *s)
{
	struct json_object *options =
		parsed(s->request.body.data ? s->request.body.data : "", s->request.body.len);
	struct json_object *wants = member(options, "preconditions"),
			   *now = member(c->before, "metadata");
	const char *uid = words(wants, "uid"), *version = words(wants, "resourceVersion");
	bool fits = true;

	if (*uid && strcmp(uid, words(now, "uid")) != 0)
		fits = refuse(c, 409,
		              "Precondition failed: UID in precondition: %s, UID in object "
		              "meta: %s",
		              uid, words(now, "uid"));
	else if (*version && strcmp(version, words(now, "resourceVersion")) != 0)
		fits = refuse(c, 409,
		              "Precondition failed: ResourceVersion in precondition: %s, "
		              "ResourceVersion in object meta: %s",
		              version, words(now, "resourceVersion"));
	json_object_put(options);
	return fits;
}

static void mark_deleted(struct change_of *c)
{
	struct json_object *metadata;

	copy_before(c);
	metadata = member(c->after, "metadata");
	if (!member(metadata, "deletionTimestamp")) {
		json_object_object_add(metadata, "deletionTimestamp",
		                       json_object_new_string("2026-01-01T00:00:00Z"));
		json_object_object_add(metadata, "deletionGracePeriodSeconds",
		                       json_object_new_int(0));
		if (generation_of(c->before) > 0)
			json_object_object_add(metadata, "generation",
			                       json_object_new_int64(generation_of(c->before) + 1));
	}
	store(c);
}

static void say_deleted(struct stream *s, struct change_of *c, const char *name)
{
	struct json_object *uid = member(member(c->before, "metadata"), "uid");
	struct text said = {0};

	text_add(&said, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
	                "\"Success\",\"details\":{\"name\":");
	text_add_json(&said, bytes_of(name));
	text_printf(&said, ",\"kind\":\"%s\",\"uid\":\"%s\"}}", c->k->plural,
	            uid ? json_object_get_string(uid) : "");
	serve_text(s, 200, "application/json", bytes_of(said.data));
	text_fini(&said);
}

static void delete_object(struct change_of *c, struct stream *s, const struct choice *choice)
{
	struct text key = {0};

	add_key(&key, c->k, choice->namespace, choice->name);
	read_old(c, key.data);
	if (!c->old)
		not_found(c, choice->name);
	if (c->status != 0 || !check_preconditions(c, s)) {
		say_refusal(s, c, NULL);
	} else if (has_finalizers(c->before)) {
		mark_deleted(c);
		serve_text(s, 200, "application/json", bytes_of(store_get(c->k, key.data)->text));
	} else {
		if (!c->dry)
			store_delete(c->f, c->k, key.data);
		say_deleted(s, c, choice->name);
	}
	text_fini(&key);
}

/* --- the entrances --- */

static void change_fini(struct change_of *c)
{
	object_drop(c->old);
	json_object_put(c->before);
	json_object_put(c->after);
	json_object_put(c->causes);
	text_fini(&c->message);
}

void write_tell(struct stream *s)
{
	struct fakeapi *f = s->conn->f;
	struct text request = {0};

	if (!f->on_write)
		return;
	text_printf(&request, "%s %s", s->request.method, s->request.target);
	f->on_write(request.data, f->on_write_arg);
	text_fini(&request);
}

void write_answer(struct stream *s, struct kind *k, const struct choice *choice, const char *sub)
{
	struct change_of c = {.f = s->conn->f,
	                      .k = k,
	                      .of_status = *sub != '\0',
	                      .dry = query_is_true(s->request.raw, "dryRun"),
	                      .causes = json_object_new_array()};
	const char *method = s->request.method;
	bool needs_name = strcmp(method, "POST") != 0;

	if (needs_name != (choice->name != NULL) || (k->namespaced && !choice->namespace) ||
	    (*sub && strcmp(method, "DELETE") == 0))
		serve_status(s, 405,
		             "the server does not allow this method on the requested resource");
	else if (strcmp(method, "DELETE") == 0)
		delete_object(&c, s, choice);
	else if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	         strcmp(method, "PATCH") == 0)
		write_object(&c, s, choice);
	else
		serve_status(s, 405,
		             "the server does not allow this method on the requested resource");
	change_fini(&c);
	write_tell(s);
}

void fakeapi_ask_to_delete(struct fakeapi *f, const char *resource, const char *object)
{
	struct change_of c = {.f = f, .causes = json_object_new_array()};

	fake_lock(f);
	c.k = store_kind(f, resource);
	read_old(&c, object);
	if (!c.old) {
		fake_unlock(f);
		fail_msg("fakeapi: there is no %s to delete", object);
	}
	if (has_finalizers(c.before))
		mark_deleted(&c);
	else
		store_delete(f, c.k, object);
	change_fini(&c);
	fake_unlock_and_wake(f);
}

uint64_t fakeapi_edit(struct fakeapi *f, const char *resource, const char *object, const char *fmt,
                      ...)
{
	struct change_of c = {.f = f, .causes = json_object_new_array()};
	struct json_object *said;
	struct text t = {0};
	char *json = NULL;
	uint64_t version;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&json, fmt, ap) < 0)
		fail_msg("no memory");
	va_end(ap);
	text_add(&t, json);
	free(json);
	quotes_set_right(&t);
	said = parsed(t.data, t.len);
	fake_lock(f);
	c.k = store_kind(f, resource);
	read_old(&c, object);
	if (!c.old || !json_object_is_type(said, json_type_object)) {
		fake_unlock(f);
		fail_msg("fakeapi: there is no %s to edit, or no edit in %s", object, t.data);
	}
	copy_before(&c);
	patch_merge(c.after, said);
	settle_metadata(&c);
	store(&c);
	release(&c, object);
	version = f->version;
	change_fini(&c); /* under the lock: the objects are counted */
	fake_unlock_and_wake(f);
	json_object_put(said);
	text_fini(&t);
	return version;
}

const char *fakeapi_get(struct fakeapi *f, const char *resource, const char *object)
{
	struct object *o;

	fake_lock(f);
	o = store_get(store_kind(f, resource), object);
	text_reset(&f->said);
	text_add(&f->said, o ? o->text : "");
	fake_unlock(f);
	return o ? f->said.data : NULL;
}

const char *fakeapi_find(struct fakeapi *f, const char *resource, const char *text)
{
	struct kind *k;
	const char *found = NULL;

	fake_lock(f);
	k = store_kind(f, resource);
	for (size_t i = 0; !found && i < k->count; i++)
		if (strstr(k->objects[i]->text, text))
			found = k->objects[i]->text;
	text_reset(&f->said);
	text_add(&f->said, found ? found : "");
	fake_unlock(f);
	return found ? f->said.data : NULL;
}
