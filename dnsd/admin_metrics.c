/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/admin_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/version.h"
#include "zones/zone.h"

/* --- single numbers, a row each --- */

struct row {
	const char *name;
	enum metric_type type;
	const char *sentence;
	double (*value)(const struct admin_view *view);
};

static double get_ready(const struct admin_view *view)
{
	return snapshot_settings(view->snapshot)->ready;
}
static double get_dark(const struct admin_view *view)
{
	return snapshot_settings(view->snapshot)->dark;
}
static double get_updates(const struct admin_view *view) { return (double)view->pulse->updates; }
static double get_other_zones(const struct admin_view *view)
{
	return (double)stats_read(&view->stats->other_zones);
}
static double get_connections(const struct admin_view *view)
{
	return view->server ? server_connections(view->server) : 0;
}
static double get_certificate_end(const struct admin_view *view)
{
	const struct tls *tls = view->server ? server_tls(view->server) : NULL;

	return tls ? (double)tls_expires(tls) : 0;
}
static double get_objects(const struct admin_view *view)
{
	return (double)snapshot_report(view->snapshot)->fact_count;
}
static double get_errors(const struct admin_view *view)
{
	return (double)snapshot_report(view->snapshot)->problem_count;
}
static double get_conflicts(const struct admin_view *view)
{
	return (double)snapshot_report(view->snapshot)->conflict_count;
}
static double get_names_memory(const struct admin_view *view)
{
	return (double)view->pulse->memory_names;
}
static double get_ranking_memory(const struct admin_view *view)
{
	return (double)view->pulse->memory_ranking;
}
static double get_journal(const struct admin_view *view)
{
	return (double)view->pulse->journal_bytes;
}
static double get_saved_errors(const struct admin_view *view)
{
	return (double)view->pulse->saved_errors;
}
static double get_torn_tails(const struct admin_view *view)
{
	return (double)view->pulse->torn_tails;
}
static double get_set_aside(const struct admin_view *view)
{
	return (double)view->pulse->set_aside;
}
static double get_flapping(const struct admin_view *view)
{
	return (double)view->pulse->sites_flapping;
}
static double get_held_sites(const struct admin_view *view)
{
	return (double)view->pulse->sites_held;
}
static double get_not_watched(const struct admin_view *view)
{
	return (double)view->pulse->sites_not_watched;
}
static double get_start_time(const struct admin_view *view) { return (double)view->started_s; }

/* The second number of statm: resident pages. */
static double get_resident(const struct admin_view *view)
{
	unsigned long whole = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	(void)view;
	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &whole, &resident) != 2)
		resident = 0;
	fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double get_cpu(const struct admin_view *view)
{
	struct rusage used = {0};

	(void)view;
	(void)getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static const struct row rows[] = {
	{"process_start_time_seconds", METRIC_GAUGE, "Unix time at which nighd started.",
         get_start_time},
	{"process_cpu_seconds_total", METRIC_COUNTER, "CPU time used, in user and kernel mode.",
         get_cpu},
	{"process_resident_memory_bytes", METRIC_GAUGE, "Memory that is resident.", get_resident},
	{"dnsd_ready", METRIC_GAUGE, "1 when every source is read, restored or has had its time.",
         get_ready},
	{"dnsd_dark", METRIC_GAUGE,
         "1 when no cluster can be seen and failed probes count for nothing.", get_dark},
	{"dnsd_updates_total", METRIC_COUNTER, "Snapshots published.", get_updates},
	{"dnsd_other_zone_answers_total", METRIC_COUNTER,
         "Answers from zones that the table of counters has no room for.", get_other_zones},
	{"dnsd_tcp_connections", METRIC_GAUGE,
         "TCP connections open at this moment, those with TLS among them.", get_connections},
	{"dnsd_tls_certificate_end_seconds", METRIC_GAUGE,
         "Unix time at which the certificate of listen.tls ends; 0 without one.",
         get_certificate_end},
	{"dnsd_errors", METRIC_GAUGE, "Errors that the status lists at this moment.", get_errors},
	{"dnsd_conflicts", METRIC_GAUGE,
         "Names of two sources that the status lists at this moment.", get_conflicts},
	{"dnsd_sites_flapping", METRIC_GAUGE,
         "Sites of names whose objects say up and down again and again.", get_flapping},
	{"dnsd_sites_held", METRIC_GAUGE, "Those of them that are up, and held down.",
         get_held_sites},
	{"dnsd_sites_not_watched_total", METRIC_COUNTER,
         "Changes of sites for whose damping there was no room.", get_not_watched},
	{"records_objects", METRIC_GAUGE, "Objects of all clusters that are kept.", get_objects},
	{"zones_memory_bytes", METRIC_GAUGE, "Memory held by names and their data.",
         get_names_memory},
	{"geo_memory_bytes", METRIC_GAUGE, "Memory held by the tree of client networks.",
         get_ranking_memory},
	{"watcher_saved_journal_bytes", METRIC_GAUGE, "Length of the journal of the saved state.",
         get_journal},
	{"watcher_saved_errors_total", METRIC_COUNTER, "Failed writes of the saved state.",
         get_saved_errors},
	{"watcher_saved_torn_tails_total", METRIC_COUNTER,
         "Ends of journals that were cut off because they were not whole.", get_torn_tails},
	{"watcher_saved_set_aside_total", METRIC_COUNTER,
         "Damaged or foreign state files that were set aside.", get_set_aside},
};

static void print_rows(const struct admin_view *view, struct text *out)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		metric_head(out, rows[i].name, rows[i].type, rows[i].sentence);
		metric_sample(out, rows[i].name, NULL, 0, rows[i].value(view));
	}
}

