/* propagator_web.h -- a leader between two members, gondor and rohan, and the federated Deployment shop/web.
 *
 * A fixture over propagator_world.h: *state is a struct propagator_world.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_PROPAGATOR_WEB_H
#define TESTS_SUPPORT_PROPAGATOR_WEB_H

#include "tests/support/propagator_world.h"

#define WEB "shop/web"

int web_setup(void **state);
int web_teardown(void **state);

struct fakeapi *web_gondor(struct propagator_world *w);
struct fakeapi *web_rohan(struct propagator_world *w);

/* propagator_world_expect() of the Deployment in a member, of the federated one. */
void web_expect_copy(struct propagator_world *w, unsigned member, const char *text);
void web_expect_status(struct propagator_world *w, const char *text);
/* It is everywhere, with one replica, and all is at rest; `more` as of propagator_world_deployment(). */
void web_bring(struct propagator_world *w, const char *more);

#endif
