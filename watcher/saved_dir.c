/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/saved_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"

enum { OPEN_FLAGS = O_CLOEXEC | O_NOFOLLOW, FILE_MODE = 0600, DIR_MODE = 0700, MAX_ASIDE = 9999 };

/* A sparse file may claim any length: not this program's memory. */
#define MAX_FILE ((off_t)16 << 30)

#define HUGE_PAGE ((size_t)2 << 20)

#define BASE_NAME      "base"
#define BASE_NEW_NAME  "base.new"
#define LOCK_NAME      "lock"
#define JOURNAL_PREFIX "journal-"

struct saved_dir {
	int fd;
	int lock;
};

static enum err fail(struct reason *why, const char *doing, const char *name)
{
	int code = errno;
	enum err err = ERR_IO;

	if (code == EACCES || code == EPERM || code == EROFS)
		err = ERR_DENIED;
	else if (code == ENOENT)
		err = ERR_NOTFOUND;
	else if (code == ENOSPC || code == EDQUOT || code == EFBIG)
		err = ERR_NOSPACE;
	return reason_set(why, err, "cannot %s %s: %s", doing, name, strerror(code));
}

/* What the caller of saved_dir_open() has to tell apart: not permitted, or not usable. */
static enum err fail_open(struct reason *why, const char *doing, const char *path)
{
	enum err err = fail(why, doing, path);

	return err == ERR_DENIED ? err : ERR_IO;
}

