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

#include "base/log.h"
#include "base/text.h"
#include "dnsd/config.h"
#include "dnsd/rrl.h"

/* --- a folder for config files --- */

struct desk {
	char folder[64];
	char file[96];
	struct text errors;
};

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	snprintf(d->folder, sizeof(d->folder), "/tmp/nigh-config-XXXXXX");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->file, sizeof(d->file), "%s/nighd.yaml", d->folder);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	unlink(d->file);
	rmdir(d->folder);
	text_fini(&d->errors);
	free(d);
	return 0;
}

static struct config *read_yaml(struct desk *d, const char *yaml)
{
	FILE *f = fopen(d->file, "w");

	assert_non_null(f);
	assert_true(fputs(yaml, f) >= 0);
	assert_int_equal(fclose(f), 0);
	text_reset(&d->errors);
	return config_read(d->file, &d->errors);
}

/* The config is refused with exactly these lines; each begins with FILE. */
static void assert_refused(struct desk *d, const char *yaml, const char *const *lines)
{
	struct config *c = read_yaml(d, yaml);
	struct text want = {0};

	for (size_t i = 0; lines[i]; i++)
		text_printf(&want, "%s:%s\n", d->file, lines[i]);
	if (c || strcmp(d->errors.data, want.data) != 0)
		print_error("config: %s\n", yaml);
	assert_null(c);
	assert_string_equal(d->errors.data, want.data);
	text_fini(&want);
}

#define REFUSED(d, yaml, ...) assert_refused(d, yaml, (const char *const[]){__VA_ARGS__, NULL})

static struct config *must_read(struct desk *d, const char *yaml)
{
	struct config *c = read_yaml(d, yaml);

	if (!c)
		print_error("%s", d->errors.data);
	assert_non_null(c);
	return c;
}

/* --- reading --- */

static void test_without_a_file_the_defaults_of_the_design_hold(void **state)
{
	struct desk *d = *state;
	struct config *c = config_read(NULL, &d->errors);
	char text[ADDR_PORT_TEXT_SIZE];

	assert_non_null(c);
	assert_int_equal(c->dns_count, 2);
	assert_string_equal(addr_port_print(&c->dns[0].addr, c->dns[0].port, text),
	                    "127.0.0.1:5300");
	assert_string_equal(addr_port_print(&c->dns[1].addr, c->dns[1].port, text), "[::1]:5300");
	assert_string_equal(addr_port_print(&c->http.addr, c->http.port, text), "127.0.0.1:8053");
	assert_int_equal(c->workers, 0);
	assert_null(c->user);
	assert_int_equal(c->tcp.max_connections, 10000);
	assert_int_equal(c->tcp.max_per_network, 200);
	assert_int_equal(c->tcp.idle_ms, 10000);
	assert_null(c->state);
	assert_int_equal(c->manifests.count, 0);
	assert_int_equal(c->zone_count, 0);
	assert_int_equal(c->defaults.policy, CONFIG_NEAREST);
	assert_int_equal(c->defaults.ttl_s, 30);
	assert_int_equal(c->defaults.degraded_ttl_s, 5);
	assert_int_equal(c->defaults.negative_ttl_s, 30);
	assert_int_equal(c->defaults.unseen_after_ms, 0);
	assert_int_equal(c->probe.mode, CONFIG_PROBE_UNSEEN);
	assert_int_equal(c->probe.interval_ms, 1000);
	assert_int_equal(c->probe.timeout_ms, 1000);
	assert_int_equal(c->probe.down, 3);
	assert_int_equal(c->probe.up, 2);
	assert_int_equal(c->guard.min_names, 50);
	assert_int_equal(c->guard.max_withdraw_percent, 20);
	assert_int_equal(c->guard.hold_for_ms, 600000);
	assert_int_equal(c->patience_ms, 10000);
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->log_format, LOG_FORMAT_TEXT);
	assert_true(config_check(c, &d->errors));
	config_free(c);
}

