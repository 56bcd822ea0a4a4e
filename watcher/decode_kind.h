/* decode_kind.h -- which kinds there are, and how each fills a fact.
 *
 * For decode*.c alone.  What is wrong stays in the reading (decode_field.h).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_DECODE_KIND_H
#define WATCHER_DECODE_KIND_H

#include <stdbool.h>

#include "records/fact.h"
#include "watcher/decode_field.h"

/* Fills the part of `out` that the kind has; the key is filled already. */
typedef void decode_fill_fn(const struct field *object, struct fact_value *out);

struct decode_kind {
	const char *kind;
	const char *group;   /* "" for the core group */
	const char *version; /* NULL: any */
	enum fact_kind fact;
	bool cluster_wide; /* it has no namespace */
	decode_fill_fn *fill;
};

/* Both end with a kind of NULL. */
extern const struct decode_kind decode_host_kinds[];
extern const struct decode_kind decode_member_kinds[];

/* decode_policy.c: of a TrafficPolicy. */
void decode_policy_fill(const struct field *object, struct fact_value *out);

/* A member of metadata.labels or metadata.annotations; "" when absent. */
struct bytes decode_label(const struct field *object, const char *key);
struct bytes decode_annotation(const struct field *object, const char *key);
/* The label topology.kubernetes.io/WHAT, or that of the generation before. */
struct bytes decode_topology(const struct field *object, const char *what);

#endif
