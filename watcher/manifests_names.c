/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/manifests_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

struct manifests_names {
	struct store *store;
	char *const *dirs;
	char **refused; /* paths that the store has errors of */
	size_t refused_count;
};

struct manifests_names *manifests_names_new(struct store *store, char *const *dirs)
{
	struct manifests_names *n = xcalloc(1, sizeof(*n));

	n->store = store;
	n->dirs = dirs;
	return n;
}

static void free_paths(char **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}

void manifests_names_free(struct manifests_names *n)
{
	free_paths(n->refused, n->refused_count);
	free(n);
}

/* What metadata.name of a KubeFedCluster could be, and a little more. */
static bool is_cluster_name(const char *name)
{
	static const char inside[] =
		"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-._";
	static const char not_at_ends[] = "-._";
	size_t len = strlen(name);

	return len > 0 && len <= 253 && strspn(name, inside) == len &&
	       !strchr(not_at_ends, name[0]) && !strchr(not_at_ends, name[len - 1]);
}

static const char *why_not(struct manifests_names *n, const char *name)
{
	if (!is_cluster_name(name))
		return "not a name for a cluster (letters, digits, '-' and '.')";
	if (store_cluster(n->store, bytes_of(name)) == UINT16_MAX)
		return "more clusters than there can be";
	return NULL;
}

/* The path that the error is about. */
static char *refuse(struct manifests_names *n, size_t dir, const char *name, const char *why)
{
	struct text where = {0}, message = {0};

	text_printf(&where, "%s/clusters/%s", n->dirs[dir], name);
	text_printf(&message, "%s: %s", where.data, why);
	store_set_error(n->store, where.data, message.data);
	text_fini(&message);
	return text_take(&where);
}

/* From now on these are refused; the errors of those that are no longer go. */
static void keep_refused(struct manifests_names *n, char **refused, size_t count)
{
	for (size_t i = 0; i < n->refused_count; i++) {
		bool still = false;

		for (size_t k = 0; k < count; k++)
			still = still || !strcmp(n->refused[i], refused[k]);
		if (!still)
			store_set_error(n->store, n->refused[i], NULL);
	}
	free_paths(n->refused, n->refused_count);
	n->refused = refused;
	n->refused_count = count;
}

void manifests_names_check(struct manifests_names *n, const struct manifests_roots *roots,
                           manifests_on_name_fn *on_name, void *arg)
{
	char **refused = NULL;
	size_t count = 0;

	for (size_t dir = 0; dir < roots->count; dir++) {
		const struct manifests_root *root = &roots->roots[dir];

		for (size_t i = 0; i < root->member_count; i++) {
			const char *why = why_not(n, root->members[i]);

			if (!why) {
				on_name(root->members[i], arg);
				continue;
			}
			refused = xreallocarray(refused, count + 1, sizeof(char *));
			refused[count++] = refuse(n, dir, root->members[i], why);
		}
	}
	keep_refused(n, refused, count);
}

/* --- registered ones --- */

static void add_name(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct bytes name = fact_name(fact);

	(void)cluster;
	buffer_put(arg, name.data, name.len);
	buffer_u8(arg, '\0');
}

void manifests_names_each_registered(struct manifests_names *n, manifests_on_name_fn *on_name,
                                     void *arg)
{
	struct buffer names = {0}; /* first, because a new cluster changes the facts */

	facts_each(store_facts(n->store), FACTS_HOST, FACT_KUBEFED_CLUSTER, add_name, &names);
	for (size_t at = 0; at < names.len;) {
		const char *name = (const char *)names.data + at;

		if (!why_not(n, name))
			on_name(name, arg);
		at += strlen(name) + 1;
	}
	buffer_fini(&names);
}
