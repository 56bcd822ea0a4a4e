/* kubefed_differential.c -- the same random wishes to KubeFed and to nigh-propagator, each with a host and members of its own:
 * what members have in the end, and what the federated objects say, is the same.
 *
 * SEED gives the same wishes; ROUNDS is how often they are changed.  What differs on purpose is not asked for
 * (docs/from-kubefed.md has it), or taken out by what is ignored here.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/kubefed.h"
#include "tests/e2e/support/picture.h"
#include "tests/e2e/support/wishes.h"
#include "tests/support/world_inside.h"

enum {
	SEED = 7,
	ROUNDS = 3,
	WISHES = 40,
	MEMBERS = 2,
	CALM_S = 5,
	CALM_MS = 240000,
	SAME_MS = 90000,
	OF_VERSIONS = 20
};

struct pair {
	struct kubefed theirs, ours;
	struct dice dice;
	char planned[WISHES][WISHES_PATH]; /* what is recorded of what a preference may plan */
	const char *of_versions[WISHES + OF_VERSIONS];
};

static int setup(void **state)
{
	struct pair *p = xcalloc(1, sizeof(*p));

	*state = p;
	kubefed_init(&p->theirs, MEMBERS);
	kubefed_init(&p->ours, MEMBERS);
	for (struct kubefed *k = &p->theirs; k; k = k == &p->theirs ? &p->ours : NULL) {
		cluster_patch(k->f->host, "core.kubefed.io/v1beta1", "KubeFedCluster", FEDERATION,
		              "gondor", "{\"metadata\":{\"labels\":{\"realm\":\"south\"}}}");
		cluster_apply(k->f->host, "%s", wishes_namespaces);
	}
	kubefed_start(&p->theirs);
	federation_start(p->ours.f);
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	kubefed_show_log(&p->theirs);
	kubefed_free(&p->theirs);
	kubefed_free(&p->ours);
	free(p);
	return 0;
}

/* --- wishes --- */

static struct kubefed *next(struct pair *p, const struct kubefed *k)
{
	return !k ? &p->theirs : k == &p->theirs ? &p->ours : NULL;
}

/* By POST, or in the place of the spec that is there: applying an empty selector over another one makes null of it. */
static void put(struct cluster *host, const char *list, const char *name, const char *object)
{
	struct json_object *root = json_tokener_parse(object);
	struct text patch = {0}, path = {0};
	int status;

	text_printf(&path, "%s/%s", list, name);
	text_printf(&patch, "[{\"op\":\"add\",\"path\":\"/spec\",\"value\":%s}]",
	            json_object_to_json_string(json_object_object_get(root, "spec")));
	status = cluster_send(host, "PATCH", path.data, "application/json-patch+json", patch.data);
	if (status == 404)
		status = cluster_send(host, "POST", list, "application/json", object);
	if (status / 100 != 2)
		cluster_fail(host, "%s: %s\n%s", path.data, cluster_body(host), object);
	text_fini(&path);
	text_fini(&patch);
	json_object_put(root);
}

static void make(struct pair *p, const struct wish *w)
{
	char list[WISHES_PATH];
	struct text object = {0};

	wish_make(w, &p->dice, &object);
	wish_list(w, list);
	for (struct kubefed *k = NULL; (k = next(p, k)) != NULL;)
		put(k->f->host, list, w->name, object.data);
	text_fini(&object);
}

static void take_back(struct pair *p, const struct wish *w)
{
	for (struct kubefed *k = NULL; (k = next(p, k)) != NULL;)
		cluster_delete(k->f->host, "types.kubefed.io/v1beta1", w->federated, w->namespace,
		               w->name);
}

/* Somebody deletes a copy, or scales it. */
static void disturb(struct pair *p, const struct wish *w)
{
	unsigned member = dice_roll(&p->dice, MEMBERS);
	bool deletes = dice_chance(&p->dice, 50);
	char path[WISHES_PATH];

	wish_copy(w, path);
	for (struct kubefed *k = NULL; (k = next(p, k)) != NULL;) {
		if (deletes)
			cluster_send(k->f->members[member], "DELETE", path, NULL, NULL);
		else if (wish_has_replicas(w))
			cluster_send(k->f->members[member], "PATCH", path,
			             "application/merge-patch+json", "{\"spec\":{\"replicas\":3}}");
	}
}

/* What is there is to be orphaned, or not any more. */
static void annotate(struct pair *p, const struct wish *w)
{
	const char *value = dice_chance(&p->dice, 50) ? "\"true\"" : "null";
	struct text path = {0}, patch = {0};
	char list[WISHES_PATH];

	wish_list(w, list);
	text_printf(&path, "%s/%s", list, w->name);
	text_printf(&patch, "{\"metadata\":{\"annotations\":{\"kubefed.io/orphan\":%s}}}", value);
	for (struct kubefed *k = NULL; (k = next(p, k)) != NULL;)
		cluster_send(k->f->host, "PATCH", path.data, "application/merge-patch+json",
		             patch.data);
	text_fini(&path);
	text_fini(&patch);
}