static const char whole[] =
	"listen: {dns: [\"127.0.0.2:53\", \"[2001:db8::1]:0\"], http: \"0.0.0.0:80\"}\n"
	"workers: 4\n"
	"user: nighd\n"
	"sources:\n"
	"  manifests: [clusters, /srv/more]\n"
	"zones:\n"
	"  - name: example.com\n"
	"    nameservers:\n"
	"      - {name: ns1.example.com, addresses: [192.0.2.53, \"2001:db8::53\"]}\n"
	"      - name: ns.example.net.\n"
	"    ttl: 60\n"
	"    records: [\"www 300 IN A 192.0.2.1\", 'note TXT \"two words\"']\n"
	"  - {name: \"a\\\\.b.example\", file: zones/b.zone, records: }\n"
	"geo: {databases: [city.mmdb], networks: nets.csv, unknownOrder: [ny, la]}\n"
	"defaults: {policy: all, ttl: 0, degradedTTL: 2, negativeTTL: 7, unseenAfter: 2h}\n"
	"probe: {mode: always, interval: 500ms, timeout: 10ms, down: 1, up: 100}\n"
	"publish: {allow: [127.0.0.0/8], deny: [\"2001:db8::/32\", 192.0.2.1]}\n"
	"guard: {minNames: 1, maxWithdrawPercent: 100, holdFor: 0}\n"
	"startup: {patience: 3s}\n"
	"state: saved\n"
	"log: {level: debug, format: json}\n"
	"tcp: {maxConnections: 7, maxPerNetwork: 3, idle: 1500ms}\n";

static void assert_is_whole(const struct config *c, const char *folder)
{
	char path[128];

	assert_int_equal(c->dns_count, 2);
	assert_int_equal(c->dns[0].port, 53);
	assert_int_equal(c->dns[1].port, 0);
	assert_int_equal(c->dns[1].addr.family, ADDR_IPV6);
	assert_int_equal(c->http.port, 80);
	assert_int_equal(c->workers, 4);
	assert_string_equal(c->user, "nighd");
	assert_int_equal(c->tcp.max_connections, 7);
	assert_int_equal(c->tcp.max_per_network, 3);
	assert_int_equal(c->tcp.idle_ms, 1500);
	snprintf(path, sizeof(path), "%s/clusters", folder);
	assert_int_equal(c->manifests.count, 2);
	assert_string_equal(c->manifests.item[0], path);
	assert_string_equal(c->manifests.item[1], "/srv/more");
	assert_int_equal(c->zone_count, 2);
	assert_string_equal(c->zones[0].name, "example.com");
	assert_int_equal(c->zones[0].ttl_s, 60);
	assert_int_equal(c->zones[0].nameserver_count, 2);
	assert_string_equal(c->zones[0].nameservers[0].name, "ns1.example.com");
	assert_int_equal(c->zones[0].nameservers[0].address_count, 2);
	assert_int_equal(c->zones[0].nameservers[0].addresses[1].family, ADDR_IPV6);
	assert_int_equal(c->zones[0].nameservers[1].address_count, 0);
	assert_int_equal(c->zones[0].record_count, 2);
	assert_string_equal(c->zones[0].records[0].text, "www 300 IN A 192.0.2.1");
	assert_string_equal(c->zones[0].records[1].text, "note TXT \"two words\"");
	assert_string_equal(c->zones[1].name, "a\\.b.example");
	assert_int_equal(c->zones[1].ttl_s, 0);
	assert_int_equal(c->zones[1].record_count, 0);
	assert_null(c->zones[0].file);
	snprintf(path, sizeof(path), "%s/zones/b.zone", folder);
	assert_string_equal(c->zones[1].file, path);
	assert_int_equal(c->geo.databases.count, 1);
	snprintf(path, sizeof(path), "%s/nets.csv", folder);
	assert_string_equal(c->geo.networks, path);
	assert_int_equal(c->geo.unknown_order.count, 2);
	assert_string_equal(c->geo.unknown_order.item[0], "ny");
	assert_int_equal(c->defaults.policy, CONFIG_ALL);
	assert_int_equal(c->defaults.ttl_s, 0);
	assert_int_equal(c->defaults.unseen_after_ms, 7200000);
	assert_int_equal(c->probe.mode, CONFIG_PROBE_ALWAYS);
	assert_int_equal(c->probe.interval_ms, 500);
	assert_int_equal(c->publish.deny.count, 2);
	assert_int_equal(c->guard.hold_for_ms, 0);
	assert_int_equal(c->patience_ms, 3000);
	snprintf(path, sizeof(path), "%s/saved", folder);
	assert_string_equal(c->state, path);
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_int_equal(c->log_format, LOG_FORMAT_JSON);
}

