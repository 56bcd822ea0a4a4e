/* geodb_file.c -- whole files into memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "geo/geodb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

enum { PIECE = 1 << 20 };

struct geodb_file_stamp geodb_file_stamp(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return (struct geodb_file_stamp){0};
	return (struct geodb_file_stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

bool geodb_file_same(const struct geodb_file_stamp *a, const struct geodb_file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

typedef bool on_piece_fn(const uint8_t *data, size_t len, void *arg);

static enum err failed(struct reason *why)
{
	return reason_set(why, ERR_IO, "cannot be read: %s", strerror(errno));
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static enum err open_regular(const char *path, int *fd_out, struct reason *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	enum err err = ERR_OK;

	if (fd < 0)
		return failed(why);
	if (fstat(fd, &st) != 0)
		err = failed(why);
	else if (!S_ISREG(st.st_mode))
		err = reason_set(why, ERR_IO, "is not a regular file");
	if (err != ERR_OK)
		close(fd);
	else
		*fd_out = fd;
	return err;
}

static enum err read_pieces(int fd, size_t limit, on_piece_fn *on_piece, void *arg,
                            struct reason *why)
{
	uint8_t *piece = xmalloc(PIECE);
	enum err err = ERR_OK;
	size_t total = 0;
	ssize_t got;

	while (err == ERR_OK && (got = read(fd, piece, PIECE)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = failed(why);
		else if ((total += (size_t)got) > limit)
			err = reason_set(why, ERR_RANGE, "is larger than %zu MB", limit >> 20);
		else if (!on_piece(piece, (size_t)got, arg))
			err = reason_set(why, ERR_UNSUPPORTED, "cannot be copied: %s",
			                 strerror(errno));
	}
	free(piece);
	return err;
}

static bool into_buffer(const uint8_t *data, size_t len, void *arg)
{
	buffer_put(arg, data, len);
	return true;
}

static bool into_fd(const uint8_t *data, size_t len, void *arg)
{
	for (ssize_t put; len > 0; data += put, len -= (size_t)put) {
		put = write(*(const int *)arg, data, len);
		if (put < 0 && errno != EINTR)
			return false;
		put = put < 0 ? 0 : put;
	}
	return true;
}

enum err geodb_file_read(const char *path, size_t limit, struct buffer *out, struct reason *why)
{
	int fd = -1;
	enum err err = open_regular(path, &fd, why);

	if (err != ERR_OK)
		return err;
	err = read_pieces(fd, limit, into_buffer, out, why);
	close(fd);
	return err;
}

enum err geodb_file_copy(const char *path, size_t limit, int *fd_out,
                         char path_out[GEODB_FILE_PATH_SIZE], struct reason *why)
{
	int from = -1, to;
	enum err err = open_regular(path, &from, why);

	if (err != ERR_OK)
		return err;
	to = memfd_create("geodb", MFD_CLOEXEC);
	if (to < 0) {
		close(from);
		return reason_set(why, ERR_UNSUPPORTED, "cannot be copied: %s", strerror(errno));
	}
	err = read_pieces(from, limit, into_fd, &to, why);
	close(from);
	snprintf(path_out, GEODB_FILE_PATH_SIZE, "/proc/self/fd/%d", to);
	if (err == ERR_OK && access(path_out, R_OK) != 0)
		err = reason_set(why, ERR_UNSUPPORTED, "cannot be copied: %s", strerror(errno));
	if (err != ERR_OK)
		close(to);
	else
		*fd_out = to;
	return err;
}
