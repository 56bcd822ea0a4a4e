/* fuzz_health.c -- any bytes as an object of a member, its pods and its Events. */
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
#include "propagator/health.h"
#include "propagator/podcount.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1767323045 };

/* A state there is, a word exactly where something is to be said, and one printable line. */
static void check(const struct health *h)
{
	CHECK(h->state <= HEALTH_FAILED);
	CHECK((h->state == HEALTH_CURRENT) == (h->reason[0] == '\0'));
	CHECK(memchr(h->reason, '\0', sizeof(h->reason)) != NULL);
	CHECK(memchr(h->message, '\0', sizeof(h->message)) != NULL);
	for (const char *c = h->message; *c; c++)
		CHECK(*c >= ' ' && *c < 0x7f);
}

static void count(struct json_object *object, struct json_object *pods)
{
	struct podcount_measure m = podcount_measure(object, pods, NOW);

	CHECK(m.current >= 0 && m.capacity >= 0);
	CHECK(m.recheck_in_s >= 0 && m.recheck_in_s <= PODCOUNT_UNSCHEDULABLE_S + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(SPLITTER_DEPTH + 2);
	struct json_object *root;
	struct health_roll roll = {0};
	struct health h;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = object_parse(tokener, (struct bytes){data, size});
	h = health_of(jsontree_get(root, "object", NULL), NOW);
	check(&h);
	health_roll_add(&roll, "a", &h);
	health_why(&h, jsontree_get(root, "pods", NULL), jsontree_get(root, "events", NULL), NOW);
	check(&h);
	health_roll_add(&roll, "b", &h);
	h = health_roll_up(&roll);
	check(&h);
	count(jsontree_get(root, "object", NULL), jsontree_get(root, "pods", NULL));
	json_object_put(root);
	json_tokener_free(tokener);
	return 0;
}
