/* decode_link.h -- how to reach a member cluster, as its KubeFedCluster says, and the token of a Secret.
 *
 * Beside the fact that decode.h makes of the same object: what is here never enters a fact, and so no
 * state on disk.  Pure; the control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_DECODE_LINK_H
#define WATCHER_DECODE_LINK_H

#include <stdbool.h>

#include "base/err.h"
#include "kube/access.h"

struct json_object;

/* Zeroed: none. */
struct decode_link {
	struct kube_access access; /* without its token */
	char *secret;    /* the name of the Secret that has it, beside the KubeFedCluster */
	bool is_reader;  /* it is the one of nigh.dev/reader-secret */
	char *namespace; /* nigh.dev/reader-namespace: it may see no other; NULL: all */
};

/* Who only reads takes the Secret of nigh.dev/reader-secret, where there is one; who writes, never. */
enum decode_link_purpose { DECODE_LINK_READ, DECODE_LINK_WRITE };

/* Fields as KubeFed reads them.  ERR_PARSE names the field; nothing is in `out` then. */
enum err decode_link(struct json_object *kubefed_cluster, enum decode_link_purpose purpose,
                     struct decode_link *out, struct reason *why) MUST_CHECK;
void decode_link_fini(struct decode_link *l);

/* data.token; ERR_NOTFOUND: it has none. */
enum err decode_token(struct json_object *secret, struct kube_secret *out,
                      struct reason *why) MUST_CHECK;

#endif
