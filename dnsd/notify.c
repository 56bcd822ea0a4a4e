/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/notify.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/xalloc.h"
#include "dnsd/query.h"
#include "zones/name.h"
#include "zones/rrset.h"

enum {
	TICK_MS = 250,
	FIRST_MS = 1000, /* RFC 1996 3.6 leaves it to us; doubled each time */
	TRIES = 8,       /* the last one two minutes after the first */
	FLAGS = 0x2400,  /* NOTIFY, AA */
	FLAGS_ANSWER = 0xf800,
	FLAGS_IS_ANSWER = 0xa000, /* QR, NOTIFY */
	MESSAGE_MOST = 1024,
	SIGNATURE_MOST = 1024
};

/* One secondary. */
struct told {
	struct notify *notify;
	uv_udp_t socket;
	struct sockaddr_storage address;
	const struct tsig_key *key; /* NULL: none */
	struct tsig asked;          /* the last message, when there is a key and one was sent */
	bool is_sent;
	uint16_t id;
	unsigned tries_left;
	bool is_waited_for; /* it has not heard yet */
	bool is_doubtful;   /* it has answered, but not signed as it should */
	uint64_t next_ms, wait_ms;
	uint8_t answer[MESSAGE_MOST];
};

struct notify {
	uv_timer_t tick;
	unsigned open;
	uint8_t message[MESSAGE_MOST];
	size_t len; /* 0: nothing to tell yet */
	uint8_t apex[NAME_MAX_LEN];
	char *zone; /* its name for the log */
	size_t count;
	struct told told[];
};

/* --- addresses --- */

static bool same_address(const struct sockaddr *a, const struct told *to)
{
	uint16_t port, to_port;
	struct addr from = addr_from_sockaddr(a, &port);
	struct addr its = addr_from_sockaddr((const struct sockaddr *)&to->address, &to_port);

	return port == to_port && addr_equal(&from, &its);
}

/* --- messages --- */

static void put16(struct notify *n, uint16_t number)
{
	bytes_put16(n->message + n->len, number);
	n->len += 2;
}

static void put(struct notify *n, const void *data, size_t len)
{
	memcpy(n->message + n->len, data, len);
	n->len += len;
}

/* RFC 1996 3.7: the SOA is a hint.  One that is too long is left out. */
static void write_message(struct notify *n, struct bytes soa)
{
	bool has_hint = soa.len <= MESSAGE_MOST / 2;

	n->len = 0;
	put16(n, 0); /* the ID is each one's own */
	put16(n, FLAGS);
	put16(n, 1);
	put16(n, has_hint);
	put16(n, 0);
	put16(n, 0);
	put(n, n->apex, name_wire_len(n->apex));
	put16(n, RR_SOA);
	put16(n, CLASS_IN);
	if (has_hint)
		put(n, soa.data, soa.len);
}

static void send_to(struct told *to)
{
	struct notify *n = to->notify;
	uint8_t message[MESSAGE_MOST + SIGNATURE_MOST];
	uv_buf_t buf = uv_buf_init((char *)message, (unsigned)n->len);

	memcpy(message, n->message, n->len);
	bytes_put16(message, to->id);
	if (to->key != NULL) {
		tsig_begin(&to->asked, to->key, to->id);
		to->is_sent = true;
		buf.len = tsig_sign(&to->asked, message, n->len, (uint64_t)clock_unix_s());
	}
	(void)uv_udp_try_send(&to->socket, &buf, 1, (const struct sockaddr *)&to->address);
}

/* --- time --- */

static void give_up(const struct told *to)
{
	char text[ADDR_PORT_TEXT_SIZE];
	uint16_t port;
	struct addr addr = addr_from_sockaddr((const struct sockaddr *)&to->address, &port);

	log_warn("dnsd", "secondary does not answer NOTIFY%s zone=%s secondary=%s",
	         to->is_doubtful ? " as its key would" : "", to->notify->zone,
	         addr_port_print(&addr, port, text));
}

static void on_tick(uv_timer_t *timer)
{
	struct notify *n = timer->data;
	uint64_t now = uv_now(timer->loop);
	bool any = false;

	for (size_t i = 0; i < n->count; i++) {
		struct told *to = &n->told[i];

		if (to->is_waited_for && to->tries_left == 0 && now >= to->next_ms) {
			to->is_waited_for = false;
			give_up(to);
		} else if (to->tries_left > 0 && now >= to->next_ms) {
			send_to(to);
			to->tries_left--;
			to->next_ms = now + to->wait_ms;
			to->wait_ms *= 2;
		}
		any = any || to->is_waited_for;
	}
	if (!any)
		uv_timer_stop(timer);
}

