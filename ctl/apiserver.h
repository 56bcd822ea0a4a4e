/* apiserver.h -- one API server that a command works at: the host's, or a member's.
 *
 * Each call waits for its answer.  Errors as remote_get() tells them; `why` is what the server says.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_APISERVER_H
#define CTL_APISERVER_H

#include <stdbool.h>

#include "base/err.h"
#include "kube/access.h"
#include "kube/path.h"

struct command;
struct json_object;
struct kube_caller;
struct type_api;

#define APISERVER_MANAGER "nighctl" /* under which name fields are owned (server-side apply) */

struct apiserver {
	struct kube_access access;
	struct kube_caller *caller; /* a connection that stays; a copy of an apiserver borrows it */
	bool dry_run;               /* every write is checked and answered, and not stored */
	const char *manager;        /* NULL: APISERVER_MANAGER */
};

/* The host of the command line, with c->dry_run.  What is wrong is told: then COMMAND_FAILED and nothing to close. */
int apiserver_open(struct apiserver *s, const struct command *c);
/* Connects when it is asked first; `access` is there. */
void apiserver_dial(struct apiserver *s);
void apiserver_close(struct apiserver *s);

/* Behind the error of a list of KubeFed's objects: what a 404 of these means, else "". */
const char *apiserver_hint(enum err err);

/* Borrows its texts. */
struct kube_resource apiserver_resource(const struct type_api *api);

/* *out belongs to the caller, NULL on an error.  Out-parameters may be NULL where nobody wants them. */
enum err apiserver_get(const struct apiserver *s, const struct kube_resource *r,
                       const char *namespace, const char *name, struct json_object **out,
                       struct reason *why) MUST_CHECK;
/* All of a collection, page by page, as one list of objects; `selector` of labels, or NULL. */
enum err apiserver_list(const struct apiserver *s, const struct kube_resource *r,
                        const char *namespace, const char *selector, struct json_object **out,
                        struct reason *why) MUST_CHECK;
/* Server-side apply, as apiserver.manager, which takes what it sets over from others. */
enum err apiserver_apply(const struct apiserver *s, const struct kube_resource *r,
                         const char *namespace, const char *name, struct json_object *object,
                         struct json_object **out, struct reason *why) MUST_CHECK;
/* POST to the collection, or, with a name, to a subresource of that. */
enum err apiserver_create(const struct apiserver *s, const struct kube_resource *r,
                          const char *namespace, const char *name, const char *subresource,
                          struct json_object *object, struct json_object **out,
                          struct reason *why) MUST_CHECK;
enum err apiserver_replace(const struct apiserver *s, const struct kube_resource *r,
                           const char *namespace, const char *name, struct json_object *object,
                           struct json_object **out, struct reason *why) MUST_CHECK;
/* Does something with the object as it was read, *live, NULL: there is none.  What another wrote between that and now
 * (ERR_CONFLICT), as a status is at any time, is read again, and it is tried anew, a few times. */
typedef enum err apiserver_attempt_fn(struct json_object *live, void *arg, struct json_object **out,
                                      struct reason *why);
enum err apiserver_attempt(const struct apiserver *s, const struct kube_resource *r,
                           const char *namespace, const char *name, struct json_object **live,
                           apiserver_attempt_fn *attempt, void *arg, struct json_object **out,
                           struct reason *why) MUST_CHECK;
/* Merges (RFC 7396). */
enum err apiserver_merge(const struct apiserver *s, const struct kube_resource *r,
                         const char *namespace, const char *name, struct json_object *patch,
                         struct reason *why) MUST_CHECK;
/* What is not there is fine. */
enum err apiserver_delete(const struct apiserver *s, const struct kube_resource *r,
                          const char *namespace, const char *name, struct reason *why) MUST_CHECK;

#endif
