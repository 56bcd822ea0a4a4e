/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/apiserver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "kube/expiry.h"
#include "kube/keeper.h"
#include "kube/object.h"

enum {
	TICK_MS = 1000,
	PULSE_MS = 15000, /* is it there, does it still know us, are we still let see? */
	PULSE_REPLY_MS = 10000,
	GRACE_MS = 5000, /* to say whether it is ready */
	OBJECTS_MOST = 2000000,
	VERSION_MOST = 64,
	ANSWER_MOST = 64 * 1024
};

struct apiserver {
	uv_loop_t *loop;
	struct store *store;
	uint16_t cluster;
	enum cluster_source source;
	struct apiserver_settings settings;
	char *namespace;            /* of the settings */
	struct kube_keeper *keeper; /* of its credentials */
	struct kube_client *client;
	struct kube_backoff backoff;
	struct apiserver_kind_around around;
	struct apiserver_kind *kinds[APISERVER_HOST_KINDS];
	size_t kind_count; /* 0: not begun */

	uv_timer_t tick;
	uint64_t pulse_ms;
	struct kube_request *pulse;
	int pulse_status;
	struct buffer answer; /* of /version */
	char version[VERSION_MOST + 1];

	struct kube_request *ready; /* /readyz */
	int ready_status;
	uint64_t unsure_ms; /* since when some refusal has not been made sure of; 0: none is so */
	bool is_unready;    /* it says so itself */

	bool stopping;
	unsigned open;
	void (*on_stopped)(void *arg);
	void *stopped_arg;
};

/* --- what is known of the cluster --- */

struct summary {
	unsigned seen, pending, lost, unsure;
	const struct apiserver_kind *first_lost, *first_refused;
};

static bool is_refusal(enum kube_sight sight)
{
	return sight == KUBE_FORBIDDEN || sight == KUBE_ABSENT;
}

static void count_kind(const struct apiserver_kind *k, struct summary *s)
{
	enum kube_sight sight;
	const char *why;
	bool sighted = apiserver_kind_sight(k, &sight, &why);
	bool optional = apiserver_kind_type(k)->optional;

	if (!sighted) {
		s->pending++;
	} else if (sight == KUBE_SEEN) {
		s->seen++;
	} else if (is_refusal(sight) && (optional || !apiserver_kind_has_facts(k))) {
		s->unsure += !apiserver_kind_is_sure(k);
		if (!s->first_refused)
			s->first_refused = k;
	} else {
		s->lost++;
		if (!s->first_lost)
			s->first_lost = k;
	}
}

static struct summary summarise(const struct apiserver *a)
{
	struct summary s = {0};

	for (size_t i = 0; i < a->kind_count; i++)
		count_kind(a->kinds[i], &s);
	return s;
}

static void print_trouble(const struct apiserver_kind *k, struct text *out)
{
	enum kube_sight sight;
	const char *why;

	apiserver_kind_sight(k, &sight, &why);
	text_printf(out, "%s: %s%s", apiserver_kind_type(k)->resource.plural,
	            sight == KUBE_ABSENT ? "not installed any more: " : "", why);
}

/* Is there a kind that one is let see at all?  A host whose CRDs are not installed has none, and needs none. */
static bool is_blind(const struct apiserver *a, const struct summary *s)
{
	struct text forbidden = {0};
	bool blind;

	apiserver_print_kinds(a, KUBE_FORBIDDEN, &forbidden);
	blind = s->seen == 0 && s->pending == 0 && s->unsure == 0 && forbidden.len > 0;
	text_fini(&forbidden);
	return blind;
}

static void ask_whether_ready(struct apiserver *a);

static void note_refusals(struct apiserver *a, const struct summary *s)
{
	if (s->unsure == 0) {
		a->unsure_ms = 0;
		a->is_unready = false;
	} else if (a->unsure_ms == 0) {
		a->unsure_ms = clock_monotonic_ms();
		ask_whether_ready(a);
	}
}

static enum knowledge known_before(const struct apiserver *a)
{
	const struct cluster_state *state = facts_cluster(store_facts(a->store), a->cluster);

	return state->registered ? state->knowledge : KNOWLEDGE_NEVER;
}

