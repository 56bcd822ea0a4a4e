/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/takeover_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "dnsd/takeover_message.h"

enum {
	SAY_MS = 2000,  /* to say what is wanted */
	SERVE_MS = 5000 /* from when all was given to when it is answered with */
};

/* A conversation; freed when its handles are closed. */
struct talk {
	struct takeover_desk *desk; /* NULL: it is over */
	uv_poll_t poll;
	uv_timer_t deadline;
	int fd;
	bool has_given;
	unsigned open; /* handles */
};

struct takeover_desk {
	uv_loop_t *loop;
	struct takeover_desk_events events;
	uv_poll_t poll;
	int fd;
	uint64_t instance;
	struct talk *talk;      /* NULL: nobody asks */
	bool has_seen_stranger; /* and said so */
};

enum err takeover_desk_open(struct bytes identity, int *out, struct reason *why)
{
	struct sockaddr_un sa;
	socklen_t len = takeover_address(identity, &sa);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int code;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0 &&
	    listen(fd, TAKEOVER_BACKLOG) == 0) {
		*out = fd;
		return ERR_OK;
	}
	code = errno;
	if (fd >= 0)
		close(fd);
	return reason_set(why, code == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "%s", strerror(code));
}

/* --- the end of a conversation --- */

static void on_talk_closed(uv_handle_t *handle)
{
	struct talk *t = handle->data;

	if (--t->open > 0)
		return;
	close(t->fd);
	free(t);
}

/* What was given counts as not given, unless it was taken. */
static void end_talk(struct talk *t)
{
	struct takeover_desk *d = t->desk;
	bool is_lost = t->has_given;

	t->has_given = false;
	d->talk = NULL;
	t->desk = NULL;
	uv_close((uv_handle_t *)&t->poll, on_talk_closed);
	uv_close((uv_handle_t *)&t->deadline, on_talk_closed);
	if (is_lost) {
		log_warn("dnsd", "the process that was to take over has failed, this one goes on");
		d->events.on_lost(d->events.arg);
	}
}

static void on_deadline(uv_timer_t *timer)
{
	struct talk *t = timer->data;

	if (t->desk != NULL)
		end_talk(t);
}

/* From now: what was done since the loop looked at the clock may have taken a while. */
static void set_deadline(struct talk *t, uint64_t ms)
{
	uv_update_time(t->desk->loop);
	CHECK(uv_timer_start(&t->deadline, on_deadline, ms, 0) == 0);
}

/* --- answers --- */

/* Adds an item; a message that is full goes out first. */
static enum err add(const struct talk *t, struct takeover_message *m,
                    const struct takeover_item *item, struct reason *why)
{
	enum err err = ERR_OK;

	if (m->count == TAKEOVER_ITEMS) {
		m->more = true;
		err = takeover_send(t->fd, m, why);
		m->count = 0;
	}
	m->item[m->count++] = *item;
	return err;
}

static enum err add_sockets(const struct talk *t, struct takeover_message *m,
                            const struct sockets *sockets, struct reason *why)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < sockets->count && err == ERR_OK; i++) {
		const struct sockets_item *s = &sockets->item[i];

		err = add(t, m,
		          &(struct takeover_item){.kind = (uint8_t)s->kind,
		                                  .addr = s->addr,
		                                  .asked = s->asked,
		                                  .port = s->port,
		                                  .fd = s->fd},
		          why);
	}
	return err;
}

/* Content that comes in a file of its own; *file is to be closed when it has been sent. */
static enum err add_file(const struct talk *t, struct takeover_message *m, enum takeover_kind kind,
                         const struct buffer *content, int *file, struct reason *why)
{
	enum err err = takeover_store((struct bytes){content->data, content->len}, file, why);

	if (err == ERR_OK)
		err = add(t, m, &(struct takeover_item){.kind = (uint8_t)kind, .fd = *file}, why);
	return err;
}

static enum err finish(const struct talk *t, struct takeover_message *m, int file,
                       struct reason *why)
{
	enum err err;

	m->more = false;
	err = takeover_send(t->fd, m, why);
	close(file);
	return err;
}

static enum err tell_all(const struct talk *t, struct reason *why)
{
	const struct takeover_desk_events *e = &t->desk->events;
	struct takeover_message m = {.word = TAKEOVER_HERE, .instance = t->desk->instance};
	struct sockets sockets = {0};
	struct buffer estate = {0};
	int lock = -1, file = -1;
	enum err err;

	e->on_ask(&sockets, &lock, &estate, e->arg);
	err = add_sockets(t, &m, &sockets, why);
	if (err == ERR_OK && lock >= 0)
		err = add(t, &m, &(struct takeover_item){.kind = TAKEOVER_LOCK, .fd = lock}, why);
	if (err == ERR_OK)
		err = add_file(t, &m, TAKEOVER_ESTATE, &estate, &file, why);
	if (err == ERR_OK)
		err = finish(t, &m, file, why);
	else if (file >= 0)
		close(file);
	free(sockets.item);
	if (estate.data != NULL)
		explicit_bzero(estate.data, estate.len);
	buffer_fini(&estate);
	return err;
}

