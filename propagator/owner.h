/* owner.h -- who owns what is written beside a federated object: garbage collection takes it away with its owner.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_OWNER_H
#define PROPAGATOR_OWNER_H

struct json_object;

/* metadata.ownerReferences of what `owner` alone owns, as KubeFed wrote them; the caller puts it. */
struct json_object *owner_references(struct json_object *owner);

#endif
