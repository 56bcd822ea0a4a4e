/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

enum { STEP_MS = 20 };

enum phase { PHASE_LIST, PHASE_READ, PHASE_VERIFY, PHASE_END };

struct manifests_scan {
	struct manifests_scan_settings settings;
	struct manifests_wanted *wanted;
	const struct manifests_tree *before;
	size_t count; /* of DIRs */
	int *fds;     /* of the folders; -1: not open */
	enum phase phase;
	size_t next_file, dir; /* the next to read, and whose it is */
	size_t *dir_end;       /* where a DIR's files end in list.files */
	size_t file_room;
	bool unsettled;
	bool swapped;                /* unsettled by links, or folders, that lead elsewhere now */
	struct manifests_tree *tree; /* in the making */
};

/* --- trees --- */

void manifests_tree_unref(struct manifests_tree *tree)
{
	if (!tree || --tree->refs > 0)
		return;
	for (size_t i = 0; i < tree->file_count; i++)
		manifests_file_unref(tree->files[i]);
	free(tree->files);
	free(tree->folders);
	free(tree->why);
	manifests_list_fini(&tree->list);
	free(tree);
}

static void add_file(struct manifests_scan *s, struct manifests_file *file)
{
	struct manifests_tree *t = s->tree;

	if (t->file_count == s->file_room) {
		s->file_room = s->file_room ? s->file_room * 2 : 16;
		t->files = xreallocarray(t->files, s->file_room, sizeof(struct manifests_file *));
	}
	t->files[t->file_count++] = file;
	t->restless = t->restless || file->restless;
	t->is_whole = t->is_whole && file->was_good;
}

static int compare_place(const struct manifests_file *f, size_t dir, const char *path)
{
	if (f->dir != dir)
		return f->dir < dir ? -1 : 1;
	return strcmp(f->path, path);
}

