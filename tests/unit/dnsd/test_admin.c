/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ifaddrs.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "dnsd/admin.h"
#include "zones/build.h"

/* --- a server over a snapshot of two zones and two clusters --- */

struct desk {
	struct zones *zones;
	struct admin_pulse pulse;
	struct admin *admin;
	struct addr addr;
	struct text answer; /* the last one, header and all */
	char *body;
	unsigned status;
	enum err refusal; /* of orders */
	enum order order;
	char ordered[64];
};

#define WIRE(s) ((struct bytes){(const uint8_t *)(s), sizeof(s)})

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_true(addr_parse(bytes_of(text), &a));
	return a;
}

static enum err on_order(enum order order, const struct order_about *about, void *arg,
                         uint64_t *result, struct reason *why)
{
	struct desk *d = arg;

	d->order = order;
	snprintf(d->ordered, sizeof(d->ordered), "%s%s%s%s%s", about->name ? about->name : "",
	         about->cluster ? " at " : "", about->cluster ? about->cluster : "",
	         about->policy ? " by " : "", about->policy ? about->policy : "");
	*result = 3;
	return d->refusal ? reason_set(why, d->refusal, "nothing is held in %s", about->name)
	                  : ERR_OK;
}

static bool find_place(const struct addr *addr, void *arg, struct explain_place *out)
{
	struct addr known = addr_of("198.51.100.0");

	(void)arg;
	if (!addr_equal(addr, &known))
		return false;
	*out = (struct explain_place){
		.has_place = true, .place = {37.5, -122.5}, .database = "nets.csv"};
	return true;
}

static void put_zones(struct zones *z)
{
	const struct zones_nameserver ns = {.name = WIRE("\2ns\7example\3com")};
	const struct zones_zone zones[] = {
		{.apex = WIRE("\7example\3com"),
	         .ttl = 60,
	         .negative_ttl = 30,
	         .nameservers = &ns,
	         .nameserver_count = 1},
		{.apex = WIRE("\7example\3net"),
	         .ttl = 60,
	         .negative_ttl = 30,
	         .nameservers = &ns,
	         .nameserver_count = 1},
	};

	zones_set_zones(z, zones, 2);
}

static void put_sites(struct zones *z)
{
	const struct addr la = addr_of("192.0.2.1"), ny = addr_of("192.0.2.2");
	const struct endpoint_rrset of_la = {
		.type = bytes_of("A"), .ttl = 30, .count = 1, .addresses = &la};
	const struct endpoint_rrset of_ny = {
		.type = bytes_of("A"), .ttl = 30, .count = 1, .addresses = &ny};
	const struct endpoint_site sites[] = {
		{.cluster = 1,
	         .layers = SITE_ENDPOINTS | SITE_LOAD_BALANCER,
	         .rrsets = &of_la,
	         .rrset_count = 1},
		{.cluster = 2, .layers = SITE_LOAD_BALANCER, .rrsets = &of_ny, .rrset_count = 1},
	};
	const struct endpoint e = {.owner = WIRE("\3www\7example\3com"),
	                           .source = "ServiceDNSRecord shop/web",
	                           .has_sites = true,
	                           .fail_open = true,
	                           .sites = sites,
	                           .site_count = 2};

	zones_put(z, &e);
}

static void put_text(struct zones *z, struct bytes owner)
{
	const struct bytes text = bytes_of("say \"hello\"");
	const struct endpoint_rrset set = {
		.type = bytes_of("TXT"), .ttl = 7, .count = 1, .texts = &text};
	const struct endpoint e = {
		.owner = owner, .source = "config", .fixed = &set, .fixed_count = 1};

	zones_put(z, &e);
}

