/* cache.h -- one kind of one API server, kept as small as its user likes, and what has changed in it.
 *
 * Over kube/watch.h: a failed read removes nothing, and only a complete list or a DELETED event does.  Keys are
 * "NAMESPACE/NAME", or "NAME" of a kind without namespaces.  On the loop's thread.
 *
 * With a budget a server cannot fill the memory: when there is more than may be kept, nothing is kept, as a part would pass
 * for all; it is not synced then, says why, and tries again after a while.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_CACHE_H
#define PROPAGATOR_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "kube/watch.h"
#include "propagator/budget.h"

struct cache;

struct cache_settings {
	/* Its texts are borrowed for as long as the cache lives; silence_ms, reply_ms, object_most: 0 is what is usual (90 s, 30 s,
	 * 4 MiB: etcd takes less). */
	struct kube_watch_settings watch;
	/* What is kept of an object, freed by `let_go`; never NULL. */
	void *(*keep)(struct json_object *object, void *arg);
	void (*let_go)(void *value);
	/* How much may be kept, borrowed; NULL: no limit.  `weigh`: the bytes of a value. */
	struct budget *budget;
	size_t (*weigh)(const void *value);
	uint64_t full_ms; /* so long nothing is asked for when it was too much; 0: five minutes */
	/* It came, changed or went (cache_find() tells).  Not called while the cache is being stopped. */
	void (*on_change)(const char *key, void *arg);
	/* It can be seen, or not any more; also when a list is complete. */
	void (*on_sight)(void *arg);
	void *arg;
};

/* `client` and `backoff` are borrowed. */
struct cache *cache_start(uv_loop_t *loop, struct kube_client *client, struct kube_backoff *backoff,
                          const struct cache_settings *settings);
/* Frees all that is kept.  NULL is fine. */
void cache_stop(struct cache *c);

/* NULL: there is none. */
void *cache_find(const struct cache *c, const char *key);
size_t cache_count(const struct cache *c);
/* for (size_t i = 0; (value = cache_next(c, &i, &key)) != NULL;)  -- no turn of the loop meanwhile. */
void *cache_next(const struct cache *c, size_t *at, const char **key);

/* What each thing that is kept costs beside its value and its key: what its users have for it. */
enum { CACHE_EACH = 1024 };

/* Is it what is kept of all that there is?  Before the first complete list, and while that is too much, what is not here may be
 * there. */
bool cache_is_synced(const struct cache *c);
/* The same, or its server does not have that kind at all. */
bool cache_is_settled(const struct cache *c);
/* Is it known whether it can be seen? */
bool cache_is_sighted(const struct cache *c);
/* Is what it holds the present?  If not, *why says why ("" when nothing was heard yet); borrowed. */
bool cache_is_seen(const struct cache *c, enum kube_sight *sight, const char **why);
/* There is more than may be kept, as far as is known. */
bool cache_is_full(const struct cache *c);
void cache_hurry(struct cache *c);
/* What is kept of an object is something else now: all are told anew. */
void cache_relist(struct cache *c);
/* What is kept of an object is what `object` shows: a newer state of it.  Nothing is told; nothing is done when there is none. */
void cache_learn(struct cache *c, const char *key, struct json_object *object);

/* `keep` for who wants the whole object, but for its managedFields: as text, which free() lets go. */
void *cache_keep_text(struct json_object *object, void *arg);
/* What was kept so, parsed: the caller puts it.  NULL: there is none. */
struct json_object *cache_parse(const struct cache *c, const char *key);

/* Appends a key. */
void cache_print_key(struct text *out, struct bytes namespace, struct bytes name);
/* The two parts of a key; `namespace` is empty where it has none. */
void cache_split_key(const char *key, struct bytes *namespace, struct bytes *name);

#endif
