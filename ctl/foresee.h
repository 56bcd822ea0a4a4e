/* foresee.h -- what nigh-propagator would do about a federated object, cluster by cluster, asked of the members without
 * changing anything.
 *
 * By the propagator's own modules, and dry runs of the member's server; many members are asked at a time (crew.h).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FORESEE_H
#define CTL_FORESEE_H

#include "base/text.h"
#include "ctl/outlook.h"

enum foresee_step {
	FORESEE_NOTHING,
	FORESEE_CREATE,
	FORESEE_UPDATE,
	FORESEE_DELETE,
	FORESEE_REFUSED, /* it would be tried, and does not go */
	FORESEE_UNKNOWN  /* the cluster cannot be asked */
};
/* "create", ... */
const char *foresee_text(enum foresee_step step);

struct foreseen {
	const char *cluster;
	enum foresee_step step;
	struct text why;
	struct json_object *differences; /* differences.h; of an update; NULL: none */
};
/* The values are good during the call, which is made on the thread of foresee(), cluster by cluster in their order. */
typedef void foresee_fn(const struct foreseen *f, void *arg);

/* `namespace`: the FederatedNamespace that it is in, or NULL.  Clusters that it has nothing to do with are left out.
 * An error is one of the object: it goes nowhere. */
enum err foresee(struct outlook *o, const struct type *type, struct json_object *federated,
                 struct json_object *namespace, foresee_fn *on_cluster, void *arg,
                 struct reason *why) MUST_CHECK;

#endif
