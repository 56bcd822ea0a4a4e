/* config_errors.c -- each bad input, its exact words, and the exit status. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/dnsd_certificate.h"
#include "tests/support/world.h"
#include "tests/support/world_secondaries.h"

/* nighd --check -c bad.yaml fails and says the text. */
static void check_file(struct world *w, const char *text)
{
	char file[256];
	const char *const argv[] = {"$NIGHD", "--check", "-c", file, NULL};

	snprintf(file, sizeof(file), "%s", world_path(w, "bad.yaml"));
	world_expect_run(w, argv, 1, text);
}

/* nighd --check -c of that config ends with that status and says "FILE:" and the text. */
static void check_says(struct world *w, const char *yaml, int status, const char *text)
{
	char file[256], expected[512];
	const char *const argv[] = {"$NIGHD", "--check", "-c", file, NULL};

	world_write(w, "bad.yaml", "%s", yaml);
	snprintf(file, sizeof(file), "%s", world_path(w, "bad.yaml"));
	snprintf(expected, sizeof(expected), "%s%s%s\n", *text ? file : "", *text ? ":" : "", text);
	world_expect_run(w, argv, status, *text ? expected : "");
}

static void test_each_mistake_in_a_config_is_named_with_file_and_line(void **state)
{
	static const struct {
		const char *yaml, *text;
	} all[] = {
		{"workers: 1\nworker: 2\n", "2: unknown key 'worker'"},
		{"probe:\n  mode: off\n  intervall: 1s\n", "3: unknown key 'probe.intervall'"},
		{"probe: {mode: sometimes}\n", "1: probe.mode must be one of unseen|always|off"},
		{"probe: {interval: soon}\n",
	         "1: probe.interval must be a duration like 500ms, 10s, 5m, 2h or 0"},
		{"probe: {interval: 99ms}\n", "1: probe.interval must be 100ms to 1h"},
		{"startup:\n  patience: -1s\n",
	         "2: startup.patience must be a duration like 500ms, 10s, 5m, 2h or 0"},
		{"workers: many\n", "1: workers must be a whole number"},
		{"workers: 1\nstate: \"\"\n", "2: state must not be empty"},
		{"sources:\n  manifests: [\"\"]\n", "2: sources.manifests must not be empty"},
		{"workers: 61\n", "1: workers must be 0 to 60"},
		{"listen: {dns: []}\n", "1: listen.dns must be a list of at least one address"},
		{"listen: {dns: [127.0.0.1]}\n",
	         "1: listen.dns: '127.0.0.1' has no port (A.B.C.D:PORT or [V6]:PORT)"},
		{"listen: {http: \"127.0.0.1:65536\"}\n",
	         "1: listen.http: '127.0.0.1:65536' has no port of 0 to 65535"},
		{"listen: {http: \"localhost:80\"}\n",
	         "1: listen.http: 'localhost:80' is not A.B.C.D:PORT or [V6]:PORT"},
		{"publish:\n  allow: [10.0.0.1/8]\n",
	         "2: publish.allow: '10.0.0.1/8' has bits set behind its length"},
		{"zones: [{name: a.test, file: \"\"}]\n", "1: zones.file must not be empty"},
		{"sources:\n  kubernetes: {}\n",
	         "2: sources.kubernetes needs a kubeconfig, or inCluster: true"},
		{"sources:\n  members: [{name: la}]\n",
	         "2: sources.members needs a name and a kubeconfig"},
		{"rateLimit: {mode: loud}\n", "1: rateLimit.mode must be one of off|log-only|on"},
		{"defaults: {maxAddresses: 0}\n", "1: defaults.maxAddresses must be 1 to 1000"},
		{"zones:\n- ttl: 3\n", "2: zones needs a name"},
		{"zones:\n- name: a..test\n", "2: zones.name 'a..test' has an empty label"},
		{"zones:\n- name: a.test\n- name: A.TEST.\n", "3: zones names A.TEST. twice"},
		{"workers: 1\nuser: nobody-of-that-name\n",
	         "2: user: there is no user 'nobody-of-that-name'"},
		{"guard: {maxWithdrawPercent: 101}\n",
	         "1: guard.maxWithdrawPercent must be 0 to 100"},
		{"log: {level: loud}\n", "1: log.level must be one of error|warn|info|debug"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check_says(*state, all[i].yaml, 1, all[i].text);
}

static void test_a_doubled_key_is_named_with_its_line(void **state)
{
	struct world *w = *state;
	char file[256], expected[400];
	const char *const argv[] = {"$NIGHD", "--check", "-c", file, NULL};

	world_write(w, "bad.yaml", "workers: 1\nlog: {}\nworkers: 1\n");
	snprintf(file, sizeof(file), "%s", world_path(w, "bad.yaml"));
	snprintf(expected, sizeof(expected), "%s:3: ", file);
	assert_non_null(strstr(world_expect_run(w, argv, 1, expected), "workers"));
}

static void test_all_mistakes_are_told_at_once(void **state)
{
	check_says(*state, "workers: many\nstate: 3\nprobe: {down: 0}\n", 1,
	           "1: workers must be a whole number");
	check_says(*state, "workers: many\nstate: 3\nprobe: {down: 0}\n", 1,
	           "2: state must be a text");
	check_says(*state, "workers: many\nstate: 3\nprobe: {down: 0}\n", 1,
	           "3: probe.down must be 1 to 100");
}

static void test_a_record_that_a_zone_cannot_hold_is_named_with_its_line(void **state)
{
#define ZONE   "zones:\n- name: a.test\n  records:\n  - \"www 300 IN A 192.0.2.1\"\n"
#define RECORD "5: zone a.test: record "
	static const struct {
		const char *yaml, *text;
	} all[] = {
		{ZONE "  - \"api A 1.2.3\"\n",
	         RECORD "'api A 1.2.3': A: '1.2.3' is not an IPv4 address"},
		{ZONE "  - \"www.b.test. A 192.0.2.1\"\n",
	         RECORD "'www.b.test. A 192.0.2.1': www.b.test. lies outside the zone"},
		{ZONE "  - \"@ SOA a. b. 1 1 1 1 1\"\n",
	         RECORD "'@ SOA a. b. 1 1 1 1 1': a zone's SOA is made by nighd"},
		{ZONE "  - \"@ NS ns\"\n",
	         RECORD "'@ NS ns': a zone's own NS come from its nameservers"},
		{ZONE "  - \"A.test. CNAME www\"\n", RECORD
	         "'A.test. CNAME www': a zone's apex has other data, so no CNAME may be there"},
		{ZONE "  - \"WWW CNAME api\"\n",
	         RECORD "'WWW CNAME api': beside a CNAME there can be nothing else: see line 4"},
		{ZONE "  - \"x CNAME a\"\n  - \"y A 192.0.2.1\"\n  - \"x CNAME b\"\n",
	         "7: zone a.test: record 'x CNAME b': there can be only one CNAME: see line 5"},
		{ZONE "  - \"x CNAME a\"\n  - \"x TXT b\"\n",
	         "6: zone a.test: record 'x TXT b': beside a CNAME there can be nothing else: see "
	         "line 5"},
		{ZONE "  - \"x DNAME a\"\n  - \"x NS b\"\n",
	         "6: zone a.test: record 'x NS b': a DNAME cannot be beside NS: see line 5"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check_says(*state, all[i].yaml, 1, all[i].text);
	check_says(*state, ZONE "  - \"www A 192.0.2.2\"\n  - \"x CNAME a\"\n  - \"x CNAME a\"\n",
	           0, "");
#undef ZONE
#undef RECORD
}

static void test_every_bad_record_is_told(void **state)
{
	static const char yaml[] = "zones:\n- name: a.test\n  records: [\"x A 1\", \"y A 2\"]\n"
				   "- name: b.test\n  records:\n  - \"z A 3\"\n"
				   "publish: {allow: [10.0.0.0/8], deny: [10.0.0.0/8]}\n";

	check_says(*state, yaml, 1,
	           "3: zone a.test: record 'x A 1': A: '1' is not an IPv4 address");
	check_says(*state, yaml, 1,
	           "3: zone a.test: record 'y A 2': A: '2' is not an IPv4 address");
	check_says(*state, yaml, 1,
	           "6: zone b.test: record 'z A 3': A: '3' is not an IPv4 address");
	check_says(*state, yaml, 1, "1: 10.0.0.0/8 is both publish.allow and publish.deny");
}

static void test_a_bad_line_of_networks_is_named(void **state)
{
	static const struct {
		const char *csv, *text;
	} all[] = {
		{"# fine\n192.0.2.0/24,42.36,-71.06\nnonsense\n", "3: 'nonsense' is not a network"},
		{"192.0.2.0/24,42.36\n", "1: a line is network,latitude,longitude[,label]"},
		{"192.0.2.1/24,42.36,-71.06\n", "1: '192.0.2.1/24' has bits set behind its length"},
		{"192.0.2.0/24,91,-71.06\n", "1: '91' is not a latitude of -90 to 90"},
		{"\n192.0.2.0/24,42,west\n", "2: 'west' is not a longitude of -180 to 180"},
		{"192.0.2.0/24,1,1\n192.0.2.0/24,2,2\n",
	         "2: 192.0.2.0/24 has another place in line 1"},
	};
	struct world *w = *state;
	char config[256], expected[512];
	const char *const argv[] = {"$NIGHD", "--check", "-c", config, NULL};

	world_write(w, "nighd.yaml", "geo: {networks: networks.csv}\n");
	snprintf(config, sizeof(config), "%s", world_path(w, "nighd.yaml"));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		world_write(w, "networks.csv", "%s", all[i].csv);
		snprintf(expected, sizeof(expected), "%s:%s\n", world_path(w, "networks.csv"),
		         all[i].text);
		world_expect_run(w, argv, 1, expected);
	}
	world_remove(w, "networks.csv");
	world_expect_run(w, argv, 1, "networks.csv: ");
}

static void test_all_bad_lines_of_networks_are_told_up_to_20(void **state)
{
	struct world *w = *state;
	char config[256], expected[512], csv[256] = "";
	const char *const argv[] = {"$NIGHD", "--check", "-c", config, NULL};

	for (unsigned i = 0; i < 25; i++)
		strcat(csv, "bad\n");
	world_write(w, "networks.csv", "%s", csv);
	world_write(w, "nighd.yaml", "geo: {networks: networks.csv, databases: [no.mmdb]}\n");
	snprintf(config, sizeof(config), "%s", world_path(w, "nighd.yaml"));
	snprintf(expected, sizeof(expected), "%s:20: 'bad' is not a network\n",
	         world_path(w, "networks.csv"));
	assert_null(strstr(world_expect_run(w, argv, 1, expected), ":21:"));
	world_expect_run(w, argv, 1, "networks.csv: 5 more\n");
	world_expect_run(w, argv, 1, "no.mmdb: ");
}

static void test_all_bad_lines_of_the_latency_table_are_told(void **state)
{
	struct world *w = *state;
	char config[256], expected[512];
	const char *const argv[] = {"$NIGHD", "--check", "-c", config, NULL};

	world_write(w, "latency.csv", "192.0.2.0/24,la,5\n192.0.2.0/24,ny\nbad\n");
	world_write(w, "nighd.yaml", "geo: {latency: latency.csv}\n");
	snprintf(config, sizeof(config), "%s", world_path(w, "nighd.yaml"));
	snprintf(expected, sizeof(expected),
	         "%s:2: a line is network,cluster,milliseconds\n%s:3: 'bad' is not a network\n",
	         world_path(w, "latency.csv"), world_path(w, "latency.csv"));
	assert_string_equal(world_expect_run(w, argv, 1, ""), expected);
}

/* Without databases there is nothing of them to tell. */
static void test_a_bad_line_of_networks_is_all_that_is_told(void **state)
{
	struct world *w = *state;
	char config[256], expected[512];
	const char *const argv[] = {"$NIGHD", "--check", "-c", config, NULL};

	world_write(w, "networks.csv", "bad\n");
	world_write(w, "nighd.yaml", "geo: {networks: networks.csv}\n");
	snprintf(config, sizeof(config), "%s", world_path(w, "nighd.yaml"));
	snprintf(expected, sizeof(expected), "%s:1: 'bad' is not a network\n",
	         world_path(w, "networks.csv"));
	assert_string_equal(world_expect_run(w, argv, 1, ""), expected);
}

/* A file that cannot be read has no lines: the config says where it is named, and the system why. */
static void test_each_file_that_cannot_be_read_is_named_with_the_configs_line_and_the_cause(
	void **state)
{
#define NONE ": No such file or directory"
	static const struct {
		const char *yaml, *line, *file, *why;
	} all[] = {
		{"workers: 1\ntsig: none\n", "2: tsig: ", "none", NONE},
		{"cookies:\n  secretFile: none\n", "2: cookies.secretFile: ", "none", NONE},
		{"geo:\n  networks: none.csv\n", "2: geo.networks: ", "none.csv",
	         ": cannot be read" NONE},
		{"geo:\n  latency: none.csv\n", "2: geo.latency: ", "none.csv",
	         ": cannot be read" NONE},
		{"geo:\n  databases: [none.mmdb]\n", "2: geo.databases: ", "none.mmdb",
	         ": cannot be read" NONE},
		{"zones:\n- name: a.test\n  file: none\n", "3: zones.file: ", "none",
	         ": cannot be read" NONE},
		{"workers: 1\nlisten:\n  tls: {addresses: [\"127.0.0.1:1853\"], certificate: none, "
	         "key: k}\n",
	         "3: listen.tls: ", "none", NONE},
		{"sources:\n  kubernetes:\n    kubeconfig: none\n",
	         "3: sources.kubernetes.kubeconfig: ", "none", NONE},
		{"sources:\n  members:\n  - name: la\n    kubeconfig: none\n",
	         "4: sources.members.kubeconfig: ", "none", NONE},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char expected[512];

		snprintf(expected, sizeof(expected), "%s%s%s", all[i].line,
		         world_path(w, all[i].file), all[i].why);
		check_says(w, all[i].yaml, 1, expected);
	}
	check_says(w,
	           "zones:\n- name: a.test\n  transfer:\n    allow:\n    - {address: 127.0.0.1}\n"
	           "    - {key: other}\n",
	           1,
	           "6: zones.transfer.allow.key: other of zone a.test is not in any file: there is "
	           "no tsig");
	check_says(w, "workers: 1\nidentity: {nsid: \"\"}\n", 1,
	           "2: identity.nsid must not be empty");
	/* Those of a file that can be read have its own. */
	world_write(w, "keys", "\nkey x {};\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0600), 0);
	world_write(w, "bad.yaml", "tsig: keys\n");
	check_file(w, "keys:2: a key needs an algorithm and a secret\n");
#undef NONE
}

static void expect_tls(struct world *w, const char *certificate, const char *key, const char *file,
                       const char *why)
{
	char yaml[256], expected[512];

	snprintf(yaml, sizeof(yaml),
	         "listen: {tls: {addresses: [\"127.0.0.1:0\"], certificate: %s, key: %s}}\n",
	         certificate, key);
	snprintf(expected, sizeof(expected), "1: listen.tls: %s: %s", world_path(w, file), why);
	check_says(w, yaml, 1, expected);
}

static void test_certificates_and_keys_that_do_not_fit_are_told_in_words(void **state)
{
	struct world *w = *state;
	char rsa[256], encrypted[256], other[256], expected[512];
	const char *const make_rsa[] = {"openssl", "genrsa", "-out", rsa, "2048", NULL};
	const char *const encrypt[] = {"openssl",  "rsa",       "-in",  rsa,       "-aes128",
	                               "-passout", "pass:x1y2", "-out", encrypted, NULL};

	secondaries_write_certificate(w);
	snprintf(rsa, sizeof(rsa), "%s", world_path(w, "rsa.pem"));
	snprintf(encrypted, sizeof(encrypted), "%s", world_path(w, "encrypted.pem"));
	snprintf(other, sizeof(other), "%s", world_path(w, "other.pem"));
	certificate_write(world_path(w, "unused.pem"), other, "other.example");
	world_expect_run(w, make_rsa, 0, "");
	world_expect_run(w, encrypt, 0, "");
	expect_tls(w, "key.pem", "cert.pem", "key.pem", "no certificate in PEM is in it");
	expect_tls(w, "cert.pem", "cert.pem", "cert.pem", "no key in PEM is in it");
	expect_tls(w, "cert.pem", "encrypted.pem", "encrypted.pem", "the key is encrypted");
	snprintf(expected, sizeof(expected), "it is not the key of the certificate in %s",
	         world_path(w, "cert.pem"));
	expect_tls(w, "cert.pem", "other.pem", "other.pem", expected);
	/* Also one of another kind, which OpenSSL takes. */
	expect_tls(w, "cert.pem", "rsa.pem", "rsa.pem", expected);
}

/* When it starts too, and when it takes up a new config. */
static void test_so_it_is_when_it_starts_and_with_a_reload(void **state)
{
	struct world *w = *state;
	char expected[512];

	world_config(w, "tsig: none\n");
	snprintf(expected, sizeof(expected), ": tsig: %s: No such file", world_path(w, "none"));
	world_expect_start_fails(w, 1, expected);
	world_config(w, "");
	world_start(w);
	world_config(w, "cookies: {secretFile: none}\n");
	world_signal(w, SIGHUP);
	snprintf(expected, sizeof(expected), ": cookies.secretFile: %s: No such file",
	         world_path(w, "none"));
	world_expect_log(w, expected, 5000);
}

static void test_a_broken_manifest_is_named(void **state)
{
	struct world *w = *state;
	char dir[256], expected[512];
	const char *const argv[] = {"$NIGHD", "--check", "--manifests", dir, NULL};

	world_three_cities(w);
	snprintf(dir, sizeof(dir), "%s", world_path(w, "manifests"));
	world_expect_run(w, argv, 0, "");
	world_write(w, "manifests/host/a.yaml", "# one\napiVersion: v1\nmetadata: {name: x}\n");
	snprintf(expected, sizeof(expected), "%s:2: an object without kind\n",
	         world_path(w, "manifests/host/a.yaml"));
	world_expect_run(w, argv, 1, expected);
}

static void test_a_good_config_is_fine(void **state)
{
	check_says(*state, "", 0, "");
	check_says(*state, "workers: 1\nzones: [{name: a.test, records: [\"@ A 192.0.2.1\"]}]\n", 0,
	           "");
}

static void test_nighd_does_not_start_with_a_bad_config(void **state)
{
	struct world *w = *state;

	world_config(w, "worker: 2");
	world_expect_start_fails(w, 1, "nighd.yaml:3: unknown key 'worker'");
	world_config(
		w, "zones:\n- name: a.test\n  records:\n  - \"x CNAME y\"\n  - \"x A 192.0.2.1\"");
	world_expect_start_fails(w, 1, ": zone a.test: record 'x A 192.0.2.1': beside a CNAME");
	world_config(w, "listen: {dns: [\"192.0.2.77:0\"], http: \"127.0.0.1:0\"}");
	world_expect_start_fails(w, 1, "192.0.2.77");
	world_config(w, "user: nobody-of-that-name");
	if (geteuid() == 0)
		world_expect_start_fails(w, 1, "user: there is no user 'nobody-of-that-name'");
	world_config(w, "state: nighd.yaml");
	world_expect_start_fails(w, 1, "nighd.yaml");
}

static void test_a_missing_config_is_one_line(void **state)
{
	const char *const argv[] = {"$NIGHD", "-c", "/nowhere/nighd.yaml", NULL};

	assert_string_equal(world_expect_run(*state, argv, 1, ""),
	                    "/nowhere/nighd.yaml: cannot open: No such file or directory\n");
}

static void test_wrong_use_is_exit_status_2(void **state)
{
	const char *const unknown[] = {"$NIGHD", "--frobnicate", NULL};
	const char *const argument[] = {"$NIGHD", "extra", NULL};
	const char *const context[] = {"$NIGHD", "--context", "x", NULL};

	world_expect_run(*state, unknown, 2, "Try 'nighd --help'");
	world_expect_run(*state, argument, 2, "unexpected argument 'extra'");
	world_expect_run(*state, context, 2, "--context needs a kubeconfig");
}

static void test_a_bad_flag_is_told_without_a_line(void **state)
{
	const char *const workers[] = {"$NIGHD", "--workers", "many", NULL};
	const char *const dns[] = {"$NIGHD", "--dns", "127.0.0.1", NULL};

	assert_string_equal(world_expect_run(*state, workers, 2, ""),
	                    "workers must be a whole number\n");
	assert_string_equal(world_expect_run(*state, dns, 2, ""),
	                    "listen.dns: '127.0.0.1' has no port (A.B.C.D:PORT or [V6]:PORT)\n");
}

static void test_the_printed_config_is_read_back_the_same(void **state)
{
	struct world *w = *state;
	char file[256], again[256], first[8192];
	const char *const print[] = {"$NIGHD", "--print-config", "-c", file, "--workers", "3",
	                             NULL};
	const char *const print_again[] = {"$NIGHD", "--print-config", "-c", again, NULL};
	const char *out;

	world_write(w, "nighd.yaml",
	            "zones: [{name: a.test, ttl: 7, records: [\"@ A 192.0.2.1\"]}]\n"
	            "publish: {allow: [127.0.0.0/8]}\nsources: {manifests: [m]}\n");
	snprintf(file, sizeof(file), "%s", world_path(w, "nighd.yaml"));
	snprintf(again, sizeof(again), "%s", world_path(w, "again.yaml"));
	assert_int_equal(world_run(w, print, &out), 0);
	assert_non_null(strstr(out, "workers: 3\n"));
	snprintf(first, sizeof(first), "%s", out);
	world_write(w, "again.yaml", "%s", first);
	assert_string_equal(world_expect_run(w, print_again, 0, ""), first);
}

static void test_it_tells_its_version(void **state)
{
	const char *const argv[] = {"$NIGHD", "-V", NULL};

	assert_string_equal(world_expect_run(*state, argv, 0, "nighd "),
	                    "nighd " NIGH_VERSION "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_each_mistake_in_a_config_is_named_with_file_and_line),
		world_test(test_a_doubled_key_is_named_with_its_line),
		world_test(test_all_mistakes_are_told_at_once),
		world_test(test_a_record_that_a_zone_cannot_hold_is_named_with_its_line),
		world_test(test_every_bad_record_is_told),
		world_test(test_a_bad_line_of_networks_is_named),
		world_test(test_all_bad_lines_of_networks_are_told_up_to_20),
		world_test(test_all_bad_lines_of_the_latency_table_are_told),
		world_test(test_a_bad_line_of_networks_is_all_that_is_told),
		world_test(
			test_each_file_that_cannot_be_read_is_named_with_the_configs_line_and_the_cause),
		world_test(test_certificates_and_keys_that_do_not_fit_are_told_in_words),
		world_test(test_so_it_is_when_it_starts_and_with_a_reload),
		world_test(test_a_broken_manifest_is_named),
		world_test(test_a_good_config_is_fine),
		world_test(test_nighd_does_not_start_with_a_bad_config),
		world_test(test_a_missing_config_is_one_line),
		world_test(test_wrong_use_is_exit_status_2),
		world_test(test_a_bad_flag_is_told_without_a_line),
		world_test(test_the_printed_config_is_read_back_the_same),
		world_test(test_it_tells_its_version),
	};

	return cmocka_run_group_tests_name("scenario/config_errors", tests, NULL, NULL);
}
