/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/config_place.h"

#include <string.h>

bool config_place_is_in(const char *text, const char *file)
{
	size_t len = file ? strlen(file) : 0;

	return len > 0 && strncmp(text, file, len) == 0 && text[len] == ':' &&
	       text[len + 1] >= '0' && text[len + 1] <= '9';
}

void config_place_add(const struct config *c, unsigned line, const char *key, const char *file,
                      struct reason *why)
{
	if (config_place_is_in(why->text, file))
		return;
	reason_prefix(why, "%s: ", key);
	if (c->file && line > 0)
		reason_prefix(why, "%s:%u: ", c->file, line);
}
