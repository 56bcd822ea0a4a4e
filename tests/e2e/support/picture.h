/* picture.h -- a federation as it is now: what it propagates, in the host and in the members.  One thread at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_PICTURE_H
#define TESTS_E2E_SUPPORT_PICTURE_H

#include "tests/e2e/support/federation.h"
#include "tests/e2e/support/snapshot.h"

/* The kinds of KubeFed's chart.  Begins as zeros. */
struct picture {
	struct json_object *host;     /* federated objects, types, preferences */
	struct json_object *versions; /* PropagatedVersions, FederatedServiceStatuses */
	struct json_object *member[FEDERATION_MEMBERS_MOST];
};

/* What was there before is forgotten. */
void picture_take(struct picture *p, struct federation *f);
void picture_forget(struct picture *p);
/* Until nothing at all has been written for calm_s, within_ms at most: `p` is how it is then. */
void picture_await_calm(struct picture *p, struct federation *f, unsigned calm_s,
                        unsigned within_ms);
/* As snapshot_same(). */
bool picture_same(const struct picture *before, const struct picture *now,
                  const struct snapshot_rule *host, const struct snapshot_rule *versions,
                  const struct snapshot_rule *members, struct text *out);

#endif
