/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/report.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/http_admin.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "propagator/member_ceiling.h"

enum { EVERY_MS = 1000, DEAD_MS = 15000, ERRORS_MOST = 100, PREFERENCES_MOST = 100 };

struct error {
	char *where, *why;
	int64_t since;
};

struct report {
	uv_timer_t *timer;
	struct http_admin *http;
	const struct work *work;
	const struct webhook *webhook;
	bool leading;
	bool leader_is_past; /* it was this one, until it lost the Lease; the next has not been seen */
	char *leader;
	struct error errors[ERRORS_MOST];
	size_t error_count;

	pthread_mutex_t lock; /* of what the server's thread reads */
	struct text status, metrics;
	bool seen;
	uint64_t turned_ms; /* the loop did */
};

/* --- /status --- */

static void print_members(const struct members *m, struct text *out)
{
	for (size_t i = 0; i < members_count(m); i++) {
		const struct member *one = members_at(m, i);
		struct dispatch_counts counts = {0};

		if (one->dispatch)
			counts = dispatch_counts(one->dispatch);
		text_add(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		text_add_json(out, bytes_of(one->name));
		text_printf(out, ",\"ready\":%s,\"version\":", one->is_ready ? "true" : "false");
		text_add_json(out, bytes_of(one->version));
		text_add(out, ",\"trouble\":");
		text_add_json(out, bytes_of(one->trouble));
		text_printf(out, ",\"ceiling\":\"%s\",\"waiting\":%zu,\"underWay\":%zu}",
		            member_ceiling_word(one->ceiling), counts.waiting, counts.under_way);
	}
}

struct printing {
	struct text *out;
	bool any;
	size_t count;
};

static void print_statuses(const struct service_statuses_counts *counts, struct text *out)
{
	if (!counts->runs) {
		text_add(out, "null");
		return;
	}
	text_printf(out, "{\"objects\":%zu,\"failing\":%zu,\"why\":", counts->objects,
	            counts->failing);
	text_add_json(out, bytes_of(counts->why));
	text_add(out, "}");
}

static void print_type(const struct types_note *note, void *arg)
{
	struct printing *p = arg;

	text_add(p->out, p->any ? ",{\"name\":" : "{\"name\":");
	p->any = true;
	text_add_json(p->out, bytes_of(note->name));
	text_printf(p->out, ",\"running\":%s,\"why\":", note->runs ? "true" : "false");
	text_add_json(p->out, bytes_of(note->why));
	text_printf(p->out,
	            ",\"objects\":%zu,\"copies\":%zu,\"waiting\":%zu,\"failing\":%zu,"
	            "\"overfull\":%zu,\"statuses\":",
	            note->counts.objects, note->counts.copies, note->counts.waiting,
	            note->counts.failing, note->counts.overfull);
	print_statuses(&note->counts.statuses, p->out);
	text_add(p->out, "}");
}

static void print_dns(const struct dns_writer *w, struct text *out)
{
	struct dns_writer_counts counts = dns_writer_counts(w);

	text_printf(out, "{\"records\":%zu,\"ready\":%s}", counts.records,
	            counts.ready ? "true" : "false");
}

static void print_policies(const struct policy_writer *w, struct text *out)
{
	struct policy_writer_counts counts = policy_writer_counts(w);

	text_printf(out, "{\"objects\":%zu,\"replicas\":%u}", counts.policies, counts.replicas);
}

struct printing_errors {
	struct text *out;
	size_t count;
};

static void print_error(const char *where, const char *why, int64_t since, void *arg)
{
	struct printing_errors *p = arg;
	char at[CLOCK_TEXT_SIZE];

	if (p->count == ERRORS_MOST)
		return;
	text_add(p->out, p->count++ > 0 ? ",{\"where\":" : "{\"where\":");
	text_add_json(p->out, bytes_of(where));
	text_add(p->out, ",\"message\":");
	text_add_json(p->out, bytes_of(why));
	text_printf(p->out, ",\"since\":\"%s\"}", clock_print(since, at));
}

static void print_preference(const struct scheduler_note *note, void *arg)
{
	struct printing *p = arg;

	if (p->count++ >= PREFERENCES_MOST)
		return;
	text_add(p->out, p->any ? ",{\"name\":" : "{\"name\":");
	p->any = true;
	text_add_json(p->out, bytes_of(note->key));
	text_printf(p->out, ",\"total\":%lld,\"planned\":%lld,\"held\":%lld,\"message\":",
	            (long long)note->total, (long long)note->planned, (long long)note->held);
	text_add_json(p->out, bytes_of(note->message));
	text_add(p->out, "}");
}

static void print_errors(const struct report *r, struct text *out)
{
	struct printing_errors p = {out, 0};

	for (size_t i = 0; i < r->error_count; i++)
		print_error(r->errors[i].where, r->errors[i].why, r->errors[i].since, &p);
	if (!r->work)
		return;
	dns_writer_each_error(work_dns(r->work), print_error, &p);
	policy_writer_each_error(work_policies(r->work), print_error, &p);
}

static void print_status(const struct report *r, struct text *out)
{
	struct printing types = {.out = out}, preferences = {.out = out};
	char now[CLOCK_TEXT_SIZE];

	text_printf(out,
	            "{\"version\":\"%s\",\"now\":\"%s\",\"leading\":%s,\"leader\":", NIGH_VERSION,
	            clock_print(clock_unix_s(), now), r->leading ? "true" : "false");
	text_add_json(out, bytes_of(r->leader_is_past ? "" : r->leader));
	text_add(out, ",\"clusters\":[");
	if (r->work)
		print_members(work_members(r->work), out);
	text_add(out, "],\"types\":[");
	if (r->work)
		types_each(work_types(r->work), print_type, &types);
	text_add(out, "],\"preferences\":[");
	if (r->work)
		scheduler_each(work_scheduler(r->work), print_preference, &preferences);
	text_add(out, "],\"dns\":");
	if (r->work)
		print_dns(work_dns(r->work), out);
	else
		text_add(out, "null");
	text_add(out, ",\"policies\":");
	if (r->work)
		print_policies(work_policies(r->work), out);
	else
		text_add(out, "null");
	text_add(out, ",\"errors\":[");
	print_errors(r, out);
	text_add(out, "]}\n");
}

/* --- /metrics --- */

struct sums {
	uint64_t passes, applied, deleted, status_writes, service_status_writes;
	size_t objects, copies, waiting;
};

static void add_type(const struct types_note *note, void *arg)
{
	struct sums *s = arg;

	s->passes += note->counts.passes;
	s->applied += note->counts.applied;
	s->deleted += note->counts.deleted;
	s->status_writes += note->counts.status_writes;
	s->service_status_writes += note->counts.statuses.writes;
	s->objects += note->counts.objects;
	s->copies += note->counts.copies;
	s->waiting += note->counts.waiting;
}

static void print_one(struct text *out, const char *name, enum metric_type type,
                      const char *sentence, double value)
{
	metric_head(out, name, type, sentence);
	metric_sample(out, name, NULL, 0, value);
}

static void print_schedules(const struct scheduler *s, struct text *out)
{
	struct scheduler_counts counts = scheduler_counts(s);

	print_one(out, "nigh_propagator_preferences", METRIC_GAUGE, "ReplicaSchedulingPreferences.",
	          (double)counts.preferences);
	print_one(out, "nigh_propagator_plans_total", METRIC_COUNTER,
	          "How often a ReplicaSchedulingPreference was planned.", (double)counts.plans);
	print_one(out, "nigh_propagator_plan_writes_total", METRIC_COUNTER,
	          "Plans written into federated objects.", (double)counts.writes);
}

static double is_ready(const struct member *m) { return m->is_ready; }

static double events_sent(const struct member *m)
{
	return m->events ? (double)events_counts(m->events).sent : 0;
}

static double events_dropped(const struct member *m)
{
	return m->events ? (double)events_counts(m->events).dropped : 0;
}

static double spare_dropped(const struct member *m)
{
	return m->dispatch ? (double)dispatch_counts(m->dispatch).dropped : 0;
}

static void print_clusters(const struct members *m, struct text *out)
{
	static const struct {
		const char *name, *sentence;
		enum metric_type type;
		double (*value)(const struct member *m);
	} metrics[] = {
		{"nigh_propagator_cluster_ready", "Whether a member cluster is ready.",
	         METRIC_GAUGE, is_ready},
		{"nigh_propagator_events_total", "Events sent to a member cluster.", METRIC_COUNTER,
	         events_sent},
		{"nigh_propagator_events_dropped_total",
	         "Events that were too many, or that a member cluster did not take.",
	         METRIC_COUNTER, events_dropped},
		{"nigh_propagator_spare_dropped_total",
	         "Events and questions that too many waited before.", METRIC_COUNTER,
	         spare_dropped},
	};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		metric_head(out, metrics[i].name, metrics[i].type, metrics[i].sentence);
		for (size_t k = 0; k < members_count(m); k++) {
			const struct member *one = members_at(m, k);
			const struct metric_label label = {"cluster", one->name};

			metric_sample(out, metrics[i].name, &label, 1, metrics[i].value(one));
		}
	}
}

