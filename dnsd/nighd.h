/* nighd.h -- the process: what main.c puts together, and replace.c hands over to the next one.
 *
 * Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_NIGHD_H
#define DNSD_NIGHD_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "base/text.h"
#include "dnsd/admin.h"
#include "dnsd/config.h"
#include "dnsd/pipeline.h"
#include "dnsd/server.h"
#include "dnsd/takeover.h"
#include "dnsd/takeover_desk.h"
#include "dnsd/tls_watch.h"
#include "dnsd/transfers.h"

struct flags {
	const char *config;
	struct text manifests, dns; /* items, a newline between them */
	const char *http, *workers, *state, *kubeconfig, *context;
	bool check, print, takeover;
};

struct nighd {
	struct flags flags;
	uv_loop_t loop;
	struct config *config;
	struct config *started; /* what it was started with: some settings stay so */
	struct config *fresh;   /* being taken up, or NULL */
	bool hung_up;           /* the config is to be read again */
	struct server *server;
	struct transfers *transfers;
	struct tls *tls; /* NULL: none is configured */
	struct tls_watch *tls_watch;
	struct admin *admin;
	struct pipeline *pipeline;
	struct admin_pulse pulse;
	uv_signal_t hangup, terminate, interrupt;
	uv_timer_t listening; /* to what the workers would have said */

	/* replace.c's */
	struct text identity;      /* by which the next one finds this one */
	struct takeover *takeover; /* from whom; NULL: nobody, or it is over */
	struct takeover_desk *desk;
	int meeting;            /* where the desk will be; -1: nowhere, or it is there */
	int http;               /* the socket of listen.http; -1: to be opened, or taken */
	uv_timer_t replacing;   /* until it takes over, or until its last connections have ended */
	unsigned looks;         /* whether it can take over */
	uv_poll_t arriving;     /* connections of the one before */
	int arriving_from;      /* -1: none comes */
	struct sockets leaving; /* this one's, ... */
	int leaving_to;         /* ... for the next one; -1: nowhere */
	uint64_t retired_ms;    /* monotonic: when the next one took over; 0: it has not */
	bool is_ending;
	bool has_failed; /* it could not take over */
};

/* Everything that answers, in order; all that it needs is there (main.c). */
enum err nighd_serve(struct nighd *n, struct reason *why) MUST_CHECK;
/* Says where it listens. */
void nighd_say_listening(const struct nighd *n);
/* No system call any more that it does not need. */
void nighd_enter_sandbox(const struct nighd *n);
/* Ends all, once. */
void nighd_end(struct nighd *n);

/* --- replace.c: one nighd after the other --- */

/* Before anything is bound: with --takeover, asks the running one what it has.  Fails when there is one that does not
 * give it. */
enum err replace_begin(struct nighd *n, struct reason *why) MUST_CHECK;
/* The sockets that were got; NULL: none. */
struct sockets *replace_sockets(struct nighd *n);
/* The socket of listen.http, and the meeting point for who comes after this process: got, or opened before root is given
 * up. */
enum err replace_bind(struct nighd *n, struct reason *why) MUST_CHECK;
/* After an error of binding, ERR_CONFLICT: it may be that the nighd runs that --takeover would take over from. */
void replace_hint(const struct nighd *n, struct reason *why);
/* pipeline_start() with what was got. */
enum err replace_start_pipeline(struct nighd *n, struct reason *why) MUST_CHECK;
/* Waits until it can answer as well as the running one, then takes over.  A failure ends the process. */
void replace_wait(struct nighd *n);
/* From now on the next one may ask. */
void replace_offer(struct nighd *n);
/* All handles of the above end; what was not taken is closed. */
void replace_stop(struct nighd *n);

#endif
