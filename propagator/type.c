/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/type.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "propagator/complaints.h"
#include "propagator/jsontree.h"

enum { PATH_ROOM = 64 };

static const char *const on_off[] = {"Enabled", "Disabled", NULL};
static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
static const char *const states[] = {"Running", "NotRunning", NULL};

/* --- names --- */

static char *lower(const char *s)
{
	char *copy = xstrdup(s);

	for (char *c = copy; *c; c++)
		*c = (char)bytes_lower((uint8_t)*c);
	return copy;
}

static bool ends_in(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

char *type_plural(const char *kind)
{
	static const char *const hissing[] = {"s", "x", "ch", "sh", "z", "o", NULL};
	struct text plural = {0};
	char *small = lower(kind);
	const char *end = "s";

	for (size_t i = 0; hissing[i]; i++)
		if (ends_in(small, hissing[i]))
			end = "es";
	/* KubeFed looks at the y alone, not at what is before it. */
	if (ends_in(small, "y")) {
		small[strlen(small) - 1] = '\0';
		end = "ies";
	}
	text_printf(&plural, "%s%s", small, end);
	free(small);
	return text_take(&plural);
}

/* --- KubeFed's rules --- */

static const char *text_of(struct json_object *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

/* The text of a member; NULL, and said, when it is something else or, if that is `required`, missing or empty. */
static const char *check_text(struct json_object *object, const char *path, const char *key,
                              bool required, char full[PATH_ROOM], struct complaints *c)
{
	struct json_object *value = jsontree_get(object, key, NULL);
	const char *text = text_of(value);

	snprintf(full, PATH_ROOM, "%s.%s", path, key);
	if (value && !text)
		complain_invalid(c, full, value, "must be a string");
	else if (required && (!text || text[0] == '\0'))
		complain_required(c, full);
	return text && text[0] != '\0' ? text : NULL;
}

static void check_word(struct json_object *object, const char *path, const char *key,
                       const char *const *words, struct complaints *c)
{
	char full[PATH_ROOM];
	const char *text = check_text(object, path, key, true, full, c);

	if (!text)
		return;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return;
	complain_unsupported(c, full, jsontree_get(object, key, NULL), words);
}

static void check_label(struct json_object *object, const char *path, const char *key,
                        bool any_case, struct complaints *c)
{
	char full[PATH_ROOM];
	const char *text = check_text(object, path, key, true, full, c);
	char *label;

	if (!text)
		return;
	label = any_case ? lower(text) : xstrdup(text);
	complain_unless_label(c, full, label, jsontree_get(object, key, NULL));
	free(label);
}

static void check_api(struct json_object *api, const char *path, bool needs_group,
                      struct complaints *c)
{
	struct json_object *group = jsontree_get(api, "group", NULL);
	char full[PATH_ROOM];
	const char *text;

	if (api && !json_object_is_type(api, json_type_object)) {
		complain_invalid(c, path, api, "must be an object");
		return;
	}
	text = check_text(api, path, "group", needs_group, full, c);
	if (text && needs_group && !strchr(text, '.'))
		complain_invalid(c, full, group, "should be a domain with at least one dot");
	if (text)
		complain_unless_subdomain(c, full, text, group);
	check_label(api, path, "version", false, c);
	check_label(api, path, "kind", true, c);
	check_label(api, path, "pluralName", false, c);
	check_word(api, path, "scope", scopes, c);
}

/* PLURAL or PLURAL.GROUP of the target. */
static void check_name(struct json_object *object, struct complaints *c)
{
	struct json_object *api = jsontree_get(object, "spec", "targetType", NULL);
	const char *plural = jsontree_text(api, "pluralName", NULL);
	const char *group = jsontree_text(api, "group", NULL);
	const char *name = jsontree_text(object, "metadata", "name", NULL);
	bool grouped = group && group[0] != '\0';
	struct text want = {0};

	text_printf(&want, "%s%s%s", plural ? plural : "", grouped ? "." : "",
	            grouped ? group : "");
	if (!name || strcmp(name, want.data) != 0)
		complain_invalid(c, "name", jsontree_get(object, "metadata", "name", NULL),
		                 "name must be 'TARGET_PLURAL_NAME(.TARGET_GROUP_NAME)'");
	text_fini(&want);
}

static void check_spec(struct json_object *object, struct complaints *c)
{
	struct json_object *spec = jsontree_get(object, "spec", NULL);

	check_name(object, c);
	check_api(jsontree_get(spec, "targetType", NULL), "spec.targetType", false, c);
	check_word(spec, "spec", "propagation", on_off, c);
	check_api(jsontree_get(spec, "federatedType", NULL), "spec.federatedType", true, c);
	if (jsontree_get(spec, "statusType", NULL))
		check_api(jsontree_get(spec, "statusType", NULL), "spec.statusType", true, c);
	if (jsontree_get(spec, "statusCollection", NULL))
		check_word(spec, "spec", "statusCollection", on_off, c);
}

static void check_status(struct json_object *object, struct complaints *c)
{
	struct json_object *status = jsontree_get(object, "status", NULL);
	struct json_object *observed = jsontree_get(status, "observedGeneration", NULL);

	if (observed &&
	    (!json_object_is_type(observed, json_type_int) || json_object_get_int64(observed) < 0))
		complain_invalid(c, "status.observedGeneration", observed,
		                 "must be greater than or equal to 0");
	check_word(status, "status", "propagationController", states, c);
	if (jsontree_get(status, "statusController", NULL))
		check_word(status, "status", "statusController", states, c);
}

bool type_admit(struct json_object *federated_type_config, bool is_status, struct text *messages)
{
	struct complaints c = {0};
	bool admitted;

	if (is_status)
		check_status(federated_type_config, &c);
	else
		check_spec(federated_type_config, &c);
	complaints_print(&c, messages);
	admitted = c.count == 0;
	complaints_fini(&c);
	return admitted;
}

/* --- reading --- */

static void fill(struct json_object *api, const char *key, const char *text)
{
	struct json_object *value = jsontree_get(api, key, NULL);
	const char *there = text_of(value);

	if (text && (!value || (there && there[0] == '\0')))
		jsontree_set(api, json_object_new_string(text), key, NULL);
}

static void fill_plural(struct json_object *api)
{
	const char *kind = jsontree_text(api, "kind", NULL);
	char *plural = kind ? type_plural(kind) : NULL;

	fill(api, "pluralName", plural);
	free(plural);
}

/* What KubeFed's controller fills in, of the copy that is read. */
static void fill_in(struct json_object *object)
{
	struct json_object *target = jsontree_get(object, "spec", "targetType", NULL);
	struct json_object *federated = jsontree_get(object, "spec", "federatedType", NULL);
	struct json_object *status = jsontree_get(object, "spec", "statusType", NULL);
	const char *name = jsontree_text(object, "metadata", "name", NULL);
	const char *dot = name ? strchr(name, '.') : NULL;

	if (name && json_object_is_type(target, json_type_object)) {
		char *plural = xstrndup(name, dot ? (size_t)(dot - name) : strlen(name));

		fill(target, "pluralName", plural);
		fill(target, "group", dot ? dot + 1 : NULL);
		free(plural);
	}
	if (json_object_is_type(federated, json_type_object))
		fill_plural(federated);
	if (json_object_is_type(status, json_type_object)) {
		fill_plural(status);
		fill(status, "group", jsontree_text(federated, "group", NULL));
		fill(status, "version", jsontree_text(federated, "version", NULL));
	}
}

static char *take_text(struct json_object *api, const char *key)
{
	const char *text = jsontree_text(api, key, NULL);

	return xstrdup(text ? text : "");
}

static struct type_api read_api(struct json_object *api)
{
	const char *scope = jsontree_text(api, "scope", NULL);

	return (struct type_api){
		.group = take_text(api, "group"),
		.version = take_text(api, "version"),
		.kind = take_text(api, "kind"),
		.plural = take_text(api, "pluralName"),
		.namespaced = scope && strcmp(scope, "Namespaced") == 0,
	};
}

static bool is_enabled(struct json_object *spec, const char *key)
{
	const char *text = jsontree_text(spec, key, NULL);

	return text && strcmp(text, "Enabled") == 0;
}

/* Of one that obeys the rules. */
static void take(struct json_object *object, struct type *out)
{
	struct json_object *spec = jsontree_get(object, "spec", NULL);
	struct json_object *status = jsontree_get(spec, "statusType", NULL);
	struct json_object *generation = jsontree_get(object, "metadata", "generation", NULL);

	*out = (struct type){
		.name = xstrdup(jsontree_text(object, "metadata", "name", NULL)),
		.target = read_api(jsontree_get(spec, "targetType", NULL)),
		.federated = read_api(jsontree_get(spec, "federatedType", NULL)),
		.status = read_api(status),
		.has_status = status != NULL,
		.propagation = is_enabled(spec, "propagation"),
		.status_collection = is_enabled(spec, "statusCollection"),
		.generation = json_object_get_int64(generation),
	};
	out->federated.namespaced = out->target.namespaced || type_is_namespaces(out);
}

enum err type_read(struct json_object *federated_type_config, struct type *out, struct reason *why)
{
	struct json_object *copy = jsontree_copy(federated_type_config);
	struct complaints c = {0};
	enum err err;

	*out = (struct type){0};
	fill_in(copy);
	check_spec(copy, &c);
	err = complaints_end(&c, why);
	if (err == ERR_OK)
		take(copy, out);
	json_object_put(copy);
	return err;
}

static void api_fini(struct type_api *api)
{
	free(api->group);
	free(api->version);
	free(api->kind);
	free(api->plural);
}

void type_fini(struct type *t)
{
	free(t->name);
	api_fini(&t->target);
	api_fini(&t->federated);
	api_fini(&t->status);
	*t = (struct type){0};
}

static struct type_api api_copy(const struct type_api *api)
{
	return (struct type_api){xstrdup(api->group), xstrdup(api->version), xstrdup(api->kind),
	                         xstrdup(api->plural), api->namespaced};
}

struct type type_copy(const struct type *t)
{
	struct type copy = *t;

	copy.name = xstrdup(t->name);
	copy.target = api_copy(&t->target);
	copy.federated = api_copy(&t->federated);
	copy.status = api_copy(&t->status);
	return copy;
}

bool type_is_namespaces(const struct type *t) { return strcmp(t->name, "namespaces") == 0; }

bool type_keeps_statuses(const struct type *t)
{
	return strcmp(t->name, "services") == 0 && t->has_status && t->status.namespaced &&
	       t->status_collection;
}

bool type_is_secrets(const struct type *t) { return strcmp(t->name, "secrets") == 0; }

char *type_api_version(const struct type_api *api)
{
	struct text version = {0};

	text_printf(&version, "%s%s%s", api->group, api->group[0] != '\0' ? "/" : "", api->version);
	return text_take(&version);
}
