/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fakeapi_inside.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

/* --- reading JSON as far as needed: where members and values begin and end --- */

static const char *pass_space(const char *p) { return p + strspn(p, " \t\r\n"); }

/* Past the string that begins at p; NULL: it does not end. */
static const char *pass_string(const char *p)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (!*p)
			return NULL;
	}
	return p + 1;
}

static const char *pass_value(const char *p)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = pass_string(p);
			if (!p)
				return NULL;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && depth-- == 0)
			return NULL;
		else if (!*p)
			return NULL;
		p++;
	} while (depth > 0 || !strchr(",}] \t\r\n", *p));
	return p;
}

struct member {
	struct bytes whole, name, value;
};

/* The member behind p, which is behind `{` or a value; returns what is behind it, or NULL. */
static const char *next_member(const char *p, struct member *out)
{
	const char *begin, *value, *end;

	p = pass_space(p);
	if (*p == ',')
		p = pass_space(p + 1);
	if (*p != '"')
		return NULL;
	begin = p;
	p = pass_string(p);
	if (!p)
		return NULL;
	out->name = (struct bytes){(const uint8_t *)begin + 1, (size_t)(p - begin) - 2};
	p = pass_space(p);
	if (*p != ':')
		return NULL;
	value = pass_space(p + 1);
	end = pass_value(value);
	if (!end)
		return NULL;
	out->value = (struct bytes){(const uint8_t *)value, (size_t)(end - value)};
	out->whole = (struct bytes){(const uint8_t *)begin, (size_t)(end - begin)};
	return end;
}

/* --- shapes --- */

void shape_fini(struct shape *s)
{
	text_fini(&s->json);
	text_fini(&s->metadata);
	text_fini(&s->others);
}

void quotes_set_right(struct text *t)
{
	if (!t->data || strchr(t->data, '"'))
		return;
	for (char *p = strchr(t->data, '\''); p; p = strchr(p, '\''))
		*p = '"';
}

static struct bytes unquoted(struct bytes value)
{
	if (value.len < 2 || value.data[0] != '"')
		return (struct bytes){0};
	return (struct bytes){value.data + 1, value.len - 2};
}

static void add_member(struct text *t, struct bytes member)
{
	text_add(t, ",");
	text_add_bytes(t, member);
}

static void read_metadata(struct shape *s, struct bytes value)
{
	struct member m;
	const char *p = (const char *)value.data + 1;

	while ((p = next_member(p, &m)) != NULL) {
		if (bytes_equal_text(m.name, "name"))
			s->name = unquoted(m.value);
		else if (bytes_equal_text(m.name, "namespace"))
			s->namespace = unquoted(m.value);
		else if (bytes_equal_text(m.name, "uid"))
			s->has_uid = true;
		else if (bytes_equal_text(m.name, "resourceVersion"))
			s->has_version = true;
		else if (bytes_equal_text(m.name, "creationTimestamp"))
			s->has_time = true;
		else if (bytes_equal_text(m.name, "managedFields"))
			s->has_managed = true;
		add_member(&s->metadata, m.whole);
	}
}

void shape_read(struct shape *s, const struct kind *k)
{
	const char *p = pass_space(s->json.data ? s->json.data : "");
	struct member m;

	quotes_set_right(&s->json);
	s->kind = s->api_version = s->name = s->namespace = (struct bytes){0};
	s->has_uid = s->has_version = s->has_time = s->has_managed = false;
	text_reset(&s->metadata);
	text_reset(&s->others);
	text_add(&s->others, "");
	p = *p == '{' ? p + 1 : NULL;
	while (p && (p = next_member(p, &m)) != NULL) {
		if (bytes_equal_text(m.name, "kind"))
			s->kind = m.value;
		else if (bytes_equal_text(m.name, "apiVersion"))
			s->api_version = m.value;
		else if (bytes_equal_text(m.name, "metadata") && *m.value.data == '{')
			read_metadata(s, m.value);
		else
			add_member(&s->others, m.whole);
	}
	if (s->name.len == 0 || (k->namespaced && s->namespace.len == 0))
		fail_msg("fakeapi: not an object with the names that a %s needs: %s", k->name,
		         s->json.data);
}

/* --- objects --- */

static const char managed[] =
	",\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"operation\":\"Update\","
	"\"apiVersion\":\"v1\",\"time\":\"2026-01-01T00:00:00Z\",\"fieldsType\":\"FieldsV1\","
	"\"fieldsV1\":{\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:a\":{}},\"f:labels\":{\".\":"
	"{},\"f:app\":{}}},\"f:spec\":{\"f:ports\":{\".\":{},\"k:{\\\"port\\\":80,\\\"protocol\\\":"
	"\\\"TCP\\\"}\":{\".\":{},\"f:port\":{},\"f:protocol\":{}}},\"f:type\":{}}}}]";