static void put_tables(struct zones *z)
{
	static const char *const la_zones[] = {"us-west-2a", NULL}, *const no_zones[] = {NULL};
	const struct snapshot_cluster clusters[] = {
		{.id = 1,
	         .name = "la",
	         .source = "manifests",
	         .knowledge = "synced",
	         .region = "us-west-2",
	         .zones = la_zones,
	         .has_place = true,
	         .place = {34.05, -118.24},
	         .place_from = "annotation",
	         .up = true,
	         .error = ""},
		{.id = 2,
	         .name = "ny \"q\"",
	         .source = "manifests",
	         .knowledge = "unseen",
	         .since_ms = 1,
	         .region = "",
	         .zones = no_zones,
	         .place_from = "",
	         .drained = true,
	         .error = "no folder"},
	};
	const struct snapshot_problem problem = {"x.yaml:3", "bad \001 byte", 1767323045};
	const struct snapshot_conflict conflict = {"www.example.com", "A", "B"};
	const struct snapshot_hold hold = {.zone = "example.com",
	                                   .names = 60,
	                                   .id = 18446744073709551615ULL,
	                                   .since = 1767323045};
	const struct snapshot_waiting waiting[] = {
		{"www.example.com", "la", "shop/web", false, clock_monotonic_ms() - 3500, 600000},
		{"www.example.com", "ny", "shop/web", true, clock_monotonic_ms() - 1500, 0}};
	const struct snapshot_report report = {.problems = &problem,
	                                       .problem_count = 1,
	                                       .conflicts = &conflict,
	                                       .conflict_count = 1,
	                                       .holds = &hold,
	                                       .hold_count = 1,
	                                       .fact_count = 42,
	                                       .waiting = waiting,
	                                       .waiting_count = 2};

	zones_set_clusters(z, clusters, 2);
	zones_set_report(z, &report);
}

static void publish(struct desk *d, bool ready)
{
	const struct snapshot_settings settings = {.degraded_ttl = 5, .ready = ready};

	zones_set_settings(d->zones, &settings);
	(void)zones_build(d->zones, 1767323045);
	admin_count_update(&d->pulse, 700);
}

static void start(struct desk *d)
{
	struct admin_settings settings = {.addr = d->addr,
	                                  .handover = zones_handover(d->zones),
	                                  .pulse = &d->pulse,
	                                  .order = on_order,
	                                  .find_place = find_place,
	                                  .arg = d};
	struct reason why = {0};

	assert_int_equal(admin_start(&settings, &d->admin, &why), ERR_OK);
}

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->addr = addr_of("127.0.0.1");
	d->zones = zones_new();
	put_zones(d->zones);
	put_sites(d->zones);
	put_text(d->zones, WIRE("\4note\7example\3net"));
	put_text(d->zones, WIRE("\3a.b\7example\3net"));
	put_tables(d->zones);
	publish(d, true);
	start(d);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	admin_stop(d->admin);
	zones_free(d->zones);
	text_fini(&d->answer);
	free(d);
	return 0;
}

/* --- asking --- */

static unsigned ask(struct desk *d, const char *method, const char *path)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&d->addr, admin_port(d->admin), &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct text request = {0};
	uint8_t piece[4096];
	ssize_t got;

	text_printf(&request, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method,
	            path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(write(fd, request.data, request.len), (ssize_t)request.len);
	text_reset(&d->answer);
	while ((got = read(fd, piece, sizeof(piece))) > 0)
		text_add_bytes(&d->answer, (struct bytes){piece, (size_t)got});
	close(fd);
	text_fini(&request);
	assert_non_null(d->answer.data);
	d->body = strstr(d->answer.data, "\r\n\r\n");
	assert_non_null(d->body);
	d->body += 4;
	assert_int_equal(sscanf(d->answer.data, "HTTP/1.1 %u", &d->status), 1);
	return d->status;
}

/* The body as JSON; the caller gives it back. */
static struct json_object *get_json(struct desk *d, const char *path)
{
	struct json_object *root;

	assert_int_equal(ask(d, "GET", path), 200);
	assert_non_null(strstr(d->answer.data, "application/json"));
	root = json_tokener_parse(d->body);
	assert_non_null(root);
	return root;
}

