/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/takeover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/smallfile.h"
#include "base/xalloc.h"
#include "dnsd/takeover_message.h"

enum {
	PATIENCE_S = 10,      /* for each answer; a large state takes a while to print */
	DIALS = 10,           /* before who has hung up counts as alive; ... */
	DIAL_EACH_US = 50000, /* ... a process closes one after the other when it dies */
	MESSAGES_MOST = 1000  /* of one list */
};

static enum err dial(const struct takeover *t, int *out, struct reason *why)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un sa;
	socklen_t len = takeover_address(t->identity, &sa);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	long pid;
	int code;

	*out = -1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
	    connect(fd, (struct sockaddr *)&sa, len) != 0) {
		code = errno;
		if (fd >= 0)
			close(fd);
		return reason_set(why, code == ECONNREFUSED ? ERR_NOTFOUND : ERR_IO,
		                  "cannot ask the running nighd: %s", strerror(code));
	}
	if (!takeover_trusts(fd, t->user, &pid)) {
		close(fd);
		return reason_set(why, ERR_DENIED, "it belongs to another user or container");
	}
	*out = fd;
	return ERR_OK;
}

static enum err say(const struct takeover *t, enum takeover_word word, struct reason *why)
{
	struct takeover_message m = {.word = word, .instance = t->instance};

	return takeover_send(t->talk, &m, why);
}

/* One message of what was asked for. */
static enum err hear(const struct takeover *t, enum takeover_word expected,
                     struct takeover_message *m, struct reason *why)
{
	enum err err = takeover_receive(t->talk, m, why);

	if (err != ERR_OK || m->word == expected)
		return err;
	takeover_drop(m);
	if (m->word == TAKEOVER_REFUSED)
		return reason_set(why, ERR_CONFLICT, "another process has taken over meanwhile");
	return reason_set(why, ERR_PARSE, "it does not answer what was asked");
}

/* --- what comes --- */

/* Is it the socket that it is said to be? */
static bool is_sound(const struct takeover_item *item)
{
	struct sockaddr_storage sa = {0};
	socklen_t sa_len = sizeof sa, type_len = sizeof(int);
	int type = 0, wanted = item->kind == SOCKETS_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct addr addr;
	uint16_t port = 0;

	if (getsockopt(item->fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 || type != wanted ||
	    getsockname(item->fd, (struct sockaddr *)&sa, &sa_len) != 0)
		return false;
	addr = addr_from_sockaddr((struct sockaddr *)&sa, &port);
	return addr_equal(&addr, &item->addr) && port == item->port;
}

static bool is_connection(int fd)
{
	int type = 0, listens = 1;
	socklen_t type_len = sizeof type, listens_len = sizeof listens;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) == 0 &&
	       listens == 0;
}

/* The descriptor is out of the item when it is kept. */
static enum err keep(struct takeover *t, struct takeover_item *item, struct reason *why)
{
	enum err err = ERR_OK;

	if (item->kind == TAKEOVER_LOCK && t->lock < 0) {
		t->lock = item->fd;
		item->fd = -1;
	} else if (item->kind == TAKEOVER_ESTATE && t->estate.len == 0) {
		err = takeover_fetch(item->fd, &t->estate, why);
	} else if (item->kind >= SOCKETS_UDP && item->kind <= SOCKETS_HTTP && is_sound(item)) {
		sockets_put(&t->sockets, &(struct sockets_item){.kind = item->kind,
		                                                .addr = item->addr,
		                                                .asked = item->asked,
		                                                .port = item->port,
		                                                .fd = item->fd});
		item->fd = -1;
	} else {
		err = reason_set(why, ERR_PARSE, "what it gives is not what it says");
	}
	return err;
}

static enum err gather(struct takeover *t, struct reason *why)
{
	struct takeover_message m = {.more = true};
	enum err err = ERR_OK;

	for (unsigned n = 0; err == ERR_OK && m.more; n++) {
		if (n == MESSAGES_MOST)
			return reason_set(why, ERR_PARSE, "it does not come to an end");
		err = hear(t, TAKEOVER_HERE, &m, why);
		if (err != ERR_OK)
			return err;
		t->instance = m.instance;
		for (size_t i = 0; i < m.count && err == ERR_OK; i++)
			err = keep(t, &m.item[i], why);
		takeover_drop(&m);
	}
	return err;
}

/* --- the three steps --- */

static void hang_up(struct takeover *t)
{
	if (t->talk >= 0)
		close(t->talk);
	t->talk = -1;
}

enum err takeover_begin(struct bytes identity, uid_t user, struct takeover **out,
                        struct reason *why)
{
	struct takeover *t = xcalloc(1, sizeof *t);
	enum err err;

	*t = (struct takeover){
		.identity = identity, .user = user, .talk = -1, .lock = -1, .meeting = -1};
	err = dial(t, &t->talk, why);
	if (err == ERR_OK)
		err = say(t, TAKEOVER_ASK, why);
	if (err == ERR_OK)
		err = gather(t, why);
	hang_up(t);
	if (err == ERR_OK) {
		*out = t;
		return ERR_OK;
	}
	takeover_free(t);
	*out = NULL;
	return err;
}

