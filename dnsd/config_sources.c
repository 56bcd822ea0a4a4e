/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "base/yaml.h"
#include "dnsd/config_parts.h"

enum { NAME_MOST = 253 };

/* --- pieces --- */

static void set_text(struct conf_file *file, struct json_object *mapping, struct json_object *value,
                     const char *key, char **out)
{
	const char *text = config_text(file, mapping, value, key);

	if (!text)
		return;
	free(*out);
	*out = xstrdup(text);
}

static void set_path(struct conf_file *file, struct json_object *mapping, struct json_object *value,
                     const char *key, char **out, unsigned *line_out)
{
	const char *text = config_text(file, mapping, value, key);

	if (!text)
		return;
	free(*out);
	*out = conf_relative(file, text);
	*line_out = yaml_line(value);
}

static void set_bool(struct conf_file *file, struct json_object *mapping, struct json_object *value,
                     const char *key, bool *out)
{
	if (json_object_is_type(value, json_type_boolean))
		*out = json_object_get_boolean(value);
	else
		conf_complain(file, value ? value : mapping, "%s must be true or false", key);
}

/* As Kubernetes names objects (RFC 1123). */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		bool alnum =
			(name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9');

		if (!alnum && !((name[i] == '-' || name[i] == '.') && i > 0 && i + 1 < len))
			return false;
	}
	return len > 0 && len <= NAME_MOST;
}

static void set_name(struct conf_file *file, struct json_object *mapping, struct json_object *value,
                     const char *key, char **out)
{
	const char *text = config_text(file, mapping, value, key);

	if (text && !is_name(text))
		conf_complain(file, value,
		              "%s '%.100s' is not a name (small letters, digits, '-' and '.')", key,
		              text);
	else if (text)
		set_text(file, mapping, value, key, out);
}

static void print_text(struct text *out, const char *key, const char *value)
{
	if (!value)
		return;
	text_printf(out, ", %s: ", key);
	text_add_json(out, bytes_of(value));
}

static void print_kubeconfig(struct text *out, const char *file)
{
	if (!file)
		return;
	text_add(out, ", kubeconfig: ");
	conf_print_path(file, out);
}

/* --- the host --- */

static bool read_kubernetes_key(struct conf_file *file, struct json_object *mapping,
                                const char *key, struct json_object *value, void *out)
{
	struct config_kubernetes *k = out;

	if (strcmp(key, "kubeconfig") == 0)
		set_path(file, mapping, value, "sources.kubernetes.kubeconfig", &k->kubeconfig,
		         &k->line);
	else if (strcmp(key, "context") == 0)
		set_text(file, mapping, value, "sources.kubernetes.context", &k->context);
	else if (strcmp(key, "namespace") == 0)
		set_name(file, mapping, value, "sources.kubernetes.namespace", &k->namespace);
	else if (strcmp(key, "inCluster") == 0)
		set_bool(file, mapping, value, "sources.kubernetes.inCluster", &k->in_cluster);
	else if (strcmp(key, "allowLoopback") == 0)
		set_bool(file, mapping, value, "sources.kubernetes.allowLoopback",
		         &k->allow_loopback);
	else if (strcmp(key, "edge") == 0)
		set_bool(file, mapping, value, "sources.kubernetes.edge", &k->edge);
	else
		return false;
	return true;
}

static void kubernetes_fini(struct config_kubernetes *k)
{
	free(k->kubeconfig);
	free(k->context);
	free(k->namespace);
	*k = (struct config_kubernetes){0};
}

void config_kubernetes_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config_kubernetes *k = field;

	kubernetes_fini(k);
	if (!value)
		return;
	if (!json_object_is_type(value, json_type_object)) {
		conf_complain(file, value, "sources.kubernetes must be a mapping");
		return;
	}
	config_mapping(file, value, value, "sources.kubernetes", read_kubernetes_key, k);
	if (k->in_cluster && (k->kubeconfig || k->context))
		conf_complain(file, value,
		              "sources.kubernetes has both inCluster and a kubeconfig");
	else if (!k->in_cluster && !k->kubeconfig)
		conf_complain(file, value,
		              "sources.kubernetes needs a kubeconfig, or inCluster: true");
}

void config_kubernetes_print(const void *field, struct text *out)
{
	const struct config_kubernetes *k = field;

	if (!k->kubeconfig && !k->in_cluster)
		return;
	text_printf(out, "{inCluster: %s", k->in_cluster ? "true" : "false");
	print_kubeconfig(out, k->kubeconfig);
	print_text(out, "context", k->context);
	print_text(out, "namespace", k->namespace);
	text_printf(out, ", allowLoopback: %s, edge: %s}", k->allow_loopback ? "true" : "false",
	            k->edge ? "true" : "false");
}

void config_kubernetes_fini(struct config *c) { kubernetes_fini(&c->kubernetes); }

const char *config_namespace(const struct config *c)
{
	return c->kubernetes.namespace ? c->kubernetes.namespace : "kube-federation-system";
}

