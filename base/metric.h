/* metric.h -- the text format that Prometheus reads.
 *
 * Rooms count in their own structs; whoever serves /metrics prints them with
 * these.  Label values are escaped here.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_label {
	const char *key;
	const char *value;
};

/* "# HELP" and "# TYPE"; once per name, before its samples. */
void metric_head(struct text *out, const char *name, enum metric_type type, const char *sentence);
/* One sample; labels may be NULL with count 0. */
void metric_sample(struct text *out, const char *name, const struct metric_label *labels,
                   size_t count, double value);
/* A histogram: count[i] samples of at most bound[i] (ascending, not cumulative),
 * count[n] those above all; sum of all. */
void metric_histogram(struct text *out, const char *name, const double *bound,
                      const uint64_t *count, size_t n, double sum);

#endif
