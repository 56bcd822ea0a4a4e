/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Backslash and line feed, and in label values the quotation mark. */
static void add_escaped(struct text *out, const char *s, bool is_label)
{
	for (; *s; s++) {
		if (*s == '\n')
			text_add(out, "\\n");
		else if (*s == '\\' || (is_label && *s == '"'))
			text_printf(out, "\\%c", *s);
		else
			text_add_bytes(out, (struct bytes){(const uint8_t *)s, 1});
	}
}

/* The shortest of the usual forms that reads back to the same value. */
static const char *print_number(double value, char out[32])
{
	if (isnan(value))
		return "NaN";
	if (isinf(value))
		return value > 0 ? "+Inf" : "-Inf";
	snprintf(out, 32, "%.15g", value);
	if (fabs(value) < 0x1p53 && nearbyint(value) == value)
		snprintf(out, 32, "%.0f", value);
	else if (strtod(out, NULL) != value)
		snprintf(out, 32, "%.17g", value);
	return out;
}

void metric_head(struct text *out, const char *name, enum metric_type type, const char *sentence)
{
	static const char *const words[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};

	text_printf(out, "# HELP %s ", name);
	add_escaped(out, sentence, false);
	text_printf(out, "\n# TYPE %s %s\n", name, words[type]);
}

void metric_sample(struct text *out, const char *name, const struct metric_label *labels,
                   size_t count, double value)
{
	char number[32];

	text_add(out, name);
	for (size_t i = 0; i < count; i++) {
		text_printf(out, "%s%s=\"", i ? "," : "{", labels[i].key);
		add_escaped(out, labels[i].value, true);
		text_add(out, "\"");
	}
	text_printf(out, "%s %s\n", count ? "}" : "", print_number(value, number));
}

void metric_histogram(struct text *out, const char *name, const double *bound,
                      const uint64_t *count, size_t n, double sum)
{
	char number[32];
	uint64_t total = 0;

	for (size_t i = 0; i <= n; i++) {
		total += count[i];
		text_printf(out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
		            i < n ? print_number(bound[i], number) : "+Inf", total);
	}
	text_printf(out, "%s_sum %s\n", name, print_number(sum, number));
	text_printf(out, "%s_count %" PRIu64 "\n", name, total);
}
