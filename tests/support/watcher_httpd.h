/* watcher_httpd.h -- a server for probes to ask: HTTP, HTTPS, gRPC health; it answers as told.  A thread of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WATCHER_HTTPD_H
#define TESTS_SUPPORT_WATCHER_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct httpd_settings {
	const char *address;     /* NULL: 127.0.0.1 */
	uint16_t port;           /* 0: the kernel's choice */
	const char *answer;      /* of HTTP/1.1, whole; NULL: nothing, the connection stays open */
	const char *flood;       /* said again and again behind the answer */
	bool has_tls;            /* with a certificate for shop.test, by an authority of its own */
	bool expired;            /* that certificate ended a day ago */
	bool asks_client;        /* for a certificate by the same authority */
	bool is_grpc;            /* over HTTP/2 */
	uint8_t serving;         /* the state that it tells; 0: none, an empty message */
	const char *grpc_status; /* of the trailers; NULL: "0" */
};

struct httpd;

/* Listens, and writes ca.crt, client.crt and client.key into `dir` when it has TLS. */
struct httpd *httpd_start(const struct httpd_settings *settings, const char *dir);
uint16_t httpd_port(const struct httpd *d);
/* The last request's head as it came, or of gRPC "path authority content-type te" and the body in hexadecimal; "":
 * none yet.  The caller frees. */
char *httpd_request(struct httpd *d);
/* The name that the last client asked for by SNI; "": none.  The caller frees. */
char *httpd_sni(struct httpd *d);
size_t httpd_connections(struct httpd *d);
void httpd_stop(struct httpd *d);

#endif
