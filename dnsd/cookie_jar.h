/* cookie_jar.h -- the secrets of DNS cookies that are in force: of a file, or random.
 *
 * Control thread.  The file is read again when it changes, so that replicas that share
 * one roll its secrets over together (RFC 9018 5).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_COOKIE_JAR_H
#define DNSD_COOKIE_JAR_H

#include <stdbool.h>

#include "base/err.h"
#include "base/stamp.h"
#include "dnsd/cookie.h"

struct cookie_jar {
	struct cookie_secrets secrets; /* in force */
	struct cookie_secrets random;  /* of this start */
	struct stamp read;             /* of the file as it was read last */
	bool is_wrong;                 /* it could not be read since */
};

/* With a random secret. */
void cookie_jar_init(struct cookie_jar *jar);
void cookie_jar_fini(struct cookie_jar *jar); /* forgets the secrets */
/* Takes the secrets of the file (NULL: the random one).  It has one in each line, 32 hexadecimal digits, and is
 * closed to all but its owner and its group.  ERR_IO, ERR_DENIED, ERR_PARSE with "FILE: text": then all stays. */
enum err cookie_jar_fill(struct cookie_jar *jar, const char *file, struct reason *why) MUST_CHECK;
/* Is the file (NULL: none) another than the one that was read? */
bool cookie_jar_is_stale(const struct cookie_jar *jar, const char *file);

#endif
