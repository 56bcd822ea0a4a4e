/* verdicts_inside.h -- what verdicts*.c share.
 *
 * Wiring.  verdicts.c is what probes say and what follows; verdicts_targets.c which addresses are probed, and what stays
 * known of them when others are.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_VERDICTS_INSIDE_H
#define DNSD_VERDICTS_INSIDE_H

#include "dnsd/verdicts.h"
#include "watcher/flap.h"
#include "watcher/imports.h"
#include "watcher/probe.h"

/* What is known of one index. */
struct judged {
	struct records_probe probe; /* what the index meant at the last set_targets */
	uint64_t way;               /* stands for its check's key; 0: a connection */
	enum policy_check_kind kind;
	bool wanted;
	bool is_new; /* it meant something else, or was not wanted, before */
	bool fails;  /* as the prober says */
	bool down;   /* that, or it is held; the table may hold an older word in the dark */
	uint64_t fails_since_ms; /* its first failed probe since a good one; 0: the last was good */
	uint64_t down_ms;        /* that it began to fail; 0: before it was ours */
	bool fails_alone;        /* meanwhile something answered */
	struct flap *flap;       /* NULL: it has not gone down for long */
};

struct verdicts {
	const struct config *config;
	const struct facts *facts;
	struct saved *saved;
	struct prober *prober;
	struct imports *imports;
	struct store *store;
	bool no_commands;
	unsigned still_open;       /* of the prober and the imports, while they stop */
	struct replicas *replicas; /* NULL: probes decide */
	bool were_voted_on;        /* what is in the table */
	struct zones_probe *table;
	struct probe_notes *notes;
	struct judged *judged;
	size_t count;
	bool dark;
	bool may_restore; /* what was saved counts for the first targets only */
	uint64_t last_success_ms;
	void (*on_change)(void *arg);
	void *arg;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* Do the replicas decide together? */
bool verdicts_are_voted_on(const struct verdicts *v);
/* Notes of what is judged now, without what was found out before where it is another address. */
void verdicts_note_all(struct verdicts *v);

/* verdicts_targets.c */
/* Remembers the verdict over a restart. */
void verdicts_save(struct verdicts *v, const struct judged *j, bool down);
/* Frees what is judged, and the table. */
void verdicts_free_judged(struct verdicts *v);

#endif
