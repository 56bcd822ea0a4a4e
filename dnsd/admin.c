/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http_admin.h"
#include "base/xalloc.h"
#include "dnsd/admin_parts.h"
#include "dnsd/explain.h"

enum {
	LOOP_STUCK_MS = 10000, /* a control loop silent for longer does not turn */
	COUNT_SHARE = 20,      /* counting may take one twentieth of the time */
	NAMES_LIMIT = 100,
	NAMES_LIMIT_MOST = 1000,
	RECORDS_LIMIT_MOST = 100000
};

struct admin {
	struct admin_settings settings;
	struct http_admin *http;
	struct reader *reader;
	int64_t started_s;
	uint64_t started_ms;
	struct { /* HTTP thread */
		struct admin_count is;
		uint64_t updates; /* counted at this publication; UINT64_MAX: never */
		uint64_t at_ms, took_ms;
	} counted;
};

const double admin_update_bounds[ADMIN_UPDATE_BOUNDS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                         0.05,   0.1,   0.25,   1,     5};

void admin_count_update(struct admin_pulse *pulse, uint64_t latency_us)
{
	size_t cell = 0;

	while (cell < ADMIN_UPDATE_BOUNDS && (double)latency_us > admin_update_bounds[cell] * 1e6)
		cell++;
	atomic_fetch_add_explicit(&pulse->update_us[cell], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&pulse->update_us_sum, latency_us, memory_order_relaxed);
	atomic_fetch_add_explicit(&pulse->updates, 1, memory_order_relaxed);
}

/* --- alive, ready, healthy --- */

enum check { CHECK_LOOP = 1, CHECK_SNAPSHOT = 2, CHECK_SOURCES = 4 };

/* NULL: fine. */
static const char *fault_of(const struct admin *a, enum check check, const struct snapshot *s)
{
	uint64_t turned_ms = a->settings.pulse->turned_ms, now_ms = clock_monotonic_ms();

	switch (check) {
	case CHECK_LOOP:
		if (turned_ms < a->started_ms)
			turned_ms = a->started_ms;
		return now_ms < turned_ms + LOOP_STUCK_MS ? NULL : "the control loop does not turn";
	case CHECK_SNAPSHOT:
		return s ? NULL : "nothing is published yet";
	case CHECK_SOURCES:
		return s && snapshot_settings(s)->ready
		               ? NULL
		               : "not every source is read or restored yet";
	}
	return NULL;
}

static unsigned tell_checks(const struct http_request *r, struct admin *a, unsigned checks,
                            struct text *body, const char **content_type)
{
	static const char *const names[] = {"loop", "snapshot", "sources"};
	const struct snapshot *s = reader_take(a->reader);
	struct text lines = {0};
	bool good = true;

	for (unsigned i = 0; i < 3; i++) {
		const char *fault = checks & 1U << i ? fault_of(a, (enum check)(1U << i), s) : NULL;

		if (fault)
			text_printf(&lines, "[-]%s %s\n", names[i], fault);
		else if (checks & 1U << i)
			text_printf(&lines, "[+]%s ok\n", names[i]);
		good = good && !fault;
	}
	reader_rest(a->reader);
	*content_type = "text/plain; charset=utf-8";
	if (!good || http_request_arg(r, "verbose"))
		text_add(body, lines.data);
	else
		text_add(body, "ok\n");
	text_fini(&lines);
	return good ? 200 : 503;
}

static unsigned on_livez(const struct http_request *r, void *arg, struct text *body,
                         const char **content_type)
{
	return tell_checks(r, arg, CHECK_LOOP, body, content_type);
}

static unsigned on_readyz(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	return tell_checks(r, arg, CHECK_SNAPSHOT | CHECK_SOURCES, body, content_type);
}

static unsigned on_healthz(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	return tell_checks(r, arg, CHECK_LOOP | CHECK_SNAPSHOT | CHECK_SOURCES, body, content_type);
}

/* --- pages made from a snapshot --- */

