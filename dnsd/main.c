/* main.c -- nighd: the flags, the order in which things start and end, and the signals. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "dnsd/config_facts.h"
#include "dnsd/config_place.h"
#include "dnsd/nighd.h"
#include "dnsd/reread.h"
#include "dnsd/sandbox.h"
#include "dnsd/tls.h"
#include "dnsd/trial.h"
#include "kube/transport.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage_text[] =
	"usage: nighd [-c FILE] [--manifests DIR]... [--kubeconfig FILE] [--context NAME]\n"
	"             [--dns ADDR:PORT]... [--http ADDR:PORT] [--workers N] [--state DIR]\n"
	"             [--takeover] [--check] [--print-config] [-V]\n"
	"\n"
	"  -c FILE            the config; what a flag says goes before it\n"
	"  --manifests DIR    a folder that stands in for clusters\n"
	"  --kubeconfig FILE  the host cluster, by that context of it\n"
	"  --dns ADDR:PORT    answer queries there, UDP and TCP\n"
	"  --http ADDR:PORT   health, metrics, status, explain\n"
	"  --workers N        threads that answer; 0: one for each CPU\n"
	"  --state DIR        keep what is known, for a start without clusters\n"
	"  --takeover         replace the nighd that runs, losing no query\n"
	"  --check            say what is wrong with config and manifests, and end\n"
	"  --print-config     print all settings, and end\n"
	"  -V                 print the version, and end\n"
	"\n"
	"See nighd(8), nighd.yaml(5).\n";

/* --- flags --- */

static int point_to_help(void)
{
	fputs("Try 'nighd --help'.\n", stderr);
	return EXIT_USAGE;
}

static void add_item(struct text *list, const char *item)
{
	if (list->len > 0)
		text_add(list, "\n");
	text_add(list, item);
}

/* Returns -1 to go on, else the exit status. */
static int parse_flags(int argc, char **argv, struct flags *f)
{
	enum {
		MANIFESTS = 256,
		KUBECONFIG,
		CONTEXT,
		DNS,
		HTTP,
		WORKERS,
		STATE,
		CHECK_ONLY,
		PRINT,
		TAKEOVER
	};
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"manifests", required_argument, NULL, MANIFESTS},
		{"kubeconfig", required_argument, NULL, KUBECONFIG},
		{"context", required_argument, NULL, CONTEXT},
		{"dns", required_argument, NULL, DNS},
		{"http", required_argument, NULL, HTTP},
		{"workers", required_argument, NULL, WORKERS},
		{"state", required_argument, NULL, STATE},
		{"takeover", no_argument, NULL, TAKEOVER},
		{"check", no_argument, NULL, CHECK_ONLY},
		{"print-config", no_argument, NULL, PRINT},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			f->config = optarg;
			break;
		case MANIFESTS:
			add_item(&f->manifests, optarg);
			break;
		case DNS:
			add_item(&f->dns, optarg);
			break;
		case HTTP:
			f->http = optarg;
			break;
		case WORKERS:
			f->workers = optarg;
			break;
		case STATE:
			f->state = optarg;
			break;
		case CHECK_ONLY:
			f->check = true;
			break;
		case PRINT:
			f->print = true;
			break;
		case TAKEOVER:
			f->takeover = true;
			break;
		case KUBECONFIG:
			f->kubeconfig = optarg;
			break;
		case CONTEXT:
			f->context = optarg;
			break;
		case 'V':
			printf("nighd %s\n", NIGH_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage_text, stdout);
			return EXIT_SUCCESS;
		default:
			return point_to_help();
		}
	}
	if (optind < argc) {
		fprintf(stderr, "nighd: unexpected argument '%s'\n", argv[optind]);
		return point_to_help();
	}
	return -1;
}

/* *wrong_use (may be NULL): it is a flag's value that is wrong. */
static struct config *read_config(const struct flags *f, struct text *errors, bool *wrong_use)
{
	struct config *c = config_read(f->config, errors);
	bool good = c != NULL;