/* The value at a path like "clusters/1/name" as JSON text. */
static const char *at(struct json_object *root, const char *path)
{
	char pointer[128];
	struct json_object *value = NULL;

	snprintf(pointer, sizeof(pointer), "/%s", path);
	if (json_pointer_get(root, pointer, &value) != 0)
		return "(absent)";
	return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
	                                                     JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void assert_refused(struct desk *d, const char *method, const char *path, unsigned status,
                           const char *error)
{
	char want[256];

	assert_int_equal(ask(d, method, path), status);
	snprintf(want, sizeof(want), "{\"error\":\"%s\"}\n", error);
	assert_string_equal(d->body, want);
}

/* --- alive, ready, healthy --- */

static void test_a_ready_server_says_ok(void **state)
{
	struct desk *d = *state;

	assert_int_equal(ask(d, "GET", "/livez"), 200);
	assert_string_equal(d->body, "ok\n");
	assert_int_equal(ask(d, "GET", "/readyz"), 200);
	assert_string_equal(d->body, "ok\n");
	assert_int_equal(ask(d, "GET", "/healthz"), 200);
	assert_int_equal(ask(d, "GET", "/healthz?verbose"), 200);
	assert_string_equal(d->body, "[+]loop ok\n[+]snapshot ok\n[+]sources ok\n");
	assert_non_null(strstr(d->answer.data, "text/plain"));
}

static void test_before_the_sources_are_read_it_lives_but_is_not_ready(void **state)
{
	struct desk *d = *state;

	publish(d, false);
	assert_int_equal(ask(d, "GET", "/livez"), 200);
	assert_int_equal(ask(d, "GET", "/readyz"), 503);
	assert_string_equal(
		d->body, "[+]snapshot ok\n[-]sources not every source is read or restored yet\n");
	assert_int_equal(ask(d, "GET", "/healthz?verbose"), 503);
}

static void test_before_anything_is_published_it_is_not_ready(void **state)
{
	struct handover *empty = handover_new(NULL);
	struct admin_settings settings = {.addr = addr_of("127.0.0.1"), .handover = empty};
	struct desk d = {.addr = settings.addr};
	struct reason why = {0};

	(void)state;
	settings.pulse = &d.pulse;
	assert_int_equal(admin_start(&settings, &d.admin, &why), ERR_OK);
	assert_int_equal(ask(&d, "GET", "/readyz"), 503);
	assert_int_equal(ask(&d, "GET", "/livez?verbose"), 200);
	assert_refused(&d, "GET", "/status", 503, "nothing is published yet");
	assert_refused(&d, "GET", "/status/names", 503, "nothing is published yet");
	assert_refused(&d, "GET", "/metrics", 503, "nothing is published yet");
	assert_refused(&d, "GET", "/explain?name=x", 503, "nothing is published yet");
	admin_stop(d.admin);
	handover_free(empty);
	text_fini(&d.answer);
}

/* --- status --- */

static void test_status_tells_how_shares_move(void **state)
{
	const struct snapshot_shift shift = {.from = SNAPSHOT_EVERYBODY,
	                                     .to = SNAPSHOT_EVERYBODY / 2,
	                                     .ttl_from = 1767323045 - 60,
	                                     .start = 1767323045,
	                                     .end = 4102444800,
	                                     .ttl = 5,
	                                     .curve = "steps:4"};
	const struct snapshot_cluster clusters[] = {{.id = 1,
	                                             .name = "la",
	                                             .source = "manifests",
	                                             .knowledge = "synced",
	                                             .region = "",
	                                             .withheld = SNAPSHOT_EVERYBODY / 4,
	                                             .shift = &shift},
	                                            {.id = 2,
	                                             .name = "ny",
	                                             .source = "manifests",
	                                             .knowledge = "synced",
	                                             .region = "",
	                                             .drained = true}};
	struct desk *d = *state;
	struct json_object *root;

	zones_set_clusters(d->zones, clusters, 2);
	publish(d, true);
	root = get_json(d, "/status");
	assert_string_equal(at(root, "clusters/0/share"), "75");
	assert_string_equal(at(root, "clusters/0/shift"),
	                    "{\"state\":\"moving\",\"from\":100,\"to\":50,"
	                    "\"start\":\"2026-01-02T03:04:05Z\",\"end\":\"2100-01-01T00:00:00Z\","
	                    "\"curve\":\"steps:4\","
	                    "\"ttl\":5,\"ttlFrom\":\"2026-01-02T03:03:05Z\"}");
	assert_string_equal(at(root, "clusters/0/largestTTL"), "30");
	assert_string_equal(at(root, "clusters/1/share"), "0");
	assert_string_equal(at(root, "clusters/1/shift"), "null");
	json_object_put(root);
}

static void test_status_has_the_shape_of_the_design(void **state)
{
	struct json_object *root = get_json(*state, "/status");

	assert_string_equal(at(root, "ready"), "true");
	assert_int_equal(at(root, "version")[0], '"');
	assert_string_equal(at(root, "listen"), "[]");
	assert_memory_equal(at(root, "http"), "\"127.0.0.1:", 11);
	assert_string_equal(at(root, "clusters/0"),
	                    "{\"name\":\"la\",\"source\":\"manifests\",\"knowledge\":\"synced\","
	                    "\"ageSeconds\":0,"
	                    "\"region\":\"us-west-2\",\"zones\":[\"us-west-2a\"],\"location\":{"
	                    "\"latitude\":34.05,"
	                    "\"longitude\":-118.24,\"from\":\"annotation\"},\"drained\":false,"
	                    "\"up\":true,\"share\":100,\"shift\":null,\"largestTTL\":30,"
	                    "\"error\":\"\"}");
	assert_string_equal(at(root, "clusters/1/name"), "\"ny \\\"q\\\"\"");
	assert_string_equal(at(root, "clusters/1/location"), "null");
	assert_string_equal(at(root, "clusters/1/drained"), "true");
	assert_true(atoll(at(root, "clusters/1/ageSeconds")) >=
	            (long long)(clock_monotonic_ms() / 1000) - 2);
	assert_string_equal(at(root, "zones/0/name"), "\"example.com\"");
	assert_string_equal(at(root, "zones/0/serial"), "1767323045");
	assert_string_equal(at(root, "zones/0/held"), "60");
	assert_string_equal(at(root, "zones/1/held"), "0");
	assert_string_equal(
		at(root, "guard/0"),
		"{\"zone\":\"example.com\",\"names\":60,\"since\":\"2026-01-02T03:04:05Z\","
		"\"until\":null,\"id\":\"18446744073709551615\"}");
	assert_string_equal(at(root, "errors/0"),
	                    "{\"where\":\"x.yaml:3\",\"message\":\"bad \\u0001 byte\","
	                    "\"since\":\"2026-01-02T03:04:05Z\"}");
	assert_string_equal(at(root, "pending"),
	                    "[{\"name\":\"www.example.com\",\"cluster\":\"la\","
	                    "\"mode\":\"After\",\"policy\":\"shop/web\","
	                    "\"usableForSeconds\":3,\"needsSeconds\":600},"
	                    "{\"name\":\"www.example.com\",\"cluster\":\"ny\","
	                    "\"mode\":\"Manual\",\"policy\":\"shop/web\","
	                    "\"usableForSeconds\":1,\"needsSeconds\":null}]");
	assert_string_equal(at(root, "conflicts/0"),
	                    "{\"name\":\"www.example.com\",\"winner\":\"A\",\"loser\":\"B\"}");
	/* Two apexes, www, note and a\.b. */
	assert_string_equal(at(root, "counts/names"), "5");
	/* SOA and NS of each zone, two A, two TXT. */
	assert_string_equal(at(root, "counts/records"), "8");
	assert_string_equal(at(root, "counts/answers"), "0");
	json_object_put(root);
}

/* --- names --- */

static void test_a_name_with_sites_tells_each_site_and_its_layers(void **state)
{
	struct json_object *root = get_json(*state, "/status/names?zone=example.com&prefix=www");

	assert_string_equal(at(root, "continue"), "\"\"");
	assert_string_equal(at(root, "items/0/name"), "\"www.example.com\"");
	assert_string_equal(at(root, "items/0/source"), "\"ServiceDNSRecord shop/web\"");
	assert_string_equal(at(root, "items/0/ttl"), "30");
	assert_string_equal(at(root, "items/0/sites/0/cluster"), "\"la\"");
	assert_string_equal(at(root, "items/0/sites/0/addresses"), "[\"192.0.2.1\"]");
	assert_string_equal(at(root, "items/0/sites/0/usable"), "true");
	assert_string_equal(at(root, "items/0/sites/1/usable"), "false");
	assert_string_equal(at(root, "items/0/sites/1/reasons/0/layer"), "\"endpoints\"");
	assert_string_equal(at(root, "items/0/sites/1/reasons/0/ok"), "false");
	assert_string_equal(at(root, "items/0/records"), "(absent)");
	assert_string_equal(at(root, "items/1"), "(absent)");
	json_object_put(root);
}

static void test_a_fixed_name_tells_its_records(void **state)
{
	struct json_object *root = get_json(*state, "/status/names?prefix=NOTE.example.net.");

	assert_string_equal(at(root, "items/0/sites"), "[]");
	assert_string_equal(at(root, "items/0/records"),
	                    "[\"note.example.net. 7 IN TXT \\\"say \\\\\\\"hello\\\\\\\"\\\"\"]");
	json_object_put(root);
}

static void test_pages_of_one_show_every_name_once(void **state)
{
	static const char *const names[] = {"\"example.com\"", "\"www.example.com\"",
	                                    "\"example.net\"", "\"a\\\\.b.example.net\"",
	                                    "\"note.example.net\""};
	char path[1200] = "/status/names?limit=1";

	for (size_t i = 0; i < 5; i++) {
		struct json_object *root = get_json(*state, path);
		const char *token = at(root, "continue");

		assert_string_equal(at(root, "items/0/name"), names[i]);
		assert_string_equal(at(root, "items/1"), "(absent)");
		assert_true((strlen(token) == 2) == (i == 4));
		snprintf(path, sizeof(path), "/status/names?limit=1&continue=%.*s",
		         (int)strlen(token) - 2, token + 1);
		json_object_put(root);
	}
}

static void test_names_refuse_what_they_do_not_understand(void **state)
{
	struct desk *d = *state;

	assert_refused(d, "GET", "/status/names?limit=0", 400, "limit must be 1 to 1000");
	assert_refused(d, "GET", "/status/names?limit=1001", 400, "limit must be 1 to 1000");
	assert_refused(d, "GET", "/status/names?limit=x", 400, "limit must be 1 to 1000");
	assert_refused(d, "GET", "/status/names?zone=example.org", 404, "no such zone");
	assert_refused(d, "GET", "/status/names?continue=0", 400,
	               "continue is not what a page before gave");
	assert_refused(d, "GET", "/status/names?continue=zz", 400,
	               "continue is not what a page before gave");
	assert_refused(d, "GET", "/status/names?continue=00", 400,
	               "continue is not what a page before gave");
	assert_refused(d, "GET", "/status/names?continue=0741000a", 400,
	               "continue is not what a page before gave");
	assert_refused(d, "GET", "/status/names?continue=000000", 400,
	               "continue is not what a page before gave");
}

/* --- explain --- */

static void test_explain_knows_the_clients_place(void **state)
{
	struct json_object *root =
		get_json(*state, "/explain?name=www.example.com&client=198.51.100.7/24");

	assert_string_equal(at(root, "question/name"), "\"www.example.com\"");
	assert_string_equal(at(root, "zone"), "\"example.com\"");
	assert_string_equal(at(root, "client/address"), "\"198.51.100.0\"");
	assert_string_equal(at(root, "client/place/latitude"), "37.5");
	assert_string_equal(at(root, "client/database"), "\"nets.csv\"");
	/* The other cluster is drained: the short TTL. */
	assert_string_equal(at(root, "answer/site"), "\"la\"");
	assert_string_equal(at(root, "answer/records"), "[\"www.example.com. 5 IN A 192.0.2.1\"]");
	json_object_put(root);
}

static void test_explain_refuses_bad_arguments(void **state)
{
	struct desk *d = *state;

	assert_refused(d, "GET", "/explain", 400, "name is missing: /explain?name=NAME");
	assert_int_equal(ask(d, "GET", "/explain?name=a..b"), 400);
	assert_int_equal(ask(d, "GET", "/explain?name=a&client=x"), 400);
	assert_int_equal(ask(d, "GET", "/explain?name=a&type=NOTYPE"), 400);
	assert_int_equal(ask(d, "GET", "/explain?name=a&resolver=1.2.3"), 400);
}

/* --- metrics --- */

static void test_metrics_tell_clusters_zones_and_latency(void **state)
{
	static const char *const lines[] = {
		"# TYPE watcher_cluster_age_seconds gauge\n",
		"\nwatcher_cluster_age_seconds{cluster=\"la\"} 0\n",
		"\nwatcher_cluster_up{cluster=\"ny \\\"q\\\"\"} 0\n",
		"\nzones_serial{zone=\"example.com\"} 1767323045\n",
		"\nrecords_guard_held_names{zone=\"example.com\"} 60\n",
		"\ndnsd_answers_total{transport=\"udp\",rcode=\"NXDOMAIN\"} 0\n",
		"\ndnsd_answer_reasons_total{reason=\"nearest\"} 0\n",
		"\ndnsd_tcp_opened_total 0\n",
		"\ndnsd_update_seconds_bucket{le=\"0.0005\"} 0\n",
		"\ndnsd_update_seconds_bucket{le=\"0.001\"} 1\n",
		"\ndnsd_update_seconds_count 1\n",
		"\nrecords_objects 42\n",
		"nigh_build_info{version=\"",
	};
	struct desk *d = *state;
	const char *resident;

	assert_int_equal(ask(d, "GET", "/metrics"), 200);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!strstr(d->body, lines[i]))
			print_error("missing: %s\n%s", lines[i], d->body);
		assert_non_null(strstr(d->body, lines[i]));
	}
	resident = strstr(d->body, "\nprocess_resident_memory_bytes ");
	assert_non_null(resident);
	assert_true(atof(resident + strlen("\nprocess_resident_memory_bytes ")) > 100000);
}

