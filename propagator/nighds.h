/* nighds.h -- the replicas of nighd: found, and asked one after the other for their /status.
 *
 * Either the ready pods of a namespace of the host, through its API server's proxy, or those at URLs.  Each has 5 s and
 * 16 MiB; there are 64 at most, as many as nighd's vote has.  On the loop's thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_NIGHDS_H
#define PROPAGATOR_NIGHDS_H

#include <uv.h>

#include "base/conf.h"
#include "kube/transport.h"

struct json_object;
struct nighds;

enum { NIGHDS_MOST = 64 };

/* All is borrowed. */
struct nighds_settings {
	uv_loop_t *loop;
	struct kube_client *host;
	const char *namespace; /* of the pods */
	const struct conf_strings
		*urls; /* if there are any, these and no pods; options_check() has seen them */
};

struct nighds_events {
	/* `name` of a pod, or its URL. */
	void (*on_said)(const char *name, struct json_object *status, void *arg);
	/* That one cannot be read, or, where it is "", none is found. */
	void (*on_silent)(const char *name, const char *why, void *arg);
	/* All have been asked. */
	void (*on_done)(void *arg);
	void *arg;
};

struct nighds *nighds_start(const struct nighds_settings *settings,
                            const struct nighds_events *events);
void nighds_stop(struct nighds *n);

/* Asks them all, once; the events follow, never within this call.  Not while it is at it. */
void nighds_ask(struct nighds *n);

#endif
