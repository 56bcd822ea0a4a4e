/* ttls.h -- how long caches keep answers that send clients to a cluster. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_TTLS_H
#define CTL_TTLS_H

#include <stdint.h>

struct cluster_asked;

/* Seconds: what --ttl-wait says; else the largest TTL that the pods of nighd behind the API server tell in their
 * /status, or, where there are none, that nighd at --server does.  A COMMAND status; what is wrong has been told. */
int ttls_find(const struct cluster_asked *asked, int64_t *out);

#endif