static enum err give(struct talk *t, uint64_t instance, struct reason *why)
{
	struct takeover_desk *d = t->desk;
	struct takeover_message m = {.word = TAKEOVER_GIVEN, .instance = d->instance};
	struct buffer serials = {0};
	int file = -1;
	enum err err;

	if (instance != d->instance) {
		m.word = TAKEOVER_REFUSED;
		return takeover_send(t->fd, &m, why);
	}
	t->has_given = true;
	d->events.on_give(&serials, d->events.arg);
	err = add(t, &m, &(struct takeover_item){.kind = TAKEOVER_MEETING, .fd = d->fd}, why);
	if (err == ERR_OK)
		err = add_file(t, &m, TAKEOVER_SERIALS, &serials, &file, why);
	if (err == ERR_OK)
		err = finish(t, &m, file, why);
	buffer_fini(&serials);
	set_deadline(t, SERVE_MS);
	return err;
}

static void end_as_done(struct talk *t)
{
	struct takeover_desk *d = t->desk;
	struct takeover_message m = {.word = TAKEOVER_DONE, .instance = d->instance};
	struct reason why = {0};
	int talk;

	/* Who has given up meanwhile does not hear it, and is not believed. */
	if (takeover_send(t->fd, &m, &why) == ERR_OK) {
		talk = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);
		t->has_given = false;
		end_talk(t);
		d->events.on_done(talk, d->events.arg);
	} else {
		end_talk(t);
	}
}

/* --- questions --- */

static void on_word(uv_poll_t *poll, int status, int events)
{
	struct talk *t = poll->data;
	struct takeover_message m = {0};
	struct reason why = {0};
	enum err err = ERR_GONE;

	(void)events;
	if (t->desk == NULL)
		return;
	if (status == 0)
		err = takeover_receive(t->fd, &m, &why);
	if (err == ERR_OK)
		takeover_drop(&m);
	if (err == ERR_OK && m.word == TAKEOVER_SERVING && t->has_given) {
		end_as_done(t);
		return;
	}
	if (err == ERR_OK && m.word == TAKEOVER_GIVE && !t->has_given)
		err = give(t, m.instance, &why);
	else if (err == ERR_OK && m.word == TAKEOVER_ASK && !t->has_given)
		err = tell_all(t, &why);
	else if (err == ERR_OK)
		err = reason_set(&why, ERR_PARSE, "it says what it may not say now");
	if (err != ERR_OK && err != ERR_GONE)
		log_warn("dnsd", "a process asked to take over: %s", why.text);
	if (err != ERR_OK || !t->has_given)
		end_talk(t);
}

static void begin_talk(struct takeover_desk *d, int take_fd)
{
	struct talk *t = xcalloc(1, sizeof *t);

	t->desk = d;
	t->fd = take_fd;
	t->open = 2;
	t->poll.data = t->deadline.data = t;
	d->talk = t;
	CHECK(uv_poll_init(d->loop, &t->poll, take_fd) == 0);
	CHECK(uv_timer_init(d->loop, &t->deadline) == 0);
	CHECK(uv_poll_start(&t->poll, UV_READABLE, on_word) == 0);
	set_deadline(t, SAY_MS);
}

static void on_caller(uv_poll_t *poll, int status, int events)
{
	struct takeover_desk *d = poll->data;
	int fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	long pid = 0;

	(void)status;
	(void)events;
	if (fd < 0)
		return;
	if (!takeover_trusts(fd, geteuid(), &pid)) {
		if (!d->has_seen_stranger)
			log_warn("dnsd",
			         "a process of another user or container asked to take over, "
			         "refused pid=%ld",
			         pid);
		d->has_seen_stranger = true;
		close(fd);
	} else if (d->talk != NULL) {
		close(fd);
	} else {
		begin_talk(d, fd);
	}
}

/* --- life --- */

struct takeover_desk *takeover_desk_start(uv_loop_t *loop, int take_fd,
                                          const struct takeover_desk_events *events)
{
	struct takeover_desk *d = xcalloc(1, sizeof *d);

	d->loop = loop;
	d->fd = take_fd;
	d->events = *events;
	d->instance = random_u64();
	d->poll.data = d;
	CHECK(uv_poll_init(loop, &d->poll, take_fd) == 0);
	CHECK(uv_poll_start(&d->poll, UV_READABLE, on_caller) == 0);
	return d;
}

static void on_desk_closed(uv_handle_t *handle)
{
	struct takeover_desk *d = handle->data;

	close(d->fd);
	free(d);
}

void takeover_desk_stop(struct takeover_desk *d)
{
	if (d == NULL)
		return;
	if (d->talk != NULL)
		end_talk(d->talk);
	uv_close((uv_handle_t *)&d->poll, on_desk_closed);
}