static void test_every_key_arrives_and_paths_are_relative_to_the_file(void **state)
{
	struct desk *d = *state;
	struct config *c = must_read(d, whole);

	assert_is_whole(c, d->folder);
	assert_int_equal(c->zones[0].line, 7);
	assert_int_equal(c->zones[1].line, 13);
	config_free(c);
}

static void test_what_is_printed_reads_back_to_the_same(void **state)
{
	struct desk *d = *state;
	struct config *c = must_read(d, whole);
	struct config *again;
	struct text first = {0}, second = {0};

	config_print(c, &first);
	again = must_read(d, first.data);
	assert_is_whole(again, d->folder);
	config_print(again, &second);
	assert_string_equal(first.data, second.data);
	text_fini(&first);
	text_fini(&second);
	config_free(c);
	config_free(again);
}

/* --- refusing --- */

/* nighd -c nighd.yaml, in its folder: what is printed may lie in any other. */
static void test_every_path_is_printed_from_the_root(void **state)
{
	static const char yaml[] =
		"listen: {tls: {addresses: [\"127.0.0.1:853\"], certificate: tls/c, key: tls/k}}\n"
		"sources:\n  manifests: [m]\n  kubernetes: {kubeconfig: host.yaml}\n"
		"  members: [{name: la, kubeconfig: la.yaml}]\n"
		"zones: [{name: a.test, file: a.zone}]\n"
		"geo: {databases: [d.mmdb], networks: n.csv}\n"
		"cookies: {secretFile: c}\ntsig: k\nstate: s\n";
	static const char *const paths[] = {"tls/c",   "tls/k",  "m",      "host.yaml",
	                                    "la.yaml", "a.zone", "d.mmdb", "n.csv",
	                                    "c",       "k",      "s"};
	struct desk *d = *state;
	struct text printed = {0};
	char before[4096], quoted[128];
	struct config *c;

	config_free(must_read(d, yaml));
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(d->folder), 0);
	c = config_read("nighd.yaml", &d->errors);
	assert_non_null(c);
	config_print(c, &printed);
	assert_int_equal(chdir(before), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		snprintf(quoted, sizeof(quoted), "\"%s/%s\"", d->folder, paths[i]);
		if (!strstr(printed.data, quoted))
			print_error("%s\n", printed.data);
		assert_non_null(strstr(printed.data, quoted));
	}
	config_free(c);
	text_fini(&printed);
}

static void test_rates_are_limited_by_default_but_for_loopback(void **state)
{
	struct config *c = must_read(*state, "workers: 1\n");

	assert_int_equal(c->rate_limit.mode, RRL_ON);
	assert_int_equal(c->rate_limit.per_second, 200);
	assert_int_equal(c->rate_limit.slip, 2);
	assert_int_equal(c->rate_limit.exempt.count, 2);
	assert_int_equal(c->defaults.max_addresses, 16);
	assert_string_equal(c->rate_limit.exempt.item[0], "127.0.0.0/8");
	assert_string_equal(c->rate_limit.exempt.item[1], "::1/128");
	config_free(c);
	c = must_read(*state, "rateLimit: {mode: log-only, perSecond: 7, slip: 0, exempt: []}\n");
	assert_int_equal(c->rate_limit.mode, RRL_LOG_ONLY);
	assert_int_equal(c->rate_limit.per_second, 7);
	assert_int_equal(c->rate_limit.slip, 0);
	assert_int_equal(c->rate_limit.exempt.count, 0);
	config_free(c);
	REFUSED(*state, "rateLimit: {perSecond: 0}\n",
	        "1: rateLimit.perSecond must be 1 to 1000000");
	REFUSED(*state, "rateLimit: {mode: of}\n",
	        "1: rateLimit.mode must be one of off|log-only|on");
	REFUSED(*state, "rateLimit: {exempt: [10.0.0.1/8]}\n",
	        "1: rateLimit.exempt: '10.0.0.1/8' has bits set behind its length");
}

