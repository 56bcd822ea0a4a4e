/* probe_secrets_kube.c -- certificates of probes from Secrets of the host's API server, with the right to them and without. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/smallfile.h"
#include "tests/support/watcher_httpd.h"
#include "tests/support/world_fleet.h"

#define WEB     "web.shop.fed.svc.example.com"
#define LA      "127.0.0.13"
#define EXPLAIN "/explain?name=" WEB
#define GOOD    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define SECRETS "/api/v1/namespaces/shop/secrets"

/* A right is asked for again after 5 to 10 s. */
enum { SOON_MS = 20000, CODED_SIZE = 32768 };

struct shop {
	struct world_fleet *f;
	struct httpd *la;
};

static struct shop open_shop(struct world_fleet *f)
{
	struct shop s = {.f = f};
	struct fakeapi *la = world_fleet_api(f, NULL);

	world_folder(f->world, "pki");
	s.la = httpd_start(
		&(struct httpd_settings){
			.address = LA, .answer = GOOD, .has_tls = true, .asks_client = true},
		world_path(f->world, "pki"));
	world_fleet_publish(f, la, "web", LA);
	world_fleet_join(f, "la", la, "");
	fakeapi_put(
		f->host, FAKEAPI_POLICIES,
		"{'metadata':{'name':'web','namespace':'shop'},'spec':{'targetRefs':["
		"{'group':'multiclusterdns.kubefed.io','kind':'ServiceDNSRecord','name':'web'}],"
		"'probe':{'https':{'host':'shop.test','port':%u,'caSecret':'authority',"
		"'clientCertificateSecret':'client'},'up':1}}}",
		httpd_port(s.la));
	world_fleet_config(f, NULL, "publish: {allow: [127.0.0.0/8]}");
	return s;
}

static void close_shop(struct shop *s) { httpd_stop(s->la); }

static const char *code(struct world *w, const char *file, char out[CODED_SIZE])
{
	struct buffer data = {0};

	assert_int_equal(smallfile_read(world_path(w, file), CODED_SIZE / 2, &data, NULL, NULL), 0);
	EVP_EncodeBlock((unsigned char *)out, data.data, (int)data.len);
	buffer_fini(&data);
	return out;
}

static void put_ca(struct shop *s)
{
	char ca[CODED_SIZE];

	fakeapi_put(s->f->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'authority','namespace':'shop'},'data':{'ca.crt':'%s'}}",
	            code(s->f->world, "pki/ca.crt", ca));
}

static void put_client(struct shop *s)
{
	char certificate[CODED_SIZE], key[CODED_SIZE];

	fakeapi_put(s->f->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'client','namespace':'shop'},'type':'kubernetes.io/tls',"
	            "'data':{'tls.crt':'%s','tls.key':'%s'}}",
	            code(s->f->world, "pki/client.crt", certificate),
	            code(s->f->world, "pki/client.key", key));
}

static void expect_good(struct shop *s)
{
	world_expect_http(s->f->world, EXPLAIN,
	                  "\"ok\":true,\"down\":false,\"detail\":\"status 200\"", SOON_MS);
	world_expect_http(s->f->world, "/status", "\"reason\":\"Programmed\"", SOON_MS);
}

static void test_secrets_are_watched_by_their_names_alone_and_renewed(void **state)
{
	struct world_fleet *f = *state;
	struct shop s = open_shop(f);

	put_client(&s);
	fakeapi_put(f->host, FAKEAPI_SECRETS,
	            "{'metadata':{'name':'other','namespace':'shop'},'data':{'ca.crt':'eA=='}}");
	world_start(f->world);
	world_expect_http(f->world, "/status",
	                  "\"reason\":\"ProbeWithoutEffect\",\"message\":\"caSecret: Secret "
	                  "shop/authority: does not exist",
	                  SOON_MS);
	put_ca(&s);
	expect_good(&s);
	assert_int_equal(
		fakeapi_requests(f->host, "GET " SECRETS),
		fakeapi_requests(f->host, "fieldSelector=metadata.name=client") +
			fakeapi_requests(f->host, "fieldSelector=metadata.name=authority"));
	assert_int_equal(fakeapi_requests(f->host, "GET " FAKEAPI_SECRETS), 0);
	fakeapi_put(
		f->host, FAKEAPI_SECRETS,
		"{'metadata':{'name':'authority','namespace':'shop'},'data':{'ca.crt':'eA=='}}");
	world_expect_http(f->world, "/status",
	                  "\"reason\":\"ProbeSecretBroken\",\"message\":\"caSecret: Secret "
	                  "shop/authority: ca.crt is no certificate in PEM",
	                  SOON_MS);
	fakeapi_delete(f->host, FAKEAPI_SECRETS, "shop/client");
	put_ca(&s);
	world_expect_http(f->world, "/status",
	                  "\"reason\":\"ProbeSecretBroken\",\"message\":\"clientCertificateSecret: "
	                  "Secret shop/client: does not exist",
	                  SOON_MS);
	put_client(&s);
	expect_good(&s);
	close_shop(&s);
}

static void test_without_the_right_it_is_said_and_with_it_the_probe_is_made(void **state)
{
	struct world_fleet *f = *state;
	struct shop s = open_shop(f);

	put_ca(&s);
	put_client(&s);
	fakeapi_forbid(f->host, FAKEAPI_SECRETS);
	world_start_unready(f->world);
	world_expect_http(f->world, "/status",
	                  "caSecret: Secret shop/authority: 403 secrets is forbidden: User",
	                  SOON_MS);
	fakeapi_allow(f->host, FAKEAPI_SECRETS);
	expect_good(&s);
	close_shop(&s);
}

static void test_a_secret_that_no_policy_names_any_more_is_not_watched(void **state)
{
	struct world_fleet *f = *state;
	struct shop s = open_shop(f);

	put_ca(&s);
	put_client(&s);
	world_start(f->world);
	expect_good(&s);
	fakeapi_expect_watches(f->host, SECRETS, 2, SOON_MS);
	fakeapi_delete(f->host, FAKEAPI_POLICIES, "shop/web");
	fakeapi_expect_watches(f->host, SECRETS, 0, SOON_MS);
	close_shop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_fleet_test(test_secrets_are_watched_by_their_names_alone_and_renewed),
		world_fleet_test(test_without_the_right_it_is_said_and_with_it_the_probe_is_made),
		world_fleet_test(test_a_secret_that_no_policy_names_any_more_is_not_watched),
	};

	return cmocka_run_group_tests_name("scenario/probe_secrets_kube", tests, NULL, NULL);
}
