/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_roots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "records/facts.h"

/* When it was made: inode numbers are used again at once, so they do not tell a directory from the
 * one that was removed before it.  Where that is not kept, its last change has to do. */
static int64_t born_at(int fd, const char *name, const struct manifests_stamp *stamp)
{
	struct statx stx;

	if (statx(fd, name, 0, STATX_BTIME, &stx) != 0 || !(stx.stx_mask & STATX_BTIME))
		return stamp->ctime_ns;
	return stx.stx_btime.tv_sec * 1000000000LL + stx.stx_btime.tv_nsec;
}

/* Of a directory below `fd`; the error of not reaching it otherwise. */
static struct manifests_stamp stamp_at(int fd, const char *name)
{
	struct stat st;

	if (fstatat(fd, name, &st, 0) != 0)
		return (struct manifests_stamp){.error = errno};
	if (!S_ISDIR(st.st_mode))
		return (struct manifests_stamp){.error = ENOTDIR};
	return manifests_stamp_of(&st);
}

static struct manifests_stamp top_at(int fd, const char *name)
{
	struct manifests_stamp stamp = stamp_at(fd, name);

	if (!stamp.error)
		stamp.born_ns = born_at(fd, name, &stamp);
	return stamp;
}

/* --- members --- */

static int by_name(const void *name, const void *other)
{
	return strcmp(*(char *const *)name, *(char *const *)other);
}

static void add_member(struct manifests_root *root, const char *name)
{
	root->members = xreallocarray(root->members, root->member_count + 1, sizeof(char *));
	root->members[root->member_count++] = xstrdup(name);
}

/* Returns the error that ended the list early, 0: it is whole.  More than there can be clusters are
 * not looked at. */
static int list_members(struct manifests_root *root, DIR *dir)
{
	for (;;) {
		const struct dirent *d;

		errno = 0;
		d = readdir(dir);
		if (!d)
			return errno;
		if (d->d_name[0] == '.' || d->d_type == DT_REG)
			continue;
		if (root->member_count == FACTS_MAX_CLUSTERS)
			return EOVERFLOW;
		add_member(root, d->d_name);
	}
}

/* Takes the descriptor.  Who is missing in a list that is not whole may be there all the same. */
static void read_members(struct manifests_root *root, int fd)
{
	DIR *dir = fdopendir(fd);
	size_t kept = 0;

	if (!dir) {
		root->members_error = errno;
		(void)close(fd);
		return;
	}
	root->members_error = list_members(root, dir);
	if (root->member_count > 1)
		qsort(root->members, root->member_count, sizeof(char *), by_name);
	root->stamps = xcalloc(root->member_count, sizeof(*root->stamps));
	for (size_t i = 0; i < root->member_count; i++) {
		char *name = root->members[i];

		root->stamps[kept] = stamp_at(dirfd(dir), name);
		root->members[kept] = name;
		if (manifests_is_absent(root->stamps[kept].error))
			free(name); /* a file, or a link that leads nowhere: no folder */
		else
			kept++;
	}
	root->member_count = kept;
	(void)closedir(dir);
}

static void read_root(struct manifests_root *root, const char *path, bool with_members)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int clusters;

	if (fd < 0) {
		root->dir.error = root->host.error = root->clusters.error = errno;
		return;
	}
	root->dir = top_at(fd, ".");
	root->host = top_at(fd, "host");
	root->clusters = top_at(fd, "clusters");
	clusters = root->clusters.error
	                   ? -1
	                   : openat(fd, "clusters", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (clusters < 0 && !root->clusters.error)
		root->clusters.error = errno;
	if (clusters >= 0 && with_members)
		read_members(root, clusters);
	else if (clusters >= 0)
		(void)close(clusters);
	(void)close(fd);
}

/* --- all of them --- */

struct manifests_roots *manifests_roots_read(char *const *dirs, size_t count, bool with_members)
{
	struct manifests_roots *r = xcalloc(1, sizeof(*r));

	r->count = count;
	r->roots = xcalloc(count, sizeof(*r->roots));
	for (size_t i = 0; i < count; i++)
		read_root(&r->roots[i], dirs[i], with_members);
	return r;
}

void manifests_roots_free(struct manifests_roots *roots)
{
	for (size_t i = 0; roots && i < roots->count; i++) {
		struct manifests_root *root = &roots->roots[i];

		for (size_t k = 0; k < root->member_count; k++)
			free(root->members[k]);
		free(root->members);
		free(root->stamps);
	}
	if (roots)
		free(roots->roots);
	free(roots);
}

static bool same_directory(const struct manifests_stamp *a, const struct manifests_stamp *b)
{
	return a->error == b->error && a->dev == b->dev && a->ino == b->ino &&
	       a->born_ns == b->born_ns;
}

bool manifests_roots_same_tops(const struct manifests_roots *a, const struct manifests_roots *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct manifests_root *x = &a->roots[i], *y = &b->roots[i];

		if (!same_directory(&x->dir, &y->dir) || !same_directory(&x->host, &y->host) ||
		    !same_directory(&x->clusters, &y->clusters))
			return false;
	}
	return true;
}

bool manifests_roots_same_members(const struct manifests_roots *a, const struct manifests_roots *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct manifests_root *x = &a->roots[i], *y = &b->roots[i];

		if (x->member_count != y->member_count)
			return false;
		for (size_t k = 0; k < x->member_count; k++)
			if (strcmp(x->members[k], y->members[k]) != 0)
				return false;
	}
	return true;
}

const struct manifests_stamp *manifests_roots_find(const struct manifests_roots *r, size_t dir,
                                                   const char *member)
{
	const struct manifests_root *root = &r->roots[dir];
	char **found;

	if (*member == '\0')
		return manifests_is_absent(root->host.error) ? NULL : &root->host;
	if (root->member_count == 0)
		return NULL;
	found = bsearch(&member, root->members, root->member_count, sizeof(char *), by_name);
	return found ? &root->stamps[found - root->members] : NULL;
}

bool manifests_roots_links_moved(const struct manifests_tree *tree)
{
	for (size_t i = 0; tree && i < tree->list.link_count; i++) {
		const struct manifests_entry *link = &tree->list.links[i];
		struct manifests_stamp now;
		struct stat st;

		if (stat(link->path, &st) == 0)
			now = manifests_stamp_of(&st);
		else
			now = (struct manifests_stamp){.error = errno};
		if (!manifests_stamp_equal(&now, &link->stamp))
			return true;
	}
	return false;
}