/* Is the descriptor the lock file of this directory? */
static bool is_its_lock(const struct saved_dir *d, int fd)
{
	struct stat given, there;

	return fd >= 0 && fstat(fd, &given) == 0 &&
	       fstatat(d->fd, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       given.st_dev == there.st_dev && given.st_ino == there.st_ino;
}

static enum err open_files(struct saved_dir *d, const char *path, int *take_lock,
                           struct reason *why)
{
	if (mkdir(path, DIR_MODE) != 0 && errno != EEXIST)
		return fail_open(why, "make directory", path);
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		return fail_open(why, "open directory", path);
	if (is_its_lock(d, *take_lock)) {
		d->lock = *take_lock;
		*take_lock = -1;
		return ERR_OK;
	}
	d->lock = openat(d->fd, LOCK_NAME, O_RDWR | O_CREAT | OPEN_FLAGS, FILE_MODE);
	if (d->lock < 0)
		return fail_open(why, "open the lock file in", path);
	if (flock(d->lock, LOCK_EX | LOCK_NB) == 0)
		return ERR_OK;
	if (errno == EWOULDBLOCK)
		return reason_set(why, ERR_CONFLICT, "%s is in use by another process", path);
	return fail_open(why, "lock", path);
}

enum err saved_dir_open(const char *path, struct saved_dir **out, struct reason *why)
{
	int no_lock = -1;

	return saved_dir_open_locked(path, &no_lock, out, why);
}

enum err saved_dir_open_locked(const char *path, int *take_lock, struct saved_dir **out,
                               struct reason *why)
{
	struct saved_dir *d = xcalloc(1, sizeof(*d));
	enum err err;

	*d = (struct saved_dir){-1, -1};
	err = open_files(d, path, take_lock, why);
	if (err) {
		saved_dir_close(d);
		return err;
	}
	*out = d;
	return ERR_OK;
}

int saved_dir_lock(const struct saved_dir *d) { return d->lock; }

void saved_dir_close(struct saved_dir *d)
{
	if (!d)
		return;
	if (d->lock >= 0)
		close(d->lock);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

char *saved_dir_name(enum saved_file_kind kind, uint64_t generation, char out[SAVED_DIR_NAME_SIZE])
{
	if (kind == SAVED_FILE_BASE)
		snprintf(out, SAVED_DIR_NAME_SIZE, "%s", BASE_NAME);
	else
		snprintf(out, SAVED_DIR_NAME_SIZE, JOURNAL_PREFIX "%016" PRIx64, generation);
	return out;
}

/* --- reading --- */

static bool parse_journal_name(const char *name, uint64_t *generation)
{
	char again[SAVED_DIR_NAME_SIZE];

	if (strncmp(name, JOURNAL_PREFIX, strlen(JOURNAL_PREFIX)) != 0)
		return false;
	*generation = strtoull(name + strlen(JOURNAL_PREFIX), NULL, 16);
	return strcmp(saved_dir_name(SAVED_FILE_JOURNAL, *generation, again), name) == 0;
}

static int ascending(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

enum err saved_dir_journals(const struct saved_dir *d, uint64_t **out, size_t *count,
                            struct reason *why)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	uint64_t generation;

	*out = NULL;
	*count = 0;
	if (!dir) {
		enum err err = fail_open(why, "list", "the directory");

		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!parse_journal_name(entry->d_name, &generation))
			continue;
		*out = xreallocarray(*out, *count + 1, sizeof(**out));
		(*out)[(*count)++] = generation;
	}
	closedir(dir);
	if (*count)
		qsort(*out, *count, sizeof(**out), ascending);
	return ERR_OK;
}

/* Room for a file.  For a long one in huge pages: touching 40 MB by small ones takes longer than
 * reading it. */
static void make_room(struct buffer *out, size_t len)
{
	if (len < 2 * HUGE_PAGE) {
		buffer_extend(out, len);
		buffer_reset(out);
		return;
	}
	out->room = (len + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	out->data = aligned_alloc(HUGE_PAGE, out->room);
	CHECK(out->data != NULL);
	madvise(out->data, out->room, MADV_HUGEPAGE);
}

static enum err read_all(int fd, const char *name, struct buffer *out, struct reason *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(why, "look at", name);
	if (!S_ISREG(st.st_mode))
		return reason_set(why, ERR_IO, "not a regular file");
	if (st.st_size > MAX_FILE)
		return reason_set(why, ERR_IO, "too long to be one of ours");
	make_room(out, (size_t)st.st_size);
	while (out->len < (size_t)st.st_size) {
		ssize_t got = read(fd, out->data + out->len, (size_t)st.st_size - out->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(why, "read", name);
		if (got == 0)
			break;
		out->len += (size_t)got;
	}
	return ERR_OK;
}

enum err saved_dir_read(const struct saved_dir *d, const char *name, struct buffer *out,
                        struct reason *why)
{
	/* Not blocking, for the pipe that somebody may have put there. */
	int fd = openat(d->fd, name, O_RDONLY | O_NONBLOCK | OPEN_FLAGS);
	enum err err;

	*out = (struct buffer){0};
	if (fd < 0)
		return fail(why, "open", name);
	err = read_all(fd, name, out, why);
	close(fd);
	if (err)
		buffer_fini(out);
	return err;
}

static enum err write_all(int fd, struct bytes bytes, struct reason *why)
{
	while (bytes.len > 0) {
		ssize_t put = write(fd, bytes.data, bytes.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail(why, "write", "the saved state");
		bytes.data += put;
		bytes.len -= (size_t)put;
	}
	return ERR_OK;
}

/* --- setting aside --- */

static bool is_free(const struct saved_dir *d, const char *name)
{
	struct stat st;

	return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static enum err find_free(const struct saved_dir *d, const char *name, char as[SAVED_DIR_NAME_SIZE],
                          struct reason *why)
{
	for (int n = 1; n <= MAX_ASIDE; n++) {
		snprintf(as, SAVED_DIR_NAME_SIZE, "%s.bad-%d", name, n);
		if (is_free(d, as))
			return ERR_OK;
	}
	return reason_set(why, ERR_IO, "no name is left to set %s aside", name);
}

enum err saved_dir_set_aside(const struct saved_dir *d, const char *name,
                             char as[SAVED_DIR_NAME_SIZE], struct reason *why)
{
	enum err err = find_free(d, name, as, why);

	if (err)
		return err;
	if (renameat(d->fd, name, d->fd, as) != 0 || fsync(d->fd) != 0)
		return fail_open(why, "set aside", name);
	return ERR_OK;
}

enum err saved_dir_copy_aside(const struct saved_dir *d, const char *name, struct bytes content,
                              char as[SAVED_DIR_NAME_SIZE], struct reason *why)
{
	enum err err = find_free(d, name, as, why);
	int fd;

	if (err)
		return err;
	fd = openat(d->fd, as, O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS, FILE_MODE);
	if (fd < 0)
		return fail(why, "make", as);
	err = write_all(fd, content, why);
	if (!err && (fsync(fd) != 0 || fsync(d->fd) != 0))
		err = fail(why, "write", as);
	close(fd);
	return err;
}

enum err saved_dir_cut(const struct saved_dir *d, const char *name, size_t len, struct reason *why)
{
	int fd = openat(d->fd, name, O_WRONLY | O_NONBLOCK | OPEN_FLAGS);
	enum err err = ERR_OK;

	if (fd < 0)
		return fail(why, "open", name);
	if (ftruncate(fd, (off_t)len) != 0 || fsync(fd) != 0)
		err = fail(why, "cut", name);
	close(fd);
	return err;
}

/* --- writing --- */

static enum err append_to(int fd, const char *name, uint64_t at, struct bytes bytes,
                          struct reason *why)
{
	struct stat st;
	enum err err;

	if (fstat(fd, &st) != 0 || lseek(fd, 0, SEEK_END) < 0)
		return fail(why, "look at", name);
	if ((uint64_t)st.st_size != at)
		return reason_set(why, ERR_CONFLICT, "%s was changed by somebody else", name);
	err = write_all(fd, bytes, why);
	if (!err && fdatasync(fd) != 0)
		err = fail(why, "sync", name);
	/* A torn tail would be found and cut at the next start; better that there is none. */
	if (err && ftruncate(fd, (off_t)at) != 0)
		reason_prefix(why, "and cannot be cut back: ");
	return err;
}

enum err saved_dir_append(const struct saved_dir *d, uint64_t generation, uint64_t at,
                          struct bytes bytes, struct reason *why)
{
	char name[SAVED_DIR_NAME_SIZE];
	int fd = openat(d->fd, saved_dir_name(SAVED_FILE_JOURNAL, generation, name),
	                O_WRONLY | O_NONBLOCK | OPEN_FLAGS | (at ? 0 : O_CREAT), FILE_MODE);
	enum err err;

	if (fd < 0)
		return fail(why, "open", name);
	err = append_to(fd, name, at, bytes, why);
	close(fd);
	if (!err && at == 0 && fsync(d->fd) != 0)
		err = fail(why, "sync", "the directory");
	return err;
}

/* They hold nothing any more; what stays this time goes next time. */
static void remove_journals(const struct saved_dir *d, uint64_t before)
{
	char name[SAVED_DIR_NAME_SIZE];
	struct reason why;
	uint64_t *generation;
	size_t count;

	if (saved_dir_journals(d, &generation, &count, &why))
		return;
	for (size_t i = 0; i < count && generation[i] < before; i++)
		unlinkat(d->fd, saved_dir_name(SAVED_FILE_JOURNAL, generation[i], name), 0);
	free(generation);
}

static enum err write_base_to(int fd, struct saved_file_writer *w, saved_dir_more_fn *more,
                              void *arg, struct reason *why)
{
	bool again = true;
	enum err err = ERR_OK;

	saved_file_add_header(w);
	while (again && !err) {
		again = more(w, arg);
		if (again)
			saved_file_end_frame(w);
		else
			saved_file_add_end(w);
		err = write_all(fd, (struct bytes){w->out.data, w->out.len}, why);
		saved_file_drained(w);
	}
	if (!err && fsync(fd) != 0)
		err = fail(why, "sync", BASE_NEW_NAME);
	return err;
}

enum err saved_dir_write_base(const struct saved_dir *d, struct saved_file_writer *w,
                              saved_dir_more_fn *more, void *arg, struct reason *why)
{
	enum err err;
	int fd;

	if (unlinkat(d->fd, BASE_NEW_NAME, 0) != 0 && errno != ENOENT)
		return fail(why, "remove the old", BASE_NEW_NAME);
	fd = openat(d->fd, BASE_NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS, FILE_MODE);
	if (fd < 0)
		return fail(why, "make", BASE_NEW_NAME);
	err = write_base_to(fd, w, more, arg, why);
	close(fd);
	if (!err && renameat(d->fd, BASE_NEW_NAME, d->fd, BASE_NAME) != 0)
		err = fail(why, "rename", BASE_NEW_NAME);
	if (!err && fsync(d->fd) != 0)
		err = fail(why, "sync", "the directory");
	if (err)
		unlinkat(d->fd, BASE_NEW_NAME, 0);
	else
		remove_journals(d, w->header.generation);
	return err;
}
