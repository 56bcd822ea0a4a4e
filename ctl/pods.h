/* pods.h -- the pods that nighd, or nigh-propagator, runs in, found and asked through an API server.
 *
 * A pod's HTTP port is asked through the server's proxy, /api/v1/namespaces/NS/pods/NAME:PORT/proxy/...
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PODS_H
#define CTL_PODS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/access.h"

struct json_object;

/* Whose pods: as deploy/kubernetes labels them. */
enum pods_of { PODS_OF_NIGHD, PODS_OF_PROPAGATOR };

struct pod {
	char *namespace, *name;
	unsigned port; /* of the container port `http`, else 8053, of nigh-propagator 8054 */
	bool is_running, is_ready;
	struct json_object *said; /* NULL: it was not asked, or `why` */
	struct reason why;        /* "": nothing went wrong */
};

struct pods {
	struct pod *list;
	size_t count;
};

/* Adds the pods of a PodList that have not ended and are not about to. */
void pods_decode(enum pods_of whose, struct json_object *list, struct pods *out);
/* Those of `namespace`; NULL: of all, or, to whom that is forbidden, of NIGHD_PODS_NAMESPACE.  ERR_NOTFOUND: there is none.
 * `out` is zeroed; the caller ends it with pods_fini(). */
enum err pods_find(const struct kube_access *access, enum pods_of whose, const char *namespace,
                   struct pods *out, struct reason *why) MUST_CHECK;
void pods_fini(struct pods *p);

/* GETs `path` ("/status") from all that run, or, when `only_ready`, from those of them that are ready: `said`, or `why`; the
 * others get a `why`. */
void pods_ask_all(const struct kube_access *access, struct pods *p, const char *path,
                  bool only_ready);

#endif