static void forget_meeting(struct takeover *t)
{
	if (t->meeting >= 0)
		close(t->meeting);
	t->meeting = -1;
}

bool takeover_has_ended(struct takeover *t)
{
	struct reason why;
	enum err err = ERR_OK;

	hang_up(t);
	/* It would be found there for as long as this process has it open. */
	forget_meeting(t);
	for (unsigned i = 0; i < DIALS && err == ERR_OK; i++) {
		if (i > 0)
			(void)usleep(DIAL_EACH_US);
		err = dial(t, &t->talk, &why);
		hang_up(t);
	}
	return err == ERR_NOTFOUND;
}

/* The conversation was not to be; was that its death? */
static enum err break_off(struct takeover *t, enum err err, struct reason *why)
{
	hang_up(t);
	if (err == ERR_GONE && takeover_has_ended(t))
		err = reason_set(why, ERR_NOTFOUND, "it has ended");
	return err;
}

static enum err take_given(struct takeover *t, struct takeover_message *m, struct buffer *serials,
                           struct reason *why)
{
	bool has_serials = false;
	enum err err = ERR_OK;

	for (size_t i = 0; i < m->count && err == ERR_OK; i++) {
		struct takeover_item *item = &m->item[i];

		if (item->kind == TAKEOVER_SERIALS) {
			err = takeover_fetch(item->fd, serials, why);
			has_serials = true;
		} else if (item->kind == TAKEOVER_MEETING && t->meeting < 0) {
			t->meeting = item->fd;
			item->fd = -1;
		}
	}
	takeover_drop(m);
	if (err == ERR_OK && (!has_serials || t->meeting < 0))
		err = reason_set(why, ERR_PARSE, "it gives less than it must");
	return err;
}

enum err takeover_go(struct takeover *t, struct buffer *serials, struct reason *why)
{
	struct takeover_message m;
	enum err err = dial(t, &t->talk, why);

	if (err == ERR_OK)
		err = say(t, TAKEOVER_GIVE, why);
	if (err == ERR_OK)
		err = hear(t, TAKEOVER_GIVEN, &m, why);
	if (err == ERR_OK)
		err = take_given(t, &m, serials, why);
	return err == ERR_OK ? ERR_OK : break_off(t, err, why);
}

enum err takeover_end(struct takeover *t, struct reason *why)
{
	struct takeover_message m;
	enum err err = say(t, TAKEOVER_SERVING, why);

	if (err == ERR_OK)
		err = hear(t, TAKEOVER_DONE, &m, why);
	if (err == ERR_TIMEOUT) {
		/* From here on the other one cannot say it any more; but it may have said it just now. */
		(void)shutdown(t->talk, SHUT_RDWR);
		err = hear(t, TAKEOVER_DONE, &m, why);
	}
	if (err != ERR_OK)
		return break_off(t, err, why);
	takeover_drop(&m);
	/* Who asks next sees this process there, and not the one that opened it. */
	(void)listen(t->meeting, TAKEOVER_BACKLOG);
	return ERR_OK;
}

bool takeover_hear_left(int talk, takeover_on_left_fn *on_left, void *arg)
{
	struct takeover_message m;
	struct reason why;
	enum err err = takeover_receive(talk, &m, &why);

	if (err != ERR_OK)
		return err == ERR_TIMEOUT;
	for (size_t i = 0; i < m.count; i++) {
		struct takeover_item *item = &m.item[i];

		if (m.word != TAKEOVER_LEFT || item->kind != TAKEOVER_CONNECTION ||
		    !is_connection(item->fd))
			continue;
		on_left(item->fd, &item->addr, arg);
		item->fd = -1;
	}
	takeover_drop(&m);
	return true;
}

/* One message of the first ones; how many that were. */
static enum err say_some(int talk, const struct sockets *left, size_t *said, struct reason *why)
{
	struct takeover_message m = {.word = TAKEOVER_LEFT};

	for (; m.count < left->count && m.count < TAKEOVER_ITEMS; m.count++)
		m.item[m.count] = (struct takeover_item){.kind = TAKEOVER_CONNECTION,
		                                         .addr = left->item[m.count].addr,
		                                         .fd = left->item[m.count].fd};
	*said = m.count;
	return takeover_send(talk, &m, why);
}

bool takeover_say_left(int talk, struct sockets *left)
{
	struct reason why;
	size_t said;

	while (left->count > 0) {
		enum err err = say_some(talk, left, &said, &why);

		if (err == ERR_TIMEOUT)
			return false;
		if (err != ERR_OK)
			log_warn("dnsd", "connections that were to go over end: %s", why.text);
		sockets_drop(left, err == ERR_OK ? said : left->count);
	}
	return true;
}

void takeover_free(struct takeover *t)
{
	if (t == NULL)
		return;
	hang_up(t);
	if (t->lock >= 0)
		close(t->lock);
	forget_meeting(t);
	sockets_close(&t->sockets);
	smallfile_wipe(&t->estate);
	free(t);
}
