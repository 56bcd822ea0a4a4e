/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/admin_parts.h"

static const struct admin_number rows[] = {
	{"nigh_replicas_heard", METRIC_GAUGE,
         "Other replicas that vote on what is down at this moment.",
         offsetof(struct replica_counts, heard)},
	{"nigh_vote_frozen", METRIC_GAUGE,
         "1 when no replica reaches any site, so that all stays as it was.",
         offsetof(struct replica_counts, frozen)},
	{"nigh_replica_doubles", METRIC_GAUGE,
         "Replicas that have no vote, as another one of their name has it.",
         offsetof(struct replica_counts, doubles)},
	{"nigh_replica_certificates", METRIC_GAUGE,
         "Different certificates of the replicas, this one's with them.",
         offsetof(struct replica_counts, certificates)},
	{"nigh_replica_claims_total", METRIC_COUNTER,
         "Connections dropped because they claimed to be a replica that is connected.",
         offsetof(struct replica_counts, claims)},
	{"nigh_replica_messages_received_total", METRIC_COUNTER, "Messages of other replicas.",
         offsetof(struct replica_counts, received)},
	{"nigh_replica_messages_sent_total", METRIC_COUNTER, "Messages to other replicas.",
         offsetof(struct replica_counts, sent)},
	{"nigh_replica_connections_dropped_total", METRIC_COUNTER,
         "Connections with replicas that failed, or broke the rules.",
         offsetof(struct replica_counts, dropped)},
	{"nigh_replica_connections_refused_total", METRIC_COUNTER,
         "Of those, accepted ones that ended before it was known whose they were.",
         offsetof(struct replica_counts, refused)},
	{"nigh_replica_views_untaken_total", METRIC_COUNTER,
         "Views of addresses, and replicas, beyond the limits.",
         offsetof(struct replica_counts, untaken)},
};

void admin_print_replica_metrics(const struct admin_view *view, struct text *out)
{
	struct replica_counts counts;

	if (view->replicas == NULL)
		return;
	counts = replica_notes_counts(view->replicas);
	admin_print_numbers(rows, sizeof(rows) / sizeof(rows[0]), &counts, out);
}

void admin_add_replicas(const struct admin_view *view, struct text *out)
{
	text_printf(out, ",\"frozen\":%s",
	            snapshot_settings(view->snapshot)->frozen ? "true" : "false");
	if (view->replicas == NULL)
		return;
	text_add(out, ",\"replicas\":");
	replica_notes_print(view->replicas, out);
}
