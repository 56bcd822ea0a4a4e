/* object_events.c -- what is told of an object by Events: on the host in KubeFed's words, in a member about what was done to
 * the copy.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>

#include "propagator/ceiling.h"
#include "propagator/controller_inside.h"
#include "propagator/field_manager.h"
#include "propagator/jsontree.h"
#include "propagator/member_ceiling.h"

void object_tell_host(const struct part *p, bool warning, const char *reason, const char *what,
                      const char *why)
{
	const struct controller *c = p->object->controller;
	struct json_object *federated = object_federated(p->object);
	const struct events_about about = {federated, c->component, p->cluster, warning};

	if (federated)
		events_tell(c->around.events, &about, reason, "%s %s \"%s\" in cluster \"%s\"%s%s",
		            what, c->type.target.kind, p->object->key, p->cluster,
		            why[0] != '\0' ? ": " : "", why);
	json_object_put(federated);
}

/* --- in the member --- */

static const struct {
	const char *reason, *says;
	bool warning;
} deeds[] = {
	[DEED_CREATED] = {"Created", "Created", false},
	[DEED_UPDATED] = {"Updated", "Updated", false},
	[DEED_REPAIRED] = {"DriftRepaired", "Was changed here, and is set right", false},
	[DEED_DRIFTED] = {"Drifted", "Was changed here, and is left so", true},
	[DEED_ADOPTED] = {"Adopted", "Was here before, and is managed from now on", false},
	[DEED_TOOK_OVER] = {"TakenOver", "KubeFed's fields are nigh-propagator's now", false},
	[DEED_RELEASED] = {"Released", "Stays as it is, and is managed no more", false},
	[DEED_DELETED] = {"Deleted", "Deleted", false},
	[DEED_REFUSED] = {"Refused", "What was asked for is refused here", true},
};

/* Enough of an object to tell about it; the caller puts it.  Texts that are "" are left out. */
static struct json_object *refer_to(const char *api_version, const char *kind,
                                    struct bytes namespace, struct bytes name, struct bytes uid)
{
	const struct {
		const char *key;
		struct bytes text;
	} metadata[] = {{"namespace", namespace}, {"name", name}, {"uid", uid}};
	struct json_object *ref = json_object_new_object();

	jsontree_set(ref, json_object_new_string(api_version), "apiVersion", NULL);
	jsontree_set(ref, json_object_new_string(kind), "kind", NULL);
	for (size_t i = 0; i < sizeof(metadata) / sizeof(metadata[0]); i++)
		if (metadata[i].text.len > 0)
			jsontree_set(ref,
			             json_object_new_string_len((const char *)metadata[i].text.data,
			                                        (int)metadata[i].text.len),
			             "metadata", metadata[i].key, NULL);
	return ref;
}

static struct json_object *refer_to_copy(const struct part *p, struct bytes uid)
{
	const struct controller *c = p->object->controller;
	const struct type_api *target = &c->type.target;
	struct bytes namespace, name;
	struct text api_version = {0};
	struct json_object *ref;

	cache_split_key(p->object->key, &namespace, &name);
	namespace = target->namespaced ? namespace : (struct bytes){0};
	text_printf(&api_version, "%s%s%s", target->group, target->group[0] ? "/" : "",
	            target->version);
	ref = refer_to(api_version.data, target->kind, namespace, name, uid);
	text_fini(&api_version);
	return ref;
}

static struct events *events_of(const struct part *p)
{
	const struct member *m = members_find(p->object->controller->around.members, p->cluster);

	return m ? m->events : NULL;
}

void object_tell_member(const struct part *p, enum deed deed, struct bytes uid, const char *why)
{
	struct events *events = events_of(p);
	struct events_about about = {.component = FIELD_MANAGER, .warning = deeds[deed].warning};

	if (!events)
		return;
	about.object = refer_to_copy(p, uid);
	events_tell(events, &about, deeds[deed].reason, "%s (%s %s)%s%s", deeds[deed].says,
	            p->object->controller->type.federated.kind, p->object->key,
	            why[0] != '\0' ? ": " : "", why);
	json_object_put(about.object);
}

/* Told at the ceiling: where it forbids to push no Event is written either. */
static void tell_refusal(const struct part *p, const char *why)
{
	const struct controller *c = p->object->controller;
	const struct member *m = members_find(c->around.members, p->cluster);
	struct events_about about = {.component = FIELD_MANAGER, .warning = true};

	if (!m || !m->events)
		return;
	about.object = refer_to("v1", "ConfigMap", bytes_of(c->around.namespace),
	                        bytes_of(CEILING_NAME), bytes_of(member_ceiling_uid(m->ceiling)));
	events_tell(m->events, &about, "CeilingRefused", "%s %s is not brought here (%s): %s",
	            c->type.target.kind, p->object->key, c->type.federated.kind, why);
	json_object_put(about.object);
}

void object_refuse(struct part *p, const char *why)
{
	bool is_news = p->state != STATE_CEILING_REFUSED || !p->why || strcmp(p->why, why) != 0;

	object_set_state(p, STATE_CEILING_REFUSED, why);
	if (is_news)
		tell_refusal(p, why);
}
