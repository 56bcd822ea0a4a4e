/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/reread.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dnsd/config_place.h"

static void look(const struct config *c, unsigned line, const char *key, const char *file,
                 reread_on_refused_fn *on_refused, void *arg)
{
	struct reason why = {0};

	if (access(file, R_OK) == 0)
		return;
	(void)reason_set(&why, ERR_DENIED,
	                 "%s: user %s cannot read it, so a new one counts after a restart only: %s",
	                 file, c->user, strerror(errno));
	config_place_add(c, line, key, NULL, &why);
	on_refused(why.text, arg);
}

void reread_each_refused(const struct config *c, reread_on_refused_fn *on_refused, void *arg)
{
	if (c->user == NULL)
		return;
	if (c->file != NULL)
		look(c, c->user_line, "user", c->file, on_refused, arg);
	if (c->replicas.key != NULL) {
		look(c, c->replicas.line, "replicas", c->replicas.certificate, on_refused, arg);
		look(c, c->replicas.line, "replicas", c->replicas.key, on_refused, arg);
		look(c, c->replicas.line, "replicas", c->replicas.ca, on_refused, arg);
	}
	if (c->tls.address_count == 0)
		return;
	look(c, c->tls_line, "listen.tls", c->tls.certificate, on_refused, arg);
	look(c, c->tls_line, "listen.tls", c->tls.key, on_refused, arg);
}