static void test_every_metric_has_one_head_and_a_sentence(void **state)
{
	struct desk *d = *state;

	assert_int_equal(ask(d, "GET", "/metrics"), 200);
	for (char *head = d->body; (head = strstr(head, "# TYPE ")) != NULL; head++) {
		char name[80], help[100], *sentence;

		assert_int_equal(sscanf(head, "# TYPE %79s", name), 1);
		snprintf(help, sizeof(help), "# TYPE %s ", name);
		assert_null(strstr(head + 1, help));
		snprintf(help, sizeof(help), "# HELP %s ", name);
		sentence = strstr(d->body, help);
		assert_non_null(sentence);
		sentence = strchr(sentence, '\n');
		assert_int_equal(sentence[-1], '.');
	}
}

static void test_latencies_fall_into_their_cells(void **state)
{
	struct admin_pulse pulse = {0};

	(void)state;
	admin_count_update(&pulse, 0);
	admin_count_update(&pulse, 500);
	admin_count_update(&pulse, 501);
	admin_count_update(&pulse, 5000001);
	assert_int_equal(pulse.update_us[0], 2);
	assert_int_equal(pulse.update_us[1], 1);
	assert_int_equal(pulse.update_us[11], 1);
	assert_int_equal(pulse.updates, 4);
	assert_int_equal(pulse.update_us_sum, 5001002);
}

