/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/release_pods.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/login.h"
#include "ctl/pods.h"
#include "ctl/remote.h"

enum { POLL_MS = 200, POLLS = 25, ROUNDS = 32 };

static const char annotation[] = "nigh.dev/release-guard";

struct release {
	const struct command *c;
	const char *zone;
	struct kube_access access;
	struct pods pods;
	struct text domain; /* the path of the zone's Domain */
};

/* --- who holds --- */

/* The id of the pod's hold of the zone, or NULL. */
static const char *hold_of(const struct pod *pod, const char *zone)
{
	size_t count = fields_count(pod->said, "guard");

	for (size_t i = 0; i < count; i++) {
		struct json_object *hold = fields_item(pod->said, "guard", i);

		if (fields_is_domain(hold, "zone", zone) && *fields_text(hold, "id"))
			return fields_text(hold, "id");
	}
	return NULL;
}

const char *release_pods_find(const struct pods *p, const char *zone)
{
	for (size_t i = 0; i < p->count; i++)
		if (hold_of(&p->list[i], zone))
			return hold_of(&p->list[i], zone);
	return NULL;
}

static bool is_held_by(const struct pods *p, const char *zone, const char *id)
{
	for (size_t i = 0; i < p->count; i++) {
		const char *held = hold_of(&p->list[i], zone);

		if (held && strcmp(held, id) == 0)
			return true;
	}
	return false;
}

/* --- the Domain --- */

static int tell_by_hand(const struct release *r)
{
	const struct pods *p = &r->pods;

	command_fail(r->c,
	             "zone %s is made by no Domain in namespace %s, so each pod that holds it is "
	             "told by hand:",
	             r->zone, r->c->namespace);
	for (size_t i = 0; i < p->count; i++)
		if (hold_of(&p->list[i], r->zone))
			fprintf(stderr, "  kubectl -n %s port-forward pod/%s 8053:%u\n",
			        p->list[i].namespace, p->list[i].name, p->list[i].port);
	fprintf(stderr, "and beside it\n  %s --server http://127.0.0.1:8053 guard release %s\n",
	        r->c->program, r->zone);
	return COMMAND_FAILED;
}

static int find_domain(struct release *r)
{
	struct json_object *root;
	struct reason why = {0};
	struct text path = {0};
	size_t count;
	enum err err;

	kube_path(&path, &remote_domains, r->c->namespace, NULL);
	err = remote_get(&r->access, path.data, &root, &why);
	text_fini(&path);
	if (err && err != ERR_NOTFOUND)
		return command_fail(r->c, "%s: Domains of namespace %s: %s", r->access.server,
		                    r->c->namespace, why.text);
	count = fields_count(root, "items");
	for (size_t i = 0; i < count && r->domain.len == 0; i++) {
		struct json_object *domain = fields_item(root, "items", i);

		if (fields_is_domain(domain, "domain", r->zone))
			kube_path(&r->domain, &remote_domains, r->c->namespace,
			          fields_text(fields_find(domain, "metadata"), "name"));
	}
	json_object_put(root);
	return r->domain.len ? COMMAND_FINE : tell_by_hand(r);
}

static int annotate(const struct release *r, const char *id)
{
	const struct remote_note note = {annotation, id};
	struct reason why = {0};

	if (remote_annotate(&r->access, r->domain.data, &note, 1, &why) == ERR_OK)
		return COMMAND_FINE;
	return command_fail(r->c, "%s: Domain of %s, annotation %s: %s", r->access.server, r->zone,
	                    annotation, why.text);
}

/* --- one hold after the other --- */

static void ask_all(struct release *r) { pods_ask_all(&r->access, &r->pods, "/status", false); }

static int release_hold(struct release *r, const char *id)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	int status = annotate(r, id);

	for (unsigned i = 0; i < POLLS && status == COMMAND_FINE; i++) {
		nanosleep(&pause, NULL);
		ask_all(r);
		if (!is_held_by(&r->pods, r->zone, id))
			return COMMAND_FINE;
	}
	if (status != COMMAND_FINE)
		return status;
	for (size_t i = 0; i < r->pods.count; i++)
		if (hold_of(&r->pods.list[i], r->zone))
			command_fail(r->c, "pod %s/%s still holds %s", r->pods.list[i].namespace,
			             r->pods.list[i].name, r->zone);
	return command_fail(r->c,
	                    "the Domain keeps the annotation %s: \"%s\", which they have not seen",
	                    annotation, id);
}

static int release_all(struct release *r)
{
	const char *held = release_pods_find(&r->pods, r->zone);
	int status =
		held ? find_domain(r)
		     : command_fail(r->c, "no zone %s is held by any pod that answers", r->zone);

	for (unsigned round = 0; held && status == COMMAND_FINE && round < ROUNDS; round++) {
		char *id = xstrdup(held);

		status = release_hold(r, id);
		held = release_pods_find(&r->pods, r->zone);
		free(id);
	}
	if (status == COMMAND_FINE)
		status = annotate(r, NULL);
	if (status == COMMAND_FINE && held)
		status = command_fail(r->c, "the pods hold %s again and again", r->zone);
	return status;
}

int release_pods(const struct command *c, const char *zone, struct json_object **root)
{
	struct release r = {.c = c, .zone = zone};
	struct reason why = {0};
	int status;

	if (login_read(c, &r.access, &why) != ERR_OK)
		return command_fail(c, "%s", why.text);
	if (pods_find(&r.access, PODS_OF_NIGHD, c->pods_namespace, &r.pods, &why) != ERR_OK) {
		status = command_fail(c, "%s: %s", r.access.server, why.text);
	} else {
		ask_all(&r);
		status = release_all(&r);
		for (size_t i = 0; i < r.pods.count; i++)
			if (!r.pods.list[i].said)
				status = command_fail(c, "pod %s/%s: %s", r.pods.list[i].namespace,
				                      r.pods.list[i].name, r.pods.list[i].why.text);
	}
	*root = json_object_new_object();
	json_object_object_add(*root, "zone", json_object_new_string(zone));
	json_object_object_add(*root, "released", json_object_new_boolean(true));
	text_fini(&r.domain);
	pods_fini(&r.pods);
	kube_access_fini(&r.access);
	return status;
}