/* --- fields of a struct --- */

void admin_sample_number(const struct admin_number *row, const void *numbers,
                         const struct metric_label *label, struct text *out)
{
	uint64_t value;

	memcpy(&value, (const char *)numbers + row->offset, sizeof(value));
	metric_sample(out, row->name, label, label ? 1 : 0, (double)value);
}

void admin_print_numbers(const struct admin_number *row, size_t count, const void *numbers,
                         struct text *out)
{
	for (size_t i = 0; i < count; i++) {
		metric_head(out, row[i].name, row[i].type, row[i].sentence);
		admin_sample_number(&row[i], numbers, NULL, out);
	}
}

/* --- a number for each cluster --- */

struct cluster_row {
	const char *name;
	enum metric_type type;
	const char *sentence;
	double (*value)(const struct admin_view *view, const struct snapshot_cluster *c);
};

static double get_age(const struct admin_view *view, const struct snapshot_cluster *c)
{
	bool synced = strcmp(c->knowledge, "synced") == 0;

	return synced || view->now_ms < c->since_ms ? 0
	                                            : (double)(view->now_ms - c->since_ms) / 1000;
}
static double get_up(const struct admin_view *view, const struct snapshot_cluster *c)
{
	(void)view;
	return c->up;
}
static double get_drained(const struct admin_view *view, const struct snapshot_cluster *c)
{
	(void)view;
	return c->drained;
}
static double get_cluster_answers(const struct admin_view *view, const struct snapshot_cluster *c)
{
	return c->id < RANKING_MAX_CLUSTERS ? (double)stats_read(&view->stats->clusters[c->id]) : 0;
}

static const struct cluster_row cluster_rows[] = {
	{"watcher_cluster_age_seconds", METRIC_GAUGE,
         "Age of what is known of a cluster; 0 while it can be seen.", get_age},
	{"watcher_cluster_up", METRIC_GAUGE, "0 when every probed address of a cluster is down.",
         get_up},
	{"watcher_cluster_drained", METRIC_GAUGE, "1 when a cluster is drained.", get_drained},
	{"dnsd_cluster_answers_total", METRIC_COUNTER, "Answers that send clients to a cluster.",
         get_cluster_answers},
};

static void print_clusters(const struct admin_view *view, struct text *out)
{
	for (size_t i = 0; i < sizeof(cluster_rows) / sizeof(cluster_rows[0]); i++) {
		const struct cluster_row *row = &cluster_rows[i];
		const struct snapshot_cluster *c;

		metric_head(out, row->name, row->type, row->sentence);
		for (size_t k = 0; (c = snapshot_cluster_at(view->snapshot, k)) != NULL; k++) {
			struct metric_label label = {"cluster", c->name};

			metric_sample(out, row->name, &label, 1, row->value(view, c));
		}
	}
}

