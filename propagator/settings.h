/* settings.h -- what a KubeFedConfig says, with KubeFed's defaults and KubeFed's rules.
 *
 * Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_SETTINGS_H
#define PROPAGATOR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct json_object;
struct text;

/* Durations are at least 1 ms, counts at least 1. */
struct settings {
	bool cluster_scope; /* of the control plane; else it sees its own namespace only */
	uint64_t available_delay_ms;
	uint64_t unavailable_delay_ms;
	uint64_t cache_sync_timeout_ms;
	uint64_t lease_duration_ms; /* > renew_deadline_ms */
	uint64_t renew_deadline_ms; /* > 1.2 x retry_period_ms */
	uint64_t retry_period_ms;
	uint64_t health_period_ms;
	uint64_t health_timeout_ms;
	int64_t health_failure_threshold;
	int64_t health_success_threshold;
	int64_t sync_workers; /* syncController.maxConcurrentReconciles */
	int64_t status_workers;
	bool adopt_resources;
	/* Gates.  The two of DNS, which KubeFed refuses from 0.7 on, are read and mean nothing. */
	bool push_reconciler;
	bool scheduler_preferences;
	bool raw_status_collection;
};

/* Without any KubeFedConfig: KubeFed's defaults, scope Cluster. */
struct settings settings_initial(void);

/* What is missing has KubeFed's default.  ERR_PARSE names each field that is wrong, as far as `why` reaches; `out` is
 * as it was then. */
enum err settings_read(struct json_object *kubefed_config, struct settings *out,
                       struct reason *why) MUST_CHECK;

/* For the defaulting webhook: the spec with all that was missing, gates sorted by name.  What is there stays, also what
 * is wrong or unknown.  The caller puts it; never NULL. */
struct json_object *settings_default(struct json_object *kubefed_config);

/* The rules of KubeFed's validating webhook: of the object as it is, where nothing is filled in.  `before` is the one
 * that is replaced (the scope may not change), NULL when it is new.  True: it may pass.  Else the messages are added,
 * as Kubernetes joins them. */
bool settings_admit(struct json_object *kubefed_config, struct json_object *before,
                    struct text *messages);

#endif
