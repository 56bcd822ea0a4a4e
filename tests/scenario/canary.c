/* canary.c -- credentials never leave: not in words, not in answers, not on the disk, whoever sends them back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/world_fleet.h"

#define LA    "198.18.3.10"
#define OTHER "198.18.3.11"

/* Longer than what is shown of a version. */
#define HOST_CANARY  "canary-of-the-host-0123456789abcdef"
#define LA_CANARY    "canary-of-la-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PROXY_CANARY "canary-of-the-proxy-0123456789"
#define ENV_CANARY   "canary-of-the-environment-0123456789"
#define EXEC_CANARY  "canary-of-the-plugin-0123456789"
#define URL_CANARY   "canary-in-a-url-0123456789"
#define FILE_CANARY  "canary-in-the-wrong-place-0123456789"
#define CANARY       "canary-"

/* --- looking for them --- */

static void add_file(int parent, const char *name, struct text *out)
{
	char piece[65536];
	int fd = openat(parent, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	ssize_t n;

	while (dir && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			add_file(fd, d->d_name, out);
	while (!dir && fd >= 0 && (n = read(fd, piece, sizeof(piece))) > 0)
		text_add_bytes(out, (struct bytes){(const uint8_t *)piece, (size_t)n});
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static void expect_none_in(struct world_fleet *f, const struct text *text, const char *what)
{
	static const char *const more[] = {HOST_CANARY, LA_CANARY};
	const char *at = memmem(text->data, text->len, CANARY, strlen(CANARY));

	if (at)
		world_fail(f->world, "%s has '%.60s' in it", what, at);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		unsigned char encoded[256];
		int len = EVP_EncodeBlock(encoded, (const unsigned char *)more[i],
		                          (int)strlen(more[i]));

		/* Without its end, which depends on what follows. */
		if (memmem(text->data, text->len, encoded, (size_t)len - 8))
			world_fail(f->world, "%s has %s in it, as base64", what, more[i]);
	}
}

static void expect_none_at(struct world_fleet *f, const char *path)
{
	struct text body = {0};

	text_add(&body, world_get(f->world, path, NULL));
	assert_true(body.len > 0);
	expect_none_in(f, &body, path);
	text_fini(&body);
}

static void expect_none_of_process(struct world_fleet *f, const char *what)
{
	struct text words = {0};
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", world_pid(f->world), what);
	text_add(&words, "");
	add_file(AT_FDCWD, path, &words); /* of a process that cannot be dumped, for root alone */
	expect_none_in(f, &words, path);
	text_fini(&words);
}

/* Its memory has them all: it is written to no file, whatever the caller allows. */
static void expect_no_core(struct world_fleet *f)
{
	char path[64], line[256];
	bool none = false;
	FILE *limits;

	snprintf(path, sizeof(path), "/proc/%d/limits", world_pid(f->world));
	limits = fopen(path, "r");
	assert_non_null(limits);
	while (fgets(line, sizeof(line), limits)) {
		unsigned long soft = 1, hard = 1;

		if (sscanf(line, "Max core file size %lu %lu", &soft, &hard) == 2)
			none = soft == 0 && hard == 0;
	}
	fclose(limits);
	assert_true(none);
}

static void expect_none_anywhere(struct world_fleet *f)
{
	static const char *const paths[] = {"/status", "/metrics", "/status/names?zone=example.com",
	                                    "/readyz?verbose",
	                                    "/explain?name=la.shop.fed.svc.example.com&type=A"};
	struct text words = {0};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect_none_at(f, paths[i]);
	expect_none_of_process(f, "environ");
	expect_none_of_process(f, "cmdline");
	expect_no_core(f);
	text_add(&words, world_log(f->world));
	expect_none_in(f, &words, "the log");
	text_reset(&words);
	add_file(AT_FDCWD, world_path(f->world, "state"), &words);
	assert_true(words.len > 0);
	expect_none_in(f, &words, "the state");
	text_fini(&words);
}

/* --- a world full of them --- */

static struct fakeapi *start_with_canaries(struct world_fleet *f)
{
	struct fakeapi *la = world_fleet_api(f, &(struct fakeapi_options){.token = LA_CANARY});

	fakeapi_set_token(f->host, HOST_CANARY);
	fakeapi_kubeconfig(f->host, f->world, "host.kubeconfig");
	world_fleet_publish(f, la, "la", LA);
	world_fleet_join(f, "la", la, "");
	world_fleet_config(f, NULL, "state: state\nlog: {level: debug}");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	return la;
}

static void test_no_credential_is_shown_or_kept(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = start_with_canaries(f);

	expect_none_anywhere(f);
	fakeapi_set_token(la, "another");
	fakeapi_close_watches(la, "");
	world_fleet_expect_status(f, "\"error\":\"");
	expect_none_anywhere(f);
	fakeapi_down(la);
	world_fleet_expect_status(f, "onnect");
	expect_none_anywhere(f);
	world_stop(f->world);
	world_start(f->world);
	expect_none_anywhere(f);
}

/* --- a server that sends back what it was sent --- */

static void put_echoes(struct fakeapi *la)
{
	fakeapi_put(la, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'" LA_CANARY "','namespace':'shop'},'spec':{'ports':"
	            "[{'port':80}]},'status':{'loadBalancer':{'ingress':[{'ip':'198.18.7.7'}]}}}");
	fakeapi_put(la, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'broken-" LA_CANARY
	            "','namespace':'shop'},'spec':{'ports':'no list'}}");
	fakeapi_put(la, FAKEAPI_SERVICES,
	            "{'metadata':{'name':'target','namespace':'shop','annotations':{"
	            "'external-dns.alpha.kubernetes.io/hostname':'" LA_CANARY ".example.com'}},"
	            "'status':{'loadBalancer':{'ingress':[{'hostname':'x." LA_CANARY ".net'}]}}}");
	fakeapi_put(la, FAKEAPI_SLICES,
	            "{'metadata':{'name':'s','namespace':'shop','labels':{"
	            "'kubernetes.io/service-name':'" LA_CANARY "'}},'endpoints':[]}");
	fakeapi_put(la, FAKEAPI_NODES,
	            "{'metadata':{'name':'n','labels':{'topology.kubernetes.io/region':'" LA_CANARY
	            "','topology.kubernetes.io/zone':'z'}}}");
	fakeapi_put(la, FAKEAPI_INGRESSES,
	            "{'metadata':{'name':'i','namespace':'" LA_CANARY
	            "'},'spec':{'rules':[{'host':'" LA_CANARY ".example.com'}]}}");
}

static void test_a_server_that_sends_it_back_in_objects_brings_nothing_to_light(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = start_with_canaries(f);

	put_echoes(la);
	world_fleet_expect_status(f, "has the credential in it that its server was sent");
	world_fleet_service(la, "la", OTHER);
	world_fleet_expect(f, "la", OTHER);
	expect_none_anywhere(f);
	/* Listed, too. */
	fakeapi_compact(la);
	fakeapi_drop(la, FAKEAPI_CUT_RESET);
	world_fleet_service(la, "la", LA);
	world_fleet_expect(f, "la", LA);
	expect_none_anywhere(f);
	fakeapi_delete(la, FAKEAPI_NODES, "n");
	fakeapi_delete(la, FAKEAPI_SLICES, "shop/s");
	world_expect_http(f->world, "/status", "!la: Node", WORLD_FLEET_PATIENCE_MS);
}

static void echo_status(struct fakeapi *la, const char *where, int status)
{
	static const char words[] =
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":"
		"\"who sends \\\"Bearer " LA_CANARY "\\\" is not let in\",\"reason\":\"" LA_CANARY
		"\",\"code\":403}";

	fakeapi_answer_bytes(la, where, 0, status, "application/json", words, sizeof(words) - 1);
}

static void test_a_server_that_sends_it_back_in_errors_brings_nothing_to_light(void **state)
{
	static const int statuses[] = {400, 401, 403, 404, 410, 429, 500};
	struct world_fleet *f = *state;
	struct fakeapi *la = start_with_canaries(f);

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		char error[64];

		echo_status(la, "/api", statuses[i]);
		fakeapi_forget_requests(la);
		fakeapi_drop(la, FAKEAPI_CUT_CLOSE);
		snprintf(error, sizeof(error), "services: %s%d",
		         statuses[i] == 404 ? "not installed any more: " : "", statuses[i]);
		world_fleet_expect_status(f, error);
		expect_none_anywhere(f);
		fakeapi_no_rule(la, "/api");
	}
	world_fleet_service(la, "la", OTHER);
	world_fleet_expect(f, "la", OTHER);
}

static void test_a_server_that_sends_it_back_in_other_ways_brings_nothing_to_light(void **state)
{
	static const char wire[] = LA_CANARY " is what I was sent\r\n\r\n";
	struct world_fleet *f = *state;
	struct fakeapi *la = start_with_canaries(f);

	fakeapi_set_version_text(la, "v1.31.0-of-a-server-that-says-it-late-" LA_CANARY);
	fakeapi_send_line(la, FAKEAPI_SERVICES,
	                  "{'type':'ERROR','object':{'kind':'Status','code':500,'message':'%s'}}",
	                  LA_CANARY);
	fakeapi_send_line(la, FAKEAPI_SLICES, "{'type':'%s','object':{}}", LA_CANARY);
	fakeapi_send(la, FAKEAPI_INGRESSES, LA_CANARY "\n", strlen(LA_CANARY) + 1);
	world_fleet_expect_metric(f, "watcher_api_bad_events_total{cluster=\"la\"}", 1);
	expect_none_anywhere(f);
	fakeapi_answer_bytes(la, FAKEAPI_SERVICES, 0, 200, "text/plain", LA_CANARY,
	                     strlen(LA_CANARY));
	fakeapi_close_watches(la, FAKEAPI_SERVICES);
	world_fleet_expect_status(f, "services: sends what is not JSON");
	expect_none_anywhere(f);
	fakeapi_answer_wire(la, "", 0, wire, sizeof(wire) - 1);
	fakeapi_drop(la, FAKEAPI_CUT_CLOSE);
	world_fleet_expect_status(f, "\"name\":\"la\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"unseen\"");
	expect_none_anywhere(f);
	fakeapi_no_rule(la, NULL);
	world_stop(f->world);
	world_start(f->world); /* asks for the version */
	world_fleet_expect_metric(f, "watcher_api_watches_total{cluster=\"la\"}", 4);
	world_fleet_service(la, "la", OTHER);
	world_fleet_expect(f, "la", OTHER);
	expect_none_anywhere(f);
}

/* --- in places that are wrong --- */

static void put_cluster(struct world_fleet *f, const char *name, const char *spec)
{
	fakeapi_put(f->host, FAKEAPI_CLUSTERS,
	            "{'metadata':{'name':'%s','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'spec':{'secretRef':{'name':'la'},%s}}",
	            name, spec);
}

static void test_errors_repeat_nothing_of_urls_and_files(void **state)
{
	struct world_fleet *f = *state;

	start_with_canaries(f);
	put_cluster(f, "user", "'apiEndpoint':'https://a:" URL_CANARY "@192.0.2.1:6443'");
	put_cluster(f, "query", "'apiEndpoint':'https://192.0.2.1:6443/?token=" URL_CANARY "'");
	put_cluster(f, "proxy",
	            "'apiEndpoint':'https://192.0.2.1:6443','proxyURL':'http://a:" PROXY_CANARY
	            "%%zz@127.0.0.1:1'");
	put_cluster(f, "name",
	            "'apiEndpoint':'https://192.0.2.1:6443','proxyURL':'http://a:" PROXY_CANARY
	            "@no-such-proxy.invalid:1'");
	put_cluster(f, "bundle",
	            "'apiEndpoint':'https://192.0.2.1:6443','caBundle':'" URL_CANARY "'");
	fakeapi_put(f->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'odd','namespace':'" WORLD_FLEET_NAMESPACE
	            "'},'data':{'token':'" URL_CANARY "!'}}");
	world_fleet_join_with(f, "odd", f->host, "odd", "");
	world_fleet_kubeconfig(f, "member.kubeconfig", "https://192.0.2.1:6443", "",
	                       "tokenFile: " FILE_CANARY ", " FILE_CANARY ": x");
	world_fleet_config(f,
	                   WORLD_FLEET_HOST ", members: [{name: m, kubeconfig: member.kubeconfig}]",
	                   "state: state\nlog: {level: debug}");
	world_signal(f->world, SIGHUP);
	world_fleet_expect_status(f, "\"where\":\"m: kubeconfig\"");
	world_fleet_expect_status(f, "may not have a user");
	world_fleet_expect_status(f, "may not have a query");
	world_fleet_expect_status(f, "is not base64");
	world_fleet_expect_status(f, "\"name\":\"proxy\",\"source\":\"kubernetes\",\"knowledge\":"
	                             "\"never\"");
	expect_none_anywhere(f);
}

static void test_a_plugin_and_the_environment_give_nothing_away(void **state)
{
	struct world_fleet *f = *state;
	struct fakeapi *la = world_fleet_api(f, &(struct fakeapi_options){.token = EXEC_CANARY});
	char user[1024], cluster[8192];

	world_write(f->world, "plugin",
	            "#!/bin/sh\necho \"" ENV_CANARY " on stderr\" >&2\n"
	            "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
	            "\"ExecCredential\",\"status\":{\"token\":\"" EXEC_CANARY "\"}}'\n");
	assert_int_equal(chmod(world_path(f->world, "plugin"), 0755), 0);
	snprintf(user, sizeof(user),
	         "exec: {apiVersion: client.authentication.k8s.io/v1, command: \"%s\", "
	         "interactiveMode: Never, env: [{name: SECRET, value: " ENV_CANARY
	         "}], args: [" ENV_CANARY "]}",
	         world_path(f->world, "plugin"));
	snprintf(cluster, sizeof(cluster), ", certificate-authority-data: %s",
	         fakeapi_ca_base64(la));
	world_fleet_kubeconfig(f, "la.kubeconfig", fakeapi_url(la), cluster, user);
	fakeapi_set_token(f->host, HOST_CANARY);
	fakeapi_kubeconfig(f->host, f->world, "host.kubeconfig");
	world_fleet_publish(f, la, "la", LA);
	world_fleet_config(f, WORLD_FLEET_HOST ", members: [{name: la, kubeconfig: la.kubeconfig}]",
	                   "state: state\nlog: {level: debug}");
	world_start(f->world);
	world_fleet_expect(f, "la", LA);
	expect_none_anywhere(f);
	/* And when it fails, having written half of it. */
	world_write(f->world, "plugin",
	            "#!/bin/sh\necho '{\"token\":\"" EXEC_CANARY "\"'\nexit 1\n");
	assert_int_equal(chmod(world_path(f->world, "plugin"), 0755), 0);
	fakeapi_set_token(la, "another");
	fakeapi_close_watches(la, "");
	world_fleet_expect_status(f, "\"where\":\"la: credentials\"");
	expect_none_anywhere(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_fleet_test(test_no_credential_is_shown_or_kept),
		world_fleet_test(
			test_a_server_that_sends_it_back_in_objects_brings_nothing_to_light),
		world_fleet_test(
			test_a_server_that_sends_it_back_in_errors_brings_nothing_to_light),
		world_fleet_test(
			test_a_server_that_sends_it_back_in_other_ways_brings_nothing_to_light),
		world_fleet_test(test_errors_repeat_nothing_of_urls_and_files),
		world_fleet_test(test_a_plugin_and_the_environment_give_nothing_away),
	};

	return cmocka_run_group_tests_name("scenario/canary", tests, NULL, NULL);
}