struct printing_events {
	struct text *out;
	const char *name;
	bool is_of_dropped;
};

static void print_host_events_of(const char *cluster, const struct events_counts *counts, void *arg)
{
	const struct printing_events *p = arg;
	const struct metric_label label = {"cluster", cluster};

	metric_sample(p->out, p->name, &label, 1,
	              (double)(p->is_of_dropped ? counts->dropped : counts->sent));
}

static void print_host_events(const struct events *e, struct text *out)
{
	struct printing_events sent = {out, "nigh_propagator_host_events_total", false};
	struct printing_events dropped = {out, "nigh_propagator_host_events_dropped_total", true};

	metric_head(out, sent.name, METRIC_COUNTER,
	            "Events sent to the host because of a member cluster, or (\"\") of none.");
	events_each_cluster(e, print_host_events_of, &sent);
	metric_head(out, dropped.name, METRIC_COUNTER,
	            "The same that were too many, or that the host did not take.");
	events_each_cluster(e, print_host_events_of, &dropped);
}

static void print_dns_counts(const struct dns_writer *w, struct text *out)
{
	struct dns_writer_counts counts = dns_writer_counts(w);

	print_one(out, "nigh_propagator_dns_records", METRIC_GAUGE,
	          "ServiceDNSRecords and IngressDNSRecords.", (double)counts.records);
	print_one(out, "nigh_propagator_dns_status_writes_total", METRIC_COUNTER,
	          "Statuses of DNS records written.", (double)counts.status_writes);
	print_one(out, "nigh_propagator_dns_endpoint_writes_total", METRIC_COUNTER,
	          "DNSEndpoints written.", (double)counts.endpoint_writes);
	print_one(out, "nigh_propagator_dns_endpoint_deletes_total", METRIC_COUNTER,
	          "DNSEndpoints deleted with their record.", (double)counts.deleted);
}

