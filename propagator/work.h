/* work.h -- what a leader does, for one term: members, types and their controllers, replicas, DNS records, conditions of
 * TrafficPolicies.  On the loop's thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_WORK_H
#define PROPAGATOR_WORK_H

#include "propagator/dns_writer.h"
#include "propagator/events.h"
#include "propagator/members.h"
#include "propagator/options.h"
#include "propagator/policy_writer.h"
#include "propagator/scheduler.h"
#include "propagator/settings.h"
#include "propagator/types.h"

struct work;

struct work_settings {
	uv_loop_t *loop;
	struct kube_client *host; /* borrowed, with `backoff` and `term` */
	struct kube_backoff *backoff;
	const struct options *options; /* borrowed */
	const struct dispatch_term *term;
	const struct settings *settings; /* borrowed; may change: work_on_settings() */
	uint64_t dns_patience_ms;        /* as of dns_data.h */
	bool allow_loopback;
};

struct work *work_start(const struct work_settings *settings);
/* What is under way is dropped without a word. */
void work_stop(struct work *w, void (*on_stopped)(void *arg), void *arg);
/* The settings are others now. */
void work_on_settings(struct work *w);

/* Once a second. */
void work_tick(struct work *w);

/* For /status and /metrics. */
const struct events *work_events(const struct work *w); /* on the host */
const struct members *work_members(const struct work *w);
const struct types *work_types(const struct work *w);
const struct dns_writer *work_dns(const struct work *w);
const struct policy_writer *work_policies(const struct work *w);
const struct scheduler *work_scheduler(const struct work *w);

#endif
