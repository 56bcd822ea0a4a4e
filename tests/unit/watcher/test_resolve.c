/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "watcher/resolve.h"

enum {
	PATIENCE_MS = 10000,
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_AAAA = 28,
	NXDOMAIN = 3,
	SERVFAIL = 2
};

/* What the name server of a test says of one name; addresses between spaces. */
struct zone_entry {
	const char *name;
	const char *a, *aaaa;
	uint32_t ttl;
	uint8_t rcode, rcode_aaaa;
	bool is_silent, is_silent_aaaa;
	bool has_cname; /* on the way, with TTL 1 */
	unsigned asked; /* for A */
};

/* A name server on loopback, a resolver, and what the resolver said. */
struct world {
	uv_loop_t loop;
	uv_udp_t server;
	char received[1500];
	struct zone_entry *zone;
	size_t zone_count;
	struct resolver *resolver;
	char said[256];    /* the last addresses, as text */
	char trouble[256]; /* the last trouble; "fine" after NULL */
	uint32_t ttl_s;    /* with them */
	unsigned successes, troubles;
	bool stopped;
};

/* --- the name server --- */

static void put_head(struct buffer *out, uint16_t owner, uint16_t type, uint32_t ttl, uint16_t len)
{
	buffer_u16(out, owner);
	buffer_u16(out, type);
	buffer_u16(out, 1);
	buffer_u32(out, ttl);
	buffer_u16(out, len);
}

/* Returns how many records were put: one of each address of a list. */
static uint16_t put_records(struct buffer *out, const struct zone_entry *e, uint16_t owner,
                            uint16_t type)
{
	const char *at = type == TYPE_A ? e->a : e->aaaa;
	uint16_t count = 0;

	while (at && *at) {
		size_t len = strcspn(at, " ");
		struct addr addr;

		assert_true(addr_parse((struct bytes){(const uint8_t *)at, len}, &addr));
		put_head(out, owner, type, e->ttl, addr_bits(&addr) / 8);
		buffer_put(out, addr.bytes, addr_bits(&addr) / 8);
		count++;
		at += len;
		at += *at == ' ';
	}
	return count;
}

static struct buffer answer_of(const struct zone_entry *e, struct bytes query, uint16_t type)
{
	struct buffer out = {0};
	uint16_t owner = 0xc00c, count = 0;

	buffer_put(&out, query.data, query.len);
	if (e->has_cname) {
		/* The alias is "x." and the name asked for, behind this record's head. */
		uint16_t target = (uint16_t)(out.len + 12);

		put_head(&out, owner, TYPE_CNAME, 1, 4);
		buffer_u8(&out, 1);
		buffer_u8(&out, 'x');
		buffer_u16(&out, owner);
		owner = (uint16_t)(0xc000 | target);
		count++;
	}
	count = (uint16_t)(count + put_records(&out, e, owner, type));
	bytes_put16(out.data + 2, (uint16_t)(0x8180 | (type == TYPE_A ? e->rcode : e->rcode_aaaa)));
	bytes_put16(out.data + 6, count);
	bytes_put16(out.data + 8, 0);
	bytes_put16(out.data + 10, 0);
	return out;
}

/* The name of the question as text; returns the length of the question section. */
static size_t read_question(struct bytes query, char name[256], uint16_t *type)
{
	struct cursor c = cursor_over(query.data, query.len);
	size_t at = 0;
	uint8_t len;

	cursor_bytes(&c, 12);
	while ((len = cursor_u8(&c)) != 0) {
		struct bytes label = cursor_bytes(&c, len);

		assert_false(c.bad || at + len + 2 > 256);
		memcpy(name + at, label.data, len);
		at += len;
		name[at++] = '.';
	}
	name[at ? at - 1 : 0] = '\0';
	*type = cursor_u16(&c);
	cursor_u16(&c);
	assert_false(c.bad);
	return query.len - cursor_left(&c) - 12;
}

static struct zone_entry *find_entry(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->zone_count; i++)
		if (strcmp(w->zone[i].name, name) == 0)
			return &w->zone[i];
	return NULL;
}

