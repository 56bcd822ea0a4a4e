/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/lease_record.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "kube/object.h"
#include "kube/splitter.h"

#define LEADER_ANNOTATION "control-plane.alpha.kubernetes.io/leader"

static void take_text(char *out, size_t room, struct bytes text) { text_shown(text, out, room); }

/* The members that a spec and an annotation have in common. */
static void read_members(struct json_object *from, const char *transitions,
                         struct kube_lease_record *out)
{
	long duration_s = object_number(from, "leaseDurationSeconds", 0);
	long count = object_number(from, transitions, 0);

	take_text(out->holder, sizeof(out->holder), object_text(from, "holderIdentity", NULL));
	take_text(out->acquired, sizeof(out->acquired), object_text(from, "acquireTime", NULL));
	take_text(out->renewed, sizeof(out->renewed), object_text(from, "renewTime", NULL));
	if (duration_s > KUBE_LEASE_MOST_MS / 1000)
		duration_s = KUBE_LEASE_MOST_MS / 1000;
	out->duration_ms = duration_s > 0 ? (uint64_t)duration_s * 1000 : 0;
	out->transitions = count > 0 ? (uint64_t)count : 0;
}

void kube_lease_record_read(struct json_object *lease, struct kube_lease_record *out)
{
	struct json_object *spec = NULL;

	*out = (struct kube_lease_record){0};
	if (json_object_is_type(lease, json_type_object))
		json_object_object_get_ex(lease, "spec", &spec);
	read_members(spec, "leaseTransitions", out);
	take_text(out->version, sizeof(out->version),
	          object_text(lease, "metadata", "resourceVersion", NULL));
}

bool kube_lease_record_read_annotation(struct json_object *object, struct kube_lease_record *out)
{
	struct bytes text = object_text(object, "metadata", "annotations", LEADER_ANNOTATION, NULL);
	json_tokener *tokener = json_tokener_new_ex(SPLITTER_DEPTH);
	struct json_object *said;

	CHECK(tokener != NULL);
	*out = (struct kube_lease_record){0};
	said = object_parse(tokener, text);
	json_tokener_free(tokener);
	if (!said)
		return false;
	read_members(said, "leaderTransitions", out);
	take_text(out->version, sizeof(out->version),
	          object_text(object, "metadata", "resourceVersion", NULL));
	json_object_put(said);
	return true;
}

/* --- writing --- */

static void set_text(struct json_object *to, const char *member, const char *text)
{
	json_object_object_add(to, member, json_object_new_string(text));
}

struct json_object *kube_lease_object_new(const char *namespace, const char *name)
{
	struct json_object *lease = json_object_new_object();
	struct json_object *metadata = json_object_new_object();

	set_text(metadata, "name", name);
	set_text(metadata, "namespace", namespace);
	set_text(lease, "apiVersion", "coordination.k8s.io/v1");
	set_text(lease, "kind", "Lease");
	json_object_object_add(lease, "metadata", metadata);
	return lease;
}

static struct json_object *spec_of(struct json_object *lease)
{
	struct json_object *spec = NULL;

	json_object_object_get_ex(lease, "spec", &spec);
	if (!json_object_is_type(spec, json_type_object)) {
		spec = json_object_new_object();
		json_object_object_add(lease, "spec", spec);
	}
	return spec;
}

void kube_lease_record_write(struct json_object *lease, const struct kube_lease_record *r)
{
	struct json_object *spec = spec_of(lease), *metadata = NULL;
	int64_t duration_s = (int64_t)((r->duration_ms + 999) / 1000);

	if (r->holder[0] != '\0')
		set_text(spec, "holderIdentity", r->holder);
	else
		json_object_object_del(spec, "holderIdentity");
	json_object_object_add(spec, "leaseDurationSeconds",
	                       json_object_new_int64(duration_s > 0 ? duration_s : 1));
	json_object_object_add(spec, "leaseTransitions",
	                       json_object_new_int64((int64_t)r->transitions));
	set_text(spec, "acquireTime", r->acquired);
	set_text(spec, "renewTime", r->renewed);
	if (json_object_object_get_ex(lease, "metadata", &metadata) &&
	    json_object_is_type(metadata, json_type_object))
		json_object_object_del(metadata, "managedFields");
}

/* --- looking again and again --- */

static bool same(const struct kube_lease_record *a, const struct kube_lease_record *b)
{
	return strcmp(a->holder, b->holder) == 0 && strcmp(a->renewed, b->renewed) == 0 &&
	       strcmp(a->acquired, b->acquired) == 0 && a->duration_ms == b->duration_ms &&
	       a->transitions == b->transitions;
}

void kube_lease_sight_see(struct kube_lease_sight *s, const struct kube_lease_record *r,
                          uint64_t now_ms)
{
	if (s->changed_ms == 0 || !same(&s->record, r))
		s->changed_ms = now_ms;
	s->record = *r;
}

bool kube_lease_sight_lives(const struct kube_lease_sight *s, uint64_t at_least_ms, uint64_t now_ms)
{
	uint64_t for_ms = s->record.duration_ms > at_least_ms ? s->record.duration_ms : at_least_ms;

	return s->changed_ms > 0 && s->record.holder[0] != '\0' && now_ms - s->changed_ms < for_ms;
}