static void print_policy_counts(const struct policy_writer *w, struct text *out)
{
	struct policy_writer_counts counts = policy_writer_counts(w);

	print_one(out, "nigh_propagator_policies", METRIC_GAUGE, "TrafficPolicies.",
	          (double)counts.policies);
	print_one(out, "nigh_propagator_policy_replicas", METRIC_GAUGE,
	          "Replicas of nighd that were read last for conditions of TrafficPolicies.",
	          (double)counts.replicas);
	print_one(out, "nigh_propagator_policy_rounds_total", METRIC_COUNTER,
	          "How often the replicas of nighd were asked for them.", (double)counts.rounds);
	print_one(out, "nigh_propagator_policy_status_writes_total", METRIC_COUNTER,
	          "Statuses of TrafficPolicies written.", (double)counts.writes);
}

static void print_reviews(const struct webhook *w, struct text *out)
{
	static const char name[] = "nigh_propagator_reviews_total";
	const struct webhook_counts counts = webhook_counts(w);
	const struct metric_label allowed = {"verdict", "allowed"};
	const struct metric_label refused = {"verdict", "refused"};
	const struct metric_label malformed = {"verdict", "malformed"};

	metric_head(out, name, METRIC_COUNTER, "What was asked of the admission webhooks.");
	metric_sample(out, name, &allowed, 1, (double)counts.allowed);
	metric_sample(out, name, &refused, 1, (double)counts.refused);
	metric_sample(out, name, &malformed, 1, (double)counts.malformed);
}

static void print_failing(const struct types_note *note, void *arg)
{
	const struct metric_label type = {"type", note->name};

	metric_sample(arg, "nigh_propagator_failing", &type, 1, (double)note->counts.failing);
}

