/* admin.h -- what nighd tells over HTTP: livez, readyz, healthz, metrics, status, names, explain, guard.
 *
 * Reads the current snapshot as one more reader of the handover, on the HTTP
 * server's thread; it waits for nobody.  The paths and shapes are promises (design.md 5).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ADMIN_H
#define DNSD_ADMIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "dnsd/cluster_notes.h"
#include "dnsd/explain.h"
#include "dnsd/orders.h"
#include "dnsd/probe_notes.h"
#include "dnsd/replica_notes.h"
#include "dnsd/server.h"
#include "zones/handover.h"

/* What the control thread tells the HTTP thread beside the snapshot. */
struct admin_pulse {
	_Atomic uint64_t turned_ms;     /* monotonic: the control loop turned */
	_Atomic uint64_t updates;       /* publications */
	_Atomic uint64_t update_us[12]; /* by latency: histogram cells, bounds in admin.c */
	_Atomic uint64_t update_us_sum;
	_Atomic uint64_t journal_bytes, saved_errors, torn_tails, set_aside;
	_Atomic uint64_t memory_names, memory_ranking;
	_Atomic uint64_t sites_flapping, sites_held, sites_not_watched;
};
void admin_count_update(struct admin_pulse *pulse, uint64_t latency_us); /* control thread */

struct admin_settings {
	struct addr addr;
	uint16_t port;
	bool has_listener;           /* a socket for it is there already ... */
	int take_listener;           /* ... this one */
	const struct server *server; /* counters and addresses */
	struct handover *handover;
	const struct admin_pulse *pulse;
	struct cluster_notes *notes;    /* of API servers; NULL: there are none */
	struct probe_notes *probes;     /* NULL: nothing is known of them */
	struct replica_notes *replicas; /* the same */
	/* Has the control thread do something; called on the HTTP thread, waits for the answer (at most a second). */
	order_fn *order;
	/* What the geo databases say of a client, for explain; called on the HTTP thread, false:
	 * nothing.  NULL: nobody knows.  out->database must stay good as long as the process
	 * lives, or be the callee's own per thread. */
	bool (*find_place)(const struct addr *addr, void *arg, struct explain_place *out);
	void *arg;
};

struct admin;
enum err admin_start(const struct admin_settings *settings, struct admin **out,
                     struct reason *why) MUST_CHECK;
uint16_t admin_port(const struct admin *a);
/* As http_admin_listener(), _retire() and _is_idle(). */
int admin_listener(const struct admin *a);
void admin_retire(struct admin *a);
bool admin_is_idle(const struct admin *a);
void admin_stop(struct admin *a); /* NULL is fine */

#endif
