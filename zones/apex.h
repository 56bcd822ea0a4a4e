/* apex.h -- what a zone says about itself: SOA, NS, addresses of its nameservers.
 *
 * Writer's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONES_APEX_H
#define ZONES_APEX_H

#include "base/bytes.h"
#include "zones/served.h"

/* Image (draft.h) of the apex, the data that the file and the endpoint have of that name merged in.  What it may not have
 * there goes to the problems.  The arena is used, not reset. */
void apex_image(struct served *s, struct buffer *image);
/* Image of a nameserver that has addresses. */
void apex_nameserver_image(const struct served *s, const struct served_nameserver *ns,
                           struct buffer *image);

#endif
