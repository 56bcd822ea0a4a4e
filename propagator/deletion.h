/* deletion.h -- how copies are deleted: the annotation kubefed.io/deleteoption of a federated object.  Any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DELETION_H
#define PROPAGATOR_DELETION_H

#include "base/err.h"

struct json_object;

#define DELETION_ANNOTATION "kubefed.io/deleteoption"

/* The DeleteOptions that it says, an empty object without one; the caller puts it.  Unknown members are left out, as
 * KubeFed did.  ERR_PARSE names what is wrong; nothing is in `out` then. */
enum err deletion_options(struct json_object *federated, struct json_object **out,
                          struct reason *why) MUST_CHECK;

#endif
