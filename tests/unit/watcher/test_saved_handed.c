/* The state goes from one process to the next: the one that ends writes no more, the other not before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/watcher_saved.h"
#include "watcher/saved.h"

enum { LA = 1 };

/* One process's hold of the state. */
struct life {
	uv_loop_t loop;
	struct facts *facts;
	struct saved *saved;
};

static void begin(struct life *l)
{
	assert_int_equal(uv_loop_init(&l->loop), 0);
	l->facts = facts_new();
	assert_int_equal(facts_cluster_id(l->facts, bytes_of("la")), LA);
}

static void live(struct life *l, const char *dir)
{
	struct reason why = {""};

	begin(l);
	assert_int_equal(saved_open(&l->loop, dir, l->facts, &l->saved, &why), ERR_OK);
}

static void end(struct life *l)
{
	if (l->saved != NULL)
		saved_close(l->saved);
	uv_run(&l->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&l->loop), 0);
	facts_free(l->facts);
}

/* As another process has it: with a duplicate of the lock. */
static enum err succeed(struct life *l, const struct life *before, const char *dir,
                        struct bytes handed, struct reason *why)
{
	int lock = fcntl(saved_lock(before->saved), F_DUPFD_CLOEXEC, 0);
	enum err err;

	begin(l);
	l->saved = NULL;
	err = saved_open_handed(&l->loop, dir, &lock, handed, l->facts, &l->saved, why);
	if (lock >= 0)
		close(lock);
	return err;
}

static void put(struct life *l, const char *name, int64_t ttl)
{
	const struct fact *fact = watcher_saved_fact(name, ttl, "192.0.2.1");

	saved_put_cluster(l->saved, LA, CLUSTER_MEMBER);
	saved_put_fact(l->saved, LA, fact);
	facts_put(l->facts, LA, fact);
}

static void assert_ttl(const struct life *l, const char *name, int64_t ttl)
{
	assert_int_equal(watcher_saved_ttl(l->facts, "la", name), ttl);
}

static struct bytes print(struct life *l, struct buffer *out)
{
	saved_print(l->saved, out);
	return (struct bytes){out->data, out->len};
}

static int setup(void **state)
{
	*state = watcher_saved_dir();
	return 0;
}

static int teardown(void **state)
{
	watcher_saved_remove_dir(*state);
	return 0;
}

static void test_the_next_process_has_what_was_not_on_disk_yet_and_goes_on_with_it(void **state)
{
	struct life one, two, three;
	struct buffer handed = {0};
	struct reason why = {""};
	struct bytes value;

	live(&one, *state);
	put(&one, "web", 30);
	saved_put_value(one.saved, SAVED_SERIAL, bytes_of("apex"), bytes_of("1234"));
	assert_int_equal(succeed(&two, &one, *state, print(&one, &handed), &why), ERR_OK);
	assert_ttl(&two, "web", 30);
	assert_true(saved_was_restored(two.saved));
	assert_true(saved_find_value(two.saved, SAVED_SERIAL, bytes_of("apex"), &value));
	saved_suspend(one.saved);
	put(&one, "late", 1);
	end(&one);
	saved_resume(two.saved);
	put(&two, "more", 60);
	end(&two);
	live(&three, *state);
	assert_ttl(&three, "web", 30);
	assert_ttl(&three, "more", 60);
	assert_ttl(&three, "late", -1);
	assert_int_equal(saved_counts(three.saved).set_aside, 0);
	end(&three);
	buffer_fini(&handed);
}

static void test_a_next_process_that_fails_leaves_the_state_as_it_was(void **state)
{
	struct life one, two, three;
	struct buffer handed = {0};
	struct reason why = {""};

	live(&one, *state);
	put(&one, "web", 30);
	assert_int_equal(succeed(&two, &one, *state, print(&one, &handed), &why), ERR_OK);
	saved_suspend(one.saved);
	put(&two, "never", 1);
	end(&two);
	put(&one, "after", 60);
	saved_resume(one.saved);
	end(&one);
	live(&three, *state);
	assert_ttl(&three, "web", 30);
	assert_ttl(&three, "after", 60);
	assert_ttl(&three, "never", -1);
	end(&three);
	buffer_fini(&handed);
}

static void test_the_lock_is_never_free_between_them(void **state)
{
	struct life one, two;
	struct saved *third = NULL;
	struct buffer handed = {0};
	struct reason why = {""};
	struct facts *facts = facts_new();

	live(&one, *state);
	assert_int_equal(succeed(&two, &one, *state, print(&one, &handed), &why), ERR_OK);
	saved_suspend(one.saved);
	end(&one);
	assert_int_equal(saved_open(NULL, *state, facts, &third, &why), ERR_CONFLICT);
	saved_resume(two.saved);
	end(&two);
	facts_free(facts);
	buffer_fini(&handed);
}

static void test_another_directory_is_locked_by_itself(void **state)
{
	char *other = watcher_saved_dir();
	struct life one, two;
	struct buffer handed = {0};
	struct reason why = {""};

	live(&one, *state);
	put(&one, "web", 30);
	assert_int_equal(succeed(&two, &one, other, print(&one, &handed), &why), ERR_OK);
	assert_ttl(&two, "web", 30);
	saved_resume(two.saved);
	end(&two);
	assert_true(watcher_saved_has(other, "base"));
	end(&one);
	buffer_fini(&handed);
	watcher_saved_remove_dir(other);
}

static void test_without_a_directory_nothing_is_written_and_all_can_be_handed_over(void **state)
{
	struct life one, two;
	struct buffer handed = {0};
	struct reason why = {""};
	int none = -1;

	(void)state;
	begin(&one);
	assert_int_equal(saved_open_handed(&one.loop, NULL, &none, (struct bytes){0}, one.facts,
	                                   &one.saved, &why),
	                 ERR_OK);
	assert_false(saved_was_restored(one.saved));
	assert_int_equal(saved_lock(one.saved), -1);
	put(&one, "web", 30);
	saved_resume(one.saved);
	saved_flush(one.saved);
	assert_int_equal(succeed(&two, &one, NULL, print(&one, &handed), &why), ERR_OK);
	assert_ttl(&two, "web", 30);
	end(&one);
	end(&two);
	buffer_fini(&handed);
}

static void test_what_is_not_whole_is_refused(void **state)
{
	struct life one, two;
	struct buffer handed = {0};
	struct reason why = {""};
	struct bytes cut;

	live(&one, *state);
	put(&one, "web", 30);
	cut = print(&one, &handed);
	for (cut.len -= 1; cut.len > 0; cut.len--) {
		assert_int_equal(succeed(&two, &one, NULL, cut, &why), ERR_PARSE);
		end(&two);
	}
	end(&one);
	buffer_fini(&handed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_the_next_process_has_what_was_not_on_disk_yet_and_goes_on_with_it),
		TEST(test_a_next_process_that_fails_leaves_the_state_as_it_was),
		TEST(test_the_lock_is_never_free_between_them),
		TEST(test_another_directory_is_locked_by_itself),
		TEST(test_without_a_directory_nothing_is_written_and_all_can_be_handed_over),
		TEST(test_what_is_not_whole_is_refused),
	};

	return cmocka_run_group_tests_name("watcher/saved_handed", tests, NULL, NULL);
}
