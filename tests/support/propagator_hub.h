/* propagator_hub.h -- a scripted host cluster and scripted members, a loop, and what a part of the propagator works with.
 *
 * Waits turn the loop until something is so, and fail the test otherwise.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_HUB_H
#define TESTS_SUPPORT_PROPAGATOR_HUB_H

#include <stdbool.h>
#include <uv.h>

#include "kube/backoff.h"
#include "propagator/dispatch.h"
#include "tests/support/fakeapi.h"

#define HUB_NAMESPACE "kube-federation-system"
enum { HUB_MEMBERS = 2, HUB_SOON_MS = 20000 };

struct hub {
	uv_loop_t loop;
	struct fakeapi *host, *member[HUB_MEMBERS];
	struct kube_client *client; /* of the host, with the next two */
	struct kube_backoff backoff;
	struct dispatch *dispatch;
	struct dispatch_term term; /* held for ever */
	char kubeconfig[64];       /* of the host */
};

struct hub *hub_new(void);
/* All that was started with it has been stopped. */
void hub_free(struct hub *h);

/* KubeFedCluster NAME and Secret NAME on the host, for member `i`; `more` goes into the KubeFedCluster ("", or
 * ",'status':{...}"). */
void hub_join(struct hub *h, unsigned i, const char *name, const char *more);
/* Secret NAME with that token. */
void hub_secret(struct hub *h, const char *name, const char *token);

/* Turns the loop until the object's JSON has `text`, or with a leading '!' has it not, or is not there. */
void hub_expect(struct hub *h, const char *resource, const char *object, const char *text);
/* Turns the loop until so many requests with that text have come to the host. */
void hub_expect_requests(struct hub *h, const char *text, unsigned count);
void hub_turn_until(struct hub *h, bool (*is_so)(void *arg), void *arg);
void hub_turn_for(struct hub *h, unsigned ms);

#endif
