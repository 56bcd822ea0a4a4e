/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/secrets.h"

#include "dnsd/config_place.h"

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

enum err secrets_read_keys(const struct config *c, const struct tsig_keys **out, struct reason *why)
{
	enum err err = ERR_OK;

	*out = NULL;
	if (c->tsig != NULL)
		err = tsig_keys_read(c->tsig, out, why);
	if (err != ERR_OK)
		config_place_add(c, c->tsig_line, "tsig", c->tsig, why);
	else
		err = terms_check_keys(c, *out, why);
	return err;
}

enum err secrets_fill_cookies(const struct config *c, struct cookie_jar *jar, struct reason *why)
{
	enum err err = cookie_jar_fill(jar, c->cookies.secret_file, why);

	if (err != ERR_OK)
		config_place_add(c, c->cookies.secret_file_line, "cookies.secretFile",
		                 c->cookies.secret_file, why);
	return err;
}

enum err secrets_read(struct secrets *s, const struct config *c, struct reason *why)
{
	const struct tsig_keys *keys = NULL;
	enum err err;

	err = secrets_read_keys(c, &keys, why);
	if (err == ERR_OK)
		err = secrets_fill_cookies(c, &s->cookies, why);
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