static void test_api_servers_are_refused_where_it_is_not_clear_how_to_reach_them(void **state)
{
	REFUSED(*state, "sources:\n  kubernetes: {namespace: kubefed}\n",
	        "2: sources.kubernetes needs a kubeconfig, or inCluster: true");
	REFUSED(*state, "sources:\n  kubernetes: {inCluster: true, kubeconfig: k}\n",
	        "2: sources.kubernetes has both inCluster and a kubeconfig");
	REFUSED(*state, "sources:\n  kubernetes: {kubeconfig: k, allowLoopback: yes}\n",
	        "2: sources.kubernetes.allowLoopback must be true or false");
	REFUSED(*state, "sources:\n  kubernetes: {kubeconfig: k, edge: 1}\n",
	        "2: sources.kubernetes.edge must be true or false");
	REFUSED(*state, "sources:\n  kubernetes: {kubeconfig: k, kontext: c}\n",
	        "2: unknown key 'sources.kubernetes.kontext'");
	REFUSED(*state, "sources:\n  members:\n  - {name: la}\n",
	        "3: sources.members needs a name and a kubeconfig");
	REFUSED(*state, "sources:\n  members:\n  - {name: LA, kubeconfig: k}\n",
	        "3: sources.members.name 'LA' is not a name (small letters, digits, '-' and '.')",
	        "3: sources.members needs a name and a kubeconfig");
	REFUSED(*state,
	        "sources:\n  members:\n  - {name: la, kubeconfig: k}\n  - {name: la, kubeconfig: "
	        "k}\n",
	        "4: sources.members names la twice");
	REFUSED(*state, "sources:\n  members:\n  - {name: la, kubeconfig: k, location: here}\n",
	        "3: sources.members.location: 'here' is not a place (34.05,-118.24)");
}

static void test_api_servers_are_read_printed_and_compared(void **state)
{
	static const char yaml[] =
		"sources:\n"
		"  kubernetes: {kubeconfig: host.yaml, context: c, namespace: fed, allowLoopback: "
		"true, edge: true}\n"
		"  members:\n"
		"  - {name: la, kubeconfig: la.yaml, location: \"34.05,-118.24\", region: "
		"us-west-2, "
		"drain: true}\n"
		"  - {name: ny, kubeconfig: /etc/ny.yaml, context: ny}\n";
	struct desk *d = *state;
	struct config *c = must_read(d, yaml), *again;
	struct text printed = {0}, path = {0};

	text_printf(&path, "%s/host.yaml", d->folder);
	assert_string_equal(c->kubernetes.kubeconfig, path.data);
	assert_string_equal(c->kubernetes.context, "c");
	assert_string_equal(config_namespace(c), "fed");
	assert_true(c->kubernetes.allow_loopback && c->kubernetes.edge);
	assert_int_equal(c->member_count, 2);
	assert_true(c->members[0].has_location && c->members[0].drain);
	assert_string_equal(c->members[0].region, "us-west-2");
	assert_string_equal(c->members[1].kubeconfig, "/etc/ny.yaml");
	config_print(c, &printed);
	again = must_read(d, printed.data);
	assert_true(config_same_clusters(c, again));
	again->members[0].drain = false;
	assert_false(config_same_clusters(c, again));
	text_fini(&printed);
	text_fini(&path);
	config_free(c);
	config_free(again);
}

static void test_a_flag_names_another_host(void **state)
{
	struct desk *d = *state;
	struct config *c = must_read(d, "sources: {kubernetes: {inCluster: true}}\n");

	assert_false(config_override_host(c, NULL, "east", &d->errors));
	assert_string_equal(d->errors.data, "--context needs a kubeconfig\n");
	assert_true(config_override_host(c, "/k", "east", &d->errors));
	assert_false(c->kubernetes.in_cluster);
	assert_string_equal(c->kubernetes.kubeconfig, "/k");
	assert_string_equal(c->kubernetes.context, "east");
	config_free(c);
}

static void test_unknown_keys_are_named_with_their_line(void **state)
{
	REFUSED(*state, "workers: 1\nworker: 2\n", "2: unknown key 'worker'");
	REFUSED(*state, "probe:\n  mode: off\n  intervall: 1s\n",
	        "3: unknown key 'probe.intervall'");
	REFUSED(*state, "zones:\n- name: a.example\n  tttl: 3\n", "3: unknown key 'zones.tttl'");
	REFUSED(*state,
	        "zones:\n- name: a.example\n  nameservers:\n  - name: b.example\n    address: 1\n",
	        "5: unknown key 'zones.nameservers.address'");
}

