/* cookie.h -- DNS cookies (RFC 7873) as all servers make them (RFC 9018).
 *
 * Pure: secrets, what the client sent, its address and the time in, a cookie out.  Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_COOKIE_H
#define DNSD_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/hash.h"

enum {
	COOKIE_CLIENT_LEN = 8,
	COOKIE_LEN = COOKIE_CLIENT_LEN + 16, /* with the server's part, as we make it */
	COOKIE_MAX_SECRETS = 8,
	COOKIE_EXPIRES_S = 60 * 60,
	COOKIE_RENEWED_S = 30 * 60,
	COOKIE_AHEAD_S = 5 * 60 /* that another server's clock may be before ours */
};

/* The first one makes cookies, all of them verify: so secrets are rolled over (RFC 9018 5). */
struct cookie_secrets {
	unsigned count; /* at least 1 */
	struct hash_key key[COOKIE_MAX_SECRETS];
};

struct hash_key cookie_secret(const uint8_t bytes[16]);

/* May an option's data have this length (RFC 7873 4)?  Else it is malformed. */
bool cookie_is_well_formed(size_t len);

/* Is the server's part of what a client sent (well formed) one of ours, and of the last hour?  In any case
 * `out` gets what it is answered: what it sent while that is young, else a new one.  now_s: Unix time. */
bool cookie_answer(const struct cookie_secrets *secrets, struct bytes sent,
                   const struct addr *client, uint32_t now_s, uint8_t out[COOKIE_LEN]);

#endif
