/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "watcher/probe_secrets.h"

enum { GONE_MS = 500 };

static bool is_host(const struct manifests_cluster *c) { return c->name[0] == '\0'; }

/* --- life --- */

struct counting {
	size_t count;
};

static void count_fact(uint16_t cluster, const struct fact *fact, void *arg)
{
	(void)cluster;
	((struct counting *)arg)->count += fact_created(fact) != FACT_CONFIG_TIME;
}

/* Whether the saved state knew it; for the host, which is always there, by its facts. */
static bool was_restored(const struct manifests_cluster *c)
{
	const struct cluster_state *state = facts_cluster(store_facts(c->store), c->id);
	struct counting facts = {0};

	if (state->registered && state->knowledge != KNOWLEDGE_NEVER)
		return true;
	facts_each(store_facts(c->store), c->id, 0, count_fact, &facts);
	return facts.count > 0;
}

/* The host, when an API server tells of it, too. */
static bool is_shared(const struct manifests_cluster *c)
{
	return is_host(c) && store_host_is_shared(c->store);
}

static char *path_in(const char *dir, const char *name)
{
	struct text path = {0};

	if (*name == '\0')
		text_printf(&path, "%s/host", dir);
	else
		text_printf(&path, "%s/clusters/%s", dir, name);
	return text_take(&path);
}

struct manifests_cluster *manifests_cluster_new(struct store *store, const char *name,
                                                const struct manifests_dirs *dirs)
{
	struct manifests_cluster *c = xcalloc(1, sizeof(*c));
	bool known;

	c->store = store;
	c->name = xstrdup(name);
	c->id = store_cluster(store, bytes_of(name));
	CHECK(c->id != UINT16_MAX);
	c->dirs = dirs;
	c->dir_count = dirs->count;
	c->wanted = xcalloc(dirs->count, sizeof(*c->wanted));
	for (size_t i = 0; i < dirs->count; i++)
		c->wanted[i].path = path_in(dirs->paths[i], name);
	c->claims = manifests_claims_new(store, c->id);
	c->restored = was_restored(c);
	known = is_host(c) ? manifests_dirs_all_known(dirs) : c->restored;
	if (is_shared(c))
		return c;
	store_set_knowledge(store, c->id, CLUSTER_MANIFESTS,
	                    known ? KNOWLEDGE_UNSEEN : KNOWLEDGE_NEVER, NULL);
	return c;
}

void manifests_cluster_free(struct manifests_cluster *c)
{
	if (!c)
		return;
	manifests_claims_free(c->claims);
	manifests_tree_unref(c->tree);
	manifests_tree_unref(c->held);
	for (size_t i = 0; i < c->dir_count; i++)
		free((void *)(uintptr_t)c->wanted[i].path);
	free(c->wanted);
	free(c->name);
	free(c);
}

/* --- its folders --- */

static bool is_there(const struct manifests_cluster *c, const struct manifests_roots *roots,
                     size_t dir)
{
	return manifests_roots_find(roots, dir, c->name) != NULL;
}

static bool is_anywhere(const struct manifests_cluster *c, const struct manifests_roots *roots)
{
	for (size_t i = 0; i < c->dir_count; i++)
		if (is_there(c, roots, i))
			return true;
	return false;
}

/* Whether a DIR had, or may have had, a folder of it, so that one that is missing is lost.  What
 * only the saved state knows may have been in any DIR that is known and cannot be looked into, or,
 * when no DIR has it now, in any DIR. */
static bool is_known(const struct manifests_cluster *c, const struct manifests_roots *roots,
                     size_t dir)
{
	const struct manifests_root *root = &roots->roots[dir];
	int error = is_host(c) ? root->dir.error : root->clusters.error;
	bool blind = root->dir.error || (error && !manifests_is_absent(error)) ||
	             (!is_host(c) && root->members_error);

	if (c->tree && c->tree->folders[dir].was_read)
		return true;
	if (is_host(c) && root->dir.error && c->dirs->known[dir])
		return true; /* every DIR may have a host/ */
	return c->restored && ((blind && c->dirs->known[dir]) || !is_anywhere(c, roots));
}

void manifests_cluster_prepare(struct manifests_cluster *c, const struct manifests_roots *roots)
{
	for (size_t i = 0; i < c->dir_count; i++)
		c->wanted[i].is_known = is_known(c, roots, i);
}

static bool folder_has_moved(const struct manifests_folder *folder,
                             const struct manifests_stamp *now)
{
	const struct manifests_stamp *was = &folder->stamp;

	if (!now || now->ino == 0)
		return folder->slot == MANIFESTS_READ;
	return was->dev != now->dev || was->ino != now->ino || was->ctime_ns != now->ctime_ns;
}

bool manifests_cluster_has_moved(const struct manifests_cluster *c,
                                 const struct manifests_roots *roots)
{
	for (size_t i = 0; c->tree && i < c->dir_count; i++)
		if (folder_has_moved(&c->tree->folders[i], manifests_roots_find(roots, i, c->name)))
			return true;
	return !c->tree;
}

/* --- knowledge --- */

/* By its folders; for the host, which need not have one, by its DIRs.  One that was never read could
 * hold anything, whatever the others hold. */
static enum knowledge know(const struct manifests_cluster *c)
{
	bool lost = false, never = true;

	for (size_t i = 0; i < c->dir_count; i++) {
		const struct manifests_folder *folder = &c->tree->folders[i];

		if (folder->slot == MANIFESTS_LOST && !folder->was_read && !c->restored &&
		    !is_host(c))
			return KNOWLEDGE_NEVER;
		lost = lost || folder->slot == MANIFESTS_LOST;
		never = never && folder->slot == MANIFESTS_NONE;
	}
	if (is_host(c))
		never = !manifests_dirs_all_known(c->dirs);
	if (never)
		return KNOWLEDGE_NEVER;
	return lost ? KNOWLEDGE_UNSEEN : KNOWLEDGE_SYNCED;
}

