/* main.c -- nigh-propagator: the flags, the host cluster, the Lease, and who works when. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "kube/keeper.h"
#include "kube/kubeconfig.h"
#include "kube/lease.h"
#include "propagator/cache.h"
#include "propagator/flags.h"
#include "propagator/kubefed_lock.h"
#include "propagator/report.h"
#include "propagator/webhook.h"
#include "propagator/work.h"

enum { EXIT_FAILED = 1, TICK_MS = 1000, RELEASE_MS = 2000, BACKOFF_MOST_MS = 30000 };

/* The name of KubeFed's own, so that a manager of KubeFed that knows Leases and this never work at once. */
#define LEASE "kubefed-controller-manager"
/* Others know of no Lease; looked at so often while none of them works: for so long both may write when one begins. */
enum { KUBEFED_CALM_MS = 5000 };

struct program {
	uv_loop_t loop;
	struct flags flags;
	struct kube_keeper *keeper; /* of the host's credentials */
	struct kube_client *host, *lease_client;
	struct kube_backoff backoff;
	struct cache *config; /* the KubeFedConfig */
	struct settings settings;
	bool is_configured;           /* a KubeFedConfig has said them */
	bool whole_cluster;           /* the work has been started for it, not for one namespace */
	struct kubefed_lock *kubefed; /* NULL: it need not be known yet */
	bool kubefed_works;           /* its manager, here and now */
	struct kube_lease *lease;     /* NULL: it is not wanted */
	bool yields, gives_back; /* to KubeFed, until the Lease is given back; this is under way */
	struct dispatch_term term;
	struct work *work;     /* NULL: another leads */
	bool work_ends, again; /* it is being stopped; it is to be started again then */
	struct report *report;
	/* With the host, as it was told last: with what is read, with the Lease. */
	struct text trouble[2];
	uv_timer_t tick;
	struct webhook *webhook; /* NULL: none is served */
	uv_signal_t terminate, interrupt;
	bool ending;
};

/* --- what is difficult --- */

enum trouble { OF_READING, OF_LEASE };

/* Once for each change; "": nothing is. */
static void tell_trouble(struct program *p, enum trouble which, const char *what)
{
	static const char *const where[] = {"host cluster", "leader election"};
	struct text *told = &p->trouble[which];

	if (strcmp(told->len > 0 ? told->data : "", what) == 0)
		return;
	text_reset(told);
	text_add(told, what);
	report_set_error(p->report, where[which], what);
	if (what[0] != '\0')
		log_warn("propagator", "%s: %s", where[which], what);
	else
		log_info("propagator", "%s: all is well again", where[which]);
}

/* A Lease that others write now and then needs a second try; what lasts is told. */
static void look_at_lease(struct program *p)
{
	const char *trouble = p->lease && !p->gives_back && !kube_lease_is_held(p->lease)
	                              ? kube_lease_trouble(p->lease)
	                              : "";

	tell_trouble(p, OF_LEASE, trouble);
}

/* --- who works --- */

static uint64_t epoch_of(void *arg)
{
	const struct program *p = arg;

	return p->lease && kube_lease_is_held(p->lease) ? kube_lease_epoch(p->lease) : 0;
}

/* Members may be at loopback addresses where the host is, too: it is all on one machine then. */
static bool is_loopback(const char *server)
{
	const char *host = strstr(server, "://");

	host = host ? host + 3 : server;
	return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
	       strncmp(host, "localhost", 9) == 0;
}

static void begin_work(struct program *p)
{
	const struct work_settings settings = {
		.loop = &p->loop,
		.host = p->host,
		.backoff = &p->backoff,
		.options = &p->flags.options,
		.term = &p->term,
		.settings = &p->settings,
		.allow_loopback = is_loopback(kube_keeper_access(p->keeper)->server),
	};

	if (p->work_ends) {
		p->again = true;
		return;
	}
	p->whole_cluster = p->settings.cluster_scope;
	p->work = work_start(&settings);
	report_set_work(p->report, p->work);
}

static void go_on_ending(struct program *p);
static void give_back(struct program *p);

static void on_work_stopped(void *arg)
{
	struct program *p = arg;

	p->work_ends = false;
	p->work = NULL;
	if (p->ending)
		go_on_ending(p);
	else if (p->yields)
		give_back(p);
	else if (p->again)
		begin_work(p);
	p->again = false;
}

static void end_work(struct program *p, bool again)
{
	struct work *work = p->work;

	p->again = again;
	if (!work || p->work_ends)
		return;
	report_set_work(p->report, NULL);
	p->work_ends = true;
	work_stop(work, on_work_stopped, p);
}