/* False: nothing is published yet; else view_end() must follow. */
static bool view_begin(struct admin *a, struct admin_view *view)
{
	struct stats *sum;

	*view = (struct admin_view){
		.snapshot = reader_take(a->reader),
		.pulse = a->settings.pulse,
		.server = a->settings.server,
		.probes = a->settings.probes,
		.replicas = a->settings.replicas,
		.http = a->settings.addr,
		.http_port = http_admin_port(a->http),
		.started_s = a->started_s,
		.now_s = clock_unix_s(),
		.now_ms = clock_monotonic_ms(),
	};
	if (!view->snapshot) {
		reader_rest(a->reader);
		return false;
	}
	if (a->settings.notes)
		view->notes = cluster_notes_take(a->settings.notes);
	sum = stats_new();
	if (view->server)
		server_stats(view->server, sum);
	view->stats = sum;
	return true;
}

static void view_end(struct admin *a, struct admin_view *view)
{
	union {
		const struct stats *frozen;
		void *owned;
	} stats = {view->stats};

	reader_rest(a->reader);
	if (view->notes)
		cluster_notes_release(a->settings.notes, view->notes);
	free(stats.owned);
}

static unsigned not_published(struct text *body)
{
	return http_error(body, 503, "nothing is published yet");
}

/* Counting walks all names: once a publication, and for a large zone not at every one. */
static const struct admin_count *count(struct admin *a, const struct admin_view *view)
{
	uint64_t updates = a->settings.pulse->updates, begun_ms = view->now_ms;

	if (a->counted.updates == updates ||
	    begun_ms < a->counted.at_ms + COUNT_SHARE * a->counted.took_ms)
		return &a->counted.is;
	admin_count(view->snapshot, &a->counted.is);
	a->counted.updates = updates;
	a->counted.at_ms = begun_ms;
	a->counted.took_ms = clock_monotonic_ms() - begun_ms;
	return &a->counted.is;
}

static unsigned on_status(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	struct admin_view view;

	(void)r;
	(void)content_type;
	if (!view_begin(arg, &view))
		return not_published(body);
	view.count = count(arg, &view);
	admin_print_status(&view, body);
	view_end(arg, &view);
	return 200;
}

static unsigned on_metrics(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	struct admin *a = arg;
	struct admin_view view;

	(void)r;
	if (!view_begin(a, &view))
		return not_published(body);
	*content_type = "text/plain; version=0.0.4; charset=utf-8";
	admin_print_metrics(&view, body);
	view_end(a, &view);
	return 200;
}

static unsigned tell_names(const struct http_request *r, struct admin *a, bool as_records,
                           struct text *body)
{
	const char *limit = http_request_arg(r, "limit");
	uint64_t most = as_records ? RECORDS_LIMIT_MOST : NAMES_LIMIT_MOST, count = NAMES_LIMIT;
	struct admin_names asked = {
		.zone = http_request_arg(r, "zone"),
		.prefix = http_request_arg(r, "prefix"),
		.from = http_request_arg(r, "continue"),
		.as_records = as_records,
	};
	struct admin_view view;
	struct reason why = {0};
	enum err err;

	if (limit && (!text_to_u64(bytes_of(limit), most, &count) || count == 0))
		return http_error(body, 400, "limit must be 1 to %" PRIu64, most);
	asked.limit = (size_t)count;
	if (!view_begin(a, &view))
		return not_published(body);
	err = admin_print_names(&view, &asked, body, &why);
	view_end(a, &view);
	if (err)
		return http_error(body, err == ERR_NOTFOUND ? 404 : 400, "%s", why.text);
	return 200;
}

static unsigned on_names(const struct http_request *r, void *arg, struct text *body,
                         const char **content_type)
{
	(void)content_type;
	return tell_names(r, arg, false, body);
}

static unsigned on_records(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	const char *zone = http_request_arg(r, "zone");

	(void)content_type;
	if (!zone || !*zone)
		return http_error(body, 400, "zone is missing: /status/records?zone=ZONE");
	return tell_names(r, arg, true, body);
}

