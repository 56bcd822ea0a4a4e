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
	WISHES = 36,
	MEMBERS = 2,
	CALM_S = 5,
	CALM_MS = 240000,
	SAME_MS = 90000
};

struct pair {
	struct kubefed theirs, ours;
	struct dice dice;
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

/* By POST, or in the place of the spec that is there: applying an empty selector over another one makes null of it. */
static void put(struct cluster *host, const struct wish *w, const char *object)
{
	struct json_object *root = json_tokener_parse(object);
	struct text patch = {0};
	char list[200], path[256];
	int status;

	snprintf(list, sizeof(list), "/apis/types.kubefed.io/v1beta1/namespaces/%s/federated%s",
	         w->namespace, w->plural);
	snprintf(path, sizeof(path), "%s/%s", list, w->name);
	text_printf(&patch, "[{\"op\":\"add\",\"path\":\"/spec\",\"value\":%s}]",
	            json_object_to_json_string(json_object_object_get(root, "spec")));
	status = cluster_send(host, "PATCH", path, "application/json-patch+json", patch.data);
	if (status == 404)
		status = cluster_send(host, "POST", list, "application/json", object);
	if (status / 100 != 2)
		cluster_fail(host, "%s: %s\n%s", path, cluster_body(host), object);
	text_fini(&patch);
	json_object_put(root);
}

static void make(struct pair *p, const struct wish *w)
{
	struct text object = {0};

	wish_make(w, &p->dice, &object);
	put(p->theirs.f->host, w, object.data);
	put(p->ours.f->host, w, object.data);
	text_fini(&object);
}

static void take_back(struct pair *p, const struct wish *w)
{
	cluster_delete(p->theirs.f->host, "types.kubefed.io/v1beta1", w->federated, w->namespace,
	               w->name);
	cluster_delete(p->ours.f->host, "types.kubefed.io/v1beta1", w->federated, w->namespace,
	               w->name);
}

/* Somebody deletes a copy, or scales it. */
static void disturb(struct pair *p, const struct wish *w)
{
	unsigned member = dice_roll(&p->dice, MEMBERS);
	bool deletes = dice_chance(&p->dice, 50);
	char path[200];

	snprintf(path, sizeof(path), "%s/namespaces/%s/%s/%s", w->api, w->namespace, w->plural,
	         w->name);
	for (struct kubefed *k = &p->theirs; k; k = k == &p->theirs ? &p->ours : NULL) {
		if (deletes)
			cluster_send(k->f->members[member], "DELETE", path, NULL, NULL);
		else if (strcmp(w->plural, "deployments") == 0)
			cluster_send(k->f->members[member], "PATCH", path,
			             "application/merge-patch+json", "{\"spec\":{\"replicas\":3}}");
	}
}

static void change_at_random(struct pair *p)
{
	for (unsigned i = 0; i < WISHES; i++) {
		struct wish w = wish_number(i);
		unsigned roll = dice_roll(&p->dice, 100);

		if (roll < 50)
			make(p, &w);
		else if (roll < 65)
			take_back(p, &w);
		else if (roll < 75)
			disturb(p, &w);
	}
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
static const char *const of_versions[] = {CHOSEN, "clusterVersions", NULL};
static const struct snapshot_rule version_rule = {of_versions, false, true};
static const char *const of_host[] = {CHOSEN, "lastUpdateTime", "lastTransitionTime",
                                      "/apis/core.kubefed.io/v1beta1/federatedtypeconfigs", NULL};
static const struct snapshot_rule host_rule = {of_host, true, true};

static void expect_the_same(struct pair *p, uint64_t round)
{
	struct deadline deadline = inside_deadline(SAME_MS);
	struct picture theirs = {0}, ours = {0};
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
