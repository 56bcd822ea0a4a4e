/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/takeover_message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/hash.h"

/* The state of a million names is some 500 MB. */
#define CONTENT_MOST ((off_t)4 << 30)

static const char magic[8] = "nigh-to1";

/* --- bytes --- */

static uint8_t *put(uint8_t *to, const void *data, size_t len)
{
	memcpy(to, data, len);
	return to + len;
}

static uint8_t *put16(uint8_t *to, uint16_t v)
{
	uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	return put(to, bytes, sizeof bytes);
}

size_t takeover_encode(const struct takeover_message *m, uint8_t *out)
{
	uint8_t head[4] = {(uint8_t)m->word, m->more, (uint8_t)m->count, 0};
	uint8_t *to = put(out, magic, sizeof magic);

	to = put(to, head, sizeof head);
	for (unsigned shift = 64; shift > 0; shift -= 16)
		to = put16(to, (uint16_t)(m->instance >> (shift - 16)));
	memset(to, 0, (size_t)(TAKEOVER_HEADER - (to - out)));
	to = out + TAKEOVER_HEADER;
	for (size_t i = 0; i < m->count; i++) {
		const struct takeover_item *item = &m->item[i];
		uint8_t kinds[2] = {item->kind, item->addr.family};

		to = put(to, kinds, sizeof kinds);
		to = put(to, item->addr.bytes, sizeof item->addr.bytes);
		to = put16(put16(to, item->asked), item->port);
	}
	return (size_t)(to - out);
}

static bool is_word(unsigned word)
{
	return (word >= TAKEOVER_ASK && word <= TAKEOVER_DONE) || word == TAKEOVER_REFUSED ||
	       word == TAKEOVER_LEFT;
}

static bool parse_item(const uint8_t *from, struct takeover_item *out)
{
	*out = (struct takeover_item){
		.kind = from[0],
		.addr.family = from[1],
		.asked = (uint16_t)(from[18] << 8 | from[19]),
		.port = (uint16_t)(from[20] << 8 | from[21]),
	};
	memcpy(out->addr.bytes, from + 2, sizeof out->addr.bytes);
	return out->addr.family == ADDR_NONE || out->addr.family == ADDR_IPV4 ||
	       out->addr.family == ADDR_IPV6;
}

enum err takeover_decode(struct bytes data, const int *fd, size_t fd_count,
                         struct takeover_message *out)
{
	const uint8_t *from = data.data;

	if (data.len < TAKEOVER_HEADER || memcmp(from, magic, sizeof magic) != 0 ||
	    !is_word(from[8]) || from[9] > 1 || from[10] > TAKEOVER_ITEMS || from[10] != fd_count ||
	    data.len != TAKEOVER_HEADER + from[10] * (size_t)TAKEOVER_ITEM)
		return ERR_PARSE;
	*out = (struct takeover_message){
		.word = (enum takeover_word)from[8], .more = from[9] == 1, .count = from[10]};
	for (unsigned i = 12; i < 20; i++)
		out->instance = out->instance << 8 | from[i];
	for (size_t i = 0; i < out->count; i++) {
		if (!parse_item(from + TAKEOVER_HEADER + i * TAKEOVER_ITEM, &out->item[i]))
			return ERR_PARSE;
		out->item[i].fd = fd[i];
	}
	return ERR_OK;
}

/* --- over a socket --- */

union control {
	struct cmsghdr header;
	uint8_t room[CMSG_SPACE(TAKEOVER_ITEMS * sizeof(int))];
};

static enum err fail(const char *doing, struct reason *why)
{
	int code = errno;

	if (code == EAGAIN)
		return reason_set(why, ERR_TIMEOUT, "%s: no answer in time", doing);
	if (code == EPIPE || code == ECONNRESET)
		return reason_set(why, ERR_GONE, "the other side has hung up");
	return reason_set(why, ERR_IO, "%s: %s", doing, strerror(code));
}

enum err takeover_send(int socket, const struct takeover_message *m, struct reason *why)
{
	uint8_t data[TAKEOVER_MESSAGE];
	struct iovec iov = {data, takeover_encode(m, data)};
	union control control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t sent;

