/* write.h -- one object of an API server read or changed: one request, one answer.
 *
 * Nothing is tried again here: who asks knows whether it still wants it, and how long a 429 wants to be left alone
 * (kube/answer.h).  On the loop's thread; on_done is never called inside the call that caused it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WRITE_H
#define KUBE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"
#include "kube/answer.h"
#include "kube/path.h"
#include "kube/transport.h"

enum kube_verb {
	KUBE_GET, /* no body */
	KUBE_LIST, /* no body, no name: all of the collection that `labels` and `fields` select, as one list */
	KUBE_CREATE, /* POST to the collection; with a name and a subresource, to that (TokenRequest, Eviction) */
	KUBE_APPLY, /* server-side apply: PATCH application/apply-patch+yaml; needs field_manager */
	KUBE_REPLACE, /* PUT; conflicts when the body's metadata.resourceVersion is not the present one */
	KUBE_MERGE_PATCH, /* RFC 7396 */
	KUBE_JSON_PATCH,  /* RFC 6902 */
	KUBE_DELETE       /* the body: DeleteOptions, or none */
};

/* Zeroed but for verb, resource, name and body it is a plain request.  NULL: not given. */
struct kube_write {
	enum kube_verb verb;
	/* KUBE_GET of just that, escaped already: what no resource names, as what is behind a proxy.  The texts below say nothing
	 * then. */
	const char *path;
	struct kube_resource resource;
	const char *namespace;   /* NULL: a kind without */
	const char *name;        /* NULL only with KUBE_CREATE and KUBE_LIST */
	const char *subresource; /* "status", "scale", "token" ... */
	const char *labels;      /* of KUBE_LIST: a selector, "app=web,tier in (a,b)"; NULL: all */
	const char
		*fields; /* of KUBE_LIST: "reason=FailedCreate,involvedObject.uid=..."; NULL: all */
	unsigned limit;  /* of KUBE_LIST: so many at most; 0: all */
	const char *field_manager;
	bool force;                   /* apply: fields that others own are taken over */
	bool dry_run;                 /* checked and answered, not stored */
	const char *field_validation; /* "Strict", "Warn", "Ignore" */
	struct bytes body;            /* JSON */
	uint64_t deadline_ms;         /* for all of it; 0: 30 s */
	size_t answer_most;           /* bytes; 0: KUBE_ANSWER_MOST */
};

enum { KUBE_ANSWER_MOST = 3 << 20, KUBE_WRITE_MS = 30000 };

struct kube_writing;

/* Once.  The answer is good during the call; the writing is gone when it returns (to cancel it from within does
 * nothing). */
typedef void kube_on_answer_fn(const struct kube_answer *answer, void *arg);

/* All of `write` is copied, the body, too. */
struct kube_writing *kube_write_start(struct kube_client *client, const struct kube_write *write,
                                      kube_on_answer_fn *on_done, void *arg);
/* on_done will not be called; whether it takes effect is not known.  NULL: nothing.  What is under way when its client is
 * stopped must be cancelled before. */
void kube_write_cancel(struct kube_writing *w);

/* Appends DeleteOptions.  `propagation`: "Background", "Foreground", "Orphan"; `uid`, `version`: preconditions, 409
 * Conflict when the object has others; NULL: not given. */
void kube_delete_options(struct text *out, const char *propagation, const char *uid,
                         const char *version);

#endif
