/* Zone files that come, change, break and go, on a loop of the test's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "dnsd/zone_loader.h"

enum { WAIT_MS = 10000 };

#define HEAD "@ 300 SOA ns1 host 7 3600 900 604800 60\n@ 300 NS ns1\n"

static const uint8_t com[] = "\7example\3com", net[] = "\7example\3net";

struct desk {
	uv_loop_t loop;
	struct zone_loader *loader;
	char folder[64];
	const struct zonefile *com, *net; /* in force */
	unsigned files, gone, tellings;
	struct text lines; /* as last printed */
	bool stopped;
};

static void on_file(struct bytes apex, const struct zonefile *file, void *arg)
{
	struct desk *d = arg;
	bool is_com = bytes_equal(apex, (struct bytes){com, sizeof com});

	*(is_com ? &d->com : &d->net) = file;
	*(file ? &d->files : &d->gone) += 1;
}

static void on_errors(void *arg)
{
	struct desk *d = arg;

	text_reset(&d->lines);
	zone_loader_print(d->loader, &d->lines);
	d->tellings++;
}

static void on_stopped(void *arg) { ((struct desk *)arg)->stopped = true; }

static void put(const struct desk *d, const char *name, const char *text)
{
	char path[128], fresh[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", d->folder, name);
	snprintf(fresh, sizeof fresh, "%s/.%s", d->folder, name);
	f = fopen(fresh, "w");
	CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0 && rename(fresh, path) == 0);
}

static void set(struct desk *d, const char *com_file, const char *net_file)
{
	char path[2][128];
	struct zone_loader_zone zones[2];
	size_t count = 0;

	for (unsigned i = 0; i < 2; i++) {
		const char *file = i ? net_file : com_file;

		snprintf(path[i], sizeof path[i], "%s/%s", d->folder, file ? file : "");
		if (file)
			zones[count++] = (struct zone_loader_zone){
				.apex = {i ? net : com, sizeof com}, .path = path[i], .ttl = 30};
	}
	zone_loader_set(d->loader, zones, count);
}

static void wait_for(struct desk *d, const unsigned *count, unsigned wanted)
{
	uint64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	while (*count < wanted && clock_monotonic_ms() < until_ms)
		uv_run(&d->loop, UV_RUN_ONCE);
	assert_int_equal(*count, wanted);
}

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof *d);
	struct name_key key = {{1, 2, 3, 4}};
	struct zone_loader_events events = {on_file, on_errors, d};

	CHECK(d && uv_loop_init(&d->loop) == 0);
	snprintf(d->folder, sizeof d->folder, "/tmp/nigh-loader-XXXXXX");
	CHECK(mkdtemp(d->folder));
	d->loader = zone_loader_start(&d->loop, &key, NULL, &events);
	put(d, "com", HEAD "a A 192.0.2.1\n");
	put(d, "net", HEAD "a A 192.0.2.2\nb A 192.0.2.3\n");
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;
	char path[128];

	zone_loader_stop(d->loader, on_stopped, d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_true(d->stopped);
	assert_int_equal(uv_loop_close(&d->loop), 0);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", d->folder,
		         ((const char *[]){"com", "net", "inc"})[i]);
		unlink(path);
	}
	rmdir(d->folder);
	text_fini(&d->lines);
	free(d);
	return 0;
}

static void test_every_file_is_read_once_and_again_when_it_changes(void **state)
{
	struct desk *d = *state;

	set(d, "com", "net");
	assert_false(zone_loader_is_read(d->loader));
	wait_for(d, &d->files, 2);
	assert_true(zone_loader_is_read(d->loader));
	assert_int_equal(zonefile_name_count(d->com), 2);
	assert_int_equal(zonefile_name_count(d->net), 3);
	put(d, "com", HEAD "a A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.2\n");
	wait_for(d, &d->files, 3);
	assert_int_equal(zonefile_name_count(d->com), 4);
	assert_int_equal(zonefile_change_count(d->com), 2);
}

static void test_a_broken_file_leaves_the_last_good_one_in_force(void **state)
{
	struct desk *d = *state;
	unsigned tellings;

	set(d, "com", NULL);
	wait_for(d, &d->files, 1);
	tellings = d->tellings;
	put(d, "com", HEAD "b.org. A 192.0.2.1\na A 192.0.2\n");
	wait_for(d, &d->tellings, tellings + 1);
	assert_int_equal(d->files, 1);
	assert_int_equal(zonefile_name_count(d->com), 2);
	assert_non_null(strstr(d->lines.data, "/com:4: A: '192.0.2' is not an IPv4 address\n"));
	put(d, "com", HEAD "b.org. A 192.0.2.1\n");
	wait_for(d, &d->files, 2);
	assert_string_equal(strstr(d->lines.data, "/com:"),
	                    "/com:3: warning: b.org. lies outside the zone and is left out\n");
}

