/* probe_secrets.c -- certificates of probes from Secrets: of the host's folder, renewed, broken and deleted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/smallfile.h"
#include "base/text.h"
#include "tests/support/watcher_authority.h"
#include "tests/support/watcher_httpd.h"
#include "tests/support/world.h"

#define WEB           "web.shop.fed.svc.example.com"
#define SAN_FRANCISCO "203.0.113.0/24"
#define LA            "127.0.0.13"
#define HOUSTON       "127.0.0.12"
#define EXPLAIN       "/explain?name=" WEB "&client=" SAN_FRANCISCO
#define GOOD          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define PROBE                                                                                      \
	"{https: {host: shop.test, caSecret: authority, clientCertificateSecret: client}, "        \
	"down: 2, up: 1}"

enum { SOON_MS = 8000, STAYS_MS = 2500 };

/* Each city has an authority of its own; Los Angeles asks for a client's certificate of it. */
struct shop {
	struct world *w;
	struct httpd_settings settings;
	struct httpd *la, *houston;
};

static void put_policy(struct world *w, const char *probe)
{
	char spec[512];

	snprintf(spec, sizeof(spec), "  probe: %s\n", probe);
	world_policy(w, spec);
}

static struct shop open_shop(struct world *w)
{
	struct shop s = {.w = w};

	world_folder(w, "pki");
	s.settings = (struct httpd_settings){
		.address = LA, .answer = GOOD, .has_tls = true, .asks_client = true};
	s.la = httpd_start(&s.settings, world_path(w, "pki"));
	s.settings.port = httpd_port(s.la);
	world_folder(w, "houston");
	s.houston = httpd_start(
		&(struct httpd_settings){.address = HOUSTON, .answer = GOOD, .has_tls = true},
		world_path(w, "houston"));
	world_three_cities(w);
	world_remove(w, "manifests/clusters/newyork");
	world_remove(w, "manifests/host/cluster-newyork.yaml");
	world_service_on(w, "losangeles", "web", LA, httpd_port(s.la), true, "");
	world_service_on(w, "houston", "web", HOUSTON, httpd_port(s.houston), true, "");
	put_policy(w, PROBE);
	world_config(w, "publish: {allow: [127.0.0.0/8]}\n");
	return s;
}

/* Another authority, and all that it signs, from now on. */
static void renew(struct shop *s)
{
	httpd_stop(s->la);
	s->la = httpd_start(&s->settings, world_path(s->w, "pki"));
}

static void close_shop(struct shop *s)
{
	httpd_stop(s->la);
	httpd_stop(s->houston);
}

/* Inside of a YAML block. */
static void add_file(struct world *w, const char *file, struct text *out)
{
	char path[256];
	struct buffer data = {0};
	struct bytes left;

	snprintf(path, sizeof path, "%s", world_path(w, file));
	assert_int_equal(smallfile_read(path, 1 << 20, &data, NULL, NULL), 0);
	left = (struct bytes){data.data, data.len};
	while (left.len > 0) {
		const uint8_t *end = memchr(left.data, '\n', left.len);
		size_t len = end ? (size_t)(end - left.data) + 1 : left.len;

		text_add(out, "    ");
		text_add_bytes(out, (struct bytes){left.data, len});
		left.data += len;
		left.len -= len;
	}
	buffer_fini(&data);
}

static void put_ca(struct world *w)
{
	struct text t = {0};

	text_add(&t, "  ca.crt: |\n");
	add_file(w, "pki/ca.crt", &t);
	add_file(w, "houston/ca.crt", &t);
	world_write(w, "manifests/host/authority.yaml",
	            "apiVersion: v1\nkind: Secret\nmetadata: {name: authority, namespace: shop}\n"
	            "stringData:\n%s",
	            t.data);
	text_fini(&t);
}

static void put_client(struct world *w, const char *certificate, const char *key)
{
	struct text t = {0};

	text_add(&t, "  tls.crt: |\n");
	add_file(w, certificate, &t);
	text_add(&t, "  tls.key: |\n");
	add_file(w, key, &t);
	world_write(w, "manifests/host/client.yaml",
	            "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\n"
	            "metadata: {name: client, namespace: shop}\nstringData:\n%s",
	            t.data);
	text_fini(&t);
}

static void expect_condition(struct world *w, const char *reason, const char *message)
{
	char text[400];

	snprintf(text, sizeof text,
	         "\"type\":\"Programmed\",\"status\":\"True\",\"reason\":\"%s\",\"message\":\"%s",
	         reason, message);
	world_expect_http(w, "/status", text, SOON_MS);
}

static void expect_programmed(struct world *w) { expect_condition(w, "Programmed", "\""); }

/* What the last probe of Los Angeles found out. */
static void expect_found(const struct shop *s, const char *found)
{
	char text[300];

	snprintf(text, sizeof text, "\"target\":\"" LA ":%u\",\"check\":\"https\",%s",
	         httpd_port(s->la), found);
	world_expect_http(s->w, EXPLAIN, text, SOON_MS);
}

static void expect_good(const struct shop *s)
{
	expect_found(s, "\"ok\":true,\"down\":false,\"detail\":\"status 200\"");
}

