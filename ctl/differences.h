/* differences.h -- in what two states of an object differ, path by path.  Pure; any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DIFFERENCES_H
#define CTL_DIFFERENCES_H

#include "base/text.h"

struct json_object;

/* A list of {path, has, should}: "spec.replicas"; without `has` (`should`) it is not there before (after).  What a server
 * counts by itself (resourceVersion, generation, managedFields ...) and `status` are left out.  Lists of one length
 * are compared item by item, others whole.  NULL is an empty object.  The caller puts it. */
struct json_object *differences_between(struct json_object *before, struct json_object *after);
/* Of a Secret, or a federated one: values that may be secret become "***". */
void differences_hide(struct json_object *differences);
/* "spec.replicas: 1 -> 4, metadata.labels.a: (none) -> x, and 3 more": `most` of them, long values cut. */
void differences_print(struct json_object *differences, size_t most, struct text *out);

#endif
