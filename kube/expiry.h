/* expiry.h -- when a credential ends, as far as it says so itself.  Any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_EXPIRY_H
#define KUBE_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/access.h"

/* The earlier of the client certificate's notAfter and the token's `exp` (when it is a JWT, RFC 7519 4.1.4), in Unix
 * seconds.  False: neither says.  Nothing is verified, and nothing that cannot be read is an error. */
bool kube_expiry(const struct kube_access *a, int64_t *unix_s);

#endif
