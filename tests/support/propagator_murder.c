/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/propagator_murder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"

enum {
	CALM_MS = 1500, /* a successor would have done by then what it thinks is to be done */
	AT_ONCE = 12,
	TELL_ARGUMENTS = 4,
	STORIES_MOST = 16
};

/* --- the murder --- */

static bool is_about(const struct murder_story *story, const char *request)
{
	for (size_t i = 0; story->about[i]; i++)
		if (strstr(request, story->about[i]))
			return true;
	return !story->about[0];
}

/* On a server's thread. */
static void on_write(const char *request, void *arg)
{
	struct murder *m = arg;
	pid_t leader = m->leader;

	if (!is_about(m->story, request) || ++m->writes != m->kill_at || leader == 0)
		return;
	print_message("killed at write %u, %s\n", m->kill_at, request);
	kill(leader, SIGKILL);
	waitpid(leader, NULL, 0);
	m->leader = 0;
}

static void heed(struct murder *m, void (*fn)(const char *request, void *arg))
{
	fakeapi_on_write(m->w->host, fn, m);
	for (unsigned i = 0; i < m->w->count; i++)
		fakeapi_on_write(m->w->members[i], fn, m);
}

static void lead(struct murder *m)
{
	if (m->leader == 0)
		m->leader = propagator_world_spawn(m->w);
}

static struct fakeapi *server_of(const struct murder *m, unsigned server)
{
	return server > 0 ? m->w->members[server - 1] : m->w->host;
}

void murder_rest(struct murder *m)
{
	struct timespec a_bit = {.tv_nsec = 5000000};

	lead(m);
	nanosleep(&a_bit, NULL);
}

void murder_expect(struct murder *m, const struct murder_fact *facts, size_t count)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS;

	for (size_t i = 0; i < count;) {
		const struct murder_fact *f = &facts[i];
		struct fakeapi *server = server_of(m, f->server);

		if (propagator_world_is(server, f->resource, f->object, f->text)) {
			i++;
			continue;
		}
		if (clock_monotonic_ms() > end_ms)
			fail_msg("%s on %u is not '%s' but %s", f->object, f->server, f->text,
			         fakeapi_get(server, f->resource, f->object));
		murder_rest(m);
	}
}

/* --- a telling --- */

static uint64_t versions(const struct murder *m)
{
	uint64_t sum = fakeapi_version(m->w->host);

	for (unsigned i = 0; i < m->w->count; i++)
		sum += fakeapi_version(m->w->members[i]);
	return sum;
}

static void calm(struct murder *m)
{
	uint64_t end_ms = clock_monotonic_ms() + WORLD_PATIENCE_MS, since_ms = clock_monotonic_ms();
	uint64_t was = versions(m);

	while (clock_monotonic_ms() - since_ms < CALM_MS) {
		uint64_t is = versions(m);

		if (is != was || m->leader == 0)
			since_ms = clock_monotonic_ms();
		was = is;
		if (clock_monotonic_ms() > end_ms)
			fail_msg("it does not come to rest");
		murder_rest(m);
	}
}

static void end(struct murder *m)
{
	heed(m, NULL);
	if (m->leader == 0)
		return;
	kill(m->leader, SIGKILL);
	waitpid(m->leader, NULL, 0);
}

static void check(const struct murder *m)
{
	for (size_t i = 0; i < MURDER_CHANGES_MOST && m->story->changes[i].object; i++) {
		const struct murder_changes *c = &m->story->changes[i];
		unsigned count = fakeapi_changes(server_of(m, c->server), c->resource, c->object);

		if (count != c->count)
			fail_msg("%s on %u changed %u times, not %u", c->object, c->server, count,
			         c->count);
	}
	for (unsigned i = 0; i <= m->w->count; i++) {
		const char *states = fakeapi_returned(server_of(m, i));

		if (states)
			fail_msg("on %u one became again what it was: %s", i, states);
	}
}