static void print_overfull(const struct types_note *note, void *arg)
{
	const struct metric_label type = {"type", note->name};

	metric_sample(arg, "nigh_propagator_overfull", &type, 1, (double)note->counts.overfull);
}

static void print_kept(const struct members *m, struct text *out)
{
	metric_head(out, "nigh_propagator_cluster_kept_bytes", METRIC_GAUGE,
	            "What is kept of the managed objects of a member.");
	for (size_t i = 0; i < members_count(m); i++) {
		const struct metric_label label = {"cluster", members_at(m, i)->name};

		metric_sample(out, "nigh_propagator_cluster_kept_bytes", &label, 1,
		              (double)members_at(m, i)->budget.used);
	}
}

static void print_metrics(const struct report *r, struct text *out)
{
	struct sums s = {0};

	print_one(out, "nigh_propagator_leading", METRIC_GAUGE, "Whether this replica leads.",
	          r->leading);
	if (r->webhook)
		print_reviews(r->webhook, out);
	if (!r->work)
		return;
	types_each(work_types(r->work), add_type, &s);
	print_one(out, "nigh_propagator_objects", METRIC_GAUGE, "Federated objects.",
	          (double)s.objects);
	print_one(out, "nigh_propagator_copies", METRIC_GAUGE, "Managed objects in members.",
	          (double)s.copies);
	print_one(out, "nigh_propagator_waiting", METRIC_GAUGE, "Objects to be looked at.",
	          (double)s.waiting);
	metric_head(out, "nigh_propagator_failing", METRIC_GAUGE,
	            "Places, object x cluster, that are not as they should be.");
	types_each(work_types(r->work), print_failing, out);
	metric_head(out, "nigh_propagator_overfull", METRIC_GAUGE,
	            "Members that have more managed objects of a type than are kept.");
	types_each(work_types(r->work), print_overfull, out);
	print_kept(work_members(r->work), out);
	print_one(out, "nigh_propagator_passes_total", METRIC_COUNTER,
	          "How often an object was looked at.", (double)s.passes);
	print_one(out, "nigh_propagator_applied_total", METRIC_COUNTER,
	          "Objects created or changed in members.", (double)s.applied);
	print_one(out, "nigh_propagator_deleted_total", METRIC_COUNTER,
	          "Objects deleted or released in members.", (double)s.deleted);
	print_one(out, "nigh_propagator_status_writes_total", METRIC_COUNTER,
	          "Statuses of federated objects written.", (double)s.status_writes);
	print_one(out, "nigh_propagator_service_status_writes_total", METRIC_COUNTER,
	          "FederatedServiceStatuses written.", (double)s.service_status_writes);
	print_schedules(work_scheduler(r->work), out);
	print_clusters(work_members(r->work), out);
	print_host_events(work_events(r->work), out);
	print_dns_counts(work_dns(r->work), out);
	print_policy_counts(work_policies(r->work), out);
}

/* --- the hand-over --- */

static void refresh(struct report *r)
{
	struct text status = {0}, metrics = {0};

	print_status(r, &status);
	print_metrics(r, &metrics);
	pthread_mutex_lock(&r->lock);
	text_fini(&r->status);
	text_fini(&r->metrics);
	r->status = status;
	r->metrics = metrics;
	r->turned_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&r->lock);
	log_flush(false);
}

static void on_timer(uv_timer_t *timer) { refresh(timer->data); }

/* --- the server's thread --- */

static unsigned on_status(const struct http_request *request, void *arg, struct text *body,
                          const char **content_type)
{
	struct report *r = arg;

	(void)request;
	(void)content_type;
	pthread_mutex_lock(&r->lock);
	text_add(body, r->status.data ? r->status.data : "{}");
	pthread_mutex_unlock(&r->lock);
	return 200;
}

static unsigned on_metrics(const struct http_request *request, void *arg, struct text *body,
                           const char **content_type)
{
	struct report *r = arg;

	(void)request;
	*content_type = "text/plain; version=0.0.4";
	pthread_mutex_lock(&r->lock);
	text_add(body, r->metrics.data ? r->metrics.data : "");
	pthread_mutex_unlock(&r->lock);
	return 200;
}

