/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/propagator_admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/json_util.h>

#include "tests/support/fakeapi_inside.h"

#define VECTORS "tests/vectors/kubefed/"

static struct json_object *copy_of(struct json_object *value)
{
	struct json_object *copy = NULL;

	assert_int_equal(json_object_deep_copy(value, &copy, NULL), 0);
	return copy;
}

static struct json_object *must_get(struct json_object *object, const char *key)
{
	struct json_object *value = json_object_object_get(object, key);

	assert_non_null(value);
	return value;
}

static unsigned each_of_json(const char *kind, admission_case_fn *on_case, void *arg)
{
	struct json_object *all = json_object_from_file(VECTORS "admission.json");
	struct json_object *set = must_get(all, kind), *cases = must_get(set, "cases");
	unsigned count = (unsigned)json_object_array_length(cases);

	for (unsigned i = 0; i < count; i++) {
		struct json_object *one = json_object_array_get_idx(cases, i);
		const char *verdict = json_object_get_string(must_get(one, "verdict"));
		struct json_object *object = copy_of(must_get(set, "base"));
		struct admission_case c = {kind, json_object_get_string(must_get(one, "what")),
		                           object, strcmp(verdict, "accept") == 0};

		patch_merge(object, must_get(one, "patch"));
		on_case(&c, arg);
		json_object_put(object);
	}
	json_object_put(all);
	return count;
}

/* One whose spec is good but for that field. */
static struct json_object *cluster_with(const char *field, const char *value)
{
	struct json_object *object = json_tokener_parse(
		"{\"apiVersion\":\"core.kubefed.io/v1beta1\",\"kind\":\"KubeFedCluster\","
		"\"metadata\":{\"name\":\"vector\",\"namespace\":\"kube-federation-system\"},"
		"\"spec\":{\"apiEndpoint\":\"example.com\",\"secretRef\":{\"name\":\"a\"}}}");

	json_object_object_add(must_get(object, "spec"), field, json_tokener_parse(value));
	return object;
}

static unsigned each_of_table(admission_case_fn *on_case, void *arg)
{
	FILE *file = fopen(VECTORS "cluster_spec.tsv", "r");
	char *line = NULL;
	size_t room = 0;
	unsigned count = 0;

	assert_non_null(file);
	while (getline(&line, &room, file) > 0) {
		char *verdict = strtok(line, "\t\n"), *field = strtok(NULL, "\t\n");
		char *value = strtok(NULL, "\t\n");
		struct admission_case c = {"KubeFedCluster", value, NULL, false};

		if (!value || verdict[0] == '#')
			continue;
		c.object = cluster_with(field, value);
		c.is_accepted = strcmp(verdict, "accept") == 0;
		on_case(&c, arg);
		json_object_put(c.object);
		count++;
	}
	free(line);
	fclose(file);
	return count;
}

unsigned admission_each(const char *kind, admission_case_fn *on_case, void *arg)
{
	if (strcmp(kind, "KubeFedCluster") == 0)
		return each_of_table(on_case, arg);
	return each_of_json(kind, on_case, arg);
}

struct json_object *admission_base(const char *kind)
{
	struct json_object *all = json_object_from_file(VECTORS "admission.json");
	struct json_object *base = copy_of(must_get(must_get(all, kind), "base"));

	json_object_put(all);
	return base;
}
