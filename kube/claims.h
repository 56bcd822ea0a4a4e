/* claims.h -- what a token says of itself, when it is a JWT (RFC 7519 4.1).
 *
 * Nothing is verified: for whoever holds the token, not for whoever is shown it.  Pure; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_CLAIMS_H
#define KUBE_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct kube_claims {
	int64_t issued_s, ends_s; /* iat, exp: Unix seconds; -1: it does not say */
	char namespace[64],
		account[254]; /* of sub "system:serviceaccount:NAMESPACE:NAME"; "": it is none's */
};

/* False: it is no JWT.  What in it cannot be read is as if it were not there. */
bool kube_claims_read(struct bytes token, struct kube_claims *out);

#endif
