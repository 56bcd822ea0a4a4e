/* digest.h -- MD5, as KubeFed's versions are hashed with it; for nothing that must be secret or safe.  Any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DIGEST_H
#define PROPAGATOR_DIGEST_H

#include "base/bytes.h"

enum { DIGEST_ROOM = 33 }; /* 32 small hexadecimal digits and a NUL */

void digest_md5(struct bytes data, char out[DIGEST_ROOM]);

#endif