/* --- a number for each API server --- */

#define NOTE(field) offsetof(struct cluster_note, field)

static const struct admin_number note_rows[] = {
	{"watcher_api_requests_total", METRIC_COUNTER, "Requests to an API server.",
         NOTE(requests)},
	{"watcher_api_bytes_total", METRIC_COUNTER, "Bytes of answers of an API server, unpacked.",
         NOTE(bytes)},
	{"watcher_api_connections_total", METRIC_COUNTER, "Connections to an API server.",
         NOTE(connections)},
	{"watcher_api_replaced_total", METRIC_COUNTER,
         "Connections given up because one of their streams hung or credentials changed.",
         NOTE(replaced)},
	{"watcher_api_throttled_total", METRIC_COUNTER,
         "How often an API server had used up its share of the control thread's time.",
         NOTE(throttled)},
	{"watcher_api_lists_total", METRIC_COUNTER, "Whole lists that were begun.", NOTE(lists)},
	{"watcher_api_watches_total", METRIC_COUNTER, "Watches that were begun.", NOTE(watches)},
	{"watcher_api_events_total", METRIC_COUNTER, "Events of watches.", NOTE(events)},
	{"watcher_api_skipped_total", METRIC_COUNTER, "Objects that were too large to be taken.",
         NOTE(skipped)},
	{"watcher_api_bad_events_total", METRIC_COUNTER,
         "Events and objects that are none, or of another kind or time.", NOTE(bad_events)},
};

/* Host and members; the host's label is empty. */
static const struct cluster_note *note_at(const struct admin_view *view, size_t i)
{
	const struct snapshot_cluster *c;

	if (i == 0)
		return cluster_notes_find(view->notes, "");
	c = snapshot_cluster_at(view->snapshot, i - 1);
	return c ? cluster_notes_find(view->notes, c->name) : NULL;
}

static size_t count_notes(const struct admin_view *view)
{
	size_t count = 1;

	while (snapshot_cluster_at(view->snapshot, count - 1) != NULL)
		count++;
	return count;
}

static void print_note_row(const struct admin_view *view, const struct admin_number *row,
                           struct text *out)
{
	metric_head(out, row->name, row->type, row->sentence);
	for (size_t i = 0; i < count_notes(view); i++) {
		const struct cluster_note *note = note_at(view, i);

		if (note)
			admin_sample_number(row, note,
			                    &(struct metric_label){"cluster", note->name}, out);
	}
}

/* One sample for each kind that a credential may not see. */
static void print_forbidden(const struct admin_view *view, struct text *out)
{
	static const char name[] = "watcher_api_forbidden";

	metric_head(out, name, METRIC_GAUGE, "1 for a kind that the credential may not see.");
	for (size_t i = 0; i < count_notes(view); i++) {
		const struct cluster_note *note = note_at(view, i);
		const char *at = note ? note->forbidden : "";

		while (*at) {
			char kind[128];
			size_t len = strcspn(at, ",");

			(void)snprintf(kind, sizeof(kind), "%.*s", (int)len, at);
			metric_sample(
				out, name,
				(struct metric_label[]){{"cluster", note->name}, {"kind", kind}}, 2,
				1);
			at += len + strspn(at + len, ", ");
		}
	}
}

static void print_expiry(const struct admin_view *view, struct text *out)
{
	static const char name[] = "watcher_credential_expires_timestamp_seconds";

	metric_head(out, name, METRIC_GAUGE,
	            "When the credential of an API server ends, if it says so.");
	for (size_t i = 0; i < count_notes(view); i++) {
		const struct cluster_note *note = note_at(view, i);

		if (note && note->expires)
			metric_sample(out, name, &(struct metric_label){"cluster", note->name}, 1,
			              (double)note->expires);
	}
}

/* The host is no row of clusters. */
static void print_host_age(const struct admin_view *view, struct text *out)
{
	static const char name[] = "watcher_host_age_seconds";
	const struct cluster_note *host = cluster_notes_find(view->notes, "");

	if (!host)
		return;
	metric_head(
		out, name, METRIC_GAUGE,
		"Age of what is known of the host's registry and records; 0 while it can be seen.");
	metric_sample(out, name, NULL, 0, (double)host->age_ms / 1000);
}