static unsigned answer_health(struct report *r, bool asks_ready, bool verbose, struct text *body)
{
	bool lives, seen;

	pthread_mutex_lock(&r->lock);
	lives = clock_monotonic_ms() - r->turned_ms < DEAD_MS;
	seen = r->seen;
	pthread_mutex_unlock(&r->lock);
	if (verbose) {
		text_add(body, lives ? "[+]loop ok\n" : "[-]loop does not turn\n");
		if (asks_ready)
			text_add(body, seen ? "[+]host ok\n" : "[-]host has not been read\n");
	} else {
		text_add(body, lives && (seen || !asks_ready) ? "ok" : "not ok");
	}
	return lives && (seen || !asks_ready) ? 200 : 503;
}

static unsigned on_livez(const struct http_request *request, void *arg, struct text *body,
                         const char **content_type)
{
	*content_type = "text/plain";
	return answer_health(arg, false, http_request_arg(request, "verbose") != NULL, body);
}

static unsigned on_readyz(const struct http_request *request, void *arg, struct text *body,
                          const char **content_type)
{
	*content_type = "text/plain";
	return answer_health(arg, true, http_request_arg(request, "verbose") != NULL, body);
}

/* --- life --- */

enum err report_start(uv_loop_t *loop, const struct addr *addr, uint16_t port, struct report **out,
                      struct reason *why)
{
	static const struct http_route routes[] = {
		{"GET", "/livez", on_livez},    {"GET", "/readyz", on_readyz},
		{"GET", "/healthz", on_readyz}, {"GET", "/metrics", on_metrics},
		{"GET", "/status", on_status},  {NULL, NULL, NULL},
	};
	struct report *r = xcalloc(1, sizeof(*r));
	char at[ADDR_PORT_TEXT_SIZE];
	enum err err;

	CHECK(pthread_mutex_init(&r->lock, NULL) == 0);
	r->leader = xstrdup("");
	refresh(r);
	err = http_admin_start(addr, port, routes, r, &r->http, why);
	if (err != ERR_OK) {
		reason_prefix(why, "--http: ");
		free(r->leader);
		free(r);
		return err;
	}
	r->timer = xcalloc(1, sizeof(*r->timer));
	CHECK(uv_timer_init(loop, r->timer) == 0);
	r->timer->data = r;
	uv_timer_start(r->timer, on_timer, EVERY_MS, EVERY_MS);
	log_info("propagator", "listening http=%s",
	         addr_port_print(addr, http_admin_port(r->http), at));
	*out = r;
	return ERR_OK;
}

static void on_closed(uv_handle_t *timer) { free(timer); }

void report_stop(struct report *r)
{
	http_admin_stop(r->http);
	uv_close((uv_handle_t *)r->timer, on_closed);
	for (size_t i = 0; i < r->error_count; i++) {
		free(r->errors[i].where);
		free(r->errors[i].why);
	}
	text_fini(&r->status);
	text_fini(&r->metrics);
	pthread_mutex_destroy(&r->lock);
	free(r->leader);
	free(r);
}

void report_set_work(struct report *r, const struct work *work)
{
	if (r)
		r->work = work;
}

void report_set_webhook(struct report *r, const struct webhook *webhook) { r->webhook = webhook; }

void report_set_leading(struct report *r, bool leading)
{
	if (!r)
		return;
	r->leader_is_past = r->leading && !leading;
	r->leading = leading;
}

void report_set_leader(struct report *r, const char *identity)
{
	if (!r)
		return;
	free(r->leader);
	r->leader = xstrdup(identity);
	r->leader_is_past = false;
}

void report_set_seen(struct report *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->seen = true;
	pthread_mutex_unlock(&r->lock);
}

void report_set_error(struct report *r, const char *where, const char *why)
{
	size_t at = 0;

	if (!r)
		return;
	while (at < r->error_count && strcmp(r->errors[at].where, where) != 0)
		at++;
	if (at < r->error_count) {
		free(r->errors[at].where);
		free(r->errors[at].why);
		r->errors[at] = r->errors[--r->error_count];
	}
	if (why[0] != '\0' && r->error_count < ERRORS_MOST)
		r->errors[r->error_count++] =
			(struct error){xstrdup(where), xstrdup(why), clock_unix_s()};
}
