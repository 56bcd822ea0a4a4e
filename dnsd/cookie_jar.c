/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/cookie_jar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"

enum { SECRET_LEN = 16, LINE_LEN = 2 * SECRET_LEN, FILE_MOST = 4096 };

void cookie_jar_init(struct cookie_jar *jar)
{
	uint8_t bytes[SECRET_LEN];

	memset(jar, 0, sizeof *jar);
	random_bytes(bytes, sizeof bytes);
	jar->random = (struct cookie_secrets){.count = 1, .key = {cookie_secret(bytes)}};
	jar->secrets = jar->random;
	explicit_bzero(bytes, sizeof bytes);
}

void cookie_jar_fini(struct cookie_jar *jar) { explicit_bzero(jar, sizeof *jar); }

/* -1: none. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_line(const char *line, size_t len, struct cookie_secrets *out)
{
	uint8_t bytes[SECRET_LEN];
	bool good = len == LINE_LEN;

	for (size_t i = 0; good && i < SECRET_LEN; i++) {
		int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);

		good = high >= 0 && low >= 0;
		if (good)
			bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (good)
		out->key[out->count++] = cookie_secret(bytes);
	explicit_bzero(bytes, sizeof bytes);
	return good;
}

static enum err parse(const char *file, const char *text, size_t len, struct cookie_secrets *out,
                      struct reason *why)
{
	const char *end = text + len;

	for (unsigned number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		if (out->count == COOKIE_MAX_SECRETS)
			return reason_set(why, ERR_PARSE, "%s:%u: more than %d secrets", file,
			                  number, COOKIE_MAX_SECRETS);
		if (!parse_line(text, (size_t)(stop - text), out))
			return reason_set(why, ERR_PARSE,
			                  "%s:%u: a secret is %d hexadecimal digits", file, number,
			                  LINE_LEN);
		text = newline != NULL ? newline + 1 : end;
	}
	if (out->count == 0)
		return reason_set(why, ERR_PARSE, "%s: no secret in it", file);
	return ERR_OK;
}

static enum err read_open(const char *file, int fd, struct stat *as, struct cookie_secrets *out,
                          struct reason *why)
{
	char text[FILE_MOST];
	ssize_t len;
	enum err err;

	if (fstat(fd, as) != 0)
		return reason_set(why, ERR_IO, "%s: %s", file, strerror(errno));
	if (!S_ISREG(as->st_mode))
		return reason_set(why, ERR_IO, "%s: not a regular file", file);
	if ((as->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return reason_set(why, ERR_DENIED, "%s: open to others than its owner: chmod 600",
		                  file);
	if (as->st_size > FILE_MOST)
		return reason_set(why, ERR_PARSE, "%s: too long", file);
	len = read(fd, text, sizeof text);
	if (len < 0)
		return reason_set(why, ERR_IO, "%s: %s", file, strerror(errno));
	err = parse(file, text, (size_t)len, out, why);
	explicit_bzero(text, sizeof text);
	return err;
}

enum err cookie_jar_fill(struct cookie_jar *jar, const char *file, struct reason *why)
{
	struct cookie_secrets found = {0};
	struct stat as = {0};
	enum err err;
	int fd;

	if (file == NULL) {
		jar->secrets = jar->random;
		jar->is_wrong = false;
		return ERR_OK;
	}
	/* A FIFO would make it wait. */
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	err = fd < 0 ? reason_set(why, ERR_IO, "%s: %s", file, strerror(errno))
	             : read_open(file, fd, &as, &found, why);
	if (fd >= 0)
		close(fd);
	jar->is_wrong = err != ERR_OK;
	if (err == ERR_OK) {
		jar->secrets = found;
		jar->read = as;
	}
	explicit_bzero(&found, sizeof found);
	return err;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool cookie_jar_is_stale(const struct cookie_jar *jar, const char *file)
{
	const struct stat *was = &jar->read;
	struct stat is;

	if (file == NULL)
		return false;
	return jar->is_wrong || stat(file, &is) != 0 || is.st_dev != was->st_dev ||
	       is.st_ino != was->st_ino || is.st_size != was->st_size ||
	       is.st_mode != was->st_mode || !same_time(&is.st_mtim, &was->st_mtim) ||
	       !same_time(&is.st_ctim, &was->st_ctim);
}
