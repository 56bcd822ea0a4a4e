/* state.h -- how a federated object fares in one cluster, in KubeFed's words.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_STATE_H
#define PROPAGATOR_STATE_H

#include <stdbool.h>

/* X(code, what status.clusters[].status says, whether it is tried again after a while) */
#define STATE_LIST(X)                                                                              \
	X(STATE_FINE, "", false)                                                                   \
	X(STATE_WAITING_FOR_REMOVAL, "WaitingForRemoval", false)                                   \
	X(STATE_CLUSTER_NOT_READY, "ClusterNotReady", false)                                       \
	X(STATE_CACHED_RETRIEVAL_FAILED, "CachedRetrievalFailed", false)                           \
	X(STATE_COMPUTE_RESOURCE_FAILED, "ComputeResourceFailed", false)                           \
	X(STATE_APPLY_OVERRIDES_FAILED, "ApplyOverridesFailed", false)                             \
	X(STATE_CEILING_REFUSED, "CeilingRefused", false)                                          \
	X(STATE_FIELD_RETENTION_FAILED, "FieldRetentionFailed", false)                             \
	X(STATE_ALREADY_EXISTS, "AlreadyExists", true)                                             \
	X(STATE_MANAGED_LABEL_FALSE, "ManagedLabelFalse", true)                                    \
	X(STATE_CREATION_FAILED, "CreationFailed", true)                                           \
	X(STATE_DRIFTED, "Drifted", false)                                                         \
	X(STATE_UPDATE_FAILED, "UpdateFailed", true)                                               \
	X(STATE_DELETION_FAILED, "DeletionFailed", true)                                           \
	X(STATE_LABEL_REMOVAL_FAILED, "LabelRemovalFailed", true)                                  \
	X(STATE_RETRIEVAL_FAILED, "RetrievalFailed", true)                                         \
	X(STATE_CREATION_TIMED_OUT, "CreationTimedOut", true)                                      \
	X(STATE_UPDATE_TIMED_OUT, "UpdateTimedOut", true)                                          \
	X(STATE_DELETION_TIMED_OUT, "DeletionTimedOut", true)                                      \
	X(STATE_LABEL_REMOVAL_TIMED_OUT, "LabelRemovalTimedOut", true)

enum state {
#define STATE_CODE(code, text, again) code,
	STATE_LIST(STATE_CODE)
#undef STATE_CODE
};

const char *state_text(enum state state);
/* Is it tried again after a while, though nothing changes? */
bool state_is_retried(enum state state);

#endif
