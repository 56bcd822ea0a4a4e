/* propagator_admission.h -- what KubeFed's admission took and what it refused, for who holds to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_ADMISSION_H
#define TESTS_SUPPORT_PROPAGATOR_ADMISSION_H

#include <stdbool.h>

struct json_object;

struct admission_case {
	const char *kind, *what;
	struct json_object *object; /* borrowed */
	bool is_accepted;
};

typedef void admission_case_fn(const struct admission_case *c, void *arg);

/* The cases of tests/vectors/kubefed: FederatedTypeConfig and KubeFedConfig (admission.json), KubeFedCluster
 * (cluster_spec.tsv); how many there were. */
unsigned admission_each(const char *kind, admission_case_fn *on_case, void *arg);
/* The object of which those of admission.json are changes; the caller puts it. */
struct json_object *admission_base(const char *kind);

#endif