static void tell_knowledge(struct apiserver *a)
{
	struct summary s = summarise(a);
	enum knowledge before = known_before(a), now = KNOWLEDGE_SYNCED;
	struct text why = {0};

	if (a->stopping || a->kind_count == 0)
		return;
	note_refusals(a, &s);
	if (s.lost > 0)
		print_trouble(s.first_lost, &why);
	else if (is_blind(a, &s))
		print_trouble(s.first_refused, &why);
	else if (a->is_unready)
		text_add(&why, "the server says that it is not ready");
	if (why.len > 0)
		now = before == KNOWLEDGE_NEVER ? KNOWLEDGE_NEVER : KNOWLEDGE_UNSEEN;
	else if (s.pending + s.unsure > 0)
		now = before; /* not yet another one */
	if (now != before || why.len > 0 || s.pending + s.unsure == 0)
		store_set_knowledge(a->store, a->cluster, a->source, now, why.data);
	text_fini(&why);
}

static void on_sight(void *arg) { tell_knowledge(arg); }

/* --- the server itself --- */

static uint64_t pulse_reply_ms(const struct apiserver *a)
{
	uint64_t reply_ms = a->settings.pace.reply_ms;

	return reply_ms > 0 && reply_ms < PULSE_REPLY_MS ? reply_ms : PULSE_REPLY_MS;
}

static void on_ready_status(int status, uint64_t retry_after_ms, void *arg)
{
	struct apiserver *a = arg;

	(void)retry_after_ms;
	a->ready_status = status;
}

/* What was refused before may have been so because it was not ready: those kinds are asked for once more. */
static void make_sure(struct apiserver *a)
{
	a->is_unready = false;
	for (size_t i = 0; i < a->kind_count; i++) {
		enum kube_sight sight;
		const char *why;

		if (apiserver_kind_sight(a->kinds[i], &sight, &why) && is_refusal(sight) &&
		    !apiserver_kind_is_sure(a->kinds[i]))
			apiserver_kind_make_sure(a->kinds[i]);
	}
}

static void on_ready_done(enum err err, const char *why, void *arg)
{
	struct apiserver *a = arg;

	(void)why;
	a->ready = NULL;
	if (err == ERR_OK && a->ready_status == 200) {
		make_sure(a);
	} else if (err == ERR_OK && (a->ready_status == 429 || a->ready_status >= 500)) {
		a->is_unready = true;
		a->unsure_ms = clock_monotonic_ms();
	}
	tell_knowledge(a);
}

/* 404 and 403 are what a server says, too, that has only just started. */
static void ask_whether_ready(struct apiserver *a)
{
	const struct kube_events events = {on_ready_status, NULL, on_ready_done, a};
	const struct kube_ask ask = {
		.path = "/readyz", .reply_ms = pulse_reply_ms(a), .silence_ms = pulse_reply_ms(a)};

	if (a->ready || a->unsure_ms == 0)
		return;
	a->ready_status = 0;
	a->ready = kube_client_ask(a->client, &ask, &events);
}

static void on_version_status(int status, uint64_t retry_after_ms, void *arg)
{
	struct apiserver *a = arg;

	(void)retry_after_ms;
	a->pulse_status = status;
}

static void on_version_body(struct bytes piece, void *arg)
{
	struct apiserver *a = arg;

	if (a->answer.len + piece.len <= ANSWER_MOST)
		buffer_put(&a->answer, piece.data, piece.len);
}

/* It can be any text, also one that was sent to it. */
static void read_version(struct apiserver *a)
{
	char *whole = xcalloc(1, a->answer.len + 1);

	object_read_version((struct bytes){a->answer.data, a->answer.len}, whole,
	                    a->answer.len + 1);
	/* Before it is cut: a part of a long credential is one, too. */
	if (kube_access_is_in(kube_keeper_access(a->keeper), bytes_of(whole)))
		whole[0] = '\0';
	(void)snprintf(a->version, sizeof(a->version), "%s", whole);
	free(whole);
}

static void begin_kinds(struct apiserver *a);

static void on_version_done(enum err err, const char *why, void *arg)
{
	struct apiserver *a = arg;

	(void)why;
	a->pulse = NULL;
	if (err == ERR_OK && a->pulse_status == 200)
		read_version(a);
	/* A watch is let go on with a token that is not good any more. */
	if (err == ERR_OK && a->pulse_status == 401 && a->kind_count > 0)
		kube_client_replace(a->client, "the server does not know the credential any more");
	begin_kinds(a);
}

