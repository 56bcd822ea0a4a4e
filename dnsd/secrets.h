/* secrets.h -- what the wire's terms need besides the config: secrets of cookies and keys of signatures, from their files.
 *
 * Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_SECRETS_H
#define DNSD_SECRETS_H

#include <stdint.h>

#include "dnsd/config.h"
#include "dnsd/cookie_jar.h"
#include "dnsd/terms.h"

struct secrets {
	struct cookie_jar cookies;
	const struct tsig_keys *keys; /* NULL: none */
	uint64_t looked_ms;           /* when the cookies' file was last looked at */
};

void secrets_init(struct secrets *s);
void secrets_fini(struct secrets *s);
/* Its random secret becomes that of the process before; before secrets_read(). */
void secrets_inherit(struct secrets *s, const struct hash_key *cookies);
/* All files of this config, or nothing: on an error those that were stay. */
enum err secrets_read(struct secrets *s, const struct config *c, struct reason *why) MUST_CHECK;

/* The two parts of that.  What is wrong is said with the place in the config, or in the file.
 * *out is NULL without a file; it is the caller's, also when this fails. */
enum err secrets_read_keys(const struct config *c, const struct tsig_keys **out,
                           struct reason *why) MUST_CHECK;
enum err secrets_fill_cookies(const struct config *c, struct cookie_jar *jar,
                              struct reason *why) MUST_CHECK;

enum secrets_news {
	SECRETS_SAME,
	SECRETS_NEW,
	SECRETS_BROKEN /* what was in force stays; `why` */
};
/* Replicas share the file with the cookies' secrets, and roll them over by changing it: looks at most once a second. */
enum secrets_news secrets_look(struct secrets *s, const struct config *c, uint64_t now_ms,
                               struct reason *why);
/* The terms of this config with them. */
const struct terms *secrets_make_terms(const struct secrets *s, const struct config *c);

#endif
