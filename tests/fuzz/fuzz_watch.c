/* fuzz_watch.c -- any bytes as what an API server answers: events of a watch, pages of a list, words of a refusal. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "kube/object.h"
#include "kube/splitter.h"
#include "kube/watch_answer.h"
#include "kube/watch_event.h"
#include "records/fact.h"
#include "watcher/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 16, WORDS_MOST = 1024 };

static const char token[] = "canary-in-the-mine-0123456789";

struct run {
	struct json_tokener *tokener;
	struct kube_watch_settings settings;
	bool is_watch;
};

static void take(struct json_object *object, const struct run *run)
{
	struct arena *arena = arena_new();
	const struct fact *fact = NULL;
	struct reason why = {0};

	object_complete(object, run->settings.resource.kind, "v1", run->settings.metadata_only);
	if (decode_object(object, DECODE_MEMBER, arena, &fact, &why) != ERR_OK)
		CHECK(!fact && why.text[0] != '\0');
	fact_unref(fact);
	arena_free(arena);
}

static bool on_object(struct bytes json, void *arg)
{
	const struct run *run = arg;
	struct json_object *object = object_parse(run->tokener, json);
	struct watch_event event;

	if (run->is_watch) {
		watch_event_read(object, run->settings.resource.kind, run->settings.metadata_only,
		                 &event);
		CHECK(event.object || event.type == WATCH_EVENT_ERROR ||
		      event.type == WATCH_EVENT_BAD);
		if (event.type == WATCH_EVENT_ADDED || event.type == WATCH_EVENT_MODIFIED)
			take(event.object, run);
	} else if (object) {
		take(object, run);
	}
	json_object_put(object);
	return true;
}

static void on_skipped(struct bytes type, struct bytes namespace, struct bytes name, uint64_t len,
                       void *arg)
{
	(void)type;
	(void)namespace;
	(void)name;
	(void)len;
	(void)arg;
}

static void on_envelope(struct bytes json, void *arg)
{
	const struct run *run = arg;
	struct json_object *list = object_parse(run->tokener, json);
	struct bytes version, more;

	if (watch_answer_is_list(list, &run->settings, &version, &more))
		(void)object_is_older(version, more);
	json_object_put(list);
}

static void split(struct run *run, struct bytes body)
{
	const struct splitter_events events = {on_object, on_skipped, on_envelope, run};
	struct splitter *s =
		splitter_new(run->is_watch ? SPLITTER_WATCH : SPLITTER_LIST, MOST, &events);
	struct reason why = {0};

	if (splitter_feed(s, body, &why) != ERR_OK)
		CHECK(why.text[0] != '\0');
	splitter_free(s);
}

/* One line, and never the token that was sent. */
static void refuse(struct run *run, struct bytes body, int status)
{
	struct kube_access access = {0};
	struct text words;

	kube_secret_set(&access.token, bytes_of(token));
	words = watch_answer_words(run->tokener, body, status, &access);
	CHECK(words.len > 0 && words.len <= WORDS_MOST);
	CHECK(!strchr(words.data, '\n') && !strstr(words.data, token));
	text_fini(&words);
	kube_access_fini(&access);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.settings.resource = {"", "v1", "services", "Service"}};

	if (size < 1)
		return 0;
	run.tokener = json_tokener_new_ex(SPLITTER_DEPTH + 2);
	json_tokener_set_flags(run.tokener, JSON_TOKENER_STRICT);
	/* The first byte tells what was asked. */
	run.is_watch = data[0] & 1;
	run.settings.metadata_only = data[0] & 2;
	split(&run, (struct bytes){data + 1, size - 1});
	refuse(&run, (struct bytes){data + 1, size - 1}, 400 + (data[0] >> 2));
	json_tokener_free(run.tokener);
	return 0;
}
