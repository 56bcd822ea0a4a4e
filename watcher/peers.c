/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/peers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "watcher/peers_inside.h"

enum { BACKLOG = 64, SOON_MS = 5, LOOK_MS = 1000, COMPLAINTS_MS = 60000 };

void peers_turned(struct peers *p, bool has_changed)
{
	if ((vote_turn(p->vote, clock_monotonic_ms()) || has_changed) && p->on_stopped == NULL)
		p->events.on_change(p->events.arg);
}

void peers_forget(struct peers *p, unsigned number)
{
	vote_forget(p->vote, number);
	p->peer[number] = (struct peer){0};
}

/* --- connections --- */

static void free_when_closed(struct peers *p);

static void on_open(struct peers_link *link, void *arg)
{
	(void)link;
	peers_greet(arg);
}

static void on_message(struct peers_link *link, const struct peers_message *m, void *arg)
{
	(void)link;
	peers_take_message(arg, m);
}

/* A wrong certificate must be seen, and a replica that is down must not fill the log. */
static bool may_complain(struct peers *p)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (p->complained_ms != 0 && now_ms - p->complained_ms < COMPLAINTS_MS)
		return false;
	p->complained_ms = now_ms;
	return true;
}

static void note_end(struct connection *c, const char *why)
{
	struct peers *p = c->peers;
	struct peer *peer = &p->peer[c->number];
	char text[ADDR_PORT_TEXT_SIZE];

	if (c->number != 0 && peer->connection == c) {
		peer->connection = NULL;
		peer->last_ms = clock_monotonic_ms();
		log_warn("watcher", "replica lost name=%s reason=%s", peer->name,
		         why[0] != '\0' ? why : "it broke the rules");
	} else if (why[0] != '\0' && peers_link_dialled(c->link) &&
	           peers_link_is_refused(c->link)) {
		peers_note_refusal(p, c->link, why);
	} else if (why[0] != '\0') {
		addr_port_print(peers_link_addr(c->link), peers_link_port(c->link), text);
		log_write(may_complain(p) ? LOG_WARN : LOG_DEBUG, "watcher", NULL,
		          "no connection with a replica address=%s reason=%s", text, why);
	}
	p->counts.dropped += why[0] != '\0';
	p->counts.refused += why[0] != '\0' && c->number == 0 && !peers_link_dialled(c->link);
}

static void on_closed(struct peers_link *link, const char *why, void *arg)
{
	struct connection *c = arg, **at = &c->peers->connections;
	struct peers *p = c->peers;

	(void)link;
	if (p->on_stopped == NULL)
		note_end(c, why);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
	free_when_closed(p);
}

struct connection *peers_connection_new(struct peers *p, struct peers_link_events *events)
{
	struct connection *c = xcalloc(1, sizeof *c);

	c->peers = p;
	c->begun_ms = clock_monotonic_ms();
	c->next = p->connections;
	p->connections = c;
	*events = (struct peers_link_events){on_open, on_message, on_closed, c};
	return c;
}