static void on_leading(uint64_t epoch, void *arg)
{
	struct program *p = arg;

	log_info("propagator", "leading epoch=%llu", (unsigned long long)epoch);
	report_set_leading(p->report, true);
	begin_work(p);
}

static void on_lost(const char *why, void *arg)
{
	struct program *p = arg;

	log_warn("propagator", "leading no more: %s", why);
	report_set_leading(p->report, false);
	end_work(p, false);
}

static void on_leader(const char *identity, void *arg)
{
	struct program *p = arg;

	log_info("propagator", "the leader is %s", identity[0] != '\0' ? identity : "nobody");
	report_set_leader(p->report, identity);
}

/* --- the Lease --- */

static void begin_lease(struct program *p)
{
	char *identity = kube_lease_identity();
	const struct kube_lease_settings settings = {
		.namespace = p->flags.options.namespace,
		.name = LEASE,
		.identity = identity,
		.lease_ms = p->settings.lease_duration_ms,
		.renew_ms = p->settings.renew_deadline_ms,
		.retry_ms = p->settings.retry_period_ms,
	};
	const struct kube_lease_events events = {on_leading, on_lost, on_leader, p};

	if (!p->lease && !p->ending && !p->kubefed_works)
		p->lease = kube_lease_start(&p->loop, p->lease_client, &settings, &events);
	free(identity);
}

static void finish(struct program *p);

static void on_given_back(void *arg)
{
	struct program *p = arg;

	p->lease = NULL;
	p->yields = p->gives_back = false;
	if (p->ending)
		finish(p);
	else
		begin_lease(p);
}

/* When nothing is written by it any more. */
static void give_back(struct program *p)
{
	if (!p->lease || p->gives_back)
		return;
	p->gives_back = true;
	kube_lease_stop(p->lease, RELEASE_MS, on_given_back, p);
}

/* --- KubeFed's manager --- */

/* Neither leads nor wants to: KubeFed's manager does the work. */
static void yield_to_kubefed(struct program *p)
{
	if (!p->lease || p->yields)
		return;
	p->yields = true;
	report_set_leading(p->report, false);
	report_set_leader(p->report, "");
	if (p->work)
		end_work(p, false);
	else
		give_back(p);
}

/* KubeFed's manager and this must not work at once (docs/decisions/0020).  It knows nothing of the Lease, so it is waited for, also
 * when it begins later. */
static void on_kubefed(const char *holder, void *arg)
{
	struct program *p = arg;
	struct text what = {0};

	p->kubefed_works = holder[0] != '\0';
	if (!p->kubefed_works) {
		log_info("propagator", "KubeFed: no manager of it works on this host");
		report_set_error(p->report, "KubeFed", "");
		begin_lease(p);
		return;
	}
	text_printf(&what, "its manager %s works on this host: nothing is done until it is stopped",
	            holder);
	log_warn("propagator", "KubeFed: %s", what.data);
	report_set_error(p->report, "KubeFed", what.data);
	text_fini(&what);
	yield_to_kubefed(p);
}

static void watch_kubefed(struct program *p)
{
	const struct kubefed_lock_settings settings = {
		.namespace = p->flags.options.namespace,
		.name = LEASE,
		.lease_ms = p->settings.lease_duration_ms,
		.retry_ms = p->settings.retry_period_ms,
		.calm_ms = KUBEFED_CALM_MS,
	};

	if (!p->kubefed && !p->ending)
		p->kubefed =
			kubefed_lock_start(&p->loop, p->lease_client, &settings, on_kubefed, p);
}

/* --- the KubeFedConfig --- */

static void *keep_config(struct json_object *object, void *arg)
{
	struct program *p = arg;
	struct settings settings = p->settings;
	struct reason why = {0};

	if (settings_read(object, &settings, &why) == ERR_OK) {
		p->settings = settings;
		p->is_configured = true;
	} else {
		log_warn("propagator", "KubeFedConfig %s: %s; %s", KUBEFED_CONFIG, why.text,
		         p->is_configured ? "the last good settings stay" : "nothing is done");
	}
	report_set_error(p->report, "KubeFedConfig " KUBEFED_CONFIG, why.text);
	return xcalloc(1, 1);
}

/* By another scope than theirs all members would be emptied: nothing is begun by settings that nobody has said while there are
 * some that cannot be read. */
static void try_to_lead(struct program *p)
{
	if (cache_is_settled(p->config) && (p->is_configured || cache_count(p->config) == 0))
		watch_kubefed(p);
}

