/* path.h -- the paths of an API server, built from parts, each part escaped. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_PATH_H
#define KUBE_PATH_H

#include "base/text.h"

struct kube_resource {
	const char *group; /* "" for the core group */
	const char *version;
	const char *plural; /* "services" */
	const char *kind;   /* "Service" */
};

/* Appends "/api/v1/namespaces/shop/services/web"; `namespace` NULL: all, or a kind without; `name` NULL: the
 * collection. */
void kube_path(struct text *out, const struct kube_resource *r, const char *namespace,
               const char *name);
/* Appends one part so that it stays one (RFC 3986 2.3 and 3.3): also "." and "..". */
void kube_path_part(struct text *out, struct bytes part);

#endif