	if (m->count > 0) {
		int fd[TAKEOVER_ITEMS];

		for (size_t i = 0; i < m->count; i++)
			fd[i] = m->item[i].fd;
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(m->count * sizeof *fd);
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(m->count * sizeof *fd),
		                                  .cmsg_level = SOL_SOCKET,
		                                  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fd, m->count * sizeof *fd);
	}
	do
		sent = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? fail("saying", why) : ERR_OK;
}

/* All descriptors that have come; returns how many. */
static size_t gather(struct msghdr *msg, int *fd)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fd + count, CMSG_DATA(c), bytes);
		count += bytes / sizeof *fd;
	}
	return count;
}

enum err takeover_receive(int socket, struct takeover_message *out, struct reason *why)
{
	uint8_t data[TAKEOVER_MESSAGE];
	struct iovec iov = {data, sizeof data};
	union control control;
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = &control,
	                     .msg_controllen = sizeof control};
	int fd[TAKEOVER_ITEMS] = {0};
	size_t count;
	ssize_t len;

	do
		len = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return fail("hearing", why);
	count = gather(&msg, fd);
	if (len == 0 && count == 0)
		return reason_set(why, ERR_GONE, "the other side has hung up");
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	    takeover_decode((struct bytes){data, (size_t)len}, fd, count, out) == ERR_OK)
		return ERR_OK;
	while (count > 0)
		close(fd[--count]);
	return reason_set(why, ERR_PARSE, "the other side says what no nighd of this kind says");
}

void takeover_drop(struct takeover_message *m)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->item[i].fd >= 0)
			close(m->item[i].fd);
		m->item[i].fd = -1;
	}
}

/* --- files in memory --- */

enum err takeover_store(struct bytes content, int *out, struct reason *why)
{
	int fd = memfd_create("nighd", MFD_CLOEXEC);

	for (size_t done = 0; fd >= 0 && done < content.len;) {
		ssize_t n = write(fd, content.data + done, content.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int code = errno;

			close(fd);
			fd = -1;
			errno = code;
			break;
		}
		done += (size_t)n;
	}
	if (fd < 0)
		return reason_set(why, ERR_IO, "a file in memory: %s", strerror(errno));
	*out = fd;
	return ERR_OK;
}

enum err takeover_fetch(int fd, struct buffer *out, struct reason *why)
{
	struct stat st;
	uint8_t *to;
	size_t done = 0;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return reason_set(why, ERR_PARSE, "what came is no file");
	if (st.st_size > CONTENT_MOST)
		return reason_set(why, ERR_RANGE, "what came is too much");
	to = buffer_extend(out, (size_t)st.st_size);
	while (done < (size_t)st.st_size) {
		ssize_t n = pread(fd, to + done, (size_t)st.st_size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return reason_set(why, ERR_IO, "what came cannot be read");
		done += (size_t)n;
	}
	return ERR_OK;
}

/* --- who is where --- */

unsigned takeover_address(struct bytes identity, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* The first byte stays 0: the abstract namespace. */
	(void)snprintf(out->sun_path + 1, sizeof out->sun_path - 1, "nighd-takeover-%016" PRIx64,
	               hash_fixed(identity));
	return (unsigned)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(out->sun_path + 1));
}

/* The abstract namespace is the network namespace's: containers that share that see each other there, also of the same
 * user.  A process that this one cannot see has the number 0; what of it may not be read is not held against it. */
static bool lives_here(long pid)
{
	static const char *const kinds[] = {"mnt", "user"};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char path[64], ours[64], its[64];
		ssize_t ours_len, its_len;

		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
		ours_len = readlink(path, ours, sizeof ours);
		snprintf(path, sizeof path, "/proc/%ld/ns/%s", pid, kinds[i]);
		its_len = readlink(path, its, sizeof its);
		if (ours_len > 0 && its_len > 0 &&
		    (its_len != ours_len || memcmp(its, ours, (size_t)its_len) != 0))
			return false;
	}
	return pid != 0;
}

bool takeover_trusts(int socket, uid_t other, long *pid)
{
	struct ucred who = {0};
	socklen_t len = sizeof who;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	*pid = who.pid;
	return (who.uid == 0 || who.uid == geteuid() || who.uid == other) && lives_here(who.pid);
}
