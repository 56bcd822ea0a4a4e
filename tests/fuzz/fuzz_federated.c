/* fuzz_federated.c -- any JSON as what the host cluster has: a type, settings, a federated object, the clusters there are
 * and what a member has.  {"type", "config", "federated", "clusters": {NAME: LABELS}, "existing", "v1"}. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "kube/object.h"
#include "kube/splitter.h"
#include "propagator/deletion.h"
#include "propagator/jsontree.h"
#include "propagator/override.h"
#include "propagator/placement.h"
#include "propagator/render.h"
#include "propagator/selector.h"
#include "propagator/settings.h"
#include "propagator/type.h"
#include "propagator/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = SPLITTER_DEPTH + 2, CLUSTERS_MOST = 16 };

/* An error says something, and only an error does. */
static bool went_well(enum err err, struct reason *why)
{
	CHECK((err == ERR_OK) == (why->text[0] == '\0'));
	why->text[0] = '\0';
	return err == ERR_OK;
}

static void try_config(struct json_object *config)
{
	struct json_object *spec = settings_default(config);
	struct json_object *whole = json_object_new_object();
	struct settings s = {0};
	struct text messages = {0};
	struct reason why = {""};

	/* What is read has been filled in, and what is filled in obeys the webhook when it is read. */
	json_object_object_add(whole, "spec", spec);
	if (went_well(settings_read(config, &s, &why), &why))
		CHECK(s.lease_duration_ms >= 1 && s.sync_workers >= 1 &&
		      settings_admit(whole, whole, &messages));
	else
		CHECK(!settings_admit(whole, NULL, &messages) && messages.len > 0);
	text_fini(&messages);
	json_object_put(whole);
}

static size_t clusters_of(struct json_object *object, struct placement_cluster *out)
{
	size_t count = 0;

	if (!json_object_is_type(object, json_type_object))
		return 0;
	json_object_object_foreach(object, name, labels)
	{
		if (count < CLUSTERS_MOST)
			out[count++] = (struct placement_cluster){name, labels};
	}
	return count;
}

static void try_placement(struct json_object *federated, struct json_object *object)
{
	struct placement_cluster clusters[CLUSTERS_MOST];
	size_t count = clusters_of(object, clusters);
	struct placement p;
	struct reason why = {""};

	went_well(placement_of(federated, clusters, count, &p, &why), &why);
	CHECK(p.count <= count);
	for (size_t i = 0; i < p.count; i++)
		CHECK(placement_has(&p, p.names[i]) &&
		      (i == 0 || strcmp(p.names[i - 1], p.names[i]) < 0));
	placement_intersect(&p, &p);
	placement_fini(&p);
}

/* What is sent is ours by its label, is the federated object's by its identity, and has an end. */
static void check_sent(const struct render *r, struct json_object *object)
{
	const char *label = jsontree_text(object, "metadata", "labels", RENDER_LABEL, NULL);

	CHECK(label && strcmp(label, "true") == 0);
	CHECK(strcmp(jsontree_text(object, "metadata", "name", NULL),
	             jsontree_text(r->object, "metadata", "name", NULL)) == 0);
	CHECK(jsontree_depth(object) <= 2 * DEPTH);
	json_object_put(object);
}

static void try_render(const struct type *type, struct json_object *federated,
                       struct json_object *existing, const char *cluster)
{
	struct json_object *before = NULL, *out;
	struct render r;
	struct reason why = {""};
	bool retained;

	if (!went_well(render_build(type, federated, &r, &why), &why))
		return;
	before = jsontree_copy(r.object);
	if (went_well(render_for(&r, federated, cluster, &out, &why), &why))
		check_sent(&r, out);
	if (went_well(render_over(type, &r, federated, cluster, existing, &out, &retained, &why),
	              &why))
		check_sent(&r, out);
	CHECK(json_object_equal(before, r.object));
	json_object_put(before);
	render_fini(&r);
}

static void try_version(const struct type *type, struct json_object *federated,
                        struct json_object *existing)
{
	struct version v, again;
	char text[VERSION_ROOM];
	struct version_hashes hashes = version_hash(federated);
	struct json_object *object;

	version_read(existing, &v);
	version_rehash(&v, &hashes);
	if (version_of(existing, text))
		version_put(&v, "rome", text);
	object = version_object(type, federated, &v);
	version_read(object, &again);
	CHECK(version_hashes_equal(&again.hashes, &v.hashes) && again.count == v.count);
	json_object_put(object);
	version_fini(&again);
	version_fini(&v);
}

static void try_type(struct json_object *all, struct json_object *federated,
                     struct json_object *existing)
{
	struct type type, copy;
	struct text messages = {0};
	struct reason why = {""};

	type_admit(jsontree_get(all, "type", NULL), false, &messages);
	type_admit(jsontree_get(all, "type", NULL), true, &messages);
	text_fini(&messages);
	if (!went_well(type_read(jsontree_get(all, "type", NULL), &type, &why), &why))
		return;
	copy = type_copy(&type);
	type_fini(&type);
	try_render(&copy, federated, existing, "rome");
	try_render(&copy, federated, existing, "");
	try_version(&copy, federated, existing);
	type_fini(&copy);
}

static void try_rest(struct json_object *all, struct json_object *federated)
{
	const char *v1 = jsontree_text(all, "v1", NULL);
	struct json_object *options;
	struct reason why = {""};
	bool matches;

	if (went_well(deletion_options(federated, &options, &why), &why))
		json_object_put(options);
	if (!went_well(selector_matches_v1(v1, federated, &matches, &why), &why))
		CHECK(!matches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *all = object_parse(tokener, (struct bytes){data, size});
	struct json_object *federated = jsontree_get(all, "federated", NULL);
	struct json_object *existing = jsontree_get(all, "existing", NULL);
	struct json_object *before = jsontree_copy(all);

	if (all) {
		try_config(jsontree_get(all, "config", NULL));
		try_placement(federated, jsontree_get(all, "clusters", NULL));
		try_type(all, federated, existing);
		try_rest(all, federated);
		CHECK(json_object_equal(before, all));
	}
	json_object_put(before);
	json_object_put(all);
	json_tokener_free(tokener);
	return 0;
}
