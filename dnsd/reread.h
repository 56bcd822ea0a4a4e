/* reread.h -- the files that nighd has read as root, and cannot read again as its `user`.
 *
 * Control thread, once root is given up.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_REREAD_H
#define DNSD_REREAD_H

#include "dnsd/config.h"

/* `text`: "PLACE: FILE: what that means", good for the call. */
typedef void reread_on_refused_fn(const char *text, void *arg);

/* Calls for the config, and for certificate and key of listen.tls, which may be root's alone: what is new in them then needs a
 * restart.  For none without a `user`. */
void reread_each_refused(const struct config *c, reread_on_refused_fn *on_refused, void *arg);

#endif