/* Of too many strangers the oldest goes: a replica has said who it is long before. */
static void make_room(struct peers *p)
{
	struct connection *oldest = NULL;
	size_t count = 0;

	for (struct connection *c = p->connections; c != NULL; c = c->next) {
		if (c->number != 0 || c->link == NULL || peers_link_dialled(c->link) ||
		    peers_link_is_closing(c->link))
			continue;
		count++;
		if (oldest == NULL || c->begun_ms <= oldest->begun_ms)
			oldest = c;
	}
	if (count >= PEERS_MOST_STRANGERS) {
		p->counts.refused++;
		peers_link_close(oldest->link);
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct peers *p = listener->data;
	struct peers_link_events events;
	struct connection *c;

	if (status != 0 || p->on_stopped != NULL)
		return;
	make_room(p);
	c = peers_connection_new(p, &events);
	c->link = peers_link_accept(listener, p->tls, &events);
}

/* --- files --- */

static enum err read_files(const char *const file[PEERS_FILES], struct peers_tls **out,
                           struct stamp stamp[PEERS_FILES], struct reason *why)
{
	for (size_t i = 0; i < PEERS_FILES; i++)
		stamp[i] = stamp_at(file[i]);
	return peers_tls_new(file[0], file[1], file[2], out, why);
}

static void take_files(struct peers *p, struct peers_tls *take_tls,
                       const char *const file[PEERS_FILES], const struct stamp stamp[PEERS_FILES])
{
	peers_tls_free(p->tls);
	p->tls = take_tls;
	for (size_t i = 0; i < PEERS_FILES; i++) {
		char *copy = xstrdup(file[i]);

		free(p->file[i]);
		p->file[i] = copy;
		p->stamp[i] = stamp[i];
	}
	free(p->error);
	p->error = NULL;
}

static void look_at_files(struct peers *p)
{
	const char *const file[PEERS_FILES] = {p->file[0], p->file[1], p->file[2]};
	struct stamp stamp[PEERS_FILES];
	struct reason why = {0};
	struct peers_tls *tls;
	bool same = p->error == NULL;

	for (size_t i = 0; i < PEERS_FILES && same; i++) {
		stamp[i] = stamp_at(file[i]);
		same = stamp_equal(&stamp[i], &p->stamp[i]);
	}
	if (same)
		return;
	if (read_files(file, &tls, stamp, &why) == ERR_OK) {
		take_files(p, tls, file, stamp);
		log_info("watcher", "certificate of replicas read again");
		return;
	}
	if (p->error == NULL || strcmp(p->error, why.text) != 0)
		log_error("watcher", "certificate of replicas not taken up, the old one stays: %s",
		          why.text);
	free(p->error);
	p->error = xstrdup(why.text);
}

/* --- time --- */

static void on_soon(uv_timer_t *timer)
{
	struct peers *p = timer->data;

	if (p->changes.len > 0)
		peers_tell_changes(p);
}

static void forget_gone(struct peers *p, uint64_t now_ms)
{
	for (unsigned i = 1; i < VOTE_MOST_REPLICAS; i++) {
		const struct peer *peer = &p->peer[i];

		if (peer->is_used && peer->connection == NULL &&
		    now_ms >= peer->last_ms + PEERS_FORGET_MS)
			peers_forget(p, i);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct peers *p = timer->data;
	uint64_t now_ms = clock_monotonic_ms();

	for (struct connection *c = p->connections; c != NULL; c = c->next)
		if (c->link != NULL)
			peers_link_look(c->link, now_ms);
	peers_dial_all(p, now_ms);
	if (now_ms - p->beat_ms >= PEERS_BEAT_MS - PEERS_TICK_MS / 2) {
		p->beat_ms = now_ms;
		peers_beat(p);
	}
	if (now_ms - p->looked_ms >= LOOK_MS) {
		p->looked_ms = now_ms;
		look_at_files(p);
		forget_gone(p, now_ms);
	}
	peers_judge_doubles(p, now_ms);
	peers_turned(p, false);
}

/* --- what is seen here --- */

bool peers_tell(struct peers *p, const struct vote_key *key, enum vote_view view)
{
	if (!vote_see(p->vote, 0, key, view)) {
		p->counts.untaken++;
		return false;
	}
	peers_entry_put(&p->changes, key, view);
	if (!uv_is_active((uv_handle_t *)&p->soon))
		CHECK(uv_timer_start(&p->soon, on_soon, SOON_MS, 0) == 0);
	return true;
}

void peers_tell_reach(struct peers *p, bool reaches)
{
	bool differs = p->reaches != reaches;

	p->reaches = reaches;
	(void)vote_hear(p->vote, 0, p->sequence, reaches, clock_monotonic_ms());
	if (differs)
		peers_beat(p);
	peers_turned(p, differs);
}

/* --- life --- */

/* Shared, so that a nighd that takes over can listen while the one before still does.  -1: errno says why. */
static int bind_socket(const struct addr *addr, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t len = addr_to_sockaddr(addr, port, &at);
	int on = 1, fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	                setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
	                (at.ss_family == AF_INET6 &&
	                 setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
	                bind(fd, (const struct sockaddr *)&at, len) != 0)) {
		int cause = errno;

		close(fd);
		errno = cause;
		fd = -1;
	}
	return fd;
}

static enum err listen_at(struct peers *p, const struct peers_settings *s, struct reason *why)
{
	char text[ADDR_PORT_TEXT_SIZE];
	int fd, cause;

	if (s->addr.family == ADDR_NONE)
		return ERR_OK;
	fd = bind_socket(&s->addr, s->port);
	cause = fd < 0 ? errno : 0;
	if (fd >= 0) {
		CHECK(uv_tcp_open(&p->listener, fd) == 0);
		cause = -uv_listen((uv_stream_t *)&p->listener, BACKLOG, on_connection);
	}
	p->listens = cause == 0;
	return p->listens ? ERR_OK
	                  : reason_set(why, cause == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "%s: %s",
	                               addr_port_print(&s->addr, s->port, text), strerror(cause));
}

static void start_timers(struct peers *p)
{
	CHECK(uv_timer_init(p->loop, &p->tick) == 0);
	CHECK(uv_timer_init(p->loop, &p->soon) == 0);
	CHECK(uv_tcp_init(p->loop, &p->listener) == 0);
	p->tick.data = p->soon.data = p->listener.data = p;
	p->still_open = 3;
	CHECK(uv_timer_start(&p->tick, on_tick, 0, PEERS_TICK_MS) == 0);
}

static void on_never_begun(void *arg) { (void)arg; }

enum err peers_new(uv_loop_t *loop, const struct peers_settings *settings, struct vote *vote,
                   const struct peers_events *events, struct peers **out, struct reason *why)
{
	struct peers *p = xcalloc(1, sizeof *p);
	enum err err;

	p->loop = loop;
	p->vote = vote;
	p->events = *events;
	random_bytes(p->id, sizeof p->id);
	start_timers(p);
	err = peers_configure(p, settings, why);
	if (err == ERR_OK)
		err = listen_at(p, settings, why);
	*out = p;
	if (err != ERR_OK) {
		*out = NULL;
		peers_stop(p, on_never_begun, NULL);
	}
	return err;
}

enum err peers_configure(struct peers *p, const struct peers_settings *settings, struct reason *why)
{
	const char *const file[PEERS_FILES] = {settings->certificate, settings->key, settings->ca};
	struct stamp stamp[PEERS_FILES];
	struct peers_tls *tls;
	enum err err = read_files(file, &tls, stamp, why);

	if (err == ERR_OK)
		err = peers_set_places(p, settings, why);
	if (err != ERR_OK) {
		peers_tls_free(tls);
		return err;
	}
	take_files(p, tls, file, stamp);
	snprintf(p->name, sizeof p->name, "%s", settings->name);
	return ERR_OK;
}

static void free_when_closed(struct peers *p)
{
	if (p->on_stopped == NULL || p->still_open > 0 || p->connections != NULL)
		return;
	p->on_stopped(p->stopped_arg);
	peers_places_fini(p);
	peers_tls_free(p->tls);
	for (size_t i = 0; i < PEERS_FILES; i++)
		free(p->file[i]);
	free(p->error);
	buffer_fini(&p->changes);
	free(p);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct peers *p = handle->data;

	p->still_open--;
	free_when_closed(p);
}

static void on_resolver_stopped(void *arg)
{
	struct peers *p = arg;

	p->still_open--;
	free_when_closed(p);
}

void peers_stop(struct peers *p, void (*on_stopped)(void *arg), void *arg)
{
	peers_say_bye(p);
	p->on_stopped = on_stopped;
	p->stopped_arg = arg;
	for (struct connection *c = p->connections; c != NULL; c = c->next)
		peers_link_close(c->link);
	p->still_open += p->resolver != NULL;
	if (p->resolver != NULL)
		resolver_stop(p->resolver, on_resolver_stopped, p);
	uv_close((uv_handle_t *)&p->tick, on_handle_closed);
	uv_close((uv_handle_t *)&p->soon, on_handle_closed);
	uv_close((uv_handle_t *)&p->listener, on_handle_closed);
}

/* --- what is told of it --- */

uint16_t peers_port(const struct peers *p)
{
	struct sockaddr_storage at;
	int len = sizeof at;
	uint16_t port = 0;

	if (p->listens && uv_tcp_getsockname(&p->listener, (struct sockaddr *)&at, &len) == 0)
		(void)addr_from_sockaddr((const struct sockaddr *)&at, &port);
	return port;
}

const char *peers_error(const struct peers *p) { return p->error; }

const uint8_t *peers_id(const struct peers *p) { return p->id; }

struct peers_counts peers_counts(const struct peers *p)
{
	struct peers_counts counts = p->counts;

	for (unsigned i = 1; i < VOTE_MOST_REPLICAS; i++)
		counts.doubles += p->peer[i].double_ms != 0;
	return counts;
}

void peers_print(const struct peers *p, uint8_t out[PEERS_TLS_PRINT])
{
	peers_tls_print(p->tls, out);
}

size_t peers_list(const struct peers *p, struct peers_info *out)
{
	size_t count = 0;

	for (unsigned i = 1; i < VOTE_MOST_REPLICAS; i++) {
		const struct peer *peer = &p->peer[i];

		if (!peer->is_used)
			continue;
		out[count] = (struct peers_info){.number = i,
		                                 .name = peer->name,
		                                 .addr = peer->addr,
		                                 .is_connected = peer->connection != NULL,
		                                 .is_double = peer->double_ms != 0};
		memcpy(out[count].print, peer->print, PEERS_TLS_PRINT);
		memcpy(out[count++].id, peer->id, PEERS_ID);
	}
	return count;
}