/* --- the guard, and other paths --- */

static void test_sites_are_let_back_by_post_only(void **state)
{
	struct desk *d = *state;

	assert_int_equal(ask(d, "GET", "/failback?name=www.example.com"), 405);
	assert_string_equal(d->ordered, "");
	assert_int_equal(ask(d, "POST", "/failback?name=www.example.com&cluster=la"), 200);
	assert_int_equal(d->order, ORDER_FAILBACK);
	assert_string_equal(d->ordered, "www.example.com at la");
	assert_string_equal(d->body, "{\"name\":\"www.example.com\",\"sites\":3}\n");
	assert_int_equal(ask(d, "POST", "/failback?name=www.example.com"), 200);
	assert_string_equal(d->ordered, "www.example.com");
	assert_int_equal(ask(d, "POST", "/failback?cluster=la&policy=shop/web&name="), 200);
	assert_string_equal(d->ordered, " at la by shop/web");
	assert_string_equal(d->body, "{\"sites\":3}\n");
	assert_refused(d, "POST", "/failback?cluster=", 400,
	               "who is let back? /failback?name=NAME, cluster= or policy=NAMESPACE/NAME");
	d->refusal = ERR_NOTFOUND;
	assert_int_equal(ask(d, "POST", "/failback?name=a.example"), 404);
}