static void owe(struct told *to)
{
	to->id = (uint16_t)random_below(UINT16_MAX);
	to->tries_left = TRIES;
	to->is_waited_for = true;
	to->is_doubtful = false;
	to->wait_ms = FIRST_MS;
	to->next_ms = 0;
}

static void begin(struct notify *n)
{
	uv_update_time(n->tick.loop);
	uv_timer_start(&n->tick, on_tick, TICK_MS, TICK_MS);
	on_tick(&n->tick);
}

void notify_tell(struct notify *n, struct bytes soa)
{
	write_message(n, soa);
	for (size_t i = 0; i < n->count; i++)
		owe(&n->told[i]);
	begin(n);
}

static const struct told *find(const struct notify *n, const struct told *other)
{
	for (size_t i = 0; n != NULL && i < n->count; i++)
		if (same_address((const struct sockaddr *)&n->told[i].address, other))
			return &n->told[i];
	return NULL;
}

static void inherit(struct told *to, const struct told *from)
{
	to->id = from->id;
	to->tries_left = from->tries_left;
	to->is_waited_for = from->is_waited_for;
	to->is_doubtful = from->is_doubtful;
	to->wait_ms = from->wait_ms;
	to->next_ms = from->next_ms;
}

void notify_go_on(struct notify *n, const struct notify *before, struct bytes soa)
{
	write_message(n, soa);
	for (size_t i = 0; i < n->count; i++) {
		const struct told *from = find(before, &n->told[i]);

		if (from != NULL)
			inherit(&n->told[i], from);
		else
			owe(&n->told[i]);
	}
	begin(n);
}

/* --- answers --- */

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct told *to = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)to->answer, sizeof(to->answer));
}

static bool is_signed(const struct told *to, const uint8_t *data, size_t len)
{
	return to->key == NULL ||
	       (to->is_sent && tsig_believes(&to->asked, data, len, (uint64_t)clock_unix_s()));
}

/* Any answer will do: whoever refuses has heard as well. */
static void on_answer(uv_udp_t *socket, ssize_t len, const uv_buf_t *buf,
                      const struct sockaddr *from, unsigned flags)
{
	struct told *to = socket->data;
	const uint8_t *data = (const uint8_t *)buf->base;

	(void)flags;
	if (len < DNS_HEADER_LEN || !from || !same_address(from, to))
		return;
	if (bytes_get16(data) != to->id || !to->is_waited_for ||
	    (bytes_get16(data + 2) & FLAGS_ANSWER) != FLAGS_IS_ANSWER)
		return;
	to->is_doubtful = !is_signed(to, data, (size_t)len);
	if (to->is_doubtful)
		return;
	to->is_waited_for = false;
	to->tries_left = 0;
}

/* --- life --- */

static bool bind_to(struct told *to, const struct addr *addr)
{
	struct sockaddr_storage from;

	return addr->family != ADDR_NONE && addr_to_sockaddr(addr, 0, &from) > 0 &&
	       uv_udp_bind(&to->socket, (const struct sockaddr *)&from, 0) == 0;
}

struct notify *notify_start(uv_loop_t *loop, const uint8_t *apex, const char *zone,
                            const struct notify_target *to, size_t count)
{
	struct notify *n = xcalloc(1, sizeof(*n) + count * sizeof(n->told[0]));

	memcpy(n->apex, apex, name_wire_len(apex));
	n->zone = xstrdup(zone);
	n->count = count;
	n->open = 1;
	n->tick.data = n;
	CHECK(uv_timer_init(loop, &n->tick) == 0);
	for (size_t i = 0; i < count; i++) {
		struct told *one = &n->told[i];

		one->notify = n;
		one->socket.data = one;
		one->key = to[i].key;
		(void)addr_to_sockaddr(&to[i].addr, to[i].port, &one->address);
		CHECK(uv_udp_init(loop, &one->socket) == 0);
		n->open++;
	}
	for (size_t i = 0; i < count; i++)
		if (bind_to(&n->told[i], &to[i].from) ||
		    bind_to(&n->told[i], &(struct addr){.family = to[i].addr.family}))
			(void)uv_udp_recv_start(&n->told[i].socket, give_room, on_answer);
	return n;
}

static void closed_one(struct notify *n)
{
	if (--n->open > 0)
		return;
	free(n->zone);
	free(n);
}

static void on_socket_closed(uv_handle_t *handle)
{
	closed_one(((struct told *)handle->data)->notify);
}

static void on_tick_closed(uv_handle_t *handle) { closed_one(handle->data); }

void notify_free(struct notify *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		uv_close((uv_handle_t *)&n->told[i].socket, on_socket_closed);
	uv_close((uv_handle_t *)&n->tick, on_tick_closed);
}
