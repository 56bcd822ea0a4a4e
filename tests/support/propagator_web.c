/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/propagator_web.h"

int web_setup(void **state)
{
	struct propagator_world *w = propagator_world_new(2);

	*state = w;
	propagator_world_begin(w);
	return 0;
}

int web_teardown(void **state)
{
	propagator_world_free(*state);
	return 0;
}

struct fakeapi *web_gondor(struct propagator_world *w) { return w->members[0]; }
struct fakeapi *web_rohan(struct propagator_world *w) { return w->members[1]; }

void web_expect_copy(struct propagator_world *w, unsigned member, const char *text)
{
	propagator_world_expect(w, w->members[member], FAKEAPI_DEPLOYMENTS, WEB, text);
}

void web_expect_status(struct propagator_world *w, const char *text)
{
	propagator_world_expect(w, w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB, text);
}

void web_bring(struct propagator_world *w, const char *more)
{
	propagator_world_deployment(w, "web", 1, more);
	for (unsigned i = 0; i < w->count; i++)
		web_expect_copy(w, i, "kubefed.io/managed");
	web_expect_status(w, "observedGeneration");
	propagator_world_calm(w);
}