static void test_a_probe_whose_secrets_are_not_there_judges_nothing_until_they_come(void **state)
{
	struct world *w = *state;
	struct shop s = open_shop(w);

	world_start(w);
	expect_condition(w, "ProbeWithoutEffect",
	                 "caSecret: Secret shop/authority: does not exist: no probe judges");
	expect_found(&s, "\"ok\":null,\"down\":false,\"detail\":\"caSecret: Secret "
	                 "shop/authority: does not exist\"");
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, LA, STAYS_MS);
	put_ca(w);
	expect_condition(w, "ProbeWithoutEffect",
	                 "clientCertificateSecret: Secret shop/client: does not exist");
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, LA, 1000);
	assert_true(httpd_connections(s.la) == 0);
	put_client(w, "pki/client.crt", "pki/client.key");
	expect_programmed(w);
	expect_good(&s);
	close_shop(&s);
}

static void test_renewed_secrets_are_in_use_without_a_restart(void **state)
{
	struct world *w = *state;
	struct shop s = open_shop(w);

	put_ca(w);
	put_client(w, "pki/client.crt", "pki/client.key");
	world_start(w);
	expect_good(&s);
	renew(&s);
	world_expect_http(w, EXPLAIN, "\"detail\":\"certificate verify failed: ", SOON_MS);
	world_expect(w, WEB, "A", SAN_FRANCISCO, HOUSTON, SOON_MS);
	put_ca(w);
	/* The server is known again; what we show is still of the old authority. */
	world_expect_http(w, EXPLAIN, "!certificate verify failed", SOON_MS);
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, HOUSTON, STAYS_MS);
	put_client(w, "pki/client.crt", "pki/client.key");
	expect_good(&s);
	world_expect(w, WEB, "A", SAN_FRANCISCO, LA, SOON_MS);
	close_shop(&s);
}

static void test_a_secret_that_is_broken_or_deleted_is_told_and_the_last_good_one_stays_in_use(
	void **state)
{
	struct world *w = *state;
	struct shop s = open_shop(w);

	put_ca(w);
	put_client(w, "pki/client.crt", "pki/client.key");
	world_start(w);
	expect_good(&s);
	expect_programmed(w);
	put_client(w, "pki/client.crt", "pki/server.key");
	expect_condition(w, "ProbeSecretBroken",
	                 "clientCertificateSecret: Secret shop/client: tls.key is not the key of "
	                 "tls.crt: what it was before is in use");
	world_write(w, "manifests/host/authority.yaml",
	            "apiVersion: v1\nkind: Secret\nmetadata: {name: authority, namespace: shop}\n"
	            "data: {ca.crt: '%%'}\n");
	expect_condition(w, "ProbeSecretBroken",
	                 "caSecret: Secret shop/authority: ca.crt is not base64");
	world_remove(w, "manifests/host/client.yaml");
	world_remove(w, "manifests/host/authority.yaml");
	expect_condition(w, "ProbeSecretBroken", "caSecret: Secret shop/authority: does not exist");
	world_expect_stays(w, WEB, "A", SAN_FRANCISCO, LA, STAYS_MS);
	expect_good(&s);
	put_ca(w);
	put_client(w, "pki/client.crt", "pki/client.key");
	expect_programmed(w);
	close_shop(&s);
}

/* Does a file below the folder have a line of the key? */
static void expect_nowhere(struct world *w, const char *folder, const char *key_file)
{
	char key[256], command[700];

	snprintf(key, sizeof key, "%s", world_path(w, key_file));
	snprintf(command, sizeof command, "! grep -rqF \"$(sed -n 2p %s)\" %s", key,
	         world_path(w, folder));
	assert_int_equal(system(command), 0);
}

static void test_no_key_enters_the_state_the_log_or_the_status(void **state)
{
	struct world *w = *state;
	struct shop s = open_shop(w);
	char key[256], line[128];
	FILE *f;

	world_config(w, "publish: {allow: [127.0.0.0/8]}\nstate: state\nlog: {level: debug}\n");
	put_ca(w);
	put_client(w, "pki/client.crt", "pki/client.key");
	world_start(w);
	expect_good(&s);
	snprintf(key, sizeof key, "%s", world_path(w, "pki/client.key"));
	f = fopen(key, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	assert_true(strlen(line) > 30);
	assert_null(strstr(world_log(w), line));
	memmove(line + 1, line, strlen(line) + 1);
	line[0] = '!';
	world_expect_http(w, "/status", line, 0);
	world_expect_http(w, EXPLAIN, line, 0);
	expect_nowhere(w, "state", "pki/client.key");
	world_stop(w);
	expect_nowhere(w, "state", "pki/client.key");
	close_shop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_a_probe_whose_secrets_are_not_there_judges_nothing_until_they_come),
		world_test(test_renewed_secrets_are_in_use_without_a_restart),
		world_test(
			test_a_secret_that_is_broken_or_deleted_is_told_and_the_last_good_one_stays_in_use),
		world_test(test_no_key_enters_the_state_the_log_or_the_status),
	};

	return cmocka_run_group_tests_name("scenario/probe_secrets", tests, NULL, NULL);
}