/* In a tree (NULL: of none) whose first `count` files are in order. */
static struct manifests_file *find_file(const struct manifests_tree *t, size_t count, size_t dir,
                                        const char *path)
{
	size_t low = 0, high = t ? count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_place(t->files[middle], dir, path);

		if (order == 0)
			return t->files[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* --- the folders --- */

static int entry_by_path(const void *path, const void *entry)
{
	return strcmp(path, ((const struct manifests_entry *)entry)->path);
}

/* Keeps the files of before that lie in `dir` below `prefix` (NULL: all of the DIR) and are not
 * among the listed ones, which begin at `from`. */
static void carry_files(struct manifests_scan *s, size_t dir, const char *prefix, size_t from)
{
	const struct manifests_list *l = &s->tree->list;
	size_t len = prefix ? strlen(prefix) : 0;

	for (size_t i = 0; s->before && i < s->before->file_count; i++) {
		struct manifests_file *f = s->before->files[i];
		bool below = !prefix || (!strncmp(f->path, prefix, len) && f->path[len] == '/');

		if (f->dir == dir && below &&
		    (l->file_count == from ||
		     !bsearch(f->path, l->files + from, l->file_count - from, sizeof(*l->files),
		              entry_by_path)))
			add_file(s, manifests_file_ref(f));
	}
}

static void lose_folder(struct manifests_scan *s, size_t dir, int error)
{
	struct manifests_tree *t = s->tree;
	struct text why = {0};

	t->folders[dir].slot = MANIFESTS_LOST;
	t->is_whole = false;
	carry_files(s, dir, NULL, s->tree->list.file_count);
	if (t->why)
		return;
	text_printf(&why, "%s: %s", s->wanted[dir].path, strerror(error));
	t->why = text_take(&why);
}

/* Open for reading its names and for reaching its files; else -1 and errno. */
static int open_directory(const char *path, struct stat *st)
{
	int outer = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = outer < 0 ? -1 : openat(outer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = errno;

	if (outer >= 0)
		(void)close(outer);
	errno = error;
	if (fd < 0 || fstat(fd, st) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static void open_folder(struct manifests_scan *s, size_t dir)
{
	const struct manifests_wanted *wanted = &s->wanted[dir];
	struct manifests_folder *folder = &s->tree->folders[dir];
	struct stat st;
	int error;

	folder->was_read = s->before && s->before->folders[dir].was_read && !wanted->is_removed;
	s->fds[dir] = open_directory(wanted->path, &st);
	if (s->fds[dir] >= 0) {
		folder->stamp = manifests_stamp_of(&st);
		folder->slot = MANIFESTS_READ;
		folder->was_read = true;
		return;
	}
	error = errno;
	if (stat(wanted->path, &st) == 0)
		folder->stamp = manifests_stamp_of(&st);
	folder->stamp.error = error;
	if (!manifests_is_absent(error) || (wanted->is_known && !wanted->is_removed))
		lose_folder(s, dir, error);
}

static void list_folders(struct manifests_scan *s)
{
	struct manifests_list *l = &s->tree->list;

	l->arena = arena_new();
	for (size_t dir = 0; dir < s->count; dir++) {
		size_t troubles = l->trouble_count, from = l->file_count;

		open_folder(s, dir);
		if (s->fds[dir] >= 0)
			manifests_list_add(l, s->fds[dir], s->wanted[dir].path,
			                   s->settings.inotify);
		for (size_t i = troubles; i < l->trouble_count; i++)
			carry_files(s, dir, l->troubles[i].path, from);
		s->dir_end[dir] = l->file_count;
	}
	s->tree->is_whole = s->tree->is_whole && l->trouble_count == 0;
	s->unsettled = l->unsettled;
}

/* Whether a path still leads to the directory that it led to, or still nowhere. */
static bool same_folder(const struct manifests_scan *s, size_t dir)
{
	const struct manifests_stamp *was = &s->tree->folders[dir].stamp;
	struct stat st;

	if (stat(s->wanted[dir].path, &st) != 0)
		return was->ino == 0;
	return was->dev == st.st_dev && was->ino == st.st_ino;
}

/* Whether the folders are what they were when they were listed. */
static bool verify(struct manifests_scan *s)
{
	struct manifests_list again = {.arena = arena_new()};
	bool same;

	for (size_t dir = 0; dir < s->count && !s->swapped; dir++) {
		if (s->fds[dir] >= 0)
			manifests_list_add(&again, s->fds[dir], s->wanted[dir].path, -1);
		s->swapped = !same_folder(s, dir);
	}
	s->swapped = s->swapped || !manifests_list_same_links(&s->tree->list, &again);
	same = !s->swapped && !again.unsettled && manifests_list_equal(&s->tree->list, &again);
	manifests_list_fini(&again);
	return same;
}

/* --- the files --- */

static void read_file(struct manifests_scan *s, size_t dir, const struct manifests_entry *e)
{
	struct manifests_source source = {e->path, (uint16_t)dir, s->settings.role, NULL};
	struct manifests_file *f;

	if (s->before)
		source.before = find_file(s->before, s->before->file_count, dir, e->path);
	if (source.before && !source.before->restless && !e->stamp.error &&
	    manifests_stamp_equal(&source.before->stamp, &e->stamp)) {
		add_file(s, manifests_file_ref(source.before));
		return;
	}
	if (e->stamp.error)
		f = manifests_file_unreadable(&source, manifests_list_why(e->stamp.error));
	else
		f = manifests_file_read(&source, s->fds[dir], e->name);
	if (f && f->stamp.ino == 0)
		f->stamp = e->stamp; /* it could not even be opened */
	s->unsettled = s->unsettled || !f || !manifests_stamp_equal(&f->stamp, &e->stamp);
	if (!f && source.before)
		f = manifests_file_ref(source.before);
	if (f)
		add_file(s, f);
}

static bool given_up(const struct manifests_scan *s)
{
	if (!s->unsettled || s->settings.patience == MANIFESTS_TAKE_ANY)
		return false;
	return s->swapped || s->settings.patience == MANIFESTS_WAIT_FOR_ALL;
}

static void read_files(struct manifests_scan *s, uint64_t until_ms)
{
	const struct manifests_list *l = &s->tree->list;

	while (s->next_file < l->file_count && !given_up(s) && clock_monotonic_ms() < until_ms) {
		while (s->next_file >= s->dir_end[s->dir])
			s->dir++;
		read_file(s, s->dir, &l->files[s->next_file++]);
	}
	if (s->next_file == l->file_count || given_up(s))
		s->phase = PHASE_VERIFY;
}

static int by_place(const void *a, const void *b)
{
	const struct manifests_file *x = *(struct manifests_file *const *)a;
	const struct manifests_file *y = *(struct manifests_file *const *)b;

	return compare_place(x, y->dir, y->path);
}

static int trouble_by_path(const void *a, const void *b)
{
	return strcmp(((const struct manifests_trouble *)a)->path,
	              ((const struct manifests_trouble *)b)->path);
}

static void sort_files(struct manifests_tree *t)
{
	if (t->file_count > 1)
		qsort(t->files, t->file_count, sizeof(struct manifests_file *), by_place);
}

/* A list of a directory that changes may lack names that are there: what is gone must really be. */
static void keep_missed(struct manifests_scan *s)
{
	struct manifests_tree *t = s->tree;
	size_t count = t->file_count;

	for (size_t i = 0; s->before && i < s->before->file_count; i++) {
		struct manifests_file *f = s->before->files[i];
		struct stat st;

		if (t->folders[f->dir].slot == MANIFESTS_READ &&
		    !find_file(t, count, f->dir, f->path) &&
		    (stat(f->path, &st) == 0 || !manifests_is_absent(errno)))
			add_file(s, manifests_file_ref(f));
	}
	sort_files(t);
}

/* Sorts, and forgets what a tree needs no longer once it is read: the names of files. */
static void finish_tree(struct manifests_scan *s)
{
	struct manifests_tree *t = s->tree;

	sort_files(t);
	if (s->unsettled)
		keep_missed(s);
	t->restless = t->restless || s->unsettled;
	if (t->list.trouble_count > 1)
		qsort(t->list.troubles, t->list.trouble_count, sizeof(*t->list.troubles),
		      trouble_by_path);
	free(t->list.files);
	t->list.files = NULL;
	t->list.file_count = t->list.file_room = 0;
	if (t->list.link_count > 0 || t->list.trouble_count > 0)
		return;
	arena_free(t->list.arena);
	t->list.arena = NULL;
}

/* --- the scan --- */

struct manifests_scan *manifests_scan_new(const struct manifests_scan_settings *settings,
                                          const struct manifests_wanted *wanted, size_t count,
                                          const struct manifests_tree *before)
{
	struct manifests_scan *s = xcalloc(1, sizeof(*s));

	s->settings = *settings;
	s->wanted = xmemdup(wanted, count * sizeof(*wanted));
	s->before = before;
	s->count = count;
	s->dir_end = xcalloc(count, sizeof(*s->dir_end));
	s->fds = xcalloc(count, sizeof(*s->fds));
	s->tree = xcalloc(1, sizeof(*s->tree));
	s->tree->refs = 1;
	s->tree->is_whole = true;
	s->tree->folder_count = count;
	s->tree->folders = xcalloc(count, sizeof(*s->tree->folders));
	for (size_t i = 0; i < count; i++)
		s->fds[i] = -1;
	return s;
}

bool manifests_scan_step(struct manifests_scan *s)
{
	uint64_t until_ms = clock_monotonic_ms() + STEP_MS;

	if (s->phase == PHASE_LIST) {
		list_folders(s);
		s->phase = PHASE_READ;
	}
	if (s->phase == PHASE_READ)
		read_files(s, until_ms);
	if (s->phase == PHASE_VERIFY && clock_monotonic_ms() < until_ms) {
		if (!given_up(s))
			s->unsettled = !verify(s) || s->unsettled;
		if (!given_up(s))
			finish_tree(s);
		s->phase = PHASE_END;
	}
	return s->phase == PHASE_END;
}

struct manifests_tree *manifests_scan_take(struct manifests_scan *s, bool *settled)
{
	struct manifests_tree *tree = s->tree;

	*settled = !given_up(s);
	s->tree = NULL;
	return tree;
}

void manifests_scan_free(struct manifests_scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		if (s->fds[i] >= 0)
			(void)close(s->fds[i]);
	manifests_tree_unref(s->tree);
	free(s->wanted);
	free(s->dir_end);
	free(s->fds);
	free(s);
}
