/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/tcp_inside.h"

/* A transfer that waits for the one before it: a secondary may ask for several on one connection (RFC 5936 4.1.1), and gets
 * each whole.  Until its turn nothing of the zone is held for it. */
struct tcp_later {
	struct tcp_later *next;
	struct transfer *transfer;
	struct name apex;
	bool is_ixfr;
	uint32_t from;
};

/* --- places: a worker has so many, and who does not read keeps one until the deadline --- */

static bool take_place(struct connection *c)
{
	struct tcp *t = c->tcp;
	const struct connection **free_place = NULL;
	unsigned of_network = 0;

	for (unsigned i = 0; i < TCP_TRANSFERS_MOST; i++) {
		const struct connection *other = t->transferring[i];

		if (other == NULL)
			free_place = &t->transferring[i];
		else if (c->network.family != ADDR_NONE)
			of_network += addr_equal(&other->network, &c->network);
	}
	if (free_place == NULL || of_network >= TCP_TRANSFERS_OF_NETWORK)
		return false;
	*free_place = c;
	return true;
}

static void leave_place(const struct connection *c)
{
	for (unsigned i = 0; i < TCP_TRANSFERS_MOST; i++)
		if (c->tcp->transferring[i] == c)
			c->tcp->transferring[i] = NULL;
}

/* --- one after the other --- */

static void on_ready(struct transfer *take_transfer, void *arg)
{
	struct connection *c = arg;

	c->asked = NULL;
	c->transfer = take_transfer;
	tcp_connection_go_on(c);
}

/* The first of those that wait, when none is under way. */
static void ask_for_next(struct connection *c)
{
	struct tcp *t = c->tcp;
	struct tcp_later *first = c->later;

	if (first == NULL || c->asked != NULL || c->transfer != NULL)
		return;
	c->later = first->next;
	c->later_count--;
	if (t->desk == NULL || !take_place(c))
		c->transfer = first->transfer; /* empty: a refusal */
	else
		c->asked = transfers_ask(t->desk, first->transfer, &first->apex,
		                         first->is_ixfr ? &first->from : NULL, on_ready, c);
	free(first);
}

void tcp_transfer_begin(struct connection *c)
{
	const struct responder *r = c->tcp->responder;
	const struct query *q = &r->query;
	struct tcp_later *last;

	tcp_count(c->tcp, STATS_TRANSFERS, 1);
	/* Sending what came before may have ended it. */
	if (uv_is_closing((uv_handle_t *)&c->handle))
		return;
	last = xcalloc(1, sizeof *last);
	last->transfer =
		transfer_new(q->id, (struct bytes){q->packet + DNS_HEADER_LEN, q->question_len},
	                     q->tsig_at != 0 ? &r->tsig : NULL);
	last->apex = q->name;
	last->is_ixfr = q->type == RR_IXFR;
	last->from = q->serial;
	if (c->later != NULL)
		c->latest->next = last;
	else
		c->later = last;
	c->latest = last;
	c->later_count++;
	ask_for_next(c);
}

static void end_one(struct connection *c)
{
	leave_place(c);
	transfers_forget(c->asked);
	transfer_free(c->transfer);
	c->asked = NULL;
	c->transfer = NULL;
}

void tcp_transfer_send(struct connection *c, unsigned most)
{
	struct tcp *t = c->tcp;

	while (c->transfer != NULL && most > 0 && tcp_has_turn(t) && !tcp_is_paused(c)) {
		size_t len = transfer_next(c->transfer, (uint64_t)clock_unix_s(), t->out + 2);

		if (len == 0) {
			end_one(c);
			ask_for_next(c);
			continue;
		}
		bytes_put16(t->out, (uint16_t)len);
		tcp_spend(t, len);
		tcp_connection_touch(c);
		most--;
		tcp_connection_send(c, t->out, 2 + len);
	}
}

void tcp_transfer_forget(struct connection *c)
{
	struct tcp_later *next;

	end_one(c);
	for (struct tcp_later *l = c->later; l != NULL; l = next) {
		next = l->next;
		transfer_free(l->transfer);
		free(l);
	}
	c->later = NULL;
	c->later_count = 0;
}