	if (good && f->manifests.len > 0)
		good &= config_override(c, "sources.manifests", f->manifests.data, errors);
	if (good && f->dns.len > 0)
		good &= config_override(c, "listen.dns", f->dns.data, errors);
	if (good && f->http != NULL)
		good &= config_override(c, "listen.http", f->http, errors);
	if (good && f->workers != NULL)
		good &= config_override(c, "workers", f->workers, errors);
	if (good && f->state != NULL)
		good &= config_override(c, "state", f->state, errors);
	if (good && (f->kubeconfig != NULL || f->context != NULL))
		good &= config_override_host(c, f->kubeconfig, f->context, errors);
	if (c != NULL && !good && wrong_use != NULL)
		*wrong_use = true;
	if (good) {
		good = config_check(c, errors);
		good = config_facts_check(c, errors) && good;
	}
	if (good)
		return c;
	config_free(c);
	return NULL;
}

/* --- start and end --- */

static unsigned usable_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static enum err bind_server(struct nighd *n, struct reason *why)
{
	const struct config *c = n->config;
	struct server_address *list = xcalloc(c->dns_count, sizeof *list);
	unsigned workers = c->workers != 0 ? (unsigned)c->workers : usable_cpus();
	struct tcp_limits limits = tcp_limits_usual();
	enum err err;

	for (size_t i = 0; i < c->dns_count; i++)
		list[i] = (struct server_address){c->dns[i].addr, c->dns[i].port};
	err = server_bind(list, c->dns_count, workers, replace_sockets(n), &n->server, why);
	free(list);
	if (err != ERR_OK)
		return err;
	server_set_proxies(n->server, &c->proxy_from);
	limits.max_connections = c->tcp.max_connections;
	limits.max_per_network = c->tcp.max_per_network;
	limits.idle_ms = c->tcp.idle_ms;
	server_limit_tcp(n->server, &limits);
	return ERR_OK;
}

static void set_limits(const struct nighd *n)
{
	const struct config *c = n->config;
	const struct rrl_settings settings = {
		.mode = (enum rrl_mode)c->rate_limit.mode,
		.per_second = (uint32_t)c->rate_limit.per_second,
		.slip = (uint32_t)c->rate_limit.slip,
		.exempt = &c->rate_limit.exempt,
	};

	server_set_limits(n->server, &settings);
}

/* Workers do not log.  Each message names its network, so that none is taken for a repeat. */
static void on_listening(uv_timer_t *timer)
{
	struct nighd *n = timer->data;
	struct addr_network network;
	char text[ADDR_NETWORK_TEXT_SIZE];

	while (server_next_limited(n->server, &network))
		log_warn("dnsd", "more answers to %s than rateLimit.perSecond",
		         addr_network_print(&network, text));
}

/* Before root is given up, so that the key may be root's alone; then it cannot be read again, though (reread.h). */
static enum err bind_tls(struct nighd *n, struct reason *why)
{
	const struct config_tls *c = &n->config->tls;
	struct server_address *list;
	enum err err;

	if (c->address_count == 0)
		return ERR_OK;
	err = tls_new(c->certificate, c->key, &n->tls, why);
	if (err != ERR_OK) {
		config_place_add(n->config, n->config->tls_line, "listen.tls", NULL, why);
		return err;
	}
	list = xcalloc(c->address_count, sizeof *list);
	for (size_t i = 0; i < c->address_count; i++)
		list[i] = (struct server_address){c->addresses[i].addr, c->addresses[i].port};
	err = server_bind_tls(n->server, list, c->address_count, replace_sockets(n), n->tls, why);
	free(list);
	return err;
}

static enum err order(enum order which, const struct order_about *about, void *arg,
                      uint64_t *result, struct reason *why)
{
	struct nighd *n = arg;

	return pipeline_order(n->pipeline, which, about, result, why);
}

static bool find_place(const struct addr *addr, void *arg, struct explain_place *out)
{
	struct nighd *n = arg;

	return pipeline_find_place(n->pipeline, addr, out);
}

static void add_addresses(const struct server_address *list, size_t count, const char *before,
                          struct text *out)
{
	char text[ADDR_PORT_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s%s", i > 0 ? "," : before,
		            addr_port_print(&list[i].addr, list[i].port, text));
}

