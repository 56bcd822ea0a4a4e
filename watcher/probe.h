/* probe.h -- probes of published addresses (design.md 4, "Usable").
 *
 * One probe is up to three connection attempts, begun 250 ms apart from different source ports,
 * with one common deadline `timeout` after the first; it fails when none succeeds.  Where a policy
 * asks for more than a connection, that is asked over the first that was made, within the same
 * deadline.  Probes of a target begin every `interval`, spread evenly, in each process otherwise, and up to
 * a twentieth of it later, each time otherwise.
 * `down` failures in a row make it down, `up` successes in a row up; before either it keeps its
 * last known state, else it is up.  A connection is closed by a reset.
 *
 * Several indexes with the same address, port and way to probe share one probe.  On the loop's
 * thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_H
#define WATCHER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "records/policy.h"
#include "watcher/probe_secrets.h"

struct prober;

enum { PROBE_MOST_ATTEMPTS = 512 }; /* under way at once; further ones wait for their turn */

struct probe_settings {
	uint64_t interval_ms, timeout_ms;
	uint32_t down, up; /* 1.. */
	const char *
		files; /* the folder of certificates and keys that policies name; NULL: none; borrowed */
	const struct probe_secrets *secrets; /* those that policies name; NULL: none; borrowed */
};
/* A way to probe; its own times and counts count where they are not 0. */
struct probe_way {
	const struct policy_check *is; /* NULL: a connection, as the settings say */
	struct bytes key;              /* equal for equal ways */
	struct bytes namespace;        /* of its Secrets */
};
struct probe_target {
	struct addr addr; /* ADDR_NONE: no target at this index */
	uint16_t port;
	bool wanted;      /* probe it now; else it is left alone and keeps its state */
	uint32_t way;     /* an index of the ways; beyond them: a connection */
	uint16_t cluster; /* whose it is; what is said by others may be of a cluster */
};

/* What a single probe found out. */
struct probe_verdict {
	bool is_void; /* nothing: it could not be made here; all stays as it was, `text` says why */
	bool succeeded;
	bool reached;     /* something answered there, whether or not it was what is wanted */
	bool down;        /* the state after it */
	const char *text; /* why, for a person: "connection refused"; good during the call */
};

/* Called for every single probe (not only when the state changes), for each wanted
 * index of its target; no targets may be set meanwhile. */
typedef void probe_on_verdict_fn(size_t index, const struct probe_verdict *verdict, void *arg);

/* What an import says of an address (POLICY_CHECK_IMPORT: nothing is asked there).  Such a word counts at once, unless the
 * check has counts of its own. */
enum probe_word { PROBE_NO_WORD, PROBE_SAID_UP, PROBE_SAID_DOWN };
enum { PROBE_WORD_SIZE = 160 };
typedef enum probe_word probe_import_fn(struct bytes import, const struct probe_target *target,
                                        char reason[PROBE_WORD_SIZE], void *arg);

struct prober *prober_new(uv_loop_t *loop, const struct probe_settings *settings,
                          probe_on_verdict_fn *on_verdict, void *arg);
/* Without one nobody has a word; `arg` is that of prober_new(). */
void prober_set_imports(struct prober *p, probe_import_fn *import);
void prober_configure(struct prober *p, const struct probe_settings *settings);
/* The whole list; a target that stays one (address, port, way) keeps its counts and state, whatever
 * its index.  Another one starts fresh.  All is copied. */
void prober_set_targets(struct prober *p, const struct probe_way *ways, size_t way_count,
                        const struct probe_target *targets, size_t count);
/* A state from before (saved): counts as the last known one of a target that has no verdict yet. */
void prober_set_state(struct prober *p, size_t index, bool down);
bool prober_is_down(const struct prober *p, size_t index);

struct prober_counts {
	uint64_t attempts; /* connections begun */
	uint64_t waits; /* attempts that had to wait because PROBE_MOST_ATTEMPTS were under way */
	uint64_t
		voided; /* probes without a verdict: this machine could not make the connection or ask over
	                    it, or looked at its deadline more than 100 ms late */
};
struct prober_counts prober_counts(const struct prober *p);
void prober_stop(struct prober *p, void (*on_stopped)(void *arg), void *arg); /* frees */

#endif