static void ask_version(struct apiserver *a)
{
	const struct kube_events events = {on_version_status, on_version_body, on_version_done, a};
	const struct kube_ask ask = {
		.path = "/version", .reply_ms = pulse_reply_ms(a), .silence_ms = pulse_reply_ms(a)};

	if (a->pulse)
		return;
	a->pulse_ms = clock_monotonic_ms();
	a->pulse_status = 0;
	buffer_reset(&a->answer);
	a->pulse = kube_client_ask(a->client, &ask, &events);
}

/* --- kinds --- */

/* From Kubernetes 1.32 on, and what was built without a version (v0.0.0-master); whoever says so and does not is found
 * out (kube/watch.h). */
static bool offers_streaming_lists(const struct apiserver *a)
{
	unsigned major, minor;

	return sscanf(a->version, "v%u.%u", &major, &minor) == 2 && (major != 1 || minor >= 32);
}

static bool is_record(const struct apiserver_kind_type *type)
{
	return type->fact == FACT_SERVICE_DNS_RECORD || type->fact == FACT_INGRESS_DNS_RECORD;
}

static void begin_kinds(struct apiserver *a)
{
	const struct kube_watch_settings settings = {
		.namespace = a->settings.namespace,
		.streaming_list = offers_streaming_lists(a),
		.silence_ms = a->settings.pace.silence_ms,
		.reply_ms = a->settings.pace.reply_ms,
		.object_most = a->settings.pace.object_most,
		.objects_most = OBJECTS_MOST,
	};
	bool is_host = a->cluster == FACTS_HOST;
	const struct apiserver_kind_type *types =
		is_host ? apiserver_host_kinds : apiserver_member_kinds;
	size_t count = is_host ? APISERVER_HOST_KINDS : APISERVER_MEMBER_KINDS;

	if (a->kind_count > 0 || a->stopping)
		return;
	for (size_t i = 0; i < count; i++)
		if (!a->settings.only_sites || !is_record(&types[i]))
			a->kinds[a->kind_count++] =
				apiserver_kind_start(&a->around, &types[i], &settings);
}

/* --- credentials --- */

static void use_access(struct apiserver *a)
{
	kube_client_set_access(a->client, kube_keeper_access(a->keeper));
	for (size_t i = 0; i < a->kind_count; i++)
		apiserver_kind_hurry(a->kinds[i]);
}

/* `why` NULL: nothing is wrong with them. */
static void tell_credentials(struct apiserver *a, const char *why)
{
	struct text where = {0};

	text_printf(&where, "%s: credentials", store_shown_name(a->store, a->cluster));
	store_set_error(a->store, where.data, why);
	text_fini(&where);
}

static void on_access(void *arg)
{
	struct apiserver *a = arg;

	use_access(a);
	/* Before a plugin has given something nothing was asked. */
	if (kube_keeper_access(a->keeper)->exec.command)
		ask_version(a);
}

static void on_trouble(const char *why, void *arg) { tell_credentials(arg, why); }

/* --- life --- */

static void on_tick(uv_timer_t *timer)
{
	struct apiserver *a = timer->data;
	uint64_t now_ms = clock_monotonic_ms();

	kube_keeper_tick(a->keeper, kube_client_counts(a->client).unauthorized);
	if (now_ms - a->pulse_ms >= PULSE_MS) {
		ask_version(a);
		for (size_t i = 0; i < a->kind_count; i++)
			apiserver_kind_check_right(a->kinds[i]);
	}
	/* One that does not say whether it is ready, or may not be asked. */
	if (a->unsure_ms > 0 && now_ms - a->unsure_ms >= GRACE_MS)
		make_sure(a);
	else
		ask_whether_ready(a);
}

