/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json_object.h>
#include <stdio.h>

#include "base/clock.h"
#include "kube/object.h"
#include "kube/watch_event.h"
#include "kube/watch_inside.h"

/* --- objects --- */

/* Not one of ours: a proxy that answers for another, or a list of something else. */
static void on_strange(struct kube_watch *w, struct json_object *object, const char *why)
{
	w->counts.bad_events++;
	w->events.on_skipped(object_text(object, "metadata", "namespace", NULL),
	                     object_text(object, "metadata", "name", NULL), why, w->events.arg);
}

static void put(struct kube_watch *w, struct json_object *object)
{
	object_complete(object, w->settings.resource.kind, w->api_version.data,
	                w->settings.metadata_only);
	if (object_text(object, "metadata", "name", NULL).len == 0)
		on_strange(w, object, "an object without a name");
	else if (!bytes_equal_text(object_text(object, "kind", NULL), w->settings.resource.kind))
		on_strange(w, object, "an object of another kind");
	else
		w->events.on_put(object, w->events.arg);
}

bool watch_has_room(struct kube_watch *w)
{
	char why[96];

	if (++w->objects <= w->settings.objects_most)
		return true;
	(void)snprintf(why, sizeof(why), "there are more than %zu of them",
	               w->settings.objects_most);
	watch_forget_version(w);
	watch_fail(w, why);
	return false;
}

/* --- events of a watch --- */

static void on_error_event(struct kube_watch *w, const struct watch_event *e)
{
	char why[64];

	if (w->phase == STREAMING && e->code != 410 && e->code != 429 && e->code != 503) {
		watch_give_up_streaming(w);
	} else if (e->code == 410) {
		watch_list_anew(w);
	} else {
		(void)snprintf(why, sizeof(why), "the watch ended with error %ld", e->code);
		watch_fail_after(w, KUBE_LOST, why, watch_patience_ms(e->retry_after_ms));
	}
}

void watch_become_listed(struct kube_watch *w)
{
	w->begun_over = w->must_check = false;
	w->events.on_listed(w->events.arg);
	watch_tell_sight(w, KUBE_SEEN, NULL);
}

/* The stream of a WatchList goes on as the watch. */
static void on_streamed(struct kube_watch *w)
{
	w->phase = WATCHING;
	w->began_ms = clock_monotonic_ms();
	w->moved = false;
	uv_timer_start(&w->timer, watch_on_timer, w->settings.silence_ms, 0);
	watch_become_listed(w);
}

static void on_gone(struct kube_watch *w, struct json_object *object)
{
	if (w->objects > 0)
		w->objects--;
	w->events.on_gone(object_text(object, "metadata", "namespace", NULL),
	                  object_text(object, "metadata", "name", NULL), w->events.arg);
}

/* Initial events come in any order, and before their end nothing is complete.  Afterwards an event of the past is no
 * news: what is true now, a list says. */
static bool follow_version(struct kube_watch *w, const struct watch_event *e)
{
	if (w->phase == STREAMING && e->type != WATCH_EVENT_LISTED)
		return true;
	if (object_is_older(e->version, bytes_of(w->version.data))) {
		w->counts.bad_events++;
		watch_list_anew(w);
		return false;
	}
	if (e->version.len > 0) {
		w->moved |= !bytes_equal_text(e->version, w->version.data);
		watch_set_text(&w->version, e->version);
	}
	return true;
}

static void act_on(struct kube_watch *w, const struct watch_event *e)
{
	switch (e->type) {
	case WATCH_EVENT_ADDED:
		if (watch_has_room(w))
			put(w, e->object);
		break;
	case WATCH_EVENT_MODIFIED:
		/* Of a list, each counts, as each may be another. */
		if (w->phase != STREAMING || watch_has_room(w))
			put(w, e->object);
		break;
	case WATCH_EVENT_DELETED:
		on_gone(w, e->object);
		break;
	case WATCH_EVENT_LISTED:
		if (w->phase == STREAMING && w->version.len > 0)
			on_streamed(w);
		break;
	case WATCH_EVENT_STRANGE:
		on_strange(w, e->object, "an object of another kind");
		break;
	case WATCH_EVENT_ERROR:
		on_error_event(w, e);
		break;
	case WATCH_EVENT_BAD:
		w->counts.bad_events++;
		break;
	case WATCH_EVENT_BOOKMARK:
		break;
	}
}

static void on_event(struct kube_watch *w, struct json_object *json)
{
	struct watch_event e;

	w->counts.events++;
	watch_event_read(json, w->settings.resource.kind, w->settings.metadata_only, &e);
	if (follow_version(w, &e))
		act_on(w, &e);
}

void watch_take(struct json_object *object, void *arg)
{
	struct kube_watch *w = arg;

	if (!object)
		watch_fail(w, "sends what is not JSON");
	else if (w->phase == WATCHING || w->phase == STREAMING)
		on_event(w, object);
	else if (w->phase == LISTING && watch_has_room(w))
		put(w, object);
}
