/* fuzz_policies.c -- any JSON as what replicas of nighd say of TrafficPolicies, and as the status that stands there: what is made
 * of both stays as it is when it is looked at again.
 */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "base/check.h"
#include "kube/object.h"
#include "propagator/jsontree.h"
#include "propagator/nighd_pods.h"
#include "propagator/policy_tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1767312000 };

static void on_pod(const struct nighd_pod *pod, void *arg)
{
	(void)arg;
	CHECK(*pod->name && *pod->namespace && pod->port > 0 && pod->port < 65536);
}

static void judge(const struct policy_tally *t, struct json_object *have)
{
	struct json_object *status = policy_tally_status(t, "shop/web", have, NOW_S);

	if (status)
		CHECK(!policy_tally_status(t, "shop/web", status, NOW_S + 1));
	json_object_put(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"shop/web", "shop/api"};
	struct json_tokener *tokener = json_tokener_new_ex(64);
	struct json_object *root = object_parse(tokener, (struct bytes){data, size});
	struct json_object *replicas = jsontree_get(root, "replicas", NULL);
	struct policy_tally *t = policy_tally_new(keys, 2);

	for (size_t i = 0; i < jsontree_count(replicas); i++) {
		struct reason why = {0};
		enum err err = policy_tally_add(t, jsontree_item(replicas, i), &why);

		CHECK(err == ERR_OK || why.text[0] != '\0');
	}
	judge(t, jsontree_get(root, "status", NULL));
	nighd_pods_each(root, NIGHD_PODS_PORT, on_pod, NULL);
	policy_tally_free(t);
	json_object_put(root);
	json_tokener_free(tokener);
	return 0;
}