static void test_a_doubled_key_is_an_error_of_its_line(void **state)
{
	struct desk *d = *state;

	assert_null(read_yaml(d, "workers: 1\nlog: {}\nworkers: 1\n"));
	assert_non_null(strstr(d->errors.data, "nighd.yaml:3: "));
	assert_null(read_yaml(d, "zones:\n- name: a.example\n  name: b.example\n"));
	assert_non_null(strstr(d->errors.data, "nighd.yaml:3: "));
}

static void test_all_errors_of_a_file_are_told_at_once(void **state)
{
	REFUSED(*state, "workers: many\nstate: 3\nprobe: {down: 0}\n",
	        "1: workers must be a whole number", "2: state must be a text",
	        "3: probe.down must be 1 to 100");
}

static void test_bounds_hold(void **state)
{
	REFUSED(*state, "workers: 61\n", "1: workers must be 0 to 60");
	REFUSED(*state, "probe: {interval: 99ms}\n", "1: probe.interval must be 100ms to 1h");
	REFUSED(*state, "probe: {timeout: 9ms}\n", "1: probe.timeout must be 10ms to 1m");
	REFUSED(*state, "probe: {up: 101}\n", "1: probe.up must be 1 to 100");
	REFUSED(*state, "defaults: {ttl: 2147483648}\n", "1: defaults.ttl must be 0 to 2147483647");
	REFUSED(*state, "defaults: {ttl: 30s}\n", "1: defaults.ttl must be a whole number");
	REFUSED(*state, "guard: {maxWithdrawPercent: 101}\n",
	        "1: guard.maxWithdrawPercent must be 0 to 100");
	REFUSED(*state, "zones: [{name: a.example, ttl: 0}]\n",
	        "1: zones.ttl must be 1 to 2147483647, whole seconds without a unit");
	REFUSED(*state, "zones: [{name: a.example, ttl: 30s}]\n",
	        "1: zones.ttl must be 1 to 2147483647, whole seconds without a unit");
}

static void test_tls_has_addresses_of_its_own_a_certificate_and_a_key(void **state)
{
	struct desk *d = *state;
	struct config *c = must_read(d, "listen:\n  tls: {addresses: [\"127.0.0.1:853\", "
	                                "\"[::1]:0\"], certificate: c.pem, key: /k.pem}\n");
	struct config *other;
	struct text out = {0};
	char path[128];

	assert_int_equal(c->tls.address_count, 2);
	assert_int_equal(c->tls.addresses[0].port, 853);
	assert_int_equal(c->tls.addresses[1].addr.family, ADDR_IPV6);
	snprintf(path, sizeof(path), "%s/c.pem", d->folder);
	assert_string_equal(c->tls.certificate, path);
	assert_string_equal(c->tls.key, "/k.pem");
	assert_int_equal(c->tls_line, 2);
	assert_true(config_check(c, &d->errors));
	config_print(c, &out);
	other = must_read(d, out.data);
	text_reset(&out);
	config_needs_restart(c, other, &out);
	assert_int_equal(out.len, 0);
	config_free(other);
	other = must_read(d, "workers: 0\n");
	config_needs_restart(c, other, &out);
	assert_string_equal(out.data, "listen.tls");
	config_free(other);
	config_free(c);
	REFUSED(d, "listen: {tls: 853}\n", "1: listen.tls must be a mapping");
	REFUSED(d, "listen:\n  tls: {addresses: [\"127.0.0.1:853\"], key: k}\n",
	        "2: listen.tls needs addresses, certificate and key");
	REFUSED(d, "listen:\n  tls: {addresses: [], certificate: c, key: k}\n",
	        "2: listen.tls.addresses must be a list of at least one address");
	REFUSED(d, "listen:\n  tls: {addresses: [\"::1:1\"], certificate: c, key: k, ca: x}\n",
	        "2: listen.tls.addresses: '::1:1' is not A.B.C.D:PORT or [V6]:PORT",
	        "2: unknown key 'listen.tls.ca'");
	c = must_read(d, "listen: {dns: [\"127.0.0.1:853\"], tls: {addresses: [\"127.0.0.1:853\"], "
	                 "certificate: c, key: k}}\n");
	assert_false(config_check(c, &d->errors));
	assert_non_null(strstr(d->errors.data,
	                       "127.0.0.1:853 is both listen.tls.addresses and listen.dns\n"));
	config_free(c);
	text_fini(&out);
}

