/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/sockets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "dnsd/tcp.h"
#include "dnsd/udp.h"

enum { BIND_TRIES = 32 /* to find one port that is free for UDP and TCP */ };

void sockets_put(struct sockets *s, const struct sockets_item *item)
{
	s->item = xreallocarray(s->item, s->count + 1, sizeof *s->item);
	s->item[s->count++] = *item;
}

static bool is_of(const struct sockets_item *item, const struct sockets_item *row)
{
	return item->kind == row->kind && item->asked == row->asked &&
	       addr_equal(&item->addr, &row->addr);
}

size_t sockets_move(struct sockets *from, struct sockets *to, const struct sockets_item *row,
                    unsigned workers, uint16_t *port)
{
	size_t kept = 0, moved = 0;

	for (size_t i = 0; i < from->count; i++) {
		struct sockets_item item = from->item[i];

		if (!is_of(&item, row) || (*port != 0 && item.port != *port)) {
			from->item[kept++] = item;
			continue;
		}
		*port = item.port;
		item.worker = (unsigned)(moved++ % workers);
		sockets_put(to, &item);
	}
	from->count = kept;
	return moved;
}

/* The last ones, until `count` are left. */
static void shorten(struct sockets *s, size_t count)
{
	while (s->count > count) {
		const struct sockets_item *item = &s->item[--s->count];

		if (item->fd >= 0)
			close(item->fd);
	}
}

void sockets_drop(struct sockets *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (s->item[i].fd >= 0)
			close(s->item[i].fd);
	s->count -= count;
	memmove(s->item, s->item + count, s->count * sizeof *s->item);
}

void sockets_close(struct sockets *s)
{
	shorten(s, 0);
	free(s->item);
	*s = (struct sockets){0};
}

/* --- opening --- */

/* One more of the item's kind, for its worker; its port is set when it was 0. */
static enum err open_one(struct sockets *s, struct sockets_item *item, struct reason *why)
{
	enum err err;

	if (item->kind == SOCKETS_UDP)
		err = udp_open(&item->addr, item->port, true, &item->fd, why);
	else
		err = tcp_open(&item->addr, item->port, true, &item->fd, &item->port, why);
	if (err == ERR_OK)
		sockets_put(s, item);
	return err;
}

/* All workers' on the port that is there, or on one that the kernel chooses for the first of them. */
static enum err open_pairs(struct sockets *s, const struct addr *addr, unsigned workers,
                           uint16_t *port, struct reason *why)
{
	struct sockets_item item = {.addr = *addr, .asked = *port, .port = *port};
	size_t before = s->count;

	for (item.worker = 0; item.worker < workers; item.worker++) {
		enum err err;

		item.kind = SOCKETS_TCP;
		err = open_one(s, &item, why);
		item.kind = SOCKETS_UDP;
		if (err == ERR_OK)
			err = open_one(s, &item, why);
		if (err != ERR_OK) {
			shorten(s, before);
			return err;
		}
	}
	*port = item.port;
	return ERR_OK;
}

enum err sockets_probe(const struct addr *addr, uint16_t port, struct reason *why)
{
	int fd;
	enum err err;

	if (port == 0)
		return ERR_OK;
	err = udp_open(addr, port, false, &fd, why);
	if (err == ERR_OK)
		close(fd);
	return err;
}

enum err sockets_open_dns(struct sockets *s, const struct addr *addr, unsigned workers,
                          uint16_t *port, struct reason *why)
{
	unsigned tries = *port == 0 ? BIND_TRIES : 1;
	enum err err;

	do
		err = open_pairs(s, addr, workers, port, why);
	while (err == ERR_CONFLICT && --tries > 0);
	return err;
}

enum err sockets_open_tls(struct sockets *s, const struct addr *addr, unsigned workers,
                          uint16_t *port, struct reason *why)
{
	struct sockets_item item = {
		.kind = SOCKETS_TLS, .addr = *addr, .asked = *port, .port = *port};
	size_t before = s->count;
	enum err err = ERR_OK;

	if (item.port != 0) {
		/* As sockets_probe(). */
		err = tcp_open(addr, item.port, false, &item.fd, &item.port, why);
		if (err != ERR_OK)
			return err;
		close(item.fd);
	}
	for (item.worker = 0; item.worker < workers && err == ERR_OK; item.worker++)
		err = open_one(s, &item, why);
	if (err != ERR_OK)
		shorten(s, before);
	else
		*port = item.port;
	return err;
}

/* Has an earlier one the same address?  Then that one stood for all of them. */
static bool is_first(const struct sockets *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_of(&s->item[k], &s->item[i]) && s->item[k].port == s->item[i].port)
			return false;
	return true;
}

static unsigned count_alike(const struct sockets *s, const struct sockets_item *item)
{
	unsigned count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += is_of(&s->item[i], item) && s->item[i].port == item->port;
	return count;
}

void sockets_widen(struct sockets *s, unsigned workers)
{
	size_t before = s->count;

	for (size_t i = 0; i < before; i++) {
		struct sockets_item item = s->item[i];
		char text[ADDR_PORT_TEXT_SIZE];
		struct reason why = {0};
		enum err err = ERR_OK;

		if (!is_first(s, i))
			continue;
		for (item.worker = count_alike(s, &item); item.worker < workers && err == ERR_OK;
		     item.worker++)
			err = open_one(s, &item, &why);
		if (err != ERR_OK)
			log_warn("dnsd", "%s: not every worker has a socket: %s",
			         addr_port_print(&item.addr, item.port, text), why.text);
	}
}
