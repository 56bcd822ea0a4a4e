/* orders.h -- what the HTTP thread has the control thread do to a zone or name, one order at a time.
 *
 * The one waits for the other, at most a second; what takes longer is begun and seen in /status.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_ORDERS_H
#define DNSD_ORDERS_H

#include <stdint.h>
#include <uv.h>

#include "base/err.h"

enum order {
	ORDER_RELEASE, /* what the guard holds; result: 0 */
	ORDER_RELOAD,  /* read the zone's file; result: the number of that reading */
	ORDER_NOTIFY,  /* tell its secondaries, or those of all zones; result: how many there are */
	ORDER_FAILBACK /* let sites that wait to come back have clients; result: how many waited */
};
#define ORDERS_ALL_ZONES ""

/* What it is about, as somebody typed it. */
struct order_about {
	const char *name; /* of the zone, or with ORDER_FAILBACK the name, in presentation form */
	/* Of ORDER_FAILBACK, which is about the sites that all of these which are not NULL, name too, say; one is there. */
	const char *cluster;
	const char *policy; /* "NAMESPACE/NAME" of their names */
};
/* Obeys on the control thread. */
typedef enum err order_fn(enum order order, const struct order_about *about, void *arg,
                          uint64_t *result, struct reason *why);

struct orders;

struct orders *orders_new(uv_loop_t *loop, order_fn *obey, void *arg);
/* Any thread but the control thread, one at a time.  What obey() says, or ERR_TIMEOUT. */
enum err orders_give(struct orders *o, enum order order, const struct order_about *about,
                     uint64_t *result, struct reason *why) MUST_CHECK;
/* Nobody gives orders any more.  Frees. */
void orders_stop(struct orders *o, void (*on_stopped)(void *arg), void *arg);

#endif