struct apiserver *apiserver_start(uv_loop_t *loop, struct store *store,
                                  const struct apiserver_settings *settings)
{
	struct apiserver *a = xcalloc(1, sizeof(*a));

	a->loop = loop;
	a->store = store;
	a->cluster = settings->cluster;
	a->source = settings->source;
	a->settings = *settings;
	a->settings.access = NULL;
	a->namespace = settings->namespace ? xstrdup(settings->namespace) : NULL;
	a->settings.namespace = a->namespace;
	a->backoff.cap_ms = settings->pace.backoff_ms;
	a->client = kube_client_new(loop, settings->access);
	a->keeper = kube_keeper_new(loop, settings->access,
	                            &(struct kube_keeper_events){on_access, on_trouble, a});
	a->around = (struct apiserver_kind_around){
		loop,     a->client,  &a->backoff,
		store,    a->cluster, a->settings.objects.on_object ? &a->settings.objects : NULL,
		on_sight, a};
	a->tick.data = a;
	CHECK(uv_timer_init(loop, &a->tick) == 0);
	CHECK(uv_timer_start(&a->tick, on_tick, TICK_MS, TICK_MS) == 0);
	if (!settings->access->exec.command)
		ask_version(a);
	return a;
}

static void closed_one(void *arg)
{
	struct apiserver *a = arg;
	void (*on_stopped)(void *arg) = a->on_stopped;
	void *stopped_arg = a->stopped_arg;

	if (--a->open > 0)
		return;
	buffer_fini(&a->answer);
	free(a->namespace);
	free(a);
	if (on_stopped)
		on_stopped(stopped_arg);
}

static void on_tick_closed(uv_handle_t *handle) { closed_one(handle->data); }

void apiserver_stop(struct apiserver *a, void (*on_stopped)(void *arg), void *arg)
{
	a->stopping = true;
	a->on_stopped = on_stopped;
	a->stopped_arg = arg;
	a->open = 2;
	for (size_t i = 0; i < a->kind_count; i++)
		apiserver_kind_stop(a->kinds[i]);
	kube_keeper_free(a->keeper);
	tell_credentials(a, NULL);
	kube_client_stop(a->client, closed_one, a);
	uv_close((uv_handle_t *)&a->tick, on_tick_closed);
}

static bool same_text(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

bool apiserver_is_elsewhere(const struct kube_access *a, const struct kube_access *b)
{
	return !same_text(a->server, b->server) || !same_text(a->server_name, b->server_name) ||
	       !same_text(a->proxy, b->proxy) || !same_text(a->ca, b->ca);
}

/* Another server knows nothing of the versions of this one. */
bool apiserver_relist(struct apiserver *a, enum fact_kind kind)
{
	for (size_t i = 0; i < a->kind_count; i++)
		if (apiserver_kind_type(a->kinds[i])->fact == kind)
			return apiserver_kind_relist(a->kinds[i]);
	return false;
}

void apiserver_set_access(struct apiserver *a, const struct kube_access *access)
{
	bool elsewhere = apiserver_is_elsewhere(kube_keeper_access(a->keeper), access);

	kube_keeper_set_access(a->keeper, access);
	use_access(a);
	for (size_t i = 0; elsewhere && i < a->kind_count; i++)
		apiserver_kind_restart(a->kinds[i]);
}

struct kube_client *apiserver_client(struct apiserver *a) { return a->client; }

struct kube_backoff *apiserver_backoff(struct apiserver *a) { return &a->backoff; }

/* --- reports --- */

void apiserver_report(const struct apiserver *a, struct apiserver_report *out)
{
	int64_t expires = 0, by_plugin = kube_keeper_expires_at(a->keeper);

	*out = (struct apiserver_report){.version = a->version,
	                                 .wire = kube_client_counts(a->client)};
	if (kube_expiry(kube_keeper_access(a->keeper), &expires))
		out->expires = expires;
	if (by_plugin > 0 && (out->expires == 0 || by_plugin < out->expires))
		out->expires = by_plugin;
	for (size_t i = 0; i < a->kind_count; i++)
		apiserver_kind_count(a->kinds[i], &out->watch);
}

void apiserver_print_kinds(const struct apiserver *a, enum kube_sight sight, struct text *out)
{
	for (size_t i = 0; i < a->kind_count; i++) {
		const struct kube_resource *r = &apiserver_kind_type(a->kinds[i])->resource;
		enum kube_sight is;
		const char *why;

		if (!apiserver_kind_sight(a->kinds[i], &is, &why) || is != sight)
			continue;
		text_printf(out, "%s%s%s%s", out->len > 0 ? ", " : "", r->plural,
		            r->group[0] != '\0' ? "." : "", r->group);
	}
}
