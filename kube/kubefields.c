/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubefields.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "base/yaml.h"
#include "kube/base64.h"
#include "base/smallfile.h"

void kubefields_fail(const struct kubefields *f, const char *key, enum err err, const char *fmt,
                     ...)
{
	struct kubefields_source *in = f->in;
	unsigned line = yaml_key_line(f->map, key);
	struct reason said;
	va_list ap;

	if (in->err)
		return;
	in->err = err;
	va_start(ap, fmt);
	(void)vsnprintf(said.text, sizeof(said.text), fmt, ap);
	va_end(ap);
	if (line == 0)
		line = yaml_line(f->map);
	(void)reason_set(in->why, err, "%s%s%s: %s", f->name, f->name[0] ? "." : "", key,
	                 said.text);
	if (line > 0)
		reason_prefix(in->why, "%s:%u: ", f->file, line);
	else
		reason_prefix(in->why, "%s: ", f->file);
}

static struct json_object *find(const struct kubefields *f, const char *key)
{
	struct json_object *value = NULL;

	if (f->map && !f->in->err)
		(void)json_object_object_get_ex(f->map, key, &value);
	return value;
}

static const char *type_text(enum json_type type)
{
	switch (type) {
	case json_type_null:
		return "nothing";
	case json_type_boolean:
		return "true or false";
	case json_type_double:
	case json_type_int:
		return "a number";
	case json_type_object:
		return "a mapping";
	case json_type_array:
		return "a list";
	case json_type_string:
		break;
	}
	return "text";
}

/* The value, when there is one and it is of the type. */
static struct json_object *find_typed(const struct kubefields *f, const char *key,
                                      enum json_type type)
{
	struct json_object *value = find(f, key);

	if (!value || json_object_is_type(value, type))
		return value;
	kubefields_fail(f, key, ERR_PARSE, "must be %s, not %s", type_text(type),
	                type_text(json_object_get_type(value)));
	return NULL;
}

bool kubefields_has(const struct kubefields *f, const char *key)
{
	struct json_object *value = find(f, key);

	switch (json_object_get_type(value)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(value);
	case json_type_string:
		return json_object_get_string_len(value) > 0;
	case json_type_array:
		return json_object_array_length(value) > 0;
	case json_type_object:
		return json_object_object_length(value) > 0;
	case json_type_double:
	case json_type_int:
		break;
	}
	return true;
}

struct bytes kubefields_raw(const struct kubefields *f, const char *key, size_t limit)
{
	struct json_object *value = find_typed(f, key, json_type_string);
	const char *text = value ? json_object_get_string(value) : "";
	struct bytes raw = {(const uint8_t *)text,
	                    value ? (size_t)json_object_get_string_len(value) : 0};

	if (raw.len > limit)
		kubefields_fail(f, key, ERR_RANGE, "more than %zu bytes", limit);
	else if (strlen(text) != raw.len)
		kubefields_fail(f, key, ERR_PARSE, "holds a NUL");
	else
		return raw;
	return (struct bytes){0};
}

enum { TEXT_MOST = 4096 };

const char *kubefields_text(const struct kubefields *f, const char *key)
{
	struct bytes raw = kubefields_raw(f, key, TEXT_MOST);

	for (size_t i = 0; i < raw.len; i++) {
		if (raw.data[i] >= ' ' && raw.data[i] != 0x7f)
			continue;
		kubefields_fail(f, key, ERR_PARSE, "holds a control character");
		return NULL;
	}
	return raw.len > 0 ? (const char *)raw.data : NULL;
}

bool kubefields_bool(const struct kubefields *f, const char *key)
{
	return json_object_get_boolean(find_typed(f, key, json_type_boolean));
}

char *kubefields_path(const struct kubefields *f, const char *key)
{
	const char *path = kubefields_text(f, key);
	const char *slash = strrchr(f->file, '/');
	struct text whole = {0};

	if (!path)
		return NULL;
	if (path[0] != '/' && slash)
		text_add_bytes(&whole, (struct bytes){(const uint8_t *)f->file,
		                                      (size_t)(slash + 1 - f->file)});
	text_add(&whole, path);
	return text_take(&whole);
}

void kubefields_pem(const struct kubefields *f, const char *key, struct kube_secret *out)
{
	/* A third more than what it stands for, and white space. */
	struct bytes text = kubefields_raw(f, key, (size_t)KUBE_SECRET_MOST * 3 / 2);
	struct buffer decoded = {0};
	struct bytes pem;
	struct reason why;

	if (text.len == 0)
		return;
	/* At once as large as it gets: copies left behind by growing would not be wiped. */
	(void)buffer_extend(&decoded, text.len + 4);
	buffer_reset(&decoded);
	if (!base64_decode(text, &decoded)) {
		kubefields_fail(f, key, ERR_PARSE, "is not base64");
	} else {
		pem = (struct bytes){decoded.data, decoded.len};
		if (kube_pem_check(pem, &why) != ERR_OK)
			kubefields_fail(f, key, ERR_PARSE, "%s", why.text);
		else
			kube_secret_set(out, pem);
	}
	smallfile_wipe(&decoded);
}

static void set_name(struct kubefields *out, const struct kubefields *outer, const char *key)
{
	/* A copy, as `out` may be `outer`.  The longest that there is, "users[9999].user.exec.env[1023]", fits. */
	char name[sizeof(out->name)];

	(void)snprintf(name, sizeof(name), "%.47s%s%.47s", outer->name, outer->name[0] ? "." : "",
	               key);
	memcpy(out->name, name, sizeof(name));
}

void kubefields_child(const struct kubefields *f, const char *key, struct kubefields *out)
{
	out->map = find_typed(f, key, json_type_object);
	out->in = f->in;
	out->file = f->file;
	set_name(out, f, key);
}

size_t kubefields_count(const struct kubefields *f, const char *key, size_t limit)
{
	struct json_object *list = find_typed(f, key, json_type_array);
	size_t count = list ? json_object_array_length(list) : 0;

	if (count <= limit)
		return count;
	kubefields_fail(f, key, ERR_RANGE, "more than %zu items", limit);
	return 0;
}

void kubefields_item(const struct kubefields *f, const char *key, size_t i, struct kubefields *out)
{
	struct json_object *list = find_typed(f, key, json_type_array);
	char label[64];

	*out = (struct kubefields){.in = f->in, .file = f->file};
	if (!list)
		return;
	out->map = json_object_array_get_idx(list, i);
	(void)snprintf(label, sizeof(label), "%s[%zu]", key, i);
	set_name(out, f, label);
	if (json_object_is_type(out->map, json_type_object))
		return;
	kubefields_fail(f, key, ERR_PARSE, "item %zu is no mapping", i);
	out->map = NULL;
}

char **kubefields_list(const struct kubefields *f, const char *key, size_t limit, size_t *count)
{
	struct json_object *list = find_typed(f, key, json_type_array);
	size_t n = kubefields_count(f, key, limit);
	char **text = n > 0 ? xcalloc(n, sizeof(*text)) : NULL;

	for (size_t i = 0; i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (!json_object_is_type(item, json_type_string))
			kubefields_fail(f, key, ERR_PARSE, "item %zu is no text", i);
		else if (strlen(json_object_get_string(item)) !=
		         (size_t)json_object_get_string_len(item))
			kubefields_fail(f, key, ERR_PARSE, "item %zu holds a NUL", i);
		text[i] = xstrdup(f->in->err ? "" : json_object_get_string(item));
	}
	*count = n;
	return text;
}
