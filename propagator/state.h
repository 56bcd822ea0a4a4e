/* state.h -- how a federated object fares in one cluster, in KubeFed's words.  Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_STATE_H
#define PROPAGATOR_STATE_H

/* X(code, what status.clusters[].status says) */
#define STATE_LIST(X)                                                                              \
	X(STATE_FINE, "")                                                                          \
	X(STATE_WAITING_FOR_REMOVAL, "WaitingForRemoval")                                          \
	X(STATE_CLUSTER_NOT_READY, "ClusterNotReady")                                              \
	X(STATE_CACHED_RETRIEVAL_FAILED, "CachedRetrievalFailed")                                  \
	X(STATE_COMPUTE_RESOURCE_FAILED, "ComputeResourceFailed")                                  \
	X(STATE_APPLY_OVERRIDES_FAILED, "ApplyOverridesFailed")                                    \
	X(STATE_CEILING_REFUSED, "CeilingRefused")                                                 \
	X(STATE_FIELD_RETENTION_FAILED, "FieldRetentionFailed")                                    \
	X(STATE_ALREADY_EXISTS, "AlreadyExists")                                                   \
	X(STATE_MANAGED_LABEL_FALSE, "ManagedLabelFalse")                                          \
	X(STATE_CREATION_FAILED, "CreationFailed")                                                 \
	X(STATE_DRIFTED, "Drifted")                                                                \
	X(STATE_UPDATE_FAILED, "UpdateFailed")                                                     \
	X(STATE_DELETION_FAILED, "DeletionFailed")                                                 \
	X(STATE_LABEL_REMOVAL_FAILED, "LabelRemovalFailed")                                        \
	X(STATE_RETRIEVAL_FAILED, "RetrievalFailed")                                               \
	X(STATE_CREATION_TIMED_OUT, "CreationTimedOut")                                            \
	X(STATE_UPDATE_TIMED_OUT, "UpdateTimedOut")                                                \
	X(STATE_DELETION_TIMED_OUT, "DeletionTimedOut")                                            \
	X(STATE_LABEL_REMOVAL_TIMED_OUT, "LabelRemovalTimedOut")

enum state {
#define STATE_CODE(code, text) code,
	STATE_LIST(STATE_CODE)
#undef STATE_CODE
};

const char *state_text(enum state state);

#endif