void nighd_say_listening(const struct nighd *n)
{
	size_t count;
	const struct server_address *list = server_addresses(n->server, &count);
	struct text dns = {0}, tls = {0};
	char http[ADDR_PORT_TEXT_SIZE];

	add_addresses(list, count, "", &dns);
	list = server_tls_addresses(n->server, &count);
	add_addresses(list, count, " tls=", &tls);
	log_info("dnsd", "nighd %s listening dns=%s%s http=%s", NIGH_VERSION, dns.data,
	         tls.len > 0 ? tls.data : "",
	         addr_port_print(&n->config->http.addr, admin_port(n->admin), http));
	text_fini(&dns);
	text_fini(&tls);
}

static void on_refused(const char *text, void *arg)
{
	(void)arg;
	log_warn("dnsd", "%s", text);
}

static enum err give_up_root(const struct nighd *n, struct reason *why)
{
	enum err err = ERR_OK;

	if (n->config->user != NULL)
		err = sandbox_drop_user(n->config->user, why);
	else if (geteuid() == 0)
		log_warn("dnsd",
		         "running as root: set `user` to drop to another user after binding");
	if (err == ERR_OK)
		reread_each_refused(n->config, on_refused, NULL);
	return err;
}

static enum err start_admin(struct nighd *n, struct reason *why)
{
	struct admin_settings settings = {
		.addr = n->config->http.addr,
		.port = n->config->http.port,
		.has_listener = true,
		.take_listener = n->http,
		.server = n->server,
		.handover = pipeline_handover(n->pipeline),
		.pulse = &n->pulse,
		.notes = pipeline_notes(n->pipeline),
		.probes = pipeline_probe_notes(n->pipeline),
		.replicas = pipeline_replica_notes(n->pipeline),
		.order = order,
		.find_place = find_place,
		.arg = n,
	};

	n->http = -1;
	return admin_start(&settings, &n->admin, why);
}

/* A credential plugin or a command is a program of its own, with needs that nobody knows. */
void nighd_enter_sandbox(const struct nighd *n)
{
	struct reason why = {0};

	if (pipeline_runs_plugins(n->pipeline))
		log_warn("dnsd", "system calls are not restricted: a plugin of a kubeconfig, or a "
		                 "command of "
		                 "probe.imports, is to be run");
	else if (sandbox_enter(&why) != ERR_OK)
		log_warn("dnsd", "system calls are not restricted: %s", why.text);
	else
		pipeline_forbid_plugins(n->pipeline);
}

/* Who asks from now on sees the new certificate; a broken one changes nothing. */
static void reload_tls(void *arg)
{
	struct nighd *n = arg;
	struct reason why = {0};

	if (n->tls == NULL)
		return;
	if (tls_reload(n->tls, &why) == ERR_OK) {
		pipeline_set_tls_error(n->pipeline, NULL);
		log_info("dnsd", "certificate of listen.tls taken up");
	} else {
		pipeline_set_tls_error(n->pipeline, why.text);
		log_error("dnsd", "certificate of listen.tls not taken up, the old one stays: %s",
		          why.text);
	}
}

static void watch_tls(struct nighd *n)
{
	const struct config_tls *c = &n->config->tls;

	if (n->tls != NULL)
		n->tls_watch =
			tls_watch_start(&n->loop, n->tls, c->certificate, c->key, reload_tls, n);
}

enum err nighd_serve(struct nighd *n, struct reason *why)
{
	if (n->takeover != NULL) {
		enum err err = start_admin(n, why);

		if (err != ERR_OK)
			return err;
	}
	set_limits(n);
	n->transfers = transfers_start(pipeline_handover(n->pipeline));
	pipeline_set_transfers(n->pipeline, n->transfers);
	server_set_transfers(n->server, n->transfers);
	server_start(n->server, pipeline_handover(n->pipeline));
	CHECK(uv_timer_start(&n->listening, on_listening, 1000, 1000) == 0);
	watch_tls(n);
	return ERR_OK;
}

