/* fuzz_admission.c -- any bytes as what is sent to the admission webhooks; and, when they are JSON, as a member's ceiling with an
 * object to be pushed there: {"map": ConfigMap, "type": FederatedTypeConfig, "object"}. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "kube/object.h"
#include "kube/splitter.h"
#include "propagator/admission.h"
#include "propagator/ceiling.h"
#include "propagator/jsontree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The answer is JSON and says what was returned. */
static void check_answer(enum admission_verdict verdict, const struct text *out)
{
	struct json_object *answer;
	bool allowed;

	if (verdict == ADMISSION_MALFORMED) {
		CHECK(out->len == 0);
		return;
	}
	answer = json_tokener_parse(out->data);
	CHECK(answer != NULL);
	allowed = jsontree_is_true(answer, "response", "allowed", NULL);
	CHECK(allowed == (verdict == ADMISSION_ALLOWED));
	CHECK(allowed || jsontree_text(answer, "response", "status", "message", NULL));
	json_object_put(answer);
}

static void try_review(const char *path, struct bytes review)
{
	struct text out = {0};

	check_answer(admission_answer(path, review, &out), &out);
	text_fini(&out);
}

static void try_ceiling(struct json_object *all)
{
	struct ceiling *c = ceiling_read(jsontree_get(all, "map", NULL));
	struct reason why = {""};
	struct type type;

	if (type_read(jsontree_get(all, "type", NULL), &type, &why) == ERR_OK) {
		struct json_object *object = jsontree_get(all, "object", NULL);
		bool allowed;

		why.text[0] = '\0';
		allowed = ceiling_allows(c, &type, "kube-federation-system", object, &why);
		CHECK(allowed == (why.text[0] == '\0'));
		CHECK(!allowed || ceiling_trouble(c)[0] == '\0');
		CHECK(!allowed ||
		      ceiling_allows(NULL, &type, "kube-federation-system", object, &why));
		type_fini(&type);
	}
	ceiling_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size};
	json_tokener *tokener = json_tokener_new_ex(SPLITTER_DEPTH + 2);
	struct json_object *all = object_parse(tokener, bytes);

	try_review("/validate-federatedtypeconfigs", bytes);
	try_review("/validate-kubefedcluster", bytes);
	try_review("/validate-kubefedconfig", bytes);
	try_review("/default-kubefedconfig", bytes);
	if (all)
		try_ceiling(all);
	json_object_put(all);
	json_tokener_free(tokener);
	return 0;
}
