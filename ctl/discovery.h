/* discovery.h -- which kinds an API server has, and which one a person means by a word.
 *
 * In each group, the version that the server prefers.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DISCOVERY_H
#define CTL_DISCOVERY_H

#include <stdbool.h>

#include "base/err.h"
#include "propagator/type.h"

struct apiserver;
struct json_object;

struct discovery_kind {
	struct type_api api;             /* owned */
	char *singular;                  /* owned; "": none */
	struct json_object *short_names; /* a list, owned; NULL: none */
	bool has_scale;                  /* a subresource: its spec has replicas */
	bool can_list, can_create;
};

void discovery_kind_fini(struct discovery_kind *k);

/* Each kind of an APIResourceList; `kind` is good during the call.  Subresources are no kinds. */
typedef void discovery_on_kind_fn(const struct discovery_kind *kind, void *arg);
void discovery_read(struct json_object *resource_list, discovery_on_kind_fn *on_kind, void *arg);
/* "deployments", "Deployment", "deploy"; with ".apps", only of that group (a "." at the end: of the core group). */
bool discovery_is_meant(const struct discovery_kind *kind, const char *word);

/* Each kind of the server.  Groups that do not answer are passed over, as they do when one is down; the error is the first
 * one's. */
enum err discovery_each(const struct apiserver *s, discovery_on_kind_fn *on_kind, void *arg,
                        struct reason *why) MUST_CHECK;
/* ERR_NOTFOUND: none is meant; ERR_CONFLICT: several are, and `why` lists them.  The caller ends it. */
enum err discovery_find(const struct apiserver *s, const char *word, struct discovery_kind *out,
                        struct reason *why) MUST_CHECK;

#endif
