/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/http_admin.h"
#include "base/log.h"
#include "dnsd/nighd.h"
#include "dnsd/sandbox.h"

enum {
	LOOK_MS = 10,
	LOOKS_UNTOLD = 100, /* that are no long wait */
	RETIRED_MS = 10000, /* for transfers that are under way, and who does not read */
	HTTP_MS = 500       /* of these, for a request over HTTP that is under way */
};

/* --- who is who --- */

static void add_rows(struct text *out, const struct config_listen *rows, size_t count)
{
	char text[ADDR_PORT_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		text_printf(out, " %s", addr_port_print(&rows[i].addr, rows[i].port, text));
}

/* Also when the last part of it is still to be made, as a state directory is at the first start.  False: it cannot be
 * said where that is. */
static bool add_path(struct text *out, const char *what, const char *path)
{
	char copy[PATH_MAX], real[PATH_MAX];
	const char *last = "";

	if (path == NULL || (size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy)
		return false;
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/';)
		copy[--len] = '\0';
	if (realpath(copy, real) == NULL) {
		char *slash = strrchr(copy, '/');

		last = slash != NULL ? slash + 1 : copy;
		if (slash != NULL)
			*slash = '\0';
		if (realpath(slash == NULL ? "." : slash == copy ? "/" : copy, real) == NULL)
			return false;
	}
	text_printf(out, "%s %s%s%s", what, real, *last != '\0' ? "/" : "", last);
	return true;
}

/* What one nighd after the other has in common: its state, else its config, else where it was started for what. */
static void identify(struct nighd *n)
{
	const struct config *c = n->config;
	char directory[PATH_MAX];

	if (add_path(&n->identity, "state", c->state) || add_path(&n->identity, "config", c->file))
		return;
	text_printf(&n->identity, "in %s",
	            getcwd(directory, sizeof directory) != NULL ? directory : "");
	for (size_t i = 0; i < c->manifests.count; i++)
		text_printf(&n->identity, " %s", c->manifests.item[i]);
	add_rows(&n->identity, c->dns, c->dns_count);
	add_rows(&n->identity, c->tls.addresses, c->tls.address_count);
	add_rows(&n->identity, &c->http, 1);
}

static struct bytes identity_of(const struct nighd *n)
{
	return (struct bytes){(const uint8_t *)n->identity.data, n->identity.len};
}

/* --- the new one --- */

enum err replace_begin(struct nighd *n, struct reason *why)
{
	enum err err;

	identify(n);
	if (!n->flags.takeover)
		return ERR_OK;
	err = takeover_begin(identity_of(n), sandbox_user(n->config->user), &n->takeover, why);
	if (err == ERR_OK)
		return err;
	if (err == ERR_NOTFOUND) {
		log_info("dnsd", "no nighd to take over from, starting as the first one");
		return ERR_OK;
	}
	if (err == ERR_DENIED) {
		log_warn("dnsd", "the nighd that runs is not taken over from: %s", why->text);
		return ERR_OK;
	}
	reason_prefix(why, "taking over: ");
	return err;
}

struct sockets *replace_sockets(struct nighd *n)
{
	return n->takeover != NULL ? &n->takeover->sockets : NULL;
}

/* That of the running one. */
static bool take_http(struct nighd *n)
{
	const struct config_listen *http = &n->config->http;
	struct sockets_item row = {.kind = SOCKETS_HTTP, .addr = http->addr, .asked = http->port};
	struct sockets found = {0};
	uint16_t port = 0;

	if (n->takeover == NULL || sockets_move(replace_sockets(n), &found, &row, 1, &port) == 0)
		return false;
	n->http = found.item[0].fd;
	found.item[0].fd = -1;
	sockets_close(&found);
	return true;
}

static void open_desk(struct nighd *n)
{
	struct reason why = {0};

	if (takeover_desk_open(identity_of(n), &n->meeting, &why) != ERR_OK)
		log_warn("dnsd", "this nighd cannot be taken over from: %s", why.text);
}

enum err replace_bind(struct nighd *n, struct reason *why)
{
	const struct config_listen *http = &n->config->http;
	enum err err = ERR_OK;

	if (!take_http(n))
		err = http_admin_open(&http->addr, http->port, &n->http, why);
	if (err == ERR_OK && n->takeover == NULL)
		open_desk(n);
	return err;
}

void replace_hint(const struct nighd *n, struct reason *why)
{
	struct reason cause = *why, other = {0};
	int meeting;

	if (n->flags.takeover)
		return;
	if (takeover_desk_open(identity_of(n), &meeting, &other) == ERR_OK)
		close(meeting);
	else
		(void)reason_set(why, ERR_CONFLICT,
		                 "%.300s: a nighd of the same config or state runs, and --takeover "
		                 "takes over from it",
		                 cause.text);
}

enum err replace_start_pipeline(struct nighd *n, struct reason *why)
{
	struct pipeline_estate estate;
	struct takeover *t = n->takeover;
	enum err err;

	if (t == NULL)
		return pipeline_start(n->pipeline, NULL, why);
	if (!pipeline_parse_estate((struct bytes){t->estate.data, t->estate.len}, &estate))
		return reason_set(why, ERR_PARSE, "taking over: what it knows is not whole");
	if (geteuid() != 0 && geteuid() != estate.user)
		return reason_set(why, ERR_DENIED,
		                  "taking over: the nighd that runs is user %u's and gives nothing "
		                  "to user %u: `user` must be the same",
		                  (unsigned)estate.user, (unsigned)geteuid());
	estate.take_lock = t->lock;
	err = pipeline_start(n->pipeline, &estate, why);
	t->lock = estate.take_lock;
	return err;
}

static void fail(struct nighd *n, const char *cause)
{
	log_error("dnsd", "cannot take over, the nighd that runs goes on: %s", cause);
	n->has_failed = true;
	nighd_end(n);
}

/* It has ended while this one was getting ready: then this one is the first. */
static void go_alone(struct nighd *n)
{
	log_warn("dnsd", "the nighd to take over from has ended");
	open_desk(n);
	pipeline_skip_serials(n->pipeline);
}

/* This one answers already. */
static enum err end_other(struct nighd *n, struct reason *why)
{
	enum err err = takeover_end(n->takeover, why);

	if (err == ERR_NOTFOUND) {
		go_alone(n);
		return ERR_OK;
	}
	if (err == ERR_OK) {
		n->meeting = n->takeover->meeting;
		n->takeover->meeting = -1;
		log_info("dnsd", "taken over");
	}
	return err;
}

/* A zone that is served is not to go, nor to age, for a fault in its file. */
static enum err check_files(struct nighd *n, struct reason *why)
{
	const char *file = pipeline_lacks_file(n->pipeline);

	if (file == NULL || takeover_has_ended(n->takeover))
		return ERR_OK;
	return reason_set(why, ERR_CONFLICT,
	                  "%s has errors or is gone, what was last good of it is served there",
	                  file);
}

static enum err go(struct nighd *n, struct reason *why)
{
	struct buffer serials = {0};
	enum err err = check_files(n, why);

	if (err != ERR_OK)
		return err;
	err = takeover_go(n->takeover, &serials, why);
	if (err == ERR_NOTFOUND) {
		go_alone(n);
		return nighd_serve(n, why);
	}
	if (err == ERR_OK &&
	    !pipeline_take_serials(n->pipeline, (struct bytes){serials.data, serials.len}))
		err = reason_set(why, ERR_PARSE, "its serials make no sense");
	buffer_fini(&serials);
	if (err == ERR_OK)
		err = nighd_serve(n, why);
	return err == ERR_OK ? end_other(n, why) : err;
}

static void on_left(int take_fd, const struct addr *client, void *arg)
{
	struct nighd *n = arg;

	server_adopt(n->server, take_fd, client);
}

static void on_arriving_closed(uv_handle_t *handle)
{
	struct nighd *n = handle->data;

	close(n->arriving_from);
	n->arriving_from = -1;
}

static void stop_arriving(struct nighd *n)
{
	if (n->arriving_from >= 0 && !uv_is_closing((uv_handle_t *)&n->arriving))
		uv_close((uv_handle_t *)&n->arriving, on_arriving_closed);
}

static void on_arriving(uv_poll_t *poll, int status, int events)
{
	struct nighd *n = poll->data;

	(void)events;
	if (status < 0 || !takeover_hear_left(n->arriving_from, on_left, n))
		stop_arriving(n);
}

/* What the clients of the one before have open. */
static void await_connections(struct nighd *n)
{
	n->arriving_from = n->takeover->talk;
	n->takeover->talk = -1;
	if (n->arriving_from < 0)
		return;
	n->arriving.data = n;
	CHECK(uv_poll_init(&n->loop, &n->arriving, n->arriving_from) == 0);
	CHECK(uv_poll_start(&n->arriving, UV_READABLE, on_arriving) == 0);
}

static void say_awaited(const struct nighd *n)
{
	struct text awaited = {0};
	uint64_t left_ms = pipeline_print_awaited(n->pipeline, &awaited);

	log_info("dnsd",
	         "taking over once all is read, or startup.patience over left_ms=%" PRIu64
	         " missing=\"%s\"",
	         left_ms, awaited.data);
	text_fini(&awaited);
}

static void on_look(uv_timer_t *timer)
{
	struct nighd *n = timer->data;
	struct reason why = {0};

	if (!pipeline_is_current(n->pipeline)) {
		if (n->looks++ == LOOKS_UNTOLD)
			say_awaited(n);
		return;
	}
	uv_timer_stop(timer);
	if (go(n, &why) != ERR_OK) {
		fail(n, why.text);
		return;
	}
	nighd_say_listening(n);
	await_connections(n);
	takeover_free(n->takeover);
	n->takeover = NULL;
	pipeline_begin_saving(n->pipeline);
	replace_offer(n);
	nighd_enter_sandbox(n);
}

void replace_wait(struct nighd *n)
{
	CHECK(uv_timer_start(&n->replacing, on_look, LOOK_MS, LOOK_MS) == 0);
}

/* --- the old one --- */

/* What the workers listen with, and the status. */
static void list_sockets(const struct nighd *n, struct sockets *out)
{
	const struct sockets *dns = server_sockets(n->server);
	const struct config_listen *http = &n->started->http;

	for (size_t i = 0; i < dns->count; i++)
		sockets_put(out, &dns->item[i]);
	sockets_put(out, &(struct sockets_item){.kind = SOCKETS_HTTP,
	                                        .addr = http->addr,
	                                        .asked = http->port,
	                                        .port = admin_port(n->admin),
	                                        .fd = admin_listener(n->admin)});
}

static void on_ask(struct sockets *sockets, int *lock, struct buffer *estate, void *arg)
{
	struct nighd *n = arg;

	list_sockets(n, sockets);
	*lock = pipeline_lock(n->pipeline);
	pipeline_print_estate(n->pipeline, estate);
}

static void on_give(struct buffer *serials, void *arg)
{
	struct nighd *n = arg;

	pipeline_freeze(n->pipeline, serials);
}

static void on_lost(void *arg)
{
	struct nighd *n = arg;

	pipeline_thaw(n->pipeline);
}

/* What has left goes to the next one; false: there is more. */
static bool send_off(struct nighd *n)
{
	bool is_last = server_connections(n->server) == 0;

	/* In this order: who is not counted any more has left before. */
	server_take_left(n->server, &n->leaving);
	return takeover_say_left(n->leaving_to, &n->leaving) && is_last;
}

static void on_retired(uv_timer_t *timer)
{
	struct nighd *n = timer->data;
	uint64_t for_ms = clock_monotonic_ms() - n->retired_ms;
	bool is_quiet = send_off(n) && (for_ms > HTTP_MS || admin_is_idle(n->admin));

	if (!is_quiet && for_ms <= RETIRED_MS)
		return;
	log_info("dnsd", "ending, replaced");
	nighd_end(n);
}

static void on_done(int take_talk, void *arg)
{
	struct nighd *n = arg;

	n->leaving_to = take_talk;
	n->retired_ms = clock_monotonic_ms();
	log_info("dnsd", "another nighd has taken over connections=%u",
	         server_connections(n->server));
	takeover_desk_stop(n->desk);
	n->desk = NULL;
	server_retire(n->server);
	admin_retire(n->admin);
	CHECK(uv_timer_start(&n->replacing, on_retired, LOOK_MS, LOOK_MS) == 0);
}

void replace_offer(struct nighd *n)
{
	static const struct takeover_desk_events events = {on_ask, on_give, on_lost, on_done, NULL};
	struct takeover_desk_events ours = events;

	ours.arg = n;
	if (n->meeting < 0)
		return;
	n->desk = takeover_desk_start(&n->loop, n->meeting, &ours);
	n->meeting = -1;
}

void replace_stop(struct nighd *n)
{
	uv_timer_stop(&n->replacing);
	stop_arriving(n);
	if (n->leaving_to >= 0)
		close(n->leaving_to);
	n->leaving_to = -1;
	sockets_close(&n->leaving);
	takeover_desk_stop(n->desk);
	n->desk = NULL;
	takeover_free(n->takeover);
	n->takeover = NULL;
	if (n->http >= 0)
		close(n->http);
	n->http = -1;
}
