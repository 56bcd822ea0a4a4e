/* transport_easy.h -- one request as libcurl wants it: URL, credentials, what TLS has to verify, where may be dialled.
 *
 * For transport.c alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_TRANSPORT_EASY_H
#define KUBE_TRANSPORT_EASY_H

#include <curl/curl.h>
#include <stdbool.h>

#include "kube/access.h"
#include "kube/transport.h"

struct transport_easy {
	CURL *curl;
	struct curl_slist *headers, *connect_to;
	bool any_time;
	bool refused; /* an address that may not be dialled */
	bool flooded; /* it was given up, as it kept the loop too long */
	char error[CURL_ERROR_SIZE];
};

/* Callbacks and the private pointer are the caller's to set.  `access` is borrowed for the call, the body of
 * `ask` as long as it lives. */
void transport_easy_init(struct transport_easy *e, const struct kube_access *access,
                         const struct kube_ask *ask);
void transport_easy_fini(struct transport_easy *e);
/* What the end of the transfer means. */
enum err transport_easy_result(const struct transport_easy *e, CURLcode code, struct reason *why);

#endif