/* All sockets, those of the running nighd or its own. */
static enum err bind_all(struct nighd *n, struct reason *why)
{
	enum err err = replace_begin(n, why);

	if (err == ERR_OK)
		err = bind_server(n, why);
	if (err == ERR_OK)
		err = bind_tls(n, why);
	if (err == ERR_OK)
		err = replace_bind(n, why);
	if (err == ERR_CONFLICT)
		replace_hint(n, why);
	return err;
}

/* Sockets first, and said in the first line; then root is given up: state and files belong to the user that
 * serves.  Who takes over says nothing and answers nobody until it does. */
static enum err start(struct nighd *n, struct reason *why)
{
	size_t count;
	const struct server_address *listening;
	enum err err = bind_all(n, why);

	if (err != ERR_OK)
		return err;
	listening = server_addresses(n->server, &count);
	n->pipeline = pipeline_new(&n->loop, n->config, listening, count, &n->pulse);
	if (n->takeover == NULL) {
		err = start_admin(n, why);
		if (err != ERR_OK)
			return err;
		nighd_say_listening(n);
	}
	err = give_up_root(n, why);
	if (err == ERR_OK)
		err = replace_start_pipeline(n, why);
	if (err == ERR_OK && n->takeover != NULL) {
		replace_wait(n);
		return ERR_OK;
	}
	if (err == ERR_OK)
		err = nighd_serve(n, why);
	if (err != ERR_OK)
		return err;
	replace_offer(n);
	nighd_enter_sandbox(n);
	return ERR_OK;
}

static void on_pipeline_stopped(void *arg)
{
	struct nighd *n = arg;

	n->pipeline = NULL;
	uv_close((uv_handle_t *)&n->hangup, NULL);
	uv_close((uv_handle_t *)&n->terminate, NULL);
	uv_close((uv_handle_t *)&n->interrupt, NULL);
	uv_close((uv_handle_t *)&n->listening, NULL);
	uv_close((uv_handle_t *)&n->replacing, NULL);
}

/* Readers leave first: workers answer what they have, then the status ends, then the writer. */
void nighd_end(struct nighd *n)
{
	if (n->is_ending)
		return;
	n->is_ending = true;
	uv_signal_stop(&n->terminate);
	uv_signal_stop(&n->interrupt);
	uv_signal_stop(&n->hangup);
	replace_stop(n);
	uv_timer_stop(&n->listening);
	tls_watch_stop(n->tls_watch);
	server_stop(n->server);
	pipeline_set_transfers(n->pipeline, NULL);
	transfers_stop(n->transfers);
	admin_stop(n->admin);
	pipeline_stop(n->pipeline, on_pipeline_stopped, n);
}

static void on_terminate(uv_signal_t *handle, int signum)
{
	log_info("dnsd", "ending signal=%d", signum);
	nighd_end(handle->data);
}

