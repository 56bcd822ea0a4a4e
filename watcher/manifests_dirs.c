/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_dirs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* --- life --- */

static char *without_slashes(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return xstrndup(dir, len);
}

static void recall(struct manifests_dirs *d)
{
	struct bytes kept = store_known_dirs(d->store);
	struct cursor c = cursor_over(kept.data, kept.len);

	while (cursor_left(&c) > 0) {
		struct bytes path = cursor_str16(&c);

		for (size_t i = 0; i < d->count; i++)
			d->known[i] = d->known[i] || bytes_equal(path, bytes_of(d->paths[i]));
	}
}

struct manifests_dirs *manifests_dirs_new(struct store *store, const char *const *paths,
                                          size_t count)
{
	struct manifests_dirs *d = xcalloc(1, sizeof(*d));

	d->store = store;
	d->count = count;
	d->paths = xcalloc(count, sizeof(char *));
	d->known = xcalloc(count, sizeof(bool));
	for (size_t i = 0; i < count; i++)
		d->paths[i] = without_slashes(paths[i]);
	recall(d);
	/* Those that are configured no longer are forgotten. */
	d->unkept = true;
	manifests_dirs_keep(d);
	return d;
}

void manifests_dirs_free(struct manifests_dirs *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->paths[i]);
	free(d->paths);
	free(d->known);
	free(d);
}

/* --- what a look tells --- */

/* Of clusters/ or the names in it: 0 also where there is none. */
static int clusters_error(const struct manifests_root *root)
{
	if (root->dir.error || manifests_is_absent(root->clusters.error))
		return 0;
	if (root->clusters.error)
		return root->clusters.error;
	/* Too many are an error of their own, and no reason to wait. */
	return root->members_error == EOVERFLOW ? 0 : root->members_error;
}

void manifests_dirs_check(const struct manifests_dirs *d, const struct manifests_roots *roots)
{
	for (size_t i = 0; i < d->count; i++) {
		int error = clusters_error(&roots->roots[i]);
		struct text where = {0}, message = {0};

		text_printf(&where, "%s/clusters", d->paths[i]);
		text_printf(&message, "%s: %s", where.data, strerror(error));
		store_set_error(d->store, where.data, error ? message.data : NULL);
		text_fini(&where);
		text_fini(&message);
	}
}

/* Without host/ it has no host when it has members; otherwise it may be a volume that is not yet
 * filled. */
static bool can_be_read(const struct manifests_root *root, const struct manifests_folder *host)
{
	if (root->dir.error || clusters_error(root))
		return false;
	return host->slot == MANIFESTS_READ ||
	       (host->slot == MANIFESTS_NONE && !root->clusters.error);
}

void manifests_dirs_note(struct manifests_dirs *d, const struct manifests_roots *roots,
                         const struct manifests_tree *host)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->known[i] || !can_be_read(&roots->roots[i], &host->folders[i]))
			continue;
		d->known[i] = true;
		d->unkept = true;
	}
}

void manifests_dirs_keep(struct manifests_dirs *d)
{
	struct buffer known = {0};

	if (!d->unkept)
		return;
	for (size_t i = 0; i < d->count; i++)
		if (d->known[i])
			buffer_str16(&known, bytes_of(d->paths[i]));
	store_set_known_dirs(d->store, (struct bytes){known.data, known.len});
	buffer_fini(&known);
	d->unkept = false;
}

/* --- those that are not known --- */

static size_t first_unknown(const struct manifests_dirs *d)
{
	size_t i = 0;

	while (i < d->count && d->known[i])
		i++;
	return i;
}

bool manifests_dirs_all_known(const struct manifests_dirs *d)
{
	return first_unknown(d) == d->count;
}

void manifests_dirs_print_unknown(const struct manifests_dirs *d,
                                  const struct manifests_roots *roots, struct text *why)
{
	size_t dir = first_unknown(d);
	const struct manifests_root *root;

	if (dir == d->count)
		return;
	root = &roots->roots[dir];
	if (root->dir.error)
		text_printf(why, "%s: %s", d->paths[dir], strerror(root->dir.error));
	else if (clusters_error(root))
		text_printf(why, "%s/clusters: %s", d->paths[dir], strerror(clusters_error(root)));
	else
		text_printf(why, "%s/host: %s", d->paths[dir], strerror(ENOENT));
}
