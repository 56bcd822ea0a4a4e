/* probe_inside.h -- what the files of probe.c share: targets, and the probe of one that runs.
 *
 * probe.c knows which targets there are and when; probe_run.c makes one probe.  For them alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_INSIDE_H
#define WATCHER_PROBE_INSIDE_H

#include "base/hash.h"
#include "base/table.h"
#include "watcher/due.h"
#include "watcher/probe.h"
#include "watcher/probe_check.h"
#include "watcher/probe_http.h"

struct attempt; /* one connection */

/* What makes two indexes one target. */
struct target_key {
	struct addr addr;
	uint16_t port;
	const struct probe_check *check; /* NULL: a connection, as the settings say */
	uint16_t cluster;                /* of an import; else 0 */
};

struct target {
	struct prober *prober;
	struct target_key is;
	struct probe_check *check; /* that of the key, with us as a user */
	struct probe_settings settings;
	size_t slot;                /* in the prober's list */
	uint32_t first;             /* of its indexes, and one more; 0: none */
	uint32_t failed, succeeded; /* probes in a row */
	bool down;
	bool judged;         /* since it is active */
	bool active;         /* has a next time, waits or runs */
	uint64_t planned_ms; /* its place in this interval */

	bool running; /* the fields below are of this probe */
	uint64_t begun_ms, deadline_ms;
	unsigned begun, open;     /* attempts */
	struct attempt *attempts; /* the open ones */
	struct probe_exchange
		*exchange; /* what is asked over the connection; counts as an attempt */
};

struct place {                 /* of an index */
	struct target *target; /* NULL: none */
	uint32_t next;         /* of the target's indexes, and one more; 0: the last */
	bool wanted;
};

/* Each active target has one time at which something has to be done for it: its next probe, its
 * next attempt, its deadline.  When there are too many connections it stands in the queue too. */
struct prober {
	uv_loop_t *loop;
	uv_timer_t timer;
	struct probe_settings settings;
	struct hash_key key; /* of this process, so that replicas are not in step */
	probe_on_verdict_fn *on_verdict;
	probe_import_fn *import; /* NULL: nobody has a word */
	void *arg;
	struct place *place; /* by index */
	size_t count;
	struct target **target; /* by slot; NULL: free */
	size_t slots;
	struct table *targets; /* by target_key */
	struct table *checks;  /* by their keys */
	struct probe_http *http;
	struct due *due, *queue; /* of slots; the queue by turn, not by time */
	uint64_t turns;
	size_t under_way;      /* attempts, and exchanges */
	struct attempt *spare; /* closed ones, for the next */
	size_t handles;        /* not closed yet; the timer and `http` are such */
	struct prober_counts counts;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- probe.c --- */
/* The next probe of a target has its place an interval later, or as soon as that is not over. */
void prober_plan_next(struct prober *p, struct target *t);
void prober_tell(struct prober *p, struct target *t, const struct probe_verdict *verdict);
void prober_arm(struct prober *p);
void prober_handle_closed(struct prober *p);

/* --- probe_run.c --- */
/* The time of a target has come: its next probe, its next attempt, or its deadline. */
void probe_run_due(struct prober *p, struct target *t);
/* Whoever waits has its turn, as many as there may be. */
void probe_run_queue(struct prober *p);
/* Ends what runs, without a verdict. */
void probe_run_end(struct prober *p, struct target *t);
void probe_run_free_spare(struct prober *p);

#endif