static void test_addresses_are_an_address_and_a_port(void **state)
{
	struct desk *d = *state;

	assert_null(read_yaml(d, "listen:\n  dns: [127.0.0.1]\n"));
	assert_non_null(strstr(d->errors.data, "nighd.yaml:2: listen.dns: "));
	assert_null(read_yaml(d, "listen: {http: \"localhost:80\"}\n"));
	assert_non_null(strstr(d->errors.data, "nighd.yaml:1: listen.http: "));
	REFUSED(d, "listen: {dns: []}\n", "1: listen.dns must be a list of at least one address");
	REFUSED(d, "listen:\n  dns: [\"127.0.0.1:53\",\n        \"127.0.0.1:53\"]\n",
	        "3: listen.dns names 127.0.0.1:53 twice");
	config_free(must_read(d, "listen: {dns: [\"127.0.0.1:0\", \"127.0.0.1:0\"]}\n"));
}

static void test_zones_need_good_names_each_once(void **state)
{
	REFUSED(*state, "zones:\n- ttl: 3\n", "2: zones needs a name");
	REFUSED(*state, "zones:\n- name: a..example\n",
	        "2: zones.name 'a..example' has an empty label");
	REFUSED(*state, "zones:\n- name: .\n", "2: zones.name '.' is the root");
	REFUSED(*state, "zones:\n- name: \"a b\"\n",
	        "2: zones.name 'a b' holds a character that no name may hold");
	REFUSED(*state, "zones:\n- name: a\\300\n",
	        "2: zones.name 'a\\300' holds a character that no name may hold");
	REFUSED(*state, "zones:\n- name: a.example\n- name: A.EXAMPLE.\n",
	        "3: zones names A.EXAMPLE. twice");
	REFUSED(*state, "zones: [a.example]\n", "1: zones must be a list of mappings");
	REFUSED(*state, "zones: {name: a.example}\n", "1: zones must be a list");
	REFUSED(*state, "zones:\n- {name: a.example, nameservers: [{addresses: [192.0.2.1]}]}\n",
	        "2: zones.nameservers needs a name");
	REFUSED(*state,
	        "zones:\n- {name: a.example, nameservers: [{name: b.example, addresses: [b]}]}\n",
	        "2: zones.nameservers.addresses: 'b' is not an address");
	REFUSED(*state,
	        "zones:\n- {name: a.example, nameservers: [{name: b.example}, {name: "
	        "b.example}]}\n",
	        "2: zones.nameservers names b.example twice");
}

static void test_a_name_may_be_as_long_as_dns_allows_and_no_longer(void **state)
{
	struct desk *d = *state;
	struct text yaml = {0};
	static const char label[] =
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789a";

	/* Three labels of 63, one of 61: 3 * 64 + 62 + 1 = 255. */
	text_printf(&yaml, "zones: [{name: %s.%s.%s.%.61s}]\n", label, label, label, label);
	config_free(must_read(d, yaml.data));
	text_reset(&yaml);
	text_printf(&yaml, "zones: [{name: %s.%s.%s.%.62s}]\n", label, label, label, label);
	assert_null(read_yaml(d, yaml.data));
	assert_non_null(strstr(d->errors.data, "is longer than 255 bytes"));
	text_reset(&yaml);
	text_printf(&yaml, "zones: [{name: a%s.example}]\n", label);
	assert_null(read_yaml(d, yaml.data));
	assert_non_null(strstr(d->errors.data, "has a label of more than 63 bytes"));
	text_fini(&yaml);
}

static void test_networks_are_checked(void **state)
{
	struct desk *d = *state;

	assert_null(read_yaml(d, "publish:\n  allow: [10.0.0.1/8]\n"));
	assert_non_null(strstr(d->errors.data, "nighd.yaml:2: publish.allow: "));
}