/* One that is gone has not said that all is to be otherwise: its settings stay, as KubeFed's manager kept them. */
static void on_config(const char *key, void *arg)
{
	struct program *p = arg;

	if (!cache_find(p->config, key)) {
		log_warn("propagator", "KubeFedConfig %s is gone; its settings stay",
		         KUBEFED_CONFIG);
		report_set_error(p->report, "KubeFedConfig " KUBEFED_CONFIG, "");
	}
	try_to_lead(p);
	if (p->lease && !p->gives_back)
		kube_lease_set_times(p->lease, p->settings.lease_duration_ms,
		                     p->settings.renew_deadline_ms, p->settings.retry_period_ms);
	if (!p->work || p->work_ends)
		return;
	if (p->settings.cluster_scope == p->whole_cluster)
		work_on_settings(p->work);
	else
		end_work(p, true); /* what is watched is something else now */
}

static void look_at_host(struct program *p)
{
	struct text what = {0};
	enum kube_sight sight;
	const char *why;

	text_add(&what, "");
	if (!cache_is_seen(p->config, &sight, &why)) {
		text_printf(&what, "its KubeFedConfigs cannot be read: %s", why);
		if (sight == KUBE_FORBIDDEN)
			text_add(&what, " (deploy/kubernetes/propagator has what it must be "
			                "allowed)");
		if (sight == KUBE_ABSENT)
			text_add(&what, " (is it the host? it has the kinds of "
			                "deploy/crds/federation)");
	}
	tell_trouble(p, OF_READING, what.data);
	text_fini(&what);
}

static void on_config_sight(void *arg)
{
	struct program *p = arg;

	if (!p->config)
		return;
	look_at_host(p);
	if (cache_is_settled(p->config)) {
		report_set_seen(p->report);
		try_to_lead(p);
	}
}

static void watch_config(struct program *p)
{
	const struct cache_settings settings = {
		.watch = {.resource = {"core.kubefed.io", "v1beta1", "kubefedconfigs",
	                               "KubeFedConfig"},
	                  .namespace = p->flags.options.namespace,
	                  .name = KUBEFED_CONFIG,
	                  .objects_most = 1000},
		.keep = keep_config,
		.let_go = free,
		.on_change = on_config,
		.on_sight = on_config_sight,
		.arg = p,
	};

	p->config = cache_start(&p->loop, p->host, &p->backoff, &settings);
}

/* --- credentials of the host --- */

static void on_access(void *arg)
{
	struct program *p = arg;

	kube_client_set_access(p->host, kube_keeper_access(p->keeper));
	kube_client_set_access(p->lease_client, kube_keeper_access(p->keeper));
	if (p->config)
		cache_hurry(p->config);
	else if (!p->ending)
		watch_config(p); /* a plugin has given the first one */
}

static void on_trouble(const char *why, void *arg)
{
	struct program *p = arg;

	report_set_error(p->report, "host cluster: credentials", why ? why : "");
	if (why)
		log_warn("propagator", "host cluster: credentials: %s", why);
}

static void on_tick(uv_timer_t *timer)
{
	struct program *p = timer->data;

	look_at_lease(p);
	kube_keeper_tick(p->keeper, kube_client_counts(p->host).unauthorized +
	                                    kube_client_counts(p->lease_client).unauthorized);
	if (p->work)
		work_tick(p->work);
}

static enum err read_access(const struct program *p, struct kube_access *out, struct reason *why)
{
	const struct options *o = &p->flags.options;

	if (o->in_cluster)
		return kubeconfig_in_cluster(out, why);
	return kubeconfig_read(o->kubeconfig, o->context, out, why);
}

/* --- the end --- */

static void on_gone(void *arg) { (void)arg; }

static void finish(struct program *p)
{
	text_fini(&p->trouble[OF_READING]);
	text_fini(&p->trouble[OF_LEASE]);
	kube_keeper_free(p->keeper);
	kube_client_stop(p->lease_client, on_gone, p);
	kube_client_stop(p->host, on_gone, p);
}

static void go_on_ending(struct program *p)
{
	cache_stop(p->config);
	p->config = NULL;
	if (p->lease)
		give_back(p);
	else
		finish(p);
}

