/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch_query.h"

#define OF_METADATA ";g=meta.k8s.io;v=v1,application/json"

static void add_collection(struct text *path, const struct kube_watch_settings *s)
{
	kube_path(path, &s->resource, s->namespace, NULL);
}

static void add_selectors(struct text *path, const struct kube_watch_settings *s)
{
	if (s->name) {
		text_add(path, "&fieldSelector=metadata.name%3D");
		kube_path_part(path, bytes_of(s->name));
	}
	if (s->labels) {
		text_add(path, "&labelSelector=");
		kube_path_part(path, bytes_of(s->labels));
	}
}

void watch_query_page(struct text *path, const struct kube_watch_settings *s, const char *token)
{
	add_collection(path, s);
	text_printf(path, "?limit=%d", WATCH_QUERY_PAGE);
	if (*token != '\0') {
		text_add(path, "&continue=");
		kube_path_part(path, bytes_of(token));
	}
	add_selectors(path, s);
}

void watch_query_one(struct text *path, const struct kube_watch_settings *s)
{
	add_collection(path, s);
	text_add(path, "?limit=1");
	add_selectors(path, s);
}

void watch_query_stream(struct text *path, const struct kube_watch_settings *s, unsigned timeout_s)
{
	add_collection(path, s);
	text_printf(path,
	            "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
	            "&resourceVersion=&allowWatchBookmarks=true&timeoutSeconds=%u",
	            timeout_s);
	add_selectors(path, s);
}

void watch_query_watch(struct text *path, const struct kube_watch_settings *s, const char *version,
                       unsigned timeout_s)
{
	add_collection(path, s);
	text_printf(path, "?watch=1&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=",
	            timeout_s);
	kube_path_part(path, bytes_of(version));
	add_selectors(path, s);
}

/* A server says 406 when it is offered a list of metadata for a watch. */
const char *watch_query_accept(const struct kube_watch_settings *s, bool watches)
{
	if (!s->metadata_only)
		return NULL;
	return watches ? "application/json;as=PartialObjectMetadata" OF_METADATA
	               : "application/json;as=PartialObjectMetadataList" OF_METADATA;
}