static void print_notes(const struct admin_view *view, struct text *out)
{
	if (!view->notes)
		return;
	print_host_age(view, out);
	for (size_t i = 0; i < sizeof(note_rows) / sizeof(note_rows[0]); i++)
		print_note_row(view, &note_rows[i], out);
	print_forbidden(view, out);
	print_expiry(view, out);
}

/* --- a number for each zone --- */

struct zone_row {
	const char *name;
	enum metric_type type;
	const char *sentence;
	double (*value)(const struct admin_view *view, const struct zone *z, const char *name);
};

static double get_serial(const struct admin_view *view, const struct zone *z, const char *name)
{
	(void)view;
	(void)name;
	return zone_serial(z);
}
static double get_name_count(const struct admin_view *view, const struct zone *z, const char *name)
{
	(void)view;
	(void)name;
	return (double)zone_name_count(z);
}
static double get_zone_answers(const struct admin_view *view, const struct zone *z,
                               const char *name)
{
	(void)name;
	return (double)stats_zone(view->stats, zone_key(z));
}
static double get_held(const struct admin_view *view, const struct zone *z, const char *name)
{
	const struct snapshot_report *report = snapshot_report(view->snapshot);
	uint64_t held = 0;

	(void)z;
	for (size_t i = 0; i < report->hold_count; i++)
		if (admin_same_name(report->holds[i].zone, name))
			held += report->holds[i].names;
	return (double)held;
}

static const struct zone_row zone_rows[] = {
	{"zones_serial", METRIC_GAUGE, "Serial of a zone.", get_serial},
	{"zones_names", METRIC_GAUGE, "Owner names of a zone that have data.", get_name_count},
	{"records_guard_held_names", METRIC_GAUGE,
         "Names of a zone that the guard against mass changes holds.", get_held},
	{"dnsd_zone_answers_total", METRIC_COUNTER, "Answers from a zone.", get_zone_answers},
};

static void print_zones(const struct admin_view *view, struct text *out)
{
	for (size_t i = 0; i < sizeof(zone_rows) / sizeof(zone_rows[0]); i++) {
		const struct zone_row *row = &zone_rows[i];
		const struct zone *z;

		metric_head(out, row->name, row->type, row->sentence);
		for (size_t k = 0; (z = snapshot_zone(view->snapshot, k)) != NULL; k++) {
			struct text name = {0};
			struct metric_label label;

			admin_add_name(&name, zone_apex(z));
			label = (struct metric_label){"zone", name.data};
			metric_sample(out, row->name, &label, 1, row->value(view, z, name.data));
			text_fini(&name);
		}
	}
}

/* Zones without a file have none. */
static void print_zone_files(const struct snapshot_report *report, struct text *out)
{
	static const char name[] = "zones_file_good";

	metric_head(out, name, METRIC_GAUGE,
	            "Is the zone's file, as it is now, without errors and in force? 1 or 0.");
	for (size_t i = 0; i < report->file_count; i++) {
		const struct snapshot_zone_file *file = &report->files[i];
		size_t len = strlen(file->zone);
		struct text zone = {0};
		struct metric_label label;

		/* Named like all zones, without the last dot. */
		text_printf(&zone, "%.*s", (int)(len > 1 ? len - 1 : len), file->zone);
		label = (struct metric_label){"zone", zone.data};
		metric_sample(out, name, &label, 1, *file->errors ? 0 : file->read_at != 0);
		text_fini(&zone);
	}
}

/* --- answers --- */

/* RFC 1035 4.1.1, RFC 2136 2.2, RFC 6891 9; the last cell of the counters is all others. */
static const char *rcode_label(size_t rcode, char out[32])
{
	static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
	                                    "NXDOMAIN", "NOTIMP",  "REFUSED"};

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	if (rcode == 16)
		return "BADVERS";
	if (rcode == STATS_RCODES - 1)
		return "other";
	snprintf(out, 32, "RCODE%zu", rcode);
	return out;
}

