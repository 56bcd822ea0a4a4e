/* probe_http_easy.h -- one exchange as libcurl wants it, and what its end means.
 *
 * For probe_http.c alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PROBE_HTTP_EASY_H
#define WATCHER_PROBE_HTTP_EASY_H

#include <curl/curl.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/text.h"
#include "watcher/probe_grpc.h"
#include "watcher/probe_http.h"

enum { PROBE_HTTP_TEXT_SIZE = 160, PROBE_HTTP_BYTES_MOST = 64 * 1024 };

struct probe_easy {
	CURL *curl; /* kept from one exchange to the next */
	const struct probe_check *check;
	int fd; /* until libcurl has it; -1 */
	struct curl_slist *headers, *connect_to;
	struct text url;
	uint8_t request[PROBE_GRPC_REQUEST_MOST];
	size_t header_bytes;
	struct buffer body; /* what is looked at of it */
	bool answered;      /* the headers are there */
	bool decided;       /* the outcome and its text are known, libcurl may end */
	enum probe_outcome outcome;
	char said[PROBE_HTTP_TEXT_SIZE];
	int grpc_status; /* -1: not told */
	char grpc_message[PROBE_HTTP_TEXT_SIZE / 2];
	char error[CURL_ERROR_SIZE];
};

/* False: it cannot be asked; outcome and text say why.  The socket is taken in any case.  A struct may be
 * begun again after it was ended. */
bool probe_easy_begin(struct probe_easy *e, const struct probe_check *check,
                      const struct addr *addr, uint16_t port, int take_fd);
/* libcurl has ended: sets outcome and text. */
void probe_easy_judge(struct probe_easy *e, CURLcode code);
/* Ready for another exchange. */
void probe_easy_end(struct probe_easy *e);
void probe_easy_fini(struct probe_easy *e);

#endif