static void test_a_missing_file_is_one_line(void **state)
{
	struct desk *d = *state;

	assert_null(config_read("/nowhere/nighd.yaml", &d->errors));
	assert_string_equal(d->errors.data,
	                    "/nowhere/nighd.yaml: cannot open: No such file or directory\n");
}

/* --- flags --- */

static void test_flags_replace_lists_as_a_whole(void **state)
{
	struct desk *d = *state;
	struct config *c = must_read(d, whole);

	assert_true(config_override(c, "sources.manifests", "one\ntwo \"x\"", &d->errors));
	assert_int_equal(c->manifests.count, 2);
	assert_string_equal(c->manifests.item[0], "one");
	assert_string_equal(c->manifests.item[1], "two \"x\"");
	assert_true(config_override(c, "listen.dns", "127.0.0.9:5353", &d->errors));
	assert_int_equal(c->dns_count, 1);
	assert_int_equal(c->dns[0].port, 5353);
	assert_true(config_override(c, "listen.http", "[::1]:0", &d->errors));
	assert_int_equal(c->http.addr.family, ADDR_IPV6);
	assert_true(config_override(c, "workers", "2", &d->errors));
	assert_int_equal(c->workers, 2);
	assert_true(config_override(c, "state", "12", &d->errors));
	assert_string_equal(c->state, "12");
	config_free(c);
}

static void test_a_bad_flag_is_told_without_a_line_number(void **state)
{
	struct desk *d = *state;
	struct config *c = config_read(NULL, &d->errors);

	assert_false(config_override(c, "workers", "many", &d->errors));
	assert_false(config_override(c, "workers", "1\nuser: root", &d->errors));
	assert_false(config_override(c, "state", "", &d->errors));
	assert_string_equal(d->errors.data, "workers must be a whole number\n"
	                                    "workers must be a whole number\n"
	                                    "state must not be empty\n");
	assert_null(c->user);
	config_free(c);
}

/* --- what spans several settings --- */

static void test_http_and_dns_do_not_share_a_port(void **state)
{
	struct desk *d = *state;
	struct config *c = config_read(NULL, &d->errors);

	assert_true(config_override(c, "listen.http", "127.0.0.1:5300", &d->errors));
	assert_false(config_check(c, &d->errors));
	assert_string_equal(d->errors.data, "127.0.0.1:5300 is both listen.dns and listen.http\n");
	config_free(c);
}

static void test_a_network_is_not_both_allowed_and_denied(void **state)
{
	struct desk *d = *state;
	struct config *c =
		must_read(d, "publish: {allow: [127.0.0.0/8], deny: [10.0.0.0/8, 127.0.0.0/8]}\n");

	assert_false(config_check(c, &d->errors));
	assert_non_null(
		strstr(d->errors.data,
	               "nighd.yaml:1: 127.0.0.0/8 is both publish.allow and publish.deny\n"));
	config_free(c);
}

static void test_a_change_of_listen_or_workers_needs_a_restart(void **state)
{
	struct desk *d = *state;
	struct config *before = must_read(d, "workers: 1\ndefaults: {ttl: 1}\n");
	struct config *after =
		must_read(d, "workers: 2\nlisten: {http: \"127.0.0.1:0\"}\ndefaults: {ttl: 2}\n");
	struct text out = {0};

	config_needs_restart(before, after, &out);
	assert_string_equal(out.data, "listen.http, workers");
	text_reset(&out);
	config_needs_restart(before, before, &out);
	assert_int_equal(out.len, 0);
	text_fini(&out);
	config_free(before);
	config_free(after);
}

