/* SPDX-License-Identifier: Apache-2.0 */
#include "base/smallfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err failed(struct reason *why)
{
	int code = errno;

	return reason_set(why, code == ENOENT || code == ENOTDIR ? ERR_NOTFOUND : ERR_IO, "%s",
	                  strerror(code));
}

/* `size` was its length a moment ago: room for one byte more shows that it grew, and nothing is copied about. */
static enum err read_open(int fd, size_t size, struct buffer *out, struct reason *why)
{
	size_t before = out->len, got = 0;
	uint8_t *to = buffer_extend(out, size + 1);
	ssize_t n = 1;

	while (n > 0 && got <= size) {
		n = read(fd, to + got, size + 1 - got);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			got += (size_t)n;
	}
	out->len = before + got;
	if (n >= 0 && got <= size)
		return ERR_OK;
	out->len = before;
	explicit_bzero(to, size + 1);
	return n < 0 ? failed(why) : reason_set(why, ERR_IO, "grows while it is read");
}

enum err smallfile_read(const char *path, size_t most, struct buffer *out, struct stat *as,
                        struct reason *why)
{
	/* Not blocking: a FIFO would wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st = {0};
	enum err err;

	if (fd < 0)
		return failed(why);
	if (fstat(fd, &st) != 0)
		err = failed(why);
	else if (!S_ISREG(st.st_mode))
		err = reason_set(why, ERR_IO, "not a regular file");
	else if (st.st_size < 0 || (uint64_t)st.st_size > most)
		err = reason_set(why, ERR_RANGE, "more than %zu bytes", most);
	else
		err = read_open(fd, (size_t)st.st_size, out, why);
	(void)close(fd);
	if (as)
		*as = st;
	return err;
}

void smallfile_wipe(struct buffer *b)
{
	if (b->data)
		explicit_bzero(b->data, b->room);
	buffer_fini(b);
}
