/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/metric.h"

static void test_samples_have_escaped_labels(void **state)
{
	struct text t = {0};
	struct metric_label labels[] = {{"zone", "example.com"}, {"odd", "a\"b\\c\nd"}};

	(void)state;
	metric_head(&t, "dnsd_answers_total", METRIC_COUNTER, "Answers sent\nso \\ far.");
	metric_sample(&t, "dnsd_answers_total", labels, 2, 3);
	metric_sample(&t, "dnsd_up", NULL, 0, 0.25);
	assert_string_equal(t.data,
	                    "# HELP dnsd_answers_total Answers sent\\nso \\\\ far.\n"
	                    "# TYPE dnsd_answers_total counter\n"
	                    "dnsd_answers_total{zone=\"example.com\",odd=\"a\\\"b\\\\c\\nd\"} 3\n"
	                    "dnsd_up 0.25\n");
	text_fini(&t);
}

static void test_numbers_keep_their_value(void **state)
{
	struct text t = {0};

	(void)state;
	metric_sample(&t, "a", NULL, 0, 9007199254740991.0);
	metric_sample(&t, "a", NULL, 0, 0.1);
	metric_sample(&t, "a", NULL, 0, 0.1 + 0.2);
	metric_sample(&t, "a", NULL, 0, 1e300);
	metric_sample(&t, "a", NULL, 0, (double)INFINITY);
	metric_sample(&t, "a", NULL, 0, -(double)INFINITY);
	metric_sample(&t, "a", NULL, 0, (double)NAN);
	assert_string_equal(t.data, "a 9007199254740991\na 0.1\na 0.30000000000000004\na 1e+300\n"
	                            "a +Inf\na -Inf\na NaN\n");
	text_fini(&t);
}

static void test_histograms_are_cumulative(void **state)
{
	static const double bound[] = {0.001, 0.01, 1};
	static const uint64_t count[] = {5, 0, 2, 1};
	struct text t = {0};

	(void)state;
	metric_histogram(&t, "h", bound, count, 3, 4.5);
	assert_string_equal(
		t.data, "h_bucket{le=\"0.001\"} 5\nh_bucket{le=\"0.01\"} 5\n"
			"h_bucket{le=\"1\"} 7\nh_bucket{le=\"+Inf\"} 8\nh_sum 4.5\nh_count 8\n");
	text_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples_have_escaped_labels),
		cmocka_unit_test(test_numbers_keep_their_value),
		cmocka_unit_test(test_histograms_are_cumulative),
	};

	return cmocka_run_group_tests_name("base/metric", tests, NULL, NULL);
}