static void tell_knowledge(struct manifests_cluster *c, const struct manifests_roots *roots)
{
	enum knowledge knowledge = know(c);
	struct text why = {0};

	if (is_shared(c))
		return;
	if (c->tree->why)
		text_add(&why, c->tree->why);
	else if (is_host(c))
		manifests_dirs_print_unknown(c->dirs, roots, &why);
	else if (knowledge == KNOWLEDGE_NEVER)
		text_printf(&why, "%s: %s", c->wanted[0].path, strerror(ENOENT));
	store_set_knowledge(c->store, c->id, CLUSTER_MANIFESTS, knowledge, why.data);
	text_fini(&why);
}

/* Files are in the order in which they count. */
static void tell_secrets(const struct manifests_cluster *c)
{
	struct probe_secrets *to = store_probe_secrets(c->store);
	struct decode_secret **list = NULL;
	size_t count = 0;

	for (size_t i = 0; to && i < c->tree->file_count; i++) {
		const struct manifests_file *f = c->tree->files[i];

		if (f->secret_count == 0)
			continue;
		list = xreallocarray(list, count + f->secret_count, sizeof(*list));
		memcpy(list + count, f->secrets, f->secret_count * sizeof(*list));
		count += f->secret_count;
	}
	if (to)
		probe_secrets_set_files(to, list, count, c->tree->is_whole);
	free(list);
}

void manifests_cluster_apply(struct manifests_cluster *c, struct manifests_tree *tree,
                             const struct manifests_roots *roots)
{
	manifests_claims_apply(c->claims, c->tree, tree);
	manifests_tree_unref(c->tree);
	c->tree = tree;
	tell_knowledge(c, roots);
	if (is_host(c))
		tell_secrets(c);
	/* What was restored stays as long as some file of it may still be unread. */
	if (c->restored && tree->is_whole) {
		if (!is_shared(c))
			manifests_claims_sweep(c->claims);
		c->restored = false;
	}
}

/* --- its end --- */

struct asking {
	struct bytes name;
	bool found;
};

static void on_cluster(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct asking *a = arg;

	(void)cluster;
	a->found = a->found || bytes_equal(fact_name(fact), a->name);
}

static bool is_registered(const struct manifests_cluster *c)
{
	struct asking a = {.name = bytes_of(c->name)};

	facts_each(store_facts(c->store), FACTS_HOST, FACT_KUBEFED_CLUSTER, on_cluster, &a);
	return a.found;
}

/* Whether a folder that is not there was removed, while siblings stayed. */
static bool was_removed(const struct manifests_root *root)
{
	return !root->clusters.error && !root->members_error && root->member_count > 0;
}

/* No folder stands in any more for a KubeFedCluster that an API server tells of: that says how it is reached. */
static bool is_given_back(const struct manifests_cluster *c, const struct manifests_roots *roots)
{
	for (size_t i = 0; i < c->dir_count; i++)
		if (is_there(c, roots, i) || roots->roots[i].clusters.error ||
		    roots->roots[i].members_error)
			return false;
	return store_host_is_shared(c->store) && is_registered(c);
}

enum manifests_fate manifests_cluster_judge(struct manifests_cluster *c,
                                            const struct manifests_roots *roots, uint64_t now_ms,
                                            uint64_t members_ms, bool at_once)
{
	bool given_back = is_given_back(c, roots);
	bool some_left = false, some_removed = false, registered, news = false;
	uint64_t since_ms;

	for (size_t i = 0; i < c->dir_count; i++) {
		bool there = is_there(c, roots, i);
		bool removed = !there && is_known(c, roots, i) && was_removed(&roots->roots[i]);

		some_removed = some_removed || removed;
		some_left = some_left || there || (is_known(c, roots, i) && !removed);
	}
	registered = (some_removed || !some_left) && is_registered(c);
	if (!given_back && (!some_removed || registered)) {
		c->missing_ms = 0;
		for (size_t i = 0; i < c->dir_count; i++)
			c->wanted[i].is_removed = false;
		return some_left || registered ? MANIFESTS_STAYS : MANIFESTS_IS_GONE;
	}
	if (c->missing_ms == 0)
		c->missing_ms = now_ms;
	since_ms = c->missing_ms > members_ms ? c->missing_ms : members_ms;
	if (!at_once && now_ms < since_ms + GONE_MS)
		return MANIFESTS_STAYS;
	if (!some_left || given_back)
		return MANIFESTS_IS_GONE;
	for (size_t i = 0; i < c->dir_count; i++) {
		bool removed = !is_there(c, roots, i) && was_removed(&roots->roots[i]);

		news = news || (removed && !c->wanted[i].is_removed && is_known(c, roots, i));
		c->wanted[i].is_removed = removed;
	}
	return news ? MANIFESTS_SCAN_AGAIN : MANIFESTS_STAYS;
}

void manifests_cluster_drop(struct manifests_cluster *c)
{
	/* What it told is kept until the server has told. */
	if (store_host_is_shared(c->store) && is_registered(c)) {
		store_set_knowledge(c->store, c->id, CLUSTER_KUBERNETES, KNOWLEDGE_UNSEEN,
		                    "its folder is gone");
		manifests_tree_unref(c->tree);
		c->tree = NULL;
		return;
	}
	manifests_claims_apply(c->claims, c->tree, NULL);
	manifests_tree_unref(c->tree);
	c->tree = NULL;
	store_drop_cluster(c->store, c->id);
}
