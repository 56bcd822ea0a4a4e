/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { NSID_MOST = 128, CHAOS_MOST = 255 };

/* --- identity --- */

static void read_said(struct conf_file *file, struct json_object *value, size_t most,
                      const char *key, char **field)
{
	const char *text = config_text(file, value, value, key);

	if (text && strlen(text) > most) {
		conf_complain(file, value, "%s must be at most %zu bytes", key, most);
	} else if (text) {
		free(*field);
		*field = xstrdup(text);
	}
}

void config_nsid_read(struct conf_file *file, struct json_object *value, void *field)
{
	read_said(file, value, NSID_MOST, "identity.nsid", field);
}

void config_hostname_read(struct conf_file *file, struct json_object *value, void *field)
{
	read_said(file, value, CHAOS_MOST, "identity.hostname", field);
}

void config_version_read(struct conf_file *file, struct json_object *value, void *field)
{
	read_said(file, value, CHAOS_MOST, "identity.version", field);
}

void config_identity_print(const void *field, struct text *out)
{
	const char *const *text = field;

	if (*text)
		text_add_json(out, bytes_of(*text));
}

void config_identity_fini(struct config *c)
{
	free(c->identity.nsid);
	free(c->identity.hostname);
	free(c->identity.version);
}
