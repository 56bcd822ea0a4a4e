/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/admin_parts.h"

static const struct admin_number rows[] = {
	{"nigh_watcher_probes", METRIC_GAUGE, "Addresses of clusters that are probed.",
         offsetof(struct probe_counts, probes)},
	{"nigh_watcher_probes_down", METRIC_GAUGE, "Those of them that count as down.",
         offsetof(struct probe_counts, down)},
	{"nigh_watcher_probes_flapping", METRIC_GAUGE,
         "Those of them that go up and down all the time.",
         offsetof(struct probe_counts, flapping)},
	{"nigh_watcher_probes_held", METRIC_GAUGE,
         "Those of them that are up again and held down for a while.",
         offsetof(struct probe_counts, held)},
	{"nigh_watcher_probe_attempts_total", METRIC_COUNTER, "Connections of probes begun.",
         offsetof(struct probe_counts, attempts)},
	{"nigh_watcher_probe_waits_total", METRIC_COUNTER,
         "Those that had to wait, as too many were under way.",
         offsetof(struct probe_counts, waits)},
	{"nigh_watcher_probes_voided_total", METRIC_COUNTER,
         "Probes that could not be made here, and say nothing of the address.",
         offsetof(struct probe_counts, voided)},
};

void admin_print_probe_metrics(const struct admin_view *view, struct text *out)
{
	struct probe_counts counts;

	if (view->probes == NULL)
		return;
	counts = probe_notes_counts(view->probes);
	admin_print_numbers(rows, sizeof(rows) / sizeof(rows[0]), &counts, out);
}

void admin_add_probes(const struct admin_view *view, struct text *out)
{
	if (view->probes == NULL)
		return;
	text_add(out, ",\"probes\":");
	probe_notes_print_status(view->probes, view->now_ms, out);
}