static void on_query(uv_udp_t *server, ssize_t len, const uv_buf_t *buf,
                     const struct sockaddr *from, unsigned flags)
{
	struct world *w = server->data;
	struct bytes query = {(const uint8_t *)buf->base, len > 0 ? (size_t)len : 0};
	struct zone_entry none = {.rcode = NXDOMAIN, .rcode_aaaa = NXDOMAIN}, *e;
	struct buffer out;
	uv_buf_t send;
	char name[256];
	uint16_t type;

	(void)flags;
	if (!from || query.len < 12)
		return;
	query.len = 12 + read_question(query, name, &type);
	e = find_entry(w, name);
	if (e && type == TYPE_A)
		e->asked++;
	if (e && (type == TYPE_A ? e->is_silent : e->is_silent_aaaa))
		return;
	out = answer_of(e ? e : &none, query, type);
	send = uv_buf_init((char *)out.data, (unsigned)out.len);
	assert_int_equal(uv_udp_try_send(server, &send, 1, from), out.len);
	buffer_fini(&out);
}

static void give_buffer(uv_handle_t *server, size_t size, uv_buf_t *buf)
{
	struct world *w = server->data;

	(void)size;
	*buf = uv_buf_init(w->received, sizeof(w->received));
}

/* --- the world --- */

static void on_addresses(struct bytes host, const struct addr *addresses, size_t count,
                         uint32_t ttl_s, void *arg)
{
	struct world *w = arg;
	char text[ADDR_TEXT_SIZE];
	size_t at;

	assert_false(w->stopped);
	assert_true(count > 0);
	at = (size_t)snprintf(w->said, sizeof(w->said), "%.*s:", (int)host.len,
	                      (const char *)host.data);
	for (size_t i = 0; i < count && at < sizeof(w->said); i++)
		at += (size_t)snprintf(w->said + at, sizeof(w->said) - at, " %s",
		                       addr_print(&addresses[i], text));
	w->ttl_s = ttl_s;
	w->successes++;
}

static void on_trouble(struct bytes host, const char *message, void *arg)
{
	struct world *w = arg;

	assert_false(w->stopped);
	assert_true(host.len > 0);
	snprintf(w->trouble, sizeof(w->trouble), "%s", message ? message : "fine");
	w->troubles++;
}

static void on_stopped(void *arg) { ((struct world *)arg)->stopped = true; }

