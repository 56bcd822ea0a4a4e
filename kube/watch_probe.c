/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch_probe.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "kube/splitter.h"

enum { OBJECT_MOST = 64 * 1024 /* that it is longer is no harm */ };

struct watch_probe {
	struct kube_request *request;
	struct splitter *splitter;
	int status;
	bool failed;
	struct text version;
	watch_probe_on_done_fn *on_done;
	void *arg;
};

static void free_probe(struct watch_probe *p)
{
	splitter_free(p->splitter);
	text_fini(&p->version);
	free(p);
}

static bool on_object(struct bytes json, void *arg)
{
	(void)json;
	(void)arg;
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
	struct watch_probe *p = arg;
	json_tokener *tokener = json_tokener_new_ex(SPLITTER_DEPTH + 2);
	struct json_object *list;

	CHECK(tokener != NULL);
	list = object_parse(tokener, json);
	text_reset(&p->version);
	text_add_bytes(&p->version, object_text(list, "metadata", "resourceVersion", NULL));
	json_object_put(list);
	json_tokener_free(tokener);
}

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	struct watch_probe *p = arg;

	(void)retry_after_ms;
	p->status = status;
}

static void on_body(struct bytes piece, void *arg)
{
	struct watch_probe *p = arg;
	struct reason why;

	if (p->status == 200 && splitter_feed(p->splitter, piece, &why) != ERR_OK)
		p->failed = true;
}

static void on_done(enum err err, const char *why, void *arg)
{
	struct watch_probe *p = arg;

	(void)why;
	if (err == ERR_OK && (p->failed || p->status != 200 || p->version.len == 0))
		err = ERR_UNREACHABLE;
	p->on_done(err, p->status, bytes_of(p->version.data), p->arg);
	free_probe(p);
}

struct watch_probe *watch_probe_start(struct kube_client *client, const struct kube_ask *ask,
                                      watch_probe_on_done_fn *told, void *arg)
{
	struct watch_probe *p = xcalloc(1, sizeof(*p));
	const struct kube_events events = {on_status, on_body, on_done, p};
	const struct splitter_events pieces = {on_object, on_skipped, on_envelope, p};

	text_add(&p->version, "");
	p->on_done = told;
	p->arg = arg;
	p->splitter = splitter_new(SPLITTER_LIST, OBJECT_MOST, &pieces);
	p->request = kube_client_ask(client, ask, &events);
	return p;
}

void watch_probe_cancel(struct watch_probe *p)
{
	if (!p)
		return;
	kube_request_cancel(p->request);
	free_probe(p);
}
