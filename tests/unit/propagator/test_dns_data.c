/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/dns_data.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RECORD                                                                                     \
	"{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"status\":{\"dns\":["            \
	"{\"cluster\":\"gondor\",\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.10\"}]}},"       \
	"{\"cluster\":\"mordor\",\"loadBalancer\":{}},{\"cluster\":\"no "                          \
	"name\"},{\"cluster\":5},7]}}"

static void on_built(void *arg) { ++*(unsigned *)arg; }
static void on_stopped(void *arg) { *(bool *)arg = true; }

static bool is_gondor(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, "gondor") == 0;
}

/* What a status says is recalled; the names of the clusters that are known then. */
static void recall(const char *record, bool (*is_member)(const char *name, void *arg),
                   const char *const *names, size_t count)
{
	const struct dns_data_settings settings = {.namespace = "kube-federation-system",
	                                           .is_member = is_member};
	struct json_object *object = json_tokener_parse(record);
	struct dns_data_view view;
	struct dns_data *d;
	unsigned built = 0;
	bool stopped = false;
	uv_loop_t loop;

	assert_non_null(object);
	assert_int_equal(uv_loop_init(&loop), 0);
	d = dns_data_new(&loop, &settings, on_built, &built);
	dns_data_recall(d, FACT_SERVICE_DNS_RECORD, object);
	while (count > 0 && built == 0)
		uv_run(&loop, UV_RUN_ONCE);
	view = dns_data_view(d);
	assert_int_equal(view.cluster_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(view.clusters[i].name, names[i]);
		assert_int_equal(view.clusters[i].state->knowledge, KNOWLEDGE_UNSEEN);
	}
	assert_false(dns_data_is_ready(d));
	dns_data_stop(d, on_stopped, &stopped);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(stopped);
	assert_int_equal(uv_loop_close(&loop), 0);
	json_object_put(object);
}

static void test_clusters_of_a_status_are_recalled_as_unseen(void **state)
{
	(void)state;
	recall(RECORD, NULL, (const char *const[]){"gondor", "mordor"}, 2);
}

static void test_who_writes_a_status_makes_no_clusters(void **state)
{
	(void)state;
	recall(RECORD, is_gondor, (const char *const[]){"gondor"}, 1);
}

static void test_a_status_of_any_shape_is_taken(void **state)
{
	static const char *const shapes[] = {
		"{}",
		"{\"metadata\":5,\"status\":[]}",
		"{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"status\":{\"dns\":{}}}",
		"{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"status\":{\"dns\":[null,"
		"[]]}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		recall(shapes[i], NULL, NULL, 0);
	recall("{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"status\":{\"dns\":[{"
	       "\"cluster\":\"gondor\",\"zones\":[null,7,{}],\"region\":{},\"loadBalancer\":{"
	       "\"ingress\":[null,5,{\"ip\":7}]}}]}}",
	       NULL, (const char *const[]){"gondor"}, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clusters_of_a_status_are_recalled_as_unseen),
		cmocka_unit_test(test_who_writes_a_status_makes_no_clusters),
		cmocka_unit_test(test_a_status_of_any_shape_is_taken),
	};

	return cmocka_run_group_tests_name("propagator/dns_data", tests, NULL, NULL);
}