/* The usual codes always, the others once they occur. */
static void print_answers(const struct stats *stats, struct text *out)
{
	static const char name[] = "dnsd_answers_total";

	metric_head(out, name, METRIC_COUNTER, "Answers by transport and response code.");
	for (size_t t = 0; t < STATS_TRANSPORTS; t++)
		for (size_t rcode = 0; rcode < STATS_RCODES; rcode++) {
			uint64_t count = stats_answers_coded(stats, (enum stats_transport)t,
			                                     (unsigned)rcode);
			char text[32];
			struct metric_label labels[] = {
				{"transport", stats_transport_label((enum stats_transport)t)},
				{"rcode", rcode_label(rcode, text)}};

			if (count || rcode <= 5)
				metric_sample(out, name, labels, 2, (double)count);
		}
}

static void print_reasons(const struct stats *stats, struct text *out)
{
	static const char name[] = "dnsd_answer_reasons_total";

	metric_head(out, name, METRIC_COUNTER, "Answers by why they were what they were.");
	for (int i = 0; i < STATS_REASONS; i++) {
		struct metric_label label = {"reason", stats_reason_label((enum stats_reason)i)};

		metric_sample(out, name, &label, 1,
		              (double)stats_answers_for(stats, (enum stats_reason)i));
	}
}

/* "tcpOpened": dnsd_tcp_opened_total.  The table of stats.h has the sentences. */
static void print_events(const struct stats *stats, struct text *out)
{
	for (int i = 0; i < STATS_EVENTS; i++) {
		const char *label = stats_event_label((enum stats_event)i);
		struct text name = {0}, sentence = {0};

		text_add(&name, "dnsd_");
		for (; *label; label++)
			text_printf(&name, isupper((unsigned char)*label) ? "_%c" : "%c",
			            tolower((unsigned char)*label));
		text_add(&name, "_total");
		text_add(&sentence, stats_event_sentence((enum stats_event)i));
		sentence.data[0] = (char)toupper((unsigned char)sentence.data[0]);
		text_add(&sentence, ".");
		metric_head(out, name.data, METRIC_COUNTER, sentence.data);
		metric_sample(out, name.data, NULL, 0,
		              (double)stats_events(stats, (enum stats_event)i));
		text_fini(&name);
		text_fini(&sentence);
	}
}

static void print_limits(const struct stats *stats, struct text *out)
{
	for (int i = 0; i < STATS_LIMITS; i++) {
		enum stats_limit limit = (enum stats_limit)i;
		struct text name = {0}, sentence = {0};

		text_printf(&name, "dnsd_rate_limit_%s_total", stats_limit_label(limit));
		text_printf(&sentence, "%s.", stats_limit_sentence(limit));
		metric_head(out, name.data, METRIC_COUNTER, sentence.data);
		for (int k = 0; k < STATS_CLASSES; k++) {
			struct metric_label label = {"class",
			                             stats_class_label((enum stats_class)k)};

			metric_sample(out, name.data, &label, 1,
			              (double)stats_read(&stats->limits[i][k]));
		}
		text_fini(&name);
		text_fini(&sentence);
	}
}

static void print_updates(const struct admin_pulse *pulse, struct text *out)
{
	static const char name[] = "dnsd_update_seconds";
	uint64_t counts[ADMIN_UPDATE_BOUNDS + 1];

	for (size_t i = 0; i <= ADMIN_UPDATE_BOUNDS; i++)
		counts[i] = pulse->update_us[i];
	metric_head(out, name, METRIC_HISTOGRAM,
	            "Time from a change to the snapshot that holds it.");
	metric_histogram(out, name, admin_update_bounds, counts, ADMIN_UPDATE_BOUNDS,
	                 (double)pulse->update_us_sum / 1e6);
}

void admin_print_metrics(const struct admin_view *view, struct text *out)
{
	static const struct metric_label version = {"version", NIGH_VERSION};

	metric_head(out, "nigh_build_info", METRIC_GAUGE, "1, with the version as a label.");
	metric_sample(out, "nigh_build_info", &version, 1, 1);
	print_rows(view, out);
	print_clusters(view, out);
	print_notes(view, out);
	admin_print_probe_metrics(view, out);
	admin_print_replica_metrics(view, out);
	print_zones(view, out);
	print_zone_files(snapshot_report(view->snapshot), out);
	print_answers(view->stats, out);
	print_reasons(view->stats, out);
	print_events(view->stats, out);
	print_limits(view->stats, out);
	print_updates(view->pulse, out);
}
