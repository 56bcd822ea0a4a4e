/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_inside.h"

#include <curl/curl.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 10000 };

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	text_add_bytes(arg, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

const char *world_send(struct world *w, const char *method, const char *path, int *status)
{
	CURL *curl = curl_easy_init();
	char url[1024];
	long code = 0;

	inside_demand_alive(w);
	text_reset(&w->body);
	text_add(&w->body, "");
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", w->http_port, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &w->body);
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_cleanup(curl);
	if (status)
		*status = (int)code;
	return w->body.data;
}

const char *world_get(struct world *w, const char *path, int *status)
{
	return world_send(w, "GET", path, status);
}

struct json_object *world_json(struct world *w, const char *path)
{
	int status;
	const char *body = world_get(w, path, &status);
	struct json_object *root = json_tokener_parse(body);

	if (status != 200)
		world_fail(w, "GET %s: %d: %s", path, status, body);
	if (!root)
		world_fail(w, "GET %s: not JSON: %s", path, body);
	return root;
}

void world_expect_http(struct world *w, const char *path, const char *text, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	bool absent = *text == '!';
	const char *wanted = text + absent;

	while ((strstr(world_get(w, path, NULL), wanted) != NULL) == absent) {
		if (!inside_has_time(deadline))
			world_fail(w, "GET %s %s '%s' after %u ms:\n%s", path,
			           absent ? "still has" : "has no", wanted, within_ms,
			           w->body.data);
		inside_rest();
	}
}

double world_metric(struct world *w, const char *sample)
{
	size_t len = strlen(sample);
	const char *at = world_get(w, "/metrics", NULL);

	for (; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, sample, len) == 0 && at[len] == ' ')
			return strtod(at + len, NULL);
	}
	return -1;
}
