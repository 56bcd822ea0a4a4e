/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records/ramp.h"
#include "tests/support/records_facts.h"
#include "tests/support/records_world.h"

static void test_clusters_are_put_together_from_all_that_is_known(void **state)
{
	struct records_world *w = records_world_new();
	struct records_member member = {.name = bytes_of("ny"),
	                                .has_location = true,
	                                .location = {1, 2},
	                                .region = bytes_of("r1"),
	                                .drained = true};
	const struct records_cluster *c;

	(void)state;
	w->settings.members = &member;
	w->settings.member_count = 1;
	records_world_configure(w);
	records_world_cluster(w, "tokyo", true);
	records_world_cluster(w, "ny", true);
	records_world_cluster(w, "la", true);
	records_world_put(w, "", records_fact_cluster("unregistered", "r", "z", NULL, false));
	records_world_put(w, "", records_fact_cluster("la", "us-west-2", "", NULL, false));
	records_world_put(w, "tokyo", records_fact_node("n1", "b", "z2"));
	records_world_put(w, "tokyo", records_fact_node("n2", "a", "z1"));
	records_world_put(w, "tokyo", records_fact_node("n3", "b", "z2"));
	records_world_put(w, "tokyo", records_fact_node("n4", "a", ""));
	records_world_build(w);
	assert_true(w->last->clusters_changed);
	assert_int_equal(w->last->cluster_count, 3);
	c = w->last->clusters;
	assert_string_equal(c[0].name, "la");
	assert_true(c[0].has_place);
	assert_string_equal(c[0].place_from, "region us-west-2");
	assert_string_equal(c[1].name, "ny");
	assert_string_equal(c[1].place_from, "config");
	assert_true(c[1].drained);
	assert_true(bytes_equal_text(c[1].region, "r1"));
	assert_false(c[2].has_place);
	assert_true(bytes_equal_text(c[2].region, "a"));
	assert_int_equal(c[2].zone_count, 2);
	assert_true(bytes_equal_text(c[2].zones[0], "z1"));
	records_world_expect_text(records_world_problems(w),
	                          "cluster tokyo: has no location: ranked last\n");
	records_world_put(w, "", records_fact_cluster("ny", "r2", "", "40.7,-74", true));
	records_world_build(w);
	assert_true(w->last->clusters_changed);
	assert_string_equal(w->last->clusters[1].place_from, "annotation");
	assert_true(bytes_equal_text(w->last->clusters[1].region, "r2"));
	records_world_free(w);
}

static void put_labelled(struct records_world *w, const struct bytes *labels, size_t count)
{
	struct fact_value v = {.kind = FACT_KUBEFED_CLUSTER, .name = bytes_of("la")};

	v.cluster.labels = labels;
	v.cluster.label_count = count;
	records_world_put(w, "", records_fact(&v));
	records_world_build(w);
}

static void test_another_label_is_a_change(void **state)
{
	const struct bytes labels[] = {bytes_of("a=b"), bytes_of("tier=backup")};
	struct records_world *w = records_world_new();

	(void)state;
	records_world_cluster(w, "la", true);
	put_labelled(w, labels, 1);
	put_labelled(w, labels, 2);
	assert_true(w->last->clusters_changed);
	assert_int_equal(w->last->clusters[0].label_count, 2);
	assert_true(bytes_equal_text(w->last->clusters[0].labels[1], "tier=backup"));
	put_labelled(w, labels, 2);
	assert_false(w->last->clusters_changed);
	put_labelled(w, labels + 1, 1);
	assert_true(w->last->clusters_changed);
	records_world_free(w);
}

static void put_shift(struct records_world *w, const char *shift)
{
	struct fact_value v = {.kind = FACT_KUBEFED_CLUSTER,
	                       .namespace = bytes_of("kube-federation-system"),
	                       .name = bytes_of("la"),
	                       .created = 1};

	v.cluster.region = bytes_of("us-west-2");
	v.cluster.shift = bytes_of(shift);
	records_world_put(w, "", records_fact(&v));
	records_world_build(w);
}

static void test_a_shift_that_cannot_be_read_leaves_the_one_before_in_force(void **state)
{
	struct records_world *w = records_world_new();

	(void)state;
	records_world_configure(w);
	records_world_cluster(w, "la", true);
	put_shift(w, "to=20 start=2026-11-28T10:00:00Z");
	assert_null(w->last->clusters[0].shift);
	records_world_expect_text(records_world_problems(w),
	                          "cluster la: annotation nigh.dev/shift: '20' is no share: "
	                          "to=0% to 100%; nothing is shifted\n");
	put_shift(w, "to=20% start=2026-11-28T10:00:00Z");
	assert_true(w->last->clusters_changed);
	assert_int_equal(w->last->clusters[0].shift->to, RAMP_WHOLE / 5);
	put_shift(w, "to=30% start=soon");
	assert_int_equal(w->last->clusters[0].shift->to, RAMP_WHOLE / 5);
	records_world_expect_text(records_world_problems(w),
	                          "cluster la: annotation nigh.dev/shift: 'soon' is no time: "
	                          "start=2026-11-28T10:00:00Z; the one before stays in force\n");
	put_shift(w, "to=30% start=2026-11-28T10:00:00Z");
	assert_int_equal(w->last->clusters[0].shift->to, (RAMP_WHOLE * 3 + 5) / 10);
	records_world_expect_text(records_world_problems(w), "");
	put_shift(w, "");
	assert_true(w->last->clusters_changed);
	assert_null(w->last->clusters[0].shift);
	records_world_free(w);
}

static void test_a_shift_goes_with_its_cluster(void **state)
{
	struct records_world *w = records_world_new();

	(void)state;
	records_world_configure(w);
	records_world_cluster(w, "la", true);
	put_shift(w, "to=20% start=2026-11-28T10:00:00Z");
	assert_non_null(w->last->clusters[0].shift);
	records_world_cluster(w, "la", false);
	records_world_build(w);
	records_world_cluster(w, "la", true);
	put_shift(w, "to=20");
	assert_null(w->last->clusters[0].shift);
	records_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clusters_are_put_together_from_all_that_is_known),
		cmocka_unit_test(test_another_label_is_a_change),
		cmocka_unit_test(test_a_shift_that_cannot_be_read_leaves_the_one_before_in_force),
		cmocka_unit_test(test_a_shift_goes_with_its_cluster),
	};

	return cmocka_run_group_tests_name("records/clusters", tests, NULL, NULL);
}