static enum err explain(struct admin *a, const struct snapshot *s,
                        const struct explain_request *asked, struct text *body, struct reason *why)
{
	struct explain_request placed = *asked;
	struct explain_place place = {.database = ""};
	struct addr decides;
	enum err err = explain_address(s, asked, &decides, why);

	if (err)
		return err;
	placed.place = &place;
	if (a->settings.find_place && !a->settings.find_place(&decides, a->settings.arg, &place))
		place = (struct explain_place){.database = ""};
	return explain_print(s, &placed, body, why);
}

static unsigned on_explain(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	struct admin *a = arg;
	struct explain_request asked = {
		.name = http_request_arg(r, "name"),
		.type = http_request_arg(r, "type"),
		.client = http_request_arg(r, "client"),
		.resolver = http_request_arg(r, "resolver"),
		.probes = a->settings.probes,
		.now_ms = clock_monotonic_ms(),
	};
	const struct snapshot *s;
	struct reason why = {0};
	enum err err;

	(void)content_type;
	if (!asked.name || !*asked.name)
		return http_error(body, 400, "name is missing: /explain?name=NAME");
	s = reader_take(a->reader);
	if (!s) {
		reader_rest(a->reader);
		return not_published(body);
	}
	err = explain(a, s, &asked, body, &why);
	reader_rest(a->reader);
	return err ? http_error(body, 400, "%s", why.text) : 200;
}

/* --- orders --- */

#define FROM_OUTSIDE "orders are taken only from the server's own machine"

static unsigned tell_refusal(enum err err, const struct reason *why, struct text *body)
{
	return http_error(body,
	                  err == ERR_NOTFOUND  ? 404
	                  : err == ERR_TIMEOUT ? 504
	                                       : 409,
	                  "%s", *why->text ? why->text : err_text(err));
}

/* 200: it was obeyed, and the body begins with the zone, if one was named; else the error is in it. */
static unsigned give_order(const struct http_request *r, struct admin *a, enum order order,
                           uint64_t *result, struct text *body)
{
	struct order_about about = {.name = http_request_arg(r, "zone")};
	struct reason why = {0};
	enum err err;

	if (!r->loopback)
		return http_error(body, 403, FROM_OUTSIDE);
	if (order == ORDER_NOTIFY && !about.name)
		about.name = ORDERS_ALL_ZONES;
	else if (!about.name || !*about.name)
		return http_error(body, 400, "zone is missing: %s?zone=ZONE", r->path);
	err = a->settings.order(order, &about, a->settings.arg, result, &why);
	if (err)
		return tell_refusal(err, &why, body);
	text_add(body, "{");
	if (*about.name) {
		text_add(body, "\"zone\":");
		text_add_json(body, bytes_of(about.name));
		text_add(body, ",");
	}
	return 200;
}

/* NULL: it is not there, or empty. */
static const char *argument(const struct http_request *r, const char *name)
{
	const char *text = http_request_arg(r, name);

	return text && *text ? text : NULL;
}

static unsigned on_failback(const struct http_request *r, void *arg, struct text *body,
                            const char **content_type)
{
	struct admin *a = arg;
	struct order_about about = {argument(r, "name"), argument(r, "cluster"),
	                            argument(r, "policy")};
	struct reason why = {0};
	uint64_t count;
	enum err err;

	(void)content_type;
	if (!r->loopback)
		return http_error(body, 403, FROM_OUTSIDE);
	if (!about.name && !about.cluster && !about.policy)
		return http_error(
			body, 400,
			"who is let back? %s?name=NAME, cluster= or policy=NAMESPACE/NAME",
			r->path);
	err = a->settings.order(ORDER_FAILBACK, &about, a->settings.arg, &count, &why);
	if (err)
		return tell_refusal(err, &why, body);
	text_add(body, "{");
	if (about.name) {
		text_add(body, "\"name\":");
		text_add_json(body, bytes_of(about.name));
		text_add(body, ",");
	}
	text_printf(body, "\"sites\":%" PRIu64 "}\n", count);
	return 200;
}

static unsigned on_release(const struct http_request *r, void *arg, struct text *body,
                           const char **content_type)
{
	uint64_t unused;
	unsigned status = give_order(r, arg, ORDER_RELEASE, &unused, body);

	(void)content_type;
	if (status == 200)
		text_add(body, "\"released\":true}\n");
	return status;
}

