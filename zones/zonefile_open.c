/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "zones/zonefile_inside.h"

enum { PIECE = 1 << 20, MEGABYTE_BITS = 20 };

static enum err failed(struct reason *why)
{
	return reason_set(why, ERR_IO, "cannot be read: %s", strerror(errno));
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static int open_it(int dir, const char *path)
{
	enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK };
	struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	return dir < 0 ? open(path, FLAGS)
	               : (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

int zonefile_open_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	free(dir);
	return fd;
}

const char *zonefile_below(int dir, const char *path)
{
	const char *below = NULL;
	struct stat wanted, st;

	if (dir < 0 || fstat(dir, &wanted) != 0)
		return NULL;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *folder = xstrndup(path, (size_t)(slash - path) + 1);

		if (stat(folder, &st) == 0 && st.st_dev == wanted.st_dev &&
		    st.st_ino == wanted.st_ino)
			below = slash + strspn(slash, "/");
		free(folder);
	}
	return below;
}

static enum err read_all(int fd, size_t limit, struct buffer *out, struct reason *why)
{
	size_t before = out->len;

	for (;;) {
		uint8_t *to = buffer_extend(out, PIECE);
		ssize_t got = read(fd, to, PIECE);

		out->len -= PIECE - (size_t)(got > 0 ? got : 0);
		if (got == 0)
			return ERR_OK;
		if (got < 0 && errno != EINTR)
			return failed(why);
		if (out->len - before > limit)
			return reason_set(why, ERR_RANGE,
			                  "is too large (%d MB with all it includes)",
			                  ZONEFILE_MAX_BYTES >> MEGABYTE_BITS);
	}
}

static enum err read_open(int fd, size_t limit, struct buffer *out, struct stamp *stamp,
                          struct reason *why)
{
	struct stamp after;
	struct stat st;
	enum err err;

	if (fstat(fd, &st) != 0)
		return failed(why);
	*stamp = stamp_of(&st);
	if (!S_ISREG(st.st_mode))
		return reason_set(why, ERR_IO, "is not a regular file");
	err = read_all(fd, limit, out, why);
	if (err)
		return err;
	if (fstat(fd, &st) != 0)
		return failed(why);
	after = stamp_of(&st);
	if (!stamp_equal(&after, stamp))
		return reason_set(why, ERR_IO, "was written while it was read");
	return ERR_OK;
}

enum err zonefile_open(int dir, const char *path, size_t limit, struct buffer *out,
                       struct stamp *stamp, struct reason *why)
{
	int fd = open_it(dir, path);
	enum err err;

	if (fd < 0 && errno == EXDEV)
		return reason_set(why, ERR_DENIED, "leads out of the zone file's directory");
	if (fd < 0 && dir >= 0 && errno == ENOSYS)
		return reason_set(why, ERR_UNSUPPORTED,
		                  "cannot be included: the kernel has no openat2()");
	if (fd < 0)
		return failed(why);
	err = read_open(fd, limit, out, stamp, why);
	close(fd);
	return err;
}