static void test_the_guard_is_released_by_post_only(void **state)
{
	struct desk *d = *state;

	assert_int_equal(ask(d, "GET", "/guard/release?zone=example.com"), 405);
	assert_string_equal(d->ordered, "");
	assert_int_equal(ask(d, "POST", "/guard/release?zone=example.com"), 200);
	assert_string_equal(d->ordered, "example.com");
	assert_string_equal(d->body, "{\"zone\":\"example.com\",\"released\":true}\n");
	assert_refused(d, "POST", "/guard/release", 400,
	               "zone is missing: /guard/release?zone=ZONE");
	d->refusal = ERR_NOTFOUND;
	assert_refused(d, "POST", "/guard/release?zone=a.example", 404,
	               "nothing is held in a.example");
	d->refusal = ERR_TIMEOUT;
	assert_int_equal(ask(d, "POST", "/guard/release?zone=a.example"), 504);
}

static void test_a_file_is_read_and_secondaries_are_told_by_post_only(void **state)
{
	struct desk *d = *state;

	assert_int_equal(ask(d, "GET", "/zone/reload?zone=example.com"), 405);
	assert_int_equal(ask(d, "GET", "/zone/notify?zone=example.com"), 405);
	assert_string_equal(d->ordered, "");
	assert_int_equal(ask(d, "POST", "/zone/reload?zone=example.com"), 200);
	assert_int_equal(d->order, ORDER_RELOAD);
	assert_string_equal(d->ordered, "example.com");
	assert_string_equal(d->body, "{\"zone\":\"example.com\",\"reading\":3}\n");
	assert_int_equal(ask(d, "POST", "/zone/notify?zone=example.org"), 200);
	assert_int_equal(d->order, ORDER_NOTIFY);
	assert_string_equal(d->body, "{\"zone\":\"example.org\",\"secondaries\":3}\n");
	assert_int_equal(ask(d, "POST", "/zone/notify"), 200);
	assert_string_equal(d->ordered, ORDERS_ALL_ZONES);
	assert_string_equal(d->body, "{\"secondaries\":3}\n");
	assert_refused(d, "POST", "/zone/reload", 400, "zone is missing: /zone/reload?zone=ZONE");
	d->refusal = ERR_CONFLICT;
	assert_int_equal(ask(d, "POST", "/zone/notify?zone=example.com"), 409);
}