static void prefer(struct pair *p, const struct wish *w)
{
	bool takes_back = dice_chance(&p->dice, 30);
	char list[WISHES_PATH];
	struct text object = {0};

	wish_prefer(w, &p->dice, &object);
	snprintf(list, sizeof(list),
	         "/apis/scheduling.kubefed.io/v1alpha1/namespaces/%s/replicaschedulingpreferences",
	         w->namespace);
	for (struct kubefed *k = NULL; (k = next(p, k)) != NULL;) {
		if (takes_back)
			cluster_delete(k->f->host, "scheduling.kubefed.io/v1alpha1",
			               "ReplicaSchedulingPreference", w->namespace, w->name);
		else
			put(k->f->host, list, w->name, object.data);
	}
	text_fini(&object);
}

/* The namespace, and all that is in it. */
static void move(struct pair *p)
{
	const char *placement = wish_place(&p->dice);
	struct text object = {0};

	text_printf(&object, "{\"spec\":{\"template\":{},\"placement\":%s}}", placement);
	for (struct kubefed *k = NULL; (k = next(p, k)) != NULL;)
		put(k->f->host,
		    "/apis/types.kubefed.io/v1beta1/namespaces/south/federatednamespaces", "south",
		    object.data);
	text_fini(&object);
}

static void change_at_random(struct pair *p)
{
	for (unsigned i = 0; i < WISHES; i++) {
		struct wish w = wish_number(i);
		unsigned roll = dice_roll(&p->dice, 100);

		if (roll < 45)
			make(p, &w);
		else if (roll < 58)
			take_back(p, &w);
		else if (roll < 68)
			disturb(p, &w);
		else if (roll < 73)
			annotate(p, &w);
		else if (roll < 85 && wish_is_planned(&w))
			prefer(p, &w);
	}
	if (dice_chance(&p->dice, 40))
		move(p);
}

/* --- comparing --- */

/* What a server chooses, and who wrote what when. */
#define CHOSEN                                                                                     \
	"uid", "resourceVersion", "creationTimestamp", "managedFields", "clusterIP", "clusterIPs", \
		"nodePort", "healthCheckNodePort"

static const char *const of_members[] = {CHOSEN, "generation", "controller-uid",
                                         "batch.kubernetes.io/controller-uid", NULL};
static const struct snapshot_rule member_rule = {of_members, false, false};
/* A cluster that cannot be brought to the new template is "old" with us, and forgotten by KubeFed. */
static const char *const of_versions[OF_VERSIONS] = {CHOSEN, "clusterVersions"};
static const char *const of_host[] = {CHOSEN, "lastUpdateTime", "lastTransitionTime",
                                      "/apis/core.kubefed.io/v1beta1/federatedtypeconfigs", NULL};
static const struct snapshot_rule host_rule = {of_host, true, true};

/* KubeFed writes the overrides of a plan in any order, and their hash is another each time. */
static void list_ignored(struct pair *p)
{
	size_t count = 0;

	while (of_versions[count]) {
		p->of_versions[count] = of_versions[count];
		count++;
	}
	for (unsigned i = 0; i < WISHES; i++) {
		struct wish w = wish_number(i);

		if (!wish_is_planned(&w))
			continue;
		snprintf(p->planned[i], WISHES_PATH, "%s/replicaset-%s", w.namespace, w.name);
		p->of_versions[count++] = p->planned[i];
	}
}

static void expect_the_same(struct pair *p, uint64_t round)
{
	struct deadline deadline = inside_deadline(SAME_MS);
	struct picture theirs = {0}, ours = {0};
	const struct snapshot_rule version_rule = {p->of_versions, false, false};
	struct text differences = {0};
	bool same;

	picture_await_calm(&theirs, p->theirs.f, CALM_S, CALM_MS);
	picture_await_calm(&ours, p->ours.f, CALM_S, CALM_MS);
	do {
		text_reset(&differences);
		picture_take(&theirs, p->theirs.f);
		picture_take(&ours, p->ours.f);
		same = picture_same(&theirs, &ours, &host_rule, &version_rule, &member_rule,
		                    &differences);
		if (!same)
			sleep(1);
	} while (!same && inside_has_time(deadline));
	if (!same) {
		fprintf(stderr, "%s", differences.data);
		fail_msg("SEED=%" PRIu64 ", round %" PRIu64 ": KubeFed's is not nigh-propagator's",
		         p->dice.seed, round);
	}
	picture_forget(&theirs);
	picture_forget(&ours);
	text_fini(&differences);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_members_have_the_same(void **state)
{
	struct pair *p = *state;
	uint64_t rounds = number("ROUNDS", ROUNDS);

	list_ignored(p);
	p->dice = (struct dice){.seed = number("SEED", SEED)};
	for (uint64_t round = 0; round < rounds; round++) {
		change_at_random(p);
		expect_the_same(p, round);
		printf("round %" PRIu64 " is the same\n", round);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_have_the_same),
	};

	return cmocka_run_group_tests_name("e2e/kubefed_differential", tests, setup, teardown);
}
