/* takeover.h -- fields of an object that KubeFed's manager owns by its PUTs become ours, once.
 *
 * Without that a field that leaves the template would stay in the member, as KubeFed still owned it.  KubeFed's entry is
 * known by what it owns, the label kubefed.io/managed, as its name was another in each build.  Pure.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_TAKEOVER_H
#define PROPAGATOR_TAKEOVER_H

#include <stdbool.h>

struct json_object;

/* A JSON patch of the object, which holds only for the state of it that was given: entries of metadata.managedFields with
 * operation Update that own the label are merged into the one that `manager` has applied.  The caller puts it; NULL: there is
 * nothing to take over. */
struct json_object *takeover_patch(struct json_object *object, const char *manager);

/* What `manager` applied goes over to KubeFed's fields, too, and is applied again: takes out of the object, as it was applied,
 * what KubeFed alone owned, which leaves it then; what a server makes of its absence is another question.  False: there is
 * nothing to take over. */
bool takeover_foresee(struct json_object *object, const char *manager);

#endif
