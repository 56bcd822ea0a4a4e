/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/cluster_inside.h"

enum { AT_A_TIME = 32, REQUEST_MS = 60000, WAIT_MS = 1000 };

struct lane {
	CURL *curl;
	struct curl_slist *headers;
	struct cluster_request request;
	struct text answer;
};

struct many {
	struct cluster *cluster;
	CURLM *multi;
	struct lane lane[AT_A_TIME];
	cluster_fill_fn *fill;
	void *arg;
	unsigned next, done, count;
};

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	text_add_bytes(arg, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

static void prepare(struct many *m, struct lane *l)
{
	char ca[256];

	l->curl = curl_easy_init();
	snprintf(ca, sizeof(ca), "%s/ca.crt", m->cluster->cloud->dir);
	curl_easy_setopt(l->curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(l->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(l->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(l->curl, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(l->curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_MS);
	curl_easy_setopt(l->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(l->curl, CURLOPT_WRITEDATA, &l->answer);
	curl_easy_setopt(l->curl, CURLOPT_PRIVATE, l);
}

static void begin(struct many *m, struct lane *l)
{
	char url[320], type[96];

	m->fill(&l->request, m->next++, m->arg);
	snprintf(url, sizeof(url), "%s%s", m->cluster->url, l->request.path);
	snprintf(type, sizeof(type), "Content-Type: %s", l->request.type);
	curl_slist_free_all(l->headers);
	l->headers = curl_slist_append(NULL, "Authorization: Bearer " ADMIN_TOKEN);
	l->headers = curl_slist_append(l->headers, type);
	text_reset(&l->answer);
	text_add(&l->answer, "");
	curl_easy_setopt(l->curl, CURLOPT_URL, url);
	curl_easy_setopt(l->curl, CURLOPT_CUSTOMREQUEST, l->request.method);
	curl_easy_setopt(l->curl, CURLOPT_HTTPHEADER, l->headers);
	curl_easy_setopt(l->curl, CURLOPT_POSTFIELDS, l->request.body);
	curl_multi_add_handle(m->multi, l->curl);
}

static void end(struct many *m, const CURLMsg *message)
{
	struct lane *l = NULL;
	long status = 0;

	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &l);
	curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
	if (message->data.result != CURLE_OK || status / 100 != 2)
		cluster_fail(m->cluster, "%s %s: %s, %ld: %s", l->request.method, l->request.path,
		             curl_easy_strerror(message->data.result), status, l->answer.data);
	curl_multi_remove_handle(m->multi, l->curl);
	m->done++;
	if (m->next < m->count)
		begin(m, l);
}

void cluster_send_many(struct cluster *c, unsigned count, cluster_fill_fn *fill, void *arg)
{
	struct many *m = xcalloc(1, sizeof(*m));
	const CURLMsg *message;
	int left;

	*m = (struct many){
		.cluster = c, .multi = curl_multi_init(), .fill = fill, .arg = arg, .count = count};
	for (unsigned i = 0; i < AT_A_TIME && i < count; i++) {
		prepare(m, &m->lane[i]);
		begin(m, &m->lane[i]);
	}
	while (m->done < count) {
		curl_multi_perform(m->multi, &left);
		while ((message = curl_multi_info_read(m->multi, &left)) != NULL)
			if (message->msg == CURLMSG_DONE)
				end(m, message);
		curl_multi_poll(m->multi, NULL, 0, WAIT_MS, NULL);
	}
	for (unsigned i = 0; i < AT_A_TIME; i++) {
		curl_easy_cleanup(m->lane[i].curl);
		curl_slist_free_all(m->lane[i].headers);
		text_fini(&m->lane[i].answer);
	}
	curl_multi_cleanup(m->multi);
	free(m);
}
