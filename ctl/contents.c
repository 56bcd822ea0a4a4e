/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/contents.h"

#include <json-c/json_object.h>
#include <string.h>

#include "base/text.h"
#include "ctl/discovery.h"
#include "ctl/outlook.h"
#include "propagator/jsontree.h"

bool contents_is_made_everywhere(struct json_object *object)
{
	const char *kind = jsontree_word(object, "kind", NULL);
	const char *name = jsontree_word(object, "metadata", "name", NULL);

	return jsontree_count(jsontree_get(object, "metadata", "ownerReferences", NULL)) > 0 ||
	       (strcmp(kind, "ConfigMap") == 0 && strcmp(name, "kube-root-ca.crt") == 0) ||
	       (strcmp(kind, "ServiceAccount") == 0 && strcmp(name, "default") == 0) ||
	       strcmp(jsontree_word(object, "type", NULL), "kubernetes.io/service-account-token") ==
	               0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

bool contents_is_for_all(const struct discovery_kind *kind)
{
	static const char *const groups[] = {"nigh.dev", "coordination.k8s.io", "discovery.k8s.io"};

	if (!kind->api.namespaced || !kind->can_list || !kind->can_create ||
	    ends_with(kind->api.group, "kubefed.io") || strcmp(kind->api.plural, "events") == 0 ||
	    (!*kind->api.group && strcmp(kind->api.plural, "endpoints") == 0))
		return false;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(kind->api.group, groups[i]) == 0)
			return false;
	return true;
}

/* --- what is left --- */

struct search {
	const struct outlook *o;
	const char *namespace;
	contents_left_fn *on_left;
	void *arg;
};

static bool is_same(const struct type_api *a, const struct type_api *b)
{
	return strcmp(a->group, b->group) == 0 && strcmp(a->plural, b->plural) == 0;
}

/* Is it federated, or a federated kind itself? */
static bool is_enabled(const struct outlook *o, const struct type_api *api)
{
	bool is = false;

	for (size_t i = 0; !is && i < jsontree_count(o->types); i++) {
		struct type type;

		if (type_read(jsontree_item(o->types, i), &type, NULL) != ERR_OK)
			continue;
		is = is_same(&type.target, api) || is_same(&type.federated, api);
		type_fini(&type);
	}
	return is;
}

static void on_kind(const struct discovery_kind *kind, void *arg)
{
	const struct search *s = arg;
	const struct kube_resource r = apiserver_resource(&kind->api);
	struct json_object *all;
	struct reason why = {0};
	struct text name = {0};
	size_t count = 0;
	enum err err;

	if (!contents_is_for_all(kind) || is_enabled(s->o, &kind->api))
		return;
	err = apiserver_list(&s->o->host, &r, s->namespace, NULL, &all, &why);
	for (size_t i = 0; i < jsontree_count(all); i++)
		count += !contents_is_made_everywhere(jsontree_item(all, i));
	text_printf(&name, "%s.%s", kind->api.plural, kind->api.group);
	if (err || count)
		s->on_left(name.data, count, err ? why.text : "", s->arg);
	text_fini(&name);
	json_object_put(all);
}

enum err contents_each_left(const struct outlook *o, const char *namespace,
                            contents_left_fn *on_left, void *arg, struct reason *why)
{
	struct search search = {o, namespace, on_left, arg};

	return discovery_each(&o->host, on_kind, &search, why);
}