static void test_a_file_that_comes_later_is_read_then(void **state)
{
	struct desk *d = *state;

	put(d, "com", HEAD "$INCLUDE inc\n");
	set(d, "com", NULL);
	wait_for(d, &d->tellings, 2);
	assert_null(d->com);
	assert_false(zone_loader_is_read(d->loader));
	put(d, "inc", "b A 192.0.2.1\n");
	wait_for(d, &d->files, 1);
	put(d, "inc", "b A 192.0.2.1\nc A 192.0.2.1\n");
	wait_for(d, &d->files, 2);
	assert_int_equal(zonefile_name_count(d->com), 3);
}

static void test_a_zone_without_its_file_is_told(void **state)
{
	struct desk *d = *state;

	set(d, "com", "net");
	wait_for(d, &d->files, 2);
	set(d, "net", NULL);
	assert_null(d->net);
	assert_int_equal(d->gone, 1);
	wait_for(d, &d->files, 3);
	assert_int_equal(zonefile_name_count(d->com), 3);
	assert_int_equal(zonefile_change_count(d->com), 2);
	/* While it is read, and read no more. */
	set(d, NULL, "com");
	assert_null(d->com);
	set(d, NULL, NULL);
	assert_int_equal(d->gone, 3);
	assert_true(zone_loader_is_read(d->loader));
}

static void test_what_another_process_serves_and_this_one_has_not_is_lacking(void **state)
{
	struct desk *d = *state;
	struct buffer served = {0};
	bool is_reading = false;

	set(d, "com", "net");
	wait_for(d, &d->files, 2);
	zone_loader_print_served(d->loader, &served);
	put(d, "net", "bad\n");
	set(d, "com", NULL);
	set(d, "com", "net");
	/* Zones that this one has not are not missed. */
	assert_true(zone_loader_expect(d->loader, (struct bytes){served.data, served.len}));
	assert_non_null(strstr(zone_loader_lacking(d->loader, &is_reading), "/net"));
	assert_true(is_reading);
	wait_for(d, &d->tellings, d->tellings + 1);
	assert_non_null(strstr(zone_loader_lacking(d->loader, &is_reading), "/net"));
	assert_false(is_reading);
	set(d, "com", NULL);
	assert_true(zone_loader_expect(d->loader, (struct bytes){served.data, served.len}));
	assert_null(zone_loader_lacking(d->loader, &is_reading));
	for (size_t len = 1; len < served.len / 2; len++)
		assert_false(zone_loader_expect(d->loader, (struct bytes){served.data, len}));
	served.data[served.len - 1] = 3;
	assert_false(zone_loader_expect(d->loader, (struct bytes){served.data, served.len}));
	buffer_fini(&served);
}

static void note_stopped(void *arg) { *(bool *)arg = true; }

/* Runs the loop until the file is there (or is not), for at most a while. */
static bool wait_for_file(struct desk *d, const char *path, bool is_there)
{
	uint64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	while ((access(path, R_OK) == 0) != is_there && clock_monotonic_ms() < until_ms)
		uv_run(&d->loop, UV_RUN_ONCE);
	return (access(path, R_OK) == 0) == is_there;
}

/* One at a time has the state: what it keeps of a zone goes only by that one. */
static void test_the_copy_of_a_zone_that_is_gone_stays_while_the_state_is_anothers(void **state)
{
	struct desk *d = *state;
	struct name_key key = {{1, 2, 3, 4}};
	struct zone_loader_events events = {on_file, on_errors, d};
	struct zone_loader *plain = d->loader;
	bool stopped = false;
	char kept[128];

	d->loader = zone_loader_start(&d->loop, &key, d->folder, &events);
	snprintf(kept, sizeof kept, "%s/zones/example.com.zone", d->folder);
	set(d, "com", NULL);
	assert_true(wait_for_file(d, kept, true));
	zone_loader_keep(d->loader, false);
	set(d, NULL, NULL);
	assert_int_equal(access(kept, R_OK), 0);
	zone_loader_keep(d->loader, true);
	set(d, "com", NULL);
	wait_for(d, &d->files, 2);
	set(d, NULL, NULL);
	assert_true(wait_for_file(d, kept, false));
	zone_loader_stop(d->loader, note_stopped, &stopped);
	while (!stopped)
		uv_run(&d->loop, UV_RUN_ONCE);
	d->loader = plain;
	snprintf(kept, sizeof kept, "%s/zones", d->folder);
	assert_int_equal(rmdir(kept), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_every_file_is_read_once_and_again_when_it_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_broken_file_leaves_the_last_good_one_in_force, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_that_comes_later_is_read_then, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			test_what_another_process_serves_and_this_one_has_not_is_lacking, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_the_copy_of_a_zone_that_is_gone_stays_while_the_state_is_anothers,
			setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_zone_without_its_file_is_told, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests_name("dnsd/zone_loader", tests, NULL, NULL);
}