bool config_override_host(struct config *c, const char *kubeconfig, const char *context,
                          struct text *errors)
{
	struct config_kubernetes *k = &c->kubernetes;

	if (!kubeconfig && !k->kubeconfig) {
		text_add(errors, "--context needs a kubeconfig\n");
		return false;
	}
	if (kubeconfig) {
		char *cwd = *kubeconfig != '/' ? getcwd(NULL, 0) : NULL;
		struct text path = {0};

		text_printf(&path, "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", kubeconfig);
		free(cwd);
		free(k->kubeconfig);
		free(k->context);
		k->kubeconfig = text_take(&path);
		k->context = NULL;
		k->line = 0;
		k->in_cluster = false;
	}
	if (context) {
		free(k->context);
		k->context = xstrdup(context);
	}
	return true;
}

/* --- members --- */

static struct config *config_of_members(void *field)
{
	return (void *)((char *)field - offsetof(struct config, members));
}

static void read_location(struct conf_file *file, struct json_object *mapping,
                          struct json_object *value, struct config_member *m)
{
	const char *text = config_text(file, mapping, value, "sources.members.location");

	if (!text)
		return;
	m->has_location = place_parse(bytes_of(text), &m->location);
	if (!m->has_location)
		conf_complain(file, value,
		              "sources.members.location: '%.100s' is not a place (34.05,-118.24)",
		              text);
}

static bool read_member_key(struct conf_file *file, struct json_object *mapping, const char *key,
                            struct json_object *value, void *out)
{
	struct config_member *m = out;

	if (strcmp(key, "name") == 0)
		set_name(file, mapping, value, "sources.members.name", &m->name);
	else if (strcmp(key, "kubeconfig") == 0)
		set_path(file, mapping, value, "sources.members.kubeconfig", &m->kubeconfig,
		         &m->line);
	else if (strcmp(key, "context") == 0)
		set_text(file, mapping, value, "sources.members.context", &m->context);
	else if (strcmp(key, "region") == 0)
		set_text(file, mapping, value, "sources.members.region", &m->region);
	else if (strcmp(key, "location") == 0)
		read_location(file, mapping, value, m);
	else if (strcmp(key, "drain") == 0)
		set_bool(file, mapping, value, "sources.members.drain", &m->drain);
	else
		return false;
	return true;
}

static void member_fini(struct config_member *m)
{
	free(m->name);
	free(m->kubeconfig);
	free(m->context);
	free(m->region);
}

static bool has_member(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->member_count; i++)
		if (strcmp(c->members[i].name, name) == 0)
			return true;
	return false;
}

void config_members_read(struct conf_file *file, struct json_object *value, void *field)
{
	struct config *c = config_of_members(field);
	size_t count;

	config_members_fini(c);
	count = config_list(file, value, "sources.members");
	c->members = xcalloc(count, sizeof(*c->members));
	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(value, i);
		struct config_member m = {0};

		config_mapping(file, value, item, "sources.members", read_member_key, &m);
		if (!m.name || !m.kubeconfig) {
			conf_complain(file, item ? item : value,
			              "sources.members needs a name and a kubeconfig");
		} else if (has_member(c, m.name)) {
			conf_complain(file, item, "sources.members names %s twice", m.name);
		} else {
			c->members[c->member_count++] = m;
			continue;
		}
		member_fini(&m);
	}
}

void config_members_fini(struct config *c)
{
	for (size_t i = 0; i < c->member_count; i++)
		member_fini(&c->members[i]);
	free(c->members);
	c->members = NULL;
	c->member_count = 0;
}

static void print_member(const struct config_member *m, struct text *out)
{
	text_add(out, "{name: ");
	text_add_json(out, bytes_of(m->name));
	print_kubeconfig(out, m->kubeconfig);
	print_text(out, "context", m->context);
	print_text(out, "region", m->region);
	if (m->has_location)
		text_printf(out, ", location: \"%.9g,%.9g\"", m->location.latitude,
		            m->location.longitude);
	text_printf(out, ", drain: %s}", m->drain ? "true" : "false");
}

void config_members_print(const void *field, struct text *out)
{
	const struct config *c =
		(const void *)((const char *)field - offsetof(struct config, members));

	if (c->member_count == 0)
		return;
	text_add(out, "[");
	for (size_t i = 0; i < c->member_count; i++) {
		text_add(out, i > 0 ? ",\n  " : "\n  ");
		print_member(&c->members[i], out);
	}
	text_add(out, "]");
}

/* --- comparing --- */

bool config_same_clusters(const struct config *a, const struct config *b)
{
	struct text x = {0}, y = {0};
	bool same;

	config_kubernetes_print(&a->kubernetes, &x);
	config_members_print(&a->members, &x);
	config_kubernetes_print(&b->kubernetes, &y);
	config_members_print(&b->members, &y);
	same = bytes_equal_text(bytes_of(x.data), y.data ? y.data : "") &&
	       memcmp(&a->watch, &b->watch, sizeof(a->watch)) == 0;
	text_fini(&x);
	text_fini(&y);
	return same;
}
