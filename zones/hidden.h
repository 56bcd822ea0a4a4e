/* hidden.h -- names below a delegation or a DNAME that another source has: clients get that instead, so it is told.
 *
 * A delegation's glue is no such name.  Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_HIDDEN_H
#define ZONES_HIDDEN_H

#include "zones/name.h"
#include "zones/served.h"

/* The name's problem as it is now: an endpoint's data there have come, changed or gone. */
void hidden_tell(struct served *s, const struct name *name);
/* A name of the file is gone. */
void hidden_forget(struct served *s, const struct name *name);
/* Those of all names, which edit_settle() has marked: a pass over the zone. */
void hidden_tell_all(struct served *s);

#endif
