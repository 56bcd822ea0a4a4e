/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/discovery.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "ctl/apiserver.h"
#include "ctl/fields.h"
#include "ctl/remote.h"
#include "propagator/jsontree.h"

void discovery_kind_fini(struct discovery_kind *k)
{
	free(k->api.group);
	free(k->api.version);
	free(k->api.kind);
	free(k->api.plural);
	free(k->singular);
	json_object_put(k->short_names);
	*k = (struct discovery_kind){0};
}

static struct discovery_kind copy_of(const struct discovery_kind *k)
{
	return (struct discovery_kind){.api = {xstrdup(k->api.group), xstrdup(k->api.version),
	                                       xstrdup(k->api.kind), xstrdup(k->api.plural),
	                                       k->api.namespaced},
	                               .singular = xstrdup(k->singular),
	                               .short_names = json_object_get(k->short_names),
	                               .has_scale = k->has_scale,
	                               .can_list = k->can_list,
	                               .can_create = k->can_create};
}

/* --- what a server lists --- */

static bool has_word(struct json_object *list, const char *word)
{
	for (size_t i = 0; i < jsontree_count(list); i++)
		if (strcasecmp(jsontree_word(jsontree_item(list, i), NULL), word) == 0)
			return true;
	return false;
}

static bool has_scale(struct json_object *resource_list, const char *plural)
{
	struct text name = {0};
	bool has;

	text_printf(&name, "%s/scale", plural);
	has = fields_named(resource_list, "resources", name.data) != NULL;
	text_fini(&name);
	return has;
}

void discovery_read(struct json_object *resource_list, discovery_on_kind_fn *on_kind, void *arg)
{
	const char *group_version = fields_text(resource_list, "groupVersion");
	const char *slash = strchr(group_version, '/');

	for (size_t i = 0; i < fields_count(resource_list, "resources"); i++) {
		struct json_object *item = fields_item(resource_list, "resources", i);
		const char *name = fields_text(item, "name");
		struct json_object *verbs = fields_find(item, "verbs");
		struct discovery_kind kind = {
			.api = {slash ? xstrndup(group_version, (size_t)(slash - group_version))
		                      : xstrdup(""),
		                xstrdup(slash ? slash + 1 : group_version),
		                xstrdup(fields_text(item, "kind")), xstrdup(name),
		                fields_bool(item, "namespaced")},
			.singular = xstrdup(fields_text(item, "singularName")),
			.short_names = json_object_get(fields_find(item, "shortNames")),
			.has_scale = has_scale(resource_list, name),
			.can_list = has_word(verbs, "list"),
			.can_create = has_word(verbs, "create")};

		if (*name && !strchr(name, '/'))
			on_kind(&kind, arg);
		discovery_kind_fini(&kind);
	}
}

bool discovery_is_meant(const struct discovery_kind *kind, const char *word)
{
	const char *dot = strchr(word, '.');
	char *name = xstrndup(word, dot ? (size_t)(dot - word) : strlen(word));
	bool is_meant =
		*name != '\0' &&
		(strcasecmp(name, kind->api.plural) == 0 || strcasecmp(name, kind->api.kind) == 0 ||
	         strcasecmp(name, kind->singular) == 0 || has_word(kind->short_names, name));

	free(name);
	return is_meant && (!dot || strcmp(dot + 1, kind->api.group) == 0);
}

/* --- asking --- */

static enum err ask(const struct apiserver *s, const char *group_version, const char *root,
                    discovery_on_kind_fn *on_kind, void *arg, struct reason *why)
{
	struct json_object *list;
	struct text path = {0};
	enum err err;

	text_printf(&path, "%s/%s", root, group_version);
	err = remote_get_over(s->caller, &s->access, path.data, &list, why);
	discovery_read(list, on_kind, arg);
	json_object_put(list);
	text_fini(&path);
	return err;
}

enum err discovery_each(const struct apiserver *s, discovery_on_kind_fn *on_kind, void *arg,
                        struct reason *why)
{
	struct reason later = {0};
	struct json_object *groups;
	enum err err = ask(s, "v1", "/api", on_kind, arg, why);

	if (err)
		return err;
	err = remote_get_over(s->caller, &s->access, "/apis", &groups, why);
	for (size_t i = 0; i < fields_count(groups, "groups"); i++) {
		struct json_object *group = fields_item(groups, "groups", i);
		enum err failed =
			ask(s, jsontree_word(group, "preferredVersion", "groupVersion", NULL),
		            "/apis", on_kind, arg, err ? &later : why);

		err = err ? err : failed;
	}
	json_object_put(groups);
	return err;
}

struct search {
	const char *word;
	struct discovery_kind found;
	size_t count;
	struct text all;
};

static void on_kind(const struct discovery_kind *kind, void *arg)
{
	struct search *s = arg;

	if (!discovery_is_meant(kind, s->word))
		return;
	text_printf(&s->all, "%s%s.%s", s->count ? ", " : "", kind->api.plural, kind->api.group);
	if (s->count++ == 0)
		s->found = copy_of(kind);
}

enum err discovery_find(const struct apiserver *s, const char *word, struct discovery_kind *out,
                        struct reason *why)
{
	struct search search = {.word = word};
	enum err err = discovery_each(s, on_kind, &search, why);

	if (search.count == 1) {
		*out = search.found;
		search.found = (struct discovery_kind){0};
		err = ERR_OK;
	} else if (search.count > 1) {
		err = reason_set(why, ERR_CONFLICT, "%s may be any of %s", word, search.all.data);
	} else if (!err) {
		err = reason_set(why, ERR_NOTFOUND, "there is no kind %s", word);
	}
	discovery_kind_fini(&search.found);
	text_fini(&search.all);
	return err;
}
