/* One nighd takes over from another: both sides, step by step, and each step that may fail. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/clock.h"
#include "dnsd/takeover.h"
#include "dnsd/takeover_desk.h"
#include "dnsd/takeover_message.h"

enum { WAIT_MS = 20000, SOCKETS = 300, SKIPPED = 77 };

/* The one that serves, on a thread of its own. */
struct old {
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t end;
	struct takeover_desk *desk;
	struct sockets sockets;
	int meeting;
	int talk; /* to the one that has taken over; -1: nobody has */
	_Atomic unsigned given, lost, done;
	_Atomic unsigned give_ms; /* how long that takes */
};

static char identity_text[64];

static struct bytes identity(void)
{
	if (identity_text[0] == '\0')
		snprintf(identity_text, sizeof identity_text, "test %d", (int)getpid());
	return bytes_of(identity_text);
}

static void on_ask(struct sockets *sockets, int *lock, struct buffer *estate, void *arg)
{
	struct old *o = arg;

	for (size_t i = 0; i < o->sockets.count; i++)
		sockets_put(sockets, &o->sockets.item[i]);
	*lock = STDIN_FILENO;
	buffer_put(estate, "estate", 6);
}

static void on_give(struct buffer *serials, void *arg)
{
	struct old *o = arg;

	nanosleep(&(struct timespec){o->give_ms / 1000, o->give_ms % 1000 * 1000000L}, NULL);
	buffer_put(serials, "serials", 7);
	o->given++;
}

static void on_lost(void *arg) { ((struct old *)arg)->lost++; }

static void on_done(int take_talk, void *arg)
{
	struct old *o = arg;

	assert_true(take_talk >= 0);
	o->talk = take_talk;
	takeover_desk_stop(o->desk);
	o->desk = NULL;
	o->done++;
}

static void on_end(uv_async_t *end)
{
	struct old *o = end->data;

	takeover_desk_stop(o->desk);
	uv_close((uv_handle_t *)end, NULL);
}

static void *live(void *arg)
{
	struct old *o = arg;

	(void)uv_run(&o->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void start(struct old *o)
{
	const struct takeover_desk_events events = {on_ask, on_give, on_lost, on_done, o};
	struct addr loopback = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};
	struct reason why = {0};
	uint16_t port = 0;

	*o = (struct old){.meeting = -1, .talk = -1};
	assert_int_equal(sockets_open_dns(&o->sockets, &loopback, SOCKETS / 2, &port, &why),
	                 ERR_OK);
	assert_int_equal(takeover_desk_open(identity(), &o->meeting, &why), ERR_OK);
	assert_int_equal(uv_loop_init(&o->loop), 0);
	o->end.data = o;
	assert_int_equal(uv_async_init(&o->loop, &o->end, on_end), 0);
	o->desk = takeover_desk_start(&o->loop, o->meeting, &events);
	assert_int_equal(pthread_create(&o->thread, NULL, live, o), 0);
}

static void stop(struct old *o)
{
	assert_int_equal(uv_async_send(&o->end), 0);
	assert_int_equal(pthread_join(o->thread, NULL), 0);
	assert_int_equal(uv_loop_close(&o->loop), 0);
	if (o->talk >= 0)
		close(o->talk);
	sockets_close(&o->sockets);
}

static void await(_Atomic unsigned *counter, unsigned value)
{
	uint64_t until = clock_monotonic_ms() + WAIT_MS;

	while (*counter < value && clock_monotonic_ms() < until)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	assert_int_equal(*counter, value);
}

static struct takeover *ask(void)
{
	struct takeover *t = NULL;
	struct reason why = {0};

	if (takeover_begin(identity(), geteuid(), &t, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return t;
}

static void go(struct takeover *t)
{
	struct buffer serials = {0};
	struct reason why = {0};

	if (takeover_go(t, &serials, &why) != ERR_OK)
		fail_msg("%s", why.text);
	assert_true(bytes_equal_text((struct bytes){serials.data, serials.len}, "serials"));
	buffer_fini(&serials);
}

static void test_all_sockets_go_over_and_then_the_old_one_is_done(void **state)
{
	struct sockets_item row = {.kind = SOCKETS_UDP,
	                           .addr = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}};
	struct sockets mine = {0};
	struct reason why = {0};
	struct takeover *t;
	uint16_t port = 0;
	struct old o;

	(void)state;
	start(&o);
	t = ask();
	assert_int_equal(t->sockets.count, SOCKETS);
	assert_true(bytes_equal_text((struct bytes){t->estate.data, t->estate.len}, "estate"));
	assert_true(t->lock >= 0 && t->meeting < 0);
	assert_int_equal(sockets_move(&t->sockets, &mine, &row, 4, &port), SOCKETS / 2);
	assert_int_equal(port, o.sockets.item[0].port);
	assert_int_equal(mine.item[5].worker, 1);
	go(t);
	assert_int_equal(o.done, 0);
	assert_true(t->meeting >= 0);
	assert_int_equal(takeover_end(t, &why), ERR_OK);
	await(&o.done, 1);
	assert_int_equal(o.lost, 0);
	sockets_close(&mine);
	takeover_free(t);
	stop(&o);
}

static void on_left(int take_fd, const struct addr *client, void *arg)
{
	unsigned *count = arg;

	assert_int_equal(client->bytes[3], 7);
	close(take_fd);
	++*count;
}

static void put_connection(struct sockets *left, int fd)
{
	sockets_put(left,
	            &(struct sockets_item){.kind = SOCKETS_TCP,
	                                   .addr = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 7}},
	                                   .fd = fd});
}

