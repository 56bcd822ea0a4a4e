/* A leader killed with -9 between any two writes.
 *
 * It leads in a process of its own, which dies when a server has done its Nth write and before that is answered; the next
 * one goes on.  Whatever N: the same is everywhere in the end, and no member was written to more often than without it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/propagator_world.h"

#define WEB     "shop/web"
#define VERSION "shop/deployment-web"

/* --- the murder --- */

struct run {
	struct propagator_world *w;
	_Atomic unsigned writes;
	unsigned kill_at; /* 0: it lives */
	_Atomic pid_t leader;
};

/* On a server's thread. */
static void on_write(const char *request, void *arg)
{
	struct run *r = arg;
	pid_t leader = r->leader;

	(void)request;
	if (++r->writes != r->kill_at || leader == 0)
		return;
	kill(leader, SIGKILL);
	waitpid(leader, NULL, 0);
	r->leader = 0;
}

/* Whoever is dead has a successor. */
static void lead(struct run *r)
{
	if (r->leader == 0)
		r->leader = propagator_world_spawn(r->w);
}

static void end(struct run *r)
{
	fakeapi_on_write(r->w->host, NULL, NULL);
	for (unsigned i = 0; i < 2; i++)
		fakeapi_on_write(r->w->members[i], NULL, NULL);
	if (r->leader == 0)
		return;
	kill(r->leader, SIGKILL);
	waitpid(r->leader, NULL, 0);
}

/* --- the story --- */

struct fact {
	unsigned server; /* 0: the host, else a member */
	const char *resource, *object, *text;
};

static void expect(struct run *r, const struct fact *facts, size_t count)
{
	struct timespec rest = {.tv_nsec = 2000000};
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;

	for (size_t i = 0; i < count;) {
		const struct fact *f = &facts[i];
		struct fakeapi *server = f->server ? r->w->members[f->server - 1] : r->w->host;

		if (propagator_world_is(server, f->resource, f->object, f->text)) {
			i++;
			continue;
		}
		if (clock_monotonic_ms() > end_ms)
			fail_msg("killed at write %u: %s on %u is not '%s' but %s", r->kill_at,
			         f->object, f->server, f->text,
			         fakeapi_get(server, f->resource, f->object));
		lead(r);
		nanosleep(&rest, NULL);
	}
}

#define EXPECT(r, ...)                                                                             \
	do {                                                                                       \
		static const struct fact facts[] = {__VA_ARGS__};                                  \
		expect(r, facts, sizeof(facts) / sizeof(*facts));                                  \
	} while (0)

/* Created, changed and taken from a cluster, deleted. */
static void live(struct run *r)
{
	struct propagator_world *w = r->w;

	propagator_world_deployment(w, "web", 1, WORLD_EVERYWHERE);
	EXPECT(r, {1, FAKEAPI_DEPLOYMENTS, WEB, "\"replicas\":1"},
	       {2, FAKEAPI_DEPLOYMENTS, WEB, "\"replicas\":1"},
	       {0, WORLD_VERSIONS, VERSION,
	        "[{\"clusterName\":\"gondor\",\"version\":\"gen:1\"},{\"clusterName\":\"rohan\","
	        "\"version\":\"gen:1\"}]"},
	       {0, WORLD_FEDERATED_DEPLOYMENTS, WEB, "\"status\":\"True\""});
	propagator_world_deployment(w, "web", 2, "'placement':{'clusters':[{'name':'gondor'}]}");
	EXPECT(r, {1, FAKEAPI_DEPLOYMENTS, WEB, "\"replicas\":2"},
	       {1, FAKEAPI_DEPLOYMENTS, WEB, "\"generation\":2"},
	       {2, FAKEAPI_DEPLOYMENTS, WEB, "!"},
	       {0, WORLD_VERSIONS, VERSION, "[{\"clusterName\":\"gondor\",\"version\":\"gen:2\"}]"},
	       {0, WORLD_FEDERATED_DEPLOYMENTS, WEB, "\"clusters\":[{\"name\":\"gondor\"}]"},
	       {0, WORLD_FEDERATED_DEPLOYMENTS, WEB, "\"status\":\"True\""});
	fakeapi_ask_to_delete(w->host, WORLD_FEDERATED_DEPLOYMENTS, WEB);
	EXPECT(r, {0, WORLD_FEDERATED_DEPLOYMENTS, WEB, "!"}, {1, FAKEAPI_DEPLOYMENTS, WEB, "!"},
	       {2, FAKEAPI_DEPLOYMENTS, WEB, "!"},
	       {1, FAKEAPI_NAMESPACES, "shop", "kubefed.io/managed"},
	       {2, FAKEAPI_NAMESPACES, "shop", "kubefed.io/managed"},
	       {0, WORLD_FEDERATED_NAMESPACES, "shop/shop", "\"status\":\"True\""});
}

/* What changed in the members, ever, without the Events, which may be lost; the writes there were. */
struct outcome {
	uint64_t changes[2];
	unsigned writes;
};

static struct outcome play(unsigned kill_at)
{
	struct run r = {.w = propagator_world_new(2), .kill_at = kill_at};
	uint64_t before[2] = {fakeapi_version(r.w->members[0]), fakeapi_version(r.w->members[1])};
	struct outcome o;

	fakeapi_on_write(r.w->host, on_write, &r);
	for (unsigned i = 0; i < 2; i++)
		fakeapi_on_write(r.w->members[i], on_write, &r);
	lead(&r);
	live(&r);
	end(&r);
	for (unsigned i = 0; i < 2; i++)
		o.changes[i] = fakeapi_version(r.w->members[i]) - before[i] -
		               fakeapi_count(r.w->members[i], WORLD_EVENTS);
	o.writes = r.writes;
	propagator_world_free(r.w);
	return o;
}

static void test_a_leader_may_be_killed_at_any_write(void **state)
{
	struct outcome undisturbed = play(0);

	(void)state;
	print_message("  %u writes in the undisturbed story\n", undisturbed.writes);
	assert_true(undisturbed.writes > 15);
	for (unsigned at = 1; at <= undisturbed.writes; at++) {
		struct outcome o = play(at);

		for (unsigned i = 0; i < 2; i++)
			if (o.changes[i] != undisturbed.changes[i])
				fail_msg("killed at write %u: %s changed %u times, not %u", at,
				         propagator_world_name(i), (unsigned)o.changes[i],
				         (unsigned)undisturbed.changes[i]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_leader_may_be_killed_at_any_write),
	};

	if (argc == WORLD_LEAD_ARGUMENTS)
		return propagator_world_lead(argv);
	return cmocka_run_group_tests_name("propagator/killed", tests, NULL, NULL);
}
