/* world_api.h -- a world whose clusters are scripted API servers: a host, and members that the config names.
 *
 * Something is published from the start, and every waiting here asks for it all the time: whatever happens to an
 * API server, an answer that is taken back meanwhile, or a SERVFAIL, ends the test.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_API_H
#define TESTS_SUPPORT_WORLD_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/fakeapi.h"
#include "tests/support/world.h"

#define WORLD_KEPT      "kept.example.com" /* of the host's DNSEndpoint shop/kept */
#define WORLD_KEPT_AT   "198.18.0.1"
#define WORLD_WEB       "web.shop.fed.svc.example.com" /* the Service shop/web of the members */
#define WORLD_EAST_AT   "198.18.1.1"
#define WORLD_WEST_AT   "198.18.2.1"
#define WORLD_PACE      "watch: {silence: 20s, reply: 10s, backoff: 500ms}\n"
#define WORLD_IMPATIENT "watch: {silence: 500ms, reply: 1s, backoff: 500ms}\n"

struct world_api {
	struct world *w;
	struct fakeapi *host, *east, *west; /* NULL: there is none */
	bool is_kept;                       /* `kept` and `web` are asked for while waiting */
};

/* For cmocka: host, east and west are there, with what is kept; nighd is not yet started. */
int world_api_setup(void **state);
int world_api_teardown(void **state);
#define world_api_test(function)                                                                   \
	cmocka_unit_test_setup_teardown(function, world_api_setup, world_api_teardown)

/* Another host, with these options, and with what is kept. */
void world_api_host(struct world_api *a, const struct fakeapi_options *options);
/* With `yaml` besides the sources; waits until what is kept is answered. */
void world_api_start(struct world_api *a, const char *yaml);

/* NAME.example.com A ADDRESS, by the DNSEndpoint shop/NAME. */
uint64_t world_api_point(struct fakeapi *f, const char *name, const char *address);
/* The same, as a fakeapi_generate_fn: hN.example.com, 198.18.N/256.N%256, from 198.18.16.0 on; `arg`: a const size_t *,
 * so many bytes of an annotation besides, or NULL. */
void world_api_generate(struct text *out, size_t i, void *arg);
/* The Service shop/web of LoadBalancer ADDRESS with one endpoint that is ready. */
void world_api_serve(struct fakeapi *f, const char *address);

/* Each polls until it is so; meanwhile, and then, what is kept is answered. */
void world_api_await_answer(struct world_api *a, const char *name, const char *expected);
void world_api_await_requests(struct world_api *a, struct fakeapi *f, const char *text,
                              unsigned at_least);
void world_api_await_watches(struct world_api *a, struct fakeapi *f, const char *where,
                             unsigned count);
void world_api_await_connections(struct world_api *a, struct fakeapi *f, unsigned ever);
/* /status has, or with a leading '!' has not, that text. */
void world_api_await_status(struct world_api *a, const char *text);
/* The host goes, and changes, and no watch will tell: `old` is deleted, `new` is at 198.18.0.9, all before is compacted. */
void world_api_miss_changes(struct world_api *a);
/* That is known. */
void world_api_expect_changes(struct world_api *a);
/* "watcher_api_NAME" of the host ("" ) or a member. */
double world_api_count(struct world_api *a, const char *cluster, const char *name);
void world_api_await_count(struct world_api *a, const char *cluster, const char *name,
                           double at_least);
/* For so long all goes on as it is. */
void world_api_pass(struct world_api *a, unsigned ms);

#endif