static void test_connections_go_over_afterwards_in_as_many_messages_as_it_takes(void **state)
{
	struct reason why = {0};
	struct takeover *t;
	struct sockets left = {0};
	unsigned count = 0;
	int pair[2];
	struct old o;

	(void)state;
	start(&o);
	t = ask();
	go(t);
	assert_int_equal(takeover_end(t, &why), ERR_OK);
	await(&o.done, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (unsigned i = 0; i < TAKEOVER_ITEMS + 10; i++)
		put_connection(&left, dup(pair[0]));
	/* No connection: it is not taken for one. */
	put_connection(&left, dup(STDERR_FILENO));
	assert_true(takeover_say_left(o.talk, &left));
	assert_int_equal(left.count, 0);
	assert_true(takeover_hear_left(t->talk, on_left, &count));
	assert_int_equal(count, TAKEOVER_ITEMS);
	assert_true(takeover_hear_left(t->talk, on_left, &count));
	assert_int_equal(count, TAKEOVER_ITEMS + 10);
	close(o.talk);
	o.talk = -1;
	assert_false(takeover_hear_left(t->talk, on_left, &count));
	sockets_close(&left);
	takeover_free(t);
	stop(&o);
	close(pair[0]);
	close(pair[1]);
}

/* Whoever does not hear holds up nobody, and nothing is lost that can still be said. */
static void test_what_cannot_be_said_now_is_said_later(void **state)
{
	struct reason why = {0};
	struct takeover *t;
	struct sockets left = {0};
	unsigned count = 0, said = 0;
	int pair[2];
	struct old o;

	(void)state;
	start(&o);
	t = ask();
	go(t);
	assert_int_equal(takeover_end(t, &why), ERR_OK);
	await(&o.done, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	do
		put_connection(&left, dup(pair[0]));
	while (takeover_say_left(o.talk, &left) && ++said < 10000);
	assert_in_range(said, 1, 9999);
	assert_int_equal(left.count, 1);
	for (unsigned i = 0; i < said; i++)
		assert_true(takeover_hear_left(t->talk, on_left, &count));
	assert_true(takeover_say_left(o.talk, &left));
	assert_true(takeover_hear_left(t->talk, on_left, &count));
	assert_int_equal(count, said + 1);
	/* Nobody hears any more: what is left ends. */
	takeover_free(t);
	put_connection(&left, dup(pair[0]));
	assert_true(takeover_say_left(o.talk, &left));
	assert_int_equal(left.count, 0);
	sockets_close(&left);
	stop(&o);
	close(pair[0]);
	close(pair[1]);
}

static void test_without_a_running_one_there_is_none(void **state)
{
	struct takeover *t = NULL;
	struct reason why = {0};

	(void)state;
	assert_int_equal(takeover_begin(identity(), geteuid(), &t, &why), ERR_NOTFOUND);
	assert_null(t);
}

static void test_the_address_can_be_had_once(void **state)
{
	struct reason why = {0};
	struct old o;
	int fd = -1;

	(void)state;
	start(&o);
	assert_int_equal(takeover_desk_open(identity(), &fd, &why), ERR_CONFLICT);
	stop(&o);
	assert_int_equal(takeover_desk_open(identity(), &fd, &why), ERR_OK);
	close(fd);
}

static void test_one_that_asks_and_goes_changes_nothing(void **state)
{
	struct old o;

	(void)state;
	start(&o);
	for (unsigned i = 0; i < 20; i++)
		takeover_free(ask());
	assert_int_equal(o.given + o.lost + o.done, 0);
	stop(&o);
}

static void test_one_that_hangs_up_before_the_last_word_leaves_the_old_one_serving(void **state)
{
	struct reason why = {0};
	struct takeover *t;
	struct old o;

	(void)state;
	start(&o);
	for (unsigned i = 1; i <= 5; i++) {
		t = ask();
		go(t);
		takeover_free(t);
		await(&o.lost, i);
	}
	t = ask();
	go(t);
	assert_int_equal(takeover_end(t, &why), ERR_OK);
	await(&o.done, 1);
	takeover_free(t);
	stop(&o);
}

static void test_one_that_stands_still_is_given_up_and_told_so(void **state)
{
	struct reason why = {0};
	struct takeover *t;
	struct old o;

	(void)state;
	start(&o);
	t = ask();
	go(t);
	await(&o.lost, 1);
	assert_int_equal(takeover_end(t, &why), ERR_GONE);
	assert_int_equal(o.done, 0);
	takeover_free(t);
	stop(&o);
}

/* As with a large state on a busy machine. */
static void test_the_time_to_serve_begins_when_all_is_given(void **state)
{
	struct reason why = {0};
	struct takeover *t;
	struct old o;

	(void)state;
	start(&o);
	o.give_ms = 5500;
	t = ask();
	go(t);
	assert_int_equal(takeover_end(t, &why), ERR_OK);
	await(&o.done, 1);
	assert_int_equal(o.lost, 0);
	takeover_free(t);
	stop(&o);
}

/* Not to be mixed up with one that has hung up and goes on: somebody has to serve. */
static void test_one_that_dies_after_it_has_given_is_told_from_one_that_goes_on(void **state)
{
	struct reason why = {0};
	struct takeover *t;
	struct old o;

	(void)state;
	start(&o);
	t = ask();
	go(t);
	stop(&o);
	assert_int_equal(takeover_end(t, &why), ERR_NOTFOUND);
	assert_true(takeover_has_ended(t));
	takeover_free(t);
}

static void test_who_asked_another_one_before_is_refused(void **state)
{
	struct buffer serials = {0};
	struct reason why = {0};
	struct takeover *t;
	struct old o, next;

	(void)state;
	start(&o);
	t = ask();
	stop(&o);
	assert_int_equal(takeover_go(t, &serials, &why), ERR_NOTFOUND);
	start(&next);
	assert_int_equal(takeover_go(t, &serials, &why), ERR_CONFLICT);
	assert_int_equal(next.given, 0);
	takeover_free(t);
	buffer_fini(&serials);
	stop(&next);
}

/* A conversation that begins in another way than it may. */
static void say(const void *data, size_t len)
{
	struct sockaddr_un sa;
	socklen_t sa_len = takeover_address(identity(), &sa);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	uint8_t reply[64];

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sa_len), 0);
	if (len > 0)
		assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
	/* It is hung up on, or not heard at all, in a few seconds. */
	assert_true(recv(fd, reply, sizeof reply, 0) <= 0);
	close(fd);
}