static void add_metadata(struct text *t, const struct shape *s, uint64_t version, uint64_t uid,
                         bool managed_fields, struct object *o)
{
	char digits[24];

	text_add(t, "\"metadata\":");
	o->meta_at = t->len;
	text_add(t, "{");
	text_add(t, s->metadata.data + 1);
	if (!s->has_uid)
		text_printf(t, ",\"uid\":\"5ca1ab1e-0000-4000-8000-%012" PRIx64 "\"", uid);
	if (!s->has_version) {
		o->version_len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, version);
		text_add(t, ",\"resourceVersion\":\"");
		o->version_at = t->len;
		text_printf(t, "%s\"", digits);
	}
	if (!s->has_time)
		text_add(t, ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"");
	text_add(t, managed_fields && !s->has_managed ? managed : "");
	text_add(t, "}");
	o->meta_len = t->len - o->meta_at;
}

static void add_kind(struct text *t, const struct shape *s, const struct kind *k)
{
	text_add(t, "\"kind\":");
	if (s->kind.len > 0)
		text_add_bytes(t, s->kind);
	else
		text_printf(t, "\"%s\"", k->name);
}

static void add_api_version(struct text *t, const struct shape *s, const struct kind *k)
{
	text_add(t, "\"apiVersion\":");
	if (s->api_version.len > 0)
		text_add_bytes(t, s->api_version);
	else
		text_printf(t, "\"%s\"", k->group_version);
}

/* Text and key in one piece with the rest. */
static struct object *object_whole(const struct object *head, struct bytes text, struct bytes key)
{
	struct object *o = xmalloc(sizeof(*o) + text.len + 1 + key.len + 1);
	char *key_at;

	*o = *head;
	o->users = 1;
	o->len = text.len;
	memcpy(o->text, text.data, text.len);
	o->text[text.len] = '\0';
	key_at = o->text + text.len + 1;
	memcpy(key_at, key.data, key.len);
	key_at[key.len] = '\0';
	o->key = key_at;
	return o;
}

struct object *object_make(const struct shape *s, const struct kind *k, uint64_t version,
                           uint64_t uid, bool managed_fields)
{
	struct object head = {.uid = uid, .version = version}, *o;
	struct text t = {0}, key = {0};

	text_add(&t, "{");
	if (k->custom) /* in the order of the alphabet, as maps are written */
		add_api_version(&t, s, k);
	else
		add_kind(&t, s, k);
	text_add(&t, ",");
	if (k->custom)
		add_kind(&t, s, k);
	else
		add_api_version(&t, s, k);
	text_add(&t, ",");
	head.item_at = t.len;
	add_metadata(&t, s, version, uid, managed_fields, &head);
	text_add(&t, s->others.data);
	text_add(&t, "}");
	if (k->namespaced) {
		head.namespace_len = s->namespace.len;
		text_add_bytes(&key, s->namespace);
		text_add(&key, "/");
	}
	text_add_bytes(&key, s->name);
	o = object_whole(&head, (struct bytes){(const uint8_t *)t.data, t.len},
	                 (struct bytes){(const uint8_t *)key.data, key.len});
	text_fini(&t);
	text_fini(&key);
	return o;
}

struct object *object_copy(const struct object *o, uint64_t version)
{
	struct object head = *o, *copy;
	struct text t = {0};
	size_t behind = o->version_at + o->version_len;

	head.version = version;
	if (o->version_at == 0) {
		text_add(&t, o->text);
	} else {
		text_printf(&t, "%.*s%" PRIu64, (int)o->version_at, o->text, version);
		head.version_len = t.len - o->version_at;
		head.meta_len = o->meta_len + head.version_len - o->version_len;
		text_add_bytes(&t,
		               (struct bytes){(const uint8_t *)o->text + behind, o->len - behind});
	}
	copy = object_whole(&head, (struct bytes){(const uint8_t *)t.data, t.len},
	                    bytes_of(o->key));
	text_fini(&t);
	return copy;
}

struct object *object_use(struct object *o)
{
	o->users++;
	return o;
}

void object_drop(struct object *o)
{
	if (o && --o->users == 0)
		free(o);
}

const char *object_name(const struct object *o)
{
	return o->namespace_len ? o->key + o->namespace_len + 1 : o->key;
}

/* The value of a member of the object that begins at p. */
static struct bytes find_member(const char *p, const char *name)
{
	struct member m;

	for (p++; (p = next_member(p, &m)) != NULL;)
		if (bytes_equal_text(m.name, name))
			return m.value;
	return (struct bytes){0};
}

struct bytes object_label(const struct object *o, const char *key)
{
	struct bytes labels = find_member(o->text + o->meta_at, "labels");

	if (labels.len == 0 || labels.data[0] != '{')
		return (struct bytes){0};
	return unquoted(find_member((const char *)labels.data, key));
}
