/* kube_server.h -- a scripted API server, a loop and a client of it: what tests of requests begin with.
 *
 * Used as a fixture: *state is a struct kube_server.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_KUBE_SERVER_H
#define TESTS_SUPPORT_KUBE_SERVER_H

#include <stdbool.h>
#include <uv.h>

#include "kube/transport.h"
#include "tests/support/fakeapi.h"

struct kube_server {
	struct fakeapi *f;
	uv_loop_t loop;
	struct kube_client *client;
};

/* Once for a group of tests. */
int kube_server_setup_group(void **state);
int kube_server_setup(void **state);
int kube_server_teardown(void **state); /* all but the client has been stopped */

/* One more client of it, on that loop, with that token (NULL: the right one). */
struct kube_client *kube_server_client(const struct kube_server *s, uv_loop_t *loop,
                                       const char *token);
/* Turns the loop until *is_so; fails the test after within_ms. */
void kube_server_turn_until(uv_loop_t *loop, const bool *is_so, unsigned within_ms);
/* Turns the loop for that long. */
void kube_server_turn_for(uv_loop_t *loop, unsigned ms);

#endif