/* How many writes there were. */
static unsigned tell(const struct murder_story *story, unsigned kill_at)
{
	struct murder m = {
		.w = propagator_world_new(MURDER_MEMBERS), .story = story, .kill_at = kill_at};

	if (story->prepare)
		story->prepare(m.w);
	heed(&m, on_write);
	lead(&m);
	story->live(&m);
	calm(&m);
	end(&m);
	check(&m);
	propagator_world_free(m.w);
	return m.writes;
}

/* --- tellings in processes of their own --- */

struct telling {
	pid_t pid; /* 0: none */
	unsigned kill_at;
	FILE *said;
};

static void begin_telling(struct telling *t, const struct murder_story *story, unsigned kill_at)
{
	char number[16],
		*argv[] = {xstrdup("murder"), xstrdup("tell"), xstrdup(story->name), number, NULL};

	(void)snprintf(number, sizeof(number), "%u", kill_at);
	*t = (struct telling){.kill_at = kill_at, .said = tmpfile()};
	assert_non_null(t->said);
	t->pid = fork();
	if (t->pid == 0) {
		dup2(fileno(t->said), STDOUT_FILENO);
		dup2(fileno(t->said), STDERR_FILENO);
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	assert_true(t->pid > 0);
	for (size_t i = 0; i < 3; i++)
		free(argv[i]);
}

/* Waits for any of them; true: it went well. */
static bool end_a_telling(struct telling *tellings)
{
	int status = 1, c;
	pid_t pid = wait(&status);
	struct telling *t = tellings;

	assert_true(pid > 0);
	while (t->pid != pid)
		t++;
	if (status != 0) {
		print_error("--- killed at write %u:\n", t->kill_at);
		rewind(t->said);
		while ((c = getc(t->said)) != EOF)
			putc(c, stderr);
	}
	fclose(t->said);
	t->pid = 0;
	return status == 0;
}

static void tell_all(const struct murder_story *story)
{
	struct telling tellings[AT_ONCE] = {{0}};
	unsigned count = tell(story, 0), running = 0, failed = 0;

	print_message("  %u writes in the undisturbed story\n", count);
	assert_true(count >= story->least);
	for (unsigned at = 1; at <= count || running > 0;) {
		if (at > count || running == AT_ONCE) {
			failed += !end_a_telling(tellings);
			running--;
			continue;
		}
		for (size_t i = 0; i < AT_ONCE; i++)
			if (tellings[i].pid == 0) {
				begin_telling(&tellings[i], story, at++);
				running++;
				break;
			}
	}
	assert_int_equal(failed, 0);
}

/* --- main --- */

struct one {
	const struct murder_story *story;
	unsigned kill_at;
};

static void tell_one(void **state)
{
	const struct one *one = *state;

	(void)tell(one->story, one->kill_at);
}

static int run_one(const char *group, const struct murder_story *story, unsigned kill_at)
{
	struct one one = {story, kill_at};
	const struct CMUnitTest test = {story->name, tell_one, NULL, NULL, &one};

	return _cmocka_run_group_tests(group, &test, 1, NULL, NULL);
}

static void tell_all_of(void **state) { tell_all(*(const struct murder_story *const *)*state); }

int murder_main(int argc, char **argv, const char *group, const struct murder_story *stories,
                size_t count)
{
	const struct murder_story *each[STORIES_MOST];
	struct CMUnitTest tests[STORIES_MOST];
	bool is_one = argc == TELL_ARGUMENTS && strcmp(argv[1], "tell") == 0;

	if (argc == WORLD_LEAD_ARGUMENTS)
		return propagator_world_lead(argv);
	CHECK(count <= STORIES_MOST);
	for (size_t i = 0; i < count; i++) {
		each[i] = &stories[i];
		tests[i] = (struct CMUnitTest){stories[i].name, tell_all_of, NULL, NULL, &each[i]};
		if (is_one && strcmp(stories[i].name, argv[2]) == 0)
			return run_one(group, &stories[i], (unsigned)strtoul(argv[3], NULL, 10));
	}
	return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}