static unsigned on_reload(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	uint64_t reading;
	unsigned status = give_order(r, arg, ORDER_RELOAD, &reading, body);

	(void)content_type;
	if (status == 200)
		text_printf(body, "\"reading\":%" PRIu64 "}\n", reading);
	return status;
}

static unsigned on_notify(const struct http_request *r, void *arg, struct text *body,
                          const char **content_type)
{
	uint64_t count;
	unsigned status = give_order(r, arg, ORDER_NOTIFY, &count, body);

	(void)content_type;
	if (status == 200)
		text_printf(body, "\"secondaries\":%" PRIu64 "}\n", count);
	return status;
}

/* --- the list of pages --- */

static unsigned on_index(const struct http_request *r, void *arg, struct text *body,
                         const char **content_type)
{
	(void)arg;
	if (strcmp(r->path, "/") != 0)
		return http_error(body, 404, "no such path");
	*content_type = "text/plain; charset=utf-8";
	text_add(
		body,
		"nighd\n\n"
		"/livez                 the control loop turns\n"
		"/readyz                every source is read or restored\n"
		"/healthz?verbose       both, line by line\n"
		"/status                clusters, zones, errors\n"
		"/status/names          names and their sites: zone= prefix= limit= continue=\n"
		"/status/records        a zone as a master file: zone= prefix= limit= continue=\n"
		"/explain?name=NAME     why a client gets its answer: type= client= resolver=\n"
		"/metrics               counters for Prometheus\n\n"
		"POST, from this machine only:\n"
		"/guard/release?zone=ZONE   lets held names go\n"
		"/failback?name=NAME        lets sites back that wait: cluster= policy=\n"
		"/zone/reload?zone=ZONE     reads the zone's file now\n"
		"/zone/notify?zone=ZONE     tells the zone's secondaries now; without zone, all\n");
	return 200;
}

static const struct http_route routes[] = {
	{"GET", "/livez", on_livez},
	{"GET", "/readyz", on_readyz},
	{"GET", "/healthz", on_healthz},
	{"GET", "/metrics", on_metrics},
	{"GET", "/status", on_status},
	{"GET", "/status/names", on_names},
	{"GET", "/status/records", on_records},
	{"GET", "/explain", on_explain},
	{"POST", "/guard/release", on_release},
	{"POST", "/failback", on_failback},
	{"POST", "/zone/reload", on_reload},
	{"POST", "/zone/notify", on_notify},
	{"GET", "/", on_index},
	{NULL, NULL, NULL},
};

/* --- life --- */

enum err admin_start(const struct admin_settings *settings, struct admin **out, struct reason *why)
{
	struct admin *a = xcalloc(1, sizeof(*a));
	enum err err = ERR_OK;

	a->settings = *settings;
	a->started_s = clock_unix_s();
	a->started_ms = clock_monotonic_ms();
	a->counted.updates = UINT64_MAX;
	a->reader = handover_join(settings->handover);
	if (!a->reader)
		err = reason_set(why, ERR_NOSPACE, "no place left for another reader of snapshots");
	else if (settings->has_listener)
		err = http_admin_start_on(settings->take_listener, routes, a, &a->http, why);
	else
		err = http_admin_start(&settings->addr, settings->port, routes, a, &a->http, why);
	if (err == ERR_OK) {
		*out = a;
		return ERR_OK;
	}
	if (a->reader)
		handover_leave(a->reader);
	free(a);
	return err;
}

uint16_t admin_port(const struct admin *a) { return http_admin_port(a->http); }

int admin_listener(const struct admin *a) { return http_admin_listener(a->http); }

void admin_retire(struct admin *a) { http_admin_retire(a->http); }

bool admin_is_idle(const struct admin *a) { return http_admin_is_idle(a->http); }

void admin_stop(struct admin *a)
{
	if (!a)
		return;
	http_admin_stop(a->http);
	handover_leave(a->reader);
	admin_count_fini(&a->counted.is);
	free(a);
}
