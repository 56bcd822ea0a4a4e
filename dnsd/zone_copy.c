/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/zone_copy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

enum { NAME_MOST = 240, FOLDER_MODE = 0700 };

/* A name may hold any octet, a file's not the slash. */
char *zone_copy_path(const char *state, const char *zone)
{
	struct text path = {0};
	size_t from;

	if (state == NULL)
		return NULL;
	text_printf(&path, "%s/zones/", state);
	from = path.len;
	for (const char *at = zone; *at; at++)
		if (*at == '/' || *at == '%')
			text_printf(&path, "%%%02x", (unsigned)*at);
		else
			text_printf(&path, "%c", *at);
	text_add(&path, "zone");
	if (path.len - from > NAME_MOST)
		text_fini(&path);
	return path.data != NULL ? text_take(&path) : NULL;
}

enum err zone_copy_write(const struct zonefile *z, const char *path, struct reason *why)
{
	const char *slash = strrchr(path, '/');
	struct text folder = {0};
	enum err err = ERR_OK;

	text_printf(&folder, "%.*s", (int)(slash - path), path);
	if (mkdir(folder.data, FOLDER_MODE) != 0 && errno != EEXIST)
		err = reason_set(why, ERR_IO, "%s: %s", folder.data, strerror(errno));
	text_fini(&folder);
	return err == ERR_OK ? zonefile_copy(z, path, why) : err;
}

int64_t zone_copy_time(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}
