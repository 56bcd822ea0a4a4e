/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/secrets.h"

enum { LOOK_MS = 1000 };

void secrets_init(struct secrets *s)
{
	*s = (struct secrets){0};
	cookie_jar_init(&s->cookies);
}

void secrets_fini(struct secrets *s)
{
	cookie_jar_fini(&s->cookies);
	tsig_keys_unref(s->keys);
}

void secrets_inherit(struct secrets *s, const struct hash_key *cookies)
{
	s->cookies.random = (struct cookie_secrets){.count = 1, .key = {*cookies}};
}

enum err secrets_read(struct secrets *s, const struct config *c, struct reason *why)
{
	const struct tsig_keys *keys = NULL;
	enum err err = ERR_OK;

	if (c->tsig != NULL)
		err = tsig_keys_read(c->tsig, &keys, why);
	if (err == ERR_OK)
		err = terms_check_keys(c, keys, why);
	if (err == ERR_OK)
		err = cookie_jar_fill(&s->cookies, c->cookies.secret_file, why);
	if (err == ERR_OK) {
		tsig_keys_unref(s->keys);
		s->keys = keys;
	} else {
		tsig_keys_unref(keys);
	}
	return err;
}

enum secrets_news secrets_look(struct secrets *s, const struct config *c, uint64_t now_ms,
                               struct reason *why)
{
	const char *file = c->cookies.secret_file;

	if (now_ms - s->looked_ms < LOOK_MS)
		return SECRETS_SAME;
	s->looked_ms = now_ms;
	if (!cookie_jar_is_stale(&s->cookies, file))
		return SECRETS_SAME;
	return cookie_jar_fill(&s->cookies, file, why) == ERR_OK ? SECRETS_NEW : SECRETS_BROKEN;
}

const struct terms *secrets_make_terms(const struct secrets *s, const struct config *c)
{
	return terms_build(c, &s->cookies.secrets, s->keys);
}
