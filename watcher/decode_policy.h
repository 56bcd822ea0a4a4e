/* decode_policy.h -- the parts of a TrafficPolicy: what decode_policy.c is made of.
 *
 * For decode*.c alone.  Everything is held to what deploy/crds/trafficpolicies.yaml says, as manifests are
 * seen by no API server: an unknown field, or what contradicts itself, is an error that names the field.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_DECODE_POLICY_H
#define WATCHER_DECODE_POLICY_H

#include "records/policy.h"
#include "watcher/decode_field.h"

/* Items of a list, or pairs of a mapping, of a policy; the CRD has the same. */
enum {
	DECODE_POLICY_TARGETS_MOST = 64,
	DECODE_POLICY_RULES_MOST = 128, /* of a geofence */
	DECODE_POLICY_TIERS_MOST = 16,
	DECODE_POLICY_TIER_MOST = 64,   /* clusters of one */
	DECODE_POLICY_NAMES_MOST = 256, /* of clusters, countries, networks of one rule */
	DECODE_POLICY_HEADERS_MOST = 16
};

/* spec.stages. */
void decode_policy_stages(const struct field *spec, struct policy_value *out);
/* spec.probe. */
void decode_policy_probe(const struct field *spec, struct policy_check *out);

/* spec.sticky, and the stage of that name. */
void decode_policy_sticky(const struct field *f, struct policy_value *out);
/* How many items there are; more than `most` are an error. */
size_t decode_policy_count(const struct field *list, size_t most);
/* Names of clusters, each once, sorted; none is an error when the field is there. */
const struct bytes *decode_policy_cluster_set(const struct field *list, size_t *count);
/* A number for each of several clusters, sorted by name. */
const struct policy_number *decode_policy_numbers(const struct field *map, int32_t min, int32_t max,
                                                  const char *what, size_t *count);
/* The one key of a mapping that is one of `known`, which end with NULL: its number; errors give `absent`.  Null is an
 * error, as API servers have it. */
size_t decode_policy_choice(const struct field *f, const char *const *known, size_t absent);

#endif
