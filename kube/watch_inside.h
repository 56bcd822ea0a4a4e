/* watch_inside.h -- the parts of a watch: watch.c asks and decides what is next, watch_take.c takes what comes.
 *
 * For watch*.c alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_WATCH_INSIDE_H
#define KUBE_WATCH_INSIDE_H

#include <json-c/json_tokener.h>

#include "base/text.h"
#include "kube/splitter.h"
#include "kube/watch.h"
#include "kube/watch_probe.h"

enum phase {
	RESTING,   /* the timer goes on with it */
	LISTING,   /* pages */
	STREAMING, /* WatchList: the initial events */
	CHECKING,  /* a list of one object, before a watch goes on over a new connection */
	WATCHING
};

struct kube_watch {
	struct kube_client *client;
	struct kube_backoff *backoff;
	struct kube_watch_settings settings;
	struct kube_watch_events events;
	struct kube_watch_counts counts;
	struct text api_version; /* "discovery.k8s.io/v1" */
	uv_timer_t timer;

	enum phase phase;
	struct kube_request *request; /* of the phase */
	struct splitter *splitter;
	json_tokener *tokener;
	int status; /* 0: no answer yet */
	uint64_t retry_after_ms;
	struct buffer words; /* of an answer that is no success */
	bool whole;          /* the envelope of a list has come */
	bool failed;         /* this request has been given up; its rest is not read */

	struct text version; /* resourceVersion up to which all is known; empty: a list is needed */
	struct text more;    /* continue token of the next page */
	bool begun_over;     /* the list, because its token expired */
	bool must_check;     /* the connection broke since `version` */
	bool no_streaming;   /* the server does not offer it after all */
	size_t objects;      /* there are about so many */
	bool page_has_any;   /* of them */
	uint64_t began_ms;   /* the watch */
	uint64_t heard_ms;   /* the last byte of it */
	bool moved;          /* `version` has, since then */
	uint64_t anew_ms; /* the last time a list had to be begun for no other reason; 0: never */

	struct watch_probe *probe;   /* beside a silent watch */
	struct watch_probe *right;   /* whether it may still be seen */
	struct text checked_version; /* that a list of one object had */

	enum kube_sight sight;
	bool sighted; /* on_sight has been called */
	struct text why;
	bool stopped;
};

/* --- watch.c --- */
void watch_tell_sight(struct kube_watch *w, enum kube_sight sight, const char *why);
/* It is tried again after a while, as other failures of this server are. */
void watch_fail(struct kube_watch *w, const char *why);
void watch_fail_after(struct kube_watch *w, enum kube_sight sight, const char *why,
                      uint64_t at_least_ms);
/* What is known is not the server's present any more: a list. */
void watch_list_anew(struct kube_watch *w);
void watch_forget_version(struct kube_watch *w);
void watch_give_up_streaming(struct kube_watch *w);
/* What a server may ask for. */
uint64_t watch_patience_ms(uint64_t retry_after_ms);
void watch_set_text(struct text *to, struct bytes from);
void watch_on_timer(uv_timer_t *timer);

/* --- watch_take.c --- */
/* One whole object: an item of a list, or an event; NULL: it was not JSON. */
void watch_take(struct json_object *object, void *watch);
/* One more of them: false when there are too many, and it has failed. */
bool watch_has_room(struct kube_watch *w);
/* The list is complete. */
void watch_become_listed(struct kube_watch *w);

#endif