static void test_imports_are_files_or_commands(void **state)
{
	struct desk *d = *state;
	struct config *c = read_yaml(d,
	                             "probe:\n"
	                             "  imports:\n"
	                             "  - {name: edge, file: edge.txt}\n"
	                             "  - {name: cdn, command: [bin/ask, 'a b'], interval: 20s}\n"
	                             "  - {name: sky, command: [ask], timeout: 2s}\n"),
		      *again;
	struct text first = {0}, second = {0};
	char file[128];

	assert_non_null(c);
	assert_int_equal(c->probe.import_count, 3);
	assert_true(config_has_command(c));
	snprintf(file, sizeof(file), "%s/edge.txt", d->folder);
	assert_string_equal(c->probe.imports[0].file, file);
	assert_null(c->probe.imports[0].command);
	snprintf(file, sizeof(file), "%s/bin/ask", d->folder);
	assert_string_equal(c->probe.imports[1].command[0], file);
	assert_string_equal(c->probe.imports[1].command[1], "a b");
	assert_null(c->probe.imports[1].command[2]);
	assert_int_equal(c->probe.imports[1].interval_ms, 20000);
	assert_int_equal(c->probe.imports[1].timeout_ms, 5000);
	assert_string_equal(c->probe.imports[2].command[0], "ask");
	config_print(c, &first);
	again = read_yaml(d, first.data);
	assert_non_null(again);
	config_print(again, &second);
	assert_string_equal(first.data, second.data);
	config_free(c);
	config_free(again);
	text_fini(&first);
	text_fini(&second);
	REFUSED(d, "probe:\n  imports:\n  - {name: a b, file: c}\n",
	        "3: probe.imports.name 'a b' is not a name (letters, digits, '-', '.' and '_')");
	REFUSED(d, "probe:\n  imports:\n  - {name: a, file: b, command: [c]}\n",
	        "3: probe.imports needs a name, and either a file or a command");
	REFUSED(d, "probe:\n  imports:\n  - {name: a, file: b}\n  - {name: a, file: c}\n",
	        "4: probe.imports names a twice");
	REFUSED(d, "probe:\n  imports:\n  - {name: a, command: [c], timeout: 1ms}\n",
	        "3: probe.imports.timeout must be a duration from 1s to 1h");
}

static void test_the_manual_tells_every_key_that_may_be_used_and_no_other(void **state)
{
	static const char *const keys[] = {"listen.dns", "zones",    "probe.interval", "log.format",
	                                   "state",      "tcp.idle", "listen.tls"};
	struct text out = {0};

	(void)state;
	config_manual(&out);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), ".It Ic %s\n", keys[i]);
		assert_non_null(strstr(out.data, line));
	}
	assert_null(strstr(out.data, "zones.file"));
	text_fini(&out);
}

static void test_the_man_page_holds_the_table_word_for_word(void **state)
{
	FILE *f = fopen("docs/man/nighd.yaml.5", "r");
	struct text out = {0}, page = {0};
	char line[1024];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		text_add(&page, line);
	fclose(f);
	config_manual(&out);
	assert_non_null(strstr(page.data, out.data));
	text_fini(&page);
	text_fini(&out);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_file_the_defaults_of_the_design_hold),
		TEST(test_every_key_arrives_and_paths_are_relative_to_the_file),
		TEST(test_what_is_printed_reads_back_to_the_same),
		TEST(test_every_path_is_printed_from_the_root),
		TEST(test_rates_are_limited_by_default_but_for_loopback),
		TEST(test_api_servers_are_refused_where_it_is_not_clear_how_to_reach_them),
		TEST(test_api_servers_are_read_printed_and_compared),
		TEST(test_a_flag_names_another_host),
		TEST(test_unknown_keys_are_named_with_their_line),
		TEST(test_a_doubled_key_is_an_error_of_its_line),
		TEST(test_all_errors_of_a_file_are_told_at_once),
		TEST(test_bounds_hold),
		TEST(test_tls_has_addresses_of_its_own_a_certificate_and_a_key),
		TEST(test_addresses_are_an_address_and_a_port),
		TEST(test_zones_need_good_names_each_once),
		TEST(test_a_name_may_be_as_long_as_dns_allows_and_no_longer),
		TEST(test_networks_are_checked),
		TEST(test_a_missing_file_is_one_line),
		TEST(test_flags_replace_lists_as_a_whole),
		TEST(test_a_bad_flag_is_told_without_a_line_number),
		TEST(test_http_and_dns_do_not_share_a_port),
		TEST(test_a_network_is_not_both_allowed_and_denied),
		TEST(test_a_change_of_listen_or_workers_needs_a_restart),
		TEST(test_imports_are_files_or_commands),
		TEST(test_the_manual_tells_every_key_that_may_be_used_and_no_other),
		TEST(test_the_man_page_holds_the_table_word_for_word),
	};

	return cmocka_run_group_tests_name("dnsd/config", tests, NULL, NULL);
}
