/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/ceiling.h"

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/xalloc.h"
#include "propagator/jsontree.h"

enum { TEXT_MOST = 65536, SHOWN = 80 };

/* Texts are patterns: at most one "*" in each, which stands for anything. */
struct limits {
	struct conf_strings kinds;      /* "Deployment.apps", "ConfigMap" */
	struct conf_strings namespaces; /* of objects in one, and names of Namespaces */
	struct conf_strings roles;      /* to which may be bound */
	struct conf_strings verbs;      /* of those that give rights to give rights */
	bool wildcards;                 /* "*" in rules, and aggregated ones */
};

struct ceiling {
	struct limits limits;
	struct text trouble;
};

static const struct conf_row rows[] = {
	{.path = "kinds",
         .type = CONF_STRINGS,
         .offset = offsetof(struct limits, kinds),
         .preset = "[\"*\"]",
         .sentence = "KIND.GROUP, or KIND of the core group."},
	{.path = "namespaces",
         .type = CONF_STRINGS,
         .offset = offsetof(struct limits, namespaces),
         .preset = "[\"*\"]",
         .sentence = "Namespaces, and what is in them."},
	{.path = "rbac.roles",
         .type = CONF_STRINGS,
         .offset = offsetof(struct limits, roles),
         .sentence = "Roles and ClusterRoles to which may be bound."},
	{.path = "rbac.verbs",
         .type = CONF_STRINGS,
         .offset = offsetof(struct limits, verbs),
         .sentence = "Those of escalate, bind and impersonate that may be given."},
	{.path = "rbac.wildcards",
         .type = CONF_BOOL,
         .offset = offsetof(struct limits, wildcards),
         .preset = "false",
         .sentence = "Whether rules may have \"*\", and be aggregated."},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* --- reading --- */

static void check_patterns(const struct conf_strings *list, const char *path, struct text *trouble)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *star = strchr(list->item[i], '*');

		if (star && strchr(star + 1, '*') && trouble->len == 0)
			text_printf(trouble, "%s: more than one * in a pattern", path);
	}
}

static void read_limits(const char *yaml, struct ceiling *c)
{
	struct text errors = {0};

	if (strlen(yaml) > TEXT_MOST)
		text_add(&c->trouble, "the key \"ceiling\" is too long");
	else if (conf_read_text(rows, ROWS, "ceiling", bytes_of(yaml), &c->limits, &errors) !=
	         ERR_OK)
		text_printf(&c->trouble, "%.*s", (int)strcspn(errors.data, "\n"), errors.data);
	text_fini(&errors);
	check_patterns(&c->limits.kinds, "kinds", &c->trouble);
	check_patterns(&c->limits.namespaces, "namespaces", &c->trouble);
	check_patterns(&c->limits.roles, "rbac.roles", &c->trouble);
}

struct ceiling *ceiling_read(struct json_object *config_map)
{
	struct ceiling *c = xcalloc(1, sizeof(*c));
	const char *yaml = jsontree_text(config_map, "data", "ceiling", NULL);

	text_add(&c->trouble, "");
	conf_defaults(rows, ROWS, &c->limits);
	if (yaml)
		read_limits(yaml, c);
	else
		text_add(&c->trouble, "it has no key \"ceiling\"");
	return c;
}

void ceiling_free(struct ceiling *c)
{
	if (!c)
		return;
	conf_fini(rows, ROWS, &c->limits);
	text_fini(&c->trouble);
	free(c);
}

const char *ceiling_trouble(const struct ceiling *c) { return c->trouble.data; }

/* --- what may be pushed --- */

static bool fits(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	size_t before = star ? (size_t)(star - pattern) : 0;
	size_t after = star ? strlen(star + 1) : 0, len = strlen(name);

	if (!star)
		return strcmp(pattern, name) == 0;
	return len >= before + after && strncmp(pattern, name, before) == 0 &&
	       strcmp(star + 1, name + len - after) == 0;
}

static bool has(const struct conf_strings *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fits(patterns->item[i], name))
			return true;
	return false;
}

static bool forbid(struct reason *why, const char *rule, const char *what, const char *name)
{
	char shown[SHOWN];

	(void)reason_set(why, ERR_DENIED, "the ceiling of the cluster forbids it: %s: %s %s", rule,
	                 what, text_shown(bytes_of(name), shown, sizeof(shown)));
	return false;
}

