/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/apiserver.h"

#include <json-c/json_object.h>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/login.h"
#include "ctl/remote.h"
#include "kube/transport.h"
#include "propagator/jsontree.h"
#include "propagator/type.h"

enum { PAGE = 500, PAGES_MOST = 2000, TRIES_MOST = 5 };

int apiserver_open(struct apiserver *s, const struct command *c)
{
	struct reason why = {0};

	*s = (struct apiserver){.dry_run = c->dry_run};
	if (login_read(c, &s->access, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	apiserver_dial(s);
	return COMMAND_FINE;
}

void apiserver_dial(struct apiserver *s)
{
	kube_transport_setup();
	s->caller = kube_caller_new(&s->access);
}

void apiserver_close(struct apiserver *s)
{
	kube_caller_free(s->caller);
	kube_access_fini(&s->access);
	s->caller = NULL;
}

const char *apiserver_hint(enum err err)
{
	return err == ERR_NOTFOUND ? " (is it the host? it has the kinds of deploy/crds and "
	                             "deploy/crds/federation)"
	                           : "";
}

struct kube_resource apiserver_resource(const struct type_api *api)
{
	return (struct kube_resource){api->group, api->version, api->plural, api->kind};
}

enum err apiserver_get(const struct apiserver *s, const struct kube_resource *r,
                       const char *namespace, const char *name, struct json_object **out,
                       struct reason *why)
{
	struct text path = {0};
	enum err err;

	kube_path(&path, r, namespace, name);
	err = remote_get_over(s->caller, &s->access, path.data, out, why);
	text_fini(&path);
	return err;
}

/* --- lists --- */

static void take_items(struct json_object *page, const struct kube_resource *r,
                       struct json_object *all)
{
	struct json_object *items = fields_find(page, "items");
	const char *api_version = fields_text(page, "apiVersion");

	for (size_t i = 0; i < jsontree_count(items); i++) {
		struct json_object *item = jsontree_item(items, i);

		if (!json_object_is_type(item, json_type_object))
			continue;
		/* The items of a list do not say what they are. */
		jsontree_set(item, json_object_new_string(api_version), "apiVersion", NULL);
		jsontree_set(item, json_object_new_string(r->kind), "kind", NULL);
		json_object_array_add(all, json_object_get(item));
	}
}

enum err apiserver_list(const struct apiserver *s, const struct kube_resource *r,
                        const char *namespace, const char *selector, struct json_object **out,
                        struct reason *why)
{
	struct json_object *page = NULL;
	struct text next = {0};
	enum err err = ERR_OK;

	*out = json_object_new_array();
	for (int pages = 0; err == ERR_OK && pages < PAGES_MOST; pages++) {
		struct text path = {0};

		kube_path(&path, r, namespace, NULL);
		text_printf(&path, "?limit=%d", PAGE);
		if (selector) {
			text_add(&path, "&labelSelector=");
			kube_path_part(&path, bytes_of(selector));
		}
		if (next.len) {
			text_add(&path, "&continue=");
			kube_path_part(&path, bytes_of(next.data));
		}
		err = remote_get_over(s->caller, &s->access, path.data, &page, why);
		take_items(page, r, *out);
		text_reset(&next);
		text_add(&next, jsontree_word(page, "metadata", "continue", NULL));
		json_object_put(page);
		text_fini(&path);
		if (!next.len)
			break;
	}
	text_fini(&next);
	if (err) {
		json_object_put(*out);
		*out = NULL;
	}
	return err;
}

/* --- writes --- */

static enum err send_change(const struct apiserver *s, const char *method, const char *type,
                            const struct text *path, const char *arguments,
                            struct json_object *body, struct json_object **out, struct reason *why)
{
	struct text whole = {0};
	const struct remote_change change = {method, NULL, type, body};
	struct remote_change send = change;
	enum err err;

	text_printf(&whole, "%s?fieldManager=%s%s%s", path->data,
	            s->manager ? s->manager : APISERVER_MANAGER, arguments,
	            s->dry_run ? "&dryRun=All" : "");
	send.path = whole.data;
	err = remote_send(s->caller, &s->access, &send, out, why);
	text_fini(&whole);
	return err;
}

enum err apiserver_apply(const struct apiserver *s, const struct kube_resource *r,
                         const char *namespace, const char *name, struct json_object *object,
                         struct json_object **out, struct reason *why)
{
	struct text path = {0};
	enum err err;

	kube_path(&path, r, namespace, name);
	err = send_change(s, "PATCH", "application/apply-patch+yaml", &path, "&force=true", object,
	                  out, why);
	text_fini(&path);
	return err;
}

enum err apiserver_create(const struct apiserver *s, const struct kube_resource *r,
                          const char *namespace, const char *name, const char *subresource,
                          struct json_object *object, struct json_object **out, struct reason *why)
{
	struct text path = {0};
	enum err err;

	kube_path(&path, r, namespace, name);
	if (subresource)
		text_printf(&path, "/%s", subresource);
	err = send_change(s, "POST", NULL, &path, "", object, out, why);
	text_fini(&path);
	return err;
}

enum err apiserver_replace(const struct apiserver *s, const struct kube_resource *r,
                           const char *namespace, const char *name, struct json_object *object,
                           struct json_object **out, struct reason *why)
{
	struct text path = {0};
	enum err err;

	kube_path(&path, r, namespace, name);
	err = send_change(s, "PUT", NULL, &path, "", object, out, why);
	text_fini(&path);
	return err;
}

enum err apiserver_attempt(const struct apiserver *s, const struct kube_resource *r,
                           const char *namespace, const char *name, struct json_object **live,
                           apiserver_attempt_fn *attempt, void *arg, struct json_object **out,
                           struct reason *why)
{
	enum err err = attempt(*live, arg, out, why);

	for (unsigned i = 0; i < TRIES_MOST && err == ERR_CONFLICT; i++) {
		json_object_put(*live);
		*live = NULL;
		err = apiserver_get(s, r, namespace, name, live, why);
		if (!err || err == ERR_NOTFOUND)
			err = attempt(*live, arg, out, why);
	}
	return err;
}

enum err apiserver_merge(const struct apiserver *s, const struct kube_resource *r,
                         const char *namespace, const char *name, struct json_object *patch,
                         struct reason *why)
{
	struct text path = {0};
	enum err err;

	kube_path(&path, r, namespace, name);
	err = send_change(s, "PATCH", "application/merge-patch+json", &path, "", patch, NULL, why);
	text_fini(&path);
	return err;
}

enum err apiserver_delete(const struct apiserver *s, const struct kube_resource *r,
                          const char *namespace, const char *name, struct reason *why)
{
	struct text path = {0};
	enum err err;

	kube_path(&path, r, namespace, name);
	text_add(&path, s->dry_run ? "?dryRun=All" : "");
	err = remote_send(s->caller, &s->access,
	                  &(const struct remote_change){.method = "DELETE", .path = path.data},
	                  NULL, why);
	text_fini(&path);
	return err == ERR_NOTFOUND ? ERR_OK : err;
}