/* In a child: as a process of another container of the same network does. */
static int ask_from_elsewhere(void)
{
	struct takeover_message m = {.word = TAKEOVER_ASK};
	struct takeover *t = NULL;
	struct sockaddr_un sa;
	socklen_t sa_len = takeover_address(identity(), &sa);
	uint8_t data[TAKEOVER_MESSAGE];
	struct reason why;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	size_t len = takeover_encode(&m, data);

	if (unshare(CLONE_NEWNS) != 0)
		return SKIPPED;
	/* It does not trust, ... */
	if (takeover_begin(identity(), geteuid(), &t, &why) != ERR_DENIED)
		return 1;
	/* ... and is not trusted. */
	if (connect(fd, (struct sockaddr *)&sa, sa_len) != 0)
		return 2;
	(void)send(fd, data, len, MSG_NOSIGNAL);
	return recv(fd, data, sizeof data, 0) > 0 ? 3 : 0;
}

static void test_another_container_is_refused(void **state)
{
	int status = 0;
	pid_t child;
	struct old o;

	(void)state;
	(void)identity();
	start(&o);
	child = fork();
	if (child == 0)
		_exit(ask_from_elsewhere());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	stop(&o);
	if (WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_strange_and_silent_callers_are_hung_up_on(void **state)
{
	struct takeover_message serving = {.word = TAKEOVER_SERVING},
				done = {.word = TAKEOVER_DONE};
	uint8_t data[TAKEOVER_MESSAGE] = {0};
	struct old o;

	(void)state;
	start(&o);
	say("hello", 5);
	say(data, sizeof data);
	say(data, takeover_encode(&serving, data));
	say(data, takeover_encode(&done, data));
	say(NULL, 0);
	assert_int_equal(o.given + o.lost + o.done, 0);
	takeover_free(ask());
	stop(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sockets_go_over_and_then_the_old_one_is_done),
		cmocka_unit_test(
			test_connections_go_over_afterwards_in_as_many_messages_as_it_takes),
		cmocka_unit_test(test_what_cannot_be_said_now_is_said_later),
		cmocka_unit_test(test_without_a_running_one_there_is_none),
		cmocka_unit_test(test_the_address_can_be_had_once),
		cmocka_unit_test(test_one_that_asks_and_goes_changes_nothing),
		cmocka_unit_test(
			test_one_that_hangs_up_before_the_last_word_leaves_the_old_one_serving),
		cmocka_unit_test(test_one_that_stands_still_is_given_up_and_told_so),
		cmocka_unit_test(test_the_time_to_serve_begins_when_all_is_given),
		cmocka_unit_test(
			test_one_that_dies_after_it_has_given_is_told_from_one_that_goes_on),
		cmocka_unit_test(test_who_asked_another_one_before_is_refused),
		cmocka_unit_test(test_another_container_is_refused),
		cmocka_unit_test(test_strange_and_silent_callers_are_hung_up_on),
	};

	return cmocka_run_group_tests_name("dnsd/takeover", tests, NULL, NULL);
}
