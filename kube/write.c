/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/write.h"

#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "kube/splitter.h"

struct kube_writing {
	struct kube_client *client;
	struct kube_request *request;
	struct text path;
	struct buffer said;
	size_t answer_most;
	bool too_long;
	bool creates, of_secret;
	int status;
	uint64_t retry_after_ms;
	kube_on_answer_fn *on_done;
	void *arg;
};

/* --- what is asked --- */

static const struct {
	const char *method, *content_type;
} verbs[] = {
	[KUBE_GET] = {"GET", NULL},
	[KUBE_LIST] = {"GET", NULL},
	[KUBE_CREATE] = {"POST", "application/json"},
	[KUBE_APPLY] = {"PATCH", "application/apply-patch+yaml"},
	[KUBE_REPLACE] = {"PUT", "application/json"},
	[KUBE_MERGE_PATCH] = {"PATCH", "application/merge-patch+json"},
	[KUBE_JSON_PATCH] = {"PATCH", "application/json-patch+json"},
	[KUBE_DELETE] = {"DELETE", "application/json"},
};

static void add_parameter(struct text *path, const char *name, const char *value)
{
	if (!value)
		return;
	text_printf(path, "%c%s=", strchr(path->data, '?') ? '&' : '?', name);
	kube_path_part(path, bytes_of(value));
}

static void add_path(struct text *path, const struct kube_write *write)
{
	char limit[16];

	if (write->path) {
		text_add(path, write->path);
		return;
	}
	kube_path(path, &write->resource, write->namespace, write->name);
	if (write->subresource) {
		text_add(path, "/");
		kube_path_part(path, bytes_of(write->subresource));
	}
	(void)snprintf(limit, sizeof(limit), "%u", write->limit);
	add_parameter(path, "labelSelector", write->labels);
	add_parameter(path, "fieldSelector", write->fields);
	add_parameter(path, "limit", write->limit > 0 ? limit : NULL);
	add_parameter(path, "fieldManager", write->field_manager);
	add_parameter(path, "force", write->force ? "true" : NULL);
	add_parameter(path, "dryRun", write->dry_run ? "All" : NULL);
	add_parameter(path, "fieldValidation", write->field_validation);
}

/* --- what comes --- */

static void free_writing(struct kube_writing *w)
{
	text_fini(&w->path);
	if (w->said.data)
		explicit_bzero(w->said.data, w->said.len);
	buffer_fini(&w->said);
	free(w);
}

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	struct kube_writing *w = arg;

	w->status = status;
	w->retry_after_ms = retry_after_ms;
}

static void finish(struct kube_writing *w, struct kube_answer *answer)
{
	w->request = NULL;
	w->on_done(answer, w->arg);
	kube_answer_fini(answer);
	free_writing(w);
}

static void on_done(enum err err, const char *why, void *arg)
{
	struct kube_writing *w = arg;
	struct kube_answer answer;
	json_tokener *tokener;

	if (err == ERR_OK && w->too_long) {
		err = ERR_NOSPACE;
		why = "the answer is too long";
	}
	if (err != ERR_OK) {
		kube_answer_fail(&answer, err, w->status, why);
	} else {
		const struct kube_answer_parts parts = {
			.status = w->status,
			.retry_after_ms = w->retry_after_ms,
			.body = {w->said.data, w->said.len},
			.creates = w->creates,
			.of_secret = w->of_secret,
		};

		tokener = json_tokener_new_ex(SPLITTER_DEPTH + 2);
		CHECK(tokener != NULL);
		kube_answer_read(&answer, tokener, &parts, kube_client_access(w->client));
		json_tokener_free(tokener);
	}
	finish(w, &answer);
}

/* The rest of one that is too long is passed over; how much that may be, its deadline bounds. */
static void on_body(struct bytes piece, void *arg)
{
	struct kube_writing *w = arg;

	w->too_long |= piece.len > w->answer_most - w->said.len;
	if (!w->too_long)
		buffer_put(&w->said, piece.data, piece.len);
}

/* --- life --- */

struct kube_writing *kube_write_start(struct kube_client *client, const struct kube_write *write,
                                      kube_on_answer_fn *told, void *arg)
{
	struct kube_writing *w = xcalloc(1, sizeof(*w));
	const struct kube_events events = {on_status, on_body, on_done, w};
	struct kube_ask ask = {.method = verbs[write->verb].method};

	CHECK(write->path ? write->verb == KUBE_GET
	                  : write->name || write->verb == KUBE_LIST ||
	                            (write->verb == KUBE_CREATE && !write->subresource));
	CHECK(write->verb != KUBE_APPLY || write->field_manager);
	w->client = client;
	w->on_done = told;
	w->arg = arg;
	w->creates = write->verb == KUBE_CREATE;
	w->of_secret = !write->path && strcmp(write->resource.plural, "secrets") == 0;
	w->answer_most = write->answer_most > 0 ? write->answer_most : KUBE_ANSWER_MOST;
	add_path(&w->path, write);
	ask.path = w->path.data;
	ask.whole_ms = write->deadline_ms > 0 ? write->deadline_ms : KUBE_WRITE_MS;
	ask.reply_ms = ask.whole_ms;
	if (write->body.len > 0) {
		ask.content_type = verbs[write->verb].content_type;
		ask.body = write->body;
	}
	w->request = kube_client_ask(client, &ask, &events);
	return w;
}

void kube_write_cancel(struct kube_writing *w)
{
	if (!w || !w->request)
		return;
	kube_request_cancel(w->request);
	free_writing(w);
}

/* --- DeleteOptions --- */

static void add_member(struct text *out, const char *name, const char *value)
{
	if (!value)
		return;
	text_add(out, out->data[out->len - 1] == '{' ? "" : ",");
	text_printf(out, "\"%s\":", name);
	text_add_json(out, bytes_of(value));
}

void kube_delete_options(struct text *out, const char *propagation, const char *uid,
                         const char *version)
{
	text_add(out, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\"");
	add_member(out, "propagationPolicy", propagation);
	if (uid || version) {
		text_add(out, ",\"preconditions\":{");
		add_member(out, "uid", uid);
		add_member(out, "resourceVersion", version);
		text_add(out, "}");
	}
	text_add(out, "}");
}
