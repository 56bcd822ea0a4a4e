/* fakeapi_history.c -- what has become of objects, one state after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>

#include "tests/support/fakeapi_inside.h"

unsigned fakeapi_changes(struct fakeapi *f, const char *resource, const char *object)
{
	const struct kind *k;
	unsigned count = 0;

	fake_lock(f);
	k = store_kind(f, resource);
	for (size_t i = 0; i < k->event_count; i++)
		count += strcmp(k->events[i].object->key, object) == 0;
	fake_unlock(f);
	return count;
}

/* Counters, times, and who wrote what: they are others in each state. */
static void strip(struct json_object *value)
{
	static const char *const names[] = {"resourceVersion",    "generation",
	                                    "observedGeneration", "managedFields",
	                                    "lastProbeTime",      "lastUpdateTime"};

	for (size_t i = 0;
	     json_object_is_type(value, json_type_object) && i < sizeof(names) / sizeof(*names);
	     i++)
		json_object_object_del(value, names[i]);
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, inner)
		{
			(void)name;
			strip(inner);
		}
	}
	for (size_t i = 0;
	     json_object_is_type(value, json_type_array) && i < json_object_array_length(value);
	     i++)
		strip(json_object_array_get_idx(value, i));
}

static struct json_object *state_of(const struct event *e)
{
	struct json_object *state = json_tokener_parse(e->object->text);

	strip(state);
	return state;
}

/* Is it what it was before some other state? */
static bool comes_back(const struct kind *k, size_t at)
{
	struct json_object *is = state_of(&k->events[at]);
	bool was_other = false, found = false;

	for (size_t i = at; i > 0 && !found; i--) {
		const struct event *e = &k->events[i - 1];
		struct json_object *was;
		bool same;

		if (strcmp(e->object->key, k->events[at].object->key) != 0)
			continue;
		was = state_of(e);
		same = json_object_equal(is, was);
		found = same && was_other;
		was_other |= !same;
		json_object_put(was);
	}
	json_object_put(is);
	return found;
}

static bool tell_return(struct fakeapi *f, const struct kind *k)
{
	for (size_t i = 0; i < k->event_count; i++) {
		if (k->events[i].change != CHANGE_MODIFIED || !comes_back(k, i))
			continue;
		text_reset(&f->said);
		for (size_t e = 0; e < k->event_count; e++)
			if (strcmp(k->events[e].object->key, k->events[i].object->key) == 0)
				text_printf(&f->said, "\n%s%s", e == i ? "=> " : "   ",
				            k->events[e].object->text);
		return true;
	}
	return false;
}

const char *fakeapi_returned(struct fakeapi *f)
{
	bool any = false;

	fake_lock(f);
	for (size_t i = 0; i < f->kind_count && !any; i++)
		any = tell_return(f, f->kinds[i]);
	fake_unlock(f);
	return any ? f->said.data : NULL;
}
