/* fuzz_schedule.c -- any bytes as a ReplicaSchedulingPreference, its federated object and the clusters there are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "kube/object.h"
#include "kube/splitter.h"
#include "propagator/jsontree.h"
#include "propagator/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLUSTERS_MOST = 16 };

static size_t read_clusters(struct json_object *list, struct schedule_cluster *out)
{
	size_t count = 0;

	for (size_t i = 0; i < jsontree_count(list) && count < CLUSTERS_MOST; i++) {
		struct json_object *c = jsontree_item(list, i);
		bool is_new = true;

		out[count] = (struct schedule_cluster){
			.name = jsontree_word(c, "name", NULL),
			.is_ready = jsontree_is_true(c, "ready", NULL),
			.is_placed = jsontree_is_true(c, "placed", NULL),
			.is_selected = jsontree_is_true(c, "selected", NULL),
			.has_current = jsontree_get(c, "current", NULL) != NULL,
			.has_capacity = jsontree_get(c, "capacity", NULL) != NULL,
			.current = jsontree_int(c, 0, "current", NULL),
			.capacity = jsontree_int(c, 0, "capacity", NULL),
		};
		for (size_t j = 0; j < count; j++)
			is_new = is_new && strcmp(out[j].name, out[count].name) != 0;
		count += is_new && out[count].name[0];
	}
	return count;
}

static void check(const struct schedule_result *r, const struct schedule_cluster *clusters,
                  size_t count)
{
	int64_t planned = 0, held = 0;

	CHECK((r->outcome == SCHEDULE_CHANGED) == (r->federated != NULL));
	if (r->outcome == SCHEDULE_NO_CLUSTER)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct schedule_cluster *c = &clusters[i];

		CHECK(c->replicas >= -1 && c->replicas <= INT32_MAX);
		CHECK(c->is_ready || c->is_held == (c->replicas >= 0));
		planned += c->is_held || c->replicas < 0 ? 0 : c->replicas;
		held += c->is_held ? c->replicas : 0;
	}
	CHECK(planned == r->planned && held == r->held);
	CHECK((planned == r->total && held == 0) == (r->note.text[0] == '\0'));
}

/* What is scheduled is scheduled. */
static void again(const struct schedule *s, struct json_object *federated,
                  struct schedule_cluster *clusters, size_t count)
{
	struct schedule_result r;
	struct reason why = {0};

	for (size_t i = 0; i < count; i++)
		clusters[i].is_placed = clusters[i].replicas >= 0;
	CHECK(schedule_apply(s, federated, clusters, count, true, &r, &why) == ERR_OK);
	CHECK(r.outcome == SCHEDULE_SAME);
}

static void schedule(const struct schedule *s, struct json_object *root)
{
	struct schedule_cluster clusters[CLUSTERS_MOST + 1];
	size_t count = read_clusters(jsontree_get(root, "clusters", NULL), clusters);
	struct schedule_result r;
	struct reason why = {0};

	if (schedule_apply(s, jsontree_get(root, "federated", NULL), clusters, count,
	                   jsontree_is_true(root, "namespace", NULL), &r, &why) != ERR_OK) {
		CHECK(why.text[0] != '\0' && !r.federated);
		return;
	}
	check(&r, clusters, count);
	if (r.outcome == SCHEDULE_CHANGED)
		again(s, r.federated, clusters, count);
	json_object_put(r.federated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(SPLITTER_DEPTH + 2);
	struct json_object *root;
	struct schedule *s = NULL;
	struct reason why = {0};

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = object_parse(tokener, (struct bytes){data, size});
	if (schedule_decode(jsontree_get(root, "preference", NULL), &s, &why) == ERR_OK)
		schedule(s, root);
	else
		CHECK(!s && why.text[0] != '\0');
	schedule_free(s);
	json_object_put(root);
	json_tokener_free(tokener);
	return 0;
}
