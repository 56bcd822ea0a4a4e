/* member_token.h -- one of a member's two tokens, made anew before it ends: by a TokenRequest in the member, with the
 * credential that there is, into its Secret on the host, from where everybody takes it.
 *
 * When half of its time is over; as long as the old one was, which stays valid until its own end.  Only tokens that
 * nighctl join made are touched.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_MEMBER_TOKEN_H
#define PROPAGATOR_MEMBER_TOKEN_H

#include "base/bytes.h"
#include "propagator/members.h"

struct json_object;
struct member_token;

/* May the token of this Secret be made anew (annotation nigh.dev/rotate "true", which nighctl join writes)? */
bool member_token_rotates(struct json_object *secret);

/* `settings` and the cluster's name are borrowed. */
struct member_token *member_token_new(const struct members_settings *settings, const char *cluster);
void member_token_free(struct member_token *t);

/* A Secret as it was told: its name, its resourceVersion ("": any), its token. */
struct member_token_secret {
	const char *name, *version;
	struct bytes token;
};
/* Now and then, while the member is ready.  `member` is where it is asked for a new one.  A token that is no service
 * account's, or that does not end, is left alone; so is a Secret that somebody else has changed meanwhile. */
void member_token_look(struct member_token *t, struct dispatch *member,
                       const struct member_token_secret *secret);
/* `member` is about to end. */
void member_token_drop(struct member_token *t);

#endif
