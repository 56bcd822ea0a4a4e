/* dns_data.h -- what the members have for names, as nighd sees it: watcher's facts and what records make of them.
 *
 * Wiring.  It dials the host and every member itself (watcher/fleet.h, with the reader's credential where there is one), so
 * each is watched once more than the rest of the program does.  What cannot be seen stays as it was last known: in this
 * process, and before that as the statuses of the records have it (dns_data_recall()).  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_DNS_DATA_H
#define PROPAGATOR_DNS_DATA_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "records/build.h"

struct dns_data;
struct json_object;

struct dns_data_settings {
	const char *kubeconfig, *context; /* of the host; NULL context: the current one */
	bool in_cluster;                  /* it is where this process runs as a pod */
	const char *namespace;            /* KubeFed's */
	const char *resolvers;            /* "ADDR:PORT,..."; NULL: the system's */
	uint64_t patience_ms;             /* with members that were never seen; 0: ten seconds */
	bool allow_loopback;              /* for what KubeFedClusters say */
	/* Whose entries of a status are recalled, as a stranger may have written it; NULL: of all. */
	bool (*is_member)(const char *name, void *arg);
	void *member_arg;
};

/* `settings` is copied, its texts are borrowed.  Nothing is dialled before dns_data_dial(); on_built when something is known
 * that was not before, from then on. */
struct dns_data *dns_data_new(uv_loop_t *loop, const struct dns_data_settings *settings,
                              void (*on_built)(void *arg), void *arg);
/* Before it dials: a record as it is stored.  What its status says of clusters is so until they are seen. */
void dns_data_recall(struct dns_data *d, enum fact_kind kind, struct json_object *record);
void dns_data_dial(struct dns_data *d);
void dns_data_stop(struct dns_data *d, void (*on_stopped)(void *arg), void *arg);

/* Has the host been seen, and every member, or been waited for long enough?  Before that it knows too little to write. */
bool dns_data_is_ready(const struct dns_data *d);

struct dns_data_view {
	const char *namespace; /* of Domains */
	const struct facts *facts;
	const struct records *records;
	const struct records_cluster *clusters; /* by name */
	size_t cluster_count;
	const bool *
		was_seen; /* since the start, by id: of others it has what was recalled, if anything */
};
/* As of the last build; borrowed until the loop turns. */
struct dns_data_view dns_data_view(const struct dns_data *d);

/* What is wrong, for /status. */
typedef void dns_data_on_error_fn(const char *where, const char *message, int64_t since, void *arg);
void dns_data_each_error(const struct dns_data *d, dns_data_on_error_fn *fn, void *arg);

#endif
