/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe_file.h"

#include <stdio.h>

#include "base/smallfile.h"

enum { FILE_MOST = 1 << 20, LOOK_EVERY_MS = 10000, NAME_SHOWN = 100, PATH_SIZE = 4096 };

static bool is_plain_name(struct bytes name)
{
	return name.len > 0 && name.data[0] != '.' && memchr(name.data, '/', name.len) == NULL &&
	       memchr(name.data, '\0', name.len) == NULL;
}

static enum err read_again(struct probe_file *f, const char *path, struct reason *why)
{
	struct buffer read = {0};
	struct stat as;
	enum err err = smallfile_read(path, FILE_MOST, &read, &as, why);

	if (err) {
		smallfile_wipe(&read);
		return err;
	}
	smallfile_wipe(&f->data);
	f->data = read;
	f->as = stamp_of(&as);
	f->is_read = true;
	return ERR_OK;
}

enum err probe_file_look(struct probe_file *f, const char *dir, struct bytes name, uint64_t now_ms,
                         struct reason *why)
{
	int shown = (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN);
	char path[PATH_SIZE];
	struct stamp as;
	enum err err;

	if (!is_plain_name(name))
		return reason_set(why, ERR_DENIED,
		                  "'%.*s' is not the name of a file of probe.files", shown,
		                  (const char *)name.data);
	if (*dir == '\0')
		return reason_set(why, ERR_DENIED, "%.*s: there is no probe.files", shown,
		                  (const char *)name.data);
	if (f->is_read && now_ms - f->looked_ms < LOOK_EVERY_MS)
		return ERR_OK;
	if (snprintf(path, sizeof(path), "%s/%.*s", dir, (int)name.len, (const char *)name.data) >=
	    (int)sizeof(path))
		return reason_set(why, ERR_RANGE, "the path of %.*s is too long", shown,
		                  (const char *)name.data);
	f->looked_ms = now_ms;
	as = stamp_at(path);
	if (f->is_read && stamp_equal(&as, &f->as))
		return ERR_OK;
	err = read_again(f, path, why);
	if (err && !f->is_read)
		reason_prefix(why, "%.*s: ", shown, (const char *)name.data);
	return f->is_read ? ERR_OK : err;
}

void probe_file_set(struct probe_file *f, struct bytes data)
{
	smallfile_wipe(&f->data);
	buffer_put(&f->data, data.data, data.len);
	f->is_read = true;
}

void probe_file_fini(struct probe_file *f) { smallfile_wipe(&f->data); }