/* An address of this machine that is not loopback's; talking to it stays inside the machine. */
static bool own_address(struct addr *out)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) != 0)
		return false;
	for (struct ifaddrs *i = list; i && !found; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
			*out = addr_from_sockaddr(i->ifa_addr, NULL);
			found = out->bytes[0] != 127;
		}
	freeifaddrs(list);
	return found;
}

static void test_orders_are_not_taken_from_elsewhere(void **state)
{
	struct desk *d = *state;
	struct addr own;

	if (!own_address(&own))
		skip();
	admin_stop(d->admin);
	d->addr = own;
	start(d);
	assert_refused(d, "POST", "/failback?name=www.example.com", 403,
	               "orders are taken only from the server's own machine");
	assert_refused(d, "POST", "/guard/release?zone=example.com", 403,
	               "orders are taken only from the server's own machine");
	assert_string_equal(d->ordered, "");
}

static void test_the_index_lists_the_paths_and_others_are_not_found(void **state)
{
	struct desk *d = *state;

	assert_int_equal(ask(d, "GET", "/"), 200);
	assert_non_null(strstr(d->body, "/status/names"));
	assert_refused(d, "GET", "/nowhere", 404, "no such path");
	assert_refused(d, "GET", "/status/", 404, "no such path");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_ready_server_says_ok),
		TEST(test_before_the_sources_are_read_it_lives_but_is_not_ready),
		cmocka_unit_test(test_before_anything_is_published_it_is_not_ready),
		TEST(test_status_tells_how_shares_move),
		TEST(test_status_has_the_shape_of_the_design),
		TEST(test_a_name_with_sites_tells_each_site_and_its_layers),
		TEST(test_a_fixed_name_tells_its_records),
		TEST(test_pages_of_one_show_every_name_once),
		TEST(test_names_refuse_what_they_do_not_understand),
		TEST(test_explain_knows_the_clients_place),
		TEST(test_explain_refuses_bad_arguments),
		TEST(test_metrics_tell_clusters_zones_and_latency),
		TEST(test_every_metric_has_one_head_and_a_sentence),
		cmocka_unit_test(test_latencies_fall_into_their_cells),
		TEST(test_sites_are_let_back_by_post_only),
		TEST(test_the_guard_is_released_by_post_only),
		TEST(test_a_file_is_read_and_secondaries_are_told_by_post_only),
		TEST(test_orders_are_not_taken_from_elsewhere),
		TEST(test_the_index_lists_the_paths_and_others_are_not_found),
	};

	return cmocka_run_group_tests_name("dnsd/admin", tests, NULL, NULL);
}