static void on_terminate(uv_signal_t *handle, int signum)
{
	struct program *p = handle->data;

	if (p->ending)
		return;
	p->ending = true;
	log_info("propagator", "ending signal=%d", signum);
	uv_close((uv_handle_t *)&p->tick, NULL);
	uv_close((uv_handle_t *)&p->terminate, NULL);
	uv_close((uv_handle_t *)&p->interrupt, NULL);
	report_stop(p->report);
	p->report = NULL;
	webhook_stop(p->webhook);
	p->webhook = NULL;
	kubefed_lock_stop(p->kubefed);
	p->kubefed = NULL;
	if (p->work)
		end_work(p, false);
	else
		go_on_ending(p);
}

static void watch_signal(struct program *p, uv_signal_t *handle, int signum)
{
	CHECK(uv_signal_init(&p->loop, handle) == 0);
	handle->data = p;
	CHECK(uv_signal_start(handle, on_terminate, signum) == 0);
}

/* --- the beginning --- */

static struct webhook_settings webhook_settings(const struct options *o)
{
	return (struct webhook_settings){o->webhook.addr, o->webhook.port, o->certificate, o->key};
}

static enum err start_webhook(struct program *p, struct reason *why)
{
	const struct webhook_settings settings = webhook_settings(&p->flags.options);
	char at[ADDR_PORT_TEXT_SIZE];
	enum err err;

	if (!settings.certificate)
		return ERR_OK;
	err = webhook_start(&p->loop, &settings, &p->webhook, why);
	if (err != ERR_OK) {
		reason_prefix(why, "--webhook: ");
		return err;
	}
	report_set_webhook(p->report, p->webhook);
	log_info("propagator", "listening webhook=%s",
	         addr_port_print(&settings.addr, webhook_port(p->webhook), at));
	return ERR_OK;
}

static enum err start(struct program *p, const struct kube_access *access, struct reason *why)
{
	const struct kube_keeper_events events = {on_access, on_trouble, p};
	const struct options_at *http = &p->flags.options.http;
	enum err err = report_start(&p->loop, &http->addr, http->port, &p->report, why);

	if (err == ERR_OK)
		err = start_webhook(p, why);
	if (err != ERR_OK)
		return err;
	p->settings = settings_initial();
	p->term = (struct dispatch_term){epoch_of, p};
	p->backoff.cap_ms = BACKOFF_MOST_MS;
	p->host = kube_client_new(&p->loop, access);
	p->lease_client = kube_client_new(&p->loop, access);
	p->keeper = kube_keeper_new(&p->loop, access, &events);
	CHECK(uv_timer_init(&p->loop, &p->tick) == 0);
	p->tick.data = p;
	uv_timer_start(&p->tick, on_tick, TICK_MS, TICK_MS);
	watch_signal(p, &p->terminate, SIGTERM);
	watch_signal(p, &p->interrupt, SIGINT);
	if (!access->exec.command)
		watch_config(p);
	return ERR_OK;
}

static int run(struct program *p)
{
	struct kube_access access = {0};
	struct reason why = {0};

	kube_transport_setup();
	signal(SIGPIPE, SIG_IGN);
	CHECK(uv_loop_init(&p->loop) == 0);
	if (read_access(p, &access, &why) != ERR_OK || start(p, &access, &why) != ERR_OK) {
		fprintf(stderr, "nigh-propagator: %s\n", why.text);
		return EXIT_FAILED;
	}
	log_info("propagator", "starting version=%s host=%s namespace=%s", NIGH_VERSION,
	         access.server, p->flags.options.namespace);
	kube_access_fini(&access);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&p->loop) == 0);
	log_flush(true);
	return EXIT_SUCCESS;
}

/* --check: all that can be said without the host cluster. */
static int check(const struct program *p)
{
	const struct webhook_settings settings = webhook_settings(&p->flags.options);
	struct kube_access access = {0};
	struct reason why = {0};
	enum err err = read_access(p, &access, &why);

	if (err == ERR_OK && settings.certificate)
		err = webhook_check(&settings, &why);
	kube_access_fini(&access);
	if (err == ERR_OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "nigh-propagator: %s\n", why.text);
	return EXIT_FAILED;
}

static int print_options(const struct options *options)
{
	struct text out = {0};

	options_print(options, &out);
	fputs(out.data, stdout);
	text_fini(&out);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct program program;
	const struct options *options = &program.flags.options;
	int status = flags_read(argc, argv, &program.flags);

	if (status >= 0)
		return status;
	if (program.flags.print) {
		status = print_options(options);
	} else if (program.flags.check) {
		status = check(&program);
	} else {
		log_setup((enum log_level)options->log_level, (enum log_format)options->log_format);
		status = run(&program);
	}
	flags_fini(&program.flags);
	return status;
}
