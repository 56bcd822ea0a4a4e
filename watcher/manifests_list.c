/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/xalloc.h"

enum {
	DEPTH_MOST = 32,
	SEEN_MOST = 2000000 /* entries; links can make many of few */
};
static const uint32_t watch_mask = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB |
                                   IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
                                   IN_ONLYDIR | IN_EXCL_UNLINK;

struct place_of { /* a directory being listed */
	uint64_t dev, ino;
};

struct walk {
	struct manifests_list *list;
	int inotify;
	size_t folder_len; /* of its path, with the slash */
	struct place_of ancestors[DEPTH_MOST];
	size_t depth;
};

/* The array with room for one more. */
static void *grown(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	return xreallocarray(array, *room, size);
}

static void add_trouble(struct manifests_list *l, const char *path, const char *text)
{
	l->troubles = grown(l->troubles, l->trouble_count, &l->trouble_room, sizeof(*l->troubles));
	l->troubles[l->trouble_count++] = (struct manifests_trouble){path, text};
}

/* A name that is no longer there means that the listing is old; anything else is said. */
static void add_failure(struct manifests_list *l, const char *path, int error)
{
	if (manifests_is_absent(error))
		l->unsettled = true;
	else
		add_trouble(l, path, strerror(error));
}

static void add_watch(struct walk *w, const char *path)
{
	struct manifests_list *l = w->list;
	int wd = w->inotify < 0 ? -1 : inotify_add_watch(w->inotify, path, watch_mask);

	if (wd < 0) {
		l->unwatched = true;
		return;
	}
	l->watches = grown(l->watches, l->watch_count, &l->watch_room, sizeof(*l->watches));
	l->watches[l->watch_count++] = wd;
}

static bool is_manifest(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"));
}

static void list_directory(struct walk *w, int fd, const char *path);

static void enter(struct walk *w, int parent, const char *name, const char *path)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		add_failure(w->list, path, errno);
	else
		list_directory(w, fd, path);
}

static void add_file(struct manifests_list *l, const struct manifests_entry *e)
{
	l->files = grown(l->files, l->file_count, &l->file_room, sizeof(*l->files));
	l->files[l->file_count++] = *e;
}

/* A name that is there, and no more can be had of it: its objects must not go. */
static void add_unreachable(struct walk *w, const struct dirent *d, struct manifests_entry *e,
                            int error)
{
	if (manifests_is_absent(error) || d->d_type == DT_DIR || !is_manifest(d->d_name)) {
		add_failure(w->list, e->path, error);
		return;
	}
	e->stamp.error = error;
	add_file(w->list, e);
}

/* A link is listed too, because what it leads to can change without a sign here. */
static void add_entry(struct walk *w, int parent, const struct dirent *d, const char *path)
{
	struct manifests_list *l = w->list;
	struct manifests_entry e = {.path = path, .name = path + w->folder_len};
	const char *name = d->d_name;
	struct stat st;
	bool is_link;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		add_unreachable(w, d, &e, errno);
		return;
	}
	is_link = S_ISLNK(st.st_mode);
	if (is_link && fstatat(parent, name, &st, 0) != 0)
		e.stamp.error = errno;
	else
		e.stamp = manifests_stamp_of(&st);
	if (is_link) {
		l->links = grown(l->links, l->link_count, &l->link_room, sizeof(*l->links));
		l->links[l->link_count++] = e;
	}
	if (!e.stamp.error && S_ISDIR(st.st_mode)) {
		enter(w, parent, name, path);
	} else if (is_manifest(name)) {
		add_file(l, &e);
	} else if (e.stamp.error) {
		add_trouble(l, path, manifests_list_why(e.stamp.error));
	}
}

static void list_entries(struct walk *w, DIR *dir, const char *path)
{
	struct manifests_list *l = w->list;
	struct dirent *d;

	for (errno = 0; (d = readdir(dir)) != NULL; errno = 0) {
		if (d->d_name[0] == '.' || (d->d_type == DT_REG && !is_manifest(d->d_name)))
			continue;
		if (l->seen++ == SEEN_MOST)
			add_trouble(l, path, "more than 2000000 entries: the rest is not read");
		if (l->seen > SEEN_MOST)
			return;
		add_entry(w, dirfd(dir), d, arena_printf(l->arena, "%s/%s", path, d->d_name));
	}
	if (errno != 0)
		add_failure(l, path, errno);
}

static bool is_circle(const struct walk *w, const struct stat *st)
{
	for (size_t i = 0; i < w->depth; i++)
		if (w->ancestors[i].dev == st->st_dev && w->ancestors[i].ino == st->st_ino)
			return true;
	return false;
}

/* Takes the descriptor. */
static void list_directory(struct walk *w, int fd, const char *path)
{
	struct stat st;
	DIR *dir;

	if (fstat(fd, &st) != 0 || is_circle(w, &st)) {
		(void)close(fd);
		return;
	}
	if (w->depth == DEPTH_MOST) {
		(void)close(fd);
		add_trouble(w->list, path, "deeper than 32 directories: not read");
		return;
	}
	add_watch(w, path); /* before its names are read, so that no change is missed */
	dir = fdopendir(fd);
	if (!dir) {
		add_failure(w->list, path, errno);
		(void)close(fd);
		return;
	}
	w->ancestors[w->depth++] = (struct place_of){st.st_dev, st.st_ino};
	list_entries(w, dir, path);
	w->depth--;
	(void)closedir(dir);
}

const char *manifests_list_why(int error)
{
	return error == ENOENT ? "the link leads nowhere" : strerror(error);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct manifests_entry *)a)->path,
	              ((const struct manifests_entry *)b)->path);
}

static void sort_from(struct manifests_entry *entries, size_t from, size_t count)
{
	if (count > from + 1)
		qsort(entries + from, count - from, sizeof(*entries), by_path);
}

void manifests_list_add(struct manifests_list *l, int fd, const char *folder, int inotify)
{
	struct walk w = {.list = l, .inotify = inotify, .folder_len = strlen(folder) + 1};
	size_t files = l->file_count, links = l->link_count;
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (own < 0) {
		add_failure(l, arena_printf(l->arena, "%s", folder), errno);
		return;
	}
	list_directory(&w, own, folder);
	sort_from(l->files, files, l->file_count);
	sort_from(l->links, links, l->link_count);
}

void manifests_list_fini(struct manifests_list *l)
{
	arena_free(l->arena);
	free(l->files);
	free(l->links);
	free(l->troubles);
	free(l->watches);
	*l = (struct manifests_list){0};
}

static bool same_entries(const struct manifests_entry *a, const struct manifests_entry *b,
                         size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!manifests_stamp_equal(&a[i].stamp, &b[i].stamp) ||
		    strcmp(a[i].path, b[i].path) != 0)
			return false;
	return true;
}

bool manifests_list_equal(const struct manifests_list *a, const struct manifests_list *b)
{
	return a->file_count == b->file_count && a->link_count == b->link_count &&
	       a->trouble_count == b->trouble_count &&
	       same_entries(a->files, b->files, a->file_count) &&
	       same_entries(a->links, b->links, a->link_count);
}

bool manifests_list_same_links(const struct manifests_list *a, const struct manifests_list *b)
{
	bool same = a->link_count == b->link_count;

	for (size_t i = 0; i < a->link_count && same; i++) {
		const struct manifests_entry *x = &a->links[i], *y = &b->links[i];

		same = x->stamp.dev == y->stamp.dev && x->stamp.ino == y->stamp.ino &&
		       strcmp(x->path, y->path) == 0;
	}
	return same;
}
