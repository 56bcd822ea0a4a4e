/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/decode.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "watcher/decode_kind.h"

enum { NAME_MOST = 253 }; /* of a DNS subdomain, RFC 1123 as Kubernetes reads it */

/* --- labels and annotations --- */

static struct bytes metadata_text(const struct field *object, const char *map, const char *key)
{
	struct field metadata = field_get(object, "metadata");
	struct field texts = field_get(&metadata, map);
	struct field text = field_get(&texts, key);

	return field_text(&text);
}

struct bytes decode_label(const struct field *object, const char *key)
{
	return metadata_text(object, "labels", key);
}

struct bytes decode_annotation(const struct field *object, const char *key)
{
	return metadata_text(object, "annotations", key);
}

struct bytes decode_topology(const struct field *object, const char *what)
{
	static const char *const generations[] = {"topology.kubernetes.io",
	                                          "failure-domain.beta.kubernetes.io"};
	struct bytes text = {0};

	for (size_t i = 0; i < 2 && text.len == 0; i++) {
		char key[64];

		(void)snprintf(key, sizeof(key), "%s/%s", generations[i], what);
		text = decode_label(object, key);
	}
	return text;
}

/* --- kinds --- */

/* "group/version", or "version" alone for the core group. */
static bool kind_is(const struct decode_kind *k, const char *kind, const char *api_version)
{
	const char *slash = strchr(api_version, '/');
	size_t group_len = slash ? (size_t)(slash - api_version) : 0;
	const char *version = slash ? slash + 1 : api_version;

	return !strcmp(k->kind, kind) && strlen(k->group) == group_len &&
	       !memcmp(k->group, api_version, group_len) && *version != '\0' &&
	       (!k->version || !strcmp(k->version, version));
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

/* --- metadata --- */

bool decode_is_name(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		bool inside = i > 0 && i + 1 < name.len && (c == '-' || c == '.' || c == '_');

		if (!alnum && !inside)
			return false;
	}
	return name.len > 0 && name.len <= NAME_MOST;
}

static int64_t read_created(const struct field *metadata)
{
	struct field created = field_get(metadata, "creationTimestamp");
	struct bytes text = field_text(&created);
	int64_t at = FACT_NO_TIME;

	if (created.value && !text_to_time(text, &at))
		field_fail(&created, ERR_PARSE, "is not a time (2026-01-02T03:04:05Z)");
	return at;
}

static void read_key(const struct field *object, bool cluster_wide, struct fact_value *out)
{
	struct field metadata = field_get(object, "metadata");
	struct field name = field_get(&metadata, "name");
	struct field namespace = field_get(&metadata, "namespace");

	out->name = field_required(&name);
	if (!decode_is_name(out->name))
		field_fail(&name, ERR_PARSE, "is not a name (letters, digits, '-' and '.')");
	out->created = read_created(&metadata);
	if (cluster_wide)
		return;
	out->namespace = field_text(&namespace);
	if (out->namespace.len == 0)
		out->namespace = bytes_of("default");
	if (!decode_is_name(out->namespace))
		field_fail(&namespace, ERR_PARSE, "is not a name (letters, digits, '-' and '.')");
}

/* --- the door --- */

/* "Service shop/web: ", as far as the key is fit to be shown. */
static void prefix_object(const char *kind, const struct fact_value *v, struct reason *why)
{
	bool named = decode_is_name(v->name);
	bool spaced = named && decode_is_name(v->namespace);

	reason_prefix(why, "%s%s%.*s%s%.*s: ", kind, named ? " " : "",
	              spaced ? (int)v->namespace.len : 0,
	              spaced ? (const char *)v->namespace.data : "", spaced ? "/" : "",
	              named ? (int)v->name.len : 0, named ? (const char *)v->name.data : "");
}

static enum err decode_as(const struct decode_kind *k, struct json_object *object, struct arena *a,
                          const struct fact **out, struct reason *why)
{
	struct field_reading reading = {.arena = a, .why = why};
	struct field root = field_root(&reading, object);
	struct fact_value value = {.kind = k->fact};
	enum err err;

	read_key(&root, k->cluster_wide, &value);
	if (!reading.err)
		k->fill(&root, &value);
	err = reading.err;
	if (!err)
		err = fact_encode(&value, out, why);
	if (why->text[0] != '\0')
		prefix_object(k->kind, &value, why);
	return err;
}

enum err decode_object(struct json_object *object, enum decode_role role, struct arena *a,
                       const struct fact **out, struct reason *why)
{
	const struct decode_kind *k = role == DECODE_HOST ? decode_host_kinds : decode_member_kinds;
	struct reason unwanted;
	const char *kind, *api_version;

	*out = NULL;
	if (!why)
		why = &unwanted;
	why->text[0] = '\0';
	if (!json_object_is_type(object, json_type_object))
		return reason_set(why, ERR_PARSE,
		                  "not an object (a mapping with apiVersion and kind)");
	kind = text_of(object, "kind");
	api_version = text_of(object, "apiVersion");
	/* Not "a kind that does not matter": it may be an object that is half written. */
	if (*kind == '\0' || *api_version == '\0')
		return reason_set(why, ERR_PARSE, "an object without %s",
		                  *kind == '\0' ? "kind" : "apiVersion");
	while (k->kind && !kind_is(k, kind, api_version))
		k++;
	return k->kind ? decode_as(k, object, a, out, why) : ERR_OK;
}

/* Gives an item the kind and apiVersion of its list where it has none. */
static void complete_item(struct json_object *item, const char *list_kind, const char *api_version)
{
	size_t len = strlen(list_kind) - strlen("List");

	if (len == 0 || !json_object_is_type(item, json_type_object))
		return;
	if (!json_object_object_get_ex(item, "kind", NULL))
		json_object_object_add(item, "kind",
		                       json_object_new_string_len(list_kind, (int)len));
	if (!json_object_object_get_ex(item, "apiVersion", NULL))
		json_object_object_add(item, "apiVersion", json_object_new_string(api_version));
}

struct json_object *decode_list_items(struct json_object *object)
{
	struct json_object *items;
	const char *kind;
	size_t len, count;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	kind = text_of(object, "kind");
	len = strlen(kind);
	if (len < strlen("List") || strcmp(kind + len - strlen("List"), "List") != 0 ||
	    !json_object_object_get_ex(object, "items", &items) ||
	    !json_object_is_type(items, json_type_array))
		return NULL;
	count = json_object_array_length(items);
	for (size_t i = 0; i < count; i++)
		complete_item(json_object_array_get_idx(items, i), kind,
		              text_of(object, "apiVersion"));
	return items;
}