static struct world *world_new(struct zone_entry *zone, size_t count,
                               const struct resolver_limits *limits)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int len = sizeof(at);
	char servers[64];

	assert_non_null(w);
	w->zone = zone;
	w->zone_count = count;
	assert_int_equal(uv_loop_init(&w->loop), 0);
	assert_int_equal(uv_udp_init(&w->loop, &w->server), 0);
	w->server.data = w;
	assert_int_equal(uv_udp_bind(&w->server, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_udp_getsockname(&w->server, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(uv_udp_recv_start(&w->server, give_buffer, on_query), 0);
	snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(at.sin_port));
	assert_int_equal(
		resolver_new(&w->loop, servers, on_addresses, on_trouble, w, &w->resolver, NULL),
		ERR_OK);
	resolver_set_limits(w->resolver, limits);
	return w;
}

static void world_free(struct world *w)
{
	resolver_stop(w->resolver, on_stopped, w);
	uv_close((uv_handle_t *)&w->server, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_true(w->stopped);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	free(w);
}

static void run_ms(struct world *w, uint64_t ms)
{
	uint64_t until = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < until) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

static void run_until(struct world *w, const unsigned *counter, unsigned value)
{
	uint64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (*counter < value && clock_monotonic_ms() < until)
		run_ms(w, 1);
	assert_true(*counter >= value);
}

static void set_hosts(struct world *w, const char *one, const char *two)
{
	struct bytes hosts[2] = {bytes_of(one), bytes_of(two)};

	resolver_set_hosts(w->resolver, hosts, two ? 2 : 1);
}

static const struct resolver_limits usual = {5000, 3600000, 5000, 300000, 2000};
/* Every TTL counts as 50 ms, failures come 50 ms apart, a query waits for 30 ms. */
static const struct resolver_limits quick = {50, 50, 50, 50, 30};

static void test_both_families_are_one_sorted_list(void **state)
{
	struct zone_entry zone[] = {
		{.name = "lb.example",
	         .a = "192.0.2.9 192.0.2.1 192.0.2.9",
	         .aaaa = "2001:db8::5",
	         .ttl = 60},
	};
	struct world *w = world_new(zone, 1, &usual);

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_until(w, &w->successes, 1);
	assert_string_equal(w->said, "lb.example: 192.0.2.1 192.0.2.9 2001:db8::5");
	assert_int_equal(w->ttl_s, 60);
	run_ms(w, 50);
	assert_int_equal(w->troubles, 0);
	assert_int_equal(zone[0].asked, 1);
	world_free(w);
}

static void test_a_family_that_is_not_there_is_no_trouble(void **state)
{
	struct zone_entry zone[] = {{.name = "lb.example", .aaaa = "2001:db8::5", .ttl = 60}};
	struct world *w = world_new(zone, 1, &usual);

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_until(w, &w->successes, 1);
	assert_string_equal(w->said, "lb.example: 2001:db8::5");
	assert_int_equal(w->troubles, 0);
	world_free(w);
}

static void test_it_is_looked_up_again_when_its_ttl_ends(void **state)
{
	const struct resolver_limits limits = {10, 3600000, 50, 50, 100};
	struct zone_entry zone[] = {{.name = "lb.example", .a = "192.0.2.1", .ttl = 1}};
	struct world *w = world_new(zone, 1, &limits);
	uint64_t begin = clock_monotonic_ms();

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_until(w, &w->successes, 1);
	zone[0].a = "192.0.2.2";
	run_until(w, &w->successes, 2);
	assert_in_range(clock_monotonic_ms() - begin, 1000, 2500);
	assert_string_equal(w->said, "lb.example: 192.0.2.2");
	world_free(w);
}

static void test_the_shortest_ttl_of_an_alias_counts(void **state)
{
	const struct resolver_limits limits = {10, 3600000, 50, 50, 100};
	struct zone_entry zone[] = {
		{.name = "lb.example", .a = "192.0.2.1", .ttl = 600, .has_cname = true}};
	struct world *w = world_new(zone, 1, &limits);
	uint64_t begin = clock_monotonic_ms();

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_until(w, &w->successes, 2);
	assert_in_range(clock_monotonic_ms() - begin, 1000, 2500);
	assert_int_equal(w->ttl_s, 1);
	world_free(w);
}

static void test_a_long_and_a_short_ttl_are_bounded(void **state)
{
	const struct resolver_limits limits = {200, 400, 50, 50, 100};
	struct zone_entry zone[] = {
		{.name = "long.example", .a = "192.0.2.1", .ttl = 86400},
		{.name = "short.example", .a = "192.0.2.1", .ttl = 0},
	};
	struct world *w = world_new(zone, 2, &limits);

	(void)state;
	set_hosts(w, "long.example", "short.example");
	run_ms(w, 1000);
	assert_in_range(zone[0].asked, 2, 3);
	assert_in_range(zone[1].asked, 3, 5);
	world_free(w);
}

static void test_a_failure_keeps_the_addresses_and_is_told(void **state)
{
	struct zone_entry zone[] = {
		{.name = "lb.example", .a = "192.0.2.1", .aaaa = "2001:db8::5", .ttl = 60}};
	struct world *w = world_new(zone, 1, &quick);
	unsigned successes;

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_until(w, &w->successes, 1);
	zone[0].is_silent = zone[0].is_silent_aaaa = true;
	run_until(w, &w->troubles, 2);
	assert_string_equal(w->trouble, "lb.example: timed out");
	zone[0].is_silent = zone[0].is_silent_aaaa = false;
	zone[0].rcode = zone[0].rcode_aaaa = SERVFAIL;
	zone[0].a = zone[0].aaaa = NULL;
	w->troubles = 0;
	run_until(w, &w->troubles, 3);
	assert_non_null(strstr(w->trouble, "lb.example: the name servers failed"));
	successes = w->successes;
	zone[0].rcode = zone[0].rcode_aaaa = 0;
	zone[0].a = "192.0.2.7";
	run_until(w, &w->successes, successes + 1);
	assert_string_equal(w->said, "lb.example: 192.0.2.7");
	assert_string_equal(w->trouble, "fine");
	world_free(w);
}

static void test_a_name_that_lost_its_addresses_says_nothing(void **state)
{
	struct zone_entry zone[] = {{.name = "lb.example", .a = "192.0.2.1", .ttl = 60}};
	struct world *w = world_new(zone, 1, &quick);
	unsigned successes;

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_until(w, &w->successes, 1);
	zone[0].a = NULL;
	run_until(w, &w->troubles, 1);
	assert_string_equal(w->trouble, "lb.example: has no address");
	successes = w->successes;
	zone[0].rcode = zone[0].rcode_aaaa = NXDOMAIN;
	w->troubles = 0;
	run_until(w, &w->troubles, 3);
	assert_string_equal(w->trouble, "lb.example: no such name");
	assert_int_equal(w->successes, successes);
	world_free(w);
}

static void test_a_family_that_failed_keeps_its_addresses(void **state)
{
	struct zone_entry zone[] = {
		{.name = "lb.example", .a = "192.0.2.1", .aaaa = "2001:db8::5", .ttl = 60}};
	struct world *w = world_new(zone, 1, &quick);

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_until(w, &w->successes, 1);
	zone[0].a = "192.0.2.2";
	zone[0].is_silent_aaaa = true;
	run_until(w, &w->troubles, 1);
	assert_string_equal(w->said, "lb.example: 192.0.2.2 2001:db8::5");
	assert_string_equal(w->trouble, "lb.example: timed out");
	zone[0].is_silent_aaaa = false;
	zone[0].aaaa = NULL;
	run_until(w, &w->troubles, w->troubles + 1);
	assert_string_equal(w->said, "lb.example: 192.0.2.2");
	assert_string_equal(w->trouble, "fine");
	world_free(w);
}

static void seed(struct world *w, const char *host, const char *one, const char *two)
{
	struct addr list[2];

	assert_true(addr_parse(bytes_of(one), &list[0]));
	assert_true(!two || addr_parse(bytes_of(two), &list[1]));
	resolver_seed(w->resolver, bytes_of(host), list, two ? 2 : 1);
}

static void test_a_family_that_fails_at_first_keeps_what_was_known_before(void **state)
{
	struct zone_entry zone[] = {
		{.name = "a.example", .a = "192.0.2.2", .ttl = 60, .is_silent_aaaa = true},
		{.name = "b.example", .a = "192.0.2.3", .ttl = 60, .is_silent_aaaa = true},
	};
	struct world *w = world_new(zone, 2, &quick);

	(void)state;
	seed(w, "b.example", "192.0.2.8", NULL);
	seed(w, "a.example", "192.0.2.1", "2001:db8::5");
	seed(w, "b.example", "192.0.2.9", "2001:db8::9"); /* in place of the other */
	set_hosts(w, "a.example", NULL);
	run_until(w, &w->troubles, 1);
	assert_string_equal(w->said, "a.example: 192.0.2.2 2001:db8::5");
	w->successes = 0;
	set_hosts(w, "b.example", NULL);
	run_until(w, &w->successes, 1);
	assert_string_equal(w->said, "b.example: 192.0.2.3 2001:db8::9");
	world_free(w);
}

static void test_a_wanted_host_is_seeded_until_it_is_found(void **state)
{
	struct zone_entry zone[] = {
		{.name = "a.example", .a = "192.0.2.2", .ttl = 60, .is_silent_aaaa = true}};
	struct world *w = world_new(zone, 1, &quick);

	(void)state;
	set_hosts(w, "a.example", NULL);
	seed(w, "a.example", "192.0.2.1", "2001:db8::5");
	run_until(w, &w->successes, 1);
	assert_string_equal(w->said, "a.example: 192.0.2.2 2001:db8::5");
	seed(w, "a.example", "192.0.2.1", "2001:db8::6");
	run_until(w, &w->successes, 2);
	assert_string_equal(w->said, "a.example: 192.0.2.2 2001:db8::5");
	world_free(w);
}

static void test_what_was_known_before_goes_when_it_is_looked_up(void **state)
{
	struct zone_entry zone[] = {{.name = "a.example", .a = "192.0.2.2", .ttl = 60}};
	struct world *w = world_new(zone, 1, &usual);

	(void)state;
	seed(w, "a.example", "192.0.2.1", "2001:db8::5");
	set_hosts(w, "a.example", NULL);
	run_until(w, &w->successes, 1);
	assert_string_equal(w->said, "a.example: 192.0.2.2");
	assert_int_equal(w->troubles, 0);
	world_free(w);
}

static void test_more_seeds_than_there_may_be_are_not_taken(void **state)
{
	enum { SEEDS = 10000 };
	struct zone_entry zone[] = {
		{.name = "h09999.example", .a = "192.0.2.2", .ttl = 60, .is_silent_aaaa = true},
		{.name = "h10000.example", .a = "192.0.2.2", .ttl = 60, .is_silent_aaaa = true},
	};
	struct world *w = world_new(zone, 2, &quick);
	char name[32];

	(void)state;
	for (int i = 0; i <= SEEDS; i++) {
		snprintf(name, sizeof(name), "h%05d.example", i);
		seed(w, name, "2001:db8::5", NULL);
	}
	set_hosts(w, "h10000.example", NULL);
	run_until(w, &w->successes, 1);
	assert_string_equal(w->said, "h10000.example: 192.0.2.2");
	w->successes = 0;
	set_hosts(w, "h09999.example", NULL);
	run_until(w, &w->successes, 1);
	assert_string_equal(w->said, "h09999.example: 192.0.2.2 2001:db8::5");
	world_free(w);
}

static void test_failures_come_ever_farther_apart(void **state)
{
	const struct resolver_limits limits = {50, 50, 50, 400, 30};
	struct zone_entry zone[] = {
		{.name = "lb.example", .rcode = NXDOMAIN, .rcode_aaaa = NXDOMAIN}};
	struct world *w = world_new(zone, 1, &limits);

	(void)state;
	set_hosts(w, "lb.example", NULL);
	run_ms(w, 1500); /* at 0, 50, 150, 350, 750, 1150 */
	assert_in_range(zone[0].asked, 4, 6);
	world_free(w);
}

static void test_hosts_that_stay_keep_their_times_and_others_go(void **state)
{
	struct zone_entry zone[] = {
		{.name = "a.example", .a = "192.0.2.1", .ttl = 60},
		{.name = "b.example", .a = "192.0.2.2", .ttl = 60},
		{.name = "c.example", .rcode = NXDOMAIN, .rcode_aaaa = NXDOMAIN},
	};
	struct world *w = world_new(zone, 3, &usual);

	(void)state;
	set_hosts(w, "b.example", "c.example");
	run_until(w, &w->successes, 1);
	run_until(w, &w->troubles, 1);
	set_hosts(w, "a.example", "b.example");
	assert_string_equal(w->trouble, "fine"); /* c is not asked for any more */
	run_until(w, &w->successes, 2);
	assert_string_equal(w->said, "a.example: 192.0.2.1");
	run_ms(w, 50);
	assert_int_equal(zone[0].asked, 1);
	assert_int_equal(zone[1].asked, 1);
	assert_int_equal(zone[2].asked, 1);
	world_free(w);
}

static void test_a_host_that_goes_during_its_look_up_is_forgotten(void **state)
{
	struct zone_entry zone[] = {
		{.name = "a.example", .a = "192.0.2.1", .ttl = 60},
		{.name = "b.example", .a = "192.0.2.2", .ttl = 60, .is_silent = true},
	};
	struct world *w = world_new(zone, 2, &quick);

	(void)state;
	set_hosts(w, "b.example", NULL);
	run_until(w, &zone[1].asked, 1);
	set_hosts(w, "a.example", NULL);
	run_until(w, &w->successes, 2);
	run_ms(w, 300);
	assert_string_equal(w->said, "a.example: 192.0.2.1");
	assert_int_equal(w->troubles, 0);
	world_free(w);
}

static void test_many_hosts_all_get_their_turn(void **state)
{
	enum { HOSTS = 500 };
	struct zone_entry *zone = calloc(HOSTS, sizeof(*zone));
	struct bytes hosts[HOSTS];
	char names[HOSTS][32];
	struct world *w;

	(void)state;
	assert_non_null(zone);
	for (int i = 0; i < HOSTS; i++) {
		snprintf(names[i], sizeof(names[i]), "h%03d.example", i);
		zone[i] = (struct zone_entry){.name = names[i], .a = "192.0.2.1", .ttl = 60};
		hosts[i] = bytes_of(names[i]);
	}
	w = world_new(zone, HOSTS, &usual);
	resolver_set_hosts(w->resolver, hosts, HOSTS);
	run_until(w, &w->successes, HOSTS);
	for (int i = 0; i < HOSTS; i++)
		assert_int_equal(zone[i].asked, 1);
	world_free(w);
	free(zone);
}

static void test_a_name_that_is_none_is_trouble_and_no_question(void **state)
{
	struct world *w = world_new(NULL, 0, &quick);
	char longer[300];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	set_hosts(w, "a..example", longer);
	run_until(w, &w->troubles, 2);
	assert_int_equal(w->successes, 0);
	world_free(w);
}

static void test_stopping_during_a_look_up_says_nothing_more(void **state)
{
	struct zone_entry zone[] = {
		{.name = "a.example", .is_silent = true, .is_silent_aaaa = true}};
	struct world *w = world_new(zone, 1, &usual);

	(void)state;
	set_hosts(w, "a.example", NULL);
	run_until(w, &zone[0].asked, 1);
	world_free(w);
}

static void test_servers_that_make_no_sense_are_refused(void **state)
{
	struct reason why = {""};
	struct resolver *r;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(resolver_new(&loop, "nonsense", on_addresses, on_trouble, NULL, &r, &why),
	                 ERR_IO);
	assert_non_null(strstr(why.text, "cannot look up names"));
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_families_are_one_sorted_list),
		cmocka_unit_test(test_a_family_that_is_not_there_is_no_trouble),
		cmocka_unit_test(test_it_is_looked_up_again_when_its_ttl_ends),
		cmocka_unit_test(test_the_shortest_ttl_of_an_alias_counts),
		cmocka_unit_test(test_a_long_and_a_short_ttl_are_bounded),
		cmocka_unit_test(test_a_failure_keeps_the_addresses_and_is_told),
		cmocka_unit_test(test_a_name_that_lost_its_addresses_says_nothing),
		cmocka_unit_test(test_a_family_that_failed_keeps_its_addresses),
		cmocka_unit_test(test_a_family_that_fails_at_first_keeps_what_was_known_before),
		cmocka_unit_test(test_a_wanted_host_is_seeded_until_it_is_found),
		cmocka_unit_test(test_what_was_known_before_goes_when_it_is_looked_up),
		cmocka_unit_test(test_more_seeds_than_there_may_be_are_not_taken),
		cmocka_unit_test(test_failures_come_ever_farther_apart),
		cmocka_unit_test(test_hosts_that_stay_keep_their_times_and_others_go),
		cmocka_unit_test(test_a_host_that_goes_during_its_look_up_is_forgotten),
		cmocka_unit_test(test_many_hosts_all_get_their_turn),
		cmocka_unit_test(test_a_name_that_is_none_is_trouble_and_no_question),
		cmocka_unit_test(test_stopping_during_a_look_up_says_nothing_more),
		cmocka_unit_test(test_servers_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests_name("watcher/resolve", tests, NULL, NULL);
}
