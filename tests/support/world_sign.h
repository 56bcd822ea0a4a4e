/* world_sign.h -- queries with a transaction signature (RFC 8945) of any time, length and key: what dig does not do.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_SIGN_H
#define TESTS_SUPPORT_WORLD_SIGN_H

#include <stddef.h>
#include <stdint.h>

enum { SIGN_ROOM = 128 }; /* what a signature takes */

/* How a message is signed with HMAC-SHA256. */
struct signing {
	const char *name;   /* of the key: a label */
	const char *secret; /* in base64, as a key file has it */
	int64_t age_s;      /* so long ago; negative: ahead */
	size_t mac_len;     /* of 32 octets; 0: all */
};

/* Appends the record to a message that has SIGN_ROOM behind it; returns the new length. */
size_t sign_message(uint8_t *message, size_t len, const struct signing *how);

#endif
