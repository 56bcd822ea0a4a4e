/* test_v1_names.c -- a Service of Federation v1, federated, has the names that it had. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/arena.h"
#include "ctl/federated.h"
#include "propagator/jsontree.h"
#include "records/rendering.h"
#include "tests/support/propagator_json.h"
#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"
#include "watcher/decode.h"

/* Where it differs (docs/from-federation-v1.md), step by step of the case; the rest is as the vectors say. */
static const struct {
	const char *vector;
	size_t step;
	const char *want;
} differences[] = {
	/* KubeFed gives a cluster without an address its names, which lead to the next level. */
	{"ServiceWithNoIngress", 0,
         "[['nginx.test.ufp.svc.barregion.example.com', 'CNAME', 180, "
         "['nginx.test.ufp.svc.example.com']], "
         "['nginx.test.ufp.svc.barzone.barregion.example.com', 'CNAME', 180, "
         "['nginx.test.ufp.svc.barregion.example.com']], "
         "['nginx.test.ufp.svc.fooregion.example.com', 'CNAME', 180, "
         "['nginx.test.ufp.svc.example.com']], "
         "['nginx.test.ufp.svc.foozone.fooregion.example.com', 'CNAME', 180, "
         "['nginx.test.ufp.svc.fooregion.example.com']]]"},
	/* v1 left names behind when a Service was deleted. */
	{"ServiceWithLBIngressAndServiceDeleted", 1, "[]"},
};

static void put_decoded(struct records_world *w, struct json_object *object)
{
	struct arena *arena = arena_new();
	const struct fact *fact = NULL;
	struct reason why = {0};

	if (decode_object(object, DECODE_HOST, arena, &fact, &why) != ERR_OK || !fact)
		fail_msg("%s", why.text);
	records_world_put(w, "", fact);
	arena_free(arena);
}

/* What `nighctl federate --federation ufp=example.com` makes of it. */
static void put_federated(struct records_world *w)
{
	static const struct federated_settings settings = {
		"types.kubefed.io", "v1beta1", "kube-federation-system", "ufp", "example.com"};
	struct json_object *out = json_keep(json_object_new_array());
	struct text warnings = {0};

	assert_int_equal(federated_make(&settings,
	                                json_of("{'apiVersion': 'v1', 'kind': 'Service', "
	                                        "'metadata': {'name': 'nginx', 'namespace': "
	                                        "'test'}, 'spec': {'type': 'LoadBalancer', "
	                                        "'ports': [{'port': 80}]}}"),
	                                out, &warnings, NULL),
	                 ERR_OK);
	assert_int_equal(json_object_array_length(out), 3);
	put_decoded(w, jsontree_item(out, 1));
	put_decoded(w, jsontree_item(out, 2));
	text_fini(&warnings);
}

static void put_cluster(struct records_world *w, const char *name, struct json_object *place,
                        struct json_object *addresses, bool is_deleted)
{
	char targets[256] = "";

	for (size_t i = 0; i < jsontree_count(addresses); i++)
		snprintf(targets + strlen(targets), sizeof(targets) - strlen(targets), "%s%s",
		         i ? "," : "", jsontree_word(jsontree_item(addresses, i), NULL));
	records_world_cluster(w, name, true);
	records_world_put(w, "",
	                  records_fact_cluster(name, json_text(place, "region"),
	                                       json_text(place, "zone"), "0,0", false));
	if (is_deleted)
		return;
	records_world_put(w, name,
	                  records_fact_service("test/nginx", targets, 80, NULL, NULL, NULL, 1));
	records_world_put(w, name, records_fact_slice("test/nginx-1", "nginx", 1));
}

static void resolve(struct records_world *w, struct json_object *resolver)
{
	for (size_t i = 0; i < w->last->host_count; i++) {
		struct bytes host = w->last->hosts[i];
		char name[256];
		struct addr a;

		snprintf(name, sizeof(name), "%.*s", (int)host.len, (const char *)host.data);
		if (addr_parse(bytes_of(jsontree_word(jsontree_item(json_member(resolver, name), 0),
		                                      NULL)),
		               &a))
			records_set_host(w->records, host, &a, 1, 0);
	}
}

static int by_name(const void *a, const void *b)
{
	struct json_object *const *one = a, *const *other = b;

	return strcmp(jsontree_word(jsontree_item(*one, 0), NULL),
	              jsontree_word(jsontree_item(*other, 0), NULL));
}

/* As the vectors write them. */
static struct json_object *rendered(const struct records_world *w)
{
	struct json_object *out = json_keep(json_object_new_array()), *list;
	struct text text = {0};

	if (rendering_print(w->records, w->facts, FACT_SERVICE_DNS_RECORD, bytes_of("test"),
	                    bytes_of("nginx"), &text) == ERR_NOTFOUND)
		return out;
	list = json_of(text.data);
	for (size_t i = 0; i < jsontree_count(list); i++) {
		struct json_object *from = jsontree_item(list, i), *one = json_object_new_array();
		static const char *const keys[] = {"dnsName", "recordType", "recordTTL", "targets"};

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			json_object_array_add(one, json_object_get(json_member(from, keys[k])));
		json_object_array_add(out, one);
	}
	text_fini(&text);
	return out;
}

static struct json_object *wanted(struct json_object *vector, size_t step)
{
	struct json_object *list =
		json_member(jsontree_item(json_member(vector, "steps"), step), "records");

	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		if (strcmp(differences[i].vector, json_text(vector, "name")) == 0 &&
		    differences[i].step == step)
			list = json_of(differences[i].want);
	json_object_array_sort(list, by_name);
	return list;
}

static void check(struct json_object *vector, size_t step, struct json_object *clusters,
                  struct json_object *resolver)
{
	struct json_object *now = jsontree_item(json_member(vector, "steps"), step);
	bool is_deleted = jsontree_is_true(now, "deleted", NULL);
	struct records_world *w = records_world_new();

	print_message("%s, step %zu\n", json_text(vector, "name"), step);
	/* The record goes with its Service. */
	if (!is_deleted)
		put_federated(w);
	json_object_object_foreach(clusters, name, place) put_cluster(
		w, name, place, json_member(json_member(now, "ingress"), name), is_deleted);
	records_world_build(w);
	resolve(w, resolver);
	records_world_build(w);
	assert_json(rendered(w), wanted(vector, step));
	records_world_free(w);
}

static void test_a_service_of_federation_v1_keeps_its_names(void **state)
{
	struct json_object *cases = json_vectors("misc_vectors.json", "v1_service_dns");
	struct json_object *vectors = json_member(cases, "cases");

	(void)state;
	assert_int_equal(json_object_array_length(vectors), 7);
	for (size_t i = 0; i < jsontree_count(vectors); i++) {
		struct json_object *vector = jsontree_item(vectors, i);

		for (size_t s = 0; s < jsontree_count(json_member(vector, "steps")); s++)
			check(vector, s, json_member(cases, "clusters"),
			      json_member(cases, "resolver"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JSON_TEST(test_a_service_of_federation_v1_keeps_its_names),
	};

	return cmocka_run_group_tests_name("ctl/federated names", tests, NULL, NULL);
}