static bool allows_kind(const struct limits *l, const struct type *type, struct reason *why)
{
	const struct type_api *target = &type->target;
	struct text name = {0};
	bool allowed;

	text_printf(&name, "%s%s%s", target->kind, target->group[0] != '\0' ? "." : "",
	            target->group);
	allowed = has(&l->kinds, name.data) || forbid(why, "kinds", "not of", name.data);
	text_fini(&name);
	return allowed;
}

static bool allows_namespace(const struct limits *l, const struct type *type,
                             struct json_object *object, struct reason *why)
{
	const char *name;

	if (type->target.namespaced)
		name = jsontree_word(object, "metadata", "namespace", NULL);
	else if (type_is_namespaces(type))
		name = jsontree_word(object, "metadata", "name", NULL);
	else
		return true;
	return has(&l->namespaces, name) || forbid(why, "namespaces", "not of", name);
}

/* A list of texts of a rule. */
static bool allows_list(const struct limits *l, struct json_object *list, struct reason *why)
{
	static const char *const giving[] = {"escalate", "bind", "impersonate"};

	for (size_t i = 0; i < jsontree_count(list); i++) {
		struct json_object *item = jsontree_item(list, i);
		const char *text = json_object_is_type(item, json_type_string)
		                           ? json_object_get_string(item)
		                           : "";

		if (strchr(text, '*') && !l->wildcards)
			return forbid(why, "rbac.wildcards", "a rule has", text);
		for (size_t g = 0; g < sizeof(giving) / sizeof(giving[0]); g++)
			if (strcmp(text, giving[g]) == 0 && !has(&l->verbs, text))
				return forbid(why, "rbac.verbs", "a rule has", text);
	}
	return true;
}

/* Of RBAC, and of other kinds that give rights in its words (KubeSphere's GlobalRole, say). */
static bool allows_rules(const struct limits *l, struct json_object *object, struct reason *why)
{
	static const char *const lists[] = {"verbs", "apiGroups", "resources", "nonResourceURLs"};
	struct json_object *rules = jsontree_get(object, "rules", NULL);

	for (size_t i = 0; i < jsontree_count(rules); i++) {
		struct json_object *rule = jsontree_item(rules, i);

		for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
			if (jsontree_get(rule, "verbs", NULL) &&
			    !allows_list(l, jsontree_get(rule, lists[k], NULL), why))
				return false;
	}
	if (jsontree_get(object, "aggregationRule", NULL) && !l->wildcards)
		return forbid(why, "rbac.wildcards", "rules are", "aggregated");
	return true;
}

static bool allows_binding(const struct limits *l, struct json_object *object, struct reason *why)
{
	const char *role = jsontree_word(object, "roleRef", "name", NULL);

	if (!jsontree_get(object, "roleRef", NULL) || has(&l->roles, role))
		return true;
	return forbid(why, "rbac.roles", "it binds to", role);
}

static bool is_ceiling(const struct type *type, const char *kubefed_namespace,
                       struct json_object *object)
{
	return strcmp(type->target.kind, "ConfigMap") == 0 && type->target.group[0] == '\0' &&
	       strcmp(jsontree_word(object, "metadata", "name", NULL), CEILING_NAME) == 0 &&
	       strcmp(jsontree_word(object, "metadata", "namespace", NULL), kubefed_namespace) == 0;
}

bool ceiling_allows(const struct ceiling *c, const struct type *type, const char *kubefed_namespace,
                    struct json_object *object, struct reason *why)
{
	if (is_ceiling(type, kubefed_namespace, object)) {
		(void)reason_set(why, ERR_DENIED, "the ceiling of a cluster is the cluster's own");
		return false;
	}
	if (!c)
		return true;
	if (c->trouble.len > 0) {
		(void)reason_set(why, ERR_DENIED, "the ceiling of the cluster cannot be read: %s",
		                 c->trouble.data);
		return false;
	}
	return allows_kind(&c->limits, type, why) &&
	       allows_namespace(&c->limits, type, object, why) &&
	       allows_rules(&c->limits, object, why) && allows_binding(&c->limits, object, why);
}
