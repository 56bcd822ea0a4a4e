/* remote.h -- one question to an API server, and what its refusals mean (kube/transport.h).
 *
 * Nothing that is said of an answer repeats the token, also where a server sends it back.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "kube/access.h"
#include "kube/path.h"

struct json_object;
struct kube_caller;

enum { REMOTE_TIMEOUT_MS = 10000 };

extern const struct kube_resource remote_clusters, remote_domains, remote_pods, remote_policies;

/* GET; *root belongs to the caller, and is NULL on an error: ERR_NOTFOUND (404), ERR_DENIED (401, 403), ERR_CONFLICT
 * (409), ERR_PARSE (another status, or no JSON), ERR_UNREACHABLE and the transport's others.  `why` is what the server
 * says, without control characters. */
enum err remote_get(const struct kube_access *access, const char *path, struct json_object **root,
                    struct reason *why) MUST_CHECK;
/* The same over a connection that stays, to a server of that access; `caller` NULL: over one for this alone. */
enum err remote_get_over(struct kube_caller *caller, const struct kube_access *access,
                         const char *path, struct json_object **root,
                         struct reason *why) MUST_CHECK;
/* The same, and the answer must begin within so long. */
enum err remote_get_within(struct kube_caller *caller, const struct kube_access *access,
                           const char *path, uint64_t within_ms, struct json_object **root,
                           struct reason *why) MUST_CHECK;
/* A request that changes something.  The answer's object belongs to the caller, where it is asked for. */
struct remote_change {
	const char *method, *path;
	const char *type;         /* of the body; NULL: application/json */
	struct json_object *body; /* borrowed; NULL: none */
};
enum err remote_send(struct kube_caller *caller, const struct kube_access *access,
                     const struct remote_change *change, struct json_object **answer,
                     struct reason *why) MUST_CHECK;
struct remote_note {
	const char *annotation, *value; /* NULL: it is taken away */
};
/* Sets annotations of an object, all or none, by a merge patch (RFC 7396). */
enum err remote_annotate(const struct kube_access *access, const char *path,
                         const struct remote_note *notes, size_t count,
                         struct reason *why) MUST_CHECK;
/* An annotation of an object, or NULL; borrowed. */
const char *remote_annotation(struct json_object *object, const char *annotation);

#endif