/* Each line of a text as a log line of its own. */
static void log_lines(const char *message, const char *lines)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");

		log_error("dnsd", "%s: %.*s", message, (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

static void say_taken_up(const struct nighd *n)
{
	struct text restart = {0};
	struct log_context keys = {.key = "keys"};

	config_needs_restart(n->started, n->config, &restart);
	keys.value = restart.data;
	if (restart.len > 0)
		log_write(LOG_WARN, "dnsd", &keys, "config taken up but for what needs a restart");
	else
		log_info("dnsd", "config taken up");
	text_fini(&restart);
}

static void refuse_config(struct nighd *n, const char *errors)
{
	log_lines("config not taken up, the old one stays", errors);
	pipeline_set_config_error(n->pipeline, errors);
}

static void begin_reload(struct nighd *n);

static void on_reloaded(const char *errors, void *arg)
{
	struct nighd *n = arg;
	struct config *out = n->fresh;

	if (errors == NULL) {
		out = n->config;
		n->config = n->fresh;
		set_limits(n);
		pipeline_set_config_error(n->pipeline, NULL);
		say_taken_up(n);
		log_setup((enum log_level)n->config->log_level,
		          (enum log_format)n->config->log_format);
	} else {
		refuse_config(n, errors);
	}
	if (out != n->started)
		config_free(out);
	n->fresh = NULL;
	begin_reload(n);
}

/* One at a time: who asks meanwhile has the file read again afterwards, so the last one counts. */
static void begin_reload(struct nighd *n)
{
	struct text errors = {0};

	if (n->fresh != NULL || !n->hung_up || n->retired_ms != 0)
		return;
	n->hung_up = false;
	n->fresh = read_config(&n->flags, &errors, NULL);
	if (n->fresh != NULL)
		pipeline_reload(n->pipeline, n->fresh, on_reloaded, n);
	else
		refuse_config(n, errors.data);
	text_fini(&errors);
}

static void on_hangup(uv_signal_t *handle, int signum)
{
	struct nighd *n = handle->data;

	(void)signum;
	n->hung_up = true;
	reload_tls(n);
	begin_reload(n);
}

static void watch_signals(struct nighd *n)
{
	n->listening.data = n;
	CHECK(uv_timer_init(&n->loop, &n->listening) == 0);
	n->replacing.data = n;
	CHECK(uv_timer_init(&n->loop, &n->replacing) == 0);
	n->hangup.data = n->terminate.data = n->interrupt.data = n;
	CHECK(uv_signal_init(&n->loop, &n->hangup) == 0);
	CHECK(uv_signal_init(&n->loop, &n->terminate) == 0);
	CHECK(uv_signal_init(&n->loop, &n->interrupt) == 0);
	CHECK(uv_signal_start(&n->hangup, on_hangup, SIGHUP) == 0);
	CHECK(uv_signal_start(&n->terminate, on_terminate, SIGTERM) == 0);
	CHECK(uv_signal_start(&n->interrupt, on_terminate, SIGINT) == 0);
}

static int run(struct nighd *n)
{
	struct reason why = {0};
	int left;

	n->started = n->config;
	CHECK(uv_loop_init(&n->loop) == 0);
	watch_signals(n);
	if (start(n, &why) != ERR_OK) {
		log_error("dnsd", "cannot start: %s", why.text);
		return EXIT_FAILED;
	}
	uv_run(&n->loop, UV_RUN_DEFAULT);
	left = uv_loop_close(&n->loop);
	CHECK(left == 0);
	server_free(n->server);
	tls_free(n->tls);
	return n->has_failed ? EXIT_FAILED : EXIT_SUCCESS;
}

/* Nothing of this process's memory goes to disk: it will hold credentials. */
static void no_core_files(void)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static int check_config(const struct config *c)
{
	struct text told = {0};
	bool good = trial_run(c, &told);

	if (told.len > 0)
		fputs(told.data, stderr);
	text_fini(&told);
	return good ? EXIT_SUCCESS : EXIT_FAILED;
}

static int print_config(const struct config *c)
{
	struct text out = {0};

	config_print(c, &out);
	fputs(out.data, stdout);
	text_fini(&out);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct nighd n = {.meeting = -1, .http = -1, .arriving_from = -1, .leaving_to = -1};
	struct text errors = {0};
	bool wrong_use = false;
	int status = parse_flags(argc, argv, &n.flags);

	if (status < 0) {
		n.config = read_config(&n.flags, &errors, &wrong_use);
		if (n.config == NULL) {
			fputs(errors.data, stderr);
			status = wrong_use ? EXIT_USAGE : EXIT_FAILED;
		} else if (n.flags.print) {
			status = print_config(n.config);
		} else if (n.flags.check) {
			log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
			status = check_config(n.config);
		} else {
			log_setup((enum log_level)n.config->log_level,
			          (enum log_format)n.config->log_format);
			no_core_files();
			kube_transport_setup();
			signal(SIGPIPE, SIG_IGN);
			status = run(&n);
		}
	}
	if (n.started != n.config)
		config_free(n.started);
	config_free(n.config);
	config_free(n.fresh);
	text_fini(&n.flags.manifests);
	text_fini(&n.flags.dns);
	text_fini(&n.identity);
	text_fini(&errors);
	return status;
}
