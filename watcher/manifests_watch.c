/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/table.h"
#include "base/xalloc.h"

enum { READS_MOST = 16 }; /* buffers full of events in one turn of the loop */

/* A directory may be reached on several ways, so it can have several owners. */
struct watched {
	int wd;
	size_t owner_count; /* an owner counts as often as it wants it */
	void **owners;
};

struct manifests_watch {
	uv_poll_t poll;
	int fd;
	struct table *table; /* of struct watched, by wd */
	manifests_on_event_fn *on_event;
	manifests_on_overflow_fn *on_overflow;
	void *arg;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- who wants what --- */

static bool has_wd(const void *item, const void *wd)
{
	return ((const struct watched *)item)->wd == *(const int *)wd;
}

/* The kernel gives them, one after the other: no stranger can steer the table. */
static uint64_t hash_of(int wd) { return (uint64_t)wd << 32 | (uint64_t)wd; }

static void add_owner(struct manifests_watch *w, int wd, void *owner)
{
	struct watched *d = table_find(w->table, hash_of(wd), has_wd, &wd);

	if (!d) {
		d = xcalloc(1, sizeof(*d));
		d->wd = wd;
		table_put(w->table, hash_of(wd), d);
	}
	d->owners = xreallocarray(d->owners, d->owner_count + 1, sizeof(void *));
	d->owners[d->owner_count++] = owner;
}

static void drop_owner(struct manifests_watch *w, int wd, const void *owner)
{
	struct watched *d = table_find(w->table, hash_of(wd), has_wd, &wd);
	size_t i = 0;

	if (!d)
		return;
	while (i < d->owner_count && d->owners[i] != owner)
		i++;
	if (i == d->owner_count)
		return;
	d->owners[i] = d->owners[--d->owner_count];
	if (d->owner_count > 0)
		return;
	table_remove(w->table, hash_of(wd), has_wd, &wd);
	(void)inotify_rm_watch(w->fd, wd); /* fails where the directory itself is gone */
	free(d->owners);
	free(d);
}

void manifests_watch_change(struct manifests_watch *w, void *owner, const int *before,
                            size_t before_count, const int *now, size_t now_count)
{
	for (size_t i = 0; i < now_count; i++)
		add_owner(w, now[i], owner);
	for (size_t i = 0; i < before_count; i++)
		drop_owner(w, before[i], owner);
}

/* --- events --- */

static void tell(struct manifests_watch *w, const struct inotify_event *event)
{
	bool removed = event->mask & (IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF);
	struct watched *d;

	if (event->mask & IN_Q_OVERFLOW) {
		w->on_overflow(w->arg);
		return;
	}
	if (event->mask & IN_IGNORED)
		return;
	d = table_find(w->table, hash_of(event->wd), has_wd, &event->wd);
	if (!d)
		w->on_event(NULL, removed, w->arg);
	for (size_t i = 0; d && i < d->owner_count; i++)
		w->on_event(d->owners[i], removed, w->arg);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct manifests_watch *w = poll->data;
	_Alignas(struct inotify_event) char buf[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	(void)status;
	(void)events;
	for (int i = 0; i < READS_MOST; i++) {
		ssize_t len = read(w->fd, buf, sizeof(buf));

		if (len <= 0)
			return;
		for (const char *at = buf; at < buf + len;) {
			const struct inotify_event *event = (const void *)at;

			tell(w, event);
			at += sizeof(*event) + event->len;
		}
	}
}

/* --- life --- */

struct manifests_watch *manifests_watch_start(uv_loop_t *loop, manifests_on_event_fn *on_event,
                                              manifests_on_overflow_fn *on_overflow, void *arg)
{
	struct manifests_watch *w = xcalloc(1, sizeof(*w));

	w->table = table_new();
	w->on_event = on_event;
	w->on_overflow = on_overflow;
	w->arg = arg;
	w->poll.data = w;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd >= 0 && uv_poll_init(loop, &w->poll, w->fd) == 0) {
		uv_poll_start(&w->poll, UV_READABLE, on_readable);
		return w;
	}
	log_warn("watcher", "inotify is not to be had (%s): manifests are looked at twice a second",
	         strerror(errno));
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
	return w;
}

int manifests_watch_fd(const struct manifests_watch *w) { return w->fd; }

static void watch_free(struct manifests_watch *w)
{
	void (*on_stopped)(void *arg) = w->on_stopped;
	void *arg = w->stopped_arg;
	struct watched *d;

	if (w->fd >= 0)
		(void)close(w->fd);
	for (size_t at = 0; (d = table_next(w->table, &at)) != NULL;) {
		free(d->owners);
		free(d);
	}
	table_free(w->table);
	free(w);
	on_stopped(arg);
}

static void on_closed(uv_handle_t *handle) { watch_free(handle->data); }

void manifests_watch_stop(struct manifests_watch *w, void (*on_stopped)(void *arg), void *arg)
{
	w->on_stopped = on_stopped;
	w->stopped_arg = arg;
	if (w->fd >= 0)
		uv_close((uv_handle_t *)&w->poll, on_closed);
	else
		watch_free(w);
}
