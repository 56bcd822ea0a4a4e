/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/member_nodes.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kube/object.h"
#include "kube/path.h"

enum {
	EVERY_MS = 300000,
	AGAIN_MS = 60000, /* after a failure */
	REPLY_MS = 30000,
	PAGE = 250,
	PAGE_MOST = 8 << 20, /* bytes */
	PAGES_MOST = 400,
	ZONES_MOST = 1000,
	VALUE_MOST = 63 /* of a label */
};

struct found {
	char *region;              /* NULL: none yet */
	struct json_object *zones; /* NULL: none yet */
};

struct member_nodes {
	struct kube_client *client;
	struct kube_request *request;
	int status;
	struct buffer body;
	bool too_long;
	unsigned pages;
	uint64_t due_ms, asked_ms;
	struct found reading, read;
};

static void drop(struct found *f)
{
	free(f->region);
	json_object_put(f->zones);
	*f = (struct found){0};
}

/* --- labels --- */

static struct bytes label_of(struct json_object *node, const char *newer, const char *older)
{
	struct bytes value = object_text(node, "metadata", "labels", newer, NULL);

	if (value.len == 0)
		value = object_text(node, "metadata", "labels", older, NULL);
	return value.len <= VALUE_MOST ? value : (struct bytes){NULL, 0};
}

static bool has_text(struct json_object *list, struct bytes text)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (bytes_equal_text(text, json_object_get_string(item)))
			return true;
	}
	return false;
}

static void add_zone(struct found *f, struct bytes zone)
{
	if (!f->zones)
		f->zones = json_object_new_array();
	if (json_object_array_length(f->zones) < ZONES_MOST && !has_text(f->zones, zone))
		json_object_array_add(f->zones, json_object_new_string_len((const char *)zone.data,
		                                                           (int)zone.len));
}

static void add_node(struct found *f, struct json_object *node)
{
	struct bytes region = label_of(node, "topology.kubernetes.io/region",
	                               "failure-domain.beta.kubernetes.io/region");
	struct bytes zone = label_of(node, "topology.kubernetes.io/zone",
	                             "failure-domain.beta.kubernetes.io/zone");

	if (!f->region && region.len > 0)
		f->region = text_copy(region);
	if (zone.len > 0)
		add_zone(f, zone);
}

static int by_text(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strcmp(json_object_get_string(*x), json_object_get_string(*y));
}

/* --- pages --- */

static void ask(struct member_nodes *n, struct bytes from);

static void fail(struct member_nodes *n)
{
	drop(&n->reading);
	n->due_ms = n->asked_ms + AGAIN_MS;
}

static void finish(struct member_nodes *n)
{
	drop(&n->read);
	n->read = n->reading;
	n->reading = (struct found){0};
	if (n->read.zones)
		json_object_array_sort(n->read.zones, by_text);
	n->due_ms = n->asked_ms + EVERY_MS;
}

static void take_page(struct member_nodes *n, struct json_object *page)
{
	struct bytes next = object_text(page, "metadata", "continue", NULL);
	struct json_object *items;

	if (json_object_object_get_ex(page, "items", &items) &&
	    json_object_is_type(items, json_type_array))
		for (size_t i = 0; i < json_object_array_length(items); i++)
			add_node(&n->reading, json_object_array_get_idx(items, i));
	if (next.len == 0)
		finish(n);
	else if (++n->pages < PAGES_MOST)
		ask(n, next);
	else
		fail(n);
}

static void on_done(enum err err, const char *why, void *arg)
{
	struct member_nodes *n = arg;
	struct json_tokener *tokener;
	struct json_object *page = NULL;

	(void)why;
	n->request = NULL;
	if (err == ERR_OK && n->status == 200 && !n->too_long) {
		tokener = json_tokener_new();
		page = object_parse(tokener, (struct bytes){n->body.data, n->body.len});
		json_tokener_free(tokener);
	}
	if (page)
		take_page(n, page);
	else
		fail(n);
	json_object_put(page);
	if (!n->request)
		buffer_fini(&n->body);
}

static void on_status(int status, uint64_t retry_after_ms, void *arg)
{
	(void)retry_after_ms;
	((struct member_nodes *)arg)->status = status;
}

static void on_body(struct bytes piece, void *arg)
{
	struct member_nodes *n = arg;

	n->too_long |= n->body.len + piece.len > PAGE_MOST;
	if (!n->too_long)
		buffer_put(&n->body, piece.data, piece.len);
}

static void ask(struct member_nodes *n, struct bytes from)
{
	const struct kube_events events = {on_status, on_body, on_done, n};
	struct kube_ask ask = {
		.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
		.reply_ms = REPLY_MS,
		.silence_ms = REPLY_MS,
		.compressed = true,
	};
	struct text path = {0};

	text_printf(&path, "/api/v1/nodes?limit=%d", PAGE);
	if (from.len > 0) {
		text_add(&path, "&continue=");
		kube_path_part(&path, from);
	}
	ask.path = path.data;
	n->status = 0;
	n->too_long = false;
	buffer_reset(&n->body);
	n->request = kube_client_ask(n->client, &ask, &events);
	text_fini(&path);
}

/* --- life --- */

struct member_nodes *member_nodes_new(struct kube_client *client)
{
	struct member_nodes *n = xcalloc(1, sizeof(*n));

	n->client = client;
	return n;
}

void member_nodes_free(struct member_nodes *n)
{
	kube_request_cancel(n->request);
	buffer_fini(&n->body);
	drop(&n->reading);
	drop(&n->read);
	free(n);
}

void member_nodes_look(struct member_nodes *n, uint64_t now_ms)
{
	if (n->request || now_ms < n->due_ms)
		return;
	n->asked_ms = now_ms;
	n->pages = 0;
	ask(n, (struct bytes){NULL, 0});
}

const char *member_nodes_region(const struct member_nodes *n)
{
	return n->read.region ? n->read.region : "";
}

struct json_object *member_nodes_zones(const struct member_nodes *n) { return n->read.zones; }
